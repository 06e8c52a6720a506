"""Problems of one's own: A and y, and x_0 where it is known, from files.

Three formats, told by the suffix:

- ``.npz`` of NumPy with the arrays ``A``, ``y`` and, if x_0 is known, ``x0``;
- ``.csv`` with a header: column ``y`` holds the data and every other column is a column of A,
  in order; or, if y is in a file of its own, all columns are columns of A;
- ``.mtx``, Matrix Market, sparse or dense, with A alone: y is in a file of its own.

y and x_0 in files of their own are ``.csv`` with one column (and a header) or ``.mtx`` with
one column.  Every file that is read is remembered with its checksum
(:mod:`pipeline.origin`).  Everything becomes double precision and dense.  A number in a text
becomes the nearest double; an entry of an array that is no double, or a number that would become
0, is an error.  A file that is too large, or says that it holds more than it does, is refused
before it is read (:mod:`pipeline.sizes`).

*Scale.*  A and y are divided by the power of two nearest to max |A_ij|
(:mod:`implicit_l1.problems.given`).  The lasso path of (A, y) is at mu where that of (A, y) / 2^e
is at 2^(-2e) mu.

*Noiseless data.*  If x_0 is given and y is ``A x_0`` up to the rounding of that product
(:mod:`implicit_l1.problems.product`), y is taken as ``A x_0`` exactly.  Any other difference is
noise, and y is what the file says; but a solution with few entries that explains y to its rounding
is reported with the problem, and the reader can choose to have y taken as its image.
"""

import csv
import math
import re
import zipfile
import zlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import scipy.io

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.problems.ensembles import ProblemError
from implicit_l1.problems.given import (
    LARGEST,
    as_doubles,
    as_product,
    check_finite,
    check_size,
    divided,
    scale_exponent,
)
from implicit_l1.problems.problem import Problem, Rows, checked
from implicit_l1.problems.product import UNIT_ROUNDOFF, explanation, first_beyond_rounding
from pipeline import origin as origins
from pipeline.sizes import check_file, check_shape

_DATA = "y"
# what may stand between cells in place of commas
_SEPARATORS = {";": "semicolons stand", "\t": "tabs stand", "|": "bars stand"}
# names of a first column that may be no column of A
_INDICES = ("unnamed: 0", "index", "id", "row")

# how a file of NumPy with one array begins, and what reads the header of each version that holds
# numbers
_MAGIC = b"\x93NUMPY"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_LONGEST_HEADER = 10_000  # NumPy's own limit, which it compares after it has read the header

# what a file that is not what its suffix says may raise
_UNREADABLE = (
    *(OSError, ValueError, EOFError, RuntimeError, MemoryError, OverflowError),
    *(zipfile.BadZipFile, zlib.error),
)


def read_problem(
    path: str,
    data: str | None = None,
    signal: str | None = None,
    *,
    noiseless: bool = False,
    held_out: int = 0,
    rng: np.random.Generator | None = None,
) -> Problem:
    """The problem that one file holds, or one and those of y and x_0; see above.

    Args:
        path: of ``.npz``, ``.csv`` or ``.mtx``, see above.
        data: path of y, ``.csv`` or ``.mtx``; None if y is in the first file.
        signal: path of x_0, ``.csv`` or ``.mtx``; None if it is in the first file or not known.
        noiseless: y is a product A x, rounded: of x_0 where it is known, else of the solution
            that :func:`implicit_l1.problems.product.explanation` finds.
        held_out: so many rows, drawn by rng, are no part of the problem.
        rng: needed with `held_out`.

    Returns:
        The problem, divided by a power of two; its signal is nan everywhere if x_0 is not known.

    Raises:
        ProblemError: naming the file: if it is missing, cannot be read or lacks something;
            if an entry is no real number, no double or not finite; if shapes do not fit; if
            N >= d, A does not have full row rank or is too near to a matrix that has not, or
            y = 0; if the scales of A, x and y are so far apart that they cannot be represented;
            with noiseless, if y is not that product to rounding; if no row would be left, or y is
            0 on those that are held out.
    """
    kind = _kind(path, (".npz", ".csv", ".mtx"))
    roundoff = UNIT_ROUNDOFF
    if kind == ".npz":
        for other, name in ((data, "y"), (signal, "x0")):
            if other is not None:
                raise ProblemError(f"{path}: {name} is an array of this file, not in {other}")
        arrays, roundoff = _arrays(path)
        matrix, y, x0 = (arrays.get(name) for name in ("A", "y", "x0"))
    elif kind == ".csv":
        matrix, y = _matrix_and_data(path, data is None)
        x0 = None
    else:
        if data is None:
            raise ProblemError(
                f"{path}: Matrix Market holds A alone; y is needed as well, in a file of its own "
                "(key data of the ensemble, option --data)"
            )
        matrix, y, x0 = _matrix_market(path), None, None
    y = y if data is None else _column(data)
    x0 = x0 if signal is None else _column(signal)
    files = [path if p is None else p for p in (path, data, signal)]
    where = path if data is None else f"{path}, {data}"
    problem, exponent = _standardized(_fitting(matrix, y, x0, *files), *files[:2])
    if held_out:
        problem = _without_rows(problem, held_out, rng, where)
    with _named(where):
        problem = checked(problem)
        check_size(problem)
    _check_signal(problem, files[2])
    if x0 is not None:
        return _with_signal(problem, roundoff, exponent, noiseless, where)
    return _without_signal(problem, roundoff, noiseless, where)


