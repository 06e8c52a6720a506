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
