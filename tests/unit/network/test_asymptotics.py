"""First-order constants against limit points far out, closed forms and optimality."""

import mpmath as mp
import numpy as np
import pytest
from flint import fmpz_mat
from scipy.optimize import linprog

import implicit_l1
from implicit_l1.linear.exact import Undecided, rationals_of
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.null_space import largest_margin_dual
from implicit_l1.minimizer.support import certificate, support_geometry
from implicit_l1.network import asymptotics
from implicit_l1.network.asymptotics import BalanceError, balance, first_order
from implicit_l1.network.limit import limit_path
from implicit_l1.network.rates import largest_competitor, log_correction
from implicit_l1.potentials import potential
from implicit_l1.status import CERTIFIED
from reference import dense_data, kernel_data, sparse_data

LOG10 = np.log(10.0)


def prepare(matrix, minimizer):
    """(matrix, g*, geometry, certificate of largest margin)."""
    support = np.flatnonzero(minimizer)
    geometry = support_geometry(matrix, support)
    sigma = np.sign(minimizer[support])
    nu = largest_margin_dual(matrix, geometry, sigma)
    return matrix, minimizer, geometry, certificate(matrix, geometry, sigma, nu)


def sparse_instance(*arguments, **options):
    return prepare(*sparse_data(*arguments, **options))


def dense_instance(*arguments, **options):
    return prepare(*dense_data(*arguments, **options))


def kernel_family(rho, count):
    return prepare(*kernel_data(rho, count))


def log_ratio(instance, depth, exponents, order=1):
    """log(measured / predicted) at alpha = 10^exponents, and the prediction."""
    matrix, minimizer, geometry, dual = instance
    limit = first_order(matrix, geometry, minimizer, dual, potential(depth))
    log_alpha = LOG10 * np.array(exponents, dtype=float)
    path = limit_path(matrix, minimizer, dual, potential(depth), log_alpha)
    predicted = limit.log_constant(order) + limit.exponent * log_alpha
    return path.log_norm(order) - predicted, limit, path


SPARSE, DENSE = sparse_instance(), dense_instance()


@pytest.mark.parametrize(
    "depth, far", [(2, -3), (2, -12), (2.5, -12), (2.5, -60), (3, -12), (6, -9)]
)
def test_what_follows_the_leading_term_is_of_the_order_that_is_said(depth, far):
    # of the kernel family all entries off S lead: nothing else hides it
    for instance in (kernel_family(0.5, 3), kernel_family(0.9, 2)):
        ratio, limit, path = log_ratio(instance, depth, [0, far])
        smallest = np.log(np.abs(instance[1][instance[1] != 0]).min())
        said = log_correction(depth, smallest, path.log_norm(1)[-1], LOG10 * far, limit.exponent)
        assert 0.03 < np.abs(ratio[-1]) / np.exp(said) < 30
        entries = (limit.entry_exponent, limit.entry_log_size, LOG10 * far)
        assert np.isnan(largest_competitor(*entries))


def test_a_slack_of_no_more_than_the_scale_is_that_of_the_scale():
    """An error below alpha says that the slack is of order 1, of one above alpha it is smaller."""
    smallest, log_alpha, exponent = np.log(2.0), np.log(1e-6), np.array(1.0)
    for log_error, size in ((np.log(1e-9), 1e-6), (np.log(1e-3), 1e-3)):
        said = log_correction(4, smallest, log_error, log_alpha, exponent)  # p = 2
        assert said == pytest.approx(np.log(3.0 * np.sqrt(size / 2.0)))


@pytest.mark.parametrize("order", [1, 2, np.inf])
@pytest.mark.parametrize("instance", [SPARSE, DENSE], ids=["sparse", "dense"])
@pytest.mark.parametrize("depth, far", [(2, -1e5), (2.5, -200), (3, -60), (4, -40), (10, -30)])
def test_constant_is_the_limit_of_the_measured_error(instance, depth, far, order):
    ratio, limit, path = log_ratio(instance, depth, [0, far], order)
    assert abs(ratio[-1]) < 1e-8
    unit = path.log_unit[-1] - limit.exponent * path.log_alpha[-1] - limit.log_unit
    assert np.abs(path.error[-1] * np.exp(unit) - limit.error).max() < 1e-8
    assert np.abs(limit.error[instance[2].complement]).max() == 1.0


