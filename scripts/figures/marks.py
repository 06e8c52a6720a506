"""What is drawn on axes: looks, curves, brackets, words and legends."""

from itertools import zip_longest
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from figures.frames import FLOW_POINTS
from figures.layout import break_lines
from figures.words import EMPTY, equation

# by name; their lengths are in the style
DASHES, DOTS = "--", ":"
# of a guide line and of its words to the edge of the axes, in parts of their height
ROOM, ROOM_OF_WORDS = 0.03, 0.09
# of everything that is a prediction or a baseline
DASHED = {"linestyle": DASHES, "linewidth": 0.8, "marker": ""}
DOTTED = DASHED | {"linestyle": DOTS}
GREY = "0.3"
# of legend entries that speak of markers, whatever their colour
DOT = {"color": GREY, "linestyle": "", "marker": "o"}

# of legend entries of brackets: a bar with its caps, and an arrow where there is no upper end
BAR = DOT | {"marker": r"$\mathrm{I}$", "markersize": 6.0, "markeredgewidth": 0.2}
ARROW = BAR | {"marker": r"$\uparrow$", "markersize": 7.0}
# of what has no line, since there is nothing to draw
NO_LINE = BAR | {"marker": r"$\varnothing$"}

# a flow that was integrated
INTEGRATED = "flow of one repetition"
CROSS = {"color": GREY, "linestyle": "", "marker": "x", "markersize": 3.5, "markeredgewidth": 0.8}


def looks(values: Any) -> dict:
    """Colour and marker of each value, spread over the palette from dark to light."""
    palette = mpl.rcParams["axes.prop_cycle"].by_key()
    blend = LinearSegmentedColormap.from_list("blend", palette["color"])
    colors = [tuple(color) for color in blend(np.linspace(0, 1, len(values)))[:, :3]]
    markers = palette["marker"]
    if len(values) > 1:
        places = np.linspace(0, len(markers) - 1, len(values)).round().astype(int)
        markers = [markers[place] for place in places]
    return {
        value: {"color": color, "marker": marker}
        for value, color, marker in zip(values, colors, markers, strict=False)
    }


def colors_of(style: dict) -> dict:
    """The colours of such looks."""
    return {value: look["color"] for value, look in style.items()}


def lines_of(style: dict, name: str) -> list[Line2D]:
    """Legend entries of the values of a parameter."""
    return [
        Line2D([], [], label=equation(name, value), markerfacecolor="white", **look)
        for value, look in style.items()
    ]


def draw_curve(ax: Axes, x: pd.Series, rows: pd.DataFrame, look: dict, shift: float = 0.0) -> None:
    """The line of the medians, with markers, and the band between the quartiles.

    Args:
        x: the places of the rows.
        shift: keeps the markers of neighbouring curves apart; in [0, 1).
    """
    if rows.empty:
        return
    step = max(1, round(len(rows) / 9))
    markers = {"markevery": (int(shift * step), step), "markerfacecolor": "white"}
    ax.plot(x, rows["median"], **markers | look)
    lower, upper = rows["lower_quartile"], rows["upper_quartile"]
    ax.fill_between(x, lower, upper, color=look["color"], alpha=0.25, linewidth=0)


def draw_flow_points(ax: Axes, rows: pd.DataFrame, look: dict) -> None:
    """The errors of flows, a cross each, where they were integrated."""
    if rows.empty:
        return
    ax.plot(10.0 ** rows["log10_alpha"], rows["value"], **CROSS | {"color": look["color"]})


def flow_entries(frame: pd.DataFrame) -> list[Line2D]:
    """The legend entry of integrated flows, where a frame has some; with those not drawn."""
    missing = frame["not_drawn"].iloc[0] if "not_drawn" in frame else None
    if missing is None and not (frame["quantity"] == FLOW_POINTS).any():
        return []
    words = INTEGRATED + (f" ({missing})" if missing else "")
    return [Line2D([], [], label=words, **CROSS)]


def draw_trajectories(ax: Axes, rows: pd.DataFrame, x: str, style: dict, **look: Any) -> None:
    """A line for each scale and coordinate.

    Args:
        x: the column to draw the values over.
        style: alpha -> its look, of which the colour is taken.
        look: of all lines, and other options of seaborn.lineplot.
    """
    if rows.empty:
        return
    sns.lineplot(
        rows,
        x=x,
        y="value",
        hue="alpha",
        palette=colors_of(style),
        units="coordinate",
        estimator=None,
        marker="",
        legend=False,
        ax=ax,
        **look,
    )
    ax.set(xlabel="", ylabel="")


