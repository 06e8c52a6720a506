"""Whatever is guessed, a proof fails or what it encloses is true.

Guesses come from other stages, in floating point, and from files.  Here they are nothing like
what is wanted: not finite, of wrong sign, size, shape or zero pattern, of another problem, or
another minimizer.  What is true comes from rational arithmetic on all bases and circuits of
problems so small that there are few, and from Newton's method and bisection at 400 bits.
"""

from functools import cache
from itertools import combinations, product

import numpy as np
import pytest
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat
from scipy.optimize import linprog

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import power_of_ten, sum_of_sizes
from implicit_l1.proof.constants import (
    _heights,
    enclose_null_space_constant,
    enclose_pattern_constant,
)
from implicit_l1.proof.frame import NotProved, prove_frame
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.proof.verified import (
    Exact,
    Inverse,
    Preconditioned,
    doubles_of,
    largest_column_sums,
)

pytestmark = pytest.mark.long

BITS, MANY_BITS = 128, 400
# what a proof may raise
REFUSED = (NotProved, ArithmeticError)


@pytest.fixture(autouse=True)
def precision():
    with ctx.workprec(BITS):
        yield


# Problems and what is true of them


def _tied(seed):
    """Small whole numbers with ties, kernels and equal columns; of full row rank."""
    rng = np.random.default_rng(seed)
    while True:
        rows = int(rng.integers(1, 4))
        columns = rows + int(rng.integers(1, 4))
        kind = seed % 4
        matrix = rng.integers(*[(-2, 3), (0, 2), (-1, 2), (-3, 4)][kind], (rows, columns))
        matrix = matrix.astype(float)
        if kind == 3 and columns > 2:  # a near copy
            matrix[:, -1] = matrix[:, 0]
            matrix[0, -1] += 2.0**-20
        if rational(matrix).rank() == rows:
            point = np.zeros(columns)
            chosen = rng.choice(columns, int(rng.integers(1, rows + 1)), replace=False)
            point[chosen] = rng.integers(1, 4, chosen.size) * rng.choice([-1.0, 1.0], chosen.size)
            return matrix, matrix @ point  # exact: a few bits


def rational(array):
    array = np.atleast_2d(array)
    return fmpq_mat(
        *array.shape, [fmpq(*float(v).as_integer_ratio()) for v in array.ravel().tolist()]
    )


def nullspace(matrix):
    """A basis of the kernel of a rational matrix, as lists."""
    reduced, rank = matrix.rref()
    width = matrix.ncols()
    pivots = [next(j for j in range(width) if reduced[i, j] != 0) for i in range(rank)]
    found = []
    for free in (j for j in range(width) if j not in pivots):
        vector = [fmpq(0)] * width
        vector[free] = fmpq(1)
        for row, pivot in enumerate(pivots):
            vector[pivot] = -reduced[row, free]
        found.append(vector)
    return found


def minimizers(matrix, data):
    """All basic solutions of least l1 norm: one exactly where the minimizer is unique."""
    rows, columns = matrix.shape
    found = {}
    for basis in combinations(range(columns), rows):
        square = rational(matrix[:, basis])
        if square.det() == 0:
            continue
        solution = square.solve(rational(data[:, None])).entries()
        point = [fmpq(0)] * columns
        for index, value in zip(basis, solution, strict=True):
            point[index] = value
        found[tuple((int(v.p), int(v.q)) for v in point)] = point
    norms = {key: sum((abs(v) for v in point), fmpq(0)) for key, point in found.items()}
    least = min(norms.values())
    return [found[key] for key, value in norms.items() if value == least]


def constant(matrix, support, pattern):
    """max of <pattern, n_S> over n in ker A with ||n_Sc||_1 = 1: at a circuit off S."""
    rest = np.delete(np.arange(matrix.shape[1]), support).tolist()
    value = fmpq(0)
    for size in range(1, matrix.shape[0] - len(support) + 2):
        for active in combinations(rest, size):
            kernel = nullspace(rational(matrix[:, [*support, *active]]))
            if len(kernel) != 1:
                continue
            inside, outside = kernel[0][: len(support)], kernel[0][len(support) :]
            height = sum((fmpq(int(e)) * n for e, n in zip(pattern, inside, strict=True)), fmpq(0))
            value = max(value, abs(height) / sum((abs(n) for n in outside), fmpq(0)))
    return value


