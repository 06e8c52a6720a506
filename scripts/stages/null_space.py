"""Stage null_space: the constants rho and rho~ of every instance of a block."""

import argparse

import numpy as np

from implicit_l1.minimizer.null_space import Bracket, null_space_constant
from implicit_l1.minimizer.support import support_geometry
from pipeline.command_line import add_enumeration, repetition, run
from pipeline.storage import read_arrays, write_arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    add_enumeration(parser)
    parser.add_argument(
        "--milp-nodes",
        type=int,
        required=True,
        help="node limit of the mixed-integer program for larger supports; 0: none",
    )
    args = parser.parse_args()

    block, l1 = read_arrays(args.problems), read_arrays(args.l1)
    rows = []
    for index, matrix, point, margin in zip(
        block["repetition"], block["matrix"], l1["point"], l1["margin"], strict=True
    ):
        with repetition(args.output, index):
            rows.append(record(matrix, point, margin, args))
    tilde = [row.pop("rho_tilde") for row in rows]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    write_arrays(args.output, repetition=block["repetition"], **columns, **witnesses(tilde, block))


def witnesses(brackets, block):
    """What proves the bounds of rho~: one row a linear program, for all repetitions.

    Their number differs between repetitions; ``tilde_place`` says whose a row is.  Patterns
    have an entry for each column of A, nan off the support.
    """
    place, patterns, duals = [], [], []
    for index, (support, bracket) in enumerate(brackets):
        for pattern, dual in zip(bracket.patterns, bracket.duals, strict=True):
            whole = np.full(block["matrix"].shape[2], np.nan)
            whole[support] = pattern
            place.append(index)
            patterns.append(whole)
            duals.append(dual)
    _, rows, columns = block["matrix"].shape
    return {
        "tilde_place": np.array(place, dtype=int),
        "tilde_pattern": np.reshape(patterns, (-1, columns)),
        "tilde_nu": np.reshape(duals, (-1, rows)),
    }


def record(matrix, point, margin, args):
    if np.isnan(margin):  # no dual vector: nothing is known
        return {
            "rho_lower": np.nan,
            "rho_upper": np.nan,
            "rho_tilde_lower": np.nan,
            "rho_tilde_upper": np.nan,
            "rho_tilde_method": "none",
            "rho_tilde": (np.flatnonzero(point), Bracket(np.nan, np.nan, "none")),
        }
    support = np.flatnonzero(point)
    sigma = np.sign(point[support])
    geometry = support_geometry(matrix, support)
    rho_tilde = null_space_constant(geometry, sigma, args.enumerate_up_to, args.milp_nodes)
    return {
        # stage l1 has decided that no dual vector has a larger margin
        "rho_lower": 1.0 - margin,
        "rho_upper": 1.0 - margin,
        "rho_tilde_lower": rho_tilde.lower,
        "rho_tilde_upper": rho_tilde.upper,
        "rho_tilde_method": rho_tilde.method,
        "rho_tilde": (support, rho_tilde),
    }


if __name__ == "__main__":
    run(main)
