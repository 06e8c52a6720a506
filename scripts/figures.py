"""Stage figures: one figure as PDF, SVG or PNG, drawn from tidy tables.

Every number that is drawn stands in the tables; a figure selects rows.  All it adds are
reference lines: y = c x^rate through a point of a curve, where the rate is the median of
the predicted rates in the table.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from command_line import Failure, run
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator
from scipy.optimize import isotonic_regression

from implicit_l1.l1 import CERTIFIED
from implicit_l1.storage import read_table, replacing

# widths in inches at which the figures are printed
COLUMN = 3.35
PAGE = 6.9

ALPHA = r"$\alpha$ (scale of the predictor, $u(0)=v(0)=\alpha^{1/D}\cdot\mathbf{1}$)"
ERROR = r"$\Vert x^{\infty}(\alpha)-g^{*}\Vert_1$"
EMPTY = "no certified instance"

# what tells the kinds of tables apart; trajectories have a quantity too, so they come first
KINDS = {"trajectories": "time", "instances": "fitted_rate", "curves": "quantity"}
STATISTICS = ["lower_quartile", "median", "upper_quartile"]
PARAMETERS = ["ensemble", "N", "d", "s", "eta", "m", "family_rho", "depth"]
SYMBOLS = {
    "N": "N",
    "d": "d",
    "s": "s",
    "eta": r"\eta",
    "m": "m",
    "family_rho": r"\varrho",
    "depth": "D",
    "alpha": r"\alpha",
}

# of everything that is a prediction
DASHED = {"linestyle": (0, (4, 2)), "linewidth": 0.8, "marker": ""}
ABOVE = {"loc": "outside upper center", "ncols": 6}
# without the dates that would make two runs differ
METADATA = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", choices=FIGURES, required=True)
    parser.add_argument("--style", required=True, help="a matplotlib style sheet")
    parser.add_argument("--data", nargs="+", required=True, help="Parquet tables, in any order")
    parser.add_argument(
        "--realistic-alpha", nargs=2, type=float, required=True, help="shaded as realistic"
    )
    parser.add_argument("--output", nargs="+", required=True, help="files ending in pdf, svg, png")
    args = parser.parse_args()

    for path in args.output:
        if Path(path).suffix not in METADATA:
            parser.error(f"--output {path}: the ending must be one of {', '.join(METADATA)}")
    tables = Tables.read(args.data)
    mpl.rcdefaults()  # nothing of the user's own settings
    plt.style.use(args.style)
    figure = FIGURES[args.figure](tables, args)
    for path in args.output:
        with replacing(path) as temporary:
            figure.savefig(temporary, metadata=METADATA[Path(path).suffix])


# --- Tables ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tables:
    """The tables of a figure, one frame for each kind (empty if there is none)."""

    trajectories: pd.DataFrame
    instances: pd.DataFrame
    curves: pd.DataFrame

    @classmethod
    def read(cls, paths):
        frames = {kind: [] for kind in KINDS}
        for path in paths:
            frame = read_table(path)
            kind = next((kind for kind, column in KINDS.items() if column in frame), None)
            if kind is None:
                raise Failure(f"{path} is not a table of {', '.join(KINDS)}")
            frames[kind].append(frame)
        return cls(
            **{
                kind: pd.concat(found, ignore_index=True) if found else pd.DataFrame()
                for kind, found in frames.items()
            }
        )

    def of(self, kind):
        """The frame of a kind, which must not be missing."""
        frame = getattr(self, kind)
        if not len(frame.columns):
            raise Failure(f"--data holds no table of {kind}, which this figure needs")
        if kind == "curves":  # a cell without certified repetitions has no statistics
            return frame.reindex(columns=list(dict.fromkeys([*frame.columns, *STATISTICS])))
        return frame


def varying(frame, *always):
    """The parameters that differ within a table, and those that are always named."""
    return [
        name
        for name in PARAMETERS
        if name in always or frame[name].nunique(dropna=False) > 1
    ]


def groups(frame, axes):
    """(values of the axes, rows) in the order of the values."""
    for values, rows in frame.groupby(axes, dropna=False, sort=True):
        yield dict(zip(axes, values, strict=True)), rows


def where(frame, values):
    """The rows that have these values."""
    chosen = np.ones(len(frame), dtype=bool)
    for name, value in values.items():
        chosen &= frame[name].isna() if pd.isna(value) else frame[name] == value
    return frame[chosen]


def predicted_rate(instances):
    """Median of the predicted rates over certified instances; nan if there is none."""
    return instances.loc[instances["status"] == CERTIFIED, "predicted_rate"].median()


# --- Words -------------------------------------------------------------------------------


def number(value):
    """A number in mathematics mode: 0.1, or 10^{-12}."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1.0" else rf"{mantissa}\cdot {power}"


