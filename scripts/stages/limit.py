"""Stage limit: the limit points of the flow along a path of scales, as error vectors."""

import argparse

import numpy as np

from implicit_l1.network.limit import LimitPath, PathOptions, limit_path
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import exact_data
from implicit_l1.status import MEASURED
from pipeline.command_line import repetition, run
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.problems import Problems


def main() -> None:
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

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    log_alpha = np.log(10.0) * np.sort(args.log10_alpha)[::-1]
    options = PathOptions(tolerance=args.tolerance)
    paths: list[LimitPath | None] = []
    for place, index in enumerate(block.repetition):
        if l1.status[place] not in MEASURED:
            paths.append(None)
            continue
        with repetition(args.output, index):
            path = limit_path(
                block.matrix[place],
                l1.point[place],
                l1.certificate(place),
                potential(args.depth),
                log_alpha,
                options,
                l1.initialization(place),
                l1.point_low[place],
                exact_data(block.at(place)),
            )
        paths.append(path)
    LimitPoints.of(block, l1, log_alpha, paths).save(args.output)


if __name__ == "__main__":
    run(main)
