"""Stage figures: one figure as PDF, SVG or PNG, drawn from tidy tables.

Every number that is drawn stands in the tables; a figure selects rows, and takes medians
over repetitions.  All it adds are reference lines: y = c x^rate beside a curve, or the
rate itself, where the rate is the median of the predicted rates in the table; and the
curve of the weak threshold of l1 recovery.  Figure reach interpolates between the scales of
a path first, instance by instance.

The numbers that are drawn are written as CSV, read off the finished drawing.
"""

import argparse
import csv
import io
import json
import math
import re
from dataclasses import dataclass
from functools import partial
from itertools import cycle, zip_longest
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm, to_hex
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from implicit_l1.minimizer.threshold import weak_threshold
from implicit_l1.status import CERTIFIED, CONVERGED, MEASURED, data_in_words
from pipeline.command_line import Failure, run
from pipeline.origin import remember
from pipeline.storage import read_table, replacing, write_origin, write_text
from pipeline.words import in_numbers, told_apart, weakest

# widths in inches at which the figures are printed
COLUMN = 3.35
PAGE = 6.9

ALPHA = r"$\alpha$ (scale of the predictor, $u(0)=v(0)=\alpha^{1/D}\cdot\mathbf{1}$)"
ALPHA_SHAPED = r"$\alpha$ (scale of the predictor, $u(0)=\alpha^{1/D}w_u,\ v(0)=\alpha^{1/D}w_v$)"
ERROR = r"$\Vert x^{\infty}(\alpha)-g^{*}\Vert_1$"
ERROR_OFF = r"$\Vert x^{\infty}(\alpha)_{S^c}\Vert_1$"
DISTANCE = rf"distance from $x^{{\infty}}(\alpha)$ / {ERROR}"
EMPTY = "no certified instance"
NO_SIGNAL = "$x_0$ is not known"
NO_ERROR = "the error is 0"
NOT_KNOWN = "rate not known"
# by name, so that a drawing can be asked for them; their lengths are in the style
DASHES, DOTS = "--", ":"
# of everything that is a prediction or a baseline
DASHED = {"linestyle": DASHES, "linewidth": 0.8, "marker": ""}
SHADE = "0.93"
LIMIT_POINT = {"color": "black", "linewidth": 0.9, "marker": ""}
BANDS = {"error_off": "#ebe4f3", "refined_off": "#bfabda"}
ONSET = {"color": "0.3", "marker": "o", "linestyle": "", "markeredgecolor": "none"}
LOST = {"linestyle": "", "marker": "x"}
# colours of legend entries that speak of shapes, whatever the colour
GREYS = ("0.3", "0.4")
# the label of lines that guide the eye; those that begin with _ stand in no legend
GUIDE = "_guide"
TRAJECTORY = "_trajectory"
# of the largest value of a trajectory: below it is what is left of rounding
FLOOR = 1e-15

# excess norms below this are off the axis: they are rounding, or where nothing is to be seen
SMALLEST_EXCESS = 1e-6
# of the largest value: where axes of distances to the lasso path, and of gaps, end
DEEPEST = {"distance": 1e-5, "gap": 1e-9}
# stands for infinities among decimal logarithms of scales
BEYOND = 1e100
# inches between notes below a figure
NOTE_GAP = 0.04
# of a row of counts under a panel, in parts of its height
COUNT_HEIGHT = 0.05

# what tells the kinds of tables apart; the first two have a quantity too, so they come first
KINDS = {
    "trajectories": "time",
    "lasso_paths": "mu",
    "points": "local_slope",
    "instances": "fitted_rate",
    "curves": "quantity",
    "bounds": "rho_alpha",
    "phase": "rho_planted",
    "descent": "fraction",
}
STATISTICS = ["lower_quartile", "median", "upper_quartile"]
PARAMETERS = ["ensemble", "N", "d", "s", "eta", "m", "family_rho", "depth", "initialization"]
SYMBOLS = {
    "N": "N",
    "d": "d",
    "s": "s",
    "eta": r"\eta",
    "m": "m",
    "family_rho": r"\varrho",
    "depth": "D",
    "alpha": r"\alpha",
    "fraction": r"h/h_{\mathrm{stable}}",
}

# without the dates that would make two runs differ
METADATA = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}, ".png": {}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure", choices=FIGURES, required=True)
    parser.add_argument("--style", required=True, help="a matplotlib style sheet")
    parser.add_argument("--data", nargs="+", required=True, help="Parquet tables, in any order")
    parser.add_argument(
        "--realistic-alpha", nargs=2, type=float, required=True, help="the range to be shaded"
    )
    parser.add_argument(
        "--reach", type=float, help="the value of ||x - x_0||_2^2 to be reached, for figure reach"
    )
    parser.add_argument("--output", nargs="+", required=True, help="files in .pdf, .svg or .png")
    parser.add_argument("--csv", required=True, help="the CSV file of the numbers that are drawn")
    parser.add_argument("--origin", required=True, help="the JSON file: how the figure was made")
    parser.add_argument(
        "--configuration", type=json.loads, required=True, help="what it shows of it, as JSON"
    )
    args = parser.parse_args()

    for path in args.output:
        if Path(path).suffix not in METADATA:
            parser.error(f"--output {path}: the ending must be one of {', '.join(METADATA)}")
    tables = Tables.read(args.data)
    mpl.use("agg")
    mpl.rcdefaults()  # no settings of the user's own
    plt.style.use(args.style)
    remember(args.style)
    figure = FIGURES[args.figure](tables, args)
    say_shape(figure, tables)
    break_titles(figure)
    settle(figure)
    say_data(figure, tables)
    for path in args.output:
        # saving would give the figure a layout engine again
        with replacing(path) as temporary, mpl.rc_context({"figure.constrained_layout.use": False}):
            figure.savefig(temporary, metadata=METADATA[Path(path).suffix])
    write_text(args.csv, drawn(figure))
    write_origin(
        args.origin,
        [*args.output, args.csv],
        configuration=args.configuration,
    )


def settle(figure):
    """Lay the figure out, once: the solver's positions differ in their last bits between runs."""
    figure.draw_without_rendering()
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
    for ax in figure.axes:
        ax.set_position(np.round(ax.get_position().bounds, 6))


def break_titles(figure):
    """Break the titles that reach into the next panel, at their commas and brackets.

    Measured before the layout: to draw once more would move everything by a little.
    """
    renderer = figure.canvas.get_renderer()
    end = max((ax.get_window_extent(renderer).x1 for ax in figure.axes), default=0.0)
    for ax in figure.axes:
        box = ax.get_window_extent(renderer)
        # the last panel of a row has no gap beside it
        room = (1.25 if box.x1 < 0.99 * end else 1.0) * box.width
        titles = {ax.get_title(loc=place) for place in ("left", "center", "right")} - {""}
        for title in ax.findobj(Text):
            if title.get_text() in titles:
                break_lines(title, room, renderer)


def break_lines(text, room, renderer):
    """Break a text that is wider than its room, at its commas and brackets."""

    def fits(words):
        text.set_text(words)
        return text.get_window_extent(renderer).width <= room

    words = text.get_text()
    if fits(words):
        return
    first, *parts = re.split(r"(?<=,) +| +(?=\()", words)
    lines = [first]
    for part in parts:
        if fits(f"{lines[-1]} {part}"):
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    text.set_text("\n".join(lines))


def say_shape(figure, tables):
    """Where there are initializations of other shapes than ones, name them under the axes."""
    frames = (getattr(tables, kind) for kind in KINDS)
    if any("initialization" in frame and frame["initialization"].notna().any() for frame in frames):
        for text in figure.findobj(Text):
            if text.get_text() == ALPHA:
                text.set_text(ALPHA_SHAPED)


def say_data(figure, tables):
    """Below the axes, what a reader must know of how data of one's own were taken, and kappa."""
    frame = tables.instances
    if not {"product", "noiseless_support", "kappa"} <= set(frame):
        return
    words = told_apart(frame["ensemble"])
    rows = frame.drop_duplicates("ensemble")
    notes = [
        f"{words[row.ensemble]}: y {told}{of_minimizer(row)}"
        for row in rows.itertuples()
        if (told := data_in_words(row.product, row.noiseless_support))
    ]
    if notes:
        write_below(figure, notes)


def of_minimizer(row):
    """kappa of g*, where that is the only minimizer."""
    if row.status != CERTIFIED:
        return ""
    return rf"; $\kappa={number(float(f'{row.kappa:.3g}'))}$ of $g^{{*}}$"


def write_below(figure, notes):
    """Notes in a strip that is added below a figure whose layout stands."""
    renderer, others = figure.canvas.get_renderer(), list(figure.texts)
    texts = [figure.text(0.01, 0.0, note, fontsize=5, va="bottom") for note in notes]
    for text in texts:
        break_lines(text, 0.98 * figure.bbox.width, renderer)
    heights = [text.get_window_extent(renderer).height / figure.dpi + NOTE_GAP for text in texts]
    height = figure.get_figheight()
    whole = height + sum(heights) + NOTE_GAP
    moved = whole - height
    for ax in figure.axes:
        left, bottom, width, tall = ax.get_position().bounds
        ax.set_position([left, (bottom * height + moved) / whole, width, tall * height / whole])
    for text in others:
        text.set_y((text.get_position()[1] * height + moved) / whole)
    figure.set_figheight(whole)
    place = whole - height
    for text, used in zip(texts, heights, strict=True):
        place -= used
        text.set_y(place / whole)


