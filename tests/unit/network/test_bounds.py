"""Bounds hold, are what they say, and are attained where they must be."""

from copy import copy
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from scipy.optimize import brentq, linprog, minimize_scalar

import implicit_l1
from implicit_l1.minimizer.support import certificate, support_geometry
from implicit_l1.network import asymptotics, bounds, least_mass, rho_alpha
from implicit_l1.network.bands import contradiction
from implicit_l1.network.bounds import classical_log_upper, error_bounds
from implicit_l1.network.least_mass import refined_upper
from implicit_l1.network.limit import LimitPath, limit_path
from implicit_l1.network.rho_alpha import solve_rho_alpha
from implicit_l1.potentials import potential
from reference import dense_data, kernel_data, limit_error, sparse_data
from unkind import draw

LOG10 = np.log(10.0)
BANDS = ("off", "total", "off_refined", "total_refined")


def chebyshev(c, free_map):
    """(b, value) of min_b ||c + C^T b||_inf."""
    size = free_map.shape[0]
    if size == 0:
        return np.zeros(0), np.abs(c).max()
    edge = -np.ones((c.size, 1))
    result = linprog(
        np.append(np.zeros(size), 1.0),
        A_ub=np.block([[free_map.T, edge], [-free_map.T, edge]]),
        b_ub=np.concatenate([-c, c]),
        bounds=(None, None),
    )
    return result.x[:-1], result.x[-1]


def null_space_constant(geometry):
    """rho~ by one linear program a sign pattern, or by the formula where |S| = N."""
    size = geometry.support.size
    if geometry.free_map.shape[0] == 0:
        return np.abs(geometry.range_map).sum(axis=0).max()
    patterns = 1.0 - 2.0 * ((np.arange(2 ** (size - 1))[:, None] >> np.arange(size)) & 1)
    return max(chebyshev(geometry.range_map.T @ p, geometry.free_map)[1] for p in patterns)


class Instance:
    def __init__(self, matrix, minimizer):
        self.matrix, self.minimizer = matrix, minimizer
        self.geometry = support_geometry(matrix, np.flatnonzero(minimizer))
        self.sigma = np.sign(minimizer[self.geometry.support])
        start = self.geometry.least_norm_dual(self.sigma)
        self.least_norm = certificate(matrix, self.geometry, self.sigma, start)
        direction = self.least_norm.direction[self.geometry.complement]
        b, _ = chebyshev(direction, self.geometry.free_map)
        nu = start + self.geometry.q2 @ b
        self.dual = certificate(matrix, self.geometry, self.sigma, nu)
        self.rho_tilde = null_space_constant(self.geometry) * (1 + 1e-9)

    def path(self, depth, exponents):
        log_alpha = LOG10 * np.array(exponents, dtype=float)
        return limit_path(self.matrix, self.minimizer, self.dual, potential(depth), log_alpha)

    def bounds(self, depth, path, dual=None):
        phi, dual = potential(depth), dual or self.dual
        error = np.exp(path.log_unit)[:, None] * path.error
        return error_bounds(
            self.matrix,
            self.geometry,
            self.minimizer,
            dual,
            phi,
            path.log_alpha,
            error,
            self.rho_tilde,
        )

    def measured(self, path):
        """Logarithms of (||n_Sc||_1, ||n||_1)."""
        off = np.abs(path.error[:, self.geometry.complement]).sum(axis=1)
        return path.log_unit + np.log(off), path.log_norm(1)

    def slack(self, depth, path):
        """Of every band: (upper / measured, measured / lower, measured / prior), in logs."""
        found, (off, total) = self.bounds(depth, path), self.measured(path)
        result = {}
        for name in BANDS:
            band, norm = getattr(found, name), off if name.startswith("off") else total
            result[name] = np.array(
                [band.log_upper - norm, norm - band.log_lower, norm - band.log_lower_prior]
            )
        return result


def sparse_instance(*arguments, **options):
    return Instance(*sparse_data(*arguments, **options))


def dense_instance(*arguments, **options):
    return Instance(*dense_data(*arguments, **options))


def kernel_family(rho, count):
    return Instance(*kernel_data(rho, count))


SPARSE, DENSE = sparse_instance(), dense_instance()
BOTH = pytest.mark.parametrize("instance", [SPARSE, DENSE], ids=["sparse", "dense"])
DEPTHS = pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 10])
NEAR = [2, 1, 0, -1, -2, -3, -5, -8, -12, -20]


def far(depth):
    return [-50, -100, -200, -300] + ([-400, -1000, -3000, -1e4, -1e5] if depth == 2 else [])


def rounding(path):
    """What rounding may do to a logarithm."""
    return 1e-11 * (1.0 + np.abs(path.log_alpha))


@DEPTHS
@BOTH
def test_every_error_lies_within_its_bounds(instance, depth):
    path = instance.path(depth, NEAR + far(depth))
    for name, slack in instance.slack(depth, path).items():
        assert np.all(slack >= -rounding(path)), name  # false for nan as well


def test_an_entry_of_the_predictor_lost_to_rounding():
    # ker A spanned by (-0.899, -0.1, 1): for a long time x_2 is near 1e-20, though g*_2 is
    # 1e-3; the sum g* + n keeps nothing of it, and the bounds must know
    matrix = np.array([[1.0, 0.0, 0.899], [0.0, 1.0, 0.1]])
    instance = Instance(matrix, np.array([1.0, 1e-3, 0.0]))
    path = instance.path(2, [0, -10, -25, -30, -35, -50, -400, -1000])
    x = instance.minimizer[1] + np.exp(path.log_unit) * path.error[:, 1]
    assert np.any(np.abs(x) < 1e-16 * instance.minimizer[1])
    for name, slack in instance.slack(2, path).items():
        assert np.all(slack >= -rounding(path)), name


