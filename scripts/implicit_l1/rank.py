"""Row rank of a matrix of doubles, decided: doubles are rational numbers.

Floating point says quickly that a matrix is far from every rank-deficient one.  Where it does
not, the rank modulo a prime, which is at most the rank, proves full rank; and a row that is a
rational combination of others, solved for exactly, proves the opposite.
"""

import numpy as np
from flint import fmpq_mat, fmpz_mat, nmod_mat

# primes below 2^64: that two are both unlucky is next to impossible
_PRIMES = (2**61 - 1, 2**64 - 59)


def integer_rows(matrix):
    """The rows as whole numbers, each times a power of two of its own.

    Args:
        matrix: finite doubles, shape (m, n).
    Returns:
        lists of n whole numbers, and the exponents: row i is ``rows[i] / 2^exponents[i]``.
    """
    rows, exponents = [], []
    for row in np.asarray(matrix, dtype=float).tolist():
        ratios = [value.as_integer_ratio() for value in row]
        common = max(denominator for _, denominator in ratios)
        rows.append([numerator * (common // denominator) for numerator, denominator in ratios])
        exponents.append(common.bit_length() - 1)
    return rows, exponents


def equilibrated(matrix):
    """The matrix with rows, then columns, divided by powers of two.

    Each row and column that is not 0 then has its largest absolute value in [1/2, 1].  Rank and
    signs of minors are those of the matrix (but for entries that are lost by underflow: below
    2^-1074 of the largest of their row).
    """
    for axis in (1, 0):
        exponents = np.frexp(np.abs(matrix).max(axis=axis, keepdims=True))[1]
        matrix = np.ldexp(matrix, -exponents)
    return matrix


def well_conditioned(matrix):
    """Whether it is plain that the smallest singular value is at least 1e-4 of the largest.

    It is where A A^T, less 1e-8 of its trace, has a Cholesky factor, which takes a fraction of
    the time of singular values: rounding is far below that.
    """
    gram = matrix @ matrix.T
    gram[np.diag_indices_from(gram)] -= 1e-8 * np.trace(gram)
    try:
        np.linalg.cholesky(gram)
    except np.linalg.LinAlgError:
        return False
    return True


def row_rank(matrix):
    """The rank over the rational numbers, exactly.

    Args:
        matrix: finite doubles, shape (m, n).
    """
    rows, _ = integer_rows(matrix)  # a factor of a row does not change the rank
    for prime in _PRIMES:
        chosen = _pivots(rows, prime)
        if len(chosen) == len(rows) or _combine_all(rows, chosen, prime):
            return len(chosen)
    return fmpz_mat(rows).rank()


def _reduced(rows, prime):
    """Row echelon form and rank modulo a prime."""
    entries = [value % prime for row in rows for value in row]
    return nmod_mat(len(rows), len(rows[0]), entries, prime).rref()


def _pivots(rows, prime):
    """Places of a largest set of rows that are independent modulo a prime."""
    echelon, rank = _reduced(list(zip(*rows, strict=True)), prime)
    places, row = [], 0
    for column in range(len(rows)):
        if row < rank and int(echelon[row, column]):
            places.append(column)
            row += 1
    return places


def _combine_all(rows, chosen, prime):
    """Whether the chosen rows, independent modulo the prime, combine to every row exactly."""
    if not chosen:
        return not any(any(row) for row in rows)
    columns = _pivots(list(zip(*(rows[place] for place in chosen), strict=True)), prime)
    others = [place for place in range(len(rows)) if place not in set(chosen)]
    square = fmpz_mat([[rows[place][column] for place in chosen] for column in columns])
    wanted = fmpz_mat([[rows[place][column] for place in others] for column in columns])
    weights = square.solve(wanted)
    combined = fmpq_mat(fmpz_mat([rows[place] for place in chosen]).transpose()) * weights
    return combined == fmpq_mat(fmpz_mat([rows[place] for place in others]).transpose())
