"""Null space constants of a support and of an order, over all repetitions."""

import pandas as pd

from implicit_l1.proof.intervals import Interval, median
from tables.enclosures import NO_PROOF, doubled, objects, of_certificates
from tables.statistics import EnclosedCells

KEYS = ["ensemble", "N", "d", "s"]


def orders_table(frame: pd.DataFrame, proofs: pd.DataFrame) -> pd.DataFrame:
    """Medians; of rho and the constant of order s over the certified repetitions, of rho~ over
    those that have bounds."""
    cells = EnclosedCells(frame, KEYS, of_certificates(proofs))
    every = pd.Series(True, index=cells.rows.index)
    planted = cells.enclosures("rho_planted")
    lower, upper = (cells.enclosures(f"rho_tilde_{side}") for side in ("lower", "upper"))
    bracketed = lower.ne(NO_PROOF)
    return cells.table(
        recovered=cells.over("rho_planted", share_below_one, planted, among=every),
        rho_planted=cells.over("rho_planted", median, planted, among=every),
        rho=cells.proved_of(median, "rho"),
        rho_tilde_lower=cells.over("rho_tilde_lower", median, lower, among=bracketed),
        rho_tilde_upper=cells.over("rho_tilde_upper", median, upper, among=bracketed),
        **{
            name: cells.over(name, median, bounds(cells.rows[name]))
            for name in ("order_lower", "order_upper")
        },
    )


def bounds(values: pd.Series) -> pd.Series:
    """Bounds that their stage proves: exact as doubles, missing where none was asked for."""
    return objects((None if pd.isna(one) else doubled(one) for one in values), values.index)


def share_below_one(constants: list[Interval]) -> Interval:
    """Enclosure of the share of constants below 1: of the signals that are recovered."""
    sure = sum(constant.upper < 1 for constant in constants)
    possible = sum(constant.lower < 1 for constant in constants)
    return Interval.of(sure, possible) / len(constants)
