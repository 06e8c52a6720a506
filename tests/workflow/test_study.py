"""A study in a folder of its own: configuration, own data and results there, the programs here."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from audit.workflow_queries import read_jobs
from pipeline.storage import read_origin
from workflow_runs import ROOT, Project, enter, environment

OWN = "a,b,c,d,y\n1,2,0,1,3\n0,1,3,-1,2\n"
EXPERIMENT = {
    "figure": "depth",
    "tables": ["rates"],
    "depth": [2, 3],
    "alpha": {"smallest": 1e-6, "largest": 1.0, "per_decade": 1},
}
# a workflow that has the project as a module, as config/README.md has it
(MODULE,) = re.findall(
    r"```python\n(.*?)```", (ROOT / "config/README.md").read_text(encoding="utf-8"), re.DOTALL
)
OWN_RULE = """
rule own:
    input: "results/figures/first.png"
"""


# Stands in for conda, which is not to be had everywhere: its environment has a Python of its own.
CONDA = """#!/bin/bash
case "$1 $2" in
"info --json") echo '{"conda_version": "25.1.0", "platform": "linux-64", "root_prefix": "HERE",
    "conda_prefix": "HERE"}' ;;
"--version ") echo "conda 25.1.0" ;;
"config --get") echo '{"get": {"channel_priority": "strict"}}' ;;
"env create")
    cp "$6" HERE/copied.yml; mkdir -p "$8/bin"
    printf '#!/bin/bash\\necho run >> HERE/runs\\nexec PYTHON "$@"\\n' > "$8/bin/python"
    chmod +x "$8/bin/python" ;;
