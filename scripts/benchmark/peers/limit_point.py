r"""Peers that compute the limit point of the flow, ``x = argmin alpha sum q_D(x_i / alpha)`` with
``A x = y``, from (A, y), the depth D and alpha (Woodworth et al., COLT 2020).

**As a cone program**, through cvxpy.  With ``x = p - m``, p and m positive, the objective is

    D = 2:  sum p log(p/alpha) - p + alpha, and the same of m,
    D > 2:  sum p - (D/2) alpha^(1-2/D) p^(2/D), and the same of m, up to a constant,

as ``q_D^*(z) = h(z) + h(-z)`` makes q_D the infimal convolution of the conjugates of h (p and m
are u^D and v^D).  The dual problem has no constraints:

    D = 2:  min_lam  sum e^(z + log alpha) + e^(-z + log alpha) - <lam, y>,    z = A^T lam,
    D > 2:  min_lam  alpha (D-2)/2 sum (1 - z)^(-2/(D-2)) + (1 + z)^(-2/(D-2)) - <lam, y>,

and gives ``x = alpha phi_D(z)``.

**As a smooth problem**: Newton's method on the dual problem, whose gradient is ``A x - y`` and
whose Hessian is ``A diag(alpha phi_D'(z)) A^T``.

**As the end of the flow**, of the weights or of lam, or of gradient descent.  An integration
ends where the residual is small and, from one time to one at least twice as late, no entry of x
moves by more than a small fraction of ``|x_i| + alpha``: entries off the support are the slowest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import cvxpy as cp
import numpy as np
from scipy import integrate
from scipy.optimize import minimize

from benchmark.peers import Peer, solve_program

# --- the equations ---


def phi(z: Any, depth: float, xp: Any = np) -> tuple:
    """phi_D and its derivative, as they are defined; nan outside the domain."""
    if depth == 2:
        return 2 * xp.sinh(z), 2 * xp.cosh(z)
    power = depth / (depth - 2)
    inside = xp.abs(z) < 1
    up, down = xp.where(inside, 1 - z, xp.nan), xp.where(inside, 1 + z, xp.nan)
    return up**-power - down**-power, power * (up ** (-power - 1) + down ** (-power - 1))


@dataclass(frozen=True)
class Form:
    """A form of the flow as a differential equation.

    Attributes:
        start: at time 0.
        unit: a time in which x moves by about alpha.
        velocity, jacobian: functions of (t, state).
        point: x, as a function of the state.
    """

    start: np.ndarray
    unit: float
    velocity: Callable
    jacobian: Callable
    point: Callable


def weights_form(problem: dict, xp: Any = np) -> Form:
    """``u' = -D u^(D-1) g``, ``v' = D v^(D-1) g``, ``g = A^T (A x - y)``, ``x = u^D - v^D``."""
    matrix, data, depth = problem["matrix"], problem["data"], problem["depth"]
    size = matrix.shape[1]
    side = xp.concatenate([-xp.ones(size), xp.ones(size)])

    def point(state):
        return state[:size] ** depth - state[size:] ** depth

    def gradient(state):
        return xp.tile(matrix.T @ (matrix @ point(state) - data), 2)

    def velocity(_, state):
        return side * depth * state ** (depth - 1) * gradient(state)

    gram = np.tile(matrix.T @ matrix, (2, 2)) if xp is np else None

    def jacobian(_, state):
        slope = side * depth * state ** (depth - 1)
        result = -slope[:, None] * gram * slope
        curvature = side * depth * (depth - 1) * state ** (depth - 2) * gradient(state)
        result[np.diag_indices(2 * size)] += curvature
        return result

    scale = problem["alpha"] ** (1 / depth)
    pull = xp.abs(matrix.T @ data).max()
    unit = 1 / (depth**2 * scale ** (depth - 2) * pull)
    return Form(scale * xp.ones(2 * size), unit, velocity, jacobian, point)


def dual_form(problem: dict, xp: Any = np) -> Form:
    """``lam' = c_D (y - A x)``, ``x = alpha phi_D(A^T lam)``."""
    matrix, data, depth = problem["matrix"], problem["data"], problem["depth"]
    alpha = problem["alpha"]
    rate = 4 if depth == 2 else depth * (depth - 2) * alpha ** (1 - 2 / depth)

    def point(lam):
        return alpha * phi(matrix.T @ lam, depth, xp)[0]

    def velocity(_, lam):
        return rate * (data - matrix @ point(lam))

    def jacobian(_, lam):
        return -rate * (matrix * (alpha * phi(matrix.T @ lam, depth, xp)[1])) @ matrix.T

    unit = 1 / (rate * xp.abs(matrix.T @ data).max())
    return Form(xp.zeros(matrix.shape[0]), unit, velocity, jacobian, point)


