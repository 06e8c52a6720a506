"""Stage tables: one table for the reader, as CSV (more digits), Markdown, LaTeX and HTML.

A number is exact (a parameter, a count), rounded from a proved enclosure, or floating point;
columns of the third kind are marked, "_float" in the CSV file and a dagger elsewhere.  Where
nothing was to be proved, the columns of the second kind hold floating-point numbers, so marked.
"""

import argparse
import dataclasses
import json
import math
import re
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from implicit_l1.proof.intervals import (
    DECADE,
    Interval,
    farthest,
    float_text,
    maximum,
    median,
    minimum,
)
from implicit_l1.status import (
    CERTIFIED,
    MEASURED,
    NOT_UNIQUE,
    PROVED,
    SELECTED,
    UNDECIDED,
    UNIQUE_IN_FLOATS,
    data_in_words,
)
from pipeline.command_line import run
from pipeline.storage import read_table, write_origin, write_text
from pipeline.words import readable

EXACT, FLOAT = "exact", "floating point"

# of a problem, and of its flow
PROBLEM = ["ensemble", "N", "d", "s", "eta", "m", "family_rho"]
PARAMETERS = [*PROBLEM, "initialization"]


@dataclass(frozen=True)
class Column:
    """How a column of the data is shown.

    Attributes:
        heading: in Markdown; latex: in LaTeX.
        style: a format specification, applied to numbers.
        kind: EXACT (names, parameters, counts), PROVED (rounded from an enclosure) or FLOAT.
        csv: the format specification in the CSV file.
    """

    heading: str
    latex: str
    style: str = "g"
    kind: str = EXACT
    csv: str = ".12g"


def proved(heading, latex, style, csv=".10g"):
    """A column of enclosures."""
    return Column(heading, latex, style, PROVED, csv)


def floating(heading, latex, style, csv=None):
    """A column of floats; its CSV shows no digits that differ from machine to machine."""
    return Column(heading, latex, style, FLOAT, csv or style)


