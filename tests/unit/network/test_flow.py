"""The gradient flow: its trajectory, its end, and what it says where it cannot be followed."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trajectories import UNKIND, exact_flow

from implicit_l1.network import flow
from implicit_l1.network.agreement import may_be_minimizer
from implicit_l1.network.flow import (
    FlowError,
    FlowOptions,
    Trajectory,
    _Approach,
    escape_scale,
    escape_time,
    gradient_flow,
    saved_times,
    settling_time,
    slow_scale,
)
from implicit_l1.network.initialization import draw_shapes, initialize, initialize_from_ones
from implicit_l1.network.limit import limit_path
from implicit_l1.network.mirror_flow import Limit
from implicit_l1.network.selection import select, tilted_basis_pursuit
from implicit_l1.potentials import potential
from implicit_l1.problems.seeds import generator
from implicit_l1.status import AT_MINIMIZER, CERTIFIED, CONVERGED
from pipeline.records.flow import Endpoints
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.tidy import read_table
from reference import filled_record, instance, limit_error, limit_points
from workflow_runs import script

pytestmark = pytest.mark.long

DEPTHS = [2, 2.5, 3, 4, 6]
# two entries of g* that rise one after the other, and a direction left that ends late
MATRIX = np.array(
    [[1, 0.25, -0.5, 0.75, 0.125], [-0.375, 1, 0.5, 0.125, 0.25], [0.25, -0.125, 0.5, 0.625, -1]]
)
MINIMIZER = np.array([1.5, -0.0625, 0, 0, 0])


def one_norm(values):
    return np.abs(values).sum(axis=-1)


@cache
def small_flow(depth, exponent, options=None):
    return gradient_flow(MATRIX, MINIMIZER, potential(depth), 10.0**exponent, options)


@cache
def flow_of(size, eta, depth, exponent, options=None):
    case = instance(*size, eta)
    return gradient_flow(
        case.matrix, case.minimizer.point, potential(depth), 10.0**exponent, options
    )


def of_limit_path(case, depth, alpha):
    """n(alpha) as stage limit finds it; its own tests hold it against many digits."""
    minimizer = case.minimizer
    path = limit_path(
        *(case.matrix, minimizer.point, minimizer.certificate),
        *(potential(depth), np.log([alpha])),
    )
    return np.exp(path.log_unit[0]) * path.error[0]


def distance(error, limit):
    """||x - x*||_1 / ||n||_1."""
    return one_norm(error - limit) / one_norm(limit)


def check_end(trajectory, limit, tolerance=1e-9, digits=1e-14):
    """The end is where the trajectory says, up to a tenth of it, and the digits of the limit."""
    assert distance(trajectory.error[-1], limit) <= 1.1 * trajectory.claim + digits
    assert trajectory.claim <= tolerance


# The whole trajectory


@pytest.mark.parametrize("exponent", [-4, -8, -12])
@pytest.mark.parametrize("depth", DEPTHS)
def test_trajectory_in_many_bits(depth, exponent):
    """n relative to itself in the 1-norm, from the first motion to the end, and the loss."""
    found = small_flow(depth, exponent)
    error, loss = exact_flow(MATRIX, MINIMIZER, depth, exponent, found.time)
    assert np.all(one_norm(found.error - error) < 1e-8 * one_norm(error))
    check_end(found, error[-1], digits=1e-11)
    # A n is far smaller than n on plateaus and at the end, and no more than the error of n there
    blur = 1e-8 * one_norm(error)
    assert np.all(np.abs(np.sqrt(found.loss) - np.sqrt(loss)) < 1e-6 * np.sqrt(loss) + blur)
    assert np.array_equal(found.point, MINIMIZER + found.error)
    # it is about more than one front, and the time before and after them
    risen = np.abs(found.point[:, :2]) > 0.5 * np.abs(MINIMIZER[:2])
    first, second = risen.argmax(axis=0)
    assert 10 < first < second - 1 < found.time.size - 2


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("depth", [2, 3])
def test_trajectory_from_another_initialization(depth, balanced):
    shapes = draw_shapes(generator(seed=3), 5, "lognormal", sigma=0.5, balanced=balanced)
    initialization, alpha = initialize(depth, *shapes), 1e-8
    found = gradient_flow(MATRIX, MINIMIZER, potential(depth), alpha, initialization=initialization)
    error, _ = exact_flow(MATRIX, MINIMIZER, depth, -8, found.time, initialization)
    assert np.all(one_norm(found.error - error) < 1e-8 * one_norm(error))
    check_end(found, error[-1], digits=1e-11)
    ones = small_flow(depth, -8)
    assert distance(found.error[-1], ones.error[-1]) > 0.1


def test_a_tolerance_is_kept():
    """A hundredth of it is a smaller error, and more steps."""
    steps, errors = [], []
    for rtol in (1e-5, 1e-7, 1e-9):
        found = small_flow(3, -6, FlowOptions(rtol=rtol))
        error, _ = exact_flow(MATRIX, MINIMIZER, 3, -6, found.time)
        errors.append((one_norm(found.error - error) / one_norm(error)).max() / rtol)
        steps.append(found.steps)
        check_end(found, error[-1], digits=1e-11)
    assert max(errors) < 2.0
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("depth", [2, 4])
def test_first_motion(depth):
    """From 0 with x' = 2 D^2 alpha^(2 - 2/D) A^T y."""
    found, alpha = small_flow(depth, -4), 1e-4
    velocity = 2 * depth**2 * alpha ** (2 - 2 / depth) * (MATRIX.T @ MATRIX @ MINIMIZER)
    first = found.point[0] / found.time[0]
    # the motion over one hundredth of the time scale bends by about as much
    assert np.abs(first - velocity).max() < 0.05 * np.abs(velocity).max()


