"""Peers of target benchmark that compute the limit point, against this project's and each other."""

import csv

import numpy as np
import pytest

from benchmark import limit as benchmark_limit
from benchmark.peers import limit_point
from implicit_l1.network.descent import limit_weights, stable_step
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from reference import LOG10, instance
from workflow_runs import script

pytestmark = pytest.mark.long

# accuracy of x that a peer reaches at alpha = 1e-2, where it is not 1e-7
COARSE = {"cvxpy SCS, primal": 1e-5, "gradient descent": 0.3}


def problem(depth, log10_alpha=-2.0, fraction=1.0):
    small = instance(N=5, d=10, s=1, eta=0.1)
    alpha = 10.0**log10_alpha
    path = limit_path(
        small.matrix,
        small.minimizer.point,
        small.minimizer.certificate,
        potential(depth),
        [LOG10 * log10_alpha],
    )
    point = small.minimizer.point + np.exp(path.log_unit[0]) * path.error[0]
    step = fraction * stable_step(small.matrix, depth, *limit_weights(point, depth, alpha))
    given = {"matrix": small.matrix, "data": small.data, "depth": depth, "alpha": alpha}
    return given | {"stable_step": step}, point


@pytest.mark.filterwarnings("ignore:Solution may be inaccurate")
@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize(
    "peer",
    # of the same equations at several tolerances not the slowest
    [one for one in limit_point.peers() if "1e-12" not in one.name or "LSODA" in one.name],
    ids=lambda peer: peer.name,
)
def test_peers_find_the_limit_point(peer, depth):
    if "diffrax" in peer.packages:
        pytest.importorskip("diffrax")
    given, point = problem(depth)
    found = peer.solve(given)
    tolerance = COARSE.get(peer.name, 1e-5 if "rtol 1e-06" in peer.name else 1e-6)
    np.testing.assert_allclose(found, point, rtol=0, atol=tolerance * np.abs(point).max())


@pytest.mark.parametrize("depth", [2, 3])
def test_descent_comes_nearer_with_a_smaller_step(depth):
    errors = []
    for fraction in (1.0, 0.1):
        given, point = problem(depth, fraction=fraction)
        errors.append(np.abs(limit_point.gradient_descent(given) - point).sum())
    assert errors[1] < 0.2 * errors[0]


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("form", [limit_point.weights_form, limit_point.dual_form])
def test_jacobians_are_derivatives(form, depth):
    equations = form(problem(depth)[0])
    generator = np.random.default_rng(1)
    state = equations.start + 0.01 * generator.random(equations.start.size)
    direction = generator.standard_normal(state.size)
    ahead, back = (equations.velocity(0.0, state + h * direction) for h in (1e-6, -1e-6))
    slope = equations.jacobian(0.0, state) @ direction
    np.testing.assert_allclose(slope, (ahead - back) / 2e-6, rtol=1e-6, atol=1e-8)


def test_what_a_method_calls_failed_has_no_point():
    given, _ = problem(2)
    with pytest.raises(ArithmeticError, match=r"failure|iterations"):
        limit_point.scipy_minimize(given, "trust-exact", 1e-30)


def program(folder, **changes):
    """Run the program on a tiny problem: (rows, messages)."""
    options = {"--size": [5, 10, 1], "--eta": [0.1], "--depth": [2, 3], "--log10-alpha": [-2, -4]}
    options |= {"--repetitions": [1], "--limit": [600], "--seed": [1]}
    options |= {"--only": ["ours", "CLARABEL, dual", "Newton"], "--csv": [folder / "limit.csv"]}
    words = [word for name, values in (options | changes).items() for word in (name, *values)]
    result = script("benchmark/limit", *words)
    if result.returncode:
        return None, result.stderr
    with (folder / "limit.csv").open() as file:
        return list(csv.DictReader(file)), result.stderr


def test_the_program_measures_contestants_beside_each_other(tmp_path):
    rows, _ = program(tmp_path)
    names = [*(one.name for one in benchmark_limit.ours()), "cvxpy CLARABEL, dual"]
    names.append("Newton on the dual")
    assert [row["contestant"] for row in rows] == 4 * names
    for row in rows:
        assert row["runs"] == "1" and row["status"] == ""
        ours = row["ours"] == "True"
        assert float(row["error"]) <= float(row["vector_error"]) < (1e-13 if ours else 1e-5)


def test_a_point_of_a_path_has_its_part_of_the_time():
    class Measured:
        """In place of the processes: every run takes a second for each value of the path."""

        def measure(self, problem, repetitions, easy, leave_out):
            seconds = [float(benchmark_limit.PATH.size)] * repetitions
            return {
                one.name: benchmark_limit.Measurement(seconds, one.solve(problem))
                for one in contestants
            }

    tiny = benchmark_limit.Instance([5, 10, 1], 0.1, 1)
    contestants = benchmark_limit.ours()
    rows = benchmark_limit.compared(tiny, 2.0, contestants, Measured(), [-2.0], 3)
    seconds = {row["contestant"]: (row["seconds"], row["runs"]) for row in rows}
    alone = (benchmark_limit.PATH.size, 3)
    assert seconds == {
        "ours, one point": alone,
        "ours, one point, with the l1 solve": alone,
        "ours, a point of a path": (1.0, 3),
    }


def test_what_is_late_twice_is_not_tried_again():
    class Late:
        def measure(self, problem, repetitions, easy, leave_out):
            status = {"slow": "past 1 s", "other": "past 1 s" if problem["alpha"] < 0.05 else "no"}
            return {
                name: benchmark_limit.Measurement(status=text)
                for name, text in status.items()
                if name not in leave_out
            }

    tiny = benchmark_limit.Instance([5, 10, 1], 0.1, 1)
    contestants = [benchmark_limit.Peer(name, None, (), "") for name in ("slow", "other")]
    scales = [-1.0, -2.0, -3.0, -4.0]
    rows = benchmark_limit.compared(tiny, 2.0, contestants, Late(), scales, 1)
    late, skipped = "past 1 s", "not tried: past the limit 2 times before"
    statuses = {"slow": [], "other": []}
    for row in rows:
        statuses[row["contestant"]].append(row["status"])
    assert statuses == {
        "slow": [late, late, skipped, skipped],
        "other": ["no", late, late, skipped],
    }


def test_a_mistake_in_the_options_is_said(tmp_path):
    rows, messages = program(tmp_path, **{"--repetitions": [0]})
    assert rows is None and messages.startswith("error: there must be at least one repetition")


def test_a_name_that_no_contestant_has_is_said(tmp_path):
    rows, messages = program(tmp_path, **{"--only": ["nobody"]})
    assert rows is None and messages.startswith("error: no contestant has nobody in its name")
