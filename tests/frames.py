"""Tables as the stages write them, of errors C alpha^rate, for the tests of what reads them.

They have the columns of workflow/schemas, which a test checks.
"""

import itertools

import numpy as np
import pandas as pd
import yaml

from implicit_l1.status import (
    AT_MINIMIZER,
    CERTIFIED,
    CONVERGED,
    NOT_RUN,
    PROVED,
    SELECTED,
    UNDECIDED,
    UNIQUE_IN_FLOATS,
)
from pipeline.tidy import with_cell
from workflow_runs import ROOT

UNDECIDED_WHY = f"{UNDECIDED}: the exact pivots took longer than 10 s"

NONE = dict.fromkeys(("N", "d", "s", "eta", "m", "family_rho"))
LOG10_ALPHA = np.arange(-12.0, 0.1, 0.5)


def cell(ensemble="gaussian", depth=2, **axes):
    return {**NONE, "ensemble": ensemble, "depth": depth, **axes}


def random(eta=(0.0, 0.1), s=(2,), depth=(2,), ensemble=("gaussian",)):
    axes = itertools.product(ensemble, s, eta, depth)
    return [cell(law, D, N=5, d=10, s=k, eta=level) for law, k, level, D in axes]


def family(m=(3,), rho=(0.0, 0.5), depth=(2, 3)):
    axes = itertools.product(m, rho, depth)
    return [cell("one_dimensional_kernel", D, m=k, family_rho=r) for k, r, D in axes]


def files(*names, depth=(2,)):
    return [cell(name, D) for name, D in itertools.product(names, depth)]


SHOWN = {CERTIFIED, SELECTED, UNIQUE_IN_FLOATS}


def rate_of(values):
    return 1 - rho_of(values) if values["depth"] == 2 else 1.0


def rho_of(values):
    known = values["family_rho"]
    return known if known is not None else 0.6 if values["eta"] else 0.4


def is_zero(values, zero):
    """At rho = 0 the errors of the family are 0."""
    return zero or values["family_rho"] == 0


def of_cell(values, columns):
    return with_cell(values, pd.DataFrame(columns))


def instances(values, statuses, signal=True, zero=False):
    """The table of stage rates."""
    known = np.array([status in SHOWN for status in statuses])
    rate = np.where(known, rate_of(values), np.nan)
    fitted = np.full(len(statuses), np.nan) if is_zero(values, zero) else rate * 0.99
    floats = dict.fromkeys(
        [
            *("margin", "kappa", "duality_gap", "rho_lower", "rho_upper", "rho_tilde_lower"),
            *("rho_tilde_upper", "log10_constant", "fitted_rate_low", "fitted_rate_high"),
            *("last_slope", "four_digits_log10_alpha", "log10_competitor"),
            *("interpolator_estimation_error", "relative_residual", "error_bound"),
            "log10_correction",
        ],
        0.5,
    )
    columns = floats | {
        "product": False,
        "noiseless_support": 0,
        "path": "alpha1e-12to1by2",
        "repetitions": len(statuses),
        "repetition": np.arange(len(statuses)),
        "status": statuses,
        "support_size": 2,
        "rho_tilde_method": "branch and bound",
        "predicted_rate": rate,
        "asymptotics_status": "known",
        "fitted_rate": fitted,
        "window_smallest": 1e-12,
        "window_largest": 1e-8,
        "onset_tolerance": 0.05,
        "onset_log10_alpha": np.where(known, -5.0, np.nan),
        "scales": 25,
        "smallest_log10_alpha": -12.0,
        "l1_estimation_error": 0.0 if signal else np.nan,
        "newton_steps": 20,
    }
    return of_cell(values, columns)


def curves(values, statuses, signal=True, zero=False, log10_alpha=LOG10_ALPHA):
    """The table of stage rates; its statistics are absent where there is nothing to measure."""
    alpha, error = 10.0**log10_alpha, 10.0 ** (rate_of(values) * log10_alpha)
    error = np.zeros_like(error) if is_zero(values, zero) else error
    quantities = {
        "error_1": error,
        "error_2": error,
        "error_inf": error,
        "excess_l1": error,
        "excess_l2": np.exp(-3 * alpha),
        "slope": np.full(alpha.size - 1, rate_of(values) if error.any() else np.nan),
        "estimation_error": 0.1 + error if signal else np.full(alpha.size, np.nan),
        "l1_estimation_error": np.full(alpha.size, 0.1 if signal else np.nan),
        "interpolator_estimation_error": np.full(alpha.size, 0.9 if signal else np.nan),
    }
    if error.any():
        quantities["error_over_prediction"] = 1 + alpha**0.5
    frames = []
    for quantity, value in quantities.items():
        columns = {
            "path": "alpha1e-12to1by2",
            "quantity": quantity,
            "log10_alpha": log10_alpha[: value.size],
            "count": sum(status in SHOWN for status in statuses),
        }
        if columns["count"]:
            spread = {"lower_quartile": 0.9, "median": 1, "upper_quartile": 1.1}
            spread |= {"low": 0.95, "high": 1.05}
            columns |= {name: factor * value for name, factor in spread.items()}
        frames.append(of_cell(values, columns))
    return pd.concat(frames, ignore_index=True)


