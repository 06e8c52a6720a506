"""Radau IIA collocation for gradient flows in coordinates of their own."""

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from implicit_l1.network import radau
from implicit_l1.network.radau import STAGES, IntegrationError, collocation, radau_steps


@dataclass(frozen=True)
class Flow:
    """``mass w' = velocity(w)`` at a state, with ``-d velocity / dw`` as curvature."""

    velocity: object
    curvature: object
    state: np.ndarray
    tolerance: float
    mass: np.ndarray
    newton: float = 1e-2

    def force(self, increments):
        return self.velocity(self.state + increments)

    def stiffness(self, increment):
        return self.curvature(self.state + increment)

    def size(self, increments, reached=None):
        return float(np.abs(increments).max()) / self.tolerance

    def remainder(self, increments):
        return float(np.abs(increments).max()) / (self.newton * self.tolerance)

    def horizon(self, velocity):
        return np.inf

    def advanced(self, increment):
        return replace(self, state=self.state + increment)

    def translated(self, increments, earlier):
        return increments


def flow(velocity, curvature, state, tolerance=1e-8, mass=None):
    return Flow(velocity, curvature, state, tolerance, np.eye(state.size) if mass is None else mass)


def until(time, steps):
    """The steps that cover [0, time]."""
    found = []
    for step in steps:
        found.append(step)
        if step.end >= time:
            return found


def at(times, steps):
    """The states at increasing times."""
    parts = [
        step.system.state + step.at(times[(step.start < times) & (times <= step.end)])
        for step in steps
    ]
    return np.concatenate(parts)


@pytest.mark.parametrize("stages", [1, 2, 3, 5, 9])
def test_points_and_matrix_are_those_of_collocation(stages):
    """Points of Radau's quadrature, exact to degree 2s - 2; a row integrates degrees below s."""
    points, matrix = collocation(stages)
    assert points[-1] == 1.0 and np.all(np.diff(points) > 0) and points[0] > 0
    for degree in range(stages):
        assert np.abs(matrix @ points**degree - points ** (degree + 1) / (degree + 1)).max() < 1e-14
    for degree in range(2 * stages - 1):
        assert matrix[-1] @ points**degree == pytest.approx(1 / (degree + 1), abs=1e-14)


def test_two_and_three_stages_are_the_classical_ones():
    """Hairer and Wanner, tables IV.5.5 and IV.5.6."""
    points, matrix = collocation(2)
    third = Fraction(1, 3)
    assert points == pytest.approx([float(third), 1.0], abs=1e-15)
    assert matrix == pytest.approx(np.array([[5, -1], [9, 3]]) / 12, abs=1e-15)
    root = np.sqrt(6.0)
    points, matrix = collocation(3)
    assert points[:2] == pytest.approx([(4 - root) / 10, (4 + root) / 10], abs=1e-15)
    assert matrix[2] == pytest.approx([(16 - root) / 36, (16 + root) / 36, 1 / 9], abs=1e-15)


def test_error_estimate_vanishes_for_polynomials_of_degree_s_only():
    """With w' = g(t): gamma g(0) + e inv(A) Z, where Z_i is the integral of g to c_i."""
    points, matrix = collocation(STAGES)
    inverse = np.linalg.inv(matrix)
    values = np.linalg.eigvals(inverse)
    gamma = 1.0 / values[np.argmin(np.abs(values.imag))].real
    weights = radau.embedded(points, inverse, gamma)
    for degree in range(STAGES):
        slope, increments = 0.0**degree, points ** (degree + 1) / (degree + 1)
        assert abs(gamma * slope + weights @ increments) < 1e-13
    # the increments that collocation finds for degree s
    assert abs(weights @ (matrix @ points**STAGES)) > 1e-8


def random_metric(size, seed=1):
    factor = np.random.default_rng(seed).standard_normal((size, size))
    return factor @ factor.T + np.eye(size)


