"""The plain flow of the weights: it agrees with the mirror flow, and its claims hold."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np
import pytest
from trajectories import UNKIND

from implicit_l1.network.flow import FlowError, FlowOptions, gradient_flow
from implicit_l1.network.initialization import initialize
from implicit_l1.network.limit import limit_path
from implicit_l1.network.limit_distance import LimitPoint
from implicit_l1.network.plain_flow import plain_flow
from implicit_l1.potentials import potential
from reference import instance, limit_error, weights_flow

# where a whole trajectory is compared
TIGHT = FlowOptions(rtol=1e-10, distance=1e-6)
DEPTHS = [2, 3, 4]


def case_of():
    return instance(5, 12, 2, 0.1)


@cache
def plain_form(depth, alpha, options=TIGHT):
    case = case_of()
    return plain_flow(case.matrix, case.data, depth, alpha, case.minimizer.point, options)


@cache
def dual_form(depth, alpha):
    case = case_of()
    return gradient_flow(case.matrix, case.minimizer.point, potential(depth), alpha)


def of_limit_path(case, depth, alpha):
    """n(alpha) as stage limit finds it."""
    minimizer = case.minimizer
    path = limit_path(
        *(case.matrix, minimizer.point, minimizer.certificate),
        *(potential(depth), np.log([alpha])),
    )
    return np.exp(path.log_unit[0]) * path.error[0]


def distance(point, minimizer, error):
    """||x - x*||_1 / ||n||_1."""
    return np.abs(point - minimizer - error).sum() / np.abs(error).sum()


def common_times(one, other):
    """Places of the times that both trajectories saved."""
    pairs = [
        (i, j)
        for i, time in enumerate(one.time[:-1])
        for j in np.flatnonzero(np.isclose(other.time[:-1], time, rtol=1e-12, atol=0))
    ]
    return tuple(np.array(pairs).T)


@pytest.mark.parametrize("alpha", [0.1, 1e-3])
@pytest.mark.parametrize("depth", DEPTHS)
def test_both_forms_agree_at_all_times(depth, alpha):
    """Not only at the end: c_D makes the time of one the time of the other."""
    dual, plain = dual_form(depth, alpha), plain_form(depth, alpha)
    here, there = common_times(dual, plain)
    assert here.size > 20
    gaps = np.abs(dual.point[here] - plain.point[there]).sum(axis=1)
    size = np.abs(dual.point[here]).sum(axis=1)
    # the rise of the largest entries, where a wrong time would show, is among them
    assert np.any(size < 0.1 * size[-1]) and np.any(size > 0.9 * size[-1])
    assert gaps.max() < 1e-6 * size.max()
    assert np.abs(dual.point[-1] - plain.point[-1]).sum() < 1e-6 * size[-1]
    # early, where x is far smaller than at the end, relative to itself
    early = size < 1e-2 * size[-1]
    assert np.all(gaps[early] < 1e-4 * size[early])
    assert plain.error == pytest.approx(plain.point - case_of().minimizer.point, abs=0)
    assert plain.loss[there] == pytest.approx(dual.loss[here], rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("depth", [2, 2.5, 4])
def test_both_forms_follow_the_weights(depth):
    """Against an explicit method on u and v that shares no code with either."""
    case, alpha = case_of(), 0.1
    for form in (dual_form(depth, alpha), plain_form(depth, alpha)):
        size = np.abs(form.point).sum(axis=1)
        # late states are stiff for an explicit method
        chosen = np.flatnonzero((size > 1e-3 * size[-1]) & (form.time < 2e3 * form.time[0]))[::3]
        exact = weights_flow(case.matrix, case.data, depth, alpha, form.time[chosen])
        assert chosen.size > 4
        assert np.abs(form.point[chosen] - exact).max() < 1e-7 * size[-1]


def test_jacobian_of_the_weights_is_the_derivative(monkeypatch):
    """A wrong one would only cost steps, so it is caught on its way to the integrator."""
    caught = {}

    def catch(velocity, span, start, **options):
        caught.update(velocity=velocity, start=start, **options)
        raise ValueError("caught")

    monkeypatch.setattr("implicit_l1.network.plain_flow.solve_ivp", catch)
    case = case_of()
    for depth in (2, 2.5, 4):
        with pytest.raises(FlowError, match="caught"):
            plain_flow(case.matrix, case.data, depth, 0.3, case.minimizer.point)
        start = caught["start"]
        state = start + 0.1 * np.random.default_rng(0).uniform(0, 1, start.size)
        velocity = partial(caught["velocity"], 0.0)
        exact, h = caught["jac"](0.0, state), 1e-6
        for place, column in enumerate(exact.T):
            step = h * np.eye(state.size)[place]
            difference = (velocity(state + step) - velocity(state - step)) / (2 * h)
            assert np.abs(difference - column).max() < 1e-7 * np.abs(exact).max()


@pytest.mark.parametrize("exponent", [-1, -3, -6])
@pytest.mark.parametrize("depth", [2, 3, 6])
@pytest.mark.parametrize("rtol", [1e-5, 1e-8])
def test_no_drift_is_the_end(monkeypatch, rtol, depth, exponent):
    """u and v drift off what the exact flow conserves, and never come back."""
    monkeypatch.setattr("implicit_l1.network.plain_flow._EVALUATIONS", 10_000)
    case, alpha = instance(5, 12, 1, 0.0), 10.0**exponent
    point, error = case.minimizer.point, of_limit_path(case, depth, alpha)
    try:
        trajectory = plain_flow(
            case.matrix, case.data, depth, alpha, point, FlowOptions(rtol=rtol, distance=1e-7)
        )
    except FlowError:
        assert rtol > 1e-8 or exponent < -3
    else:
        assert distance(trajectory.point[-1], point, error) <= trajectory.claim < 2e-3


def test_a_drift_that_is_too_large_is_an_error(monkeypatch):
    monkeypatch.setattr("implicit_l1.network.plain_flow._DRIFT", 1e-12)
    with pytest.raises(FlowError, match=r"^plain flow at alpha = 0\.01: errors of the integrator"):
        plain_form(3, 1e-2, FlowOptions(distance=1e-7))


def test_too_many_evaluations_are_an_error(monkeypatch):
    monkeypatch.setattr("implicit_l1.network.plain_flow._EVALUATIONS", 20)
    with pytest.raises(FlowError, match=r"^plain flow at alpha = 0\.01 did .* 20 evaluations"):
        plain_form(3, 1e-2, FlowOptions(rtol=1e-9))


def at_rest(*_, **__):
    """What the integrator returns at t = inf."""
    return SimpleNamespace(status=0)


def test_a_flow_at_rest_for_ever_is_an_error(monkeypatch):
    """As where it ends at g* itself, and there is no n to be near to."""
    monkeypatch.setattr("implicit_l1.network.plain_flow.solve_ivp", at_rest)
    with pytest.raises(FlowError, match=r"^plain flow at alpha = 1 did .* any time: rounding"):
        plain_flow(np.ones((1, 2)), np.ones(1), 2.0, 1.0, np.array([0.5, 0.5]))


@pytest.mark.parametrize("exponent", [0, -3, -6])
@pytest.mark.parametrize("depth", [2, 3, 6])
def test_the_claim_of_a_point_holds_wherever_the_flow_is(depth, exponent):
    """Early, on a plateau, at the end."""
    case, alpha = instance(5, 12, 1, 0.0), 10.0**exponent
    minimizer, error = case.minimizer.point, of_limit_path(case, depth, alpha)
    limit = LimitPoint(case.matrix, case.data, minimizer, potential(depth), alpha)
    points = gradient_flow(case.matrix, minimizer, potential(depth), alpha).point[::2]
    claims = np.array([limit.distance(x).claim for x in points])
    found = np.array([distance(x, minimizer, error) for x in points])
    assert np.all(found <= claims)
    # the beginning is too far for a claim, the end is not
    assert claims[0] == np.inf or exponent == 0
    assert claims.min() < 10.0


@pytest.mark.parametrize("name", ["near_copies", "one_row", "almost_a_tie", "scales"])
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("exponent", [2, -2, -5])
def test_the_claim_of_a_point_holds_on_unkind_matrices(name, depth, exponent):
    matrix, minimizer = (np.array(part, dtype=float) for part in UNKIND[name])
    exact, alpha = limit_error(matrix, minimizer, depth, exponent), 10.0**exponent
    limit = LimitPoint(matrix, matrix @ minimizer, minimizer, potential(depth), alpha)
    rng = np.random.default_rng(0)
    told = []
    for size in [0.0, *10.0 ** np.arange(-14.0, 0.0)]:
        # in the kernel, off it, and in one entry only
        for noise in (rng.standard_normal(minimizer.size), np.eye(minimizer.size)[-1]):
            point = minimizer + exact + size * np.abs(exact).sum() * noise
            claim = limit.distance(point).claim
            assert distance(point, minimizer, exact) <= claim
            told.append(claim)
    assert min(told) < 1e-6  # not by saying nothing


@pytest.mark.parametrize("exponent", [0, -3])
def test_the_claim_of_a_point_knows_the_initialization(exponent):
    matrix, minimizer = (np.array(part, dtype=float) for part in UNKIND["one_column_more"])
    coordinates = initialize(2, np.array([0.5, 1.0, 2.0]), np.array([1.5, 1.0, 0.25]))
    exact = limit_error(matrix, minimizer, 2, exponent, coordinates)
    data, alpha = matrix @ minimizer, 10.0**exponent
    told = LimitPoint(matrix, data, minimizer, potential(2), alpha, coordinates)
    other = LimitPoint(matrix, data, minimizer, potential(2), alpha)
    assert told.distance(minimizer + exact).claim < 1e-9
    assert other.distance(minimizer + exact).claim > 1e-3


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("exponent", [0, -3])
def test_the_claim_of_a_point_of_the_flow_is_its_distance(depth, exponent):
    """From any initialization: where lam has moved, Newton's step leads back."""
    matrix, g = (np.array(part, dtype=float) for part in UNKIND["one_column_more"])
    c = initialize(depth, np.array([0.5, 1.0, 2.0]), np.array([1.5, 1.0, 0.25]))
    exact = c.unit * (g + limit_error(matrix * c.unit, g, depth, exponent, c))
    phi, size = potential(depth), c.unit * c.scale * 10.0**exponent
    start = c.tilt + c.offset
    wanted = (phi.phi_inverse(exact / size) - start) / c.unit
    dual = np.linalg.lstsq(matrix.T, wanted, rcond=None)[0]
    limit = LimitPoint(matrix, matrix @ (c.unit * g), c.unit * g, phi, 10.0**exponent, c)
    for direction in np.eye(2):
        # by about 1e-5 of the room of z, against which the terms of second order are small
        move = 1e-5 * float(np.min(np.abs(dual))) * direction
        point = size * phi.phi(c.unit * (matrix.T @ (dual + move)) + start)
        far = np.abs(point - exact).sum() / np.abs(exact - c.unit * g).sum()
        assert limit.distance(point).claim == pytest.approx(far, rel=1e-2)


def test_data_that_are_not_those_of_the_minimizer_enter_the_claim():
    case = case_of()
    end = dual_form(3, 1e-2).point[-1]
    limit = LimitPoint(
        case.matrix, case.data * (1 + 1e-6), case.minimizer.point, potential(3), 1e-2
    )
    assert 1e-7 < limit.distance(end).claim < 1e-2


def test_states_are_saved_at_the_same_times():
    found = plain_form(3, 1e-2, FlowOptions(distance=1e-6, states_per_decade=5))
    assert found.point.shape == (found.time.size, 12)
    places = 5 * np.log10(found.time[:-1])
    assert np.allclose(places, np.rint(places), atol=1e-9)
    assert np.array_equal(np.diff(np.rint(places)), np.ones(places.size - 1))
