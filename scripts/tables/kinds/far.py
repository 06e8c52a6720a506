"""Local slopes far down the path, and the scale below which four digits are right."""

import numpy as np
import pandas as pd

from implicit_l1.network.rates import FOUR_DIGITS
from implicit_l1.proof.intervals import Interval, maximum, median, minimum, total
from tables.columns import PATH
from tables.enclosures import NO_PROOF, doubled, of_limits
from tables.fits import Paths
from tables.kinds.rates import rates_in_floats
from tables.statistics import EnclosedCells, largest, of_each


def far_table(frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """Medians over the certified repetitions of each cell, and those that are not there yet."""
    cells = EnclosedCells(largest(frame, PATH), PATH, of_limits(proofs), rates_in_floats)
    slopes = cells.enclosures("local_slope", cells.smallest)
    rates = cells.enclosures("predicted_rate")
    pair = slopes.fillna(NO_PROOF), rates.fillna(NO_PROOF)
    paths = Paths(cells)
    onsets, reached = paths.onsets(
        "four_digits_log10_alpha", lambda row, rate: doubled(FOUR_DIGITS)
    )
    unfinished = cells.counted & onsets.isna()
    reasons = pd.Series(map(_reason, cells.rows.itertuples(), *pair), dtype=str)
    return cells.table(
        smallest_log10_alpha=cells.by_cell(cells.smallest).first(),
        predicted_rate=cells.over("predicted_rate", median, rates),
        last_slope=cells.over("local_slope", median, slopes),
        worst=cells.over("worst", _largest_deviation, *pair),
        **paths.named(
            four_digits=cells.over("four_digits", total, reached),
            four_digits_log10_alpha=cells.over("four_digits_log10_alpha", median, onsets),
            four_digits_last=cells.over("four_digits_log10_alpha", minimum, onsets),
        ),
        reason=of_each(
            cells.by_cell(reasons.where(unfinished)), lambda group: "; ".join(group.dropna())
        ),
    )


def _largest_deviation(slopes, rates):
    """Enclosure of the largest |slope - predicted rate|."""
    return maximum([abs(slope - rate) for slope, rate in zip(slopes, rates, strict=True)])


def _reason(row, slope, rate):
    """Why an instance is not in its asymptotic regime at the smallest scale of its path."""
    if row.asymptotics_status != "known":
        return f"repetition {row.repetition}: {row.asymptotics_status}"
    slope, rate = (one.text(".5f") if isinstance(one, Interval) else one for one in (slope, rate))
    if np.isfinite(row.log10_competitor):
        size = f"10^{row.log10_competitor:.1f}"
        why = f"an entry of higher order is still {size} times the leading one"
    elif np.isfinite(row.log10_correction):
        size = f"10^{row.log10_correction:.1f}"
        why = f"what follows the leading term is still of the order of {size} times it"
    else:
        why = "the leading term is 0"
    return f"repetition {row.repetition}: slope {slope} for {rate}; {why}"
