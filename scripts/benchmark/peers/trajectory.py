"""Peers that integrate the flow of the weights (u, v): x at given times.

The last of the times is one at which the flow has converged; peers are told it.
"""

from collections.abc import Callable, Iterable
from functools import cache, partial

import numpy as np
from scipy.integrate import solve_ivp

from benchmark.peers import Peer
from benchmark.peers.limit_point import Form, weights_form

RTOLS = (1e-6, 1e-8, 1e-10, 1e-12)


def points(equations: Form, states: Iterable) -> np.ndarray:
    return np.array([equations.point(state) for state in states])


def scipy_trajectory(
    problem: dict,
    method: str,
    rtol: float,
    form: Callable[..., Form] = weights_form,
    atol: float = 0.0,
) -> np.ndarray:
    """x at problem["times"], shape (m, d); each time is the end of a step for Radau, whose
    interpolation is of lower order than its steps."""
    equations, times = form(problem), problem["times"]
    pieces = [np.array([t]) for t in times] if method == "Radau" else [times]
    start, state, step = 0.0, equations.start, 1e-3 * equations.unit
    states = []
    for piece in pieces:
        solution = solve_ivp(
            equations.velocity,
            (start, piece[-1]),
            state,
            method=method,
            t_eval=None if method == "Radau" else piece,
            jac=equations.jacobian,
            first_step=min(step, piece[-1] - start),
            rtol=rtol,
            atol=atol,
        )
        if solution.status != 0:
            raise ArithmeticError(f"{solution.message} (t = {solution.t[-1]:.2g})")
        states += list(solution.y.T[-piece.size :])
        start, state = piece[-1], states[-1]
        if method == "Radau":  # the last step of a piece was cut short
            step = np.diff(solution.t).max()
    return points(equations, states)


def diffrax_trajectory(problem: dict, rtol: float, atol: float) -> np.ndarray:
    import diffrax

    equations = weights_form(problem)
    arrays = problem["matrix"], problem["data"], problem["alpha"], problem["times"]
    states, result = compiled(problem["depth"])(*arrays, equations.start, rtol, atol)
    if not diffrax.is_okay(result):
        raise ArithmeticError(str(diffrax.RESULTS[result]))
    return points(equations, np.asarray(states))


@cache
def compiled(depth: float) -> Callable:
    import diffrax
    import jax

    jax.config.update("jax_enable_x64", True)

    @jax.jit
    def integrate(matrix, data, alpha, times, start, rtol, atol):
        problem = {"matrix": matrix, "data": data, "depth": depth, "alpha": alpha}
        equations = weights_form(problem, jax.numpy)
        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda time, state, _: equations.velocity(time, state)),
            diffrax.Kvaerno5(),
            0.0,
            times[-1],
            1e-3 * equations.unit,
            start,
            saveat=diffrax.SaveAt(ts=times),
            # steps end at the times: interpolation is of lower order
            stepsize_controller=diffrax.ClipStepSizeController(
                diffrax.PIDController(rtol, atol), step_ts=times
            ),
            max_steps=10_000,
            throw=False,
        )
        return solution.ys, solution.result

    return integrate


def peers() -> list[Peer]:
    """All of them, at each tolerance, as Peers."""
    result = []
    for rtol in RTOLS:
        result += [
            Peer(
                f"scipy {method} on (u, v), rtol {rtol:.0e}",
                partial(scipy_trajectory, method=method, rtol=rtol),
                ("scipy",),
                "atol 0, analytic Jacobian",
            )
            for method in ("LSODA", "BDF", "Radau")
        ]
        # below, rounding rejects its steps
        if rtol >= 1e-10:
            result.append(
                Peer(
                    f"diffrax Kvaerno5 on (u, v), rtol {rtol:.0e}",
                    partial(diffrax_trajectory, rtol=rtol, atol=1e-3 * rtol),
                    ("diffrax", "jax"),
                    "atol rtol / 1000, at most 10000 steps",
                )
            )
    return result