@pytest.mark.parametrize("instance", [SPARSE, DENSE], ids=["sparse", "dense"])
def test_exponents(instance):
    matrix, minimizer, geometry, dual = instance
    rho = np.abs(dual.direction[geometry.complement]).max()
    law = first_order(matrix, geometry, minimizer, dual, potential(2))
    assert law.exponent == pytest.approx(1 - rho)
    linear = first_order(matrix, geometry, minimizer, dual, potential(3))
    assert linear.exponent == 1.0 and np.all(linear.entry_exponent == 1.0)
    leading = np.abs(linear.error[geometry.complement]) == 1.0
    assert linear.entry_log_size[leading] == linear.log_unit


@pytest.mark.parametrize("depth", [3, 4, 6])
def test_correction_has_the_stated_order(depth):
    ratio, *_ = log_ratio(SPARSE, depth, [-10, -12])
    slope = np.log(ratio[0] / ratio[1]) / (2 * LOG10)
    assert slope == pytest.approx((depth - 2) / depth, rel=0.03)


@pytest.mark.parametrize("instance", [SPARSE, DENSE], ids=["sparse", "dense"])
def test_every_entry_has_its_own_power_at_depth_two(instance):
    matrix, minimizer, geometry, dual = instance
    _, limit, _ = log_ratio(instance, 2, [0])
    # far enough for the leading entries, near enough that the smallest do not underflow
    log_alpha = LOG10 * np.array([0.0, -400.0])
    path = limit_path(matrix, minimizer, dual, potential(2), log_alpha)
    off = path.error[-1, geometry.complement]
    visible = np.flatnonzero((off != 0) & (np.abs(dual.direction[geometry.complement]) > 0.01))
    assert visible.size > 5
    predicted = limit.entry_log_size + limit.entry_exponent * log_alpha[-1] - path.log_unit[-1]
    assert np.array_equal(np.sign(off[visible]), limit.sign[visible])
    assert np.abs(np.log(np.abs(off[visible])) - predicted[visible]).max() < 0.05


def test_formula_of_a_full_support_at_depth_two():
    matrix, minimizer, geometry, dual = DENSE
    sigma = np.sign(minimizer[geometry.support])
    logs = sigma * np.log(np.abs(minimizer[geometry.support]))
    slope = sigma @ geometry.range_map
    j = np.argmax(np.abs(slope))
    limit = first_order(matrix, geometry, minimizer, dual, potential(2))
    log_entry = np.sign(slope[j]) * (geometry.range_map[:, j] @ logs)
    assert limit.exponent == pytest.approx(1 - abs(slope[j]), abs=1e-12)
    expected = log_entry + np.log1p(np.abs(geometry.range_map[:, j]).sum())
    assert limit.log_constant(1) == pytest.approx(expected, rel=1e-12)


def test_constant_from_the_kernel_vector_of_the_active_set_at_depth_two():
    # n_J = c w with w the kernel vector of C_J: log c = <w, t> + entropy of |w|
    matrix, minimizer, geometry, dual = SPARSE
    margin = dual.margin[geometry.complement]
    active = np.flatnonzero(margin < margin.min() + 1e-9)
    assert active.size == geometry.free_map.shape[0] + 1
    w = np.linalg.svd(geometry.free_map[:, active])[2][-1]
    w *= np.sign(dual.direction[geometry.complement][active[0]] * w[0]) / np.abs(w).sum()
    on = minimizer[geometry.support]
    shift = geometry.range_map[:, active].T @ (np.sign(on) * np.log(np.abs(on)))
    log_mass = w @ shift - np.abs(w) @ np.log(np.abs(w))
    limit = first_order(matrix, geometry, minimizer, dual, potential(2))
    off = np.linalg.norm(limit.error[geometry.complement], 1)
    assert limit.log_unit + np.log(off) == pytest.approx(log_mass, abs=1e-10)


