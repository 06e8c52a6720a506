r"""The equations of the limit point at one scale, and Newton's method for them.

In the coordinates of :mod:`implicit_l1.minimizer.support` the unknowns are
``n_S`` and b, and the equations

    F1 = n_S + M n_Sc = 0,        F2 = C n_Sc = 0,
    n_Sc = alpha phi_D(z),        z = dual_scale * direction + M^T zeta(g*_S + n_S) + C^T b

involve no difference of nearly equal numbers and keep the digits of n, however small it is
(:mod:`implicit_l1.network.defects` bounds what they lack); ``log|n_i|`` is carried instead of n_i,
so alpha may underflow.  (Derived for this project.)

The set whose entries are unknowns is S less the indices at which x_i has not yet
come near g*_i: there ``g*_i + n_i`` would cancel, while ``n_i = alpha phi_D(z_i) -
g*_i`` does not.  So S is replaced by a subset T, and n_Tc has entries of both kinds.

Newton's method on these equations has, with ``d zeta = dn_S / slope_S``, the
symmetric positive definite matrix ``diag(slope_S, 0) + B W B^T``, ``B = [M; C]``,
``W = alpha phi'(z)``.  Rows and columns are scaled so that the two blocks, whose
sizes differ by the factor of alpha^(1-rho) or more, stay comparable.

Where A has many rows, a Cholesky factor of Newton's matrix serves for several steps and
scales, as the preconditioner of the conjugate gradient method.  F1 and F2 are evaluated as
they are, so this changes how fast they become zero and not the zero.

With another initialization (:mod:`implicit_l1.network.initialization`), in its units,
``n_Sc = alpha scale phi_D(z)`` and z has the offset as one more term; the tilt is in the
certificate's direction already.

Where the minimizer is not unique, g* is the one that the flow selects
(:mod:`implicit_l1.network.selection`) and the columns of its support S are dependent: T is a basis
of them.  Then ``n_T = -M n_Tc``, and the entries c of n on the rest of S follow from what makes g*
the selected one, without a difference of nearly equal numbers: with
``h_i(n_i) = zeta(g*_i + n_i)`` less its leading term ``h(c) = M^T h_T(n_T)`` on that rest.
(Derived for this project.)
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.linalg.blas import dsyrk
from scipy.linalg.lapack import dpotrf, dpotrs

from implicit_l1.minimizer.support import Certificate
from implicit_l1.network.exchange import DualCoordinates
from implicit_l1.network.initialization import Initialization
from implicit_l1.potentials import OffSupport, OnSupport, Potential

# exp(-80) is far below the rounding error of x_T = g_T + n_T: from here on n_T
# does not influence the rest and follows from F1 = 0.
LOG_NEGLIGIBLE = -80.0


@dataclass(frozen=True)
class PathOptions:
    """Numerical settings of :func:`limit_path`.

    Attributes:
        tolerance: a Newton step that changes ||n_Sc||_1 by less than this fraction
            is the last (the error after it is of the order of its square).
        newton_steps: most Newton steps before a path step counts as failed.
        shortest_stride: a path step in log(alpha) below this is a failure.
        path_steps: most steps of the path from one scale to the next.
        accuracy: largest bound of the relative error of ||n||_1 that is accepted.
    """

    tolerance: float = 1e-9
    newton_steps: int = 10
    shortest_stride: float = 1e-6
    path_steps: int = 1000
    accuracy: float = 1e-10


@dataclass
class State:
    """The unknowns at one scale, in one set of coordinates, and what follows from them."""

    log_alpha: float
    error_on: np.ndarray  # n_T
    free: np.ndarray  # b
    on: OnSupport
    shift: np.ndarray = field(init=False)  # of z_Tc, beside the certificate's part
    off: OffSupport = field(init=False)
    log_unit: float = field(init=False)
    unit_error: np.ndarray = field(init=False)  # n_Tc in units of exp(log_unit)
    root_slope: np.ndarray = field(init=False)  # of alpha phi'(z_Tc) in the same units
    first: np.ndarray = field(init=False)  # F1 / sqrt(unit)
    second: np.ndarray = field(init=False)  # F2 / unit


_EPSILON = np.finfo(float).eps

# Linear systems are solved by conjugate gradients to this relative accuracy in the energy norm:
# Newton's last step is so small that this fraction of it does not count.  A factor is given up
# that makes them take more than an iteration for so many rows of A, or more than so many; with
# less than so many rows an iteration is no faster than a factorization.
_SOLVED = 1e-8

_ROWS_AN_ITERATION, _ITERATIONS = 40, 8

_MANY_ROWS = 150

# Beyond the doubles a state is not finite, which ends Newton's method.
_AS_FAR = np.errstate(over="ignore", invalid="ignore")


class Equations:
    """F1 = 0, F2 = 0 in the coordinates of a subset T of a basis of the support."""

    def __init__(
        self,
        adapted: DualCoordinates,
        minimizer: np.ndarray,
        certificate: Certificate,
        potential: Potential,
        basis: np.ndarray,
        initialization: Initialization,
    ) -> None:
        scale, offset, tilt = initialization.scale, initialization.offset, initialization.tilt
        on, off = adapted.support, adapted.complement
        self.minimizer, self.scale = minimizer, scale
        self.minimizer_on = minimizer[on]
        self.minimizer_off = minimizer[off]
        self.left_out = np.flatnonzero(self.minimizer_off)
        rest = np.zeros(off.size, dtype=bool)
        if np.count_nonzero(minimizer) > basis.size:
            rest[self.left_out] = ~np.isin(off[self.left_out], basis)
        self.complete = on.size == basis.size
        if rest.any() and self.complete:
            # columns of the rest of S are combinations of those of T: not up to rounding
            table = adapted.table.copy()
            table[on.size :, len(table) :][:, rest] = 0.0
            adapted = replace(adapted, table=table)
        self.adapted = adapted
        self.stacked = np.ascontiguousarray(adapted.stacked)
        self.potential = potential
        self.rest = rest
        self.scale_on = scale[on]
        self.log_scale_off = np.log(scale[off])
        self.offset_on, self.offset_off = offset[on], offset[off]
        self.constant = self.offset_off - adapted.range_map.T @ self.offset_on
        self.initial = np.abs(offset) + np.abs(tilt)
        self.is_rounded = initialization.is_rounded
        self.nu = certificate.nu
        self.sigma = certificate.direction[on]
        self.direction = certificate.direction[off]
        self.margin = certificate.margin[off]
        self.factored: State | None = None  # the state of which `cholesky` is the factor
        rows = len(self.stacked)
        self.iterations = min(rows // _ROWS_AN_ITERATION, _ITERATIONS) if rows >= _MANY_ROWS else 0

    @_AS_FAR
    def evaluate(self, log_alpha: float, error_on: np.ndarray, free: np.ndarray) -> State | None:
        """The state at these unknowns; None outside the domain of phi."""
        on = self.potential.on_support(
            (self.minimizer_on + error_on) / self.scale_on, self.sigma, log_alpha
        )
        on = OnSupport(on.zeta, self.scale_on * on.slope, on.zeta_rate)
        return self._completed(State(log_alpha, error_on, free, on))

    @_AS_FAR
    def evaluate_dual(
        self, log_alpha: float, zeta: np.ndarray, free: np.ndarray
    ) -> tuple[State | None, np.ndarray | None]:
        """(state, room of z on T) where zeta and b are the unknowns; None outside the domain."""
        on = self.potential.off_support(self.sigma, np.zeros(zeta.size), zeta, log_alpha)
        if not on.room.min(initial=np.inf) > 0:
            return None, None
        point = self.scale_on * on.sign * np.exp(on.log_size)
        slope = self.scale_on * np.exp(on.log_slope)
        state = State(
            log_alpha,
            point - self.minimizer_on,
            free,
            OnSupport(zeta, slope, np.full_like(zeta, np.nan)),
        )
        return self._completed(state), on.room

    def _completed(self, state: State) -> State | None:
        """The state with what follows from its unknowns; None outside the domain of phi."""
        log_alpha, error_on, on, free = state.log_alpha, state.error_on, state.on, state.free
        state.shift = np.concatenate([on.zeta, free]) @ self.stacked + self.constant
        off = self.potential.off_support(self.direction, self.margin, state.shift, log_alpha)
        log_size = off.log_size + self.log_scale_off
        log_slope = off.log_slope + self.log_scale_off
        state.off = OffSupport(off.sign, log_size, log_slope, off.room)
        state.log_unit = log_size.max()
        if not (off.room.min() > 0 and state.log_unit < 300.0):
            return None
        if state.log_unit == -np.inf:  # n = 0, as where rho = 0: any unit will do
            state.log_unit = log_slope.max()
        if self.left_out.size:
            largest = np.log(np.abs(self.minimizer_off).max())
            state.log_unit = max(state.log_unit, largest)
        state.unit_error = off.sign * np.exp(log_size - state.log_unit)
        state.root_slope = np.exp(0.5 * (log_slope - state.log_unit))
        unit = np.exp(state.log_unit)
        if self.left_out.size:
            state.unit_error = state.unit_error - self.minimizer_off / unit
        image = self.stacked @ state.unit_error
        image, state.second = image[: error_on.size], image[error_on.size :]
        if state.log_unit < LOG_NEGLIGIBLE:
            state.error_on = -unit * image
            state.first = np.zeros_like(image)
        else:
            state.first = (state.error_on + unit * image) / np.sqrt(unit)
        return state

    def rows(self, state: State) -> np.ndarray:
        """``B W^(1/2)``, scaled: Newton's matrix is its product with itself, plus a diagonal."""
        size = self.minimizer_on.size
        rows = self.stacked * state.root_slope
        rows[:size] *= (np.exp(0.5 * state.log_unit) / np.sqrt(state.on.slope))[:, None]
        return rows

    def factor(self, state: State) -> None:
        """Keep the Cholesky factor of the scaled Newton matrix, in its lower triangle.

        Raises:
            LinAlgError: if it is not positive definite, or not finite.
        """
        size = self.minimizer_on.size
        # transposed: what BLAS takes without a copy
        matrix = dsyrk(1.0, self.rows(state).T, trans=1, lower=1)
        matrix[np.arange(size), np.arange(size)] += 1.0
        self.factored = None
        self.cholesky, failed = dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise np.linalg.LinAlgError("the Newton matrix is not positive definite")
        self.factored = state

    def solve(
        self, state: State, first: np.ndarray, second: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(d zeta, db, dz_Tc) with F1' = sqrt(unit) * first and F2' = unit * second.

        By the Cholesky factor of this state, or by conjugate gradients with that of an earlier
        one as preconditioner as long as it serves.

        Raises:
            LinAlgError: see :meth:`factor`.
        """
        size = self.minimizer_on.size
        root = np.sqrt(state.on.slope)
        scale = np.exp(0.5 * state.log_unit) / root
        right = np.concatenate([first / root, second])
        found = None
        if self.iterations and self.factored is not None and self.factored is not state:
            found = self._conjugate_gradients(state, scale, right)
        if found is None:
            if self.factored is not state:
                self.factor(state)
            step, _ = dpotrs(self.cholesky, right, lower=1)
            step[:size] *= scale
            found = step, step @ self.stacked
        step, shift = found
        return step[:size], step[size:], shift

    def _conjugate_gradients(self, state, scale, right):
        """(step, its dz_Tc), the former of both parts; None where it takes too long."""
        size = scale.size
        weights = state.root_slope**2
        step, shift, residual = np.zeros(right.size), np.zeros(weights.size), right
        direction, _ = dpotrs(self.cholesky, residual, lower=1)
        energy = residual @ direction
        enough = _SOLVED**2 * energy
        for iteration in range(2 * self.iterations + 1):
            if energy <= enough:
                if iteration > self.iterations:
                    self.factored = None
                return step, shift
            move = direction.copy()
            move[:size] *= scale
            moved = move @ self.stacked
            image = self.stacked @ (weights * moved)
            image[:size] = scale * image[:size] + direction[:size]
            length = energy / (direction @ image)
            step, shift = step + length * move, shift + length * moved
            residual = residual - length * image
            preconditioned, _ = dpotrs(self.cholesky, residual, lower=1)
            energy, before = residual @ preconditioned, energy
            direction = preconditioned + energy / before * direction
        return None

    def rounding(self, state: State) -> float:
        """What is left of the rest of S in a converged step, in units of exp(log_unit)."""
        if not self.rest.any():
            return 0.0
        return 1e-13 * np.abs(self.minimizer_off).sum() / np.exp(state.log_unit)

    def rounding_of_z(self, state: State) -> float:
        """By how much z may move by rounding alone."""
        adapted = self.adapted
        parts = np.abs(self.potential.dual_scale(state.log_alpha) * self.direction)
        parts += np.abs(adapted.range_map).T @ np.abs(state.on.zeta)
        parts += np.abs(adapted.free_map).T @ np.abs(state.free) + np.abs(self.constant)
        return 8.0 * _EPSILON * parts.max(initial=0.0)

    @_AS_FAR
    def correct(self, state: State, options: PathOptions) -> tuple[State | None, int]:
        """Newton's method at fixed alpha: (state or None where it fails, steps)."""
        for step in range(1, options.newton_steps + 1):
            try:
                zeta, free, shift = self.solve(state, -state.first, -state.second)
            except np.linalg.LinAlgError:
                return None, step
            # phi is close to linear over a fraction of the room it has (D > 2), or
            # over a unit (D = 2): a longer step would leave Newton's domain
            reach = np.max(np.abs(shift) / np.minimum(0.9 * state.off.room, 2.0))
            if not np.isfinite(reach):
                return None, step
            length = 1.0 / max(1.0, reach)
            size, moved = np.abs(state.unit_error), state.root_slope**2 * np.abs(shift)
            # on the rest of S errors are differences from g*, good to rounding only
            small = moved.sum() <= options.tolerance * size.sum() + self.rounding(state)
            if self.rest.any():
                off = ~self.rest
                small = small and moved[off].sum() <= options.tolerance * size[off].sum()
            # an error of 0 has no relative accuracy: z moves by its rounding only
            if not small and np.abs(shift).max() < 1e-6:
                small = np.abs(shift).max() <= self.rounding_of_z(state)
            before = state
            found = self.evaluate(
                state.log_alpha,
                state.error_on + length * state.on.slope * zeta,
                state.free + length * free,
            )
            if found is None:
                return None, step
            state = found
            if length == 1.0 and small:
                # a factor of the iterate before is one of this; but for the unit, which
                # changes where the error is 0
                if self.factored is before and abs(state.log_unit - before.log_unit) < 1e-3:
                    self.factored = state
                return state, step
        return None, options.newton_steps

    def rates(self, state: State) -> np.ndarray:
        """The derivative of :meth:`position` with respect to log(alpha) along the path."""
        drift = (
            self.potential.dual_scale_rate() * self.direction
            + state.on.zeta_rate @ self.adapted.range_map
        )
        unit = np.exp(state.log_unit)
        slope = state.root_slope**2
        growth = state.unit_error + slope * drift
        if self.left_out.size:
            growth += self.minimizer_off / unit
        image = self.stacked @ growth
        zeta, free, shift = self.solve(
            state, -np.sqrt(unit) * image[: self.sigma.size], -image[self.sigma.size :]
        )
        return self._stacked(
            state.on.slope * zeta,
            unit * (growth + slope * shift),
            state.on.zeta_rate + zeta,
            free,
        )

    def position(self, state: State) -> np.ndarray:
        """x and the shifted dual vector ``lam - dual_scale * nu_0``, shape (d + N,)."""
        return self._stacked(
            self.minimizer_on + state.error_on,
            self.minimizer_off + np.exp(state.log_unit) * state.unit_error,
            state.on.zeta - self.offset_on,
            state.free,
        )

    def _stacked(self, on, off, zeta, free):
        adapted = self.adapted
        size = on.size + off.size
        stacked = np.empty(size + len(self.stacked))
        stacked[adapted.support] = on
        stacked[adapted.complement] = off
        stacked[size:] = adapted.dual_map @ np.concatenate([zeta, free])
        return stacked

    def error(self, state: State) -> np.ndarray:
        """n in units of exp(log_unit), shape (d,), exactly in the form of F1 = 0."""
        error = np.empty(self.minimizer_on.size + self.minimizer_off.size)
        error[self.adapted.complement] = state.unit_error
        error[self.adapted.support] = -(self.adapted.range_map @ state.unit_error)
        return error

    def error_in_unit(self, state: State) -> tuple[float, np.ndarray]:
        """(log_unit, n in units of exp(log_unit)), with all its digits on the rest of S too."""
        if self.settled(state):
            return self._refined(state)
        return state.log_unit, self.error(state)

    def settled(self, state: State) -> bool:
        """Whether x has come near one of several minimizers, so that g* + n cancels.

        Before, x may not even have the signs of g*.
        """
        if not (self.complete and self.rest.any()):
            return False
        size = np.exp(state.log_unit) * np.abs(self.error(state))
        on, off = size[self.adapted.support], size[self.adapted.complement]
        return bool(
            np.all(on < 0.5 * np.abs(self.minimizer_on))
            and np.all(off[self.rest] < 0.5 * np.abs(self.minimizer_off[self.rest]))
        )

    def _refined(self, state):
        """The error where g* is one of several minimizers: n on S anew, from n off S."""
        adapted, rest = self.adapted, self.rest
        off = np.zeros(rest.size)
        off[~rest] = state.off.sign[~rest] * np.exp(state.off.log_size[~rest])
        map_rest = adapted.range_map[:, rest]
        forced = -(adapted.range_map[:, ~rest] @ off[~rest])
        scale_rest = np.exp(self.log_scale_off[rest])
        values = np.exp(state.log_unit) * state.unit_error[rest]
        for _ in range(50):
            on = forced - map_rest @ values
            h_on, slope_on = self._deviation(state, self.minimizer_on, on, self.scale_on)
            h_rest, slope_rest = self._deviation(
                state, self.minimizer_off[rest], values, scale_rest
            )
            step = np.linalg.solve(
                np.diag(slope_rest) + (map_rest.T * slope_on) @ map_rest,
                map_rest.T @ h_on - h_rest,
            )
            values = values + step
            if np.abs(step).sum() <= 1e-15 * np.abs(values).sum():
                break
        off[rest] = values
        error = np.empty(self.minimizer_on.size + rest.size)
        error[adapted.complement] = off
        error[adapted.support] = forced - map_rest @ values
        log_unit = np.log(np.abs(error).max()) if np.any(error) else 0.0
        return log_unit, error / np.exp(log_unit)

    def deviation(self, state: State, columns: np.ndarray, error: np.ndarray) -> np.ndarray:
        """What n adds to z at some columns of the support, see Potential.deviation; in units of z.

        Args:
            state: for its scale.
            columns: indices; error: n there.
        """
        values, _ = self._deviation(state, self.minimizer[columns], error, self.scale[columns])
        return values

    def _deviation(self, state, point, error, scale):
        """What n adds to z where g* is `point`, and dz / dn, in units of z."""
        potential, log_alpha = self.potential, state.log_alpha
        values, _ = potential.deviation(point, error, scale, log_alpha)
        unit = 0.0 if potential.depth == 2 else log_alpha / potential.power
        slope = potential.on_support((point + error) / scale, np.sign(point), log_alpha).slope
        return values * np.exp(unit), 1.0 / (scale * slope)

    def fixed_point_residual(self, state: State) -> float:
        """||F1||_1 / ||n||_1."""
        mismatch = np.abs(state.first).sum()
        if mismatch == 0.0:
            return 0.0
        size = np.abs(self.error(state)).sum()
        return mismatch * np.exp(-0.5 * state.log_unit) / size if size else np.nan
