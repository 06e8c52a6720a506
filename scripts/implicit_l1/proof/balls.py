r"""Ball arithmetic: enclosures that are proved, in the notation of the other modules.

A ball of python-flint (``arb``: midpoint and radius) contains the number it stands for,
whatever was rounded on the way.  A double is an exact ball; the working precision is
that of ``flint.ctx``, set by the caller with ``ctx.workprec``.  Where a ball is too wide
for a statement, the statement is not made: the functions raise or return a wide ball,
never a wrong one.
"""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np
from flint import arb, arb_mat, ctx, fmpz
from numpy.typing import ArrayLike


def ball(value: float | arb) -> arb:
    """A double, an integer or a ball as a ball; a double is taken as it is, exactly."""
    if isinstance(value, arb):
        return value
    return arb(int(value)) if isinstance(value, (int, np.integer)) else arb(float(value))


def column(values: Iterable) -> arb_mat:
    """A column vector of balls from a sequence of doubles or balls."""
    entries = list(values)
    return arb_mat(len(entries), 1, entries)


def exact_matrix(array: ArrayLike) -> arb_mat:
    """A matrix of doubles as balls without radius.

    Args:
        array: shape (m, n), n >= 1; m may be 0.
    """
    array = np.asarray(array, dtype=float)
    return arb_mat(*array.shape, array.ravel().tolist())


def to_doubles(matrix: arb_mat) -> np.ndarray:
    """Midpoints of a matrix of balls, rounded to doubles."""
    values = [float(v.mid()) for v in matrix.entries()]
    return np.array(values).reshape(matrix.nrows(), matrix.ncols())


def columns_of(matrix: arb_mat, indices: Sequence[int] | np.ndarray) -> arb_mat:
    """The columns of a matrix at these indices."""
    entries, width = matrix.entries(), matrix.ncols()
    return arb_mat(
        matrix.nrows(),
        len(indices),
        [entries[row * width + index] for row in range(matrix.nrows()) for index in indices],
    )


def scaled(matrix: arb_mat, rows: Sequence[arb] | None, columns: Sequence[arb] | None) -> arb_mat:
    """diag(rows) * matrix * diag(columns); None stands for ones."""
    width, entries = matrix.ncols(), matrix.entries()
    if columns is not None:
        entries = [value * columns[place % width] for place, value in enumerate(entries)]
    if rows is not None:
        entries = [value * rows[place // width] for place, value in enumerate(entries)]
    return arb_mat(matrix.nrows(), width, entries)


def largest(values: Sequence[arb]) -> arb:
    """A ball that contains the largest of the numbers that the balls contain."""
    result = values[0]
    for value in values[1:]:
        result = result.max(value)
    return result


def smallest(values: Sequence[arb]) -> arb:
    """A ball that contains the smallest of the numbers that the balls contain."""
    result = values[0]
    for value in values[1:]:
        result = result.min(value)
    return result


def sum_of_sizes(values: Iterable[arb]) -> arb:
    """The l1 norm."""
    total = arb(0)
    for value in values:
        total += abs(value)
    return total


def sum_of_squares(values: Iterable[arb]) -> arb:
    """The square of the Euclidean norm."""
    total = arb(0)
    for value in values:
        total += value * value
    return total


def is_positive(value: arb) -> bool:
    """Whether a ball contains positive numbers only."""
    return bool(value > 0)


def sign(value: arb) -> float:
    """1.0 or -1.0 where a ball proves it, else 0.0."""
    if value > 0:
        return 1.0
    return -1.0 if value < 0 else 0.0


def relative_radius(value: arb) -> float:
    """Radius over the smallest absolute value in the ball; inf if that is 0."""
    if value.contains(0):
        return 0.0 if value.is_zero() else float("inf")
    return float((value.rad() / value.abs_lower()).upper())


def to_decimals(value: arb, digits: int = 25) -> tuple[str, str]:
    """The ends of a ball as decimal texts, the lower one rounded down, the upper one up.

    Raises:
        ValueError: if the ball is not finite.
    """
    if not value.is_finite():
        raise ValueError("the enclosure is not finite")
    down, up = (
        Context(prec=digits, rounding=rounding, Emax=10**15, Emin=-(10**15))
        for rounding in (ROUND_FLOOR, ROUND_CEILING)
    )
    return str(_decimal(value.lower(), down)), str(_decimal(value.upper(), up))


def _decimal(end, context):
    """An exact binary number as a decimal, rounded as the context says."""
    mantissa, exponent = (int(part) for part in end.man_exp())
    if mantissa == 0:
        return Decimal(0)
    if -20000 < exponent < 20000:
        exact = Decimal(mantissa) if exponent < 0 else Decimal(mantissa << exponent)
        if exponent >= 0:
            return context.plus(exact)
        return context.divide(exact, Decimal(1 << -exponent))
    # far outside the doubles: a decimal enclosure of the number itself, to more digits
    with ctx.workprec(8 * context.prec + 64):
        middle, radius, power = (int(part) for part in end.mid_rad_10exp(context.prec + 10))
    outward = middle - radius if context.rounding == ROUND_FLOOR else middle + radius
    return context.scaleb(context.plus(Decimal(outward)), Decimal(power))


def power_of_ten(exponent: float) -> arb:
    """10^exponent for a double, taken exactly."""
    if float(exponent).is_integer():
        return arb(10) ** fmpz(int(exponent))
    return arb(10) ** arb(float(exponent))
