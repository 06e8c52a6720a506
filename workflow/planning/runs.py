"""A run begins alone in its folder of results, and says in one line why it ended early.

Two files in ``.snakemake/runs`` stand for a folder of results, locked by the operating system,
which lets go of a lock when the process that holds it is gone, however it ended:

- ``<folder>.run``: by the run itself; it holds the process, its host and the start.
- ``<folder>.jobs``: by each of its jobs, together.  Jobs outlive a Snakemake that was killed
  alone, and what they write late would replace what a later run has made; so that one waits for
  them.
"""

import atexit
import contextlib
import fcntl
import json
import logging
import os
import re
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TextIO

import psutil

FOLDER = Path(".snakemake/runs")
# What can be written beside the results before a run starts, and after one has failed: more than
# the record that Snakemake keeps of a job.
PROBE_BYTES = 2**20
NOTHING_LOST = "Nothing is lost: what is complete stays, and the same command goes on."
# of a job that was killed, in Snakemake's log: by itself, or below a shell
_KILLED = re.compile(r"died with <Signals\.SIGKILL: 9>|exit status 137\b")


class RunError(RuntimeError):
    """A run cannot start; the message is one line, without a full stop."""


def say(line: str) -> None:
    """One line to the terminal, whatever Snakemake says or leaves out."""
    print(line, file=sys.stderr, flush=True)


def jobs_file(results: str) -> Path:
    """The file that the jobs of a folder of results lock, together."""
    return FOLDER / f"{results.replace('/', '.')}.jobs"


def check_writable(folder: Path, size: int) -> None:
    """Raise an error if nothing of a size can be written into a folder, made if need be.

    Raises:
        RunError: with the file or folder and the reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(size))
    except OSError as error:
        raise RunError(f"{folder} cannot be written to: {error.strerror}") from error


def check_interpreter() -> None:
    """Raise an error if Python was told to leave out what the programs need.

    Raises:
        RunError: with the variable and the option that do so.
    """
    if sys.flags.optimize > 1:
        raise RunError(
            "Python runs without docstrings (PYTHONOPTIMIZE=2 or -OO), of which the programs make "
            "their options; unset PYTHONOPTIMIZE"
        )


class Run:
    """A run of the workflow, from before its first job until this process ends."""

    def __init__(self):
        self.results = None
        self._folder = None  # where the run was started
        self._lock = None
        self._reason = None  # why it ended early, unless that has been said
        self._last = ""  # what is said in the end of one that did not
        self._interrupts = 0

    def listen(self) -> None:
        """Let Ctrl-C end this process and its jobs with one line.

        The jobs themselves are deaf to Ctrl-C, which a terminal sends to all processes: they
        would each say where it met them.  They are ended from here, killed at the second time.
        Does nothing where someone else sees to Ctrl-C, as a program that runs Snakemake within
        itself.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, number, frame):
        logging.disable()  # Snakemake would report each job as a failure, with its command
        self._reason = None
        self._interrupts += 1
        first = self._interrupts == 1
        if first:
            say(f"Interrupted, running jobs are ended. {NOTHING_LOST}")
        # shells before their programs, of whose end they would tell
        for process in psutil.Process().children(recursive=True):
            try:
                process.send_signal(signal.SIGTERM if first else signal.SIGKILL)
            except psutil.Error:  # it has ended already
                continue
        if first:  # a second one only hastens the end that has begun
            raise SystemExit(128 + number)

    def start(self, results: str) -> None:
        """Begin alone, after the jobs of a run that was killed; from now on an early end is told.

        Args:
            results: folder of the results.
        Raises:
            RunError: if another run goes on in this folder of results, or if nothing can be
                written there.
        """
        check_writable(FOLDER, 0)
        # opened for reading too, of what the run that holds it has written
        self._lock = jobs_file(results).with_suffix(".run").open("a+", encoding="utf-8")
        if not _locked(self._lock):
            raise RunError(_going_on(results, self._lock))
        check_writable(Path(results), PROBE_BYTES)
        owner = {
            "process": os.getpid(),
            "host": socket.gethostname(),
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        self._lock.truncate(0)
        self._lock.write(json.dumps(owner))
        self._lock.flush()
        with jobs_file(results).open("a", encoding="utf-8") as jobs:
            if not _locked(jobs):
                say(
                    f"Jobs of a run that was killed still work in {results}; this run goes on "
                    "when they have ended."
                )
                _wait(jobs)
        self.results, self._folder = results, Path.cwd()
        # A line that cannot be written to Snakemake's own log is not told with a stack
        logging.raiseExceptions = False
        self._reason = "not all jobs have succeeded, see above"
        atexit.register(self._end)

    def succeed(self, last: str) -> None:
        """Every job has succeeded.

        Args:
            last: the line that is said in the end.
        """
        self._reason, self._last = None, last

    def fail(self, logs: list[str]) -> None:
        """Say that a job has failed.

        Args:
            logs: paths of Snakemake's logs.
        """
        try:
            texts = [Path(log).read_text(encoding="utf-8", errors="replace") for log in logs]
        except OSError:
            return
        killed = any(map(_KILLED.search, texts))
        if killed:
            self._reason = (
                "a job was killed (signal 9), which is what the system does when memory ends; "
                "fewer --cores need less of it"
            )

    def _end(self):
        with contextlib.chdir(self._folder):  # Snakemake has left its --directory
            self._say_why()

    def _say_why(self):
        if self._interrupts:
            with jobs_file(self.results).open("a", encoding="utf-8") as jobs:
                _wait(jobs)
        if self._reason is None:
            if self._last:
                say(self._last)
            return
        try:
            check_writable(Path(self.results), PROBE_BYTES)
        except RunError as error:
            self._reason = str(error)
        say(f"The run has ended early: {self._reason}. {NOTHING_LOST}")


def _going_on(results: str, lock: TextIO) -> str:
    lock.seek(0)
    try:
        owner = json.loads(lock.read())
        known = " since {since} (process {process} on {host})".format_map(owner)
    except ValueError:  # it has only just begun
        known = ""
    return f"A run is going on in {results}{known}"


def _locked(file: TextIO) -> bool:
    """Lock a file, unless another process has locked it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        say(f"{file.name} cannot be locked ({error.strerror}): start one run at a time here.")
    return True


def _wait(file: TextIO) -> None:
    """Wait until no other process has a file locked."""
    with contextlib.suppress(OSError):  # of a file system without locks
        fcntl.flock(file, fcntl.LOCK_EX)
