"""Programs on bad input: they name the cell and the repetition, fail, and leave nothing."""

import subprocess
import sys

import numpy as np
import pytest

from implicit_l1.storage import read_arrays, read_table, write_arrays
from workflow_runs import ROOT

L1 = ("--support-threshold", "1e-9", "--nonunique")


def program(folder, name, *arguments):
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / f"{name}.py", *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def write_problems(folder, matrix, signal, data, name="results/problems/mine/reps0-1.npz"):
    """A block of two repetitions: a good one, and the one given."""
    good = np.array([[1.0, 0.25]]) if matrix.shape == (1, 2) else None
    blocks = [matrix] if good is None else [good, matrix]
    write_arrays(
        folder / name,
        repetition=np.arange(len(blocks)),
        matrix=np.array(blocks),
        signal=np.array([signal] * len(blocks)),
        data=np.array([data] * len(blocks)),
    )
    return name


def fails(result, *words):
    assert result.returncode == 1, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


@pytest.fixture
def not_unique(tmp_path):
    """A = [1, 1], y = 1: every point between e_1 and e_2 is a minimizer."""
    return write_problems(tmp_path, np.array([[1.0, 1.0]]), np.array([1.0, 0.0]), np.array([1.0]))


def test_a_minimizer_that_is_not_unique_stops_the_job(tmp_path, not_unique):
    output = "results/l1/mine/reps0-1.npz"
    result = program(tmp_path, "l1", "--problems", not_unique, "--output", output, *L1, "fail")
    fails(result, "l1/mine/reps0-1, repetition 1:", "not unique", "l1.nonunique")
    assert not (tmp_path / output).exists()


def test_it_can_be_carried_to_the_tables(tmp_path, not_unique):
    paths = {stage: f"results/{stage}/mine/reps0-1.npz" for stage in ("l1", "limit", "null_space")}
    inputs = ("--problems", not_unique, "--l1", paths["l1"])
    for name, arguments in {
        "l1": (*inputs[:2], "--output", paths["l1"], *L1, "carry"),
        "null_space": (
            *(*inputs, "--output", paths["null_space"]),
            *("--enumerate-up-to", 3, "--milp-nodes", 0),
        ),
        "limit": (
            *(*inputs, "--output", paths["limit"], "--depth", 2, "--tolerance", 1e-9),
            *("--log10-alpha", -1, -2, -3),
        ),
    }.items():
        result = program(tmp_path, name, *arguments)
        assert result.returncode == 0, result.stderr
    assert read_arrays(tmp_path / paths["l1"])["status"].tolist() == [
        "certified unique",
        "not unique",
    ]
    asymptotics = "results/asymptotics/mine/reps0-1.npz"
    result = program(tmp_path, "asymptotics", *inputs, "--output", asymptotics, "--depth", 2)
    assert result.returncode == 0, result.stderr
    instances, points, curves = (f"results/{name}.parquet" for name in ("i", "p", "c"))
    cell = (
        '{"ensemble": "mine", "N": 1, "d": 2, "s": 1, "eta": 0, "m": null, "family_rho": null,'
        ' "depth": 2, "path": "p"}'
    )
    result = program(
        *(tmp_path, "rates", "--l1", paths["l1"], "--null-space", paths["null_space"]),
        *("--limit", paths["limit"], "--asymptotics", asymptotics, "--cell", cell),
        *("--instances", instances, "--points", points, "--curves", curves),
        *("--window", 1e-3, 1e-1, "--onset-tolerance", 0.05, "--bootstrap", 100),
        *("--confidence", 0.9, "--seed", 1),
    )
    assert result.returncode == 0, result.stderr
    table = read_table(tmp_path / instances)
    assert table["fitted_rate"].notna().tolist() == [True, False]
    assert read_table(tmp_path / curves)["count"].eq(1).all()
    result = program(
        *(tmp_path, "tables", "--table", "cells", "--input", instances),
        *("--csv", "t.csv", "--markdown", "t.md", "--latex", "t.tex", "--html", "t.html"),
    )
    assert result.returncode == 0, result.stderr
    assert "1 not unique" in (tmp_path / "t.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("matrix", "data", "words"),
    [
        ([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [1.0, 1.0], "infeasible"),
        ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]], [1.0, 1.0], "infeasible"),
    ],
)
def test_an_infeasible_problem_stops_the_job(tmp_path, matrix, data, words):
    name = write_problems(tmp_path, np.array(matrix), np.zeros(3), np.array(data))
    output = "results/l1/mine/reps0-1.npz"
    result = program(tmp_path, "l1", "--problems", name, "--output", output, *L1, "fail")
    fails(result, "l1/mine/reps0-1, repetition 0:", words)
    assert not (tmp_path / output).exists()


def test_a_draw_that_the_theory_excludes_stops_the_job(tmp_path):
    # two rows and three columns of signs: some repetition has dependent rows
    output = "results/problems/mine/reps0-99.npz"
    result = program(
        *(tmp_path, "problems", "--output", output, "--repetitions", 0, 99, "rademacher"),
        *("--N", 2, "--d", 3, "--s", 1, "--eta", 0, "--seed", 1, "--law", "constant"),
    )
    fails(result, "problems/mine/reps0-99, repetition", "full row rank")
    assert not (tmp_path / output).exists()


def test_a_point_outside_its_bounds_stops_the_job(tmp_path):
    block = "reps0-0"
    problems, l1, null_space, limit = (
        f"results/{stage}/mine/{block}.npz" for stage in ("problems", "l1", "null_space", "limit")
    )
    inputs = ("--problems", problems, "--l1", l1)
    for name, arguments in {
        "problems": (
            *("--output", problems, "--repetitions", 0, 0, "gaussian", "--N", 10, "--d", 20),
            *("--s", 2, "--eta", 0, "--seed", 1, "--law", "constant"),
        ),
        "l1": (*inputs[:2], "--output", l1, *L1, "fail"),
        "null_space": (
            *(*inputs, "--output", null_space, "--enumerate-up-to", 3, "--milp-nodes", 0),
        ),
        "limit": (
            *(*inputs, "--output", limit, "--depth", 2, "--tolerance", 1e-9),
            *("--log10-alpha", -2, -4, -6),
        ),
    }.items():
        result = program(tmp_path, name, *arguments)
        assert result.returncode == 0, result.stderr

    def bounds():
        return program(
            *(tmp_path, "bounds", *inputs, "--null-space", null_space, "--limit", limit),
            *("--output", "results/bounds/mine/reps0-0.parquet", "--cell", "{}", "--depth", 2),
        )

    assert bounds().returncode == 0
    (tmp_path / "results/bounds/mine/reps0-0.parquet").unlink()
    arrays = read_arrays(tmp_path / limit)
    arrays["log_unit"][0, 1] += np.log(1e3)
    write_arrays(tmp_path / limit, **arrays)
    fails(bounds(), "bounds/mine/reps0-0, repetition 0:", "log10(alpha) = -4", "upper")
    assert not (tmp_path / "results/bounds/mine/reps0-0.parquet").exists()
