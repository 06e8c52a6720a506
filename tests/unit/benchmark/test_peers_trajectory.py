"""Peers of target benchmark that integrate the flow, against this project's flow."""

import csv
import sys
from functools import partial

import numpy as np
import pytest

from benchmark import flow as benchmark_flow
from benchmark import limit as benchmark_limit
from benchmark.peers import trajectory
from benchmark.peers.limit_point import dual_form
from contestants import WorkersHere


@pytest.fixture(scope="module", params=[2, 3])
def given(request):
    """A problem with times, and x at them by a reference."""
    tiny = benchmark_limit.Instance([5, 10, 1], 0.1, 1)
    problem = benchmark_flow.with_times(tiny.problem(request.param, -2.0))
    states, error = benchmark_flow.reference(problem, tiny.proof)
    assert error < 1e-9
    return problem, states


def test_times_go_from_the_escape_to_convergence(given):
    problem, states = given
    times = problem["times"]
    assert 20 <= times.size <= 45
    assert np.ptp(np.diff(np.log(times[:-1]))) < 1e-9
    gap = np.linalg.norm(states @ problem["matrix"].T - problem["data"], axis=1)
    size = np.linalg.norm(problem["data"])
    assert 0.5 * size < gap[0] < size and gap[-1] < 1e-3 * size


@pytest.mark.parametrize(
    "peer",
    [one for one in trajectory.peers() if one.solve.keywords["rtol"] in (1e-6, 1e-10)],
    ids=lambda peer: peer.name,
)
def test_peers_follow_the_flow(given, peer):
    if "diffrax" in peer.packages:
        pytest.importorskip("diffrax")
    rtol = peer.solve.keywords["rtol"]
    problem, states = given
    found = peer.solve(problem)
    assert found.shape == (problem["times"].size, problem["minimizer"].size)
    assert benchmark_flow.distance(found[:-1], states) < 500 * rtol


def test_our_flow_is_at_the_same_times(given):
    problem, states = given
    errors = [
        benchmark_flow.distance(benchmark_flow.our_flow(problem, rtol)[:-1], states)
        for rtol in (1e-8, 1e-10)
    ]
    assert errors[0] < 1e-6 and errors[1] < 1e-8


def test_any_form_of_the_flow_gives_the_same_states(given):
    problem, states = given
    solve = partial(trajectory.scipy_trajectory, method="Radau", rtol=1e-9)
    for found in (solve(problem), solve(problem, form=dual_form, atol=1e-12)):
        assert benchmark_flow.distance(found[:-1], states) < 1e-7


def test_the_program_writes_a_row_a_contestant(tmp_path, monkeypatch):
    words = "--size 5 10 1 --eta 0.1 --depth 2 --log10-alpha -2 --repetitions 2 --limit 1 --seed 1"
    table = tmp_path / "flow.csv"
    words = [*words.split(), "--only", "ours", "LSODA", "--csv", str(table)]
    monkeypatch.setattr(benchmark_flow, "Workers", WorkersHere)
    monkeypatch.setattr(sys, "argv", ["benchmark_flow.py", *words])
    benchmark_flow.main()
    with table.open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * len(trajectory.RTOLS)
    assert all((row["status"], row["runs"], row["seconds"]) == ("", "2", "1.0") for row in rows)
    best = [row for row in rows if row["ours"] == "True"][-1]
    assert best["contestant"] == "ours, Radau IIA in adapted coordinates"
    assert float(best["rtol"]) == 1e-12
    assert float(best["times_error"]) < 1e-9 and float(best["error"]) < 1e-8
