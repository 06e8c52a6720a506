r"""Benchmark l1: the certified l1 minimizer and the constant rho, and what general solvers give.

All contestants for both problems run in the same rounds, see :mod:`measure`.  Their results are
held against enclosures of g* and rho (:mod:`implicit_l1.proof.minimizer`): ``error`` is the
larger end of ``||x - g*||_1`` or of ``| ||A_Sc^T nu||_inf - rho |``, ``infeasibility`` is
``||A x - y||_2 / ||y||_2`` or ``||A_S^T nu - sigma||_inf``.  ``over_programs`` is the time of
stage l1 over that of the linear programs in it alone.  With noise ``|S| = N``, and rho is a
formula: there is no linear program to compare.
"""

import argparse
import statistics
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from flint import ctx

from benchmark.comparison import (
    BITS,
    SOLVER,
    add_options,
    certificate_of,
    certified_minimizer,
    check,
    distances,
    drawn,
    told,
)
from benchmark.measure import Measurement, Workers
from benchmark.peers import Peer
from benchmark.peers.minimizer import MINIMIZER, RHO
from implicit_l1.linear.compensated import residual
from implicit_l1.minimizer.null_space import largest_margin_dual, program_of_rho
from implicit_l1.minimizer.proposals import proposals
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.proof.balls import ball, column, exact_matrix, largest, sum_of_sizes
from implicit_l1.proof.constants import PatternConstant, enclose_pattern_constant
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.minimizer import ProvedMinimizer, prove_minimizer
from pipeline.command_line import Failure, run
from pipeline.storage import write_text

OF_MINIMIZER, OF_RHO = "minimizer", "rho"


@dataclass(frozen=True)
class Proof:
    """What results are held against: enclosures of g* and of rho, and (A, y)."""

    matrix: np.ndarray
    data: np.ndarray
    minimizer: ProvedMinimizer
    rho: PatternConstant


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    args = parser.parse_args()
    check(args)

    rows = []
    with Workers(CONTESTANTS, args.limit) as workers:
        for size in args.size:
            for eta in args.eta:
                problem, proof = posed(size, eta, args.seed)
                # rho is a formula where |S| = N
                formula = problem["free_map"].size == 0
                without = [c.name for c in CONTESTANTS if formula and c.problem == OF_RHO]
                results = workers.measure(problem, args.repetitions, leave_out=without)
                cell = dict(zip(("N", "d", "s"), size, strict=True)) | {"eta": f"{eta:g}"}
                for contestant in CONTESTANTS:
                    if contestant.name in results:
                        columns = row(contestant, results[contestant.name], proof)
                        whole = contestant.peer.name == WHOLE
                        ratio = over_programs(results) if whole else np.nan
                        rows.append(cell | columns | {"over_programs": ratio})
    table = pd.DataFrame(rows)
    write_text(args.csv, table.to_csv(index=False, lineterminator="\n", float_format="%.4g"))
    print(table.drop(columns=["settings", "versions"]).to_string(index=False))


def posed(size: tuple[int, int, int], eta: float, seed: int) -> tuple[dict, Proof]:
    """(the problem that contestants are given, its Proof)."""
    words, matrix, data, found = drawn(size, eta, seed)
    nu = certificate_of(found).nu
    try:
        with ctx.workprec(BITS):
            minimizer = prove_minimizer(matrix, data, found.point, nu)
            rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, nu)
    except NotProved as error:
        raise Failure(f"{words}: not proved: {error}") from error
    geometry = support_geometry(matrix, found.support)
    start = geometry.least_norm_dual(minimizer.sigma)
    problem = {
        "matrix": matrix,
        "data": data,
        "support": found.support,
        "sigma": minimizer.sigma,
        "start": start,
        "basis": geometry.q2,
        "free_map": geometry.free_map,
        "offset": matrix[:, geometry.complement].T @ start,
    }
    return problem, Proof(matrix, data, minimizer, rho)


# --- contestants of this project ---


def certified_point(problem: dict) -> np.ndarray:
    return certified_minimizer(problem["matrix"], problem["data"]).point


