"""The gradient flow: its two forms agree, and end at the limit point."""

import subprocess
import sys
from functools import cache, partial

import numpy as np
import pytest
import scipy.integrate
from hypothesis import given
from hypothesis import strategies as st

from implicit_l1.network import flow
from implicit_l1.network.flow import FlowError, FlowOptions, gradient_flow, plain_flow, saved_times
from implicit_l1.network.initialization import initialize
from implicit_l1.network.limit import limit_path
from implicit_l1.network.limit_distance import LimitPoint
from implicit_l1.network.radau import IntegrationError
from implicit_l1.potentials import potential
from implicit_l1.status import CERTIFIED
from pipeline.records.flow import Endpoints
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.storage import read_table
from reference import filled_record, instance, limit_error, weights_flow
from workflow_runs import ROOT

# Tighter than the defaults where a whole trajectory is compared.
TIGHT = FlowOptions(rtol=1e-10)
DEPTHS = [2, 3, 4]


def case_of(eta):
    return instance(10, 20, 2, eta)


@cache
def dual_form(depth, eta, alpha, options=TIGHT):
    case = case_of(eta)
    return gradient_flow(
        case.matrix, case.data, potential(depth), alpha, case.minimizer.point, options
    )


@cache
def plain_form(depth, eta, alpha, options=TIGHT):
    case = case_of(eta)
    return plain_flow(case.matrix, case.data, depth, alpha, case.minimizer.point, options)


@pytest.mark.parametrize("alpha", [1.0, 1e-2, 1e-3])
@pytest.mark.parametrize("depth", [2, 2.5, 3, 4])
@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_flow_ends_at_the_limit_point(depth, eta, alpha):
    case, end = case_of(eta), dual_form(depth, eta, alpha).point[-1]
    path = limit_path(
        case.matrix,
        case.minimizer.point,
        case.minimizer.certificate,
        potential(depth),
        np.log([alpha]),
    )
    n = np.exp(path.log_unit[0]) * path.error[0]
    gap = np.abs(end - case.minimizer.point - n).sum()
    assert gap < 2e-6 * np.abs(n).sum()


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
    dual, plain = dual_form(depth, 0.1, alpha), plain_form(depth, 0.1, alpha)
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


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4])
def test_both_forms_follow_the_weights(depth):
    """Against an explicit method on u and v that shares no code with either."""
    case, alpha = case_of(0.1), 0.1
    forms = [dual_form(depth, 0.1, alpha)]
    if depth in DEPTHS:
        forms.append(plain_form(depth, 0.1, alpha))
    for form in forms:
        size = np.abs(form.point).sum(axis=1)
        # late states are stiff for an explicit method
        chosen = np.flatnonzero((size > 1e-3 * size[-1]) & (form.time < 2e3 * form.time[0]))[::3]
        exact = weights_flow(case.matrix, case.data, depth, alpha, form.time[chosen])
        assert chosen.size > 4
        assert np.abs(form.point[chosen] - exact).max() < 1e-7 * size[-1]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("form", [dual_form, plain_form])
def test_first_motion(depth, form):
    """From 0 with x' = 2 D^2 alpha^(2 - 2/D) A^T y."""
    case, alpha = case_of(0.1), 0.1
    trajectory = form(depth, 0.1, alpha)
    velocity = 2 * depth**2 * alpha ** (2 - 2 / depth) * (case.matrix.T @ case.data)
    first = trajectory.point[0] / trajectory.time[0]
    # the motion over one hundredth of the time scale bends by about as much
    assert np.abs(first - velocity).max() < 0.05 * np.abs(velocity).max()


@pytest.mark.parametrize("alpha", [1.0, 1e-3])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("form", [dual_form, plain_form])
def test_loss_decreases(form, depth, alpha):
    case = case_of(0.1)
    trajectory = form(depth, 0.1, alpha)
    loss = 0.5 * np.sum((trajectory.point @ case.matrix.T - case.data) ** 2, axis=1)
    above_rounding = loss > 1e-14 * loss[0]
    assert np.all(np.diff(loss[above_rounding]) < 0)
    assert loss[-1] < 1e-14 * loss[0]
    # it starts at ||y||^2 / 2, where x = 0
    assert 0.5 < 2 * loss[0] / (case.data @ case.data) < 1.0


