"""Stage tables: one table for the reader, as CSV (all digits), Markdown, LaTeX and HTML."""

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from command_line import run
from implicit_l1.status import CERTIFIED
from implicit_l1.storage import read_table, write_text

PARAMETERS = ["ensemble", "N", "d", "s", "eta", "m", "family_rho"]


@dataclass(frozen=True)
class Column:
    """How a column of the data is shown.

    Attributes:
        heading: in Markdown; latex: in LaTeX.
        style: a format specification, applied to numbers.
    """

    heading: str
    latex: str
    style: str = "g"


COLUMNS = {
    "ensemble": Column("ensemble", "ensemble"),
    "N": Column("N", "$N$"),
    "d": Column("d", "$d$"),
    "s": Column("s", "$s$"),
    "eta": Column("η", r"$\eta$"),
    "m": Column("m", "$m$"),
    "family_rho": Column("ϱ of the family", r"$\varrho$ of the family"),
    "depth": Column("D", "$D$"),
    "alpha": Column("α", r"$\alpha$"),
    "path": Column("path", "path"),
    "form": Column("form", "form"),
    "repetitions": Column("repetitions", "repetitions", "d"),
    "certified": Column("certified unique", "certified unique", "d"),
    "status": Column("status of the others", "status of the others"),
    "support_size": Column("|S|", "$|S|$"),
    "rho": Column("ϱ", r"$\varrho$", ".4f"),
    "rho_smallest": Column("ϱ min", r"$\varrho$ min", ".4f"),
    "rho_largest": Column("ϱ max", r"$\varrho$ max", ".4f"),
    "rho_gap": Column("ϱ gap", r"$\varrho$ gap", ".0e"),
    "rho_tilde_lower": Column("ϱ~ ≥", r"$\tilde\varrho\ge$", ".4g"),
    "rho_tilde_upper": Column("ϱ~ ≤", r"$\tilde\varrho\le$", ".4g"),
    "rho_tilde_method": Column("ϱ~ by", r"$\tilde\varrho$ by"),
    "kappa": Column("κ", r"$\kappa$", ".3g"),
    "predicted_rate": Column("predicted rate", "predicted rate", ".4f"),
    "fitted_rate": Column("fitted rate", "fitted rate", ".4f"),
    "fitted_lower_quartile": Column("lower quartile", "lower quartile", ".4f"),
    "fitted_upper_quartile": Column("upper quartile", "upper quartile", ".4f"),
    "fitted_low": Column("interval from", "interval from", ".4f"),
    "fitted_high": Column("to", "to", ".4f"),
    "last_slope": Column("slope at the smallest α", r"slope at the smallest $\alpha$", ".4f"),
    "onset_alpha": Column("onset α", r"onset $\alpha$", ".2g"),
    "onset_reached": Column("onset reached", "onset reached", "d"),
    "smallest_log10_alpha": Column("smallest log₁₀ α", r"smallest $\log_{10}\alpha$", ".0f"),
    "worst": Column("worst difference", "worst difference", ".0e"),
    "four_digits": Column("4 digits reached", "4 digits reached", "d"),
    "four_digits_log10_alpha": Column("from log₁₀ α", r"from $\log_{10}\alpha$", ".0f"),
    "four_digits_last": Column("the last from", "the last from", ".0f"),
    "reason": Column("those that do not", "those that do not"),
    "constant": Column("constant", "constant", ".4g"),
    "measured_4": Column("error at 1e-4", "error at $10^{-4}$", ".3g"),
    "ratio_4": Column("ratio", "ratio", ".5g"),
    "measured_8": Column("error at 1e-8", "error at $10^{-8}$", ".3g"),
    "ratio_8": Column("ratio at 1e-8", "ratio at $10^{-8}$", ".5g"),
    "measured_12": Column("error at 1e-12", "error at $10^{-12}$", ".3g"),
    "ratio_12": Column("ratio at 1e-12", "ratio at $10^{-12}$", ".5g"),
    "end_log10_alpha": Column("far log₁₀ α", r"far $\log_{10}\alpha$", ".0f"),
    "ratio_end": Column("ratio there", "ratio there", ".7g"),
    "ratio_end_worst": Column("worst there", "worst there", ".7g"),
    "points": Column("points", "points", "d"),
    "mean": Column("mean steps", "mean steps", ".2f"),
    "median": Column("median", "median", ".0f"),
    "percentile_95": Column("95 %", r"95\,\%", ".0f"),
    "largest": Column("largest", "largest", ".0f"),
    "relative_residual": Column("residual", "residual", ".0e"),
    "fraction": Column("step / stable", "step / stable"),
    "outcome": Column("outcome", "outcome"),
    "iterations": Column("iterations", "iterations", ".0f"),
    "relative_loss": Column("loss / initial loss", "loss / initial loss", ".0e"),
    "relative_step_distance": Column("distance by the step", "distance by the step", ".3g"),
    "relative_distance": Column("distance in all", "distance in all", ".3g"),
    "recovered": Column("x₀ recovered", "$x_0$ recovered", ".2f"),
    "rho_planted": Column("ϱ of x₀", r"$\varrho$ of $x_0$", ".3f"),
    "order_lower": Column("order s ≥", r"order $s\ge$", ".3g"),
    "order_upper": Column("order s ≤", r"order $s\le$", ".3g"),
    "disagreement": Column("largest disagreement", "largest disagreement", ".1e"),
    "steps": Column("steps", "steps", ".0f"),
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
            COLUMNS[f"{_norm}_{_side}{_key}"] = Column(
                f"{_words} {_quotient}{_kind}", f"{_latex} {_quotient}{_kind}", _style
            )


def cells_table(frame):
    """Parameters and statistics of the problems; medians over certified repetitions."""
    frame = frame.drop_duplicates([*PARAMETERS, "repetition"])
    return _grouped(
        frame,
        PARAMETERS,
        lambda group, certified: {
            "support_size": certified["support_size"].median(),
            "rho": certified["rho_upper"].median(),
            "rho_smallest": certified["rho_upper"].min(),
            "rho_largest": certified["rho_upper"].max(),
            "rho_gap": (certified["rho_upper"] - certified["rho_lower"]).abs().max(),
            "rho_tilde_lower": certified["rho_tilde_lower"].median(),
            "rho_tilde_upper": certified["rho_tilde_upper"].median(),
            "rho_tilde_method": ", ".join(sorted(set(group["rho_tilde_method"]))),
            "kappa": certified["kappa"].median(),
        },
    )


def rates_table(frame):
    """Fitted against predicted rates; medians over certified repetitions."""
    keys = [*PARAMETERS, "depth", "path"]
    return _grouped(
        _largest(frame, keys),
        keys,
        lambda group, certified: {
            "predicted_rate": certified["predicted_rate"].median(),
            "fitted_rate": certified["fitted_rate"].median(),
            "fitted_lower_quartile": certified["fitted_rate"].quantile(0.25),
            "fitted_upper_quartile": certified["fitted_rate"].quantile(0.75),
            "fitted_low": certified["fitted_rate_low"].median(),
            "fitted_high": certified["fitted_rate_high"].median(),
            "last_slope": certified["last_slope"].median(),
            "onset_alpha": certified["onset_alpha"].median(),
            "onset_reached": int(certified["onset_alpha"].notna().sum()),
        },
    )


def agreement_table(frame):
    """Flow and plain flow against the limit: ||difference||_1 / ||n||_1, largest of a cell."""
    return _grouped(
        frame,
        [*PARAMETERS, "depth", "alpha", "form"],
        lambda group, certified: {
            "disagreement": certified["disagreement"].max(),
            "steps": certified["steps"].median(),
        },
    )


def _largest(frame, keys, extra=()):
    """Each cell once: asked for with several numbers of repetitions, the largest has them all."""
    largest = frame.groupby(keys, dropna=False)["repetitions"].transform("max")
    frame = frame[frame["repetitions"] == largest]
    return frame.drop_duplicates([*keys, "repetition", *extra]).reset_index(drop=True)


def _grouped(frame, keys, statistics, instances=None):
    """One row for each combination of keys: statistics over its certified rows.

    With instances, a column that tells rows of one instance, repetitions are counted by it.
    """
    rows = []
    for values, group in frame.groupby(keys, dropna=False, sort=True):
        certified = group[group["status"] == CERTIFIED]
        once = group.drop_duplicates([instances]) if instances else group
        others = once.loc[once["status"] != CERTIFIED, "status"]
        rows.append(
            dict(zip(keys, values, strict=True))
            | {
                "repetitions": len(once),
                "certified": len(once) - len(others),
                "status": ", ".join(f"{n} {name}" for name, n in others.value_counts().items()),
            }
            | statistics(group, certified)
        )
    return pd.DataFrame(rows)


def far_table(frame):
    """Local slopes far down the path, and the scale below which four digits are right."""
    return _grouped(
        _largest(frame, [*PARAMETERS, "depth", "path"]),
        [*PARAMETERS, "depth", "path"],
        lambda group, certified: {
            "smallest_log10_alpha": certified["smallest_log10_alpha"].min(),
            "predicted_rate": certified["predicted_rate"].median(),
            "last_slope": certified["last_slope"].median(),
            "worst": (certified["last_slope"] - certified["predicted_rate"]).abs().max(),
            "four_digits": int(certified["four_digits_log10_alpha"].notna().sum()),
            "four_digits_log10_alpha": certified["four_digits_log10_alpha"].median(),
            "four_digits_last": certified["four_digits_log10_alpha"].min(),
            "reason": "; ".join(_reason(row) for row in _unfinished(certified).itertuples()),
        },
    )


def _unfinished(certified):
    return certified[certified["four_digits_log10_alpha"].isna()]


def _reason(row):
    """Why an instance is not in its asymptotic regime at the smallest scale of its path."""
    if np.isnan(row.log10_competitor):
        return f"repetition {row.repetition}: {row.asymptotics_status}"
    return (
        f"repetition {row.repetition}: slope {row.last_slope:.5f} for {row.predicted_rate:.5f}; "
        f"an entry of higher order is still 10^{row.log10_competitor:.2g} times the leading one"
    )


# where the table of constants compares; the far regime is the end of each path
MARKS = (-4.0, -8.0, -12.0)


def constants_table(frame):
    """Error over its first-order prediction, at round scales and at the end of the path."""
    keys = [*PARAMETERS, "depth"]
    frame = _largest(frame, [*keys, "path"], extra=["log10_alpha"])
    frame["ratio"] = 10.0 ** (frame["log10_error_1"] - frame["log10_prediction"])
    smallest = frame.groupby(keys, dropna=False)["log10_alpha"].transform("min")

    def statistics(group, certified):
        constant = certified["log10_prediction"] - certified["log10_alpha"] * certified["rate"]
        result = {"constant": (10.0**constant).median()}
        for mark in MARKS:
            at = certified[np.isclose(certified["log10_alpha"], mark, atol=1e-6)]
            result[f"measured_{-mark:.0f}"] = 10.0 ** at["log10_error_1"].median()
            result[f"ratio_{-mark:.0f}"] = at["ratio"].median()
        end = certified[certified["log10_alpha"] == smallest[certified.index]]
        result["end_log10_alpha"] = end["log10_alpha"].min()
        result["ratio_end"] = end["ratio"].median()
        result["ratio_end_worst"] = end["ratio"].loc[(end["ratio"] - 1.0).abs().idxmax()]
        return result

    known = frame[frame["log10_prediction"].notna() & np.isfinite(frame["log10_error_1"])]
    return _grouped(known, keys, statistics, instances="repetition")


def newton_table(frame):
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
            "relative_residual": certified["relative_residual"].max(),
        }

    return _grouped(frame, keys, statistics, instances="repetition")


