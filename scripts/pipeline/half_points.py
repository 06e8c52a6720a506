"""What figures and tables share of the phase diagram: counts of signals, sparsities of 50 %."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from implicit_l1.minimizer.threshold import weak_threshold
from implicit_l1.minimizer.transition import HalfPoint, half_point
from implicit_l1.status import PROVED

COLUMN = ["ensemble", "N", "d", "delta"]
COUNTS = ["instances", "undecided", "recovered"]


def recovered_signals(frame: pd.DataFrame) -> pd.DataFrame:
    """How many signals of each N, d and s there are, are undecided, and are recovered.

    Args:
        frame: of stage phase.
    """
    once = frame.drop_duplicates([*COLUMN, "s", "repetition"])
    decided = once["status"] == PROVED
    once = once.assign(
        instances=1, undecided=1 - decided, recovered=(decided & once["recovered"]).astype(int)
    )
    return once.groupby([*COLUMN, "s", "sparsity"], as_index=False)[COUNTS].sum()


@dataclass(frozen=True)
class Transition:
    """The signals of one N and d.

    Attributes:
        column: the values of COLUMN; counts: those of COUNTS.
        trials: (s / N, recovered, decided) of each s, as :func:`half_point` takes them.
        found: the sparsity of 50 % success.
    """

    column: dict
    counts: dict
    trials: tuple[np.ndarray, np.ndarray, np.ndarray]
    found: HalfPoint


def transitions(frame: pd.DataFrame) -> Iterator[Transition]:
    """Of each N and d.  Undecided signals are no trials.

    Args:
        frame: of stage phase.
    """
    for values, cells in recovered_signals(frame).groupby(COLUMN):
        decided = cells["instances"] - cells["undecided"]
        counted = (cells["sparsity"], cells["recovered"], decided)
        sparsity, recovered, trials = (part.to_numpy() for part in counted)
        yield Transition(
            dict(zip(COLUMN, values, strict=True)),
            dict(cells[COUNTS].sum()),
            (sparsity, recovered, trials),
            half_point(sparsity, recovered, trials),
        )


def half_points(frame: pd.DataFrame) -> pd.DataFrame:
    """The sparsity of 50 % success of each N and d, its interval, and the weak threshold.

    Args:
        frame: of stage phase.
    """
    return pd.DataFrame(
        one.column
        | one.counts
        | {"half": one.found.value, "half_lower": one.found.lower, "half_upper": one.found.upper}
        | {"threshold": float(weak_threshold(one.column["delta"]))}
        for one in transitions(frame)
    )
