"""No name of a folder or a file is split, expanded, executed or removed by a shell."""

import re
import shlex
import string
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml

from audit import workflow_queries
from judging import completed
from workflow_runs import ROOT

RULES = sorted((ROOT / "workflow/rules").rglob("*.smk"))
BLOCK = re.compile(r'^( +)shell:\n((?:\1    (?:#.*|f?".*")\n)+)', re.MULTILINE)

# names that a shell would split, expand, take for options or execute
NAMES = ["my files", "it's", 'a "b" c', "-rf", "*", "a;b&c|d", "$(touch owned)", "`touch owned`"]


def blocks():
    """Every shell block, its strings put together."""
    for file in RULES:
        text = file.read_text(encoding="utf-8")
        found = BLOCK.findall(text)
        assert len(found) == len(re.findall(r"\bshell:", text)), file
        for _, body in found:
            strings = re.findall(r'^\s+f?"(.*)"$', body, re.MULTILINE)
            # in an f-string a brace stands twice
            command = re.sub(r"\{\{(.*?)\}\}", r"{\1}", "".join(strings))
            yield pytest.param(command, id=f"{file.stem}-{strings[0][:30]}")


@pytest.mark.parametrize("command", list(blocks()))
def test_a_shell_block_calls_one_program(command):
    without_messages = re.sub(r" (&|2)?> \{(log|output)\}", "", command)
    without_fields = re.sub(r"\{[^{}]*\}", "", without_messages)
    assert without_fields.split()[0] in ("python", "printf")
    assert not set(without_fields) & set(";|&<>$`(){}*?~\n\\"), command


def test_calls_stand_in_quotes():
    calls = [
        field for text in map(_text, RULES) for field in re.findall(r"\{params\.calls.*?\}", text)
    ]
    assert len(calls) >= 3 and set(calls) == {"{params.calls:q}"}


def _text(file):
    return file.read_text(encoding="utf-8")


def test_names_of_the_configuration_have_no_character_that_a_shell_reads():
    """What a rule writes into a command without quotes is made of these; paths and labels of own
    data, which may have any, stand in calls alone, and those in quotes."""
    text = (ROOT / "workflow/schemas/config.schema.yaml").read_text(encoding="utf-8")
    schema = yaml.safe_load(text)
    for name in ("path", "label"):
        pattern = schema["$defs"].pop(name)["pattern"]
        assert re.search(pattern, "it's") and not re.search(pattern, "a\n")
    patterns = list(_patterns(schema))
    assert len(patterns) >= 2
    for pattern in patterns:
        seed = next(text for text in ("results/a", "abc") if re.search(pattern, text))
        for character in [*map(chr, range(128)), "é", "\u2028", "\u00a0"]:
            for place in range(len(seed) + 1):
                text = seed[:place] + character + seed[place:]
                if re.search(pattern, text):
                    assert shlex.quote(text) == text, pattern
                    assert not text.startswith("-"), pattern
    assert all(shlex.quote(c) == c for c in string.ascii_letters)


def _patterns(node):
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "pattern":
                yield value
            elif key == "patternProperties":
                yield from value
            yield from _patterns(value)
    elif isinstance(node, list):
        for value in node:
            yield from _patterns(value)


@pytest.fixture
def surroundings(tmp_path):
    """Files of someone, beside and above any folder of temporary files; none may be touched."""
    for name in ("my", "files", "a", "b", "x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "precious").write_text("precious")
    return tmp_path


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def ask(configuration):
    with workflow_queries.as_file(configuration) as file:
        workflow = workflow_queries.Workflow("all", ("--configfile", str(file)))
        return workflow_queries.jobs_and_states(workflow)


@pytest.mark.parametrize("name", NAMES)
def test_the_workflow_is_asked_from_any_temporary_folder(surroundings, monkeypatch, name):
    folder = surroundings / name
    folder.mkdir()
    before, asked = contents(surroundings), []

    def recorded(command, **options):
        file = Path(command[command.index("--configfile") + 1])
        assert file.is_relative_to(folder) and not options.get("shell")
        assert file.read_text(encoding="utf-8") == f"results: results/{name}"
        asked.append(command)
        kind = next(word for word in command if word in ("--dry-run", "--summary"))
        return workflow_queries.subprocess.CompletedProcess(command, 0, kind, "")

    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)  # the folder is looked for anew
    monkeypatch.setattr(workflow_queries.subprocess, "run", recorded)
    answers = ask(f"results: results/{name}")
    assert answers == ("--dry-run", "--summary")
    assert all(isinstance(word, str) for command in asked for word in command)
    assert contents(surroundings) == before


