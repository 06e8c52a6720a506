r"""Enclosures of trajectories of the gradient flow.

The argument, with its proof, is in docs/trajectories.md; here its formulas.  Along a path lam~,
``e = lam - lam~`` fulfils

    e' = -c (A Wbar A^T e + d),    d = lam~' / c - (y - A x~) = lam~' / c + A n~,

with means ``wbar_i`` of dx_i / dz_i between the two.  In the coordinates of
:mod:`implicit_l1.proof.trajectory_frame`, ``d = A_T a + Q b``.  On a piece of length h:

- ``E >= ||e||_2``: ``E -> (E^2 + (c h / 2) sum_F a_i^2 / w_i)^(1/2) + c h ||d - A_F a_F||``, for
  any part F of T;
- ``u_F >= ||P_F e||_2``, P_F the projector onto the range of A_F: with ``mu = lambda_min(A_F^T A_F)
  min_F w_i`` and ``H >= ||P_F (d + A_Fc W A_Fc^T e)||``, ``u_F -> u_F e^(-c mu h) + H / mu (1 -
  e^(-c mu h))``, or by the sum of ``h_i^2 / w_i``, with ``h >= |A_F^+ (d + A_Fc W A_Fc^T e)|``.

Then ``|A_i^T e| <= ||A_i|| min(E, u_F for F with i)`` tells what w ranges over, which has to be
what was supposed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from flint import arb, arb_mat, fmpq

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import exact_matrix
from implicit_l1.proof.comparison import (
    Columns,
    block_after,
    block_energy,
    distance_after,
    euclidean,
    push,
)
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.minimizer import ProvedMinimizer
from implicit_l1.proof.taylor import DEGREE, Within, known, product, series, times, total
from implicit_l1.proof.trajectory_frame import (
    Coordinates,
    column_norms,
    eigenvalue_bounds,
    gram,
)
from implicit_l1.proof.verified import doubles_of, gamma, rounded_up


@dataclass(frozen=True)
class FlowStep:
    """A step of a computed flow, as polynomials.

    Attributes:
        start, end: times.
        active: T, k indices of independent columns, increasing.
        basis: near an orthonormal basis of ker A_T^T, shape (N, N - k).
        coefficients: in Legendre polynomials on the step, shape (m, N), of the increments since
            its start, k of zeta = A_T^T lam and N - k of lam along the basis.
    """

    start: float
    end: float
    active: np.ndarray
    basis: np.ndarray
    coefficients: np.ndarray


@dataclass(frozen=True)
class Enclosure:
    """n = x(t) - g* at a time: d balls, and the bound of ||lam(t) - lam~(t)||_2."""

    time: float
    error: list[arb]
    distance: float


@dataclass(frozen=True)
class ProvedTrajectory:
    """What is proved of a trajectory.

    Attributes:
        points: at the times that were asked for, up to `until`.
        until: where the proof ends.
        reason: why it ends there; empty at the end of steps that reach all times.
        pieces: how many there were.
    """

    points: list[Enclosure]
    until: float
    reason: str
    pieces: int


_SHORTEST = 2.0**-14  # of a piece, in units of its step
_REST = 0.1  # what the rest of a Taylor model may add to a defect
_CHANGE = 0.4  # what a room may change by on a piece, relatively, or z at D = 2
_NOTHING = 1e-110
_ROUNDS = 8
_GAP = 3.0  # between the slopes of two levels, at least
_LEVELS = 6


class TrajectoryProof:
    """Enclosures along the flow of one instance, depth and scale.

    Args:
        matrix: A as doubles, shape (N, d).
        minimizer: of (A, y), proved.
        depth: D.
        alpha: scale of the predictor, a ball.
    Raises:
        ValueError: if the minimizer is of another matrix.
    """

    def __init__(
        self, matrix: np.ndarray, minimizer: ProvedMinimizer, depth: float, alpha: arb
    ) -> None:
        if not np.array_equal(matrix, minimizer.frame.matrix.doubles):
            raise ValueError("the minimizer is proved of another matrix")
        self.matrix, self.alpha, self.potential = matrix, alpha, BallPotential(depth)
        self.rate = time_constant(depth, alpha)
        self.goal = minimizer.point
        norm = float(rounded_up(np.sqrt(eigenvalue_bounds(gram(matrix.T))[1])))
        self.columns = Columns(column_norms(known(matrix)), norm)

    def follow(self, steps: Iterable[FlowStep], times: Sequence[float]) -> ProvedTrajectory:
        """Enclose the flow along the steps of an approximate one.

        Args:
            steps: from time 0 on, each starting where the last one ends.
            times: increasing, at which an enclosure is wanted.
        Raises:
            ValueError: if times or steps are not in order, a time is before 0 or not finite, or
                the polynomials of a step are of too many terms.
        """
        if not all(0.0 <= time < np.inf for time in times):
            raise ValueError("the times of a trajectory are not finite numbers from 0 on")
        if np.any(np.diff(times) <= 0.0):
            raise ValueError("the times of a trajectory are not increasing")
        walk = _Walk(self, times)
        reason = ""
        try:
            for step in steps:
                walk.take(step)
            if walk.wanted:
                reason = f"the steps end at the time {walk.time:g}"
        except (NotProved, np.linalg.LinAlgError) as failure:
            reason = str(failure)
        return ProvedTrajectory(walk.points, walk.until, reason, walk.pieces)


def time_constant(depth: float, alpha: arb) -> arb:
    """c_D(alpha) of ``lam' = c (y - A x)``."""
    if depth == 2:
        return arb(4)
    exact = arb(depth)
    return exact * (exact - 2) * alpha ** (1 - 2 / exact)


