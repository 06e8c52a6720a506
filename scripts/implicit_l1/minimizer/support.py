r"""The linear algebra of a support.

With S the support and sigma the signs of the l1 minimizer g*, and
``A_S = [Q1 Q2] [R; 0]``, every dual vector is

    lam = dual_scale * nu_0 + Q1 R^{-T} zeta + Q2 b,

where ``nu_0`` is a dual certificate (``A_S^T nu_0 = sigma``).  Then
``A_S^T lam = dual_scale * sigma + zeta`` and
``A_Sc^T lam = dual_scale * A_Sc^T nu_0 + M^T zeta + C^T b`` with
``M = R^{-1} Q1^T A_Sc`` and ``C = Q2^T A_Sc``; a vector n lies in ker A exactly
when ``n_S = -M n_Sc`` and ``C n_Sc = 0``.  (Derived for this project: the
coordinates that null_space and limit share.)
"""

from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import ArrayLike

from implicit_l1.linear.compensated import refine, residual, two_sum
from implicit_l1.linear.exact import RationalMatrix, independent
from implicit_l1.linear.units import BALANCED, check_room, exponents


@dataclass(frozen=True)
class SupportGeometry:
    """Coordinates adapted to a set S of k linearly independent columns of A, shape (N, d).

    Attributes:
        matrix: A, shape (N, d).
        support: indices of S, shape (k,); complement: the others, shape (d - k,).
        range_map: M, shape (k, d - k).
        free_map: C, shape (N - k, d - k).
        q1, q2, r: ``Q1 = D q_1``, ``Q2 = D q_2`` and R with the QR factors of ``D A_S``, shapes
            (N, k), (N, N - k), (k, k).  D are powers of two that give rows of very different
            sizes one size, and 1 for all others: the formulas above hold with any regular D.
    """

    matrix: np.ndarray
    support: np.ndarray
    complement: np.ndarray
    range_map: np.ndarray
    free_map: np.ndarray
    q1: np.ndarray
    q2: np.ndarray
    r: np.ndarray

    def least_norm_dual(self, values: np.ndarray) -> np.ndarray:
        """The vector of least Euclidean norm with ``A_S^T nu = values``, shape (N,)."""
        return self.q1 @ np.linalg.solve(self.r.T, values)

    def least_squares(self, data: np.ndarray) -> np.ndarray:
        """The minimizer of ``||A_S x_S - data||_2``, shape (k,)."""
        return np.linalg.solve(self.r, self.q1.T @ data)


def support_geometry(matrix: np.ndarray, support: ArrayLike) -> SupportGeometry:
    """Factor A_S and express the other columns in its coordinates.

    Args:
        matrix: A, shape (N, d).
        support: indices of S, shape (k,), k <= N; may be empty.
    Raises:
        ValueError: if the columns of A_S are linearly dependent, or entries of A or M are so
            small or large that doubles do not hold what is made of them.
    """
    check_room(matrix)
    support = np.asarray(support, dtype=int)
    mask = np.ones(matrix.shape[1], dtype=bool)
    mask[support] = False
    complement = np.flatnonzero(mask)
    off = matrix[:, complement]
    size = support.size
    if size > matrix.shape[0]:
        raise ValueError(f"a support of {size} columns in {matrix.shape[0]} dimensions")
    sizes = row_scales(matrix)[:, None]
    q, r = np.linalg.qr(sizes * matrix[:, support], mode="complete")
    if not (_plainly_independent(r) or independent(matrix[:, support])):
        raise ValueError("the columns of the support are linearly dependent")
    q = sizes * q
    q1, q2, r = q[:, :size], q[:, size:], r[:size]
    if size and np.linalg.cond(r) > _WELL_CONDITIONED:
        square = sizes * np.hstack([matrix[:, support], q2 / sizes])
        maps = _solved_with_more_bits(square, sizes * off)
        range_map, free_map = maps[:size], maps[size:]
    else:
        range_map, free_map = np.linalg.solve(r, q1.T @ off), q2.T @ off
    if not (np.all(np.isfinite(range_map)) and np.all(np.isfinite(free_map))):
        raise ValueError("A: columns are of too different sizes, A_S^+ A_Sc is beyond the doubles")
    return SupportGeometry(
        matrix=matrix,
        support=support,
        complement=complement,
        range_map=range_map,
        free_map=free_map,
        q1=q1,
        q2=q2,
        r=r,
    )


def row_scales(matrix: np.ndarray) -> np.ndarray:
    """Powers of two that bring the rows of A to one size; ones where they nearly have it.

    Multiplied by them, A and y are the same problem, but for the flow's way to its end.

    Args:
        matrix: A, shape (N, d), without rows that are 0.
    Returns:
        shape (N,).
    """
    sizes = exponents(matrix, axis=1)
    return np.ones(len(matrix)) if np.ptp(sizes) <= BALANCED else np.ldexp(1.0, -sizes)


# Condition of A_S up to which M keeps the digits that anything made of it needs.
_WELL_CONDITIONED = 1e4

