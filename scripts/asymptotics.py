"""Stage asymptotics: exponent and constant of the error as alpha -> 0, without any alpha."""

import argparse

import numpy as np
from command_line import repetition, run

from implicit_l1.asymptotics import DegenerateFaceError, correction_exponent, first_order
from implicit_l1.l1 import CERTIFIED
from implicit_l1.potentials import potential
from implicit_l1.storage import read_arrays, write_arrays
from implicit_l1.support import Certificate, support_geometry


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    parser.add_argument("--depth", type=float, required=True, help="depth D >= 2, any real number")
    args = parser.parse_args()

    block, l1 = read_arrays(args.problems), read_arrays(args.l1)
    rows = []
    for place, index in enumerate(block["repetition"]):
        with repetition(args.output, index):
            rows.append(record(block["matrix"][place], l1, place, args.depth))
    status, exponent, log_constant, gap = map(np.array, zip(*rows, strict=True))
    write_arrays(
        args.output,
        repetition=block["repetition"],
        status=status,
        exponent=exponent,
        log_constant=log_constant,
        exponent_gap=gap,
    )


def record(matrix, l1, place, depth):
    """(status, exponent, log of the limit of ||n||_1 / alpha^exponent, exponent gap).

    The gap is that of the slowest correction known: relative to the leading term it is of
    the order alpha^gap.
    """
    if l1["status"][place] != CERTIFIED:
        return str(l1["status"][place]), np.nan, np.nan, np.nan
    minimizer = l1["point"][place]
    certificate = Certificate(l1["nu"][place], l1["direction"][place], l1["margins"][place])
    geometry = support_geometry(matrix, np.flatnonzero(minimizer))
    try:
        limit = first_order(geometry, minimizer, certificate, potential(depth))
    except DegenerateFaceError as error:
        return str(error), np.nan, np.nan, np.nan
    return "known", limit.exponent, limit.log_constant(1), correction_exponent(limit, depth)


if __name__ == "__main__":
    run(main)
