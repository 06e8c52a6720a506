"""What the workflow says of itself: programs run Snakemake with lists of words, never a shell.

Whatever folders and files are called, no word is split, and nothing is removed but a folder
that Python's tempfile has made.
"""

import argparse
import csv
import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.calls import EACH, MADE, calls_of
from pipeline.command_line import Failure
from pipeline.origin import ROOT, by_names, own_files
from pipeline.storage import write_text

HERE = Path()


@dataclass(frozen=True)
class Workflow:
    """The workflow that is asked, in this folder.

    Attributes:
        target: the name of its target `all`.
        words: its Snakefile and its configuration as options, an option that takes several words
            at the end: no target may follow.
    """

    target: str
    words: tuple[str, ...]


def add_workflow(parser: argparse.ArgumentParser) -> None:
    """The options that say which workflow is asked, see :func:`asked`."""
    configuration = parser.add_mutually_exclusive_group(required=True)
    configuration.add_argument(
        "--configfile", nargs="+", help="the configuration that was run: YAML files"
    )
    configuration.add_argument("--configuration", help="the same, its text")
    parser.add_argument("--log", help="why the workflow could not be asked, if so")
    parser.add_argument(
        "--snakefile", default=str(ROOT / "Snakefile"), help="another workflow that has this one"
    )
    parser.add_argument("--target", default="all", help="what target all is called there")


@contextmanager
def asked(args: argparse.Namespace) -> Iterator[tuple[Workflow, str, str]]:
    """The workflow that :func:`add_workflow` is told, with its :func:`jobs_and_states`.

    Raises:
        Failure: if it does not accept its configuration; the log says so, too.
    """
    with ExitStack() as stack:
        files = args.configfile
        if files is None:
            files = [str(stack.enter_context(as_file(args.configuration)))]
        words = ("--snakefile", args.snakefile, "--configfile", *files)
        workflow = Workflow(args.target, words)
        try:
            jobs, states = jobs_and_states(workflow)
        except Failure as failure:
            if args.log is not None:
                write_text(args.log, f"{failure}\n")
            raise
        yield workflow, jobs, states


def snakemake(*words: str) -> str:
    """What Snakemake prints, run in this folder by the interpreter that runs this.

    Raises:
        Failure: if it ends with an error, with all that it said of it.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "snakemake", *words],
        # a profile for a cluster says otherwise what a job is
        env={name: value for name, value in os.environ.items() if name != "SNAKEMAKE_PROFILE"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        said = (ended.stderr + ended.stdout).strip()
        raise Failure(f"the workflow cannot be asked (snakemake {words[0]}):\n{said}")
    return ended.stdout


def jobs_and_states(workflow: Workflow) -> tuple[str, str]:
    """A dry run of every job, with its command, and the summary of all outputs.

    Raises:
        Failure: if the workflow does not accept its configuration.
    """
    words = (workflow.target, *workflow.words)
    dry_run = ("--dry-run", "--forceall", "--printshellcmds", "--nocolor")
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(snakemake, *options, *words) for options in (dry_run, ["--summary"])]
        jobs, states = (answer.result() for answer in answers)
    return jobs, states


@contextmanager
def as_file(configuration: str) -> Iterator[Path]:
    """The text of a configuration as a YAML file, for as long as it is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "configuration.yaml"
        file.write_text(configuration, encoding="utf-8")
        yield file


def states_of(summary: str) -> dict[str, tuple[str, str]]:
    """File -> (status, plan) in the workflow's own words, from its summary."""
    rows = csv.DictReader(io.StringIO(summary), delimiter="\t", quoting=csv.QUOTE_NONE)
    return {row["output_file"]: (row["status"], row["plan"]) for row in rows}


