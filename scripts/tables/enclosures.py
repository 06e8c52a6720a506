"""What is known of the numbers of a table: their enclosures, or the reasons why there are none.

As a long frame: the columns that name a row of the table, ``repetition``, ``quantity``,
``log10_alpha`` (missing where the quantity belongs to no scale) and ``enclosure``, an Interval or
a text.  Where nothing was to be proved, doubles stand in the place of enclosures.
"""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

from implicit_l1.proof.intervals import Interval
from implicit_l1.status import PROVED
from tables.columns import PROBLEM

# where there is no row in the tables of stage certificates, or no number in the data
NO_PROOF, NO_NUMBER = "no proof", "not known"

ONE = Interval.of(1, 1)


def objects(values: Iterable, index: pd.Index | None = None) -> pd.Series:
    """A column of Python's own objects, which pandas keeps as they are."""
    return pd.Series(list(values), index=index, dtype=object)


def is_reason(known: object) -> bool:
    """Whether there is no enclosure, but a text that says why."""
    return isinstance(known, str)


def of_certificates(proofs: pd.DataFrame) -> pd.DataFrame:
    """Enclosures from the tables of stage certificates."""
    rows = zip(proofs["lower"], proofs["upper"], proofs["status"], strict=True)
    enclosures = objects(
        (
            Interval.of(lower, upper) if status == PROVED else status.removeprefix("not proved: ")
            for lower, upper, status in rows
        ),
        proofs.index,
    )
    return proofs.drop(columns=["lower", "upper", "status"]).assign(enclosure=enclosures)


def of_problems(proofs: pd.DataFrame | None) -> pd.DataFrame | None:
    """Enclosures of the constants of problems; None of no certificates."""
    return None if proofs is None else of_certificates(proofs[proofs["depth"].isna()])


def of_limits(proofs: pd.DataFrame | None) -> pd.DataFrame | None:
    """Enclosures at a depth, with the predicted rate of each instance; None of no certificates."""
    if proofs is None:
        return None
    known = of_certificates(proofs)
    keys = [*PROBLEM, "repetition"]
    rho = known.loc[known["quantity"] == "rho", [*keys, "enclosure"]]
    limits = known[known["depth"].notna()]
    rates = limits[limits["quantity"] == "rate"].rename(columns={"enclosure": "rate"})
    rates = rates.merge(rho.drop_duplicates(keys, keep="last"), on=keys, how="left")
    predicted = map(_predicted_rate, rates["depth"], rates["enclosure"], rates["rate"])
    rates = rates.drop(columns="rate")
    rates = rates.assign(quantity="predicted_rate", enclosure=objects(predicted))
    return pd.concat([limits, rates], ignore_index=True)


def _predicted_rate(depth, rho, rate):
    """The exponent of the error: 1 - rho at depth 2, else 1, where rho > 0.

    There the rate is proved even where the constant is not.
    """
    if isinstance(rho, Interval) and rho.lower > 0:
        return ONE - rho if depth == 2 else ONE
    return rate


def doubled(value: float) -> Interval:
    """A double in the place of an enclosure."""
    return Interval.of(value, value)


def in_floats(
    rows: pd.DataFrame,
    columns: Mapping[str, str],
    log10_alpha: pd.Series | float = np.nan,
    meaning: Callable[[float], Interval] = doubled,
    missing: Interval | str = NO_NUMBER,
) -> pd.DataFrame:
    """Numbers of the data in the place of enclosures.

    Args:
        rows: of the data.
        columns: quantity -> name of its column.
        log10_alpha: the scale that they belong to, missing if to none.
        meaning: of a number of these columns; missing: of what is not finite there.
    """
    parts = [
        rows.assign(
            quantity=quantity,
            log10_alpha=log10_alpha,
            enclosure=objects(
                (meaning(value) if np.isfinite(value) else missing for value in rows[name]),
                rows.index,
            ),
        )
        for quantity, name in columns.items()
    ]
    return pd.concat(parts, ignore_index=True)


def power_in_floats(exponent: float) -> Interval:
    """10^exponent to 17 digits, which a double need not hold."""
    whole = math.floor(exponent)
    value = f"{10.0 ** (exponent - whole):.17g}e{whole}"
    return Interval.of(value, value)
