r"""The gradient flow at a state, in coordinates in which no digits are lost at any alpha.

Along the flow ``x = alpha phi_D(A^T lam)`` and, as ``A g* = y``, ``lam' = -c_D(alpha) A n`` with
``n = x - g*`` (Woodworth et al., COLT 2020).  As x comes near g*, ``A n`` is a difference of nearly
equal numbers, and so is ``1 - |z|`` where an entry of x is large and alpha small.  In the
coordinates (zeta, b) of a set T of columns (:mod:`implicit_l1.network.exchange`), with
``A = L B``, ``L = [A_T, ...]`` the inverse of their map and ``B = [1 M; 0 C]``, the flow is

    (zeta, b)' = -c G F,    F = (n_T + M n_Tc, C n_Tc),    G = L^T L,

and nothing is subtracted that is nearly the same once T contains the support.  Its Jacobian is
``-c G K`` with ``K = diag(w_T, 0) + [M; C] W [M; C]^T`` and ``W = dx / dz``.

- z is carried by increments of (zeta, b), and the slack ``1 - |z|`` beside it where it is small
  (D > 2): those of columns in T then have digits of their own.
- Where x_i has come near g*_i, n_i is carried itself and changed by ``x(z + dz) - x(z)`` in closed
  form, and z_i follows from it.
- For D = 2, T is a basis of the support.  For D > 2 columns join T as their slack becomes small,
  and leave it as it becomes large.

Derived for this project; the flow of another initialization is that of
:mod:`implicit_l1.network.initialization`.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from implicit_l1.linear.compensated import two_sum
from implicit_l1.minimizer.support import independent_columns
from implicit_l1.network.exchange import DualCoordinates, dual_coordinates, refined
from implicit_l1.network.initialization import Initialization, initialize_from_ones
from implicit_l1.potentials import Potential
from implicit_l1.proof.verified import Exact

# |n_i| / |g*_i| below which x_i has come near g*_i, and above which it has left it again.
_NEAR, _FAR = 0.3, 0.8
# Slack below which a column joins T, and above which it leaves T again.
_JOIN, _LEAVE = 0.1, 0.2
# x rises where the slack of its entry is about (alpha / |g*_i|)^(1/p): of x, rounding of the time
# until then and what Newton's method leaves are a relative error of this at most.
RISING = 1e-7
# What Newton's method leaves of z, against the accuracy, and where that is more than rounding.
_NEWTON, _ROUNDING = 1e-2, 2e-15
# Of a column's part outside the range of those in T, against the column.
# Where it was 1e-6, copies of a column that differ by that much took thousands of tiny steps.
_INDEPENDENT = 1e-3
# ||n||_1 in units of alpha, or of g*, below which the flow ends at g* itself: off the support, n
# is alpha phi(z) with a z that is 0 but for rounding
NOTHING = 1e-15
# of Newton's method to the limit point, at most
_STEPS = 10
# of the root of K, up to which what rounding does to K^{-1} is small against it
_CONDITION = 1e12

# units of rounding in a value of phi, or of its inverse, beside those of its logarithms
_DIGITS = 16.0

_EPSILON = np.finfo(float).eps


@dataclass(frozen=True)
class Setting:
    """What does not change along a flow.

    Attributes:
        unit: of x, that of the initialization, shape (d,).
        matrix: ``A diag(unit)``, shape (N, d).
        minimizer: g* / unit, shape (d,).
        size: alpha times the initialization's scale, shape (d,).
        start: z at lam = 0, shape (d,).
        potential: phi_D.
        accuracy: unit of :meth:`MirrorFlow.size`, relative to x, and to ||n||_1 near g*.
    """

    unit: np.ndarray
    matrix: np.ndarray
    minimizer: np.ndarray
    size: np.ndarray
    start: np.ndarray
    potential: Potential
    accuracy: float

    @cached_property
    def exact(self) -> Exact:
        """The matrix, for products without rounding."""
        return Exact(self.matrix)

    @cached_property
    def nothing(self) -> float:
        """||n||_1 at g* itself, in the initialization's units, as far as double precision tells."""
        return NOTHING * float(min(self.size.min(), np.abs(self.minimizer).max()))

    @cached_property
    def rise(self) -> float:
        """What z moves by while the largest entries rise, at an edge of 1: their slack over p."""
        if np.isinf(self.potential.edge):
            return 1.0
        on = self.minimizer != 0
        _, slack = self.potential.dual(self.minimizer[on] / self.size[on])
        return float(slack.min()) / self.potential.power


