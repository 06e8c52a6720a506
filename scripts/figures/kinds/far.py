"""Figure far: the local slope of the error however small alpha, a curve a depth."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import far_axis, log_ticks, panels_of
from figures.frames import Options, Tables, curves_of, groups, measured, varying, where
from figures.marks import (
    DASHED,
    GREY,
    draw_curve,
    legend_above,
    lines_of,
    looks,
    nothing_of,
    say_empty,
    write_beside,
)
from figures.words import ALPHA, rate_words, titled

ONSET = {"color": GREY, "marker": "o", "linestyle": "", "markeredgecolor": "none"}


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The slopes below alpha = 1, and the median onset of the cells in which all reach it."""
    axes = varying(tables.of("curves"), "eta", but=["depth"])
    frame = curves_of(tables, axes, ["slope"])
    frame = frame[~(frame["log10_alpha"] >= 0)]
    instances = measured(tables.of("instances"))
    onsets = [
        where(instances, **dict(row))["onset_log10_alpha"].median(skipna=False)
        for row in frame[[*axes, "depth"]].to_dict("records")
    ]
    frame.insert(frame.columns.get_loc("quantity"), "onset_log10_alpha", onsets)
    return frame


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A panel a noise level; dashed are predicted rates, at the bottom stand onsets."""
    panels = groups(frame, varying(frame, "eta", but=["depth"]))
    style = looks(sorted(frame["depth"].unique()))
    # a rate near 0 is seen on a logarithmic axis only
    small = frame["predicted_rate"].min() < 0.1
    scale = "log" if small and (frame["median"].dropna() > 0).all() else "linear"
    figure, grid = panels_of(len(panels), 2.2)
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set_title(titled(values, rows["instances"].iloc[0]))
        ax.set_yscale(scale)
        if ax is not grid[0]:
            ax.sharey(grid[0])
        if frame["log10_alpha"].notna().any():
            far_axis(ax, -frame["log10_alpha"])
        if nothing_of(rows):
            say_empty(ax, nothing_of(rows))
            continue
        for place, (D, look) in enumerate(style.items()):
            line = where(rows, depth=D).dropna(subset="median")
            draw_curve(ax, -line["log10_alpha"], line, look, place / len(style))
            # at a height in parts of the axes
            height = 0.03 + 0.035 * (len(style) - 1 - place)
            for onset in line["onset_log10_alpha"].dropna().unique():
                above = {"transform": ax.get_xaxis_transform(), "linestyle": ""}
                ax.plot(-onset, height, **ONSET | look | above)
        rates = rows.dropna(subset="predicted_rate").sort_values("depth")
        for _, row in rates.iterrows():
            rate = row["predicted_rate"]
            words = rate_words(row) if row["depth"] == 2 else f"{rate:.3g}"
            if words not in {line.get_label() for line in ax.lines}:
                ax.axhline(rate, color="black", zorder=2.5, label=words, **DASHED)
                write_beside(ax, rate, words)
    if scale == "log":
        log_ticks(grid[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel("local slope of the error")
    handles = lines_of(style, "depth")
    if frame["onset_log10_alpha"].notna().any():
        handles.append(Line2D([], [], label="onset", **ONSET))
    legend_above(figure, handles)
    return figure
