"""The functions at the top of the package: values, arguments, statuses, enclosures."""

import doctest
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import implicit_l1
from implicit_l1 import enclosures, interface
from implicit_l1.minimizer.null_space import Bracket
from implicit_l1.network.limit import ConvergenceError
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, SELECTED
from truths import l1_minimizer, limit_points, log_norm, nearest_double, null_space_constant
from unkind import draw

# columns of the support of different lengths, rho = 3/4
A, Y = [[1, 0, 0.5, 0.5], [0, 1, 0.25, -0.25]], [2, 1]


@pytest.mark.parametrize("module", [interface, enclosures], ids=lambda module: module.__name__)
def test_examples_in_docstrings(module):
    found = doctest.testmod(module)
    assert found.failed == 0
    public = [
        function
        for name, function in vars(module).items()
        if callable(function) and name in implicit_l1.__all__ and not isinstance(function, type)
    ]
    assert public
    for function in public:
        for part in ("Args:", "Raises:", "Example:", ".. math::"):
            assert part in function.__doc__, (function, part)


def fraction(value):
    """An exact number of truths.py."""
    return Fraction(int(value.p), int(value.q))


def holds(interval, value, missed=0):
    """Whether an interval has a number in it, which is exact up to a relative error."""
    value = Fraction(value)
    room = abs(value) * Fraction(missed)
    return Fraction(interval.lower) <= value + room and value - room <= Fraction(interval.upper)


# ensembles whose exact truth takes milliseconds; with ties, copies, 1 row, 1 column more than rows
UNKIND = [
    *(("integers", 1), ("copies", 0), ("near_copies", 0), ("zeros_and_ones", 0), ("kernels", 0)),
    *(("one_row", 1), ("one_column_more", 1), ("scaled_columns", 0), ("dependent_support", 0)),
    *(("signs", 1), ("rounded_data", 0), ("any_scale", 0)),
]


@pytest.mark.parametrize(("name", "seed"), UNKIND)
def test_minimizer_and_constants_of_unkind_problems(name, seed):
    case = draw(name, seed)
    exact = l1_minimizer(case.matrix, case.data)
    found = implicit_l1.find_minimizer(case.matrix, case.data)
    assert found.status == (CERTIFIED if exact.unique else NOT_UNIQUE)
    constants = implicit_l1.find_null_space_constants(case.matrix, case.data)
    nu = constants.minimizer.certificate.nu
    assert np.allclose(nu, found.certificate.nu, rtol=1e-12, atol=0)
    assert np.allclose(nu @ case.matrix, found.certificate.direction, rtol=0, atol=1e-6)
    if not exact.unique:
        assert constants.rho == 1.0
        for enclose in (
            *(implicit_l1.enclose_minimizer, implicit_l1.enclose_null_space_constants),
            lambda *args: implicit_l1.enclose_limit_points(*args, 2, alpha=1e-3),
            lambda *args: implicit_l1.enclose_first_order(*args, 3),
        ):
            with pytest.raises(implicit_l1.NotProved, match=NOT_UNIQUE):
                enclose(case.matrix, case.data)
        return
    assert found.support.tolist() == exact.support
    assert found.point[exact.support].tolist() == [
        nearest_double(exact.point[j]) for j in exact.support
    ]
    assert constants.rho == pytest.approx(nearest_double(exact.rho), rel=1e-12)
    tilde = null_space_constant(case.matrix, exact.support)
    bracket = constants.rho_tilde
    assert bracket.lower * (1 - 1e-6) <= nearest_double(tilde) <= bracket.upper * (1 + 1e-6)
    proof = implicit_l1.enclose_minimizer(case.matrix, case.data)
    assert proof.support.tolist() == exact.support and proof.signs.tolist() == exact.signs
    for j, value in zip(exact.support, proof.values, strict=True):
        assert holds(value, fraction(exact.point[j]))
    both = implicit_l1.enclose_null_space_constants(case.matrix, case.data)
    assert holds(both.rho, fraction(exact.rho)) and holds(both.rho_tilde, fraction(tilde))


