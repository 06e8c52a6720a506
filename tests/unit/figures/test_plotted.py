"""What each figure plots, from tables in which no two columns are alike, and what it is called.

Expected numbers are those of the rows that a reader would look up, not computed by the figure; what
is drawn under a name of the legend are the plotted numbers of this name.
"""

import csv
import io
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from drawing import called, entries_of
from figures.axes import far_axis
from figures.frames import as_csv, where
from figures.kinds.descent import DISTANCE
from figures.kinds.flow import GUIDE, WORDS
from figures.kinds.phase import edges
from figures.marks import INTEGRATED, in_two_rows, looks
from figures.words import ALL_CERTIFIED, ALPHA, EMPTY, ERROR, ERROR_OFF, NO_END
from frames import (
    LOG10_ALPHA,
    agreement,
    bounds,
    cell,
    curves,
    descent,
    family,
    far_bounds,
    far_curves,
    files,
    instances,
    lasso_paths,
    orders,
    phase,
    points,
    random,
    trajectories,
)
from implicit_l1.status import (
    AT_MINIMIZER,
    CERTIFIED,
    CONVERGED,
    DIVERGED,
    ITERATION_LIMIT,
    NOT_UNIQUE,
)

THREE = [CERTIFIED] * 3
STATISTICS = ["lower_quartile", "median", "upper_quartile"]
# what a table's statistics are multiplied by, a quantity or a column each
FACTORS = {
    "error_1": 1.0,
    "error_2": 3.0,
    "error_inf": 5.0,
    "excess_l1": 7.0,
    "excess_l2": 11.0,
    "slope": 1.3,
    "estimation_error": 17.0,
    "l1_estimation_error": 19.0,
    "interpolator_estimation_error": 23.0,
    "error_over_prediction": 29.0,
}


def tables_of(cells, make=curves):
    """Tables of cells, and the curves among them: no two quantities and no quartiles are alike."""
    frames = []
    for values in cells:
        frame = make(values, THREE)
        factor = frame["quantity"].map(FACTORS)
        frame[STATISTICS] = frame[STATISTICS].mul(factor, axis="index") * [0.8, 1.0, 1.2]
        frames.append(frame)
    return [*frames, *(instances(values, THREE) for values in cells)], frames


def looked_up(table, quantity, columns=("log10_alpha", *STATISTICS)):
    rows = table[table["quantity"] == quantity].sort_values("log10_alpha")
    return rows[list(columns)].to_numpy()


def assert_plotted(frame, table, quantity, **values):
    """The rows of these values are those of a quantity of a table."""
    rows = where(frame, quantity=quantity, **values)[["log10_alpha", *STATISTICS]]
    np.testing.assert_allclose(rows.to_numpy(float), looked_up(table, quantity))


def assert_drawn(figure, ax, x, y, *labels):
    """Some line of these names goes through these points."""
    points = np.array([x, y], dtype=float)
    found = called(figure, ax, *labels)
    same = (line.shape == points.shape and np.allclose(line, points, rtol=1e-9) for line in found)
    assert any(same), (labels, points, found)


def assert_curve(figure, ax, frame, label):
    """The medians are drawn under a name, and around them the quartiles."""
    x = 10.0 ** frame["log10_alpha"]
    assert_drawn(figure, ax, x, frame["median"], label)
    corners = [path.vertices for band in ax.collections for path in band.get_paths()]
    for name in ("lower_quartile", "upper_quartile"):
        outline = [{tuple(corner) for corner in np.round(found, 12)} for found in corners]
        edge = set(map(tuple, np.round(np.array([x, frame[name]]).T, 12)))
        assert any(edge <= found for found in outline), name


def test_noise_is_of_the_one_norm(draw):
    tables, frames = tables_of(random())
    figure, frame = draw("noise", *tables, laid_out=False)
    assert list(frame.columns) == [
        *("eta", "depth", "instances", "predicted_rate", "selected", "quantity"),
        *("log10_alpha", *STATISTICS, "nothing"),
    ]
    assert set(frame["quantity"]) == {"error_1"} and set(frame["instances"]) == {ALL_CERTIFIED}
    for table, eta, rate in zip(frames, (0.0, 0.1), (0.6, 0.4), strict=True):
        assert_plotted(frame, table, "error_1", eta=eta, predicted_rate=rate)
        label = rf"$\eta={eta:g}$,  $1-\varrho={rate:.3f}$"
        assert_curve(figure, figure.axes[0], where(frame, eta=eta), label)
    assert (figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()) == (ALPHA, ERROR)


def test_depth_is_of_the_one_norm_and_of_its_slope(draw):
    tables, frames = tables_of(random(depth=(2, 3)))
    figure, frame = draw("depth", *tables, laid_out=False)
    for table, (place, D) in zip(frames, [(0, 2), (0, 3), (1, 2), (1, 3)], strict=True):
        here = where(frame, eta=0.1 * place, depth=D)
        for ax, quantity in ((figure.axes[place], "error_1"), (figure.axes[place + 2], "slope")):
            assert_plotted(here, table, quantity)
            assert_curve(figure, ax, where(here, quantity=quantity), f"$D={D}$")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles == [r"$\eta=0$", r"$\eta=0.1$", "", ""]
    assert figure.axes[0].get_ylabel() == ERROR
    assert figure.axes[2].get_ylabel() == "local slope of the error"
    assert figure.get_supxlabel() == ALPHA
    for ax, rate in ((figure.axes[2], 0.6), (figure.axes[3], 0.4)):
        heights = {line.get_label(): set(line.get_ydata()) for line in ax.lines}
        assert heights[rf"$1-\varrho={rate:.3f}$"] == {rate} and heights["1"] == {1.0}


def test_medians_of_0_have_no_place_on_a_logarithmic_axis(draw):
    table = curves(cell(eta=0.0), THREE)
    zero = (table["quantity"] == "error_1") & (table["log10_alpha"] < -6)
    table.loc[zero, "median"] = 0.0
    table.loc[(table["quantity"] == "slope") & (table["log10_alpha"] < -6), "median"] = 1e-17
    _, frame = draw("depth", table, instances(cell(eta=0.0), THREE), laid_out=False)
    assert where(frame, quantity="error_1")["log10_alpha"].min() == -6
    # on a linear one what cannot be seen is 0
    assert set(where(frame, quantity="slope")["median"]) == {0.0, 0.6}


