"""Enclosures as pairs of decimals, and the digits that they decide.

Sums, differences and statistics of enclosures are rounded outwards, so what comes out is
an enclosure again.  A median or another order statistic grows with each of its arguments:
its ends are those of the lower and of the upper ends.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from itertools import product
from typing import Self

_LARGEST = 10**15
_DOWN = Context(prec=40, rounding=ROUND_FLOOR, Emax=_LARGEST, Emin=-_LARGEST)
_UP = Context(prec=40, rounding=ROUND_CEILING, Emax=_LARGEST, Emin=-_LARGEST)
_THREE_DOWN = Context(prec=3, rounding=ROUND_FLOOR, Emax=_LARGEST, Emin=-_LARGEST)
_TWO_UP = Context(prec=2, rounding=ROUND_CEILING, Emax=_LARGEST, Emin=-_LARGEST)
_THREE_UP = Context(prec=3, rounding=ROUND_CEILING, Emax=_LARGEST, Emin=-_LARGEST)


@dataclass(frozen=True)
class Interval:
    """A number between two decimals, both included."""

    lower: Decimal
    upper: Decimal

    @classmethod
    def of(cls, lower: str | float | Decimal, upper: str | float | Decimal) -> Self:
        """From decimal texts, integers or doubles (taken exactly).

        Raises:
            ValueError: if they are not the ends of an interval.
        """
        ends = cls(Decimal(lower), Decimal(upper))
        if ends.lower.is_nan() or ends.upper.is_nan() or not ends.lower <= ends.upper:
            raise ValueError(f"{lower} and {upper} are not the ends of an interval")
        return ends

    def __sub__(self, other: Self) -> "Interval":
        return Interval(
            _DOWN.subtract(self.lower, other.upper), _UP.subtract(self.upper, other.lower)
        )

    def __truediv__(self, by: "int | Interval") -> "Interval":
        """Divided by something positive; ValueError otherwise."""
        divisor = by if isinstance(by, Interval) else Interval.of(by, by)
        if not divisor.lower > 0:
            raise ValueError(f"{divisor.lower} is not positive: the ends might change places")
        ends = divisor.lower, divisor.upper
        return Interval(
            min(_DOWN.divide(self.lower, end) for end in ends),
            max(_UP.divide(self.upper, end) for end in ends),
        )

    def scaled(self, by: float) -> "Interval":
        """Times a number, exact as the double that it is."""
        return linear_combination([Fraction(by)], [self])

    def widened(self, by: Decimal) -> "Interval":
        """With a margin on both sides; ValueError if it is negative."""
        if by < 0:
            raise ValueError(f"a margin of {by} would make the interval narrower")
        return Interval(_DOWN.subtract(self.lower, by), _UP.add(self.upper, by))

    def reciprocal(self) -> "Interval":
        """1 over a positive number; ValueError otherwise."""
        if not self.lower > 0:
            raise ValueError(f"{self.lower} is not positive: there is no reciprocal")
        return Interval(_DOWN.divide(1, self.upper), _UP.divide(1, self.lower))

    def __abs__(self) -> "Interval":
        # copy_abs: abs() itself would round to the digits of the default context
        ends = sorted([self.lower.copy_abs(), self.upper.copy_abs()])
        return Interval(Decimal(0) if self.lower <= 0 <= self.upper else ends[0], ends[1])

    def overlaps(self, other: Self) -> bool:
        """Whether some number lies in both."""
        return self.lower <= other.upper and other.lower <= self.upper

    def text(self, style: str) -> str:
        """The number in as many digits as the style asks for, fewer where not so many are known.

        Args:
            style: ".4f" (digits after the point) or ".4g" (significant digits).
        Returns:
            text to which both ends round, so any number of the interval does; without such a
            text the ends themselves, rounded outwards, as "lower..upper".
        """
        for digits in range(int(style[1:-1]), 0 if style[-1] == "g" else -1, -1):
            lower, upper = (rounded(end, digits, style[-1]) for end in (self.lower, self.upper))
            if lower == upper:
                return lower
        ends = (_THREE_DOWN.plus(self.lower), _THREE_UP.plus(self.upper))
        return "..".join(rounded(end, 3, "g") for end in ends)


def rounded(value: Decimal, digits: int, kind: str) -> str:
    """A decimal as text: so many digits after the point ("f") or significant ones ("g").

    Zeros at the end are kept, they are digits too; a zero has no sign.
    """
    if value.is_infinite():
        return str(float(value))
    text = format(value, f".{digits}f" if kind == "f" else f".{max(digits - 1, 0)}e")
    if not Decimal(text):
        return text.removeprefix("-") if kind == "f" else "0"
    if kind == "f":
        return text
    mantissa, exponent = text.lower().split("e")
    if -4 <= int(exponent) < digits:
        return format(Decimal(text), "f")
    return f"{mantissa}e{int(exponent):+03d}"


def is_number(text: str) -> bool:
    """Whether a text is a finite number as it is printed in decimals."""
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def stands_for(text: str) -> Interval:
    """The interval of half a unit of the last digit around a printed number."""
    value = Decimal(text)
    half = Decimal((0, (5,), int(value.as_tuple().exponent) - 1))
    return Interval(value - half, value + half)


def minimum(intervals: Sequence[Interval]) -> Interval:
    """Enclosure of the smallest."""
    return Interval(min(i.lower for i in intervals), min(i.upper for i in intervals))


def maximum(intervals: Sequence[Interval]) -> Interval:
    """Enclosure of the largest."""
    return Interval(max(i.lower for i in intervals), max(i.upper for i in intervals))


def total(intervals: Sequence[Interval]) -> Interval:
    """Enclosure of the sum."""
    return linear_combination([Fraction(1)] * len(intervals), intervals)


def linear_combination(weights: Sequence[Fraction], intervals: Sequence[Interval]) -> Interval:
    """Enclosure of the sum of numbers times exact weights; an end may be infinite."""
    lower = upper = Decimal(0)
    for weight, each in zip(weights, intervals, strict=True):
        if weight == 0:  # of which infinity has no multiple
            continue
        ratio = Decimal(weight.numerator), Decimal(weight.denominator)
        factors, ends = (_DOWN.divide(*ratio), _UP.divide(*ratio)), (each.lower, each.upper)
        lower = _DOWN.add(lower, min(_DOWN.multiply(*both) for both in product(factors, ends)))
        upper = _UP.add(upper, max(_UP.multiply(*both) for both in product(factors, ends)))
    return Interval(lower, upper)


def quantile(intervals: Sequence[Interval], share: Fraction) -> Interval:
    """Enclosure of a quantile: between two order statistics in proportion, as NumPy's."""
    whole, rest = divmod(share * (len(intervals) - 1), 1)
    ends = [sorted(i.lower for i in intervals), sorted(i.upper for i in intervals)]
    low, high = (
        Interval(*(side[place] for side in ends))
        for place in (int(whole), min(int(whole) + 1, len(intervals) - 1))
    )
    return linear_combination([1 - rest, rest], [low, high])