@cache
def problem(seed):
    """(A, y, all vertices of the minimizers, the first in doubles, a dual vector of floats)."""
    matrix, data = _tied(seed)
    found = minimizers(matrix, data)
    point = np.array([int(v.p) / int(v.q) for v in found[0]])
    support = np.flatnonzero(point)
    nu = np.zeros(matrix.shape[0])
    if support.size:
        nu = np.linalg.lstsq(matrix[:, support].T, np.sign(point[support]), rcond=None)[0]
    return matrix, data, found, point, nu


def contains(ball, value):
    with ctx.workprec(MANY_BITS):
        return ball.contains(arb(value))


# Guesses


def wrong(right, seed):
    """Name -> array in place of a right guess."""
    rng = np.random.default_rng(seed)
    right = np.asarray(right, dtype=float)
    size = right.shape[-1]
    spike = np.zeros_like(right)
    spike[..., int(rng.integers(size))] = 1.0
    found = {
        "right": right,
        "zeros": 0.0 * right,
        "nan": np.full_like(right, np.nan),
        "one nan": np.where(spike != 0, np.nan, right),
        "inf": np.full_like(right, np.inf),
        "one -inf": np.where(spike != 0, -np.inf, right),
        "negated": -right,
        "one negated": np.where(spike != 0, -right, right),
        "without one": np.where(spike != 0, 0.0, right),
        "with one": right + spike,
        "subnormal": 5e-324 * np.sign(right),
        "with a subnormal": right + 5e-324 * spike,
        "huge": 1e300 * right,
        "largest": np.copysign(np.finfo(float).max, right),
        "small": 1e-200 * right,
        "near": right * (1.0 + 1e-9 * rng.standard_normal(right.shape)),
        "far": right + rng.standard_normal(right.shape),
        "ones": np.ones_like(right),
        "whole": rng.integers(-2, 3, right.shape).astype(float),
        "turned round": right[..., ::-1],
        "too long": np.concatenate([right, spike], axis=-1),
        "too short": right[..., :-1],
        "of no shape": np.float64(1.0),
        "twice": np.stack([right, right]),
    }
    return found


NAMES = list(wrong(np.ones(2), 0))
SEEDS = range(40)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("of", ["point", "nu", "both"])
def test_a_minimizer(name, of):
    proved = 0
    for seed in SEEDS:
        matrix, data, vertices, _, nu = problem(seed)
        # another vertex of the minimizers, too
        others = [np.array([int(v.p) / int(v.q) for v in vertex]) for vertex in vertices]
        for start in others:
            guess = wrong(start, seed)[name] if of != "nu" else start
            dual = wrong(nu, seed)[name] if of != "point" else nu
            try:
                minimizer = prove_minimizer(matrix, data, guess, dual)
            except REFUSED:
                continue
            proved += 1
            assert len(vertices) == 1
            truth = vertices[0]
            support = [i for i, v in enumerate(truth) if v != 0]
            assert minimizer.support.tolist() == support
            for value, index, side in zip(minimizer.values, support, minimizer.sigma, strict=True):
                assert contains(value, truth[index])
                assert side == (1 if truth[index] > 0 else -1)
            sizes = [abs(truth[index]) for index in support]
            assert contains(minimizer.kappa, max(sizes) / min(sizes))
            assert minimizer.margin > 0
    if name == "right":
        assert proved >= 5  # the test says something


def test_equations_that_hold_but_for_what_is_rounded():
    """1 + 2^-140 is 1 in balls of 128 bits; y is no combination of the first two columns."""
    matrix = np.array([[1, 2.0**-140, 0, 0.25], [1, 0, 0.25, 0.125], [0, 1, 0.5, 0]])
    data, nu = np.ones(3), np.array([0.0, 1.0, 1.0])  # a strict dual certificate of both
    assert all(sum(v != 0 for v in point) == 3 for point in minimizers(matrix, data))
    with pytest.raises(NotProved, match="not a combination"):
        prove_minimizer(matrix, data, np.array([1.0, 1.0, 0, 0]), nu)


def test_a_solution_that_holds_but_for_what_is_rounded():
    """g* is near (1, 1), and not that, though A (1, 1) is y in balls of 128 bits."""
    matrix = np.array([[1, 2.0**-140, 0.125], [1, 1, 0.25]])
    data = np.array([1.0, 2.0])
    (truth,) = minimizers(matrix, data)
    assert truth[0] != 1
    for point in ([1.0, 1.0, 0], [1.0, 2.0, 0]):
        found = prove_minimizer(matrix, data, np.array(point), np.ones(2))
        assert all(contains(v, g) for v, g in zip(found.values, truth[:2], strict=True))


