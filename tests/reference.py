"""Slow independent computations that the tests compare the library with.

Nothing here uses the library's formulas for cancellation-free coordinates: potentials
are evaluated as they are defined with many digits, limit points come from the original
dual problem, null space constants from one linear program a sign pattern or from the
vertices of a polytope, sums from rational arithmetic.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import combinations, product

import mpmath
import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat
from scipy.integrate import solve_ivp
from scipy.optimize import linprog

from implicit_l1.minimizer.decision import Minimizer
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.proposals import AUTO
from implicit_l1.minimizer.recovery import recovery
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import random_problem

LOG10 = np.log(10.0)
UNIFORM = {"law": "uniform", "low": 0.5, "high": 1.5}


# Instances


@dataclass(frozen=True)
class Instance:
    """A problem with its minimizer: A, x_0, y, g*."""

    matrix: np.ndarray
    signal: np.ndarray
    data: np.ndarray
    minimizer: Minimizer

    @property
    def complement(self):
        """Indices off the support of g*."""
        return np.setdiff1d(np.arange(self.signal.size), self.minimizer.support)


def drawn(N, d, s, eta, repetition=0, ensemble="gaussian"):
    """A drawn problem."""
    return random_problem(
        ensemble=ensemble,
        N=N,
        d=d,
        s=s,
        eta=eta,
        repetition=repetition,
        signal=UNIFORM,
        seed=1,
    )


@cache
def instance(N, d, s, eta, repetition=0, ensemble="gaussian"):
    """A drawn instance with the minimizer that the library finds."""
    problem = drawn(N, d, s, eta, repetition, ensemble)
    minimizer = decide_minimizer(problem.matrix, problem.data, AUTO)
    return Instance(problem.matrix, problem.signal, problem.data, minimizer)


# Rational arithmetic


def solved(rows, columns, s, repetition, ensemble="gaussian"):
    """An instance without noise, and whether its signal is recovered."""
    problem = drawn(rows, columns, s, 0.0, repetition, ensemble)
    return problem, recovery(problem.matrix, problem.data, problem.signal)


def fractions(array):
    """The exact values of doubles, as nested lists of the array's shape."""
    return np.vectorize(Fraction, otypes=[object])(np.asarray(array, dtype=float))


def rationals(array):
    """A two-dimensional array of doubles as an exact matrix."""
    return fmpq_mat([[fmpq(*float(v).as_integer_ratio()) for v in row] for row in array])


def to_fraction(value):
    """An entry of an exact matrix as a Fraction."""
    return Fraction(int(value.p), int(value.q))


# Potentials, as they are defined


def _digits(value):
    """Decimal digits before (positive) or after (negative) the point of a nonzero number."""
    return int(mpmath.floor(mpmath.log10(abs(value))))


def phi(depth, z):
    """phi_D(z) to the working precision of mpmath."""
    if depth == 2:
        return 2 * mpmath.sinh(z)
    with mpmath.extradps(0 if z == 0 else max(0, -_digits(z))):  # 1 + z must not lose z
        p = mpmath.mpf(depth) / (mpmath.mpf(depth) - 2)
        return (1 - z) ** -p - (1 + z) ** -p


def phi_prime(depth, z):
    """phi_D'(z) to the working precision of mpmath."""
    if depth == 2:
        return 2 * mpmath.cosh(z)
    p = mpmath.mpf(depth) / (mpmath.mpf(depth) - 2)
    return p * ((1 - z) ** (-p - 1) + (1 + z) ** (-p - 1))


def phi_inverse(depth, t):
    """phi_D^{-1}(t), with the relative accuracy of mpmath's working precision in ``1 - |z|`` too.

    For D > 2 by Newton's method, monotone from either start because phi is convex on
    (0, 1), and so is log(phi) where it counts.
    """
    t = mpmath.mpf(t)
    if depth == 2:
        return mpmath.asinh(t / 2)
    if t == 0:
        return t
    tolerance = mpmath.mpf(10) ** (5 - mpmath.mp.dps)
    p = mpmath.mpf(depth) / (mpmath.mpf(depth) - 2)
    target = abs(t)
    with mpmath.extradps(max(0, int(_digits(target) / p)) + 10):
        z = min(1 - (1 + target) ** (-1 / p), target / (2 * p))
        for _ in range(200):
            value = phi(depth, z)
            step = (value - target) / phi_prime(depth, z)
            if target > 1:  # on a logarithmic scale where phi explodes
                step *= mpmath.log(value / target) * value / (value - target) if step else 1
            z -= step
            if abs(step) <= tolerance * min(1 - z, z):
                return mpmath.sign(t) * z
    raise ArithmeticError(f"phi_{depth} was not inverted at {t}")