def test_entries_of_very_different_size():
    matrix, minimizer, geometry, _ = SPARSE
    uneven = minimizer.copy()
    uneven[geometry.support] *= [1e-12, 1.0, 1e12]
    ratio, *_ = log_ratio(prepare(matrix, uneven), 2, [14, -1e5])
    assert abs(ratio[-1]) < 1e-8


@pytest.mark.parametrize("instance", [SPARSE, DENSE], ids=["sparse", "dense"])
@pytest.mark.parametrize("depth", [2.5, 3, 10])
def test_optimality_beyond_depth_two(instance, depth):
    # <sigma, n_S> + sum q(n_Sc) is stationary over ker A: (sigma, phi^{-1}(n_Sc)) = A^T nu
    matrix, minimizer, geometry, dual = instance
    phi = potential(depth)
    limit = first_order(matrix, geometry, minimizer, dual, phi)
    n = limit.error * np.exp(limit.log_unit)
    assert np.abs(matrix @ n).max() < 1e-12 * np.abs(n).max()
    gradient = np.empty(n.size)
    gradient[geometry.support] = np.sign(minimizer[geometry.support])
    gradient[geometry.complement] = phi.phi_inverse(n[geometry.complement])
    nu, *_ = np.linalg.lstsq(matrix.T, gradient, rcond=None)
    assert np.abs(matrix.T @ nu - gradient).max() < 1e-10


@pytest.mark.parametrize("depth", [2, 3, 5])
@pytest.mark.parametrize("rho, count", [(0.3, 1), (0.7, 4), (0.95, 3)])
def test_one_dimensional_kernel(rho, count, depth):
    # n = t k: t ~ alpha^(1 - rho) for D = 2 and t ~ alpha phi(rho) for D > 2
    matrix, minimizer, geometry, dual = kernel_family(rho, count)
    limit = first_order(matrix, geometry, minimizer, dual, potential(depth))
    size = 1.0 if depth == 2 else potential(depth).phi(rho)
    expected = np.log(size * count * (1.0 + rho))
    assert limit.log_constant(1) == pytest.approx(expected, abs=1e-11)
    assert limit.log_constant(np.inf) == pytest.approx(
        np.log(size * max(1, rho * count)), abs=1e-11
    )
    assert limit.exponent == pytest.approx(1 - rho if depth == 2 else 1.0)


def test_repeated_columns_share_the_error():
    matrix, minimizer, geometry, dual = SPARSE
    margin = dual.margin.copy()
    margin[geometry.support] = np.inf
    active = np.argmin(margin)
    doubled = prepare(np.column_stack([matrix, -matrix[:, active]]), np.append(minimizer, 0.0))
    ratio, limit, _ = log_ratio(doubled, 2, [0, -1e5])
    assert abs(ratio[-1]) < 1e-8
    assert limit.error[active] == pytest.approx(-limit.error[-1], rel=1e-9)
    assert abs(limit.error[active]) > 1e-6


def test_constant_beyond_the_range_of_doubles():
    # phi reaches 1e500 and more where D is near 2 and rho near 1
    matrix, minimizer, geometry, dual = DENSE
    phi = potential(2.004)
    limit = first_order(matrix, geometry, minimizer, dual, phi)
    rho = 1 - dual.margin[geometry.complement].min()
    assert phi.power * -np.log1p(-rho) > 750
    assert limit.log_unit == pytest.approx(-phi.power * np.log1p(-rho), rel=1e-9)
    matrix, minimizer, geometry, dual = SPARSE
    limit = first_order(matrix, geometry, minimizer, dual, potential(2.001))
    assert limit.log_unit > 750
    assert np.abs(matrix @ limit.error).max() < 1e-10


