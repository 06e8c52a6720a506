"""BENCHMARK.md: what the benchmark found, in sentences and three tables.

Every number is made from the measurements that are kept (results/reference/benchmark), so a page
that was not made anew after `make benchmark-reference` is not what this program writes.
"""

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.comparison import OURS
from benchmark.ratios import (
    FLOW_REACHED,
    OUR_FLOW,
    STEP_RATIO,
    TEXTBOOK,
    TIMES_FASTER,
    fastest,
    fastest_peers,
    grouped,
)
from pipeline.command_line import run
from pipeline.storage import write_text

PARTS = (
    "limit",
    "flow",
    "l1",
    "newton",
    "growth",
    "exponents",
    # part pipeline, measured apart from the others: of today's default grid, of an earlier one, and
    # of both in turns
    "whole_run",
    "whole_run_summary",
    "whole_run_before",
    "whole_run_beside",
    "large",
)
# the problem of the first table, and what of it: (η, D, log10 of α)
SHOWN = {"N": 100, "d": 400, "s": 8}
POINTS = ((0.0, 2, -6), (0.1, 2, -12), (0.0, 3, -6), (0.0, 3, -12))
# contestant -> what it is called there
CONTESTANTS = {
    "ours, a point of a path": "ours, a point of a path (g\\* given)",
    "ours, one point": "ours, one point alone (g\\* given)",
    "ours, one point, with the l1 solve": "ours, one point alone, ℓ¹ solve included",
    TEXTBOOK: "Newton's method on the dual, as in a textbook",
    "scipy trust-exact on the dual": "SciPy trust-exact on the dual",
    "scipy LSODA on lam, rtol 1e-08": "SciPy LSODA on λ, rtol 10<sup>−8</sup>",
    "scipy LSODA on (u, v), rtol 1e-08": "SciPy LSODA on (u, v), rtol 10<sup>−8</sup>",
    "cvxpy CLARABEL, dual": "cvxpy, CLARABEL, dual form",
    "diffrax Kvaerno5 on lam, rtol 1e-08": "diffrax Kvaerno5 on λ, rtol 10<sup>−8</sup>",
    "gradient descent": "gradient descent on (u, v)",
}
# stage of the growth -> in words
STAGES = {
    "l1": "l1 (interior point)",
    "null_space": "null_space: local search and bound",
    "certificates": "certificates: g\\*, ϱ, ϱ~",
    "certificates D2": "certificates of the limits, D = 2",
    "certificates D3": "certificates of the limits, D = 3",
}
LARGEST = {"N": 1000, "d": 4000}
WIDTH = 110
PATH, POINT, ALONE = (name.removeprefix(OURS) for name in list(CONTESTANTS)[:3])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, help="with <part>.csv of each part")
    parser.add_argument("--output", required=True, help="the page, in Markdown")
    args = parser.parse_args()
    write_text(args.output, summary(Path(args.folder)))


def summary(folder: Path) -> str:
    """The page.

    Args:
        folder: with the measurements.
    """
    parts = {name: pd.read_csv(folder / f"{name}.csv") for name in PARTS}
    machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    others = [name for name in parts["limit"]["contestant"].unique() if not name.startswith(OURS)]
    contestants, place = parts["limit"]["contestant"].nunique(), folder.as_posix()
    blocks = [
        "# Beside other solvers",
        f"<!-- Written by `make benchmark-reference` from the measurements in {place}. -->",
        f"""`make benchmark` solves the same problems with this project's solvers and with what one
        would pick instead: side by side, one thread each, medians of interleaved runs, every error
        measured against ball arithmetic. It runs in an environment of its own
        (`requirements-benchmark.txt`: SPGL1 and diffrax beside the lock's packages). What it found
        here ({machine["processor"]}, {machine["memory_gb"]:.0f} GB, Python {machine["python"]})
        stands below; all settings, versions and times are in [benchmark.md]({place}/benchmark.md).
        Other machines give other times, and similar ratios.""",
        f"""![Correct digits and times of {contestants} contestants against alpha, in four panels:
        two depths, with and without noise]({place}/benchmark.png)""",
        f"""*The limit point at N = {SHOWN["N"]}, d = {SHOWN["d"]}: correct digits (colour) and
        time, of ours and of {len(others)} others, each with its best settings that we found; slow:
        past {limit_of(parts["limit"])}.*""",
        "## The limit point",
        f"""N = {SHOWN["N"]}, d = {SHOWN["d"]}, s = {SHOWN["s"]}; milliseconds · relative error of
        ‖x<sup>∞</sup>(α) − g\\*‖₁:""",
        limit_points(parts["limit"]),
        *of_paths(parts["limit"]),
        "## The other parts",
        of_flow(parts["flow"]),
        of_basis_pursuit(parts["l1"]),
        of_newton_steps(parts["newton"]),
        of_pipeline(
            parts["whole_run_summary"].iloc[0],
            parts["whole_run_before"].iloc[0],
            parts["whole_run_beside"],
            parts["whole_run"],
        ),
        "## Growth",
        """CPU seconds of one thread and memory at d = 4 N, without noise, s = N/20, 13 values of α.
        Exponents are fitted to N (\\* the slope between the last two sizes only); N<sup>2</sup>d
        means 3. Memory grows like N d. `make growth` has other ratios d/N, too. Stage null_space
        and its certificates were measured when they solved s programs each; what they do today
        takes a few, and was not measured like this yet.""",
        growth(parts["growth"], parts["exponents"]),
        of_growth(parts["growth"], parts["exponents"]),
        "## A large problem",
        """`config/large.yaml`: N = 1000, d = 10000, s = 50, D = 2 and 3, 25 values of α, 5
        repetitions without noise and 5 with η = 0.1, with proofs of g\\*, ϱ and the error at the
        scales of the tables. CPU seconds and megabytes of its jobs, measured once, beside
        other work, by `make timings`:""",
        large(parts["large"]),
        of_large(parts["large"]),
    ]
    return "\n\n".join(map(flowing, blocks)) + "\n"


