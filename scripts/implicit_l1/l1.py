r"""Basis pursuit: ``g* = argmin ||x||_1`` subject to ``A x = y``, with a proof.

A linear program solved by HiGHS, or where it is large by the interior-point method of
:mod:`implicit_l1.programs`, then polished: from its support S and signs sigma,
``A_S g_S = y`` is solved to twice the working precision, the signs are compared, and a
dual certificate is found, a vector nu with ``A_S^T nu = sigma`` and
``||A_Sc^T nu||_inf < 1``.  With A_S injective it proves that g* is the unique minimizer
(Fuchs 2004; Foucart and Rauhut, *A Mathematical Introduction to Compressive Sensing*,
ch. 4).  The certificate kept is the one of largest margin; its margin is 1 - rho.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from implicit_l1.compensated import refine, residual
from implicit_l1.null_space import kernel_witness, largest_margin_dual
from implicit_l1.programs import (
    LARGE,
    LinearProgramError,
    kernel_form,
    least_norm_vertex,
    smallest_maximum,
    unit_of,
)
from implicit_l1.status import CERTIFIED, NOT_CERTIFIED, NOT_UNIQUE
from implicit_l1.support import STRICT, Certificate, certificate, support_geometry

# What rounding can do to quantities of order one: a residual, or the value of a witness.
_ROUNDING = 1e-12


class BasisPursuitError(RuntimeError):
    """The l1 problem has no solution, or the solver did not find it."""


@dataclass(frozen=True)
class Minimizer:
    """A minimizer of the l1 norm and what is proved about it.

    Attributes:
        status: one of :mod:`implicit_l1.status`.
        point: g*, shape (d,); exactly zero off the support.
        support: indices of S, shape (k,).
        certificate: the dual certificate of largest margin; None if the support's
            columns are dependent or do not reproduce y.
        duality_gap: ``||g*||_1 - <nu, y>``; nan without a dual vector.
        residual: ``||A g* - y||_2 / ||y||_2``.
        kappa: largest over smallest absolute value on the support.
    """

    status: str
    point: np.ndarray
    support: np.ndarray
    certificate: Certificate | None
    duality_gap: float
    residual: float
    kappa: float

    @property
    def margin(self):
        """``1 - ||A_Sc^T nu||_inf``; nan without a dual vector."""
        if self.certificate is None:
            return float("nan")
        return self.certificate.smallest_margin(self.support)


def basis_pursuit(matrix, data):
    """A solution of the linear program, to the solver's accuracy, shape (d,).

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
    Raises:
        BasisPursuitError: if the problem is infeasible or the solver fails.
    """
    size, unit = unit_of(matrix), unit_of(data)
    return unit / size * _basis_pursuit(matrix / size, data / unit)


def _basis_pursuit(matrix, data):
    """The same for A and y of the order of 1."""
    if matrix.size >= LARGE:
        with suppress(LinearProgramError):
            return _large_basis_pursuit(matrix, data)
    # simplex: a vertex, where an interior point would leave 1e-8 off the support
    try:
        return least_norm_vertex(matrix, data)
    except LinearProgramError as error:
        raise BasisPursuitError(str(error)) from error


def _large_basis_pursuit(matrix, data):
    """The minimizer as the direction of a kernel vector, shape (d,).

    With Q an orthonormal basis of the complement of y, the multiples of the x with
    ``A x = y`` are the kernel of ``Q^T A`` (those with ``A x = 0`` aside).  Of the k in it
    with ``||k||_1 = 1`` the one with the largest ``<y, A k>`` is ``g* / ||g*||_1``.
    Householder's reflection of y to a multiple of the first unit vector has Q in its other
    columns.

    Raises:
        LinearProgramError: if the linear program is not solved.
    """
    mirror = data.copy()
    mirror[0] += np.copysign(np.linalg.norm(data), data[0])
    reflected = matrix - np.outer(2.0 / (mirror @ mirror) * mirror, mirror @ matrix)
    offset = matrix.T @ (data / (data @ data))
    _, kernel = smallest_maximum(kernel_form(reflected[1:]), offset)
    return kernel / (offset @ kernel)


def _kept(point, threshold):
    """Which entries are taken as different from zero, shape (d,)."""
    size = np.abs(point)
    return size > threshold * size.max()


def uncertified(matrix, data, point, threshold) -> Minimizer:
    """An approximate minimizer of which nothing is proved; arguments as in :func:`polish`."""
    kept = _kept(point, threshold)
    size = np.abs(point[kept])
    return Minimizer(
        NOT_CERTIFIED,
        np.where(kept, point, 0.0),
        np.flatnonzero(kept),
        None,
        float("nan"),
        float(np.linalg.norm(residual(matrix, point, data)) / np.linalg.norm(data)),
        float(size.max() / size.min()),
    )


def polish(matrix, data, point, threshold) -> Minimizer:
    """The exact minimizer near an approximate one, with its proof.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        point: an approximate minimizer, shape (d,).
        threshold: entries below this fraction of the largest are taken as zero.
    """
    support = np.flatnonzero(_kept(point, threshold))
    try:
        geometry = support_geometry(matrix, support)
    except ValueError:
        return uncertified(matrix, data, point, threshold)
    on_support, _ = refine(geometry.least_squares, matrix[:, support], data)
    mismatch = np.linalg.norm(residual(matrix[:, support], on_support, data))
    sigma = np.sign(on_support)
    if mismatch > _ROUNDING * np.linalg.norm(data) or np.any(sigma != np.sign(point[support])):
        return uncertified(matrix, data, point, threshold)
    dual = certificate(matrix, geometry, sigma, largest_margin_dual(matrix, geometry, sigma))
    exact = np.zeros(point.size)
    exact[support] = on_support
    margin = dual.smallest_margin(support)
    status = CERTIFIED if margin > STRICT else NOT_CERTIFIED
    if status == NOT_CERTIFIED:
        # a kernel vector that attains rho = 1 leads to another minimizer; with rho > 1 the
        # point itself is none
        _, value = kernel_witness(geometry, dual.direction, sigma)
        if abs(value - 1.0) <= _ROUNDING:
            status = NOT_UNIQUE
    return Minimizer(
        status,
        exact,
        support,
        dual,
        float(np.abs(on_support).sum() - dual.nu @ data),
        float(mismatch / np.linalg.norm(data)),
        float(np.abs(on_support).max() / np.abs(on_support).min()),
    )
