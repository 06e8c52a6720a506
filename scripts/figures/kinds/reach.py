"""Figure reach: the largest alpha with a population error of at most a given one, against N."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import log_ticks, panels_of
from figures.frames import STATISTICS, Options, Tables, groups, measured, stacked, varying, where
from figures.marks import (
    BAR,
    DOT,
    draw_brackets,
    legend_above,
    looks,
    nothing_of,
    say_empty,
    write,
)
from figures.words import EMPTY, counted, equation, titled
from pipeline.command_line import Failure

# stands for infinities among decimal logarithms of scales
BEYOND = 1e100
# of a row of counts under a panel, in parts of its height
COUNT_HEIGHT = 0.05
ENDS = ["smallest_log10_alpha", "largest_log10_alpha"]


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """Statistics of log10 of the largest scale that reaches the error, of each N and depth."""
    if options.reach is None:
        raise Failure("figure reach needs --reach")
    instances = tables.of("points").dropna(subset="N")  # data of one's own have no place here
    points = measured(instances).dropna(subset="estimation_error")
    if points.empty:
        return pd.DataFrame({"nothing": [EMPTY]})
    axes = varying(points, "eta", but=["N", "depth"])
    parts = [
        reached(rows, options.reach).assign(**values, instances=counted(where(instances, **values)))
        for values, rows in groups(points, axes)
    ]
    columns = ["N", "depth", "instances", *STATISTICS, "count", "inside"]
    ends = dict(zip(ENDS, points["log10_alpha"].agg(["min", "max"]), strict=True))
    frame = stacked(parts, [*axes, *columns]).assign(**ends, reach=options.reach)
    return frame.assign(nothing=None)


def largest_scale(log10_alpha: np.ndarray, error: np.ndarray, target: float) -> float:
    """log10 of the largest alpha at which an error is at most a target.

    Between the largest scale that has such an error and its upper neighbour, log error is
    taken to be linear in log alpha, which is exact for a power law.

    Args:
        log10_alpha, error: shape (m,), in any order; errors at least 0.
        target: positive.
    Returns:
        inf if the largest scale has such an error, -inf if none has.
    """
    order = np.argsort(log10_alpha)
    x, error = np.asarray(log10_alpha)[order], np.asarray(error)[order]
    below = np.flatnonzero(error <= target)
    if below.size == 0:
        return -np.inf
    last = below[-1]
    if last == len(x) - 1:
        return np.inf
    if error[last] == 0:  # no line from there
        return x[last]
    low, high = np.log(error[last : last + 2])
    return x[last] + (np.log(target) - low) / (high - low) * (x[last + 1] - x[last])


def reached(points: pd.DataFrame, target: float) -> pd.DataFrame:
    """Statistics of the largest scale for each N and depth, over the repetitions.

    Returns:
        columns N, depth, the quartiles and the median of log10 alpha (-inf and inf where they
        are beyond the path), count of repetitions, and how many have theirs inside the path.
    """
    rows = []
    for (N, depth), cell in points.groupby(["N", "depth"]):
        scales = np.array(
            [
                largest_scale(instance["log10_alpha"], instance["estimation_error"] ** 2, target)
                for _, instance in cell.groupby([*varying(cell), "repetition"], dropna=False)
            ]
        )
        # quantiles cannot interpolate infinities
        quartiles = np.quantile(np.clip(scales, -BEYOND, BEYOND), [0.25, 0.5, 0.75])
        quartiles = np.where(np.abs(quartiles) > 0.1 * BEYOND, np.inf * quartiles, quartiles)
        inside = np.isfinite(scales).sum()
        rows.append((N, depth, *quartiles, len(scales), inside))
    return pd.DataFrame(rows, columns=["N", "depth", *STATISTICS, "count", "inside"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A panel a noise level; open markers and arrows where a scale is beyond the path."""
    if nothing_of(frame):
        figure, (ax,) = panels_of(1, 2.9)
        say_empty(ax, nothing_of(frame))
        return figure
    panels = groups(frame, varying(frame, "eta", but=["N", "depth"]))
    style = looks(sorted(frame["depth"].unique()))
    ends = frame[ENDS].iloc[0]
    figure, grid = panels_of(len(panels), 2.9)
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set(yscale="log", title=titled(values, rows["instances"].iloc[0]))
        ax.set_ylim(_limits(rows, ends, len(style)))
        numbers = np.sort(rows["N"].unique())
        ax.set_xticks(numbers, [f"{number:g}" for number in numbers])
        gap = np.diff(numbers).min() if len(numbers) > 1 else 1.0
        ax.set_xlim(numbers[0] - 0.6 * gap, numbers[-1] + 0.6 * gap)
        for place, (D, look) in enumerate(style.items()):
            shift = 0.2 * gap * (place - (len(style) - 1) / 2)
            cell = where(rows, depth=D).sort_values("N")
            _draw_reached(ax, cell["N"] + shift, cell, ends, look)
            height = 0.02 + COUNT_HEIGHT * (len(style) - 1 - place)
            for _, row in cell[cell["inside"] < cell["count"]].iterrows():
                words = f"{row['inside']:.0f}/{row['count']:.0f}"
                text = {"color": look["color"], "ha": "center", "fontsize": 6}
                write(ax, row["N"], height, words, ("data", "axes fraction"), **text)
        log_ticks(ax.yaxis)
    figure.supxlabel("$N$ (depths side by side)" if len(style) > 1 else "$N$")
    target = rf"\Vert x^{{\infty}}(\alpha)-x_0\Vert_2^2\leq {frame['reach'].iloc[0]:g}"
    figure.supylabel(rf"largest $\alpha$ with ${target}$")
    handles = [
        *(Line2D([], [], label=equation("depth", D), **look) for D, look in style.items()),
        Line2D([], [], label="median", **DOT),
        Line2D([], [], label="quartiles", **BAR),
    ]
    if np.isinf(frame["median"]).any():
        words = r"beyond the path of $\alpha$"
        handles.append(Line2D([], [], label=words, markerfacecolor="white", **DOT))
    legend_above(figure, handles)
    return figure


def _limits(summary, ends, depths):
    """Limits of the axis of alpha, with room for arrows and for the rows of counts."""
    values = summary[STATISTICS].to_numpy(dtype=float).ravel()
    shown = np.clip(values, *ends)
    low, high = shown.min(), shown.max()
    size = max(high - low, 1.0)
    rows = depths if (summary["inside"] < summary["count"]).any() else 0
    below = COUNT_HEIGHT * rows + (0.16 if np.isneginf(values).any() else 0.05)
    above = 0.14 if np.isposinf(values).any() else 0.05
    size /= 1.0 - below - above
    return 10.0 ** (low - below * size), 10.0 ** (high + above * size)


def _draw_reached(ax, x, cell, ends, look):
    """Medians and quartiles of one depth; an open marker with an arrow where one is beyond."""
    lower, median, upper = (10.0 ** cell[name].clip(*ends) for name in STATISTICS)
    draw_brackets(ax, x, lower, upper, look["color"])
    known = np.isfinite(cell["median"])
    ax.plot(x, median.where(known), **look | {"markersize": 4.0})
    marker = look | {"linestyle": "", "markersize": 4.0, "markerfacecolor": "white"}
    ax.plot(x[~known], median[~known], **marker)
    for place, height, value in zip(x, median, cell["median"], strict=True):
        if not np.isfinite(value):
            arrow = {"arrowstyle": "<-", "color": look["color"], "linewidth": 0.8, "shrinkB": 3}
            shift = (0, 14 if value > 0 else -14)
            ax.annotate("", (place, height), shift, textcoords="offset points", arrowprops=arrow)
