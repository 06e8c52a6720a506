"""Stage agreement: flow, limit and plain flow of a cell, compared at their ends.

Ends that differ from the limit points by more than both stages claim end the program with an
error.
"""

import argparse
import json

import numpy as np
import pandas as pd

from implicit_l1.network.agreement import disagreement, is_explained
from implicit_l1.status import MEASURED
from pipeline.command_line import Failure, cell_of, run
from pipeline.records import errors_at, scale_of
from pipeline.storage import read_arrays, write_table
from pipeline.tidy import with_cell


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
    minimizer, status = joined(l1, "point"), joined(l1, "status")
    tables = []
    for form, alpha, *paths in args.flow:
        flow = [read_arrays(path) for path in paths]
        index, claimed = joined(flow, "repetition"), joined(flow, "claimed")
        places = [scale_of(block, np.log10(float(alpha)), args.output) for block in limit]
        blocks = list(zip(limit, places, strict=True))
        error = np.concatenate([errors_at(block, place) for block, place in blocks])
        uncertain = np.concatenate([block["error_bound"][:, place] for block, place in blocks])
        found = disagreement(joined(flow, "point"), minimizer, error)
        place = f"{cell_of(args.output)}, {form} flow at alpha = {alpha}"
        check(found, claimed, uncertain, status, index, place)
        columns = {
            "form": form,
            "alpha": float(alpha),
            "repetition": index,
            "status": status,
            "error_1": np.abs(error).sum(axis=1),
            "disagreement": found,
            "claimed": claimed,
            "steps": joined(flow, "steps"),
        }
        tables.append(pd.DataFrame(columns))
    write_table(args.output, with_cell(args.cell, pd.concat(tables, ignore_index=True)))


def joined(blocks, name):
    """An array of all blocks."""
    return np.concatenate([block[name] for block in blocks])


def check(found, claimed, uncertain, status, index, place):
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
