"""Programs on bad input: they name the cell and the repetition, fail, and leave nothing."""

import numpy as np
import pandas as pd
import pytest

from export import timings
from implicit_l1.status import PROVED
from pipeline.storage import read_arrays, write_arrays
from pipeline.tidy import read_table
from problem_files import write_problems
from workflow_runs import script

L1 = ("--solver", "HIGHS", "--nonunique")


PROBLEM = ("--ensemble", "mine", "--N", 1, "--d", 2, "--s", 1, "--eta", 0)


def program(folder, name, *arguments):
    return script(name, *arguments, folder=folder)


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
    result = program(
        tmp_path, "stages/l1", "--problems", not_unique, "--output", output, *L1, "fail"
    )
    fails(result, "l1/mine/reps0-1, repetition 1:", "not unique", "l1.nonunique")
    assert not (tmp_path / output).exists()


def test_it_can_be_carried_to_the_tables(tmp_path, not_unique):
    paths = {stage: f"results/{stage}/mine/reps0-1.npz" for stage in ("l1", "limit", "null_space")}
    inputs = ("--problems", not_unique, "--l1", paths["l1"])
    for name, arguments in {
        "l1": (*inputs[:2], "--output", paths["l1"], *L1, "carry"),
        "null_space": (
            *(*inputs, "--output", paths["null_space"]),
            *("--exact-up-to", 3),
        ),
        "limit": (
            *(*inputs, "--output", paths["limit"], "--depth", 2, "--tolerance", 1e-9),
            *("--log10-alpha", -1, -2, -3),
        ),
    }.items():
        result = program(tmp_path, f"stages/{name}", *arguments)
        assert result.returncode == 0, result.stderr
    assert read_arrays(tmp_path / paths["l1"])["status"].tolist() == [
        "certified unique",
        "not unique",
    ]
    asymptotics = "results/asymptotics/mine/reps0-1.npz"
    result = program(tmp_path, "stages/asymptotics", *inputs, "--output", asymptotics, "--depth", 2)
    assert result.returncode == 0, result.stderr
    instances, points, curves = (f"results/{name}.parquet" for name in ("i", "p", "c"))
    cell = (*PROBLEM, "--depth", 2, "--path-name", "p")
    result = program(
        *(tmp_path, "stages/rates", "--l1", paths["l1"], "--null-space", paths["null_space"]),
        *("--limit", paths["limit"], "--asymptotics", asymptotics, *cell),
        *("--instances", instances, "--points", points, "--curves", curves),
        *("--window", 1e-3, 1e-1, "--onset-tolerance", 0.05, "--bootstrap", 100),
        *("--confidence", 0.9, "--seed", 1),
    )
    assert result.returncode == 0, result.stderr
    table = read_table(tmp_path / instances)
    assert table["fitted_rate"].notna().tolist() == [True, False]
    assert read_table(tmp_path / curves)["count"].eq(1).all()
    certificates = ("results/certificates/mine/reps0-1.parquet", "results/limits.parquet")
    for output, arguments in zip(
        certificates,
        [
            ("--null-space", paths["null_space"], *PROBLEM),
            (
                *("--limit", paths["limit"], "--asymptotics", asymptotics, *cell),
                *("--log10-alpha", -2, -3),
            ),
        ],
        strict=True,
    ):
        result = program(
            *(
                tmp_path,
                "stages/certificates",
                *inputs,
                "--output",
                output,
                "--radius",
                1e-12,
                *arguments,
            )
        )
        assert result.returncode == 0, result.stderr
        proofs = read_table(tmp_path / output)
        assert (proofs[proofs["repetition"] == 0]["status"] == PROVED).all()
        last = proofs[proofs["repetition"] == 1]
        assert last["quantity"].tolist() == ["margin"]
        assert "the dual vector is not strict" in last["status"].item()
    for name in ("cells", "rates"):
        result = program(
            *(tmp_path, "tables/write", "--table", name, "--input", instances),
            *("--certificates", *certificates),
            *("--csv", "t.csv", "--markdown", "t.md", "--latex", "t.tex", "--html", "t.html"),
            *("--origin", "t.json", "--configuration", "{}"),
        )
        assert result.returncode == 0, result.stderr
        assert "1 not unique" in (tmp_path / "t.md").read_text(encoding="utf-8")
        row = pd.read_csv(tmp_path / "t.csv").iloc[0]
        assert (row["repetitions"], row["certified"]) == (2, 1)
        # the kernel of (1, 1/4) is spanned by (-1/4, 1)
        column, value = ("rho", 0.25) if name == "cells" else ("predicted_rate", 0.75)
        assert row[column] == value


@pytest.mark.parametrize(
    ("matrix", "data", "words"),
    [
        ([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [1.0, 1.0], "full row rank"),
        ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]], [1.0, 1.0], "full row rank"),
    ],
)
def test_an_infeasible_problem_stops_the_job(tmp_path, matrix, data, words):
    name = write_problems(tmp_path, np.array(matrix), np.zeros(3), np.array(data))
    output = "results/l1/mine/reps0-1.npz"
    result = program(tmp_path, "stages/l1", "--problems", name, "--output", output, *L1, "fail")
    fails(result, "l1/mine/reps0-1, repetition 0:", words)
    assert not (tmp_path / output).exists()