def near_copies(bits, minimizer=(1, 1)):
    """Two columns of S that differ by 2^-bits, while A has condition 3.7."""
    matrix = np.array([[1, 1, 0.5, -0.25], [1, 1 + 2.0**-bits, 3, -2]])
    return matrix, np.array([*minimizer, 0, 0], dtype=float)


UNKIND = {
    **{f"near copies {bits}": near_copies(bits) for bits in (10, 22, 35)},
    "near copies 20, not equal": near_copies(20, (1, 2)),
    # entries of A^T nu, or of x / alpha, so small that rounding of 1 is all of them
    "column of 1e-12": (np.array([[1.0, 1e-12]]), np.array([2.0, 0])),
    "signal of 1e-9": (np.array([[4.0, 3.0]]), np.array([2.0**-31, 0])),
    "almost a tie": (np.array([[1.0, 1 - 2.0**-30, -0.25]]), np.array([1.0, 0, 0])),
    "kappa": (np.array([[1.0, 0, 0.5, 0.25], [0, 1, 0.25, -0.5]]), np.array([1, 2.0**-33, 0, 0])),
    "scales": (
        np.array([[2.0**-20, 1, 0.5, 2.0**16], [0, 0.5, -0.25, 2.0**18]]),
        np.array([0, 1.0, 0, 2.0**-16]),
    ),
    "one column more": (
        np.array([[1, 0, 0, 0.25], [0, 1, 0, 0.5], [0, 0, 1, 0.125]]),
        np.array([1.0, 3, -2, 0]),
    ),
}


@pytest.mark.parametrize("name", UNKIND)
@pytest.mark.parametrize("depth", [2, 3, 4])
def test_errors_with_many_digits_lie_within_the_bounds(name, depth):
    """Whatever cond(A_S) has done to M, but for the relative 1e-11 that counts as nothing."""
    instance, exponents = Instance(*UNKIND[name]), [2, 1, 0, -2, -5]
    error = np.array([limit_error(*UNKIND[name], depth, e) for e in exponents])
    unit = np.abs(error).max(axis=1)
    log_alpha = LOG10 * np.array(exponents)
    path = LimitPath(log_alpha, np.log(unit), error / unit[:, None], *np.zeros((6, len(unit))))
    bounds_of, (off, total) = instance.bounds(depth, path), instance.measured(path)
    said = 0
    for band in BANDS:
        norm, found = off if band.startswith("off") else total, getattr(bounds_of, band)
        digits = 1.1e-11 + 1e-15 * np.abs(norm)
        assert np.all(found.log_upper >= norm - digits)
        assert np.all(found.log_lower <= norm + digits)
        assert np.all(found.log_lower_prior <= norm + digits)
        said += np.isfinite(found.log_upper).sum() + np.isfinite(found.log_lower).sum()
    assert said > 0
    if depth == 2:
        margin = instance.dual.margin[instance.geometry.complement].min()
        classical = classical_log_upper(instance.minimizer, margin, instance.rho_tilde, log_alpha)
        assert np.all(classical >= total - 1.1e-11 - 1e-15 * np.abs(total))


def table(**changes):
    """Columns of a table in which everything is right, but for the changes."""
    ends = {"error_1": -1.0, "error_off": -1.5}
    for norm, end in (("1", -1.0), ("off", -1.5)):
        for prefix in ("error", "refined"):
            name = f"{prefix}_{norm}"
            ends |= {f"{name}_upper": end + 1, f"{name}_lower": end - 1}
            ends |= {f"{name}_lower_prior": -np.inf}
    values = {f"log10_{name}": np.array([end, end]) for name, end in ends.items()}
    values |= {"log10_alpha": np.array([0.0, -2.0]), "rho_alpha": np.ones(2)}
    for name, value in changes.items():
        values[name][1] = value
    return values


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"log10_error_1_upper": np.inf},
        {"log10_refined_off_lower": -np.inf},
        {name: -np.inf for name in table() if name.startswith("log10_") and "alpha" not in name},
        {"log10_error_1": 5e-11, "log10_error_1_upper": 0.0},
    ],
)
def test_a_bound_that_says_nothing_is_no_failure(changes):
    assert contradiction(table(**changes), np.zeros(2)) == ""


@pytest.mark.parametrize(
    "changes",
    [
        *({name: np.nan} for name in table() if name != "log10_alpha"),
        *({name: np.inf} for name in table() if "lower" in name),
        *({name: -np.inf} for name in table() if "upper" in name),
        {"log10_error_1": np.inf, "log10_error_1_upper": np.inf},
        {"rho_alpha": np.inf},
        {"log10_error_1": 0.1},
        {"log10_error_off": -2.6},
    ],
)
def test_anything_else_is_a_contradiction(changes):
    assert contradiction(table(**changes), np.zeros(2)).startswith("log10(alpha) = -2: ")


def test_where_nothing_is_said_the_bound_is_infinite():
    """Beside the end of the domain, where the largest y is lost; other rows have their bounds."""
    phi = potential(10)
    near = np.array([[np.nextafter(1.0, 0.0), 0.5], [0.5, 0.25]])
    bound, _, _ = refined_upper(phi, near)
    assert bound[0] == np.inf and np.isfinite(bound[1])
    assert abs(bound[1]) < 1e3


def test_the_check_allows_for_what_stage_limit_claims():
    columns = table(log10_error_1=1e-6, log10_error_1_upper=0.0)
    assert contradiction(columns, np.array([0.0, 1e-5])) == ""
    assert contradiction(columns, np.array([1e-5, 1e-7])) != ""
    # log10 of an error that is known to a hundredth is known to 0.00436
    for over, holds in ((0.004, True), (0.006, False)):
        columns = table(log10_error_1=over, log10_error_1_upper=0.0)
        assert (contradiction(columns, np.array([0.01, 0.01])) == "") == holds