# An integration ends at these: ||A x - y|| / ||y||, and the relative change of an entry of x.
RESIDUAL, CHANGE = 1e-9, 1e-8


def settled(problem: dict, before: np.ndarray, point: np.ndarray) -> bool:
    """Whether x, and x at most half as late, are both the limit."""
    if not np.all(np.isfinite(point)):
        raise ArithmeticError("x is not finite")
    gap = problem["matrix"] @ point - problem["data"]
    moved = np.abs(point - before) / (np.abs(point) + problem["alpha"])
    return np.linalg.norm(gap) <= RESIDUAL * np.linalg.norm(problem["data"]) and (
        moved.max() <= CHANGE
    )


# --- differential equations ---


def scipy_flow(
    problem: dict, form: Callable[..., Form], method: str, rtol: float, atol: float
) -> np.ndarray:
    equations = form(problem)
    solver = getattr(integrate, method)(
        equations.velocity,
        0.0,
        equations.start,
        np.inf,
        first_step=1e-3 * equations.unit,
        rtol=rtol,
        atol=atol,
        jac=equations.jacobian,
    )
    mark, before = equations.unit, equations.point(equations.start)
    while True:
        message = solver.step()
        if solver.status == "failed":
            raise ArithmeticError(f"{message} (t = {solver.t:.2g})")
        if solver.t >= mark:
            point = equations.point(solver.y)
            if settled(problem, before, point):
                return point
            before, mark = point, 2 * solver.t


def diffrax_flow(problem: dict, form: Callable[..., Form], rtol: float, atol: float) -> np.ndarray:
    import diffrax

    advance = compiled(form, problem["depth"])
    arrays = problem["matrix"], problem["data"], problem["alpha"]
    equations = form(problem)
    state, start, end = equations.start, 0.0, equations.unit
    before = equations.point(state)
    while True:
        state, result = advance(*arrays, state, start, end, rtol, atol)
        if not diffrax.is_okay(result):
            raise ArithmeticError(f"{diffrax.RESULTS[result]} (t = {start:.2g})")
        point = equations.point(np.asarray(state))
        if settled(problem, before, point):
            return point
        before, start, end = point, end, 2 * end


@cache
def compiled(form: Callable[..., Form], depth: float) -> Callable:
    """An integration from one time to another by the implicit method of Kvaerno, order 5."""
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def advance(matrix, data, alpha, state, start, end, rtol, atol):
        problem = {"matrix": matrix, "data": data, "depth": depth, "alpha": alpha}
        velocity = form(problem, jax.numpy).velocity
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda time, state, _: velocity(time, state)),
            diffrax.Kvaerno5(),
            start,
            end,
            1e-2 * (end - start),
            state,
            stepsize_controller=diffrax.PIDController(rtol, atol),
            max_steps=10_000,
            throw=False,
        )
        return solution.ys[0], solution.result

    return advance


def gradient_descent(problem: dict, fraction: float = 0.5, residual: float = 1e-10) -> np.ndarray:
    """From weights alpha^(1/D), with a step that is a fraction of the largest stable one."""
    matrix, data, depth = problem["matrix"], problem["data"], problem["depth"]
    rate = fraction * problem["stable_step"] * depth
    u = np.full(matrix.shape[1], problem["alpha"] ** (1 / depth))
    v = u.copy()
    least = residual * np.linalg.norm(data)
    while True:
        x = u**depth - v**depth
        gap = data - matrix @ x
        size = np.linalg.norm(gap)
        if size <= least:
            return x
        if not np.isfinite(size):
            raise ArithmeticError("gradient descent diverged")
        push = rate * (gap @ matrix)
        u, v = u + push * u ** (depth - 1), v - push * v ** (depth - 1)


