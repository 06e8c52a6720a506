"""Stacks of matrices, shape (m, k, n), or one that all of a stack have in common, shape (k, n)."""

import numpy as np


def times(vectors: np.ndarray, matrices: np.ndarray) -> np.ndarray:
    """Each vector, a row, times its matrix: shape (m, n).

    Args:
        vectors: shape (m, k).
    """
    if matrices.ndim == 2:
        return vectors @ matrices
    return (vectors[:, None] @ matrices)[:, 0]


def columns(matrices: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Some columns of each matrix, as rows: shape (m, p, k).

    Args:
        places: shape (m, p).
    """
    if matrices.ndim == 2:
        return matrices.T[places]
    return matrices.mT[np.arange(len(places))[:, None], places]


def solved(systems: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions of systems of equations, shape (m, k); nan where one is singular.

    Args:
        systems: shape (m, k, k), or (1, k, k) for all.
        right: shape (m, k).
    """
    try:
        return np.linalg.solve(systems, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        if len(systems) == 1:
            return np.full(right.shape, np.nan)
        one_by_one = zip(systems[:, None], right[:, None], strict=True)
        return np.concatenate([solved(*one) for one in one_by_one])