def named(values):
    """Parameters in words: "rademacher, $s=8$, $\\eta=0.1$"."""
    return ", ".join(
        str(value).replace("_", " ") if name == "ensemble" else equation(name, value)
        for name, value in values.items()
    )


def equation(name, value):
    return f"${SYMBOLS[name]}={number(value)}$"


def rate_words(rate):
    return rf"$1-\varrho={rate:.2g}$" if rate < 0.01 else rf"$1-\varrho={rate:.3f}$"


# --- Pieces of figures -------------------------------------------------------------------


def looks(count):
    """Colour and marker of each of so many curves, spread over the palette, dark to light."""
    cycle = list(mpl.rcParams["axes.prop_cycle"])
    if count > len(cycle):
        return [cycle[index % len(cycle)] for index in range(count)]
    places = np.linspace(0, len(cycle) - 1, count) if count > 1 else [0]
    return [cycle[round(place)] for place in places]


def draw_curve(ax, curves, quantity, look, shift=0.0):
    """Median line with markers and interquartile band; the rows drawn, by increasing alpha.

    Args:
        shift: places the markers of neighbouring curves apart, in [0, 1).
    """
    rows = curves[curves["quantity"] == quantity].dropna(subset="median").sort_values("alpha")
    if len(rows):
        step = max(1, round(len(rows) / 9))
        ax.plot(
            rows["alpha"],
            rows["median"],
            markevery=(int(shift * step), step),
            markerfacecolor="white",
            **look,
        )
        ax.fill_between(
            rows["alpha"],
            rows["lower_quartile"],
            rows["upper_quartile"],
            color=look["color"],
            alpha=0.25,
            linewidth=0,
        )
    return rows


def draw_reference(ax, rows, rate, offset, color="black", words="", span=0.34):
    """A dashed segment y = c x^rate beside the small-alpha end of a curve.

    Args:
        rows: of the curve.
        offset: distance to the curve, in parts of the height of the axes; negative is below.
        words: written on the far side of the segment.
        span: length, in parts of the decades of the curve.
    """
    first, last = rows["alpha"].iloc[[0, -1]]
    low, high = np.log10(ax.get_ylim())
    x = first * (last / first) ** (span * np.array([0.0, 0.5, 1.0]))
    y = rows["median"].iloc[0] * 10 ** (offset * (high - low)) * (x / first) ** rate
    ax.plot(x, y, color=color, scalex=False, scaley=False, **DASHED)
    side = {"ha": "right", "va": "bottom"} if offset > 0 else {"ha": "left", "va": "top"}
    write(ax, x[1], y[1], words, **side)


def level(ax, value, words, above=True, outside=False):
    """A dashed horizontal line and its name, on it at the left end or beyond the right end."""
    ax.axhline(value, color="black", **DASHED)
    if outside:
        write(ax, 1.01, value, words, ax.get_yaxis_transform(), ha="left", va="center")
        return
    ax.annotate(
        words,
        (0.01, value),
        (0, 2 if above else -2),
        ax.get_yaxis_transform(),
        "offset points",
        va="bottom" if above else "top",
        fontsize="small",
    )


def shade(ax, interval, words):
    """A shaded range of alpha with its name at the bottom."""
    ax.axvspan(*interval, color="0.92", linewidth=0, zorder=0)
    middle = math.sqrt(interval[0] * interval[1])
    write(ax, middle, 0.14, words, ax.get_xaxis_transform(), ha="center", va="bottom")


