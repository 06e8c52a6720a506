"""Frames of instances and of certificates, from which tests make tables."""

import numpy as np
import pandas as pd

from implicit_l1.status import CERTIFIED, PROVED, SELECTED, UNIQUE_IN_FLOATS
from pipeline.tidy import with_cell
from tables.making import make_table

CELL = {"ensemble": "gaussian", "N": 20, "d": 60, "s": 2, "eta": 0.1, "m": None}
CELL |= {"family_rho": None}


def data(count=3, status=(), depth=2, path="near", repetitions=None, **columns):
    """Rows of instances; every float in them is 0.777, which no proved column may show."""
    status = dict(status)
    names = ["fitted_rate", "fitted_rate_low", "fitted_rate_high", "onset_log10_alpha", "rho_upper"]
    names += ["rho_lower", "rho_tilde_lower", "rho_tilde_upper", "kappa", "log10_prediction"]
    names += ["log10_error_1", "four_digits_log10_alpha", "log10_competitor"]
    names += ["log10_correction", "last_slope"]
    frame = pd.DataFrame(dict.fromkeys(names, 0.777), index=range(count))
    frame["repetition"] = range(count)
    frame["repetitions"] = repetitions or count
    frame["status"] = [status.get(r, CERTIFIED) for r in range(count)]
    frame["support_size"] = 2
    frame["product"], frame["noiseless_support"] = False, 0
    frame["rho_tilde_method"] = "branch and bound"
    frame["asymptotics_status"] = "known"
    frame["scales"], frame["onset_tolerance"] = 20, 0.05
    frame["window_smallest"], frame["window_largest"] = 1e-12, 1e-8
    for name, values in columns.items():
        frame[name] = values
    return in_cell(frame, depth, path)


def in_cell(frame, depth, path):
    cell = CELL | {"depth": depth, "path": path}
    return with_cell(cell, frame)


def proofs(quantity, values, scale=np.nan, depth=None, path=None):
    """Rows of certificates: each value a number, (lower, upper), or the reason why there is none.

    Args:
        values: repetition -> value, or a list of them.
    """
    values = values if isinstance(values, dict) else dict(enumerate(values))
    rows = []
    for repetition, value in values.items():
        is_proved = not (isinstance(value, str) and any(map(str.isalpha, value)))
        ends = value if isinstance(value, tuple) else (value, value)
        rows.append(
            {
                "repetition": repetition,
                "quantity": quantity,
                "log10_alpha": scale,
                "lower": str(ends[0]) if is_proved else "",
                "upper": str(ends[1]) if is_proved else "",
                "status": PROVED if is_proved else f"not proved: {value}",
            }
        )
    return in_cell(pd.DataFrame(rows), depth, path)


def of_constants(rho, margin=(0.5, 0.5, 0.5)):
    """What is proved of the problems."""
    parts = [proofs("margin", margin), proofs("rho", rho)]
    parts += [proofs(f"rho_tilde_{side}", [0.8, 0.9, 1.25]) for side in ("lower", "upper")]
    parts += [proofs("kappa", [2, 4, 3])]
    return pd.concat(parts, ignore_index=True)


def made(name, *frames, certificates=None):
    """A table of some frames; certificates None where nothing was to be proved."""
    proofs = None if certificates is None else pd.concat(certificates, ignore_index=True)
    return make_table(name, pd.concat(frames, ignore_index=True), proofs)


def only(table):
    assert len(table) == 1
    return table.iloc[0]


def of_limits(depth=2, path="near", margin=(0.5,) * 3, rate=None, **quantities):
    """What is proved of limit points: quantity -> scale -> values."""
    parts = [proofs("margin", margin, depth=depth, path=path)]
    parts += [proofs("rate", rate or ["not known"] * len(margin), depth=depth, path=path)]
    for quantity, scales in quantities.items():
        for scale, values in scales.items():
            parts.append(proofs(quantity, values, scale, depth, path))
    return pd.concat(parts, ignore_index=True)


# of errors and bounds, as stage bound_certificates calls them
QUOTIENTS = [
    f"{what}_{size}"
    for refined in ("", "refined_")
    for what in (f"error_over_{refined}upper", f"{refined}lower_over_error")
    for size in ("off", "1")
]


def of_trajectories(disagreement, margin=(0.5, 0.5, 0.5), alpha=1e-4, depth=2):
    """What is proved of trajectories at a scale."""
    parts = [proofs("margin", margin, depth=depth, path="near")]
    parts += [proofs("disagreement", disagreement, np.log10(alpha), depth, "near")]
    return pd.concat(parts, ignore_index=True).assign(alpha=alpha, time=1e3)


def orders_data(count, **columns):
    frame = data(count, **columns)
    return frame.assign(order_lower=0.777, order_upper=0.777).drop(columns=["depth", "path"])


SIDES = [
    f"log10_{name}_{side}"
    for name in ("error_off", "error_1", "refined_off", "refined_1")
    for side in ("upper", "lower")
]


def of_any_table(name, status):
    """Rows with the columns of every table, of three instances with these statuses.

    For the table of this name, so that it has one row.
    """
    known = [word in (CERTIFIED, SELECTED, UNIQUE_IN_FLOATS) for word in status]
    numbers = ["disagreement", "steps", "newton_steps", "local_slope", "estimation_error"]
    numbers += ["iterations", "relative_loss", "relative_step_distance", "relative_distance"]
    numbers += ["order_lower", "order_upper"]
    columns = dict.fromkeys(numbers, np.where(known, 0.777, np.nan))
    columns |= dict.fromkeys(["log10_error_off", *SIDES, "predicted_rate"], 0.777)
    columns |= {
        "held_out_error": np.nan,
        "alpha": 1e-4,
        "form": "dual",
        "fraction": 0.5,
        "outcome": "converged",
    }
    columns |= {"log10_alpha": -4.0, "smallest_log10_alpha": -4.0, "rate": 1.0}
    depths = (2, 3) if name == "deeper" else (2,)
    frames = [data(3, dict(enumerate(status)), depth, **columns) for depth in depths]
    return pd.concat(frames, ignore_index=True)


def certificates_of_any_table():
    """What is proved of those instances, no two quantities alike."""
    slopes = {-4.0: [0.91234567891, 0.95, 0.987654321]}
    ratios = {-4.0: [1.0123456789, 1.1, 1.2]}
    return [
        of_constants([0.123456789012, ("0.2345", "0.2346"), 0.5], margin=[0.25, 0.375, 0.75]),
        of_limits(
            error_1={-4.0: [1.23456789e-9, "3.4e-5", 2e-5]},
            local_slope=slopes,
            estimation_error={-4.0: [0.3456789, 0.45678912, 0.5678912]},
            error_over_prediction=ratios,
            **{
                name: {-4.0: [0.0123456789 * place, 0.0234567891 * place, 0]}
                for place, name in enumerate(QUOTIENTS, start=1)
            },
        ),
        of_limits(3, estimation_error={-4.0: [0.0345678, 0.0456789, 0.0678912]}),
        proofs("constant", [12.3456789, 345678.9, 0.25], depth=2, path="near"),
        proofs("rho_planted", [0.5, 0.7654321, 1.5]),
        of_trajectories([("1e-20", "2.34e-9"), 3e-9, 1e-9]),
    ]
