"""The phase diagram: rho of many signals at once, its bounds, and the program of the stage."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

import truths
from implicit_l1.linear import interior
from implicit_l1.minimizer import phase
from implicit_l1.minimizer.phase import planted
from implicit_l1.minimizer.recovery import recovery
from implicit_l1.problems.problem import Draw, one_dimensional_kernel
from implicit_l1.proof.planted import RightInverses, planted_bounds
from implicit_l1.status import PROVED
from pipeline.tidy import read_table
from reference import UNIFORM, drawn, pattern_constant, solved
from unkind import ENSEMBLES, draw
from workflow_runs import ROOT, script

# N, d, s: by equations, by a basis, s = N, N = d - 1, N = 1
SHAPES = [(5, 20, 2), (15, 20, 3), (10, 20, 10), (19, 20, 6), (1, 6, 1), (12, 24, 4)]


def stack(rows, columns, s, count, ensemble="gaussian"):
    problems = [drawn(rows, columns, s, 0.0, index, ensemble) for index in range(count)]
    matrices, signals = ([getattr(p, name) for p in problems] for name in ("matrix", "signal"))
    return RightInverses.of(np.array(matrices)), np.array(signals)


@pytest.mark.parametrize("shape", SHAPES)
def test_rho_of_many_signals_against_another_solver(shape):
    right, signals = stack(*shape, 5)
    found = planted(right, signals)
    assert found.status == [PROVED] * 5
    for index, (matrix, signal) in enumerate(zip(right.matrices, signals, strict=True)):
        support = np.flatnonzero(signal)
        expected = pattern_constant(matrix, support, np.sign(signal[support]))
        assert found.rho[index] == pytest.approx(expected, rel=1e-8)
        assert found.lower[index] <= found.rho[index] <= found.upper[index]
        assert found.upper[index] - found.lower[index] <= 1e-8 * found.rho[index]
        assert found.recovered[index] == (expected < 1.0)


def test_a_signal_does_not_depend_on_its_neighbours(monkeypatch):
    right, signals = stack(12, 24, 4, 6)
    together = planted(right, signals)
    monkeypatch.setattr(interior, "_AT_ONCE", 1)
    for place in range(6):
        alone = planted(RightInverses.of(right.matrices[place : place + 1]), signals[[place]])
        assert alone.rho[0] == pytest.approx(together.rho[place], rel=1e-12)


def exact_rho(matrix, signal):
    """rho as a rational number; None if no nu has the signs, or columns of S are dependent."""
    support = np.flatnonzero(signal)
    rows = [[row[j] for j in support] for row in truths.rational_rows(matrix)]
    if truths.fmpq_mat(rows).rank() < support.size:
        return None
    signs = [int(sign) for sign in np.sign(signal[support])]
    found = truths.rho(matrix, support.tolist(), signs)
    return Fraction(int(found.p), int(found.q))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_bounds_hold_on_unkind_matrices(ensemble, seed):
    """Whatever floating point finds, and also where guesses are wrong."""
    case = draw(ensemble, seed)
    if not 0 < np.count_nonzero(case.signal) <= len(case.matrix):
        return
    right, signals = RightInverses.of(case.matrix[None]), case.signal[None]
    exact = exact_rho(case.matrix, case.signal)
    exact_product = truths.exact_product(case.matrix, case.signal)
    in_doubles = exact_product == [Fraction(float(y)) for y in case.matrix @ case.signal]
    if in_doubles and any(exact_product):
        found = planted(right, signals)
        assert found.status == [PROVED]
        assert found.recovered[0] == (exact is not None and exact < 1)
        if exact is not None and abs(exact - 1) > Fraction(1, 10**6):
            assert found.rho[0] == pytest.approx(float(exact), rel=1e-6)
    support = np.flatnonzero(case.signal)[None]
    signs = np.sign(case.signal[support])
    left, duals, kernels = phase._guesses(right, support, signs)
    rng = np.random.default_rng(seed)
    for noise in (0.0, 1e-9, 1e-3):
        off = [noise * rng.standard_normal(part.shape) for part in (left, duals, kernels)]
        lower, upper = planted_bounds(
            right, support, signs, left + off[0], duals + off[1], kernels + off[2]
        )
        if exact is None:
            assert upper[0] == np.inf
        else:
            assert Fraction(lower[0]) <= exact
            assert upper[0] == np.inf or exact <= Fraction(upper[0])


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("m", [1, 4])
def test_a_kernel_of_dimension_one(m, rho):
    """It is spanned by (-rho m, 1, ..., 1): rho of e_1 is rho, that of -e_1 the same."""
    problem = one_dimensional_kernel(m=m, rho=rho)
    right = RightInverses.of(problem.matrix[None])
    for signal in (problem.signal, -problem.signal):
        found = planted(right, signal[None])
        assert found.rho[0] == pytest.approx(rho, abs=1e-14)
        assert found.lower[0] <= rho <= found.upper[0] < 1.0
        assert found.recovered[0]


@pytest.mark.parametrize(
    ("last", "recovered"), [(1.0, False), (1.0 - 2.0**-40, True), (1.0 + 2.0**-40, False)]
)
def test_rho_within_rounding_of_1_is_decided_exactly(last, recovered, monkeypatch):
    """ker [1, a] is spanned by (-a, 1), so rho of e_1 is a."""
    asked = []
    monkeypatch.setattr(phase, "recovery", lambda *args: asked.append(1) or recovery(*args))
    right = RightInverses.of(np.array([[[1.0, last]]]))
    found = planted(right, np.array([[1.0, 0.0]]))
    assert found.status == [PROVED]
    assert found.recovered[0] == recovered
    assert bool(asked) == (last == 1.0)
    # what is not decided is said, and is not taken for recovered
    monkeypatch.setattr(phase, "planted_bounds", lambda *args: (np.zeros(1), np.array([np.inf])))
    undecided = recovery(right.matrices[0], right.matrices[0] @ [1.0, 0.0], np.array([1.0, 0.0]))
    undecided = replace(
        undecided, recovered=False, minimizer=replace(undecided.minimizer, status="undecided: x")
    )
    monkeypatch.setattr(phase, "recovery", lambda *args: undecided)
    found = planted(right, np.array([[1.0, 0.0]]))
    assert found.status == ["undecided: x"] and not found.recovered[0]


def test_dependent_columns_are_no_recovery():
    """Columns 0 and 1 are equal: see test_recovery."""
    matrix = np.array([[1.0, 1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0]])
    signals = np.array([[-1.0, -2.0, 0.0, 0.0], [-1.0, 2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 2.0]])
    found = planted(RightInverses.of(np.array([matrix] * 3)), signals)
    assert found.status == [PROVED] * 3
    assert not found.recovered.any()
    assert found.rho[:2].tolist() == [pytest.approx(0.5), np.inf]
    assert found.upper[:2].tolist() == [np.inf] * 2


def test_programs_that_are_not_solved_are_decided_one_by_one(monkeypatch):
    right, signals = stack(12, 24, 4, 4)
    expected = planted(right, signals)

    def unsolved(form, offsets):
        free, kernel = interior.smallest_maxima(form, offsets)
        kernel[1::2] = free[1::2] = np.nan
        return free, kernel

    monkeypatch.setattr(phase, "smallest_maxima", unsolved)
    found = planted(right, signals)
    assert found.recovered.tolist() == expected.recovered.tolist()
    assert found.status == [PROVED] * 4
    assert found.upper[1] == np.inf
    assert found.rho == pytest.approx(expected.rho, rel=1e-9)


@pytest.mark.parametrize(("scale", "wide"), [(1e-7, True), (1e3, False)])
def test_bounds_that_leave_digits_open_are_relative(scale, wide, monkeypatch):
    right, signals = stack(12, 24, 4, 2)
    apart = 1e-8 if wide else 5e-4
    lower, guesses = np.full(2, scale), phase._guesses

    def as_large(*arguments):
        """A nu whose value is the lower bound, but for rounding."""
        left, duals, kernels = guesses(*arguments)
        values = np.abs(duals[:, None] @ right.matrices)[:, 0].max(
            axis=1, where=signals == 0, initial=0
        )
        return left, duals * (scale / values)[:, None], kernels

    monkeypatch.setattr(phase, "_guesses", as_large)
    bounds = lower * (1.0 - 1e-12), lower + apart
    monkeypatch.setattr(phase, "planted_bounds", lambda *_: bounds)
    asked = []

    def found(*arguments):
        asked.append(arguments)
        return recovery(*arguments)

    monkeypatch.setattr(phase, "recovery", found)
    planted(right, signals)
    assert len(asked) == (2 if wide else 0)


@pytest.mark.parametrize("least", [0.5, 2.0])
def test_where_there_is_no_upper_bound_rho_is_decided(least, monkeypatch):
    """Whether or not the lower bound tells already that the signal is not recovered."""
    right, signals = stack(12, 24, 4, 1)
    expected = recovery(right.matrices[0], right.matrices[0] @ signals[0], signals[0])
    none = np.array([least]), np.array([np.inf])
    monkeypatch.setattr(phase, "planted_bounds", lambda *_: none)
    guesses = np.full((1, 12), np.nan)
    monkeypatch.setattr(phase, "_guesses", lambda *_: (None, guesses, None))
    found = planted(right, signals)
    assert found.rho[0] == pytest.approx(expected.rho_planted, rel=1e-9)
    assert found.upper[0] == np.inf


def test_draws_are_those_of_single_problems():
    draw = Draw("rademacher", 6, 12, 3, 1, {})
    for s in (2, 5):
        problem = drawn(6, 12, s, 0.1, 3, "rademacher")
        assert np.array_equal(draw.matrix(), problem.matrix)
        assert np.array_equal(draw.signal(problem.matrix, s, UNIFORM), problem.signal)


def test_rho_is_between_its_bounds_beside_copies():
    """A nu of the first attempt has lost digits that the bounds have; the truth is rational."""
    matrix = np.array(
        [
            [-0.7444190979003906, 1.084336280822754, 1.103170394897461, -0.7443561553955078],
            [-0.760563850402832, 0.443939208984375, 0.12487506866455078, -0.7603979110717773],
            [-0.5296487808227539, 0.7832345962524414, 0.09279918670654297, -0.5295209884643555],
        ]
    )
    found = planted(RightInverses.of(matrix[None]), np.array([[-2.0, 1, 0, -1]]))
    assert found.lower[0] <= found.rho[0] <= found.upper[0]
    assert found.rho[0] == pytest.approx(2.085368343138774, rel=1e-12)


def test_of_a_column_of_zeros_no_dual_vector_has_the_sign():
    right = RightInverses.of(np.array([[[1.0, 0, 0.5]]]))
    found = planted(right, np.array([[0.0, 1, 0]]))
    assert (found.rho[0], found.recovered[0], found.status[0]) == (np.inf, False, PROVED)


def run_program(output, *words):
    return script(
        *("stages/phase", "--output", output, "--repetitions", 0, 3, "--seed", 1),
        *("--law", "uniform", "--low", 0.5, "--high", 1.5, *words),
        folder=ROOT,
    )


def test_program(tmp_path):
    output = tmp_path / "column.parquet"
    result = run_program(output, "--N", 8, "--d", 16, "--s", 1, 2, 4, 8)
    assert result.returncode == 0, result.stderr
    table = read_table(output)
    assert table["repetition"].tolist() == [*range(4)] * 4
    assert (table[["N", "d", "delta"]] == [8, 16, 0.5]).all(axis=None)
    assert set(table["recovered"]) == {True, False}
    for row in table.itertuples():
        _, found = solved(8, 16, row.s, row.repetition)
        assert row.sparsity == row.s / 8
        assert row.rho_planted == pytest.approx(found.rho_planted, rel=1e-9)
        assert row.rho_lower <= row.rho_planted <= row.rho_upper
        assert row.recovered == found.recovered
        assert row.status == PROVED


def test_program_names_what_fails(tmp_path):
    shape = ("--N", 8, "--d", 16, "--s", 1, 9)
    result = run_program(tmp_path / "column.parquet", *shape, "--ensemble", "toeplitz")
    assert result.returncode == 1
    assert "s = 9: the signals have 9 nonzero entries, A has N = 8 rows" in result.stderr
    words = ("--correlation", 2)
    result = run_program(tmp_path / "column.parquet", *shape, "--ensemble", "toeplitz", *words)
    assert "repetition 0: correlation of ensemble toeplitz must be" in result.stderr
    assert not (tmp_path / "column.parquet").exists()


def test_a_signal_in_the_kernel_is_not_recovered():
    """The l1 minimizer is 0 then; the others of its block are what they are."""
    matrix = np.array([[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 3.0, 0.0]])
    signals = np.array([[1.0, -1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]])
    found = planted(RightInverses.of(np.array([matrix, matrix])), signals)
    assert found.recovered.tolist() == [False, False]
    assert found.status[0] == PROVED and np.isinf(found.rho[0])
