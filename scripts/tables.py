"""Stage tables: one table for the reader, as CSV (all digits), Markdown and LaTeX."""

import argparse
from dataclasses import dataclass

import pandas as pd

from command_line import run
from implicit_l1.l1 import CERTIFIED
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
    "disagreement": Column("largest disagreement", "largest disagreement", ".1e"),
    "steps": Column("steps", "steps", ".0f"),
}


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
    # a cell may be asked for with several numbers of repetitions: the largest has them all
    largest = frame.groupby(keys, dropna=False)["repetitions"].transform("max")
    frame = frame[frame["repetitions"] == largest].drop_duplicates([*keys, "repetition"])
    return _grouped(
        frame,
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


def _grouped(frame, keys, statistics):
    rows = []
    for values, group in frame.groupby(keys, dropna=False, sort=True):
        certified = group[group["status"] == CERTIFIED]
        others = group.loc[group["status"] != CERTIFIED, "status"]
        rows.append(
            dict(zip(keys, values, strict=True))
            | {
                "repetitions": len(group),
                "certified": len(certified),
                "status": ", ".join(f"{n} {name}" for name, n in others.value_counts().items()),
            }
            | statistics(group, certified)
        )
    return pd.DataFrame(rows)


TABLES = {"cells": cells_table, "rates": rates_table, "agreement": agreement_table}


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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", choices=TABLES, required=True)
    parser.add_argument("--input", nargs="+", required=True, help="Parquet tables of its stage")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--markdown", required=True)
    parser.add_argument("--latex", required=True)
    args = parser.parse_args()

    frame = pd.concat([read_table(path) for path in args.input], ignore_index=True)
    table = TABLES[args.table](frame)
    write_text(args.csv, table.to_csv(index=False, lineterminator="\n"))
    markdown = shown(table, latex=False).to_markdown(index=False, disable_numparse=True)
    write_text(args.markdown, markdown + "\n")
    latex = shown(table, latex=True)
    write_text(
        args.latex,
        latex.style.hide(axis="index").to_latex(hrules=True, column_format="l" * latex.shape[1]),
    )


if __name__ == "__main__":
    run(main)
