"""The linear programs over the kernel's unit ball, which differ in their objective only.

``max <c, k>`` subject to ``C k = 0``, ``||k||_1 <= 1``, for many c.  By duality the value is
``min_b ||c + C^T b||_inf``.  They are solved by the interior-point method that knows their shape
(:mod:`implicit_l1.linear.interior`).  Where that fails HiGHS follows, which drops entries of C
below 1e-9 and may end as "unknown" or "infeasible" where a program is neither, and at last
rational arithmetic.  A result is held against the definition: k and b prove each other optimal, or
the next method is tried.
"""

from functools import cached_property

import numpy as np
from scipy.optimize import linprog

from implicit_l1.linear.exact import (
    RankError,
    RationalMatrix,
    as_double,
    minimize,
    rationals_of,
)
from implicit_l1.linear.interior import (
    LinearProgramError,
    kernel_form,
    smallest_maxima,
    smallest_maximum,
)
from implicit_l1.linear.units import exponents, unit_of

# HiGHS's feasibility tolerance where a solution is refined afterwards, as options of SciPy
TIGHT = dict.fromkeys(("primal_feasibility_tolerance", "dual_feasibility_tolerance"), 1e-10)

# k and b that prove each other optimal up to this, against values of the order of 1, are taken.
_TOLERATED = 1e-9


class KernelPrograms:
    """``max <c, k>`` subject to ``C k = 0, ||k||_1 <= 1`` for many c, and the b that proves it.

    Args:
        free_map: C, shape (r, n), of full row rank; r may be 0.
    """

    def __init__(self, free_map: np.ndarray) -> None:
        self.free_map = free_map

    @cached_property
    def _form(self):
        return kernel_form(self.free_map)

    @cached_property
    def _rows(self):
        """Powers of two that bring the rows of C to the order of 1, shape (r,)."""
        return np.ldexp(1.0, -exponents(self.free_map, axis=1))

    def _by_interior_point(self, offset):
        """(k, b) by the interior-point method."""
        free, kernel = smallest_maximum(self._form, offset)
        return kernel, free

    def _by_highs(self, offset):
        """(k, b) by the dual simplex method, for the positive and the negative part of k."""
        unit = unit_of(offset)
        scaled = self._rows[:, None] * self.free_map
        ones = np.ones(offset.size)
        result = linprog(
            -np.concatenate([offset, -offset]) / unit,
            A_eq=np.hstack([np.vstack([scaled, ones]), np.vstack([-scaled, ones])]),
            b_eq=np.append(np.zeros(len(scaled)), 1.0),
            method="highs-ds",
            options=TIGHT,
        )
        if result.status != 0:
            raise LinearProgramError(result.message)
        positive, negative = result.x.reshape(2, -1)
        return positive - negative, unit * self._rows * result.eqlin.marginals[:-1]

    def _exactly(self, offset, likely):
        """(k, b) in rational arithmetic: ``min ||k||_1`` subject to ``C k = 0, <c, k> = 1``.

        Its dual vector is (b, 1) over the value; where that is 0, there is no such k.

        Args:
            likely: k, approximately.
        """
        goal = rationals_of([*np.zeros(len(self.free_map)), 1.0])
        vertex = minimize(
            RationalMatrix(np.vstack([self.free_map, offset])),
            goal,
            [1] * offset.size,
            np.argsort(-np.abs(likely), kind="stable"),
        )
        *free, value = vertex.dual
        kernel = np.zeros(offset.size)
        kernel[vertex.basis] = [as_double(x / value) for x in vertex.values]
        return kernel, np.array([as_double(b / value) for b in free])

    def _defect(self, offset, kernel, free):
        """How far k and b are from proving each other optimal, against values of order 1."""
        height = np.abs(offset + free @ self.free_map).max()
        unit = max(height, np.abs(offset).max())
        residual = np.abs(self._rows * (self.free_map @ kernel)).max()
        return max(abs(height - offset @ kernel) / unit, residual)

    def solve(self, offset: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(k, b) for c = offset: k of shape (n,), b of shape (r,) minimizing ``||c + C^T b||_inf``.

        Raises:
            LinearProgramError: naming the program, if it is not solved.
        """
        if not np.all(np.isfinite(offset)):
            raise LinearProgramError(f"the linear program {name} has numbers beyond the doubles")
        if not len(self.free_map):
            kernel = np.zeros(offset.size)
            largest = np.argmax(np.abs(offset))
            kernel[largest] = 1.0 if offset[largest] >= 0 else -1.0
            return kernel, np.zeros(0)
        rows, count = self.free_map.shape
        if rows == count:
            return np.zeros(count), np.linalg.solve(self.free_map.T, -offset)
        if not offset.any():
            return np.zeros(count), np.zeros(rows)
        likely = offset
        reason: str | Exception = "its value is 0, or all methods have failed"
        for solve in (self._by_interior_point, self._by_highs):
            try:
                likely, free = solve(offset)
            except (LinearProgramError, np.linalg.LinAlgError) as error:
                reason = error
                continue
            if self._defect(offset, likely, free) <= _TOLERATED:
                # the value is 0: any kernel vector attains it, what rounding left is none
                lost = np.abs(likely).sum() <= _TOLERATED
                return np.zeros(count) if lost else likely, free
        try:
            return self._exactly(offset, likely)
        except ArithmeticError as error:
            reason = error
        except RankError:
            pass
        raise LinearProgramError(f"the linear program {name} is not solved: {reason}")

    def solve_all(
        self, offsets: np.ndarray, name: str, enough: float = -np.inf
    ) -> tuple[np.ndarray, np.ndarray]:
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
        if 0 < rows < count:
            some = offsets.any(axis=1)
            free[some], kernel[some] = smallest_maxima(self._form, offsets[some], enough)
            # rounding may have left the iterates of some b outside of the range of C^T
            ended = np.flatnonzero(some & ~kernel.any(axis=1))
            heights = np.abs(offsets[ended] + free[ended] @ self.free_map).max(axis=1)
            kernel[ended[heights > enough * (1.0 + _TOLERATED)]] = np.nan
        for place in np.flatnonzero(np.isnan(kernel[:, 0])):
            kernel[place], free[place] = self.solve(offsets[place], name)
        return kernel, free


def least_norm_vertex(matrix: np.ndarray, data: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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
    mirror = data.copy()
    mirror[0] += np.copysign(np.linalg.norm(data), data[0])
    mirror *= np.sqrt(2.0 / (mirror @ mirror))
    reflected = matrix - np.outer(mirror, mirror @ matrix)
    kernel, free = KernelPrograms(reflected[1:]).solve(offset, "of basis pursuit")
    free = np.append(0.0, free)
    free -= mirror * (mirror @ free)
    norm = 1.0 / (offset @ kernel)
    return norm * kernel, norm * (gain + free)
