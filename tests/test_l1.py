"""Minimizers are optimal, proved so where they are unique, and honest where they are not.

Optimality is tested by primal feasibility, dual feasibility and complementarity, never
by stored numbers.
"""

from fractions import Fraction

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from implicit_l1.l1 import (
    CERTIFIED,
    NOT_UNIQUE,
    UNDECIDED,
    BasisPursuitError,
    basis_pursuit,
    polish,
)
from implicit_l1.problems import one_dimensional_kernel, random_problem
from reference import fractions, instance, pattern_constant

THRESHOLD = 1e-9
CASES = [
    (ensemble, eta, repetition)
    for ensemble in ["gaussian", "rademacher"]
    for eta in [0.0, 0.1]
    for repetition in [0, 1]
]


def solve(matrix, data):
    matrix, data = np.array(matrix, dtype=float), np.array(data, dtype=float)
    return polish(matrix, data, basis_pursuit(matrix, data), THRESHOLD)


def check_optimality(matrix, data, found):
    """Primal feasible, dual feasible and complementary, in rational arithmetic."""
    exact, dual = fractions(matrix), found.certificate
    gap = exact @ fractions(found.point) - fractions(data)
    size = np.linalg.norm(data)
    # g* and nu are the roundings of exact ones: a few units in the last place are left
    assert all(abs(float(v)) < 1e-13 * size for v in gap)
    assert found.residual < 1e-14
    assert np.array_equal(np.flatnonzero(found.point), np.sort(found.support))
    prices = [float(v) for v in exact.T @ fractions(dual.nu)]
    on = found.support
    assert np.allclose(np.array(prices)[on], np.sign(found.point[on]), rtol=0, atol=1e-12)
    assert max(map(abs, prices)) < 1.0 + 1e-12
    value = sum(map(abs, fractions(found.point)))
    bound = sum(fractions(dual.nu) * fractions(data))
    assert abs(float(value - bound)) < 1e-11 * float(value)
    assert abs(found.duality_gap) < 1e-11 * float(value)
    assert np.allclose(prices, dual.direction, rtol=0, atol=1e-12)
    size_on = np.abs(found.point[on])
    assert found.kappa == size_on.max() / size_on.min()


@pytest.mark.parametrize(("ensemble", "eta", "repetition"), CASES)
def test_certified_minimizers_are_optimal(ensemble, eta, repetition):
    case = instance(20, 60, 2, eta, repetition, ensemble)
    found = case.minimizer
    assert found.status == CERTIFIED
    check_optimality(case.matrix, case.data, found)
    # unique: injective on S, and the inequalities off it strict
    assert np.linalg.matrix_rank(case.matrix[:, found.support]) == found.support.size
    off = np.abs(case.matrix.T @ found.certificate.nu)[case.complement]
    assert found.margin > 1e-8
    assert found.margin == pytest.approx(1.0 - off.max(), abs=1e-12)


def test_large_minimizers_are_optimal(large):
    assert large.minimizer.status == CERTIFIED
    check_optimality(large.matrix, large.data, large.minimizer)


@pytest.mark.parametrize(("ensemble", "eta", "repetition"), CASES)
def test_another_solver_finds_the_same_minimizer(ensemble, eta, repetition):
    case = instance(20, 60, 2, eta, repetition, ensemble)
    size = case.signal.size
    program = linprog(
        np.ones(2 * size), A_eq=np.hstack([case.matrix, -case.matrix]), b_eq=case.data
    )
    assert np.abs(program.x[:size] - program.x[size:] - case.minimizer.point).max() < 1e-9
    x = cp.Variable(size)
    tight = dict.fromkeys(["tol_gap_abs", "tol_gap_rel", "tol_feas"], 1e-13)
    cp.Problem(cp.Minimize(cp.norm1(x)), [case.matrix @ x == case.data]).solve(
        solver=cp.CLARABEL, **tight
    )
    assert np.abs(x.value - case.minimizer.point).max() < 1e-6


