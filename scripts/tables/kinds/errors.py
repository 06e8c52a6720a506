"""Errors at round scales and the slope at the smallest, in floating point."""

from collections.abc import Collection

import pandas as pd

from tables.columns import PATH
from tables.kinds.constants import MARKS
from tables.statistics import Cells, power


def errors_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Medians over the repetitions with these statuses."""
    cells = Cells(frame, PATH, statuses)
    scale = cells.rows["log10_alpha"].round(9)
    smallest = cells.by_cell(scale.where(cells.counted))
    is_end = scale == smallest.transform("min")

    def median(name, there):
        return cells.by_cell(cells.rows[name].where(cells.counted & there)).median()

    at_marks = {
        f"float_error_{name}": median("log10_error_1", scale == mark).map(power)
        for name, mark in MARKS.items()
    }
    return cells.table(
        **at_marks,
        smallest_log10_alpha=smallest.min().map(lambda scale: float(f"{scale:.9g}")),
        float_error_end=median("log10_error_1", is_end).map(power),
        float_slope=median("local_slope", is_end),
        float_distance=median("estimation_error", is_end),
    )
