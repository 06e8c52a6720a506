"""Enclosures of trajectories against trajectories that are known otherwise."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from flint import acb, arb, arb_mat, ctx, fmpq
from numpy.polynomial.legendre import legvander

from implicit_l1.network.radau import collocation
from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import power_of_ten, relative_radius, sum_of_sizes
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.proof.trajectory import FlowStep, TrajectoryProof, _Piece, _Walk, time_constant
from implicit_l1.proof.trajectory_frame import Coordinates

pytestmark = pytest.mark.long

ONES = np.array([1.0, -0.5, 0.0, 0.0])
# two problems of one row, mixed by a matrix O with O^T O = 25 I: along it the flow of each is
# that of one unknown, at 25 times the pace
TURN = np.array([[3.0, 4.0], [-4.0, 3.0]])
BLOCKS = np.array([[1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, -0.75]])
GOAL = np.array([1.0, 0.0, 0.25, 0.0])
# one in which all is coupled
MATRIX = np.array([[1.0, 0.25, 0.5, -0.5], [-0.25, 1.0, 0.5, 0.25]])


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

    def frame(self, active, bent):
        """T as an array, and a basis that is orthonormal up to so much."""
        active = np.array(active, dtype=int)
        basis = np.eye(len(self.matrix))
        if active.size:
            basis = np.linalg.qr(self.matrix[:, active], mode="complete")[0][:, active.size :]
        return active, basis * (1.0 + bent) + bent

    def steps(self, end, tolerance, actives=((),), bent=0.0):
        """Steps of a flow whose last Legendre coefficients are below a tolerance of the slack.

        Each of some parts T in turn is that of three steps.  The states at the ends of the steps
        are left behind as an attribute.
        """
        rows = len(self.matrix)
        frames = [self.frame(active, bent) for active in actives]
        lam, time, length = [arb(0)] * rows, 0.0, 1e-3 / float(self.rate)
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
            active, basis = frames[len(taken) // 3 % len(frames)]
            turned = series * arb_mat(np.hstack([self.matrix[:, active], basis]).tolist())
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


@cache
def known_flow(depth, exponent, end):
    """A flow, and n at the ends of steps of a far smaller tolerance."""
    with ctx.workprec(200):
        flow = Flow(MATRIX, ONES, depth, exponent)
        flow.steps(end, 1e-11)
        return flow, [(time, flow.errors(lam)) for time, lam in flow.states]


def follow(flow, steps, known):
    return flow.proof().follow(steps, [time for time, _ in known])


def held(proved, known):
    """Whether the enclosures hold what is known, at all times."""
    assert not proved.reason
    return len(proved.points) == len(known) and all(
        point.time == time
        and all(a.contains(b.mid()) for a, b in zip(point.error, error, strict=True))
        for point, (time, error) in zip(proved.points, known, strict=True)
    )


def widest(proved):
    return max(relative_radius(sum_of_sizes(point.error)) for point in proved.points)


CASES = [
    (2, -4, 40.0, [(0,), (), (0, 1)], 1e-6),
    (2.5, -2, 1e2, [(0, 1), (1,)], 1e-5),
    (3, -6, 1e5, [(0, 1)], 1e-4),
    (6, -4, 1e5, [(1, 0)], 1e-3),
]


@pytest.mark.parametrize(("depth", "exponent", "end", "actives", "width"), CASES)
def test_enclosures_hold_a_finer_flow(depth, exponent, end, actives, width):
    flow, known = known_flow(depth, exponent, end)
    steps = flow.steps(end, 1e-9, actives)
    proved = follow(flow, steps, known)
    assert held(proved, known)
    assert widest(proved) < width
    assert proved.until == end


@pytest.mark.parametrize("actives", [[()], [(0,)], [(0, 1)], [(0, 2)]])
@pytest.mark.parametrize("bent", [0.0, 1e-3])
def test_coordinates_of_steps_do_not_matter(actives, bent):
    """Neither which columns are active, nor whether the basis is orthonormal."""
    flow, known = known_flow(3, -2, 2e2)
    proved = follow(flow, flow.steps(2e2, 1e-9, actives, bent), known)
    assert held(proved, known)
    assert widest(proved) < 1e-4


def moved(steps, part, size, bend):
    """Steps with a wrong velocity, or a wrong bend, in some coordinates."""
    wrong = []
    for step in steps:
        coefficients = step.coefficients.copy()
        coefficients[bend, part] += size * np.max(np.abs(coefficients), axis=0)[part]
        wrong.append(replace(step, coefficients=coefficients))
    return wrong


@pytest.mark.parametrize("bend", [1, 2, 9])
@pytest.mark.parametrize("part", [slice(0, 1), slice(1, 2)])
@pytest.mark.parametrize(("depth", "exponent", "end"), [(2, -2, 30.0), (3, -2, 2e2)])
def test_wrong_steps_are_no_wrong_proof(depth, exponent, end, part, bend):
    """Along the active column and beside it; the enclosures are as wide as they have to be."""
    flow, known = known_flow(depth, exponent, end)
    steps = moved(flow.steps(end, 1e-9, [(0,)]), part, 1e-6, bend)
    proved = follow(flow, steps, known)
    assert held(proved, known)
    away = max(
        float(abs(a.mid() - b) / sum_of_sizes(error))
        for point, (_, error) in zip(proved.points, known, strict=True)
        for a, b in zip(point.error, error, strict=True)
    )
    assert away > 1e-8
    assert widest(proved) < 0.2


def test_wrong_fast_steps_do_not_spoil_the_rest():
    """A wrong constant along what dies out is forgotten, and corrected where it is stiff."""
    flow, known = known_flow(3, -6, 1e5)
    steps = flow.steps(1e5, 1e-9, [(0, 1)])
    first = replace(steps[0], coefficients=steps[0].coefficients * (1 + 1e-7))
    proved = follow(flow, [first, *steps[1:]], known)
    assert held(proved, known)
    assert widest(proved) < 1e-4


def test_a_step_starts_where_the_last_one_ended():
    """Whatever its polynomial is there: only increments count."""
    flow, known = known_flow(3, -2, 2e2)
    steps = flow.steps(2e2, 1e-9, [(0, 1)])
    shifted = [
        replace(step, coefficients=step.coefficients + 0.5 * (np.arange(10) == 0)[:, None])
        for step in steps
    ]
    proved = [follow(flow, given, known) for given in (steps, shifted)]
    assert held(proved[1], known)
    for one, other in zip(*(p.points for p in proved), strict=True):
        assert one.distance == pytest.approx(other.distance, rel=1e-3)


def walk_at_rest(active, depth=3):
    flow, _ = known_flow(3, -2, 2e2)
    walk = _Walk(TrajectoryProof(MATRIX, flow.minimizer, depth, arb(1)), [])
    walk.frame = Coordinates(MATRIX, *flow.frame(active, 1e-3))
    return walk


def test_jumps_are_part_of_the_distance():
    walk = walk_at_rest((1,))
    walk.levels = [replace(level, bound=0.5) for level in levels_of(walk)]
    walk.distance = 1.0
    walk.move(arb_mat([[0.125, 0.0]]), jump=True)
    # the jump is orthogonal to Q, and A_1 times it is 1/8
    frame = np.column_stack([MATRIX[:, 1], walk.frame.basis])
    jump = np.linalg.solve(frame.T, [0.125, 0.0])
    assert 1.0 + np.linalg.norm(jump) <= walk.distance < 1.0 + 1.001 * np.linalg.norm(jump)
    assert all(level.bound >= 0.5 + np.linalg.norm(jump) for level in walk.levels)
    assert [float(z) for z in walk.z] == pytest.approx(jump @ MATRIX)
    # what is no jump is one of rounding only
    before = walk.distance
    walk.move(arb_mat([[0.125, 0.0]]))
    assert before < walk.distance < before * (1 + 1e-8)
    walk.move(arb_mat([[arb(0.125, 0.01), arb(0)]]))
    assert walk.distance > before + 0.009


def straight(active, height):
    """A long slow step along the first coordinate."""
    flow, _ = known_flow(3, -2, 2e2)
    coefficients = np.zeros((10, 2))
    coefficients[:2, 0] = height / 2
    return FlowStep(0.0, 1e6, *flow.frame(active, 1e-3), coefficients)


def levels_of(walk):
    step = straight(tuple(walk.frame.active), 1e-3)
    return piece_of(walk, step)._levels()


def piece_of(walk, step):
    exact = arb_mat(step.coefficients.tolist())
    return _Piece(walk, step, arb(step.end), exact, list(walk.z), fmpq(0), fmpq(1))


@pytest.mark.parametrize("active", [(), (0, 1), (0,)])
@pytest.mark.parametrize("height", [0.03, 0.95])
def test_the_defect_is_bounded(active, height):
    """On a piece that is far too long, too, where Taylor polynomials are not enough."""
    walk = walk_at_rest(active, 6)
    step = straight(active, height)
    piece = piece_of(walk, step)
    frame = np.column_stack([MATRIX[:, step.active], step.basis])
    velocity = np.linalg.solve(frame.T, [height, 0.0]) / float(walk.proof.rate) / step.end
    largest = np.zeros(2)
    for place in np.linspace(0.0, 1.0, 11):
        lam = np.linalg.solve(frame.T, [height * place, 0.0])
        z = lam @ MATRIX
        n = (1 - z) ** -1.5 - (1 + z) ** -1.5 - ONES
        found = np.linalg.solve(frame, velocity + MATRIX @ n)
        largest = np.maximum(largest, np.abs(found))
        assert np.all(np.abs(found[: len(active)]) <= piece.a * (1 + 1e-9))
        assert np.linalg.norm(found[len(active) :]) <= piece.b * (1 + 1e-9)
    assert piece.fine == (height < 0.1)
    if piece.fine:
        assert np.all(piece.a < 3.0 * largest[: len(active)])
        assert len(active) == 2 or piece.b < 3.0 * np.linalg.norm(largest[len(active) :])


def test_what_is_too_wide_is_not_proved():
    flow, known = known_flow(6, -4, 1e5)
    steps = moved(flow.steps(1e5, 1e-9, [(0, 1)]), slice(0, 1), 3e-2, 1)
    proved = follow(flow, steps, known)
    assert 0.0 < proved.until < 1e5
    assert "too much for the slopes" in proved.reason
    assert all(point.time <= proved.until for point in proved.points)
    whole = [pair for pair in known if pair[0] <= proved.points[-1].time]
    assert held(replace(proved, reason=""), whole)


def test_the_path_must_stay_in_the_domain():
    flow, _ = known_flow(3, -2, 2e2)
    steps = flow.steps(2e2, 1e-9, [(0, 1)])
    far = replace(steps[9], coefficients=steps[9].coefficients + 3.0)
    proved = flow.proof().follow([*steps[:9], far], [])
    assert proved.until == steps[9].start
    assert "domain" in proved.reason


def test_steps_follow_one_another():
    flow, _ = known_flow(3, -2, 2e2)
    steps = flow.steps(2e2, 1e-9)
    with pytest.raises(ValueError, match="follows"):
        flow.proof().follow([steps[0], steps[2]], [])
    with pytest.raises(ValueError, match="increasing"):
        flow.proof().follow(steps, [1.0, 1.0])
    for time in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="finite numbers from 0 on"):
            flow.proof().follow(steps, [time])
    longer = np.pad(steps[0].coefficients, ((0, 30), (0, 0)))
    with pytest.raises(ValueError, match="of degree 24 at most"):
        flow.proof().follow([replace(steps[0], coefficients=longer)], [])
    with pytest.raises(ValueError, match="another matrix"):
        TrajectoryProof(2 * MATRIX, flow.minimizer, 3, flow.alpha)


def test_steps_that_end_too_early_are_a_reason():
    flow, _ = known_flow(3, -2, 2e2)
    (step, *_) = flow.steps(2e2, 1e-9)
    proved = flow.proof().follow([step], [0.5 * step.end, step.end, 1.0])
    assert [point.time for point in proved.points] == [0.5 * step.end, step.end]
    assert proved.until == step.end
    assert proved.reason == f"the steps end at the time {step.end:g}"
    assert not flow.proof().follow([step], [step.end]).reason


def test_a_scale_may_be_a_wide_ball():
    """The enclosures are of every scale in it; the steps are those of its middle."""
    flow, known = known_flow(3, -2, 2e2)
    other = Flow(MATRIX, ONES, 3, -2 + 1e-6)
    wide = other.alpha * (1 + arb(0, 2.4e-6))
    assert wide.contains(flow.alpha)
    proof = TrajectoryProof(MATRIX, flow.minimizer, 3, wide)
    proved = proof.follow(other.steps(2e2, 1e-9, [(0, 1)]), [time for time, _ in known])
    assert held(proved, known)
    assert 1e-6 < widest(proved) < 1e-2


def time_until(flow, mu, ratio, value):
    """When the flow of one unknown, ``mu' = 25 c (g - x_0 - r x_1)``, reaches mu: a quadrature."""
    power = acb(flow.proof().potential.power)

    def phi(z):
        return (1 - z) ** -power - (1 + z) ** -power

    def pace(z, _):
        x = acb(flow.alpha) * (phi(z) + acb(ratio) * phi(acb(ratio) * z))
        return 1 / (25 * acb(flow.rate) * (acb(value) - x))

    return acb.integral(pace, acb(0), acb(mu)).real