@pytest.mark.parametrize("depth", [2, 2.5, 3])
@pytest.mark.parametrize(
    ("name", "seed"), [("integers", 1), ("one_column_more", 1), ("one_row", 1)]
)
def test_limit_points_bounds_and_their_enclosures(name, seed, depth):
    case = draw(name, seed)
    exact = l1_minimizer(case.matrix, case.data)
    decades = [-2.0, -9.0, 0.0, -2.0]  # in any order, one twice
    found = implicit_l1.find_limit_points(case.matrix, case.data, depth, log10_alpha=decades)
    assert found.log10_alpha.tolist() == decades
    log_alpha = np.log(10.0) * np.array([0.0, -2.0, -9.0])
    truth = limit_points(case.matrix, case.data, depth, log_alpha, exact.point)
    expected = np.array([log_norm(truth[row]) for row in (1, 2, 0, 1)]) / np.log(10.0)
    assert np.abs(found.log10_error_1 - expected).max() < 1e-9
    for row, place in enumerate((1, 2, 0, 1)):
        n = np.array([float(value) for value in truth[place]])
        mine = 10 ** found.log10_unit[row] * found.unit_error[row]
        assert np.abs(mine - n).sum() <= 1e-9 * np.abs(n).sum()
        x = [float(g) + v for g, v in zip(map(fraction, exact.point), n, strict=True)]
        assert np.allclose(found.point[row], x, rtol=1e-12, atol=1e-12 * np.abs(x).max())
    bounds = implicit_l1.bound_error(case.matrix, case.data, depth, log10_alpha=decades)
    assert np.array_equal(bounds.limit.log10_error_1, found.log10_error_1)
    assert np.all(bounds.log10_lower_prior <= expected + 1e-9)
    assert np.all(bounds.log10_lower <= expected + 1e-9)
    assert np.all(expected <= bounds.log10_upper + 1e-9)
    proof = implicit_l1.enclose_limit_points(case.matrix, case.data, depth, log10_alpha=decades)
    norms = (proof.error_1, 1), (proof.error_2, 2), (proof.error_inf, np.inf)
    for row, place in enumerate((1, 2, 0, 1)):
        n = np.array([float(value) for value in truth[place]])
        # the truth's log(alpha) is a double
        for intervals, order in norms:
            assert holds(intervals[row], np.linalg.norm(n, order), 1e-12)
        assert all(holds(i, v, 1e-12) for i, v in zip(proof.error[row], n, strict=True))


@pytest.mark.parametrize("depth", [2, 3])
def test_scales_in_any_order_have_the_rows_of_decreasing_ones(depth):
    """All that is told of a scale, its error bound too, and again where it is asked for twice."""
    for ask, part, told in (
        (implicit_l1.find_limit_points, "minimizer", "error_bound"),
        (implicit_l1.bound_error, "limit", "rho_alpha"),
    ):
        found = ask(A, Y, depth, log10_alpha=[-3, -9, 0, -3])
        decreasing = ask(A, Y, depth, log10_alpha=[0, -3, -9])
        assert np.unique(getattr(decreasing, told)).size == 3
        for name, rows in vars(decreasing).items():
            if name != part:
                assert np.array_equal(getattr(found, name), rows[[1, 2, 0, 1]]), name


def test_a_scale_beyond_the_doubles():
    """As first order: 1.5 sqrt(alpha), A = (1, 1/2)."""
    found = implicit_l1.find_limit_points([[1, 0.5]], [1], 2, log10_alpha=[-1000])
    assert found.log10_error_1[0] == pytest.approx(np.log10(1.5) - 500, abs=1e-9)
    proof = implicit_l1.enclose_limit_points([[1, 0.5]], [1], 2, log10_alpha=[-1000])
    assert Decimal("1.499999e-500") < proof.error_1[0].lower < Decimal("1.500001e-500")


def test_alpha_is_exact_in_a_proof():
    """0.1 is the double next to it, and log10_alpha = -1 is a tenth."""
    double = implicit_l1.enclose_limit_points([[1, 0.5]], [1], 3, alpha=0.1).error_1[0]
    tenth = implicit_l1.enclose_limit_points([[1, 0.5]], [1], 3, log10_alpha=-1).error_1[0]
    assert not double.overlaps(tenth)
    assert abs(double.lower / tenth.lower - 1) < Decimal("1e-16")


