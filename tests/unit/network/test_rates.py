"""Rates of synthetic errors whose rates are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from implicit_l1.network.rates import (
    bootstrap_interval,
    fitted_rate,
    local_slopes,
    onset,
    predicted_rate,
    resampled_medians,
    summary,
)

LOG_ALPHA = np.log(10.0) * np.arange(0.0, -12.01, -0.25)


def bent(rate_before, rate_after, place):
    """A power law whose exponent changes at one of the scales."""
    knee = LOG_ALPHA[place]
    return np.where(knee < LOG_ALPHA, rate_before, rate_after) * (LOG_ALPHA - knee)


def test_predicted_rates():
    rho, leading = np.array([0.1, 0.4, 0.99]), np.full(3, 7.0)
    assert np.array_equal(predicted_rate(2, rho, leading), 1.0 - rho)
    assert np.array_equal(predicted_rate(2.0, rho, leading), 1.0 - rho)
    for depth in (2.1, 3, 6):
        assert np.array_equal(predicted_rate(depth, rho, leading), [1.0, 1.0, 1.0])
    # 1 is an upper bound where rho = 0
    for depth in (2, 3):
        found = predicted_rate(depth, np.array([0.0, 0.0, np.nan]), np.array([3.0, np.nan, 7.0]))
        assert found[0] == 3.0 and np.isnan(found[1])


@given(st.floats(0.01, 1.0), st.floats(-50.0, 50.0))
def test_power_laws(rate, constant):
    log_error = rate * LOG_ALPHA + constant
    middle, slopes = local_slopes(LOG_ALPHA, log_error)
    assert np.allclose(slopes, rate, atol=1e-12)
    # a slope belongs to the geometric mean of its two scales
    assert np.allclose(middle, 0.5 * (LOG_ALPHA[1:] + LOG_ALPHA[:-1]))
    assert fitted_rate(LOG_ALPHA, log_error, (-20.0, -5.0)) == pytest.approx(rate, abs=1e-12)


def test_slopes_of_a_curve():
    """d log error / d log alpha of a sum of two powers, exact at second order."""
    log_error = np.logaddexp(0.3 * LOG_ALPHA, 0.9 * LOG_ALPHA)
    middle, slopes = local_slopes(LOG_ALPHA, log_error)
    weight = 1.0 / (1.0 + np.exp(0.6 * middle))
    assert np.abs(slopes - (0.3 * weight + 0.9 * (1 - weight))).max() < 2e-3


def test_several_instances_at_once():
    rates = np.array([[0.2], [0.5], [1.0]])
    log_error = rates * LOG_ALPHA + 3.0
    _, slopes = local_slopes(LOG_ALPHA, log_error)
    assert slopes.shape == (3, LOG_ALPHA.size - 1)
    assert np.allclose(slopes, rates)
    assert np.allclose(fitted_rate(LOG_ALPHA, log_error, (-28.0, 0.0)), rates[:, 0])


def test_scales_may_ascend():
    _, slopes = local_slopes(LOG_ALPHA[::-1], 0.4 * LOG_ALPHA[::-1])
    assert np.allclose(slopes, 0.4)
    assert fitted_rate(LOG_ALPHA[::-1], 0.4 * LOG_ALPHA[::-1], (-20, 0)) == pytest.approx(0.4)


def test_fit_sees_the_window_only():
    log_error = bent(0.2, 0.7, 24)
    knee = LOG_ALPHA[24]
    assert fitted_rate(LOG_ALPHA, log_error, (LOG_ALPHA[-1], knee)) == pytest.approx(0.7)
    assert fitted_rate(LOG_ALPHA, log_error, (knee, 0.0)) == pytest.approx(0.2)
    assert 0.2 < fitted_rate(LOG_ALPHA, log_error, (LOG_ALPHA[-1], 0.0)) < 0.7


def test_fit_is_least_squares():
    rng = np.random.default_rng(0)
    log_error = 0.5 * LOG_ALPHA + rng.standard_normal(LOG_ALPHA.size)
    slope = np.polyfit(LOG_ALPHA[10:31], log_error[10:31], 1)[0]
    window = (LOG_ALPHA[30], LOG_ALPHA[10])  # both ends belong to it
    assert fitted_rate(LOG_ALPHA, log_error, window) == pytest.approx(slope, rel=1e-10)
    # the ends as they come from another way of rounding
    nudged = (window[0] + 1e-12, window[1] - 1e-12)
    assert fitted_rate(LOG_ALPHA, log_error, nudged) == pytest.approx(slope, rel=1e-10)


def test_fit_needs_three_scales():
    log_error = 0.5 * LOG_ALPHA
    assert fitted_rate(LOG_ALPHA, log_error, (LOG_ALPHA[2], 0.0)) == pytest.approx(0.5)
    for window, count in [((LOG_ALPHA[1], 0.0), 2), ((1.0, 2.0), 0)]:
        with pytest.raises(ValueError, match=f"{count} scales lie in the window"):
            fitted_rate(LOG_ALPHA, log_error, window)


@pytest.mark.filterwarnings("error")
def test_no_error_has_no_rate():
    """Where n = 0, as for rho = 0, the logarithm is -inf; the rate is nan, without a warning."""
    nothing = np.full(LOG_ALPHA.size, -np.inf)
    assert np.all(np.isnan(local_slopes(LOG_ALPHA, nothing)[1]))
    assert np.isnan(fitted_rate(LOG_ALPHA, nothing, (-20.0, 0.0)))
    assert np.isnan(onset(LOG_ALPHA, nothing, 1.0, 0.05))


@pytest.mark.parametrize("place", [1, 10, 47])
def test_onset_is_where_the_slope_arrives(place):
    log_error = bent(0.2, 0.7, place)
    assert onset(LOG_ALPHA, log_error, 0.7, 0.05) == LOG_ALPHA[place]


def test_onset_of_the_whole_path():
    assert onset(LOG_ALPHA, 0.7 * LOG_ALPHA, 0.7, 0.05) == LOG_ALPHA[0]


def test_onset_not_reached():
    assert np.isnan(onset(LOG_ALPHA, 0.2 * LOG_ALPHA, 0.7, 0.05))
    # right at first and wrong in the end
    assert np.isnan(onset(LOG_ALPHA, bent(0.7, 0.2, 20), 0.7, 0.05))


def test_onset_is_after_the_last_excursion():
    slopes = np.full(LOG_ALPHA.size - 1, 1.0)
    slopes[[3, 30]] = 0.5
    log_error = np.append(0.0, np.cumsum(slopes * np.diff(LOG_ALPHA)))
    assert onset(LOG_ALPHA, log_error, 1.0, 0.05) == LOG_ALPHA[31]


def test_tolerance_of_the_onset_is_absolute_and_two_sided():
    for rate in (0.01, 0.5, 1.0):
        for excess, within in [(0.049, True), (-0.049, True), (0.051, False), (-0.051, False)]:
            found = onset(LOG_ALPHA, (rate + excess) * LOG_ALPHA, rate, 0.05)
            assert np.isnan(found) != within


def test_bootstrap_is_deterministic():
    values = np.random.default_rng(0).standard_normal((20, 3))
    one, other = (bootstrap_interval(values, np.random.default_rng(7), 500, 0.95) for _ in range(2))
    assert np.array_equal(one, other)
    different = bootstrap_interval(values, np.random.default_rng(8), 500, 0.95)
    assert not np.array_equal(one, different)


def test_bootstrap_of_one_repetition_is_the_value():
    low, high = bootstrap_interval([[1.5, -2.0]], np.random.default_rng(0), 50, 0.95)
    assert np.array_equal(low, [1.5, -2.0]) and np.array_equal(high, [1.5, -2.0])


def test_bootstrap_covers_the_median():
    """Of 95 % intervals from 20 normal draws about 95 % hold the true median."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal((20, 400))  # 400 experiments at once
    low, high = bootstrap_interval(values, rng, 1000, 0.95)
    assert 0.91 <= np.mean((low <= 0) & (high >= 0)) <= 0.985
    assert np.all((low <= np.median(values, axis=0)) & (np.median(values, axis=0) <= high))
    narrow = bootstrap_interval(values, rng, 1000, 0.5)
    assert 0.4 <= np.mean((narrow[0] <= 0) & (narrow[1] >= 0)) <= 0.65
    # its width is that of the median's law, 2 * 1.96 * 1.2533 / sqrt(20)
    assert np.mean(high - low) == pytest.approx(2 * 1.96 * 1.2533 / np.sqrt(20), rel=0.15)