def test_zero_error_to_first_order():
    # rho = 0: the limit point is g* itself
    matrix, minimizer, geometry, dual = kernel_family(0.0, 3)
    for depth in (2, 3):
        law = first_order(matrix, geometry, minimizer, dual, potential(depth))
        assert law.exponent == np.inf and law.log_constant(1) == -np.inf


def exact_law(matrix, data, depth):
    """(first order, certificate) of a problem whose minimizer is decided."""
    found = decide_minimizer(matrix, data)
    assert found.status == CERTIFIED
    geometry = support_geometry(matrix, found.support)
    law = first_order(
        matrix, geometry, found.point, found.certificate, potential(depth), rationals_of(data)
    )
    return law, found


def kernel_condition(kernel, minimizer, depth, alpha):
    """``sum k_i phi^{-1}((g_i + t k_i) / alpha)`` of t, which is 0 at n = t k; k is ker A."""
    power = None if depth == 2 else mp.mpf(depth) / (depth - 2)

    def inverse(t):
        if depth == 2:
            return mp.asinh(t / 2)
        if abs(t) < 1:
            near = t / (2 * power)
            return mp.findroot(lambda z: (1 - z) ** -power - (1 + z) ** -power - t, near)
        # 1 - |z| keeps its digits: |t| = w^-p - (2 - w)^-p
        w = abs(t) ** (-1 / power)
        for _ in range(200):
            w = (abs(t) + (2 - w) ** -power) ** (-1 / power)
        return mp.sign(t) * (1 - w)

    def condition(t):
        pairs = zip(kernel, minimizer, strict=True)
        return sum(k * inverse((g + t * k) / alpha) for k, g in pairs if k)

    return condition


# (off-support column, g*_S, D) -> exponent and ||n_Sc|| / alpha^exponent, by hand
VANISHING = [
    ([0.5, -0.5], [1, 2], 2, 1, 2**0.5 - 2**-0.5),  # 2 sinh(log(2) / 2)
    ([0.5, -0.5], [1, 2], 3, 4 / 3, 3 * (1 - 2 ** (-1 / 3))),
    ([0.5, -0.5], [1, 2], 4, 3 / 2, 2 * (1 - 2**-0.5)),
    ([1, -2, 1], [1, 2, 4], 2, 3, 2 * (1 - 2 / 4 + 1 / 16)),  # log|g*| adds nothing
    ([1, -3, 2], [1, 4, 16], 4, 5 / 2, 0.5 * (1 - 3 / 8 + 2 / 64)),  # nor |g*|^(-1/2)
    ([1, -2, 1], [3, 2**-30, 3], 3, 4 / 3, 12 * (2**10 - 3 ** (-1 / 3))),
    ([0.5, -0.5], [1, 1 + 2**-40], 3, 4 / 3, None),
    ([0.5, -0.25, -0.25], [1, 1, 4], 2.1, 1 + 0.1 / 2.1, None),
]


@pytest.mark.parametrize("column, values, depth, exponent, size", VANISHING)
def test_where_the_first_order_term_vanishes(column, values, depth, exponent, size):
    matrix = np.column_stack([np.eye(len(values)), column])
    law, _ = exact_law(matrix, np.array(values, dtype=float), depth)
    assert law.exponent == pytest.approx(exponent, abs=1e-15)
    assert np.all(law.entry_exponent == law.exponent)
    if size is not None:
        expected = np.log(size * (1 + np.abs(column).sum()))
        assert law.log_constant(1) == pytest.approx(expected, abs=1e-12)
    # against the one equation of a kernel of one dimension, with 200 digits
    with mp.workdps(200):
        alpha = mp.mpf(10) ** -45
        condition = kernel_condition([*(-c for c in column), 1], [*values, 0], depth, alpha)
        size = mp.exp(mp.mpf(law.entry_log_size[0])) * alpha ** mp.mpf(law.exponent)
        # what follows is smaller by alpha^(2/p), p = 21 for D = 2.1
        away = 1e-9 if depth != 2.1 else 1e-2
        ends = [condition(law.sign[0] * size * (1 + e)) for e in (-away, away)]
        assert ends[0] * ends[1] < 0