esac
"""


def snakemake(*words, cwd, **more):
    """Snakemake in a folder: what it says."""
    ended = subprocess.run(
        [sys.executable, "-m", "snakemake", *map(str, words), "--cores", "2"],
        cwd=cwd,
        env=environment() | more,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def write_configuration(study, path):
    ensemble = {"name": "file", "path": str(path)}
    config = {
        "rates": {"window": {"smallest": 1e-6, "largest": 1e-4}},
        "experiments": {"first": EXPERIMENT | {"ensemble": ensemble}},
    }
    (study / "config/config.yaml").write_text(
        yaml.safe_dump(config, allow_unicode=True), encoding="utf-8"
    )


def written(study):
    """Name -> bytes of everything that the study has computed."""
    return {
        path.relative_to(study).as_posix(): path.read_bytes()
        for path in (study / "results").rglob("*")
        if path.is_file() and not {"logs", "benchmarks"} & set(path.relative_to(study).parts)
    }


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """(project, study, data), all of unkind names, after a run from yet another folder.

    The command is the one that `make study` says.
    """
    folder = tmp_path_factory.mktemp("Übung, 1")
    (folder / "the 'project'").mkdir()
    project = Project(folder / "the 'project'").folder
    study = folder / "Größe, α & β"
    said = enter(f"make study FOLDER={shlex.quote(str(study))}", project)
    compute, audit, tidy, report = re.findall(r"^  (.*)$", said, re.MULTILINE)
    assert (audit, tidy) == (f"{compute} --quiet all -- audit", f"{compute} tidy")
    data = folder / "here, there" / "Größe #1 (a, b).csv"
    data.parent.mkdir()
    data.write_text(OWN, encoding="utf-8")
    write_configuration(study, data)
    said = enter(compute, folder)
    where = f"Figures are in {study}/results/figures, tables in {study}/results/tables "
    assert re.search(rf"^{re.escape(where)}\(\d+ files made, 0 kept\)\.$", said.splitlines()[-1])
    enter(report, folder)
    # of a value that was taken out, before the run that made the configuration
    (family,) = (study / "results/logs/limit").iterdir()
    log, timings = (
        study / f"results/{folder}/limit/{family.name}/7.{suffix}"
        for folder, suffix in (("logs", "log"), ("benchmarks", "tsv"))
    )
    for left, words in ((log, ""), (timings, "s\th:m:s\tmax_rss\n")):
        left.write_text(words, encoding="utf-8")
        os.utime(left, (1e9, 1e9))
    said = enter(tidy, folder)
    assert "\n2 files were removed from results" in said
    for left in (log, timings):
        assert f"removed {left.relative_to(study)}\n" in said and not left.exists()
    return project, study, data


def test_a_study_is_computed_in_its_folder(studied):
    project, study, data = studied
    assert not (project / "results").exists()
    found = written(study)
    assert b"Snakemake centres" in found.pop("results/report.html")  # the style sheet
    assert {"results/figures/first.png", "results/tables/first_rates.csv"} <= set(found)
    (problems,) = (name for name in found if name.startswith("results/problems/"))
    origin = read_origin(study / problems)
    assert origin["command"][0] == "scripts/stages/problems.py"
    assert origin["command"][-1] == f"--path={data.name}"
    assert list(origin["inputs"]) == [data.name]
    assert (
        "scripts/figures/house.mplstyle" in json.loads(found["results/figures/first.json"])["code"]
    )
    places = [str(path).encode() for path in (project, study, data.parent)]
    for name, content in found.items():
        if name != "results/configuration.yaml":  # the user's own words
            assert not any(place in content for place in places), name


def test_its_audit_that_fails_is_a_page_and_no_crash(studied):
    """With the words that `make study` says."""
    project, study, _ = studied
    table = study / "results/tables/first_rates.csv"
    before = table.read_bytes()
    table.write_bytes(before.replace(b"1", b"2", 1))
    try:
        told = subprocess.run(
            [
                *(project / ".venv/bin/snakemake", "-s", project / "Snakefile", "-d", study),
                *("--cores", "2", "--quiet", "all", "--", "audit"),
            ],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        table.write_bytes(before)
        for page in ("audit.md", "audit.json"):
            (study / "results" / page).unlink()
    assert told.returncode == 1
    assert told.stdout.startswith("FAIL: ")
    assert "FAIL table first_rates" in told.stdout
    profile, last = told.stderr.splitlines()
    assert profile.startswith("Using workflow specific profile")
    assert last.startswith("The run has ended early: not all jobs have succeeded, see above. ")


def test_as_a_module_it_is_what_it_was_and_passes_its_audit(studied):
    """Asked by another workflow, in whose names and configuration it is a part."""
    project, study, _ = studied
    before = written(study)
    config = study / "config/config.yaml"
    alone = config.read_text(encoding="utf-8")
    config.write_text(yaml.safe_dump({"mine": yaml.safe_load(alone)}), encoding="utf-8")
    snakefile = study / "Snakefile"
    text = MODULE
    for old, new in (
        ('"<this folder>/Snakefile"', repr(str(project / "Snakefile"))),
        ("config: config", 'config: config["mine"]'),
        ("use rule * from regularization", "use rule * from regularization as mine_*"),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    snakefile.write_text(text + OWN_RULE, encoding="utf-8")
    try:
        assert "Nothing to be done" in snakemake(cwd=study)
        snakemake("own", "--workflow-profile", project / "profiles/default", cwd=study)
        said = snakemake("mine_audit", cwd=study)
    finally:
        snakefile.unlink()
        config.write_text(alone, encoding="utf-8")
    assert "PASS" in said
    assert "2 figures and tables were made again" in said
    after = written(study)
    assert {name: after[name] for name in before} == before


def test_neither_the_place_of_the_project_nor_that_of_the_data_changes_a_byte(studied, tmp_path):
    project, study, data = studied
    before = written(study)
    moved = tmp_path / "moved"
    project.rename(moved)
    elsewhere = tmp_path / data.name
    data.rename(elsewhere)
    write_configuration(study, elsewhere)
    try:
        enter(
            f"""
            export PATH="$PWD/.venv/bin:$PATH"
            snakemake -s Snakefile -d {shlex.quote(str(study))} --cores all
            """,
            moved,
        )
        logs = study / "results/logs/problems"
        (log,) = logs.rglob("*.log")
        assert "is there already" in log.read_text(encoding="utf-8")
        after = written(study)
    finally:
        moved.rename(project)
        elsewhere.rename(data)
        write_configuration(study, data)
    assert after.pop("results/configuration.yaml") != before.pop("results/configuration.yaml")
    assert {name: after[name] for name in before} == before


def test_a_module_with_a_prefix_is_refused(studied):
    project, study, _ = studied
    words = (
        'module mine:\n    snakefile: {!r}\n    prefix: "a"\n    config: {}\nuse rule * from mine'
    )
    config = yaml.safe_load((study / "config/config.yaml").read_text(encoding="utf-8"))
    snakefile = study / "prefix.smk"
    snakefile.write_text(words.format(str(project / "Snakefile"), config), encoding="utf-8")
    with pytest.raises(AssertionError, match="A module's `prefix` is not possible here"):
        snakemake("-n", "-s", snakefile, "-d", study, cwd=study)


def test_where_snakemake_makes_an_environment_its_interpreter_runs_the_programs(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    text = CONDA.replace("HERE", str(tmp_path)).replace("PYTHON", sys.executable)
    (tools / "conda").write_text(text, encoding="utf-8")
    (tools / "conda").chmod(0o755)
    (tools / "activate").write_text('export CONDA_PREFIX="$1" PATH="$1/bin:$PATH"\n')
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_bytes((ROOT / "config/study.yaml").read_bytes())
    words = ("problems_gaussian_N30_d90_1", "--sdm", "conda", "--snakefile", ROOT / "Snakefile")
    snakemake(*words, cwd=tmp_path, PATH=f"{tools}:{os.environ['PATH']}")
    assert (tmp_path / "copied.yml").read_bytes() == (ROOT / "environment.yml").read_bytes()
    assert (tmp_path / "runs").read_text() == "run\n"


def test_files_of_unkind_names_in_a_dry_run(tmp_path):
    """A path of one's own is told from others by the words of the command."""
    root, own = tmp_path / "a, b", "/c, d/e, f.csv"
    text = (
        "total  2\n[now]\nrule problems_x:\n"
        f"    input: {root}/scripts/stages/problems.py, {root}/requirements.txt, {own}\n"
        "    output: results/a.npz (update)\n"
        f"Shell command: python '{root}/scripts/stages/problems.py' --each "
        f"\"--output results/a.npz file '--path={own}'\" &> results/a.log\n"
    )
    (job,) = read_jobs(text, root)
    assert job.inputs == ("scripts/stages/problems.py", "requirements.txt", "e, f.csv")
    assert job.command[0] == "scripts/stages/problems.py"
    assert job.command[-1] == "--path=e, f.csv"
    assert job.places == {"e, f.csv": own}


def test_a_study_is_not_begun_twice(tmp_path):
    (tmp_path / "config").mkdir()
    make = ["make", "-s", "-o", ".venv/installed", "-C", ROOT, "study"]
    for folder, said in (("", "say which folder"), (tmp_path, "config is there already")):
        ended = subprocess.run(
            [*make, f"FOLDER={folder}"], capture_output=True, text=True, check=False, env=os.environ
        )
        assert ended.returncode != 0 and said in ended.stderr