def test_default_options_suffice_on_the_default_size(large):
    """The end of the flow at alpha = 1e-2 is the limit point to 1e-5 of the error or better."""
    for depth in DEPTHS:
        trajectory = gradient_flow(
            large.matrix, large.data, potential(depth), 1e-2, large.minimizer.point
        )
        path = limit_path(
            large.matrix,
            large.minimizer.point,
            large.minimizer.certificate,
            potential(depth),
            np.log([1e-2]),
        )
        n = np.exp(path.log_unit[0]) * path.error[0]
        gap = np.abs(trajectory.point[-1] - large.minimizer.point - n).sum()
        assert gap < 1e-5 * np.abs(n).sum()
        assert trajectory.steps < 100


def residual_and_change(trajectory, case, depth, alpha):
    """What the end of a trajectory is decided by, from its last point alone."""
    x, off, pot = trajectory.point[-1], case.complement, potential(depth)
    gap = case.data - case.matrix @ x
    slope = alpha * pot.phi_prime(pot.phi_inverse(x / alpha))
    speed = pot.time_constant(alpha) * slope * (case.matrix.T @ gap)
    change = trajectory.time[-1] * np.abs(speed[off]).sum() / np.abs(x[off]).sum()
    return np.linalg.norm(gap) / np.linalg.norm(case.data), change


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("form", [dual_form, plain_form])
def test_the_end_is_where_both_tolerances_are_met(form, depth):
    """Each decides where the other is loose, and is met exactly; the distance is smaller."""
    case, alpha = case_of(0.1), 1e-2
    by_residual = form(depth, 0.1, alpha, FlowOptions(rtol=1e-10, residual=1e-3, change=1e9))
    by_change = form(depth, 0.1, alpha, FlowOptions(rtol=1e-10, residual=1e9, change=1e-3))
    assert residual_and_change(by_residual, case, depth, alpha)[0] == pytest.approx(1e-3, rel=1e-2)
    assert residual_and_change(by_change, case, depth, alpha)[1] == pytest.approx(1e-3, rel=1e-2)
    tight = form(depth, 0.1, alpha)
    residual, change = residual_and_change(tight, case, depth, alpha)
    assert residual <= 1.1 * TIGHT.residual
    assert change <= 1.1 * TIGHT.change
    assert tight.time[-1] > max(by_residual.time[-1], by_change.time[-1])