COLUMNS = {
    "ensemble": Column("ensemble", "ensemble"),
    "N": Column("N", "$N$"),
    "d": Column("d", "$d$"),
    "s": Column("s", "$s$"),
    "eta": Column("η", r"$\eta$"),
    "m": Column("m", "$m$"),
    "family_rho": Column("ϱ of the family", r"$\varrho$ of the family"),
    "initialization": Column("initialization", "initialization"),
    "depth": Column("D", "$D$"),
    "alpha": Column("α", r"$\alpha$"),
    "path": Column("path", "path"),
    "form": Column("form", "form"),
    "repetitions": Column("repetitions", "repetitions", "d"),
    "certified": Column("certified unique", "certified unique", "d"),
    "status": Column("status of the others", "status of the others"),
    "unproved": Column("not proved", "not proved"),
    "support_size": Column("|S|", "$|S|$"),
    "rho": proved("ϱ", r"$\varrho$", ".4f", ".10f"),
    "rho_smallest": proved("ϱ min", r"$\varrho$ min", ".4f", ".10f"),
    "rho_largest": proved("ϱ max", r"$\varrho$ max", ".4f", ".10f"),
    "rho_tilde_lower": proved("ϱ~ ≥", r"$\tilde\varrho\ge$", ".4g"),
    "rho_tilde_upper": proved("ϱ~ ≤", r"$\tilde\varrho\le$", ".4g"),
    "rho_tilde_method": Column("ϱ~ by", r"$\tilde\varrho$ by"),
    "kappa": proved("κ", r"$\kappa$", ".3g"),
    "data": Column("y", "$y$"),
    "predicted_rate": proved("predicted rate", "predicted rate", ".4f", ".10f"),
    "fitted_rate": floating("fitted rate", "fitted rate", ".4f", ".6f"),
    "fitted_lower_quartile": floating("lower quartile", "lower quartile", ".4f", ".6f"),
    "fitted_upper_quartile": floating("upper quartile", "upper quartile", ".4f", ".6f"),
    "fitted_low": floating("interval from", "interval from", ".4f", ".6f"),
    "fitted_high": floating("to", "to", ".4f", ".6f"),
    "last_slope": proved(
        "slope at the smallest α", r"slope at the smallest $\alpha$", ".4f", ".10f"
    ),
    "onset_alpha": floating("onset α", r"onset $\alpha$", ".2g", ".6g"),
    "onset_reached": floating("onset reached", "onset reached", "d"),
    "smallest_log10_alpha": Column("smallest log₁₀ α", r"smallest $\log_{10}\alpha$", ".0f"),
    "worst": proved("worst difference", "worst difference", ".6f", ".10f"),
    "four_digits": floating("4 digits reached", "4 digits reached", "d"),
    "four_digits_log10_alpha": floating("from log₁₀ α", r"from $\log_{10}\alpha$", ".0f", ".6g"),
    "four_digits_last": floating("the last from", "the last from", ".0f", ".6g"),
    "reason": floating("those that do not", "those that do not", "g"),
    "constant": proved("constant", "constant", ".4g"),
    "measured_4": proved("error at 1e-4", "error at $10^{-4}$", ".3g"),
    "ratio_4": proved("ratio", "ratio", ".5g"),
    "measured_8": proved("error at 1e-8", "error at $10^{-8}$", ".3g"),
    "ratio_8": proved("ratio at 1e-8", "ratio at $10^{-8}$", ".5g"),
    "measured_12": proved("error at 1e-12", "error at $10^{-12}$", ".3g"),
    "ratio_12": proved("ratio at 1e-12", "ratio at $10^{-12}$", ".5g"),
    "end_log10_alpha": Column("far log₁₀ α", r"far $\log_{10}\alpha$", ".0f"),
    "ratio_end": proved("ratio there", "ratio there", ".7g"),
    "ratio_end_worst": proved("worst there", "worst there", ".7g"),
    "float_error_4": floating("error at 1e-4", "error at $10^{-4}$", ".3g", ".6g"),
    "float_error_8": floating("error at 1e-8", "error at $10^{-8}$", ".3g", ".6g"),
    "float_error_12": floating("error at 1e-12", "error at $10^{-12}$", ".3g", ".6g"),
    "float_error_end": floating("error there", "error there", ".3g", ".6g"),
    "float_slope": floating("slope there", "slope there", ".4f", ".6f"),
    "float_distance": floating("distance to x₀ there", "distance to $x_0$ there", ".3g", ".6g"),
    "points": Column("points", "points", "d"),
    "mean": floating("mean steps", "mean steps", ".1f"),
    "median": floating("median", "median", ".0f"),
    "percentile_95": floating("95 %", r"95\,\%", ".0f"),
    "largest": floating("largest", "largest", ".0f"),
    "fraction": Column("step / stable", "step / stable"),
    "outcome": floating("outcome", "outcome", "g"),
    "iterations": floating("iterations", "iterations", ".0f"),
    "relative_loss": floating("loss / initial loss", "loss / initial loss", ".0e"),
    "relative_step_distance": floating("distance by the step", "distance by the step", ".3g"),
    "relative_distance": floating("distance in all", "distance in all", ".3g"),
    "recovered": proved("x₀ recovered", "$x_0$ recovered", ".2f", ".6f"),
    "rho_planted": proved("ϱ of x₀", r"$\varrho$ of $x_0$", ".3f"),
    "order_lower": floating("order s ≥", r"order $s\ge$", ".3g"),
    "order_upper": floating("order s ≤", r"order $s\le$", ".3g"),
    "disagreement": floating("disagreement below", "disagreement below", DECADE),
    "steps": floating("steps, about", "steps, about", ".0f"),
}


for _norm, _words, _latex in (
    ("error_off", "‖n_Sc‖₁", r"$\|n_{S^c}\|_1$"),
    ("error_1", "‖n‖₁", r"$\|n\|_1$"),
    ("refined_off", "‖n_Sc‖₁ refined", r"$\|n_{S^c}\|_1$ refined"),
    ("refined_1", "‖n‖₁ refined", r"$\|n\|_1$ refined"),
):
    for _side, _quotient in (("upper", "upper/error"), ("lower", "error/lower")):
        for _key, _kind, _style in (
            ("", "", ".3g"),
            ("_worst", " worst", ".3g"),
            ("_silent", " silent", "d"),
        ):
            COLUMNS[f"{_norm}_{_side}{_key}"] = floating(
                f"{_words} {_quotient}{_kind}", f"{_latex} {_quotient}{_kind}", _style
            )

# in place of a column of enclosures, where nothing was to be proved
FLOATING = {
    f"{name}_float": floating(column.heading, column.latex, column.style, f".6{column.csv[-1]}")
    for name, column in COLUMNS.items()
    if column.kind == PROVED
}
COLUMNS |= FLOATING


