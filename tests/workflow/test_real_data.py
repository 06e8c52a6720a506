"""Real data as their makers left them, from file to figures.

Wines: columns between 0.02 and 3 million, cond(A) = 2.5e7.  Digits: integers, a quarter of the
columns zero.  What stages l1, null_space and limit compute is compared with rational and
high-precision arithmetic, and with their certificates in ball arithmetic.
"""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from flint import fmpq, fmpq_mat

from implicit_l1.status import CERTIFIED, PROVED
from pipeline.storage import read_arrays
from pipeline.tidy import read_table
from truths import limit_points, log_norm, nearest_double, rational, rational_rows, rho
from workflow_runs import ROOT, Project, enter

NAMES = ["digits", "wine"]
DEPTHS = [2, 3, 4]
PATH = "alpha: {smallest: 1.0e-12, largest: 1.0, per_decade: 4}"
SHORT = "alpha: {smallest: 1.0e-6, largest: 1.0, per_decade: 1}"


@dataclass(frozen=True)
class Run:
    """A finished run: the project, its name, and A and y as the file has them."""

    project: Project
    name: str
    matrix: np.ndarray
    data: np.ndarray

    def files(self, stage, pattern):
        found = sorted((self.project.folder / "results" / self.name / stage).glob(pattern))
        assert found, (stage, pattern)
        return found

    def arrays(self, stage, part=""):
        (path,) = (p for p in self.files(stage, "**/reps0-0.npz") if part in p.parts or not part)
        return read_arrays(path)

    def certificates(self, depth=None):
        folder = "*" if depth is None else f"*/D{depth}/*"
        (path,) = self.files("certificates", f"{folder}/reps0-0.parquet")
        return read_table(path)


@pytest.fixture(scope="module", params=NAMES)
def run(request, tmp_path_factory):
    """The configuration with a shorter path, of which every point is proved."""
    name = request.param
    project = Project(tmp_path_factory.mktemp(name))
    config = f"config/{name}.yaml"
    project.replace(config, PATH, SHORT)
    project.replace(config, "rates:\n", "certificates: {scales: all}\nrates:\n")
    project.replace(
        config,
        "window: {smallest: 1.0e-12, largest: 1.0e-8}",
        "window: {smallest: 1.0e-6, largest: 1.0e-2}",
    )
    enter(
        f"""
        export PATH="$PWD/.venv/bin:$PATH"
        snakemake --cores all --configfile config/{name}.yaml
        """,
        project.folder,
    )
    table = pd.read_csv(project.folder / f"config/data/{name}.csv")
    return Run(project, name, table.drop(columns="y").to_numpy(float), table["y"].to_numpy(float))


def exact_minimizer(run, support):
    """(g* of d rationals, rho) of a support of N columns."""
    rows = rational_rows(run.matrix)
    square = fmpq_mat([[row[j] for j in support] for row in rows])
    values = square.solve(fmpq_mat([[rational(v)] for v in run.data])).entries()
    point = [fmpq(0)] * len(rows[0])
    for j, value in zip(support, values, strict=True):
        point[j] = value
    return point, rho(rows, support, [1 if value > 0 else -1 for value in values])


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_made_by_their_programs(name, tmp_path):
    for suffix in (".py", ".csv"):
        (tmp_path / f"{name}{suffix}").write_bytes(
            (ROOT / f"config/data/{name}{suffix}").read_bytes()
        )
    made = tmp_path / f"{name}.csv"
    kept = made.read_bytes()
    made.unlink()
    subprocess.run([sys.executable, tmp_path / f"{name}.py"], check=True)
    assert made.read_bytes() == kept


def test_what_is_unkind_about_them():
    """The reason that these files are here."""
    wine = pd.read_csv(ROOT / "config/data/wine.csv").drop(columns="y").to_numpy(float)
    assert np.linalg.cond(wine) > 1e7 and wine.max() / wine[wine > 0].min() > 1e8
    digits = pd.read_csv(ROOT / "config/data/digits.csv").drop(columns="y").to_numpy(float)
    assert np.array_equal(digits, np.rint(digits))
    assert (digits == 0).all(axis=0).sum() == 16


