r"""How far the norms of limit points ``x = g* + n`` are above the least ones.

Both are logarithms, so that they are told however small n is.
"""

import numpy as np


def log_excess_l1(
    point: np.ndarray,
    error: np.ndarray,
    log_unit: np.ndarray,
    direction: np.ndarray,
    margins: np.ndarray,
    unit: np.ndarray,
    tilt: np.ndarray,
) -> np.ndarray:
    """log(||x||_1 / ||g*||_1 - 1) for x = g* + n.

    With the dual vector nu of g* and ``d = A^T nu``, which is sign(g*) on S, ``<d, n> = 0`` as
    n is in the kernel of A.  So

        ||g* + n||_1 - ||g*||_1 = sum_{S^c} (|n_i| - d_i n_i) + sum_S 2 max(0, -sigma_i x_i):

    no term is negative, so nothing cancels, where the plain ``<sigma, n_S> + ||n_Sc||_1`` loses
    digits as rho -> 1; the second sum is over the entries whose sign has changed.  (Derived
    for this project.)

    From an initialization of another shape the norm is the one that it leads to,
    ``||x~||_1 - <tilt, x~>`` for ``x~ = x / unit``, of which d is the dual vector.

    Args:
        point: g* of each repetition, shape (r, d).
        error: n in units of exp(log_unit), shape (r, m, d), at m scales.
        log_unit: shape (r, m).
        direction, margins: d and ``1 - |d|``, shape (r, d) each.
        unit, tilt: of the initialization, shape (r, d) each; ones and zeros from ones.
    Returns:
        shape (r, m); nan where there is no minimizer to measure from, -inf where the norms are
        equal.
    """
    direction, margins, unit, tilt = (
        values[:, None] for values in (direction, margins, unit, tilt)
    )
    point, error = point[:, None] / unit, error / unit
    # 1 - d_i sign(n_i), from the margin 1 - |d_i| where d_i is near the sign
    slack = np.where(direction * error > 0, margins, 2.0 - margins)
    off = np.where(point == 0, np.abs(error) * slack, 0.0).sum(axis=2)
    x = point + np.exp(log_unit)[..., None] * error
    flipped = np.maximum(0.0, -2.0 * np.sign(point) * x).sum(axis=2)
    with np.errstate(divide="ignore"):
        excess = np.logaddexp(log_unit + np.log(off), np.log(flipped))
        return excess - np.log((np.abs(point) - tilt * point).sum(axis=2))


def log_excess_l2(
    point: np.ndarray, error: np.ndarray, log_unit: np.ndarray, interpolator: np.ndarray
) -> np.ndarray:
    """log(||x||_2 / ||z||_2 - 1) for x = g* + n and the interpolator z of least Euclidean norm.

    x - z is in the kernel of A and z is orthogonal to it, so with r = ||x - z|| / ||z|| the
    excess is ``sqrt(1 + r^2) - 1 = r^2 / (1 + sqrt(1 + r^2))``, without cancellation: what is
    left is the rounding of x - z, by which an excess e is wrong by some 1e-16 sqrt(e).

    Args:
        point, error, log_unit: as in :func:`log_excess_l1`.
        interpolator: z, shape (r, d).
    Returns:
        shape (r, m).
    """
    offset = (point - interpolator)[:, None] + np.exp(log_unit)[..., None] * error
    ratio = (offset**2).sum(axis=2) / (interpolator**2).sum(axis=1)[:, None]
    with np.errstate(divide="ignore"):
        return np.log(ratio / (1.0 + np.sqrt(1.0 + ratio)))