@pytest.mark.parametrize(("depth", "exponent", "place"), [(3, -3, 0), (4, -8, 2)])
def test_enclosures_hold_an_integral(depth, exponent, place):
    """The time at which an entry reaches either end of its enclosure, as an integral in balls."""
    flow = Flow(TURN @ BLOCKS, GOAL, depth, exponent)
    ratio, value = (0.5, 1.0) if place == 0 else (-0.75, 0.25)

    def reached(x):
        mu = BallPotential(depth).inverse(arb(x) / flow.alpha)[0]
        return time_until(flow, mu, ratio, value)

    end = float(reached(value / 2))  # it is rising fast then
    proved = flow.proof().follow(flow.steps(end, 1e-9, [(0, 2)]), [end / 3, end])
    assert len(proved.points) == 2
    for point in proved.points:
        x = point.error[place] + arb(GOAL[place])
        assert reached(x.lower()) < arb(point.time) < reached(x.upper())
        assert relative_radius(x) < 1e-4


def test_the_end_meets_the_limit_point():
    flow, _ = known_flow(3, -2, 2e2)
    steps = flow.steps(4e3, 1e-9, [(0, 1)])
    proved = flow.proof().follow(steps, [steps[-1].end])
    guess = np.array([float(v) for v in proved.points[0].error])
    limit = LimitProof(MATRIX, flow.minimizer, 3).error(flow.alpha, guess, 0.0, 1e-9)
    assert all(a.overlaps(b) for a, b in zip(proved.points[0].error, limit, strict=True))
