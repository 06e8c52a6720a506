"""The sparsity of 50 % success, against a grid of likelihoods, closed forms and more digits."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest

from implicit_l1.minimizer.enclosed_transition import enclose_half_point, enclose_weak_threshold
from implicit_l1.minimizer.transition import half_point
from implicit_l1.proof.frame import NotProved


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
    # next to the middle, by what is left of the nearest failures and successes
    assert found.value == pytest.approx(middle, abs=1e-4)


def test_one_sparsity_at_which_some_are_recovered():
    """The likeliest curve is the steepest one; less steep ones are as likely but for rounding."""
    sparsity = np.array([0.07, 0.1, 0.48, 0.76])
    data = sparsity, np.array([3, 5, 3, 2]), np.array([3, 5, 3, 5])
    found = half_point(*data)
    # 10 / 0.03 times its distance from 0.76 is log(3 / 2)
    assert found.value == pytest.approx(0.76 - np.log(1.5) * 0.03 / 10.0, abs=1e-12)
    assert holds(enclose_half_point(found, *data), found)


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


# --- enclosures ---


def holds(balls, found, radius=1e-8):
    """Whether balls are as near to what doubles have found as is claimed."""
    numbers = (found.value, found.lower, found.upper)
    return all(
        (ball is None and np.isnan(number)) or abs(float(ball.mid()) - number) < radius
        for ball, number in zip(balls, numbers, strict=True)
    )


def in_many_digits(sparsity, successes, trials, found):
    """The same by Newton's method in 40 digits, of counts whose likeliest b is no end."""
    x, k, n = ([mpmath.mpf(float(v)) for v in column] for column in (sparsity, successes, trials))

    def misfit(b, c):
        return sum(
            p * mpmath.log(1 + mpmath.exp(b * (at - c)))
            + (m - p) * mpmath.log(1 + mpmath.exp(b * (c - at)))
            for at, p, m in zip(x, k, n, strict=True)
        )

    def of_slope(b, c):
        return mpmath.diff(lambda value: misfit(value, c), b)

    def start(c):
        slopes = np.linspace(1.0, 200.0, 400)
        return slopes[np.argmin([float(misfit(mpmath.mpf(b), mpmath.mpf(c))) for b in slopes])]

    def of_sparsity(b, c):
        return mpmath.diff(lambda value: misfit(b, value), c)

    b, c = mpmath.findroot(
        lambda b, c: (of_slope(b, c), of_sparsity(b, c)), (start(found.value), found.value)
    )
    allowed = misfit(b, c) + mpmath.erfinv(mpmath.mpf(0.95)) ** 2
    ends = [
        mpmath.findroot(lambda b, c: (of_slope(b, c), misfit(b, c) - allowed), (start(end), end))[1]
        for end in (found.lower, found.upper)
    ]
    return c, *ends


@pytest.mark.parametrize(
    ("successes", "trials"),
    [([20, 19, 14, 9, 3, 0, 0], [20] * 7), ([9, 20, 9, 8, 1, 0, 0], [10, 20, 10, 20, 10, 10, 10])],
)
def test_enclosures_against_more_digits(successes, trials):
    data = np.array([0.1, 0.15, 0.3, 0.35, 0.5, 0.6, 0.9]), np.array(successes), np.array(trials)
    found = half_point(*data)
    with mpmath.workdps(40):
        truths = in_many_digits(*data, found)
        for ball, truth in zip(enclose_half_point(found, *data), truths, strict=True):
            assert abs(mpmath.mpf(ball.mid().str(40, radius=False)) - truth) < float(ball.rad())
            assert ball.rad() < 1e-8


def drawn(rng):
    """Counts of every kind: few signals or many, of one sparsity or several, with no order."""
    size, rows = rng.integers(1, 12), rng.integers(2, 60)
    sparsity = np.sort(rng.integers(1, rows + 1, size)) / rows
    trials = rng.integers(0, 1 + rng.choice([1, 2, 5, 20, 100]), size)
    steep = 1.0 / (1.0 + np.exp(rng.choice([3, 30, 300]) * (sparsity - rng.random())))
    chances = steep, rng.random(), np.where(sparsity < rng.random(), 1.0, 0.0), rng.random(size)
    return sparsity, rng.binomial(trials, chances[rng.integers(4)]), trials


@pytest.mark.parametrize("seed", range(4))
def test_what_doubles_find_is_enclosed(seed):
    rng = np.random.default_rng(seed)
    for _ in range(50):
        data = drawn(rng)
        found = half_point(*data)
        assert holds(enclose_half_point(found, *data), found), data


@pytest.mark.parametrize("end", ["lower", "upper"])
def test_what_is_no_end_is_not_enclosed(end):
    data = np.array([0.3, 0.4, 0.5, 0.6]), np.array([9, 6, 4, 1]), np.full(4, 10)
    found = half_point(*data)
    for wrong in (getattr(found, end) + 1e-6, {"lower": 0.0, "upper": 1.0}[end]):
        with pytest.raises(NotProved, match=f"the {end} end of its interval is not enclosed"):
            enclose_half_point(replace(found, **{end: wrong}), *data)


@pytest.mark.parametrize(("rows", "count"), [(1, 400), (5, 20), (100, 200), (199, 200)])
def test_the_weak_threshold_by_its_definition(rows, count):
    """The statistical dimension of the descent cone, a minimum over tau, is delta there."""
    threshold = enclose_weak_threshold(rows, count)
    assert threshold.rad() < 1e-8
    with mpmath.workdps(30):
        kappa = mpmath.mpf(rows) / count * mpmath.mpf(threshold.mid().str(30, radius=False))

        def beyond(tau, power):
            """E (|g| - tau)_+^power."""
            return 2 * mpmath.quad(
                lambda g: (g - tau) ** power * mpmath.npdf(g), [tau, tau + 5, tau + 20]
            )

        tau = mpmath.findroot(
            lambda tau: kappa * tau - (1 - kappa) * beyond(tau, 1), (0.01, 4.0), solver="anderson"
        )
        square = beyond(tau, 2)
        dimension = kappa * (1 + tau**2) + (1 - kappa) * square
        assert abs(dimension - mpmath.mpf(rows) / count) < 1e-8
