"""phi_D and its inverse in ball arithmetic (Woodworth et al., COLT 2020)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx

from implicit_l1.potentials import PowerPotential
from implicit_l1.proof.balls import ball, sign


@dataclass(frozen=True)
class BallPotential:
    """phi_D in ball arithmetic (Woodworth et al., COLT 2020; see potentials.py).

    Attributes:
        depth: D, a real number >= 2, taken exactly as the double it is.
    """

    depth: float

    def __post_init__(self):
        if not 2 <= self.depth < float("inf"):
            raise ValueError(f"depth must be a number >= 2, not {self.depth}")

    @property
    def power(self) -> arb | int:
        """p = D / (D - 2) for D > 2: an integer where it is one, else a ball."""
        power = arb(self.depth) / (arb(self.depth) - 2)
        whole = power.unique_fmpz()
        return power if whole is None or not power.is_exact() else int(whole)

    def phi(self, z: arb) -> arb:
        """phi_D(z) of a ball.

        Raises:
            ArithmeticError: if the ball is not proved to lie in the domain.
        """
        return self.with_slopes([z])[0][0]

    def phi_prime(self, z: arb) -> arb:
        """The derivative of phi_D; raises as phi does."""
        return self.with_slopes([z])[0][1]

    def with_slopes(self, points: Sequence[arb]) -> list[tuple[arb, arb]]:
        """(phi_D, its derivative) at each of some balls; raises as phi does."""
        if self.depth == 2:
            return [(2 * sinh, 2 * cosh) for sinh, cosh in (z.sinh_cosh() for z in points)]
        power, found = self.power, []
        for z in points:
            # where the power is a whole number, as for D = 3 and D = 4, the formulas are finite
            # outside the domain, too
            if not abs(z) < 1:
                raise ArithmeticError(f"phi_{self.depth:g} is not defined at {z.str(8)}")
            left, right = 1 - z, 1 + z
            high, low = left**-power, right**-power
            found.append((high - low, power * (high / left + low / right)))
        return found

    def reaches(self, points: Sequence[arb], growth: arb | float) -> list[arb]:
        """How far each z may move, either way, before phi' has changed by a factor of e^growth.

        phi' is 2 cosh z, or a sum of the powers -(p+1) of 1 - z and 1 + z: these stay between
        their parts ``r = e^(-growth/(p+1))`` and ``2 - r <= 1 / r`` where z moves by
        ``(1 - r) (1 - |z|)``.  (As ``potentials.Potential.reach``.)
        """
        if self.depth == 2:
            return [arb(growth)] * len(points)
        part = -(-arb(growth) / (self.power + 1)).expm1()
        return [part * (1 - abs(z)) for z in points]

    def inverse(self, t: arb) -> tuple[arb, arb]:
        """(z, phi'(z)) with phi(z) = t, for a ball t that does not contain 0; raises as below."""
        return self.inverses_with_room([t])[0][:2]

    def inverses_with_room(self, points: Sequence[arb]) -> list[tuple[arb, arb, arb]]:
        """(z, phi'(z), room of z) with phi(z) = t: 1 - |z| for D > 2, and 1 for D = 2.

        For D > 2 the unknown is the slack s = 1 - |z|, in which ``s^(-p) - (2 - s)^(-p)``
        is convex and decreasing: Newton's method from the left, in doubles and then in balls,
        and one interval Newton step as a proof.

        Args:
            points: balls t that do not contain 0.
        Returns:
            one triple of balls for each of them.
        Raises:
            ArithmeticError: if some t contains 0 or the proof fails.
        """
        sides = [sign(t) for t in points]
        if 0.0 in sides:
            raise ArithmeticError("phi is not inverted on a ball that contains 0")
        if self.depth == 2:
            return [((t / 2).asinh(), (t * t + 4).sqrt(), arb(1)) for t in points]
        power, found = self.power, []
        sizes = [abs(t) for t in points]
        with np.errstate(divide="ignore"):  # nan or 0 where t or its slack is not a double
            starts, _ = PowerPotential(self.depth).slack(np.log([float(t) for t in sizes]))
        for side, size, start in zip(sides, sizes, starts.tolist(), strict=True):
            slack = self._slack(size, power, start)
            other = 2 - slack
            low = other**-power
            slope = power * ((size + low) / slack + low / other)  # s^(-p) = |t| + (2 - s)^(-p)
            found.append((side * (1 - slack), slope, slack))
        return found

    def _slack(self, t, power, start):
        """The s in (0, 1) with ``s^(-p) - (2 - s)^(-p) = t``, for a positive ball t."""
        middle = t.mid()
        # left of the root whatever t is: there s^(-p) = 1 + t, and (2 - s)^(-p) is below 1
        s = ball(start) if 0 < start < 1 else ((1 + middle) ** (-1 / arb(power))).mid()
        # a step of relative size e leaves an error of the order of e^2, and the interval Newton
        # step squares that again
        small = arb(2) ** (-ctx.prec // 4 - 8)
        for _ in range(60):
            value, slope = _of_slack(s, power)
            step = ((value - middle) / slope).mid()
            s = (s - step).mid()
            if abs(step) < abs(s) * small:
                break
        value, slope = _of_slack(s, power)
        step = (value - t) / slope
        around = s + arb(0, (2 * abs(step) + abs(s) * arb(2) ** (-ctx.prec + 8)).upper())
        proved = s - (value - t) / _of_slack(around, power)[1]
        # where the power is a whole number the formulas are finite outside (0, 2), too, and have
        # roots there that are no slack
        if not (0 < around < 2 and around.contains_interior(proved)):
            raise ArithmeticError(f"phi_{self.depth:g} was not inverted to a proof")
        return proved


def _of_slack(s, power):
    """``s^(-p) - (2 - s)^(-p)``, and its derivative."""
    other = 2 - s
    high, low = s**-power, other**-power
    return high - low, -power * (high / s + low / other)