def shape_of(path: str, data: str | None = None) -> tuple[int, int] | None:
    """(N, d) of the problem in a file; None if it cannot be read.

    A table is read as a whole, of arrays of NumPy and matrices of Matrix Market the beginning.

    Args:
        path, data: as of :func:`read_problem`.
    """
    try:
        kind = Path(path).suffix.lower()
        if kind == ".npz":
            rows, columns = _promised_shape(path, "A")
        elif kind == ".mtx":
            rows, columns, *_ = scipy.io.mminfo(path)
        else:
            header, lines = _lines(path)
            rows, columns = len(lines), len(header) - (data is None)
    except (*_UNREADABLE, ProblemError):
        return None
    return rows, columns


def _fitting(matrix, data, signal, path, data_path, signal_path):
    """The problem, if shapes fit and all entries are finite; each array with its file."""
    if matrix.ndim != 2 or 0 in matrix.shape:
        raise ProblemError(f"{path}: A must have rows and columns, its shape is {matrix.shape}")
    rows, columns = matrix.shape
    _finite(matrix, "A", path)
    if data.size == columns < rows:
        raise ProblemError(
            f"{data_path}: y has {columns} entries, one for each column of A, whose shape is "
            f"{matrix.shape}; a row is needed for each: transpose A"
        )
    data = _vector(data, rows, "y", "a row", data_path)
    if signal is None:
        return Problem(matrix, np.full(columns, np.nan), data)
    return Problem(matrix, _vector(signal, columns, "x0", "a column", signal_path), data)


def _without_rows(problem, held_out, rng, where):
    """The problem of the rows that are left when so many, chosen by rng, are held out."""
    rows = len(problem.data)
    if held_out < 0:
        raise ProblemError(f"{where}: held_out is {held_out}, it must be at least 1")
    if held_out >= rows:
        raise ProblemError(f"{where}: held_out is {held_out}, and A has {rows} rows: none is left")
    chosen = np.sort(rng.choice(rows, held_out, replace=False))
    apart = Rows(problem.matrix[chosen], problem.data[chosen])
    if not apart.data.any():
        raise ProblemError(
            f"{where}: y is 0 on all {held_out} rows that are held out; hold out more"
        )
    return replace(
        problem,
        matrix=np.delete(problem.matrix, chosen, axis=0),
        data=np.delete(problem.data, chosen),
        held_out=apart,
    )


# --- scale ---


def _standardized(problem, path, data_path):
    """The problem with A and y divided by the power of two 2^e nearest to max |A_ij|, and e.

    Raises:
        ProblemError: naming the file, if an entry cannot be divided exactly.
    """
    exponent = scale_exponent(problem.matrix)
    with _named(path):
        matrix = divided(problem.matrix, exponent, "A")
    with _named(data_path):
        data = divided(problem.data, exponent, "y")
    return replace(problem, matrix=matrix, data=data), exponent


