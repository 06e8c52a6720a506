"""Files of one's own that a configuration names are looked at before any job starts."""

import numpy as np
import pytest
import yaml
from scipy.io import mmwrite

from planning.configuration import validate
from planning.own_files import check_own_files
from planning.reading import UNUSABLE, ConfigurationError
from workflow_runs import Project

PATH = {"smallest": 1e-6, "largest": 1.0, "per_decade": 2}
BLOCK = {"figure": "generalization", "depth": [2, 3], "alpha": PATH}


def configured(*entries, **more):
    """A configuration with these problems of one's own."""
    ensemble = [{"name": "file", **entry} for entry in entries]
    block = BLOCK | {"ensemble": ensemble if len(ensemble) > 1 else ensemble[0]} | more
    window = {"window": {"smallest": 1e-6, "largest": 1e-2}}
    return validate({"rates": window, "experiments": {"mine": block}})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three rows and four columns in every format; y and x_0 for them."""
    matrix = np.array([[1.0, 0.0, 2.0, 1.0], [0.0, 1.0, 1.0, 2.0], [1.0, 1.0, 0.0, 1.0]])
    np.savez(tmp_path / "A.npz", A=matrix, y=np.ones(3))
    mmwrite(tmp_path / "A.mtx", matrix)
    (tmp_path / "y.csv").write_text("y\n1\n1\n1\n")
    rows = [",".join(map(str, [*row, 1])) for row in matrix]
    (tmp_path / "A.csv").write_text("\n".join(["a,b,c,d,y", *rows]) + "\n")
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


FORMATS = [{"path": "A.csv"}, {"path": "A.npz"}, {"path": "A.mtx", "data": "y.csv"}]


@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry["path"])
def test_files_that_are_there(folder, entry):
    check_own_files(configured(entry))
    check_own_files(configured(entry | {"held_out": 2}, repetitions=2))
    check_own_files(configured(entry | {"path": str(folder / entry["path"])}))


@pytest.mark.parametrize(
    ("entry", "key", "named"),
    [
        ({"path": "B.csv"}, "path", "B.csv"),
        ({"path": "B.npz"}, "path", "B.npz"),
        ({"path": "B.mtx", "data": "y.csv"}, "path", "B.mtx"),
        ({"path": "A.mtx", "data": "z.csv"}, "data", "z.csv"),
        ({"path": "A.csv", "signal": "x0.csv"}, "signal", "x0.csv"),
    ],
)
def test_a_file_that_is_not_there(folder, entry, key, named):
    with pytest.raises(ConfigurationError) as caught:
        check_own_files(configured(entry))
    assert str(caught.value) == (
        f'experiments.mine.ensemble.{key}: "{named}" is not allowed; allowed: the path of a file; '
        f"there is none at {folder / named}"
    )


@pytest.mark.usefixtures("folder")
def test_every_mistake_has_its_line():
    shape = {"law": "file", "path": "w.csv"}
    config = configured({"path": "folder.csv"}, {"path": "B.csv"}, initialization=shape)
    with pytest.raises(ConfigurationError) as caught:
        check_own_files(config)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [
        "experiments.mine.ensemble[0].path",
        "experiments.mine.ensemble[1].path",
        "experiments.mine.initialization.path",
    ]
    assert lines[0].endswith("the path of a file; it is a folder")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("held_out", [3, 4])
@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry["path"])
def test_some_rows_must_be_left(entry, held_out):
    with pytest.raises(ConfigurationError) as caught:
        check_own_files(configured(entry | {"held_out": held_out}, repetitions=2))
    assert str(caught.value) == (
        f"experiments.mine.ensemble.held_out: {held_out} is not allowed; allowed: less than the "
        f"rows of A, of which {entry['path']} has 3"
    )


@pytest.mark.usefixtures("folder")
def test_a_file_that_cannot_be_read_is_for_its_job_to_name(folder):
    (folder / "A.npz").write_bytes(b"no archive")
    check_own_files(configured({"path": "A.npz", "held_out": 5}, repetitions=2))


def test_it_is_said_in_place_of_what_snakemake_would_say(tmp_path):
    project = Project(tmp_path)
    path = project.folder / "config/mine.yaml"
    window = {"window": {"smallest": 1e-6, "largest": 1e-2}}
    block = BLOCK | {"ensemble": {"name": "file", "path": "data/none.csv"}}
    config = {"results": "results/mine", "rates": window, "experiments": {"mine": block}}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    result = project.snakemake("--dry-run", config="config/mine.yaml")
    said = result.stdout + result.stderr
    assert result.returncode != 0 and UNUSABLE in said and "MissingInput" not in said
    assert 'experiments.mine.ensemble.path: "data/none.csv" is not allowed; ' in said
    assert not (project.folder / "results").exists()
