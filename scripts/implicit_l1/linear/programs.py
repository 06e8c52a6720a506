"""The linear programs over the kernel's unit ball, which differ in their objective only.

``max <c, k>`` subject to ``C k = 0``, ``||k||_1 <= 1`` (or = 1), for many c: HiGHS keeps
the last basis, so each starts where the one before ended.  By duality the value is
``min_b ||c + C^T b||_inf``.  Large programs, and many at once, are solved by an interior-point
method that knows their shape.
"""

from contextlib import suppress
from functools import cached_property

import highspy
import numpy as np

from implicit_l1.linear.interior import (
    LinearProgramError,
    kernel_form,
    smallest_maxima,
    smallest_maximum,
)
from implicit_l1.linear.units import exponents, unit_of

# HiGHS's feasibility tolerance where a solution is refined afterwards, and as options of SciPy
TOLERANCE = 1e-10

TIGHT = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}

# HiGHS drops entries of a matrix below 1e-9, or below what it is told; it takes no less than this
HIGHS_OPTIONS = {"output_flag": False, "parallel": "off", "small_matrix_value": 1e-12}


def kernel_ball(free_map, smallest, tolerance=None, **options):
    """The program without an objective, k in its positive and negative parts.

    Args:
        free_map: C, shape (r, n); r may be 0.
        smallest: lower bound of the sum of the parts, at most 1.
        tolerance: feasibility tolerance of the solver; its own default if None.
        options: of HiGHS; by default its primal simplex method, since only the objective changes.
    Returns:
        a HiGHS instance.
    """
    size, count = free_map.shape
    return _program(
        kernel_ball_constraints(free_map),
        np.zeros(2 * count),
        np.append(np.zeros(size), smallest),
        np.append(np.zeros(size), 1.0),
        **{"simplex_strategy": 4, **options},
        **({} if tolerance is None else dict.fromkeys(TIGHT, tolerance)),
    )


def kernel_ball_constraints(free_map):
    """The matrix of its constraints: C, and a row of ones; shape (r + 1, 2 n)."""
    ones = np.ones(free_map.shape[1])
    return np.hstack([np.vstack([free_map, ones]), np.vstack([-free_map, ones])])


def _program(matrix, cost, lower, upper, **options):
    """HiGHS with ``max <cost, x>`` subject to ``lower <= matrix x <= upper``, ``x >= 0``."""
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
    for name, value in {**HIGHS_OPTIONS, **options}.items():
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


