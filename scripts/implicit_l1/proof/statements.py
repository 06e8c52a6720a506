"""What is proved of an instance, as statements that can be written down.

Each quantity is enclosed in ball arithmetic from (A, y) and x_0; what other computations have
found are guesses to start from.  A quantity that is not enclosed says why.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, ctx

from implicit_l1.problems.problem import Problem, exact_data
from implicit_l1.proof.balls import (
    ball,
    column,
    exact_matrix,
    largest,
    power_of_ten,
    sum_of_sizes,
    sum_of_squares,
    to_decimals,
)
from implicit_l1.proof.bounds import BoundsProof, BoundVectors
from implicit_l1.proof.constants import enclose_null_space_constant, enclose_pattern_constant
from implicit_l1.proof.frame import NotProved, prove_frame
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import ProvedMinimizer, prove_minimizer
from implicit_l1.status import PROVED

# What is not proved with so many bits is tried again with the next.
PRECISIONS = (128, 256, 512)

OF_A_SCALE = (
    *("error_1", "error_2", "error_inf"),
    *("estimation_error", "held_out_error", "error_over_prediction"),
)
# quotients of bounds and errors, 1 where a bound is attained, 0 where it says nothing or the error
# is 0
OF_UPPER_BOUNDS = tuple(
    f"error_over_{refined}upper_{norm}" for refined in ("", "refined_") for norm in ("off", "1")
)
CLASSICAL = "error_over_classical_upper_1"  # of D = 2
OF_LOWER_BOUNDS = tuple(
    f"{refined}lower_over_error_{norm}" for refined in ("", "refined_") for norm in ("off", "1")
)

# relative; the vectors of bounds are those that doubles have led to, which differ by less than this
# from one processor to another, so that what is proved on two overlaps
_BETWEEN_MACHINES = 1e-9


@dataclass(frozen=True)
class Statement:
    """A quantity lies between two decimal numbers, or why that is not proved.

    Attributes:
        quantity: its name.
        log10_alpha: the scale; nan where the quantity does not depend on it.
        lower, upper: texts; empty if it is not proved.
        status: PROVED, or "not proved" and the reason.
    """

    quantity: str
    log10_alpha: float
    lower: str
    upper: str
    status: str

    @property
    def proved(self) -> bool:
        return self.status == PROVED


def statement(
    quantity: str, value: arb | NotProved, log10_alpha: float = float("nan")
) -> Statement:
    """That a quantity lies in a ball, or the NotProved that says why it has none."""
    lower, upper, status = "", "", PROVED
    if isinstance(value, NotProved):
        status = f"not proved: {value}"
    elif not value.is_finite():
        status = "not proved: the enclosure is not finite"
    else:
        lower, upper = to_decimals(value)
    return Statement(quantity, log10_alpha, lower, upper, status)


def at_some_precision(prove: Callable[..., list[Statement]], *arguments: Any) -> list[Statement]:
    """The statements of the first precision at which all are proved; otherwise of the last."""
    for bits in PRECISIONS:
        with ctx.workprec(bits):
            statements = prove(*arguments)
        if all(each.proved for each in statements):
            break
    return statements


def constants(
    problem: Problem,
    point: np.ndarray,
    nu: np.ndarray,
    patterns: np.ndarray,
    tilde_duals: np.ndarray,
) -> list[Statement]:
    """What does not depend on depth and scale: margin, rho, kappa, ||g* - x_0||_2, rho~.

    Of a distance to an x_0 that is not known there is no statement.

    Args:
        problem: A, y and x_0.
        point, nu: guesses of the l1 minimizer, shape (d,), and its dual vector, shape (N,).
        patterns, tilde_duals: guesses of what attains rho~, see
            :func:`implicit_l1.proof.constants.enclose_null_space_constant`; patterns over all
            columns of A, shape (m, d).
    """
    proof = _attempt(_minimizer, problem, point, nu, True)
    if isinstance(proof, NotProved):
        return [statement("margin", proof)]
    minimizer, rho = proof
    statements = [
        statement("margin", minimizer.margin),
        statement("rho", rho.value),
        statement("kappa", minimizer.kappa),
    ]
    if _has_signal(problem):
        away = sum_of_squares(_offsets(minimizer, problem)).sqrt()
        statements.append(statement("l1_estimation_error", away))
    return statements + _bracket(minimizer.frame, patterns[:, minimizer.support], tilde_duals)


def limits(
    problem: Problem,
    point: np.ndarray,
    nu: np.ndarray,
    depth: float,
    scales: Sequence[tuple[int, float]],
    errors: Sequence[tuple[np.ndarray, float]],
    first_order: tuple[np.ndarray, float],
    radius: float,
) -> list[Statement]:
    """What is known of the limit points at one depth, and of their first order.

    Of a distance to an x_0 that is not known there is no statement, and none of rows held out
    where there are none.

    Args:
        problem, point, nu: as in :func:`constants`.
        depth: D >= 2.
        scales: (place on the path, log10 alpha) of each, decreasing; a local slope is between
            neighbours on the path.
        errors: of each scale, a guess (n in units of exp(log_unit), log_unit).
        first_order: a guess (n* in units of exp(log_unit), log_unit).
        radius: largest relative radius of an enclosure.
    """
    proof = _attempt(_minimizer, problem, point, nu, depth == 2)  # where the first order has rho
    if isinstance(proof, NotProved):
        return [statement("margin", proof)]
    minimizer, rho = proof
    limit = LimitProof(problem.matrix, minimizer, depth)
    first = _attempt(limit.first_order, rho, *first_order, radius)
    exponent, constant = _both(first)
    statements = [
        statement("margin", minimizer.margin),
        statement("rate", exponent),
        statement("constant", constant),
    ]
    unknown = {"estimation_error"} if not _has_signal(problem) else set()
    unknown |= {"held_out_error"} if problem.held_out is None else set()
    # added first: it is exactly 0 where x_0 is recovered, and n far below rounding
    offsets = _offsets(minimizer, problem)
    before = None
    for (place, log10_alpha), guess in zip(scales, errors, strict=True):
        alpha = power_of_ten(log10_alpha)
        error = _attempt(limit.error, alpha, *guess, radius)
        norm = error if isinstance(error, NotProved) else sum_of_sizes(error)
        values = dict.fromkeys(OF_A_SCALE, error)
        if not isinstance(error, NotProved):
            away = [offset + n for offset, n in zip(offsets, error, strict=True)]
            values = {
                "error_1": norm,
                "error_2": sum_of_squares(error).sqrt(),
                "error_inf": largest([abs(n) for n in error]),
                "estimation_error": sum_of_squares(away).sqrt(),
                "held_out_error": _held_out_error(problem.held_out, minimizer, error),
                "error_over_prediction": first,
            }
            if not isinstance(first, NotProved):
                values["error_over_prediction"] = norm / (constant * alpha**exponent)
        if before is not None and place == before[0] + 1:  # neighbours on the path
            values["local_slope"] = _attempt(_local_slope, *before[1:], norm, alpha)
        statements += [
            statement(name, value, log10_alpha)
            for name, value in values.items()
            if name not in unknown
        ]
        before = (place, norm, alpha)
    return statements


def bounds(
    problem: Problem,
    point: np.ndarray,
    nu: np.ndarray,
    patterns: np.ndarray,
    tilde_duals: np.ndarray,
    depth: float,
    scales: Sequence[float],
    errors: Sequence[tuple[np.ndarray, float]],
    vectors: Sequence[BoundVectors],
    chosen: np.ndarray,
    radius: float,
) -> list[Statement]:
    """The errors of limit points at one depth, and how near the bounds on them are.

    Args:
        problem, point, nu, patterns, tilde_duals: as in :func:`constants`.
        depth: D >= 2.
        scales: log10 alpha of each.
        errors, vectors: of each scale, guesses, the first as in :func:`limits`.
        chosen, radius: as in :class:`implicit_l1.proof.bounds.BoundsProof`.
    """
    proof = _attempt(_minimizer, problem, point, nu, depth == 2)  # of which one bound has rho
    if isinstance(proof, NotProved):
        return [statement("margin", proof)]
    minimizer, rho = proof
    frame = minimizer.frame
    tilde = frame, patterns[:, minimizer.support], tilde_duals
    _, rho_tilde = _both(_attempt(enclose_null_space_constant, *tilde))
    found = rho_tilde
    if not isinstance(rho_tilde, NotProved):
        found = _attempt(BoundsProof, minimizer, depth, chosen, rho_tilde, radius)
    limit = LimitProof(problem.matrix, minimizer, depth)
    names = ["error_off", "error_1", *OF_UPPER_BOUNDS, *OF_LOWER_BOUNDS]
    names += [CLASSICAL] * (depth == 2)
    statements = [statement("margin", minimizer.margin)]
    for log10_alpha, guess, made_of in zip(scales, errors, vectors, strict=True):
        alpha = power_of_ten(log10_alpha)
        error = _attempt(limit.error, alpha, *guess, radius)
        values = dict.fromkeys(names, error)
        if not isinstance(error, NotProved):
            norms = [sum_of_sizes([error[i] for i in frame.outside]), sum_of_sizes(error)]
            values = dict.fromkeys(names, found) | dict(zip(names, norms, strict=False))
            if norms[1].is_zero():  # no quotient says anything
                values = dict.fromkeys(names, arb(0))
            elif not isinstance(found, NotProved):
                upper = _attempt(found.upper, alpha, made_of)
                lower = _attempt(found.lower, alpha, error, made_of)
                values |= _quotients(OF_UPPER_BOUNDS, upper, norms, lambda end, size: size / end)
                values |= _quotients(OF_LOWER_BOUNDS, lower, norms, lambda end, size: end / size)
                if depth == 2:
                    end = _attempt(found.classical, alpha, rho.value)
                    values[CLASSICAL] = end if isinstance(end, NotProved) else norms[1] / end
        statements += [statement(name, value, log10_alpha) for name, value in values.items()]
    return statements


def _quotients(names, bounds, norms, quotient):
    """Name -> quotient of a bound on (||n_Sc||_1, ||n||_1) and that, or why there is none."""
    if isinstance(bounds, NotProved):
        return dict.fromkeys(names, bounds)
    sizes = (bounds.off, bounds.total, bounds.off_refined, bounds.total_refined)
    pairs = zip(sizes, (*norms, *norms), strict=True)
    # a number over infinity is 0
    values = [arb(1, _BETWEEN_MACHINES) * quotient(*pair) for pair in pairs]
    return dict(zip(names, values, strict=True))


def recovery(problem: Problem, found: Any, rho_tilde: Any) -> list[Statement]:
    """rho of x_0, and constants of the l1 minimizer.

    Args:
        problem: A, y and x_0.
        found: of :func:`implicit_l1.minimizer.recovery.recovery`, guesses.
        rho_tilde: a Bracket, whose patterns and duals are guesses; None if it is not wanted.
    """
    minimizer, proof, rho = found.minimizer, None, None
    if minimizer.certificate is not None:
        nu = minimizer.certificate.nu
        proof = _attempt(prove_minimizer, problem.matrix, problem.data, minimizer.point, nu)
    if isinstance(proof, ProvedMinimizer):
        rho = _attempt(enclose_pattern_constant, proof.frame, proof.sigma, nu)
        rho = rho if isinstance(rho, NotProved) else rho.value
    if rho is not None and _has_signs_of(problem.signal, proof):
        rho_planted = rho
    else:
        rho_planted = _attempt(_planted_constant, problem, found.planted_dual)
    statements = [statement("rho_planted", rho_planted)]
    if rho is None or proof is None:
        reason = proof or NotProved("there is no dual vector to start from")
        return [*statements, statement("margin", reason)]
    statements += [statement("margin", proof.margin), statement("rho", rho)]
    if rho_tilde is not None:
        statements += _bracket(proof.frame, rho_tilde.patterns, rho_tilde.duals)
    return statements


def first_order_guess(entry_log_size: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, float]:
    """(n* in units of exp(log_unit), log_unit): the limit of n / alpha, for D > 2.

    Args:
        entry_log_size: of the entries, shape (d,); nan on the support.
        signs: those of the error at a small scale, shape (d,).
    """
    known = np.isfinite(entry_log_size)
    unit = np.max(entry_log_size, initial=-np.inf, where=known)
    with np.errstate(invalid="ignore"):
        sizes = np.exp(entry_log_size - unit)
        return np.where(np.isnan(entry_log_size), 0.0, np.sign(signs) * sizes), unit


def _attempt(compute, *arguments):
    """What a proof returns, or the NotProved that it raises."""
    try:
        return compute(*arguments)
    except NotProved as error:
        return error


def _both(value):
    """A pair that a proof returns, or twice the NotProved in its place."""
    return (value, value) if isinstance(value, NotProved) else value


def _minimizer(problem, point, nu, with_rho):
    """The proof of the l1 minimizer, and of rho if wanted, at the present precision."""
    minimizer = prove_minimizer(problem.matrix, exact_data(problem), point, nu)
    if not with_rho:
        return minimizer, None
    return minimizer, enclose_pattern_constant(minimizer.frame, minimizer.sigma, nu)


def _held_out_error(rows, minimizer, error):
    """||A' x - y'||_2 / ||y'||_2 of rows (A', y') that are held out, x = g* + error."""
    if rows is None:
        return None
    point = [g + n for g, n in zip(minimizer.point, error, strict=True)]
    predicted = (exact_matrix(rows.matrix) * column(point)).entries()
    data = [ball(y) for y in rows.data]
    missed = [found - y for found, y in zip(predicted, data, strict=True)]
    return (sum_of_squares(missed) / sum_of_squares(data)).sqrt()


