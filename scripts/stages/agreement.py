"""Stage agreement: ends of a form of the flow at one scale, compared with the limit points.

Ends that differ from the limit points by more than both stages claim end the program with an
error.  Of a flow without an end there is only the reason.
"""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.network.agreement import disagreement, is_explained, may_be_minimizer
from implicit_l1.network.flow import escape_scale, slow_scale
from implicit_l1.potentials import potential
from implicit_l1.status import AT_MINIMIZER, MEASURED, NOT_FOLLOWED
from pipeline.command_line import Failure, add_cell, cell_of, parameters_of, run
from pipeline.records.flow import Endpoints
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.tidy import with_cell, write_table


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
    found, size = disagreement(flow.error, error), np.abs(error).sum(axis=1)
    at_minimizer = flow.outcome == AT_MINIMIZER
    found[at_minimizer] = np.nan  # it has no unit
    right = is_explained(found, flow.claimed, uncertain)
    of_minimizer = may_be_minimizer(size, uncertain, l1.point, args.alpha)
    right = np.where(at_minimizer, of_minimizer, right)
    lost = np.strings.startswith(flow.outcome, NOT_FOLLOWED)
    where = f"{cell_of(args.output)}, {args.form} flow at alpha = {args.alpha:g}"
    for row in np.flatnonzero(np.isin(l1.status, MEASURED) & ~lost & ~right):
        raise Failure(
            f"{where}, repetition {flow.repetition[row]} ({flow.outcome[row]}): its end differs "
            f"from the limit point by {found[row]:.3g} of its distance from the minimizer, "
            f"{size[row]:.3g}, but stage flow claims {flow.claimed[row]:.3g} and stage limit "
            f"{uncertain[row]:.3g}"
        )
    columns = {
        "form": args.form,
        "alpha": args.alpha,
        "repetition": flow.repetition,
        "status": l1.status,
        "outcome": flow.outcome,
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


if __name__ == "__main__":
    run(main)
