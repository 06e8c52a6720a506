"""The growth of time and memory: exponents of known laws, and the program on tiny sizes.

Also the linear programs of large problems, which another method solves, on small ones.
"""

import csv
import re

import numpy as np
import pytest
import scipy.optimize

from benchmark import growth
from implicit_l1.linear import programs
from implicit_l1.linear.interior import LinearProgramError, kernel_form, smallest_maximum
from implicit_l1.minimizer import l1, null_space, proposals
from implicit_l1.minimizer.support import support_geometry
from pipeline.command_line import Failure
from reference import instance
from workflow_runs import script

pytestmark = pytest.mark.long

TINY = {
    "--rows": [6, 8],
    "--ratios": [2],
    "--sparsity": [0.1],
    "--eta": [0],
    "--repetitions": [1],
    "--log10-alpha": [0, -1],
    "--resolution": [0],
    "--empty-runs": [1],
    "--seed": [1],
}


def program(folder, **changes):
    """Run the program with these options in place of the tiny ones."""
    options = TINY | {"--csv": [folder / "growth.csv"], "--markdown": [folder / "growth.md"]}
    words = [word for name, values in (options | changes).items() for word in (name, *values)]
    return script("benchmark/growth", *words)


@pytest.mark.parametrize("power", [0.0, 1.0, 2.5, 4.0])
def test_a_power_law_has_its_exponent(power):
    sizes = [50, 100, 200, 400]
    found, error = growth.exponent(sizes, [3.0 * size**power for size in sizes])
    assert found == pytest.approx(power) and error < 1e-12


def test_the_fit_is_least_squares_in_the_logarithms():
    sizes, seconds = [10, 20, 50, 70], [0.3, 1.1, 9.0, 11.0]
    expected, covariance = np.polyfit(np.log(sizes), np.log(seconds), 1, cov=True)
    expected = (expected[0], np.sqrt(covariance[0, 0]))
    assert growth.exponent(sizes, seconds) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sizes", "seconds", "words"),
    [
        ([50], [1.0], "two sizes"),
        ([50, 50], [1.0, 2.0], "two sizes"),
        ([50, 100], [1.0, 0.0], "positive"),
    ],
)
def test_what_has_no_exponent_is_said(sizes, seconds, words):
    with pytest.raises(ValueError, match=words):
        growth.exponent(sizes, seconds)


def test_exponents_of_rows_and_of_columns_are_told_apart():
    runs = [
        growth.Run("limit D2", N, ratio * N, 1e-7 * N**2 * (ratio * N), 100.0)
        for ratio in (4, 10)
        for N in (50, 100, 200)
    ]
    rows = growth.exponents(runs, 0.0)
    found = {(fixed, grows): (span, fit) for _, _, fixed, grows, span, fit, *_ in rows}
    assert found["d / N = 4", "N"] == ("50, 100, 200", pytest.approx(3.0))
    assert found["N = 100", "d"] == ("400, 1000", pytest.approx(1.0))
    assert {fixed for fixed, _ in found} == {f"d / N = {r}" for r in (4, 10)} | {
        f"N = {N}" for N in (50, 100, 200)
    }


def test_runs_too_short_to_measure_do_not_enter():
    runs = [growth.Run("l1", N, 4 * N, 1e-3 * N, 100.0) for N in (50, 100, 200)]
    ((*_, span, fit, error, _),) = growth.exponents(runs, 0.1)
    assert (span, fit) == ("100, 200", pytest.approx(1.0)) and np.isnan(error)
    assert growth.exponents(runs, 0.15) == []


def test_no_fit_crosses_a_change_of_method():
    # each method a power law of its own, with a jump between them
    runs = [
        growth.Run(
            "l1", N, 10 * N, factor * N**power, 100.0, growth.method("l1", N, 10 * N, 0.1, 0.1)
        )
        for factor, power, rows in ((1e-3, 4, (4, 6)), (1e-6, 3, (200, 400, 800)))
        for N, d in ((N, 10 * N) for N in rows)
    ]
    found = {way: (span, fit) for _, way, _, _, span, fit, *_ in growth.exponents(runs, 0.0)}
    assert found == {
        growth.SIMPLEX: ("4, 6", pytest.approx(4.0)),
        growth.INTERIOR: ("200, 400, 800", pytest.approx(3.0)),
    }


