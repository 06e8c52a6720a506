"""The row rank is that of rational arithmetic, however rows and columns are scaled."""

from fractions import Fraction

import numpy as np
import pytest

from implicit_l1.linear.exact import RationalMatrix, rational_rank
from implicit_l1.linear.rank import equilibrated
from implicit_l1.problems.ensembles import ProblemError
from implicit_l1.problems.problem import Problem, checked


def rank_by_elimination(matrix):
    """Gaussian elimination with fractions."""
    rows = [[Fraction(value) for value in row] for row in np.asarray(matrix).tolist()]
    rank = 0
    for column in range(len(rows[0])):
        pivot = next((r for r in range(rank, len(rows)) if rows[r][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        for below in rows[rank + 1 :]:
            factor = below[column] / rows[rank][column]
            below[:] = [a - factor * b for a, b in zip(below, rows[rank], strict=True)]
        rank += 1
    return rank


def matrices(seed):
    """Matrices that are not kind: ties, copies, near-copies, sums of rows, zeros."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, 7))
    columns = int(rng.integers(rows, 10))
    matrix = rng.integers(-2, 3, (rows, columns)).astype(float)
    kind = seed % 5
    if kind == 1:
        matrix[-1] = matrix[0]
    elif kind == 2:
        matrix[-1] = matrix[0]
        matrix[-1, -1] += 2.0 ** -int(rng.integers(20, 200))
    elif kind == 3:
        matrix = rng.integers(-3, 4, (rows, 2)) @ rng.integers(-3, 4, (2, columns)) / 8.0
    elif kind == 4:
        matrix[int(rng.integers(rows))] = 0.0
    return matrix, rng


@pytest.mark.parametrize("seed", range(60))
def test_rank_is_that_of_rational_arithmetic(seed):
    matrix, rng = matrices(seed)
    expected = rank_by_elimination(matrix)
    assert rational_rank(matrix) == expected
    scales = np.ldexp(1.0, rng.integers(-300, 300, len(matrix)))
    assert rational_rank(matrix * scales[:, None]) == expected
    assert (
        rational_rank(matrix * np.ldexp(1.0, rng.integers(-300, 300, matrix.shape[1]))) == expected
    )


@pytest.mark.parametrize("seed", range(60))
def test_what_is_refused_is_what_is_said(seed):
    """Rank deficient and full rank beyond the limit have different words; scaling changes none."""
    matrix, rng = matrices(seed)
    matrix = np.hstack([matrix, matrix[:, :1]])  # more columns than rows
    deficient = rank_by_elimination(matrix) < len(matrix)
    condition = np.linalg.cond(equilibrated(matrix))
    for scales in (np.zeros(len(matrix), dtype=int), rng.integers(-400, 400, len(matrix))):
        scaled = np.ldexp(matrix, scales[:, None])
        problem = Problem(scaled, np.zeros(scaled.shape[1]), np.ones(len(scaled)))
        if deficient:
            with pytest.raises(ProblemError, match="does not have full row rank"):
                checked(problem)
        elif condition > 1e17:
            with pytest.raises(ProblemError, match="has full row rank, but with rows"):
                checked(problem)
        elif condition < 1e12:
            assert checked(problem) is problem


def test_columns_of_another_scale_are_no_doubt():
    """Singular values of A as it stands call it singular; it is two columns scaled apart."""
    matrix = np.array([[1.0, 1e-200, 0.0], [1.0, 0.0, 1e-200]])
    problem = Problem(matrix, np.zeros(3), np.ones(2))
    assert checked(problem) is problem


def test_rank_of_large_dependent_rows_is_proved_quickly():
    rng = np.random.default_rng(0)
    matrix = np.rint(2.0**40 * rng.standard_normal((60, 150)))
    matrix[-1] = matrix[0] + 3 * matrix[1]
    assert rational_rank(matrix) == 59
    matrix[-1, 7] += 1.0
    assert rational_rank(matrix) == 60


def test_rows_as_whole_numbers():
    matrix = np.array([[0.5, -3.0, 0.0], [5e-324, 1.0, 0.0], [0.0, 0.0, 0.0]])
    exact = RationalMatrix(matrix)
    for row, unit, expected in zip(exact.integers, exact.units, matrix.tolist(), strict=True):
        found = [value * Fraction(int(unit.p), int(unit.q)) for value in row]
        assert found == [Fraction(value) for value in expected]
