"""Several minimizers of the l1 norm: which one the flow selects, and the error from it."""

from fractions import Fraction

import cvxpy as cp
import mpmath
import numpy as np
import pytest

from implicit_l1.interface import find_limit_points
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.network.initialization import initialize, initialize_from_ones
from implicit_l1.network.selection import select, tilted_basis_pursuit
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, SELECTED, UNDECIDED
from reference import instance, limit_points, selected_path

pytestmark = pytest.mark.long

DEPTHS = [2, 2.5, 3, 4]
# (A, y, support of the largest minimizer): faces of dimension 1, 1, 2 and one without the rest
SEVERAL = {
    "segment": (np.array([[2, 0, 1, 0.3], [0, 2, 1, -0.4]]), np.array([2.0, 2.0]), [0, 1, 2]),
    "twins": (np.array([[1, 1, 0.5, 0.2]]), np.array([1.0]), [0, 1]),
    "triangle": (
        np.array([[2, 0, 1, 1, 0.3, 0.1], [0, 2, 1, 1, -0.4, 0.5]]),
        np.array([2.0, 3.0]),
        [0, 1, 2, 3],
    ),
    "signs": (
        np.array([[2, 0, 1, 0.3, 0.5], [0, -2, 1, -0.4, 0.7]]),
        np.array([2.0, 3.0]),
        [0, 1, 2],
    ),
}


