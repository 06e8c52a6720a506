"""The finished smoke run has the numbers that are kept in git, none by chance like another."""

import csv
import io
import itertools

import pytest

from audit.reference import differing
from workflow_runs import ROOT

KEPT = ROOT / "results/reference/smoke"


def published(folder):
    """Name -> text of every published CSV file."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for part in ("figures", "tables")
        for path in sorted((folder / part).glob("*.csv"))
    }


def test_a_run_has_the_numbers_that_are_kept(finished):
    """As an audit compares them: whatever changes a published number changes one of these."""
    made, kept = published(finished.folder / "results/smoke"), published(KEPT)
    assert made.keys() == kept.keys()
    for name, text in made.items():
        differences, count = differing(text, kept[name])
        assert count and not differences, (name, differences[:5])


def row_of(table, **values):
    rows = list(csv.DictReader(io.StringIO(published(KEPT)[f"tables/{table}.csv"])))
    (row,) = (row for row in rows if values.items() <= row.items())
    return row


@pytest.mark.parametrize(
    ("table", "but"),
    [
        ("cells", "never"),
        ("rates", "never"),
        ("newton", "never"),
        ("tightness", "silent"),  # there is a bound everywhere
    ],
)
def test_nothing_that_could_be_taken_for_another_number_is_equal_to_it(table, but):
    row = row_of(table, N="30", d="36")
    first = list(row).index("status") + 1
    numbers = {
        name: float(text)
        for name, text in list(row.items())[first:]
        if text.replace(".", "").replace("e", "").strip("+-").isdigit() and but not in name
    }
    assert len(numbers) >= 4
    for (one, value), (other, beside) in itertools.combinations(numbers.items(), 2):
        assert abs(value - beside) > 1e-3 * abs(value), (one, other)


def test_the_smoke_grid_has_several_blocks_and_an_instance_without_a_number():
    bracketed, uneven = row_of("cells", N="30"), row_of("cells", N="8")
    assert bracketed["repetitions"] == bracketed["certified"] == "11"
    assert "local search" in bracketed["rho_tilde_method"]
    assert (uneven["repetitions"], uneven["certified"]) == ("4", "3")
    assert uneven["status"] == "1 not unique"