def test_a_linear_step_solves_the_system_of_all_stages():
    """Against one system of s N equations, in a metric of its own."""
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((6, 6))
    matrix, mass, state = factor @ factor.T, random_metric(6, 2), rng.standard_normal(6)
    length = 1e-2
    system = flow(lambda w: -w @ matrix, lambda _: matrix, state, mass=mass)
    step = next(radau_steps(replace(system, newton=1e-6), length))
    points, collocated = collocation(STAGES)
    inverse = np.linalg.inv(collocated)
    system = np.kron(inverse / length, mass) + np.kron(np.eye(STAGES), matrix)
    exact = np.linalg.solve(system, np.tile(-matrix @ state, STAGES)).reshape(STAGES, 6)
    assert step.end == length
    assert np.abs(step.at(points * length) - exact).max() < 1e-12 * np.abs(exact).max()
    assert np.abs(step.reached - exact[-1]).max() < 1e-12 * np.abs(exact).max()


@pytest.mark.parametrize("rtol", [1e-6, 1e-10])
def test_stiff_linear_system_against_its_exponential(rtol):
    """Rates over 12 decades, on the diagonal: rounding would carry them into each other."""
    rates = 10.0 ** np.arange(-6, 7)
    times = 10.0 ** np.linspace(-8, 6, 57)
    system = flow(lambda w: -w * rates, lambda _: np.diag(rates), np.ones(13), rtol)
    steps = until(times[-1], radau_steps(system, 1e-9))

    def error(time, state):
        return np.abs(state - [float(mpmath.exp(-mpmath.mpf(rate) * time)) for rate in rates]).max()

    ends = [error(step.end, step.system.state + step.reached) for step in steps]
    assert max(ends) < 2 * rtol
    between = [error(time, state) for time, state in zip(times, at(times, steps), strict=True)]
    assert max(between) < 2 * rtol
    assert len(steps) < 400


def test_slow_directions_keep_their_digits():
    """inv(G) and K diagonal and 24 decades apart: each unknown to its own relative accuracy."""
    rates, sizes = 10.0 ** np.arange(-6.0, 7.0, 4.0), 10.0 ** np.arange(-12.0, 13.0, 8.0)
    system = flow(
        lambda w: -w * rates * sizes, lambda _: np.diag(rates * sizes), np.ones(4), 1e-9,
        np.diag(sizes),
    )  # fmt: skip
    steps = until(1.0, radau_steps(system, 1e-9))
    step = steps[-1]
    found = step.system.state + step.at([1.0])[0]
    assert found[:2] == pytest.approx(np.exp(-rates[:2]), rel=1e-12)
    assert found[2] == pytest.approx(np.exp(-rates[2]), abs=1e-8)


def cosh_flow(tolerance, mass=None):
    """The gradient flow of a strictly convex function with widely spread slopes."""
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((5, 12))
    data = matrix @ rng.standard_normal(12)

    def velocity(w):
        return data - 1e-3 * np.sinh(w @ matrix) @ matrix.T

    def curvature(w):
        return (matrix * (1e-3 * np.cosh(w @ matrix))) @ matrix.T

    return flow(velocity, curvature, np.zeros(5), tolerance, mass)


@pytest.mark.parametrize("mass", [np.eye(5), random_metric(5)], ids=["plain", "metric"])
@pytest.mark.parametrize("tolerance", [1e-6, 1e-9, 1e-12])
def test_nonlinear_flow_against_another_method(tolerance, mass):
    """All along, and not only at the ends of steps."""
    system = cosh_flow(tolerance, mass)
    inverse = np.linalg.inv(mass)
    times = np.linspace(0.01, 3.0, 200)
    reference = solve_ivp(
        lambda _, w: inverse @ system.velocity(w),
        (0.0, 3.0),
        np.zeros(5),
        method="DOP853",
        rtol=3e-14,
        atol=1e-14,
        t_eval=times,
    ).y.T
    steps = until(3.0, radau_steps(system, 1e-3))
    assert np.abs(at(times, steps) - reference).max() < 20 * tolerance + 2e-12
    assert len(steps) < 100


def test_steps_follow_one_another():
    steps = list(islice(radau_steps(cosh_flow(1e-8), 1e-3), 8))
    assert steps[0].start == 0.0
    for one, other in pairwise(steps):
        assert one.end == other.start
        assert np.array_equal(one.system.state + one.reached, other.system.state)
    for step in steps:
        ends = step.at([step.start, step.end])
        assert ends == pytest.approx(np.array([np.zeros(5), step.reached]), abs=1e-13)


