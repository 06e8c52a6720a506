r"""The gradient flow, integrated to its limit point at any scale.

The flow of the weights, ``u' = -dL/du``, ``v' = -dL/dv`` with ``L = ||A x - y||^2 / 2``,
``x = u**D - v**D``, from ``u = v = alpha**(1/D)``, is exactly

    lam' = c_D(alpha) (y - A x),    x = alpha phi_D(A^T lam),    lam(0) = 0

(Woodworth et al., COLT 2020; the time constants c_D are derived for this project); from
other initializations it is of the same form, see :mod:`implicit_l1.network.initialization`.
It is integrated in the coordinates of :mod:`implicit_l1.network.mirror_flow`, which keep
the digits of ``n = x - g*``, by the implicit method of
:mod:`implicit_l1.network.radau`, which follows it through many decades of time.  Time is that of
the plain flow (:mod:`implicit_l1.network.plain_flow` integrates that one, by another method).

The flow has converged where ``||x - x*||_1`` is below a fraction of ``||x* - g*||_1``, with x* the
limit point, to which Newton's method leads from the state.  No rate of change tells this: for
``1/c << t << 1/(c alpha)`` x rests on a plateau while the entries off the support are still far
from their ends.  Where rounding has the flow go instead is measured, and where that is farther
from x* than the fraction wanted, the flow has not converged.  Where x* is g* itself there is no
such fraction; the flow ends where n is 0 but for rounding.  The end is the first of the saved times
at which this is so: the flow's own, wherever the steps of a processor lie.

Why it is not a library's: SciPy's LSODA, BDF and Radau lose n below alpha = 1e-4, and take longer
above it (see the benchmark of the flow).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from implicit_l1.network.initialization import Initialization
from implicit_l1.network.mirror_flow import RISING, MirrorFlow, begin
from implicit_l1.network.radau import IntegrationError, Step, radau_steps
from implicit_l1.potentials import Potential
from implicit_l1.status import AT_MINIMIZER, CONVERGED

# Newton's method to the limit point is tried once a step moves no entry by more than this
_SLOW = 1e-2
# steps in which the motion that is left has not become smaller, after which it is rounding
_AT_REST = 10


class FlowError(RuntimeError):
    """The integrator failed, or the flow did not converge within its time."""


@dataclass(frozen=True)
class FlowOptions:
    """Numerical settings.

    Attributes:
        rtol: relative tolerance of the integrator: of a step's error in x, or, where an entry has
            come near its end, in units of ||n||_1.
        distance: ||x - x*||_1 / ||x* - g*||_1 at the end, with the limit point x*.
        states_per_decade: saved states per decade of time.
        steps: of the integrator, after which the flow is given up.
    """

    rtol: float = 1e-8
    distance: float = 1e-9
    states_per_decade: int = 10
    steps: int = 50_000


@dataclass(frozen=True)
class Trajectory:
    """States of the flow at log-spaced times, the last one at its end.

    Attributes:
        time: shape (m,), in the plain flow's time.
        point: x(t), shape (m, d).
        error: n(t) = x(t) - g*, shape (m, d), to relative accuracy.
        loss: ||A x(t) - y||_2^2 / 2, shape (m,).
        steps: steps of the integrator.
        claim: the distance of the last point to the limit point, in units of that of the limit
            point to g*, both in the 1-norm, with an estimate of what rounding does to it; nan where
            the limit point is g*.  Of an initialization with units other than powers of two it is
            said of the problem of ``A diag(unit)`` as doubles, and of its g*.
        outcome: how it has ended: CONVERGED, or AT_MINIMIZER where the limit point is g*, as far as
            double precision tells.
    """

    time: np.ndarray
    point: np.ndarray
    error: np.ndarray
    loss: np.ndarray
    steps: int
    claim: float
    outcome: str = CONVERGED


def shown(trajectory: Trajectory, minimizer: np.ndarray, count: int) -> dict:
    """What is shown of a trajectory: norms, and some entries of x.

    Args:
        trajectory: of the flow.
        minimizer: g*, shape (d,).
        count: of entries; half of them are the largest of g*, the others those of the largest
            at the end off its support.
    Returns:
        (quantity, coordinate) -> values over time, shape (m,); the coordinate is -1 for
        ``loss``, ``||A x - y||_2^2 / 2``; ``error_1``, ``||x - g*||_1``; ``norm_1``, ``||x||_1``.
    """
    point = trajectory.point
    values = {
        ("loss", -1): trajectory.loss,
        ("error_1", -1): np.abs(trajectory.error).sum(axis=1),
        ("norm_1", -1): np.abs(point).sum(axis=1),
    }
    largest = np.argsort(-np.abs(minimizer), kind="stable")[: (count + 1) // 2]
    leak = np.where(minimizer == 0, np.abs(point[-1]), -1.0)
    strays = np.argsort(-leak, kind="stable")[: count // 2]
    for name, chosen in (("x_on", largest), ("x_off", strays)):
        values |= {(name, int(coordinate)): point[:, coordinate] for coordinate in chosen}
    return values


def settling_time(trajectory: Trajectory) -> float:
    """The last time at which ||x - g*||_1 is twice, or half, its end; nan if it never is."""
    log_error = np.log(np.abs(trajectory.error).sum(axis=1))
    return _last_time(trajectory.time, np.abs(log_error - log_error[-1]) - np.log(2.0))


def escape_time(trajectory: Trajectory) -> float:
    """The last time at which the loss is half of that at x = 0, nearly that of the first state."""
    with np.errstate(divide="ignore"):  # of a loss that has come to 0
        return _last_time(trajectory.time, np.log(2.0 * trajectory.loss / trajectory.loss[0]))


def _last_time(time, excess):
    """When a quantity becomes negative for good, nan if it always is.

    Between saved times it is taken as linear in the logarithm of time.
    """
    above = np.flatnonzero(excess > 0)
    if above.size == 0:
        return np.nan
    ends = slice(above[-1], above[-1] + 2)
    return float(np.exp(np.interp(0.0, -excess[ends], np.log(time[ends]))))


def escape_scale(potential: Potential, alpha: float) -> float:
    """What :func:`escape_time` is in proportion to as alpha -> 0.

    ``1 / c_D(alpha)``, times ``log(1 / alpha)`` for D = 2, where z has to come so far; nan from
    alpha = 1, where there is no such time.  (Derived for this project.)
    """
    if not alpha < 1.0:
        return np.nan
    return (-np.log(alpha) if potential.depth == 2 else 1.0) / potential.time_constant(alpha)


def slow_scale(potential: Potential, alpha: float, size: np.ndarray) -> np.ndarray:
    """What :func:`settling_time` is in proportion to as alpha -> 0 where |S| < N.

    ``1 / (c_D(alpha) ||n||_1)``, n that of the limit point: modes outside the range of A_S relax at
    the rate of dx / dz off the support, which is of the size of n.  (Derived for this project.)

    Args:
        potential: of the depth.
        alpha: scale of the predictor.
        size: ||n||_1, of any shape.
    """
    with np.errstate(divide="ignore"):  # infinite where the limit point is g*
        return 1.0 / (potential.time_constant(alpha) * size)


def saved_times(first: float, last: float, per_decade: int) -> np.ndarray:
    """Times ``10**(j / per_decade)`` in [first, last), then last."""
    low = np.ceil(per_decade * np.log10(first))
    high = np.floor(per_decade * np.log10(last))
    times = 10.0 ** (np.arange(low, high + 1) / per_decade)
    return np.append(times[times < last * (1.0 - 1e-9)], last)


def flow_steps(
    matrix: np.ndarray,
    minimizer: np.ndarray,
    potential: Potential,
    alpha: float,
    rtol: float,
) -> Iterator[Step[MirrorFlow]]:
    """The flow from ones, step by step, without end; time is c t (see :class:`Trajectory`).

    Arguments as in :func:`gradient_flow`.
    """
    return _steps(begin(matrix, minimizer, potential, alpha, rtol, None))


def _steps(flow):
    return radau_steps(flow, 1e-2 * _time_unit(flow))


def _time_unit(flow):
    """The time c t in which lam would move the largest entry of x by about alpha."""
    matrix = flow.setting.matrix
    return 1.0 / np.abs(matrix.T @ (matrix @ flow.setting.minimizer)).max()


def gradient_flow(
    matrix: np.ndarray,
    minimizer: np.ndarray,
    potential: Potential,
    alpha: float,
    options: FlowOptions | None = None,
    initialization: Initialization | None = None,
) -> Trajectory:
    """Integrate the flow to its end.

    Args:
        matrix: A, shape (N, d).
        minimizer: g*, shape (d,), zero off its support; y is ``A g*``.
        potential: of the depth wanted.
        alpha: scale of the predictor, positive.
        options: numerical settings.
        initialization: from ones if None.
    Raises:
        FlowError: if alpha is so small that double precision does not hold the times at which
            entries rise, the integrator fails or needs more steps than allowed, or rounding hides
            how near to its limit point the flow has come.
    """
    options = options or FlowOptions()
    name = f"gradient flow at alpha = {alpha:g}"
    flow = begin(matrix, minimizer, potential, alpha, options.rtol, initialization)
    _check_scale(name, flow)
    rate, unit = potential.time_constant(alpha), flow.setting.unit
    seen = []  # (times, n, loss) of the steps
    time, count = 1e-2 * _time_unit(flow) / rate, 0
    approach, outcome = _Approach(name, flow.setting, options.distance), ""
    try:
        for step in _steps(flow):
            count += 1
            end = step.end / rate
            if step.system.size(step.reached[None]) * options.rtol < _SLOW:
                approach.see(step.system.advanced(step.reached))
            times = saved_times(time, max(time, end), options.states_per_decade)[:-1]
            if times.size:
                error, loss = _seen(step.system, step.at(times * rate))
                outcome = approach.ended(error)[0]
                seen.append((times, error, loss))
            if outcome:
                break
            time = max(time, end)
            if count == options.steps:
                raise FlowError(f"{name} did not converge within {count} steps (t = {end:.3g})")
    except IntegrationError as failure:
        raise FlowError(f"{name} failed: {failure} (t = {time:.3g})") from failure
    time_of, error, loss = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    # states of steps before that in which the limit point became known may be near enough, too
    outcome, there, claims = approach.ended(error)
    kept = slice(int(np.argmax(there)) + 1)
    time_of, error, loss = time_of[kept], error[kept] * unit, loss[kept]
    claim = float(claims[kept][-1])
    return Trajectory(time_of, minimizer + error, error, loss, count, claim, outcome)


def _check_scale(name, flow):
    """Raise an error where the times at which entries of x rise are beyond double precision."""
    blur = np.finfo(float).eps / flow.setting.rise
    if not blur <= RISING:
        raise FlowError(
            f"{name} cannot be followed in double precision: where entries of x rise, rounding of "
            f"the time moves them by {blur:.1e} of their size; raise alpha"
        )


def _seen(flow, increments):
    """n and the loss at increments of the coordinates, shapes (m, d) and (m,).

    ``A n`` is L F, whose digits are not lost.
    """
    error = flow.errors(flow.moves(increments))
    gap = np.linalg.solve(flow.coordinates.dual_map.T, flow.residuals(error).T)
    return error, 0.5 * np.sum(gap**2, axis=0)


class _Approach:
    """How near states of the flow are to the limit point.

    Attributes:
        limit: the limit point, as known from the last step's end; None before it is asked.
        size: its ||n||_1; blur: what rounding leaves unknown of it, relative to that.
    """

    def __init__(self, name, setting, tolerance):
        self.name, self.setting, self.tolerance = name, setting, tolerance
        self.limit, self.size, self.blur = None, np.nan, np.inf
        self.least, self.idle = np.inf, 0  # of the motion that is left, and steps since it was more

    def see(self, flow):
        """Take the next state; an error where it has come to rest, and not within the tolerance."""
        if np.abs(flow.error).sum() <= self.setting.nothing:
            return  # at g* itself, where it ends at the next of the saved times
        self.limit, unit = flow.limit(), self.setting.unit
        self.size = np.abs(self.limit.error * unit).sum()
        with np.errstate(divide="ignore", invalid="ignore"):  # of a limit that is g*
            self.blur = (self.limit.rounding * unit).sum() / self.size
        # of the flow, which goes to where rounding of its coordinates has it end
        blur = self._distance(self.limit.reached[None], self.limit.error)[0] + self.blur
        motion = self._distance(flow.error[None], self.limit.reached)[0]
        self.idle = self.idle + 1 if motion > 0.9 * self.least else 0
        self.least = np.fmin(self.least, motion)
        # a motion that is more than both may be of a plateau
        if not motion <= max(self.tolerance, blur) or motion + blur <= self.tolerance:
            return
        if blur >= 1.0:
            raise FlowError(
                f"{self.name} has come to where its distance from the minimizer is below what "
                "rounding leaves: double precision cannot tell it from 0"
            )
        if blur > self.tolerance or self.idle >= _AT_REST:
            raise FlowError(
                f"{self.name} has come to rest, but double precision cannot tell whether within "
                f"{self.tolerance:g} of the limit point, relative to its distance from the "
                f"minimizer: rounding moves it by about {blur:.1e}; raise alpha or the tolerance"
            )

    def ended(self, error):
        """(how the flow has ended, which of its states are there, what is claimed of each).

        The first is empty if none is, and no claim is a number of an end that is g*.

        Args:
            error: n at states, shape (m, d).
        """
        if self.limit is not None:
            claims = self._distance(error, self.limit.error) + self.blur
            if np.any(claims <= self.tolerance):
                return CONVERGED, claims <= self.tolerance, claims
        # at g* itself, towards which it goes on for ever
        there = np.abs(error).sum(axis=1) <= self.setting.nothing
        return AT_MINIMIZER if there.any() else "", there, np.full(len(error), np.nan)

    def _distance(self, error, limit):
        """Of states to a limit point, in units of ||n||_1, shape (m,)."""
        with np.errstate(divide="ignore", invalid="ignore"):  # of a limit that is g*
            return np.abs((error - limit) * self.setting.unit).sum(axis=1) / self.size
