r"""The limit point of gradient flow, as an error vector, along a path of scales.

The limit x(alpha) of the flow solves ``A x = y``, ``x = alpha phi_D(A^T lam)``
(Woodworth et al., COLT 2020).  The quantity of interest, ``n = x - g*``, is
smaller than the rounding error of x by any number of decades, so it is the
unknown itself, in equations that lose no digits of it (:mod:`implicit_l1.network.equations`).

The set whose entries are unknowns is S less the indices at which x_i has not yet
come near g*_i: there ``g*_i + n_i`` would cancel, while ``n_i = alpha phi_D(z_i) -
g*_i`` does not.  So S is replaced by a subset T, and n_Tc has entries of both kinds.  T
changes on the way, by few indices at a time (:mod:`implicit_l1.network.exchange`).

The path starts at its largest scale, and follows alpha downwards; each point is predicted
from the values and derivatives at those before it (Hermite interpolation), and a step that
fails is shortened.

**The start** is by Newton's method on the dual problem, in the same coordinates of lam:
its objective ``f(lam) = alpha sum q_D^*(A^T lam) - <lam, y>`` is convex.  It sets out from
``lam = kappa nu_0`` with ``kappa = phi_D^{-1}(m / alpha)``, m the geometric mean of
``|g*_S|``, where x_S has the signs and the size of g*_S, and the rest is as small as it
should be.  A step that would let phi' grow by more than a factor e^c anywhere is shortened
to the fraction t at which it may do so.  Then ``f'' <= e^(c s)`` times its value, for s from
0 to 1 on the step taken, and with ``delta^2 = <step, f'' step>`` the objective falls by at
least

    t delta^2 - t^2 delta^2 (e^c - 1 - c) / c^2,

which is positive for c = 3/2 and t <= 1: the method converges from anywhere, without a
line search.  (Derived for this project.)  Its n_S is a difference from g* good to rounding
only, but a few digits of it are enough to go on from with n_S as unknowns.

How good a point is, is measured for each (:mod:`implicit_l1.network.defects`).  Where that is worse
than what is asked for, the point is computed anew with more bits and proved
(:mod:`implicit_l1.network.precise`), and if that fails, too, an error says so.  So it is at D = 2
where several dual vectors attain rho: the columns that tell them apart have so small a weight in
Newton's matrix that doubles lose them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from flint import fmpq
from scipy.interpolate import KroghInterpolator

from implicit_l1.linear.exact import as_rational, exact_product
from implicit_l1.linear.units import dividing_unit
from implicit_l1.minimizer.support import Certificate, independent_columns, row_scales
from implicit_l1.network.defects import correct_error, rounding_of_minimizer
from implicit_l1.network.equations import Equations, PathOptions
from implicit_l1.network.exchange import dual_coordinates
from implicit_l1.network.initialization import Initialization, initialize_from_ones
from implicit_l1.network.precise import PreciseLimit
from implicit_l1.potentials import Potential
from implicit_l1.proof.vanishing import error_vanishes, values_of_sets
from implicit_l1.proof.verified import Exact


class ConvergenceError(RuntimeError):
    """The path could not be followed to a requested scale."""


@dataclass(frozen=True)
class LimitPath:
    """Error vectors n(alpha) = x(alpha) - g* along a path, one row a scale.

    Attributes:
        log_alpha: natural logarithms of the scales, decreasing, shape (m,).
        log_unit: logarithm of the unit of ``error``, shape (m,).
        error: n in units of exp(log_unit), shape (m, d); its largest entries are of the
            order of 1.
        newton_steps: Newton steps spent on the way to each scale, shape (m,).
        relative_residual: ||A n||_2 / (sum_i ||A_i||_2 |n_i|), shape (m,).
        fixed_point_residual: ||n_S + M n_Sc||_1 / ||n||_1 of the iterate from which
            the last digits were taken, shape (m,); nan where more bits were needed.
        error_bound: of the relative error of ||n||_1, shape (m,): to first order, or proved
            where more bits were needed.
        entry_bound: of the error of any entry of n, relative to ||n||_1, likewise, shape (m,).
        proved: where more bits were needed, shape (m,).
    """

    log_alpha: np.ndarray
    log_unit: np.ndarray
    error: np.ndarray
    newton_steps: np.ndarray
    relative_residual: np.ndarray
    fixed_point_residual: np.ndarray
    error_bound: np.ndarray
    entry_bound: np.ndarray
    proved: np.ndarray

    def log_norm(self, order: float) -> np.ndarray:
        """Natural logarithm of ||n||_order, shape (m,); -inf where n = 0."""
        with np.errstate(divide="ignore"):
            return self.log_unit + np.log(np.linalg.norm(self.error, order, axis=1))

    @property
    def vectors(self) -> np.ndarray:
        """n at each scale, shape (m, d); below the smallest double 0."""
        return np.exp(self.log_unit)[:, None] * self.error

    def distance(self, offset: np.ndarray) -> np.ndarray:
        """||n + offset||_2 at each scale, however small it is, shape (m,).

        Args:
            offset: shape (d,); g* - x_0 for the distance of x(alpha) to x_0.
        """
        vectors = self.vectors + offset
        # squares of 1e-170 are 0 as doubles; a power of two changes no digit
        _, exponents = np.frexp(np.abs(vectors).max(axis=1))
        scaled = np.ldexp(vectors, -exponents[:, None])
        return np.ldexp(np.linalg.norm(scaled, axis=1), exponents)


_TINY = np.finfo(float).tiny

# A point is predicted from so many before it, with weights of at most this sum of sizes.
_NODES = 4

_AMPLIFICATION = 1e4

# Newton's method on the dual problem leaves it to that on F1 = F2 = 0 when a step is this
# fraction of the longest allowed.
_NEAR = 0.3

# Its most steps; and where it does not converge, how far up in log(alpha) it is tried next,
# until x is close to linear in y.
_DUAL_STEPS = 100

_START_STRIDE = 3.0 * np.log(10.0)

_LINEAR = 3.0 * np.log(10.0)

# An index leaves T when |x_i| falls below the first fraction of |g_i|.  When some index is
# above the last fraction, where a digit of n_i is lost, all above the second come back: the
# gap keeps them from going to and fro, and a change of T costs as much as several steps.
_LEAVE, _RETURN, _CLOSE = 0.2, 0.4, 0.9

# Up to this fraction of S changes sides by an exchange, more by a new factorization.
_EXCHANGED = 0.125


class _Path:
    """Follows the limit point from large alpha to small."""

    def __init__(
        self,
        matrix,
        minimizer,
        low,
        exact_data,
        basis,
        certificate,
        potential,
        initialization,
        options,
    ):
        self.matrix = matrix
        self.exact = Exact(matrix)
        self.minimizer = minimizer
        self.low = low
        rounded = initialization.is_rounded
        self.unsure = rounding_of_minimizer(matrix, minimizer) if rounded else np.zeros_like(low)
        self.exact_data = exact_data
        self.certificate = certificate
        self.potential = potential
        self.initialization = initialization
        self.options = options
        self.basis = basis
        self.column_norms = np.linalg.norm(matrix, axis=0)
        self.state = None
        self.dependent = self.basis.size < np.count_nonzero(minimizer)
        self.chosen = np.zeros(self.basis.size, dtype=bool)
        self.stride = np.log(10.0)
        self.steps = 0
        self.nodes = []  # the points before: (log_alpha, position, its derivative)
        self.lost = None  # the error with which doubles gave up
        self.precise = self.vanishes = None  # not asked for yet

    def point(self, target):
        """The row of a scale: what LimitPath says of it.

        Raises:
            ConvergenceError: if neither doubles nor more bits lead to the accuracy asked for.
        """
        guess, bounds = None, (np.inf, np.inf)
        if self.lost is None:
            try:
                if not self.nodes and self.state is None:
                    self.start(target)
                self.advance(target)
                guess, bounds = self._measured()
            except ConvergenceError as failure:
                self.lost = failure
            except np.linalg.LinAlgError as failure:
                name = f"log10(alpha) = {target / np.log(10.0):.6g}"
                self.lost = ConvergenceError(f"{name}: {failure}")
        steps, self.steps = self.steps, 0
        fixed = np.nan
        more = not bounds[0] <= self.options.accuracy
        if more:
            error, log_unit, bound = self._with_more_bits(target, guess, bounds[0])
            bounds = bound, bound
        else:
            error, log_unit = guess
            fixed = self.equations.fixed_point_residual(self.state)
        image = np.linalg.norm(self.matrix @ error)
        residual = image / max(self.column_norms @ np.abs(error), _TINY)
        # from the norm of n in the units of the initialization to that of n
        unit = self.initialization.unit
        norm = np.abs(unit * error).sum()
        if norm > 0.0:
            bounds = np.multiply(bounds, unit.max() * np.abs(error).sum() / norm)
        return log_unit, unit * error, steps, residual, fixed, *bounds, more

    def _measured(self):
        """((error, log_unit), bounds) at the scale where the path stands."""
        error, log_unit, bounds = correct_error(
            self.equations, self.state, self.exact, self.low, self.unsure
        )
        return (error, log_unit), bounds

    def _with_more_bits(self, target, guess, bound):
        """(error, log_unit, bound) in ball arithmetic, from a guess with a relative bound."""
        name = f"log10(alpha) = {target / np.log(10.0):.6g}"
        from_ones = self.initialization.is_from_ones
        if self.vanishes is None:
            # n is 0 for every alpha or for none, and what is known to half of it is not 0
            self.vanishes = from_ones and not bound <= 0.5 and self._vanishes()
        if self.vanishes:
            return np.zeros(self.minimizer.size), 0.0, 0.0
        if not from_ones:
            raise self.lost or ConvergenceError(
                f"{name}: the limit point is not known to {self.options.accuracy:.0e} in double "
                "precision, and more bits are for initializations from ones only"
            )
        if self.precise is None:
            self.precise = PreciseLimit(
                *(self.matrix, self.minimizer, self.low, self.potential.depth),
                self.exact_data,
                self.certificate.nu,
                not self.dependent,
            )
        find = self.precise.difference if self.dependent else self.precise.error
        try:
            return find(target, guess, self.options.accuracy)
        except ArithmeticError as error:  # NotProved, or a start where phi is not defined
            if self.lost:
                raise self.lost from error
            raise ConvergenceError(
                f"{name}: the limit point is known neither to {self.options.accuracy:.0e} in "
                f"double precision nor with more bits: {error}"
            ) from error

    def _vanishes(self):
        """Whether x(alpha) = g* for every alpha."""
        support, data = np.flatnonzero(self.minimizer), self.exact_data
        if data is None:
            if np.any(self.low):
                return False
            data = exact_product(self.matrix, self.minimizer)
        values = values_of_sets(
            self.matrix, support, self.minimizer[support], self.low[support], data
        )
        return values is not None and error_vanishes(self.matrix, support, values)

    def _take(self, chosen):
        """Take T to be the chosen ones of the basis."""
        leave, join = self.basis[self.chosen & ~chosen], self.basis[chosen & ~self.chosen]
        few = 0 < max(leave.size, join.size) <= _EXCHANGED * self.basis.size
        # of all T the one without rounding of others in it: it leads to the smallest errors
        if few and not chosen.all() and not self.dependent:
            adapted = self.equations.adapted
            adapted = adapted.without(leave) if leave.size else adapted
            adapted = adapted.joined(join) if join.size else adapted
        else:
            adapted = dual_coordinates(self.matrix, self.basis[chosen])
        self.chosen = chosen
        self.equations = Equations(
            adapted,
            self.minimizer,
            self.certificate,
            self.potential,
            self.basis,
            self.initialization,
        )

    def start(self, log_alpha):
        """Converge at exp(log_alpha), or at a larger scale from which the path leads there."""
        highest = self._log_size() + _LINEAR
        first = log_alpha
        while not self._started(first):
            if first >= highest:
                raise ConvergenceError(
                    f"log10(alpha) = {log_alpha / np.log(10.0):.6g}: Newton's method fails at the "
                    f"start of the path, up to log10(alpha) = {first / np.log(10.0):.6g}"
                )
            first = min(first + _START_STRIDE, highest)

    def _log_size(self):
        """The mean of ``log|g*_S|``, g* in units of the initialization; 0 where g* = 0."""
        size = np.abs(self.minimizer) / self.initialization.scale
        return np.mean(np.log(size[size > 0])) if np.any(size) else 0.0

    def _started(self, log_alpha):
        """Whether Newton's method converges at a scale; if so the path stands there."""
        self._take(np.ones(self.basis.size, dtype=bool))
        state = self._near(log_alpha)
        if state is None:
            return False
        position = self.equations.position(state)
        self._choose_part(position[: self.minimizer.size])
        guess = self._guess(log_alpha, position)
        if guess is None:
            return False
        # where n_T is small against x_T, F1 = 0 gives it better than the difference x - g*
        error = np.exp(guess.log_unit) * self.equations.error(guess)[self.equations.adapted.support]
        small = np.abs(error) < 1e-3 * np.abs(self.equations.minimizer_on)
        guess = self.equations.evaluate(
            log_alpha, np.where(small, error, guess.error_on), guess.free
        )
        if guess is None:
            return False
        self.state, steps = self.equations.correct(guess, self.options)
        self.steps += steps
        return self.state is not None

    @np.errstate(over="ignore", invalid="ignore")  # what is not finite is not near
    def _near(self, log_alpha):
        """The state close to the limit point, by Newton's method on the dual problem."""
        equations, potential = self.equations, self.potential
        # kappa - dual_scale
        beyond = potential.on_support(np.exp(self._log_size()), 1.0, log_alpha).zeta
        zeta = beyond * (equations.sigma - self.initialization.tilt[self.basis])
        free = beyond * (equations.adapted.free_basis.T @ self.certificate.nu)
        near = False
        for _ in range(_DUAL_STEPS):
            state, room = equations.evaluate_dual(log_alpha, zeta, free)
            if state is None or near:
                return state
            try:
                step, step_free, shift = equations.solve(state, -state.first, -state.second)
            except np.linalg.LinAlgError:
                return None
            self.steps += 1
            longest = np.max(np.abs(shift) / potential.reach(state.off.room))
            longest = max(longest, np.max(np.abs(step) / potential.reach(room), initial=0.0))
            if not np.isfinite(longest):
                return None
            length = 1.0 / max(1.0, longest)
            near = longest <= _NEAR
            zeta, free = zeta + length * step, free + length * step_free
        return None

    def _guess(self, log_alpha, position):
        adapted = self.equations.adapted
        return self.equations.evaluate(
            log_alpha,
            position[adapted.support] - self.equations.minimizer_on,
            adapted.free_basis.T @ position[self.minimizer.size :],
        )

    def _choose_part(self, point):
        """Move to the coordinates that suit x."""
        ratio = point[self.basis] / self.minimizer[self.basis]
        close = np.any(ratio[~self.chosen] > _CLOSE)
        chosen = ratio > np.where(self.chosen, _LEAVE, _RETURN if close else np.inf)
        if np.any(chosen != self.chosen):
            self._take(chosen)

    def advance(self, target):
        """Follow the path down to log(alpha) = target."""
        for _ in range(self.options.path_steps):
            if self.state.log_alpha <= target:
                return
            self._advance_once(target)
        raise ConvergenceError(
            f"log10(alpha) = {target / np.log(10.0):.6g}: {self.options.path_steps} steps lead to "
            f"{self.state.log_alpha / np.log(10.0):.6g} only"
        )

    def _advance_once(self, target):
        here = self.state.log_alpha
        position = self.equations.position(self.state)
        rate = self.equations.rates(self.state)
        self.nodes = [(here, position, rate), *self.nodes[: _NODES - 1]]
        self._choose_part(position[: self.minimizer.size])
        while True:
            reach = max(here - self.stride, target)
            guess = self._guess(reach, extrapolated(self.nodes, reach))
            state = None
            if guess is not None:
                state, steps = self.equations.correct(guess, self.options)
                self.steps += steps
            if state is not None:
                break
            self.stride = 0.25 * min(self.stride, here - target)
            if self.stride < self.options.shortest_stride:
                raise ConvergenceError(
                    f"log10(alpha) = {target / np.log(10.0):.6g}: Newton's method fails from "
                    f"{here / np.log(10.0):.6g} on, even with steps of {self.stride:.0e}"
                )
        self.state = state
        self.stride *= 2.0