# --- the dual problem as a smooth one ---


def dual_value(problem: dict, lam: np.ndarray) -> float:
    """The objective of the dual problem; inf outside its domain."""
    z, depth = problem["matrix"].T @ lam, problem["depth"]
    if depth == 2:
        total = np.sum(2 * np.cosh(z) - 2)
    elif np.abs(z).max() >= 1:
        return np.inf
    else:
        power = -2 / (depth - 2)
        total = (depth - 2) / 2 * np.sum((1 - z) ** power + (1 + z) ** power - 2)
    return problem["alpha"] * total - lam @ problem["data"]


def dual_derivatives(problem: dict, lam: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, the gradient and the Hessian."""
    matrix = problem["matrix"]
    value, slope = phi(matrix.T @ lam, problem["depth"])
    x, slope = problem["alpha"] * value, problem["alpha"] * slope
    return x, matrix @ x - problem["data"], (matrix * slope) @ matrix.T


def newton(problem: dict, steps: int = 1000) -> np.ndarray:
    """Damped Newton's method from lam = 0, until rounding stops it."""
    lam = np.zeros(problem["data"].size)
    value, least, best = 0.0, np.inf, np.zeros(problem["matrix"].shape[1])
    for _ in range(steps):
        x, gradient, hessian = dual_derivatives(problem, lam)
        step = -np.linalg.solve(hessian, gradient)
        decrease = -(gradient @ step)
        if abs(decrease) > 1e-10 * max(1.0, abs(value)):
            length = 1.0
            while not (
                dual_value(problem, lam + length * step) <= value - 1e-4 * length * decrease
            ):
                length *= 0.5
                if length < 1e-30:
                    raise ArithmeticError("no step decreases the objective")
            lam = lam + length * step
        else:  # the objective is flat to rounding: Newton's method alone
            size = float(np.linalg.norm(gradient))
            if size >= 0.5 * least:
                return best
            least, best, lam = size, x, lam + step
        value = dual_value(problem, lam)
    raise ArithmeticError(f"no convergence in {steps} steps")


def scipy_minimize(problem: dict, method: str, tolerance: float) -> np.ndarray:
    def hessian(lam):
        # of a point outside the domain the method asks before it turns to another
        result = dual_derivatives(problem, lam)[2]
        return result if np.all(np.isfinite(result)) else np.eye(lam.size)

    result = minimize(
        lambda lam: dual_value(problem, lam),
        np.zeros(problem["data"].size),
        jac=lambda lam: dual_derivatives(problem, lam)[1],
        hess=hessian,
        method=method,
        options={"gtol": tolerance * np.linalg.norm(problem["data"]), "maxiter": 10_000},
    )
    if not result.success:
        raise ArithmeticError(result.message)
    return dual_derivatives(problem, result.x)[0]


# --- cone programs ---

CONE_SOLVERS = {
    "CLARABEL": {
        **dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-13),
        **dict.fromkeys(("reduced_tol_gap_abs", "reduced_tol_gap_rel", "reduced_tol_feas"), 1e-5),
        "max_iter": 500,
    },
    "SCS": {"eps_abs": 1e-12, "eps_rel": 1e-12, "max_iters": 20_000},
}


def cone_program(problem: dict, dual: bool, solver: str) -> np.ndarray:
    """x from a cone program in the form that its solvers do best with, of those tried."""
    objective, constraints, solution = (dual_program if dual else primal_program)(problem, cp)
    program = cp.Problem(cp.Minimize(objective), constraints)
    solve_program(program, solver=solver, **CONE_SOLVERS[solver])
    return solution()


