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

from implicit_l1.linear.exact import exact_product, rationals_of
from implicit_l1.minimizer import l1
from implicit_l1.minimizer.decision import BasisPursuitError, Proposal, certified_support, decide
from implicit_l1.minimizer.face import likely_nonzero
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.problems.problem import one_dimensional_kernel, random_problem
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, UNDECIDED
from reference import fractions, instance, pattern_constant

CASES = [
    (ensemble, eta, repetition)
    for ensemble in ["gaussian", "rademacher"]
    for eta in [0.0, 0.1]
    for repetition in [0, 1]
]


def solve(matrix, data):
    matrix, data = np.array(matrix, dtype=float), np.array(data, dtype=float)
    return decide_minimizer(matrix, data)


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


# What is decided does not depend on what is proposed


CONSTANT = {"law": "constant"}


def same(found, expected):
    """All of a minimizer, bit for bit."""
    assert found.status == expected.status
    assert found.point.tobytes() == expected.point.tobytes()
    assert found.point_low.tobytes() == expected.point_low.tobytes()
    for name in ("nu", "direction", "margin"):
        mine, its = (getattr(one.certificate, name) for one in (found, expected))
        assert mine.tobytes() == its.tobytes()


def spike():
    """One spike under a smooth kernel, cond(A) = 150."""
    t, grid = np.linspace(0, 1, 12)[:, None], np.linspace(0, 1, 30)[None]
    matrix = np.rint(np.exp(-0.5 * ((t - grid) / 0.1) ** 2) * 2.0**30) / 2.0**30
    return matrix, matrix[:, 19] * 1.75


def copied_column(rows, columns):
    """Columns 1 and 7 are equal."""
    rng = np.random.default_rng(5)
    matrix = rng.integers(-4, 5, (rows, columns)).astype(float)
    signal = np.zeros(columns)
    signal[[1, 4]] = 2, -3
    matrix[:, 7] = matrix[:, 1]
    return matrix, matrix @ signal


def nearly_copied_column():
    """They differ by 2^-40 in one entry, with the y of the equal ones."""
    matrix, data = copied_column(5, 10)
    matrix[0, 7] += 2.0**-40
    return matrix, data


def rounded_product():
    """``A @ x_0`` in doubles: its minimizer has six entries, four of them about 1e-16."""
    rng = np.random.default_rng(3)
    matrix = np.round(rng.standard_normal((6, 12)), 6)
    signal = np.zeros(12)
    signal[[2, 9]] = 1.3, -0.7
    return matrix, matrix @ signal


def cases():
    """(name, A, y) of problems that doubles decide, and of some that they do not."""
    kind = instance(10, 25, 2, 0.0)
    noisy = instance(8, 20, 2, 0.1)
    ties = random_problem(
        ensemble="rademacher", N=8, d=20, s=4, eta=0.0, repetition=0, signal=CONSTANT, seed=1
    )
    return [
        ("noiseless", kind.matrix, kind.data),
        ("noisy", noisy.matrix, noisy.data),
        ("ties", ties.matrix, ties.data),
        ("spike", *spike()),
        ("copy", *copied_column(6, 14)),
        ("near copy", *nearly_copied_column()),
        ("rounded", *rounded_product()),
    ]


def worthless(matrix, data, kind):
    """A proposal that is nothing like the solution."""
    rng = np.random.default_rng(0)
    point = {
        "zeros": np.zeros(matrix.shape[1]),
        "noise": rng.standard_normal(matrix.shape[1]),
        "opposite": -np.linalg.pinv(matrix) @ data,
        "huge": np.full(matrix.shape[1], 1e200),
        "one entry": np.eye(matrix.shape[1])[-1],
    }[kind]
    dual = rng.standard_normal(len(matrix)) if kind == "noise" else None
    return Proposal(point, dual, kind)


@pytest.mark.parametrize("kind", ["none", "zeros", "noise", "opposite", "huge", "one entry"])
@pytest.mark.parametrize("case", cases(), ids=lambda case: case[0])
def test_a_worthless_proposal_changes_nothing(case, kind, monkeypatch):
    _, matrix, data = case
    expected = decide_minimizer(matrix, data)

    def propose(matrix, data, solver):
        return [] if kind == "none" else [worthless(matrix, data, kind)]

    monkeypatch.setattr(l1, "proposals", propose)
    same(decide_minimizer(matrix, data), expected)


@pytest.mark.parametrize("solver", ["SCIPY", "CLARABEL", "SCS", "interior_point", "auto"])
@pytest.mark.parametrize("case", cases(), ids=lambda case: case[0])
def test_solvers_lead_to_the_same_bytes(case, solver):
    _, matrix, data = case
    same(decide_minimizer(matrix, data, solver), decide_minimizer(matrix, data))


@pytest.mark.parametrize("unit", [2.0**-60, 1.0, 2.0**60])
def test_what_is_likely_not_0_is_so_in_every_unit(unit):
    point = np.array([-1.0, 0.0, 1e-8, -1e-8, 1e-10, -1e-10])
    assert np.array_equal(likely_nonzero(unit * point), [1, 0, 1, 1, 0, 0])
    assert not likely_nonzero(0.0 * point).any()


