"""What is proved of a trajectory of the flow, as statements at its times and about its end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx

from implicit_l1.network.flow import flow_steps
from implicit_l1.network.radau import IntegrationError
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import Problem, exact_data
from implicit_l1.proof.balls import power_of_ten, relative_radius, sum_of_sizes
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.proof.statements import Statement, statement
from implicit_l1.proof.trajectory import FlowStep, TrajectoryProof

# of the arithmetic, in bits
PRECISION = 128
# largest relative radius of an enclosure of a norm: a wider one agrees with too much
WIDEST = 0.01


@dataclass(frozen=True)
class TimedStatement:
    """A statement about x(t) at a time; nan where it is about none."""

    time: float
    statement: Statement


def trajectory(
    problem: Problem,
    point: np.ndarray,
    nu: np.ndarray,
    depth: float,
    log10_alpha: float,
    rtol: float,
    times: Sequence[float],
    radius: float,
) -> list[TimedStatement]:
    """Enclosures of ``||x(t) - g*||_1`` at some times, and of the distance of the end to the limit.

    Args:
        problem, point, nu: as in :func:`implicit_l1.proof.statements.constants`.
        depth: D >= 2, of a flow from ones.
        log10_alpha: the scale is 10 to this power, exactly.
        rtol: of the integrator, whose steps are a guess.
        times: increasing; the last one is the end.
        radius: largest relative radius of the enclosure of the limit point.
    Returns:
        quantities ``margin``; ``error_1`` at each time; at the last, ``disagreement``, the distance
        of x(t) to the limit point in units of ``||n||_1``, both in the 1-norm.
    """
    with ctx.workprec(PRECISION):
        try:
            minimizer = prove_minimizer(problem.matrix, exact_data(problem), point, nu)
        except NotProved as failure:
            return [TimedStatement(np.nan, statement("margin", failure))]
        alpha = power_of_ten(log10_alpha)
        steps = flow_in_steps(problem.matrix, point, depth, log10_alpha, rtol, times[-1])
        found = TrajectoryProof(problem.matrix, minimizer, depth, alpha).follow(steps, times)
        statements = [TimedStatement(np.nan, statement("margin", minimizer.margin))]
        errors = {enclosure.time: enclosure.error for enclosure in found.points}
        unknown = NotProved(found.reason)
        for time in times:
            norm = _norm(errors[time]) if time in errors else unknown
            statements.append(TimedStatement(time, statement("error_1", norm, log10_alpha)))
        distance: arb | NotProved = unknown
        if times[-1] in errors:
            limit = LimitProof(problem.matrix, minimizer, depth)
            distance = _distance(limit, alpha, errors[times[-1]], radius)
        last = statement("disagreement", distance, log10_alpha)
        return [*statements, TimedStatement(times[-1], last)]


def _norm(error):
    """||n||_1; or that it is not enclosed well enough."""
    norm = sum_of_sizes(error)
    if not relative_radius(norm) <= WIDEST:
        return NotProved(f"the norm is not known to {WIDEST:.0%} of it")
    return norm


def _distance(proof, alpha, end, radius):
    """The distance of an end to the limit point, in units of ||n||_1; or why it is not enclosed."""
    guess = np.array([float(value.mid()) for value in end])
    if not guess.any():
        return NotProved("the end is g* but for rounding")
    log_unit = float(np.log(np.abs(guess).max()))
    try:
        limit = proof.error(alpha, guess / np.exp(log_unit), log_unit, radius)
    except NotProved as failure:
        return failure
    apart = [one - other for one, other in zip(end, limit, strict=True)]
    return sum_of_sizes(apart) / sum_of_sizes(limit)


def flow_in_steps(
    matrix: np.ndarray,
    minimizer: np.ndarray,
    depth: float,
    log10_alpha: float,
    rtol: float,
    end: float,
) -> Iterator[FlowStep]:
    """The steps of the integrator up to a time, as polynomials in the time of the flow.

    Arguments as in :func:`trajectory`.

    Raises:
        NotProved: where the integrator fails.
    """
    try:
        yield from _steps(matrix, minimizer, depth, log10_alpha, rtol, end)
    except IntegrationError as failure:
        raise NotProved(f"the integrator fails: {failure}") from failure


def _steps(matrix, minimizer, depth, log10_alpha, rtol, end):
    network, alpha = potential(depth), 10.0**log10_alpha
    rate = network.time_constant(alpha)
    coordinates = None
    for step in flow_steps(matrix, minimizer, network, alpha, rtol):
        if step.system.coordinates is not coordinates:
            coordinates = step.system.coordinates
            active = coordinates.support
            # [A_T, basis] is the inverse of the map from dual vectors to (zeta, b)
            basis = np.linalg.inv(coordinates.dual_map.T)[:, active.size :]
        yield FlowStep(step.start / rate, step.end / rate, active, basis, step.coefficients)
        if step.end / rate >= end:
            return
