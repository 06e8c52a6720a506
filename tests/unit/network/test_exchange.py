"""Dual coordinates after exchanges of indices, against what defines them."""

import numpy as np
import pytest

from implicit_l1.network.exchange import dual_coordinates


def check(coordinates, matrix, support):
    """The coordinates are some of this support: P is the pseudo-inverse, Q an orthonormal basis."""
    rows, columns = matrix.shape
    assert sorted(coordinates.support) == sorted(support)
    assert sorted([*coordinates.support, *coordinates.complement]) == list(range(columns))
    inverse, free = coordinates.dual_map[:, : len(support)].T, coordinates.free_basis
    assert np.allclose(inverse, np.linalg.pinv(matrix[:, coordinates.support]), atol=1e-12)
    assert np.allclose(free.T @ free, np.eye(rows - len(support)), atol=1e-13)
    assert np.allclose(free.T @ matrix[:, coordinates.support], 0.0, atol=1e-12)
    off = matrix[:, coordinates.complement]
    assert np.allclose(coordinates.range_map, inverse @ off, atol=1e-12)
    assert np.allclose(coordinates.free_map, free.T @ off, atol=1e-12)


@pytest.mark.parametrize("support", [[], [4], [1, 5, 7, 0], range(6)])
def test_a_new_factorization(support):
    matrix = np.random.default_rng(1).standard_normal((6, 10))
    support = np.array(support, dtype=int)
    check(dual_coordinates(matrix, support), matrix, support)


@pytest.mark.parametrize(
    ("support", "indices"),
    [
        ([3], [3]),
        ([1, 5, 7, 0], [7]),
        ([1, 5, 7, 0], [0, 5]),
        (range(6), [0, 2, 4]),
        (range(6), range(6)),
    ],
)
def test_leaving(support, indices):
    matrix = np.random.default_rng(2).standard_normal((6, 10))
    support = np.array(support)
    found = dual_coordinates(matrix, support).without(np.array(indices))
    check(found, matrix, np.setdiff1d(support, indices))


@pytest.mark.parametrize(
    ("support", "indices"),
    [([], [3]), ([], range(6)), ([1, 5], [9]), ([1, 5, 7, 0], [2, 8]), (range(3), range(3, 6))],
)
def test_joining(support, indices):
    matrix = np.random.default_rng(3).standard_normal((6, 10))
    support = np.array(support, dtype=int)
    found = dual_coordinates(matrix, support).joined(np.array(indices))
    check(found, matrix, [*support, *indices])


def test_many_exchanges_keep_the_digits():
    random = np.random.default_rng(4)
    matrix = random.standard_normal((30, 80))
    found = dual_coordinates(matrix, np.arange(15))
    for _ in range(40):
        found = found.joined(random.choice(found.complement, 3, replace=False))
        found = found.without(random.choice(found.support, 3, replace=False))
    check(found, matrix, found.support)


def test_dependent_columns_are_refused():
    matrix = np.random.default_rng(5).standard_normal((4, 7))
    matrix[:, 2] = 0.0
    with pytest.raises(ValueError, match="linearly dependent"):
        dual_coordinates(matrix, np.arange(2)).joined(np.array([2]))
