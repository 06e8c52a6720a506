"""Reading and writing the project's files.

Arrays are ``.npz`` without pickles, tables Parquet.  A file appears under its name
only when it is complete, so a killed job leaves nothing half-written; a damaged file
is reported by its name, a checksum covering every value in it and its origin: what it
was made by and from (:mod:`pipeline.origin`).  Text and figures have their origin
in a file beside them.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from pipeline import origin as origins

# files that tell their origin; of others a file of this kind beside them tells it
BESIDE = ".json"
TELLING = (".npz", ".parquet", BESIDE)


class DamagedFileError(RuntimeError):
    """A file of the project is truncated, damaged or not what it should be."""


def unfinished(path: str | Path) -> Path:
    """The path at which a file stands until it is complete."""
    path = Path(path)
    return path.with_name(f".{path.stem}-unfinished{path.suffix}")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block succeeds.

    It has one name: what a killed job has left there is overwritten by the next.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = unfinished(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:  # of a full disk, say, which need not name the file
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(path: str | Path, text: str) -> None:
    """Write a text file."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


_UNREADABLE = (
    *(OSError, ValueError, EOFError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile),
    *(SyntaxError, TokenError),  # of the header of an array, which is Python
    # of a member that is none, or of what it promises
    *(AttributeError, OverflowError, MemoryError),
    pa.ArrowException,
)
# names of arrays, and keys of a table's metadata
_ORIGIN, _CHECKSUM = "origin", "checksum"


def damaged(path: str | Path, reason: object) -> DamagedFileError:
    """The error of a file that is there, and not what it should be."""
    return DamagedFileError(f"{path} is damaged ({reason}); delete it and run the workflow again")


@contextmanager
def _reported(path):
    """Any error of reading a file that is there, as one that names the file."""
    try:
        yield
    except (FileNotFoundError, DamagedFileError):
        raise
    except _UNREADABLE as error:
        raise damaged(path, error) from error


def _own(path, take):
    """The origin and the checksum that a file has of its own, taken by name."""
    origin, found = take(_ORIGIN), take(_CHECKSUM)
    if origin is None or found is None:
        raise damaged(path, "it does not tell its origin")
    return origin, found


def _verified(path, found, expected, origin):
    """The origin, decoded, if the checksum is right."""
    if found != expected:
        raise damaged(path, "its content does not match its checksum")
    return json.loads(origin)


# --- arrays ---


def _arrays_checksum(arrays, origin):
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(repr((name, array.dtype.str, array.shape)).encode())
        digest.update(np.ascontiguousarray(array))
    digest.update(origin)
    return digest.hexdigest().encode()


def write_arrays(path: str | Path, **arrays: ArrayLike) -> None:
    """Write arrays under names; strings as fixed-width unicode, objects not at all.

    Args:
        path: of the file.
        arrays: name -> array; "origin" and "checksum" are names of the file's own.

    Raises:
        ValueError: if an array holds objects, or has one of those names.
    """
    reserved = {_ORIGIN, _CHECKSUM} & set(arrays)
    if reserved:
        raise ValueError(f"{path}: no array can be called {reserved.pop()}")
    arrays = {name: np.asarray(values) for name, values in arrays.items()}
    origin = origins.as_text(origins.origin_of(path)).encode()
    own = {_ORIGIN: np.array(origin), _CHECKSUM: np.array(_arrays_checksum(arrays, origin))}
    with replacing(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays, **own)


def _load_arrays(path):
    with _reported(path):
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        origin, found = (value.item() for value in _own(path, lambda name: arrays.pop(name, None)))
        return arrays, _verified(path, found, _arrays_checksum(arrays, origin), origin)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of a file, by name.

    Raises:
        DamagedFileError: naming the file.
    """
    arrays, origin = _load_arrays(path)
    origins.remember(path, origin["sources"])
    return arrays


# --- tables ---


def _table_checksum(table, origin):
    """A checksum of a table: its columns, their types, every value; and of its origin."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        digest.update(repr((name, str(column.type), len(column))).encode())
        numbers = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        digest.update(column.to_numpy() if numbers else repr(column.to_pylist()).encode())
    digest.update(origin)
    return digest.hexdigest().encode()


def write_arrow(path: str | Path, table: pa.Table) -> None:
    """Write a table as Parquet.

    Args:
        path: of the file.
        table: its metadata are not kept.
    """
    origin = origins.as_text(origins.origin_of(path)).encode()
    own = {_ORIGIN: origin, _CHECKSUM: _table_checksum(table, origin)}
    with replacing(path) as temporary:
        pq.write_table(table.replace_schema_metadata(own), temporary)


def _load_arrow(path):
    """(table, origin)."""
    with _reported(path):
        table = pq.read_table(path)
        metadata = table.schema.metadata or {}
        origin, found = _own(path, lambda name: metadata.get(name.encode()))
        return table, _verified(path, found, _table_checksum(table, origin), origin)


def read_arrow(path: str | Path) -> pa.Table:
    """The table of a Parquet file; as a data frame: :func:`pipeline.tidy.read_table`.

    Raises:
        DamagedFileError: naming the file.
    """
    table, origin = _load_arrow(path)
    origins.remember(path, origin["sources"])
    return table


# --- origins ---


def write_origin(path: str | Path, files: Sequence[str | Path], **more: Any) -> None:
    """Write the origin of text files or figures, as JSON.

    Args:
        path: of the JSON file.
        files: paths of what was made, which must be there.
        more: what else is to be told, by name.

    Raises:
        ValueError: if something told has a name that an origin uses itself.
    """
    origin = origins.origin_of(path) | {
        "files": {origins.name_of(file): origins.checksum(file) for file in files}
    }
    for name in more:
        if name in (*origin, _CHECKSUM):
            raise ValueError(f"{path}: {name} is a part of every origin")
    write_text(path, written_origin(origin | more))


def written_origin(origin: dict) -> str:
    """The text of a JSON file that tells an origin, with its checksum."""
    return origins.as_text(origin | {_CHECKSUM: _text_checksum(origin)}, indent=1) + "\n"


def _text_checksum(origin):
    return hashlib.sha256(origins.as_text(origin).encode()).hexdigest()


def read_origin(path: str | Path) -> dict:
    """How a file was made, its content checked: of arrays, of a table, or a JSON file.

    Returns:
        What :func:`pipeline.origin.origin_of` says; of a JSON file also ``files`` (path ->
        checksum), and what else it tells.

    Raises:
        DamagedFileError: naming the file.
    """
    kind = Path(path).suffix
    if kind == ".npz":
        return _load_arrays(path)[1]
    if kind == ".parquet":
        return _load_arrow(path)[1]
    with _reported(path):
        origin = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(origin, dict) or _CHECKSUM not in origin:
            raise damaged(path, "it does not tell its origin")
        found = origin.pop(_CHECKSUM)
        return _verified(path, found, _text_checksum(origin), origins.as_text(origin))