def tightness_table(frame):
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

    return _grouped(frame, [*PARAMETERS, "depth"], statistics, instances="repetition")


def _power(exponent):
    """10^exponent, or as text where a double does not hold it."""
    if np.isnan(exponent) or abs(exponent) < 300.0:
        return 10.0**exponent
    return f"10^{exponent:.0f}"


def descent_table(frame):
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
    )


def phase_table(frame):
    """Recovery and null space constants by N/d and s/N."""
    rows = []
    for (ensemble, d, N, s), group in frame.groupby(["ensemble", "d", "N", "s"]):
        rows.append(
            {
                "ensemble": ensemble,
                "N": N,
                "d": d,
                "s": s,
                "repetitions": len(group),
                "certified": int((group["status"] == CERTIFIED).sum()),
                "recovered": group["recovered"].mean(),
                "rho_planted": group["rho_planted"].median(),
                "rho": group["rho_upper"].median(),
                "rho_tilde_lower": group["rho_tilde_lower"].median(),
                "rho_tilde_upper": group["rho_tilde_upper"].median(),
                "order_lower": group["order_lower"].median(),
                "order_upper": group["order_upper"].median(),
            }
        )
    return pd.DataFrame(rows)


TABLES = {
    "cells": cells_table,
    "rates": rates_table,
    "agreement": agreement_table,
    "far": far_table,
    "constants": constants_table,
    "newton": newton_table,
    "tightness": tightness_table,
    "descent": descent_table,
    "phase": phase_table,
}


