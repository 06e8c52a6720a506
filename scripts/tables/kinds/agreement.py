"""Flow and plain flow against the limit: ||difference||_1 / ||n||_1, largest of a cell."""

from collections.abc import Collection

import pandas as pd

from tables.columns import NETWORK
from tables.statistics import Cells


def agreement_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Statistics over the repetitions with these statuses."""
    cells = Cells(frame, [*NETWORK, "alpha", "form"], statuses)
    return cells.table(
        disagreement=cells.numbers["disagreement"].max(),
        # another processor can need a step more or less, of a few dozen: one digit says enough
        steps=cells.numbers["steps"].median().map(lambda steps: float(f"{steps:.1g}")),
    )