def test_a_draw_that_the_theory_excludes_stops_the_job(tmp_path):
    # two rows and three columns of signs: some repetition has dependent rows
    output = "results/problems/mine/reps0-99.npz"
    result = program(
        *(tmp_path, "stages/problems", "--output", output, "--repetitions", 0, 99, "rademacher"),
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
        "null_space": (*(*inputs, "--output", null_space, "--exact-up-to", 3),),
        "limit": (
            *(*inputs, "--output", limit, "--depth", 2, "--tolerance", 1e-9),
            *("--log10-alpha", -2, -4, -6),
        ),
    }.items():
        result = program(tmp_path, f"stages/{name}", *arguments)
        assert result.returncode == 0, result.stderr

    def bounds():
        return program(
            *(tmp_path, "stages/bounds", *inputs, "--null-space", null_space, "--limit", limit),
            *(
                "--output",
                "results/bounds/mine/reps0-0.parquet",
                "--ensemble",
                "mine",
                "--depth",
                2,
            ),
        )

    assert bounds().returncode == 0
    (tmp_path / "results/bounds/mine/reps0-0.parquet").unlink()
    arrays = read_arrays(tmp_path / limit)
    arrays["log_unit"][0, 1] += np.log(1e3)
    write_arrays(tmp_path / limit, **arrays)
    fails(bounds(), "bounds/mine/reps0-0, repetition 0, log10(alpha)", "log10(alpha) = -4", "upper")
    assert not (tmp_path / "results/bounds/mine/reps0-0.parquet").exists()


# Stage certificates


SCALES = (0, -2, -4, -4.5)


@pytest.fixture(scope="module")
def block(tmp_path_factory):
    """A block of two noisy instances, and what the stages before find: folder, paths."""
    folder = tmp_path_factory.mktemp("block")
    stages = ("problems", "l1", "null_space", "limit", "asymptotics")
    paths = {stage: f"results/{stage}/mine/reps0-1.npz" for stage in stages}
    inputs = ("--problems", paths["problems"], "--l1", paths["l1"])
    for name, arguments in {
        "problems": (
            *("--repetitions", 0, 1, "gaussian", "--N", 10, "--d", 20),
            *("--s", 2, "--eta", 0.1, "--seed", 1, "--law", "constant"),
        ),
        "l1": (*inputs[:2], *L1, "fail"),
        "null_space": (*inputs, "--exact-up-to", 3),
        "limit": (*inputs, "--depth", 3, "--tolerance", 1e-9, "--log10-alpha", *SCALES),
        "asymptotics": (*inputs, "--depth", 3),
    }.items():
        result = program(folder, f"stages/{name}", "--output", paths[name], *arguments)
        assert result.returncode == 0, result.stderr
    return folder, paths


def certify(block, *arguments, output="results/certificates/mine/reps0-1.parquet"):
    folder, paths = block
    inputs = ("--problems", paths["problems"], "--l1", paths["l1"])
    result = program(
        *(folder, "stages/certificates", *inputs, "--output", output, "--radius", 1e-12, *arguments)
    )
    return result, folder / output


def between(row, value, relative=1e-9):
    """Whether a float lies in the enclosure of a row, up to its own rounding."""
    lower, upper = float(row["lower"]), float(row["upper"])
    assert lower <= upper <= lower + relative * abs(upper)
    return lower == pytest.approx(value, rel=relative)


def test_certificates_of_problems(block):
    folder, paths = block
    result, output = certify(block, "--null-space", paths["null_space"], *PROBLEM, "--N", 10)
    assert result.returncode == 0, result.stderr
    table = read_table(output)
    assert (table["status"] == PROVED).all()
    assert (table["N"] == 10).all()
    assert table["log10_alpha"].isna().all()
    l1, null_space, problems = (
        read_arrays(folder / paths[name]) for name in ("l1", "null_space", "problems")
    )
    for place in (0, 1):
        rows = table[table["repetition"] == place].set_index("quantity")
        distance = np.linalg.norm(l1["point"][place] - problems["signal"][place])
        expected = {
            "margin": l1["margin"][place],
            "rho": null_space["rho_upper"][place],
            "kappa": l1["kappa"][place],
            "l1_estimation_error": distance,
            "rho_tilde_lower": null_space["rho_tilde_lower"][place],
            "rho_tilde_upper": null_space["rho_tilde_upper"][place],
        }
        assert rows.index.tolist() == list(expected)
        assert all(between(rows.loc[name], value) for name, value in expected.items())


