"""Every file tells how it was made, in the same words in every folder."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from pipeline import origin as origins
from pipeline.storage import DamagedFileError, read_arrays, read_origin, write_arrays, write_origin
from pipeline.tidy import read_table, write_table
from workflow_runs import Project

pytestmark = pytest.mark.long

PROBLEMS = [
    *("scripts/stages/problems.py", "--output", "results/p.npz", "--repetitions", "0", "1"),
    *("gaussian", "--N", "5", "--d", "10", "--s", "1", "--eta", "0", "--seed", "7"),
    *("--law", "constant"),
]
DRAWN = {"results/p.npz": PROBLEMS[3:]}
L1 = [
    *("scripts/stages/l1.py", "--problems", "results/p.npz", "--output", "results/l1.npz"),
    *("--solver", "HIGHS", "--nonunique", "carry"),
]


@pytest.fixture(autouse=True)
def nothing_read(monkeypatch):
    """As in a process that has read nothing."""
    for name in ("_inputs", "_sources"):
        monkeypatch.setattr(origins, name, {})
    monkeypatch.setattr(origins, "_data", set())


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    """Two copies of the project in folders of other names, problems and minimizers in each."""
    found = [Project(tmp_path_factory.mktemp(name)) for name in ("one", "another-one")]
    for project, program in zip(found, ("", f"{found[1].folder}/"), strict=True):
        for words in (PROBLEMS, L1):
            subprocess.run(
                [sys.executable, program + words[0], *words[1:]], cwd=project.folder, check=True
            )
    return found


@pytest.mark.parametrize("name", ["p.npz", "l1.npz"])
def test_the_same_job_gives_the_same_bytes_in_every_folder(projects, name):
    one, another = ((project.folder / "results" / name).read_bytes() for project in projects)
    assert one == another
    for project in projects:
        assert str(project.folder).encode() not in one


def test_drawn_problems_are_their_own_source(projects):
    found = read_origin(projects[0].folder / "results/p.npz")
    assert found["path"] == "results/p.npz"
    assert found["command"] == PROBLEMS
    assert found["inputs"] == {}
    assert found["sources"] == DRAWN
    assert "--output" not in DRAWN["results/p.npz"]
    assert {"7", "gaussian"} <= set(DRAWN["results/p.npz"])


def test_what_is_computed_from_them_tells_of_them(projects):
    folder = projects[0].folder
    found = read_origin(folder / "results/l1.npz")
    assert found["command"] == L1
    assert found["inputs"] == {"results/p.npz": origins.checksum(folder / "results/p.npz")}
    assert found["sources"] == DRAWN


def test_code_and_lock_are_told_by_their_checksums(projects):
    folder = projects[0].folder
    found = read_origin(folder / "results/l1.npz")
    assert {
        "scripts/stages/l1.py",
        "scripts/pipeline/command_line.py",
        "scripts/implicit_l1/minimizer/l1.py",
    } <= set(found["code"])
    assert "scripts/stages/problems.py" not in found["code"]
    assert found["code"] == {name: origins.checksum(folder / name) for name in found["code"]}
    assert found["lock"] == origins.checksum(folder / "requirements.txt")


def test_reading_is_remembered_in_arrays_and_tables(tmp_path):
    write_arrays(tmp_path / "a.npz", error=np.zeros(2))
    write_table(tmp_path / "a.parquet", pd.DataFrame({"error": [1.0]}))
    read_arrays(tmp_path / "a.npz")
    read_table(tmp_path / "a.parquet")
    write_table(tmp_path / "b.parquet", pd.DataFrame({"error": [2.0]}))
    found = read_origin(tmp_path / "b.parquet")
    assert found["inputs"] == {
        str(tmp_path / name): origins.checksum(tmp_path / name) for name in ("a.npz", "a.parquet")
    }
    assert set(found["sources"]) == set(found["inputs"])


def test_a_file_of_no_origin_is_remembered_by_its_checksum(tmp_path):
    (tmp_path / "a.style").write_text("lines")
    origins.remember(tmp_path / "a.style")
    write_arrays(tmp_path / "b.npz", error=np.zeros(2))
    found = read_origin(tmp_path / "b.npz")
    assert list(found["inputs"]) == [str(tmp_path / "a.style")]
    assert found["sources"] == {}


def test_an_origin_is_no_array(tmp_path):
    write_arrays(tmp_path / "a.npz", error=np.zeros(2))
    assert list(read_arrays(tmp_path / "a.npz")) == ["error"]


def test_checking_an_origin_is_not_reading(tmp_path):
    write_arrays(tmp_path / "a.npz", error=np.zeros(2))
    read_origin(tmp_path / "a.npz")
    write_arrays(tmp_path / "b.npz", error=np.zeros(2))
    assert read_origin(tmp_path / "b.npz")["inputs"] == {}


# Files beside text and figures


def beside(tmp_path):
    (tmp_path / "a.txt").write_text("made")
    write_origin(tmp_path / "a.json", [tmp_path / "a.txt"], rule="table_a", configuration={"s": 1})
    return tmp_path / "a.json"


def test_a_file_beside_text_tells_its_origin(tmp_path):
    found = read_origin(beside(tmp_path))
    assert found["files"] == {str(tmp_path / "a.txt"): origins.checksum(tmp_path / "a.txt")}
    assert found["rule"] == "table_a" and found["configuration"] == {"s": 1}
    assert set(found) >= {"path", "command", "code", "lock", "inputs", "sources"}


def test_it_can_be_read_without_this_project(tmp_path):
    text = beside(tmp_path).read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_a_file_beside_text_that_was_edited_is_reported(tmp_path):
    path = beside(tmp_path)
    path.write_text(path.read_text().replace('"s": 1', '"s": 2'))
    with pytest.raises(DamagedFileError, match=r"a\.json"):
        read_origin(path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '"text"', "\0"])
def test_what_is_no_origin_is_reported(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DamagedFileError, match=r"a\.json"):
        read_origin(tmp_path / "a.json")


def test_nothing_told_replaces_a_part_of_the_origin(tmp_path):
    with pytest.raises(ValueError, match="command"):
        write_origin(tmp_path / "a.json", [], command="another")
    assert not (tmp_path / "a.json").exists()


def test_only_what_was_made_is_told_of(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_origin(tmp_path / "a.json", [tmp_path / "absent.txt"])
    assert not (tmp_path / "a.json").exists()


def test_output_and_its_path_are_no_part_of_what_is_drawn():
    assert origins.without_output(["p.py", "--a", "1", "--output", "x", "b"]) == ["--a", "1", "b"]
    assert origins.without_output(["p.py", "--a", "1"]) == ["--a", "1"]
