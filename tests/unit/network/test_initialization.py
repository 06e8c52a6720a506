"""Initializations of other shapes: their units, their flow, their limit."""

import cvxpy as cp
import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from implicit_l1.interface import find_minimizer
from implicit_l1.network import limit as limit_module
from implicit_l1.network.defects import correct_error
from implicit_l1.network.flow import FlowOptions, gradient_flow
from implicit_l1.network.initialization import (
    draw_shapes,
    initialize,
    initialize_from_ones,
)
from implicit_l1.network.limit import ConvergenceError, limit_path
from implicit_l1.network.plain_flow import plain_flow
from implicit_l1.network.selection import (
    SelectionError,
    minimizer_of,
    select,
    tilted_basis_pursuit,
)
from implicit_l1.potentials import potential
from implicit_l1.problems.seeds import generator
from implicit_l1.status import CERTIFIED, SELECTED, UNIQUE_IN_FLOATS
from reference import LOG10, instance, limit_points, selected_path

DEPTHS = [2, 2.5, 3, 4]
BALANCED = [True, False]


def shapes_of(size, balanced, seed=1):
    rng = generator(stream="test", seed=seed)
    return draw_shapes(rng, size, "lognormal", sigma=0.5, balanced=balanced)


def selected(matrix, data, depth, shapes):
    """(initialization, A~, the minimizer that the flow approaches)."""
    initialization = initialize(depth, *shapes)
    scaled = matrix * initialization.unit
    point = tilted_basis_pursuit(scaled, data, initialization.tilt)
    return initialization, scaled, select(scaled, data, initialization, depth, point)


def limit_of(matrix, data, depth, shapes, log_alpha):
    """Limit points x, one row a scale, and the minimizer, in the columns of A."""
    initialization, _, found = selected(matrix, data, depth, shapes)
    minimizer = initialization.unit * found.point
    path = selected_path(matrix, found, depth, log_alpha, initialization)
    return minimizer + np.exp(path.log_unit)[:, None] * path.error, minimizer


@pytest.mark.parametrize("balanced", BALANCED)
@pytest.mark.parametrize("depth", DEPTHS)
def test_the_weights_move_as_the_initialization_says(depth, balanced):
    """The flow of (u, v) by an integrator that knows nothing of mirror maps."""
    rng = np.random.default_rng(0)
    matrix, data, alpha = rng.standard_normal((3, 6)), rng.standard_normal(3), 0.05
    w_u, w_v = shapes_of(6, balanced)

    def velocity(_, weights):
        u, v = weights[:6], weights[6:]
        gradient = depth * (matrix.T @ (matrix @ (u**depth - v**depth) - data))
        return np.concatenate([-(u ** (depth - 1)) * gradient, v ** (depth - 1) * gradient])

    times = [0.0, 0.1, 0.5, 1.0, 3.0]
    options = {"method": "LSODA", "rtol": 1e-11, "atol": 1e-14, "t_eval": times}
    start = alpha ** (1 / depth) * np.concatenate([w_u, w_v])
    weights = solve_ivp(velocity, (0, 3), start, **options).y
    direct = weights[:6] ** depth - weights[6:] ** depth

    c, phi = initialize(depth, w_u, w_v), potential(depth)
    scaled, rate = matrix * c.unit, phi.time_constant(alpha)

    def point(lam):
        return alpha * c.scale * phi.phi(scaled.T @ lam + c.tilt + c.offset)

    dual = solve_ivp(
        lambda _, lam: rate * (data - scaled @ point(lam)), (0, 3), np.zeros(3), **options
    ).y
    mirror = np.array([c.unit * point(lam) for lam in dual.T]).T
    assert np.abs(direct[:, -1]).max() > 0.1
    assert np.allclose(mirror, direct, rtol=0, atol=1e-8)