def begin(
    matrix: np.ndarray,
    minimizer: np.ndarray,
    potential: Potential,
    alpha: float,
    accuracy: float,
    initialization: Initialization | None = None,
) -> "MirrorFlow":
    """The flow at time 0.

    Args:
        matrix: A, shape (N, d).
        minimizer: g*, shape (d,), zero off its support.
        potential: of the depth wanted.
        alpha: scale of the predictor, positive.
        accuracy: relative, see :class:`Setting`.
        initialization: from ones if None.
    """
    c = initialization or initialize_from_ones(matrix.shape[1])
    start = c.tilt + c.offset
    setting = Setting(
        c.unit,
        matrix * c.unit,
        minimizer / c.unit,
        alpha * c.scale,
        start,
        potential,
        accuracy,
    )
    slack = potential.edge - np.abs(start)
    error = setting.size * potential.values(start, slack)[0] - setting.minimizer
    near = np.zeros(error.size, dtype=bool)
    of_support = independent_columns(matrix, minimizer)
    active = of_support if potential.depth == 2 else np.array([], dtype=int)
    coordinates = _coordinates(setting.matrix, active)
    return MirrorFlow(setting, start, slack, error, near, coordinates, near.astype(int))


@dataclass(frozen=True)
class Limit:
    """n at the limit point, in the initialization's units, shape (d,) each.

    Attributes:
        error: n; reached: that to which the flow goes where its coordinates are rounded.
        rounding: an estimate to first order of what rounding leaves in n.
    """

    error: np.ndarray
    reached: np.ndarray
    rounding: np.ndarray

    @classmethod
    def unknown(cls, size: int) -> Self:
        """Not numbers."""
        return cls(*np.full((3, size), np.nan))


