"""Figure descent: what a finite step does, the distance to the flow's limit against alpha."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import alpha_axis, log_ticks, panels_of
from figures.frames import Options, Tables, groups, stacked, varying, where
from figures.marks import DOT, GREY, colors_of, legend_above, looks, nothing_of, say_empty
from figures.words import ALPHA, EMPTY, ERROR, counted, equation, titled
from implicit_l1.status import CERTIFIED, CONVERGED

DISTANCE = rf"distance from $x^{{\infty}}(\alpha)$ / {ERROR}"
LOST = {"linestyle": "", "marker": "x"}


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The distances of every run of a certified repetition."""
    frame = tables.of("descent")
    axes = varying(frame, "depth")
    heads = ["fraction", "repetition", "alpha"]
    columns = ["outcome", "relative_distance", "relative_step_distance"]
    parts = []
    for values, panel in groups(frame, axes):
        rows = where(panel, status=CERTIFIED).sort_values(heads)
        if rows.empty:
            rows = panel[["fraction", "alpha"]].drop_duplicates().assign(nothing=EMPTY)
        parts.append(rows.assign(**values, instances=counted(panel, kinds=[CERTIFIED])))
    return stacked(parts, [*axes, "instances", *heads, *columns, "nothing"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A panel a depth; lines are what the flow makes of the end of each run, which are markers."""
    panels = groups(frame, varying(frame, "depth"))
    style = looks(sorted(frame["fraction"].unique()))
    figure, grid = panels_of(len(panels), 2.2)
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set(yscale="log", title=titled(values, rows["instances"].iloc[0]))
        alpha_axis(ax, np.log10(frame["alpha"]))
        if ax is not grid[0]:
            ax.sharey(grid[0])
        if nothing_of(rows):
            say_empty(ax, nothing_of(rows))
            continue
        sns.lineplot(
            rows,
            x="alpha",
            y="relative_step_distance",
            hue="fraction",
            palette=colors_of(style),
            units="repetition",
            estimator=None,
            marker="",
            legend=False,
            ax=ax,
        )
        for fraction, look in style.items():
            _draw_ends(ax, where(rows, fraction=fraction), look)
        ax.set(xlabel="", ylabel="")
    log_ticks(grid[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel(DISTANCE)
    handles = [
        Line2D([], [], label=equation("fraction", fraction), **look)
        for fraction, look in style.items()
    ]
    ended = frame["outcome"] == CONVERGED
    if ended.any():
        handles.append(Line2D([], [], label="converged", **DOT))
    if (np.isfinite(frame["relative_distance"]) & ~ended).any():
        handles.append(Line2D([], [], label="not converged", markerfacecolor="white", **DOT))
    handles.append(Line2D([], [], color=GREY, label="continued by the flow"))
    if _lost(frame).any():
        handles.append(Line2D([], [], color=GREY, label="diverged", **LOST))
    legend_above(figure, handles)
    return figure


def _draw_ends(ax, rows, look):
    """The ends of runs of one step, open where they have not converged; what diverged, above."""
    ended = rows["outcome"] == CONVERGED
    for part, fill in ((rows[ended], look["color"]), (rows[~ended], "white")):
        dots = look | {"linestyle": "", "markerfacecolor": fill}
        ax.plot(part["alpha"], part["relative_distance"], **dots)
    lost = rows[_lost(rows)]
    if len(lost):
        above = {"transform": ax.get_xaxis_transform()}
        ax.plot(lost["alpha"], np.full(len(lost), 0.97), **above | look | LOST)


def _lost(rows):
    """Which runs have no distance at their end."""
    return rows["nothing"].isna() & ~np.isfinite(rows["relative_distance"])
