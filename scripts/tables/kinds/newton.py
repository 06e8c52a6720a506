"""Newton steps a point along the path, the way from its start included."""

from collections.abc import Collection

import pandas as pd

from tables.columns import PATH
from tables.statistics import Cells


def newton_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Statistics over all points of the repetitions with these statuses."""
    cells = Cells(frame, PATH, statuses)
    steps = cells.numbers["newton_steps"]
    return cells.table(
        points=steps.count(),
        mean=steps.mean(),
        median=steps.median(),
        percentile_95=steps.quantile(0.95),
        largest=steps.max(),
    )