@dataclass(frozen=True)
class Job:
    """A job that the workflow would run, or one of several calls of a program that one makes: its
    rule, its files, and the words of its command.

    Attributes:
        rule: its name.
        inputs, outputs: paths.
        messages: paths of its log and of what it took (its benchmark).
        command: the words of its shell command, less the interpreter and where messages go, as
            they are recorded: files of the user's own by their names.
        places: name -> path of these.
    """

    rule: str
    inputs: tuple
    outputs: tuple
    command: tuple
    messages: tuple = ()
    places: Mapping[str, str] = field(default_factory=dict, hash=False)

    def after(self, option: str) -> list[str]:
        """The words of the command that follow an option, up to the next one."""
        found, taken = [], False
        for word in self.command:
            if word.startswith("--"):
                taken = word == option
            elif taken:
                found.append(word)
        return found


def read_jobs(text: str, root: Path = HERE) -> list[Job]:
    """The jobs of a dry run with their commands, those without outputs left out, each call of a
    job by itself.

    Args:
        text: what Snakemake printed.
        root: folder of the project: its files are named from there on.
    Raises:
        Failure: if there are none, or others than Snakemake counts.
    """
    jobs = []
    for block in re.split(r"^\[.*\]$", text, flags=re.MULTILINE)[1:]:
        head, _, command = block.partition("\nShell command: ")
        rule = re.search(r"^(?:local)?rule (\S+):$", head, re.MULTILINE)
        lines = dict(re.findall(r"^    (input|output|log|benchmark): (.*)$", head, re.MULTILINE))
        if rule and "output" in lines:
            program, *words = words_of(command)
            own = [place for call in calls_of(words) for place in own_files(call).values()]
            files = {key: names_in(line, own, root) for key, line in lines.items()}
            messages = files.get("log", ()) + files.get("benchmark", ())
            words = [program.removeprefix(f"{root}/"), *words]
            job = Job(rule[1], files.get("input", ()), files["output"], tuple(words), messages)
            jobs.append(job)
    if not jobs:
        raise Failure("the dry run of the workflow shows no job")
    counted = re.search(r"^total +(\d+)$", text, re.MULTILINE)
    # with target `all`, which has no output
    if counted is None or int(counted[1]) != len(jobs) + 1:
        raise Failure(f"the dry run shows {len(jobs)} jobs, and counts others")
    return [call for job in jobs for call in calls_of_job(job)]


def names_in(line: str, own: list[str], root: Path) -> tuple[str, ...]:
    """The files of a line of a dry run, those of the project from its folder on.

    Args:
        line: paths with ", " between them.
        own: paths of files of the user's own, which may have anything in them: left out.
        root: folder of the project.
    """
    for place in own:
        line = re.sub(rf"(^|, ){re.escape(place)}(?=, |$)", "", line)
    names = line.replace(f"{root}/", "").split(", ")
    return tuple(name.removesuffix(" (update)") for name in names if name)


def calls_of_job(job: Job) -> list[Job]:
    """Each call of a job as a job: its files are those in its words, and what all have in common.

    Raises:
        Failure: if an output is in no call, or in several.
    """
    program, *words = job.command
    calls = [[program, *call] for call in calls_of(words)]
    if words[:1] != [EACH]:
        return [job]
    named = [set(call) for call in calls]
    files = Counter(word for call in named for word in call)
    for file in job.outputs:
        if files[file] != 1:
            raise Failure(f"rule {job.rule}: {file} is an output of {files[file]} calls")
    return [
        replace(
            job,
            inputs=(
                *(file for file in job.inputs if file in own or not files[file]),
                *own_files(call),
            ),
            outputs=tuple(file for file in job.outputs if file in own),
            command=tuple(by_names(call)),
            places=own_files(call),
        )
        for call, own in zip(calls, named, strict=True)
    ]


def words_of(command: str) -> tuple[str, ...]:
    """The words of a shell command: the program's, less where messages go and what leaves calls
    out."""
    words = shlex.split(command)
    if words[:1] == ["python"]:
        words = words[1:]
    if words[-2:-1] in (["&>"], ["2>"]):
        words = words[:-2]
    if words[2:3] == [MADE]:
        words = [words[1], *words[words.index(EACH) :]]
    return tuple(words)
