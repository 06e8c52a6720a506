"""Stage problems: draw the instances of a block of repetitions (A, x_0 and y)."""

import argparse

import numpy as np

from command_line import repetition, run
from implicit_l1.problems import ENSEMBLES, one_dimensional_kernel, random_problem
from implicit_l1.storage import write_arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="the .npz file to write")
    parser.add_argument(
        "--repetitions", nargs=2, type=int, required=True, metavar=("FIRST", "LAST")
    )
    ensembles = parser.add_subparsers(dest="ensemble", required=True)
    for name in ENSEMBLES:
        random = ensembles.add_parser(name, help=ENSEMBLES[name].__doc__)
        random.add_argument("--N", type=int, required=True, help="rows of A")
        random.add_argument("--d", type=int, required=True, help="columns of A")
        random.add_argument("--s", type=int, required=True, help="nonzero entries of x_0")
        random.add_argument("--eta", type=float, required=True, help="||noise|| / ||A x_0||")
        random.add_argument("--seed", type=int, required=True, help="root of all streams")
        random.add_argument("--law", required=True, help="law of the magnitudes of x_0")
        random.add_argument("--low", type=float, help="smallest magnitude")
        random.add_argument("--high", type=float, help="largest magnitude")
    kernel = ensembles.add_parser("one_dimensional_kernel", help="an explicit family")
    kernel.add_argument("--m", type=int, required=True, help="rows of A, which has m + 1 columns")
    kernel.add_argument("--rho", type=float, required=True, help="null space constant")
    args = parser.parse_args()

    first, last = args.repetitions
    problems = []
    for index in range(first, last + 1):
        with repetition(args.output, index):
            problems.append(draw(args, index))
    write_arrays(
        args.output,
        repetition=np.arange(first, last + 1),
        matrix=np.array([problem.matrix for problem in problems]),
        signal=np.array([problem.signal for problem in problems]),
        data=np.array([problem.data for problem in problems]),
    )


def draw(args, index):
    if args.ensemble == "one_dimensional_kernel":
        return one_dimensional_kernel(m=args.m, rho=args.rho)
    law = {key: getattr(args, key) for key in ("law", "low", "high")}
    return random_problem(
        ensemble=args.ensemble,
        N=args.N,
        d=args.d,
        s=args.s,
        eta=args.eta,
        repetition=index,
        seed=args.seed,
        signal={key: value for key, value in law.items() if value is not None},
    )


if __name__ == "__main__":
    run(main)
