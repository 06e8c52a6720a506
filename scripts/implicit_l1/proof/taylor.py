r"""Taylor models of ``x = alpha phi_D(z(tau))`` in doubles, for polynomials z on [-1, 1].

With ``u = 1 - z``, ``v = 1 + z`` (D > 2), ``x = alpha (u^-p - v^-p)``, and each power is
``y = (1 - s)^-p`` times its value at 0, with a polynomial ``s = sum_j a_j tau^j``, j >= 1; at
D = 2, ``x = alpha (e^z - e^-z)`` and ``y = exp(s)``.  The coefficients of y follow from
``(1 - s) y' = p s' y`` and ``y' = s' y``,

.. math::
    k y_k = \sum_{j=1}^k (p j + k - j) a_j y_{k-j}, \qquad k y_k = \sum_{j=1}^k j a_j y_{k-j}.

**Majorant.**  All terms of the recurrence are positive where the a_j are: with ``b_j >= |a_j|``
in their place it yields ``Y_k >= |y_k|``.  This one sequence bounds all that is left out:

- *Rounding.*  y_k is a sum of products of at most k factors a_j with positive numbers.  If each
  a_j is known up to ``epsilon b_j``, both it and what is known of it are at most b_j, and a step of
  the recurrence rounds m times, the computed y_k is wrong by at most ``(k epsilon +
  (1 + 2^-53)^(m k) - 1) Y_k`` (one factor after another is replaced).
- *The rest.*  For every r > 1, ``Y_k r^k <= Y(r) - 1``, so ``sum_{k > K} |y_k| <= (Y(r) - 1) r^-K
  / (r - 1)``, and ``Y(r) - 1 <= p q (1 - q)^(-p-1)`` with ``q = sum_j b_j r^j`` (mean value
  theorem), or ``q e^q``.

Powers of doubles are products; the one number that needs more digits, x at tau = 0, is a ball.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from flint import arb, arb_mat

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.verified import UNIT, doubles_of, gamma, rounded_up

# Coefficients of Taylor models: up to this power.
DEGREE = 24

_RADII = (1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0, 30.0, 1e3)  # r of the bound of the rest
_SHARP, _BLUNT = 2.0**-46, 2.0**-10  # smallest and largest epsilon
_KNOWN = 2.0**-12  # what the sides and their rooms must be known to, relatively
# at most, so that the roundings of a power are few, see verified.py: D - 2 is at least 2e-6
_LARGEST_POWER = 2**20
# of the terms of x, at least, so that they have the digits of a double
_SMALLEST = 2.0**-960
_HALVINGS = 3  # e^q is bounded by (1 - q / 8)^-8


class Within(NamedTuple):
    """Numbers that lie within a radius of doubles, two arrays of one shape."""

    middle: np.ndarray
    radius: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """Upper bounds of the absolute values."""
        return rounded_up(np.abs(self.middle) + self.radius)

    @property
    def transposed(self) -> "Within":
        return Within(self.middle.T, self.radius.T)


def known(middle: np.ndarray) -> Within:
    """Doubles as they are."""
    return Within(middle, np.zeros_like(middle))


def product(left: Within, right: Within) -> Within:
    """The product of two matrices."""
    sizes, count = np.abs(right.middle), left.middle.shape[-1]
    wide = gamma(count) * np.abs(left.middle) + left.radius
    radius = wide @ sizes + left.sizes @ right.radius
    return Within(left.middle @ right.middle, rounded_up(radius))


def total(left: Within, right: Within) -> Within:
    """The sum of two arrays."""
    middle = left.middle + right.middle
    return Within(middle, rounded_up(left.radius + right.radius + UNIT * np.abs(middle)))


def difference(left: Within, right: Within) -> Within:
    """The difference of two arrays."""
    return total(left, Within(-right.middle, right.radius))


def within(matrix: arb_mat) -> Within:
    """Balls in doubles."""
    shape = matrix.nrows(), matrix.ncols()
    return Within(*(part.reshape(shape) for part in doubles_of(matrix.entries())))


def times(values: Within, factor: np.ndarray | float, roundings: int = 1) -> Within:
    """Numbers times doubles, which themselves come from so many roundings less one."""
    middle = values.middle * factor
    return Within(
        middle, rounded_up(values.radius * np.abs(factor) + gamma(roundings) * np.abs(middle))
    )


def whole_power(values: np.ndarray, exponent: int) -> np.ndarray:
    """Nonnegative doubles to a power, at least 1, by products alone."""
    result = values
    for digit in bin(exponent)[3:]:
        result = result * result
        if digit == "1":
            result = result * values
    return result


@dataclass(frozen=True)
class Series:
    """``n = x - g`` along a polynomial, d entries of it.

    Attributes:
        start: n at 0, d balls.
        coefficients: of n, shape (DEGREE + 1, d).
        rest: bounds of the sizes of all further terms together on [-1, 1], shape (d,).
        slope: dx / dz at 0; both sides, with what they are relative to, see below.
        doubt: bounds of the relative error of slope, shape (2, d).
        room: lower bounds of the two sides at 0, shape (2, d): 1 - z and 1 + z, or ones at D = 2.
        reach: bounds of ``|s|`` on [-1, 1], shape (2, d).
        power: of 1 / room in dx / dz, rounded up to a whole number; None at D = 2.
    """

    start: list[arb]
    coefficients: Within
    rest: np.ndarray
    slope: np.ndarray
    doubt: np.ndarray
    room: np.ndarray
    reach: np.ndarray
    power: int | None

    def slopes(self, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of dx / dz at all points within a radius of the polynomial on [-1, 1].

        Args:
            radius: shape (d,).
        Returns:
            lower bounds, which may be 0, and upper bounds, which may be infinite.
        """
        reach = rounded_up(self.reach + rounded_up(radius / self.room))
        if self.power is None:
            reach, power = rounded_up(reach * 0.5**_HALVINGS), 2**_HALVINGS
            fall = whole_power(np.maximum(1.0 - reach, 0.0), power)
        else:
            power = self.power
            fall = 1.0 / whole_power(1.0 + reach, power)
        with np.errstate(divide="ignore"):
            rise = whole_power(1.0 / np.maximum(1.0 - rounded_up(reach), 0.0), power)
        lower = (self.slope * (1.0 - self.doubt) * fall).sum(axis=0) * (1.0 - 2.0**-30)
        return lower, rounded_up((self.slope * (1.0 + self.doubt) * rise).sum(axis=0))


