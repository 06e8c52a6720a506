"""Who of those that were measured is the fastest at an accuracy, and how much slower than ours."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmark.comparison import OURS

CELL = ["N", "d", "s", "eta"]
# relative errors that are asked for, of limit points and of the flow
REACHED = (1e-3, 1e-6, 1e-8, 1e-10)
FLOW_REACHED = 1e-8
# the integrator of today, by the name that it has in the table
OUR_FLOW = "ours, Radau IIA in adapted coordinates"
# the one peer that no package offers: what someone would write in an hour
TEXTBOOK = "Newton on the dual"
# what is aimed at: over the fastest peer, and of a Newton step over its matrix products
TIMES_FASTER = 50
STEP_RATIO = 1.5


def grouped(table: pd.DataFrame, keys: list[str]) -> Iterator[tuple[dict, pd.DataFrame]]:
    """(cell, its rows) in the order of the table, a cell as key -> value."""
    for values, rows in table.groupby(keys, sort=False):
        yield dict(zip(keys, values, strict=True)), rows


def fastest(rows: pd.DataFrame, error: float) -> pd.Series | None:
    """The fastest row with at most this error, None if there is none."""
    rows = rows[rows["error"] <= error]
    return None if rows.empty else rows.loc[rows["seconds"].idxmin()]


def fastest_peers(table: pd.DataFrame) -> pd.DataFrame:
    """For each cell, scale and accuracy the fastest peer, and its time over each of ours.

    A ratio is NaN where ours does not reach the accuracy.
    """
    lines = []
    for cell, rows in grouped(table, [*CELL, "depth", "log10_alpha"]):
        ours = rows[rows["ours"]]
        for error in REACHED:
            peer = fastest(rows[~rows["ours"]], error)
            line = cell | {"accuracy": error, "peer": None if peer is None else peer.contestant}
            for name in table.loc[table["ours"], "contestant"].unique():
                own = fastest(ours[ours["contestant"] == name], error)
                ratio = np.nan if peer is None or own is None else peer.seconds / own.seconds
                line[name.removeprefix(OURS)] = ratio
            lines.append(line)
    return pd.DataFrame(lines)
