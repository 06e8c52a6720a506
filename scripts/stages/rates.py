"""Stage rates: local slopes, fitted rates and onsets of a cell, and their statistics."""

import argparse
import json

import numpy as np

from implicit_l1.network import rates
from implicit_l1.problems.seeds import generator
from implicit_l1.status import CERTIFIED, MEASURED
from pipeline.command_line import Failure, cell_of, run
from pipeline.storage import read_arrays, write_table
from pipeline.tidy import stacked, with_cell

# half a unit of the fourth digit after the point
FOUR_DIGITS = 5e-5


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for stage in ("l1", "null-space", "limit", "asymptotics"):
        parser.add_argument(
            f"--{stage}", nargs="+", required=True, help="the cell's blocks, in order"
        )
    parser.add_argument("--instances", required=True, help="the Parquet file: one row an instance")
    parser.add_argument("--points", required=True, help="the Parquet file: instances by alpha")
    parser.add_argument("--curves", required=True, help="the Parquet file: statistics by alpha")
    parser.add_argument("--cell", type=json.loads, required=True, help="its parameters, as JSON")
    parser.add_argument(
        "--window", nargs=2, type=float, help="alpha of the fit; without it nothing is fitted"
    )
    parser.add_argument("--onset-tolerance", type=float, required=True, help="relative")
    parser.add_argument("--bootstrap", type=int, required=True, help="number of resamples")
    parser.add_argument("--confidence", type=float, required=True, help="of the interval")
    parser.add_argument("--seed", type=int, required=True, help="root of the resampling")
    args = parser.parse_args()

    stages = ("l1", "null_space", "limit", "asymptotics")
    blocks = [read_block(*paths) for paths in zip(*(getattr(args, s) for s in stages), strict=True)]
    l1, null_space, limit, asymptotics, excess = (
        joined(parts, args.instances) for parts in zip(*blocks, strict=True)
    )
    log_alpha = limit.pop("log_alpha")
    excess.pop("repetition")
    instances = instance_table(l1, null_space, limit, asymptotics, log_alpha, args)
    write_table(args.instances, instances)
    write_table(args.points, point_table(l1, limit, asymptotics, log_alpha, args))
    write_table(args.curves, curve_table(l1, limit, asymptotics, excess, log_alpha, args))


# arrays with so many entries, over all repetitions of a large cell, that memory ends
BIG = ("error", "tilde_place", "tilde_pattern", "tilde_nu", "interpolator")


def read_block(l1, null_space, limit, asymptotics):
    """One block of each stage, the error vectors reduced to their excess."""
    l1, null_space, limit, asymptotics = map(read_arrays, (l1, null_space, limit, asymptotics))
    excess = {
        "repetition": l1["repetition"],
        "excess_l1": log_excess_l1(l1, limit),
        "excess_l2": log_excess_l2(l1, limit, l1["interpolator"]),
    }
    return tuple(
        {name: values for name, values in arrays.items() if name not in BIG}
        for arrays in (l1, null_space, limit, asymptotics, excess)
    )


def joined(blocks, output):
    """The blocks of a stage as one; log_alpha is common to all."""
    result = {
        name: np.concatenate([block[name] for block in blocks])
        for name in blocks[0]
        if name != "log_alpha"
    }
    if not np.array_equal(result["repetition"], np.arange(result["repetition"].size)):
        raise Failure(f"{cell_of(output)}: its blocks are not repetitions 0, 1, 2, ...")
    if "log_alpha" in blocks[0]:
        result["log_alpha"] = blocks[0]["log_alpha"]
    return result


def log_excess_l1(l1, limit):
    """log(||x||_1 / ||g*||_1 - 1) for x = g* + n, however small n is.

    With the dual vector nu of g* and ``d = A^T nu``, which is sign(g*) on S, ``<d, n> = 0`` as
    n is in the kernel of A.  So

        ||g* + n||_1 - ||g*||_1 = sum_{S^c} (|n_i| - d_i n_i) + sum_S 2 max(0, -sigma_i x_i):

    no term is negative, so nothing cancels, where the plain ``<sigma, n_S> + ||n_Sc||_1`` loses
    digits as rho -> 1; the second sum is over the entries whose sign has changed.  (Derived
    for this project.)

    From an initialization of another shape the norm is the one that it leads to,
    ``||x~||_1 - <tilt, x~>`` in the coordinates x~, of which d is the dual vector.

    Args:
        l1: arrays of stage l1 or selection.
        limit: arrays of stage limit; n is its ``error`` in units of exp(log_unit).
    Returns:
        shape (r, m), for r repetitions and m scales; nan where there is no minimizer to measure
        from, -inf where the norms are equal.
    """
    direction, margins = l1["direction"][:, None], l1["margins"][:, None]
    unit = l1.get("unit", np.ones_like(l1["point"]))[:, None]
    tilt = l1.get("tilt", np.zeros_like(l1["point"]))[:, None]
    point, error = l1["point"][:, None] / unit, limit["error"] / unit
    log_unit = limit["log_unit"]
    # 1 - d_i sign(n_i), from the margin 1 - |d_i| where d_i is near the sign
    slack = np.where(direction * error > 0, margins, 2.0 - margins)
    off = np.where(point == 0, np.abs(error) * slack, 0.0).sum(axis=2)
    x = point + np.exp(log_unit)[..., None] * error
    flipped = np.maximum(0.0, -2.0 * np.sign(point) * x).sum(axis=2)
    with np.errstate(divide="ignore"):
        excess = np.logaddexp(log_unit + np.log(off), np.log(flipped))
        return excess - np.log((np.abs(point) - tilt * point).sum(axis=2))


