"""How much less deeper networks err than two layers, at round scales.

Instances are paired: the ratio of a repetition is that of two errors, distances to one x_0; of data
of one's own, of which x_0 is not known, errors on the same rows that were held out.
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pandas as pd
from scipy.special import bdtr

from implicit_l1.network.scales import are_at
from implicit_l1.proof.intervals import Interval, median
from implicit_l1.status import MEASURED
from tables.columns import NETWORK
from tables.enclosures import NO_PROOF, objects, of_certificates
from tables.statistics import Cells, EnclosedCells, of_each

# decimal logarithms of the scales, those called realistic in the default configuration
SCALES = (-4.0, -3.0, -2.0, -1.0)
CONFIDENCE = 0.95
DEEPER, TWO_LAYERS, NOT_DECIDED = "deeper", "two layers", "not decided"
CELL = [*NETWORK, "alpha"]
PAIR = [*(name for name in CELL if name != "depth"), "repetition"]
# in certificates: of planted signals, which counts where both are known, and of held-out rows
DISTANCES = ("estimation_error", "held_out_error")


def deeper_table(frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """Medians of ratios over the repetitions of each cell, each with an interval.

    They are proved, and over the certified repetitions, where the limits of all of them were to
    be; otherwise floating point, and over all repetitions with a limit.
    """
    rows = at_scales(frame)
    rows["distance"] = rows["estimation_error"].fillna(rows["held_out_error"])
    rows = paired(rows, "distance")
    if proofs is not None:
        cells = EnclosedCells(rows, CELL, enclosed_pairs(proofs))
        asked = cells.counted & cells.rows["distance"].notna()
        known = cells.enclosures("distance").fillna(NO_PROOF)[asked]
        if rows.empty or (known.size and known.ne(NO_PROOF).all()):
            return of_enclosures(cells)
    return in_floats(rows)


def at_scales(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows at the scales that are compared, with these as numbers."""
    parts = [
        frame[are_at(frame["log10_alpha"], scale)].assign(alpha=10.0**scale) for scale in SCALES
    ]
    return pd.concat(parts, ignore_index=True)


def paired(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of deeper networks, with what this column is of two layers as ``two_layers``."""
    two = rows.loc[rows["depth"] == 2, [*PAIR, name]].drop_duplicates(PAIR)
    return rows[rows["depth"] > 2].merge(two.rename(columns={name: "two_layers"}), on=PAIR)


def in_floats(rows: pd.DataFrame) -> pd.DataFrame:
    """The table in floating point."""
    rows["ratio"] = rows["distance"] / rows["two_layers"]
    cells = Cells(rows, CELL, MEASURED)
    numbers = cells.numbers
    ratio = cells.rows["ratio"].where(cells.counted)
    of_cell, nearer = (cells.by_cell(one) for one in (ratio, ratio.lt(1.0).where(ratio.notna())))
    intervals = of_each(of_cell, interval_of_median)
    return cells.table(
        distance_two_float=numbers["two_layers"].median(),
        distance_float=numbers["distance"].median(),
        distance_ratio_float=of_cell.median(),
        distance_ratio_low_float=intervals.map(lambda ends: ends[0]),
        distance_ratio_high_float=intervals.map(lambda ends: ends[1]),
        nearer_float=nearer.sum(min_count=1),
        nearest_float=intervals.map(lambda ends: verdict(*ends)),
    )


def enclosed_pairs(proofs: pd.DataFrame) -> pd.DataFrame:
    """Enclosures of both errors and of their ratio, by cell and repetition, and the margins."""
    limits = of_certificates(proofs[proofs["depth"].notna()])
    margins = limits[(limits["quantity"] == "margin") & (limits["depth"] > 2)]
    names = pd.CategoricalDtype(DISTANCES, ordered=True)
    known = at_scales(limits[limits["quantity"].isin(DISTANCES)]).astype({"quantity": names})
    known = known.sort_values("quantity").drop_duplicates([*CELL, "repetition"])
    known = paired(known, "enclosure").rename(columns={"enclosure": "distance"})
    known["ratio"] = objects(map(ratio, known["distance"], known["two_layers"]), known.index)
    parts = [margins.assign(alpha=10.0**scale) for scale in SCALES]
    parts += [
        known.assign(quantity=name, enclosure=known[name])
        for name in ("two_layers", "distance", "ratio")
    ]
    return pd.concat(parts, ignore_index=True).assign(log10_alpha=np.nan)


def ratio(distance: Interval | str, two_layers: Interval | str) -> Interval | str:
    """Enclosure of the quotient of two errors, or the reason why there is none."""
    if isinstance(distance, str) or isinstance(two_layers, str):
        return distance if isinstance(distance, str) else two_layers
    return distance / two_layers if two_layers.lower > 0 else "an error at D = 2 may be 0"


def of_enclosures(cells: EnclosedCells) -> pd.DataFrame:
    """The table from enclosures."""
    return cells.table(
        distance_two=cells.proved_of(median, "two_layers"),
        distance=cells.proved_of(median, "distance"),
        distance_ratio=cells.proved_of(median, "ratio"),
        distance_ratio_low=cells.proved_of(lambda found: enclosed_interval(found)[0], "ratio"),
        distance_ratio_high=cells.proved_of(lambda found: enclosed_interval(found)[1], "ratio"),
        nearer=cells.proved_of(how_many_nearer, "ratio"),
        nearest=cells.proved_of(enclosed_verdict, "ratio"),
    )


def rank_of_end(count: int) -> int:
    """Which order statistics, from below and from above, are the ends of the interval; 0 if none.

    By the binomial distribution: no law of the values is supposed.  (scipy.stats.quantile_test has
    it, too, but the plan of the workflow would wait half a second for that module.)
    """
    # the median is below the k-th smallest where at most k - 1 of n values are below it
    missed = bdtr(np.arange(count), count, 0.5)
    return int(np.count_nonzero(missed <= (1.0 - CONFIDENCE) / 2.0))


def interval_of_median(values: pd.Series) -> tuple[float, float]:
    """Ends of a confidence interval of the median; nan where there are too few values for one."""
    known = np.sort(values.dropna())
    k = rank_of_end(known.size)
    return (known[k - 1], known[-k]) if k else (np.nan, np.nan)


def enclosed_interval(values: Sequence[Interval]) -> tuple[Interval, Interval] | tuple[None, None]:
    """Enclosures of the ends of the interval; None where there are too few values for one."""
    k = rank_of_end(len(values))
    if not k:
        return None, None
    lower, upper = sorted(one.lower for one in values), sorted(one.upper for one in values)
    return Interval(lower[k - 1], upper[k - 1]), Interval(lower[-k], upper[-k])


def how_many_nearer(ratios: Sequence[Interval]) -> Interval:
    """Enclosure of how many ratios are below 1."""
    return Interval.of(sum(one.upper < 1 for one in ratios), sum(one.lower < 1 for one in ratios))


def verdict(low: float | Decimal, high: float | Decimal) -> str:
    """Who errs less in the median, as far as the ends of its interval tell."""
    if high < 1.0:
        return DEEPER
    return TWO_LAYERS if low > 1.0 else NOT_DECIDED


def enclosed_verdict(ratios: Sequence[Interval]) -> str:
    """The same from enclosures."""
    low, high = enclosed_interval(ratios)
    return NOT_DECIDED if low is None or high is None else verdict(low.lower, high.upper)
