"""Problems as a command line names them: of an ensemble, a family, or in files of one's own."""

import argparse

import numpy as np

from implicit_l1.problems.ensembles import ENSEMBLES, MAGNITUDES, NOISES, ProblemError
from implicit_l1.problems.problem import one_dimensional_kernel, random_problem
from implicit_l1.problems.seeds import generator
from pipeline.command_line import (
    add_law,
    add_random_problem,
    add_repetitions,
    given,
    random_problem_options,
    repetition,
)
from pipeline.own_data import read_problem
from pipeline.records.problems import Problems


def problem_parser(description: str | None) -> argparse.ArgumentParser:
    """The options of a block of repetitions of a problem."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--output", required=True, help="the .npz file to write")
    add_repetitions(parser)
    ensembles = parser.add_subparsers(dest="ensemble", required=True)
    for name, ensemble in ENSEMBLES.items():
        doc = ensemble.doc.replace("%", "%%")
        random = ensembles.add_parser(name, help=doc, description=doc)
        add_random_problem(random, {name: ensemble}, MAGNITUDES)
        random.add_argument("--eta", type=float, required=True, help="||noise|| / ||A x_0||")
        add_law(random, "--noise-law", "law of the noise", "noise", NOISES, default="gaussian")
    kernel = ensembles.add_parser("one_dimensional_kernel", help="an explicit family")
    kernel.add_argument("--m", type=int, required=True, help="rows of A, which has m + 1 columns")
    kernel.add_argument("--rho", type=float, required=True, help="null space constant")
    file = ensembles.add_parser("file", help="a problem of your own: one, or parts of its rows")
    file.add_argument("--path", required=True, help="A, with y in .npz and .csv: .npz, .csv, .mtx")
    file.add_argument("--data", help="y, where it is not in the file of A: .csv, .mtx")
    file.add_argument("--signal", help="x_0, where it is known and not in that file: .csv, .mtx")
    file.add_argument(
        "--noiseless",
        action="store_true",
        help="y is a product A x, rounded: of x_0 where it is known, else of the largest entries "
        "of an l1 minimizer, as few as explain y to its rounding",
    )
    file.add_argument(
        "--held-out",
        type=int,
        default=0,
        help="so many rows, drawn for each repetition, are no part of the problem: there its "
        "solutions are compared with y",
    )
    file.add_argument("--seed", type=int, help="root of these draws")
    return parser


def drawn(args: argparse.Namespace) -> Problems:
    """The problems that these options name.

    Raises:
        Failure: naming the repetition that cannot be drawn.
    """
    first, last = args.repetitions
    problems = []
    for index in range(first, last + 1):
        with repetition(args.output, index):
            problems.append(_draw(args, index))
    return Problems.of(np.arange(first, last + 1), problems)


def _draw(args, index):
    if args.ensemble == "one_dimensional_kernel":
        return one_dimensional_kernel(m=args.m, rho=args.rho)
    if args.ensemble == "file":
        return _read(args, index)
    options = random_problem_options(args)
    noise = {"law": args.noise_law, **given(args, "noise")}
    return random_problem(**options, eta=args.eta, noise=noise, repetition=index)


def _read(args, index):
    """The problem of a file, or that of the rows which are left to a repetition."""
    if not args.held_out:
        if index != 0:
            raise ProblemError("a file holds one problem, repetition 0")
        return read_problem(args.path, args.data, args.signal, noiseless=args.noiseless)
    if args.seed is None:
        raise ProblemError("--held-out needs --seed, from which rows are drawn")
    rng = generator(stream="held_out", seed=args.seed, rows=args.held_out, repetition=index)
    return read_problem(
        args.path,
        args.data,
        args.signal,
        noiseless=args.noiseless,
        held_out=args.held_out,
        rng=rng,
    )
