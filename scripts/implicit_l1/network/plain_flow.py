r"""Integration of the gradient flow, and of its plain form for comparison.

The flow of the weights, ``u' = -dL/du``, ``v' = -dL/dv`` with ``L = ||A x - y||^2 / 2``,
``x = u**D - v**D``, from ``u = v = alpha**(1/D)``, is exactly

    lam' = c_D(alpha) (y - A x),    x = alpha phi_D(A^T lam),    lam(0) = 0

(Woodworth et al., COLT 2020; the time constants c_D are derived for this project); from
other initializations it is of the same form, see :mod:`implicit_l1.network.initialization`.
Its Jacobian ``-c A diag(alpha phi_D') A^T`` is symmetric negative definite: stiff, but
an implicit method follows it through many decades of time, see :mod:`implicit_l1.network.radau`.
The plain flow is integrated by another method, LSODA.  Time is that of the plain flow.
The integration ends by event: the relative residual, the relative change of the entries
off the support within one e-fold of time, and the distance to the limit point relative to that
of the limit point to the l1 minimizer g*, are all below tolerances.  The last one decides that
the flow has converged: at small alpha x rests on a plateau for a long time before the entries off
the support come near their ends, and neither of the others tells it from the end.  The distance
comes with a bound on what rounding does to it (:mod:`implicit_l1.network.limit_distance`); where
double precision cannot tell whether the flow has come so near, it has not converged.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from implicit_l1.network.initialization import Initialization, initialize, initialize_from_ones
from implicit_l1.network.limit_distance import LimitPoint
from implicit_l1.network.radau import IntegrationError, radau_steps
from implicit_l1.potentials import Potential
from implicit_l1.potentials import potential as potential_of

_HALF_UNIT = 0.5 * np.finfo(float).eps  # the relative error of a rounding


class FlowError(RuntimeError):
    """The integrator failed, or the flow did not converge within its time."""


@dataclass(frozen=True)
class FlowOptions:
    """Numerical settings.

    Attributes:
        rtol: relative tolerance of the integrator (absolute: a thousandth of it, in the
            units of lam, whose size is that of phi^{-1}, or of the weights).
        residual: ||A x - y||_2 / ||y||_2 at the end.
        change: t ||x'_Sc||_1 / ||x_Sc||_1 at the end, unless rounding hides it, and a bound
            on ||x - x*||_1 / ||x* - g*||_1 with the limit point x*.
        drift: what the integrator's errors may have moved the end of the plain flow by, in the
            same unit; that of the dual form is of the size of rounding.
        states_per_decade: saved states per decade of time.
        evaluations: of the velocity, after which the flow is given up.
    """

    rtol: float = 1e-8
    residual: float = 1e-8
    change: float = 1e-7
    drift: float = 1e-3
    states_per_decade: int = 10
    evaluations: int = 100_000


@dataclass(frozen=True)
class Trajectory:
    """States of the flow at log-spaced times, the last one at convergence.

    Attributes:
        time: shape (m,), in the plain flow's time.
        point: x(t), shape (m, d).
        steps: steps of the integrator.
        claim: a bound on the distance of the last point to the limit point, in units of that
            of the limit point to g*, both in the 1-norm.
    """

    time: np.ndarray
    point: np.ndarray
    steps: int
    claim: float


def shown(
    trajectory: Trajectory, matrix: np.ndarray, data: np.ndarray, minimizer: np.ndarray, count: int
) -> dict:
    """What is shown of a trajectory: norms, and some entries of x.

    Args:
        trajectory: of the flow.
        matrix, data, minimizer: A, y and g*.
        count: of entries; half of them are the largest of g*, the others those of the largest
            at the end off its support.
    Returns:
        (quantity, coordinate) -> values over time, shape (m,); the coordinate is -1 for
        ``loss``, ``||A x - y||_2^2 / 2``; ``error_1``, ``||x - g*||_1``; ``norm_1``, ``||x||_1``.
    """
    point = trajectory.point
    values = {
        ("loss", -1): 0.5 * np.sum((point @ matrix.T - data) ** 2, axis=1),
        ("error_1", -1): np.abs(point - minimizer).sum(axis=1),
        ("norm_1", -1): np.abs(point).sum(axis=1),
    }
    largest = np.argsort(-np.abs(minimizer), kind="stable")[: (count + 1) // 2]
    leak = np.where(minimizer == 0, np.abs(point[-1]), -1.0)
    strays = np.argsort(-leak, kind="stable")[: count // 2]
    for name, chosen in (("x_on", largest), ("x_off", strays)):
        values |= {(name, int(coordinate)): point[:, coordinate] for coordinate in chosen}
    return values


def saved_times(first: float, last: float, per_decade: int) -> np.ndarray:
    """Times ``10**(j / per_decade)`` in [first, last), then last."""
    low = np.ceil(per_decade * np.log10(first))
    high = np.floor(per_decade * np.log10(last))
    times = 10.0 ** (np.arange(low, high + 1) / per_decade)
    return np.append(times[times < last * (1.0 - 1e-9)], last)


def gradient_flow(
    matrix: np.ndarray,
    data: np.ndarray,
    potential: Potential,
    alpha: float,
    minimizer: np.ndarray,
    options: FlowOptions | None = None,
    initialization: Initialization | None = None,
) -> Trajectory:
    """Integrate the flow in its dual form, to convergence.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        potential: of the depth wanted.
        alpha: scale of the predictor, positive.
        minimizer: g*, shape (d,), zero off its support.
        options: numerical settings.
        initialization: from ones if None.
    Raises:
        FlowError: if the integrator fails, needs more evaluations than allowed, or cannot come
            near enough to the limit point in double precision.
    """
    options = options or FlowOptions()
    name = f"gradient flow at alpha = {alpha:g}"
    progress = _Progress(name, options.evaluations)
    c = initialization or initialize_from_ones(matrix.shape[1])
    limit = LimitPoint(matrix, data, minimizer, potential, alpha, c)
    off_support = np.flatnonzero(minimizer == 0)
    matrix, start, scale = matrix * c.unit, c.tilt + c.offset, alpha * c.scale
    rate = potential.time_constant(alpha)
    norm, squares = np.linalg.norm(data), matrix**2
    column_norms = np.linalg.norm(matrix, axis=0)

    def velocity(lam):
        progress.evaluated(len(lam))
        return rate * (data - (scale * potential.phi(lam @ matrix + start)) @ matrix.T)

    def curvature(lam):
        slope = scale * potential.phi_prime(matrix.T @ lam + start)
        return rate * (matrix * slope) @ matrix.T

    def unconverged(time, lam):
        z = matrix.T @ lam + start
        x, slope = scale * potential.phi(z), scale * potential.phi_prime(z)
        gap = data - matrix @ x
        # rounding of A^T lam, in x; then in the gap, added up like independent errors
        blur = _HALF_UNIT * slope * column_norms * np.linalg.norm(lam)
        blur = np.sqrt(squares @ blur**2)
        change, blurred = (
            _change(time, (c.unit * rate * slope * motion)[off_support], (c.unit * x)[off_support])
            for motion in (matrix.T @ gap, np.sqrt(squares.T @ blur**2))
        )
        change /= max(options.change, blurred)
        excess = max(np.linalg.norm(gap) / norm / options.residual, change) - 1.0
        if excess > 0.0:
            return excess
        distance = limit.distance(c.unit * scale * potential.phi(z))
        if distance.claim > options.change and distance.motion <= distance.resolution:
            raise FlowError(_indistinct(name, distance, options.change))
        return distance.claim / options.change - 1.0

    # the time in which lam would move the largest entry of x by about alpha
    unit = 1.0 / (rate * np.abs(matrix.T @ data).max())
    origin = np.zeros(matrix.shape[0])
    steps = []
    try:
        for step in radau_steps(
            velocity, curvature, origin, 1e-2 * unit, options.rtol, 1e-3 * options.rtol
        ):
            progress.time = step.end
            steps.append(step)
            if step.end > unit and unconverged(step.end, step.reached) <= 0.0:
                break
    except IntegrationError as error:
        raise FlowError(f"{name} failed: {error} (t = {progress.time:.3g})") from error
    end, last = _convergence(steps[-1], unconverged, unit)
    time = saved_times(1e-2 * unit, end, options.states_per_decade)
    states = [step.at(time[(step.start < time) & (time <= step.end)]) for step in steps]
    point = c.unit * scale * potential.phi(np.concatenate(states) @ matrix + start)
    # as it was judged, to the last bit
    point[-1] = c.unit * scale * potential.phi(matrix.T @ last + start)
    return Trajectory(time, point, len(steps), limit.distance(point[-1]).claim)


def _indistinct(name, distance, tolerance):
    """The message of a flow that has come as near to its limit point as rounding allows."""
    return (
        f"{name} has come to rest, but double precision cannot tell whether within {tolerance:g} "
        "of the limit point, relative to its distance from the minimizer: the bound is "
        f"{distance.claim:.1e}, and rounding alone moves x by {distance.resolution:.1e}; raise "
        "alpha or the tolerance"
    )


def _convergence(step, unconverged, unit):
    """Time and state at the first zero of `unconverged` after time `unit`, by bisection.

    It lies in the step, at the end of which the flow has converged.  Unlike
    ``scipy.optimize.bisect`` this ends on the side where it has converged.
    """
    early, late = max(step.start, unit), step.end
    state = step.reached
    while late - early > 1e-12 * late:
        middle = 0.5 * (early + late)
        here = step.at([middle])[0]
        if unconverged(middle, here) > 0.0:
            early = middle
        else:
            late, state = middle, here
    return late, state


class _Progress:
    """Counts evaluations of the velocity, and gives the flow up after so many.

    Attributes:
        time: how far the integration has come.
    """

    def __init__(self, name, evaluations):
        self.name, self.evaluations, self.left = name, evaluations, evaluations
        self.time = 0.0

    def evaluated(self, count):
        self.left -= count
        if self.left < 0:
            raise FlowError(
                f"{self.name} did not converge within {self.evaluations} evaluations "
                f"(t = {self.time:.3g}): rounding hides what is left of the motion; raise the "
                "tolerances or alpha"
            )


def _change(time, speed, point):
    """Relative change within one e-fold of time; 0 of nothing."""
    size = np.abs(point).sum()
    return time * np.abs(speed).sum() / size if size else 0.0


def plain_flow(
    matrix: np.ndarray,
    data: np.ndarray,
    depth: float,
    alpha: float,
    minimizer: np.ndarray,
    options: FlowOptions | None = None,
    shapes: Sequence[np.ndarray] = (),
) -> Trajectory:
    """Integrate the flow of the 2d weights (u, v) itself; slow, for comparison.

    Arguments and errors as in :func:`gradient_flow`, with the depth D >= 2 in place of
    the potential, and (w_u, w_v) in place of the initialization; from ones if empty.  Errors of
    the integrator that do not decay, in what the exact flow of (u, v) conserves, are part of
    the claim.
    """
    options = options or FlowOptions()
    name = f"plain flow at alpha = {alpha:g}"
    progress = _Progress(name, options.evaluations)
    size = matrix.shape[1]
    norm = np.linalg.norm(data)
    gram = matrix.T @ matrix
    off_support = np.flatnonzero(minimizer == 0)
    initialization = initialize(depth, *shapes) if shapes else None
    limit = LimitPoint(matrix, data, minimizer, potential_of(depth), alpha, initialization)

    def parts(weights):
        u, v = weights[:size], weights[size:]
        return u, v, u**depth - v**depth

    def velocity(time, weights):
        progress.time = time
        progress.evaluated(1)
        u, v, x = parts(weights)
        gradient = depth * (matrix.T @ (matrix @ x - data))
        return np.concatenate([-(u ** (depth - 1)) * gradient, v ** (depth - 1) * gradient])

    def jacobian(_, weights):
        u, v, x = parts(weights)
        gradient = depth * (matrix.T @ (matrix @ x - data))
        du, dv = depth * u ** (depth - 1), depth * v ** (depth - 1)
        signed = np.concatenate([-du, dv])
        result = np.block([[gram, gram], [gram, gram]])
        result *= signed[:, None]
        result *= np.concatenate([du, -dv])
        curvature = np.concatenate([-(u ** (depth - 2)) * gradient, v ** (depth - 2) * gradient])
        result[np.diag_indices(2 * size)] += (depth - 1) * curvature
        return result

    scale = alpha ** (1.0 / depth)
    unit = 1.0 / (depth * scale ** (depth - 2) * np.abs(matrix.T @ data).max())

    def unconverged(time, weights):
        if time <= unit:
            return 1.0
        u, v, x = parts(weights)
        gap = matrix @ x - data
        # x' = D (u^(D-1) u' - v^(D-1) v')
        speed = -(depth**2) * (u ** (2 * depth - 2) + v ** (2 * depth - 2)) * (matrix.T @ gap)
        change = _change(time, speed[off_support], x[off_support])
        excess = max(np.linalg.norm(gap) / norm / options.residual, change / options.change) - 1.0
        if excess > 0.0:
            return excess
        # the drift stays, however long the integration goes on
        distance = limit.distance(x)
        return (distance.motion + distance.rest) / options.change - 1.0

    event: Any = unconverged
    event.terminal = True
    try:
        with warnings.catch_warnings():
            # LSODA says in a warning why it fails
            warnings.simplefilter("error", UserWarning)
            solution = solve_ivp(
                velocity,
                (0.0, np.inf),
                scale * np.concatenate(shapes or (np.ones(size), np.ones(size))),
                method="LSODA",
                jac=jacobian,
                rtol=options.rtol,
                atol=1e-3 * options.rtol,
                first_step=1e-3 * unit,
                events=event,
                dense_output=True,
            )
    except UserWarning as warning:
        raise FlowError(f"{name} failed: {warning} (t = {progress.time:.3g})") from warning
    except ValueError as error:
        raise FlowError(f"{name}: convergence could not be located in time: {error}") from error
    if solution.status != 1:
        raise FlowError(f"{name} failed: {solution.message} (t = {solution.t[-1]:.3g})")
    time = saved_times(1e-2 * unit, solution.t[-1], options.states_per_decade)
    states = solution.sol(time).T
    states[-1] = solution.y[:, -1]
    point = states[:, :size] ** depth - states[:, size:] ** depth
    distance = limit.distance(point[-1])
    if not distance.drift <= options.drift:
        raise FlowError(
            f"{name}: errors of the integrator have moved the end by {distance.drift:.1e} of its "
            "distance from the minimizer; lower rtol or raise alpha"
        )
    return Trajectory(time, point, solution.t.size - 1, distance.claim)
