"""Stage agreement: flow, limit and plain flow of a cell, compared at their ends."""

import argparse
import json

from command_line import Failure, cell_of, run

import numpy as np

from implicit_l1.storage import read_arrays, write_table
from tidy import stacked, with_cell


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
        error = np.concatenate([error_at(block, float(alpha), args.output) for block in limit])
        distance = np.abs(point - minimizer - error).sum(axis=1)
        tables.append(
            with_cell(
                args.cell,
                {
                    "form": form,
                    "alpha": float(alpha),
                    "repetition": np.arange(len(point)),
                    "status": status,
                    "error_1": np.abs(error).sum(axis=1),
                    "disagreement": distance / np.abs(error).sum(axis=1),
                    "steps": np.concatenate([block["steps"] for block in flow]),
                },
            )
        )
    write_table(args.output, stacked(tables))


def error_at(block, alpha, output):
    """The error vectors n of a block of stage limit at one of its scales, shape (r, d)."""
    place = np.argmin(np.abs(block["log_alpha"] - np.log(alpha)))
    if abs(block["log_alpha"][place] - np.log(alpha)) > 1e-9:
        raise Failure(f"{cell_of(output)}: stage limit has no point at alpha = {alpha:g}")
    return np.exp(block["log_unit"][:, place, None]) * block["error"][:, place]


if __name__ == "__main__":
    run(main)