def test_what_is_held_out_is_shown_where_no_signal_is_known(draw):
    """With the error of the interpolator of least norm dashed, and that of the minimizer dotted."""
    tables = []
    for values in files("a.csv", depth=(2, 3)):
        table = curves(values, THREE, signal=False)
        shown = table[table["quantity"] == "error_1"]
        levels = {"held_out_error": 1.0, "interpolator_held_out_error": 0.8}
        levels |= {"l1_held_out_error": 0.3}
        for quantity, level in levels.items():
            rows = shown.assign(quantity=quantity)
            if level < 1.0:
                rows[STATISTICS] = level
            table = pd.concat([table, rows], ignore_index=True)
        tables += [table, instances(values, THREE, signal=False)]
    figure, frame = draw("generalization", *tables, laid_out=False)
    (ax,) = figure.axes
    assert_plotted(frame, tables[2], "held_out_error", depth=3)
    levels = {line.get_linestyle(): set(line.get_ydata()) for line in ax.lines[-2:]}
    assert levels == {"--": {0.8}, ":": {0.3}}
    named = {handle.get_label(): handle.get_linestyle() for handle in figure.legends[0].get_lines()}
    assert named[r"minimum-$\ell^2$-norm interpolator"] == "--"
    assert named[r"$\ell^1$ minimizer $g^{*}$"] == ":"
    assert "held-out rows" in figure.get_supylabel()


def test_generalization_has_two_lines_that_are_called_what_they_are(draw):
    tables, frames = tables_of(random(eta=(0.1,), depth=(2, 3)))
    figure, frame = draw("generalization", *tables, laid_out=False)
    (ax,) = figure.axes
    for table, D in zip(frames, (2, 3), strict=True):
        assert_plotted(frame, table, "estimation_error", depth=D)
        curve = where(frame, depth=D, quantity="estimation_error")
        assert_curve(figure, ax, curve, f"$D={D}$")
        for label, quantity in (
            (r"$\ell^1$ minimizer $g^{*}$", "l1_estimation_error"),
            (r"minimum-$\ell^2$-norm interpolator", "interpolator_estimation_error"),
        ):
            (row,) = where(frame, depth=D, quantity=quantity).to_dict("records")
            expected = looked_up(table, quantity, STATISTICS)[0]
            assert [row[name] for name in STATISTICS] == expected.tolist()
            assert np.isnan(row["log10_alpha"])
            (line,) = (line for line in ax.lines if line.get_label() == label)
            assert set(line.get_ydata()) == {row["median"]}
            # the words beside the line
            (text,) = (text for text in ax.texts if text.get_text().startswith(label))
            assert text.xy[1] <= row["median"] * 1.001
    assert figure.get_supylabel() == r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2$"


def test_prediction_has_the_predicted_rates_on_its_horizontal_axis(draw):
    cells = random(eta=(0.1,), s=(1, 2), ensemble=("gaussian", "rademacher"))
    tables = [instances(values, THREE) for values in cells]
    for place, table in enumerate(tables):
        table["predicted_rate"] = 0.3 + 0.1 * place + np.array([0.0, 0.01, 0.02])
        table["fitted_rate"] = 2.0 * table["predicted_rate"]
        table["last_slope"] = 3.0
    tables[0].loc[2, "status"] = NOT_UNIQUE
    figure, frame = draw("prediction", *tables, laid_out=False)
    (ax,), (dots,) = figure.axes, figure.axes[0].collections
    drawn = dict(zip(map(tuple, dots.get_offsets()), dots.get_facecolor(), strict=True))
    colors = {words: handle.get_color() for handle, words in entries_of(figure)}
    assert len(drawn) == 11
    for table, values in zip(tables, cells, strict=True):
        table = where(table, status=CERTIFIED)
        rows = where(frame, s=values["s"], ensemble=values["ensemble"])
        for name in ("predicted_rate", "fitted_rate"):
            assert rows[name].tolist() == table[name].tolist()
        for place in zip(table["predicted_rate"], table["fitted_rate"], strict=True):
            np.testing.assert_allclose(drawn[place][:3], colors[f"$s={values['s']}$"])
    assert set(frame["instances"]) == {"11 of 12 instances certified"}
    assert ax.get_xlabel().startswith("predicted")
    assert ax.get_ylabel() == r"fitted rate over $10^{-12}\leq\alpha\leq 10^{-8}$"


def test_tight_tells_depths_and_constants_apart(draw):
    cells = family(rho=(0.2, 0.5))
    tables, frames = tables_of(cells)
    for table in tables[4:]:
        table["fitted_rate"] = 0.1 * table["depth"] + table["family_rho"]
        table["last_slope"] = 9.0
    figure, frame = draw("tight", *tables, laid_out=False)
    left = figure.axes[0]
    for table, values in zip(frames, cells, strict=True):
        D, rho = values["depth"], values["family_rho"]
        rows = where(frame, depth=D, family_rho=rho)
        assert set(where(rows, quantity="fitted_rate")["fitted_rate"]) == {0.1 * D + rho}
        assert_plotted(rows, table, "error_over_prediction")
        marks = [line for line in left.lines if line.get_marker() == ("o" if D == 2 else "s")]
        assert [(1 - rho, 0.1 * D + rho)] * 3 in [
            list(zip(*m.get_data(), strict=True)) for m in marks
        ]
        ax = figure.axes[D - 1]
        assert ax.get_title(loc="left") == f"$D={D}$"
        curve = where(rows, quantity="error_over_prediction")
        assert_curve(figure, ax, curve, rf"$\varrho={rho}$")
    symbols = {words: handle.get_marker() for handle, words in entries_of(figure)}
    assert (symbols["$D=2$"], symbols["$D=3$"]) == ("o", "s")
    assert left.get_xlabel() == r"$1-\varrho$" and left.get_ylabel().startswith("fitted rate")


def test_far_slopes_are_against_the_logarithm(draw):
    tables, frames = tables_of(random(eta=(0.1,), depth=(2, 3)), far_curves)
    for table in tables[2:]:
        table["onset_log10_alpha"] = -10.0 * table["depth"] + np.array([-1.0, 0.0, 5.0])
    tables[3].loc[1, "onset_log10_alpha"] = np.nan  # one that is not reached
    figure, frame = draw("far", *tables, laid_out=False)
    (ax,) = figure.axes
    for table, D in zip(frames, (2, 3), strict=True):
        assert_plotted(frame, table[table["log10_alpha"] < 0], "slope", depth=D)
        rows = where(frame, depth=D)
        assert_drawn(figure, ax, -rows["log10_alpha"], rows["median"], f"$D={D}$")
    assert set(where(frame, depth=2)["onset_log10_alpha"]) == {-20.0}
    assert where(frame, depth=3)["onset_log10_alpha"].isna().all()
    (onset,) = called(figure, ax, "$D=2$", "onset")
    assert onset[0].tolist() == [20.0]
    assert called(figure, ax, "$D=3$", "onset") == []
    assert ax.xaxis_inverted() and figure.get_supylabel() == "local slope of the error"


