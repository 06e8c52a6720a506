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

from implicit_l1.minimizer.support import independent_columns
from implicit_l1.network.exchange import DualCoordinates, dual_coordinates
from implicit_l1.network.initialization import Initialization, initialize_from_ones
from implicit_l1.potentials import Potential

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
    coordinates = dual_coordinates(setting.matrix, active)
    return MirrorFlow(setting, start, slack, error, near, coordinates, near.astype(int))


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
        _, _, slope = self._moved(self.moves(increment[None])[0])
        active, others = self.coordinates.support, self.coordinates.complement
        stiffness = (self.stacked * slope[others]) @ self.stacked.T
        stiffness[np.diag_indices(active.size)] += slope[active]
        return stiffness

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
        return dual_coordinates(self.setting.matrix, np.array(sorted(chosen), dtype=int)), wanted

    def limit(self) -> tuple[np.ndarray, np.ndarray]:
        """n at the limit point, shape (d,), by Newton's method from here, and its error.

        z off T is first made to fit (zeta, b), from which rounding has moved it along the flow.

        Returns:
            (n in the initialization's units, an estimate to first order of its error from
            rounding); not a number where Newton's method does not end.
        """
        with np.errstate(all="ignore"):  # what is not finite is found at the end
            try:
                return self._limit()
            except np.linalg.LinAlgError:
                return np.full_like(self.error, np.nan), np.full_like(self.error, np.nan)

    def _limit(self):
        setting = self.setting
        active, others = self.coordinates.support, self.coordinates.complement
        k, stacked = active.size, self.stacked
        zeta, off = (self.z - setting.start)[active], (self.z - setting.start)[others]
        gap, root = off - zeta @ stacked[:k], np.sqrt(self.slope[others])
        free = np.linalg.lstsq((stacked[k:] * root).T, root * gap, rcond=None)[0]
        shift = np.zeros(self.z.size)
        shift[others] = free @ stacked[k:] - gap
        increment = np.zeros(zeta.size + free.size)
        stiffness = self.stiffness(increment)
        scale = 1.0 / np.sqrt(np.diag(stiffness))
        inverse = scale[:, None] * np.linalg.inv(scale[:, None] * stiffness * scale) * scale
        last = np.inf
        for _ in range(_STEPS):
            error = self.errors(self.moves(increment[None]) + shift)
            step = -inverse @ self.residuals(error)[0]
            size = self.size(step[None]) * setting.accuracy
            if not size < last:
                break
            increment, last = increment + step, size
        error = self.errors(self.moves(increment[None]) + shift)[0]
        if not last < 1e-6:
            return np.full_like(error, np.nan), np.full_like(error, np.nan)
        return error, self._rounding(error, inverse, zeta, free)

    def _rounding(self, error, inverse, zeta, free):
        """What rounding does to a limit point: added up like independent errors."""
        setting = self.setting
        active, others = self.coordinates.support, self.coordinates.complement
        k = active.size
        # of an entry of [M; C], a product of a column of L with one of A
        columns = np.sum(setting.matrix[:, others] ** 2, axis=0)
        wrong_map = np.outer(np.sum(self.coordinates.dual_map**2, axis=0), columns)
        squares = self.stacked**2
        wrong_map = squares + wrong_map / len(wrong_map)
        blur = np.concatenate([zeta, free]) ** 2 @ wrong_map + setting.start[others] ** 2
        blur = self.slope[others] ** 2 * blur + error[others] ** 2
        blur += np.where(self.near[others], setting.minimizer[others], 0.0) ** 2
        rough = squares @ blur + wrong_map @ error[others] ** 2
        rough[:k] += error[active] ** 2
        moved = inverse**2 @ rough
        wrong = np.empty_like(error)
        wrong[others] = self.slope[others] ** 2 * (squares.T @ moved) + blur
        wrong[active] = self.slope[active] ** 2 * moved[:k]
        return _EPSILON * np.sqrt(wrong)


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