def pursuit(problem: dict) -> np.ndarray:
    return next(proposals(problem["matrix"], problem["data"], SOLVER)).point


def dual_vector(problem: dict) -> np.ndarray:
    geometry = support_geometry(problem["matrix"], problem["support"])
    return largest_margin_dual(problem["matrix"], geometry, problem["sigma"])


def program_alone(problem: dict) -> np.ndarray:
    """The linear program in largest_margin_dual, its coefficients being there."""
    _, free = program_of_rho(problem["free_map"], problem["offset"])
    return problem["start"] + problem["basis"] @ free


# --- rows ---

WHOLE = "ours, minimizer with polish and certificate"
ALONE = ("ours, basis pursuit alone", "ours, program of rho alone")
_PACKAGES = ("numpy", "scipy", "highspy")

# problem -> this project's solvers, the whole first
OURS = {
    OF_MINIMIZER: (
        Peer(WHOLE, certified_point, _PACKAGES, "stage l1; proves the minimizer unique"),
        Peer(ALONE[0], pursuit, _PACKAGES, "the first linear program of stage l1"),
    ),
    OF_RHO: (
        Peer("ours, rho", dual_vector, _PACKAGES, "from A, S and sigma, as in stage l1"),
        Peer(ALONE[1], program_alone, _PACKAGES, "the second linear program of stage l1"),
    ),
}
PEERS = {OF_MINIMIZER: MINIMIZER, OF_RHO: RHO}

# name: among the contestants of all problems; other fields: see Peer
Contestant = namedtuple("Contestant", "name solve problem peer")
CONTESTANTS = [
    Contestant(f"{problem}, {peer.name}", peer.solve, problem, peer)
    for problem in PEERS
    for peer in (*OURS[problem], *PEERS[problem])
]


def row(contestant: Contestant, result: Measurement, proof: Proof) -> dict:
    """The columns of a contestant: what it is, its times, and what its result is worth."""
    judges: dict[str, Callable[[np.ndarray, Proof], tuple[float, ...]]]
    judges = {OF_MINIMIZER: of_point, OF_RHO: of_dual_vector}
    judged = judges[contestant.problem]
    error, infeasibility = (np.nan, np.nan) if result.value is None else judged(result.value, proof)
    return (
        {"problem": contestant.problem}
        | told(contestant.peer, result, [] if result.status else None)
        | {"error": error, "infeasibility": infeasibility}
    )


def of_point(x: np.ndarray, proof: Proof) -> tuple[float, float]:
    """(||x - g*||_1, ||A x - y||_2 / ||y||_2), the first rounded up."""
    with ctx.workprec(BITS):
        error = sum_of_sizes(distances(x, proof.minimizer))
    gap = np.linalg.norm(residual(proof.matrix, x, proof.data)) / np.linalg.norm(proof.data)
    return float(error.upper()), float(gap)


def of_dual_vector(nu: np.ndarray, proof: Proof) -> tuple[float, ...]:
    """(| ||A_Sc^T nu||_inf - rho |, ||A_S^T nu - sigma||_inf), rounded up."""
    with ctx.workprec(BITS):
        image = (exact_matrix(proof.matrix.T) * column(nu)).entries()
        frame, sigma = proof.minimizer.frame, proof.minimizer.sigma
        height = largest([abs(image[j]) for j in frame.outside])
        on = [abs(image[j] - sign) for j, sign in zip(frame.inside, map(ball, sigma), strict=True)]
        return tuple(float(v.upper()) for v in (abs(height - proof.rho.value), largest(on)))


def over_programs(results: dict) -> float:
    """Time of stage l1 over that of the linear programs in it: the median of the rounds."""
    seconds = {c.peer.name: results[c.name].seconds for c in CONTESTANTS if c.name in results}
    programs = [seconds[name] for name in ALONE if name in seconds]
    rounds = [whole / sum(alone) for whole, *alone in zip(seconds[WHOLE], *programs, strict=False)]
    return statistics.median(rounds) if rounds else np.nan


if __name__ == "__main__":
    run(main)
