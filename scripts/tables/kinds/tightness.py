"""Upper bound over error and error over lower bound."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from tables.columns import NETWORK, NORMS
from tables.statistics import Cells, power


def tightness_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Median and worst over all points of the repetitions with these statuses.

    A bound is silent where its quotient is not finite.
    """
    cells = Cells(frame, NETWORK, statuses)
    points = cells.by_cell(cells.counted).sum()
    columns = {}
    for norm in NORMS:
        error = cells.rows["log10_error_off" if norm.endswith("off") else "log10_error_1"]
        for side, sign in (("upper", 1.0), ("lower", -1.0)):
            logs = sign * (cells.rows[f"log10_{norm}_{side}"] - error)
            finite = cells.by_cell(logs.where(cells.counted & np.isfinite(logs)))
            columns[f"{norm}_{side}"] = finite.median().map(power)
            columns[f"{norm}_{side}_worst"] = finite.max().map(power)
            columns[f"{norm}_{side}_silent"] = points - finite.count()
    return cells.table(points=points, **columns)
