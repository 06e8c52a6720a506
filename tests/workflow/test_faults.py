"""The lists of faults that tests are tried with stay applicable."""

import pytest
import yaml

from workflow_runs import ROOT

LISTS = sorted((ROOT / "tests/faults").glob("*.yaml"))


def entries(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_fault_can_be_put_in(path):
    """Its text stands once in its file, and the tests that are to notice it exist."""
    faults = entries(path)
    assert faults
    for fault in faults:
        assert fault.keys() == {"file", "old", "new", "kind", "tests"}, fault
        text = (ROOT / fault["file"]).read_text(encoding="utf-8")
        assert text.count(fault["old"]) == 1, (fault["file"], fault["old"])
        assert fault["new"] != fault["old"] and fault["tests"]
        assert all((ROOT / name).is_file() for name in fault["tests"]), fault["tests"]


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_no_fault_is_there_twice(path):
    faults = [(fault["file"], fault["old"], fault["new"]) for fault in entries(path)]
    assert len(set(faults)) == len(faults)
