"""Paths, numerical environment and shared instances of the tests."""

import os
import signal
import time
from functools import partial
from pathlib import Path

# Before NumPy loads its BLAS: the last bits depend on the number of threads.
os.environ["OPENBLAS_NUM_THREADS"] = "1"

REPOSITORY = Path(__file__).parent.parent
# A shell's background job is started with Ctrl-C ignored, and so would be what it starts.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Programs of the folder that a test works in, else those that lie here.
os.environ["PYTHONPATH"] = os.pathsep.join(["scripts", str(REPOSITORY / "scripts")])

import pytest  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

settings.register_profile(
    "implicit_l1",
    derandomize=True,  # the same examples in every run
    deadline=None,  # shared machines stall
    max_examples=25,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.load_profile("implicit_l1")

# Of several processes each takes file after file in this order: what waits for a cluster, or for
# the grid, begins first, and short ones fill the end.
ROOMS = ("cluster", "workflow", "unit")
# For the grid, in seconds: machines may be busy.
LONGEST_WAIT = 3600


def pytest_collection_modifyitems(items):
    def room(item):
        # what needs a run of the workflow is a test of it, wherever it stands
        folder = item.path.relative_to(REPOSITORY / "tests").parts[0]
        return "workflow" if folder == "unit" and "finished" in item.fixturenames else folder

    for item in items:
        item.add_marker(room(item))
    items.sort(key=lambda item: ROOMS.index(room(item)))


@pytest.fixture(scope="session", params=[0.0, 0.1], ids=["noiseless", "noisy"])
def small(request):
    """A Gaussian instance of 20 equations and 60 unknowns with its certified minimizer."""
    from reference import instance

    return instance(N=20, d=60, s=2, eta=request.param)


@pytest.fixture(scope="session", params=[0.0, 0.1], ids=["noiseless", "noisy"])
def large(request):
    """A Gaussian instance of the default grid's size with its certified minimizer."""
    from reference import instance

    return instance(N=100, d=400, s=8, eta=request.param)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id):
    """The smoke grid, run from nothing by the first process that needs it; the others have copies.

    Tests must not change it.
    """
    from workflow_runs import Project, enter

    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "finished"
    made, ended = folder.with_suffix(".made"), folder.with_suffix(".ended")
    try:
        folder.mkdir()
    except FileExistsError:
        end = time.monotonic() + LONGEST_WAIT
        while not ended.exists():
            assert time.monotonic() < end, "no other process of the suite has run the smoke grid"
            time.sleep(1.0)
        assert made.exists(), "another process of the suite could not run the smoke grid"
        return Project(tmp_path_factory.mktemp("finished"), results=Project.at(folder))
    try:
        project = Project(folder)
        enter("make figures CONFIG=config/smoke.yaml", project.folder)
        made.touch()
    finally:
        ended.touch()
    return project


@pytest.fixture
def copy(finished, tmp_path):
    """A copy of the finished project that a test may change."""
    from workflow_runs import Project

    return Project(tmp_path, results=finished)


@pytest.fixture
def draw(tmp_path):
    """Draw a figure from frames; it and what it shows, as CSV rows, checked for sound words."""
    from drawing import Drawer

    drawer = Drawer(tmp_path)
    yield drawer
    drawer.close()


@pytest.fixture(scope="session")
def said(finished):
    """What the workflow says of the finished run: its jobs, and the states of their outputs."""
    from judging import what_is_said

    return what_is_said(finished)


@pytest.fixture
def judge(copy, said, monkeypatch):
    """An audit of the copy, see :func:`judging.judged`; the test runs in the copy's folder."""
    from judging import judged

    monkeypatch.chdir(copy.folder)
    return partial(judged, said)