@dataclass(frozen=True)
class Cell:
    """Rows of one row of the table: of the data, and what is known of them.

    Attributes:
        rows: of the data, certified instances with enclosures only.
        proofs: quantity and scale -> repetition -> Interval, or the reason why there is none.
        repetitions: those of the rows; all_repetitions: the others too.
    """

    rows: pd.DataFrame
    proofs: dict
    repetitions: list
    all_repetitions: list

    def proved(self, statistic, quantity, log10_alpha=None):
        """A statistic over the repetitions, as an Interval, or why it is not known."""
        values = self.proofs.get((quantity, log10_alpha))
        if values is None or not self.repetitions:
            return None
        values = [values.get(repetition, NO_PROOF) for repetition in self.repetitions]
        reasons = sorted({value for value in values if isinstance(value, str)})
        if reasons:
            return Unproved(f"{quantity}: {', '.join(reasons)}")
        return statistic(values)


# where there is no row in the tables of stage certificates, or no number in the data
NO_PROOF, NO_NUMBER = "no proof", "not known"
# the status, in a table of constants, of an instance that has none
NO_CONSTANT = "no first-order constant"


class Unproved(str):
    """In place of an enclosure, the reason why there is none."""


def cells_table(frame, proofs):
    """Parameters and statistics of the problems; medians over proved repetitions."""
    frame = frame.drop_duplicates([*PROBLEM, "repetition"])
    table = _proved_table(
        frame,
        None if proofs is None else proofs[proofs["depth"].isna()],
        PROBLEM,
        lambda cell: {
            "support_size": cell.rows["support_size"].median(),
            "rho": cell.proved(median, "rho"),
            "rho_smallest": cell.proved(minimum, "rho"),
            "rho_largest": cell.proved(maximum, "rho"),
            "rho_tilde_lower": cell.proved(median, "rho_tilde_lower"),
            "rho_tilde_upper": cell.proved(median, "rho_tilde_upper"),
            "rho_tilde_method": ", ".join(sorted(set(cell.rows["rho_tilde_method"]))),
            "kappa": cell.proved(median, "kappa"),
        },
        partial(
            _floats,
            rho="rho_upper",
            rho_tilde_lower="rho_tilde_lower",
            rho_tilde_upper="rho_tilde_upper",
            kappa="kappa",
        ),
    )
    # a column where there is something to say: drawn data are what is stored
    words = [
        ", ".join(
            dict.fromkeys(
                filter(None, map(data_in_words, group["product"], group["noiseless_support"]))
            )
        )
        for _, group in frame.groupby(PROBLEM, dropna=False, sort=True)
    ]
    return table.assign(data=words) if any(words) else table


def rates_table(frame, proofs):
    """Fitted against predicted rates; medians over proved repetitions."""
    keys = [*PARAMETERS, "depth", "path"]

    def statistics(cell):
        rows = cell.rows
        return {
            "predicted_rate": cell.proved(median, "predicted_rate"),
            "fitted_rate": rows["fitted_rate"].median(),
            "fitted_lower_quartile": rows["fitted_rate"].quantile(0.25),
            "fitted_upper_quartile": rows["fitted_rate"].quantile(0.75),
            "fitted_low": rows["fitted_rate_low"].median(),
            "fitted_high": rows["fitted_rate_high"].median(),
            "last_slope": cell.proved(median, "local_slope", _smallest(cell)),
            "onset_alpha": rows["onset_alpha"].median(),
            "onset_reached": int(rows["onset_alpha"].notna().sum()),
        }

    return _proved_table(
        _largest(frame, keys), _of_limits(proofs), keys, statistics, _floats_of_limits
    )


def far_table(frame, proofs):
    """Local slopes far down the path, and the scale below which four digits are right."""
    keys = [*PARAMETERS, "depth", "path"]

    def statistics(cell):
        rows, end = cell.rows, _smallest(cell)
        slopes = cell.proofs.get(("local_slope", end), {})
        predicted = cell.proofs.get(("predicted_rate", None), {})
        return {
            "smallest_log10_alpha": end,
            "predicted_rate": cell.proved(median, "predicted_rate"),
            "last_slope": cell.proved(median, "local_slope", end),
            "worst": _deviation(slopes, predicted, cell.repetitions),
            "four_digits": int(rows["four_digits_log10_alpha"].notna().sum()),
            "four_digits_log10_alpha": rows["four_digits_log10_alpha"].median(),
            "four_digits_last": rows["four_digits_log10_alpha"].min(),
            "reason": "; ".join(
                _reason(row, slopes, predicted) for row in _unfinished(rows).itertuples()
            ),
        }

    return _proved_table(
        _largest(frame, keys), _of_limits(proofs), keys, statistics, _floats_of_limits
    )


