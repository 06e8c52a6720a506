r"""Linear programs of the weighted l1 norm, solved in rational arithmetic.

.. math::
    \min_x \sum_j w_j |x_j| \quad\text{subject to}\quad M x = b, \qquad w_j \ge 0.

Doubles are rational numbers, so what doubles cannot decide (a zero, a sign, a tie) is decided
exactly, by the primal simplex method for the parts of x.  Two things make it short.  Every set
B of m independent columns of M, shape (m, n), is a feasible basis: a negative entry of
``M_B^{-1} b`` is the positive one of the other part.  And where a solver has been nearly right,
few pivots are left.  A basis is solved by Dixon's p-adic lifting (python-flint), which takes a
fraction of a second for hundreds of rows, whatever the condition.  Basis pursuit is the case
w = 1; the program of rho is one with weights 0 on the support
(:mod:`implicit_l1.minimizer.decision`).

Dantzig's rule chooses who enters, and Bland's as long as pivots do not move x: it ends
(Chvatal, *Linear Programming*, ch. 3).  (That solutions of floating-point solvers are a start
for exact ones: Applegate, Cook, Dash and Espinoza, *Exact solutions to linear programming
problems*, Oper. Res. Lett. 35, 2007.)
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq, fmpq_mat, fmpz, fmpz_mat, nmod_mat

# Columns independent modulo a prime are independent; that others are not is decided anew.
_PRIME = 2**61 - 1

# Pivots in a row that do not move x, after which Bland's rule takes over.
_DEGENERATE = 10


class Undecided(ArithmeticError):
    """A decision would have taken longer than the stated limit; the message says which."""


class RankError(ValueError):
    """The rows of a matrix are linearly dependent."""


def as_rational(value: float) -> fmpq:
    """A double as the rational number that it is."""
    return fmpq(*float(value).as_integer_ratio())


def rationals_of(values: Iterable) -> list[fmpq]:
    """Doubles, or numbers that are rational already, as rational numbers."""
    return [value if isinstance(value, fmpq) else as_rational(value) for value in values]


def as_double(value: fmpq) -> float:
    """The double nearest to a rational number; beyond the doubles inf or 0."""
    numerator, denominator = int(value.p), int(value.q)
    try:
        return numerator / denominator  # of Python's integers: rounded once
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")


class RationalMatrix:
    """A matrix of doubles, shape (m, n), as integers over a power of two for each row.

    Powers of two for each row keep the integers short where rows are of different sizes.

    Args:
        values: shape (m, n), finite.
        last: one row more, n rational numbers, over a denominator of its own.
    """

    def __init__(self, values: np.ndarray, last: Sequence[fmpq] = ()):
        self.shape = (len(values) + bool(last), values.shape[1])
        mantissas, exponents = np.frexp(values)
        # 53 bits a number: exact, subnormal numbers too
        whole = np.rint(mantissas * 2.0**53).astype(np.int64).astype(object)
        exponents = exponents.astype(object) - 53
        low = [
            min((e for e, v in zip(*row, strict=True) if v), default=0)
            for row in zip(exponents, whole, strict=True)
        ]
        self.integers = [
            [int(v) << int(e - least) if v else 0 for v, e in zip(row, places, strict=True)]
            for row, places, least in zip(whole, exponents, low, strict=True)
        ]
        self.units = [_power_of_two(int(least)) for least in low]
        if last:
            denominator = _common_denominator(last)
            self.integers.append([int((value * denominator).p) for value in last])
            self.units.append(fmpq(1, denominator))

    @cached_property
    def whole(self) -> fmpz_mat:
        """The integers: row i is that of the doubles over ``units[i]``."""
        return fmpz_mat(self.integers)

    def columns(self, chosen: Iterable[int]) -> fmpq_mat:
        """The integers at some columns, as a matrix of rationals."""
        return fmpq_mat(fmpz_mat([[row[j] for j in chosen] for row in self.integers]))

    def image(self, dual: list[fmpq]) -> tuple[list[fmpz], fmpz]:
        """``M^T nu`` as integers over one denominator, for nu of shape (m,)."""
        scaled = [value * unit for value, unit in zip(dual, self.units, strict=True)]
        denominator = _common_denominator(scaled)
        row = fmpz_mat([[value.p * (denominator // value.q) for value in scaled]])
        return (row * self.whole).entries(), denominator

    def first_basis(self, order: Iterable[int]) -> list[int]:
        """The columns that are independent of those before them in an order.

        Args:
            order: indices of columns.
        Returns:
            as many as the rank of these columns.
        """
        order = [int(j) for j in order]
        _, places = _echelon([[row[j] % _PRIME for j in order] for row in self.integers])
        pivots, rank = [order[place] for place in places], len(places)
        if rank < min(self.shape[0], len(order)) and not self._spans(pivots, order):
            raise Undecided(f"the rank modulo {_PRIME} is not that of the rationals")
        return pivots

    def _spans(self, basis, order):
        """Whether columns that are independent modulo the prime combine to all of an order."""
        chosen = set(basis)
        others = [j for j in order if j not in chosen]
        if not basis:
            return not any(row[j] for row in self.integers for j in others)
        _, rows = _echelon([[row[j] % _PRIME for row in self.integers] for j in basis])
        square = fmpz_mat([[self.integers[i][j] for j in basis] for i in rows])
        wanted = fmpz_mat([[self.integers[i][j] for j in others] for i in rows])
        weights = fmpq_mat(square).solve(fmpq_mat(wanted), algorithm="dixon")
        return self.columns(basis) * weights == self.columns(others)


def _echelon(residues):
    """(reduced echelon form, its pivots) of a matrix modulo the prime."""
    reduced, rank = nmod_mat(residues, _PRIME).rref()
    pivots, place = [], 0
    for row in range(rank):
        while int(reduced[row, place]) == 0:
            place += 1
        pivots.append(place)
        place += 1
    return reduced, pivots


def _common_denominator(values):
    denominator = fmpz(1)
    for value in values:
        denominator = denominator.lcm(value.q)
    return denominator


def _power_of_two(exponent: int) -> fmpq:
    power = fmpz(2) ** abs(exponent)
    return fmpq(power, 1) if exponent >= 0 else fmpq(1, power)


@dataclass(frozen=True)
class Vertex:
    """An optimal vertex, with the dual vector that proves it optimal.

    Attributes:
        basis: indices of columns, m of them.
        values: x there; it is 0 elsewhere.
        dual: pi of shape (m,), with ``M_j^T pi = w_j s_j`` on the basis and
            ``|M_j^T pi| <= w_j`` elsewhere.
        image: ``M^T pi`` as integers over `denominator`.
    """

    basis: list[int]
    values: list[fmpq]
    dual: list[fmpq]
    image: list[fmpz]
    denominator: fmpz


def minimize(
    matrix: RationalMatrix,
    right: Sequence[fmpq],
    weights: Sequence[int],
    order: Iterable[int],
    *,
    signs: Sequence[int] | None = None,
    pivots: int = 1000,
) -> Vertex:
    """An optimal vertex of ``min sum w_j |x_j|`` subject to ``M x = b``.

    Args:
        matrix: M, shape (m, n).
        right: b, rationals, m of them.
        weights: w, whole numbers >= 0, n of them; columns of weight 0 must be independent, and
            come first in the order.
        order: indices of the columns that may be used, the likeliest of an optimal basis first.
        signs: the only sign that x_j may have, n numbers of -1, 0 and 1, 0 for both; the first
            basis must be feasible then.  All may have both if None.
        pivots: most pivots.
    Raises:
        RankError: if M does not have full row rank.
        Undecided: if the pivots do not suffice.
    """
    rows, count = matrix.shape
    basis = matrix.first_basis(order)
    if len(basis) < rows:
        raise RankError(f"of {rows} rows {len(basis)} are linearly independent")
    only = [0] * count if signs is None else [int(sign) for sign in signs]
    order = sorted(int(j) for j in order)
    right = fmpq_mat([[value / unit] for value, unit in zip(right, matrix.units, strict=True)])
    present, still = [0] * rows, 0
    for _ in range(pivots + 1):
        square = matrix.columns(basis)
        values = square.solve(right, algorithm="dixon").entries()
        present = [
            _sign(value) or sign or only[j] or 1
            for value, sign, j in zip(values, present, basis, strict=True)
        ]
        if any(_sign(x) == -only[j] != 0 for x, j in zip(values, basis, strict=True)):
            raise Undecided("the first basis is not feasible")
        costs = fmpq_mat([[fmpq(weights[j] * s)] for j, s in zip(basis, present, strict=True)])
        scaled = square.transpose().solve(costs, algorithm="dixon").entries()
        dual = [value / unit for value, unit in zip(scaled, matrix.units, strict=True)]
        image, denominator = matrix.image(dual)
        inside = set(basis)
        candidates = [j for j in order if j not in inside]
        enters = _entering(image, denominator, weights, only, candidates, still > _DEGENERATE)
        if enters is None:
            return Vertex(basis, values, dual, image, denominator)
        column, side = enters
        direction = square.solve(matrix.columns([column]), algorithm="dixon").entries()
        place, length = _leaving(values, direction, present, side, weights, basis)
        still = 0 if length != 0 else still + 1
        basis[place], present[place] = column, side
    raise Undecided(f"{pivots} exact pivots did not suffice")


def _sign(value: fmpq) -> int:
    return (value > 0) - (value < 0)


def _entering(image, denominator, weights, only, candidates, first):
    """(column, sign) of a part that makes the norm smaller, the best or the first; None if none."""
    best, found = None, None
    for j in candidates:
        value, side = image[j], _sign(image[j])
        if side == 0 or only[j] == -side:
            continue
        excess = side * value - weights[j] * denominator
        if excess > 0 and (best is None or excess > best):
            best, found = excess, (j, side)
            if first:
                break
    return found


def _leaving(values, direction, signs, side, weights, basis):
    """(place, length) of the first entry that comes to 0; the column of least index of several."""
    best, found = None, None
    for place, (value, change, sign) in enumerate(zip(values, direction, signs, strict=True)):
        fall = sign * side * change
        if weights[basis[place]] == 0 or fall <= 0:
            continue
        length = sign * value / fall
        if best is None or length < best or (length == best and basis[place] < basis[found]):
            best, found = length, place
    if found is None:
        raise ArithmeticError("the norm has no minimum: columns of weight 0 are dependent")
    return found, best


def solve_consistent(matrix: np.ndarray, right: Sequence[fmpq]) -> list[fmpq] | None:
    """The solution of ``B x = b``; None if there is none.

    Args:
        matrix: B, doubles, shape (m, k), of independent columns.
        right: b, rationals, m of them.
    Raises:
        RankError: if the columns are dependent.
    """
    rows = RationalMatrix(matrix.T).first_basis(range(len(matrix)))
    if len(rows) < matrix.shape[1]:
        raise RankError(f"of {matrix.shape[1]} columns {len(rows)} are linearly independent")
    exact = RationalMatrix(matrix)
    goal = [value / unit for value, unit in zip(right, exact.units, strict=True)]
    whole = fmpq_mat(exact.whole)
    square = fmpq_mat(fmpz_mat([exact.integers[row] for row in rows]))
    solution = square.solve(fmpq_mat([[goal[row]] for row in rows]), algorithm="dixon")
    if (whole * solution).entries() != goal:
        return None
    return solution.entries()


def rational_rank(values: np.ndarray) -> int:
    """The rank of a matrix of doubles, exactly."""
    return len(RationalMatrix(values).first_basis(range(values.shape[1])))


def independent(values: np.ndarray) -> bool:
    """Whether the columns of a matrix of doubles are linearly independent, exactly."""
    rows, count = values.shape
    return count <= rows and rational_rank(values) == count


def exact_product(matrix: np.ndarray, vector: np.ndarray) -> list[fmpq]:
    """A x without rounding.

    Args:
        matrix: shape (m, n); vector: shape (n,), doubles.
    """
    kept = np.flatnonzero(vector)
    if not kept.size:
        return [fmpq(0)] * len(matrix)
    exact, column = RationalMatrix(matrix[:, kept]), RationalMatrix(vector[kept][None])
    products = (exact.whole * column.whole.transpose()).entries()
    return [fmpq(x) * unit * column.units[0] for x, unit in zip(products, exact.units, strict=True)]