@pytest.mark.parametrize("exponent", [0, -6, -12])
@pytest.mark.parametrize("depth", [2, 2.5, 6])
def test_loss_decreases(depth, exponent):
    found = flow_of((5, 12, 2), 0.1, depth, exponent)
    # more than what Newton's method leaves in units of ||n||_1
    left = 1e-10 * one_norm(found.error)
    assert np.all(np.diff(found.loss[found.loss > left**2]) < 0)
    assert found.loss[-1] < 1e-16 * found.loss[0]
    # it starts at ||y||^2 / 2, where x = 0
    data = instance(5, 12, 2, 0.1).data
    assert 0.5 < 2 * found.loss[0] / (data @ data) < 1.0 + 1e-12


# The end


@pytest.mark.parametrize("exponent", [0, -4, -8, -12])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_flow_ends_at_the_limit_point(depth, eta, exponent):
    case = instance(5, 12, 2, eta)
    check_end(flow_of((5, 12, 2), eta, depth, exponent), of_limit_path(case, depth, 10.0**exponent))


@pytest.mark.parametrize("exponent", [-2, -6, -10, -14])
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_no_plateau_is_the_end(depth, exponent):
    """For 1/c << t << 1/(c alpha) nothing moves, and x is far from its end."""
    case = instance(5, 12, 1, 0.0)
    found = flow_of((5, 12, 1), 0.0, depth, exponent)
    limit = of_limit_path(case, depth, 10.0**exponent)
    check_end(found, limit)
    if exponent <= -6:
        # over a decade of time (10 states) n changes by a hundredth, at half of ||n||_1 and more
        moved = one_norm(found.error[10:] - found.error[:-10])
        rests = moved < 1e-2 * one_norm(limit)
        assert np.any(rests & (distance(found.error[:-10], limit) > 0.5))


def test_default_options_suffice_on_the_default_size(large):
    found = gradient_flow(large.matrix, large.minimizer.point, potential(3), 1e-4)
    check_end(found, of_limit_path(large, 3, 1e-4))
    assert found.steps < 500


@pytest.mark.parametrize("wanted", [1e-2, 1e-5, 1e-8])
def test_the_distance_that_is_asked_for_decides_the_end(wanted):
    """The end is the first step at which it is met."""
    limit = small_flow(3, -8, FlowOptions(distance=1e-12)).error[-1]
    found = small_flow(3, -8, FlowOptions(distance=wanted))
    check_end(found, limit, wanted)
    tight = small_flow(3, -8)
    assert found.time[-1] < tight.time[-1] or wanted == 1e-8
    common = np.searchsorted(tight.time, found.time[:-1])
    assert np.array_equal(found.error[:-1], tight.error[common])
    # the state before the last step is too far, if it was slow enough to be asked
    assert distance(found.error[0], limit) > wanted