def series(
    potential: BallPotential, alpha: arb, centre: list[arb], path: Within, goal: list[arb]
) -> Series:
    """The Taylor model of ``alpha phi(z(tau)) - g``.

    Args:
        potential: phi_D.
        alpha: a positive ball.
        centre: z(0), d balls.
        path: coefficients of ``z(tau) - z(0)``, shape (m, d); the first row counts for nothing.
        goal: g, d balls.
    Raises:
        NotProved: if z(0) is not proved to lie in the domain of phi, D is too near to 2, or alpha
            too small.
    """
    two = potential.depth == 2
    power = potential.power
    if not two and not power <= _LARGEST_POWER:
        raise NotProved(f"D = {potential.depth!r} is too near to 2 for powers in doubles")
    values: list[list[arb]] = []
    for z, g in zip(centre, goal, strict=True):
        if two:
            high = z.exp()
            values.append([arb(1), arb(1), alpha * high, alpha / high, g])
        elif not abs(z) < 1:
            raise NotProved(f"the path leaves the domain of phi at {z.str(8)}")
        else:
            left, right = 1 - z, 1 + z
            values.append([left, right, alpha * left**-power, alpha * right**-power, g])
    start = [(high - low) - g for _, _, high, low, g in values]
    room = np.array([[float(row[side]) for row in values] for side in (0, 1)])
    width = np.array([[float(row[side].rad()) for row in values] for side in (0, 1)])
    size = np.array([[float(row[side]) for row in values] for side in (2, 3)])
    if not np.all(size >= _SMALLEST):
        raise NotProved("x is a difference of terms that are too small for doubles")
    # size is only used times series whose radius is far larger than its own, relatively: `loose`
    loose = rounded_up(
        np.array([[float(row[side].rad()) for row in values] for side in (2, 3)]) / size
        + 2.0 * UNIT
    )
    signs = np.array([1.0, -1.0])[:, None]
    path_sides = path.middle[:, None, :] * signs / room
    relative = rounded_up(width / room + 4.0 * UNIT)  # of the room, and of the division
    if not (np.all(relative < _KNOWN) and np.all(loose < _KNOWN)):
        raise NotProved("the path is not known well enough beside the end of the domain of phi")
    radius = path.radius[:, None, :] / room * (1.0 + 2.0 * relative)
    radius = rounded_up(radius + 2.0 * relative * np.abs(path_sides))
    steps, stages = np.arange(len(path_sides)), len(path_sides) - 1
    growth = (4.0**steps)[1:, None, None]
    spread = (growth * radius[1:]).sum(axis=0)
    epsilon = 8.0 * spread / ((growth * np.abs(path_sides[1:])).sum(axis=0) + 1e-300)
    epsilon = np.clip(epsilon, _SHARP, _BLUNT)
    bound = rounded_up(np.abs(path_sides) + radius / epsilon)
    exponent = None if two else float(power)
    found = _coefficients(path_sides, exponent)
    major = rounded_up(_coefficients(bound, None if exponent is None else rounded_up(exponent)))
    places = np.arange(DEGREE + 1)[:, None, None]
    rounding = rounded_up(1.001 * (places * (epsilon + (stages + 12) * UNIT) + loose))
    terms = found * size * signs
    middle = terms.sum(axis=1)
    wide = rounded_up((rounding + 4.0 * UNIT) * major * size).sum(axis=1)
    middle[0] = [float(value) for value in start]
    wide[0] = [float(value.rad()) for value in start]
    wide[0] += 2.0 * UNIT * np.abs(middle[0])
    whole = None if exponent is None else int(np.ceil(exponent))
    tail = rounded_up(_rest(bound, whole) * rounded_up(size * (1.0 + loose))).sum(axis=0)
    slope = size if exponent is None else exponent * size / room
    return Series(
        start,
        Within(middle, rounded_up(wide)),
        rounded_up(tail),
        slope,
        rounded_up(2.0 * (loose + relative)),
        room * (1.0 - 2.0 * relative),
        rounded_up(bound[1:].sum(axis=0)),
        None if exponent is None else int(np.ceil(exponent)) + 1,
    )


