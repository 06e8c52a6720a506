"""Stage phase: one cell of the phase diagram of l1 recovery, without noise.

For each repetition: whether the planted signal is the l1 minimizer, the constants rho of
the planted signal and of the minimizer, rho~ of the minimizer's support, and the null space
constant of order s.  What can be proved of them is in a table of the form of stage
certificates.
"""

import argparse

import numpy as np

from implicit_l1.minimizer.null_space import Bracket, null_space_constant
from implicit_l1.minimizer.phase import order_constant, recovery
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.problems.ensembles import ENSEMBLES, MAGNITUDES
from implicit_l1.problems.problem import random_problem
from implicit_l1.problems.seeds import generator
from implicit_l1.proof.constants import pattern_constant
from implicit_l1.proof.frame import NotProved, coordinates
from implicit_l1.proof.minimizer import ProvedMinimizer, prove_minimizer
from pipeline.command_line import (
    add_enumeration,
    add_random_problem,
    random_problem_options,
    repetition,
    run,
)
from pipeline.storage import write_table
from pipeline.tidy import from_rows, with_cell
from stages.certificates import COLUMNS, at_some_precision, attempt, bracket_rows, row

ABSENT = Bracket(np.nan, np.nan, "none")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="the Parquet file: one row a repetition")
    parser.add_argument(
        "--certificates", required=True, help="the Parquet file: one row a proved quantity"
    )
    parser.add_argument(
        "--repetitions", nargs=2, type=int, required=True, metavar=("FIRST", "LAST")
    )
    parser.add_argument("--ensemble", choices=ENSEMBLES, default="gaussian")
    add_random_problem(parser, ENSEMBLES, MAGNITUDES)
    parser.add_argument("--label", help="the ensemble in words; default: its name")
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
    args.label = args.label or args.ensemble

    first, last = args.repetitions
    rows, proofs = [], []
    for index in range(first, last + 1):
        with repetition(args.output, index):
            problem = random_problem(**random_problem_options(args), eta=0.0, repetition=index)
            found = recovery(problem.matrix, problem.data, problem.signal)
            wanted = args.rho_tilde_repetitions is None or index < args.rho_tilde_repetitions
            minimizer, most = found.minimizer, args.enumerate_up_to
            rho, rho_tilde = constants(problem.matrix, minimizer, wanted, most)
            rows.append(record(args, index, problem, found, rho, rho_tilde))
            proofs += [
                {"repetition": index, **proof}
                for proof in at_some_precision(certify, problem, found, rho_tilde, wanted)
            ]
    write_table(args.output, from_rows(rows, rows[0]))
    cell = {"ensemble": args.label, **{name: getattr(args, name) for name in ("N", "d", "s")}}
    cell |= {"eta": 0.0, "m": None, "family_rho": None, "depth": None}
    write_table(args.certificates, with_cell(cell, from_rows(proofs, COLUMNS)))


def certify(problem, found, rho_tilde, tilde_wanted):
    """Rows of what is proved of one instance: rho of x_0, and constants of its minimizer."""
    minimizer, proof, rho = found.minimizer, None, None
    if minimizer.certificate is not None:
        nu = minimizer.certificate.nu
        proof = attempt(prove_minimizer, problem.matrix, problem.data, minimizer.point, nu)
    if isinstance(proof, ProvedMinimizer):
        rho = attempt(pattern_constant, proof.coordinates, proof.sigma, nu)
        rho = rho if isinstance(rho, NotProved) else rho.value
    if rho is not None and _has_signs_of(problem.signal, proof):
        rho_planted = rho
    else:
        rho_planted = attempt(planted_constant, problem, found.planted_dual)
    rows = [row("rho_planted", rho_planted)]
    if rho is None:
        reason = proof or NotProved("there is no dual vector to start from")
        return [*rows, row("margin", reason)]
    rows += [row("margin", proof.margin), row("rho", rho)]
    if tilde_wanted:
        rows += bracket_rows(proof.coordinates, rho_tilde.patterns, rho_tilde.duals)
    return rows


def _has_signs_of(signal, proof):
    """Whether a proved minimizer has the support and the signs of x_0."""
    support = np.flatnonzero(signal)
    return np.array_equal(support, proof.support) and np.array_equal(
        np.sign(signal[support]), proof.sigma
    )


def planted_constant(problem, dual):
    """Enclosure of rho of support and signs of x_0."""
    if dual is None:
        raise NotProved("there is no dual vector to start from")
    support = np.flatnonzero(problem.signal)
    signs = np.sign(problem.signal[support])
    frame = coordinates(problem.matrix, support)
    return pattern_constant(frame, signs, dual).value


def record(args, index, problem, found, rho, rho_tilde):
    order = ABSENT
    if index < args.order_repetitions:
        axes = {name: getattr(args, name) for name in ("N", "d", "s", "seed")}
        rng = generator(stream="order", ensemble=args.label, repetition=index, **axes)
        starts = [problem.signal, *rng.standard_normal((args.order_starts, args.d))]
        order = order_constant(problem.matrix, args.s, starts)
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


def constants(matrix, minimizer, tilde_wanted, enumerate_up_to):
    """Brackets of rho and rho~ of the minimizer; nothing is known without a dual vector."""
    if minimizer.certificate is None:
        return ABSENT, ABSENT
    rho = Bracket(1.0 - minimizer.margin, 1.0 - minimizer.margin, "decided")
    geometry = support_geometry(matrix, minimizer.support)
    sigma = np.sign(minimizer.point[minimizer.support])
    if not tilde_wanted:
        return rho, ABSENT
    return rho, null_space_constant(geometry, sigma, enumerate_up_to, 0)


if __name__ == "__main__":
    run(main, ("--output", "--certificates"))