def test_a_term_that_vanishes_is_decided_exactly():
    # |g*| are cubes, so that the first two terms of D = 3 are rational, and vanish for this column
    values = np.array([1.0, 8.0, 27.0, 64.0])
    rows = [[1, 1, 1, 1], [12, 6, 4, 3], [20736, 1296, 256, 81]]
    kernel, _ = fmpz_mat(rows).nullspace()
    column = np.array([float(int(kernel[row, 0])) for row in range(4)])
    column /= 2.0 ** np.ceil(np.log2(np.abs(column).sum()))
    matrix = np.column_stack([np.eye(4), column])
    with pytest.raises(Undecided, match="higher order than alpha"):
        exact_law(matrix, values, 3)
    # a change of one bit makes the first of them the leading one
    values[1] = np.nextafter(8.0, 9.0)
    assert exact_law(matrix, values, 3)[0].exponent == 4 / 3
    # at D = 2, where log 27 = 3 log 3 and log 64 = 2 log 8, no such relation holds
    assert exact_law(matrix, np.array([1.0, 8.0, 27.0, 64.0]), 2)[0].exponent == 1


@pytest.mark.parametrize("depth, far", [(2, -60), (2.5, -60), (3, -60), (6, -40)])
def test_vanishing_with_free_directions(depth, far):
    # rho = 0 by construction: the columns off S are orthogonal to a nu with A_S^T nu = sigma
    rng = np.random.default_rng(3)
    nu = np.array([1.0, 1.0, -1.0, 2.0, 0.0])
    off = rng.integers(-3, 4, (5, 4)).astype(float)
    off[0] -= nu @ off
    on = np.array([[1.0, 0], [0, 1], [0, 0], [0, 0], [1, -1]])
    matrix, values = np.column_stack([on, off, np.zeros(5)]), np.array([3.0, 0.25])
    law, found = exact_law(matrix, on @ values, depth)
    path = limit_path(
        matrix, found.point, found.certificate, potential(depth), LOG10 * np.array([0.0, far])
    )
    ratio = path.log_norm(1)[-1] - law.log_constant(1) - law.exponent * path.log_alpha[-1]
    assert abs(ratio) < 1e-8
    assert law.exponent == pytest.approx(1 + (depth - 2) / depth)
    unit = path.log_unit[-1] - law.exponent * path.log_alpha[-1] - law.log_unit
    assert np.abs(path.error[-1] * np.exp(unit) - law.error).max() < 1e-8
    assert law.sign[-1] == 0 and law.entry_log_size[-1] == -np.inf  # the column of zeros


def test_certificates_that_will_not_do():
    matrix, minimizer, geometry, dual = SPARSE
    sigma = np.sign(minimizer[geometry.support])
    least_norm = certificate(matrix, geometry, sigma, geometry.least_norm_dual(sigma))
    assert least_norm.margin[geometry.complement].min() > 0
    # one that does not attain rho is replaced
    found = first_order(matrix, geometry, minimizer, least_norm, potential(2))
    expected = first_order(matrix, geometry, minimizer, dual, potential(2))
    assert found.log_constant(1) == pytest.approx(expected.log_constant(1), abs=1e-9)
    matrix, minimizer, geometry, dual = kernel_family(1.0, 3)
    with pytest.raises(ValueError, match="strict"):
        first_order(matrix, geometry, minimizer, dual, potential(3))


