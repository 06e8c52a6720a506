"""Figure phase: rho over (N/d, s/N), the constant of order s, and rho~ against rho."""

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import PAGE, log_ticks
from figures.frames import Options, Tables, groups, stacked, where
from figures.marks import DASHED, draw_brackets, draw_diagonal, legend_above, looks, say_empty
from implicit_l1.minimizer.threshold import weak_threshold

CELLS, THRESHOLD, ORDERS, CONSTANTS = "rho_planted", "weak threshold", "order", "rho_tilde"
EXACT = {"color": "black", "linestyle": "", "marker": "o", "markersize": 2.5}
NOT_ASKED, NO_SIGNAL = "not asked for", "no signal is recovered"
# infinity has no colour
LARGEST = 1e3


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """Column quantity tells the parts of the figure apart.

    The median of rho of the planted signals of each cell; the weak threshold of l1 recovery over
    the same N/d; medians of the brackets of the constant of order s, for at most three N/d; rho and
    the brackets of rho~ of each signal that is recovered.
    """
    frame = tables.of("phase")
    cell = ["delta", "sparsity"]
    cells = frame.groupby(cell, as_index=False)["rho_planted"].median()
    lower, upper = edges(np.sort(frame["delta"].unique()))
    first, last = np.clip([lower[0], upper[-1]], 0.0, 1.0)
    delta = np.linspace(first, last, 200)
    known = frame.dropna(subset="order_lower")
    deltas = np.sort(known["delta"].unique())
    deltas = deltas[np.linspace(0, len(deltas) - 1, min(3, len(deltas))).round().astype(int)]
    orders = known[known["delta"].isin(deltas)].groupby(cell, as_index=False)
    constants = where(frame, recovered=True).dropna(subset="rho_tilde_lower")
    parts = {
        CELLS: cells,
        THRESHOLD: pd.DataFrame({"delta": delta, "sparsity": weak_threshold(delta)}),
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
    numbers = ["rho_planted", "order_lower", "order_upper"]
    numbers += ["rho_upper", "rho_tilde_lower", "rho_tilde_upper"]
    return stacked(rows, ["quantity", *cell, "repetition", *numbers, "nothing"])


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """Three panels with one legend."""
    figure = plt.figure(figsize=(PAGE, 2.9))
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.45, 1, 1])
    _draw_diagram(left, frame)
    orders = _draw_orders(middle, where(frame, quantity=ORDERS))
    _draw_constants(right, where(frame, quantity=CONSTANTS))
    constants = [
        Line2D([], [], label=r"$\tilde\varrho$ exact", **EXACT),
        Line2D([], [], color="0.55", label=r"$\tilde\varrho$ bracketed", linewidth=0.8),
    ]
    legend_above(figure, [*left.lines, *orders, *constants])
    return figure


def edges(centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper edges of cells that meet half way between their centers."""
    if len(centers) == 1:
        return 0.8 * centers, 1.2 * centers
    middle = (centers[1:] + centers[:-1]) / 2
    lower = np.append(2 * centers[0] - middle[0], middle)
    return lower, np.append(middle, 2 * centers[-1] - middle[-1])


def _draw_diagram(ax, frame):
    """rho of the planted signal over (N/d, s/N), and the weak threshold."""
    palette = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    # from dark to light with a jump at 1, which is seen in grey too
    colors = [(0, palette[0]), (0.5, palette[2]), (0.5, palette[5]), (1, "#fff7e0")]
    look = {
        "cmap": LinearSegmentedColormap.from_list("rho", colors),
        "norm": TwoSlopeNorm(1.0, 0.0, 2.0),
    }
    columns = groups(where(frame, quantity=CELLS), ["delta"])
    deltas = np.array([values["delta"] for values, _ in columns])
    for left, right, (_, rows) in zip(*edges(deltas), columns, strict=True):
        lower, upper = edges(rows["sparsity"].to_numpy())
        medians = rows["rho_planted"].clip(upper=LARGEST).to_numpy()
        mesh = ax.pcolormesh([left, right], [*lower, upper[-1]], medians[:, None], **look)
    bar = ax.inset_axes((1.03, 0.0, 0.035, 1.0))
    ax.figure.colorbar(mesh, cax=bar, extend="max", label=r"$\varrho$ of $x_0$")
    ax.set(xlabel="$N/d$", ylabel="$s/N$", xlim=ax.get_xlim(), ylim=ax.get_ylim())
    ax.grid(visible=False)
    line = where(frame, quantity=THRESHOLD)
    look = {"color": "black", "linewidth": 1.4, "marker": "", "label": THRESHOLD}
    ax.plot(line["delta"], line["sparsity"], **look)


def _draw_orders(ax, frame):
    """Brackets of the constant of order s against s/N; their legend."""
    ax.set(yscale="log", xlabel="$s/N$", ylabel="constant of order $s$")
    if frame["nothing"].notna().any():
        say_empty(ax, frame["nothing"].iloc[0])
        return []
    deltas = sorted(frame["delta"].unique())
    # beside one another
    shifts = 0.02 * np.ptp(frame["sparsity"]) * (np.arange(len(deltas)) - (len(deltas) - 1) / 2)
    handles = []
    for (delta, look), shift in zip(looks(deltas).items(), shifts, strict=True):
        rows = where(frame, delta=delta)
        x = rows["sparsity"] + shift
        draw_brackets(ax, x, rows["order_lower"], rows["order_upper"], look["color"])
        label = f"$N/d={delta:g}$"
        handles += ax.plot(x, rows["order_lower"], markerfacecolor="white", label=label, **look)
    ax.axhline(1, color="black", zorder=0.8, **DASHED)
    ax.set_ylim(top=1.5 * ax.get_ylim()[1])  # room for arrows
    log_ticks(ax.yaxis)
    return handles


def _draw_constants(ax, frame):
    """rho~ against rho of the signals that are recovered."""
    ax.set(xscale="log", yscale="log", xlabel=r"$\varrho$", ylabel=r"$\tilde\varrho$")
    if frame["nothing"].notna().any():
        say_empty(ax, frame["nothing"].iloc[0])
    exact = frame[frame["rho_tilde_lower"] == frame["rho_tilde_upper"]]
    rest = frame.drop(exact.index).dropna(subset="rho_upper")
    draw_brackets(ax, rest["rho_upper"], rest["rho_tilde_lower"], rest["rho_tilde_upper"], "0.55")
    ax.plot(exact["rho_upper"], exact["rho_tilde_lower"], **EXACT)
    ends = np.array(ax.get_xlim())
    draw_diagonal(ax, ends)
    ax.set_xlim(ends)
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
