"""End to end: the smoke grid as a person runs it, in a copy of the project."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from pipeline.tidy import read_table
from planning import configuration, grid, reading
from planning.plan import Plan
from workflow_runs import ROOT, Project, enter

PROGRAMS = sorted(
    str(path.relative_to(ROOT / "scripts").with_suffix(""))
    for path in (ROOT / "scripts").rglob("*.py")
    if '\nif __name__ == "__main__":\n' in path.read_text(encoding="utf-8")
)

# figure of the smoke grid -> its kind
FIGURES = Plan(configuration.validate(reading.load(ROOT / "config/smoke.yaml"))).figure_of


READABLE = [
    *("cells", "rates", "far", "constants", "newton"),
    *("agreement", "tightness", "descent", "phase", "orders", "deeper"),
]
FIGURE_KINDS = ("pdf", "svg", "png", "csv", "json")
TABLE_KINDS = ("csv", "md", "tex", "html", "json")


def test_every_figure_and_table_is_made(finished):
    made = set(finished.checksums())
    assert {f"smoke/figures/{name}.{kind}" for name in FIGURES for kind in FIGURE_KINDS} <= made
    assert {f"smoke/tables/{name}.{kind}" for name in READABLE for kind in TABLE_KINDS} <= made


TABLES = {
    "instances": "rates/**/instances.parquet",
    "points": "rates/**/points.parquet",
    "curves": "rates/**/curves.parquet",
    "trajectories": "flow/**/*.parquet",
    "agreement": "agreement/**/*.parquet",
    "bounds": "bounds/**/*.parquet",
    "descent": "descent/**/*.parquet",
    "phase": "phase/**/s*.parquet",
    "orders": "orders/**/order?.parquet",
    "certificates": "certificates/**/*.parquet",
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_as_their_schemas_say(finished, name):
    schema = yaml.safe_load((ROOT / f"workflow/schemas/{name}.schema.yaml").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    files = list((finished.folder / "results/smoke").glob(TABLES[name]))
    assert files
    for file in files:
        for row in read_table(file).to_dict("records"):
            validator.validate(row)


def test_every_schema_is_of_a_table():
    names = {path.name.split(".")[0] for path in (ROOT / "workflow/schemas").iterdir()}
    assert names == {"config", "lasso_path", *TABLES}  # that of lasso_path: test_related.py


def test_what_is_made_on_request_can_be_planned(finished):
    """Also what no other test makes; that a job can be planned takes every function of its rule."""
    targets = ["benchmark", "growth", "timings", "crate", "reference", "audit", "tidy"]
    planned = finished.plan("--forceall", "--", *targets)
    assert set(targets) <= set(re.findall(r"^(?:local)?rule (\w+):", planned, re.MULTILINE))


def test_a_second_run_does_nothing(finished):
    assert finished.scheduled() == {}
    said = enter(
        """
        export PATH="$PWD/.venv/bin:$PATH"
        snakemake --cores all --configfile config/smoke.yaml
        """,
        finished.folder,
    )
    assert "Nothing to be done" in said


def test_touching_a_file_schedules_nothing(copy):
    for path in (copy.folder / "scripts").rglob("*.py"):
        path.touch()
    assert copy.scheduled() == {}


def test_a_file_replaced_by_an_older_one_is_seen(copy):
    """Restored from an archive, or moved here: its time says nothing."""
    for name in ("scripts/implicit_l1/network/descent.py", "scripts/figures/house.mplstyle"):
        text = (copy.folder / name).read_text(encoding="utf-8")
        (copy.folder / name).write_text(f"{text}# older\n", encoding="utf-8")
        os.utime(copy.folder / name, (1e9, 1e9))
    jobs = copy.scheduled()
    assert set(jobs) == {"descent", "figures", "tables"}
    assert {file for file in jobs["figures"] if file.endswith(".csv")} == {
        f"results/smoke/figures/{path.name}"
        for path in (copy.folder / "results/smoke/figures").glob("*.csv")
    }


def test_own_data_replaced_by_older_ones_are_seen(tmp_path):
    project = Project(tmp_path)
    (tmp_path / "own.csv").write_text("a,b,c,y\n1,0,0.5,1\n0,1,-0.3,2\n", encoding="utf-8")
    experiment = {
        "figure": "depth",
        "ensemble": {"name": "file", "path": "own.csv"},
        "depth": [2, 3],
        "alpha": {"smallest": 1e-6, "largest": 1.0, "per_decade": 1},
    }
    window = {"smallest": 1e-6, "largest": 1e-4}
    config = {
        "results": "results/own",
        "rates": {"window": window},
        "experiments": {"own": experiment},
    }
    (tmp_path / "config/own.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    jobs = project.scheduled(config="config/own.yaml")
    (target,) = jobs["problems"]
    project.run("--", target, config="config/own.yaml")
    assert "problems" not in project.scheduled(config="config/own.yaml")
    (tmp_path / "own.csv").write_text("a,b,c,y\n1,0,0.5,1\n0,1,-0.4,2\n", encoding="utf-8")
    os.utime(tmp_path / "own.csv", (1e9, 1e9))
    assert project.scheduled(config="config/own.yaml")["problems"] == [target]


# a depth more: see test_recipes.py
ADDED = {"rho: [0, 0.5]": ("rho: [0, 0.5, 0.75]", "_rho0.75/")}


def test_adding_values_computes_only_their_cells(copy):
    before = copy.checksums()
    for old, (new, _) in ADDED.items():
        copy.replace("config/smoke.yaml", old, new)
    made = copy.run_and_see()
    shown = {f"smoke/figures/{name}" for old in ADDED for name in figures_with(old)}
    assert made.pop("configuration") and made.pop("tables")
    drawn = {file[8:].split(".")[0] for file in made.pop("figures")}
    assert drawn and all(any(name.startswith(one) for one in shown) for name in drawn)
    marks = [mark for _, mark in ADDED.values()]
    for mark in marks:
        assert all(any(mark in file for file in made[stage]) for stage in ("limit", "rates"))
    for stage, files in made.items():
        assert all(any(mark in file for mark in marks) for file in files), (stage, files)
    after = copy.checksums()
    cells = [name for name in before if not name.startswith(("smoke/figures/", "smoke/tables/"))]
    assert all(after[name] == before[name] for name in cells if "configuration" not in name)


def figures_with(line):
    """Experiments of the smoke configuration in which that line stands."""
    config = yaml.safe_load((ROOT / "config/smoke.yaml").read_text(encoding="utf-8"))
    key = line.split(":")[0]
    return [name for name, experiment in config["experiments"].items() if key in experiment]


def test_adding_repetitions_computes_only_new_blocks(tmp_path):
    # 5 repetitions in blocks of 5 first, so that no block is partial; of one small experiment
    project = Project(tmp_path)
    path = project.folder / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    few = {"ensemble": "gaussian", "s": 1, "eta": 0, "repetitions": 5}
    config["experiments"] = {"prediction": config["experiments"]["prediction"] | few}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    project.run()
    before = project.checksums()
    project.replace("config/smoke.yaml", "repetitions: 5", "repetitions: 7")
    made = project.run_and_see()
    for stage in ("problems", "l1", "null_space", "limit"):
        assert made[stage]
        assert all("reps5-6" in file for file in made[stage])
    after = project.checksums()
    blocks = [name for name in before if name.endswith(".npz") and "reps" in name]
    assert blocks
    assert all(after[name] == before[name] for name in blocks)


def test_adding_an_experiment_makes_what_shows_it_and_nothing_else(copy):
    path = copy.folder / "config/smoke.yaml"
    text = path.read_text(encoding="utf-8")
    block = re.search(r"^  descent:\n(?:    .*\n)+", text, re.MULTILINE)[0]
    # of those of figure depth, with other flows
    crossed = yaml.safe_load(text)["experiments"]["depth"] | {"eta": 0, "depth": 2, "tables": []}
    crossed |= {"flow_alpha": [1.0e-2, 1.0e-1], "flow_repetitions": 1}
    text += block.replace("descent:\n", "steps:\n")
    text += f"  crossed: {yaml.safe_dump(crossed, default_flow_style=True, width=1000)}"
    path.write_text(text, encoding="utf-8")
    # its cells are there already, and what is new of the flows is one
    # (what is scheduled behind it is kept)
    made = {stage: files for stage, files in copy.run_and_see().items() if files}
    assert set(made) == {"configuration", "flow", "agreement", "figures", "tables"}
    names = {Path(file).stem for stage in ("figures", "tables") for file in made[stage]}
    assert names == {"steps", "descent", "crossed"}
    assert [file.split("/")[-2:] for file in (*made["flow"], *made["agreement"])] == [
        ["alpha0.1", "reps0-2rep0.npz"],
        ["dual0.1", "reps0-2rep0.parquet"],
    ]


SHOWN = {"figures", "tables"}


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("{smallest: 1.0e-4,", "{smallest: 1.0e-3,", {"figures"}),
        (
            *("coordinates: 6", "coordinates: 4"),
            {"flow", "plain_flow", "agreement", "trajectory_certificates"} | SHOWN,
        ),
    ],
)
def test_changing_an_option_schedules_what_depends_on_it(copy, old, new, rules):
    copy.replace("config/smoke.yaml", old, new)
    assert set(copy.scheduled()) == {"configuration"} | rules


# groups of modules that have no stage in common: module -> stages whose program imports it
MODULES = {
    "a stage each": {
        "flow": {"flow", "plain_flow", "agreement", "trajectory_certificates"},
        "rates": {"rates", "tables"},
        "bounds": {"bounds"},
        "descent": {"descent"},
        "phase": {"phase"},
    },
    "what tables print": {"intervals": {"tables"}},
    "asymptotics": {"asymptotics": {"asymptotics", "bounds"}},
    # what reads the file of limit points, and both kinds of certificates, which are one program
    "limit": {
        "limit": {
            *("limit", "limit_certificates", "certificates", "agreement", "bounds", "descent"),
            "rates",
        }
    },
}
ROOM = {"phase": "minimizer", "intervals": "proof"}
# stages that come after: they do not import it
AFTER = {
    "flow": SHOWN,
    "rates": SHOWN,
    "bounds": SHOWN,
    "descent": SHOWN,
    "phase": SHOWN,
    "intervals": set(),
    "asymptotics": {"rates", "limit_certificates"} | SHOWN,
    "limit": SHOWN,
}


@pytest.mark.parametrize("group", MODULES)
def test_changing_a_module_schedules_what_uses_it(copy, group):
    modules, files = MODULES[group], {}
    for module in modules:
        path = copy.folder / "scripts/implicit_l1" / ROOM.get(module, "network") / f"{module}.py"
        path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        files[module] = path.relative_to(copy.folder)
    reasons = copy.reasons()
    assert set(reasons) == set().union(*modules.values(), *(AFTER[name] for name in modules))
    for module, rules in modules.items():
        file = f"Updated input files: {files[module]}"
        first = {rule for rule, found in reasons.items() if file in found}
        assert first <= rules and first, (module, first)


# Each program in a process of its own, all of which share what is not the project's.
HELP = """
import json, multiprocessing, runpy, sys
import cvxpy, flint, jsonschema, matplotlib.pyplot, pandas, pyarrow.parquet, seaborn

