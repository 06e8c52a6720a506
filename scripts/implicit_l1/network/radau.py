r"""Radau IIA collocation for gradient flows in coordinates of their own.

For ``inv(G) w' = F(w)`` with symmetric positive definite G and -dF/dw = K symmetric and positive
semidefinite, a step of length h is the polynomial of degree s that starts at w and satisfies the
equation at s points ``c_i h``, the last of them the end of the step.  Its increments Z, one row a
point, solve

    inv(A) Z inv(G) / h = F(w + Z)

with the matrix A of the s-stage Radau IIA method, which is L-stable and of order 2s - 1 at
the ends of steps (Hairer and Wanner, *Solving Ordinary Differential Equations II*, sections
IV.5 and IV.8).  Newton's method keeps the K of the middle of the step: with
``inv(A) = T diag(nu) inv(T)`` it takes a linear system for each eigenvalue nu (of which one is
real, the others are complex pairs) with

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
from scipy.linalg.lapack import dgetrf, dgetrs, zgetrf, zgetrs

STAGES = 9

# Newton's method: iterations at most
_ITERATIONS = 12
# of the next step: caution, and the limits of its length in units of the last
_SAFETY, _SHORTEST, _LONGEST = 0.95, 0.2, 6.0
# how much longer it is than the last error alone says, where the error has shrunk
_GROWTH = 1.5
# its length in units of the time to the edge of the domain: the solution bends before it
_AHEAD = 0.5
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

    def stiffness(self, increment: np.ndarray) -> np.ndarray:
        """K at an increment of shape (N,), shape (N, N); not finite outside the domain."""

    def size(self, increments: np.ndarray, reached: np.ndarray | None = None) -> float:
        """Of increments of shape (m, N), in units of the tolerance.

        The unit is that of the state, or, if it is smaller, that of where w has moved by `reached`.
        """

    def remainder(self, increments: np.ndarray) -> float:
        """Of increments of shape (m, N), in units of what Newton's method may leave."""

    def horizon(self, velocity: np.ndarray) -> float:
        """The time to the edge of the domain at a velocity of w, shape (N,)."""

    def advanced(self, increment: np.ndarray) -> Self:
        """The system at the state with the increment, shape (N,); its coordinates may be others."""

    def translated(self, increments: np.ndarray, earlier: Self) -> np.ndarray:
        """Increments of w in the coordinates of an earlier system, in those of this one."""


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
# derivatives of the Legendre polynomials on [0, 1] at 1
_END_SLOPES = np.arange(STAGES + 1.0) * np.arange(1.0, STAGES + 2.0)
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


@dataclass(frozen=True)
class _Guess:
    """A polynomial as in :class:`Step` over a length, from a place on: 0 its start, 1 its end."""

    coefficients: np.ndarray
    length: float
    place: float

    def at(self, times):
        """What it adds in so much time, shape (m, N)."""
        places = self.place + np.append(0.0, times) / self.length
        values = legvander(2.0 * places - 1.0, STAGES) @ self.coefficients
        return values[1:] - values[0]


class _Factors:
    """LU factors of ``nu / h inv(G) + K``, scaled by the diagonal, for each nu."""

    def __init__(self, mass, stiffness, length):
        self.scale = 1.0 / np.sqrt(np.diag(mass) / length + np.diag(stiffness))
        scales = np.outer(self.scale, self.scale)
        mass, stiffness = scales * mass / length, scales * stiffness
        self.real = dgetrf(_NU[_REAL].real * mass + stiffness)[:2]
        self.pairs = [zgetrf(nu * mass + stiffness)[:2] for nu in _NU[_PAIRS]]

    def solve(self, right):
        """The solution for the real nu."""
        return self.scale * dgetrs(*self.real, self.scale * right)[0]

    def newton_step(self, residual):
        """The increments that Newton's method adds, shape (s, N)."""
        right = _DUAL_VECTORS @ residual
        step = np.outer(_VECTORS[:, _REAL].real, self.solve(right[_REAL].real))
        scaled = self.scale * right[_PAIRS]
        paired = [zgetrs(*pair, part)[0] for pair, part in zip(self.pairs, scaled, strict=True)]
        return step + 2.0 * (_VECTORS[:, _PAIRS] @ (self.scale * paired)).real


def radau_steps(system: S, length: float) -> Iterator[Step[S]]:
    """Integrate from time 0, for as long as steps are asked for.

    Args:
        system: at the state at time 0.
        length: of the first step that is tried.
    Yields:
        Step, one after another, each with an estimated error of size 1 at most.
    Raises:
        IntegrationError: if the tolerances ask for steps below the spacing of floating-point
            numbers, or the time comes near the largest of them.
    """
    time = 0.0
    rest = _Guess(np.zeros((STAGES + 1, len(system.mass))), np.inf, 0.0)
    guess, last = rest, None
    while True:
        force = system.force(np.zeros((1, len(system.mass))))[0]
        while True:
            if not length >= 10.0 * np.spacing(time):  # or no number
                raise IntegrationError("Required step size is less than spacing between numbers.")
            if length > _FOREVER:
                raise IntegrationError("Time is too long for double precision.")
            (*begin, middle) = guess.at(np.append(_POINTS, 0.5) * length)
            with np.errstate(all="ignore"):  # where the guess leaves the domain
                factors = _Factors(system.mass, system.stiffness(middle), length)
            increments = _increments(system, np.array(begin), length, factors)
            if increments is None:
                length *= _SHORTER
                continue
            right = force + system.mass @ (_EMBEDDED @ increments) / (_GAMMA * length)
            error = max(system.size(factors.solve(right)[None], increments[-1]), 1e-12)
            factor = _SAFETY * error ** (-1.0 / (STAGES + 1))
            coefficients = _COEFFICIENTS @ increments
            if error <= 1.0:
                break
            guess = _Guess(coefficients, length, 0.0)
            length *= max(_SHORTEST, factor)
        if last is not None:
            # as the error has changed over the last two steps, so it will (Gustafsson)
            change = length / last[0] * (last[1] / error) ** (1.0 / (STAGES + 1))
            factor *= min(_GROWTH, change)
        last = length, max(error, 1e-2)
        step = Step(time, time + length, system, increments[-1], coefficients)
        yield step
        time = step.end
        resting = system.size(step.reached[None]) < 1.0
        system = system.advanced(step.reached)
        guess = _Guess(system.translated(coefficients, step.system), length, 1.0)
        ahead = _AHEAD * system.horizon(_END_SLOPES @ guess.coefficients / length)
        length = min(length * min(_LONGEST, max(_SHORTEST, factor)), ahead)
        if resting:  # a polynomial of rounding
            guess = rest


def _increments(system, increments, length, factors):
    """Z by Newton's method; None if it does not converge."""
    last = None
    for _ in range(_ITERATIONS):
        with np.errstate(all="ignore"):
            residual = system.force(increments) - _INVERSE @ increments @ system.mass / length
            if not np.all(np.isfinite(residual)):
                break
            move = factors.newton_step(residual)
            increments = increments + move
            size = system.remainder(move)
        rate = 0.0 if last is None else size / last
        # comparisons so that they fail for what is not a number
        if not (rate < 1.0 and size < np.inf):
            break
        # of the rest, the first time that it converges at a rate below 1/2
        left = size if last is None else rate / (1.0 - rate) * size
        if left < 1.0:
            return increments
        last = size
    return None