def _deviation(slopes, predicted, repetitions):
    """Enclosure of the largest |slope - predicted rate|, or why there is none."""
    pairs = [(slopes.get(r, NO_PROOF), predicted.get(r, NO_PROOF)) for r in repetitions]
    reasons = sorted({value for pair in pairs for value in pair if isinstance(value, str)})
    if reasons:
        return Unproved(f"worst: {', '.join(reasons)}")
    if not pairs:
        return None
    return maximum([abs(slope - rate) for slope, rate in pairs])


def _unfinished(rows):
    return rows[rows["four_digits_log10_alpha"].isna()]


def _reason(row, slopes, predicted):
    """Why an instance is not in its asymptotic regime at the smallest scale of its path."""
    if row.asymptotics_status != "known":
        return f"repetition {row.repetition}: {row.asymptotics_status}"
    slope, rate = (
        value if isinstance(value, str) else value.text(".5f")
        for value in (values.get(row.repetition, NO_PROOF) for values in (slopes, predicted))
    )
    if np.isfinite(row.log10_competitor):
        size = f"10^{row.log10_competitor:.1f}"
        why = f"an entry of higher order is still {size} times the leading one"
    elif np.isfinite(row.log10_correction):
        size = f"10^{row.log10_correction:.1f}"
        why = f"what follows the leading term is still of the order of {size} times it"
    else:
        why = "the leading term is 0"
    return f"repetition {row.repetition}: slope {slope} for {rate}; {why}"


# where the table of constants compares; the far regime is the end of each path
MARKS = (-4.0, -8.0, -12.0)


def constants_table(frame, proofs):
    """Error over its first-order prediction, at round scales and at the end of the path."""
    keys = [*PARAMETERS, "depth"]

    def statistics(cell):
        result = {"constant": cell.proved(median, "constant")}
        for mark in MARKS:
            result[f"measured_{-mark:.0f}"] = cell.proved(median, "error_1", mark)
            result[f"ratio_{-mark:.0f}"] = cell.proved(median, "error_over_prediction", mark)
        end = _smallest(cell)
        result["end_log10_alpha"] = end
        result["ratio_end"] = cell.proved(median, "error_over_prediction", end)
        result["ratio_end_worst"] = cell.proved(
            lambda values: farthest(values, 1), "error_over_prediction", end
        )
        return result

    certified = frame["status"] == CERTIFIED
    # an error of exactly 0 has no constant: such instances are none of this table's
    zero = certified & ~np.isfinite(frame["log10_error_1"])
    without = certified & frame["log10_prediction"].isna()
    frame = frame.assign(status=frame["status"].mask(without, NO_CONSTANT))[~zero]
    return _proved_table(frame, _of_limits(proofs), keys, statistics, _floats_of_points)


def _smallest(cell):
    """log10 of the smallest certified scale."""
    return min((alpha for _, alpha in cell.proofs if alpha is not None), default=np.nan)


def _of_limits(proofs):
    """Proofs at a depth, with the predicted rate of each instance; None of none."""
    if proofs is None:
        return None
    keys = [*PROBLEM, "repetition"]
    rho = proofs[proofs["quantity"] == "rho"]
    limits = proofs[proofs["depth"].notna()]
    rates = limits[limits["quantity"] == "margin"].merge(
        rho[[*keys, "lower", "upper", "status"]], on=keys, how="left", suffixes=("_", "")
    )
    rates["quantity"] = "predicted_rate"
    rates["status"] = rates["status"].fillna(NO_PROOF)
    rates.loc[rates["depth"] > 2, ["lower", "upper", "status"]] = "1", "1", PROVED
    one = Interval.of(1, 1)
    shallow = (rates["depth"] == 2) & (rates["status"] == PROVED)
    ends = [
        one - Interval.of(lower, upper)
        for lower, upper in rates.loc[shallow, ["lower", "upper"]].to_numpy()
    ]
    rates.loc[shallow, "lower"] = [str(rate.lower) for rate in ends]
    rates.loc[shallow, "upper"] = [str(rate.upper) for rate in ends]
    return pd.concat([limits, rates[limits.columns]], ignore_index=True)


def _floats(group, scale=None, **columns):
    """Numbers of the data in the place of enclosures, as they are looked up.

    Args:
        group: rows, one a repetition.
        scale: log10 of that which they belong to; None if to none.
        columns: quantity -> name of its column.
    """
    return {
        (quantity, scale): {
            repetition: Interval.of(value, value) if np.isfinite(value) else NO_NUMBER
            for repetition, value in zip(
                group["repetition"], group[name].astype(float), strict=True
            )
        }
        for quantity, name in columns.items()
    }


def _floats_of_limits(group):
    """Rates of a cell in floating point, as they are looked up."""
    smallest = float(f"{group['smallest_log10_alpha'].min():.9g}")
    slopes = _floats(group, smallest, local_slope="last_slope")
    return slopes | _floats(group, predicted_rate="predicted_rate")


