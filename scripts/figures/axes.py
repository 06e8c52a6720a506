"""Panels, and their axes."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

# widths in inches at which the figures are printed
COLUMN = 3.35
PAGE = 6.9
# panels that stand in two columns on a page
MOST_IN_TWO = 8
# powers of ten at ticks, about so many, and on an axis from left to right so many inches apart
MOST_TICKS = 5
ROOM = 0.3
# fewer powers of ten of log10(1/alpha) than these say too little of what is between them
FEW_TICKS = 4
# an end of log10(1/alpha) is taken to be the next of these times a power of ten, if it is near
ROUND, NEAR = (1, 2, 3, 5, 10), 1.5
# quotients of such ticks between which there is room for their labels
APART = 2.5


def one_panel(height: float) -> tuple[Figure, Axes]:
    """A figure of the width of a column, and its axes."""
    return plt.subplots(figsize=(COLUMN, height))


def panels_of(count: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of one or two columns of panels, more where there are many; its axes as a list."""
    columns = min(count, 2) if count <= MOST_IN_TWO else math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    width = PAGE * columns / 2 if columns > 1 else COLUMN
    figure, grid = plt.subplots(rows, columns, figsize=(width, 0.7 + height * rows), squeeze=False)
    for ax in grid.flat[count:]:
        ax.set_axis_off()
    return figure, list(grid.flat[:count])


def rows_of(rows: int, count: int, height: float, **options: Any) -> tuple[Figure, np.ndarray]:
    """A figure of rows of panels that share their axes; its axes, shape (rows, count)."""
    width = PAGE * max(1, count / 3) if count > 1 else COLUMN
    shared = {"sharex": True, "sharey": "row", "squeeze": False}
    return plt.subplots(rows, count, figsize=(width, height), **shared | options)


def alpha_axis(ax: Axes, log10_alpha: Sequence[float]) -> None:
    """A logarithmic axis over the scales with these logarithms."""
    ax.set_xscale("log")
    known = np.asarray(log10_alpha, dtype=float)
    known = known[np.isfinite(known)]
    if known.size:
        margin = 0.02 * np.ptp(known)
        ax.set_xlim(10.0 ** (known.min() - margin), 10.0 ** (known.max() + margin))
        log_ticks(ax.xaxis)


def far_axis(ax: Axes, decades: Sequence[float]) -> None:
    """A logarithmic axis of log10(1/alpha), with alpha growing to the right.

    It has a tick where the path ends, which is a little beyond what stands between its scales.
    """
    low, high = np.nanmin(decades), np.nanmax(decades)
    end = _round_end(high)
    margin = (high / low) ** 0.02
    ax.set_xscale("log")
    ax.set_xlim(np.fmax(high, end) * margin, low / margin)
    exponents = np.arange(math.ceil(np.log10(low)), math.floor(np.log10(high)) + 1)
    ticks = 10.0**exponents
    if len(ticks) < FEW_TICKS:  # and about half way between two, but for the ends of the axis
        halfway = 3.0 * 10.0 ** np.arange(math.floor(np.log10(low)), math.ceil(np.log10(high)))
        inside = (halfway > 1.5 * low) & (halfway < high / 1.5)
        ticks = np.sort(np.append(ticks, halfway[inside]))
    if np.isfinite(end):
        ticks = np.append(ticks[ticks < end / APART], end)
    # of names that become long each second one has room, counted from the end
    long = len(exponents) >= FEW_TICKS and len(ticks) > MOST_TICKS
    named = ticks[::-1][:: 2 if long else 1]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"$10^{{-{value:.0f}}}$" if value in named else "")
    )
    ax.xaxis.set_minor_locator(NullLocator())


def _round_end(high):
    """The round number that is at least another and near it; nan if there is none."""
    power = 10.0 ** math.floor(np.log10(high))
    end = next(factor * power for factor in ROUND if factor * power >= high * (1 - 1e-9))
    return end if end <= NEAR * high else np.nan


def _powers_of_ten(axis, low, high):
    """Exponents of evenly spaced powers of ten between two exponents; none if they are close."""
    most = MOST_TICKS
    if axis.axis_name == "x":
        width = axis.axes.get_position().width * axis.get_figure().get_figwidth()
        most = max(1, min(most, int(width / ROOM)))
    powers = np.arange(math.ceil(low - 1e-6), math.floor(high + 1e-6) + 1)
    if len(powers) <= 2:
        return powers[:0]
    return powers[powers % math.ceil((powers[-1] - powers[0]) / most) == 0]


def _between_powers(low, high):
    """Where to put ticks if there are no powers of ten to put them at."""
    if high - low < 0.3:
        return MaxNLocator(nbins=4, steps=(1, 2, 5, 10))
    return LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 6, 8) if high - low < 0.8 else (1, 2, 5))


def log_ticks(axis: Axis) -> None:
    """Ticks at powers of ten, evenly spaced, or between them if the axis is short."""
    low, high = np.log10(axis.get_view_interval())
    powers = _powers_of_ten(axis, low, high)
    if len(powers):
        axis.set_major_locator(FixedLocator(10.0**powers))
    else:
        axis.set_major_locator(_between_powers(low, high))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def exponent_ticks(axis: Axis) -> None:
    """Such ticks on an axis along which decimal logarithms are drawn."""
    low, high = axis.get_view_interval()
    powers = _powers_of_ten(axis, low, high)
    if len(powers):
        axis.set_major_locator(FixedLocator(powers))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"$10^{{{value:.0f}}}$"))
    else:
        ticks = _between_powers(low, high).tick_values(10.0**low, 10.0**high)
        axis.set_major_locator(FixedLocator(np.log10(ticks)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{10.0**value:.3g}"))
