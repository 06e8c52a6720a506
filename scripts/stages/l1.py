"""Stage l1: the certified l1 minimizer of every instance of a block."""

import argparse

from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.problems.problem import exact_data, least_norm_interpolator
from implicit_l1.status import NOT_UNIQUE
from pipeline.command_line import (
    Failure,
    add_nonunique,
    add_solver,
    cell_of,
    repetition,
    run,
)
from pipeline.records.minimizers import Minimizers
from pipeline.records.problems import Problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    add_solver(parser)
    add_nonunique(parser)
    args = parser.parse_args()

    block = Problems.load(args.problems)
    minimizers, interpolators = [], []
    for place, index in enumerate(block.repetition):
        problem = block.at(place)
        with repetition(args.output, index):
            found = decide_minimizer(problem.matrix, problem.data, args.solver, exact_data(problem))
            interpolators.append(least_norm_interpolator(problem.matrix, problem.data))
        if found.status == NOT_UNIQUE and args.nonunique == "fail":
            raise Failure(
                f"{cell_of(args.output)}, repetition {index}: the l1 minimizer is not unique, so "
                "the error is not defined; set l1.nonunique to select to measure it from the "
                "minimizer that the flow selects, or to carry to keep such instances, marked, in "
                "the tables"
            )
        minimizers.append(found)
    Minimizers.of(block, minimizers, interpolators).save(args.output)


if __name__ == "__main__":
    run(main)
