"""Target benchmark: what its parts have measured, on one page, with a figure and the machine.

Reads the CSV files of the parts that lie in one folder, and writes into it.  A part that was not
measured is left out, and said to be.
"""

import argparse
import json
import os
import platform
from collections import namedtuple
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import psutil
from matplotlib.figure import Figure
from threadpoolctl import threadpool_info

from benchmark.comparison import OURS
from benchmark.ratios import (
    CELL,
    FLOW_REACHED,
    STEP_RATIO,
    TEXTBOOK,
    TIMES_FASTER,
    fastest,
    fastest_peers,
    grouped,
)
from pipeline.command_line import Failure, run
from pipeline.machine import processor
from pipeline.storage import replacing, write_text

LIMIT, FLOW, MINIMIZER = "limit", "flow", "l1"
NEWTON, PROFILE = "newton", "newton_profile"
GROWTH, EXPONENTS = "growth", "exponents"
PIPELINE, SUMMARY = "pipeline", "pipeline_summary"

# so many columns of times stand beside each other
WIDE = 7
# a longer status is a note below the table
SHORT_STATUS = 16

# what is aimed at
EXPONENT_SLACK = 0.1
GRID, GRID_CORES, GRID_SECONDS, ARITHMETIC_SHARE = "config/config.yaml", 2, 90, 0.5

PACKAGES = (
    *("numpy", "scipy", "cvxpy", "clarabel", "scs", "highspy", "osqp", "spgl1", "scikit-learn"),
    *("jax", "jaxlib", "diffrax", "python-flint", "pandas", "snakemake"),
)

PAGE_WIDTH = 6.9
# inches of the figure: of a row of a panel, and of what is above and below the rows
ROW, FRAME = 0.135, 0.5
DIGITS = 16

Aim = namedtuple("Aim", "part aim measured met")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, help="with <part>.csv of each part")
    parser.add_argument("--style", required=True, help="a matplotlib style sheet")
    parser.add_argument("--markdown", required=True)
    parser.add_argument("--machine", required=True, help="JSON file that describes the machine")
    parser.add_argument("--output", nargs="+", required=True, help="files in .pdf, .svg or .png")
    args = parser.parse_args()

    tables = {name: read(Path(args.folder) / f"{name}.csv") for name in NAMES}
    if all(table is None for table in tables.values()):
        raise Failure(f"{args.folder} holds no measurements")
    here = machine()
    write_text(args.machine, json.dumps(here, indent=2, ensure_ascii=False) + "\n")
    write_text(args.markdown, page(tables, here))
    if tables[LIMIT] is not None:
        mpl.use("agg")
        mpl.rcdefaults()  # no settings of the user's own
        plt.style.use(args.style)
        figure = drawing(tables[LIMIT])
        for path in args.output:
            with replacing(path) as temporary:
                figure.savefig(temporary)


def read(path: Path) -> pd.DataFrame | None:
    """The table of a part, None if there is none."""
    if not path.is_file():
        return None
    table = pd.read_csv(path)
    if "ours" in table:
        table["ours"] = table["ours"].astype(str).str.lower().isin(["true", "yes", "1"])
        table["status"] = table["status"].astype(object).fillna("")
    return table


def machine() -> dict:
    """What the measurements were made on."""
    libraries = {
        " ".join(filter(None, (pool["internal_api"], pool["version"], pool.get("architecture"))))
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "blas": sorted(libraries),
        "threads": 1,
        "packages": packages,
    }


# --- words ---


def duration(seconds: float, *others: float, digits: int = 3) -> str:
    """A time in a fitting unit; others follow in the same unit, in parentheses."""
    unit, word = next(
        ((unit, word) for unit, word in ((1.0, "s"), (1e-3, "ms")) if seconds >= unit),
        (1e-6, "µs"),
    )
    values = [
        f"{value:.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"
        for value in (time / unit for time in (seconds, *others))
    ]
    return f"{values[0]} {word}" + (f" ({'–'.join(values[1:])})" if others else "")


def time_of(row: Any) -> str:
    """The median of a contestant's runs, and its spread if there are several."""
    return duration(row.seconds, *((row.fastest, row.slowest) if row.runs > 1 else ()))


