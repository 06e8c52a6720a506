"""Fitted rates and onsets, enclosed."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from implicit_l1.network import rates
from implicit_l1.proof.fits import Undecided, decide_onset, enclose_fitted_rate
from implicit_l1.proof.intervals import Interval

SCALES = [-12.0, -11.75, -11.5, -10.9, -8.0]


def between(value, width):
    """An interval that holds a number, not in its middle."""
    value, width = Fraction(value), Fraction(width)
    ends = value - width / 3, value + 2 * width / 3
    return Interval.of(*(mpmath.nstr(mpmath.mpf(e.numerator) / e.denominator, 60) for e in ends))


@given(st.lists(st.floats(1e-9, 1e9), min_size=5, max_size=5))
def test_a_fitted_rate_lies_in_its_enclosure(errors):
    """Of errors that are known exactly, and to nine digits: to some nine digits."""
    with mpmath.workdps(60):
        x, y = [mpmath.mpf(s) for s in SCALES], [mpmath.log10(e) for e in errors]
        mean = sum(x) / 5
        slope = sum((a - mean) * b for a, b in zip(x, y, strict=True))
        slope /= sum((a - mean) ** 2 for a in x)
        for width, digits in ((0, 1e-35), (1e-9, 1e-9)):
            enclosed = [between(e, Fraction(e) * Fraction(width)) for e in errors]
            found = enclose_fitted_rate(dict(zip(SCALES, enclosed, strict=True)))
            lower, upper = mpmath.mpf(str(found.lower)), mpmath.mpf(str(found.upper))
            assert lower <= slope <= upper
            assert upper - lower <= digits


def test_a_fitted_rate_is_that_of_floating_point():
    errors = np.array([3e-7, 5e-7, 4e-7, 2e-6, 0.1])
    log_alpha = np.array(SCALES) * np.log(10)
    fitted = rates.fitted_rate(log_alpha, np.log(errors), (-30.0, 0.0))
    found = enclose_fitted_rate(
        {s: Interval.of(e, e) for s, e in zip(SCALES, errors.tolist(), strict=True)}
    )
    assert float(found.lower) == pytest.approx(fitted, rel=1e-12)


def test_the_widest_error_decides_both_ends():
    """An error at a scale below the mean moves the slope down, one above it up."""
    one = Interval.of(1, 1)
    for place, sign in ((-2.0, -1), (0.0, 1)):
        errors = {-2.0: one, -1.0: one, 0.0: one} | {place: Interval.of(1, 10)}
        found = enclose_fitted_rate(errors)
        ends = sorted([0.0, sign * 0.5])
        assert [float(found.lower), float(found.upper)] == pytest.approx(ends, abs=1e-30)


def test_an_error_that_may_be_zero_has_no_rate():
    errors = {-2.0: Interval.of(0, "1e-9"), -1.0: Interval.of(1, 1)}
    with pytest.raises(Undecided, match=r"at log10\(alpha\) = -2 may be 0"):
        enclose_fitted_rate(errors)


RATE, TOLERANCE = Interval.of("0.5", "0.51"), Interval.of("0.1", "0.11")
# surely near enough; surely not; neither
NEAR, FAR, OPEN = Interval.of("0.45", "0.55"), Interval.of("0.7", "0.7"), Interval.of("0.6", "0.62")


@pytest.mark.parametrize(
    ("slopes", "onset"),
    [
        ([NEAR, NEAR, NEAR], -1.0),
        ([NEAR, NEAR, FAR], -2.0),
        ([NEAR, FAR, NEAR], -3.0),
        ([NEAR, FAR, OPEN], -3.0),  # what is above the first that is not near plays no part
        ([FAR, NEAR, NEAR], None),
        ([], None),
    ],
)
def test_an_onset_is_decided_from_below(slopes, onset):
    scales = dict(zip([-4.0, -3.0, -2.0], slopes, strict=False))
    # in whatever order they come
    for found in (scales, dict(reversed(scales.items()))):
        assert decide_onset(found, -1.0, RATE, TOLERANCE) == onset


@pytest.mark.parametrize(
    "open_",
    [
        OPEN,
        Interval.of("0.605", "0.605"),  # near to the larger rate only, or by the larger tolerance
        Interval.of("0.395", "0.395"),
        Interval.of("0.4", "0.7"),
    ],
)
def test_what_the_enclosures_leave_open_is_not_decided(open_):
    with pytest.raises(Undecided, match="-3 is near enough"):
        decide_onset({-4.0: NEAR, -3.0: open_}, -2.0, RATE, TOLERANCE)


def test_an_onset_is_that_of_floating_point():
    rng = np.random.default_rng(0)
    log_alpha = np.linspace(0.0, -9.0, 10) * np.log(10)
    for _ in range(200):
        slopes = rng.choice([0.5, 0.53, 0.9], 9, p=[0.5, 0.4, 0.1])
        log_error = np.concatenate([[0.0], np.cumsum(slopes * np.diff(log_alpha))])
        wanted = rates.onset(log_alpha, log_error, 0.5, 0.05)
        enclosed = {
            float(-place - 1): Interval.of(slope - 1e-9, slope + 1e-9)
            for place, slope in enumerate(slopes)
        }
        found = decide_onset(enclosed, 0.0, Interval.of("0.5", "0.5"), Interval.of("0.05", "0.05"))
        assert (found is None) == np.isnan(wanted)
        assert found is None or found * np.log(10) == pytest.approx(wanted)
