"""What makes the table of each kind."""

from collections.abc import Callable

import pandas as pd

from tables.kinds.agreement import agreement_table
from tables.kinds.cells import cells_table
from tables.kinds.constants import constants_table
from tables.kinds.deeper import deeper_table
from tables.kinds.descent import descent_table
from tables.kinds.errors import errors_table
from tables.kinds.far import far_table
from tables.kinds.newton import newton_table
from tables.kinds.orders import orders_table
from tables.kinds.phase import phase_table
from tables.kinds.rates import rates_table
from tables.kinds.tightness import tightness_table
from tables.registry import TABLES

MAKERS: dict[str, Callable[..., pd.DataFrame]] = {
    "agreement": agreement_table,
    "cells": cells_table,
    "constants": constants_table,
    "deeper": deeper_table,
    "descent": descent_table,
    "errors": errors_table,
    "far": far_table,
    "newton": newton_table,
    "orders": orders_table,
    "phase": phase_table,
    "rates": rates_table,
    "tightness": tightness_table,
}


def make_table(name: str, frame: pd.DataFrame, proofs: pd.DataFrame | None) -> pd.DataFrame:
    """A table of a kind, with columns of :mod:`tables.columns`.

    Args:
        name: of the kind.
        frame: the tidy tables that it reads, as one.
        proofs: the certificates, as one; None where nothing was to be proved.
    """
    kind = TABLES[name]
    return MAKERS[name](frame, kind.over if kind.proofs is None else proofs)
