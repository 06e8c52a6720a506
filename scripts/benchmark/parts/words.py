"""Numbers, cells and tables as the page of target benchmark writes them."""

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import pandas as pd

# a longer status is a note below the table
SHORT_STATUS = 16
Aim = namedtuple("Aim", "part aim measured met")


def duration(seconds: float, *others: float, digits: int = 3) -> str:
    """A time in a fitting unit; others follow in the same unit, in parentheses."""
    unit, word = next(
        ((unit, word) for unit, word in ((1.0, "s"), (1e-3, "ms")) if seconds >= unit),
        (1e-6, "µs"),
    )
    values = [
        f"{value:.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"
        for value in (time / unit for time in (seconds, *others))
    ]
    return f"{values[0]} {word}" + (f" ({'–'.join(values[1:])})" if others else "")


def time_of(row: Any) -> str:
    """The median of a contestant's runs, and its spread if there are several."""
    return duration(row.seconds, *((row.fastest, row.slowest) if row.runs > 1 else ()))


def factor(value: float) -> str:
    """A ratio of times."""
    return f"×{value:,.0f}" if value >= 10 else f"×{value:.2g}"


def small(value: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.0e}" if value else "0"


def power(log10_alpha: float) -> str:
    return f"10<sup>{log10_alpha:g}</sup>".replace("-", "−")


def cell_words(cell: dict) -> str:
    """A cell, given by its columns, in words."""
    names = {"eta": "η", "depth": "D", "log10_alpha": "log₁₀α"}
    return ", ".join(
        f"{names.get(key, key)} = {value:g}" if not isinstance(value, str) else value
        for key, value in cell.items()
    )


def markdown(rows: Any, columns: Sequence[str] | None = None) -> str:
    table = pd.DataFrame(rows, columns=columns).astype(str)
    table = table.map(lambda text: text.replace("|", "\\|"))
    return table.to_markdown(index=False, disable_numparse=True)


class Notes:
    """Texts too long for a table, numbered."""

    def __init__(self):
        self.texts = []

    def status(self, text: str) -> str:
        """The status of a run that gave nothing, as it stands in a table."""
        if len(text) <= SHORT_STATUS:
            return text or "–"
        if text not in self.texts:
            self.texts.append(text)
        return f"fails [{self.texts.index(text) + 1}]"

    def __str__(self):
        return "\n".join(f"[{place}] {text}  " for place, text in enumerate(self.texts, start=1))


def settings(table: pd.DataFrame) -> str:
    """What the contestants of a part are."""
    return markdown(
        table.drop_duplicates("contestant")[["contestant", "settings", "versions"]].fillna("")
    )
