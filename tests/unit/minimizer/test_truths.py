"""The right values that the package is compared with are right themselves.

By optimality conditions in rational arithmetic, by enumeration, by closed forms and by other
solvers; nothing of the package is used.
"""

from fractions import Fraction
from itertools import combinations, product

import mpmath
import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from truths import (
    exact_product,
    l1_minimizer,
    largest_face,
    limit_points,
    log_norm,
    nearest_double,
    null_space_constant,
    rational_rows,
    rho,
    selected_minimizer,
    simplex,
)
from unkind import ENSEMBLES, draw

SEEDS = range(6)
LOG10 = np.log(10.0)


def dot(left, right):
    return sum((a * b for a, b in zip(left, right, strict=True)), fmpq(0))


def small(most=6, rows=3):
    """Problems small enough for enumeration."""
    for name, seed in product(ENSEMBLES, SEEDS):
        case = draw(name, seed)
        if case.matrix.shape[1] <= most and case.matrix.shape[0] <= rows:
            yield case


# --- linear programs ---


def test_a_textbook_program():
    """max 3a + 5b, a <= 4, 2b <= 12, 3a + 2b <= 18 is 36 at (2, 6), with prices 0, 3/2, 1."""
    rows = rational_rows([[1, 0, 1, 0, 0], [0, 2, 0, 1, 0], [3, 2, 0, 0, 1]])
    found = simplex([*map(fmpq, (-3, -5, 0, 0, 0))], rows, [*map(fmpq, (4, 12, 18))])
    assert found.point[:2] == [2, 6]
    assert found.dual == [0, fmpq(-3, 2), -1]


def test_a_program_that_cycles_by_the_largest_coefficient():
    """Beale's example: value -1/20."""
    cost = [fmpq(-3, 4), fmpq(20), fmpq(-1, 2), fmpq(6), *[fmpq(0)] * 3]
    rows = [
        [fmpq(1, 4), fmpq(-8), fmpq(-1), fmpq(9), fmpq(1), fmpq(0), fmpq(0)],
        [fmpq(1, 2), fmpq(-12), fmpq(-1, 2), fmpq(3), fmpq(0), fmpq(1), fmpq(0)],
        [fmpq(0), fmpq(0), fmpq(1), fmpq(0), fmpq(0), fmpq(0), fmpq(1)],
    ]
    found = simplex(cost, rows, [fmpq(0), fmpq(0), fmpq(1)], basis=[4, 5, 6])
    assert dot(cost, found.point) == fmpq(-5, 4)


def test_programs_without_solution():
    with pytest.raises(ValueError, match="no feasible point"):
        simplex([fmpq(1)], rational_rows([[1]]), [fmpq(-1)])
    with pytest.raises(ValueError, match="unbounded"):
        simplex([fmpq(0), fmpq(-1)], rational_rows([[1, 0]]), [fmpq(1)])
    with pytest.raises(ValueError, match="dependent"):
        simplex([fmpq(1)] * 2, rational_rows([[1, 1], [2, 2]]), [fmpq(1), fmpq(2)])


# --- the l1 minimizer ---


@pytest.mark.parametrize("name", ENSEMBLES)
def test_minimizers_are_optimal(name):
    """Feasible, and a dual vector of the same value: exactly."""
    for seed in SEEDS:
        case = draw(name, seed)
        found = l1_minimizer(case.matrix, case.exact_data)
        rows = rational_rows(case.matrix)
        data = [fmpq(v.numerator, v.denominator) for v in case.exact_data]
        assert [dot(row, found.point) for row in rows] == data
        prices = [dot(column, found.dual) for column in zip(*rows, strict=True)]
        assert max(map(abs, prices)) <= 1
        assert dot(found.dual, data) == found.norm
        assert [prices[j] for j in found.support] == found.signs