@pytest.mark.parametrize("balanced", BALANCED)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_both_forms_of_the_flow_end_at_the_limit_point(depth, balanced, eta):
    case, alpha = instance(10, 20, 2, eta), 1e-2
    shapes = shapes_of(20, balanced)
    limit, minimizer = limit_of(case.matrix, case.data, depth, shapes, np.log([alpha]))
    options = FlowOptions(rtol=1e-10, distance=1e-7)
    initialization = initialize(depth, *shapes)
    dual = gradient_flow(
        case.matrix, minimizer, potential(depth), alpha, initialization=initialization
    )
    plain = plain_flow(case.matrix, case.data, depth, alpha, minimizer, options, shapes)
    size = np.abs(limit[0] - minimizer).sum()
    assert np.abs(dual.point[-1] - limit[0]).sum() < 2e-9 * size
    assert np.abs(plain.point[-1] - limit[0]).sum() < 1e-5 * size
    for form in (dual, plain):
        assert np.abs(form.point[-1] - limit[0]).sum() <= 1.1 * form.claim * size + 1e-13


@pytest.mark.parametrize("balanced", BALANCED)
@pytest.mark.parametrize("depth", DEPTHS)
def test_limit_points_with_many_digits(depth, balanced):
    rng = np.random.default_rng(5)
    matrix, data = np.round(rng.standard_normal((3, 7)), 2), np.array([1.0, -0.5, 2.0])
    shapes, exponents = shapes_of(7, balanced), [0, -2, -5, -9]
    c, scaled, found = selected(matrix, data, depth, shapes)
    certain = np.all(c.unit == 1.0) and not np.any(c.tilt)
    assert found.status == (CERTIFIED if certain else UNIQUE_IN_FLOATS)
    path = selected_path(matrix, found, depth, np.log(10.0) * np.array(exponents), c)
    exact = limit_points(scaled, data, depth, exponents, c.scale, c.tilt + c.offset)
    off = np.setdiff1d(np.arange(7), found.support)
    for k, x in enumerate(exact):
        n = np.exp(path.log_unit[k]) * path.error[k] / c.unit
        # off the support x is the error: relative accuracy there, however small it is
        wanted = np.array([float(x[i]) for i in off])
        assert np.abs(n[off] - wanted).max() < 1e-12 * np.abs(wanted).max()
        whole = np.array([float(v) for v in x])
        assert np.abs(found.point + n - whole).max() < 1e-13 * np.abs(whole).max()


@pytest.mark.parametrize(("log10_alpha", "largest"), [(0, 3), (2, 3), (-5, 14)])
@pytest.mark.parametrize("seed", range(8))
def test_weights_of_very_different_sizes(seed, log10_alpha, largest):
    """``A x = y``, and ``phi^{-1}(x / (alpha scale))`` less the offset is in the range of A^T.

    At such scales most of S is left out of T, and Newton's start is handed over to fewer
    coordinates: the dual vector is that of z without the offset in these, too.
    """
    rng = np.random.default_rng(seed)
    matrix, data = rng.standard_normal((3, 7)), rng.standard_normal(3)
    shapes = 2.0 ** rng.integers(-largest, largest + 1, size=(2, 7))
    c = initialize(2, *shapes)
    (x,), _ = limit_of(matrix, data, 2, shapes, np.log(10.0) * np.array([log10_alpha]))
    assert np.abs(matrix @ x - data).max() < 1e-12 * (np.abs(matrix) @ np.abs(x)).max()
    if log10_alpha >= 0:  # entries off the support are the difference of large numbers below
        dual = np.arcsinh(x / (2.0 * 10.0**log10_alpha * c.scale)) - c.offset
        nearest = np.linalg.lstsq(matrix.T, dual, rcond=None)[0]
        assert np.abs(matrix.T @ nearest - dual).max() < 1e-10 * np.abs(dual).max()


