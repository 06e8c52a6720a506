"""Problems of one's own: A and y, and x_0 where it is known, from files.

What the files hold: :mod:`pipeline.formats`.

*Scale.*  A and y are divided by the power of two nearest to max |A_ij|
(:mod:`implicit_l1.problems.given`).  The lasso path of (A, y) is at mu where that of (A, y) / 2^e
is at 2^(-2e) mu.

*Noiseless data.*  If x_0 is given and y is ``A x_0`` up to the rounding of that product
(:mod:`implicit_l1.problems.product`), y is taken as ``A x_0`` exactly.  Any other difference is
noise, and y is what the file says; but a solution with few entries that explains y to its rounding
is reported with the problem, and the reader can choose to have y taken as its image.
"""

from dataclasses import replace

import numpy as np

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.problems.doubles import UNIT_ROUNDOFF, check_finite
from implicit_l1.problems.ensembles import ProblemError
from implicit_l1.problems.given import LARGEST, as_product, check_size, divided, scale_exponent
from implicit_l1.problems.problem import Problem, Rows, checked
from implicit_l1.problems.product import explanation, first_beyond_rounding
from pipeline.formats import (
    check_kind,
    naming,
    read_column,
    read_csv,
    read_matrix_market,
    read_npz,
)


def read_problem(
    path: str,
    data: str | None = None,
    signal: str | None = None,
    *,
    noiseless: bool = False,
    held_out: int = 0,
    rng: np.random.Generator | None = None,
) -> Problem:
    """The problem that one file holds, or one and those of y and x_0; see :mod:`pipeline.formats`.

    Args:
        path: of ``.npz``, ``.csv`` or ``.mtx``.
        data: path of y, ``.csv`` or ``.mtx``; None if y is in the first file.
        signal: path of x_0, ``.csv`` or ``.mtx``; None if it is in the first file or not known.
        noiseless: y is a product A x, rounded: of x_0 where it is known, else of the solution
            that :func:`implicit_l1.problems.product.explanation` finds.
        held_out: so many rows, drawn by rng, are no part of the problem.
        rng: needed with `held_out`.

    Returns:
        The problem, divided by a power of two; its signal is nan everywhere if x_0 is not known.

    Raises:
        ProblemError: naming the file: if it is missing, cannot be read or lacks something;
            if an entry is no real number, no double or not finite; if shapes do not fit; if
            N >= d, A does not have full row rank or is too near to a matrix that has not, or
            y = 0; if the scales of A, x and y are so far apart that they cannot be represented;
            with noiseless, if y is not that product to rounding; if no row would be left, or y is
            0 on those that are held out.
    """
    kind = check_kind(path, (".npz", ".csv", ".mtx"))
    roundoff = UNIT_ROUNDOFF
    if kind == ".npz":
        for other, name in ((data, "y"), (signal, "x0")):
            if other is not None:
                raise ProblemError(f"{path}: {name} is an array of this file, not in {other}")
        arrays, roundoff = read_npz(path)
        matrix, y, x0 = (arrays.get(name) for name in ("A", "y", "x0"))
    elif kind == ".csv":
        matrix, y = read_csv(path, data is None)
        x0 = None
    else:
        if data is None:
            raise ProblemError(
                f"{path}: Matrix Market holds A alone; y is needed as well, in a file of its own "
                "(key data of the ensemble, option --data)"
            )
        matrix, y, x0 = read_matrix_market(path), None, None
    y = y if data is None else read_column(data)
    x0 = x0 if signal is None else read_column(signal)
    files = [path if p is None else p for p in (path, data, signal)]
    where = path if data is None else f"{path}, {data}"
    problem, exponent = _standardized(_fitting(matrix, y, x0, *files), *files[:2])
    if held_out:
        problem = _without_rows(problem, held_out, rng, where)
    with naming(where):
        problem = checked(problem)
        check_size(problem)
    _check_signal(problem, files[2])
    if x0 is not None:
        return _with_signal(problem, roundoff, exponent, noiseless, where)
    return _without_signal(problem, roundoff, noiseless, where)


def _fitting(matrix, data, signal, path, data_path, signal_path):
    """The problem, if shapes fit and all entries are finite; each array with its file."""
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ProblemError(f"{path}: A must have rows and columns, its shape is {matrix.shape}")
    rows, columns = matrix.shape
    _finite(matrix, "A", path)
    if data.size == columns < rows:
        raise ProblemError(
            f"{data_path}: y has {columns} entries, one for each column of A, whose shape is "
            f"{matrix.shape}; a row is needed for each: transpose A"
        )
    data = _vector(data, rows, "y", "a row", data_path)
    if signal is None:
        return Problem(matrix, np.full(columns, np.nan), data)
    return Problem(matrix, _vector(signal, columns, "x0", "a column", signal_path), data)


