"""Stage problems: draw the instances of a block of repetitions (A, x_0 and y)."""

import argparse

import numpy as np

from command_line import add_random_problem, random_problem_options, repetition, run
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
        add_random_problem(random)
        random.add_argument("--eta", type=float, required=True, help="||noise|| / ||A x_0||")
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
    return random_problem(**random_problem_options(args), eta=args.eta, repetition=index)


if __name__ == "__main__":
    run(main)
