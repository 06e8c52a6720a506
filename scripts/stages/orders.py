"""Stage orders: null space constants of an order, without noise.

For each repetition: whether the planted signal is the l1 minimizer, the constants rho of
the planted signal and of the minimizer, rho~ of the minimizer's support, and the null space
constant of order s.  What can be proved of them is in a table of the form of stage
certificates.
"""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.minimizer.null_space import UNKNOWN, Bracket, constants_of, rho_of
from implicit_l1.minimizer.orders import order_constant
from implicit_l1.minimizer.recovery import Recovery, recovery
from implicit_l1.problems.ensembles import ENSEMBLES, MAGNITUDES
from implicit_l1.problems.problem import Problem, random_problem
from implicit_l1.problems.seeds import generator
from implicit_l1.proof import statements
from pipeline.command_line import (
    add_exact_up_to,
    add_planted,
    random_problem_options,
    repetition,
    run,
)
from pipeline.tidy import table_of_statements, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="the Parquet file: one row a repetition")
    parser.add_argument(
        "--certificates", required=True, help="the Parquet file: one row a proved quantity"
    )
    add_planted(parser, ENSEMBLES, MAGNITUDES)
    add_exact_up_to(parser)
    parser.add_argument(
        "--order-repetitions",
        type=int,
        required=True,
        help="repetitions 0, 1, ... for which rho~ and the constant of order s are bracketed, so "
        "many",
    )
    parser.add_argument(
        "--order-starts",
        type=int,
        required=True,
        help="random starts of the local search for the constant of order s",
    )
    args = parser.parse_args()
    args.label = args.label or args.ensemble

    first, last = args.repetitions
    rows, proofs = [], []
    for index in range(first, last + 1):
        with repetition(args.output, index):
            problem = random_problem(**random_problem_options(args), eta=0.0, repetition=index)
            found = recovery(problem.matrix, problem.data, problem.signal)
            wanted = index < args.order_repetitions
            minimizer, rho, rho_tilde = found.minimizer, rho_of(found.minimizer.margin), UNKNOWN
            if wanted:
                rho, rho_tilde = constants_of(
                    problem.matrix, minimizer.point, minimizer.margin, args.exact_up_to
                )
            order = order_of(problem, index, args) if wanted else UNKNOWN
            rows.append(record(args, index, found, rho, rho_tilde, order))
            given = problem, found, rho_tilde if wanted else None
            proofs.append((index, statements.at_some_precision(statements.recovery, *given)))
    write_table(args.output, pd.DataFrame(rows))
    cell = {"ensemble": args.label, **{name: getattr(args, name) for name in ("N", "d", "s")}}
    cell |= {"eta": 0.0, "m": None, "family_rho": None, "depth": None}
    write_table(args.certificates, table_of_statements(cell, proofs))


def order_of(problem: Problem, index: int, args: argparse.Namespace) -> Bracket:
    """The bracket of the constant of order s."""
    axes = {name: getattr(args, name) for name in ("N", "d", "s", "seed")}
    rng = generator(stream="order", ensemble=args.label, repetition=index, **axes)
    random = rng.standard_normal((args.order_starts, args.d))
    starts = np.vstack([problem.signal, random])
    return order_constant(problem.matrix, args.s, starts)


def record(
    args: argparse.Namespace,
    index: int,
    found: Recovery,
    rho: Bracket,
    rho_tilde: Bracket,
    order: Bracket,
) -> dict:
    """The row of one repetition."""
    return {
        "ensemble": args.label,
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


if __name__ == "__main__":
    run(main)
