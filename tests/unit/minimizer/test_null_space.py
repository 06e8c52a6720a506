"""rho and rho~ against formulas, linear programs and brute force."""

from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from implicit_l1.minimizer import null_space
from implicit_l1.minimizer.null_space import largest_margin_dual, null_space_constant
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.problems.problem import Problem, one_dimensional_kernel
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.problems import Problems
from reference import instance, kernel_vertices, null_space_constant_by_patterns, pattern_constant
from truths import null_space_constant as null_space_constant_in_fractions
from truths import rho as rho_in_fractions


def drawn(seed, rows, columns, size):
    """(matrix, geometry, signs) in general position."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns))
    support = np.sort(rng.choice(columns, size, replace=False))
    return matrix, support_geometry(matrix, support), rng.choice([-1.0, 1.0], size)


def rho_of(matrix, geometry, sigma):
    nu = largest_margin_dual(matrix, geometry, sigma)
    return np.abs(matrix[:, geometry.complement].T @ nu).max()


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 4))
def test_rho_by_brute_force(seed, size):
    matrix, geometry, sigma = drawn(seed, 6, 12, size)
    assume(np.linalg.cond(matrix[:, geometry.support]) < 1e3)
    expected = pattern_constant(matrix, geometry.support, sigma)
    assert rho_of(matrix, geometry, sigma) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_rho_and_rho_tilde_over_the_vertices_of_the_kernel(seed):
    matrix, geometry, sigma = drawn(seed, 6, 9, 3)
    vertices = np.array(list(kernel_vertices(matrix, geometry.support)))
    on = vertices[:, geometry.support]
    rho, rho_tilde = np.abs(on @ sigma).max(), np.abs(on).sum(axis=1).max()
    assert rho_of(matrix, geometry, sigma) == pytest.approx(rho, rel=1e-9)
    bracket = null_space_constant(geometry, sigma, 10)
    assert bracket.lower == bracket.upper == pytest.approx(rho_tilde, rel=1e-6)


def test_dual_attaining_rho_is_feasible(small):
    found = small.minimizer
    sigma = np.sign(found.point[found.support])
    geometry = support_geometry(small.matrix, found.support)
    nu = largest_margin_dual(small.matrix, geometry, sigma)
    assert np.allclose(small.matrix[:, found.support].T @ nu, sigma, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_full_support_has_formulas(seed):
    """|S| = N: rho = max |<sigma, M_j>| and rho~ = max ||M_j||_1 with M = A_S^{-1} A_Sc."""
    matrix, geometry, sigma = drawn(seed, 5, 11, 5)
    image = np.linalg.solve(matrix[:, geometry.support], matrix[:, geometry.complement])
    assert rho_of(matrix, geometry, sigma) == pytest.approx(np.abs(sigma @ image).max(), rel=1e-9)
    bracket = null_space_constant(geometry, sigma, 0)
    assert bracket.method == "formula"
    assert bracket.lower == bracket.upper
    assert bracket.upper == pytest.approx(np.abs(image).sum(axis=0).max(), rel=1e-9)
    # and the linear programs that it replaces
    support = geometry.support
    assert pattern_constant(matrix, support, sigma) == pytest.approx(
        rho_of(matrix, geometry, sigma), rel=1e-7
    )
    assert null_space_constant_by_patterns(matrix, support) == pytest.approx(
        bracket.upper, rel=1e-7
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1, 2, 4])
def test_rho_tilde_by_brute_force(seed, size):
    matrix, geometry, sigma = drawn(seed, 7, 15, size)
    exact = null_space_constant_by_patterns(matrix, geometry.support)
    enumerated = null_space_constant(geometry, sigma, 10)
    assert enumerated.method == "branch and bound"
    assert enumerated.lower == enumerated.upper == pytest.approx(exact, rel=1e-6)
    searched = null_space_constant(geometry, sigma, 0)
    assert searched.lower <= exact * (1 + 1e-6)
    assert searched.upper >= exact * (1 - 1e-6)
    rho = rho_of(matrix, geometry, sigma)
    for bracket in (enumerated, searched):
        assert bracket.lower >= rho * (1 - 1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_restricted_bound(seed):
    """Of larger supports rho~ is bounded by less than the sum of the constants of single entries.

    The bound is the largest column sum of ``|A_Sc^T nu_i|``, rounded up to four digits.
    """
    matrix, geometry, sigma = drawn(seed, 12, 30, 6)
    entries = [pattern_constant(matrix, geometry.support, e) for e in np.eye(6)]
    exact = null_space_constant_by_patterns(matrix, geometry.support)
    bracket = null_space_constant(geometry, sigma, 0)
    assert bracket.method == "local search, restricted bound"
    reached = np.abs(bracket.duals[1:] @ matrix[:, geometry.complement]).sum(axis=0).max()
    assert reached <= bracket.upper <= reached * 1.001
    assert f"{bracket.upper:.4g}" == f"{bracket.upper:.10g}"
    assert bracket.lower * (1 - 1e-9) <= exact <= bracket.upper < 0.9 * sum(entries)


def test_constants_of_a_real_instance():
    case = instance(20, 60, 2, 0.0)
    found = case.minimizer
    sigma = np.sign(found.point[found.support])
    geometry = support_geometry(case.matrix, found.support)
    bracket = null_space_constant(geometry, sigma, 10)
    exact = null_space_constant_by_patterns(case.matrix, found.support)
    assert bracket.upper == pytest.approx(exact, rel=1e-6)
    assert bracket.lower >= 1.0 - found.margin - 1e-9


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.99])
@pytest.mark.parametrize("m", [1, 2, 7])
def test_kernel_family(m, rho):
    """The kernel is spanned by (-rho m, 1, ..., 1): both constants are rho m / m."""
    matrix = one_dimensional_kernel(m=m, rho=rho).matrix
    geometry, sigma = support_geometry(matrix, [0]), np.ones(1)
    assert rho_of(matrix, geometry, sigma) == pytest.approx(rho, abs=1e-13)
    for exact_up_to in (10, 0):
        bracket = null_space_constant(geometry, sigma, exact_up_to)
        assert bracket.lower == pytest.approx(rho, abs=1e-7)
        assert bracket.upper == pytest.approx(rho, abs=1e-7)


def test_patterns_and_their_opposites_are_the_same():
    matrix, geometry, sigma = drawn(1, 6, 12, 3)
    assert rho_of(matrix, geometry, sigma) == pytest.approx(rho_of(matrix, geometry, -sigma))


# The linear programs that give rho~


def cubes_of(bracket):
    """(signs, dual vectors) of each cube: a unit vector follows for each 0 among the signs."""
    cubes, start = [], 0
    while start < len(bracket.patterns):
        signs = bracket.patterns[start]
        free = np.flatnonzero(signs == 0)
        stop = start + 1 + free.size
        assert np.array_equal(bracket.patterns[start + 1 : stop], np.eye(signs.size)[free])
        cubes.append((signs, bracket.duals[start:stop]))
        start = stop
    return cubes


@pytest.mark.parametrize("exact_up_to", [10, 0])
@pytest.mark.parametrize(("rows", "columns", "size"), [(7, 15, 1), (7, 15, 3), (20, 45, 7)])
def test_every_pattern_is_in_a_cube_that_bounds_its_constant(rows, columns, size, exact_up_to):
    matrix, geometry, sigma = drawn(2, rows, columns, size)
    on, off = matrix[:, geometry.support], matrix[:, geometry.complement]
    bracket = null_space_constant(geometry, sigma, exact_up_to)
    assert np.allclose(bracket.duals @ on, bracket.patterns, atol=1e-12)
    cubes = cubes_of(bracket)
    heights = [np.abs(duals @ off).sum(axis=0).max() for _, duals in cubes]
    assert max(heights) <= bracket.upper * (1 + 1e-12)
    for pattern in product([1.0], *[[1.0, -1.0]] * (size - 1)):
        mine = [
            height
            for (signs, _), height in zip(cubes, heights, strict=True)
            if np.all(signs * pattern >= 0) or np.all(signs * pattern <= 0)
        ]
        assert min(mine) >= pattern_constant(matrix, geometry.support, pattern) * (1 - 1e-8)
    if bracket.lower == bracket.upper:
        exact = null_space_constant_by_patterns(matrix, geometry.support)
        assert bracket.upper == pytest.approx(exact, rel=1e-8)
        assert max(heights) == pytest.approx(exact, rel=1e-8)
        if size == 7:
            assert sum(len(duals) for _, duals in cubes) < 64


@pytest.mark.parametrize("size", [9, 10])
def test_a_larger_support_against_all_its_programs(size):
    """Those are tested by themselves; here all patterns are solved at once."""
    _, geometry, sigma = drawn(size, 30, 70, size)
    patterns = np.array([[1.0, *rest] for rest in product([1.0, -1.0], repeat=size - 1)])
    values, _, _ = null_space.PatternPrograms(geometry).solve(patterns)
    bracket = null_space_constant(geometry, sigma, size)
    assert bracket.lower == bracket.upper == pytest.approx(values.max(), rel=1e-9)
    assert len(bracket.patterns) < 2 ** (size - 2)


def test_rows_of_any_size_and_nearly_equal_columns_of_the_support():
    rng = np.random.default_rng(5)
    matrix = rng.standard_normal((8, 20))
    matrix[:, 1] = matrix[:, 0] + 1e-6 * rng.standard_normal(8)
    matrix[:, 2] *= 1e-5
    support = [0, 1, 2, 3, 4]
    exact = float(null_space_constant_in_fractions(matrix, support))
    for scales in (np.ones(8), 10.0 ** rng.integers(-8, 8, 8)):
        geometry = support_geometry(scales[:, None] * matrix, support)
        for exact_up_to in (10, 0):
            bracket = null_space_constant(geometry, np.ones(5), exact_up_to)
            assert bracket.lower <= exact * (1 + 1e-6) and exact <= bracket.upper * (1 + 1e-6)
            if exact_up_to:
                assert bracket.lower == bracket.upper


def test_a_kernel_that_vanishes_on_the_support_has_the_constant_0():
    matrix = np.zeros((6, 11))
    matrix[:3, :3] = [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [1.0, 0.0, 1.0]]
    matrix[3:, 3:] = np.random.default_rng(0).standard_normal((3, 8))
    for exact_up_to in (10, 0):
        bracket = null_space_constant(support_geometry(matrix, [0, 1, 2]), np.ones(3), exact_up_to)
        assert bracket.lower == 0.0 and bracket.upper < 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_no_climb_goes_where_one_has_been(seed):
    matrix, geometry, _ = drawn(seed, 20, 45, 7)
    programs = null_space.PatternPrograms(geometry)
    solve, solved = programs.solve, []
    programs.solve = lambda patterns: solved.extend(patterns) or solve(patterns)
    starts = 1.0 - 2.0 * np.eye(7)[:6]
    starts = np.vstack([starts, -starts[:1]])
    values, patterns, duals = null_space._climb(programs, starts)
    assert len({tuple(row * row[0]) for row in solved}) == len(solved)
    constants = [pattern_constant(matrix, geometry.support, p) for p in solved]
    assert values.max() == pytest.approx(max(constants), rel=1e-8)
    assert values[-1] == -np.inf  # it starts where the first does
    for value, pattern, dual in zip(values[:-1], patterns[:-1], duals[:-1], strict=True):
        assert value == pytest.approx(pattern_constant(matrix, geometry.support, pattern), rel=1e-8)
        assert matrix[:, geometry.support].T @ dual == pytest.approx(pattern, abs=1e-12)


def test_a_bracket_keeps_its_best_pattern_and_the_unit_vectors():
    matrix, geometry, sigma = drawn(2, 7, 15, 4)
    bracket = null_space_constant(geometry, sigma, 0)
    assert np.array_equal(bracket.patterns[1:], np.eye(4))
    assert np.all(np.abs(bracket.patterns[0]) == 1.0)
    attained = pattern_constant(matrix, geometry.support, bracket.patterns[0])
    assert bracket.lower == pytest.approx(attained, rel=1e-7)


def test_a_formula_needs_no_patterns():
    _, geometry, sigma = drawn(2, 5, 11, 5)
    bracket = null_space_constant(geometry, sigma, 10)
    assert bracket.patterns.size == bracket.duals.size == 0


def test_patterns_of_all_repetitions_are_stored_by_column():
    """Supports and numbers of patterns differ; the third instance has a formula."""
    sets = [drawn(0, 5, 11, 2), drawn(1, 5, 11, 3), drawn(2, 5, 11, 5)]
    brackets = [null_space_constant(geometry, sigma, 10) for _, geometry, sigma in sets]

    def record(sets, brackets):
        problems = [Problem(matrix, np.zeros(11), np.zeros(5)) for matrix, _, _ in sets]
        supports = [geometry.support for _, geometry, _ in sets]
        pairs = [(bracket, bracket) for bracket in brackets]
        return NullSpaceConstants.of(Problems.of(np.arange(len(sets)), problems), supports, pairs)

    found = record(sets, brackets)
    counts = [len(bracket.patterns) for bracket in brackets]
    assert found.tilde_place.tolist() == [0] * counts[0] + [1] * counts[1]
    assert found.tilde_pattern.shape == (sum(counts), 11)
    assert found.tilde_nu.shape == (sum(counts), 5)
    for index, ((_, geometry, _), bracket) in enumerate(zip(sets, brackets, strict=True)):
        mine, support = found.tilde_place == index, geometry.support
        patterns = found.tilde_pattern[mine]
        assert not np.delete(patterns, support, axis=1).any()
        assert np.array_equal(patterns[:, support], bracket.patterns.reshape(-1, support.size))
        assert np.array_equal(found.tilde_nu[mine], bracket.duals.reshape(-1, 5))
    nothing = record(sets[2:], brackets[2:])
    assert nothing.tilde_pattern.shape == (0, 11)
    assert nothing.tilde_nu.shape == (0, 5)


def test_columns_off_the_support_that_need_none_on_it_have_constants_of_zero():
    """No pattern has a program then."""
    matrix = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, -1.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
    found = null_space_constant(support_geometry(matrix, np.array([0])), np.ones(1), 10)
    assert (found.lower, found.upper) == (0.0, 0.0)


# Columns of very different sizes, and near copies


# a column off S so large that it has next to nothing of any kernel vector
BESIDE_A_LARGE_COLUMN = [
    ([[1, 0.5, 3], [0, 1, 5]], [0]),
    ([[1, 0.5, 0.25, 3], [0.5, -1, 0.75, 5], [0.25, 0.5, 1, 7]], [0]),
    ([[3, 1, 1, 3], [1, 2, -1, 5], [2, -1, 1, 7]], [0, 1]),
    ([[1, 0.5, 0.25, 3, 2], [0.5, -1, 0.75, 5, 1], [0.25, 0.5, 1, 7, -3]], [0, 1]),
]


def holds_to_the_tolerance(bracket, exact):
    return bracket.lower == bracket.upper == pytest.approx(exact, rel=null_space.TOLERANCE, abs=0.0)


@pytest.mark.parametrize("exponent", [-40, 20, 27, 40, 60])
@pytest.mark.parametrize(("columns", "support"), BESIDE_A_LARGE_COLUMN)
def test_constants_beside_a_large_column(columns, support, exponent):
    matrix = np.array(columns, dtype=float)
    matrix[:, 3 if matrix.shape[1] > 3 else 2] *= 2.0**exponent
    exact = float(null_space_constant_in_fractions(matrix, support))
    geometry = support_geometry(matrix, support)
    bracket = null_space_constant(geometry, np.ones(len(support)), 16)
    assert bracket.method == "branch and bound"
    assert holds_to_the_tolerance(bracket, exact)
    if len(support) < len(matrix) and exponent < 20:
        assert np.allclose(bracket.duals @ matrix[:, support], bracket.patterns, atol=1e-9)
    searched = null_space_constant(geometry, np.ones(len(support)), 0)
    assert searched.lower <= exact * (1 + 1e-9) and exact <= searched.upper * (1 + 1e-9)


@pytest.mark.parametrize("exponent", [-20, -34, -47, -50])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_constants_beside_near_copies_off_the_support(exponent, side):
    """They are as small as the copies are near."""
    rng = np.random.default_rng(1)
    matrix = np.round(rng.standard_normal((6, 7)) * 64) / 64
    matrix[:, -2] = rng.choice([0.5, 0.75], 6)  # so that the copy is rounded by nothing
    matrix[:, -1] = side * (matrix[:, -2] + 2.0**exponent * rng.integers(1, 4, 6))
    for size in (1, 3):
        exact = float(null_space_constant_in_fractions(matrix, list(range(size))))
        assert 0 < exact < 100 * 2.0**exponent
        geometry = support_geometry(matrix, np.arange(size))
        assert holds_to_the_tolerance(null_space_constant(geometry, np.ones(size), 16), exact)


@pytest.mark.parametrize("exact_up_to", [16, 0])
def test_a_copy_off_the_support_is_all_of_the_kernel(exact_up_to):
    matrix = np.array(
        [[5.0, -8, 5, -1, -1], [2, -4, 8, -8, -8], [-2, 1, -2, -6, -6], [-8, -8, -6, 8, 8]]
    )
    bracket = null_space_constant(support_geometry(matrix, [0, 1]), np.ones(2), exact_up_to)
    assert bracket.lower == 0.0 and bracket.upper < (1e-14 if exact_up_to == 0 else 1e-300)


@pytest.mark.parametrize(("exact_up_to", "method"), [(16, "branch and bound"), (0, "local search")])
def test_ends_that_are_not_those_found_are_those_that_are_proved(monkeypatch, exact_up_to, method):
    """A search that ends with any number gives vectors, and these prove less."""
    matrix, geometry, sigma = drawn(3, 6, 13, 3)
    exact = null_space_constant_by_patterns(matrix, geometry.support)
    name = "_by_branch_and_bound" if exact_up_to else "_by_restricted_bound"
    search = getattr(null_space, name)

    def wrong(geometry, sigma):
        found, kernel = search(geometry, sigma)
        kernel = kernel + 0.01 * np.cos(np.arange(kernel.size))
        duals = found.duals + 0.01 * geometry.q2 @ np.ones(geometry.q2.shape[1])
        return null_space.replace(found, lower=2.0, upper=2.0, duals=duals), kernel

    monkeypatch.setattr(null_space, name, wrong)
    bracket = null_space_constant(geometry, sigma, exact_up_to)
    assert bracket.method.startswith(method) and bracket.method.endswith("not closed")
    assert 0.5 * exact < bracket.lower < exact < bracket.upper


def test_a_constant_that_is_never_below_that_of_a_pattern():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        matrix = np.round(rng.standard_normal((4, 7)) * 16) / 16
        matrix[:, -1] *= 2.0**50
        geometry = support_geometry(matrix, [0, 1])
        found = null_space.pattern_constant(geometry, np.array([1.0, -1.0]))
        exact = float(rho_in_fractions(matrix, [0, 1], [1, -1]))
        assert holds_to_the_tolerance(found, exact)
        bracket = null_space_constant(geometry, np.ones(2), 16)
        assert bracket.lower >= found.lower * (1 - 1e-9)


@pytest.mark.parametrize("exponent", [-1040, 1010])
def test_a_matrix_next_to_the_ends_of_the_doubles_is_named(exponent):
    with pytest.raises(ValueError, match="A: its largest entry must be between"):
        support_geometry(np.ldexp([[1.0, 0.5, 0.25], [0.0, 1.0, 0.75]], exponent), [0])


def test_columns_of_too_different_sizes_are_named():
    matrix = np.array([[1e-305, 3e4, 1e4], [1e-305, 2e4, 0.0]])
    with pytest.raises(ValueError, match="A: columns are of too different sizes"):
        support_geometry(matrix, [0])