def factor(value: float) -> str:
    """A ratio of times."""
    return f"×{value:,.0f}" if value >= 10 else f"×{value:.2g}"


def small(value: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.0e}" if value else "0"


def power(log10_alpha: float) -> str:
    return f"10<sup>{log10_alpha:g}</sup>".replace("-", "−")


def cell_words(cell: dict) -> str:
    """A cell, given by its columns, in words."""
    names = {"eta": "η", "depth": "D", "log10_alpha": "log₁₀α"}
    return ", ".join(
        f"{names.get(key, key)} = {value:g}" if not isinstance(value, str) else value
        for key, value in cell.items()
    )


def markdown(rows: Any, columns: Sequence[str] | None = None) -> str:
    table = pd.DataFrame(rows, columns=columns).astype(str)
    table = table.map(lambda text: text.replace("|", "\\|"))
    return table.to_markdown(index=False, disable_numparse=True)


class Notes:
    """Texts too long for a table, numbered."""

    def __init__(self):
        self.texts = []

    def status(self, text: str) -> str:
        """The status of a run that gave nothing, as it stands in a table."""
        if len(text) <= SHORT_STATUS:
            return text or "–"
        if text not in self.texts:
            self.texts.append(text)
        return f"fails [{self.texts.index(text) + 1}]"

    def __str__(self):
        return "\n".join(f"[{place}] {text}  " for place, text in enumerate(self.texts, start=1))


def settings(table: pd.DataFrame) -> str:
    """What the contestants of a part are."""
    return markdown(
        table.drop_duplicates("contestant")[["contestant", "settings", "versions"]].fillna("")
    )


# --- the limit point ---


def limit_part(table: pd.DataFrame) -> tuple[str, list]:
    notes = Notes()
    wide = []
    for cell, rows in grouped(table, [*CELL, "depth"]):
        wide.append(f"### {cell_words(cell)}")
        scales = sorted(rows["log10_alpha"].unique(), reverse=True)
        for first in range(0, len(scales), WIDE):
            wide.append(times_and_errors(rows, scales[first : first + WIDE], notes))
    ratios = fastest_peers(table)
    packaged = fastest_peers(table[table["contestant"] != TEXTBOOK])
    return (
        f"""## 1. The limit point at one scale

Who reaches which accuracy, and at what cost. `error` is the relative error of
‖x<sup>∞</sup>(α) − g\\*‖₁ against an enclosure of it; times are medians of a call with one thread
(fastest–slowest).

![Correct digits and times of all contestants against alpha](benchmark.png)

*The largest problem. The darker, the more digits of the error are right; slow: past the limit of
time; fails: says so, or gives no numbers.*

{settings(table)}

## 1a. The fastest peer for an accuracy, and its time over ours

The fastest peer whose measured error is at most that of the column, and its time over that of
ours: {" · ".join(ours_of(table))}. — : no peer reaches it. Bold: the peer is better. The aim is
×{TIMES_FASTER}.

All peers:

{reach_summary(ratios)}

All but {TEXTBOOK}, which is no package but written for this comparison:

{reach_summary(packaged)}

{better_peers(table, ratios)}

{reach_tables(ratios)}

## 1b. All times and errors

{chr(10).join(f"{text}{chr(10)}" for text in wide)}
{notes}""",
        [*reach_aims(ratios, "peers"), *reach_aims(packaged, "packages")],
    )


def ours_of(table: pd.DataFrame) -> list[str]:
    """The names of this project's contestants."""
    return [name.removeprefix(OURS) for name in table.loc[table["ours"], "contestant"].unique()]


def times_and_errors(rows: pd.DataFrame, scales: list, notes: Notes) -> str:
    """Contestants against scales: time, and below it the error or why there is none."""
    lines = []
    for contestant, own in rows.groupby("contestant", sort=False):
        line = {"contestant": contestant}
        for scale in scales:
            found = own[own["log10_alpha"] == scale]
            line[f"α = {power(scale)}"] = outcome(found.iloc[0], notes) if len(found) else ""
        lines.append(line)
    return markdown(lines)