def _offsets(minimizer, problem):
    """g* - x_0 as balls, in the order of the columns."""
    return [g - ball(x) for g, x in zip(minimizer.point, problem.signal, strict=True)]


def _bracket(frame, patterns, duals):
    lower, upper = _both(_attempt(enclose_null_space_constant, frame, patterns, duals))
    return [statement("rho_tilde_lower", lower), statement("rho_tilde_upper", upper)]


def _local_slope(norm_before, alpha_before, norm, alpha):
    """d log||n||_1 / d log(alpha) between two scales; a norm may be the reason why it is not."""
    for value in (norm_before, norm):
        if isinstance(value, NotProved):
            raise value
    if norm.is_zero():
        raise NotProved("the error is 0")
    return (norm_before.log() - norm.log()) / (alpha_before.log() - alpha.log())


def _has_signal(problem):
    """Whether x_0 is known."""
    return bool(np.isfinite(problem.signal).all())


def _has_signs_of(signal, proof):
    """Whether a proved minimizer has the support and the signs of x_0."""
    support = np.flatnonzero(signal)
    return np.array_equal(support, proof.support) and np.array_equal(
        np.sign(signal[support]), proof.sigma
    )


def _planted_constant(problem, dual):
    """Enclosure of rho of support and signs of x_0."""
    if dual is None:
        raise NotProved("there is no dual vector to start from")
    support = np.flatnonzero(problem.signal)
    signs = np.sign(problem.signal[support])
    frame = prove_frame(problem.matrix, support)
    return enclose_pattern_constant(frame, signs, dual).value
