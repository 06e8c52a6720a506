"""Stage descent: gradient descent with finite steps against the limit point of the flow."""

import argparse
import json

import numpy as np

from implicit_l1.network.descent import (
    DescentOptions,
    EndOfFlowError,
    end_of_flow,
    gradient_descent,
    limit_weights,
    stable_step,
)
from implicit_l1.status import CERTIFIED
from pipeline.command_line import repetition, run
from pipeline.storage import read_arrays, write_table
from pipeline.tidy import from_rows, with_cell
from stages.agreement import error_at

NOT_RUN = "not run"

COLUMNS = [
    *("repetition", "status", "fraction", "step", "outcome", "iterations", "loss"),
    *("relative_loss", "distance", "step_distance", "error_1"),
    *("relative_distance", "relative_step_distance"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--limit", required=True, help="the block's .npz of stage limit")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    parser.add_argument("--cell", type=json.loads, default={}, help="columns of the table, as JSON")
    parser.add_argument("--depth", type=float, required=True, help="depth D, an integer >= 2")
    parser.add_argument("--alpha", type=float, required=True, help="scale of the predictor")
    parser.add_argument(
        "--fractions", type=float, nargs="+", required=True, help="steps, in stable steps"
    )
    parser.add_argument("--iterations", type=int, required=True, help="at most, of each run")
    parser.add_argument("--loss", type=float, required=True, help="at the end, in ||y||^2 / 2")
    args = parser.parse_args()

    block, l1 = read_arrays(args.problems), read_arrays(args.l1)
    errors = error_at(read_arrays(args.limit), args.alpha, args.output)
    options = DescentOptions(loss=args.loss, iterations=args.iterations)
    rows = []
    for place, index in enumerate(block["repetition"]):
        parameters = {"repetition": int(index), "status": str(l1["status"][place])}
        if l1["status"][place] != CERTIFIED:
            # no error to measure a distance against
            nothing = {"outcome": NOT_RUN, "iterations": 0}
            rows += [parameters | {"fraction": value} | nothing for value in args.fractions]
            continue
        matrix, data = block["matrix"][place], block["data"][place]
        with repetition(args.output, index):
            rows += [
                parameters | row
                for row in compare(
                    matrix,
                    data,
                    l1["point"][place],
                    errors[place],
                    args.depth,
                    args.alpha,
                    args.fractions,
                    options,
                )
            ]
    table = from_rows(rows, COLUMNS)
    write_table(args.output, with_cell(args.cell | {"alpha": args.alpha}, table))


def compare(matrix, data, minimizer, error, depth, alpha, fractions, options):
    """One row a fraction, for one instance."""
    limit = minimizer + error
    stable = stable_step(matrix, depth, *limit_weights(limit, depth, alpha))
    for fraction in fractions:
        descent = gradient_descent(matrix, data, depth, alpha, fraction * stable, options)
        try:
            end = end_of_flow(matrix, data, depth, descent.u, descent.v)
        except EndOfFlowError:
            end = np.full(limit.shape, np.nan)
        # of the last iterate, and of what its weights would still flow to, from x_inf
        distance, step_distance = (np.abs(x - limit).sum() for x in (descent.point, end))
        size = np.abs(error).sum()
        yield {
            "fraction": fraction,
            "step": fraction * stable,
            "outcome": descent.outcome,
            "iterations": descent.iterations,
            "loss": descent.loss,
            "relative_loss": descent.loss / (0.5 * (data @ data)),
            "distance": distance,
            "step_distance": step_distance,
            "error_1": size,
            "relative_distance": distance / size,
            "relative_step_distance": step_distance / size,
        }


if __name__ == "__main__":
    run(main)
