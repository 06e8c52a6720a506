r"""Gradient descent on the weights, and what its finite step does to the point it finds.

With ``x = u**D - v**D`` and ``g = A^T (y - A x)``, a step h on ``||A x - y||^2 / 2`` is

    u <- u + h D u^(D-1) g,        v <- v - h D v^(D-1) g,        u = v = alpha^(1/D) at first

(alpha is the scale of the predictor x).  As h -> 0 this is the flow of
:mod:`implicit_l1.network.flow`, with ``z = A^T lam`` and the conserved quantities

    D = 2:  u = alpha^(1/2) e^(z/2),           v = alpha^(1/2) e^(-z/2),         u v = alpha,
    D > 2:  u = alpha^(1/D) (1 - z)^(-1/(D-2)),    v = alpha^(1/D) (1 + z)^(-1/(D-2)),
            u^(2-D) + v^(2-D) = 2 alpha^(-(D-2)/D)

(from u'/u^(D-1) = D g = -v'/v^(D-1); Woodworth et al., COLT 2020, in other units).  At a
point with ``A x = y`` the Hessian of the loss in (u, v) is J^T J with J = A [D u^(D-1),
-D v^(D-1)], so its largest eigenvalue is that of

    J J^T = A diag(D^2 (u^(2D-2) + v^(2D-2))) A^T = c_D(alpha) A diag(alpha phi_D'(z)) A^T,

and descent is stable there for steps below 2 / lambda_max, the *stable step*.  (A larger
step may converge too, to a flatter point, far from the flow's limit.)

**The step's trace** (derived for this project; for D = 2 the solution of gradient descent
as a regularized one is known from Even, Pesme, Gunasekar and Flammarion, *(S)GD over
Diagonal Linear Networks*, NeurIPS 2023, arXiv:2302.08982).  A step does not conserve what
the flow does.  For D = 2, exactly,

    u v <- u v (1 - (2 h g)^2),        log(u/v) <- log(u/v) + 2 artanh(2 h g),

so descent ends, up to O(h^2), where the flow from ``u = v = alpha_i^(1/2)`` would, with
a scale of its own for every coordinate:

    x_i = 2 alpha_i sinh(A_i^T lam),    log(alpha_i / alpha) = sum log(1 - (2 h g_i)^2)
                                                             ~ -4 h int g_i^2 dt.

The loss does not see this: every interpolator has loss 0, and off the support x_i is
proportional to alpha_i.  As g is of order one until the entries on the support have grown
by 1 / alpha, which takes a time ~ log(1/alpha), the integral grows with log(1/alpha): at
a fixed fraction of the stable step ||x - x_inf||_1 / ||n||_1 is proportional to the step
and *increases* as alpha decreases.  For D > 2, to first order in the step,

    u^(2-D) <- u^(2-D) - (D-2) D h g + (D-2)(D-1)/2 D^2 h^2 u^(D-2) g^2   (v alike, g -> -g).

In units of the initial alpha^(-(D-2)/D), and with dz = D (D-2) alpha^((D-2)/D) g dt, the
drift sums to ``D (D-1)/2 h alpha^((D-2)/D) int g dz / (1 - z)``, of order h alpha^((D-2)/D)
log(1/alpha) against 1: it vanishes with alpha, slowly for D = 3, and only where alpha is
small against every entry of g*_S (with noise some are small themselves, and it can grow
with 1/alpha for many decades first).

**Stopping early** is the other error, and also one that the loss does not show: modes
outside the range of A_S relax at rates ~ alpha^(2-2/D), with a residual of the order of
the entries off the support.  :func:`end_of_flow` takes it away: the flow's own limit from
the weights where descent stopped, a convex problem.  What is left then is the step's
trace up to there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from implicit_l1.minimizer.support import solve_positive_definite
from implicit_l1.potentials import potential
from implicit_l1.status import CONVERGED, DIVERGED, ITERATION_LIMIT, STALLED


class EndOfFlowError(RuntimeError):
    """The end of the flow from some weights was not found."""


@dataclass(frozen=True)
class DescentOptions:
    """When gradient descent ends.

    Attributes:
        loss: in units of ``||y||^2 / 2``, below which it has converged.
        iterations: at most.
        patience: iterations without a new smallest loss after which it has stalled.
        growth: loss in units of ``||y||^2 / 2``, above which it has diverged.
    """

    loss: float = 1e-26
    iterations: int = 1_000_000
    patience: int = 10_000
    growth: float = 1e6


@dataclass(frozen=True)
class Descent:
    """The last iterate.

    Attributes:
        outcome: one of
            CONVERGED: the loss is below its tolerance.  It says nothing about x off the
                support: compare x with the flow's limit, or with a smaller step.
            STALLED: the smallest loss is old.  Either it is at the level of rounding, which
                a small step meets early because its increments vanish beside the weights
                (raise the tolerance of the loss), or the step is above the stable one
                and x goes round in a cycle (lower the step), or alpha is so small that
                the start is a saddle to double precision (raise alpha or the patience).
            ITERATION_LIMIT: raise the limit, the step or alpha.
            DIVERGED: the loss has left its bound or is not a number; lower the step.
        point: x = u**D - v**D, shape (d,).
        u, v: the weights, shape (d,) each.
        iterations: steps taken.
        loss: ``||A x - y||_2^2 / 2``; may be infinite or nan if diverged.
    """

    outcome: str
    point: np.ndarray
    u: np.ndarray
    v: np.ndarray
    iterations: int
    loss: float


def limit_weights(point: np.ndarray, depth: float, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """The weights (u, v) of the flow where its predictor is x, shape (d,) each.

    Each is accurate to rounding, the smaller one too: neither is a difference.

    Args:
        point: x, shape (d,).
        depth: D >= 2.
        alpha: scale of the predictor.
    """
    if depth == 2:
        larger = np.sqrt(0.5 * (np.abs(point) + np.hypot(point, 2.0 * alpha)))
        smaller = alpha / larger
    else:
        sign = np.where(point < 0, -1.0, 1.0)
        # |zeta| = 1 - |z| keeps its digits where |z| is close to 1
        slack = np.abs(potential(depth).on_support(point, sign, np.log(alpha)).zeta)
        larger, smaller = (
            alpha ** (1.0 / depth) * side ** (-1.0 / (depth - 2.0)) for side in (slack, 2.0 - slack)
        )
    return np.where(point < 0, smaller, larger), np.where(point < 0, larger, smaller)


def stable_step(matrix: np.ndarray, depth: float, u: np.ndarray, v: np.ndarray) -> float:
    """2 / lambda_max for the Hessian of the loss at weights with ``A x = y``.

    Args:
        matrix: A, shape (N, d).
        depth: D >= 2.
        u, v: the weights, shape (d,) each.
    """
    speed = depth**2 * (u ** (2 * depth - 2) + v ** (2 * depth - 2))
    return 2.0 / np.linalg.eigvalsh((matrix * speed) @ matrix.T)[-1]


def gradient_descent(
    matrix: np.ndarray,
    data: np.ndarray,
    depth: float,
    alpha: float,
    step: float,
    options: DescentOptions | None = None,
) -> Descent:
    """Gradient descent from ``u = v = alpha**(1/D)``.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        depth: D, an integer >= 2 (a step may carry a weight past 0).
        alpha: scale of the predictor, positive.
        step: h, positive.
        options: when to end.
    Raises:
        ValueError: if depth, alpha or step is not as above.
    """
    if not (np.isfinite(alpha) and alpha > 0):
        raise ValueError(f"alpha must be finite and positive, got {alpha!r}")
    start = np.full(matrix.shape[1], alpha ** (1.0 / depth))
    return descend(matrix, data, depth, start, start, step, options)


def descend(
    matrix: np.ndarray,
    data: np.ndarray,
    depth: float,
    u: np.ndarray,
    v: np.ndarray,
    step: float,
    options: DescentOptions | None = None,
) -> Descent:
    """Gradient descent from any weights.

    Arguments and errors as in :func:`gradient_descent`, with the weights u and v, shape
    (d,) each, in place of alpha.  They are not changed.
    """
    if not (depth >= 2 and depth == int(depth)):
        raise ValueError(f"gradient descent needs an integer depth >= 2, got {depth!r}")
    if not (np.isfinite(step) and step > 0):
        raise ValueError(f"step must be finite and positive, got {step!r}")
    options = options or DescentOptions()
    depth = int(depth)
    rows, columns = matrix.shape
    matrix = np.ascontiguousarray(matrix)
    pull = step * depth * matrix
    weights = np.stack([u, v])
    # u^(D-1) and v^(D-1); for D = 2 the weights themselves
    power = weights if depth == 2 else np.empty_like(weights)
    moves, powers = np.empty_like(weights), np.empty_like(weights)
    (up, down), (plus, minus) = moves, powers
    x, gap = np.empty(columns), np.empty(rows)

    unit = 0.5 * float(data @ data)
    tolerance, bound = options.loss * unit, options.growth * unit
    outcome, least, age = ITERATION_LIMIT, np.inf, 0
    # calls take as long as what they do to a few hundred numbers: outputs are given by position,
    # and no attribute or row is taken in the loop, which is a tenth faster
    add, subtract, multiply, negative = np.add, np.subtract, np.multiply, np.negative
    more_factors, iterations, patience = range(depth - 3), options.iterations, options.patience
    with np.errstate(over="ignore", invalid="ignore"):
        for iteration in range(iterations + 1):
            if depth > 2:
                multiply(weights, weights, power)
                for _ in more_factors:
                    multiply(power, weights, power)
            multiply(power, weights, powers)
            subtract(plus, minus, x)
            matrix.dot(x, gap)
            subtract(data, gap, gap)
            loss = 0.5 * float(gap.dot(gap))
            if loss < least:
                least, age = loss, 0
            else:
                age += 1
            # nan is not below any bound
            if not tolerance < loss <= bound or age >= patience:
                outcome = CONVERGED if loss <= tolerance else STALLED if loss <= bound else DIVERGED
                break
            if iteration == iterations:
                break
            gap.dot(pull, up)
            negative(up, down)
            multiply(moves, power, moves)
            add(weights, moves, weights)
    return Descent(outcome, x, weights[0], weights[1], iteration, loss)


# A step of Newton's method moves log(u^D) and log(v^D) by at most the first of these (and
# U - s or V + s by at most half of itself), and is the last if it moves them by less
# than the second.
_FARTHEST, _LAST = 1.4, 1e-8


def end_of_flow(
    matrix: np.ndarray,
    data: np.ndarray,
    depth: float,
    u: np.ndarray,
    v: np.ndarray,
    steps: int = 500,
) -> np.ndarray:
    """Limit of the gradient flow from weights (u, v): the x it would end at, shape (d,).

    With ``s = A^T lam`` the flow moves along ``u**D = (U - s)**(-p)``, ``v**D = (V + s)**(-p)``,
    ``U = u**(2-D)``, ``V = v**(2-D)``, ``p = D / (D-2)`` (``u**2 e^s``, ``v**2 e^-s`` for D = 2);
    ``A x = y`` is the gradient of a convex function of lam, solved by Newton's method.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        depth: D >= 2.
        u, v: positive weights, shape (d,) each.
        steps: of Newton's method, at most.
    Raises:
        EndOfFlowError: if a weight is not positive or the steps do not suffice.
    """
    if not (np.all(u > 0) and np.all(v > 0) and np.all(np.isfinite([u, v]))):
        raise EndOfFlowError("the flow from weights that are not positive has no such form")
    dual = np.zeros(matrix.shape[0])
    power = np.inf if depth == 2 else depth / (depth - 2.0)
    farthest = min(_FARTHEST, 0.5 * power)
    pair = np.stack([u, v])
    side = np.array([[1.0], [-1.0]])

    def state(dual):
        """u**D and v**D, and their rates of growth in +s and -s."""
        s = side * (matrix.T @ dual)
        if depth == 2:
            return pair**2 * np.exp(s), np.ones_like(pair)
        base = pair ** (2.0 - depth) - s
        return base**-power, power / base

    powers, rates = state(dual)
    for _ in range(steps):
        slope = (powers * rates).sum(axis=0)
        gap = data - matrix @ (powers[0] - powers[1])
        try:
            move = solve_positive_definite(matrix * np.sqrt(slope), gap)
        except np.linalg.LinAlgError as error:
            raise EndOfFlowError(f"Newton's method met a singular matrix: {error}") from error
        # d log(u**D) = rate ds to first order
        size = np.abs(rates * (matrix.T @ move)).max()
        move *= min(1.0, farthest / max(size, 1e-300))
        dual += move
        powers, rates = state(dual)
        if size < _LAST:
            return powers[0] - powers[1]
    raise EndOfFlowError(f"Newton's method did not converge in {steps} steps (last: {size:.1e})")


@dataclass(frozen=True)
class Comparison:
    """A run of gradient descent beside the limit point x_inf of the flow.

    Attributes:
        fraction: the step in stable steps; step: h itself.
        outcome, iterations, loss: as in :class:`Descent`.
        relative_loss: loss in units of ``||y||^2 / 2``.
        distance: ``||x - x_inf||_1`` of the last iterate x.
        step_distance: the same of what its weights would still flow to, nan if that is not found.
        error_1: ``||n||_1``, n = x_inf - g*.
        relative_distance, relative_step_distance: in units of ``||n||_1``.
    """

    fraction: float
    step: float
    outcome: str
    iterations: int
    loss: float
    relative_loss: float
    distance: float
    step_distance: float
    error_1: float
    relative_distance: float
    relative_step_distance: float


def compare_with_flow(
    matrix: np.ndarray,
    data: np.ndarray,
    minimizer: np.ndarray,
    error: np.ndarray,
    depth: float,
    alpha: float,
    fractions: Sequence[float],
    options: DescentOptions | None = None,
) -> list[Comparison]:
    """Gradient descent with several steps against the limit point of the flow.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        minimizer: g*, shape (d,).
        error: n, shape (d,), at this scale.
        depth: D, an integer >= 2.
        alpha: scale of the predictor, positive.
        fractions: steps, in stable steps at the limit point.
        options: when descent ends.
    Returns:
        A :class:`Comparison` for each fraction.
    """
    limit, size = minimizer + error, np.abs(error).sum()
    stable = stable_step(matrix, depth, *limit_weights(limit, depth, alpha))
    comparisons = []
    for fraction in fractions:
        descent = gradient_descent(matrix, data, depth, alpha, fraction * stable, options)
        try:
            end = end_of_flow(matrix, data, depth, descent.u, descent.v)
        except EndOfFlowError:
            end = np.full(limit.shape, np.nan)
        distance, step_distance = (np.abs(x - limit).sum() for x in (descent.point, end))
        comparisons.append(
            Comparison(
                fraction=fraction,
                step=fraction * stable,
                outcome=descent.outcome,
                iterations=descent.iterations,
                loss=descent.loss,
                relative_loss=descent.loss / (0.5 * (data @ data)),
                distance=distance,
                step_distance=step_distance,
                error_1=size,
                relative_distance=distance / size,
                relative_step_distance=step_distance / size,
            )
        )
    return comparisons
