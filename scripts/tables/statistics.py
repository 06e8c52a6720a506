"""The rows of a table: counts of the repetitions of a cell, and statistics over them.

Columns of the data that name a row of the table are its keys.  pandas groups the data by them; a
repetition that statistics are not over has missing numbers there, which pandas passes over, so
that every cell keeps its row.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Any

import numpy as np
import pandas as pd

from implicit_l1.status import CERTIFIED
from tables.columns import IN_FLOATS
from tables.enclosures import NO_PROOF, is_reason, objects


class Unproved(str):
    """In place of an enclosure, the reason why there is none."""


def largest(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Of each cell its table of most repetitions, which has all those of smaller ones."""
    largest = frame.groupby(keys, dropna=False)["repetitions"].transform("max")
    return frame[frame["repetitions"] == largest]


def of_each(groups: Any, function: Callable[[pd.Series], object]) -> pd.Series:
    """A function of each group, whatever it returns."""
    return objects((function(group) for _, group in groups), groups.size().index)


def counted(words: Iterable[str]) -> str:
    """How often each of some words is there: 2 not unique, 1 undecided: ..."""
    counts = pd.Series(words, dtype=str).value_counts()  # the missing ones are left out
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def power(exponent: float) -> float | str:
    """10^exponent, or as text where a double does not hold it."""
    if np.isnan(exponent) or abs(exponent) < 300.0:
        return 10.0**exponent
    return f"10^{exponent:.0f}"


class Cells:
    """Rows of the data by the keys of a table.

    Attributes:
        rows: each repetition once, or once at each scale: cells may be asked for twice.
        cell: the number of the cell of a row, in the order of the table.
        counted: whether statistics are over a row.
    """

    def __init__(self, frame: pd.DataFrame, keys: list[str], statuses: Collection[str]):
        """Group a frame.

        Args:
            frame: with the keys, ``repetition``, ``status``, and ``log10_alpha`` if its rows
                belong to scales.
            keys: columns that name a row of the table.
            statuses: of the rows that statistics are over.
        """
        self.keys = keys
        names = [*keys, "repetition", "log10_alpha"]
        self.rows = frame.drop_duplicates(frame.columns.intersection(names), ignore_index=True)
        self.cell = self.rows.groupby(keys, dropna=False).ngroup()
        self.counted = self.rows["status"].isin(statuses)

    @property
    def numbers(self) -> Any:
        """The rows that statistics are over, by cell."""
        return self.by_cell(self.rows[self.counted].reindex(self.rows.index))

    def by_cell(self, values: pd.Series | pd.DataFrame) -> Any:
        """What has a value a row, grouped by cell."""
        return values.groupby(self.cell)

    def table(self, **columns: pd.Series) -> pd.DataFrame:
        """The table: keys, how many repetitions are certified, and these columns of statistics."""
        names = self.rows[self.keys].groupby(self.cell).head(1)
        names = names.set_index(self.cell[names.index]).sort_index()
        once = self.rows.assign(cell=self.cell).drop_duplicates(["cell", "repetition"])
        certified = once["status"] == CERTIFIED
        others = once["status"].where(~certified).groupby(once["cell"])
        head = {
            "repetitions": others.size(),
            "certified": certified.groupby(once["cell"]).sum(),
            "status": of_each(others, counted),
        }
        return pd.DataFrame(dict(names) | head | columns)


