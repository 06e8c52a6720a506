"""Taylor models against evaluation in many more bits."""

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import power_of_ten
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.taylor import DEGREE, Within, known, product, series, times, whole_power
from reference import rationals

seeds = st.integers(0, 10**6)
depths = st.sampled_from([2, 2.5, 3, 4, 6])
TIMES = [-1.0, -0.7, 0.0, 0.3, 1.0]


def polynomial(coefficients, time):
    """Its value, exactly."""
    total = arb(0)
    for value in coefficients[::-1]:
        total = total * arb(time) + arb(float(value))
    return total


def example(seed, depth, size):
    """z at the centre, the other coefficients, and alpha; moves of so much of the room."""
    rng = np.random.default_rng(seed)
    room = 10.0 ** rng.uniform(-8, 0, 4) if depth != 2 else np.ones(4)
    side = rng.choice([-1.0, 1.0], 4)
    centre = [s * (1 - arb(r)) for s, r in zip(side, room, strict=True)]
    path = rng.standard_normal((10, 4)) * room * size * 0.3 ** np.arange(10)[:, None]
    return centre, path, power_of_ten(float(rng.integers(-12, 0)))


def differences(depth, centre, path, alpha, goal, model):
    """(distance of the model from n, what its radii allow, its rest) at some times."""
    with ctx.workprec(400):
        for time in TIMES:
            z = [
                c + polynomial(np.append(0.0, column[1:]), time)
                for c, column in zip(centre, path.T, strict=True)
            ]
            x = [alpha * value for value, _ in BallPotential(depth).with_slopes(z)]
            for i, value in enumerate(x):
                found = polynomial(model.coefficients.middle[:, i], time)
                yield (
                    abs(found - (value - goal[i])),
                    polynomial(model.coefficients.radius[:, i], abs(time)),
                    arb(float(model.rest[i])),
                )


@settings(max_examples=40)
@given(seeds, depths, st.sampled_from([1e-6, 0.05, 0.2]))
def test_models_hold(seed, depth, size):
    centre, path, alpha = example(seed, depth, size)
    goal = [alpha * v for v, _ in BallPotential(depth).with_slopes(centre)]  # so that n is small
    model = series(BallPotential(depth), alpha, centre, known(path), goal)
    for distance, radius, rest in differences(depth, centre, path, alpha, goal, model):
        assert distance <= radius + rest


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 6])
def test_neither_the_rest_nor_the_radii_can_be_left_out(depth):
    """A long piece has a rest, a short one hardly: there only rounding is left."""
    for size, names in ((3.0 if depth == 2 else 0.35, "rest"), (1e-5, "radius")):
        path = np.zeros((3, 1))
        path[1:, 0] = size, size / 7
        goal = [arb(0)]
        model = series(BallPotential(depth), arb(1), [arb(0.125)], known(path), goal)
        pairs = list(differences(depth, [arb(0.125)], path, arb(1), goal, model))
        assert all(distance <= radius + rest for distance, radius, rest in pairs)
        if names == "rest":
            assert any(distance > radius for distance, radius, _ in pairs)
        else:
            assert any(distance > rest for distance, _, rest in pairs)


@pytest.mark.parametrize("last", [0.003, 0.0])
def test_what_is_not_known_of_the_path_is_in_the_radii(last):
    """Even where all coefficients may be 0."""
    path = np.array([[0.0], [0.01 if last else 0.0], [last]])
    moved = path + np.array([[0.0], [1e-9], [-1e-9]])
    potential, centre = BallPotential(3), [arb(0.5)]
    model = series(potential, arb(1), centre, Within(path, np.full((3, 1), 1e-9)), [arb(0)])
    pairs = list(differences(3, centre, moved, arb(1), [arb(0)], model))
    assert all(distance <= radius + rest for distance, radius, rest in pairs)
    assert any(distance > radius / 1000 for distance, radius, _ in pairs)


