"""Each term of the proofs is needed: cases in which a proof without it says something false.

Where random data leave slack, a missing term is not seen.  Here the data are made so that all
that is left of a bound, but for one term, is too small, and the true values are known exactly.
"""

import numpy as np
import pytest
from flint import arb, ctx, fmpq, fmpq_mat

from implicit_l1.balls import BallPotential, ball
from implicit_l1.certificates import (
    LimitProof,
    NotProved,
    _heights,
    _narrow,
    _Products,
    coordinates,
    pattern_constant,
    prove_minimizer,
)
from implicit_l1.exact import exact_product
from implicit_l1.verified import (
    Exact,
    Inverse,
    Preconditioned,
    largest_column_sums,
)

HALF_UNIT = fmpq(1, 2**53)


@pytest.fixture(autouse=True)
def precision():
    with ctx.workprec(128):
        yield


class OneByOne(np.ndarray):
    """An array whose products add one term after the other, each rounded: one of the orders in
    which a machine may add them."""

    @classmethod
    def of(cls, values):
        return np.array(values, dtype=float).view(cls)

    def __matmul__(self, other):
        return _one_by_one(self, other)

    def __rmatmul__(self, other):
        return _one_by_one(other, self)


def _one_by_one(left, right):
    left, right = np.asarray(left), np.asarray(right)
    total = 0.0
    for place in range(right.shape[0]):
        column = left[..., place]
        if left.ndim > 1 and right.ndim > 1:
            total = total + column[:, None] * right[place]
        else:
            total = total + column * right[place]
    return np.asarray(total).view(OneByOne)


def rational(value):
    return fmpq(*float(value).as_integer_ratio())


def rationals(matrix):
    return fmpq_mat([[rational(value) for value in row] for row in np.asarray(matrix)])


def contain(balls, numbers):
    """Whether balls contain rational numbers, entry by entry."""
    with ctx.workprec(4000):
        return all(b.contains(arb(number)) for b, number in zip(balls, numbers, strict=True))


# Linear algebra in doubles


def test_bounds_hold_for_sums_in_any_order():
    """1 and then n halves of its last unit, added one by one: each of them is lost."""
    count = 64
    row = np.full(count, 2.0**-53)
    row[0] = 1.0
    matrix, inverse = np.zeros((2, count, count))
    matrix[:, 0], inverse[0] = 1.0, row  # R K = 1 + (n - 1) / 2^53, but 1 as it is added here
    near = Preconditioned(OneByOne.of(inverse), OneByOne.of(matrix))
    weights = np.eye(count)[0]
    (lost, *_) = np.asarray(near.remainder(weights, np.zeros(count)))
    assert rational(lost) >= (count - 1) * HALF_UNIT


def test_a_product_that_underflows_is_not_bounded_by_0():
    near = Preconditioned(np.diag([2.0**-600, 1.0]), np.array([[1.0, 2.0**-600], [0.0, 1.0]]))
    bound, _ = near.remainder(np.array([0.0, 1.0]), np.zeros(2))
    assert rational(bound) > fmpq(1, 2**1200)  # of 2^-600 2^-600 nothing is left


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("right", [arb(1), arb(0, 1), arb(1, 1), arb(5, 0.25)])
def test_a_solution_is_as_far_as_the_contraction_lets_it_be(monkeypatch, right, transposed):
    """R = 3/4 for K = 1: ``c - R r`` is ``q / (1 - q) R r``, not q R r, for all of the ball r."""
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: np.array([[0.75]]))
    (found,) = Inverse(np.eye(1)).solve([right], transposed, enough=1.0)
    assert found.contains(right)


@pytest.mark.parametrize("transposed", [False, True])
def test_the_rounding_of_a_step_is_beside_the_contraction(transposed):
    """1 / K and m / K are both rounded up, by nearly as much as they can be."""
    divisor, value = 1.921875, 1.0390625
    product = rational(value * (1.0 / divisor))
    assert product - rational(value) / rational(divisor) > fmpq(9, 5) * HALF_UNIT * product
    inverse = Inverse(np.array([[divisor]]))
    found = inverse.solve([arb(value)], transposed, enough=1.0)
    assert contain(found, [rational(value) / rational(divisor)])


def fanned(count, size):
    """(E, K): K = I - E, with column sums of E up to `size` and row sums up to size / count.

    E takes e_0 to `count` entries, and each of them to count^2.
    """
    first, last = 1 + count, 1 + count + count**2
    spread = np.zeros((last, last))
    spread[1:first, 0] = size / count
    spread[first:, 1:first] = size / count**2
    return spread, np.eye(last) - spread


@pytest.mark.parametrize(("count", "size"), [(4, 0.375), (8, 3.0)])
def test_a_transposed_solution_has_the_contraction_of_the_transpose(monkeypatch, count, size):
    """R = I for K = I - E: ``||I - K R||`` in the norm of column sums, where rows would do for K."""
    spread, matrix = fanned(count, size)
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: np.eye(len(matrix)))
    found = Inverse(matrix).solve([arb(1)] * len(matrix), True, enough=1.0)
    ones = np.ones(len(matrix))
    exact = ones + ones @ spread + ones @ spread @ spread  # E^3 = 0, and no digit is rounded
    assert contain(found, map(rational, exact))


