r"""The sparsity of 50 % success and the weak threshold, enclosed.

The notation is that of :mod:`implicit_l1.minimizer.transition`.  f is convex in (a, b), a = b c.

- *The best b of a c* lies between two at which df/db has different signs, or ends at the smallest
  or the largest.
- *The best c.*  Let b be the best one of c, and suppose ``df/dc > 0`` there.  Then no c' > c is as
  likely: with b' and a' = b' c'

      f(a', b') - f(a, b) >= (b' - b) <grad f, (c, 1)> + b' (c' - c) df/da,

  in which the first term is not negative, b being the best along the line of c, and the second is
  positive.  So the best c lies between two at which df/dc has different signs.
  Where signals are recovered up to a sparsity and fail from there on, it is that of the largest b,
  and f is a convex function of c then.
- *The interval.*  The points at which f is at most a number are a convex set, and so the c among
  them are an interval: an end of it lies between a c of which the least f is below that number and
  another of which it is above.

The weak threshold is ``1 - tau Phi(-tau) / phi(tau)`` (:mod:`implicit_l1.minimizer.threshold`)
where ``2 phi(tau) / (tau + h(tau))`` is N / d; the numerator decreases, and the denominator grows,
as ``h' = -2 Phi(-tau) >= -1``.

(The arguments are derived for this project.)
"""

from collections.abc import Callable

import numpy as np
from flint import arb, ctx

from implicit_l1.minimizer.threshold import threshold_parameter
from implicit_l1.minimizer.transition import (
    Counts,
    HalfPoint,
    best_slope,
    counts,
    likeliest,
)
from implicit_l1.proof.balls import ball, sign
from implicit_l1.proof.frame import NotProved

_BITS = 192

# of the sparsities of 50 % that are looked at
_ENDS = (0.0, 1.0)

# Distances of the ends of an enclosure from what doubles have found, the least first: of c and tau;
# of b, in parts of it.
_NEAR = (1e-12, 1e-11, 1e-10, 1e-9, 1e-8)
_NEAR_SLOPE = (1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)


def enclose_half_point(
    found: HalfPoint,
    sparsity: np.ndarray,
    successes: np.ndarray,
    trials: np.ndarray,
    confidence: float = 0.95,
) -> tuple[arb | None, arb, arb]:
    """Enclose the sparsity of 50 % success and the ends of its interval.

    Args:
        found: what :func:`implicit_l1.minimizer.transition.half_point` finds of the others.
        sparsity, successes, trials, confidence: as there, exact as doubles.
    Returns:
        (value, lower, upper); None for a value that is nan.
    Raises:
        NotProved: if one of them is not as near as 1e-8.
    """
    data = counts(sparsity, successes, trials)
    if data is None:
        return None, arb(0), arb(1)
    with ctx.workprec(_BITS):
        fit = _Fit(data)
        best = _root(fit.change, likeliest(data)[0], "the sparsity of 50 %", _ENDS)
        allowed = fit.misfit(fit.likeliest_slope(best), best) + ball(confidence).erfinv() ** 2

        def excess(c):
            return fit.misfit(fit.slope(c), c) - allowed

        lower = _root(lambda c: -excess(c), found.lower, "the lower end of its interval", _ENDS)
        upper = _root(excess, found.upper, "the upper end of its interval", _ENDS)
    return None if np.isnan(found.value) else best, lower, upper


def enclose_weak_threshold(rows: int, count: int) -> arb:
    """Enclose s / N at the weak threshold of l1 recovery, for Gaussian matrices.

    Args:
        rows, count: N and d, 0 < N < d.
    Raises:
        NotProved: if it is not enclosed.
    """
    with ctx.workprec(_BITS):
        delta, root = arb(rows) / count, arb(2).sqrt()

        def density(tau):  # of |g|, at tau
            return (2 / arb.pi()).sqrt() * (-(tau**2) / 2).exp()

        def tail(tau):  # of |g|, beyond tau
            return (tau / root).erfc()

        def excess(tau):
            return delta - density(tau) / (tau + density(tau) - tau * tail(tau))

        tau = _root(excess, threshold_parameter(rows / count), "the weak threshold")
        return 1 - tau * tail(tau) / density(tau)


class _Fit:
    """The likelihood of some counts, in balls."""

    def __init__(self, data: Counts):
        self.data = data
        parts = zip(data.sparsity, data.successes, data.failures, strict=True)
        self.counts = [(ball(x), int(k), int(rest)) for x, k, rest in parts if k or rest]

    def misfit(self, b, c):
        """f."""
        total = arb(0)
        for x, k, rest in self.counts:
            t = b * (x - c)
            total += k * t.exp().log1p() + rest * (-t).exp().log1p()
        return total

    def change(self, c):
        """df/dc over b, at the likeliest b of this c."""
        b, total = self.likeliest_slope(c), arb(0)
        for x, k, rest in self.counts:
            t = b * (x - c)
            total += rest * _chance(-t) - k * _chance(t)
        return total

    def likeliest_slope(self, c):
        """A b that is the best of this c if c is the best."""
        return ball(self.data.slopes[1]) if self.data.are_separated else self.slope(c)

    def slope(self, c):
        """The best b of a c."""
        least, most = self.data.slopes
        guess = best_slope(self.data, float(ball(c).mid()))
        for part in _NEAR_SLOPE:
            low, high = max(least, guess * (1.0 - part)), min(most, guess * (1.0 + part))
            if (low == least or self._change_of_slope(low, c) < 0) and (
                high == most or self._change_of_slope(high, c) > 0
            ):
                return ball(low).union(ball(high))
        raise NotProved("the slope of the likeliest curve is not enclosed")

    def _change_of_slope(self, b, c):
        """df/db."""
        total = arb(0)
        for x, k, rest in self.counts:
            t = b * (x - c)
            total += (x - c) * (k * _chance(t) - rest * _chance(-t))
        return total


def _chance(t):
    """1 / (1 + exp(-t))."""
    return 1 / (1 + (-t).exp())


def _root(
    function: Callable[[arb], arb], guess: float, name: str, ends: tuple[float, ...] = ()
) -> arb:
    """Where a function changes its sign from negative to positive; an end where it does not.

    Args:
        function: negative before one point, positive after it.
        guess: of that.
        name: of it, for the reason why it is not enclosed.
        ends: of an interval outside of which nothing is asked, the first and the last.
    """
    if guess in ends:
        if sign(function(ball(guess))) == (1.0 if guess == ends[0] else -1.0):
            return ball(guess)
        raise NotProved(f"{name} is not enclosed")
    for distance in _NEAR:
        low, high = ball(guess - distance), ball(guess + distance)
        if function(low) < 0 and function(high) > 0:
            return low.union(high)
    raise NotProved(f"{name} is not enclosed")
