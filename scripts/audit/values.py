"""What is published against what is proved: tables and plotted data, number by number.

A number of a table is right if it has the digits that its enclosure gives.  A plotted float stands
for the interval of half a unit of its sixth significant digit around it, as it is written in the
file of plotted data; it is right if that interval and the enclosure overlap.  A number that has
proofs to be compared with, and cannot be, is named.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from audit.findings import Audit, Compared
from audit.workflow_queries import Job
from implicit_l1.network.scales import are_at
from implicit_l1.proof.intervals import (
    Interval,
    geometric_median,
    is_number,
    log10,
    median,
    stands_for,
)
from implicit_l1.status import CERTIFIED, MEASURED, PROVED
from implicit_l1.trajectories import WIDEST
from pipeline.storage import DamagedFileError
from pipeline.tidy import read_table, read_tables
from tables.columns import COLUMNS, EXACT
from tables.making import make_table
from tables.rendering import digits_of

# with its zeros, which are digits too: as "0.5" a number would stand for 0.45 to 0.55
PLOTTED = "#.6g"
# columns of table bounds, decimal logarithms -> an error, and for bounds its quotient with it
OF_BOUNDS = {
    "log10_error_1": ("error_1", None),
    "log10_error_off": ("error_off", None),
    "log10_error_off_upper": ("error_off", "error_over_upper_off"),
    "log10_error_off_lower": ("error_off", "lower_over_error_off"),
    "log10_refined_off_upper": ("error_off", "error_over_refined_upper_off"),
    "log10_refined_off_lower": ("error_off", "refined_lower_over_error_off"),
    "log10_classical_upper": ("error_1", "error_over_classical_upper_1"),
}
# columns of plotted data whose numbers may have proofs
WITH_PROOFS = (
    *("median", "value", "rho_tilde_lower", "rho_tilde_upper", "rho_planted"),
    *OF_BOUNDS,
)
# what tells a trajectory from the others of a figure
CURVE = ("depth", "alpha", "repetition")
# between 0 and this there is no double
SMALLEST = np.nextafter(0.0, 1.0)
# what reads a Parquet table, maybe once for many that look at it
Reader = Callable[[str | Path], pd.DataFrame]


def table_problems(
    name: str,
    text: pd.DataFrame,
    data: list[str],
    certificates: list[str],
    read: Reader = read_table,
) -> Compared:
    """Compare a table with the enclosures it was rounded from.

    Args:
        name: of the table.
        text: its CSV file as a data frame of texts, empty where nothing is printed.
        data, certificates: paths of the Parquet tables that it summarizes.
        read: what reads them.
    """
    table = make_table(name, read_tables(data, read), read_tables(certificates, read))
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
            enclosed = column in COLUMNS and COLUMNS[column].source == PROVED
            # an upper bound is the end of an enclosure, as it is printed
            proved = enclosed and is_number(value)
            result.shown += is_number(value) and (enclosed or column.endswith("_float"))
            if value == str(right[column]):
                result.right += proved
                result.proved += proved
                continue
            inside = isinstance(enclosure, Interval)
            if proved and inside and not stands_for(value).overlaps(enclosure):
                problem = f"{value} is not in its enclosure {_short(enclosure)}"
            else:
                problem = f"{value or 'nothing'} is printed, the data give {right[column]}"
            result.problems.append(f"row {number} ({_row(printed)}), {column}: {problem}")
    return result


def _short(interval):
    return f"[{interval.lower:.12g}, {interval.upper:.12g}]"


def _row(values):
    """The parameters of a row, as far as they are given."""
    exact = [name for name in values if name in COLUMNS and COLUMNS[name].source == EXACT]
    keys = exact[: exact.index("repetitions")] if "repetitions" in exact else exact[:4]
    return ", ".join(f"{name} = {values[name]}" for name in keys if values[name])


@dataclass(frozen=True)
class Number:
    """A number that a figure draws and that has proofs to be compared with.

    Attributes:
        what: in words.
        value: the float.
        enclosure: of it; None if it cannot be compared.
        places: (column, number, where) of the plotted data, as which it is drawn: it or its square
            at a scale, beside a rho, or as a colour; of a trajectory (quantity, number, time), and
            what tells it from others.
        why: it cannot be compared.
        wrong: whether that is so only where something was changed.
    """

    what: str
    value: float = np.nan
    enclosure: Interval | None = None
    places: tuple = ()
    why: str = ""
    wrong: bool = False


def figure_problems(
    text: pd.DataFrame, data: list[str], made: dict[str, Job], read: Reader = read_table
) -> Compared:
    """Compare the data of a figure with the certificates of its cells, where there are to be any.

    A plotted row is proved if the numbers behind it are in their enclosures and it stands where
    they are drawn, to the six digits of the file of plotted data; quartiles are not compared.

    Args:
        text: its CSV file as a data frame of texts.
        data: paths of the Parquet tables that the figure reads.
        made: every file that the workflow makes.
        read: what reads tables.
    """
    result = Compared()
    places: set[tuple] = set()
    for path in data:
        compare = _COMPARISONS.get(_kind(path))
        if compare is None:
            continue
        wanted = certificates_of(path, made)
        proofs = [proof for proof in wanted if Path(proof).is_file()]
        if len(proofs) < len(wanted):
            missing = next(str(proof) for proof in wanted if proof not in proofs)
            result.problems.append(f"{path}: certificates of its cell are missing, as {missing}")
        if not proofs:
            continue
        for number in compare(path, read_tables(proofs, read), read):
            if number.enclosure is None:
                said = f"{path}: {number.what} {number.why}"
                (result.problems if number.wrong else result.skipped).append(said)
            elif _meaning(number.value).overlaps(number.enclosure):
                result.right += 1
                places.update(_place(*place) for place in number.places)
            else:
                result.problems.append(
                    f"{path}: {number.what} = {number.value:.12g} is not in its enclosure "
                    f"{_short(number.enclosure)}"
                )
    points = text[text["nothing"] == ""] if "nothing" in text else text
    result.shown = len(points)
    for row in points.to_dict("records"):
        at = row.get("log10_alpha") or row.get("rho_upper") or row.get("time")
        curve = [row[name] for name in CURVE] if row.get("time") else []
        # what is infinite says nothing, and is not drawn
        drawn = {
            _place(row["quantity"] if curve else name, row[name], at, *curve)
            for name in WITH_PROOFS
            if row.get(name) and not row[name].endswith("inf")
        }
        result.proved += bool(drawn) and drawn <= places
    return result


def _meaning(value):
    """What a float stands for: six digits; 0 for a number that no double is near to."""
    return stands_for(format(value, PLOTTED)) if value else Interval.of(0, SMALLEST)


def _place(column, *numbers):
    """A number of a column and where it is drawn, as they are written."""
    return column, *("" if one in (None, "") else format(float(one), PLOTTED) for one in numbers)


def _kind(path):
    path = Path(path)
    if path.name in ("curves.parquet", "instances.parquet"):
        return path.stem
    # <stage>/<problem>/<network>/<scales>/<block>, and <stage>/<problem>/<block>/<order>
    stages = ("bounds", "flow", "phase", "orders")
    return next((part for part in path.parts[-5:-3] if part in stages), None)


def certificates_of(path: str, made: dict[str, Job]) -> list[Path]:
    """The tables of what is proved that the workflow makes of the cell behind a file."""
    file = Path(path)
    if _kind(path) == "phase":  # holds its own bounds
        return _made([file], made)
    if _kind(path) == "orders":
        return _made([file.with_name(f"{file.stem}_certificates.parquet")], made)
    if _kind(path) in ("bounds", "flow"):
        folders = ["certificates"] + ["bound_certificates"] * (_kind(path) == "bounds")
        return _made([file.parents[4].joinpath(one, *file.parts[-4:]) for one in folders], made)
    root, (problem, network, scales) = file.parents[5] / "certificates", file.parts[-5:-2]
    folder = root / problem if _kind(path) == "instances" else root / problem / network / scales
    return sorted(Path(file) for file in made if Path(file).parent == folder)


def _made(files, made):
    return [file for file in files if file.as_posix() in made]


def _enclosures(certificates, quantity):
    """log10 alpha (None where there is none) -> repetition -> what is proved of a quantity: an
    Interval, or the words that say why there is none.
    """
    result = {}
    rows = certificates[certificates["quantity"] == quantity]
    columns = (rows[name] for name in ("log10_alpha", "repetition", "status", "lower", "upper"))
    for scale, repetition, status, *ends in zip(*columns, strict=True):
        values = result.setdefault(None if np.isnan(scale) else scale, {})
        values[repetition] = Interval.of(*ends) if status == PROVED else status
    return result


def _why_not(values, wanted):
    """Why some of what is wanted has no enclosure, "" if all have one."""
    for repetition in sorted(wanted):
        found = values.get(repetition, "no certificate is of it")
        if not isinstance(found, Interval):
            return f"is not compared: repetition {repetition}, {found}"
    return ""


def _has_zero(values, wanted):
    """Whether something of what is wanted is proved to be 0."""
    found = (values.get(repetition) for repetition in wanted)
    return any(isinstance(one, Interval) and one.lower == one.upper == 0 for one in found)


ON_LOGARITHMS = (
    *("error_1", "error_2", "error_inf"),
    *("estimation_error", "held_out_error", "error_over_prediction"),
)


def _curves(path, certificates, read):
    """The medians over the repetitions from which an error is measured, at certified scales."""
    frame, instances = read(path), read(str(Path(path).with_name("instances.parquet")))
    measured = set(instances.loc[instances["status"].isin(MEASURED), "repetition"])
    scales = np.sort(frame.loc[frame["quantity"] == "error_1", "log10_alpha"])
    errors = _enclosures(certificates, "error_1")
    for quantity in (*ON_LOGARITHMS, "slope"):
        rows = frame[frame["quantity"] == quantity]
        if rows.empty:
            continue
        slope = quantity == "slope"
        columns = (rows[name].to_numpy() for name in ("log10_alpha", "count", "median"))
        places_of, counts, medians = columns
        enclosures = _enclosures(certificates, "local_slope" if slope else quantity)
        for scale, values in enclosures.items():
            where = scale
            if slope:  # half way to the next scale
                where = 0.5 * (scale + scales[np.searchsorted(scales, scale + 1e-9)])
            what = f"median {quantity} at log10(alpha) = {where:.6g}"
            at = np.flatnonzero(are_at(places_of, where))
            if len(at) != 1:
                yield Number(what, why=f"stands in {len(at)} rows, not in one", wrong=True)
                continue
            (row,) = at
            count, value = counts[row], medians[row]
            why = _why_not(values, measured)
            if count != len(measured):
                why = f"is over {count} repetitions, {len(measured)} are measured"
                yield Number(what, why=why, wrong=True)
            elif slope and np.isnan(value) and _has_zero(errors.get(scale, {}), measured):
                continue  # log 0 has no slope
            elif why or not measured:
                yield Number(what, why=why or "is not compared: no repetition is measured")
            elif not np.isfinite(value):
                yield Number(what, why=f"is not compared: it is {value}")
            elif value == 0.0 and not slope:
                # of two in the middle the geometric mean is the smaller one
                enclosure = median([values[repetition] for repetition in measured])
                yield Number(what, value, enclosure)
            else:
                middle = median if slope else geometric_median
                enclosure = middle([values[repetition] for repetition in measured])
                powers = (1, 2) if quantity == "estimation_error" else (1,)
                places = tuple(("median", value**power, places_of[row]) for power in powers)
                yield Number(what, value, enclosure, places)


def _instances(path, certificates, read):
    """rho and rho~ of each instance with a unique minimizer."""
    frame = read(path)
    yield from _constants(frame[frame["status"] == CERTIFIED], certificates)


def _orders(path, certificates, read):
    """The null space constants of each instance."""
    yield from _constants(read(path), certificates)


def _constants(frame, certificates):
    """The null space constants of each row."""
    columns = {
        "rho": "rho_upper",
        "rho_tilde_lower": "rho_tilde_lower",
        "rho_tilde_upper": "rho_tilde_upper",
        "rho_planted": "rho_planted",
    }
    for quantity, column in columns.items():
        if column not in frame:
            continue
        values = _enclosures(certificates, quantity).get(None, {})
        rows = zip(frame["repetition"], frame[column], frame["rho_upper"], strict=True)
        for repetition, value, rho in rows:
            what = f"{column} of repetition {repetition}"
            why = _why_not(values, [repetition])
            if not np.isfinite(value):
                if not why:
                    yield Number(what, why=f"is {value}, and has an enclosure", wrong=True)
            elif why:
                yield Number(what, why=why)
            else:
                places = ((column, value, rho),) if quantity.startswith("rho_tilde") else ()
                yield Number(what, value, values[repetition], places)


def _phase(path, bounds, read):
    """The median of rho over the signals with each s, in the median of their bounds."""
    for (_, s), cell in read(path).groupby(["ensemble", "s"]):
        what, value = f"median rho_planted at s = {s}", cell["rho_planted"].median()
        rows = bounds[(bounds["ensemble"] == cell["ensemble"].iloc[0]) & (bounds["s"] == s)]
        ends = zip(rows["rho_lower"], rows["rho_upper"], strict=True)
        if not np.isfinite([value, rows["rho_upper"].median()]).all():
            yield Number(what, why=f"is not compared: it is {value}, or has no bound from above")
        else:
            enclosure = median([Interval.of(*both) for both in ends])
            yield Number(what, value, enclosure, (("rho_planted", value, None),))


def _bounds(path, certificates, read):
    """The errors, and the bounds on them where they are proved; figures draw a part of them."""
    frame = read(path)
    finite = frame[np.isfinite(frame["log10_error_1"])]
    for column, (error, quotient) in OF_BOUNDS.items():
        errors = _enclosures(certificates, error)
        quotients = None if quotient is None else _enclosures(certificates, quotient)
        for scale, sizes in (errors if quotients is None else quotients).items():
            at = finite[are_at(finite["log10_alpha"], scale)]
            for row in at.to_dict("records"):
                repetition, value = row["repetition"], row[column]
                what = f"{column} of repetition {repetition} at {scale:.6g}"
                why = _why_not(sizes, [repetition]) or _why_not(errors[scale], [repetition])
                if why:
                    yield Number(what, why=why)
                    continue
                enclosure = log10(errors[scale][repetition])
                if quotients is not None:
                    enclosure = _bound(enclosure, quotient, sizes[repetition])
                upper = column.endswith("_upper")
                if (enclosure is None) != bool(np.isinf(value)):
                    said = "nothing is said by the bound" if enclosure is None else "it is finite"
                    yield Number(what, why=f"is {value:.6g}, and {said} that is proved", wrong=True)
                elif enclosure is not None and quotient and _is_weaker(value, enclosure, upper):
                    yield Number(what, why="is not compared: it allows for rounding")
                elif enclosure is not None:
                    yield Number(what, value, enclosure, ((column, value, row["log10_alpha"]),))


def _is_weaker(value, enclosure, upper):
    """Whether a bound says less than the one that is proved: digits are lost, and allowed for."""
    meaning = _meaning(value)
    return meaning.lower > enclosure.upper if upper else meaning.upper < enclosure.lower


def _bound(error, name, quotient):
    """Enclosure of the logarithm of a bound from that of the error; None if it says nothing."""
    if not quotient.lower > 0:
        return None
    upper = name.startswith("error_over")
    return error - log10(quotient if upper else quotient.reciprocal())


def _trajectories(path, certificates, read):
    """The distances to g* over time."""
    frame = read(path)
    proofs = certificates[certificates["quantity"] == "error_1"]
    known = {(row.repetition, row.time): row for row in proofs.itertuples()}
    for row in frame[frame["quantity"] == "error_1"].itertuples():
        what = f"||x(t) - g*||_1 of repetition {row.repetition} at t = {row.time:.6g}"
        proof = known.get((row.repetition, row.time))
        if proof is None or proof.status != PROVED:
            said = "no certificate is of it" if proof is None else proof.status
            yield Number(what, why=f"is not compared: {said}")
        else:
            enclosure = Interval.of(proof.lower, proof.upper)
            if enclosure.upper - enclosure.lower > Decimal(2.1 * WIDEST) * enclosure.lower:
                yield Number(what, why="has an enclosure wider than any that is proved", wrong=True)
                continue
            place = "error_1", row.value, row.time, *(getattr(row, name) for name in CURVE)
            yield Number(what, row.value, enclosure, (place,))


_COMPARISONS = {
    "curves": _curves,
    "instances": _instances,
    "bounds": _bounds,
    "flow": _trajectories,
    "phase": _phase,
    "orders": _orders,
}


def check_values(audit: Audit) -> None:
    """The numbers of tables and figures lie in what is proved of them."""
    read = functools.cache(read_table)  # figures and tables share them
    for kind, name, job in audit.published():
        if kind == "document":  # which reads what the others are compared with
            continue
        file = next(file for file in job.outputs if Path(file).suffix == ".csv")
        try:
            text = pd.read_csv(file, dtype=str, keep_default_na=False)
            if kind == "table":
                (table,) = job.after("--table")
                data, proofs = (job.after(option) for option in ("--input", "--certificates"))
                compared = table_problems(table, text, data, proofs, read)
            else:
                compared = figure_problems(text, job.after("--data"), audit.job_of, read)
        except (DamagedFileError, FileNotFoundError):
            continue  # reported where it stands
        except Exception as error:  # whatever changed numbers may break, the page is written
            what = f"its numbers cannot be checked ({error!r})"
            compared = Compared(problems=[what if kind == "table" else f"{file}: {what}"])
        audit.compared_values[kind, name] = compared
        audit.counts["numbers within their enclosures"] += compared.right
        audit.counts["numbers not compared with their enclosure"] += len(compared.skipped)
        what = "numbers of tables" if kind == "table" else "plotted points"
        audit.counts[f"{what} that are proved"] += compared.proved
        audit.counts[f"{what} in floating point, not proved"] += compared.shown - compared.proved
        # what is wrong with a figure's data names the file of them
        found = compared.problems
        named = found if kind == "figure" else [f"{file}: {text}" for text in found]
        audit.of_values.setdefault(file, []).extend(named)