def primal_program(problem: dict, cp: Any) -> tuple:
    """Objective, constraints, and a function that gives x from the solution."""
    matrix, depth, alpha = problem["matrix"], problem["depth"], problem["alpha"]
    p, m = cp.Variable(matrix.shape[1]), cp.Variable(matrix.shape[1])
    if depth == 2:
        # divided by the size of lam, so that multipliers are of order one
        size = max(1.0, -np.log(alpha))
        linear = -(1 + np.log(alpha)) / size
        objective = -cp.sum(cp.entr(p) + cp.entr(m)) / size + linear * cp.sum(p + m)
    else:
        power, weight = 2 / depth, depth / 2 * alpha ** (1 - 2 / depth)
        roots = cp.power(p, power, approx=False) + cp.power(m, power, approx=False)
        objective = cp.sum(p + m) - weight * cp.sum(roots)
    return objective, [matrix @ (p - m) == problem["data"]], lambda: p.value - m.value


def dual_program(problem: dict, cp: Any) -> tuple:
    matrix, depth, alpha = problem["matrix"], problem["depth"], problem["alpha"]
    scaled = cp.Variable(matrix.shape[0])
    z = matrix.T @ scaled
    if depth == 2:
        # lam in units of its size
        size = max(1.0, -np.log(alpha))
        powers = [cp.exp(side * size * z + np.log(alpha)) / size for side in (1, -1)]
    else:
        # 1 - z in units of its size on the support
        size, power = 1.0, -2 / (depth - 2)
        unit = alpha ** ((depth - 2) / depth)
        weight = (depth - 2) / 2 * alpha * unit**power
        powers = [weight * cp.power((1 + side * z) / unit, power, approx=False) for side in (1, -1)]
    objective = cp.sum(powers[0] + powers[1]) - problem["data"] @ scaled
    return objective, [], lambda: alpha * phi(matrix.T @ (size * scaled.value), depth)[0]


# --- the contestants ---

FLOWS = {"(u, v)": weights_form, "lam": dual_form}


def peers() -> list[Peer]:
    """All of them, as Peers."""
    result = [
        Peer(
            f"cvxpy {solver}, {'dual' if dual else 'primal'}",
            partial(cone_program, dual=dual, solver=solver),
            ("cvxpy", solver.lower()),
            {"CLARABEL": "tolerances 1e-13", "SCS": "eps 1e-12, at most 20000 iterations"}[solver],
        )
        for solver in CONE_SOLVERS
        for dual in (False, True)
    ]
    result += [
        Peer("Newton on the dual", newton, ("numpy",), "backtracking, from lam = 0"),
        *(
            Peer(
                f"scipy {method} on the dual",
                partial(scipy_minimize, method=method, tolerance=1e-8),
                ("scipy",),
                "gtol 1e-8 ||y||",
            )
            for method in ("trust-exact", "trust-ncg")
        ),
        Peer("gradient descent", gradient_descent, ("numpy",), "half of the largest stable step"),
    ]
    for rtol in (1e-8, 1e-12):
        for method in ("LSODA", "BDF", "Radau"):
            result.append(_flow(f"scipy {method}", scipy_flow, "(u, v)", rtol, method=method))
        result.append(_flow("scipy LSODA", scipy_flow, "lam", rtol, method="LSODA"))
    # at 1e-12, and on (u, v) at 1e-10, it rejects steps for rounding until it gives up
    for words, rtol in (("(u, v)", 1e-6), ("(u, v)", 1e-8), ("lam", 1e-8), ("lam", 1e-10)):
        result.append(_flow("diffrax Kvaerno5", diffrax_flow, words, rtol))
    return result


def _flow(name, solve, words, rtol, **more):
    atol = 0.0 if words == "(u, v)" and solve is scipy_flow else 1e-3 * rtol
    packages = ("scipy",) if solve is scipy_flow else ("diffrax", "jax")
    return Peer(
        f"{name} on {words}, rtol {rtol:.0e}",
        partial(solve, form=FLOWS[words], rtol=rtol, atol=atol, **more),
        packages,
        f"rtol {rtol:.0e}, atol {atol:.0e}",
    )
