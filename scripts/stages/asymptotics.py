"""Stage asymptotics: exponent and constant of the error as alpha -> 0, without any alpha."""

import argparse

import numpy as np

from implicit_l1.minimizer.support import Certificate, support_geometry
from implicit_l1.network.asymptotics import DegenerateFaceError, first_order
from implicit_l1.potentials import potential
from implicit_l1.status import CERTIFIED
from pipeline.command_line import repetition, run
from pipeline.storage import read_arrays, write_arrays


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
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    write_arrays(args.output, repetition=block["repetition"], **columns)


def record(matrix, l1, place, depth):
    """What is known of ||n||_1 / alpha^exponent, and of every entry off the support.

    ``log_constant`` is the logarithm of the limit; entry j is of the size
    ``alpha^entry_exponent[j] * exp(entry_log_size[j])``, nan on the support.
    """
    minimizer = l1["point"][place]
    unknown = {
        "status": str(l1["status"][place]),
        "exponent": np.nan,
        "log_constant": np.nan,
        "entry_exponent": np.full(minimizer.shape, np.nan),
        "entry_log_size": np.full(minimizer.shape, np.nan),
    }
    if l1["status"][place] != CERTIFIED:
        return unknown
    certificate = Certificate(l1["nu"][place], l1["direction"][place], l1["margins"][place])
    geometry = support_geometry(matrix, np.flatnonzero(minimizer))
    try:
        limit = first_order(geometry, minimizer, certificate, potential(depth))
    except DegenerateFaceError as error:
        return unknown | {"status": str(error)}
    result = unknown | {
        "status": "known",
        "exponent": limit.exponent,
        "log_constant": limit.log_constant(1),
    }
    result["entry_exponent"][geometry.complement] = limit.entry_exponent
    result["entry_log_size"][geometry.complement] = limit.entry_log_size
    return result


if __name__ == "__main__":
    run(main)
