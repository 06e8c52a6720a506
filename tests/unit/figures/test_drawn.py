"""The numbers of a figure are those that are drawn."""

import csv
import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from figures import draw as figures
from pipeline.storage import read_table


@pytest.fixture
def axes():
    figure, ax = plt.subplots()
    yield ax
    plt.close(figure)


def rows(ax):
    """What is written, without its head."""
    text = figures.drawn(ax.figure)
    assert text.startswith("panel,artist,label,x,y,value\n") and "\r" not in text
    return [tuple(row) for row in csv.reader(io.StringIO(text))][1:]


def test_a_line(axes):
    axes.set(xscale="log", yscale="log")
    axes.plot([1e-12, 0.1, 2], [1 / 3, np.nan, 123456.7], label="a, b")
    assert rows(axes) == [
        ("1", "line 1", "a, b", "1.00000e-12", "0.333333", ""),
        ("1", "line 1", "a, b", "0.100000", "", ""),
        ("1", "line 1", "a, b", "2.00000", "123457.", ""),
    ]


def test_zero_has_no_sign_and_what_cannot_be_seen_is_zero(axes):
    axes.plot([0.0, 1.0, 2.0], [-0.0, 1e-17, 3.0])
    assert [row[4] for row in rows(axes)] == ["0", "0", "3.00000"]
    axes.set_yscale("log")  # here it can
    assert [row[4] for row in rows(axes)] == ["0", "1.00000e-17", "3.00000"]


def test_points_bands_meshes_and_arrows(axes):
    axes.scatter([1.0, 2.0], [3.0, 4.0])
    axes.fill_between([1.0, 2.0], [3.0, 3.5], [4.0, 5.0])
    axes.pcolormesh([0.0, 1.0], [0.0, 1.0, 2.0], [[7.0], [np.inf]])
    axes.annotate("", (1.0, 5.0), (0, 14), textcoords="offset points", arrowprops={})
    axes.annotate("words", (2.0, 5.0))
    found = rows(axes)
    of = {kind: [row[3:] for row in found if row[1] == kind] for kind in {row[1] for row in found}}
    assert set(of) == {"points 1", "band 1", "mesh 1", "arrow 1"}
    assert of["points 1"] == [("1.00000", "3.00000", ""), ("2.00000", "4.00000", "")]
    corners = {("1.00000", "3.00000", ""), ("2.00000", "3.50000", "")}
    assert corners | {("1.00000", "4.00000", ""), ("2.00000", "5.00000", "")} == set(of["band 1"])
    assert of["mesh 1"] == [
        ("0", "0", "7.00000"),
        ("1.00000", "1.00000", "7.00000"),
        ("0", "1.00000", "inf"),
        ("1.00000", "2.00000", "inf"),
    ]
    assert of["arrow 1"] == [("1.00000", "5.00000", "")]


def test_places_in_parts_of_the_axes_are_no_numbers(axes):
    axes.axhline(0.5)
    axes.plot([3.0], [0.97], transform=axes.get_xaxis_transform())
    assert [row[3:5] for row in rows(axes)] == [("", "0.500000"), ("", "0.500000"), ("3.00000", "")]


def test_decoration_and_repetition_are_left_out(axes):
    axes.plot([1.0, 2.0], [1.0, 2.0], label=figures.GUIDE)
    axes.axvspan(0.0, 1.0)
    axes.plot([], [])
    axes.text(0.5, 0.5, "words")
    for _ in range(3):
        axes.plot([1.0], [2.0])
    axes.plot([1.0], [3.0])
    assert [row[1:5:2] for row in rows(axes)] == [("line 1", "1.00000"), ("line 2", "1.00000")]


def test_labels_are_the_words_of_the_legend(axes):
    look = {"color": "#0d0887", "marker": "o"}
    axes.plot([1.0], [2.0], **look)
    axes.fill_between([1.0, 2.0], [1.0, 1.0], [2.0, 2.0], color=look["color"], alpha=0.25)
    axes.scatter([1.0, 2.0], [1.0, 2.0], c=["#0d0887", "#cc4778"])
    axes.plot([1.0], [4.0], color="black")
    axes.figure.legend(handles=[plt.Line2D([], [], label="$D=2$", **look)])
    assert {row[1]: row[2] for row in rows(axes) if row[1] != "points 1"} == {
        "line 1": "$D=2$",
        "band 1": "$D=2$",
        "line 2": "",
    }
    assert [row[2] for row in rows(axes) if row[1] == "points 1"] == ["$D=2$", ""]


def test_every_figure_of_the_smoke_grid_has_its_numbers(finished):
    folder = finished.folder / "results/smoke/figures"
    names = {path.stem for path in folder.glob("*.png")}
    assert names and names == {path.stem for path in folder.glob("*.csv")}
    for name in names:
        text = (folder / f"{name}.csv").read_text(encoding="utf-8")
        table = list(csv.DictReader(io.StringIO(text)))
        assert len(table) >= 10
        panels = {row["panel"] for row in table} - {""}
        assert panels == {str(panel + 1) for panel in range(len(panels))}
    assert sum(path.stat().st_size for path in folder.glob("*.csv")) < 500_000


def test_a_curve_is_drawn_from_its_table(finished):
    cell = "gaussian_N20_d40_s2_eta0/D2/alpha1e-6to1by2/reps3"
    frame = read_table(finished.folder / f"results/smoke/rates/{cell}/curves.parquet")
    expected = frame[frame["quantity"] == "error_1"].sort_values("alpha")
    found = pd.read_csv(finished.folder / "results/smoke/figures/noise.csv")
    found = found[(found["artist"] == "line 1") & (found["panel"] == 1)]
    assert found["label"].str.startswith(r"$\eta=0$").all()
    np.testing.assert_allclose(found["x"], expected["alpha"], rtol=1e-5)
    np.testing.assert_allclose(found["y"], expected["median"], rtol=1e-5)


def test_titles_do_not_reach_into_the_next_panel():
    figure, panels = plt.subplots(1, 4, figsize=(8, 2))
    for ax in panels:
        ax.set_title("toeplitz, correlation 0.9, x0 power law exponent 1, $\\eta=0.1$", loc="left")
    panels[0].set_title("short", loc="left")
    figures.break_titles(figure)
    assert panels[0].get_title(loc="left") == "short"
    for ax in panels[1:]:
        title = ax.get_title(loc="left")
        assert title.count(",\n") >= 1
        assert title.replace(",\n", ", ").count(", ") == 3
    plt.close(figure)