# Bits with which it is found otherwise, and the relative radius to which it has to be known.
_PRECISIONS, _ROUNDED = (256, 512, 1024, 2048, 4096), 2.0**-60


def _solved_with_more_bits(square, right):
    """``K^{-1} Y``, rounded from enclosures: with K = [A_S Q2] the maps M and C.

    Raises:
        ValueError: if that is more than the bits allow for.
    """
    for bits in _PRECISIONS:
        with ctx.workprec(bits):
            try:
                solution = arb_mat(square.tolist()).solve(arb_mat(right.tolist()))
            except ZeroDivisionError:
                continue
            largest = max((abs(value).upper() for value in solution.entries()), default=arb(0))
            if all(value.rad() <= largest * _ROUNDED for value in solution.entries()):
                return np.array([[float(value) for value in row] for row in solution.tolist()])
    raise ValueError(f"A_S is too near to a singular matrix for {_PRECISIONS[-1]} bits")


def _plainly_independent(r):
    """Whether columns with this QR factor R are independent, whatever was rounded."""
    diagonal = np.abs(np.diag(r))
    return diagonal.min(initial=np.inf) > 1e-12 * diagonal.max(initial=0.0)


def independent_columns(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    """Indices of columns of A that span those of the support of a point, shape (rank,).

    The support itself if its columns are independent; else each column that is independent of
    those before it, exactly, those that add most to ``A x`` first.

    Args:
        matrix: A, shape (N, d).
        point: shape (d,).
    """
    support = np.flatnonzero(point)
    if support.size == 0:
        return support
    on = matrix[:, support]
    if support.size <= matrix.shape[0] and _plainly_independent(np.linalg.qr(on, mode="r")):
        return support
    if independent(on):
        return support
    order = np.argsort(-np.linalg.norm(on * point[support], axis=0), kind="stable")
    return np.sort(support[RationalMatrix(on).first_basis(order)])


def solve_positive_definite(rows: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The solution of ``B B^T x = right``, shape (n,).

    Args:
        rows: B, shape (n, m).
        right: shape (n,).
    Raises:
        LinAlgError: if ``B B^T`` is not positive definite in double precision.
    """
    matrix = rows @ rows.T
    np.linalg.cholesky(matrix)  # raises the error; LU would go on with what rounding left
    return np.linalg.solve(matrix, right)


# A margin is computed in twice the working precision; above this its sign is certain.
STRICT = 1e-14


@dataclass(frozen=True)
class Certificate:
    """A dual vector nu with ``A_S^T nu = sigma``, and ``A^T nu`` with all its digits.

    Attributes:
        nu: shape (N,), rounded from twice the working precision.
        direction: ``A^T nu``, shape (d,); equal to sigma on S.
        margin: ``1 - |A^T nu|``, shape (d,), to full relative accuracy; 0 on S.
    """

    nu: np.ndarray
    direction: np.ndarray
    margin: np.ndarray

    def largest_entry(self, support: np.ndarray) -> float:
        """The largest ``|A_j^T nu|`` off S; 0 if there is nothing off S.

        It is 1 less the smallest margin, but keeps its digits where it is small.
        """
        return float(np.abs(np.delete(self.direction, support)).max(initial=0.0))

    def smallest_margin(self, support: np.ndarray) -> float:
        """The smallest margin off S; 1 if there is nothing off S."""
        return float(np.delete(self.margin, support).min(initial=1.0))


def certificate(
    matrix: np.ndarray,
    geometry: SupportGeometry,
    sigma: np.ndarray,
    nu: np.ndarray,
    tilt: np.ndarray | None = None,
) -> Certificate:
    """Make nu feasible, ``A_S^T nu = sigma``, to twice the working precision.

    Args:
        matrix: A, shape (N, d).
        geometry: of the support S.
        sigma: signs on S, shape (k,).
        nu: an approximately feasible vector, shape (N,).
        tilt: shape (d,), added to ``A^T nu`` wherever it stands, margins included, which are
            then good to one rounding; 0 if None.
    """
    tilt = np.zeros(matrix.shape[1]) if tilt is None else tilt
    on = matrix[:, geometry.support]
    off, tilt_off = matrix[:, geometry.complement], tilt[geometry.complement]
    target = sigma - tilt[geometry.support]
    correction, low = refine(geometry.least_norm_dual, on.T, residual(on.T, nu, target))
    nu, error = two_sum(nu, correction)
    side = np.where(off.T @ nu + tilt_off < 0, -1.0, 1.0)
    margin = np.zeros(matrix.shape[1])
    margin[geometry.complement] = residual(
        side[:, None] * off.T, nu, 1.0 - side * tilt_off, low + error
    )
    # not from the margin: where it is small it has digits of its own
    direction = np.empty(matrix.shape[1])
    direction[geometry.complement] = -residual(off.T, nu, -tilt_off, low + error)
    direction[geometry.support] = sigma
    return Certificate(nu, direction, margin)
