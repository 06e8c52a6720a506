"""Stage lasso_path: the time average of the gradient flow, along the lasso path."""

import argparse
import json

import numpy as np

from implicit_l1.network.lasso import averaged_flow, lasso_path, objective, regularization
from implicit_l1.potentials import potential
from pipeline.command_line import repetition, run
from pipeline.storage import read_arrays, write_table
from pipeline.tidy import stacked, with_cell

# decades of mu above max|A^T y|, where the lasso's minimizer is 0
ABOVE = 0.2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    parser.add_argument("--cell", type=json.loads, default={}, help="columns of the table, as JSON")
    parser.add_argument("--depth", type=float, required=True, help="depth D >= 2")
    parser.add_argument("--alpha", type=float, required=True, help="scale of the predictor, < 1")
    parser.add_argument("--rtol", type=float, required=True, help="of the integrator")
    parser.add_argument("--decades", type=float, required=True, help="of mu below max|A^T y|")
    parser.add_argument("--per-decade", type=int, required=True, help="values of mu")
    args = parser.parse_args()
    if not 0 < args.alpha < 1:
        parser.error("--alpha must lie between 0 and 1: mu grows with log(1/alpha)")

    block = read_arrays(args.problems)
    count = round(args.per_decade * (args.decades + ABOVE)) + 1
    fractions = 10.0 ** np.linspace(ABOVE, -args.decades, count)
    tables = []
    for index, matrix, data in zip(
        block["repetition"], block["matrix"], block["data"], strict=True
    ):
        with repetition(args.output, index):
            tables.append(comparison(index, matrix, data, fractions, args))
    write_table(args.output, with_cell(args.cell | {"alpha": args.alpha}, stacked(tables)))


def comparison(index, matrix, data, fractions, args):
    """Long table of one instance: repetition, quantity, coordinate (-1 for others), mu, value."""
    path = lasso_path(matrix, data)
    mu = fractions * path.knots[0]
    pot = potential(args.depth)
    flow = averaged_flow(
        matrix, data, pot, args.alpha, regularization(pot, args.alpha, mu), args.rtol
    )
    minimizer = path.at(mu)
    least = objective(matrix, data, minimizer, mu)
    distance = np.abs(flow.average - minimizer).sum(axis=1)
    worst = distance.argmax()
    columns = {
        **{("average", place): (mu, values) for place, values in enumerate(flow.average.T)},
        **{("point", place): (mu, values) for place, values in enumerate(flow.point.T)},
        **{("lasso", place): (mu, values) for place, values in enumerate(minimizer.T)},
        ("distance", -1): (mu, distance),
        ("gap", -1): (mu, objective(matrix, data, flow.average, mu) / least - 1.0),
        ("largest_distance", -1): (mu[[worst]], distance[[worst]]),
        ("monotone", -1): ([np.nan], [float(path.monotone())]),
    }
    return stacked(
        [
            {
                "repetition": np.full(len(values), index),
                "quantity": np.full(len(values), quantity),
                "coordinate": np.full(len(values), place),
                "mu": at,
                "value": values,
            }
            for (quantity, place), (at, values) in columns.items()
        ]
    )


if __name__ == "__main__":
    run(main)