def _floats_of_points(group):
    """Errors and first-order constants of a cell in floating point, as they are looked up."""
    ratio = group["log10_error_1"] - group["log10_prediction"]
    constant = group["log10_prediction"] - group["rate"] * group["log10_alpha"]
    group = group.assign(log10_ratio=ratio, log10_constant=constant)
    scales = group["log10_alpha"].round(9)
    names = {"error_1": "log10_error_1", "error_over_prediction": "log10_ratio"}
    result = _powers(group[scales == scales.min()], constant="log10_constant")
    for scale in {*MARKS, scales.min()}:
        result |= _powers(group[scales == scale], scale, **names)
    return {key: values for key, values in result.items() if values}


def _powers(group, scale=None, **columns):
    """The same of columns that hold decimal logarithms, however small or large the numbers are."""
    return {
        key: {
            repetition: value if isinstance(value, str) else _power_of_ten(value.lower)
            for repetition, value in values.items()
        }
        for key, values in _floats(group, scale, **columns).items()
    }


def _power_of_ten(exponent):
    """10^exponent in 17 digits, which a double need not hold."""
    whole = math.floor(exponent)
    value = f"{10.0 ** float(exponent - whole):.17g}e{whole}"
    return Interval.of(value, value)


def _proved_table(frame, proofs, keys, statistics, floats=None):
    """One row for each combination of keys: statistics over its certified repetitions.

    Args:
        frame: the data.
        proofs: the enclosures; None where nothing was to be proved.
        keys: columns that name a row.
        statistics: of a cell, the columns of its row.
        floats: of the rows of a cell, what stands in place of its enclosures if there are none.
    """
    of_cell = {}
    if proofs is not None:
        groups = proofs.groupby(keys, dropna=False)
        of_cell = {_key(values): _lookup(group) for values, group in groups}
    rows = []
    for values, group in frame.groupby(keys, dropna=False, sort=True):
        status = dict(zip(group["repetition"], group["status"], strict=True))
        certified = [repetition for repetition, word in status.items() if word == CERTIFIED]
        if proofs is None:
            found = floats(group[group["status"] == CERTIFIED]) if certified else {}
            left_out = {}
        else:
            found = of_cell.get(_key(values), {})
            margins = found.get(("margin", None), {})
            without = {r: margins.get(r, NO_PROOF) for r in certified}
            left_out = {r: why for r, why in without.items() if isinstance(why, str)}
        enclosed = [repetition for repetition in certified if repetition not in left_out]
        once = group.drop_duplicates("repetition")
        cell = Cell(once[once["repetition"].isin(enclosed)], found, enclosed, list(status))
        columns = statistics(cell)
        reasons = [value for value in columns.values() if isinstance(value, Unproved)]
        if left_out:
            reasons.insert(0, f"left out: {_counted(left_out.values())}")
        rows.append(
            _head(keys, values, status.values())
            | {
                name: None if isinstance(value, Unproved) else value
                for name, value in columns.items()
            }
            | {"unproved": "; ".join(dict.fromkeys(reasons))}
        )
    if not rows:
        nothing = statistics(Cell(frame, {}, [], []))
        head = _head(keys, [None] * len(keys), [])
        return _marked(_without_rows(head | nothing | {"unproved": ""}), proofs)
    return _marked(pd.DataFrame(rows), proofs)


def _marked(table, proofs):
    """The table, its columns of enclosures named as floating point where there are none."""
    if proofs is not None:
        return table
    return table.rename(columns={name.removesuffix("_float"): name for name in FLOATING})


def _head(keys, values, statuses):
    """The first columns of a row: what names it, and how many repetitions are certified."""
    others = [status for status in statuses if status != CERTIFIED]
    return dict(zip(keys, values, strict=True)) | {
        "repetitions": len(statuses),
        "certified": len(statuses) - len(others),
        "status": _counted(others),
    }


def _counted(words):
    """How often each of some words is there: 2 not unique, 1 undecided: ..."""
    counts = pd.Series(list(words), dtype=str).value_counts()
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _key(values):
    """Values of a group, comparable where an axis is absent."""
    return tuple(None if isinstance(v, float) and np.isnan(v) else v for v in values)


def _lookup(group):
    """(quantity, log10 alpha) -> repetition -> Interval, or the reason why there is none."""
    names = ["quantity", "log10_alpha", "repetition", "lower", "upper", "status"]
    rows = zip(*(group[name].tolist() for name in names), strict=True)
    result = {}
    for quantity, scale, repetition, lower, upper, status in rows:
        values = result.setdefault((quantity, None if np.isnan(scale) else scale), {})
        proved = status == PROVED
        reason = status.removeprefix("not proved: ")
        values[repetition] = Interval.of(lower, upper) if proved else reason
    return result


