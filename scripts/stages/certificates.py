"""Stage certificates: enclosures, in ball arithmetic, of what the tables and figures show.

Everything is proved from the stored (A, y) and x_0; files of other stages are guesses to
start from.  Without --limit: of each instance, the proof of its l1 minimizer, rho, rho~,
kappa.  With it: of each instance and scale, the error in three norms, the distance to x_0,
the local slope, the first-order constant and the ratio to it.

One row a quantity: the number lies between the decimal texts `lower` and `upper`, or
`status` says why that is not proved.
"""

import argparse
import json

import numpy as np
from flint import ctx

from implicit_l1.problems.problem import exact_data, problem_at
from implicit_l1.proof.balls import (
    ball,
    largest,
    power_of_ten,
    sum_of_sizes,
    sum_of_squares,
    to_decimals,
)
from implicit_l1.proof.constants import null_space_bracket, pattern_constant
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.status import PROVED
from pipeline.command_line import Failure, cell_of, run
from pipeline.storage import read_arrays, write_table
from pipeline.tidy import from_rows, with_cell

# What is not proved with so many bits is tried again with the next.
PRECISIONS = (128, 256, 512)

COLUMNS = ["repetition", "quantity", "log10_alpha", "lower", "upper", "status"]
OF_A_SCALE = ("error_1", "error_2", "error_inf", "estimation_error", "error_over_prediction")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1: guesses")
    parser.add_argument("--null-space", help="the block's .npz of stage null_space: guesses")
    parser.add_argument("--limit", help="the block's .npz of stage limit: guesses")
    parser.add_argument("--asymptotics", help="the block's .npz of stage asymptotics: guesses")
    parser.add_argument("--output", required=True, help="the Parquet file: one row a quantity")
    parser.add_argument("--cell", type=json.loads, required=True, help="its parameters, as JSON")
    parser.add_argument("--depth", type=float, help="depth D >= 2, any real number")
    parser.add_argument(
        "--log10-alpha", type=float, nargs="+", help="scales to certify, among those of --limit"
    )
    parser.add_argument(
        "--radius", type=float, required=True, help="largest relative radius of an enclosure"
    )
    args = parser.parse_args()
    of_limits = ("limit", "asymptotics", "depth", "log10_alpha")
    missing = [name for name in of_limits if args.limit and getattr(args, name) is None]
    if missing or not (args.limit or args.null_space):
        parser.error(f"give --null-space, or all of {', '.join(of_limits)}")
    files = ("problems", "l1", "null_space", "limit", "asymptotics")
    blocks = {name: read_arrays(path) for name in files if (path := getattr(args, name))}
    if "limit" in blocks:
        scales = located(blocks["limit"]["log_alpha"], args.log10_alpha, args.output)
    rows = []
    for place, index in enumerate(blocks["problems"]["repetition"]):
        instance = Instance(blocks, place, args.radius)
        if "limit" in blocks:
            proofs = at_some_precision(instance.limits, args.depth, scales)
        else:
            proofs = at_some_precision(instance.constants)
        rows += [{"repetition": int(index), **row} for row in proofs]
    write_table(args.output, with_cell(args.cell, from_rows(rows, COLUMNS)))


def at_some_precision(rows, *arguments):
    """The rows of the first precision at which all is proved; otherwise those of the last."""
    for bits in PRECISIONS:
        with ctx.workprec(bits):
            result = rows(*arguments)
        if all(row["status"] == PROVED for row in result):
            break
    return result


def located(log_alpha, wanted, output):
    """(place on the path, log10 alpha) of the scales to certify, decreasing."""
    path = log_alpha / np.log(10.0)
    places = []
    for value in sorted(wanted, reverse=True):
        place = int(np.argmin(np.abs(path - value)))
        if not np.isclose(path[place], value, rtol=1e-12, atol=1e-12):
            raise Failure(f"{cell_of(output)}: log10(alpha) = {value} is not on the path")
        places.append((place, value))
    return places


def row(quantity, value, log10_alpha=np.nan):
    """The row of a quantity: its enclosure, or the NotProved that says why there is none."""
    lower, upper, status = "", "", PROVED
    if isinstance(value, NotProved):
        status = f"not proved: {value}"
    elif not value.is_finite():
        status = "not proved: the enclosure is not finite"
    else:
        lower, upper = to_decimals(value)
    return {
        "quantity": quantity,
        "log10_alpha": log10_alpha,
        "lower": lower,
        "upper": upper,
        "status": status,
    }


def attempt(compute, *arguments):
    """What a proof returns, or the NotProved that it raises."""
    try:
        return compute(*arguments)
    except NotProved as error:
        return error


def both(value):
    """A pair that a proof returns, or twice the NotProved in its place."""
    return (value, value) if isinstance(value, NotProved) else value