@DEPTHS
@BOTH
def test_a_wrong_error_falls_outside(instance, depth):
    path = instance.path(depth, NEAR + far(depth))
    for factor in (20.0, 0.05):
        moved = replace(path, log_unit=path.log_unit + np.log(factor))
        slack = instance.slack(depth, moved)["off_refined"]
        assert slack[0 if factor > 1 else 1, -1] < -0.1


@DEPTHS
@BOTH
def test_constants_of_the_linear_programs(instance, depth):
    path = instance.path(depth, [1, -1, -3, -8])
    found, geometry = instance.bounds(depth, path), instance.geometry
    on = instance.minimizer[geometry.support]
    for row, log_alpha in enumerate(path.log_alpha):
        t = potential(depth).phi_inverse(on / np.exp(log_alpha))
        _, value = chebyshev(geometry.range_map.T @ t, geometry.free_map)
        assert found.rho_alpha[row] == pytest.approx(value, rel=1e-9)
        count = geometry.complement.size
        with np.errstate(over="ignore"):
            upper = np.log(count * potential(depth).phi(value)) + log_alpha if value < 1 else None
        if depth == 2:
            upper = np.log(count * 2.0 * np.sinh(value)) + log_alpha
        expected = np.inf if upper is None else upper
        assert found.off.log_upper[row] == pytest.approx(expected, abs=1e-8)
        factor = np.log1p(instance.rho_tilde)
        assert found.total.log_upper[row] == pytest.approx(expected + factor, abs=1e-8)


@BOTH
def test_constants_far_out(instance):
    rho = 1.0 - instance.dual.margin[instance.geometry.complement].min()
    found = instance.bounds(2, instance.path(2, [0, -1e5]))
    assert found.rho_alpha[-1] / (1e5 * LOG10) == pytest.approx(rho, rel=1e-4)
    found = instance.bounds(4, instance.path(4, [0, -100]))
    assert found.rho_alpha[-1] == pytest.approx(rho, rel=1e-10)


@BOTH
def test_refined_bounds_meet_at_depth_two(instance):
    path = instance.path(2, [0, -1e4, -1e5])
    slack = instance.slack(2, path)["off_refined"]
    assert np.abs(slack[:, 1:]).max() < 1e-6
    assert instance.slack(2, path)["off"][0, -1] > 1.0


@DEPTHS
def test_refined_bounds_are_close_without_noise(depth):
    slack = SPARSE.slack(depth, SPARSE.path(depth, [0, -10, -100]))["off_refined"]
    assert np.all(slack[:, 2] < np.log(1.5))


@DEPTHS
@BOTH
def test_refined_bounds_are_never_worse(instance, depth):
    path = instance.path(depth, NEAR + far(depth))
    found, reserve = instance.bounds(depth, path), rounding(path)
    for norm in ("off", "total"):
        plain, refined = getattr(found, norm), getattr(found, norm + "_refined")
        assert np.all(refined.log_upper <= plain.log_upper + reserve)
        assert np.all(refined.log_lower >= plain.log_lower - reserve)
        assert np.all(refined.log_lower_prior >= plain.log_lower_prior - reserve)
        assert np.all(plain.log_lower_prior <= plain.log_lower + reserve)


def lower_by_definition(instance, depth, alpha, point, spread):
    """The lower bounds on (||n_Sc||_1, ||n||_1) for the worst x_S, in plain arithmetic."""
    geometry, phi = instance.geometry, potential(depth)
    free_map, count = geometry.free_map, geometry.complement.size
    size = free_map.shape[0]
    frozen = phi.phi_inverse(instance.minimizer[geometry.support] / alpha)
    best = (0.0, 0.0)
    for t in (instance.sigma, frozen):
        # k attains max <M^T t, k_Sc> subject to C k_Sc = 0, ||k_Sc||_1 <= 1
        c = geometry.range_map.T @ t
        k = linprog(
            -np.concatenate([c, -c]),
            A_ub=np.ones((1, 2 * count)),
            b_ub=[1.0],
            A_eq=np.hstack([free_map, -free_map]) if size else None,
            b_eq=np.zeros(size) if size else None,
        ).x
        k_on = -geometry.range_map @ (k[:count] - k[count:])
        ends = [phi.phi_inverse((point + side * spread) / alpha) for side in (-1, 1)]
        v = np.minimum(-k_on * ends[0], -k_on * ends[1]).sum()
        if v > 0:
            off = alpha * phi.phi(v)
            best = max(best, (off, off * (1.0 + v / np.abs(ends).max())))
    with np.errstate(divide="ignore"):
        return np.log(best)


@DEPTHS
@BOTH
def test_lower_bounds_from_their_definition(instance, depth):
    path = instance.path(depth, [-1, -2, -4, -8])
    found, geometry = instance.bounds(depth, path), instance.geometry
    on = instance.minimizer[geometry.support]
    worst = np.minimum(instance.rho_tilde, np.abs(geometry.range_map).max(axis=1))
    for row, log_alpha in enumerate(path.log_alpha):
        point = on + np.exp(path.log_unit[row]) * path.error[row, geometry.support]
        expected = lower_by_definition(instance, depth, np.exp(log_alpha), point, 0.0 * on)
        assert found.off.log_lower[row] == pytest.approx(expected[0], abs=1e-6)
        assert found.total.log_lower[row] == pytest.approx(expected[1], abs=1e-6)
        spread = worst * np.exp(found.off.log_upper[row])
        expected = lower_by_definition(instance, depth, np.exp(log_alpha), on, spread)
        assert found.off.log_lower_prior[row] == pytest.approx(expected[0], abs=1e-6)
        assert found.total.log_lower_prior[row] == pytest.approx(expected[1], abs=1e-6)


