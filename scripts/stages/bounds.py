"""Stage bounds: upper and lower bounds on the error at every scale, and where it lies in them.

An upper bound of +inf says nothing, and neither does a lower bound of 0, of which the logarithm
is -inf.  A point outside its bounds, or any other number that is not finite, ends the program
with an error.
"""

import argparse
import json

import numpy as np

from implicit_l1.minimizer.support import Certificate, support_geometry
from implicit_l1.network.bounds import classical_log_upper, error_bounds
from implicit_l1.potentials import potential
from implicit_l1.status import CERTIFIED
from pipeline.command_line import Failure, cell_of, repetition, run
from pipeline.storage import read_arrays, write_table
from pipeline.tidy import stacked, with_cell

# What rounding may do to the logarithm of an error, relative to 1 + its size: the bounds, which
# allow for their own rounding, are attained exactly by some examples.
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
            check(columns, limit["error_bound"][place], args.output, index)
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
        matrix,
        geometry,
        minimizer,
        certificate,
        potential(depth),
        log_alpha,
        np.exp(log_unit)[:, None] * unit_error,
        rho_tilde,
        limit["entry_bound"][place],
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


def check(columns, uncertain, output, index):
    """Fail unless every bound says something true: it is a number, and the error lies within it.

    Args:
        columns: of the table.
        uncertain: bounds on the relative error of the errors, shape (m,).
        output, index: file and repetition, for the message.
    """
    for norm in ("error_1", "error_off"):
        error = columns[f"log10_{norm}"]
        demand(~np.isnan(error) & (error < np.inf), "is no error", columns, norm, output, index)
    demand(np.isfinite(columns["rho_alpha"]), "is not finite", columns, "rho_alpha", output, index)
    for bound in columns:
        if not bound.endswith(("_upper", "_lower", "_lower_prior")):
            continue
        norm, values = "error_off" if "_off_" in bound else "error_1", columns[bound]
        error = columns[f"log10_{norm}"]
        with np.errstate(divide="ignore"):
            margin = ROUNDING * (1.0 + np.abs(error)) - np.log1p(-uncertain) / np.log(10.0)
        margin = np.where(np.isfinite(error), margin, 0.0)
        lowest, highest = error - margin, error + margin
        # false for what is not a number
        within = values >= lowest if bound.endswith("_upper") else values <= highest
        size = [f"does not hold for the error 10^{value:.6g}" for value in error]
        demand(within, size, columns, bound.removeprefix("log10_"), output, index)


def demand(true, words, columns, name, output, index):
    """Fail with these words, one for all scales or one each, at the first that is not true."""
    for row in np.flatnonzero(~true):
        value = columns[name if name in columns else f"log10_{name}"][row]
        shown = f"10^{value:.6g}" if np.isfinite(value) and name not in columns else f"{value:.6g}"
        raise Failure(
            f"{cell_of(output)}, repetition {index}, log10(alpha) = "
            f"{columns['log10_alpha'][row]:.6g}: {name}, {shown}, "
            f"{words if isinstance(words, str) else words[row]}"
        )


if __name__ == "__main__":
    run(main)
