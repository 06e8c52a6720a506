"""Proof of the l1 minimizer: support, signs, values and uniqueness.

From a guess of its support S, ``A_S g_S = y`` is solved exactly (by the guess of g_S if it
fulfils the equations, else in rational arithmetic), or where |S| = N in balls; the signs sigma of
g_S, the injectivity of A_S and a vector nu with ``A_S^T nu = sigma``, ``||A_Sc^T nu||_inf < 1``
prove that g* is the unique l1 minimizer (Fuchs 2004; Foucart and Rauhut, *A Mathematical
Introduction to Compressive Sensing*, ch. 4).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from flint import arb, fmpq
from numpy.typing import ArrayLike

from implicit_l1.linear.exact import exact_product, rationals_of, solve_consistent
from implicit_l1.proof.balls import ball, is_positive, largest, sign, smallest
from implicit_l1.proof.frame import Frame, NotProved, checked_guess, prove_frame


@dataclass(frozen=True)
class ProvedMinimizer:
    """The unique l1 minimizer of (A, y), proved.

    Attributes:
        support: indices of S; sigma: the signs of g* there.
        values: enclosures of g*_S.
        frame: of S.
        margin: enclosure of ``1 - ||A_Sc^T nu||_inf`` for the dual certificate found.
        data: y as rational numbers, N of them.
    """

    support: np.ndarray
    sigma: np.ndarray
    values: list
    frame: Frame
    margin: arb
    data: list[fmpq]

    @property
    def point(self) -> list[arb]:
        """Enclosures of g*, d of them: exactly 0 off the support."""
        point = [arb(0)] * self.frame.matrix.doubles.shape[1]
        for index, value in zip(self.support, self.values, strict=True):
            point[index] = value
        return point

    @property
    def kappa(self) -> arb:
        """Enclosure of ``max|g*_S| / min|g*_S|``."""
        sizes = [abs(value) for value in self.values]
        return largest(sizes) / smallest(sizes)


def prove_minimizer(
    matrix: np.ndarray, data: Iterable, point: ArrayLike, nu: ArrayLike
) -> ProvedMinimizer:
    """Prove support, signs, value and uniqueness of the l1 minimizer.

    Args:
        matrix, data: A, shape (N, d), and y, doubles or rationals, N of them; both exact.
        point: a guess of g*, shape (d,); its support matters, its values save time.
        nu: a guess of a dual certificate, shape (N,).
    Raises:
        NotProved: naming the step that failed.
    """
    rows, columns = matrix.shape
    point, nu = checked_guess(point, (columns,)), checked_guess(nu, (rows,))
    support = np.flatnonzero(point)
    if not 0 < support.size <= rows:
        raise NotProved(f"a support of {support.size} columns in {rows} dimensions")
    frame = prove_frame(matrix, support)
    right = rationals_of(data)
    values = _solve_on_support(frame, right, point[support])
    sigma = np.array([sign(value) for value in values])
    if not np.all(sigma):
        raise NotProved("an entry of the minimizer is not proved different from 0")
    reached = frame.off(frame.feasible(sigma, nu)).largest()
    margin = 1 - reached
    if not is_positive(margin):
        raise NotProved(f"the dual vector is not strict, it reaches {reached.str(8)} off S")
    return ProvedMinimizer(support, sigma, values, frame, margin, right)


def _solve_on_support(frame, right, guess):
    """Enclosures of the solution of ``A_S g_S = y``.

    Raises:
        NotProved: if there is none.
    """
    on = frame.on.doubles
    if frame.basis.shape[1]:
        image = frame.on.times(guess)
        if all(value == arb(b) for value, b in zip(image, right, strict=True)):
            # balls without radius: it is the solution
            return [ball(value) for value in guess]
        solution = solve_consistent(on, right)
        if solution is None:
            raise NotProved("y is not a combination of the columns of the support")
        return [arb(value) for value in solution]
    values = frame.inverse.solve([arb(value) for value in right])
    # where g* is a vector of doubles it is known exactly, and may cancel against x_0
    guess = np.array([float(value) for value in values])
    image = frame.inverse.matrix.times(guess)
    if (
        np.all(np.isfinite(guess))
        and all(value.contains(arb(b)) for value, b in zip(image, right, strict=True))
        and exact_product(on, guess) == right
    ):
        return [ball(value) for value in guess]
    return values
