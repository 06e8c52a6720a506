"""Kinds of figures: the registry, what asks it, and a new kind."""

import importlib
import inspect
import re

import pandas as pd
import pytest

from figures.registry import DECADES, KERNEL, KINDS, LIST, STAGE_OF, kinds_where
from pipeline.tidy import read_table
from planning.schema import own_keys, schema
from workflow_runs import ROOT

PAGE = (ROOT / "config/README.md").read_text(encoding="utf-8")
TOY = '''\
"""Figure toy: the margin of every instance."""

from figures.axes import one_panel


def plotted(tables, options):
    """The instances of each noise level."""
    frame = tables.of("instances")[["eta", "repetition", "margin"]]
    return frame.sort_values(["eta", "repetition"])


def picture(frame, options):
    """Dots."""
    figure, ax = one_panel(2.0)
    ax.scatter(frame["eta"], frame["margin"])
    return figure
'''
ENTRY = '"toy": Kind(("instances",), ("cells",), PATH),'
EXPERIMENT = """
  mine:
    figure: [toy, noise]
    ensemble: gaussian
    N: 20
    d: 40
    s: 2
    eta: [0, 0.1]
    depth: 2
    repetitions: 3
    alpha: {smallest: 1.0e-6, largest: 1.0, per_decade: 2}
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_a_module_an_entry_and_a_caption(kind):
    entry, module = KINDS[kind], importlib.import_module(f"figures.kinds.{kind}")
    assert module.__doc__.startswith(f"Figure {kind}: ")
    assert list(inspect.signature(module.plotted).parameters) == ["tables", "options"]
    assert list(inspect.signature(module.picture).parameters) == ["frame", "options"]
    asked = set(re.findall(r'tables\.of\("(\w+)"\)', inspect.getsource(module)))
    asked |= {"curves", "instances"} if hasattr(module, "curves_of") else set()
    asked |= {"agreement"} if hasattr(module, "with_flow_points") else set()
    assert asked == set(entry.reads) <= set(STAGE_OF)
    assert (ROOT / f"workflow/report/figure_{kind}.rst").is_file()


def test_there_is_nothing_of_a_kind_that_is_not_registered():
    modules = {path.stem for path in (ROOT / "scripts/figures/kinds").glob("[!_]*.py")}
    captions = (ROOT / "workflow/report").glob("figure_*.rst")
    assert modules == {path.stem.removeprefix("figure_") for path in captions} == set(KINDS)


def test_the_schema_allows_what_is_registered():
    assert schema()["$defs"]["figure"]["enum"] == list(KINDS)
    tables = {table for kind in KINDS.values() for table in kind.feeds}
    assert tables == set(schema()["$defs"]["table"]["enum"])
    assert all(own_keys([kind]).keys() == set(KINDS[kind].all_keys) for kind in KINDS)


def row_of(key):
    """The row of a key of an experiment."""
    (row,) = re.findall(rf"^\| `experiments\.<name>\.{key}` \|(.*)\|$", PAGE, re.MULTILINE)
    return row


def names_in(text):
    return tuple(re.findall(r"`(\w+)`", text))


def test_the_page_of_keys_names_what_is_registered():
    meaning, allowed, _ = row_of("figure").split(" | ")
    assert names_in(allowed) == tuple(KINDS)
    together, explicit = re.search(
        r"stand together are (.*?)\. (.*?) take the ensemble", meaning
    ).groups()
    assert names_in(together) == kinds_where(shares=True)
    assert names_in(explicit) == kinds_where(problems=(KERNEL,))
    (shaped,) = re.findall(r"Figures (.*?)\.", row_of("initialization"))
    assert names_in(shaped) == kinds_where(initialization=True)
    listed, decades = re.search(
        r"for figures (.*?) a list; for figures (.*?) a path", row_of("alpha")
    ).groups()
    assert set(names_in(listed)) == set(kinds_where(alpha=LIST))
    assert set(names_in(decades)) == set(kinds_where(alpha=DECADES))
    for key in {key for kind in KINDS.values() for key in kind.keys}:
        owners = {kind for kind, entry in KINDS.items() if key in entry.keys}
        assert owners & set(names_in(row_of(key))), key


def test_a_new_kind_is_one_file_one_entry_and_one_caption(copy):
    (copy.folder / "scripts/figures/kinds/toy.py").write_text(TOY, encoding="utf-8")
    (copy.folder / "workflow/report/figure_toy.rst").write_text("Margins.\n", encoding="utf-8")
    copy.replace("scripts/figures/registry.py", "KINDS = {\n", f"KINDS = {{\n    {ENTRY}\n")
    with (copy.folder / "config/smoke.yaml").open("a", encoding="utf-8") as file:
        file.write(EXPERIMENT)
    # figures load every kind; beside them and tables nothing is made
    stages = {rule.split("_")[0] for rule in copy.scheduled()}
    assert stages <= {"configuration", "figures", "tables"}
    copy.run("results/smoke/figures/mine_toy.png", "results/smoke/tables/mine_cells.csv")
    frames = [
        read_table(
            copy.folder / f"results/smoke/rates/{cell}/D2/alpha1e-6to1by2/reps3/instances.parquet"
        )
        for cell in ("gaussian_N20_d40_s2_eta0", "gaussian_N20_d40_s2_eta0.1")
    ]
    expected = pd.concat(frames)["margin"].tolist()
    found = pd.read_csv(copy.folder / "results/smoke/figures/mine_toy.csv")
    assert found["margin"].tolist() == pytest.approx(expected, rel=1e-5)
    assert found["eta"].tolist() == [0.0] * 3 + [0.1] * 3