def frames():
    """(seed, A, S, nu, coordinates) of the problems that have coordinates."""
    for seed in SEEDS:
        matrix, _, _, point, nu = problem(seed)
        support = np.flatnonzero(point)
        try:
            yield seed, matrix, support, nu, prove_frame(matrix, support)
        except REFUSED:
            continue


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_the_constant_of_a_pattern(name):
    enclosed = 0
    for seed, matrix, support, nu, frame in frames():
        for pattern in product([1.0, -1.0, 0.0], repeat=support.size):
            try:
                found = enclose_pattern_constant(frame, np.array(pattern), wrong(nu, seed)[name])
            except REFUSED:
                continue
            enclosed += 1
            assert found.value.is_finite()
            assert contains(found.value, constant(matrix, support.tolist(), pattern))
            if found.active is not None:
                size = sum_of_sizes(found.kernel)
                assert size.contains(1)
                columns = arb_mat(rational(matrix[:, [*support, *frame.outside[found.active]]]))
                vector = [*found.inside, *found.kernel]
                image = columns * arb_mat(len(vector), 1, vector)
                assert all(value.contains(0) for value in image.entries())
    if name == "right":
        assert enclosed >= 40


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("of", ["patterns", "duals"])
def test_the_null_space_constant(name, of):
    bracketed = 0
    for seed, matrix, support, nu, frame in frames():
        size = support.size
        if not size:
            continue
        signs = np.array(list(product([1.0, -1.0], repeat=size)))
        truth = max(constant(matrix, support.tolist(), pattern) for pattern in signs)
        half = signs[: len(signs) // 2]
        sets = {
            "all": half,
            "all twice": signs,
            "one missing": half[1:],
            "one twice": np.vstack([half[1:], half[1:][:1]]),
            "one and its negative": np.vstack([half[1:], -half[1:][:1]]),
            "none": half[:0],
            "unit vectors": np.vstack([half[:1], np.eye(size)]),
            "unit vectors and no pattern": np.vstack([3.0 * half[:1], np.eye(size)]),
            "unit vectors but one": np.vstack([half[:1], np.eye(size)[:-1]]),
            "unit vectors, one twice": np.vstack([half[:1], np.eye(size)[[0, *range(size - 1)]]]),
            "unit vectors alone": np.eye(size),
        }
        for patterns in sets.values():
            duals = np.tile(nu, (len(patterns), 1))
            if of == "patterns":
                patterns = wrong(patterns, seed)[name] if patterns.size else patterns
            else:
                duals = wrong(duals, seed)[name]
            try:
                lower, upper = enclose_null_space_constant(frame, patterns, duals)
            except REFUSED:
                continue
            bracketed += 1
            assert lower.is_finite() and upper.is_finite()
            assert lower.lower() <= arb(truth) and not upper.upper() < arb(truth)
            if lower is upper:
                assert contains(lower, truth)
    if name == "right":
        assert bracketed >= 40


def test_the_constant_of_a_near_tie():
    """Products in doubles do not tell which of nearly equal columns is the farthest out."""
    several = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        square = rng.standard_normal((3, 3))
        column_ = rng.standard_normal(3)
        copies = [column_]
        for _ in range(6):
            place = int(rng.integers(3))
            copies.append(copies[-1].copy())
            copies[-1][place] = np.nextafter(copies[-1][place], rng.choice([-9.0, 9.0]))
        matrix = np.column_stack([square, *copies])
        frame = prove_frame(matrix, [0, 1, 2])
        dual = frame.inverse.solve_in_doubles(np.ones(3), transposed=True)
        farthest = int(np.argmax(np.abs(dual @ matrix[:, 3:])))
        rows = rational(square).solve(rational(matrix[:, 3:])).transpose().tolist()
        exact = [abs(sum(row, fmpq(0))) for row in rows]
        several += exact[farthest] < max(exact)
        found = enclose_pattern_constant(frame, np.ones(3), np.zeros(3))
        assert contains(found.value, max(exact))
    assert several >= 5  # where the largest in doubles is not the largest


def test_a_constant_that_doubles_do_not_see():
    """<eps, M k> = -2^-61, and 0 in doubles, so that the sign of the kernel vector is unknown."""
    matrix = np.zeros((4, 5))
    matrix[:3, :3] = np.eye(3)
    matrix[:, 3] = 1.0, -(2.0**-60), -1.0, 1.0
    matrix[3, 4] = -1.0
    frame = prove_frame(matrix, [0, 1, 2])
    truth = constant(matrix, [0, 1, 2], [1, 1, 1])
    assert truth == fmpq(1, 2**61)
    for nu in (np.zeros(4), np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0])):
        assert contains(enclose_pattern_constant(frame, np.ones(3), nu).value, truth)


