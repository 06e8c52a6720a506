r"""Linear algebra in double precision with proved bounds of its errors.

Assumed of the machine: IEEE 754 doubles, rounded to nearest, with gradual underflow; products
of matrices are conventional, each entry a sum of n products, taken in any order, with or
without fused multiply-add (no algorithm of Strassen's kind).  Then, with ``u = 2^-53``,

.. math::
    |fl(A B) - A B| \le \gamma_n |A| |B| + n 2^{-1074}, \qquad \gamma_n = n u / (1 - n u)

(Higham, *Accuracy and Stability of Numerical Algorithms*, sec. 3.1 and 3.5; Rump,
*Verification methods*, Acta Numerica 2010).  The bounds themselves are sums of products of
nonnegative doubles; what rounding takes from them, :func:`rounded_up` gives back.

**The test.**  Let F be continuously differentiable on the box ``B = {x : ||x - x_0|| <= r}``,
``||x|| = max_i |x_i|``, with derivatives J(x), and R any matrix of doubles.  If

.. math::
    ||I - R J(x)|| \le q \le 1/2 \text{ on } B, \qquad ||R F(x_0)|| \le r / 2,

then B holds exactly one zero x* of F, and

.. math::
    ||x^* - (x_0 - R F(x_0))|| \le \frac{q}{1 - q} ||R F(x_0)||.

Proof: ``G(x) = x - R F(x)`` has derivative ``I - R J``, so ``||G(x) - G(x')|| <= q ||x - x'||``
on the convex set B (mean value theorem), and ``||G(x) - x_0|| <= q r + r / 2 <= r``: G maps B
into itself and has one fixed point x* there (Banach).  R is regular because ``I - R J`` has
norm below 1, so fixed points of G are zeros of F.  Last, ``||x* - G(x_0)|| <= q ||x* - x_0||``,
and ``||x* - x_0|| <= ||x* - G(x_0)|| + ||R F(x_0)||``.  (This is Krawczyk's operator with one
number for all of its matrix, or the theorem of Newton and Kantorovich; see Rump, sec. 13.)

**After it.**  The last two inequalities hold for every point x of B in place of x_0: more steps
with the same R may follow, as long as they stay in B.  And entry by entry, where
``|x* - x| <= w`` and ``|(J(x') - K) (x* - x)| <= s`` at all points x' between x and x*,

.. math::
    |x^* - (x - R F(x))| \le |I - R K| w + |R| s.

Proof: with the mean J' of J between x and x*, ``F(x*) - F(x) = J' (x* - x)``, so
``x* - G(x) = (I - R J') (x* - x) = (I - R K) (x* - x) - R (J' - K) (x* - x)``.  (Both are
derived for this project.)
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
from flint import arb, arb_mat, ctx

from implicit_l1.linear.compensated import residual, two_sum
from implicit_l1.proof.balls import column, exact_matrix

UNIT = 2.0**-53

# A chain of m roundings of nonnegative numbers loses less than 1 - (1 - 2^-53)^m of them:
# enough for m = 2^22.
_UP = 1.0 + 2.0**-30

# What underflow takes (at most n 2^-1074 a product) is below _TINY after three more products
# with matrices of entries up to LARGE and up to 10^5 columns.
LARGE = 1e60
_TINY = 1e-120


_Bound = TypeVar("_Bound", float, np.ndarray)


def rounded_up(bound: _Bound) -> _Bound:
    """An upper bound of the exact value of an expression in nonnegative doubles."""
    return bound * _UP + _TINY


def gamma(count: int) -> float:
    """Upper bound of gamma_n for n up to 2^20."""
    return rounded_up(count * UNIT)


def doubles_of(balls: Sequence[arb]) -> tuple[np.ndarray, np.ndarray]:
    """(m, r): doubles such that each ball lies within r of m, shape (n,) each."""
    middles = np.array([float(value) for value in balls])
    radii = np.array([float(value.rad()) for value in balls])
    # twice the unit: whichever way a midpoint was rounded
    return middles, rounded_up(radii + 2.0 * UNIT * np.abs(middles))


class Preconditioned:
    """Bounds of ``I - R J`` for matrices J near K.

    Args:
        inverse, matrix: R, approximately the inverse, and K, shape (n, n).
    """

    def __init__(self, inverse: np.ndarray, matrix: np.ndarray) -> None:
        self._sizes = [np.abs(inverse), np.abs(matrix)]
        # where entries are so large that underflow is not bounded, nothing is
        self._known = all(np.all(part <= LARGE) for part in self._sizes)
        if self._known:
            self._rest = np.abs(np.eye(len(matrix)) - inverse @ matrix)

    def contraction(self, spread: np.ndarray) -> float:
        """Upper bound of ``||I - R J||`` for all J whose ``|J - K|`` has row sums up to `spread`.

        Args:
            spread: nonnegative numbers, shape (n,).
        Returns:
            a number; inf where none is known, or nan.
        """
        if not self._known:
            return np.inf
        return float(np.max(self.remainder(np.ones(len(spread)), spread)))

    def remainder(self, weights: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Upper bounds of ``|(I - R J) v|`` where ``|v| <= weights`` and ``|(J - K) v| <= spread``.

        Args:
            weights, spread: nonnegative numbers, shape (n,).
        Returns:
            shape (n,); inf where none is known, or nan.
        """
        if not (self._known and np.all(weights <= LARGE) and np.all(spread <= LARGE)):
            return np.full(len(spread), np.inf)
        sizes, entries = self._sizes
        rounding = rounded_up(gamma(len(spread)) * (entries @ weights))
        return rounded_up(self._rest @ weights + sizes @ rounded_up(rounding + spread))


