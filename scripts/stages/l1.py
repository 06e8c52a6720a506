"""Stage l1: the certified l1 minimizer of every instance of a block."""

import argparse

import numpy as np

from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.problems.problem import exact_data, least_norm_interpolator, problem_at
from implicit_l1.status import NOT_UNIQUE
from pipeline.command_line import (
    Failure,
    add_nonunique,
    add_solver,
    cell_of,
    repetition,
    run,
)
from pipeline.records import OF_DATA, minimizer_row
from pipeline.storage import read_arrays, write_arrays


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    add_solver(parser)
    add_nonunique(parser)
    args = parser.parse_args()

    block = read_arrays(args.problems)
    rows = []
    for place, index in enumerate(block["repetition"]):
        problem = problem_at(block, place)
        with repetition(args.output, index):
            minimizer = decide_minimizer(
                problem.matrix, problem.data, args.solver, exact_data(problem)
            )
            interpolator = least_norm_interpolator(problem.matrix, problem.data)
        if minimizer.status == NOT_UNIQUE and args.nonunique == "fail":
            raise Failure(
                f"{cell_of(args.output)}, repetition {index}: the l1 minimizer is not unique, so "
                "the error is not defined; set l1.nonunique to select to measure it from the "
                "minimizer that the flow selects, or to carry to keep such instances, marked, in "
                "the tables"
            )
        rows.append(minimizer_row(problem, minimizer, interpolator))
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    columns |= {name: block[name] for name in OF_DATA}
    write_arrays(args.output, repetition=block["repetition"], **columns)


if __name__ == "__main__":
    run(main)
