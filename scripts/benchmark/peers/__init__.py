"""What a researcher would use in place of this project's solvers, one module a problem.

A peer states its problem in the words of a general package, or writes the textbook method; it
uses nothing of this project.  What it computes, and how well, is for target benchmark to say.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import cvxpy as cp


@dataclass(frozen=True)
class Peer:
    """A contestant of target benchmark.

    Attributes:
        name: in the tables.
        solve: takes the problem, a dict of plain values and arrays, and returns an array.  It
            raises an exception where the solver itself says that it failed, with its words.
            It is sent to another process, and imports there what need not be installed.
        packages: distributions that it uses.
        settings: those that a reader has to know, in words.
    """

    name: str
    solve: Callable
    packages: tuple[str, ...]
    settings: str


def versions(peer: Peer) -> str:
    """The installed versions of a peer's packages, in one text."""
    found = []
    for package in peer.packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


def solve_program(program: Any, **options: Any) -> None:
    """Solve a problem of cvxpy.

    The tolerances ask for more than the solvers promise: what they call inaccurate is measured.

    Raises:
        ArithmeticError: if they give no solution.
    """
    program.solve(**options)
    if program.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
        raise ArithmeticError(f"the program is {program.status}")
