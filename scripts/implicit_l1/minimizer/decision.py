r"""Basis pursuit: ``g* = argmin ||x||_1`` subject to ``A x = y``, decided.

What a solver returns is a proposal (:mod:`implicit_l1.minimizer.proposals`).  Support S, signs
sigma, values, and whether there is another minimizer are decided in ball arithmetic where that
suffices, and else in rational arithmetic, from (A, y) exact as they are:

- g* is the only minimizer where A_S is injective, ``A_S g_S = y``, sigma are the signs of g_S
  and a dual certificate exists, a vector nu with ``A_S^T nu = sigma`` and
  ``||A_Sc^T nu||_inf < 1`` (Fuchs 2004; Foucart and Rauhut, *A Mathematical Introduction to
  Compressive Sensing*, ch. 4).  The certificate kept is that of largest margin, which is 1 - rho;
  of several :func:`implicit_l1.minimizer.face.lexicographic_dual`.
- It is one of several where it is a vertex of the solutions with ``||A_Sc^T nu||_inf = 1`` for
  the best nu.  By duality a kernel vector n has ``-<sigma, n_S> = ||n_Sc||_1`` then, and
  ``g* + t n`` has the same norm for small t > 0.

So the result depends on the problem, and not on the solver, its tolerances or thresholds: the
same bits from all of them.  Of several minimizers the one kept is the vertex of the face of
minimizers that minimizes a linear function with fixed weights (a choice of this project).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from flint import ctx, fmpq

from implicit_l1.linear.compensated import residual
from implicit_l1.linear.exact import (
    RankError,
    RationalMatrix,
    Undecided,
    as_double,
    as_rational,
    exact_product,
    minimize,
    rationals_of,
)
from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.linear.programs import least_norm_vertex
from implicit_l1.linear.units import dividing_unit
from implicit_l1.minimizer.face import (
    LIKELY_ZERO,
    PIVOTS,
    attained_constant,
    kept_vertex,
    likeliest_columns,
    likely_nonzero,
)
from implicit_l1.minimizer.null_space import largest_margin_dual
from implicit_l1.minimizer.support import Certificate, support_geometry
from implicit_l1.proof.balls import ball, relative_radius
from implicit_l1.proof.constants import enclose_pattern_constant
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, UNDECIDED

# Bits with which a proof is tried before rational arithmetic takes over.
_PRECISIONS = (128, 320)

# Relative radius of enclosures that are rounded to doubles.
_ROUNDED = 2.0**-60

# The same where the rounding is kept, too.
_TWICE = 2.0**-106

# Relative to the smallest entry that a solver has found, what it is shown of smaller ones.
_VISIBLE = 1e-3

# Relative to the largest, what roundings of data may be away from exact ones.
_SAME = 1e-6


@dataclass(frozen=True)
class Proposal:
    """What a solver takes for a minimizer.

    Attributes:
        point: x, shape (d,).
        dual: nu with ``A^T nu`` in the subdifferential of ``||.||_1`` at x, approximately, shape
            (N,); None if the solver gave none.
        route: which solver, and how it was used.
    """

    point: np.ndarray
    dual: np.ndarray | None
    route: str


class BasisPursuitError(RuntimeError):
    """The l1 problem has no solution: A does not have full row rank."""


@dataclass(frozen=True)
class Minimizer:
    """A minimizer of the l1 norm and what is proved about it.

    Attributes:
        status: one of :mod:`implicit_l1.status`; "undecided" with the reason.
        point: g*, shape (d,); rounded from the exact one, and zero exactly off its support.
        point_low: what the rounding left, rounded in turn, shape (d,); nan if undecided.
        support: indices of S, shape (k,).
        certificate: the dual certificate of largest margin; None if undecided.
        duality_gap: ``||g*||_1 - <nu, y>``; nan without a dual vector.
        residual: ``||A g* - y||_2 / ||y||_2``.
        kappa: largest over smallest absolute value on the support.
    """

    status: str
    point: np.ndarray
    point_low: np.ndarray
    support: np.ndarray
    certificate: Certificate | None
    duality_gap: float
    residual: float
    kappa: float

    @property
    def margin(self) -> float:
        """``1 - ||A_Sc^T nu||_inf``; nan without a dual vector."""
        if self.certificate is None:
            return float("nan")
        return self.certificate.smallest_margin(self.support)


def decide(
    matrix: np.ndarray,
    data: np.ndarray,
    proposed: Iterable[Proposal],
    exact_data: Sequence[fmpq] | None = None,
    pivots: int = PIVOTS,
) -> Minimizer:
    """The l1 minimizer of ``A x = y``, and whether it is the only one, decided.

    Args:
        matrix: A, shape (N, d), exact as the doubles it holds.
        data: y, shape (N,).
        proposed: where to start, one proposal after the other until the problem is decided.
        exact_data: y as rational numbers, where `data` are their roundings.
        pivots: most pivots in rational arithmetic of one linear program.
    Raises:
        ValueError: if y = 0, or an argument is not what it should be.
        BasisPursuitError: if A does not have full row rank.
    """
    _check(matrix, data, exact_data)
    # what is small or large beside 1 is a question of units
    size, unit = dividing_unit(matrix), dividing_unit(data)
    right = [
        value / as_rational(unit)
        for value in rationals_of(data if exact_data is None else exact_data)
    ]
    matrix, data = matrix / size, data / unit
    last, reason = np.zeros(matrix.shape[1]), ""
    for proposal in _in_units_of_one(proposed, matrix, data, size, unit):
        last = proposal.point
        found = _certified(matrix, data, right, proposal.point, likely_nonzero(proposal.point))
        if found is None:
            try:
                found = _decided(matrix, data, right, proposal, pivots)
            except Undecided as error:
                reason = str(error)
        if found is not None:
            return _in_units(found, size, unit / size)
    return _in_units(undecided(matrix, data, last, reason), size, unit / size)


def _check(matrix, data, exact_data):
    """Raise a ValueError where arguments are not what they should be."""
    if matrix.ndim != 2 or not 0 < matrix.shape[0] < matrix.shape[1]:
        raise ValueError(
            f"matrix: A must have fewer rows than columns, its shape is {matrix.shape}"
        )
    if data.shape != matrix.shape[:1]:
        raise ValueError(f"data: y must have an entry for each row of A, its shape is {data.shape}")
    for name, values in (("matrix", matrix), ("data", data)):
        if values.dtype != float or not np.all(np.isfinite(values)):
            raise ValueError(f"{name}: must hold finite numbers in double precision")
    if not np.any(data):
        raise ValueError("data: y = 0, so the minimizer is 0 and has no support")
    if not np.all(np.any(matrix, axis=1)):
        raise BasisPursuitError("A does not have full row rank: a row is 0")
    if exact_data is not None:
        rounded = np.array([as_double(value) for value in exact_data])
        if rounded.shape != data.shape or np.abs(rounded - data).max() > _SAME * np.abs(data).max():
            raise ValueError("exact_data: must be the numbers of which data are roundings")


def _in_units_of_one(proposed, matrix, data, size, unit):
    """The proposals for the problem in units of 1, and a start where there is none."""
    nothing = True
    for proposal in proposed:
        nothing = False
        dual = None if proposal.dual is None else proposal.dual * size
        yield Proposal(proposal.point * (size / unit), dual, proposal.route)
    if nothing:
        yield Proposal(np.linalg.pinv(matrix) @ data, None, "least Euclidean norm")


def _in_units(minimizer, size, unit):
    """The minimizer for A times `size`, with all of x in this unit."""
    dual = minimizer.certificate
    with np.errstate(over="ignore", invalid="ignore"):  # what is lost is seen below
        point = minimizer.point * unit
    lost = (minimizer.point != 0) & ((point == 0) | ~np.isfinite(point))
    if dual is not None and (lost.any() or not np.all(np.isfinite(dual.nu / size))):
        reason = f"{UNDECIDED}: the minimizer or its dual vector is beyond the doubles"
        return replace(minimizer, status=reason, point=point, certificate=None)
    return replace(
        minimizer,
        point=point,
        point_low=minimizer.point_low * unit,
        certificate=None if dual is None else replace(dual, nu=dual.nu / size),
        duality_gap=minimizer.duality_gap * unit,
    )


def certified_support(
    matrix: np.ndarray,
    data: np.ndarray,
    point: np.ndarray,
    exact_data: Sequence[fmpq] | None = None,
) -> Minimizer | None:
    """The minimizer with the support of a point, if it is proved the only one in ball arithmetic.

    Arguments as in :func:`decide`; point of shape (d,), its zeros exact.
    """
    right = rationals_of(data if exact_data is None else exact_data)
    return _certified(matrix, data, right, point, np.abs(point) > 0.0)


def _certified(matrix, data, right, point, kept):
    """The same from a point of which some entries are kept; None if nothing is proved."""
    support = np.flatnonzero(kept)
    if not 0 < support.size <= matrix.shape[0]:
        return None
    try:
        geometry = support_geometry(matrix, support)
        guess = np.zeros(point.size)
        guess[support] = geometry.least_squares(data)
        sigma = np.sign(guess[support])
        nu = largest_margin_dual(matrix, geometry, sigma)
    except (ValueError, LinearProgramError, np.linalg.LinAlgError):
        return None
    if not (np.all(sigma) and np.all(np.isfinite(nu))):
        return None
    for bits in _PRECISIONS:
        with ctx.workprec(bits):
            try:
                proof = prove_minimizer(matrix, right, _rounded(guess, point), nu)
                dual = _ball_certificate(proof, nu)
            except NotProved:
                continue
            if dual is not None and all(relative_radius(v) <= _TWICE for v in proof.values):
                point, low = np.zeros(point.size), np.zeros(point.size)
                for j, value in zip(support, proof.values, strict=True):
                    point[j] = float(value)
                    low[j] = float(value - ball(point[j]))
                return _minimizer(CERTIFIED, matrix, data, point, low, dual)
    return None


def _rounded(guess, point):
    """The proposal's own values where they are what least squares give, up to rounding."""
    return np.where(np.isclose(guess, point, rtol=1e-6, atol=0.0), point, guess)


