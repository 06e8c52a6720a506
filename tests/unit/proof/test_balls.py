"""Ball arithmetic contains what it stands for, and says nothing where it cannot."""

from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import (
    ball,
    column,
    columns_of,
    exact_matrix,
    largest,
    power_of_ten,
    relative_radius,
    scaled,
    sign,
    smallest,
    sum_of_sizes,
    sum_of_squares,
    to_decimals,
    to_doubles,
)
from reference import phi, phi_inverse, phi_prime

DEPTHS = [2, 2.5, 3, 4, 6, 10]
DIGITS = 250


def known(value):
    """A ball around a number of mpmath, far narrower than those under test."""
    negative, mantissa, exponent, _ = value._mpf_
    with ctx.workprec(2000):
        middle = (-1) ** negative * arb(int(mantissa)) * arb(2) ** exponent
        return middle + arb(0, abs(middle) * arb(10) ** (20 - DIGITS))


def places(depth):
    """Points of the domain of phi, doubles, from next to 0 to next to its edge."""
    sizes = [1e-20, 1e-5, 0.3, 0.9]
    sizes += [5.0, 700.0, 2.3e5] if depth == 2 else [1 - 1e-10, 1 - 2.0**-50]
    return [side * size for size in sizes for side in (-1, 1)]


# phi and its inverse


@pytest.mark.parametrize("depth", DEPTHS)
def test_phi_and_its_derivative_are_contained(depth):
    potential = BallPotential(depth)
    for z in places(depth):
        with mpmath.workdps(DIGITS):
            expected = phi(depth, mpmath.mpf(z)), phi_prime(depth, mpmath.mpf(z))
        found = potential.phi(ball(z)), potential.phi_prime(ball(z))
        # 1 - z and 1 + z are rounded to 128 bits, and nearly cancel where z is small
        lost = 1.0 if depth == 2 else 10.0 / min(1 - abs(z), abs(z))
        for value, right in zip(found, expected, strict=True):
            assert value.contains(known(right))
            assert relative_radius(value) < lost * 2.0**-105


TARGETS = [1e-20, 1e-3, 1.0, 7.0, 1e3, 1e30, 1e300]


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("side", [-1, 1])
def test_inverse_is_contained(depth, side):
    potential = BallPotential(depth)
    for target in TARGETS:
        with mpmath.workdps(DIGITS):
            exact = phi_inverse(depth, mpmath.mpf(side * target))
            expected = known(exact), known(phi_prime(depth, exact))
        z, slope = potential.inverse(ball(side * target))
        assert z.contains(expected[0])
        assert slope.contains(expected[1])
        assert z.rad() < 2.0**-115 * max(1.0, abs(float(z)))
        assert relative_radius(slope) < 2.0**-110


@pytest.mark.parametrize(("depth", "bits"), [(2, 400000), (2.5, 3000), (3, 4000), (10, 2000)])
def test_inverse_is_contained_far_beyond_the_doubles(depth, bits):
    with mpmath.workdps(DIGITS):
        exact = phi_inverse(depth, mpmath.mpf(2) ** bits)
    # the slope follows from the slack 1 - z, which 250 digits of z itself do not hold
    with mpmath.workdps(DIGITS if depth == 2 else DIGITS + bits // 3):
        slope_there = phi_prime(depth, phi_inverse(depth, mpmath.mpf(2) ** bits))
    z, slope = BallPotential(depth).inverse(arb(2) ** bits)
    assert z.contains(known(exact))
    assert slope.contains(known(slope_there))
    assert relative_radius(slope) < 2.0**-105


@pytest.mark.parametrize("depth", DEPTHS)
def test_inverses_of_several_numbers_are_those_of_each(depth):
    """One that is no double, and one whose slack is none, start Newton's method elsewhere."""
    potential = BallPotential(depth)
    points = [arb(3), arb(2) ** 4000, -arb(1e-20), arb(-7.5), arb(10) ** 300]
    found = potential.inverses_with_room(points)
    for point, (z, slope, room) in zip(points, found, strict=True):
        alone = potential.inverse(point)
        assert z.overlaps(alone[0])
        assert slope.overlaps(alone[1])
        assert relative_radius(slope) < 2.0**-105
        assert room.overlaps(1 - abs(z) if depth > 2 else arb(1))
        # phi'(z), which for D > 2 is said by the room; and the room inverts phi
        if depth > 2:
            high, low = room**-potential.power, (2 - room) ** -potential.power
            assert (high - low).overlaps(abs(point))
            assert slope.overlaps(potential.power * (high / room + low / (2 - room)))
            assert relative_radius(room) < 2.0**-110


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("middle", "radius"), [(3.0, 0.2), (1e-3, 1e-5), (1e8, 1e6)])
def test_inverse_of_a_wide_ball_contains_those_of_its_members(depth, middle, radius):
    z, slope = BallPotential(depth).inverse(arb(middle, radius))
    for member in np.linspace(middle - radius, middle + radius, 7):
        with mpmath.workdps(DIGITS):
            exact = phi_inverse(depth, mpmath.mpf(float(member)))
            assert z.contains(known(exact))
            assert slope.contains(known(phi_prime(depth, exact)))


