"""The linear programs of rho_alpha, ``min_b ||c + C^T b||_inf``, along a path of scales.

``c = dual_scale * direction + shift`` is of any size, and b is needed to full accuracy: so the
solution is taken from the equations of the columns at which the maximum is attained, in which only
differences from the value ``dual_scale * rho`` are rounded.  These columns change from few scales
to the next: a solution is tried at all scales that are left, and each at which it is optimal is
done.  (Where N = 100,
d = 400, s = 8 and the scales are 10^-12 to 1, 957 of 2,940 programs are solved.)
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import null_space

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.linear.programs import KernelPrograms

# A solution is optimal up to this part of the numbers of which the deviations are made.
_OPTIMAL = 1e-12

# Entries of a kernel vector of norm 1 that may be what rounding has left of 0.
_LEFT_BY_ROUNDING = 64 * np.finfo(float).eps

# The largest relative gap between the value of b and that of k.
_LARGEST_GAP = 1e-6


def solve_rho_alpha(
    free_map: np.ndarray,
    scale: np.ndarray,
    direction: np.ndarray,
    margin: np.ndarray,
    shift: np.ndarray,
    names: Sequence[str],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(b, k, gap) for each ``c = scale * direction + shift``, one a row; see the module.

    Args:
        free_map: C, shape (r, n); r may be 0.
        scale: shape (m, 1); direction, margin (1 - |direction|), shift: shape (m, n) each.
        names: what the programs are, for the message of an error, m of them.
    Returns:
        b, shape (m, r); kernel vectors k with ``||k||_1 = 1``, shape (m, n); and the relative
        differences of ``||c + C^T b||_inf`` and ``<c, k>``, shape (m,); beside numbers so large
        that the value is lost in their rounding, relative to 1e-6 of these.
    Raises:
        LinearProgramError: naming the program, if one is not solved.
    """
    c = scale * direction + shift
    free, kernel = np.zeros((len(c), len(free_map))), np.zeros(c.shape)
    programs, left = KernelPrograms(free_map), np.arange(len(c))[::-1]
    rho = 1.0 - margin.min(axis=1, keepdims=True)
    while left.size:
        first = left[0]
        unit = max(np.abs(c[first]).max(), 1e-300)
        k, b = programs.solve(c[first] / unit, names[first])
        if not k.any():  # the value is 0, and any kernel vector attains it
            k = null_space(free_map)[:, 0]
        k, side = k / np.abs(k).sum(), np.where(k < 0, -1.0, 1.0)
        # only a degenerate program has more than one solution
        start = np.zeros((left.size, len(free_map)))
        start[0] = unit * b
        # s z less the part scale * rho that all active entries have in common
        below = np.where(
            side * direction[left] > 0,
            (1.0 - rho[left]) - margin[left],
            -(np.abs(direction[left]) + rho[left]),
        )
        heights = scale[left] * below + side * (shift[left] + start @ free_map)
        tried = []
        for active in (np.flatnonzero(k), np.flatnonzero(np.abs(k) > _LEFT_BY_ROUNDING)):
            system = np.column_stack([(side * free_map).T[active], -np.ones(active.size)])
            steps = _solved(system, -heights[:, active].T).T
            reached, top = start + steps[:, :-1], scale[left] * rho[left] + steps[:, -1:]
            moved = reached @ free_map
            z, reach = c[left] + moved, np.abs(c[left]) + np.abs(moved)
            optimal = np.all(np.abs(z) - top <= _OPTIMAL * reach.max(axis=1, keepdims=True), axis=1)
            # where the value is lost in the numbers that it is made of, these tell nothing
            optimal &= _gaps(c[left], moved, k) < _LARGEST_GAP
            if optimal[0]:
                break
            tried.append(reached[0])
        else:
            # as far as can be, which the gap tells
            tried.append(start[0])
            reached[0] = min(tried, key=lambda free: np.abs(c[first] + free @ free_map).max())
            optimal[0] = True
        done = left[optimal]
        free[done], kernel[done] = reached[optimal], k
        left = left[~optimal]
    gap = _gaps(c, free @ free_map, kernel)
    for row in np.flatnonzero(~(gap < _LARGEST_GAP)).tolist():
        raise LinearProgramError(
            f"the linear program {names[row]} is not solved: its relative gap is {gap[row]:.1e}"
        )
    return free, kernel, gap


def _gaps(c, moved, kernel):
    """The relative differences of ``||c + C^T b||_inf`` and ``<c, k>``, one a row.

    Args:
        moved: ``C^T b``, one a row.
    """
    height, reach = np.abs(c + moved).max(axis=1), (np.abs(c) + np.abs(moved)).max(axis=1)
    # a value of 0 is rounded to a part of what it is the difference of, and has no relative gap
    unit = np.maximum(height, np.maximum(_OPTIMAL / _LARGEST_GAP * reach, 1e-300))
    return (height - np.sum(kernel * c, axis=1)) / unit


def _solved(system, right):
    """The solution of least norm; the columns of a degenerate program are fewer."""
    if len(system) == system.shape[1]:
        return np.linalg.solve(system, right)
    return np.linalg.lstsq(system, right, rcond=None)[0]