def test_certificates_of_limit_points(block):
    folder, paths = block
    result, output = certify(
        *(block, "--limit", paths["limit"], "--asymptotics", paths["asymptotics"]),
        *(*PROBLEM, "--depth", 3, "--path-name", "p"),
        *("--log10-alpha", -4.5, 0, -4),
        output="results/certificates/mine/limits.parquet",
    )
    assert result.returncode == 0, result.stderr
    table = read_table(output)
    assert (table["status"] == PROVED).all()
    assert (table["path"] == "p").all()
    limit, first, problems, l1 = (
        read_arrays(folder / paths[name]) for name in ("limit", "asymptotics", "problems", "l1")
    )
    norms = ["error_1", "error_2", "error_inf", "estimation_error", "error_over_prediction"]
    slopes = {-4.5: ["local_slope"]}  # where the scale before on the path is proved, too
    for instance in (0, 1):
        rows = table[table["repetition"] == instance]
        once = rows[rows["log10_alpha"].isna()].set_index("quantity")
        assert once.index.tolist() == ["margin", "rate", "constant"]
        assert between(once.loc["rate"], 1.0)
        constant = np.exp(first["log_constant"][instance])
        assert between(once.loc["constant"], constant)
        for scale in (0.0, -4.0, -4.5):
            at = rows[rows["log10_alpha"] == scale].set_index("quantity")
            assert at.index.tolist() == norms + slopes.get(scale, [])
            place = SCALES.index(scale)
            unit = np.exp(limit["log_unit"][instance, place])
            n = unit * limit["error"][instance, place]
            offset = l1["point"][instance] + n - problems["signal"][instance]
            expected = {
                "error_1": np.abs(n).sum(),
                "error_2": np.linalg.norm(n),
                "error_inf": np.abs(n).max(),
                "estimation_error": np.linalg.norm(offset),
                "error_over_prediction": np.abs(n).sum() / (constant * 10.0**scale),
            }
            assert all(between(at.loc[name], value) for name, value in expected.items())
        sizes = [
            float(
                rows[(rows["log10_alpha"] == s) & (rows["quantity"] == "error_1")]["lower"].item()
            )
            for s in (-4.0, -4.5)
        ]
        slope = np.log10(sizes[0] / sizes[1]) / 0.5
        assert between(at.loc["local_slope"], slope)


@pytest.mark.parametrize("scale", [-3, -4.00001, -5])
def test_a_scale_that_is_not_on_the_path_stops_the_job(block, scale):
    _, paths = block
    result, output = certify(
        *(block, "--limit", paths["limit"], "--asymptotics", paths["asymptotics"]),
        *(*PROBLEM, "--depth", 3, "--log10-alpha", -4, scale),
        output="results/certificates/mine/none.parquet",
    )
    fails(result, "certificates/mine/none", f"log10(alpha) = {float(scale)}", "not on the path")
    assert not output.exists()


def test_a_limit_that_is_not_proved_has_rows_that_say_so(block):
    """A scale whose guess is worthless: the others are proved, the slope across it is missing."""
    folder, paths = block
    arrays = read_arrays(folder / paths["limit"])
    arrays["log_unit"][1, 2] = -np.inf
    write_arrays(folder / "results/limit/mine/spoiled.npz", **arrays)
    result, output = certify(
        *(block, "--limit", "results/limit/mine/spoiled.npz"),
        *("--asymptotics", paths["asymptotics"], *PROBLEM, "--depth", 3),
        *("--log10-alpha", *SCALES[1:]),
        output="results/certificates/mine/spoiled.parquet",
    )
    assert result.returncode == 0, result.stderr
    table = read_table(output)
    spoiled = (table["repetition"] == 1) & (table["log10_alpha"] == -4)
    assert (table[~spoiled & (table["quantity"] != "local_slope")]["status"] == PROVED).all()
    assert spoiled.sum() >= 5
    for row in table[spoiled].to_dict("records"):
        assert row["status"].startswith("not proved: there is no approximate solution")
        assert row["lower"] == row["upper"] == ""
    slopes = table[(table["quantity"] == "local_slope") & (table["status"] == PROVED)]
    assert slopes[slopes["repetition"] == 1]["log10_alpha"].tolist() == []
    assert slopes[slopes["repetition"] == 0]["log10_alpha"].tolist() == [-4, -4.5]


def test_timings_of_stages_add_up_and_the_largest_job_is_that_of_all(tmp_path, monkeypatch):
    jobs = {"limit/a": (3.0, 2.0, 90.5), "limit/b": (5.0, 4.0, 70.0), "l1/a": (6.0, 1.0, 80.0)}
    for name, values in jobs.items():
        path = tmp_path / f"benchmarks/{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        row = "\t".join(map(str, values))
        path.write_text(f"s\tcpu_time\tmax_rss\n{row}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    words = ["timings", "--benchmarks", "benchmarks", "--csv", "t.csv", "--markdown", "t.md"]
    monkeypatch.setattr("sys.argv", words)
    timings.main()
    table = pd.read_csv("t.csv")
    assert list(table) == ["stage", "jobs", "seconds", "longest", "cpu_seconds", "memory_mb"]
    assert table["jobs"].dtype == int
    assert table.to_numpy().tolist() == [
        ["limit", 2, 8.0, 5.0, 6.0, 90.5],
        ["l1", 1, 6.0, 6.0, 1.0, 80.0],
        ["all", 3, 14.0, 6.0, 7.0, 90.5],
    ]
