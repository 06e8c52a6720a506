"""Stage agreement: flow, limit and plain flow of a cell, compared at their ends.

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
        found, size = disagreement(flow.error, error), np.abs(error).sum(axis=1)
        at_minimizer = flow.outcome == AT_MINIMIZER
        found[at_minimizer] = np.nan  # it has no unit
        right = is_explained(found, flow.claimed, uncertain)
        of_minimizer = may_be_minimizer(size, uncertain, l1.point[:count], float(alpha))
        right = np.where(at_minimizer, of_minimizer, right)
        lost = np.strings.startswith(flow.outcome, NOT_FOLLOWED)
        wrong = np.isin(l1.status[:count], MEASURED) & ~lost & ~right
        place = f"{cell_of(args.output)}, {form} flow at alpha = {alpha}"
        for row in np.flatnonzero(wrong):
            raise Failure(
                f"{place}, repetition {flow.repetition[row]} ({flow.outcome[row]}): its end "
                f"differs from the limit point by {found[row]:.3g} of its distance from the "
                f"minimizer, {size[row]:.3g}, but stage flow claims {flow.claimed[row]:.3g} and "
                f"stage limit {uncertain[row]:.3g}"
            )
        columns = {
            "form": form,
            "alpha": float(alpha),
            "repetition": flow.repetition,
            "status": l1.status[:count],
            "outcome": flow.outcome,
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


if __name__ == "__main__":
    run(main)
