"""Stage null_space: the constants rho and rho~ of every instance of a block."""

import argparse

import numpy as np

from implicit_l1.minimizer.null_space import constants_of
from pipeline.command_line import add_enumeration, repetition, run
from pipeline.storage import read_arrays, write_arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    add_enumeration(parser)
    args = parser.parse_args()

    block, l1 = read_arrays(args.problems), read_arrays(args.l1)
    found = []
    for index, matrix, point, margin in zip(
        block["repetition"], block["matrix"], l1["point"], l1["margin"], strict=True
    ):
        with repetition(args.output, index):
            found.append(constants_of(matrix, point, margin, args.enumerate_up_to))
    columns = {
        "rho_lower": [rho.lower for rho, _ in found],
        "rho_upper": [rho.upper for rho, _ in found],
        "rho_tilde_lower": [tilde.lower for _, tilde in found],
        "rho_tilde_upper": [tilde.upper for _, tilde in found],
        "rho_tilde_method": [tilde.method for _, tilde in found],
    }
    brackets = [
        (np.flatnonzero(point), tilde) for point, (_, tilde) in zip(l1["point"], found, strict=True)
    ]
    columns |= witnesses(brackets, block)
    write_arrays(args.output, repetition=block["repetition"], **columns)


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


if __name__ == "__main__":
    run(main)