def test_minimizers_by_enumeration():
    """The shortest of all solutions with N independent columns; unique if it is alone."""
    count = 0
    for case in small():
        rows = rational_rows(case.matrix)
        size = len(rows)
        data = fmpq_mat([[fmpq(v.numerator, v.denominator)] for v in case.exact_data])
        norms = {}
        for chosen in combinations(range(len(rows[0])), size):
            square = fmpq_mat([[row[j] for j in chosen] for row in rows])
            if square.det() == 0:
                continue
            values = square.solve(data).entries()
            point = tuple((j, str(v)) for j, v in zip(chosen, values, strict=True) if v != 0)
            norms[point] = sum(map(abs, values), fmpq(0))
        found, least = l1_minimizer(case.matrix, case.exact_data), min(norms.values())
        assert found.norm == least
        # minimizers are the means of those that are vertices
        assert found.unique == (sum(norm == least for norm in norms.values()) == 1)
        assert tuple((j, str(found.point[j])) for j in found.support) in norms
        count += 1
    assert count > 20


@pytest.mark.parametrize("k", [1, 10, 47, 53])
def test_one_and_nearly_one(k):
    found = l1_minimizer([[1.0, 1.0 - 2.0**-k]], [1.0])
    assert found.unique and found.point == [1, 0]
    assert found.rho == 1 - fmpq(1, 2**k)


def test_data_that_no_double_holds():
    matrix, signal = np.array([[0.1, 0.7, 0.2], [0.3, 0.3, 0.9]]), np.array([0.0, 0.0, 0.3])
    data = exact_product(matrix, signal)
    assert any(Fraction(float(v)) != v for v in data)
    found = l1_minimizer(matrix, data)
    assert [nearest_double(v) for v in found.point] == signal.tolist()
    assert len(l1_minimizer(matrix, [float(v) for v in data]).support) == 2


# --- null space constants ---


def kernel_vertices(case, support):
    """Vertices of ``{n in ker A: ||n_Sc||_1 <= 1}`` up to sign, S independent.

    They have minimal supports: the columns that a vertex uses have a kernel of dimension 1.
    """
    rows = rational_rows(case.matrix)
    for size in range(1, len(rows) + 2):
        for chosen in combinations(range(len(rows[0])), size):
            block = fmpq_mat([[row[j] for j in chosen] for row in rows])
            reduced, rank = block.rref()
            if rank != size - 1:
                continue
            reduced = reduced.tolist()
            pivots = [next(j for j, v in enumerate(reduced[i]) if v != 0) for i in range(rank)]
            (free,) = set(range(size)) - set(pivots)
            n = [fmpq(0)] * len(rows[0])
            n[chosen[free]] = fmpq(1)
            for i, j in enumerate(pivots):
                n[chosen[j]] = -reduced[i][free]
            off = sum((abs(v) for j, v in enumerate(n) if j not in support), fmpq(0))
            if off:
                yield [v / off for v in n]


def test_constants_by_enumeration():
    count = 0
    for case in small(most=7):
        found = l1_minimizer(case.matrix, case.exact_data)
        vertices = list(kernel_vertices(case, found.support))
        values = [
            abs(sum((s * n[j] for s, j in zip(found.signs, found.support, strict=True)), fmpq(0)))
            for n in vertices
        ]
        assert found.rho == max(values)
        sums = [sum((abs(n[j]) for j in found.support), fmpq(0)) for n in vertices]
        assert null_space_constant(case.matrix, found.support) == max(sums)
        count += 1
    assert count > 30


@pytest.mark.parametrize("constant", [Fraction(0), Fraction(1, 3), Fraction(7, 8)])
def test_constants_of_a_known_kernel(constant):
    """ker A is spanned by (-3 rho, 1, 1, 1): both constants of S = {1} are rho."""
    matrix = [[1, constant, constant, constant], [0, 1, -1, 0], [0, 0, 1, -1]]
    assert rho(matrix, [0], [1]) == fmpq(constant.numerator, constant.denominator)
    assert null_space_constant(matrix, [0]) == rho(matrix, [0], [1])


def test_signs_that_no_dual_vector_has():
    with pytest.raises(ValueError, match="range"):
        rho([[1, 1, 0], [0, 0, 1]], [0, 1], [1, -1])
    with pytest.raises(ValueError, match="dependent"):
        null_space_constant([[1, 1, 0], [0, 0, 1]], [0, 1])


