"""Basis pursuit: the l1 problem by a solver of cvxpy's or this project's own, and decided.

What the solver proposes (:mod:`implicit_l1.minimizer.proposals`) is decided in ball and rational
arithmetic (:mod:`implicit_l1.minimizer.decision`), so that the result does not depend on it.
"""

from collections.abc import Sequence

import numpy as np
from flint import fmpq

from implicit_l1.minimizer.decision import Minimizer, decide
from implicit_l1.minimizer.face import PIVOTS
from implicit_l1.minimizer.proposals import DEFAULT, proposals


def decide_minimizer(
    matrix: np.ndarray,
    data: np.ndarray,
    solver: str = DEFAULT,
    exact_data: Sequence[fmpq] | None = None,
    pivots: int = PIVOTS,
) -> Minimizer:
    """The l1 minimizer of ``A x = y``, and whether it is the only one, decided.

    Args:
        matrix: A, shape (N, d), exact as the doubles it holds.
        data: y, shape (N,).
        solver: one of :data:`implicit_l1.minimizer.proposals.SOLVERS`, whose proposals come first.
        exact_data: y as rational numbers, where `data` are their roundings.
        pivots: most pivots in rational arithmetic of one linear program.
    Raises:
        ValueError: if y = 0, or there is no such solver.
        BasisPursuitError: if A does not have full row rank.
    """
    return decide(matrix, data, proposals(matrix, data, solver), exact_data, pivots)
