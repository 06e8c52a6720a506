"""Target growth: time and memory of each stage as the problems grow, and their exponents.

Every stage runs as the pipeline runs it, one process a problem, so that a peak of memory is
that of one stage.  Times are CPU time of a process with one thread, which other load on the
machine disturbs least, less that of an empty run of the stage: what is left does not contain
the second that imports take.  Basis pursuit has another method for large problems
(:mod:`implicit_l1.minimizer.proposals`), which loads other packages: it has an empty run for each,
and exponents are fitted to the runs of one method only.  A stage can have a largest N, beyond
which it is left out, with what needs it.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections import namedtuple
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from implicit_l1.minimizer.proposals import LARGE
from pipeline.command_line import Failure, run
from pipeline.machine import processor
from pipeline.storage import write_text

SCRIPTS = Path(__file__).resolve().parents[1]
STAGES = SCRIPTS / "stages"

# Exponents of the flops that are expected, N^2 d for all, as s is proportional to N: (in N at fixed
# d / N, in d).
EXPECTED = {
    "problems": (3, 1),
    "l1": (3, 1),
    "null_space": (3, 1),
    "asymptotics D2": (3, 1),
    "asymptotics D3": (3, 1),
    "limit D2": (3, 1),
    "limit D3": (3, 1),
    "flow D2": (3, 1),
    "flow D3": (3, 1),
    "certificates": (3, 1),
    "certificates D2": (3, 1),
    "certificates D3": (3, 1),
}
DEFAULT = [stage for stage in EXPECTED if not stage.startswith(("flow", "certificates"))]
ALL = "all"
OF_PROGRAMS = ("l1", "null_space")  # those that solve linear programs
# of limit points, certified is the end of the path: the two smallest scales
CERTIFIED = 2

# rows and columns of the problem whose times and memory stand for an empty run
TINY = (10, 20)

SIMPLEX, INTERIOR, BOTH, NO_PROGRAM = "simplex", "interior point", "both", ""

Run = namedtuple("Run", "stage N d seconds memory method", defaults=(NO_PROGRAM,))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", nargs="+", type=int, required=True, help="values of N")
    parser.add_argument("--ratios", nargs="+", type=float, required=True, help="values of d / N")
    parser.add_argument("--sparsity", type=float, required=True, help="s / N; s is at least 1")
    parser.add_argument("--eta", type=float, required=True, help="||noise|| / ||A x_0||")
    parser.add_argument("--repetitions", type=int, required=True, help="draws; medians are taken")
    parser.add_argument(
        "--log10-alpha", type=float, nargs="+", required=True, help="scales of stage limit"
    )
    parser.add_argument("--flow-alpha", type=float, default=1e-2, help="scale of stage flow")
    parser.add_argument(
        "--stages",
        nargs="+",
        choices=[*EXPECTED, ALL],
        default=DEFAULT,
        help="what is measured, and what these need (default: all but flow and certificates)",
    )
    parser.add_argument(
        "--largest",
        nargs="+",
        type=largest_size,
        default=[],
        metavar="STAGE=N",
        help="largest N of a stage, or of a program at all depths: certificates=200",
    )
    parser.add_argument(
        "--resolution",
        type=float,
        default=0.1,
        help="seconds; shorter runs do not enter the fits (default: %(default)s)",
    )
    parser.add_argument(
        "--empty-runs", type=int, default=3, help="empty runs of each stage (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, required=True, help="root of all draws")
    parser.add_argument("--csv", required=True)
    parser.add_argument("--exponents", help="CSV file of the exponents")
    parser.add_argument("--markdown", required=True)
    args = parser.parse_args()
    if min(args.rows) < 2 or min(args.ratios) <= 1:
        raise Failure("there must be at least 2 rows, and d / N must be greater than 1")
    if not 0 < args.sparsity <= 1:
        raise Failure("the sparsity s / N must be in (0, 1]")
    if min(args.repetitions, args.empty_runs) < 1:
        raise Failure("there must be at least one repetition, and one empty run")

    sizes = [(N, round(ratio * N)) for ratio in args.ratios for N in args.rows]
    args.largest = {stage: N for stages, N in args.largest for stage in stages}
    stages = with_needs(EXPECTED if ALL in args.stages else ["l1", *args.stages])
    tiny = {result.stage: result for result in medians(stages, TINY, args.empty_runs, args)}
    loaded = {stage: loading(stage, args.empty_runs) for stage in stages if stage in OF_PROGRAMS}
    small = {N: [stage for stage in stages if runs_at(stage, N, args.largest)] for N in args.rows}
    measurements = [
        result for size in sizes for result in medians(small[size[0]], size, args.repetitions, args)
    ]
    results = []
    for result in measurements:
        way = method(result.stage, result.N, result.d, args.sparsity, args.eta)
        # what the simplex method loads, the tiny problem loads too, a large one does not
        empty = loaded[result.stage] if way == INTERIOR else tiny[result.stage]
        seconds = max(result.seconds - empty.seconds, 0.0)
        results.append(result._replace(seconds=seconds, method=way))
    starts = [
        result._replace(method=method(result.stage, *TINY, args.sparsity, args.eta))
        for result in tiny.values()
    ]
    ways = {(result.stage, result.method) for result in results}
    starts += [
        run._replace(method=INTERIOR) for stage, run in loaded.items() if (stage, INTERIOR) in ways
    ]
    left_out = {stage: [N for N in args.rows if stage not in small[N]] for stage in stages}
    report(results, starts, left_out, args)


# --- stages ---


def largest_size(text: str) -> tuple[list[str], int]:
    """(stages, N) from STAGE=N, where STAGE is that of one depth or a program."""
    name, _, size = text.rpartition("=")
    stages = [stage for stage in EXPECTED if name in (stage, stage.partition(" D")[0])]
    if not stages or not size.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not STAGE=N with one of {list(EXPECTED)}")
    return stages, int(size)


def needs(stage: str) -> tuple[str, ...]:
    """The stages that write what a stage reads."""
    name, _, depth = stage.partition(" D")
    if name == "certificates":
        return (f"limit D{depth}", f"asymptotics D{depth}") if depth else ("null_space",)
    return {"problems": (), "l1": ("problems",)}.get(name, ("l1",))


def with_needs(stages: Collection[str]) -> list[str]:
    """These stages and all that they need, in the order in which they run."""
    wanted = set(stages)
    for stage in reversed(EXPECTED):  # a stage comes after those that it needs
        if stage in wanted:
            wanted.update(needs(stage))
    return [stage for stage in EXPECTED if stage in wanted]


def runs_at(stage: str, N: int, largest: dict[str, int]) -> bool:
    """Whether neither a stage nor what it needs is left out at N."""
    return largest.get(stage, N) >= N and all(runs_at(s, N, largest) for s in needs(stage))


# --- measurements ---
# Nothing large is loaded before the last of them: the kernel counts the memory of the process
# that starts another to the peak of the other.


def medians(
    stages: list[str], size: tuple[int, int], repetitions: int, args: argparse.Namespace
) -> list[Run]:
    """Runs of stages on problems of one size (N, d), each the median over repetitions."""
    runs = []
    for repetition in range(repetitions):
        with tempfile.TemporaryDirectory() as folder:
            runs += [
                measured(stage, size, command(stage, size, repetition, Path(folder), args))
                for stage in stages
            ]
    return [
        Run(
            stage,
            *size,
            statistics.median(r.seconds for r in runs if r.stage == stage),
            statistics.median(r.memory for r in runs if r.stage == stage),
        )
        for stage in stages
    ]


def loading(stage: str, count: int) -> Run:
    """The run of a stage that loads what it imports at its start, and ends: the median of some."""
    program = STAGES / f"{stage.partition(' D')[0]}.py"
    runs = [measured(stage, (0, 0), [program, "--help"]) for _ in range(count)]
    return sorted(runs, key=lambda run: run.seconds)[count // 2]


def command(
    stage: str, size: tuple[int, int], repetition: int, folder: Path, args: argparse.Namespace
) -> list:
    """The words of a stage's command after the interpreter."""
    name, _, depth = stage.partition(" D")
    N, d = size
    files = {one: folder / f"{one.replace(' ', '_')}.npz" for one in EXPECTED}
    output: tuple = ("--output", files[stage])
    inputs = ("--problems", files["problems"], "--l1", files["l1"])
    if name == "certificates":
        output = ("--output", files[stage].with_suffix(".parquet"), "--ensemble", "gaussian")
        guesses: tuple = ("--null-space", files["null_space"])
        if depth:
            scales = sorted(args.log10_alpha)[:CERTIFIED]
            guesses = ("--limit", files[f"limit D{depth}"], "--depth", depth)
            guesses += ("--asymptotics", files[f"asymptotics D{depth}"], "--log10-alpha", *scales)
        return [STAGES / "certificates.py", *inputs, *guesses, *output, "--radius", 1e-12]
    options = {
        "problems": (
            *(*output, "--repetitions", repetition, repetition, "gaussian"),
            *("--N", N, "--d", d, "--s", max(1, round(args.sparsity * N)), "--eta", args.eta),
            *("--seed", args.seed, "--law", "uniform", "--low", 0.5, "--high", 1.5),
        ),
        "l1": (*(*inputs[:2], *output, "--solver", "auto", "--nonunique", "carry"),),
        # branch and bound where s happens to be small is another thing
        "null_space": (*inputs, *output, "--exact-up-to", 1),
        "asymptotics": (*inputs, *output, "--depth", depth),
        "limit": (
            *(*inputs, *output, "--depth", depth, "--tolerance", 1e-9),
            *("--log10-alpha", *args.log10_alpha),
        ),
        "flow": (
            *(*inputs, "--endpoints", output[1], "--form", "dual", "--depth", depth),
            *(
                "--ensemble",
                "gaussian",
                "--alpha",
                args.flow_alpha,
                "--rtol",
                1e-8,
                "--distance",
                1e-9,
            ),
            *("--states-per-decade", 10, "--coordinates", 6),
        ),
    }
    return [STAGES / f"{name}.py", *options[name]]


