r"""What one asks of a matrix A and data y, proved: enclosures in ball arithmetic.

Arguments are those of :mod:`implicit_l1.interface`.  A result is an
:class:`implicit_l1.proof.intervals.Interval`: the exact number lies between its decimals `lower`
and `upper`, whatever was rounded on the way, on any machine.  A statement that is not proved is
not made: the functions raise NotProved, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from flint import arb, ctx
from numpy.typing import ArrayLike, NDArray

from implicit_l1.arguments import (
    Instance,
    check_exact_up_to,
    checked_depth,
    checked_scales,
    decided_instance,
)
from implicit_l1.interface import EXACT_UP_TO
from implicit_l1.minimizer.null_space import null_space_constant
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.network.asymptotics import first_order
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import exact_data
from implicit_l1.proof.balls import largest, sum_of_sizes, sum_of_squares, to_decimals
from implicit_l1.proof.constants import (
    PatternConstant,
    enclose_null_space_constant,
    enclose_pattern_constant,
)
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.intervals import Interval
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import ProvedMinimizer, prove_minimizer
from implicit_l1.status import CERTIFIED

# What is not proved with so many bits is tried again with the next.
_PRECISIONS = (128, 256, 512)

# Largest relative radius of an enclosure, unless one asks for another.
RADIUS = 1e-12

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class EnclosedMinimizer:
    """The unique l1 minimizer g*.

    Attributes:
        support: indices of S, shape (k,); signs: of g* there, shape (k,).
        values: of g* there, k intervals; g* is 0 elsewhere.
        margin: ``1 - ||A_Sc^T nu||_inf > 0`` of the dual vector that proves it.
        kappa: ``max|g*_S| / min|g*_S|``.
    """

    support: NDArray[np.intp]
    signs: NDArray[np.float64]
    values: tuple[Interval, ...]
    margin: Interval
    kappa: Interval


def enclose_minimizer(A: ArrayLike, y: ArrayLike, *, noiseless: bool = False) -> EnclosedMinimizer:
    r"""Prove support, signs, values and uniqueness of the l1 minimizer.

    .. math::
        g^* = \arg\min_x \|x\|_1 \quad \text{subject to} \quad A x = y.

    By a dual certificate (Fuchs 2004; Foucart and Rauhut, *A Mathematical Introduction to
    Compressive Sensing*, ch. 4) in ball arithmetic, from A and y exact as they are.

    Args:
        A, y, noiseless: as in :func:`implicit_l1.interface.find_minimizer`.
    Raises:
        ValueError: naming the argument that is wrong.
        Undecided: if the minimizer is not decided.
        NotProved: if there are several, or the proof fails.
    Example:
        >>> proof = enclose_minimizer([[3, 1, 1], [1, 2, -1]], [1, 0.5])
        >>> proof.support.tolist(), [value.text(".6g") for value in proof.values]
        ([0, 1], ['0.300000', '0.100000'])
    """
    found = _unique(A, y, noiseless)
    return _at_some_precision(lambda: _minimizer(_proved(found)))


def _minimizer(proof: ProvedMinimizer) -> EnclosedMinimizer:
    return EnclosedMinimizer(
        proof.support,
        proof.sigma,
        tuple(map(_interval, proof.values)),
        _interval(proof.margin),
        _interval(proof.kappa),
    )


@dataclass(frozen=True)
class EnclosedConstants:
    """rho and rho~ of the support and the signs of the l1 minimizer.

    Attributes:
        rho, rho_tilde: that of rho~ is wide where only bounds of it were found.
    """

    rho: Interval
    rho_tilde: Interval


def enclose_null_space_constants(
    A: ArrayLike, y: ArrayLike, *, noiseless: bool = False, exact_up_to: int = EXACT_UP_TO
) -> EnclosedConstants:
    r"""Enclose the constants rho and rho~ of the l1 minimizer's support S and signs sigma.

    .. math::
        \varrho = \sup_{0 \ne n \in \ker A} \frac{-\langle \sigma, n_S\rangle}{\|n_{S^c}\|_1},
        \qquad
        \tilde\varrho = \sup_{0 \ne n \in \ker A} \frac{\|n_S\|_1}{\|n_{S^c}\|_1}.

    Each between a kernel vector and a dual vector (:mod:`implicit_l1.proof.constants`).

    Args:
        A, y, noiseless: as in :func:`implicit_l1.interface.find_minimizer`.
        exact_up_to: largest |S| for which rho~ is enclosed; for a larger one it lies between two
            bounds.
    Raises:
        ValueError: naming the argument that is wrong.
        Undecided: if the minimizer is not decided.
        NotProved: if there are several minimizers, or the proof fails.
        LinearProgramError: if a linear program of rho~ is not solved.
    Example:
        >>> proof = enclose_null_space_constants([[1, 0, 0.5, 0.5], [0, 1, 0.25, -0.25]], [2, 1])
        >>> proof.rho.text(".6g"), proof.rho_tilde.text(".6g")
        ('0.750000', '0.750000')
    """
    check_exact_up_to(exact_up_to)
    found = _unique(A, y, noiseless)
    point = found.minimizer.point
    geometry = support_geometry(found.problem.matrix, found.minimizer.support)
    guess = null_space_constant(geometry, np.sign(point[geometry.support]), exact_up_to)

    def prove() -> EnclosedConstants:
        proof = _proved(found)
        rho = _rho(found, proof)
        lower, upper = enclose_null_space_constant(proof.frame, guess.patterns, guess.duals)
        return EnclosedConstants(_interval(rho.value), _interval(lower.union(upper)))

    return _at_some_precision(prove)


@dataclass(frozen=True)
class EnclosedLimitPoints:
    """Errors ``n = x(alpha) - g*`` of limit points, one a scale.

    Attributes:
        log10_alpha: decimal logarithms of the scales, as given, shape (m,).
        error: n, d intervals a scale.
        error_1, error_2, error_inf: its norms, one interval a scale.
    """

    log10_alpha: NDArray[np.float64]
    error: tuple[tuple[Interval, ...], ...]
    error_1: tuple[Interval, ...]
    error_2: tuple[Interval, ...]
    error_inf: tuple[Interval, ...]


def enclose_limit_points(
    A: ArrayLike,
    y: ArrayLike,
    depth: float,
    *,
    alpha: ArrayLike | None = None,
    log10_alpha: ArrayLike | None = None,
    noiseless: bool = False,
    radius: float = RADIUS,
) -> EnclosedLimitPoints:
    r"""Enclose the errors of the limit points of gradient flow, ``n = x(alpha) - g*``.

    .. math::
        x(\alpha) = \arg\min_x \; \alpha \sum_i q_D(x_i / \alpha) \quad \text{subject to} \quad
        A x = y, \qquad q_D' = \varphi_D^{-1}

    (Woodworth et al., COLT 2020), by a test for existence in ball arithmetic around a point from
    floating point (:mod:`implicit_l1.proof.limit`).

    Args:
        A, y, noiseless, depth: as in :func:`implicit_l1.interface.find_limit_points`.
        alpha: scales, exact as the doubles they are, positive; a number or shape (m,).
        log10_alpha: their decimal logarithms instead: 10 to these powers is exact.
        radius: largest relative radius of an enclosure of ``||n||_1`` that is accepted.
    Raises:
        ValueError: naming the argument that is wrong.
        Undecided: if the minimizer is not decided.
        ConvergenceError: naming the scale at which there is no point to start from.
        NotProved: if there are several minimizers, or the proof fails.
    Example:
        >>> proof = enclose_limit_points([[1, 0.5]], [1], 2, log10_alpha=-6)
        >>> proof.error_1[0].text(".12g")
        '0.00149962354688'
    """
    depth = checked_depth(depth)
    scales = checked_scales(alpha, log10_alpha, depth)
    if not 0 < radius < 1:
        raise ValueError(f"radius must be between 0 and 1, got {radius!r}")
    found = _unique(A, y, noiseless)
    minimizer = found.minimizer
    path = limit_path(
        found.problem.matrix,
        minimizer.point,
        found.certificate,
        potential(depth),
        scales.log_alpha,
        minimizer_low=minimizer.point_low,
        exact_data=exact_data(found.problem),
    )

    def prove() -> EnclosedLimitPoints:
        limit = LimitProof(found.problem.matrix, _proved(found), depth)
        errors: dict[int, list[arb]] = {}
        # from large scales to small, as the proof of one can use what is known of the one before
        for place in np.argsort(scales.places, kind="stable").tolist():
            row = scales.places[place]
            guess = path.error[row], path.log_unit[row]
            errors[place] = limit.error(scales.enclosures()[place], *guess, radius)
        in_order = [errors[place] for place in sorted(errors)]
        return EnclosedLimitPoints(
            scales.log10_alpha,
            tuple(tuple(map(_interval, error)) for error in in_order),
            tuple(_interval(sum_of_sizes(error)) for error in in_order),
            tuple(_interval(sum_of_squares(error).sqrt()) for error in in_order),
            tuple(_interval(largest([abs(n) for n in error])) for error in in_order),
        )

    return _at_some_precision(prove)


@dataclass(frozen=True)
class EnclosedFirstOrder:
    """``||x(alpha) - g*||_1 / alpha^exponent`` tends to `constant` as alpha -> 0.

    Attributes:
        exponent, constant: intervals.
    """

    exponent: Interval
    constant: Interval


def enclose_first_order(
    A: ArrayLike, y: ArrayLike, depth: float, *, noiseless: bool = False, radius: float = RADIUS
) -> EnclosedFirstOrder:
    r"""Enclose the exponent and the constant of the error as alpha -> 0.

    .. math::
        \|x(\alpha) - g^*\|_1 \sim C \alpha^{r}, \qquad r = 1 - \varrho \; (D = 2), \quad
        r = 1 \; (D > 2) \quad \text{where } \varrho > 0.

    The formulas are derived for this project (:mod:`implicit_l1.network.asymptotics`).

    Args:
        A, y, noiseless, depth: as in :func:`implicit_l1.interface.find_first_order`.
        radius: largest relative radius of the enclosure of C that is accepted.
    Raises:
        ValueError, Undecided, BalanceError: as in
            :func:`implicit_l1.interface.find_first_order`.
        NotProved: if there are several minimizers, x(alpha) = g* for every alpha, several dual
            vectors attain rho at D = 2, or the proof fails.
    Example:
        >>> proof = enclose_first_order([[1, 0.5]], [1], 2)
        >>> proof.exponent.text(".6g"), proof.constant.text(".6g")
        ('0.500000', '1.50000')
    """
    depth = checked_depth(depth)
    if not 0 < radius < 1:
        raise ValueError(f"radius must be between 0 and 1, got {radius!r}")
    found = _unique(A, y, noiseless)
    minimizer, matrix = found.minimizer, found.problem.matrix
    guess, log_unit = np.zeros(minimizer.point.size), 0.0
    if depth > 2:
        geometry = support_geometry(matrix, minimizer.support)
        instance = matrix, geometry, minimizer.point, found.certificate
        law = first_order(*instance, potential(depth), exact_data(found.problem))
        guess, log_unit = law.error, law.log_unit

    def prove() -> EnclosedFirstOrder:
        proof = _proved(found)
        rho = _rho(found, proof) if depth == 2 else None
        limit = LimitProof(matrix, proof, depth)
        exponent, constant = limit.first_order(rho, guess, log_unit, radius)
        return EnclosedFirstOrder(_interval(exponent), _interval(constant))

    return _at_some_precision(prove)


def _unique(A: ArrayLike, y: ArrayLike, noiseless: bool) -> Instance:
    found = decided_instance(A, y, noiseless)
    if found.minimizer.status != CERTIFIED:
        raise NotProved(f"the l1 minimizer of this A and y is {found.minimizer.status}")
    return found


def _proved(found: Instance) -> ProvedMinimizer:
    """The proof of the minimizer at the present precision."""
    minimizer = found.minimizer
    data = exact_data(found.problem)
    return prove_minimizer(found.problem.matrix, data, minimizer.point, found.certificate.nu)


def _rho(found: Instance, proof: ProvedMinimizer) -> PatternConstant:
    return enclose_pattern_constant(proof.frame, proof.sigma, found.certificate.nu)


def _at_some_precision(prove: Callable[[], _Result]) -> _Result:
    """What is proved with the fewest bits that suffice.

    Raises:
        NotProved: the reason at the last precision.
    """
    for bits in _PRECISIONS[:-1]:
        with ctx.workprec(bits):
            try:
                return prove()
            except NotProved:
                continue
    with ctx.workprec(_PRECISIONS[-1]):
        return prove()


def _interval(value: arb) -> Interval:
    """The decimals around a ball.

    Raises:
        NotProved: if it is not finite.
    """
    if not value.is_finite():
        raise NotProved("an enclosure is not finite")
    return Interval.of(*to_decimals(value))
