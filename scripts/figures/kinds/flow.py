"""Figure flow: loss, error and coordinates against time, and the time that the flow takes.

A column a depth, a colour a scale.
"""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import PAGE, log_ticks, one_panel
from figures.frames import (
    Options,
    Tables,
    first_repetition,
    groups,
    measured,
    not_drawn,
    stacked,
    varying,
    where,
    without_rounding,
)
from figures.marks import (
    DASHED,
    DASHES,
    DOTS,
    GREY,
    draw_trajectories,
    in_two_rows,
    legend_above,
    looks,
    say_empty,
    write,
)
from figures.words import ALPHA, EMPTY, NO_END, equation, named
from implicit_l1.status import CERTIFIED, CONVERGED
from pipeline.words import weakest

# of the error: below its square is what is left of rounding and of Newton's method in the loss
FLOOR = 1e-6
# the columns of the entries of x, on the support and off it
ENTRIES = ["x_on", "x_off"]
# of table agreement: a time, and what it is in proportion to
TIMES = {"settled": "slow_scale", "escaped": "escape_scale"}
# times of entries that are shown, in units of the first and the last time of escape
RISE = (0.1, 30.0)
PANELS = {
    "loss": r"loss $\frac{1}{2}\Vert Ax(t)-y\Vert_2^2$",
    "error_1": r"$\Vert x(t)-g^{*}\Vert_1$",
    "entries": r"$x_i(t)$",
    "times": "times of escape, and\nuntil near the end",
}
# beside the two times in the last row, each on the side of its line on which the other is not
WORDS = {"settled": ("near the end", "bottom"), "escaped": ("escape", "top")}
GUIDE = r"last row: predicted growth as $\alpha\to 0$"


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The trajectories of one repetition of the first and of the last cell, entries of the first.

    The repetition is the first certified one, if there is any.  Where an integrator stops, and what
    it leaves of a loss, is not the same on another processor: the ends of trajectories, and losses
    below the square of FLOOR times the error, are left out.  Flows without an end are counted.
    """
    frame = tables.of("trajectories")
    flows = measured(where(tables.of("agreement"), form="dual"))
    if frame.empty:
        return pd.DataFrame({"nothing": [EMPTY if flows.empty else NO_END]})
    axes = varying(frame, "eta", but=["depth"])
    cells = groups(frame, axes)
    parts = []
    chosen = [cells[place] for place in sorted({0, len(cells) - 1})]
    for place, (values, rows) in enumerate(chosen):
        certified = where(rows, status=CERTIFIED)
        rows = _comparable(first_repetition(rows if certified.empty else certified))
        for quantity in ["loss", "error_1", *(ENTRIES if place == 0 else [])]:
            keys = ["depth", "alpha", "coordinate"]
            parts += [
                line.assign(**values, status=weakest(rows["status"].unique()))
                for _, line in groups(where(rows, quantity=quantity), keys)
            ]
    heads = ["depth", "repetition", "status", "alpha", "quantity", "coordinate"]
    parts += _times(where(flows, outcome=CONVERGED), [values for values, _ in chosen])
    result = stacked(parts, [*axes, *heads, "time", "value"])
    entries = result["quantity"].isin(ENTRIES)
    result.loc[entries, ["value"]] = without_rounding(result.loc[entries, ["value"]])
    return result.assign(cells_left_out=max(len(cells) - 2, 0), not_drawn=not_drawn(flows))


def _times(table, cells):
    """Of these cells: the times of escape and until near the end, medians, and their scales."""
    parts = []
    for values in cells:
        rows = where(table, **values)
        columns = [*TIMES, *TIMES.values()]
        medians = rows.groupby(["depth", "alpha"], as_index=False)[columns].median()
        parts += [
            medians.assign(**values, quantity=name, value=medians[name]).dropna(subset="value")
            for name in columns
        ]
    return parts


def _comparable(rows):
    """The parts of trajectories that are the same wherever they are computed."""
    keys = ["depth", "alpha", "time"]
    errors = where(rows, quantity="error_1").set_index(keys)["value"].rename("error")
    floor = (FLOOR * rows.join(errors, on=keys)["error"]) ** 2
    last = rows["time"] == rows.groupby(["depth", "alpha"])["time"].transform("max")
    return rows[~last & ((rows["quantity"] != "loss") | (rows["value"] >= floor))]


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """Rows of trajectories and of times, the first cell solid, entries off the support dashed."""
    if "nothing" in frame:
        figure, ax = one_panel(2.0)
        ax.set_axis_off()
        say_empty(ax, frame["nothing"].iloc[0])
        return figure
    scales = sorted(frame["alpha"].unique())
    depths, style = sorted(frame["depth"].unique()), looks(scales)
    cells = groups(frame, varying(frame, "eta", but=["depth"]))
    figure, grid = plt.subplots(4, len(depths), figsize=(PAGE, 7.4), sharey="row", squeeze=False)
    for D, column in zip(depths, grid.T, strict=True):
        column[0].set(title=equation("depth", D), yscale="log")
        column[1].set_yscale("log")
        for ax in column[:3]:
            ax.set_xscale("log")
        for ax in column[:2]:
            ax.sharex(grid[0, 0])
        # the first one on top
        for (_, rows), dash in reversed(list(zip(cells, ("-", DOTS), strict=False))):
            rows = where(rows, depth=D)
            for ax, quantity, linestyle in (
                (column[0], "loss", dash),
                (column[1], "error_1", dash),
                (column[2], "x_off", DASHES),
                (column[2], "x_on", dash),
            ):
                lines = where(rows, quantity=quantity)
                draw_trajectories(ax, lines, "time", style, sort=False, linestyle=linestyle)
            _draw_times(column[3], rows, dash, style)
        column[0].tick_params(labelbottom=False)
        for ax in column[1:3]:
            ax.set_xlabel("time $t$")
        rise = where(frame, depth=D, quantity="escaped")["value"]
        if len(rise):  # entries rise about then
            column[2].set_xlim(RISE[0] * rise.min(), RISE[1] * rise.max())
        column[3].set_xlabel(r"$\alpha$")
        log_ticks(column[3].xaxis)
    for ax, words in zip(grid[:, 0], PANELS.values(), strict=True):
        ax.set_ylabel(words)
    for axis in (
        *(ax.xaxis for ax in (*grid[1], *grid[2])),
        *(grid[row, 0].yaxis for row in (0, 1, 3)),
    ):
        log_ticks(axis)

    colors = [
        _entry(equation("alpha", alpha), color=look["color"]) for alpha, look in style.items()
    ]
    kinds = _kinds(cells, int(frame["cells_left_out"].iloc[0]))
    if frame["quantity"].isin(TIMES.values()).any():
        kinds.append(Line2D([], [], color="black", label=GUIDE, **DASHED))
    if frame["not_drawn"].notna().any():
        kinds.append(_entry(f"flows: {frame['not_drawn'].iloc[0]}", "none"))
    ncols = max(len(colors), len(kinds))
    legend_above(figure, in_two_rows(colors, kinds), title=ALPHA, ncols=ncols)
    return figure


def _draw_times(ax, rows, dash, style):
    """The times of a cell; of the first cell what they are in proportion to, too."""
    ax.set(xscale="log", yscale="log")
    ax.margins(y=0.15)  # room for words
    for name, scale in TIMES.items():
        times = where(rows, quantity=name).sort_values("alpha")
        ax.plot(times["alpha"], times["value"], linestyle=dash, color=GREY, marker="")
        for alpha, value in zip(times["alpha"], times["value"], strict=True):
            ax.plot(alpha, value, markerfacecolor="white", **style[alpha])
        guide = where(rows, quantity=scale).sort_values("alpha")
        if dash == "-" and len(times) and len(guide):
            # through the time at the smallest scale
            through = guide["value"] * (times["value"].iloc[0] / guide["value"].iloc[0])
            ax.plot(guide["alpha"], through, zorder=0.8, color="black", **DASHED)
        if dash == "-" and len(times):
            at = times["alpha"].iloc[0], times["value"].iloc[0]
            words, side = WORDS[name]
            write(ax, *at, words, shift=4 if side == "bottom" else -4, ha="left", va=side)


def _entry(words, linestyle="-", color=GREY):
    return Line2D([], [], color=color, linestyle=linestyle, label=words)


def _kinds(cells, left_out):
    """Legend entries of the kinds of lines."""
    least, most = (_cell_in_words(*cells[place]) for place in (0, -1))
    kinds = [
        _entry(least + r", $x_i$: $i\in S$"),
        _entry(least + r", $x_i$: $i\notin S$", DASHES),
    ]
    kinds += [_entry(most, DOTS)] if len(cells) > 1 else []
    if left_out:
        kinds.append(_entry(f"not drawn: {left_out} between these", "none"))
    return kinds


def _cell_in_words(values, rows):
    """A cell, with the status of the repetition that is shown, unless it is certified."""
    status = rows["status"].iloc[0]
    return named(values) + ("" if status == CERTIFIED else f" ({status})")
