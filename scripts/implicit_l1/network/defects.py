r"""How good a limit point is, measured from its defects, and one Newton step from them.

Notation as in :mod:`implicit_l1.network.limit`.  What a point lacks shows in two defects, which are
found to twice the working precision from A itself, whatever the coordinates are worth:

    r = A n,        e = z - A^T lam        for the lam that (zeta, b) stands for.

Moved by the part of e on T, lam has the z_T that x_T asks for; then e_T = 0 and
``e'_Tc = e_Tc - M^T e_T``.  To first order the exact point is at

    dz_Tc = A_Tc^T delta - e'_Tc,   H delta = -r + A_Tc W e'_Tc,   H = A W A^T,
    dn_Tc = W dz_Tc,                A (n + dn) = 0,

and n is moved there.  What remains is bounded.  Let f_Tc bound what is unknown of z_Tc still:
the rounding of the certificate, of the initialization, of phi and of its inverse (on T it counts
by ``|M|^T f_T``), of ``A diag(unit)`` where that is rounded, what a refinement of the step still
changed, and the terms of second order, of which ``|phi''| <= phi'`` for D = 2 and
``|phi''| <= (p + 1) phi' / (1 - |z|)`` for D > 2.  A change f of z moves the solution by
``dz = -f + A^T delta`` with the delta of least ``||W^(1/2) dz||_2``, so

    ||W^(1/2) dz||_2 <= ||W^(1/2) f||_2 =: E,        ||dn_Tc||_1 <= sqrt(sum(w)) E,

and ``|dn_i| <= ||M_i W^(1/2)||_2 E`` for i in T.  Of the step itself counts what the rounding of
its coordinates takes from it, in the measure in which it took it from n.

**With several minimizers** an index of the support beyond T has a defect of its own.  As g* is
the selected one, the terms of z that n does not enter are consistent, and with h what n adds
(``Potential.deviation``), the rest R of the support has ``e'_R = h_R - M_R^T h_T``, as small as n
is.  An h of a small entry of g* is larger by far, so M_R is wanted with what its rounding has left
out.  There W is by far larger than elsewhere, so R goes with T in the bounds: with ``D = 1 / W``
and ``G = D_R + M_R^T D_T M_R``, a change of n off the support moves n_R by ``L = -G^{-1} M_R^T D_T
M`` and n_T by ``-(M + M_R L)``, and f_R moves n_R by ``G^{-1} f_R``.

(Derived for this project.  The bounds are of first order, and say so: that dz is small against
the room of z is checked.)
"""

import numpy as np

from implicit_l1.linear.compensated import two_sum
from implicit_l1.network.equations import LOG_NEGLIGIBLE, Equations, State
from implicit_l1.network.exchange import lost_of_map
from implicit_l1.proof.verified import Exact

_EPSILON, _TINY = np.finfo(float).eps, np.finfo(float).tiny

# Above it, what sums of subnormal doubles round is below the rounding of others.
_SUBNORMAL = 1e3 * _TINY

# An entry of A diag(unit) is the product of one of A and of a unit that is a quotient of powers.
_ROUNDED = 3.0 * _EPSILON

# An offset or a tilt is a function of a logarithm of a quotient.
_INITIAL = 4.0 * _EPSILON

# In place of an infinite stiffness.
_HUGE = 1e300

# z may move by this part of what lets phi' grow by e^(3/2).
_FIRST_ORDER = 0.05

# Newton's step mends what the rounding of its own coordinates has done: it lacks about such a part
# of itself as it is of n.  Up to four times that was seen, where A has a condition of 1e12.
_INEXACT = 10.0

# Relative change of n on the rest of the support, where the weights are those of another n.
_STEADY = 1e-9


