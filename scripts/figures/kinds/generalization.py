"""Figure generalization: the distance to the planted signal against alpha, a curve a depth.

Of data of one's own, of which x_0 is not known: the error on rows that are held out.
"""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.axes import alpha_axis, log_ticks, panels_of
from figures.baselines import (
    ERROR,
    HELD_OUT,
    draw_baselines,
    draw_unnamed_baselines,
    error_shown,
    lines_of_baselines,
    with_baselines,
    without_distances,
)
from figures.frames import Options, Tables, curves_of, groups, varying, where
from figures.marks import draw_curve, legend_above, lines_of, looks, nothing_of, say_empty
from figures.words import ALPHA, titled

SHADE = "0.93"
LABELS = {
    ERROR: r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2$",
    HELD_OUT: "error on held-out rows",
}


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The errors of each cell, and of the interpolators that do not depend on alpha."""
    curves = tables.of("curves")
    axes, error = varying(curves, "eta", but=["depth"]), error_shown(curves)
    frame = curves_of(tables, axes, [error], without_distances)
    return with_baselines(frame, tables, error)


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A panel a noise level; the range of realistic scales is shaded."""
    panels = groups(frame, varying(frame, "eta", but=["depth"]))
    style, error = looks(sorted(frame["depth"].unique())), error_shown(frame)
    figure, grid = panels_of(len(panels), 1.95)
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set(yscale="log", title=titled(values, rows["instances"].iloc[0]))
        ax.margins(y=0.15)
        for place, (D, look) in enumerate(style.items()):
            line = where(rows, depth=D, quantity=error)
            draw_curve(ax, 10.0 ** line["log10_alpha"], line, look, place / len(style))
        alpha_axis(ax, frame["log10_alpha"])
        ax.axvspan(*options.realistic_alpha, color=SHADE, linewidth=0, zorder=0)
        if nothing_of(rows):
            say_empty(ax, nothing_of(rows))
        else:
            if error == HELD_OUT:
                draw_unnamed_baselines(ax, rows)
            else:
                draw_baselines(ax, rows)
            log_ticks(ax.yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel(LABELS[error])
    patch = Patch(color=SHADE, label=r"realistic $\alpha$ (our choice)")
    lines = lines_of_baselines() if error == HELD_OUT else []
    legend_above(figure, [*lines_of(style, "depth"), *lines, patch])
    return figure
