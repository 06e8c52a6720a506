r"""rho of planted supports between bounds that are proved in doubles, for many problems at once.

For the support S and signs sigma of a signal x_0, with A of full row rank,

.. math::
    \varrho = \sup_{n \in \ker A} \frac{-\langle \sigma, n_S\rangle}{\|n_{S^c}\|_1}
            = \min_\nu \{ \|A_{S^c}^T \nu\|_\infty : A_S^T \nu = \sigma \}.

A vector nu and a vector n that nearly are what is asked for have true ones nearby:

- *From above.*  Let L be any matrix with ``||I - L A_S||_1 <= q < 1`` (largest sum of a column).
  Then ``L A_S`` is regular, so A_S is injective.  With ``e = A_S^T nu - sigma`` let z solve
  ``(L A_S)^T z = e``: ``nu' = nu - L^T z`` has ``A_S^T nu' = sigma``, and
  ``||z||_inf <= ||e||_inf / (1 - q)``.  So rho is at most the largest
  ``|A_j^T nu| + |A_j|^T |L|^T 1 ||z||_inf`` off S.
- *From below.*  Let P be any matrix with ``||I - A P||_inf <= f < 1`` (largest sum of a row).
  With w from ``A P w = A n``, ``n' = n - P w`` is in the kernel, and
  ``|n' - n| <= |P| 1 ||A n||_inf / (1 - f)``.  So rho is at least
  ``-<sigma, n'_S> / ||n'_Sc||_1``.

An upper bound below 1 proves that x_0 is the only l1 minimizer of its data (Fuchs 2004); a lower
bound of at least 1 that it is not, since ``x_0 + t n'`` has no larger norm for small t > 0.  For
rounding, see :mod:`implicit_l1.proof.verified`; sums ``|A_j|^T v`` are bounded by products of
Euclidean norms.  (Derived for this project.)
"""

from dataclasses import dataclass

import numpy as np

from implicit_l1.linear.stacks import columns, times
from implicit_l1.linear.units import check_room
from implicit_l1.proof.verified import LARGE, gamma, rounded_up


@dataclass(frozen=True)
class RightInverses:
    """Matrices A and, nearly, right inverses P and kernels of them.

    Attributes:
        matrices: A, shape (m, N, d), of full row rank.
        inverses: P, shape (m, d, N).
        kernels: orthonormal bases of the kernels, one vector a row, shape (m, d - N, d).
        rows, columns: bounds of the Euclidean norms of the rows and columns of A, shapes (m, N)
            and (m, d).
        reach: bounds of ``|P| 1``, shape (m, d).
        distances: bounds of ``||I - A P||_inf``, shape (m,).
    """

    matrices: np.ndarray
    inverses: np.ndarray
    kernels: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    reach: np.ndarray
    distances: np.ndarray

    @classmethod
    def of(cls, matrices: np.ndarray) -> "RightInverses":
        """Those of some matrices.

        Raises:
            ValueError: if the entries of one are so small or large that doubles do not hold what is
                made of them.
        """
        for matrix in matrices:
            check_room(matrix)
        _, count, length = matrices.shape
        basis, triangle = np.linalg.qr(matrices.mT, mode="complete")
        inverses = basis[..., :count] @ np.linalg.inv(triangle[:, :count]).mT
        reach = rounded_up(np.abs(inverses).sum(axis=2))
        rows, columns = (_norms(matrices, axis) for axis in (2, 1))
        rest = np.abs(np.eye(count) - matrices @ inverses).sum(axis=2)
        rounding = gamma(length) * rows * _norms(reach, 1)[:, None]
        distances = rounded_up(rest + rounding).max(axis=1)
        kernels = basis[..., count:].mT
        return cls(matrices, inverses, kernels, rows, columns, reach, distances)


def _norms(values, axis):
    """Upper bounds of Euclidean norms."""
    return rounded_up(np.sqrt(np.square(values).sum(axis=axis)))


def planted_bounds(
    right: RightInverses,
    supports: np.ndarray,
    signs: np.ndarray,
    left: np.ndarray,
    duals: np.ndarray,
    kernels: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(lower, upper): rho lies between them; 0 and inf where nothing is proved.

    Where an upper bound is finite, A_S is proved injective.

    Args:
        right: A of each problem, and its right inverse.
        supports: S, shape (m, s).
        signs: sigma, shape (m, s).
        left: guesses of left inverses L of A_S, shape (m, s, N).
        duals: guesses of the nu that attains rho, shape (m, N).
        kernels: guesses of the n that attains rho, shape (m, d).
    Returns:
        shapes (m,).
    """
    guesses = (right.matrices, right.inverses, left, duals, kernels)
    known = [np.abs(part).max(axis=tuple(range(1, part.ndim))) <= LARGE for part in guesses]
    off = np.ones(kernels.shape, dtype=bool)
    np.put_along_axis(off, supports, False, axis=1)
    lower = _from_below(right, off, signs, kernels, supports)
    upper = _from_above(right, off, signs, left, duals, supports)
    proved = np.all(known, axis=0)
    return np.where(proved & (lower > 0.0), lower, 0.0), np.where(proved, upper, np.inf)


def _from_above(right, off, signs, left, duals, supports):
    unit, order = gamma(duals.shape[1]), supports.shape[1]
    reach = _norms(np.abs(left).sum(axis=1), 1)  # of |L|^T 1
    sizes = np.take_along_axis(right.columns, supports, 1)
    rest = np.abs(np.eye(order) - left @ columns(right.matrices, supports).mT).sum(axis=1)
    distances = rounded_up(rest + unit * reach[:, None] * sizes).max(axis=1)
    heights = times(duals, right.matrices)
    rounding = rounded_up(unit * _norms(duals, 1)[:, None] * right.columns)
    defects = np.abs(np.take_along_axis(heights, supports, 1) - signs)
    defects = rounded_up(defects + np.take_along_axis(rounding, supports, 1)).max(axis=1)
    steps = rounded_up(defects / (1.0 - distances) * reach)
    beside = rounded_up(rounding + steps[:, None] * right.columns)
    bounds = np.nextafter(np.abs(heights) + beside, np.inf)
    upper = bounds.max(axis=1, where=off, initial=0.0)
    return np.where(distances <= 0.5, upper, np.inf)


def _from_below(right, off, signs, kernels, supports):
    unit = gamma(kernels.shape[1])
    residuals = np.abs(times(kernels, right.matrices.mT))
    residuals += unit * right.rows * _norms(kernels, 1)[:, None]
    steps = rounded_up(rounded_up(residuals).max(axis=1) / (1.0 - right.distances))
    moved = rounded_up(steps[:, None] * right.reach)
    on = np.take_along_axis(kernels, supports, 1)
    gain = -(signs * on).sum(axis=1)
    lost = unit * np.abs(on).sum(axis=1) + np.take_along_axis(moved, supports, 1).sum(axis=1)
    mass = np.abs(kernels).sum(axis=1, where=off)
    more = unit * mass + moved.sum(axis=1, where=off)
    gain = np.nextafter(gain - rounded_up(lost), -np.inf)
    mass = np.nextafter(mass + rounded_up(more), np.inf)
    return np.where(right.distances <= 0.5, np.nextafter(gain / mass, -np.inf), 0.0)
