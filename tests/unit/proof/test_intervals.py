"""Intervals of decimals: outward, and printed in the digits that are decided."""

import math
from decimal import Decimal
from fractions import Fraction
from statistics import median as median_of_numbers

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from implicit_l1.proof.intervals import (
    Interval,
    farthest,
    float_text,
    geometric_median,
    linear_combination,
    log10,
    maximum,
    median,
    minimum,
    power_of_ten,
    quantile,
    rounded,
    stands_for,
    total,
)


def decimal(number, exponent):
    return Decimal(f"{number}e{exponent}")


@st.composite
def known(draw, smallest=-(10**45)):
    """(interval, one of its members), to more digits than the decimal module has by default."""
    number = draw(st.integers(smallest, 10**45))
    width = draw(st.integers(0, 9)) * 10 ** draw(st.integers(0, 45))
    exponent = draw(st.integers(-50, -38))
    member = number + Fraction(width * draw(st.integers(0, 4)), 4)
    interval = Interval(decimal(number, exponent), decimal(number + width, exponent))
    return interval, member * Fraction(10) ** exponent


def holds(interval, number):
    return Fraction(interval.lower) <= number <= Fraction(interval.upper)


# Arithmetic


@given(known(smallest=1))
def test_a_reciprocal_contains_those_of_members(one):
    interval, x = one
    assert holds(interval.reciprocal(), 1 / x)


@pytest.mark.parametrize("lower", ["0", "-1", "-0.5"])
def test_of_what_may_be_0_there_is_no_reciprocal(lower):
    with pytest.raises(ValueError, match="is not positive"):
        Interval.of(lower, "1").reciprocal()


@given(known(), known(smallest=1))
def test_a_quotient_contains_those_of_members(one, other):
    (first, x), (second, y) = one, other
    quotient = first / second
    assert holds(quotient, x / y)
    corners = [
        Fraction(end) / Fraction(by)
        for end in (first.lower, first.upper)
        for by in (second.lower, second.upper)
    ]
    slack = Fraction(max(map(abs, corners)), 10**38)
    assert min(corners) - slack <= Fraction(quotient.lower) <= min(corners)
    assert max(corners) <= Fraction(quotient.upper) <= max(corners) + slack


@pytest.mark.parametrize("lower", ["0", "-1", "-0.5"])
def test_nothing_is_divided_by_what_may_be_0(lower):
    with pytest.raises(ValueError, match="is not positive"):
        Interval.of(1, 2) / Interval.of(lower, "1")


@given(known(), known(), st.integers(1, 50))
def test_arithmetic_contains_the_results_of_members(one, other, count):
    (first, x), (second, y) = one, other
    assert holds(first, x)
    assert holds(first - second, x - y)
    assert holds(abs(first), abs(x))
    assert holds(abs(first - second), abs(x - y))
    assert holds(first / count, x / count)


def test_more_digits_than_are_kept_are_rounded_outwards():
    one, tiny = Interval.of(1, 1), Interval.of("1e-50", "1e-50")
    for result, exact in [
        (one - tiny, 1 - Fraction(1, 10**50)),
        (tiny - one, Fraction(1, 10**50) - 1),
        (one / 3, Fraction(1, 3)),
        (median([one, tiny]), (1 + Fraction(1, 10**50)) / 2),
        (median([Interval.of(3, 3), tiny]), (3 + Fraction(1, 10**50)) / 2),
    ]:
        assert Fraction(result.lower) < exact < Fraction(result.upper)
        assert result.upper - result.lower <= Decimal("1e-39")


@given(known(), known())
def test_arithmetic_is_tight(one, other):
    (first, _), (second, _) = one, other
    slack = 1 + Fraction(1, 10**30)
    difference = first - second
    widths = [Fraction(i.upper) - Fraction(i.lower) for i in (first, second, difference)]
    size = max(abs(Fraction(difference.lower)), abs(Fraction(difference.upper)))
    assert widths[2] <= (widths[0] + widths[1]) + size * (slack - 1)
    ends = sorted(abs(Fraction(end)) for end in (first.lower, first.upper))
    touches = first.lower <= 0 <= first.upper
    assert Fraction(abs(first).lower) == (0 if touches else ends[0])
    assert Fraction(abs(first).upper) == ends[1]