def vertex_of_largest_margin(matrix, geometry, sigma):
    """nu of least ``||A_Sc^T nu||_inf`` with ``A_S^T nu = sigma``, by the simplex method."""
    rows, off = matrix.shape[0], matrix[:, geometry.complement].T
    edge = np.ones((off.shape[0], 1))
    found = linprog(
        np.append(np.zeros(rows), 1.0),
        A_ub=np.block([[off, -edge], [-off, -edge]]),
        b_ub=np.zeros(2 * off.shape[0]),
        A_eq=np.column_stack([matrix[:, geometry.support].T, np.zeros(sigma.size)]),
        b_eq=sigma,
        bounds=[(None, None)] * (rows + 1),
        method="highs-ds",
    )
    return found.x[:rows]


def test_a_face_of_certificates():
    # two problems side by side: that of smaller rho leaves its part of nu_0 free
    parts = SPARSE, sparse_instance(seed=5)
    (first, g_first, _, low), (second, g_second, _, high) = parts
    matrix = np.block(
        [
            [first, np.zeros((first.shape[0], second.shape[1]))],
            [np.zeros((second.shape[0], first.shape[1])), second],
        ]
    )
    matrix, minimizer, geometry, dual = prepare(matrix, np.concatenate([g_first, g_second]))
    sigma = np.sign(minimizer[geometry.support])
    vertex = certificate(matrix, geometry, sigma, vertex_of_largest_margin(matrix, geometry, sigma))
    inner = certificate(matrix, geometry, sigma, np.concatenate([low.nu, high.nu]))
    alone = [first_order(*instance_, potential(2)) for instance_ in map(in_order, parts)]
    for guess in (vertex, inner):  # whatever point of the face has been found
        law = first_order(matrix, geometry, minimizer, guess, potential(2))
        for name in ("sign", "entry_exponent", "entry_log_size"):
            both = np.concatenate([getattr(part, name) for part in alone])
            assert getattr(law, name) == pytest.approx(both, abs=1e-8)
        assert law.exponent == pytest.approx(min(part.exponent for part in alone), abs=1e-12)
    ratio, *_ = log_ratio((matrix, minimizer, geometry, dual), 3, [0, -60])
    assert abs(ratio[-1]) < 1e-8


def in_order(instance):
    """The arguments of first_order before the potential."""
    matrix, minimizer, geometry, dual = instance
    return matrix, geometry, minimizer, dual


# ±1 and integer matrices whose dual vectors of largest margin form a face
TIES = [
    (
        [[-1, 1, -1, -1, -1], [1, -1, 1, -1, -1], [-1, -1, -1, -1, -1], [1, -1, -1, -1, 1]],
        [-1, -1, -1, -1],
    ),
    ([[0, -2, 2, 1], [1, 1, 0, -1], [-2, -1, -1, 1]], [2, 0, -1]),
    ([[0, -1, 2, 0, -2], [0, 1, 2, -2, -2], [0, -2, 1, 2, 0], [1, -1, 2, 2, 0]], [1, 3, -2, -3]),
    ([[2, 2, 0, 0, 1], [0, -1, 1, 1, 2], [2, -2, -2, 1, 1], [0, -2, 0, 1, 0]], [0, -7, 2, -4]),
]