# The limit point


def potential_at(depth, z):
    """(phi, its derivative), as the definition says."""
    if depth == 2:
        return z.exp() - (-z).exp(), z.exp() + (-z).exp()
    power = arb(depth) / (arb(depth) - 2)
    left, right = (1 - z).log(), (1 + z).log()
    slopes = ((-(power + 1) * log).exp() for log in (left, right))
    return (-power * left).exp() - (-power * right).exp(), power * sum(slopes, arb(0))


def dual_newton(matrix, data, depth, alpha):
    """x(alpha): Newton's method on ``y = A alpha phi(A^T lam)`` from 0, damped, at many bits.

    The norm of the residual decreases in every step, until it is made of rounding.
    """
    exact = arb_mat(rational(matrix))
    right = arb_mat(rational(data[:, None]))
    rows = matrix.shape[0]

    def evaluated(dual):
        z = [v.mid() for v in (exact.transpose() * dual).entries()]
        if depth > 2 and not all(abs(v) < 1 for v in z):
            return None
        values, slopes = zip(*(potential_at(depth, v) for v in z), strict=True)
        x = [(alpha * v).mid() for v in values]
        residual = (right - exact * arb_mat(len(x), 1, x)).mid()
        size = sum((v * v for v in residual.entries()), arb(0)).mid()
        return x, [(alpha * s).mid() for s in slopes], residual, size

    dual = arb_mat(rows, 1)
    state = evaluated(dual)
    for _ in range(2000):
        x, slopes, residual, size = state
        weighted = [[a * s for a, s in zip(row, slopes, strict=True)] for row in exact.tolist()]
        step = (arb_mat(weighted) * exact.transpose()).mid().solve(residual).mid()
        length = arb(1)
        while True:
            trial = (dual + step * length).mid()
            after = evaluated(trial)
            if after is not None and after[3] < size:
                break
            length /= 2
            if length < arb(2) ** -60:
                assert size < 1e-200, "no limit point at many bits"
                return x
        dual, state = trial, after
    raise AssertionError("no limit point at many bits")


@cache
def limit_point(seed, depth, exponent):
    """n(alpha), by Newton's method at many bits."""
    matrix, data, vertices, *_ = problem(seed)
    with ctx.workprec(MANY_BITS):
        x = dual_newton(matrix, data, depth, arb(10) ** exponent)
        return [value - arb(g) for value, g in zip(x, vertices[0], strict=True)]


def proved_minimizer(seed):
    matrix, data, _, point, nu = problem(seed)
    try:
        return prove_minimizer(matrix, data, point, nu)
    except NotProved:
        return None


UNIQUE = [seed for seed in range(60) if len(problem(seed)[2]) == 1][:14]
UNITS = [0.0, -800.0, 800.0, np.nan, np.inf, -np.inf, 1e300, -1e300, -1e18, 1e18, 5e-324]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("exponent", [1, 0, -3])
@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 6])
def test_a_limit_point(depth, exponent):
    proved = dict.fromkeys(NAMES, 0)
    for seed in UNIQUE:
        minimizer = proved_minimizer(seed)
        if minimizer is None:
            continue
        limit = LimitProof(problem(seed)[0], minimizer, depth)
        truth = limit_point(seed, depth, exponent)
        right = np.array([float(n) for n in truth])
        unit = np.abs(right).max()
        if unit < 1e-90:  # x is g* itself
            unit = 1.0
        places = [(name, guess / unit, np.log(unit)) for name, guess in wrong(right, seed).items()]
        places += [("right", right / unit, log_unit) for log_unit in UNITS]
        for name, guess, log_unit in places:
            try:
                found = limit.error(power_of_ten(exponent), guess, log_unit, 1e-3)
            except REFUSED:
                continue
            proved[name] += 1
            for value, n in zip(found, truth, strict=True):
                assert value.is_finite()
                # Newton's rounding at many bits is far below a ball's radius
                assert value.overlaps(n.mid() + arb(0, 1e-90)), (seed, name)
    assert proved["right"] >= 3