@np.errstate(over="ignore", invalid="ignore")  # beyond the doubles the bounds are inf
def correct_error(
    equations: Equations, state: State, exact: Exact, low: np.ndarray, unsure: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray]:
    """n at a converged state, after Newton's step from its defects.

    Args:
        equations: of :mod:`implicit_l1.network.limit`, in the coordinates of T.
        state: converged.
        exact: A, a verified.Exact.
        low: of g*, what its rounding to doubles left, shape (d,).
        unsure: bounds of what g* misses where ``A diag(unit)`` is rounded, shape (d,).
    Returns:
        (n in units of exp(log_unit), log_unit, (e_1, e_inf)): bounds of the errors of n in these
        norms, relative to ``||n||_1``; inf where the step is too long for them.
    """
    adapted, potential = equations.adapted, equations.potential
    on, off = adapted.support, adapted.complement
    log_unit, error = equations.error_in_unit(state)
    unit = np.exp(log_unit)
    # of dn / dz off T, and dz / dn on it, in that unit
    root = state.root_slope * np.exp(0.5 * (state.log_unit - log_unit))
    weights, into_z = root**2, unit / state.on.slope

    # the defects
    defect = adapted.dual_map.T @ -exact.residual(error, np.zeros(len(equations.stacked)))
    zeta = state.on.zeta - equations.offset_on
    dual = adapted.dual_map @ np.concatenate([zeta, state.free])
    wanted = np.empty(error.size)
    wanted[on], wanted[off] = zeta, state.shift - equations.offset_off
    defect_z = exact.residual(dual, wanted, transposed=True)
    # zeta is that of the rounded sum of g* and the n_T of the state
    point, rounding = two_sum(equations.minimizer_on, state.error_on)
    behind = unit * error[on] - state.error_on
    defect_on = defect_z[on] + (rounding + low[on] + behind) / state.on.slope
    defect_off = defect_z[off] - defect_on @ adapted.range_map
    unknown_rest = 0.0
    rest = equations.rest if equations.settled(state) else np.zeros(off.size, dtype=bool)
    if rest.any():
        map_rest = adapted.range_map[:, rest]
        _, lost = lost_of_map(adapted, exact.doubles, np.flatnonzero(rest))
        own = equations.deviation(state, on, unit * error[on])
        of_rest = equations.deviation(state, off[rest], unit * error[off[rest]])
        defect_off[rest] = of_rest - own @ map_rest - own @ lost
        # of a power -p of what is rounded
        digits = 8.0 if potential.depth == 2 else max(8.0, 2.0 * potential.power)
        unknown_rest = digits * _EPSILON * (np.abs(of_rest) + np.abs(own) @ np.abs(map_rest))

    # Newton's step
    right = equations.stacked @ (weights * defect_off) - defect
    shift, late = _solved(equations, state, log_unit, weights, into_z, right)
    moved = shift + late - defect_off
    change_off = weights * moved
    change_on = -defect[: on.size] - adapted.range_map @ change_off
    error[off] += change_off
    error[on] += change_on

    # what remains
    room, reach = np.minimum(state.off.room, 1.0), potential.reach(state.off.room)
    part_on = unit * np.abs(change_on) / np.maximum(np.abs(point), _TINY)
    steady = np.all(np.abs(change_off[rest]) <= _STEADY * np.abs(error[off][rest]))
    near = np.all(np.abs(moved) <= _FIRST_ORDER * reach) and np.all(part_on <= _FIRST_ORDER)
    if not (near and steady):
        return error, log_unit, np.full(2, np.inf)
    shallow = potential.depth == 2
    bend = 1.0 if shallow else potential.power + 1.0
    zeta_size = np.abs(state.on.zeta)
    if shallow:
        unknown_on = 4.0 * _EPSILON * (zeta_size + 1.0)
    else:  # from a logarithm of x / alpha
        decades = np.abs(np.log(np.maximum(np.abs(point), _TINY)) - state.log_alpha)
        unknown_on = _EPSILON * (4.0 + decades / potential.power) * zeta_size
    unknown_on += part_on * np.abs(change_on) * into_z + _INITIAL * equations.initial[on]
    unknown = _rounding_of_off(equations, state) + bend * moved**2 / room + np.abs(late)
    missed, energy = np.zeros(error.size), 0.0
    if equations.is_rounded:
        of_z = _rounding_of_matrix(equations, state, exact, dual)
        unknown, unknown_on = unknown + of_z[off], unknown_on + of_z[on]
        missed[off] = unsure[off] / unit
        missed[on], energy = _rounding_of_residual(
            equations, exact, error, missed[off], weights, into_z
        )
        unknown_on += unsure[on] / state.on.slope + missed[on] * into_z
    unknown += unknown_on @ np.abs(adapted.range_map)
    left = _spread(adapted.range_map, root, into_z, unknown, unknown_rest, rest, energy)
    left += [missed.sum(), missed.max(initial=0.0)]
    norm = np.abs(error).sum()
    step = np.abs(change_off).sum() + np.abs(change_on).sum()
    left += _INEXACT * step * min(step / max(norm, _TINY), 1.0)
    # with several minimizers n is no logarithm, and loses its digits where doubles are subnormal;
    # a tie of the columns of a rounded matrix is none
    if rest.any() and (equations.is_rounded or not norm * unit > _SUBNORMAL):
        return error, log_unit, np.full(2, np.inf)
    if norm == 0.0:
        return error, log_unit, np.zeros(2)
    return error, log_unit, left / norm


def _solved(equations, state, log_unit, weights, into_z, right):
    """``A_Tc^T delta`` for ``H delta = right``, and what one refinement adds to it.

    H is that of the weights: in its coordinates ``diag(1 / into_z, 0) + [M; C] W [M; C]^T``.
    """
    size = equations.adapted.support.size

    # from units of exp(log_unit) to those of the state, whose factor it is
    unit = np.exp(log_unit - state.log_unit)

    def solve(right):
        first = np.exp(0.5 * state.log_unit) * unit * right[:size]
        return equations.solve(state, first, unit * right[size:])

    zeta, _, shift = solve(right)
    rest = right - equations.stacked @ (weights * shift)
    if log_unit > LOG_NEGLIGIBLE:
        rest[:size] -= zeta / into_z
    else:  # n_T does not move z_T
        rest[:size] = 0.0
    return shift, solve(rest)[2]


