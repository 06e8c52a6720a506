"""Problems of one's own are read as they are, or refused with the file and what is wrong."""

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from implicit_l1 import origin as origins
from implicit_l1.own_data import read_problem
from implicit_l1.problems import ProblemError
from implicit_l1.storage import read_arrays, read_origin, write_arrays
from workflow_runs import ROOT, Project

A = np.array([[1.0, 2.0, 0.0, -0.1], [0.0, 1.0, 1e-30, 1 / 3]])
Y = np.array([0.3, -2.0])
UNIT = 2.0  # the power of two nearest to max |A_ij|, by which both are divided
X0 = np.array([0.0, 0.5, 0.0, 1e20])


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
        ({"y": Y, "a": A}, "p.npz: has no array A (it holds y, a)"),
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
        ("a;b;y\n1;2;3\n", "p.csv: has no column y (its columns: 'a;b;y')"),
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
    refused("A.mtx: Matrix Market holds A alone; y is needed as well (--data)", "A.mtx")
    refused("complex.mtx: the matrix holds complex128, not real numbers", "complex.mtx", "b.csv")
    refused("nan.mtx: A[0, 1] is nan, which is not finite", "nan.mtx", "b.csv")
    for name in ("short", "outside", "text", "empty"):
        refused(f"{name}.mtx: cannot be read as Matrix Market (", f"{name}.mtx", "b.csv")
    message = "row.mtx: y must have an entry for a row of A, 1; its shape is (1, 2)"
    refused(message, "A.mtx", "row.mtx")


def test_paths_that_are_none():
    for name in ("p.npz", "p.csv", "folder/p.mtx"):
        refused(f"{name}: there is no such file", name, data="b.csv" if "mtx" in name else None)
    for name in ("p.txt", "p", "p.npz.gz"):
        write(**{name.replace(".", "_"): "1"})
        refused(f"{name}: must be a file .npz or .csv or .mtx", name)
    Path("q.npz").mkdir()
    refused("q.npz: there is no such file", "q.npz")


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
    result = program(project, "scripts/problems", "--output", output, *words)
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
    options = ("--support-threshold", "1e-9", "--nonunique", "carry")
    result = program(
        project, "scripts/l1", "--problems", output, "--output", "results/l1.npz", *options
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
    result = program(folder, ROOT / "scripts/problems", *output, "file", "--path", path)
    assert result.returncode == 1
    assert result.stderr == f"error: problems/mine/block, {message}\n"
    assert not (folder / "results").exists()
