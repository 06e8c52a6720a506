"""How much less deeper networks err than two layers, at round scales.

Instances are paired: the ratio of a repetition is that of two errors, distances to one x_0; of data
of one's own, of which x_0 is not known, errors on the same rows that were held out.
"""

from collections.abc import Collection

import numpy as np
import pandas as pd
from scipy.special import bdtr

from implicit_l1.network.scales import are_at
from tables.columns import NETWORK
from tables.statistics import Cells, of_each

# decimal logarithms of the scales, those called realistic in the default configuration
SCALES = (-4.0, -3.0, -2.0, -1.0)
CONFIDENCE = 0.95
DEEPER, TWO_LAYERS, NOT_DECIDED = "deeper", "two layers", "not decided"


def deeper_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Medians of ratios over the repetitions with these statuses, each with an interval."""
    at_scales = [
        frame[are_at(frame["log10_alpha"], scale)].assign(alpha=10.0**scale) for scale in SCALES
    ]
    frame = pd.concat(at_scales, ignore_index=True)
    frame["distance"] = frame["estimation_error"].fillna(frame["held_out_error"])
    pairs = [*(name for name in NETWORK if name != "depth"), "alpha", "repetition"]
    two = frame.loc[frame["depth"] == 2, [*pairs, "distance"]].drop_duplicates(pairs)
    two = two.rename(columns={"distance": "two_layers"})
    rows = frame[frame["depth"] > 2].merge(two, on=pairs)
    rows["ratio"] = rows["distance"] / rows["two_layers"]
    cells = Cells(rows, [*NETWORK, "alpha"], statuses)
    numbers = cells.numbers
    ratio = cells.rows["ratio"].where(cells.counted)
    of_cell, nearer = (cells.by_cell(one) for one in (ratio, ratio.lt(1.0).where(ratio.notna())))
    intervals = of_each(of_cell, interval_of_median)
    return cells.table(
        distance_two=numbers["two_layers"].median(),
        distance=numbers["distance"].median(),
        distance_ratio=of_cell.median(),
        distance_ratio_low=intervals.map(lambda ends: ends[0]),
        distance_ratio_high=intervals.map(lambda ends: ends[1]),
        nearer=nearer.sum(min_count=1),
        nearest=intervals.map(verdict),
    )


def interval_of_median(values: pd.Series) -> tuple[float, float]:
    """Ends of a confidence interval of the median; nan where there are too few values for one.

    Order statistics, by the binomial distribution: no law of the values is supposed.  (That of
    scipy.stats.quantile_test, which the plan of the workflow would wait half a second for.)
    """
    known = np.sort(values.dropna())
    # the median is below the k-th smallest where at most k - 1 of n values are below it
    missed = bdtr(np.arange(known.size), known.size, 0.5)
    k = np.count_nonzero(missed <= (1.0 - CONFIDENCE) / 2.0)
    return (known[k - 1], known[-k]) if k else (np.nan, np.nan)


def verdict(interval: tuple[float, float]) -> str:
    """Who errs less in the median, as far as its interval tells."""
    low, high = interval
    if high < 1.0:
        return DEEPER
    return TWO_LAYERS if low > 1.0 else NOT_DECIDED
