"""Numbers that captions and the README state of the default grid are those of its results.

They are typed, since they stand in sentences; here they are made from the results that are kept
in git (`results/reference/`), in the words of the sentence.
"""

import re

import numpy as np
import pandas as pd
import pytest
import yaml

from workflow_runs import ROOT

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
REFERENCE = ROOT / "results/reference"
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def table(name, **where):
    """The rows of a table, or of a file of the benchmark, that have these values."""
    (path,) = (
        path
        for folder in ("tables", "benchmark")
        if (path := REFERENCE / folder / f"{name}.csv").exists()
    )
    rows = pd.read_csv(path)
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows), f"{path}: no row has {where}"
    return rows


def plotted(name, **where):
    """The plotted data of a figure that have these values."""
    rows = pd.read_csv(REFERENCE / f"figures/{name}.csv")
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows), f"figure {name}: nothing has {where}"
    return rows


def only(values):
    (value,) = values
    return value


def power(log10):
    """A power of ten to one digit."""
    return f"{10.0**log10:.0e}".replace("e-0", "e-")


def percent(value):
    return f"{100 * value:.0f} %"


# --- what the sentences of each caption have to say: phrases, made from the results ---


def bounds():
    """Of the curves that are drawn: where the upper bound leaves the axis, it is not there."""
    noiseless = [plotted("bounds", panel=panel, artist="band 2") for panel in (1, 2, 3)]
    gaps = [rows.groupby("x")["y"].agg(np.ptp) for rows in noiseless]
    # a twentieth of a decade is hardly more than the line is wide
    decades = min(gap.index[gap < 0.05].max() - gap.index.min() for gap in gaps)
    assert decades > 8
    begins = []
    for panel in (5, 6):
        upper = plotted("bounds", panel=panel, artist="band 2").groupby("x")["y"].max()
        begins.append(f"1e{round(upper.index[upper < upper.max()].max()):.0f}")
    return [
        "over eight decades and more",
        f"about {begins[0]} (D = 3) or {begins[1]} (D = 4) here",
    ]


def depth():
    rows = table("rates", N=100, s=8, eta=0.1, path="alpha1e-12to1by4").set_index("depth")
    onset = {d: f"1e{round(np.log10(rows['onset_alpha_float'][d])):d}" for d in (4, 6)}
    smallest = CONFIG["experiments"]["depth"]["alpha"]["smallest"]
    # slopes there, for 1 and 1 - rho
    assert rows["last_slope"][3] < 0.7 and rows["last_slope"][2] > 5 * rows["predicted_rate"][2]
    return [
        f"around α = {onset[6]} (D = 6) or {onset[4]} (D = 4)",
        f"at α = {smallest:.0e}, D = 3 is still far from 1",
    ]


def descent():
    two, three = (table("descent", depth=depth) for depth in (2, 3))
    large = two[two["fraction"] == 0.5].sort_values("alpha")
    step = large["relative_step_distance_float"].tolist()
    other = three[three["fraction"] == 0.5]["relative_step_distance_float"]
    smallest, largest = large["alpha"].iloc[0], large["alpha"].iloc[-1]
    # nearly proportional to the step: a tenth of it
    ratio = large["relative_step_distance_float"].to_numpy() / (
        two[two["fraction"] == 0.05].sort_values("alpha")["relative_step_distance_float"].to_numpy()
    )
    assert ratio.min() > 9 and ratio.max() < 11 and step == sorted(step, reverse=True)
    at_end = three[three["alpha"] == smallest]
    assert at_end["relative_distance_float"].min() > 2
    assert at_end["relative_loss_float"].max() < smallest
    return [
        f"from {percent(step[-1])} of the error at α = {largest:g} to {percent(step[0])} at 1e-6",
        f"it falls from {percent(other.max())} to {percent(other.iloc[0])}",
        "at D = 3 and α = 1e-6",
        "at a training loss below 1e-6",
    ]


def onset(name, panel):
    """log10(1 / alpha) of the markers at the bottom of a panel of a figure of far paths."""
    marks = plotted(name, panel=panel)
    marks = marks[marks["y"].isna() & marks["x"].notna()]
    return marks["x"].tolist()


def far():
    noiseless = [*onset("far_two_layers", 1), *onset("far_deep", 1)]
    deep = onset("far_deep", 2)
    rate = table("far", eta=0.1, depth=2)
    line = plotted("far_two_layers", panel=2, artist="line 1")
    passes = line[line["y"] > only(rate["predicted_rate"])]["x"]
    crossed = next(x for x in line["x"] if x not in set(passes))
    pair = np.log(line[["x", "y"]][line["x"] <= crossed].tail(2).to_numpy())[::-1]
    place = np.exp(np.interp(np.log(only(rate["predicted_rate"])), pair[:, 1], pair[:, 0]))
    reached, of = only(rate["four_digits_float"]), only(rate["certified"])
    last = -only(rate["four_digits_last_float"])
    return [
        f"between 1e-{min(noiseless):.0f} and 1e-{max(noiseless):.0f}",
        f"between {power(-min(deep))} (D = 10) and {power(-max(deep))} (D = 3)",
        f"1 − ϱ is about {only(rate['predicted_rate']):.1g}",
        f"near 1e-{round(place, -1):.0f}",
        rf"around 10\ :sup:`−{round(only(onset('far_two_layers', 2)), -3):.0f}`",
        f"{reached} of the {of} instances have four digits of it at the end of the path",
        rf"the last of them from 10\ :sup:`−{last:.0f}` on",
    ]


