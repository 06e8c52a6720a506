"""What the parts of target benchmark have in common: problems, options, rows of their tables."""

import argparse
import statistics

import numpy as np
from flint import arb

from benchmark.measure import Measurement
from benchmark.peers import Peer, versions
from implicit_l1.minimizer.decision import Minimizer
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.support import Certificate
from implicit_l1.problems.problem import random_problem
from implicit_l1.proof.balls import ball
from implicit_l1.proof.minimizer import ProvedMinimizer
from implicit_l1.status import CERTIFIED
from pipeline.command_line import Failure

OURS = "ours, "  # with it begin the names of this project's contestants
SOLVER = "auto"  # of stage l1, in the grids
BITS = 256


def add_options(parser: argparse.ArgumentParser, limit: bool = True) -> None:
    """The options that all parts have, and that of a limit of time."""
    parser.add_argument(
        "--size", nargs=3, type=int, action="append", required=True, metavar=("N", "d", "s")
    )
    parser.add_argument("--eta", nargs="+", type=float, required=True, help="||noise|| / ||A x_0||")
    parser.add_argument("--repetitions", type=int, required=True, help="runs; medians are taken")
    if limit:
        parser.add_argument("--limit", type=float, required=True, help="seconds, of a run")
    parser.add_argument("--seed", type=int, required=True, help="root of all draws")
    parser.add_argument("--csv", required=True)


def add_scales(parser: argparse.ArgumentParser) -> None:
    """The options of the parts that are about scales, and choose contestants by name."""
    parser.add_argument("--depth", nargs="+", type=float, required=True, help="D >= 2")
    parser.add_argument("--log10-alpha", nargs="+", type=float, required=True, help="scales")
    parser.add_argument("--only", nargs="+", default=[""], help="parts of contestants' names")


def check(args: argparse.Namespace) -> None:
    """Stop where the options of :func:`add_options` are not sound."""
    if args.repetitions < 1 or getattr(args, "limit", 1.0) <= 0:
        raise Failure("there must be at least one repetition, and some time for it")


def chosen(contestants: list, args: argparse.Namespace) -> list:
    """The contestants that the options name, if the other options are sound."""
    check(args)
    found = [one for one in contestants if any(part in one.name for part in args.only)]
    if not found:
        raise Failure(f"no contestant has {' or '.join(args.only)} in its name")
    return found


def drawn(
    size: tuple[int, int, int], eta: float, seed: int
) -> tuple[str, np.ndarray, np.ndarray, Minimizer]:
    """(its words, A, y, the certified l1 minimizer) of a random problem.

    Raises:
        Failure: if it cannot be drawn, or its minimizer is not certified.
    """
    N, d, s = size
    parameters = {"N": N, "d": d, "s": s, "eta": eta}
    words = ", ".join(f"{name} = {value:g}" for name, value in parameters.items())
    try:
        problem = random_problem(
            ensemble="gaussian",
            N=N,
            d=d,
            s=s,
            eta=eta,
            repetition=0,
            signal={"law": "uniform", "low": 0.5, "high": 1.5},
            seed=seed,
        )
        minimizer = certified_minimizer(problem.matrix, problem.data)
    except (ValueError, RuntimeError, ArithmeticError) as error:
        raise Failure(f"{words}: {error}") from error
    return words, problem.matrix, problem.data, minimizer


def certified_minimizer(matrix: np.ndarray, data: np.ndarray) -> Minimizer:
    """What stage l1 does.

    Raises:
        ArithmeticError: if the minimizer is not certified.
    """
    found = decide_minimizer(matrix, data, SOLVER)
    if found.status != CERTIFIED:
        raise ArithmeticError(f"the l1 minimizer is {found.status}")
    return found


def certificate_of(found: Minimizer) -> Certificate:
    """The dual vector of a certified minimizer.

    Raises:
        ArithmeticError: if it has none.
    """
    if found.certificate is None:
        raise ArithmeticError(f"the minimizer is {found.status}")
    return found.certificate


def distances(point: np.ndarray, proof: ProvedMinimizer) -> list[arb]:
    """``x - g*`` in balls, x exact as the doubles that it is."""
    found = [ball(value) for value in point]
    for index, value in zip(proof.support, proof.values, strict=True):
        found[index] -= value
    return found


def times(seconds: list[float]) -> dict[str, float]:
    """The columns of the times of a contestant's runs."""
    return {
        "seconds": statistics.median(seconds) if len(seconds) else np.nan,
        "fastest": min(seconds, default=np.nan),
        "slowest": max(seconds, default=np.nan),
        "runs": len(seconds),
    }


def told(peer: Peer, result: Measurement, seconds: list[float] | None = None) -> dict:
    """The columns that every contestant has: what it is, and what its runs took.

    Args:
        peer: a :class:`peers.Peer`.
        result: a :class:`measure.Measurement`.
        seconds: of its runs, where they are not those of the result.
    """
    return {
        "contestant": peer.name,
        "ours": peer.name.startswith(OURS),
        "settings": peer.settings,
        "versions": versions(peer),
        "status": result.status,
        **times(result.seconds if seconds is None else seconds),
    }
