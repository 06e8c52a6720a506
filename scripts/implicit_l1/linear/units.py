"""Powers of two that bring numbers to the order of 1: dividing by one changes no digit.

What solvers tolerate is absolute, so they are given values of the order of 1.
"""

from decimal import ROUND_CEILING, Context, Decimal

import numpy as np

# Rows whose largest entries differ by less than this power of two are left as they are.
BALANCED = 10

# Exponents to base 2 of numbers that may be computed with.
_ROOM = 1000


def unit_of(values: np.ndarray, axis: int | tuple[int, ...] | None = None) -> np.ndarray:
    """The power of two nearest to the largest absolute value, along an axis if one is given.

    What solvers tolerate is absolute: they are given values of the order of 1, and a division
    by a power of two changes no digit.
    """
    return 2.0 ** np.rint(np.log2(np.abs(values).max(axis=axis)))


def divides(values: np.ndarray, unit: float) -> bool:
    """Whether a power of two divides all entries without rounding: none is lost to underflow."""
    with np.errstate(over="ignore", under="ignore"):
        return bool(np.array_equal(values / unit * unit, values))


def dividing_unit(values: np.ndarray) -> float:
    """The unit of values where it divides them, else 1."""
    unit = float(unit_of(values))
    return unit if divides(values, unit) else 1.0


def exponents(values: np.ndarray, axis: int) -> np.ndarray:
    """The e with 2^(e - 1) <= largest absolute value < 2^e, along an axis; 0 where all are 0."""
    return np.frexp(np.abs(values).max(axis=axis))[1]


def check_room(matrix: np.ndarray) -> None:
    """See that the largest entry of A is not next to the ends of the doubles.

    Raises:
        ValueError: if it is, or is no number.
    """
    size = np.abs(matrix).max()
    if not 2.0**-_ROOM <= size <= 2.0**_ROOM:
        raise ValueError(
            f"A: its largest entry must be between 2^-{_ROOM} and 2^{_ROOM}, not {size}: "
            "multiply A by a power of two"
        )


def four_digits_up(value: float) -> Decimal:
    """The least decimal number of four digits that is not below a value.

    What is not the same on every machine to its last bit has the same after this, but for a
    value that happens to lie next to such a number.
    """
    return Context(prec=4, rounding=ROUND_CEILING).create_decimal(Decimal(float(value)))
