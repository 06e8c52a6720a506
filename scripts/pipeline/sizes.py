"""What is too large: told before memory is taken.

The largest problem of the project has 10^7 entries of A and takes 0.8 GB a job; the limits are
ten times that, and beyond them a file is a mistake or means harm.
"""

import math
from pathlib import Path

from implicit_l1.problems.ensembles import ProblemError

# Entries of an array, or of the arrays that a job holds at a time: 0.8 GB of doubles, of which a
# job needs several times as much.
MOST_ENTRIES = 10**8
# Bytes of a file with a problem: A with that many entries as doubles, and more.
MOST_BYTES = 10**9


class TooLargeError(ProblemError):
    """Something is beyond a limit; the message has its size and the limit."""


def check_file(path: str | Path) -> None:
    """Raise an error if a file, which is there, is too large to be read.

    Raises:
        TooLargeError: with its size.
    """
    size = Path(path).stat().st_size
    if size > MOST_BYTES:
        raise TooLargeError(f"{path}: has {size} bytes; at most {MOST_BYTES} are read")


def check_shape(path: str | Path, name: str, shape: tuple[int, ...]) -> None:
    """Raise an error if an array is too large to be read.

    Args:
        path: of its file.
        name: of the array.
        shape: as the file has it or promises it.
    Raises:
        TooLargeError: with its shape.
    """
    count = math.prod(shape)
    if count > MOST_ENTRIES:
        words = " x ".join(map(str, shape))
        raise TooLargeError(
            f"{path}: {name} has {words} = {count:.3g} entries; at most {MOST_ENTRIES} are read "
            f"({8 * MOST_ENTRIES / 1e9} GB of doubles)"
        )
