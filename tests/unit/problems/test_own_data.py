"""Problems of one's own are read as they are, or refused with the file and what is wrong."""

import io
import itertools
import pickle
import resource
import subprocess
import sys
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.problems import product
from implicit_l1.problems.ensembles import ProblemError
from implicit_l1.problems.problem import Problem, Rows, exact_data
from implicit_l1.status import data_in_words
from pipeline import origin as origins
from pipeline.formats import shape_of
from pipeline.own_data import read_problem
from pipeline.records.problems import Problems
from pipeline.storage import read_arrays, read_origin, write_arrays
from workflow_runs import ROOT, Project, script

pytestmark = pytest.mark.long

A = np.array([[1.0, 2.0, 0.0, -0.1], [0.0, 1.0, 1e-30, 1 / 3]])
Y = np.array([0.3, -2.0])
UNIT = 2.0  # the power of two nearest to max |A_ij|, by which both are divided
X0 = np.array([0.0, -0.5, 0.0, 1e-20])


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to work in, in a process that has read nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(origins, "_inputs", {})
    monkeypatch.setattr(origins, "_sources", {})
    monkeypatch.setattr(origins, "_data", set())
    return tmp_path


def text(values, header):
    """A table in CSV with all digits."""
    rows = [",".join(map(repr, row)) for row in np.asarray(values).tolist()]
    return "\n".join([header, *rows]) + "\n"


def write(**files):
    """Files with a text, their names with _ for the dot."""
    for name, content in files.items():
        Path(name.replace("_", ".")).write_text(content, encoding="utf-8", newline="")


def is_what_was_written(problem, signal=X0):
    pairs = (problem.matrix, A / UNIT), (problem.data, Y / UNIT), (problem.signal, signal)
    for found, expected in pairs:
        assert found.dtype == float and found.flags["C_CONTIGUOUS"]
        assert found.shape == expected.shape
        assert np.array_equal(found, expected, equal_nan=True)
    return True


UNKNOWN = np.full(4, np.nan)


# What is read


def test_arrays():
    np.savez("p.npz", A=A, y=Y, x0=X0, another=np.zeros(3))
    assert is_what_was_written(read_problem("p.npz"))
    np.savez_compressed("p.npz", A=np.asfortranarray(A), y=Y[:, None])
    assert is_what_was_written(read_problem("p.npz"), UNKNOWN)


def test_whole_numbers_and_single_precision_become_doubles():
    np.savez("p.npz", A=np.array([[1, 2], [3, 4]])[:1], y=np.array([1], dtype=np.uint8))
    assert read_problem("p.npz").matrix.dtype == float
    np.savez("p.npz", A=A.astype(np.float32), y=Y)
    single = A.astype(np.float32).astype(float)
    assert np.array_equal(read_problem("p.npz").matrix, single / UNIT)


def test_a_table_with_its_data():
    write(p_csv=text(np.column_stack([A[:, :2], Y, A[:, 2:]]), "a,b,y,c,d"))
    assert is_what_was_written(read_problem("p.csv"), UNKNOWN)
    write(x0_csv=text(X0[:, None], "any name"))
    assert is_what_was_written(read_problem("p.csv", signal="x0.csv"))


def test_a_table_as_spreadsheets_write_it():
    """A byte order mark, other ends of lines, quotes, blanks, an empty line at the end."""
    write(p_csv='\ufeff"y","a", b\r\n"1.5",2 , 3\r\n\r\n')
    problem = read_problem("p.csv")
    assert problem.data.tolist() == [0.375] and problem.matrix.tolist() == [[0.5, 0.75]]


def test_a_column_with_the_name_of_an_index_is_one_of_numbers():
    for column in ("1.5", "3"), ("2", "2"):
        write(p_csv="id,a,b,y\n{},5,1,3\n{},6,1,3\n".format(*column))
        assert read_problem("p.csv").matrix.shape == (2, 3)


def test_an_entry_beside_which_the_others_are_nothing():
    """Of data that small doubles do not hold what rounding may be."""
    write(p_csv="a,b,c,y\n1e300,1,3,4\n0,2,3,5\n")
    problem = read_problem("p.csv")
    assert problem.product is False and np.isfinite(problem.matrix).all()
    refused("p.csv: noiseless is true, but no l1 minimizer", "p.csv", noiseless=True)


def test_a_signal_farther_from_the_data_than_0_is():
    np.savez("p.npz", A=A, y=Y, x0=-X0)
    refused("p.npz: A x0 is farther from y than 0 is, ||y - A x0|| = 1.3 ||y||: are x0,", "p.npz")


def test_the_shape_of_a_problem_is_told_from_its_file():
    np.savez("p.npz", A=A, y=Y)
    scipy.io.mmwrite("A.mtx", A)
    write(p_csv=text(np.column_stack([A, Y]), "a,b,c,d,y"), A_csv=text(A, "a,b,c,d"))
    files = [("p.npz",), ("A.mtx", "y.csv"), ("p.csv",), ("A.csv", "y.csv")]
    assert [shape_of(*names) for names in files] == [A.shape] * 4
    write(bad_csv="", bad_npz="no", bad_mtx="no")
    bad = ["bad.csv", "bad.npz", "bad.mtx", "none.csv", "none.npz", "none.mtx"]
    assert [shape_of(name) for name in bad] == [None] * 6


def test_a_transposed_matrix_is_recognised():
    np.savez("p.npz", A=A.T, y=Y)
    message = "y has 2 entries, one for each column of A, whose shape is (4, 2); a row is needed"
    refused(f"p.npz: {message} for each: transpose A", "p.npz")


def test_tables_apart():
    write(A_csv=text(A, "a,b,c,d"), b_csv=text(Y[:, None], "y"), x0_csv=text(X0[:, None], "x"))
    assert is_what_was_written(read_problem("A.csv", "b.csv", "x0.csv"))
    # names that pandas gives to columns without any
    write(A_csv=text(A, "0,1,2,3"), b_csv=text(Y[:, None], "0"))
    assert is_what_was_written(read_problem("A.csv", data="b.csv"), UNKNOWN)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.coo_array, scipy.sparse.csc_array])
def test_matrix_market(form):
    for name, values in (("A", A), ("b", Y[:, None]), ("x", X0[:, None])):
        scipy.io.mmwrite(f"{name}.mtx", form(values), precision=17)
    assert is_what_was_written(read_problem("A.mtx", "b.mtx", "x.mtx"))
    assert is_what_was_written(read_problem("A.mtx", data="b.mtx"), UNKNOWN)
    write(b_csv=text(Y[:, None], "y"))
    assert is_what_was_written(read_problem("A.mtx", data="b.csv"), UNKNOWN)


