"""Figure prediction: fitted against predicted rates, a point an instance."""

from itertools import cycle

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import log_ticks, panels_of
from figures.frames import Options, Tables, groups, measured, stacked, varying
from figures.marks import colors_of, draw_diagonal, legend_above, looks, nothing_of, say_empty
from figures.words import EMPTY, NOT_KNOWN, equation, fit_words, named, slope_words
from implicit_l1.status import SELECTED
from pipeline.words import in_numbers

RATES = ["predicted_rate", "fitted_rate"]
WINDOW = ["window_smallest", "window_largest"]


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The instances with both rates; how many there are of which status, in words."""
    instances = tables.of("instances")
    axes = varying(instances, "eta", but=["s", "ensemble"])
    columns = ["ensemble", "s", "depth", "repetition", *RATES, *WINDOW]
    parts = []
    for values, panel in groups(instances, axes):
        shown = measured(panel).dropna(subset=RATES)
        words = in_numbers(panel["status"], noun="instances")
        missing = len(measured(panel)) - len(shown)
        words += f", {missing} without a rate" if missing else ""
        rows = shown[columns].assign(selected=(shown["status"] == SELECTED).map({True: 1}))
        if shown.empty:
            rows = panel[["ensemble", "s", "depth", *WINDOW]].drop_duplicates()
            rows = rows.assign(nothing=NOT_KNOWN if missing else EMPTY)
        parts.append(rows.assign(**values, instances=words))
    return stacked(parts, [*axes, *columns[:4], "instances", *columns[4:], "selected", "nothing"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A panel a noise level; colours are values of s, symbols ensembles."""
    panels = groups(frame, varying(frame, "eta", but=["s", "ensemble"]))
    # problems of one's own have no s
    hue = "s" if frame["s"].notna().any() else "ensemble"
    colors = colors_of(looks(sorted(frame[hue].dropna().unique())))
    markers = dict(zip(sorted(frame["ensemble"].unique()), cycle("oDs^vPX*"), strict=False))
    figure, grid = panels_of(len(panels), 2.8)
    for (values, rows), ax in zip(panels, grid, strict=True):
        words = f"({rows['instances'].iloc[0]})"
        ax.set_title("  ".join(filter(None, [named(values), words])))
        if nothing_of(rows):
            say_empty(ax, nothing_of(rows))
        else:
            sns.scatterplot(
                rows,
                x="predicted_rate",
                y="fitted_rate",
                hue=hue,
                style="ensemble",
                palette=colors,
                markers=markers,
                s=15,
                alpha=0.85,
                linewidth=0.3,
                legend=False,
                ax=ax,
            )
            _fit_diagonal(ax, rows[RATES].to_numpy())
        ax.set(xlabel=f"predicted rate {slope_words(rows)}".strip(), ylabel=fit_words(frame))
    dots = {"linestyle": "", "markersize": 4, "markeredgecolor": "none"}
    handles = [
        Line2D([], [], color=color, marker="o", label=equation("s", s), **dots)
        for s, color in colors.items()
        if hue == "s"
    ] + [
        Line2D([], [], color=colors.get(ensemble, "0.4"), marker=marker, label=ensemble, **dots)
        for ensemble, marker in markers.items()
    ]
    legend_above(figure, handles)
    return figure


def _fit_diagonal(ax, points):
    """The line y = x over the points; on logarithmic axes if they span more than a decade."""
    low, high = points.min(), points.max()
    logarithmic = low > 0 and high > 10 * low
    if logarithmic:
        ends = low / 1.5, high * 1.5
        ax.set(xscale="log", yscale="log")
    else:
        margin = 0.06 * (high - low) or 0.1
        ends = low - margin, high + margin
    draw_diagonal(ax, ends)
    ax.set(xlim=ends, ylim=ends)
    if logarithmic:
        log_ticks(ax.xaxis)
        log_ticks(ax.yaxis)