def _ball_certificate(proof, nu):
    """The dual certificate of largest margin, rounded from balls; None if it is not proved."""
    frame = proof.frame
    rho = enclose_pattern_constant(frame, proof.sigma, nu)
    if rho.dual is None or not relative_radius(rho.value) <= _ROUNDED:
        return None
    direction = frame.matrix.times(rho.dual, transposed=True)
    margin = [1 - abs(value) for value in direction]
    ends = [value[j] for value in (direction, margin) for j in frame.outside]
    if not all(relative_radius(value) <= _ROUNDED for value in ends):
        return None
    result = Certificate(
        np.array([float(value) for value in rho.dual]),
        np.array([float(value) for value in direction]),
        np.array([float(value) for value in margin]),
    )
    result.direction[proof.support], result.margin[proof.support] = proof.sigma, 0.0
    return result


def _decided(matrix, data, right, proposal, pivots):
    """The minimizer from an optimal vertex in rational arithmetic, near a proposal.

    Raises:
        Undecided: if it takes too many pivots.
    """
    exact = RationalMatrix(matrix)
    ones = [1] * exact.shape[1]
    order = likeliest_columns(matrix, *_enlarged(matrix, data, right, proposal))
    try:
        vertex = minimize(exact, right, ones, order, pivots=pivots)
    except RankError as error:
        raise BasisPursuitError(f"A does not have full row rank: {error}") from error
    point, low = _doubles_of(vertex, exact.shape[1])
    found = _certified(matrix, data, right, point, np.abs(point) > 0.0)
    if found is not None:
        return found
    support, sigma = np.flatnonzero(point), np.sign(point)
    rho, dual = attained_constant(matrix, support, sigma[support], pivots)
    if rho < 1:
        return _minimizer(CERTIFIED, matrix, data, point, low, dual)
    point, low = _doubles_of(kept_vertex(exact, right, vertex, pivots), exact.shape[1])
    support, sigma = np.flatnonzero(point), np.sign(point)
    _, dual = attained_constant(matrix, support, sigma[support], pivots)
    return _minimizer(NOT_UNIQUE, matrix, data, point, low, dual)


