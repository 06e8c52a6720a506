"""Of what no rule makes, what goes, and what stays: all that a person may have put there."""

import os
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from audit.findings import Audit
from audit.origins import strays
from audit.tidy import left_behind
from pipeline.origin import ROOT, forget, remember
from pipeline.storage import write_origin
from pipeline.tidy import write_table

RESULTS = Path("results")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


def made_by(program):
    """The command line that what is written from now on tells of."""
    sys.argv[:] = [str(ROOT / f"scripts/{program}.py")]


@pytest.fixture(autouse=True)
def command_line(monkeypatch):
    monkeypatch.setattr(sys, "argv", [""])


def table(path, program="stages/limit"):
    """A table of a program of the project."""
    made_by(program)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(path, pd.DataFrame({"a": [1.0]}))
    return str(path)


def drawing(path, *suffixes, program="figures/draw"):
    """A figure as a program has drawn it, and what it tells of that."""
    made_by(program)
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [path.with_suffix(suffix) for suffix in suffixes]
    for file in files:
        file.write_text(f"drawn {file.name}")
    beside = path.with_suffix(".json")
    write_origin(beside, files)
    return [str(file) for file in (*files, beside)]


def text(path, words="mine\n"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(words)
    return str(path)


def messages(place, timings="s\th:m:s\tmax_rss\n1.0\t0:00:01\t3\n"):
    """The log and the timings of a job."""
    log, times = RESULTS / f"logs/{place}.log", RESULTS / f"benchmarks/{place}.tsv"
    return {text(log, "done\n"), text(times, timings)}


def gone(since=60.0, jobs=()):
    """What tidy would remove where no rule makes anything.

    Args:
        since: seconds from now on when the run of this configuration has begun.
        jobs: logs of those that there are.
    """
    written = Path(text(RESULTS / "configuration.yaml"))
    os.utime(written, times=(time.time() + since,) * 2)
    found = [file for file in strays(Audit([], RESULTS)) if file != str(written)]
    return set(left_behind(found, RESULTS, jobs))


def test_what_a_run_has_left_goes():
    written = {table(RESULTS / "limit/cell/reps0-1.parquet")}
    written |= {table(RESULTS / "plain_flow/cell/reps0-1.parquet", "stages/flow")}
    written |= set(drawing(RESULTS / "figures/old", ".pdf", ".csv"))
    written |= set(drawing(RESULTS / "tables/old", ".md", ".csv", program="tables/write"))
    written |= messages("limit/cell/1") | messages("figures/old")
    assert gone() == written
    # what was made since, whoever has made it, as another configuration in the same folder
    assert gone(since=-60.0) == set()


@pytest.mark.parametrize(
    ("name", "program"),
    [
        ("mine_set/reps0-0.parquet", "stages/problems"),
        ("mine/cell/reps0-0.parquet", "stages/limit"),
        ("flow/cell/reps0-0.parquet", "stages/limit"),
        ("limit/reps0-0.parquet", "stages/limit"),
        ("figures/reps0-0.parquet", "stages/limit"),
        ("limit/cell/reps0-0.parquet", "export/keep"),
        ("limit/cell/reps0-0.parquet", "limit"),
        ("tables/more/old.parquet", "tables/write"),
        ("figures/old.parquet", "tables/write"),
    ],
)
def test_what_a_program_was_told_to_write_elsewhere_stays(name, program):
    """By hand, or by rules of someone who has this workflow as a module."""
    table(RESULTS / name, program)
    assert gone() == set()


def test_a_document_stays():
    drawing(RESULTS / "paper", ".pdf", program="export/paper")
    assert gone() == set()


@pytest.mark.parametrize("place", ["limit/cell/1", "limit_certificates/cell/2", "figures/old"])
def test_messages_that_are_of_no_job_stay(place):
    """Of which one is missing, or the timings are none of Snakemake's."""
    table(RESULTS / "limit/cell_s2/reps0-1.parquet")
    table(RESULTS / "certificates/cell_s2/reps0-1.parquet", "stages/certificates")
    drawing(RESULTS / "figures/old", ".pdf")
    others = gone()
    log, timings = sorted(messages(place), reverse=True)
    assert gone() == others | {log, timings}
    messages(place, "seconds\n1.0\n")
    assert gone() == others
    messages(place)
    Path(timings).unlink()
    assert gone() == others


ELSEWHERE = ["mine/training", "notes", "limit/notes", "figures/cell/1", "figures/mine"]
ELSEWHERE += ["limit/cell/notes", "limit/cel/1", "limit/mine/1", "mine/cell/1", "before/cell/1"]


@pytest.mark.parametrize("place", ELSEWHERE)
def test_messages_that_lie_where_none_of_a_job_does_stay(place):
    """Of someone's own rules, of a copy that was kept."""
    others = {table(RESULTS / "limit/cell_s2/reps0-1.parquet")}
    others |= set(drawing(RESULTS / "figures/old", ".pdf"))
    messages(place)
    assert gone(jobs=["results/logs/rates/cell/1.log"]) == others


def test_messages_of_a_job_less_go_where_another_makes_what_it_made():
    """A value that was taken out leaves fewer jobs of a family."""
    left = messages("limit/cell/3")
    assert gone(jobs=["results/logs/limit/other/1.log"]) == set()
    assert gone(jobs=["results/logs/limit/cell/1.log"]) == left


def test_a_pipe_is_not_waited_for():
    (RESULTS / "limit/cell").mkdir(parents=True)
    os.mkfifo(RESULTS / "limit/cell/reps0-1.json")
    assert gone() == set()


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "notes.json",
        "limit/cell/notes.txt",
        "limit/cell/data.parquet",
        "figures/old.pdf",
        "logs/notes.log",
        "logs/limit/cell/notes.txt",
        "benchmarks/notes.tsv",
        "benchmarks/limit/cell/1.log",
    ],
)
def test_a_file_that_a_person_wrote_stays(name):
    text(RESULTS / name)
    assert gone() == set()


