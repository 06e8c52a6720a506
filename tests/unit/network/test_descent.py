"""Gradient descent: its limit point to compare with, its stable step, its bias, its ends."""

from functools import cache

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from implicit_l1.network.descent import (
    DescentOptions,
    EndOfFlowError,
    descend,
    end_of_flow,
    gradient_descent,
    limit_weights,
    stable_step,
)
from implicit_l1.network.flow import gradient_flow
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from implicit_l1.status import CONVERGED, DIVERGED, ITERATION_LIMIT, STALLED
from pipeline.storage import read_arrays, write_arrays
from pipeline.tidy import read_table
from reference import instance, phi
from workflow_runs import ROOT, script

pytestmark = pytest.mark.long

STAGES = ROOT / "scripts/stages"
DEPTHS = [2, 3, 4]


def tiny(eta=0.0):
    return instance(10, 20, 2, eta)


def medium(eta=0.0):
    return instance(20, 60, 2, eta)


def full_size(eta=0.0):
    return instance(N=100, d=400, s=8, eta=eta)


@cache
def error_vector(make, eta, depth, alpha):
    """n(alpha), shape (d,)."""
    case = make(eta)
    path = limit_path(
        case.matrix,
        case.minimizer.point,
        case.minimizer.certificate,
        potential(depth),
        np.log([alpha]),
    )
    return np.exp(path.log_unit[0]) * path.error[0]


def limit_point(make, eta, depth, alpha):
    return make(eta).minimizer.point + error_vector(make, eta, depth, alpha)


def stable(make, eta, depth, alpha):
    weights = limit_weights(limit_point(make, eta, depth, alpha), depth, alpha)
    return stable_step(make(eta).matrix, depth, *weights)


def start(case, depth, alpha):
    return np.full(case.signal.size, alpha ** (1.0 / depth))


def distance(x, make, eta, depth, alpha):
    """||x - x_inf||_1 / ||n||_1."""
    n = error_vector(make, eta, depth, alpha)
    return np.abs(x - make(eta).minimizer.point - n).sum() / np.abs(n).sum()


def gradient(case, depth, weights):
    """Gradient of the loss in (u, v), shape (2d,), as it is defined."""
    u, v = np.split(weights, 2)
    pull = case.matrix.T @ (case.matrix @ (u**depth - v**depth) - case.data)
    return depth * np.concatenate([u ** (depth - 1) * pull, -(v ** (depth - 1)) * pull])


def hessian(case, depth, weights):
    """Its Jacobian by complex steps, exact to rounding, shape (2d, 2d)."""
    moved = weights + 1e-30j * np.eye(weights.size)
    return np.array([gradient(case, depth, row).imag for row in moved]) / 1e-30


# The weights at the limit point


@pytest.mark.parametrize("alpha", [1e-1, 1e-6, 1e-20])
@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 10])
def test_weights_are_those_of_the_dual_variable(depth, alpha):
    """x = alpha phi(z) for z over the whole domain; (u, v) as functions of z to 50 digits."""
    with mpmath.workdps(50):
        if depth == 2:
            span = [mpmath.mpf(value) for value in ("1e-8", "0.3", 5, 30)]
        else:
            span = [mpmath.mpf("1e-8"), mpmath.mpf("0.3"), 1 - mpmath.mpf("1e-8")]
        z = [*span, *(-value for value in span), mpmath.mpf(0)]
        scale = mpmath.mpf(alpha)
        x = np.array([float(scale * phi(depth, value)) for value in z])
        if depth == 2:
            exact = [[mpmath.sqrt(scale) * mpmath.exp(s * v / 2) for v in z] for s in (1, -1)]
        else:
            power = -1 / (mpmath.mpf(depth) - 2)
            root = scale ** (1 / mpmath.mpf(depth))
            exact = [[root * (1 - s * value) ** power for value in z] for s in (1, -1)]
        exact = np.array(exact, dtype=float)
    assert np.stack(limit_weights(x, depth, alpha)) == pytest.approx(exact, rel=1e-13, abs=0)


