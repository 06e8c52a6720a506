"""Figure approach: how near the sparsity of 50 % success is to the weak threshold, against d."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from figures.axes import one_panel
from figures.frames import Options, Tables, groups
from figures.marks import DASHED, legend_above, looks, say_empty
from pipeline.half_points import half_points

VALUES = ("half", "half_lower", "half_upper")
DISTANCES = ("distance", "lower", "upper")
DIFFERENCE = "$s/N$ at 50 % recovery\n$-$ $s/N$ at the weak threshold"


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The sparsity of 50 % success of each law of A and each d, less the weak threshold."""
    frame = half_points(tables.of("phase"))
    distances = {
        name: frame[value] - frame["threshold"]
        for name, value in zip(DISTANCES, VALUES, strict=True)
    }
    return frame.assign(**distances).sort_values(["ensemble", "d"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """Intervals against d, and 0."""
    figure, ax = one_panel(2.3)
    lines = groups(frame, ["ensemble"])
    handles = []
    for (values, rows), look in zip(lines, looks(range(len(lines))).values(), strict=True):
        beyond = [rows["distance"] - rows["lower"], rows["upper"] - rows["distance"]]
        known = rows["distance"].notna()
        sizes = [side[known] for side in beyond]
        style = {"markerfacecolor": "white", "elinewidth": 0.8, "label": values["ensemble"]} | look
        handles.append(ax.errorbar(rows["d"][known], rows["distance"][known], sizes, **style))
    if frame["distance"].isna().all():
        say_empty(ax, "50 % is not within the grid")
    ax.axhline(0.0, color="black", zorder=0.8, **DASHED)
    ax.set(xscale="log", xlabel="$d$", ylabel=DIFFERENCE)
    columns = sorted(frame["d"].unique())
    ax.xaxis.set_major_locator(FixedLocator(columns))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xticks(columns, [f"{d:g}" for d in columns])
    if len(lines) > 1:
        legend_above(figure, handles)
    return figure
