"""How programs start and end."""

import subprocess
import sys

import pytest

from workflow_runs import ROOT

pytestmark = pytest.mark.long

FULL = "error: No space left on device\n"


@pytest.mark.parametrize(
    ("body", "status", "said", "error"),
    [
        ("print('done')", 0, "done\n", ""),
        ("print('begun'); raise Failure('no such cell')", 1, "begun\n", "error: no such cell\n"),
        ("print('begun'); sys.exit(3)", 3, "begun\n", ""),
        ("sys.stderr.write('a warning')", 0, "", "a warning"),
        ("open('no such file')", 1, "", "error: no such file: No such file or directory\n"),
        ("open('/dev/full', 'w').close(); print('x', file=open('/dev/full', 'w', 1))", 1, "", FULL),
        ("raise OSError('of no system')", 1, "", "error: of no system\n"),
        ("bytearray(2**62)", 1, "", "error: there is not enough memory\n"),
        ("raise MemoryError('8 EiB')", 1, "", "error: there is not enough memory: 8 EiB\n"),
        ("os.kill(os.getpid(), signal.SIGINT)", 1, "", "error: interrupted\n"),
    ],
)
def test_what_was_said_and_the_status_reach_who_started_a_program(
    tmp_path, body, status, said, error
):
    program = tmp_path / "program.py"
    program.write_text(
        "import os, signal, sys\nfrom pipeline.command_line import Failure, run\n"
        f"def main():\n    {body}\nrun(main)\n"
    )
    found = subprocess.run(
        [sys.executable, program],
        env={"PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout, found.stderr) == (status, said, error)


def test_a_job_that_is_ended_leaves_nothing_unfinished(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import os, signal\nfrom pipeline.command_line import run\n"
        "from pipeline.storage import replacing\n"
        "def main():\n    with replacing('result') as file:\n        file.touch()\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\nrun(main)\n"
    )
    found = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "scripts"), "IMPLICIT_L1_JOBS": "jobs"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "error: ended from outside (SIGTERM)\n"
    assert (found.returncode, found.stdout, found.stderr) == (1, "", said)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["jobs", "program.py"]


def test_python_without_docstrings_is_refused(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("from pipeline.command_line import run\nrun(print)\n")
    found = subprocess.run(
        [sys.executable, "-OO", program],
        env={"PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "error: Python runs without docstrings; unset PYTHONOPTIMIZE, leave out -OO\n"
    assert (found.returncode, found.stdout, found.stderr) == (1, "", said)


@pytest.mark.parametrize(
    "error",
    [
        "MemoryError",
        "ImportError('a.so: failed to map segment from shared object')",
        "OSError(12, 'Cannot allocate memory')",
    ],
)
def test_memory_that_ends_while_modules_are_loaded_is_one_line(tmp_path, error):
    program = tmp_path / "program.py"
    program.write_text(f"import pipeline.command_line\nraise {error}\n")
    found = subprocess.run(
        [sys.executable, program],
        env={"PYTHONPATH": str(ROOT / "scripts"), "IMPLICIT_L1_JOBS": str(tmp_path / "jobs")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stderr) == (1, "error: there is not enough memory\n")