def test_support_part_of_the_refined_lower_bound():
    # ||n_S||_1 T >= ||n_Sc||_1 phi^{-1}(||n_Sc||_1 / (alpha |S^c|)); at D = 2 without noise
    # it beats what the largest entry alone gives
    path = SPARSE.path(2, [-6])
    found, on = SPARSE.bounds(2, path), SPARSE.geometry.support
    x = SPARSE.minimizer[on] + np.exp(path.log_unit[0]) * path.error[0, on]
    alpha, phi = 1e-6, potential(2)
    mass = np.exp(found.off_refined.log_lower[0])
    dual = phi.phi_inverse(mass / (alpha * SPARSE.geometry.complement.size))
    expected = mass * (1.0 + dual / np.abs(phi.phi_inverse(x / alpha)).max())
    assert found.total_refined.log_lower[0] == pytest.approx(np.log(expected), abs=1e-8)


def test_contradictory_data_have_no_finite_lower_bound():
    # phi_3^{-1} < 1, so no n_Sc reaches what this x_S asks for
    path = DENSE.path(3, [-4])
    j = np.argmax(np.abs(DENSE.sigma @ DENSE.geometry.range_map))
    side = np.sign(DENSE.geometry.range_map[:, j] * (DENSE.sigma @ DENSE.geometry.range_map)[j])
    assert np.abs(DENSE.geometry.range_map[:, j]).sum() > 1.1
    error = path.error.copy()
    error[0, DENSE.geometry.support] = 1e12 * side
    found = DENSE.bounds(3, replace(path, error=error))
    assert found.off.log_lower[0] == np.inf


@pytest.mark.parametrize("depth", [2, 3])
def test_scales_far_above_the_data(depth):
    # z is of the size of 1 / alpha there and must not be a difference of larger numbers;
    # n = t k with phi^{-1} nearly linear: t = rho (1 - rho m t)
    rho, count, log_alpha = 0.7, 4, np.array([9.0, 6.0]) * LOG10
    instance = kernel_family(rho, count)
    t = rho / (1.0 + rho**2 * count)
    error = np.tile(t * np.array([-rho * count] + [1.0] * count), (2, 1))
    path = LimitPath(log_alpha, np.zeros(2), error, *np.zeros((6, 2)))
    found = instance.bounds(depth, path).off_refined
    assert found.log_lower == pytest.approx(np.full(2, np.log(count * t)), abs=1e-10)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("rho, count", [(0.3, 1), (0.7, 4), (0.95, 2)])
def test_one_dimensional_kernel(rho, count, depth):
    instance, phi = kernel_family(rho, count), potential(depth)
    exponents = np.array([1, 0, -1, -2, -4, -8, -16, -100, -300.0])
    path = instance.path(depth, exponents)
    found = instance.bounds(depth, path)
    log_alpha = path.log_alpha

    def excess(log_t, scale):  # n = t k, phi^{-1}(t / alpha) = rho phi^{-1}((1 - rho m t) / alpha)
        t, alpha = np.exp(log_t), np.exp(scale)
        return phi.phi_inverse(t / alpha) - rho * phi.phi_inverse((1 - rho * count * t) / alpha)

    close = log_alpha > -40 * LOG10  # phi^{-1} near 1 is not resolved beyond
    log_t = np.array([brentq(excess, s - 30, 0.0, args=(s,), xtol=1e-14) for s in log_alpha[close]])
    off, total = instance.measured(path)
    assert off[close] == pytest.approx(log_t + np.log(count), abs=1e-9)
    assert total == pytest.approx(off + np.log1p(rho), abs=1e-12)
    # the sup norm loses the factor m, the rest of the lower bound nothing
    assert found.off.log_lower == pytest.approx(off - np.log(count), abs=1e-8)
    assert found.total.log_lower == pytest.approx(total - np.log(count), abs=1e-8)
    assert found.off_refined.log_lower == pytest.approx(off, abs=1e-8)
    assert found.total_refined.log_lower == pytest.approx(total, abs=1e-8)
    # rho_alpha = rho phi^{-1}(1 / alpha), and the upper bound is attained asymptotically
    with np.errstate(over="ignore"):
        dual = phi.phi_inverse(np.exp(-log_alpha[close]))
    assert found.rho_alpha[close] == pytest.approx(rho * dual, rel=1e-12)
    upper = np.log(count) + log_alpha[close] + np.log(phi.phi(rho * dual))
    assert found.off.log_upper[close] == pytest.approx(upper, abs=1e-9)
    tightness = found.off.log_upper - off
    assert np.all(tightness >= -rounding(path))
    assert np.all(np.diff(tightness[2:]) <= 1e-10)
    assert tightness[-1] < 1e-10
    # here rho~ = rho m and ||n_S||_1 = rho m t, so the same holds for the whole
    assert instance.rho_tilde == pytest.approx(rho)
    assert found.total.log_upper - total == pytest.approx(tightness, abs=1e-8)


@pytest.mark.parametrize("depth", [2, 3])
def test_no_error_at_all(depth):
    # rho = 0: the limit point is g*, whatever alpha
    instance = kernel_family(0.0, 3)
    log_alpha = np.array([1.0, -5.0, -50.0])
    path = LimitPath(log_alpha, np.zeros(3), np.zeros((3, 4)), *np.zeros((6, 3)))
    found = instance.bounds(depth, path)
    for name in BANDS:
        band = getattr(found, name)
        for field in (band.log_upper, band.log_lower, band.log_lower_prior):
            assert np.all(field == -np.inf)