# --- several minimizers ---


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4])
def test_the_selected_of_equal_columns_has_equal_entries(depth):
    matrix, data = np.array([[1, 1, 1, 0.5]]), [3.0]
    found = l1_minimizer(matrix, data)
    assert not found.unique
    point, support, signs = largest_face(matrix, data, found)
    assert support == [0, 1, 2] and signs == [1, 1, 1] and sum(point) == 3
    chosen = selected_minimizer(matrix, data, depth, found)
    assert [float(v) for v in chosen] == [1, 1, 1, 0]


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4])
def test_the_selected_of_a_segment(depth):
    """A = [[2, 0, 1], [0, 2, 1]], y = (2, 3): (1 - t/2, 3/2 - t/2, t), one equation for t."""
    matrix, data = np.array([[2, 0, 1, 0.3], [0, 2, 1, -0.4]]), [2.0, 3.0]
    chosen = selected_minimizer(matrix, data, depth, l1_minimizer(matrix, data))
    with mpmath.workdps(40):

        def slope(t):
            one, other = 1 - t / 2, mpmath.mpf(3) / 2 - t / 2
            if depth == 2:
                return mpmath.log(t) - (mpmath.log(one) + mpmath.log(other)) / 2
            power = 2 / mpmath.mpf(depth) - 1
            return t**power - (one**power + other**power) / 2

        t = mpmath.findroot(slope, (0.1, 1.9), solver="anderson")
        expected = [1 - t / 2, 1.5 - t / 2, t, 0]
        assert np.allclose([float(v) for v in chosen], [float(v) for v in expected], 1e-15, 0)


@pytest.mark.parametrize("name", ["copies", "signs", "zeros_and_ones"])
@pytest.mark.parametrize("depth", [2, 3])
def test_the_selected_is_a_minimizer_where_the_functional_is_flat(name, depth):
    """Feasible, of the least norm, on the largest support, and the limit of limit points."""
    count = 0
    for seed in range(12):
        case = draw(name, seed)
        found = l1_minimizer(case.matrix, case.exact_data)
        if found.unique:
            continue
        chosen = selected_minimizer(case.matrix, case.exact_data, depth, found)
        _, support, signs = largest_face(case.matrix, case.exact_data, found)
        assert [j for j, v in enumerate(chosen) if v != 0] == support
        assert all(s * float(chosen[j]) > 0 for j, s in zip(support, signs, strict=True))
        values = [float(v) for v in chosen]
        assert np.abs(values).sum() == pytest.approx(nearest_double(found.norm), rel=1e-13)
        exact = [float(v) for v in case.exact_data]
        assert np.allclose(case.matrix @ values, exact, rtol=1e-12, atol=1e-12)
        far, near = limit_points(
            case.matrix, case.exact_data, depth, [-10 * LOG10, -60 * LOG10], chosen
        )
        assert log_norm(near) < log_norm(far) < -3 or log_norm(near) == log_norm(far) == -np.inf
        count += 1
    assert count > 2


# --- limit points ---


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 7])
@pytest.mark.parametrize("constant", [0.25, 0.875])
def test_limit_points_of_a_known_kernel(depth, constant):
    """n = t (-rho m, 1, ..., 1), ``phi^{-1}(t / alpha) = rho phi^{-1}((1 - rho m t) / alpha)``."""
    matrix = np.array([[1, constant, constant, constant], [0, 1, -1, 0], [0, 0, 1, -1]])
    scales = [1.0, -2.0, -6.0, -12.0]
    found = limit_points(matrix, [1.0, 0, 0], depth, LOG10 * np.array(scales), [1, 0, 0, 0])
    with mpmath.workdps(60):

        def phi(z):
            if depth == 2:
                return 2 * mpmath.sinh(z)
            p = mpmath.mpf(depth) / (mpmath.mpf(depth) - 2)
            return (1 - z) ** -p - (1 + z) ** -p

        for scale, error in zip(scales, found, strict=True):
            alpha = mpmath.exp(LOG10 * scale)
            log_t = mpmath.log(mpmath.mpf(str(error[1].mid().str(50, radius=False))))
            t = mpmath.exp(log_t)
            n = [mpmath.mpf(str(v.str(50, radius=False))) for v in error]
            assert all(abs(v - t) < 1e-40 * t for v in n[1:])
            assert abs(n[0] + 3 * constant * t) < 1e-40 * t
            # z on S from x = 1 + n_1, then x off S again from rho z

            def mismatch(theta, alpha=alpha, goal=1 + n[0]):
                z = theta if depth == 2 else mpmath.tanh(theta)
                return mpmath.log(alpha * phi(z)) - mpmath.log(goal)

            low, high = mpmath.mpf("1e-9"), mpmath.mpf(1)
            while mismatch(high) < 0:
                high *= 2
            theta = mpmath.findroot(mismatch, (low, high), solver="anderson", tol=1e-45)
            z = theta if depth == 2 else mpmath.tanh(theta)
            assert abs(alpha * phi(constant * z) / t - 1) < 1e-25


