"""Figure tightness: bounds over errors in the family with a one-dimensional kernel."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import COLUMN, PAGE, exponent_ticks, far_axis
from figures.frames import Options, Tables, groups, stacked, varying, where, without_rounding
from figures.marks import (
    DASHES,
    DOTS,
    GREY,
    in_two_rows,
    legend_above,
    lines_of,
    looks,
    nothing_of,
    say_empty,
)
from figures.words import ALPHA, EMPTY, named
from implicit_l1.status import CERTIFIED

UPPER = "log10_upper_over_error_off"
LOWER = {
    "log10_error_over_lower_off": (DOTS, "error / lower bound"),
    "log10_error_over_refined_lower_off": (DASHES, "error / refined lower bound"),
}


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The quotients below alpha = 1 of each certified member, decimal logarithms."""
    bounds = tables.of("bounds")
    axes = varying(bounds, "m", but=["depth", "family_rho"])
    quotients = [UPPER, *LOWER]
    parts = []
    for _, panels in groups(bounds[bounds["log10_alpha"] < 0], axes):
        numbers = without_rounding(where(panels, status=CERTIFIED)[quotients])
        for values, rows in groups(panels, [*axes, "depth", "family_rho"]):
            shown = rows[["log10_alpha"]].join(numbers, how="inner").sort_values("log10_alpha")
            if shown.empty:
                shown = pd.DataFrame({"nothing": [EMPTY]})
            parts.append(shown.assign(**values))
    heads = [*axes, "depth", "family_rho", "log10_alpha"]
    return stacked(parts, [*heads, *quotients, "nothing"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A row an m, a column a depth, a colour a member of the family."""
    cells = groups(frame, varying(frame, "m", but=["depth", "family_rho"]))
    depths = sorted(frame["depth"].unique())
    style = looks(sorted(frame["family_rho"].unique()))
    figure, grid = plt.subplots(
        len(cells),
        len(depths),
        figsize=(PAGE if len(depths) > 1 else COLUMN, 0.9 + 1.6 * len(cells)),
        sharex=True,
        sharey="row",
        squeeze=False,
    )
    for (values, cell), line in zip(cells, grid, strict=True):
        for D, ax in zip(depths, line, strict=True):
            ax.set_title(named({"depth": D} | values))
            if nothing_of(where(cell, depth=D)):
                say_empty(ax, nothing_of(where(cell, depth=D)))
                continue
            far_axis(ax, -frame["log10_alpha"])
            for family_rho, look in style.items():
                rows = where(cell, depth=D, family_rho=family_rho).dropna(subset="log10_alpha")
                decades = -rows["log10_alpha"]
                ax.plot(decades, rows[UPPER], markerfacecolor="white", **look)
                for column, (dashes, _) in LOWER.items():
                    ax.plot(decades, rows[column], **_grey(dashes))
        exponent_ticks(line[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel("quotient")
    members = lines_of(style, "family_rho")
    upper = {"color": GREY, "marker": "o", "markerfacecolor": "white"}
    kinds = [Line2D([], [], label="upper bound / error", **upper)]
    kinds += [Line2D([], [], label=words, **_grey(dashes)) for dashes, words in LOWER.values()]
    legend_above(figure, in_two_rows(members, kinds), ncols=max(len(members), len(kinds)))
    return figure


def _grey(dashes):
    return {"color": GREY, "linestyle": dashes, "linewidth": 0.9, "marker": ""}
