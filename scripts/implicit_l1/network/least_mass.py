r"""Convex problems in one unknown that the refined bounds are made of, many at once.

Zeros of phi' and of phi / phi' are found by Newton's method from a side from which it is monotone,
on arrays of some 10,000 entries.
"""

import numpy as np

from implicit_l1.potentials import LOG2, Potential, log_cosh


def _derivatives(potential, z):
    """(log phi', phi / phi', phi'' / phi') at z >= 0.

    For D > 2, with ``r = (1 - z) / (1 + z)``:

        phi'       = p (1 - z)^(-p - 1) (1 + r^(p + 1)),
        phi / phi' = (1 - z) / p * (1 - r^p) / (1 + r^(p + 1)),
        phi''/ phi' = (p + 1) / (1 - z) * (1 - r^(p + 2)) / (1 + r^(p + 1)).
    """
    if potential.depth == 2:
        tanh = np.tanh(z)
        return z + np.log1p(np.exp(-2.0 * z)), tanh, tanh
    p = potential.power
    room = 1.0 - z
    ratio = room / (1.0 + z)
    log_ratio = np.log1p(-2.0 * z / (1.0 + z))
    lost = -np.expm1(p * log_ratio)  # 1 - r^p
    power = (1.0 - lost) * ratio
    return (
        np.log(p) - (p + 1.0) * np.log(room) + np.log1p(power),
        room / p * lost / (1.0 + power),
        (p + 1.0) / room * -np.expm1((p + 2.0) * log_ratio) / (1.0 + power),
    )


def _roots(function, start, low, high, tolerance, steps=100):
    """Zeros of increasing functions, one a row, by Newton's method, kept in bounds by bisection.

    SciPy's ``elementwise.find_root`` takes no derivatives and needs a bracket with finite values,
    which these problems do not have at their ends; where it serves it takes twice the evaluations
    and three times as long.

    Args:
        function: (rows, points) -> (values, derivatives) of the functions of these rows.
        start: points, shape (m,).
        low, high: bounds of the zeros, shape (m,); +inf is allowed where Newton's method
            goes upwards.
        tolerance: a point is the result when the next one is so close, shape (m,).
        steps: most steps.
    Returns:
        shape (m,): for each row the last point at which its function was evaluated.
    """
    result = start.copy()
    rows, point = np.arange(start.size), start
    for _ in range(steps):
        result[rows] = point
        value, derivative = function(rows, point)
        low, high = np.where(value < 0, point, low), np.where(value < 0, high, point)
        step = -value / derivative
        following = point + step
        inside = (low < following) & (following < high) | (np.abs(step) <= tolerance)
        following = np.where(inside, following, 0.5 * (low + high))
        far = np.abs(following - point) > tolerance
        if not far.any():
            break
        rows, point, low, high, tolerance = (
            values[far] for values in (rows, following, low, high, tolerance)
        )
    return result


