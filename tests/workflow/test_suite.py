"""The runner of the suite: what fails in one of the two processes is a failure of both."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import suite
from workflow_runs import ROOT

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'
GOOD, EMPTY = (0, (5, 0, 0, 1)), (5, (0, 0, 0, 0))


@pytest.mark.parametrize(
    ("finished", "rest", "status", "line"),
    [
        (GOOD, GOOD, 0, "8 passed, 2 skipped in both parts, in "),
        (GOOD, EMPTY, 0, "4 passed, 1 skipped in both parts, in "),
        (EMPTY, EMPTY, 1, "0 passed in both parts, in "),
        (GOOD, (1, (3, 2, 1, 0)), 1, "4 passed, 2 failures, 1 errors, 1 skipped in both parts"),
        ((1, (3, 2, 0, 0)), GOOD, 1, "5 passed, 2 failures, 1 skipped in both parts"),
        # killed
        (GOOD, (-9, None), 1, "A part of the suite did not end"),
        ((-9, (3, 0, 0, 0)), GOOD, 1, "7 passed, 1 skipped in both parts"),
        ((4, None), (4, None), 1, "A part of the suite did not end"),
    ],
)
def test_both_parts_count(monkeypatch, capsys, finished, rest, status, line):
    parts = {"finished": finished, "rest": rest}

    def start(part, folder, words):
        assert words == ["-x"]
        ended, numbers = parts[part]
        (folder / part).write_text(f"what {part} says\n")
        if numbers:
            (folder / f"{part}.xml").write_text(REPORT.format(*numbers))
        return SimpleNamespace(wait=lambda: ended)

    monkeypatch.setattr(suite, "start", start)
    assert suite.main(["-x"]) == status
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "what finished says"
    assert said[-1].startswith(line)


def collected(*words):
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", *words]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(line.rsplit(": ", 1) for line in found.stdout.splitlines() if ": " in line)


def test_every_test_is_in_one_part():
    files = ("tests/unit/pipeline/test_storage.py", "tests/workflow/test_workflow.py")
    files += ("tests/workflow/test_recipes.py",)
    every, *parts = (
        {name: int(number) for name, number in collected(*files, *words).items()}
        for words in ([], ["--part", "finished"], ["--part", "rest"])
    )
    assert every == {name: sum(part.get(name, 0) for part in parts) for name in files}
    # some of the second file in each; of the last those that run a copy again
    assert all(files[1] in part for part in parts)
    assert all(file not in parts[0] for file in (files[0], files[2]))
