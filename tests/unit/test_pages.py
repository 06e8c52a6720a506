"""What the pages that people read say of files, commands and names is there."""

import re

import pytest
import yaml
from test_kinds import TOY

from export.conda import as_environment
from planning.stages import STAGES
from workflow_runs import ROOT

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "config/README.md"]
}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)[1].split()) - {"\\"}
FILES = {".venv/installed"}


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


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_are_those_of_the_makefile(page):
    text = PAGES[page]
    spans = re.findall(r"`(make [^`]+)`", text) + re.findall(r"^(make .*)$", text, re.MULTILINE)
    for command in spans:
        words = command.split("#")[0].split()[1:]
        assert {word for word in words if "=" not in word} <= TARGETS | FILES, command
        variables = {word.partition("=")[0] for word in words if "=" in word}
        assert all(f"$({name})" in MAKEFILE for name in variables), command


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
    assert code in TOY


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
