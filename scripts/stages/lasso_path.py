"""Stage lasso_path: the time average of the gradient flow, along the lasso path."""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.network.lasso import compare_with_path
from implicit_l1.potentials import potential
from pipeline.command_line import add_cell, parameters_of, repetition, run
from pipeline.records.problems import Problems
from pipeline.tidy import with_cell, write_table

# decades of mu above max|A^T y|, where the lasso's minimizer is 0
ABOVE = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    add_cell(parser)
    parser.add_argument("--alpha", type=float, required=True, help="scale of the predictor, < 1")
    parser.add_argument("--rtol", type=float, required=True, help="of the integrator")
    parser.add_argument("--decades", type=float, required=True, help="of mu below max|A^T y|")
    parser.add_argument("--per-decade", type=int, required=True, help="values of mu")
    args = parser.parse_args()
    if not 0 < args.alpha < 1:
        parser.error("--alpha must lie between 0 and 1: mu grows with log(1/alpha)")

    block = Problems.load(args.problems)
    count = round(args.per_decade * (args.decades + ABOVE)) + 1
    fractions = 10.0 ** np.linspace(ABOVE, -args.decades, count)
    tables = []
    for index, matrix, data in zip(block.repetition, block.matrix, block.data, strict=True):
        with repetition(args.output, index):
            tables.append(comparison(index, matrix, data, fractions, args))
    cell = parameters_of(args) | {"alpha": args.alpha}
    write_table(args.output, with_cell(cell, pd.concat(tables, ignore_index=True)))


def comparison(
    index: int,
    matrix: np.ndarray,
    data: np.ndarray,
    fractions: np.ndarray,
    args: argparse.Namespace,
) -> pd.DataFrame:
    """Long table of one instance: repetition, quantity, coordinate (-1 for others), mu, value."""
    found = compare_with_path(matrix, data, potential(args.depth), args.alpha, fractions, args.rtol)
    mu, worst = found.mu, found.distance.argmax()
    columns = {
        **{("average", place): (mu, values) for place, values in enumerate(found.flow.average.T)},
        **{("point", place): (mu, values) for place, values in enumerate(found.flow.point.T)},
        **{("lasso", place): (mu, values) for place, values in enumerate(found.minimizer.T)},
        ("distance", -1): (mu, found.distance),
        ("gap", -1): (mu, found.gap),
        ("largest_distance", -1): (mu[[worst]], found.distance[[worst]]),
        ("monotone", -1): ([np.nan], [float(found.monotone)]),
    }
    tables = [
        pd.DataFrame(
            {
                "repetition": index,
                "quantity": quantity,
                "coordinate": place,
                "mu": at,
                "value": values,
            }
        )
        for (quantity, place), (at, values) in columns.items()
    ]
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    run(main)
