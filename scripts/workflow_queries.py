"""What the workflow says of itself: programs run Snakemake with lists of words, never a shell.

Whatever folders and files are called, no word is split, and nothing is removed but a folder
that Python's tempfile has made.
"""

import csv
import io
import subprocess
import sys
import tempfile
from pathlib import Path

from command_line import Failure


def snakemake(*words: str) -> str:
    """What Snakemake prints, run in this folder by the interpreter that runs this.

    Raises:
        Failure: if it ends with an error, with all that it said of it.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        said = (ended.stderr + ended.stdout).strip()
        raise Failure(f"the workflow cannot be asked (snakemake {words[0]}):\n{said}")
    return ended.stdout


def jobs_and_states(configuration: str) -> tuple[str, str]:
    """A dry run of every job, with its command, and the summary of all outputs.

    Args:
        configuration: text of the YAML file that the workflow is to use.
    Raises:
        Failure: if the workflow does not accept it.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "configuration.yaml"
        file.write_text(configuration, encoding="utf-8")
        # an option that takes several words stands last: the target would be one of them
        words = ("all", "--configfile", str(file))
        jobs = snakemake("--dry-run", "--forceall", "--printshellcmds", "--nocolor", *words)
        return jobs, snakemake("--summary", *words)


def states_of(summary: str) -> dict[str, tuple[str, str]]:
    """File -> (status, plan) in the workflow's own words, from its summary."""
    rows = csv.DictReader(io.StringIO(summary), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["output_file"]: (row["status"], row["plan"]) for row in rows}
