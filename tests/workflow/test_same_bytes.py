"""Differences between runs are found, located, and put down to what causes them."""

import os
import select
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import same_bytes
from same_bytes import (
    GROUPS,
    Copy,
    Group,
    RunFailed,
    Runs,
    Variation,
    chosen,
    circumstances,
    compare,
    everything,
    first_difference,
    judge,
    results,
    run,
    tables_and_problems,
    together,
    variations,
)

from forging import forge_arrays
from pipeline.storage import write_arrays

TABLE = "smoke/tables/rates.csv"
PROBLEMS = "smoke/problems/one/reps0-1.npz"
ORIGIN = "smoke/tables/rates.json"
LIMIT = "smoke/limit/one/reps0-1.npz"
RESULTS = {
    TABLE: b"a,b\n1,2\n3,4\n",
    PROBLEMS: bytes(range(200, 240)),
    LIMIT: bytes(range(200, 240)),
    ORIGIN: b"made of files with these checksums",
}
# what differs between any two runs
OF_THE_DAY = [
    *("smoke/logs/limit/one.log", "smoke/benchmarks/limit/one.tsv", "smoke/timings.csv"),
    *("smoke/audit.md", "smoke/limit/one/.reps0-1-abc.npz", "report.html"),
]


def write(folder, day="Monday", **changes):
    """A project with made-up results; of the changes, None leaves a file out."""
    files = RESULTS | {name: day.encode() for name in OF_THE_DAY}
    for name, content in (files | changes).items():
        path = folder / "results" / name
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


def test_no_difference_but_the_day(tmp_path):
    assert compare(write(tmp_path / "a"), write(tmp_path / "b", "Tuesday")) == {}


@pytest.mark.parametrize(("circumstance", "same"), [("elsewhere", True), ("command", False)])
def test_results_may_differ_in_what_they_tell_of_circumstances(tmp_path, circumstance, same):
    """And in nothing else, nor where nothing of the circumstances is to be told."""
    for number, name in enumerate(("a", "b")):
        path = tmp_path / name / "results/l1/a.npz"
        write_arrays(path, point=np.zeros(3))
        told = {"path": "", "sources": {}, circumstance: [str(number)]}
        forge_arrays(path, dict, lambda origin, told=told: origin | told)
    folders = tmp_path / "a", tmp_path / "b"
    assert compare(*folders).keys() == {"l1/a.npz"}
    assert (compare(*folders, told=True) == {}) == same
    forge_arrays(tmp_path / "b/results/l1/a.npz", lambda arrays: {"point": np.ones(3)})
    assert compare(*folders, told=True).keys() == {"l1/a.npz"}


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_is_compared(tmp_path, name):
    """A byte is enough, and so is a file too few or too many."""
    plain, missing = write(tmp_path / "a"), write(tmp_path / "b", **{name: None})
    longer = write(tmp_path / "c", **{name: RESULTS[name] + b" "})
    assert compare(plain, longer).keys() == {name}
    assert compare(plain, missing) == {name: "missing"}
    assert compare(missing, plain) == {name: "not made by the plain run"}


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        (b"\x00\x01\x02\xff", b"\x00\x01\x03\xff", "byte 2 of 4 | 4: 02 ff | 03 ff"),
        (b"\xff\x01", b"\xff", "byte 1 of 2 | 1: 01 | end"),
        (b"text", b"\xfftext", "byte 0 of 4 | 5: 74 65 78 74 | ff 74 65 78 74"),
        (b"a\nbc\nd", b"a\nbe\nd", "line 2, from character 1: 'bc' | 'be'"),
        (b"a\nb\n", b"a\r\nb\n", r"line 1, from character 1: 'a' | 'a\r'"),
        (b"a\nb", b"a", "line 2, from character 1: 'b' | end"),
        (b"x" * 90 + b"1", b"x" * 90 + b"2", f"from character 61: '{'x' * 30}1' | '{'x' * 30}2'"),
    ],
)
def test_the_first_difference(old, new, where):
    assert first_difference(old, new).endswith(where)


class Made:
    """In place of Snakemake: results that change where a variable of the environment says so."""

    def __init__(self):
        self.names = []

    def __call__(self, variation, source, folder, cores, kill_after):
        self.names.append(folder.name)
        if "FAIL" in variation.environment:
            raise RunFailed("no such rule")
        changes = {key: b"other" for key in variation.environment if key in RESULTS}
        if {"ONE", "TWO"} <= variation.environment.keys():
            changes[TABLE] = b"both"
        assert (source / "Snakefile").exists()
        return write(folder, folder.name, **changes)


def outcome(tmp_path, must_match=everything, **environments):
    """The verdict on a group of variations with these variables, and the runs that it took."""
    made = Made()
    tmp_path.mkdir(exist_ok=True)
    members = {name: Variation(name, dict.fromkeys(e, "1")) for name, e in environments.items()}
    good = judge(Runs(tmp_path, 2, made), "group", Group(tuple(members), must_match), members)
    return good, made.names