def noise():
    return ["η = " + ", ".join(map(str, CONFIG["experiments"]["noise"]["eta"]))]


def phase():
    rows = table("phase")
    curve = plotted("phase", panel=1, label="weak threshold")
    delta, sparsity = rows["N"] / rows["d"], rows["s"] / rows["N"]
    threshold = np.interp(delta, curve["x"], curve["y"])
    agree = (rows["rho_planted"] < 1) == (sparsity < threshold)
    # half the distance to the next cell
    assert (np.abs(sparsity - threshold)[~agree] < 0.05).all()
    words = {3: "three"}[(~agree).sum()]
    above = rows.groupby(sparsity.round(3))["order_lower_float"].min() > 1
    least = above.index[above].min()
    here = rows[sparsity.round(3) == least]
    assert here["recovered"].max() == 1 and rows["order_upper_float"].min() > 1
    return [
        f"in {agree.sum()} of the {len(rows)} cells",
        f"the other {words} touch it",
        f"at s/N = {least:g} its median is above 1 for every N/d",
        f"all {only(set(rows['repetitions']))} planted signals",
    ]


def prediction():
    rows = table("rates", eta=0.1, depth=2, path="alpha1e-12to1by4")
    rates = rows[rows["s"].isin(CONFIG["experiments"]["prediction"]["s"])]["predicted_rate"]
    return [f"the medians of 1 − ϱ are between {rates.min():.3f} and {rates.max():.3f}"]


def tight():
    """The ratio at the smallest alpha, D = 2."""
    rows = plotted("tight", panel=2)
    end = rows[(rows["x"] == rows["x"].min()) & rows["artist"].str.startswith("line")]
    far_from = end[end["y"] < 0.9]["label"].str.extract(r"varrho=([\d.]+)")[0]
    return [f"ϱ = {' or '.join(far_from)} it is still far from 1 at α = {rows['x'].min():.0e}"]


def tightness():
    """Panels: (m, D) = (1, 2), (1, 3), (10, 2), (10, 3); log10 of upper bound over error."""
    deep = pd.concat([plotted("tightness", panel=panel) for panel in (2, 4)])
    upper = deep[deep["label"].str.contains("varrho")]
    # smaller quotients the smaller alpha is
    assert 10 ** upper[upper["x"] >= 10]["y"].max() < 1.00005
    assert 10 ** upper[upper["x"] < 7.5]["y"].max() > 1.01

    def quotient(panel, at):
        rows = plotted("tightness", panel=panel, label=r"$\varrho=0.99$", x=at)
        return 10 ** only(rows["y"])

    near = [f"{quotient(panel, 10):.2g} times" for panel in (1, 3)]
    end = [f"{1 + float(f'{quotient(panel, 300) - 1:.0e}'):g}" for panel in (1, 3)]
    return [
        "to four digits, by α = 1e-10",
        "At D = 2 and ϱ = 0.99",
        f"still {near[0]} (m = 1) or {near[1]} (m = 10) the error at 1e-10",
        f"the quotient is {end[0]} or {end[1]} at 1e-300",
    ]


CAPTIONS = {
    f"figure_{made.__name__}": made
    for made in (bounds, depth, descent, far, noise, phase, prediction, tight, tightness)
}
# what numbers are there beside results
MATHEMATICS = re.compile(
    r"D [=≥>] \d+|arXiv:[\d.]+\d|COLT 2020|log\(1/α\)|:sup:`1/3`"
    r"|(?<![\d.])[01](?!\d|\.\d|e|/\d)"  # limits, and what lies above and below them
)


def paragraphs(path):
    """What is said of the project's own results."""
    text = path.read_text(encoding="utf-8")
    found = [" ".join(part.split()) for part in text.split("\n\n")]
    return " ".join(part for part in found if "What to see" in part or "on this grid" in part)


@pytest.mark.parametrize("name", CAPTIONS)
def test_numbers_of_a_caption_are_those_of_the_results(name):
    text = paragraphs(ROOT / f"workflow/report/{name}.rst")
    for phrase in CAPTIONS[name]():
        assert phrase in text, phrase


@pytest.mark.parametrize(
    "path", sorted((ROOT / "workflow/report").glob("*.rst")), ids=lambda path: path.stem
)
def test_no_other_number_is_typed_into_a_caption(path):
    text = paragraphs(path)
    for phrase in CAPTIONS.get(path.stem, list)():
        text = text.replace(phrase, "")
    left = MATHEMATICS.sub("", text)
    assert not re.findall(r"\S*\d\S*", left), left
