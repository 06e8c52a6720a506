"""Stage certificates: enclosures, in ball arithmetic, of what the tables and figures show.

Everything is proved from the stored (A, y) and x_0; files of other stages are guesses to
start from.  Without --limit: of each instance, the proof of its l1 minimizer, rho, rho~,
kappa.  With it: of each instance and scale, the error in three norms, the distance to x_0,
the local slope, the first-order constant and the ratio to it.

One row a quantity: the number lies between the decimal texts `lower` and `upper`, or
`status` says why that is not proved.
"""

import argparse
from typing import Any

import numpy as np

from implicit_l1.proof.statements import (
    Statement,
    at_some_precision,
    constants,
    first_order_guess,
    limits,
)
from pipeline.command_line import add_cell, parameters_of, run
from pipeline.records.asymptotics import FirstOrders
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.problems import Problems
from pipeline.records.record import Record
from pipeline.tidy import table_of_statements, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1: guesses")
    parser.add_argument("--null-space", help="the block's .npz of stage null_space: guesses")
    parser.add_argument("--limit", help="the block's .npz of stage limit: guesses")
    parser.add_argument("--asymptotics", help="the block's .npz of stage asymptotics: guesses")
    parser.add_argument("--output", required=True, help="the Parquet file: one row a quantity")
    add_cell(parser, depth=False)
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
    files: dict[str, type[Record]] = {
        "problems": Problems,
        "l1": Minimizers,
        "null_space": NullSpaceConstants,
    }
    files |= {"limit": LimitPoints, "asymptotics": FirstOrders}
    blocks: dict[str, Any] = {
        name: kind.load(path) for name, kind in files.items() if (path := vars(args)[name])
    }
    prove = proofs_of_limits if args.limit else proofs_of_constants
    found = (
        (index, prove(blocks, place, args))
        for place, index in enumerate(blocks["problems"].repetition)
    )
    write_table(args.output, table_of_statements(parameters_of(args), found))


def proofs_of_constants(blocks: dict, place: int, args: argparse.Namespace) -> list[Statement]:
    """What is proved of one instance, whatever depth and scale."""
    l1, null_space = blocks["l1"], blocks["null_space"]
    mine = null_space.tilde_place == place
    return at_some_precision(
        constants,
        blocks["problems"].at(place),
        l1.point[place],
        l1.nu[place],
        null_space.tilde_pattern[mine],
        null_space.tilde_nu[mine],
    )


def proofs_of_limits(blocks: dict, place: int, args: argparse.Namespace) -> list[Statement]:
    """What is proved of the limit points of one instance at the scales wanted."""
    l1, limit = blocks["l1"], blocks["limit"]
    wanted = sorted(args.log10_alpha, reverse=True)
    scales = [(limit.place_of(value, args.output), value) for value in wanted]
    log_size = blocks["asymptotics"].entry_log_size[place]
    return at_some_precision(
        limits,
        blocks["problems"].at(place),
        l1.point[place],
        l1.nu[place],
        args.depth,
        scales,
        [(limit.error[place, at], limit.log_unit[place, at]) for at, _ in scales],
        # the signs are those of the error at the smallest scale
        first_order_guess(log_size, np.sign(limit.error[place, -1])),
        args.radius,
    )


if __name__ == "__main__":
    run(main)