@pytest.mark.parametrize("depth", DEPTHS)
def test_phi_is_not_inverted_where_the_sign_is_not_known(depth):
    for target in (arb(0), arb(0, 1), arb(1, 1), arb("nan")):
        with pytest.raises(ArithmeticError):
            BallPotential(depth).inverse(target)


def test_an_inverse_that_is_not_proved_is_an_error():
    with pytest.raises(ArithmeticError, match="phi_3 was not inverted"):
        BallPotential(3).inverse(arb(1e3, 0.9999e3))


@pytest.mark.parametrize("depth", DEPTHS[1:])
def test_phi_has_no_value_outside_its_domain(depth):
    """(1 - z)^-p is a finite number at z = 2 where p is whole, as for D = 3."""
    potential = BallPotential(depth)
    for z in (arb(1), arb(2), arb(-1.5), arb(1, 0.1), arb(5, 1)):
        for function in (potential.phi, potential.phi_prime):
            try:
                value = function(z)
            except ArithmeticError:
                continue
            assert not value.is_finite()


# Decimals


def exact_ends(value):
    """The ends of a ball as Fractions."""
    ends = []
    for end in (value.lower(), value.upper()):
        mantissa, exponent = (int(part) for part in end.man_exp())
        ends.append(mantissa * Fraction(2) ** exponent)
    return ends


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(numbers, st.floats(0, 1), st.integers(-3, 3), st.sampled_from([3, 17, 25]))
def test_decimals_are_rounded_outwards(middle, radius, exponent, digits):
    value = arb(middle, radius * abs(middle)) * arb(10) ** (100 * exponent)
    low, high = exact_ends(value)
    lower, upper = (Fraction(Decimal(text)) for text in to_decimals(value, digits))
    assert lower <= low <= high <= upper
    unit = Fraction(10) ** (1 - digits)  # at most one unit of the last digit away
    assert low - lower <= abs(low) * unit
    assert upper - high <= abs(high) * unit


@pytest.mark.parametrize("factor", [3, -7])
@pytest.mark.parametrize("exponent", [-200000, -20001, -20000, -19999, 19999, 20000, 200000])
def test_decimals_of_far_exponents_are_rounded_outwards(factor, exponent):
    lower, upper = (Fraction(Decimal(text)) for text in to_decimals(factor * arb(2) ** exponent))
    exact = factor * Fraction(2) ** exponent
    assert lower < exact < upper or lower == exact == upper
    assert upper - lower <= abs(exact) * Fraction(10) ** -23


@pytest.mark.parametrize("exponent", [-54076, -100000, 54076])
@pytest.mark.parametrize("bits", [128, 400])
def test_a_power_of_ten_lies_between_its_decimals(exponent, bits):
    """Its ball has a radius, so even a text of one digit would not be both its ends."""
    with ctx.workprec(bits):
        value = power_of_ten(float(exponent))
        lower, upper = map(Decimal, to_decimals(value))
    assert lower < Decimal(f"1e{exponent}") < upper


