"""Figure phase: rho over (N/d, s/N), and where half of the signals are recovered."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import Normal, Stroke, withStroke

from figures.axes import panels_of
from figures.frames import Options, Tables, groups, stacked, varying, where
from figures.marks import legend_above, write
from figures.words import named
from implicit_l1.minimizer.threshold import weak_threshold
from pipeline.half_points import COUNTS, half_points, recovered_signals

CELLS, THRESHOLD, HALF, RATE = "rho_planted", "weak threshold", "half recovered", "rate"
# levels of the rate 1 - rho that are drawn as lines; it is 0 at the transition
RATES = (0.25, 0.5, 0.75)
# infinity has no colour
LARGEST = 1e3
# on the dark part of the colours and on the light one
LINES = {
    THRESHOLD: {"color": "black", "linewidth": 1.2, "linestyle": (0, (4, 2)), "marker": ""},
    HALF: {"color": "white", "linewidth": 1.2, "marker": ""},
    RATE: {"color": "white", "linewidth": 0.7, "linestyle": (0, (1, 1)), "marker": ""},
}
DARK_HALO = [withStroke(linewidth=2, foreground="black")]
BAND: dict[str, Any] = {"color": "white", "alpha": 0.55, "linewidth": 0}


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """Column quantity tells the parts of a panel apart; a panel a law of A and a d.

    The median of rho of the planted signals of each cell, with counts; the sparsity of 50 % success
    for each N, with its interval; the weak threshold of l1 recovery over the same N/d; where the
    rate 1 - rho of the medians has some values.
    """
    frame = tables.of("phase")
    axes = varying(frame, but=["N", "s"])
    parts = []
    for values, rows in groups(frame, axes):
        cell = ["N", "delta", "s", "sparsity"]
        medians = rows.groupby(cell, as_index=False)["rho_planted"].median()
        counts = recovered_signals(rows)[[*cell, *COUNTS]]
        lower, upper = edges(np.sort(rows["delta"].unique()))
        first, last = np.clip([lower[0], upper[-1]], 0.0, 1.0)
        delta = np.linspace(first, last, 200)
        points = half_points(rows).rename(columns={"half": "sparsity"})
        found = {
            CELLS: medians.merge(counts, on=cell),
            HALF: points[["N", "delta", "sparsity", "half_lower", "half_upper"]],
            THRESHOLD: pd.DataFrame({"delta": delta, "sparsity": weak_threshold(delta)}),
            RATE: contours(medians),
        }
        parts += [part.assign(quantity=name, **values) for name, part in found.items()]
    columns = ["rate", "N", "delta", "s", "sparsity", "rho_planted"]
    return stacked(parts, [*axes, "quantity", *columns, "half_lower", "half_upper", *COUNTS])


def contours(medians: pd.DataFrame) -> pd.DataFrame:
    """Where 1 - rho falls below each of the RATES, for each N: linear between two sparsities.

    Args:
        medians: of rho_planted, by N, delta and sparsity.
    """
    rows = []
    for rate in RATES:
        for (N, delta), cells in medians.groupby(["N", "delta"]):
            cells = cells.sort_values("sparsity")
            rho, sparsity = cells["rho_planted"].to_numpy(), cells["sparsity"].to_numpy()
            beyond = int(np.argmax(rho >= 1.0 - rate))
            if beyond:  # neither at the first sparsity nor nowhere
                share = (1.0 - rate - rho[beyond - 1]) / (rho[beyond] - rho[beyond - 1])
                at = sparsity[beyond - 1] + share * (sparsity[beyond] - sparsity[beyond - 1])
                rows.append({"rate": rate, "N": N, "delta": delta, "sparsity": at})
    return pd.DataFrame(rows, columns=["rate", "N", "delta", "sparsity"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A panel a law of A and a d, with one legend and one bar of colours."""
    panels = groups(frame, varying(frame, but=["N", "s"]))
    figure, grid = panels_of(len(panels), 2.7)
    look = _colors()
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set(title=named(values), xlabel="$N/d$", ylabel="$s/N$")
        _draw_cells(ax, where(rows, quantity=CELLS), look)
        _draw_lines(ax, rows)
    figure.colorbar(ScalarMappable(**look), ax=grid, extend="max", label=r"$\varrho$ of $x_0$")
    rates = sorted(where(frame, quantity=RATE)["rate"].unique())
    labels = {
        HALF: "50 % recovered",
        THRESHOLD: THRESHOLD,
        RATE: rf"rate $1-\varrho={', '.join(f'{rate:g}' for rate in rates)}$",
    }
    half = where(frame, quantity=HALF)["sparsity"].notna().any()
    drawn = {HALF: half, THRESHOLD: True, RATE: len(rates) > 0}
    handles: list = [
        Line2D([], [], label=words, **LINES[name]) for name, words in labels.items() if drawn[name]
    ]
    dark = look["cmap"](0.4)
    for handle in handles:
        if handle.get_color() == "white":
            handle.set_path_effects(_on(dark))
    if half:
        band = BAND["alpha"] + (1 - BAND["alpha"]) * np.array(to_rgb(dark))
        handles.append(Patch(label="95 % interval", facecolor=band))
    legend_above(figure, handles, handletextpad=1.0)
    return figure


