r"""The coordinates in which steps of a flow are given, defined exactly, and norms in them.

For independent columns A_T and a matrix Q of doubles, near an orthonormal basis of ker A_T^T, let
``K = [A_T Q]``, which is square.  Increments (d zeta, d b) stand for the d lam with ``A_T^T d lam =
d zeta`` and ``Q^T d lam = d b``, so

    d lam = K^{-T} (d zeta, d b),    d z_T = d zeta,    d z_Tc = (K^{-1} A_Tc)^T (d zeta, d b),

and a vector d of R^N for its coordinates (a, b) in ``d = A_T a + Q b``, so ``(a, b) = K^{-1} d``.
K^{-1} and its products are computed in balls.  Where norms are needed: with ``l <=
lambda_min(A_T^T A_T)``, ``||Q b|| <= (1 + ||I - Q^T Q||)^(1/2) ||b||``, and the projector P onto
the range of A_T, or of some of its columns, has ``||P Q|| <= ||A_T^T Q|| / l^(1/2)``.
Eigenvalues: for any V and any w, ``lambda_min(G) >= min(w) - max|w| ||I - V V^T|| -
||G - V diag(w) V^T||``.
"""

import numpy as np
from flint import arb, arb_mat

from implicit_l1.proof.balls import columns_of, exact_matrix
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.taylor import Within, difference, known, product, within
from implicit_l1.proof.verified import rounded_up


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
    turned = product(known(vectors), known(vectors.T))
    scaled = vectors * values
    again = product(Within(scaled, rounded_up(2.0**-53 * np.abs(scaled))), known(vectors.T))
    away = norm_bound(difference(matrix, again))
    away += norm_bound(difference(known(np.eye(len(values))), turned)) * np.max(np.abs(values))
    away = float(rounded_up(away))
    return (
        float(values[0]) - away - 2.0**-52 * abs(float(values[0])),
        float(rounded_up(float(values[-1]) + away)),
    )


class Coordinates:
    """Of T and Q.

    Attributes:
        matrix: A; active, others: indices of T and of the others; basis: Q.
        inverse: K^{-1}; moves: K^{-1} A_Tc, shape (N, d - k); images: its transpose; as balls.
        near: `moves` in doubles; speeds: K^{-1} K^{-T} in doubles, shape (N, N).
        gram: A_T^T A_T; least: l, inf without columns.
        stretch, lean: bounds of ||Q|| and of ||P Q||.
    """

    def __init__(self, matrix: np.ndarray, active: np.ndarray, basis: np.ndarray) -> None:
        """
        Args:
            matrix: A, shape (N, d).
            active: T, k indices.
            basis: Q, shape (N, N - k).
        Raises:
            NotProved: if K is not proved regular.
        """
        rows, count = len(matrix), len(active)
        if basis.shape != (rows, rows - count):
            raise ValueError(f"a basis of shape {basis.shape} beside {count} of {rows} columns")
        self.matrix, self.active, self.basis = matrix, active, basis
        self.others = np.delete(np.arange(matrix.shape[1]), active)
        on = matrix[:, active]
        frame = exact_matrix(np.hstack([on, basis]))
        try:
            inverse = frame.solve(exact_matrix(np.eye(rows)))
        except ZeroDivisionError as error:
            raise NotProved("the active columns are not proved independent") from error
        self.inverse = inverse
        self.moves = inverse * columns_of(exact_matrix(matrix), self.others)
        self.images = self.moves.transpose()
        self.near = within(self.moves)
        self.speeds = within(inverse * inverse.transpose())
        self.gram = gram(on)
        self.least, self.stretch, self.lean = np.inf, 1.0, 0.0
        if count:
            self.least = eigenvalue_bounds(self.gram)[0]
            if not self.least > 0.0:
                raise NotProved("the active columns are not proved independent")
        if count < rows:
            bent = norm_bound(difference(gram(basis), known(np.eye(rows - count))))
            self.stretch = float(rounded_up(np.sqrt(1.0 + bent)))
            if count:
                across = norm_bound(product(known(on.T), known(basis)))
                self.lean = float(rounded_up(across / np.sqrt(self.least)))

    def is_of(self, active: np.ndarray, basis: np.ndarray) -> bool:
        """Whether these are the coordinates of T and Q."""
        return np.array_equal(active, self.active) and np.array_equal(basis, self.basis)

    def block(self, places: np.ndarray) -> tuple[float, np.ndarray]:
        """Of some columns F of A_T; places in T.

        ``X - A_F^+ A = G^{-1} A_F^T (A_F X - A)`` for any X.

        Returns:
            a lower bound of lambda_min(A_F^T A_F), and, where that is positive, upper bounds of
            ``|A_F^+ A|`` with zeros for the columns in F, shape (|F|, d).
        """
        part = np.ix_(places, places)
        least = eigenvalue_bounds(Within(self.gram.middle[part], self.gram.radius[part]))[0]
        if not least > 0.0:
            return least, np.zeros((len(places), 0))
        columns = self.active[places]
        on = self.matrix[:, columns]
        guess = np.linalg.solve(self.gram.middle[part], on.T @ self.matrix)
        missing = difference(product(known(on), known(guess)), known(self.matrix))
        sizes = rounded_up(
            np.abs(guess) + rounded_up(column_norms(product(known(on.T), missing)) / least)
        )
        sizes[:, columns] = 0.0
        return least, sizes

    def moved(self, increments: arb_mat) -> list[arb]:
        """The increments of z, d balls, for (d zeta, d b), a row of balls."""
        count = len(self.active)
        found = [arb(0)] * (count + len(self.others))
        for index, value in zip(self.active, increments.entries()[:count], strict=True):
            found[int(index)] = value
        outer = (increments * self.moves).entries()
        for index, value in zip(self.others, outer, strict=True):
            found[int(index)] = value
        return found
