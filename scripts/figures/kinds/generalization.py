"""Figure generalization: the distance to the planted signal against alpha, a curve a depth."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from figures.axes import alpha_axis, log_ticks, panels_of
from figures.baselines import draw_baselines, with_baselines, without_distances
from figures.frames import Options, Tables, curves_of, groups, varying, where
from figures.marks import draw_curve, legend_above, lines_of, looks, nothing_of, say_empty
from figures.words import ALPHA, titled

SHADE = "0.93"


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The distances of each cell, and of the interpolators that do not depend on alpha."""
    axes = varying(tables.of("curves"), "eta", but=["depth"])
    frame = curves_of(tables, axes, ["estimation_error"], without_distances)
    return with_baselines(frame, tables)


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A panel a noise level; the range of realistic scales is shaded."""
    panels = groups(frame, varying(frame, "eta", but=["depth"]))
    style = looks(sorted(frame["depth"].unique()))
    figure, grid = panels_of(len(panels), 1.95)
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set(yscale="log", title=titled(values, rows["instances"].iloc[0]))
        ax.margins(y=0.15)
        for place, (D, look) in enumerate(style.items()):
            line = where(rows, depth=D, quantity="estimation_error")
            draw_curve(ax, 10.0 ** line["log10_alpha"], line, look, place / len(style))
        alpha_axis(ax, frame["log10_alpha"])
        ax.axvspan(*options.realistic_alpha, color=SHADE, linewidth=0, zorder=0)
        if nothing_of(rows):
            say_empty(ax, nothing_of(rows))
        else:
            draw_baselines(ax, rows)
            log_ticks(ax.yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel(r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2$")
    patch = Patch(color=SHADE, label=r"realistic $\alpha$ (our choice)")
    legend_above(figure, [*lines_of(style, "depth"), patch])
    return figure
