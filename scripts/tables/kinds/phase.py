"""The sparsity of 50 % success beside the weak threshold, by N and d."""

from collections.abc import Collection

import pandas as pd

from implicit_l1.minimizer.enclosed_transition import enclose_half_point, enclose_weak_threshold
from implicit_l1.proof.balls import to_decimals
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.intervals import Interval
from pipeline.half_points import transitions

FITTED = ("half", "half_lower", "half_upper", "threshold")


def phase_table(frame: pd.DataFrame, statuses: Collection[str]) -> pd.DataFrame:
    """Counts of proved decisions, and enclosures of what is fitted to them.

    Undecided signals are left out.
    """
    rows, missing = [], dict.fromkeys(FITTED)
    for one in transitions(frame):
        sizes = {name: one.column[name] for name in ("ensemble", "N", "d")}
        try:
            balls = enclose_half_point(one.found, *one.trials)
            threshold = enclose_weak_threshold(int(sizes["N"]), int(sizes["d"]))
            known = dict(zip(FITTED, map(_interval, (*balls, threshold)), strict=True))
            known["unproved"] = ""
        except NotProved as reason:
            known = missing | {"unproved": str(reason)}
        rows.append(sizes | one.counts | known)
    table = pd.DataFrame(rows).astype(dict.fromkeys(FITTED, object))
    return table.rename(columns={"recovered": "recovered_signals"})


def _interval(ball):
    return None if ball is None else Interval.of(*to_decimals(ball))
