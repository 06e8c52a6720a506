r"""The sparsity at which half of the signals are recovered, from counts of those that are.

At x = s / N a signal is recovered with probability ``1 / (1 + exp(b (x - c)))``, b >= 0: logistic
regression, with c the sparsity of 50 %.  No b is larger than what takes the probability from
99.3 % to 0.7 % between the two nearest sparsities: more is not seen, and so there is one best c
also where success ends between two sparsities.  The interval of c are those values whose
likelihood, the largest over b, is not rejected by the likelihood ratio test (Wilks; see Agresti,
*Categorical Data Analysis*, 2013, sec. 5.2 for the model and 1.3 for such intervals), within
[0, 1].  (Model and interval are this project's choice.)

With ``t_i = b (x_i - c)``, k_i of n_i signals recovered at x_i, and ``p(t) = 1 / (1 + exp(-t))``

    f(b, c) = -log(likelihood) = sum_i k_i log(1 + exp(t_i)) + (n_i - k_i) log(1 + exp(-t_i)),
    df/db = sum_i (x_i - c) (k_i p(t_i) - (n_i - k_i) p(-t_i)),
    df/dc = b sum_i ((n_i - k_i) p(-t_i) - k_i p(t_i)).

f is convex in b and a = b c.  So the best b of a c, and the best c, are where these change their
signs, and the c that are not rejected are an interval.  Where no signal fails at a smaller sparsity
than that of another that is recovered, the best c is that of the largest b: with x_0 between the
sparsities of success and of failure no term of f grows, and some fall, as b grows and ``b (x_0 -
c)`` stays.  Far from a transition that does not tell f from a constant in doubles.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaincinv

# The smallest b, and the largest times the distance of two sparsities.
_SLOPES = 1e-2, 10.0

# How exactly roots are found.
_ACCURACY = 1e-14

# As a difference of logarithms: one of two sums is 0, and the other is not.
_ALONE = 1e4


@dataclass(frozen=True)
class Counts:
    """How many signals are recovered at each sparsity, and which b are allowed.

    Attributes:
        sparsity: s / N, in (0, 1], shape (m,); of two different ones, or more, there are signals.
        successes, failures: how many signals are recovered, and are not, shape (m,).
        slopes: the smallest b and the largest.
    """

    sparsity: np.ndarray
    successes: np.ndarray
    failures: np.ndarray
    slopes: tuple[float, float]

    @property
    def are_separated(self) -> bool:
        """Whether signals are recovered up to a sparsity, and fail from there on."""
        recovered = self.sparsity[self.successes > 0].max(initial=0.0)
        return bool(recovered <= self.sparsity[self.failures > 0].min(initial=1.0))


def counts(sparsity: np.ndarray, successes: np.ndarray, trials: np.ndarray) -> Counts | None:
    """The counts to which c is fitted; None where there is nothing to be fitted."""
    if np.unique(sparsity[trials > 0]).size < 2:
        return None
    slopes = _SLOPES[0], float(_SLOPES[1] / np.diff(np.unique(sparsity)).min())
    return Counts(sparsity, successes, trials - successes, slopes)


@dataclass(frozen=True)
class HalfPoint:
    """The sparsity s / N of 50 % success.

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
    data = counts(sparsity, successes, trials)
    if data is None:
        return HalfPoint(float("nan"), 0.0, 1.0)
    best, slope = likeliest(data)
    # half the quantile of chi squared with one degree of freedom
    allowed = _misfit(data, slope, best) + gammaincinv(0.5, confidence)

    def excess(c):
        return _misfit(data, best_slope(data, c), c) - allowed

    ends = [
        brentq(excess, end, best, xtol=_ACCURACY) if excess(end) > 0.0 else end
        for end in (0.0, 1.0)
    ]
    changes = data.successes.any() and data.failures.any()
    falls = slope > np.e * data.slopes[0]
    value = best if changes and falls and 0.0 < best < 1.0 else float("nan")
    return HalfPoint(value, *ends)


def likeliest(data: Counts) -> tuple[float, float]:
    """(c, b) of the largest likelihood, c in [0, 1]."""
    if data.are_separated:
        steepest = data.slopes[1]
        return _root(lambda c: _balance_of_sparsity(data, steepest, c), 0.0, 1.0), steepest
    best = _root(lambda c: _balance_of_sparsity(data, best_slope(data, c), c), 0.0, 1.0)
    return best, best_slope(data, best)


def best_slope(data: Counts, c: float) -> float:
    """The b of the largest likelihood, for this c."""
    ends = np.log(data.slopes)
    found = _root(lambda log_slope: _balance_of_slope(data, np.exp(log_slope), c), *ends)
    # the logarithm of an end need not be that of the same double
    return dict(zip(ends, data.slopes, strict=True)).get(found, float(np.exp(found)))


def _root(increasing, low, high):
    """Where a function changes its sign from negative to positive, or the end nearest to that."""
    if increasing(low) >= 0.0:
        return low
    if increasing(high) <= 0.0:
        return high
    return brentq(increasing, low, high, xtol=_ACCURACY)


def _misfit(data, b, c):
    """-log(likelihood)."""
    t = b * (data.sparsity - c)
    return data.successes @ np.logaddexp(0.0, t) + data.failures @ np.logaddexp(0.0, -t)


def _balance_of_slope(data, b, c):
    """A number of the sign of df/db: a difference of logarithms, which do not underflow."""
    away = data.sparsity - c
    t, after = b * away, away > 0.0
    rising = np.where(after, data.successes, data.failures), np.where(after, t, -t)
    falling = np.where(after, data.failures, data.successes), np.where(after, -t, t)
    return _log_ratio(*((count * np.abs(away), sign) for count, sign in (rising, falling)))


def _balance_of_sparsity(data, b, c):
    """The same of df/dc."""
    t = b * (data.sparsity - c)
    return _log_ratio((data.failures, -t), (data.successes, t))


def _log_ratio(above, below):
    """log of the quotient of two sums of weights w times p(t)."""
    with np.errstate(divide="ignore"):
        logs = [
            np.logaddexp.reduce(np.log(weights) - np.logaddexp(0.0, -t))
            for weights, t in (above, below)
        ]
    if np.isneginf(logs).all():
        return 0.0
    return float(np.clip(logs[0] - logs[1], -_ALONE, _ALONE))
