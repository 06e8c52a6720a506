"""Stage null_space: the constants rho and rho~ of every instance of a block."""

import argparse

import numpy as np

from implicit_l1.minimizer.null_space import constants_of
from pipeline.command_line import add_exact_up_to, repetition, run
from pipeline.records.minimizers import Minimizers
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.problems import Problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    add_exact_up_to(parser)
    args = parser.parse_args()

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    found = []
    for index, matrix, point, margin in zip(
        block.repetition, block.matrix, l1.point, l1.margin, strict=True
    ):
        with repetition(args.output, index):
            found.append(constants_of(matrix, point, margin, args.exact_up_to))
    supports = [np.flatnonzero(point) for point in l1.point]
    NullSpaceConstants.of(block, supports, found).save(args.output)


if __name__ == "__main__":
    run(main)
