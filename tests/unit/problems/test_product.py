"""Data that are a product in floating point are told from data that are not."""

from fractions import Fraction

import numpy as np
import pytest

from implicit_l1.linear.exact import exact_product
from implicit_l1.problems.problem import Problem, exact_data
from implicit_l1.problems.product import (
    _explaining,
    explanation,
    first_beyond_rounding,
    nearest_doubles,
)
from pipeline.records.problems import Problems

DOUBLE, SINGLE = 2.0**-53, 2.0**-24


def as_fractions(numbers):
    return [Fraction(int(number.p), int(number.q)) for number in numbers]


def by_fractions(matrix, x):
    return [
        sum(Fraction(a) * Fraction(b) for a, b in zip(row, x.tolist(), strict=True))
        for row in matrix.tolist()
    ]


def matrix_of(kind, rng, rows, columns):
    """Matrices of several kinds, not only kind ones."""
    if kind == "gaussian":
        return rng.standard_normal((rows, columns))
    if kind == "binary":
        return rng.integers(0, 2, (rows, columns)) + np.eye(rows, columns)
    if kind == "equal signs":
        return rng.random((rows, columns)) + 1.0
    if kind == "scaled":
        scales = np.ldexp(1.0, rng.integers(-30, 30, rows))
        return rng.standard_normal((rows, columns)) * scales[:, None]
    times, centres = np.linspace(0, 1, rows)[:, None], np.sort(rng.random(columns))[None]
    return np.exp(-0.5 * ((times - centres) * rows) ** 2)


KINDS = ["gaussian", "binary", "equal signs", "scaled", "kernel"]
SIZES = [(1, 3, 1), (6, 12, 2), (20, 60, 4)]


def drawn(kind, size, seed):
    rng = np.random.default_rng(seed)
    rows, columns, count = size
    matrix = matrix_of(kind, rng, rows, columns)
    x = np.zeros(columns)
    x[rng.choice(columns, count, replace=False)] = rng.standard_normal(count)
    return matrix, x, rng


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_exact_products(kind, size):
    matrix, x, _ = drawn(kind, size, 1)
    found = exact_product(matrix, x)
    assert as_fractions(found) == by_fractions(matrix, x)
    assert nearest_doubles(found).tolist() == [float(v) for v in by_fractions(matrix, x)]
    assert as_fractions(exact_product(matrix, 0.0 * x)) == [0] * len(matrix)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("seed", range(4))
def test_a_product_in_any_order_and_precision_is_one(kind, size, seed):
    matrix, x, rng = drawn(kind, size, seed)
    order = rng.permutation(x.size)
    one_by_one = np.zeros(len(matrix))
    for place in order:
        one_by_one = one_by_one + matrix[:, place] * x[place]
    for data in (matrix @ x, matrix[:, order] @ x[order], (matrix * x).sum(axis=1), one_by_one):
        assert first_beyond_rounding(matrix, x, data, DOUBLE) is None
    matrix, x = matrix.astype(np.float32), x.astype(np.float32)
    data, matrix, x = (v.astype(float) for v in (matrix @ x, matrix, x))
    assert first_beyond_rounding(matrix, x, data, SINGLE) is None
    # computed in double precision, then held in single
    data = (matrix @ x).astype(np.float32).astype(float)
    assert first_beyond_rounding(matrix, x, data, SINGLE) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_what_rounding_cannot_do_is_noise(kind, seed):
    """One entry that is off by twice what k roundings can do."""
    matrix, x, rng = drawn(kind, (20, 60, 4), seed)
    data = matrix @ x
    row = int(rng.integers(20))
    size = np.abs(matrix[row]) @ np.abs(x)
    data[row] += 2.2 * 4 * DOUBLE * size + 1e-30
    found = first_beyond_rounding(matrix, x, data, DOUBLE)
    assert found is not None and found[0] == row and found[1] > found[2]


