"""Stage agreement: flow, limit and plain flow of a cell, compared at their ends.

Ends that differ from the limit points by more than both stages claim end the program with an
error.
"""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.network.agreement import disagreement, is_explained
from implicit_l1.network.flow import escape_scale, slow_scale
from implicit_l1.potentials import potential
from implicit_l1.status import MEASURED
from pipeline.command_line import Failure, add_cell, cell_of, parameters_of, run
from pipeline.records.flow import Endpoints
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.record import joined
from pipeline.storage import write_table
from pipeline.tidy import with_cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--l1", nargs="+", required=True, help="blocks of stage l1, in order")
    parser.add_argument("--limit", nargs="+", required=True, help="blocks of stage limit")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    add_cell(parser)
    parser.add_argument(
        "--flow",
        nargs="+",
        action="append",
        required=True,
        metavar=("FORM ALPHA", "BLOCK"),
        help="endpoints of a form of the flow at one scale: dual or plain, alpha, blocks",
    )
    args = parser.parse_args()

    l1 = joined([Minimizers.load(path) for path in args.l1], args.output)
    limits = [LimitPoints.load(path) for path in args.limit]
    network, tables = potential(args.depth), []
    for form, alpha, *paths in args.flow:
        flow = joined([Endpoints.load(path) for path in paths], args.output)
        count = flow.repetition.size  # the first of the cell, or all
        places = [limit.place_of(np.log10(float(alpha)), args.output) for limit in limits]
        blocks = list(zip(limits, places, strict=True))
        error = np.concatenate([limit.errors_at(place) for limit, place in blocks])[:count]
        uncertain = np.concatenate([limit.error_bound[:, place] for limit, place in blocks])[:count]
        found, status = disagreement(flow.error, error), l1.status[:count]
        place = f"{cell_of(args.output)}, {form} flow at alpha = {alpha}"
        check(found, flow.claimed, uncertain, status, flow.repetition, place)
        size = np.abs(error).sum(axis=1)
        columns = {
            "form": form,
            "alpha": float(alpha),
            "repetition": flow.repetition,
            "status": status,
            "error_1": np.abs(flow.error).sum(axis=1),
            "limit_error_1": size,
            "disagreement": found,
            "claimed": flow.claimed,
            "escaped": flow.escaped,
            "escape_scale": escape_scale(network, float(alpha)),
            "settled": flow.settled,
            "slow_scale": slow_scale(network, float(alpha), size),
            "steps": flow.steps,
        }
        tables.append(pd.DataFrame(columns))
    write_table(args.output, with_cell(parameters_of(args), pd.concat(tables, ignore_index=True)))


def check(
    found: np.ndarray,
    claimed: np.ndarray,
    uncertain: np.ndarray,
    status: np.ndarray,
    index: np.ndarray,
    place: str,
) -> None:
    """Fail unless every end is as near to the limit point as stages flow and limit claim.

    Args:
        found: disagreements, shape (r,).
        claimed, uncertain: of stages flow and limit, see implicit_l1.network.agreement.
        status: of the minimizers; without one there is nothing to compare.
        index: repetitions.
        place: cell, form and scale, for the message.
    """
    wrong = np.isin(status, MEASURED) & ~is_explained(found, claimed, uncertain)
    for row in np.flatnonzero(wrong):
        raise Failure(
            f"{place}, repetition {index[row]}: its end differs from the limit point by "
            f"{found[row]:.3g} of its distance from the minimizer, but stage flow claims "
            f"{claimed[row]:.3g} and stage limit {uncertain[row]:.3g}"
        )


if __name__ == "__main__":
    run(main)
