"""Stage phase: a column of the phase diagram of l1 recovery, without noise.

For one N and d, some numbers s of nonzero entries and each repetition: whether the planted signal
is the l1 minimizer, and the constant rho of it, between proved bounds.  Signals with different s
have the same A.
"""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.minimizer.phase import Planted, planted
from implicit_l1.problems.ensembles import ENSEMBLES, MAGNITUDES
from implicit_l1.problems.problem import Draw, check_rank
from implicit_l1.proof.planted import RightInverses
from pipeline.command_line import (
    add_planted,
    part_of,
    random_problem_options,
    repetition,
    run,
)
from pipeline.tidy import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="the Parquet file: one row an instance")
    add_planted(parser, ENSEMBLES, MAGNITUDES, nargs="+")
    args = parser.parse_args()

    options = random_problem_options(args)
    law, sizes = options.pop("signal"), options.pop("s")
    first, last = args.repetitions
    draws = [Draw(**options, repetition=index) for index in range(first, last + 1)]
    matrices = []
    for draw in draws:
        with repetition(args.output, draw.repetition):
            matrices.append(draw.matrix())
            check_rank(matrices[-1])
    right, columns = RightInverses.of(np.array(matrices)), []
    for s in sizes:
        with part_of(args.output, f"s = {s}"):
            pairs = zip(draws, matrices, strict=True)
            signals = np.array([draw.signal(matrix, s, law) for draw, matrix in pairs])
            columns.append(rows(args, s, draws, planted(right, signals)))
    write_table(args.output, pd.concat(columns, ignore_index=True))


def rows(args: argparse.Namespace, s: int, draws: list[Draw], found: Planted) -> pd.DataFrame:
    """The rows of one s."""
    return pd.DataFrame(
        {
            "ensemble": args.label or args.ensemble,
            "N": args.N,
            "d": args.d,
            "s": s,
            "delta": args.N / args.d,
            "sparsity": s / args.N,
            "repetition": [draw.repetition for draw in draws],
            "status": found.status,
            "recovered": found.recovered,
            "rho_planted": found.rho,
            "rho_lower": found.lower,
            "rho_upper": found.upper,
        }
    )


if __name__ == "__main__":
    run(main)
