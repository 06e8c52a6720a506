"""Figures drawn in a test, and what is asked of every one of them."""

import itertools
import re

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.text import Text

from figures import draw
from figures.frames import Options, Tables
from figures.marks import GREY
from pipeline.tidy import write_table
from workflow_runs import ROOT

# words that no reader is to see: numbers that are none, but not the sign \infty
NO_NUMBER = re.compile(r"(?<![A-Za-z\\])(nan|inf)(?![A-Za-z])")


class Drawer:
    """Draws figures from frames, in a folder, and checks what they show."""

    def __init__(self, folder):
        draw.use_style(ROOT / "scripts/figures/house.mplstyle")
        self.folder = folder
        self.made = []

    def __call__(self, kind, *frames, reach=None, laid_out=True):
        """The figure, and the frame that is plotted; its words are sound.

        Args:
            laid_out: whether it is laid out too, which takes most of the time: then no texts
                are on one another.
        """
        tables = self.tables(*frames)
        plotted, figure = draw.drawn(kind, tables, Options((1e-4, 1e-1), reach))
        self.made.append(figure)
        if laid_out:
            draw.lay_out(figure, tables)
            apart(figure)
        sound(figure)
        return figure, plotted

    def tables(self, *frames):
        """These frames, written and read as the tables of a figure."""
        paths = [self.folder / f"{place}.parquet" for place in range(len(frames))]
        for path, frame in zip(paths, frames, strict=True):
            write_table(path, frame)
        return Tables.read(paths)

    def close(self):
        for figure in self.made:
            plt.close(figure)
        plt.rcdefaults()


def called(figure, ax, *labels):
    """(x, y) of the lines of a panel that have the looks of all these entries of its legends.

    Of a coloured entry a line has the colour, of a grey one the dashes of a line without markers,
    or the symbol and whether it is filled.
    """
    entries = [handle for handle, words in entries_of(figure) if words in labels]
    assert len(entries) == len(labels), (labels, [words for _, words in entries_of(figure)])
    return [
        np.array(line.get_data(), dtype=float)
        for line in ax.lines
        if all(_looks_like(line, entry) for entry in entries)
    ]


def _looks_like(line, entry):
    color = to_hex(line.get_color())
    if not isinstance(entry, Line2D):
        return color == to_hex(entry.get_facecolor())
    if to_hex(entry.get_color()) != to_hex(GREY):
        return color == to_hex(entry.get_color())
    return _shape(line) == _shape(entry)


def _shape(line):
    """Dashes, or the symbol of markers without a line: any that can be filled counts as a dot."""
    if line.get_linestyle() != "None":
        return line.get_linestyle()
    marker = line.get_marker()
    filled = to_hex(line.get_markerfacecolor()) == to_hex(line.get_color())
    return ("o" if marker in Line2D.filled_markers else marker), filled


def words_of(figure):
    """Every text that a figure shows."""
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


def titles_of(figure):
    """The titles of its panels that have one."""
    titles = (ax.get_title(loc=place) for ax in figure.axes for place in ("left", "center"))
    return [title for title in titles if title]


def entries_of(figure):
    """(handle, words) of its legends."""
    legends = filter(None, [*figure.legends, *(ax.get_legend() for ax in figure.axes)])
    return [
        (handle, text.get_text())
        for legend in legends
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True)
    ]


def sound(figure):
    """Its words are words: no number that is none, no entry without a name, no title twice."""
    for words in words_of(figure):
        assert not NO_NUMBER.search(words), words
        assert not words.strip().startswith(","), words
        assert not re.search(r",\s*(,|$|\()", words), words
    for handle, words in entries_of(figure):
        unseen = not hasattr(handle, "get_linestyle") or handle.get_linestyle() == "None"
        assert words.strip() or unseen, "an entry without words"
    titles = titles_of(figure)
    assert len(set(titles)) == len(titles), titles
    named = [words for _, words in entries_of(figure) if words.strip()]
    assert len(set(named)) == len(named), named


def apart(figure):
    """No two texts of a figure overlap, and none leaves the figure."""
    figure.draw_without_rendering()
    texts = [text for ax in figure.axes for text in ax.texts]
    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        low, high = sorted(axis.get_view_interval())  # ticks outside are not drawn
        ticks = axis.get_major_ticks()
        texts += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    texts += [ax.title for ax in figure.axes] + [ax._left_title for ax in figure.axes]
    texts += [figure._supxlabel, figure._supylabel, *figure.legends]
    shown = [text for text in texts if text is not None and text.get_visible()]
    shown = [text for text in shown if not hasattr(text, "get_text") or text.get_text()]
    boxes = [text.get_window_extent() for text in shown]
    for (one, box), (other, beside) in itertools.combinations(zip(shown, boxes, strict=True), 2):
        inside = min(box.x1, beside.x1) - max(box.x0, beside.x0)
        height = min(box.y1, beside.y1) - max(box.y0, beside.y0)
        assert inside < 1.0 or height < 1.0, (str(one), str(other))
    for text, box in zip(shown, boxes, strict=True):
        assert box.x0 > -1 and box.x1 < figure.bbox.width + 1, str(text)
