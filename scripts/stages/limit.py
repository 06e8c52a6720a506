"""Stage limit: the limit points of the flow along a path of scales, as error vectors."""

import argparse

import numpy as np

from implicit_l1.minimizer.support import Certificate
from implicit_l1.network.limit import PathOptions, limit_path
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import exact_data, problem_at
from implicit_l1.status import MEASURED
from pipeline.command_line import repetition, run
from pipeline.records import coordinates_of
from pipeline.storage import read_arrays, write_arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1 or selection")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    parser.add_argument("--depth", type=float, required=True, help="depth D >= 2, any real number")
    parser.add_argument(
        "--log10-alpha", type=float, nargs="+", required=True, help="scales of the predictor"
    )
    parser.add_argument("--tolerance", type=float, required=True, help="of Newton's method")
    args = parser.parse_args()

    block, l1 = read_arrays(args.problems), read_arrays(args.l1)
    log_alpha = np.log(10.0) * np.sort(args.log10_alpha)[::-1]
    options = PathOptions(tolerance=args.tolerance)
    rows = []
    for place, index in enumerate(block["repetition"]):
        if l1["status"][place] not in MEASURED:
            rows.append(unknown(log_alpha.size, block["signal"].shape[1]))
            continue
        with repetition(args.output, index):
            path = limit_path(
                block["matrix"][place],
                l1["point"][place],
                Certificate(l1["nu"][place], l1["direction"][place], l1["margins"][place]),
                potential(args.depth),
                log_alpha,
                options,
                coordinates_of(l1, place),
                l1["point_low"][place],
                exact_data(problem_at(block, place)),
            )
        rows.append(record(path, l1["point"][place] - block["signal"][place]))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    write_arrays(args.output, repetition=block["repetition"], log_alpha=log_alpha, **columns)


def record(path, minimizer_offset):
    """What the file holds of one instance.

    Args:
        path: its limit points.
        minimizer_offset: g* - x_0, shape (d,).
    """
    return {
        "log_unit": path.log_unit,
        "error": path.error,
        "log_error_1": path.log_norm(1),
        "log_error_2": path.log_norm(2),
        "log_error_inf": path.log_norm(np.inf),
        "estimation_error": path.distance(minimizer_offset),
        "newton_steps": path.newton_steps,
        "relative_residual": path.relative_residual,
        "fixed_point_residual": path.fixed_point_residual,
        "error_bound": path.error_bound,
        "entry_bound": path.entry_bound,
        "proved": path.proved,
    }


def unknown(scales, columns):
    """The record of an instance without a certified minimizer to measure the error from."""
    nothing = np.full(scales, np.nan)
    return {
        "log_unit": nothing,
        "error": np.full((scales, columns), np.nan),
        "log_error_1": nothing,
        "log_error_2": nothing,
        "log_error_inf": nothing,
        "estimation_error": nothing,
        "newton_steps": np.zeros(scales, dtype=int),
        "relative_residual": nothing,
        "fixed_point_residual": nothing,
        "error_bound": nothing,
        "entry_bound": nothing,
        "proved": np.zeros(scales, dtype=bool),
    }


if __name__ == "__main__":
    run(main)
