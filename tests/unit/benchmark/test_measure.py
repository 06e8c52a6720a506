"""The harness of target benchmark, with contestants that do everything wrong.

Their times are those of a clock that they move themselves, so that no machine is too slow.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmark.comparison import times
from benchmark.measure import MEDIUM, MEDIUM_RUNS, SHORT, Workers, runs
from benchmark.peers import Peer, versions
from workflow_runs import ROOT

pytestmark = pytest.mark.long

LONG = 600.0  # seconds that nothing here takes
now = 0.0  # of the clock of this process


def clock():
    return now


def let_pass(seconds):
    global now
    now += seconds


def note(problem, name):
    with open(problem["log"], "a") as file:  # noqa: PTH123
        file.write(f"{name} {os.environ['OMP_NUM_THREADS']}\n")


def works(problem):
    note(problem, "works")
    let_pass(0.25)
    return 2.0 * problem["x"]


def works_too(problem):
    note(problem, "works_too")
    let_pass(MEDIUM)
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
    easy = {"x": np.ones(1), "log": str(log)}
    contestants = [works, fails, needs_another_package, crashes, works_too]
    with Workers(map(toy, contestants), LONG, clock=clock) as workers:
        first = workers.measure(easy | {"x": np.ones(2)}, 3, easy)
        lines = log.read_text().splitlines()
        second = workers.measure(easy, 2, easy, leave_out=["works", "crashes"])
    return first, second, lines


def test_a_contestant_that_works_has_all_its_runs_and_its_value(measured):
    result = measured[0]["works"]
    assert (result.seconds, result.status) == ([0.25, 0.25, 0.25], "")
    np.testing.assert_array_equal(result.value, [2.0, 2.0])


def test_a_slow_contestant_has_fewer_runs(measured):
    assert measured[0]["works_too"].seconds == [MEDIUM]


def test_each_failure_has_its_status_and_no_value(measured):
    status = {name: result.status for name, result in measured[0].items() if not result.seconds}
    assert status.pop("fails").startswith("no such number number")
    assert status == {
        "needs_another_package": "not installed",
        "crashes": "its process ended with exit status 3",
    }
    assert all(measured[0][name].value is None for name in status)
    assert max(len(result.status) for result in measured[0].values()) <= 100


def test_contestants_run_in_rounds_with_one_thread(measured):
    # an untimed round before; the second has one run only
    assert measured[2] == ["works 1", "works_too 1"] * 2 + ["works 1"] * 2


def test_contestants_are_left_out(measured):
    assert set(measured[1]) == {"fails", "needs_another_package", "works_too"}


def test_a_contestant_that_is_late_is_ended_and_runs_again():
    easy = {"sleep": 0.0}
    with Workers([toy(sleeps)], limit=0.1, preparation=LONG) as workers:
        late = workers.measure({"sleep": LONG}, 3, easy)["sleeps"]
        workers.limit = LONG
        again = workers.measure({"sleep": 0.5}, 1, easy)["sleeps"]
    assert (late.seconds, late.status) == ([], "past 0.1 s")
    # on the real clock
    assert again.status == "" and again.seconds[0] >= 0.5


def test_slow_contestants_have_few_runs():
    assert [runs(first, 9) for first in (0.1, SHORT, 1.0)] == [9, MEDIUM_RUNS, MEDIUM_RUNS]
    assert [runs(first, 9) for first in (MEDIUM, 5.0)] == [1, 1]
    assert runs(1.0, 2) == 2


def test_times_are_summarized():
    assert times([3.0, 1.0, 5.0, 2.0]) == {
        **{"seconds": 2.5, "fastest": 1.0, "slowest": 5.0, "runs": 4}
    }
    none = times([])
    assert none.pop("runs") == 0 and np.isnan(list(none.values())).all()


def test_versions_name_what_is_not_installed():
    peer = Peer("", works, ("numpy", "no-such-package"), "")
    assert versions(peer) == f"numpy {np.__version__}, no-such-package not installed"


def sleeps_between_words(problem):
    print("asleep", flush=True)
    time.sleep(problem["sleep"])
    print("awake", flush=True)


PROGRAM = """
from benchmark.measure import Workers
from benchmark.peers import Peer
from test_measure import LONG, sleeps_between_words
if __name__ == "__main__":
    with Workers([Peer("sleeps", sleeps_between_words, (), "")], limit=LONG) as workers:
        workers.measure({"sleep": 60.0}, 1)
"""


def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    here = (ROOT / "scripts", ROOT / "tests", ROOT / "workflow", Path(__file__).parent)
    folders = os.pathsep.join(map(str, here))
    with subprocess.Popen(
        [sys.executable, program],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": folders},
    ) as parent:
        assert parent.stdout.readline() == "asleep\n"
        parent.kill()
        # the worker has the pipe too: it ends when both have ended
        assert parent.stdout.read() == ""
