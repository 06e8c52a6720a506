r"""The phase diagram of l1 recovery: rho of many planted signals, and which are recovered.

One linear program a signal, of rho of its support and signs
(:mod:`implicit_l1.minimizer.recovery`): below 1, with A_S injective, it proves that the signal is
the only minimizer, above 1 that it is none, so the l1 problem itself is not solved.  Problems of
one size and one number of nonzero entries are solved together, and rho is enclosed with rounding
bounded (:mod:`implicit_l1.proof.planted`).  Where the bounds leave it open on which side of 1 rho
is, the single problem is decided as others are, in ball or rational arithmetic.
"""

from dataclasses import dataclass

import numpy as np

from implicit_l1.linear.programs import solve_stack
from implicit_l1.linear.stacks import columns, solved, times
from implicit_l1.minimizer.recovery import recovery
from implicit_l1.proof.planted import RightInverses, planted_bounds
from implicit_l1.status import PROVED, UNDECIDED


@dataclass(frozen=True)
class Planted:
    """What is known of planted signals, shape (m,) each.

    Attributes:
        rho: of support and signs of each signal; inf if no nu has ``A_S^T nu = sigma``.
        lower, upper: rho lies between them, proved; 0 and inf where nothing is.
        recovered: whether it is proved to be the only l1 minimizer.
        status: "proved", that it is or that it is not; or undecided, and why.
    """

    rho: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    recovered: np.ndarray
    status: list[str]


def planted(right: RightInverses, signals: np.ndarray) -> Planted:
    """rho of planted signals, and whether l1 minimization recovers them without noise.

    Args:
        right: A of each problem, of full row rank.
        signals: x_0, shape (m, d), each with the same number of nonzero entries, at most N.
    """
    count, size = len(signals), np.count_nonzero(signals[0])
    supports = np.nonzero(signals)[1].reshape(count, size)
    signs = np.take_along_axis(np.sign(signals), supports, 1)
    duals, kernels = _guesses(right, supports, signs)
    lower, upper = planted_bounds(right, supports, signs, duals, kernels)
    off = signals == 0.0
    rho = np.abs(times(duals, right.matrices)).max(axis=1, where=off, initial=0.0)
    recovered, status = upper < 1.0, [PROVED] * count
    for place in np.flatnonzero((lower < 1.0) & ~recovered):
        matrix, signal = right.matrices[place], signals[place]
        found = recovery(matrix, matrix @ signal, signal)
        rho[place], recovered[place] = found.rho_planted, found.recovered
        if found.minimizer.status.startswith(UNDECIDED):
            status[place] = found.minimizer.status
    return Planted(rho, lower, upper, recovered, status)


def _guesses(right, supports, signs):
    """(nu, n), which nearly attain rho; shapes (m, N) and (m, d)."""
    matrices, size = right.matrices, supports.shape[1]
    count = matrices.shape[2]
    inside = np.zeros((len(supports), count), dtype=bool)
    np.put_along_axis(inside, supports, True, axis=1)
    complement = np.nonzero(~inside)[1].reshape(len(supports), count - size)
    on, off = columns(matrices, supports).mT, columns(matrices, complement).mT
    # as in the coordinates of a support: A_S = [Q1 Q2] [R; 0], M = R^-1 Q1^T A_Sc, C = Q2^T A_Sc
    basis, triangle = np.linalg.qr(on, mode="complete")
    image, free_basis, triangle = basis[..., :size], basis[..., size:], triangle[:, :size]
    starts = times(solved(triangle.mT, signs), image.mT)
    offsets = times(starts, off)
    kernel, free = solve_stack(free_basis.mT @ off, offsets, "of rho")
    duals = starts + times(free, free_basis.mT)
    kernels = np.zeros((len(supports), count))
    np.put_along_axis(kernels, complement, kernel, axis=1)
    within = -solved(triangle, times(times(kernel, off.mT), image))
    np.put_along_axis(kernels, supports, within, axis=1)
    # once more, which takes off most of what rounding leaves outside of the kernel
    residuals = times(kernels, matrices.mT)
    return duals, kernels - times(residuals, right.inverses.mT)
