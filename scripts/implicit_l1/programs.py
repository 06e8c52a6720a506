"""The linear programs over the kernel's unit ball, which differ in their objective only.

``max <c, k>`` subject to ``C k = 0``, ``||k||_1 <= 1`` (or = 1), for many c: HiGHS keeps
the last basis, so each starts where the one before ended.  By duality the value is
``min_b ||c + C^T b||_inf``.  A large program is solved by itself, by an interior-point
method that knows its shape.
"""

import warnings

import numpy as np
from scipy.linalg import LinAlgWarning, cho_factor, cho_solve, lu_factor, lu_solve

# HiGHS's tolerances where a solution is refined afterwards
TIGHT = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


class LinearProgramError(RuntimeError):
    """A linear program was not solved."""


def unit_of(values):
    """The power of two nearest to the largest absolute value.

    What solvers tolerate is absolute: they are given values of the order of 1, and a division
    by a power of two changes no digit.
    """
    return 2.0 ** np.rint(np.log2(np.abs(values).max()))


def kernel_ball(free_map, smallest, tolerance=None):
    """The program without an objective, k in its positive and negative parts.

    Args:
        free_map: C, shape (r, n); r may be 0.
        smallest: lower bound of the sum of the parts, at most 1.
        tolerance: feasibility tolerance of the solver; its own default if None.
    Returns:
        (a HiGHS instance, the matrix of the constraints, shape (r + 1, 2 n)).
    """
    import highspy

    size, count = free_map.shape
    ones = np.ones(count)
    matrix = np.hstack([np.vstack([free_map, ones]), np.vstack([-free_map, ones])])
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = 2 * count, size + 1
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = np.zeros(2 * count)
    model.col_lower_, model.col_upper_ = np.zeros(2 * count), np.full(2 * count, np.inf)
    model.row_lower_ = np.append(np.zeros(size), smallest)
    model.row_upper_ = np.append(np.zeros(size), 1.0)
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(2 * count + 1, dtype=np.int32) * np.int32(size + 1)
    model.a_matrix_.index_ = np.tile(np.arange(size + 1, dtype=np.int32), 2 * count)
    model.a_matrix_.value_ = matrix.T.ravel()
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("parallel", "off")
    highs.setOptionValue("simplex_strategy", 4)  # primal: only the objective changes
    if tolerance is not None:
        highs.setOptionValue("dual_feasibility_tolerance", tolerance)
        highs.setOptionValue("primal_feasibility_tolerance", tolerance)
    highs.passModel(model)
    return highs, matrix


def maximize(highs, cost, name):
    """Solve for the objective c, given as (c, -c), from the last basis.

    Raises:
        LinearProgramError: naming the program, if HiGHS does not call its solution optimal.
    """
    highs.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost)
    highs.run()
    status = highs.modelStatusToString(highs.getModelStatus())
    if status != "Optimal":
        raise LinearProgramError(f"the linear program {name} ended as: {status}")


# Entries of C from which on the interior-point method takes the place of the simplex method,
# whose time grows like the fourth power of N where d / N is fixed: the program of rho takes
# 4 s against 0.04 s at N = 200, d = 2000, and 60 s against 0.3 s at N = 400, d = 4000.
LARGE = 100_000

# A vertex is looked for once the duality gap is below the first fraction of the value, an
# optimal face of fewer columns below the second.
_NEAR, _NEARER = 1e-1, 1e-6

# Weights and slacks are not negative up to this.
_ROUNDING = 1e-12


def smallest_maximum(free_map, offset, steps=60):
    r"""``min_b ||c + C^T b||_inf`` and the kernel vector that proves it, for large C.

    Mehrotra's predictor-corrector method (*On the implementation of a primal-dual interior
    point method*, SIAM J. Optim. 2, 1992) for the program of :func:`kernel_ball` and its
    dual, from points strictly feasible for both.  A step costs one product ``C W C^T`` with
    W diagonal, r^2 n flops, and one Cholesky factorization.  It ends in finitely many steps
    (Ye, *On the finite convergence of interior-point algorithms for linear programming*,
    Math. Program. 57, 1992): an iterate tells which columns attain the maximum, the equations
    of these are solved, and if the solution is optimal it is the result.  So its accuracy is
    that of the solve, and b and k prove each other optimal, up to rounding.

    Args:
        free_map: C, shape (r, n), r < n, of full row rank.
        offset: c, shape (n,), not a combination of the rows of C.
        steps: most steps.
    Returns:
        (b, k): b of shape (r,); k of shape (n,) with ``C k = 0``, ``||k||_1 = 1`` and
        ``<c, k> = ||c + C^T b||_inf``, zero but for r + 1 columns at most.
    Raises:
        LinearProgramError: if no solution is found that is optimal.
    """
    size, unit = unit_of(free_map), unit_of(offset)
    free, kernel = _smallest_maximum(free_map / size, offset / unit, steps)
    return unit / size * free, kernel