@lru_cache(maxsize=4096)
def _shift(terms, low, high):
    """Taylor coefficients of Legendre polynomials on [0, 1], less their start, on a part of it.

    In ``tau``, which goes from -1 to 1 there: polynomials in columns, as rows of rationals.
    """
    centre, half = low + high - 1, high - low
    rows = [[fmpq(0)] * terms for _ in range(terms)]
    rows[0][0] = fmpq(1)
    if terms > 1:
        rows[0][1], rows[1][1] = centre, half
    for degree in range(2, terms):
        for power in range(degree + 1):
            here = centre * rows[power][degree - 1]
            if power:
                here += half * rows[power - 1][degree - 1]
            here *= 2 * degree - 1
            rows[power][degree] = (here - (degree - 1) * rows[power][degree - 2]) / degree
    for degree in range(terms):
        rows[0][degree] -= (-1) ** degree
    return arb_mat(1, terms, rows[0]), np.array([[float(arb(v)) for v in row] for row in rows])


def _chebyshev():
    """Powers in Chebyshev polynomials, shape (DEGREE + 1, DEGREE + 1), powers in columns; exact."""
    found = np.zeros((DEGREE + 2, DEGREE + 1))
    found[0, 0] = 1.0
    for power in range(1, DEGREE + 1):
        last = found[:, power - 1]
        found[1:, power] += 0.5 * last[:-1]
        found[:-1, power] += 0.5 * last[1:]
        found[1, power] += 0.5 * last[0]
    return found[:-1]


_CHEBYSHEV = _chebyshev()


def _largest(polynomials: Within) -> np.ndarray:
    """Upper bounds of the sizes of polynomials in tau on [-1, 1]."""
    turned = np.abs(_CHEBYSHEV @ polynomials.middle).sum(axis=0)
    wide = gamma(2 * DEGREE + 2) * np.abs(polynomials.middle) + polynomials.radius
    return rounded_up(turned + wide.sum(axis=0))


@dataclass(frozen=True)
class _Level:
    """A part F of T: places in T, indices, lambda_min, bounds of ``|A_F^+ A|``, and u."""

    places: np.ndarray
    columns: frozenset
    least: float
    maps: np.ndarray
    bound: float


@dataclass(frozen=True)
class _Force:
    """What moves the block of a level on a piece: mu, H, bounds of |h|, and of w from below."""

    decay: float
    push: float
    inner: np.ndarray
    low: np.ndarray


