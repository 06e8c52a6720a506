r"""Whether l1 minimization recovers a planted signal, decided, and the constant rho of the signal.

rho of the support S and signs sigma of x_0, ``min ||A_Sc^T nu||_inf`` subject to
``A_S^T nu = sigma`` (:mod:`implicit_l1.minimizer.null_space`), exists whether x_0 is recovered or
not.  Below 1, with A_S injective, it proves that x_0 is the only minimizer; above 1 x_0 is none.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from implicit_l1.linear.exact import Undecided
from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.linear.programs import least_norm_vertex
from implicit_l1.minimizer.decision import Minimizer, Proposal, certified_support, decide
from implicit_l1.minimizer.face import signed_certificate
from implicit_l1.minimizer.null_space import TOLERANCE, largest_margin_dual, pattern_constant
from implicit_l1.minimizer.support import certificate, support_geometry
from implicit_l1.status import CERTIFIED


@dataclass(frozen=True)
class Recovery:
    """Whether the l1 minimizer is the planted signal.

    Attributes:
        rho_planted: rho of support and signs of x_0; inf if no nu has ``A_S^T nu = sigma``; nan
            where it is not known to a relative 1e-9 (exact arithmetic would take too many pivots).
        recovered: whether x_0 is proved to be the only minimizer.
        minimizer: g*; x_0 itself, with its certificate, if it is recovered.
        planted_dual: a dual vector that attains rho, shape (N,); None if there is none, or none is
            known.
    """

    rho_planted: float
    recovered: bool
    minimizer: Minimizer
    planted_dual: np.ndarray | None


def recovery(matrix: np.ndarray, data: np.ndarray, signal: np.ndarray) -> Recovery:
    """Decide whether basis pursuit recovers a signal, and find its minimizer.

    The linear program of rho comes first: where it proves that x_0 is the minimizer, the
    l1 problem need not be solved.

    Args:
        matrix: A, shape (N, d).
        data: y = A x_0 without noise, shape (N,).
        signal: x_0, shape (d,), not zero.
    Raises:
        BasisPursuitError: if the l1 problem is not solved.
    """
    minimizer = certified_support(matrix, data, signal) if np.any(data) else _zero(matrix.shape[1])
    if minimizer is None:
        minimizer = decide(matrix, data, _proposed(matrix, data))
    dual = minimizer.certificate
    if (
        minimizer.status == CERTIFIED
        and dual is not None
        and np.array_equal(minimizer.point, signal)
    ):
        return Recovery(dual.largest_entry(minimizer.support), True, minimizer, dual.nu)
    rho, nu = _constant(matrix, np.flatnonzero(signal), np.sign(signal[signal != 0.0]))
    return Recovery(rho, False, minimizer, nu)


def _zero(size):
    """The only minimizer where x_0 is in ker A."""
    nothing = np.zeros(size)
    return Minimizer(
        *(CERTIFIED, nothing, nothing, np.flatnonzero(nothing)),
        certificate=None,
        duality_gap=0.0,
        residual=0.0,
        kappa=float("nan"),
    )


def _constant(matrix, support, signs):
    """(rho, a dual vector that attains it), see :class:`Recovery`."""
    # of dependent columns there is no factorization to work with, of nearly dependent ones no LP
    with suppress(ValueError, LinearProgramError, np.linalg.LinAlgError):
        geometry = support_geometry(matrix, support)
        known = pattern_constant(geometry, signs)
        dual = certificate(matrix, geometry, signs, largest_margin_dual(matrix, geometry, signs))
        rho = dual.largest_entry(support)
        # what is near enough keeps its bits
        if np.isclose(rho, [known.lower, known.upper], rtol=TOLERANCE, atol=0.0).all():
            return rho, dual.nu
        if known.lower == known.upper:
            return known.lower, known.duals[0]
    try:
        exact = signed_certificate(matrix, support, signs)
    except Undecided:
        return float("nan"), None
    return (float("inf"), None) if exact is None else (exact.largest_entry(support), exact.nu)


def _proposed(matrix, data):
    """What the interior-point method takes for a minimizer, if it succeeds."""
    with suppress(LinearProgramError):
        point, dual = least_norm_vertex(matrix, data)
        yield Proposal(point, dual, "interior-point method")