def shown(table, latex):
    """The table as text, empty columns left out, numbers in their style."""
    text = {}
    for name, values in table.items():
        if values.isna().all() or (values == "").all():
            continue
        if name == "path" and values.nunique() == 1:  # the caption says it once
            continue
        column = COLUMNS[name]
        text[column.latex if latex else column.heading] = [
            _number(value, column.style, latex) for value in values
        ]
    return pd.DataFrame(text)


def _number(value, style, latex):
    if isinstance(value, str):
        return value.replace("_", " ")
    if pd.isna(value):
        return ""
    text = format(int(value) if style == "d" else value, style)
    if latex and "e" in text:
        mantissa, exponent = text.split("e")
        return rf"${mantissa}\cdot 10^{{{int(exponent)}}}$"
    return text


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
    parser.add_argument("--csv", required=True)
    parser.add_argument("--markdown", required=True)
    parser.add_argument("--latex", required=True)
    parser.add_argument("--html", required=True)
    args = parser.parse_args()

    frame = pd.concat([read_table(path) for path in args.input], ignore_index=True)
    table = TABLES[args.table](frame)
    write_text(args.csv, table.to_csv(index=False, lineterminator="\n"))
    plain = shown(table, latex=False)
    write_text(args.markdown, plain.to_markdown(index=False, disable_numparse=True) + "\n")
    write_text(args.html, PAGE.format(title=args.table, table=plain.to_html(index=False, border=0)))
    latex = shown(table, latex=True)
    write_text(
        args.latex,
        latex.style.hide(axis="index").to_latex(hrules=True, column_format="l" * latex.shape[1]),
    )


if __name__ == "__main__":
    run(main)
