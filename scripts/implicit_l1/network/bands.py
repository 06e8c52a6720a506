"""Bounds on the error beside the error itself, on a logarithmic scale, and whether they hold.

An upper bound of +inf says nothing, and neither does a lower bound of 0, of which the logarithm
is -inf.
"""

import numpy as np

from implicit_l1.minimizer.support import Certificate, support_geometry
from implicit_l1.network.bounds import ErrorBounds, classical_log_upper, error_bounds
from implicit_l1.potentials import potential

# What rounding may do to the logarithm of an error, relative to 1 + its size: the bounds, which
# allow for their own rounding, are attained exactly by some examples.
ROUNDING = 1e-10

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
CLASSICAL = "log10_classical_upper"


def columns_at(depth: float) -> list[str]:
    """Names of the columns at a depth: at D = 2 there is a classical bound, too."""
    return [*COLUMNS, CLASSICAL] if depth == 2 else COLUMNS


def bounds_along_path(
    matrix: np.ndarray,
    minimizer: np.ndarray,
    certificate: Certificate,
    depth: float,
    log_alpha: np.ndarray,
    log_unit: np.ndarray,
    error: np.ndarray,
    rho_tilde: float,
    entry_bound: np.ndarray,
) -> ErrorBounds:
    """Bounds on the errors of one instance as stages have them; arguments as in :func:`bands`."""
    return error_bounds(
        matrix,
        support_geometry(matrix, np.flatnonzero(minimizer)),
        minimizer,
        certificate,
        potential(depth),
        log_alpha,
        np.exp(log_unit)[:, None] * error,
        rho_tilde,
        entry_bound,
    )


def bands(
    matrix: np.ndarray,
    minimizer: np.ndarray,
    certificate: Certificate,
    depth: float,
    log_alpha: np.ndarray,
    log_unit: np.ndarray,
    error: np.ndarray,
    rho_tilde: float,
    entry_bound: np.ndarray,
) -> dict:
    """Errors of one instance and bounds on them, at every scale of a path.

    Args:
        matrix: A, shape (N, d).
        minimizer: g*, shape (d,).
        certificate: of g*, of largest margin.
        depth: D >= 2.
        log_alpha: natural logarithms of the scales, shape (m,).
        log_unit, error: n in units of exp(log_unit), shape (m,) and (m, d).
        rho_tilde: an upper bound of it.
        entry_bound: on the error of any entry of n, relative to ||n||_1, shape (m,).
    Returns:
        :func:`columns_at` -> decimal logarithms (but for rho_alpha), shape (m,).
    """
    place = depth, log_alpha, log_unit, error
    found = bounds_along_path(matrix, minimizer, certificate, *place, rho_tilde, entry_bound)
    support, sizes = np.flatnonzero(minimizer), np.abs(error)
    with np.errstate(divide="ignore"):
        logs = {
            "error_1": log_unit + np.log(sizes.sum(axis=1)),
            "error_off": log_unit + np.log(sizes[:, minimizer == 0].sum(axis=1)),
        }
    for name, band in (
        ("error_1", found.total),
        ("error_off", found.off),
        ("refined_1", found.total_refined),
        ("refined_off", found.off_refined),
    ):
        logs |= {
            f"{name}_upper": band.log_upper,
            f"{name}_lower": band.log_lower,
            f"{name}_lower_prior": band.log_lower_prior,
        }
    if depth == 2:
        margin = certificate.smallest_margin(support)
        logs["classical_upper"] = classical_log_upper(minimizer, margin, rho_tilde, log_alpha)
    for norm, refined in ENDS:
        prefix, size = refined.removesuffix("_") or "error", logs[f"error_{norm}"]
        with np.errstate(invalid="ignore"):  # where the error is 0
            logs |= {
                f"{refined}upper_over_error_{norm}": logs[f"{prefix}_{norm}_upper"] - size,
                f"error_over_{refined}lower_{norm}": size - logs[f"{prefix}_{norm}_lower"],
            }
    columns = {f"log10_{name}": values / np.log(10.0) for name, values in logs.items()}
    columns |= {"log10_alpha": log_alpha / np.log(10.0), "rho_alpha": found.rho_alpha}
    return {name: columns[name] for name in columns_at(depth)}


def contradiction(columns: dict, uncertain: np.ndarray) -> str:
    """What is wrong with errors and bounds, if anything: an empty text, or where and what first.

    Every bound is a number, and the error lies within it.

    Args:
        columns: of :func:`bands`.
        uncertain: bounds on the relative error of the errors, shape (m,).
    """
    for norm in ("error_1", "error_off"):
        error = columns[f"log10_{norm}"]
        true = ~np.isnan(error) & (error < np.inf)
        if not true.all():
            return _told(columns, norm, true, "is no error")
    finite = np.isfinite(columns["rho_alpha"])
    if not finite.all():
        return _told(columns, "rho_alpha", finite, "is not finite")
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
        if not within.all():
            size = f"10^{error[np.flatnonzero(~within)[0]]:.6g}"
            words = f"does not hold for the error {size}"
            return _told(columns, bound.removeprefix("log10_"), within, words)
    return ""


def _told(columns, name, true, words):
    """These words of the first scale at which something is not true."""
    place = np.flatnonzero(~true)[0]
    value = columns[name if name in columns else f"log10_{name}"][place]
    shown = f"10^{value:.6g}" if np.isfinite(value) and name not in columns else f"{value:.6g}"
    scale = columns["log10_alpha"][place]
    return f"log10(alpha) = {scale:.6g}: {name}, {shown}, {words}"
