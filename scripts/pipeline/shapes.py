"""Shapes of an initialization, read from a file of the user's own."""

import csv
import math
from pathlib import Path

import numpy as np

from implicit_l1.problems.ensembles import ProblemError
from pipeline.origin import remember_own
from pipeline.sizes import TooLargeError, check_file


def read_shapes(path: str | Path, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(w_u, w_v) from a CSV file with the columns u and v, or u alone for v = u.

    Args:
        path: of the file.
        size: d, the number of its rows.
    Returns:
        shape (d,) each.
    Raises:
        ProblemError: naming the file and what is wrong with it.
    """
    try:
        check_file(path)
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            head, *rows = [row for row in csv.reader(file) if row]
    except TooLargeError:
        raise
    except (OSError, ValueError) as error:
        raise ProblemError(f"{path}: cannot be read as CSV with a header ({error})") from error
    remember_own(path)
    names = [name.strip() for name in head]
    if names not in (["u"], ["u", "v"]):
        raise ProblemError(f"{path}: its columns are {', '.join(names)}; allowed: u, or u and v")
    if len(rows) != size:
        raise ProblemError(f"{path}: it has {len(rows)} rows for {size} columns of A")
    values = np.empty((size, len(names)))
    for place, row in enumerate(rows):
        try:
            values[place] = [float(text) for text in row] if len(row) == len(names) else math.nan
        except ValueError:
            values[place] = math.nan
        if not (np.all(np.isfinite(values[place])) and np.all(values[place] > 0)):
            raise ProblemError(f"{path}: row {place + 1} is {row}; allowed: positive numbers")
    return values[:, 0], values[:, -1]
