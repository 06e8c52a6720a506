"""Fitted rates against predicted ones."""

import pandas as pd

from implicit_l1.proof.intervals import median
from tables.columns import PATH
from tables.enclosures import in_floats, of_limits
from tables.statistics import EnclosedCells, largest


def rates_in_floats(rows: pd.DataFrame) -> pd.DataFrame:
    """The predicted rate, and the slope at the smallest scale of the path."""
    ends = rows["smallest_log10_alpha"].round(9)
    slopes = in_floats(rows, {"local_slope": "last_slope"}, ends)
    rates = in_floats(rows, {"predicted_rate": "predicted_rate"})
    return pd.concat([slopes, rates], ignore_index=True)


def rates_table(frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """Medians and quartiles over the certified repetitions of each cell."""
    cells = EnclosedCells(largest(frame, PATH), PATH, of_limits(proofs), rates_in_floats)
    fitted = cells.numbers["fitted_rate"]
    onset = cells.by_cell(10.0 ** cells.rows["onset_log10_alpha"].where(cells.counted))
    return cells.table(
        predicted_rate=cells.proved_of(median, "predicted_rate"),
        fitted_rate=fitted.median(),
        fitted_lower_quartile=fitted.quantile(0.25),
        fitted_upper_quartile=fitted.quantile(0.75),
        fitted_low=cells.numbers["fitted_rate_low"].median(),
        fitted_high=cells.numbers["fitted_rate_high"].median(),
        last_slope=cells.proved_of(median, "local_slope", cells.smallest),
        onset_alpha=onset.median(),
        onset_reached=onset.count(),
    )
