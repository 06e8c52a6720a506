"""Figure tight: fitted rates, and errors over predictions, of the family with known constants."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import PAGE, alpha_axis, log_ticks
from figures.frames import Options, Tables, curves_of, groups, stacked, varying, where
from figures.marks import (
    DASHED,
    GREY,
    NO_LINE,
    colors_of,
    draw_curve,
    draw_diagonal,
    legend_above,
    looks,
    nothing_of,
    say_empty,
)
from figures.words import ALPHA, NOT_KNOWN, equation, fit_words, named
from implicit_l1.status import CERTIFIED

WINDOW = ["window_smallest", "window_largest"]


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The ratios of each cell along alpha, and above them the fitted rates of its instances."""
    axes = varying(tables.of("curves"), "family_rho", but=["depth"])
    instances = tables.of("instances")
    curves = curves_of(tables, axes, ["error_over_prediction"]).drop(columns="predicted_rate")
    rates = where(instances, status=CERTIFIED).dropna(subset="fitted_rate")
    heads = [*axes, "depth", "repetition", "quantity"]
    rates = rates.assign(quantity="fitted_rate").sort_values(heads)
    frame = stacked([rates, curves], [*heads, "fitted_rate", *curves.columns])
    return frame.assign(**instances[WINDOW].iloc[0])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """Rates on the left, a panel of ratios a depth on the right; colours are members."""
    depths = sorted(frame["depth"].unique())
    axes = varying(frame, "family_rho", but=["depth"])
    frame = frame.assign(member=frame.groupby(axes, dropna=False).ngroup())
    # the colours that are drawn stand as far apart as they can
    shown = frame.loc[frame["nothing"].isna(), "member"].unique()
    colors = dict.fromkeys(sorted(frame["member"].unique()), GREY) | colors_of(looks(sorted(shown)))
    figure = plt.figure(figsize=(PAGE, max(3.7, 0.7 + len(depths))))
    grid = figure.add_gridspec(len(depths), 2, width_ratios=[1, 1.2])
    _draw_rates(figure.add_subplot(grid[:, 0]), frame, depths, colors)
    panels = [figure.add_subplot(grid[row, 1]) for row in range(len(depths))]
    for D, ax in zip(depths, panels, strict=True):
        here = where(frame, depth=D)
        ax.set(yscale="log", title=equation("depth", D))
        for member, color in colors.items():
            rows = where(here, member=member, quantity="error_over_prediction")
            draw_curve(ax, 10.0 ** rows["log10_alpha"], rows, {"color": color, "marker": ""})
        if nothing_of(here):
            say_empty(ax, nothing_of(here))
        ax.axhline(1, color="black", zorder=0.8, **DASHED)
        alpha_axis(ax, frame["log10_alpha"])
        log_ticks(ax.yaxis)
        ax.tick_params(labelbottom=ax is panels[-1])
        ax.set_ylabel("error /\nprediction")
    figure.align_ylabels(panels)
    panels[-1].set_xlabel(ALPHA)

    handles = []
    for (values, rows), color in zip(groups(frame, axes), colors.values(), strict=True):
        nothing = nothing_of(rows)
        words = f"{named(values)} ({nothing})" if nothing else named(values)
        look = NO_LINE if nothing else {"color": color, "marker": ""}
        handles.append(Line2D([], [], label=words, **look))
    legend_above(figure, handles)
    return figure


def _draw_rates(ax, frame, depths, colors):
    """Fitted rates against 1 - rho; markers of several sizes, for most lie on one another."""
    rates = where(frame, quantity="fitted_rate")
    ax.set(xscale="log", yscale="log")
    handles = []
    for place, (D, marker) in enumerate(zip(depths, cycle("osDv^P"), strict=False)):
        look = {
            "marker": marker,
            "markersize": 3.5 + min(2, 6 / len(depths)) * place,
            "markerfacecolor": "none",
        }
        for member, color in colors.items():
            rows = where(rates, depth=D, member=member)
            ax.plot(1 - rows["family_rho"], rows["fitted_rate"], ls="", color=color, **look)
        if D in set(rates["depth"]):
            handles.append(Line2D([], [], color=GREY, ls="", label=equation("depth", D), **look))
    if rates.empty:
        say_empty(ax, nothing_of(frame) or NOT_KNOWN)
    ends = np.array(ax.get_xlim())
    predictions = []
    if 2 in depths:
        draw_diagonal(ax, ends)
        predictions.append(r"$1-\varrho$ for $D=2$")
    if max(depths) > 2:
        ax.plot(ends, [1, 1], color="black", zorder=0.8, **DASHED)
        predictions.append(r"$1$ for $D>2$")
    handles.append(Line2D([], [], color="black", label=", ".join(predictions), **DASHED))
    ax.legend(handles=handles, loc="best")
    ax.set(xlim=ends, xlabel=r"$1-\varrho$", ylabel=fit_words(frame))
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
