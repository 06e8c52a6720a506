"""The kinds of tables: a new one is an entry here, a file of kinds/ and a caption.

The caption is workflow/report/table_<kind>.rst; which figures' cells fill a table, the figures say.
The plan of the workflow, the schema of the configuration and the audit ask this registry.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import pandas as pd

from implicit_l1.status import CERTIFIED, MEASURED
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

# whose certificates a table reads: of problems alone, of limit points too; of trajectories
PROBLEMS, LIMITS, TRAJECTORIES = "problems", "limits", "trajectories"


@dataclass(frozen=True)
class Kind:
    """A kind of table.

    Attributes:
        make: (tidy tables that it reads as one frame, certificates as one frame, or None where
            nothing was to be proved) -> the table, columns of :mod:`tables.columns`.
        reads: the tidy tables: "instances" or "points" of stage rates, or another stage's.
        proofs: the certificates that it reads: of PROBLEMS, or of LIMITS too, or of TRAJECTORIES;
            None if all its numbers are exact or floating point.
        over: statuses of the repetitions that its numbers are over.
        shared: whether experiments have rows in one table of this kind; if not, each that asks
            for it has a table of its own.
    """

    make: Callable[[pd.DataFrame, pd.DataFrame | None], pd.DataFrame]
    reads: str
    proofs: str | None = None
    over: Collection[str] = (CERTIFIED,)
    shared: bool = True


def of_floats(
    make: Callable[[pd.DataFrame, Collection[str]], pd.DataFrame],
    reads: str,
    over: Collection[str] = (CERTIFIED,),
    shared: bool = True,
) -> Kind:
    """A kind without proofs, whose numbers are over repetitions with these statuses."""
    return Kind(lambda frame, proofs: make(frame, over), reads, None, over, shared)


TABLES = {
    "cells": Kind(cells_table, "instances", PROBLEMS),
    "rates": Kind(rates_table, "instances", LIMITS),
    "agreement": Kind(agreement_table, "agreement", TRAJECTORIES, MEASURED),
    "far": Kind(far_table, "instances", LIMITS),
    "constants": Kind(constants_table, "points", LIMITS),
    "newton": of_floats(newton_table, "points", MEASURED),
    "tightness": of_floats(tightness_table, "bounds"),
    "descent": of_floats(descent_table, "descent"),
    "phase": of_floats(phase_table, "phase"),
    "orders": Kind(orders_table, "orders", PROBLEMS),
    "deeper": of_floats(deeper_table, "points", MEASURED),
    "errors": of_floats(errors_table, "points", MEASURED, shared=False),
}
