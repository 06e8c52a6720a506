r"""The lasso path, and the time average of the gradient flow that follows it.

The lasso is ``x(mu) = argmin ||A x - y||_2^2 / 2 + mu ||x||_1``; its path is piecewise linear
in mu and comes from scikit-learn's ``lars_path``.  Whether a point is a minimizer is decided
here, by its optimality conditions (:func:`kkt_residual`), not by the solver.

Along the flow ``lam' = c (y - A x)``, ``x = alpha phi_D(A^T lam)``, ``lam(0) = 0``
(:mod:`implicit_l1.network.flow`), the average ``xbar(t) = (1/t) int_0^t x`` satisfies exactly

    A^T (y - A xbar(t)) = A^T lam(t) / (c t).

An entry of x of order one has ``A_i^T lam`` near ``dual_scale * sign(x_i)`` as alpha -> 0, and
no entry of ``A^T lam`` is larger: the right-hand side is ``mu`` times an approximate
subgradient of the l1 norm, with

    mu = dual_scale / (c t):    log(1/alpha) / (4 t) for D = 2,
                                1 / (D (D - 2) alpha^(1 - 2/D) t) for D > 2.

It is a subgradient at xbar(t) if entries of xbar that are not 0 have ``A_i^T lam`` at the
edge, so if no entry of x returns to 0.  (Here x(t) stands in the place of d(t xbar)/dt.)  That
is the assumption of Berthier, *Diagonal linear networks and the lasso regularization path*
(arXiv:2509.18766), Theorem 2.1: if ``x(mu) / mu`` is monotone in every coordinate, xbar tends
to a minimizer of the lasso; otherwise they stay close, but apart (Theorem 2.2).  His time is
``t_B = 2 t``, his scale ``epsilon = 4 alpha``, because he writes ``x = u * v`` and starts from
``v = 0``; his mu is our 1/mu, up to log(1/epsilon) in the place of log(1/alpha), which is 11 %
at his epsilon = 1e-5.  (The relation of units and the statement for D > 2 are derived here.)

For D = 2 the distance to the path shrinks like 1 / log(1/alpha) only; for D > 2 like
alpha^((D - 2)/D), the rate at which ``A_i^T lam`` comes to the edge.  (Seen here, not proved.)
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.integrate import solve_ivp
from sklearn.linear_model import lars_path

from implicit_l1.network.flow import FlowError
from implicit_l1.potentials import Potential

# of the largest entry: below this an entry of the solver's points at a knot is 0
_VANISHED = 1e-13
# and this much of a slope in 1/mu is 0
_FLAT = 1e-9


class LassoError(RuntimeError):
    """The solver's path does not satisfy the optimality conditions of the lasso."""


@dataclass(frozen=True)
class LassoPath:
    """The minimizers of the lasso for all mu; linear between the knots, 0 above the first.

    Attributes:
        knots: values of mu, decreasing from max|A^T y| to 0, shape (k,).
        points: x at the knots, shape (k, d); the last is the l1 minimizer of A x = y.
    """

    knots: np.ndarray
    points: np.ndarray

    def at(self, mu: np.ndarray) -> np.ndarray:
        """x(mu), shape (..., d) for mu of shape (...)."""
        order = slice(None, None, -1)  # np.interp wants increasing knots
        columns = [np.interp(mu, self.knots[order], column[order]) for column in self.points.T]
        return np.stack(columns, axis=-1)

    def monotone(self) -> bool:
        """Whether x(mu) / mu is monotone in every coordinate, as 1/mu grows from 0.

        Between two knots ``x = a + b mu``, so ``x / mu = a / mu + b`` with the slope a in
        1/mu: no coordinate of a may have both signs.  (Derived here.)
        """
        step = np.diff(self.knots)[:, None]
        slopes = self.points[:-1] - np.diff(self.points, axis=0) / step * self.knots[:-1, None]
        floor = _FLAT * np.abs(self.points).max()
        return bool(np.all((slopes >= -floor).all(axis=0) | (slopes <= floor).all(axis=0)))


