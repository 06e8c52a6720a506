r"""The derivative of the equations of the limit point near a point, in doubles with bounds.

The derivatives over a box are known from those at its centre: ``|phi''| <= phi'`` for D = 2 and
``|phi''| <= (p + 1) phi' / (1 - |z|)`` for D > 2, so within a distance h of z, with
``t = h / (1 - |z|) < 1``, phi' grows and falls at most by the factor ``exp(h)`` or
``(1 - t)^(-p - 1)``, and both are at most ``1 / (1 - y)`` with ``y = h`` or ``y = (p + 1) t``, if
that is below 1.  The derivative s = 1 / phi' of z with respect to x / alpha does so, too, where it
is x / alpha that moves, by a distance r, with ``h = r s``: as ``|ds / dr| <= s^2`` or
``(p + 1) s^2 / (1 - |z|)``, and s grows only while |z| falls, 1 / s falls by at most r or
``(p + 1) r / (1 - |z|)``; and where s falls, which depends on |x / alpha| only, |z| moves by less
than r s.  (Derived for this project.)
"""

from dataclasses import dataclass

import numpy as np
from flint import arb

from implicit_l1.potentials import Potential
from implicit_l1.proof.equations import Partition, Values
from implicit_l1.proof.verified import LARGE, UNIT, Preconditioned, doubles_of, gamma, rounded_up


@dataclass(frozen=True)
class Step:
    """R F(x) at a point x: ``|R F(x) - size| <= error``, entry by entry, and ``reach``.

    Attributes:
        size, error: doubles, shape (k + N,).
        reach: upper bound of ``||R F(x)||``.
    """

    size: np.ndarray
    error: np.ndarray
    reach: float


class Tangent:
    """The derivative J of the equations near a point x_0 of the unknowns, in doubles.

    Attributes:
        matrix: K, that at x_0 but for rounding; inverse: R, approximately its inverse.
        near: what is known of ``I - R J``.
    """

    def __init__(self, partition: Partition, doubles: Potential, values: Values) -> None:
        """
        Args:
            partition: T.
            doubles: the potential.
            values: at x_0.
        Raises:
            ArithmeticError, LinAlgError: if the derivative is too large or singular.
        """
        self._partition = partition
        self._power = doubles.power if doubles.depth > 2 else None
        (self._slope_in, self._radius_in), (self._slope_out, self._radius_out) = (
            doubles_of(balls) for balls in (values.slope_in, values.slope_out)
        )
        middle, radius = doubles_of(values.part_in)
        self._part_in = rounded_up(np.abs(middle) + radius)
        if not np.all(np.append(self._slope_in, self._slope_out) <= LARGE):
            raise ArithmeticError("the derivative is too large for doubles")
        self._room_out = np.ones(len(partition.outside))
        if self._power is not None:
            room, radius = doubles_of([1 - abs(z) for z in values.z_out])
            self._room_out = np.maximum(room - radius, 0.0)
        rows, size = partition.on.shape
        self.matrix = np.zeros((size + rows, size + rows))
        np.fill_diagonal(self.matrix[:size, :size], -self._slope_in)
        self.matrix[:size, size:], self.matrix[size:, :size] = partition.on.T, partition.on
        self.matrix[size:, size:] = (partition.off * self._slope_out) @ partition.off.T
        self.inverse = np.linalg.inv(self.matrix)
        self.near = Preconditioned(self.inverse, self.matrix)

    def step(self, residual: list[arb]) -> Step:
        """Newton's step from a residual, balls."""
        middles, radii = doubles_of(residual)
        size = self.inverse @ middles
        rounding = rounded_up(gamma(len(size)) * np.abs(middles) + radii)
        error = rounded_up(np.abs(self.inverse) @ rounding)
        return Step(size, error, float(np.max(rounded_up(np.abs(size) + error))))

    def distance(self, radius: float) -> float:
        """Upper bound of ``||I - R J||`` on the box of this radius around x_0, inf or nan."""
        return self.near.contraction(self.bounds(radius))

    def bounds(self, radius: float) -> np.ndarray:
        """Upper bounds of ``|J - K| 1`` there, shape (k + N,); inf or nan where none is known."""
        ones, sums = np.ones(len(self.matrix)), self._partition.sizes.sum(axis=0)
        return self.change(ones, sums, radius * ones, rounded_up(radius * sums))

    def change(
        self, weights: np.ndarray, weights_z: np.ndarray, moved: np.ndarray, moved_z: np.ndarray
    ) -> np.ndarray:
        """Upper bounds of ``|(J - K) v|``, shape (k + N,); inf or nan where none is known.

        ``A_T`` and ``A_T^T`` in J do not change, and of the rest of ``J v`` the first part is
        ``-(dz_T / du_T) v_T``, the second ``A_Tc (du_Tc / dz_Tc) A_Tc^T v_lam``.

        Args:
            weights: of ``|v|``, shape (k + N,); weights_z: of ``|A_Tc^T v_lam|``.
            moved, moved_z: of the distances from x_0, and from z_Tc there, at which J is taken.
        """
        partition, size = self._partition, self._partition.inside.size
        inner = self._growth(rounded_up(moved[:size] * self._part_in))
        inner = rounded_up(inner * (self._slope_in + self._radius_in) + self._radius_in)
        rounding = gamma(len(weights_z) + 2) * np.abs(self._slope_out)  # of K
        outer = rounded_up(rounded_up(rounding) * (weights[size:] @ partition.sizes))
        with np.errstate(invalid="ignore"):
            outer = rounded_up(outer + self._change_out(moved_z) * weights_z)
            return rounded_up(np.append(inner * weights[:size], partition.sizes @ outer))

    def _change_out(self, away):
        """Upper bounds of the change of dn_Tc / dz_Tc where z_Tc is moved by up to `away`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            growth = self._growth(rounded_up(away / self._room_out))
            largest_slope = np.abs(self._slope_out) + self._radius_out
            return rounded_up(growth * largest_slope + self._radius_out)

    def _growth(self, parts):
        """Upper bounds of the relative change of phi' or 1 / phi'; inf where they would exceed 1.

        Args:
            parts: of the room of z, how far it may move at the slope that it has where the
                motion begins, upper bounds, shape (n,).
        """
        change = parts if self._power is None else rounded_up((self._power + 1.0) * parts)
        small = np.minimum(change, 0.5)
        return np.where(change <= 0.5, rounded_up(small / (1.0 - small)), np.inf)

    def of_z(self, step: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, e): ``|A_Tc^T (lam - lam') - m| <= e`` where ``|x - x' + step| <= radius``."""
        size = self._partition.inside.size
        shift = -step[size:] @ self._partition.off
        rounding = gamma(len(step)) * np.abs(step[size:]) + radius[size:]
        return shift, rounded_up(rounded_up(rounding) @ self._partition.sizes)

    def of_outer(
        self, shift: np.ndarray, spread: np.ndarray, away: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(m, e): n_Tc in units changes by m, up to e, where z_Tc does by `shift`, up to `spread`.

        By the mean value theorem the change is ``s' h`` with the slope s' at a point between,
        ``|h - shift| <= spread``; and ``|s' h - s shift| <= |s' - s| |h| + |s| spread``.

        Args:
            away: how far both ends are from z_Tc at x_0, upper bounds.
        """
        slope, size = self._slope_out, np.abs(shift) + spread
        with np.errstate(invalid="ignore"):
            error = self._change_out(away) * size
        error += np.abs(slope) * (spread + 2.0 * UNIT * np.abs(shift))
        return slope * shift, rounded_up(error)