def measured(stage: str, size: tuple[int, int], words: list) -> Run:
    """Run a command of a stage: its CPU time in seconds, its peak of memory in MB."""
    with tempfile.TemporaryFile("w+") as messages:
        process = subprocess.Popen(
            [sys.executable, *map(str, words)],
            env=os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"),
            stdout=messages,
            stderr=messages,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            messages.seek(0)
            reason = (messages.read().strip() or f"exit status {process.returncode}").splitlines()
            raise Failure(f"stage {stage} at N = {size[0]}, d = {size[1]}: {reason[-1]}")
    # bytes on macOS, kB elsewhere
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(stage, *size, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / unit)


# --- exponents ---


def method(stage: str, N: int, d: int, sparsity: float, eta: float) -> str:
    """How a stage solves its linear programs; NO_PROGRAM if it has none.

    Stage l1 has two, of A and, without noise, of the smaller matrix that null_space has too.
    With noise |S| = N, and formulas take the place of the second.
    """
    interior = {N * d >= LARGE} if stage == "l1" else set()
    if stage in ("l1", "null_space") and eta == 0:
        interior.add(True)
    return {(): NO_PROGRAM, (False,): SIMPLEX, (True,): INTERIOR}.get(tuple(interior), BOTH)


def exponent(sizes: list[float], seconds: list[float]) -> tuple[float, float]:
    """The p of the least-squares fit ``log(seconds) = p log(size) + constant``.

    Args:
        sizes, seconds: sequences of positive numbers of one length, at least two sizes apart.
    Returns:
        (p, its standard error, nan where there are two runs).
    Raises:
        ValueError: if they are not.
    """
    x, y = np.asarray(sizes, dtype=float), np.asarray(seconds, dtype=float)
    if np.unique(x).size < 2:
        raise ValueError("an exponent needs at least two sizes")
    if not (np.all(x > 0) and np.all(y > 0)):
        raise ValueError("an exponent needs positive sizes and times")
    x, y = np.log(x), np.log(y)
    x, y = x - x.mean(), y - y.mean()
    p = x @ y / (x @ x)
    free = x.size - 2
    error = np.linalg.norm(y - p * x) / np.sqrt(free * (x @ x)) if free else np.nan
    return float(p), float(error)


def exponents(results: Sequence[Run], resolution: float) -> list[tuple]:
    """All fits: (stage, method, what is fixed, what grows, sizes, exponent, its error, expected).

    Args:
        results: Runs.
        resolution: shorter runs are left out, and fits that have less than two then.
    """
    rows = []
    long = [r for r in results if r.seconds >= max(resolution, 1e-9)]
    for stage, way in dict.fromkeys((r.stage, r.method) for r in long):
        runs = [r for r in long if (r.stage, r.method) == (stage, way)]
        in_rows, in_columns = EXPECTED[stage]
        for fixed, grows, expected, key in (
            ("d / N", "N", in_rows, lambda r: r.d / r.N),
            ("N", "d", in_columns, lambda r: r.N),
        ):
            for value in sorted(set(map(key, runs))):
                group = [r for r in runs if key(r) == value]
                sizes = [getattr(r, grows) for r in group]
                if len(set(sizes)) < 2:
                    continue
                fit = exponent(sizes, [r.seconds for r in group])
                span = ", ".join(map(str, sorted(sizes)))
                rows.append((stage, way, f"{fixed} = {value:g}", grows, span, *fit, expected))
    return rows


# --- report ---


def report(
    results: Sequence[Run], starts: list, left_out: dict[str, list[int]], args: argparse.Namespace
) -> None:
    table = pd.DataFrame(results).rename(columns={"memory": "memory_mb"})
    write_text(args.csv, table.round(3).to_csv(index=False, lineterminator="\n"))
    columns = ["stage", "method", "fixed", "grows", "sizes", "exponent", "error", "expected"]
    fits = pd.DataFrame(exponents(results, args.resolution), columns=columns)
    if args.exponents:
        write_text(args.exponents, fits.round(3).to_csv(index=False, lineterminator="\n"))
    absent = "; ".join(
        f"{stage} at N = {', '.join(map(str, N))}" for stage, N in left_out.items() if N
    )
    shown = fits.round({"exponent": 2, "error": 2}).astype(object).where(fits.notna(), "")
    fixed = pd.DataFrame(starts)[["stage", "method", "seconds", "memory"]]
    text = f"""# Growth of time and memory

Gaussian problems with s = {args.sparsity:g} N, eta = {args.eta:g}, {len(args.log10_alpha)} values
of alpha; medians over {args.repetitions} draws. CPU seconds of one thread, less those of an empty
run (below); peak memory in MB. Measured on: {processor()}, {os.cpu_count()} cores,
{platform.system()}, Python {platform.python_version()}. Other machines give other numbers.

## Stages

{table.round({"seconds": 2, "memory_mb": 0}).to_markdown(index=False)}

Left out: {absent or "nothing"}.

## Exponents

Least squares of log(seconds) against log(size), over runs of at least {args.resolution:g} s.
Expected from flops: N^2 d; for the simplex method, whose number of pivots grows too, it is no
prediction. No fit crosses the change between the two methods. error is the standard error of the
fit; a fit of two sizes is the slope between them and says nothing about its own.

{shown.to_markdown(index=False)}

## Empty runs

The same stages at N = {TINY[0]}, d = {TINY[1]}, medians of {args.empty_runs} runs; for the
interior-point method, which does without the packages of the other, what a stage imports at its
start.

{fixed.round({"seconds": 2, "memory": 0}).to_markdown(index=False)}
"""
    write_text(args.markdown, text)
    print(text)


if __name__ == "__main__":
    run(main)
