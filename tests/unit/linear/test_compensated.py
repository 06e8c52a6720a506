"""Arithmetic in twice the working precision against rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from implicit_l1.linear.compensated import refine, residual, two_product, two_sum
from reference import fractions, rationals, to_fraction

# Where products and their errors neither overflow nor underflow.
NUMBERS = st.floats(1e-100, 1e100) | st.floats(-1e100, -1e-100) | st.just(0.0)


@given(NUMBERS, NUMBERS)
def test_two_product_is_exact(a, b):
    product, error = two_product(a, b)
    assert product == a * b
    assert Fraction(product) + Fraction(error) == Fraction(a) * Fraction(b)


@given(NUMBERS, NUMBERS)
def test_two_sum_is_exact(a, b):
    total, error = two_sum(a, b)
    assert total == a + b
    assert Fraction(total) + Fraction(error) == Fraction(a) + Fraction(b)


def cancelling(rng, rows, columns, digits):
    """(matrix, x, y) whose residual is smaller than its terms by so many digits."""
    matrix = rng.standard_normal((rows, columns))
    x = rng.standard_normal(columns) * 10.0 ** rng.uniform(-3, 3, columns)
    y = matrix @ x
    return matrix, x, y * (1.0 + 10.0**-digits * rng.uniform(-1, 1, rows))


@pytest.mark.parametrize("digits", [2, 8, 15, 17])
def test_residual_of_cancelling_terms(digits):
    rng = np.random.default_rng(digits)
    matrix, x, y = cancelling(rng, 8, 40, digits)
    x_low = x * 1e-17 * rng.standard_normal(40)
    for low in [None, x_low]:
        exact = fractions(y) - fractions(matrix) @ (
            fractions(x) + (0 if low is None else fractions(low))
        )
        got = residual(matrix, x, y, low)
        terms = np.abs(matrix) @ np.abs(x) + np.abs(y)
        for value, true, size in zip(got, exact, terms, strict=True):
            # one rounding of the result and the rest in twice the precision
            bound = 1.2e-16 * abs(float(true)) + 1e-30 * size
            assert abs(Fraction(float(value)) - true) <= bound


def test_residual_leaves_its_arguments_alone():
    matrix, x, y = cancelling(np.random.default_rng(0), 3, 5, 8)
    copies = matrix.copy(), x.copy(), y.copy()
    residual(matrix, x, y, x.copy())
    assert all(np.array_equal(a, b) for a, b in zip((matrix, x, y), copies, strict=True))


def test_residual_of_an_empty_product_is_the_data():
    y = np.array([1.0, -2.0])
    assert np.array_equal(residual(np.zeros((2, 0)), np.zeros(0), y), y)


@pytest.mark.parametrize("condition", [1.0, 1e4, 1e8])
@pytest.mark.parametrize("square", [True, False])
def test_refine_reaches_twice_the_precision(condition, square):
    rng = np.random.default_rng(3)
    size = 12
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in range(2))
    matrix = left @ np.diag(np.geomspace(1.0, 1.0 / condition, size)) @ right
    y = rng.standard_normal(size)
    if not square:  # overdetermined and consistent, exactly: every equation twice
        matrix, y = np.vstack([matrix, -matrix]), np.concatenate([y, -y])
    x, x_low = refine(lambda v: np.linalg.lstsq(matrix, v, rcond=None)[0], matrix, y)
    exact = rationals(matrix[:size]).solve(rationals(y[:size, None])).entries()
    gaps = [
        abs(Fraction(float(high)) + Fraction(float(low)) - to_fraction(true))
        for high, low, true in zip(x, x_low, exact, strict=True)
    ]
    size_of_x = max(abs(to_fraction(true)) for true in exact)
    assert float(max(gaps) / size_of_x) < 1e-30 * max(1.0, condition / 10)
    # unevaluated sums: the high part is the rounded value
    assert np.array_equal(x + x_low, x)