@pytest.mark.parametrize("depth", [2, 3])
def test_first_order_is_where_the_error_tends_to(depth):
    law = implicit_l1.find_first_order(A, Y, depth)
    proof = implicit_l1.enclose_first_order(A, Y, depth)
    constant = 10**law.log10_constant
    assert holds(proof.exponent, law.exponent, 1e-12) and holds(proof.constant, constant, 1e-9)
    assert law.exponent == pytest.approx(0.25 if depth == 2 else 1.0)
    (far,) = implicit_l1.find_limit_points(A, Y, depth, log10_alpha=-200).log10_error_1
    assert far == pytest.approx(law.log10_constant - 200 * law.exponent, abs=1e-9)
    assert np.isnan(law.entry_exponent).tolist() == [True, True, False, False]
    sizes = law.entry_log10_size - 200 * law.entry_exponent
    limit = implicit_l1.find_limit_points(A, Y, depth, log10_alpha=-200)
    n = np.log10(np.abs(limit.unit_error[0])) + limit.log10_unit[0]
    assert np.allclose(sizes[2:], n[2:], rtol=0, atol=1e-9)


@pytest.mark.parametrize(("depth", "exponent"), [(2, 1), (3, 4 / 3), (4, 3 / 2)])
def test_first_order_where_rho_is_zero(depth, exponent):
    problem = [[1, 0, 0.5], [0, 1, -0.5]], [1, 2]
    law = implicit_l1.find_first_order(*problem, depth)
    proof = implicit_l1.enclose_first_order(*problem, depth)
    assert law.exponent == pytest.approx(exponent) and holds(proof.exponent, exponent, 1e-15)
    assert holds(proof.constant, 10**law.log10_constant, 1e-14)
    equal = problem[0], [3, 3]
    assert implicit_l1.find_first_order(*equal, depth).exponent == np.inf
    with pytest.raises(implicit_l1.NotProved, match="for every alpha"):
        implicit_l1.enclose_first_order(*equal, depth)


@pytest.mark.parametrize("depth", [2, 3])
def test_the_flow_ends_at_the_limit_point(depth):
    flow = implicit_l1.integrate_flow(A, Y, depth, alpha=1e-2)
    limit = implicit_l1.find_limit_points(A, Y, depth, alpha=1e-2)
    away = np.abs(flow.point[-1] - limit.point[0]).sum()
    size = 10 ** limit.log10_error_1[0]
    assert away <= 1.1 * flow.claim * size + 1e-13 and flow.claim <= 1e-9
    # (A, y) and 4 (A, y) have one flow, at t and at t / 16
    faster = implicit_l1.integrate_flow(4 * np.array(A), 4 * np.array(Y), depth, alpha=1e-2)
    assert np.array_equal(faster.time * 16, flow.time)
    assert np.array_equal(faster.point, flow.point)


def test_several_minimizers_are_told():
    """The minimizers are (2 - t, 1, t); flows from equal weights end at t = 1."""
    twice = [[1, 0, 1], [0, 1, 0]], [2, 1]
    assert implicit_l1.find_minimizer(*twice).status == NOT_UNIQUE
    for depth in (2, 3):
        limit = implicit_l1.find_limit_points(*twice, depth, alpha=[1e-3, 1e-6])
        assert limit.minimizer.status == SELECTED
        assert np.allclose(limit.minimizer.point, [1, 1, 1])
        assert np.allclose(limit.point[1], [1, 1, 1], atol=1e-5)
        with pytest.raises(ValueError, match=r"A, y: the l1 minimizer is not unique"):
            implicit_l1.find_first_order(*twice, depth)
        with pytest.raises(ValueError, match=r"A, y: the l1 minimizer is not unique"):
            implicit_l1.bound_error(*twice, depth, alpha=1e-3)


