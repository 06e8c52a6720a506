r"""The plain flow of the 2d weights, integrated for comparison.

``u' = -dL/du``, ``v' = -dL/dv`` with ``L = ||A x - y||^2 / 2``, ``x = u**D - v**D``, from
``u = v = alpha**(1/D)`` or another shape, by LSODA.  It shares nothing with
:mod:`implicit_l1.network.flow` but what it ends by: the distance to the limit point, relative to
that of the limit point to the l1 minimizer g*.  The distance is told from x alone and comes with a
bound on what rounding does to it (:mod:`implicit_l1.network.limit_distance`); where double
precision cannot tell whether the flow has come so near, it has not converged.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from implicit_l1.network.flow import FlowError, FlowOptions, Trajectory, saved_times
from implicit_l1.network.initialization import initialize
from implicit_l1.network.limit_distance import LimitPoint
from implicit_l1.potentials import potential as potential_of

# velocities after which the flow is given up
_EVALUATIONS = 100_000
_HIDDEN = "rounding hides what is left of the motion; raise the tolerances or alpha"
# what the integrator's errors may have moved the end by, in units of ||n||_1
_DRIFT = 1e-3


class _Progress:
    """Counts evaluations of the velocity, and gives the flow up after so many.

    Attributes:
        time: how far the integration has come.
    """

    def __init__(self, name):
        self.name, self.left = name, _EVALUATIONS
        self.time = 0.0

    def evaluated(self, time):
        self.time = time
        self.left -= 1
        if self.left < 0:
            raise FlowError(
                f"{self.name} did not converge within {_EVALUATIONS} evaluations "
                f"(t = {self.time:.3g}): {_HIDDEN}"
            )


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

    Arguments and errors as in :func:`implicit_l1.network.flow.gradient_flow`, with the depth
    D >= 2 in place of the potential, and (w_u, w_v) in place of the initialization; from ones if
    empty.  Errors of the integrator that do not decay, in what the exact flow of (u, v) conserves,
    are part of the claim.

    Args:
        data: y, shape (N,).
    """
    options = options or FlowOptions()
    name = f"plain flow at alpha = {alpha:g}"
    progress = _Progress(name)
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
        progress.evaluated(time)
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
        size = np.abs(x[off_support]).sum()
        # no sign of convergence, but sooner told
        change = time * np.abs(speed[off_support]).sum() / size if size else 0.0
        excess = max(np.linalg.norm(gap) / norm, change) / options.distance - 1.0
        if excess > 0.0:
            return excess
        # the drift stays, however long the integration goes on
        distance = limit.distance(x)
        return (distance.motion + distance.rest) / options.distance - 1.0

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
    if solution.status == 0:
        raise FlowError(f"{name} did not converge at any time: {_HIDDEN}")
    if solution.status != 1:
        raise FlowError(f"{name} failed: {solution.message} (t = {solution.t[-1]:.3g})")
    time = saved_times(1e-2 * unit, solution.t[-1], options.states_per_decade)
    states = solution.sol(time).T
    states[-1] = solution.y[:, -1]
    point = states[:, :size] ** depth - states[:, size:] ** depth
    distance = limit.distance(point[-1])
    if not distance.drift <= _DRIFT:
        raise FlowError(
            f"{name}: errors of the integrator have moved the end by {distance.drift:.1e} of its "
            "distance from the minimizer; lower rtol or raise alpha"
        )
    loss = 0.5 * np.sum((point @ matrix.T - data) ** 2, axis=1)
    steps = solution.t.size - 1
    return Trajectory(time, point, point - minimizer, loss, steps, distance.claim)
