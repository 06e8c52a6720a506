"""Limit points against a closed form, against many digits, and against their symmetries."""

import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from implicit_l1.interface import find_limit_points
from implicit_l1.linear.exact import as_rational, rationals_of
from implicit_l1.linear.units import unit_of
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.support import Certificate, certificate, row_scales, support_geometry
from implicit_l1.network import equations, limit
from implicit_l1.network.exchange import DualCoordinates
from implicit_l1.network.limit import ConvergenceError, PathOptions, extrapolated, limit_path
from implicit_l1.network.precise import PreciseLimit
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import one_dimensional_kernel
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.vanishing import error_vanishes
from implicit_l1.status import CERTIFIED
from reference import LOG10, instance, kernel_family_log_error, limit_error, limit_log_error

pytestmark = pytest.mark.long


def path_of(case, depth, exponents, options=None):
    """The path of an instance at the scales 10**exponents."""
    return limit_path(
        case.matrix,
        case.minimizer.point,
        case.minimizer.certificate,
        potential(depth),
        LOG10 * np.asarray(exponents, dtype=float),
        options,
    )


def test_the_relative_residual_is_that_of_the_error_that_is_kept(small):
    """In the units of its own terms: a residual that is told too small would prove too much."""
    path = path_of(small, 3, [0, -2, -4, -8])
    for error, told in zip(path.error, path.relative_residual, strict=True):
        terms = np.linalg.norm(small.matrix, axis=0) @ np.abs(error)
        expected = np.linalg.norm(small.matrix @ error) / terms
        assert told == pytest.approx(expected, rel=1e-2, abs=0.0)
    assert path.relative_residual.max() > 0.0


# The closed form


def kernel_family_path(depth, rho, m, log_alpha):
    matrix = one_dimensional_kernel(m=m, rho=rho).matrix
    geometry = support_geometry(matrix, [0])
    dual = certificate(matrix, geometry, np.ones(1), np.eye(m)[0])
    return limit_path(matrix, np.eye(m + 1)[0], dual, potential(depth), log_alpha)


@pytest.mark.parametrize("m", [1, 3, 10])
@pytest.mark.parametrize("rho", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 6])
def test_closed_form(depth, rho, m):
    log_alpha = LOG10 * np.array([1.0, 0.0, -0.5, -1.0, -2.0, -4.0, -8.0, -16.0, -30.0])
    path = kernel_family_path(depth, rho, m, log_alpha)
    exact = [kernel_family_log_error(depth, rho, m, v) for v in log_alpha]
    assert np.abs(path.log_norm(1) - exact).max() < 1e-10
    # n = t (-rho m, 1, ..., 1) settles the other norms and every entry
    assert np.abs(path.error - path.error[:, 1:2] * [-rho * m, *[1.0] * m]).max() < 1e-10 * m
    assert np.allclose(
        path.log_norm(2) - path.log_norm(1),
        np.log(np.sqrt(m + (rho * m) ** 2) / (m + rho * m)),
        atol=1e-10,
    )


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("m", [1, 10])
def test_closed_form_without_error(depth, m):
    """rho = 0: the limit is g* itself at every scale."""
    path = kernel_family_path(depth, 0.0, m, LOG10 * np.array([0.0, -3.0, -30.0]))
    assert np.all(path.log_norm(1) - path.log_alpha < np.log(1e-15))
    assert np.all(path.relative_residual <= 1e-15)


@pytest.mark.parametrize(
    ("depth", "exponents"),
    [
        (2, [-100, -1000, -10000, -100000]),
        (3, [-100, -300]),
        (2.5, [-300]),
        (4, [-300]),
        (10, [-300]),
    ],
)
@pytest.mark.parametrize("rho", [0.5, 0.99])
@pytest.mark.parametrize("m", [1, 10])
def test_closed_form_far_out(depth, exponents, rho, m):
    log_alpha = LOG10 * np.array(exponents, dtype=float)
    log_error = kernel_family_path(depth, rho, m, log_alpha).log_norm(1)
    exact = np.array([kernel_family_log_error(depth, rho, m, v) for v in log_alpha])
    # a logarithm of -2e5 is itself no better than 3e-11
    assert np.all(np.abs(log_error - exact) < 1e-10 + 4e-16 * np.abs(exact))


# Many digits