@pytest.mark.parametrize("alpha", [1e-1, 1e-6])
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_weights_at_the_limit_give_the_point_and_conserve(eta, depth, alpha):
    x = limit_point(medium, eta, depth, alpha)
    u, v = limit_weights(x, depth, alpha)
    assert np.abs(u**depth - v**depth - x).max() < 1e-14 * np.abs(x).max()
    if depth == 2:
        assert u * v == pytest.approx(alpha, rel=1e-14, abs=0)
    else:
        kept = u ** (2.0 - depth) + v ** (2.0 - depth)
        assert kept == pytest.approx(2 * alpha ** (2.0 / depth - 1.0), rel=1e-14, abs=0)


@pytest.mark.parametrize("depth", DEPTHS)
def test_stable_step_is_that_of_the_hessian(depth):
    case, alpha = tiny(0.1), 1e-2
    weights = limit_weights(limit_point(tiny, 0.1, depth, alpha), depth, alpha)
    largest = np.linalg.eigvalsh(hessian(case, depth, np.concatenate(weights)))[-1]
    assert stable_step(case.matrix, depth, *weights) == pytest.approx(2.0 / largest, rel=1e-9)


@pytest.mark.parametrize("fraction", [0.95, 1.05])
@pytest.mark.parametrize("depth", DEPTHS)
def test_steps_below_the_stable_one_return_and_steps_above_it_leave(depth, fraction):
    """The mode of largest curvature is multiplied by 1 - 2 fraction in every step."""
    case, alpha = tiny(0.1), 1e-2
    at_limit = np.concatenate(limit_weights(limit_point(tiny, 0.1, depth, alpha), depth, alpha))
    mode = np.linalg.eigh(hessian(case, depth, at_limit))[1][:, -1]
    moved = np.split(at_limit + 1e-8 * mode, 2)
    step = fraction * stable(tiny, 0.1, depth, alpha)

    def after(iterations):
        return descend(
            case.matrix, case.data, depth, *moved, step, DescentOptions(iterations=iterations)
        )

    growth = after(20).loss / after(0).loss
    assert growth == pytest.approx((1.0 - 2.0 * fraction) ** 40, rel=1e-3, abs=0)
    if fraction < 1:
        assert after(1000).outcome == CONVERGED
    else:
        assert after(200).loss > 1e6 * after(0).loss


# The bias of the step


@pytest.mark.parametrize("eta", [0.0, 0.1])
@pytest.mark.parametrize("depth", DEPTHS)
def test_distance_to_the_limit_is_proportional_to_the_step(depth, eta):
    case, alpha = tiny(eta), 1e-1
    fractions = np.array([0.08, 0.04, 0.02])
    options = DescentOptions(loss=1e-18)
    distances = []
    for step in fractions * stable(tiny, eta, depth, alpha):
        descent = gradient_descent(case.matrix, case.data, depth, alpha, step, options)
        assert descent.outcome == CONVERGED
        distances.append(distance(descent.point, tiny, eta, depth, alpha))
    slope = np.polyfit(np.log(fractions), np.log(distances), 1)[0]
    assert slope == pytest.approx(1.0, abs=0.03)


@cache
def replay(depth, alpha, fraction, iterations=4000):
    """(step, u, v, sums) of a loop written out: what g was at every step.

    The sums over the steps are those of the drifts: log(1 - (2 h g)^2), 2 artanh(2 h g),
    and h^2 (u^(D-2) + v^(D-2)) g^2, shape (3, d).
    """
    case = tiny(0.1)
    step = fraction * stable(tiny, 0.1, depth, alpha)
    u, v = start(case, depth, alpha), start(case, depth, alpha)
    sums = np.zeros((3, u.size))
    for _ in range(iterations):
        g = case.matrix.T @ (case.data - case.matrix @ (u**depth - v**depth))
        sums[0] += np.log1p(-((2 * step * g) ** 2))
        sums[1] += 2 * np.arctanh(2 * step * g)
        sums[2] += step**2 * (u ** (depth - 2) + v ** (depth - 2)) * g**2
        du, dv = u ** (depth - 1) * g, v ** (depth - 1) * g
        u, v = u + step * depth * du, v - step * depth * dv
    return step, u, v, sums


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_descent_is_the_loop_written_out(depth):
    case = tiny(0.1)
    step, u, v, _ = replay(depth, 1e-2, 0.5, 300)
    options = DescentOptions(loss=0.0, iterations=300)
    descent = gradient_descent(case.matrix, case.data, depth, 1e-2, step, options)
    assert (descent.outcome, descent.iterations) == (ITERATION_LIMIT, 300)
    assert descent.u == pytest.approx(u, rel=1e-10, abs=0)
    assert descent.v == pytest.approx(v, rel=1e-10, abs=0)
    assert descent.point == pytest.approx(u**depth - v**depth, abs=1e-12)
    gap = case.matrix @ descent.point - case.data
    assert descent.loss == pytest.approx(0.5 * gap @ gap, rel=1e-6, abs=0)


