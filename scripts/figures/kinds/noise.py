"""Figure noise: the error against alpha, a curve a noise level."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from figures.axes import alpha_axis, log_ticks, one_panel
from figures.frames import (
    FLOW_POINTS,
    Options,
    Tables,
    curves_of,
    groups,
    varying,
    where,
    with_flow_points,
)
from figures.marks import (
    DASHED,
    GREY,
    draw_curve,
    draw_flow_points,
    draw_reference,
    flow_entries,
    legend_above,
    looks,
    nothing_of,
    say_empty,
)
from figures.words import ALL_CERTIFIED, ALPHA, ERROR, named, rate_words, slope_words


def plotted(tables: Tables, options: Options) -> pd.DataFrame:
    """The errors of each cell."""
    axes = varying(tables.of("curves"), "eta")
    return with_flow_points(curves_of(tables, axes, ["error_1"]), tables, axes)


def picture(frame: pd.DataFrame, options: Options) -> Figure:
    """One panel; a dashed segment beside each curve has the predicted slope."""
    cells = groups(frame, varying(frame, "eta"))
    figure, ax = one_panel(3.0)
    ax.set(yscale="log", xlabel=ALPHA, ylabel=ERROR)
    alpha_axis(ax, frame["log10_alpha"])
    drawn, handles = [], []
    for place, look in looks(range(len(cells))).items():
        values, rows = cells[place]
        crosses = where(rows, quantity=FLOW_POINTS)
        draw_flow_points(ax, crosses, look)
        rows = rows[rows["quantity"] != FLOW_POINTS]
        nothing = nothing_of(rows)
        if nothing is None:
            draw_curve(ax, 10.0 ** rows["log10_alpha"], rows, look, place / len(cells))
            drawn.append((rows, crosses, look))
        handles.append(Line2D([], [], label=_entry(values, rows), markerfacecolor="white", **look))
    for rows, crosses, look in drawn:  # now that the limits of the axes stand
        draw_reference(ax, rows, -0.02, look["color"], others=crosses)
    if drawn:
        log_ticks(ax.yaxis)
    else:
        say_empty(ax, nothing_of(frame))
    handles = [*flow_entries(frame), *handles]
    known = frame.dropna(subset=["predicted_rate", "median"])
    if len(known):
        rates = slope_words(known)
        words = f"slope {rates}" if rates else "predicted slope"
        handles.insert(0, Line2D([], [], color=GREY, label=words, **DASHED))
    if (
        len(cells) <= 4
        and list(cells[0][0]) == ["eta"]
        and (frame["instances"] == ALL_CERTIFIED).all()
    ):
        # errors grow with alpha, so the lower right is free; the upper curves come first
        ax.legend(handles=handles[::-1], loc="lower right")
    else:
        legend_above(figure, handles)
        (legend,) = figure.legends
        figure.set_figheight(2.6 + legend.get_window_extent().height / figure.dpi)
    return figure


def _entry(values, rows):
    """A cell in words: its rate, or why there is nothing of it."""
    first = rows.iloc[0]
    told = nothing_of(rows) or rate_words(first)
    if told == nothing_of(rows) or first["instances"] == ALL_CERTIFIED:
        return f"{named(values)},  {told}"
    return f"{named(values)},  {told} ({first['instances']})"
