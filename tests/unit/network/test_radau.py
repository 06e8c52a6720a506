"""Radau IIA collocation with a symmetric Jacobian."""

from fractions import Fraction
from itertools import islice, pairwise

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from implicit_l1.network import radau
from implicit_l1.network.radau import STAGES, IntegrationError, collocation, radau_steps


def until(time, steps):
    """The steps that cover [0, time]."""
    found = []
    for step in steps:
        found.append(step)
        if step.end >= time:
            return found


def at(times, steps):
    """The states at increasing times."""
    parts = [step.at(times[(step.start < times) & (times <= step.end)]) for step in steps]
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
    points = radau._POINTS
    for degree in range(STAGES):
        slope, increments = 0.0**degree, points ** (degree + 1) / (degree + 1)
        assert abs(radau._GAMMA * slope + radau._EMBEDDED @ increments) < 1e-13
    # the increments that collocation finds for degree s
    increments = radau._MATRIX @ points**STAGES
    assert abs(radau._EMBEDDED @ increments) > 1e-8


def test_newton_step_solves_the_linear_system_of_all_stages():
    """Against one system of s N equations: of a linear equation the first step is the answer."""
    rng = np.random.default_rng(1)
    factor = rng.standard_normal((6, 6))
    matrix, state, h = factor @ factor.T, rng.standard_normal(6), 0.7
    found, _, _ = radau._increments(
        lambda w: -w @ matrix, state, np.zeros((STAGES, 6)), h, np.linalg.eigh(matrix), 1e-10, 1e-3
    )
    system = np.kron(np.linalg.inv(radau._MATRIX) / h, np.eye(6)) + np.kron(np.eye(STAGES), matrix)
    exact = np.linalg.solve(system, np.tile(-matrix @ state, STAGES)).reshape(STAGES, 6)
    assert np.abs(found - exact).max() < 1e-11 * np.abs(exact).max()


@pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10])
def test_stiff_linear_system_against_its_exponential(rtol):
    """Rates over 12 decades, on the diagonal: rounding would carry them into each other."""
    rates = 10.0 ** np.arange(-6, 7)
    times = 10.0 ** np.linspace(-8, 6, 57)
    steps = until(
        times[-1],
        radau_steps(lambda w: -w * rates, lambda _: np.diag(rates), np.ones(13), 1e-9, rtol, rtol),
    )

    def error(time, state):
        return np.abs(state - [float(mpmath.exp(-mpmath.mpf(rate) * time)) for rate in rates]).max()

    assert max(error(step.end, step.reached) for step in steps) < rtol
    between = [error(time, state) for time, state in zip(times, at(times, steps), strict=True)]
    assert max(between) < rtol
    assert len(steps) < 400


def cosh_flow():
    """The gradient flow of a strictly convex function with widely spread slopes."""
    rng = np.random.default_rng(3)
    matrix = rng.standard_normal((5, 12))
    data = matrix @ rng.standard_normal(12)

    def velocity(w):
        return data - 1e-3 * np.sinh(w @ matrix) @ matrix.T

    def curvature(w):
        return (matrix * (1e-3 * np.cosh(w @ matrix))) @ matrix.T

    return velocity, curvature


@pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10, 1e-12])
def test_nonlinear_flow_against_another_method(rtol):
    """All along, and not only at the ends of steps."""
    velocity, curvature = cosh_flow()
    times = np.linspace(0.01, 3.0, 200)
    reference = solve_ivp(
        lambda _, w: velocity(w),
        (0.0, 3.0),
        np.zeros(5),
        method="DOP853",
        rtol=3e-14,
        atol=1e-14,
        t_eval=times,
    ).y.T
    steps = until(3.0, radau_steps(velocity, curvature, np.zeros(5), 1e-3, rtol, 1e-3 * rtol))
    error = np.abs(at(times, steps) - reference).max() / np.abs(reference).max()
    assert error < 20 * rtol + 1e-12
    assert len(steps) < 100


def test_steps_follow_one_another():
    velocity, curvature = cosh_flow()
    steps = list(islice(radau_steps(velocity, curvature, np.zeros(5), 1e-3, 1e-8, 1e-11), 8))
    assert steps[0].start == 0.0
    for one, other in pairwise(steps):
        assert one.end == other.start and np.array_equal(one.reached, other.state)
    for step in steps:
        assert step.at([step.start, step.end]) == pytest.approx(
            np.array([step.state, step.reached]), abs=1e-13
        )


def test_a_solution_that_ends_is_an_error():
    """w' = 1 has no continuation past w = 1 here."""
    steps = radau_steps(
        lambda w: np.where(w < 1.0, 1.0, np.nan),
        lambda _: np.zeros((1, 1)),
        np.zeros(1),
        0.1,
        1e-8,
        1e-11,
    )
    with pytest.raises(IntegrationError, match="less than spacing"):
        until(2.0, steps)


def test_a_solution_at_rest_is_followed_to_the_end_of_time():
    steps = radau_steps(lambda w: -w, lambda _: np.eye(1), np.ones(1), 0.1, 1e-8, 1e-11)
    with pytest.raises(IntegrationError, match="too long"):
        until(np.inf, steps)
