"""Tables as columns, name -> values, with the parameters of a cell in front of every row.

Without pandas: most programs only write a table, and loading it takes longer than their work.
"""

import numpy as np

WORDS = ("ensemble", "path", "initialization")


def with_cell(cell, columns):
    """These columns, each row headed by the parameters of its cell.

    Parameters have one type in all tables: text, or floating point with nan where an axis
    is not the cell's own.

    Args:
        cell: name -> value, None where absent.
        columns: name -> values, or one value for all rows.
    """
    cell = {"initialization": None} | cell  # None: from ones
    head = {
        name: value if name in WORDS else np.nan if value is None else float(value)
        for name, value in cell.items()
    }
    lengths = {len(values) for values in columns.values() if np.ndim(values)}
    if len(lengths) > 1:
        raise ValueError(f"columns of one table have lengths {sorted(lengths)}")
    length = lengths.pop() if lengths else 1
    return {
        name: values if np.ndim(values) else [values] * length
        for name, values in (head | columns).items()
    }


def from_rows(rows, names):
    """Columns of these names from mappings, one a row; nan where a row does not say."""
    return {name: [row.get(name, np.nan) for row in rows] for name in names}


def stacked(tables):
    """One table below another; all have the same columns."""
    return {
        name: np.concatenate([np.asarray(table[name]) for table in tables]) for name in tables[0]
    }
