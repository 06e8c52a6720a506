"""The reduced matrix has the kernel of A, up to its bounds, whatever the columns are."""

import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from implicit_l1.minimizer import reduced
from implicit_l1.minimizer.reduced import COARSE, FINE, reduced_matrix
from implicit_l1.minimizer.support import support_geometry
from truths import rational, rational_rows


def drawn(kind, size, shape=(5, 9)):
    """(A, geometry of the first columns): rounded, so that the rationals are short."""
    rng = np.random.default_rng(size)
    matrix = np.round(rng.standard_normal(shape) * 1024) / 1024
    if kind == "large":
        matrix[:, -2:] *= [2.0**60, 2.0**25]
    elif kind == "copies":
        matrix[:, -1] = matrix[:, -2] + np.ldexp(np.round(matrix[:, -1] * 1024), -54)
    elif kind == "rows":
        matrix *= 2.0 ** np.array([[0], [40], [-40], [0], [300]])
    elif kind == "lost":  # two large columns that are one, for a choice in doubles
        matrix[:, -1] = matrix[:, -2] = np.ldexp(matrix[:, -1], 50)
        matrix[0, -1] += 0.5
    return matrix, support_geometry(matrix, np.arange(size))


@pytest.mark.parametrize("accuracy", [COARSE, FINE])
@pytest.mark.parametrize("size", [0, 2, 4])
@pytest.mark.parametrize("kind", ["kind", "large", "copies", "rows", "lost"])
def test_the_matrix_against_rational_numbers(kind, size, accuracy):
    matrix, geometry = drawn(kind, size)
    found = reduced_matrix(geometry, accuracy)
    basis = np.concatenate(found.basis)
    assert sorted([*basis, *found.rest]) == list(range(9))
    assert np.array_equal(found.matrix[:, basis], np.eye(5))
    assert np.abs(found.geometry.free_map).max() <= 100.0
    exact = fmpq_mat(rational_rows(matrix[:, basis])).solve(
        fmpq_mat(rational_rows(matrix[:, found.rest]))
    )
    for i in range(5):
        for place, j in enumerate(found.rest):
            missed = abs(exact[i, place] - rational(found.matrix[i, j]))
            assert missed <= rational(found.error[i, j])
    on, weights = found.error[:size], found.error[size:]
    assert on.max(initial=0.0) <= accuracy * np.abs(found.geometry.range_map).max(initial=0.0)
    assert weights.max() <= accuracy


@pytest.mark.parametrize("kind", ["kind", "large", "copies"])
def test_vectors_against_rational_numbers(kind):
    matrix, geometry = drawn(kind, 2)
    found = reduced_matrix(geometry)
    basis, rng = np.concatenate(found.basis), np.random.default_rng(0)
    (vector,), (error,) = found.kernel(rng.standard_normal((1, 9)))
    exact = fmpq_mat(rational_rows(matrix[:, basis])).solve(
        fmpq_mat(rational_rows(matrix[:, found.rest]))
        * fmpq_mat([[rational(value)] for value in vector[found.rest]])
    )
    for place, j in enumerate(basis):
        assert abs(exact[place, 0] + rational(vector[j])) <= rational(error[j])
    (dual,), square = rng.standard_normal((1, 5)), fmpq_mat(rational_rows(matrix[:, basis]))
    nu = square.transpose().solve(fmpq_mat([[rational(value)] for value in dual]))
    reached = fmpq_mat(rational_rows(matrix.T)) * nu
    (heights,) = found.reached(dual[None])
    for height, j in zip(heights, geometry.complement, strict=True):
        assert abs(reached[int(j), 0]) <= rational(height)
        assert rational(height) <= abs(reached[int(j), 0]) + fmpq(1, 10**9)


def test_columns_off_the_support_that_span_nothing_of_it():
    """A copy, and one column more than rows: the kernel is 0 on S."""
    matrix = np.array([[1.0, 0.0, -3.0, -3.0], [-2.0, 3.0, -2.0, -2.0], [8.0, -5.0, 2.0, 2.0]])
    found = reduced_matrix(support_geometry(matrix, [0]), FINE)
    assert not found.geometry.range_map.any() and not found.error.any(axis=1)[0]


def test_weights_are_exchanged_until_they_are_small(monkeypatch):
    _, geometry = drawn("large", 2)
    small = np.argsort(np.abs(geometry.free_map).max(axis=0), kind="stable")[:3]
    monkeypatch.setattr(reduced, "_large_columns", lambda free_map: small)
    found = reduced_matrix(geometry)
    assert np.abs(found.geometry.free_map).max() <= 100.0
    assert {7, 8} <= set(found.chosen.tolist())
    monkeypatch.setattr(reduced, "_EXCHANGES", 1)
    with pytest.raises(ValueError, match="did not lead to a basis"):
        reduced_matrix(geometry)


def test_a_matrix_of_less_than_full_rank():
    matrix = np.array([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 1.0], [1.0, 2.0, 3.0, 5.0]])
    with pytest.raises(ValueError, match="full row rank"):
        reduced_matrix(support_geometry(matrix, [0]))


def test_digits_are_lost_beside_large_columns_and_near_copies_only():
    for kind, lost in (("kind", False), ("rows", False), ("large", True), ("lost", True)):
        _, geometry = drawn(kind, 2)
        assert reduced_matrix(geometry).keeps_more_digits_than(geometry) == lost, kind


@pytest.mark.parametrize("part", [0.6, 0.75, 1.0, 1.4])
def test_a_poor_inverse_is_paid_for(part, monkeypatch):
    """X is wrong by ||I - P B|| of itself then, and P r alone is less than that."""
    square, right = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[1.0, 0.0], [4.0, 5.0]])
    exact = np.linalg.solve(square, right)
    inverse = part * np.linalg.inv(square)
    monkeypatch.setattr(reduced.np.linalg, "inv", lambda _: inverse)
    solution, error, _ = reduced._in_doubles(square, right)
    assert np.all(np.abs(solution - exact) <= error + 1e-15)


@pytest.mark.parametrize("part", [-0.2, 0.4, 1.6])
def test_an_inverse_that_is_none_proves_nothing(part, monkeypatch):
    square = np.array([[2.0, 1.0], [1.0, 3.0]])
    inverse = part * np.linalg.inv(square)
    monkeypatch.setattr(reduced.np.linalg, "inv", lambda _: inverse)
    assert reduced._in_doubles(square, np.eye(2)) is None
