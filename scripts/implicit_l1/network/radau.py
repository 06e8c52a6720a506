r"""Radau IIA collocation for gradient flows in coordinates of their own.

For ``inv(G) w' = F(w)`` with symmetric positive definite G and -dF/dw = K symmetric and positive
semidefinite, a step of length h is the polynomial of degree s that starts at w and satisfies the
equation at s points ``c_i h``, the last of them the end of the step.  Its increments Z, one row a
point, solve

    inv(A) Z inv(G) / h = F(w + Z)

with the matrix A of the s-stage Radau IIA method, which is L-stable and of order 2s - 1 at
the ends of steps (Hairer and Wanner, *Solving Ordinary Differential Equations II*, sections
IV.5 and IV.8).  Newton's method keeps K over the step: with ``inv(A) = T diag(nu) inv(T)`` it takes
a linear system for each eigenvalue nu (of which one is real, the others are complex pairs) with

    nu / h inv(G) + K,

which is scaled by its diagonal before it is factored: rates that are many decades apart, in
coordinates in which they are separated, keep their digits, which an eigendecomposition takes
from the slow ones.  (Derived for this project.)

The error estimate is the difference to an embedded formula of order s,

    (nu / h inv(G) + K)^{-1} (F(w) + nu e inv(A) Z inv(G) / h),    nu the real one,

where e makes it vanish for polynomials of degree s (ibid., IV.8).  It is of the order of the
error of the collocation polynomial between the points, which is the dense output; the error
at the ends of steps is far smaller.  Newton's method is stopped as in ibid., IV.8.

Nine stages need the least time for 8 digits among 5, 7, 9, 11 and 13: long steps, whose stages
are evaluated together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.polynomial.legendre import legroots, legvander
from numpy.typing import ArrayLike
from scipy.linalg import lu_factor, lu_solve

STAGES = 9

# Newton's method: iterations at most
_ITERATIONS = 12
# of the next step: caution, and the limits of its length in units of the last
_SAFETY, _SHORTEST, _LONGEST = 0.95, 0.2, 6.0
# of a step that Newton's method does not find
_SHORTER = 0.3
_FOREVER = 1e300


class IntegrationError(RuntimeError):
    """Steps have become too short, or the time too long, for double precision."""


class System(Protocol):
    """The equation at a state, seen from there: all arguments are increments of w."""

    @property
    def mass(self) -> np.ndarray:
        """inv(G), shape (N, N); the same object as long as the coordinates are the same."""

    def force(self, increments: np.ndarray) -> np.ndarray:
        """F, shape (m, N), at increments of shape (m, N); not finite outside its domain."""

    def stiffness(self) -> np.ndarray:
        """K at the state, shape (N, N)."""

    def size(self, increments: np.ndarray, reached: np.ndarray | None = None) -> float:
        """Of increments of shape (m, N), in units of the tolerance.

        The unit is that of the state, or, if it is smaller, that of where w has moved by `reached`.
        """

    def advanced(self, increment: np.ndarray) -> Self:
        """The system at the state with the increment, shape (N,); its coordinates may be others."""


S = TypeVar("S", bound=System)


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
_REAL = int(np.argmin(np.abs(_NU.imag)))  # an odd number of stages has one
_PAIRS = np.flatnonzero(_NU.imag > 1e-8)  # and the conjugates of these
_GAMMA = 1.0 / _NU[_REAL].real
_EMBEDDED = embedded(_POINTS, _INVERSE, _GAMMA)
# coefficients of the polynomial that is 0 at 0 and Z_i at c_i
_COEFFICIENTS = np.linalg.inv(legvander(2.0 * np.append(0.0, _POINTS) - 1.0, STAGES))[:, 1:]


@dataclass(frozen=True)
class Step(Generic[S]):
    """A step, and the polynomial that the solution is along it.

    Attributes:
        start, end: times.
        system: the equation, at the start.
        reached: increment of w at the end, shape (N,).
        coefficients: of the increment of w, in Legendre polynomials on the step, shape (s + 1, N).
    """

    start: float
    end: float
    system: S
    reached: np.ndarray
    coefficients: np.ndarray

    def at(self, times: ArrayLike) -> np.ndarray:
        """Increments of w at times of shape (m,), shape (m, N)."""
        place = (np.asarray(times) - self.start) / (self.end - self.start)
        return legvander(2.0 * place - 1.0, STAGES) @ self.coefficients


class _Factors:
    """LU factors of ``nu / h inv(G) + K``, scaled by the diagonal, for each nu."""

    def __init__(self, mass, stiffness, length):
        self.scales, self.factors = [], []
        for nu in (_NU[_REAL].real, *_NU[_PAIRS]):
            matrix = nu / length * mass + stiffness
            scale = 1.0 / np.sqrt(np.abs(np.diag(matrix)))
            self.scales.append(scale)
            self.factors.append(
                lu_factor(scale[:, None] * matrix * scale, check_finite=False, overwrite_a=True)
            )

    def solve(self, place, right):
        """The solution, of the real nu at place 0, of a pair after it."""
        scale = self.scales[place]
        return scale * lu_solve(self.factors[place], scale * right, check_finite=False)

    def newton_step(self, residual):
        """The increments that Newton's method adds, shape (s, N)."""
        right = _DUAL_VECTORS @ residual
        step = np.outer(_VECTORS[:, _REAL].real, self.solve(0, right[_REAL].real))
        paired = [self.solve(place + 1, right[pair]) for place, pair in enumerate(_PAIRS)]
        return step + 2.0 * (_VECTORS[:, _PAIRS] @ np.array(paired)).real


