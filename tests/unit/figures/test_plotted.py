"""What each figure draws, from tables in which no two columns are alike, and what it is called.

Expected places are those of the rows that a reader would look up, not computed by the figure.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from test_figures import (
    LOG10_ALPHA,
    bounds,
    cell,
    curves,
    descent,
    family,
    far_bounds,
    far_curves,
    instances,
    lasso_paths,
    phase,
    points,
    random,
    trajectories,
)

from drawing import drawn
from figures import draw as figures
from implicit_l1.status import CERTIFIED, CONVERGED, ITERATION_LIMIT

THREE = [CERTIFIED] * 3
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


def apart(frame):
    """Curves of which no two quantities and no two quartiles are alike."""
    frame = frame.copy()
    factor = frame["quantity"].map(FACTORS)
    frame["median"] *= factor
    frame["lower_quartile"] *= 0.8 * factor
    frame["upper_quartile"] *= 1.2 * factor
    return frame


def tables_of(cells, make=curves):
    frames = [apart(make(values, THREE)) for values in cells]
    return [*frames, *(instances(values, THREE) for values in cells)], frames


def places(rows, panel, kind, label=None):
    """(x, y) of the artists of a panel of this kind, whose label begins so."""
    chosen = [
        (float(row["x"] or "nan"), float(row["y"] or "nan"))
        for row in rows
        if row["panel"] == str(panel)
        and row["artist"].startswith(kind)
        and (label is None or row["label"] == label)
    ]
    return np.array(chosen).T


def statistic(frame, quantity, name="median", x="alpha"):
    rows = frame[frame["quantity"] == quantity].sort_values(x)
    return rows[x].to_numpy(), rows[name].to_numpy()


def assert_curve(rows, panel, label, frame, quantity, x="alpha"):
    """The line is the medians, the band the quartiles of this quantity."""
    np.testing.assert_allclose(
        places(rows, panel, "line", label), statistic(frame, quantity, x=x), rtol=1e-5
    )
    corners = {tuple(corner) for corner in places(rows, panel, "band", label).T}
    for name in ("lower_quartile", "upper_quartile"):
        for corner in zip(*statistic(frame, quantity, name, x), strict=True):
            assert any(np.allclose(corner, found, rtol=1e-5) for found in corners), name


def words(figure, panel, place):
    (row,) = (row for row in drawn(figure) if (row["panel"], row["artist"]) == (str(panel), place))
    return row["label"]


def test_noise_is_of_the_one_norm(draw):
    tables, frames = tables_of(random())
    figure, rows = draw("noise", *tables)
    labels = "0$,  $1-\\varrho=0.600$", "0.1$,  $1-\\varrho=0.400$"
    for frame, label in zip(frames, labels, strict=True):
        assert_curve(rows, 1, f"$\\eta={label}", frame, "error_1")
    assert words(figure, 1, "y axis") == figures.ERROR
    assert words(figure, 1, "x axis") == figures.ALPHA


def test_depth_is_of_the_one_norm_and_of_its_slope(draw):
    tables, frames = tables_of(random(eta=(0.0, 0.1), depth=(2, 3)))
    figure, rows = draw("depth", *tables)
    for place, frame in enumerate(frames):
        column, D = place // 2 + 1, frame["depth"].iloc[0]
        assert_curve(rows, column, f"$D={D:g}$", frame, "error_1")
        assert_curve(rows, column + 2, f"$D={D:g}$", frame, "slope")
    assert words(figure, 1, "title") == r"$\eta=0$" and words(figure, 2, "title") == r"$\eta=0.1$"
    assert words(figure, 3, "y axis") == "local slope of the error"
    for panel, rate in ((3, 0.6), (4, 0.4)):
        _, y = places(rows, panel, "line", rf"$1-\varrho={rate:.3f}$")
        assert y.tolist() == [rate, rate]
        assert set(places(rows, panel, "line", "1")[1]) == {1.0}


def test_generalization_has_two_lines_that_are_called_what_they_are(draw):
    tables, frames = tables_of(random(eta=(0.1,), depth=(2, 3)))
    figure, rows = draw("generalization", *tables)
    for frame in frames:
        assert_curve(rows, 1, f"$D={frame['depth'].iloc[0]:g}$", frame, "estimation_error")
    for label, quantity in (
        (r"$\ell^1$ minimizer $g^{*}$", "l1_estimation_error"),
        (r"minimum-$\ell^2$-norm interpolator", "interpolator_estimation_error"),
    ):
        expected = statistic(frames[0], quantity)[1][0]
        assert set(places(rows, 1, "line", label)[1]) == {float(f"{expected:.6g}")}
        # the words beside the line
        (text,) = (text for text in figure.axes[0].texts if text.get_text().startswith(label))
        assert text.xy[1] <= expected * 1.001
    assert words(figure, "", "y axis") == r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2$"


def test_prediction_has_the_predicted_rates_on_its_horizontal_axis(draw):
    cells = random(eta=(0.1,), s=(1, 2), ensemble=("gaussian", "rademacher"))
    tables, _ = tables_of(cells)
    for place, table in enumerate(tables[len(cells) :]):
        table["predicted_rate"] = 0.3 + 0.1 * place + np.array([0.0, 0.01, 0.02])
        table["fitted_rate"] = 2.0 * table["predicted_rate"]
        table["last_slope"] = 3.0
    figure, rows = draw("prediction", *tables)
    for table, values in zip(tables[len(cells) :], cells, strict=True):
        x, y = places(rows, 1, "points", f"$s={values['s']}$; {values['ensemble']}")
        np.testing.assert_allclose(x, table["predicted_rate"], rtol=1e-5)
        np.testing.assert_allclose(y, table["fitted_rate"], rtol=1e-5)
    assert words(figure, 1, "x axis").startswith("predicted")
    assert words(figure, 1, "y axis").startswith("fitted")


def test_tight_tells_depths_and_constants_apart(draw):
    tables, frames = tables_of(family(rho=(0.2, 0.5)))
    for table in tables[4:]:
        table["fitted_rate"] = 0.1 * table["depth"] + table["family_rho"]
        table["last_slope"] = 9.0
    figure, rows = draw("tight", *tables)
    for rho in (0.2, 0.5):
        for D in (2, 3):
            x, y = places(rows, 1, "line", rf"$\varrho={rho}$; $D={D}$")
            np.testing.assert_allclose(x, 1 - rho)
            np.testing.assert_allclose(y, 0.1 * D + rho)
    for panel, D in ((2, 2), (3, 3)):
        assert words(figure, panel, "title") == f"$D={D}$"
        for frame in frames:
            if frame["depth"].iloc[0] == D:
                label = rf"$\varrho={frame['family_rho'].iloc[0]}$"
                assert_curve(rows, panel, label, frame, "error_over_prediction")


def test_far_slopes_are_against_the_logarithm(draw):
    tables, frames = tables_of(random(eta=(0.1,), depth=(2, 3)), far_curves)
    for table in tables[2:]:
        table["onset_log10_alpha"] = -10.0 * table["depth"] + np.array([-1.0, 0.0, 5.0])
    _, rows = draw("far", *tables)
    for frame in frames:
        decades = frame.assign(decades=-frame["log10_alpha"])
        D = frame["depth"].iloc[0]
        assert_curve(rows, 1, f"$D={D:g}$", decades[decades["decades"] > 0], "slope", "decades")
        assert places(rows, 1, "line", f"$D={D:g}$; onset")[0].tolist() == [10 * D]


def test_flow_has_loss_error_and_entries_each_in_its_panel(draw):
    frames = []
    for values in random(depth=(2, 3)):
        frame = trajectories(values, THREE)
        order = {"loss": 1.0, "error_1": 10.0, "norm_1": 100.0, "x_on": 3.0, "x_off": 7.0}
        scale = frame["quantity"].map(order) * (1 + frame["repetition"]) * (1 + 20 * frame["eta"])
        frames.append(frame.assign(value=frame["value"] * scale * frame["depth"]))
    figure, rows = draw("flow", *frames)
    solid, dotted = r"$\eta=0$, bottom: $i\in S$", r"$\eta=0.1$"
    for column, D in ((1, 2), (2, 3)):
        assert words(figure, column, "title") == f"$D={D}$"
        for alpha, written in ((1e-4, "10^{-4}"), (1e-2, "0.01")):
            for panel, factor in ((column, 1), (column + 2, 10)):
                for end, noise in ((solid, 1), (dotted, 3)):
                    _, y = places(rows, panel, "line", rf"$\alpha={written}$; {end}")
                    assert y[0] == pytest.approx((np.exp(-1e-3) + alpha) * factor * D * noise)
            for end, factor in ((solid, 3), (r"$\eta=0$, bottom: $i\notin S$", 7)):
                _, y = places(rows, column + 4, "line", rf"$\alpha={written}$; {end}")
                assert y[0] == pytest.approx((np.exp(-1e-3) + alpha) * factor * D)
            assert places(rows, column + 4, "line", rf"$\alpha={written}$; {dotted}").size == 0
    assert words(figure, 1, "y axis").startswith("loss")
    assert words(figure, 3, "y axis") == r"$\Vert x(t)-g^{*}\Vert_1$"
    assert words(figure, 5, "y axis") == "$x_i(t)$"


def of_bounds(values, make=bounds):
    """Bounds that all differ, the refined ones inside the others, of the off-support error."""
    frame = make(values, THREE)
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
    frames = [of_bounds(values) for values in random(eta=(0.1,), depth=(2, 3))]
    figure, rows = draw("bounds", *frames)
    x = LOG10_ALPHA
    by_kappa = r"upper bound by $\kappa$ and $\tilde\varrho$, $D=2$"
    for panel in (1, 2):
        measured = places(rows, panel, "line", "measured")
        np.testing.assert_allclose(measured, [x, x], atol=1e-6)
        for label, above, below in (
            ("between the refined bounds", 0.4, 0.44),
            (r"between the bounds by $\varrho_\alpha$", 1.0, 1.1),
        ):
            band = places(rows, panel, "band", label)
            inside = np.abs(band[0] + 6.0) < 1e-6
            assert set(np.round(band[1][inside] + 6.0, 6)) == {above, -below}
        classical = places(rows, panel, "line", by_kappa)
        assert (classical.size > 0) == (panel == 1)
    _, y = places(rows, 1, "line", by_kappa)
    np.testing.assert_allclose(y, x + 1.8, rtol=1e-5)
    assert words(figure, 1, "title").startswith("$D=2$")
    assert words(figure, 2, "title").startswith("$D=3$")
    assert words(figure, "", "y axis") == figures.ERROR_OFF


def test_tightness_tells_upper_and_lower_bounds_apart(draw):
    frames = [of_bounds(values, far_bounds) for values in family(rho=(0.2, 0.5))]
    _, rows = draw("tightness", *frames)
    for frame in frames:
        D, rho = frame["depth"].iloc[0], frame["family_rho"].iloc[0]
        for column, label in (
            ("log10_upper_over_error_off", rf"$\varrho={rho}$"),
            ("log10_error_over_lower_off", "error / lower bound"),
            ("log10_error_over_refined_lower_off", "error / refined lower bound"),
        ):
            _, y = places(rows, int(D) - 1, "line", label)
            assert set(y) == {frame[column].iloc[0]}


def test_phase_draws_medians_brackets_and_constants(draw):
    frames = []
    for N, s in ((5, 1), (5, 2), (10, 2), (10, 4)):
        frame = phase(cell(N=N, d=20, s=s), THREE)
        frame["rho_planted"] = N / 10 + s / 100 + np.array([0.0, 0.1, 0.3])
        frame["rho_lower"], frame["rho_upper"] = 0.1, 0.2 + s / 10
        frame["rho_tilde_lower"], frame["rho_tilde_upper"] = 0.6 + s / 10, 0.7 + s / 10
        frame.loc[0, "rho_tilde_upper"] = frame.loc[0, "rho_tilde_lower"]
        frame["order_lower"], frame["order_upper"] = [0.3, 0.5, 0.9], [1.3, 1.5, np.inf]
        frames.append(frame)
    figure, rows = draw("phase", *frames)
    values = [float(row["value"]) for row in rows if row["artist"].startswith("mesh")][::2]
    assert values == pytest.approx([0.61, 0.62, 1.12, 1.14])
    # cells meet half way between 1/4 and 1/2, and between 0.2 and 0.4
    corners = [(0.125, 0.1), (0.375, 0.3), (0.125, 0.3), (0.375, 0.5)]
    corners += [(x + 0.25, y) for x, y in corners]
    np.testing.assert_allclose(places(rows, 1, "mesh").T, corners)
    assert {row["label"] for row in rows if row["artist"].startswith("mesh")} == {
        r"$\varrho$ of $x_0$"
    }
    for delta in ("0.25", "0.5"):
        _, y = places(rows, 2, "line", f"$N/d={delta}$")
        assert set(y) == {0.5, 1.5}  # brackets of the medians, and their lower ends
    exact = places(rows, 3, "line", r"$\tilde\varrho$ exact")
    assert sorted(exact.T.tolist()) == [[0.3, 0.7], [0.4, 0.8], [0.4, 0.8], [0.6, 1.0]]
    bracketed = places(rows, 3, "line", r"$\tilde\varrho$ bracketed")
    assert {tuple(place) for place in bracketed.T} == {
        (x, y)
        for x, low in ((0.3, 0.7), (0.4, 0.8), (0.6, 1.0))
        for y in (low, round(low + 0.1, 9))
    }
    assert words(figure, 1, "x axis") == "$N/d$" and words(figure, 1, "y axis") == "$s/N$"
    assert words(figure, 3, "x axis") == r"$\varrho$"


def test_descent_tells_what_has_converged(draw):
    frame = descent(cell(N=5, d=10, s=2, eta=0.1), THREE[:1])
    frame["relative_distance"] = [0.3, 0.2, 0.5, 0.4]
    frame["relative_step_distance"] = [0.03, 0.02, 0.05, 0.04]
    frame["distance"], frame["step_distance"], frame["relative_loss"] = 9.0, 8.0, 7.0
    frame["outcome"] = [CONVERGED, ITERATION_LIMIT, CONVERGED, CONVERGED]
    figure, rows = draw("descent", frame)
    half, small = (rf"$h/h_{{\mathrm{{stable}}}}={fraction}$" for fraction in ("0.5", "0.05"))
    found = {
        label: places(rows, 1, "line", label).T.tolist()
        for label in {row["label"] for row in rows if row["panel"] == "1"}
    }
    assert found == {
        f"{half}; converged": [[1e-4, 0.3], [1e-2, 0.5]],
        f"{small}; converged": [[1e-2, 0.4]],
        f"{small}; not converged": [[1e-4, 0.2]],
        f"{half}; continued by the flow": [[1e-4, 0.03], [1e-2, 0.05]],
        f"{small}; continued by the flow": [[1e-4, 0.02], [1e-2, 0.04]],
    }
    assert words(figure, "", "y axis") == figures.DISTANCE


def test_norms_are_population_errors_and_excesses(draw):
    tables, frames = tables_of(random(eta=(0.1,), depth=(2, 3)))
    figure, rows = draw("norms", *tables)
    for frame in frames:
        D = f"$D={frame['depth'].iloc[0]:g}$"
        x, y = statistic(frame, "estimation_error")
        np.testing.assert_allclose(places(rows, 1, "line", D), [x, y**2], rtol=1e-5)
        assert_curve(rows, 2, D, frame[frame["quantity"] == "excess_l1"], "excess_l1")
        np.testing.assert_allclose(
            places(rows, 2, "line", rf"{D}; excess $\ell^2$ norm"),
            statistic(frame, "excess_l2"),
            rtol=1e-5,
        )
    assert words(figure, 1, "y axis").endswith("_2^2$")


def test_reach_is_of_the_squared_distance(draw):
    """Distances alpha^(1/2): squared, 0.025 is reached at alpha = 0.025."""
    frames = [points(cell(N=N, d=20, s=2, eta=0.1), THREE) for N in (5, 10)]
    _, rows = draw("reach", *frames, reach=0.025)
    np.testing.assert_allclose(
        places(rows, 1, "line", "$D=2$; median"), [[5, 10], [0.025, 0.025]], rtol=1e-5
    )


def test_lasso_paths_are_called_what_they_are(draw):
    frame = lasso_paths(cell("one.csv"), THREE)
    figure, rows = draw("lasso_path", frame)
    for alpha in ("10^{-20}", "10^{-5}"):
        value = float(alpha.replace("10^{", "1e").replace("}", ""))
        of_scale = frame[frame["alpha"] == value]
        for panel, quantity in ((1, "average"), (2, "distance")):
            expected = of_scale[of_scale["quantity"] == quantity]
            found = places(rows, panel, "line", rf"$\alpha={alpha}$")
            np.testing.assert_allclose(
                found[1][found[1] > 1e-9], expected["value"][expected["value"] > 1e-9], rtol=1e-4
            )
        (largest,) = places(rows, 2, "line", rf"$\alpha={alpha}$; largest").T
        expected = of_scale[of_scale["quantity"] == "largest_distance"]
        assert largest.tolist() == pytest.approx([*expected["mu"], *expected["value"]], rel=1e-5)
    lasso = places(rows, 1, "line", r"lasso $x(\mu)$")
    assert lasso.size > 0
    assert words(figure, 3, "y axis") == "suboptimality"


# --- What the labels are read from ---


@pytest.fixture
def axes():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def test_a_grey_entry_speaks_of_shapes_whatever_the_colour(axes):
    axes.plot([1, 2], [1, 2], color="#0d0887", marker="")
    axes.plot([1], [3], color="#0d0887", linestyle="", marker="D")
    axes.plot([1], [4], color="#cc4778", linestyle="", marker="o", markerfacecolor="white")
    axes.plot([1, 2], [5, 6], color="#cc4778", linestyle=figures.DOTS, marker="")
    axes.plot([1], [7], color="#cc4778", linestyle="", marker="x")
    grey = {"color": "0.3", "linestyle": "", "marker": "o"}
    handles = [
        plt.Line2D([], [], label="one", color="#0d0887"),
        plt.Line2D([], [], label="two", color="#cc4778"),
        plt.Line2D([], [], label="solid", color="0.3"),
        plt.Line2D([], [], label="dotted", color="0.3", linestyle=figures.DOTS),
        plt.Line2D([], [], label="dashed", color="0.3", linestyle=figures.DASHES),
        plt.Line2D([], [], label="filled", **grey),
        plt.Line2D([], [], label="open", markerfacecolor="white", **grey),
        plt.Line2D([], [], label="cross", **grey | {"marker": "x"}),
    ]
    axes.legend(handles=handles)
    found = {row["artist"]: row["label"] for row in drawn(axes.figure)}
    assert found == {
        "line 1": "one; solid",
        "line 2": "one; filled",
        "line 3": "two; open",
        "line 4": "two; dotted",
        "line 5": "two; cross",
    }


def test_titles_and_axes_stand_before_the_numbers(axes):
    axes.set_title("a title\nof two lines", loc="left")
    axes.set(xlabel="across", ylabel="up")
    axes.figure.supxlabel("below all")
    axes.plot([1.0], [2.0])
    assert [(row["panel"], row["artist"], row["label"]) for row in drawn(axes.figure)] == [
        ("", "x axis", "below all"),
        ("1", "title", "a title of two lines"),
        ("1", "x axis", "across"),
        ("1", "y axis", "up"),
        ("1", "line 1", ""),
    ]


def test_equal_numbers_under_another_label_are_kept(axes):
    for label in ("one", "one", "two"):
        axes.plot([1.0], [2.0], label=label)
    assert [row["label"] for row in drawn(axes.figure)] == ["one", "two"]


def test_only_the_same_look_counts_where_many_are_black(axes):
    axes.plot([1, 2], [1, 2], color="black", marker="")
    axes.axhline(1.0, color="black", linestyle=figures.DASHES)
    axes.legend(handles=[plt.Line2D([], [], color="black", label="threshold")])
    assert [row["label"] for row in drawn(axes.figure)] == ["threshold"] * 2 + [""] * 2