class KernelPrograms:
    """``max <c, k>`` subject to ``C k = 0, ||k||_1 <= 1`` (or = 1) for many c, and the b that
    proves it.

    One by one, the small by the simplex method with hot starts; large ones, and many at once,
    by :func:`smallest_maxima`, and where that fails by the simplex method.  The simplex method
    drops small entries and may end as "unknown" or "infeasible" where a program is neither, so
    its result is held against the definition: k and b prove each other optimal, or other ways
    are tried, and the best result is taken.

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

    @cached_property
    def _form(self):
        return kernel_form(self.free_map)

    @cached_property
    def _size(self):
        """The largest entry of each row of C, 1 where it is 0, shape (r,)."""
        size = np.abs(self.free_map).max(axis=1, initial=0.0)
        return np.where(size > 0.0, size, 1.0)

    def _solved_by(self, highs, offset, name):
        """(k, b, basis) by HiGHS for c = offset."""
        unit = unit_of(offset) if offset.any() else 1.0
        cost = np.concatenate([offset, -offset]) / unit
        highs.changeColsCost(cost.size, np.arange(cost.size, dtype=np.int32), cost)
        _run(highs, name)
        solution = highs.getSolution()
        parts = np.array(solution.col_value).reshape(2, -1)
        return parts[0] - parts[1], -unit * np.array(solution.row_dual)[:-1], self._basis(highs)

    def _basis(self, highs):
        basic = np.array(highs.getBasicVariables()[1])
        # rows come as -1 - row
        return np.where(basic >= 0, basic, 2 * self.free_map.shape[1] - 1 - basic)

    def _simplex(self, offset, name):
        """From the last basis."""
        try:
            return self._solved_by(self._highs, offset, name)
        except LinearProgramError:
            self._highs.clearSolver()  # the next c is not to start from here
            raise

    def _afresh(self, offset, name, **options):
        """With rows of C of the order of 1, from the start."""
        rows = 2.0 ** -exponents(self.free_map, axis=1) if len(self.free_map) else np.ones(0)
        highs = kernel_ball(rows[:, None] * self.free_map, self.smallest, self.tolerance, **options)
        kernel, free, basic = self._solved_by(highs, offset, name)
        return kernel, rows * free, basic

    def _interior(self, offset, name):
        """By the interior-point method; no basis where k does not tell it."""
        rows, count = self.free_map.shape
        if not rows or not offset.any():
            raise LinearProgramError(f"the linear program {name} is none of an interior point")
        free, kernel = smallest_maximum(self._form, offset)
        active = np.flatnonzero(kernel)
        if active.size != rows + 1:
            return kernel, free, None
        return kernel, free, np.where(kernel[active] > 0, active, count + active)

    def _first_interior(self, offset, name):
        """(k, b, basis) by the interior-point method; None where it is not used or fails."""
        if self.free_map.size >= LARGE and offset.any():
            with suppress(LinearProgramError):
                return self._interior(offset, name)
        return None

    def _defect(self, offset, kernel, free):
        """How far k and b are from proving each other optimal, against values of order 1."""
        height = np.abs(offset + free @ self.free_map).max()
        unit = max(height, np.abs(offset).max())
        residual = np.abs(self.free_map @ kernel) / self._size
        gap = abs(height - offset @ kernel)
        return max(gap / unit if unit > 0.0 else 0.0, residual.max(initial=0.0))

    def _by_simplex(self, offset, name, basis=False):
        """(k, b, basis) by the simplex method, or where its result is not optimal the best found.

        Args:
            basis: whether a basis is wanted.
        """
        best, least, failure = None, np.inf, None
        for solve, options in (
            (self._simplex, {}),
            (self._afresh, {"simplex_strategy": 1}),
            (self._interior, {}),
            (self._afresh, {"solver": "ipm"}),
        ):
            try:
                found = solve(offset, name, **options)
            except LinearProgramError as error:
                failure = failure or error
                continue
            if basis and found[2] is None:
                continue
            defect = self._defect(offset, *found[:2])
            if best is None or defect < least:
                best, least = found, defect
            if defect <= _TOLERATED * (self.tolerance or _USUAL_TOLERANCE):
                break
        if best is None:
            raise failure
        return best

    def solve(self, offset, name):
        """(k, b) for c = offset: k of shape (n,), b of shape (r,) minimizing ``||c + C^T b||_inf``.

        Raises:
            LinearProgramError: naming the program, if it is not solved.
        """
        found = self._first_interior(offset, name) or self._by_simplex(offset, name)
        return found[:2]

    def solve_all(self, offsets, name, enough=-np.inf):
        """(k, b) for many c at once, which takes less time than one by one.

        Args:
            offsets: c, one a row, shape (m, n).
            enough: where a value is at most this, k may be 0 and ``||c + C^T b||_inf`` anything
                up to this: that takes a fraction of the time.
        Returns:
            shapes (m, n) and (m, r), rows as in :meth:`solve`.
        Raises:
            LinearProgramError: naming the program, if one is not solved.
        """
        rows, count = self.free_map.shape
        kernel, free = np.full((len(offsets), count), np.nan), np.zeros((len(offsets), rows))
        if rows:
            some = offsets.any(axis=1)
            free[some], kernel[some] = smallest_maxima(self._form, offsets[some], enough)
        for place in np.flatnonzero(np.isnan(kernel[:, 0])):
            kernel[place], free[place], _ = self._by_simplex(offsets[place], name)
        return kernel, free

    def optimal_basis(self, offset, name):
        """Columns of ``[kernel_ball_constraints(C), identity]`` that are basic for c = offset.

        Returns:
            indices, shape (r + 1,).
        Raises:
            LinearProgramError: naming the program, if it is not solved.
        """
        found = self._first_interior(offset, name)
        if found is None or found[2] is None:
            found = self._by_simplex(offset, name, basis=True)
        return found[2]


# The solver's own tolerance; up to so many times the tolerance a result is taken for optimal
_USUAL_TOLERANCE = 1e-7

_TOLERATED = 10.0

# Entries of C from which on the interior-point method takes the place of the simplex method,
# whose time grows like the fourth power of N where d / N is fixed.  With random C, a program
# of rho takes about as long with either at 10 x 25 and basis pursuit at 20 x 80; a program of
# rho takes 0.006 s against 0.001 s at 45 x 95, 0.06 s against 0.003 s at 92 x 392, 4 s against
# 0.03 s at 190 x 1990, and 60 s against 0.25 s at 380 x 3980.
LARGE = 500