def test_a_group_that_agrees_takes_one_run(tmp_path, capsys):
    assert outcome(tmp_path, one=["A"], two=["B"]) == (True, ["plain", "group"])
    assert "4 files are the same" in capsys.readouterr().out


def test_a_difference_is_put_down_to_its_variation(tmp_path, capsys):
    good, names = outcome(tmp_path, one=["A"], two=[TABLE], three=["B"])
    assert not good
    assert names == ["plain", "group", "one", "two", "three"]
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == "group: TO BLAME: two"
    assert f"    {TABLE}\n        line 1, from character 1: 'a,b' | 'other'\n" in printed
    assert "1 files DIFFER; 3 files are the same" in printed


def test_a_difference_that_takes_two_variations(tmp_path, capsys):
    assert not outcome(tmp_path, one=["ONE"], two=["TWO"])[0]
    assert "TO BLAME: no variation alone, some together" in capsys.readouterr().out


def test_a_single_variation_is_not_run_again(tmp_path, capsys):
    assert outcome(tmp_path, one=[TABLE]) == (False, ["plain", "group"])
    assert "TO BLAME: one" in capsys.readouterr().out


def test_a_run_that_fails_is_a_difference(tmp_path, capsys):
    assert not outcome(tmp_path, one=["A"], two=["FAIL"])[0]
    printed = capsys.readouterr().out
    assert "THE RUN FAILED\nno such rule" in printed
    assert printed.splitlines()[-1] == "group: TO BLAME: two"


def test_some_results_may_depend_on_the_processor(tmp_path, capsys):
    assert outcome(tmp_path / "a", tables_and_problems, one=[LIMIT], two=[ORIGIN])[0]
    assert "2 files are the same; 2 others differ, as they may" in capsys.readouterr().out
    assert not outcome(tmp_path / "b", tables_and_problems, one=[TABLE])[0]
    assert not outcome(tmp_path / "c", tables_and_problems, one=[PROBLEMS])[0]
    assert not outcome(tmp_path / "d", everything, one=[LIMIT])[0]


def test_nothing_to_try_is_no_difference(tmp_path):
    assert outcome(tmp_path) == (True, ["plain"])


def test_the_script_ends_with_the_verdict(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(same_bytes, "variations", lambda workspace: VARIED)
    monkeypatch.setattr(same_bytes, "run", Made())
    for only, status in [(["umask"], 0), (["path"], 1), (["everyday"], 1), (["killed"], 0)]:
        monkeypatch.setattr(sys, "argv", ["same_bytes.py", "--only", *only])
        with pytest.raises(SystemExit) as end:
            same_bytes.main()
        assert end.value.code == status, only
    assert "clock: SKIPPED, no library" in capsys.readouterr().out


VARIED = {name: Variation(name) for group in GROUPS.values() for name in group.members}
VARIED["path"] = Variation("path", {TABLE: "1"})
VARIED["clock"] = Variation("clock", unavailable="no library")


# Circumstances


def test_what_is_chosen():
    assert chosen([]) == {name: list(group.members) for name, group in GROUPS.items()}
    assert chosen(["clock", "processor"]) == {
        "everyday": ["clock"],
        "processor": ["blas", "numpy_kernels", "libm"],
    }


def test_groups_hold_every_variation_and_combine(tmp_path):
    known = variations(tmp_path)
    members = [name for group in GROUPS.values() for name in group.members]
    assert sorted(members) == sorted(known)
    for group in GROUPS.values():
        together([known[name] for name in group.members])
    everyday = together([known[name] for name in GROUPS["everyday"].members])
    assert everyday.umask == 0o077 and " " in everyday.folder and not everyday.folder.isascii()
    assert everyday.killed and everyday.cores == 1


def test_what_one_variation_sets_no_other_does():
    one, two = Variation("", {"A": "1"}), Variation("", {"A": "2"})
    with pytest.raises(AssertionError, match="two set one variable"):
        together([one, two])


@pytest.fixture
def recorded(monkeypatch):
    """What Snakemake would be started with, start after start, instead of starting it."""
    starts = []

    def record(project, *targets, **what):
        umask = os.umask(0)
        os.umask(umask)
        arguments = project.command()
        cores = arguments[len(arguments) - arguments[::-1].index("--cores")]
        files = {path.name for path in project.folder.iterdir()}
        assert files == {"Snakefile"}
        starts.append(
            what | {"targets": targets, "cores": cores, "umask": umask, "A": os.environ.get("A")}
        )
        return subprocess.CompletedProcess([], len(starts) == 3, "no", " rule")

    monkeypatch.setattr(Copy, "snakemake", record)
    monkeypatch.setattr(
        Copy,
        "kill_while_running",
        lambda project, after: record(project, killed_after=after),
    )
    return starts


def test_a_run_is_in_its_circumstances(tmp_path, recorded):
    source = tmp_path / "source"
    source.mkdir()
    (source / "Snakefile").touch()
    plain = run(Variation(""), source, tmp_path / "a", 2, 5)
    varied = Variation("", {"A": "1"}, folder="ä", umask=0o077, cores=1, killed=True)
    assert plain == tmp_path / "a/project"
    with pytest.raises(RunFailed, match="no rule"):
        run(varied, source, tmp_path / "b", 2, 5)
    assert (tmp_path / "b/ä").exists()
    expected = {"cores": "1", "umask": 0o077, "A": "1"}
    targets = ("all", "paper")
    assert recorded == [
        {"targets": targets, "cores": "2", "umask": 0o022, "A": None},
        expected | {"targets": (), "killed_after": 5},
        expected | {"targets": targets},
    ]


# writes files, from a process of its own as jobs are, and then does what it is told
JOB = """
import pathlib, signal
alive = open("alive", "w")
for i in range(5):
    pathlib.Path(f"results/{{i}}.csv").touch()
{then}
"""


def running(tmp_path, monkeypatch, then):
    """A copy in which the run is the job above, and the end to read of a pipe that it holds."""
    source = tmp_path / "source"
    (source / "results").mkdir(parents=True)
    start = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    command = [sys.executable, "-c", start, JOB.format(then=then)]
    monkeypatch.setattr(Copy, "command", lambda project: command)
    project = Copy(source, tmp_path / "copy", 1)
    os.mkfifo(project.folder / "alive")
    return project, os.open(project.folder / "alive", os.O_RDONLY | os.O_NONBLOCK)


def test_a_run_is_killed_in_the_middle_with_its_jobs(tmp_path, monkeypatch):
    project, alive = running(tmp_path, monkeypatch, "signal.pause()")
    project.kill_while_running(after=5)
    assert len(results(project.folder)) == 5
    # the other end closes with the job; one that lives on would keep it open for ever
    os.set_blocking(alive, True)
    assert select.select([alive], [], [], 60) == ([alive], [], [])
    assert os.read(alive, 1) == b""
    os.close(alive)


def test_a_run_too_short_to_be_killed_is_reported(tmp_path, monkeypatch):
    project, alive = running(tmp_path, monkeypatch, "print('all is done')")
    with pytest.raises(RunFailed, match=r"could be killed: status 0, 5 of 6 files\nall is done"):
        project.kill_while_running(after=6)
    os.close(alive)


def test_circumstances_end(monkeypatch):
    monkeypatch.setenv("FIRST", "here")
    monkeypatch.setenv("TZ", "local")
    umask = os.umask(0o027)
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), circumstances({"FIRST": None, "LAST": "1"}, 0o077):
        inside = dict(os.environ)
        mask = os.umask(0o077)
        raise ZeroDivisionError
    assert "FIRST" not in inside and inside["LAST"] == "1" and inside["TZ"] == "UTC0"
    assert mask == 0o077
    assert dict(os.environ) == before
    assert os.umask(umask) == 0o027


