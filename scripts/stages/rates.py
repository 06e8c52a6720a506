"""Stage rates: local slopes, fitted rates and onsets of a cell, and their statistics."""

import argparse

import numpy as np
import pandas as pd

from implicit_l1.network import rates
from implicit_l1.network.excess import log_excess_l1, log_excess_l2
from implicit_l1.problems.seeds import generator
from implicit_l1.status import CERTIFIED, MEASURED
from pipeline.command_line import add_cell, parameters_of, run
from pipeline.records.asymptotics import FirstOrders
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.record import joined
from pipeline.tidy import with_cell, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for stage in ("l1", "null-space", "limit", "asymptotics"):
        parser.add_argument(
            f"--{stage}", nargs="+", required=True, help="the cell's blocks, in order"
        )
    parser.add_argument("--instances", required=True, help="the Parquet file: one row an instance")
    parser.add_argument("--points", required=True, help="the Parquet file: instances by alpha")
    parser.add_argument("--curves", required=True, help="the Parquet file: statistics by alpha")
    add_cell(parser)
    parser.add_argument(
        "--window", nargs=2, type=float, help="alpha of the fit; without it nothing is fitted"
    )
    parser.add_argument("--onset-tolerance", type=float, required=True, help="relative")
    parser.add_argument("--bootstrap", type=int, required=True, help="number of resamples")
    parser.add_argument("--confidence", type=float, required=True, help="of the interval")
    parser.add_argument("--seed", type=int, required=True, help="root of the resampling")
    args = parser.parse_args()
    args.cell = parameters_of(args)

    paths = zip(args.l1, args.null_space, args.limit, args.asymptotics, strict=True)
    parts = zip(*(read_block(*block) for block in paths), strict=True)
    *records, excesses = (list(blocks) for blocks in parts)
    l1, null_space, limit, asymptotics = (joined(each, args.instances) for each in records)
    excess = {name: np.concatenate([one[name] for one in excesses]) for name in excesses[0]}
    write_table(args.instances, instance_table(l1, null_space, limit, asymptotics, args))
    write_table(args.points, point_table(l1, limit, asymptotics, args))
    write_table(args.curves, curve_table(l1, limit, asymptotics, excess, args))


def read_block(l1: str, null_space: str, limit: str, asymptotics: str) -> tuple:
    """One block of each stage, the error vectors reduced to their excess.

    Over all repetitions of a large cell they have so many entries that memory ends.
    """
    minimizers, points = Minimizers.load(l1), LimitPoints.load(limit)
    error = minimizers.point, points.error, points.log_unit
    dual = minimizers.direction, minimizers.margins
    excess = {
        "excess_l1": log_excess_l1(*error, *dual, *minimizers.norm()),
        "excess_l2": log_excess_l2(*error, minimizers.interpolator),
    }
    return (
        minimizers.without("interpolator"),
        NullSpaceConstants.load(null_space).without("tilde_place", "tilde_pattern", "tilde_nu"),
        points.without("error"),
        FirstOrders.load(asymptotics),
        excess,
    )


def instance_table(
    l1: Minimizers,
    null_space: NullSpaceConstants,
    limit: LimitPoints,
    asymptotics: FirstOrders,
    args: argparse.Namespace,
) -> pd.DataFrame:
    """One row for each instance."""
    log_alpha = limit.log_alpha
    rho = rates.leading_rho(
        l1.status == CERTIFIED,
        null_space.rho_upper,
        *(l1.margin, l1.support_size, *l1.norm()),
    )
    predicted = rates.predicted_rate(args.depth, rho, asymptotics.exponent)
    known = np.isin(l1.status, MEASURED)
    onset, four_digits = (
        np.array(
            [
                rates.onset(log_alpha, error, rate, tolerance(rate)) if certified else np.nan
                for error, rate, certified in zip(limit.log_error_1, predicted, known, strict=True)
            ]
        )
        for tolerance in (lambda rate: args.onset_tolerance * rate, lambda rate: rates.FOUR_DIGITS)
    )
    competitor = np.array(
        [
            rates.largest_competitor(exponent, log_size, log_alpha[-1])
            for exponent, log_size in zip(
                asymptotics.entry_exponent, asymptotics.entry_log_size, strict=True
            )
        ]
    )
    correction = rates.log_correction(
        args.depth,
        rates.log_smallest_entry(l1.point),
        limit.log_error_1[:, -1],
        log_alpha[-1],
        asymptotics.exponent,
    )
    fitted = np.full(known.shape, np.nan)
    if args.window:
        fitted = rates.fitted_rate(log_alpha, limit.log_error_1, np.log(args.window))
    rng = generator(stream="bootstrap", seed=args.seed, quantity="fitted_rate", **args.cell)
    low, high = (
        rates.bootstrap_interval(fitted[known], rng, args.bootstrap, args.confidence)
        if known.any()
        else (np.nan, np.nan)
    )
    of_l1 = ("status", "product", "noiseless_support", "support_size", "margin", "kappa")
    of_rho = ("rho_lower", "rho_upper", "rho_tilde_lower", "rho_tilde_upper", "rho_tilde_method")
    table = pd.DataFrame(
        {
            "repetitions": known.size,
            "repetition": l1.repetition,
            **{name: getattr(l1, name) for name in (*of_l1, "duality_gap")},
            **{name: getattr(null_space, name) for name in of_rho},
            "predicted_rate": predicted,
            "asymptotics_status": asymptotics.status,
            "log10_constant": asymptotics.log_constant / np.log(10.0),
            "fitted_rate": fitted,
            # of the cell's median, the same in all its rows
            "fitted_rate_low": float(low),
            "fitted_rate_high": float(high),
            "last_slope": rates.local_slopes(log_alpha, limit.log_error_1)[1][:, -1],
            "window_smallest": args.window[0] if args.window else np.nan,
            "window_largest": args.window[1] if args.window else np.nan,
            "onset_tolerance": args.onset_tolerance,
            "onset_log10_alpha": onset / np.log(10.0),
            "four_digits_log10_alpha": four_digits / np.log(10.0),
            "log10_competitor": competitor / np.log(10.0),
            "log10_correction": correction / np.log(10.0),
            "scales": log_alpha.size,
            "smallest_log10_alpha": log_alpha[-1] / np.log(10.0),
            "l1_estimation_error": l1.estimation_error,
            "interpolator_estimation_error": l1.interpolator_estimation_error,
            "newton_steps": limit.newton_steps.sum(axis=1),
            "relative_residual": limit.relative_residual.max(axis=1),
            "error_bound": limit.error_bound.max(axis=1),
        }
    )
    return with_cell(args.cell, table)


