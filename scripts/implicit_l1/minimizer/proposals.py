r"""Candidate solutions of ``min ||x||_1`` subject to ``A x = y``, by several routes.

The problem is stated in cvxpy and handed to a solver of one's choice, or solved by the
interior-point method of :mod:`implicit_l1.linear.programs`.  What a solver returns is a
proposal: it is true to a tolerance at best, and a solver that ends as "infeasible" or "unknown"
has said something about itself and nothing about the problem.  So no route's failure is an error,
the next route is taken, and what a proposal is worth is decided by who asked for it.

What solvers tolerate is absolute, and some drop small entries (HiGHS those below 1e-9).  They
are given ``A'_ij = 2^(r_i + c_j) A_ij`` and ``y'_i = 2^(r_i - t) y_i``, in which the largest
entries of rows, columns and y are of the order of 1.  With ``x_j = 2^(t + c_j) z_j`` the norm
becomes ``sum_j 2^(c_j) |z_j|`` but for a factor, and ``A^T nu`` is a subgradient of
``||x||_1`` at x exactly when ``A'^T nu'``, ``nu_i = 2^(r_i) nu'_i``, is one of that sum at z.
Multiplications by powers of two change no digit, unless an entry is so small against those
beside and above it that it leaves the range of doubles.  (This project's choice.)
"""

import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import cvxpy as cp
import numpy as np

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.linear.programs import TIGHT, least_norm_vertex
from implicit_l1.linear.units import exponents
from implicit_l1.minimizer.decision import Proposal

# HiGHS drops entries of a matrix below 1e-9, or below what it is told; it takes no less than this
HIGHS_OPTIONS = {"output_flag": False, "parallel": "off", "small_matrix_value": 1e-12}

# Entries of A from which on AUTO is the interior-point method: basis pursuit takes as long with
# the simplex method at 20 x 80, and then longer.
LARGE = 500

# Names of solvers beside cvxpy's: the interior-point method of this project, and the choice
# between it and DEFAULT by the size of A.
INTERIOR_POINT, AUTO = "interior_point", "auto"
DEFAULT = "HIGHS"

_CLARABEL = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-13)

