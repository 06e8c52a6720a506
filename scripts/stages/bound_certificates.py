"""Stage bound_certificates: enclosures, in ball arithmetic, of bounds on the error.

Everything is proved from the stored (A, y); files of other stages, and the vectors that bounds are
made of, which are computed as in stage bounds, are guesses to start from.  Of each instance and
scale: the error off the support and in all, and its quotients with the bounds.

One row a quantity, as in stage certificates.
"""

import argparse

from implicit_l1.network.bands import bounds_along_path
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.statements import Statement, at_some_precision, bounds, statement
from implicit_l1.status import CERTIFIED
from pipeline.command_line import add_cell, parameters_of, repetition, run
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.problems import Problems
from pipeline.tidy import table_of_statements, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for stage in ("problems", "l1", "null-space", "limit"):
        parser.add_argument(f"--{stage}", required=True, help=f"the block's .npz of stage {stage}")
    parser.add_argument("--output", required=True, help="the Parquet file: one row a quantity")
    add_cell(parser)
    parser.add_argument(
        "--log10-alpha", type=float, nargs="+", required=True, help="scales, among those of --limit"
    )
    parser.add_argument(
        "--radius", type=float, required=True, help="largest relative radius of an enclosure"
    )
    args = parser.parse_args()
    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    null_space, limit = NullSpaceConstants.load(args.null_space), LimitPoints.load(args.limit)
    found = []
    for place, index in enumerate(block.repetition):
        with repetition(args.output, index):
            found.append((index, proofs(place, block, l1, null_space, limit, args)))
    write_table(args.output, table_of_statements(parameters_of(args), found))


def proofs(
    place: int,
    block: Problems,
    l1: Minimizers,
    null_space: NullSpaceConstants,
    limit: LimitPoints,
    args: argparse.Namespace,
) -> list[Statement]:
    """What is proved of one instance."""
    if l1.status[place] != CERTIFIED:
        return [statement("margin", NotProved(l1.status[place]))]
    point, log_unit, error = l1.point[place], limit.log_unit[place], limit.error[place]
    found = bounds_along_path(
        block.matrix[place],
        point,
        l1.certificate(place),
        args.depth,
        limit.log_alpha,
        log_unit,
        error,
        null_space.rho_tilde_upper[place],
        limit.entry_bound[place],
    )
    scales = sorted(args.log10_alpha, reverse=True)
    places = [limit.place_of(scale, args.output) for scale in scales]
    mine = null_space.tilde_place == place
    return at_some_precision(
        bounds,
        block.at(place),
        point,
        l1.nu[place],
        null_space.tilde_pattern[mine],
        null_space.tilde_nu[mine],
        args.depth,
        scales,
        [(error[at], log_unit[at]) for at in places],
        [found.vectors[at] for at in places],
        found.chosen,
        args.radius,
    )


if __name__ == "__main__":
    run(main)
