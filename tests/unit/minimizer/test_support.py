"""Coordinates of a support and dual certificates."""

import numpy as np
import pytest
from flint import fmpq
from hypothesis import assume, given
from hypothesis import strategies as st

from implicit_l1.minimizer.support import certificate, support_geometry
from reference import fractions, rationals, to_fraction

EPSILON = np.finfo(float).eps


def drawn(seed, rows=6, columns=15, size=3):
    """(matrix, support, signs, generator)."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns))
    support = rng.choice(columns, size, replace=False)  # in no order
    return matrix, support, rng.choice([-1.0, 1.0], size), rng


SEEDS = st.integers(0, 10**6)
SIZES = st.integers(0, 6)


@given(SEEDS, SIZES)
def test_every_dual_vector_has_these_coordinates(seed, size):
    """A^T lam for lam = scale nu_0 + Q1 R^{-T} zeta + Q2 b."""
    matrix, support, sigma, rng = drawn(seed, size=size)
    geometry = support_geometry(matrix, support)
    assume(size == 0 or np.linalg.cond(matrix[:, support]) < 1e3)
    nu = geometry.least_norm_dual(sigma) if size else np.zeros(6)
    scale, zeta, b = rng.standard_normal(), rng.standard_normal(size), rng.standard_normal(6 - size)
    lam = scale * nu + geometry.q2 @ b
    if size:
        lam = lam + geometry.least_norm_dual(zeta)
    on, off = matrix[:, geometry.support], matrix[:, geometry.complement]
    assert np.allclose(on.T @ lam, scale * sigma + zeta, atol=1e-10)
    expected = scale * (off.T @ nu) + geometry.range_map.T @ zeta + geometry.free_map.T @ b
    assert np.allclose(off.T @ lam, expected, atol=1e-10)


@given(SEEDS, SIZES)
def test_kernel_in_these_coordinates(seed, size):
    """n lies in ker A exactly when n_S = -M n_Sc and C n_Sc = 0."""
    matrix, support, _, rng = drawn(seed, size=size)
    geometry = support_geometry(matrix, support)
    assume(size == 0 or np.linalg.cond(matrix[:, support]) < 1e3)
    basis = np.linalg.svd(matrix)[2][6:].T
    n = basis @ rng.standard_normal(basis.shape[1])
    on, off = n[geometry.support], n[geometry.complement]
    assert np.allclose(on, -geometry.range_map @ off, atol=1e-10)
    assert np.allclose(geometry.free_map @ off, 0.0, atol=1e-10)
    # and back: the solutions of the two equations are in the kernel, all of them
    free = np.linalg.svd(geometry.free_map)[2][6 - size :].T if size < 6 else np.eye(15 - size)
    back = np.zeros((15, free.shape[1]))
    back[geometry.complement] = free
    back[geometry.support] = -geometry.range_map @ free
    assert free.shape[1] == 9
    assert np.allclose(matrix @ back, 0.0, atol=1e-10)


@given(SEEDS, st.integers(1, 6))
def test_factors_and_solves(seed, size):
    matrix, support, _, rng = drawn(seed, size=size)
    geometry = support_geometry(matrix, support)
    assume(np.linalg.cond(matrix[:, support]) < 1e3)
    q = np.hstack([geometry.q1, geometry.q2])
    assert np.allclose(q.T @ q, np.eye(6), atol=1e-13)
    assert np.allclose(geometry.q1 @ geometry.r, matrix[:, support], atol=1e-13)
    values, data = rng.standard_normal(size), rng.standard_normal(6)
    on = matrix[:, support]
    assert np.allclose(geometry.least_norm_dual(values), np.linalg.pinv(on.T) @ values, atol=1e-9)
    assert np.allclose(geometry.least_squares(data), np.linalg.pinv(on) @ data, atol=1e-9)


def test_support_keeps_its_order_and_complement_is_sorted():
    matrix, *_ = drawn(0)
    geometry = support_geometry(matrix, [7, 2, 11])
    assert geometry.support.tolist() == [7, 2, 11]
    assert geometry.complement.tolist() == [i for i in range(15) if i not in (2, 7, 11)]


def test_empty_support():
    matrix, *_ = drawn(1)
    geometry = support_geometry(matrix, [])
    assert geometry.range_map.shape == (0, 15)
    assert np.array_equal(geometry.free_map, matrix)
    assert np.array_equal(geometry.q2, np.eye(6))


def test_dependent_columns_are_refused():
    matrix, *_ = drawn(2)
    matrix = np.round(matrix * 2.0**20) / 2.0**20  # so that the combination is exact
    matrix[:, 5] = 2.0 * matrix[:, 1] - matrix[:, 3]
    with pytest.raises(ValueError, match="linearly dependent"):
        support_geometry(matrix, [1, 3, 5])
    support_geometry(matrix, [1, 5])


def test_zero_column_is_refused():
    matrix, *_ = drawn(2)
    matrix[:, 4] = 0.0
    with pytest.raises(ValueError, match="linearly dependent"):
        support_geometry(matrix, [4])


def test_more_columns_than_rows_are_refused():
    matrix, *_ = drawn(3)
    with pytest.raises(ValueError, match="7 columns in 6 dimensions"):
        support_geometry(matrix, np.arange(7))


def exact_margins(matrix, support, sigma, nu):
    """1 - |A^T nu'| off the support, nu' the nearest vector to nu with A_S^T nu' = sigma."""
    exact, on = rationals(matrix), rationals(matrix[:, support])
    start = rationals(nu[:, None])
    gap = rationals(np.array(sigma)[:, None]) - on.transpose() * start
    feasible = start + on * (on.transpose() * on).solve(gap)
    values = [abs(to_fraction(v)) for v in (exact.transpose() * feasible).entries()]
    complement = np.setdiff1d(np.arange(matrix.shape[1]), support)
    return np.array([float(1 - values[j]) for j in complement]), complement