@pytest.mark.parametrize("ensemble", ["gaussian", "copies", "scaled", "sizes"])
def test_a_rounded_product_takes_no_exact_pivot(ensemble):
    """Its small entries are found beside the others; otherwise 50 x 200 take some 100 pivots."""
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((24, 80))
    if ensemble == "copies":
        matrix[:, 40:] = matrix[:, :40] + 1e-3 * rng.standard_normal((24, 40))
    if ensemble == "scaled":
        matrix *= np.logspace(0, 3, 24)[:, None]
    signal = np.zeros(80)
    signal[[0, 2, 7]] = [1.3, -1e-4, 1e-6] if ensemble == "sizes" else [1.3, -0.7, 0.9]
    found = decide_minimizer(matrix, matrix @ signal, pivots=0)
    assert found.status == CERTIFIED
    assert found.support.size == 24  # of the rounded data, exactly as they are
    np.testing.assert_allclose(found.point, signal, atol=1e-12)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(8))
def test_a_rounded_product_of_a_matrix_without_full_row_rank_is_refused_quietly(seed):
    rng = np.random.default_rng(seed)
    matrix = np.tile(rng.standard_normal((5, 4)), 2)
    signal = np.zeros(8)
    signal[[0, 2]] = [1.3, -0.7]
    with pytest.raises(BasisPursuitError, match="full row rank"):
        decide_minimizer(matrix, matrix @ signal)


def test_undecided_where_pivots_do_not_suffice(monkeypatch):
    _, matrix, data = cases()[2]
    nothing = worthless(matrix, data, "noise")
    monkeypatch.setattr(l1, "proposals", lambda *_: [nothing])
    found = decide_minimizer(matrix, data, pivots=0)
    assert found.status.startswith(f"{UNDECIDED}: 0 exact pivots")
    assert found.certificate is None
    assert np.isnan(found.margin) and np.isnan(found.duality_gap)


@pytest.mark.parametrize("wrong", ["less", "more", "sign", "dependent"])
def test_a_support_that_is_none_is_not_certified(wrong):
    case = instance(20, 60, 2, 0.0)
    point, matrix = case.signal.copy(), case.matrix.copy()
    on, off = np.flatnonzero(point), np.flatnonzero(point == 0)
    assert certified_support(matrix, case.data, point) is not None
    if wrong == "less":
        point[on[0]] = 0.0
    elif wrong == "more":
        point[off[0]] = 1.0
    elif wrong == "sign":
        case = instance(20, 60, 2, 0.1)
        point = np.zeros(60)
        point[off[:20]] = 1.0  # feasible with some signs, but no minimizer
    else:
        matrix[:, off[0]] = matrix[:, on[0]]
        point[off[0]] = 1.0
    assert certified_support(matrix, case.data, point) is None


# Problems that went wrong once, with their exact values


def test_a_spike_under_a_smooth_kernel():
    found = solve(*spike())
    assert found.status == CERTIFIED
    assert found.support.tolist() == [19] and found.point[19] == 1.75
    assert 1.0 - found.margin == pytest.approx(0.61002, abs=1e-5)


def test_columns_that_differ_in_one_entry():
    rng = np.random.default_rng(1104)
    matrix = rng.integers(-3, 4, (4, 7)).astype(float)
    matrix[:, 6] = matrix[:, 1]
    matrix[0, 6] += 2.0**-10
    found = solve(matrix, matrix @ [3.0, 2.0, 0, 0, 0, 0, 0])
    assert found.status == CERTIFIED
    assert found.support.tolist() == [0, 1]
    assert 1.0 - found.margin == pytest.approx(0.99978721, abs=1e-8)


@pytest.mark.parametrize(("rows", "columns"), [(5, 10), (12, 40), (12, 42), (20, 60)])
def test_equal_columns_are_not_unique_at_any_size(rows, columns):
    matrix, data = copied_column(rows, columns)
    found = solve(matrix, data)
    assert found.status == NOT_UNIQUE and found.margin == 0.0
    assert np.abs(found.point).sum() == 5.0
    assert np.array_equal(matrix @ found.point, data)


def test_nearly_equal_columns():
    found = solve(*nearly_copied_column())
    assert found.status == CERTIFIED and found.support.size == 5
    assert found.margin == pytest.approx(9.0949e-14, rel=1e-4)


@pytest.mark.parametrize("gap", range(1, 54))
def test_two_columns_however_near(gap):
    found = solve([[1.0, 1.0 - 2.0**-gap]], [1.0])
    assert found.status == CERTIFIED
    assert found.point.tolist() == [1.0, 0.0]
    assert found.margin == 2.0**-gap


def test_entries_that_solvers_drop():
    """HiGHS takes entries below 1e-9 for 0, which makes this infeasible."""
    small = 2.0**-30
    found = solve([[1, 1, 0], [1, 1 + small, small / 4]], [1, 0.3])
    data = Fraction(0.3)
    second = (data - 1) / Fraction(small)
    assert found.status == CERTIFIED
    assert found.point.tolist() == [float(1 - second), float(second), 0.0]


