"""The errors of the two interpolators that do not depend on alpha."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from figures.frames import STATISTICS, Tables, groups, stacked, varying, where
from figures.marks import DASHED, DOTTED, write
from figures.words import EMPTY, NO_ERROR, NO_SIGNAL, number
from implicit_l1.status import MEASURED

# of x, as quantities of table curves: its distance to x_0, or how it misses rows that are held out
ERROR, HELD_OUT = "estimation_error", "held_out_error"
# of the two interpolators, before one of these
INTERPOLATOR, MINIMIZER = "interpolator_", "l1_"
NAMES = {
    INTERPOLATOR: r"minimum-$\ell^2$-norm interpolator",
    MINIMIZER: r"$\ell^1$ minimizer $g^{*}$",
}
# where the legend names them
LOOKS = {INTERPOLATOR: DASHED, MINIMIZER: DOTTED}
SQUARED = "squared_"


def error_shown(curves: pd.DataFrame) -> str:
    """The distance to x_0 where it is known, else the error on rows that are held out, if any."""
    known = curves.loc[curves["quantity"] == ERROR, "median"].notna().any()
    return HELD_OUT if not known and (curves["quantity"] == HELD_OUT).any() else ERROR


def without_distances(instances: pd.DataFrame, curves: pd.DataFrame) -> str:
    """Why a panel shows no distance to x_0."""
    errors = curves[curves["quantity"].str.endswith((ERROR, HELD_OUT))]
    known = errors["median"].notna().any()
    if not instances["status"].isin(MEASURED).any():
        return EMPTY
    return NO_ERROR if known else NO_SIGNAL


def with_baselines(frame: pd.DataFrame, tables: Tables, error: str = ERROR) -> pd.DataFrame:
    """A frame of these errors, and below it a row for each panel, depth and interpolator."""
    curves = tables.of("curves")
    cells = [*varying(frame, "eta", but=["depth"]), "depth"]
    parts = []
    for values, _ in groups(where(frame, quantity=error), cells):
        for whose in (INTERPOLATOR, MINIMIZER):
            # the same at every alpha
            named = where(curves, **values, quantity=whose + error)
            row = named[["quantity", *STATISTICS]].head(1)
            if whose == MINIMIZER:  # the logarithm of an error of exactly 0 has no median
                row = row.fillna(0.0)
            parts.append(row.assign(**values))
    return stacked([frame, *parts], frame.columns)


def squared(frame: pd.DataFrame) -> pd.DataFrame:
    """A frame with its errors squared, and named so.  Quantiles of logarithms square with them."""
    names = {whose + ERROR: SQUARED + whose + ERROR for whose in ("", INTERPOLATOR, MINIMIZER)}
    result = frame.replace({"quantity": names})
    result.loc[frame["quantity"].isin(names), STATISTICS] **= 2
    return result


def draw_unnamed_baselines(ax: Axes, rows: pd.DataFrame) -> None:
    """Lines across a panel of errors on held-out rows: anywhere in it, so the legend names them."""
    for whose, look in LOOKS.items():
        # of several minimizers each depth selects another
        for value in where(rows, quantity=whose + HELD_OUT)["median"].unique():
            ax.axhline(value, color="black", **look)


def lines_of_baselines() -> list[Line2D]:
    """Their entries in the legend."""
    return [
        Line2D([], [], color="black", label=NAMES[whose], **look) for whose, look in LOOKS.items()
    ]


def draw_baselines(ax: Axes, rows: pd.DataFrame, prefix: str = "") -> None:
    """Lines across a panel of distances to x_0, and words beside them.

    Args:
        rows: of the panel, with those of its errors.
        prefix: SQUARED for errors that are squared.
    """
    errors = where(rows, quantity=prefix + ERROR)
    place: dict[str, Any] = {"coordinates": ("axes fraction", "data")}

    value = where(rows, quantity=prefix + INTERPOLATOR + ERROR)["median"].iloc[0]
    words = NAMES[INTERPOLATOR]
    ax.axhline(value, color="black", label=words, **DASHED)
    write(ax, 0.01, value, words, va="bottom", **place)

    values = where(rows, quantity=prefix + MINIMIZER + ERROR)["median"]
    value, words = values.iloc[0], NAMES[MINIMIZER]
    if values.nunique() > 1:  # of several, each depth selects another
        write(ax, 0.99, 0.04, f"{words} differs with $D$", "axes fraction", ha="right")
    elif value > 1e-3 * errors["median"].min():
        ax.axhline(value, color="black", label=words, **DASHED)
        small = errors[errors["log10_alpha"] <= errors["log10_alpha"].median()]
        free = min(value, small["lower_quartile"].min())
        write(ax, 0.01, free, f"{words} (dashed)", va="top", **place)
    else:  # far below the curves
        write(ax, 0.99, 0.04, f"{words}: error ${number(value)}$", "axes fraction", ha="right")
