"""What files of one's own hold, in three formats, told by the suffix:

- ``.npz`` of NumPy with the arrays ``A``, ``y`` and, if x_0 is known, ``x0``;
- ``.csv`` with a header: column ``y`` holds the data and every other column is a column of A,
  in order; or, if y is in a file of its own, all columns are columns of A;
- ``.mtx``, Matrix Market, sparse or dense, with A alone: y is in a file of its own.

y and x_0 in files of their own are ``.csv`` with one column (and a header) or ``.mtx`` with
one column.  Every file that is read is remembered with its checksum
(:mod:`pipeline.origin`).  Everything becomes double precision and dense.  A number in a text
becomes the nearest double; an entry of an array that is no double, or a number that would become
0, is an error.  A file that is too large, or says that it holds more than it does, is refused
before it is read (:mod:`pipeline.sizes`).  Errors are ProblemError and name the file.
"""

import csv
import math
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import scipy.io

from implicit_l1.problems.doubles import UNIT_ROUNDOFF, as_doubles
from implicit_l1.problems.ensembles import ProblemError
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


def shape_of(path: str, data: str | None = None) -> tuple[int, int] | None:
    """(N, d) of the problem in a file; None if it cannot be read.

    A table is read as a whole, of arrays of NumPy and matrices of Matrix Market the beginning.

    Args:
        path, data: as of :func:`pipeline.own_data.read_problem`.
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


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Name the file in an error."""
    try:
        yield
    except ProblemError as error:
        raise ProblemError(f"{path}: {error}") from error


def check_kind(path: str, known: tuple[str, ...]) -> str:
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
    with naming(path):
        return as_doubles(values, name)


def read_npz(path: str) -> tuple[dict[str, np.ndarray], float]:
    """A, y and, if it is there, x0 of a .npz file, as doubles; the unit roundoff of y."""
    try:
        with Path(path).open("rb") as file:
            single = file.read(len(_MAGIC)) == _MAGIC
        archive = None if single else np.load(path, allow_pickle=False)
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: cannot be read as .npz ({error})") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ProblemError(f"{path}: holds one array without a name; A and y are needed")
    found: dict[str, np.ndarray] = {}
    roundoff = UNIT_ROUNDOFF
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


def read_csv(path: str, with_data: bool) -> tuple[np.ndarray, np.ndarray | None]:
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


def read_column(path: str) -> np.ndarray:
    """A vector of a file of its own, shape (length,) or (length, 1)."""
    if check_kind(path, (".csv", ".mtx")) == ".mtx":
        return read_matrix_market(path)
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
    if header[0].casefold() in _INDICES and _is_index([cells[0] for _, cells in lines[1:]]):
        raise ProblemError(
            f"{path}: column {header[0]!r} names the rows by whole numbers (an index that a "
            "program wrote? leave it out; if it is a column of A, give it another name)"
        )
    return header, lines[1:]


def _is_index(cells):
    """Whether the cells of a column are whole numbers, each another one."""
    values = [_number(cell) for cell in cells]
    return all(one is not None and one % 1.0 == 0.0 for one in values) and (
        len(set(values)) == len(values)
    )


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
            values[row, column] = _read(cell, f"{path}: line {line}, column {header[column]!r}")
    return values


def _read(cell, where):
    """The number that a text says, if it is a finite double that says as much."""
    value, what = _number(cell), repr(cell.strip()) if cell.strip() else "an empty cell"
    if _lost(cell, value):
        raise ProblemError(f"{where}: {what} is less than the smallest double, 5e-324")
    if value is None or not math.isfinite(value):
        raise ProblemError(f"{where}: {what} is {'no number' if value is None else 'not finite'}")
    return value


def _number(text):
    """The number that a text says; None if it says none."""
    try:
        # Python alone reads 1_000 as a number, and digits of other scripts
        return float(text) if text.strip().isascii() and "_" not in text else None
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


def read_matrix_market(path: str) -> np.ndarray:
    """The matrix of a .mtx file, dense, as doubles."""
    try:
        _check_text(path)
        rows, columns, count, form, field, symmetry = scipy.io.mminfo(path)
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
    if symmetry != "general" and rows != columns:
        raise ProblemError(f"{path}: a matrix of {rows} x {columns} cannot be {symmetry}")
    entries = _checked_entries(path, form, field, symmetry)
    half = rows * (rows - 1) // 2 if symmetry == "skew-symmetric" else rows * (rows + 1) // 2
    whole = rows * columns if symmetry == "general" else half
    wanted = count if form == "coordinate" else whole
    if entries != wanted:  # of an array SciPy takes what is not there for 0
        raise ProblemError(f"{path}: has {entries} entries, its first lines promise {wanted}")
    try:
        values = scipy.io.mmread(path)
    except _UNREADABLE as error:
        raise ProblemError(f"{path}: cannot be read as Matrix Market ({error})") from error
    values = values if isinstance(values, np.ndarray) else values.toarray()
    return _numbers(values, "the matrix", path)


def _check_text(path):
    """The file begins as it must, and is text: a byte 0 ends SciPy's process."""
    with Path(path).open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and not line.startswith(b"%%MatrixMarket"):
                raise ValueError("its first line does not begin with %%MatrixMarket")
            if b"\0" in line:
                raise ValueError(f"line {number} holds a byte 0")


def _checked_entries(path, form, field, symmetry):
    """How many entries there are, each as it stands there.

    SciPy reads the beginning of a text, 2.5 of 2.5,5 and column 1 of 1.9; it adds entries that
    stand twice, and mirrors those of a symmetric matrix above its diagonal, too.
    """
    if field not in ("real", "integer", "pattern"):
        raise ProblemError(f"{path}: the matrix holds {field} entries, not real numbers")
    places, values = 2 if form == "coordinate" else 0, 0 if field == "pattern" else 1
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        lines = [
            (number, line.split())
            for number, line in enumerate(file, start=1)
            if line.strip() and not line.startswith("%")
        ]
    seen = set()
    for number, words in lines[1:]:  # the first has the sizes
        where = f"{path}: line {number}"
        if len(words) != places + values:
            raise ProblemError(f"{where} has {len(words)} words, an entry has {places + values}")
        if values:
            _read(words[-1], where)
            if field == "integer" and not re.fullmatch(r"[+-]?[0-9]+", words[-1]):
                raise ProblemError(
                    f"{where}: {words[-1]!r} is no integer, which the first line promises"
                )
        if not places:
            continue
        for word in words[:2]:
            if not re.fullmatch("[0-9]+", word):
                raise ProblemError(f"{where}: {word!r} is no row or column")
        row, column = map(int, words[:2])
        if (row, column) in seen:
            raise ProblemError(f"{where}: row {row}, column {column} stands there twice")
        seen.add((row, column))
        if row < column and symmetry != "general":
            raise ProblemError(f"{where}: a {symmetry} matrix is given below its diagonal")
        if row == column and symmetry == "skew-symmetric":
            raise ProblemError(f"{where}: the diagonal of a {symmetry} matrix is 0")
    return len(lines) - 1
