"""Tables as data frames: Parquet files, with the parameters of a cell in front of every row."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.storage import read_arrow, write_arrow

WORDS = ("ensemble", "path", "initialization")
OF_STATEMENTS = ["repetition", "quantity", "log10_alpha", "lower", "upper", "status"]


def write_table(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a data frame as Parquet, without its index.

    Args:
        path: of the file.
        frame: of numbers, and of texts; both may be missing.

    Raises:
        ValueError, TypeError: of pyarrow, if values of one column are of several types.
    """
    write_arrow(path, pa.Table.from_pandas(frame, preserve_index=False))


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a Parquet table as a data frame.

    Raises:
        DamagedFileError: naming the file.
    """
    return read_arrow(path).to_pandas()


def read_tables(
    paths: Sequence[str | Path], read: Callable[[str | Path], pd.DataFrame] = read_table
) -> pd.DataFrame | None:
    """Parquet tables one below the other, as a data frame; None if there are none.

    Args:
        paths: of the files.
        read: reads one of them, as :func:`read_table` does.
    """
    frames = [read(path) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else None


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


def table_of_statements(cell: dict, found: Iterable[tuple[int, Iterable[Any]]]) -> pd.DataFrame:
    """What is proved of the repetitions of a cell, one row a quantity.

    Args:
        cell: as in :func:`with_cell`.
        found: (repetition, statements of :mod:`implicit_l1.proof.statements`) of each.
    """
    rows = [
        {"repetition": int(index), **vars(each)}
        for index, statements in found
        for each in statements
    ]
    return with_cell(cell, pd.DataFrame(rows, columns=OF_STATEMENTS))
