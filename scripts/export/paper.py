"""Target paper: the document, one PDF file with every claim, its figure, its table, its numbers.

Its text (workflow/report/paper.typ) is a template of Jinja's, which Typst sets.  It holds no number
of a result: it cites cells of tables and of plotted data, and one that is not there stops this
program.  Captions are those of Snakemake's report.
"""

import argparse
import json
import math
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import typst

from export.document import markup
from export.document.captions import caption
from export.document.shown import Frame, Table, read_made
from pipeline.command_line import Failure, run
from pipeline.origin import ROOT, checksum, remember_code
from pipeline.storage import replacing, write_origin
from tables.columns import FLOAT, PROVED
from tables.rendering import LONGEST

REPORT = ROOT / "workflow/report"
TEXT, LAYOUT = "paper.typ", "layout.typ"
# so many digits of a checksum tell a file from others
DIGEST = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="their folder")
    parser.add_argument(
        "--figures",
        type=json.loads,
        required=True,
        help="JSON: figure -> its kind, experiment, cells and what else its caption says",
    )
    parser.add_argument(
        "--tables", type=json.loads, required=True, help="JSON: names of tables that are shown"
    )
    parser.add_argument(
        "--configuration", type=json.loads, required=True, help="all of it, as JSON"
    )
    parser.add_argument("--output", required=True, help="the PDF file")
    parser.add_argument("--origin", required=True, help="the JSON file: how it was made")
    args = parser.parse_args()

    document = Document(args.results, args.figures, args.tables, args.configuration)
    pdf = typeset(document.source(_of_report(TEXT)), document.pictures)
    with replacing(args.output) as temporary:
        temporary.write_bytes(pdf)
    write_origin(args.origin, [args.output], configuration=args.configuration)


def _of_report(name):
    """The text of a file beside the captions, remembered as code."""
    remember_code(REPORT / name)
    return (REPORT / name).read_text(encoding="utf-8")


def typeset(source: str, pictures: Mapping[str, bytes]) -> bytes:
    """A text of Typst's as PDF: with the fonts that come with it, and without a date.

    Args:
        source: of the document, without its layout.
        pictures: name -> content of the files that it shows.

    Raises:
        Failure: with what Typst says of a text that it cannot set, or not as it is meant.
    """
    files = {TEXT: source.encode(), LAYOUT: _of_report(LAYOUT).encode(), **pictures}
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            (Path(folder) / name).write_bytes(content)
        try:
            pdf, warnings = typst.compile_with_warnings(
                Path(folder) / TEXT, root=Path(folder), format="pdf", ignore_system_fonts=True
            )
        except typst.TypstError as error:
            raise Failure(f"{TEXT}: {error.diagnostic}") from error
    if warnings:
        raise Failure(f"{TEXT}: {warnings[0].message}")
    return pdf