def _check_signal(problem, path):
    """Raise an error if x_0 is beyond what is computed with."""
    largest = np.abs(problem.signal).max()  # nan where it is not known
    if largest > LARGEST:
        raise ProblemError(
            f"{path}: x0 has an entry of size {largest:.1e}; the largest allowed is {LARGEST:.1e}"
        )


# --- noiseless data ---


def _with_signal(problem, roundoff, exponent, noiseless, where):
    """The problem, y taken as A x_0 where it is that to rounding."""
    beyond = first_beyond_rounding(problem.matrix, problem.signal, problem.data, roundoff, exponent)
    if beyond is None:
        return _as_product(problem, problem.signal, where)
    if noiseless:
        row, distance, bound = beyond
        raise ProblemError(
            f"{where}: noiseless is true, but y[{row}] differs from (A x0)[{row}] by "
            f"{distance:.1e} in units of max |A_ij|, rounding of the product by {bound:.1e} at most"
        )
    rest = np.linalg.norm(problem.data - problem.matrix @ problem.signal)
    if rest > np.linalg.norm(problem.data):
        times = rest / np.linalg.norm(problem.data)
        raise ProblemError(
            f"{where}: A x0 is farther from y than 0 is, ||y - A x0|| = {times:.2g} ||y||: are x0, "
            "A and y in the same units and order? If x0 is not known, leave it out"
        )
    return _at_its_word(problem, roundoff)


def _without_signal(problem, roundoff, noiseless, where):
    """The problem, y taken as the image of the solution that explains it, if that is wanted."""
    if not noiseless:
        return _at_its_word(problem, roundoff)
    most = len(problem.data) - 1
    try:
        found = explanation(problem.matrix, problem.data, most, roundoff)
    except LinearProgramError as error:
        raise ProblemError(f"{where}: noiseless is true, but {error}") from error
    if found is None:
        raise ProblemError(
            f"{where}: noiseless is true, but no l1 minimizer with at most {most} nonzero entries, "
            "fewer than A has rows, explains y to its rounding"
        )
    # data that need no rounding are not changed by it
    return problem if found.exact else _as_product(problem, found.preimage, where)


