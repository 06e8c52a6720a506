"""Reading and writing the project's files.

Arrays are ``.npz`` without pickles, tables Parquet.  A file appears under its name
only when it is complete, so a killed job leaves nothing half-written; a damaged file
is reported by its name.
"""

import os
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np


class DamagedFileError(RuntimeError):
    """A file of the project is truncated, damaged or not what it should be."""


@contextmanager
def replacing(path):
    """A temporary path beside ``path`` that takes its place when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp's own mode keeps others from reading
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise


def write_text(path, text):
    """Write a text file."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_arrays(path, **arrays):
    """Write arrays under names; strings as fixed-width unicode."""
    with replacing(path) as temporary:
        np.savez(temporary, **arrays)


def read_arrays(path):
    """All arrays of a file, by name.

    Raises:
        DamagedFileError: naming the file.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise DamagedFileError(
            f"{path} is damaged ({error}); delete it and run the workflow again"
        ) from error


def write_table(path, frame):
    """Write a data frame as Parquet."""
    with replacing(path) as temporary:
        frame.to_parquet(temporary, index=False)


def read_table(path):
    """Read a Parquet table.

    Raises:
        DamagedFileError: naming the file.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DamagedFileError(
            f"{path} is damaged ({error}); delete it and run the workflow again"
        ) from error
