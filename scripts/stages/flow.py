"""Stage flow: integrate the gradient flow of every instance of a block to its end.

Of a flow that cannot be followed so far there are no states, and the file of ends says why.
"""

import argparse

import pandas as pd

from implicit_l1.network.flow import (
    FlowError,
    FlowOptions,
    Trajectory,
    gradient_flow,
    shown,
)
from implicit_l1.network.plain_flow import plain_flow
from implicit_l1.potentials import potential
from implicit_l1.status import MEASURED, NOT_FOLLOWED, NOT_RUN
from pipeline.command_line import add_cell, parameters_of, repetition, run
from pipeline.records.flow import Endpoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.problems import Problems
from pipeline.tidy import with_cell, write_table

# of the table of states, long: the coordinate is -1 for norms
COLUMNS = ["repetition", "quantity", "coordinate", "time", "value", "status"]
EMPTY = pd.DataFrame(columns=COLUMNS, dtype=float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", required=True, help="the block's .npz of stage problems")
    parser.add_argument("--l1", required=True, help="the block's .npz of stage l1 or selection")
    parser.add_argument("--endpoints", required=True, help="the .npz file to write: x at the end")
    parser.add_argument("--trajectories", help="the Parquet file to write: states over time")
    add_cell(parser)
    parser.add_argument("--form", choices=["dual", "plain"], required=True, help="of the flow")
    parser.add_argument("--alpha", type=float, required=True, help="scale of the predictor")
    parser.add_argument("--rtol", type=float, required=True, help="of the integrator")
    parser.add_argument("--distance", type=float, required=True, help="to the limit, at the end")
    parser.add_argument("--states-per-decade", type=int, required=True, help="of time, saved")
    parser.add_argument("--coordinates", type=int, required=True, help="entries of x saved")
    parser.add_argument("--only", type=int, help="the one repetition to integrate; default: all")
    args = parser.parse_args()

    block, l1 = Problems.load(args.problems), Minimizers.load(args.l1)
    if args.only is not None:
        block = block.only([args.only], args.endpoints)
        l1 = l1.only([args.only], args.endpoints)
    options = FlowOptions(args.rtol, args.distance, args.states_per_decade)
    flows: list[Trajectory | str] = []
    tables = []
    for place, index in enumerate(block.repetition):
        if l1.status[place] not in MEASURED:
            flows.append(NOT_RUN)
            continue
        with repetition(args.endpoints, index):
            flow = follow(block, l1, place, args, options)
        flows.append(flow)
        if isinstance(flow, str):
            continue
        head = {"repetition": index, "status": l1.status[place], "time": flow.time}
        values = shown(flow, l1.point[place], args.coordinates)
        tables += [
            pd.DataFrame({**head, "quantity": quantity, "coordinate": coordinate, "value": value})
            for (quantity, coordinate), value in values.items()
        ]
    Endpoints.of(block, flows).save(args.endpoints)
    if args.trajectories:
        table = pd.concat(tables, ignore_index=True) if tables else EMPTY
        cell = parameters_of(args) | {"alpha": args.alpha}
        write_table(args.trajectories, with_cell(cell, table[COLUMNS]))


def follow(
    block: Problems, l1: Minimizers, place: int, args: argparse.Namespace, options: FlowOptions
) -> Trajectory | str:
    """The flow of one instance; in words why it was not followed to its end."""
    matrix, minimizer = block.matrix[place], l1.point[place]
    try:
        if args.form == "plain":
            data, shapes = block.data[place], l1.shapes_at(place)
            return plain_flow(matrix, data, args.depth, args.alpha, minimizer, options, shapes)
        network, initialization = potential(args.depth), l1.initialization(place)
        return gradient_flow(matrix, minimizer, network, args.alpha, options, initialization)
    except FlowError as failure:
        return f"{NOT_FOLLOWED}: {failure}"


if __name__ == "__main__":
    run(main)
