r"""The phase diagram of l1 recovery: rho of many planted signals, and which are recovered.

One linear program a signal, of rho of its support and signs
(:mod:`implicit_l1.minimizer.recovery`): below 1, with A_S injective, it proves that the signal is
the only minimizer, above 1 that it is none, so the l1 problem itself is not solved.  Problems of
one size and one number of nonzero entries are solved together, and rho is enclosed with rounding
bounded (:mod:`implicit_l1.proof.planted`).  Where the bounds leave it open on which side of 1 rho
is, are wide, or do not hold what was found, the single problem is decided as others are, in ball
or rational arithmetic.
"""

from dataclasses import dataclass

import numpy as np

from implicit_l1.linear.interior import basis_form, kernel_form, smallest_maxima
from implicit_l1.linear.stacks import columns, times
from implicit_l1.minimizer.recovery import recovery
from implicit_l1.proof.planted import RightInverses, planted_bounds
from implicit_l1.status import PROVED, UNDECIDED

# Bounds that are this part of rho apart leave digits of it open that figures show.
_WIDE = 1e-6


@dataclass(frozen=True)
class Planted:
    """What is known of planted signals, shape (m,) each.

    Attributes:
        rho: of support and signs of each signal; inf if no nu has ``A_S^T nu = sigma``; nan where
            it is not known.  In the bounds where these are near each other, else good to 1e-9.
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
        signals: x_0, shape (m, d), each with the same number of nonzero entries, at most N, and
            such that ``A x_0`` is exact in doubles.
    Raises:
        ValueError: if they have more.
    """
    count, size = len(signals), np.count_nonzero(signals[0])
    rows = right.matrices.shape[1]
    if size > rows:
        raise ValueError(f"the signals have {size} nonzero entries, A has N = {rows} rows")
    supports = np.nonzero(signals)[1].reshape(count, size)
    signs = np.take_along_axis(np.sign(signals), supports, 1)
    left, duals, kernels = _guesses(right, supports, signs)
    lower, upper = planted_bounds(right, supports, signs, left, duals, kernels)
    off = signals == 0.0
    rho = np.abs(times(duals, right.matrices)).max(axis=1, where=off, initial=0.0)
    recovered, status = upper < 1.0, [PROVED] * count
    open_ = (lower < 1.0) & ~recovered
    wide = ~np.isfinite(upper) | (upper - lower > _WIDE * upper)
    wide |= ~((lower <= rho) & (rho <= upper))  # of a nu that has lost digits
    for place in np.flatnonzero(open_ | wide):
        matrix, signal = right.matrices[place], signals[place]
        found = recovery(matrix, matrix @ signal, signal)
        rho[place] = found.rho_planted
        if open_[place]:
            recovered[place] = found.recovered
            if found.minimizer.status.startswith(UNDECIDED):
                status[place] = found.minimizer.status
    return Planted(rho, lower, upper, recovered, status)


def _guesses(right, supports, signs):
    """(L, nu, n): left inverses of A_S, and what nearly attains rho.

    Shapes (m, s, N), (m, N) and (m, d); nan where a matrix is singular or a program not solved.
    """
    matrices = right.matrices
    inside = np.zeros((len(matrices), matrices.shape[2]), dtype=bool)
    np.put_along_axis(inside, supports, True, axis=1)
    complement = np.nonzero(~inside)[1].reshape(len(matrices), -1)
    on, off = columns(matrices, supports).mT, columns(matrices, complement).mT
    left = _left_inverses(on)
    offsets = times(times(signs, left), off)
    heights, kernel = _solved_programs(right, on, off, complement, offsets)
    directions = np.zeros(inside.shape)
    np.put_along_axis(directions, supports, signs, axis=1)
    np.put_along_axis(directions, complement, heights, axis=1)
    kernels = np.zeros(inside.shape)
    np.put_along_axis(kernels, complement, kernel, axis=1)
    np.put_along_axis(kernels, supports, -times(times(kernel, off.mT), left.mT), axis=1)
    # what rounding leaves outside of the kernel
    kernels -= times(times(kernels, matrices.mT), right.inverses.mT)
    return left, times(directions, right.inverses), kernels


def _left_inverses(on):
    """``(A_S^T A_S)^{-1} A_S^T``, shape (m, s, N)."""
    try:
        return np.linalg.solve(on.mT @ on, on.mT)
    except np.linalg.LinAlgError:  # one is singular
        return np.linalg.pinv(on)


def _solved_programs(right, on, off, complement, offsets):
    """(z, k): ``z = c + C^T b`` of the smallest maximum and the k that proves it, shape (m, d - s).

    k is of the n_Sc with n in ker A, which are the kernel of ``C = Q2^T A_Sc``, with
    ``A_S = [Q1 Q2] [R; 0]``.  Where it is of lower dimension than C has rows, a basis takes less
    time.
    """
    rows, size = on.shape[1:]
    heights, kernel = np.full(offsets.shape, np.nan), np.full(offsets.shape, np.nan)
    zero = ~offsets.any(axis=1)
    heights[zero] = kernel[zero] = 0.0
    if rows == size:
        largest = np.abs(offsets).argmax(axis=1)[:, None]
        sides = np.sign(np.take_along_axis(offsets, largest, 1))
        np.put_along_axis(kernel := np.zeros(offsets.shape), largest, sides, axis=1)
        return offsets, kernel
    some = ~zero & np.isfinite(offsets).all(axis=1)
    if not some.any():
        return heights, kernel
    if right.kernels.shape[1] <= rows - size:
        basis = np.linalg.qr(columns(right.kernels, complement)[some])[0].mT
        free, kernel[some] = smallest_maxima(basis_form(basis), offsets[some])
    else:
        free_basis = np.linalg.qr(on[some], mode="complete")[0][..., size:]
        maps = free_basis.mT @ off[some]
        free, kernel[some] = smallest_maxima(kernel_form(maps), offsets[some])
        free = times(free, maps)
    heights[some] = offsets[some] + free
    return heights, kernel