def found_of(matrix, data, depth, initialization=None):
    initialization = initialization or initialize_from_ones(matrix.shape[1])
    scaled = matrix * initialization.unit
    point = tilted_basis_pursuit(scaled, data, initialization.tilt)
    return select(scaled, data, initialization, depth, point)


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_selected_minimizer_by_another_solver(name, depth):
    """Over all minimizers: least sum |x| log|x| for D = 2, largest sum |x|^(2/D) for D > 2."""
    matrix, data, support = SEVERAL[name]
    found = found_of(matrix, data, depth)
    assert found.status == SELECTED
    assert found.support.tolist() == support
    signs = np.sign(found.point)
    size = cp.Variable(matrix.shape[1], nonneg=True)
    least = np.abs(tilted_basis_pursuit(matrix, data, np.zeros(matrix.shape[1]))).sum()
    objective = cp.sum(cp.entr(size)) if depth == 2 else cp.sum(cp.power(size, 2 / depth))
    constraints = [matrix @ cp.multiply(signs, size) == data, cp.sum(size) <= least * (1 + 1e-10)]
    cp.Problem(cp.Maximize(objective), constraints).solve(
        solver=cp.CLARABEL, tol_gap_abs=1e-12, tol_gap_rel=1e-12, tol_feas=1e-12
    )
    assert np.allclose(signs * size.value, found.point, atol=2e-4)
    assert np.abs(found.point).sum() == pytest.approx(least, rel=1e-13)
    assert found.residual < 1e-15


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_certificate_confines_every_minimizer(name, depth):
    matrix, data, support = SEVERAL[name]
    found = found_of(matrix, data, depth)
    z = matrix.T @ found.certificate.nu
    off = np.setdiff1d(np.arange(z.size), support)
    assert np.allclose(z[support], np.sign(found.point[support]), atol=1e-14)
    assert np.all(np.abs(z[off]) < 1 - 1e-3)
    assert np.allclose(found.certificate.margin[off], 1 - np.abs(z[off]), atol=1e-14)
    assert found.margin == found.certificate.margin[off].min()


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_flow_goes_there(name, depth):
    """The limit with many digits, at scales so small that only the selection is left."""
    matrix, data, _ = SEVERAL[name]
    ones, zeros = np.ones(matrix.shape[1]), np.zeros(matrix.shape[1])
    *_, last = limit_points(matrix, data, depth, [0, -3, -10, -30, -80], ones, zeros)
    found = found_of(matrix, data, depth)
    assert np.allclose([float(v) for v in last], found.point, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", SEVERAL)
@pytest.mark.parametrize(
    ("depth", "shape"),
    # other shapes lead D > 2 to another norm, with one minimizer
    [*((depth, "ones") for depth in DEPTHS), (2, "balanced"), (2, "unbalanced")],
)
def test_the_error_with_many_digits(name, depth, shape):
    """Relative accuracy of the whole error vector, far below the rounding of x itself."""
    matrix, data, _ = SEVERAL[name]
    size = matrix.shape[1]
    w_u = np.linspace(0.7, 1.6, size) if shape != "ones" else np.ones(size)
    w_v = np.linspace(1.4, 0.8, size) if shape == "unbalanced" else w_u
    c = initialize(depth, w_u, w_v)
    found = found_of(matrix, data, depth, c)
    assert found.status == SELECTED
    exponents = [1, 0, -2, -4, -8, -12, -20]
    path = selected_path(matrix, found, depth, np.log(10.0) * np.array(exponents), c)
    *exact, target = limit_points(
        matrix, data, depth, [*exponents, -40, -90], c.scale, c.tilt + c.offset, digits=140
    )
    assert path.relative_residual.max() < 1e-12
    for k, x in enumerate(exact[:-1]):
        n = np.exp(path.log_unit[k]) * path.error[k]
        wanted = [
            float(v - (g if on else 0))
            for v, g, on in zip(x, target, found.point != 0, strict=True)
        ]
        gap = np.abs(n - wanted).sum() / np.abs(wanted).sum()
        assert gap < 1e-10, (exponents[k], gap)  # a step of 1e-9 is the last one


def test_rates_with_several_minimizers():
    """Off the support alpha^(1 - rho) for D = 2, alpha for D > 2, from the unique certificate."""
    matrix, data, _ = SEVERAL["twins"]
    for depth in DEPTHS:
        found = found_of(matrix, data, depth)
        log_alpha = np.log(10.0) * np.array([-8.0, -12.0])
        path = selected_path(matrix, found, depth, log_alpha)
        slope = np.diff(path.log_norm(1))[0] / np.diff(log_alpha)[0]
        assert slope == pytest.approx(found.margin if depth == 2 else 1.0, abs=0.02)


@pytest.mark.parametrize("eta", [0.0, 0.1])
@pytest.mark.parametrize("depth", [2, 3])
def test_a_unique_minimizer_is_found_as_it_is(eta, depth):
    case = instance(20, 60, 3, eta)
    found = found_of(case.matrix, case.data, depth)
    assert found.status == CERTIFIED
    assert np.allclose(found.point, case.minimizer.point, rtol=1e-12, atol=0)
    assert found.margin == pytest.approx(case.minimizer.margin, abs=1e-9)


def test_detection_agrees_with_stage_l1():
    for matrix, data, _ in SEVERAL.values():
        assert decide_minimizer(matrix, data).status == NOT_UNIQUE


def test_a_point_that_is_no_minimizer_leads_to_the_same():
    """Where nothing is rounded the face of minimizers is found from any point."""
    matrix, data, _ = SEVERAL["segment"]
    other = np.array([0.0, 0.0, 0.0, 1.0]) + np.linalg.pinv(matrix) @ (data - matrix[:, 3])
    found = select(matrix, data, initialize_from_ones(4), 2, other)
    expected = found_of(matrix, data, 2)
    assert found.status == SELECTED
    assert found.point.tobytes() == expected.point.tobytes()


def test_a_point_that_is_no_minimizer_is_undecided_where_something_is_rounded():
    matrix, data, _ = SEVERAL["segment"]
    initialization = initialize(3, np.full(4, 1.1), np.full(4, 1.1))
    scaled = matrix * initialization.unit
    other = np.array([0.0, 0.0, 0.0, 1.0]) + np.linalg.pinv(scaled) @ (data - scaled[:, 3])
    found = select(scaled, data, initialization, 3, other)
    assert found.status.startswith(UNDECIDED)
    assert found.certificate is None
    assert np.isnan(found.margin)


def test_nothing_off_the_support():
    matrix, data = np.array([[1.0, 2.0]]), np.array([2.0])
    found = found_of(matrix, data, 2)
    assert found.status == CERTIFIED
    everything = found_of(np.array([[1.0, 1.0]]), np.array([1.0]), 3)
    assert everything.status == SELECTED
    assert everything.margin == 1.0


@pytest.mark.parametrize(("depth", "rate"), [(2, 2), (3, 1)])
def test_with_full_support_the_error_keeps_its_digits(depth, rate):
    """n = c alpha^rate k to first order, k the kernel vector: what follows g* in phi^{-1} moves it.

    The derivatives of ``k phi^{-1}(x / alpha)`` by log x are ``alpha^e`` and
    ``(alpha / x)^e / p`` times k, with e = 0 (p = 1) and 1 / p.
    """
    matrix, data = np.array([[1.0, 1.0, 1.0], [0.5, -0.5, 0.25]]), np.array([1.0, 0.125])
    kernel = np.array([-0.75, -0.25, 1.0])
    found = found_of(matrix, data, depth)
    assert found.support.size == 3
    exponents = np.array([-20.0, -100.0, -165.0, -290.0])
    path = selected_path(matrix, found, depth, np.log(10.0) * exponents)
    g = found.point + found.point_low
    if depth == 2:
        size = -(kernel @ g**-2) / (kernel**2 @ g**-1)
    else:
        size = -(2**-3 / 3) * (kernel @ g ** (-4 / 3)) / (kernel**2 @ g ** (-4 / 3) / 3)
    expected = np.log10(abs(size) * np.abs(kernel).sum()) + rate * exponents
    # of the relative order alpha^(1/3) for D = 3
    away = np.abs(path.log_norm(1) / np.log(10.0) - expected)
    assert away[0] < 1e-5 and np.all(away[1:] < 1e-10)
    assert np.all(path.error_bound < 1e-10)
    direction = path.error / np.abs(path.error).max(axis=1, keepdims=True)
    assert np.abs(np.abs(direction) - np.abs(kernel)).max() < 1e-12


def test_scales_below_the_range_of_doubles_are_refused():
    matrix, data, _ = SEVERAL["twins"]
    found = found_of(matrix, data, 2)
    with pytest.raises(ValueError, match="at least 1e-300"):
        selected_path(matrix, found, 2, [0.0, -1e4])


@pytest.mark.parametrize("gap", [1e-3, 5e-10, 1e-11, 1e-13])
@pytest.mark.parametrize("depth", [2, 3])
def test_a_minimizer_that_is_hardly_unique_is_unique(gap, depth):
    """A = [1, 1 - gap]: the margin is gap, and so is what stage l1 proves."""
    matrix, data = np.array([[1.0, 1.0 - gap]]), np.array([1.0])
    found = found_of(matrix, data, depth)
    assert found.status == CERTIFIED
    assert found.point.tolist() == [1.0, 0.0]
    assert found.margin == pytest.approx(gap, rel=1e-3)
    assert decide_minimizer(matrix, data).status == CERTIFIED


@pytest.mark.parametrize("depth", [2.001, 2.003, 2.1, 10, 100])
def test_depths_near_two_and_large_ones(depth):
    """The functional hardly bends along the face for D near 2: no digit of that may be lost."""
    matrix, data = np.array([[1.0, -1, -1, 0, 1, -1]]), np.array([1.0])
    found = found_of(matrix, data, depth)
    assert found.status == SELECTED
    assert np.allclose(np.abs(found.point), [0.2, 0.2, 0.2, 0, 0.2, 0.2], atol=1e-12)
    near = found_of(*SEVERAL["segment"][:2], 2.001)
    assert np.allclose(near.point, found_of(*SEVERAL["segment"][:2], 2).point, atol=1e-2)


@pytest.mark.parametrize("depth", [2, 3, 10])
@pytest.mark.parametrize(
    ("matrix", "data"),
    [
        ([[1.0, 1.0]], [1.0]),
        ([[2.0, -2, 2], [1, 0, 1]], [-4.0, -2]),
        ([[1.0, -1, 1], [-1, 2, -1]], [2.0, -4]),
    ],
)
def test_an_error_of_zero_stops_nothing(matrix, data, depth):
    """Shares are equal at every scale: all that is left is rounding."""
    matrix, data = np.array(matrix), np.array(data)
    found = found_of(matrix, data, depth)
    log_alpha = np.log(10.0) * np.array([3.0, 0.0, -4.0])
    path = selected_path(matrix, found, depth, log_alpha)
    assert np.all(np.exp(path.log_norm(1)[1:]) < 1e-12)


@pytest.mark.parametrize("unit", [1e-12, 1e-6, 1e9])
def test_units_do_not_matter(unit):
    matrix, data, support = SEVERAL["segment"]
    for scaled, y in ((matrix * unit, data), (matrix, data * unit)):
        found = found_of(scaled, y, 3)
        assert found.status == SELECTED
        assert found.support.tolist() == support


# depth -> A, y, log10(alpha)
BESIDE_A_KERNEL = {
    4: (
        [
            [1, -1, -1, -1, -1, -1],
            [1, -1, 1, 1, -1, 1],
            [-1, -1, 1, -1, -1, 1],
            [1, -1, -1, -1, 1, -1],
            [-1, 1, 1, 1, 1, -1],
        ],
        [193.00390625, 62.99609375, 62.99609375, 65.00390625, -192.99609375],
        -6,
    ),
    6: (
        [
            [1, -1, 1, 1, -1, 1, -1],
            [-1, -1, 1, 1, 1, 1, -1],
            [1, -1, -1, -1, 1, -1, -1],
            [1, -1, -1, 1, -1, 1, 1],
            [-1, 1, 1, 1, 1, -1, -1],
        ],
        [4.0078125, -2, -0.0078125, 4, -4],
        -4,
    ),
    12: (
        [[1, 1, 1, -1, -1], [1, 1, -1, -1, 1], [-1, 1, -1, 1, 1], [-1, 1, 1, -1, 1]],
        [2.00390625, -3.99609375, -1.99609375, -2.99609375],
        -8,
    ),
}


@pytest.mark.parametrize("depth", BESIDE_A_KERNEL)
def test_columns_of_the_support_that_are_in_no_kernel(depth):
    """Small entries of g* there; rounding of M would give them a part in the kernel."""
    matrix, data, exponent = BESIDE_A_KERNEL[depth]
    size, last = len(matrix[0]), exponent - 40
    points = limit_points(
        *(np.array(matrix), np.array(data), depth, range(0, last - 1, -1)),
        *(np.ones(size), np.zeros(size), 200),
    )
    found = find_limit_points(matrix, data, depth, log10_alpha=exponent)
    with mpmath.workdps(60):
        # to the last one g* is as near as its own error, 40 decades below
        exact = sum(abs(x - g) for x, g in zip(points[-exponent], points[-1], strict=True))
        wrong = abs(mpmath.mpf(10) ** mpmath.mpf(float(found.log10_error_1[0])) / exact - 1)
        # and a rounded logarithm
        assert wrong <= found.error_bound[0] + 1e-14


def test_units_that_round_nothing_leave_nothing_of_the_data():
    """A of condition 5e7: found in floating point, g* missed y by 6e-13, and n by 232 times n."""
    matrix = np.array(
        [
            [1, -1, 0, 0, -1],
            [0, -1, -1, 0, 0],
            [1 - 2.0**-24, 2.0**-24 - 1, 2.0**-24, 2.0**-25, -1 - 2.0**-25],
        ]
    )
    data = np.array([4080, -16, 4080 + 2.0**-13 + 7 * 2.0**-23])
    shape = np.array([16.0, 16, 16, 16, 4])
    initialization = initialize(2.5, shape, shape)
    assert not initialization.is_rounded
    found = found_of(matrix, data, 2.5, initialization)
    assert found.status == SELECTED
    exact = [Fraction(a) + Fraction(b) for a, b in zip(found.point, found.point_low, strict=True)]
    for row, right in zip(matrix * initialization.unit, data, strict=True):
        left = sum(Fraction(a) * x for a, x in zip(row, exact, strict=True))
        assert abs(left - Fraction(right)) <= 1e-28 * np.abs(data).max()
