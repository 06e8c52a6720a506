"""Fitted rates and onsets of the rows of a table: what follows from whole paths of scales.

They are enclosed where the errors and slopes of all scales are to be (``certificates: {scales:
all}``); otherwise doubles stand in the place of enclosures.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from implicit_l1.network.rates import in_window
from implicit_l1.proof.fits import Undecided, decide_onset, enclose_fitted_rate
from implicit_l1.proof.intervals import Interval
from tables.columns import IN_FLOATS
from tables.enclosures import NO_PROOF, doubled, is_reason, objects
from tables.statistics import EnclosedCells

# of a bootstrap interval: means and interpolations of doubles, relative to the largest
ROUNDING = Decimal(8 * np.finfo(float).eps)


class Paths:
    """Whole paths of the rows of a table.

    Attributes:
        enclosed: whether the errors at all scales were to be proved.
    """

    def __init__(self, cells: EnclosedCells):
        """Find what is known along the paths of some cells, whose rows have ``scales``."""
        self.cells = cells
        self.errors = cells.along("error_1")
        whole = (self.errors.map(len) == cells.rows["scales"])[cells.counted]
        self.enclosed = cells.proved and bool(whole.any() and whole.all())

    def named(self, **columns: pd.Series) -> dict[str, pd.Series]:
        """Columns under the names of proved numbers, or of floats."""
        return {name if self.enclosed else IN_FLOATS[name]: one for name, one in columns.items()}

    def fitted_rates(self) -> pd.Series:
        """Of each row an Interval, or the reason why there is none; missing without a fit."""
        rows = self.cells.rows
        if not self.enclosed:
            return doubles(rows["fitted_rate"])
        return objects(map(_enclosed_fit, rows.itertuples(), self.errors))

    def bootstrap_ends(self, side: str, fits: pd.Series) -> pd.Series:
        """The end of each cell's bootstrap interval, an Interval or Unproved.

        It grows with each fitted rate, and not by more than the largest of their changes: it is
        as near to that of the doubles as these are to the enclosures.
        """
        rows = self.cells.rows
        ends = doubles(rows[side])
        if not self.enclosed:
            return self.cells.over(side, lambda found: found[0], ends)
        # resamples are of all that are measured, also of those whose minimizer is not proved
        measured = rows[side].notna() & rows["fitted_rate"].notna()
        fits = fits.where(self.cells.counted & fits.notna(), NO_PROOF)
        columns = ends, doubles(rows["fitted_rate"]), fits
        return self.cells.over(side, _as_near, *columns, among=measured)

    def onsets(
        self, name: str, tolerance: Callable[[Any, Interval], Interval]
    ) -> tuple[pd.Series, pd.Series]:
        """Below which scale the slopes of each row are near its predicted rate.

        Args:
            name: of the column of its decimal logarithm.
            tolerance: of a row with its rate.
        Returns:
            the logarithm, and whether it is reached (0 or 1): Intervals, or reasons; the first is
            missing where it is not reached.
        """
        rows = self.cells.rows
        if self.enclosed:
            slopes = self.cells.along("local_slope")
            rates = self.cells.enclosures("predicted_rate").fillna(NO_PROOF)
            known = zip(rows.itertuples(), self.errors, slopes, rates, strict=True)
            found = objects(_decided_onset(*row, tolerance) for row in known)
        else:
            found = doubles(rows[name])
        reached = (one if is_reason(one) else doubled(float(one is not None)) for one in found)
        return found, objects(reached)


def doubles(values: pd.Series) -> pd.Series:
    """Doubles in the place of enclosures."""
    return objects(doubled(value) if np.isfinite(value) else None for value in values)


def _enclosed_fit(row, errors):
    """The fitted rate of a row, the reason why it has none, or None where there is no fit."""
    if np.isnan(row.window_smallest):
        return None
    if len(errors) < row.scales:
        return NO_PROOF
    ends = np.log([row.window_smallest, row.window_largest])
    errors = {
        scale: error for scale, error in errors.items() if in_window(scale * np.log(10.0), ends)
    }
    reasons = [error for error in errors.values() if is_reason(error)]
    if reasons:
        return reasons[0]
    if any(error.upper == 0 for error in errors.values()):
        return None
    try:
        return enclose_fitted_rate(errors)
    except Undecided as error:
        return str(error)


def _as_near(
    ends: Sequence[Interval], floats: Sequence[Interval], fits: Sequence[Interval]
) -> Interval:
    """An end of an interval of doubles, widened by how far these are from what they stand for."""
    largest = max(abs(value).upper for value in floats)
    away = max(abs(fit - value).upper for fit, value in zip(fits, floats, strict=True))
    return ends[0].widened(away + ROUNDING * largest)


def _decided_onset(row, errors, slopes, rate, tolerance):
    """log10 of the onset of a row, the reason why it is not known, or None if not reached."""
    reasons = [one for one in (rate, *slopes.values()) if is_reason(one)]
    if reasons:
        return reasons[0]
    if len(slopes) < row.scales - 1:
        return NO_PROOF
    try:
        onset = decide_onset(slopes, max(errors), rate, tolerance(row, rate))
    except Undecided as error:
        return str(error)
    return None if onset is None else doubled(onset)