def test_a_rounded_product_is_taken_as_the_product():
    rng = np.random.default_rng(1)
    matrix, signal = rng.standard_normal((8, 20)), np.zeros(20)
    signal[[3, 11]] = 1.1, -0.7
    data = matrix @ signal
    at_its_word = implicit_l1.find_minimizer(matrix, data)
    assert at_its_word.support.size == 8
    meant = implicit_l1.find_minimizer(matrix, data, noiseless=True)
    assert meant.status == CERTIFIED and meant.support.tolist() == [3, 11]
    assert np.allclose(meant.point, signal, rtol=1e-14)
    proof = implicit_l1.enclose_minimizer(matrix, data, noiseless=True)
    assert proof.support.tolist() == [3, 11]
    with pytest.raises(ValueError, match="noiseless is true, but no l1 minimizer"):
        implicit_l1.find_minimizer(matrix, rng.standard_normal(8), noiseless=True)


BAD_PROBLEMS = [
    (([[1, 2], [3, 4]], [1, 2]), "A must have fewer rows than columns"),
    (([[1, 2, 3], [2, 4, 6]], [1, 2]), "A does not have full row rank"),
    (([[1, 2, 3], [2, 4, 6.1]], [1, 2, 3]), r"y must have the shape \(2,\)"),
    (([[1, 2, 3], [2, 4, 6.1]], [[1], [2]]), r"y must have the shape \(2,\)"),
    (([1, 2], [1]), "A must be a matrix"),
    (([[1, 2], [1]], [1, 2]), "A is no array"),
    (([[1, np.nan]], [1]), r"A\[0, 1\] is nan"),
    (([[1, 2]], [np.inf]), r"y\[0\] is inf"),
    (([[1, 2]], [0]), "y = 0"),
    (([["1", "2"]], [1]), "A holds <U1, not real numbers"),
    (([[1, 2j]], [1]), "A holds complex128"),
    (([[1, 2]], [None]), "y holds object"),
    (([[1, 2**53 + 1]], [1]), r"A\[0, 1\] = 9007199254740993 \(int64\) is no double"),
    (([[1, 2]], [1e-40]), "multiply y"),
]


@pytest.mark.parametrize(("problem", "words"), BAD_PROBLEMS)
def test_a_bad_problem_is_named(problem, words):
    for function in (
        *(implicit_l1.find_minimizer, implicit_l1.find_null_space_constants),
        *(implicit_l1.enclose_minimizer, implicit_l1.enclose_null_space_constants),
        lambda *args: implicit_l1.find_limit_points(*args, 2, alpha=1),
        lambda *args: implicit_l1.integrate_flow(*args, 2, alpha=1),
        lambda *args: implicit_l1.find_first_order(*args, 2),
        lambda *args: implicit_l1.bound_error(*args, 2, alpha=1),
        lambda *args: implicit_l1.enclose_limit_points(*args, 2, alpha=1),
        lambda *args: implicit_l1.enclose_first_order(*args, 2),
    ):
        with pytest.raises(ValueError, match=words):
            function(*problem)


BAD_ARGUMENTS = [
    *((depth, {"alpha": 1}, "depth") for depth in (1.9, "2", None, [2], np.nan, np.inf, True, 2j)),
    *((2, {"alpha": bad}, "alpha must be") for bad in (0, -1, "1", [], [[1]], np.inf, [1, np.nan])),
    (2, {"alpha": [1, [2]]}, "alpha is no array"),
    (2, {"log10_alpha": np.nan}, "log10_alpha must be finite"),
    (2, {"log10_alpha": -2e6}, "log10_alpha: .* between -1e.06 and 300"),
    (3, {"log10_alpha": -2e3}, "log10_alpha: .* between -1000 and 300"),
    (2, {}, "alpha, log10_alpha: give one"),
    (2, {"alpha": 1, "log10_alpha": 0}, "alpha, log10_alpha: give one"),
]


@pytest.mark.parametrize(("depth", "scales", "words"), BAD_ARGUMENTS)
def test_a_bad_depth_or_scale_is_named(depth, scales, words):
    for name in ("find_limit_points", "integrate_flow", "bound_error", "enclose_limit_points"):
        with pytest.raises(ValueError, match=words):
            getattr(implicit_l1, name)(A, Y, depth, **scales)


