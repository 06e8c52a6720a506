"""Upper bound over error and error over lower bound."""

import pandas as pd

from implicit_l1.proof.intervals import Interval, geometric_median, maximum
from tables.columns import NETWORK, NORMS
from tables.enclosures import in_floats, of_certificates, power_in_floats
from tables.statistics import EnclosedCells

# where a bound says nothing
SILENT = Interval.of(0, 0)


def tightness_table(frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """Median and worst over all points of the certified repetitions of each network.

    A bound is silent where the quotient that is at most 1, its own or the error's, is 0.
    """
    points = frame.drop_duplicates([*NETWORK, "repetition", "log10_alpha"])
    by_repetition = points.groupby([*NETWORK, "repetition"], dropna=False)["log10_alpha"]
    frame = points.assign(points=by_repetition.transform("size"))
    known = None if proofs is None else of_certificates(proofs)
    cells = EnclosedCells(frame, NETWORK, known, tightness_in_floats)
    counts = cells.by_cell(cells.rows["points"].where(cells.counted))
    columns = {}
    for norm in NORMS:
        for side, quantity in _quotients(norm).items():
            for statistic, end in ((_middle, ""), (_worst, "_worst"), (_silent, "_silent")):
                name = f"{norm}_{side}{end}"
                columns[name] = cells.over_scales(name, statistic, quantity, cells.rows["points"])
    table = cells.table(points=counts.sum().astype(int), **columns)
    # where nothing was to be proved, nothing is to be said of it
    return table if cells.proved else table.drop(columns="unproved")


def _quotients(norm):
    """Side -> the quotient that is at most 1, by its name in stage bound_certificates."""
    kind, size = norm.split("_")
    refined = "refined_" if kind == "refined" else ""
    return {
        "upper": f"error_over_{refined}upper_{size}",
        "lower": f"{refined}lower_over_error_{size}",
    }


def _told(quotients):
    """Their reciprocals, of those bounds that say something."""
    return [one.reciprocal() for one in quotients if one != SILENT]


def _middle(quotients):
    told = _told(quotients)
    return geometric_median(told) if told else None


def _worst(quotients):
    told = _told(quotients)
    return maximum(told) if told else None


def _silent(quotients):
    count = len(quotients) - len(_told(quotients))
    return Interval.of(count, count)


def tightness_in_floats(rows: pd.DataFrame) -> pd.DataFrame:
    """The quotients at each scale, from decimal logarithms."""
    logs = {}
    for norm in NORMS:
        error = rows["log10_error_off" if norm.endswith("off") else "log10_error_1"]
        for side, quantity in _quotients(norm).items():
            sign = 1.0 if side == "upper" else -1.0
            logs[quantity] = sign * (error - rows[f"log10_{norm}_{side}"])
    rows = rows.assign(**logs)
    return in_floats(
        rows, {name: name for name in logs}, rows["log10_alpha"], power_in_floats, missing=SILENT
    )