def test_matrix_market_of_whole_numbers_and_of_patterns():
    write(
        A_mtx="%%MatrixMarket matrix coordinate pattern general\n2 3 3\n1 1\n2 2\n2 3\n",
        b_mtx="%%MatrixMarket matrix array integer general\n2 1\n3\n4\n",
    )
    problem = read_problem("A.mtx", "b.mtx")
    assert problem.matrix.tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]]
    assert problem.data.tolist() == [3.0, 4.0]


# What is refused


def refused(message, *paths, **more):
    with pytest.raises(ProblemError) as error:
        read_problem(*paths, **more)
    assert str(error.value).startswith(message), str(error.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"A": A}, "p.npz: has no array y (it holds A)"),
        ({"y": Y, "a": A}, "p.npz: has no array A (it holds y, a); rename a to A"),
        ({}, "p.npz: has no array A (it holds nothing)"),
        ({"A": A + 0j}, "p.npz: A holds complex128, not real numbers"),
        ({"A": A, "y": Y > 0}, "p.npz: y holds bool, not real numbers"),
        ({"A": A, "y": ["a", "b"]}, "p.npz: y holds <U1, not real numbers"),
        ({"A": A[0], "y": Y}, "p.npz: A must have rows and columns, its shape is (4,)"),
        ({"A": A[:0], "y": Y[:0]}, "p.npz: A must have rows and columns, its shape is (0, 4)"),
        (
            {"A": A, "y": np.ones(3)},
            "p.npz: y must have an entry for a row of A, 2; its shape is (3,)",
        ),
        (
            {"A": A, "y": Y[None, :]},
            "p.npz: y must have an entry for a row of A, 2; its shape is (1, 2)",
        ),
        (
            {"A": A, "y": Y, "x0": Y},
            "p.npz: x0 must have an entry for a column of A, 4; its shape is (2,)",
        ),
        ({"A": np.where(A == 2, np.nan, A), "y": Y}, "p.npz: A[0, 1] is nan, which is not finite"),
        ({"A": A, "y": [1, -np.inf]}, "p.npz: y[1] is -inf, which is not finite"),
        ({"A": A, "y": Y, "x0": UNKNOWN}, "p.npz: x0[0] is nan, which is not finite"),
        (
            {"A": A.T, "y": np.ones(4)},
            "p.npz: A must have fewer rows than columns, its shape is (4, 2)",
        ),
        ({"A": A[:, :2], "y": Y}, "p.npz: A must have fewer rows than columns"),
        ({"A": A[[0, 0]], "y": Y}, "p.npz: A does not have full row rank"),
        ({"A": A, "y": [0, 0]}, "p.npz: y = 0"),
    ],
)
def test_arrays_that_are_no_problem(arrays, message):
    np.savez("p.npz", **arrays)
    refused(message, "p.npz")


@pytest.mark.parametrize("name", ["A", "y", "x0"])
def test_pickles_are_refused_unread(name):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was read",))

    arrays = {"A": A, "y": Y, "x0": X0} | {name: np.array([Trap()], dtype=object)}
    np.savez("p.npz", **arrays)
    refused(f"p.npz: array {name} holds pickled objects, which are not read", "p.npz")
    Path("p.npz").write_bytes(pickle.dumps(Trap()))
    refused("p.npz: cannot be read as .npz (", "p.npz")


def test_archives_that_are_none():
    np.save("p.npy", A)
    Path("p.npy").rename("p.npz")
    refused("p.npz: holds one array without a name; A and y are needed", "p.npz")
    for content in ("", "text", "PK\x03\x04"):
        write(p_npz=content)
        refused("p.npz: cannot be read as .npz (", "p.npz")
    with zipfile.ZipFile("p.npz", "w") as archive:
        archive.writestr("A", "no array")
        archive.writestr("y.npy", "no array")
    refused("p.npz: array A is no array of NumPy", "p.npz")


def test_a_damaged_archive():
    np.savez_compressed("p.npz", A=np.random.default_rng(0).random((20, 40)), y=np.ones(20))
    content = bytearray(Path("p.npz").read_bytes())
    content[500] ^= 255
    Path("p.npz").write_bytes(content)
    refused("p.npz: array A cannot be read (", "p.npz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "p.csv: must have a header and at least one row below it"),
        ("a,b,y\n", "p.csv: must have a header and at least one row below it"),
        ("a,b\n1,2\n", "p.csv: has no column y (its columns: 'a', 'b')"),
        ("a,Y\n1,2\n", "p.csv: has no column y (its columns: 'a', 'Y'); rename Y to y; or"),
        ("a;b;y\n1;2;3\n", "p.csv: semicolons stand between its cells; commas are needed"),
        ("a;b;y\n1,5;2;3\n", "p.csv: semicolons stand between its cells"),
        ("a\tb\ty\n1\t2\t3\n", "p.csv: tabs stand between its cells"),
        (",a,b,y\n0,1,2,3\n", "p.csv: column 1 has no name (an index that a program wrote?"),
        ("Unnamed: 0,a,y\n0,1,3\n", "p.csv: column 'Unnamed: 0' names the rows by whole numbers"),
        ("id,a,b,y\n1,5,1,3\n2,6,1,3\n", "p.csv: column 'id' names the rows by whole numbers (an "),
        ("row,a,b,y\n7,5,1,3\n3,6,1,3\n", "p.csv: column 'row' names the rows by whole numbers"),
        ("a,b,y\n１,2,3\n", "p.csv: line 2, column 'a': '１' is no number"),
        (
            "a,y\n1,2\n3,4\n",
            "p.csv: A must have fewer rows than columns, its shape is (2, 1); is it tr",
        ),
        (
            "a,b,c,d,e,f\n1,2,3,4,5,6\n",
            "p.csv: has no column y (its columns: 'a', 'b', 'c', 'd', 'e', ...)",
        ),
        ("y,y,b\n1,2,3\n", "p.csv: has 2 columns 'y'"),
        ("a,b,a,y\n1,2,3,4\n", "p.csv: has 2 columns 'a'"),
        ("1,2,3.5\n1,2,3\n", "p.csv: its first line must be a header, it holds numbers"),
        ("y,a,b\n1,2\n", "p.csv: line 2 has 2 cells, the header has 3"),
        ("y,a,b\n1,2,3,4\n", "p.csv: line 2 has 4 cells, the header has 3"),
        ("y,a,b\n1,2,3\n1,x,3\n", "p.csv: line 3, column 'a': 'x' is no number"),
        ("y,a,b\n\n1,2,1_000\n", "p.csv: line 3, column 'b': '1_000' is no number"),
        ("y,a,b\n1,2,\n", "p.csv: line 2, column 'b': an empty cell is no number"),
        ("y,a,b\n1,2,1+2j\n", "p.csv: line 2, column 'b': '1+2j' is no number"),
        ("y,a,b\n1,2,nan\n", "p.csv: line 2, column 'b': 'nan' is not finite"),
        ("y,a,b\n-inf,2,3\n", "p.csv: line 2, column 'y': '-inf' is not finite"),
        ("y,a,b\n1e999,2,3\n", "p.csv: line 2, column 'y': '1e999' is not finite"),
        ('y,a,b\n"1"2,2,3\n', "p.csv: cannot be read as .csv ("),
        ("y\n1\n", "p.csv: A must have rows and columns, its shape is (1, 0)"),
        ("y,a\n1,2\n", "p.csv: A must have fewer rows than columns, its shape is (1, 1)"),
        ("y,a,b,c\n1,1,2,3\n2,2,4,6\n", "p.csv: A does not have full row rank"),
        ("y,a,b\n0,1,2\n", "p.csv: y = 0"),
    ],
)
def test_tables_that_are_no_problem(content, message):
    write(p_csv=content)
    refused(message, "p.csv")


