"""``min_b ||c + C^T b||_inf`` for c that change little from one to the next."""

import numpy as np

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.linear.programs import TOLERANCE, KernelPrograms, kernel_ball_constraints

# A basis is optimal up to this part of the numbers of which the deviations are made.
_OPTIMAL = 1e-12


class ChebyshevProgram:
    """``min_b ||c + C^T b||_inf`` for many c, each started from the solution for the last.

    Solved in its dual form, ``max <c, k>`` subject to ``C k = 0, ||k||_1 = 1``, in which
    only the objective depends on c; b is recovered from the optimal basis to full
    accuracy, which the tolerances of a solver would not give at c of size 1e5.

    The optimal basis of one c is feasible for the next, and few exchanges away from optimal
    where c has changed little.  The first, and those that are far, come from
    :class:`KernelPrograms`.
    """

    def __init__(self, free_map):
        self.free_map = free_map
        self.programs = KernelPrograms(free_map, TOLERANCE, smallest=1.0)
        # a basis may hold slacks
        self.columns = np.hstack([kernel_ball_constraints(free_map), np.eye(free_map.shape[0] + 1)])
        self.basic = self.inverse = None  # the last basis, as indices of columns

    def solve(self, scale, direction, margin, shift, name):
        """(b, k, gap) for ``c = scale * direction + shift``.

        Args:
            margin: 1 - |direction|.
            name: what the program is, for the message of an error.
        """
        free_map = self.free_map
        size, count = free_map.shape
        c = scale * direction + shift
        if size == 0:
            k = np.zeros(count)
            largest = np.argmax(np.abs(c))
            k[largest] = 1.0 if c[largest] >= 0 else -1.0
            return np.zeros(0), k, 0.0
        # the costs +-c less the part scale * rho that they have in common, so that only the
        # differences are rounded
        side = np.array([[1.0], [-1.0]])
        below = np.where(
            side * direction > 0,
            margin.min() - margin,
            -(np.abs(direction) + 1.0 - margin.min()),
        )
        cost = np.append(scale * below + side * shift, np.zeros(size + 1))
        if not self._exchange(cost):
            self._factor(self.programs.optimal_basis(c / max(np.abs(c).max(), 1e-300), name))
        free = -(cost[self.basic] @ self.inverse)[:size]
        parts = np.zeros(self.columns.shape[1])
        parts[self.basic] = self.inverse[:, -1]
        k = parts[:count] - parts[count : 2 * count]
        k /= np.abs(k).sum()
        height = np.abs(c + free_map.T @ free).max()
        gap = (height - k @ c) / max(height, 1e-300)
        if not gap < 1e-6:
            raise LinearProgramError(
                f"the linear program {name} is not solved: its relative gap is {gap:.1e}"
            )
        return free, k, gap

    def _factor(self, basic):
        self.basic, self.inverse = basic, np.linalg.inv(self.columns[:, basic])

    def _exchange(self, cost, steps=100):
        """Whether the basis can be made optimal for this cost by so many steps from the last one.

        Stiefel's exchange algorithm for Chebyshev approximation (*Über diskrete und lineare
        Tschebyscheff-Approximationen*, Numer. Math. 1, 1959), that is the primal simplex
        method: the column of the largest deviation enters, and of those in the basis the one
        leaves whose weight is the first to vanish.
        """
        count = self.free_map.shape[1]
        if self.basic is None or self.basic.max() >= 2 * count:
            return False
        exact = True  # the inverse is not an update of another one
        for _ in range(steps):
            dual = cost[self.basic] @ self.inverse
            deviation = dual[:-1] @ self.free_map
            excess = cost[: 2 * count] - np.append(deviation, -deviation) - dual[-1]
            entering = np.argmax(excess)
            reach = np.abs(cost[entering]) + np.abs(deviation).max() + np.abs(dual[-1])
            if excess[entering] <= _OPTIMAL * reach:
                if exact:
                    return True
                self._factor(self.basic)
                exact = True
                continue
            column = self.inverse @ self.columns[:, entering]
            weights = self.inverse[:, -1]
            falling = np.flatnonzero(column > 1e-9 * np.abs(column).max())
            leaving = falling[np.argmin(weights[falling] / column[falling])]
            self.basic[leaving] = entering
            pivot = self.inverse[leaving] / column[leaving]
            self.inverse -= np.outer(column, pivot)
            self.inverse[leaving] = pivot
            exact = False
        return False