def draw_reference(
    ax: Axes,
    rows: pd.DataFrame,
    offset: float,
    color: object = "black",
    words: str = "",
    others: pd.DataFrame | None = None,
) -> None:
    """A dashed segment y = c x^predicted_rate beside the small-alpha end of a curve.

    Args:
        rows: of the curve; of a rate that is not known nothing is drawn.
        offset: distance to the nearest point of the curve or of the others, in parts of the height
            of the axes; negative is below the curve.  Where the segment or its words would come to
            the edge of the axes, these grow: on the other side it could meet another curve.
        words: written on the far side of the segment.
        others: rows of other curves and of integrated flows in the same panel.
    """
    rate = rows["predicted_rate"].iloc[0]
    if np.isnan(rate):  # of a minimizer that is one of several
        return
    x, y = rows["log10_alpha"].to_numpy(), np.log10(rows["median"].to_numpy())
    low, high = np.log10(ax.get_ylim())
    ends = np.array([x[0], x[0] + 0.34 * (x[-1] - x[0])])
    if others is not None and len(others):
        x = np.append(x, others["log10_alpha"].to_numpy(float))
        y = np.append(y, np.log10(_errors_of(others)))
    heights = (y - rate * x)[(x <= ends[1] + 1e-9) & np.isfinite(y)]
    height = (heights.max() if offset > 0 else heights.min()) + offset * (high - low)
    y = height + rate * ends
    room, beyond = ROOM * (high - low), (ROOM_OF_WORDS if words else 0.0) * (high - low)
    low = min(low, y.min() - room, y[1] - (beyond if offset < 0 else 0.0))
    high = max(high, y.max() + room, y[1] + (beyond if offset > 0 else 0.0))
    ax.set_ylim(10**low, 10**high)
    x, y = 10**ends, 10**y
    ax.plot(x, y, color=color, scalex=False, scaley=False, **DASHED)
    side: dict[str, Any] = (
        {"ha": "right", "va": "bottom"} if offset > 0 else {"ha": "left", "va": "top"}
    )
    write(ax, x[1], y[1], words, **side)


def _errors_of(rows):
    """The medians of curves, the values of flows."""
    medians = rows["median"].to_numpy(float)
    if "value" not in rows:
        return medians
    return np.where(rows["quantity"] == FLOW_POINTS, rows["value"].to_numpy(float), medians)


def draw_diagonal(ax: Axes, ends: Any) -> None:
    """The line y = x."""
    ax.plot(ends, ends, color="black", zorder=0.8, **DASHED)


def draw_brackets(ax: Axes, x: Any, lower: Any, upper: Any, color: Any) -> None:
    """From lower to upper bounds; an arrow where the upper one is infinite."""
    for place, low, high in zip(x, lower, upper, strict=True):
        if np.isfinite(high):
            look = {"color": color, "linewidth": 0.8, "marker": "_"}
            ax.plot([place, place], [low, high], zorder=1.5, **look)
        else:
            look = {"arrowstyle": "<-", "color": color, "linewidth": 0.8, "shrinkB": 0}
            ax.annotate("", (place, low), (0, 14), textcoords="offset points", arrowprops=look)


def write(
    ax: Axes,
    x: Any,
    y: Any,
    words: str,
    coordinates: str | tuple[str, str] = "data",
    shift: float = 0,
    **options: Any,
) -> None:
    """Text on a white halo, to be read where it meets a line; shifted up by some points."""
    halo = [withStroke(linewidth=2, foreground="white")]
    ax.annotate(
        words,
        (x, y),
        (0, shift),
        xycoords=coordinates,
        textcoords="offset points",
        **{"fontsize": "small", "zorder": 5, "path_effects": halo} | options,
    )


def write_beside(ax: Axes, y: float, words: str) -> None:
    """Words to the right of a panel, at a height."""
    write(ax, 1.01, y, words, ("axes fraction", "data"), va="center")


def say_empty(ax: Axes, words: str | None = None) -> None:
    """Words in the middle of a panel of which nothing is drawn."""
    write(ax, 0.5, 0.5, words or EMPTY, "axes fraction", ha="center", va="center")


def nothing_of(rows: pd.DataFrame) -> str | None:
    """Why nothing of some rows is drawn; None where something is."""
    if rows["nothing"].notna().all():
        words = sorted(set(rows["nothing"]), key=[EMPTY].count)  # another reason says more
        return words[0]
    return None


def in_two_rows(upper: list, lower: list) -> list:
    """Legend entries in an order in which each list has a row of its own, in so many columns as the
    longer one has: a legend fills its columns first.  What the lower one lacks it lacks before its
    last entry, which is the widest: in the last column it moves none of the upper ones."""
    blank = Line2D([], [], linestyle="none", label=" ")
    lower = [*lower[:-1], *[blank] * (len(upper) - len(lower)), *lower[-1:]]
    return [entry for pair in zip_longest(upper, lower, fillvalue=blank) for entry in pair]


def legend_above(figure: Figure, handles: list, ncols: int | None = None, **options: Any) -> None:
    """A legend above the axes, in as few rows as the width of the figure allows.

    Args:
        ncols: the number of columns to try first; where it is too wide, the entries that only
            fill a place are left out.
    """
    named = [handle for handle in handles if handle.get_label().strip()]
    tries = [(handles, ncols)] if ncols else []
    tries += [(named, columns) for columns in range(len(named), 0, -1)]
    for entries, columns in tries:
        legend = figure.legend(
            handles=entries, loc="outside upper center", ncols=columns, **options
        )
        if legend.get_window_extent().width <= figure.bbox.width:
            return
        if columns > 1:
            legend.remove()
    # one column is too wide: in several lines, on what is left of the width beside a handle
    texts = [*legend.get_texts(), legend.get_title()]
    beyond = legend.get_window_extent().width - figure.bbox.width
    widest = max(text.get_window_extent().width for text in texts)
    for text in texts:
        break_lines(text, widest - beyond, figure.canvas.get_renderer())