def outcome(row: Any, notes: Notes) -> str:
    if pd.isna(row.error):
        return notes.status(row.status)
    return f"{time_of(row)}<br>{small(row.error)}"


def own_columns(ratios: pd.DataFrame) -> list[str]:
    return list(ratios.columns[ratios.columns.get_loc("peer") + 1 :])


def reach_summary(ratios: pd.DataFrame) -> str:
    """How often a peer reaches an accuracy, and how its times compare."""
    lines = []
    for error, rows in ratios.groupby("accuracy", sort=False):
        line = {"accuracy": small(error), "reached": f"{rows['peer'].notna().sum()} of {len(rows)}"}
        for name in own_columns(ratios):
            values = rows[name].dropna()
            both = (factor(values.min()), factor(values.median())) if len(values) else ()
            line[f"over {name}: least, median"] = ", ".join(both) or "—"
        lines.append(line)
    return markdown(lines)


def reach_tables(ratios: pd.DataFrame) -> str:
    texts = []
    for cell, rows in grouped(ratios, CELL):
        lines = []
        for where, group in grouped(rows, ["depth", "log10_alpha"]):
            line = {"D": f"{where['depth']:g}", "α": power(where["log10_alpha"])}
            for row in group.to_dict("records"):
                line[f"error ≤ {small(row['accuracy'])}"] = peer_words(row, own_columns(ratios))
            lines.append(line)
        texts.append(f"### {cell_words(cell)}\n\n{markdown(lines)}\n")
    return "\n".join(texts)


def peer_words(row: pd.Series, names: list[str]) -> str:
    if pd.isna(row["peer"]):
        return "—"
    values = ["ours does not" if pd.isna(row[name]) else factor(row[name]) for name in names]
    words = [
        f"**{text}**" if not row[name] >= 1.0 else text
        for name, text in zip(names, values, strict=True)
    ]
    return f"{row['peer']}<br>{' · '.join(words)}"


def better_peers(table: pd.DataFrame, ratios: pd.DataFrame) -> str:
    """Where a peer is better than ours, said plainly."""
    lines = []
    known = ratios[ratios["peer"].notna()]
    for cell, rows in grouped(known, [*CELL, "depth", "peer"]):
        # of several accuracies at a scale the strictest is last
        for name in own_columns(ratios):
            faster = rows[rows[name] < 1.0].drop_duplicates("log10_alpha", keep="last")
            if len(faster):
                scales = ", ".join(
                    f"{power(row['log10_alpha'])} (error ≤ {small(row['accuracy'])}, "
                    f"{factor(row[name])})"
                    for row in faster.to_dict("records")
                )
                lines.append(f"- {cell_words(cell)} is faster than {name} at α = {scales}.")
            missed = rows[rows[name].isna()]
            if len(missed):
                scales = ", ".join(
                    f"{power(row['log10_alpha'])} ({small(row['accuracy'])})"
                    for row in missed.to_dict("records")
                )
                lines.append(f"- {cell_words(cell)} reaches what {name} does not at α = {scales}.")
    if lines:
        text = "**Where a peer is better:**\n\n" + "\n".join(lines)
    else:
        text = "Nowhere does a peer reach one of these accuracies sooner than ours."
    keys = [*CELL, "depth", "log10_alpha"]
    errors = table.groupby([*keys, "ours"])["error"].min().unstack()
    more = errors[errors.get(False, np.nan) < errors[True]]
    if more.empty:
        return f"{text}\n\nNowhere is the error of a peer smaller than that of ours."
    return (
        f"{text}\n\nIn {len(more)} of {len(errors)} cells the error of some peer is smaller than "
        f"that of ours, which is at most {small(more[True].max())} there."
    )


def reach_aims(ratios: pd.DataFrame, who: str) -> list:
    aims = []
    for name in own_columns(ratios):
        values = ratios[name].dropna()
        if values.empty:
            continue
        count = (values >= TIMES_FASTER).sum()
        aims.append(
            Aim(
                "1",
                f"{who} take {factor(TIMES_FASTER)} the time of {name}, or do not get there",
                f"least {factor(values.min())}; in {count} of {len(values)} cases where one does",
                count == len(values),
            )
        )
    return aims