def _enlarged(matrix, data, right, proposal):
    """(point, dual vector) near the proposal, with entries that solvers do not see made larger.

    A product y = A x that was rounded is A_S x_S and a rest of some 1e-16.  The optimal basis is
    that of A_S x_S + t rest for every t > 0 at which no entry of x_S has changed its sign, and for
    a t that makes the rest large enough a solver finds it.  (Derived for this project.)
    """
    support = np.flatnonzero(likely_nonzero(proposal.point))
    try:
        values = support_geometry(matrix, support).least_squares(data)
        known = exact_product(matrix[:, support], values)
        rest = [goal - value for goal, value in zip(right, known, strict=True)]
        largest = max(map(abs, rest))
        if support.size < len(matrix) and 0 < as_double(largest) < LIKELY_ZERO:
            rest = np.array([as_double(value / largest) for value in rest])
            part = _VISIBLE * np.abs(values).min() * rest
            with np.errstate(all="ignore"):  # A may not have full row rank
                found = least_norm_vertex(matrix, matrix[:, support] @ values + part)
            if all(np.all(np.isfinite(one)) for one in found):
                return found
    except (ValueError, LinearProgramError, np.linalg.LinAlgError):
        pass  # the proposal as it is
    return proposal.point, proposal.dual


def _doubles_of(vertex, count):
    """x of a vertex, and what its rounding left, shape (count,) each."""
    point, low = np.zeros(count), np.zeros(count)
    for j, value in zip(vertex.basis, vertex.values, strict=True):
        point[j] = as_double(value)
        if value != 0 and not (np.isfinite(point[j]) and point[j] != 0):
            raise Undecided(f"entry {j} of the minimizer is beyond the doubles")
        low[j] = as_double(value - as_rational(point[j]))
    return point, low


def _minimizer(status, matrix, data, point, low, certificate):
    support = np.flatnonzero(point)
    size = np.abs(point[support])
    return Minimizer(
        status,
        point,
        low,
        support,
        certificate,
        float(size.sum() - certificate.nu @ data),
        float(np.linalg.norm(residual(matrix, point, data)) / np.linalg.norm(data)),
        float(size.max() / size.min()),
    )


def undecided(matrix: np.ndarray, data: np.ndarray, point: np.ndarray, reason: str) -> Minimizer:
    """An approximate minimizer of which nothing is proved, and why.

    Arguments as in :func:`decide`; point of shape (d,).
    """
    size, kept = np.abs(point), likely_nonzero(point)
    return Minimizer(
        f"{UNDECIDED}: {reason}",
        np.where(kept, point, 0.0),
        np.full(point.size, np.nan),
        np.flatnonzero(kept),
        None,
        float("nan"),
        float(np.linalg.norm(residual(matrix, point, data)) / np.linalg.norm(data)),
        float(size.max() / size[kept].min()),
    )
