"""Enclosures of null space constants.

The constant of a sign pattern eps, ``min_b ||M^T eps + C^T b||_inf``, is attained at a vertex: on
an active set J of N - |S| + 1 indices with signs s, ``A_S^T nu = eps``, ``A_J^T nu = rho s``.  The
same matrix transposed gives the kernel vector ``A_S n_S + A_J k = 0``, ``<s, k> = 1``; if
``s_j k_j > 0`` on J its value ``-<eps, n_S>`` is a lower bound, and the largest entry of
``A_Sc^T nu`` an upper one.  rho is the constant of the signs of g*, rho~ the largest of all.

(The notation is that of :mod:`implicit_l1.proof.frame`; derived for this project.)
"""

from dataclasses import dataclass

import numpy as np
from flint import arb
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from implicit_l1.linear.units import BALANCED
from implicit_l1.proof.balls import (
    ball,
    column,
    columns_of,
    is_positive,
    sign,
    sum_of_sizes,
    to_doubles,
)
from implicit_l1.proof.frame import Frame, NotProved, checked_guess, wanted_radius
from implicit_l1.proof.verified import Inverse, gamma, largest_column_sums, rounded_up


@dataclass(frozen=True)
class PatternConstant:
    """``sup <M^T eps, k>`` over k with ``C k = 0``, ``||k||_1 = 1``: rho where eps = sigma.

    Attributes:
        value: its enclosure, between a kernel vector and a dual vector.
        active: places off the support at which the dual vector attains it, or None if the
            two bounds do not come from one vertex.
        dual: that dual vector, as balls, or None.
        kernel: the kernel vector on ``active``, as balls, of l1 norm 1.
        inside: the kernel vector on S, as balls.
    """

    value: arb
    active: np.ndarray | None
    kernel: list | None
    inside: list | None
    dual: list | None = None


# Two entries of a double-precision dual vector this close to its largest are both active.
_ACTIVE = 1e-9


def enclose_pattern_constant(frame: Frame, pattern: ArrayLike, nu: np.ndarray) -> PatternConstant:
    """Enclose the null space constant of a sign pattern on S.

    Args:
        frame: of S.
        pattern: eps, shape (k,).
        nu: a guess of the dual vector that attains it, shape (N,).
    Raises:
        NotProved: if upper and lower bound cannot both be found.
    """
    pattern = checked_guess(pattern, (frame.inside.size,))
    free = frame.basis.T @ checked_guess(nu, frame.basis.shape[:1])
    if not np.all(np.isfinite(free)):
        raise NotProved("there is no dual vector to start from")
    if free.size == 0:
        dual = frame.dual(pattern, free)
        off = frame.off(dual)
        place = int(np.argmax(np.abs(off.approximate)))
        reached = off.entry(place)
        others = np.delete(np.arange(off.bounds.size), place)
        side = sign(reached)
        # of an entry that may be 0 there is no kernel vector
        if not (side and off.all_below(abs(reached), others)):
            return PatternConstant(_finite(off.largest()), None, None, None, dual)
        inside = frame.inverse.solve([ball(-side * a) for a in _off_columns(frame, [place])[:, 0]])
        return PatternConstant(abs(reached), np.array([place]), [arb(side)], inside, dual)
    vertex = _vertex(frame, pattern, free)
    return vertex if vertex is not None else _between(frame, pattern, free)


def _finite(value):
    if not value.is_finite():
        raise NotProved("the null space constant is not enclosed at this precision")
    return value


def _off_columns(frame, places):
    return frame.matrix.doubles[:, frame.outside[places]]


def _vertex(frame, pattern, free):
    """The constant from a nondegenerate vertex, or None."""
    dual = frame.inverse.solve_in_doubles(np.append(pattern, free), transposed=True)
    z = (dual @ frame.matrix.doubles)[frame.outside]
    # of a dual vector to double precision the first set is right; of one to the tolerance of a
    # linear program the second may be
    near = np.flatnonzero(np.abs(z) >= np.abs(z).max() - _ACTIVE)
    highest = np.sort(np.argsort(-np.abs(z), kind="stable")[: free.size + 1])
    for active in (near, highest):
        if active.size == free.size + 1:
            proved = _at_vertex(frame, pattern, active, np.where(z[active] < 0, -1.0, 1.0))
            if proved is not None:
                return proved
    return None


def _at_vertex(frame, pattern, active, side):
    """The constant if it is attained at the vertex of this active set, else None."""
    size = frame.inside.size
    upper = np.hstack([frame.matrix.doubles[:, frame.inside], _off_columns(frame, active)])
    lower = np.hstack([np.zeros(size), side])
    try:
        square = Inverse(np.vstack([upper, lower]))
        goal = [*np.zeros(len(upper)), 1.0]
        kernel = square.solve([ball(value) for value in goal], False, wanted_radius())
        goal = [*pattern, *np.zeros(active.size)]
        *nu, height = square.solve([ball(value) for value in goal], True, wanted_radius())
    except ZeroDivisionError:
        return None
    inside, kernel, height = kernel[:size], kernel[size:], -height
    if not all(is_positive(k * s) for k, s in zip(kernel, side, strict=True)):
        return None
    value = sum((-ball(e) * n for e, n in zip(pattern, inside, strict=True)), arb(0))
    off = frame.off(nu)
    inactive = np.delete(np.arange(off.bounds.size), active)
    if not height >= 0 or not off.all_below(height, inactive):
        return None
    # on the active set the entries are s_j times the height, by construction
    return PatternConstant(value.intersection(height), active, kernel, inside, nu)


