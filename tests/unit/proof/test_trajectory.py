"""Enclosures of trajectories against trajectories that are known otherwise."""

from dataclasses import replace

import numpy as np
import pytest
from flint import arb, arb_mat, ctx
from numpy.polynomial.legendre import legvander

from implicit_l1.network.radau import collocation
from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import power_of_ten, relative_radius, sum_of_sizes
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.proof.trajectory import FlowStep, TrajectoryProof, time_constant

# two problems of one row, mixed by a matrix O with O^T O = 25 I: along it the flow of each is
# that of one unknown, at 25 times the pace
TURN = np.array([[3.0, 4.0], [-4.0, 3.0]])
BLOCKS = np.array([[1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, -0.75]])
GOAL = np.array([1.0, 0.0, 0.25, 0.0])
# one in which all is coupled
MATRIX = np.array([[1.0, 0.25, 0.5, -0.5], [-0.25, 1.0, 0.5, 0.25]])


@pytest.fixture(autouse=True)
def precision():
    with ctx.workprec(128):
        yield


class Flow:
    """Radau IIA in balls of which only the middles count, in lam, for very few rows."""

    def __init__(self, matrix, goal, depth, exponent, stages=9):
        self.matrix, self.goal = matrix, goal
        self.minimizer = prove_minimizer(
            matrix,
            matrix @ goal,
            goal,
            np.linalg.lstsq(matrix[:, goal != 0].T, np.sign(goal[goal != 0]), rcond=None)[0],
        )
        self.depth, self.alpha = depth, power_of_ten(exponent)
        self.rate, self.stages = time_constant(depth, self.alpha), stages
        self.points = collocation(stages)[0]
        powers = [[arb(c) ** (j + 1) for j in range(stages)] for c in self.points]
        slopes = [[(j + 1) * arb(c) ** j for j in range(stages)] for c in self.points]
        self.slopes = arb_mat(slopes) * arb_mat(powers).inv()
        nodes = np.append(0.0, self.points)
        self.to_legendre = arb_mat(legvander(2.0 * nodes - 1.0, stages).tolist()).inv()
        self.columns = arb_mat(matrix.tolist())
        self.data = [arb(v) for v in (matrix @ goal).tolist()]

    def evaluate(self, lam):
        """(lam', its derivative) at a state; raises ArithmeticError outside the domain."""
        z = (arb_mat(1, len(lam), lam) * self.columns).entries()
        found = BallPotential(self.depth).with_slopes(z)
        x = arb_mat(len(z), 1, [self.alpha * value for value, _ in found])
        weighted = [self.rate * self.alpha * slope for _, slope in found]
        image = (self.columns * x).entries()
        speed = [self.rate * (y - value) for y, value in zip(self.data, image, strict=True)]
        rows = range(len(lam))
        scaled = arb_mat([[self.columns[i, j] * weighted[j] for j in range(len(z))] for i in rows])
        return [v.mid() for v in speed], (-scaled * self.columns.transpose()).mid()

    def stage_values(self, lam, length, wanted):
        """Increments at the points of a step, by Newton's method, or None."""
        rows, stages = len(lam), self.stages
        found = [arb(0)] * (stages * rows)
        for _ in range(12):
            residual, system = [], arb_mat(stages * rows, stages * rows)
            try:
                for s in range(stages):
                    state = [
                        v + h for v, h in zip(lam, found[s * rows : (s + 1) * rows], strict=True)
                    ]
                    speed, slope = self.evaluate([v.mid() for v in state])
                    for i in range(rows):
                        total = -length * speed[i]
                        for r in range(stages):
                            total += self.slopes[s, r] * found[r * rows + i]
                            system[s * rows + i, r * rows + i] += self.slopes[s, r]
                        residual.append(total.mid())
                        for j in range(rows):
                            system[s * rows + i, s * rows + j] -= length * slope[i, j]
            except ArithmeticError:
                return None
            move = system.mid().solve(arb_mat(len(residual), 1, residual), algorithm="approx")
            found = [(v - h).mid() for v, h in zip(found, move.entries(), strict=True)]
            size = max(float(abs(h)) for h in move.entries())
            if not np.isfinite(size):
                return None
            if size < wanted:
                return found
        return None

    def steps(self, end, tolerance, active=(), first=1e-3):
        """Steps of a flow whose last Legendre coefficients are below a tolerance of the slack."""
        active = np.array(active, dtype=int)
        rows = len(self.matrix)
        basis = np.linalg.qr(self.matrix[:, active], mode="complete")[0][:, active.size :]
        if not active.size:
            basis = np.eye(rows)
        turn = arb_mat(np.hstack([self.matrix[:, active], basis]).tolist())
        lam, time, length = [arb(0)] * rows, 0.0, first / float(self.rate)
        taken, self.states = [], [(0.0, lam)]
        while time < end:
            length = min(length, end - time) if end - time > 1.01 * length else end - time
            exact = arb(time + length) - arb(time)
            found = self.stage_values(lam, exact, 1e-6 * tolerance * 1e-8)
            if found is None:
                length *= 0.3
                continue
            values = arb_mat(self.stages + 1, rows, [*[arb(0)] * rows, *found])
            series = self.to_legendre * values
            new = [(v + h).mid() for v, h in zip(lam, found[-rows:], strict=True)]
            z = (arb_mat(1, rows, new) * self.columns).entries()
            room = np.array([1.0 if self.depth == 2 else float(1 - abs(v)) for v in z])
            last = (series * self.columns).tolist()[-1]
            error = max(abs(float(v)) / r for v, r in zip(last, room, strict=True)) / tolerance
            if error > 1.0:
                length *= 0.6
                continue
            turned = series * turn
            taken.append(
                FlowStep(
                    time,
                    time + length,
                    active,
                    basis,
                    np.array([[float(v) for v in row] for row in turned.tolist()]),
                )
            )
            lam, time = new, time + length
            self.states.append((time, lam))
            length *= min(3.0, 0.8 * max(error, 1e-9) ** (-1.0 / self.stages))
        return taken

    def proof(self):
        return TrajectoryProof(self.matrix, self.minimizer, self.depth, self.alpha)

    def errors(self, lam):
        """n of a state."""
        z = (arb_mat(1, len(lam), list(lam)) * self.columns).entries()
        x = [self.alpha * value for value, _ in BallPotential(self.depth).with_slopes(z)]
        return [value - arb(g) for value, g in zip(x, self.goal.tolist(), strict=True)]
