"""Benchmark newton: where the time of a path of limit points goes.

A textbook step of Newton's method forms the product ``B W B^T`` and factors it.  The calls of
BLAS and LAPACK of all Newton steps of a path are timed alone, on the operands of the path, in
turn with the path itself, so that both see the same machine.  ``ratio`` is the time of a path for
each Newton step, over that of one product and one factorization.  It may be below 1: where there
are many rows not every step has a factorization of its own.
"""

import argparse
import cProfile
import pstats
import statistics
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs

from benchmark.comparison import add_options, check, drawn, times
from implicit_l1.network import equations
from implicit_l1.network.limit import LimitPath, limit_path
from implicit_l1.potentials import potential
from pipeline.command_line import run
from pipeline.storage import write_text

HEAVIEST = 8

PRODUCT, CHOLESKY, OTHER = "product", "cholesky", "other_blas"
# a call of one method of a path's equations; state is None where it does not matter, solves is
# how often it used the factor
Call = namedtuple("Call", "method equations state solves")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser, limit=False)
    parser.add_argument("--depth", nargs="+", type=float, required=True)
    parser.add_argument(
        "--log10-alpha",
        nargs="+",
        type=float,
        default=np.linspace(0.0, -12.0, 49),
        help="scales of the path (default: 49 from 0 to -12)",
    )
    parser.add_argument("--profile", required=True, help="CSV of the functions that take longest")
    args = parser.parse_args()
    check(args)

    log_alpha = np.log(10.0) * np.sort(args.log10_alpha)[::-1]
    rows, functions = [], []
    for size in args.size:
        for eta in args.eta:
            _, matrix, _, minimizer = drawn(size, eta, args.seed)
            for depth in args.depth:
                cell = dict(zip(("N", "d", "s"), size, strict=True))
                cell |= {"eta": f"{eta:g}", "depth": f"{depth:g}"}

                def path(depth=depth, matrix=matrix, minimizer=minimizer):
                    return limit_path(
                        matrix,
                        minimizer.point,
                        minimizer.certificate,
                        potential(depth),
                        log_alpha,
                    )

                rows.append(cell | {"scales": log_alpha.size} | measured(path, args.repetitions))
                functions += [cell | function for function in profile(path)]
    for name, table in ((args.csv, rows), (args.profile, functions)):
        table = pd.DataFrame(table)
        write_text(name, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
        print(table.to_string(index=False))


# --- times ---


def measured(path: Callable[[], LimitPath], repetitions: int) -> dict:
    """Times of a path and of its linear algebra alone, in turn; medians, in seconds."""
    with recorded() as calls:
        steps = int(path().newton_steps.sum())
    seconds, alone = [], []
    for _ in range(repetitions):
        start = perf_counter()
        path()
        seconds.append(perf_counter() - start)
        alone.append(replay(calls))
    factorizations = sum(call.method == "factor" for call in calls)
    ratios = [
        whole / steps / (part[PRODUCT] + part[CHOLESKY]) * factorizations
        for whole, part in zip(seconds, alone, strict=True)
    ]
    return {
        "steps": steps,
        "factorizations": factorizations,
        **times(seconds),
        "blas_share": statistics.median(
            sum(part.values()) / whole for whole, part in zip(seconds, alone, strict=True)
        ),
        **{
            f"{kind}_seconds": statistics.median(part[kind] for part in alone)
            for kind in (PRODUCT, CHOLESKY, OTHER)
        },
        "ratio": statistics.median(ratios),
    }


@contextmanager
def recorded() -> Iterator[list]:
    """Collect the calls of a path's equations that do linear algebra."""
    calls, kind = [], equations.Equations
    methods = {name: getattr(kind, name) for name in ("factor", "solve", "evaluate")}
    solves = 0

    def counted(*arguments, **options):
        nonlocal solves
        solves += 1
        return dpotrs(*arguments, **options)

    def recorder(name, method):
        def call(self, *arguments, **options):
            before = solves
            result = method(self, *arguments, **options)  # one that fails is not replayed
            state = arguments[0] if name == "factor" else None
            calls.append(Call(name, self, state, solves - before))
            return result

        return call

    equations.dpotrs = counted
    for name, method in methods.items():
        setattr(kind, name, recorder(name, method))
    try:
        yield calls
    finally:
        equations.dpotrs = dpotrs
        for name, method in methods.items():
            setattr(kind, name, method)


def replay(calls: list) -> dict[str, float]:
    """Seconds that the linear algebra of these calls takes by itself, by its kind."""
    spent = dict.fromkeys((PRODUCT, CHOLESKY, OTHER), 0.0)

    def timed(kind, function, *arguments, **options):
        start = perf_counter()
        result = function(*arguments, **options)
        spent[kind] += perf_counter() - start
        return result

    for call in calls:
        stacked = call.equations.stacked
        if call.method == "factor":
            rows = call.equations.rows(call.state)
            matrix = timed(PRODUCT, dsyrk, 1.0, rows.T, trans=1, lower=1)
            on = np.arange(call.equations.minimizer_on.size)
            matrix[on, on] += 1.0
            factor, _ = timed(CHOLESKY, dpotrf, matrix, lower=1, clean=0, overwrite_a=1)
            continue
        for _ in range(call.solves):
            timed(OTHER, dpotrs, factor, np.ones(stacked.shape[0]), lower=1)
        # with B and its transpose: of an evaluation, or of an iteration of conjugate gradients
        for _ in range(max(call.solves - 1, call.method == "evaluate")):
            timed(OTHER, np.matmul, stacked.T, np.ones(stacked.shape[0]))
            timed(OTHER, np.matmul, stacked, np.ones(stacked.shape[1]))
        if call.solves == 1:
            timed(OTHER, np.matmul, stacked.T, np.ones(stacked.shape[0]))
    return spent


# --- profile ---


def profile(path: Callable[[], LimitPath]) -> list[dict]:
    """The functions of a path with the most time of their own, as shares of it."""
    profiler = cProfile.Profile()
    profiler.runcall(path)
    stats: Any = pstats.Stats(profiler)
    total = sum(own for _, _, own, _, _ in stats.stats.values())
    heaviest = sorted(stats.stats.items(), key=lambda item: -item[1][2])[:HEAVIEST]
    return [
        {"function": name_of(*function), "share": own / total, "calls": calls}
        for function, (_, calls, own, _, _) in heaviest
    ]


def name_of(file: str, _: int, function: str) -> str:
    """A function as a profile shows it: module.function, or the words for a built-in one."""
    return function if file == "~" else f"{Path(file).stem}.{function}"


if __name__ == "__main__":
    run(main)