@pytest.mark.parametrize("epsilon", [0.3, 0.1, 0.03, 0.01])
@pytest.mark.parametrize("depth", [2, 3])
def test_two_columns(epsilon, depth):
    # A = [1, 1 - eps], y = 1: x_1 = 1 - (1 - eps) x_2 and z_2 = (1 - eps) z_1
    instance = Instance(np.array([[1.0, 1.0 - epsilon]]), np.array([1.0, 0.0]))
    path = instance.path(depth, [0, -10, -100, -300])
    off, _ = instance.measured(path)
    found = instance.bounds(depth, path)
    assert instance.rho_tilde == pytest.approx(1 - epsilon)
    assert found.off.log_lower == pytest.approx(off, abs=1e-8)
    tightness = found.total.log_upper - instance.measured(path)[1]
    assert np.all(np.diff(tightness) < 1e-8) and tightness[0] > 1e-3
    # the correction at D = 2 is of the order of alpha^epsilon
    assert tightness[-1] < (2e-3 if depth == 2 and epsilon < 0.05 else 1e-8)


def test_bounds_that_say_nothing():
    instance = dense_instance(0, (20, 60))
    found = instance.bounds(3, instance.path(3, [2, 0, -2, -200]))
    nothing = found.rho_alpha >= 1.0
    assert nothing.any() and not nothing[-1]
    for name in BANDS:
        band = getattr(found, name)
        assert np.array_equal(band.log_upper == np.inf, nothing)
        assert np.all(band.log_lower_prior[nothing] == -np.inf)
        assert np.isfinite(band.log_lower_prior[-1])


def test_a_negative_argument_gives_no_lower_bound():
    # noisy data: at large alpha the kernel vectors of small alpha point the wrong way
    instance = dense_instance(8, (20, 60), signal=100.0)
    found = instance.bounds(2, instance.path(2, [2, 0, -1]))
    assert found.off.log_lower[0] == -np.inf < found.off.log_lower[-1]
    assert found.total.log_lower[0] == -np.inf < found.total.log_lower[-1]


@BOTH
@pytest.mark.parametrize("depth", [2, 3])
def test_any_certificate_gives_the_same_bounds(instance, depth):
    path = instance.path(depth, [2, 0, -2, -5, -30])
    first = instance.bounds(depth, path)
    second = instance.bounds(depth, path, instance.least_norm)
    assert second.rho_alpha == pytest.approx(first.rho_alpha, rel=1e-10)
    for name in BANDS:
        for field in ("log_upper", "log_lower", "log_lower_prior"):
            expected = getattr(getattr(first, name), field)
            assert getattr(getattr(second, name), field) == pytest.approx(expected, abs=1e-6)


@BOTH
@pytest.mark.parametrize("depth", [2, 3])
def test_bounds_do_not_depend_on_the_other_scales(instance, depth):
    exponents = [1, 0, -2, -5, -30]
    together = instance.bounds(depth, instance.path(depth, exponents))
    for row, exponent in enumerate(exponents):
        alone = instance.bounds(depth, instance.path(depth, [exponent]))
        for name in BANDS:
            for field in ("log_upper", "log_lower", "log_lower_prior"):
                expected = getattr(getattr(together, name), field)[row]
                assert getattr(getattr(alone, name), field) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("exponent", [0, -1, -2])
def test_a_start_from_a_distant_scale(exponent):
    # the b of alpha = 1e-100 lies outside the domain, or too near its edge, at these scales
    instance = sparse_instance(6)
    together = instance.bounds(2.1, instance.path(2.1, [exponent, -100]))
    alone = instance.bounds(2.1, instance.path(2.1, [exponent]))
    expected = alone.off_refined.log_upper[0]
    assert together.off_refined.log_upper[0] == pytest.approx(expected, abs=1e-8)


@BOTH
@pytest.mark.parametrize("depth", [2, 3])
def test_scaling_the_data_scales_the_bounds(instance, depth):
    factor = 2.0**10
    larger = Instance(instance.matrix, factor * instance.minimizer)
    exponents = np.array([1, 0, -2, -5, -30.0])
    first = instance.bounds(depth, instance.path(depth, exponents))
    second = larger.bounds(depth, larger.path(depth, exponents + np.log10(factor)))
    for name in BANDS:
        for field in ("log_upper", "log_lower", "log_lower_prior"):
            expected = getattr(getattr(first, name), field) + np.log(factor)
            assert getattr(getattr(second, name), field) == pytest.approx(expected, abs=1e-6)


@BOTH
def test_classical_bound(instance):
    path = instance.path(2, [1, -2, -10, -1e5])
    margin = instance.dual.margin[instance.geometry.complement].min()
    bound = classical_log_upper(instance.minimizer, margin, instance.rho_tilde, path.log_alpha)
    assert np.all(bound >= instance.bounds(2, path).total.log_upper - 1e-9)
    size = np.abs(instance.minimizer[instance.geometry.support])
    for row in range(3):
        alpha = np.exp(path.log_alpha[row])
        argument = (1 - margin) * np.arcsinh(size.max() / (2 * alpha))
        argument += instance.rho_tilde * np.log(size.max() / size.min())
        expected = 2 * alpha * np.sinh(argument) * instance.geometry.complement.size
        expected *= 1 + instance.rho_tilde
        assert bound[row] == pytest.approx(np.log(expected), abs=1e-10)
    assert bound[3] - bound[2] == pytest.approx(-margin * (1e5 - 10) * LOG10, rel=1e-9)


def test_bounds_that_say_nothing_at_any_scale():
    instance = dense_instance(0, (20, 60))
    found = instance.bounds(3, instance.path(3, [-1, -2]))
    for name in BANDS:
        band = getattr(found, name)
        assert np.all(band.log_upper == np.inf) and np.all(band.log_lower_prior == -np.inf)
        assert not np.any(np.isnan(band.log_lower))