@pytest.mark.parametrize(("ensemble", "s"), [("gaussian", 2), ("rademacher", 2), ("gaussian", 3)])
def test_noiseless_minimizer_is_the_signal_bit_for_bit(ensemble, s):
    case = instance(20, 60, s, 0.0, 0, ensemble)
    assert case.minimizer.point.tobytes() == (case.signal + 0.0).tobytes()
    assert case.minimizer.residual == 0.0


def test_large_noiseless_minimizer_is_the_signal_bit_for_bit():
    case = instance(100, 400, 8, 0.0)
    assert np.array_equal(case.minimizer.point, case.signal)


def test_noisy_minimizer_has_as_many_entries_as_equations():
    assert instance(20, 60, 2, 0.1).minimizer.support.size == 20


def test_margin_is_the_largest():
    """The certificate kept is the one of largest margin, 1 - rho."""
    for eta in [0.0, 0.1]:
        case = instance(20, 60, 2, eta)
        found = case.minimizer
        rho = pattern_constant(case.matrix, found.support, np.sign(found.point[found.support]))
        assert found.margin == pytest.approx(1.0 - rho, abs=1e-8)


def test_kernel_family():
    for m, rho in [(1, 0.0), (1, 0.7), (3, 0.0), (10, 0.5), (10, 0.99)]:
        problem = one_dimensional_kernel(m=m, rho=rho)
        found = solve(problem.matrix, problem.data)
        assert found.status == CERTIFIED
        assert np.array_equal(found.point, problem.signal)
        assert found.margin == pytest.approx(1.0 - rho, rel=1e-12)
        assert found.kappa == 1.0


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(2, 6), st.integers(1, 4))
def test_random_problems(seed, rows, more):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, rows + more))
    assume(np.linalg.cond(matrix) < 1e3)
    data = rng.standard_normal(rows)
    found = solve(matrix, data)
    assert found.status == CERTIFIED
    check_optimality(matrix, data, found)


# Minimizers that are not unique


def has_another_minimizer(matrix, data, found):
    """Whether a coordinate can be moved among the points of the same l1 norm."""
    size = matrix.shape[1]
    for place in range(size):
        for sign in (1.0, -1.0):
            cost = np.zeros(2 * size)
            cost[[place, size + place]] = sign, -sign
            end = linprog(
                cost,
                A_eq=np.hstack([matrix, -matrix]),
                b_eq=data,
                A_ub=np.ones((1, 2 * size)),
                b_ub=[np.abs(found.point).sum() * (1.0 + 1e-12)],
            )
            if np.abs(end.x[:size] - end.x[size:] - found.point).max() > 1e-6:
                return True
    return False


@pytest.mark.parametrize(
    ("matrix", "data"),
    [
        ([[1.0, 1.0]], [1.0]),
        ([[1.0, -1.0]], [-2.0]),
        ([[1.0, 1.0, 0.5]], [1.0]),
        ([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], [1.0, 1.0]),
        ([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5]], [1.0, 1.0]),
    ],
)
def test_minimizers_made_not_unique(matrix, data):
    matrix, data = np.array(matrix), np.array(data)
    found = solve(matrix, data)
    assert found.status == NOT_UNIQUE
    assert found.margin == pytest.approx(0.0, abs=1e-12)
    assert np.abs(matrix @ found.point - data).max() < 1e-14
    assert has_another_minimizer(matrix, data, found)


def test_almost_not_unique_is_unique():
    """A = [1, 1 - epsilon], y = 1 (Wind, Antun and Hansen) has the minimizer e_1."""
    for epsilon in [0.3, 0.01, 1e-6, 1e-9]:
        found = solve([[1.0, 1.0 - epsilon]], [1.0])
        assert found.status == CERTIFIED
        assert found.point.tolist() == [1.0, 0.0]
        assert found.margin == pytest.approx(epsilon, rel=1e-6)


