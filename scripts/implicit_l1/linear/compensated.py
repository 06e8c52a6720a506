"""Matrix-vector products and solves with the accuracy of twice the working precision.

A product of two doubles is split into its rounded value and its exact rounding
error (Veltkamp's splitting, Dekker's product), a sum likewise (Knuth); the
errors are summed beside the values (Ogita, Rump and Oishi, *Accurate sum and dot
product*, SIAM J. Sci. Comput. 26, 2005).  Used where a few digits decide: the
residuals that prove a point feasible, and quantities that are later multiplied
by log(1/alpha).
"""

from collections.abc import Callable

import numpy as np

_SPLITTER = 2.0**27 + 1.0
# of refinement
_ROUNDS = 3


def _split(a):
    c = _SPLITTER * a
    high = c - (c - a)
    return high, a - high


def two_product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Elementwise ``a * b`` as (rounded product, exact rounding error)."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def two_sum(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Elementwise ``a + b`` as (rounded sum, exact rounding error)."""
    total = a + b
    shadow = total - a
    return total, (a - (total - shadow)) + (b - shadow)


def residual(
    matrix: np.ndarray, x: np.ndarray, y: np.ndarray, x_low: np.ndarray | None = None
) -> np.ndarray:
    """``y - matrix @ (x + x_low)``, as if computed in twice the working precision.

    Args:
        matrix: shape (m, n).
        x: shape (n,); x_low, if given, is a correction of the same shape.
        y: shape (m,).
    """
    products, errors = two_product(matrix, -np.asarray(x)[None, :])
    low = errors.sum(axis=1)
    if x_low is not None:
        low -= matrix @ x_low
    terms = np.column_stack([y, products])
    while terms.shape[1] > 1:  # in pairs, so that few calls add all
        left_over = terms[:, terms.shape[1] // 2 * 2 :]
        terms, errors = two_sum(terms[:, :-1:2], terms[:, 1::2])
        low += errors.sum(axis=1)
        terms = np.hstack([terms, left_over])
    return terms[:, 0] + low


def refine(
    solve: Callable[[np.ndarray], np.ndarray], matrix: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Solve ``matrix @ x = y`` as an unevaluated sum ``x + x_low`` of two doubles.

    Args:
        solve: an approximate solver, ``solve(y) -> x``; least squares will do
            where the system is consistent.
        matrix: shape (m, n).
        y: shape (m,).
    Returns:
        (x, x_low), both of shape (n,).
    """
    x = solve(y)
    x_low = np.zeros_like(x)
    for _ in range(_ROUNDS):
        x_low = x_low + solve(residual(matrix, x, y, x_low))
        x, x_low = two_sum(x, x_low)
    return x, x_low