@given(known(), known())
def test_intervals_overlap_where_they_share_a_number(one, other):
    (first, _), (second, _) = one, other
    ends = [second.lower, second.upper, first.lower, first.upper]
    shared = any(holds(first, Fraction(e)) and holds(second, Fraction(e)) for e in ends)
    assert first.overlaps(second) == second.overlaps(first) == shared


def test_ends_are_taken_exactly_and_in_order():
    assert Interval.of(0.1, "0.2").lower == Decimal.from_float(0.1)
    assert Interval.of("1e-54076", 1).upper == 1
    with pytest.raises(ValueError, match="2 and 1 are not the ends"):
        Interval.of(2, 1)


# Statistics


several = st.lists(known(), min_size=1, max_size=8)


@given(several)
def test_statistics_contain_those_of_members(pairs):
    given_intervals, members = zip(*pairs, strict=True)
    assert holds(median(given_intervals), median_of_numbers(members))
    assert holds(minimum(given_intervals), min(members))
    assert holds(maximum(given_intervals), max(members))


def test_statistics_where_an_end_is_infinite():
    open_ = [Interval.of(1, 2), Interval.of(3, 4), Interval.of(5, "inf")]
    assert median(open_) == Interval.of(3, 4)
    assert median(open_[1:]) == Interval.of(4, "inf")
    assert quantile(open_, Fraction(1)) == Interval.of(5, "inf")
    assert quantile(open_, Fraction(3, 4)) == Interval.of(4, "inf")


@given(several)
def test_quantiles_contain_those_of_members(pairs):
    given_intervals, members = zip(*pairs, strict=True)
    ordered = sorted(members)
    for share in (Fraction(0), Fraction(1, 4), Fraction(2, 3), Fraction(1)):
        whole, rest = divmod(share * (len(members) - 1), 1)
        above = ordered[min(whole + 1, len(members) - 1)]
        exact = (1 - rest) * ordered[whole] + rest * above
        assert holds(quantile(given_intervals, share), exact)


weights = st.fractions(-3, 3, max_denominator=50)


@given(st.lists(st.tuples(known(), weights), max_size=5))
def test_linear_combinations_contain_those_of_members(terms):
    factors = [weight for _, weight in terms]
    found = linear_combination(factors, [interval for (interval, _), _ in terms])
    exact = sum((weight * member for (_, member), weight in terms), Fraction(0))
    assert holds(found, exact)
    assert total([interval for (interval, _), _ in terms]) == linear_combination(
        [Fraction(1)] * len(terms), [interval for (interval, _), _ in terms]
    )


@given(known(), st.floats(-1e3, 1e3))
def test_scaled_and_widened_contain_members(one, factor):
    interval, member = one
    assert holds(interval.scaled(factor), member * Fraction(factor))
    margin = Decimal(abs(factor))
    wide = interval.widened(margin)
    assert holds(wide, member - Fraction(margin)) and holds(wide, member + Fraction(margin))
    with pytest.raises(ValueError, match="narrower"):
        interval.widened(Decimal(-1))


def test_powers_of_ten_lie_in_their_enclosures():
    for exponent in (-100000.0, -12.0, -0.25, 0.1, 3.7):
        found = power_of_ten(exponent)
        with mpmath.workdps(60):
            exact = mpmath.mpf(10) ** mpmath.mpf(exponent)
            assert mpmath.mpf(str(found.lower)) < exact < mpmath.mpf(str(found.upper))
        assert found.upper - found.lower <= found.lower * Decimal("1e-38")


@given(several, st.integers(-2, 2))
def test_the_farthest_contains_that_of_members(pairs, value):
    given_intervals, members = zip(*pairs, strict=True)
    size = max(abs(member - value) for member in members)
    for member in members:  # of two that are equally far, either
        if abs(member - value) == size:
            assert holds(farthest(given_intervals, value), member)


def test_the_farthest_is_one_of_the_candidates_only():
    near, far, other = (Interval.of(a, b) for a, b in [(1, 2), (7, 8), (-6, -5)])
    assert farthest([near, far, other], 1) == Interval.of(-6, 8)  # 6 to 7, or 6 to 7 away
    assert farthest([near, far, other], 0) == far
    assert farthest([near, other], 0) == other
    # 0.1 to 0.2, or 0.15 to 0.25 away
    assert farthest([Interval.of("0.8", "0.9"), Interval.of("1.15", "1.25")], 1) == Interval.of(
        "0.8", "1.25"
    )


