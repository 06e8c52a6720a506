"""Figure bounds: the error off the support between its bounds."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from figures.axes import COLUMN, PAGE, exponent_ticks
from figures.frames import Options, Tables, first_repetition, groups, stacked, varying, where
from figures.marks import DASHED, legend_above, nothing_of, say_empty, write
from figures.words import ALPHA, EMPTY, ERROR_OFF, NO_ERROR, named, number
from implicit_l1.status import CERTIFIED

MEASURED = {"color": "black", "linewidth": 0.9, "marker": ""}
BANDS = {"error_off": "#ebe4f3", "refined_off": "#bfabda"}
SIDES = [f"log10_{band}_{side}" for band in BANDS for side in ("lower", "upper")]
CLASSICAL = "log10_classical_upper"


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """Of each panel's cell the first certified repetition, decimal logarithms."""
    bounds = tables.of("bounds")
    axes = varying(bounds, "eta", but=["depth"])
    columns = ["repetition", "log10_alpha", "log10_error_off", *SIDES, CLASSICAL]
    shown = [name for name in columns if name in bounds]
    parts = []
    for values, cell in groups(bounds, axes):
        rows = first_repetition(where(cell, status=CERTIFIED))
        if np.isfinite(rows["log10_error_off"]).any():
            rows = rows.sort_values(["depth", "log10_alpha"])[["depth", *shown]]
        else:
            nothing = EMPTY if rows.empty else NO_ERROR
            rows = cell[["depth"]].drop_duplicates().assign(nothing=nothing)
        parts.append(rows.assign(**values))
    return stacked(parts, [*axes, "depth", *shown, "nothing"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A row a noise level, a column a depth."""
    cells = groups(frame, varying(frame, "eta", but=["depth"]))
    depths = sorted(frame["depth"].unique())
    figure, grid = plt.subplots(
        len(cells),
        len(depths),
        figsize=(
            PAGE * max(1, len(depths) / 4) if len(depths) > 1 else COLUMN,
            0.8 + 1.9 * len(cells),
        ),
        sharex=True,
        sharey="row",
        squeeze=False,
    )
    low, high = frame["log10_alpha"].min(), frame["log10_alpha"].max()
    if low < high:
        grid[0, 0].set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))
        exponent_ticks(grid[0, 0].xaxis)
    for (values, rows), line in zip(cells, grid, strict=True):
        for D, ax in zip(depths, line, strict=True):
            ax.set_title(named({"depth": D} | values))
        if nothing_of(rows):
            for ax in line:
                say_empty(ax, nothing_of(rows))
            continue
        line[0].set_ylim(_limits(rows))
        for D, ax in zip(depths, line, strict=True):
            _draw_bounds(ax, where(rows, depth=D))
        exponent_ticks(line[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel(ERROR_OFF)
    handles = [
        Line2D([], [], label="measured", **MEASURED),
        Patch(color=BANDS["refined_off"], label="between the refined bounds"),
        Patch(color=BANDS["error_off"], label=r"between the bounds by $\varrho_\alpha$"),
    ]
    if CLASSICAL in frame and frame[CLASSICAL].notna().any():
        words = r"upper bound by $\kappa$ and $\tilde\varrho$, $D=2$"
        handles.append(Line2D([], [], label=words, color="black", **DASHED))
    legend_above(figure, handles)
    return figure


def _limits(rows):
    """Decimal logarithms between which errors are drawn, and as much of the bounds as fits."""
    error = rows["log10_error_off"].replace(-np.inf, np.nan)
    outer = rows.reindex(columns=["log10_error_off_upper", CLASSICAL]).stack()
    upper = outer[outer < error.max() + 3.0].max()
    lower = rows["log10_error_off_lower"]
    lower = lower[lower > error.min() - 4.0].min()
    return np.nanmin([lower, error.min()]) - 0.5, np.nanmax([upper, error.max() + 2.5]) + 0.5


def _at_scales(log10_alpha, chosen):
    """At which scales something is so, in words; nothing where it is at all of them."""
    if chosen.all():
        return []
    some, others = log10_alpha[chosen], log10_alpha[~chosen]
    if some.min() > others.max():
        return [rf"at $\alpha\geq {number(10.0 ** some.min())}$"]
    if some.max() < others.min():
        return [rf"at $\alpha\leq {number(10.0 ** some.max())}$"]
    return [rf"at {len(some)} of {len(log10_alpha)} $\alpha$"]


def _draw_bounds(ax, rows):
    """One instance at one depth; where a bound is outside the axis or says nothing, words."""
    low, high = ax.get_ylim()
    x = rows["log10_alpha"]
    for band, color in BANDS.items():
        lower, upper = (rows[f"log10_{band}_{side}"].clip(low, high) for side in ("lower", "upper"))
        # a line beside the area, or an area of no width would not be seen
        ax.fill_between(x, lower, upper, color=color, linewidth=0.8)
    ax.plot(x, rows["log10_error_off"], **MEASURED)
    outer = rows["log10_error_off_upper"]
    words = []
    if np.isposinf(outer).any():
        words += ["no upper bound", *_at_scales(x, np.isposinf(outer))]
    elif outer.max() > high:
        words.append(f"upper bound up to $10^{{{outer.max():.0f}}}$")
    if CLASSICAL in rows and rows[CLASSICAL].notna().any():
        classical = rows[CLASSICAL]
        ax.plot(x, classical.where(classical <= high), color="black", **DASHED)
        if classical.max() > high:
            words.append(f"dashed up to $10^{{{classical.max():.0f}}}$")
    if words:  # above where the bound is outside
        middle = ax.transLimits.transform((x[outer > high].median(), low))[0]
        place = np.clip(np.nan_to_num(middle, nan=0.5), 0.3, 0.7)
        write(ax, place, 0.98, "\n".join(words), "axes fraction", ha="center", va="top")
