"""What is written of the kinds of tables elsewhere is what the registry says."""

import re

import pytest

from figures.registry import KINDS
from planning.experiments import UNPROVED, feeding
from tables.making import MAKERS
from tables.registry import TABLES
from workflow_runs import ROOT


def test_every_kind_has_a_caption_and_a_figure_that_feeds_it():
    captions = {path.stem for path in (ROOT / "workflow/report").glob("table_*.rst")}
    assert captions == {f"table_{name}" for name in TABLES}
    assert MAKERS.keys() == TABLES.keys()
    assert all(map(feeding, TABLES))


@pytest.mark.parametrize("name", TABLES)
def test_every_kind_is_documented(name):
    key = "`experiments.<name>.tables`"
    rows = (ROOT / "config/README.md").read_text(encoding="utf-8").splitlines()
    (row,) = (row for row in rows if row.startswith(f"| {key} |"))
    assert f"`{name}`" in row
    left = re.search(r"\(only (.*?) are left\)", row)[1]
    possible = any(KINDS[kind].initialization for kind in feeding(name))
    assert (f"`{name}`" in left) == (name in UNPROVED and possible)
    assert (ROOT / f"scripts/tables/kinds/{name}.py").is_file()