class EnclosedCells(Cells):
    """Cells whose certified repetitions have enclosures.

    Attributes:
        counted: of a row also that its minimizer is proved, where anything is to be.
        smallest: the smallest scale of the cell of each row.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        keys: list[str],
        proofs: pd.DataFrame | None,
        floats: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    ):
        """Group a frame whose repetitions have one row each in the table, and its enclosures.

        Args:
            frame: the data.
            keys: columns that name a row of the table.
            proofs: the enclosures; None where nothing was to be proved.
            floats: of certified rows, what stands in place of enclosures if there are none.
        """
        super().__init__(frame.drop_duplicates([*keys, "repetition"]), keys, [CERTIFIED])
        self.proved = proofs is not None
        if proofs is not None:
            known = proofs
        elif floats is not None:
            known = floats(frame[frame["status"] == CERTIFIED])
        else:
            raise ValueError("floats: needed where nothing was to be proved")
        both = pd.concat([self.rows[keys], known[keys]], ignore_index=True)
        cell = both.groupby(keys, dropna=False).ngroup()
        self.cell, known = cell[: len(self.rows)], known.assign(cell=cell[len(self.rows) :].array)
        self.smallest = self.cell.map(known.groupby("cell")["log10_alpha"].min())
        places = {"cell": self.cell, "repetition": self.rows["repetition"], "row": self.rows.index}
        self._known = known.merge(pd.DataFrame(places), on=["cell", "repetition"])
        self._left_out = objects(None for _ in self.counted)
        if self.proved:
            margin = self.enclosures("margin").fillna(NO_PROOF)
            self._left_out = margin.where(self.counted & margin.map(is_reason), None)
            self.counted &= ~margin.map(is_reason)

    def enclosures(self, quantity: str, log10_alpha: pd.Series | float = np.nan) -> pd.Series:
        """What is known of a quantity: a row an Interval, or the reason why there is none.

        Missing where it is known of no repetition of the cell.
        """
        known = self._known[self._known["quantity"] == quantity]
        scale = pd.Series(log10_alpha, index=self.rows.index, dtype=float)[known["row"]].array
        known = known[
            known["log10_alpha"].eq(scale) | (known["log10_alpha"].isna() & pd.isna(scale))
        ]
        found = known.drop_duplicates("row", keep="last").set_index("row")["enclosure"]
        found = found.reindex(self.rows.index)
        somewhere = self.by_cell(found.notna()).transform("any")
        return found.where(found.notna() | ~somewhere, NO_PROOF)

    def along(self, quantity: str) -> pd.Series:
        """What is known along the path of a row: log10 alpha -> an Interval or the reason."""
        known = self._known[self._known["quantity"] == quantity]
        found: dict = {row: {} for row in self.rows.index}
        columns = (known[name] for name in ("row", "log10_alpha", "enclosure"))
        for row, scale, enclosure in zip(*columns, strict=True):
            found[row][scale] = enclosure
        return objects(found.values(), self.rows.index)

    def over(
        self, name: str, statistic: Callable, *enclosures: pd.Series, among: pd.Series | None = None
    ) -> pd.Series:
        """A statistic of each cell, an Interval; Unproved if some number of it has no enclosure.

        Args:
            name: of what it is.
            statistic: of lists of Intervals, as many as there are columns of enclosures.
            enclosures: a row an Interval or a text.
            among: whether it is over a row; those with enclosures if None.
        """
        chosen = pd.DataFrame(dict(enumerate(enclosures)), dtype=object)
        chosen = chosen[self.counted if among is None else among].reindex(self.rows.index)

        def of_cell(values):
            columns = [list(values[place].dropna()) for place in values]
            reasons = sorted({one for column in columns for one in filter(is_reason, column)})
            if reasons:
                return Unproved(f"{name}: {', '.join(reasons)}")
            return statistic(*columns) if columns[0] else None

        return of_each(self.by_cell(chosen), of_cell)

    def proved_of(
        self, statistic: Callable, quantity: str, log10_alpha: pd.Series | float = np.nan
    ) -> pd.Series:
        """A statistic of one quantity, at one scale, over the repetitions with enclosures."""
        return self.over(quantity, statistic, self.enclosures(quantity, log10_alpha))

    def over_scales(
        self, name: str, statistic: Callable, quantity: str, scales: pd.Series
    ) -> pd.Series:
        """A statistic of each cell over one quantity at all scales, as :meth:`over` has it.

        Args:
            name: of what it is.
            statistic: of a list of Intervals, which may be empty.
            quantity: of the enclosures.
            scales: at how many scales a row has the quantity.
        """
        paths = self.along(quantity)

        def of_cell(scales):
            wanted = scales.dropna()
            values = [one for row in wanted.index for one in paths[row].values()]
            reasons = set(filter(is_reason, values))
            if len(values) < wanted.sum():
                reasons.add(NO_PROOF)
            if reasons:
                return Unproved(f"{name}: {', '.join(sorted(reasons))}")
            return statistic(values)

        return of_each(self.by_cell(scales.where(self.counted)), of_cell)

    def table(self, **columns: pd.Series) -> pd.DataFrame:
        """The table, with the reasons why numbers are not proved."""
        left_out = of_each(
            self.by_cell(self._left_out),
            lambda reasons: f"left out: {counted(reasons)}" if reasons.any() else "",
        )
        found = zip(left_out, *columns.values(), strict=True)
        reasons = [
            [left_out, *(one for one in row if isinstance(one, Unproved))]
            for left_out, *row in found
        ]
        unproved = ["; ".join(filter(None, dict.fromkeys(row))) for row in reasons]
        shown = {
            name: values.where(
                ~values.map(lambda one: isinstance(one, Unproved)).astype(bool), None
            )
            for name, values in columns.items()
        }
        table = super().table(**shown).assign(unproved=objects(unproved, left_out.index))
        return table if self.proved else table.rename(columns=IN_FLOATS)