def test_figures_and_tables(run):
    folder = run.project.folder / "results" / run.name
    for figure in ("depth", "norms"):
        drawn = pd.read_csv(folder / f"figures/{run.name}_{figure}.csv")
        assert set(drawn["depth"]) == set(DEPTHS)
        assert (folder / f"figures/{run.name}_{figure}.png").stat().st_size > 10_000
    for table in ("cells", "rates", "constants", "errors"):
        shown = pd.read_csv(folder / f"tables/{run.name}_{table}.csv")
        assert len(shown) == (1 if table == "cells" else len(DEPTHS))


def test_the_minimizer_and_rho_are_the_exact_ones(run):
    found = run.arrays("l1")
    support = np.flatnonzero(found["point"][0])
    assert found["status"] == [CERTIFIED] and support.size == len(run.data)
    point, exact = exact_minimizer(run, support.tolist())
    # with N columns in S, rho < 1 and the signs those of the point prove all of it
    assert exact < 1
    expected = [nearest_double(value) for value in point]
    assert np.allclose(found["point"][0], expected, rtol=1e-15, atol=0)
    assert found["margin"][0] == pytest.approx(nearest_double(1 - exact), rel=1e-12)
    margins = run.certificates().query("quantity == 'margin'")
    assert margins["status"].tolist() == [PROVED]
    lower, upper = (float(margins[side].item()) for side in ("lower", "upper"))
    assert lower <= nearest_double(1 - exact) * (1 + 1e-15)
    assert upper >= nearest_double(1 - exact) * (1 - 1e-15)
    assert upper - lower < 1e-12


@pytest.mark.parametrize("depth", DEPTHS)
def test_limit_points_are_proved_to_ten_digits(run, depth):
    limit = run.arrays("limit", f"D{depth}")
    proved = run.certificates(depth).query("quantity == 'error_1'").sort_values("log10_alpha")
    assert proved["status"].eq(PROVED).all(), proved["status"].tolist()
    log_alpha = limit["log_alpha"].ravel()
    assert np.allclose(proved["log10_alpha"], np.sort(log_alpha) / np.log(10.0))
    found = np.exp(limit["log_error_1"].ravel()[np.argsort(log_alpha)])
    lower, upper = (proved[side].astype(float).to_numpy() for side in ("lower", "upper"))
    assert np.all(found >= lower * (1 - 1e-10)) and np.all(found <= upper * (1 + 1e-10))
    assert np.all(upper - lower <= 1e-10 * lower)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_limit_point_with_many_digits(run, depth):
    """At the largest scale, where x is far from g*."""
    support = np.flatnonzero(run.arrays("l1")["point"][0]).tolist()
    limit = run.arrays("limit", f"D{depth}")
    point, _ = exact_minimizer(run, support)
    (error,) = limit_points(run.matrix, run.data, depth, limit["log_alpha"].ravel()[:1], point)
    assert limit["log_error_1"].ravel()[0] == pytest.approx(log_norm(error), abs=1e-10)


def test_columns_of_zeros_do_nothing(run):
    zero = np.flatnonzero((run.matrix == 0).all(axis=0))
    assert zero.size == (16 if run.name == "digits" else 0)
    assert not run.arrays("l1")["point"][0][zero].any()
    for depth in DEPTHS:
        assert not run.arrays("limit", f"D{depth}")["error"][..., zero].any()


def test_the_audit_passes(run):
    # things are made again, a sample of two, in one of these runs, which are large
    size = "2" if run.name == "wine" else "0"
    words = ("scripts/audit/judge.py", "--configfile", f"config/{run.name}.yaml", "--again", size)
    subprocess.run([sys.executable, *words], cwd=run.project.folder, check=True)
    page = (run.project.folder / "results" / run.name / "audit.md").read_text(encoding="utf-8")
    assert "FAIL" not in page


@pytest.mark.parametrize("run", NAMES[:1], indirect=True)
def test_one_page_and_one_file_with_everything(run):
    config = f"config/{run.name}.yaml"
    said = enter("make report timings crate", run.project.folder, CONFIG=config)
    folder = run.project.folder / "results" / run.name
    assert f"The report is results/{run.name}/report.html" in said
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{run.name}_norms" in page and f"{run.name}_errors" in page
    assert "System Message" not in page  # of the text's markup
    # its first page shows every figure
    figures = list((folder / "figures").glob("*.png"))
    assert page.count(r"src=\"data:image/svg+xml,") == len(figures)
    assert (folder / "crate.zip").is_file() and (folder / "timings.md").is_file()
