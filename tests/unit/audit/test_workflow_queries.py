"""What the workflow says of itself is read as it is meant."""

import pytest
import yaml

from audit.workflow_queries import Failure, Job, read_jobs, words_of


def test_the_words_of_a_command():
    command = "python scripts/stages/l1.py --ensemble 'mine, \"x\"' --output a.npz &> a.log\n\n"
    assert words_of(command) == (
        *("scripts/stages/l1.py", "--ensemble", 'mine, "x"', "--output", "a.npz"),
    )
    assert words_of("python a.py 2> a.log") == ("a.py",)
    several = "python each.py a.py --made b.npz 'c d.npz' --each '--output b.npz' '--to x' &> a.log"
    assert words_of(several) == ("a.py", "--each", "--output b.npz", "--to x")


def test_the_words_after_an_option():
    words = ("--in", "a", "--output", "b", "c", "--log10-alpha", "-1.5", "--csv", "d")
    job = Job("r", (), (), words)
    assert job.after("--in") == ["a"] and job.after("--output") == ["b", "c"]
    assert job.after("--log10-alpha") == ["-1.5"] and job.after("--out") == []


def test_every_job_is_read(finished, said):
    jobs, _ = said
    outputs = [file for job in jobs for file in job.outputs]
    assert len(outputs) == len(set(outputs))
    assert {file.removeprefix("results/") for file in outputs} == set(finished.checksums())
    # the configuration has a command of many lines
    (job,) = [job for job in jobs if job.rule == "configuration"]
    assert yaml.safe_load(job.command[2])["results"] == "results/smoke"


def test_a_dry_run_of_nothing_is_no_audit():
    with pytest.raises(Failure, match="shows no job"):
        read_jobs("Nothing to be done.\n")


def test_a_dry_run_that_is_not_understood_is_no_audit():
    job = "[Sat]\nrule a:\n    output: a.csv\nShell command: python a.py\n"
    counts = "job  count\ntotal  {}\n"
    assert len(read_jobs(job + "\n" + counts.format(2))) == 1
    with pytest.raises(Failure, match="shows 1 jobs, and counts others"):
        read_jobs(job + "\n" + counts.format(3))
    with pytest.raises(Failure, match="shows 1 jobs, and counts others"):
        read_jobs(job)
