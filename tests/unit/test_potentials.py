"""The mirror map and its log-domain forms against their definitions with many digits."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reference
from implicit_l1.potentials import HyperbolicPotential, PowerPotential, potential

DEPTHS = [2, 2.1, 2.5, 3, 4, 6, 10]
EDGES = [0.0, 1e-300, 1e-20, 1e-8, 1e-3, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1 - 1e-6, 1 - 1e-12]
LOG_TINY = float(np.log(1e-300))


def arguments(depth):
    """Arguments over the domain of phi_D."""
    inside = np.array(EDGES if depth > 2 else [0.0, 1e-300, 1e-8, 0.1, 1.0, 5.0, 50.0, 700.0])
    return np.concatenate([inside, -inside])


def relative_error(value, exact):
    """Largest relative error of an array against numbers of mpmath."""
    return max(
        float(abs(mpmath.mpf(float(v)) - e) / abs(e)) if e != 0 else float(abs(v))
        for v, e in zip(value, exact, strict=True)
    )


@pytest.fixture(autouse=True)
def digits():
    with mpmath.workdps(60):
        yield


@pytest.mark.parametrize("depth", DEPTHS)
def test_phi(depth):
    z = arguments(depth)
    exact = [reference.phi(depth, mpmath.mpf(v)) for v in z]
    assert relative_error(potential(depth).phi(z), exact) < 2e-13


@pytest.mark.parametrize("depth", DEPTHS)
def test_phi_prime(depth):
    z = arguments(depth)
    exact = [reference.phi_prime(depth, mpmath.mpf(v)) for v in z]
    assert relative_error(potential(depth).phi_prime(z), exact) < 2e-13


@pytest.mark.parametrize("depth", DEPTHS)
def test_phi_inverse(depth):
    t = np.array([0.0, 1e-300, 1e-12, 1e-3, 0.5, 1.0, 2.0, 10.0, 1e3, 1e8, 1e20, 1e100, 1e300])
    t = np.concatenate([t, -t])
    exact = [reference.phi_inverse(depth, v) for v in t]
    got = potential(depth).phi_inverse(t)
    moderate = (np.abs(t) > 1e-13) | (t == 0)
    assert relative_error(got[moderate], np.array(exact)[moderate]) < 5e-15
    # D > 2 goes through log t, whose rounding grows with |log t|
    assert relative_error(got, exact) < 2e-13


@given(st.sampled_from(DEPTHS), st.floats(-1e6, 1e6))
def test_phi_undoes_its_inverse(depth, t):
    pot = potential(depth)
    z = pot.phi_inverse(t)
    # one rounding of z moves phi by phi'(z) eps
    slack = 4 * np.finfo(float).eps * (abs(z) * pot.phi_prime(z) + 100 * abs(t))
    assert abs(pot.phi(z) - t) <= slack


@given(st.sampled_from(DEPTHS), st.floats(0.0, 1e9), st.floats(0.0, 1e9))
def test_phi_inverse_is_odd_and_increasing(depth, s, t):
    pot = potential(depth)
    assert pot.phi_inverse(-t) == -pot.phi_inverse(t)
    if s < t:
        assert pot.phi_inverse(s) <= pot.phi_inverse(t)


@pytest.mark.parametrize("depth", DEPTHS)
def test_reach_bounds_the_growth_of_phi_prime(depth):
    """By e^(3/2), and near the edge, or far out, by no less."""
    pot = potential(depth)
    z = arguments(depth)
    z = z[np.abs(z) < 600.0]
    reach = pot.reach(pot.edge - np.abs(z))
    growth = np.maximum(
        *(pot.phi_prime(z + side * reach) / pot.phi_prime(z) for side in (1.0, -1.0))
    )
    assert growth.max() == pytest.approx(np.exp(1.5), rel=1e-3)


def test_phi_tends_to_the_hyperbolic_one():
    """phi_D(z / p) - phi_2(z) shrinks in proportion to D - 2."""
    z = np.append(np.linspace(-4.0, -0.5, 8), np.linspace(0.5, 4.0, 8))
    gaps = []
    for excess in [1e-2, 1e-3, 1e-4, 1e-5]:
        pot = potential(2 + excess)
        gaps.append(np.abs(pot.phi(z / pot.power) / potential(2).phi(z) - 1.0).max())
    assert np.all(np.abs(np.diff(np.log10(gaps)) + 1.0) < 0.05)
    assert gaps[-1] < 1e-4


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("alpha", [1.0, 1e-3, 1e-9])
def test_time_constant_gives_the_first_velocity_of_the_weights(depth, alpha):
    """x'(0) of u**D - v**D is 2 D^2 alpha^(2 - 2/D) A^T y, and alpha phi'(0) c_D A^T y."""
    pot = potential(depth)
    expected = 2 * depth**2 * alpha ** (2 - 2 / depth)
    assert alpha * pot.phi_prime(0.0) * pot.time_constant(alpha) == pytest.approx(
        expected, rel=1e-12
    )


def near_the_edge(depth):
    """(z, slack) with slacks that 1 - |z| has no digits of, as numbers of mpmath."""
    if depth == 2:
        z = [mpmath.mpf(v) for v in (0.0, 1e-300, 1e-8, 0.3, 5.0, -0.3, -40.0)]
        return z, [mpmath.inf] * len(z)
    largest = 300 / (potential(depth).power + 1)  # where phi' is a double
    slack = [mpmath.mpf(v) for v in (1e-30, 1e-16, 1e-7, 0.05, 0.3, 0.49) if v > 10**-largest]
    return [1 - w for w in slack] + [w - 1 for w in slack], [*slack, *slack]


def exactly(depth, z, slack):
    """z with the double of the slack, which is what counts, in place of its own."""
    if depth == 2:
        return [mpmath.mpf(float(v)) for v in z]
    return [mpmath.sign(v) * (1 - mpmath.mpf(float(w))) for v, w in zip(z, slack, strict=True)]


def doubles(values):
    return np.array([float(v) for v in values])


@pytest.mark.parametrize("depth", DEPTHS)
def test_values_have_the_digits_of_the_slack(depth):
    z, slack = near_the_edge(depth)
    phi, slope = potential(depth).values(doubles(z), doubles(slack))
    z = exactly(depth, z, slack)
    assert relative_error(phi, [reference.phi(depth, v) for v in z]) < 1e-13
    assert relative_error(slope, [reference.phi_prime(depth, v) for v in z]) < 1e-13


@pytest.mark.parametrize("depth", DEPTHS[1:])
def test_values_outside_the_domain_are_not_finite(depth):
    phi, slope = potential(depth).values(np.array([1.5, -2.0, 1.0]), np.array([-0.5, -1.0, 0.0]))
    assert not np.any(np.isfinite(phi)) and not np.any(np.isfinite(slope))


@pytest.mark.parametrize("factor", [1e-12, -1e-12, 1e-3, -1e-3, 0.5, -0.5, -30.0])
@pytest.mark.parametrize("depth", DEPTHS)
def test_change_is_a_difference_without_cancellation(depth, factor):
    z, slack = near_the_edge(depth)
    outward = factor * np.minimum(doubles(slack), 1.0) * np.where(doubles(z) >= 0, 1.0, -1.0)
    inside = [depth == 2 or abs(v + m) < 1 for v, m in zip(z, outward, strict=True)]
    found = potential(depth).change(doubles(z), doubles(slack), outward)[inside]
    z = [v for v, keep in zip(exactly(depth, z, slack), inside, strict=True) if keep]
    move = outward[inside]
    exact = [
        reference.phi(depth, v + mpmath.mpf(m)) - reference.phi(depth, v)
        for v, m in zip(z, move, strict=True)
    ]
    assert relative_error(found, exact) < 1e-12


@pytest.mark.parametrize("depth", DEPTHS)
def test_moved_keeps_the_slack(depth):
    pot = potential(depth)
    z, slack = (doubles(part) for part in near_the_edge(depth))
    move = 0.5 * np.minimum(slack, 1.0) * np.where(z >= 0, -1.0, 1.0)
    new, left = pot.moved(z, slack, move)
    assert np.array_equal(new, z + move)
    if depth == 2:
        assert np.all(left == np.inf)
        return
    assert left == pytest.approx(1.5 * slack, rel=1e-15)
    # far from the edge it is what z says, and so it is across 0
    far = np.array([0.1, -0.2, 0.3, 0.75])
    new, left = pot.moved(far, 1.0 - np.abs(far), np.array([-0.5, 0.1, 0.3, -1.5]))
    assert left == pytest.approx(1.0 - np.abs(new), abs=1e-15)
    # and beyond the edge it is not positive
    assert (
        pot.moved(np.array([0.9, -0.1]), np.array([0.1, 0.9]), np.array([0.2, -1.0]))[1].max() < 0
    )


@pytest.mark.parametrize("depth", DEPTHS)
def test_dual_undoes_values(depth):
    t = np.array([0.0, 1e-300, 1e-12, 0.3, 1.0, 40.0, 1e6, 1e20])
    t = np.concatenate([t, -t])
    pot = potential(depth)
    z, slack = pot.dual(t)
    assert z == pytest.approx(pot.phi_inverse(t), rel=1e-14)
    assert pot.values(z, slack)[0] == pytest.approx(t, rel=1e-12)
    if depth == 2:
        assert np.all(slack == np.inf)
    else:
        assert slack == pytest.approx(1.0 - np.abs(z), abs=2e-16)
        large = np.abs(t) > 1
        exact = [1 - abs(reference.phi_inverse(depth, v)) for v in t[large]]
        assert relative_error(slack[large], exact) < 1e-12


SIZES = [1e-300, 1e-100, 1e-20, 1e-9, 1e-3, 0.3, 0.999, 1.0, 1.5, 40.0]


# D = 2 only: alpha itself is no double any more
FAR = [-800.0, -2000.0, -230000.0]
SCALES = [1.0, 0.0, -0.5, -5.0, -30.0, -100.0, LOG_TINY]


def check_on_support(depth, x, sigma, log_alpha):
    """Compare on_support with its definition at every x."""
    got = potential(depth).on_support(x, np.full(x.size, sigma), log_alpha)
    alpha = mpmath.exp(mpmath.mpf(log_alpha))
    for i, value in enumerate(x):
        z = reference.phi_inverse(depth, mpmath.mpf(value) / alpha)
        scale = 1 if depth > 2 else -mpmath.mpf(log_alpha)
        slope = alpha * reference.phi_prime(depth, z)
        zeta = z - sigma * scale
        rate = -mpmath.mpf(value) / slope + (sigma if depth == 2 else 0)
        where = f"x = {value}, sigma = {sigma}, log_alpha = {log_alpha}"
        # zeta changes sign at |x| = 1 for D = 2 and is absolute there; for D > 2 its
        # digits are those of the slack 1 - |z|
        floor = 1.0 if depth == 2 else 0.0
        error = abs(mpmath.mpf(float(got.zeta[i])) - zeta)
        assert error <= 1e-12 * max(abs(zeta), floor), where
        # what the prediction along the path uses, and so needs less
        error = abs(mpmath.mpf(float(got.zeta_rate[i])) - rate)
        assert error <= 1e-10 * max(abs(rate), floor), where
        if slope > 1e-300:
            error = abs(mpmath.mpf(float(got.slope[i])) - slope)
            assert error <= 1e-11 * slope, where


@pytest.mark.parametrize("sigma", [1.0, -1.0])
@pytest.mark.parametrize("depth", DEPTHS)
def test_on_support(depth, sigma):
    x = np.array([*SIZES, *(-v for v in SIZES), 0.0]) * sigma
    for log_alpha in SCALES:
        check_on_support(depth, x, sigma, log_alpha)


@pytest.mark.parametrize("log_alpha", FAR)
@pytest.mark.parametrize("sigma", [1.0, -1.0])
def test_on_support_where_alpha_underflows(sigma, log_alpha):
    check_on_support(2, np.array(SIZES) * sigma, sigma, log_alpha)


@pytest.mark.parametrize("log_alpha", FAR)
@pytest.mark.parametrize("sigma", [1.0, -1.0])
def test_on_support_of_the_wrong_sign_where_alpha_underflows(sigma, log_alpha):
    check_on_support(2, -np.array(SIZES) * sigma, sigma, log_alpha)


@pytest.mark.parametrize("depth", DEPTHS)
def test_off_support(depth):
    pot = potential(depth)
    shifts = [0.0, 1e-300, 1e-12, 1e-3, 0.4] if depth > 2 else [0.0, 1e-12, 0.1, 3.0, 80.0]
    for log_alpha in SCALES + (FAR if depth == 2 else []):
        cases = [
            (sign, margin, shift)
            for sign in [1.0, -1.0]
            for margin in [1.0, 0.6, 1e-3, 1e-14, 1e-30, 1e-120]
            for shift in [*shifts, *(-v for v in shifts)]
            # for D > 2 the edge of the domain lies one margin away
            if depth == 2 or sign * shift < margin
        ]
        sign, margin, shift = (np.array(column) for column in zip(*cases, strict=True))
        got = pot.off_support(sign * (1.0 - margin), margin, shift, log_alpha)
        with mpmath.workdps(500):
            alpha = mpmath.exp(mpmath.mpf(log_alpha))
            for i in range(sign.size):
                scale = 1 if depth > 2 else -mpmath.mpf(log_alpha)
                direction = sign[i] * (1 - mpmath.mpf(margin[i]))
                z = scale * direction + mpmath.mpf(shift[i])
                where = f"{cases[i]}, log_alpha = {log_alpha}"
                n = alpha * reference.phi(depth, z)
                if n == 0:
                    assert got.log_size[i] == -np.inf, where
                    continue
                log_slope = mpmath.log(alpha * reference.phi_prime(depth, z))
                log_size = mpmath.log(abs(n))
                # A difference of z's two parts carries the rounding of the larger one.
                parts = float(abs(scale * direction)) + abs(shift[i])
                carried = 4e-16 * parts / float(abs(z))
                for value, exact in [(got.log_size[i], log_size), (got.log_slope[i], log_slope)]:
                    error = abs(mpmath.mpf(float(value)) - exact)
                    assert error <= 1e-14 * max(abs(exact), 10) + carried, where
                assert got.sign[i] == mpmath.sign(n), where
                if depth > 2:
                    room = 1 - abs(z)
                    # the slack is a difference where shift opposes margin
                    error = abs(mpmath.mpf(float(got.room[i])) - room)
                    assert error <= 4e-16 * max(abs(room), margin[i], abs(shift[i])), where
                else:
                    assert got.room[i] == np.inf


@pytest.mark.parametrize("depth", [2.1, 3, 10])
def test_room_is_not_positive_outside_the_domain(depth):
    direction = np.array([0.9, -0.9, 0.9, 0.0])
    shift = np.array([0.1 + 1e-9, -0.2, -2.0, 1.0])
    room = potential(depth).off_support(direction, 1 - np.abs(direction), shift, -3.0).room
    assert np.all(room <= 0)


@pytest.mark.parametrize("depth", [1.999, 1, 0, -3, np.nan, np.inf, -np.inf])
def test_depth_below_two_or_not_finite_is_refused(depth):
    with pytest.raises(ValueError, match="depth must be a finite number >= 2"):
        potential(depth)


def test_kind_of_potential():
    assert isinstance(potential(2), HyperbolicPotential)
    assert isinstance(potential(2.0), HyperbolicPotential)
    assert isinstance(potential(np.nextafter(2.0, 3.0)), PowerPotential)
    assert potential(3).power == 3.0