def far_curves(values, statuses, signal=True, zero=False):
    return curves(values, statuses, signal, zero, -np.geomspace(300, 1, 20))


def points(values, statuses, signal=True, zero=False):
    """The table of stage rates, a row an instance and scale."""
    error = -np.inf if is_zero(values, zero) else rate_of(values) * LOG10_ALPHA
    frames = [
        of_cell(
            values,
            {
                "path": "alpha1e-12to1by2",
                "repetitions": len(statuses),
                "repetition": repetition,
                "status": status,
                "log10_alpha": LOG10_ALPHA,
                "log10_error_1": error if status in SHOWN else np.nan,
                "estimation_error": np.sqrt(10**LOG10_ALPHA) if signal else np.nan,
                "held_out_error": np.nan,
                "local_slope": rate_of(values),
                "log10_prediction": error if status == CERTIFIED else np.nan,
                "rate": rate_of(values),
                "newton_steps": 4,
                "relative_residual": 1e-15,
                "error_bound": 1e-13,
            },
        )
        for repetition, status in enumerate(statuses)
    ]
    return pd.concat(frames, ignore_index=True)


def bounds(values, statuses, signal=True, zero=False, log10_alpha=LOG10_ALPHA):
    """The table of stage bounds; nothing is known without a proof."""
    names = list(schema("bounds")["properties"])
    names = [name for name in names if name.startswith("log10_") and name != "log10_alpha"]
    if values["depth"] != 2:
        names.remove("log10_classical_upper")
    frames = []
    for repetition, status in enumerate(statuses):
        error = np.full(log10_alpha.size, -np.inf) if is_zero(values, zero) else log10_alpha
        error = error if status == CERTIFIED else np.full(log10_alpha.size, np.nan)
        columns = {
            name: error + (1 if "upper" in name else -1 if "lower" in name else 0) for name in names
        }
        known = np.where(np.isnan(error), np.nan, 0.5)
        columns |= {name: known for name in names if "_over_" in name}
        head = {"repetition": repetition, "status": status, "log10_alpha": log10_alpha}
        frames.append(of_cell(values, {**head, "rho_alpha": 0.5, **columns}))
    return pd.concat(frames, ignore_index=True)


def far_bounds(values, statuses, signal=True, zero=False):
    return bounds(values, statuses, signal, zero, -np.geomspace(300, 1, 20))


def trajectories(values, statuses, signal=True, zero=False):
    """The table of stage flow: of what an error is measured from, one a scale."""
    time = np.geomspace(1e-3, 1e6, 40)
    shown = [(place, status) for place, status in enumerate(statuses) if status in SHOWN]
    series = [("loss", -1), ("error_1", -1), ("norm_1", -1), ("x_on", 0), ("x_off", 1)]
    frames = [
        of_cell(
            {**values, "alpha": alpha},
            {
                "repetition": repetition,
                "quantity": quantity,
                "coordinate": place,
                "time": time,
                "value": np.exp(-time) + alpha,
                "status": status,
            },
        )
        for alpha in (1e-4, 1e-2)
        for repetition, status in shown
        for quantity, place in series
    ]
    if not frames:
        names = ("repetition", "quantity", "coordinate", "time", "value", "status")
        return of_cell({**values, "alpha": 1e-2}, {name: [] for name in names})
    return pd.concat(frames, ignore_index=True)


