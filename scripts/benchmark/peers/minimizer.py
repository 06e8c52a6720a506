r"""Peers for the l1 minimizer, ``argmin ||x||_1`` subject to ``A x = y``, and for the constant rho.

**The minimizer**, from (A, y), as an array x.  The linear program

    min sum p + sum m  subject to  A (p - m) = y,  p >= 0,  m >= 0,

as SciPy and cvxpy take it; the smallest radius tau at which ``min ||A x - y||_2`` subject to
``||x||_1 <= tau`` is 0 (SPGL1: van den Berg and Friedlander, *Probing the Pareto frontier for
basis pursuit solutions*, SIAM J. Sci. Comput. 31, 2008); and the end of the path of the lasso,
``min ||A x - y||^2 / (2 N) + a ||x||_1`` as a decreases to 0 (LARS: Efron, Hastie, Johnstone and
Tibshirani, Ann. Statist. 32, 2004).

**rho**, from (A, S, sigma), as an array nu.  The linear program and its dual, with n in ker A,

    min t  subject to  A_S^T nu = sigma,  |A_Sc^T nu| <= t,
    min <sigma, n_S>  subject to  A_S n_S + A_Sc n_Sc = 0,  ||n_Sc||_1 <= 1;

nu are the multipliers of ``A n = 0`` in the second.
"""

from functools import partial
from typing import Any

import cvxpy as cp
import numpy as np
from scipy.optimize import linprog
from sklearn.linear_model import lars_path

from benchmark.peers import Peer, solve_program

# HiGHS rejects less than 1e-10
HIGHS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
INTERIOR = {"ipm_optimality_tolerance": 1e-12}
CONE_SOLVERS: dict[str, dict[str, Any]] = {
    "CLARABEL": {
        **dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-13),
        # with it, the program of sparse data stops at gaps of 1e-8
        "equilibrate_enable": False,
    },
    "HIGHS": {"highs_options": HIGHS},
}

SPGL1 = {
    **dict.fromkeys(("opt_tol", "bp_tol", "ls_tol"), 1e-12),
    # the radius changes only where x is optimal for it; otherwise it becomes too large
    "dec_tol": 1e-12,
    "iter_lim": 50_000,
}
LARS_STEPS = 100_000

# a path of the lasso has reached its end at this fraction of the largest |A^T y| / N
END = 1e-10


# --- solvers ---


def linear_program(method: str, *program: Any, **bounds: Any) -> Any:
    """The result of SciPy's linprog.  Presolve takes longer than it saves: A is dense."""
    options = {"presolve": False, **HIGHS, **(INTERIOR if method == "highs-ipm" else {})}
    result = linprog(*program, method=method, options=options, **bounds)
    if result.status != 0:
        raise ArithmeticError(result.message)
    return result


# --- the minimizer ---


def split_program(problem: dict, method: str) -> np.ndarray:
    matrix, data = problem["matrix"], problem["data"]
    size = matrix.shape[1]
    equations = {"A_eq": np.hstack([matrix, -matrix]), "b_eq": data}
    parts = linear_program(method, np.ones(2 * size), **equations).x
    return parts[:size] - parts[size:]


def least_norm(problem: dict, solver: str) -> np.ndarray:
    x = cp.Variable(problem["matrix"].shape[1])
    equations = problem["matrix"] @ x == problem["data"]
    program = cp.Problem(cp.Minimize(cp.norm1(x)), [equations])
    solve_program(program, solver=solver, **CONE_SOLVERS[solver])
    return np.asarray(x.value)


def pareto_root(problem: dict) -> np.ndarray:
    from spgl1 import spg_bp

    steps = SPGL1["iter_lim"]
    try:
        x, _, _, info = spg_bp(problem["matrix"], problem["data"], **SPGL1)
    except IndexError as error:  # it stores one step more than it has room for
        raise ArithmeticError(f"not solved in {steps} steps") from error
    if info["stat"] not in (1, 2):  # a root, a basis pursuit solution
        raise ArithmeticError(f"it ended with status {info['stat']}")
    return x


