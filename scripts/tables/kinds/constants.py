"""The error over its first-order prediction, at round scales and at the end of the path."""

from functools import partial

import numpy as np
import pandas as pd

from implicit_l1.proof.intervals import farthest, median
from implicit_l1.status import CERTIFIED
from tables.columns import NETWORK
from tables.enclosures import in_floats, of_limits, power_in_floats
from tables.statistics import EnclosedCells

# log10 of the scales where it is compared; the far regime is the end of each path
MARKS = {"4": -4.0, "8": -8.0, "12": -12.0}
# the status of an instance that has none
NO_CONSTANT = "no first-order constant"


def constants_table(frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """Medians over the certified repetitions of each network."""
    certified = frame["status"] == CERTIFIED
    # an error of exactly 0 has no constant: such instances are none of this table's
    zero = certified & ~np.isfinite(frame["log10_error_1"])
    without = certified & frame["log10_prediction"].isna()
    frame = frame.assign(status=frame["status"].mask(without, NO_CONSTANT))[~zero]
    cells = EnclosedCells(frame, NETWORK, of_limits(proofs), constants_in_floats)
    columns = {"constant": cells.proved_of(median, "constant")}
    for name, mark in MARKS.items():
        columns[f"measured_{name}"] = cells.proved_of(median, "error_1", mark)
        columns[f"ratio_{name}"] = cells.proved_of(median, "error_over_prediction", mark)
    return cells.table(
        **columns,
        end_log10_alpha=cells.by_cell(cells.smallest).first(),
        ratio_end=cells.proved_of(median, "error_over_prediction", cells.smallest),
        ratio_end_worst=cells.proved_of(
            lambda ratios: farthest(ratios, 1), "error_over_prediction", cells.smallest
        ),
    )


def constants_in_floats(rows: pd.DataFrame) -> pd.DataFrame:
    """Errors and ratios at each scale, and the constants, from their decimal logarithms."""
    rows = rows.assign(
        log10_ratio=rows["log10_error_1"] - rows["log10_prediction"],
        log10_constant=rows["log10_prediction"] - rows["rate"] * rows["log10_alpha"],
    )
    powers = partial(in_floats, rows, meaning=power_in_floats)
    names = {"error_1": "log10_error_1", "error_over_prediction": "log10_ratio"}
    at_scales = powers(names, rows["log10_alpha"].round(9))
    return pd.concat([at_scales, powers({"constant": "log10_constant"})], ignore_index=True)