def test_other_encodings_are_reported():
    Path("p.csv").write_bytes("y,größe,b\n1,2,3\n".encode("latin-1"))
    refused("p.csv: cannot be read as .csv (", "p.csv")


def test_files_of_y_and_of_the_signal():
    write(
        A_csv="a,b,c\n1,2,3\n0,1,1\n",
        b_csv="y\n1\n2\n",
        two_csv="a,b\n1,2\n2,3\n",
        three_csv="x\n1\n2\n3\n",
        text_csv="x\n1\nlow\n",
        p_csv="y,a,b\n1,2,3\n",
        zero_csv="y\n0\n0\n",
    )
    refused("p.csv: has a column y, and y is given in another file too", "p.csv", "b.csv")
    refused("two.csv: must have one column, it has 2: 'a', 'b'", "A.csv", "two.csv")
    refused("text.csv: line 3, column 'x': 'low' is no number", "A.csv", "text.csv")
    message = "three.csv: y must have an entry for a row of A, 2; its shape is (3, 1)"
    refused(message, "A.csv", "three.csv")
    message = "b.csv: x0 must have an entry for a column of A, 3; its shape is (2, 1)"
    refused(message, "A.csv", "b.csv", "b.csv")
    refused("two.csv: must have one column", "A.csv", "b.csv", signal="two.csv")
    refused("A.csv, zero.csv: y = 0", "A.csv", "zero.csv")
    refused("none.csv: there is no such file", "A.csv", "none.csv")
    refused("b.npz: must be a file .csv or .mtx", "A.csv", "b.npz")
    np.savez("p.npz", A=A, y=Y)
    refused("p.npz: y is an array of this file, not in b.csv", "p.npz", "b.csv")
    refused("p.npz: x0 is an array of this file, not in b.csv", "p.npz", signal="b.csv")


MARKET = "%%MatrixMarket matrix"


def test_matrix_market_that_is_no_problem():
    write(
        A_mtx=f"{MARKET} array real general\n1 2\n1\n2\n",
        complex_mtx=f"{MARKET} array complex general\n1 2\n1 0\n2 1\n",
        nan_mtx=f"{MARKET} array real general\n1 2\n1\nnan\n",
        short_mtx=f"{MARKET} array real general\n1 2\n1\n",
        row_mtx=f"{MARKET} array real general\n1 2\n1\n2\n",
        outside_mtx=f"{MARKET} coordinate real general\n1 2 1\n1 3 1.0\n",
        text_mtx="A = 1, 2\n",
        empty_mtx="",
        b_csv="y\n1\n",
    )
    refused("A.mtx: Matrix Market holds A alone; y is needed as well, in a file of", "A.mtx")
    refused("complex.mtx: the matrix holds complex entries, not real", "complex.mtx", "b.csv")
    refused("nan.mtx: line 4: 'nan' is not finite", "nan.mtx", "b.csv")
    refused("short.mtx: has 1 entries, its first lines promise 2", "short.mtx", "b.csv")
    for name in ("outside", "text", "empty"):
        refused(f"{name}.mtx: cannot be read as Matrix Market (", f"{name}.mtx", "b.csv")
    message = "row.mtx: y must have an entry for a row of A, 1; its shape is (1, 2)"
    refused(message, "A.mtx", "row.mtx")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("0,5", "'0,5' is no number"),
        ("2.5junk", "'2.5junk' is no number"),
        ("1_0", "'1_0' is no number"),
        ("0x1p3", "'0x1p3' is no number"),
        ("1 2", "has 2 words, an entry has 1"),
        (f"0.{'0' * 400}1", f"'0.{'0' * 400}1' is less than the smallest double, 5e-324"),
    ],
)
def test_entries_of_matrix_market_are_read_as_they_stand(entry, said):
    """SciPy would take the beginning of a text, without a word."""
    write(A_mtx=f"{MARKET} array real general\n% a remark\n\n1 2\n3\n{entry}\n", b_csv="y\n1\n")
    place = "A.mtx: line 6" if "words" in said else "A.mtx: line 6:"
    refused(f"{place} {said}", "A.mtx", "b.csv")


