"""Target benchmark: the flow itself, from the origin to convergence, by this project's form of it
and by peers that integrate the weights.

Contestants give x at about 30 times, evenly spaced in their logarithm from the escape from the
origin to convergence, and at the end.  `times_error` is the largest relative error of x in the l1
norm over those times, against enclosures of the trajectory; `reference_error` is their largest
relative radius.  Both are empty where the trajectory is not enclosed well enough: there the end
alone counts.  `error` is the relative error of ``||n||_1``, n = x - g* at the end, against an
enclosure of the limit point.

One row a contestant, tolerance and scale; `status` says why a contestant has no answer.
"""

import argparse
import sys
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from flint import ctx

from benchmark.comparison import add_options, add_scales, chosen, told
from benchmark.instance import Instance
from benchmark.measure import Workers
from benchmark.peers import Peer, trajectory
from benchmark.ratios import OUR_FLOW
from implicit_l1.network.flow import FlowOptions, Trajectory, gradient_flow
from implicit_l1.potentials import potential
from implicit_l1.proof.balls import power_of_ten
from implicit_l1.proof.minimizer import ProvedMinimizer
from implicit_l1.proof.trajectory import TrajectoryProof
from implicit_l1.trajectories import flow_in_steps
from pipeline.command_line import run
from pipeline.storage import write_text

TIMES = 30
# The flow has escaped from the origin where the residual has fallen by so much.
ESCAPED = 0.01
# An integration has converged at this distance, see implicit_l1.network.flow.
CONVERGED = 1e-9
# Of the integration whose trajectory is enclosed, and bits of the enclosures.
REFERENCE_RTOL, BITS = 1e-12, 128
# relative radius of enclosures beyond which they are no reference
REFERENCE_ERROR = 1e-8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    add_scales(parser)
    args = parser.parse_args()
    contestants = chosen([*ours(), *trajectory.peers()], args)
    rows = []
    with Workers(contestants, args.limit) as workers:
        for size in args.size:
            for eta in args.eta:
                instance = Instance(size, eta, args.seed)
                for depth in args.depth:
                    for log10_alpha in sorted(args.log10_alpha, reverse=True):
                        rows += compared(
                            instance, depth, log10_alpha, contestants, workers, args.repetitions
                        )
                        text = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
                        write_text(args.csv, text)


# --- this project's solver, in the same form as a peer ---


def ours() -> list[Peer]:
    return [
        Peer(
            f"{OUR_FLOW}, rtol {rtol:.0e}",
            partial(our_flow, rtol=rtol),
            ("numpy", "scipy"),
            "finds the time of convergence itself",
        )
        for rtol in trajectory.RTOLS
    ]


def our_flow(problem: dict, rtol: float) -> np.ndarray:
    """x at the times of the problem, the last one that of convergence."""
    flow = integrated(problem, rtol, problem["states_per_decade"])
    wanted = np.log(problem["times"][:-1])
    places = [int(np.argmin(np.abs(np.log(flow.time) - time))) for time in wanted]
    if np.any(np.abs(np.log(flow.time[places]) - wanted) > 1e-9):
        raise ArithmeticError("convergence was found too early")
    return flow.point[[*places, -1]]


def integrated(problem: dict, rtol: float, states_per_decade: int) -> Trajectory:
    return gradient_flow(
        problem["matrix"],
        problem["minimizer"],
        potential(problem["depth"]),
        problem["alpha"],
        FlowOptions(rtol, CONVERGED, states_per_decade),
    )


# --- the comparison ---


def with_times(problem: dict) -> dict:
    """The problem with times, those of `states_per_decade` that count, and the last."""
    flow = integrated(problem, 1e-8, 10)
    gap = np.sqrt(2.0 * flow.loss)
    escape = flow.time[np.flatnonzero(gap < (1 - ESCAPED) * np.linalg.norm(problem["data"]))[0]]
    # what other tolerances find as the time of convergence is later than this
    late = 0.5 * flow.time[-1]
    density = max(1, round(TIMES / np.log10(late / escape)))
    places = np.arange(np.ceil(density * np.log10(escape)), density * np.log10(late))
    times = np.append(10.0 ** (places / density), flow.time[-1])
    return problem | {"times": times, "states_per_decade": density}


def reference(problem: dict, minimizer: ProvedMinimizer) -> tuple[np.ndarray, float] | None:
    """x at the times but the last, from enclosures of the trajectory, and their largest radius.

    None where these do not tell the answers of contestants apart.
    """
    times, depth = problem["times"][:-1], problem["depth"]
    with ctx.workprec(BITS):
        proof = TrajectoryProof(
            problem["matrix"], minimizer, depth, power_of_ten(problem["log10_alpha"])
        )
        steps = flow_in_steps(
            problem["matrix"],
            problem["minimizer"],
            depth,
            problem["log10_alpha"],
            REFERENCE_RTOL,
            times[-1],
        )
        found = proof.follow(steps, times.tolist())
        if found.reason:
            print(f"not enclosed: {found.reason}", file=sys.stderr)
            return None
        middles = np.array([[float(n.mid()) for n in at.error] for at in found.points])
        radii = np.array([sum(float(n.rad()) for n in at.error) for at in found.points])
    points = problem["minimizer"] + middles
    radius = float((radii / np.abs(points).sum(axis=1)).max())
    if not radius <= REFERENCE_ERROR:
        print(f"enclosed to {radius:.1g} only", file=sys.stderr)
        return None
    return points, radius


def distance(points: np.ndarray, others: np.ndarray) -> float:
    """Largest relative distance in the l1 norm over times."""
    return float((np.abs(points - others).sum(axis=1) / np.abs(others).sum(axis=1)).max())


def compared(
    instance: Instance,
    depth: float,
    log10_alpha: float,
    contestants: list[Peer],
    workers: Workers,
    repetitions: int,
) -> list[dict]:
    print(f"{instance.name}, D = {depth:g}, alpha = 1e{log10_alpha:g}", file=sys.stderr)
    problem = with_times(instance.problem(depth, log10_alpha))
    limit = instance.reference(problem)
    enclosed = reference(problem, instance.proof)
    # the same problem to its first times: what is compiled does not depend on them
    first = problem["times"][0]
    easy = problem | {"times": first * np.linspace(1e-3, 1e-2, problem["times"].size)}
    results = workers.measure(problem, repetitions, easy)
    rows = []
    for one in contestants:
        result = results[one.name]
        times_error, end = np.nan, None
        if result.value is not None:
            end = result.value[-1]
            if enclosed is not None:
                times_error = distance(result.value[:-1], enclosed[0])
        error, _ = instance.accuracy(end, False, limit)
        solve: Any = one.solve  # a partial function
        rows.append(
            instance.parameters
            | {"depth": depth, "log10_alpha": log10_alpha}
            | told(one, result)
            | {
                "error": error,
                "contestant": one.name.partition(", rtol")[0],
                "rtol": solve.keywords["rtol"],
                "times_error": times_error,
                "reference_error": np.nan if enclosed is None else enclosed[1],
            }
        )
    return rows


if __name__ == "__main__":
    run(main)
