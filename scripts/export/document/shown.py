"""Tables and plotted data as they lie in the results, and the numbers that a text cites of them.

A text cites a number by a table, the row and the column.  Where there is no such row or column,
several rows, or nothing in the cell, there is no number to be printed, and an error says so; a
number that its table marks as floating point is printed with the mark, and so is every one of
plotted data.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from export.document.markup import DAGGER, signs
from implicit_l1.proof.intervals import is_number
from pipeline.command_line import Failure
from pipeline.origin import checksum, name_of, remember
from pipeline.storage import BESIDE, damaged, read_origin
from tables.columns import EXACT, FLOAT, PATH, PROVED
from tables.rendering import column_of, from_markdown, heading_of

# what names a row of a table: columns of PATH, and of tables whose rows have a scale of their own
KEYS = (*PATH, "alpha", "form", "fraction")
# what follows a number that is of some repetitions only
OF_SOME = r" \(\d+ of \d+\)$"


def read_made(path: Path) -> Path:
    """A figure or table of the results that the text reads, as it was made.

    Raises:
        DamagedFileError: if it is not as the file beside it tells.
    """
    beside = path.with_suffix(BESIDE)
    origin = read_origin(beside)
    remember(beside, origin["sources"])
    remember(path)
    if origin["files"].get(name_of(path)) != checksum(path):
        raise damaged(path, f"it is not what {beside} tells of")
    return path


def _texts(path):
    return pd.read_csv(read_made(path), dtype=str, keep_default_na=False)


def _is(text, value):
    """Whether a cell of a CSV file is a value; None is an empty cell."""
    if value is None or isinstance(value, str):
        return text == (value or "")
    return is_number(text) and math.isclose(float(text), value, rel_tol=1e-9)


def _mark(column):
    """What follows a number of a column of a table."""
    return f"{DAGGER};" if column_of(column).source == FLOAT else ""


@dataclass(frozen=True)
class Frame:
    """Plotted data of a figure.

    Attributes:
        path: of the CSV file.
        values: its texts.
    """

    path: Path
    values: pd.DataFrame

    @classmethod
    def read(cls, folder: Path, name: str) -> "Frame":
        path = folder / f"{name}.csv"
        return cls(path, _texts(path))

    def rows(self, cell: Mapping[str, Any], **more: Any) -> list[int]:
        """Places of the rows of a cell; a key that names it and is no column here is left out.

        Args:
            cell: key -> value, None or none where it has no such axis.
            more: other columns of these rows.

        Raises:
            Failure: if one of them is no column.
        """
        where = {key: cell.get(key) for key in PATH if key in self.values}
        where |= {key: cell[key] for key in KEYS if key in self.values and key in cell}
        return self._places(where | more)

    def named(self, **values: Any) -> list[dict[str, str]]:
        """The rows with these values of columns, by the texts that name them.

        Raises:
            Failure: if one of them is no column.
        """
        names = [key for key in KEYS if key in self.values]
        return self.values.loc[self._places(values), names].to_dict("records")

    def _places(self, where):
        columns = {self._column(name): value for name, value in where.items()}
        return [
            place
            for place in self.values.index
            if all(_is(self.values[name][place], value) for name, value in columns.items())
        ]

    def one(self, column: str, cell: Mapping[str, Any], **more: Any) -> tuple[str, int]:
        """(name of the column as it stands in the file, place of the row) of a number.

        Raises:
            Failure: if there is no number there, or several rows are meant.
        """
        name = self._column(column)
        places = self.rows(cell, **more)
        given = {**{key: value for key, value in cell.items() if key in self.values}, **more}
        words = ", ".join(f"{key} = {value}" for key, value in given.items() if value is not None)
        if len(places) != 1:
            raise Failure(f"{self.path}: {len(places)} rows have {words}; {column} is asked of one")
        place, found = places[0], self.values.at[places[0], name]
        if found == "":
            why = self.values.at[place, "unproved"] if "unproved" in self.values else ""
            reason = f" ({why})" if why else ""
            raise Failure(f"{self.path}: {column} is empty where {words}{reason}")
        if not is_number(re.sub(OF_SOME, "", found)):
            raise Failure(f"{self.path}: {column} is no number where {words}, but: {found}")
        return name, place

    def _column(self, name):
        if name not in self.values:
            raise Failure(f"{self.path} has no column {name}")
        return name

    def number(self, column: str, cell: Mapping[str, Any], digits: int, **more: Any) -> str:
        """A number to so many digits, as Typst, with its mark: plotted data are floating point."""
        name, place = self.one(column, cell, **more)
        text = self.values.at[place, name]
        return f"{signs(f'{float(text):.{digits}g}')}{DAGGER};"


@dataclass(frozen=True)
class Table(Frame):
    """A table: its CSV file, and its cells as the Markdown file shows them.

    Attributes:
        shown: heading -> texts, row for row those of the CSV file.
        note: what is said under it.
    """

    shown: pd.DataFrame
    note: str

    @classmethod
    def read(cls, folder: Path, name: str) -> "Table":
        path = folder / f"{name}.csv"
        markdown = read_made(path.with_suffix(".md"))
        shown, note = from_markdown(markdown.read_text(encoding="utf-8"))
        values = _texts(path)
        if len(shown) != len(values):
            raise damaged(markdown, f"it has {len(shown)} rows, {path} has {len(values)}")
        return cls(path, values, shown, note)

    def _column(self, name):
        return super()._column(name if name in self.values else f"{name}_float")

    def cited(self, column: str, cell: Mapping[str, Any], **more: Any) -> str:
        """A number as the table shows it, as Typst, with its mark if it is floating point."""
        name, place = self.one(column, cell, **more)
        shown = self.shown.at[place, heading_of(column_of(name))]
        return f"{signs(shown)}{_mark(name)}"

    def counted(self, column: str, words: str, **values: Any) -> str:
        """How many of the rows with these values have these words in a column, with its mark."""
        name = self._column(column)
        return f"{len(self.named(**values, **{name: words}))}{_mark(name)}"

    def total(self, column: str) -> int:
        """The sum of a column of counts."""
        return sum(map(int, self.values[self._column(column)]))

    def counts(self) -> dict[str, int]:
        """Source (PROVED, FLOAT) -> how many numbers of the table are of it."""
        found = {PROVED: 0, FLOAT: 0}
        for name in self.values:
            source = column_of(name).source
            if source != EXACT:
                found[source] += sum(map(is_number, self.values[name]))
        return found

    def excerpt(
        self, cells: Sequence[Mapping[str, Any]] | None, columns: Sequence[str] | None
    ) -> tuple[dict[str, str], pd.DataFrame]:
        """(heading -> what is the same in every row, the rest as a table) of some cells.

        Args:
            cells: those whose rows are shown, in the order of the table; None: all.
            columns: beside those that name a row; None: all.  Empty ones are left out.

        Raises:
            Failure: if there is no such row, or no such column.
        """
        chosen = list(range(len(self.values)))
        if cells is not None:
            places = {place for cell in cells for place in self.rows(cell)}
            chosen = [place for place in chosen if place in places]
            if not chosen:
                raise Failure(f"{self.path} has no row of those that the text shows")
        wanted = None if columns is None else set(map(self._column, columns))
        same, kept = {}, []
        for name in self.values:
            heading = heading_of(column_of(name))
            if heading not in self.shown or (name not in KEYS and wanted and name not in wanted):
                continue
            texts = list(self.shown[heading].iloc[chosen])
            if name in KEYS and len(set(texts)) == 1:
                same[heading] = texts[0]
            elif any(texts):
                kept.append(heading)
        return {key: value for key, value in same.items() if value}, self.shown[kept].iloc[chosen]