@pytest.mark.parametrize(
    ("head", "lines", "said"),
    [
        ("coordinate real general", "1 2 2|1 1 3\0|1 2 1", "cannot be read as .*line 3 holds a b"),
        ("coordinate real general", "1 2 2|1 1 3|1 2 1|\0\0", ".*line 5 holds a byte 0"),
        ("coordinate real general", "1 2 2|1 1.9 2.5|1 2 1", "line 3: '1.9' is no row"),
        ("coordinate real general", "1 2 2|1 +1 2.5|1 2 1", "line 3: '[+]1' is no row or column"),
        ("coordinate unsigned-integer general", "1 2 2|1 1 2.5|1 2 1", ".*unsigned-integer"),
        ("array unsigned-integer general", "1 2|2.5|1", ".*unsigned-integer"),
        (
            "coordinate integer general",
            "1 2 3|1 1 9223372036854775807|1 1 9223372036854775807|1 2 1",
            "line 4: row 1, column 1 stands there twice",
        ),
        ("coordinate real general", "1 2 3|1 1 1e16|1 2 1|1 1 1", "line 5: row 1, column 1 stands"),
        ("coordinate pattern general", "1 2 3|1 1|1 2|1 1", "line 5: row 1, column 1 stands"),
        ("array real symmetric", "3 3|1|2|3|4|5", "has 5 entries, its first lines promise 6"),
        ("coordinate real general", "1 2 2|1 1 3", "has 1 entries, its first lines promise 2"),
        ("array real skew-symmetric", "3 3|1|2", "has 2 entries, its first lines promise 3"),
        ("array real symmetric", "2 3|1|2|3|4|5|6", "a matrix of 2 x 3 cannot be symmetric"),
        ("coordinate real symmetric", "2 3 2|1 1 2|2 1 3", "a matrix of 2 x 3 cannot be symmetric"),
        ("coordinate real symmetric", "2 2 2|1 2 2|2 1 3", "line 3: a symmetric matrix is given b"),
        ("coordinate real skew-symmetric", "2 2 2|1 1 2|2 1 3", "line 3: the diagonal of a skew"),
        ("coordinate pattern general", "2 3 2|1 1 7|2 3 8", "line 3 has 3 words, an entry has 2"),
    ],
)
def test_what_scipy_would_read_as_something_else(head, lines, said):
    """Or what ends its process."""
    write(A_mtx=f"{MARKET} {head}\n{lines.replace('|', chr(10))}\n", b_csv="y\n1\n")
    with pytest.raises(ProblemError, match=f"^A.mtx: ({said})"):
        read_problem("A.mtx", "b.csv")


def test_a_first_line_that_is_not_that_of_matrix_market():
    write(A_mtx="%MatrixMarket matrix array real general\n1 2\n1\n2\n", b_csv="y\n1\n")
    refused("A.mtx: cannot be read as Matrix Market (its first line", "A.mtx", "b.csv")


def test_integers_and_places_of_matrix_market():
    write(
        b_csv="y\n1\n",
        whole_mtx=f"{MARKET} array integer general\n1 2\n3\n1.5\n",
        placed_mtx=f"{MARKET} coordinate real general\n1 2 1\n1 2 3 4\n",
    )
    refused("whole.mtx: line 4: '1.5' is no integer, which the first", "whole.mtx", "b.csv")
    refused("placed.mtx: line 3 has 4 words, an entry has 3", "placed.mtx", "b.csv")


def test_paths_that_are_none():
    for name in ("p.npz", "p.csv", "folder/p.mtx"):
        refused(f"{name}: there is no such file", name, data="b.csv" if "mtx" in name else None)
    for name in ("p.txt", "p", "p.npz.gz"):
        write(**{name.replace(".", "_"): "1"})
        refused(f"{name}: must be a file .npz or .csv or .mtx", name)
    Path("q.npz").mkdir()
    refused("q.npz: is a folder; the path of a file in it is needed", "q.npz")


# Scale


WHOLE = np.array([[3, 1, -2, 0, 5], [1, 0, 4, -1, 2], [0, -7, 1, 2, 1]], dtype=float) / 8.0
SPARSE = np.array([0.0, 1.5, 0.0, 0.0, -0.5])
# A = WHOLE has bits down to 2^-3 and less than 2^0 in it, y has bits down to 2^-4
EXPONENTS = [-1070, -1060, -1022, -900, -512, -53, -1, 0, 1, 30, 511, 512, 900, 1000, 1020]


def arrays_of(**arrays):
    """What stage problems stores of a file, as bytes."""
    noiseless = arrays.pop("noiseless", False)
    np.savez("p.npz", **arrays)
    found = Problems.of([0], [read_problem("p.npz", noiseless=noiseless)]).arrays()
    return {name: values.tobytes() for name, values in found.items()}


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("given", ["x0", "noise", "neither"])
def test_powers_of_two_of_a_problem_are_one_problem(given, order):
    """For every power that doubles hold, whatever is known of x_0."""
    data = WHOLE @ SPARSE + (0.25 if given == "noise" else 0.0)
    more = {} if given == "neither" else {"x0": SPARSE}
    expected = arrays_of(A=WHOLE, y=data, **more)
    for exponent in EXPONENTS:
        matrix = np.asarray(np.ldexp(WHOLE, exponent), order=order)
        scaled = {"A": matrix, "y": np.ldexp(data, exponent), **more}
        assert np.array_equal(np.ldexp(scaled["A"], -exponent), WHOLE)
        assert arrays_of(**scaled) == expected, exponent


@pytest.mark.parametrize("noiseless", [False, True])
def test_powers_of_two_of_rounded_data_are_one_problem(noiseless):
    A, y, _ = rounded()
    expected = arrays_of(A=A, y=y, noiseless=noiseless)
    for exponent in (-950, -300, 300, 1000):
        found = arrays_of(A=np.ldexp(A, exponent), y=np.ldexp(y, exponent), noiseless=noiseless)
        assert found == expected, exponent


@pytest.mark.parametrize("precision", [np.float16, np.float32, np.int8, np.int64, np.uint16])
def test_other_precisions_are_the_same_problem(precision):
    """Whole numbers, times powers of two where the precision has them."""
    whole = np.abs(8.0 * WHOLE)
    data = whole @ np.ones(5)
    expected = arrays_of(A=whole, y=data)
    assert arrays_of(A=whole.astype(precision), y=data.astype(precision)) == expected
    assert arrays_of(A=np.ldexp(whole, 1000), y=np.ldexp(data, 1000)) == expected


