"""The linear programs over the kernel's unit ball, which differ in their objective only.

``max <c, k>`` subject to ``C k = 0``, ``||k||_1 <= 1`` (or = 1), for many c: HiGHS keeps
the last basis, so each starts where the one before ended.  By duality the value is
``min_b ||c + C^T b||_inf``.  A large program is solved by itself, by an interior-point
method that knows its shape.
"""

import warnings
from contextlib import suppress
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgWarning, cho_factor, cho_solve, lu_factor, lu_solve

# HiGHS's feasibility tolerance where a solution is refined afterwards, and as options of SciPy
TOLERANCE = 1e-10
TIGHT = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}


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
        a HiGHS instance.
    """
    size, count = free_map.shape
    return _program(
        kernel_ball_constraints(free_map),
        np.zeros(2 * count),
        np.append(np.zeros(size), smallest),
        np.append(np.zeros(size), 1.0),
        # primal: only the objective changes
        simplex_strategy=4,
        **({} if tolerance is None else dict.fromkeys(TIGHT, tolerance)),
    )


def kernel_ball_constraints(free_map):
    """The matrix of its constraints: C, and a row of ones; shape (r + 1, 2 n)."""
    ones = np.ones(free_map.shape[1])
    return np.hstack([np.vstack([free_map, ones]), np.vstack([-free_map, ones])])


def _program(matrix, cost, lower, upper, **options):
    """HiGHS with ``max <cost, x>`` subject to ``lower <= matrix x <= upper``, ``x >= 0``."""
    import highspy

    rows, count = matrix.shape
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, rows
    model.sense_ = highspy.ObjSense.kMaximize
    model.col_cost_ = cost
    model.col_lower_, model.col_upper_ = np.zeros(count), np.full(count, np.inf)
    model.row_lower_, model.row_upper_ = lower, upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_ = np.arange(count + 1, dtype=np.int32) * np.int32(rows)
    model.a_matrix_.index_ = np.tile(np.arange(rows, dtype=np.int32), count)
    model.a_matrix_.value_ = matrix.T.ravel()
    highs = highspy.Highs()
    for name, value in {"output_flag": False, "parallel": "off", **options}.items():
        highs.setOptionValue(name, value)
    highs.passModel(model)
    return highs


def _run(highs, name):
    """Solve.

    Raises:
        LinearProgramError: naming the program, if HiGHS does not call its solution optimal.
    """
    highs.run()
    status = highs.modelStatusToString(highs.getModelStatus())
    if status != "Optimal":
        raise LinearProgramError(f"the linear program {name} ended as: {status.lower()}")


def least_norm_vertex(matrix, data):
    """A vertex of ``argmin ||x||_1`` subject to ``A x = y``, to HiGHS's accuracy.

    The dual simplex method for the positive and negative parts of x.  Without presolve: it
    finds nothing to remove in a dense A and takes longer than the rest.

    Args:
        matrix: A, shape (N, d), of the order of 1.
        data: y, shape (N,), of the order of 1.
    Returns:
        x, shape (d,), with at most N entries that are not zero.
    Raises:
        LinearProgramError: if HiGHS does not solve it.
    """
    count = matrix.shape[1]
    highs = _program(
        np.hstack([matrix, -matrix]),
        -np.ones(2 * count),
        data,
        data,
        simplex_strategy=1,
        presolve="off",
        **TIGHT,
    )
    _run(highs, "of basis pursuit")
    parts = np.array(highs.getSolution().col_value)
    return parts[:count] - parts[count:]


class KernelPrograms:
    """``max <c, k>`` subject to ``C k = 0, ||k||_1 <= 1`` (or = 1) for many c, and the b that
    proves it.

    Small ones by the simplex method with hot starts; large ones one by one, by
    :func:`smallest_maximum`, and where that fails by the simplex method.

    Args:
        free_map: C, shape (r, n); r may be 0.
        tolerance: feasibility tolerance of the simplex method; HiGHS's default if None.
        smallest: lower bound of ``||k||_1``.
    """

    def __init__(self, free_map, tolerance=None, smallest=-np.inf):
        self.free_map, self.tolerance, self.smallest = free_map, tolerance, smallest

    @cached_property
    def _highs(self):
        return kernel_ball(self.free_map, self.smallest, self.tolerance)

    def _simplex(self, offset, name):
        """HiGHS after solving for c = offset, from the last basis."""
        cost = np.concatenate([offset, -offset])
        self._highs.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost)
        _run(self._highs, name)
        return self._highs

    def _interior(self, offset):
        """(b, k) by the interior-point method; None where it is not used or does not succeed."""
        if self.free_map.size >= LARGE and offset.any():
            with suppress(LinearProgramError):
                return smallest_maximum(self.free_map, offset)
        return None

    def solve(self, offset, name):
        """(k, b) for c = offset: k of shape (n,), b of shape (r,) minimizing ``||c + C^T b||_inf``.

        Raises:
            LinearProgramError: naming the program, if it is not solved.
        """
        found = self._interior(offset)
        if found is not None:
            free, kernel = found
            return kernel, free
        solution = self._simplex(offset, name).getSolution()
        parts = np.array(solution.col_value).reshape(2, -1)
        return parts[0] - parts[1], -np.array(solution.row_dual)[:-1]

    def optimal_basis(self, offset, name):
        """Columns of ``[kernel_ball_constraints(C), identity]`` that are basic for c = offset.

        Returns:
            indices, shape (r + 1,).
        Raises:
            LinearProgramError: naming the program, if it is not solved.
        """
        rows, count = self.free_map.shape
        found = self._interior(offset)
        if found is not None:
            active = np.flatnonzero(found[1])
            if active.size == rows + 1:  # otherwise the basis is not told by k
                return np.where(found[1][active] > 0, active, count + active)
        basic = np.array(self._simplex(offset, name).getBasicVariables()[1])
        return np.where(basic >= 0, basic, 2 * count - 1 - basic)  # rows come as -1 - row


# Entries of C from which on the interior-point method takes the place of the simplex method,
# whose time grows like the fourth power of N where d / N is fixed.  With random C, a program
# of rho takes about as long with either at 45 x 95, hot starts included, 0.06 s against 0.005 s
# at 92 x 392, 4 s against 0.04 s at 190 x 1990, and 60 s against 0.3 s at 380 x 3980.
LARGE = 4_000

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
