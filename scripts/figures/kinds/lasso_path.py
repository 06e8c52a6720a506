"""Figure lasso_path: the time average of the flow and the lasso path, a colour a scale."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import log_ticks, rows_of
from figures.frames import (
    Options,
    Tables,
    first_repetition,
    groups,
    stacked,
    varying,
    where,
    without_rounding,
)
from figures.marks import DASHED, DOT, draw_trajectories, legend_above, looks
from figures.words import ALPHA, equation, named

# of the largest value: where the logarithmic axes end
DEEPEST = {"distance": 1e-5, "gap": 1e-9}
COORDINATES = ["average", "lasso"]
LINE_OF_NAMES = 0.07  # of the height of a panel


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The first repetition of each problem, the lasso path once."""
    frame = first_repetition(tables.of("lasso_paths"))
    axes = varying(frame)
    heads = ["alpha", "quantity", "coordinate"]
    frame = frame[(frame["quantity"] != "lasso") | (frame["alpha"] == frame["alpha"].min())]
    # a gap that is all rounding may be negative
    frame = frame[~frame["quantity"].isin(DEEPEST) | (frame["value"] > 0)]
    frame = stacked([frame.sort_values([*axes, *heads, "mu"])], [*axes, *heads, "mu", "value"])
    shown = frame["quantity"].isin(COORDINATES)
    frame.loc[shown, ["value"]] = without_rounding(frame.loc[shown, ["value"]])
    return frame


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A column a problem: coordinates, distance, suboptimality relative to the lasso's optimum."""
    style = looks(sorted(frame["alpha"].unique()))
    columns = groups(frame, varying(frame))
    ratios = [1.5, 1, 1]
    figure, grid = rows_of(3, len(columns), 5.8, sharex="col", sharey=False, height_ratios=ratios)
    for (values, rows), axes in zip(columns, grid.T, strict=True):
        monotone = where(rows, quantity="monotone")["value"].min() == 1
        words = rf"$x(\mu)/\mu$ {'monotone' if monotone else 'not monotone'}"
        axes[0].set_title(", ".join(filter(None, [named(values), words])))
        _draw_coordinates(axes[0], rows, style)
        for ax, (quantity, deepest) in zip(axes[1:], DEEPEST.items(), strict=True):
            draw_trajectories(ax, where(rows, quantity=quantity), "mu", style)
            ax.set_yscale("log")
            top = ax.get_ylim()[1]
            ax.set_ylim(deepest * top, top)
            log_ticks(ax.yaxis)
        for alpha, look in style.items():
            largest = where(rows, quantity="largest_distance", alpha=alpha)
            dot = {"marker": "o", "linestyle": "", "color": look["color"]}
            axes[1].plot(largest["mu"], largest["value"], **dot)
        axes[2].invert_xaxis()  # time grows with 1/mu
    grid[0, 0].set_ylabel(r"$\bar{x}_i$, $x_i(\mu)$")
    grid[1, 0].set_ylabel(r"$\Vert\bar{x}-x(\mu)\Vert_1$")
    grid[2, 0].set_ylabel("suboptimality")
    figure.supxlabel(r"$\mu$ of the lasso; the time of the flow grows to the right")
    handles = [
        Line2D([], [], color=look["color"], label=equation("alpha", alpha))
        for alpha, look in style.items()
    ] + [
        Line2D([], [], label=r"lasso $x(\mu)$", color="black", **DASHED),
        Line2D([], [], label="largest", **DOT),
    ]
    legend_above(figure, handles, title=ALPHA)
    return figure


def _draw_coordinates(ax, rows, style):
    """Coordinates of the averages for each scale, those of the lasso dashed and named.

    Coordinates that are 0 all along have no name.
    """
    ax.set_xscale("log")
    average = where(rows, quantity="average")
    draw_trajectories(ax, average, "mu", style, linewidth=0.9)
    lasso = where(rows, quantity="lasso")
    ends = {}
    for values, line in groups(lasso, ["coordinate"]):
        ax.plot(line["mu"], line["value"], color="black", zorder=3, **DASHED)
        if line["value"].any():
            ends[values["coordinate"]] = line["value"].iloc[0]
    ax.set_xlim(lasso["mu"].min(), lasso["mu"].max())
    log_ticks(ax.xaxis)
    name_curves(ax, ends)


def name_curves(ax: Axes, ends: dict[float, float]) -> None:
    """The names of coordinates to the right of a panel, at the heights at which they end.

    Where there is no room beside all of them, lines lead from the names to the ends.
    """
    height = np.ptp(ax.get_ylim())
    gap = min(LINE_OF_NAMES, 1 / max(1, len(ends)))
    places = apart(np.array(list(ends.values())), gap * height)
    led = max(map(abs, places - list(ends.values())), default=0) > gap * height / 2
    for (coordinate, end), place in zip(ends.items(), places, strict=True):
        ax.annotate(
            f"$x_{{{coordinate + 1:.0f}}}$",
            (1.0, end),
            (1.06 if led else 1.01, place),
            xycoords=ax.get_yaxis_transform(),
            annotation_clip=False,
            va="center",
            fontsize=7 * min(1.0, gap / LINE_OF_NAMES),
            arrowprops={"arrowstyle": "-", "linewidth": 0.4, "shrinkB": 0} if led else None,
        )


def apart(heights: np.ndarray, gap: float) -> np.ndarray:
    """Heights with neighbours moved away from each other where they are closer than a gap."""
    order = np.argsort(heights, kind="stable")
    result = heights[order].astype(float)
    for _ in range(20 * len(heights)):
        lack = np.maximum(gap - np.diff(result), 0.0)
        result[:-1] -= lack / 2
        result[1:] += lack / 2
    return result[np.argsort(order)]