@cache
def large_problem():
    """(A, y, x_0, a dual certificate): so large that products are taken in doubles."""
    rng = np.random.default_rng(8)
    matrix = rng.integers(-3, 4, (40, 110)).astype(float)
    point = np.zeros(110)
    point[[3, 50, 77]] = 2.0, -1.0, 3.0
    support = np.flatnonzero(point)
    off, edge = np.delete(matrix, support, axis=1).T, np.ones((107, 1))
    dual = linprog(
        np.append(np.zeros(40), 1.0),
        A_ub=np.block([[off, -edge], [-off, -edge]]),
        b_ub=np.zeros(214),
        A_eq=np.column_stack([matrix[:, support].T, np.zeros(3)]),
        b_eq=np.sign(point[support]),
        bounds=[(None, None)] * 41,
    )
    return matrix, matrix @ point, point, dual.x[:-1]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("exponent", [1, -2])
@pytest.mark.parametrize("depth", [2, 2.5, 3])
def test_a_limit_point_of_many_columns(depth, exponent):
    matrix, data, point, nu = large_problem()
    limit = LimitProof(matrix, prove_minimizer(matrix, data, point, nu), depth)
    with ctx.workprec(MANY_BITS):
        x = dual_newton(matrix, data, depth, arb(10) ** exponent)
        truth = [value - arb(g) for value, g in zip(x, point.tolist(), strict=True)]
    right = np.array([float(n) for n in truth])
    unit = np.abs(right).max()
    proved = set()
    for name, guess in wrong(right / unit, 1).items():
        try:
            found = limit.error(power_of_ten(exponent), guess, np.log(unit), 1e-3)
        except REFUSED:
            continue
        proved.add(name)
        assert all(v.overlaps(n.mid() + arb(0, 1e-90)) for v, n in zip(found, truth, strict=True))
        assert all(value.is_finite() for value in found)
    assert {"right", "near"} <= proved


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("depth", [2, 2.5, 3, 4])
def test_the_first_order(depth):
    """The error at 10^-2000 over the constant, and the slope between there and 10^-4000."""
    proved = 0
    for seed in UNIQUE:
        minimizer = proved_minimizer(seed)
        if minimizer is None:
            continue
        matrix, _, _, _, nu = problem(seed)
        rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, nu)
        limit = LimitProof(matrix, minimizer, depth)
        truth = limit_point(seed, depth, -3)
        size = sum_of_sizes(truth)
        for name, guess in wrong([1e3 * float(n) for n in truth], seed).items():
            try:
                exponent, constant_ = limit.first_order(rho, guess, 0.0, 1e-3)
            except REFUSED:
                continue
            # where n vanishes there is no rate
            assert size > 1e-60, (seed, name)
            assert exponent.is_finite() and constant_ > 0
            proved += 1
    assert proved


def test_a_first_order_term_that_vanishes():
    """The slopes are 4/3 at D = 3 and 3/2 at D = 4: 1 is a bound of the rate only."""
    matrix, data = np.array([[1, 0, 0.5], [0, 1, -0.5]]), np.array([1.0, 2.0])
    minimizer = prove_minimizer(matrix, data, np.array([1.0, 2.0, 0.0]), np.ones(2))
    rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, np.ones(2))
    for depth, rate in ((2.5, 6 / 5), (3, 4 / 3), (4, 3 / 2)):
        limit = LimitProof(matrix, minimizer, depth)
        exponent, constant_ = limit.first_order(rho, np.zeros(3), 0.0, 1e-12)
        sizes = [-_kernel_entry(depth, exponent) for exponent in (-60, -62)]
        slope = (sizes[0] / sizes[1]).log() / arb(100).log()
        assert float(slope) == pytest.approx(rate, abs=1e-6)
        assert abs(exponent - arb(rate)) < 1e-15
        ratio = 2 * sizes[1] / (constant_ * (arb(10) ** -62) ** exponent)
        assert float(ratio) == pytest.approx(1, abs=1e-9)


def test_where_rho_is_zero_there_is_no_power_of_alpha():
    """n = t (0, 1, 1) and ``2 arsinh(t / 2 alpha) = 0``: the error is 0 at every alpha."""
    matrix, data = np.array([[1.0, 0, 0], [0, 1, -1]]), np.array([1.0, 0.0])
    minimizer = prove_minimizer(matrix, data, np.array([1.0, 0, 0]), np.array([1.0, 0.0]))
    rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, np.array([1.0, 0.0]))
    assert rho.value.contains(0)
    for depth in (2, 2.5, 3):
        with pytest.raises(NotProved):
            LimitProof(matrix, minimizer, depth).first_order(rho, np.zeros(3), 0.0, 1e-3)


