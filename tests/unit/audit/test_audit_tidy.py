"""Of what no rule makes, what goes, and what stays: all that a person may have put there."""

from pathlib import Path

import pandas as pd
import pytest

from audit.findings import Audit
from audit.origins import strays
from audit.tidy import left_behind
from pipeline.origin import forget, remember
from pipeline.storage import write_origin, write_table

RESULTS = Path("results")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


def table(path):
    """A table of a program of the project."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_table(path, pd.DataFrame({"a": [1.0]}))
    return str(path)


def drawing(path, *suffixes):
    """A figure as a program has drawn it, and what it tells of that."""
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


def gone():
    """What tidy would remove where no rule makes anything."""
    return set(left_behind(strays(Audit([], RESULTS)), RESULTS))


def test_what_programs_have_written_goes():
    written = {table(RESULTS / "limit/cell/reps0-1.parquet")}
    written |= set(drawing(RESULTS / "figures/old", ".pdf", ".csv"))
    written |= {text(RESULTS / "logs/limit/cell/1.log"), text(RESULTS / "logs/figures/old.log")}
    written |= {text(RESULTS / "benchmarks/limit/cell/1.tsv")}
    assert gone() == written


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


@pytest.mark.parametrize("begun", ["configuration.yaml", "logs/limit/cell/1.log"])
@pytest.mark.parametrize("place", ["large", "limit", "studies/large", "logs"])
def test_results_of_another_configuration_stay(place, begun):
    """Also where its run has only begun, and if its folder is called as a stage."""
    other = RESULTS / place
    table(other / "limit/cell/reps0-1.parquet")
    drawing(other / "figures/depth", ".pdf")
    text(other / begun, "")
    mine = table(RESULTS / "descent/cell/reps0-1.parquet")
    assert gone() == {mine}


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
