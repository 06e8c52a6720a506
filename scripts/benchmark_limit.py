"""Target benchmark: the limit point of the flow by this project's solver and by its peers.

Random problems of stage problems, each with its limit points n(alpha) = x(alpha) - g* enclosed in
ball arithmetic.  Contestants solve the same problems side by side (:mod:`measure`); of each are
told the times and the relative errors of ``||n||_1`` and of n, in the l1 norm, against the
enclosure.  Peers give x, and g* is subtracted from it in ball arithmetic, outside their time.

One row a contestant and scale; `status` says why a contestant has no answer.
"""

import argparse
import statistics
import sys
from contextlib import contextmanager
from functools import partial

import numpy as np
import pandas as pd
from flint import ctx

from command_line import Failure, run
from implicit_l1.balls import ball, power_of_ten, sum_of_sizes
from implicit_l1.certificates import LimitProof, NotProved, prove_minimizer
from implicit_l1.descent import limit_weights, stable_step
from implicit_l1.l1 import basis_pursuit, polish
from implicit_l1.limit import limit_path
from implicit_l1.potentials import potential
from implicit_l1.problems import random_problem
from implicit_l1.status import CERTIFIED
from implicit_l1.storage import write_text
from implicit_l1.support import Certificate
from measure import Measurement, Workers
from peers import Peer, limit_point, versions

LOG10 = np.log(10.0)
BITS = 256
# Relative radius of an enclosure of ||n||_1, far below what is measured with it.
RADIUS = 1e-18
SUPPORT_THRESHOLD = 1e-9

# The path of which one point is a part: 4 scales in each of 12 decades, and 1.
PATH = np.arange(0.0, -12.25, -0.25)

OURS = "ours"

# log10 of a scale at which x is linear in y, for a first call.
EASY = 2.0

# A contestant that was ended so often, at one scale after another, is not tried further.
PATIENCE = 2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--size", nargs=3, type=int, action="append", required=True, metavar=("N", "d", "s")
    )
    parser.add_argument("--eta", nargs="+", type=float, required=True, help="||noise|| / ||A x_0||")
    parser.add_argument("--depth", nargs="+", type=float, required=True, help="D >= 2")
    parser.add_argument("--log10-alpha", nargs="+", type=float, required=True, help="scales")
    parser.add_argument("--repetitions", type=int, required=True, help="runs that are fast")
    parser.add_argument("--limit", type=float, required=True, help="seconds, of a run")
    parser.add_argument("--seed", type=int, required=True, help="root of all draws")
    parser.add_argument("--only", nargs="+", default=[""], help="parts of contestants' names")
    parser.add_argument("--csv", required=True)
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
    if args.repetitions < 1 or args.limit <= 0:
        raise Failure("there must be at least one repetition, and some time for it")
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
            (*own, "cvxpy", "highspy"),
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
        matrix, data = problem["matrix"], problem["data"]
        found = polish(matrix, data, basis_pursuit(matrix, data), SUPPORT_THRESHOLD)
        if found.status != CERTIFIED:
            raise ArithmeticError(f"the l1 minimizer is {found.status}")
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
        self.name = ", ".join(f"{key} = {value:g}" for key, value in self.parameters.items())
        problem = random_problem(
            ensemble="gaussian",
            **self.parameters,
            repetition=0,
            signal={"law": "uniform", "low": 0.5, "high": 1.5},
            seed=seed,
        )
        self.matrix, self.data = problem.matrix, problem.data
        point = basis_pursuit(self.matrix, self.data)
        self.minimizer = polish(self.matrix, self.data, point, SUPPORT_THRESHOLD)
        if self.minimizer.status != CERTIFIED:
            raise Failure(f"{self.name}: the l1 minimizer is {self.minimizer.status}")
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

    def reference(self, depth, log10_alpha):
        """n in balls."""
        with ctx.workprec(BITS), proving(f"{self.name}, D = {depth:g}, alpha = 1e{log10_alpha:g}"):
            proof = LimitProof(self.matrix, self.proof, depth)
            guess = one_point(self.problem(depth, log10_alpha))
            unit = np.log(np.abs(guess).max())
            return proof.error(power_of_ten(log10_alpha), guess / np.exp(unit), unit, RADIUS)

    def accuracy(self, value, is_error, reference):
        """Relative errors of ||n||_1 and of n, given n, or x with n = x - g*."""
        with ctx.workprec(BITS):
            found = [ball(v) for v in value]
            if not is_error:
                for index, g in zip(self.proof.support, self.proof.values, strict=True):
                    found[index] -= g
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
        reference = instance.reference(depth, log10_alpha)
        idle = {name for name, times in ended.items() if times >= PATIENCE}
        problem = instance.problem(depth, log10_alpha)
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
                | row(one, result, instance, reference, one.name.startswith(OURS))
            )
    return rows


def row(one, result, instance, reference, is_error):
    seconds = np.array(result.seconds) / (PATH.size if one.solve is point_of_path else 1)
    error, vector_error = np.nan, np.nan
    if result.value is not None:
        error, vector_error = instance.accuracy(result.value, is_error, reference)
    return {
        "contestant": one.name,
        "ours": one.name.startswith(OURS),
        "settings": one.settings,
        "versions": versions(one),
        "status": result.status,
        "seconds": statistics.median(seconds) if seconds.size else np.nan,
        "fastest": seconds.min(initial=np.inf) if seconds.size else np.nan,
        "slowest": seconds.max(initial=0.0) if seconds.size else np.nan,
        "runs": seconds.size,
        "error": error,
        "vector_error": vector_error,
    }


if __name__ == "__main__":
    run(main)