@pytest.mark.parametrize("kind", ["noise", "depth"])
def test_flows_that_were_integrated_are_crosses_beside_the_curves(draw, kind):
    """A cross a repetition and scale, of the dual form alone; without flows there are none."""
    tables, _ = tables_of(random(eta=(0.0, 0.1)))
    flows = [agreement(values, [CERTIFIED, NOT_UNIQUE, CERTIFIED]) for values in random()]
    for place, table in enumerate(flows):
        table["error_1"] *= (1 + place) * (1 + table["repetition"])
        table.loc[table["form"] == "plain", "error_1"] = 5.0
    figure, frame = draw(kind, *tables, *flows, laid_out=False)
    for place, eta in enumerate((0.0, 0.1)):
        points = where(frame, eta=eta, quantity="flow_error_1")
        rate = 0.6 if eta == 0 else 0.4
        wanted = [
            [alpha, repetition, (1 + place) * (1 + repetition) * alpha**rate]
            for alpha in (1e-4, 1e-2)
            for repetition in (0, 2)
        ]
        found = points.assign(alpha=10.0 ** points["log10_alpha"].astype(float))
        found = found[["alpha", "repetition", "value"]].to_numpy(float)
        np.testing.assert_allclose(found, wanted)
        ax = figure.axes[place if kind == "depth" else 0]
        crosses = [np.array(line.get_data()) for line in ax.lines if line.get_marker() == "x"]
        assert any(np.allclose(cross, found[:, [0, 2]].T) for cross in crosses)
    assert INTEGRATED in [words for _, words in entries_of(figure)]
    figure, frame = draw(kind, *tables, laid_out=False)
    assert "flow_error_1" not in set(frame["quantity"])
    assert INTEGRATED not in [words for _, words in entries_of(figure)]


@pytest.mark.parametrize("kind", ["noise", "depth", "flow"])
def test_flows_without_an_end_are_counted_beside_the_others(draw, kind):
    """One of three is not followed, one has come to g*; the last one is drawn."""
    tables, _ = tables_of(random(eta=(0.1,), depth=(2,)))
    (values,) = random(eta=(0.1,), depth=(2,))
    flows = agreement(values, THREE[:1] * 3)
    flows = flows[flows["alpha"] == 1e-2].reset_index(drop=True)
    flows["outcome"] = np.array(["not followed: why", AT_MINIMIZER, CONVERGED])[flows["repetition"]]
    told = "1 of 3 without an end, 1 of 3 at $g^{*}$"
    if kind == "flow":
        states = trajectories(values, THREE[:1] * 3)
        tables, words = [states[states["repetition"] > 0]], "flows: "
    else:
        words = f"{INTEGRATED} ("
    figure, frame = draw(kind, *tables, flows, laid_out=False)
    assert set(frame["not_drawn"]) == {told}
    assert any(label.startswith(words + told) for _, label in entries_of(figure))
    if kind == "flow":
        assert set(frame["repetition"].dropna()) == {1}
        lost = flows.assign(outcome="not followed: why")
        _, frame = draw(kind, states.iloc[:0], lost, laid_out=False)
        assert frame["nothing"].tolist() == [NO_END]
    else:
        assert where(frame, quantity="flow_error_1")["repetition"].tolist() == [2]


def test_flow_has_loss_error_and_entries_each_in_its_panel(draw):
    frames = []
    order = {"loss": 1.0, "error_1": 10.0, "norm_1": 100.0, "x_on": 3.0, "x_off": 7.0}
    for values in random(eta=(0.0, 0.05, 0.1), depth=(2, 3)):
        frame = trajectories(values, [NOT_UNIQUE, CERTIFIED, CERTIFIED])
        scale = frame["quantity"].map(order) * (1 + frame["repetition"]) * (1 + 20 * frame["eta"])
        frames.append(frame.assign(value=frame["value"] * scale * frame["depth"]))
        times = agreement(values, [NOT_UNIQUE, CERTIFIED, CERTIFIED])
        for place, name in enumerate(("escaped", "settled", "escape_scale", "slow_scale")):
            times[name] *= (1 + place) * (1 + 20 * times["eta"]) * times["depth"]
        times.loc[times["alpha"] == 1e-2, ["escaped", "settled"]] *= [1.5, 3.0]
        frames.append(times)
    figure, frame = draw("flow", *frames, laid_out=False)
    assert set(frame["repetition"].dropna()) == {1} and set(frame["eta"]) == {0.0, 0.1}
    assert set(frame["cells_left_out"]) == {1}
    first = np.exp(-1e-3) + np.array([1e-4, 1e-2])
    panels = {"loss": 0, "error_1": 2, "x_on": 4, "x_off": 4}
    entry = {
        ("x_off", 0.0): r"$\eta=0$, $x_i$: $i\notin S$",
        **{(name, 0.0): r"$\eta=0$, $x_i$: $i\in S$" for name in ("loss", "error_1", "x_on")},
        **{(name, 0.1): r"$\eta=0.1$" for name in ("loss", "error_1")},
    }
    for column, D in enumerate((2, 3)):
        assert figure.axes[column].get_title(loc="left") == f"$D={D}$"
        for (quantity, eta), label in entry.items():
            ax = figure.axes[panels[quantity] + column]
            rows = where(frame, depth=D, quantity=quantity, eta=eta)
            begins = rows.groupby("alpha")["value"].first().to_numpy()
            np.testing.assert_allclose(begins, first * order[quantity] * 2 * (1 + 20 * eta) * D)
            for alpha, written in ((1e-4, "10^{-4}"), (1e-2, "0.01")):
                line = where(rows, alpha=alpha)
                words = rf"$\alpha={written}$", label
                assert_drawn(figure, ax, line["time"], line["value"], *words)
                assert len(called(figure, ax, *words)) == 1
        _assert_times(frame, figure.axes[6 + column], D)
    assert where(frame, eta=0.1, quantity="x_on").empty
    words = [ax.get_ylabel() for ax in figure.axes[::2]]
    assert words[0].startswith("loss") and words[3].startswith("times of escape")
    assert words[1:3] == [r"$\Vert x(t)-g^{*}\Vert_1$", "$x_i(t)$"]


