r"""How far two solutions of contractive equations are apart: bounds over a piece of time.

The difference e of the flow from a path fulfils ``e' = -c (A W A^T e + d)`` with a diagonal matrix
W(t), of which ``low <= w_i <= high`` is known, and ``d = A_T a + Q b``, of which bounds of
``|a_i|`` and of ``||Q b||`` are known.  The bounds here are of

- ``||e||`` by :func:`distance_after`;
- ``||P_F e||`` by :func:`push` and :func:`block_after`, or by :func:`block_energy`, P_F the
  projector onto the range of the columns in F, of large w, on which e dies out fast.

docs/trajectories.md has the proofs.  Everything is a double, and rounded up.
"""

from dataclasses import dataclass

import numpy as np
from flint import arb

from implicit_l1.proof.verified import rounded_up


def euclidean(values: np.ndarray) -> float:
    """An upper bound of the norm of nonnegative numbers."""
    return float(rounded_up(np.sqrt(np.sum(values * values))))


@dataclass(frozen=True)
class Columns:
    """Upper bounds of the norms of the columns of A, shape (d,), and of the spectral norm of A."""

    norms: np.ndarray
    norm: float

    def image(self, sizes: np.ndarray, places: np.ndarray) -> float:
        """A bound of ``||A_T v||`` where ``|v| <= sizes``, for the columns T at some places."""
        total = float(np.sum(rounded_up(sizes * self.norms[places])))
        return float(rounded_up(min(total, self.norm * euclidean(sizes))))

    def coupling(self, slopes: np.ndarray, places: np.ndarray) -> float:
        """A bound of ``||A_T W A_T^T||`` where ``0 <= W <= slopes``."""
        total = float(np.sum(rounded_up(slopes * self.norms[places] ** 2)))
        largest = float(np.max(slopes, initial=0.0))
        return float(rounded_up(min(total, self.norm * self.norm * largest)))


def distance_after(
    start: float,
    inner: np.ndarray,
    outer: float,
    low: np.ndarray,
    columns: Columns,
    active: np.ndarray,
    scaled: float,
) -> float:
    """A bound of ``||e||`` all along a piece.

    For any part F of T, ``(E^2 + (c h / 2) sum_F a_i^2 / w_i)^(1/2) + c h ||d - A_F a_F||``; F is
    chosen so that a term goes where it costs less.

    Args:
        start: E, a bound at the start.
        inner, outer: bounds of |a|, shape (k,), and of ||Q b||.
        low: lower bounds of w on T, shape (k,).
        columns: of A; active: T.
        scaled: an upper bound of c h, h the length of the piece.
    """
    stiff = inner < 4.0 * start * low * columns.norms[active]
    energy = np.sum(rounded_up(inner[stiff] * rounded_up(inner[stiff] / low[stiff])))
    energy = rounded_up(0.5 * scaled * energy)
    rest = outer + columns.image(np.where(stiff, 0.0, inner), active)
    return float(
        rounded_up(np.sqrt(rounded_up(start * start + energy)) + rounded_up(scaled * rest))
    )


def push(
    distance: float,
    radius: np.ndarray,
    inner: np.ndarray,
    outer: float,
    high: np.ndarray,
    columns: Columns,
    active: np.ndarray,
    others: np.ndarray,
    beyond: np.ndarray,
) -> float:
    """A bound H of ``||P_F (d + A_Fc W A_Fc^T e)||``.

    Args:
        distance: a bound of ``||e||``; radius: of ``|A_i^T e|``, all i.
        inner: of |a|; outer: of ``||P_F Q b||``.
        high: upper bounds of w, all i.
        columns: of A; active, others: T and its complement.
        beyond: those of T that are not in F.
    """
    near = rounded_up(high[beyond] * radius[beyond])
    terms = (
        rounded_up(columns.coupling(high[others], others) * distance),
        columns.image(near, beyond),
        columns.image(inner, active),
        outer,
    )
    return float(rounded_up(sum(terms)))


def block_after(start: float, force: float, decay: float, scaled: float, since: float) -> float:
    """A bound of u at one time of a piece, where ``u' <= -c mu u + c H``.

    Args:
        start: u at its start; force: H; decay: mu >= 0, a lower bound.
        scaled, since: upper and lower bounds of c times the time since the start.
    """
    grown = rounded_up(start + rounded_up(scaled * force))
    if not decay > 0.0:
        return float(grown)
    left = float((-arb(decay) * arb(since)).exp().upper())
    return float(min(grown, rounded_up(start * rounded_up(left) + rounded_up(force / decay))))


def block_energy(
    start: float, force: np.ndarray, low: np.ndarray, decay: float, scaled: float, since: float
) -> float:
    """A bound of u at one time of a piece, where ``(u^2)' <= -c mu u^2 + c sum_F h_i^2 / w_i``.

    Args:
        start: u at its start; force: bounds of |h|; low: lower bounds of w on F.
        decay, scaled, since: as of :func:`block_after`.
    """
    if not (decay > 0.0 and np.all(low > 0.0)):
        return np.inf
    energy = rounded_up(np.sum(rounded_up(force * rounded_up(force / low))))
    left = float((-arb(decay) * arb(since)).exp().upper())
    added = min(rounded_up(scaled * energy), rounded_up(energy / decay))
    return float(rounded_up(np.sqrt(rounded_up(start * start * rounded_up(left) + added))))