def _between(frame, pattern, free):
    """The constant between an exactly feasible dual vector and a projected kernel vector."""
    off = frame.off(frame.dual(pattern, free))
    upper, z = _finite(off.largest()), off.approximate
    if not np.all(np.isfinite(z)):
        raise NotProved("the dual vector is too large for doubles")
    active = np.flatnonzero(np.abs(z) >= np.abs(z).max() - _ACTIVE)
    side = np.where(z[active] < 0, -1.0, 1.0)
    equations = to_doubles(columns_of(frame.free_map, active))
    exponent = int(np.frexp(np.max(np.abs(equations)))[1])
    if abs(exponent) > BALANCED:  # beside the ones below, of whatever size A is
        equations = np.ldexp(equations, -exponent)
    system = np.vstack([equations * side, np.ones(active.size)])
    try:
        weights, _ = nnls(system, np.append(np.zeros(free.size), 1.0))
    except (RuntimeError, ValueError) as error:  # too many iterations; no finite numbers
        raise NotProved("no kernel vector was found for the null space constant") from error
    guess = np.zeros(z.size)
    guess[active] = side * weights
    kernel = column(guess)
    transposed = frame.free_map.transpose()
    try:
        gram = frame.free_map * transposed
        kernel = kernel - transposed * gram.solve(frame.free_map * kernel)
        size = sum_of_sizes(kernel.entries())
        value = ((frame.range_map.transpose() * column(pattern)).transpose() * kernel)[0, 0] / size
    except ZeroDivisionError as error:
        raise NotProved("no kernel vector was found for the null space constant") from error
    # the supremum over a symmetric set is not negative
    lower = value.max(arb(0))
    if not lower.is_finite():
        raise NotProved("no kernel vector was found for the null space constant")
    return PatternConstant(lower.union(upper), None, None, None)


def enclose_null_space_constant(
    frame: Frame, patterns: ArrayLike, duals: ArrayLike
) -> tuple[arb, arb]:
    """Enclose the null space constant rho~ of S, ``sup ||n_S||_1 / ||n_Sc||_1`` over ker A.

    It is the largest constant of a sign pattern.  For |S| = N there is a formula.  Otherwise
    all patterns (up to a common sign) give it; or one pattern gives a lower bound, and the
    unit vectors, whose constants bound ``|n_i|``, an upper one.

    Args:
        frame: of S, k columns.
        patterns: all sign patterns, or one of them followed by the unit vectors, shape
            (m, k); ignored for |S| = N.
        duals: guesses of the dual vectors that attain them, shape (m, N).
    Returns:
        (lower, upper): balls; the same one twice where rho~ is enclosed.
    Raises:
        NotProved: if the patterns are not such a set.
    """
    size, rows = frame.inside.size, frame.basis.shape[0]
    if size == rows:
        return (_largest_column_norm(frame),) * 2
    patterns = checked_guess(patterns, (*np.shape(patterns)[:1], size))
    duals = checked_guess(duals, (len(patterns), rows))
    is_pattern = np.abs(patterns) == 1.0
    if np.array_equal(patterns[1:], np.eye(size)) and size > 1 and np.all(is_pattern[0]):
        upper = arb(0)
        for pattern, dual in zip(patterns[1:], duals[1:], strict=True):
            upper += enclose_pattern_constant(frame, pattern, dual).value
        return enclose_pattern_constant(frame, patterns[0], duals[0]).value, upper
    signs = {tuple(pattern * pattern[0]) for pattern in patterns}
    if len(signs) != 2 ** (size - 1) or not np.all(is_pattern):
        raise NotProved("the null space constant was not computed over all sign patterns")
    heights = _heights(frame, patterns, duals)
    order = np.argsort(-heights)
    value = arb(0)
    for place in order:
        if not arb(float(heights[place])) < value:
            value = value.max(enclose_pattern_constant(frame, patterns[place], duals[place]).value)
    return value, value


def _largest_column_norm(frame):
    """The largest l1 norm of a column of M, for |S| = N."""
    bounds = largest_column_sums(frame.inverse, frame.matrix.doubles[:, frame.outside])
    value = arb(0)
    for place in np.argsort(-bounds):
        if not arb(float(bounds[place])) < value:
            column_ = _off_columns(frame, [place])[:, 0]
            solution = frame.inverse.solve([ball(entry) for entry in column_])
            value = value.max(sum_of_sizes(solution))
    return value


def _heights(frame, patterns, duals):
    """Upper bounds of the constants of many patterns, shape (m,): largest entries of dual vectors.

    ``nu + K^{-T} (e, 0)`` with ``e = eps - A_S^T nu`` is feasible, and near nu.
    """
    chosen, rest = (frame.matrix.doubles[:, part] for part in (frame.inside, frame.outside))
    size = gamma(len(chosen))
    if frame.inverse.approximate is None:
        return np.full(len(duals), np.inf)
    wrong = np.abs(patterns - duals @ chosen) + size * (np.abs(duals) @ np.abs(chosen))
    distance = frame.inverse.distances[1]
    inverse = np.abs(frame.inverse.approximate[: chosen.shape[1]])
    away = rounded_up(rounded_up(wrong) @ inverse)
    away = rounded_up(away + distance / (1.0 - distance) * np.max(away, axis=1, keepdims=True))
    reached = np.abs(duals @ rest) + (size * np.abs(duals) + away) @ np.abs(rest)
    bounds = np.max(rounded_up(reached), axis=1)
    return np.where(np.isfinite(bounds), bounds, np.inf)