def _smallest_maximum(free_map, offset, steps):
    """The same for C and c of the order of 1."""
    count = free_map.shape[1]
    # k is the first part less the second; the slacks are those of z <= top and -z <= top
    parts = np.full((2, count), 0.5 / count)
    free = np.zeros(free_map.shape[0])
    top = 1.1 * np.abs(offset).max()
    for _ in range(steps):
        z = offset + free_map.T @ free
        slacks = np.array([top - z, top + z])
        if not (parts.min() > 0 and slacks.min() > 0):  # rounding is all that is left
            break
        gap = np.sum(parts * slacks)
        found = _vertex(free_map, offset, parts, slacks) if gap <= _NEAR * top else None
        if found is None and gap <= _NEARER * top:
            found = _face(free_map, offset, parts, slacks, free, top)
        if found is not None:
            return found
        try:
            newton = _NewtonStep(free_map, parts, slacks)
        except np.linalg.LinAlgError:
            break
        _, _, parts_step, slacks_step = newton.towards(-parts * slacks)
        ahead = parts + _length(parts, parts_step) * parts_step
        gap_ahead = np.sum(ahead * (slacks + _length(slacks, slacks_step) * slacks_step))
        target = (gap_ahead / gap) ** 3 * gap / (2 * count)
        free_step, top_step, parts_step, slacks_step = newton.towards(
            target - parts * slacks - parts_step * slacks_step
        )
        # not all the way to the boundary
        parts = parts + 0.99 * _length(parts, parts_step) * parts_step
        length = 0.99 * _length(slacks, slacks_step)
        free, top = free + length * free_step, top + length * top_step
    raise LinearProgramError("min ||c + C^T b||_inf was not solved by the interior-point method")


class _NewtonStep:
    """Newton's steps of the interior-point method from one iterate, with one factorization."""

    def __init__(self, free_map, parts, slacks):
        self.free_map, self.parts, self.slacks = free_map, parts, slacks
        self.quotient = parts / slacks
        scaled = free_map * np.sqrt(self.quotient.sum(axis=0))
        self.factor = cho_factor(scaled @ scaled.T, overwrite_a=True, check_finite=False)
        # the last row and column of the Newton matrix, those of top, are eliminated
        self.column = free_map @ (self.quotient[0] - self.quotient[1])
        self.through = cho_solve(self.factor, self.column, check_finite=False)
        self.pivot = self.column @ self.through - self.quotient.sum()

    def towards(self, change):
        """The step after which parts * slacks has changed by this, shape (2, n), to first order.

        Returns:
            the steps of (free, top, parts, slacks).
        """
        ratio = change / self.slacks
        kernel = self.parts[0] - self.parts[1] + ratio[0] - ratio[1]
        first = -cho_solve(self.factor, self.free_map @ kernel, check_finite=False)
        rest = 1.0 - self.parts.sum() - ratio.sum()
        top = (rest - self.column @ first) / self.pivot
        free = first + top * self.through
        z = self.free_map.T @ free
        slacks = np.array([top - z, top + z])
        return free, top, ratio - self.quotient * slacks, slacks


def _length(values, step):
    """The largest length <= 1 with ``values + length * step >= 0``."""
    return 1.0 / max(1.0, np.max(-step / values))


def _vertex(free_map, offset, parts, slacks):
    """(b, k) where r + 1 columns attain the maximum, if that is optimal; else None."""
    rows, count = free_map.shape
    likely = np.max(parts / slacks, axis=0)
    active = np.sort(np.argpartition(likely, count - rows - 1)[count - rows - 1 :])
    side = np.where(parts[0, active] >= parts[1, active], 1.0, -1.0)
    system = np.vstack([free_map[:, active] * side, np.ones(active.size)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)  # a zero pivot is looked for here
        factor = lu_factor(system, check_finite=False)
    if np.any(np.diag(factor[0]) == 0.0):
        return None
    whole = np.append(np.zeros(rows), 1.0)
    weights = lu_solve(factor, whole, check_finite=False)
    weights += lu_solve(factor, whole - system @ weights, check_finite=False)
    dual = lu_solve(factor, -side * offset[active], trans=1, check_finite=False)
    return _if_optimal(free_map, offset, active, side * weights, dual[:-1], -dual[-1])


def _face(free_map, offset, parts, slacks, free, top):
    """(b, k) where fewer columns attain the maximum, if that is optimal; else None.

    Many b do then; it is the one nearest to the iterate.
    """
    rows = free_map.shape[0]
    active = np.flatnonzero(np.max(parts - slacks, axis=0) > 0)
    if not 0 < active.size <= rows:
        return None
    side = np.where(parts[0, active] >= parts[1, active], 1.0, -1.0)
    system = np.vstack([free_map[:, active] * side, np.ones(active.size)])
    weights = np.linalg.lstsq(system, np.append(np.zeros(rows), 1.0), rcond=None)[0]
    dual = np.append(free, -top)
    dual += np.linalg.lstsq(system.T, -side * offset[active] - system.T @ dual, rcond=None)[0]
    return _if_optimal(free_map, offset, active, side * weights, dual[:-1], -dual[-1])


def _if_optimal(free_map, offset, active, entries, free, top):
    """(b, k) with these entries of k, if it is feasible and the values agree; else None."""
    kernel = np.zeros(offset.size)
    kernel[active] = entries
    height = np.abs(offset + free_map.T @ free).max()
    optimal = (
        abs(np.abs(entries).sum() - 1.0) <= _ROUNDING
        and np.abs(free_map[:, active] @ entries).max(initial=0.0) <= _ROUNDING
        and height <= top + _ROUNDING * max(1.0, np.abs(offset).max())
    )
    return (free, kernel) if optimal else None
