r"""Rates: how the error shrinks with alpha, per instance and per cell.

The local slope is ``d log||n||_1 / d log alpha`` between neighbouring scales, and is
attributed to their geometric mean.  The fitted rate is the least-squares slope over a
window of scales that the configuration fixes beforehand.  The predicted rate is the
paper's: 1 for D >= 3 and 1 - rho for D = 2 (this project's expression for rho); for
real depths 2 < D < 3 the rate 1 is derived for this project.  Where rho = 0 these are upper
bounds of the error, and its exponent is that of :mod:`implicit_l1.proof.vanishing`.
"""

from collections.abc import Sequence

import numpy as np

# Four digits after the point of a slope are right: half a unit of the last.
FOUR_DIGITS = 5e-5

_NEARLY_MINUS_INFINITY = -1e100


def predicted_rate(depth: float, rho: np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """Exponent of alpha in the error as alpha -> 0: 1 - rho for D = 2, 1 for D > 2, if rho > 0.

    Args:
        depth: D.
        rho: shape (r,).
        exponent: that of the leading term where rho = 0, nan where it is not known, shape (r,).
    """
    return np.where(rho == 0, exponent, 1.0 - rho if depth == 2 else 1.0)


def leading_rho(
    certified: np.ndarray,
    rho: np.ndarray,
    margin: np.ndarray,
    support_size: np.ndarray,
    unit: np.ndarray,
    tilt: np.ndarray,
) -> np.ndarray:
    """The rho that decides the rate of each instance, shape (r,).

    That of stage null_space belongs to the l1 norm and its unique minimizer.  Where the norm is
    another one, or the minimizer is one of several, it is 1 less the margin of the dual vector
    that stage selection found, on the largest support S that a minimizer has: along the face
    of minimizers the error follows what is off S linearly.  (Derived for this project.)

    Args:
        certified: whether the minimizer is certified unique, shape (r,).
        rho: of that minimizer, shape (r,).
        margin: of the dual vector, shape (r,).
        support_size: |S|, shape (r,).
        unit, tilt: of the initialization, shape (r, d) each; ones and zeros from ones.
    """
    plain = certified & np.all((unit == 1) & (tilt == 0), axis=1)
    # nothing off S: what is left at D = 2 is the second order of arsinh, alpha^2
    return np.where(support_size == unit.shape[1], -1.0, np.where(plain, rho, 1.0 - margin))


def log_prediction(
    log_alpha: np.ndarray, log_constant: np.ndarray, exponent: np.ndarray
) -> np.ndarray:
    """``log(C alpha^p)``, the first order of the error, shape (r, m).

    Args:
        log_alpha: shape (m,).
        log_constant, exponent: log C and p of each repetition, shape (r,) each.
    """
    return log_constant[:, None] + exponent[:, None] * log_alpha


def log_over_prediction(
    log_error: np.ndarray, log_alpha: np.ndarray, log_constant: np.ndarray, exponent: np.ndarray
) -> np.ndarray:
    """log of the error over its first order, shape (r, m); nan where both are 0.

    Args:
        log_error: shape (r, m).
        log_alpha, log_constant, exponent: as in :func:`log_prediction`.
    """
    with np.errstate(invalid="ignore"):
        return log_error - log_constant[:, None] - exponent[:, None] * log_alpha


def local_slopes(log_alpha: np.ndarray, log_error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(midpoints, slopes) between neighbouring scales.

    Args:
        log_alpha: shape (m,), monotone.
        log_error: shape (..., m).
    Returns:
        midpoints in log alpha, shape (m - 1,); slopes, shape (..., m - 1); nan where the
        error is 0.
    """
    step = np.diff(log_alpha)
    with np.errstate(invalid="ignore"):
        return log_alpha[:-1] + 0.5 * step, np.diff(log_error, axis=-1) / step


def in_window(log_alpha: np.ndarray, window: Sequence[float]) -> np.ndarray:
    """Which scales lie between (smallest, largest) log alpha, both included up to rounding."""
    return (log_alpha >= window[0] - 1e-9) & (log_alpha <= window[1] + 1e-9)


def fitted_rate(
    log_alpha: np.ndarray, log_error: np.ndarray, window: Sequence[float]
) -> np.ndarray:
    """Least-squares slope of log_error against log_alpha over a window; nan where the error is 0.

    Args:
        log_alpha: shape (m,).
        log_error: shape (..., m).
        window: of :func:`in_window`.
    Raises:
        ValueError: if fewer than 3 scales lie in the window.
    """
    inside = in_window(log_alpha, window)
    if inside.sum() < 3:
        raise ValueError(f"{inside.sum()} scales lie in the window, a fit needs 3")
    x, y = log_alpha[inside] - log_alpha[inside].mean(), log_error[..., inside]
    slopes, finite = np.full(y.shape[:-1], np.nan), np.isfinite(y).all(axis=-1)
    slopes[finite] = np.polynomial.polynomial.polyfit(x, y[finite].T, 1)[1]
    return slopes


def onset(log_alpha: np.ndarray, log_error: np.ndarray, rate: float, tolerance: float) -> float:
    """Largest log alpha below which every local slope stays within a tolerance of the rate.

    Args:
        log_alpha: shape (m,), decreasing.
        log_error: shape (m,).
        rate: predicted.
        tolerance: absolute, on the slope.
    Returns:
        log alpha of the upper end of that range; nan if the slope at the smallest scales is
        not within the tolerance ("not reached").
    """
    _, slopes = local_slopes(log_alpha, log_error)
    good = np.abs(slopes - rate) <= tolerance
    if not good[-1]:
        return float("nan")
    bad = np.flatnonzero(~good)
    return float(log_alpha[bad[-1] + 1] if bad.size else log_alpha[0])


def largest_competitor(exponent: np.ndarray, log_size: np.ndarray, log_alpha: float) -> float:
    """How much of the error entries of higher order make up at a scale.

    Args:
        exponent, log_size: of each entry, as in :mod:`implicit_l1.network.asymptotics`; nan is
            ignored.
        log_alpha: natural logarithm of alpha.
    Returns:
        logarithm of the largest entry of higher order over the largest leading one; nan if
        there is none (as for D > 2, where all are of first order), if nothing is known, or if
        the error is 0.
    """
    known = np.isfinite(exponent)
    if not known.any():
        return float("nan")
    leading = known & (exponent <= np.nanmin(exponent) + 1e-9)
    size = exponent * log_alpha + log_size
    others = known & ~leading
    if not others.any() or np.all(size[leading] == -np.inf):  # the error is 0
        return float("nan")
    return float(size[others].max() - size[leading].max())


def log_smallest_entry(points: np.ndarray) -> np.ndarray:
    """log of the smallest size among the nonzero entries of each row, inf without one."""
    sizes = np.abs(points)
    return np.log(np.min(sizes, axis=1, initial=np.inf, where=sizes > 0))


def log_correction(
    depth: float,
    log_smallest: np.ndarray,
    log_error: np.ndarray,
    log_alpha: float,
    exponent: np.ndarray,
) -> np.ndarray:
    """Order of what is missing in the leading term of the error, relative to it, at a scale.

    The leading term has sigma, for D > 2, or ``log(|g*_S| / alpha)``, for D = 2, in place of
    ``phi_D^{-1}(x_S / alpha)``.  For D = 2 the difference is ``log(x_i / g*_i)``, of the order of
    ``||n||_1 / |g*_i|``.  For D > 2 it is the slack ``(alpha / |x_i|)^(1 / p)``, p = D / (D - 2),
    which changes ``phi_D(z)`` by the factor ``(p + 1) / (1 - |z|)``, where ``1 - |z|`` is about
    ``(alpha / max(|n_j|, alpha))^(1 / p)``.  Where the term of order 1 vanishes, z off the support
    is small, and what is missing is of the order of ``(alpha / |g*_i|)^(2 / p)`` (p = 1 for D = 2).
    (Derived for this project.)

    Args:
        depth: D.
        log_smallest: log of ``min |g*_S|``; log_error: of ``||n||_1``, at log_alpha.
        exponent: of the leading term; nan is taken for 1 or less.
    Returns:
        natural logarithms, of the shape of log_smallest and log_error.
    """
    power = depth / (depth - 2.0) if depth > 2 else 1.0
    vanishing = 2.0 * (log_alpha - log_smallest) / power
    if depth == 2:
        first = log_error - log_smallest
    else:
        first = np.log(power + 1.0) + (np.maximum(log_error, log_alpha) - log_smallest) / power
    return np.where(exponent > 1.0, vanishing, first)


def bootstrap_interval(
    values: np.ndarray, rng: np.random.Generator, resamples: int, confidence: float
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of the median over repetitions, by resampling them.

    The interval of ``scipy.stats.bootstrap`` for the same generator, without sorting any
    resample: 20 repetitions at 61 scales take 5 ms for 1000 resamples in place of 70, 100
    repetitions 6 in place of 500, and every quantity of every cell has its interval.

    Args:
        values: shape (r, ...), repetitions first.
        rng: generator.
        resamples: number of resamples.
        confidence: such as 0.95.
    Returns:
        (low, high), each of shape (...); equal to the value itself if r = 1, nan where one of
        the values is.
    """
    values = np.asarray(values)
    draws = rng.integers(0, values.shape[0], (resamples, values.shape[0]))
    medians = resampled_medians(values.reshape(values.shape[0], -1), draws)
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(medians, [tail, 1.0 - tail], axis=1)
    return low.reshape(values.shape[1:]), high.reshape(values.shape[1:])


def resampled_medians(values: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The medians of ``values[draws]`` over repetitions, without sorting any resample.

    The values of a column are sorted once.  With c_k the number of draws of a resample that
    are among the k smallest, its order statistic i (from 0) is the first value k with
    ``c_{k+1} > i``; their median is the mean of the statistics (r - 1) // 2 and r // 2.

    Args:
        values: shape (r, m).
        draws: indices of repetitions, shape (resamples, r).
    Returns:
        shape (m, resamples); nan in the columns that hold one.
    """
    count, resamples = values.shape[0], draws.shape[0]
    cells = draws + count * np.arange(resamples)[:, None]
    times = np.bincount(cells.ravel(), minlength=resamples * count).reshape(resamples, count)
    times = np.ascontiguousarray(times.T, dtype=np.min_scalar_type(count))
    order = np.argsort(values, axis=0)
    drawn = np.zeros((values.shape[1], resamples), dtype=times.dtype)
    places = np.zeros((2, *drawn.shape), dtype=times.dtype)
    for smallest in order:
        drawn += times[smallest]
        for place, statistic in zip(places, ((count - 1) // 2, count // 2), strict=True):
            place += drawn <= statistic
    ordered = np.take_along_axis(values, order, axis=0).T
    middle = np.take_along_axis(ordered[None], places.astype(np.intp), axis=2)
    # nan is sorted last
    return np.where(np.isnan(ordered[:, -1:]), np.nan, 0.5 * (middle[0] + middle[1]))


def summary(
    values: np.ndarray, rng: np.random.Generator, resamples: int, confidence: float
) -> dict[str, np.ndarray]:
    """Median, quartiles and bootstrap interval of the median over repetitions.

    Args:
        values: shape (r, m); for errors their logarithms, so that quantiles between two
            repetitions are geometric means.
        rng, resamples, confidence: of :func:`bootstrap_interval`.
    Returns:
        name -> array of shape (m,).
    """
    # an error of exactly 0 has the logarithm -inf, which quantiles cannot interpolate
    finite = np.where(values == -np.inf, _NEARLY_MINUS_INFINITY, values)
    low, high = bootstrap_interval(finite, rng, resamples, confidence)
    quartiles = np.quantile(finite, [0.25, 0.5, 0.75], axis=0)
    columns = {
        "lower_quartile": quartiles[0],
        "median": quartiles[1],
        "upper_quartile": quartiles[2],
        "low": low,
        "high": high,
    }
    return {
        name: np.where(column < 0.1 * _NEARLY_MINUS_INFINITY, -np.inf, column)
        for name, column in columns.items()
    }
