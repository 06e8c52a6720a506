"""Stage selection: what the error is measured from, where that depends on the network.

The minimizer of the norm that the initialization leads to and, where there are several, the
one of them that the flow selects.  The file takes the place of the block's file of stage l1.
"""

import argparse
from dataclasses import replace

import numpy as np

from implicit_l1.network.initialization import (
    draw_shapes,
    initialize,
    initialize_from_ones,
)
from implicit_l1.network.selection import minimizer_of
from implicit_l1.problems.problem import exact_data
from implicit_l1.problems.seeds import generator
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, SELECTED
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
from pipeline.records.record import stacked
from pipeline.shapes import read_shapes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    parser.add_argument("--depth", type=float, required=True, help="depth D >= 2, any real number")
    parser.add_argument(
        "--shape",
        choices=["uniform", "lognormal", "file"],
        help="law of w_u and w_v in u(0) = alpha^(1/D) w_u, v(0) = alpha^(1/D) w_v; default: ones",
    )
    parser.add_argument("--low", type=float, help="smallest entry of a uniform shape")
    parser.add_argument("--high", type=float, help="largest entry of a uniform shape")
    parser.add_argument("--sigma", type=float, help="of the logarithms of a lognormal shape")
    parser.add_argument("--balanced", action="store_true", help="w_v = w_u")
    parser.add_argument("--path", help="CSV file with the columns u and v, or u alone")
    parser.add_argument("--seed", type=int, help="root of the draws of shapes")
    add_solver(parser)
    add_nonunique(parser)
    args = parser.parse_args()

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    parts = []
    for place, index in enumerate(block.repetition):
        if args.shape is None and l1.status[place] == CERTIFIED:
            ones = np.ones(block.matrix.shape[2])
            initialization = initialize_from_ones(ones.size)
            parts.append(l1.part(place).started_from(ones, ones, initialization))
            continue
        with repetition(args.output, index):
            part = selected(block, l1, place, args)
        if part.status[0] == SELECTED and args.nonunique == "fail":
            raise Failure(
                f"{cell_of(args.output)}, repetition {index}: there are several minimizers; set "
                "l1.nonunique to select to measure the error from the one that the flow selects"
            )
        if part.status[0] == SELECTED and args.nonunique == "carry":
            part = replace(part, status=np.array([NOT_UNIQUE]))
        parts.append(part)
    stacked(parts).save(args.output)


def selected(block: Problems, l1: Minimizers, place: int, args: argparse.Namespace) -> Minimizers:
    """The record of the minimizer of this network for one instance."""
    problem = block.at(place)
    shape_u, shape_v = shapes(block.repetition[place], problem.matrix.shape[1], args)
    initialization = initialize(args.depth, shape_u, shape_v)
    found = minimizer_of(
        problem.matrix,
        problem.data,
        initialization,
        args.depth,
        l1.point[place],
        args.solver,
        exact_data(problem),
    )
    record = Minimizers.of(block.part(place), [found], [l1.interpolator[place]])
    return record.started_from(shape_u, shape_v, initialization)


def shapes(index: int, size: int, args: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """(w_u, w_v) of a repetition: the same for every depth and every problem of this size."""
    if args.shape is None:
        return np.ones(size), np.ones(size)
    if args.shape == "file":
        return read_shapes(args.path, size)
    law = {name: getattr(args, name) for name in ("low", "high", "sigma")}
    law = {name: value for name, value in law.items() if value is not None}
    rng = generator(
        stream="initialization",
        seed=args.seed,
        law=args.shape,
        d=size,
        repetition=int(index),
        **law,
    )
    return draw_shapes(rng, size, args.shape, balanced=args.balanced, **law)


if __name__ == "__main__":
    run(main)