# solver of cvxpy -> {route: options}, in the order in which they are taken.  The dual simplex
# method comes without presolve first, which finds nothing to remove in a dense A and takes longer
# than the rest.
_ROUTES = {
    "HIGHS": {
        "dual simplex method": {"presolve": "off", "simplex_strategy": 1},
        "primal simplex method": {"presolve": "off", "simplex_strategy": 4},
        "dual simplex method after presolve": {"presolve": "on", "simplex_strategy": 1},
        "interior-point method with crossover": {"solver": "ipm", "run_crossover": "on"},
    },
    "SCIPY": {"simplex method": {"method": "highs-ds", **TIGHT}},
    # with equilibration, the program of sparse data stops at gaps of 1e-8
    "CLARABEL": {
        "small tolerances": {**_CLARABEL, "equilibrate_enable": False},
        "its own options": {},
    },
    "SCS": {"small tolerances": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iters": 100_000}},
}
# What may be asked for; the configuration's schema has the same.
SOLVERS = (*_ROUTES, INTERIOR_POINT, AUTO)
# Solvers of the last resort, where they are installed.
_OTHERS = ("HIGHS", INTERIOR_POINT, "SCIPY", "CLARABEL", "SCS")

# Columns are scaled in steps of 2^8: those of nearly one size keep one weight.
_STEP = 8
# Weights above 2^40 are given as this: they are costs, and solvers take large ones as infinite.
_HEAVIEST = 40


def proposals(
    matrix: np.ndarray, data: np.ndarray, solver: str = DEFAULT, tilt: np.ndarray | None = None
) -> Iterator[Proposal]:
    """Candidate solutions of ``min ||x||_1 - <tilt, x>`` subject to ``A x = y``, one by one.

    The routes of the chosen solver come first, then those of all others that are installed.
    Nothing is promised about a proposal, except that its entries are finite.

    Args:
        matrix: A, shape (N, d), of full row rank; may have columns that are 0.
        data: y, shape (N,).
        solver: one of SOLVERS.
        tilt: shape (d,), in (-1, 1); 0 if None.
    Yields:
        one proposal a route, each computed when it is asked for; none of a route that fails.
    Raises:
        ValueError: if there is no such solver.
    """
    if solver not in SOLVERS:
        raise ValueError(f"l1.solver: {solver} is not allowed; allowed: {', '.join(SOLVERS)}")
    matrix, data = np.asarray(matrix, dtype=float), np.asarray(data, dtype=float)
    tilt = np.zeros(matrix.shape[1]) if tilt is None else np.asarray(tilt, dtype=float)
    if not data.any():
        # the only x of norm 0; solvers would have to be given data of another order than 1
        yield Proposal(np.zeros(matrix.shape[1]), np.zeros(len(data)), "the data are 0")
        return
    if solver == AUTO:
        solver = INTERIOR_POINT if matrix.size >= LARGE else DEFAULT
    for name in _in_turn(solver):
        found = _by_interior_point if name == INTERIOR_POINT else partial(_by_cvxpy, name)
        yield from filter(_is_finite, found(matrix, data, tilt))


def _in_turn(solver):
    """The chosen solver, then the others that are installed."""
    yield solver
    installed = {INTERIOR_POINT, *cp.installed_solvers()}
    yield from (name for name in _OTHERS if name in installed and name != solver)


def _is_finite(proposal):
    dual = 0.0 if proposal.dual is None else proposal.dual
    return bool(np.isfinite(proposal.point).all() and np.isfinite(dual).all())


# --- scales ---


def _scales(matrix, data):
    """The exponents (r, c, t) of the module's docstring, shapes (N,), (d,) and ().

    c is at least 0, and 0 for a column whose largest entry is of the order of 1 beside those
    of its rows.
    """
    rows = -exponents(matrix, axis=1)
    columns = -exponents(_multiplied(matrix, rows[:, None]), axis=0) // _STEP * _STEP
    given = data != 0.0
    return rows, columns, int((np.frexp(data)[1] + rows)[given].max())


def _multiplied(values, powers):
    """The values times these powers of two; inf where that is too large for a double."""
    with np.errstate(over="ignore"):
        return np.ldexp(values, powers)


# --- routes ---


def statement(
    matrix: np.ndarray, data: np.ndarray, weights: np.ndarray, tilt: np.ndarray
) -> tuple[cp.Variable, cp.Constraint, cp.Problem]:
    """``min sum_j weights_j (|x_j| - tilt_j x_j)`` subject to ``A x = y`` in cvxpy.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        weights: positive, shape (d,).
        tilt: shape (d,).
    Returns:
        (x, the equations, the problem).
    """
    x = cp.Variable(matrix.shape[1])
    equations = matrix @ x == data
    # the same function; with weights as costs of |x_j| they are no entries of a matrix
    norm = cp.norm1(x) if np.all(weights == 1.0) else weights @ cp.abs(x)
    if tilt.any():
        norm = norm - (weights * tilt) @ x
    return x, equations, cp.Problem(cp.Minimize(norm), [equations])


def _options(solver, options):
    """Options of a route as cvxpy takes them."""
    if solver == "HIGHS":
        return {"highs_options": {**HIGHS_OPTIONS, **TIGHT, **options}}
    if solver == "SCIPY":
        return {"scipy_options": dict(options)}
    return options


def _by_cvxpy(solver, matrix, data, tilt):
    """The proposals of a solver of cvxpy."""
    rows, columns, size = _scales(matrix, data)
    weights = np.ldexp(1.0, np.minimum(columns, _HEAVIEST))
    scaled = _multiplied(matrix, rows[:, None] + columns), _multiplied(data, rows - size)
    for route, options in _ROUTES[solver].items():
        x, equations, problem = statement(*scaled, weights, tilt)
        try:
            # a warning says that a solution is not accurate, which is not judged here
            with warnings.catch_warnings(action="ignore"):
                problem.solve(solver=solver, **_options(solver, options))
        except Exception:
            # of whatever kind: each solver has its own
            continue
        if x.value is not None:
            # cvxpy's multipliers are those of <nu, A x - y> added to the objective
            dual = equations.dual_value
            dual = None if dual is None else _multiplied(-dual, rows)
            yield Proposal(_multiplied(x.value, columns + size), dual, f"{solver}, {route}")


def _by_interior_point(matrix, data, tilt):
    """The proposal of this project's interior-point method, which knows no tilt.

    Columns need no scale: there is no tolerance that their entries are held against.
    """
    if tilt.any():
        return
    rows, _, size = _scales(matrix, data)
    scaled = _multiplied(matrix, rows[:, None]), _multiplied(data, rows - size)
    with suppress(LinearProgramError, np.linalg.LinAlgError), np.errstate(all="ignore"):
        x, dual = least_norm_vertex(*scaled)
        yield Proposal(_multiplied(x, size), _multiplied(dual, rows), INTERIOR_POINT)
