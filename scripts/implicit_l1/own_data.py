"""Problems of one's own: A and y, and x_0 where it is known, from files.

Three formats, told by the suffix:

- ``.npz`` of NumPy with the arrays ``A``, ``y`` and, if x_0 is known, ``x0``;
- ``.csv`` with a header: column ``y`` holds the data and every other column is a column of A,
  in order; or, if y is in a file of its own, all columns are columns of A;
- ``.mtx``, Matrix Market, sparse or dense, with A alone: y is in a file of its own.

y and x_0 in files of their own are ``.csv`` with one column (and a header) or ``.mtx`` with
one column.  Everything becomes double precision and dense.  Nothing is rounded, and nothing
relates y to A x_0: their difference is noise.  Every file that is read is remembered with
its checksum (:mod:`implicit_l1.origin`).
"""

import csv
import math
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np

from implicit_l1 import origin as origins
from implicit_l1.problems import Problem, ProblemError, checked

_DATA = "y"

# what a file that is not what its suffix says may raise
_UNREADABLE = (
    *(OSError, ValueError, EOFError, RuntimeError, MemoryError, OverflowError),
    *(zipfile.BadZipFile, zlib.error),
)


def read_problem(path, data=None, signal=None) -> Problem:
    """The problem that one file holds, or one and those of y and x_0.

    Args:
        path: of ``.npz``, ``.csv`` or ``.mtx``, see above.
        data: path of y, ``.csv`` or ``.mtx``; None if y is in the first file.
        signal: path of x_0, ``.csv`` or ``.mtx``; None if it is in the first file or not known.

    Returns:
        The problem; its signal is nan everywhere if x_0 is not known.

    Raises:
        ProblemError: naming the file: if it is missing, cannot be read or lacks something;
            if an entry is no real number or not finite; if shapes do not fit; if N >= d, A
            does not have full row rank, or y = 0.
    """
    kind = _kind(path, (".npz", ".csv", ".mtx"))
    if kind == ".npz":
        for other, name in ((data, "y"), (signal, "x0")):
            if other is not None:
                raise ProblemError(f"{path}: {name} is an array of this file, not in {other}")
        arrays = _arrays(path)
        matrix, y, x0 = (arrays.get(name) for name in ("A", "y", "x0"))
    elif kind == ".csv":
        matrix, y = _matrix_and_data(path, data is None)
        x0 = None
    else:
        if data is None:
            raise ProblemError(f"{path}: Matrix Market holds A alone; y is needed as well (--data)")
        matrix, y, x0 = _matrix_market(path), None, None
    y = y if data is None else _column(data)
    x0 = x0 if signal is None else _column(signal)
    problem = _fitting(matrix, y, x0, *(path if p is None else p for p in (path, data, signal)))
    try:
        return checked(problem)
    except ProblemError as error:
        where = path if data is None else f"{path}, {data}"
        raise ProblemError(f"{where}: {error}") from error


def _fitting(matrix, data, signal, path, data_path, signal_path):
    """The problem, if shapes fit and all entries are finite; each array with its file."""
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ProblemError(f"{path}: A must have rows and columns, its shape is {matrix.shape}")
    rows, columns = matrix.shape
    _finite(matrix, "A", path)
    data = _vector(data, rows, "y", "a row", data_path)
    if signal is None:
        return Problem(matrix, np.full(columns, np.nan), data)
    return Problem(matrix, _vector(signal, columns, "x0", "a column", signal_path), data)


def _vector(values, length, name, of_each, path):
    """A vector of this length, a matrix of one column as well; its entries finite."""
    vector = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if vector.shape != (length,):
        raise ProblemError(
            f"{path}: {name} must have an entry for {of_each} of A, {length}; "
            f"its shape is {values.shape}"
        )
    _finite(vector, name, path)
    return np.ascontiguousarray(vector)


def _finite(values, name, path):
    places = np.argwhere(~np.isfinite(values))
    if len(places):
        place = ", ".join(map(str, places[0].tolist()))
        value = values[tuple(places[0])]
        raise ProblemError(f"{path}: {name}[{place}] is {value}, which is not finite")


def _kind(path, known):
    """The suffix of a path; the file is there, and remembered."""
    kind = Path(path).suffix.lower()
    if kind not in known:
        raise ProblemError(f"{path}: must be a file {' or '.join(known)}")
    if not Path(path).is_file():
        raise ProblemError(f"{path}: there is no such file")
    origins.remember_data(path)
    return kind