@pytest.mark.parametrize("alpha", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_time_of_convergence_is_no_accident(large, depth, alpha):
    """What Newton's method leaves of its error must not look like motion of the flow."""
    default, tight = (
        gradient_flow(
            large.matrix, large.data, potential(depth), alpha, large.minimizer.point, options
        ).time[-1]
        for options in (FlowOptions(), FlowOptions(rtol=1e-11))
    )
    assert default == pytest.approx(tight, rel=1e-4)


def check_jacobian(velocity, jacobian, state):
    """By central differences; velocity and jacobian of one state."""
    exact, h = jacobian(state), 1e-6
    for place, column in enumerate(exact.T):
        step = h * np.eye(state.size)[place]
        difference = (velocity(state + step) - velocity(state - step)) / (2 * h)
        assert np.abs(difference - column).max() < 1e-7 * np.abs(exact).max()


# A wrong Jacobian would only cost steps, so it is caught on its way to the integrator.


@pytest.mark.parametrize("depth", [2, 2.5, 4])
def test_curvature_is_the_derivative(monkeypatch, depth):
    caught = []

    def catch(*arguments):
        caught.extend(arguments)
        raise IntegrationError("caught")

    monkeypatch.setattr(flow, "radau_steps", catch)
    case, alpha = case_of(0.1), 0.3
    with pytest.raises(FlowError, match="caught"):
        gradient_flow(case.matrix, case.data, potential(depth), alpha, case.minimizer.point)
    velocity, curvature, start, *_ = caught
    state = start + 0.1 * np.random.default_rng(0).uniform(0, 1, start.size)
    check_jacobian(lambda w: velocity(w[None])[0], lambda w: -curvature(w), state)
    # it is given as symmetric
    assert np.abs(curvature(state) - curvature(state).T).max() < 1e-14 * curvature(state).max()


@pytest.mark.parametrize("depth", [2, 2.5, 4])
def test_jacobian_of_the_weights_is_the_derivative(monkeypatch, depth):
    caught = {}

    def catch(velocity, span, start, **options):
        caught.update(velocity=velocity, start=start, **options)
        raise ValueError("caught")

    monkeypatch.setattr("implicit_l1.network.flow.solve_ivp", catch)
    case, alpha = case_of(0.1), 0.3
    with pytest.raises(FlowError, match="caught"):
        plain_flow(case.matrix, case.data, depth, alpha, case.minimizer.point)
    start = caught["start"]
    state = start + 0.1 * np.random.default_rng(0).uniform(0, 1, start.size)
    check_jacobian(partial(caught["velocity"], 0.0), partial(caught["jac"], 0.0), state)


@pytest.mark.parametrize("form", [dual_form, plain_form])
def test_states_are_saved_at_the_same_times_for_every_instance(form):
    trajectory = form(3, 0.1, 1e-2, FlowOptions(states_per_decade=5))
    assert trajectory.point.shape == (trajectory.time.size, 20)
    places = 5 * np.log10(trajectory.time[:-1])
    assert np.allclose(places, np.rint(places), atol=1e-9)
    assert np.array_equal(np.diff(np.rint(places)), np.ones(places.size - 1))


def test_too_few_evaluations_are_an_error():
    few = FlowOptions(evaluations=20)
    with pytest.raises(FlowError, match=r"^gradient flow at alpha = 0\.01.* within 20 evaluations"):
        dual_form(3, 0.1, 1e-2, few)
    with pytest.raises(FlowError, match=r"^plain flow at alpha = 0\.01.* within 20 evaluations"):
        plain_form(3, 0.1, 1e-2, few)


def test_unreachable_tolerances_are_an_error():
    """A residual below rounding is never met; the flow is given up, not integrated for ever."""
    greedy = FlowOptions(residual=1e-30, evaluations=3000)
    with pytest.raises(FlowError, match=r"gradient flow at alpha = 0\.01.* 3000 evaluations"):
        dual_form(2, 0.1, 1e-2, greedy)
    with pytest.raises(FlowError, match=r"plain flow at alpha = 0\.01"):
        plain_form(2, 0.1, 1e-2, greedy)
    patient = FlowOptions(residual=1e-30)
    with pytest.raises(
        FlowError, match=r"^gradient flow at alpha = 0\.01 failed: Time is too long"
    ):
        dual_form(2, 0.1, 1e-2, patient)
    with pytest.raises(FlowError, match=r"^plain flow at alpha = 0\.01 failed: lsoda: "):
        plain_form(2, 0.1, 1e-2, patient)


def test_trajectory_is_accurate_off_the_support_too(large):
    """At the default tolerance, entry by entry, against LSODA with a far tighter one."""
    depth, alpha = 3, 1e-3
    pot = potential(depth)
    found = gradient_flow(large.matrix, large.data, pot, alpha, large.minimizer.point)
    rate, times = pot.time_constant(alpha), found.time[:-1]

    def velocity(_, lam):
        return rate * (large.data - large.matrix @ (alpha * pot.phi(large.matrix.T @ lam)))

    def jacobian(_, lam):
        slope = alpha * pot.phi_prime(large.matrix.T @ lam)
        return -rate * (large.matrix * slope) @ large.matrix.T

    states = scipy.integrate.solve_ivp(
        velocity,
        (0.0, times[-1]),
        np.zeros(large.data.size),
        method="LSODA",
        jac=jacobian,
        rtol=1e-12,
        atol=1e-15,
        t_eval=times,
    ).y.T
    exact = alpha * pot.phi(states @ large.matrix)
    error = np.abs(found.point[:-1] - exact)
    assert np.all(error.sum(axis=1) < 1e-6 * np.abs(exact).sum(axis=1))
    # some entries pass through 0
    assert np.all(error < 1e-5 * np.abs(exact) + 1e-7 * alpha)


# The end


def of_limit_path(case, depth, alpha):
    """n(alpha) as stage limit finds it; its own tests hold it against many digits."""
    minimizer = case.minimizer
    path = limit_path(
        *(case.matrix, minimizer.point, minimizer.certificate),
        *(potential(depth), np.log([alpha])),
    )
    return np.exp(path.log_unit[0]) * path.error[0]


def distance(point, minimizer, error):
    """||x - x*||_1 / ||n||_1."""
    return np.abs(point - minimizer - error).sum() / np.abs(error).sum()


ATTEMPTS = FlowOptions(evaluations=20_000)


@pytest.mark.parametrize("exponent", [-2, -4, -6, -8, -10, -12, -14])
@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("rows, columns", [(5, 12), (20, 40)])
@pytest.mark.parametrize("sparsity", [1, 2])
def test_no_plateau_is_the_end(sparsity, rows, columns, depth, exponent):
    """For 1/c << t << 1/(c alpha) nothing moves, and x is up to 1e7 ||n||_1 from its end."""
    case, alpha = instance(rows, columns, sparsity, 0.0), 10.0**exponent
    point, error = case.minimizer.point, of_limit_path(case, depth, alpha)
    try:
        trajectory = gradient_flow(case.matrix, case.data, potential(depth), alpha, point, ATTEMPTS)
    except FlowError as failed:
        assert exponent < -4
        assert "rounding" in str(failed) or "spacing" in str(failed)
    else:
        assert distance(trajectory.point[-1], point, error) <= trajectory.claim <= 1e-7


@pytest.mark.parametrize("exponent", [-1, -3, -6])
@pytest.mark.parametrize("depth", [2, 3, 6])
@pytest.mark.parametrize("rtol", [1e-5, 1e-8])
def test_no_drift_is_the_end_of_the_plain_flow(rtol, depth, exponent):
    """u and v drift off what the exact flow conserves, and never come back."""
    case, alpha = instance(5, 12, 1, 0.0), 10.0**exponent
    point, error = case.minimizer.point, of_limit_path(case, depth, alpha)
    options = FlowOptions(rtol=rtol, evaluations=20_000)
    try:
        trajectory = plain_flow(case.matrix, case.data, depth, alpha, point, options)
    except FlowError:
        assert rtol > 1e-8 or exponent < -3
    else:
        assert distance(trajectory.point[-1], point, error) <= trajectory.claim < 2e-3


@pytest.mark.parametrize("depth", [4, 6])
def test_the_distance_decides_the_end_where_x_rests_before(depth):
    case, alpha = instance(5, 12, 1, 0.0), 1e-5
    point, error = case.minimizer.point, of_limit_path(case, depth, alpha)
    trajectory = gradient_flow(case.matrix, case.data, potential(depth), alpha, point)
    assert trajectory.claim == pytest.approx(1e-7, rel=1e-2)
    assert distance(trajectory.point[-1], point, error) == pytest.approx(1e-7, rel=0.1)
    residual, change = residual_and_change(trajectory, case, depth, alpha)
    assert residual < 0.9e-8 and change < 0.9e-7


def test_a_drift_that_is_too_large_is_an_error():
    case = instance(5, 12, 1, 0.0)
    options = FlowOptions(drift=1e-12)
    with pytest.raises(FlowError, match=r"^plain flow at alpha = 0\.01: errors of the integrator"):
        plain_flow(case.matrix, case.data, 3, 1e-2, case.minimizer.point, options)


@pytest.mark.parametrize("exponent", [0, -3, -6, -9])
@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 6])
def test_the_claim_holds_at_every_point_of_a_trajectory(depth, exponent):
    """Wherever the flow is stopped: early, on a plateau, at the end."""
    case, alpha = instance(5, 12, 1, 0.0), 10.0**exponent
    minimizer, error = case.minimizer.point, of_limit_path(case, depth, alpha)
    limit = LimitPoint(case.matrix, case.data, minimizer, potential(depth), alpha)
    points = []
    for change in (10.0, 1e-2, 1e-5):
        options = FlowOptions(change=change, evaluations=20_000)
        try:
            trajectory = gradient_flow(
                case.matrix, case.data, potential(depth), alpha, minimizer, options
            )
        except FlowError:
            assert change < 10.0 and depth > 2 and exponent == -9
        else:
            points.extend(trajectory.point)
    claims = np.array([limit.distance(x).claim for x in points])
    found = np.array([distance(x, minimizer, error) for x in points])
    assert np.all(found <= claims)
    # the beginning is too far for a claim, the end is not
    assert claims[0] == np.inf or exponent == 0
    assert claims.min() < 10.0


