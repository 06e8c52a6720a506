"""What is done to every figure once it is drawn: titles are broken, its layout stands, notes."""

import re
from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.figure import Figure
from matplotlib.text import Text

# inches between notes below a figure
NOTE_GAP = 0.04


def settle(figure: Figure) -> None:
    """Lay the figure out, once: the solver's positions differ in their last bits between runs."""
    figure.draw_without_rendering()
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
    for ax in figure.axes:
        ax.set_position(np.round(ax.get_position().bounds, 6))


def break_titles(figure: Figure) -> None:
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


def break_lines(text: Text, room: float, renderer: RendererBase) -> None:
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


def replace_words(figure: Figure, old: str, new: str) -> None:
    """Replace one text wherever it stands."""
    for text in figure.findobj(Text):
        if text.get_text() == old:
            text.set_text(new)


def write_below(figure: Figure, notes: Sequence[str]) -> None:
    """Notes in a strip that is added below a figure whose layout stands."""
    if not notes:
        return
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
