"""Where floating point says quickly that a matrix is far from every rank-deficient one.

Where it does not, the rank is decided exactly (:func:`implicit_l1.linear.exact.rational_rank`).
"""

import numpy as np


def equilibrated(matrix: np.ndarray) -> np.ndarray:
    """The matrix with rows, then columns, divided by powers of two.

    Each row and column that is not 0 then has its largest absolute value in [1/2, 1].  Rank and
    signs of minors are those of the matrix (but for entries that are lost by underflow: below
    2^-1074 of the largest of their row).
    """
    for axis in (1, 0):
        exponents = np.frexp(np.abs(matrix).max(axis=axis, keepdims=True))[1]
        matrix = np.ldexp(matrix, -exponents)
    return matrix


def well_conditioned(matrix: np.ndarray) -> bool:
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
