r"""Problem instances: A, x_0 and y.

Entries of A are rounded to multiples of 2^-36 and entries of x_0 to multiples of
2^-10, so that ``A x_0`` is exact in double precision and noiseless data are sparse
exactly, not up to 1e-16 (otherwise the l1 minimizer of the stored data would have N
nonzero entries).  With noise, ``y = A x_0 + e`` with ``||e||_2 = eta ||A x_0||_2``:
eta is relative, a choice of this project, and e has a uniform direction.

An instance has the same bits on every machine.  ``A x_0`` is exact, so the order in which
a BLAS adds does not matter; the squares of the two norms are added by math.fsum, which
rounds once; what else is done (products, quotients, square roots, one addition of vectors)
IEEE 754 fixes.  The tails of normal variates come from the system's logarithm, whose last
bits are not fixed: rounding A and the noise to their grids removes them.
"""

import math
from dataclasses import dataclass

import numpy as np

from implicit_l1.seeds import generator

_MATRIX_GRID = 2.0**36
_NOISE_GRID = 2.0**36
_SIGNAL_GRID = 2.0**10


class ProblemError(ValueError):
    """The instance violates what the theory assumes."""


@dataclass(frozen=True)
class Problem:
    """An instance of ``A x = y``.

    Attributes:
        matrix: A, shape (N, d), of full row rank, N < d.
        signal: x_0, shape (d,).
        data: y, shape (N,).
    """

    matrix: np.ndarray
    signal: np.ndarray
    data: np.ndarray


def _round(values, grid):
    return np.rint(values * grid) / grid


def _norm(vector):
    """The Euclidean norm, from a correctly rounded sum: np.linalg.norm depends on the BLAS."""
    return math.sqrt(math.fsum(vector * vector))


def gaussian(rng, rows, columns):
    """Independent entries N(0, 1/N), shape (N, d)."""
    return rng.standard_normal((rows, columns)) / np.sqrt(rows)


def rademacher(rng, rows, columns):
    """Independent entries of absolute value 1/sqrt(N) and random sign, shape (N, d)."""
    return rng.choice([-1.0, 1.0], (rows, columns)) / np.sqrt(rows)


ENSEMBLES = {"gaussian": gaussian, "rademacher": rademacher}


def magnitudes(rng, size, law, low=1.0, high=1.0):
    """Absolute values of the nonzero entries of x_0.

    Args:
        law: "constant" (all 1) or "uniform" (on [low, high]).
    """
    if law == "constant":
        return np.ones(size)
    if law == "uniform":
        return rng.uniform(low, high, size)
    raise ProblemError(f"unknown law of magnitudes {law!r}")


def random_problem(*, ensemble, N, d, s, eta, repetition, signal, seed) -> Problem:
    """Draw an instance.

    The streams of A, of x_0 and of the noise are named apart, so instances that
    differ in eta alone share A, x_0 and the noise's direction, and those that
    differ in s alone share A.

    Args:
        ensemble: a key of ENSEMBLES.
        N, d, s: rows, columns, nonzero entries of x_0.
        eta: relative noise level.
        repetition: index of the draw.
        signal: arguments of :func:`magnitudes`.
        seed: root of all streams.
    Raises:
        ProblemError: if A does not have full row rank, y = 0, or ``A x_0`` would
            not be exact.
    """
    axes = {"seed": seed, "ensemble": ensemble, "N": N, "d": d, "repetition": repetition}
    matrix = _round(ENSEMBLES[ensemble](generator(stream="matrix", **axes), N, d), _MATRIX_GRID)
    rng = generator(stream="signal", s=s, **axes)
    support = rng.choice(d, s, replace=False)
    x0 = np.zeros(d)
    x0[support] = rng.choice([-1.0, 1.0], s) * _round(magnitudes(rng, s, **signal), _SIGNAL_GRID)
    if (np.abs(matrix) @ np.abs(x0)).max() * _MATRIX_GRID * _SIGNAL_GRID >= 2.0**53:
        raise ProblemError(f"A x_0 is not exact in double precision with s = {s}")
    data = matrix @ x0
    if eta > 0:
        noise = generator(stream="noise", s=s, **axes).standard_normal(N)
        noise = _round(noise, _NOISE_GRID)
        data = data + eta * _norm(data) / _norm(noise) * noise
    return checked(Problem(matrix, x0, data))


def one_dimensional_kernel(*, m, rho) -> Problem:
    """The explicit family whose kernel is spanned by (-rho m, 1, ..., 1), N = m, d = m + 1.

    ``y = A e_1`` and g* = e_1 with null space constant rho exactly; for m = 1 this is
    A = [1, rho], the family of Wind, Antun and Hansen (arXiv:2307.07410) with
    epsilon = 1 - rho.  (Derived for this project.)

    Args:
        m: number of rows, at least 1.
        rho: in [0, 1).
    """
    matrix = np.zeros((m, m + 1))
    matrix[0, 0] = 1.0
    matrix[0, 1:] = rho
    rows = np.arange(1, m)
    matrix[rows, rows] = 1.0
    matrix[rows, rows + 1] = -1.0
    signal = np.zeros(m + 1)
    signal[0] = 1.0
    return checked(Problem(matrix, signal, matrix[:, 0].copy()))


def checked(problem) -> Problem:
    """The same problem, if A is finite with full row rank and N < d, and y is not 0.

    Raises:
        ProblemError: otherwise.
    """
    matrix, data = problem.matrix, problem.data
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(data))):
        raise ProblemError("A or y has an entry that is not finite")
    if matrix.shape[0] >= matrix.shape[1]:
        raise ProblemError(f"A must have fewer rows than columns, its shape is {matrix.shape}")
    singular = np.linalg.svd(matrix, compute_uv=False)
    if singular[-1] <= singular[0] * np.finfo(float).eps * max(matrix.shape):
        raise ProblemError(
            f"A does not have full row rank: its singular values end at {singular[-1]:.1e} "
            f"with {singular[0]:.1e} the largest"
        )
    if not np.any(data):
        raise ProblemError("y = 0: the l1 minimizer is 0 and there is nothing to measure")
    return problem


def least_norm_interpolator(matrix, data):
    """The solution of ``A x = y`` of least Euclidean norm, shape (d,)."""
    return np.linalg.lstsq(matrix, data, rcond=None)[0]