def test_product_of_the_weights_drifts_as_derived():
    """D = 2: u v and u / v after a run, exactly, from the gradients on the way."""
    case, alpha = tiny(0.1), 1e-2
    step, _, _, (product, ratio, _) = replay(2, alpha, 0.5)
    options = DescentOptions(loss=0.0, iterations=4000)
    descent = gradient_descent(case.matrix, case.data, 2, alpha, step, options)
    assert product.min() < -0.1
    assert np.log(descent.u * descent.v / alpha) == pytest.approx(product, abs=1e-11)
    assert np.log(descent.u / descent.v) == pytest.approx(ratio, abs=1e-11)


@pytest.mark.parametrize("depth", [3, 4])
def test_conserved_quantity_drifts_as_derived(depth):
    """D > 2: u^(2-D) + v^(2-D), to first order in the step."""
    alpha, left = 1e-2, []
    for fraction in (0.1, 0.05):
        _, u, v, (_, _, total) = replay(depth, alpha, fraction)
        drift = u ** (2.0 - depth) + v ** (2.0 - depth) - 2 * alpha ** (2.0 / depth - 1)
        predicted = 0.5 * (depth - 1) * (depth - 2) * depth**2 * total
        left.append(np.abs(drift - predicted).max() / np.abs(drift).max())
    assert left[0] < 0.1
    assert left[0] / left[1] == pytest.approx(2.0, rel=0.2)


def test_descent_ends_where_the_flow_with_drifted_scales_ends():
    """D = 2: with alpha_i = u_i v_i of the run, up to the square of the step."""
    case, alpha = tiny(0.1), 1e-2
    fractions, gaps, distances = [0.12, 0.06, 0.03], [], []
    options = DescentOptions(loss=1e-22)
    for fraction in fractions:
        step = fraction * stable(tiny, 0.1, 2, alpha)
        descent = gradient_descent(case.matrix, case.data, 2, alpha, step, options)
        scale = np.sqrt(descent.u * descent.v)
        end = end_of_flow(case.matrix, case.data, 2, scale, scale)
        gaps.append(np.abs(descent.point - end).sum())
        distances.append(np.abs(descent.point - limit_point(tiny, 0.1, 2, alpha)).sum())
    assert np.polyfit(np.log(fractions), np.log(gaps), 1)[0] == pytest.approx(2.0, abs=0.1)
    assert gaps[-1] < 0.05 * distances[-1]


def test_a_loss_of_rounding_size_says_nothing_about_the_point():
    """Far from the limit with a training loss of 1e-26, ten times nearer at a tenth of the step."""
    case, alpha = full_size(), 1e-3
    step = 0.5 * stable(full_size, 0.0, 2, alpha)
    descent = gradient_descent(case.matrix, case.data, 2, alpha, step)
    assert descent.outcome == CONVERGED
    assert descent.loss < 1e-26 * 0.5 * case.data @ case.data
    assert 0.12 < distance(descent.point, full_size, 0.0, 2, alpha) < 0.15


def step_distance(depth, alpha, fraction, iterations):
    """Distance of what the weights would flow to after some steps."""
    case = full_size()
    step = fraction * stable(full_size, 0.0, depth, alpha)
    options = DescentOptions(iterations=iterations)
    descent = gradient_descent(case.matrix, case.data, depth, alpha, step, options)
    end = end_of_flow(case.matrix, case.data, depth, descent.u, descent.v)
    return distance(end, full_size, 0.0, depth, alpha)


def test_bias_at_a_small_scale():
    """Tens of percent at alpha = 1e-6, and a tenth of it at a tenth of the step."""
    half, twentieth = (step_distance(2, 1e-6, f, int(1500 / f)) for f in (0.5, 0.05))
    assert 0.3 < half < 0.4
    assert half / twentieth == pytest.approx(10.0, rel=0.1)