@pytest.mark.parametrize("name", UNKIND)
@pytest.mark.parametrize("depth", [2, 3, 6])
@pytest.mark.parametrize("exponent", [2, -3, -10])
def test_unkind_matrices(name, depth, exponent):
    matrix, minimizer = (np.array(part, dtype=float) for part in UNKIND[name])
    limit = limit_error(matrix, minimizer, depth, exponent)
    try:
        found = gradient_flow(matrix, minimizer, potential(depth), 10.0**exponent)
    except FlowError as failed:
        assert "double precision" in str(failed)
        assert name in ("near_copies", "nearly_one_row")
    else:
        check_end(found, limit)


@pytest.mark.parametrize("depth", [2, 2.5, 4])
@pytest.mark.parametrize("exponent", [0, -4])
def test_several_minimizers(depth, exponent):
    """To the one that the flow selects, whose columns are dependent."""
    matrix, data = np.array([[1.0, -1.0, 0.75, 1.0, 0.5]]), np.array([1.0])
    ones = initialize_from_ones(5)
    chosen = select(matrix, data, ones, depth, tilted_basis_pursuit(matrix, data, ones.tilt))
    point = chosen.point
    assert np.count_nonzero(point) == 3
    (*_, exact) = limit_points(
        matrix, data, depth, range(0, exponent - 1, -1), np.ones(5), np.zeros(5)
    )
    found = gradient_flow(matrix, point, potential(depth), 10.0**exponent)
    # point is rounded, and A of it is not quite y
    limit = np.array([float(x - g) for x, g in zip(exact, point, strict=True)])
    assert distance(found.error[-1], limit) <= 1.1 * found.claim + 1e-15 / one_norm(limit)


def nearly_one_row(bits):
    """A of two rows that differ by 2^-bits in one entry, and g*."""
    return np.array([[1, 0.75, 0.5], [1, 0.75 + 2.0**-bits, 0.5]]), np.array([1.0, 0, 0])


@pytest.mark.parametrize("bits", [26, 44])
@pytest.mark.parametrize("depth", [2, 3, 6])
def test_what_is_claimed_of_nearly_dependent_rows(bits, depth):
    """Coordinates have their last digits whatever the condition, and what is left is measured."""
    matrix, minimizer = nearly_one_row(bits)
    found = gradient_flow(matrix, minimizer, potential(depth), 1e-8)
    *_, exact = limit_points(
        *(matrix, matrix @ minimizer, depth, range(0, -9, -1)), np.ones(3), np.zeros(3), 120
    )
    limit = np.array([float(x - g) for x, g in zip(exact, minimizer, strict=True)])
    true = distance(found.error[-1:], limit)[0]
    assert found.claim == pytest.approx(true, rel=2e-3)
    assert true <= found.claim * (1.0 + 1e-6)


# A with rows that are nearly dependent, of which T takes none apart; g*; the depth and log10 alpha:
# K has a condition beyond doubles, and its inverse made a limit of a plateau
BEYOND = [
    ([[0, 2, -2], [-(2.0**-42), 2, -2 + 2.0**-42]], [0, 2.0**-11, 0], 3, -1),
    ([[1, 2, -2], [1, 2 + 2.0**-44, -2 + 3 * 2.0**-45]], [0, 2.0**-6, 0], 3, -3),
    ([[1, -1, -3, 1], [-1, -3, -2, 1], [-(2.0**-34), -4, -5, 2]], [2.0**-6, 0, 2.0**-5, 0], 3, 0),
    (
        [[3, 2, 1, 2], [0, 2, 1, -1], [3 - 2.0**-43, 4 + 2.0**-43, 2 + 2.0**-43, 1 - 3 * 2.0**-43]],
        [2.0**-6, 0, 0, 0],
        2,
        -1,
    ),
]


