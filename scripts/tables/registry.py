"""The kinds of tables: a new one is an entry here, a file of kinds/ and a caption.

The caption is workflow/report/table_<kind>.rst; which figures' cells fill a table, the figures say.
The plan of the workflow, the schema of the configuration and the audit ask this registry; it
imports nothing that takes long.  What makes a table of each kind is in :mod:`tables.making`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from implicit_l1.status import CERTIFIED, MEASURED

# whose certificates a table reads: of problems alone, of limit points too; where every scale is
# proved, of limit points at all of them, and of bounds on errors; of trajectories
PROBLEMS, LIMITS, ALL_LIMITS = "problems", "limits", "all limits"
BOUNDS, TRAJECTORIES = "bounds", "trajectories"


@dataclass(frozen=True)
class Kind:
    """A kind of table.

    Attributes:
        reads: the tidy tables: "instances" or "points" of stage rates, or another stage's.
        proofs: the certificates that it reads: of PROBLEMS, of LIMITS or ALL_LIMITS too, of BOUNDS,
            or of TRAJECTORIES; None if all its numbers are exact or floating point.
        over: statuses of the repetitions that its numbers are over.
        shared: whether experiments have rows in one table of this kind; if not, each that asks
            for it has a table of its own.
    """

    reads: str
    proofs: str | None = None
    over: Collection[str] = (CERTIFIED,)
    shared: bool = True


TABLES = {
    "cells": Kind("instances", PROBLEMS),
    "rates": Kind("instances", LIMITS),
    "agreement": Kind("agreement", TRAJECTORIES, MEASURED),
    "far": Kind("instances", LIMITS),
    "constants": Kind("points", LIMITS),
    "newton": Kind("points", over=MEASURED),
    "tightness": Kind("bounds", BOUNDS),
    "descent": Kind("descent"),
    "phase": Kind("phase"),
    "orders": Kind("orders", PROBLEMS),
    "deeper": Kind("points", ALL_LIMITS, MEASURED),
    "errors": Kind("points", over=MEASURED, shared=False),
}
