"""Stage agreement: flow, limit and plain flow of a cell, compared at their ends.

Ends that differ from the limit points by more than both stages claim end the program with an
error.
"""

import argparse
import json

import numpy as np

from implicit_l1.status import MEASURED
from pipeline.command_line import Failure, cell_of, run
from pipeline.storage import read_arrays, write_table
from pipeline.tidy import stacked, with_cell


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--l1", nargs="+", required=True, help="blocks of stage l1, in order")
    parser.add_argument("--limit", nargs="+", required=True, help="blocks of stage limit")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    parser.add_argument("--cell", type=json.loads, required=True, help="its parameters, as JSON")
    parser.add_argument(
        "--flow",
        nargs="+",
        action="append",
        required=True,
        metavar=("FORM ALPHA", "BLOCK"),
        help="endpoints of a form of the flow at one scale: dual or plain, alpha, blocks",
    )
    args = parser.parse_args()

    l1 = [read_arrays(path) for path in args.l1]
    limit = [read_arrays(path) for path in args.limit]
    minimizer = np.concatenate([block["point"] for block in l1])
    status = np.concatenate([block["status"] for block in l1])
    tables = []
    for form, alpha, *paths in args.flow:
        flow = [read_arrays(path) for path in paths]
        point = np.concatenate([block["point"] for block in flow])
        index = np.concatenate([block["repetition"] for block in flow])
        claimed = np.concatenate([block["claimed"] for block in flow])
        error = np.concatenate([error_at(block, float(alpha), args.output) for block in limit])
        uncertain = np.concatenate(
            [uncertainty_at(block, float(alpha), args.output) for block in limit]
        )
        distance = np.abs(point - minimizer - error).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):  # where n = 0
            disagreement = distance / np.abs(error).sum(axis=1)
        place = f"{cell_of(args.output)}, {form} flow at alpha = {alpha}"
        check(disagreement, claimed, uncertain, status, index, place)
        tables.append(
            with_cell(
                args.cell,
                {
                    "form": form,
                    "alpha": float(alpha),
                    "repetition": index,
                    "status": status,
                    "error_1": np.abs(error).sum(axis=1),
                    "disagreement": disagreement,
                    "claimed": claimed,
                    "steps": np.concatenate([block["steps"] for block in flow]),
                },
            )
        )
    write_table(args.output, stacked(tables))


def check(disagreement, claimed, uncertain, status, index, place):
    """Fail unless every end is as near to the limit point as stages flow and limit claim.

    Args:
        disagreement: distances in units of ||n||_1, shape (r,).
        claimed: those that stage flow claims, to the true limit points.
        uncertain: those of the limit points as stored to the true ones.
        status: of the minimizers; without one there is nothing to compare.
        index: repetitions.
        place: cell, form and scale, for the message.
    """
    known = np.isin(status, MEASURED)
    # a unit of ||n||_1 as stored is one of the true size up to its uncertainty; not a number
    # is not within any bound
    within = disagreement <= (claimed + uncertain) * (1.0 + 2.0 * uncertain)
    for row in np.flatnonzero(known & ~within):
        raise Failure(
            f"{place}, repetition {index[row]}: its end differs from the limit point by "
            f"{disagreement[row]:.3g} of its distance from the minimizer, but stage flow claims "
            f"{claimed[row]:.3g} and stage limit {uncertain[row]:.3g}"
        )


def uncertainty_at(block, alpha, output):
    """The bound of stage limit on its relative error at one of its scales, shape (r,)."""
    place = scale_of(block, alpha, output)
    return block["error_bound"][:, place]


def error_at(block, alpha, output):
    """The error vectors n of a block of stage limit at one of its scales, shape (r, d)."""
    place = scale_of(block, alpha, output)
    return np.exp(block["log_unit"][:, place, None]) * block["error"][:, place]


def scale_of(block, alpha, output):
    """The place of a scale in the path of a block of stage limit."""
    place = np.argmin(np.abs(block["log_alpha"] - np.log(alpha)))
    if abs(block["log_alpha"][place] - np.log(alpha)) > 1e-9:
        raise Failure(f"{cell_of(output)}: stage limit has no point at alpha = {alpha:g}")
    return place


if __name__ == "__main__":
    run(main)