# --- the flow ---


def flow_part(table: pd.DataFrame) -> tuple[str, list]:
    # what is reached is reached on the way and at the end
    table = table.assign(
        end_error=table["error"], error=table[["error", "times_error"]].max(axis=1)
    )
    lines, notes = [], Notes()
    for cell, rows in grouped(table, [*CELL, "depth", "log10_alpha"]):
        ours = fastest(rows[rows["ours"]], FLOW_REACHED)
        for contestant, own in rows.groupby("contestant", sort=False):
            found = fastest(own, FLOW_REACHED)
            line = {
                "N, d, s": f"{cell['N']}, {cell['d']}, {cell['s']}",
                "η": f"{cell['eta']:g}",
                "D": f"{cell['depth']:g}",
                "α": power(cell["log10_alpha"]),
                "contestant": contestant,
            }
            reached = found is not None
            if not reached:
                own = own.dropna(subset="error").sort_values("error")
                found = own.iloc[0] if len(own) else None
            if found is None:
                status = rows.loc[rows["contestant"] == contestant, "status"].iloc[0]
                lines.append(line | {"time": notes.status(status)})
                continue
            over = "not reached"
            if ours is not None and reached:
                over = factor(found.seconds / ours.seconds)
            lines.append(
                line
                | {
                    "rtol": small(found.rtol),
                    "time": time_of(found),
                    "error at the end": small(found.end_error),
                    "on the way": small(found.times_error),
                    "over ours": over,
                }
            )
    return (
        f"""## 2. The flow

Of each contestant the fastest setting that reaches a measured error of {small(FLOW_REACHED)}, and
its time over the fastest of ours; where none does, the most accurate.

{settings(table)}

{markdown(pd.DataFrame(lines).fillna(""))}

{notes}""",
        [],
    )


# --- minimizer and constant ---


def minimizer_part(table: pd.DataFrame) -> tuple[str, list]:
    lines, notes = [], Notes()
    inner = "over_programs" if "over_programs" in table else None
    for cell, rows in grouped(table, [*CELL, "problem"]):
        ours = rows[rows["ours"]].iloc[0].seconds
        for row in rows.itertuples():
            line = {
                "N, d, s": f"{cell['N']}, {cell['d']}, {cell['s']}",
                "η": f"{cell['eta']:g}",
                "problem": cell["problem"],
                "contestant": row.contestant,
            }
            if pd.isna(row.error):
                lines.append(line | {"time": notes.status(row.status)})
                continue
            lines.append(
                line
                | {
                    "time": time_of(row),
                    "distance": small(row.error),
                    "infeasibility": small(row.infeasibility),
                    "over ours": factor(row.seconds / ours),
                }
            )
            if inner and not pd.isna(getattr(row, inner)):
                lines[-1]["stage over its programs"] = factor(getattr(row, inner))
    return (
        f"""## 3. The l1 minimizer, and the constant ϱ

`distance` is ‖x − g\\*‖₁ or the distance to ϱ, against enclosures; times over the first of ours.

{settings(table)}

{markdown(pd.DataFrame(lines).fillna(""))}

{notes}""",
        [],
    )


# --- where time goes ---


def newton_part(table: pd.DataFrame, profile: pd.DataFrame) -> tuple[str, list]:
    lines = [
        {
            "N, d, s": f"{row.N}, {row.d}, {row.s}",
            "η": f"{row.eta:g}",
            "D": f"{row.depth:g}",
            "steps": row.steps,
            "factorizations": row.factorizations,
            "path": time_of(row),
            "product": duration(row.product_seconds),
            "Cholesky": duration(row.cholesky_seconds),
            "other BLAS": duration(row.other_blas_seconds),
            "BLAS share": f"{row.blas_share:.0%}",
            "ratio": f"{row.ratio:.2f}",
            f"≤ {STEP_RATIO:g}": "yes" if row.ratio <= STEP_RATIO else "no",
        }
        for row in table.itertuples()
    ]
    heaviest = "not measured"
    if profile is not None:
        heaviest = markdown(
            [
                {
                    "path": cell_words(cell),
                    "functions": ", ".join(
                        f"{r.function} {r.share:.0%}" for r in rows.itertuples()
                    ),
                }
                for cell, rows in grouped(profile, [*CELL, "depth"])
            ]
        )
    return (
        f"""## 4. A path of limit points: linear algebra and the rest

`ratio` is the time of the path for each of its Newton steps over that of one product and one
Cholesky factorization, which are timed alone on the same operands. With many rows not every step
has a factorization of its own: the ratio may be below 1.

{markdown(lines)}

The functions with most time of their own, as shares of a path (profiled, so that functions called
often seem longer):

{heaviest}
""",
        [
            Aim(
                "4",
                f"a Newton step takes at most {STEP_RATIO:g} of a product and a factorization",
                f"{table['ratio'].min():.2f} to {table['ratio'].max():.2f}",
                table["ratio"].max() <= STEP_RATIO,
            )
        ],
    )


