r"""Basis pursuit: ``g* = argmin ||x||_1`` subject to ``A x = y``, with a proof.

A linear program, solved by one solver or another (:mod:`implicit_l1.proposals`), then
polished: from its support S and signs sigma,
``A_S g_S = y`` is solved to twice the working precision, the signs are compared, and a
dual certificate is found, a vector nu with ``A_S^T nu = sigma`` and
``||A_Sc^T nu||_inf < 1``.  With A_S injective it proves that g* is the unique minimizer
(Fuchs 2004; Foucart and Rauhut, *A Mathematical Introduction to Compressive Sensing*,
ch. 4).  The certificate kept is the one of largest margin; its margin is 1 - rho.
"""

from dataclasses import dataclass

import numpy as np

from implicit_l1.compensated import refine, residual
from implicit_l1.null_space import kernel_witness, largest_margin_dual
from implicit_l1.proposals import DEFAULT, proposals
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, UNDECIDED
from implicit_l1.support import STRICT, Certificate, certificate, support_geometry

# What rounding can do to quantities of order one: a residual, or the value of a witness.
_ROUNDING = 1e-12
# A point further from A x = y than this part of y solves no problem of interest.
_FEASIBLE = 1e-6
# Entries of a solver's point below this fraction of the largest are taken as zero.
_ZERO = 1e-9


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


def basis_pursuit(matrix, data, solver=DEFAULT):
    """A solution of the linear program, to a solver's accuracy, shape (d,).

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        solver: one of :func:`implicit_l1.proposals.solvers`, which comes first.
    Raises:
        BasisPursuitError: if no solver comes to a point with ``A x = y``.
    """
    return next(_solutions(matrix, data, solver))


def _solutions(matrix, data, solver):
    """Proposals that solve ``A x = y``; an error if there is none."""
    size, nothing = np.linalg.norm(data), True
    for proposal in proposals(matrix, data, solver):
        if np.linalg.norm(residual(matrix, proposal.point, data)) <= _FEASIBLE * size:
            nothing = False
            yield proposal.point
    if nothing:
        raise BasisPursuitError(
            "no solver of the l1 problem has found an x with A x = y; it may be infeasible"
        )


def decide_minimizer(matrix, data, solver=DEFAULT, exact_data=None) -> Minimizer:
    """The minimizer that a proposal leads to, with its proof, or the last one without.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        solver: one of :func:`implicit_l1.proposals.solvers`, which comes first.
        exact_data: not used.
    Raises:
        BasisPursuitError: if no solver comes to a point with ``A x = y``.
    """
    for point in _solutions(matrix, data, solver):
        found = polish(matrix, data, point, _ZERO)
        if not found.status.startswith(UNDECIDED):
            break
    return found


def _kept(point, threshold):
    """Which entries are taken as different from zero, shape (d,)."""
    size = np.abs(point)
    return size > threshold * size.max()


def uncertified(matrix, data, point, threshold) -> Minimizer:
    """An approximate minimizer of which nothing is proved; arguments as in :func:`polish`."""
    kept = _kept(point, threshold)
    size = np.abs(point[kept])
    return Minimizer(
        UNDECIDED,
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
    status = CERTIFIED if margin > STRICT else UNDECIDED
    if status == UNDECIDED:
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