def extrapolated(nodes: Sequence[tuple[float, np.ndarray, np.ndarray]], at: float) -> np.ndarray:
    """The value at `at` of the polynomial that has the values and derivatives of the nodes.

    Weights of values (they add up to 1) that are large in sum would amplify rounding, and the
    change of the function between nodes far nearer to each other than to `at`: then the last
    node is left out.

    Args:
        nodes: (place, value, derivative), values and derivatives of one shape.
        at: a place.
    """
    while True:
        places = np.repeat([node[0] for node in nodes], 2)
        weights = KroghInterpolator(places, np.eye(places.size))(at)
        if np.abs(weights[::2]).sum() <= _AMPLIFICATION:
            break
        nodes = nodes[:-1]
    pairs = weights.reshape(-1, 2)
    return sum(w * value + v * rate for (w, v), (_, value, rate) in zip(pairs, nodes, strict=True))


def limit_path(
    matrix: np.ndarray,
    minimizer: np.ndarray,
    certificate: Certificate,
    potential: Potential,
    log_alpha: np.ndarray,
    options: PathOptions | None = None,
    initialization: Initialization | None = None,
    minimizer_low: np.ndarray | None = None,
    exact_data: Sequence[fmpq] | None = None,
) -> LimitPath:
    """Limit points along decreasing scales, as error vectors.

    Args:
        matrix: A, shape (N, d).
        minimizer: g*, shape (d,), zero off its support; the data are y = A g*.
        certificate: a dual certificate of g*, in the units of the initialization.
        potential: of the depth wanted.
        log_alpha: natural logarithms of the scales of the predictor, decreasing.
        options: numerical settings.
        initialization: from ones if None.
        minimizer_low: what the rounding of the exact g* to `minimizer` left, shape (d,); 0 if
            None.
        exact_data: y as rational numbers, N of them, from which g* follows exactly where more
            bits are needed; y = A g*, rounded as it is, if None.
    Raises:
        ValueError: if log_alpha does not decrease or is not finite, or goes below 1e-300
            where the columns of the support are dependent.
        ConvergenceError: naming the scale that could not be reached.
    """
    options = options or PathOptions()
    c = initialization or initialize_from_ones(matrix.shape[1])
    sizes = row_scales(matrix)
    matrix = matrix * sizes[:, None]
    certificate = replace(certificate, nu=certificate.nu / sizes)
    if exact_data is not None:
        exact_data = [y * as_rational(s) for y, s in zip(exact_data, sizes, strict=True)]
    size = dividing_unit(matrix)
    # of A as it is given: units of an initialization are rounded into its columns
    basis = independent_columns(matrix, minimizer)
    matrix, minimizer = matrix / size * c.unit, minimizer / c.unit
    certificate = replace(certificate, nu=certificate.nu * size)
    if exact_data is not None:
        exact_data = [value / as_rational(size) for value in exact_data]
    log_alpha = np.asarray(log_alpha, dtype=float)
    if log_alpha.size == 0 or not np.all(np.isfinite(log_alpha)) or np.any(np.diff(log_alpha) >= 0):
        raise ValueError("log_alpha must be finite and strictly decreasing")
    low = np.zeros(minimizer.size) if minimizer_low is None else minimizer_low / c.unit
    path = _Path(matrix, minimizer, low, exact_data, basis, certificate, potential, c, options)
    if path.dependent and log_alpha[-1] < -300.0 * np.log(10.0):
        raise ValueError("with several minimizers alpha must be at least 1e-300")
    rows = [path.point(target) for target in log_alpha]
    return LimitPath(log_alpha, *(np.array(column) for column in zip(*rows, strict=True)))
