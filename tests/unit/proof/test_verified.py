"""Bounds of double precision against exact and ball arithmetic: never too small, and not idle."""

import numpy as np
import pytest
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from implicit_l1.proof.balls import ball, exact_matrix, relative_radius
from implicit_l1.proof.verified import (
    LARGE,
    Exact,
    Inverse,
    Preconditioned,
    distilled,
    doubles_of,
    gamma,
    largest_column_sums,
    residuals,
    rounded_up,
    slices_of,
)
from reference import rationals


def hold(balls, numbers):
    """Whether balls contain rational numbers, entry by entry."""
    with ctx.workprec(4000):
        return all(b.contains(arb(number)) for b, number in zip(balls, numbers, strict=True))


def row_sum(matrix):
    """The norm of a matrix of balls."""
    largest = arb(0)
    for row in matrix.tolist():
        largest = largest.max(sum((abs(value) for value in row), arb(0)))
    return largest


def badly_scaled(rng, size, decades):
    """A random matrix whose rows and columns range over so many decades."""
    rows, columns = 10.0 ** rng.uniform(-decades, decades, (2, size))
    return rows[:, None] * rng.standard_normal((size, size)) * columns


seeds = st.integers(0, 10**6)


@given(seeds, st.integers(1, 8), st.sampled_from([0, 1, 4, 14]), st.sampled_from([0, 1e-9, 0.1]))
def test_the_contraction_is_an_upper_bound(seed, size, decades, change):
    """``||I - R J||`` of exact numbers, for the J that are farthest from K as spread allows."""
    rng = np.random.default_rng(seed)
    matrix = badly_scaled(rng, size, decades)
    inverse = np.linalg.inv(matrix)
    away = change * np.abs(matrix) * rng.choice([0.0, 1.0], matrix.shape)
    bound = Preconditioned(inverse, matrix).contraction(away.sum(axis=1))
    with ctx.workprec(2000):
        identity = exact_matrix(np.eye(size))
        for row in range(size):  # signs at which row of R E is largest
            signs = np.sign(inverse[row])[:, None]
            found = exact_matrix(matrix) + exact_matrix(away * -signs)
            norm = row_sum(identity - exact_matrix(inverse) * found)
            assert norm <= arb(bound)


@given(seeds, st.integers(1, 8), st.sampled_from([0, 1, 4]), st.sampled_from([0, 1e-9, 0.1]))
def test_the_remainder_is_an_upper_bound(seed, size, decades, change):
    """``|(I - R J) v|`` of exact numbers, entry by entry, for v as large as its weights."""
    rng = np.random.default_rng(seed)
    matrix = badly_scaled(rng, size, decades)
    inverse = np.linalg.inv(matrix)
    away = change * matrix * rng.choice([-1.0, 0.0, 1.0], matrix.shape)
    weights = 10.0 ** rng.uniform(-9, 0, size)
    bounds = Preconditioned(inverse, matrix).remainder(weights, np.abs(away) @ weights * 1.000001)
    with ctx.workprec(2000):
        product = exact_matrix(inverse) * (exact_matrix(matrix) + exact_matrix(away))
        rest = exact_matrix(np.eye(size)) - product
        for _ in range(4):
            v = exact_matrix((weights * rng.choice([-1.0, 1.0], size))[:, None])
            for value, bound in zip((rest * v).entries(), bounds, strict=True):
                assert abs(value) <= arb(float(bound))
    if change == 0 and decades == 0 and size > 1:  # of each entry its own
        near = Preconditioned(np.eye(size), np.diag(1.0 + 2.0 ** -np.arange(10.0, 10.0 + size)))
        found = near.remainder(np.ones(size), np.zeros(size))
        assert np.allclose(found, 2.0 ** -np.arange(10.0, 10.0 + size), rtol=1e-6)


