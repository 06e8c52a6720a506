r"""A matrix with the kernel of A whose entries are of the order of 1, where what matters is.

Columns off the support S may be of very different sizes, or near copies of each other.  A large
one has a small entry in every kernel vector, and a dual vector is nearly orthogonal to it: digits
of what is left are lost beside it.  Here J are columns off S such that ``B = [A_S A_J]`` is
regular, chosen large, and

.. math::
    A' = B^{-1} A, \qquad A'_B = I, \qquad A'_R = \begin{pmatrix} M \\ W \end{pmatrix}

with R the other columns.  A' has the kernel of A: any n_R makes a kernel vector, with
``n_S = -M n_R`` and ``n_J = -W n_R``.  And its dual vectors are the values of those of A on the
basis: any (eps, h) makes one, with ``A_R^T nu = M^T eps + W^T h``.  So vectors of either kind have
nothing to fulfil, and rounding the entries of A' is all that stands between them and what
they prove.

Entries of W are at most w = 100 (exchanged until they are), so ``|M_ij| <= (1 + r w) v`` with v the
constant of the unit pattern at i and r the number of columns in J: in A' nothing is large beside
the constants of the support, whatever the columns of A are.  (Derived for this project; that a
basis of large volume has small weights: Goreinov, Tyrtyshnikov and Zamarashkin, *A theory of
pseudoskeleton approximations*, Linear Algebra Appl. 261, 1997.)
"""

from dataclasses import dataclass

import numpy as np
from flint import arb_mat, ctx
from scipy.linalg import qr

from implicit_l1.linear.exact import RationalMatrix, independent, rational_rank
from implicit_l1.linear.units import exponents
from implicit_l1.minimizer.support import SupportGeometry, row_scales
from implicit_l1.proof.verified import LARGE, doubles_of, gamma, residuals, rounded_up

# Most that an entry of W may be, and most exchanges of columns until it is.
_LARGE_WEIGHT, _EXCHANGES = 100.0, 100

# Accuracies that may be asked for.
COARSE, FINE = 2.0**-33, 2.0**-44

# Condition numbers from which on digits are lost that matter.
_LOST = 1e6

# Bits with which A' is found otherwise, and the radius to which it has to be known.
_PRECISIONS, _ROUNDED = (256, 512, 1024, 2048, 4096), 2.0**-60


