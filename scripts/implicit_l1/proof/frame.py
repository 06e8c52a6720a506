r"""Frames: the maps M and C of a set of columns, and its dual vectors, in balls.

For a set T of columns and a completion B of A_T to a square regular matrix ``K = [A_T B]``, let
M and C be the rows of ``K^{-1} A_Tc`` that belong to T and to B: n lies in ker A exactly when
``n_T = -M n_Tc`` and ``C n_Tc = 0``; and ``lam = K^{-T} (z_T, b)``, b any vector, are the dual
vectors with ``A_T^T lam = z_T``, so ``z_Tc = M^T z_T + C^T b``.  (Derived for this project.)

All proofs start from (A, y), exact as the doubles they are.  What other rooms have computed comes
in as guesses: a wrong guess makes a proof fail, it cannot make a wrong statement.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import ArrayLike

from implicit_l1.proof.balls import ball, column, exact_matrix
from implicit_l1.proof.verified import Exact, Inverse, doubles_of, gamma, rounded_up


class NotProved(ArithmeticError):
    """A statement could not be proved; the message says which and why."""


def wanted_radius() -> float:
    """Radius, relative to its largest entry, to which a dual or a kernel vector is enclosed.

    At 128 bits 1e-24: what is made of it has more digits than a table shows, and each further
    refinement of a solution takes another product in balls.
    """
    return 2.0 ** -(5 * ctx.prec // 8)


def checked_guess(values: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """A guess as doubles.

    Raises:
        NotProved: if it has another shape: it is of something else.
    """
    array = np.asarray(values, dtype=float)
    if array.shape != shape:
        raise NotProved(f"the guess has the shape {array.shape} in place of {shape}")
    return array


@dataclass(frozen=True)
class Frame:
    """M, C and B of a set T of k columns of A, shape (N, d).

    Attributes:
        matrix: A.
        inside, outside: indices of T and of the others.
        basis: B, exact as the doubles that it is, shape (N, N - k): other columns of A, or an
            approximate orthonormal basis of ker A_T^T.
        inverse: of K = [A_T B].
    """

    matrix: Exact
    inside: np.ndarray
    outside: np.ndarray
    basis: np.ndarray
    inverse: Inverse

    @cached_property
    def on(self) -> Exact:
        """A_T, with its balls."""
        return Exact(self.matrix.doubles[:, self.inside])

    @cached_property
    def range_map(self) -> arb_mat:
        """M, k x (d - k), as balls."""
        return self._map(slice(None, self.inside.size))

    @cached_property
    def free_map(self) -> arb_mat:
        """C, (N - k) x (d - k), as balls."""
        return self._map(slice(self.inside.size, None))

    @cached_property
    def _solution(self):
        rest = exact_matrix(self.matrix.doubles[:, self.outside])
        try:
            return self.inverse.matrix.balls.solve(rest).tolist()
        except ZeroDivisionError as error:
            raise NotProved("the maps need more digits than are carried") from error

    def _map(self, rows):
        chosen = self._solution[rows]
        return arb_mat(chosen) if chosen else arb_mat(0, self.outside.size)

    def dual(self, pattern: Iterable, free: Iterable) -> list[arb]:
        """Balls of the nu with ``A_T^T nu = pattern`` and ``B^T nu = free``, as a list."""
        return self.inverse.solve([ball(value) for value in (*pattern, *free)], transposed=True)

    def feasible(self, pattern: np.ndarray, guess: np.ndarray) -> list[arb]:
        """Balls of a nu near a guess with ``A_T^T nu = pattern``, as a list: its own digits.

        ``guess + K^{-T} (pattern - A_T^T guess, 0)``, which hardly depends on B.
        """
        if not self.basis.shape[1]:
            return self.dual(pattern, [])
        reached = self.on.times(guess, transposed=True)
        missing = [ball(e) - value for e, value in zip(pattern, reached, strict=True)]
        right = [*missing, *[arb(0)] * self.basis.shape[1]]
        step = self.inverse.solve(right, True, wanted_radius(), beside=np.max(np.abs(guess)))
        return (column(guess) + column(step)).entries()

    def off(self, nu: list[arb]) -> "Products":
        """``A_Tc^T nu`` for a vector nu of balls."""
        return Products(self.matrix.doubles[:, self.outside], nu)


class Products:
    """``z = Y^T nu`` for a matrix Y of doubles, shape (N, m), and a vector nu of balls.

    Bounds in doubles tell which entries may be the largest; only these are enclosed in balls.

    Attributes:
        approximate: z in doubles; bounds: upper bounds of ``|z|``, inf where none is known.
    """

    def __init__(self, columns: np.ndarray, nu: list[arb]) -> None:
        self._columns, self._nu = columns, column(nu)
        middles, radii = doubles_of(nu)
        self.approximate = middles @ columns
        error = rounded_up(gamma(len(nu)) * np.abs(middles) + radii) @ np.abs(columns)
        bounds = rounded_up(np.abs(self.approximate) + error)
        self.bounds = np.where(np.isfinite(bounds), bounds, np.inf)

    def entry(self, place: int) -> arb:
        """z_j as a ball."""
        entries = self._columns[:, place].tolist()
        return (arb_mat(1, len(entries), entries) * self._nu)[0, 0]

    def largest(self, places: np.ndarray | None = None) -> arb:
        """A ball that contains the largest ``|z_j|``, of all or at some places."""
        places = np.arange(self.bounds.size) if places is None else places
        value = arb(0)
        for place in places[np.argsort(-self.bounds[places])]:
            if arb(float(self.bounds[place])) < value:
                break
            value = value.max(abs(self.entry(place)))
        return value

    def all_below(self, height: arb, places: np.ndarray) -> bool:
        """Whether ``|z_j| < height`` is proved at these places."""
        return not places.size or bool(self.largest(places) < height)


def prove_frame(
    matrix: np.ndarray, inside: ArrayLike, completion: np.ndarray | None = None
) -> Frame:
    """Frame of a set of columns, in balls.

    Args:
        matrix: A as doubles, shape (N, d).
        inside: indices of T.
        completion: indices of the columns that are B; an orthonormal basis if None.
    Raises:
        NotProved: if A_T is not proved injective, or K not regular.
    """
    inside = np.asarray(inside, dtype=int)
    if np.any(inside < 0) or np.any(inside >= matrix.shape[1]) or np.any(np.diff(inside) <= 0):
        raise NotProved("the support is not an increasing list of columns")
    outside = np.delete(np.arange(matrix.shape[1]), inside)
    chosen = matrix[:, inside]
    if completion is None:
        basis = np.linalg.qr(chosen, mode="complete")[0][:, inside.size :]
    else:
        basis = matrix[:, completion]
        if inside.size + basis.shape[1] != len(matrix):
            raise NotProved("the support and the columns beside it are not as many as A has rows")
    try:
        inverse = Inverse(np.hstack([chosen, basis]))
    except ZeroDivisionError as error:
        raise NotProved("the columns of the support are not proved independent") from error
    return Frame(Exact(matrix), inside, outside, basis, inverse)
