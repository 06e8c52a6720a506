"""Trajectories of the flow in many bits, by a method that shares nothing with the library's.

``lam' = c (A g* - A x)``, ``x = alpha scale phi_D(A^T lam + start)`` as it stands, without any of
the coordinates that keep digits: the digits are there.  Collocation at Radau's points, Newton's
method with the whole Jacobian on all unknowns of a step.  A problem of 3 x 5 takes half a second.
"""

from functools import cache
from math import comb, prod

import mpmath
import numpy as np
from flint import arb, arb_mat, ctx, fmpq

STAGES = 7

# (A, g*) of few digits that are not kind
UNKIND = {
    # two columns of S that differ by 2^-10, A of condition 3.7
    "near_copies": ([[1, 1, 0.5, -0.25], [1, 1 + 2.0**-10, 3, -2]], [1, 1, 0, 0]),
    "one_row": ([[1.0, 0.75, -0.5]], [2.0, 0, 0]),
    "almost_a_tie": ([[1.0, 1 - 2.0**-12]], [1.0, 0]),
    "one_column_more": ([[1, 0, 0.875], [0, 1, 0.0625]], [1.0, 2.0**-7, 0]),
    "scales": ([[2.0**-12, 1, 0.5, 16], [0, 0.5, -0.25, 64]], [0, 1.0, 0, 0.125]),
    # A of condition 2e6, |S| = 1
    "nearly_one_row": ([[1, 0.75, 0.5], [1, 0.75 + 2.0**-21, 0.5]], [1.0, 0, 0]),
    "far_apart": ([[1, 0.5, 0.25, 0], [0, 0.5, -0.5, 1]], [1.0, 2.0**-20, 0, 0]),
    "no_support_but_one": ([[1, 0.5, 0, 0], [0, 0.5, 1, 0.5], [0, 0, 1, -1]], [1.0, 0, 0, 0]),
}


@cache
def _collocation(bits):
    """Points c and inv(A), in mpmath, from the definition: row i integrates up to c_i."""
    with mpmath.workprec(bits):
        polynomial = mpmath.taylor(
            lambda t: mpmath.legendre(STAGES - 1, 2 * t - 1) - mpmath.legendre(STAGES, 2 * t - 1),
            *(0, STAGES),
        )
        roots = mpmath.polyroots(polynomial[::-1], maxsteps=500, extraprec=2 * bits)
        points = sorted(mpmath.re(root) for root in roots)
        powers = mpmath.matrix(STAGES, STAGES)
        integrals = mpmath.matrix(STAGES, STAGES)
        for i, c in enumerate(points):
            for j in range(STAGES):
                powers[i, j], integrals[i, j] = c**j, c ** (j + 1) / (j + 1)
        return points, powers * integrals**-1


class _Flow:
    """The velocity and its Jacobian in numbers of `ctx.prec` bits."""

    def __init__(self, matrix, minimizer, depth, alpha, initialization):
        size = minimizer.size
        unit, scale, start = np.ones(size), np.ones(size), np.zeros(size)
        if initialization is not None:
            unit, scale = initialization.unit, initialization.scale
            start = initialization.tilt + initialization.offset
        exact = arb_mat(matrix.tolist())
        self.minimizer = arb_mat([[float(g)] for g in minimizer])
        self.data = exact * self.minimizer
        self.unit = [arb(float(u)) for u in unit]
        self.matrix = (exact * _diagonal(self.unit)).mid()
        self.alpha = alpha
        self.scale = [alpha * float(s) for s in scale]
        self.start = [arb(float(v)) for v in start]
        if depth == 2:
            self.power, self.rate = None, arb(4)
        else:
            ratio = arb(fmpq(*float(depth).as_integer_ratio()))
            self.power = ratio / (ratio - 2)
            self.rate = ratio * (ratio - 2) * alpha ** (1 - 2 / ratio)

    def at(self, dual):
        """(room of z, x~, dx~/dz) of a dual vector, lists; None outside the domain."""
        z = [
            (v + s).mid()
            for v, s in zip((self.matrix.transpose() * dual).entries(), self.start, strict=True)
        ]
        if self.power is None:
            both = [(v.exp(), (-v).exp()) for v in z]
            values = [(a - b, a + b) for a, b in both]
            room = [arb(1)] * len(z)
        else:
            if not all(-1 < v < 1 for v in z):
                return None
            both = [((1 - v) ** -self.power, (1 + v) ** -self.power) for v in z]
            values = [
                (a - b, self.power * (a / (1 - v) + b / (1 + v)))
                for (a, b), v in zip(both, z, strict=True)
            ]
            room = [1 - abs(v) for v in z]
        x = [(s * v).mid() for s, (v, _) in zip(self.scale, values, strict=True)]
        slope = [(s * v).mid() for s, (_, v) in zip(self.scale, values, strict=True)]
        return z, room, x, slope

    def velocity(self, x):
        return (self.rate * (self.data - self.matrix * _column(x))).mid()

    def curvature(self, slope):
        return (self.rate * (self.matrix * _diagonal(slope) * self.matrix.transpose())).mid()

    def seen(self, dual):
        """(n = x - g*, ||A n||_2^2 / 2) at a dual vector, shape (d + 1,), rounded at the end."""
        _, _, x, _ = self.at(dual)
        gap = (self.data - self.matrix * _column(x)).entries()
        values = [
            *(u * v - g for u, v, g in zip(self.unit, x, self.minimizer.entries(), strict=True)),
            sum(v * v for v in gap) / 2,
        ]
        return np.array([float(v.mid()) for v in values])


