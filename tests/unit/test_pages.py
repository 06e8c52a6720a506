"""What the pages that people read say of files, commands and names is there."""

import ast
import functools
import importlib.util
import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch

import pytest
import yaml
from test_kinds import ENTRY, TOY

from export.conda import as_environment
from planning.stages import STAGES
from workflow_runs import ROOT, environment

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "config/README.md"]
}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[1].split()) - {"\\"}
FILES = {".venv/installed"}
RULES = {
    rule
    for path in [ROOT / "Snakefile", *(ROOT / "workflow/rules").rglob("*.smk")]
    for rule in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), re.MULTILINE)
}
PROGRAMS = "git|make|export|snakemake|diff|python|pip"
# commands of the pages that no test enters, and why
NOT_ENTERED = {
    "git clone <this repository> && cd <its folder>": "there is no address",
    "pip install git+<this repository> matplotlib": "the same",
    "pip install . matplotlib": "it asks for setuptools; what it installs: test_package.py",
    "snakemake --cores all": "minutes: the smoke grid is the same",
    'make paper CONFIG="config/generalization.yaml config/config.yaml config/all_scales.yaml"': (
        "a quarter of an hour; how they are joined: test_configuration.py"
    ),
    "diff results/figures/depth.csv results/reference/figures/depth.csv": "of the default grid",
}
TARGETS_NOT_ENTERED = {
    *("check", "test"),  # this suite
    *("lock", ".venv/installed"),  # a registry is asked
    *("growth", "benchmark", "faults", "same-bytes"),  # minutes to hours
    *("reference", "benchmark-reference"),  # published files change
}


def anchors(text):
    """The anchors of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", ["README.md", "BENCHMARK.md", "CONTRIBUTING.md"])
def test_pages_are_short(page):
    assert len(PAGES[page].splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", PAGES[page], flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https:"):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / page).parent / path if path else ROOT / page
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file.read_text(encoding="utf-8")), target


def commands(page):
    """The commands of a page: lines of its blocks, and those within its text."""
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE)
    lines = "\n".join(blocks) + "\n" + "\n".join(re.findall(r"^ {4}.*", PAGES[page], re.M))
    text = " ".join(re.sub(r"^```.*?^```$", "", PAGES[page], flags=re.DOTALL | re.M).split())
    found = re.findall(rf"^ *((?:{PROGRAMS}) .*?)(?: +#.*)?$", lines, re.MULTILINE)
    return found + re.findall(rf"`((?:{PROGRAMS}) [^`]+)`", text)


@functools.cache
def entered():
    """The commands that tests enter, with a star for what differs from run to run."""
    found = []
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "enter":
                parts = getattr(node.args[0], "values", [node.args[0]])
                text = (part.value if isinstance(part, ast.Constant) else "*" for part in parts)
                found += map(str.strip, "".join(text).splitlines())
    return found


@pytest.mark.parametrize("page", PAGES)
def test_commands_are_entered_by_tests(page):
    """As they stand there, of the smoke grid where they name none; targets of make are enough."""
    tried = entered()
    for command in set(commands(page)) - set(NOT_ENTERED):
        if command.startswith("make "):
            words = command.split()[1:]
            targets = {word for word in words if "=" not in word} - TARGETS_NOT_ENTERED
            made = {word for line in tried if line.startswith("make ") for word in line.split()}
            assert targets <= made, command
            variables = {word.partition("=")[0] for word in words if "=" in word}
            assert all(f"$({name})" in MAKEFILE for name in variables), command
        else:
            of_smoke = f"{command} --configfile config/smoke.yaml"
            assert any(fnmatch(each, line) for line in tried for each in (command, of_smoke))


def recipe(*words):
    """The command lines of a target of make."""
    kept = [word for name in (".venv", ".venv-benchmark") for word in ("-o", f"{name}/installed")]
    made = subprocess.run(
        ["make", "-n", "-s", *kept, *words],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("target", sorted(TARGETS_NOT_ENTERED - FILES))
def test_what_no_test_makes_is_made_by_what_is_there(target):
    """Rules, programs and modules."""
    lines = [re.sub(r"^(\w+=\S+ )+", "", line) for line in recipe(target)]
    assert lines
    for program, *words in map(shlex.split, lines):
        if program.endswith("/snakemake"):
            # without a target after its options it makes all
            assert words[-1] in RULES or words[-1] == "--lint" or words[-2] == "--cores"
        elif program.endswith("/python") and words[0] == "-m":
            assert importlib.util.find_spec(words[1])
        elif program.endswith("/python"):
            assert (ROOT / words[0]).is_file()
        else:
            assert program.startswith((".venv/bin/", ".lock-venv/bin/")) or shutil.which(program)


def test_an_audit_is_asked_for_in_words_that_it_knows():
    _, line = recipe("audit", "CONFIG=mine.yaml", "CORES=3", "NAME=depth", "AGAIN=20", "SEED=7")
    assert shlex.split(line)[2:] == [
        *("scripts/audit/judge.py", "--configfile", "mine.yaml", "--complete", "--cores", "3"),
        *("--only", "depth", "--again", "20", "--seed", "7"),
    ]


@pytest.mark.parametrize("page", PAGES)
def test_files_of_the_project_that_are_named_are_there(page):
    folders = "scripts|workflow|config|docs|tests|profiles"
    for name in re.findall(rf"`((?:{folders})/[\w./-]+)`", PAGES[page]):
        # of a study it is the user's own
        assert (ROOT / name).exists() or name == "config/config.yaml", name


def test_the_head_of_the_makefile_tells_of_every_target():
    told = set(re.findall(r"^# make (\S+)", MAKEFILE, re.MULTILINE))
    assert told == TARGETS - {"lint", "format", "clean"}


def test_every_stage_is_told_of():
    page = PAGES["CONTRIBUTING.md"]
    rows = re.findall(r"^\| ([a-z0-9_, ]+) \| ", page, re.MULTILINE)
    told = {name for row in rows for name in row.split(", ")}
    # two are forms of others
    assert set(STAGES) - {"plain_flow", "limit_certificates"} <= told


def test_the_figure_that_is_added_is_one_that_is_tried():
    (code,) = re.findall(r"```python\n(.*?)```", PAGES["CONTRIBUTING.md"], re.DOTALL)
    assert code == TOY
    assert f"`{ENTRY}`" in PAGES["CONTRIBUTING.md"]


def test_the_environment_of_conda_is_the_lock():
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert text == as_environment(lock)
    told = yaml.safe_load(text)
    conda, own = told["dependencies"][:-1], told["dependencies"][-1]["pip"]
    named = [name.split("=")[0] for name in conda + own]
    assert len(named) == len(set(named))
    # it is copied elsewhere before it is used
    assert not any("requirements" in name for name in own)


def test_the_catalogue_finds_what_it_asks_for():
    text = (ROOT / "README.md").read_text(encoding="utf-8").lower()
    assert "snakemake" in text and "workflow" in text
    assert (ROOT / "workflow/Snakefile").is_file() and (ROOT / "config/README.md").is_file()
    assert list((ROOT / "workflow/rules").glob("*.smk"))
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text("utf-8"))["usage"]
    assert usage["software-stack-deployment"]["conda"] is True
