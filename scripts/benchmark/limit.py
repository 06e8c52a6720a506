"""Target benchmark: the limit point of the flow by this project's solver and by its peers.

Random problems of stage problems, each with its limit points n(alpha) = x(alpha) - g* enclosed in
ball arithmetic.  Contestants solve the same problems side by side (:mod:`measure`); of each are
told the times and the relative errors of ``||n||_1`` and of n, in the l1 norm, against the
enclosure.  Peers give x, and g* is subtracted from it in ball arithmetic, outside their time.

One row a contestant and scale; `status` says why a contestant has no answer.
"""

import argparse
import sys
from functools import partial

import numpy as np
import pandas as pd
from flint import arb

from benchmark.comparison import OURS, add_options, add_scales, chosen, told
from benchmark.instance import Instance, certificate, errors, one_point
from benchmark.measure import Measurement, Workers
from benchmark.peers import Peer, limit_point
from pipeline.command_line import run
from pipeline.storage import write_text

# The path of which one point is a part: 4 scales in each of 12 decades, and 1.
PATH = np.arange(0.0, -12.25, -0.25)

# log10 of a scale at which x is linear in y, for a first call.
EASY = 2.0

# A contestant that was ended so often, at one scale after another, is not tried further.
PATIENCE = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    add_scales(parser)
    args = parser.parse_args()
    contestants = chosen([*ours(), *limit_point.peers()], args)
    scales = sorted(args.log10_alpha, reverse=True)
    rows = []
    with Workers(contestants, args.limit) as workers:
        for size in args.size:
            for eta in args.eta:
                instance = Instance(size, eta, args.seed)
                for depth in args.depth:
                    rows += compared(
                        instance, depth, contestants, workers, scales, args.repetitions
                    )
                    text = pd.DataFrame(rows).to_csv(index=False, lineterminator="\n")
                    write_text(args.csv, text)


# --- this project's solver, in the same form as a peer ---


def ours() -> list[Peer]:
    own = ("numpy", "scipy")
    return [
        Peer("ours, one point", one_point, own, "g* and its certificate given"),
        Peer(
            "ours, one point, with the l1 solve",
            partial(one_point, solve_l1=True),
            (*own, "highspy"),
            "from (A, y)",
        ),
        Peer(
            "ours, a point of a path",
            point_of_path,
            own,
            f"a path of {PATH.size} scales, divided by {PATH.size}; g* given",
        ),
    ]


def point_of_path(problem: dict) -> np.ndarray:
    scales = np.union1d(PATH, problem["log10_alpha"])[::-1]
    path = errors(problem, problem["minimizer"], certificate(problem), scales)
    return path[np.flatnonzero(scales == problem["log10_alpha"])[0]]


# --- the comparison ---


def compared(
    instance: Instance,
    depth: float,
    contestants: list[Peer],
    workers: Workers,
    scales: list[float],
    repetitions: int,
) -> list[dict]:
    """Rows of one instance and depth, at decreasing scales."""
    rows, ended = [], dict.fromkeys((one.name for one in contestants), 0)
    easy = instance.problem(depth, EASY)
    for log10_alpha in scales:
        print(f"{instance.name}, D = {depth:g}, alpha = 1e{log10_alpha:g}", file=sys.stderr)
        problem = instance.problem(depth, log10_alpha)
        reference = instance.reference(problem)
        idle = {name for name, times in ended.items() if times >= PATIENCE}
        results = workers.measure(problem, repetitions, easy, idle)
        for one in contestants:
            result = results.get(one.name)
            if result is None:
                result = Measurement(status=f"not tried: past the limit {PATIENCE} times before")
            else:
                ended[one.name] = ended[one.name] + 1 if result.status.startswith("past") else 0
            rows.append(
                instance.parameters
                | {"depth": depth, "log10_alpha": log10_alpha}
                | row(one, result, instance, reference)
            )
    return rows


def row(one: Peer, result: Measurement, instance: Instance, reference: list[arb]) -> dict:
    parts = PATH.size if one.solve is point_of_path else 1
    is_error = one.name.startswith(OURS)
    error, vector_error = instance.accuracy(result.value, is_error, reference)
    return told(one, result, [seconds / parts for seconds in result.seconds]) | {
        "error": error,
        "vector_error": vector_error,
    }


if __name__ == "__main__":
    run(main)
