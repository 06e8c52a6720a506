"""The sparsity of 50 % success, against a grid of likelihoods and closed forms."""

import numpy as np
import pytest

from implicit_l1.minimizer.transition import half_point


def by_grid(sparsity, successes, trials, allowed):
    """The most likely c and the ends of its interval, from likelihoods on a grid of (c, b)."""
    c = np.linspace(0.0, 1.0, 1001)[:, None, None]
    steepest = 10.0 / np.diff(sparsity).min()
    b = np.exp(np.linspace(-4.0, np.log(steepest), 200))[None, :, None]
    t = b * (sparsity - c)
    costs = successes * np.log1p(np.exp(t)) + (trials - successes) * np.log1p(np.exp(-t))
    profile = costs.sum(axis=2).min(axis=1)
    inside = c[:, 0, 0][profile <= profile.min() + allowed]
    return c[profile.argmin(), 0, 0], inside.min(), inside.max()


@pytest.mark.parametrize(
    ("successes", "trials"),
    [
        ([20, 19, 14, 9, 3, 0, 0], [20] * 7),
        ([20, 20, 1, 0, 0, 0, 0], [20] * 7),
        ([4, 3, 3, 2, 3, 1, 1], [4] * 7),
        ([9, 20, 9, 8, 1, 0, 0], [10, 20, 10, 20, 10, 10, 10]),
    ],
)
def test_fit_against_a_grid(successes, trials):
    sparsity = np.array([0.1, 0.15, 0.3, 0.35, 0.5, 0.6, 0.9])
    successes, trials = np.array(successes), np.array(trials)
    found = half_point(sparsity, successes, trials)
    # chi^2 of one degree of freedom at 95 % is 1.959964^2
    expected = by_grid(sparsity, successes, trials, 1.959964**2 / 2.0)
    assert (found.value, found.lower, found.upper) == pytest.approx(expected, abs=3e-3)
    assert found.lower < found.value < found.upper


def test_symmetric_counts_have_their_middle():
    sparsity = np.array([0.3, 0.4, 0.5, 0.6])
    found = half_point(sparsity, np.array([9, 6, 4, 1]), np.full(4, 10))
    assert found.value == pytest.approx(0.45, abs=1e-5)
    assert found.lower + found.upper == pytest.approx(0.9, abs=1e-4)


def test_where_success_ends_between_two_sparsities():
    sparsity = np.array([0.2, 0.4, 0.6, 0.8])
    found = half_point(sparsity, np.array([5, 5, 0, 0]), np.full(4, 5))
    assert found.value == pytest.approx(0.5)
    assert found.lower + found.upper == pytest.approx(1.0, abs=1e-4)
    assert 0.3 < found.lower < 0.45


@pytest.mark.parametrize(
    ("sparsity", "successes", "middle"),
    [
        ((0.1, 0.101, 0.9, 0.95), (5, 5, 0, 0), 0.5005),
        ((0.001, 0.002, 0.3, 0.6), (5, 5, 5, 0), 0.45),
        ((0.02, 0.021, 0.4, 0.7, 0.98), (5, 5, 5, 0, 0), 0.55),
    ],
)
def test_the_middle_of_a_gap_far_wider_than_the_narrowest(sparsity, successes, middle):
    """Likelihoods are 1 there but for rounding."""
    found = half_point(np.array(sparsity), np.array(successes), np.full(len(sparsity), 5))
    assert found.value == pytest.approx(middle, abs=1e-4)


def test_a_sparsity_that_is_repeated_is_one():
    one, two = (
        half_point(*map(np.array, columns))
        for columns in (
            ((0.3, 0.5, 0.7), (10, 3, 0), (10, 10, 10)),
            ((0.5, 0.3, 0.5, 0.7), (1, 10, 2, 0), (4, 10, 6, 10)),
        )
    )
    assert two.value == pytest.approx(one.value, abs=1e-5)
    alone = half_point(np.array([0.3, 0.3]), np.array([2, 1]), np.array([2, 2]))
    assert np.isnan(alone.value) and (alone.lower, alone.upper) == (0.0, 1.0)


def test_nothing_is_found_where_nothing_changes():
    sparsity = np.array([0.2, 0.4, 0.6])
    every = half_point(sparsity, np.full(3, 9), np.full(3, 9))
    assert np.isnan(every.value) and 0.5 < every.lower < 0.8 and every.upper == 1.0
    none = half_point(sparsity, np.zeros(3, dtype=int), np.full(3, 9))
    assert np.isnan(none.value) and none.lower == 0.0 and 0.0 < none.upper < 0.3
    growing = half_point(sparsity, np.array([2, 5, 8]), np.full(3, 9))
    assert np.isnan(growing.value)
    assert (growing.lower, growing.upper) == (0.0, 1.0)
    nothing = half_point(sparsity, np.zeros(3, dtype=int), np.zeros(3, dtype=int))
    assert np.isnan(nothing.value) and (nothing.lower, nothing.upper) == (0.0, 1.0)


def test_the_interval_covers():
    """Of 20 samples of a known transition at 0.4, nearly all intervals hold it."""
    rng = np.random.default_rng(5)
    sparsity = np.linspace(0.05, 0.95, 19)
    chance = 1.0 / (1.0 + np.exp(30.0 * (sparsity - 0.4)))
    found = [half_point(sparsity, rng.binomial(10, chance), np.full(19, 10)) for _ in range(20)]
    assert sum(one.lower <= 0.4 <= one.upper for one in found) >= 17
    assert np.mean([one.upper - one.lower for one in found]) < 0.12
