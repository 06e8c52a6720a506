"""Every kind of figure, of every kind of problem: drawn, with words that are true."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import frames
from drawing import apart, entries_of, titles_of, words_of
from figures import layout
from figures.axes import COLUMN, PAGE, log_ticks
from figures.frames import as_csv
from figures.kinds.lasso_path import name_curves
from figures.marks import INTEGRATED, ROOM, draw_reference
from figures.registry import DECADES, FILE, KERNEL, KINDS, NONE, RANDOM, kinds_where
from figures.words import (
    ALL_CERTIFIED,
    ALPHA,
    ALPHA_SHAPED,
    EMPTY,
    NO_ERROR,
    NO_SIGNAL,
    NOT_KNOWN,
    counted,
    notes_of,
    rate_words,
)
from frames import UNDECIDED_WHY, cell, family, files, instances, random, schema
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, SELECTED, UNIQUE_IN_FLOATS
from pipeline.words import in_numbers, name_in_words, readable
from planning.configuration import validate
from planning.reading import ConfigurationError
from workflow_runs import ROOT

pytestmark = pytest.mark.long

TWO_FILES = ("wind_unique.csv", "wind_another.csv")
PROBLEMS = {
    "random": random(),
    "random, several laws": random(s=(1, 2), ensemble=("gaussian", "toeplitz, correlation 0.5")),
    "one value of each axis": random(eta=(0.1,)),
    "several depths": random(depth=(2, 3, 4)),
    "one depth of 3": random(depth=(3,)),
    "a depth of 2.5": random(eta=(0,), depth=(2.5,)),
    "a file": files("wind_unique.csv"),
    "a file, several depths": files("wind_unique.csv", depth=(2, 3)),
    "two files": files(*TWO_FILES, depth=(2, 3)),
    "files": files("A.mtx, y.csv", "A.mtx, y.csv, x0.csv"),
    "another initialization": [
        {**one, "initialization": "lognormal sigma 0.5"} for one in random(depth=(2, 3))
    ],
}
STATUSES = {
    "certified": [CERTIFIED] * 3,
    "some": [CERTIFIED, NOT_UNIQUE, UNDECIDED_WHY],
    "selected": [SELECTED] * 3,
    "some selected": [NOT_UNIQUE, SELECTED, CERTIFIED],
    "in floating point": [UNIQUE_IN_FLOATS] * 3,
    "none": [NOT_UNIQUE, UNDECIDED_WHY, NOT_UNIQUE],
}


# tidy tables whose name is not that of the function that makes them, or of the schema
SCHEMAS = {"far_curves": "curves", "far_bounds": "bounds", "lasso_paths": "lasso_path"}


def read_by(kind):
    """What makes the tables that a kind of figure reads."""
    far = KINDS[kind].alpha == DECADES
    names = (
        f"far_{table}" if far and table != "instances" else table for table in KINDS[kind].reads
    )
    return [getattr(frames, name) for name in names]


def allowed(kind, problems):
    """Whether a kind of figure can be drawn of a kind of problem."""
    entry = KINDS[kind]
    if "file" in problems:
        return FILE in entry.problems
    if problems == "another initialization" and not entry.initialization:
        return False
    if problems == "a depth of 2.5" and entry.whole_depth:
        return False
    return (KERNEL if problems == "family" else RANDOM) in entry.problems


# the same problems in a configuration
ASKED = {
    "random": {"ensemble": "gaussian", "N": 5, "d": 10, "s": 2, "eta": 0, "repetitions": 3},
    "family": {"ensemble": "one_dimensional_kernel", "m": 3, "rho": 0.5},
    "a file": {"ensemble": {"name": "file", "path": "data/wind_unique.csv"}},
}
ASKED["a depth of 2.5"] = ASKED["random"] | {"depth": 2.5}
ASKED["another initialization"] = ASKED["random"] | {
    "initialization": {"law": "lognormal", "sigma": 0.5}
}


def asked(kind, problems):
    """An experiment with this kind of figure."""
    options = {
        **{key: {"alpha": {"decades": 100, "per_tenfold": 2}} for key in ("far", "tightness")},
        **{key: {"alpha": [0.0001, 0.01]} for key in ("flow", "lasso_path")},
        "descent": {"alpha": [1e-4], "fractions": [0.5], "iterations": 10},
        **{key: {"sparsity": 0.4} for key in kinds_where(alpha=NONE)},
    }
    path = {"alpha": {"smallest": 1e-6, "largest": 1.0, "per_decade": 2}}
    options = options.get(kind, path) | ({"reach": 0.1} if kind == "reach" else {})
    experiment = {"figure": kind, "depth": 2, **options, **ASKED[problems]}
    if kind == "approach":
        experiment["delta"] = 0.5
        experiment.pop("N", None)
    if kind in kinds_where(alpha=NONE):
        return {key: experiment[key] for key in experiment if key not in ("s", "eta", "depth")}
    return experiment


@pytest.mark.parametrize("problems", ASKED)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_here_is_what_the_configuration_allows(kind, problems):
    config = {"experiments": {"one": asked(kind, problems)}}
    config["rates"] = {"window": {"smallest": 1e-4, "largest": 1.0}}
    if allowed(kind, problems):
        validate(config)
    else:
        with pytest.raises(ConfigurationError, match=r"^experiments\.one\."):
            validate(config)


def shown(draw, kind, cells, statuses, signal=True, zero=False, laid_out=True):
    tables = [
        make(values, statuses, signal=signal, zero=zero)
        for make in read_by(kind)
        for values in cells
    ]
    return draw(kind, *tables, reach=0.025 if kind == "reach" else None, laid_out=laid_out)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_made_here_have_the_columns_of_the_pipeline(kind):
    cells = family() if kind in ("tight", "tightness") else random()
    for make in read_by(kind):
        columns = set(make(cells[0], [CERTIFIED] * 2))
        name = SCHEMAS.get(make.__name__, make.__name__)
        assert columns <= set(schema(name)["properties"])
        assert set(schema(name)["required"]) <= columns


# every problem with its minimizers certified, random ones with every status, files with some
OF_FILES = ("some", "some selected")
CASES = [
    (kind, problems, known)
    for kind in KINDS
    for problems in PROBLEMS
    for known in STATUSES
    if allowed(kind, problems)
    and (
        known == "certified"
        or (problems == "random" and kind != "lasso_path")
        or (problems == "two files" and known in OF_FILES)
    )
]


@pytest.mark.parametrize(("kind", "problems", "known"), CASES)
def test_every_figure_of_every_problem(draw, kind, problems, known):
    cells, statuses = PROBLEMS[problems], STATUSES[known]
    # where there is most to be laid out; the longest legends are those of the others
    crowded = problems in ("random", "two files") or "several" in problems
    laid_out = crowded if known == "certified" else (known, problems) == ("some selected", "random")
    figure, frame = shown(draw, kind, cells, statuses, laid_out=laid_out)
    words = " ".join(words_of(figure))
    floats = {SELECTED, UNIQUE_IN_FLOATS} & set(statuses)
    if kind == "lasso_path":  # of a path that needs no minimizer
        return
    if kind in ("phase", "approach"):  # of signals
        return
    if kind == "orders":
        assert ("no signal is recovered" in words) == (CERTIFIED not in statuses)
        return
    certified_only = kind in ("bounds", "descent")
    if not frames.SHOWN & set(statuses) or (certified_only and CERTIFIED not in statuses):
        assert EMPTY in words
        assert frame["nothing"].notna().all()
        return
    if not certified_only and kind != "flow":
        for status in floats:
            assert f"{statuses.count(status)} " in words and status in words
    if kind == "flow" and CERTIFIED not in statuses:
        assert SELECTED in words or UNIQUE_IN_FLOATS in words
    if CERTIFIED not in statuses:  # the word has one meaning
        assert "certified" not in words


@pytest.mark.parametrize("known", ["certified", "none"])
@pytest.mark.parametrize("kind", ["tight", "tightness"])
@pytest.mark.parametrize(
    "cells",
    [
        family(),
        family(m=(1, 3)),
        family(rho=(0.5,), depth=(3,)),
        family(rho=(0.0,)),
        family(depth=(2,)),
    ],
)
def test_every_figure_of_the_family(draw, kind, cells, known):
    figure, frame = shown(draw, kind, cells, STATUSES[known])
    words = " ".join(words_of(figure))
    if known == "none":
        assert EMPTY in words
    elif {values["family_rho"] for values in cells} == {0.0} and kind == "tight":
        assert NO_ERROR in words and EMPTY not in words
    else:
        assert not frame.empty and EMPTY not in words


MANY = (2, 3, 4, 5, 6, 8, 10, 20)


@pytest.mark.parametrize(
    ("kind", "cells"),
    [
        ("bounds", random(depth=MANY)),
        ("depth", random(eta=(0, 0.05, 0.1, 0.2, 0.4), depth=MANY)),
        ("prediction", random(depth=MANY)),
        ("tight", family(rho=(0.5,), depth=MANY[:5])),
        ("tight", family(rho=(0.5,), depth=(2,))),
    ],
)
def test_many_depths_and_panels_and_one_member(draw, kind, cells):
    """Nothing is on one another, and neither sideways nor upwards too long for a page on screen."""
    figure, _ = shown(draw, kind, cells, [CERTIFIED] * 2)
    width, height = figure.get_size_inches()
    assert max(width, height) < 18 and 1 / 3.5 < width / height < 3.5
    for ax in figure.axes:
        legend = ax.get_legend()
        boxes = [legend.get_window_extent()] if legend else []
        for line in ax.lines if boxes else []:
            if line.get_linestyle() == "None":  # a symbol of the data
                points = ax.transData.transform(np.column_stack(line.get_data()))
                assert not any(boxes[0].contains(*point) for point in points)


@pytest.mark.parametrize("offset", [-0.1, 0.1])
@pytest.mark.parametrize("end", ["lowest", "highest"])
def test_a_guide_line_is_on_its_side_of_the_curve_and_on_the_axes(offset, end):
    """Beside a curve that begins at the edge of the axes, which grow where there is no room."""
    figure, ax = plt.subplots()
    ax.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-4, 1))
    x = np.linspace(-4.0, 0.0, 9)
    rate = 1.0 if end == "lowest" else -1.0
    log10_median = x if end == "lowest" else -4.0 - x
    curve = {"log10_alpha": x, "median": 10.0**log10_median, "predicted_rate": rate}
    draw_reference(ax, pd.DataFrame(curve), offset)
    (line,), (low, high) = ax.lines, ax.get_ylim()
    plt.close(figure)
    ends, heights = np.log10(line.get_xdata()), np.log10(line.get_ydata())
    np.testing.assert_allclose(heights - np.interp(ends, x, log10_median), 4 * offset)
    assert np.ptp(heights) == pytest.approx(0.34 * 4)
    room = ROOM * 4
    wanted = min(-4.0, heights.min() - room), max(0.0, heights.max() + room)
    np.testing.assert_allclose(np.log10([low, high]), wanted, atol=1e-12)


@pytest.mark.parametrize("offset", [-0.06, 0.06])
def test_a_guide_line_meets_no_other_curve_and_its_words_stay_on_the_axes(offset):
    """The curve beside which it stands is not the last one on its side."""
    figure, ax = plt.subplots()
    ax.set(xscale="log", yscale="log", xlim=(1e-4, 1), ylim=(1e-4, 1))
    x = np.linspace(-4.0, 0.0, 9)
    curve = pd.DataFrame({"log10_alpha": x, "median": 10.0**x, "predicted_rate": 1.0})
    beyond = curve.assign(median=10.0 ** (x + np.sign(offset) * 0.5))
    draw_reference(ax, curve, offset, words="along", others=pd.concat([curve, beyond]))
    (line,), (words,) = ax.lines, ax.texts
    figure.draw_without_rendering()
    box, axes = words.get_window_extent(), ax.get_window_extent()
    plt.close(figure)
    distance = np.log10(line.get_ydata()) - np.log10(line.get_xdata())
    np.testing.assert_allclose(distance, np.sign(offset) * 0.5 + 4 * offset)
    assert axes.y0 < box.y0 and box.y1 < axes.y1


@pytest.mark.usefixtures("draw")
def test_names_of_many_coordinates_lead_to_their_curves():
    """Twelve coordinates, of which most end beside one another."""
    ends = {float(k): end for k, end in enumerate([1.0, -1.0, *np.linspace(0.0, 0.1, 10)])}
    figure, ax = plt.subplots(figsize=(3, 2.5))
    ax.set_ylim(-1.1, 1.1)
    name_curves(ax, ends)
    figure.draw_without_rendering()
    names = {text.get_text(): text for text in ax.texts}
    boxes = [Text.get_window_extent(text) for text in names.values()]  # without their lines
    plt.close(figure)
    for k, end in ends.items():
        name = names[f"$x_{{{k + 1:.0f}}}$"]
        assert name.xy == (1.0, end) and name.arrow_patch is not None
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_a_few_names_stand_at_their_curves():
    figure, ax = plt.subplots()
    name_curves(ax, {0.0: 0.2, 4.0: 0.8})
    plt.close(figure)
    assert [(text.get_text(), text.xyann[1]) for text in ax.texts] == [
        *(("$x_{1}$", 0.2), ("$x_{5}$", 0.8))
    ]
    assert all(text.arrow_patch is None for text in ax.texts)


@pytest.mark.parametrize("kind", [*kinds_where(shares=True), "far"])
@pytest.mark.parametrize("problems", ["random", "several depths", "a file", "two files"])
def test_an_error_of_exactly_zero_is_said(draw, kind, problems):
    if kind in ("generalization", "norms", "reach"):
        return  # of other quantities
    cells, statuses = PROBLEMS[problems], STATUSES["certified"]
    figure, _ = shown(draw, kind, cells, statuses, zero=True, laid_out=False)
    words = " ".join(words_of(figure))
    assert NO_ERROR in words or (kind == "prediction" and "without a rate" in words)
    assert EMPTY not in words


@pytest.mark.parametrize("problems", [name for name in PROBLEMS if "file" in name])
@pytest.mark.parametrize("kind", ["generalization", "norms"])
def test_a_signal_that_is_not_known_is_said(draw, kind, problems):
    figure, _ = shown(
        draw, kind, PROBLEMS[problems], STATUSES["certified"], signal=False, laid_out=False
    )
    words = words_of(figure)
    assert NO_SIGNAL in words and EMPTY not in words
    figure, _ = shown(
        draw, kind, PROBLEMS[problems], STATUSES["none"], signal=False, laid_out=False
    )
    assert EMPTY in words_of(figure)


def taken(product, support, kappa):
    """Instances of two files, of which one says how its data were taken."""
    columns = {"ensemble": ["a/one.npz", "b/two.csv"], "kappa": [kappa, 2.0], "status": CERTIFIED}
    return pd.DataFrame(columns | {"product": [product, False], "noiseless_support": [support, 0]})


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize(
    ("product", "support", "words"),
    [
        (True, 3, "one.npz: y taken as A x exactly, x with 3 nonzero entries"),
        (False, 2, "one.npz: y as stored; a solution with 2 nonzero entries explains them"),
        (False, -1, "one.npz: y as stored; whether few entries explain them"),
        (False, 0, ""),
    ],
)
def test_how_data_were_taken_is_said_below_the_axes(product, support, words, width):
    said = notes_of(taken(product, support, 3e16))
    with plt.style.context(ROOT / "scripts/figures/house.mplstyle"):
        figure, axes = plt.subplots(1, 2, figsize=(width, 2.5))
        figure.supxlabel(ALPHA)
        layout.settle(figure)
        before = [ax.get_position().width * figure.get_figwidth() for ax in axes]
        size = figure.get_figheight() * axes[0].get_position().height
        layout.write_below(figure, said)
        notes = figure.texts[1:]
        said = " ".join(" ".join(note.get_text().split()) for note in notes)
        assert (words in said and "10^{16}" in said) if words else not notes
        assert "two.csv" not in said
        # the panels keep their size, and nothing lies on anything
        assert [ax.get_position().width * figure.get_figwidth() for ax in axes] == before
        assert figure.get_figheight() * axes[0].get_position().height == pytest.approx(size)
        boxes = [text.get_window_extent() for text in (*reversed(notes), figure.texts[0])]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
        assert boxes[0].y0 >= 0
        assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    plt.close(figure)


@pytest.mark.parametrize("columns", [3, 5])
@pytest.mark.parametrize(("low", "high"), [(-12.5, -1.5), (-3, 18)])
def test_powers_of_ten_have_room_below_a_panel(draw, columns, low, high):
    figure, axes = plt.subplots(1, columns, figsize=(PAGE, 2.0), sharey=True, squeeze=False)
    draw.made.append(figure)
    for ax in axes[0]:
        ax.set(xscale="log", xlim=(10.0**low, 10.0**high))
        log_ticks(ax.xaxis)
    apart(figure)
    assert len(axes[0, 0].get_xticks()) >= 2


@pytest.mark.parametrize("kind", ["noise", "depth", "generalization", "flow", "far", "bounds"])
def test_files_are_named_as_they_are_and_told_apart(draw, kind):
    figure, _ = shown(draw, kind, PROBLEMS["a file"], STATUSES["certified"], laid_out=False)
    assert "wind_unique.csv" in " ".join(words_of(figure))
    figure, _ = shown(draw, kind, PROBLEMS["two files"], STATUSES["certified"], laid_out=False)
    words = " ".join(words_of(figure))
    assert all(name in words for name in TWO_FILES)


@pytest.mark.parametrize("kind", ["prediction", "norms", "lasso_path"])
def test_files_are_told_apart_in_legends_and_titles(draw, kind):
    figure, _ = shown(draw, kind, PROBLEMS["two files"], STATUSES["certified"], laid_out=False)
    words = [*titles_of(figure), *(words for _, words in entries_of(figure))]
    assert all(any(name in text for text in words) for name in TWO_FILES)


@pytest.mark.parametrize(
    ("depth", "slope", "rates"),
    [
        ((2,), r"slope $1-\varrho$", [r"$1-\varrho=0.600$"]),
        ((3,), "slope $1$", ["rate $1$"]),
        ((2.5, 4), "slope $1$", ["rate $1$"]),
        ((2, 3), r"slope $1-\varrho$ for $D=2$, $1$ for $D>2$", [r"$1-\varrho=0.600$", "rate $1$"]),
    ],
)
def test_rates_are_called_what_they_are(draw, depth, slope, rates):
    """1 - rho is the rate of D = 2 alone."""
    figure, _ = shown(
        draw, "noise", random(eta=(0,), depth=depth), STATUSES["certified"], laid_out=False
    )
    words = [words for _, words in entries_of(figure)]
    assert slope in words
    assert all(any(text.endswith(rate) for text in words) for rate in rates)
    told = [text for text in words if text not in (slope, INTEGRATED)]
    assert len(told) == len(depth)
    for text in told:
        assert (r"1-\varrho" in text) == ("D=2$" in text or depth == (2,))
    figure, _ = shown(
        draw, "prediction", random(eta=(0,), depth=depth), STATUSES["certified"], laid_out=False
    )
    for D, ax in zip(depth, figure.axes, strict=True):
        assert ax.get_xlabel() == ("predicted rate " + (r"$1-\varrho$" if D == 2 else "$1$"))


def test_a_rate_above_one_is_no_one_minus_rho():
    """With nothing off the support the rate of D = 2 is 2."""
    row = {"depth": 2, "predicted_rate": 2.0, "selected": np.nan}
    assert rate_words(row) == "rate $2$"
    assert rate_words(row | {"predicted_rate": np.nan}) == NOT_KNOWN


@pytest.mark.parametrize("kind", ["noise", "depth", "far", "prediction"])
@pytest.mark.parametrize("statuses", ["selected", "some selected", "in floating point"])
def test_a_rate_of_one_of_several_minimizers_is_no_one_minus_rho(draw, kind, statuses):
    """rho is 1 there: only where there is one minimizer the rate of D = 2 is 1 - rho."""
    figure, frame = shown(draw, kind, random(eta=(0,)), STATUSES[statuses], laid_out=False)
    words = " ".join(words_of(figure))
    assert (r"1-\varrho" in words) == (statuses == "in floating point")
    assert ("selected" in as_csv(frame).split("\n")[0].split(",")) == ("selected" in statuses)
    if kind != "prediction":
        assert ("rate $0.6$" in words) == ("selected" in statuses)


def test_statuses_that_depend_on_the_depth_count_as_the_weakest():
    tables = [
        instances(cell(depth=D, eta=0.1), statuses)
        for D, statuses in ((2, [CERTIFIED, CERTIFIED]), (3, [CERTIFIED, UNIQUE_IN_FLOATS]))
    ]
    assert counted(tables[0]) == ALL_CERTIFIED
    words = counted(pd.concat(tables, ignore_index=True))
    assert words == f"1 of 2 certified, 1 {UNIQUE_IN_FLOATS}"


def test_an_initialization_of_its_own_is_named_under_the_axes(draw):
    for problems, words in (("random", ALPHA), ("another initialization", ALPHA_SHAPED)):
        figure, _ = shown(draw, "noise", PROBLEMS[problems], STATUSES["certified"])
        assert {ALPHA, ALPHA_SHAPED} & set(words_of(figure)) == {words}


def test_titles_do_not_reach_into_the_next_panel():
    figure, panels = plt.subplots(1, 4, figsize=(8, 2))
    for ax in panels:
        ax.set_title("toeplitz, correlation 0.9, x0 power law exponent 1, $\\eta=0.1$", loc="left")
    panels[0].set_title("short", loc="left")
    layout.break_titles(figure)
    assert panels[0].get_title(loc="left") == "short"
    for ax in panels[1:]:
        title = ax.get_title(loc="left")
        assert title.count(",\n") >= 1
        assert title.replace(",\n", ", ").count(", ") == 3
    plt.close(figure)


# Words


def test_counts():
    assert in_numbers([CERTIFIED, NOT_UNIQUE]) == "1 of 2 certified"
    assert in_numbers([NOT_UNIQUE, UNDECIDED_WHY]) == "0 of 2 certified"
    assert in_numbers([SELECTED] * 2) == "2 of 2 selected in floating point"
    assert in_numbers([SELECTED, CERTIFIED], noun="instances") == (
        "1 of 2 instances certified, 1 selected in floating point"
    )
    assert in_numbers([SELECTED, CERTIFIED], kinds=[CERTIFIED]) == "1 of 2 certified"


def test_names_in_words():
    assert readable("one_dimensional_kernel") == "one dimensional kernel"
    assert readable("a_b/wind_unique.csv, y_1.mtx") == "a_b/wind_unique.csv, y_1.mtx"
    assert readable("file my_shape.csv from_here") == "file my_shape.csv from here"


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("power_law", "power law"),
        ("c_d.csv", "c_d.csv"),
        ("100%, a_b c_d.csv", "100%, a_b c_d.csv"),
        ("A_1.mtx, y_1.csv", "A_1.mtx, y_1.csv"),
        ("A_1.mtx, y_1.csv, noiseless", "A_1.mtx, y_1.csv, noiseless"),
    ],
)
def test_names_of_files_are_what_they_are(label, words):
    assert name_in_words(label) == words