def test_bias_grows_at_depth_two_and_vanishes_at_depth_three():
    """Without noise, where all entries of g* on the support are large against alpha."""
    two = [step_distance(2, alpha, 0.5, 3000) for alpha in (1e-2, 1e-4, 1e-6)]
    assert np.diff(two).min() > 0.1
    three = [step_distance(3, alpha, 0.5, 3000) for alpha in (1e-2, 1e-4, 1e-6)]
    assert three[0] > 1.5 * three[1] > 3.0 * three[2]
    assert three[2] < 0.02


# The end of the flow


@pytest.mark.parametrize("alpha", [1.0, 1e-3, 1e-6])
@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 10])
@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_flow_from_the_start_ends_at_the_limit(depth, eta, alpha):
    case = medium(eta)
    u = start(case, depth, alpha)
    end = end_of_flow(case.matrix, case.data, depth, u, u)
    assert distance(end, medium, eta, depth, alpha) < 1e-6


@pytest.mark.parametrize("depth", DEPTHS)
def test_flow_from_any_of_its_points_ends_at_the_limit(depth):
    case, alpha = tiny(0.1), 1e-2
    flow = gradient_flow(case.matrix, case.minimizer.point, potential(depth), alpha)
    for x in flow.point[:: flow.time.size // 4]:
        end = end_of_flow(case.matrix, case.data, depth, *limit_weights(x, depth, alpha))
        assert distance(end, tiny, 0.1, depth, alpha) < 1e-6


@pytest.mark.parametrize("depth", DEPTHS)
def test_flow_from_unequal_weights_ends_where_it_is_integrated_to(depth):
    case = tiny(0.1)
    weights = np.random.default_rng(depth).uniform(0.5, 1.5, 2 * case.signal.size)
    flow = solve_ivp(
        lambda _, w: -gradient(case, depth, w), (0, 120), weights, "DOP853", rtol=1e-9, atol=1e-11
    )
    u, v = np.split(flow.y[:, -1], 2)
    assert np.abs(gradient(case, depth, flow.y[:, -1])).max() < 1e-6
    end = end_of_flow(case.matrix, case.data, depth, *np.split(weights, 2))
    assert end == pytest.approx(u**depth - v**depth, abs=1e-5)


def test_end_of_flow_says_what_it_cannot_do():
    case = tiny()
    u = start(case, 3, 1e-2)
    with pytest.raises(EndOfFlowError, match="not positive"):
        end_of_flow(case.matrix, case.data, 3, u, -u)
    with pytest.raises(EndOfFlowError, match="not positive"):
        end_of_flow(case.matrix, case.data, 3, u, np.full_like(u, np.nan))
    with pytest.raises(EndOfFlowError, match="2 steps"):
        end_of_flow(case.matrix, case.data, 3, u, u, steps=2)
    with pytest.raises(EndOfFlowError, match="singular"):
        end_of_flow(np.zeros_like(case.matrix), case.data, 3, u, u)


# Outcomes


def outcome_of(fraction, depth=2, alpha=1e-2, **options):
    case = tiny()
    step = fraction * stable(tiny, 0.0, depth, alpha)
    return gradient_descent(
        case.matrix, case.data, depth, alpha, step, DescentOptions(**options)
    ), 0.5 * float(case.data @ case.data)


def test_converged():
    descent, unit = outcome_of(0.5, loss=1e-12)
    assert descent.outcome == CONVERGED
    assert descent.loss <= 1e-12 * unit
    before, _ = outcome_of(0.5, loss=0.0, iterations=descent.iterations - 1)
    assert before.loss > 1e-12 * unit


def test_iteration_limit():
    descent, unit = outcome_of(0.5, iterations=7)
    assert (descent.outcome, descent.iterations) == (ITERATION_LIMIT, 7)
    assert descent.loss > 1e-3 * unit
    untouched, _ = outcome_of(0.5, iterations=0)
    assert untouched.iterations == 0
    assert untouched.loss == pytest.approx(unit)
    assert not untouched.point.any()


def test_stalled_at_the_level_of_rounding():
    descent, unit = outcome_of(0.5, loss=0.0, patience=500)
    assert descent.outcome == STALLED
    assert descent.loss < 1e-28 * unit


def test_a_loss_that_stays_as_it_is_has_stalled():
    """Increments are lost beside the weights: from then on every loss is the smallest one."""
    options = DescentOptions(loss=1e-40, iterations=20_000, patience=100)
    descent = gradient_descent(np.array([[1.0, 0.5]]), np.ones(1), 2, 1e-3, 1e-3, options)
    assert descent.outcome == STALLED


def one_unknown(fraction, patience):
    """u <- u (1 + f (1 - u^2)), as v is small: x = 1 by a fraction f of the stable step."""
    one, alpha = np.ones((1, 1)), 1e-3
    step = fraction * stable_step(one, 2, *limit_weights(np.ones(1), 2, alpha))
    options = DescentOptions(patience=patience)
    return gradient_descent(one, np.ones(1), 2, alpha, step, options)


def test_stalled_in_a_cycle_above_the_stable_step():
    """Two points attract at f = 1.1."""
    descent = one_unknown(1.1, 500)
    assert descent.outcome == STALLED
    assert descent.loss > 1e-3
    assert descent.iterations < 2000


def test_a_loss_that_goes_up_and_down_has_not_stalled():
    """At f = 0.99 x alternates about 1, and every other loss is above the one before."""
    assert one_unknown(0.99, 5).outcome == CONVERGED


def test_a_step_above_the_stable_one_ends_at_a_flatter_point():
    """Its own stable step is just above the step taken, and it is not the flow's limit."""
    descent, _ = outcome_of(1.2)
    assert descent.outcome == CONVERGED
    step = 1.2 * stable(tiny, 0.0, 2, 1e-2)
    own = stable_step(tiny().matrix, 2, descent.u, descent.v)
    assert step < own < 1.05 * step
    assert distance(descent.point, tiny, 0.0, 2, 1e-2) > 1.0


@pytest.mark.parametrize("depth", DEPTHS)
def test_diverged(depth):
    descent, unit = outcome_of(20.0, depth)
    assert descent.outcome == DIVERGED
    assert not descent.loss <= 1e6 * unit
    endless, _ = outcome_of(20.0, depth, growth=np.inf)
    assert endless.outcome == DIVERGED
    assert np.isnan(endless.loss)
    assert endless.iterations < 1000


@pytest.mark.parametrize(
    ("depth", "alpha", "step", "message"),
    [
        (2.5, 1.0, 0.1, "integer depth >= 2, got 2.5"),
        (1, 1.0, 0.1, "integer depth >= 2, got 1"),
        (2, 0.0, 0.1, "alpha must be finite and positive, got 0.0"),
        (2, np.nan, 0.1, "alpha"),
        (2, 1.0, 0.0, "step must be finite and positive, got 0.0"),
        (2, 1.0, np.inf, "step"),
    ],
)
def test_arguments_are_checked(depth, alpha, step, message):
    case = tiny()
    with pytest.raises(ValueError, match=message):
        gradient_descent(case.matrix, case.data, depth, alpha, step)


def test_weights_given_are_not_changed():
    case = tiny()
    u = start(case, 2, 1e-2)
    descend(case.matrix, case.data, 2, u, u, 0.1, DescentOptions(iterations=5))
    assert np.all(u == 0.1)


# The program


def program(folder, name, *arguments):
    return script(f"stages/{name}", *arguments, folder=folder)


PROBLEMS, L1, LIMIT = (f"results/{stage}/cell/reps0-1.npz" for stage in ("problems", "l1", "limit"))
TABLE = "results/descent/cell/reps0-1.parquet"
INPUTS = ("--problems", PROBLEMS, "--l1", L1)
FRACTIONS = [0.5, 0.05, 0.001, 20.0]


def run_descent(folder, *, depth=2, alpha="1e-1", output=TABLE):
    return program(
        folder,
        "descent",
        *(*INPUTS, "--limit", LIMIT, "--output", output, "--depth", depth, "--alpha", alpha),
        *("--fractions", *FRACTIONS, "--iterations", 8000, "--loss", 1e-22),
        *("--ensemble", "gaussian"),
    )


@pytest.fixture(scope="module")
def cell(tmp_path_factory):
    """A folder with two instances up to stage limit; the second is marked as not certified."""
    folder = tmp_path_factory.mktemp("cell")
    law = ("--law", "uniform", "--low", 0.5, "--high", 1.5)
    shape = ("--N", 10, "--d", 20, "--s", 2, "--eta", 0.0, "--seed", 1)
    for name, *arguments in (
        ("problems", "--output", PROBLEMS, "--repetitions", 0, 1, "gaussian", *shape, *law),
        ("l1", *INPUTS[:2], "--output", L1, "--solver", "HIGHS", "--nonunique", "fail"),
    ):
        result = program(folder, name, *arguments)
        assert result.returncode == 0, result.stderr
    l1 = read_arrays(folder / L1)
    l1["status"] = np.array([l1["status"][0], "not certified"])
    write_arrays(folder / L1, **l1)
    scales = ("--log10-alpha", -1, -2, "--tolerance", 1e-9)
    result = program(folder, "limit", *INPUTS, "--output", LIMIT, "--depth", 2, *scales)
    assert result.returncode == 0, result.stderr
    return folder


def test_program_writes_one_row_a_repetition_and_fraction(cell):
    result = run_descent(cell)
    assert result.returncode == 0, result.stderr
    table = read_table(cell / TABLE)
    assert list(table.columns) == [
        *("initialization", "ensemble", "N", "d", "s", "eta", "m", "family_rho", "depth", "alpha"),
        *("repetition", "status", "fraction", "step"),
        *("outcome", "iterations", "loss", "relative_loss", "distance", "step_distance", "error_1"),
        *("relative_distance", "relative_step_distance"),
    ]
    assert table["repetition"].tolist() == [0] * 4 + [1] * 4
    assert table["fraction"].tolist() == FRACTIONS * 2
    assert table["alpha"].eq(1e-1).all()

    case, alpha = tiny(), 1e-1
    error = np.abs(error_vector(tiny, 0.0, 2, alpha)).sum()
    options = DescentOptions(loss=1e-22, iterations=8000)
    known, unknown = table[:4], table[4:]
    assert known["status"].eq("certified unique").all()
    assert known["outcome"].tolist() == [CONVERGED, CONVERGED, ITERATION_LIMIT, DIVERGED]
    assert known["error_1"].tolist() == pytest.approx([error] * 4, rel=1e-8)
    assert known["relative_loss"].tolist() == pytest.approx(
        (known["loss"] / (0.5 * case.data @ case.data)).tolist(), rel=1e-12, abs=0
    )
    for row in known[:3].itertuples():
        assert row.step == pytest.approx(row.fraction * stable(tiny, 0.0, 2, alpha), rel=1e-9)
        descent = gradient_descent(case.matrix, case.data, 2, alpha, row.step, options)
        assert row.iterations == pytest.approx(descent.iterations, abs=3)
        expected = distance(descent.point, tiny, 0.0, 2, alpha) * error
        assert row.distance == pytest.approx(expected, rel=1e-6)
        end = end_of_flow(case.matrix, case.data, 2, descent.u, descent.v)
        expected = distance(end, tiny, 0.0, 2, alpha) * error
        assert row.step_distance == pytest.approx(expected, rel=1e-6)
    half, twentieth, unfinished, far = known.itertuples()
    # at convergence nothing is left to flow
    assert half.distance == pytest.approx(half.step_distance, rel=1e-6)
    assert half.distance > 5 * twentieth.distance
    assert unfinished.distance > 10 * unfinished.step_distance
    assert unfinished.iterations == 8000
    assert np.isnan(far.step_distance)

    assert unknown["status"].eq("not certified").all()
    assert unknown["outcome"].eq("not run").all()
    assert unknown["iterations"].eq(0).all()
    numbers = ["step", "loss", "relative_loss", "distance", "step_distance", "error_1"]
    assert unknown[numbers].isna().all(axis=None)
    assert table["iterations"].dtype == int


def test_program_names_what_is_wrong(cell):
    missing = run_descent(cell, alpha="1e-3", output="results/descent/cell/other.parquet")
    assert missing.returncode == 1
    message = "descent/cell/other: log10(alpha) = -3.0 is not on the path"
    assert missing.stderr == f"error: {message}\n"
    real = run_descent(cell, depth=2.5, output="results/descent/cell/other.parquet")
    assert real.returncode == 1
    assert real.stderr.startswith("error: descent/cell/other, repetition 0: gradient descent needs")
    assert not (cell / "results/descent/cell/other.parquet").exists()