def flowing(block: str) -> str:
    """A paragraph in lines of one width; a table as it is."""
    if block.startswith("|"):
        return block
    return textwrap.fill(
        " ".join(block.split()),
        WIDTH,
        subsequent_indent="  " if block.startswith("- ") else "",
        break_long_words=False,
        break_on_hyphens=False,
    )


def table_of(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def power(log10: float) -> str:
    """A power of ten."""
    return f"10<sup>{log10:g}</sup>".replace("-", "−")


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def digits(value: float) -> str:
    """A number to two digits, or whole."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def limit_of(table: pd.DataFrame) -> str:
    """The time past which a contestant was given up; one that did not stop then was ended."""
    seconds = table["status"].str.extract(r"^past (\d+) s")[0].dropna().astype(int)
    return f"{seconds.min()} s"


# --- the limit point ---


def limit_points(table: pd.DataFrame) -> str:
    head = [""] + [
        f"D = {depth}, η = {eta:g}, α = {power(log10_alpha)}" for eta, depth, log10_alpha in POINTS
    ]
    rows = []
    for contestant, words in CONTESTANTS.items():
        cells = [outcome(one_run(table, contestant, *point)) for point in POINTS]
        rows.append([words, *cells])
    return table_of(head, rows)


def one_run(table: pd.DataFrame, contestant: str, eta: float, depth: int, log10: float) -> Any:
    where = SHOWN | {"eta": eta, "depth": depth, "log10_alpha": log10, "contestant": contestant}
    for column, value in where.items():
        table = table[table[column] == value]
    (row,) = table.itertuples()
    return row


def outcome(row: Any) -> str:
    """Milliseconds and error, or why there are none."""
    if pd.isna(row.error):
        said = row.status.split(":")[0]
        return said if said.startswith("past") or said == "not tried" else "fails"
    return f"{digits(1e3 * row.seconds)} · {'wrong' if row.error >= 1 else small(row.error)}"


def small(error: float) -> str:
    return f"{error:.1g}".replace("e-0", "e-")


def of_paths(limits: pd.DataFrame) -> list[str]:
    """Times of peers over ours at a point of a path, and at one point alone."""
    limits = limits.assign(ours=limits["ours"].astype(bool))
    textbook = limits["contestant"] == TEXTBOOK
    every = fastest_peers(limits)
    newton = fastest_peers(limits[limits["ours"] | textbook])
    packages = fastest_peers(limits[~textbook])
    exact = packages[packages["accuracy"] == 1e-10][PATH]
    loose, with_package = (of[of["accuracy"] == 1e-3] for of in (newton, packages))
    cases = every[PATH].notna().sum()
    enough, without = (of[PATH].ge(TIMES_FASTER).sum() for of in (every, packages))
    ours = limits[limits["ours"]]["error"].max()
    hard = limits[(limits["depth"] == 3) & (limits["eta"] == 0) & ~limits["ours"]]
    best = hard[hard["log10_alpha"] == hard["log10_alpha"].min()]["error"].min()
    alone = newton[ALONE].dropna()
    smallest = hard["log10_alpha"].min()
    return [
        f"""- **Accuracy.** The largest error of ours is {small(ours)}. The others lose digits as
        the error disappears in the rounding of x: at D = 3 without noise the best of them has an
        error of {small(best)} at α = {power(smallest)}.""",
        f"""- **Speed, on a path**, which is how the pipeline works, with g\\* given:
        {newton[PATH].min():.0f} to {newton[PATH].max():.0f} times faster than textbook Newton
        (median {loose[PATH].median():.0f}), and at least {exact.min():.1f} times, in the median
        {exact.median():.0f} times, faster than the fastest package that reaches 10 digits. The aim,
        a factor of {TIMES_FASTER} over the best peer, is reached in {enough} of {cases} cases, and
        in {without} with textbook Newton left out, which no package offers.""",
        f"""- **One point alone**, with g\\* given, is {loose[POINT].min():.1f} to
        {loose[POINT].max():.1f} times as fast as textbook Newton (median
        {loose[POINT].median():.2f}). The fastest package takes {with_package[POINT].median():.0f}
        times as long in the median, and at the least {with_package[POINT].min():.1f} times.""",
        f"""- **Where a peer is better.** From (A, y) alone, the ℓ¹ solve included, textbook Newton
        takes {alone.min():.2g} to {alone.max():.2g} of our time for one point, where it reaches an
        accuracy at all.""",
    ]


# --- the other parts ---


def of_flow(table: pd.DataFrame) -> str:
    table = table.assign(error=table[["error", "times_error"]].max(axis=1))
    table["ours"] = table["ours"].astype(bool)
    ratios, names, alone, cells = [], set(), 0, 0
    for _, part in grouped(table, ["N", "d", "eta", "depth", "log10_alpha"]):
        peer, ours = (fastest(part[part["ours"] == own], FLOW_REACHED) for own in (False, True))
        cells += 1
        alone += peer is None and ours is not None
        if peer is not None and ours is not None:
            ratios.append(peer.seconds / ours.seconds)
            names.add(peer.contestant)
    at = " and ".join(f"{N}, d = {d}" for N, d in table[["N", "d"]].drop_duplicates().to_numpy())
    low, high = table["log10_alpha"].min(), table["log10_alpha"].max()
    scales = f"α = {power(low)} to {power(high)}"
    digits = f"{-np.log10(FLOW_REACHED):.0f} digits"
    nobody = cells - alone - len(ratios)
    return f"""- **The flow itself** (trajectory and end to {digits} in at most
    {limit_of(table)}; N = {at}; {scales}): {OUR_FLOW.replace("ours,", "our")} is
    {min(ratios):.1f} to {max(ratios):.0f} times faster than the fastest peer,
    {" or ".join(sorted(names))}, in {len(ratios)} of {cells} cases; in {alone} no peer gets there,
    in {nobody} nobody: the time ends, or x as doubles does not hold so many digits of x − g\\*.
    This part was measured at another time than the rest, with other work on the second core. An
    earlier integrator, which went down to α = 10<sup>−4</sup> only, was faster there."""


def of_basis_pursuit(table: pd.DataFrame) -> str:
    table = table.assign(ours=table["ours"].astype(bool))
    faster = []
    for _, part in table[table["problem"] == "rho"].groupby(["N"]):
        (ours,) = part[part["contestant"] == "ours, rho"].groupby("contestant")["seconds"].min()
        faster.append(part[~part["ours"]]["seconds"].min() / ours)
    quiet = table[table["eta"] == 0].pivot_table(index="N", columns="contestant", values="seconds")
    ours = quiet["ours, minimizer with polish and certificate"]
    lars, spgl1 = ours / quiet["lars_path"], ours / quiet["SPGL1"]
    wrong = table[(table["contestant"] == "SPGL1") & (table["eta"] > 0)]["error"].min()
    over = {
        eta: part["over_programs"].dropna()
        for eta, part in table[table["over_programs"].notna()].groupby("eta")
    }
    ends = {eta: f"{values.min():.2f} to {values.max():.2f}" for eta, values in over.items()}
    noisy = max(ends)
    return f"""- **Basis pursuit and ϱ.** The ℓ¹ stage, certificate included, takes {ends[0]} times
    its own linear programs without noise and {ends[noisy]} with η = {noisy:g} (aim: 1.2). For ϱ it
    is {min(faster):.0f} to {max(faster):.0f} times faster than the best peer. LARS (scikit-learn)
    takes 1/{lars.min():.1f} to 1/{lars.max():.0f} of our time without noise, and fails or loses
    digits with it; SPGL1 1/{spgl1.max():.1f} at best, and is off by {small(wrong)} and more with
    noise. Neither proves anything."""


def of_newton_steps(table: pd.DataFrame) -> str:
    ratios = table.groupby("N")["ratio"]
    sizes = ", ".join(
        f"{digits(part.min())} to {digits(part.max())} at N = {size}" for size, part in ratios
    )
    return f"""- **Where a Newton step's time goes.** It takes so many times as long as one matrix
    product and one Cholesky factorization (a factor serves for several steps): {sizes} (aim:
    {STEP_RATIO:g}). In small problems NumPy's calls on short vectors dominate."""


def of_pipeline(
    now: pd.Series, before: pd.Series, beside: pd.DataFrame, stages: pd.DataFrame
) -> str:
    """What the default grid takes.

    Args:
        now, before: summaries of part pipeline, of this project and of an earlier one.
        beside: a row a run of either, one after the other on one machine.
        stages: of part pipeline.
    """
    most = stages.set_index("stage")["seconds"].nlargest(8)
    words = ", ".join(f"{stage} {seconds:.0f}" for stage, seconds in most.items())
    runs = beside.groupby("jobs")
    seconds = runs["seconds"].median()
    many, few = beside["jobs"].max(), beside["jobs"].min()
    ratio = seconds[few] / seconds[many]
    return f"""- **The pipeline.** The default grid takes {shares(now)} Most take {words} s, two at
    a time. (This part was measured on another machine than the others, with two Intel Xeon; two
    more jobs compute nothing.) On the machine of the others an earlier one took {shares(before)}
    Since then minimizers are decided exactly, every limit point is measured, ϱ~ is exact up to
    |S| = 16, trajectories are proved, and the phase diagram is large. Run in turns on one machine,
    {runs.size()[many]} times that one and {runs.size()[few]} times this, they take
    {seconds[many]:.0f} and {seconds[few]:.0f} s in the median: {ratio:.2f} times as long,
    {ratio * before["seconds"]:.0f} s in the unit in which the aim is 90 to 100. It is arithmetic
    that has grown."""


def shares(row: pd.Series) -> str:
    """How long runs take, and what of their CPU time is spent on what."""
    return f"""{row["seconds"]:.0f} s from clean on {row["cores"]} cores ({row["runs"]} runs,
    {row["fastest"]:.1f} to {row["slowest"]:.1f}) in {row["jobs"]} jobs: {row["cpu_seconds"]:.0f}
    CPU seconds, of which Snakemake takes {percent(row["snakemake_share"])}, start-up and imports of
    {row["processes"]} processes {percent(row["imports_share"])}, arithmetic
    {percent(row["arithmetic_share"])}."""


# --- growth, and a large problem ---


def growth(table: pd.DataFrame, exponents: pd.DataFrame) -> str:
    largest = table[(table["N"] == LARGEST["N"]) & (table["d"] == LARGEST["d"])]
    fits = exponents[exponents["fixed"] == "d / N = 4"].set_index("stage")
    rows = []
    for row in largest.itertuples():
        fit = fits.loc[row.stage]
        star = "\\*" if pd.isna(fit["error"]) else ""
        words = STAGES.get(row.stage, row.stage.replace(" D", ", D = "))
        rows.append(
            [
                *(words, digits(row.seconds), f"{row.memory_mb:.0f}"),
                *(f"{fit['exponent']:.1f}{star}", f"{fit['expected']:g}"),
            ]
        )
    size = ", ".join(f"{axis} = {value}" for axis, value in LARGEST.items())
    return table_of(["stage", f"{size}: s", "MB", "exponent", "expected"], rows)


def of_growth(table: pd.DataFrame, exponents: pd.DataFrame) -> str:
    over = exponents[exponents["exponent"] > exponents["expected"]]["stage"]
    proof = table[table["N"] == LARGEST["N"]].set_index("stage")["seconds"]
    beyond = f"all but {', '.join(over)}" if len(over) else "every stage"
    return f"""From N = {table["N"].min()} to {table["N"].max()} {beyond} grows at most as expected.
    At N = {LARGEST["N"]} the proof of one instance takes {digits(proof["certificates"])} s, that of
    its limit points {proof["certificates D2"]:.1f} s at D = 2."""


def large(table: pd.DataFrame) -> str:
    rows = [
        [row.stage, str(row.jobs), f"{row.cpu_seconds:.0f}", f"{row.memory_mb:.0f}"]
        for row in table.itertuples()
    ]
    return table_of(["stage", "jobs", "CPU s, all of them", "MB, the largest"], rows)


def of_large(table: pd.DataFrame) -> str:
    stages = table.set_index("stage")
    minutes = stages.loc["all", "cpu_seconds"] / 60
    problems = stages.loc["problems", "jobs"]  # one each
    return f"""That is {minutes / 2:.0f} minutes for two cores with nothing else to do (aim: 10),
    and {minutes / problems:.1f} core minutes for each of the {problems} problems, at both
    depths."""


if __name__ == "__main__":
    run(main)