def _coefficients(path, power):
    """y_0 ... y_DEGREE of the power, or of the exponential, shape (DEGREE + 1, ...)."""
    found = np.empty((DEGREE + 1, *path.shape[1:]))
    found[0] = 1.0
    most = len(path) - 1
    for k in range(1, DEGREE + 1):
        j = np.arange(1, min(k, most) + 1)
        weights = (j if power is None else power * j + (k - j)).astype(float)
        terms = path[j] * found[k - j]
        found[k] = np.tensordot(weights, terms, 1) / k
    return found


def _rest(bound, power):
    """Bounds of ``sum_{k > DEGREE} Y_k``: the best over some r."""
    best = np.full(bound.shape[1:], np.inf)
    for r in _RADII:
        reach = np.zeros(bound.shape[1:])
        for row in bound[:0:-1]:
            reach = (reach + row) * r
        reach = rounded_up(reach)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            if power is None:
                room = np.maximum(1.0 - rounded_up(reach * 0.5**_HALVINGS), 0.0)
                above = reach * whole_power(1.0 / room, 2**_HALVINGS)
            else:
                room = np.maximum(1.0 - reach, 0.0) * (1.0 - 2.0**-30)
                above = power * reach * whole_power(1.0 / room, power + 1)
            rest = rounded_up(above / whole_power(np.array(r), DEGREE) / (r - 1.0))
        best = np.fmin(best, rest)
    return best
