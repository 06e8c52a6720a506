"""Figure norms: population error, and excess l1 and l2 norms, against alpha, a curve a depth."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import alpha_axis, log_ticks, rows_of
from figures.baselines import ERROR, SQUARED, draw_baselines, squared, with_baselines
from figures.frames import Options, Tables, curves_of, groups, varying, where
from figures.marks import (
    DOTS,
    GREY,
    draw_curve,
    legend_above,
    lines_of,
    looks,
    nothing_of,
    say_empty,
)
from figures.words import ALPHA, NO_SIGNAL, titled

# below it excess norms are off the axis: they are rounding, or where nothing is to be seen
SMALLEST_EXCESS = 1e-6
EXCESS = {"excess_l1": r"excess $\ell^1$ norm", "excess_l2": r"excess $\ell^2$ norm"}


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The squared distances to the planted signal, and the excess norms, of each cell."""
    axes = varying(tables.of("curves"), "eta", but=["depth"])
    frame = curves_of(tables, axes, [ERROR, *EXCESS])
    return squared(with_baselines(frame, tables))


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A column a noise level; the l2 excess has a dotted line."""
    panels = groups(frame, varying(frame, "eta", but=["depth"]))
    style = looks(sorted(frame["depth"].unique()))
    figure, grid = rows_of(2, len(panels), 4.9)
    for (values, rows), column in zip(panels, grid.T, strict=True):
        top, bottom = column
        top.set(yscale="log", title=titled(values, rows["instances"].dropna().iloc[0]))
        bottom.set_yscale("log")
        top.margins(y=0.12)
        for place, (D, look) in enumerate(style.items()):
            dotted = look | {"linestyle": DOTS, "marker": ""}
            for ax, quantity, shown in (
                (top, SQUARED + ERROR, look),
                (bottom, "excess_l1", look),
                (bottom, "excess_l2", dotted),
            ):
                line = where(rows, depth=D, quantity=quantity)
                draw_curve(ax, 10.0 ** line["log10_alpha"], line, shown, place / len(style))
        for ax in column:
            alpha_axis(ax, frame["log10_alpha"])
            if nothing_of(rows):
                say_empty(ax, nothing_of(rows))
        if top.lines:
            draw_baselines(top, rows, prefix=SQUARED)
        elif not nothing_of(rows):  # data of one's own
            say_empty(top, NO_SIGNAL)
    excess = frame[frame["quantity"].isin(EXCESS)]["upper_quartile"]
    if excess.max() > SMALLEST_EXCESS:  # not of nan
        low = max(grid[1, 0].get_ylim()[0], SMALLEST_EXCESS)
        grid[1, 0].set_ylim(low, 3.0 * excess.max())
    for ax in grid[:, 0]:
        log_ticks(ax.yaxis)
    grid[0, 0].set_ylabel(r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2^2$")
    grid[1, 0].set_ylabel("excess norm")
    figure.supxlabel(ALPHA)
    kinds = [
        Line2D([], [], color=GREY, label=EXCESS["excess_l1"]),
        Line2D([], [], color=GREY, linestyle=DOTS, label=EXCESS["excess_l2"]),
    ]
    legend_above(figure, [*lines_of(style, "depth"), *kinds])
    return figure