@dataclass(frozen=True)
class ReducedMatrix:
    """A' of a matrix A and a support S of k elements, rounded, and what of A' is not known.

    Attributes:
        geometry: of S as a support of A', whose `matrix` is A', shape (N, d); the dual vectors of
            A' are ``nu' = B^T nu``: their values on S, then on J.
        error: bounds of the error of each entry of A', shape (N, d); exact on S and J.
        chosen, rest: J and R, as columns of A, shapes (N - k,) and (d - N,).
        inverse: ``B^{-1}``, shape (N, N), approximately; nothing rests on it.
    """

    geometry: SupportGeometry
    error: np.ndarray
    chosen: np.ndarray
    rest: np.ndarray
    inverse: np.ndarray

    @property
    def matrix(self) -> np.ndarray:
        """A', shape (N, d)."""
        return self.geometry.matrix

    @property
    def basis(self) -> tuple[np.ndarray, np.ndarray]:
        """S and J."""
        return self.geometry.support, self.chosen

    def keeps_more_digits_than(self, geometry: SupportGeometry) -> bool:
        """Whether the maps M and C of A itself lose digits that those of A' have.

        They do where those of ``C_J^{-1}`` are lost, or where M is large beside that of A'.
        """
        on_chosen = geometry.free_map[:, np.isin(geometry.complement, self.chosen)]
        maps = geometry.range_map, self.geometry.range_map
        large, small = (np.abs(part).max(initial=0.0) for part in maps)
        lost = np.linalg.cond(on_chosen) if on_chosen.size else 1.0
        return bool(not lost <= _LOST or large > _LOST * small)

    def duals(self, reduced: np.ndarray) -> np.ndarray:
        """Dual vectors of A from those of A', one a row, shape (m, N)."""
        return reduced @ self.inverse

    def reached(self, reduced: np.ndarray) -> np.ndarray:
        """Upper bounds of ``|A_j^T nu|`` off S from dual vectors of A', rounding included.

        Args:
            reduced: nu', one a row, exact as they are, shape (m, N).
        Returns:
            shape (m, d - k).
        """
        off = self.geometry.complement
        error = self.error[:, off] + gamma(len(self.matrix)) * np.abs(self.matrix[:, off])
        missed = rounded_up(np.abs(reduced) @ error)
        return np.nextafter(np.abs(reduced @ self.matrix[:, off]) + missed, np.inf)

    def kernel(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(n, bounds of the error of its entries): the kernel vectors with these entries on R.

        Args:
            vectors: approximately kernel vectors, one a row, shape (m, d).
        Returns:
            shapes (m, d), each.
        """
        free, part = vectors[:, self.rest], self.matrix[:, self.rest]
        basis = np.concatenate(self.basis)
        kernel, error = vectors.copy(), np.zeros(vectors.shape)
        kernel[:, basis] = -free @ part.T
        unsure = self.error[:, self.rest] + gamma(part.shape[1]) * np.abs(part)
        error[:, basis] = rounded_up(np.abs(free) @ unsure.T)
        return kernel, error


def reduced_matrix(geometry: SupportGeometry, accuracy: float = COARSE) -> ReducedMatrix:
    """A' of the matrix and the support of a geometry.

    Args:
        geometry: of S.
        accuracy: errors up to this part of the largest entry of M, and of 1 in W, are taken
            (COARSE, which takes no time, or FINE, which may take some).

    Raises:
        ValueError: if A does not have full row rank, or A' takes more bits than are allowed for.
    """
    support, off = geometry.support, geometry.complement
    matrix = row_scales(geometry.matrix)[:, None] * geometry.matrix
    chosen = off[_large_columns(geometry.free_map)]
    basis = np.concatenate([support, chosen])
    if not _plainly_regular(matrix[:, basis]) and not independent(matrix[:, basis]):
        sizes = np.linalg.norm(matrix[:, off], axis=0)
        order = np.concatenate([support, off[np.argsort(-sizes, kind="stable")]])
        basis = np.array(RationalMatrix(matrix).first_basis(order))
        if basis.size < len(matrix):
            raise ValueError("A does not have full row rank")
    for _ in range(_EXCHANGES):
        rest = np.setdiff1d(off, basis)
        solution, error, inverse = _solved(matrix, basis, rest, support.size, accuracy)
        weights = np.abs(solution[support.size :])
        if weights.max(initial=0.0) <= _LARGE_WEIGHT:
            break
        row, column = np.unravel_index(np.argmax(weights), weights.shape)
        basis[support.size + row] = rest[column]
    else:
        raise ValueError(f"{_EXCHANGES} exchanges did not lead to a basis of large columns of A")
    entries, errors = np.zeros(matrix.shape), np.zeros(matrix.shape)
    entries[:, basis], entries[:, rest], errors[:, rest] = np.eye(len(matrix)), solution, error
    return ReducedMatrix(
        _geometry_of(geometry, entries),
        errors,
        basis[support.size :],
        rest,
        inverse * row_scales(geometry.matrix),
    )


def finer_matrix(geometry: SupportGeometry) -> tuple[ReducedMatrix, bool]:
    """(A', whether it keeps more digits than A): FINE where it does, and is to be worked with.

    Args, Raises: as in :func:`reduced_matrix`.
    """
    reduced = reduced_matrix(geometry)
    if not reduced.keeps_more_digits_than(geometry):
        return reduced, False
    return reduced_matrix(geometry, FINE), True


def _geometry_of(geometry, entries):
    """The geometry of S in a matrix whose columns there are the first unit vectors."""
    unit, size = np.eye(len(entries)), geometry.support.size
    off = entries[:, geometry.complement]
    return SupportGeometry(
        matrix=entries,
        support=geometry.support,
        complement=geometry.complement,
        range_map=off[:size],
        free_map=off[size:],
        q1=unit[:, :size],
        q2=unit[:, size:],
        r=np.eye(size),
    )


def _large_columns(free_map):
    """Places of columns of C that make a basis, each the farthest from the span of those before."""
    if not len(free_map):
        return np.zeros(0, dtype=int)
    scaled = np.ldexp(free_map, -exponents(free_map, axis=1)[:, None])
    return qr(scaled, mode="r", pivoting=True)[1][: len(free_map)]


def _plainly_regular(square):
    """Whether a matrix is far from singular ones, its columns brought to one size."""
    scaled = np.ldexp(square, -exponents(square, axis=0))
    return np.linalg.cond(scaled) < 1e8


def _solved(matrix, basis, rest, size, accuracy):
    """(``B^{-1} A_R``, bounds of its error, ``B^{-1}``); columns of one size on the way."""
    square, right = matrix[:, basis], matrix[:, rest]
    units, sizes = exponents(square, axis=0)[:, None], exponents(right, axis=0)
    square, right = np.ldexp(square, -units.T), np.ldexp(right, -sizes)
    powers = sizes - units
    found = _in_doubles(square, right)
    if found is not None:
        solution, error, inverse = found
        solution, error = np.ldexp(solution, powers), np.ldexp(error, powers)
        if _known(error, solution, size, accuracy):
            return solution, error, np.ldexp(inverse, -units)
    outside = np.hstack([matrix[:, basis[size:]], matrix[:, rest]])
    nothing = size > 0 and rational_rank(outside) == len(matrix) - size
    solution, error, inverse = _with_more_bits(square, right, powers, size, nothing)
    return solution, error, np.ldexp(inverse, -units)


def _known(error, solution, size, part):
    """Whether errors are at most this part of the largest entry of M, and of 1 in W."""
    largest = np.abs(solution[:size]).max(initial=0.0)
    of_range, of_weights = (error[rows].max(initial=0.0) for rows in np.s_[:size, size:])
    return of_range <= part * largest and of_weights <= part


def _in_doubles(square, right):
    """(X, bounds of its error, the inverse) of ``B X = Y``; None where nothing is proved.

    With P nearly the inverse, ``||I - P B|| <= q < 1`` and the residual r, the error is
    ``(P B)^{-1} P r``, at most ``|P r|`` and ``q / (1 - q) ||P r||`` more.
    """
    try:
        inverse = np.linalg.inv(square)
    except np.linalg.LinAlgError:
        return None
    solution, unit = inverse @ right, gamma(len(square) + 1)
    if max(np.abs(inverse).max(), np.abs(solution).max(initial=0.0)) > LARGE:
        return None
    sizes = np.abs(inverse)
    distance = np.abs(np.eye(len(square)) - inverse @ square) + unit * (sizes @ np.abs(square))
    distance = rounded_up(distance.sum(axis=1)).max()
    if not distance <= 0.5:
        return None
    residual, _ = residuals(square, solution, right)
    solution = solution + inverse @ residual
    residual, unsure = residuals(square, solution, right)
    error = rounded_up(sizes @ rounded_up(np.abs(residual) + unsure))
    return solution, rounded_up(error + distance / (1.0 - distance) * error.max(axis=0)), inverse


def _with_more_bits(square, right, powers, size, nothing):
    """The same by enclosures, in units of 2^powers; M is 0 where nothing of it is left."""
    count = right.shape[1]
    sides = arb_mat(np.hstack([right, np.eye(len(square))]).tolist())
    for bits in _PRECISIONS:
        with ctx.workprec(bits):
            try:
                balls = arb_mat(square.tolist()).solve(sides).tolist()
            except ZeroDivisionError:
                continue
            found = [doubles_of(row[:count]) for row in balls]
            solution = np.array([middle for middle, _ in found]).reshape(-1, count)
            error = np.array([radius for _, radius in found]).reshape(-1, count)
            # not what rounding to doubles has added
            radii = np.array([[float(v.rad()) for v in row[:count]] for row in balls])
            inverse = np.array([[float(v) for v in row[count:]] for row in balls])
        radii = np.ldexp(radii.reshape(-1, count), powers)
        solution, error = np.ldexp(solution, powers), np.ldexp(error, powers)
        if nothing:
            solution[:size] = error[:size] = radii[:size] = 0.0
        if _known(radii, solution, size, _ROUNDED):
            return solution, error, inverse
    raise ValueError(f"columns of A are too near to dependent ones for {_PRECISIONS[-1]} bits")
