r"""Data that are a product A x in floating point, told from data that are not.

Whoever computes ``y = A @ x`` gets the product rounded: with k terms that are not 0 in row i,
in whatever order they are added,

    |y_i - (A x)_i| <= gamma_k (|A| |x|)_i,     gamma_k = k u / (1 - k u),

u the unit roundoff, as long as no product underflows; one that does adds half of the smallest
double (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, sections 3.1 and 2.1).
The l1 minimizer of the rounded data has N entries instead of those of x, most of them of the
size of the rounding.  Here ``A x`` is computed exactly, so nothing but the data's own rounding
is in the comparison.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from implicit_l1.linear.exact import as_rational, exact_product, rational_rank
from implicit_l1.linear.programs import least_norm_vertex
from implicit_l1.linear.units import unit_of
from implicit_l1.problems.doubles import UNIT_ROUNDOFF

# exponents of the smallest positive and the smallest normal number, by unit roundoff
_SMALLEST = {2.0**-53: (-1074, -1022), 2.0**-24: (-149, -126), 2.0**-11: (-24, -14)}


def nearest_doubles(numbers: Iterable[fmpq]) -> np.ndarray:
    """Rational numbers, each rounded once, to the nearest double.

    Args:
        numbers: fmpq, N of them.
    """
    return np.array([int(value.p) / int(value.q) for value in numbers])  # rounded once by Python


def rounding_bounds(
    matrix: np.ndarray, x: np.ndarray, unit_roundoff: float, exponent: int = 0
) -> list[fmpq]:
    """Largest distance of ``A @ x`` computed in floating point from A x, entry by entry.

    Args:
        matrix: A, shape (N, d).
        x: shape (d,).
        unit_roundoff: u of the precision in which the data are held; where that is less than
            double precision, one rounding more is allowed for, of a product computed better.
        exponent: A was ``2^exponent`` times as large where the product was computed: where
            products underflow depends on it.
    Returns:
        N rational numbers.
    """
    u = fmpq(1, int(1 / unit_roundoff))
    sizes = exact_product(np.abs(matrix), np.abs(x))
    terms = np.count_nonzero(matrix[:, np.flatnonzero(x)], axis=1) + (unit_roundoff > UNIT_ROUNDOFF)
    gammas = [k * u / (1 - k * u) for k in map(int, terms)]
    lost = _underflows(matrix, x, *(limit - exponent for limit in _SMALLEST[unit_roundoff]))
    return [
        gamma * size + underflow for gamma, size, underflow in zip(gammas, sizes, lost, strict=True)
    ]


def _underflows(matrix, x, smallest, normal):
    """What underflow adds: half of 2^smallest for each product that it rounds."""
    kept = np.flatnonzero(x)
    matrix, x = matrix[:, kept], x[kept]
    # the product of two doubles is an odd multiple of the product of their last bits
    rounded = _last_bit(matrix) + _last_bit(x) < smallest
    small = np.frexp(matrix)[1] + np.frexp(x)[1] - 2 < normal
    counts = np.count_nonzero(rounded & small & (matrix != 0), axis=1)
    half = fmpq(2) ** (smallest - 1)
    return [half * count for count in counts.tolist()]


def _last_bit(values):
    """The exponent of the last bit of each double; 0 of 0."""
    fractions, exponents = np.frexp(values)
    whole = (fractions * 2.0**53).astype(np.int64)
    trailing = np.frexp((whole & -whole).astype(float))[1] - 1
    return np.where(whole == 0, 0, exponents - 53 + trailing)


def first_beyond_rounding(
    matrix: np.ndarray, x: np.ndarray, data: np.ndarray, unit_roundoff: float, exponent: int = 0
) -> tuple[int, float, float] | None:
    """The first row in which y is not A x to rounding, see :func:`rounding_bounds`.

    Returns:
        None if there is none, else (row, ``|y_i - (A x)_i|``, its bound) in floating point.
    """
    products = exact_product(matrix, x)
    bounds = rounding_bounds(matrix, x, unit_roundoff, exponent)
    for row, (value, product, bound) in enumerate(
        zip(data.tolist(), products, bounds, strict=True)
    ):
        distance = abs(as_rational(value) - product)
        if distance > bound:
            return row, *nearest_doubles([distance, bound]).tolist()
    return None


@dataclass(frozen=True)
class Explanation:
    """A solution with few entries that explains the data to their rounding.

    Attributes:
        preimage: x, doubles, zero but for fewer than N entries, shape (d,).
        exact: whether the data are a combination of the columns of its support as they are, so
            that to explain them takes no rounding.
    """

    preimage: np.ndarray
    exact: bool

    @property
    def size(self) -> int:
        return int(np.count_nonzero(self.preimage))


def explanation(
    matrix: np.ndarray, data: np.ndarray, most: int, unit_roundoff: float = UNIT_ROUNDOFF
) -> Explanation | None:
    """The solution with the fewest entries of an l1 minimizer that explains y to its rounding.

    Of an l1 minimizer, computed in floating point, the k largest entries are kept, x on them is
    fitted again, and k is the least for which

        sum_i (y_i - (A x)_i)^2 / b_i^2 <= N,   b = gamma_{k+2} |A| |x|.

    If y is ``A @ x_0``, rounded, with x_0 on these k entries, x_0 satisfies this with gamma_k
    in each row by itself, the weighted least squares solution with a sum that is no larger, and
    its rounding to doubles adds one u.  (Derived for this project.)  A fit with a larger norm
    than twice the minimizer's is none: it explains by cancellation.

    Args:
        matrix: A, of the order of 1, shape (N, d).
        data: y, shape (N,).
        most: largest k, less than N.  Up to N/2 the solution is, with A in general position,
            the only one with so few entries (Donoho and Elad, *Optimally sparse representation
            in general (nonorthogonal) dictionaries*, PNAS 2003).
        unit_roundoff: u of the precision in which y is held.
    Returns:
        an Explanation; None if there is none, as for nearly all data with noise.
    Raises:
        LinearProgramError: if no minimizer is found.
    """
    if most < 1:
        return None
    # rows of the order of 1, which changes neither solutions nor quotients by b
    shift = np.frexp(np.abs(matrix).max(axis=1))[1]
    matrix, data = np.ldexp(matrix, -shift[:, None]), np.ldexp(data, -shift)
    point = _minimizer(matrix, data)
    order = np.argsort(-np.abs(point), kind="stable")
    few, many = 0, min(most, int(np.count_nonzero(point))) + 1
    best = None
    while many - few > 1:
        count = (few + many) // 2
        x = _explaining(matrix, data, point, order[:count], unit_roundoff)
        if x is None:
            few = count
        else:
            best, many = x, count
    if best is None:
        return None
    kept = np.flatnonzero(best)
    columns = matrix[:, kept].T
    exact = rational_rank(np.vstack([columns, data])) == rational_rank(columns)
    return Explanation(best, exact)


def _minimizer(matrix, data):
    """An l1 minimizer in floating point; a vertex, so that entries off its support are 0."""
    unit = unit_of(data)
    with np.errstate(all="ignore"):  # a point that is not finite explains nothing
        point, _ = least_norm_vertex(matrix, data / unit)
    return unit * point


def _explaining(matrix, data, point, support, unit_roundoff):
    """x on a support that explains y to its rounding, shape (d,); None if there is none."""
    columns = matrix[:, support]
    count = support.size + 2
    gamma = count * unit_roundoff / (1.0 - count * unit_roundoff)
    values, weights = point[support], np.ones(len(data))
    # Weights settle in floating point, where residuals are wrong by about the bounds: it tells
    # most supports that do not explain.  Then corrections of residuals that are exact.
    for exactly, largest in ((False, np.inf), (False, 1e6), (True, np.inf), (True, 1.0)):
        gap = _gap(columns, values, data, exactly)
        values = values + np.linalg.lstsq(columns * weights[:, None], gap * weights, rcond=None)[0]
        bounds = gamma * (np.abs(columns) @ np.abs(values))
        with np.errstate(over="ignore"):
            weights = 1.0 / np.where(bounds > 0.0, bounds, 1.0)
        if not np.isfinite(weights).all():  # doubles do not hold what rounding may be
            return None
        weights /= weights.max()
        if (
            largest < np.inf
            and not _misfit(_gap(columns, values, data, exactly), bounds) <= largest
        ):
            return None
    if np.abs(values).sum() > 2.0 * np.abs(point).sum():
        return None
    x = np.zeros(matrix.shape[1])
    x[support] = values
    return x


def _gap(columns, values, data, exactly):
    """``y - A x``, rounded once or up to the rounding of the product."""
    if not exactly:
        return data - columns @ values
    products = exact_product(columns, values)
    return nearest_doubles(
        [
            as_rational(value) - product
            for value, product in zip(data.tolist(), products, strict=True)
        ]
    )


def _misfit(gap, bounds):
    """The mean of the squares of residuals over their bounds; inf where a bound of 0 is missed."""
    some = bounds > 0.0
    if np.any(gap[~some]):
        return np.inf
    return np.sum((gap[some] / bounds[some]) ** 2) / len(gap)