class _Walk:
    """Goes along the steps; holds the end reached, and what is known there.

    Attributes:
        lam: lam~, N exact balls; z: A^T lam~, d balls; distance: E; levels: of the last piece.
    """

    def __init__(self, proof, wanted):
        self.proof, self.wanted = proof, list(wanted)
        self.points, self.pieces, self.time, self.until = [], 0, 0.0, 0.0
        self.matrix = exact_matrix(proof.matrix)
        self.lam = arb_mat(1, len(proof.matrix))
        self.z = [arb(0)] * proof.matrix.shape[1]
        self.distance, self.levels, self.frame = 0.0, [], None
        self.blocks = {}
        self.rate_up = float(rounded_up(float(proof.rate.upper())))
        self.rate_down = float(proof.rate.lower()) * (1.0 - 2.0**-30)
        if self.wanted and self.wanted[0] == 0.0:
            self.enclose(self.wanted.pop(0), self.z, np.zeros(len(self.z)), 0.0)

    def take(self, step):
        """Follow a step."""
        if step.start != self.time or not step.end > step.start:
            raise ValueError(f"the step from {step.start} to {step.end} follows {self.time}")
        if len(step.coefficients) > DEGREE + 1:
            raise ValueError(f"the polynomials of a step are of degree {DEGREE} at most")
        if self.frame is None or not self.frame.is_of(step.active, step.basis):
            self.frame = Coordinates(self.proof.matrix, step.active, step.basis)
            self.blocks = {}
        length = arb(step.end) - arb(step.start)
        coefficients = exact_matrix(step.coefficients)
        todo, begin = [(fmpq(0), fmpq(1))], list(self.z)
        first = True
        while todo:
            low, high = todo.pop()
            piece = _Piece(self, step, length, coefficients, begin, low, high)
            if not piece.fine and float(arb(high - low)) > _SHORTEST:
                middle = (low + high) / 2
                todo += [(middle, high), (low, middle)]
                continue
            if first:
                first = False
                shift = piece.correction()
                if shift is not None:
                    self.move(shift, jump=True)
                    begin = list(self.z)
                    piece = _Piece(self, step, length, coefficients, begin, low, high)
            piece.bound()
            self.pieces += 1
            self.until = _below(arb(step.start) + length * arb(high))
        self.move(_shift(len(step.coefficients), fmpq(1), fmpq(1))[0] * coefficients)
        self.time = self.until = step.end

    def at(self, coefficients, begin, low, high):
        """z in the middle of a part of the step, d balls."""
        increments = _shift(coefficients.nrows(), low, high)[0] * coefficients
        moved = self.frame.moved(increments)
        return [z + h for z, h in zip(begin, moved, strict=True)]

    def move(self, increments, jump=False):
        """Let lam~ move by (d zeta, d b), a row of balls, and round it, which is a jump.

        Args:
            jump: whether all of it is a jump.
        """
        shift = increments * self.frame.inverse
        moved = self.lam + shift
        self.lam = moved.mid()
        self.z = (self.lam * self.matrix).entries()
        jumped = _size(moved - self.lam) + (_size(shift) if jump else 0.0)
        self.distance = float(rounded_up(self.distance + jumped))
        self.levels = [replace(v, bound=float(rounded_up(v.bound + jumped))) for v in self.levels]

    def enclose(self, time, z, radius, distance):
        """n at a time, from z~ and bounds of ``|z - z~|``."""
        proof = self.proof
        wide = [value + arb(0, r) for value, r in zip(z, radius.tolist(), strict=True)]
        if proof.potential.depth != 2 and not all(abs(value) < 1 for value in wide):
            raise NotProved("the bound of the distance reaches the end of the domain of phi")
        x = [proof.alpha * value for value, _ in proof.potential.with_slopes(wide)]
        error = [value - g for value, g in zip(x, proof.goal, strict=True)]
        self.points.append(Enclosure(time, error, distance))