def test_a_program_is_taken_off_the_path(tmp_path, monkeypatch):
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        for name in ("a", "b"):
            (folder / name).write_text("#!/bin/sh\n")
            (folder / name).chmod(0o755)
    (first / "a").unlink()
    monkeypatch.setenv("PATH", os.pathsep.join(map(str, (first, second))))
    path = same_bytes._path_without("a", tmp_path / "links")
    assert path.split(os.pathsep)[0] == str(first)
    assert shutil.which("a", path=path) is None
    assert shutil.which("b", path=path.split(os.pathsep)[1]) is not None


@pytest.mark.parametrize(
    "listing",
    [
        "os.listdir('.')",
        "[e.name for e in os.scandir('.')]",
        "next(os.walk('.'))[2]",
        "[p.name for p in Path('.').iterdir()]",
        "[p.name for p in Path('.').rglob('*.txt')]",
    ],
)
def test_directories_are_listed_the_other_way_round(tmp_path, listing):
    changes = variations(tmp_path)["file_order"].environment
    folder = tmp_path / "listed"
    folder.mkdir()
    for name in "cabd":
        (folder / f"{name}.txt").touch()

    def listed(environment):
        command = f"import os; from pathlib import Path; print(*{listing})"
        return subprocess.run(
            [sys.executable, "-c", command],
            cwd=folder,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()

    assert sorted(listed({})) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert listed(changes) == listed({})[::-1]


# figures of the smoke grid that a test draws again: lines and bands, trajectories, a heat map
DRAWN = ("depth", "flow", "phase")


def test_the_smoke_grid_is_the_same(finished, tmp_path):
    """What `make same-bytes` tries, but for most figures and the document
    (tests/unit/export/test_paper.py), and for another processor: problems are drawn for one in
    tests/unit/problems/test_problems.py."""

    def is_made(name):
        return "figures" not in Path(name).parts or Path(name).stem in DRAWN

    name = "everyday"
    targets = tuple(f"results/{file}" for file in results(finished.folder) if is_made(file))
    runs = Runs(tmp_path, 2, partial(run, targets=targets), plain=finished.folder)
    available = variations(tmp_path)
    members = {member: available[member] for member in GROUPS[name].members}
    assert judge(runs, name, Group(tuple(members), is_made), members)
