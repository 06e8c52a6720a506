"""What the programs share: how they end when something is wrong."""

import sys
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):
    """An error with a message for the person who ran the program."""


@contextmanager
def repetition(output, index):
    """Name the cell and the repetition in any error of the library raised inside."""
    try:
        yield
    except (ValueError, RuntimeError, ArithmeticError) as error:
        raise Failure(f"{cell_of(output)}, repetition {index}: {error}") from error


def cell_of(output):
    """The cell that an output belongs to, read off its path: results/<stage>/<cell>/<file>."""
    path = Path(output)
    return "/".join(path.with_suffix("").parts[1:])


def run(main):
    """Call main(); on a failure print one line and exit with status 1."""
    from implicit_l1.storage import DamagedFileError

    try:
        main()
    except (Failure, DamagedFileError) as error:
        sys.exit(f"error: {error}")


def add_random_problem(parser):
    """Options that name a random problem, less its noise."""
    parser.add_argument("--N", type=int, required=True, help="rows of A")
    parser.add_argument("--d", type=int, required=True, help="columns of A")
    parser.add_argument("--s", type=int, required=True, help="nonzero entries of x_0")
    parser.add_argument("--seed", type=int, required=True, help="root of all streams")
    parser.add_argument("--law", required=True, help="law of the magnitudes of x_0")
    parser.add_argument("--low", type=float, help="smallest magnitude")
    parser.add_argument("--high", type=float, help="largest magnitude")


def random_problem_options(args):
    """Those options as arguments of implicit_l1.problems.random_problem."""
    law = {key: getattr(args, key) for key in ("law", "low", "high")}
    return {
        **{key: getattr(args, key) for key in ("ensemble", "N", "d", "s", "seed")},
        "signal": {key: value for key, value in law.items() if value is not None},
    }


def add_support_threshold(parser):
    """The option of basis pursuit."""
    parser.add_argument(
        "--support-threshold",
        type=float,
        required=True,
        help="entries of the solver's point below this fraction of the largest are zero",
    )


def add_enumeration(parser):
    """The option of the null space constant of a support."""
    parser.add_argument(
        "--enumerate-up-to",
        type=int,
        required=True,
        help="largest support for which rho~ is computed exactly, by enumeration",
    )
