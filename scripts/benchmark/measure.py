"""The times of several programs for the same problem, taken side by side.

Contestants run in rounds, each of them once in every round, so that what else the machine does
hits all of them alike.  Each has a process of its own, with one thread, which lives through all
problems; time is taken inside it, around the call alone.  Imports and compilation are done before,
in an untimed call.  A call that takes too long is ended from outside, whatever it does.
"""

import multiprocessing
import os
import threading
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any

ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_CPU_ENABLE_ASYNC_DISPATCH": "false",
    "JAX_PLATFORMS": "cpu",
}

# Runs of a contestant whose first took at most so many seconds: all that are asked for, or these.
SHORT, MEDIUM, MEDIUM_RUNS = 0.5, 2.0, 3

# What imports and compilation may take, beside the limit of a run.
PREPARATION = 60.0

_LONGEST_STATUS = 100


@dataclass
class Measurement:
    """What a contestant did with a problem.

    Attributes:
        seconds: of each run.
        value: what the last run returned; None if a run failed.
        status: why a run failed, in one line; "" if none did.
    """

    seconds: list = field(default_factory=list)
    value: Any = None
    status: str = ""


class Workers:
    """Contestants, each with a process that is started when it is first needed.

    A context manager: the processes end with it, and with the process that started them.

    Args:
        contestants: with a ``name``, each another, and a function ``solve(problem)``, see
            :class:`peers.Peer`.
        limit: seconds, of a run.
        preparation: seconds that the untimed call may take beside.
        clock: a function that gives the seconds since some time, called before and after a run
            in its process.
    """

    def __init__(
        self,
        contestants: Sequence,
        limit: float,
        preparation: float = PREPARATION,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.limit = limit
        self.preparation = preparation
        self._workers = {one.name: _Worker(one.solve, clock) for one in contestants}

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers.values():
            worker.end()

    def measure(
        self,
        problem: dict,
        repetitions: int,
        easy: dict | None = None,
        leave_out: Collection[str] = (),
    ) -> dict[str, Measurement]:
        """Runs of all contestants on one problem: name -> Measurement.

        Args:
            problem: what ``solve`` takes; it is sent to another process.
            repetitions: runs of a contestant that is fast.
            easy: a problem of the same shapes for the untimed call, which a process makes once
                for it; the problem itself if None.
            leave_out: names of contestants that do not run.
        """
        easy = problem if easy is None else easy
        results: dict[str, Measurement] = {}
        waiting = []
        for name, worker in self._workers.items():
            if name not in leave_out:
                results[name] = Measurement(status=self._prepared(worker, easy))
                if not results[name].status:
                    waiting.append(name)
        while waiting:
            for name in list(waiting):
                result = results[name]
                seconds, result.value, result.status = self._workers[name].call(problem, self.limit)
                if not result.status:
                    result.seconds.append(seconds)
                if result.status or len(result.seconds) >= runs(result.seconds[0], repetitions):
                    waiting.remove(name)
        return results

    def _prepared(self, worker, easy):
        """Untimed call; the status of a failure that would meet every problem, else ""."""
        if worker.alive and worker.prepared is easy:
            return ""
        _, _, status = worker.call(easy, self.limit + self.preparation)
        worker.prepared = easy
        # the easy problem is there for imports and compilation only
        return status if status == NOT_INSTALLED or not worker.alive else ""


def runs(first: float, repetitions: int) -> int:
    """How many runs a contestant has whose first took so many seconds."""
    if first < SHORT:
        return repetitions
    return min(repetitions, MEDIUM_RUNS) if first < MEDIUM else 1


# --- the process of a contestant ---

NOT_INSTALLED = "not installed"


class _Worker:
    """The process of one contestant, as its parent sees it."""

    def __init__(self, solve, clock):
        self.solve = solve
        self.clock = clock
        self.process = None
        self.prepared = None

    @property
    def alive(self):
        return self.process is not None

    def call(self, problem, limit):
        """One call in the process: (seconds, value, status)."""
        if not self.alive:
            self._start()
        try:
            self.connection.send(problem)
            if not self.connection.poll(limit):
                self.end()
                return None, None, f"past {limit:g} s"
            return self.connection.recv()
        except (EOFError, OSError):
            self.process.join(PREPARATION)  # what closes the connection is about to end
            code = self.process.exitcode
            self.end()
            return None, None, f"its process ended with exit status {code}"

    def _start(self):
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(other, self.solve, self.clock), daemon=True
        )
        with _environment(ONE_THREAD):
            self.process.start()
        other.close()
        # the limit of a call does not include the start of the interpreter
        with suppress(EOFError):
            self.connection.recv()

    def end(self):
        if self.alive:
            self.process.kill()
            self.process.join()
            self.process.close()
            self.connection.close()
            self.process = None


@contextmanager
def _environment(settings):
    """The environment with these settings, for processes started inside."""
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _serve(connection, solve, clock):
    """Solve what comes through the connection until it is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")
    connection.send("ready")
    while True:
        try:
            problem = connection.recv()
        except EOFError:
            return
        connection.send(_timed(solve, problem, clock))


def _timed(solve, problem, clock):
    start = clock()
    try:
        value = solve(problem)
    except ModuleNotFoundError:
        return None, None, NOT_INSTALLED
    except Exception as error:
        return None, None, _one_line(error)
    return clock() - start, value, ""


def _one_line(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_STATUS else text[: _LONGEST_STATUS - 3] + "..."


def _end_with_parent():
    """A parent that was killed could not end its workers."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)