def diagonal(ax, points):
    """The line y = x over the points, on logarithmic axes if they span more than a decade."""
    low, high = points.min(), points.max()
    if low > 0 and high > 10 * low:
        ax.set(xscale="log", yscale="log")
        ends = low / 1.3, high * 1.3
        finish_log_axis(ax)
    else:
        margin = 0.06 * (high - low) or 0.1
        ends = low - margin, high + margin
    ax.plot(ends, ends, color="black", zorder=0, **DASHED)
    ax.set(xlim=ends, ylim=ends)


def write(ax, x, y, text, transform=None, **options):
    """Text on a white halo, so that it can be read where it meets a line."""
    return ax.text(
        x,
        y,
        text,
        **{
            "transform": transform or ax.transData,
            "fontsize": "small",
            "path_effects": [withStroke(linewidth=2, foreground="white")],
            "zorder": 5,
        }
        | options,
    )


def say_empty(ax, text=EMPTY):
    write(ax, 0.5, 0.5, text, ax.transAxes, ha="center", va="center")


def log_ticks(axis, most=5):
    """Ticks at evenly spaced powers of ten, or at 1, 2, 5 if the axis has few of them."""
    low, high = np.log10(sorted(axis.get_view_interval()))
    powers = np.arange(math.ceil(low - 1e-6), math.floor(high + 1e-6) + 1)
    if len(powers) > 2:
        step = math.ceil((powers[-1] - powers[0]) / most)
        axis.set_major_locator(FixedLocator(10.0 ** powers[powers % step == 0]))
    else:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def alpha_axis(ax, curves):
    """A logarithmic axis of alpha over the scales of the curves."""
    ax.set_xscale("log")
    low, high = curves["alpha"].min(), curves["alpha"].max()
    margin = (high / low) ** 0.02
    ax.set_xlim(low / margin, high * margin)
    log_ticks(ax.xaxis)


def finish_log_axis(ax):
    """Ticks of a logarithmic y axis, once its limits stand."""
    log_ticks(ax.yaxis)


def keys(entries, styles, name=None):
    """Legend entries of curves; values of a parameter if its name is given."""
    return [
        Line2D([], [], label=equation(name, entry) if name else entry, mfc="white", **look)
        for entry, look in zip(entries, styles, strict=True)
    ]


def by_depth(curves):
    """Panels (all parameters but the depth), depths, and the look of each depth."""
    panels = list(groups(curves, [name for name in varying(curves, "eta") if name != "depth"]))
    depths = sorted(curves["depth"].unique())
    return panels, depths, dict(zip(depths, looks(len(depths)), strict=True))


# --- The figures -------------------------------------------------------------------------


def noise(tables, args):
    """The error against alpha, one curve a noise level."""
    curves, instances = tables.of("curves"), tables.of("instances")
    cells = list(groups(curves, varying(curves, "eta")))
    figure, ax = plt.subplots(figsize=(COLUMN, 3.0))
    ax.set_yscale("log")
    alpha_axis(ax, curves)
    ax.set(xlabel=ALPHA, ylabel=ERROR)
    lines, words, styles = [], [], looks(len(cells))
    for place, ((values, rows), look) in enumerate(zip(cells, styles, strict=True)):
        line = draw_curve(ax, rows, "error_1", look, place / len(cells))
        rate = predicted_rate(where(instances, values))
        lines.append((line, rate, look))
        words.append(f"{named(values)},  {rate_words(rate) if len(line) else EMPTY}")
    # only now the axes have their limits
    for line, rate, look in lines:
        if len(line):
            draw_reference(ax, line, rate, -0.03, look["color"])
    finish_log_axis(ax)
    # errors grow with alpha: the lower right is free, and the upper curves come first
    ax.legend(handles=keys(words, styles)[::-1], loc="lower right")
    return figure


