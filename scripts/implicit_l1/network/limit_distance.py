r"""How far a point is from the limit point of the flow, told from the point alone.

The limit point x* is where ``A x = y`` and ``z(x) = phi_D^{-1}(x / alpha)`` lies in the range
of A^T (Woodworth et al., COLT 2020).  A point x near it, with ``W = dx / dz``, misses the first
condition by the residual ``r = y - A x`` and the second by ``e = z(x) - A^T lam``, lam being the
least squares fit with the weights W.  Newton's step for both is

    v = W A^T H^{-1} r - (I - W A^T H^{-1} A) W e,    H = A W A^T.

Its first part is what the motion still changes.  Its second part is what the integration has
lost: along the exact flow e = 0.  Neither is a rate per time, which on the plateau
``1/c << t << 1/(c alpha)`` is tiny while the entries off the support are still far from their ends.

**What is left after the step** (derived for this project).  Let ``k = x* - x - v``; it is in
ker A.  With the mean Wbar of W between z(x) and z(x*), ``z(x*) - z(x) = (k + v) / Wbar``, and as
z(x*), A^T lam and ``W^{-1} v + e`` are in the range of A^T,

    <k, k / Wbar> = -<k, (1/Wbar - 1/W) v + e'>,

where e' is the rounding error of ``z(x) - e`` and of the step.  If W changes by a factor between
``1/g`` and g = 3/2 at most on the way, and by ``1 + epsilon_i`` in entry i,

    ||k||_{1/W} <= g (||epsilon v||_{1/W} + ||W^{1/2} e'||_2).

That it changes by so little follows from the bound itself: on the path of the solutions for
``y - (1 - s) r`` and ``(1 - s) e``, s from 0 to 1, the first point at which some W_i has changed
by a factor g contradicts it, if the bound with epsilon = 1/2 does not allow it.  And for k in
ker A, ``|k_i| <= ||k||_{1/W} (W_i (1 - l_i))^{1/2}`` with the leverages ``l_i`` of the rows of
``W^{1/2} A^T``: this is what keeps the large W_i on the support out of ||k||_1.

**Rounding.**  r is computed as ``A (g* - x)``, whose error is relative to x - g* and not to y.
g* and y are rounded themselves, and by that and by their measured difference ``y - A g*`` the
limit point moves by ``W A^T H^{-1}`` times as much.  The weights W_i differ by the factor
1 / alpha and more, so H is not formed: the rows of ``W^{1/2} A^T``, sorted by size, have a QR
factorization with pivoting, which is stable row by row (Cox and Higham, *Stability of
Householder QR factorization for weighted least squares problems*, 1998).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import qr, solve_triangular

from implicit_l1.linear.compensated import residual
from implicit_l1.network.initialization import Initialization, initialize_from_ones
from implicit_l1.potentials import Potential

_EPSILON = np.finfo(float).eps

# W may change by this factor, see the module; and the growth of W, as a logarithm, that
# Potential.reach speaks of.
_FACTOR, _LOG_GROWTH = 1.5, 1.5


@dataclass(frozen=True)
class LimitDistance:
    """Parts of a bound on ``||x - x*||_1 / ||x* - g*||_1``.

    Attributes:
        motion: of Newton's step to the limit point, what the residual ``A x - y`` calls for.
        drift: of the step, what is due to phi^{-1}(x / alpha) not being in the range of A^T.
        rest: a bound on everything else: rounding, the data against g*, and what is left after
            the step; +inf where the step is too long to say anything.
        resolution: what the rounding of lam to double precision may do to x, in the same unit.
    """

    motion: float
    drift: float
    rest: float
    resolution: float

    @property
    def claim(self) -> float:
        """The bound; +inf where nothing can be said."""
        if not self.rest < 1.0:
            return np.inf
        return (self.motion + self.drift + self.rest) / (1.0 - self.rest)


UNKNOWN = LimitDistance(np.inf, np.inf, np.inf, 0.0)


class LimitPoint:
    """The limit point of one problem at one scale, as something to measure distances from."""

    def __init__(
        self,
        matrix: np.ndarray,
        data: np.ndarray,
        minimizer: np.ndarray,
        potential: Potential,
        alpha: float,
        initialization: Initialization | None = None,
    ) -> None:
        """
        Args:
            matrix: A, shape (N, d).
            data: y, shape (N,).
            minimizer: g*, shape (d,); ``A g* = y`` up to rounding.
            potential: of the depth wanted.
            alpha: scale of the predictor, positive.
            initialization: of the initialization; from ones if None.
        """
        c = initialization or initialize_from_ones(matrix.shape[1])
        self.matrix, self.minimizer, self.potential = matrix, minimizer, potential
        # x = size phi(unit A^T lam + start)
        self.unit, self.start, self.size = c.unit, c.tilt + c.offset, c.unit * c.scale * alpha
        self.size_of_matrix = np.abs(matrix)
        self.mismatch = np.abs(residual(matrix, minimizer, data)) + 0.5 * _EPSILON * (
            np.abs(data) + self.size_of_matrix @ np.abs(minimizer)
        )

    def distance(self, point: np.ndarray) -> LimitDistance:
        """The distance of x, shape (d,), from the limit point."""
        with np.errstate(all="ignore"):  # what is not finite is found at the end
            try:
                found = self._distance(point)
            except (np.linalg.LinAlgError, ValueError):  # what is not finite, or singular
                return UNKNOWN
        return found if np.isfinite(found.claim) else UNKNOWN

    def _distance(self, point):
        rows, columns = self.matrix.shape
        z = self.potential.phi_inverse(point / self.size)
        weight = self.unit * self.size * self.potential.phi_prime(z)  # dx / d(A^T lam)
        reach = self.potential.reach(self.potential.edge - np.abs(z)) / self.unit
        root = np.sqrt(weight)
        stacked = root[:, None] * self.matrix.T
        order = np.argsort(-np.abs(stacked).max(axis=1), kind="stable")
        q_sorted, r, pivots = qr(stacked[order], mode="economic", pivoting=True)
        q = np.empty_like(q_sorted)
        q[order] = q_sorted
        inverse = np.empty((rows, rows))  # R^{-1}, of the unpivoted columns
        inverse[pivots] = solve_triangular(r, np.eye(rows))

        # the step
        error = point - self.minimizer
        gap = -self.matrix @ error
        dual_step = inverse @ (inverse.T @ gap)
        motion = root * (q @ (inverse.T @ gap))
        off_range = (z - self.start) / self.unit
        dual = np.zeros(rows)
        for _ in range(2):  # the second time for what rounding has left
            fit = inverse @ (q.T @ (root * off_range))
            dual, off_range = dual + fit, off_range - self.matrix.T @ fit
        drift = root * (root * off_range - q @ (q.T @ (root * off_range)))
        step = motion - drift
        size = np.abs(error + step).sum()

        # rounding
        reached = self.size_of_matrix.T @ np.abs(dual)
        blur = _EPSILON * (np.abs(z) * (9.0 + 8.0 * np.abs(np.log(np.abs(z)))))
        blur = np.where(z == 0, 0.0, blur) + _EPSILON * np.abs(self.start)
        blur = blur / self.unit + _EPSILON * (rows + 2) * (
            reached + self.size_of_matrix.T @ np.abs(dual_step)
        )
        defect = np.abs(gap - self.matrix @ step) + self.mismatch
        defect += (
            0.5 * _EPSILON * (columns + 2) * self.size_of_matrix @ (np.abs(error) + np.abs(step))
        )
        rounding = (root * (np.abs(q @ inverse.T) @ defect)).sum()
        rounding += _EPSILON * np.abs(self.minimizer).sum()

        # what is left after the step
        spread = root * np.sqrt(np.maximum(1.0 - (q**2).sum(axis=1), columns * _EPSILON))
        of_blur, of_step, growth = np.linalg.norm(root * blur), np.abs(step) / root, 0.5
        for _ in range(3):
            left = _FACTOR * (np.linalg.norm(growth * of_step) + of_blur)
            move = _FACTOR * (np.abs(step) + left * spread) / weight
            growth = np.expm1(_LOG_GROWTH * move / reach)
            if not growth.max() <= _FACTOR - 1.0:
                return UNKNOWN
        return LimitDistance(
            np.abs(motion).sum() / size,
            np.abs(drift).sum() / size,
            (rounding + left * spread.sum()) / size,
            0.5 * _EPSILON * (weight * reached).sum() / size,
        )