def test_a_figure_that_was_edited_stays():
    """What tells of it goes, and the other files of the figure."""
    pdf, csv, beside = drawing(RESULTS / "figures/old", ".pdf", ".csv")
    Path(pdf).write_text("edited by hand")
    assert gone() == {csv, beside}


def test_a_copy_stays():
    for place in (
        table(RESULTS / "limit/cell/reps0-1.parquet"),
        drawing(RESULTS / "figures/a", ".png")[-1],
    ):
        Path(place).rename(Path(place).with_name(f"copy_of_{Path(place).name}"))
    assert gone() == set()


def test_a_file_that_something_was_made_from_stays():
    """Told as an input, and with its checksum."""
    remember(text(RESULTS / "mine.csv"))
    for file in drawing(RESULTS / "figures/old", ".pdf"):
        assert file in gone()
    assert str(RESULTS / "mine.csv") not in gone()


@pytest.mark.parametrize(
    "begun", ["configuration.yaml", "logs/limit/cell/1.log", "benchmarks/limit/cell/1.tsv"]
)
@pytest.mark.parametrize("place", ["large", "limit", "studies/large", "logs"])
def test_results_of_another_configuration_stay(place, begun):
    """Also where its run has only begun, and if its folder is called as a stage."""
    other = RESULTS / place
    table(other / "limit/cell/reps0-1.parquet")
    drawing(other / "figures/depth", ".pdf")
    text(other / begun, "")
    mine = table(RESULTS / "descent/cell/reps0-1.parquet", "stages/descent")
    assert gone() == {mine}


def test_results_of_another_configuration_stay_whatever_is_left_of_them():
    """Without its logs and timings, of one cell: its stages are no stages of this one."""
    table(RESULTS / "other/limit/cell/reps0-1.parquet")
    drawing(RESULTS / "other/depth", ".pdf")
    assert gone() == set()


def test_links_stay_and_are_not_followed(tmp_path):
    outside = tmp_path / "elsewhere/limit"
    table(outside / "cell/reps0-1.parquet")
    RESULTS.mkdir()
    (RESULTS / "limit").symlink_to(outside)
    (written := Path(table(RESULTS / "rates/cell/points.parquet"))).rename(
        tmp_path / "kept.parquet"
    )
    written.symlink_to(tmp_path / "kept.parquet")
    assert gone() == set()