def growth_part(table: pd.DataFrame, exponents: pd.DataFrame) -> tuple[str, list]:
    fits, aims = "No run was long enough for a fit.", []
    if exponents is not None and len(exponents):
        within = exponents["exponent"] <= exponents["expected"] + EXPONENT_SLACK
        words = (
            exponents.astype(object)
            .fillna("")
            .assign(
                exponent=exponents["exponent"].map("{:.2f}".format),
                expected=exponents["expected"].map("{:g}".format),
                within=np.where(within, "yes", "no"),
            )
        )
        fits = markdown(words)
        aims = [
            Aim(
                "5",
                f"exponents are at most those of the flops, + {EXPONENT_SLACK:g}",
                f"{within.sum()} of {len(within)}",
                within.all(),
            )
        ]
    times = table.assign(size=[f"{row.N} × {row.d}" for row in table.itertuples()])
    words = [f"{row.seconds:.2f} s, {row.memory_mb:.0f} MB" for row in table.itertuples()]
    wide = times.assign(words=words).pivot_table(
        index="stage", columns="size", values="words", aggfunc="first", sort=False
    )
    return (
        f"""## 5. Growth

CPU seconds of a stage without what an empty run takes, and its peak of memory.

{markdown(wide.fillna("").reset_index())}

{fits}
""",
        aims,
    )


def pipeline_part(table: pd.DataFrame, summary: pd.DataFrame) -> tuple[str, list]:
    row = summary.iloc[0]
    aims = []
    if row.configuration == GRID and row.cores == GRID_CORES:
        aims = [
            Aim(
                "6",
                f"the default grid takes at most {GRID_SECONDS} s on {GRID_CORES} cores",
                f"{row.seconds:.0f} s",
                row.seconds <= GRID_SECONDS,
            ),
            Aim(
                "6",
                f"at least {ARITHMETIC_SHARE:.0%} of its CPU time is arithmetic",
                f"{row.arithmetic_share:.0%}",
                row.arithmetic_share >= ARITHMETIC_SHARE,
            ),
        ]
    stages = "not measured"
    if table is not None:
        numbers = table.select_dtypes("float").columns
        stages = markdown(
            table.assign(**{name: table[name].map("{:.2f}".format) for name in numbers}).fillna("")
        )
    parts = [
        {
            "part": words,
            "CPU seconds": f"{row[f'{part}_seconds']:.1f}",
            "share": f"{row[f'{part}_share']:.0%}",
        }
        for part, words in (
            ("snakemake", "Snakemake itself"),
            ("imports", "starting interpreters and importing packages"),
            ("arithmetic", "arithmetic: the rest"),
        )
    ]
    return (
        f"""## 6. A grid from clean

`{row.configuration}` on {row.cores} cores: {time_of(row)} by the clock, {row.jobs} jobs,
{row.processes} interpreters, {row.cpu_seconds:.1f} s of CPU time:

{markdown(parts)}

Stage by stage, seconds of its jobs by the clock, and the packages whose import takes longest:

{stages}
""",
        aims,
    )


# --- the page ---

