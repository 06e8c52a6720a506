"""How programs start and end."""

import subprocess
import sys

import pytest

from workflow_runs import ROOT


@pytest.mark.parametrize(
    ("body", "status", "said", "error"),
    [
        ("print('done')", 0, "done\n", ""),
        ("print('begun'); raise Failure('no such cell')", 1, "begun\n", "error: no such cell\n"),
        ("print('begun'); sys.exit(3)", 3, "begun\n", ""),
        ("sys.stderr.write('a warning')", 0, "", "a warning"),
    ],
)
def test_what_was_said_and_the_status_reach_who_started_a_program(
    tmp_path, body, status, said, error
):
    program = tmp_path / "program.py"
    program.write_text(
        f"import sys\nfrom command_line import Failure, run\ndef main():\n    {body}\nrun(main)\n"
    )
    found = subprocess.run(
        [sys.executable, program],
        env={"PYTHONPATH": str(ROOT / "scripts")},
        capture_output=True,
        text=True,
    )
    assert (found.returncode, found.stdout, found.stderr) == (status, said, error)


def test_memory_is_cleaned_as_usual_while_a_program_works(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        "import gc\nusual = gc.get_threshold()\nfrom command_line import run\n"
        "def main():\n    print(gc.isenabled() and gc.get_threshold() == usual)\nrun(main)\n"
    )
    said = subprocess.check_output(
        [sys.executable, program], env={"PYTHONPATH": str(ROOT / "scripts")}, text=True
    )
    assert said == "True\n"