@pytest.mark.parametrize("exponent", [0, -4, -12, -30])
@pytest.mark.parametrize("depth", [2, 3])
def test_many_digits_on_the_default_size(large, depth, exponent):
    path = path_of(large, depth, [0, exponent] if exponent else [0])
    start = path.error[-1], path.log_unit[-1]
    exact = limit_log_error(
        large.matrix, large.data, large.minimizer.support, depth, path.log_alpha[-1], start
    )
    assert abs(path.log_norm(1)[-1] - exact) < 1e-9


@pytest.mark.parametrize("depth", [2, 2.1, 2.5, 3, 4, 6, 10])
def test_many_digits_on_a_small_size(small, depth):
    path = path_of(small, depth, [1, 0, -1, -2, -3, -5, -8, -12, -20, -30])
    for k, log_alpha in enumerate(path.log_alpha):
        exact = limit_log_error(
            small.matrix,
            small.data,
            small.minimizer.support,
            depth,
            log_alpha,
            (path.error[k], path.log_unit[k]),
            bits=500,
        )
        assert abs(path.log_norm(1)[k] - exact) < 1e-9


def test_the_reference_does_not_repeat_its_start(small):
    """A wrong start is corrected, so that agreement with the reference means something."""
    path = path_of(small, 2, [-2])
    arguments = small.matrix, small.data, small.minimizer.support, 2, path.log_alpha[0]
    exact = limit_log_error(*arguments, (path.error[0], path.log_unit[0]))
    noise = np.random.default_rng(0).uniform(0.8, 1.2, path.error[0].size)
    wrong = limit_log_error(*arguments, (noise * path.error[0], path.log_unit[0]))
    assert wrong == pytest.approx(exact, abs=1e-14)


# What must hold whatever the numbers are


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 6])
def test_first_order_condition(small, depth):
    """phi_D^{-1}(x / alpha) is orthogonal to the kernel, and x solves the equations."""
    pot = potential(depth)
    kernel = np.linalg.svd(small.matrix)[2][small.matrix.shape[0] :]
    path = path_of(small, depth, [1, 0, -1, -2, -3])
    for k, log_alpha in enumerate(path.log_alpha):
        n = np.exp(path.log_unit[k]) * path.error[k]
        assert np.abs(small.matrix @ n).max() < 3e-13 * np.abs(n).max()
        z = pot.phi_inverse((small.minimizer.point + n) / np.exp(log_alpha))
        assert np.abs(kernel @ z).max() < 3e-12 * np.abs(z).max()
    assert path.relative_residual.max() < 1e-13
    assert path.fixed_point_residual.max() < 1e-12


def test_norms_and_unit(small):
    path = path_of(small, 2, [0, -3, -6])
    off = small.complement
    for k, unit in enumerate(path.log_unit):
        n = np.exp(unit) * path.error[k]
        for order in (1, 2, np.inf):
            assert path.log_norm(order)[k] == pytest.approx(np.log(np.linalg.norm(n, order)))
    # deep in the path the largest entry off the support is the unit
    assert np.abs(path.error[-1][off]).max() == pytest.approx(1.0)


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
def test_newton_steps_are_few(large, depth):
    """On the default path, 49 points from 1 to 1e-12."""
    path = path_of(large, depth, np.arange(0, -12.01, -0.25))
    assert path.log_alpha.size == 49
    assert path.newton_steps.mean() <= 6
    assert path.newton_steps.min() >= 1


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_prediction_is_of_high_order(small, depth):
    """Over a fiftieth of a decade it misses by about 1e-9: one Newton step a point, or two.

    A prediction from one point, or with a term of the derivative missing, always needs two.
    """
    path = path_of(small, depth, np.arange(-1.0, -2.001, -0.02))
    assert path.newton_steps[4:].mean() <= 1.6
    assert path.newton_steps.max() <= 6


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_extrapolation_is_exact_for_polynomials(count):
    polynomial = np.polynomial.Polynomial(np.arange(1.0, 2 * count + 1.0))
    places = np.array([0.3, 0.9, 1.4, 2.0])[:count]
    nodes = [(at, polynomial(at), polynomial.deriv()(at)) for at in places]
    assert extrapolated(nodes, -0.2) == pytest.approx(polynomial(-0.2), rel=1e-10)


def test_extrapolation_leaves_out_points_too_near_to_each_other():
    nodes = [(0.0, 1.0, 2.0), (1e-3, 5.0, 7.0)]
    assert extrapolated(nodes, -1.0) == 1.0 - 2.0