def _assert_times(frame, ax, D):
    """Both times of both cells, and through the first cell's at the smallest scale what they come
    to be in proportion to."""
    alpha, lines = np.array([1e-4, 1e-2]), [np.array(line.get_data()) for line in ax.lines]
    wanted = []
    for eta in (0.0, 0.1):
        factor = (1 + 20 * eta) * D
        wanted += [[3.0 * factor, 4.5 * factor], [2 * factor * 2e4, 2 * factor * 6e2]]
    wanted += [[3.0 * D] * 2, 2 * D * 2.0 / alpha]
    for values in wanted:
        assert any(line.shape == (2, 2) and np.allclose(line, [alpha, values]) for line in lines)
    scales = where(frame, depth=D, eta=0.0, quantity="slow_scale")["value"]
    np.testing.assert_allclose(scales, 4 * D * 0.1 / alpha)


def test_of_a_trajectory_what_every_processor_computes_is_plotted(draw):
    """Not its end, not what rounding leaves of a loss; entries that are not seen are 0."""
    table = trajectories(cell(eta=0.1), THREE[:1])
    line = (table["quantity"] == "loss") & (table["alpha"] == 1e-2)
    table.loc[line, "value"] = np.geomspace(1.0, 1e-39, 40)
    off = (table["quantity"] == "x_off") & (table["time"] > 1)
    table.loc[off, "value"] = 1e-18
    error = (table["quantity"] == "error_1") & (table["alpha"] == 1e-2)
    table.loc[error, "value"] = 0.1  # whose square times 1e-12 is 1e-14
    _, frame = draw("flow", table, agreement(cell(eta=0.1), THREE[:1]), laid_out=False)
    loss = where(frame, quantity="loss", alpha=1e-2)["value"]
    np.testing.assert_allclose(loss, np.geomspace(1.0, 1e-39, 40)[:15])
    assert len(where(frame, quantity="loss", alpha=1e-4)) == 39
    entries = where(frame, quantity="x_off")
    assert set(entries[entries["time"] > 1]["value"]) == {0.0}


def of_bounds(values, make=bounds, statuses=THREE):
    """Bounds that all differ, the refined ones inside the others, of the off-support error."""
    frame = make(values, statuses)
    error = frame["log10_alpha"] + 0.01 * frame["repetition"]
    frame["log10_error_1"], frame["log10_error_off"] = error + 0.5, error
    for name, distance in (("error_1", 1.5), ("error_off", 1.0), ("refined_off", 0.4)):
        frame[f"log10_{name}_upper"] = error + distance
        frame[f"log10_{name}_lower"] = error - 1.1 * distance
    frame["log10_refined_1_upper"], frame["log10_refined_1_lower"] = error + 0.7, error - 0.8
    if "log10_classical_upper" in frame:
        frame["log10_classical_upper"] = error + 1.8
    quotients = [name for name in frame if "_over_" in name]
    for place, name in enumerate(quotients, start=1):
        frame[name] = place + 0.1 * values["depth"]
    return frame


def test_bounds_enclose_the_error_off_the_support(draw):
    """Of the first certified repetition; a bound beyond the axis is whole in the plotted data."""
    statuses = [NOT_UNIQUE, CERTIFIED, CERTIFIED]
    frames = [of_bounds(v, statuses=statuses) for v in random(eta=(0.1,), depth=(2, 3))]
    for table in frames:
        table.loc[table["log10_alpha"] == 0, "log10_error_off_upper"] = 300.0
    figure, frame = draw("bounds", *frames, laid_out=False)
    by_kappa = r"upper bound by $\kappa$ and $\tilde\varrho$, $D=2$"
    error = LOG10_ALPHA + 0.01
    places = {"": 0.0, "_upper": 1.0, "_lower": -1.1}
    for ax, D in zip(figure.axes, (2, 3), strict=True):
        rows = where(frame, depth=D, repetition=1)
        assert len(rows) == len(LOG10_ALPHA) and rows["log10_alpha"].tolist() == list(LOG10_ALPHA)
        for side, distance in places.items():
            found = rows[f"log10_error_off{side}"].to_numpy()
            np.testing.assert_allclose(found[:-1], (error + distance)[:-1])
        np.testing.assert_allclose(rows["log10_refined_off_upper"], error + 0.4)
        np.testing.assert_allclose(rows["log10_refined_off_lower"], error - 0.44)
        assert rows["log10_error_off_upper"].iloc[-1] == 300.0
        assert_drawn(figure, ax, LOG10_ALPHA, error, "measured")
        assert ax.get_title(loc="left").startswith(f"$D={D}$")
        fills = {words: handle.get_facecolor() for handle, words in entries_of(figure)[1:3]}
        for words, above, below in (
            ("between the refined bounds", 0.4, 0.44),
            (r"between the bounds by $\varrho_\alpha$", 1.0, 1.1),
        ):
            (band,) = (b for b in ax.collections if np.allclose(b.get_facecolor(), fills[words]))
            corners = band.get_paths()[0].vertices
            heights = corners[np.abs(corners[:, 0] + 6.0) < 1e-9, 1] + 5.99
            assert set(np.round(heights, 9)) == {above, -below}
        classical = where(frame, depth=D)["log10_classical_upper"]
        assert classical.isna().all() == (D == 3)
    y = where(frame, depth=2)["log10_classical_upper"]
    np.testing.assert_allclose(y, error + 1.8)
    assert len(called(figure, figure.axes[0], by_kappa)) >= 1
    assert figure.get_supylabel() == ERROR_OFF and len(frame) == 2 * len(LOG10_ALPHA)


def test_tightness_tells_upper_and_lower_bounds_apart(draw):
    cells = family(rho=(0.2, 0.5))
    frames = [of_bounds(values, far_bounds) for values in cells]
    figure, frame = draw("tightness", *frames, laid_out=False)
    for table, values in zip(frames, cells, strict=True):
        D, rho = values["depth"], values["family_rho"]
        rows, ax = where(frame, depth=D, family_rho=rho), figure.axes[D - 2]
        x = -rows["log10_alpha"]
        assert (x > 0).all()
        for column, label in (
            ("log10_upper_over_error_off", rf"$\varrho={rho}$"),
            ("log10_error_over_lower_off", "error / lower bound"),
            ("log10_error_over_refined_lower_off", "error / refined lower bound"),
        ):
            assert set(rows[column]) == {table[column].iloc[0]}
            assert_drawn(figure, ax, x, rows[column], label)


