"""Implicit l1-regularization in diagonal linear networks: minimizers, constants, limits, proofs.

    import implicit_l1

    implicit_l1.find_minimizer(A, y)                      # the l1 minimizer and its certificate
    implicit_l1.find_null_space_constants(A, y)           # rho and rho~
    implicit_l1.find_limit_points(A, y, 3, alpha=1e-6)    # where gradient flow ends, at D = 3
    implicit_l1.integrate_flow(A, y, 3, alpha=1e-2)       # the gradient flow itself
    implicit_l1.find_first_order(A, y, 2)                 # exponent and constant as alpha -> 0
    implicit_l1.bound_error(A, y, 2, alpha=1e-6)          # upper and lower bounds

and, the same proved, enclose_minimizer, enclose_null_space_constants, enclose_limit_points and
enclose_first_order.  Their docstrings say what they solve, what they take and return, and which
errors they raise.

The names are loaded when they are asked for: programs import modules of this package, which runs
this file, and need not load all the others.
"""

from importlib import import_module

_HOMES = {
    "implicit_l1.interface": [
        *("find_minimizer", "find_null_space_constants", "find_limit_points", "integrate_flow"),
        *("find_first_order", "bound_error", "NullSpaceConstants", "LimitPoints"),
        *("FirstOrderError", "BoundedError"),
    ],
    "implicit_l1.enclosures": [
        *("enclose_minimizer", "enclose_null_space_constants", "enclose_limit_points"),
        *("enclose_first_order", "EnclosedMinimizer", "EnclosedConstants"),
        *("EnclosedLimitPoints", "EnclosedFirstOrder"),
    ],
    "implicit_l1.minimizer.decision": ["Minimizer"],
    "implicit_l1.minimizer.null_space": ["Bracket"],
    "implicit_l1.network.flow": ["FlowOptions", "Trajectory", "FlowError"],
    "implicit_l1.network.limit": ["ConvergenceError"],
    "implicit_l1.network.selected_point": ["SelectionError"],
    "implicit_l1.network.asymptotics": ["BalanceError"],
    "implicit_l1.linear.interior": ["LinearProgramError"],
    "implicit_l1.linear.exact": ["Undecided"],
    "implicit_l1.proof.frame": ["NotProved"],
    "implicit_l1.proof.intervals": ["Interval"],
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    """Load a name of the package when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
