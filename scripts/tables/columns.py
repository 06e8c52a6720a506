"""The columns of all tables: what a reader is told of each, and in how many digits.

A number is exact (a parameter, a count), rounded from a proved enclosure, or floating point;
columns of the third kind are marked, "_float" in the CSV file and a dagger elsewhere.  Where
nothing was to be proved, the columns of the second kind hold floating-point numbers, so marked.
No number has a unit: errors are in the units of the data, everything else is a ratio.
"""

from dataclasses import dataclass

from implicit_l1.status import PROVED

EXACT, FLOAT = "exact", "floating point"
# the form of words
TEXT = "s"

# what names the rows: of a problem, of its network, of a path of scales
PROBLEM = ["ensemble", "N", "d", "s", "eta", "m", "family_rho"]
NETWORK = [*PROBLEM, "initialization", "depth"]
PATH = [*NETWORK, "path"]


@dataclass(frozen=True)
class Column:
    """How a column is shown.

    Attributes:
        heading: its name for a reader.
        form: a format specification of its numbers; TEXT of words.
        source: EXACT (names, parameters, counts), PROVED (rounded from an enclosure) or FLOAT.
        csv: the format specification in the CSV file.
        meaning: a sentence for under the table, where the heading alone does not say it.
    """

    heading: str
    form: str
    source: str
    csv: str
    meaning: str = ""


def text(heading: str) -> Column:
    """A column of words."""
    return Column(heading, TEXT, EXACT, TEXT)


def exact(heading: str, form: str = "g") -> Column:
    """A column of parameters or counts."""
    return Column(heading, form, EXACT, ".12g")


def proved(heading: str, form: str, csv: str = ".10g", meaning: str = "") -> Column:
    """A column of enclosures."""
    return Column(heading, form, PROVED, csv, meaning)


def floating(heading: str, form: str, csv: str | None = None, meaning: str = "") -> Column:
    """A column of floats; its CSV shows no digits that differ from machine to machine."""
    return Column(heading, form, FLOAT, csv or form, meaning)


# of table deeper, of planted signals as of held-out rows
ERROR_MEANING = (
    "Error: the distance to x₀; where x₀ is not known, what is missed on rows that were held out, "
    "relative to y there; the median over the repetitions"
)
RATIO_MEANING = (
    "Ratio: the median over the repetitions of (error at D) / (error at D = 2), with an interval"
)


def _six_digits(form):
    """A form of the CSV file with no more digits than floats have in common between machines."""
    return f".{min(int(form[1:-1]), 6)}{form[-1]}"