@dataclass(frozen=True)
class MirrorFlow:
    """The flow at a state; a :class:`implicit_l1.network.radau.System` of (zeta, b), time is c t.

    Attributes (shape (d,) each, unless said otherwise):
        setting: what does not change.
        z: A^T lam plus its start; slack: distance of |z| to the edge of the domain.
        error: n, in the initialization's units; near: whether x_i is near g*_i.
        coordinates: of T.
        wanted: what T was chosen by: 2 for columns near g*, which come first, 1 for candidates.
    """

    setting: Setting
    z: np.ndarray
    slack: np.ndarray
    error: np.ndarray
    near: np.ndarray
    coordinates: DualCoordinates
    wanted: np.ndarray

    @property
    def mass(self) -> np.ndarray:
        """inv(G), shape (N, N)."""
        return self.coordinates.mass

    @property
    def stacked(self) -> np.ndarray:
        """[M; C], shape (N, d - k)."""
        return self.coordinates.stacked

    @cached_property
    def slope(self) -> np.ndarray:
        """W = dx / dz, shape (d,)."""
        return self.setting.size * self.setting.potential.values(self.z, self.slack)[1]

    @cached_property
    def unit(self) -> np.ndarray:
        """What changes x by about x, relative to its largest change, or by ||n||_1 near g*.

        Beyond g* itself n goes on to 0 for ever, and no step need follow it there.
        """
        return self._unit(self.z, self.slack, self.error, self.slope)

    def _unit(self, z, slack, error, slope):
        unit = self.setting.potential.reach(np.minimum(slack, 1.0))
        largest = np.abs(z).max()
        if 0.0 < largest < 1.0:
            unit = largest * unit
        size = max(np.abs(error).sum(), self.setting.nothing)
        return np.where(self.near, np.minimum(unit, size / slope), unit)

    def moves(self, increments: np.ndarray) -> np.ndarray:
        """Increments of z, shape (m, d), for those of (zeta, b), shape (m, N)."""
        moves = np.empty((len(increments), self.z.size))
        active = self.coordinates.support
        moves[:, active] = increments[:, : active.size]
        moves[:, self.coordinates.complement] = increments @ self.stacked
        return moves

    def errors(self, moves: np.ndarray) -> np.ndarray:
        """n where z has moved by so much, shape (m, d); not finite outside the domain."""
        setting, near = self.setting, self.near
        z, slack = setting.potential.moved(self.z, self.slack, moves)
        errors = setting.size * setting.potential.values(z, slack)[0] - setting.minimizer
        changes = setting.potential.change(self.z[near], self.slack[near], moves[:, near])
        errors[:, near] = self.error[near] + setting.size[near] * changes
        return errors

    def residuals(self, errors: np.ndarray) -> np.ndarray:
        """F, shape (m, N), for n of shape (m, d)."""
        active, others = self.coordinates.support, self.coordinates.complement
        residuals = errors[:, others] @ self.stacked.T
        residuals[:, : active.size] += errors[:, active]
        return residuals

    def force(self, increments: np.ndarray) -> np.ndarray:
        """-F, shape (m, N), at increments of (zeta, b), shape (m, N)."""
        return -self.residuals(self.errors(self.moves(increments)))

    def stiffness(self, increment: np.ndarray) -> np.ndarray:
        """K where (zeta, b) has moved by an increment, shape (N,); shape (N, N)."""
        slope = self._moved(self.moves(increment[None])[0])[2]
        active, others = self.coordinates.support, self.coordinates.complement
        stiffness = (self.stacked * slope[others]) @ self.stacked.T
        stiffness[np.diag_indices(active.size)] += slope[active]
        return stiffness

    def _inverse(self, slope):
        """K^{-1}, by a QR factorization of its root: K itself has the square of its condition.

        Raises:
            LinAlgError: if doubles do not hold it.
        """
        active, others = self.coordinates.support, self.coordinates.complement
        root = np.zeros((slope.size, len(self.stacked)))
        root[np.diag_indices(active.size)] = np.sqrt(slope[active])
        root[active.size :] = (self.stacked * np.sqrt(slope[others])).T
        size = np.linalg.norm(root, axis=0)  # very different ones
        factor = np.linalg.qr(root / size, mode="r")
        inverse = np.linalg.inv(factor)
        if not np.linalg.norm(factor) * np.linalg.norm(inverse) < _CONDITION:
            raise np.linalg.LinAlgError
        inverse /= size[:, None]
        return inverse @ inverse.T

    def _moved(self, moves):
        """z, its slack and W where z has moved."""
        setting = self.setting
        z, slack = setting.potential.moved(self.z, self.slack, moves)
        return z, slack, setting.size * setting.potential.values(z, slack)[1]

    def size(self, increments: np.ndarray, reached: np.ndarray | None = None) -> float:
        """The largest of the increments, in units of the accuracy wanted, here and where (zeta, b)
        has moved by `reached`."""
        unit = self.unit
        if reached is not None:
            moves = self.moves(reached[None])
            z, slack, slope = self._moved(moves[0])
            unit = np.minimum(unit, self._unit(z, slack, self.errors(moves)[0], slope))
        return float(np.max(np.abs(self.moves(increments)) / unit)) / self.setting.accuracy

    def remainder(self, increments: np.ndarray) -> float:
        """The largest of the increments, in units of what Newton's method may leave.

        That of z moves the times at which entries rise, however small x still is.
        """
        setting = self.setting
        blur = max(RISING * setting.rise, _ROUNDING)
        unit = np.minimum(_NEWTON * setting.accuracy * self.unit, blur)
        return float(np.max(np.abs(self.moves(increments)) / unit))

    def horizon(self, velocity: np.ndarray) -> float:
        """The time in which some |z| reaches the edge at a velocity of (zeta, b), shape (N,)."""
        outward = np.copysign(1.0, self.z) * self.moves(velocity[None])[0]
        far = self.setting.potential.edge + np.abs(self.z)
        with np.errstate(divide="ignore", over="ignore"):  # infinite where z stays
            return float(np.min(np.where(outward > 0, self.slack, far) / np.abs(outward)))

    def translated(self, increments: np.ndarray, earlier: Self) -> np.ndarray:
        """Increments of an earlier flow's (zeta, b) as those of this one's, shape (m, N)."""
        if earlier.coordinates is self.coordinates:
            return increments
        on = earlier.moves(increments)[:, self.coordinates.support]
        dual = increments @ earlier.coordinates.dual_map.T
        return np.hstack([on, dual @ self.coordinates.free_basis])

    def advanced(self, increment: np.ndarray) -> Self:
        """The flow where (zeta, b) has moved by an increment, shape (N,)."""
        setting, moves = self.setting, self.moves(increment[None])
        z, slack = setting.potential.moved(self.z, self.slack, moves[0])
        error = self.errors(moves)[0]
        on = setting.minimizer != 0
        relative = np.full_like(error, np.inf)
        relative[on] = np.abs(error[on] / setting.minimizer[on])
        near = relative < np.where(self.near, _FAR, _NEAR)
        x = setting.minimizer[near] + error[near]
        z[near], slack[near] = setting.potential.dual(x / setting.size[near])
        coordinates, wanted = self._chosen(slack, near)
        return replace(
            self,
            z=z,
            slack=slack,
            error=error,
            near=near,
            coordinates=coordinates,
            wanted=wanted,
        )

    def _chosen(self, slack, near):
        """Coordinates for a state, and the columns that T was chosen from."""
        if np.isinf(self.setting.potential.edge):
            return self.coordinates, self.wanted
        active = self.coordinates.support
        bound = np.full(slack.size, _JOIN)
        bound[active] = _LEAVE
        wanted = near + (near | (slack < bound)).astype(int)
        if np.array_equal(wanted, self.wanted):
            return self.coordinates, wanted
        candidates = np.flatnonzero(wanted)
        # those near g* first, then by slack
        order = candidates[np.lexsort((slack[candidates], ~near[candidates]))]
        first = np.array_equal(np.sort(order[: active.size]), np.sort(active))
        if first and active.size in (order.size, len(self.setting.matrix)):
            return self.coordinates, wanted
        chosen = _independent(self.setting.matrix, order)
        if set(chosen) == set(active.tolist()):
            return self.coordinates, wanted
        return _coordinates(self.setting.matrix, np.array(sorted(chosen), dtype=int)), wanted

    def limit(self) -> "Limit":
        """The limit point, by Newton's method from here.

        z off T is first made to fit (zeta, b), from which rounding has moved it along the flow.
        What rounding of the coordinates does to the end is found from A itself
        (:mod:`implicit_l1.network.defects`).

        Returns:
            not numbers where Newton's method does not end.
        """
        with np.errstate(all="ignore"):  # what is not finite is found at the end
            try:
                return self._limit()
            except np.linalg.LinAlgError:
                return Limit.unknown(self.error.size)

    def _limit(self):
        setting, stacked = self.setting, self.stacked
        active, others = self.coordinates.support, self.coordinates.complement
        k = active.size
        zeta, off = (self.z - setting.start)[active], (self.z - setting.start)[others]
        gap, root = off - zeta @ stacked[:k], np.sqrt(self.slope[others])
        free = np.linalg.lstsq((stacked[k:] * root).T, root * gap, rcond=None)[0]
        shift = np.zeros(self.z.size)
        shift[others] = free @ stacked[k:] - gap
        increment, last = np.zeros(zeta.size + free.size), np.inf
        inverse = self._inverse(self.slope)
        for _ in range(_STEPS):
            error = self.errors(self.moves(increment[None]) + shift)
            step = -inverse @ self.residuals(error)[0]
            size = self.size(step[None]) * setting.accuracy
            if not size < last:
                break
            increment, last = increment + step, size
        if not last < 1e-6:
            return Limit.unknown(self.error.size)
        moves = self.moves(increment[None])[0] + shift
        return self._corrected(moves, np.concatenate([zeta, free]) + increment)

    def _corrected(self, moves, coordinates):
        """The limit point, where z has moved to what it is with rounding of the coordinates.

        Args:
            moves: of z; coordinates: (zeta, b) there, shape (N,).
        """
        setting, stacked = self.setting, self.stacked
        active, others = self.coordinates.support, self.coordinates.complement
        k, dual_map = active.size, self.coordinates.dual_map
        reached = self.errors(moves[None])[0]
        z, slack, slope = self._moved(moves)
        on_slope, off_slope = slope[active], slope[others]
        # z, which near the edge has fewer digits than its distance from there
        inner, lost = two_sum(setting.potential.edge, -slack)
        inner, lost = (
            np.where(slack < 0.5, np.copysign(part, sign), plain)
            for part, sign, plain in ((inner, z, z), (lost, z * lost, 0.0))
        )
        wanted, rest = two_sum(inner, -setting.start)
        defect_z = setting.exact.residual(dual_map @ coordinates, wanted, transposed=True)
        defect_z += lost + rest
        defect = dual_map.T @ -setting.exact.residual(reached, np.zeros(len(dual_map)))

        # Newton's step from the defects
        inverse = self._inverse(slope)
        right = stacked @ (off_slope * defect_z[others]) - defect
        right[:k] += on_slope * defect_z[active]
        moved = stacked.T @ (inverse @ right) - defect_z[others]
        change, error = off_slope * moved, reached.copy()
        error[others] += change
        error[active] -= defect[:k] + stacked[:k] @ change

        # what rounding leaves unknown of z off T, and terms of second order, added up like
        # independent errors; they move n as they do in :mod:`implicit_l1.network.defects`
        digits, digits_on, room = _DIGITS, _DIGITS, np.abs(z) + 1.0
        if np.isfinite(setting.potential.edge):
            logs = np.abs(np.log(np.minimum(slack, 1.0)))
            digits, digits_on = _DIGITS + setting.potential.power * logs, _DIGITS + logs
            room = np.where(slack < 0.5, slack, 1.0)
        of_phi = digits * np.abs(error) + np.where(self.near, np.abs(setting.minimizer), 0.0)
        unknown_on = _EPSILON * digits_on * room
        reach = setting.potential.reach(np.minimum(slack, 1.0))[others]
        squares = stacked**2
        unknown = (_EPSILON * of_phi[others] / off_slope) ** 2 + (moved**2 / reach) ** 2
        unknown += unknown_on[active] ** 2 @ squares[:k]
        energy = off_slope @ unknown
        # and of A n
        following = inverse[:, :k] ** 2 @ (_EPSILON * error[active]) ** 2
        wrong = np.empty_like(error)
        wrong[others] = off_slope * energy + off_slope**2 * (squares.T @ following)
        wrong[active] = squares[:k] @ off_slope * energy + on_slope**2 * following[:k]
        return Limit(error, reached, np.sqrt(wrong))


def _coordinates(matrix, support):
    return refined(dual_coordinates(matrix, support), matrix)


def _independent(matrix, order):
    """Of columns in an order, those that are independent of the ones before them."""
    chosen: list[int] = []
    basis = np.empty((len(matrix), 0))
    for index in order:
        if len(chosen) == len(matrix):
            break
        rest = matrix[:, index]
        for _ in range(2):  # the second time for what rounding has left
            rest = rest - basis @ (basis.T @ rest)
        size = np.linalg.norm(rest)
        if size > _INDEPENDENT * np.linalg.norm(matrix[:, index]):
            chosen.append(int(index))
            basis = np.column_stack([basis, rest / size])
    return chosen