def log_excess_l2(l1, limit, interpolators):
    """log(||x||_2 / ||z||_2 - 1) for x = g* + n and the interpolator z of least Euclidean norm.

    x - z is in the kernel of A and z is orthogonal to it, so with r = ||x - z|| / ||z|| the
    excess is ``sqrt(1 + r^2) - 1 = r^2 / (1 + sqrt(1 + r^2))``, without cancellation: what is
    left is the rounding of x - z, by which an excess e is wrong by some 1e-16 sqrt(e).

    Args:
        l1, limit: as in :func:`log_excess_l1`.
        interpolators: z, shape (r, d).
    Returns:
        shape (r, m).
    """
    error = np.exp(limit["log_unit"])[..., None] * limit["error"]
    offset = (l1["point"] - interpolators)[:, None] + error
    ratio = (offset**2).sum(axis=2) / (interpolators**2).sum(axis=1)[:, None]
    with np.errstate(divide="ignore"):
        return np.log(ratio / (1.0 + np.sqrt(1.0 + ratio)))


def leading_rho(l1, null_space):
    """The rho that decides the rate of each instance, shape (r,).

    That of stage null_space belongs to the l1 norm and its unique minimizer.  Where the norm is
    another one, or the minimizer is one of several, it is 1 less the margin of the dual vector
    that stage selection found, on the largest support S that a minimizer has: along the face
    of minimizers the error follows what is off S linearly.  (Derived for this project.)
    """
    trivial = l1["status"] == CERTIFIED
    if "unit" in l1:
        trivial &= np.all((l1["unit"] == 1) & (l1["tilt"] == 0), axis=1)
    rho = np.where(trivial, null_space["rho_upper"], 1.0 - l1["margin"])
    # nothing off S: what is left at D = 2 is the second order of arsinh, alpha^2
    return np.where(l1["support_size"] == l1["point"].shape[1], -1.0, rho)


def instance_table(l1, null_space, limit, asymptotics, log_alpha, args):
    predicted = rates.predicted_rate(args.cell["depth"], leading_rho(l1, null_space))
    known = np.isin(l1["status"], MEASURED)
    onset, four_digits = (
        np.array(
            [
                rates.onset(log_alpha, error, rate, tolerance(rate)) if certified else np.nan
                for error, rate, certified in zip(
                    limit["log_error_1"], predicted, known, strict=True
                )
            ]
        )
        for tolerance in (lambda rate: args.onset_tolerance * rate, lambda rate: FOUR_DIGITS)
    )
    competitor = np.array(
        [
            rates.largest_competitor(exponent, log_size, log_alpha[-1])
            for exponent, log_size in zip(
                asymptotics["entry_exponent"], asymptotics["entry_log_size"], strict=True
            )
        ]
    )
    sizes = np.abs(l1["point"])
    smallest = np.min(sizes, axis=1, initial=np.inf, where=sizes > 0)
    correction = rates.log_correction(
        args.cell["depth"], np.log(smallest), limit["log_error_1"][:, -1], log_alpha[-1]
    )
    fitted = np.full(known.shape, np.nan)
    if args.window:
        fitted = rates.fitted_rate(log_alpha, limit["log_error_1"], np.log(args.window))
    rng = generator(stream="bootstrap", seed=args.seed, quantity="fitted_rate", **args.cell)
    low, high = (
        rates.bootstrap_interval(fitted[known], rng, args.bootstrap, args.confidence)
        if known.any()
        else (np.nan, np.nan)
    )
    return with_cell(
        args.cell,
        {
            "repetitions": known.size,
            "repetition": l1["repetition"],
            "status": l1["status"],
            "product": l1["product"],
            "noiseless_support": l1["noiseless_support"],
            "support_size": l1["support_size"],
            "margin": l1["margin"],
            "kappa": l1["kappa"],
            "duality_gap": l1["duality_gap"],
            "rho_lower": null_space["rho_lower"],
            "rho_upper": null_space["rho_upper"],
            "rho_tilde_lower": null_space["rho_tilde_lower"],
            "rho_tilde_upper": null_space["rho_tilde_upper"],
            "rho_tilde_method": null_space["rho_tilde_method"],
            "predicted_rate": predicted,
            "asymptotics_status": asymptotics["status"],
            "log10_constant": asymptotics["log_constant"] / np.log(10.0),
            "fitted_rate": fitted,
            # of the cell's median, the same in all its rows
            "fitted_rate_low": low,
            "fitted_rate_high": high,
            "last_slope": rates.local_slopes(log_alpha, limit["log_error_1"])[1][:, -1],
            "window_smallest": args.window[0] if args.window else np.nan,
            "window_largest": args.window[1] if args.window else np.nan,
            "onset_alpha": np.exp(onset),
            "onset_log10_alpha": onset / np.log(10.0),
            "four_digits_log10_alpha": four_digits / np.log(10.0),
            "log10_competitor": competitor / np.log(10.0),
            "log10_correction": correction / np.log(10.0),
            "smallest_log10_alpha": log_alpha[-1] / np.log(10.0),
            "l1_estimation_error": l1["estimation_error"],
            "interpolator_estimation_error": l1["interpolator_estimation_error"],
            "newton_steps": limit["newton_steps"].sum(axis=1),
            "relative_residual": limit["relative_residual"].max(axis=1),
            "error_bound": limit["error_bound"].max(axis=1),
        },
    )