def _kernel_entry(depth, exponent):
    """The t with n = t (-1/2, 1/2, 1): ``<n, phi^{-1}(x / alpha)> = 0``, by iteration."""
    with ctx.workprec(MANY_BITS):
        alpha, t = arb(10) ** exponent, arb(0)
        for _ in range(20):
            rooms = [slack(depth, (x / alpha).mid()) for x in (1 - t / 2, 2 + t / 2)]
            t = (alpha * potential_at(depth, (rooms[1] - rooms[0]) / 2)[0]).mid()
        return t


# The slack of phi


@pytest.mark.parametrize("depth", [2.01, 2.1, 2.5, 3, 3.5, 4, 5, 6, 10, 100])
def test_a_slack(depth):
    phi = BallPotential(depth)
    starts = [2.5, 2.465, 1.0, 2.0, 0.0, -1.0, 1.5, 1.9, 3.0, 1e9, 1e300, 1e-300, 5e-324]
    starts += [float("nan"), float("inf"), -float("inf")]
    # of these Newton's method leaves the domain for some: D = 4, t = 30 from 0.35 on
    starts += np.linspace(0.01, 0.99, 45).tolist()
    for size in (1e-30, 1e-3, 0.5, 1.0, 3.0, 30.0, 100.0, 1e30):
        truth = slack(depth, size)
        found = 0
        for start in starts:
            try:
                value = phi._slack(arb(size), phi.power, start)
            except REFUSED:
                continue
            found += 1
            assert value.overlaps(truth), (size, start)
            assert 0 < value < 2
        assert found >= 3
        z, _, room = phi.inverses_with_room([-arb(size)])[0]
        assert room.overlaps(truth) and z.overlaps(truth - 1)


def slack(depth, size):
    """The slack by bisection: ``s^(-p) - (2 - s)^(-p)`` decreases on (0, 1) to 0."""
    with ctx.workprec(MANY_BITS):
        power = arb(depth) / (arb(depth) - 2)

        def value(s):
            return (-power * s.log()).exp() - (-power * (2 - s).log()).exp()

        low, high = arb(-200), arb(0)  # of the logarithm
        for _ in range(MANY_BITS - 40):
            middle = (low + high) / 2
            low, high = (middle, high) if value(middle.exp()) > size else (low, middle)
            low, high = low.mid(), high.mid()
        return low.exp().union(high.exp())


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 6])
def test_outside_the_domain_nothing_is_said(depth):
    phi = BallPotential(depth)
    for z in (arb("nan"), arb(0, float("inf")), arb(1), arb(-1), arb(1.5), arb(-3), arb(0.5, 0.6)):
        if depth == 2:
            assert phi.phi(z).overlaps(2 * z.sinh()) or not phi.phi(z).is_finite()
            continue
        with pytest.raises(ArithmeticError):
            phi.phi(z)
    for t in (arb("nan"), arb(0), arb(0, 1), arb(0, float("inf")), arb(-1, 2)):
        with pytest.raises(ArithmeticError):
            phi.inverses_with_room([t])


@pytest.mark.parametrize("depth", [1, 1.5, 0, -3, float("nan"), float("inf")])
def test_there_is_no_such_depth(depth):
    with pytest.raises(ValueError, match="depth"):
        BallPotential(depth)


@pytest.mark.parametrize("exponent", [-1000, -500, 0, 500, 900])
def test_the_scale_of_the_matrix_does_not_matter(exponent):
    found = 0
    for seed in SEEDS:
        matrix, _, _, point, nu = problem(seed)
        support = np.flatnonzero(point)
        if not 0 < support.size < len(matrix):
            continue
        one, other = (prove_frame(A, support) for A in (matrix, np.ldexp(matrix, exponent)))
        for pattern in product([1.0, -1.0], repeat=support.size):
            try:
                unscaled = enclose_pattern_constant(one, np.array(pattern), nu).value
            except NotProved:
                continue
            scaled = enclose_pattern_constant(
                other, np.array(pattern), np.ldexp(nu, -exponent)
            ).value
            assert scaled.overlaps(unscaled)
            assert scaled.rad() <= 2 * unscaled.rad() + 1e-20
            found += 1
    assert found > 10


# Products and bounds in doubles