def agreement_table(frame, proofs):
    """Flow and plain flow against the limit: ||difference||_1 / ||n||_1, largest of a cell."""
    return _grouped(
        frame,
        [*PARAMETERS, "depth", "alpha", "form"],
        lambda group, certified: {
            "disagreement": certified["disagreement"].max(),
            # another processor can need a step more or less, of a few dozen: one digit says enough
            "steps": float(f"{certified['steps'].median():.1g}"),
        },
    )


def _largest(frame, keys, extra=()):
    """Each cell once: asked for with several numbers of repetitions, the largest has them all."""
    largest = frame.groupby(keys, dropna=False)["repetitions"].transform("max")
    frame = frame[frame["repetitions"] == largest]
    return frame.drop_duplicates([*keys, "repetition", *extra]).reset_index(drop=True)


def _grouped(frame, keys, statistics, instances=None, of=MEASURED):
    """One row for each combination of keys: statistics over its rows with a minimizer.

    With instances, a column that tells rows of one instance, repetitions are counted by it.

    Args:
        of: the statuses of the rows that statistics are over.
    """
    rows = []
    for values, group in frame.groupby(keys, dropna=False, sort=True):
        once = group.drop_duplicates([instances]) if instances else group
        measured = group[group["status"].isin(of)]
        rows.append(_head(keys, values, list(once["status"])) | statistics(group, measured))
    if not rows:
        return _without_rows(_head(keys, [None] * len(keys), []) | statistics(frame, frame))
    return pd.DataFrame(rows)


def _without_rows(row):
    """A table with the columns of a row, and no row."""
    return pd.DataFrame([row]).head(0)


def newton_table(frame, proofs):
    """Newton steps a point along the path, the way from its start included."""
    keys = [*PARAMETERS, "depth", "path"]
    frame = _largest(frame, keys, extra=["log10_alpha"])

    def statistics(group, certified):
        steps = certified["newton_steps"]
        return {
            "points": len(steps),
            "mean": steps.mean(),
            "median": steps.median(),
            "percentile_95": steps.quantile(0.95),
            "largest": steps.max(),
        }

    return _grouped(frame, keys, statistics, instances="repetition")


def errors_table(frame, proofs):
    """Errors at round scales and the slope at the smallest, in floating point."""
    keys = [*PARAMETERS, "depth", "path"]
    frame = _largest(frame, keys, extra=["log10_alpha"])

    def statistics(group, measured):
        scale = measured["log10_alpha"]
        result = {}
        for mark in MARKS:
            at = measured[np.isclose(scale, mark, rtol=1e-9, atol=1e-9)]
            result[f"float_error_{-mark:.0f}"] = _power(at["log10_error_1"].median())
        end = measured[np.isclose(scale, scale.min(), rtol=1e-9, atol=1e-9)]
        result["smallest_log10_alpha"] = float(f"{scale.min():.9g}")
        result["float_error_end"] = _power(end["log10_error_1"].median())
        result["float_slope"] = end["local_slope"].median()
        result["float_distance"] = end["estimation_error"].median()
        return result

    return _grouped(frame, keys, statistics, instances="repetition")


def tightness_table(frame, proofs):
    """Upper bound over error and error over lower bound, median and worst."""

    def statistics(group, certified):
        result = {"points": len(certified)}
        for norm in ("error_off", "error_1", "refined_off", "refined_1"):
            error = certified["log10_error_off" if norm.endswith("off") else "log10_error_1"]
            for side in ("upper", "lower"):
                sign = 1.0 if side == "upper" else -1.0
                logs = sign * (certified[f"log10_{norm}_{side}"] - error)
                finite = logs[np.isfinite(logs)]
                result[f"{norm}_{side}"] = _power(finite.median())
                result[f"{norm}_{side}_worst"] = _power(finite.max())
                result[f"{norm}_{side}_silent"] = len(logs) - len(finite)
        return result

    return _grouped(
        frame, [*PARAMETERS, "depth"], statistics, instances="repetition", of=[CERTIFIED]
    )


def _power(exponent):
    """10^exponent, or as text where a double does not hold it."""
    if np.isnan(exponent) or abs(exponent) < 300.0:
        return 10.0**exponent
    return f"10^{exponent:.0f}"


