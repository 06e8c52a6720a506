"""The state of the flow: its coordinates, its force and its limit, against what defines them."""

from functools import cache
from itertools import islice, pairwise

import mpmath
import numpy as np
import pytest

import reference
from implicit_l1.network.flow import flow_steps, gradient_flow
from implicit_l1.network.initialization import initialize
from implicit_l1.network.mirror_flow import begin
from implicit_l1.potentials import potential
from reference import limit_error

pytestmark = pytest.mark.long

DEPTHS = [2, 2.5, 3, 6]
MATRIX = np.array(
    [[1, 0.25, -0.5, 0.75, 0.125], [-0.375, 1, 0.5, 0.125, 0.25], [0.25, -0.125, 0.5, 0.625, -1]]
)
MINIMIZER = np.array([1.5, -0.0625, 0, 0, 0])


@cache
def states(depth, alpha, size=1.0):
    """The states on the way: before anything rises, in between, and at the end.

    Of g* and alpha times a size.
    """
    problem = MATRIX, size * MINIMIZER, potential(depth), size * alpha
    count = gradient_flow(*problem).steps
    steps = list(islice(flow_steps(*problem, 1e-8), count))
    end = steps[-1].system.advanced(steps[-1].reached)
    return [*(step.system for step in steps), end]


@pytest.mark.parametrize("depth", DEPTHS)
def test_moves_are_those_of_a_dual_vector(depth):
    """z moves by A^T of the dual vector that the coordinates stand for."""
    increments = np.random.default_rng(0).standard_normal((4, 3))
    for flow in states(depth, 1e-6)[::6]:
        exact = increments @ flow.coordinates.dual_map.T @ MATRIX
        assert np.abs(flow.moves(increments) - exact).max() < 1e-13


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_force_is_that_of_the_flow(depth):
    """inv(G) w' = F with w' = -c inv(L) A n: F = L^T (y - A x) in other words."""
    for flow in states(depth, 1e-3)[::6]:
        exact = -flow.coordinates.dual_map.T @ (MATRIX @ flow.error)
        (found,) = flow.force(np.zeros((1, 3)))
        assert np.abs(found - exact).max() < 1e-13 * max(
            1.0, np.abs(flow.coordinates.dual_map).max()
        )
        inverse = flow.coordinates.dual_map
        assert np.allclose(flow.mass, inverse.T @ inverse, rtol=1e-14)


@pytest.mark.parametrize("depth", DEPTHS)
def test_stiffness_is_the_derivative(depth):
    for flow in states(depth, 1e-3)[::6]:
        exact = flow.stiffness(np.zeros(3))
        assert np.abs(exact - exact.T).max() <= 1e-14 * np.abs(exact).max()
        step = 1e-4 * (flow.unit.min() / np.abs(flow.stacked).max())
        for place in range(3):
            shift = step * np.eye(3)[place][None]
            difference = (flow.force(-shift) - flow.force(shift))[0] / (2 * step)
            assert np.abs(difference - exact[place]).max() < 1e-6 * np.abs(exact).max()


@pytest.mark.parametrize("depth", DEPTHS)
def test_n_keeps_its_digits_near_the_minimizer(depth):
    """What moves add to n is relative to n, however near x is to g*."""
    flow, alpha = states(depth, 1e-10)[-1], 1e-10
    assert flow.near[:2].all() and not flow.near[2:].any()
    move = 1e-3 * flow.unit.min() * np.array([[1.0, -0.5, 0.75, 0.5, -0.25]])
    (found,) = flow.errors(move)
    with mpmath.workdps(60):
        for i in range(5):
            g = mpmath.mpf(MINIMIZER[i])
            before = reference.phi_inverse(depth, (g + mpmath.mpf(flow.error[i])) / alpha)
            if MINIMIZER[i] == 0:
                before = mpmath.mpf(flow.z[i])
            after = alpha * reference.phi(depth, before + mpmath.mpf(move[0, i])) - g
            change = abs(after - mpmath.mpf(flow.error[i]))
            assert abs(found[i] - after) < 1e-9 * change + 1e-14 * abs(after)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_state_belongs_together(depth):
    """z, its slack and n say the same, to the digits that z has."""
    pot = potential(depth)
    for flow in states(depth, 1e-6)[::6]:
        room = 1.0 if depth == 2 else 1.0 - np.abs(flow.z)
        assert depth == 2 or np.allclose(flow.slack, room, rtol=0, atol=1e-15)
        x = MINIMIZER + flow.error
        slope = np.abs(x) + 1e-6
        blur = 1e-14 * slope / np.minimum(1.0, room) * np.maximum(1.0, np.abs(flow.z))
        assert np.all(np.abs(1e-6 * pot.phi(flow.z) - x) < 100 * blur + 1e-15 * np.abs(MINIMIZER))


@pytest.mark.parametrize("depth", [3, 6])
def test_columns_join_where_their_slack_is_small(depth):
    chosen = [set(flow.coordinates.support.tolist()) for flow in states(depth, 1e-8)]
    assert chosen[0] == set()
    assert {0} in chosen and chosen[-1] >= {0, 1}
    for flow in states(depth, 1e-8):
        assert np.all(flow.slack[flow.coordinates.complement] > 0.09) or (
            flow.coordinates.support.size == 3
        )