def _numbers(values, name, path):
    """An array as doubles, if it holds real numbers."""
    if values.dtype.kind not in "iuf":
        raise ProblemError(f"{path}: {name} holds {values.dtype}, not real numbers")
    return np.ascontiguousarray(values, dtype=float)


# --- formats ---


def _arrays(path):
    """A, y and, if it is there, x0 of a .npz file, as doubles."""
    try:
        archive = np.load(path, allow_pickle=False)
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: cannot be read as .npz ({error})") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ProblemError(f"{path}: holds one array without a name; A and y are needed")
    found = {}
    with archive:
        for name in ("A", "y", "x0"):
            if name in archive.files:
                found[name] = _numbers(_member(archive, name, path), name, path)
            elif name != "x0":
                there = ", ".join(archive.files) or "nothing"
                raise ProblemError(f"{path}: has no array {name} (it holds {there})")
    return found


def _member(archive, name, path):
    try:
        values = archive[name]
    except _UNREADABLE as error:
        reason = "holds pickled objects, which are not read"
        if "allow_pickle" not in str(error):
            reason = f"cannot be read ({error})"
        raise ProblemError(f"{path}: array {name} {reason}") from error
    if not isinstance(values, np.ndarray):
        raise ProblemError(f"{path}: array {name} is no array of NumPy")
    return values


def _matrix_and_data(path, with_data):
    """A and y of a .csv file; y is None if it is in another file."""
    header, lines = _lines(path)
    if not with_data:
        if _DATA in header:
            raise ProblemError(f"{path}: has a column y, and y is given in another file too")
        return _values(path, header, lines), None
    if _DATA not in header:
        raise ProblemError(f"{path}: has no column y (its columns: {_some(header)})")
    values, place = _values(path, header, lines), header.index(_DATA)
    return np.delete(values, place, axis=1), values[:, place]


def _column(path):
    """A vector of a file of its own, shape (length,) or (length, 1)."""
    if _kind(path, (".csv", ".mtx")) == ".mtx":
        return _matrix_market(path)
    header, lines = _lines(path)
    if len(header) != 1:
        raise ProblemError(f"{path}: must have one column, it has {len(header)}: {_some(header)}")
    return _values(path, header, lines)


def _lines(path):
    """Names of the columns, and (number of the line, cells) of each row of a .csv file."""
    try:
        # utf-8-sig: spreadsheets begin a file with a byte order mark
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, cells) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProblemError(f"{path}: cannot be read as .csv ({error})") from error
    if len(lines) < 2:
        raise ProblemError(f"{path}: must have a header and at least one row below it")
    header = [name.strip() for name in lines[0][1]]
    if "" in header:
        raise ProblemError(
            f"{path}: column {header.index('') + 1} has no name (an index that a program wrote? "
            "leave it out)"
        )
    for name, count in Counter(header).items():
        if count > 1:
            raise ProblemError(f"{path}: has {count} columns {name!r}")
    # pandas names columns that have no names 0, 1, ...
    counted = header == [str(place) for place in range(len(header))]
    if not counted and all(_number(name) is not None for name in header):
        raise ProblemError(f"{path}: its first line must be a header, it holds numbers")
    return header, lines[1:]


def _values(path, header, lines):
    """The numbers in the cells, shape (rows, columns)."""
    values = np.empty((len(lines), len(header)))
    for row, (line, cells) in enumerate(lines):
        if len(cells) != len(header):
            raise ProblemError(
                f"{path}: line {line} has {len(cells)} cells, the header has {len(header)}"
            )
        for column, cell in enumerate(cells):
            value = _number(cell)
            if value is None or not math.isfinite(value):
                what = repr(cell.strip()) if cell.strip() else "an empty cell"
                reason = "no number" if value is None else "not finite"
                place = f"line {line}, column {header[column]!r}"
                raise ProblemError(f"{path}: {place}: {what} is {reason}")
            values[row, column] = value
    return values


def _number(text):
    """The number that a text says; None if it says none."""
    try:
        return None if "_" in text else float(text)  # Python alone reads 1_000 as a number
    except ValueError:
        return None


def _some(names):
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")


def _matrix_market(path):
    """The matrix of a .mtx file, dense, as doubles."""
    import scipy.io

    try:
        values = scipy.io.mmread(path)
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: cannot be read as Matrix Market ({error})") from error
    values = values if isinstance(values, np.ndarray) else values.toarray()
    return _numbers(values, "the matrix", path)