@pytest.mark.parametrize("case", range(len(BEYOND)))
def test_a_plateau_of_nearly_dependent_rows_is_no_end(case):
    """The flow is refused, or it comes as near to the limit as it claims."""
    rows, signal, depth, exponent = BEYOND[case]
    matrix, minimizer = np.array(rows, dtype=float), np.array(signal, dtype=float)
    options = FlowOptions(steps=200)
    try:
        found = gradient_flow(matrix, minimizer, potential(depth), 10.0**exponent, options)
    except FlowError as failure:
        assert "did not converge" in str(failure)
        return
    limit = limit_error(matrix, minimizer, depth, exponent)
    assert distance(found.error[-1:], limit)[0] <= 1.1 * found.claim


def test_moderately_dependent_rows_are_followed():
    """Of the same kind as those above, of which doubles hold the inverse of K."""
    matrix = np.array([[0, 2, -2], [-(2.0**-12), 2, -2 + 2.0**-12]])
    minimizer = np.array([0, 2.0**-11, 0])
    found = gradient_flow(matrix, minimizer, potential(3), 0.1)
    limit = limit_error(matrix, minimizer, 3, -1)
    assert distance(found.error[-1:], limit)[0] <= 1.1 * found.claim


# What cannot be followed


def test_a_tolerance_below_rounding_is_an_error():
    """It is never met, and the flow is not integrated for ever."""
    with pytest.raises(
        FlowError, match=r"^gradient flow at alpha = 1e-08 has come to rest, but .* within 1e-16"
    ):
        gradient_flow(*nearly_one_row(26), potential(3), 1e-8, FlowOptions(distance=1e-16))
    with pytest.raises(FlowError, match=r"^gradient flow at alpha = 1e-08"):
        small_flow(3, -8, FlowOptions(distance=1e-17, steps=200))


def test_a_flow_at_rest_is_not_integrated_for_ever():
    """Rounding and what it leaves of the motion exceed the tolerance together, not alone."""
    reached, error = np.array([1.0, 1e-9]), np.array([1.0 + 6e-10, 1e-9])
    limit = Limit(error, reached, np.full(2, 1e-12))
    state = SimpleNamespace(error=np.array([1.0 - 6e-10, 1e-9]), limit=lambda: limit)
    approach = _Approach("the flow", SimpleNamespace(unit=np.ones(2), nothing=0.0), 1e-9)
    with pytest.raises(FlowError, match=r"has come to rest, .* within 1e-09 .* about 6\.0e-10"):
        for _ in range(20):
            assert approach.ended(state.error[None])[0] == ""
            approach.see(state)
    assert approach.idle == 10
    # a little nearer to it
    near = np.array([[1.0, 1e-9]])
    outcome, there, claims = approach.ended(near)
    assert outcome == CONVERGED and there.all()
    assert claims == pytest.approx([6e-10 + 2e-12], rel=1e-6)


def test_an_error_below_rounding_is_said_to_be():
    matrix = np.array(
        [
            [-1, -1, -1, 1, -1, -1, -1, -1, -1],
            [-1, -1, -1, 1, 1, -1, -1, -1, -1],
            [-1, 1, -1, 1, -1, 1, -1, 1, 1],
            [-1, -1, 1, 1, 1, 1, 1, 1, -1],
        ],
        dtype=float,
    )
    minimizer = np.array([0.25, 0.25, 0.25, -0.25, 0.0, 0.25, 0.25, 0.25, 0.25])
    with pytest.raises(FlowError, match="minimizer is below what rounding leaves"):
        gradient_flow(matrix, minimizer, potential(3), 1e-4)


def test_too_few_steps_are_an_error():
    taken = small_flow(3, -4).steps
    assert small_flow(3, -4, FlowOptions(steps=taken)).steps == taken
    with pytest.raises(
        FlowError, match=rf"^gradient flow at alpha = 0\.0001 did not .* {taken - 1} steps \(t = "
    ):
        small_flow(3, -4, FlowOptions(steps=taken - 1))


@pytest.mark.parametrize(("depth", "exponent"), [(6, -14), (3, -40), (20, -12)])
def test_scales_whose_times_are_beyond_doubles_are_an_error(depth, exponent):
    with pytest.raises(FlowError, match=r"alpha = 1e-\d+ cannot be followed .* raise alpha"):
        small_flow(depth, exponent)


