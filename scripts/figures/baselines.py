"""The errors of the two interpolators that do not depend on alpha."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from figures.frames import STATISTICS, Tables, groups, stacked, varying, where
from figures.marks import DASHED, write
from figures.words import EMPTY, NO_ERROR, NO_SIGNAL, number
from implicit_l1.status import MEASURED

ERROR, INTERPOLATOR, MINIMIZER = (
    *("estimation_error", "interpolator_estimation_error", "l1_estimation_error"),
)
SQUARED = "squared_"


def without_distances(instances: pd.DataFrame, curves: pd.DataFrame) -> str:
    """Why a panel shows no distance to x_0."""
    known = curves[curves["quantity"].str.endswith(ERROR)]["median"].notna().any()
    if not instances["status"].isin(MEASURED).any():
        return EMPTY
    return NO_ERROR if known else NO_SIGNAL


def with_baselines(frame: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """A frame of estimation errors, and below it a row for each panel, depth and interpolator."""
    curves = tables.of("curves")
    cells = [*varying(frame, "eta", but=["depth"]), "depth"]
    parts = []
    for values, _ in groups(where(frame, quantity=ERROR), cells):
        for quantity in (INTERPOLATOR, MINIMIZER):
            # the same at every alpha
            row = where(curves, **values, quantity=quantity)[["quantity", *STATISTICS]].head(1)
            if quantity == MINIMIZER:  # the logarithm of an error of exactly 0 has no median
                row = row.fillna(0.0)
            parts.append(row.assign(**values))
    return stacked([frame, *parts], frame.columns)


def squared(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with its errors squared, and named so.  Quantiles of logarithms square with them."""
    names = {name: SQUARED + name for name in (ERROR, INTERPOLATOR, MINIMIZER)}
    result = frame.replace({"quantity": names})
    result.loc[frame["quantity"].isin(names), STATISTICS] **= 2
    return result


def draw_baselines(ax: Axes, rows: pd.DataFrame, prefix: str = "") -> None:
    """Lines across a panel, and words beside them.

    Args:
        rows: of the panel, with those of its errors.
        prefix: SQUARED for errors that are squared.
    """
    errors = where(rows, quantity=prefix + ERROR)
    place: dict[str, Any] = {"coordinates": ("axes fraction", "data")}

    value = where(rows, quantity=prefix + INTERPOLATOR)["median"].iloc[0]
    words = r"minimum-$\ell^2$-norm interpolator"
    ax.axhline(value, color="black", label=words, **DASHED)
    write(ax, 0.01, value, words, va="bottom", **place)

    values = where(rows, quantity=prefix + MINIMIZER)["median"]
    value, words = values.iloc[0], r"$\ell^1$ minimizer $g^{*}$"
    if values.nunique() > 1:  # of several, each depth selects another
        write(ax, 0.99, 0.04, f"{words} differs with $D$", "axes fraction", ha="right")
    elif value > 1e-3 * errors["median"].min():
        ax.axhline(value, color="black", label=words, **DASHED)
        small = errors[errors["log10_alpha"] <= errors["log10_alpha"].median()]
        free = min(value, small["lower_quartile"].min())
        write(ax, 0.01, free, f"{words} (dashed)", va="top", **place)
    else:  # far below the curves
        write(ax, 0.99, 0.04, f"{words}: error ${number(value)}$", "axes fraction", ha="right")