def lasso_path(matrix: np.ndarray, data: np.ndarray, tolerance: float = 1e-9) -> LassoPath:
    """The lasso path of ``||A x - y||_2^2 / 2 + mu ||x||_1`` down to mu = 0.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        tolerance: largest relative :func:`kkt_residual` at and half way between knots.
    Raises:
        LassoError: if the path is not one of minimizers to this tolerance.
    """
    alphas, _, coefficients = lars_path(matrix, data, method="lasso", alpha_min=0.0)
    # scikit-learn divides the squared residual by the number of samples
    knots, points = alphas * matrix.shape[0], coefficients.T
    # an entry that vanishes at a knot is left with a rounding error there, of either sign
    points = np.where(np.abs(points) < _VANISHED * np.abs(points).max(), 0.0, points)
    if knots[-1] > 0:
        # it stops where the residual is as small as rounding lets it be
        knots, points = np.append(knots, 0.0), np.vstack([points, points[-1]])
    path = LassoPath(knots, points)
    tested = np.concatenate([knots, 0.5 * (knots[1:] + knots[:-1])])
    worst = max(kkt_residual(matrix, data, path.at(mu), mu) for mu in tested)
    if worst > tolerance:
        raise LassoError(
            f"the lasso path violates its optimality conditions by {worst:.1e} of max|A^T y|"
        )
    return path


def kkt_residual(matrix: np.ndarray, data: np.ndarray, point: np.ndarray, mu: float) -> float:
    """How far a point is from satisfying the optimality conditions of the lasso.

    With ``g = A^T (y - A x)`` they are ``g_i = mu sign(x_i)`` where x_i is not 0, and
    ``|g_i| <= mu`` elsewhere; both are necessary and sufficient.

    Args:
        point: x, shape (d,).
        mu: at least 0.
    Returns:
        The largest violation, relative to max|A^T y|.
    """
    gradient = matrix.T @ (data - matrix @ point)
    excess = np.where(
        point == 0, np.maximum(np.abs(gradient) - mu, 0.0), np.abs(gradient - mu * np.sign(point))
    )
    return excess.max() / np.abs(matrix.T @ data).max()


def objective(
    matrix: np.ndarray, data: np.ndarray, point: np.ndarray, mu: np.ndarray | float
) -> np.ndarray:
    """``||A x - y||_2^2 / 2 + mu ||x||_1``; points of shape (..., d), mu of shape (...)."""
    gap = point @ matrix.T - data
    return 0.5 * np.sum(gap**2, axis=-1) + mu * np.abs(point).sum(axis=-1)


def regularization(potential: Potential, alpha: float, time: np.ndarray) -> np.ndarray:
    """The mu of the lasso that belongs to a time of the flow (see above); an involution.

    So the time that belongs to mu is ``regularization(potential, alpha, mu)``.
    """
    return potential.dual_scale(np.log(alpha)) / (potential.time_constant(alpha) * time)


@dataclass(frozen=True)
class AveragedFlow:
    """The flow and its time average.

    Attributes:
        time: shape (m,), in the plain flow's time.
        average: xbar(t), shape (m, d).
        point: x(t), shape (m, d).
        dual: lam(t), shape (m, N).
    """

    time: np.ndarray
    average: np.ndarray
    point: np.ndarray
    dual: np.ndarray