@given(seeds, st.integers(2, 40))
def test_the_contraction_of_a_good_inverse_is_small(seed, size):
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((size, size)) + 2 * size * np.eye(size)
    near = Preconditioned(np.linalg.inv(matrix), matrix)
    assert near.contraction(np.zeros(size)) < 1e-14 * size**2
    spread = near.contraction(np.full(size, 1e-3))
    assert spread == pytest.approx(1e-3 * np.abs(np.linalg.inv(matrix)).sum(axis=1).max(), rel=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 2 * LARGE])
def test_no_bound_is_claimed_out_of_range(wrong):
    for place in range(3):
        parts = [np.eye(2), np.eye(2), np.zeros(2)]
        parts[place].flat[1] = wrong
        near = Preconditioned(*parts[:2])
        assert near.contraction(parts[2]) == np.inf
        assert np.all(near.remainder(np.ones(2), parts[2]) == np.inf)
    near = Preconditioned(np.eye(2), np.eye(2))
    assert np.all(near.remainder(np.array([1.0, wrong]), np.zeros(2)) == np.inf)


@given(st.lists(st.floats(0, 1e50), min_size=1, max_size=50))
def test_sums_are_rounded_up(terms):
    exact = sum((fmpq(*term.as_integer_ratio()) for term in terms), fmpq(0))
    bound = float(rounded_up(np.sum(terms)))
    assert fmpq(*bound.as_integer_ratio()) > exact
    assert bound <= 1.00001 * float(np.sum(terms)) + 1e-100


@pytest.mark.parametrize("count", [1, 100, 2**20])
def test_gamma_is_an_upper_bound(count):
    u = fmpq(1, 2**53)
    assert fmpq(*float(gamma(count)).as_integer_ratio()) > count * u / (1 - count * u)


@given(st.floats(-1e100, 1e100), st.floats(0, 1e3), st.integers(1, 1000))
def test_doubles_enclose_balls(middle, radius, divisor):
    value = (arb(middle) / divisor) * arb(1, radius / 1e4)
    (found,), (away,) = doubles_of([value])
    assert arb(float(found), float(away)).contains(value)
    assert away <= float(value.rad()) * 1.0001 + 1e-15 * abs(found) + 1e-100


def exact_solution(matrix, right, transposed):
    square = rationals(matrix).transpose() if transposed else rationals(matrix)
    return square.solve(rationals(np.asarray(right)[:, None])).entries()


def hilbert(size):
    """An ill-conditioned matrix, beyond double precision from size 13 on."""
    return 1.0 / (np.arange(size)[:, None] + np.arange(size) + 1.0)


@given(seeds, st.integers(1, 10), st.sampled_from([0, 2, 12]), st.booleans())
def test_solutions_are_enclosed(seed, size, decades, transposed):
    rng = np.random.default_rng(seed)
    matrix, right = badly_scaled(rng, size, decades), rng.standard_normal(size)
    exact = exact_solution(matrix, right, transposed)
    found = Inverse(matrix).solve([ball(value) for value in right], transposed)
    assert hold(found, exact)
    if decades == 0:
        largest = max(abs(float(value)) for value in found)
        assert max(float(value.rad()) for value in found) < 1e-28 * largest


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("bits", [64, 128, 256, 512])
@pytest.mark.parametrize("size", [6, 10, 14])
def test_ill_conditioned_systems_are_solved(size, bits, transposed):
    """By refinement, or by balls where no inverse in double precision is good enough."""
    right = np.arange(1.0, size + 1)
    exact = exact_solution(hilbert(size), right, transposed)
    inverse = Inverse(hilbert(size))
    if size != 10:
        assert (inverse.approximate is None) == (size == 14)
    with ctx.workprec(bits):
        found = inverse.solve([ball(value) for value in right], transposed)
    assert hold(found, exact)
    if size == 6:
        assert max(map(relative_radius, found)) < 2.0 ** (30 - min(bits, 390))