def test_underflow_is_allowed_for_where_there_is_some():
    x = np.array([0.75, 0.0])
    matrix = np.array([[3.0, 1.0]])
    tiny = np.ldexp(matrix, -1074)
    data = tiny @ x  # 2.25 units of the smallest double, which is 2
    assert data[0] == 2 * 5e-324
    assert first_beyond_rounding(tiny, x, data, DOUBLE) is None
    assert first_beyond_rounding(matrix, x, np.ldexp(data, 1074), DOUBLE, -1074) is None
    assert first_beyond_rounding(matrix, x, np.ldexp(data, 1074), DOUBLE) is not None
    # products that are multiples of the smallest double are exact
    whole = np.array([1.0, 1.0])
    assert first_beyond_rounding(tiny, whole, tiny @ whole, DOUBLE) is None
    assert first_beyond_rounding(tiny, whole, tiny @ whole + 5e-324, DOUBLE) is not None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(6))
def test_a_few_entries_that_explain_are_found(kind, seed):
    """Whatever the l1 minimizer of the stored data is, what is found explains them."""
    matrix, x, _ = drawn(kind, (20, 60, 2), seed)
    data = matrix @ x
    found = explanation(matrix, data, 10)
    if kind == "gaussian":
        assert found is not None
    if found is None:
        return
    assert found.size <= 10
    gap = np.abs(data - matrix @ found.preimage)
    assert np.all(gap <= 1e-14 * (np.abs(matrix) @ np.abs(found.preimage)))
    if kind == "gaussian":
        assert np.array_equal(np.flatnonzero(found.preimage), np.flatnonzero(x))
        assert not found.exact


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", [1e-11, 1e-6, 0.1])
def test_noise_is_not_explained(kind, level):
    for seed in range(4):
        matrix, x, rng = drawn(kind, (20, 60, 2), seed)
        data = matrix @ x
        data += level * np.linalg.norm(data) * rng.standard_normal(20)
        assert explanation(matrix, data, 10) is None


def test_whole_numbers_need_no_rounding():
    """A sparse solution of the stored numbers themselves, one with thirds too, is no rounding."""
    rng = np.random.default_rng(0)
    matrix = rng.integers(-5, 6, (12, 40)).astype(float)
    for x in ([2.0, -3.0], [1.0 / 3.0, 2.0 / 3.0]):
        point = np.zeros(40)
        point[[3, 8]] = x
        data = np.rint(3.0 * (matrix @ point)) / (1.0 if x[0] < 1 else 3.0)
        found = explanation(matrix, data, 6)
        assert found.exact and np.array_equal(np.flatnonzero(found.preimage), [3, 8])


@pytest.mark.parametrize("seed", range(5))
def test_scale_changes_no_explanation(seed):
    matrix, x, rng = drawn("gaussian", (12, 30, 2), seed)
    data = matrix @ x
    expected = explanation(matrix, data, 6)
    rows = rng.integers(-200, 200, 12)
    found = explanation(np.ldexp(matrix, rows[:, None]), np.ldexp(data, rows), 6)
    assert found.preimage.tobytes() == expected.preimage.tobytes()


def test_exact_data_and_arrays():
    matrix, x, _ = drawn("gaussian", (6, 12, 2), 0)
    data = nearest_doubles(exact_product(matrix, x))
    product = Problem(matrix, np.full(12, np.nan), data, x, 2)
    word = Problem(matrix, x, data)
    assert product.product and not word.product
    assert as_fractions(exact_data(product)) == by_fractions(matrix, x)
    assert as_fractions(exact_data(word)) == [Fraction(value) for value in data.tolist()]
    assert as_fractions(exact_data(product)) != as_fractions(exact_data(word))
    block = Problems.of([0, 1], [product, word])
    assert block.product.tolist() == [True, False]
    for place, problem in enumerate((product, word)):
        again = block.at(place)
        assert exact_data(again) == exact_data(problem)
        assert again.noiseless_support == problem.noiseless_support


def test_an_explanation_has_at_most_twice_the_norm():
    """What cancels explains anything to its rounding, as its terms grow."""
    matrix, support = np.array([[1.0, 1.0, 0.0], [1.0, 0.75, 1.0]]), np.array([0, 1])
    for values, norm, explained in (([1.5, -0.5], 1.0, True), ([1.75, -0.75], 1.0, False)):
        point = np.array([norm, 0.0, 0.0])
        x = _explaining(matrix, matrix[:, support] @ values, point, support, 2.0**-53)
        assert (x is not None) == explained