class Turned(Flow):
    """A flow whose coordinates are turned after every step: w = old @ rotation."""

    turn = np.linalg.qr(np.random.default_rng(9).standard_normal((5, 5)))[0]

    def advanced(self, increment):
        turn, velocity, curvature = self.turn, self.velocity, self.curvature
        return Turned(
            lambda w: velocity(w @ turn.T) @ turn,
            lambda w: turn.T @ curvature(w @ turn.T) @ turn,
            (self.state + increment) @ turn,
            self.tolerance,
            turn.T @ self.mass @ turn,
        )

    def translated(self, increments, earlier):
        return increments @ self.turn


def test_coordinates_may_change_between_steps():
    plain, mass = cosh_flow(1e-9), random_metric(5)
    system = Turned(plain.velocity, plain.curvature, plain.state, 1e-9, mass)
    steps, state = until(3.0, radau_steps(system, 1e-3)), None
    step = steps[-1]
    state = step.system.state + step.at([3.0])[0]
    for _ in steps[:-1]:
        state = state @ Turned.turn.T
    (expected,) = at(np.array([3.0]), until(3.0, radau_steps(cosh_flow(1e-9, mass), 1e-3)))
    assert state == pytest.approx(expected, abs=1e-8)


def test_the_unit_of_where_a_step_leads_counts():
    """A tolerance that becomes tight on the way is kept at once."""

    class Tightening(Flow):
        def size(self, increments, reached=None):
            place = self.state if reached is None else self.state + reached
            return float(np.abs(increments).max()) / (1e-3 if place[0] > 0.5 else 1e-11)

    system = Tightening(
        lambda w: -(w**3), lambda w: np.diag(3 * w**2), np.ones(1), 1e-12, np.eye(1)
    )
    for step in until(100.0, radau_steps(system, 1e-2)):
        start, end = step.system.state[0], step.system.state[0] + step.reached[0]
        if end <= 0.5:
            times = np.linspace(step.start, step.end, 9)
            exact = 1.0 / np.sqrt(start**-2.0 + 2.0 * (times - step.start)) - start
            assert np.abs(step.at(times)[:, 0] - exact).max() < 1e-10


class Forgetful(Flow):
    """A flow that knows nothing of earlier coordinates."""

    def translated(self, increments, earlier):
        return np.zeros_like(increments)


def test_a_step_begins_with_the_polynomial_of_the_last():
    """Newton's method needs fewer iterations, and leads to the same."""
    found = []
    for kind in (Flow, Forgetful):
        known, asked = cosh_flow(1e-9), []

        def velocity(w, known=known, asked=asked):
            asked.append(w)
            return known.velocity(w)

        system = kind(velocity, known.curvature, known.state, 1e-9, known.mass)
        steps = until(3.0, radau_steps(system, 1e-3))
        found.append((len(asked) / len(steps), at(np.array([3.0]), steps)))
    (few, one), (many, other) = found
    assert few < 0.85 * many
    assert one == pytest.approx(other, abs=1e-8)


def test_a_step_goes_half_of_the_way_to_the_edge_at_most():
    """w' = 1, whose horizon is 1 from the start."""

    class Bounded(Flow):
        def horizon(self, velocity):
            return (1.0 - self.state[0]) / velocity[0]

    system = Bounded(np.ones_like, lambda _: np.zeros((1, 1)), np.zeros(1), 1e-8, np.eye(1))
    ends = [step.end for step in islice(radau_steps(system, 0.25), 6)]
    assert ends == pytest.approx([0.25, *(1.0 - 0.75 * 0.5 ** np.arange(1, 6))])


def test_a_solution_that_ends_is_an_error():
    """w' = 1 has no continuation past w = 1 here."""
    system = flow(lambda w: np.where(w < 1.0, 1.0, np.nan), lambda _: np.zeros((1, 1)), np.zeros(1))
    with pytest.raises(IntegrationError, match="less than spacing"):
        until(2.0, radau_steps(system, 0.1))


def test_a_solution_at_rest_is_followed_to_the_end_of_time():
    system = flow(lambda w: -w, lambda _: np.eye(1), np.ones(1))
    with pytest.raises(IntegrationError, match="too long"):
        until(np.inf, radau_steps(system, 0.1))


def test_a_length_that_is_no_number_is_an_error():
    with pytest.raises(IntegrationError, match="less than spacing"):
        next(radau_steps(flow(lambda w: -w, lambda _: np.eye(1), np.ones(1)), np.nan))