def test_a_workflow_that_cannot_be_asked_leaves_nothing(surroundings, monkeypatch):
    folder = surroundings / "my files"
    folder.mkdir()
    before = contents(surroundings)
    monkeypatch.chdir(surroundings)  # there is no workflow here
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with pytest.raises(workflow_queries.Failure, match=r"cannot be asked .*--dry-run"):
        ask("results: results")
    after = contents(surroundings)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if name.startswith("my files/")]


# a shell that splits the second removes the folder "my" beside it
@pytest.mark.parametrize(("name", "again"), [("my files", "0"), ("it's 'a' $(touch owned)", "1")])
def test_an_audit_touches_no_folder_of_anyone(copy, surroundings, monkeypatch, name, again):
    folder = copy.folder / "temporary" / name
    folder.mkdir(parents=True)
    for beside in ("my", "files", "it's"):
        (folder.parent / beside).mkdir()
        (folder.parent / beside / "precious").write_text("precious")
    monkeypatch.setenv("TMPDIR", str(folder))
    kept = contents(folder.parent)
    # of one table: what it does with folders is the same
    words = ("--configfile", "config/smoke.yaml", "--again", again, "--only", "far")
    result = subprocess.run(
        [sys.executable, "scripts/audit/judge.py", *words],
        cwd=copy.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith("PASS: ")
    after = contents(folder.parent)
    assert {name: after.get(name, "gone") for name in kept} == kept
    assert not any(copy.folder.rglob("owned"))


def test_why_the_workflow_cannot_be_asked_is_said(copy):
    copy.replace("scripts/audit/workflow_queries.py", '"--forceall"', '"--no-such-option"')
    result = copy.snakemake("--quiet", "all", "--", "audit")
    assert result.returncode != 0
    assert "error: the workflow cannot be asked (snakemake --dry-run)" in result.stderr
    log = copy.folder / "results/smoke/logs/audit.log"
    assert "--no-such-option" in log.read_text(encoding="utf-8")


def test_files_of_any_name_beside_the_configurations_are_packed(copy):
    names = ["with space.yaml", "it's.yaml", "$(touch owned).yaml"]
    for name in names:
        (copy.folder / "config" / name).write_text("results: results\n")
    said = copy.plan("--printshellcmds", "--nocolor", "--", "crate")
    (command,) = re.findall(
        r"^Shell command: (python scripts/export/crate.py .*)$", said, re.MULTILINE
    )
    assert {f"config/{name}" for name in [*names, "smoke.yaml"]} <= set(shlex.split(command))


def test_what_is_missing_is_made_and_nothing_else(copy, monkeypatch):
    """Whatever has changed since: the audit judges it as it lies there."""
    missing = ("smoke/figures/depth.png", "smoke/tables/rates.tex")
    made = tuple(name.partition(".")[0] + "." for name in missing)
    edited = "smoke/tables/cells.csv"
    (copy.folder / "results" / edited).write_text("edited\n", encoding="utf-8")
    for name in missing:
        (copy.folder / "results" / name).unlink()
    before = copy.checksums()
    page = completed(copy, monkeypatch)
    assert f"FAIL table cells: results/{edited} is not as it was made" in page
    after = copy.checksums()
    assert set(after) == {*before, *missing, *PAGES}
    for file, found in after.items():
        if not file.startswith(made) and file not in PAGES:
            assert found == before[file]


def test_a_file_between_that_is_missing_is_made(copy, monkeypatch):
    """Though Snakemake would do without it."""
    before = copy.checksums()
    missing = next(name for name in before if name.startswith("smoke/l1/rademacher"))
    (copy.folder / "results" / missing).unlink()
    assert copy.scheduled() == {}
    assert completed(copy, monkeypatch).startswith("PASS: ")
    after = copy.checksums()
    assert {name: after[name] for name in before} == before


PAGES = {"smoke/audit.md", "smoke/audit.json"}