def test_phase_plots_medians_rates_and_the_end_of_recovery(draw):
    frames = []
    for N in (5, 10, 15):
        frame = phase(cell(N=N, d=20, s=1), THREE)
        frame["rho_planted"] = N / 20 * frame["s"] + np.tile([-0.2, 0.0, 0.6], 3)
        frame["recovered"] = frame["s"] < 2
        frames.append(frame)
    frames[1].loc[frames[1]["s"] == 3, "rho_planted"] = np.inf
    figure, frame = draw("phase", *frames, laid_out=False)
    ax = figure.axes[0]
    cells = where(frame, quantity="rho_planted")
    expected = [(N / 20, s / N) for N in (5, 10, 15) for s in (1, 2, 3)]
    assert [tuple(row) for row in cells[["delta", "sparsity"]].to_numpy()] == expected
    medians = [0.25, 0.5, 0.75, 0.5, 1.0, np.inf, 0.75, 1.5, 2.25]
    assert cells["rho_planted"].tolist() == pytest.approx(medians)
    assert (cells["instances"] == 3).all() and (cells["undecided"] == 0).all()
    assert cells["recovered"].tolist() == [3, 0, 0] * 3
    # columns meet half way between 1/4 and 1/2, cells between 1/5 and 2/5
    meshes = [m for m in ax.collections if hasattr(m, "get_coordinates")]
    corners = meshes[0].get_coordinates().reshape(-1, 2).tolist()
    heights = (0.1, 0.3, 0.5, 0.7)
    assert corners == [[x, pytest.approx(y)] for y in heights for x in (0.125, 0.375)]
    threshold = where(frame, quantity="weak threshold")
    assert threshold["delta"].agg(["min", "max"]).tolist() == [0.125, 0.875]
    assert_drawn(figure, ax, threshold["delta"], threshold["sparsity"], "weak threshold")
    half = where(frame, quantity="half recovered")
    assert half["sparsity"].tolist() == pytest.approx([1.5 / N for N in (5, 10, 15)], abs=1e-3)
    lines = [line.get_xydata().tolist() for line in ax.lines]
    assert half[["delta", "sparsity"]].to_numpy().tolist() in lines
    assert (half["half_lower"] < half["sparsity"]).all()
    assert (half["sparsity"] < half["half_upper"]).all()
    # 1 - rho = 1/2 at s = 2 for N = 5, between the first and the second s for N = 15: not below it
    rates = where(frame, quantity="rate")
    assert where(rates, rate=0.5)[["N", "sparsity"]].to_numpy().tolist() == [[5, 0.4]]
    assert where(rates, rate=0.25)[["N", "sparsity"]].to_numpy().tolist() == [
        [5, pytest.approx(0.6)],
        [10, pytest.approx(0.15)],
    ]
    assert where(rates, rate=0.75).empty
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$N/d$", "$s/N$")