def test_other_bad_arguments_are_named():
    for function in (
        implicit_l1.find_null_space_constants,
        implicit_l1.enclose_null_space_constants,
    ):
        for bad in (-1, 2.5, "3"):
            with pytest.raises(ValueError, match="exact_up_to"):
                function(A, Y, exact_up_to=bad)
    with pytest.raises(ValueError, match="one scale"):
        implicit_l1.integrate_flow(A, Y, 2, alpha=[1, 2])
    with pytest.raises(ValueError, match="options"):
        implicit_l1.integrate_flow(A, Y, 2, alpha=1, options={"rtol": 1e-8})
    for bad in (0, 1, -1, np.nan):
        with pytest.raises(ValueError, match="radius"):
            implicit_l1.enclose_limit_points(A, Y, 2, alpha=1, radius=bad)
        with pytest.raises(ValueError, match="radius"):
            implicit_l1.enclose_first_order(A, Y, 2, radius=bad)


def test_a_constant_of_which_only_bounds_are_asked_for_lies_between_them():
    """Exactly it is 151/295, in rational arithmetic."""
    matrix = np.random.default_rng(5).integers(-5, 6, (4, 8))
    data = matrix[:, 0] - matrix[:, 1]
    tilde = fraction(null_space_constant(matrix, [0, 1]))
    assert tilde == Fraction(151, 295)
    bracket = implicit_l1.find_null_space_constants(matrix, data, exact_up_to=0).rho_tilde
    proof = implicit_l1.enclose_null_space_constants(matrix, data, exact_up_to=0).rho_tilde
    assert holds(proof, tilde) and bracket.lower * (1 - 1e-9) <= tilde <= bracket.upper
    assert proof.upper - proof.lower > 1e-3 and bracket.upper - bracket.lower > 1e-3


@pytest.mark.parametrize(
    ("matrix", "data"), [([[-3, -1, -3], [-2, 0, 0]], [-36, 0]), ([[3, 1, 3], [0, 0, 2]], [1, 0])]
)
@pytest.mark.parametrize("depth", [2, 2.5, 3])
@pytest.mark.parametrize("decades", [-4, -200])
def test_an_entry_that_is_forced_to_zero_is_enclosed(matrix, data, depth, decades):
    found = implicit_l1.find_limit_points(matrix, data, depth, log10_alpha=decades)
    (error,) = implicit_l1.enclose_limit_points(matrix, data, depth, log10_alpha=decades).error_1
    assert float(error.lower.log10()) == pytest.approx(found.log10_error_1[0], abs=1e-10)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("decades", [-400, -900])
def test_scales_below_the_doubles(decades):
    problem = [[4096, 2.0**28, -(2.0**24)]], [-805314560]
    found = implicit_l1.find_limit_points(*problem, 4, log10_alpha=decades)
    (error,) = implicit_l1.enclose_limit_points(*problem, 4, log10_alpha=decades).error_1
    assert float(error.lower.log10()) == pytest.approx(found.log10_error_1[0], abs=1e-10)


def test_a_depth_whose_time_is_beyond_the_doubles_is_named():
    with pytest.raises(ValueError, match=r"depth: .* the time of the flow"):
        implicit_l1.integrate_flow(A, Y, 1e300, alpha=1e-2)


