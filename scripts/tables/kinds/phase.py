"""The sparsity of 50 % success beside the weak threshold, by N and d."""

from collections.abc import Collection

import pandas as pd

from pipeline.half_points import half_points


def phase_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Counts of proved decisions, and what is fitted to them, undecided signals left out."""
    found = half_points(frame).drop(columns="delta")
    return found.rename(columns={"recovered": "recovered_signals"})