def _vectors(size, seed):
    """Name -> balls: what a guess may make of a vector."""
    rng = np.random.default_rng(seed)
    plain = [arb(v) for v in rng.standard_normal(size).tolist()]
    third = [v / 3 for v in plain]
    place = int(rng.integers(size))

    def shifted(low, high):
        return [arb(2) ** int(k) for k in rng.integers(low, high, size)]

    def with_one(value):
        return [*third[:place], value, *third[place + 1 :]]

    return {
        "doubles": plain,
        "thirds": third,
        "zeros": [arb(0)] * size,
        "nan": with_one(arb("nan")),
        "inf": with_one(arb("inf")),
        "anything": with_one(arb(0, float("inf"))),
        "wide": [v + arb(0, width) for v, width in zip(third, shifted(-90, 0), strict=True)],
        "huge": with_one(arb(10) ** 400),
        "tiny": [v * arb(10) ** -400 for v in third],
        "one tiny": with_one(arb(10) ** -400),
        "subnormal": with_one(arb(5e-324)),
        "of all sizes": [v * k for v, k in zip(third, shifted(-900, 200), strict=True)],
        "large": [v * arb(2) ** 299 for v in third],
        "small": [v * arb(2) ** -299 for v in third],
    }


def _matrices(seed):
    """Name -> matrix, of more entries than are multiplied in balls."""
    rng = np.random.default_rng(seed)
    shape = (40, 130)
    plain = rng.standard_normal(shape)
    return {
        "plain": plain,
        "whole": rng.integers(-2, 3, shape).astype(float),
        "rows of all sizes": plain * 2.0 ** rng.integers(-400, 200, (40, 1)),
        "columns of all sizes": plain * 2.0 ** rng.integers(-600, 250, 130),
        "subnormal beside": np.where(rng.random(shape) < 0.3, 5e-324, plain),
    }


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("matrix_name", _matrices(0))
@pytest.mark.parametrize("vector_name", _vectors(2, 0))
@pytest.mark.parametrize("transposed", [False, True])
def test_a_product_contains_the_product(matrix_name, vector_name, transposed):
    for seed in range(2):
        matrix = _matrices(seed)[matrix_name]
        vector = _vectors(matrix.shape[0 if transposed else 1], seed)[vector_name]
        found = Exact(matrix).times(vector, transposed)
        with ctx.workprec(4000):
            exact = arb_mat(rational(matrix))
            ends = [[v.lower(), v.upper(), v.mid()] for v in vector]
            for place in range(3):  # points of the box
                chosen = [end[(place + index * place) % 3] for index, end in enumerate(ends)]
                if not all(v.is_finite() for v in chosen):
                    assert not all(value.is_finite() for value in found)
                    continue
                point = arb_mat(len(chosen), 1, chosen)
                product_ = (exact.transpose() if transposed else exact) * point
                for value, truth in zip(found, product_.entries(), strict=True):
                    assert value.contains(truth)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", ["nan", "inf", "anything", "huge", "tiny", "wide", "of all sizes"])
@pytest.mark.parametrize("condition", [1.0, 1e6, 1e15, 1e40])
def test_a_solution_contains_the_solution(name, condition):
    rng = np.random.default_rng(3)
    factors = [np.linalg.qr(rng.standard_normal((12, 12)))[0] for _ in range(2)]
    matrix = (factors[0] * np.geomspace(1.0, 1.0 / condition, 12)) @ factors[1]
    try:
        inverse = Inverse(matrix)
    except ZeroDivisionError:
        assert condition > 1e30
        return
    for transposed in (False, True):
        right = _vectors(12, 5)[name]
        found = inverse.solve(right, transposed)
        if not all(value.is_finite() for value in right):
            assert not all(value.is_finite() for value in found)
            continue
        with ctx.workprec(4000):
            exact = arb_mat(rational(matrix))
            exact = exact.transpose() if transposed else exact
            for end in ("lower", "upper", "mid"):
                truth = exact.solve(arb_mat(12, 1, [getattr(v, end)() for v in right]))
                for value, wanted in zip(found, truth.entries(), strict=True):
                    assert not value.is_finite() or value.contains(wanted)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_many_constants_are_bounded(name):
    """Bounds of all patterns at once, which decide what is looked at more closely."""
    bounded = 0
    for seed in SEEDS:
        matrix, _, _, point, nu = problem(seed)
        support = np.flatnonzero(point)
        if not 0 < support.size < len(matrix):
            continue
        frame = prove_frame(matrix, support)
        patterns = np.array(list(product([1.0, -1.0], repeat=support.size)))
        duals = wrong(np.tile(nu, (len(patterns), 1)), seed)[name]
        if duals.shape != (len(patterns), len(matrix)):
            continue
        bounds = _heights(frame, patterns, duals)
        for pattern, bound in zip(patterns, bounds.tolist(), strict=True):
            if np.isfinite(bound):
                truth = constant(matrix, support.tolist(), pattern)
                assert fmpq(*bound.as_integer_ratio()) >= truth
                bounded += 1
    if name == "right":
        assert bounded > 20