def _column(values):
    return arb_mat([[v] for v in values])


def _diagonal(values):
    size = len(values)
    return arb_mat([[values[i] if i == j else arb(0) for j in range(size)] for i in range(size)])


def exact_flow(
    matrix, minimizer, depth, exponent, times, initialization=None, tolerance=1e-8, bits=224
):
    """n and the loss at increasing times, shapes (m, d) and (m,), at alpha = 10^exponent.

    The tolerance is that of a step, relative to x, or near g* to ||n||_1.
    """
    before, ctx.prec = ctx.prec, bits
    try:
        alpha = arb(10) ** exponent
        return _integrated(_Flow(matrix, minimizer, depth, alpha, initialization), times, tolerance)
    finally:
        ctx.prec = before


def _integrated(flow, times, tolerance):
    points, inverse = _collocation(ctx.prec)
    c = [arb(mpmath.nstr(v, 75)) for v in points]
    inverse = [[arb(mpmath.nstr(inverse[i, j], 75)) for j in range(STAGES)] for i in range(STAGES)]
    rows = flow.matrix.nrows()
    dual, time, length = _column([arb(0)] * rows), arb(0), arb(float(times[0]))
    found, guess = [], None
    nodes = [arb(0), *c]
    weights = [
        1 / prod(((node - other) for other in nodes if other is not node), start=arb(1))
        for node in c
    ]
    while len(found) < len(times):
        stages = _step(flow, dual, length, inverse, guess)
        if stages is None:
            length, guess = length / 4, None
            continue
        # the last Legendre coefficient of the polynomial
        last = sum((w * z for w, z in zip(weights, stages, strict=True)), stages[0] * 0)
        last = (last / comb(2 * STAGES, STAGES)).mid()
        ends = dual, (dual + stages[-1]).mid()
        error = max(_relative(flow, flow.at(end), last) for end in ends) / tolerance
        factor = 0.9 * max(error, 1e-12) ** (-1.0 / STAGES)
        if error > 1.0:
            length, guess = length * max(0.2, factor), None
            continue
        while len(found) < len(times) and time + length >= float(times[len(found)]):
            place = (arb(float(times[len(found)])) - time) / length
            found.append(flow.seen((dual + _interpolated(nodes, weights, stages, place)).mid()))
        new = (length * min(5.0, max(0.2, factor))).mid()
        guess = [
            (_interpolated(nodes, weights, stages, 1 + v * new / length) - stages[-1]).mid()
            for v in c
        ]
        dual, time, length = (dual + stages[-1]).mid(), (time + length).mid(), new
    found = np.array(found)
    return found[:, :-1], found[:, -1]


def _step(flow, dual, length, inverse, guess):
    """The increments at the points, by Newton's method; None if it does not converge."""
    rows, last = dual.nrows(), np.inf
    stages = guess or [_column([arb(0)] * rows)] * STAGES
    for _ in range(12):
        states = [flow.at((dual + stage).mid()) for stage in stages]
        if any(state is None for state in states):
            return None
        velocities = [flow.velocity(x) for _, _, x, _ in states]
        curvatures = [flow.curvature(slope) for *_, slope in states]
        size = STAGES * rows
        system = [[arb(0)] * size for _ in range(size)]
        right = []
        for i in range(STAGES):
            rest = length * velocities[i]
            for j in range(STAGES):
                rest = rest - inverse[i][j] * stages[j]
                for row in range(rows):
                    system[i * rows + row][j * rows + row] = inverse[i][j]
            for row in range(rows):
                right.append(rest[row, 0])
                for column in range(rows):
                    system[i * rows + row][i * rows + column] += length * curvatures[i][row, column]
        matrix = arb_mat(system).mid()
        moves = matrix.solve(_column(right).mid(), algorithm="approx")
        moves = [
            _column([moves[i * rows + row, 0] for row in range(rows)]).mid() for i in range(STAGES)
        ]
        stages = [(stage + move).mid() for stage, move in zip(stages, moves, strict=True)]
        moved = max(_relative(flow, state, move) for state, move in zip(states, moves, strict=True))
        if not moved < 2.0 * last + 1.0:
            return None
        if moved < 1e-18:
            return stages
        last = moved
    return None


def _relative(flow, state, move):
    """How much a move of the dual vector moves x, relative to x, and to ||n||_1."""
    z, room, x, slope = state
    shift = (flow.matrix.transpose() * move).entries()
    error = sum(
        abs(v - g / u) for v, g, u in zip(x, flow.minimizer.entries(), flow.unit, strict=True)
    )
    largest = max(abs(float(v)) for v in z)
    moved = max(abs(float(s / r)) for s, r in zip(shift, room, strict=True))
    near = max(abs(float(s * w / error)) for s, w in zip(shift, slope, strict=True))
    return max(moved / min(1.0, largest or 1.0), near)


def _interpolated(nodes, weights, stages, place):
    """The polynomial that is 0 at 0 and the increments at the points."""
    total = stages[0] * 0
    for node, weight, stage in zip(nodes[1:], weights, stages, strict=True):
        rest = prod((place - other for other in nodes if other is not node), start=weight)
        total = total + rest * stage
    return total
