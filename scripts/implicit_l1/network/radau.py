r"""Radau IIA collocation for stiff equations with a symmetric Jacobian.

For ``w' = f(w)`` with Jacobian -H, H symmetric and positive semidefinite, a step of length
h is the polynomial of degree s that starts at w and satisfies the equation at s points
``c_i h``, the last of them the end of the step.  Its increments Z, one row a point, solve

    inv(A) Z / h = f(w + Z)

with the matrix A of the s-stage Radau IIA method, which is L-stable and of order 2s - 1 at
the ends of steps (Hairer and Wanner, *Solving Ordinary Differential Equations II*, sections
IV.5 and IV.8).  Newton's method keeps H over the step, and over the next steps as long as it
converges fast:

    inv(A) dZ / h + dZ H = R = f(w + Z) - inv(A) Z / h.

(Derived for this project:) with ``inv(A) = T diag(nu) inv(T)`` and ``H = V diag(mu) V^T``,
multiplied by inv(T) from the left and by V from the right this is a division, whatever h is,

    dZ = T W V^T,    W_kj = (inv(T) R V)_kj / (nu_k / h + mu_j),

so that one eigendecomposition of an N x N matrix serves all stages and many steps.

The error estimate is the difference to an embedded formula of order s,

    (I + gamma h H)^{-1} h (gamma f(w) + e inv(A) Z / h),    gamma = 1 / nu_real,

where e makes it vanish for polynomials of degree s (ibid., IV.8).  It is of the order of the
error of the collocation polynomial between the points, which is the dense output; the error
at the ends of steps is far smaller.  Newton's method is stopped as in ibid., IV.8; where the
solution has come to rest, what it leaves must be too small to be taken for motion.

Nine stages need the least time for 8 digits among 5, 7, 9 and 11: long steps, whose stages
are evaluated together.

Why it is not a library's: with N = 100, d = 400, noise 0.1, D = 4 and alpha = 1e-4 it takes 0.2 s
at a tolerance of 1e-8, with an error of 1e-10 along the whole trajectory.  SciPy's LSODA takes as
long for an error of 6e-7, and 1.1 s for 2e-10 (tolerance 1e-12); its BDF 0.5 s for 2e-6.  (At
D = 2 without noise: 0.05 s for 2e-10, LSODA 0.09 s for 1e-10, BDF 0.25 s for 2e-9.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import legroots, legvander
from numpy.typing import ArrayLike

STAGES = 9

# Newton's method: its error, in units of the tolerance, at most; iterations at most; and the
# rate of convergence above which H is computed anew
_NEWTON, _ITERATIONS, _SLOW = 0.03, 12, 0.05
# of the next step: caution, and the limits of its length in units of the last
_SAFETY, _SHORTEST, _LONGEST = 0.9, 0.2, 6.0
_FOREVER = 1e300


class IntegrationError(RuntimeError):
    """Steps have become too short, or the time too long, for double precision."""


def collocation(stages: int) -> tuple[np.ndarray, np.ndarray]:
    """Points c in (0, 1], shape (s,), and matrix A, shape (s, s), of Radau IIA.

    In Legendre polynomials on [0, 1], which keep the digits that powers would lose.
    """
    # the points are the zeros of P_{s-1} - P_s
    points = np.sort(legroots([*[0.0] * (stages - 1), 1.0, -1.0]).real)
    points[-1] = 1.0
    values = legvander(points, stages)
    degree = np.arange(1, stages)
    integrals = np.empty((stages, stages))
    integrals[:, 0] = points + 1.0
    integrals[:, 1:] = (values[:, 2:] - values[:, :-2]) / (2 * degree + 1)
    return 0.5 * (points + 1.0), 0.5 * integrals @ np.linalg.inv(values[:, :-1])


def embedded(points: np.ndarray, inverse: np.ndarray, gamma: float) -> np.ndarray:
    """e inv(A) of the error estimate, shape (s,): weights of Z / h.

    The quadrature formula ``gamma g(0) + sum_i b_i g(c_i)`` is exact for degrees below s,
    and e is b less the last row of A, which are the weights of the method.
    """
    values = legvander(2.0 * points - 1.0, points.size - 1)
    moments = -gamma * (-1.0) ** np.arange(points.size)
    moments[0] += 1.0
    # the weights of the method times inv(A) are the last unit vector
    return np.linalg.solve(values.T, moments) @ inverse - np.eye(points.size)[-1]


_POINTS, _MATRIX = collocation(STAGES)
_INVERSE = np.linalg.inv(_MATRIX)
_NU, _VECTORS = np.linalg.eig(_INVERSE)
_DUAL_VECTORS = np.linalg.inv(_VECTORS)
_GAMMA = 1.0 / _NU[np.argmin(np.abs(_NU.imag))].real  # an odd number of stages has one
_EMBEDDED = embedded(_POINTS, _INVERSE, _GAMMA)
# coefficients of the polynomial that is 0 at 0 and Z_i at c_i
_COEFFICIENTS = np.linalg.inv(legvander(2.0 * np.append(0.0, _POINTS) - 1.0, STAGES))[:, 1:]


@dataclass(frozen=True)
class Step:
    """A step, and the polynomial that the solution is along it.

    Attributes:
        start, end: times.
        state: w at the start, shape (N,).
        reached: w at the end, shape (N,).
        coefficients: of w less its start, in Legendre polynomials on the step, shape (s + 1, N).
    """

    start: float
    end: float
    state: np.ndarray
    reached: np.ndarray
    coefficients: np.ndarray

    def at(self, times: ArrayLike) -> np.ndarray:
        """w at times of shape (m,), shape (m, N)."""
        place = (np.asarray(times) - self.start) / (self.end - self.start)
        return self.state + legvander(2.0 * place - 1.0, STAGES) @ self.coefficients


def radau_steps(
    velocity: Callable[[np.ndarray], np.ndarray],
    curvature: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    length: float,
    rtol: float,
    atol: float,
) -> Iterator[Step]:
    """Integrate ``w' = f(w)`` from time 0, for as long as steps are asked for.

    Args:
        velocity: f, of several states at once: shape (m, N) to (m, N).  Where it is not
            finite, the step was too long.
        curvature: H at a state, shape (N,) to (N, N); symmetric, positive semidefinite.
        start: w at time 0, shape (N,).
        length: of the first step that is tried.
        rtol, atol: a step's error is below ``atol + rtol |w|``, in the root mean square.
    Yields:
        Step, one after another.
    Raises:
        IntegrationError: if the tolerances ask for steps below the spacing of floating-point
            numbers, or the time comes near the largest of them.
    """
    # not below rounding (Hairer and Wanner, IV.8)
    tolerance = max(10.0 * np.finfo(float).eps / rtol, min(_NEWTON, np.sqrt(rtol)))
    time, state, slope = 0.0, start, velocity(start[None])[0]
    step: Step | None = None
    modes: tuple[np.ndarray, np.ndarray] | None = None
    last = None
    resting = True
    while True:
        if length < 10.0 * np.spacing(time):
            raise IntegrationError("Required step size is less than spacing between numbers.")
        if length > _FOREVER:
            raise IntegrationError("Time is too long for double precision.")
        fresh = modes is None
        if modes is None:
            modes = np.linalg.eigh(curvature(state))
        scale = atol + rtol * np.abs(state)
        if resting or step is None:  # outside its step a polynomial of rounding does not
            guess = np.zeros((STAGES, start.size))
        else:
            guess = step.at(time + _POINTS * length) - state
        increments, iterations, rate = _increments(
            velocity, state, guess, length, modes, scale, tolerance
        )
        if increments is None:
            modes = None
            if fresh:
                length *= 0.5
            continue
        mu, vectors = modes
        defect = _GAMMA * slope + _EMBEDDED @ increments / length
        error = vectors @ ((defect @ vectors) / (1.0 / length + _GAMMA * mu))
        reached = state + increments[-1]
        error /= np.maximum(scale, atol + rtol * np.abs(reached))
        size = max(_size(error), 1e-12)
        caution = _SAFETY * (2 * _ITERATIONS + 1) / (2 * _ITERATIONS + iterations)
        factor = caution * size ** (-1.0 / (STAGES + 1))
        if not size <= 1.0:
            length *= max(_SHORTEST, factor)
            continue
        if last is not None:
            # as the error has grown over the last two steps, so it will (Gustafsson)
            factor *= min(1.0, length / last[0] * (last[1] / size) ** (1.0 / (STAGES + 1)))
        last = length, max(size, 1e-2)
        step = Step(time, time + length, state, reached, _COEFFICIENTS @ increments)
        yield step
        time, state, slope = step.end, reached, velocity(reached[None])[0]
        length *= min(_LONGEST, max(_SHORTEST, factor))
        resting = _size((step.reached - step.state) / scale) < 1.0
        if rate > _SLOW or resting:
            modes = None


def _increments(velocity, state, guess, length, modes, scale, tolerance):
    """Z by Newton's method, its iterations and its rate; Z is None if it does not converge."""
    mu, vectors = modes
    divisor = _NU[:, None] / length + mu
    increments, rate, last = guess, 0.0, None
    for iteration in range(_ITERATIONS):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            residual = velocity(state + increments) - _INVERSE @ increments / length
        move = (_VECTORS @ ((_DUAL_VECTORS @ (residual @ vectors)) / divisor)).real @ vectors.T
        increments = increments + move
        size = _size(move / scale)
        if last is not None:
            rate = size / last
        # comparisons so that they fail for what is not a number
        if not (rate < 1.0 and size < np.inf):
            break
        # of the rest, the first time that it converges at a rate below 1/2
        left = size if last is None else rate / (1.0 - rate) * size
        if left < tolerance:
            return increments, iteration + 1, rate
        if last is not None and left * rate ** (_ITERATIONS - 1 - iteration) > tolerance:
            break
        last = size
    return None, _ITERATIONS, rate


def _size(values):
    """Root mean square."""
    return np.linalg.norm(values) / np.sqrt(values.size)