UNKIND = {
    # two columns of S that differ by 2^-10, A of condition 3.7
    "near_copies": ([[1, 1, 0.5, -0.25], [1, 1 + 2.0**-10, 3, -2]], [1, 1, 0, 0]),
    "one_row": ([[1.0, 0.75, -0.5]], [2.0, 0, 0]),
    "almost_a_tie": ([[1.0, 1 - 2.0**-12]], [1.0, 0]),
    "one_column_more": ([[1, 0, 0.875], [0, 1, 0.0625]], [1.0, 2.0**-7, 0]),
    "scales": ([[2.0**-12, 1, 0.5, 16], [0, 0.5, -0.25, 64]], [0, 1.0, 0, 0.125]),
}


@pytest.mark.parametrize("name", UNKIND)
@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("exponent", [2, 0, -2, -5])
def test_the_claim_holds_on_unkind_matrices(name, depth, exponent):
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
    try:
        trajectory = gradient_flow(
            *(matrix, matrix @ minimizer, potential(depth), alpha, minimizer, ATTEMPTS)
        )
    except FlowError:
        assert name in ("near_copies", "scales", "almost_a_tie") or exponent == -5
    else:
        assert distance(trajectory.point[-1], minimizer, exact) <= trajectory.claim


@pytest.mark.parametrize("exponent", [0, -3])
def test_the_claim_knows_the_initialization(exponent):
    matrix, minimizer = (np.array(part, dtype=float) for part in UNKIND["one_column_more"])
    coordinates = initialize(2, np.array([0.5, 1.0, 2.0]), np.array([1.5, 1.0, 0.25]))
    exact = limit_error(matrix, minimizer, 2, exponent, coordinates)
    data, alpha = matrix @ minimizer, 10.0**exponent
    told = LimitPoint(matrix, data, minimizer, potential(2), alpha, coordinates)
    other = LimitPoint(matrix, data, minimizer, potential(2), alpha)
    assert told.distance(minimizer + exact).claim < 1e-9
    assert other.distance(minimizer + exact).claim > 1e-3