@pytest.mark.parametrize("name", ENSEMBLES)
@pytest.mark.parametrize("depth", [2, 3.5])
def test_limit_points_do_not_depend_on_the_way(name, depth):
    """At once or along a path, with 500 or 700 bits: the same, and feasible."""
    case = draw(name, 3)
    data = case.exact_data
    found = l1_minimizer(case.matrix, data)
    point = found.point if found.unique else selected_minimizer(case.matrix, data, depth, found)
    scales = np.log(case.unit) + LOG10 * np.array([0.0, -3.0, -7.5])
    *_, last = limit_points(case.matrix, data, depth, scales, point)
    (alone,) = limit_points(case.matrix, data, depth, scales[-1:], point, bits=700)
    size, apart = sum(map(abs, last)), sum(abs(a - b) for a, b in zip(last, alone, strict=True))
    assert size > 0
    assert apart < size * 1e-30 or apart == 0


def test_an_error_of_zero():
    """A = [1, 0]: x = 1 at every scale."""
    (error,) = limit_points([[1.0, 0.0]], [1.0], 3, [0.0], [1, 0])
    assert log_norm(error) == -np.inf


NEARLY_DEPENDENT = {  # (k, D): (alpha, ||n(alpha)||_1), computed by other programs
    (22, 2): [(100, 0.1204008457966558), (1, 0.11593453651411874), (1e-6, 4.128381142135273e-06)],
    (22, 3): [
        (1, 0.11127945669106475),
        (1e-2, 0.005731457729909594),
        (1e-6, 1.3510861705010194e-05),
    ],
    (18, 2): [(100, 0.12040088767962773)],
    (18, 3): [(1e-6, 0.0002058751765327757)],
}


@pytest.mark.parametrize(("k", "depth"), NEARLY_DEPENDENT)
def test_limit_points_of_a_support_that_is_nearly_dependent(k, depth):
    matrix = np.array([[1, 1, 0.5, -0.25], [1, 1 + 2.0**-k, 3, -2]])
    scales, expected = np.array(NEARLY_DEPENDENT[k, depth]).T
    found = l1_minimizer(matrix, matrix @ [1, 1, 0, 0])
    assert found.unique and found.point == [1, 1, 0, 0] and found.rho == fmpq(1, 2)
    errors = limit_points(matrix, matrix @ [1, 1, 0, 0], depth, np.log(scales), found.point)
    assert np.allclose(np.exp([log_norm(error) for error in errors]), expected, 1e-14, 0)


def test_near_copies():
    """Column 6 is column 1 but for 2^-10 in one entry; 1 - rho by SciPy."""
    rng = np.random.default_rng(1104)
    matrix = rng.integers(-3, 4, (4, 7)).astype(float)
    matrix[:, 6] = matrix[:, 1]
    matrix[0, 6] += 2.0**-10
    found = l1_minimizer(matrix, matrix @ [3, 2, 0, 0, 0, 0, 0])
    assert found.unique and found.support == [0, 1]
    assert nearest_double(1 - found.rho) == pytest.approx(2.1279e-4, rel=1e-4)
