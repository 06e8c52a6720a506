r"""Limit points, and the selected minimizer, enclosed by the convexity of what they minimize.

**The test.**  Let ``F(t) = sum_i psi_i(u_i)`` with ``u_i = <a_i, t> + c_i`` and convex psi_i, less
a linear function of t, and let ``w_i = psi_i''(u_i) > 0`` at some t change by a factor of 2 at most
where u_i moves by at most reach_i.  With ``H = sum_i w_i a_i a_i^T``, regular, and ``r`` the
gradient of F at t, let ``e = sqrt(<r, H^{-1} r>)``.  If

.. math::
    2 e < reach_i \sqrt{w_i} \text{ for all } i,

then F has exactly one minimizer, and there u_i has moved by at most ``2 e / sqrt(w_i)``.

Proof: let ``||d|| = sqrt(<d, H d>)``, and rho > 2 e such that still ``rho < reach_i sqrt(w_i)``.
Since ``H >= w_i a_i a_i^T``, ``|<a_i, d>| <= ||d|| / sqrt(w_i)``: where ``||d|| <= rho`` no u_i
moves beyond its reach, the Hessian is at least H / 2, and ``<grad F(t + d), d> >= <r, d> +
||d||^2 / 2 >= ||d|| (||d|| / 2 - e)``.  That is positive where ``||d|| = rho``, so the minimizer is
inside, and as the gradient is 0 there, ``||d|| <= 2 e``.  (Derived for this project.)

It needs no coordinates, and no contraction: weights of any range, as those of the limit point are.
"""

from collections.abc import Sequence

import numpy as np
from flint import arb, arb_mat

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import column, exact_matrix, scaled, sign
from implicit_l1.proof.frame import NotProved

# |x_i| may move by this part: |x|^(-2) changes by a factor below 2, 1.25^2 or 0.75^-2.
_PART = 0.25


def enclose_limit_point(
    matrix: arb_mat, depth: float, alpha: arb, data: Sequence[arb], dual: arb_mat
) -> list[arb]:
    """x(alpha), d balls, from a guess of lam.

    u = z and ``psi = alpha q_D^*``, so ``w = alpha phi_D'(z)``, by which x follows z.

    Args:
        matrix: A, N rows of d balls, of full row rank; depth: D; alpha: a ball.
        data: y, N balls; dual: lam, N balls in a column.
    Raises:
        NotProved: if the guess is not good enough for the working precision.
    """
    phi, transposed = BallPotential(depth), matrix.transpose()
    try:
        z = (transposed * dual).entries()
        values = phi.with_slopes(z)
        point, weights = ([alpha * pair[place] for pair in values] for place in (0, 1))
        gradient = matrix * column(point) - column(data)
        moves = _moves(matrix, weights, phi.reaches(z, arb(2).log()), gradient)
    except ArithmeticError as error:
        raise NotProved(f"no limit point is proved near the guess of lam: {error}") from error
    rows = zip(point, weights, moves, strict=True)
    return [x + arb(0, (2 * w * move).upper()) for x, w, move in rows]


def moved_onto(on: np.ndarray, basis: Sequence[int], data: Sequence[arb], point: list) -> list[arb]:
    """x_S near a point with ``A_S x_S = y``, which is known to have a solution.

    Args:
        on: A_S, shape (N, k); basis: independent columns of it, as many as its rank.
        data: y, N balls; point: k balls.
    Raises:
        NotProved: if the columns are not independent to the working precision.
    """
    part, missing = exact_matrix(on[:, basis]), column(data) - exact_matrix(on) * column(point)
    moved = list(point)
    try:
        # the one solution, where there is one
        move = (part.transpose() * part).solve(part.transpose() * missing).entries()
    except ZeroDivisionError as error:
        raise NotProved("the columns of the support need more bits") from error
    for place, change in zip(basis, move, strict=True):
        moved[place] += change
    return moved


def enclose_selected(kernel: arb_mat, depth: float, point: Sequence[arb]) -> list[arb]:
    """The minimizer without zeros that the flow from ones selects, k balls, from a guess.

    u = x_S, which moves along the kernel of A_S; psi is ``|x| log|x| - |x|`` for D = 2 and a
    multiple of ``-|x|^(2/D)`` for D > 2, so that w is ``|x|^(-1-1/p)``.

    Args:
        kernel: a basis of the kernel of A_S, k rows; depth: D.
        point: k balls, of which one choice solves ``A_S x_S = y``, of the signs of the minimizer.
    Raises:
        NotProved: if the guess is not good enough for the working precision.
    """
    power = arb(0) if depth == 2 else 1 - 2 / arb(depth)  # 1/p
    sizes, rows = [abs(x) for x in point], kernel.transpose()
    try:
        bends = [size**-power for size in sizes]
        slopes = [size.log() for size in sizes] if depth == 2 else [-b / power for b in bends]
        gradient = rows * column([sign(x) * g for x, g in zip(point, slopes, strict=True)])
        weights = [bend / size for bend, size in zip(bends, sizes, strict=True)]
        moves = _moves(rows, weights, [_PART * size for size in sizes], gradient)
    except ArithmeticError as error:
        raise NotProved(f"the minimizer that is selected is not proved: {error}") from error
    return [x + arb(0, move) for x, move in zip(point, moves, strict=True)]


def _moves(rows, weights, reaches, gradient):
    """Upper bounds of how far each u_i is from that of the minimizer; a_i is column i of `rows`."""
    hessian = scaled(rows, None, weights) * rows.transpose()
    energy = (gradient.transpose() * hessian.solve(gradient))[0, 0]
    length = 2 * arb(abs(energy).upper()).sqrt()
    roots = [weight.sqrt() for weight in weights]
    if not all(length < reach * root for reach, root in zip(reaches, roots, strict=True)):
        raise ArithmeticError("it may be beyond the reach of the test")
    return [(length / root).upper() for root in roots]