def test_solutions_of_all_members_are_enclosed():
    rng = np.random.default_rng(0)
    matrix, right = rng.standard_normal((2, 5, 5))
    inverse = Inverse(matrix)
    for middle in right:
        found = inverse.solve([arb(float(value), 0.25) for value in middle])
        for signs in rng.choice([-1.0, 1.0], (20, 5)):
            exact = exact_solution(matrix, middle + 0.25 * signs, False)
            assert hold(found, exact)


@pytest.mark.parametrize("wrong", [arb("nan"), arb("inf"), arb(10) ** 400])
def test_nothing_is_said_of_what_is_no_double(wrong):
    found = Inverse(np.eye(2) + 0.1).solve([arb(1), wrong])
    assert not any(value.is_finite() for value in found)


@pytest.mark.parametrize(
    "matrix",
    [np.zeros((2, 2)), np.ones((3, 3)), np.outer([1.0, 3.0, 7.0], [0.1, 0.2, 0.3])],
)
def test_a_singular_matrix_is_refused(matrix):
    with pytest.raises(ZeroDivisionError):
        Inverse(matrix)


def test_a_matrix_that_is_regular_by_its_last_digit_is_inverted_by_balls():
    matrix = np.array([[1.0, 1.0], [1.0, np.nextafter(1.0, 2.0)]])
    inverse = Inverse(matrix)
    assert inverse.approximate is None
    exact = exact_solution(matrix, [0.0, 1.0], False)
    found = inverse.solve([arb(0), arb(1)])
    assert hold(found, exact)
    assert np.array_equal(largest_column_sums(inverse, np.eye(2)), [np.inf, np.inf])


@given(seeds, st.integers(1, 8), st.integers(1, 5), st.sampled_from([0, 2, 12]))
def test_norms_of_columns_are_bounded(seed, size, count, decades):
    rng = np.random.default_rng(seed)
    matrix, columns = badly_scaled(rng, size, decades), rng.standard_normal((size, count))
    bounds = largest_column_sums(Inverse(matrix), columns)
    solution = rationals(matrix).solve(rationals(columns)).tolist()
    for bound, entries in zip(bounds, zip(*solution, strict=True), strict=True):
        norm = sum((abs(value) for value in entries), fmpq(0))
        assert bound == np.inf or fmpq(*float(bound).as_integer_ratio()) >= norm
        if decades == 0 and np.linalg.cond(matrix) < 1e4:
            assert bound <= 1.000001 * float(arb(norm))


def test_a_solution_at_another_precision_is_as_good_as_it():
    rng = np.random.default_rng(1)
    inverse = Inverse(rng.standard_normal((30, 30)))
    right = [ball(value) for value in rng.standard_normal(30)]
    for bits in (128, 256, 512):
        with ctx.workprec(bits):
            found = inverse.solve(right)
            back = inverse.matrix.balls * arb_mat(30, 1, found)
        assert max(float(value.rad()) for value in found) < 2.0 ** (20 - min(bits, 390))
        for value, wanted in zip(back.entries(), right, strict=True):
            assert value.contains(wanted)


@pytest.mark.parametrize("size", [6, 14])
@pytest.mark.parametrize("transposed", [False, True])
def test_solutions_in_doubles_are_those_in_balls(size, transposed):
    """Also where no inverse in double precision is good enough."""
    inverse, right = Inverse(hilbert(size)), np.arange(1.0, size + 1)
    assert (inverse.approximate is None) == (size == 14)
    found = inverse.solve_in_doubles(right, transposed)
    exact = [float(x) for x in inverse.solve([ball(value) for value in right], transposed)]
    assert np.allclose(found, exact, rtol=1e-8)


def test_an_exact_solution_has_no_radius():
    inverse = Inverse(np.array([[2.0, 1.0], [0.0, 4.0]]))
    for right, solution in (([0, 0], [0, 0]), ([3, 4], [1, 1])):
        found = inverse.solve([ball(value) for value in right])
        assert all(x.is_exact() and x == y for x, y in zip(found, solution, strict=True))