def bracket_rows(frame, patterns, duals):
    """The rows of the null space constant of a support; see implicit_l1.proof.constants."""
    lower, upper = both(attempt(null_space_bracket, frame, patterns, duals))
    return [row("rho_tilde_lower", lower), row("rho_tilde_upper", upper)]


def local_slope(norm_before, alpha_before, norm, alpha):
    """d log||n||_1 / d log(alpha) between two scales; a norm may be the reason why it is not."""
    for value in (norm_before, norm):
        if isinstance(value, NotProved):
            raise value
    if norm.is_zero():
        raise NotProved("the error is 0")
    return (norm_before.log() - norm.log()) / (alpha_before.log() - alpha.log())


class Instance:
    """What is proved of one repetition."""

    def __init__(self, blocks, place, radius):
        self.blocks = blocks
        self.place = place
        self.radius = radius
        self.matrix = blocks["problems"]["matrix"][place]
        self.signal = blocks["problems"]["signal"][place]

    def minimizer(self, with_rho):
        """The proof of the l1 minimizer, and of rho if wanted, at the present precision."""
        data = exact_data(problem_at(self.blocks["problems"], self.place))
        point, nu = (self.blocks["l1"][name][self.place] for name in ("point", "nu"))
        minimizer = prove_minimizer(self.matrix, data, point, nu)
        if not with_rho:
            return minimizer, None
        return minimizer, pattern_constant(minimizer.coordinates, minimizer.sigma, nu)

    def constants(self):
        """Rows that do not depend on depth and scale."""
        proof = attempt(self.minimizer, True)
        if isinstance(proof, NotProved):
            return [row("margin", proof)]
        minimizer, rho = proof
        null_space = self.blocks["null_space"]
        mine = null_space["tilde_place"] == self.place
        patterns = null_space["tilde_pattern"][mine][:, minimizer.support]
        return [
            row("margin", minimizer.margin),
            row("rho", rho.value),
            row("kappa", minimizer.kappa),
            row("l1_estimation_error", sum_of_squares(self.offsets(minimizer)).sqrt()),
            *bracket_rows(minimizer.coordinates, patterns, null_space["tilde_nu"][mine]),
        ]

    def offsets(self, minimizer):
        """g* - x_0 as balls, in the order of the columns."""
        offsets = [-ball(x) for x in self.signal]
        for index, value in zip(minimizer.support, minimizer.values, strict=True):
            offsets[index] += value
        return offsets

    def limits(self, depth, scales):
        """Rows of the limit points at one depth, and of their first order."""
        proof = attempt(self.minimizer, depth == 2)  # rho is in the first order of D = 2 only
        if isinstance(proof, NotProved):
            return [row("margin", proof)]
        minimizer, rho = proof
        limit = LimitProof(self.matrix, minimizer, depth)
        first = attempt(limit.first_order, rho, *self.first_order_guess(), self.radius)
        exponent, constant = both(first)
        rows = [row("margin", minimizer.margin), row("rate", exponent), row("constant", constant)]
        # added first: it is exactly 0 where x_0 is recovered, and n far below rounding
        offsets = self.offsets(minimizer)
        before = None
        for place, log10_alpha in scales:
            alpha = power_of_ten(log10_alpha)
            guess = (
                self.blocks["limit"][name][self.place, place] for name in ("error", "log_unit")
            )
            error = attempt(limit.error, alpha, *guess, self.radius)
            norm = error if isinstance(error, NotProved) else sum_of_sizes(error)
            values = dict.fromkeys(OF_A_SCALE, error)
            if not isinstance(error, NotProved):
                away = [offset + n for offset, n in zip(offsets, error, strict=True)]
                values = {
                    "error_1": norm,
                    "error_2": sum_of_squares(error).sqrt(),
                    "error_inf": largest([abs(n) for n in error]),
                    "estimation_error": sum_of_squares(away).sqrt(),
                    "error_over_prediction": first,
                }
                if not isinstance(first, NotProved):
                    values["error_over_prediction"] = norm / (constant * alpha**exponent)
            if before is not None and place == before[0] + 1:  # neighbours on the path
                values["local_slope"] = attempt(local_slope, *before[1:], norm, alpha)
            rows += [row(quantity, value, log10_alpha) for quantity, value in values.items()]
            before = (place, norm, alpha)
        return rows

    def first_order_guess(self):
        """(n* in units of exp(log_unit), log_unit): the limit of n / alpha, for D > 2."""
        log_size = self.blocks["asymptotics"]["entry_log_size"][self.place]
        # the signs are those of the error at the smallest scale
        signs = np.sign(self.blocks["limit"]["error"][self.place, -1])
        unit = np.max(log_size, initial=-np.inf, where=np.isfinite(log_size))
        with np.errstate(invalid="ignore"):
            return np.where(np.isnan(log_size), 0.0, signs * np.exp(log_size - unit)), unit


if __name__ == "__main__":
    run(main)
