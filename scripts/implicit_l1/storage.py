"""Reading and writing the project's files.

Arrays are ``.npz`` without pickles, tables Parquet.  A file appears under its name
only when it is complete, so a killed job leaves nothing half-written; a damaged file
is reported by its name, checksums covering every value in it.
"""

import hashlib
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


_UNREADABLE = (OSError, ValueError, EOFError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile)
_NAMES = "names_of_arrays"
_DIGEST = b"content_sha256"


def _damaged(path, reason):
    return DamagedFileError(f"{path} is damaged ({reason}); delete it and run the workflow again")


def write_arrays(path, **arrays):
    """Write arrays under names; strings as fixed-width unicode, objects not at all.

    Raises:
        ValueError: if an array holds objects.
    """
    with replacing(path) as temporary:
        names = {_NAMES: np.array(sorted(arrays))}
        np.savez(temporary, allow_pickle=False, **names, **arrays)


def read_arrays(path):
    """All arrays of a file, by name.

    The archive's own checksums cover what is in an array, the list of names whether all
    are there.

    Raises:
        DamagedFileError: naming the file.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise
    except _UNREADABLE as error:
        raise _damaged(path, error) from error
    names = arrays.pop(_NAMES, None)
    if names is None or sorted(arrays) != names.tolist():
        raise _damaged(path, "arrays are missing")
    return arrays


def _digest(frame):
    """A checksum of the content of a table: its columns, their types, every value."""
    import pandas as pd

    head = repr([(name, str(kind)) for name, kind in frame.dtypes.items()])
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(head.encode() + rows.tobytes()).hexdigest().encode()


def write_table(path, frame):
    """Write a data frame as Parquet, with a checksum of its content."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(path) as temporary:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        # what is read back is what is hashed: a type may change on the way
        digest = _digest(table.to_pandas())
        pq.write_table(
            table.replace_schema_metadata(table.schema.metadata | {_DIGEST: digest}), temporary
        )


def read_table(path):
    """Read a Parquet table.

    Raises:
        DamagedFileError: naming the file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
        frame = table.to_pandas()
        digest = _digest(frame)
    except FileNotFoundError:
        raise
    except (*_UNREADABLE, pa.ArrowException) as error:
        raise _damaged(path, error) from error
    if (table.schema.metadata or {}).get(_DIGEST) != digest:
        raise _damaged(path, "its content does not match its checksum")
    return frame