# --- Drawn numbers -----------------------------------------------------------------------


def drawn(figure):
    """The numbers that a figure shows, read off what was drawn, as CSV.

    Of a line its points, of a scatter plot the places of its markers, of a band the corners
    of its outline, of an arrow the place it starts from, and of a mesh the lower left and the
    upper right corner of every cell, with its value.  Panels are counted as they were drawn.
    The label is what the legend says of this look.  Before the numbers of a panel stand its
    title and the words of its axes, and before all those that panels have in common.

    Left out are ticks, other texts, shaded ranges, colour bars, lines that guide the eye, and
    what repeats the artist before it under the same label; of a trajectory its end, and on a
    logarithmic axis what is below FLOOR of its largest value.  A coordinate in parts of the
    axes is left empty, and one that is not a number too.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["panel", "artist", "label", "x", "y", "value"])
    common = {"x axis": figure.get_supxlabel(), "y axis": figure.get_supylabel()}
    table.writerows(words_as_rows("", common))
    for panel, ax in enumerate(figure.axes, start=1):
        titles = (ax.get_title(loc=place) for place in ("left", "center", "right"))
        own = {"title": " ".join(filter(None, titles))}
        own |= {"x axis": ax.get_xlabel(), "y axis": ax.get_ylabel()}
        table.writerows(words_as_rows(panel, own))
        entries, counts, before = legend_entries(figure, ax), {}, None
        for kind, artist, x, y, value in artists(ax):
            columns = [
                labels(artist, entries, len(x)),
                shortened(x, ax.get_xscale(), ax.get_xlim()),
                shortened(y, ax.get_yscale(), ax.get_ylim()),
                shortened(value),
            ]
            if len(x) == 0 or (kind, columns) == before:
                continue
            before = kind, columns
            counts[kind] = counts.get(kind, 0) + 1
            for place in zip(*columns, strict=True):
                table.writerow([panel, f"{kind} {counts[kind]}", *place])
    return text.getvalue()


def words_as_rows(panel, words):
    """Rows without numbers: what stands where, as far as anything stands there."""
    return [
        [panel, place, text.replace("\n", " "), "", "", ""] for place, text in words.items() if text
    ]


def artists(ax):
    """(kind, artist, x, y, value) of what a panel shows, in the order in which it was added."""
    nothing = np.full(1, np.nan)
    for line in ax.lines:
        if line.get_label() == GUIDE:
            continue
        x, y = (np.asarray(values, dtype=float) for values in line.get_data(orig=False))
        if line.get_label() == TRAJECTORY:
            # where an integrator stops, and what it leaves of a loss, is not the same on
            # another processor
            kept = (ax.get_yscale() != "log") | (y >= FLOOR * y.max(initial=0.0))
            x, y = x[kept][:-1], y[kept][:-1]
        # the other coordinate is in parts of the axes
        if line.get_transform() == ax.get_yaxis_transform():
            x = np.full(x.shape, np.nan)
        elif line.get_transform() == ax.get_xaxis_transform():
            y = np.full(y.shape, np.nan)
        yield "line", line, x, y, np.repeat(nothing, len(x))
    for collection in ax.collections:
        if isinstance(collection, QuadMesh):
            corners = collection.get_coordinates()
            cells = np.stack([corners[:-1, :-1], corners[1:, 1:]], axis=2).reshape(-1, 2)
            yield "mesh", collection, *cells.T, np.repeat(collection.get_array().ravel(), 2)
            continue
        if isinstance(collection, PathCollection):
            kind, places = "points", np.ma.filled(collection.get_offsets(), np.nan)
        else:
            kind = "band"
            places = np.concatenate([path.vertices for path in collection.get_paths()])
        yield kind, collection, *places.T, np.repeat(nothing, len(places))
    for text in ax.texts:
        if isinstance(text, Annotation) and text.arrow_patch is not None:
            x, y = np.array(text.xy, dtype=float)
            yield "arrow", text, np.array([x]), np.array([y]), nothing


def shortened(values, scale="", limits=None):
    """Numbers with six digits; 0 for what is too small to be seen between an axis' limits."""
    smallest = 1e-9 * np.abs(limits).max() if scale == "linear" else 0.0
    return [
        "" if np.isnan(value) else "0" if abs(value) <= smallest else f"{value:#.6g}"
        for value in np.asarray(values, dtype=float)
    ]


@dataclass(frozen=True)
class Look:
    """What the meaning of an artist shows in.

    Attributes:
        color: in hexadecimal.
        line: the style of its line; marker: its symbol; empty without one.
        filled: whether its markers are filled with its colour.
    """

    color: str
    line: str = ""
    marker: str = ""
    filled: bool = True


def look_of(artist):
    """The look of a line, of an arrow, or of an area of one colour."""
    if isinstance(artist, Line2D):
        color = to_hex(artist.get_color())
        line, marker = (
            "" if name in (None, "None", " ") else name
            for name in (artist.get_linestyle(), artist.get_marker())
        )
        face = artist.get_markerfacecolor()
        return Look(color, line, marker, face != "none" and to_hex(face) == color)
    if isinstance(artist, Annotation):
        return Look(to_hex(artist.arrow_patch.get_edgecolor()))
    return Look(to_hex(np.atleast_2d(artist.get_facecolor())[0]))


def legend_entries(figure, ax):
    """(look, words) of the entries of the panel's and the figure's legends."""
    return [
        (look_of(handle), text.get_text().replace("\n", " "))
        for legend in filter(None, [ax.get_legend(), *figure.legends])
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True)
    ]


def meaning(look, entries):
    """What a legend says of a look: by its colour and, if its entry is grey, by its shape.

    Args:
        entries: (look, words) of the legend.
    """
    greys = {to_hex(grey) for grey in GREYS}
    found = [
        words
        for other, words in entries
        if (other.color, other.line, other.marker) == (look.color, look.line, look.marker)
    ]
    if look.color != to_hex("black"):  # which many lines have
        found += [words for other, words in entries if other.color == look.color]
    shapes = [
        entry for entry in entries if entry[0].color in greys and entry[0].color != look.color
    ]
    same = [words for other, words in shapes if has_line_of(look, other)]
    same += [
        words for other, words in shapes if has_marker_of(look, other, other.marker == look.marker)
    ]
    # a dot stands for any symbol that has no entry of its own
    same += [
        words
        for other, words in shapes
        if has_marker_of(look, other, other.marker == "o" and look.marker in Line2D.filled_markers)
    ]
    return "; ".join(found[:1] + same[:1])


def has_line_of(look, entry):
    """Whether a line without markers is drawn like that of a legend entry."""
    return entry.line != "" and look.line == entry.line and not (look.marker or entry.marker)


def has_marker_of(look, entry, same):
    """Whether there are markers like those of an entry, which speaks of no line."""
    return entry.line == "" and look.marker != "" and same and look.filled == entry.filled


def labels(artist, entries, count):
    """The label of each of the places that an artist marks: its own, or what the legend says."""
    own = artist.get_label()
    if own and not own.startswith("_"):
        return [own] * count
    if isinstance(artist, QuadMesh):
        return [""] * count
    if isinstance(artist, PathCollection):
        return [meaning(look, entries) for look in looks_of_points(artist, entries, count)]
    return [meaning(look_of(artist), entries)] * count


def looks_of_points(collection, entries, count):
    """The looks of the points of a scatter plot, their symbols among those of a legend."""
    shapes = {}
    for symbol in dict.fromkeys(look.marker for look, _ in entries if look.marker):
        style = MarkerStyle(symbol)
        path = style.get_path().transformed(style.get_transform())
        shapes[symbol] = path.vertices
    paths, colors = (
        np.resize(np.arange(len(of)), count)
        for of in (collection.get_paths(), collection.get_facecolor())
    )
    for path, color in zip(paths, colors, strict=True):
        vertices = collection.get_paths()[path].vertices
        symbols = [symbol for symbol, shape in shapes.items() if np.array_equal(shape, vertices)]
        yield Look(to_hex(collection.get_facecolor()[color]), marker="".join(symbols[:1]))


# --- Tables ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tables:
    """The tables of a figure, one frame for each kind (without columns if there is none)."""

    trajectories: pd.DataFrame
    lasso_paths: pd.DataFrame
    points: pd.DataFrame
    instances: pd.DataFrame
    curves: pd.DataFrame
    bounds: pd.DataFrame
    phase: pd.DataFrame
    descent: pd.DataFrame

    @classmethod
    def read(cls, paths):
        """The tables of these files, with words for the names of their ensembles."""
        frames = {path: read_table(path) for path in paths}
        labels = [label for frame in frames.values() for label in frame["ensemble"].unique()]
        # a table without rows does not say which ensemble it is of, and from which to tell others
        words = told_apart(labels, whole=any(frame.empty for frame in frames.values()))
        found = {kind: [] for kind in KINDS}
        for path, frame in frames.items():
            kind = next((kind for kind, column in KINDS.items() if column in frame), None)
            if kind is None:
                raise Failure(f"{path} is not a table of {', '.join(KINDS)}")
            found[kind].append(frame.assign(ensemble=frame["ensemble"].map(words)))
        return cls(
            **{
                kind: pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
                for kind, frames in found.items()
            }
        )

    def of(self, kind):
        """The frame of a kind that the figure needs."""
        frame = getattr(self, kind)
        if frame.columns.empty:
            raise Failure(f"--data has no table of {kind}, which this figure needs")
        if kind == "curves":  # cells without certified instances have no statistics
            return frame.reindex(columns=list(dict.fromkeys([*frame.columns, *STATISTICS])))
        return frame