def test_statistics_of_numbers_are_those_numbers():
    numbers = [Interval.of(n, n) for n in (5, 1, 4, 2)]
    assert median(numbers) == Interval.of(3, 3)
    assert median(numbers[:3]) == Interval.of(4, 4)
    assert minimum(numbers) == Interval.of(1, 1)
    assert maximum(numbers) == Interval.of(5, 5)


INFINITE = Interval.of("-Infinity", "Infinity")


@pytest.mark.parametrize(
    ("numbers", "unknown", "share", "ends"),
    [
        ((1, 2, 3), 1, Fraction(1, 2), ("1.5", "2.5")),
        ((1, 2, 3), 2, Fraction(1, 2), ("1", "3")),
        ((1, 2, 3), 2, Fraction(1, 4), ("-Infinity", "2")),
        ((1, 2, 3), 2, Fraction(1, 8), ("-Infinity", "1.5")),
        ((1, 2), 3, Fraction(1, 2), ("-Infinity", "Infinity")),
    ],
)
def test_a_quantile_is_bounded_where_numbers_that_are_not_known_leave_it(
    numbers, unknown, share, ends
):
    """As where rho has no upper bound."""
    found = quantile([Interval.of(n, n) for n in numbers] + [INFINITE] * unknown, share)
    assert found == Interval.of(*ends)


def test_a_combination_without_a_number_is_known_where_that_is_not():
    known_one = Interval.of(3, 4)
    weights = [Fraction(0), Fraction(-2)]
    assert linear_combination(weights, [INFINITE, known_one]) == Interval.of(-8, -6)
    assert linear_combination(weights, [known_one, INFINITE]) == INFINITE


positive = st.lists(known(smallest=1), min_size=1, max_size=5)


@given(positive)
def test_logarithmic_statistics_contain_those_of_members(pairs):
    given_intervals, members = zip(*pairs, strict=True)
    with mpmath.workdps(80):
        exact = [mpmath.mpf(m.numerator) / m.denominator for m in members]
        logs = [mpmath.log10(x) for x in exact]
        for interval, x in zip(given_intervals, logs, strict=True):
            ends = [mpmath.mpf(str(end)) for end in (log10(interval).lower, log10(interval).upper)]
            assert ends[0] <= x <= ends[1]
        middle = geometric_median(given_intervals)
        lower, upper = (mpmath.mpf(str(end)) for end in (middle.lower, middle.upper))
        exact_middle = mpmath.mpf(10) ** mpmath.mpf(median_of_numbers(logs))
        assert lower * (1 - mpmath.mpf(10) ** -70) <= exact_middle
        assert exact_middle <= upper * (1 + mpmath.mpf(10) ** -70)


@given(st.one_of(st.floats(-400, 400), st.floats(-(10**5), 10**5), st.integers(-40, 40)))
def test_a_power_of_ten_lies_between_its_ends_and_is_known_to_39_digits(exponent):
    found = power_of_ten(float(exponent))
    with mpmath.workdps(80):
        lower, upper = (mpmath.mpf(str(end)) for end in (found.lower, found.upper))
        assert lower < mpmath.mpf(10) ** mpmath.mpf(float(exponent)) < upper
        assert upper / lower - 1 < mpmath.mpf(10) ** -38


# Text


@given(known(), st.sampled_from([".4f", ".1f", ".4g", ".10g", ".12g", ".3g"]))
def test_a_text_stands_for_the_whole_interval(pair, style):
    interval, member = pair
    text = interval.text(style)
    if ".." in text:
        lower, upper = map(Decimal, text.split(".."))
        assert lower <= interval.lower
        assert interval.upper <= upper
        assert upper - lower <= (interval.upper - interval.lower) + 2 * max(
            unit(end) for end in text.split("..")
        )
    elif Decimal(text) != 0 or style[-1] == "f":
        assert holds(stands_for(text), member)
        assert holds(stands_for(text), Fraction(interval.lower))
        assert holds(stands_for(text), Fraction(interval.upper))
    else:
        assert interval.lower == interval.upper == 0


def unit(text):
    """One unit of the last digit."""
    return Decimal((0, (1,), Decimal(text).as_tuple().exponent))


