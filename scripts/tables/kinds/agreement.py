"""Flow and plain flow against the limit: ||difference||_1 / ||n||_1, largest of a cell."""

import pandas as pd

from implicit_l1.proof.intervals import Interval, rounded_above
from implicit_l1.status import CONVERGED, MEASURED
from tables.columns import NETWORK
from tables.enclosures import NO_PROOF, is_reason, of_certificates
from tables.statistics import Cells, counted, of_each

# in place of an enclosure, of a repetition that statistics are not over
LEFT_OUT = object()
KEYS = [*NETWORK, "alpha", "form"]


def agreement_table(frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """Statistics over the flows that converged, and what is proved of all with a minimizer.

    Where some did not converge, there is a column of how they ended.
    """
    cells = Cells(frame, KEYS, MEASURED)
    columns = {} if proofs is None else {"proved_disagreement": _proved(cells, proofs)}
    outcomes = cells.rows["outcome"].where(cells.counted)
    cells.counted &= outcomes == CONVERGED
    if not outcomes.dropna().eq(CONVERGED).all():
        columns["outcome"] = of_each(cells.by_cell(outcomes), counted)
    return cells.table(
        disagreement=cells.numbers["disagreement"].max(),
        **columns,
        # another processor can need a step more or less, of a few dozen: one digit says enough
        steps=cells.numbers["steps"].median().map(lambda steps: float(f"{steps:.1g}")),
    )


def _proved(cells, proofs):
    """An upper bound of the largest disagreement of each cell, or why there is none."""
    known = of_certificates(proofs)
    # where the minimizer is not proved there is no row of the disagreement
    unproved = (known["quantity"] == "margin") & known["enclosure"].map(is_reason)
    ends = known[unproved | (known["quantity"] == "disagreement")]
    ends = ends.assign(form="dual")[[*KEYS, "repetition", "enclosure"]]
    known = cells.rows.merge(ends, how="left", on=[*KEYS, "repetition"])["enclosure"]
    return of_each(cells.by_cell(known.where(cells.counted, LEFT_OUT)), _largest)


def _largest(enclosures):
    """Of the enclosures of a cell the largest end, rounded up, and how many there are."""
    found = [one for one in enclosures if isinstance(one, Interval)]
    reasons = [one for one in enclosures if is_reason(one)]
    words = [f"{NO_PROOF} of {len(reasons)}: {reasons[0]}"] if reasons else []
    if found:
        number = rounded_above(max(one.upper for one in found))
        counted = [one for one in enclosures if one is not LEFT_OUT]
        whole = len(found) == len(counted)
        words.insert(0, number if whole else f"{number} ({len(found)} of {len(counted)})")
    return "; ".join(words)