def depth(tables, args):
    """The error and its local slope against alpha: a curve a depth, a column a noise level."""
    curves, instances = tables.of("curves"), tables.of("instances")
    panels, depths, style = by_depth(curves)
    figure, grid = plt.subplots(
        2,
        len(panels),
        figsize=(PAGE if len(panels) > 1 else COLUMN, 4.6),
        sharex=True,
        sharey="row",
        squeeze=False,
    )
    drawn = []
    for (values, rows), (top, bottom) in zip(panels, grid.T, strict=True):
        top.set(yscale="log", title=named(values))
        panel = where(instances, values)
        for place, D in enumerate(depths):
            here = rows[rows["depth"] == D]
            line = draw_curve(top, here, "error_1", style[D], place / len(depths))
            draw_curve(bottom, here, "slope", style[D], place / len(depths))
            if len(line):
                drawn.append((top, bottom, D, line, predicted_rate(panel[panel["depth"] == D])))
        if not top.lines:
            say_empty(top)
            say_empty(bottom)
    for top, bottom, D, line, rate in drawn:
        if D == 2:
            draw_reference(top, line, rate, 0.06, words=r"$\propto\alpha^{1-\varrho}$")
            level(bottom, rate, rate_words(rate), outside=True)
        elif D == depths[-1]:
            draw_reference(top, line, rate, -0.06, words=r"$\propto\alpha$")
            level(bottom, rate, f"{rate:g}", outside=True)
    for ax in grid.flat:
        alpha_axis(ax, curves)
    for ax in grid[0]:
        finish_log_axis(ax)
    grid[0, 0].set_ylabel(ERROR)
    grid[1, 0].set_ylabel("local slope of the error")
    figure.supxlabel(ALPHA)
    figure.legend(handles=keys(style, style.values(), "depth"), **ABOVE)
    return figure


