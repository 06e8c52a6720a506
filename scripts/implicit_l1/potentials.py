r"""The mirror map of a diagonal linear network, in plain and in logarithmic form.

Gradient flow on ``x = u**D - v**D`` from ``u(0) = v(0) = alpha**(1/D)`` moves
along ``x = alpha * phi_D(A.T @ lam)`` with, for ``p = D / (D - 2)``,

.. math::
    \varphi_2(z) = 2 \sinh z, \qquad
    \varphi_D(z) = (1 - z)^{-p} - (1 + z)^{-p} \quad (D > 2, |z| < 1),

and ends at ``argmin alpha * sum(q_D(x / alpha))`` subject to ``A x = y`` with
``q_D' = phi_D^{-1}`` (Woodworth et al., COLT 2020, Theorems 1 and 3).  The
scale alpha is always that of the predictor x, never of the weights.

For D > 2 everything is computed from ``theta = artanh z``, because

.. math::
    \varphi_D = 2 \cosh^p\theta \, \sinh p\theta, \qquad
    \varphi_D' = 2p \cosh^{p+1}\theta \, \cosh (p+1)\theta, \qquad
    1 - |z| = \frac{2 e^{-2|\theta|}}{1 + e^{-2|\theta|}}

lose no digits at either end, as long as 1 - |z| is a double (for D > 2 it underflows
below alpha = 10^-385 at D = 10, 10^-923 at D = 3; for D = 2 there is no limit).  As
D -> 2, p -> infinity and phi_D(z / p) -> phi_2(z).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

# Between 2 and this depth p = D / (D - 2) is too large for the digits of 1 - |z|, of which phi
# takes the power -p.
NEXT_DEPTH = 2.001

LOG2 = np.log(2.0)

_LOG_GROWTH = 1.5  # of phi', in Potential.reach


def log_sinh(u: np.ndarray) -> np.ndarray:
    """log(sinh(u)) for u >= 0; -inf at 0."""
    with np.errstate(divide="ignore"):
        return u - LOG2 + np.log(-np.expm1(-2.0 * u))


def log_cosh(u: np.ndarray) -> np.ndarray:
    """log(cosh(u)) for u >= 0."""
    return u - LOG2 + np.log1p(np.exp(-2.0 * u))


# one number, or one for each entry
Real = float | np.ndarray


@dataclass(frozen=True)
class OnSupport:
    """Dual variables of the entries ``x`` of the predictor on the support.

    Attributes (arrays of the shape of x):
        zeta: ``z - sigma * dual_scale``, where ``z = phi^{-1}(x / alpha)``; it
            stays of moderate size, with full accuracy, however small alpha is.
        slope: ``alpha * phi'(z) = dx / dz``.
        zeta_rate: derivative of zeta with respect to log(alpha) at fixed x.
    """

    zeta: np.ndarray
    slope: np.ndarray
    zeta_rate: np.ndarray


@dataclass(frozen=True)
class OffSupport:
    """Entries ``n = alpha * phi(z)`` of the predictor off the support.

    Attributes (arrays of the shape of z):
        sign: sign of n.
        log_size: log|n|.
        log_slope: log(alpha * phi'(z)) = log(dn / dz).
        room: distance of |z| to the edge of the domain of phi; not positive
            where z lies outside.
    """

    sign: np.ndarray
    log_size: np.ndarray
    log_slope: np.ndarray
    room: np.ndarray


class Potential(ABC):
    """phi_D, its inverse, its derivative and the log-domain forms of them."""

    depth: float
    edge: float  # phi is defined for |z| below it
    power: float  # p = D / (D - 2), of D > 2

    @abstractmethod
    def phi(self, z: np.ndarray) -> np.ndarray:
        """phi_D(z), elementwise."""

    @abstractmethod
    def phi_prime(self, z: np.ndarray) -> np.ndarray:
        """Derivative of phi_D, elementwise."""

    @abstractmethod
    def phi_inverse(self, t: np.ndarray) -> np.ndarray:
        """Inverse of phi_D, elementwise; also the derivative of q_D."""

    @abstractmethod
    def reach(self, room: np.ndarray) -> np.ndarray:
        """How far z may move, either way, before phi' has grown by a factor of e^(3/2).

        Args:
            room: distance of |z| to the edge of the domain.
        """

    @abstractmethod
    def values(self, z: np.ndarray, slack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(phi, phi') at z, whose distance to the edge is given apart, so that it keeps its digits.

        Not finite outside the domain.
        """

    @abstractmethod
    def change(self, z: np.ndarray, slack: np.ndarray, move: np.ndarray) -> np.ndarray:
        """``phi(z + move) - phi(z)``, without the cancellation."""

    @abstractmethod
    def moved(
        self, z: np.ndarray, slack: np.ndarray, move: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """z + move, and its distance to the edge."""

    @abstractmethod
    def dual(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """z with phi(z) = t, and its distance to the edge."""

    @abstractmethod
    def time_constant(self, alpha: float) -> float:
        """c_D(alpha) in lam' = c_D(alpha) (y - A x), for the plain gradient flow's time.

        Raises:
            ValueError: if it is beyond the doubles.
        """

    @abstractmethod
    def dual_scale(self, log_alpha: Real) -> Real:
        """Scale of z on the support: log(1/alpha) for D = 2, 1 for D > 2."""

    @abstractmethod
    def dual_scale_rate(self) -> float:
        """Derivative of :meth:`dual_scale` with respect to log(alpha)."""

    @abstractmethod
    def on_support(self, x: Real, sigma: Real, log_alpha: Real) -> OnSupport:
        """Dual variables of x relative to the signs sigma (see :class:`OnSupport`)."""

    @abstractmethod
    def off_support(
        self, direction: Real, margin: Real, shift: Real, log_alpha: Real
    ) -> OffSupport:
        """alpha * phi(z) at ``z = dual_scale * direction + shift``.

        Args:
            direction: entries of ``A.T @ nu0`` off the support, in [-1, 1] or outside.
            margin: ``1 - |direction|``, given apart so that it keeps its digits.
            shift: the rest of z.
            log_alpha: natural logarithm of alpha.
        """

    @abstractmethod
    def deviation(
        self, x: np.ndarray, n: np.ndarray, scale: np.ndarray, log_alpha: Real
    ) -> tuple[np.ndarray, np.ndarray]:
        """What n adds to the dual coordinate of x, beyond its leading term in alpha at n = 0.

        With ``z = phi^{-1}((x + n) / (alpha scale))``: ``z - sign(x) log(|x| / (alpha scale))``
        for D = 2, and ``z - sign(x) + sign(x) (alpha scale / |x|)^(1/p)``, in units of
        ``alpha^(1/p)``, for D > 2.  No digits are lost where n is small against x.

        Args:
            x: nonzero entries; n: what is added, not beyond 0; scale: of alpha, all of one shape.
            log_alpha: natural logarithm of alpha.
        Returns:
            (deviation, its derivative by n without the terms of higher order in alpha).
        """


class HyperbolicPotential(Potential):
    """D = 2: phi(z) = 2 sinh z."""

    depth = 2.0
    edge = np.inf

    def phi(self, z: np.ndarray) -> np.ndarray:
        return 2.0 * np.sinh(z)

    def phi_prime(self, z: np.ndarray) -> np.ndarray:
        return 2.0 * np.cosh(z)

    def phi_inverse(self, t: np.ndarray) -> np.ndarray:
        return np.arcsinh(0.5 * np.asarray(t))

    def reach(self, room: np.ndarray) -> np.ndarray:
        return np.full_like(room, _LOG_GROWTH)  # cosh(z + h) <= e^|h| cosh(z)

    def values(self, z: np.ndarray, slack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.phi(z), self.phi_prime(z)

    def change(self, z: np.ndarray, slack: np.ndarray, move: np.ndarray) -> np.ndarray:
        return 4.0 * np.cosh(z + 0.5 * move) * np.sinh(0.5 * move)

    def moved(
        self, z: np.ndarray, slack: np.ndarray, move: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        return z + move, slack

    def dual(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.phi_inverse(t), np.full_like(t, np.inf)

    def time_constant(self, alpha: float) -> float:
        return 4.0

    def dual_scale(self, log_alpha: Real) -> Real:
        return -log_alpha

    def dual_scale_rate(self) -> float:
        return -1.0

    def on_support(self, x: Real, sigma: Real, log_alpha: Real) -> OnSupport:
        alpha = np.exp(log_alpha)  # underflows to 0 where alpha no longer matters to x
        slope = np.hypot(x, 2.0 * alpha)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            size = np.log(0.5 * (np.abs(x) + slope))  # arsinh(|x|/2alpha) + log(alpha)
            small = np.arcsinh(0.5 * x / alpha)
        # z - sigma log(1/alpha): the two logarithms cancel where sign x = sigma
        zeta = np.where(sigma * x > 0, sigma * size, sigma * (2.0 * log_alpha - size))
        zeta = np.where(np.abs(x) > 2.0 * alpha, zeta, small + sigma * log_alpha)
        zeta = np.where(x == 0, sigma * log_alpha, zeta)
        with np.errstate(invalid="ignore"):
            rate = np.where(x == 0, sigma, sigma - x / slope)
        return OnSupport(zeta, slope, rate)

    def off_support(
        self, direction: Real, margin: Real, shift: Real, log_alpha: Real
    ) -> OffSupport:
        z = -log_alpha * direction + shift
        size = np.abs(z)
        # log(alpha e^|z|), without the cancellation of log(alpha) against |z|
        aligned = z * direction > 0
        head = np.where(aligned, log_alpha * margin + np.sign(direction) * shift, log_alpha + size)
        tail = np.exp(-2.0 * size)
        with np.errstate(divide="ignore"):
            log_size = head + np.log(-np.expm1(-2.0 * size))
        return OffSupport(np.sign(z), log_size, head + np.log1p(tail), np.full_like(z, np.inf))

    def deviation(
        self, x: np.ndarray, n: np.ndarray, scale: np.ndarray, log_alpha: Real
    ) -> tuple[np.ndarray, np.ndarray]:
        total = x + n
        small = (2.0 * np.exp(log_alpha) * scale / total) ** 2
        # arsinh(t/2) = log t + log((1 + sqrt(1 + 4/t^2)) / 2)
        higher = np.log1p(0.5 * small / (1.0 + np.sqrt(1.0 + small)))
        return np.sign(x) * (np.log1p(n / x) + higher), 1.0 / np.abs(total)


class PowerPotential(Potential):
    """D > 2: phi(z) = (1 - z)^(-p) - (1 + z)^(-p) with p = D / (D - 2)."""

    edge = 1.0

    def __init__(self, depth: float) -> None:
        self.depth = float(depth)
        self.power = self.depth / (self.depth - 2.0)

    def phi(self, z: np.ndarray) -> np.ndarray:
        theta = np.arctanh(z)
        return 2.0 * np.cosh(theta) ** self.power * np.sinh(self.power * theta)

    def phi_prime(self, z: np.ndarray) -> np.ndarray:
        theta = np.arctanh(z)
        p = self.power
        return 2.0 * p * np.cosh(theta) ** (p + 1.0) * np.cosh((p + 1.0) * theta)

    def phi_inverse(self, t: np.ndarray) -> np.ndarray:
        t = np.asarray(t, dtype=float)
        with np.errstate(divide="ignore"):
            return np.sign(t) * np.tanh(self._theta(np.log(np.abs(t))))

    def reach(self, room: np.ndarray) -> np.ndarray:
        # 1 - z and 1 + z shrink by a factor r at most where z moves by (1 - r) (1 - |z|)
        return -np.expm1(-_LOG_GROWTH / (self.power + 1.0)) * room

    def values(self, z: np.ndarray, slack: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = self.power
        with np.errstate(all="ignore"):
            log_slack = np.log(slack)
            twice_theta = np.log1p(2.0 * np.abs(z) / slack)  # log of (1 + |z|) / (1 - |z|)
            near = np.exp(-p * log_slack)
            phi = np.copysign(near * -np.expm1(-p * twice_theta), z)
            return phi, p * near / slack * (1.0 + np.exp(-(p + 1.0) * twice_theta))

    def change(self, z: np.ndarray, slack: np.ndarray, move: np.ndarray) -> np.ndarray:
        p, outward = self.power, np.copysign(1.0, z) * move
        with np.errstate(all="ignore"):
            near = slack**-p * np.expm1(-p * np.log1p(-outward / slack))
            far = (2.0 - slack) ** -p * np.expm1(-p * np.log1p(outward / (2.0 - slack)))
            return np.copysign(1.0, z) * (near - far)

    def moved(
        self, z: np.ndarray, slack: np.ndarray, move: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        size = np.abs(z + move)
        # 1 - |z| has digits of its own near the edge only
        left = np.where(np.abs(z) < 0.5, 1.0 - size, slack - np.copysign(1.0, z) * move)
        left = np.where(left > 1.0, 1.0 - size, left)
        return z + move, left

    def dual(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with np.errstate(divide="ignore"):
            slack, _ = self.slack(np.log(np.abs(t)))
        z = np.where(slack > 0.5, self.phi_inverse(t), np.copysign(1.0 - slack, t))
        return z, np.where(slack > 0.5, 1.0 - np.abs(z), slack)

    def time_constant(self, alpha: float) -> float:
        rate = self.depth * (self.depth - 2.0) * alpha ** (1.0 - 2.0 / self.depth)
        if not np.all(np.isfinite(rate)):
            raise ValueError(f"depth: of D = {self.depth:g} the time of the flow is no double")
        return rate

    def dual_scale(self, log_alpha: Real) -> Real:
        return 1.0

    def dual_scale_rate(self) -> float:
        return 0.0

    def _theta(self, log_t):
        """Solve 2 cosh^p(theta) sinh(p theta) = t for theta >= 0, given log t.

        Newton's method on arsinh(t/2), a convex function of theta with slopes between p and
        2p, from above, so that it converges monotonically.  A step of less than 1e-8 is the
        last, the error after it is of the order of its square.
        """
        p = self.power
        target = np.where(log_t > 40.0, log_t, np.arcsinh(0.5 * np.exp(np.minimum(log_t, 40.0))))
        theta = np.minimum(target / p, (target + p * LOG2) / (2.0 * p))
        for _ in range(60):
            log_half = p * log_cosh(theta) + log_sinh(p * theta)
            half = np.exp(np.minimum(log_half, 40.0))
            value = np.where(log_half > 40.0, log_half + LOG2, np.arcsinh(half))
            with np.errstate(divide="ignore", invalid="ignore"):
                slope = (
                    p * (half * np.tanh(theta) + half / np.tanh(p * theta)) / np.hypot(1.0, half)
                )
            slope = np.where(theta > 0, slope, p)
            step = (value - target) / slope
            theta = np.maximum(theta - step, 0.0)
            if np.all(np.abs(step) <= 1e-8 * np.maximum(theta, 1e-300)):
                break
        return theta

    def slack(self, log_t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(w, log w) with ``w = 1 - |z|`` where ``|phi_D(z)| = t >= 0``, given log t, elementwise.

        w in (0, 1] solves ``w^-p - (2 - w)^-p = t``; it underflows to 0 before log w does.
        Newton's method on ``w - G(w)`` with ``G(w) = (t + (2 - w)^-p)^(-1/p)``.  G is a mean of
        t^(-1/p) and 2 - w (of exponent -p), hence concave, and ``G' = -q`` with
        ``q = (G / (2 - w))^(p + 1) <= 1``, so that it converges monotonically from above;
        ``|G''| <= (p + 1) q`` bounds the error after a step, most often after the first.
        (Derived for this project.)
        """
        p = self.power
        slack = np.exp(-np.maximum(log_t, 0.0) / p)
        for _ in range(60):
            log_far = np.log(2.0 - slack)
            log_next = np.logaddexp(log_t, -p * log_far) / -p
            flatness = np.exp((p + 1.0) * (log_next - log_far))
            step = (np.exp(log_next) - slack) / (1.0 + flatness)
            slack = slack + step
            if np.all((p + 1.0) * flatness * step**2 <= 1e-16 * slack):
                break
        # where w is small its logarithm has digits of its own
        log_far = np.log(2.0 - slack)
        return slack, np.logaddexp(log_t, -p * log_far) / -p

    def on_support(self, x: Real, sigma: Real, log_alpha: Real) -> OnSupport:
        p = self.power
        with np.errstate(divide="ignore"):
            log_x = np.log(np.abs(x))
        slack, log_slack = self.slack(log_x - log_alpha)
        zeta = -sigma * np.where(sigma * x > 0, slack, 2.0 - slack)
        ratio = np.exp((p + 1.0) * (log_slack - np.log(2.0 - slack)))
        log_slope = log_alpha + np.log(p) - (p + 1.0) * log_slack + np.log1p(ratio)
        with np.errstate(over="ignore"):  # infinite below 1e-308 of x and alpha: z stays
            slope = np.exp(log_slope)
        return OnSupport(zeta, slope, -np.sign(x) * np.exp(log_x - log_slope))

    def off_support(
        self, direction: Real, margin: Real, shift: Real, log_alpha: Real
    ) -> OffSupport:
        p = self.power
        z = direction + shift
        size = np.abs(z)
        slack = np.where(z * direction > 0, margin - np.sign(direction) * shift, 1.0 - size)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_slack = np.log(slack)
            # log of (1 + |z|) / (1 - |z|), which for small z is a difference
            twice_theta = np.where(
                size < 0.5, 2.0 * np.arctanh(size), np.log(2.0 - slack) - log_slack
            )
            log_size = log_alpha - p * log_slack + np.log(-np.expm1(-p * twice_theta))
            log_slope = (
                log_alpha
                + np.log(p)
                - (p + 1.0) * log_slack
                + np.log1p(np.exp(-(p + 1.0) * twice_theta))
            )
        return OffSupport(np.sign(z), log_size, log_slope, slack)

    def deviation(
        self, x: np.ndarray, n: np.ndarray, scale: np.ndarray, log_alpha: Real
    ) -> tuple[np.ndarray, np.ndarray]:
        p = self.power
        total = np.abs(x + n)
        ratio = np.exp(log_alpha) * scale / total
        slack = -np.sign(x) * self.on_support((x + n) / scale, np.sign(x), log_alpha).zeta
        # slack^(-p) = 1/ratio + (2 - slack)^(-p)
        higher = -np.log1p(ratio * (2.0 - slack) ** -p) / p
        leading = (scale / np.abs(x)) ** (1.0 / p)
        change = np.expm1(-np.log1p(n / x) / p + higher)
        return -np.sign(x) * leading * change, (scale / total) ** (1.0 / p) / (p * total)


def potential(depth: float) -> Potential:
    """The potential of a network of real depth D >= 2.

    Raises:
        ValueError: if depth is below 2 or not finite.
    """
    if not (np.isfinite(depth) and depth >= 2):
        raise ValueError(f"depth must be a finite number >= 2, got {depth!r}")
    return HyperbolicPotential() if depth == 2 else PowerPotential(depth)