def varying(frame, *always, but=()):
    """The parameters that differ within a table or are always named, but for some.

    One that no row has, such as the noise level of data of one's own, is not named: there the
    ensemble is, which is the name of the file.
    """
    known = [name for name in PARAMETERS if name in frame and frame[name].notna().any()]
    if always and not set(always).intersection(known):
        always = ("ensemble",)
    return [
        name
        for name in known
        if name not in but and (frame[name].nunique(dropna=False) > 1 or name in always)
    ]


def groups(frame, axes):
    """(values of the axes, rows) in the order of the values; all rows if there are no axes."""
    if not axes:
        return [({}, frame)]
    return [
        (dict(zip(axes, values, strict=True)), rows)
        for values, rows in frame.groupby(axes, dropna=False, sort=True)
    ]


def where(frame, **values):
    """The rows that have these values."""
    chosen = np.ones(len(frame), dtype=bool)
    for name, value in values.items():
        chosen &= frame[name].isna() if pd.isna(value) else frame[name] == value
    return frame[chosen]


def measured(frame):
    """The rows of instances with a minimizer to measure the error from."""
    return frame[frame["status"].isin(MEASURED)]


def predicted_rate(instances):
    """Median of the predicted rates over such instances; nan if none has one."""
    return measured(instances)["predicted_rate"].median()


def lacking(instances):
    """Why a panel shows nothing of some instances."""
    return EMPTY if measured(instances).empty else NO_ERROR


# --- Words -------------------------------------------------------------------------------


def number(value):
    """A number in mathematics mode: 0.1, or 10^{-12}."""
    if value == 0 or 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    mantissa, exponent = f"{value:.1e}".split("e")
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1.0" else rf"{mantissa}\cdot {power}"


def equation(name, value):
    return f"${SYMBOLS[name]}={number(value)}$"


def named(values):
    """Parameters in words, without those that a cell does not have: rademacher, s = 8, η = 0.1."""
    words = {"ensemble": str, "initialization": "from {}".format}
    return ", ".join(
        words[name](value) if name in words else equation(name, value)
        for name, value in values.items()
        if not pd.isna(value)
    )


def counted(instances, kinds=MEASURED):
    """How many repetitions are certified, unless all are: " (17 of 20 certified)".

    Those that are shown without a proof are counted apart.  Of a repetition that has several
    statuses, at several depths, the weakest counts.

    Args:
        kinds: the statuses of the instances that are shown.
    """
    axes = sorted(set(PARAMETERS).intersection(instances) - {"depth"})
    statuses = instances.groupby([*axes, "repetition"], dropna=False)["status"].agg(weakest)
    return "" if (statuses == CERTIFIED).all() else f" ({in_numbers(statuses, kinds)})"


def rate_words(rate, depth):
    """A predicted rate: 1 - rho at D = 2, unless nothing is off the support, and a number else."""
    if np.isnan(rate):
        return NOT_KNOWN
    if depth != 2 or rate > 1:
        return f"rate ${rate:g}$"
    words = number(float(f"{rate:.2g}")) if rate < 0.01 else f"{rate:.3f}"
    return rf"$1-\varrho={words}$"


def slope_words(depths):
    """The rates that are predicted at these depths."""
    words = [r"$1-\varrho$"] if 2 in depths else []
    words += ["$1$"] if max(depths) > 2 else []
    if len(words) == 1:
        return words[0]
    return r"$1-\varrho$ for $D=2$, $1$ for $D>2$"


# --- Pieces of figures -------------------------------------------------------------------


def looks(values):
    """Colour and marker of each value, spread over the palette from dark to light."""
    palette = mpl.rcParams["axes.prop_cycle"].by_key()
    blend = LinearSegmentedColormap.from_list("blend", palette["color"])
    colors = [tuple(color) for color in blend(np.linspace(0, 1, len(values)))[:, :3]]
    markers = palette["marker"]
    if len(values) > 1:
        places = np.linspace(0, len(markers) - 1, len(values)).round().astype(int)
        markers = [markers[place] for place in places]
    return {
        value: {"color": color, "marker": marker}
        for value, color, marker in zip(values, colors, markers, strict=False)
    }


def lines_of(style, name):
    """Legend entries of the values of a parameter."""
    return [
        Line2D([], [], label=equation(name, value), markerfacecolor="white", **look)
        for value, look in style.items()
    ]


def draw_curve(ax, curves, quantity, look, shift=0.0, x="alpha"):
    """Median line with markers and interquartile band; its rows, by increasing alpha.

    A logarithmic axis has no place for medians of 0, which are left out.

    Args:
        shift: keeps the markers of neighbouring curves apart; in [0, 1).
        x: the column of the horizontal axis.
    """
    rows = where(curves, quantity=quantity).dropna(subset="median").sort_values(x)
    if ax.get_yscale() == "log":
        rows = rows[rows["median"] > 0]
    if len(rows):
        step = max(1, round(len(rows) / 9))
        ax.plot(
            rows[x],
            rows["median"],
            markevery=(int(shift * step), step),
            markerfacecolor="white",
            **look,
        )
        ax.fill_between(
            rows[x],
            rows["lower_quartile"],
            rows["upper_quartile"],
            color=look["color"],
            alpha=0.25,
            linewidth=0,
        )
    return rows


def draw_reference(ax, rows, rate, offset, color="black", words=""):
    """A dashed segment y = c x^rate beside the small-alpha end of a curve.

    Args:
        rows: of the curve.
        offset: distance to the point of the curve that is nearest, in parts of the height
            of the axes; negative is below the curve.
        words: written on the far side of the segment.
    """
    x, y = np.log10(rows[["alpha", "median"]].to_numpy()).T
    low, high = np.log10(ax.get_ylim())
    ends = np.array([x[0], x[0] + 0.34 * (x[-1] - x[0])])
    heights = (y - rate * x)[x <= ends[1]]
    height = (heights.max() if offset > 0 else heights.min()) + offset * (high - low)
    x = 10**ends
    y = 10 ** (height + rate * ends)
    ax.plot(x, y, color=color, scalex=False, scaley=False, label=GUIDE, **DASHED)
    side = {"ha": "right", "va": "bottom"} if offset > 0 else {"ha": "left", "va": "top"}
    write(ax, x[1], y[1], words, **side)


def write(ax, x, y, words, coordinates="data", shift=0, **options):
    """Text on a white halo, to be read where it meets a line; shifted up by some points."""
    halo = [withStroke(linewidth=2, foreground="white")]
    ax.annotate(
        words,
        (x, y),
        (0, shift),
        xycoords=coordinates,
        textcoords="offset points",
        **{"fontsize": "small", "zorder": 5, "path_effects": halo} | options,
    )


def say_empty(ax, words=EMPTY):
    write(ax, 0.5, 0.5, words, "axes fraction", ha="center", va="center")


def legend_above(figure, handles, ncols=None, **options):
    """A legend above the axes, in as few rows as the width of the figure allows.

    Args:
        ncols: the number of columns to try first; where it is too wide, the entries that only
            fill a place are left out.
    """
    named = [handle for handle in handles if handle.get_label().strip()]
    tries = [(handles, ncols)] if ncols else []
    tries += [(named, columns) for columns in range(len(named), 0, -1)]
    for entries, columns in tries:
        legend = figure.legend(
            handles=entries, loc="outside upper center", ncols=columns, **options
        )
        if legend.get_window_extent().width <= figure.bbox.width:
            return
        if columns > 1:
            legend.remove()
    # one column is too wide: in several lines, on what is left of the width beside a handle
    texts = [*legend.get_texts(), legend.get_title()]
    beyond = legend.get_window_extent().width - figure.bbox.width
    widest = max(text.get_window_extent().width for text in texts)
    for text in texts:
        break_lines(text, widest - beyond, figure.canvas.get_renderer())


def panels_of(count, height):
    """A figure of one or two columns of panels; its axes as a list."""
    columns = min(count, 2)
    rows = math.ceil(count / columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(PAGE if columns > 1 else COLUMN, 0.7 + height * rows), squeeze=False
    )
    for ax in grid.flat[count:]:
        ax.set_axis_off()
    return figure, list(grid.flat[:count])


def two_rows(count, height):
    """A figure of two rows that share their axes; its axes, shape (2, count)."""
    width = PAGE * max(1, count / 3) if count > 1 else COLUMN
    return plt.subplots(2, count, figsize=(width, height), sharex=True, sharey="row", squeeze=False)


def alpha_axis(ax, curves):
    """A logarithmic axis over the scales of the curves."""
    ax.set_xscale("log")
    low, high = curves["alpha"].min(), curves["alpha"].max()
    margin = (high / low) ** 0.02
    ax.set_xlim(low / margin, high * margin)
    log_ticks(ax.xaxis)


def far_rows(frame):
    """The rows with alpha < 1, and log10(1/alpha) in a column of its own."""
    rows = frame[frame["log10_alpha"] < 0]
    return rows.assign(decades=-rows["log10_alpha"])


def far_axis(ax, decades):
    """A logarithmic axis of log10(1/alpha), with alpha growing to the right."""
    low, high = decades.min(), decades.max()
    margin = (high / low) ** 0.02
    ax.set_xscale("log")
    ax.set_xlim(high * margin, low / margin)
    exponents = np.arange(math.ceil(np.log10(low)), math.floor(np.log10(high)) + 1)
    ax.xaxis.set_major_locator(FixedLocator(10.0**exponents))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"$10^{{-{value:.0f}}}$"))
    ax.xaxis.set_minor_locator(NullLocator())


