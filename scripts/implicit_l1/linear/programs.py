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

# HiGHS's feasibility tolerance where a solution is refined afterwards, and as options of SciPy
TOLERANCE = 1e-10
TIGHT = {"primal_feasibility_tolerance": TOLERANCE, "dual_feasibility_tolerance": TOLERANCE}

# HiGHS drops entries of a matrix below 1e-9, or below what it is told; it takes no less than this
HIGHS_OPTIONS = {"output_flag": False, "parallel": "off", "small_matrix_value": 1e-12}


class LinearProgramError(RuntimeError):
    """A linear program was not solved."""


def unit_of(values, axis=None):
    """The power of two nearest to the largest absolute value, along an axis if one is given.

    What solvers tolerate is absolute: they are given values of the order of 1, and a division
    by a power of two changes no digit.
    """
    return 2.0 ** np.rint(np.log2(np.abs(values).max(axis=axis)))


def divides(values, unit):
    """Whether a power of two divides all entries without rounding: none is lost to underflow."""
    with np.errstate(over="ignore", under="ignore"):
        return bool(np.array_equal(values / unit * unit, values))


def dividing_unit(values):
    """The unit of values where it divides them, else 1."""
    unit = unit_of(values)
    return unit if divides(values, unit) else 1.0


def exponents(values, axis):
    """The e with 2^(e - 1) <= largest absolute value < 2^e, along an axis; 0 where all are 0."""
    return np.frexp(np.abs(values).max(axis=axis))[1]


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

# A vertex, or an optimal face of fewer columns, is looked for as soon as the duality gap is
# below the share of one column; both are once it is below this fraction of the value.
_NEAR = 1e-6

# Weights and slacks are not negative up to this.
_ROUNDING = 1e-12

# Numbers in the largest array of programs that are solved at once: about what a cache holds.
_AT_ONCE = 2**17


def smallest_maximum(form, offset, steps=60):
    r"""``min_b ||c + C^T b||_inf`` and the kernel vector that proves it.

    By the method of :func:`smallest_maxima`.

    Args:
        form: of the kernel of C, by :func:`kernel_form`.
        offset: c, shape (n,), not a combination of the rows of C.
        steps: most steps.
    Returns:
        (b, k): b of shape (r,); k of shape (n,) with ``C k = 0``, ``||k||_1 = 1`` and
        ``<c, k> = ||c + C^T b||_inf``, zero but for r + 1 columns at most.
    Raises:
        LinearProgramError: if no solution is found that is optimal.
    """
    free, kernel = smallest_maxima(form, offset[None], steps=steps)
    if np.isnan(kernel[0, 0]):
        raise LinearProgramError(
            "min ||c + C^T b||_inf was not solved by the interior-point method"
        )
    return free[0], kernel[0]


def least_norm_vertex(matrix, data):
    r"""A minimizer of ``||x||_1`` subject to ``A x = y`` as the direction of a kernel vector.

    With Q an orthonormal basis of the complement of y, the multiples of the x with
    ``A x = y`` are the kernel of ``Q^T A`` (those with ``A x = 0`` aside).  Of the k in it
    with ``||k||_1 = 1`` the one with the largest ``<y, A k>`` is ``g* / ||g*||_1``.  With
    ``c = A^T y / ||y||_2^2`` the b that proves it attains ``min ||c + (Q^T A)^T b||_inf``, which
    is ``1 / ||g*||_1``, so ``nu = ||g*||_1 (y / ||y||_2^2 + Q b)``.  Householder's reflection of
    y to a multiple of the first unit vector has Q in its other columns.  (Derived for this
    project.)

    Args:
        matrix: A, shape (N, d), of the order of 1.
        data: y, shape (N,), of the order of 1.
    Returns:
        (x, nu), shapes (d,) and (N,); x has at most N entries that are not zero.
    Raises:
        LinearProgramError: if the linear program is not solved.
    """
    gain = data / (data @ data)
    offset = matrix.T @ gain
    if len(data) == 1:  # Q is empty
        kernel = np.zeros(offset.size)
        largest = np.argmax(np.abs(offset))
        kernel[largest] = np.sign(offset[largest])
        free = np.zeros(1)
    else:
        mirror = data.copy()
        mirror[0] += np.copysign(np.linalg.norm(data), data[0])
        mirror *= np.sqrt(2.0 / (mirror @ mirror))
        reflected = matrix - np.outer(mirror, mirror @ matrix)
        free, kernel = smallest_maximum(kernel_form(reflected[1:]), offset)
        free = np.append(0.0, free)
        free -= mirror * (mirror @ free)
    norm = 1.0 / (offset @ kernel)
    return norm * kernel, norm * (gain + free)


