r"""Problem instances: A, x_0 and y.

Entries of A are rounded to multiples of 2^-36 and entries of x_0 to multiples of
2^-10, so that ``A x_0`` is exact in double precision and noiseless data are sparse
exactly, not up to 1e-16 (otherwise the l1 minimizer of the stored data would have N
nonzero entries).  With noise, ``y = A x_0 + e`` with ``||e||_2 = eta ||A x_0||_2``:
eta is relative, a choice of this project.  What A, the magnitudes of x_0 and e are drawn
from is registered in :mod:`implicit_l1.problems.ensembles`.

An instance has the same bits on every machine.  ``A x_0`` is exact, so the order in which
a BLAS adds does not matter; the squares of the two norms are added by math.fsum, which
rounds once; what else is done (products, quotients, square roots, one addition of vectors)
IEEE 754 fixes.  The tails of normal variates, the waves of trigonometric ensembles and
powers come from the system's logarithm, cosine and power, whose last bits are not fixed:
rounding A, the magnitudes and the noise to their grids removes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import fmpq

from implicit_l1.linear.exact import exact_product, rational_rank, rationals_of
from implicit_l1.linear.rank import equilibrated, well_conditioned
from implicit_l1.problems.ensembles import (
    ENSEMBLES,
    MAGNITUDES,
    NOISES,
    SMALLEST_MAGNITUDE,
    ProblemError,
    euclidean_norm,
    named,
)
from implicit_l1.problems.seeds import generator

_MATRIX_GRID = 2.0**36
_NOISE_GRID = 2.0**36
_SIGNAL_GRID = 1.0 / SMALLEST_MAGNITUDE

# Singular values are wrong by a small multiple of eps times the largest; where the smallest is
# not so many times d eps of it, the rank is decided exactly.
_SURE = 1e3


@dataclass(frozen=True)
class Rows:
    """Rows of A and y that are no part of a problem, to see how what solves it predicts them.

    Attributes:
        matrix: shape (t, d).
        data: shape (t,), not 0.
    """

    matrix: np.ndarray
    data: np.ndarray


@dataclass(frozen=True)
class Problem:
    """An instance of ``A x = y``.

    Attributes:
        matrix: A, shape (N, d), of full row rank, N < d.
        signal: x_0, shape (d,); nan where it is not known.
        data: y, shape (N,); where `preimage` is not None, y rounded to double precision.
        preimage: x, doubles, shape (d,), with ``y = A x`` exactly; None where y is what `data`
            holds.  (Drawn problems and families have none: there ``A x_0``, without noise, is
            exact in double precision.)
        noiseless_support: k > 0: a solution with k <= N/2 nonzero entries explains y to its
            rounding, see :func:`implicit_l1.problems.product.explanation`, and y is not taken
            as its image but at its word; where y is that image, its number of nonzero entries.
            0: no such solution is known.  -1: it was looked for, and the linear program failed.
        held_out: rows of the same data that are no part of it; None without any.
    """

    matrix: np.ndarray
    signal: np.ndarray
    data: np.ndarray
    preimage: np.ndarray | None = None
    noiseless_support: int = 0
    held_out: Rows | None = None

    @property
    def product(self) -> bool:
        """Whether y is the exact product of A and `preimage`."""
        return self.preimage is not None


def exact_data(problem: Problem) -> list[fmpq]:
    """y as rational numbers: the exact ``A x`` where it is a product, else the doubles as stored.

    What is proved of a problem is proved of this y, of which `data` is the rounding.

    Args:
        problem: a Problem.
    Returns:
        N numbers.
    """
    if problem.preimage is not None:
        return exact_product(problem.matrix, problem.preimage)
    return rationals_of(problem.data)


def _round(values, grid):
    return np.rint(values * grid) / grid


def magnitudes(
    rng: np.random.Generator, size: int, law: str, **parameters: float | bool
) -> np.ndarray:
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


@dataclass(frozen=True)
class Draw:
    """What names the streams of a random instance, see :func:`random_problem`.

    Attributes:
        ensemble: a key of ENSEMBLES.
        N, d: rows, columns.
        repetition: index of the draw.
        seed: root of all streams.
        parameters: of the ensemble, name -> value; those left out have their defaults.
    """

    ensemble: str
    N: int
    d: int
    repetition: int
    seed: int
    parameters: Mapping[str, float | bool]

    def generator(self, stream: str, **more: int) -> np.random.Generator:
        """The generator of a stream."""
        axes = {"seed": self.seed, "ensemble": self.ensemble, "N": self.N, "d": self.d}
        axes |= {"repetition": self.repetition} | more
        axes |= named(ENSEMBLES, self.ensemble).axes(self.parameters)
        return generator(stream=stream, **axes)

    def matrix(self) -> np.ndarray:
        """A, shape (N, d); that it has full row rank is not looked at here.

        Raises:
            ProblemError: if the ensemble or a parameter is not what is registered, or N >= d.
        """
        law = named(ENSEMBLES, self.ensemble)
        _wide((self.N, self.d))
        return _round(
            law.draw(self.generator("matrix"), self.N, self.d, **self.parameters), _MATRIX_GRID
        )

    def signal(self, matrix: np.ndarray, s: int, law: Mapping[str, Any]) -> np.ndarray:
        """x_0 with s nonzero entries, shape (d,), such that ``A x_0`` is exact.

        Args:
            matrix: A.
            s: how many.
            law: arguments of :func:`magnitudes`.

        Raises:
            ProblemError: if the law is not what is registered, or ``A x_0`` would not be exact.
        """
        rng = self.generator("signal", s=s)
        support = rng.choice(self.d, s, replace=False)
        x0 = np.zeros(self.d)
        x0[support] = rng.choice([-1.0, 1.0], s) * magnitudes(rng, s, **law)
        if (np.abs(matrix) @ np.abs(x0)).max() * _MATRIX_GRID * _SIGNAL_GRID >= 2.0**53:
            raise ProblemError(f"A x_0 is not exact in double precision with s = {s}")
        return x0


def random_problem(
    *,
    ensemble: str,
    N: int,
    d: int,
    s: int,
    eta: float,
    repetition: int,
    signal: Mapping[str, Any],
    seed: int,
    parameters: Mapping[str, float | bool] | None = None,
    noise: Mapping[str, Any] | None = None,
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
    noise = {"law": "gaussian"} if noise is None else dict(noise)
    noise_law = named(NOISES, noise.pop("law"))
    noise_law.complete(noise)  # a mistake is one without noise too
    draw = Draw(ensemble, N, d, repetition, seed, parameters or {})
    matrix = draw.matrix()
    x0 = draw.signal(matrix, s, signal)
    data = matrix @ x0
    if eta > 0:
        error = noise_law.draw(draw.generator("noise", s=s), N, **noise)
        error = _round(error, _NOISE_GRID)
        data = data + eta * euclidean_norm(data) / euclidean_norm(error) * error
    return checked(Problem(matrix, x0, data))


def one_dimensional_kernel(*, m: int, rho: float) -> Problem:
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
        hint = "; is it transposed? A row belongs to each entry of y" if shape[0] > shape[1] else ""
        raise ProblemError(f"A must have fewer rows than columns, its shape is {shape}{hint}")


def checked(problem: Problem) -> Problem:
    """The same problem, if A is finite with full row rank and N < d, and y is not 0.

    Full row rank is decided exactly wherever floating point leaves a doubt, so that no scaling
    of rows or columns decides it.

    Raises:
        ProblemError: otherwise; and if A has full row rank, but a condition number, after
            scaling of rows and columns by powers of two, of more than 1 / (d eps).
    """
    matrix, data = problem.matrix, problem.data
    if not (np.all(np.isfinite(matrix)) and np.all(np.isfinite(data))):
        raise ProblemError("A or y has an entry that is not finite")
    _wide(matrix.shape)
    check_rank(matrix)
    if not np.any(data):
        raise ProblemError("y = 0: the l1 minimizer is 0 and there is nothing to measure")
    return problem


def check_rank(matrix: np.ndarray) -> None:
    """See that A has full row rank, and is not too near to a matrix that has not.

    Raises:
        ProblemError: otherwise, see :func:`checked`.
    """
    if well_conditioned(matrix):
        return
    scaled = equilibrated(matrix)
    if well_conditioned(scaled):
        return
    singular = np.linalg.svd(scaled, compute_uv=False)
    largest = 1.0 / (np.finfo(float).eps * max(matrix.shape))
    if singular[-1] * largest > _SURE * singular[0]:
        return
    rank = rational_rank(matrix)
    if rank < len(matrix):
        raise ProblemError(
            f"A does not have full row rank: it has {len(matrix)} rows, and its rank is {rank}"
        )
    if singular[-1] * largest <= singular[0]:
        condition = singular[0] / singular[-1] if singular[-1] else np.inf
        raise ProblemError(
            "A has full row rank, but with rows and columns brought to the order of 1 by powers "
            f"of two its condition number is about {condition:.0e}; the limit at this size is "
            f"{largest:.0e}, beyond which double precision does not tell it from a matrix "
            "without full row rank"
        )


def least_norm_interpolator(matrix: np.ndarray, data: np.ndarray) -> np.ndarray:
    """The solution of ``A x = y`` of least Euclidean norm, shape (d,)."""
    return np.linalg.lstsq(matrix, data, rcond=None)[0]