def beside_a_large_column(exponent, seed):
    """(A, y = A x): the last column of A so large that hardly anything is on it."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(2, 5))
    count = rows + int(rng.integers(1, 4))
    matrix = np.round(rng.standard_normal((rows, count)) * 1024) / 1024
    matrix[:, -1] *= 2.0**exponent
    size = int(rng.integers(1, rows))
    return matrix, matrix[:, :size] @ rng.choice([-1.0, 1.0], size)


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize(("exponent", "seed"), [(50, 6), (50, 34), (50, 38), (40, 34), (30, 11)])
def test_bounds_hold_beside_a_large_column(exponent, seed, depth):
    matrix, data = beside_a_large_column(exponent, seed)
    minimizer = l1_minimizer(matrix, data).point
    log_alpha = np.log(10.0) * np.array([-3.0, -6.0])
    truth = limit_points(matrix, data, depth, log_alpha, minimizer)
    error = np.array([log_norm(n) for n in truth]) / np.log(10.0)
    found = implicit_l1.bound_error(matrix, data, depth, log10_alpha=[-3, -6])
    assert np.abs(found.limit.log10_error_1 - error).max() < 1e-9
    for lower in (found.log10_lower, found.log10_lower_prior):
        assert np.all(lower <= error + 1e-9)
    assert np.all(error <= found.log10_upper + 1e-9)
    # and they say something
    assert np.all(found.log10_lower > error - 1.0)
    if depth == 2:
        assert np.all(found.log10_upper < error + 1.5)


def test_bounds_rest_on_the_upper_end_of_the_null_space_constant(monkeypatch):
    """Where it is bracketed, as from 17 elements of the support on."""

    def bounds(lower, upper):
        constant = Bracket(lower, upper, "bracketed")
        monkeypatch.setattr(interface, "null_space_constant", lambda *_: constant)
        return implicit_l1.bound_error(A, Y, 2, log10_alpha=[-3]).log10_upper[0]

    assert bounds(0.76, 0.9) == bounds(0.9, 0.9) > bounds(0.76, 0.76)


@pytest.mark.parametrize("seed", [20, 23])
def test_a_point_that_is_not_found_beside_a_large_column_is_named(seed):
    """Where it is found, so is its error."""
    matrix, data = beside_a_large_column(50, seed)
    try:
        found = implicit_l1.bound_error(matrix, data, 3, log10_alpha=[-3])
    except ConvergenceError as error:
        assert "log10(alpha) = -3" in str(error)
    else:
        assert np.all(found.log10_lower <= found.log10_upper)


@pytest.mark.parametrize("rho", [1e-9, 1e-17, 2.0**-60, 0.3])
def test_a_small_rho_has_all_digits(rho):
    assert implicit_l1.find_null_space_constants([[1, rho]], [1]).rho == rho


@pytest.mark.parametrize(
    ("matrix", "size"),
    [
        ([[1.0, 0, -3, -3], [-2, 3, -2, -2], [8, -5, 2, 2]], 1),
        ([[5.0, -8, 5, -1, -1], [2, -4, 8, -8, -8], [-2, 1, -2, -6, -6], [-8, -8, -6, 8, 8]], 2),
        ([[1.0, 0, 0, 1, 2], [0, 2, 0, 1, 1], [0, 0, 1, 1, 1], [1, 1, 0, 2, 3]], 1),
    ],
)
def test_constants_are_0_where_the_kernel_is_0_on_the_support(matrix, size):
    """The difference of two equal columns, which no vector of the kernel has more than."""
    matrix = np.array(matrix)
    if size == 1 and matrix.shape[1] == 5:
        matrix[:, 4] = matrix[:, 3]
    data = matrix[:, :size].sum(axis=1)
    proof = implicit_l1.enclose_null_space_constants(matrix, data)
    assert proof.rho.lower == proof.rho.upper == proof.rho_tilde.lower == 0
    assert proof.rho_tilde.upper == 0
    found = implicit_l1.find_null_space_constants(matrix, data)
    assert found.rho == found.rho_tilde.lower == found.rho_tilde.upper == 0.0


@pytest.mark.parametrize("depth", [2, 2.5, 3, 10])
def test_a_limit_point_that_is_the_minimizer_is_enclosed(depth):
    """Where the signs on each set of equal sizes are images of A^T; a neighbour's is not."""
    matrix, near = [[1, 0, 0.5], [0, 1, -0.5]], 1 + 2.0**-52
    proof = implicit_l1.enclose_limit_points(matrix, [1, 1], depth, log10_alpha=[-1, -300])
    for interval in (*proof.error_1, *proof.error_2, *proof.error_inf, *proof.error[0]):
        assert interval.lower == interval.upper == 0
    (error,) = implicit_l1.enclose_limit_points(matrix, [1, near], depth, log10_alpha=-1).error_1
    assert 0 < error.lower < error.upper < 1e-15


@pytest.mark.parametrize("depth", [np.nextafter(2.0, 3.0), 2 + 1e-7, 2.0009])
def test_a_depth_too_near_to_2_is_named(depth):
    with pytest.raises(ValueError, match=r"depth must be 2, or at least 2\.001, got"):
        implicit_l1.find_limit_points(A, Y, depth, alpha=1e-2)
    assert implicit_l1.find_limit_points(A, Y, 2.001, alpha=1e-2).error_bound[0] < 1e-9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("matrix", "data", "depth", "decades"),
    [
        ([[1, 0, 0.9, 0.3], [0, 1, -0.5, 0.7]], [1, 1], 50, -16),
        ([[1, 1 - 2.0**-52]], [1], 10, -20),
        ([[1, 1 - 2.0**-50]], [1], 20, -30),
    ],
)
def test_bounds_where_the_margin_is_lost_in_rounding(matrix, data, depth, decades):
    """The refined bound says nothing then, the other one does."""
    found = implicit_l1.bound_error(matrix, data, depth, log10_alpha=decades)
    assert found.log10_lower[0] <= found.limit.log10_error_1[0] <= found.log10_upper[0] < np.inf