def check_programs(free_map, c):
    """The programs of rows c are solved, each as if it were alone."""
    parts = np.zeros((len(c), 1)), np.zeros(c.shape), np.ones(c.shape), c
    free, kernel, gap = solve_rho_alpha(free_map, *parts, ["of a test"] * len(c))
    for offset, b, k in zip(c, free, kernel, strict=True):
        unit = np.abs(offset).max()
        value = unit * chebyshev(offset / unit, free_map)[1]
        assert np.abs(offset + free_map.T @ b).max() == pytest.approx(value, rel=1e-9)
        assert offset @ k == pytest.approx(value, rel=1e-9)
        assert np.abs(k).sum() == pytest.approx(1.0, abs=1e-14)
        assert np.abs(free_map @ k).max() < 1e-12
    assert np.abs(gap).max() < 1e-12


@pytest.mark.parametrize("shape", [(1, 2), (3, 12), (12, 40)])
def test_linear_programs_of_rho_alpha(shape):
    rng = np.random.default_rng(7)
    free_map = rng.standard_normal(shape)
    # near one another, then not at all, of another size, and the last one again
    offsets = [rng.standard_normal(shape[1])]
    offsets += [offsets[0] + 0.1 * step * rng.standard_normal(shape[1]) for step in range(5)]
    offsets += [rng.standard_normal(shape[1]), 1e5 * rng.standard_normal(shape[1])]
    check_programs(free_map, np.array([*offsets, offsets[-1]]))


def test_a_solution_serves_all_scales_at_which_it_is_optimal(monkeypatch):
    rng = np.random.default_rng(9)
    free_map, ends = rng.standard_normal((20, 60)), rng.standard_normal((2, 60))
    t = np.linspace(0.0, 1.0, 300)[:, None]
    solves = counted(monkeypatch, "solve", rho_alpha.KernelPrograms)
    check_programs(free_map, (1.0 - t) * ends[0] + t * ends[1])
    assert 1 < len(solves) < 100


def test_a_degenerate_program_of_rho_alpha():
    """Two of three columns attain the maximum, and many b."""
    free_map = np.array([[1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 2.0]])
    check_programs(free_map, np.array([[1.0, 1.0, 0.1, 0.1], [1.0, 1.0, 0.1, 0.2]]))


@pytest.mark.parametrize("depth", [2, 2.1, 3, 10])
def test_derivatives(depth):
    sizes = [1e-12, 1e-6, 0.01, 0.5, 0.99, 1.0 - 2.0**-30]
    sizes += [3.0, 200.0] if depth == 2 else []
    found = np.array(least_mass._derivatives(potential(depth), np.array(sizes)))
    p = None if depth == 2 else mpmath.mpf(potential(depth).power)
    for column, size in zip(found.T, sizes, strict=True):
        with mpmath.workdps(60):
            z = mpmath.mpf(size)
            if depth == 2:
                phi, first, second = 2 * mpmath.sinh(z), 2 * mpmath.cosh(z), 2 * mpmath.sinh(z)
            else:
                phi = (1 - z) ** -p - (1 + z) ** -p
                first = p * ((1 - z) ** (-p - 1) + (1 + z) ** (-p - 1))
                second = p * (p + 1) * ((1 - z) ** (-p - 2) - (1 + z) ** (-p - 2))
            expected = [float(v) for v in (mpmath.log(first), phi / first, second / first)]
        assert column == pytest.approx(expected, rel=1e-12)


def counted(monkeypatch, name, module=least_mass):
    """Arguments with which a function of a module is called from now on."""
    calls, function = [], getattr(module, name)
    monkeypatch.setattr(
        *(module, name), lambda *arguments: calls.append(arguments) or function(*arguments)
    )
    return calls


@pytest.mark.parametrize("depth", [2, 3, 10])
def test_refined_upper_bound_solves_its_problem(depth):
    # max sum(phi(z)) subject to sum((z - a) phi(z)) <= 0
    phi, a = potential(depth), np.array([[0.5, 0.3, 0.1], [0.0, 0.0, 0.0], [0.7, 0.7, 0.0]])
    a *= 3.0 if depth == 2 else 1.0
    bound, *_ = refined_upper(phi, a)
    assert bound[1] == -np.inf

    def maximizer(tau, a):
        """Where the Lagrangian with multiplier 1 / tau is stationary: z + phi / phi' = a + tau."""
        edge = a + tau if depth == 2 else min(a + tau, 1.0 - 1e-9)
        return brentq(lambda z: z + phi.phi(z) / phi.phi_prime(z) - a - tau, 0.0, edge, xtol=1e-15)

    def excess(tau, a):
        z = np.array([maximizer(tau, entry) for entry in a])
        return (z - a) @ phi.phi(z)

    for row in (0, 2):
        most = 1.0 if depth == 2 else 0.999 * (1.0 - a[row].max())
        tau = brentq(excess, 1e-6, most, args=(a[row],), xtol=1e-14)
        z = np.array([maximizer(tau, entry) for entry in a[row]])
        assert bound[row] == pytest.approx(np.log(phi.phi(z).sum()), abs=1e-6)
        for seed in range(20):  # and no feasible point has more
            trial = z + 0.1 * tau * np.random.default_rng(seed).standard_normal(3)
            mass = phi.phi(np.clip(trial, 0.0, None))
            if (trial - a[row]) @ mass <= 0.0:
                assert np.log(mass.sum()) <= bound[row]