def smallest_maxima(form, offsets, enough=-np.inf, steps=60):
    r"""``min_b ||c + C^T b||_inf`` and the kernel vectors that prove it, for many c at once.

    Mehrotra's predictor-corrector method (*On the implementation of a primal-dual interior
    point method*, SIAM J. Optim. 2, 1992) for the program of :func:`kernel_ball` and its
    dual, from points strictly feasible for both.  It ends in finitely many steps
    (Ye, *On the finite convergence of interior-point algorithms for linear programming*,
    Math. Program. 57, 1992): an iterate tells which columns attain the maximum, the equations
    of these are solved, and if the solution is optimal it is the result.  So its accuracy is
    that of the solve, and b and k prove each other optimal, up to rounding.

    Args:
        form: of the kernel of C, by :func:`kernel_form`.
        offsets: c, one a row, shape (m, n).
        enough: the search for a value ends where b proves that it is at most this.
        steps: most steps.
    Returns:
        (b, k): shapes (m, r) and (m, n), rows as in :func:`smallest_maximum`; k = 0 where b was
        enough, and nan where no solution is found that is optimal.
    """
    units = unit_of(offsets, axis=1)[:, None]
    chunk = max(1, _AT_ONCE // form.map.size)
    places = range(chunk, len(offsets), chunk)
    solutions = [
        _smallest_maxima(form, *part, steps)
        for part in zip(
            np.split(offsets / units, places), np.split(enough / units, places), strict=True
        )
    ]
    free, kernel = (np.concatenate(part) for part in zip(*solutions, strict=True))
    return units / form.unit * free, kernel


def _smallest_maxima(form, offsets, enough, steps):
    """The same for c of the order of 1, and b for C of this order."""
    rows, count = form.free_map.shape
    free, kernel = (np.full((len(offsets), size), np.nan) for size in (rows, count))
    left = np.arange(len(offsets))
    # k is the first part less the second; the slacks are those of z <= top and -z <= top
    parts = np.full((left.size, 2 * count), 0.5 / count)
    z = offsets
    top = 1.1 * np.abs(offsets).max(axis=1, keepdims=True)
    for _ in range(steps):
        slacks = _both_sides(top, z)
        products = parts * slacks
        gap = products.sum(axis=1, keepdims=True)
        soon, near = ((gap <= part * top)[:, 0] for part in (1.0 / (rows + 1), _NEAR))
        # of r + 1 columns each has about the part 1 / (r + 1)
        few = np.sum((rows + 1) * parts * top > slacks, axis=1) <= rows // 2
        # where a product is not positive, rounding is all that is left
        going_on = products.min(axis=1) > 0
        low = np.abs(z).max(axis=1) <= enough[left, 0]
        for wanted, ending in (
            (low, _bounded),
            (soon & ~few | near, _vertices),
            (soon & few | near, _faces),
        ):
            tried = np.flatnonzero(wanted & going_on)
            if tried.size:
                at = left[tried]
                free[at], kernel[at] = ending(
                    form, offsets[at], parts[tried], slacks[tried], z[tried]
                )
                going_on[tried] = np.isnan(kernel[at, 0])
        if not going_on.all():
            left, parts, slacks, z, top, gap = (
                values[going_on] for values in (left, parts, slacks, z, top, gap)
            )
        if not left.size:
            break
        parts_step, z_step, top_step, slacks_step = _newton_step(form, parts, slacks, gap)
        # not all the way to the boundary
        parts = parts + 0.99 * _length(parts_step / parts) * parts_step
        length = 0.99 * _length(slacks_step / slacks)
        top, z = top + length * top_step, z + length * z_step
    return free, kernel


def _both_sides(top, z):
    """top - z and top + z, shape (m, 2 n)."""
    return np.concatenate([top - z, top + z], axis=1)


def _length(relative_step):
    """The largest length <= 1 with ``1 + length * step >= 0`` in each row, shape (m, 1)."""
    return 1.0 / np.maximum(1.0, -relative_step.min(axis=1, keepdims=True))


def _newton_step(form, parts, slacks, gap):
    """Mehrotra's step for (parts, z, top, slacks), from several iterates, one a row.

    With p the parts, s the slacks and e what ``p s`` shall be over s, to first order
    ``p + p' = e - (p / s) s'``.  With W the sum of the two quotients ``p / s`` and w their
    difference, ``k + k' = e_1 - e_2 - w top' + W z'``.  That this is in the kernel and z' in
    the range of C^T decides z' for a given top', and ``||k + k'||_1 = 1`` decides top'.  The
    predictor has e = 0, so ``p' / p = -1 - s' / s``.
    """
    count = slacks.shape[1] // 2
    quotient = parts / slacks
    weight = quotient[:, :count] + quotient[:, count:]
    difference = quotient[:, :count] - quotient[:, count:]
    gram = form.gram(weight)
    through = form.completion(gram, weight, difference)
    pivot = np.sum(weight + difference * through, axis=1, keepdims=True)

    predicted = _both_sides(-1.0, through) / (pivot * slacks)  # s' / s
    parts_ahead = parts * (1.0 - _length(-1.0 - predicted) * (1.0 + predicted))
    slacks_ahead = slacks * (1.0 + _length(predicted) * predicted)
    gap_ahead = np.sum(parts_ahead * slacks_ahead, axis=1, keepdims=True)
    target = (gap_ahead / gap) ** 3 * gap / (2 * count)

    goal = target / slacks + parts * (1.0 + predicted) * predicted
    z = form.completion(gram, weight, goal[:, :count] - goal[:, count:])
    excess = goal.sum(axis=1, keepdims=True) - 1.0
    top = (np.sum(difference * z, axis=1, keepdims=True) + excess) / pivot
    z = z - top * through
    step = _both_sides(top, z)
    return goal - parts - quotient * step, z, top, step


def _solved(systems, right):
    """Solutions of many systems of equations, shape (m, r); nan where one is singular."""
    try:
        return np.linalg.solve(systems, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        if len(systems) == 1:
            return np.full(right.shape, np.nan)
        one_by_one = zip(systems[:, None], right[:, None], strict=True)
        return np.concatenate([_solved(*one) for one in one_by_one])


def kernel_form(free_map):
    """The kernel of C as the interior-point method works with it.

    Args:
        free_map: C, shape (r, n), 0 < r < n, of full row rank.
    """
    rows, count = free_map.shape
    unit = unit_of(free_map)
    return (_Equations if 2 * rows <= count else _Basis)(free_map / unit, unit)


class _Equations:
    """The kernel of C as it is given, by r equations.

    Attributes:
        free_map, map: C, shape (r, n), of the order of 1.
        unit: what C was divided by.
    """

    def __init__(self, free_map, unit):
        self.free_map = self.map = free_map
        self.unit = unit

    def gram(self, weight):
        """``C W C^T`` for each diagonal W, shape (m, r, r)."""
        scaled = self.map * np.sqrt(weight)[:, None]
        return scaled @ scaled.swapaxes(1, 2)

    def completion(self, gram, weight, v):
        """The z in the range of C^T with ``C (v + W z) = 0``, shape (m, n)."""
        return -_solved(gram, v @ self.map.T) @ self.map

    def systems(self, others, active, side):
        """See :func:`_vertices`; shape (m, r + 1, r + 1)."""
        columns = self.map.T[active] * np.take_along_axis(side, active, axis=1)[..., None]
        return np.concatenate([columns, np.ones((*active.shape, 1))], axis=2).swapaxes(1, 2)

    def kernel(self, solution, active, side):
        """k from the solution of a system."""
        kernel = np.zeros(side.shape)
        np.put_along_axis(kernel, active, solution, axis=1)
        return side * kernel

    def free(self, systems, offset, others, active, side):
        """b from the transposed systems."""
        right = np.take_along_axis(-side * offset, active, axis=1)
        return _solved(systems.swapaxes(1, 2), right)[:, :-1]

    def coordinates(self, values):
        """The b with ``C^T b`` equal to rows of the range of C^T, shape (m, r)."""
        return _solved((self.map @ self.map.T)[None], values @ self.map.T)


class _Basis:
    """The kernel of C by an orthonormal basis Z: smaller systems where n - r < r.

    Attributes:
        free_map: C, shape (r, n), of the order of 1.
        map: Z^T, shape (n - r, n).
        unit: what C was divided by.
    """

    def __init__(self, free_map, unit):
        self.free_map, self.unit = free_map, unit
        basis, triangle = np.linalg.qr(free_map.T, mode="complete")
        self.range, self.map = np.split(basis.T, [len(free_map)])
        self.triangle = triangle[: len(free_map)]

    def gram(self, weight):
        """``Z^T W^{-1} Z`` for each diagonal W, shape (m, n - r, n - r)."""
        scaled = self.map / np.sqrt(weight)[:, None]
        return scaled @ scaled.swapaxes(1, 2)

    def completion(self, gram, weight, v):
        """The z with ``Z^T z = 0`` and ``v + W z = Z x``: ``Z^T W^{-1} (Z x - v) = 0``."""
        return (_solved(gram, (v / weight) @ self.map.T) @ self.map - v) / weight

    def systems(self, others, active, side):
        """See :func:`_vertices`; shape (m, n - r, n - r)."""
        return np.concatenate([self.map.T[others], (side @ self.map.T)[:, None]], axis=1)

    def kernel(self, solution, active, side):
        """k from the solution of a system."""
        return np.where(side == 0.0, 0.0, solution @ self.map)

    def free(self, systems, offset, others, active, side):
        """b from the transposed systems."""
        found = _solved(systems.swapaxes(1, 2), offset @ self.map.T)
        z = found[:, -1:] * side
        np.put_along_axis(z, others, found[:, :-1], axis=1)
        return self.coordinates(z - offset)

    def coordinates(self, values):
        """The b with ``C^T b`` equal to rows of the range of C^T, shape (m, r)."""
        return _solved(self.triangle[None], values @ self.range.T)


def _bounded(form, offset, parts, slacks, z):
    """(b, 0) with the b of the iterates."""
    return form.coordinates(z - offset), np.zeros(offset.shape)


def _vertices(form, offset, parts, slacks, _):
    """(b, k) where r + 1 columns attain the maximum; nan where that is not optimal.

    These columns J and their signs s decide k, by ``C_J k_J = 0`` and ``<s, k_J> = 1``, and,
    with the transposed matrix, b and the maximum: ``C_J^T b - top s = -c_J``.

    With a basis Z of the kernel and I the other columns, ``k = Z x`` and ``z = c + C^T b`` where
    ``Z_I x = 0`` and ``<Z_J^T s, x> = 1``, and with the transposed matrix
    ``Z_I^T z_I + top Z_J^T s = Z^T c``, since z - c is orthogonal to the kernel.  (Derived for
    this project.)
    """
    rows, count = form.free_map.shape
    likely = parts / slacks
    likely = np.maximum(likely[:, :count], likely[:, count:])
    order = np.argpartition(likely, count - rows - 1, axis=1)
    others, active = np.split(order, [count - rows - 1], axis=1)
    side = np.where(parts[:, :count] >= parts[:, count:], 1.0, -1.0)
    np.put_along_axis(side, others, 0.0, axis=1)
    systems = form.systems(others, active, side)
    right = np.zeros(systems.shape[:2])
    right[:, -1] = 1.0
    kernel = form.kernel(_solved(systems, right), active, side)
    free = np.full((len(offset), rows), np.nan)
    good = np.min(side * kernel, axis=1) >= -_ROUNDING
    if good.any():
        chosen = (values[good] for values in (systems, offset, others, active, side))
        free[good] = form.free(*chosen)
    return _if_optimal(form.free_map, offset, free, kernel)


def _faces(form, offset, parts, slacks, z):
    """(b, k) where fewer columns attain the maximum; nan where that is not optimal.

    Many b do then; it is the one nearest to the iterate.
    """
    free, kernel = form.coordinates(z - offset), np.zeros(offset.shape)
    for place, guess in enumerate(free):
        one = _face(form.free_map, offset[place], parts[place], slacks[place], guess)
        free[place], kernel[place] = one
    return _if_optimal(form.free_map, offset, free, kernel)


def _face(free_map, offset, parts, slacks, free):
    """The same for one c, from an approximate b."""
    rows, count = free_map.shape
    kernel = np.zeros(count)
    active = np.flatnonzero((parts > slacks).reshape(2, count).any(axis=0))
    if not 0 < active.size <= rows:
        return free, kernel
    side = np.where(parts[active] >= parts[count + active], 1.0, -1.0)
    system = np.vstack([free_map[:, active] * side, np.ones(active.size)])
    weights = np.linalg.lstsq(system, np.append(np.zeros(rows), 1.0), rcond=None)[0]
    kernel[active] = side * weights
    heights = side * (offset[active] + free @ free_map[:, active])
    # the step of b that makes them equal, and of their mean
    step = np.linalg.lstsq(system.T, heights.mean() - heights, rcond=None)[0]
    return free + step[:-1], kernel


def _if_optimal(free_map, offset, free, kernel):
    """(b, k) where each proves the other optimal, and the value is not 0; elsewhere nan."""
    height = np.abs(offset + free @ free_map).max(axis=1)
    value = np.sum(offset * kernel, axis=1)
    rounding = _ROUNDING * np.maximum(1.0, np.abs(offset).max(axis=1))
    optimal = (
        (np.abs(np.abs(kernel).sum(axis=1) - 1.0) <= _ROUNDING)
        & (np.abs(kernel @ free_map.T).max(axis=1) <= _ROUNDING)
        & (height - value <= rounding)
        & (value > rounding)
    )[:, None]
    return np.where(optimal, free, np.nan), np.where(optimal, kernel, np.nan)
