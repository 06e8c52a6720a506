"""Stage asymptotics: exponent and constant of the error as alpha -> 0, without any alpha."""

import argparse

import numpy as np

from implicit_l1.linear.exact import Undecided
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.network.asymptotics import first_order
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import exact_data
from implicit_l1.status import CERTIFIED, NO_ERROR
from pipeline.command_line import repetition, run
from pipeline.records.asymptotics import FirstOrders
from pipeline.records.minimizers import Minimizers
from pipeline.records.problems import Problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1")
    parser.add_argument("--output", required=True, help="the .npz file to write")
    parser.add_argument("--depth", type=float, required=True, help="depth D >= 2, any real number")
    args = parser.parse_args()

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    size = l1.point.shape[1]
    rows = []
    for place, index in enumerate(block.repetition):
        row = {
            "status": l1.status[place],
            "exponent": np.nan,
            "log_constant": np.nan,
            "entry_exponent": np.full(size, np.nan),
            "entry_log_size": np.full(size, np.nan),
        }
        rows.append(row)
        if l1.status[place] != CERTIFIED:
            continue
        if not l1.initialization(place).is_from_ones:
            row["status"] = "not known but from ones"
            continue
        with repetition(args.output, index):
            problem, point = block.at(place), l1.point[place]
            geometry = support_geometry(problem.matrix, np.flatnonzero(point))
            instance = problem.matrix, geometry, point, l1.certificate(place)
            try:
                found = first_order(*instance, potential(args.depth), exact_data(problem))
            except Undecided as error:
                row["status"] = str(error)
                continue
        if np.isinf(found.exponent):
            row["status"] = NO_ERROR
            continue
        row |= {"status": "known", "exponent": found.exponent}
        row["log_constant"] = found.log_constant(1)
        row["entry_exponent"][geometry.complement] = found.entry_exponent
        row["entry_log_size"][geometry.complement] = found.entry_log_size
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    FirstOrders(repetition=block.repetition, **columns).save(args.output)


if __name__ == "__main__":
    run(main)
