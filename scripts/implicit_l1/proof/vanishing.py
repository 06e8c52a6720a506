r"""Which term of the error leads where rho = 0, decided in rational arithmetic.

Let V be the space of the v for which ``A_S^T nu = v``, ``A_Sc^T nu = 0`` has a solution nu: rho = 0
means that sigma is in V.  At the limit point ``(z_S, z_Sc) = A^T lam`` with
``z_S = phi_D^{-1}(x_S / alpha)`` and ``n_Sc = alpha phi_D(z_Sc)``; with ``p = D / (D - 2)``, and
``x_S = g*_S`` to leading order,

    D = 2:  z_S = sigma (log(1/alpha) + log|g| + alpha^2 |g|^-2 + O(alpha^4)),
    D > 2:  z_S = sigma (1 - alpha^(1/p) |g|^(-1/p)
                         + 2^-p / p alpha^(1+1/p) |g|^(-1-1/p) + O(alpha^(1+2/p))).

Terms in V move no entry off S.  So the first one that is not, ``alpha^e v``, decides: z_Sc is the
part of ``alpha^e M^T v`` in ker C, and ``n_Sc = 2p alpha z_Sc`` (2 in place of 2p at D = 2) is of
order alpha^(1 + e), while what n changes in z_S is smaller by the factor alpha.  At D = 2 the term
log|g| has e = 0, so that ``n_Sc = 2 alpha sinh(z_Sc)``, ``C sinh(z_Sc) = 0``.  All terms are in V,
and x(alpha) = g* for all alpha, if and only if V holds sigma on each of the sets of equal |g_i|, 0
elsewhere (they add up to all terms; and of terms of large e only the smallest |g_i| count, then the
next).

V is given by rational equations.  So a vector with the entries ``sum_c beta_c r_c`` is in V, with
rational vectors r_c and numbers beta_c that are linearly independent over the rational numbers, if
and only if every r_c is: the beta_c are roots of rational numbers of which no two have a rational
quotient (Mordell, *On the linear independence of algebraic numbers*, Pacific J. Math. 1953), or
logarithms of pairwise coprime integers.

(All but Mordell's theorem is derived for this project.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat, fmpz

from implicit_l1.linear.exact import Undecided, as_rational, exact_product, solve_consistent
from implicit_l1.proof.balls import column, exact_matrix, scaled
from implicit_l1.proof.frame import NotProved


@dataclass(frozen=True)
class Leading:
    """The leading term of the error where rho = 0.

    Attributes:
        exponent: 1 + e, that of alpha.
        place: which of the terms above behind sigma it is, 0 or 1.
    """

    exponent: fmpq
    place: int


def in_row_space(matrix: np.ndarray, support: np.ndarray, values: Sequence[fmpq]) -> bool:
    """Whether ``A_S^T nu = v``, ``A_Sc^T nu = 0`` has a solution, exactly.

    Args:
        matrix: A, shape (N, d), of full row rank.
        support: indices of S, shape (k,).
        values: v, k of them.
    """
    target = [fmpq(0)] * matrix.shape[1]
    for index, value in zip(support, values, strict=True):
        target[int(index)] = value
    return solve_consistent(matrix.T, target) is not None


def leading_term(
    matrix: np.ndarray, support: np.ndarray, values: Sequence[fmpq], depth: float
) -> Leading | None:
    """The leading term where rho = 0; None if x(alpha) = g* for all alpha.

    Args:
        matrix: A, shape (N, d), of full row rank.
        support: indices of S, shape (k,).
        values: g*_S, k of them.
        depth: D >= 2.
    Raises:
        Undecided: if it is neither of the two.
    """
    if depth == 2:
        parts = [_logarithms(values), _powers(values, fmpq(-2))]
        exponents = [fmpq(1), fmpq(3)]
    else:
        rate = 1 - 2 / as_rational(depth)  # 1 / p
        parts = [_powers(values, -rate), _powers(values, -1 - rate)]
        exponents = [1 + rate, 2 + rate]
    for place, (exponent, vectors) in enumerate(zip(exponents, parts, strict=True)):
        if not all(in_row_space(matrix, support, vector) for vector in vectors):
            return Leading(exponent, place)
    if error_vanishes(matrix, support, values):
        return None
    raise Undecided(f"the error is of higher order than alpha^{exponents[-1]}, and not 0")


def values_of_sets(
    matrix: np.ndarray,
    support: np.ndarray,
    point: np.ndarray,
    low: np.ndarray,
    data: Sequence[fmpq],
) -> list[fmpq] | None:
    """The solution of ``A_S x_S = y`` that is equal, up to signs, where a point is, exactly.

    Which sizes are equal is a guess: those of the point are rounded.

    Args:
        matrix: A, shape (N, d).
        support: indices of S, shape (k,).
        point: doubles, shape (k,), none of them 0; low: what their rounding left, shape (k,).
        data: y, rational numbers, N of them.
    Returns:
        k numbers of the signs of the point; None if there is no solution, or more than one.
    """
    # equal numbers may round to neighbours, if they are half-way between these
    pairs = zip(point, low, strict=True)
    sizes = [abs(as_rational(high) + as_rational(rest)) for high, rest in pairs]
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    apart = [sizes[b] - sizes[a] > _EQUAL * sizes[b] for a, b in pairwise(order)]
    places = np.zeros(len(sizes), dtype=int)
    places[order] = np.cumsum([0, *apart])
    sets = [np.where(places == place, np.sign(point), 0.0) for place in range(places.max() + 1)]
    images = fmpq_mat([exact_product(matrix[:, support], each) for each in sets])
    right = fmpq_mat([[value] for value in data])
    try:
        found = (images * images.transpose()).solve(images * right)
    except ZeroDivisionError:
        return None
    values = found.entries()
    if images.transpose() * found != right or not all(value > 0 for value in values):
        return None
    pairs = zip(places.tolist(), point, strict=True)
    return [values[place] * int(np.sign(value)) for place, value in pairs]


# Relative difference up to which two sums of two doubles may stand for the same number.
_EQUAL = fmpq(1, 2**98)


def error_vanishes(matrix: np.ndarray, support: np.ndarray, values: Sequence[fmpq]) -> bool:
    """Whether x(alpha) = g* for every alpha; arguments as in :func:`leading_term`.

    Multiplied by ``phi^{-1}(|g_i| / alpha)``, the dual vectors of the sets of equal |g_i| add up to
    the lam of g*, whether the minimizer is the only one or not.
    """
    sizes = [abs(value) for value in values]
    return all(
        in_row_space(
            matrix,
            support,
            [_sign(v) if abs(v) == size else fmpq(0) for v in values],
        )
        for size in dict.fromkeys(sizes)
    )


def leading_error(
    matrix: np.ndarray, support: np.ndarray, values: Sequence[arb], depth: float, place: int
) -> list[arb]:
    """The limit of ``n / alpha^exponent``, in the order of the columns.

    Enclosures, but for the term log|g| of D = 2: what Newton's method finds there is a guess.

    Args:
        matrix: A, shape (N, d), of full row rank.
        support: indices of S, shape (k,).
        values: g*_S, k of them.
        depth: D >= 2; place: of :class:`Leading`.
    Raises:
        NotProved: if the present precision does not suffice.
    """
    drive = drive_of(values, depth, place)
    count = matrix.shape[1]
    outside = np.delete(np.arange(count), support)
    on, off = exact_matrix(matrix[:, support]), exact_matrix(matrix[:, outside])
    power = arb(depth) / (arb(depth) - 2) if depth > 2 else arb(1)
    linear = depth > 2 or place > 0
    nu = column([arb(0)] * len(matrix))
    for _ in range(_STEPS):
        z = (off.transpose() * nu).entries()
        if linear:
            outer, slopes = [arb(0)] * len(z), [2 * power] * len(z)
        else:
            outer, slopes = [2 * x.sinh() for x in z], [2 * x.cosh() for x in z]
        # A_S^T nu = drive, A_S n_S + A_Sc n_Sc = 0, linearized at nu
        missing = (column(drive) - on.transpose() * nu).entries()
        forced = (-(off * column(outer))).entries()
        inner, step = _solved(on, off, slopes, missing, forced)
        if linear:
            outer = [s * x for s, x in zip(slopes, (off.transpose() * step).entries(), strict=True)]
            break
        longest = max(abs(float(x)) for x in (off.transpose() * step).entries())
        nu = (nu + step * arb(1.0 / max(1.0, longest))).mid()
        if longest <= _CONVERGED:
            break
    else:
        raise NotProved("Newton's method did not converge to the leading term")
    result = [arb(0)] * count
    for index, value in zip([*support, *outside], [*inner, *outer], strict=True):
        result[int(index)] = value
    return result


# Most steps of Newton's method, each of which moves z by 1 at most, and its last one.
_STEPS, _CONVERGED = 2000, 1e-30


def drive_of(values: Sequence[arb], depth: float, place: int) -> list[arb]:
    """v on S of the leading term, of :func:`leading_error`."""
    if depth == 2:
        terms = [lambda s: s.log(), lambda s: s**-2]
    else:
        rate = 1 - 2 / arb(depth)
        terms = [lambda s: -(s**-rate), lambda s: rate * 2 ** (-1 / rate) * s ** (-1 - rate)]
    return [terms[place](abs(value)) * (1 if value > 0 else -1) for value in values]


def _solved(on, off, slopes, first, second):
    """(n_S, nu) with ``A_S^T nu = first``, ``A_S n_S + A_Sc diag(slopes) A_Sc^T nu = second``."""
    size = on.ncols()
    square = (scaled(off, None, slopes) * off.transpose()).tolist()
    upper = [[arb(0)] * size + row for row in on.transpose().tolist()]
    lower = [[*left, *right] for left, right in zip(on.tolist(), square, strict=True)]
    try:
        solution = arb_mat([*upper, *lower]).solve(column([*first, *second])).entries()
    except ZeroDivisionError as error:
        raise NotProved("the leading term needs more digits than are carried") from error
    return solution[:size], column(solution[size:])


def _sign(value):
    return fmpq((value > 0) - (value < 0))


def _powers(values, exponent):
    """The r_c of ``sign(g) |g|^exponent``, lists of rationals; exponent a rational number."""
    sizes = [abs(value) for value in values]
    classes: list[tuple[fmpq, list[fmpq]]] = []
    for place, size in enumerate(sizes):
        for reference, vector in classes:
            root = _rational_power(size / reference, exponent)
            if root is not None:
                vector[place] = _sign(values[place]) * root
                break
        else:
            classes.append((size, [fmpq(0)] * len(sizes)))
            classes[-1][1][place] = _sign(values[place])
    return [vector for _, vector in classes]


def _rational_power(value, exponent):
    """value^exponent, a positive rational number to a rational power, or None if irrational."""
    if value == 1:  # of a depth like 2.1 the power is of the order of 2^50
        return value
    index = int(exponent.q)
    parts = []
    for whole in (value.p, value.q):
        if whole == 1:
            root = whole
        elif index > 1 and whole.bit_length() <= index:  # below 2^index
            return None
        else:
            root = whole.root(index)
            if root**index != whole:
                return None
        parts.append(root)
    root, power = fmpq(*parts), int(exponent.p)
    return root**power if power >= 0 else 1 / root**-power


def _logarithms(values):
    """The r_c of ``sign(g) log|g|``: exponents of |g| over pairwise coprime integers."""
    sizes = [abs(value) for value in values]
    base: list[fmpz] = []
    pending = [whole for size in sizes for whole in (size.p, size.q)]
    while pending:
        whole = pending.pop()
        if whole == 1:
            continue
        for place, other in enumerate(base):
            common = whole.gcd(other)
            if common != 1:
                # the product of all numbers becomes smaller each time
                del base[place]
                pending += [whole // common, common, other // common]
                break
        else:
            base.append(whole)
    return [
        [
            _sign(value) * (_multiplicity(abs(value).p, b) - _multiplicity(abs(value).q, b))
            for value in values
        ]
        for b in base
    ]


def _multiplicity(whole, factor):
    """How often a factor divides an integer."""
    count = 0
    while whole % factor == 0:
        whole, count = whole // factor, count + 1
    return count
