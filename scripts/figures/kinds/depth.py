"""Figure depth: the error and its local slope against alpha, a curve a depth."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures.axes import alpha_axis, log_ticks, rows_of
from figures.frames import (
    FLOW_POINTS,
    STATISTICS,
    Options,
    Tables,
    curves_of,
    groups,
    varying,
    where,
    with_flow_points,
    without_rounding,
)
from figures.marks import (
    DASHED,
    draw_curve,
    draw_flow_points,
    draw_reference,
    flow_entries,
    legend_above,
    lines_of,
    looks,
    nothing_of,
    say_empty,
    write_beside,
)
from figures.words import ALPHA, ERROR, is_one_minus_rho, rate_number, rate_words, titled


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The errors and slopes of each cell."""
    axes = varying(tables.of("curves"), "eta", but=["depth"])
    frame = curves_of(tables, axes, ["error_1", "slope"])
    slopes = frame["quantity"] == "slope"
    frame.loc[slopes, STATISTICS] = without_rounding(frame.loc[slopes, STATISTICS])
    return with_flow_points(frame, tables, axes)


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """A column a noise level, errors above slopes; dashed are the predicted rates."""
    panels = groups(frame, varying(frame, "eta", but=["depth"]))
    style = looks(sorted(frame["depth"].unique()))
    figure, grid = rows_of(2, len(panels), 4.6)
    for (values, rows), column in zip(panels, grid.T, strict=True):
        top, bottom = column
        top.set(yscale="log", title=titled(values, rows["instances"].iloc[0]))
        for place, (D, look) in enumerate(style.items()):
            for ax, quantity in ((top, "error_1"), (bottom, "slope")):
                line = where(rows, depth=D, quantity=quantity)
                draw_curve(ax, 10.0 ** line["log10_alpha"], line, look, place / len(style))
            draw_flow_points(top, where(rows, depth=D, quantity=FLOW_POINTS), look)
        rows = rows[rows["quantity"] != FLOW_POINTS]
        for ax in column:
            alpha_axis(ax, frame["log10_alpha"])
            if nothing_of(rows):
                say_empty(ax, nothing_of(rows))
    for (_, rows), column in zip(panels, grid.T, strict=True):
        others = rows[rows["quantity"].isin(["error_1", FLOW_POINTS])]
        for D in {2, max(style)}.intersection(style):
            line = where(rows, depth=D, quantity="error_1")
            _draw_rate(column[0], column[1], line, others, D)
    if frame["nothing"].isna().any():
        log_ticks(grid[0, 0].yaxis)
    grid[0, 0].set_ylabel(ERROR)
    grid[1, 0].set_ylabel("local slope of the error")
    figure.supxlabel(ALPHA)
    legend_above(figure, [*lines_of(style, "depth"), *flow_entries(frame)])
    return figure


def _draw_rate(top, bottom, line, others, depth):
    """The predicted rate of one depth: a segment beside all errors, a line through its slopes."""
    if line.empty or np.isnan(line["predicted_rate"].iloc[0]):
        return
    row = line.iloc[0]
    rate = row["predicted_rate"]
    if depth == 2:
        power = r"1-\varrho" if is_one_minus_rho(row) else rate_number(rate)
        words = rf"$\propto\alpha^{{{power}}}$"
        draw_reference(top, line, 0.06, words=words, others=others)
        words = rate_words(row)
    else:
        power = "" if rate == 1 else f"^{{{rate_number(rate)}}}"
        words = rf"$\propto\alpha{power}$"
        draw_reference(top, line, -0.06, words=words, others=others)
        words = f"{rate:.3g}"
    bottom.axhline(rate, color="black", label=words, **DASHED)
    write_beside(bottom, rate, words)
