"""Faces of minimizers and dual vectors that attain rho, by linear programs in rational arithmetic.

Where the minimizer of the l1 norm is not unique, all of them form a face, whose columns and signs
an optimal vertex tells.  (The programs are those of :mod:`implicit_l1.linear.exact`.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq

from implicit_l1.linear.exact import (
    RankError,
    RationalMatrix,
    Undecided,
    Vertex,
    as_double,
    minimize,
    rationals_of,
    solve_consistent,
)
from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.minimizer.null_space import largest_margin_dual
from implicit_l1.minimizer.support import Certificate, support_geometry

# Entries of a proposal below this part of its largest are tried as zeros first.
LIKELY_ZERO = 1e-9

# Most exact pivots of one linear program.
PIVOTS = 1000


def likely_nonzero(point: np.ndarray) -> np.ndarray:
    """Which entries of an approximate solution are large enough to be more than rounding."""
    size = np.abs(point)
    return size > LIKELY_ZERO * size.max()


def likeliest_columns(
    matrix: np.ndarray, point: np.ndarray, dual: np.ndarray | None = None
) -> np.ndarray:
    """Columns, the likeliest to be in an optimal basis first, from an approximate solution."""
    size, likely = np.abs(point), likely_nonzero(point)
    near = size if dual is None else np.abs(dual @ matrix)
    return np.lexsort((-np.where(likely, size, near), ~likely))


@dataclass(frozen=True)
class MinimizerFace:
    """All minimizers of the l1 norm: their largest support, and one that has it.

    Attributes:
        support: indices at which some minimizer is not 0, shape (k,).
        signs: the signs there, shape (k,), which all minimizers share.
        inside: a minimizer without zeros there, as rational numbers, k of them.
        certificate: the dual certificate of this support with the largest margin.
    """

    support: np.ndarray
    signs: np.ndarray
    inside: list[fmpq]
    certificate: Certificate


def minimizer_face(
    matrix: np.ndarray,
    data: np.ndarray,
    point: np.ndarray,
    exact_data: Sequence[fmpq] | None = None,
) -> MinimizerFace:
    """The face of all minimizers, by linear programs in rational arithmetic.

    Each finds the minimizer with the most weight on columns that no minimizer before it has
    used, as long as there is one.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        point: a minimizer, approximately, shape (d,).
        exact_data: y as rational numbers, where `data` are their roundings.
    Raises:
        Undecided: if one takes too many.
        RankError: if A does not have full row rank.
    """
    exact = RationalMatrix(matrix)
    count = exact.shape[1]
    right = rationals_of(data if exact_data is None else exact_data)
    order = likeliest_columns(matrix, point)
    vertex = minimize(exact, right, [1] * count, order, pivots=PIVOTS)
    sides, total, found, vertices = _largest_support(exact, right, [1] * count, vertex, PIVOTS)
    support = np.array(sorted(found))
    signs = np.array([float(sides[j]) for j in support])
    inside = [total[j] / vertices for j in support]
    dual = signed_certificate(matrix, support, signs)
    if dual is None:
        raise Undecided("no dual vector belongs to the face that was found")
    return MinimizerFace(support, signs, inside, dual)


def signed_certificate(
    matrix: np.ndarray, support: np.ndarray, signs: np.ndarray, pivots: int = PIVOTS
) -> Certificate | None:
    """The dual vector of largest margin with ``A_S^T nu = sigma``, by rational arithmetic.

    The columns of S may be dependent.  With T a basis of them and ``A_j = A_T c`` for another,
    there is one only if ``sigma_j = <c, sigma_T>``, and then ``A_T^T nu = sigma_T`` is enough.

    Args:
        matrix: A, shape (N, d), of full row rank.
        support: indices of S; signs: sigma; shape (k,) each.
        pivots: most pivots.
    Returns:
        None if there is no such vector.
    Raises:
        Undecided: if it takes too many pivots.
    """
    count = matrix.shape[1]
    basis = RationalMatrix(matrix[:, support]).first_basis(range(support.size))
    if not basis and support.size:  # columns of zeros
        return None
    for j in set(range(support.size)) - set(basis):
        column = rationals_of(matrix[:, support[j]])
        weights = solve_consistent(matrix[:, support[basis]], column)
        if weights is None:
            raise Undecided("a column is no combination of the basis that was found")
        reached = sum((w * int(s) for w, s in zip(weights, signs[basis], strict=True)), fmpq(0))
        if reached != int(signs[j]):
            return None
    rest = np.delete(np.arange(count), np.delete(support, basis))
    place = np.searchsorted(rest, support[basis])
    _, dual = attained_constant(matrix[:, rest], place, signs[basis], pivots)
    direction, margin = np.zeros(count), np.zeros(count)
    direction[rest], margin[rest] = dual.direction, dual.margin
    direction[support] = signs
    return Certificate(dual.nu, direction, margin)


def _largest_support(exact, right, weights, vertex, pivots):
    """All minimizers of a program, from one: each vertex found has most weight on new columns.

    Returns:
        (signs, the sum of some minimizers, the columns where one of them is not 0, how many).
    """
    count = exact.shape[1]
    sides, face = _face(vertex)
    total, vertices = [fmpq(0)] * count, 0
    found: set[int] = set()
    while True:
        used = {j: x for j, x in zip(vertex.basis, vertex.values, strict=True) if x != 0}
        if not set(used) - found:
            return sides, total, found, vertices
        found, vertices = found.union(used), vertices + 1
        total = [x + used.get(j, fmpq(0)) for j, x in enumerate(total)]
        # all of them have one norm, so that weights may differ by a constant
        again = [2 * w if j in found else w for j, w in enumerate(weights)]
        vertex = _minimize_on_face(exact, right, again, vertex, face, sides, pivots)


def _face(vertex):
    """(signs, columns) of the face of minimizers, from an optimal vertex."""
    sides = [(v > 0) - (v < 0) for v in vertex.image]
    return sides, [j for j, v in enumerate(vertex.image) if abs(v) == vertex.denominator]


def _minimize_on_face(exact, right, weights, start, face, sides, pivots):
    """The vertex of the face of minimizers with the least weighted norm, from one of them."""
    inside = set(start.basis)
    order = [*start.basis, *(j for j in face if j not in inside)]
    return minimize(exact, right, weights, order, signs=sides, pivots=pivots)


# Of the linear function that one of several minimizers minimizes: fixed, and in no special
# position.
_WEIGHTS_SEED, _LARGEST_WEIGHT = 1, 2**31


def kept_vertex(
    exact: RationalMatrix, right: Sequence[fmpq], vertex: Vertex, pivots: int
) -> Vertex:
    """The vertex of the face of minimizers that is kept, from any vertex of it."""
    sides, face = _face(vertex)
    rng = np.random.default_rng(_WEIGHTS_SEED)
    weights = rng.integers(1, _LARGEST_WEIGHT, exact.shape[1]).tolist()
    return _minimize_on_face(exact, right, weights, vertex, face, sides, pivots)


def attained_constant(
    matrix: np.ndarray, support: np.ndarray, sigma: np.ndarray, pivots: int
) -> tuple[fmpq, Certificate]:
    """rho and the dual vector of :func:`lexicographic_dual`.

    Args:
        matrix: A, shape (N, d).
        support: indices of S; sigma: signs there, shape (k,) each.
        pivots: most pivots.
    Returns:
        (rho, a rational number; the Certificate).

    Raises:
        Undecided: if it takes too many pivots.
    """
    heights, nu = lexicographic_dual(matrix, support, sigma, pivots)
    return heights[0], _exact_certificate(matrix, support, sigma, nu)


def lexicographic_dual(
    matrix: np.ndarray, support: np.ndarray, sigma: np.ndarray, pivots: int = PIVOTS
) -> tuple[list[fmpq], list[fmpq]]:
    """The one nu with ``A_S^T nu = sigma`` whose sorted ``|A_Sc^T nu|`` are least, exactly.

    The largest of them, rho, is as small as can be; where several vectors attain it, so is the
    largest on the columns at which not all of these do; and so on.  A level is the program
    ``min ||n_Fc||_1`` subject to ``A n = 0``, ``-<t, n_F> = 1``, in which F are the columns where
    ``t_j = A_j^T nu`` is known, S at first: its value is 1 over the height of the level, and
    ``nu = pi / mu`` with its dual vector (pi, mu).  By strict complementarity the columns that all
    its nu have at that height are those of its minimizers, which F grows by.  Without a solution
    the height is 0.

    Args:
        matrix: A, shape (N, d), of full row rank.
        support: indices of S, independent columns; sigma: signs there, shape (k,) each.
        pivots: most pivots of one linear program.
    Returns:
        (the heights of the levels, rho the first; nu).
    Raises:
        Undecided: if it takes too many pivots.
    """
    rows, count = matrix.shape
    exact = RationalMatrix(matrix)
    likely = np.argsort(-_heights(matrix, support, sigma), kind="stable")
    known = {int(j): fmpq(int(s)) for j, s in zip(support, sigma, strict=True)}
    heights: list[fmpq] = []
    while True:
        basis = exact.first_basis(known)
        if heights and len(basis) == rows:  # all of nu is known
            return heights, _dual_of(matrix, {j: known[j] for j in basis})
        columns = [*basis, *(int(j) for j in likely if int(j) not in known)]
        target = [-known[j] for j in basis] + [fmpq(0)] * (len(columns) - len(basis))
        program = RationalMatrix(matrix[:, columns], target)
        weights = [0] * len(basis) + [1] * (len(columns) - len(basis))
        goal = [fmpq(0)] * rows + [fmpq(1)]
        try:
            vertex = minimize(program, goal, weights, range(len(columns)), pivots=pivots)
        except RankError:
            zero = dict.fromkeys((j for j in range(count) if j not in known), fmpq(0))
            return [*heights, fmpq(0)], _dual_of(matrix, known | zero)
        *dual, height = vertex.dual
        heights.append(1 / height)
        nu = [value / height for value in dual]
        used = [x != 0 for j, x in zip(vertex.basis, vertex.values, strict=True) if weights[j]]
        if all(used):  # the only nu
            return heights, nu
        _, _, found, _ = _largest_support(program, goal, weights, vertex, pivots)
        for place in found:
            if weights[place]:
                side = 1 if vertex.image[place] > 0 else -1
                known[columns[place]] = side * heights[-1]


def _dual_of(matrix, image):
    """The nu with these ``A_j^T nu``, column -> rational number, which span all columns."""
    columns = RationalMatrix(matrix).first_basis(image)
    return solve_consistent(matrix[:, columns].T, [image[j] for j in columns])


def _heights(matrix, support, sigma):
    """``|A^T nu|`` for a nu that attains rho, approximately; which columns are tried first."""
    try:
        nu = largest_margin_dual(matrix, support_geometry(matrix, support), sigma)
    except (ValueError, LinearProgramError, np.linalg.LinAlgError):
        nu = np.linalg.lstsq(matrix[:, support].T, sigma, rcond=None)[0]
    return np.nan_to_num(np.abs(nu @ matrix))


def _exact_certificate(matrix, support, sigma, nu):
    """The dual certificate nu, rounded from rational numbers."""
    image, denominator = RationalMatrix(matrix).image(nu)
    direction = np.array([as_double(fmpq(v, denominator)) for v in image])
    margin = np.array([as_double(1 - fmpq(abs(v), denominator)) for v in image])
    direction[support], margin[support] = sigma, 0.0
    return Certificate(np.array([as_double(value) for value in nu]), direction, margin)