def test_bootstrap_resamples_repetitions_as_a_whole():
    """Two columns that agree in every repetition have the same interval."""
    column = np.random.default_rng(2).standard_normal(15)
    low, high = bootstrap_interval(
        np.column_stack([column, column]), np.random.default_rng(3), 200, 0.9
    )
    assert low[0] == low[1] and high[0] == high[1]


@pytest.mark.parametrize("count", [2, 7, 20])
def test_the_interval_is_that_of_scipy(count):
    values = np.random.default_rng(count).standard_normal((count, 3))
    settings = {"n_resamples": 200, "confidence_level": 0.9, "method": "percentile"}
    expected = stats.bootstrap(
        (values,), np.median, axis=0, rng=np.random.default_rng(4), **settings
    ).confidence_interval
    found = bootstrap_interval(values, np.random.default_rng(4), 200, 0.9)
    np.testing.assert_allclose(found, expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("count", [1, 2, 7, 20, 300])
def test_medians_of_resamples(count):
    rng = np.random.default_rng(5)
    values = np.column_stack(
        [
            rng.standard_normal(count),
            rng.integers(0, 3, count),  # ties
            np.full(count, -1e100),
            np.where(rng.random(count) < 0.3, -np.inf, 1.0),
        ]
    )
    draws = rng.integers(0, count, (400, count))
    expected = np.median(values[draws], axis=1).T
    assert np.array_equal(resampled_medians(values, draws), expected)


def test_the_median_of_what_is_not_known_is_not_known():
    values = np.array([[1.0, np.nan], [2.0, 4.0], [3.0, 5.0]])
    low, high = bootstrap_interval(values, np.random.default_rng(6), 200, 0.9)
    assert np.isnan(low[1]) and np.isnan(high[1])
    assert 1.0 <= low[0] <= high[0] <= 3.0


def test_interval_of_numbers_and_of_arrays():
    values = np.random.default_rng(7).standard_normal((9, 2, 3))
    low, high = bootstrap_interval(values, np.random.default_rng(8), 300, 0.9)
    assert low.shape == high.shape == (2, 3)
    one = bootstrap_interval(values[:, 1, 2], np.random.default_rng(8), 300, 0.9)
    assert one == (low[1, 2], high[1, 2])


def test_summary():
    values = np.arange(5.0)[:, None] * [1.0, 10.0]
    found = summary(values, np.random.default_rng(0), 500, 0.95)
    assert np.array_equal(found["median"], [2.0, 20.0])
    assert np.array_equal(found["lower_quartile"], [1.0, 10.0])
    assert np.array_equal(found["upper_quartile"], [3.0, 30.0])
    assert np.all(found["low"] < found["median"]) and np.all(found["median"] < found["high"])
    assert set(found) == {"lower_quartile", "median", "upper_quartile", "low", "high"}