@pytest.mark.parametrize("depth", [2, 2.1, 3, 10])
def test_refined_upper_bound_of_many_entries(depth, monkeypatch):
    # min over tau of sum(h^*(a + tau)) / tau, with h^*(s) = max (s - z) phi(z)
    phi, rng = potential(depth), np.random.default_rng(3)
    largest = [8.0, 1.0, 1e-3] if depth == 2 else [0.97, 0.3, 1e-3]
    a = np.array(largest)[:, None] * rng.random((3, 25)) ** 3
    steps = counted(monkeypatch, "_maximizer")
    found, *_ = refined_upper(phi, a)
    assert len(steps) <= 6

    def conjugate(s):
        best = minimize_scalar(
            *(lambda z: -(s - z) * phi.phi(z),),
            bounds=(0.0, min(s, 1.0 if depth != 2 else s)),
            method="bounded",
            options={"xatol": 1e-10 * s},
        )
        return -best.fun

    for row, bound in zip(a, found, strict=True):
        edge = 1.0 if depth == 2 else 1.0 - row.max()
        best = minimize_scalar(
            lambda tau, row: np.log(sum(conjugate(s + tau) for s in row) / tau),
            args=(row,),
            bounds=(0.1 * phi.phi(row.max()) / phi.phi_prime(row.max()), edge),
            method="bounded",
            options={"xatol": 1e-6 * edge},
        )
        assert bound == pytest.approx(best.fun, abs=1e-8)


@pytest.mark.parametrize("depth", [2, 2.5, 3, 10])
def test_refined_lower_bound_solves_its_problem(depth):
    # min phi(y_1) + phi(y_2) subject to w y_1 + (1 - w) y_2 >= v, y >= 0
    phi = potential(depth)
    values = np.array([0.01, 0.4, 0.9]) * (5.0 if depth == 2 else 1.0)
    cases = [(value, weight) for value in values for weight in (0.5, 0.2, 1e-3, 0.0)]
    weights = np.array([[weight, 1.0 - weight] for _, weight in cases])
    found, *_ = least_mass.least_mass(phi, weights, np.array([value for value, _ in cases]))

    def total(y, value, weight):
        return np.log(phi.phi(y) + phi.phi((value - weight * y) / (1.0 - weight)))

    for bound, (value, weight) in zip(found, cases, strict=True):
        top = min(value / max(weight, 0.1), 20.0 if depth == 2 else 1.0 - 1e-12)
        low = 0.0 if depth == 2 else (value - 1.0 + weight) / max(weight, 1e-300) + 1e-12
        low = max(0.0, low)
        best = minimize_scalar(
            *(total, None),
            args=(value, weight),
            bounds=(low, top),
            method="bounded",
            options={"xatol": 1e-11},
        )
        least = min(best.fun, total(low, value, weight), total(top, value, weight))
        assert bound == pytest.approx(least, abs=1e-7)
        assert bound <= least + 1e-10


@pytest.mark.parametrize("depth", [2, 2.1, 3, 10])
def test_refined_lower_bound_of_many_entries(depth):
    # the dual function of mu, maximized by itself
    phi, rng = potential(depth), np.random.default_rng(4)
    weights = rng.random((4, 25)) ** np.array([[1.0], [6.0], [30.0], [0.0]])
    weights[1, :5] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    edge = 30.0 if depth == 2 else 1.0 - 1e-9

    def dual(log_mu, weights, value):
        def y(weight):
            def slope(y):
                return phi.phi_prime(y) - np.exp(log_mu) * weight

            if slope(0.0) >= 0:
                return 0.0
            return brentq(slope, 0.0, edge, xtol=1e-15) if slope(edge) > 0 else edge

        y = np.array([y(weight) for weight in weights])
        return (phi.phi(y) + np.exp(log_mu) * (value / weights.size - weights * y)).sum()

    for value in (8.0, 1.0, 1e-3) if depth == 2 else (0.9, 0.3, 1e-3):
        found, *_ = least_mass.least_mass(phi, weights, np.full(4, value))
        for row, bound in zip(weights, found, strict=True):
            low = np.log(phi.phi_prime(value) / row.max())
            best = minimize_scalar(
                lambda log_mu, row, value: -dual(log_mu, row, value),
                args=(row, value),
                bounds=(low - 0.1, low + 10.0),
                method="bounded",
                options={"xatol": 1e-8},
            )
            assert bound == pytest.approx(np.log(-best.fun), abs=1e-9)


@pytest.mark.parametrize("depth", [2, 3])
def test_refined_bounds_where_phi_is_linear(depth, monkeypatch):
    # phi(y) = phi'(0) y: all is on the entry of the largest weight; and h^*(s) = phi'(0) s^2 / 4
    phi, value = potential(depth), np.array([1e-5, 1e-9])
    weights = np.tile([0.2, 0.5, 0.3], (2, 1))
    expected = np.log(phi.phi_prime(0.0) * value / 0.5)
    steps = counted(monkeypatch, "_inverse_growth")
    assert least_mass.least_mass(phi, weights, value)[0] == pytest.approx(expected, abs=1e-7)
    assert len(steps) <= 4
    size = value[:, None] * np.array([1.0, 0.4])
    tau = np.sqrt((size**2).mean(axis=1))
    expected = phi.phi_prime(0.0) / 4.0 * ((size + tau[:, None]) ** 2).sum(axis=1) / tau
    assert refined_upper(phi, size)[0] == pytest.approx(np.log(expected), abs=1e-7)


@pytest.mark.parametrize("depth", [2, 2.001, 2.1, 2.5, 3, 4, 6, 10, 100])
def test_the_least_mass_where_phi_prime_is_flat(depth):
    """Of equal weights the mean is best; of one or several largest, where the others are too small
    to be worth anything, these alone: what is called least is neither above that nor below.
    """
    phi = potential(depth)
    p = None if depth == 2 else mpmath.mpf(phi.power)

    def mass(z):
        return 2 * mpmath.sinh(z) if p is None else (1 - z) ** -p - (1 + z) ** -p

    values = np.logspace(-3, -60, 58) / (1.0 if p is None else float(p))
    for weights, top in (
        (np.full(7, 1 / 7), 7),
        (np.array([0.5, 0.5]), 2),
        (np.array([0.4, 0.2, 0.4]), 2),
        (np.array([0.5, 0.25, 0.25]), 1),
    ):
        found, *_ = least_mass.least_mass(phi, np.tile(weights, (values.size, 1)), values)
        with mpmath.workdps(80):
            share = [mpmath.mpf(value) / mpmath.mpf(weights.max()) / top for value in values]
            right = [float(mpmath.log(top * mass(one))) for one in share]
        assert found == pytest.approx(right, rel=1e-13, abs=1e-12)