def test_norms_of_columns_take_the_contraction_of_column_sums(monkeypatch):
    spread, matrix = fanned(4, 0.375)
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: np.eye(len(matrix)))
    (bound,) = largest_column_sums(Inverse(matrix), np.eye(len(matrix))[:, :1])
    first = np.eye(len(matrix))[0]
    assert bound >= np.sum(first + spread @ first + spread @ spread @ first) == 1.515625


def test_norms_of_columns_are_those_of_a_rough_inverse_and_its_largest_column(monkeypatch):
    """K = (I - E) R^-1, E = 3/8 e_0 e_0^T: ``K^-1 e_0 = 8/5 R e_0``, to which the bound comes."""
    size = 8
    inverse, back = np.eye(size), np.eye(size)
    inverse[1:, 0], back[1:, 0] = 1.0, -1.0
    matrix = back.copy()
    matrix[0, 0] = 0.625
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: inverse)
    (bound,) = largest_column_sums(Inverse(matrix), np.eye(size)[:, :1])
    assert 8 * 1.6 <= bound < 8 * 1.6001


def test_a_residual_of_0_is_one_to_rounding(monkeypatch):
    """R misses K^-1 e_0 by 2^-25 of it, of which a residual in doubles shows nothing."""
    matrix = np.outer([1 / 3, 1 / 7], [1 / 5, 1 / 11])
    matrix[1, 1] *= 1.0 + 2.0**-34
    exact = rationals(matrix).inv().tolist()
    inverse = np.array([[float(arb(v)) for v in row] for row in exact]) * (1.0 - 2.0**-25)
    (first, second), (third, fourth) = matrix * inverse[:, 0]
    assert (first + second, third + fourth) == (1.0, 0.0)
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: inverse)
    (bound,) = largest_column_sums(Inverse(OneByOne.of(matrix)), np.eye(2)[:, :1])
    assert rational(bound) >= abs(exact[0][0]) + abs(exact[1][0])


def test_slices_of_many_entries_add_up_without_rounding():
    """All parts of all entries as large as they can be, and of one sign."""
    count = 2**17
    rng = np.random.default_rng(0)
    bits = 18  # of a slice if only one product of slices were added
    entry = (2.0**bits - 1) * 2.0**-bits + (2.0 ** (bits - 1) - 1) * 2.0 ** (-2 * bits)
    low = rng.integers(2**15, 2**16, (2, count)) * 2.0**-53
    matrix, vector = entry + low - rng.integers(0, 2, (2, count)) * 2.0 ** (-2 * bits)
    found = Exact(matrix[None]).times(vector)
    assert contain(found, exact_product(matrix[None], vector))


def test_slices_are_as_short_as_the_longer_side_asks():
    rng = np.random.default_rng(0)
    matrix, vector = 0.5 + rng.random((2, 5000)) / 2, 0.5 + rng.random(5000) / 2
    assert contain(Exact(matrix).times(vector), exact_product(matrix, vector))
    found = Exact(matrix.T).times(vector, transposed=True)
    assert contain(found, exact_product(matrix, vector))


@pytest.mark.parametrize("part", ["matrix", "vector", "both"])
def test_what_is_beyond_the_slices_is_in_the_radius(part):
    """An entry that is 2^-100 of the largest, and has no slice."""
    matrix, vector = np.ones((2, 4096)), np.ones(4096)
    if part != "vector":
        matrix[0, 7] = 2.0**-100 * (1 + 2.0**-52)
    if part != "matrix":
        vector[9] = 2.0**-100 * (1 + 2.0**-52)
    assert contain(Exact(matrix).times(vector), exact_product(matrix, vector))


# The inverse of phi


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("target", [10.0, 1e3])
def test_a_root_outside_the_domain_of_phi_is_no_slack(depth, target):
    """For a whole power ``s^-p - (2 - s)^-p`` has roots s > 2, or s < 0, to which starts lead."""
    potential = BallPotential(depth)
    right = potential.phi(1 - potential._slack(arb(target), potential.power, 0.0))
    assert right.overlaps(arb(target))
    refused = 0
    for start in np.linspace(0.01, 0.99, 50):
        try:
            slack = potential._slack(arb(target), potential.power, start)
        except ArithmeticError:
            refused += 1
            continue
        assert 0 < slack < 1
    assert refused


# Null space constants


def test_the_largest_product_may_be_one_whose_radius_is_large():
    """Of 1 and 0.9 +- 0.5 the second may be the larger."""
    products = _Products(np.eye(2), [arb(1), arb(0.9, 0.5)])
    assert products.largest().contains(arb(1.375))
    assert not products.all_below(arb(1.25), np.arange(2))


def test_the_largest_product_may_be_one_of_which_rounding_left_nothing():
    """Halves of the last unit of 2^30 are lost one by one, and 2^30 is subtracted."""
    count, small = 64, 2.0**-23
    nu = np.array([2.0**30, *[small] * (count - 2), -(2.0**30)])
    columns = OneByOne.of(np.column_stack([32.0 * np.eye(count)[1], np.ones(count)]))
    products = _Products(columns, [ball(value) for value in nu])
    assert np.array_equal(products.approximate, [32 * small, 0.0])
    assert products.largest() == arb(62 * small)
    assert not products.all_below(arb(33 * small), np.arange(2))


