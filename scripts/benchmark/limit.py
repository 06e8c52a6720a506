"""Target benchmark: the limit point of the flow by this project's solver and by its peers.

Random problems of stage problems, each with its limit points n(alpha) = x(alpha) - g* enclosed in
ball arithmetic.  Contestants solve the same problems side by side (:mod:`measure`); of each are
told the times and the relative errors of ``||n||_1`` and of n, in the l1 norm, against the
enclosure.  Peers give x, and g* is subtracted from it in ball arithmetic, outside their time.

One row a contestant and scale; `status` says why a contestant has no answer.
"""

import argparse
import sys
from contextlib import contextmanager
from functools import partial

import numpy as np
import pandas as pd
from flint import ctx

from benchmark.comparison import (
    BITS,
    OURS,
    add_options,
    add_scales,
    certified_minimizer,
    check,
    distances,
    drawn,
    told,
)
from benchmark.measure import Measurement, Workers
from benchmark.peers import Peer, limit_point
from implicit_l1.minimizer.support import Certificate
from implicit_l1.network.descent import limit_weights, stable_step
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from implicit_l1.proof.balls import ball, power_of_ten, sum_of_sizes
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import prove_minimizer
from pipeline.command_line import Failure, run
from pipeline.storage import write_text

LOG10 = np.log(10.0)
# Relative radius of an enclosure of ||n||_1, far below what is measured with it.
RADIUS = 1e-18

# The path of which one point is a part: 4 scales in each of 12 decades, and 1.
PATH = np.arange(0.0, -12.25, -0.25)

# log10 of a scale at which x is linear in y, for a first call.
EASY = 2.0

# A contestant that was ended so often, at one scale after another, is not tried further.
PATIENCE = 2


def main():
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


def chosen(contestants, args):
    """The contestants that the options name, if the other options are sound."""
    check(args)
    found = [one for one in contestants if any(part in one.name for part in args.only)]
    if not found:
        raise Failure(f"no contestant has {' or '.join(args.only)} in its name")
    return found


# --- this project's solver, in the same form as a peer ---


def ours():
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


def one_point(problem, solve_l1=False):
    """n(alpha) from (A, y), g* and its certificate, or from (A, y) alone."""
    if solve_l1:
        found = certified_minimizer(problem["matrix"], problem["data"])
        return errors(problem, found.point, found.certificate, [problem["log10_alpha"]])[-1]
    return errors(problem, problem["minimizer"], certificate(problem), [problem["log10_alpha"]])[-1]


def point_of_path(problem):
    scales = np.union1d(PATH, problem["log10_alpha"])[::-1]
    path = errors(problem, problem["minimizer"], certificate(problem), scales)
    return path[np.flatnonzero(scales == problem["log10_alpha"])[0]]


def certificate(problem):
    return Certificate(problem["nu"], problem["direction"], problem["margin"])


def errors(problem, minimizer, dual, log10_alpha):
    """n at scales, shape (m, d)."""
    path = limit_path(
        problem["matrix"],
        minimizer,
        dual,
        potential(problem["depth"]),
        LOG10 * np.asarray(log10_alpha),
    )
    return np.exp(path.log_unit)[:, None] * path.error


# --- what is to be computed ---


class Instance:
    """A random problem with its proved minimizer."""

    def __init__(self, size, eta, seed):
        self.parameters = {"N": size[0], "d": size[1], "s": size[2], "eta": eta}
        self.name, self.matrix, self.data, self.minimizer = drawn(size, eta, seed)
        with ctx.workprec(BITS), proving(self.name):
            dual = self.minimizer.certificate
            self.proof = prove_minimizer(self.matrix, self.data, self.minimizer.point, dual.nu)

    def problem(self, depth, log10_alpha):
        """What contestants are given; peers of it A, y, D, alpha and, for descent, a step."""
        dual = self.minimizer.certificate
        given = {
            "matrix": self.matrix,
            "data": self.data,
            "depth": int(depth) if depth == int(depth) else depth,
            "alpha": 10.0**log10_alpha,
            "log10_alpha": log10_alpha,
            "minimizer": self.minimizer.point,
            "nu": dual.nu,
            "direction": dual.direction,
            "margin": dual.margin,
        }
        point = self.minimizer.point + one_point(given)
        weights = limit_weights(point, given["depth"], given["alpha"])
        return given | {"stable_step": stable_step(self.matrix, given["depth"], *weights)}

    def reference(self, problem):
        """n in balls."""
        depth, log10_alpha = problem["depth"], problem["log10_alpha"]
        with ctx.workprec(BITS), proving(f"{self.name}, D = {depth:g}, alpha = 1e{log10_alpha:g}"):
            proof = LimitProof(self.matrix, self.proof, depth)
            guess = one_point(problem)
            unit = np.log(np.abs(guess).max())
            return proof.error(power_of_ten(log10_alpha), guess / np.exp(unit), unit, RADIUS)

    def accuracy(self, value, is_error, reference):
        """Relative errors of ||n||_1 and of n, given n, or x with n = x - g*; nan without it."""
        if value is None:
            return np.nan, np.nan
        with ctx.workprec(BITS):
            found = [ball(v) for v in value] if is_error else distances(value, self.proof)
            size = sum_of_sizes(reference)
            off = sum_of_sizes([a - b for a, b in zip(found, reference, strict=True)])
            return float(abs(sum_of_sizes(found) - size) / size), float(off / size)


@contextmanager
def proving(what):
    """Report what is not proved as a failure of the program."""
    try:
        yield
    except NotProved as error:
        raise Failure(f"{what}: not proved: {error}") from error


# --- the comparison ---


def compared(instance, depth, contestants, workers, scales, repetitions):
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


def row(one, result, instance, reference):
    parts = PATH.size if one.solve is point_of_path else 1
    is_error = one.name.startswith(OURS)
    error, vector_error = instance.accuracy(result.value, is_error, reference)
    return told(one, result, [seconds / parts for seconds in result.seconds]) | {
        "error": error,
        "vector_error": vector_error,
    }


if __name__ == "__main__":
    run(main)
