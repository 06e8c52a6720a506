"""Runs: one at a time in a folder of results, and what ends one early is told in one line."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from planning import runs
from planning.runs import Run, RunError
from workflow_runs import ROOT, Project

PROBLEMS = "results/smoke/problems/gaussian_N20_d40_s2_eta0/reps0-2.npz"
PATHS = {"PYTHONPATH": os.pathsep.join([str(ROOT / "workflow"), str(ROOT / "scripts")])}
NOTHING_LOST = "Nothing is lost: what is complete stays, and the same command goes on."
PATIENCE = 300  # seconds until a test is given up


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to work in; nothing is said when this process ends."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs.atexit, "register", lambda function: None)
    monkeypatch.setattr(runs.logging, "raiseExceptions", True)
    return tmp_path


@pytest.fixture
def heard():
    """What is started hears Ctrl-C, whether or not this process was told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def python(body, *options, **environment):
    """A process that imports Run and does something; not waited for."""
    imports = "import os, resource, signal\nfrom planning import runs"
    return subprocess.Popen(
        [sys.executable, *options, "-c", f"{imports}\n{body}"],
        env=os.environ | PATHS | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# --- one at a time ---


@pytest.mark.usefixtures("folder")
def test_the_second_run_is_told_of_the_first():
    first, second = Run(), Run()
    first.start("results/a")
    with pytest.raises(RunError) as caught:
        second.start("results/a")
    words = re.fullmatch(
        r"A run is going on in results/a since (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) "
        r"\(process (\d+) on (.*)\)",
        str(caught.value),
    )
    assert (int(words[2]), words[3]) == (os.getpid(), os.uname().nodename)


@pytest.mark.usefixtures("folder")
def test_other_results_have_a_run_of_their_own():
    folders = ["results", "results/a", "results/a/b", "results/a-b", "results/a_b"]
    alive = [Run() for _ in folders]
    for run, results in zip(alive, folders, strict=True):
        run.start(results)
    for results in folders:
        with pytest.raises(RunError):
            Run().start(results)


def test_a_run_that_was_killed_is_in_nobodys_way(folder):
    killed = python("runs.Run().start('results'); os.kill(os.getpid(), signal.SIGKILL)")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    (left,) = folder.glob(".snakemake/runs/*.run")
    assert str(killed.pid) in left.read_text()
    Run().start("results")
    assert f'"process": {os.getpid()}' in left.read_text()


def test_a_run_waits_for_the_jobs_of_one_that_was_killed(folder):
    Run().start("results")  # and is forgotten at once, as if it had been killed
    jobs = {"IMPLICIT_L1_JOBS": str(runs.jobs_file("results"))}
    job = python("import pipeline.command_line; print('works', flush=True); input()", **jobs)
    assert job.stdout.readline() == "works\n"
    run = python("runs.Run().start('results'); print('goes on', flush=True)")
    waits = "Jobs of a run that was killed still work in results; this run goes on when they "
    assert run.stderr.readline() == f"{waits}have ended.\n"
    with pytest.raises(RunError, match=f"process {run.pid} "):
        Run().start("results")
    job.communicate("end\n")
    assert run.communicate()[0] == "goes on\n"
    assert folder.joinpath("results").is_dir()


@pytest.mark.usefixtures("folder")
def test_without_a_run_before_nobody_is_waited_for(capsys):
    Run().start("results")
    assert capsys.readouterr().err == ""


def test_a_file_system_without_locks_has_a_line(folder, monkeypatch, capsys):
    def refuse(file, operation):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(runs.fcntl, "flock", refuse)
    Run().start("results")
    said = capsys.readouterr().err.splitlines()
    assert said[0].endswith("(Function not implemented): start one run at a time here.")


# --- before anything is started ---


@pytest.mark.parametrize("blocked", ["results", ".snakemake"])
def test_a_folder_that_cannot_be_written_to_is_named(folder, blocked):
    (folder / blocked).write_text("a file")
    with pytest.raises(RunError, match=rf"^{re.escape(blocked)}\S* cannot be written to: \w+"):
        Run().start("results")


LIMIT = "resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))\n"


def test_space_is_asked_for_before_it_is_needed(folder):
    process = python(
        f"{LIMIT}try:\n    runs.Run().start('results')\nexcept runs.RunError as e:\n    print(e)"
    )
    assert process.communicate() == ("results cannot be written to: File too large\n", "")
    assert list(folder.glob("results/**/*")) == []


def test_python_without_docstrings_is_refused():
    body = "try:\n    runs.check_interpreter()\nexcept runs.RunError as e:\n    print(e)"
    assert "PYTHONOPTIMIZE" in python(body, PYTHONOPTIMIZE="2").communicate()[0]
    assert "-OO" in python(body, "-OO").communicate()[0]
    assert python(body, "-O").communicate() == ("", "")


# --- the line at the end ---

ENDS = {
    "success": ("run.succeed('')", None),
    "failure": ("", "not all jobs have succeeded, see above"),
    "full disk": (LIMIT, "results cannot be written to: File too large"),
    "killed job": (
        "open('log', 'w').write('Command ... died with <Signals.SIGKILL: 9>.'); run.fail(['log'])",
        "a job was killed (signal 9), which is what the system does when memory ends; fewer "
        "--cores need less of it",
    ),
    "killed below a shell": (
        "open('log', 'w').write('returned non-zero exit status 137.'); run.fail(['log'])",
        "a job was killed (signal 9), which is what the system does when memory ends; fewer "
        "--cores need less of it",
    ),
    "one log of two": (
        "open('log', 'w').write('died with <Signals.SIGKILL: 9>'); open('two', 'w').close(); "
        "run.fail(['two', 'log'])",
        "a job was killed (signal 9), which is what the system does when memory ends; fewer "
        "--cores need less of it",
    ),
    "another status": (
        "open('log', 'w').write('returned non-zero exit status 1.'); run.fail(['log'])",
        "not all jobs have succeeded, see above",
    ),
    "no log": ("run.fail(['nowhere'])", "not all jobs have succeeded, see above"),
}


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("end", ENDS)
def test_why_a_run_has_ended_is_the_last_line(end):
    body, reason = ENDS[end]
    process = python(f"run = runs.Run()\nrun.start('results')\n{body}")
    expected = "" if reason is None else f"The run has ended early: {reason}. {NOTHING_LOST}\n"
    assert process.communicate() == ("", expected)


def test_a_run_ends_from_another_folder_too(folder):
    """As with Snakemake's --directory, which is left before the process ends."""
    away = "os.mkdir('elsewhere'); os.chdir('elsewhere')"
    said = []
    for body in (away, "os.chdir('elsewhere'); signal.raise_signal(signal.SIGINT)"):
        process = python(f"run = runs.Run()\nrun.listen()\nrun.start('results')\n{body}")
        said.append(process.communicate())
    assert said == [
        ("", f"The run has ended early: {ENDS['failure'][1]}. {NOTHING_LOST}\n"),
        ("", f"Interrupted, running jobs are ended. {NOTHING_LOST}\n"),
    ]
    assert list((folder / "elsewhere").iterdir()) == []


# a job that does not end when it is asked to
DEAF = """
import fcntl, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
file = open(".snakemake/runs/results.jobs", "a")
fcntl.flock(file, fcntl.LOCK_SH)
print("holds", flush=True)
time.sleep(3600)
"""


@pytest.mark.usefixtures("folder", "heard")
def test_a_second_ctrl_c_ends_what_the_first_has_not_without_more_words():
    run = python(
        "import subprocess, sys, time\nrun = runs.Run()\nrun.listen()\nrun.start('results')\n"
        f"job = subprocess.Popen([sys.executable, '-c', {DEAF!r}], stdout=subprocess.PIPE)\n"
        "print(job.stdout.readline(), flush=True)\ntime.sleep(3600)"
    )
    run.stdout.readline()
    run.send_signal(signal.SIGINT)
    assert run.stderr.readline() == f"Interrupted, running jobs are ended. {NOTHING_LOST}\n"
    run.send_signal(signal.SIGINT)
    # whose standard error ends when that of its job does
    assert run.communicate(timeout=PATIENCE)[1] == ""
    assert run.returncode == 128 + signal.SIGINT


@pytest.mark.usefixtures("folder")
def test_a_log_that_cannot_be_written_is_no_reason_for_a_stack():
    process = python(
        "import logging; run = runs.Run(); run.start('results'); run.succeed('')\n"
        "logger = logging.getLogger(); logger.addHandler(logging.FileHandler('/dev/full'))\n"
        "logger.error('a message')"
    )
    assert process.communicate() == ("", "")


# --- as a person sees it ---


def told(stderr):
    """What the terminal shows of a run with --quiet all, less that it has a profile."""
    return [line for line in stderr.splitlines() if not line.startswith("Using workflow specific")]


def test_a_second_snakemake_has_one_line_and_changes_nothing(tmp_path, monkeypatch):
    project = Project(tmp_path)
    target = PROBLEMS
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(runs.atexit, "register", lambda function: None)
    first = Run()
    first.start("results/smoke")
    kept = Path(target)
    kept.parent.mkdir(parents=True)
    kept.write_text("what the first run is writing")
    refused = project.snakemake("--quiet", "all", "--forceall", "--", target)
    assert refused.returncode == 1
    (line,) = told(refused.stderr)
    assert line.startswith("A run is going on in results/smoke since ")
    assert f"(process {os.getpid()} on " in line
    assert {file: path.read_text() for file, path in project.outputs().items()} == {
        str(kept.relative_to("results")): "what the first run is writing"
    }
    # what only looks is not in the way
    assert project.snakemake("--dry-run", "--forceall", "--", target).returncode == 0
    assert project.snakemake("--summary", "--", target).returncode == 0


@pytest.mark.usefixtures("heard")
def test_ctrl_c_is_one_line_at_any_time_of_a_job(tmp_path):
    """One job is at its imports, the other at work; no job is left, nothing unfinished."""
    project = Project(tmp_path)
    program = project.folder / "scripts/stages/problems.py"
    code = program.read_text(encoding="utf-8")
    first = "from pipeline.command_line import run\n"
    hold = (
        "import sys, time\nfrom pathlib import Path\n"
        "from pipeline.storage import replacing\n\n"
        "def hold(law):\n"
        "    if any(f' {law} ' in word or word == law for word in sys.argv):\n"
        "        Path(f'begun-{law}').touch()\n"
        "        time.sleep(3600)\n\n"
        "hold('gaussian')\n"
    )
    parsed = "    args = problem_parser(__doc__).parse_args()\n"
    work = "    with replacing(args.output) as file:\n        file.touch()\n"
    work += "        hold('rademacher')\n"
    assert first in code and parsed in code
    held = code.replace(first, first + hold).replace(parsed, parsed + work)
    program.write_text(held, encoding="utf-8")
    targets = [PROBLEMS, PROBLEMS.replace("gaussian", "rademacher")]
    with subprocess.Popen(
        project.command("--quiet", "all", "--", *targets),
        cwd=project.folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as run:
        wait_for(lambda: len(list(project.folder.glob("begun-*"))) == 2, run)
        os.killpg(run.pid, signal.SIGINT)
        said = told(run.communicate(timeout=PATIENCE)[1])
    assert said == [f"Interrupted, running jobs are ended. {NOTHING_LOST}"]
    assert run.returncode != 0
    wait_for(lambda: is_over(run.pid))  # nobody is left of those that were interrupted
    assert project.outputs() == {}
    logs = [file.read_text() for file in project.folder.rglob("logs/**/*.log")]
    assert len(logs) == 2 and set(logs) == {"error: ended from outside (SIGTERM)\n"}
    program.write_text(code, encoding="utf-8")
    project.run("--", *targets)
    assert all((project.folder / target).is_file() for target in targets)


def is_over(group):
    """Whether a group has no process, and none of which the system has still to take note."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def wait_for(condition, run=None):
    started = time.monotonic()
    while not condition():
        assert run is None or run.poll() is None, run.communicate()
        assert time.monotonic() - started < PATIENCE
        time.sleep(0.02)


def test_a_job_that_the_system_kills_has_a_line(tmp_path):
    project = Project(tmp_path)
    project.replace(
        "scripts/stages/problems.py",
        "def main() -> None:\n",
        "def main() -> None:\n    import os, signal\n    os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    result = project.snakemake("--", PROBLEMS)
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("The run has ended early: a job was killed (signal 9), ")
    assert last.endswith(NOTHING_LOST)