def test_what_is_not_known_of_the_centre_is_in_the_radii():
    path = np.array([[0.0], [0.01], [0.003]])
    centre = [arb(0.5, 1e-9)]
    model = series(BallPotential(3), arb(1), centre, known(path), [arb(0)])
    for end in (-1, 1):
        pairs = differences(3, [arb(0.5) + end * arb(1e-9)], path, arb(1), [arb(0)], model)
        assert all(distance <= radius + rest for distance, radius, rest in pairs)


@settings(max_examples=40)
@given(seeds, depths, st.sampled_from([0.0, 1e-3, 0.3]))
def test_slopes_are_bounded_around_the_path(seed, depth, away):
    centre, path, alpha = example(seed, depth, 0.05)
    model = series(BallPotential(depth), alpha, centre, known(path), [arb(0)] * 4)
    radius = away * model.room.min(axis=0)
    low, high = model.slopes(radius)
    assert (
        np.all(high <= (12.0 if away == 0.3 else 5.0) ** (1 if depth >= 3 else 2) * low)
        or away == 0.3
    )
    with ctx.workprec(300):
        for time in TIMES:
            for i in range(4):
                for side in (-1, 0, 1):
                    z = centre[i] + polynomial(np.append(0.0, path[1:, i]), time)
                    z += side * arb(radius[i])
                    slope = alpha * BallPotential(depth).phi_prime(z)
                    assert arb(low[i]) <= slope <= arb(high[i])


def test_without_room_a_slope_is_not_bounded():
    model = series(BallPotential(3), arb(1), [arb(0.5)], known(np.zeros((2, 1))), [arb(0)])
    assert model.slopes(np.array([0.5]))[1] == np.inf
    assert model.slopes(np.array([0.49]))[1] < np.inf


@pytest.mark.parametrize("centre", [arb(1), arb(-1.5), arb(0.5, 0.6), arb(1) - arb(1e-9, 1e-11)])
def test_outside_the_domain_nothing_is_proved(centre):
    with pytest.raises(NotProved):
        series(BallPotential(3), arb(1), [centre], known(np.zeros((2, 1))), [arb(0)])


@pytest.mark.parametrize(
    ("depth", "alpha", "words"),
    [(2 + 1e-6, 1, "too near to 2"), (2, 1e-300, "too small"), (3, 1e-300, "too small")],
)
def test_what_doubles_do_not_hold_is_not_proved(depth, alpha, words):
    """Powers that are rounded too often, and numbers without the digits of a double."""
    with pytest.raises(NotProved, match=words):
        series(BallPotential(depth), arb(alpha), [arb(0)], known(np.zeros((2, 1))), [arb(0)])


@given(seeds)
def test_products_and_powers_hold(seed):
    rng = np.random.default_rng(seed)
    left, right = (rng.standard_normal(shape) for shape in ((2, 5), (5, 3)))
    wide = Within(left, np.abs(left) * 1e-12), Within(right, np.abs(right) * 1e-12)
    moved = [
        part.middle + rng.choice([-0.99, 0.99], part.middle.shape) * part.radius for part in wide
    ]
    exact = rationals(moved[0]) * rationals(moved[1])
    found = product(*wide)
    factor = rng.standard_normal()
    scaled = times(wide[0], factor)
    for i in range(2):
        for j in range(3):
            away = abs(exact[i, j] - rationals(found.middle)[i, j])
            assert away <= rationals(found.radius)[i, j]
            assert found.radius[i, j] < 1e-9
        for j in range(5):
            away = rationals(moved[0])[i, j] * fmpq(*factor.as_integer_ratio())
            away = abs(away - rationals(scaled.middle)[i, j])
            assert away <= rationals(scaled.radius)[i, j]
    exponent = int(rng.integers(1, 30))
    assert whole_power(np.array(1.25), exponent) == pytest.approx(1.25**exponent)


def test_models_have_the_degree_that_they_say():
    model = series(BallPotential(4), arb(1), [arb(0)], known(np.zeros((2, 1))), [arb(0)])
    assert model.coefficients.middle.shape == (DEGREE + 1, 1)
