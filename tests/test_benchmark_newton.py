"""Benchmark newton: its replay does the linear algebra of the path, and nothing else is changed."""

import csv

import benchmark_newton
import numpy as np
import pytest

from implicit_l1 import limit
from implicit_l1.potentials import potential
from reference import LOG10
from workflow_runs import script

METHODS = ("factor", "solve", "evaluate")


def path_of(problem, depth):
    minimizer = problem.minimizer
    return limit.limit_path(
        problem.matrix,
        minimizer.point,
        minimizer.certificate,
        potential(depth),
        LOG10 * np.linspace(0.0, -6.0, 7),
    )


@pytest.mark.parametrize("depth", [2, 3])
def test_the_operands_are_those_of_the_path(small, depth):
    factors = []
    with pytest.MonkeyPatch.context() as patch:
        original = limit._Equations.factor

        def factor(equations, state):
            original(equations, state)
            factors.append(equations.cholesky)

        patch.setattr(limit._Equations, "factor", factor)
        with benchmark_newton.recorded() as calls:
            steps = path_of(small, depth).newton_steps.sum()
    states = [(call.equations, call.state) for call in calls if call.method == "factor"]
    assert len(states) == len(factors) == steps
    for (equations, state), factor in zip(states, factors, strict=True):
        rows = equations.rows(state)
        expected = rows @ rows.T
        on = np.arange(equations.minimizer_on.size)
        expected[on, on] += 1.0
        half = np.tril(factor)
        assert np.abs(half @ half.T - expected).max() < 1e-12 * np.abs(expected).max()


def test_nothing_stays_wrapped_and_the_results_are_the_same(small):
    before = [limit.dpotrs, *(getattr(limit._Equations, name) for name in METHODS)]
    expected = path_of(small, 2)
    with benchmark_newton.recorded() as calls:
        found = path_of(small, 2)
    assert [limit.dpotrs, *(getattr(limit._Equations, name) for name in METHODS)] == before
    assert found.error.tobytes() == expected.error.tobytes()
    assert {call.method for call in calls} == set(METHODS)
    spent = benchmark_newton.replay(calls)
    assert all(seconds > 0 for seconds in spent.values())


def test_conjugate_gradients_are_recorded_too(small, monkeypatch):
    monkeypatch.setattr(limit, "_MANY_ROWS", 0)
    monkeypatch.setattr(limit, "_ROWS_AN_ITERATION", 2)
    with benchmark_newton.recorded() as calls:
        steps = path_of(small, 2).newton_steps.sum()
    count = {name: [call for call in calls if call.method == name] for name in METHODS}
    # a solution a step, and one for the derivative at all points but the last
    assert len(count["solve"]) >= steps + 6 > len(count["factor"])
    assert all(call.solves >= 1 for call in count["solve"])
    assert any(call.solves > 1 for call in count["solve"])
    assert not any(call.solves for call in count["evaluate"])


def test_the_program_writes_both_tables(tmp_path):
    table, profile = tmp_path / "newton.csv", tmp_path / "profile.csv"
    words = ["--size", 8, 16, 1, "--size", 10, 20, 1, "--eta", 0, 0.1, "--depth", 2, 3]
    words += ["--log10-alpha", 0, -1, -2, "--repetitions", 2, "--seed", 1]
    words += ["--csv", table, "--profile", profile]
    result = script("benchmark_newton", *words)
    assert result.returncode == 0, result.stderr
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["N"], row["eta"], row["depth"]) for row in rows] == [
        (N, eta, depth) for N in ("8", "10") for eta in ("0", "0.1") for depth in ("2", "3")
    ]
    for row in rows:
        parts = [float(row[f"{kind}_seconds"]) for kind in ("product", "cholesky", "other_blas")]
        assert float(row["fastest"]) <= float(row["seconds"]) <= float(row["slowest"])
        assert 0 < float(row["blas_share"]) < 1 and min(parts) > 0 and float(row["ratio"]) > 1
        assert int(row["steps"]) >= int(row["scales"]) == 3
        assert int(row["factorizations"]) >= 1
    with profile.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 * benchmark_newton.HEAVIEST
    assert all(0 < float(row["share"]) < 1 and int(row["calls"]) > 0 for row in rows)
