"""From the tidy tables of the stages to the frames that are plotted: what kinds of figures share.

The frame of a figure is its CSV file.  It has the parameters of the cells that differ, the numbers
that are drawn, under the names that they have in the tables, and the words that go with them:

    instances: how many repetitions of the panel are certified, or ALL_CERTIFIED;
    nothing: why nothing of a cell is drawn; missing where something is;
    not_drawn: how many flows of the figure are not drawn, and why; missing where all are;
    selected: of how many instances the minimizer is one of several; missing where of none.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from figures.words import EMPTY, NO_ERROR, PARAMETERS, counted
from implicit_l1.status import AT_MINIMIZER, CONVERGED, MEASURED, SELECTED
from pipeline.command_line import Failure
from pipeline.tidy import read_table
from pipeline.words import name_in_words

# a column that only this kind of table has; the first two have a quantity too, so they come first
TELLING = {
    "trajectories": "time",
    "lasso_paths": "mu",
    "points": "local_slope",
    "instances": "fitted_rate",
    "curves": "quantity",
    "bounds": "rho_alpha",
    "orders": "order_lower",
    "phase": "rho_planted",
    "descent": "fraction",
    "agreement": "disagreement",
}
# of rows that hold the error of an integrated flow
FLOW_POINTS = "flow_error_1"
STATISTICS = ["lower_quartile", "median", "upper_quartile"]
# what names a row, beside its parameters; written with ten digits, less the zeros at their end
KEYS = [
    *(*PARAMETERS, "alpha", "log10_alpha", "repetition", "coordinate", "fraction", "count"),
    *("inside", "cells_left_out", "selected"),
]
# of the largest number on a linear axis: what is smaller is rounding, and is seen as 0
INVISIBLE = 1e-9


@dataclass(frozen=True)
class Tables:
    """The tables of a figure, one frame for each kind (without columns if there is none)."""

    trajectories: pd.DataFrame
    lasso_paths: pd.DataFrame
    points: pd.DataFrame
    instances: pd.DataFrame
    curves: pd.DataFrame
    bounds: pd.DataFrame
    phase: pd.DataFrame
    orders: pd.DataFrame
    descent: pd.DataFrame
    agreement: pd.DataFrame

    @classmethod
    def read(cls, paths: Iterable) -> "Tables":
        """The tables of these files, with words for the names of their ensembles."""
        frames = {path: read_table(path) for path in paths}
        found: dict[str, list[pd.DataFrame]] = {kind: [] for kind in TELLING}
        for path, frame in frames.items():
            kind = next((kind for kind, column in TELLING.items() if column in frame), None)
            if kind is None:
                raise Failure(f"{path} is not a table of {', '.join(TELLING)}")
            found[kind].append(frame.assign(ensemble=frame["ensemble"].map(name_in_words)))
        return cls(
            **{
                kind: pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
                for kind, frames in found.items()
            }
        )

    def of(self, kind: str) -> pd.DataFrame:
        """The frame of a kind that the figure needs."""
        frame = getattr(self, kind)
        if frame.columns.empty:
            raise Failure(f"--data has no table of {kind}, which this figure needs")
        if kind == "curves":  # cells without certified instances have no statistics
            return frame.reindex(columns=list(dict.fromkeys([*frame.columns, *STATISTICS])))
        return frame

    @property
    def shaped(self) -> bool:
        """Whether some network begins from other shapes than ones."""
        frames = (getattr(self, field.name) for field in fields(self))
        return any(
            "initialization" in frame and frame["initialization"].notna().any() for frame in frames
        )


@dataclass(frozen=True)
class Options:
    """What a figure takes from the configuration.

    Attributes:
        realistic_alpha: the range of scales that is shaded.
        reach: the value of ||x - x_0||_2^2 that is to be reached, if it is given.
    """

    realistic_alpha: tuple[float, float]
    reach: float | None = None


def varying(frame: pd.DataFrame, *always: str, but: Sequence[str] = ()) -> list[str]:
    """The parameters that differ within a frame or are always named, but for some.

    One that no row has, such as the noise level of data of one's own, is not named: there the
    ensemble is, which is the name of the file.
    """
    known = [name for name in PARAMETERS if name in frame and frame[name].notna().any()]
    if always and not set(always).intersection(known):
        always = ("ensemble",)
    return [
        name
        for name in known
        if name not in but and (frame[name].nunique(dropna=False) > 1 or name in always)
    ]


def groups(frame: pd.DataFrame, axes: list[str]) -> list[tuple[dict, pd.DataFrame]]:
    """(values of the axes, rows) in the order of the values; all rows if there are no axes."""
    if not axes:
        return [({}, frame)]
    return [
        (dict(zip(axes, values, strict=True)), rows)
        for values, rows in frame.groupby(axes, dropna=False, sort=True)
    ]


def where(frame: pd.DataFrame, **values: object) -> pd.DataFrame:
    """The rows that have these values."""
    chosen = np.ones(len(frame), dtype=bool)
    for name, value in values.items():
        chosen &= frame[name].isna() if pd.isna(value) else frame[name] == value
    return frame[chosen]


def measured(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of instances with a minimizer to measure the error from."""
    return frame[frame["status"].isin(MEASURED)]