@pytest.mark.parametrize("value", [arb(0), arb(-3), arb(1) / 3, arb(5, 2), -power_of_ten(-54076.5)])
def test_decimals_and_back_contain_the_ball(value):
    texts = to_decimals(value)
    assert arb(texts[0]).union(arb(texts[1])).contains(value)
    if value.is_exact():
        assert texts[0] == texts[1]


@pytest.mark.parametrize("value", [arb("nan"), arb("inf"), arb(0, float("inf"))])
def test_what_is_not_finite_has_no_decimals(value):
    with pytest.raises(ValueError, match="not finite"):
        to_decimals(value)


# The rest


def test_powers_of_ten_take_a_double_as_it_is():
    assert power_of_ten(3.0) == 1000
    assert (power_of_ten(-0.25) ** 4 * 10).contains(1)
    with mpmath.workdps(DIGITS):
        assert power_of_ten(-0.1).contains(known(mpmath.mpf(10) ** mpmath.mpf(-0.1)))
        tenth = known(mpmath.mpf(10) ** (mpmath.mpf(-1) / 10))
    assert not power_of_ten(-0.1).contains(tenth)


def test_numbers_become_balls_without_radius():
    for value in (0.1, np.float64(0.1), 7, np.int64(-7), arb(3, 1)):
        found = ball(value)
        assert found.is_exact() == (not isinstance(value, arb))
        assert float(found) == float(value)


def test_the_largest_and_the_smallest_contain_those_of_all_members():
    values = [arb(1, 0.5), arb(1.2, 0.1), arb(-3, 4)]
    members = [np.linspace(0.5, 1.5, 5), np.linspace(1.1, 1.3, 5), np.linspace(-7, 1, 5)]
    for choice in np.array(np.meshgrid(*members)).reshape(3, -1).T:
        assert largest(values).contains(arb(float(choice.max())))
        assert smallest(values).contains(arb(float(choice.min())))
    for order in (values, values[::-1]):
        assert not largest([*order, arb("nan")]).is_finite()


def test_norms_contain_those_of_all_members():
    values = [arb(-1, 0.5), arb(0, 1), arb(2)]
    for first in (-1.5, -1, -0.5):
        for second in (-1, 0, 1):
            assert sum_of_sizes(values).contains(arb(abs(first) + abs(second) + 2))
            assert sum_of_squares(values).contains(arb(first**2 + second**2 + 4))


def test_signs_are_proved():
    values = [arb(1, 0.5), arb(-1, 0.5), arb(1, 1), arb(0), arb("nan")]
    assert [sign(value) for value in values] == [1.0, -1.0, 0.0, 0.0, 0.0]


def test_relative_radius_is_against_the_smallest_member():
    assert relative_radius(arb(-4, 2)) == pytest.approx(1.0, rel=1e-8)
    assert relative_radius(arb(0)) == 0.0
    for value in (arb(0, 1), arb("nan"), arb(1, 1)):
        assert relative_radius(value) == float("inf")


def test_matrices_hold_the_entries_of_arrays():
    array = np.arange(6.0).reshape(2, 3) + 0.1
    matrix = exact_matrix(array)
    assert np.array_equal(to_doubles(matrix), array)
    assert all(entry.is_exact() for entry in matrix.entries())
    assert np.array_equal(to_doubles(columns_of(matrix, [2, 0])), array[:, [2, 0]])
    assert np.array_equal(to_doubles(column([0.5, arb(2)])), [[0.5], [2.0]])
    rows, columns = [arb(2), arb(3)], [arb(1), arb(10), arb(100)]
    expected = np.diag([2.0, 3]) @ array @ np.diag([1.0, 10, 100])
    assert np.allclose(to_doubles(scaled(matrix, rows, columns)), expected, rtol=1e-15)
    assert np.allclose(to_doubles(scaled(matrix, None, columns)), array * [1, 10, 100])
    assert np.allclose(to_doubles(scaled(matrix, rows, None)), array * [[2], [3]])
