"""Benchmark newton: its replay does the linear algebra of the path, and nothing else is changed."""

import csv
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest

from benchmark import newton as benchmark_newton
from implicit_l1.network import equations
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from reference import LOG10
from workflow_runs import script

pytestmark = pytest.mark.long

METHODS = ("factor", "solve", "evaluate")


def path_of(problem, depth):
    minimizer = problem.minimizer
    return limit_path(
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
        original = equations.Equations.factor

        def factor(self, state):
            original(self, state)
            factors.append(self.cholesky)

        patch.setattr(equations.Equations, "factor", factor)
        with benchmark_newton.recorded() as calls:
            steps = path_of(small, depth).newton_steps.sum()
    states = [(call.equations, call.state) for call in calls if call.method == "factor"]
    assert len(states) == len(factors) == steps
    for (mine, state), factor in zip(states, factors, strict=True):
        rows = mine.rows(state)
        expected = rows @ rows.T
        on = np.arange(mine.minimizer_on.size)
        expected[on, on] += 1.0
        half = np.tril(factor)
        assert np.abs(half @ half.T - expected).max() < 1e-12 * np.abs(expected).max()


def test_nothing_stays_wrapped_and_the_results_are_the_same(small):
    before = [equations.dpotrs, *(getattr(equations.Equations, name) for name in METHODS)]
    expected = path_of(small, 2)
    with benchmark_newton.recorded() as calls:
        found = path_of(small, 2)
    assert [equations.dpotrs, *(getattr(equations.Equations, name) for name in METHODS)] == before
    assert found.error.tobytes() == expected.error.tobytes()
    assert {call.method for call in calls} == set(METHODS)


@pytest.mark.parametrize("depth", [2, 3])
def test_times_are_those_of_the_calls_that_are_replayed(small, depth, monkeypatch):
    """On a clock that moves with every call of BLAS or LAPACK alone."""
    now, done = 0.0, Counter()

    def takes(seconds, function, name):
        def call(*arguments, **options):
            nonlocal now
            now += seconds
            done[name] += 1
            return function(*arguments, **options)

        return call

    with benchmark_newton.recorded() as calls:
        steps = path_of(small, depth).newton_steps.sum()
    monkeypatch.setattr(benchmark_newton, "perf_counter", lambda: now)
    for name, seconds in (("dsyrk", 100.0), ("dpotrf", 10.0), ("dpotrs", 1.0)):
        function = getattr(benchmark_newton, name)
        monkeypatch.setattr(benchmark_newton, name, takes(seconds, function, name))
    spent = benchmark_newton.replay(calls)
    solves = sum(call.solves for call in calls)
    assert done == {"dsyrk": steps, "dpotrf": steps, "dpotrs": solves}
    assert spent == {"product": 100.0 * steps, "cholesky": 10.0 * steps, "other_blas": solves}


def test_a_path_and_its_linear_algebra_are_timed_in_turn(monkeypatch):
    now, turns = 0.0, []

    def path():
        nonlocal now
        turns.append("path")
        now += [0.0, 6.0, 12.0, 30.0][turns.count("path") - 1]  # the first is not timed
        return SimpleNamespace(newton_steps=np.array([4, 2]))

    def replay(calls):
        turns.append("alone")
        return {"product": 1.0, "cholesky": 0.5, "other_blas": 0.25}

    @contextmanager
    def recorded():
        yield [benchmark_newton.Call("factor", None, None, 0)] * 3

    monkeypatch.setattr(benchmark_newton, "recorded", recorded)
    monkeypatch.setattr(benchmark_newton, "replay", replay)
    monkeypatch.setattr(benchmark_newton, "perf_counter", lambda: now)
    found = benchmark_newton.measured(path, 3)
    assert turns == ["path", *("path", "alone") * 3]
    assert found == {
        **{"steps": 6, "factorizations": 3},
        **{"seconds": 12.0, "fastest": 6.0, "slowest": 30.0, "runs": 3},
        **{"product_seconds": 1.0, "cholesky_seconds": 0.5, "other_blas_seconds": 0.25},
        "blas_share": pytest.approx(1.75 / 12.0),
        # two seconds a step, and 1.5 / 3 a product and a factorization
        "ratio": pytest.approx(2.0 / (1.5 / 3)),
    }


def test_conjugate_gradients_are_recorded_too(small, monkeypatch):
    monkeypatch.setattr(equations, "_MANY_ROWS", 0)
    monkeypatch.setattr(equations, "_ROWS_AN_ITERATION", 2)
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
    result = script("benchmark/newton", *words)
    assert result.returncode == 0, result.stderr
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["N"], row["eta"], row["depth"]) for row in rows] == [
        (N, eta, depth) for N in ("8", "10") for eta in ("0", "0.1") for depth in ("2", "3")
    ]
    for row in rows:
        assert row["runs"] == "2"
        assert int(row["steps"]) >= int(row["scales"]) == 3
        assert int(row["factorizations"]) >= 1
    with profile.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8 * benchmark_newton.HEAVIEST
    assert all(int(row["calls"]) > 0 for row in rows)
    # of each function's own time: those of one path are no more than the whole
    cells = Counter()
    for row in rows:
        cells[row["N"], row["eta"], row["depth"]] += float(row["share"])
    assert len(cells) == 8 and max(cells.values()) < 1 + 1e-5
