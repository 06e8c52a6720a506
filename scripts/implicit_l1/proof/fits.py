"""Fitted rates and onsets, enclosed: they follow from enclosures of errors and of local slopes.

A fitted rate is a linear function of the logarithms of the errors, and its weights are rational
numbers, log10(alpha) being exact as the doubles that they are.  Whether a slope is near enough to
a rate is decided where their enclosures decide it.  (This project's choice.)
"""

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

from implicit_l1.proof.intervals import Interval, linear_combination, log10


class Undecided(ArithmeticError):
    """Enclosures are too wide to decide something; the message says what."""


def enclose_fitted_rate(errors: Mapping[float, Interval]) -> Interval:
    """Least-squares slope of log(error) against log(alpha).

    Args:
        errors: log10(alpha) -> enclosure of a positive error, at 2 scales or more.
    Raises:
        Undecided: if an error may be 0.
    """
    scales = [Fraction(scale) for scale in errors]
    mean = sum(scales, Fraction(0)) / len(scales)
    square = sum(((scale - mean) ** 2 for scale in scales), Fraction(0))
    for scale, error in errors.items():
        if error.lower <= 0:
            raise Undecided(f"the error at log10(alpha) = {scale:.6g} may be 0")
    weights = [(scale - mean) / square for scale in scales]
    return linear_combination(weights, [log10(error) for error in errors.values()])


def decide_onset(
    slopes: Mapping[float, Interval], largest: float, rate: Interval, tolerance: Interval
) -> float | None:
    """The largest scale below which every local slope is within a tolerance of a rate.

    Args:
        slopes: log10(alpha) -> enclosure of the slope between this scale and the next larger one.
        largest: log10 of the largest scale.
        rate: predicted.
        tolerance: absolute, on the slope.
    Returns:
        its log10; None if the slope at the smallest scales is not within the tolerance.
    Raises:
        Undecided: naming the scale of the slope whose enclosure is too wide.
    """
    onset = None
    scales = [*sorted(slopes), largest]
    for scale, following in pairwise(scales):
        distance = abs(slopes[scale] - rate)
        if distance.lower > tolerance.upper:
            break
        if distance.upper > tolerance.lower:
            raise Undecided(f"whether the slope at log10(alpha) = {scale:.6g} is near enough")
        onset = following
    return onset
