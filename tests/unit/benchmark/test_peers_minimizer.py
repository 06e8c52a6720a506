"""Peers for the l1 minimizer and rho give what is certified, and benchmark l1 writes its table."""

import csv
import sys

import numpy as np
import pytest

from benchmark import l1 as benchmark_l1
from benchmark.measure import Measurement
from benchmark.peers import minimizer as peers
from contestants import WorkersHere
from reference import instance
from workflow_runs import script

pytestmark = pytest.mark.long

PACKAGES = {"spgl1": "spgl1", "scikit-learn": "sklearn", "clarabel": "clarabel"}


def installed(peer):
    for package in peer.packages:
        pytest.importorskip(PACKAGES.get(package, package))


@pytest.fixture(scope="module", params=[0.0, 0.1], ids=["noiseless", "noisy"])
def problem(request):
    return instance(N=15, d=40, s=2, eta=request.param)


@pytest.mark.parametrize("peer", peers.MINIMIZER, ids=lambda peer: peer.name)
def test_minimizers_are_the_certified_one(problem, peer):
    installed(peer)
    x = peer.solve({"matrix": problem.matrix, "data": problem.data})
    g = problem.minimizer.point
    gap = np.linalg.norm(problem.matrix @ x - problem.data)
    assert gap <= 1e-10 * np.linalg.norm(problem.data)
    if peer.name == "SPGL1" and problem.minimizer.support.size == problem.matrix.shape[0]:
        # it passes the smallest radius by a little, and cannot come back
        assert np.abs(x).sum() == pytest.approx(np.abs(g).sum(), rel=1e-2)
    else:
        assert np.abs(x - g).sum() < 1e-9


@pytest.mark.parametrize("peer", peers.RHO, ids=lambda peer: peer.name)
def test_dual_vectors_attain_rho(peer):
    installed(peer)
    problem = instance(N=15, d=40, s=2, eta=0.0)
    support = problem.minimizer.support
    sigma = np.sign(problem.minimizer.point[support])
    nu = peer.solve({"matrix": problem.matrix, "support": support, "sigma": sigma})
    image = problem.matrix.T @ nu
    assert np.abs(image[support] - sigma).max() < 1e-10
    height = np.abs(np.delete(image, support)).max()
    assert height == pytest.approx(1.0 - problem.minimizer.margin, abs=1e-9)


@pytest.mark.parametrize(
    "peer",
    # the path of the lasso ends at a least-squares solution
    [peer for peer in peers.MINIMIZER if peer.name != "lars_path"],
    ids=lambda peer: peer.name,
)
def test_peers_say_where_there_is_no_solution(peer):
    installed(peer)
    # y is not in the range of A
    problem = {
        "matrix": np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]]),
        "data": np.array([1.0, 0.0]),
    }
    with pytest.raises(ArithmeticError, match=r"infeasible|ended|not solved"):
        peer.solve(problem)


def test_the_program_writes_a_row_a_contestant(tmp_path, monkeypatch):
    table = tmp_path / "l1.csv"
    words = "--size 8 16 1 --eta 0 0.1 --repetitions 2 --limit 1 --seed 1"
    monkeypatch.setattr(benchmark_l1, "Workers", WorkersHere)
    monkeypatch.setattr(sys, "argv", ["benchmark_l1.py", *words.split(), "--csv", str(table)])
    benchmark_l1.main()
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(row["N"], row["d"], row["s"]) for row in rows} == {("8", "16", "1")}
    of_cell = {"minimizer": 2 + len(peers.MINIMIZER), "rho": 2 + len(peers.RHO)}
    for eta, problem in (("0", "minimizer"), ("0.1", "minimizer"), ("0", "rho")):
        here = [row for row in rows if (row["eta"], row["problem"]) == (eta, problem)]
        assert len(here) == of_cell[problem]
    assert not [row for row in rows if (row["eta"], row["problem"]) == ("0.1", "rho")]
    for row in rows:
        if row["status"] != "not installed" and row["contestant"] != "SPGL1":
            assert (row["status"], row["runs"], float(row["seconds"])) == ("", "2", 1.0)
            assert float(row["error"]) < 1e-8 and float(row["infeasibility"]) < 1e-8
    ours = [row for row in rows if row["ours"] == "True"]
    assert all(float(row["error"]) < 1e-12 for row in ours)
    stages = [row for row in rows if row["over_programs"]]
    assert [row["contestant"] for row in stages] == 2 * [benchmark_l1.WHOLE]


def test_a_stage_is_compared_with_its_programs_round_by_round():
    seconds = {
        benchmark_l1.WHOLE: [6.0, 20.0, 9.0],
        "ours, basis pursuit alone": [2.0, 4.0, 1.0],
        "ours, program of rho alone": [1.0, 1.0, 2.0],
    }
    results = {
        one.name: Measurement(seconds.get(one.peer.name, [100.0]))
        for one in benchmark_l1.CONTESTANTS
    }
    assert benchmark_l1.over_programs(results) == 3.0
    # where rho is a formula
    results = {name: run for name, run in results.items() if not name.startswith("rho")}
    assert benchmark_l1.over_programs(results) == 5.0


def test_a_size_that_cannot_be_drawn_is_one_line(tmp_path):
    words = ["--size", "20", "10", "2", "--eta", "0", "--repetitions", "1", "--limit", "1"]
    words += ["--seed", "1", "--csv", tmp_path / "l1.csv"]
    result = script("benchmark/l1", *words)
    assert result.returncode == 1
    assert "fewer rows" in result.stderr and "Traceback" not in result.stderr
