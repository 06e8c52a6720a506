"""Gradient descent of a finite step against the flow's limit."""

from collections.abc import Collection

import pandas as pd

from tables.columns import NETWORK
from tables.statistics import Cells, of_each

MEDIANS = ("iterations", "relative_loss", "relative_step_distance", "relative_distance")


def descent_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Medians over the repetitions with these statuses; the outcomes are those of all."""
    cells = Cells(frame, [*NETWORK, "alpha", "fraction"], statuses)
    outcomes = cells.by_cell(cells.rows["outcome"])
    return cells.table(
        outcome=of_each(outcomes, lambda words: ", ".join(sorted(set(words)))),
        **{name: cells.numbers[name].median() for name in MEDIANS},
    )