def powers_of_ten(low, high, most):
    """Exponents of evenly spaced powers of ten between two exponents; none if they are close."""
    powers = np.arange(math.ceil(low - 1e-6), math.floor(high + 1e-6) + 1)
    if len(powers) <= 2:
        return powers[:0]
    return powers[powers % math.ceil((powers[-1] - powers[0]) / most) == 0]


def between_powers(low, high):
    """Where to put ticks if there are no powers of ten to put them at."""
    if high - low < 0.3:
        return MaxNLocator(nbins=4, steps=(1, 2, 5, 10))
    return LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 6, 8) if high - low < 0.8 else (1, 2, 5))


def log_ticks(axis, most=5):
    """Ticks at powers of ten, evenly spaced, or between them if the axis is short."""
    low, high = np.log10(axis.get_view_interval())
    powers = powers_of_ten(low, high, most)
    if len(powers):
        axis.set_major_locator(FixedLocator(10.0**powers))
    else:
        axis.set_major_locator(between_powers(low, high))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def exponent_ticks(axis, most=5):
    """Such ticks on an axis along which decimal logarithms are drawn."""
    low, high = axis.get_view_interval()
    powers = powers_of_ten(low, high, most)
    if len(powers):
        axis.set_major_locator(FixedLocator(powers))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"$10^{{{value:.0f}}}$"))
    else:
        ticks = between_powers(low, high).tick_values(10.0**low, 10.0**high)
        axis.set_major_locator(FixedLocator(np.log10(ticks)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{10.0**value:.3g}"))


# --- The figures -------------------------------------------------------------------------


def noise(tables, args):
    """The error against alpha, a curve a noise level."""
    curves, instances = tables.of("curves"), tables.of("instances")
    cells = groups(curves, varying(curves, "eta"))
    figure, ax = plt.subplots(figsize=(COLUMN, 3.0))
    ax.set(yscale="log", xlabel=ALPHA, ylabel=ERROR)
    alpha_axis(ax, curves)
    drawn, handles = [], []
    for place, look in looks(range(len(cells))).items():
        values, rows = cells[place]
        line = draw_curve(ax, rows, "error_1", look, place / len(cells))
        cell = where(instances, **values)
        rate, D = predicted_rate(cell), rows["depth"].iloc[0]
        told = rate_words(rate, D) + counted(cell) if len(line) else lacking(cell)
        words = f"{named(values)},  {told}"
        handles.append(Line2D([], [], label=words, markerfacecolor="white", **look))
        if len(line) and not np.isnan(rate):  # it is of a minimizer that is one of several
            drawn.append((line, rate, D, look["color"]))
    for line, rate, _, color in drawn:  # now that the limits of the axes stand
        draw_reference(ax, line, rate, -0.02, color)
    if ax.lines:
        log_ticks(ax.yaxis)
    else:
        say_empty(ax, lacking(instances))
    if drawn:
        words = f"slope {slope_words({D for _, _, D, _ in drawn})}"
        handles.insert(0, Line2D([], [], color="0.3", label=words, **DASHED))
    if len(cells) <= 4 and list(cells[0][0]) == ["eta"] and measured(instances).equals(instances):
        # errors grow with alpha, so the lower right is free; the upper curves come first
        ax.legend(handles=handles[::-1], loc="lower right")
    else:
        legend_above(figure, handles)
        (legend,) = figure.legends
        figure.set_figheight(2.6 + legend.get_window_extent().height / figure.dpi)
    return figure


def depth(tables, args):
    """The error and its local slope against alpha: a curve a depth, a column a noise level."""
    curves, instances = tables.of("curves"), tables.of("instances")
    panels = groups(curves, varying(curves, "eta", but=["depth"]))
    style = looks(sorted(curves["depth"].unique()))
    figure, grid = two_rows(len(panels), 4.6)
    drawn = []
    for (values, rows), (top, bottom) in zip(panels, grid.T, strict=True):
        top.set(yscale="log", title=named(values) + counted(where(instances, **values)))
        for place, (D, look) in enumerate(style.items()):
            here = where(rows, depth=D)
            line = draw_curve(top, here, "error_1", look, place / len(style))
            draw_curve(bottom, here, "slope", look, place / len(style))
            rate = predicted_rate(where(instances, **values, depth=D))
            drawn += [(top, bottom, D, line, rate)] if len(line) else []
        if not top.lines:
            for ax in (top, bottom):
                say_empty(ax, lacking(where(instances, **values)))
    for top, bottom, D, line, rate in drawn:
        if np.isnan(rate):  # of a minimizer that is one of several
            continue
        if D == 2:
            power = r"1-\varrho" if rate <= 1 else f"{rate:g}"
            draw_reference(top, line, rate, 0.06, words=rf"$\propto\alpha^{{{power}}}$")
        elif max(style) == D:
            draw_reference(top, line, rate, -0.06, words=r"$\propto\alpha$")
        else:
            continue
        words = rate_words(rate, D) if D == 2 else f"{rate:g}"
        bottom.axhline(rate, color="black", label=words, **DASHED)
        write(bottom, 1.01, rate, words, ("axes fraction", "data"), va="center")
    for ax in grid.flat:
        alpha_axis(ax, curves)
    if drawn:
        log_ticks(grid[0, 0].yaxis)
    grid[0, 0].set_ylabel(ERROR)
    grid[1, 0].set_ylabel("local slope of the error")
    figure.supxlabel(ALPHA)
    legend_above(figure, lines_of(style, "depth"))
    return figure


def generalization(tables, args):
    """The distance to the planted signal against alpha: a curve a depth, two baselines."""
    curves, instances = tables.of("curves"), tables.of("instances")
    panels = groups(curves, varying(curves, "eta", but=["depth"]))
    style = looks(sorted(curves["depth"].unique()))
    figure, grid = panels_of(len(panels), 1.95)
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set(yscale="log", title=named(values) + counted(where(instances, **values)))
        ax.margins(y=0.15)
        for place, (D, look) in enumerate(style.items()):
            draw_curve(ax, where(rows, depth=D), "estimation_error", look, place / len(style))
        alpha_axis(ax, curves)
        ax.axvspan(*args.realistic_alpha, color=SHADE, linewidth=0, zorder=0)
        if not ax.lines:
            say_empty(ax, without_distances(rows, where(instances, **values)))
            continue
        baselines(ax, rows)
        log_ticks(ax.yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel(r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2$")
    patch = Patch(color=SHADE, label=r"realistic $\alpha$ (our choice)")
    legend_above(figure, [*lines_of(style, "depth"), patch])
    return figure


def without_distances(rows, instances):
    """Why a panel shows no distance to x_0."""
    known = rows[rows["quantity"].str.endswith("estimation_error")]["median"].notna().any()
    return EMPTY if measured(instances).empty else NO_ERROR if known else NO_SIGNAL


def baselines(ax, rows):
    """The errors of the two interpolators that do not depend on alpha."""
    errors = where(rows, quantity="estimation_error")
    median = errors["alpha"].median()
    place = {"coordinates": ("axes fraction", "data")}

    value = where(rows, quantity="interpolator_estimation_error")["median"].iloc[0]
    words = r"minimum-$\ell^2$-norm interpolator"
    ax.axhline(value, color="black", label=words, **DASHED)
    write(ax, 0.01, value, words, va="bottom", **place)

    # the logarithm of an error of exactly 0 has no median
    values = where(rows, quantity="l1_estimation_error")["median"].fillna(0.0)
    value, words = values.iloc[0], r"$\ell^1$ minimizer $g^{*}$"
    if values.nunique() > 1:  # of several, each depth selects another
        write(ax, 0.99, 0.04, f"{words} differs with $D$", "axes fraction", ha="right")
    elif value > 1e-3 * errors["median"].min():
        ax.axhline(value, color="black", label=words, **DASHED)
        free = min(value, errors[errors["alpha"] <= median]["lower_quartile"].min())
        write(ax, 0.01, free, f"{words} (dashed)", va="top", **place)
    else:  # far below the curves
        write(ax, 0.99, 0.04, f"{words}: error ${number(value)}$", "axes fraction", ha="right")


def prediction(tables, args):
    """Fitted against predicted rates: a point an instance, a panel a noise level."""

    instances = tables.of("instances")
    panels = groups(instances, varying(instances, "eta", but=["s", "ensemble"]))
    # problems of one's own have no s
    hue = "s" if instances["s"].notna().any() else "ensemble"
    colors = {
        value: look["color"] for value, look in looks(sorted(instances[hue].unique())).items()
    }
    markers = dict(zip(sorted(instances["ensemble"].unique()), cycle("oDs^vPX*"), strict=False))
    figure, grid = panels_of(len(panels), 2.8)
    for (values, rows), ax in zip(panels, grid, strict=True):
        shown = measured(rows).dropna(subset=["predicted_rate", "fitted_rate"])
        words = in_numbers(rows["status"], noun="instances")
        missing = len(measured(rows)) - len(shown)
        words += f", {missing} without a rate" if missing else ""
        ax.set_title("  ".join(filter(None, [named(values), f"({words})"])))
        if shown.empty:
            say_empty(ax, NOT_KNOWN if missing else EMPTY)
        else:
            sns.scatterplot(
                shown,
                x="predicted_rate",
                y="fitted_rate",
                hue=hue,
                style="ensemble",
                palette=colors,
                markers=markers,
                s=15,
                alpha=0.85,
                linewidth=0.3,
                legend=False,
                ax=ax,
            )
            draw_diagonal(ax, shown[["predicted_rate", "fitted_rate"]].to_numpy())
        rate = slope_words(set(rows["depth"]))
        ax.set(xlabel=f"predicted rate {rate}", ylabel=fit_words(instances))
    dots = {"linestyle": "", "markersize": 4, "markeredgecolor": "none"}
    handles = [
        Line2D([], [], color=color, marker="o", label=equation("s", s), **dots)
        for s, color in colors.items()
        if hue == "s"
    ] + [
        Line2D([], [], color=colors.get(ensemble, "0.4"), marker=marker, label=ensemble, **dots)
        for ensemble, marker in markers.items()
    ]
    legend_above(figure, handles)
    return figure


def fit_words(instances):
    """The name of the fitted rate, with the window of its fit."""
    low, high = instances[["window_smallest", "window_largest"]].iloc[0]
    return rf"fitted rate over ${number(low)}\leq\alpha\leq {number(high)}$"


def draw_diagonal(ax, points):
    """The line y = x over the points; on logarithmic axes if they span more than a decade."""
    low, high = points.min(), points.max()
    if low > 0 and high > 10 * low:
        ax.set(xscale="log", yscale="log")
        ends = low / 1.5, high * 1.5
    else:
        margin = 0.06 * (high - low) or 0.1
        ends = low - margin, high + margin
    ax.plot(ends, ends, color="black", zorder=0.8, label=GUIDE, **DASHED)
    ax.set(xlim=ends, ylim=ends)
    if ax.get_xscale() == "log":
        log_ticks(ax.xaxis)
        log_ticks(ax.yaxis)


def tight(tables, args):
    """The family with a one-dimensional kernel: fitted rates, and errors over predictions."""
    curves, instances = tables.of("curves"), tables.of("instances")
    certified = where(instances, status=CERTIFIED)
    depths = sorted(curves["depth"].unique())
    cells = [values for values, _ in groups(curves, varying(curves, "family_rho", but=["depth"]))]
    colors = [look["color"] for look in looks(range(len(cells))).values()]
    figure = plt.figure(figsize=(PAGE, 3.7))
    grid = figure.add_gridspec(len(depths), 2, width_ratios=[1, 1.2])

    # left: rates; markers of several sizes, for most of them lie on one another
    ax = figure.add_subplot(grid[:, 0])
    ax.set(xscale="log", yscale="log", xlabel=r"$1-\varrho$", ylabel=fit_words(instances))
    handles = []
    for place, (D, marker) in enumerate(zip(depths, cycle("osDv^P"), strict=False)):
        look = {"marker": marker, "markersize": 3.5 + 2 * place, "markerfacecolor": "none"}
        for values, color in zip(cells, colors, strict=True):
            rows = where(certified, **values, depth=D).dropna(subset="fitted_rate")
            ax.plot(1 - rows["family_rho"], rows["fitted_rate"], ls="", color=color, **look)
        handles.append(Line2D([], [], color="0.3", ls="", label=equation("depth", D), **look))
    if certified["fitted_rate"].isna().all():
        say_empty(ax, lacking(instances))
    ends = np.array(ax.get_xlim())
    predictions = []
    if 2 in depths:
        ax.plot(ends, ends, color="black", zorder=0.8, label=GUIDE, **DASHED)
        predictions.append(r"$1-\varrho$ for $D=2$")
    if max(depths) > 2:
        ax.plot(ends, [1, 1], color="black", zorder=0.8, label=GUIDE, **DASHED)
        predictions.append(r"$1$ for $D>2$")
    handles.append(Line2D([], [], color="black", label=", ".join(predictions), **DASHED))
    ax.legend(handles=handles, loc="lower right")
    ax.set_xlim(ends)
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)

    # right: errors over predictions
    panels = [figure.add_subplot(grid[row, 1]) for row in range(len(depths))]
    for D, ax in zip(depths, panels, strict=True):
        ax.set(yscale="log", title=equation("depth", D))
        for values, color in zip(cells, colors, strict=True):
            rows = where(curves, **values, depth=D)
            draw_curve(ax, rows, "error_over_prediction", {"color": color, "marker": ""})
        if not ax.lines:
            say_empty(ax, lacking(where(instances, depth=D)))
        ax.axhline(1, color="black", zorder=0.8, **DASHED)
        alpha_axis(ax, curves)
        log_ticks(ax.yaxis)
        ax.tick_params(labelbottom=ax is panels[-1])
    panels[len(panels) // 2].set_ylabel("error / prediction")
    figure.align_ylabels(panels)
    panels[-1].set_xlabel(ALPHA)

    handles = []
    for values, color in zip(cells, colors, strict=True):
        rows = where(certified, **values)
        words = EMPTY if rows.empty else "error 0" if rows["fitted_rate"].isna().all() else ""
        words = f"{named(values)} ({words})" if words else named(values)
        handles.append(Line2D([], [], color=color, label=words))
    legend_above(figure, handles)
    return figure


def flow(tables, args):
    """Loss, error and coordinates against time: a column a depth, a colour a scale.

    Of the first and the last cell (the least and the most noise) the first certified
    repetition is drawn, its coordinates of the first cell only.
    """
    frame = tables.of("trajectories")
    if frame.empty:
        figure, ax = plt.subplots(figsize=(COLUMN, 2.0))
        ax.set_axis_off()
        say_empty(ax)
        return figure
    depths, style = sorted(frame["depth"].unique()), looks(sorted(frame["alpha"].unique()))
    cells = groups(frame, varying(frame, "eta", but=["depth"]))
    dashes = {len(cells) - 1: DOTS} | {0: "solid"}  # the first one on top
    figure, grid = plt.subplots(
        3, len(depths), figsize=(PAGE, 5.6), sharex=True, sharey="row", squeeze=False
    )
    shown = {place: first_repetition(cells[place][1]) for place in dashes}
    for D, column in zip(depths, grid.T, strict=True):
        for place, dash in dashes.items():
            draw_trajectories(column, where(shown[place], depth=D), style, dash, entries=place == 0)
        column[0].set_title(equation("depth", D))
    for ax, words in zip(
        grid[:, 0],
        [r"loss $\frac{1}{2}\Vert Ax(t)-y\Vert_2^2$", r"$\Vert x(t)-g^{*}\Vert_1$", r"$x_i(t)$"],
        strict=True,
    ):
        ax.set_ylabel(words)
    for axis in (grid[0, 0].xaxis, grid[0, 0].yaxis, grid[1, 0].yaxis):
        log_ticks(axis)
    figure.supxlabel("time $t$ of the gradient flow")

    def line(words, linestyle="solid", color="0.3"):
        return Line2D([], [], color=color, linestyle=linestyle, label=words)

    least, most = (flow_words(cells[place][0], shown[place]) for place in (0, len(cells) - 1))
    colors = [line(equation("alpha", alpha), color=look["color"]) for alpha, look in style.items()]
    kinds = [line(least + r", bottom: $i\in S$"), line(least + r", bottom: $i\notin S$", DASHES)]
    kinds += [line(most, DOTS)] if len(cells) > 1 else []
    if len(cells) > 2:
        kinds.append(line(f"not drawn: {len(cells) - 2} between these", "none"))
    # a legend fills its columns first: paired, each list has a row of its own
    pairs = zip_longest(colors, kinds, fillvalue=line(" ", "none"))
    legend_above(
        figure,
        [handle for pair in pairs for handle in pair],
        title=ALPHA,
        ncols=max(len(colors), len(kinds)),
    )
    return figure


def flow_words(values, rows):
    """A cell in words, with the status of the repetition that is shown, unless it is certified."""
    status = weakest(rows["status"].unique())
    return named(values) + ("" if status == CERTIFIED else f" ({status})")


def first_repetition(rows):
    """The first repetition of a cell, a certified one if there is any."""
    certified = where(rows, status=CERTIFIED)
    first = (rows if certified.empty else certified)["repetition"].min()
    return where(rows, repetition=first)


def draw_trajectories(column, rows, style, dash, entries):
    """One repetition in the three panels of a column: loss, error and, if asked for, entries."""
    loss, error, below = column
    loss.set(xscale="log", yscale="log")
    error.set_yscale("log")
    quantities = [(loss, "loss", dash), (error, "error_1", dash)]
    if entries:
        quantities += [(below, "x_off", DASHES), (below, "x_on", dash)]
    for alpha, look in style.items():
        for ax, quantity, linestyle in quantities:
            for _, line in groups(where(rows, alpha=alpha, quantity=quantity), ["coordinate"]):
                x, y = line["time"], line["value"]
                ax.plot(x, y, color=look["color"], linestyle=linestyle, marker="", label=TRAJECTORY)


def far(tables, args):
    """The local slope of the error however small alpha: a curve a depth, a panel a noise level."""
    curves, instances = tables.of("curves"), tables.of("instances")
    slopes = far_rows(where(curves, quantity="slope"))
    panels = groups(slopes, varying(slopes, "eta", but=["depth"]))
    style = looks(sorted(curves["depth"].unique()))
    rates = [
        {D: predicted_rate(where(instances, **values, depth=D)) for D in style}
        for values, _ in panels
    ]
    # a rate near 0 is seen on a logarithmic axis only
    small = pd.DataFrame(rates).min(axis=None) < 0.1
    scale = "log" if small and (slopes["median"].dropna() > 0).all() else "linear"
    figure, grid = panels_of(len(panels), 2.2)
    for (values, rows), of_panel, ax in zip(panels, rates, grid, strict=True):
        ax.set_title(named(values) + counted(where(instances, **values)))
        far_axis(ax, slopes["decades"])
        ax.set_yscale(scale)
        if ax is not grid[0]:
            ax.sharey(grid[0])
        for place, (D, look) in enumerate(style.items()):
            draw_curve(ax, where(rows, depth=D), "slope", look, place / len(style), x="decades")
        if not ax.lines:
            say_empty(ax, lacking(where(instances, **values)))
            continue
        for place, (D, look) in enumerate(style.items()):
            cell = measured(where(instances, **values, depth=D))
            height = 0.03 + 0.035 * (len(style) - 1 - place)
            draw_onset(ax, cell["onset_log10_alpha"], height, look)
        words = {
            rate: rate_words(rate, D) if D == 2 else f"{rate:g}"
            for D, rate in of_panel.items()
            if not np.isnan(rate)
        }
        for rate, text in words.items():
            ax.axhline(rate, color="black", zorder=2.5, label=text, **DASHED)
            write(ax, 1.01, rate, text, ("axes fraction", "data"), va="center")
    if scale == "log":
        log_ticks(grid[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel("local slope of the error")
    legend_above(figure, [*lines_of(style, "depth"), Line2D([], [], label="onset", **ONSET)])
    return figure


def draw_onset(ax, onsets, height, look):
    """A marker at the median, at a height in parts of the axes, unless one is not reached."""
    if len(onsets) and onsets.notna().all():
        place = ax.get_xaxis_transform()
        ax.plot(-onsets.median(), height, transform=place, **ONSET | look | {"linestyle": ""})


def bounds(tables, args):
    """The error off the support between its bounds: a row a noise level, a column a depth.

    Of each row the first certified repetition is drawn.
    """
    frame = tables.of("bounds")
    cells = groups(frame, varying(frame, "eta", but=["depth"]))
    depths = sorted(frame["depth"].unique())
    figure, grid = plt.subplots(
        len(cells),
        len(depths),
        figsize=(PAGE if len(depths) > 1 else COLUMN, 0.8 + 1.9 * len(cells)),
        sharex=True,
        sharey="row",
        squeeze=False,
    )
    low, high = frame["log10_alpha"].min(), frame["log10_alpha"].max()
    grid[0, 0].set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    exponent_ticks(grid[0, 0].xaxis)
    for (values, cell), line in zip(cells, grid, strict=True):
        certified = where(cell, status=CERTIFIED)
        rows = where(certified, repetition=certified["repetition"].min())
        for D, ax in zip(depths, line, strict=True):
            ax.set_title(named({"depth": D} | values))
        if not np.isfinite(rows["log10_error_off"]).any():
            for ax in line:
                say_empty(ax, EMPTY if rows.empty else NO_ERROR)
            continue
        line[0].set_ylim(bounds_limits(rows))
        for D, ax in zip(depths, line, strict=True):
            draw_bounds(ax, where(rows, depth=D).sort_values("log10_alpha"))
        exponent_ticks(line[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel(ERROR_OFF)
    handles = [
        Line2D([], [], label="measured", **LIMIT_POINT),
        Patch(color=BANDS["refined_off"], label="between the refined bounds"),
        Patch(color=BANDS["error_off"], label=r"between the bounds by $\varrho_\alpha$"),
    ]
    if "log10_classical_upper" in frame:
        words = r"upper bound by $\kappa$ and $\tilde\varrho$, $D=2$"
        handles.append(Line2D([], [], label=words, color="black", **DASHED))
    legend_above(figure, handles)
    return figure


def bounds_limits(rows):
    """Decimal logarithms between which errors are drawn, and as much of the bounds as fits."""
    error = rows["log10_error_off"].replace(-np.inf, np.nan)
    outer = rows.reindex(columns=["log10_error_off_upper", "log10_classical_upper"]).stack()
    upper = outer[outer < error.max() + 3.0].max()
    lower = rows["log10_error_off_lower"]
    lower = lower[lower > error.min() - 4.0].min()
    return np.nanmin([lower, error.min()]) - 0.5, np.nanmax([upper, error.max() + 2.5]) + 0.5


def draw_bounds(ax, rows):
    """One instance at one depth; where a bound is outside the axis or says nothing, words."""
    low, high = ax.get_ylim()
    x = rows["log10_alpha"]
    for band, color in BANDS.items():
        lower, upper = (rows[f"log10_{band}_{side}"].clip(low, high) for side in ("lower", "upper"))
        # a line beside the area, or an area of no width would not be seen
        ax.fill_between(x, lower, upper, color=color, linewidth=0.8)
    ax.plot(x, rows["log10_error_off"], **LIMIT_POINT)
    outer = rows["log10_error_off_upper"]
    words = []
    if np.isposinf(outer).any():
        words.append("no upper bound")
    elif outer.max() > high:
        words.append(f"upper bound up to $10^{{{outer.max():.0f}}}$")
    if "log10_classical_upper" in rows and rows["log10_classical_upper"].notna().any():
        classical = rows["log10_classical_upper"]
        ax.plot(x, classical.where(classical <= high), color="black", **DASHED)
        if classical.max() > high:
            words.append(f"dashed up to $10^{{{classical.max():.0f}}}$")
    if words:  # above where the bound is outside
        middle = ax.transLimits.transform((x[outer > high].median(), low))[0]
        place = np.clip(np.nan_to_num(middle, nan=0.5), 0.3, 0.7)
        write(ax, place, 0.98, "\n".join(words), "axes fraction", ha="center", va="top")


def tightness(tables, args):
    """Bounds over errors in the family with a one-dimensional kernel: a panel an m and a depth."""
    frame = far_rows(tables.of("bounds"))
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
    lower = {
        "log10_error_over_lower_off": (DOTS, "error / lower bound"),
        "log10_error_over_refined_lower_off": (DASHES, "error / refined lower bound"),
    }
    for (values, cell), line in zip(cells, grid, strict=True):
        for D, ax in zip(depths, line, strict=True):
            ax.set_title(named({"depth": D} | values))
            far_axis(ax, frame["decades"])
            certified = where(cell, depth=D, status=CERTIFIED)
            if certified.empty:
                say_empty(ax)
            for family_rho, look in style.items():
                rows = where(certified, family_rho=family_rho).sort_values("decades")
                draw = partial(ax.plot, rows["decades"])
                draw(rows["log10_upper_over_error_off"], markerfacecolor="white", **look)
                for column, (dashes, words) in lower.items():
                    grey = {"color": "0.3", "linestyle": dashes, "linewidth": 0.9, "marker": ""}
                    draw(rows[column], label=words, **grey)
        exponent_ticks(line[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel("upper bound / error")
    handles = lines_of(style, "family_rho") + [
        Line2D([], [], color="0.3", linestyle=dashes, linewidth=0.9, label=words)
        for dashes, words in lower.values()
    ]
    legend_above(figure, handles)
    return figure


def phase(tables, args):
    """rho over (N/d, s/N), brackets of the constant of order s, and rho~ against rho."""
    frame = tables.of("phase")
    figure = plt.figure(figsize=(PAGE, 2.9))
    left, middle, right = figure.subplots(1, 3, width_ratios=[1.45, 1, 1])
    draw_diagram(left, frame)
    handles = [*left.lines, *draw_orders(middle, frame), *draw_constants(right, frame)]
    legend_above(figure, handles)
    return figure


def draw_diagram(ax, frame):
    """The median of rho of the planted signal over (N/d, s/N), and the weak threshold."""

    palette = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
    # from dark to light with a jump at 1, which is seen in grey too
    colors = [(0, palette[0]), (0.5, palette[2]), (0.5, palette[5]), (1, "#fff7e0")]
    look = {
        "cmap": LinearSegmentedColormap.from_list("rho", colors),
        "norm": TwoSlopeNorm(1.0, 0.0, 2.0),
        "label": r"$\varrho$ of $x_0$",
    }
    deltas = np.sort(frame["delta"].unique())
    for left, right, delta in zip(*edges(deltas), deltas, strict=True):
        medians = where(frame, delta=delta).groupby("sparsity")["rho_planted"].median()
        medians = medians.clip(upper=1e3)  # infinity has no colour
        lower, upper = edges(medians.index.to_numpy())
        heights = [*lower, upper[-1]]
        mesh = ax.pcolormesh([left, right], heights, medians.to_numpy()[:, None], **look)
    bar = ax.inset_axes((1.03, 0.0, 0.035, 1.0))
    ax.figure.colorbar(mesh, cax=bar, extend="max", label=look["label"])
    ax.set(xlabel="$N/d$", ylabel="$s/N$", xlim=ax.get_xlim(), ylim=ax.get_ylim())
    ax.grid(visible=False)
    x = np.linspace(*np.clip(ax.get_xlim(), 0.0, 1.0), 200)
    ax.plot(x, weak_threshold(x), color="black", linewidth=1.4, marker="", label="weak threshold")


def edges(centers):
    """Lower and upper edges of cells that meet half way between their centers."""
    if len(centers) == 1:
        return 0.8 * centers, 1.2 * centers
    middle = (centers[1:] + centers[:-1]) / 2
    lower = np.append(2 * centers[0] - middle[0], middle)
    return lower, np.append(middle, 2 * centers[-1] - middle[-1])


def draw_orders(ax, frame):
    """Brackets of the constant of order s against s/N, medians for a few N/d; their legend."""
    known = frame.dropna(subset="order_lower")
    ax.set(yscale="log", xlabel="$s/N$", ylabel="constant of order $s$")
    if known.empty:
        write(ax, 0.5, 0.5, "not asked for", "axes fraction", ha="center", va="center")
        return []
    deltas = np.sort(known["delta"].unique())
    deltas = deltas[np.unique(np.linspace(0, len(deltas) - 1, 3).round().astype(int))]
    # beside one another
    shifts = 0.02 * np.ptp(known["sparsity"]) * (np.arange(len(deltas)) - (len(deltas) - 1) / 2)
    handles = []
    for (delta, look), shift in zip(looks(list(deltas)).items(), shifts, strict=True):
        rows = where(known, delta=delta).groupby("sparsity")[["order_lower", "order_upper"]]
        lower, upper = rows.median().to_numpy().T
        x = np.array(list(rows.groups)) + shift
        draw_brackets(ax, x, lower, upper, look["color"])
        handles += ax.plot(x, lower, markerfacecolor="white", label=f"$N/d={delta:g}$", **look)
    ax.axhline(1, color="black", zorder=0.8, **DASHED)
    ax.set_ylim(top=1.5 * ax.get_ylim()[1])  # room for arrows
    log_ticks(ax.yaxis)
    return handles


def draw_constants(ax, frame):
    """rho~ against rho of the signals that are recovered; their legend."""
    known = where(frame, recovered=True).dropna(subset="rho_tilde_lower")
    ax.set(xscale="log", yscale="log", xlabel=r"$\varrho$", ylabel=r"$\tilde\varrho$")
    if known.empty:
        say_empty(ax, "not asked for" if frame["recovered"].any() else "no signal is recovered")
    exact = known[known["rho_tilde_lower"] == known["rho_tilde_upper"]]
    rest = known.drop(exact.index)
    draw_brackets(ax, rest["rho_upper"], rest["rho_tilde_lower"], rest["rho_tilde_upper"], "0.55")
    dots = {"color": "black", "linestyle": "", "marker": "o", "markersize": 2.5}
    ax.plot(exact["rho_upper"], exact["rho_tilde_lower"], **dots)
    ends = np.array(ax.get_xlim())
    ax.plot(ends, ends, color="black", zorder=0.8, label=GUIDE, **DASHED)
    ax.set_xlim(ends)
    log_ticks(ax.xaxis)
    log_ticks(ax.yaxis)
    return [
        Line2D([], [], label=r"$\tilde\varrho$ exact", **dots),
        Line2D([], [], color="0.55", label=r"$\tilde\varrho$ bracketed", linewidth=0.8),
    ]


def draw_brackets(ax, x, lower, upper, color):
    """From lower to upper bounds; an arrow where the upper one is infinite."""
    for place, low, high in zip(x, lower, upper, strict=True):
        if np.isfinite(high):
            look = {"color": color, "linewidth": 0.8, "marker": "_"}
            ax.plot([place, place], [low, high], zorder=1.5, **look)
        else:
            look = {"arrowstyle": "<-", "color": color, "linewidth": 0.8, "shrinkB": 0}
            ax.annotate("", (place, low), (0, 14), textcoords="offset points", arrowprops=look)


def descent(tables, args):
    """What a finite step does: the distance to the flow's limit against alpha, a panel a depth."""
    frame = tables.of("descent")
    certified = where(frame, status=CERTIFIED)
    panels = groups(frame, varying(frame, "depth"))
    style = looks(sorted(frame["fraction"].unique()))
    figure, grid = panels_of(len(panels), 2.2)
    for (values, _), ax in zip(panels, grid, strict=True):
        cell = where(certified, **values)
        words = counted(where(frame, **values), kinds=[CERTIFIED])
        ax.set(yscale="log", title=named(values) + words)
        alpha_axis(ax, frame)
        if ax is not grid[0]:
            ax.sharey(grid[0])
        for fraction, look in style.items():
            for _, rows in cell[cell["fraction"] == fraction].groupby("repetition"):
                rows = rows.sort_values("alpha")
                ax.plot(rows["alpha"], rows["relative_step_distance"], **look | {"marker": ""})
                ended = rows["outcome"] == CONVERGED
                for part, fill in ((rows[ended], look["color"]), (rows[~ended], "white")):
                    x, y = part["alpha"], part["relative_distance"]
                    ax.plot(x, y, markerfacecolor=fill, **look | {"linestyle": ""})
                lost = rows[~np.isfinite(rows["relative_distance"])]
                if len(lost):
                    place = ax.get_xaxis_transform()
                    ax.plot(lost["alpha"], np.full(len(lost), 0.97), transform=place, **look | LOST)
        if not ax.lines:
            say_empty(ax)
    log_ticks(grid[0].yaxis)
    figure.supxlabel(ALPHA)
    figure.supylabel(DISTANCE)
    dots = {"color": "0.3", "linestyle": "", "marker": "o"}
    handles = [
        Patch(color=look["color"], label=equation("fraction", fraction))
        for fraction, look in style.items()
    ] + [
        Line2D([], [], label="converged", **dots),
        Line2D([], [], label="not converged", markerfacecolor="white", **dots),
        Line2D([], [], color="0.3", label="continued by the flow"),
    ]
    if not np.isfinite(certified["relative_distance"]).all():
        handles.append(Line2D([], [], color="0.3", label="diverged", **LOST))
    legend_above(figure, handles)
    return figure


def norms(tables, args):
    """Population error, and excess l1 and l2 norms, against alpha: a curve a depth.

    Columns are noise levels; the l2 excess has a dotted line.
    """
    curves, instances = tables.of("curves"), tables.of("instances")
    panels = groups(curves, varying(curves, "eta", but=["depth"]))
    style = looks(sorted(curves["depth"].unique()))
    figure, grid = two_rows(len(panels), 4.9)
    for (values, rows), (top, bottom) in zip(panels, grid.T, strict=True):
        top.set(yscale="log", title=named(values) + counted(where(instances, **values)))
        bottom.set_yscale("log")
        top.margins(y=0.12)
        squared = population_errors(rows)
        for place, (D, look) in enumerate(style.items()):
            shift = place / len(style)
            draw_curve(top, where(squared, depth=D), "estimation_error", look, shift)
            here = where(rows, depth=D)
            draw_curve(bottom, positive(here), "excess_l1", look, shift)
            dotted = look | {"linestyle": DOTS, "marker": ""}
            draw_curve(bottom, positive(here), "excess_l2", dotted)
        for ax in (top, bottom):
            alpha_axis(ax, curves)
        if top.lines:
            baselines(top, squared)
        elif bottom.lines:  # data of one's own
            say_empty(top, NO_SIGNAL)
        else:
            for ax in (top, bottom):
                say_empty(ax, lacking(where(instances, **values)))
    excess = curves[curves["quantity"].isin(["excess_l1", "excess_l2"])]["upper_quartile"]
    if excess.max() > SMALLEST_EXCESS:  # not of nan
        low = max(grid[1, 0].get_ylim()[0], SMALLEST_EXCESS)
        grid[1, 0].set_ylim(low, 3.0 * excess.max())
    for ax in grid[:, 0]:
        log_ticks(ax.yaxis)
    grid[0, 0].set_ylabel(r"$\Vert x^{\infty}(\alpha)-x_0\Vert_2^2$")
    grid[1, 0].set_ylabel("excess norm")
    figure.supxlabel(ALPHA)
    kinds = [
        Line2D([], [], color="0.3", label=excess_words(1)),
        Line2D([], [], color="0.3", linestyle=DOTS, label=excess_words(2)),
    ]
    legend_above(figure, [*lines_of(style, "depth"), *kinds])
    return figure


def population_errors(curves):
    """The rows of the distances to x_0, squared.  Quantiles of logarithms square with them."""
    rows = curves[curves["quantity"].str.endswith("estimation_error")]
    return rows.assign(**{name: rows[name] ** 2 for name in STATISTICS})


def positive(rows):
    """Rows without medians of exactly 0, which a logarithmic axis cannot show."""
    return rows[rows["median"] > 0]


def excess_words(order):
    return rf"excess $\ell^{order}$ norm"


def reach(tables, args):
    """The largest alpha with a population error of at most --reach, against N: a curve a depth."""
    if args.reach is None:
        raise Failure("figure reach needs --reach")
    instances = tables.of("points").dropna(subset="N")  # data of one's own have no place here
    points = measured(instances).dropna(subset="estimation_error")
    panels = groups(points, varying(points, "eta", but=["N", "depth"]))
    style = looks(sorted(points["depth"].unique()))
    figure, grid = panels_of(max(1, len(panels)), 2.9)
    if points.empty:
        say_empty(grid[0])
        return figure
    ends = points["log10_alpha"].min(), points["log10_alpha"].max()
    for (values, rows), ax in zip(panels, grid, strict=True):
        ax.set(yscale="log", title=named(values) + counted(where(instances, **values)))
        summary = reached(rows, args.reach)
        ax.set_ylim(reach_limits(summary, ends, len(style)))
        numbers = np.sort(rows["N"].unique())
        ax.set_xticks(numbers, [f"{number:g}" for number in numbers])
        gap = np.diff(numbers).min() if len(numbers) > 1 else 1.0
        ax.set_xlim(numbers[0] - 0.6 * gap, numbers[-1] + 0.6 * gap)
        for place, (D, look) in enumerate(style.items()):
            shift = 0.2 * gap * (place - (len(style) - 1) / 2)
            cell = where(summary, depth=D).sort_values("N")
            draw_reached(ax, cell.assign(x=cell["N"] + shift), ends, look)
            height = 0.02 + COUNT_HEIGHT * (len(style) - 1 - place)
            for _, row in cell[cell["inside"] < cell["count"]].iterrows():
                words = f"{row['inside']:.0f}/{row['count']:.0f}"
                options = {"color": look["color"], "ha": "center", "fontsize": 6}
                write(ax, row["N"], height, words, ("data", "axes fraction"), **options)
        log_ticks(ax.yaxis)
    figure.supxlabel("$N$")
    words = rf"largest $\alpha$ with $\Vert x^{{\infty}}(\alpha)-x_0\Vert_2^2\leq {args.reach:g}$"
    figure.supylabel(words)
    dots = {"color": "0.3", "linestyle": "", "marker": "o"}
    handles = [
        *(Line2D([], [], label=equation("depth", D), **look) for D, look in style.items()),
        Line2D([], [], label="median", **dots),
        Line2D([], [], label="beyond the path of $\\alpha$", markerfacecolor="white", **dots),
    ]
    legend_above(figure, handles)
    return figure


def largest_scale(log10_alpha, error, target):
    """log10 of the largest alpha at which an error is at most a target.

    Between the largest scale that has such an error and its upper neighbour, log error is
    taken to be linear in log alpha, which is exact for a power law.

    Args:
        log10_alpha, error: shape (m,), in any order; errors at least 0.
        target: positive.
    Returns:
        inf if the largest scale has such an error, -inf if none has.
    """
    order = np.argsort(log10_alpha)
    x, error = np.asarray(log10_alpha)[order], np.asarray(error)[order]
    below = np.flatnonzero(error <= target)
    if below.size == 0:
        return -np.inf
    last = below[-1]
    if last == len(x) - 1:
        return np.inf
    if error[last] == 0:  # no line from there
        return x[last]
    low, high = np.log(error[last : last + 2])
    return x[last] + (np.log(target) - low) / (high - low) * (x[last + 1] - x[last])


def reached(points, target):
    """Statistics of the largest scale for each N and depth, over the repetitions.

    Returns:
        columns N, depth, the quartiles and the median of log10 alpha (-inf and inf where they
        are beyond the path), count of repetitions, and how many have theirs inside the path.
    """
    rows = []
    for (N, depth), cell in points.groupby(["N", "depth"]):
        scales = np.array(
            [
                largest_scale(instance["log10_alpha"], instance["estimation_error"] ** 2, target)
                for _, instance in cell.groupby([*varying(cell), "repetition"], dropna=False)
            ]
        )
        # quantiles cannot interpolate infinities
        quartiles = np.quantile(np.clip(scales, -BEYOND, BEYOND), [0.25, 0.5, 0.75])
        quartiles = np.where(np.abs(quartiles) > 0.1 * BEYOND, np.inf * quartiles, quartiles)
        inside = np.isfinite(scales).sum()
        rows.append((N, depth, *quartiles, len(scales), inside))
    return pd.DataFrame(rows, columns=["N", "depth", *STATISTICS, "count", "inside"])


def reach_limits(summary, ends, depths):
    """Limits of the axis of alpha, with room for arrows and for the rows of counts."""
    values = summary[STATISTICS].to_numpy().ravel()
    shown = np.clip(values, *ends)
    low, high = shown.min(), shown.max()
    size = max(high - low, 1.0)
    rows = depths if (summary["inside"] < summary["count"]).any() else 0
    below = COUNT_HEIGHT * rows + (0.16 if np.isneginf(values).any() else 0.05)
    above = 0.14 if np.isposinf(values).any() else 0.05
    size /= 1.0 - below - above
    return 10.0 ** (low - below * size), 10.0 ** (high + above * size)


def draw_reached(ax, cell, ends, look):
    """Medians and quartiles of one depth; an open marker with an arrow where one is beyond."""
    clipped = {name: 10.0 ** cell[name].clip(*ends) for name in STATISTICS}
    draw_brackets(
        ax, cell["x"], clipped["lower_quartile"], clipped["upper_quartile"], look["color"]
    )
    known = np.isfinite(cell["median"])
    ax.plot(cell["x"], clipped["median"].where(known), **look | {"markersize": 4.0})
    ax.plot(
        cell["x"][~known],
        clipped["median"][~known],
        markerfacecolor="white",
        **look | {"linestyle": "", "markersize": 4.0},
    )
    for place, height, value in zip(cell["x"], clipped["median"], cell["median"], strict=True):
        if not np.isfinite(value):
            arrow = {"arrowstyle": "<-", "color": look["color"], "linewidth": 0.8, "shrinkB": 3}
            shift = (0, 14 if value > 0 else -14)
            ax.annotate("", (place, height), shift, textcoords="offset points", arrowprops=arrow)


def lasso_path(tables, args):
    """The time average of the flow and the lasso path: a column a problem, a colour a scale.

    From top to bottom: coordinates, distance, relative suboptimality in the lasso's objective.
    The first repetition is drawn.
    """
    frame = tables.of("lasso_paths")
    frame = where(frame, repetition=frame["repetition"].min())
    style = looks(sorted(frame["alpha"].unique()))
    columns = groups(frame, varying(frame))
    figure, grid = plt.subplots(
        3,
        len(columns),
        figsize=(PAGE * max(1, len(columns) / 3) if len(columns) > 1 else COLUMN, 5.8),
        sharex="col",
        squeeze=False,
        height_ratios=[1.5, 1, 1],
    )
    for (values, rows), axes in zip(columns, grid.T, strict=True):
        monotone = where(rows, quantity="monotone")["value"].min() == 1
        words = rf"$x(\mu)/\mu$ {'monotone' if monotone else 'not monotone'}"
        axes[0].set_title(", ".join(filter(None, [named(values), words])))
        draw_averages(axes[0], rows, style)
        for ax, quantity in zip(axes[1:], ("distance", "gap"), strict=True):
            draw_distances(ax, where(rows, quantity=quantity), style, DEEPEST[quantity])
        largest = where(rows, quantity="largest_distance").set_index("alpha")
        for alpha, look in style.items():
            dot = {"marker": "o", "linestyle": "", "color": look["color"]}
            axes[1].plot(largest.loc[[alpha], "mu"], largest.loc[[alpha], "value"], **dot)
        axes[2].invert_xaxis()  # time grows with 1/mu
    grid[0, 0].set_ylabel(r"$\bar{x}_i$, $x_i(\mu)$")
    grid[1, 0].set_ylabel(r"$\Vert\bar{x}-x(\mu)\Vert_1$")
    grid[2, 0].set_ylabel("suboptimality")
    figure.supxlabel(r"$\mu$ of the lasso; the time of the flow grows to the right")
    handles = [
        Line2D([], [], color=look["color"], label=equation("alpha", alpha))
        for alpha, look in style.items()
    ] + [
        Line2D([], [], label=r"lasso $x(\mu)$", color="black", **DASHED),
        Line2D([], [], label="largest", color="0.3", linestyle="", marker="o"),
    ]
    legend_above(figure, handles, title=ALPHA)
    return figure


def draw_averages(ax, rows, style):
    """Coordinates of the averages for each scale, those of the lasso dashed and named."""
    ax.set_xscale("log")
    for alpha, look in style.items():
        for _, line in groups(where(rows, alpha=alpha, quantity="average"), ["coordinate"]):
            ax.plot(line["mu"], line["value"], color=look["color"], marker="", linewidth=0.9)
    lasso = where(rows, quantity="lasso", alpha=min(style))
    ends = {}
    for values, line in groups(lasso, ["coordinate"]):
        line = line.sort_values("mu")
        ax.plot(line["mu"], line["value"], color="black", zorder=3, **DASHED)
        ends[values["coordinate"]] = line["value"].iloc[0]
    ax.set_xlim(lasso["mu"].min(), lasso["mu"].max())
    log_ticks(ax.xaxis)
    heights = apart(np.array(list(ends.values())), 0.09 * np.ptp(ax.get_ylim()))
    for coordinate, height in zip(ends, heights, strict=True):
        place = ("axes fraction", "data")
        write(ax, 1.01, height, f"$x_{{{coordinate + 1:.0f}}}$", place, va="center")


def apart(heights, gap):
    """Heights with neighbours moved away from each other where they are closer than a gap."""
    order = np.argsort(heights, kind="stable")
    result = heights[order].astype(float)
    for _ in range(20 * len(heights)):
        lack = np.maximum(gap - np.diff(result), 0.0)
        result[:-1] -= lack / 2
        result[1:] += lack / 2
    return result[np.argsort(order)]


def draw_distances(ax, rows, style, deepest):
    """A curve for each scale, down to a fraction of the largest value."""
    ax.set_yscale("log")
    for alpha, look in style.items():
        line = where(rows, alpha=alpha)
        line = line[line["value"] > 0]  # a gap that is all rounding may be negative
        ax.plot(line["mu"], line["value"], color=look["color"], marker="")
    top = ax.get_ylim()[1]
    ax.set_ylim(deepest * top, top)
    log_ticks(ax.yaxis)


FIGURES = {
    "noise": noise,
    "depth": depth,
    "generalization": generalization,
    "prediction": prediction,
    "tight": tight,
    "flow": flow,
    "far": far,
    "bounds": bounds,
    "tightness": tightness,
    "phase": phase,
    "descent": descent,
    "norms": norms,
    "reach": reach,
    "lasso_path": lasso_path,
}


if __name__ == "__main__":
    run(main, ("--output", "--csv", "--origin"))
