"""Stage bounds: upper and lower bounds on the error at every scale, and where it lies in them.

A point outside its bounds ends the program with an error.
"""

import argparse
import json

from command_line import Failure, cell_of, repetition, run

import numpy as np

from implicit_l1.bounds import classical_log_upper, error_bounds
from implicit_l1.potentials import potential
from implicit_l1.status import CERTIFIED
from implicit_l1.storage import read_arrays, write_table
from implicit_l1.support import Certificate, support_geometry
from tidy import stacked, with_cell

# What rounding may do to a logarithm, relative to 1 + its size: the bounds are attained
# exactly by some examples.
ROUNDING = 1e-10

# columns of the table, in order
ENDS = [(norm, refined) for norm in ("1", "off") for refined in ("", "refined_")]
COLUMNS = [
    *("log10_alpha", "rho_alpha", "log10_error_1", "log10_error_off"),
    *(
        f"log10_{name}_{end}"
        for name in ("error_1", "error_off", "refined_1", "refined_off")
        for end in ("upper", "lower", "lower_prior")
    ),
    *(f"log10_{refined}upper_over_error_{norm}" for norm, refined in ENDS),
    *(f"log10_error_over_{refined}lower_{norm}" for norm, refined in ENDS),
]
CLASSICAL = ["log10_classical_upper"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for stage in ("problems", "l1", "null-space", "limit"):
        parser.add_argument(f"--{stage}", required=True, help=f"the block's .npz of stage {stage}")
    parser.add_argument("--output", required=True, help="the Parquet file to write")
    parser.add_argument("--cell", type=json.loads, required=True, help="its parameters, as JSON")
    parser.add_argument("--depth", type=float, required=True, help="depth D >= 2, any real number")
    args = parser.parse_args()

    block, l1, null_space, limit = (
        read_arrays(path) for path in (args.problems, args.l1, args.null_space, args.limit)
    )
    tables = []
    for place, index in enumerate(block["repetition"]):
        if l1["status"][place] != CERTIFIED:
            columns = dict.fromkeys(COLUMNS + (CLASSICAL if args.depth == 2 else []), np.nan)
            columns["log10_alpha"] = limit["log_alpha"] / np.log(10.0)
        else:
            with repetition(args.output, index):
                columns = bounds(
                    block["matrix"][place],
                    l1,
                    null_space["rho_tilde_upper"][place],
                    limit,
                    place,
                    args.depth,
                )
            check(columns, args.output, index)
        head = {"repetition": index, "status": l1["status"][place]}
        tables.append(with_cell(args.cell, head | columns))
    write_table(args.output, stacked(tables))


def bounds(matrix, l1, rho_tilde, limit, place, depth):
    """Columns of the table for one instance: decimal logarithms of errors and bounds."""
    minimizer = l1["point"][place]
    geometry = support_geometry(matrix, np.flatnonzero(minimizer))
    certificate = Certificate(l1["nu"][place], l1["direction"][place], l1["margins"][place])
    log_alpha, log_unit = limit["log_alpha"], limit["log_unit"][place]
    unit_error = limit["error"][place]
    result = error_bounds(
        geometry,
        minimizer,
        certificate,
        potential(depth),
        log_alpha,
        np.exp(log_unit)[:, None] * unit_error,
        rho_tilde,
    )
    off = np.abs(unit_error[:, geometry.complement]).sum(axis=1)
    with np.errstate(divide="ignore"):
        logs = {"error_1": limit["log_error_1"][place], "error_off": log_unit + np.log(off)}
    for name, band in (
        ("error_1", result.total),
        ("error_off", result.off),
        ("refined_1", result.total_refined),
        ("refined_off", result.off_refined),
    ):
        logs |= {
            f"{name}_upper": band.log_upper,
            f"{name}_lower": band.log_lower,
            f"{name}_lower_prior": band.log_lower_prior,
        }
    if depth == 2:
        logs["classical_upper"] = classical_log_upper(
            minimizer, l1["margin"][place], rho_tilde, log_alpha
        )
    for norm, refined in ENDS:
        prefix, error = refined.removesuffix("_") or "error", logs[f"error_{norm}"]
        with np.errstate(invalid="ignore"):  # where the error is 0
            logs |= {
                f"{refined}upper_over_error_{norm}": logs[f"{prefix}_{norm}_upper"] - error,
                f"error_over_{refined}lower_{norm}": error - logs[f"{prefix}_{norm}_lower"],
            }
    columns = {f"log10_{name}": values / np.log(10.0) for name, values in logs.items()}
    columns |= {"log10_alpha": log_alpha / np.log(10.0), "rho_alpha": result.rho_alpha}
    return {name: columns[name] for name in COLUMNS + (CLASSICAL if depth == 2 else [])}


def check(columns, output, index):
    """Fail unless every error lies between its bounds."""
    for bound, values in columns.items():
        if not bound.endswith(("_upper", "_lower", "_lower_prior")):
            continue
        norm = "error_off" if "_off_" in bound else "error_1"
        error = columns[f"log10_{norm}"]
        excess = error - values if bound.endswith("_upper") else values - error
        with np.errstate(invalid="ignore"):
            outside = excess > ROUNDING * (1.0 + np.abs(error))
        if np.any(outside):
            worst = int(np.nanargmax(np.where(outside, excess, -np.inf)))
            raise Failure(
                f"{cell_of(output)}, repetition {index}: at log10(alpha) = "
                f"{columns['log10_alpha'][worst]:.6g} the error 10^{error[worst]:.6g} lies outside "
                f"its bound {bound.removeprefix('log10_')}, 10^{values[worst]:.6g}"
            )


if __name__ == "__main__":
    run(main)
