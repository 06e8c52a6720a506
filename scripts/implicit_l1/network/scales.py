"""Where a scale lies on a path of scales."""

import numpy as np

# Scales are powers of ten, written as their exponents: what is near, but further away than
# rounding, is another one.
_ROUNDING = 1e-12


def are_at(path: np.ndarray, log10_alpha: float) -> np.ndarray:
    """Which scales of a path, all as decimal logarithms, are a given one."""
    return np.isclose(path, log10_alpha, rtol=_ROUNDING, atol=_ROUNDING)


def place_of(log10_alpha: float, log_alpha: np.ndarray) -> int:
    """The place of a scale on a path.

    Args:
        log10_alpha: decimal logarithm of the scale.
        log_alpha: natural logarithms of the scales of the path, shape (m,).
    Raises:
        ValueError: if it is none of them.
    """
    path = log_alpha / np.log(10.0)
    place = int(np.argmin(np.abs(path - log10_alpha)))
    if not are_at(path[place], log10_alpha):
        raise ValueError(f"log10(alpha) = {log10_alpha} is not on the path")
    return place