def test_exact_data_beyond_doubles():
    """With y = A x_0 exactly the minimizer is x_0, and with its rounding it is not."""
    matrix, data = rounded_product()
    signal = np.zeros(12)
    signal[[2, 9]] = 1.3, -0.7
    found = decide_minimizer(matrix, data, exact_data=exact_product(matrix, signal))
    assert found.status == CERTIFIED
    assert found.point.tobytes() == signal.tobytes()
    stored = decide_minimizer(matrix, data)
    assert stored.support.size == 6 and stored.kappa > 1e15


@pytest.mark.parametrize("noise", [0.0, 1e-8, -1e-8])
def test_a_least_squares_solution_with_a_zero(noise, monkeypatch):
    """The proposal has an entry that is rounding, and solved for it is exactly 0."""
    matrix, data = np.array([[-1.0, 1, 0], [1, 0, -1]]), np.array([0.0, -1])
    proposal = Proposal(np.array([noise, 0.0, 1.0]), None, "noisy")
    monkeypatch.setattr(l1, "proposals", lambda *_: [proposal])
    found = decide_minimizer(matrix, data)
    assert found.status == CERTIFIED and found.point.tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("matrix", "data"), [([[1e-200, 2e-201]], [1e200]), ([[1e200, 2e199]], [1e-200])]
)
def test_a_minimizer_beyond_the_doubles_is_undecided(matrix, data):
    with np.errstate(all="ignore"):
        found = solve(matrix, data)
    assert found.status.startswith(UNDECIDED) and "beyond the doubles" in found.status
    assert found.certificate is None


def test_entries_far_apart_are_not_lost():
    matrix = np.array([[2.0**1000, 2.0**999, 0], [0, 2.0**-100, 2.0**-101]])
    with np.errstate(all="ignore"):
        found = decide_minimizer(matrix, np.array([1.0, 1.0]))
    assert found.status == CERTIFIED


@pytest.mark.parametrize(
    ("matrix", "data", "words"),
    [
        (np.ones((2, 2)), np.ones(2), "matrix: A must have fewer rows"),
        (np.ones(3), np.ones(1), "matrix: A must have fewer rows"),
        (np.ones((1, 3)), np.ones(2), "data: y must have an entry"),
        (np.array([[1.0, np.nan]]), np.ones(1), "matrix: must hold finite"),
        (np.ones((1, 2)), np.array([np.inf]), "data: must hold finite"),
        (np.ones((1, 2), dtype=int), np.ones(1), "matrix: must hold finite numbers in double"),
    ],
)
def test_arguments_that_are_not_what_they_should_be_are_named(matrix, data, words):
    with pytest.raises(ValueError, match=words):
        decide(matrix, data, [])


def test_exact_data_of_another_problem_are_refused():
    with pytest.raises(ValueError, match="exact_data"):
        decide_minimizer(np.array([[1.0, 2.0]]), np.ones(1), exact_data=rationals_of([2.0]))


def test_equal_data_are_refused_where_y_is_0():
    with pytest.raises(ValueError, match="y = 0"):
        solve([[1.0, 2.0]], [0.0])


@pytest.mark.parametrize(
    ("matrix", "data"),
    [
        ([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [1.0, 1.0]),
        ([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], [1.0, 2.0]),
    ],
)
def test_infeasible_data(matrix, data):
    with pytest.raises(BasisPursuitError, match="full row rank"):
        solve(matrix, data)


def test_values_of_the_solution_are_exact_rationals():
    """A_S g_S = y solved to the last bit where the solution is a dyadic number."""
    matrix = np.array([[1.0, 0.0, 0.25], [0.0, 2.0, 0.5]])
    point = solve(matrix, [0.5, 3.0]).point
    assert [Fraction(v) for v in point.tolist()] == [Fraction(1, 2), Fraction(3, 2), 0]


@pytest.mark.parametrize("exponent", [-1000, -40, -1, 40, 900])
def test_units_do_not_matter(exponent):
    """Tolerances of solvers are absolute, data of one's own may have any units."""
    case, unit = instance(10, 25, 2, 0.1), 2.0**exponent
    expected = case.minimizer
    found = decide_minimizer(case.matrix * unit, case.data * unit)
    assert found.point.tobytes() == expected.point.tobytes()
    assert found.certificate.margin.tobytes() == expected.certificate.margin.tobytes()
    found = decide_minimizer(case.matrix, case.data * unit)
    assert (found.point / unit).tobytes() == expected.point.tobytes()


def test_the_rounding_of_the_minimizer_is_kept():
    case = instance(8, 20, 2, 0.1)
    found = case.minimizer
    exact = fractions(found.point) + fractions(found.point_low)
    gap = fractions(case.matrix) @ exact - fractions(case.data)
    assert max(abs(float(value)) for value in gap) < 1e-28
    assert 0 < np.abs(found.point_low).max() < 1e-15 * np.abs(found.point).max()