# files of a part -> what it makes of them: its text and its aims; the first must be there
PARTS: dict[tuple[str, ...], Callable[..., tuple[str, list]]] = {
    (LIMIT,): limit_part,
    (FLOW,): flow_part,
    (MINIMIZER,): minimizer_part,
    (NEWTON, PROFILE): newton_part,
    (GROWTH, EXPONENTS): growth_part,
    (SUMMARY, PIPELINE): lambda summary, table: pipeline_part(table, summary),
}
NAMES = [name for names in PARTS for name in names]


def page(tables: dict[str, pd.DataFrame], here: dict) -> str:
    texts, aims = [], []
    for names, part in PARTS.items():
        if tables[names[0]] is None:
            texts.append(f"({names[0]} was not measured.)\n")
            continue
        text, more = part(*(tables[name] for name in names))
        texts.append(text)
        aims += more
    measured = [aim._replace(met="yes" if aim.met else "**no**") for aim in aims]
    packages = ", ".join(f"{name} {number}" for name, number in here["packages"].items())
    return f"""# Benchmark

{here["processor"]}, {here["cores"]} cores, {here["memory_gb"]} GB; {here["system"]}, Python
{here["python"]}; BLAS: {"; ".join(here["blas"])}. Each process has one thread. {packages}.
Other machines give other numbers; ratios travel better than times.

{markdown(measured, Aim._fields)}

{chr(10).join(texts)}"""


# --- the figure ---


def drawing(table: pd.DataFrame) -> Figure:
    """Digits by colour, and times in words: contestants against alpha, a panel a D and η."""
    largest = max(table[["N", "d", "s"]].itertuples(index=False, name=None))
    table = table[(table[["N", "d", "s"]] == list(largest)).all(axis=1)]
    depths, noises = (sorted(table[key].unique()) for key in ("depth", "eta"))
    contestants = list(table["contestant"].unique())
    scales = sorted(table["log10_alpha"].unique(), reverse=True)
    height = len(depths) * (ROW * len(contestants) + FRAME) + FRAME
    figure, axes = plt.subplots(
        len(depths),
        len(noises),
        figsize=(PAGE_WIDTH, height),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    colors = mpl.colormaps["YlGnBu"].with_extremes(bad="0.93")
    for (depth, eta), ax in zip(product(depths, noises), axes.flat, strict=True):
        own = table[(table["depth"] == depth) & (table["eta"] == eta)]
        own = own.set_index(["contestant", "log10_alpha"])
        digits = digits_of(own["error"]).unstack().reindex(index=contestants, columns=scales)
        mesh = ax.imshow(digits, cmap=colors, vmin=0, vmax=DIGITS, aspect="auto")
        for (contestant, scale), row in own.iterrows():
            value = digits.loc[contestant, scale]
            ax.text(
                scales.index(scale),
                contestants.index(contestant),
                short_outcome(row),
                ha="center",
                va="center_baseline",
                fontsize=5.5,
                color="white" if value > 0.6 * DIGITS else "black" if value >= 0 else "0.45",
            )
        ours = len(own[own["ours"]].groupby(level=0))
        ax.axhline(ours - 0.5, color="black", linewidth=0.8)
        ax.set_title(f"D = {depth:g}, η = {eta:g}")
        ax.set_xticks(range(len(scales)), [rf"$10^{{{scale:g}}}$" for scale in scales])
        ax.set_yticks(range(len(contestants)), contestants)
        ax.tick_params(length=0, labelsize=6.5)
        ax.grid(False)
        ax.spines[:].set_visible(False)
    for ax in axes[-1]:
        ax.set_xlabel(r"$\alpha$")
    bar = figure.colorbar(mesh, ax=axes, location="bottom", aspect=60, shrink=0.8, pad=0.02)
    bar.set_label("correct digits of the error, and time; N = {}, d = {}, s = {}".format(*largest))
    return figure


def digits_of(error: pd.Series) -> pd.Series:
    """Correct decimal digits of what has this relative error."""
    return -np.log10(error.clip(10.0**-DIGITS, 1.0))


def short_outcome(row: Any) -> str:
    """The time of a run, or why there is none, in very few letters."""
    if not pd.isna(row.error):
        return duration(row.seconds, digits=2)
    if row.status.startswith(("past", "not tried")):
        return "slow"
    return "absent" if row.status == "not installed" else "fails"


if __name__ == "__main__":
    run(main)
