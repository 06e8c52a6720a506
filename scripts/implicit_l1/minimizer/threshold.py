r"""The weak threshold of l1 recovery, to compare a phase diagram with.

For Gaussian A with N = delta d, as d grows, basis pursuit recovers a
given x_0 with s nonzero entries or fails according to the side of N on which the
statistical dimension of the descent cone of the l1 norm at x_0 lies.  With kappa = s / d

.. math::
    \delta(\kappa) = \min_{\tau \ge 0} \kappa (1 + \tau^2)
                     + (1 - \kappa)\, \mathbb{E} (|g| - \tau)_+^2

(Amelunxen, Lotz, McCoy and Tropp, *Living on the edge: phase transitions in convex
programs with random data*, Information and Inference 2014), and this is the weak threshold
that Donoho and Tanner found by counting faces (*Observed universality of phase transitions
in high-dimensional geometry*, Phil. Trans. R. Soc. A 2009).  The derivative in tau vanishes
where ``kappa tau = (1 - kappa) h`` with ``h = E (|g| - tau)_+``, which leaves one unknown:

.. math::
    h = 2 (\varphi(\tau) - \tau \Phi(-\tau)), \qquad
    \delta = \frac{2 \varphi(\tau)}{\tau + h}, \qquad
    s / N = \kappa / \delta = 1 - \tau \Phi(-\tau) / \varphi(\tau),

phi and Phi the density and the distribution function of a normal variable g; in this form
the curve is in Donoho, Maleki and Montanari, PNAS 106 (2009), pp. 18914-18919.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import erfc, erfcx


def weak_threshold(delta: ArrayLike) -> np.ndarray:
    """s / N at the weak threshold of l1 recovery, for Gaussian matrices.

    Args:
        delta: N / d, in [0, 1], of any shape.
    Returns:
        s / N, of the same shape, in [0, 1] and increasing in delta; accurate to 1e-10 where
        ``1 - delta`` is at least 1e-12 or zero (at 1 the curve ends with infinite slope).
    Raises:
        ValueError: if a delta is outside [0, 1].
    """
    delta = np.asarray(delta, dtype=float)
    if not np.all((delta >= 0.0) & (delta <= 1.0)):
        raise ValueError(f"delta = N / d must lie in [0, 1], not {delta}")
    return np.array([_threshold(value) for value in delta.ravel()]).reshape(delta.shape)


def _threshold(delta):
    if delta in (0.0, 1.0):
        return delta
    tau = threshold_parameter(delta)
    return 1.0 - tau * np.sqrt(np.pi / 2.0) * erfcx(tau / np.sqrt(2.0))


def threshold_parameter(delta: float) -> float:
    """tau at the weak threshold for this delta, in (0, 1)."""

    def mismatch(tau):
        density = np.sqrt(2.0 / np.pi) * np.exp(-(tau**2) / 2.0)  # of |g|
        excess = density - tau * erfc(tau / np.sqrt(2.0))  # h
        # the logarithm of the density by hand: the density underflows
        return 0.5 * np.log(2.0 / np.pi) - tau**2 / 2.0 - np.log(tau + excess) - np.log(delta)

    # delta is 1 at tau = 0 and below exp(-tau^2 / 2) from tau = 1 on
    largest = 1.0 + np.sqrt(-2.0 * np.log(delta))
    return brentq(mismatch, 0.0, largest, xtol=1e-16, rtol=4.0 * np.finfo(float).eps)