def lasso_path(problem: dict) -> np.ndarray:
    matrix, data = problem["matrix"], problem["data"]
    (end,), _, x = lars_path(matrix, data, method="lasso", max_iter=LARS_STEPS, return_path=False)
    if end > END * np.abs(matrix.T @ data).max() / data.size:
        raise ArithmeticError(f"the path ended at a = {end:.1g}, before 0")
    return x


# --- rho ---


def columns(problem: dict) -> tuple[np.ndarray, np.ndarray]:
    """(A_S, A_Sc)."""
    matrix, support = problem["matrix"], problem["support"]
    return matrix[:, support], np.delete(matrix, support, axis=1)


def smallest_height(problem: dict, method: str) -> np.ndarray:
    on, off = columns(problem)
    height = np.ones((off.shape[1], 1))
    return linear_program(
        method,
        np.append(np.zeros(on.shape[0]), 1.0),
        A_ub=np.block([[off.T, -height], [-off.T, -height]]),
        b_ub=np.zeros(2 * off.shape[1]),
        A_eq=np.hstack([on.T, np.zeros((on.shape[1], 1))]),
        b_eq=problem["sigma"],
        bounds=(None, None),
    ).x[:-1]


def multipliers_of_kernel(problem: dict, method: str) -> np.ndarray:
    on, off = columns(problem)
    free, parts = on.shape[1], 2 * off.shape[1]
    result = linear_program(
        method,
        np.append(problem["sigma"], np.zeros(parts)),
        A_ub=np.append(np.zeros(free), np.ones(parts))[None, :],
        b_ub=[1.0],
        A_eq=np.hstack([on, off, -off]),
        b_eq=np.zeros(on.shape[0]),
        bounds=[(None, None)] * free + [(0, None)] * parts,
    )
    return result.eqlin.marginals


def least_maximum(problem: dict, solver: str) -> np.ndarray:
    on, off = columns(problem)
    nu = cp.Variable(on.shape[0])
    equations = on.T @ nu == problem["sigma"]
    program = cp.Problem(cp.Minimize(cp.norm_inf(off.T @ nu)), [equations])
    solve_program(program, solver=solver, **CONE_SOLVERS[solver])
    return np.asarray(nu.value)


# --- the peers ---

_METHODS = {
    "highs-ds": "dual simplex, tolerances 1e-10, no presolve",
    "highs-ipm": "interior point and crossover, tolerances 1e-10, optimality 1e-12, no presolve",
}


def _linprog(solve, note="", words=""):
    """The peers that solve a linear program by SciPy."""
    return tuple(
        Peer(f"linprog {method}{note}", partial(solve, method=method), ("scipy",), words + settings)
        for method, settings in _METHODS.items()
    )


def _cvxpy(solve):
    """The peers that solve it by cvxpy."""
    return (
        Peer(
            "cvxpy Clarabel",
            partial(solve, solver="CLARABEL"),
            ("cvxpy", "clarabel"),
            "tolerances 1e-13, no equilibration",
        ),
        Peer(
            "cvxpy HiGHS", partial(solve, solver="HIGHS"), ("cvxpy", "highspy"), "tolerances 1e-10"
        ),
    )


MINIMIZER = (
    *_linprog(split_program, words="x = p - m, "),
    *_cvxpy(least_norm),
    Peer(
        "SPGL1",
        pareto_root,
        ("spgl1",),
        "tolerances (opt, bp, ls, dec) 1e-12, at most {iter_lim} steps".format(**SPGL1),
    ),
    Peer("lars_path", lasso_path, ("scikit-learn",), f"to a = 0, at most {LARS_STEPS} steps"),
)

RHO = (
    *_linprog(smallest_height),
    *_linprog(multipliers_of_kernel, note=", dual program"),
    *_cvxpy(least_maximum),
)
