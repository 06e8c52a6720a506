"""Constants of order s, and the program of stage orders."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from flint import fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import truths
from implicit_l1.minimizer import orders
from implicit_l1.minimizer.null_space import constants_of
from implicit_l1.minimizer.orders import (
    KernelBall,
    entry_bounds,
    local_search,
    order_constant,
    smaller_sums,
)
from implicit_l1.problems.problem import one_dimensional_kernel
from implicit_l1.proof.statements import recovery as recovery_statements
from implicit_l1.status import CERTIFIED, PROVED
from pipeline.tidy import read_table
from reference import (
    drawn,
    fractions,
    kernel_vertices,
    null_space_constant_by_patterns,
    pattern_constant,
    solved,
)
from workflow_runs import ROOT, script

pytestmark = pytest.mark.long

# Constants of order s


def ball_vertices(matrix):
    """Vertices, up to sign, of {n in ker A: ||n||_1 <= 1}, one a row."""
    return np.array(list(kernel_vertices(matrix, [])))


def exact_order_constant(vertices, s):
    """A convex function is largest at a vertex, and so is its quotient g / (1 - g)."""
    largest = np.sort(np.abs(vertices), axis=1)[:, -s:].sum(axis=1).max()
    return largest / (1.0 - largest)


def small_matrix(seed, rows=9, columns=13):
    return np.random.default_rng(seed).standard_normal((rows, columns))


def random_starts(matrix, count):
    return np.random.default_rng(0).standard_normal((count, matrix.shape[1]))


def largest_entry(matrix):
    """gamma_1, the largest entry of n over ``{n in ker A: ||n||_1 <= 1}``, from below and above."""
    kernel, duals = KernelBall(matrix).largest_entries()
    size = np.abs(kernel)
    return (size.max(axis=1) / size.sum(axis=1)).max(), entry_bounds(matrix, duals).max()


@pytest.mark.parametrize("seed", range(5))
def test_largest_entry_over_the_vertices_of_the_kernel(seed):
    matrix = small_matrix(seed)
    expected = np.abs(ball_vertices(matrix)).max()
    lower, upper = largest_entry(matrix)
    assert lower == pytest.approx(expected, rel=1e-10)
    assert upper == pytest.approx(expected, rel=1e-9)
    assert lower <= upper * (1.0 + 1e-12)
    assert upper >= expected * (1.0 - 1e-15)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("s", [1, 2])
def test_order_bracket_over_all_sets_and_signs(seed, s):
    matrix = small_matrix(seed, 7, 10)
    exact = max(
        null_space_constant_by_patterns(matrix, list(support))
        for support in combinations(range(10), s)
    )
    assert exact == pytest.approx(exact_order_constant(ball_vertices(matrix), s), rel=1e-7)
    found = order_constant(matrix, s, random_starts(matrix, 3))
    assert found.lower <= exact * (1.0 + 1e-7)
    assert found.upper >= exact * (1.0 - 1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_order_bracket_over_the_vertices_of_the_kernel(seed):
    """The bracket holds, the search finds the constant, and the bound beats s gamma_1."""
    matrix = small_matrix(seed, 17, 21)
    vertices = ball_vertices(matrix)
    gamma = largest_entry(matrix)[1]
    for s in (1, 2, 3, 6):
        exact = exact_order_constant(vertices, s)
        found = order_constant(matrix, s, random_starts(matrix, 3))
        assert found.lower <= exact * (1.0 + 1e-12)
        assert found.upper >= exact * (1.0 - 1e-15)
        assert found.lower >= 0.9 * exact
        simple = s * gamma / (1.0 - s * gamma) if s * gamma < 1.0 else np.inf
        assert found.upper <= simple * (1.0 + 1e-12)
        if s == 1:
            assert found.upper == pytest.approx(exact, rel=1e-9)
            assert found.lower == pytest.approx(exact, rel=1e-10)
        if s == 2:
            assert found.upper < 0.999 * simple


@pytest.mark.parametrize("s", [1, 2, 3])
def test_the_upper_bound_holds_whatever_the_search_finds(s, monkeypatch):
    """Where the search finds nothing, so that no lower bound lifts it."""
    matrix = small_matrix(0, 17, 21)
    exact = exact_order_constant(ball_vertices(matrix), s)
    largest = KernelBall.largest_entries

    def nothing(ball):
        kernel, duals = largest(ball)
        return np.zeros_like(kernel), duals

    monkeypatch.setattr(KernelBall, "largest_entries", nothing)
    monkeypatch.setattr(
        "implicit_l1.minimizer.orders.local_search",
        lambda ball, starts, s: (starts, np.zeros(len(starts))),
    )
    found = order_constant(matrix, s, random_starts(matrix, 3))
    assert found.lower <= exact * (1.0 + 1e-12)
    assert exact * (1.0 - 1e-12) <= found.upper < np.inf


@pytest.mark.parametrize("seed", range(4))
def test_local_search_ends_where_its_signs_allow_no_better(seed):
    """The ratio is the constant of the pattern of the vector found: one more linear program."""
    matrix = small_matrix(seed, 12, 24)
    kernel, ratios = local_search(KernelBall(matrix), random_starts(matrix, 3), 4)
    assert np.abs(matrix @ kernel.T).max() < 1e-13
    for n, ratio in zip(kernel, ratios, strict=True):
        support = np.sort(np.argsort(-np.abs(n))[:4])
        on = np.abs(n[support]).sum()
        assert ratio == pytest.approx(on / (np.abs(n).sum() - on), rel=1e-9)
        best = pattern_constant(matrix, support, -np.sign(n[support]))
        assert ratio == pytest.approx(best, rel=1e-7)


def test_starts_do_not_depend_on_each_other():
    matrix = small_matrix(1, 12, 24)
    starts = random_starts(matrix, 6)
    _, together = local_search(KernelBall(matrix), starts, 4)
    alone = [local_search(KernelBall(matrix), start[None], 4)[1][0] for start in starts]
    assert together == pytest.approx(alone, rel=1e-12)


def test_a_start_of_nothing_finds_nothing():
    matrix = small_matrix(1, 12, 24)
    starts = np.vstack([np.zeros(24), random_starts(matrix, 1)])
    _, ratios = local_search(KernelBall(matrix), starts, 4)
    assert ratios[0] == 0.0
    assert ratios[1] > 0.0


def test_starts_are_used():
    gains = []
    for seed in (2, 3, 5):
        matrix = small_matrix(seed, 20, 50)
        alone = order_constant(matrix, 6, [])
        helped = order_constant(matrix, 6, random_starts(matrix, 40))
        assert helped.upper == alone.upper
        gains.append(helped.lower / alone.lower)
    assert min(gains) >= 1.0
    assert max(gains) > 1.02


@pytest.mark.parametrize("ensemble", ["gaussian", "rademacher"])
@pytest.mark.parametrize("s", [2, 3])
def test_multipliers_with_smaller_sums(s, ensemble):
    """The largest sum of s sizes in a column, whose bound is valid for any multipliers."""
    matrix = drawn(20, 30, 1, 0.0, 0, ensemble).matrix

    def mass(duals):
        columns = np.abs(np.eye(30) - duals @ matrix)
        return np.sort(columns, axis=0)[-s:].sum(axis=0).max()

    _, duals = KernelBall(matrix).largest_entries()
    better = mass(smaller_sums(matrix, duals, s))
    assert better < 0.99 * mass(duals)
    found = order_constant(matrix, s, random_starts(matrix, 3))
    assert found.upper == pytest.approx(better / (1.0 - better), rel=1e-9)
    assert found.lower <= found.upper
    # the best Y there is, by a linear program in Y and a bound u_ij + t_j of each column's sum
    if s == 2:
        small = matrix[:4, :7]
        best = least_mass(small, s)
        _, duals = KernelBall(small).largest_entries()
        columns = np.abs(np.eye(7) - smaller_sums(small, duals, s) @ small)
        reached = np.sort(columns, axis=0)[-s:].sum(axis=0).max()
        assert best * (1.0 - 1e-9) <= reached <= 1.02 * best


def least_mass(matrix, s):
    """``min_Y max_j`` of the sum of the s largest ``|I - Y A|_ij``, by linear programming."""
    rows, count = matrix.shape
    # unknowns: Y (count x rows), u (count x count), t (count), the maximum
    sizes = count * rows, count * count, count
    first_u, first_t = sizes[0], sizes[0] + sizes[1]
    total = first_t + count + 1
    above, bound = [], []
    for i, j in product(range(count), range(count)):
        for side in (1.0, -1.0):  # side (I - Y A)_ij <= u_ij + t_j
            row = np.zeros(total)
            row[i * rows : (i + 1) * rows] = -side * matrix[:, j]
            row[first_u + i * count + j] = row[first_t + j] = -1.0
            above.append(row)
            bound.append(-side * (i == j))
    for j in range(count):  # s t_j + sum_i u_ij <= maximum
        row = np.zeros(total)
        row[first_u + j : first_t : count] = 1.0
        row[first_t + j], row[-1] = s, -1.0
        above.append(row)
        bound.append(0.0)
    bounds = [(None, None)] * sizes[0] + [(0.0, None)] * (total - sizes[0])
    found = linprog(np.eye(total)[-1], A_ub=np.array(above), b_ub=bound, bounds=bounds)
    assert found.status == 0
    return found.fun


def test_order_bracket_says_nothing_for_large_orders():
    matrix = small_matrix(0)
    assert order_constant(matrix, 6, []).upper == np.inf
    assert np.isfinite(order_constant(matrix, 6, []).lower)
    beyond = order_constant(matrix, 10, [])  # 10 columns of length 9 are dependent
    assert beyond.lower == beyond.upper == np.inf
    assert beyond.method == "more than N columns"


@pytest.mark.parametrize("s", [0, 13])
def test_order_out_of_range(s):
    with pytest.raises(ValueError, match=f"less than d = 13, not {s}"):
        order_constant(small_matrix(0), s, [])


def test_equal_columns_have_no_constant_of_order_two():
    matrix = small_matrix(0)
    matrix[:, 5] = matrix[:, 2]
    assert order_constant(matrix, 2, []).lower == np.inf
    assert order_constant(matrix, 1, []).lower == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("rho", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("m", [4, 6])
def test_constants_of_a_kernel_of_dimension_one(m, rho):
    """The kernel is spanned by (-rho m, 1, ..., 1)."""
    matrix = one_dimensional_kernel(m=m, rho=rho).matrix
    n = np.sort(np.append(np.ones(m), rho * m))[::-1] / (m + rho * m)
    lower, upper = largest_entry(matrix)
    assert lower == pytest.approx(n[0], rel=1e-12)
    assert upper == pytest.approx(n[0], rel=1e-9)
    for s in (1, 2):
        found = order_constant(matrix, s, [])
        assert found.lower == pytest.approx(n[:s].sum() / n[s:].sum(), rel=1e-10)
        assert found.upper >= found.lower


@given(st.integers(0, 10**6))
def test_entry_bounds_hold_for_any_multipliers(seed):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((4, 6))
    duals = rng.standard_normal((6, 4)) * 10.0 ** rng.integers(-3, 4)
    exact = np.abs(fractions(np.eye(6)) - fractions(duals) @ fractions(matrix))
    bounds = entry_bounds(matrix, duals)
    assert np.all(fractions(bounds) >= exact)
    assert np.allclose(bounds, exact.astype(float), rtol=1e-10, atol=1e-12)
    for n in ball_vertices(matrix):
        assert np.all(np.abs(n) <= bounds @ np.abs(n) + 1e-14)


# The program


def proofs_of(output):
    return output.with_name(f"{output.stem}_certificates.parquet")


def run_program(output, *, s, repetitions, ensemble="gaussian", rows=10, columns=20, **options):
    options = {
        "law": "uniform",
        "low": 0.5,
        "high": 1.5,
        "seed": 1,
        "exact-up-to": 4,
        "order-repetitions": 1,
        "order-starts": 2,
    } | options
    if options["law"] == "constant":  # it has no ends
        del options["low"], options["high"]
    return script(
        "stages/orders",
        *("--output", output, "--certificates", proofs_of(output)),
        *("--ensemble", ensemble, "--N", rows, "--d", columns, "--s", s),
        *("--repetitions", *repetitions),
        *(word for name, value in options.items() for word in (f"--{name}", value)),
        folder=ROOT,
    )


def test_program(tmp_path):
    output = tmp_path / "cell.parquet"
    limits = {"order-repetitions": 5}
    result = run_program(output, s=3, repetitions=(0, 5), **limits)
    assert result.returncode == 0, result.stderr
    table = read_table(output)
    assert table["repetition"].tolist() == list(range(6))
    assert set(table["recovered"]) == {True, False}  # so that both are tested
    assert (table["status"] == CERTIFIED).all()
    assert (table[["N", "d", "s", "delta", "sparsity"]] == [10, 20, 3, 0.5, 0.3]).all(axis=None)
    for row in table.itertuples():
        problem, found = solved(10, 20, 3, row.repetition)
        matrix, point = problem.matrix, found.minimizer.point
        planted, support = np.flatnonzero(problem.signal), np.flatnonzero(point)
        assert row.rho_planted == pytest.approx(
            pattern_constant(matrix, planted, np.sign(problem.signal[planted])), rel=1e-8
        )
        assert row.recovered == np.array_equal(point, problem.signal)
        rho = pattern_constant(matrix, support, np.sign(point[support]))
        assert row.rho_lower == pytest.approx(rho, rel=1e-7)
        assert row.rho_upper == pytest.approx(rho, rel=1e-7)
        if row.repetition < 5:
            tilde = null_space_constant_by_patterns(matrix, support)
            assert row.rho_tilde_lower == pytest.approx(tilde, rel=1e-6)
            assert row.rho_tilde_upper == pytest.approx(tilde, rel=1e-6)
            assert row.rho_tilde_method == ("branch and bound" if row.recovered else "formula")
            order = order_constant(matrix, 3, [problem.signal])
            assert row.order_lower >= order.lower * (1.0 - 1e-9)
            assert row.order_upper == pytest.approx(order.upper, rel=1e-9)
            assert row.order_upper >= null_space_constant_by_patterns(matrix, planted)
        else:
            assert np.isnan([row.rho_tilde_lower, row.rho_tilde_upper]).all()
            assert row.rho_tilde_method == "none"
            assert np.isnan([row.order_lower, row.order_upper]).all()

    # a block of its own has the same rows
    again = tmp_path / "block.parquet"
    assert run_program(again, s=3, repetitions=(4, 5), **limits).returncode == 0
    for old, new in [(output, again), (proofs_of(output), proofs_of(again))]:
        whole = read_table(old)
        pd.testing.assert_frame_equal(
            whole[whole["repetition"] >= 4].reset_index(drop=True), read_table(new)
        )

    # every number of the table lies in an enclosure, the bracket of order s aside
    proofs = read_table(proofs_of(output))
    assert (proofs["status"] == PROVED).all()
    assert (proofs[["N", "d", "s", "eta"]] == [10, 20, 3, 0]).all(axis=None)
    assert proofs["depth"].isna().all()
    for row in table.itertuples():
        mine = proofs[proofs["repetition"] == row.repetition].set_index("quantity")
        ends = mine[["lower", "upper"]].astype(float)
        expected = {"margin", "rho", "rho_planted"}
        if row.repetition < 5:
            expected |= {"rho_tilde_lower", "rho_tilde_upper"}
        assert set(mine.index) == expected
        assert ends.loc["rho_planted"].tolist() == pytest.approx([row.rho_planted] * 2, rel=1e-12)
        assert ends.loc["rho"].tolist() == pytest.approx([row.rho_upper] * 2, rel=1e-12)
        assert ends.loc["margin"].tolist() == pytest.approx([1 - row.rho_upper] * 2, rel=1e-9)
        for side in ("lower", "upper") if row.repetition < 5 else ():
            value = getattr(row, f"rho_tilde_{side}")
            assert ends.loc[f"rho_tilde_{side}"].tolist() == pytest.approx([value] * 2, rel=1e-6)


def test_program_carries_instances_without_certificate(tmp_path):
    output = tmp_path / "cell.parquet"
    result = run_program(
        output, s=3, repetitions=(0, 3), ensemble="rademacher", rows=6, columns=12, law="constant"
    )
    assert result.returncode == 0, result.stderr
    table = read_table(output)
    uncertified = table[table["status"] != CERTIFIED]
    assert len(uncertified) > 0
    assert not uncertified["recovered"].any()
    assert len(table) == 4
    proofs = read_table(proofs_of(output)).set_index(["repetition", "quantity"])
    for row in table.itertuples():
        margin = proofs.loc[(row.repetition, "margin")]
        assert (margin["status"] == PROVED) == (row.status == CERTIFIED)
        if row.status != CERTIFIED:
            assert margin["status"].startswith("not proved: ")
            assert margin["lower"] == margin["upper"] == ""
            assert (row.repetition, "rho") not in proofs.index
        planted = proofs.loc[(row.repetition, "rho_planted")]
        if planted["status"] == PROVED:
            assert float(planted["upper"]) == pytest.approx(row.rho_planted, rel=1e-9)
        else:
            assert row.rho_planted == np.inf or row.status != CERTIFIED


def test_nothing_is_known_without_a_certificate():
    problem, found = solved(12, 24, 1, 0)
    unproved = replace(found.minimizer, certificate=None)
    rho, rho_tilde = constants_of(problem.matrix, unproved.point, unproved.margin, 4)
    assert np.isnan([rho.lower, rho.upper, rho_tilde.lower, rho_tilde.upper]).all()


def test_program_names_the_repetition_that_fails(tmp_path):
    result = run_program(tmp_path / "cell.parquet", s=3, repetitions=(2, 2), law="strange")
    assert result.returncode == 1
    assert "repetition 2: unknown law of magnitudes 'strange'" in result.stderr
    assert not (tmp_path / "cell.parquet").exists()
    assert not proofs_of(tmp_path / "cell.parquet").exists()


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
def test_the_constant_of_x0_is_of_its_own_support_and_signs(signs):
    """Whatever minimizer is guessed for x_0: this one lacks an entry, or has another sign."""
    matrix = np.array([[1.0, 0, 0.5], [0, 1, 0.25]])
    point = np.array([1.0, 0.0, 0.0])
    guess = SimpleNamespace(point=point, certificate=SimpleNamespace(nu=np.array([1.0, -0.4])))
    found = SimpleNamespace(minimizer=guess, planted_dual=guess.certificate.nu)
    signal = np.array([signs[0], signs[1] * 2.0**-60, 0.0])
    problem = SimpleNamespace(matrix=matrix, data=matrix @ point, signal=signal)
    (first, *_) = recovery_statements(problem, found, None)
    assert first.quantity == "rho_planted" and first.proved
    truth = abs(0.5 * signs[0] + 0.25 * signs[1])
    assert float(first.lower) <= truth <= float(first.upper)


BESIDE_OTHERS = [
    # a column that has next to nothing of any kernel vector
    ([[1, 0.5, 0.25, 3 * 2.0**60], [0, 1, 0.75, 5 * 2.0**60]], 1),
    ([[1, 0.5, 0.25, 3 * 2.0**45], [0, 1, 0.75, 5 * 2.0**45]], 2),
    # columns that are nearly one
    ([[1, 1, 1, 2], [1, 1 + 2.0**-44, -1, 1]], 2),
    ([[1, 1, 0.5, 2], [1, 1 + 2.0**-20, -1, 1]], 2),
    ([[1, 2.0**-45]], 1),
    ([[1, 0.5, -0.25, 2.0**-50], [0.5, -1, 1, 2.0**-49]], 1),
]


@pytest.mark.parametrize(("columns", "s"), BESIDE_OTHERS)
def test_constants_beside_columns_of_any_size_and_near_copies(columns, s):
    """By all vertices of the ball, in rational numbers; inf is that of dependent columns only."""
    matrix = np.array(columns, dtype=float)
    exact = exact_ratio(matrix, s)
    found = order_constant(matrix, s, [])
    assert found.lower <= exact * (1 + 1e-9) and exact <= found.upper
    assert 0.001 * exact < found.lower < np.inf
    if s == 1 and exact < 1e3:
        assert found.upper <= exact * (1 + 1e-9)


def exact_ratio(matrix, s):
    """Of the kernel vectors with at most N + 1 entries, which are minors, in rational numbers."""
    rows, best = len(matrix), Fraction(0)
    for columns in combinations(range(matrix.shape[1]), rows + 1):
        minors = [
            fmpq_mat(truths.rational_rows(matrix[:, [j for j in columns if j != out]])).det()
            for out in columns
        ]
        sizes = sorted((abs(Fraction(int(v.p), int(v.q))) for v in minors), reverse=True)
        best = max(best, sum(sizes[:s]) / sum(sizes[s:]))
    return float(best)


def test_a_ratio_that_is_not_proved_is_not_given(monkeypatch):
    matrix = small_matrix(0)
    exact = order_constant(matrix, 3, []).lower
    ratios = orders._ratios
    monkeypatch.setattr(orders, "_ratios", lambda rows, s: 2.0 * ratios(rows, s))
    assert order_constant(matrix, 3, []).lower == pytest.approx(exact, rel=1e-8)
    monkeypatch.setattr(orders, "_ratios", lambda rows, s: np.full(len(rows), np.inf))
    assert order_constant(matrix, 3, []).lower == pytest.approx(exact, rel=0.2)