def near_the_edge(matrix, support, nu, column, margin):
    """Scale a column so that |A_j^T nu| is 1 - margin up to rounding."""
    matrix = matrix.copy()
    matrix[:, column] *= (1.0 - margin) / abs(matrix[:, column] @ nu)
    return matrix


@pytest.mark.parametrize("size", [3, 6], ids=["|S| < N", "|S| = N"])
@pytest.mark.parametrize("margin", [0.3, 1e-6, 1e-12, -1e-9])
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_margins_keep_their_digits(size, margin, side):
    matrix, support, sigma, _ = drawn(11, size=size)
    geometry = support_geometry(matrix, support)
    nu = side * geometry.least_norm_dual(sigma)
    sigma = side * sigma
    column = geometry.complement[4]
    matrix = near_the_edge(matrix, support, nu, column, margin)
    geometry = support_geometry(matrix, support)
    dual = certificate(matrix, geometry, sigma, nu)
    exact, complement = exact_margins(matrix, support, sigma, nu)
    got = dual.margin[complement]
    assert np.all(np.abs(got - exact) <= 1e-15 * np.abs(exact))
    assert abs(dual.margin[column] - margin) < 1e-13
    assert np.array_equal(dual.margin[support], np.zeros(size))
    assert np.array_equal(dual.direction[support], sigma)
    direct = matrix[:, complement].T @ nu
    assert np.allclose(dual.direction[complement], direct, atol=1e-12)
    # each has digits of its own, so that they add up to 1 but for rounding
    size_of = np.abs(dual.direction[complement])
    assert np.all(np.abs(size_of + got - 1.0) <= 4 * EPSILON * (1.0 + size_of))


@pytest.mark.parametrize("size", [3, 6])
def test_certificate_makes_a_vector_feasible(size):
    """nu is the feasible vector, rounded, from a start feasible to a few digits."""
    matrix, support, sigma, rng = drawn(5, size=size)
    geometry = support_geometry(matrix, support)
    start = geometry.least_norm_dual(sigma) + 1e-6 * rng.standard_normal(6)
    dual = certificate(matrix, geometry, sigma, start)
    gaps = fractions(matrix[:, support]).T @ fractions(dual.nu) - fractions(sigma)
    # nu itself is one double: half a unit in its last place is all that is left
    bound = 2.0**-53 * np.abs(matrix[:, support]).T @ np.abs(dual.nu)
    assert all(abs(float(gap)) <= limit for gap, limit in zip(gaps, bound, strict=True))


@pytest.mark.parametrize("size", [3, 6])
def test_a_tilt_is_added_to_what_a_dual_vector_reaches(size):
    """A_S^T nu + tilt_S = sigma, and off S direction and margin are of A_j^T nu + tilt_j."""
    matrix, support, sigma, rng = drawn(5, size=size)
    geometry = support_geometry(matrix, support)
    tilt = rng.uniform(-0.5, 0.5, 15)
    start = geometry.least_norm_dual(sigma - tilt[support]) + 1e-6 * rng.standard_normal(6)
    dual = certificate(matrix, geometry, sigma, start, tilt)
    reached = fractions(matrix).T @ fractions(dual.nu) + fractions(tilt)
    reached = np.array([float(value) for value in reached])
    off = geometry.complement
    assert np.allclose(reached[support], sigma, rtol=0.0, atol=1e-14)
    assert np.allclose(dual.direction[off], reached[off], rtol=0.0, atol=1e-13)
    assert np.allclose(dual.margin[off], 1.0 - np.abs(reached[off]), rtol=0.0, atol=1e-13)


def test_margins_from_a_rough_start():
    """Where the feasible vector is unique its margins are found from a few digits."""
    matrix, support, sigma, rng = drawn(6, size=6)
    geometry = support_geometry(matrix, support)
    start = geometry.least_norm_dual(sigma) + 1e-6 * rng.standard_normal(6)
    dual = certificate(matrix, geometry, sigma, start)
    nu = rationals(matrix[:, support]).transpose().solve(rationals(sigma[:, None]))
    values = (rationals(matrix).transpose() * nu).entries()
    exact = np.array([float(to_fraction(fmpq(1) - abs(v))) for v in values])
    off = geometry.complement
    assert np.all(np.abs(dual.margin[off] - exact[off]) <= 1e-15 * np.abs(exact[off]))