def radau_steps(system: S, length: float, newton: float = 1e-2) -> Iterator[Step[S]]:
    """Integrate from time 0, for as long as steps are asked for.

    Args:
        system: at the state at time 0.
        length: of the first step that is tried.
        newton: the error that Newton's method leaves at most, in units of the tolerance.
    Yields:
        Step, one after another, each with an estimated error of size 1 at most.
    Raises:
        IntegrationError: if the tolerances ask for steps below the spacing of floating-point
            numbers, or the time comes near the largest of them.
    """
    time = 0.0
    step: Step[S] | None = None  # to begin Newton's method with
    last = None
    while True:
        stiffness, force = system.stiffness(), system.force(np.zeros((1, len(system.mass))))[0]
        while True:
            if not length >= 10.0 * np.spacing(time):  # or no number
                raise IntegrationError("Required step size is less than spacing between numbers.")
            if length > _FOREVER:
                raise IntegrationError("Time is too long for double precision.")
            factors = _Factors(system.mass, stiffness, length)
            increments = _increments(system, _guess(step, time, length), length, factors, newton)
            if increments is None:
                length *= 1.0 if step is not None else _SHORTER
                step = None
                continue
            right = force + system.mass @ (_EMBEDDED @ increments) / (_GAMMA * length)
            error = max(system.size(factors.solve(0, right)[None], increments[-1]), 1e-12)
            factor = _SAFETY * error ** (-1.0 / (STAGES + 1))
            if error <= 1.0:
                break
            length *= max(_SHORTEST, factor)
            step = None
        if last is not None:
            # as the error has grown over the last two steps, so it will (Gustafsson)
            factor *= min(1.0, length / last[0] * (last[1] / error) ** (1.0 / (STAGES + 1)))
        last = length, max(error, 1e-2)
        step = Step(time, time + length, system, increments[-1], _COEFFICIENTS @ increments)
        yield step
        time, mass = step.end, system.mass
        resting = system.size(step.reached[None]) < 1.0
        system = system.advanced(step.reached)
        length *= min(_LONGEST, max(_SHORTEST, factor))
        if resting or system.mass is not mass:  # a polynomial of rounding, or of other unknowns
            step = None


def _guess(step, time, length):
    """Increments from `time`, by the polynomial of the last step; None if there is no such step."""
    if step is None:
        return np.zeros((STAGES, 1))
    return step.at(time + _POINTS * length) - step.reached


def _increments(system, guess, length, factors, newton):
    """Z by Newton's method; None if it does not converge."""
    increments, last = guess + np.zeros((STAGES, len(system.mass))), None
    for _ in range(_ITERATIONS):
        with np.errstate(all="ignore"):
            residual = system.force(increments) - _INVERSE @ increments @ system.mass / length
        if not np.all(np.isfinite(residual)):
            break
        move = factors.newton_step(residual)
        increments = increments + move
        size = system.size(move)
        rate = 0.0 if last is None else size / last
        # comparisons so that they fail for what is not a number
        if not (rate < 1.0 and size < np.inf):
            break
        # of the rest, the first time that it converges at a rate below 1/2
        left = size if last is None else rate / (1.0 - rate) * size
        if left < newton:
            return increments
        last = size
    return None
