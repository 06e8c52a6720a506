r"""The exact coordinates in which a piece of a trajectory is given, enclosed in doubles.

For independent columns A_T and a matrix Q of doubles near an orthonormal basis of ker A_T^T, let
``G = A_T^T A_T``, ``M = G^{-1} A_T^T A_Tc``, and let B be the orthonormal basis of ker A_T^T that
is nearest to Q, ``C = B^T A_Tc``.  Increments (d zeta, d b) stand for

    d lam = A_T G^{-1} d zeta + B d b,   d z_T = d zeta,   d z_Tc = M^T d zeta + C^T d b,

exactly, and a vector ``A_T a + B b`` of R^N for its coordinates (a, b).  None of these matrices
are known exactly; all that is used of them is that they lie within a radius of doubles:

- ``lambda_min(G) >= w (1 - ||I - V V^T||) - ||G - V diag(w) V^T||`` for any V and any w >= 0;
- ``X - M = G^{-1} A_T^T (A_T X - A_Tc)`` for any X, and ``G^{-1} - X = G^{-1} (I - G X)``;
- with P the projector onto the range of A_T, ``||P Q|| <= pi = ||A_T^T Q|| / lambda_min(G)^(1/2)``,
  and the singular values of ``(I - P) Q`` differ from 1 by at most ``||I - Q^T Q|| + pi^2``; B is
  its polar factor, so ``||Q - B|| <= pi + ||I - Q^T Q|| + pi^2``.
"""

from functools import cached_property

import numpy as np

from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.taylor import Within, known, product, total
from implicit_l1.proof.verified import gamma, rounded_up


def column_norms(matrix: Within) -> np.ndarray:
    """Upper bounds of the Euclidean norms of the columns."""
    return rounded_up(np.sqrt((matrix.sizes**2).sum(axis=0)))


def norm_bound(matrix: Within) -> float:
    """An upper bound of the spectral norm: that of Frobenius."""
    return float(rounded_up(np.sqrt((matrix.sizes**2).sum())))


def gram(matrix: np.ndarray) -> Within:
    """``A^T A``."""
    return product(known(matrix.T), known(matrix))


def eigenvalue_bounds(matrix: Within) -> tuple[float, float]:
    """(l, h): all eigenvalues of a symmetric matrix, not empty, lie between them; l may be < 0."""
    values, vectors = np.linalg.eigh(matrix.middle)
    eye = np.eye(len(values))
    again = product(known(vectors * values), known(vectors.T))
    # of the products of vectors and values, before they are summed
    rounding = gamma(1) * np.abs(vectors * values) @ np.abs(vectors.T)
    away = norm_bound(total(Within(matrix.middle - again.middle, matrix.radius), Within(
        np.zeros_like(eye), rounded_up(again.radius + rounding + gamma(1) * np.abs(matrix.middle)))))
    square = product(known(vectors), known(vectors.T))
    turned = norm_bound(total(Within(eye - square.middle, square.radius), known(0.0 * eye)))
    largest = float(np.max(np.abs(values)))
    # 1 - turned <= |V^T x|^2 / |x|^2 <= 1 + turned
    spread = rounded_up(away + turned * largest)
    return float(values[0]) - spread, float(rounded_up(float(values[-1]) + spread))


class Frame:
    """Of T and Q.

    Attributes:
        active, others: indices of T and of the others.
        ranges: M^T, shape (d - k, k), transposed for products from the left: z = zeta M.
        least: a lower bound of lambda_min(G), inf without columns.
    """

    def __init__(self, matrix: np.ndarray, active: np.ndarray, basis: np.ndarray) -> None:
        """
        Args:
            matrix: A, shape (N, d).
            active: T, k indices.
            basis: Q, shape (N, N - k).
        Raises:
            NotProved: if A_T is not proved injective, or Q is not near such a basis.
        """
        rows, count = len(matrix), len(active)
        self.active, self.basis = active, basis
        self.others = np.delete(np.arange(matrix.shape[1]), active)
        on, off = matrix[:, active], matrix[:, self.others]
        self.gram = gram(on)
        self.least = np.inf
        if count:
            self.least = eigenvalue_bounds(self.gram)[0]
            if not self.least > 0.0:
                raise NotProved("the active columns are not proved independent")
            triangle = np.linalg.qr(on)
            guess = np.linalg.solve(triangle[1], triangle[0].T @ off)
            missing = product(known(on), known(guess))
            missing = total(missing, known(-off))
            error = column_norms(product(known(on.T), missing)) / self.least
            self.range_map = Within(guess, np.broadcast_to(rounded_up(error), guess.shape))
            inverse = np.linalg.inv(self.gram.middle)
            rest = product(self.gram, known(inverse))
            rest = total(known(np.eye(count)), Within(-rest.middle, rest.radius))
            error = rounded_up(column_norms(rest) / self.least)
            self.inverse = Within(inverse, np.broadcast_to(error, inverse.shape))
        else:
            self.range_map = known(np.zeros((0, off.shape[1])))
            self.inverse = known(np.zeros((0, 0)))
        free = product(known(basis.T), known(off))
        self.tilt = self._tilt(on, basis)
        norms = column_norms(known(off))
        self.free_map = Within(free.middle, rounded_up(free.radius + self.tilt * norms))
        if rows - count != basis.shape[1]:
            raise ValueError(f"a basis of {basis.shape[1]} vectors beside {count} of {rows} columns")

    def _tilt(self, on, basis):
        """An upper bound of ``||Q - B||``."""
        if not basis.shape[1]:
            return 0.0
        square = gram(basis)
        bent = norm_bound(total(known(np.eye(basis.shape[1])), Within(-square.middle, square.radius)))
        lean = 0.0
        if on.shape[1]:
            lean = rounded_up(norm_bound(product(known(on.T), known(basis))) / np.sqrt(self.least))
        tilt = float(rounded_up(lean + bent + lean * lean))
        if not tilt < 0.5:
            raise NotProved("the basis of a step is not near an orthonormal one")
        return tilt

    @cached_property
    def moves(self) -> Within:
        """[M; C], shape (N, d - k): ``d z_Tc = (d zeta, d b) [M; C]``."""
        both = (self.range_map, self.free_map)
        return Within(*(np.vstack([m[part] for m in both]) for part in (0, 1)))

    @cached_property
    def images(self) -> Within:
        """Its transpose."""
        return Within(*(np.ascontiguousarray(part.T) for part in self.moves))

    def is_of(self, active: np.ndarray, basis: np.ndarray) -> bool:
        """Whether it is the frame of these."""
        return np.array_equal(active, self.active) and np.array_equal(basis, self.basis)

    def least_of(self, places: np.ndarray) -> float:
        """A lower bound of lambda_min of the Gram matrix of some columns of A_T; places in T."""
        part = np.ix_(places, places)
        return eigenvalue_bounds(Within(self.gram.middle[part], self.gram.radius[part]))[0]
