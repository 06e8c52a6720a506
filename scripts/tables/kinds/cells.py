"""Parameters and statistics of the problems."""

from functools import partial

import pandas as pd

from implicit_l1.proof.intervals import maximum, median, minimum
from implicit_l1.status import data_in_words
from tables.columns import PROBLEM
from tables.enclosures import in_floats, of_problems
from tables.statistics import EnclosedCells, of_each

IN_FLOATS = {
    "rho": "rho_upper",
    "rho_tilde_lower": "rho_tilde_lower",
    "rho_tilde_upper": "rho_tilde_upper",
    "kappa": "kappa",
}


def cells_table(frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """Medians over the certified repetitions of each problem."""
    floats = partial(in_floats, columns=IN_FLOATS)
    cells = EnclosedCells(frame, PROBLEM, of_problems(proofs), floats)
    methods = cells.numbers["rho_tilde_method"]
    table = cells.table(
        support_size=cells.numbers["support_size"].median(),
        rho=cells.proved_of(median, "rho"),
        rho_smallest=cells.proved_of(minimum, "rho"),
        rho_largest=cells.proved_of(maximum, "rho"),
        rho_tilde_lower=cells.proved_of(median, "rho_tilde_lower"),
        rho_tilde_upper=cells.proved_of(median, "rho_tilde_upper"),
        rho_tilde_method=of_each(methods, lambda names: ", ".join(sorted(set(names.dropna())))),
        kappa=cells.proved_of(median, "kappa"),
    )
    # a column where there is something to say: drawn data are what is stored
    said = map(data_in_words, cells.rows["product"], cells.rows["noiseless_support"])
    words = of_each(
        cells.by_cell(pd.Series(list(said), dtype=str)),
        lambda group: ", ".join(filter(None, dict.fromkeys(group))),
    )
    return table.assign(data=words) if words.any() else table