def agreement(values, statuses, signal=True, zero=False):
    """The table of stage agreement, of the flow in both forms."""
    known = np.array([status in SHOWN for status in statuses])
    frames = []
    for form, alpha in itertools.product(("dual", "plain"), (1e-4, 1e-2)):
        error = 0.0 if is_zero(values, zero) else alpha ** rate_of(values)
        numbers = {"error_1": error, "limit_error_1": error, "disagreement": 1e-11}
        numbers |= {"claimed": 1e-10, "escaped": 3.0, "escape_scale": 0.25}
        numbers |= {"settled": 2.0 / alpha, "slow_scale": 0.1 / alpha}
        columns = {name: np.where(known, value, np.nan) for name, value in numbers.items()}
        head = {"path": "alpha1e-12to1by2", "form": form, "alpha": alpha, "steps": 50}
        head |= {"repetition": np.arange(len(statuses)), "status": statuses}
        ended = AT_MINIMIZER if is_zero(values, zero) else CONVERGED
        head["outcome"] = np.where(known, ended, NOT_RUN)
        frames.append(of_cell(values, head | columns))
    return pd.concat(frames, ignore_index=True)


def descent(values, statuses, signal=True, zero=False):
    """The table of stage descent; only of what is proved anything is run."""
    frames = []
    for (repetition, status), alpha in itertools.product(enumerate(statuses), (1e-4, 1e-2)):
        run = status == CERTIFIED
        columns = {"repetition": repetition, "status": status, "fraction": [0.5, 0.05]}
        names = ("step", "loss", "relative_loss", "distance", "step_distance", "error_1")
        columns |= dict.fromkeys(names, 0.1 if run else np.nan)
        columns |= {"outcome": "converged" if run else "not run", "iterations": 10 * run}
        columns |= {"relative_distance": [0.3, 0.2] if run else np.nan}
        columns |= {"relative_step_distance": [0.2, 0.1] if run else np.nan}
        frames.append(of_cell({**values, "alpha": alpha}, columns))
    return pd.concat(frames, ignore_index=True)


def phase(values, statuses, signal=True, zero=False):
    """The table of stage phase: three s, of which more are recovered the smaller s is."""
    known = np.array([status != UNDECIDED_WHY for status in statuses])
    frames = []
    for s in (values["s"], values["s"] + 1, values["s"] + 2):
        rho = 0.1 * s + 0.3 * np.arange(len(statuses))
        columns = {
            **{name: values[name] for name in ("ensemble", "N", "d")},
            **{"s": s, "delta": values["N"] / values["d"], "sparsity": s / values["N"]},
            "repetition": np.arange(len(statuses)),
            "status": np.where(known, PROVED, UNDECIDED_WHY),
            "recovered": known & (rho < 1.0),
            "rho_planted": rho,
            "rho_lower": np.where(known, 0.999 * rho, 0.0),
            "rho_upper": np.where(known, 1.001 * rho, np.inf),
        }
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def orders(values, statuses, signal=True, zero=False):
    """The table of stage orders."""
    proved = np.array([status == CERTIFIED for status in statuses])
    columns = {
        **{name: values[name] for name in ("ensemble", "N", "d", "s")},
        **{"delta": values["N"] / values["d"], "sparsity": values["s"] / values["N"]},
        "repetition": np.arange(len(statuses)),
        "status": statuses,
        "recovered": proved,
        "rho_planted": np.where(proved, 0.5, np.inf),
        **dict.fromkeys(("rho_lower", "rho_upper"), np.where(proved, 0.5, np.nan)),
        **dict.fromkeys(("rho_tilde_lower", "rho_tilde_upper"), np.where(proved, 0.8, np.nan)),
        "rho_tilde_method": "branch and bound",
        **dict.fromkeys(("order_lower", "order_upper"), 0.9 if signal else np.nan),
    }
    return pd.DataFrame(columns)


def lasso_paths(values, statuses, signal=True, zero=False):
    """The table of stage lasso_path, which needs no minimizer."""
    mu = 10.0 ** np.linspace(0.2, -3, 30)
    error = np.exp(-((np.log10(mu) + 1) ** 2))
    series = [("average", 0, mu, 1 - mu + error), ("average", 1, mu, error)]
    series += [("lasso", 0, mu, 1 - mu), ("lasso", 1, mu, 0 * mu)]
    series += [("distance", -1, mu, error), ("gap", -1, mu, error**2)]
    series += [("largest_distance", -1, mu[[15]], error[[15]]), ("monotone", -1, [np.nan], [1.0])]
    return pd.concat(
        [
            of_cell(
                {**values, "alpha": alpha},
                {
                    "repetition": 0,
                    "quantity": name,
                    "coordinate": place,
                    "mu": at,
                    "value": value,
                },
            )
            for alpha in (1e-20, 1e-5)
            for name, place, at, value in series
        ],
        ignore_index=True,
    )


def schema(name):
    path = ROOT / f"workflow/schemas/{name}.schema.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))