def point_table(
    l1: Minimizers, limit: LimitPoints, asymptotics: FirstOrders, args: argparse.Namespace
) -> pd.DataFrame:
    """One row for each instance and scale."""
    log_alpha, count = limit.log_alpha, limit.log_alpha.size
    _, slopes = rates.local_slopes(log_alpha, limit.log_error_1)
    slopes = np.column_stack([np.full(len(slopes), np.nan), slopes])
    prediction = rates.log_prediction(log_alpha, asymptotics.log_constant, asymptotics.exponent)
    table = pd.DataFrame(
        {
            "repetitions": l1.repetition.size,
            "repetition": np.repeat(l1.repetition, count),
            "status": np.repeat(l1.status, count),
            "log10_alpha": np.tile(log_alpha, l1.repetition.size) / np.log(10.0),
            "log10_error_1": limit.log_error_1.ravel() / np.log(10.0),
            "estimation_error": limit.estimation_error.ravel(),
            "held_out_error": (
                np.nan if limit.held_out_error is None else limit.held_out_error.ravel()
            ),
            "local_slope": slopes.ravel(),
            "log10_prediction": prediction.ravel() / np.log(10.0),
            "rate": np.repeat(asymptotics.exponent, count),
            "newton_steps": limit.newton_steps.ravel(),
            "relative_residual": limit.relative_residual.ravel(),
            "error_bound": limit.error_bound.ravel(),
        }
    )
    return with_cell(args.cell, table)


def curve_table(
    l1: Minimizers,
    limit: LimitPoints,
    asymptotics: FirstOrders,
    excess: dict[str, np.ndarray],
    args: argparse.Namespace,
) -> pd.DataFrame:
    """One row for each quantity and scale, over the certified repetitions.

    Args:
        excess: name -> logarithms of more quantities, shape (r, m).
    """
    log_alpha, known = limit.log_alpha, np.isin(l1.status, MEASURED)
    midpoints, slopes = rates.local_slopes(log_alpha, limit.log_error_1[known])
    scales = {"slope": midpoints}
    in_logs = {
        f"error_{order}": getattr(limit, f"log_error_{order}")[known] for order in ("1", "2", "inf")
    }
    in_logs |= {name: values[known] for name, values in excess.items()}
    with np.errstate(divide="ignore"):
        in_logs["estimation_error"] = np.log(limit.estimation_error[known])
        # one column: they do not depend on alpha
        in_logs["l1_estimation_error"] = np.log(l1.estimation_error[known, None])
        in_logs["interpolator_estimation_error"] = np.log(
            l1.interpolator_estimation_error[known, None]
        )
        for name, values in (
            ("held_out_error", limit.held_out_error),
            ("l1_held_out_error", l1.held_out_error),
            ("interpolator_held_out_error", l1.interpolator_held_out_error),
        ):
            if values is not None:
                in_logs[name] = np.log(values[known].reshape(known.sum(), -1))
    # over the first-order prediction, where there is one
    first = asymptotics.log_constant, asymptotics.exponent
    ratio = rates.log_over_prediction(limit.log_error_1, log_alpha, *first)[known]
    if np.all(np.isfinite(ratio)):
        in_logs["error_over_prediction"] = ratio
    tables = []
    for quantity, values in {**in_logs, "slope": slopes}.items():
        axis = scales.get(quantity, log_alpha)
        rng = generator(stream="bootstrap", seed=args.seed, quantity=quantity, **args.cell)
        statistics = (
            rates.summary(values, rng, args.bootstrap, args.confidence) if known.any() else {}
        )
        if quantity in in_logs:
            statistics = {name: np.exp(column) for name, column in statistics.items()}
        columns = {
            "quantity": quantity,
            "log10_alpha": axis / np.log(10.0),
            "count": known.sum(),
        }
        columns |= {
            name: np.broadcast_to(values, axis.shape) for name, values in statistics.items()
        }
        tables.append(pd.DataFrame(columns))
    return with_cell(args.cell, pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    run(main)