def test_data_that_are_not_those_of_the_minimizer_enter_the_claim():
    case = case_of(0.1)
    end = dual_form(3, 0.1, 1e-2).point[-1]
    limit = LimitPoint(
        case.matrix, case.data * (1 + 1e-6), case.minimizer.point, potential(3), 1e-2
    )
    assert 1e-7 < limit.distance(end).claim < 1e-2


@pytest.mark.parametrize("wrong", ["end", "limit", "nothing"])
def test_stage_agreement_fails_where_flow_and_limit_disagree(tmp_path, wrong):
    alpha, error = 1e-3, np.array([[0.25, -0.5, 0.25]] * 2)
    minimizer = np.array([[1.0, 0, 0]] * 2)
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
    filled_record(Minimizers, repetition=repetitions, point=minimizer, status=[CERTIFIED] * 2).save(
        tmp_path / "l1.npz"
    )
    end = minimizer + error * (1.0 + 1e-9)
    if wrong == "end":
        end[1] += 1e-5
    flow = {"point": end, "claimed": [2e-9, 2e-9], "steps": [3, 4]}
    Endpoints(repetition=repetitions, **flow).save(tmp_path / "flow.npz")
    script = ROOT / "scripts/stages/agreement.py"
    arguments = ["--l1", "l1.npz", "--limit", "limit.npz", "--flow", "dual", "1e-3", "flow.npz"]
    arguments += ["--cell", "{}", "--output", "results/agreement/cell/reps2.parquet"]
    path.mkdir(parents=True)
    done = subprocess.run(
        [sys.executable, str(script), *arguments], cwd=tmp_path, capture_output=True, text=True
    )
    if wrong == "nothing":
        assert done.returncode == 0, done.stderr
        table = read_table(path / "reps2.parquet")
        assert np.all(table["disagreement"] <= table["claimed"])
    else:
        assert done.returncode == 1
        assert "dual flow at alpha = 1e-3, repetition 1" in done.stderr
        assert "agreement/cell" in done.stderr


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