@pytest.mark.parametrize("depth", [2, 3, 4, 6])
@pytest.mark.parametrize("exponent", [2, 0, -4, -9, -15, -30])
def test_a_point_alone_takes_few_newton_steps(large, depth, exponent):
    path = path_of(large, depth, [exponent])
    assert path.newton_steps[0] <= 30
    assert path.error_bound[0] <= 1e-10


@pytest.mark.parametrize("depth", [2, 2.5, 3, 10])
def test_a_point_alone_far_out(small, depth):
    """There 1 - |z| on the support is far below the rounding of z, and n below that of x."""
    alone = path_of(small, depth, [-200])
    path = path_of(small, depth, np.arange(0, -201, -10))
    assert_same((path.error[-1:], path.log_unit[-1:]), (alone.error, alone.log_unit))
    assert alone.newton_steps[0] <= 50


def drawn(seed, rows, columns):
    """(matrix, g*, certificate) of a random problem with |S| <= N and an honest margin."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns)) / np.sqrt(rows)
    signal = np.zeros(columns)
    size = 1 + seed % rows
    signal[rng.choice(columns, size, replace=False)] = rng.choice([-1.0, 1.0], size)
    signal *= rng.uniform(0.5, 2.0, columns)
    data = matrix @ signal
    found = decide_minimizer(matrix, data)
    assume(found.status == CERTIFIED and found.margin > 1e-3 and found.kappa < 1e3)
    assume(np.linalg.cond(matrix[:, found.support]) < 1e3)
    return matrix, found.point, found.certificate


PROBLEMS = st.builds(
    drawn, st.integers(0, 10**6), rows=st.integers(2, 6), columns=st.integers(8, 14)
)
DEPTHS = st.sampled_from([2, 2.3, 3, 4, 6])
# where n is small against x, and where it is not
EXPONENTS = np.array([1.0, 0.0, -1.0, -3.0, -7.0])


def entries(problem, depth, log_alpha, options=None):
    """(error, log_unit) of a path."""
    path = limit_path(*problem, potential(depth), log_alpha, options)
    return path.error, path.log_unit


def assert_same(one, other, tolerance=1e-9):
    """Equal error vectors, relative to their largest entry."""
    size = np.abs(one[0]).max(axis=1, keepdims=True)
    ratio = np.exp(other[1] - one[1])[:, None]
    assert np.abs(other[0] * ratio - one[0]).max() <= tolerance * size.max()


@given(PROBLEMS, DEPTHS, st.integers(-80, 80))
def test_scaling(problem, depth, tenths):
    """y and alpha times c: n times c."""
    matrix, point, dual = problem
    log_factor = 0.1 * tenths
    log_alpha = LOG10 * EXPONENTS
    error, log_unit = entries(problem, depth, log_alpha)
    scaled = entries((matrix, np.exp(log_factor) * point, dual), depth, log_alpha + log_factor)
    assert_same((error, log_unit + log_factor), scaled)


@given(PROBLEMS, DEPTHS, st.randoms(use_true_random=False))
def test_permuting_columns(problem, depth, random):
    matrix, point, dual = problem
    order = list(range(point.size))
    random.shuffle(order)
    moved = Certificate(dual.nu, dual.direction[order], dual.margin[order])
    error, log_unit = entries(problem, depth, LOG10 * EXPONENTS)
    permuted = entries((matrix[:, order], point[order], moved), depth, LOG10 * EXPONENTS)
    assert_same((error[:, order], log_unit), permuted)


@given(PROBLEMS, DEPTHS, st.integers(0, 2**14 - 1))
def test_flipping_signs_of_columns(problem, depth, bits):
    matrix, point, dual = problem
    signs = 1.0 - 2.0 * ((bits >> np.arange(point.size)) & 1)
    flipped = (
        matrix * signs,
        point * signs,
        Certificate(dual.nu, dual.direction * signs, dual.margin),
    )
    error, log_unit = entries(problem, depth, LOG10 * EXPONENTS)
    assert_same((error * signs, log_unit), entries(flipped, depth, LOG10 * EXPONENTS))


@given(PROBLEMS, DEPTHS, st.integers(0, 10**6))
def test_mixing_rows(problem, depth, seed):
    """Only the kernel of A matters, not the equations that describe it."""
    matrix, point, dual = problem
    rows = matrix.shape[0]
    mix = np.linalg.qr(np.random.default_rng(seed).standard_normal((rows, rows)))[0]
    geometry = support_geometry(mix @ matrix, np.flatnonzero(point))
    turned = certificate(mix @ matrix, geometry, np.sign(point[geometry.support]), mix @ dual.nu)
    error, log_unit = entries(problem, depth, LOG10 * EXPONENTS)
    mixed = entries((mix @ matrix, point, turned), depth, LOG10 * EXPONENTS)
    assert_same((error, log_unit), mixed)


@given(PROBLEMS, DEPTHS)
def test_any_certificate_gives_the_same_limit(problem, depth):
    """nu_0 is the origin of the coordinates and nothing else."""
    matrix, point, _ = problem
    geometry = support_geometry(matrix, np.flatnonzero(point))
    sigma = np.sign(point[geometry.support])
    other = certificate(matrix, geometry, sigma, geometry.least_norm_dual(sigma))
    error, log_unit = entries(problem, depth, LOG10 * EXPONENTS)
    assert_same((error, log_unit), entries((matrix, point, other), depth, LOG10 * EXPONENTS))


@settings(max_examples=15)
@given(PROBLEMS, DEPTHS, st.integers(0, 4))
def test_a_value_does_not_depend_on_the_path_to_it(problem, depth, place):
    error, log_unit = entries(problem, depth, LOG10 * EXPONENTS)
    alone = entries(problem, depth, LOG10 * EXPONENTS[place : place + 1])
    assert_same((error[[place]], log_unit[[place]]), alone)
    dense = LOG10 * np.arange(1.0, EXPONENTS[place] - 0.01, -0.2)
    both = entries(
        problem,
        depth,
        np.append(dense[dense > LOG10 * EXPONENTS[place] + 0.01], LOG10 * EXPONENTS[place]),
    )
    assert_same((error[[place]], log_unit[[place]]), (both[0][-1:], both[1][-1:]))


@settings(max_examples=10)
@given(PROBLEMS, DEPTHS)
def test_large_alpha_gives_the_least_norm_interpolator(problem, depth):
    """phi_D^{-1} is linear near 0 up to terms of relative size (x / alpha)^2."""
    matrix, point, _ = problem
    least = np.linalg.lstsq(matrix, matrix @ point, rcond=None)[0]
    assume(np.abs(point - least).max() > 0.1)
    error, log_unit = entries(problem, depth, LOG10 * np.array([2.0, 1.0]))
    gaps = [
        np.abs(point + np.exp(u) * e - least).max() for e, u in zip(error, log_unit, strict=True)
    ]
    assert gaps[0] < 1e-3
    assert gaps[1] / gaps[0] == pytest.approx(100.0, rel=0.05)


def test_depth_tends_to_two(small):
    """phi_D(z / p) tends to phi_2(z), so the limit at the same alpha does, like D - 2.

    A^T lam is p times smaller at D > 2; alpha needs no other scale because phi_D has no
    factor of its own.
    """
    exponents = [0, -1, -2, -3]
    two = path_of(small, 2, exponents)
    gaps = []
    for excess in [1e-2, 1e-3, 1e-4]:
        near = path_of(small, 2 + excess, exponents)
        ratio = np.exp(near.log_unit - two.log_unit)[:, None]
        gaps.append(
            np.abs(near.error * ratio - two.error).sum(axis=1) / np.abs(two.error).sum(axis=1)
        )
    gaps = np.array(gaps)
    assert gaps[1].max() < 0.02
    assert np.abs(np.diff(np.log10(gaps), axis=0) + 1.0).max() < 0.1


# What is refused


@pytest.mark.parametrize(
    "log_alpha", [[], [0.0, 0.0], [-1.0, 0.0], [0.0, np.nan], [np.inf, 0.0], [0.0, -np.inf]]
)
def test_invalid_scales_are_refused(log_alpha):
    case = instance(20, 60, 2, 0.0)
    with pytest.raises(ValueError, match="finite and strictly decreasing"):
        limit_path(
            case.matrix, case.minimizer.point, case.minimizer.certificate, potential(2), log_alpha
        )


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_conjugate_gradients_save_factorizations_and_no_digits(small, depth, monkeypatch):
    exponents = np.linspace(0.0, -12.0, 49)
    factors, factor = [], equations.Equations.factor
    monkeypatch.setattr(
        equations.Equations, "factor", lambda self, state: factors.append(0) or factor(self, state)
    )
    expected, direct = path_of(small, depth, exponents), len(factors)
    factors.clear()
    monkeypatch.setattr(equations, "_MANY_ROWS", 0)
    monkeypatch.setattr(equations, "_ROWS_AN_ITERATION", 2)
    found = path_of(small, depth, exponents)
    assert len(factors) < 0.7 * direct
    assert np.abs(found.log_norm(1) - expected.log_norm(1)).max() < 1e-12
    assert np.all(found.relative_residual < 1e-14)


@pytest.mark.parametrize("depth", [2, 3, 6])
def test_exchanges_of_indices_cost_no_digits(large, depth, monkeypatch):
    exponents = np.linspace(0.0, -12.0, 49)
    changes, without = [], DualCoordinates.without
    monkeypatch.setattr(
        DualCoordinates,
        "without",
        lambda self, indices: changes.append(0) or without(self, indices),
    )
    found, exchanged = path_of(large, depth, exponents), len(changes)
    monkeypatch.setattr(limit, "_EXCHANGED", 0.0)
    expected = path_of(large, depth, exponents)
    assert len(changes) == exchanged
    noisy = large.minimizer.support.size > 8
    assert exchanged > 0 or not noisy
    assert np.abs(found.log_norm(1) - expected.log_norm(1)).max() < 1e-12
    assert np.all(found.relative_residual < 1e-14)


@pytest.fixture
def only_doubles(monkeypatch):
    """Without the arithmetic of more bits."""

    def error(*_):
        raise NotProved("not tried")

    monkeypatch.setattr(limit.PreciseLimit, "error", error)


def test_failure_at_the_start_names_the_scale(only_doubles):
    case = instance(20, 60, 2, 0.1)
    with pytest.raises(ConvergenceError, match=r"log10\(alpha\) = 1:.*start of the path"):
        path_of(case, 2, [1.0, 0.0], PathOptions(newton_steps=0))


def test_failure_on_the_way_names_the_target_and_where_it_stopped(only_doubles):
    case = instance(20, 60, 2, 0.1)
    with pytest.raises(ConvergenceError) as caught:
        path_of(case, 2, [0.0, -6.0], PathOptions(newton_steps=3, shortest_stride=1.0))
    target, stopped = re.search(
        r"log10\(alpha\) = (\S+): Newton's method fails from (\S+) on", str(caught.value)
    ).groups()
    assert float(target) == -6.0
    assert -6.0 < float(stopped) <= 0.0


def test_failure_of_accuracy_names_the_scale(only_doubles):
    case = instance(20, 60, 2, 0.1)
    with pytest.raises(ConvergenceError, match=r"log10\(alpha\) = -2: .*neither to 1e-20"):
        path_of(case, 3, [-2.0], PathOptions(accuracy=1e-20))


@pytest.mark.parametrize("depth", [2, 2.5, 4])
@pytest.mark.parametrize("options", [{"newton_steps": 0}, {"accuracy": 1e-18}])
def test_where_doubles_give_up_more_bits_go_on(depth, options):
    case = instance(8, 20, 2, 0.1)
    exponents = [1.0, 0.0, -3.0, -8.0]
    expected = path_of(case, depth, exponents)
    found = path_of(case, depth, exponents, PathOptions(**options))
    assert not expected.proved[1:].any() and found.proved.all()
    assert np.all(found.error_bound < 1e-18)
    # from the rounding of g*, which is taken as exact here
    assert np.abs(found.log_norm(1) - expected.log_norm(1)).max() < 1e-12


# Accuracy


def near_dependent_support(gap):
    """A of condition 3.7 whose two support columns differ by 2^-gap; g* = (1, 1, 0, 0)."""
    matrix = np.array([[1, 1, 0.5, -0.25], [1, 1 + 2.0**-gap, 3, -2]])
    return matrix, matrix @ np.array([1.0, 1, 0, 0])


# by Newton's method with 400 to 600 bits
NORMS = [
    (22, 2, 100, 0.1204008457966558),
    (22, 2, 1, 0.11593453651411874),
    (22, 2, 1e-2, 0.011273646314640291),
    (22, 2, 1e-6, 4.128381142135273e-06),
    (22, 3, 1, 0.11127945669106475),
    (22, 3, 1e-2, 0.005731457729909594),
    (22, 3, 1e-6, 1.3510861705010194e-05),
    (18, 2, 100, 0.12040088767962773),
    (18, 3, 1e-6, 0.0002058751765327757),
]


@pytest.mark.parametrize(("gap", "depth", "alpha", "expected"), NORMS)
def test_nearly_dependent_supports(gap, depth, alpha, expected):
    matrix, data = near_dependent_support(gap)
    found = decide_minimizer(matrix, data)
    path = limit_path(matrix, found.point, found.certificate, potential(depth), [np.log(alpha)])
    assert np.exp(path.log_norm(1)[0]) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("depth", [2, 2.5, 3, 6])
@pytest.mark.parametrize("seed", range(12))
def test_the_bound_of_the_error_holds(seed, depth):
    """Against enclosures, on smooth kernels, nearly dependent supports and columns of any size."""
    matrix, data = unkind_problem(seed)
    found, exact = decide_minimizer(matrix, data), rationals_of(data)
    if found.status != CERTIFIED:
        return
    log_alpha = LOG10 * np.array([1.0, 0.0, -2.0, -5.0, -9.0])
    path = limit_path(
        *(matrix, found.point, found.certificate, potential(depth), log_alpha),
        minimizer_low=found.point_low,
        exact_data=exact,
    )
    assert np.all(path.error_bound <= 1e-10)
    precise = PreciseLimit(matrix, found.point, found.point_low, depth, exact)
    for place in np.flatnonzero(~path.proved):
        guess = path.error[place], path.log_unit[place]
        if not np.any(guess[0]):  # n = 0, which has no digits
            continue
        error, log_unit, _ = precise.error(log_alpha[place], guess, 1e-14)
        difference = np.exp(log_unit - path.log_unit[place]) * error - path.error[place]
        size = np.abs(path.error[place]).sum()
        assert np.abs(difference).sum() <= (path.error_bound[place] + 1e-15) * size


@pytest.mark.parametrize(("depth", "alpha"), [(2, 10.0), (3, 10.0), (4, 1.0), (2, 1e-4)])
@pytest.mark.parametrize("exponent", [-16, -20, -30])
def test_small_differences_far_above_the_minimizer(depth, alpha, exponent):
    """z is small there, a difference of what belongs to the certificate and the rest."""
    matrix = np.array([[3.0] + [2.999 - 0.0001 * k for k in range(8)]])
    compare_with_enclosure(matrix, np.array([3.0 * 2.0**exponent]), depth, alpha)


@pytest.mark.parametrize("exponent", [60, 100, 120])
@pytest.mark.parametrize("alpha", [1e3, 10.0, 0.1])
def test_one_column_far_larger_than_the_others(exponent, alpha):
    compare_with_enclosure(np.array([[3.0 * 2.0**exponent, 1.0, 1.0]]), np.ones(1), 2, alpha)


@pytest.mark.parametrize("rows", [(0, 0, 0), (-71, 46, 42), (-50, 0, 50), (0, 60, 0)])
@pytest.mark.parametrize("depth", [2, 3])
def test_rows_of_any_size_are_the_same_problem(rows, depth):
    matrix = np.array(
        [
            [4.0, -7, -6, -7, -6, 3, 3, 3],
            [1, 9, 4, -4, 21, -5, -2, -3],
            [-7, 2, 5, 4, 10, 8, -2, 13],
        ]
    )
    data, sizes = np.array([-22.0, -20, 12]), 2.0 ** np.array(rows)
    norms = []
    for size in (np.ones(3), sizes):
        scaled, right = matrix * size[:, None], data * size
        norms.append(compare_with_enclosure(scaled, right, depth, 10.0))
    assert norms[0] == pytest.approx(norms[1], rel=1e-10)


def compare_with_enclosure(matrix, data, depth, alpha):
    """log ||n||_1, once the bounds of the path are held against an enclosure."""
    found, exact = decide_minimizer(matrix, data), rationals_of(data)
    log_alpha = np.log([alpha])
    path = limit_path(
        *(matrix, found.point, found.certificate, potential(depth), log_alpha),
        minimizer_low=found.point_low,
        exact_data=exact,
    )
    sizes = row_scales(matrix)
    sizes = sizes / unit_of(matrix * sizes[:, None])
    exact = [value * as_rational(size) for value, size in zip(exact, sizes, strict=True)]
    scaled = matrix * sizes[:, None]
    precise = PreciseLimit(scaled, found.point, found.point_low, depth, exact)
    error, log_unit, _ = precise.error(log_alpha[0], None, 1e-14)
    difference = np.exp(log_unit - path.log_unit[0]) * error - path.error[0]
    size = np.abs(path.error[0]).sum()
    assert np.abs(difference).sum() <= (path.error_bound[0] + 1e-15) * size
    assert np.abs(difference).max() <= (path.entry_bound[0] + 1e-15) * size
    return path.log_norm(1)[0]


def unkind_problem(seed):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(3, 9))
    columns = rows + int(rng.integers(1, 10))
    signal = np.zeros(columns)
    signal[:2] = 1.0, np.round(rng.uniform(0.5, 2.0) * 16) / 16
    if seed % 3 == 0:
        t, grid = np.linspace(0, 1, rows)[:, None], np.linspace(0, 1, columns)
        width = rng.uniform(0.05, 0.3)
        matrix = np.rint(np.exp(-0.5 * ((t - grid) / width) ** 2) * 2.0**30) / 2.0**30
    else:
        matrix = np.round(rng.standard_normal((rows, columns)) * 2.0**20) / 2.0**20
    if seed % 3 == 1:
        step = np.round(rng.standard_normal(rows) * 2.0**8) / 2.0**8
        matrix[:, 1] = matrix[:, 0] + step * 2.0 ** -int(rng.integers(5, 25))
    if seed % 3 == 2:
        matrix = matrix * 2.0 ** rng.integers(-12, 12, columns)
    noise = rng.standard_normal(rows) if seed % 2 else 0.0
    return matrix, matrix @ signal + 0.1 * noise


def test_an_error_of_zero_is_decided():
    """[[1, 0, 1/2], [0, 1, -1/2]], y = (1, 1): rho = 0 and the limit point is g* at any scale."""
    matrix = np.array([[1.0, 0, 0.3], [0, 1.0, -0.3]])
    for values, vanishes in (([1.0, 1.0], True), ([1.0, 2.0], False), ([1.0, -1.0], False)):
        assert error_vanishes(matrix, np.array([0, 1]), rationals_of(values)) == vanishes
    found = decide_minimizer(matrix, np.array([1.0, 1.0]))
    path = limit_path(
        matrix, found.point, found.certificate, potential(3), LOG10 * np.array([-3.0])
    )
    assert np.all(path.error == 0.0) and path.error_bound[0] == 0.0


@pytest.mark.parametrize("exponent", [-900, -30, 30, 900])
def test_units_of_the_matrix_do_not_matter(exponent):
    case, unit = instance(8, 20, 2, 0.1), 2.0**exponent
    expected = path_of(case, 3, [0.0, -4.0])
    found = decide_minimizer(case.matrix * unit, case.data * unit)
    path = limit_path(
        *(case.matrix * unit, found.point, found.certificate, potential(3)),
        LOG10 * np.array([0.0, -4.0]),
    )
    assert path.error.tobytes() == expected.error.tobytes()


def test_a_shorter_stride_is_taken_where_a_step_fails():
    """With few Newton steps allowed the same point is reached, by more and shorter steps."""
    case = instance(20, 60, 2, 0.1)
    patient, hasty = (
        path_of(case, 2, [0.0, -6.0], PathOptions(newton_steps=steps)) for steps in (10, 3)
    )
    assert_same((patient.error, patient.log_unit), (hasty.error, hasty.log_unit))
    assert hasty.newton_steps.sum() > patient.newton_steps.sum()


@pytest.mark.parametrize(("depth", "exponent"), [(2.5, -4), (2.5, -6), (3, -4), (4, -4)])
def test_a_step_in_rounded_coordinates_is_not_taken_for_exact(depth, exponent):
    """Rows of condition 3e12: the step from the defects is 1e-5 of n, of which it lacks 1e-5."""
    matrix = np.array(
        [
            [0, -(2.0**-2), 0, 8, 2.0**-2],
            [0.5, -(2.0**-5), 0, 0, 0],
            [-(2.0**-39), 2.0**-40 - 2.0**-2, -(2.0**-38), 8 + 2.0**-37, 2.0**-2],
        ]
    )
    point = np.array([2.0**-5, 0, 0, -6, 0])
    found = find_limit_points(matrix, matrix @ point, depth, log10_alpha=exponent)
    norm = 10.0 ** found.log10_unit[0] * np.abs(found.unit_error[0]).sum()
    exact = np.abs(limit_error(matrix, point, depth, exponent)).sum()
    assert found.minimizer.status == CERTIFIED
    assert abs(norm / exact - 1.0) <= found.error_bound[0] + 1e-15
