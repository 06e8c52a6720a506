"""Whether the end of an integrated flow is the limit point that was computed without it."""

import numpy as np

from implicit_l1.network.mirror_flow import NOTHING

# from a flow's "nothing" to that of a limit point, which is told in other units
_UNITS = 100.0


def disagreement(ends: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """How far ends are from limit points, in units of ||n||_1, shape (r,).

    Args:
        ends: n = x - g* at the ends of the flow, shape (r, d).
        limits: n at the limit points, shape (r, d).
    Returns:
        nan or infinite where n = 0 at the limit point.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.abs(ends - limits).sum(axis=1) / np.abs(limits).sum(axis=1)


def is_explained(
    disagreement: np.ndarray, claimed: np.ndarray, uncertain: np.ndarray
) -> np.ndarray:
    """Whether ends are as near to the limit points as both computations claim, shape (r,).

    Args:
        disagreement: of end and limit point as computed, in units of ||n||_1.
        claimed: distance of the end to the true limit point that the flow claims, likewise.
        uncertain: that of the limit point as computed to the true one.
    Returns:
        False where a number is not one.
    """
    # a unit of ||n||_1 as computed is one of the true size up to its uncertainty
    return disagreement <= (claimed + uncertain) * (1.0 + 2.0 * uncertain)


def may_be_minimizer(
    sizes: np.ndarray, uncertain: np.ndarray, minimizers: np.ndarray, alpha: float
) -> np.ndarray:
    """Whether limit points are g* as far as an end at g* tells, shape (r,).

    Args:
        sizes: ||n||_1 of the limit points, shape (r,).
        uncertain: as in :func:`is_explained`.
        minimizers: g*, shape (r, d).
        alpha: scale of the predictor.
    """
    unit = np.minimum(alpha, np.abs(minimizers).max(axis=1))
    return (sizes <= _UNITS * NOTHING * unit) | (uncertain >= 1.0)