def descent_table(frame, proofs):
    """Gradient descent of a finite step against the flow's limit."""
    return _grouped(
        frame,
        [*PARAMETERS, "depth", "alpha", "fraction"],
        lambda group, certified: {
            "outcome": ", ".join(sorted(set(group["outcome"]))),
            "iterations": certified["iterations"].median(),
            "relative_loss": certified["relative_loss"].median(),
            "relative_step_distance": certified["relative_step_distance"].median(),
            "relative_distance": certified["relative_distance"].median(),
        },
        of=[CERTIFIED],
    )


def phase_table(frame, proofs):
    """Recovery and null space constants by N/d and s/N, over all repetitions."""

    def statistics(cell):
        of_all = dataclasses.replace(cell, repetitions=sorted(cell.all_repetitions))
        bracketed = dataclasses.replace(
            cell, repetitions=sorted(cell.proofs.get(("rho_tilde_lower", None), {}))
        )
        return {
            "recovered": of_all.proved(_share_below_one, "rho_planted"),
            "rho_planted": of_all.proved(median, "rho_planted"),
            "rho": cell.proved(median, "rho"),
            "rho_tilde_lower": bracketed.proved(median, "rho_tilde_lower"),
            "rho_tilde_upper": bracketed.proved(median, "rho_tilde_upper"),
            "order_lower": cell.rows["order_lower"].median(),
            "order_upper": cell.rows["order_upper"].median(),
        }

    return _proved_table(frame, proofs, ["ensemble", "N", "d", "s"], statistics)


def _share_below_one(constants):
    """Enclosure of the share of constants below 1: of the signals that are recovered."""
    sure = sum(constant.upper < 1 for constant in constants)
    possible = sum(constant.lower < 1 for constant in constants)
    return Interval.of(sure, possible) / len(constants)


TABLES = {
    "cells": cells_table,
    "rates": rates_table,
    "agreement": agreement_table,
    "far": far_table,
    "constants": constants_table,
    "newton": newton_table,
    "errors": errors_table,
    "tightness": tightness_table,
    "descent": descent_table,
    "phase": phase_table,
}

# tables whose numbers are over minimizers in floating point too, not over certified ones alone
OF_ALL_MEASURED = ("agreement", "newton", "errors")

# The numbers of these columns are floating point, not rounded from an enclosure.
DAGGER = r"$^\dagger$"
MARKDOWN_MINIMIZER = r"g\*"
FLOAT_NOTE = "floating point, not proved"
EXACT_NOTE = "other numbers are exact"
PROVED_NOTE = "other numbers are exact or rounded from proved enclosures"
NO_ROWS = "No row: no instance has the numbers of this table"
# status of an l1 minimizer g* -> what it says
STATUS_NOTES = {
    CERTIFIED: "it is proved that g* is an ℓ¹ minimizer and the only one",
    NOT_UNIQUE: "it is proved that g* is an ℓ¹ minimizer and that another exists",
    UNDECIDED: "neither was proved within the stated limits",
    SELECTED: "g* is the one of several minimizers that the flow selects, not proved",
    UNIQUE_IN_FLOATS: "g* is the only minimizer, not proved",
}


def digits_of(table):
    """The table as texts with all the digits it publishes; columns of floats named so."""
    text = {}
    for name, values in table.items():
        column = COLUMNS[name]
        texts = [
            value if isinstance(value, str) else _cell(value, column.kind, column.csv)
            for value in values
        ]
        marked = column.kind == FLOAT and not name.endswith("_float")
        text[f"{name}_float" if marked else name] = texts
    return pd.DataFrame(text)


def filled(table):
    """Names of the columns that a reader is shown: those that are not empty.

    A table without rows shows them all.
    """
    if table.empty:
        return list(table)
    empty = [name for name in table if table[name].isna().all() or (table[name] == "").all()]
    # the caption says it once
    one = [name for name in table if name == "path" and table[name].nunique() == 1]
    return [name for name in table if name not in empty + one]


def shown(table, latex):
    """The table as text for a reader, empty columns left out, numbers in their style."""
    text = {}
    for name in filled(table):
        column = COLUMNS[name]
        heading = column.latex if latex else column.heading
        if column.kind == FLOAT:
            heading += DAGGER if latex else " †"
        texts = [_cell(value, column.kind, column.style) for value in table[name]]
        text[heading] = [_in_latex(t) for t in texts] if latex else texts
    return pd.DataFrame(text)