@pytest.mark.parametrize("transposed", [False, True])
def test_a_solution_is_as_narrow_as_asked(transposed):
    rng = np.random.default_rng(0)
    matrix, right = rng.standard_normal((20, 20)), rng.standard_normal(20)
    exact = rationals(matrix.T if transposed else matrix).solve(rationals(right[:, None]))
    inverse, widths = Inverse(matrix), []
    size = max(abs(float(arb(value))) for value in exact.entries())
    for settings in ({"enough": 1.0}, {"enough": 1e-20}, {"enough": 1e-40, "beside": 1e20}, {}):
        found = inverse.solve([ball(value) for value in right], transposed, **settings)
        assert hold(found, exact.entries())
        widths.append(max(float(value.rad()) for value in found) / size)
    assert widths[0] > 1e-17 > widths[1] > 1e-33 > widths[3]
    assert widths[2] == widths[1]


def total(arrays):
    """The exact sum of arrays of doubles, entry by entry, as rational numbers."""
    parts = [rationals(np.asarray(array)[None]) for array in arrays]
    return sum(parts[1:], parts[0]).entries()


@given(seeds, st.integers(4, 24), st.integers(1, 6), st.sampled_from([0, 3, 12]))
def test_slices_are_short_and_add_up(seed, bits, most, decades):
    rng = np.random.default_rng(seed)
    high = 10.0 ** rng.uniform(-decades - 0.1, -0.1, 9) * rng.choice([-1.0, 0.0, 1.0], 9)
    high[0] = 1.0 - 2.0**-53  # all bits of the largest possible slice
    values = np.array([high, high * 2.0**-53 * rng.uniform(-1, 1, 9)])
    slices, rest = slices_of(values, bits, most)
    assert len(slices) <= most
    assert total([*slices, *rest]) == total(values)
    for place, part in enumerate(slices):
        units = part * 2.0 ** ((place + 1) * bits)
        assert np.array_equal(units, np.rint(units))
        assert np.abs(units).max() <= 2.0**bits
    assert np.abs(rest).max() <= 2.0 ** (-len(slices) * bits - 1)


@given(seeds, st.integers(1, 8))
def test_distilled_sums_lack_no_more_than_they_say(seed, count):
    rng = np.random.default_rng(seed)
    terms = rng.standard_normal((count, 5)) * 2.0 ** (-18.0 * np.arange(count)[:, None])
    terms[:, 4] = np.rint(terms[:, 4])
    sums, error = distilled(terms)
    away = [abs(value) for value in total([*terms, *-sums])]
    assert all(lack <= most for lack, most in zip(away, total([error]), strict=True))
    assert np.all(error <= 1e-45)
    assert error[4] == 0.0


