"""Shapes of an initialization read from files."""

import pytest

from implicit_l1.problems.ensembles import ProblemError
from pipeline.shapes import read_shapes


def test_a_shape_of_the_users_own(tmp_path):
    path = tmp_path / "shape.csv"
    path.write_text("u,v\n1,2\n0.5,1e-3\n")
    w_u, w_v = read_shapes(path, 2)
    assert w_u.tolist() == [1.0, 0.5]
    assert w_v.tolist() == [2.0, 1e-3]
    path.write_text("u\n1\n3\n")
    assert [shape.tolist() for shape in read_shapes(path, 2)] == [[1.0, 3.0]] * 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as CSV"),
        ("w\n1\n2\n", "its columns are w; allowed: u, or u and v"),
        ("u\n1\n", "it has 1 rows for 2 columns of A"),
        ("u,v\n1,2\n1\n", "row 2 is"),
        ("u\n1\n0\n", "row 2 is ['0']; allowed: positive numbers"),
        ("u\n1\nnan\n", "allowed: positive numbers"),
        ("u\none\n2\n", "row 1 is ['one']"),
    ],
)
def test_bad_shapes_are_named(tmp_path, text, words):
    path = tmp_path / "shape.csv"
    path.write_text(text)
    with pytest.raises(ProblemError) as caught:
        read_shapes(path, 2)
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_a_file_of_too_many_bytes(tmp_path):
    path = tmp_path / "w.csv"
    with path.open("wb") as file:
        file.truncate(10**9 + 1)  # it takes no space
    with pytest.raises(ProblemError, match=r"w.csv: has 1000000001 bytes; at most 1000000000"):
        read_shapes(path, 2)
