r"""The sparsity at which half of the signals are recovered, from counts of those that are.

At x = s / N a signal is recovered with probability ``1 / (1 + exp(b (x - c)))``, b >= 0: logistic
regression, with c the sparsity of 50 %.  No b is larger than what takes the probability from
99.3 % to 0.7 % between the two nearest sparsities: more is not seen, and so there is one best c
also where success ends between two sparsities.  The interval of c are those values whose
likelihood, the largest over b, is not rejected by the likelihood ratio test (Wilks; see Agresti,
*Categorical Data Analysis*, 2013, sec. 5.2 for the model and 1.3 for such intervals), within
[0, 1].  (Model and interval are this project's choice.)
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammaincinv

# The smallest b, and the largest times the distance of two sparsities.
_SLOPES = 1e-2, 10.0

# c is found to this, and told to so many digits, which are then those of any processor; exp(-t) is
# log(1 + exp(-t)) to rounding from here on.
_ACCURACY, _DIGITS, _SURE = 1e-6, 5, 40.0


@dataclass(frozen=True)
class HalfPoint:
    """The sparsity s / N of 50 % success, to five digits after the point.

    Attributes:
        value: the most likely; nan where success does not change, or grows with s.
        lower, upper: ends of the interval, in [0, 1].
    """

    value: float
    lower: float
    upper: float


def half_point(
    sparsity: np.ndarray, successes: np.ndarray, trials: np.ndarray, confidence: float = 0.95
) -> HalfPoint:
    """Fit the sparsity of 50 % success.

    Args:
        sparsity: s / N, in (0, 1], shape (m,).
        successes: how many signals are recovered, shape (m,).
        trials: of how many, shape (m,).
        confidence: of the interval.
    """
    failures = trials - successes
    different = np.unique(sparsity)
    if different.size < 2 or not trials.any():
        return HalfPoint(float("nan"), 0.0, 1.0)
    bounds = np.log(_SLOPES[0]), np.log(_SLOPES[1] / np.diff(different).min())
    with np.errstate(divide="ignore"):
        log_counts = np.log(np.concatenate([successes, failures]))

    def least(c):
        """The logarithm of the smallest -log(likelihood) over b, and its log(b).

        Between two sparsities that are far apart for this b the likelihood is 1 but for rounding;
        how near to 1 it is tells which c is the best.
        """

        def log_misfit(log_slope):
            t = np.exp(log_slope) * (sparsity - c)
            return np.logaddexp.reduce(log_counts + _log_surprise(np.concatenate([t, -t])))

        found = minimize_scalar(log_misfit, bounds=bounds, method="bounded")
        return found.fun, found.x

    best = minimize_scalar(
        lambda c: least(c)[0], bounds=(0.0, 1.0), method="bounded", options={"xatol": _ACCURACY}
    ).x
    smallest, log_slope = least(best)
    # half the quantile of chi squared with one degree of freedom
    allowed = np.exp(smallest) + gammaincinv(0.5, confidence)

    def excess(c):
        return np.exp(least(c)[0]) - allowed

    ends = [
        round(brentq(excess, end, best, xtol=_ACCURACY), _DIGITS) if excess(end) > 0.0 else end
        for end in (0.0, 1.0)
    ]
    changes = successes.any() and failures.any() and log_slope > bounds[0] + 1.0
    inside = min(best, 1.0 - best) - _ACCURACY > _ACCURACY
    value = round(float(best), _DIGITS) if changes and inside else float("nan")
    return HalfPoint(value, *ends)


def _log_surprise(t):
    """log(log(1 + exp(t))): of -log(p) with p = 1 / (1 + exp(t)), without overflow."""
    return np.where(t < -_SURE, t, np.log(np.logaddexp(0.0, np.maximum(t, -_SURE))))