def least_of_two(phi, weights, value):
    """The least mass of two weights by a search in 60 digits."""
    p = None if phi.depth == 2 else mpmath.mpf(phi.power)

    def slope(y):
        if p is None:
            return 2 * mpmath.cosh(y)
        return p * ((1 - y) ** (-p - 1) + (1 + y) ** (-p - 1))

    def mass(y):
        return 2 * mpmath.sinh(y) if p is None else (1 - y) ** -p - (1 + y) ** -p

    first, second = map(mpmath.mpf, weights)
    low, high = value / (first + second), value / first  # of the larger weight's
    for _ in range(200):
        y = (low + high) / 2
        other = (value - first * y) / second
        low, high = (low, y) if slope(y) * second > slope(other) * first else (y, high)
    return mass(low) + mass((value - first * low) / second)


@pytest.mark.parametrize("depth", [2, 2.1, 3, 10])
@pytest.mark.parametrize("gap", [1e-2, 1e-5, 1e-9, 1e-13])
def test_the_least_mass_of_weights_that_are_nearly_equal(depth, gap):
    """Which of them are worth anything is told by the relative difference, of the order of y^2."""
    phi, weights = potential(depth), np.array([0.5 + gap, 0.5 - gap])
    values = np.sqrt(gap) * np.array([0.01, 0.5, 1.0, 2.0, 5.0])
    values = values[values < 0.4]
    found, *_ = least_mass.least_mass(phi, np.tile(weights, (values.size, 1)), values)
    with mpmath.workdps(60):
        right = [
            float(mpmath.log(least_of_two(phi, weights, mpmath.mpf(value)))) for value in values
        ]
    assert found == pytest.approx(right, rel=1e-13, abs=1e-12)


def test_balances_at_smaller_scales_predict_the_next(monkeypatch):
    steps = counted(monkeypatch, "balance", bounds)
    solves = counted(monkeypatch, "solve_positive_definite", asymptotics)
    SPARSE.bounds(3, SPARSE.path(3, np.arange(0, -6, -0.25)))
    assert len(solves) < 3 * len(steps)


def test_bad_null_space_constant():
    path = SPARSE.path(2, [0])
    for value in (-1.0, np.nan, np.inf):
        instance = copy(SPARSE)
        instance.rho_tilde = value
        with pytest.raises(ValueError, match="rho_tilde"):
            instance.bounds(2, path)


NO_ERROR = [
    ([[1, -2, 3, 0], [-1, 2, -2, 0], [2, 2, 1, 0]], [-7, 5, -4], 3, 0.3),
    ([[-1, -1, 0, 1], [1, -1, 0, 1], [-1, 1, 0, 1]], [6, 6, 2], 3, 6e-4),
    ([[-1, 1, -1, -1], [-1, -1, 1, -1], [1, -1, -1, 1]], [4, -4, 4], 2, 0.4),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("matrix", "data", "depth", "alpha"), NO_ERROR)
def test_an_error_of_zero_has_bounds(matrix, data, depth, alpha):
    """rho_alpha and z are 0, and what is computed for them is rounding."""
    found = implicit_l1.bound_error(matrix, data, depth, alpha=alpha)
    assert found.limit.log10_error_1[0] == -np.inf
    assert found.log10_lower[0] == -np.inf and found.log10_upper[0] < -13.0
    assert found.rho_alpha[0] < 1e-15


# Equal columns, columns that hardly reach the kernel: of a kernel vector rounding is left.
TIED = [
    *(("zeros_and_ones", seed) for seed in (10, 15, 21)),
    *(("wide", seed) for seed in (0, 2, 10)),
    *(("near_copies", 20), ("kernels", 3)),
]


@pytest.mark.parametrize(("name", "seed"), TIED)
@pytest.mark.parametrize("depth", [2, 2.5, 3, 10])
def test_ties_have_bounds(name, seed, depth):
    case, scales = draw(name, seed), np.array([1.0, 0, -1, -3, -6, -12])
    found = implicit_l1.bound_error(
        case.matrix, case.data, depth, log10_alpha=scales, noiseless=case.product
    )
    error = found.limit.log10_error_1
    assert np.all(found.log10_lower <= error + 1e-9)
    assert np.all(error - 1e-9 <= found.log10_upper)


@pytest.mark.parametrize("left", [1e-17, 7e-16])
def test_what_rounding_has_left_of_a_kernel_vector_is_no_equation(left, monkeypatch):
    """The maximum is attained at the first column alone; b at the others is anything."""
    free_map = np.array([[0.0, 1.0, 1.0, 0.5], [0.0, 0.0, 1.0, -0.5]])
    solve = rho_alpha.KernelPrograms.solve

    def rounded(programs, offset, name):
        kernel, free = solve(programs, offset, name)
        return kernel + left * (kernel == 0.0), free

    monkeypatch.setattr(rho_alpha.KernelPrograms, "solve", rounded)
    check_programs(free_map, np.array([[3.0, 0.5, 1.0, -0.25], [2.0, 0.5, 1.0, -0.5]]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("decades", [-700.0, 100.0])
def test_bounds_where_slopes_are_beyond_the_doubles(decades):
    found = implicit_l1.bound_error([[4096, 2.0**28, -(2.0**24)]], [1.0], 4, log10_alpha=decades)
    error = found.limit.log10_error_1[0]
    assert found.log10_lower[0] <= error <= found.log10_upper[0]
