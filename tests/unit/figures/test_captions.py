"""Captions: every one can be written, and says what its numbers are."""

import re
from types import SimpleNamespace

import jinja2
import pytest

from workflow_runs import ROOT

CAPTIONS = sorted((ROOT / "workflow/report").glob("figure_*.rst"))
EVERY_KEY = {
    "depth": [2, 3],
    "alpha": {"smallest": 1e-6, "largest": 1, "per_decade": 2, "decades": 100, "per_tenfold": 2},
    **{"m": 1, "rho": 0.5, "fractions": [0.5], "iterations": 10, "sparsity": 0.2, "reach": 0.1},
}


def written(path, nonunique="fail", published=False, scales="sample", **keys):
    """The caption of an experiment with these keys beside those of its figure."""
    params = SimpleNamespace(experiment="one", problems="file: a_b.csv", realistic=[1e-4, 0.1])
    params.published = published
    config = {"experiments": {"one": EVERY_KEY | keys}, "l1": {"nonunique": nonunique}}
    config |= {"flow": {"distance": 1e-9}, "certificates": {"scales": scales}}
    # as the report does: what is not there is empty, but a name cannot be called
    template = jinja2.Environment(autoescape=False).from_string(path.read_text(encoding="utf-8"))
    return template.render(snakemake=SimpleNamespace(config=config, params=params))


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_captions_say_what_is_proved(path):
    text = written(path, eta=[0, 0.1])
    assert "numbers that are drawn are floating point" in text
    assert "count as certified" not in " ".join(text.split())
    if "nonunique" in path.read_text(encoding="utf-8"):
        assert "selected in floating point" in written(path, nonunique="select")
        shaped = " ".join(written(path, initialization={"law": "lognormal"}).split())
        assert "unique in floating point" in shaped


def test_trajectories_are_called_proved_only_where_proofs_are_made():
    path = ROOT / "workflow/report/figure_flow.rst"
    texts = [
        written(path, scales=scales, proved_alpha=proved)
        for scales, proved in [("sample", [1e-4]), ("none", [1e-4]), ("sample", [])]
    ]
    assert ["is enclosed" in text for text in texts] == [True, False, False]


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_captions_of_files_speak_of_no_noise_level(path):
    assert "η‖A x₀‖₂" not in written(path)


@pytest.mark.parametrize("path", CAPTIONS, ids=lambda path: path.stem)
def test_what_is_seen_on_the_published_grid_is_said_there_alone(path):
    assert "default grid" not in written(path)
    of_it = "default grid" in path.read_text(encoding="utf-8")
    assert ("on the project's default grid" in written(path, published=True)) == of_it


def test_a_letter_is_no_markup():
    """What stands in a role of reStructuredText is shown as it is."""
    for path in (ROOT / "workflow/report").glob("*.rst"):
        text = re.sub(r"\{\{.*?\}\}", "", path.read_text(encoding="utf-8"))
        assert not re.search(r":(sub|sup):`[^`]*[\^_]", text), path


@pytest.mark.parametrize(("count", "words"), [(1, "1 repetition for"), (2, "2 repetitions for")])
def test_one_repetition_is_one(count, words):
    text = " ".join(
        written(ROOT / "workflow/report/figure_orders.rst", order_repetitions=count).split()
    )
    assert words in text


def test_bounds_are_called_enclosed_only_where_every_scale_is():
    path = ROOT / "workflow/report/figure_bounds.rst"
    texts = [written(path, scales=scales, eta=[0, 0.1]) for scales in ("all", "sample", "none")]
    assert ["are enclosed as well" in text for text in texts] == [True, False, False]