def _without_rows(problem, held_out, rng, where):
    """The problem of the rows that are left when so many, chosen by rng, are held out."""
    rows = len(problem.data)
    if held_out < 0:
        raise ProblemError(f"{where}: held_out is {held_out}, it must be at least 1")
    if held_out >= rows:
        raise ProblemError(f"{where}: held_out is {held_out}, and A has {rows} rows: none is left")
    chosen = np.sort(rng.choice(rows, held_out, replace=False))
    apart = Rows(problem.matrix[chosen], problem.data[chosen])
    if not apart.data.any():
        raise ProblemError(
            f"{where}: y is 0 on all {held_out} rows that are held out; hold out more"
        )
    return replace(
        problem,
        matrix=np.delete(problem.matrix, chosen, axis=0),
        data=np.delete(problem.data, chosen),
        held_out=apart,
    )


# --- scale ---


def _standardized(problem, path, data_path):
    """The problem with A and y divided by the power of two 2^e nearest to max |A_ij|, and e.

    Raises:
        ProblemError: naming the file, if an entry cannot be divided exactly.
    """
    exponent = scale_exponent(problem.matrix)
    with naming(path):
        matrix = divided(problem.matrix, exponent, "A")
    with naming(data_path):
        data = divided(problem.data, exponent, "y")
    return replace(problem, matrix=matrix, data=data), exponent


def _check_signal(problem, path):
    """Raise an error if x_0 is beyond what is computed with."""
    largest = np.abs(problem.signal).max()  # nan where it is not known
    if largest > LARGEST:
        raise ProblemError(
            f"{path}: x0 has an entry of size {largest:.1e}; the largest allowed is {LARGEST:.1e}"
        )


# --- noiseless data ---


def _with_signal(problem, roundoff, exponent, noiseless, where):
    """The problem, y taken as A x_0 where it is that to rounding."""
    beyond = first_beyond_rounding(problem.matrix, problem.signal, problem.data, roundoff, exponent)
    if beyond is None:
        return _as_product(problem, problem.signal, where)
    if noiseless:
        row, distance, bound = beyond
        raise ProblemError(
            f"{where}: noiseless is true, but y[{row}] differs from (A x0)[{row}] by "
            f"{distance:.1e} in units of max |A_ij|, rounding of the product by {bound:.1e} at most"
        )
    rest = np.linalg.norm(problem.data - problem.matrix @ problem.signal)
    if rest > np.linalg.norm(problem.data):
        times = rest / np.linalg.norm(problem.data)
        raise ProblemError(
            f"{where}: A x0 is farther from y than 0 is, ||y - A x0|| = {times:.2g} ||y||: are x0, "
            "A and y in the same units and order? If x0 is not known, leave it out"
        )
    return _at_its_word(problem, roundoff)


def _without_signal(problem, roundoff, noiseless, where):
    """The problem, y taken as the image of the solution that explains it, if that is wanted."""
    if not noiseless:
        return _at_its_word(problem, roundoff)
    most = len(problem.data) - 1
    try:
        found = explanation(problem.matrix, problem.data, most, roundoff)
    except LinearProgramError as error:
        raise ProblemError(f"{where}: noiseless is true, but {error}") from error
    if found is None:
        raise ProblemError(
            f"{where}: noiseless is true, but no l1 minimizer with at most {most} nonzero entries, "
            "fewer than A has rows, explains y to its rounding"
        )
    # data that need no rounding are not changed by it
    return problem if found.exact else _as_product(problem, found.preimage, where)


def _at_its_word(problem, roundoff):
    """The problem as it is, and how many entries explain y to its rounding."""
    try:
        found = explanation(problem.matrix, problem.data, len(problem.data) // 2, roundoff)
    except LinearProgramError:
        return replace(problem, noiseless_support=-1)
    if found is None or found.exact:
        return problem
    return replace(problem, noiseless_support=found.size)


def _as_product(problem, preimage, where):
    """The problem with y = A x exactly."""
    with naming(where):
        return as_product(problem, preimage)


def _vector(values, length, name, of_each, path):
    """A vector of this length, a matrix of one column as well; its entries finite."""
    vector = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if vector.shape != (length,):
        raise ProblemError(
            f"{path}: {name} must have an entry for {of_each} of A, {length}; "
            f"its shape is {values.shape}"
        )
    _finite(vector, name, path)
    return np.ascontiguousarray(vector)


def _finite(values, name, path):
    with naming(path):
        check_finite(values, name)