@np.errstate(divide="ignore", invalid="ignore")  # at the end of the domain of phi
def refined_upper(
    potential: Potential, size: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logarithms of the least ``sum(h^*(size + tau)) / tau`` over tau, one a row of size.

    ``h^*(s) = phi^2 / phi'`` at the z with ``z + phi / phi' = s``.  As ``(h^*)' = phi``, tau is
    at the least value the mean m of phi / phi' weighted with phi; with ``dz / dtau =
    1 / (1 + (phi / phi')')`` the derivative of m is ``1 - m sum(phi' dz / dtau) / sum(phi)``,
    so tau - m increases and has one zero.  Every tau gives a valid bound.  (Derived for this
    project.)

    Args:
        potential: of the depth wanted.
        size: |z|, shape (m, n), inside the domain of phi.
    Returns:
        (bound, tau, z): shapes (m,), (m,), (m, n); -inf and no tau (nan) where size is 0.
    """
    bound, found, points = np.full(len(size), -np.inf), np.full(len(size), np.nan), size.copy()
    some = size.max(axis=1) > 0
    size = size[some]
    largest = size.max(axis=1)
    # phi / phi' < 1 for D = 2; for D > 2 the sum is infinite from tau = 1 - max(size) on
    edge = np.ones_like(largest) if potential.depth == 2 else 1.0 - largest
    z, rate, before = np.zeros_like(size), np.zeros_like(size), np.zeros_like(largest)

    def excess(rows, tau):
        """tau - m, and its derivative; z is updated."""
        target = size[rows] + tau[:, None]
        # phi / phi' <= z, and z is a convex function of tau: two lower bounds
        start = z[rows] + rate[rows] * (tau - before[rows])[:, None]
        z[rows], log_slope, ratio, rate[rows] = _maximizer(
            potential, target, np.maximum(start, 0.5 * target)
        )
        before[rows] = tau
        slope = np.exp(log_slope - log_slope.max(axis=1, keepdims=True))
        mass = slope * ratio
        total = mass.sum(axis=1)
        mean = (mass * ratio).sum(axis=1) / total
        return tau - mean, mean * (slope * rate[rows]).sum(axis=1) / total

    # this one is as good as Jensen's inequality
    tau = _derivatives(potential, largest)[1]
    tau = _roots(excess, tau, np.zeros_like(tau), edge, 1e-7 * tau)
    log_slope, ratio, _ = _derivatives(potential, z)
    conjugate = log_slope + 2.0 * np.log(ratio)
    unit = conjugate.max(axis=1)
    total = np.exp(conjugate - unit[:, None]).sum(axis=1)
    found[some], points[some] = tau, z
    # beside the end of the domain z + phi / phi' is lost in rounding, and nothing is said
    least = unit + np.log(total) - np.log(tau)
    bound[some] = np.where(np.isnan(least), np.inf, least)
    return bound, found, points


def _maximizer(potential, target, z):
    """The z with ``z + phi / phi' = target``, from a lower bound of it.

    Returns:
        (z, log phi', phi / phi', dz / dtarget).
    """
    for _ in range(50):
        log_slope, ratio, curvature = _derivatives(potential, z)
        rate = 1.0 / (2.0 - ratio * curvature)
        step = rate * (target - z - ratio)  # z + phi / phi' is concave: Newton goes upwards
        z = z + step
        if np.all(np.abs(step) <= 1e-8 * z):
            break
    return z, log_slope, ratio, rate


def _growth(potential, z):
    """log(phi'(z) / phi'(0)) at z >= 0, with all its digits also where z is small.

    The logarithm of cosh(z) for D = 2; else, from ``phi' = p ((1 - z)^(-p - 1) +
    (1 + z)^(-p - 1))``, of ``(1 - z^2)^(-(p + 1) / 2) cosh((p + 1) artanh(z))``.
    """
    if potential.depth == 2:
        return _log_cosh(z)
    order = potential.power + 1.0
    return _log_cosh(order * np.arctanh(z)) - 0.5 * order * np.log1p(-z * z)


def _log_cosh(u):
    """log(cosh(u)) for u >= 0, to all digits; that of potentials is right to eps itself."""
    return np.where(u < 1.0, 0.5 * np.log1p(np.sinh(np.minimum(u, 1.0)) ** 2), log_cosh(u))


def _inverse_growth(potential, growth, start):
    """The y >= 0 with this growth of phi', and dy / dgrowth; both 0 where there is none.

    Args:
        potential: of the depth wanted.
        growth: log(phi'(y) / phi'(0)), any shape.
        start: an upper bound of y, of the same shape; +inf where none is known.
    """
    y, rate = np.zeros_like(growth), np.zeros_like(growth)
    inside = growth > 0.0
    growth = growth[inside]
    if potential.depth == 2:
        tanh = np.sqrt(-np.expm1(-2.0 * growth))
        y[inside], rate[inside] = growth + np.log1p(tanh), 1.0 / tanh
        return y, rate
    p = potential.power
    # log phi' is convex: Newton goes downwards from any upper bound of the root, and
    # phi' >= p (1 - y)^(-p - 1),  phi' >= 2p (1 + (p + 1)(p + 2) y^2 / 2) give two
    relative = np.expm1(np.minimum(growth, 50.0))
    most = np.minimum(
        -np.expm1(-(growth + LOG2) / (p + 1.0)),
        np.sqrt(2.0 * relative / ((p + 1.0) * (p + 2.0))),
    )
    most = np.minimum(most, np.nextafter(1.0, 0.0))  # at 1 phi is infinite
    start = start[inside]
    root = np.where(start > 0.0, np.minimum(start, most), most)  # a bound that rounding has spoiled
    for _ in range(50):
        curvature = _derivatives(potential, root)[2]
        step = (_growth(potential, root) - growth) / curvature
        root = np.minimum(root - step, most)
        if np.all(np.abs(step) <= 1e-9 * root):
            break
    y[inside], rate[inside] = root, 1.0 / curvature
    return y, rate


def least_mass(
    potential: Potential, weights: np.ndarray, value: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logarithms of the least ``sum(phi(y))`` subject to ``sum(weights * y) >= value``, y >= 0.

    The dual problem in one multiplier mu: ``phi'(y_i) = mu weights_i``, or y_i = 0 where that has
    no solution.  The unknown is the largest y_i, by Newton's method for ``sum(weights * y) =
    value``; it starts from the mu that solves the equations linearized at ``y_i = value``,
    ``log mu = log phi'(value) - sum(weights * log weights)``.  Every mu gives a valid bound, so
    it need not be exact; but each y_i has to be that of its mu to all digits, or what is called
    the least value is not.  Where y is small phi' is flat, and log phi' has lost them: the growth
    ``log(phi'(y_i) / phi'(0))`` is that of the largest and ``log(weights_i / largest weight)``,
    neither of which is a difference of numbers that are near.  (Derived for this project.)

    Args:
        potential: of the depth wanted.
        weights: shape (m, n), not negative, each row with sum 1.
        value: > 0, shape (m,).
    Returns:
        (bound, log mu, y): shapes (m,), (m,), (m, n).
    """
    largest = weights.argmax(axis=1)
    top = weights.max(axis=1)
    with np.errstate(divide="ignore"):
        fall = np.log1p((weights - top[:, None]) / top[:, None])
    of_largest = np.zeros_like(value)
    y, rate = np.zeros_like(weights), np.zeros_like(weights)

    @np.errstate(divide="ignore", invalid="ignore")  # where phi' is flat to all digits
    def excess(rows, largest_y):
        """``sum(weights * y) - value``, and its derivative; the growth and y are updated."""
        curvature = _derivatives(potential, largest_y)[2]
        growth = _growth(potential, largest_y)
        change, of_largest[rows] = growth - of_largest[rows], growth
        # y is a concave function of log mu, so a tangent gives an upper bound
        tangent = np.where(rate[rows] > 0, y[rows] + rate[rows] * change[:, None], np.inf)
        y[rows], rate[rows] = _inverse_growth(potential, growth[:, None] + fall[rows], tangent)
        y[rows, largest[rows]], rate[rows, largest[rows]] = largest_y, 1.0 / curvature
        total = (weights[rows] * y[rows]).sum(axis=1)
        return total - value[rows], curvature * (weights[rows] * rate[rows]).sum(axis=1)

    # with a reserve: where all but one y_i are 0, the zero is at value / top
    low, high = value, np.minimum(1.01 * value / top, potential.edge)
    entropy = -(weights * np.where(weights > 0, fall, 0.0)).sum(axis=1)
    growth = _growth(potential, value) + entropy
    start, _ = _inverse_growth(potential, growth, np.full_like(value, np.inf))
    start = np.clip(start, low, 0.5 * (low + high))
    curvature = _derivatives(potential, start)[2]
    with np.errstate(divide="ignore"):
        tolerance = 1e-7 * np.minimum(start, 1.0 / curvature)
    _roots(excess, start, low, high, tolerance)
    log_slope, ratio, _ = _derivatives(potential, y)
    log_mu = of_largest + _derivatives(potential, np.zeros(1))[0] - np.log(top)
    with np.errstate(divide="ignore"):
        log_phi = log_slope + np.log(ratio)
    unit = np.maximum(log_phi.max(axis=1), log_mu)
    total = np.exp(log_phi - unit[:, None]).sum(axis=1)
    total += np.exp(log_mu - unit) * (value - (weights * y).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        return unit + np.log(np.maximum(total, 0.0)), log_mu, y