def point_table(l1, limit, asymptotics, log_alpha, args):
    """One row for each instance and scale."""
    count = log_alpha.size
    _, slopes = rates.local_slopes(log_alpha, limit["log_error_1"])
    slopes = np.column_stack([np.full(len(slopes), np.nan), slopes])
    prediction = asymptotics["log_constant"][:, None]
    prediction = prediction + asymptotics["exponent"][:, None] * log_alpha
    return with_cell(
        args.cell,
        {
            "repetitions": l1["repetition"].size,
            "repetition": np.repeat(l1["repetition"], count),
            "status": np.repeat(l1["status"], count),
            "log10_alpha": np.tile(log_alpha, l1["repetition"].size) / np.log(10.0),
            "log10_error_1": limit["log_error_1"].ravel() / np.log(10.0),
            "estimation_error": limit["estimation_error"].ravel(),
            "local_slope": slopes.ravel(),
            "log10_prediction": prediction.ravel() / np.log(10.0),
            "rate": np.repeat(asymptotics["exponent"], count),
            "newton_steps": limit["newton_steps"].ravel(),
            "relative_residual": limit["relative_residual"].ravel(),
            "error_bound": limit["error_bound"].ravel(),
        },
    )


def curve_table(l1, limit, asymptotics, excess, log_alpha, args):
    """One row for each quantity and scale, over the certified repetitions.

    Args:
        excess: name -> logarithms of more quantities, shape (r, m).
    """
    known = np.isin(l1["status"], MEASURED)
    midpoints, slopes = rates.local_slopes(log_alpha, limit["log_error_1"][known])
    scales = {"slope": midpoints}
    in_logs = {f"error_{order}": limit[f"log_error_{order}"][known] for order in ("1", "2", "inf")}
    in_logs |= {name: values[known] for name, values in excess.items()}
    with np.errstate(divide="ignore"):
        in_logs["estimation_error"] = np.log(limit["estimation_error"][known])
        # one column: they do not depend on alpha
        in_logs["l1_estimation_error"] = np.log(l1["estimation_error"][known, None])
        in_logs["interpolator_estimation_error"] = np.log(
            l1["interpolator_estimation_error"][known, None]
        )
    # over the first-order prediction C alpha^exponent, where there is one
    with np.errstate(invalid="ignore"):  # where the error is 0
        ratio = limit["log_error_1"] - asymptotics["log_constant"][:, None]
    ratio -= asymptotics["exponent"][:, None] * log_alpha
    if np.all(np.isfinite(ratio[known])):
        in_logs["error_over_prediction"] = ratio[known]
    tables = []
    for quantity, values in {**in_logs, "slope": slopes}.items():
        axis = scales.get(quantity, log_alpha)
        rng = generator(stream="bootstrap", seed=args.seed, quantity=quantity, **args.cell)
        statistics = (
            rates.summary(values, rng, args.bootstrap, args.confidence) if known.any() else {}
        )
        if quantity in in_logs:
            statistics = {name: np.exp(column) for name, column in statistics.items()}
        statistics = {
            name: np.broadcast_to(column, axis.shape) for name, column in statistics.items()
        }
        tables.append(
            with_cell(
                args.cell,
                {
                    "quantity": quantity,
                    "alpha": np.exp(axis),
                    "log10_alpha": axis / np.log(10.0),
                    "count": known.sum(),
                }
                | statistics,
            )
        )
    return stacked(tables)


if __name__ == "__main__":
    run(main, ("--instances", "--points", "--curves"))
