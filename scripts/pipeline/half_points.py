"""What figures and tables share of the phase diagram: counts of signals, sparsities of 50 %."""

import pandas as pd

from implicit_l1.minimizer.threshold import weak_threshold
from implicit_l1.minimizer.transition import half_point
from implicit_l1.status import PROVED

COLUMN = ["ensemble", "N", "d", "delta"]
COUNTS = ["instances", "undecided", "recovered"]


def recovered_signals(frame: pd.DataFrame) -> pd.DataFrame:
    """How many signals of each N, d and s there are, are undecided, and are recovered.

    Args:
        frame: of stage phase.
    """
    once = frame.drop_duplicates([*COLUMN, "s", "repetition"])
    decided = once["status"] == PROVED
    once = once.assign(
        instances=1, undecided=1 - decided, recovered=(decided & once["recovered"]).astype(int)
    )
    return once.groupby([*COLUMN, "s", "sparsity"], as_index=False)[COUNTS].sum()


def half_points(frame: pd.DataFrame) -> pd.DataFrame:
    """The sparsity of 50 % success of each N and d, its interval, and the weak threshold.

    Undecided signals are no trials.

    Args:
        frame: of stage phase.
    """
    rows = []
    for values, cells in recovered_signals(frame).groupby(COLUMN):
        trials = cells["instances"] - cells["undecided"]
        counted = (cells["sparsity"], cells["recovered"], trials)
        found = half_point(*(part.to_numpy() for part in counted))
        column = dict(zip(COLUMN, values, strict=True))
        ends = {"half": found.value, "half_lower": found.lower, "half_upper": found.upper}
        threshold = float(weak_threshold(column["delta"]))
        rows.append(column | dict(cells[COUNTS].sum()) | ends | {"threshold": threshold})
    return pd.DataFrame(rows)