def lacking(instances: pd.DataFrame, curves: pd.DataFrame) -> str:
    """Why nothing is shown of the instances of a panel, which have these rows of table curves."""
    return EMPTY if measured(instances).empty else NO_ERROR


def curves_of(
    tables: Tables,
    axes: list[str],
    quantities: Sequence[str],
    why: Callable[[pd.DataFrame, pd.DataFrame], str] = lacking,
) -> pd.DataFrame:
    """Medians and quartiles along alpha, of each cell and quantity.

    A logarithmic axis, which all quantities but the slope have, has no place for medians of 0:
    they are left out.

    Args:
        axes: the parameters that tell panels apart; within one, cells differ in depth.
        quantities: of table curves.
        why: says of the instances and the curves of a panel why nothing of a cell is drawn.

    Returns:
        columns: the axes, depth, instances, predicted_rate (the median over the instances with a
        minimizer), selected, quantity, log10_alpha, STATISTICS, nothing.
    """
    curves, instances = tables.of("curves"), tables.of("instances")
    parts = []
    for values, panel in groups(instances, axes):
        here = where(curves, **values)
        for depth in sorted(panel["depth"].unique()):
            cell = where(here, depth=depth)
            cell = cell[(cell["median"] > 0) | (cell["quantity"] == "slope")]
            rows = [
                where(cell, quantity=quantity).dropna(subset="median").sort_values("log10_alpha")
                for quantity in quantities
            ]
            if all(found.empty for found in rows):
                rows = [pd.DataFrame({"nothing": [why(panel, here)]})]
            shown = measured(where(panel, depth=depth))
            head = {
                **values,
                "depth": depth,
                "instances": counted(panel),
                "predicted_rate": shown["predicted_rate"].median(),
                "selected": (shown["status"] == SELECTED).sum() or np.nan,
            }
            parts += [found.assign(**head) for found in rows]
    columns = [*axes, "depth", "instances", "predicted_rate", "selected", "quantity"]
    return stacked(parts, [*columns, "log10_alpha", *STATISTICS, "nothing"])


def with_flow_points(frame: pd.DataFrame, tables: Tables, axes: list[str]) -> pd.DataFrame:
    """A frame of curves with the errors of the flows that were integrated, if there are any.

    Their rows have the quantity FLOW_POINTS, a repetition and a value, and no statistics.  Those
    without an end, or with an error of 0, which has no place on a logarithmic axis, are counted.
    """
    flows = tables.agreement
    if flows.empty:
        return frame
    flows = measured(where(flows, form="dual"))
    frame = frame.assign(not_drawn=not_drawn(flows))
    flows = where(flows, outcome=CONVERGED)
    if flows.empty:
        return frame
    keys = list(dict.fromkeys([*axes, "depth"]))
    points = flows.assign(
        quantity=FLOW_POINTS, log10_alpha=np.log10(flows["alpha"]), value=flows["error_1"]
    ).sort_values([*keys, "log10_alpha", "repetition"])
    points = points.merge(frame[[*keys, "instances"]].drop_duplicates(), how="left", on=keys)
    points["not_drawn"] = frame["not_drawn"].iloc[0]
    return stacked([frame, points], [*frame.columns, "repetition", "value"])


def not_drawn(flows: pd.DataFrame) -> str | None:
    """How many of some flows have no error to draw, and why; None if all have one."""
    at_minimizer = (flows["outcome"] == AT_MINIMIZER).sum()
    counts = {
        "without an end": (flows["outcome"] != CONVERGED).sum() - at_minimizer,
        "at $g^{*}$": at_minimizer,
    }
    words = [f"{count} of {len(flows)} {kind}" for kind, count in counts.items() if count]
    return ", ".join(words) or None


def stacked(parts: Iterable[pd.DataFrame], columns: Iterable[str]) -> pd.DataFrame:
    """Frames one below the other, with these columns, each once; missing where there is none."""
    columns = list(dict.fromkeys(columns))
    rows = [row for part in parts for row in part.to_dict("records")]
    return pd.DataFrame(rows, columns=columns)


def first_repetition(rows: pd.DataFrame) -> pd.DataFrame:
    """The first repetition of some rows."""
    return where(rows, repetition=rows["repetition"].min())


def without_rounding(frame: pd.DataFrame) -> pd.DataFrame:
    """Numbers of one linear axis, 0 where they are too small to be seen on it."""
    sizes = frame.abs().to_numpy()
    largest = sizes[np.isfinite(sizes)].max(initial=0.0)
    return frame.mask(frame.abs() <= INVISIBLE * largest, 0.0)


def as_csv(frame: pd.DataFrame) -> str:
    """A frame as CSV: numbers with six digits, names of rows shorter; no column without values."""
    frame = frame.dropna(axis="columns", how="all")
    texts = {name: [_written(value, name in KEYS) for value in frame[name]] for name in frame}
    return pd.DataFrame(texts).to_csv(index=False, lineterminator="\n")


def _written(value, short):
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    if value == 0 or isinstance(value, bool | np.bool_):
        return str(int(value))
    return f"{value:.10g}" if short else f"{value:#.6g}"
