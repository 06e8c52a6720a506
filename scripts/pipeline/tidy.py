"""Tables as data frames, with the parameters of a cell in front of every row."""

import numpy as np
import pandas as pd

WORDS = ("ensemble", "path", "initialization")


def with_cell(cell: dict, frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with the parameters of its cell in front of each row.

    Parameters have one type in all tables: text, or floating point with nan where an axis
    is not the cell's own.

    Args:
        cell: name -> value, None where absent.
        frame: of other columns.
    """
    cell = {"initialization": None} | cell  # None: from ones
    values = {
        name: value if name in WORDS else np.nan if value is None else float(value)
        for name, value in cell.items()
    }
    return pd.concat([pd.DataFrame(values, index=frame.index), frame], axis=1)