@pytest.mark.parametrize(
    ("stage", "N", "d", "eta", "way"),
    [
        ("l1", 5, 40, 0, growth.BOTH),
        ("l1", 5, 40, 0.1, growth.SIMPLEX),
        ("l1", 8, 64, 0, growth.INTERIOR),
        ("l1", 8, 64, 0.1, growth.INTERIOR),
        ("l1", 200, 2000, 0, growth.INTERIOR),
        ("null_space", 5, 40, 0, growth.INTERIOR),
        ("null_space", 20, 200, 0, growth.INTERIOR),
        ("null_space", 200, 2000, 0, growth.INTERIOR),
        ("null_space", 200, 2000, 0.1, growth.NO_PROGRAM),
        ("limit D2", 200, 2000, 0, growth.NO_PROGRAM),
    ],
)
def test_methods_are_those_of_the_library(stage, N, d, eta, way):
    assert growth.method(stage, N, d, 0.05, eta) == way


def test_a_stage_comes_after_those_that_it_needs():
    stages = list(growth.EXPECTED)
    for stage in stages:
        assert all(stages.index(before) < stages.index(stage) for before in growth.needs(stage))
    assert growth.with_needs(["certificates D3"]) == [
        *("problems", "l1", "asymptotics D3", "limit D3", "certificates D3")
    ]


def test_a_stage_is_left_out_with_what_it_needs():
    largest = dict.fromkeys(growth.largest_size("limit D2=100")[0], 100)
    assert growth.runs_at("limit D2", 100, largest) and growth.runs_at("limit D3", 200, largest)
    assert not growth.runs_at("limit D2", 101, largest)
    assert not growth.runs_at("certificates D2", 101, largest)
    assert growth.with_needs(growth.EXPECTED) == list(growth.EXPECTED)
    assert growth.largest_size("limit=5") == (["limit D2", "limit D3"], 5)


def test_every_stage_is_measured(tmp_path):
    stages = [stage for stage in growth.EXPECTED if not stage.endswith("D3")]
    exponents = tmp_path / "exponents.csv"
    options = {
        "--stages": stages,
        "--largest": ["flow=6", "certificates=6"],
        "--exponents": [exponents],
    }
    result = program(tmp_path, **options)
    assert result.returncode == 0, result.stderr
    with exponents.open(encoding="utf-8") as file:
        assert {row["expected"] for row in csv.DictReader(file)} <= {"1", "3", "4"}
    with (tmp_path / "growth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    sizes = [(6, 12), (8, 16)]
    assert {(row["stage"], int(row["N"]), int(row["d"])) for row in rows} == {
        (stage, *size)
        for stage in stages
        for size in sizes
        if size[0] == 6 or not stage.startswith(("flow", "certificates"))
    }
    assert all(float(row["memory_mb"]) > 10 for row in rows)
    text = (tmp_path / "growth.md").read_text(encoding="utf-8")
    for word in ("cores", "Exponents", "null_space", "memory_mb", "Left out: flow D2 at N = 8;"):
        assert word in text


def measured_program(code):
    return growth.measured("limit D2", (6, 12), ["-c", code])


def test_time_is_cpu_time_and_memory_a_peak():
    """Of programs that use so much of the one, and of the other, whatever else the machine does."""
    found = measured_program("import time\nwhile time.process_time() < 1.0: pass")
    assert (found.stage, found.N, found.d) == ("limit D2", 6, 12)
    assert found.seconds >= 1.0
    # one that waits uses none: less than it takes by the clock
    assert measured_program("import time; time.sleep(1.0)").seconds < 1.0
    large = measured_program("bytes(range(256)) * 2**20")
    # a process is as large as the one it is a fork of, before it begins
    assert large.memory > 256


def test_a_stage_has_one_thread():
    code = "import os, sys; sys.exit(os.environ['OPENBLAS_NUM_THREADS'] != '1')"
    measured_program(code)
    with pytest.raises(Failure, match="stage limit D2 at N = 6, d = 12: exit status 3"):
        measured_program("raise SystemExit(3)")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--ratios": [1]}, "greater than 1"),
        ({"--sparsity": [0]}, "sparsity"),
        ({"--repetitions": [0]}, "repetition"),
        ({"--empty-runs": [0]}, "one empty run"),
        # after the stage and the size, what the stage says
        (
            {"--log10-alpha": ["inf"], "--stages": ["limit D2"]},
            "stage limit D2 at N = 10, d = 20: error: .*log_alpha must be finite",
        ),
    ],
)
def test_errors_name_what_is_wrong(tmp_path, changes, words):
    result = program(tmp_path, **changes)
    assert result.returncode == 1
    assert re.search(words, result.stderr)
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.iterdir())


