r"""Coordinates of dual vectors that are adapted to a set T of columns, and changes of T.

With ``P = A_T^+`` the pseudo-inverse and Q an orthonormal basis of the complement of the
range of A_T, every dual vector is ``P^T zeta + Q b``, its image ``A_T^T lam`` is zeta, and

    A_Tc^T lam = M^T zeta + C^T b,    M = P A_Tc,    C = Q^T A_Tc,

as in :mod:`implicit_l1.minimizer.support` (``P = R^{-1} Q1^T``).  Where indices J leave T, the QR
factorization ``P_J^T = Q_J R_J`` gives the new directions of Q, and the other rows of P lose
their parts along them.  Where columns J join T, ``Q^T A_J = W [R_J; 0]`` gives the directions
``Q_J = Q W_1`` that leave Q, the new rows ``P_J = R_J^{-1} Q_J^T``, and what the other rows
lose, ``(P A_J) P_J``.  All of it are row operations on ``[P; Q^T]``, and the same ones lead
from M and C to the new ones: O(N d |J|) operations in place of O(N^2 d).  (Derived for this
project.)  LAPACK applies the reflectors of a QR factorization, which SciPy's ``qr_multiply`` does
for the first columns of the orthogonal factor only.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dgeqrf, dormqr, dtrtrs

from implicit_l1.minimizer.support import support_geometry
from implicit_l1.proof.verified import residuals


@dataclass(frozen=True)
class DualCoordinates:
    """Coordinates adapted to a set T of k linearly independent columns of A, shape (N, d).

    Attributes:
        support: indices of T, shape (k,), in any order; complement: the others, shape (d - k,).
        table: ``[P M; Q^T C]``, shape (N, N + d - k).
    """

    support: np.ndarray
    complement: np.ndarray
    table: np.ndarray

    @property
    def dual_map(self) -> np.ndarray:
        """``[P^T Q]``, from (zeta, b) to the dual vector, shape (N, N)."""
        return self.table[:, : len(self.table)].T

    @cached_property
    def stacked(self) -> np.ndarray:
        """``[M; C]``, shape (N, d - k)."""
        return np.ascontiguousarray(self.table[:, len(self.table) :])

    @cached_property
    def mass(self) -> np.ndarray:
        """``[P^T Q]^T [P^T Q]``, of which the blocks between zeta and b vanish, shape (N, N)."""
        return self.dual_map.T @ self.dual_map

    @property
    def range_map(self) -> np.ndarray:
        """M, shape (k, d - k)."""
        return self.stacked[: self.support.size]

    @property
    def free_map(self) -> np.ndarray:
        """C, shape (N - k, d - k)."""
        return self.stacked[self.support.size :]

    @property
    def free_basis(self) -> np.ndarray:
        """Q, shape (N, N - k)."""
        return self.dual_map[:, self.support.size :]

    def without(self, indices: np.ndarray) -> "DualCoordinates":
        """The coordinates once these indices, shape (m,), have left T."""
        leaves = np.isin(self.support, indices)
        on, free = self.table[: self.support.size], self.table[self.support.size :]
        left, kept = on[leaves], on[~leaves]
        triangle = np.linalg.qr(left[:, : len(self.table)].T, mode="r")
        # [Q_J^T, Q_J^T A_Tc, Q_J^T A_J], the last since P_J A_J = 1
        new = _solved(triangle, np.hstack([left, np.eye(len(left))]), transposed=True)
        along = kept[:, : len(self.table)] @ new[:, : len(self.table)].T
        table = np.zeros((len(self.table), new.shape[1]))
        table[: len(kept), : on.shape[1]] = kept
        table[: len(kept)] -= along @ new
        table[len(kept) : self.support.size] = new
        table[self.support.size :, : on.shape[1]] = free
        complement = np.concatenate([self.complement, self.support[leaves]])
        return DualCoordinates(self.support[~leaves], complement, table)

    def joined(self, indices: np.ndarray) -> "DualCoordinates":
        """The coordinates once these indices, shape (m,), have joined T.

        Raises:
            ValueError: if the columns of T are linearly dependent then.
        """
        joins = np.isin(self.complement, indices)
        on, free = self.table[: self.support.size], self.table[self.support.size :]
        columns = np.concatenate([np.zeros(len(self.table), dtype=bool), joins])
        reflectors, factors, _, _ = dgeqrf(free[:, columns])
        # transposed: what LAPACK takes without a copy
        workspace = max(1, 64 * free.shape[1])
        free, _, _ = dormqr("R", "N", reflectors, factors, free[:, ~columns].T, workspace)
        free = free.T
        size = np.count_nonzero(joins)
        new = _solved(reflectors[:size], free[:size])
        kept = on[:, ~columns] - on[:, columns] @ new
        support = np.concatenate([self.support, self.complement[joins]])
        return DualCoordinates(
            support, self.complement[~joins], np.vstack([kept, new, free[size:]])
        )


def dual_coordinates(matrix: np.ndarray, support: np.ndarray) -> DualCoordinates:
    """The coordinates of a set T, by a QR factorization.

    Args:
        matrix: A, shape (N, d).
        support: indices of T, shape (k,), k <= N; may be empty.
    Raises:
        ValueError: if the columns of A_T are linearly dependent.
    """
    geometry = support_geometry(matrix, support)
    pseudo_inverse = _solved(geometry.r, geometry.q1.T)
    table = np.block([[pseudo_inverse, geometry.range_map], [geometry.q2.T, geometry.free_map]])
    return DualCoordinates(geometry.support, geometry.complement, table)


def lost_of_map(
    coordinates: DualCoordinates, matrix: np.ndarray, places: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """``A_j - A_T M_j`` of some columns, found in twice the precision, and what M_j lacks.

    Args:
        coordinates: of T; matrix: A, shape (N, d).
        places: of the columns among those off T, shape (m,).
    Returns:
        shapes (N, m) and (k, m).
    """
    on = coordinates.support
    right = matrix[:, coordinates.complement[places]]
    left, _ = residuals(matrix[:, on], coordinates.range_map[:, places], right)
    return left, coordinates.dual_map[:, : on.size].T @ left


def refined(coordinates: DualCoordinates, matrix: np.ndarray) -> DualCoordinates:
    """The same with M and C to their last digits, whatever the condition of A_T is.

    ``A_Tc = A_T M + Q C``, so what M lacks is the part in the range of A_T of ``A_Tc - A_T M``,
    which is found in twice the precision, and C is from what is left of that.

    Args:
        coordinates: of a set T; matrix: A, shape (N, d).
    """
    on, size = coordinates.support, coordinates.support.size
    if size == 0:
        return coordinates
    left, lacking = lost_of_map(coordinates, matrix, np.arange(coordinates.complement.size))
    basis = coordinates.free_basis.T
    stacked = np.vstack([coordinates.range_map + lacking, basis @ (left - matrix[:, on] @ lacking)])
    table = np.hstack([coordinates.dual_map.T, stacked])
    return DualCoordinates(on, coordinates.complement, table)


def _solved(triangle, right, transposed=False):
    """``R^{-1}`` or ``R^{-T}`` times the right-hand sides, R in the upper triangle."""
    if not triangle.size:
        return right
    solution, failed = dtrtrs(triangle, right, trans=int(transposed))
    if failed:
        raise ValueError("the columns of the support are linearly dependent")
    return solution
