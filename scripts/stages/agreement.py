"""Stage agreement: ends of a form of the flow at one scale, compared with the limit points.

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
from pipeline.storage import write_table
from pipeline.tidy import with_cell


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1 or selection")
    parser.add_argument("--limit", required=True, help="the block's .npz of stage limit")
    parser.add_argument("--flow", required=True, help="ends of the block's flows, or of one")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    add_cell(parser)
    parser.add_argument("--form", choices=["dual", "plain"], required=True, help="of the flow")
    parser.add_argument("--alpha", type=float, required=True, help="scale of the predictor")
    args = parser.parse_args()

    flow, network = Endpoints.load(args.flow), potential(args.depth)
    l1 = Minimizers.load(args.l1).only(flow.repetition, args.output)
    limit = LimitPoints.load(args.limit).only(flow.repetition, args.output)
    place = limit.place_of(np.log10(args.alpha), args.output)
    error, uncertain = limit.errors_at(place), limit.error_bound[:, place]
    found = disagreement(flow.error, error)
    where = f"{cell_of(args.output)}, {args.form} flow at alpha = {args.alpha:g}"
    check(found, flow.claimed, uncertain, l1.status, flow.repetition, where)
    size = np.abs(error).sum(axis=1)
    columns = {
        "form": args.form,
        "alpha": args.alpha,
        "repetition": flow.repetition,
        "status": l1.status,
        "error_1": np.abs(flow.error).sum(axis=1),
        "limit_error_1": size,
        "disagreement": found,
        "claimed": flow.claimed,
        "escaped": flow.escaped,
        "escape_scale": escape_scale(network, args.alpha),
        "settled": flow.settled,
        "slow_scale": slow_scale(network, args.alpha, size),
        "steps": flow.steps,
    }
    write_table(args.output, with_cell(parameters_of(args), pd.DataFrame(columns)))


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