def edges(centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper edges of cells that meet half way between their centers."""
    if len(centers) == 1:
        return 0.8 * centers, 1.2 * centers
    middle = (centers[1:] + centers[:-1]) / 2
    lower = np.append(2 * centers[0] - middle[0], middle)
    return lower, np.append(middle, 2 * centers[-1] - middle[-1])


def _colors():
    """Colours of rho: from dark to light with a jump at 1, which is seen in grey too."""
    palette = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    colors = [(0, palette[0]), (0.5, palette[2]), (0.5, palette[5]), (1, "#fbe9a4")]
    return {
        "cmap": LinearSegmentedColormap.from_list("rho", colors),
        "norm": TwoSlopeNorm(1.0, 0.0, 2.0),
    }


def _on(color: Any) -> list:
    """What draws a white line of the legend on the colour on which it is seen in a panel."""
    solid = {"dash_offset": 0, "dash_list": None}
    return [Stroke(linewidth=5.5, foreground=color, dashes=solid, capstyle="projecting"), Normal()]


def _draw_cells(ax: Axes, cells: pd.DataFrame, look: dict) -> None:
    """A rectangle a cell, in the colour of the median of rho."""
    columns = groups(cells, ["delta"])
    deltas = np.array([values["delta"] for values, _ in columns])
    for left, right, (_, rows) in zip(*edges(deltas), columns, strict=True):
        lower, upper = edges(rows["sparsity"].to_numpy())
        medians = rows["rho_planted"].clip(upper=LARGEST).to_numpy()
        corners = [left, right], [*lower, upper[-1]]
        # without gaps between rectangles, which some viewers show
        ax.pcolormesh(*corners, medians[:, None], edgecolors="face", linewidth=0.1, **look)
    ax.set(xlim=ax.get_xlim(), ylim=(ax.get_ylim()[0], min(1.0, ax.get_ylim()[1])))
    ax.grid(visible=False)


def _draw_lines(ax: Axes, rows: pd.DataFrame) -> None:
    """The rate's lines, the sparsities of 50 % in their band, and the weak threshold."""
    for values, line in groups(where(rows, quantity=RATE), ["rate"]):
        ax.plot(line["delta"], line["sparsity"], **LINES[RATE])
        if len(line):  # in the widest part of the dark, on the line
            x, y = line[["delta", "sparsity"]].iloc[(3 * len(line)) // 5]
            text = f"{values['rate']:g}"
            middle: dict[str, Any] = {"ha": "center", "va": "center"}
            write(ax, x, y, text, color="white", path_effects=DARK_HALO, **middle)
    half = where(rows, quantity=HALF).sort_values("delta")
    ax.fill_between(half["delta"], half["half_lower"], half["half_upper"], **BAND)
    ax.plot(half["delta"], half["sparsity"], **LINES[HALF])
    line = where(rows, quantity=THRESHOLD)
    ax.plot(line["delta"], line["sparsity"], **LINES[THRESHOLD])