def ask(path, place):
    sys.argv = [path, "--help"]
    with open(f"{place}.txt", "w") as sys.stdout:
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as ended:
            files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
            with open(f"{place}.json", "w") as file:
                json.dump(files if not ended.code else f"exit status {ended.code}", file)

sys.path.insert(0, "scripts")
folder, *programs = sys.argv[1:]
fork = multiprocessing.get_context("fork")
for place, path in enumerate(programs):
    process = fork.Process(target=ask, args=(path, f"{folder}/{place}"))
    process.start()
    process.join()
"""


@pytest.fixture(scope="module")
def helped_programs(tmp_path_factory):
    """Every program asked for help: its path -> (what it says, the files of its modules)."""
    folder = tmp_path_factory.mktemp("help")
    paths = [f"scripts/{name}.py" for name in PROGRAMS]
    subprocess.run([sys.executable, "-c", HELP, str(folder), *paths], cwd=ROOT, check=True)
    return {
        path: (
            (folder / f"{place}.txt").read_text(encoding="utf-8"),
            json.loads((folder / f"{place}.json").read_text(encoding="utf-8")),
        )
        for place, path in enumerate(paths)
    }


@pytest.fixture(params=PROGRAMS)
def helped(request, helped_programs):
    """A program that was asked for help: its path, what it says, the files of its modules."""
    path = f"scripts/{request.param}.py"
    return path, *helped_programs[path]


def test_declared_code_is_what_a_program_imports(helped):
    path, _, found = helped
    imported = {file for file in filter(None, found) if file.startswith(str(ROOT / "scripts"))}
    assert imported
    declared = {str(ROOT / file) for file in grid.code(path, ROOT)}
    # an import inside a function is declared too, though loading alone does not run it
    assert imported <= declared
    assert all("/scripts/" in file for file in declared)


def test_every_program_explains_itself(helped):
    path, said, _ = helped
    assert said.startswith(f"usage: {Path(path).name} ")


def test_a_killed_run_ends_with_the_same_bytes(finished, copy):
    """One that has to make all of an ensemble's problems, and what is made from them last."""
    for name, path in copy.outputs().items():
        if any(part in name for part in ("rademacher", "figures/phase", "tables/phase")):
            path.unlink()
    copy.kill_while_running(after=len(copy.outputs()) + 20)
    assert copy.checksums() != finished.checksums()
    copy.run()
    assert copy.checksums() == finished.checksums()