@given(
    seeds,
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.booleans(),
    st.sampled_from([0, 2, 14, 40]),
    st.sampled_from(["doubles", "balls", "wide balls"]),
)
def test_products_contain_the_exact_ones(seed, shape, transposed, decades, kind):
    """In doubles as in balls, and where they are exact, exactly."""
    rng = np.random.default_rng(seed)
    matrix = 10.0 ** rng.uniform(-decades, 0, shape) * rng.standard_normal(shape)
    x = 10.0 ** rng.uniform(-decades, 0, shape[not transposed]) * rng.standard_normal()
    exact = rationals(matrix)
    exact = exact.transpose() if transposed else exact
    if kind == "doubles":
        vector, numbers = x, rationals(x[:, None])
    else:
        numbers = fmpq_mat(len(x), 1, [fmpq(*v.as_integer_ratio()) / 3 for v in x.tolist()])
        width = 1e-9 if kind == "wide balls" else 0.0
        vector = [arb(number) + arb(0, width) for number in numbers.entries()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("implicit_l1.proof.verified._SMALL", 0)
        product = Exact(matrix)
        fast = product.times(vector, transposed)
        assert "balls" not in vars(product)
    slow = Exact(matrix).times(vector, transposed, in_balls=True)
    for found in (fast, slow):
        assert hold(found, (exact * numbers).entries())
    sizes = np.abs(matrix.T if transposed else matrix) @ np.full(len(x), np.abs(x).max())
    for value, other, size in zip(fast, slow, sizes.tolist(), strict=True):
        assert float(value.rad()) <= float(other.rad()) * 1.01 + 1e-23 * (size + np.abs(x).max())


def test_products_of_numbers_of_few_digits_are_exact(monkeypatch):
    """As those of the problems are: entries of A have 36 binary places, those of x_0 have 10."""
    monkeypatch.setattr("implicit_l1.proof.verified._SMALL", 0)
    rng = np.random.default_rng(0)
    matrix = np.rint(rng.standard_normal((30, 50)) * 2.0**36) * 2.0**-36
    x = np.rint(rng.standard_normal(50) * 2.0**10) * 2.0**-10
    found = Exact(matrix).times(x)
    assert all(value == y for value, y in zip(found, (matrix @ x).tolist(), strict=True))


@pytest.mark.parametrize("size", [1e-310, 1e200, np.nan, 0.0])
def test_products_of_immoderate_sizes_are_in_balls(monkeypatch, size):
    monkeypatch.setattr("implicit_l1.proof.verified._SMALL", 0)
    matrix, x = np.array([[1.0, 3.0]]), np.array([1.0, 2.0])
    for product, vector in ((Exact(matrix * size), x), (Exact(matrix), x * size)):
        (found,) = product.times(vector)
        assert "balls" in vars(product)
        assert np.isnan(size) or found.contains(arb(7.0) * size)


def holds_residuals(matrix, solutions, right):
    """(whether the residuals of ``B X = Y`` are within bounds of their error, they, the bounds)."""
    found, error = residuals(matrix, solutions, right)
    exact = rationals(right) - rationals(matrix) * rationals(solutions)
    pairs = zip((rationals(found) - exact).entries(), rationals(error).entries(), strict=True)
    return all(abs(value) <= bound for value, bound in pairs), found, error


@given(seeds, st.integers(1, 12), st.integers(1, 5), st.sampled_from([0, 2, 12]))
def test_residuals_of_products_are_bounded(seed, size, count, decades):
    rng = np.random.default_rng(seed)
    matrix, right = badly_scaled(rng, size, decades), rng.standard_normal((size, count))
    right[:, -1] = 0.0
    solutions = np.linalg.lstsq(matrix, right, rcond=None)[0]
    held, found, error = holds_residuals(matrix, solutions, right)
    assert held
    # as if in more digits: the rounding of a product is 2^-53 of these sizes and more
    sizes = np.abs(matrix).sum(axis=1)[:, None] * np.abs(solutions).max(axis=0)
    assert np.all(error <= 2.0**-70 * sizes + 2.0**-51 * np.abs(found) + 1e-100)
    assert holds_residuals(matrix, np.zeros_like(right), right)[0]


@pytest.mark.parametrize("place", range(3))
def test_residuals_count_what_sums_of_small_products_lose(place):
    """``p + q - p`` with q below the last place of p, in any order: the rest of X is that."""
    large, small = 1.0 + 2.0**-27, 1.5 * 2.0**-80
    matrix, solution = np.array([[1.0, 1.0, -1.0]]), np.array([[large], [small], [large]])
    order = np.roll(np.arange(3), place)
    held, _, error = holds_residuals(matrix[:, order], solution[order], np.zeros((1, 1)))
    assert held and error[0, 0] <= 2.0**-74


def test_residuals_count_the_rounding_of_each_difference():
    rng = np.random.default_rng(0)
    for _ in range(200):
        matrix, solution, right = rng.uniform(1.0, 1.1, size=(3, 1, 1)) * [[[1e6]], [[1]], [[0.1]]]
        assert holds_residuals(matrix, solution, right)[0]
