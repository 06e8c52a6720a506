"""A random problem with its proved minimizer and limit points, of which targets measure errors."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from flint import arb, ctx
from numpy.typing import ArrayLike

from benchmark.comparison import BITS, certificate_of, certified_minimizer, distances, drawn
from implicit_l1.minimizer.support import Certificate
from implicit_l1.network.descent import limit_weights, stable_step
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from implicit_l1.proof.balls import ball, power_of_ten, sum_of_sizes
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import prove_minimizer
from pipeline.command_line import Failure

LOG10 = np.log(10.0)
# Relative radius of an enclosure of ||n||_1, far below what is measured with it.
RADIUS = 1e-18


def one_point(problem: dict, solve_l1: bool = False) -> np.ndarray:
    """n(alpha) from (A, y), g* and its certificate, or from (A, y) alone."""
    if solve_l1:
        found = certified_minimizer(problem["matrix"], problem["data"])
        return errors(problem, found.point, certificate_of(found), [problem["log10_alpha"]])[-1]
    return errors(problem, problem["minimizer"], certificate(problem), [problem["log10_alpha"]])[-1]


def certificate(problem: dict) -> Certificate:
    return Certificate(problem["nu"], problem["direction"], problem["margin"])


def errors(
    problem: dict, minimizer: np.ndarray, dual: Certificate, log10_alpha: ArrayLike
) -> np.ndarray:
    """n at scales, shape (m, d)."""
    path = limit_path(
        problem["matrix"],
        minimizer,
        dual,
        potential(problem["depth"]),
        LOG10 * np.asarray(log10_alpha),
    )
    return np.exp(path.log_unit)[:, None] * path.error


class Instance:
    """A random problem with its proved minimizer."""

    def __init__(self, size: tuple[int, int, int], eta: float, seed: int) -> None:
        self.parameters = {"N": size[0], "d": size[1], "s": size[2], "eta": eta}
        self.name, self.matrix, self.data, self.minimizer = drawn(size, eta, seed)
        with ctx.workprec(BITS), proving(self.name):
            dual = certificate_of(self.minimizer)
            self.proof = prove_minimizer(self.matrix, self.data, self.minimizer.point, dual.nu)

    def problem(self, depth: float, log10_alpha: float) -> dict:
        """What contestants are given; peers of it A, y, D, alpha and, for descent, a step."""
        dual = certificate_of(self.minimizer)
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

    def reference(self, problem: dict) -> list[arb]:
        """n in balls."""
        depth, log10_alpha = problem["depth"], problem["log10_alpha"]
        with ctx.workprec(BITS), proving(f"{self.name}, D = {depth:g}, alpha = 1e{log10_alpha:g}"):
            proof = LimitProof(self.matrix, self.proof, depth)
            guess = one_point(problem)
            unit = np.log(np.abs(guess).max())
            return proof.error(power_of_ten(log10_alpha), guess / np.exp(unit), unit, RADIUS)

    def accuracy(
        self, value: np.ndarray | None, is_error: bool, reference: list[arb]
    ) -> tuple[float, float]:
        """Relative errors of ||n||_1 and of n, given n, or x with n = x - g*; nan without it."""
        if value is None:
            return np.nan, np.nan
        with ctx.workprec(BITS):
            found = [ball(v) for v in value] if is_error else distances(value, self.proof)
            size = sum_of_sizes(reference)
            off = sum_of_sizes([a - b for a, b in zip(found, reference, strict=True)])
            return float(abs(sum_of_sizes(found) - size) / size), float(off / size)


@contextmanager
def proving(what: str) -> Iterator[None]:
    """Report what is not proved as a failure of the program."""
    try:
        yield
    except NotProved as error:
        raise Failure(f"{what}: not proved: {error}") from error