def unkind(seed):
    """A, y and perhaps x_0: ties, zeros, copies, rows of other scales, kernels; some with noise."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, 10))
    columns = rows + int(rng.integers(1, 15))
    matrix = rng.standard_normal((rows, columns))
    if seed % 5 == 1:
        matrix = rng.integers(0, 2, (rows, columns)) + np.eye(rows, columns)
    elif seed % 5 == 2:
        matrix[:, -1] = matrix[:, 0]
        matrix[0, -1] += 2.0 ** -int(rng.integers(10, 50))
    elif seed % 5 == 3:
        matrix *= np.ldexp(1.0, rng.integers(-200, 200, (rows, 1)))
    elif seed % 5 == 4:
        centres = np.sort(rng.random(columns))
        matrix = np.exp(-0.5 * ((np.linspace(0, 1, rows)[:, None] - centres) * rows) ** 2)
    signal = np.zeros(columns)
    signal[rng.choice(columns, (rows + 1) // 2, replace=False)] = 1.0 + rng.random((rows + 1) // 2)
    data = matrix @ signal
    if seed % 3 == 1:
        data *= 1.0 + 1e-3 * rng.standard_normal(rows)
    return {"A": matrix, "y": data} | ({"x0": signal} if seed % 2 else {})


@pytest.mark.parametrize("seed", range(60))
def test_powers_of_two_of_unkind_problems_are_one_problem(seed):
    arrays = unkind(seed)
    found = []
    for exponent in (0, -300, 300):
        scaled = {name: np.ldexp(arrays[name], exponent) for name in ("A", "y")}
        assert np.array_equal(np.ldexp(scaled["A"], -exponent), arrays["A"])
        try:
            found.append(arrays_of(**(arrays | scaled)))
        except ProblemError as error:
            found.append(str(error))
    assert found[0] == found[1] == found[2]
    # what is refused is refused in words that do not depend on the scale
    assert not isinstance(found[0], str) or "full row rank" in found[0]


def test_powers_of_two_in_a_table_are_one_problem():
    found = []
    for exponent in (-1000, 0, 1000):
        block = np.ldexp(np.column_stack([WHOLE, WHOLE @ SPARSE]), exponent)
        write(p_csv=text(block, "a,b,c,d,e,y"))
        problem = read_problem("p.csv")
        found.append((problem.matrix.tobytes(), problem.data.tobytes()))
    assert found[0] == found[1] == found[2]


@given(st.integers(-60, 60), st.integers(0, 5))
def test_the_largest_entry_is_near_one(exponent, seed):
    matrix = np.random.default_rng(seed).standard_normal((2, 4))
    np.savez("q.npz", A=np.ldexp(matrix, exponent), y=np.ldexp([1.0, 2.0], exponent))
    largest = np.abs(read_problem("q.npz").matrix).max()
    assert np.sqrt(0.5) <= largest < np.sqrt(2.0)


def test_scale_of_x_stays():
    """y of another scale than A is x of another scale, and alpha is measured against x."""
    np.savez("p.npz", A=A, y=1024.0 * Y)
    assert np.array_equal(read_problem("p.npz").data, 512.0 * Y)


@pytest.mark.parametrize("shape", ["row", "column"])
def test_rows_and_columns_of_another_scale_are_legal(shape):
    scales = np.array([1.0, 1e-200, 1.0]) if shape == "row" else np.array([1.0, 1, 1, 1e-200, 1])
    matrix = WHOLE * (scales[:, None] if shape == "row" else scales)
    data = matrix @ SPARSE
    np.savez("p.npz", A=matrix, y=data)
    problem = read_problem("p.npz")
    assert np.array_equal(problem.matrix, matrix) and np.array_equal(problem.data, data)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        # what division by the scale of A would lose
        (
            {"A": [[1e200, 1e-200]], "y": [1e200]},
            "p.npz: A[0, 1] = 1e-200 is too far from the scale of A, whose largest entry is "
            "about 2^664: ",
        ),
        ({"A": [[1e-300, 1e-300]], "y": [1e10]}, "p.npz: y[0] = 10000000000.0 is too far from"),
        ({"A": [[1e300, 1e300]], "y": [1e-300]}, "p.npz: y[0] = 1e-300 is too far from the scale"),
        ({"A": [[3.0, 1.0]], "y": [5e-324]}, "p.npz: y[0] = 5e-324 is too far from the scale"),
        # x beyond the limits
        (
            {"A": [[1.0, 2.0]], "y": [1e31]},
            "p.npz: the largest |y_i| / max_j |A_ij|, which",
        ),
        ({"A": [[1.0, 2.0]], "y": [1e-31]}, "p.npz: the largest |y_i| / max_j |A_ij|, which"),
        (
            {"A": [[1.0, 2.0, 0.0], [1e-200, 0.0, 0.0]], "y": [1.0, 1e-150]},
            "p.npz: the largest |y_i| / max_j |A_ij|, which ||x||_1 of a solution cannot be less "
            "than, is 1.0e+50; it must be between 7.9e-31 and 1.3e+30: ",
        ),
        (
            {"A": [[1.0, 2.0]], "y": [1.0], "x0": [1e40, 0.0]},
            "p.npz: x0 has an entry of size 1.0e+40; the largest allowed is 1.3e+30",
        ),
        # A x_0 that doubles do not hold
        (
            {"A": [[1.0, 0.0, 0.5], [0.0, 1e-300, 0.0]], "y": [1.0, 1e-320], "x0": [1, 1e-20, 0]},
            "p.npz: y = A x0 underflows: in row 1, ",
        ),
        # what is no double
        ({"A": [[2**53 + 1, 2]], "y": [1]}, "p.npz: A[0, 0] = 9007199254740993 (int64) is no do"),
        (
            {"A": np.array([[1, 2]], dtype=np.longdouble) / 3, "y": [1]},
            "p.npz: A[0, 0] = 0.33333333333333333334 (float128) is no double",
        ),
        ({"A": A[[0, 0]] * [[1.0], [2.0**-700]], "y": Y}, "p.npz: A does not have full row rank: "),
        (
            {"A": [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0 - 2.0**-53]], "y": Y},
            "p.npz: A has full row rank, but with rows and columns brought to the order of 1",
        ),
    ],
)
def test_what_cannot_be_represented_is_refused(arrays, message):
    if np.asarray(arrays["A"]).dtype == np.longdouble and np.finfo(np.longdouble).nmant != 63:
        pytest.skip("long double is no 80-bit number here")
    np.savez("p.npz", **arrays)
    refused(message, "p.npz")


def test_numbers_that_would_become_0_are_refused():
    write(p_csv="y,a,b\n1,1e-400,2\n")
    message = "line 2, column 'a': '1e-400' is less than the smallest double, 5e-324"
    refused(f"p.csv: {message}", "p.csv")
    write(p_csv="y,a,b\n1,0e-400,0.00\n2,1,2\n", b_csv="y\n1\n")
    refused("p.csv: A must have fewer rows", "p.csv")
    write(A_mtx=f"{MARKET} array real general\n1 2\n-2.5E-999\n2\n")
    refused("A.mtx: line 3: '-2.5E-999' is less than the smallest double, 5e-324", "A.mtx", "b.csv")


def test_time_is_that_of_the_divided_problem():
    """The flow of (A, y) is at t where that of (A, y) / 2^e is at 2^(2e) t: here D = 2."""
    np.savez("p.npz", A=8.0 * WHOLE, y=8.0 * (WHOLE @ SPARSE))
    problem = read_problem("p.npz")

    def at(matrix, data, time):
        def velocity(_, dual):
            return 4.0 * (data - matrix @ (0.02 * np.sinh(matrix.T @ dual)))

        start = np.zeros(len(data))
        solution = solve_ivp(velocity, (0.0, time), start, "Radau", rtol=1e-10, atol=1e-12)
        return 0.02 * np.sinh(matrix.T @ solution.y[:, -1])

    # the largest entry is 7, so that 8 is the power of two
    assert np.abs(problem.matrix).max() == 0.875
    here = at(8.0 * WHOLE, 8.0 * (WHOLE @ SPARSE), 0.03)
    assert np.allclose(at(problem.matrix, problem.data, 64.0 * 0.03), here, rtol=1e-7, atol=1e-9)
    assert np.abs(here - SPARSE).max() > 1e-3  # on the way, not at the end


# Noiseless data


def rounded():
    """A, y = A @ x_0 rounded, and x_0: the minimizer of the stored numbers has six entries."""
    rng = np.random.default_rng(3)
    matrix = np.round(rng.standard_normal((6, 12)), 6)
    signal = np.zeros(12)
    signal[[2, 9]] = 1.3, -0.7
    return matrix, matrix @ signal, signal


def exactly(matrix, signal):
    """``A x`` by fractions, and rounded."""
    rows = [
        sum(Fraction(a) * Fraction(b) for a, b in zip(row, signal.tolist(), strict=True))
        for row in matrix.tolist()
    ]
    return rows, [float(value) for value in rows]


@pytest.mark.parametrize("precision", [np.float64, np.float32, np.float16])
def test_the_product_with_a_known_signal_is_taken_exactly(precision):
    A, _, x0 = (values.astype(precision) for values in rounded())
    y = A @ x0
    np.savez("p.npz", A=A, y=y, x0=x0)
    problem = read_problem("p.npz")
    assert problem.product and problem.noiseless_support == 2
    assert np.array_equal(problem.preimage, x0) and np.array_equal(problem.signal, x0)
    rows, nearest = exactly(problem.matrix, problem.signal)
    assert problem.data.tolist() == nearest
    assert [Fraction(int(v.p), int(v.q)) for v in exact_data(problem)] == rows
    # to the rounding of the precision of y, and of no other
    np.savez("p.npz", A=A, y=y.astype(float), x0=x0)
    assert read_problem("p.npz").product == (precision is np.float64)


def test_files_of_text_hold_products_too():
    A, y, x0 = rounded()
    write(A_csv=text(np.column_stack([A, y]), ",".join("abcdefghijkl") + ",y"))
    write(x0_csv=text(x0[:, None], "x0"))
    assert read_problem("A.csv", signal="x0.csv").product
    for name, values in (("A", A), ("b", y[:, None]), ("x", x0[:, None])):
        scipy.io.mmwrite(f"{name}.mtx", values, precision=17)
    assert read_problem("A.mtx", "b.mtx", "x.mtx").product


def test_noise_is_noise():
    A, y, x0 = rounded()
    np.savez("p.npz", A=A, y=y + 1e-12, x0=x0)
    problem = read_problem("p.npz")
    assert not problem.product and problem.noiseless_support == 0
    assert np.array_equal(problem.data, (y + 1e-12) / 4.0)
    message = "p.npz: noiseless is true, but y[0] differs from (A x0)[0] by 2.5e-13 in units of"
    refused(message, "p.npz", noiseless=True)


def test_data_that_a_few_entries_explain():
    """Said; taken so with the key; the file's own numbers without."""
    A, y, x0 = rounded()
    np.savez("p.npz", A=A, y=y)
    problem = read_problem("p.npz")
    assert not problem.product and problem.noiseless_support == 2
    assert np.array_equal(problem.data, y / 4.0)
    problem = read_problem("p.npz", noiseless=True)
    assert problem.product and problem.noiseless_support == 2
    assert np.all(np.isnan(problem.signal))
    assert np.array_equal(np.flatnonzero(problem.preimage), np.flatnonzero(x0))
    rows, nearest = exactly(problem.matrix, problem.preimage)
    assert problem.data.tolist() == nearest
    assert np.abs(problem.data - y / 4.0).max() < 1e-15
    assert [Fraction(int(v.p), int(v.q)) for v in exact_data(problem)] == rows


