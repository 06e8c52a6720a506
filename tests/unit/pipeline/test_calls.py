"""Several calls in one process: what is there already is kept, and only that."""

import shlex

import numpy as np
import pytest

from forging import forge_arrays
from pipeline import origin as origins
from pipeline.calls import KEPT, are_current, calls_of, words_after
from pipeline.storage import read_origin, write_arrays
from problem_files import write_problems
from workflow_runs import script

pytestmark = pytest.mark.long

LIMIT = "results/smoke/limit/gaussian_N20_d40_s2_eta0/D2/alpha1e-6to1by2/reps0-2.npz"
FIGURE = [f"results/smoke/figures/noise.{kind}" for kind in ("pdf", "svg", "png", "csv", "json")]


def test_the_calls_of_a_command_line():
    assert calls_of(["--s", "1"]) == [["--s", "1"]]
    one, other = ["--ensemble", 'mine, "x"', "--output", "a b.npz"], ["--output", "c"]
    assert calls_of(["--each", shlex.join(one), shlex.join(other)]) == [one, other]


def test_the_files_that_a_call_writes():
    words = ["--in", "a", "--output", "b", "c", "--log10-alpha", "-1.5", "--csv", "d"]
    assert words_after(words, "--output", "--csv") == ["b", "c", "d"]
    assert words_after(words, "--in") == ["a"]


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
    ended = script("stages/l1", "--each", *calls)
    assert ended.returncode == 1
    (line,) = ended.stderr.strip().splitlines()
    assert line.startswith("error: l1/b/reps0-1, repetition 1: ") and "not unique" in line
    assert [(tmp_path / output).exists() for output in outputs] == [True, False, True]
    # again: what is there is kept, bytes and all
    before = [(tmp_path / output).read_bytes() for output in outputs[::2]]
    said = script("stages/l1", "--each", *calls).stdout.splitlines()
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