@pytest.mark.parametrize("exponent", [-30, -200])
def test_two_layers_are_followed_at_any_scale(exponent):
    case = instance(5, 12, 2, 0.0)
    check_end(flow_of((5, 12, 2), 0.0, 2, exponent), of_limit_path(case, 2, 10.0**exponent))


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_an_end_that_is_the_minimizer_itself_is_one(depth):
    """The kernel does not move it: n tends to 0, and nothing is left to measure it by."""
    matrix, minimizer = np.array([[1.0, 0, 0], [0, 1, 1]]), np.array([1.0, 0, 0])
    found = gradient_flow(matrix, minimizer, potential(depth), 1e-2, FlowOptions(steps=300))
    assert found.outcome == AT_MINIMIZER and np.isnan(found.claim)
    assert one_norm(found.error[-1]) <= 1e-17 and small_flow(depth, -2).outcome == CONVERGED


@pytest.mark.parametrize(("depth", "exponent"), [(2, -8), (3, -12), (4, -8), (6, -6)])
def test_an_end_that_is_the_minimizer_is_not_followed_to_the_smallest_doubles(depth, exponent):
    """n falls by hundreds of decades between two of the saved times."""
    found = gradient_flow(np.ones((1, 3)), np.ones(3), potential(depth), 10.0**exponent)
    assert found.outcome == AT_MINIMIZER and found.steps < 1000
    assert np.all(found.point[-1] == 1.0)


@pytest.mark.parametrize("factor", [1e178, 1e-178])
def test_products_that_overflow_are_an_error(factor):
    """They were a step of no length, taken for ever."""
    with pytest.raises(FlowError, match=r"^gradient flow at alpha = 0\.01 failed: "):
        gradient_flow(factor * MATRIX, MINIMIZER, potential(3), 1e-2)


@pytest.mark.parametrize(("depth", "exponent"), [(4, -4), (3, -8)])
def test_near_copies_of_a_column_take_no_tiny_steps(depth, exponent):
    """Columns 0 and 3 differ by 2^-19; both were in T, and 4000 steps were not enough."""
    matrix = np.array(
        [
            [-1, 2, -1, -1, -3, 3, 2],
            [-1, 1, 0, -1, -2, 1, -3],
            [-2, 2, -2, -2, -1, -3, 0],
            [-1, 1, -2, -1, -3, 1, -2],
            [2, -1, 1, 2, 3, -2, -3],
        ],
        dtype=float,
    )
    matrix[:, 0] += 2.0**-19 * np.array([-3, -1, -1, 3, 0])
    minimizer = np.array([-0.5, 0, 0, 0, -0.5, 0, 1])
    options = FlowOptions(steps=500)
    found = gradient_flow(matrix, minimizer, potential(depth), 10.0**exponent, options)
    check_end(found, limit_error(matrix, minimizer, depth, exponent))


def test_a_singular_newton_step_is_no_crash():
    matrix = np.array([[1.0, 0.5, 0.25], [1.0, 0.5 + 2.0**-40, 0.25]])
    try:
        found = gradient_flow(matrix, np.array([1.0, 0, 0]), potential(3), 1e-2)
    except FlowError as failed:
        assert "double precision" in str(failed) or "spacing" in str(failed)
    else:
        check_end(found, limit_error(matrix, np.array([1.0, 0, 0]), 3, -2))


# Times


def test_states_are_saved_at_the_same_times_for_every_instance():
    for eta in (0.0, 0.1):
        found = flow_of((5, 12, 2), eta, 3, -2, FlowOptions(states_per_decade=5))
        assert found.point.shape == found.error.shape == (found.time.size, 12)
        places = 5 * np.log10(found.time[:-1])
        assert np.allclose(places, np.rint(places), atol=1e-9)
        assert np.array_equal(np.diff(np.rint(places)), np.ones(places.size - 1))
        assert found.time[-1] > found.time[-2]


def test_saved_states_do_not_depend_on_how_many_are_saved():
    """But for the end, which is the first of them that is near enough."""
    few, many = (small_flow(3, -6, FlowOptions(states_per_decade=n)) for n in (2, 20))
    common = few.time < 1.000001 * many.time[-1]
    places = np.searchsorted(many.time, 0.999999 * few.time[common])
    assert many.time[places] == pytest.approx(few.time[common], rel=1e-12)
    assert many.error[places] == pytest.approx(few.error[common], rel=1e-9)
    assert common[:-1].all() and few.time[-1] < 10**0.5 * many.time[-1]


