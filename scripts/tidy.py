"""Tables with the parameters of a cell in front of every row."""

import pandas as pd


def with_cell(cell, columns):
    """A table of these columns, each row headed by the parameters of its cell.

    Parameters have one type in all tables: text, or floating point with nan where an axis
    is not the cell's own.

    Args:
        cell: name -> value, None where absent.
        columns: name -> values, or a data frame.
    """
    frame = pd.DataFrame(columns)
    words = ("ensemble", "path", "initialization")
    cell = {"initialization": None} | cell  # None: from ones
    head = pd.DataFrame(cell, index=frame.index)
    return pd.concat(
        [head.astype({name: float for name in cell if name not in words}), frame], axis=1
    )
