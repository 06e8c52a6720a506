r"""The sparsity at which half of the signals are recovered, from counts of those that are.

At x = s / N a signal is recovered with probability ``1 / (1 + exp(b (x - c)))``, b >= 0: logistic
regression, with c the sparsity of 50 %.  The interval of c are those values whose likelihood, the
largest over b, is not rejected by the likelihood ratio test (Wilks; see Agresti, *Categorical Data
Analysis*, 2013, sec. 5.2 for the model and 1.3 for such intervals), within [0, 1].  It exists also
where no b is the best because success ends between two sparsities.  (Model and interval are this
project's choice.)
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import chi2

# log(b): from no slope at all to steps between any two sparsities of N = 10000
_LOG_SLOPES = -5.0, 16.0

# c is found to this
_ACCURACY = 1e-6


@dataclass(frozen=True)
class HalfPoint:
    """The sparsity s / N of 50 % success.

    Attributes:
        value: the most likely; where success ends between two sparsities, the middle of them; nan
            where it does not change, or grows with s.
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

    def misfit(c, log_slope):
        distance = np.exp(log_slope) * (sparsity - c)
        # -log(p) = log(1 + exp(t)), without overflow
        costs = successes * np.logaddexp(0.0, distance) + failures * np.logaddexp(0.0, -distance)
        return costs.sum()

    def least(c):
        """The smallest misfit over b, and its log(b)."""
        found = minimize_scalar(
            lambda log_slope: misfit(c, log_slope), bounds=_LOG_SLOPES, method="bounded"
        )
        return found.fun, found.x

    best = _most_likely(sparsity, successes, failures, least)
    smallest = least(best)[0]
    allowed = smallest + chi2.ppf(confidence, 1) / 2.0

    def excess(c):
        return least(c)[0] - allowed

    ends = [
        brentq(excess, end, best, xtol=_ACCURACY) if excess(end) > 0.0 else end
        for end in (0.0, 1.0)
    ]
    changes = successes.any() and failures.any() and least(best)[1] > _LOG_SLOPES[0] + 1.0
    inside = 0.0 < best < 1.0
    return HalfPoint(best if changes and inside else float("nan"), *ends)


def _most_likely(sparsity, successes, failures, least):
    """The c of the smallest misfit, in [0, 1]."""
    if not failures.any():
        return 1.0
    if not successes.any():
        return 0.0
    last, first = sparsity[successes > 0].max(), sparsity[failures > 0].min()
    if last < first:
        return float(last + first) / 2.0
    found = minimize_scalar(
        lambda c: least(c)[0], bounds=(0.0, 1.0), method="bounded", options={"xatol": _ACCURACY}
    )
    return float(found.x)