def test_approach_plots_distances_to_the_threshold(draw):
    frames = []
    for d in (20, 40):
        frame = phase(cell(N=d // 2, d=d, s=1), THREE)
        frame["recovered"] = frame["s"] < 3
        frames.append(frame)
    figure, frame = draw("approach", *frames)
    (ax,) = figure.axes
    assert frame["d"].tolist() == [20, 40]
    assert frame["half"].tolist() == pytest.approx([0.25, 0.125], abs=1e-3)
    assert frame["distance"].tolist() == pytest.approx([0.25 - 0.38569, 0.125 - 0.38569], abs=1e-3)
    (points,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert points.get_xydata().tolist() == frame[["d", "distance"]].to_numpy().tolist()
    (bars,) = ax.collections
    ends = [[tuple(point) for point in segment] for segment in bars.get_segments()]
    expected = frame[["d", "lower", "upper"]].to_numpy().tolist()
    assert np.ravel(ends).tolist() == pytest.approx(
        [value for d, low, high in expected for value in (d, low, d, high)]
    )
    assert [label.get_text() for label in ax.get_xticklabels()] == ["20", "40"]


def test_approach_draws_an_interval_that_is_longer_on_one_side(draw):
    """All, two and none of three signals are recovered."""
    table = phase(cell(N=10, d=20, s=1), THREE)
    table["recovered"] = table["s"] + (table["repetition"] == 2) < 3
    figure, frame = draw("approach", table, laid_out=False)
    distance, lower, upper = frame[["distance", "lower", "upper"]].iloc[0]
    assert abs((upper - distance) - (distance - lower)) > 0.01
    (bars,) = figure.axes[0].collections
    (segment,) = bars.get_segments()
    assert segment[:, 1].tolist() == pytest.approx([lower, upper])


def test_orders_plots_brackets_and_constants(draw):
    frames = []
    for N, s in ((5, 1), (5, 2), (10, 2), (10, 4)):
        frame = orders(cell(N=N, d=20, s=s), THREE)
        frame["rho_lower"], frame["rho_upper"] = 0.1, 0.2 + s / 10
        frame["rho_tilde_lower"], frame["rho_tilde_upper"] = 0.6 + s / 10, 0.7 + s / 10
        frame.loc[0, "rho_tilde_upper"] = frame.loc[0, "rho_tilde_lower"]
        frame["order_lower"], frame["order_upper"] = [0.3, 0.5, 0.9], [1.3, 1.5, np.inf]
        frames.append(frame)
    figure, frame = draw("orders", *frames, laid_out=False)
    left, right = figure.axes[:2]
    brackets = where(frame, quantity="order")
    assert len(brackets) == 4
    assert set(brackets["order_lower"]) == {0.5} and set(brackets["order_upper"]) == {1.5}
    for delta in ("0.25", "0.5"):
        heights = np.concatenate([y for _, y in called(figure, left, f"$N/d={delta}$")])
        assert set(heights) == {0.5, 1.5}  # brackets of the medians, and their lower ends
    rho = where(frame, quantity="rho_tilde")[["rho_upper", "rho_tilde_lower", "rho_tilde_upper"]]
    expected = [(0.3, 0.7), (0.4, 0.8), (0.4, 0.8), (0.6, 1.0)]
    exact = rho[rho["rho_tilde_lower"] == rho["rho_tilde_upper"]]
    assert [tuple(row) for row in exact.iloc[:, :2].round(9).to_numpy()] == expected
    assert len(rho) == 12
    x, y = exact["rho_upper"], exact["rho_tilde_lower"]
    assert_drawn(figure, right, x, y, r"$\tilde\varrho$ exact")
    bracketed = called(figure, right, r"$\tilde\varrho$ bracketed")
    assert {tuple(np.round(line.ravel(), 9)) for line in bracketed} == {
        (x, x, low, round(low + 0.1, 9)) for x, low in expected
    }
    assert (right.get_xlabel(), right.get_ylabel()) == (r"$\varrho$", r"$\tilde\varrho$")


def test_cells_of_the_diagram_meet_half_way():
    lower, upper = edges(np.array([1.0, 2.0, 4.0]))
    assert lower.tolist() == [0.5, 1.5, 3.0] and upper.tolist() == [1.5, 3.0, 5.0]
    assert [edge.tolist() for edge in edges(np.array([1.0]))] == [[0.8], [1.2]]


def test_descent_tells_what_has_converged(draw):
    table = descent(cell(N=5, d=10, s=2, eta=0.1), THREE[:1])
    table["relative_distance"] = [0.3, 0.2, 0.5, 0.4]
    table["relative_step_distance"] = [0.03, 0.02, 0.05, 0.04]
    table["distance"], table["step_distance"], table["relative_loss"] = 9.0, 8.0, 7.0
    table["outcome"] = [CONVERGED, ITERATION_LIMIT, CONVERGED, CONVERGED]
    figure, frame = draw("descent", table, laid_out=False)
    names = ["fraction", "alpha", "outcome", "relative_distance", "relative_step_distance"]
    assert frame[names].to_numpy().tolist() == [
        [0.05, 1e-4, ITERATION_LIMIT, 0.2, 0.02],
        [0.05, 1e-2, CONVERGED, 0.4, 0.04],
        [0.5, 1e-4, CONVERGED, 0.3, 0.03],
        [0.5, 1e-2, CONVERGED, 0.5, 0.05],
    ]
    half, small = (rf"$h/h_{{\mathrm{{stable}}}}={fraction}$" for fraction in ("0.5", "0.05"))
    for step, end, x, y in (
        (half, "converged", [1e-4, 1e-2], [0.3, 0.5]),
        (small, "converged", [1e-2], [0.4]),
        (small, "not converged", [1e-4], [0.2]),
        (half, "continued by the flow", [1e-4, 1e-2], [0.03, 0.05]),
        (small, "continued by the flow", [1e-4, 1e-2], [0.02, 0.04]),
    ):
        assert_drawn(figure, figure.axes[0], x, y, step, end)
    assert figure.get_supylabel() == DISTANCE


def test_norms_are_population_errors_and_excesses(draw):
    tables, frames = tables_of(random(eta=(0.1,), depth=(2, 3)))
    figure, frame = draw("norms", *tables, laid_out=False)
    top, bottom = figure.axes
    for table, D in zip(frames, (2, 3), strict=True):
        rows = where(frame, depth=D, quantity="squared_estimation_error")
        expected = looked_up(table, "estimation_error", STATISTICS) ** 2
        np.testing.assert_allclose(rows[STATISTICS].to_numpy(float), expected)
        assert_curve(figure, top, rows, f"$D={D}$")
        for quantity, label in (
            ("excess_l1", "excess $\\ell^1$ norm"),
            ("excess_l2", "excess $\\ell^2$ norm"),
        ):
            assert_plotted(frame, table, quantity, depth=D)
            rows = where(frame, depth=D, quantity=quantity)
            x = 10.0 ** rows["log10_alpha"]
            assert_drawn(figure, bottom, x, rows["median"], f"$D={D}$", label)
        for name in ("l1_estimation_error", "interpolator_estimation_error"):
            (value,) = where(frame, depth=D, quantity=f"squared_{name}")["median"]
            assert value == pytest.approx(looked_up(table, name, ["median"])[0, 0] ** 2)
    assert top.get_ylabel().endswith("_2^2$") and bottom.get_ylabel() == "excess norm"


def test_reach_is_of_the_squared_distance(draw):
    """Distances alpha^(1/2): squared, 0.025 is reached at alpha = 0.025."""
    frames = [points(cell(N=N, d=20, s=2, eta=0.1), THREE) for N in (5, 10)]
    figure, frame = draw("reach", *frames, reach=0.025, laid_out=False)
    assert frame["N"].tolist() == [5, 10] and set(frame["count"]) == set(frame["inside"]) == {3}
    for name in STATISTICS:
        np.testing.assert_allclose(10.0 ** frame[name], 0.025)
    medians = called(figure, figure.axes[0], "$D=2$")
    assert any(np.allclose(line, [[5, 10], [0.025, 0.025]]) for line in medians)


def test_lasso_paths_are_called_what_they_are(draw):
    table = lasso_paths(cell("one.csv"), THREE)
    figure, frame = draw("lasso_path", table, laid_out=False)
    coordinates, distance, gap = figure.axes
    for alpha, written in ((1e-20, "10^{-20}"), (1e-5, "10^{-5}")):
        rows = where(frame, alpha=alpha)
        label = rf"$\alpha={written}$"
        for ax, quantity in ((coordinates, "average"), (distance, "distance"), (gap, "gap")):
            of_scale = where(table, alpha=alpha, quantity=quantity)
            for place, line in of_scale.groupby("coordinate"):
                line = line[line["value"] > 1e-8].sort_values("mu")
                found = where(rows, quantity=quantity, coordinate=place)
                found = found[found["value"] > 1e-8]
                np.testing.assert_allclose(found[["mu", "value"]], line[["mu", "value"]])
                assert len(called(figure, ax, label)) >= 1
        expected = where(table, alpha=alpha, quantity="largest_distance")[["mu", "value"]]
        found = where(rows, quantity="largest_distance")[["mu", "value"]]
        assert found.to_numpy().tolist() == expected.to_numpy().tolist()
        assert_drawn(figure, distance, found["mu"], found["value"], label, "largest")
    lasso = where(frame, quantity="lasso", coordinate=0)
    assert_drawn(figure, coordinates, lasso["mu"], lasso["value"], r"lasso $x(\mu)$")
    assert gap.get_ylabel() == "suboptimality" and gap.xaxis_inverted()


# --- what a legend and words in a panel say ---


ORDERS = orders(cell(N=5, d=20, s=1), THREE)
NOISY = cell(N=5, d=10, s=2, eta=0.1)
DESCENT = descent(NOISY, THREE)
LOST = {"outcome": DIVERGED, "relative_distance": np.nan, "relative_step_distance": np.nan}
FAR = [far_curves(NOISY, THREE), instances(NOISY, THREE)]
PHASE = phase(cell(N=5, d=20, s=1), THREE)


@pytest.mark.parametrize(
    ("kind", "tables", "named", "not_named"),
    [
        ("orders", [ORDERS], r"$\tilde\varrho$ exact", r"$\tilde\varrho$ bracketed"),
        (
            "orders",
            [ORDERS.assign(rho_tilde_lower=0.7)],
            r"$\tilde\varrho$ bracketed",
            r"$\tilde\varrho$ exact",
        ),
        ("orders", [ORDERS.assign(order_upper=0.9)], "up to the upper bound", "no upper bound"),
        ("orders", [ORDERS.assign(order_upper=np.inf)], "no upper bound", "up to the"),
        ("descent", [DESCENT], "converged", "not converged"),
        ("descent", [DESCENT.assign(outcome=ITERATION_LIMIT)], "not converged", "converged"),
        ("descent", [DESCENT.assign(**LOST)], "diverged", "not converged"),
        ("far", FAR, "onset", None),
        ("far", [FAR[0], FAR[1].assign(onset_log10_alpha=np.nan)], "$D=2$", "onset"),
        ("phase", [PHASE.assign(recovered=PHASE["s"] < 2)], "50 % recovered", None),
        ("phase", [PHASE.assign(recovered=PHASE["s"] < 2)], "95 % interval", None),
        ("phase", [PHASE.assign(rho_planted=PHASE["s"] / 3)], "rate $1-", None),
        ("phase", [PHASE.assign(recovered=False)], "weak threshold", "50 % recovered"),
        ("phase", [PHASE.assign(recovered=False)], "weak threshold", "95 % interval"),
        ("phase", [PHASE.assign(rho_planted=2.0)], "weak threshold", "rate "),
        ("bounds", [bounds(NOISY, THREE)], "upper bound by ", None),
        ("bounds", [bounds(NOISY | {"depth": 3}, THREE)], "measured", "upper bound by "),
    ],
)
def test_a_legend_names_what_is_drawn_alone(draw, kind, tables, named, not_named):
    figure, _ = draw(kind, *tables, laid_out=False)
    words = [words for _, words in entries_of(figure)]
    assert any(text.startswith(named) for text in words)
    assert not_named is None or not any(text.startswith(not_named) for text in words)


def test_every_symbol_of_descent_has_an_entry_of_its_colour(draw):
    figure, _ = draw("descent", DESCENT, laid_out=False)
    drawn = {
        (to_hex(line.get_color()), line.get_marker())
        for line in figure.axes[0].lines
        if line.get_marker() and len(line.get_xdata())
    }
    named = {(to_hex(handle.get_color()), handle.get_marker()) for handle, _ in entries_of(figure)}
    assert len(drawn) == DESCENT["fraction"].nunique() and drawn <= named


def test_lines_of_the_diagram_look_as_in_its_legend(draw):
    """White ones stand on the colour on which they are seen."""
    figure, _ = draw("phase", PHASE.assign(rho_planted=PHASE["s"] / 3, recovered=PHASE["s"] < 2))
    drawn = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    handles = [handle for handle, _ in entries_of(figure) if isinstance(handle, Line2D)]
    assert {(handle.get_color(), handle.get_linestyle()) for handle in handles} == drawn
    assert all(handle.get_path_effects() for handle in handles if handle.get_color() == "white")
    assert "white" in {color for color, _ in drawn}


@pytest.mark.parametrize(("reach", "beyond"), [(0.025, False), (1e-20, True)])
def test_scales_beyond_the_path_are_named_where_there_are_some(draw, reach, beyond):
    figure, _ = draw("reach", points(NOISY, THREE), reach=reach, laid_out=False)
    assert any("beyond" in words for _, words in entries_of(figure)) == beyond


def test_what_is_shifted_sideways_is_said(draw):
    two = random(eta=(0.1,), depth=(2, 3))
    figure, _ = draw("reach", *(points(values, THREE) for values in two), reach=0.025)
    assert figure.get_supxlabel() == "$N$ (depths side by side)"
    figure, _ = draw("reach", points(NOISY, THREE), reach=0.025, laid_out=False)
    assert figure.get_supxlabel() == "$N$"
    figure, _ = draw("orders", ORDERS, orders(cell(N=10, d=20, s=2), THREE))
    assert figure.axes[0].get_xlabel() == "$s/N$ (markers of each $N/d$ shifted a little)"
    figure, _ = draw("orders", ORDERS, laid_out=False)
    assert figure.axes[0].get_xlabel() == "$s/N$"


def test_a_member_without_an_error_has_no_line_in_the_legend(draw):
    tables, _ = tables_of(family(rho=(0.0, 0.5)))
    figure, _ = draw("tight", *tables, laid_out=False)
    handles = {words: handle for handle, words in entries_of(figure)}
    without = handles[r"$\varrho=0$ (the error is 0)"]
    assert without.get_linestyle() == "None" and without.get_marker() != "None"
    assert handles[r"$\varrho=0.5$"].get_linestyle() == "-"
    # nor one of the colours
    assert handles[r"$\varrho=0.5$"].get_color() == looks([0.5])[0.5]["color"]


def test_a_depth_without_fits_has_no_marker_in_the_legend(draw):
    tables, _ = tables_of(family(rho=(0.3, 0.5)))
    assert {depth for table in tables for depth in table["depth"]} >= {2, 3}
    for table in tables:
        if "fitted_rate" in table:
            table.loc[table["depth"] == 3, "fitted_rate"] = np.nan
    figure, _ = draw("tight", *tables, laid_out=False)
    words = {text.get_text() for text in figure.axes[0].get_legend().get_texts()}
    assert "$D=2$" in words and "$D=3$" not in words


@pytest.mark.parametrize(
    ("silent", "words"),
    [
        (LOG10_ALPHA >= -6, r"at $\alpha\geq 10^{-6}$"),
        (LOG10_ALPHA <= -6, r"at $\alpha\leq 10^{-6}$"),
        (np.isin(LOG10_ALPHA, (-9.0, -6.0)), r"at 2 of 25 $\alpha$"),
        (np.full(LOG10_ALPHA.size, True), None),
    ],
)
def test_it_is_said_at_which_scales_there_is_no_upper_bound(draw, silent, words):
    table = bounds(NOISY | {"depth": 3}, THREE[:1])
    for name in ("log10_error_off_upper", "log10_refined_off_upper"):
        table.loc[silent, name] = np.inf
    figure, _ = draw("bounds", table)
    (said,) = (text.get_text() for text in figure.axes[0].texts)
    assert said.split("\n") == ["no upper bound", *([words] if words else [])]


def test_no_label_lies_on_a_cross(draw):
    """A flow of one repetition may be far from the medians, beside which the guides are drawn."""
    cells = random(eta=(0.1,), depth=(2, 3))
    tables, _ = tables_of(cells)
    flows = [agreement(values, THREE[:1]) for values in cells]
    for table, factor in zip(flows, (30.0, 1 / 30.0), strict=True):
        table["alpha"] = table["alpha"].replace({1e-4: 1e-8, 1e-2: 1e-12})
        table["error_1"] = factor * table["alpha"] ** (0.4 if factor > 1 else 1.0)
    figure, _ = draw("depth", *tables, *flows)
    ax = figure.axes[0]
    boxes = [text.get_window_extent() for text in ax.texts]
    crosses = [line.get_xydata() for line in ax.lines if line.get_marker() == "x"]
    assert len(boxes) == 2 and len(crosses) == 2
    for place in ax.transData.transform(np.concatenate(crosses)):
        assert not any(box.padded(2).contains(*place) for box in boxes)


def test_the_lines_of_the_last_row_of_flow_are_named(draw):
    (values,) = random(eta=(0.1,))
    figure, _ = draw("flow", trajectories(values, THREE), agreement(values, THREE))
    found = {text.get_text(): text.xy[1] for text in figure.axes[-1].texts}
    assert set(found) == {words for words, _ in WORDS.values()}
    # an entry escapes long before the flow is near its end
    assert found["escape"] < found["near the end"]
    assert len(called(figure, figure.axes[-1], GUIDE)) == 2


def test_a_line_of_the_rate_is_read_on_the_dark(draw):
    """Its value stands on it, white in a black halo."""
    frame = PHASE.assign(rho_planted=PHASE["s"] / 3, recovered=PHASE["s"] < 2)
    more = [frame.assign(N=N, delta=N / 20, sparsity=frame["s"] / N) for N in (5, 10, 15)]
    figure, plotted = draw("phase", *more, laid_out=False)
    texts = {text.get_text(): text for text in figure.axes[0].texts}
    rates = where(plotted, quantity="rate")
    assert set(texts) == {f"{rate:g}" for rate in rates["rate"].unique()} and texts
    for rate, text in texts.items():
        places = where(rates, rate=float(rate))[["delta", "sparsity"]].to_numpy().tolist()
        assert list(text.xy) in places and text.get_path_effects()


@pytest.mark.parametrize(
    ("decades", "ticks"),
    [
        ((1, 300), [1, 3, 10, 30, 100, 300]),
        ((1.4, 65), [3, 10, 30]),
        ((1, 100), [1, 3, 10, 30, 100]),
        ((1, 200), [1, 3, 10, 30, 200]),
        ((0.3, 100000), [1, 10, 100, 1000, 10000, 100000]),
        # slopes, which end half way between the last two scales
        ((0.5, 268.55), [1, 3, 10, 30, 100, 300]),
        ((0.5, 84065), [1, 10, 100, 1000, 10000, 100000]),
    ],
)
def test_a_far_axis_has_ticks_enough_and_no_crowd_of_them(decades, ticks):
    figure, ax = plt.subplots()
    far_axis(ax, decades)
    found = ax.xaxis.get_major_locator()()
    high, low = ax.get_xlim()
    names = ax.xaxis.get_major_formatter().format_ticks(found)
    plt.close(figure)
    assert found.tolist() == pytest.approx(ticks)
    assert low < min(ticks) and max(ticks) < high
    # the last one is named
    assert names[-1] == f"$10^{{-{ticks[-1]}}}$"


def test_names_of_ticks_of_neighbouring_panels_stand_apart(draw):
    """By more than half of their height."""
    cells = random(eta=(0.1,), depth=(2, 3, 4))
    figure, _ = draw("bounds", *(bounds(values, THREE) for values in cells))
    names = [name for ax in figure.axes for name in ax.get_xticklabels() if name.get_text()]
    boxes = sorted((name.get_window_extent() for name in names), key=lambda box: box.x0)
    gaps = [right.x0 - left.x1 for left, right in itertools.pairwise(boxes)]
    assert len(figure.axes) == 3 and min(gaps) > 0.5 * boxes[0].height


def test_a_wide_entry_of_the_lower_row_moves_none_of_the_upper_one():
    assert in_two_rows(list("abcd"), list("xyz"))[::2] == list("abcd")
    lower = in_two_rows(list("abcd"), list("xyz"))[1::2]
    assert [lower[place] for place in (0, 1, 3)] == list("xyz")
    upper = in_two_rows(list("ab"), list("xyz"))[::2]
    assert upper[:2] == list("ab") and in_two_rows(list("ab"), list("xyz"))[1::2] == list("xyz")


# --- the file of plotted data ---


def test_numbers_have_six_digits_and_names_of_rows_are_short():
    frame = pd.DataFrame(
        {
            "eta": [0.1, 1 / 3],
            "log10_alpha": [-12.0, -0.25],
            "count": [3, 4],
            "median": [1 / 3, 123456.7],
            "lower_quartile": [-0.0, np.inf],
            "upper_quartile": [1e-12, np.nan],
            "nothing": [None, EMPTY],
            "onset_log10_alpha": [np.nan, np.nan],
        }
    )
    text = as_csv(frame)
    assert "\r" not in text
    assert list(csv.reader(io.StringIO(text))) == [
        ["eta", "log10_alpha", "count", "median", "lower_quartile", "upper_quartile", "nothing"],
        ["0.1", "-12", "3", "0.333333", "0", "1.00000e-12", ""],
        ["0.3333333333", "-0.25", "4", "123457.", "inf", "", EMPTY],
    ]


def test_every_figure_of_the_smoke_grid_has_its_numbers(finished):
    folder = finished.folder / "results/smoke/figures"
    names = {path.stem for path in folder.glob("*.png")}
    assert names and names == {path.stem for path in folder.glob("*.csv")}
    assert all(len(pd.read_csv(folder / f"{name}.csv")) >= 2 for name in names)
    assert sum(path.stat().st_size for path in folder.glob("*.csv")) < 500_000
