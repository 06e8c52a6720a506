"""Stage bounds: upper and lower bounds on the error at every scale, and where it lies in them.

An upper bound of +inf says nothing, and neither does a lower bound of 0, of which the logarithm
is -inf.  A point outside its bounds, or any other number that is not finite, ends the program
with an error.
"""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.network.bands import bands, columns_at, contradiction
from implicit_l1.status import CERTIFIED
from pipeline.command_line import Failure, add_cell, cell_of, parameters_of, repetition, run
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.problems import Problems
from pipeline.tidy import with_cell, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for stage in ("problems", "l1", "null-space", "limit"):
        parser.add_argument(f"--{stage}", required=True, help=f"the block's .npz of stage {stage}")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    add_cell(parser)
    args = parser.parse_args()

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    null_space, limit = NullSpaceConstants.load(args.null_space), LimitPoints.load(args.limit)
    tables = []
    for place, index in enumerate(block.repetition):
        if l1.status[place] != CERTIFIED:
            columns = dict.fromkeys(columns_at(args.depth), np.nan)
            columns["log10_alpha"] = limit.log_alpha / np.log(10.0)
        else:
            with repetition(args.output, index):
                columns = bands(
                    block.matrix[place],
                    l1.point[place],
                    l1.certificate(place),
                    args.depth,
                    limit.log_alpha,
                    limit.log_unit[place],
                    limit.error[place],
                    null_space.rho_tilde_upper[place],
                    limit.entry_bound[place],
                )
            wrong = contradiction(columns, limit.error_bound[place])
            if wrong:
                raise Failure(f"{cell_of(args.output)}, repetition {index}, {wrong}")
        head = {"repetition": index, "status": l1.status[place]}
        tables.append(pd.DataFrame(head | columns))
    write_table(args.output, with_cell(parameters_of(args), pd.concat(tables, ignore_index=True)))


if __name__ == "__main__":
    run(main)
