"""What a run says while it goes on: what has begun, how far it is, and about how long it will take.

Snakemake's own words for a job are the names of all its files, some hundred of code among them.
A :class:`Progress` stands as a filter before the handlers of Snakemake's logger, so that what it
makes shorter is shorter on the terminal and in ``.snakemake/log``.  Events and what they carry are
those of Snakemake's interface for loggers.  A dry run says everything.
"""

import logging
import re
import time
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from pipeline.calls import KEPT

LONGEST = 200  # characters of a command that has failed
REASON = 88  # of the reason for a job: a line of a hundred, with what stands before and after it
# a command in Snakemake's words for its failure: its ends are kept
_COMMAND = re.compile(r"(?<=^Command ').*(?=' (?:returned|died) )", re.MULTILINE | re.DOTALL)
_SCHEDULING = ("Select jobs to execute...", "Execute")


class Progress(logging.Filter):
    """How far a run is.

    Args:
        cells: name of a cell -> rules that compute something for it.
    """

    def __init__(self, cells: dict[str, set[str]]) -> None:
        super().__init__()
        self._cells = cells
        self._rules: dict[int, str] = {}  # number of a job -> its rule
        self._files: dict[int, tuple[list, list]] = {}  # its outputs and its logs
        self._made = self._kept = 0  # files of jobs that have ended
        self._waiting: set[str] = set()  # rules that have not ended yet
        self._asked: list[str] = []  # cells for which something is to be done
        self._start: float | None = None

    def begin(self) -> None:
        """The first job is about to begin: from now on what is said is short."""
        self._start = time.monotonic()

    @property
    def published(self) -> bool:
        """Whether there were jobs of figures or tables."""
        return any(rule.startswith(("figures_", "tables_")) for rule in self._rules.values())

    def filter(self, record: Any) -> bool:
        """Make a record of Snakemake's logger shorter, in place, or leave it out (False)."""
        event = getattr(record, "event", None)
        if event == LogEvent.RUN_INFO and (jobs := getattr(record, "stats", None)):
            self._waiting = set(jobs)
            self._asked = [name for name, rules in self._cells.items() if rules & self._waiting]
        if self._start is None:
            return True
        if event == LogEvent.JOB_INFO:
            self._rules[record.jobid] = record.rule_name
            self._files[record.jobid] = list(record.output), list(record.log)
            record.rule_msg = record.rule_msg or record.rule_name
            if len(record.reason) > REASON:
                record.reason = f"{record.reason[:REASON]} ..."
        elif event == LogEvent.JOB_ERROR:
            record.input = []  # the code, for the most part; the command names what it reads
            record.shellcmd = shortened(record.shellcmd or "")
        elif event == LogEvent.JOB_FINISHED:
            self._waiting.discard(self._rules.get(record.job_id, ""))
            self._count(*self._files.pop(record.job_id, ([], [])))
            return False
        elif event == LogEvent.PROGRESS:
            record.event = LogEvent.RUN_INFO
            record.msg = self._so_far(record.done, record.total, time.monotonic() - self._start)
        elif event == LogEvent.ERROR:
            record.msg = _COMMAND.sub(lambda found: shortened(found[0]), record.getMessage())
        return not str(record.msg).startswith(_SCHEDULING)

    @property
    def files(self) -> str:
        """How many files were made, and how many kept as they were, in words."""
        return f"{self._made} files made, {self._kept} kept"

    def _count(self, outputs, logs):
        """Count the files of a job that has ended: its log names those that it has kept."""
        kept = sum(map(_kept, logs)) if outputs else 0
        self._kept += kept
        self._made += len(outputs) - kept

    def _so_far(self, done: int, total: int, seconds: float) -> str:
        """How far the run is, in a line."""
        words = f"{done} of {total} jobs"
        if self._asked:
            ready = sum(not self._cells[name] & self._waiting for name in self._asked)
            words += f", {ready} of {len(self._asked)} cells"
        words += f" done in {clock(seconds)}, {self.files}"
        left = seconds / done * (total - done)
        return words + (f", about {clock(left)} left" if left else "")


def _kept(log):
    """How many files a job has kept, by its log."""
    try:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return sum(line.endswith(KEPT) for line in lines)


def clock(seconds: float) -> str:
    """A time as m:ss, or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def shortened(command: str) -> str:
    """A command in one line, the middle of a long one left out."""
    line, half = " ".join(command.split()), LONGEST // 2
    return line if len(line) <= LONGEST else f"{line[:half]} ... {line[-half:]}"
