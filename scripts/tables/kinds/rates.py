"""Fitted rates against predicted ones."""

from fractions import Fraction
from functools import partial

import pandas as pd

from implicit_l1.proof.intervals import median, power_of_ten, quantile, total
from tables.columns import PATH
from tables.enclosures import in_floats, of_limits
from tables.fits import Paths
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
    paths = Paths(cells)
    fits = paths.fitted_rates()
    onsets, reached = paths.onsets(
        "onset_log10_alpha", lambda row, rate: rate.scaled(row.onset_tolerance)
    )
    quartile = partial(quantile, share=Fraction(1, 4)), partial(quantile, share=Fraction(3, 4))
    return cells.table(
        predicted_rate=cells.proved_of(median, "predicted_rate"),
        **paths.named(
            fitted_rate=cells.over("fitted_rate", median, fits),
            fitted_lower_quartile=cells.over("fitted_rate", quartile[0], fits),
            fitted_upper_quartile=cells.over("fitted_rate", quartile[1], fits),
            fitted_low=paths.bootstrap_ends("fitted_rate_low", fits),
            fitted_high=paths.bootstrap_ends("fitted_rate_high", fits),
        ),
        last_slope=cells.proved_of(median, "local_slope", cells.smallest),
        **paths.named(
            onset_alpha=cells.over("onset_alpha", _median_scale, onsets),
            onset_reached=cells.over("onset_reached", total, reached),
        ),
    )


def _median_scale(log10_alpha):
    """The median of alpha itself, of exact logarithms."""
    return median([power_of_ten(float(one.lower)) for one in log10_alpha])