def test_small_sign_matrices_are_classified():
    """Status against an independent search for a second minimizer."""
    seen = set()
    for repetition in range(12):
        case = random_problem(
            ensemble="rademacher",
            N=6,
            d=12,
            s=2,
            eta=0.0,
            repetition=repetition,
            signal={"law": "constant"},
            seed=1,
        )
        found = solve(case.matrix, case.data)
        seen.add(found.status)
        assert found.status in (CERTIFIED, NOT_UNIQUE)
        another = has_another_minimizer(case.matrix, case.data, found)
        assert another == (found.status == NOT_UNIQUE)
    assert seen == {CERTIFIED, NOT_UNIQUE}


# Points that cannot be proved


def tilted():
    """[1, 1/2] x = 1, where e_1 is the minimizer and 2 e_2 is only feasible."""
    return np.array([[1.0, 0.5]]), np.array([1.0])


def test_support_that_does_not_reproduce_the_data():
    case = instance(20, 60, 2, 0.0)
    point = case.signal.copy()
    point[np.flatnonzero(point)[0]] = 0.0
    found = polish(case.matrix, case.data, point, THRESHOLD)
    assert found.status == UNDECIDED
    assert found.certificate is None
    assert np.isnan(found.margin) and np.isnan(found.duality_gap)
    assert np.array_equal(found.point, point)
    assert found.residual == pytest.approx(
        np.linalg.norm(case.matrix @ point - case.data) / np.linalg.norm(case.data)
    )


def test_threshold_cuts_the_support():
    case = instance(20, 60, 2, 0.0)
    point = case.signal + 1e-7 * np.random.default_rng(0).standard_normal(60)
    assert polish(case.matrix, case.data, point, 1e-5).status == CERTIFIED
    assert polish(case.matrix, case.data, point, 1e-12).status == UNDECIDED
    assert polish(case.matrix, case.data, point, 0.9999).status == UNDECIDED


def test_dependent_columns_are_not_certified():
    matrix = np.array([[1.0, 1.0, 0.3], [0.0, 0.0, 1.0]])
    found = polish(matrix, np.array([1.0, 0.0]), np.array([0.4, 0.6, 0.0]), THRESHOLD)
    assert found.status == UNDECIDED
    assert found.certificate is None


def test_point_of_the_wrong_sign_is_not_certified():
    case = instance(20, 60, 2, 0.0)
    found = polish(case.matrix, case.data, -case.signal, THRESHOLD)
    assert found.status == UNDECIDED
    assert found.certificate is None


def test_feasible_point_that_is_no_minimizer_is_not_certified():
    """It is no minimizer at all, so "not unique" would be wrong as well."""
    matrix, data = tilted()
    found = polish(matrix, data, np.array([0.0, 2.0]), THRESHOLD)
    assert found.margin == pytest.approx(-1.0)
    assert found.status == UNDECIDED


@pytest.mark.parametrize(
    ("matrix", "data"),
    [
        ([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [1.0, 1.0]),
        ([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], [1.0, 2.0]),
    ],
)
def test_infeasible_data(matrix, data):
    with pytest.raises(BasisPursuitError, match="no solver"):
        basis_pursuit(np.array(matrix), np.array(data))


def test_values_of_the_solution_are_exact_rationals():
    """A_S g_S = y solved to the last bit where the solution is a dyadic number."""
    matrix = np.array([[1.0, 0.0, 0.25], [0.0, 2.0, 0.5]])
    point = solve(matrix, [0.5, 3.0]).point
    assert [Fraction(v) for v in point.tolist()] == [Fraction(1, 2), Fraction(3, 2), 0]


@pytest.mark.parametrize("unit", [1e-12, 1e-9, 1e9])
def test_units_do_not_matter(unit):
    """Tolerances of solvers are absolute, data of one's own may have any units."""
    case = instance(10, 25, 2, 0.1)
    for matrix, data in ((case.matrix * unit, case.data), (case.matrix, case.data * unit)):
        found = polish(matrix, data, basis_pursuit(matrix, data), 1e-9)
        assert found.status == CERTIFIED
        assert found.support.tolist() == case.minimizer.support.tolist()