def test_a_bad_configuration_changes_nothing(tmp_path):
    project = Project(tmp_path)
    project.replace("config/smoke.yaml", "N: 20", "N: 40")
    result = project.snakemake()
    assert result.returncode != 0
    message = result.stdout + result.stderr
    assert "experiments.noise" in message
    assert "N" in message
    assert not (project.folder / "results").exists()


def test_a_damaged_intermediate_is_named_and_the_others_of_its_job_are_made(copy, finished):
    before = finished.checksums()
    name = "{}/rademacher_N20_d40_s2_eta0{}/reps0-2.npz"
    damaged = copy.folder / "results/smoke" / name.format("problems", "")
    damaged.write_bytes(damaged.read_bytes()[:-100])
    for noise in ("", ".1"):
        (copy.folder / "results/smoke" / name.format("l1", noise)).unlink()
    result = copy.snakemake()
    assert result.returncode != 0
    assert f"{damaged.relative_to(copy.folder)} is damaged" in result.stdout + result.stderr
    made = copy.checksums()
    assert f"smoke/{name.format('l1', '')}" not in made
    assert made[f"smoke/{name.format('l1', '.1')}"] == before[f"smoke/{name.format('l1', '.1')}"]
    assert not list(copy.folder.rglob("results/**/.reps*"))
    damaged.write_bytes((finished.folder / damaged.relative_to(copy.folder)).read_bytes())
    copy.run()
    assert copy.checksums() == before