@pytest.mark.parametrize("depth", [2, 3])
def test_the_end_is_the_flows_and_not_the_steps(depth, monkeypatch):
    """Whatever the first step is, and so the others are: all are at one of the saved times."""
    usual = small_flow(depth, -6)
    monkeypatch.setattr(flow, "_steps", lambda begun: flow.radau_steps(begun, 3e-4))
    other = gradient_flow(MATRIX, MINIMIZER, potential(depth), 1e-6)
    assert other.steps != usual.steps
    assert other.time == pytest.approx(usual.time, rel=1e-12)
    places = FlowOptions().states_per_decade * np.log10(usual.time)
    assert places == pytest.approx(np.round(places), abs=1e-9)


@pytest.mark.parametrize("distance", [0.1, 1e-2, 1e-3])
@pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10])
def test_the_end_is_the_first_saved_time_however_coarse(distance, rtol):
    """Also one of a step before the limit point was asked for."""
    matrix, minimizer = np.array([[1.0, 0.5, 0.25]]), np.array([1.0, 0.0, 0.0])

    def end(**options):
        options = FlowOptions(states_per_decade=50, **options)
        return gradient_flow(matrix, minimizer, potential(2), 1e-2, options)

    whole = end(distance=1e-9, rtol=1e-11)
    away = one_norm(whole.error - whole.error[-1]) / one_norm(whole.error[-1])
    first = whole.time[np.argmax(away <= distance)]
    assert end(distance=distance, rtol=rtol).time[-1] == pytest.approx(first, rel=1e-9)


def trajectory(time, size, loss):
    error = np.array(size, dtype=float)[:, None] * [1.0, -1.0]
    return Trajectory(np.array(time, dtype=float), error, error, np.array(loss), 3, 1e-9)


def test_settling_time_is_the_last_at_which_the_error_is_twice_or_half_its_end():
    time, loss = [1, 10, 100, 1000, 1e4], np.ones(5)
    # linear in the logarithms: from 4 to 1 it is at 2 half way
    assert settling_time(trajectory(time, [9, 0.1, 4, 1, 1], loss)) == pytest.approx(10**2.5)
    assert settling_time(trajectory(time, [9, 4, 0.25, 1, 1], loss)) == pytest.approx(10**2.5)
    assert np.isnan(settling_time(trajectory(time, [1.9, 1, 0.6, 1, 1], loss)))


def test_escape_time_is_the_last_at_which_the_loss_is_half_its_start():
    time, size = [1, 10, 100, 1000], np.ones(4)
    found = escape_time(trajectory(time, size, [8.0, 16.0, 1.0, 0.5]))
    assert found == pytest.approx(10**1.5)
    assert np.isnan(escape_time(trajectory(time, size, [8.0, 8.0, 8.0, 0.5]))) is np.False_


@pytest.mark.parametrize("depth", DEPTHS)
def test_escape_takes_the_time_of_its_scale(depth):
    """One entry of size 1 and a column of norm 1: lam = 1 at D > 2, log(1 / alpha) at D = 2."""
    matrix, minimizer = np.array([[1.0, 0.25]]), np.array([1.0, 0.0])
    for exponent, tolerance in ((-6, 0.2), (-12, 0.06 if depth == 2 else 0.02)):
        options = FlowOptions(states_per_decade=300)
        found = gradient_flow(matrix, minimizer, potential(depth), 10.0**exponent, options)
        expected = escape_scale(potential(depth), 10.0**exponent)
        assert escape_time(found) == pytest.approx(expected, rel=tolerance)


def test_there_is_no_scale_of_escape_from_one():
    assert np.isnan(escape_scale(potential(2), 1.0)) and np.isnan(escape_scale(potential(3), 2.0))
    assert escape_scale(potential(2), 0.1) == pytest.approx(np.log(10.0) / 4.0)
    assert escape_scale(potential(4), 0.01) == pytest.approx(1.0 / (8.0 * 0.1))


