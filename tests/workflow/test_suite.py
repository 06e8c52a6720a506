"""The runner of the suite: what fails in one of its processes is a failure of all."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import suite
from workflow_runs import ROOT

REPORT = '<testsuites><testsuite tests="{}" failures="{}" errors="{}" skipped="{}"/></testsuites>'
GOOD, EMPTY = (0, (5, 0, 0, 1)), (5, (0, 0, 0, 0))


@pytest.mark.parametrize(
    ("finished", "again", "rest", "status", "line"),
    [
        (GOOD, GOOD, GOOD, 0, "12 passed, 3 skipped in all parts, in "),
        (GOOD, EMPTY, EMPTY, 0, "4 passed, 1 skipped in all parts, in "),
        (EMPTY, EMPTY, EMPTY, 1, "0 passed in all parts, in "),
        (GOOD, EMPTY, (1, (3, 2, 1, 0)), 1, "4 passed, 2 failures, 1 errors, 1 skipped in all"),
        ((1, (3, 2, 0, 0)), EMPTY, GOOD, 1, "5 passed, 2 failures, 1 skipped in all parts"),
        (GOOD, (1, (3, 2, 0, 0)), EMPTY, 1, "5 passed, 2 failures, 1 skipped in all parts"),
        # killed
        (GOOD, GOOD, (-9, None), 1, "A part of the suite did not end"),
        ((-9, (3, 0, 0, 0)), EMPTY, GOOD, 1, "7 passed, 1 skipped in all parts"),
        (*[(4, None)] * 3, 1, "A part of the suite did not end"),
    ],
)
def test_all_parts_count(monkeypatch, capsys, finished, again, rest, status, line):
    parts = {"finished": finished, "again": again, "rest": rest}

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
    assert said[:2] == ["what finished says", "what again says"]
    assert said[-1].startswith(line)


def collected(*words):
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", *words]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(line.rsplit(": ", 1) for line in found.stdout.splitlines() if ": " in line)


def test_every_test_is_in_one_part():
    files = ("tests/unit/pipeline/test_storage.py", "tests/workflow/test_workflow.py")
    files += ("tests/workflow/test_recipes.py", "tests/cluster/test_slurm.py")
    every, *parts = (
        {name: int(number) for name, number in collected(*files, *words).items()}
        for words in ([], *(["--part", part] for part in suite.PARTS))
    )
    assert every == {name: sum(part.get(name, 0) for part in parts) for name in files}
    # some of the second file in two; of the third those that run a copy again
    first, again, last = parts
    assert files[1] in first and files[1] in last and files[1] not in again
    assert files[2] in again and files[2] in last and again[files[3]] == every[files[3]]
    assert all(file not in first for file in (files[0], files[2]))