def _at_its_word(problem, roundoff):
    """The problem as it is, and how many entries explain y to its rounding."""
    try:
        found = explanation(problem.matrix, problem.data, len(problem.data) // 2, roundoff)
    except LinearProgramError:
        return replace(problem, noiseless_support=-1)
    if found is None or found.exact:
        return problem
    return replace(problem, noiseless_support=found.size)


def _as_product(problem, preimage, where):
    """The problem with y = A x exactly."""
    with _named(where):
        return as_product(problem, preimage)


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
    with _named(path):
        check_finite(values, name)


@contextmanager
def _named(path):
    """Name the file in an error."""
    try:
        yield
    except ProblemError as error:
        raise ProblemError(f"{path}: {error}") from error


def _kind(path, known):
    """The suffix of a path; the file is there, and remembered."""
    kind = Path(path).suffix.lower()
    if Path(path).is_dir():
        raise ProblemError(f"{path}: is a folder; the path of a file in it is needed")
    if kind not in known:
        raise ProblemError(
            f"{path}: must be a file {' or '.join(known)}; a spreadsheet can be saved as .csv"
        )
    if not Path(path).is_file():
        raise ProblemError(f"{path}: there is no such file")
    check_file(path)
    origins.remember_data(path)
    return kind


def _numbers(values, name, path):
    """An array as doubles, if it holds real numbers, all of them doubles."""
    with _named(path):
        return as_doubles(values, name)


# --- formats ---


def _arrays(path):
    """A, y and, if it is there, x0 of a .npz file, as doubles; the unit roundoff of y."""
    try:
        with Path(path).open("rb") as file:
            single = file.read(len(_MAGIC)) == _MAGIC
        archive = None if single else np.load(path, allow_pickle=False)
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: cannot be read as .npz ({error})") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ProblemError(f"{path}: holds one array without a name; A and y are needed")
    found, roundoff = {}, UNIT_ROUNDOFF
    with archive:
        for name in ("A", "y", "x0"):
            if name in archive.files:
                check_shape(path, f"array {name}", _promised_shape(path, name))
                values = _member(archive, name, path)
                found[name] = _numbers(values, name, path)
                if name == "y" and values.dtype in (np.float16, np.float32):
                    roundoff = float(np.finfo(values.dtype).eps) / 2.0
            elif name != "x0":
                there = ", ".join(archive.files) or "nothing"
                raise ProblemError(
                    f"{path}: has no array {name} (it holds {there}){_renamed(name, archive.files)}"
                )
    return found, roundoff


def _promised_shape(path, name):
    """The shape of an array in a .npz file, as its header says.

    Whatever is behind the header, no more is read than it promises.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if name in names or f"{name}.npy" not in names:  # the first is what NumPy would read
            raise ProblemError(f"{path}: array {name} is no array of NumPy")
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            start = file.read(12)
            length = int.from_bytes(start[8:10] if start[6:7] == b"\x01" else start[8:12], "little")
            file.seek(0)
            version = np.lib.format.read_magic(file)
            if length > _LONGEST_HEADER or version not in _HEADERS:
                raise ValueError(f"a header of {length} bytes, of version {version}")
            shape, _, _ = _HEADERS[version](file)
    except ProblemError:
        raise
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: array {name} cannot be read ({error})") from error
    return shape


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
        raise ProblemError(
            f"{path}: has no column y (its columns: {_some(header)}){_renamed(_DATA, header)}; "
            "or y is in a file of its own (key data of the ensemble, option --data)"
        )
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
    for separator, words in _SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            raise ProblemError(
                f"{path}: {words} between its cells; commas are needed, and points within numbers"
            )
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
    if header[0].casefold() in _INDICES:
        first = [_number(cells[0]) for _, cells in lines[1:]]
        if first in (list(range(len(first))), list(range(1, len(first) + 1))):
            raise ProblemError(
                f"{path}: column {header[0]!r} counts the rows (an index that a program wrote? "
                "leave it out; if it is a column of A, give it another name)"
            )
    return header, lines[1:]


def _values(path, header, lines):
    """The numbers in the cells, shape (rows, columns)."""
    check_shape(path, "the table", (len(lines), len(header)))
    values = np.empty((len(lines), len(header)))
    for row, (line, cells) in enumerate(lines):
        if len(cells) != len(header):
            raise ProblemError(
                f"{path}: line {line} has {len(cells)} cells, the header has {len(header)}"
            )
        for column, cell in enumerate(cells):
            value = _number(cell)
            if _lost(cell, value):
                place = f"line {line}, column {header[column]!r}"
                raise ProblemError(
                    f"{path}: {place}: {cell.strip()!r} is less than the smallest double, 5e-324"
                )
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


def _lost(text, value):
    """Whether a number that is not 0 becomes 0."""
    return value == 0.0 and any(digit in "123456789" for digit in re.split("[eE]", text)[0])


def _renamed(name, there):
    """What to do if the name is there in other letters, as the end of a message."""
    close = [other for other in there if other.casefold() == name.casefold()]
    return f"; rename {close[0]} to {name}" if close else ""


def _some(names):
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")


def _matrix_market(path):
    """The matrix of a .mtx file, dense, as doubles."""
    try:
        rows, columns, count, form, *_ = scipy.io.mminfo(path)
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: cannot be read as Matrix Market ({error})") from error
    check_shape(path, "the matrix", (rows, columns))
    # a line for each entry, of a digit and its end at least; a symmetric matrix holds half
    least = 2 * count if form == "coordinate" else rows * columns
    size = Path(path).stat().st_size
    if least > size:
        raise ProblemError(
            f"{path}: its first lines promise {count} entries, more than its {size} bytes can hold"
        )
    try:
        values = scipy.io.mmread(path)
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: cannot be read as Matrix Market ({error})") from error
    values = values if isinstance(values, np.ndarray) else values.toarray()
    # SciPy reads what is less than the smallest double as 0
    for token in re.findall(r"\S+[eE]-\d{3,}", Path(path).read_text(encoding="utf-8")):
        if _lost(token, _number(token)):
            raise ProblemError(f"{path}: {token!r} is less than the smallest double, 5e-324")
    return _numbers(values, "the matrix", path)