def generalization(tables, args):
    """The distance to the planted signal against alpha, a curve a depth, and two baselines."""
    curves = tables.of("curves")
    panels, depths, style = by_depth(curves)
    columns = min(len(panels), 2)
    height = math.ceil(len(panels) / columns)
    figure, grid = plt.subplots(
        height,
        columns,
        figsize=(PAGE if columns > 1 else COLUMN, 0.9 + 1.9 * height),
        sharex=True,
        squeeze=False,
    )
    for ax in grid.flat[len(panels) :]:
        ax.set_axis_off()
    for (values, rows), ax in zip(panels, grid.flat, strict=False):
        ax.set(yscale="log", title=named(values))
        ax.margins(y=0.2)
        for place, D in enumerate(depths):
            here = rows[rows["depth"] == D]
            draw_curve(ax, here, "estimation_error", style[D], place / len(depths))
        alpha_axis(ax, curves)
        if not ax.lines:
            say_empty(ax)
            continue
        lowest = rows.loc[rows["quantity"] == "estimation_error", "median"].min()
        for quantity, words, above in (
            ("interpolator_estimation_error", r"minimum-$\ell^2$-norm interpolator", True),
            ("l1_estimation_error", r"$\ell^1$ minimizer $g^{*}$", False),
        ):
            value = rows.loc[rows["quantity"] == quantity, "median"].fillna(0.0).iloc[0]
            if value > 1e-3 * lowest:
                level(ax, value, words, above=above)
            else:
                write(ax, 0.98, 0.04, f"{words}: ${number(value)}$", ax.transAxes, ha="right")
        finish_log_axis(ax)
        shade(ax, args.realistic_alpha, "realistic scales\n(our choice)")
    figure.supxlabel(ALPHA)
    figure.supylabel(r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2$")
    figure.legend(handles=keys(style, style.values(), "depth"), **ABOVE)
    return figure


def prediction(tables, args):
    """Fitted against predicted rates, one point an instance, one panel a noise level."""
    instances = tables.of("instances")
    panels = list(groups(instances, ["eta"]))
    sparsities = sorted(instances["s"].unique())
    ensembles = sorted(instances["ensemble"].unique())
    colors = dict(zip(sparsities, (look["color"] for look in looks(len(sparsities))), strict=True))
    markers = dict(zip(ensembles, "oDs^vP", strict=False))
    columns = min(len(panels), 2)
    height = math.ceil(len(panels) / columns)
    figure, grid = plt.subplots(
        height,
        columns,
        figsize=(PAGE if columns > 1 else COLUMN, 0.3 + 3.0 * height),
        squeeze=False,
    )
    for ax in grid.flat[len(panels) :]:
        ax.set_axis_off()
    for (values, rows), ax in zip(panels, grid.flat, strict=False):
        certified = rows[rows["status"] == CERTIFIED].dropna(subset="fitted_rate")
        ax.set_title(f"{named(values)}  ({len(certified)} of {len(rows)} instances)")
        if certified.empty:
            say_empty(ax)
            continue
        sns.scatterplot(
            certified,
            x="predicted_rate",
            y="fitted_rate",
            hue="s",
            style="ensemble",
            palette=colors,
            markers=markers,
            s=16,
            alpha=0.85,
            linewidth=0.3,
            legend=False,
            ax=ax,
        )
        diagonal(ax, certified[["predicted_rate", "fitted_rate"]].to_numpy())
    low, high = instances[["window_smallest", "window_largest"]].iloc[0]
    label = rf"fitted rate, $\alpha\in[{number(low)},{number(high)}]$"
    for ax in grid.flat[: len(panels)]:
        ax.set(xlabel=r"predicted rate $1-\varrho$", ylabel=label)
    points = {"linestyle": "", "markersize": 4, "markeredgecolor": "none"}
    handles = [
        Line2D([], [], color=color, marker="o", label=equation("s", s), **points)
        for s, color in colors.items()
    ] + [
        Line2D([], [], color="0.4", marker=marker, label=ensemble.replace("_", " "), **points)
        for ensemble, marker in markers.items()
    ]
    figure.legend(handles=handles, **ABOVE | {"ncols": 8})
    return figure


def tight(tables, args):
    """The family with a one-dimensional kernel: fitted rates, and errors over predictions."""
    curves, instances = tables.of("curves"), tables.of("instances")
    depths = sorted(curves["depth"].unique())
    rhos = sorted(curves["family_rho"].unique())
    style = dict(zip(rhos, looks(len(rhos)), strict=True))
    figure = plt.figure(figsize=(PAGE, 3.6))
    grid = figure.add_gridspec(len(depths), 2, width_ratios=[1, 1.15])
    left = figure.add_subplot(grid[:, 0])
    certified = instances[instances["status"] == CERTIFIED]
    for D, marker in zip(depths, "osD^vP", strict=False):
        rows = certified[certified["depth"] == D].dropna(subset="fitted_rate")
        left.plot(
            1 - rows["family_rho"], rows["fitted_rate"], marker, label=equation("depth", D)
        )
    left.set(xlabel=r"$1-\varrho$", ylabel="fitted rate")
    left.legend()
    first = None
    for row, D in enumerate(depths):
        ax = first = figure.add_subplot(grid[row, 1], sharex=first, sharey=first)
        ax.set(yscale="log")
        for place, rho in enumerate(rhos):
            rows = curves[(curves["depth"] == D) & (curves["family_rho"] == rho)]
            draw_curve(ax, rows, "error_over_prediction", style[rho], place / len(rhos))
        alpha_axis(ax, curves)
    return figure


def flow(tables, args):
    """Loss, error and coordinates against time: a column a depth, a colour a scale."""
    frame = tables.of("trajectories")
    depths, scales = sorted(frame["depth"].unique()), sorted(frame["alpha"].unique())
    style = dict(zip(scales, looks(len(scales)), strict=True))
    conditions = list(groups(frame, [n for n in varying(frame, "eta") if n != "depth"]))
    figure, grid = plt.subplots(
        3, len(depths), figsize=(PAGE, 5.4), sharex="col", sharey="row", squeeze=False
    )
    for column, D in zip(grid.T, depths, strict=True):
        for place, (values, rows) in enumerate(conditions):
            rows = rows[rows["depth"] == D]
            rows = rows[rows["repetition"] == rows["repetition"].min()]
            for alpha, color in style.items():
                here = rows[rows["alpha"] == alpha]
                for ax, quantity in zip(column, ["loss", "error_1"], strict=False):
                    line = here[here["quantity"] == quantity]
                    ax.plot(line["time"], line["value"], color=color["color"], linestyle=["-", "--", ":"][place % 3])
                if place == 0:
                    for quantity, dash in (("x_on", "-"), ("x_off", "--")):
                        for _, line in here[here["quantity"] == quantity].groupby("coordinate"):
                            column[2].plot(line["time"], line["value"], color=color["color"], linestyle=dash)
        for ax in column:
            ax.set_xscale("log")
        for ax in column[:2]:
            ax.set_yscale("log")
        column[0].set_title(equation("depth", D))
    return figure


FIGURES = {
    "noise": noise,
    "depth": depth,
    "generalization": generalization,
    "prediction": prediction,
    "tight": tight,
    "flow": flow,
}


if __name__ == "__main__":
    run(main)