class _Piece:
    """A part of a step, with the Taylor models of x~ and of the defect."""

    def __init__(self, walk, step, length, exact, begin, low, high):
        self.walk, self.step, self.exact, self.begin = walk, step, exact, begin
        self.low, self.high, self.length = low, high, length
        proof, frame, count = walk.proof, walk.frame, len(step.active)
        _, shift = _shift(len(step.coefficients), low, high)
        wide = gamma(len(shift) + 2) * (np.abs(shift) @ np.abs(step.coefficients))
        increments = Within(shift @ step.coefficients, rounded_up(wide))
        moved = product(increments, frame.near)
        path = Within(*np.zeros((2, len(shift), len(begin))))
        for whole, inner, outer in zip(path, increments, moved, strict=True):
            whole[:, frame.active], whole[:, frame.others] = inner[:, :count], outer
        centre = walk.at(exact, begin, low, high)
        self.model = series(proof.potential, proof.alpha, centre, path, proof.goal)
        half = length * arb(high - low) / 2
        self.time = float(rounded_up(float((2 * half).upper())))
        # lam' / c in powers of tau; c is a ball, as alpha is
        speed, doubt = doubles_of([1 / (proof.rate * half)])
        order = np.arange(1.0, len(shift))[:, None]
        moves = Within(*(part[1:] for part in increments))
        velocity = times(moves, order * speed, 2)
        wide = rounded_up(velocity.radius + order * doubt * moves.sizes)
        velocity = product(Within(velocity.middle, wide), frame.speeds)
        image = product(
            Within(*(part[:, frame.others] for part in self.model.coefficients)),
            Within(frame.near.middle.T, frame.near.radius.T),
        )
        # the first coefficient is a difference of what may be far larger
        start = self.model.start
        outer = arb_mat(1, len(frame.others), [start[i] for i in frame.others]) * frame.images
        first = [
            value + start[i] for value, i in zip(outer.entries()[:count], frame.active, strict=True)
        ]
        first = doubles_of(first + outer.entries()[count:])
        inner = Within(*np.zeros((2, *image.middle.shape)))
        speeds = Within(*np.zeros((2, *image.middle.shape)))
        for part in (0, 1):
            image[part][0] = first[part]
            inner[part][1:, :count] = self.model.coefficients[part][1:, frame.active]
            speeds[part][: len(velocity[part])] = velocity[part]
        self.defect = total(total(image, inner), speeds)
        rest = rounded_up(self.model.rest[frame.others] @ frame.near.sizes.T)
        rest[:count] += self.model.rest[frame.active]
        rest = rounded_up(rest)
        size = _largest(self.defect)
        self.a, self.b = size[:count], euclidean(size[count:])
        rest_a, rest_b = euclidean(rest[:count]), euclidean(rest[count:])
        self.fine = bool(
            np.max(self.model.reach) <= _CHANGE
            and rest_a <= _REST * euclidean(self.a) + _NOTHING
            and rest_b <= _REST * self.b + _NOTHING
        )
        self.a = rounded_up(self.a + rest[:count])
        self.b = float(rounded_up(rounded_up(self.b + rest_b) * frame.stretch))

    def correction(self):
        """A jump to where the mean of a vanishes, where that is worth it, else None."""
        walk, frame = self.walk, self.walk.frame
        if not len(frame.active):
            return None
        even = 1.0 / np.arange(1.0, DEGREE + 2.0)
        even[1::2] = 0.0
        mean = even @ self.defect.middle[:, : len(frame.active)]
        slope = self.model.slope.sum(axis=0)[frame.active]
        fast = walk.rate_up * slope * frame.least * self.time > 2.0
        if not np.any(fast) or euclidean(mean[fast]) < 0.3 * euclidean(self.a[fast]):
            return None
        move = np.where(fast, -mean / slope, 0.0)
        rest = [0.0] * (len(walk.lam.entries()) - len(move))
        return arb_mat(1, len(move) + len(rest), [*move.tolist(), *rest])

    def bound(self):
        """Bounds at the end of the piece, and enclosures at the times in it.

        What is supposed of E and u on the piece bounds w, and by it E and u: if these bounds are
        smaller, what was supposed is true.
        """
        walk = self.walk
        levels = self._levels()
        found = walk.distance, [level.bound for level in levels]
        for _ in range(_ROUNDS):
            supposed = _wider(found)
            low, high = self.model.slopes(self._radius(levels, supposed))
            if not np.all(np.isfinite(high)):
                break
            found, forces = self._found(levels, low, high, supposed)
            if found[0] < supposed[0] and all(map(float.__lt__, found[1], supposed[1])):
                self._enclose(levels, supposed, forces)
                walk.distance = found[0]
                walk.levels = [
                    replace(level, bound=min(u, found[0]))
                    for level, u in zip(levels, self._ends(levels, forces), strict=True)
                ]
                return
        raise NotProved(
            f"the distance of the flow from the path is known only to {walk.distance:.1e}, which "
            "is too much for the slopes of phi"
        )

    def _levels(self):
        """Parts F of T by the size of w, from large parts to small ones, with u at the start."""
        walk, frame = self.walk, self.walk.frame
        if not len(frame.active):
            return []
        slope = self.model.slope.sum(axis=0)[frame.active]
        order = np.argsort(-slope, kind="stable")
        ratio = slope[order[:-1]] / slope[order[1:]]
        cuts = np.argsort(-ratio, kind="stable")[: _LEVELS - 1]
        cuts = np.sort(cuts[ratio[cuts] > _GAP]) + 1
        found = []
        for cut in [len(order), *cuts[::-1]]:
            places = np.sort(order[:cut])
            key = places.tobytes()
            if key not in walk.blocks:
                walk.blocks[key] = frame.block(places)
            least, maps = walk.blocks[key]
            if least > 0.0:
                columns = frozenset(frame.active[places].tolist())
                found.append(_Level(places, columns, least, maps, self._start(columns, least)))
        return found

    def _start(self, columns, least):
        """u of a part at the start of the piece, from what is known of the last ones."""
        walk, norms = self.walk, self.walk.proof.columns.norms
        known = [walk.distance, *(v.bound for v in walk.levels if columns <= v.columns)]
        each = np.array(
            [
                norms[i] * min([walk.distance, *(v.bound for v in walk.levels if i in v.columns)])
                for i in columns
            ]
        )
        return min([*known, float(rounded_up(euclidean(rounded_up(each)) / np.sqrt(least)))])

    def _radius(self, levels, bounds):
        """Bounds of ``|A_i^T e|``, all i."""
        walk = self.walk
        known = np.full(len(walk.z), bounds[0])
        for level, bound in zip(levels, bounds[1], strict=True):
            columns = walk.frame.active[level.places]
            known[columns] = np.minimum(known[columns], bound)
        return rounded_up(known * walk.proof.columns.norms)

    def _found(self, levels, low, high, supposed):
        """Bounds on the piece from supposed ones; and the forces on each level."""
        walk, frame, columns = self.walk, self.walk.frame, self.walk.proof.columns
        low, scaled = low[frame.active], float(rounded_up(walk.rate_up * self.time))
        distance = distance_after(walk.distance, self.a, self.b, low, columns, frame.active, scaled)
        radius = self._radius(levels, supposed)
        across = float(rounded_up(frame.lean * self.b))
        sizes = rounded_up(high * radius)
        sizes[frame.active] = rounded_up(sizes[frame.active] + self.a)
        forces = []
        for level in levels:
            beyond, slopes = np.delete(frame.active, level.places), low[level.places]
            force = push(
                *(supposed[0], radius, self.a, across, high),
                *(columns, frame.active, frame.others, beyond),
            )
            # h = A_F^+ (d + A_Fc W A_Fc^T e)
            inner = rounded_up(self.a[level.places] + level.maps @ sizes)
            inner = rounded_up(inner + across / np.sqrt(level.least))
            decay = (1.0 - 2.0**-30) * level.least * float(np.min(slopes))
            forces.append(_Force(decay, force, inner, slopes))
        # between start and end: u' = -c mu u + c H has monotonic solutions
        ends = zip(levels, self._ends(levels, forces), strict=True)
        return (distance, [min(distance, max(level.bound, u)) for level, u in ends]), forces

    def _ends(self, levels, forces, since=np.inf):
        """u of each level a time, of which a lower bound is given, after the start of the piece."""
        scaled = float(rounded_up(self.walk.rate_up * self.time))
        since = self.walk.rate_down * min(since, self.time * (1.0 - 2.0**-29)) * (1.0 - 2.0**-30)
        return [
            min(
                block_after(level.bound, f.push, f.decay, scaled, since),
                block_energy(level.bound, f.inner, f.low, f.decay, scaled, since),
            )
            for level, f in zip(levels, forces, strict=True)
        ]

    def _enclose(self, levels, bounds, forces):
        """Enclosures at the times that lie in the piece."""
        walk, step = self.walk, self.step
        start = arb(step.start) + self.length * arb(self.low)
        end = arb(step.start) + self.length * arb(self.high)
        while walk.wanted and arb(walk.wanted[0]) <= end:
            time = walk.wanted.pop(0)
            exact = _rational(time)
            place = (exact - _rational(step.start)) / (_rational(step.end) - _rational(step.start))
            z = walk.at(self.exact, self.begin, place, place)
            since = max(0.0, float((arb(time) - start).lower()) * (1.0 - 2.0**-30))
            ends = self._ends(levels, forces, since)
            ends = [min(pair) for pair in zip(ends, bounds[1], strict=True)]
            radius = self._radius(levels, (bounds[0], ends))
            walk.enclose(time, z, radius, bounds[0])


def _size(row):
    """An upper bound of the norm of a row of balls."""
    return euclidean(rounded_up(np.array([float(abs(v).upper()) for v in row.entries()])))


def _wider(bounds):
    """A little more than some bounds."""
    return bounds[0] * 1.05 + 1e-100, [value * 1.05 + 1e-100 for value in bounds[1]]


def _below(value):
    """The largest double that is not above a ball."""
    found = float(value.lower())
    return found if arb(found) <= value else float(np.nextafter(found, -np.inf))


def _rational(value):
    return fmpq(*float(value).as_integer_ratio())