# Matrices with fewer entries are multiplied in balls: that takes no longer.
_SMALL = 4096

# Most slices of a matrix and of a vector: about 80 and 100 bits below the largest entry.
_SLICES, _SLICES_OF_VECTOR = 4, 5

# Working precision up to which products of so many slices are used.
_TWICE = 128

# Sizes between which no unit of a product of slices underflows.
_MODERATE = 2.0**-300, 2.0**300


def slices_of(values: np.ndarray, bits: int, most: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Slices that add up to a sum of doubles, but for a rest.

    Slice k is what remains, rounded to multiples of the unit ``2^(e - k bits)``, with ``2^e``
    above all sizes: at most ``2^bits`` of these units, and the remainder is exact.

    Args:
        values: what is added up, shape (m, ...), m = 1 or 2; the second are roundings of the
            first, far smaller.
        bits: at most 50.
        most: how many slices there may be.
    Returns:
        (slices, rest): a list of arrays of the shape (...); the values that are left.
    """
    exponent = int(np.frexp(np.max(np.abs(values[0])))[1])
    slices: list[np.ndarray] = []
    while len(slices) < most and values.any():
        rounded = _to_multiples(values, exponent - (len(slices) + 1) * bits)
        values = values - rounded
        slices.append(rounded.sum(axis=0))
    return slices, values


def _to_multiples(values, exponent):
    """Doubles below ``2^(51 + e)`` in size, rounded to multiples of ``2^e``."""
    shift = np.ldexp(1.5, exponent + 52)  # the last place of a number plus this is the unit
    return (values + shift) - shift


def residuals(
    matrix: np.ndarray, solutions: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(R, bounds of its error) of ``R = Y - B X``, by products in doubles.

    With the leading bits of the rows of ``B = B_1 + B_2`` and of the columns of ``X = X_1 + X_2``
    the product ``B_1 X_1`` is exact (see :class:`Exact`), and the rest of B X, ``B_1 X_2 + B_2 X``,
    is so much smaller that its rounding is that of as many digits more.

    Args:
        matrix: B, shape (m, n); solutions: X, shape (n, k); right: Y, shape (m, k); no entry of B
            or X is larger than LARGE.
    Returns:
        shape (m, k), each.
    """
    count = matrix.shape[1]
    bits = (53 - int(np.ceil(np.log2(count)))) // 2  # n 2^(2 bits) <= 2^53
    rows = np.frexp(np.abs(matrix).max(axis=1, keepdims=True))[1]
    columns = np.frexp(np.abs(solutions).max(axis=0, keepdims=True))[1]
    leading = _to_multiples(matrix, rows - bits), _to_multiples(solutions, columns - bits)
    rest = matrix - leading[0], solutions - leading[1]
    residual = right - leading[0] @ leading[1]
    residual -= leading[0] @ rest[1] + rest[0] @ solutions
    sizes = (leading[0], rest[1]), (rest[0], solutions)
    sums = [np.abs(b).sum(axis=1)[:, None] * np.abs(x).max(axis=0) for b, x in sizes]
    # n products, their two sums, and what the first difference is larger than the second by
    return residual, rounded_up(gamma(count + 2) * sum(sums) + 2.0 * UNIT * np.abs(residual))


def distilled(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The sum of doubles as that of three, by Knuth's two-sum, which tells a rounding exactly.

    (Ogita, Rump and Oishi, *Accurate sum and dot product*, SIAM J. Sci. Comput. 26, 2005.)

    Args:
        terms: what is added up, from large to small, shape (m, n).
    Returns:
        (sums, error): shape (3, n), and bounds of what they lack, shape (n,); 0 where they lack
        nothing.
    """
    terms, sums = terms.copy(), np.zeros((3, terms.shape[1]))
    for place in range(min(3, len(terms))):
        total = terms[-1]
        for row in terms[-2::-1]:
            total, row[:] = two_sum(row, total)
        sums[place], terms = total, terms[:-1]
    error = np.abs(terms).sum(axis=0)
    return sums, np.where(error > 0.0, rounded_up(error), 0.0)


class Exact:
    """A matrix of doubles and its products with vectors of balls.

    In doubles, A and the vector are cut into slices of so few bits that the products of slices
    are exact, whatever the order of their sums (Ozaki, Ogita, Oishi and Rump, *Error-free
    transformations of matrix multiplication by using fast routines of matrix multiplication and
    its applications*, Numer. Algorithms 59, 2012): their entries are whole numbers of one unit,
    at most ``2^53`` of it, and so are sums of the products whose units are the same.  What is
    beyond the slices, and the radii of the vector, go into the radius, by bounds as above: with
    A and x the sums of their slices, S and p, and of rests, M and r, ``A x = S p + M p + A r``.

    Attributes:
        doubles: A.
    """

    def __init__(self, doubles: np.ndarray) -> None:
        self.doubles = doubles

    @cached_property
    def balls(self) -> arb_mat:
        """The same as balls."""
        return exact_matrix(self.doubles)

    @cached_property
    def _bits(self):
        """Of a slice: ``_SLICES n 2^(2 bits) <= 2^53`` for the longer side n."""
        return (53 - int(np.ceil(np.log2(_SLICES * max(self.doubles.shape))))) // 2

    @cached_property
    def _sizes(self):
        return np.abs(self.doubles)

    @cached_property
    def _slices(self):
        """Slices of A, and the size of the largest entry of the rest."""
        slices, rest = slices_of(self.doubles[None], self._bits, _SLICES)
        return slices, float(np.max(np.abs(rest)))

    @cached_property
    def _in_doubles(self):
        low, high = _MODERATE
        return self.doubles.size >= _SMALL and bool(low <= np.max(self._sizes) <= high)

    def times(
        self, vector: np.ndarray | Sequence[arb], transposed: bool = False, in_balls: bool = False
    ) -> list[arb]:
        """Enclosures of A x, or of A^T x, as a list.

        Args:
            vector: x, an array of doubles or a list of balls.
            transposed: whether it is A^T x.
            in_balls: whether to the working precision, even where it takes longer.
        """
        if self._in_doubles and ctx.prec <= _TWICE and not in_balls:
            parts, radius = _two_doubles(vector)
            found = self._sliced(parts, radius, transposed)
            if found is not None:
                sums, error = found
                entries = zip(*sums.tolist(), error.tolist(), strict=True)
                return [arb(x) + arb(y) + arb(z, width) for x, y, z, width in entries]
        if transposed:
            return (arb_mat(1, len(vector), list(vector)) * self.balls).entries()
        return (self.balls * column(vector)).entries()

    def residual(
        self, vector: np.ndarray, right: np.ndarray, transposed: bool = False
    ) -> np.ndarray:
        """``b - A x``, or ``b - A^T x``, of doubles, as if in twice the working precision.

        Args:
            vector: x; right: b; transposed: whether it is ``A^T x``.
        """
        found = self._sliced(vector[None], 0.0, transposed) if self._in_doubles else None
        if found is None:
            matrix = self.doubles.T if transposed else self.doubles
            return residual(matrix, vector, right)
        (high, *low), _ = found
        return (right - high) - sum(low)

    def _sliced(self, parts, radius, transposed):
        """A x, or A^T x, by slices in doubles; None where x is not of a moderate size.

        Args:
            parts: x as a sum of doubles, shape (m, n), m = 1 or 2; radius: of what is missing.
        Returns:
            (sums, error): three doubles for each entry, and bounds of what they lack.
        """
        low, high = _MODERATE
        if not low <= np.max(np.abs(parts[0])) <= high:
            return None
        pieces, rest = slices_of(parts, self._bits, _SLICES_OF_VECTOR)
        pieces, (slices, missing) = np.array(pieces), self._slices
        levels = np.zeros((len(slices) + len(pieces) - 1, self.doubles.shape[transposed]))
        for place, part in enumerate(slices):
            levels[place : place + len(pieces)] += pieces @ (part if transposed else part.T)
        sums, error = distilled(levels)
        radius = radius + np.abs(rest).sum(axis=0)
        if radius.any():
            sizes = self._sizes if transposed else self._sizes.T
            error = rounded_up(error + radius @ sizes)
        if missing:
            error = rounded_up(error + missing * np.abs(pieces).sum())
        return sums, error


def _two_doubles(vector):
    """((h, l), r): ``|x - h - l| <= r``, for an array of doubles or a list of balls."""
    if isinstance(vector, np.ndarray):
        return vector[None], np.zeros(len(vector))
    high = [float(value) for value in vector]
    rest = [value - x for value, x in zip(vector, high, strict=True)]
    if all(value.is_zero() for value in rest):
        return np.array([high]), np.zeros(len(high))
    low, radius = doubles_of(rest)
    return np.array([high, low]), radius


class Inverse:
    """K^{-1} of a square matrix of doubles, proved regular, applied to vectors of balls.

    Approximate solutions come from a double-precision inverse R and iterative refinement with
    residuals in balls.  With ``||I - R K||_inf <= q < 1`` and c = K^{-1} r for a residual r:
    ``c = R r + (I - R K) c``, so ``||c|| <= ||R r|| / (1 - q)`` and
    ``|c - R r| <= q / (1 - q) ||R r||``.  Where R is not good enough, balls do it all.

    Args:
        matrix: K, shape (n, n).
    Raises:
        ZeroDivisionError: if K is not proved regular.
    """

    def __init__(self, matrix: np.ndarray) -> None:
        self.matrix = Exact(matrix)
        self.approximate = None
        try:
            inverse = np.linalg.inv(matrix)
        except np.linalg.LinAlgError:
            inverse = np.full(matrix.shape, np.nan)
        sides = (Preconditioned(inverse, matrix), Preconditioned(inverse.T, matrix.T))
        # of I - R K, and of its counterpart for K^T, in the norm of largest row sums
        self.distances = [side.contraction(np.zeros(len(matrix))) for side in sides]
        if all(distance <= 0.5 for distance in self.distances):
            self.approximate = inverse
        else:
            for balls in (self.matrix.balls, self.matrix.balls.transpose()):
                balls.solve(column(np.ones(len(matrix))))

    def solve(
        self,
        right: Sequence[arb],
        transposed: bool = False,
        enough: float = 0.0,
        beside: float = 0.0,
    ) -> list[arb]:
        """Enclosures of K^{-1} b, or of K^{-T} b, for a vector b of balls, as a list.

        The enclosures are not finite where b is not, or its entries are not doubles.  They are
        as narrow as can be, or wider, up to what is enough.

        Args:
            right: b; transposed: whether it is K^{-T} b.
            enough: a radius that need not be improved, relative to the largest entry of the
                solution, or to `beside` if that is larger.
        """
        if self.approximate is None:
            exact = self.matrix.balls.transpose() if transposed else self.matrix.balls
            return exact.solve(column(right)).entries()
        inverse = self.approximate.T if transposed else self.approximate
        sizes, distance = np.abs(inverse), self.distances[transposed]
        residual = right
        solution, found, last = [arb(0)] * len(right), None, np.inf
        while True:
            if all(value.is_zero() for value in residual):  # nothing was rounded
                return solution
            middles, radii = doubles_of(residual)
            step = inverse @ middles
            own = rounded_up(sizes @ radii)  # what the radius of the residual leaves
            rounding = rounded_up(sizes @ (gamma(len(step)) * np.abs(middles)))
            error = rounded_up(own + rounding)
            reach = np.max(rounded_up(np.abs(step) + error))
            error = rounded_up(error + distance / (1.0 - distance) * reach)
            reached, beside = np.max(error), max(beside, reach)
            if not np.isfinite(reached):
                return [arb("nan")] * len(right)
            step, pairs = step.tolist(), zip(step.tolist(), error.tolist(), strict=True)
            if found is None or reached < last:
                found = [x + arb(*pair) for x, pair in zip(solution, pairs, strict=True)]
            # another step would not make it much narrower
            if reached > last * 1e-3 or reached <= max(enough * beside, 2.0 * np.max(own)):
                return found
            last = reached
            solution = [(x + h).mid() for x, h in zip(solution, step, strict=True)]
            image = self.matrix.times(solution, transposed)
            residual = [b - value for b, value in zip(right, image, strict=True)]

    def solve_in_doubles(self, right: np.ndarray, transposed: bool = False) -> np.ndarray:
        """K^{-1} b, or K^{-T} b, approximately, for a vector b of doubles, shape (n,)."""
        if self.approximate is None:
            return np.array([float(value) for value in self.solve(right.tolist(), transposed)])
        return (self.approximate.T if transposed else self.approximate) @ right


def largest_column_sums(inverse: Inverse, columns: np.ndarray) -> np.ndarray:
    """Upper bounds of the l1 norms of the columns of K^{-1} Y, shape (m,).

    With X = R Y and ``||I - K R||_1 <= q``: ``K^{-1} = R (K R)^{-1}``, so the error of a column
    is ``||K^{-1} (Y - K X)||_1 <= ||R||_1 / (1 - q) ||Y - K X||_1``.

    Args:
        inverse: of K, shape (n, n).
        columns: Y, shape (n, m).
    Returns:
        inf where there is no approximate inverse.
    """
    if inverse.approximate is None:
        return np.full(columns.shape[1], np.inf)
    matrix, found = inverse.matrix.doubles, inverse.approximate @ columns
    size = np.abs(matrix).sum(axis=0)
    residual = np.abs(columns - matrix @ found).sum(axis=0)
    residual += gamma(len(columns)) * (size @ np.abs(found))
    factor = np.abs(inverse.approximate).sum(axis=0).max() / (1.0 - inverse.distances[1])
    return rounded_up(np.abs(found).sum(axis=0) + factor * rounded_up(residual))