@pytest.mark.parametrize("matrix, data", TIES)
def test_ties(matrix, data):
    matrix, data = np.array(matrix, dtype=float), np.array(data, dtype=float)
    law, found = exact_law(matrix, data, 2)
    scales = LOG10 * np.array([-20.0, -60.0, -150.0])
    path = limit_path(matrix, found.point, found.certificate, potential(2), scales)
    ratio = path.log_norm(1) - law.log_constant(1) - law.exponent * scales
    assert np.abs(ratio[-1]) < 1e-3 and np.all(np.diff(np.abs(ratio)) <= 1e-12)
    off = path.error[-1][np.setdiff1d(np.arange(len(matrix[0])), found.support)]
    told = law.sign != 0
    assert np.array_equal(np.sign(off[told]), law.sign[told])
    sizes = np.log(np.abs(off[told])) + path.log_unit[-1]
    predicted = law.entry_log_size + law.entry_exponent * scales[-1]
    assert sizes == pytest.approx(predicted[told], abs=1e-2)


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("log_alpha", [-3.0, -20.0])
def test_balance(depth, log_alpha):
    _, _, geometry, dual = SPARSE
    direction = dual.direction[geometry.complement]
    margin = dual.margin[geometry.complement]
    start = np.zeros(geometry.free_map.shape[0])
    shift = 0.05 * np.sin(np.arange(direction.size))
    arguments = (geometry.free_map, potential(depth), direction, margin, shift, log_alpha)
    free, off = balance(*arguments, start)
    z = potential(depth).dual_scale(log_alpha) * direction + shift + geometry.free_map.T @ free
    n = np.exp(log_alpha) * potential(depth).phi(z)
    assert np.abs(geometry.free_map @ n).max() < 1e-12 * np.abs(n).max()
    assert off.sign * np.exp(off.log_size) == pytest.approx(n, rel=1e-10)
    away = np.cos(np.arange(free.size))
    away *= 5.0 if depth == 2 else 0.9 * margin.min() / np.abs(geometry.free_map.T @ away).max()
    moved, _ = balance(*arguments[:4], 0.0, log_alpha, away)
    expected, _ = balance(*arguments[:4], 0.0, log_alpha, start)
    assert moved == pytest.approx(expected, abs=1e-10)


def test_balance_does_not_overshoot():
    # sinh(b) = 1e-3 sinh(30 - 1e-3 b): the first Newton step from b = 0 would be 5e9
    free_map, none = np.array([[1.0, 1e-3]]), np.zeros(2)
    shift = np.array([0.0, -30.0])
    free, _ = balance(free_map, potential(2), none, 1 + none, shift, 0.0, np.zeros(1))
    assert np.sinh(free[0]) == pytest.approx(1e-3 * np.sinh(30.0 - 1e-3 * free[0]), rel=1e-12)


def test_balance_at_zero():
    _, _, geometry, _ = SPARSE
    none = np.zeros(geometry.complement.size)
    start = 0.3 * np.cos(np.arange(geometry.free_map.shape[0]))
    for depth in (2, 3):
        free, off = balance(geometry.free_map, potential(depth), none, 1 + none, 0.0, 0.0, start)
        assert np.abs(free).max() < 1e-15
        assert off.log_size.max() < -30


def test_balance_refuses_and_reports():
    _, _, geometry, dual = SPARSE
    direction = dual.direction[geometry.complement]
    margin = dual.margin[geometry.complement]
    start = np.zeros(geometry.free_map.shape[0])
    with pytest.raises(ValueError, match="start"):
        balance(geometry.free_map, potential(3), direction, margin, 1.0, 0.0, start)
    with pytest.raises(BalanceError, match="1 Newton steps"):
        balance(geometry.free_map, potential(3), direction, margin, 0.0, 0.0, start, steps=1)


def test_a_sum_of_exponentials_is_minimized_where_its_logarithm_is_near_zero():
    """Of exp(t b) + exp(s - c b), t tiny: t exp(t b) = c exp(s - c b)."""
    t, c, s = 1e-16, 0.18, 1.7
    found = asymptotics._least_exponential_sum(np.array([[t, -c]]), np.array([0.0, s]))
    assert found is not None and found[0] == pytest.approx((np.log(c / t) + s) / c, rel=1e-6)


def test_columns_that_are_nearly_parallel_have_a_first_order():
    """Columns 3 and 5 are parts of the support's, and rho is 2^-14."""
    large, small = 2.0**-26, 2.0**-40
    matrix = [
        [2.481541837659083e-24, -large, -small, large, small],
        [-2 * small, -16384.0, -1.0, 24576.0, 1.0],
    ]
    found = implicit_l1.find_first_order(matrix, [-5.960100679658353e-08, -65532.0], 2)
    limit = implicit_l1.find_limit_points(
        *(matrix, [-5.960100679658353e-08, -65532.0], 2), log10_alpha=-100000
    )
    constant = limit.log10_error_1[0] + 100000 * found.exponent
    assert found.log10_constant == pytest.approx(constant, abs=1e-6)