@given(st.floats(-1e6, 1e6), st.sampled_from([".4f", ".10f", ".0f"]))
def test_an_exact_number_is_printed_as_a_float_is(value, style):
    assert Interval.of(value, value).text(style) == float_text(value, style)


@given(st.floats(1e-300, 1e300), st.integers(2, 12))
def test_an_exact_number_keeps_its_significant_digits(value, digits):
    text = Interval.of(value, value).text(f".{digits}g")
    assert float(text) == float(format(value, f".{digits}g"))
    mantissa = text.split("e")[0].replace(".", "").lstrip("0")
    assert len(mantissa) == digits


@pytest.mark.parametrize(
    ("lower", "upper", "style", "text"),
    [
        ("0.5", "0.5", ".4f", "0.5000"),  # zeros are digits
        ("0.5", "0.5", ".4g", "0.5000"),
        ("123456", "123456", ".4g", "1.235e+05"),
        ("1e-54076", "1.0001e-54076", ".4g", "1.000e-54076"),
        ("0.12344", "0.12346", ".4f", "0.123"),  # the fourth digit is not decided
        ("0.12344", "0.12346", ".4g", "0.123"),
        ("0.12341", "0.12344", ".4f", "0.1234"),
        ("0.1249", "0.1251", ".2f", "0.1"),  # nor is the second
        ("0.9999", "1.0001", ".3g", "1.00"),
        ("0.99", "1.01", ".4g", "1"),
        ("0", "0", ".4g", "0"),
        ("0", "0", ".4f", "0.0000"),
        ("-1e-30", "1e-30", ".4f", "0.0000"),  # a zero has no sign
        ("-1e-30", "-1e-31", ".4f", "0.0000"),
        ("-1e-30", "1e-30", ".4g", "-1.00e-30..1.00e-30"),
        ("1", "3", ".3g", "1.00..3.00"),
        ("-0.25", "-0.25", ".4f", "-0.2500"),
    ],
)
def test_text(lower, upper, style, text):
    assert Interval.of(lower, upper).text(style) == text


def test_ends_that_decide_no_digit_are_printed_outwards():
    assert Interval.of("1.2354", "5.6748").text(".4g") == "1.23..5.68"
    assert Interval.of("-5.6748", "-1.2354").text(".4g") == "-5.68..-1.23"


def test_a_tie_is_not_decided_by_an_interval_around_it():
    tie = Decimal("0.12345")
    assert Interval(tie - Decimal("1e-25"), tie + Decimal("1e-25")).text(".4f") == "0.123"
    assert Interval(tie, tie).text(".4f") == rounded(tie, 4, "f")


@pytest.mark.parametrize(
    ("text", "lower", "upper"),
    [
        ("0.1234", "0.12335", "0.12345"),
        ("1.20e-54076", "1.195e-54076", "1.205e-54076"),
        ("-3", "-3.5", "-2.5"),
        ("1e+05", "50000", "150000"),
    ],
)
def test_a_text_stands_for_half_a_unit_around_it(text, lower, upper):
    assert stands_for(text) == Interval.of(lower, upper)


def test_floats_as_text():
    assert float_text(math.nan, ".4f") == ""
    assert float_text(-1e-9, ".4f") == "0.0000"
    assert float_text(-0.5, ".4f") == "-0.5000"
    assert float_text(math.inf, ".4f") == "inf"
    assert float_text(-math.inf, ".4g") == "-inf"


def test_ends_that_are_no_numbers_are_no_interval():
    for ends in (("NaN", 1), (0, "NaN"), ("NaN", "NaN"), (1, 0)):
        with pytest.raises(ValueError, match="not the ends"):
            Interval.of(*ends)


def test_there_is_no_logarithm_of_what_may_be_negative():
    # the product of two negative ends is positive, and its root lies above all numbers
    with pytest.raises(ValueError, match="negative"):
        geometric_median([Interval.of(-3, "0.1"), Interval.of(-2, "0.2")])
    found = geometric_median([Interval.of(0, 1), Interval.of(0, 4)])
    assert found.lower <= 0 and found.upper >= 2


@pytest.mark.parametrize("count", [0, -1])
def test_a_count_is_positive(count):
    with pytest.raises(ValueError, match="not positive"):
        Interval.of(1, 2) / count