# The family with a one-dimensional kernel


def kernel_family_log_error(depth, rho, m, log_alpha):
    """log ||n(alpha)||_1 for the kernel (-rho m, 1, ..., 1) and g* = e_1.

    With w the dual coordinate of x_1 the others are rho w, and the kernel relation
    ``x_1 = 1 - rho m t``, ``x_j = t`` becomes ``phi(w) + rho m phi(rho w) = 1 / alpha``,
    increasing in w.  For D > 2 the equation is solved for ``artanh w``, on which the
    logarithm of the left side depends almost linearly.
    """
    if rho == 0:
        return -np.inf
    log_alpha = mpmath.mpf(log_alpha)
    digits = 40
    if depth > 2:
        # the bracket reaches to twice the root, where 1 - w is the square of its value there
        digits += int(2 * max(0, -log_alpha) / mpmath.log(10) * (depth - 2) / depth) + 10
    with mpmath.workdps(digits):
        rho = mpmath.mpf(rho)
        coordinate = (lambda w: w) if depth == 2 else mpmath.tanh

        def mismatch(v):
            w = coordinate(v)
            total = phi(depth, w) + rho * m * phi(depth, rho * w)
            return mpmath.log(total) + log_alpha

        low, high = mpmath.mpf("1e-30"), mpmath.mpf(1)
        while mismatch(high) < 0:
            low, high = high, 2 * high
        root = mpmath.findroot(mismatch, (low, high), solver="anderson", tol=1e-30, verify=False)
        assert abs(mismatch(root)) < 1e-25
        w = coordinate(root)
        return float(log_alpha + mpmath.log(phi(depth, rho * w)) + mpmath.log(m * (1 + rho)))


# The limit point with many digits