@pytest.mark.parametrize("depth", DEPTHS)
def test_increments_mean_the_same_in_other_coordinates(depth):
    """The dual vector that they stand for, and coordinates are others where T is."""
    increments = np.random.default_rng(0).standard_normal((4, 3))
    changes = 0
    for one, other in pairwise(states(depth, 1e-6)):
        same = set(one.coordinates.support) == set(other.coordinates.support)
        assert (other.mass is one.mass) == same
        changes += not same
        found = other.translated(increments, one) @ other.coordinates.dual_map.T
        assert np.abs(found - increments @ one.coordinates.dual_map.T).max() < 1e-13
    assert (changes > 0) == (depth > 2)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_horizon_is_the_time_to_the_edge(depth):
    velocity = np.array([1.0, 2.0, -1.0])
    for flow in states(depth, 1e-6)[::6]:
        time = flow.horizon(velocity)
        if depth == 2:
            assert time == np.inf
            continue
        at = [np.abs(flow.z + part * time * flow.moves(velocity[None])[0]) for part in (0.99, 1.0)]
        assert at[0].max() < 1.0
        assert at[1].max() == pytest.approx(1.0, abs=1e-14)


def test_two_layers_keep_the_support_from_the_start():
    assert all(set(flow.coordinates.support) == {0, 1} for flow in states(2, 1e-8))


def test_dependent_columns_do_not_join_together():
    """Copies of a column, of one sign and the other: one of them is enough."""
    matrix, minimizer = np.array([[1, 1, -1, 0.5], [0, 0, 0, 1.0]]), np.array([1.0, 0, 0, 0])
    steps = list(islice(flow_steps(matrix, minimizer, potential(3), 1e-6, 1e-8), 60))
    sizes = [step.system.coordinates.support.size for step in steps]
    assert 0 in sizes and 1 in sizes
    last = steps[-1].system
    assert last.error[[0, 1, 2]] == pytest.approx([-2 / 3, 1 / 3, -1 / 3], abs=1e-3)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_size_of_an_increment_is_in_units_of_the_tolerance(depth):
    flow = states(depth, 1e-6)[-1]
    increment = np.array([[1e-12, 2e-12, -1e-12]])
    expected = (np.abs(flow.moves(increment)) / flow.unit).max() / 1e-8
    assert flow.size(increment) == pytest.approx(expected)
    assert flow.size(increment, np.zeros(3)) == pytest.approx(expected)
    # what Newton's method leaves is less, and less than moves the time of a rise
    rise = 1.0 if depth == 2 else flow.slack.min() / flow.setting.potential.power
    left = np.minimum(1e-10 * flow.unit, max(1e-7 * rise, 2e-15))
    assert flow.remainder(increment) == pytest.approx(
        (np.abs(flow.moves(increment)) / left).max(), rel=1e-3
    )
    # near g* x may move by ||n||_1
    total = np.abs(flow.error).sum()
    assert np.all(flow.unit[flow.near] * flow.slope[flow.near] <= total * (1 + 1e-12))


@pytest.mark.parametrize("alpha", [1.0, 1e-9])
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_limit_is_found_from_near_it(depth, alpha):
    exponent = round(np.log10(alpha))
    exact = limit_error(MATRIX, MINIMIZER, depth, exponent)
    size = np.abs(exact).sum()
    flow = states(depth, alpha)[-1]
    limit = flow.limit()
    assert np.abs(limit.error - exact).sum() < limit.rounding.sum() + 1e-14 * size
    assert 0 < limit.rounding.sum() < 1e-10 * size
    assert np.abs(limit.reached - limit.error).sum() < 1e-10 * size
    # from far away there is none, and no number is told
    begun = begin(MATRIX, MINIMIZER, potential(depth), alpha, 1e-8)
    if alpha < 1:
        assert np.all(np.isnan(begun.limit().error))


@pytest.mark.parametrize("depth", DEPTHS)
def test_what_rounding_leaves_is_in_units_of_the_problem(depth):
    """n is an entry of x, whatever its size."""
    plain, small = (states(depth, 1e-4, size)[-1].limit() for size in (1.0, 2.0**-40))
    for name in ("error", "reached", "rounding"):
        scaled = getattr(small, name) * 2.0**40
        assert scaled == pytest.approx(getattr(plain, name), rel=1e-3, abs=0.0), name


def test_a_begin_from_shapes_is_where_the_weights_are():
    w_u, w_v = np.array([1, 2, 0.5, 1, 1.5]), np.array([1, 1, 0.75, 2, 0.5])
    for depth in (2, 3):
        flow = begin(MATRIX, MINIMIZER, potential(depth), 1e-3, 1e-8, initialize(depth, w_u, w_v))
        x = MINIMIZER + flow.setting.unit * flow.error
        assert x == pytest.approx(1e-3 * (w_u**depth - w_v**depth), abs=1e-15)