class Document:
    """What the text of the document asks for; every name here is one of the template's.

    Attributes:
        config: the configuration.
        experiments: its experiments.
        pictures: name -> content of the files that are shown, filled as they are asked for.
    """

    def __init__(
        self,
        results: Path,
        figures: Mapping[str, dict],
        tables: Sequence[str],
        config: dict,
    ) -> None:
        self.config, self.experiments = config, config["experiments"]
        self.pictures: dict[str, bytes] = {}
        self._results, self._figures = results, figures
        self._frames = {name: Frame.read(results / "figures", name) for name in figures}
        self._tables = {name: Table.read(results / "tables", name) for name in tables}

    def source(self, template: str) -> str:
        """The text as Typst.

        Raises:
            Failure: naming what the template asks for and is not there.
        """
        environment = jinja2.Environment(
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        names = {name: getattr(self, name) for name in dir(self) if not name.startswith("_")}
        try:
            return environment.from_string(template).render(names)
        except jinja2.TemplateError as error:
            raise Failure(f"{TEXT}: {error}") from error

    # --- what is shown ---

    def figure(self, name: str) -> str:
        """A figure with its caption."""
        path = read_made(self._results / "figures" / f"{name}.pdf")
        self.pictures[path.name] = path.read_bytes()
        about = self._of(self._figures, name)
        words = self._caption(f"figure_{about['kind']}.rst", about)
        return f"#picture({markup.string(name)}, {markup.string(path.name)})[{words}]"

    def table(
        self,
        name: str,
        cells: Sequence[Mapping[str, Any]] | None = None,
        columns: Sequence[str] | None = None,
        captioned: bool = True,
    ) -> str:
        """A table, or the rows of some cells and some of its columns; with its caption, or not."""
        table = self._of(self._tables, name)
        same, rest = table.excerpt(cells, columns)
        kept = [f"{heading} = {value}" for heading, value in same.items()]
        words = {
            "name": markup.string(name),
            "rows": f"({len(rest)}, {len(table.values)})",
            "columns": f"({rest.shape[1]}, {table.shown.shape[1]})",
            "same": _contents(kept),
            "head": _contents(rest.columns),
            "sides": _array(_side(rest[heading]) for heading in rest),
            "widths": _array(_width(rest[heading]) for heading in rest),
            "cells": _contents(_unbroken(text) for text in rest.to_numpy().ravel()),
            "note": f"[{markup.signs(table.note)}]",
        }
        given = ", ".join(f"{key}: {value}" for key, value in words.items())
        return f"#excerpt({given})[{self._caption(f'table_{name}.rst', {}) if captioned else ''}]"

    def _caption(self, file, params):
        remember_code(REPORT / file)
        return caption(REPORT / file, self.config, params)

    def _of(self, things, name):
        if name not in things:
            raise Failure(f"{TEXT}: {name} is not among the figures and tables of the document")
        return things[name]

    # --- what is cited ---

    def cells(self, figure: str, **keys: Any) -> list[dict]:
        """The cells behind a figure, all or those with these values of keys; see also deep."""
        found = self._of(self._figures, figure)["cells"]
        return [cell for cell in found if all(cell.get(key) == keys[key] for key in keys)]

    def deep(self, cells: Sequence[dict]) -> list[dict]:
        """Those of three layers and more."""
        return [cell for cell in cells if cell["depth"] >= 3]

    def shallow(self, cells: Sequence[dict]) -> list[dict]:
        """Those of two layers."""
        return [cell for cell in cells if cell["depth"] == 2]

    def at(self, cells: Sequence[dict], **values: Sequence) -> list[dict]:
        """Cells at these values of another key, as the scale of a row."""
        ((key, found),) = values.items()
        return [{**cell, key: value} for value in found for cell in cells]

    def rows(self, table: str, **values: Any) -> list[dict]:
        """The rows of a table, by what names them, with these values of columns; maybe none."""
        return self._of(self._tables, table).named(**values)

    def counted(self, table: str, column: str, words: str, **values: Any) -> str:
        """How many of these rows have these words in a column, marked as the column is."""
        return self._of(self._tables, table).counted(column, words, **values)

    def number(self, table: str, column: str, cell: Mapping[str, Any], **more: Any) -> str:
        """A number of a table."""
        return self._of(self._tables, table).cited(column, cell, **more)

    def plotted(
        self, figure: str, column: str, cell: Mapping[str, Any], digits: int, **more: Any
    ) -> str:
        """A number of the plotted data of a figure."""
        return self._of(self._frames, figure).number(column, cell, digits, **more)

    def value(self, number: float) -> str:
        """A number of the configuration."""
        return markup.signs(f"{number:g}")

    def log10(self, number: float) -> float:
        """Of a scale."""
        return math.log10(number)

    def each(self, cells: Sequence[dict], say: Callable[[dict], str], *axes: str) -> str:
        """What is said of each cell, in a list, with the axes in which they differ."""
        if not cells:
            raise Failure(f"{TEXT}: there is no cell to be spoken of")
        said = list(map(say, cells))
        if len(said) > 1 and len(set(said)) == 1:
            return f"{said[0]} in each case"
        names = (self.named(cell, *axes) for cell in cells)
        return markup.listed([f"{text} ({name})" for text, name in zip(said, names, strict=True)])

    def named(self, cell: Mapping[str, Any], *axes: str) -> str:
        """A cell by some of its axes."""
        signs = {"depth": "$D$", "eta": "$eta$", "s": "$s$", "m": "$m$", "family_rho": "$rho.alt$"}
        return ", ".join(f"{signs[axis]} = {self.value(cell[axis])}" for axis in axes)

    def total(self, table: str, column: str) -> int:
        """The sum of a column of counts."""
        return self._of(self._tables, table).total(column)

    @property
    def proved(self) -> int:
        """How many numbers of its tables are rounded from proved enclosures."""
        return self._counts()[PROVED]

    @property
    def floating(self) -> int:
        """How many are floating point."""
        return self._counts()[FLOAT]

    def _counts(self):
        counts = [table.counts() for table in self._tables.values()]
        return {source: sum(count[source] for count in counts) for source in (PROVED, FLOAT)}

    @property
    def files(self) -> list[tuple[str, str]]:
        """(path, beginning of its checksum) of the numbers of each figure and table."""
        paths = [found.path for found in (*self._frames.values(), *self._tables.values())]
        return [(path.as_posix(), checksum(path)[:DIGEST]) for path in paths]


def _contents(texts):
    """Texts as an array of Typst's."""
    return _array(f"[{markup.signs(text)}]" for text in texts)


def _array(items):
    return f"({''.join(f'{item}, ' for item in items)})"


def _side(texts):
    """Where the cells of a column stand: numbers to the right, words to the left."""
    return "right" if all(re.match(r"-?[\d.]|inf|$", text) for text in texts) else "left"


def _width(texts):
    """How wide a column is: as its cells are, if they are no sentences."""
    return "4cm" if texts.str.len().max() > LONGEST else "auto"


def _unbroken(text):
    """A cell whose words stay in one line, if it is no sentence."""
    return text if len(text) > LONGEST else text.replace(" ", "\u00a0")


if __name__ == "__main__":
    run(main)