class _BallPotential:
    """phi_D in ball arithmetic."""

    def __init__(self, depth):
        self.depth = depth
        self.power = None if depth == 2 else arb(depth) / (arb(depth) - 2)

    def phi(self, z):
        if self.depth == 2:
            return 2 * z.sinh()
        return (1 - z) ** -self.power - (1 + z) ** -self.power

    def phi_prime(self, z):
        if self.depth == 2:
            return 2 * z.cosh()
        return self.power * ((1 - z) ** (-self.power - 1) + (1 + z) ** (-self.power - 1))

    def phi_inverse(self, t):
        """By Newton's method on arsinh(phi / 2), convex on (0, 1) as a function of artanh z."""
        half = abs(t) / 2
        target = half.asinh()
        if self.depth == 2:
            z = target
        else:
            theta = (target / self.power).mid()
            for _ in range(100):
                z = theta.tanh()
                value = self.phi(z) / 2
                slope = self.phi_prime(z) * (1 - z * z) / (2 * (1 + value * value).sqrt())
                step = ((value.asinh() - target) / slope).mid()
                theta = (theta - step).mid()
                if abs(step) < abs(theta) * arb(2) ** (-ctx.prec // 2):
                    break
            z = theta.tanh()
        return z if t > 0 else -z


def limit_log_error(matrix, data, support, depth, log_alpha, start, bits=320):
    """log ||n(alpha)||_1 by Newton's method on the original dual problem in ball arithmetic.

    The dual, ``max <lam, y> - alpha sum q_D*(A^T lam)``, is concave: where its gradient
    ``y - alpha A phi_D(A^T lam)`` vanishes is the solution, whatever the start was.

    Args:
        matrix, data: A, y.
        support: indices of S; g* is solved from ``A_S g_S = y`` with all digits.
        depth: D.
        log_alpha: natural logarithm of alpha, taken as exact.
        start: (error, log_unit), an approximation of n from which Newton's method starts.
        bits: working precision.
    """
    before, ctx.prec = ctx.prec, bits
    try:
        return _limit_log_error(matrix, data, support, depth, log_alpha, *start)
    finally:
        ctx.prec = before


def _column(values):
    return arb_mat([[v] for v in values])


def _limit_log_error(matrix, data, support, depth, log_alpha, error, log_unit):
    potential = _BallPotential(depth)
    alpha = arb(float(log_alpha)).exp()
    exact, y = arb_mat(matrix.tolist()), _column(data.tolist())
    on = arb_mat(matrix[:, support].tolist())
    gram = on.transpose() * on
    minimizer = [arb(0)] * matrix.shape[1]
    for place, value in zip(support, gram.solve(on.transpose() * y).entries(), strict=True):
        minimizer[place] = value
    unit = arb(float(log_unit)).exp()
    point = [g + unit * float(e) for g, e in zip(minimizer, error, strict=True)]
    z = [potential.phi_inverse((x / alpha).mid()) for x in point]
    lam = _column(np.linalg.lstsq(matrix.T, np.array([float(v) for v in z]), rcond=None)[0])
    # doubles cannot hold z near the edge of phi's domain; the entries on S fix it
    target = _column([z[i] for i in support])
    for _ in range(2):
        lam = (lam + on * gram.solve(target - on.transpose() * lam)).mid()

    transposed = exact.transpose()
    for _ in range(12):
        z = (transposed * lam).entries()
        x = _column([(alpha * potential.phi(v)).mid() for v in z])
        slope = np.array([(alpha * potential.phi_prime(v)).mid() for v in z])
        weighted = arb_mat((matrix.astype(object) * slope).tolist())
        step = (weighted * transposed).mid().solve((y - exact * x).mid()).mid()
        lam = (lam + step).mid()
        size = max(abs(float(v)) for v in (transposed * step).entries())
        if size < 1e-40:
            break
    else:
        raise ArithmeticError(f"Newton's method has not converged: last step {size:.1e}")
    total = arb(0)
    for g, v in zip(minimizer, (transposed * lam).entries(), strict=True):
        total += abs(alpha * potential.phi(v) - g)
    return float(total.log())


# Null space constants


def pattern_constant(matrix, support, pattern):
    """sup of ``-<pattern, n_S>`` over n in ker A with ||n_Sc||_1 <= 1, by one linear program."""
    on, off = matrix[:, support], np.delete(matrix, support, axis=1)
    count = off.shape[1]
    result = linprog(
        np.concatenate([pattern, np.zeros(2 * count)]),
        A_eq=np.hstack([on, off, -off]),
        b_eq=np.zeros(matrix.shape[0]),
        A_ub=np.concatenate([np.zeros(len(support)), np.ones(2 * count)])[None, :],
        b_ub=[1.0],
        bounds=[(None, None)] * len(support) + [(0, None)] * (2 * count),
        method="highs",
    )
    assert result.status == 0, result.message
    return -result.fun


def null_space_constant_by_patterns(matrix, support):
    """rho~ as the largest :func:`pattern_constant` over all sign patterns."""
    patterns = product([1.0], *[[-1.0, 1.0]] * (len(support) - 1))
    return max(pattern_constant(matrix, support, np.array(signs)) for signs in patterns)


def kernel_vertices(matrix, support):
    """Vertices, up to sign, of {n in ker A: ||n_Sc||_1 <= 1} for A in general position.

    The kernel has dimension d - N; at a vertex all but one of as many coordinates off S
    vanish.
    """
    rows, columns = matrix.shape
    complement = np.setdiff1d(np.arange(columns), support)
    for zeros in combinations(complement, columns - rows - 1):
        system = np.vstack([matrix, np.eye(columns)[list(zeros)]])
        n = np.linalg.svd(system)[2][-1]
        yield n / np.abs(n[complement]).sum()


# The gradient flow of the weights


def weights_flow(matrix, data, depth, alpha, times):
    """x(t) of the plain gradient flow by an explicit method of high order, shape (m, d)."""
    size = matrix.shape[1]

    def velocity(_, weights):
        u, v = weights[:size], weights[size:]
        pull = matrix.T @ (data - matrix @ (u**depth - v**depth))
        return np.concatenate([depth * u ** (depth - 1) * pull, -depth * v ** (depth - 1) * pull])

    start = np.full(2 * size, alpha ** (1.0 / depth))
    solution = solve_ivp(
        velocity, (0.0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-11, atol=1e-13
    )
    assert solution.success, solution.message
    return (solution.y[:size] ** depth - solution.y[size:] ** depth).T


def sparse_data(seed=3, shape=(15, 40), sparsity=3):
    """(A, g*) with |S| < N: data without noise."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal(shape) / np.sqrt(shape[0])
    minimizer = np.zeros(shape[1])
    chosen = rng.choice(shape[1], sparsity, replace=False)
    minimizer[chosen] = rng.choice([-1, 1], sparsity) * rng.uniform(0.5, 1.5, sparsity)
    return matrix, minimizer


def dense_data(seed=2, shape=(12, 30), signal=0.0):
    """(A, g*) with |S| = N: data that are noise, and three columns as large as signal says."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal(shape) / np.sqrt(shape[0])
    data = rng.standard_normal(shape[0]) + signal * matrix[:, :3].sum(axis=1)
    columns = shape[1]
    result = linprog(np.ones(2 * columns), A_eq=np.hstack([matrix, -matrix]), b_eq=data)
    minimizer = np.zeros(columns)
    support = np.flatnonzero(np.abs(result.x[:columns] - result.x[columns:]) > 1e-9)
    assert support.size == shape[0]
    minimizer[support] = np.linalg.solve(matrix[:, support], data)
    return matrix, minimizer


def kernel_data(rho, count):
    """(A, g*) with ker A spanned by (-rho m, 1, ..., 1), g* = e_1."""
    matrix = np.zeros((count, count + 1))
    matrix[0] = rho
    matrix[0, 0] = 1.0
    for row in range(1, count):
        matrix[row, row], matrix[row, row + 1] = 1.0, -1.0
    return matrix, np.eye(count + 1)[0]


# --- Any initialization, any number of minimizers -----------------------------------------


def selected_path(matrix, found, depth, log_alpha, initialization=None):
    """The library's path of limit points from a minimizer in the coordinates x~."""
    unit = 1.0 if initialization is None else initialization.unit
    return limit_path(
        matrix,
        unit * found.point,
        found.certificate,
        potential(depth),
        log_alpha,
        initialization=initialization,
    )


def limit_points(matrix, data, depth, exponents, scale, start, digits=90):
    """x(alpha) at alpha = 10^exponent, from ``A x = y``, ``x = alpha scale phi(A^T lam + start)``.

    Newton's method in mpmath from lam = 0, its steps shortened inside the domain of phi; each
    scale starts from the one before.

    Args:
        matrix, data: A and y, small.
        exponents: decreasing integers.
        scale, start: of each column, as numbers.
    Returns:
        one list of d mpmath numbers a scale.
    """
    rows, columns = matrix.shape
    with mpmath.workdps(digits):
        a = mpmath.matrix(matrix.tolist())
        y = mpmath.matrix(data.tolist())
        scale, start = ([mpmath.mpf(float(v)) for v in values] for values in (scale, start))
        p = None if depth == 2 else mpmath.mpf(depth) / (mpmath.mpf(depth) - 2)

        def value(z):
            return 2 * mpmath.sinh(z) if p is None else (1 - z) ** -p - (1 + z) ** -p

        def slope(z):
            if p is None:
                return 2 * mpmath.cosh(z)
            return p * ((1 - z) ** (-p - 1) + (1 + z) ** (-p - 1))

        lam, points = mpmath.zeros(rows, 1), []
        for exponent in exponents:
            alpha = mpmath.mpf(10) ** exponent
            while True:
                z = a.T * lam + mpmath.matrix(start)
                x = mpmath.matrix([alpha * s * value(v) for s, v in zip(scale, z, strict=True)])
                weights = [alpha * s * slope(v) for s, v in zip(scale, z, strict=True)]
                step = mpmath.lu_solve(a * mpmath.diag(weights) * a.T, y - a * x)
                shift = a.T * step
                reach = max(
                    abs(shift[i]) / (1 if p is None else min(1, (1 - abs(z[i])) / 2))
                    for i in range(columns)
                )
                lam += step / max(mpmath.mpf(1), reach)
                if reach < mpmath.mpf(10) ** (-digits // 2):
                    break
            points.append(list(x))
        return points


def limit_error(matrix, minimizer, depth, exponent, initialization=None):
    """n(alpha) at alpha = 10^exponent, by Newton's method with 90 digits on the dual problem.

    y is the exact product A g*, for entries with few digits.
    """
    size = minimizer.size
    scale, start = np.ones(size), np.zeros(size)
    if initialization is not None:  # whose unit is 1
        scale, start = initialization.scale, initialization.tilt + initialization.offset
    exponents = range(max(exponent, 0), exponent - 1, -1)
    (*_, point) = limit_points(matrix, matrix @ minimizer, depth, exponents, scale, start)
    with mpmath.workdps(90):
        return np.array([float(x - g) for x, g in zip(point, minimizer, strict=True)])


# --- records ---


def partial_record(kind, **given):
    """A record of which some arrays are not there."""
    return kind(**dict.fromkeys(kind.shapes()) | given)


def filled_record(kind, **given):
    """A record of these arrays, and of zeros in place of the others but those with a default."""
    given = {name: np.asarray(values) for name, values in given.items()}
    sizes = {"k": 0, "d": 1, "N": 1, "m": 1}
    for name, values in given.items():
        sizes |= dict(zip(kind.shapes()[name], values.shape, strict=True))
    zeros = {
        name: np.zeros([sizes[axis] for axis in shape])
        for name, shape in kind.shapes().items()
        if not hasattr(kind, name)  # it has no default
    }
    return kind(**zeros | given)
