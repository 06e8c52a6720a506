"""Enclosures by convexity: they hold the solution however far the guess is, or say nothing."""

import numpy as np
import pytest
from flint import arb, arb_mat, ctx

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import column, exact_matrix
from implicit_l1.proof.convex import enclose_limit_point, enclose_selected, moved_onto
from implicit_l1.proof.frame import NotProved

DEPTHS = [2, 2.5, 3, 30]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("z", [0.0, 0.3, -0.999])
def test_the_slope_changes_by_its_factor_at_most(depth, z):
    phi = BallPotential(depth)
    (reach,) = phi.reaches([arb(z)], 1.5)
    here, *moved = (phi.phi_prime(z + part * reach) for part in (0, 1, -1, 0.5, -0.5))
    factor = arb(1.5).exp() * (1 + arb(2) ** -40)
    assert all(here / factor < slope < here * factor for slope in moved)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_limit_point_is_enclosed_from_any_guess_that_is_accepted(depth):
    """y is chosen for a given lam, so that x(alpha) is known."""
    accepted = 0
    with ctx.workprec(600):
        matrix = exact_matrix([[1.0, 0.5, 0.25], [0.0, 1.0, -0.5]])
        dual = column([arb(0.75), arb(0.1)])
        z = (matrix.transpose() * dual).entries()
        alpha = arb(10) ** -40
        expected = [alpha * value for value, _ in BallPotential(depth).with_slopes(z)]
        data = [value.mid() for value in (matrix * column(expected)).entries()]
        for away in (1e-120, 1e-60, 1e-20, 1e-3, 1e-2, 0.1, 3.0):
            guess = dual + column([arb(away), arb(-2 * away)])
            try:
                found = enclose_limit_point(matrix, depth, alpha, data, guess)
            except NotProved:
                continue
            accepted += 1
            assert all(x.overlaps(value) for x, value in zip(found, expected, strict=True))
            if away == 1e-120:
                pairs = zip(found, expected, strict=True)
                assert all(x.rad() < 1e-100 * abs(value) for x, value in pairs)
    assert 3 <= accepted < 7


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_minimizer_that_is_selected_is_enclosed_from_any_guess_that_is_accepted(depth):
    """x_1 + x_2 - x_3 = 3, of the signs (1, 1, -1): it is (1, 1, -1), by symmetry."""
    kernel, on, accepted = arb_mat([[1, 0], [-1, 1], [0, 1]]), np.array([[1.0, 1.0, -1.0]]), 0
    with ctx.workprec(400):
        for away in (0.0, 1e-60, 1e-20, 1e-2, 0.1, 0.9):
            point = [arb(1) + arb(away), arb(1), arb(-1) + arb(away) / 3]
            point = moved_onto(on, [1], [arb(3)], point)
            try:
                found = enclose_selected(kernel, depth, point)
            except NotProved:
                continue
            accepted += 1
            assert all(x.contains(value) for x, value in zip(found, (1, 1, -1), strict=True))
            assert away > 1e-60 or all(x.rad() < 1e-50 for x in found)
    assert 3 <= accepted < 7


@pytest.mark.parametrize("size", [1, 100])
def test_where_the_hessian_shrinks_the_minimizer_is_farther_than_newtons_step(size):
    """It has log x_1 = log(x_2) / 100; of the factor of the theorem little is to spare."""
    with ctx.workprec(1000):
        expected, kernel = [arb(size), arb(size) ** 100], [arb(1), -1 / arb(100)]
        away = -arb(size) / 20
        point = [(x + away * k).mid() for x, k in zip(expected, kernel, strict=True)]
        found = enclose_selected(arb_mat([[k.mid()] for k in kernel]), 2, point)
        assert all(x.overlaps(value) for x, value in zip(found, expected, strict=True))
        assert abs(found[0].mid() - expected[0]) > found[0].rad() / 2


def test_no_entry_may_come_to_the_end_of_its_reach():
    """The large one is far from it, and the small one has far to go."""
    with ctx.workprec(200), pytest.raises(NotProved, match="beyond the reach"):
        enclose_selected(arb_mat([[1], [-1]]), 2, [arb("0.01").mid(), arb(10**6)])