COLUMNS = {
    "ensemble": text("ensemble"),
    "N": exact("N"),
    "d": exact("d"),
    "s": exact("s"),
    "eta": exact("η"),
    "m": exact("m"),
    "family_rho": exact("ϱ of the family"),
    "initialization": text("initialization"),
    "depth": exact("D"),
    "alpha": exact("α"),
    "path": text("path"),
    "form": text("form"),
    "repetitions": exact("repetitions", "d"),
    "certified": exact("certified unique", "d"),
    "status": text("status of the others"),
    "unproved": text("not proved"),
    "support_size": exact("|S|"),
    "rho": proved("ϱ", ".4f", ".10f"),
    "rho_smallest": proved("ϱ min", ".4f", ".10f"),
    "rho_largest": proved("ϱ max", ".4f", ".10f"),
    "rho_tilde_lower": proved("ϱ~ ≥", ".4g"),
    "rho_tilde_upper": proved("ϱ~ ≤", ".4g"),
    "rho_tilde_method": text("ϱ~ by"),
    "kappa": proved("κ", ".3g"),
    "data": text("y"),
    "predicted_rate": proved("predicted rate", ".4f", ".10f"),
    "fitted_rate": proved("fitted rate", ".4f", ".10f"),
    "fitted_lower_quartile": proved("lower quartile", ".4f", ".10f"),
    "fitted_upper_quartile": proved("upper quartile", ".4f", ".10f"),
    "fitted_low": proved("interval from", ".4f", ".10f"),
    "fitted_high": proved("to", ".4f", ".10f"),
    "last_slope": proved("slope at the smallest α", ".4f", ".10f"),
    "onset_alpha": proved("onset α", ".2g"),
    "onset_reached": proved("onset reached", ".0f", ".0f"),
    "smallest_log10_alpha": exact("smallest log₁₀ α", ".0f"),
    "worst": proved("worst difference", ".6f", ".10f"),
    "four_digits": proved("4 digits reached", ".0f", ".0f"),
    "four_digits_log10_alpha": proved("from log₁₀ α", ".0f"),
    "four_digits_last": proved("the last from", ".0f"),
    "reason": floating("those that do not", TEXT),
    "constant": proved("constant", ".4g"),
    "measured_4": proved("error at 1e-4", ".3g"),
    "ratio_4": proved("ratio", ".5g"),
    "measured_8": proved("error at 1e-8", ".3g"),
    "ratio_8": proved("ratio at 1e-8", ".5g"),
    "measured_12": proved("error at 1e-12", ".3g"),
    "ratio_12": proved("ratio at 1e-12", ".5g"),
    "end_log10_alpha": exact("far log₁₀ α", ".0f"),
    "ratio_end": proved("ratio there", ".7g"),
    "ratio_end_worst": proved("worst there", ".7g"),
    "float_error_4": floating("error at 1e-4", ".3g", ".6g"),
    "float_error_8": floating("error at 1e-8", ".3g", ".6g"),
    "float_error_12": floating("error at 1e-12", ".3g", ".6g"),
    "float_error_end": floating("error there", ".3g", ".6g"),
    "float_slope": floating("slope there", ".4f", ".6f"),
    "float_distance": floating("distance to x₀ there", ".3g", ".6g"),
    "points": exact("points", "d"),
    "mean": floating("mean steps", ".1f"),
    "median": floating("median", ".0f"),
    "percentile_95": floating("95 %", ".0f"),
    "largest": floating("largest", ".0f"),
    "fraction": exact("step / stable"),
    "outcome": floating("outcome", TEXT),
    "iterations": floating("iterations", ".0f"),
    "relative_loss": floating("loss / initial loss", ".0e"),
    "relative_step_distance": floating("distance by the step", ".3g"),
    "relative_distance": floating("distance in all", ".3g"),
    "recovered": proved("x₀ recovered", ".2f", ".6f"),
    "rho_planted": proved("ϱ of x₀", ".3f"),
    "instances": exact("instances", "d"),
    "undecided": exact("undecided", "d"),
    "recovered_signals": exact("recovered", "d"),
    "half": proved("s/N of 50 %", ".4f", ".8f"),
    "half_lower": proved("interval of it from", ".4f", ".8f"),
    "half_upper": proved("to", ".4f", ".8f"),
    "threshold": proved("weak threshold", ".4f", ".8f"),
    "order_lower": proved("order s ≥", ".3g", ".6g"),
    "order_upper": proved("order s ≤", ".3g", ".6g"),
    "distance_two": proved("error at D = 2", ".3g", meaning=ERROR_MEANING),
    "distance": proved("error at D", ".3g"),
    "distance_ratio": proved("ratio", ".3f", ".10f", RATIO_MEANING),
    "distance_ratio_low": proved("interval from", ".3f", ".10f"),
    "distance_ratio_high": proved("to", ".3f", ".10f"),
    "nearer": proved("D errs less in", ".0f", ".0f"),
    # words that enclosures decide, or floats in their place
    "nearest": Column("who errs less", TEXT, PROVED, TEXT),
    "nearest_float": floating("who errs less", TEXT),
    # an upper bound, or why there is none, or both
    "proved_disagreement": Column("proved below", TEXT, PROVED, TEXT),
    "disagreement": floating("largest disagreement", ".1e"),
    "steps": floating("steps, about", ".0f"),
}

# the bounds of table tightness, by the error that each is of
NORMS = {
    "error_off": "‖n off S‖₁",
    "error_1": "‖n‖₁",
    "refined_off": "‖n off S‖₁ refined",
    "refined_1": "‖n‖₁ refined",
}
for _norm, _words in NORMS.items():
    for _side, _quotient in (("upper", "upper/error"), ("lower", "error/lower")):
        _name, _heading = f"{_norm}_{_side}", f"{_words} {_quotient}"
        COLUMNS[_name] = proved(_heading, ".3g", ".3g")
        COLUMNS[f"{_name}_worst"] = proved(f"{_heading} worst", ".3g", ".3g")
        COLUMNS[f"{_name}_silent"] = proved(f"{_heading} silent", ".0f", ".0f")

# a column of enclosures -> that in its place, where it was not to be proved
IN_FLOATS = {
    name: f"{name}_float"
    for name, column in COLUMNS.items()
    if column.source == PROVED and column.form != TEXT
}
COLUMNS |= {
    floats: floating(one.heading, one.form, _six_digits(one.csv), one.meaning)
    for floats, one in ((floats, COLUMNS[name]) for name, floats in IN_FLOATS.items())
}