def averaged_flow(
    matrix: np.ndarray,
    data: np.ndarray,
    potential: Potential,
    alpha: float,
    time: np.ndarray,
    rtol: float = 1e-10,
) -> AveragedFlow:
    """Integrate the flow together with the integral of x.

    The integral is part of the state, so it has the accuracy of the integrator, also in the
    kernel of A, which lam does not see.  At D = 2 entries of x pass from 0 to their size within
    a fraction 1 / log(1/alpha) of the time; a method that remembers earlier steps (BDF) has been
    seen to step over this at alpha = 1e-30 without noticing, so the method is Radau's.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        potential: of the depth wanted.
        alpha: scale of the predictor, in (0, 1) for D = 2.
        time: where the average is wanted, positive and increasing, shape (m,).
        rtol: relative tolerance of the integrator (absolute: a thousandth of it, in the units
            of lam and, for the integral, of time times the least-norm solution).
    Raises:
        FlowError: if the integrator fails.
    """
    rows, columns = matrix.shape
    rate = potential.time_constant(alpha)
    # of the first motion: the time in which lam would move the largest entry of x by alpha
    unit = 1.0 / (rate * np.abs(matrix.T @ data).max())
    size = time[-1] * np.linalg.norm(np.linalg.lstsq(matrix, data, rcond=None)[0])

    def velocity(_, state):
        x = alpha * potential.phi(matrix.T @ state[:rows])
        return np.concatenate([rate * (data - matrix @ x), x / size])

    def jacobian(_, state):
        growth = (alpha * potential.phi_prime(matrix.T @ state[:rows]))[:, None] * matrix.T
        result = np.zeros((rows + columns, rows + columns))
        result[:, :rows] = np.vstack([-rate * matrix @ growth, growth / size])
        return result

    # a trial step may leave the range of phi; it is rejected
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):
        try:
            solution = solve_ivp(
                velocity,
                (0.0, time[-1]),
                np.zeros(rows + columns),
                method="Radau",
                jac=jacobian,
                t_eval=time,
                rtol=rtol,
                atol=1e-3 * rtol,
                first_step=min(1e-3 * unit, 0.1 * time[-1]),
            )
        except ValueError as error:  # a trial step out of range
            raise FlowError(f"averaged flow at alpha = {alpha:g} failed: {error}") from error
    if solution.status != 0:
        raise FlowError(f"averaged flow at alpha = {alpha:g} failed: {solution.message}")
    dual, integral = solution.y[:rows].T, size * solution.y[rows:].T
    point = alpha * potential.phi(dual @ matrix)
    return AveragedFlow(np.asarray(time), integral / np.asarray(time)[:, None], point, dual)


@dataclass(frozen=True)
class Comparison:
    """The time average of the flow beside the lasso path.

    Attributes:
        mu: shape (m,), decreasing.
        flow: at the times that belong to mu.
        minimizer: of the lasso, shape (m, d).
        distance: ``||xbar - x(mu)||_1``, shape (m,).
        gap: the objective at xbar over its least value, less 1, shape (m,).
        monotone: whether the path is (:meth:`LassoPath.monotone`).
    """

    mu: np.ndarray
    flow: AveragedFlow
    minimizer: np.ndarray
    distance: np.ndarray
    gap: np.ndarray
    monotone: bool


def compare_with_path(
    matrix: np.ndarray,
    data: np.ndarray,
    potential: Potential,
    alpha: float,
    fractions: np.ndarray,
    rtol: float = 1e-10,
) -> Comparison:
    """The averaged flow at the times that belong to values of mu, and the lasso there.

    Args:
        matrix, data, potential, alpha, rtol: as in :func:`averaged_flow`.
        fractions: mu in units of max|A^T y|, decreasing, shape (m,).
    Raises:
        FlowError, LassoError: of the two.
    """
    path = lasso_path(matrix, data)
    mu = fractions * path.knots[0]
    flow = averaged_flow(matrix, data, potential, alpha, regularization(potential, alpha, mu), rtol)
    minimizer = path.at(mu)
    least = objective(matrix, data, minimizer, mu)
    return Comparison(
        mu=mu,
        flow=flow,
        minimizer=minimizer,
        distance=np.abs(flow.average - minimizer).sum(axis=1),
        gap=objective(matrix, data, flow.average, mu) / least - 1.0,
        monotone=path.monotone(),
    )