def test_data_that_nothing_explains():
    A, y, _ = rounded()
    np.savez("p.npz", A=A, y=y + 1e-9 * np.arange(6))
    assert read_problem("p.npz").noiseless_support == 0
    message = "p.npz: noiseless is true, but no l1 minimizer with at most 5 nonzero entries"
    refused(message, "p.npz", noiseless=True)


def test_data_that_need_no_rounding_are_what_they_are():
    for noiseless in (False, True):
        np.savez("p.npz", A=WHOLE, y=WHOLE @ SPARSE)
        problem = read_problem("p.npz", noiseless=noiseless)
        assert not problem.product and problem.noiseless_support == 0
        assert np.array_equal(problem.data, WHOLE @ SPARSE)


def test_a_linear_program_that_fails_is_said(monkeypatch):
    def fail(*_):
        raise LinearProgramError("the linear program of basis pursuit ended as: unknown")

    monkeypatch.setattr(product, "least_norm_vertex", fail)
    A, y, _ = rounded()
    np.savez("p.npz", A=A, y=y)
    problem = read_problem("p.npz")
    assert problem.noiseless_support == -1 and not problem.product
    assert "not known" in data_in_words(problem.product, problem.noiseless_support)
    refused("p.npz: noiseless is true, but the linear program", "p.npz", noiseless=True)


def test_what_is_said_of_the_data():
    assert data_in_words(False, 0) == ""
    assert data_in_words(True, 2) == "taken as A x exactly, x with 2 nonzero entries"
    assert "a solution with 2 nonzero entries explains them" in data_in_words(False, 2)


def test_program_with_the_key(folder):
    A, y, _ = rounded()
    np.savez("mine.npz", A=A, y=y)
    words = ["--repetitions", 0, 0, "file", "--path", "mine.npz"]
    for more, expected in (([], False), (["--noiseless"], True)):
        output = f"results/{expected}.npz"
        result = program(
            folder, ROOT / "scripts/stages/problems", "--output", output, *words, *more
        )
        assert result.returncode == 0, result.stderr
        found = read_arrays(output)
        assert found["product"].tolist() == [expected]
        assert found["noiseless_support"].tolist() == [2]
        assert np.all(np.isfinite(found["preimage"])) == expected


# Origins, and the program


