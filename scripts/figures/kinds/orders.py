"""Figure orders: the null space constant of order s against s/N, and rho~ against rho."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import PAGE, log_ticks
from figures.frames import Options, Tables, stacked, where
from figures.marks import (
    ARROW,
    BAR,
    DASHED,
    draw_brackets,
    draw_diagonal,
    legend_above,
    looks,
    say_empty,
)

ORDERS, CONSTANTS = "order", "rho_tilde"
EXACT = {"color": "black", "linestyle": "", "marker": "o", "markersize": 2.5}
BRACKETED = "0.55"
NOT_ASKED, NO_SIGNAL = "not asked for", "no signal is recovered"


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """Column quantity tells the parts of the figure apart.

    Medians of the brackets of the constant of order s, for at most three N/d; rho and the brackets
    of rho~ of each signal that is recovered.
    """
    frame = tables.of("orders")
    cell = ["delta", "sparsity"]
    known = frame.dropna(subset="order_lower")
    deltas = np.sort(known["delta"].unique())
    deltas = deltas[np.linspace(0, len(deltas) - 1, min(3, len(deltas))).round().astype(int)]
    orders = known[known["delta"].isin(deltas)].groupby(cell, as_index=False)
    constants = where(frame, recovered=True).dropna(subset="rho_tilde_lower")
    parts = {
        ORDERS: orders[["order_lower", "order_upper"]].median(),
        CONSTANTS: constants.sort_values([*cell, "repetition"]),
    }
    nothing = {
        ORDERS: NOT_ASKED,
        CONSTANTS: NOT_ASKED if frame["recovered"].any() else NO_SIGNAL,
    }
    rows = [
        (pd.DataFrame({"nothing": [nothing[name]]}) if part.empty else part).assign(quantity=name)
        for name, part in parts.items()
    ]
    numbers = ["order_lower", "order_upper"]
    numbers += ["rho_upper", "rho_tilde_lower", "rho_tilde_upper"]
    return stacked(rows, ["quantity", *cell, "repetition", *numbers, "nothing"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """Two panels with one legend."""
    figure = plt.figure(figsize=(PAGE, 2.9))
    left, right = figure.subplots(1, 2)
    orders = _draw_orders(left, where(frame, quantity=ORDERS))
    constants = _draw_constants(right, where(frame, quantity=CONSTANTS))
    legend_above(figure, [*orders, *constants])
    return figure


def _draw_orders(ax, frame):
    """Brackets of the constant of order s against s/N; their legend."""
    ax.set(yscale="log", xlabel="$s/N$", ylabel="constant of order $s$")
    if frame["nothing"].notna().any():
        say_empty(ax, frame["nothing"].iloc[0])
        return []
    deltas = sorted(frame["delta"].unique())
    if len(deltas) > 1:
        ax.set_xlabel("$s/N$ (markers of each $N/d$ shifted a little)")
    shifts = 0.02 * np.ptp(frame["sparsity"]) * (np.arange(len(deltas)) - (len(deltas) - 1) / 2)
    handles = []
    for (delta, look), shift in zip(looks(deltas).items(), shifts, strict=True):
        rows = where(frame, delta=delta)
        x = rows["sparsity"] + shift
        draw_brackets(ax, x, rows["order_lower"], rows["order_upper"], look["color"])
        label = f"$N/d={delta:g}$"
        handles += ax.plot(x, rows["order_lower"], markerfacecolor="white", label=label, **look)
    open_ended = np.isposinf(frame["order_upper"])
    if not open_ended.all():
        handles.append(Line2D([], [], label="up to the upper bound", **BAR))
    if open_ended.any():
        handles.append(Line2D([], [], label="no upper bound", **ARROW))
    ax.axhline(1, color="black", zorder=0.8, **DASHED)
    ax.set_ylim(top=1.5 * ax.get_ylim()[1])  # room for arrows
    log_ticks(ax.yaxis)
    return handles


def _draw_constants(ax, frame):
    """rho~ against rho of the signals that are recovered; the legend of what is there."""
    ax.set(xscale="log", yscale="log", xlabel=r"$\varrho$", ylabel=r"$\tilde\varrho$")
    if frame["nothing"].notna().any():
        say_empty(ax, frame["nothing"].iloc[0])
    exact = frame[frame["rho_tilde_lower"] == frame["rho_tilde_upper"]]
    rest = frame.drop(exact.index).dropna(subset="rho_upper")
    draw_brackets(
        ax, rest["rho_upper"], rest["rho_tilde_lower"], rest["rho_tilde_upper"], BRACKETED
    )
    ax.plot(exact["rho_upper"], exact["rho_tilde_lower"], **EXACT)
    handles = []
    if exact["rho_upper"].notna().any():
        handles.append(Line2D([], [], label=r"$\tilde\varrho$ exact", **EXACT))
    if len(rest):
        bar = BAR | {"color": BRACKETED}
        handles.append(Line2D([], [], label=r"$\tilde\varrho$ bracketed", **bar))
    ends = np.array(ax.get_xlim())
    draw_diagonal(ax, ends)
    ax.set_xlim(ends)
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    return handles
