r"""Integration of the gradient flow, and of its plain form for comparison.

The flow of the weights, ``u' = -dL/du``, ``v' = -dL/dv`` with ``L = ||A x - y||^2 / 2``,
``x = u**D - v**D``, from ``u = v = alpha**(1/D)``, is exactly

    lam' = c_D(alpha) (y - A x),    x = alpha phi_D(A^T lam),    lam(0) = 0

(Woodworth et al., COLT 2020; the time constants c_D are derived for this project); from
other initializations it is of the same form, see :mod:`implicit_l1.initialization`.
Its Jacobian ``-c A diag(alpha phi_D') A^T`` is symmetric negative definite: stiff, but
an implicit method follows it through many decades of time.  Time is that of the plain
flow.  The integration ends by event: the relative residual and the relative change
of the entries off the support within one e-fold of time are both below tolerances.
"""

from dataclasses import dataclass
from itertools import count

import numpy as np
from scipy.integrate import solve_ivp

from implicit_l1.initialization import identity_coordinates


class FlowError(RuntimeError):
    """The integrator failed, or the flow did not converge within its time."""


@dataclass(frozen=True)
class FlowOptions:
    """Numerical settings.

    Attributes:
        rtol: relative tolerance of the integrator (absolute: a thousandth of it, in the
            units of lam, whose size is that of phi^{-1}).
        residual: ||A x - y||_2 / ||y||_2 at the end.
        change: t ||x'_Sc||_1 / ||x_Sc||_1 at the end.
        states_per_decade: saved states per decade of time.
        evaluations: of the velocity, after which the flow is given up.
    """

    rtol: float = 1e-8
    residual: float = 1e-8
    change: float = 1e-7
    states_per_decade: int = 10
    evaluations: int = 100_000


@dataclass(frozen=True)
class Trajectory:
    """States of the flow at log-spaced times, the last one at convergence.

    Attributes:
        time: shape (m,), in the plain flow's time.
        point: x(t), shape (m, d).
        steps: steps of the integrator.
    """

    time: np.ndarray
    point: np.ndarray
    steps: int


def saved_times(first, last, per_decade):
    """Times ``10**(j / per_decade)`` in [first, last), then last."""
    low = np.ceil(per_decade * np.log10(first))
    high = np.floor(per_decade * np.log10(last))
    times = 10.0 ** (np.arange(low, high + 1) / per_decade)
    return np.append(times[times < last * (1.0 - 1e-9)], last)


def gradient_flow(
    matrix, data, potential, alpha, off_support, options=None, coordinates=None
) -> Trajectory:
    """Integrate the flow in its dual form, to convergence.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        potential: of the depth wanted.
        alpha: scale of the predictor, positive.
        off_support: indices whose entries decide convergence last.
        options: numerical settings.
        coordinates: of the initialization; from ones if None.
    Raises:
        FlowError: if the integrator fails, or needs more evaluations than allowed.
    """
    options = options or FlowOptions()
    c = coordinates or identity_coordinates(matrix.shape[1])
    matrix, start, scale = matrix * c.unit, c.tilt + c.offset, alpha * c.scale
    rate = potential.time_constant(alpha)
    norm = np.linalg.norm(data)

    def velocity(_, lam):
        return rate * (data - matrix @ (scale * potential.phi(matrix.T @ lam + start)))

    def jacobian(_, lam):
        slope = scale * potential.phi_prime(matrix.T @ lam + start)
        return -rate * (matrix * slope) @ matrix.T

    def unconverged(time, lam):
        z = matrix.T @ lam + start
        x = scale * potential.phi(z)
        gap = data - matrix @ x
        speed = c.unit * rate * scale * potential.phi_prime(z) * (matrix.T @ gap)
        change = _change(time, speed[off_support], c.unit[off_support] * x[off_support])
        return max(np.linalg.norm(gap) / norm / options.residual, change / options.change) - 1.0

    return _integrate(
        velocity,
        jacobian,
        unconverged,
        np.zeros(matrix.shape[0]),
        # the time in which lam would move the largest entry of x by about alpha
        1.0 / (rate * np.abs(matrix.T @ data).max()),
        lambda lam: c.unit * scale * potential.phi(matrix.T @ lam + start),
        options,
        f"gradient flow at alpha = {alpha:g}",
    )


def _change(time, speed, point):
    """Relative change within one e-fold of time; 0 of nothing."""
    size = np.abs(point).sum()
    return time * np.abs(speed).sum() / size if size else 0.0


def plain_flow(matrix, data, depth, alpha, off_support, options=None, shapes=()) -> Trajectory:
    """Integrate the flow of the 2d weights (u, v) itself; slow, for comparison.

    Arguments and errors as in :func:`gradient_flow`, with the depth D >= 2 in place of
    the potential, and (w_u, w_v) in place of the coordinates; from ones if empty.
    """
    options = options or FlowOptions()
    size = matrix.shape[1]
    norm = np.linalg.norm(data)
    gram = matrix.T @ matrix

    def parts(weights):
        u, v = weights[:size], weights[size:]
        return u, v, u**depth - v**depth

    def velocity(_, weights):
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

    def unconverged(time, weights):
        _, _, x = parts(weights)
        speed = velocity(time, weights)
        u, v, _ = parts(weights)
        moved = depth * (u ** (depth - 1) * speed[:size] - v ** (depth - 1) * speed[size:])
        change = _change(time, moved[off_support], x[off_support])
        residual = np.linalg.norm(matrix @ x - data) / norm
        return max(residual / options.residual, change / options.change) - 1.0

    scale = alpha ** (1.0 / depth)
    return _integrate(
        velocity,
        jacobian,
        unconverged,
        scale * np.concatenate(shapes or (np.ones(size), np.ones(size))),
        1.0 / (depth * scale ** (depth - 2) * np.abs(matrix.T @ data).max()),
        lambda weights: parts(weights)[2],
        options,
        f"plain flow at alpha = {alpha:g}",
    )


def _integrate(velocity, jacobian, unconverged, start, unit, point_of, options, name):
    def event(time, state):
        return unconverged(time, state) if time > unit else 1.0

    calls = count()

    def counted(time, state):
        if next(calls) > options.evaluations:
            raise FlowError(
                f"{name} did not converge within {options.evaluations} evaluations "
                f"(t = {time:.3g}): rounding hides what is left of the motion; raise the "
                "tolerances or alpha"
            )
        return velocity(time, state)

    event.terminal = True
    try:
        solution = solve_ivp(
            counted,
            (0.0, np.inf),
            start,
            method="BDF",
            jac=jacobian,
            rtol=options.rtol,
            atol=1e-3 * options.rtol,
            first_step=1e-3 * unit,
            events=event,
            dense_output=True,
        )
    except ValueError as error:
        raise FlowError(f"{name}: convergence could not be located in time: {error}") from error
    if solution.status != 1:
        raise FlowError(f"{name} failed: {solution.message} (t = {solution.t[-1]:.3g})")
    time = saved_times(1e-2 * unit, solution.t[-1], options.states_per_decade)
    states = solution.sol(time).T
    states[-1] = solution.y[:, -1]
    return Trajectory(time, np.array([point_of(state) for state in states]), solution.t.size)