def test_the_slow_scale_is_the_inverse_of_the_rate_times_the_error():
    """c_2 = 4 and c_4(0.01) = 8 sqrt(0.01)."""
    assert slow_scale(potential(2), 0.1, np.array([0.5, 0.25])) == pytest.approx([0.5, 1.0])
    assert slow_scale(potential(4), 0.01, np.array([2.0])) == pytest.approx([1.0 / 1.6])


@given(st.floats(-6.0, 6.0), st.floats(0.01, 6.0), st.integers(1, 20))
def test_saved_times(start, decades, per_decade):
    first, last = 10.0**start, 10.0 ** (start + decades)
    times = saved_times(first, last, per_decade)
    assert times[-1] == last
    assert np.all(np.diff(times) > 0)
    assert np.all(times >= first * (1.0 - 1e-12))
    places = per_decade * np.log10(times[:-1])
    assert np.allclose(places, np.rint(places), atol=1e-6)
    # every place between the ends is there
    expected = np.arange(np.ceil(per_decade * start + 1e-6), per_decade * (start + decades) - 1e-6)
    assert abs(places.size - expected.size) <= 1


def test_saved_times_of_one_decade():
    assert np.allclose(saved_times(1.0, 10.0, 2), [1.0, 10.0**0.5, 10.0])
    assert np.allclose(saved_times(2.0, 50.0, 1), [10.0, 50.0])


# Against the limit point


@pytest.mark.parametrize(("alpha", "largest"), [(1e-6, 1.0), (1e3, 1e-6)])
def test_a_limit_point_at_the_minimizer_is_small_beside_it_and_beside_alpha(alpha, largest):
    """1e-14 is nothing beside the larger one of the two alone."""
    minimizers = np.array([[largest, 0.0], [0.0, -largest], [0.5 * largest, largest]])
    sizes, uncertain = np.array([1e-14, 1e-20, 1e-14]), np.array([0.0, 0.0, 1.0])
    found = may_be_minimizer(sizes, uncertain, minimizers, alpha)
    assert found.tolist() == [False, True, True]


# The stage that compares


@pytest.mark.parametrize("wrong", ["end", "limit", "nothing"])
def test_stage_agreement_fails_where_flow_and_limit_disagree(tmp_path, wrong):
    alpha, error = 1e-3, np.array([[0.25, -0.5, 0.25]] * 2)
    path = tmp_path / "results" / "agreement" / "cell"
    stored = error.copy()
    if wrong == "limit":
        stored[1] *= 1.0 + 1e-6
    repetitions = np.arange(2)
    filled_record(
        LimitPoints,
        repetition=repetitions,
        log_alpha=np.log([1.0, alpha]),
        log_unit=np.zeros((2, 2)),
        error=np.stack([error, stored], axis=1),
        error_bound=np.full((2, 2), 1e-10),
    ).save(tmp_path / "limit.npz")
    minimizer = np.array([[1.0, 0, 0]] * 2)
    filled_record(Minimizers, repetition=repetitions, point=minimizer, status=[CERTIFIED] * 2).save(
        tmp_path / "l1.npz"
    )
    end = error * (1.0 + 1e-9)
    if wrong == "end":
        end[1] += 1e-5
    filled_record(
        Endpoints,
        repetition=repetitions,
        outcome=[CONVERGED] * 2,
        error=end,
        claimed=[2e-9, 2e-9],
        steps=[3, 4],
    ).save(tmp_path / "flow.npz")
    arguments = ["--l1", "l1.npz", "--limit", "limit.npz", "--flow", "flow.npz"]
    arguments += ["--form", "dual", "--alpha", "1e-3"]
    arguments += [
        "--ensemble",
        "mine",
        "--depth",
        "3",
        "--output",
        "results/agreement/cell/reps0-1.parquet",
    ]
    path.mkdir(parents=True)
    done = script("stages/agreement", *arguments, folder=tmp_path)
    if wrong == "nothing":
        assert done.returncode == 0, done.stderr
        table = read_table(path / "reps0-1.parquet")
        assert np.all(table["disagreement"] <= table["claimed"])
    else:
        assert done.returncode == 1
        assert "dual flow at alpha = 0.001, repetition 1" in done.stderr
        assert "agreement/cell" in done.stderr
