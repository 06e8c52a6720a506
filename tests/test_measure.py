"""The harness of target benchmark, with contestants that do everything wrong."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from measure import MEDIUM_RUNS, Workers, runs
from peers import Peer, versions
from workflow_runs import ROOT


def note(problem, name):
    with open(problem["log"], "a") as file:  # noqa: PTH123
        file.write(f"{name} {os.environ['OMP_NUM_THREADS']}\n")


def works(problem):
    note(problem, "works")
    return 2.0 * problem["x"]


def works_too(problem):
    note(problem, "works too")
    return problem["x"]


def fails(problem):
    raise ArithmeticError("no\nsuch " + "number " * 30)


def sleeps(problem):
    time.sleep(problem["sleep"])


def needs_another_package(problem):
    import no_such_package  # noqa: F401


def crashes(problem):
    os._exit(3)


def toy(solve):
    return Peer(solve.__name__, solve, ("numpy",), "")


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    log = tmp_path_factory.mktemp("measure") / "log"
    easy = {"x": np.ones(1), "sleep": 0.0, "log": str(log)}
    contestants = [works, fails, sleeps, needs_another_package, crashes, works_too]
    with Workers(map(toy, contestants), limit=1.0, preparation=30.0) as workers:
        first = workers.measure(easy | {"x": np.ones(2), "sleep": 30.0}, 3, easy)
        lines = log.read_text().splitlines()
        # what was ended is started again
        second = workers.measure(easy, 2, easy, leave_out=["works", "crashes"])
    return first, second, lines


def test_a_contestant_that_works_has_all_its_runs_and_its_value(measured):
    result = measured[0]["works"]
    assert (len(result.seconds), result.status) == (3, "")
    assert 0 < min(result.seconds) <= max(result.seconds) < 1
    np.testing.assert_array_equal(result.value, [2.0, 2.0])


def test_each_failure_has_its_status_and_no_value(measured):
    status = {name: result.status for name, result in measured[0].items() if not result.seconds}
    assert status.pop("fails").startswith("no such number number")
    assert status == {
        "sleeps": "past 1 s",
        "needs_another_package": "not installed",
        "crashes": "its process ended with exit status 3",
    }
    assert all(measured[0][name].value is None for name in status)
    assert max(len(result.status) for result in measured[0].values()) <= 100


def test_contestants_run_in_rounds_with_one_thread(measured):
    rounds = ["works 1", "works_too 1".replace("_", " ")]
    assert measured[2] == rounds * 4  # an untimed round before


def test_a_contestant_that_was_ended_runs_again(measured):
    assert set(measured[1]) == {"fails", "sleeps", "needs_another_package", "works_too"}
    assert len(measured[1]["sleeps"].seconds) == 2
    assert measured[1]["sleeps"].status == ""


def test_slow_contestants_have_few_runs():
    assert [runs(first, 9) for first in (0.1, 1.0, 5.0)] == [9, MEDIUM_RUNS, 1]
    assert runs(1.0, 2) == 2


def test_versions_name_what_is_not_installed():
    peer = Peer("", works, ("numpy", "no-such-package"), "")
    assert versions(peer) == f"numpy {np.__version__}, no-such-package not installed"


PROGRAM = """
import time
from measure import Workers
from peers import Peer
from test_measure import sleeps
if __name__ == "__main__":
    with Workers([Peer("sleeps", sleeps, (), "")], limit=60) as workers:
        workers._workers["sleeps"]._start()
        print(workers._workers["sleeps"].process.pid, flush=True)
        workers.measure({"sleep": 60}, 1)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks /proc")
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    folders = os.pathsep.join(str(ROOT / name) for name in ("scripts", "tests", "workflow"))
    parent = subprocess.Popen(
        [sys.executable, program],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": folders},
    )
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10.0
    while ended(worker) is False and time.monotonic() < deadline:
        time.sleep(0.05)
    assert ended(worker)


def ended(pid):
    """Whether a process is gone, or waits for its parent to notice."""
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
