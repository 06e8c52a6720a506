"""Limit points beside one of several minimizers, and where doubles end."""

import numpy as np
import pytest

import implicit_l1
from implicit_l1.network.precise import PreciseLimit
from implicit_l1.proof.frame import NotProved

SEVERAL = [[1, 1, 1, 0.5], [0, 1, 2, 0.25]], np.array([3, 3.5])

# log10(||n||_1 / alpha) as alpha -> 0, by Newton's method with 900 digits (mpmath)
CONSTANTS = [(10, 0.42553737), (30, 0.33861909), (100, 0.31196139)]


@pytest.mark.parametrize(("depth", "constant"), CONSTANTS)
def test_beside_several_minimizers_steps_below_all_doubles_are_not_the_last(depth, constant):
    """1 - |z| is near alpha^(1/p) on the support, and what of it a step may be less than 1e-323."""
    decades = np.array([-200.0, -270.0, -299.0])
    path = implicit_l1.find_limit_points(*SEVERAL, depth, log10_alpha=decades)
    assert path.log10_error_1 - decades == pytest.approx(constant, abs=1e-8)
    assert np.all(path.error_bound < 1e-10)


@pytest.mark.parametrize("exponent", [-60, 60, 96])
def test_units_of_the_data_do_not_matter_beside_several_minimizers(exponent):
    unit = 2.0**exponent
    matrix = [[0, 1, -1, -1, 1, 1], [0, 1, -1, 1, 1, -1], [0, 1, 1, -1, 1, -1]]
    for problem in ((matrix, np.array([5.0, -3, 5])), SEVERAL):
        here = implicit_l1.find_limit_points(*problem, 3, alpha=1e-30)
        there = implicit_l1.find_limit_points(problem[0], problem[1] * unit, 3, alpha=1e-30 * unit)
        shift = np.log10(unit)
        assert there.log10_error_1 - shift == pytest.approx(here.log10_error_1, abs=1e-10)


@pytest.mark.parametrize("exponent", [0, 20, 40])
def test_equal_sizes_may_round_to_different_doubles(exponent):
    """x(alpha) = g*, with entries that lie half-way between two doubles."""
    matrix = np.array([[-1.0, 1, 1, -1, 1], [-1, 1, -1, 1, -1]])
    data = np.array([-1.975504030505373e-21, -1.437074008243864e-21]) * 2.0**exponent
    path = implicit_l1.find_limit_points(matrix, data, 2, alpha=1e-22 * 2.0**exponent)
    assert path.log10_error_1[0] == -np.inf and path.error_bound[0] == 0.0


def test_an_error_below_the_normal_doubles_is_not_taken_from_them():
    """x(alpha) = g*, for which rounding leaves 5e-324."""
    matrix = [[-1, -1, 1, -1], [-1, 1, 1, -1]]
    path = implicit_l1.find_limit_points(matrix, [1, 1], 2, log10_alpha=-299.99999)
    assert path.log10_error_1[0] == -np.inf


@pytest.mark.parametrize("alpha", [0.216, 1e30])
def test_few_bits_are_not_too_few(alpha):
    """n is small against g* where alpha is not, and g* against x where alpha is large."""
    matrix, data = [[1, 2.0**-44, 0, -1]], [-2.16]
    found = implicit_l1.find_limit_points(matrix, data, 2, alpha=alpha)
    # x = (-t, e, 0, t): z_2 is 2^-44 z_1, of which sinh is the first term
    z = -np.arcsinh(0.5 * 1.08 / alpha)
    assert 10 ** found.log10_error_1[0] == pytest.approx(2 * alpha * abs(z) / 2.0**44, rel=1e-10)


def test_what_is_not_proved_is_refused(monkeypatch):
    """Newton's method that ends too soon leads to no number."""
    limit = PreciseLimit(
        np.array([[1.0, 1.0, 0.5]]), np.array([0.5, 0.5, 0.0]), np.zeros(3), 3, unique=False
    )
    assert limit.difference(-100.0, None, 1e-10)[2] < 1e-10
    start = limit._dual * 0
    monkeypatch.setattr(PreciseLimit, "_newton", lambda self, *_: start)
    with pytest.raises(NotProved):
        limit.difference(-100.0, None, 1e-10)
