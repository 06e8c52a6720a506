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
from flint import arb, arb_mat
from numpy.typing import ArrayLike
from scipy.optimize import nnls

from implicit_l1.linear.exact import rational_rank
from implicit_l1.linear.units import BALANCED, four_digits_up
from implicit_l1.proof.balls import (
    ball,
    column,
    columns_of,
    exact_matrix,
    is_positive,
    largest,
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

# Of constants below this it is asked whether they are 0.
_NOTHING = 1e-9


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


def _no_kernel_on_support(frame):
    """Whether all kernel vectors are 0 on S, so that all constants are 0, exactly.

    They are where A_Sc has no more than the N - |S| dimensions that A_S leaves.
    """
    rows, size = frame.basis.shape[0], frame.inside.size
    return rational_rank(frame.matrix.doubles[:, frame.outside]) == rows - size


def _between(frame, pattern, free):
    """The constant between an exactly feasible dual vector and a projected kernel vector."""
    off = frame.off(frame.dual(pattern, free))
    upper, z = _finite(off.largest()), off.approximate
    if upper < _NOTHING and _no_kernel_on_support(frame):
        return PatternConstant(arb(0), None, None, None)
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

    It is the largest constant of a sign pattern.  For |S| = N there is a formula.  Otherwise sign
    patterns give lower bounds, and cubes of them upper ones: with nu_0 a dual vector of the signs
    that are fixed, 0 at the others, F, and nu_i one of the unit vector at i in F, every pattern of
    the cube has the dual vector ``nu_0 + sum_F eps_i nu_i``, so its constant is at most the
    largest of ``|A_j^T nu_0| + sum_F |A_j^T nu_i|`` over j in Sc.

    Args:
        frame: of S, k columns.
        patterns: cubes that hold all patterns, up to a common sign; of each its signs, then a unit
            vector for each 0 among them, shape (m, k); ignored for |S| = N.
        duals: guesses of their dual vectors, shape (m, N).
    Returns:
        (lower, upper): balls; the same one twice where rho~ is enclosed, else the second is a
        number of four digits, see :func:`implicit_l1.linear.units.four_digits_up`.
    Raises:
        NotProved: if the patterns are not such a set.
    """
    size, rows = frame.inside.size, frame.basis.shape[0]
    if size == rows:
        return (_largest_column_norm(frame),) * 2
    patterns = checked_guess(patterns, (*np.shape(patterns)[:1], size))
    duals = checked_guess(duals, (len(patterns), rows))
    cubes = _cubes(patterns)
    signs = patterns[[cube.start for cube in cubes]]
    if not _hold_all(signs):
        raise NotProved("the null space constant was not computed over all sign patterns")
    heights = _heights(frame, patterns, duals)
    if heights.max() < _NOTHING and _no_kernel_on_support(frame):
        return arb(0), arb(0)
    value, undecided = arb(0), []
    for place in np.argsort(-heights):
        cube, height = cubes[place], arb(float(heights[place]))
        if height < value:
            break
        if np.all(signs[place]):
            value = value.max(enclose_pattern_constant(frame, signs[place], duals[cube][0]).value)
        else:
            undecided.append((height, cube))
    left = [cube for height, cube in undecided if not height < value]
    above = [_height(frame, patterns[cube], duals[cube]) for cube in left]
    above = [height for height in above if not height < value]
    if not above:
        return value, value
    upper = _finite(largest([value, *above])).upper()
    return value, arb(str(four_digits_up(np.nextafter(float(upper), np.inf))))


def _cubes(patterns):
    """The rows of each cube, as slices.

    Raises:
        NotProved: if they are not rows of cubes.
    """
    cubes, units, start = [], np.eye(patterns.shape[1]), 0
    while start < len(patterns):
        free = np.flatnonzero(patterns[start] == 0.0)
        cube = slice(start, start + 1 + free.size)
        signs, weights = patterns[start], patterns[cube][1:]
        if not (np.all(np.isin(signs, (-1.0, 0.0, 1.0))) and np.array_equal(weights, units[free])):
            raise NotProved("the guess for the null space constant is not one of sign patterns")
        cubes.append(cube)
        start = cube.stop
    return cubes


def _hold_all(signs):
    """Whether every sign pattern, or its negative, is in a cube; of each its signs, 0 both."""
    signs = np.vstack([signs, -signs])
    return _held(signs[signs[:, 0] >= 0.0][:, 1:])


def _held(signs):
    """Whether every sign pattern is in a cube."""
    if not np.all(np.any(signs, axis=1)):  # one of them holds all
        return True
    if not len(signs):
        return False
    place = np.argmax(np.count_nonzero(signs, axis=0))
    column, rest = signs[:, place], np.delete(signs, place, axis=1)
    return _held(rest[column >= 0.0]) and _held(rest[column <= 0.0])


def _height(frame, weights, duals):
    """The height of a cube, in balls."""
    rows = [frame.feasible(*row) for row in zip(weights, duals, strict=True)]
    transposed = exact_matrix(frame.matrix.doubles[:, frame.outside].T)
    columns = (transposed * arb_mat(rows).transpose()).tolist()
    return largest([sum_of_sizes(column) for column in columns])


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


# Rows of cubes whose products are in memory at once.
_AT_ONCE = 1000


def _heights(frame, patterns, duals):
    """Upper bounds of the heights of the cubes of these rows, one a cube.

    ``nu + K^{-T} (e, 0)`` with ``e = eps - A_S^T nu`` is feasible, and near nu.
    """
    chosen, rest = (frame.matrix.doubles[:, part] for part in (frame.inside, frame.outside))
    size, cubes = gamma(len(chosen)), _cubes(patterns)
    if frame.inverse.approximate is None:
        return np.full(len(cubes), np.inf)
    wrong = np.abs(patterns - duals @ chosen) + size * (np.abs(duals) @ np.abs(chosen))
    distance = frame.inverse.distances[1]
    inverse = np.abs(frame.inverse.approximate[: chosen.shape[1]])
    away = rounded_up(rounded_up(wrong) @ inverse)
    away = rounded_up(away + distance / (1.0 - distance) * np.max(away, axis=1, keepdims=True))
    starts = np.array([cube.start for cube in cubes])
    bounds = []
    for some in np.split(starts, np.flatnonzero(np.diff(starts // _AT_ONCE)) + 1):
        rows = slice(some[0], cubes[len(bounds) + some.size - 1].stop)
        error = (size * np.abs(duals[rows]) + away[rows]) @ np.abs(rest)
        reached = rounded_up(np.abs(duals[rows] @ rest) + error)
        bounds += rounded_up(np.add.reduceat(reached, some - some[0])).max(axis=1).tolist()
    return np.where(np.isfinite(bounds), bounds, np.inf)