def near_copies(seed):
    """(A, y, weights): two columns 2^-k apart, all of few digits but the weights."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(2, 5))
    columns = rows + int(rng.integers(1, 4))
    matrix = np.round(rng.standard_normal((rows, columns)) * 64) / 64
    k, copy = int(rng.integers(4, 24)), rng.integers(1, columns)
    step = np.round(rng.standard_normal(rows) * 64) / 64
    matrix[:, copy] = matrix[:, 0] + 2.0**-k * step
    signal = np.round(rng.standard_normal(columns) * 8) / 8 * (rng.random(columns) < 0.6)
    return matrix, matrix @ signal, rng.lognormal(0.0, 0.5, columns)


def test_the_bound_counts_the_rounding_of_a_weighted_matrix():
    """At D = 3 from shapes w, w the unit is w: A diag(w) is a matrix of more digits than doubles.

    Its rounding moves n where columns of S are near copies; g* off T, too, where it is as small
    as n.  Where the bound is larger than is allowed for, the point is refused.
    """
    exponents, told = [0, -3, -6], 0
    for seed in range(75):
        matrix, data, w = near_copies(seed)
        try:
            c, _, found = selected(matrix, data, 3, (w, w))
            path = selected_path(matrix, found, 3, LOG10 * np.array(exponents, dtype=float), c)
        except (SelectionError, ConvergenceError):
            continue
        if found.status != UNIQUE_IN_FLOATS or found.support.size < len(data):
            continue
        with mpmath.workdps(90):
            exact = np.array([[mpmath.mpf(value) for value in row] for row in matrix.tolist()]) * w
            point = mpmath.lu_solve(
                mpmath.matrix(exact[:, found.support].tolist()), mpmath.matrix(data.tolist())
            )
            points = limit_points(exact, data, 3, exponents, w * w, np.zeros(w.size))
            for row, x in enumerate(points):
                error = list(x)
                for value, j in zip(point, found.support, strict=True):
                    error[j] -= value
                n = w * np.array([float(value) for value in error])
                mine = np.exp(path.log_unit[row]) * path.error[row]
                missed, size = np.abs(mine - n).sum(), np.abs(n).sum()
                assert missed <= (path.error_bound[row] + 1e-15) * size, (seed, row)
        told += 1
    assert told >= 20


@pytest.mark.parametrize("balanced", BALANCED)
@pytest.mark.parametrize("depth", [2.5, 3, 4])
def test_deep_networks_approach_the_minimizer_of_a_weighted_norm(depth, balanced):
    """Positive entries cost w_u^(2-D), negative ones w_v^(2-D): by another solver."""
    case = instance(20, 60, 3, 0.1)
    w_u, w_v = shapes_of(60, balanced)
    c, _, found = selected(case.matrix, case.data, depth, (w_u, w_v))
    positive, negative = cp.Variable(60, nonneg=True), cp.Variable(60, nonneg=True)
    cost = w_u ** (2 - depth) @ positive + w_v ** (2 - depth) @ negative
    cp.Problem(cp.Minimize(cost), [case.matrix @ (positive - negative) == case.data]).solve(
        solver=cp.CLARABEL
    )
    weighted = positive.value - negative.value
    assert found.status == UNIQUE_IN_FLOATS
    assert np.allclose(c.unit * found.point, weighted, atol=1e-6)
    # and it is another point than the minimizer of the norm without weights
    assert np.abs(weighted - case.minimizer.point).sum() > 1e-2
    near, _ = limit_of(case.matrix, case.data, depth, (w_u, w_v), np.log([1e-20]))
    assert np.allclose(near[0], weighted, atol=1e-6)


def test_two_layers_approach_the_same_minimizer_from_every_shape():
    case = instance(20, 60, 3, 0.1)
    _, _, found = selected(case.matrix, case.data, 2, shapes_of(60, balanced=False))
    assert np.allclose(found.point, case.minimizer.point, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("depth", DEPTHS)
def test_ones_change_nothing(depth):
    found = initialize(depth, np.ones(5), np.ones(5))
    expected = initialize_from_ones(5)
    for name in ("unit", "scale", "tilt", "offset"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_a_constant_shape_is_another_scale(depth, factor):
    """u(0) = v(0) = alpha^(1/D) w for a number w is the scale alpha w^D."""
    case, alpha = instance(10, 20, 2, 0.1), 1e-3
    constant = np.full(20, factor)
    shaped, _ = limit_of(case.matrix, case.data, depth, (constant, constant), np.log([alpha]))
    ones = np.ones(20)
    plain, _ = limit_of(
        case.matrix, case.data, depth, (ones, ones), np.log([alpha * factor**depth])
    )
    assert np.allclose(shaped, plain, rtol=1e-10, atol=1e-13)


def test_a_unit_changes_no_relative_error():
    """A constant shape of a power of two changes the unit alone, exactly."""
    case, factor, depth = instance(10, 20, 2, 0.1), 16.0, 3
    log_alpha, paths = np.log([1e-2, 1e-4]), []
    for shape, shift in ((factor, 0.0), (1.0, depth * np.log(factor))):
        shapes = np.full(20, shape), np.full(20, shape)
        c, _, found = selected(case.matrix, case.data, depth, shapes)
        assert np.all(c.unit == shape)  # c^-1 with c = w^(2 - D)
        paths.append(selected_path(case.matrix, found, depth, log_alpha + shift, c))
    for name in ("error_bound", "entry_bound"):
        shaped, plain = (getattr(path, name) for path in paths)
        assert np.all((0.5 * plain < shaped) & (shaped < 2.0 * plain)), name


def path_of_shapes(shape, log_alpha):
    """Of copies that differ by 2^-22, at D = 3, as the stages find it."""
    signs = [[1, -1, -1, -1, -1], [1, 1, -1, -1, 1], [-1, -1, -1, -1, 1], [1, -1, -1, -1, -1]]
    moved = [[0, -1, -1, -1, -1], [0, 1, 1, 1, 0], [0, 1, 1, 0, 1], [1, 1, 0, 0, 0]]
    matrix = np.array(signs) + 2.0**-22 * np.array(moved)
    data, c = -5 + 2.0**-22 * np.array([-5, 5, 2, 0]), initialize(3, shape, shape)
    return c, path_to(minimizer_from(matrix, data, c), matrix, c, log_alpha)


def minimizer_from(matrix, data, c):
    """What the flow of D = 3 from an initialization approaches, as its stage finds it."""
    return minimizer_of(matrix, data, c, 3.0, find_minimizer(matrix, data).point, "HIGHS")


def path_to(found, matrix, c, log_alpha):
    """The path to it at D = 3, as its stage finds it."""
    return limit_path(
        *(matrix, found.point, found.certificate, potential(3.0), log_alpha),
        initialization=c,
        minimizer_low=found.point_low,
    )


def test_what_rounding_of_the_columns_changes_is_not_called_known():
    """A diag(unit) is rounded, unless the units are powers of two."""
    shape = np.array([0.0699, 0.0116, 0.387, 199.8741, 0.0054])
    with pytest.raises(ConvergenceError, match="is not known to"):
        path_of_shapes(shape, np.log([1e-13]))
    _, path = path_of_shapes(2.0 ** np.rint(np.log2(shape)), np.log([1e-13]))
    assert path.error_bound[0] < 1e-10


@pytest.mark.parametrize(
    ("entry", "status"), [(0.1, "undecided: y is no combination"), (0.125, UNIQUE_IN_FLOATS)]
)
def test_data_beyond_a_support_found_in_floating_point_are_seen(entry, status):
    """Of doubles 0.3 * 0.1 is rounded, and no multiple of the first column is y."""
    matrix = np.array([[1, 2, 0.5], [entry, 0.7, 0.3]])
    data, shape = np.array([0.3, 0.3 * entry]), np.array([1.1, 0.9, 1.2])
    found = minimizer_from(matrix, data, initialize(3, shape, shape))
    assert found.status.startswith(status)
    assert found.support.tolist() == [0]


def test_columns_tied_by_rounded_weights_are_not_called_known():
    """As doubles 1/3 is less than a third, so that there is one minimizer, and not the selected."""
    matrix, data = np.array([[1.0, 3.0]]), np.ones(1)
    c = initialize(3, np.array([1.0, 1 / 3]), np.ones(2))
    found = minimizer_from(matrix, data, c)
    assert found.status == SELECTED
    for exponent in (-4, -12):
        with pytest.raises(ConvergenceError, match="is not known to"):
            path_to(found, matrix, c, np.log([10.0**exponent]))


@pytest.mark.parametrize("gap", [1e-12, 1e-11, 5e-11])
def test_columns_that_are_nearly_tied_are_not_called_so(gap):
    matrix, c = np.array([[1.0, 1.0 + gap, 0.3]]), initialize(3, np.full(3, 1.5), np.full(3, 1.5))
    found = select(matrix * c.unit, np.ones(1), c, 3.0, np.array([0.3, 0.36, 0.0]))
    assert found.status.startswith("undecided: no dual vector belongs to the support")


def test_bounds_are_those_of_the_error_in_its_own_units(monkeypatch):
    """Relative to n where it is known relative to n~ = n / unit."""

    def known(*arguments):
        error, log_unit, _ = correct_error(*arguments)
        return error, log_unit, np.array([1e-12, 1e-13])

    monkeypatch.setattr(limit_module, "correct_error", known)
    shape = 2.0 ** np.array([-4.0, -6.0, -1.0, 8.0, -8.0])
    c, path = path_of_shapes(shape, np.log([1e-13]))
    (error,) = np.abs(path.error)
    ratio = c.unit.max() * (error / c.unit).sum() / error.sum()
    assert path.error_bound[0] == pytest.approx(1e-12 * ratio)
    assert path.entry_bound[0] == pytest.approx(1e-13 * ratio)


@pytest.mark.parametrize(
    "law", [{"law": "uniform", "low": 0.5, "high": 2.0}, {"law": "lognormal", "sigma": 0.3}]
)
def test_drawn_shapes(law):
    same = draw_shapes(generator(seed=1), 1000, balanced=True, **law)
    apart = draw_shapes(generator(seed=1), 1000, balanced=False, **law)
    assert np.array_equal(same[0], same[1])
    assert np.array_equal(same[0], apart[0])
    assert not np.array_equal(apart[0], apart[1])
    for shape in apart:
        assert np.all(shape > 0)
        assert np.array_equal(np.rint(shape * 2**20), shape * 2**20)
        spread = np.log(shape) if law["law"] == "lognormal" else shape
        middle, width = (0.0, 0.3) if law["law"] == "lognormal" else (1.25, 1.5 / np.sqrt(12))
        assert abs(spread.mean() - middle) < 0.05
        assert abs(spread.std() / width - 1) < 0.1


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_a_shape_must_be_positive(bad):
    with pytest.raises(ValueError, match="positive and finite"):
        initialize(3, np.array([1.0, bad]), np.ones(2))


@pytest.mark.parametrize("depth", [6, 110])
def test_shapes_too_uneven_for_double_precision_are_refused(depth):
    with pytest.raises(ValueError, match="too far apart"):
        initialize(depth, np.array([2.0**-10, 1.0]), np.ones(2))
    initialize(2, np.array([2.0**-10, 1.0]), np.ones(2))


def test_each_of_two_costs_counts():
    """At D = 3 costs are 1/w: one of both signs, or one of two columns, that is lost is refused."""
    one = np.ones(1)
    initialize(3, 1e5 * one, one)
    for shapes in ((1e6 * one, one), (one, 1e6 * one)):
        with pytest.raises(ValueError, match="too far apart"):
            initialize(3, *shapes)
    columns = np.array([1.0, 1e6])
    initialize(3, columns, columns)
    with pytest.raises(ValueError, match="too far apart"):
        initialize(3, columns**1.5, columns**1.5)


@pytest.mark.parametrize("depth", [2, 3, 4])
@pytest.mark.parametrize("digits", [2.0**-40, 2.0**-10, 0.3, 0.9, -100.0])
def test_weights_that_are_nearly_equal_keep_their_digits(depth, digits):
    """Of the difference of their logarithms, or costs; with 90 digits."""
    u = np.array([1.1, 0.7, 3.0])
    v = u * (1.0 - digits)
    found = initialize(depth, u, v)
    with mpmath.workdps(90):
        for i in range(3):
            one, other = mpmath.mpf(u[i]), mpmath.mpf(v[i])
            if depth == 2:
                wanted, mine = mpmath.log(one / other), found.offset[i]
            else:
                costs = other ** (2 - depth), one ** (2 - depth)
                wanted, mine = (costs[0] - costs[1]) / sum(costs), found.tilt[i]
            # what the bounds of limit points count: four units
            assert abs(mine - wanted) <= 4 * np.finfo(float).eps * abs(wanted)
