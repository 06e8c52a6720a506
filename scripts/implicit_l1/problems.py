r"""Problem instances: A, x_0 and y.

Entries of A are rounded to multiples of 2^-36 and entries of x_0 to multiples of
2^-10, so that ``A x_0`` is exact in double precision and noiseless data are sparse
exactly, not up to 1e-16 (otherwise the l1 minimizer of the stored data would have N
nonzero entries).  With noise, ``y = A x_0 + e`` with ``||e||_2 = eta ||A x_0||_2``:
eta is relative, a choice of this project.  What A, the magnitudes of x_0 and e are drawn
from is registered in :mod:`implicit_l1.ensembles`.

An instance has the same bits on every machine.  ``A x_0`` is exact, so the order in which
a BLAS adds does not matter; the squares of the two norms are added by math.fsum, which
rounds once; what else is done (products, quotients, square roots, one addition of vectors)
IEEE 754 fixes.  The tails of normal variates, the waves of trigonometric ensembles and
powers come from the system's logarithm, cosine and power, whose last bits are not fixed:
rounding A, the magnitudes and the noise to their grids removes them.
"""

from dataclasses import dataclass

import numpy as np

from implicit_l1.ensembles import (
    ENSEMBLES,
    MAGNITUDES,
    NOISES,
    SMALLEST_MAGNITUDE,
    ProblemError,
    euclidean_norm,
    named,
)
from implicit_l1.seeds import generator

_MATRIX_GRID = 2.0**36
_NOISE_GRID = 2.0**36
_SIGNAL_GRID = 1.0 / SMALLEST_MAGNITUDE


@dataclass(frozen=True)
class Problem:
    """An instance of ``A x = y``.

    Attributes:
        matrix: A, shape (N, d), of full row rank, N < d.
        signal: x_0, shape (d,); nan where it is not known.
        data: y, shape (N,).
    """

    matrix: np.ndarray
    signal: np.ndarray
    data: np.ndarray


def _round(values, grid):
    return np.rint(values * grid) / grid


def magnitudes(rng, size, law, **parameters):
    """Absolute values of the nonzero entries of x_0, multiples of 2^-10, shape (size,).

    Args:
        rng: generator.
        size: how many, s.
        law: a key of MAGNITUDES.
        parameters: of the law.

    Raises:
        ProblemError: if there is no such law, its parameters are not allowed, or a magnitude
            rounds to 0.
    """
    entry = named(MAGNITUDES, law)
    values = _round(entry.draw(rng, size, **parameters), _SIGNAL_GRID)
    if entry.raised:
        return np.maximum(values, SMALLEST_MAGNITUDE)
    if not np.all(values):
        raise ProblemError(
            f"law of magnitudes {law} with s = {size}: a magnitude rounds to 0, "
            "they are multiples of 2^-10"
        )
    return values


def random_problem(
    *, ensemble, N, d, s, eta, repetition, signal, seed, parameters=None, noise=None
) -> Problem:
    """Draw an instance.

    The streams of A, of x_0 and of the noise are named apart, so instances that
    differ in eta alone share A, x_0 and the noise before it is scaled, and those that
    differ in s alone share A.  Parameters of the ensemble are part of all three names, like
    the ensemble, except ``normalized``.  Laws are part of none: instances that differ in the
    law of the magnitudes alone share A and the support and signs of x_0.

    Args:
        ensemble: a key of ENSEMBLES.
        N, d, s: rows, columns, nonzero entries of x_0.
        eta: relative noise level.
        repetition: index of the draw.
        signal: arguments of :func:`magnitudes`: ``law`` and the law's parameters.
        seed: root of all streams.
        parameters: of the ensemble, name -> value; those left out have their defaults.
        noise: ``law``, a key of NOISES, and the law's parameters; gaussian if None.

    Raises:
        ProblemError: if an ensemble, a law or a parameter is not what is registered, N >= d,
            A does not have full row rank, a magnitude rounds to 0, y = 0, or ``A x_0`` would
            not be exact.
    """
    law, parameters = named(ENSEMBLES, ensemble), parameters or {}
    noise = {"law": "gaussian"} if noise is None else dict(noise)
    noise_law = named(NOISES, noise.pop("law"))
    noise_law.complete(noise)  # a mistake is one without noise too
    _wide((N, d))
    axes = {"seed": seed, "ensemble": ensemble, "N": N, "d": d, "repetition": repetition}
    axes |= law.axes(parameters)
    matrix = law.draw(generator(stream="matrix", **axes), N, d, **parameters)
    matrix = _round(matrix, _MATRIX_GRID)
    rng = generator(stream="signal", s=s, **axes)
    support = rng.choice(d, s, replace=False)
    x0 = np.zeros(d)
    x0[support] = rng.choice([-1.0, 1.0], s) * magnitudes(rng, s, **signal)
    if (np.abs(matrix) @ np.abs(x0)).max() * _MATRIX_GRID * _SIGNAL_GRID >= 2.0**53:
        raise ProblemError(f"A x_0 is not exact in double precision with s = {s}")
    data = matrix @ x0
    if eta > 0:
        error = noise_law.draw(generator(stream="noise", s=s, **axes), N, **noise)
        error = _round(error, _NOISE_GRID)
        data = data + eta * euclidean_norm(data) / euclidean_norm(error) * error
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


def _wide(shape):
    if shape[0] >= shape[1]:
        raise ProblemError(f"A must have fewer rows than columns, its shape is {shape}")


def checked(problem) -> Problem:
    """The same problem, if A is finite with full row rank and N < d, and y is not 0.

    Raises:
        ProblemError: otherwise.
    """
    matrix, data = problem.matrix, problem.data
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(data))):
        raise ProblemError("A or y has an entry that is not finite")
    _wide(matrix.shape)
    if not _well_conditioned(matrix):
        singular = np.linalg.svd(matrix, compute_uv=False)
        if singular[-1] <= singular[0] * np.finfo(float).eps * max(matrix.shape):
            raise ProblemError(
                f"A does not have full row rank: its singular values end at {singular[-1]:.1e} "
                f"with {singular[0]:.1e} the largest"
            )
    if not np.any(data):
        raise ProblemError("y = 0: the l1 minimizer is 0 and there is nothing to measure")
    return problem


def _well_conditioned(matrix):
    """Whether it is plain that the smallest singular value is at least 1e-4 of the largest.

    It is where A A^T, less 1e-8 of its trace, has a Cholesky factor, which takes a fraction of
    the time of singular values: rounding is far below that.
    """
    gram = matrix @ matrix.T
    gram[np.diag_indices_from(gram)] -= 1e-8 * np.trace(gram)
    try:
        np.linalg.cholesky(gram)
    except np.linalg.LinAlgError:
        return False
    return True


def least_norm_interpolator(matrix, data):
    """The solution of ``A x = y`` of least Euclidean norm, shape (d,)."""
    return np.linalg.lstsq(matrix, data, rcond=None)[0]
