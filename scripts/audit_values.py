"""What is published against what is proved: tables and plotted data, number by number.

A printed number stands for the interval of half a unit of its last digit around it; it is
right if that interval and the enclosure overlap.  A plotted float stands for its first six
significant digits, as they are written in the file of plotted data.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tables import COLUMNS, EXACT, TABLES, digits_of, joined
from tables import PROVED as ENCLOSED

from implicit_l1.intervals import Interval, geometric_median, is_number, log10, median, stands_for
from implicit_l1.status import CERTIFIED, PROVED
from implicit_l1.storage import read_table

PLOTTED = ".6g"


@dataclass
class Compared:
    """What comes of comparing a figure or table with what is proved of it.

    Attributes:
        right: numbers behind it that lie in their enclosure.
        problems: what is wrong, as sentences.
        proved, shown: of the numbers that are printed or the points that are plotted, those that
            are proved, and all.  Parameters and counts are neither.
    """

    right: int = 0
    problems: list = field(default_factory=list)
    proved: int = 0
    shown: int = 0


def table_problems(name, text, data, certificates):
    """Compare a table with the enclosures it was rounded from.

    Args:
        name: of the table.
        text: its CSV file as a data frame of texts, empty where nothing is printed.
        data, certificates: paths of the Parquet tables that it summarizes.
    """
    table = TABLES[name](joined(data), joined(certificates))
    expected = digits_of(table)
    result = Compared()
    if list(text.columns) != list(expected.columns):
        result.problems = [f"its columns are not those of the table: {', '.join(text.columns)}"]
        return result
    if len(text) != len(expected):
        result.problems = [f"it has {len(text)} rows, {len(expected)} follow from the data"]
        return result
    rows = (frame.to_dict("records") for frame in (text, expected, table))
    for number, (printed, right, enclosures) in enumerate(zip(*rows, strict=True), start=1):
        for column, value in printed.items():
            enclosure = enclosures.get(column)
            enclosed = column in COLUMNS and COLUMNS[column].kind == ENCLOSED
            result.shown += is_number(value) and (enclosed or column.endswith("_float"))
            if enclosed and isinstance(enclosure, Interval) and is_number(value):
                if stands_for(value).overlaps(enclosure):
                    result.right += 1
                    result.proved += 1
                    continue
                problem = f"{value} is not in its enclosure {_short(enclosure)}"
            elif value == str(right[column]):
                continue
            else:
                problem = f"{value or 'nothing'} is printed, the data give {right[column]}"
            result.problems.append(f"row {number} ({_row(printed)}), {column}: {problem}")
    return result


def _short(interval):
    return f"[{interval.lower:.12g}, {interval.upper:.12g}]"


def _row(values):
    """The parameters of a row, as far as they are given."""
    exact = [name for name in values if name in COLUMNS and COLUMNS[name].kind == EXACT]
    keys = exact[: exact.index("repetitions")] if "repetitions" in exact else exact[:4]
    return ", ".join(f"{name} = {values[name]}" for name in keys if values[name])


def figure_problems(text, data, made):
    """Compare the data of a figure with the certificates of its cells, where there are to be any.

    A plotted point is proved if the number behind it is in its enclosure and the point is where
    this number is drawn, to the six digits of the file of plotted data; bands are not.

    Args:
        text: its CSV file as a data frame of texts.
        data: paths of the Parquet tables that the figure reads.
        made: every file that the workflow makes.
    """
    result, places = Compared(), set()
    for path in data:
        compare = _COMPARISONS.get(_kind(path))
        if compare is None:
            continue
        wanted = _certificates(path, made)
        proofs = [proof for proof in wanted if Path(proof).is_file()]
        if not proofs:
            if wanted:
                result.problems.append(f"{path}: there are no certificates of its cell")
            continue
        certificates = joined(proofs)
        for what, value, enclosure, drawn in compare(path, read_table(path), certificates):
            if stands_for(format(value, PLOTTED)).overlaps(enclosure):
                result.right += 1
                places.update(_place(*place) for place in drawn)
            else:
                result.problems.append(
                    f"{path}: {what} = {value:.12g} is not in its enclosure {_short(enclosure)}"
                )
    # lines across a panel are no points, and bands are spreads
    points = text[~text["artist"].str.startswith("band") & (text["x"] != "") & (text["y"] != "")]
    result.shown = len(points)
    for x, y, value in zip(points["x"], points["y"], points["value"], strict=True):
        result.proved += (_place(value) if value else _place(y, x)) in places
    return result


def _place(value, at=None):
    """A number and where on the other axis it is drawn, as they are written; None in a mesh."""
    return tuple(None if one is None else format(float(one), PLOTTED) for one in (value, at))


def _kind(path):
    path = Path(path)
    if path.name in ("curves.parquet", "instances.parquet"):
        return path.stem
    return next((part for part in path.parts if part in ("bounds", "phase")), None)


def _certificates(path, made):
    """The tables of stage certificates that the workflow makes of the cell behind a file."""
    path = Path(path)
    if _kind(path) == "phase":
        return _made([path.with_name(f"{path.stem}_certificates.parquet")], made)
    parts = list(path.parts)
    stage = next(place for place, part in enumerate(parts) if part in ("rates", "bounds"))
    root = Path(*parts[:stage]) / "certificates"
    if _kind(path) == "bounds":
        return _made([root.joinpath(*parts[stage + 1 :])], made)
    problem, network, scales = parts[stage + 1 : stage + 4]
    folder = root / problem if _kind(path) == "instances" else root / problem / network / scales
    return sorted(Path(file) for file in made if Path(file).parent == folder)


def _made(files, made):
    return [file for file in files if file.as_posix() in made]


def _enclosures(certificates, quantity):
    """log10 alpha (nan where there is none) -> repetition -> Interval of what is proved."""
    rows = certificates[certificates["quantity"] == quantity]
    result = {}
    for row in rows[rows["status"] == PROVED].itertuples():
        values = result.setdefault(row.log10_alpha, {})
        values[row.repetition] = Interval.of(row.lower, row.upper)
    return result


# The numbers that figures draw.  Behind each its float, its enclosure, and the places (number,
# other coordinate) of the points that it is drawn as: against alpha or log10(1/alpha), squared,
# or as the colour of a mesh.

ON_LOGARITHMS = ("error_1", "error_2", "error_inf", "estimation_error", "error_over_prediction")


def _curves(path, frame, certificates):
    """(what, float, enclosure, places) of medians over repetitions at the certified scales."""
    repetitions = int(Path(path).parent.name.removeprefix("reps"))
    certificates = certificates[certificates["repetition"] < repetitions]
    scales = np.sort(frame.loc[frame["quantity"] == "error_1", "log10_alpha"])
    for quantity in (*ON_LOGARITHMS, "slope"):
        rows = frame[frame["quantity"] == quantity]
        slope = quantity == "slope"
        for scale, values in _enclosures(
            certificates, "local_slope" if slope else quantity
        ).items():
            where = scale
            if slope:  # half way to the next scale
                where = 0.5 * (scale + scales[np.searchsorted(scales, scale + 1e-9)])
            at = rows[np.isclose(rows["log10_alpha"], where, rtol=1e-9, atol=1e-9)]
            # a median is proved if every instance of it is, and a double holds it
            if len(at) != 1 or len(values) != at["count"].iloc[0]:
                continue
            value = at["median"].iloc[0]
            if not np.isfinite(value) or (value == 0.0 and not slope):
                continue
            middle = median if slope else geometric_median
            what = f"median {quantity} at log10(alpha) = {where:.6g}"
            across = at["alpha"].iloc[0], -at["log10_alpha"].iloc[0]
            places = [(value, x) for x in across]
            if quantity == "estimation_error":
                places.append((value**2, across[0]))
            yield what, value, middle(list(values.values())), places


def _instances(path, frame, certificates):
    """(what, float, enclosure, places) of rho and rho~ of each instance."""
    yield from _constants(path, frame[frame["status"] == CERTIFIED], certificates)


def _constants(path, frame, certificates):
    """(what, float, enclosure, places) of the null space constants of each row."""
    columns = {
        "rho": "rho_upper",
        "rho_tilde_lower": "rho_tilde_lower",
        "rho_tilde_upper": "rho_tilde_upper",
        "rho_planted": "rho_planted",
    }
    for quantity, column in columns.items():
        if column not in frame:
            continue
        for values in _enclosures(certificates, quantity).values():
            rows = zip(frame["repetition"], frame[column], frame["rho_upper"], strict=True)
            for repetition, value, rho in rows:
                enclosure = values.get(repetition)
                if enclosure is not None and np.isfinite(value):
                    places = [(value, rho)] if quantity.startswith("rho_tilde") else []
                    yield f"{column} of repetition {repetition}", value, enclosure, places


def _phase(path, frame, certificates):
    """The same of a cell of the phase diagram, and of the median of rho of its signals."""
    yield from _constants(path, frame, certificates)
    for values in _enclosures(certificates, "rho_planted").values():
        value = frame["rho_planted"].median()
        if len(values) == len(frame) and np.isfinite(value):
            yield "median rho_planted", value, median(list(values.values())), [(value, None)]


def _bounds(path, frame, certificates):
    """(what, float, enclosure, places) of the errors; the figure draws a part of them only."""
    enclosures = _enclosures(certificates, "error_1")
    finite = frame[np.isfinite(frame["log10_error_1"])]
    for scale, values in enclosures.items():
        at = finite[np.isclose(finite["log10_alpha"], scale, rtol=1e-9, atol=1e-9)]
        for repetition, value in zip(at["repetition"], at["log10_error_1"], strict=True):
            enclosure = values.get(repetition)
            if enclosure is not None:
                what = f"log10 of the error of repetition {repetition} at {scale:.6g}"
                yield what, value, log10(enclosure), []


_COMPARISONS = {"curves": _curves, "instances": _instances, "bounds": _bounds, "phase": _phase}
