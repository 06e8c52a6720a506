"""Stage asymptotics: exponent and constant of the error as alpha -> 0, without any alpha."""

import argparse

import numpy as np

from implicit_l1.minimizer.support import support_geometry
from implicit_l1.network.asymptotics import DegenerateFaceError, first_order
from implicit_l1.potentials import potential
from implicit_l1.status import CERTIFIED
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
        with repetition(args.output, index):
            geometry = support_geometry(block.matrix[place], np.flatnonzero(l1.point[place]))
            try:
                found = first_order(
                    geometry, l1.point[place], l1.certificate(place), potential(args.depth)
                )
            except DegenerateFaceError as error:
                row["status"] = str(error)
                continue
        row |= {"status": "known", "exponent": found.exponent}
        row["log_constant"] = found.log_constant(1)
        row["entry_exponent"][geometry.complement] = found.entry_exponent
        row["entry_log_size"][geometry.complement] = found.entry_log_size
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    FirstOrders(repetition=block.repetition, **columns).save(args.output)


if __name__ == "__main__":
    run(main)