def _rounding_of_off(equations, state):
    """Bounds of what rounding leaves unknown in z_Tc, beside the defects, shape (d - k,).

    Of the certificate, of the initialization, and of n itself, in which logarithms are
    exponentiated.
    """
    shallow = equations.potential.depth == 2
    log_alpha, scale = abs(state.log_alpha), equations.potential.dual_scale(state.log_alpha)
    of_scale = scale * equations.direction
    z, shift = of_scale + state.shift, np.abs(state.shift)
    # A^T nu and 1 - |A^T nu| have all their digits, and the smaller of the two decides a z that
    # is near its end; where z is a small difference all of its parts count
    known = np.minimum(np.abs(equations.margin), np.abs(equations.direction)) * abs(scale)
    difference = (np.abs(z) < (1.0 if shallow else 0.5)) | (z * equations.direction <= 0.0)
    unknown = _EPSILON * np.where(difference, np.abs(of_scale) + shift, known)
    unknown += _INITIAL * equations.initial[equations.adapted.complement]
    exponents = 2.0 + np.abs(state.off.log_size) + (shift if shallow else log_alpha)
    with np.errstate(invalid="ignore"):
        ratio = np.exp(state.off.log_size - state.off.log_slope)  # |n| / w
        return unknown + np.where(ratio > 0.0, 4.0 * _EPSILON * exponents * ratio, 0.0)


def rounding_of_minimizer(matrix: np.ndarray, minimizer: np.ndarray) -> np.ndarray:
    """Bounds of what g* misses where ``A diag(unit)`` is rounded, shape (d,).

    Args:
        matrix: that matrix, of which g* is, shape (N, d).
        minimizer: g*, shape (d,).
    """
    support, bounds = np.flatnonzero(minimizer), np.zeros(minimizer.size)
    residual = _ROUNDED * (np.abs(matrix) @ np.abs(minimizer))
    bounds[support] = np.abs(np.linalg.pinv(matrix[:, support])) @ residual
    return bounds


def _rounding_of_matrix(equations, state, exact, dual):
    """Bounds of what z misses where ``A diag(unit)`` is rounded, shape (d,)."""
    scale = equations.potential.dual_scale(state.log_alpha)
    size = np.abs(scale * equations.nu) + np.abs(dual)
    return _ROUNDED * (size @ np.abs(exact.doubles))


def _rounding_of_residual(equations, exact, error, unsure, weights, into_z):
    """(bounds of n_T, E) of what is left of ``r = A n`` where ``A diag(unit)`` is rounded.

    Entries of x off T are known, those of n only up to what g* misses there, `unsure`.  With
    ``[P; Q^T] r = (d_T, d_b)`` n_T misses d_T, and n_Tc what moves it to ``C n_Tc = -d_b``: of
    all that do, the one of least ``||W^(-1/2) dn||_2^2 + ||D^(1/2) M dn||_2^2``, which is
    ``(0, d_b) K^{-1} (0, d_b)``, with ``K = diag(1 / D, 0) + [M; C] W [M; C]^T`` and D into_z.
    """
    adapted, size = equations.adapted, equations.adapted.support.size
    residual = _ROUNDED * (np.abs(exact.doubles) @ np.abs(error))
    missed = np.abs(adapted.dual_map).T @ residual + np.abs(equations.stacked) @ unsure
    stiff = (equations.stacked * weights) @ equations.stacked.T
    with np.errstate(divide="ignore"):  # where n_T does not move z_T
        stiff[np.diag_indices(size)] += np.minimum(1.0 / into_z, _HUGE)
    scale = 1.0 / np.sqrt(np.diag(stiff))
    inverse = scale[:, None] * np.linalg.inv(scale[:, None] * stiff * scale) * scale
    free = missed[size:]
    return missed[:size], float(np.sqrt(free @ np.abs(inverse[size:, size:]) @ free))


def _spread(range_map, root, into_z, unknown, unknown_rest, rest, energy):
    """Bounds of ``||dn||_1`` and ``||dn||_inf`` for a change of z_Tc up to `unknown`, see above.

    `energy` is what ``||W^(1/2) dz||_2`` is more than that.
    """
    plain, steep = ~rest, np.zeros(len(range_map))
    maps = [np.zeros((0, plain.sum())), range_map[:, plain]]
    moved_rest = 0.0
    if rest.any():
        map_rest = range_map[:, rest]
        stiff = (map_rest.T * into_z) @ map_rest + np.diag(1.0 / root[rest] ** 2)
        inverse = np.linalg.inv(stiff)
        follow = -inverse @ (map_rest.T * into_z) @ range_map[:, plain]
        maps = [follow, range_map[:, plain] + map_rest @ follow]
        of_rest = np.abs(inverse) @ unknown_rest
        steep = np.abs(map_rest) @ of_rest
        moved_rest = of_rest.sum() + steep.sum()
    unknown = unknown[plain] + (steep * into_z) @ np.abs(range_map[:, plain])
    energy = energy + np.linalg.norm(root[plain] * unknown)
    length = np.linalg.norm(root[plain])
    lengths = np.concatenate([np.linalg.norm(part * root[plain], axis=1) for part in maps])
    largest = max(root[plain].max(initial=0.0), lengths.max(initial=0.0))
    return moved_rest + energy * np.array([length + lengths.sum(), largest])