def test_a_constant_that_two_columns_attain_has_no_vertex():
    """|S| = N, M = (1/2, 1/2): each of them would make half of the first order."""
    frame = coordinates(np.array([[1.0, 0.5, 0.5]]), [0])
    found = pattern_constant(frame, np.ones(1), np.ones(1))
    assert found.active is None
    assert found.value.contains(arb(0.5))


def rough_inverse(monkeypatch, factor=0.75):
    """Let R be a multiple of K^-1: as far from it as the proofs allow, and no rounding."""
    invert = np.linalg.inv
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: factor * invert(matrix))


@pytest.mark.parametrize("guess", [0.0, 0.5, 2.0])
def test_heights_allow_for_a_dual_vector_that_is_not_feasible(monkeypatch, guess):
    """A = [1, 1/2]: the constant is 1/2, R = 3/4 and nu a guess of 1."""
    rough_inverse(monkeypatch)
    frame = coordinates(np.array([[1.0, 0.5]]), [0])
    assert frame.inverse.approximate == 0.75
    (height,) = _heights(frame, np.ones((1, 1)), np.array([[guess]]))
    assert height >= 0.5


def test_heights_allow_for_rounding_of_what_is_off_the_support():
    """``A_Sc^T nu`` is 2^-14, and so is the constant, but 0 as the products are added here."""
    small = 2.0**-14
    matrix = np.array([[1.0, small, small], [0.0, 1.0, -1.0], [0.0, 1.0, -1.0]])
    dual = np.array([[1.0, 2.0**40, -(2.0**40)]])
    assert not np.any(_one_by_one(dual, matrix[:, 1:]))
    frame = coordinates(OneByOne.of(matrix), [0])
    (height,) = _heights(frame, np.ones((1, 1)), dual)
    assert height >= small


def test_heights_allow_for_rounding_on_the_support():
    """nu falls short of the right one by 2^-16 of it, of which A_S^T nu in doubles shows nothing."""
    near = np.array([[1 / 3, 1 / 3], [1 / 7, 1 / 7]])
    near[1, 1] *= 1.0 + 2.0**-38
    matrix = np.column_stack([near, near[:, 0] - near[:, 1]])
    pattern = np.array([1.0, -1.0])
    exact = rationals(near).transpose().solve(rationals(pattern[:, None])).entries()
    dual = np.array([float(arb(value)) for value in exact]) * (1.0 - 2.0**-16)
    assert np.array_equal(_one_by_one(dual, near), pattern)
    frame = coordinates(OneByOne.of(matrix), [0, 1])
    (height,) = _heights(frame, pattern[None], dual[None])
    assert height >= 2.0  # <pattern, (1, -1)>, M being (1, -1)


# The minimizer


LONG = np.array([[1.0, 2.0**-100], [0.0, 1.0], [1.0, 0.0]])  # products of 153 bits


def test_data_that_are_a_combination_to_the_working_precision_only_are_refused():
    """y_0 is off by 2^-140, where A_S g has been rounded to 128 bits."""
    point = np.array([1.0 + 2.0**-52, 1.0 + 2.0**-52, 0.0, 0.0])
    matrix = np.column_stack([LONG, [[0.5], [0.25], [0.125]], [[0.25], [0.5], [0.5]]])
    data = exact_product(matrix, point)
    data[0] += fmpq(1, 2**140)
    with pytest.raises(NotProved, match="not a combination"):
        prove_minimizer(matrix, data, point, np.zeros(3))


def test_a_minimizer_that_is_one_of_doubles_to_the_working_precision_only_is_enclosed():
    point = np.array([1.0 + 2.0**-52, 1.0 + 2.0**-52, 0.0])
    matrix = np.column_stack([LONG[:2], [0.25, 0.25]])
    data = exact_product(matrix, point)
    data[0] += fmpq(1, 2**140)
    found = prove_minimizer(matrix, data, point, np.zeros(2))
    right = [rational(point[0]) + fmpq(1, 2**140), rational(point[1])]
    assert contain(found.values, right)


def test_a_minimizer_is_that_of_its_own_matrix():
    matrix = np.array([[1.0, 0.5]])
    minimizer = prove_minimizer(matrix, np.ones(1), np.array([1.0, 0.0]), np.ones(1))
    with pytest.raises(ValueError, match="of another matrix"):
        LimitProof(np.array([[1.0, 0.25]]), minimizer, 3)


@pytest.mark.parametrize("width", [1e-20, 1e-10, 0.5])
def test_an_accepted_radius_is_what_it_is(width):
    entries = [arb(-3), arb(1, 4.0 * width)]
    exact = 4.0 * width / (4.0 - 4.0 * width)  # the norm is 4 +- 4 width
    assert _narrow(entries, 1.001 * exact) is entries
    with pytest.raises(NotProved, match="too wide"):
        _narrow(entries, 0.999 * exact)
