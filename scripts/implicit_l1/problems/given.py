"""Problems that are given, not drawn: arrays of any kind become A and y, checked and scaled.

*Scale.*  (A, y) and (A, y) / 2^e have the same solutions, and the same limits of the flow.  Both
are divided by the power of two nearest to max |A_ij|, exactly, so that all powers of two times
(A, y) are one problem, and what is computed from them overflows as little as it can.  x, and so
alpha, is what it was.  Time is that of the divided problem: the flow of (A, y) is at t where it
is at 2^(2e) t.  The limits of what can be represented are errors.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from implicit_l1.linear.exact import exact_product
from implicit_l1.problems.doubles import UNIT_ROUNDOFF, as_array, as_doubles, check_finite
from implicit_l1.problems.ensembles import ProblemError
from implicit_l1.problems.problem import Problem, checked
from implicit_l1.problems.product import explanation, nearest_doubles

# x has entries of this size or less, and ||x||_1 at least its inverse: between 8e-31 and 1e30.
# alpha, of which x is a multiple, is between 1e-300 and 1e3.
LARGEST = 2.0**100


def given_problem(A: ArrayLike, y: ArrayLike, noiseless: bool = False) -> Problem:
    """The problem ``A x = y`` of two arrays, lists of numbers as well.

    Args:
        A: shape (N, d), N < d, of full row rank; exact as the doubles it holds.
        y: shape (N,), for N = 1 a number as well; not 0; exact likewise, unless `noiseless`.
        noiseless: y is a product A x that was rounded, and is taken as the exact image of the
            largest entries of an l1 minimizer, as few as explain y to its rounding
            (:func:`implicit_l1.problems.product.explanation`): of x, where x is the minimizer and
            columns are of one size; a column far smaller than others may take up rounding.
            Without, the l1 minimizer of such a y has N entries, most of which are rounding errors.
    Returns:
        The problem; x_0 is not known.
    Raises:
        ProblemError: a ValueError that names the argument and what is wrong with it: entries that
            are no real numbers, no doubles or not finite; shapes that do not fit; N >= d; an A
            without full row rank or too near to such a matrix; y = 0; sizes beyond what is
            computed with; with `noiseless`, a y that is no such product.
    """
    matrix, data = as_doubles(as_array(A, "A"), "A"), as_doubles(as_array(y, "y"), "y")
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ProblemError(f"A must be a matrix with rows and columns, its shape is {matrix.shape}")
    if data.shape != matrix.shape[:1]:
        raise ProblemError(
            f"y must have the shape {matrix.shape[:1]}, an entry for each row of A, and not "
            f"{data.shape}"
        )
    for values, name in ((matrix, "A"), (data, "y")):
        check_finite(values, name)
    problem = checked(Problem(matrix, np.full(matrix.shape[1], np.nan), data))
    check_size(problem)
    if not noiseless:
        return problem
    most = len(data) - 1
    found = explanation(matrix, data, most, UNIT_ROUNDOFF)
    if found is None:
        raise ProblemError(
            f"noiseless is true, but no l1 minimizer with at most {most} nonzero entries, "
            "fewer than A has rows, explains y to its rounding"
        )
    # data that need no rounding are not changed by it
    return problem if found.exact else as_product(problem, found.preimage)


def scale_exponent(matrix: NDArray[np.float64]) -> int:
    """The e for which 2^e is nearest to max |A_ij|, by factors."""
    fraction, exponent = np.frexp(np.abs(matrix).max())
    # decided without a logarithm, so that it moves with the scale
    return int(exponent) - int(fraction < math.sqrt(0.5))


def divided(values: NDArray[np.float64], exponent: int, name: str) -> NDArray[np.float64]:
    """Values / 2^exponent.

    Raises:
        ProblemError: with the name, if that is not exact.
    """
    with np.errstate(over="ignore", under="ignore"):
        quotients = np.ldexp(values, -exponent)
        places = np.argwhere(np.ldexp(quotients, exponent) != values)
    if len(places):
        place = ", ".join(map(str, places[0].tolist()))
        value = values[tuple(places[0])]
        raise ProblemError(
            f"{name}[{place}] = {value} is too far from the scale of A, whose largest "
            f"entry is about 2^{exponent}: divided by that it must be a double, 0 or between "
            "5e-324 and 1.8e308 and without loss of a digit"
        )
    return quotients


def standardized(problem: Problem) -> tuple[Problem, int]:
    """The problem with A and y divided by the power of two 2^e nearest to max |A_ij|, and e.

    Raises:
        ProblemError: if an entry of A or y cannot be divided exactly.
    """
    exponent = scale_exponent(problem.matrix)
    matrix = divided(problem.matrix, exponent, "A")
    data = divided(problem.data, exponent, "y")
    return replace(problem, matrix=matrix, data=data), exponent


def check_size(problem: Problem) -> None:
    """Raise an error if x is beyond what is computed with.

    ``|y_i| / max_j |A_ij|`` is at most ``||x||_1`` of every solution.

    Raises:
        ProblemError: with that size and the limits.
    """
    with np.errstate(over="ignore", under="ignore"):
        size = np.max(np.abs(problem.data) / np.abs(problem.matrix).max(axis=1))
    if not 1.0 / LARGEST <= size <= LARGEST:
        raise ProblemError(
            "the largest |y_i| / max_j |A_ij|, which ||x||_1 of a solution cannot be "
            f"less than, is {size:.1e}; it must be between {1.0 / LARGEST:.1e} and "
            f"{LARGEST:.1e}: multiply y (and with it x_0 and the scales alpha) by a number"
        )


def as_product(problem: Problem, preimage: NDArray[np.float64]) -> Problem:
    """The problem with y = A x exactly, for a given x of shape (d,).

    Raises:
        ProblemError: if an entry of y underflows.
    """
    exact = exact_product(problem.matrix, preimage)
    data = nearest_doubles(exact)
    for row, value in enumerate(exact):
        if value and abs(data[row]) < np.finfo(float).tiny:
            raise ProblemError(
                f"y = A x0 underflows: in row {row}, in units of max |A_ij|, it is less "
                f"than {np.finfo(float).tiny:.1e} and not 0"
            )
    size = int(np.count_nonzero(preimage))
    return replace(problem, data=data, preimage=preimage, noiseless_support=size)