def median(intervals: Sequence[Interval]) -> Interval:
    """Enclosure of the median: between two middle ones half way."""
    return quantile(intervals, Fraction(1, 2))


def geometric_median(intervals: Sequence[Interval]) -> Interval:
    """Enclosure of the median of positive numbers on a logarithmic scale.

    Raises:
        ValueError: if some number may be negative.
    """
    lower, upper = _middle_ends(intervals)
    if min(lower) < 0:  # the product of two such ends would be positive
        raise ValueError(f"{min(lower)} is negative: there is no logarithm")
    # a square root rounds to the nearest; one unit of the last digit covers that
    return Interval(
        _DOWN.sqrt(_DOWN.multiply(*lower)).next_minus(_DOWN),
        _UP.sqrt(_UP.multiply(*upper)).next_plus(_UP),
    )


def _middle_ends(intervals):
    """The two middle lower ends and the two middle upper ends; one twice if it is alone."""
    low, high = (len(intervals) - 1) // 2, len(intervals) // 2
    ordered = (sorted(i.lower for i in intervals), sorted(i.upper for i in intervals))
    return [(ends[low], ends[high]) for ends in ordered]


def log10(interval: Interval) -> Interval:
    """Enclosure of the decimal logarithm of a positive number."""
    # correctly rounded to the nearest, as the square root
    return Interval(
        _DOWN.log10(interval.lower).next_minus(_DOWN), _UP.log10(interval.upper).next_plus(_UP)
    )


def power_of_ten(exponent: float) -> Interval:
    """Enclosure of 10^exponent, the exponent exact as the double that it is."""
    # nearly always correctly rounded, as the documentation of decimal says; never a unit off
    return Interval(
        _DOWN.power(10, Decimal(exponent)).next_minus(_DOWN),
        _UP.power(10, Decimal(exponent)).next_plus(_UP),
    )


def farthest(intervals: Sequence[Interval], value: float) -> Interval:
    """Enclosure of the one farthest from a number; of several that it may be, the hull."""
    distances = [abs(i - Interval.of(value, value)) for i in intervals]
    least = max(distance.lower for distance in distances)
    candidates = [
        i for i, distance in zip(intervals, distances, strict=True) if distance.upper >= least
    ]
    return Interval(min(i.lower for i in candidates), max(i.upper for i in candidates))


def rounded_above(value: Decimal) -> str:
    """A number with two digits that is not below another."""
    return f"{float(_TWO_UP.plus(value)):.1e}"


def float_text(value: float, style: str) -> str:
    """A double as text: empty for nan, and without the sign of a zero.

    Args:
        style: a format specification.
    """
    if math.isnan(value):
        return ""
    text = format(value, style)
    return text.removeprefix("-") if math.isfinite(value) and not float(text) else text
