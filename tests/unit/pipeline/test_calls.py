"""Several calls in one process: what is there already is kept, and only that."""

import shlex
import subprocess
import sys

import numpy as np
import pytest

from forging import forge_arrays
from pipeline import origin as origins
from pipeline.calls import KEPT, are_current, calls_of
from pipeline.storage import read_origin, write_arrays
from problem_files import write_problems
from workflow_runs import ROOT, script

pytestmark = pytest.mark.long

LIMIT = "results/smoke/limit/gaussian_N20_d40_s2_eta0/D2/alpha1e-6to1by2/reps0-2.npz"
FIGURE = [f"results/smoke/figures/noise.{kind}" for kind in ("pdf", "svg", "png", "csv", "json")]


def test_the_calls_of_a_command_line():
    assert calls_of(["--s", "1"]) == [["--s", "1"]]
    one, other = ["--ensemble", 'mine, "x"', "--output", "a b.npz"], ["--output", "c"]
    assert calls_of(["--each", shlex.join(one), shlex.join(other)]) == [one, other]


@pytest.fixture
def here(copy, monkeypatch):
    """A finished project, as if this process were one of its jobs."""
    monkeypatch.chdir(copy.folder)
    monkeypatch.setattr(origins, "ROOT", copy.folder)
    return copy


def edit(*names):
    def change(folder):
        for name in names:
            path = folder / name
            path.write_bytes(path.read_bytes() + b"\n")

    return change


def cut(name):
    def change(folder):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-100])

    return change


def other_input(folder):
    """The content counts, not the time."""
    name = next(name for name in read_origin(folder / LIMIT)["inputs"] if "/l1/" in name)
    forge_arrays(folder / name, lambda arrays: arrays | {"point": arrays["point"] * 2})


CHANGES = {
    "nothing": (lambda folder: None, True),
    "code": (edit("scripts/implicit_l1/network/limit.py"), False),
    "other code": (edit("scripts/figures/draw.py"), True),
    "lock": (edit("requirements.txt"), False),
    "input": (other_input, False),
    "missing": (lambda folder: (folder / LIMIT).unlink(), False),
    "damaged": (cut(LIMIT), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_is_current_that_would_be_made_so(here, change):
    command = read_origin(LIMIT)["command"]
    change, expected = CHANGES[change]
    change(here.folder)
    assert are_current([LIMIT], command) == expected
    assert not are_current([LIMIT], [*command, "--tolerance", "1e-8"])


def test_a_file_of_another_place_is_not(here):
    """One that was copied from another cell, with its origin."""
    other = LIMIT.replace("eta0/", "eta0.1/")
    (here.folder / other).write_bytes((here.folder / LIMIT).read_bytes())
    assert not are_current([other], read_origin(LIMIT)["command"])


@pytest.mark.parametrize("name", FIGURE)
def test_a_figure_is_current_if_all_its_files_are(here, name):
    command = read_origin(FIGURE[-1])["command"]
    assert are_current(FIGURE, command)
    cut(name)(here.folder)
    assert not are_current(FIGURE, command)


def call(problems, output):
    return shlex.join(
        ["--problems", problems, "--output", output, "--solver", "HIGHS", "--nonunique", "fail"]
    )


def write_two(folder, *entries):
    """Problems with A = [1, x] for two x."""
    return [
        write_problems(folder, np.array([[1.0, x]]), np.ones(2), np.ones(1), f"results/p{x}.npz")
        for x in entries
    ]


def test_a_call_that_fails_does_not_keep_the_others(tmp_path, monkeypatch):
    """A = [1, 1] has several minimizers, A = [1, 1/4] one."""
    monkeypatch.chdir(tmp_path)
    good, bad = write_two(tmp_path, 0.25, 1.0)
    outputs = [f"results/l1/{name}/reps0-1.npz" for name in ("a", "b", "c")]
    calls = [call(*words) for words in zip([good, bad, good], outputs, strict=True)]
    words = ("pipeline/each", ROOT / "scripts/stages/l1.py", "--made", *outputs, "--each", *calls)
    ended = script(*words)
    assert ended.returncode == 1
    (line,) = ended.stderr.strip().splitlines()
    assert line.startswith("error: l1/b/reps0-1, repetition 1: ") and "not unique" in line
    assert [(tmp_path / output).exists() for output in outputs] == [True, False, True]
    # again: what is there is kept, bytes and all
    before = [(tmp_path / output).read_bytes() for output in outputs[::2]]
    again = script(*words)
    assert (again.returncode, again.stderr) == (1, ended.stderr)
    said = again.stdout.splitlines()
    kept = [line.removesuffix(KEPT) for line in said if line.endswith(KEPT)]
    assert kept == outputs[::2]
    assert [(tmp_path / output).read_bytes() for output in outputs[::2]] == before


def test_a_file_made_with_others_is_what_it_is_alone(tmp_path, monkeypatch):
    """Its origin, too: what another call has read is not among its inputs."""
    monkeypatch.chdir(tmp_path)
    names = write_two(tmp_path, 0.25, 0.5)
    outputs = [f"results/l1/{name}/reps0-1.npz" for name in ("a", "b")]
    calls = [call(*words) for words in zip(names, outputs, strict=True)]
    assert script("stages/l1", "--each", *calls).returncode == 0
    together = [(tmp_path / output).read_bytes() for output in outputs]
    for words, output, found in zip(calls, outputs, together, strict=True):
        (tmp_path / output).unlink()
        assert script("stages/l1", *shlex.split(words)).returncode == 0
        assert (tmp_path / output).read_bytes() == found
        assert list(read_origin(output)["inputs"]) == [shlex.split(words)[1]]


@pytest.mark.parametrize("elsewhere", [[], ["numpy"]])
def test_a_file_made_with_what_no_lock_knows_is_not_current(tmp_path, monkeypatch, elsewhere):
    """Its origin does not tell what was in the code that lay in front of the locked package."""
    monkeypatch.chdir(tmp_path)
    told = {"path": "a.npz", "command": ["program"], "code": {}, "inputs": {}}
    told |= {"lock": origins.checksum(origins.ROOT / origins.LOCK), "elsewhere": elsewhere}
    write_arrays("a.npz", x=np.ones(1))
    forge_arrays("a.npz", lambda arrays: arrays, lambda _: told)
    assert are_current(["a.npz"], ["program"]) == (not elsewhere)


def test_what_is_kept_does_not_wait_for_the_libraries(tmp_path, monkeypatch):
    """Nor is the program run, which here would fail."""
    monkeypatch.chdir(tmp_path)
    (problems,) = write_two(tmp_path, 0.25)
    words = call(problems, "results/l1/a/reps0-1.npz")
    assert script("stages/l1", "--each", words).returncode == 0
    programs = [ROOT / "scripts" / name for name in ("pipeline/each.py", "stages/l1.py")]
    job = [*programs, "--made", "results/l1/a/reps0-1.npz", "--each", words]
    result = subprocess.run(
        [sys.executable, "-X", "importtime", *job],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"results/l1/a/reps0-1.npz{KEPT}\n"
    loaded = {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}
    assert "pyarrow.parquet" in loaded
    assert not {"scipy.linalg", "cvxpy", "pandas", "seaborn", "flint"} & loaded


def test_how_each_is_to_be_asked():
    ended = script("pipeline/each", "stages/l1.py", "--each", "--output a")
    assert ended.returncode == 2
    assert "the following arguments are required: --made" in ended.stderr
