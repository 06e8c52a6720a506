"""End to end: the smoke grid as a person runs it, in a copy of the project."""

import subprocess
import sys

import pytest

import grid
from workflow_runs import ROOT, Project

PROGRAMS = sorted(
    path.stem
    for path in (ROOT / "scripts").glob("*.py")
    if path.stem not in ("command_line", "tidy")
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The smoke grid, run from nothing. Tests must not change it."""
    project = Project(tmp_path_factory.mktemp("finished"))
    project.run()
    return project


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    return Project(tmp_path, results=finished)


def test_every_figure_and_table_is_made(finished):
    made = set(finished.checksums())
    for name in ("noise", "depth", "generalization", "prediction", "tight", "flow"):
        assert {f"smoke/figures/{name}.{kind}" for kind in ("pdf", "svg", "png")} <= made
    for name in ("cells", "rates", "agreement"):
        assert {f"smoke/tables/{name}.{kind}" for kind in ("csv", "md", "tex")} <= made


def test_a_second_run_does_nothing(finished):
    assert finished.scheduled() == {}
    assert "Nothing to be done" in finished.run()


def test_touching_a_file_schedules_nothing(copy):
    for path in (copy.folder / "scripts").rglob("*.py"):
        path.touch()
    assert copy.scheduled() == {}


@pytest.mark.parametrize(
    ("old", "new", "marks"),
    [
        ("depth: [2, 3]", "depth: [2, 3, 5]", "/D5/"),
        ("eta: [0, 0.1]", "eta: [0, 0.1, 0.25]", "_eta0.25/"),
        ("rho: [0, 0.5]", "rho: [0, 0.5, 0.75]", "_rho0.75/"),
    ],
)
def test_adding_a_value_schedules_only_its_cells(copy, old, new, marks):
    copy.replace("config/smoke.yaml", old, new)
    summaries = {"configuration", "tables", *(f"figure_{name}" for name in figures_with(new))}
    jobs = copy.scheduled()
    new_cells = {name: files for name, files in jobs.items() if name not in summaries}
    assert {"limit", "rates"} <= set(new_cells)
    assert all(marks in file for files in new_cells.values() for file in files), new_cells


def figures_with(line):
    """Experiments of the smoke configuration in which that line stands."""
    import yaml

    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8"))
    key = line.split(":")[0]
    return [name for name, experiment in config["experiments"].items() if key in experiment]


def test_adding_repetitions_schedules_only_new_blocks(copy):
    # 4 repetitions in blocks of 2 first, so that no block is partial
    copy.replace("config/smoke.yaml", "repetitions: 3", "repetitions: 4")
    copy.run()
    before = copy.checksums()
    copy.replace("config/smoke.yaml", "repetitions: 4", "repetitions: 6")
    jobs = copy.scheduled()
    for stage in ("problems", "l1", "null_space", "limit"):
        assert jobs[stage]
        assert all("reps4-5" in file for file in jobs[stage])
    copy.run()
    after = copy.checksums()
    blocks = [name for name in before if name.endswith(".npz") and "reps" in name]
    assert blocks
    assert all(after[name] == before[name] for name in blocks)


CURVES = {f"figure_{name}" for name in ("noise", "depth", "generalization", "prediction", "tight")}
AFTER_RATES = CURVES | {"tables"}
AFTER_FLOW = {"agreement", "figure_flow", "tables"}


@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("flow", {"flow", "plain_flow"} | AFTER_FLOW),
        ("rates", {"rates"} | AFTER_RATES),
        ("asymptotics", {"asymptotics", "rates"} | AFTER_RATES),
        ("limit", {"limit", "rates", "agreement"} | AFTER_RATES),
    ],
)
def test_changing_a_module_schedules_what_uses_it(copy, module, stages):
    path = copy.folder / "scripts" / "implicit_l1" / f"{module}.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    assert set(copy.scheduled()) == stages


@pytest.mark.parametrize("name", PROGRAMS)
def test_declared_code_is_what_a_program_imports(name):
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path.insert(0, 'scripts'); import {name}\n"
            "for module in list(sys.modules.values()):\n"
            "    print(getattr(module, '__file__', None))",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    imported = {line for line in found if line.startswith(str(ROOT / "scripts"))}
    declared = {str(ROOT / path) for path in grid.code(f"scripts/{name}.py", ROOT)}
    # an import inside a function is declared too, though loading alone does not run it
    assert imported <= declared
    assert all("/scripts/" in path for path in declared)


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_program_explains_itself(name):
    result = subprocess.run(
        [sys.executable, f"scripts/{name}.py", "--help"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0
    assert "usage:" in result.stdout


def test_a_killed_run_ends_with_the_same_bytes(finished, tmp_path):
    project = Project(tmp_path)
    project.kill_while_running(after=40)
    assert project.checksums() != finished.checksums()
    project.run()
    assert project.checksums() == finished.checksums()


def test_a_bad_configuration_changes_nothing(tmp_path):
    project = Project(tmp_path)
    project.replace("config/smoke.yaml", "N: 20", "N: 40")
    result = project.snakemake()
    assert result.returncode != 0
    message = result.stdout + result.stderr
    assert "experiments.noise" in message
    assert "N" in message
    assert not (project.folder / "results").exists()


def test_a_damaged_intermediate_is_named(copy):
    path = copy.folder / "results/smoke/problems/gaussian_N20_d40_s2_eta0/reps0-1.npz"
    path.write_bytes(path.read_bytes()[:-100])
    result = copy.snakemake()
    assert result.returncode != 0
    assert f"{path.relative_to(copy.folder)} is damaged" in result.stdout + result.stderr
    assert not (copy.folder / "results/smoke/l1/gaussian_N20_d40_s2_eta0/reps0-1.npz").exists()
    assert not list(copy.folder.rglob("results/**/.reps*"))
