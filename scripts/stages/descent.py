"""Stage descent: gradient descent with finite steps against the limit point of the flow."""

import argparse
from dataclasses import fields

import numpy as np
import pandas as pd

from implicit_l1.network.descent import Comparison, DescentOptions, compare_with_flow
from implicit_l1.status import CERTIFIED, NOT_RUN
from pipeline.command_line import add_cell, parameters_of, repetition, run
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.problems import Problems
from pipeline.tidy import with_cell, write_table

COLUMNS = ["repetition", "status", *(field.name for field in fields(Comparison))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--limit", required=True, help="the block's .npz of stage limit")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    add_cell(parser)
    parser.add_argument("--alpha", type=float, required=True, help="scale of the predictor")
    parser.add_argument(
        "--fractions", type=float, nargs="+", required=True, help="steps, in stable steps"
    )
    parser.add_argument("--iterations", type=int, required=True, help="at most, of each run")
    parser.add_argument("--loss", type=float, required=True, help="at the end, in ||y||^2 / 2")
    args = parser.parse_args()

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    limit = LimitPoints.load(args.limit)
    errors = limit.errors_at(limit.place_of(np.log10(args.alpha), args.output))
    options = DescentOptions(loss=args.loss, iterations=args.iterations)
    rows = []
    for place, index in enumerate(block.repetition):
        parameters = {"repetition": int(index), "status": str(l1.status[place])}
        if l1.status[place] != CERTIFIED:
            # no error to measure a distance against
            nothing = {"outcome": NOT_RUN, "iterations": 0}
            rows += [parameters | {"fraction": value} | nothing for value in args.fractions]
            continue
        with repetition(args.output, index):
            comparisons = compare_with_flow(
                block.matrix[place],
                block.data[place],
                l1.point[place],
                errors[place],
                args.depth,
                args.alpha,
                args.fractions,
                options,
            )
        rows += [parameters | vars(comparison) for comparison in comparisons]
    table = pd.DataFrame(rows, columns=COLUMNS)
    write_table(args.output, with_cell(parameters_of(args) | {"alpha": args.alpha}, table))


if __name__ == "__main__":
    run(main)
