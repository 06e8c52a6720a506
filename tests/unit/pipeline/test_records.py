"""Records between stages: their files, their shapes, and the page that documents them."""

import re

import numpy as np
import pytest

from implicit_l1.status import CONVERGED
from pipeline.command_line import Failure
from pipeline.records.flow import Endpoints
from pipeline.records.kinds import KINDS
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.record import joined, stacked
from pipeline.storage import DamagedFileError, write_arrays
from reference import filled_record, partial_record
from workflow_runs import ROOT


def endpoints(*repetitions):
    count = len(repetitions)
    return Endpoints(
        repetition=repetitions,
        outcome=np.full(count, CONVERGED),
        error=np.arange(2.0 * count).reshape(count, 2),
        claimed=np.full(count, 1e-9),
        escaped=np.full(count, 3.0),
        settled=np.full(count, 7.0),
        steps=np.arange(count),
    )


def test_records_come_back(tmp_path):
    record = endpoints(0, 1, 2)
    record.save(tmp_path / "a.npz")
    found = Endpoints.load(tmp_path / "a.npz").arrays()
    assert found.keys() == record.arrays().keys()
    for name, values in record.arrays().items():
        assert found[name].dtype == values.dtype and np.array_equal(found[name], values)


@pytest.mark.parametrize(
    ("name", "values"), [("claimed", np.zeros(3)), ("error", np.zeros(2)), ("steps", 0)]
)
def test_shapes_that_do_not_fit_are_refused(name, values):
    with pytest.raises(ValueError, match=rf"^{name} has shape "):
        Endpoints(**endpoints(0, 1).arrays() | {name: values})


@pytest.mark.parametrize("change", ["missing", "more", "shape"])
def test_files_of_another_kind_are_named(tmp_path, change):
    arrays = endpoints(0, 1).arrays()
    arrays |= {"missing": {}, "more": {"other": np.zeros(1)}, "shape": {"steps": np.zeros(5)}}[
        change
    ]
    if change == "missing":
        del arrays["steps"]
    write_arrays(tmp_path / "a.npz", **arrays)
    with pytest.raises(DamagedFileError, match=r"a\.npz is damaged \(.*(steps|other)"):
        Endpoints.load(tmp_path / "a.npz")


def test_what_is_left_out_stays_out():
    record = filled_record(LimitPoints, error=np.ones((2, 3, 4)), repetition=[0, 1])
    assert record.without("error").error is None
    assert record.error.shape == (2, 3, 4)
    whole = joined([record.without("error")], "results/a/b.npz")
    assert whole.error is None and whole.log_unit.shape == (2, 3)


def test_parts_make_the_whole():
    record = endpoints(0, 1, 2)
    again = stacked([record.part(place) for place in range(3)])
    for name, values in record.arrays().items():
        assert np.array_equal(again.arrays()[name], values)
    with pytest.raises(Failure, match=r"^a/b: its blocks are not repetitions 0"):
        joined([record, record], "results/a/b.npz")


def test_repetitions_are_found_by_their_numbers():
    record = endpoints(5, 6, 7)
    assert record.only([7, 5], "results/a/b.npz").steps.tolist() == [2, 0]
    with pytest.raises(Failure, match=r"^a/b: its block has no repetition 4"):
        record.only([5, 4], "results/a/b.npz")


def test_from_ones_there_is_no_shape():
    record = partial_record(Minimizers, point=np.ones((2, 3)), margin=np.ones(2))
    assert record.shapes_at(0) == ()
    unit, tilt = record.norm()
    assert unit.tolist() == np.ones((2, 3)).tolist() and tilt.tolist() == np.zeros((2, 3)).tolist()
    assert record.initialization(1).scale.tolist() == [1.0] * 3


def test_the_page_says_what_the_files_hold():
    """docs/arrays.md: under the name of each stage one row an array."""
    text = (ROOT / "docs/arrays.md").read_text(encoding="utf-8")
    stages = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)[1:]
    found = dict(zip(stages[::2], stages[1::2], strict=True))
    assert list(found) == list(KINDS)
    bar = r"\|"  # in a cell of a table
    for stage, kind in KINDS.items():
        rows = [
            f"| `{name}` | ({', '.join(shape)}) | {words.replace('|', bar)} |"
            for name, (shape, words) in kind.documented().items()
        ]
        assert re.findall(r"^\| `.*", found[stage], re.MULTILINE) == rows