def test_what_is_read_is_remembered_and_what_is_written_is_a_source():
    write(A_csv=text(A, "a,b,c,d"), b_csv=text(Y[:, None], "y"), x0_csv=text(X0[:, None], "x"))
    problem = read_problem("A.csv", "b.csv", "x0.csv")
    write_arrays("p.npz", matrix=problem.matrix)
    found = read_origin("p.npz")
    assert found["inputs"] == {n: origins.checksum(n) for n in ("A.csv", "b.csv", "x0.csv")}
    assert list(found["sources"]) == ["p.npz"]


def program(folder, name, *words):
    return subprocess.run(
        [sys.executable, f"{name}.py", *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_program(folder):
    (folder / "project").mkdir()
    project = Project(folder / "project").folder
    np.savez(project / "mine.npz", A=A, y=Y)
    output = "results/problems/mine/reps0-0.npz"
    words = ["--repetitions", "0", "0", "file", "--path", "mine.npz"]
    result = program(project, "scripts/stages/problems", "--output", output, *words)
    assert result.returncode == 0, result.stderr
    found = read_arrays(project / output)
    assert found["repetition"].tolist() == [0]
    assert np.array_equal(found["matrix"], [A / UNIT])
    assert np.array_equal(found["data"], [Y / UNIT])
    assert found["product"].tolist() == [False] and found["noiseless_support"].tolist() == [0]
    assert np.array_equal(found["signal"], [UNKNOWN], equal_nan=True)
    told = read_origin(project / output)
    assert told["inputs"] == {"mine.npz": origins.checksum(project / "mine.npz")}
    assert told["sources"] == {output: words}

    # what is computed from it tells of it
    options = ("--solver", "HIGHS", "--nonunique", "carry")
    result = program(
        project, "scripts/stages/l1", "--problems", output, "--output", "results/l1.npz", *options
    )
    assert result.returncode == 0, result.stderr
    told = read_origin(project / "results/l1.npz")
    assert list(told["inputs"]) == [output] and told["sources"] == {output: words}


@pytest.mark.parametrize(
    ("repetitions", "path", "message"),
    [
        ((0, 1), "mine.npz", "repetition 1: a file holds one problem, repetition 0"),
        ((1, 1), "mine.npz", "repetition 1: a file holds one problem, repetition 0"),
        ((0, 0), "none.npz", "repetition 0: none.npz: there is no such file"),
    ],
)
def test_program_says_in_one_line_what_is_wrong(folder, repetitions, path, message):
    np.savez("mine.npz", A=A, y=Y)
    output = ["--output", "results/problems/mine/block.npz", "--repetitions", *repetitions]
    result = program(folder, ROOT / "scripts/stages/problems", *output, "file", "--path", path)
    assert result.returncode == 1
    assert result.stderr == f"error: problems/mine/block, {message}\n"
    assert not (folder / "results").exists()


# What is too large


def zipped(**members):
    """p.npz with bytes of one's own as its arrays, compressed."""
    with zipfile.ZipFile("p.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                for piece in content:
                    file.write(piece)


def header(shape, kind="<f8", version=(1, 0)):
    """What a file of NumPy begins with that promises an array of this shape."""
    start = io.BytesIO()
    write = {(1, 0): np.lib.format.write_array_header_1_0}.get(
        version, np.lib.format.write_array_header_2_0
    )
    write(start, {"descr": kind, "fortran_order": False, "shape": shape})
    return start.getvalue()


NUMBERS = b"\0" * 8
TOO_LARGE = {
    "square": ((10**5, 10**5), "array A has 100000 x 100000 = 1e+10 entries"),
    "row": ((1, 10**8 + 1), "array A has 1 x 100000001 = 1e+08 entries"),
    "beyond 64 bits": ((2**62, 4), "array A has 4611686018427387904 x 4 = 1.84e+19 entries"),
    "many axes": ((10,) * 9, "array A has 10 x 10 x 10"),
}


@pytest.fixture
def small_memory():
    """No array of the sizes that the tests name can be had: it must be refused before."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**27, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, limits)


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("case", TOO_LARGE)
def test_an_array_that_promises_too_much(case, version):
    shape, said = TOO_LARGE[case]
    zipped(A=[header(shape, version=version), NUMBERS], y=[header((1,)), NUMBERS])
    with pytest.raises(ProblemError) as caught:
        read_problem("p.npz")
    assert str(caught.value).startswith(f"p.npz: {said}")
    assert "at most 100000000 are read (0.8 GB of doubles)" in str(caught.value)


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("name", ["A", "y", "x0"])
def test_a_file_that_is_small_only_as_long_as_it_is_packed(name):
    """Its zeros, 0.8 GB of them unpacked, are not written to this test's disk."""
    few = {"A": [header((1, 2)), NUMBERS * 2], "y": [header((1,)), NUMBERS]}
    zipped(**few | {name: [header((10**8 + 1,)), NUMBERS]})
    assert Path("p.npz").stat().st_size < 2000
    with pytest.raises(ProblemError, match=rf"array {name} has 100000001 = 1e\+08 entries"):
        read_problem("p.npz")


@pytest.mark.usefixtures("small_memory")
def test_what_is_packed_behind_an_array_is_not_unpacked():
    bomb = itertools.chain([header((1, 2)), b"\0\0\0\0\0\0\xf0?" * 2], [bytes(2**20)] * 256)
    zipped(A=bomb, y=[header((1,)), b"\0\0\0\0\0\0\xf0?"])
    assert Path("p.npz").stat().st_size < 2**23
    assert read_problem("p.npz").matrix.tolist() == [[1.0, 1.0]]


@pytest.mark.usefixtures("small_memory")
def test_a_header_that_is_too_long():
    start = b"\x93NUMPY\x02\0" + (2**28).to_bytes(4, "little")
    zipped(A=itertools.chain([start], [b" " * 2**20] * 256), y=[header((1,)), NUMBERS])
    with pytest.raises(ProblemError, match=r"array A cannot be read \(a header of 268435456 bytes"):
        read_problem("p.npz")


@pytest.mark.usefixtures("small_memory")
def test_one_array_without_a_name_is_not_read():
    Path("p.npz").write_bytes(header((10**6, 10**6)))
    with pytest.raises(ProblemError, match="holds one array without a name"):
        read_problem("p.npz")


MATRICES = {
    "sparse": ("coordinate real general\n100000 1000000 1\n1 1 1.0\n", "100000 x 1000000 = 1e+11"),
    "dense": ("array real general\n1000000 1000\n1.0\n", "1000000 x 1000 = 1e+09"),
    "pattern": ("coordinate pattern general\n1 1000000000 1\n1 1\n", "1 x 1000000000 = 1e+09"),
    "symmetric": ("array real symmetric\n100000 100000\n1.0\n", "100000 x 100000 = 1e+10"),
}
LIES = {
    "sparse": "coordinate real general\n2 3 1000000000\n1 1 1.0\n",
    "sparse, integers": "coordinate integer general\n1000 10000 10000000\n1 1 1\n",
    "dense": "array real general\n1000 10000\n1.0\n",
    "symmetric": "array real symmetric\n1000 1000\n1.0\n",
}


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("case", MATRICES)
def test_a_matrix_that_is_too_large(case):
    text, said = MATRICES[case]
    write(A_mtx=f"%%MatrixMarket matrix {text}", b_csv="y\n1\n")
    with pytest.raises(ProblemError) as caught:
        read_problem("A.mtx", "b.csv")
    assert str(caught.value).startswith(f"A.mtx: the matrix has {said} entries; at most 100000000")


@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("case", LIES)
def test_a_matrix_of_fewer_entries_than_it_says(case):
    write(A_mtx=f"%%MatrixMarket matrix {LIES[case]}", b_csv="y\n1\n2\n")
    with pytest.raises(ProblemError, match=r"A.mtx: its first lines promise 1?0+0 entries, more"):
        read_problem("A.mtx", "b.csv")


@pytest.mark.usefixtures("small_memory")
def test_a_table_of_many_names_and_many_lines():
    names = ",".join(map(str, range(20000)))
    write(p_csv=f"y{names}\n" + "1\n" * 20000)
    with pytest.raises(ProblemError, match=r"p.csv: the table has 20000 x 20000 = 4e\+08 "):
        read_problem("p.csv", "p.csv")


@pytest.mark.parametrize("name", ["p.csv", "p.npz", "p.mtx", "y.csv", "x0.csv"])
def test_a_file_of_too_many_bytes_is_not_opened(name):
    write(p_csv="a,b\n1,2\n", y_csv="y\n1\n", x0_csv="x0\n1\n1\n")
    write(p_mtx="%%MatrixMarket matrix array real general\n1 2\n1\n2\n")
    with Path(name).open("wb") as file:
        file.truncate(10**9 + 1)  # it takes no space
    matrix = name if name.startswith("p.") else "p.csv"
    files = () if name == "p.npz" else ("y.csv", "x0.csv")
    with pytest.raises(ProblemError, match=rf"{name}: has 1000000001 bytes; at most 1000000000"):
        read_problem(matrix, *files)


def divided(first, last, held_out, *more):
    """The problems of a file, a repetition each."""
    words = ["--repetitions", first, last, "file", "--path=p.csv", f"--held-out={held_out}"]
    return script("stages/problems", "--output", "p.npz", *words, "--seed=1", *more)


def test_rows_that_are_held_out_are_no_part_of_the_problem():
    """Which rows are differs from repetition to repetition, and not from run to run."""
    rng = np.random.default_rng(5)
    rows = rng.integers(-8, 9, (6, 9)).astype(float)
    write(p_csv=text(rows, ",".join("abcdefgh") + ",y"))
    unit = 2.0 ** np.round(np.log2(np.abs(rows[:, :-1]).max()))
    assert divided(0, 4, 2).returncode == 0
    found = Problems.load("p.npz")
    chosen = set()
    for place in range(5):
        kept = np.column_stack([found.matrix[place], found.data[place]])
        apart = np.column_stack([found.held_matrix[place], found.held_data[place]])
        assert (kept.shape, apart.shape) == ((4, 9), (2, 9))
        together = np.concatenate([kept, apart]) * unit
        assert sorted(together.tolist()) == sorted(rows.tolist())
        chosen.add(apart.tobytes())
        x = rng.standard_normal((3, 8))
        missed = apart[:, :-1] @ x.T - apart[:, -1:]
        expected = np.linalg.norm(missed, axis=0) / np.linalg.norm(apart[:, -1])
        (missed,) = found.part(place).held_out_errors([x])
        assert missed == pytest.approx(expected, rel=1e-14)
        rows_apart = found.at(place).held_out
        assert np.array_equal(np.column_stack([rows_apart.matrix, rows_apart.data]), apart)
    assert len(chosen) > 2
    assert divided(3, 3, 2).returncode == 0
    assert np.array_equal(Problems.load("p.npz").held_matrix[0], found.held_matrix[3])


@pytest.mark.parametrize("exponent", [-560, 0, 560])
def test_what_is_missed_is_relative_at_any_scale_of_y(exponent):
    rows = Rows(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]), np.ldexp([3.0, 4.0], exponent))
    problem = Problem(np.array([[1.0, 0.0, 2.0]]), np.full(3, np.nan), np.ones(1), held_out=rows)
    x = np.ldexp(np.array([[3.0, 0.0, 4 / 3], [0.0, 0.0, 0.0], [6.0, 0.0, 8 / 3]]), exponent)
    (missed,) = Problems.of([0], [problem]).held_out_errors([x])
    assert missed == pytest.approx([0.0, 1.0, 1.0], abs=1e-15)


def test_too_many_rows_or_none_that_tells_are_not_held_out():
    write(p_csv=text([[1, 2, 0, 1], [0, 1, 3, 0], [0, 2, 1, 0]], "a,b,c,y"))
    for held_out, words in (
        (3, "p.csv: held_out is 3, and A has 3 rows: none is left"),
        (-1, "p.csv: held_out is -1, it must be at least 1"),
        (1, "p.csv: y is 0 on all 1 rows that are held out; hold out more"),
    ):
        result = divided(0, 9, held_out)
        assert result.returncode == 1 and words in result.stderr
    words = ("--output", "p.npz", "--repetitions", 0, 0, "file", "--path=p.csv", "--held-out=1")
    assert "--held-out needs --seed" in script("stages/problems", *words).stderr
    Path("p.csv").write_text("a,b,c,y\n1,2,0,1\n0,1,3,1\n", encoding="utf-8")
    result = script(
        "stages/problems", "--output", "p.npz", "--repetitions", 1, 1, "file", "--path=p.csv"
    )
    assert result.returncode == 1 and "a file holds one problem, repetition 0" in result.stderr


def test_that_many_entries_explain_the_data_is_said_of_few_only():
    """Of at most N/2, which no other solution is as short as."""
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((8, 12))
    for count, told in ((5, 0), (4, 4)):
        signal = np.zeros(12)
        signal[:count] = 3.0 * rng.standard_normal(count)
        np.savez("p.npz", A=matrix, y=matrix @ signal)
        assert read_problem("p.npz").noiseless_support == told
