"""Stage phase: one cell of the phase diagram of l1 recovery, without noise.

For each repetition: whether the planted signal is the l1 minimizer, the constants rho of
the planted signal and of the minimizer, rho~ of the minimizer's support, and the null space
constant of order s.
"""

import argparse

import numpy as np
import pandas as pd

from command_line import (
    add_enumeration,
    add_random_problem,
    add_support_threshold,
    random_problem_options,
    repetition,
    run,
)
from implicit_l1.null_space import Bracket, kernel_witness, null_space_constant
from implicit_l1.phase import order_constant, recovery
from implicit_l1.problems import ENSEMBLES, random_problem
from implicit_l1.seeds import generator
from implicit_l1.storage import write_table
from implicit_l1.support import support_geometry

ABSENT = Bracket(np.nan, np.nan, "none")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="the Parquet file: one row a repetition")
    parser.add_argument(
        "--repetitions", nargs=2, type=int, required=True, metavar=("FIRST", "LAST")
    )
    parser.add_argument("--ensemble", choices=ENSEMBLES, default="gaussian")
    add_random_problem(parser)
    add_support_threshold(parser)
    add_enumeration(parser)
    parser.add_argument(
        "--rho-tilde-repetitions",
        type=int,
        help="repetitions 0, 1, ... for which rho~ is computed, so many; default: all",
    )
    parser.add_argument(
        "--order-repetitions",
        type=int,
        required=True,
        help="repetitions 0, 1, ... for which the constant of order s is bracketed, so many",
    )
    parser.add_argument(
        "--order-starts",
        type=int,
        required=True,
        help="random starts of the local search for the constant of order s",
    )
    args = parser.parse_args()

    first, last = args.repetitions
    rows = []
    for index in range(first, last + 1):
        with repetition(args.output, index):
            rows.append(record(args, index))
    write_table(args.output, pd.DataFrame(rows))


def record(args, index):
    problem = random_problem(**random_problem_options(args), eta=0.0, repetition=index)
    found = recovery(problem.matrix, problem.data, problem.signal, args.support_threshold)
    tilde_wanted = args.rho_tilde_repetitions is None or index < args.rho_tilde_repetitions
    rho, rho_tilde = constants(problem.matrix, found.minimizer, tilde_wanted, args.enumerate_up_to)
    order = ABSENT
    if index < args.order_repetitions:
        axes = {name: getattr(args, name) for name in ("ensemble", "N", "d", "s", "seed")}
        rng = generator(stream="order", repetition=index, **axes)
        starts = [problem.signal, *rng.standard_normal((args.order_starts, args.d))]
        order = order_constant(problem.matrix, args.s, starts)
    return {
        "ensemble": args.ensemble,
        "N": args.N,
        "d": args.d,
        "s": args.s,
        "delta": args.N / args.d,
        "sparsity": args.s / args.N,
        "repetition": index,
        "status": found.minimizer.status,
        "recovered": found.recovered,
        "rho_planted": found.rho_planted,
        "rho_lower": rho.lower,
        "rho_upper": rho.upper,
        "rho_tilde_lower": rho_tilde.lower,
        "rho_tilde_upper": rho_tilde.upper,
        "rho_tilde_method": rho_tilde.method,
        "order_lower": order.lower,
        "order_upper": order.upper,
    }


def constants(matrix, minimizer, tilde_wanted, enumerate_up_to):
    """Brackets of rho and rho~ of the minimizer; nothing is known without a dual vector."""
    if minimizer.certificate is None:
        return ABSENT, ABSENT
    geometry = support_geometry(matrix, minimizer.support)
    sigma = np.sign(minimizer.point[minimizer.support])
    _, lower = kernel_witness(geometry, minimizer.certificate.direction, sigma)
    rho = Bracket(lower, 1.0 - minimizer.margin, "witnesses")
    if not tilde_wanted:
        return rho, ABSENT
    return rho, null_space_constant(geometry, sigma, enumerate_up_to, 0)


if __name__ == "__main__":
    run(main)
