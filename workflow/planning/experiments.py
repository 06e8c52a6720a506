"""What an experiment's block of the configuration says: its kinds, axes, scales and tables."""

import math
from typing import Any

from figures.registry import FILE, KERNEL, KINDS, NONE
from tables.registry import LIMITS, PROBLEMS, TABLES

# tables of floating point alone, for cells of which nothing is proved
UNPROVED = [name for name, kind in TABLES.items() if kind.proofs not in (PROBLEMS, LIMITS)]
# parameters of the ensemble "file": paths of A (with y and x_0 where the format holds them),
# of y and of x_0
OWN_DATA = ("path", "data", "signal")
# what the problem is called, if not by the names of these
LABEL = "label"
# and whether y is a product A x, rounded
NOISELESS = "noiseless"
# so many rows, drawn for each repetition, are no part of the problem: what is found predicts them
HELD_OUT = "held_out"


def as_list(value: Any) -> list:
    """The values of an axis, which is a scalar or a list."""
    return list(value) if isinstance(value, list) else [value]


def figures(experiment: dict) -> list[str]:
    """The kinds of figures of an experiment."""
    return as_list(experiment["figure"])


def figure_names(name: str, experiment: dict) -> dict[str, str]:
    """Name of a figure -> its kind, of an experiment."""
    kinds = experiment["figure"]
    return {name: kinds} if isinstance(kinds, str) else {f"{name}_{kind}": kind for kind in kinds}


def has_scales(experiment: dict) -> bool:
    """Whether an experiment asks for cells; else for problems only."""
    return all(KINDS[kind].alpha != NONE for kind in figures(experiment))


def ensemble_of(entry: str | dict) -> tuple[str, dict]:
    """(name, parameters given) of an entry of key ensemble."""
    if isinstance(entry, str):
        return entry, {}
    return entry["name"], {key: value for key, value in entry.items() if key != "name"}


def axes_of(experiment: dict) -> tuple[str, ...]:
    """The numerical axes of an experiment's ensembles."""
    name, _ = ensemble_of(as_list(experiment["ensemble"])[0])
    return {KERNEL: ("m", "rho"), FILE: ()}.get(name, ("N", "d", "s", "eta"))


def fed(experiment: dict) -> list[str]:
    """The tables that an experiment's cells fill."""
    tables = [table for kind in figures(experiment) for table in KINDS[kind].feeds]
    # flows can be asked for beside a path of limit points
    return list(dict.fromkeys([*tables, *(["agreement"] if experiment.get("flow_alpha") else [])]))


def feeding(table: str) -> list[str]:
    """The kinds of figures whose cells fill a kind of table."""
    return [name for name, kind in KINDS.items() if table in kind.feeds]


def alpha_path(smallest: float, largest: float, per_decade: int) -> list[float]:
    """The scales of a log-spaced path, increasing, both ends included.

    The spacing is the one nearest to ``per_decade`` points for each factor of ten that
    meets both ends.
    """
    low, high = math.log10(smallest), math.log10(largest)
    steps = max(1, round(per_decade * (high - low)))
    # 12 digits keep powers of ten exact, as they would be written by hand
    inner = [float(f"{10 ** (low + (high - low) * k / steps):.12g}") for k in range(1, steps)]
    return [float(smallest), *inner, float(largest)]


def decades_path(decades: float, per_tenfold: int) -> list[float]:
    """log10 of the scales of a path whose log(1/alpha) is log-spaced, increasing, both ends in.

    From alpha = 10^-decades to 1/10, then 1.
    """
    count = math.ceil(per_tenfold * math.log10(decades) - 1e-9)
    # four digits name a point well enough
    inner = {float(f"{10 ** (k / per_tenfold):.4g}") for k in range(count)}
    return sorted({-float(decades), *(-value for value in inner), 0.0})


def rows_of(experiment: dict, columns: int) -> list[int]:
    """The numbers N of rows of an experiment without scales, for one number d of columns."""
    if "delta" in experiment:
        return [min(max(1, round(experiment["delta"] * columns)), columns - 1)]
    return as_list(experiment["N"])


def sparsities(values: Any, rows: int) -> tuple[int, ...]:
    """The numbers s of nonzero entries of an experiment without scales, for one number of rows."""
    return tuple(sorted({max(1, round(value * rows)) for value in as_list(values)}))
