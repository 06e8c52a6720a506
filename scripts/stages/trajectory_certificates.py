"""Stage trajectory_certificates: enclosures, in ball arithmetic, of trajectories of the flow.

The flow is integrated once more; its steps, like all files of other stages, are guesses to start
from.  Of each instance: ``||x(t) - g*||_1`` at the times at which it was saved, and the distance of
the last one to the limit point.  One row a quantity and time: the number lies between the decimal
texts `lower` and `upper`, or `status` says why that is not proved; of a flow without an end this is
said of its distance.
"""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.statements import statement
from implicit_l1.status import NOT_RUN
from implicit_l1.trajectories import TimedStatement, trajectory
from pipeline.command_line import add_cell, parameters_of, run
from pipeline.records.flow import Endpoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.problems import Problems
from pipeline.tidy import read_table, with_cell, write_table

COLUMNS = ["repetition", "time", "quantity", "log10_alpha", "lower", "upper", "status"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1: guesses")
    parser.add_argument("--trajectories", required=True, help="the table of stage flow: times")
    parser.add_argument("--endpoints", required=True, help="the .npz of stage flow: its ends")
    parser.add_argument("--output", required=True, help="the Parquet file: one row a quantity")
    add_cell(parser)
    parser.add_argument("--alpha", type=float, required=True, help="scale of the predictor")
    parser.add_argument("--rtol", type=float, required=True, help="of the integrator")
    parser.add_argument(
        "--radius", type=float, required=True, help="largest relative radius of a limit point"
    )
    args = parser.parse_args()

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    outcomes, log10_alpha = Endpoints.load(args.endpoints).outcome, float(np.log10(args.alpha))
    table = read_table(args.trajectories)
    errors = table[table["quantity"] == "error_1"]
    rows = []
    for place, index in enumerate(block.repetition):
        if outcomes[place] == NOT_RUN:
            continue
        times = np.sort(errors.loc[errors["repetition"] == index, "time"].to_numpy())
        if times.size:
            found = trajectory(
                block.at(place),
                l1.point[place],
                l1.nu[place],
                args.depth,
                log10_alpha,
                args.rtol,
                times.tolist(),
                args.radius,
            )
        else:
            failure = NotProved(f"the flow has no end, {outcomes[place]}")
            found = [TimedStatement(np.nan, statement("disagreement", failure, log10_alpha))]
        rows += [
            {"repetition": int(index), "time": timed.time, **vars(timed.statement)}
            for timed in found
        ]
    cell = parameters_of(args) | {"alpha": args.alpha}
    write_table(args.output, with_cell(cell, pd.DataFrame(rows, columns=COLUMNS)))


if __name__ == "__main__":
    run(main)