# Large programs


@pytest.fixture
def all_large(monkeypatch):
    """Take every program for a large one, and do not fall back on another method."""

    def refuse(*arguments, **options):
        raise AssertionError("the interior-point method did not find the solution")

    monkeypatch.setattr(proposals, "LARGE", 0)
    for module, name in ((programs, "linprog"), (scipy.optimize, "nnls")):
        monkeypatch.setattr(module, name, refuse)


def coordinates(problem):
    support = problem.minimizer.support
    return support_geometry(problem.matrix, support), np.sign(problem.minimizer.point[support])


@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_minimizers_are_the_same_by_either_method(request, eta):
    problems = [instance(N=20, d=60, s=2, eta=eta), instance(N=100, d=400, s=8, eta=eta)]
    request.getfixturevalue("all_large")
    for problem in problems:
        found = l1.decide_minimizer(problem.matrix, problem.data, "auto")
        assert found.status == problem.minimizer.status
        assert found.point.tobytes() == problem.minimizer.point.tobytes()
        assert found.margin == pytest.approx(problem.minimizer.margin, rel=1e-9)


def test_null_space_constants_are_the_same_by_either_method(request):
    problem = instance(N=30, d=90, s=4, eta=0.0)
    geometry, sigma = coordinates(problem)
    searched = null_space.null_space_constant(geometry, sigma, 1)
    enumerated = null_space.null_space_constant(geometry, sigma, 10)
    request.getfixturevalue("all_large")
    for expected, up_to in ((searched, 1), (enumerated, 10)):
        found = null_space.null_space_constant(geometry, sigma, up_to)
        assert found.lower == pytest.approx(expected.lower, rel=1e-7)
        assert found.upper == pytest.approx(expected.upper, rel=1e-7)
        # the dual vectors are of their patterns
        on, off = (problem.matrix[:, j].T for j in (geometry.support, geometry.complement))
        assert np.abs(on @ found.duals.T - found.patterns.T).max() < 1e-12
        heights = np.abs(off @ found.duals.T).max(axis=0)
        patterns = null_space.PatternPrograms(geometry)
        least = patterns.solve(found.patterns)[0]
        assert np.all(heights >= least * (1.0 - 1e-9))


@pytest.mark.parametrize("seed", range(20))
def test_both_sides_of_a_large_program_meet(seed):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, 30))
    free_map = rng.standard_normal((rows, rows + int(rng.integers(1, 60))))
    offset = rng.standard_normal(free_map.shape[1]) * 10.0 ** rng.integers(-3, 3)
    free, kernel = smallest_maximum(kernel_form(free_map), offset)
    height = np.abs(offset + free_map.T @ free).max()
    assert offset @ kernel == pytest.approx(height, rel=1e-9)
    assert np.abs(kernel).sum() == pytest.approx(1.0, rel=1e-12)
    assert np.abs(free_map @ kernel).max() < 1e-12
    assert np.count_nonzero(kernel) <= rows + 1


def test_a_program_with_many_kernel_vectors_has_one_of_them():
    # every k whose entries are positive is optimal
    free, kernel = smallest_maximum(kernel_form(np.array([[1.0, -1.0, 1.0, -1.0]])), np.ones(4))
    assert np.abs(free).max() < 1e-12
    assert kernel.sum() == pytest.approx(1.0)


def test_rows_that_are_dependent_are_refused():
    with pytest.raises(LinearProgramError, match="interior-point"):
        smallest_maximum(
            kernel_form(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])), np.array([1.0, 0.0, 2.0])
        )
