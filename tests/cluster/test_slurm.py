"""The profile for SLURM: on paper, and on a cluster of one node.

A job costs two starts of Snakemake there, so that by default a part of the grid is computed.  With
SLURM_GRID=whole in the environment it is all of it, which takes some ten minutes.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys

import pytest
import yaml

import slurm_cluster
from planning import runs
from planning.stages import STAGES
from slurm_cluster import HELD, Cluster, wait_until
from workflow_runs import ROOT, Project, stage_of

PROFILE = "workflow/profiles/slurm"
# There is no accounting database to ask; and a local file is there at once.
HERE = [
    *("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"),
    *("--latency-wait", "5"),
]
# Shared machines stall: seconds in which something must happen that usually takes a few.
PATIENCE = 600
PROBLEMS = "results/smoke/problems/gaussian_N20_d40_s2_eta0/reps0-0.npz"
# Two jobs that are two submissions, the second after the first.
L1 = "results/smoke/l1/gaussian_N20_d40_s2_eta0/reps0-0.npz"
RULE_L1 = "l1_gaussian_N20_d40_1"
FLOW = "results/smoke/plain_flow/gaussian_N20_d40_s2_eta0/D2/alpha0.1/reps0-0.npz"

needs_slurm = pytest.mark.skipif(bool(slurm_cluster.missing()), reason=slurm_cluster.missing())


class OnCluster(Project):
    """A copy of the project whose runs submit their jobs."""

    def command(self, *arguments, config="config/smoke.yaml"):
        return [
            *(sys.executable, "-m", "snakemake", "--configfile", config),
            *("--workflow-profile", PROFILE, *HERE, *arguments),
        ]

    @contextlib.contextmanager
    def started(self, *arguments):
        """A run that goes on meanwhile, and ends with the block at the latest."""
        with (
            (self.folder / "run.log").open("w") as log,
            subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def report(self):
        """What the run that was started has said."""
        return (self.folder / "run.log").read_text()

    def without(self, *files):
        """Remove results, so that they can be computed again."""
        for file in files:
            (self.folder / file).unlink()
        return self


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as cluster, pytest.MonkeyPatch.context() as patch:
        for name in ("SLURM_CONF", "PATH"):
            patch.setenv(name, cluster.environment[name])
        yield cluster


@pytest.fixture(scope="module")
def slow(cluster, finished, tmp_path_factory):
    """A run whose job is not done when its minute is over, and does nothing but wait."""
    project = OnCluster(tmp_path_factory.mktemp("slow"), results=finished).without(L1)
    (project.folder / HELD).write_text(".")
    # a minute, and then most of a day
    with project.started(
        "--set-resources", f"{RULE_L1}:runtime=1000*attempt-999", "--", L1
    ) as process:
        yield project, process


@pytest.fixture
def interrupted(cluster, finished, tmp_path):
    """A project to run in, and a function that waits until its second submission runs.

    Which it does until it is told otherwise, once it has started.
    """
    project = OnCluster(tmp_path, results=finished).without(L1, FLOW)
    (project.folder / HELD).write_text(L1)

    def wait():
        wait_until(
            lambda: [job["state"] for job in cluster.jobs(tmp_path)] == ["COMPLETED", "RUNNING"],
            "the second job does not run",
            PATIENCE,
        )
        return cluster.jobs(tmp_path)[-1]["id"]

    return project, wait


def read(profile):
    return yaml.safe_load((ROOT / profile / "config.yaml").read_text(encoding="utf-8"))


def rules():
    """The rules of the workflow but for the targets and the batches of stages."""
    listed = subprocess.run(
        [sys.executable, "-m", "snakemake", "--list-rules", "--quiet", "all"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return {rule for rule in listed if rule != "all" and stage_of(rule) == rule}


def test_the_profile_knows_the_rules():
    profile, known = read(PROFILE), rules()
    assert set(profile["set-resources"]) == known


def test_the_profile_keeps_what_the_default_profile_says():
    default, profile = read("profiles/default"), read(PROFILE)
    assert {key: profile.get(key) for key in default} == default


# A few results: the rules of all stages are one text.
PART = ["results/smoke/limit/gaussian_N20_d40_s2_eta0/D2/alpha1e-6to1by2/reps0-2.npz"]
STAGES_OF_PART = {"problems", "l1", "limit"}


@needs_slurm
@pytest.mark.usefixtures("slow")  # it may wait meanwhile
def test_results_are_what_they_are_without_a_cluster(cluster, finished, tmp_path_factory):
    whole = os.environ.get("SLURM_GRID") == "whole"
    expected = finished.checksums()
    targets = [] if whole else PART
    project = OnCluster(tmp_path_factory.mktemp("cluster"))
    (count,) = re.findall(r"^(\d+) of \1 jobs\b.* done in", project.run("--", *targets), re.M)
    jobs = cluster.jobs(project.folder)
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    assert len(jobs) == int(count)
    assert {job["cores"] for job in jobs} == {"1"}
    assert {job["memory"] for job in jobs} == {"1000M", "2000M"}
    # a job asks for the time of all its calls
    (batch,) = (job for job in jobs if job["what"] == "rule_limit_gaussian_N20_d40_1")
    assert batch["minutes"] == 12 * STAGES["limit"].minutes
    found = project.checksums()
    assert found == {name: expected[name] for name in (expected if whole else found)}
    assert {name.split("/")[1] for name in found} == STAGES_OF_PART or whole
    # nor does a run without a cluster find anything to do
    copy = Project(tmp_path_factory.mktemp("copy"), results=project)
    assert "Nothing to be done" in copy.plan("--", *targets)


@needs_slurm
@pytest.mark.usefixtures("cluster")
def test_a_second_run_is_refused_and_ends(tmp_path, monkeypatch):
    project = OnCluster(tmp_path)
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(runs.atexit, "register", lambda function: None)
    first = runs.Run()
    first.start("results/smoke")
    refused = subprocess.run(
        project.command("--quiet", "all", "--", PROBLEMS),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert refused.returncode == 1
    assert "A run is going on in results/smoke since " in refused.stderr
    assert project.outputs() == {}


@needs_slurm
def test_a_job_out_of_memory_gets_more(cluster, finished, tmp_path):
    project = OnCluster(tmp_path, results=finished).without(L1)
    memory = f"{RULE_L1}:mem_mb=100 * 10 ** (attempt - 1)"
    said = project.run("--set-resources", memory, "--", L1)
    assert "exceeded memory limit" in said
    first, second = cluster.jobs(tmp_path)
    assert first["state"] != "COMPLETED"
    assert second["state"] == "COMPLETED"
    assert [first["memory"], second["memory"]] == ["100M", "1000M"]
    assert project.checksums() == finished.checksums()


@needs_slurm
def test_a_cancelled_job_is_reported_and_the_next_run_goes_on(cluster, finished, interrupted):
    project, wait = interrupted
    with project.started("--retries", "0", "--", FLOW) as process:
        cancelled = wait()
        kept = project.checksums()
        cluster.run("scancel", cancelled)
        assert process.wait(timeout=PATIENCE) != 0
    said = f"SLURM-job '{cancelled}' failed, SLURM status is: 'CANCELLED'"
    assert said in project.report()
    assert project.checksums() == kept
    (project.folder / HELD).unlink()
    project.run("--", FLOW)
    assert kept.items() <= project.checksums().items()
    assert project.checksums() == finished.checksums()


@needs_slurm
def test_a_job_out_of_time_gets_more(cluster, finished, slow):
    project, process = slow
    wait_until(
        lambda: "TIMEOUT" in [job["state"] for job in cluster.jobs(project.folder)],
        "the time limit is not kept",
        PATIENCE,
    )
    (project.folder / HELD).unlink()
    assert process.wait(timeout=PATIENCE) == 0, project.report()
    assert [(job["state"], job["minutes"]) for job in cluster.jobs(project.folder)] == [
        ("TIMEOUT", 1),
        ("COMPLETED", 1001),
    ]
    assert project.checksums() == finished.checksums()


@needs_slurm
def test_a_job_whose_node_goes_down_is_repeated(cluster, finished, interrupted):
    project, wait = interrupted
    with project.started("--", FLOW) as process:
        wait()
        kept = project.checksums()
        cluster.lose_node()
        wait_until(
            lambda: len(cluster.jobs(project.folder)) == 3 or process.poll() is not None,
            "the job is not repeated",
            PATIENCE,
        )
        states = [job["state"] for job in cluster.jobs(project.folder)]
        assert states == ["COMPLETED", "NODE_FAIL", "PENDING"], project.report()
        assert project.checksums() == kept
        (project.folder / HELD).unlink()
        cluster.start_node()
        assert process.wait(timeout=PATIENCE) == 0, project.report()
    states = [job["state"] for job in cluster.jobs(project.folder)]
    assert states == ["COMPLETED", "NODE_FAIL", "COMPLETED"]
    assert kept.items() <= project.checksums().items()
    assert project.checksums() == finished.checksums()