TIES = [[1, 1, -1, 1, 1, 1], [-1, -1, 1, -1, 1, 1], [-1, -1, 1, 1, 1, -1], [1, -1, -1, -1, -1, -1]]


@pytest.mark.parametrize(
    ("matrix", "data", "alpha"),
    [(TIES, [6, -2, -2, 0], [1, 0.1, 0.01, 1e-4]), ([[3, -2, -3, 3], [3, 3, 3, 1]], [8, 3], 100)],
)
def test_a_selected_minimizer_is_found_with_the_bits_that_there_are(matrix, data, alpha):
    """Newton's method ends by the digits that are carried, however many that are."""
    found = implicit_l1.find_limit_points(matrix, data, 3, alpha=alpha)
    assert np.all(found.error_bound < 1e-9)
    image = found.point @ np.array(matrix, dtype=float).T
    assert np.allclose(image, data, rtol=1e-9, atol=1e-9)


def test_rows_of_very_different_size_leave_the_minimizer_as_it_is():
    first = [[-3, 3, -2, 1, 1, -2, 1], [-1, 0, 3, -2, -2, -1, -3]]
    matrix = np.array([*first, [0, 2, -2, 1, 2, 2, -2], [0, 1, -1, -2, 0, 2, 3]])
    data, rows = np.array([8, -8, 16, 7]), 2.0 ** np.array([-127, -278, -394, -373])
    found = implicit_l1.find_minimizer(matrix * rows[:, None], data * rows)
    assert found.point.tolist() == implicit_l1.find_minimizer(matrix, data).point.tolist()


# (A, y, D, constant, its digits, whether it is proved): columns of very different sizes.  The first
# constant is that of limit points in many digits at alpha = 1e-40 and 1e-60.
OF_DIFFERENT_SIZES = [
    (
        [
            [3145728, 3 * 2.0**-40, 3 * 2.0**-40, 2.0**-10],
            [-3145728, -3 * 2.0**-40, 2.0**-40, -3 * 2.0**-10],
            [-3145728, 2.0**-40, -(2.0**-40), -3 * 2.0**-10],
        ],
        [-0.0009765625054569682, 0.002929687505456968, 0.0029296874981810106],
        *(6, 3.42614, 1e-5, False),
    ),
    (
        [[2.0**20, -(2.0**-19), 3 * 2.0**-10], [2.0**21, 3 * 2.0**-20, 3 * 2.0**-10]],
        [-3 * 2.0**-10, -3 * 2.0**-10],
        *(4, 0.0091354471070907823786, 1e-11, True),
    ),
]


@pytest.mark.parametrize(
    ("matrix", "data", "depth", "constant", "digits", "proved"), OF_DIFFERENT_SIZES
)
def test_first_order_constants_beside_columns_of_any_size(
    matrix, data, depth, constant, digits, proved
):
    found = implicit_l1.find_first_order(matrix, data, depth)
    assert 10.0**found.log10_constant == pytest.approx(constant, rel=digits)
    if proved:
        proof = implicit_l1.enclose_first_order(matrix, data, depth)
        assert holds(proof.constant, constant, 1e-15)


@pytest.mark.parametrize("log10_alpha", [-2, -1000])
def test_the_bound_of_an_error_counts_its_logarithm(log10_alpha):
    """10^log10_unit is n no better than to the rounding of that number."""
    found = implicit_l1.find_limit_points([[1, 0.5]], [1], 2, log10_alpha=log10_alpha)
    lost = 2.0**-53 * np.log(10.0) * abs(found.log10_unit[0])
    assert lost < found.error_bound[0] < 100 * lost + 1e-13