def test_a_bound_where_products_cancel():
    """Dual vectors of 10^12 whose products are of order 1: doubles have four digits of them."""
    rng = np.random.default_rng(4)
    size, rest = 2.0**40, rng.standard_normal((3, 50))
    rest[2] = rest[1] + rng.standard_normal(50) / size
    matrix = np.column_stack([[1.0, 0.0, 0.0], rest])
    frame = prove_frame(matrix, [0])
    turns = rng.uniform(0.5, 1.0, 40)
    duals = np.column_stack([np.ones(40), size * turns, -size * turns])
    bounds = _heights(frame, np.ones((40, 1)), duals)
    exact = (rational(duals) * rational(rest)).tolist()  # the dual vectors are feasible
    for bound, row in zip(bounds.tolist(), exact, strict=True):
        assert fmpq(*bound.as_integer_ratio()) >= max(abs(value) for value in row)


@pytest.mark.parametrize("name", ["plain", "columns of all sizes", "rows of all sizes"])
def test_sums_of_columns_are_bounded(name):
    matrix = _matrices(1)[name]
    columns, square = matrix[:8, 8:30], matrix[:8, :8]
    try:
        inverse = Inverse(square)
    except ZeroDivisionError:
        return
    bounds = largest_column_sums(inverse, columns)
    with ctx.workprec(4000):
        solution = arb_mat(rational(square)).solve(arb_mat(rational(columns))).tolist()
        for place, bound in enumerate(bounds.tolist()):
            size = sum_of_sizes([row[place] for row in solution])
            assert np.isinf(bound) or not size > arb(bound)


@pytest.mark.parametrize("condition", [1e4, 1e9, 1e13])
def test_sums_of_columns_of_an_ill_conditioned_matrix(condition):
    """R Y alone is wrong from the fourth digit on where the condition is 10^13."""
    rng = np.random.default_rng(6)
    factors = [np.linalg.qr(rng.standard_normal((8, 8)))[0] for _ in range(2)]
    square = (factors[0] * np.geomspace(1.0, 1.0 / condition, 8)) @ factors[1]
    columns = rng.standard_normal((8, 60))
    inverse = Inverse(square)
    assert inverse.approximate is not None
    bounds = largest_column_sums(inverse, columns)
    exact = rational(square).solve(rational(columns)).transpose().tolist()
    for bound, row in zip(bounds.tolist(), exact, strict=True):
        assert fmpq(*bound.as_integer_ratio()) >= sum((abs(v) for v in row), fmpq(0))


@pytest.mark.parametrize("name", _vectors(2, 0))
def test_doubles_near_balls(name):
    balls = _vectors(30, 2)[name]
    for value, middle, radius in zip(balls, *doubles_of(balls), strict=True):
        if np.isfinite(middle) and np.isfinite(radius):
            with ctx.workprec(4000):
                assert all(abs(end - middle) <= radius for end in (value.lower(), value.upper()))
        else:
            assert not value.is_finite() or abs(value) > 1e308


@pytest.mark.parametrize("error", [0.0, 1e-12, 1e-3, 0.3, 3.0])
def test_how_far_an_approximate_inverse_is_from_one(error):
    """Whatever R is: ``||I - R K||``, and ``|(I - R K) v|`` entry by entry."""
    rng = np.random.default_rng(9)
    matrix, weights = rng.standard_normal((9, 9)), rng.uniform(0.0, 1.0, 9)
    inverse = np.linalg.inv(matrix) + error * rng.standard_normal((9, 9))
    known = Preconditioned(inverse, matrix)
    exact = (rational(np.eye(9)) - rational(inverse) * rational(matrix)).tolist()
    size = max(sum((abs(v) for v in row), fmpq(0)) for row in exact)
    assert fmpq(*known.contraction(np.zeros(9)).as_integer_ratio()) >= size
    moved = [
        sum(
            (
                abs(v) * fmpq(*w.as_integer_ratio())
                for v, w in zip(row, weights.tolist(), strict=True)
            ),
            fmpq(0),
        )
        for row in exact
    ]
    found = known.remainder(weights, np.zeros(9))
    assert all(fmpq(*f.as_integer_ratio()) >= m for f, m in zip(found.tolist(), moved, strict=True))