def notes(table, kind):
    """What is said under a table, in sentences: of the marks and statuses that are in it.

    Args:
        table: as it was made; kind: its name.
    """
    kinds = {COLUMNS[name].kind for name in filled(table)}
    sentences = []
    if table.empty:
        return [f"{NO_ROWS}."]
    if FLOAT in kinds:
        sentences.append(f"† {FLOAT_NOTE}; {PROVED_NOTE if PROVED in kinds else EXACT_NOTE}.")
    found = " ".join(table["status"])
    for status, words in STATUS_NOTES.items():
        if status == CERTIFIED or status in found:
            sentences.append(f"{status[0].upper()}{status[1:]}: {words}.")
    if any(status in found for status in (SELECTED, UNIQUE_IN_FLOATS)):
        of_all = kind in OF_ALL_MEASURED
        among = "these and the certified ones" if of_all else "the certified ones alone"
        sentences.append(f"Numbers are over {among}.")
    return sentences


def _cell(value, kind, style):
    if isinstance(value, str):
        return readable(value)
    if value is None or (not isinstance(value, Interval) and pd.isna(value)):
        return ""
    if isinstance(value, Interval):
        return value.text(style)
    if kind == PROVED:
        raise TypeError(f"{value!r} has no enclosure")
    return format(int(value), "d") if style == "d" else float_text(value, style)


def _in_latex(text):
    """A cell as LaTeX writes it: powers in formulas, and no sign that it would take for its own."""
    number = re.fullmatch(r"(-?[\d.]+)e([+-]?\d+)", text)
    if number:
        return rf"${number[1]}\cdot 10^{{{int(number[2])}}}$"
    return re.sub(r"(10|alpha)\^(-?[\d.]*\d)", _power_in_latex, re.sub(r"([%#&_])", r"\\\1", text))


def _power_in_latex(power):
    base = power[1].replace("alpha", r"\alpha")
    return f"${base}^{{{power[2]}}}$"


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 14px sans-serif; margin: 1em }}
table {{ border-collapse: collapse }}
th, td {{ padding: 0.2em 0.7em; text-align: left; vertical-align: top }}
th {{ border-bottom: 1px solid; position: sticky; top: 0; background: white }}
tr:nth-child(even) {{ background: #f4f4f4 }}
</style>
</head>
<body>
{table}
</body>
</html>
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", choices=TABLES, required=True)
    parser.add_argument("--input", nargs="+", required=True, help="Parquet tables of its stage")
    parser.add_argument(
        "--certificates", nargs="*", default=[], help="Parquet tables of stage certificates"
    )
    parser.add_argument("--csv", required=True)
    parser.add_argument("--markdown", required=True)
    parser.add_argument("--latex", required=True)
    parser.add_argument("--html", required=True)
    parser.add_argument("--origin", required=True, help="the JSON file: how the table was made")
    parser.add_argument(
        "--configuration", type=json.loads, required=True, help="what it shows of it, as JSON"
    )
    args = parser.parse_args()

    # texts as Python has them: Arrow's functions take long to start, and the tables are small
    pd.options.mode.string_storage = "python"
    frame, proofs = (joined(paths) for paths in (args.input, args.certificates))
    table = TABLES[args.table](frame, proofs)
    note = " ".join(notes(table, args.table))
    write_text(args.csv, digits_of(table).to_csv(index=False, lineterminator="\n"))
    plain = shown(table, latex=False)
    markdown = plain.to_markdown(index=False, disable_numparse=True) + "\n"
    write_text(args.markdown, f"{markdown}\n{note.replace('g*', MARKDOWN_MINIMIZER)}\n")
    html = f"{plain.to_html(index=False, border=0)}\n<p>{note}</p>"
    write_text(args.html, PAGE.format(title=args.table, table=html))
    tabular = tabular_of(shown(table, latex=True))
    write_text(args.latex, f"{tabular}\n{_note_in_latex(note)}\n")
    write_origin(
        args.origin,
        [args.csv, args.markdown, args.latex, args.html],
        configuration=args.configuration,
    )


def _note_in_latex(note):
    signs = {"†": DAGGER, "g*": "$g^*$", "ℓ¹": r"$\ell^1$"}
    for sign, latex in signs.items():
        note = note.replace(sign, latex)
    return note


def tabular_of(table):
    """A table of LaTeX texts as an environment tabular; pandas would load Jinja for it."""
    head, *rows = (" & ".join(cells) + r" \\" for cells in [table.columns, *table.to_numpy()])
    lines = [rf"\begin{{tabular}}{{{'l' * table.shape[1]}}}", r"\toprule", head, r"\midrule", *rows]
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def joined(paths):
    """The Parquet tables one below the other; None if there are none."""
    frames = [read_table(path) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else None


if __name__ == "__main__":
    run(main, ("--csv", "--markdown", "--latex", "--html", "--origin"))
