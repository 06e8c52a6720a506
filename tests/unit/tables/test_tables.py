"""The rows of each table, worked out by hand where all that is near differs."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.intervals import Interval
from implicit_l1.status import (
    CERTIFIED,
    CONVERGED,
    NOT_FOLLOWED,
    NOT_RUN,
    NOT_UNIQUE,
    PROVED,
    SELECTED,
)
from table_frames import (
    QUOTIENTS,
    data,
    made,
    of_any_table,
    of_constants,
    of_limits,
    of_trajectories,
    only,
    orders_data,
    proofs,
)
from tables.kinds import phase
from tables.registry import TABLES
from tables.rendering import notes, shown
from tables.statistics import power

# Statistics


def test_medians_of_an_odd_and_an_even_number():
    rho = [("0.31", "0.33"), ("0.11", "0.12"), ("0.5", "0.5")]
    row = only(made("cells", data(), certificates=[of_constants(rho)]))
    assert row["rho"] == Interval.of("0.31", "0.33")
    assert row["rho_smallest"] == Interval.of("0.11", "0.12")
    assert row["rho_largest"] == Interval.of("0.5", "0.5")
    assert row["rho_tilde_lower"] == Interval.of("0.9", "0.9")
    assert row["kappa"] == Interval.of(3, 3)
    two = data(2)
    row = only(made("cells", two, certificates=[of_constants(rho)]))
    assert row["rho"] == Interval.of("0.21", "0.225")
    assert row["rho_largest"] == Interval.of("0.31", "0.33")
    assert row["repetitions"] == row["certified"] == 2


def test_cells_are_told_apart_by_all_parameters():
    """Also by those that are absent, nan in the tables."""
    other = data().assign(eta=0.0, m=7.0)
    certificates = [of_constants([0.1] * 3), of_constants([0.2] * 3).assign(eta=0.0, m=7.0)]
    table = made("cells", data(), other, certificates=certificates)
    found = {eta: rho.lower for eta, rho in zip(table["eta"], table["rho"], strict=True)}
    assert found == {0.1: Interval.of("0.1", 1).lower, 0.0: Interval.of("0.2", 1).lower}


def test_repeated_rows_count_once():
    """A problem that two experiments share is in the tables of both."""
    rho = [0.1, 0.2, 0.5]
    certificates = [of_constants(rho), of_constants(rho)]
    one, all_of_them = data(1, support_size=1), data(support_size=[1, 4, 9])
    row = only(made("cells", one, all_of_them, certificates=certificates))
    assert row["repetitions"] == 3
    assert row["support_size"] == 4
    assert row["rho"] == Interval.of("0.2", "0.2")


# --- What is not proved ---


def test_an_instance_without_proof_is_counted_with_its_reason():
    """Its numbers are left out, those of the others are not."""
    margin = [0.5, "the dual vector is not strict", 0.5]
    certificates = [of_constants({0: 0.25, 2: 0.35}, margin)]
    row = only(made("cells", data(), certificates=certificates))
    assert (row["repetitions"], row["certified"]) == (3, 3)
    assert row["status"] == ""
    assert row["rho"] == Interval.of("0.3", "0.3")
    assert row["unproved"] == "left out: 1 the dual vector is not strict"
    row = only(made("cells", data(status={1: NOT_UNIQUE}), certificates=certificates))
    assert row["status"] == f"1 {NOT_UNIQUE}"
    assert row["certified"] == 2
    missing = of_constants({0: 0.25, 2: 0.35}, {0: 0.5, 2: 0.5})
    row = only(made("cells", data(), certificates=[missing]))
    assert row["unproved"] == "left out: 1 no proof"


def test_no_proof_at_all_leaves_the_numbers_empty():
    certificates = [of_constants({}, ["too hard"] * 3)]
    table = made("cells", data(), certificates=certificates)
    row = only(table)
    assert (row["repetitions"], row["certified"]) == (3, 3)
    assert row["unproved"] == "left out: 3 too hard"
    assert row[["rho", "rho_tilde_lower", "kappa"]].tolist() == [None] * 3


# --- Rates, far slopes, constants ---


def test_rates_are_those_of_the_depth():
    rho = [("0.25", "0.26"), ("0.5", "0.5"), ("0.7", "0.7")]
    slopes = {-3.0: [0.1, 0.1, 0.1], -4.0: [0.5, 0.4, 0.7]}
    certificates = [of_constants(rho), of_limits(2, local_slope=slopes)]
    certificates += [of_limits(3, local_slope={-4.0: [1, 1, 1]})]
    table = made("rates", data(), data(depth=3), certificates=certificates)
    two, three = (table[table["depth"] == depth].iloc[0] for depth in (2, 3))
    assert two["predicted_rate"] == Interval.of("0.5", "0.5")
    assert two["last_slope"] == Interval.of("0.5", "0.5")  # at the smallest scale
    assert three["predicted_rate"] == Interval.of(1, 1)
    assert three["last_slope"] == Interval.of(1, 1)
    assert two["fitted_rate_float"].text(".4f") == "0.7770"
    only_wide = made("rates", data(1), certificates=certificates[:2])
    assert only(only_wide)["predicted_rate"] == Interval.of("0.74", "0.75")


def test_where_rho_is_not_proved_positive_the_rate_is_that_of_the_leading_term():
    certificates = [of_constants([0.25, "too hard", 0])]
    slopes = {-4.0: [1, 1, 1]}
    certificates += [of_limits(2, rate=[0.75, "not an enclosure", 1], local_slope=slopes)]
    certificates += [of_limits(3, rate=["too wide", 1, "1.25"], local_slope=slopes)]
    table = made("rates", data(), data(depth=3), certificates=certificates)
    two, three = (table[table["depth"] == depth].iloc[0] for depth in (2, 3))
    assert two["predicted_rate"] is None
    assert two["unproved"] == "predicted_rate: not an enclosure"
    assert three["predicted_rate"] == Interval.of(1, 1)  # of 1, 1 and 1.25
    assert three["unproved"] == ""
    zero = of_limits(3, rate=[1, 1, "x(alpha) = g* for every alpha"], local_slope=slopes)
    row = only(made("rates", data(depth=3), certificates=[certificates[0], zero]))
    assert row["unproved"] == "predicted_rate: x(alpha) = g* for every alpha"


def test_where_rho_may_be_0_the_rate_is_not_that_of_a_positive_one():
    slopes = {-4.0: [1, 1, 1]}
    for depth, rate in ((2, "0.875"), (3, "1.25")):
        certificates = [of_constants([("0", "1e-30")] * 3)]
        certificates += [of_limits(depth, rate=[rate] * 3, local_slope=slopes)]
        row = only(made("rates", data(depth=depth), certificates=certificates))
        assert row["predicted_rate"] == Interval.of(rate, rate)


def test_an_instance_without_proof_has_no_rho_and_is_left_out_of_the_rates():
    """Its tables end with the row that says why: there is none of rho at all."""
    margin = [0.5, "not strict", 0.5]
    certificates = [of_constants({0: 0.25, 2: 0.35}, margin)]
    certificates += [of_limits(2, margin=margin, local_slope={-4.0: {0: 0.7, 2: 0.6}})]
    row = only(made("rates", data(), certificates=certificates))
    assert row["unproved"] == "left out: 1 not strict"
    assert row["predicted_rate"] == Interval.of("0.7", "0.7")
    assert row["last_slope"] == Interval.of("0.65", "0.65")


def test_each_path_has_its_own_smallest_scale():
    certificates = [
        of_constants([0.5] * 3),
        of_limits(path="near", local_slope={-4.0: [0.4] * 3}),
        of_limits(path="far", local_slope={-300.0: [0.5] * 3}),
    ]
    table = made("rates", data(), data(path="far"), certificates=certificates)
    slopes = {path: i.lower for path, i in zip(table["path"], table["last_slope"], strict=True)}
    assert slopes == {"near": Interval.of("0.4", 1).lower, "far": Interval.of("0.5", 1).lower}


def test_of_several_numbers_of_repetitions_the_largest_is_shown():
    certificates = [of_constants([0.1, 0.2, 0.5]), of_limits(local_slope={-4.0: [0.9, 0.8, 0.5]})]
    few, many = data(2, fitted_rate=0.1), data(fitted_rate=[0.1, 0.5, 0.9])
    row = only(made("rates", few, many, certificates=certificates))
    assert row["repetitions"] == 3
    assert row["predicted_rate"] == Interval.of("0.8", "0.8")
    assert row["fitted_rate_float"] == Interval.of(0.5, 0.5)


def test_a_slope_that_is_missing_empties_its_column_and_says_why():
    """Where an error is not proved there is no row of the slope."""
    certificates = [of_constants([0.25] * 3), of_limits(local_slope={-4.0: {0: 0.7, 2: 0.6}})]
    for name in ("rates", "far"):
        row = only(made(name, data(), certificates=certificates))
        assert row["last_slope"] is None
        assert "no proof" in row["unproved"]
    assert row["worst"] is None
    assert row["predicted_rate"] == Interval.of("0.75", "0.75")


def test_the_worst_slope_is_the_one_farthest_from_its_own_rate():
    slopes = {-300.0: ["0.701", ("0.4", "0.41"), "0.25"]}
    certificates = [of_constants(["0.3", "0.5", "0.75"]), of_limits(local_slope=slopes)]
    table = made("far", data(four_digits_log10_alpha=-9.0), certificates=certificates)
    row = only(table)
    assert row["worst"] == Interval.of("0.09", "0.1")
    assert row["smallest_log10_alpha"] == -300
    assert row["four_digits_float"] == Interval.of(3, 3)
    assert row["reason"] == ""


def test_instances_that_are_not_there_yet_are_named():
    slopes = {-300.0: ["0.701", "0.4", "0.25"]}
    certificates = [of_constants(["0.3", "0.5", "0.75"]), of_limits(local_slope=slopes)]
    frame = data(
        four_digits_log10_alpha=[-9.0, np.nan, np.nan],
        log10_competitor=[0.777, -0.5, np.nan],
        asymptotics_status=["known", "known", "a face"],
    )
    row = only(made("far", frame, certificates=certificates))
    assert row["four_digits_float"] == Interval.of(1, 1)
    assert "repetition 1: slope 0.40000 for 0.50000" in row["reason"]
    assert "repetition 2: a face" in row["reason"]
    unknown = {-300.0: ["0.701", "too wide", "0.25"]}
    certificates[1] = of_limits(local_slope=unknown)
    row = only(made("far", frame, certificates=certificates))
    assert "repetition 1: slope too wide for 0.50000" in row["reason"]


def test_where_all_entries_lead_the_next_term_is_the_reason():
    """As for D > 2, where an entry of higher order that is not there is no reason."""
    slopes = {-300.0: ["0.701", "0.4", "0.25"]}
    certificates = [of_constants(["0.3", "0.5", "0.75"]), of_limits(local_slope=slopes)]
    frame = data(
        four_digits_log10_alpha=np.nan,
        log10_competitor=np.nan,
        log10_correction=[-2.4, -np.inf, np.nan],
        asymptotics_status="known",
    )
    first, *others = only(made("far", frame, certificates=certificates))["reason"].split("; repet")
    assert first.endswith("what follows the leading term is still of the order of 10^-2.4 times it")
    assert all(reason.endswith("the leading term is 0") for reason in others)


@pytest.mark.parametrize("depth", [2, 2.5, 4])
@pytest.mark.parametrize(
    ("correction", "words"),
    [(0.8, "what follows the leading term is still of the order of 10^0.8"), (-np.inf, "is 0")],
)
def test_an_instance_without_a_competitor_has_another_reason(depth, correction, words):
    columns = {"four_digits_log10_alpha": np.nan, "log10_competitor": -np.inf}
    columns |= {"log10_correction": correction, "smallest_log10_alpha": -300.0}
    columns |= {"predicted_rate": 1.0, "last_slope": 0.9}
    frame = data(1, depth=depth, **columns)
    known = [of_constants([0.5]), of_limits(depth, margin=[0.5], local_slope={-4.0: [0.9]})]
    for certificates in (known, None):
        text = only(made("far", frame, certificates=certificates))["reason"]
        assert "inf" not in text and "nan" not in text
        assert text.startswith("repetition 0: slope 0.90000 for ") and words in text


def test_constants_at_round_scales_and_at_the_end():
    certificates = [
        of_constants([0.5] * 3),
        of_limits(
            error_1={-4.0: [0.001, 0.003, 0.002], -5.0: [0.0001] * 3},
            error_over_prediction={-4.0: [1.1, 1.3, 1.2], -5.0: [1.01, 0.9, 1.05]},
        ),
        proofs("constant", [10, 30, 20], depth=2, path="near"),
    ]
    row = only(made("constants", data(), certificates=certificates))
    assert row["constant"] == Interval.of(20, 20)
    assert row["measured_4"] == Interval.of("0.002", "0.002")
    assert row["ratio_4"] == Interval.of("1.2", "1.2")
    assert row["measured_8"] is None  # not among the scales
    assert row["end_log10_alpha"] == -5
    assert row["ratio_end"] == Interval.of("1.01", "1.01")
    assert row["ratio_end_worst"] == Interval.of("0.9", "0.9")


def test_a_path_of_fewer_repetitions_does_not_speak_for_all():
    certificates = [
        of_constants([0.5] * 3),
        of_limits(path="near", error_over_prediction={-4.0: [1.1, 1.2, 1.3]}),
        of_limits(path="far", margin=[0.5, 0.5], error_over_prediction={-300.0: [1, 1]}),
        proofs("constant", [10, 30, 20], depth=2, path="near"),
    ]
    table = made("constants", data(), data(2, path="far"), certificates=certificates)
    row = only(table)
    assert row["repetitions"] == 3
    assert row["ratio_4"] == Interval.of("1.2", "1.2")
    assert row["ratio_end"] is None
    assert "error_over_prediction: no proof" in row["unproved"]


def test_an_error_of_exactly_zero_has_no_constant():
    frame = data(log10_error_1=[0.777, -np.inf, 0.777], log10_prediction=[0.777, 0.777, np.nan])
    certificates = [of_constants([0.5] * 3), proofs("constant", [10, 30, 20], depth=2)]
    certificates[1] = pd.concat([certificates[1], of_limits()], ignore_index=True)
    row = only(made("constants", frame, certificates=certificates))
    # one without a constant for another reason is counted, and said
    assert (row["repetitions"], row["certified"]) == (2, 1)
    assert row["status"] == "1 no first-order constant"
    assert row["constant"] == Interval.of(10, 10)


# --- Constants of an order, and the phase diagram ---


def test_constants_of_an_order_count_signals_that_are_proved_recovered():
    certificates = [
        proofs("rho_planted", [0.5, ("0.99", "1.01"), 1.5, 0.25]),
        proofs("margin", [0.5] * 4),
        proofs("rho", [0.5, 0.4, 0.3, 0.25]),
        *(proofs(f"rho_tilde_{side}", [0.8, 0.9]) for side in ("lower", "upper")),
    ]
    row = only(made("orders", orders_data(4), certificates=certificates))
    assert row["recovered"] == Interval.of("0.5", "0.75")
    assert row["rho_planted"] == Interval.of("0.745", "0.755")
    assert row["rho"] == Interval.of("0.35", "0.35")
    assert row["rho_tilde_lower"] == Interval.of("0.85", "0.85")  # of those that have one
    assert float(row["order_lower"].lower) == 0.777


def test_the_planted_signal_counts_where_the_minimizer_is_not_proved():
    certificates = [
        proofs("rho_planted", [0.5, 1.5]),
        proofs("margin", [0.5, "not strict"]),
        proofs("rho", [0.5]),
    ]
    row = only(made("orders", orders_data(2), certificates=certificates))
    assert row["recovered"] == Interval.of("0.5", "0.5")
    assert row["rho_planted"] == Interval.of("1", "1")
    assert row["unproved"] == "left out: 1 not strict"
    assert row["rho"] == Interval.of("0.5", "0.5")
    certificates[0] = proofs("rho_planted", [0.5, "no dual vector"])
    row = only(made("orders", orders_data(2), certificates=certificates))
    assert row["recovered"] is None
    assert "rho_planted: no dual vector" in row["unproved"]


def test_errors_of_what_is_not_proved():
    """Medians over certified and selected minimizers; a scale that is not on the path is empty."""
    frames = [
        data(
            3,
            status={1: SELECTED, 2: NOT_UNIQUE},
            log10_alpha=log10_alpha,
            log10_error_1=[log10_alpha - 1, log10_alpha + 1, 99.0],
            local_slope=[0.9, 1.1, 99.0],
            estimation_error=[0.5, 1.5, 99.0],
        )
        for log10_alpha in (-8.0, -4.0)
    ]
    table = only(made("errors", *frames))
    assert table["repetitions"] == 3
    assert table["certified"] == 1
    assert table["status"] == f"1 {SELECTED}, 1 {NOT_UNIQUE}"
    assert table["float_error_4"] == pytest.approx(1e-4)
    assert table["float_error_8"] == table["float_error_end"] == pytest.approx(1e-8)
    assert np.isnan(table["float_error_12"])
    assert table["smallest_log10_alpha"] == -8
    assert table["float_slope"] == pytest.approx(1.0)
    assert table["float_distance"] == pytest.approx(1.0)


def test_a_power_that_no_double_holds_is_a_text():
    found = [power(exponent) for exponent in (-299.0, 299.0, -301.0, 301.0)]
    assert found == [pytest.approx(1e-299, abs=0), pytest.approx(1e299), "10^-301", "10^301"]
    assert np.isnan(power(np.nan))
    frame = data(log10_alpha=-400.0, log10_error_1=-401.0, local_slope=1.0, estimation_error=1.0)
    assert only(made("errors", frame))["float_error_end"] == "10^-401"


# --- In floating point ---


def test_constants_in_floating_point_however_small():
    logs = {-4.0: [-2.5, -2.0, -3.0], -400.0: [-401.5, -401.0, -402.0]}
    frames = [
        data(log10_alpha=scale, log10_error_1=log, log10_prediction=log, rate=1.0)
        for scale, log in logs.items()
    ]
    row = only(made("constants", *frames))
    assert row["certified"] == 3
    assert row["measured_4_float"].text(".3g") == "0.00316"
    assert row["constant_float"].text(".3g") == "0.0316"
    assert row["end_log10_alpha"] == -400
    assert row["ratio_end_float"].text(".3g") == "1.00"
    assert row["measured_8_float"] is None


def test_a_float_that_is_not_known_empties_its_column_and_says_so():
    row = only(made("cells", data(rho_upper=[0.5, np.nan, 0.5])))
    assert row["rho_float"] is None and row["unproved"] == "rho: not known"


def test_the_certified_are_as_many_in_every_table():
    """Whether or not there are enclosures of them."""
    status = [CERTIFIED, NOT_UNIQUE, CERTIFIED]
    frame = of_any_table("cells", status)
    found = [
        made("cells", frame, certificates=[of_constants([0.5] * 3, ["too hard"] * 3)]),
        made("cells", frame, certificates=[of_constants([0.5] * 3)]),
        *(
            made(name, of_any_table(name, status))
            for name in TABLES
            if name not in ("phase", "orders")
        ),
    ]
    assert {table["certified"].item() for table in found} == {2}
    assert {table["status"].item() for table in found} == {f"1 {NOT_UNIQUE}"}


def test_rates_have_the_quartiles_and_the_interval_of_the_fits():
    frame = data(
        5,
        fitted_rate=[0.1, 0.2, 0.4, 0.8, 1.6],
        fitted_rate_low=0.11,
        fitted_rate_high=0.99,
        onset_log10_alpha=[-3, -2, -1, np.nan, np.nan],
    )
    margin = [0.5] * 5
    certificates = [of_constants([0.1] * 5, margin)]
    certificates += [of_limits(2, margin=margin, local_slope={-4.0: [0.9] * 5})]
    row = only(made("rates", frame, certificates=certificates))
    wanted = {
        "fitted_lower_quartile": 0.2,
        "fitted_rate": 0.4,
        "fitted_upper_quartile": 0.8,
        "fitted_low": 0.11,
        "fitted_high": 0.99,
        "onset_reached": 3,
    }
    assert {name: float(row[f"{name}_float"].lower) for name in wanted} == wanted
    assert row["onset_alpha_float"].text(".30g") == "0.0100000000000000000000000000000"
    assert row["predicted_rate"] == Interval.of("0.9", "0.9")


# along three scales; slopes that are not those of the errors: either has its column
SLOPES = {-3.0: [0.51, 0.9, 0.504], -4.0: [0.5, 0.52, 0.505]}
ERRORS = {-2.0: [1e-2, 1e-2, 1e-3], -3.0: [3e-3] * 3, -4.0: [1e-4, 1e-3, 1e-4]}
# what is in the middle of evenly spaced scales plays no part
FITS = [1.0, 0.5, 0.5]
WINDOW = {"window_smallest": 1e-4, "window_largest": 1e-2, "scales": 3}


def whole_paths(name, errors=ERRORS, slopes=SLOPES, **columns):
    """The table of three instances whose errors and slopes are enclosed at all scales."""
    limits = of_limits(2, error_1=errors, local_slope=slopes)
    frame = data(**{"fitted_rate": FITS, **WINDOW, **columns})
    return only(made(name, frame, certificates=[of_constants(["0.5"] * 3), limits]))


def test_fits_and_onsets_of_whole_paths_are_proved():
    """None of the floats of the data, 0.777, is shown; ends of bootstrap intervals have margins."""
    row = whole_paths("rates", fitted_rate_low=0.375, fitted_rate_high=0.875)
    shown = {
        "fitted_rate": 0.5,
        "fitted_lower_quartile": 0.5,
        "fitted_upper_quartile": 0.75,
        "fitted_low": 0.375,
        "fitted_high": 0.875,
        # of the first and the third instance the whole path, of the second its smaller half
        "onset_alpha": 1e-2,
        "onset_reached": 3,
    }
    for name, value in shown.items():
        assert f"{name}_float" not in row
        assert float(row[name].lower) <= value * (1 + 1e-15), name
        assert float(row[name].upper) >= value * (1 - 1e-15), name
        assert float(row[name].upper - row[name].lower) <= 1e-14, name


def test_a_bootstrap_interval_is_as_near_as_its_fits():
    """Floats that are off by a hundredth move its ends by no more."""
    row = whole_paths("rates", fitted_rate=[*FITS[:2], 0.51], fitted_rate_low=0.375)
    assert float(row["fitted_low"].lower) == pytest.approx(0.365, abs=1e-12)
    assert float(row["fitted_low"].upper) == pytest.approx(0.385, abs=1e-12)
    assert float(row["fitted_rate"].upper - row["fitted_rate"].lower) <= 1e-14


def test_a_bootstrap_interval_is_as_near_as_the_farther_ends_of_its_fits():
    """The third fit is known to 0.01 only; the doubles are in the middle of the enclosures."""
    half = 10**0.02  # of a slope over two decades, by which its largest error is off
    errors = ERRORS | {-2.0: [1e-2, 1e-2, (1e-3 / half, 1e-3 * half)]}
    row = whole_paths("rates", errors=errors, fitted_rate_low=0.375)
    assert float(row["fitted_low"].lower) == pytest.approx(0.365, abs=1e-12)
    assert float(row["fitted_low"].upper) == pytest.approx(0.385, abs=1e-12)


@pytest.mark.parametrize("with_errors", [False, True])
def test_an_instance_without_a_fit_has_no_part_in_the_interval(with_errors):
    """Of one that is not unique, nothing is proved but that; or there are strange enclosures."""
    frame = data(
        status={1: NOT_UNIQUE},
        **{**WINDOW, "fitted_rate": [1.0, np.nan, 0.52], "fitted_rate_low": 0.375},
    )
    known = {0: "0.5", 1: NOT_UNIQUE, 2: "0.5"}
    errors, slopes = (
        {
            scale: {place: one for place, one in enumerate(of) if with_errors or place != 1}
            for scale, of in what.items()
        }
        for what in (ERRORS, SLOPES)
    )
    limits = of_limits(2, margin=known, error_1=errors, local_slope=slopes)
    row = only(made("rates", frame, certificates=[of_constants(known, known), limits]))
    assert row["unproved"] == "" and row["fitted_rate"].text(".3f") == "0.750"
    # of the third, the double is 0.02 away
    assert float(row["fitted_low"].lower) == pytest.approx(0.355, abs=1e-12)
    assert float(row["fitted_low"].upper) == pytest.approx(0.395, abs=1e-12)


def test_of_an_error_that_is_proved_to_be_0_a_fit_in_doubles_proves_no_interval():
    errors = ERRORS | {-4.0: [1e-4, 0, 1e-4]}
    row = whole_paths("rates", errors=errors, fitted_rate_low=0.375)
    assert row["fitted_low"] is None
    assert "fitted_rate_low: no proof" in row["unproved"]
    assert row["fitted_rate"].text(".3f") == "0.750"  # of the other two


def test_what_a_whole_path_leaves_open_is_said():
    wide = {-3.0: [0.51, 0.9, 0.504], -4.0: [("0.4", "0.6"), 0.52, "no digits"]}
    for name, column in (("rates", "onset_alpha"), ("far", "four_digits")):
        row = whole_paths(name, slopes=wide)
        assert row[column] is None
        assert f"{column}: no digits" in row["unproved"]
    wide[-4.0][2] = 0.505
    row = whole_paths("rates", slopes=wide)
    assert "onset_alpha: whether the slope at log10(alpha) = -4 is near enough" in row["unproved"]
    errors = ERRORS | {-4.0: [1e-4, "too wide", 1e-4]}
    row = whole_paths("rates", errors=errors)
    for column in ("fitted_rate", "fitted_low"):
        assert row[column] is None
        assert f"{column.replace('low', 'rate_low')}: too wide" in row["unproved"]
    missing = {-4.0: [0.5, 0.5, 0.5]}
    assert "onset_alpha: no proof" in whole_paths("rates", slopes=missing)["unproved"]


def test_no_fit_and_an_onset_that_is_not_reached_are_no_numbers():
    columns = dict.fromkeys(["window_smallest", "window_largest", "fitted_rate"], np.nan)
    columns |= dict.fromkeys(["fitted_rate_low", "fitted_rate_high"], np.nan)
    row = whole_paths("rates", slopes=SLOPES | {-4.0: [0.9] * 3}, **columns)
    assert row["fitted_rate"] is row["fitted_low"] is row["onset_alpha"] is None
    assert row["onset_reached"].text(".0f") == "0"
    assert row["unproved"] == ""


def test_a_sample_of_scales_proves_no_fit():
    """One scale of four is missing, of the second instance."""
    row = whole_paths("rates", scales=[3, 4, 3])
    assert "fitted_rate" not in row and row["fitted_rate_float"].text(".3f") == "0.500"


def test_four_digits_of_whole_paths_are_proved():
    slopes = {-3.0: ["0.50004", "0.50006", "0.9"], -4.0: ["0.5", "0.49996", "0.50002"]}
    row = whole_paths("far", slopes=slopes, smallest_log10_alpha=-4.0)
    wanted = {"four_digits": 3, "four_digits_log10_alpha": -3, "four_digits_last": -3}
    assert {name: row[name].lower for name in wanted} == wanted
    slopes[-4.0][1] = "0.6"
    row = whole_paths("far", slopes=slopes, smallest_log10_alpha=-4.0)
    assert (row["four_digits"].lower, row["four_digits_log10_alpha"].lower) == (2, Decimal("-2.5"))
    assert row["reason"].startswith("repetition 1: slope 0.60000 for 0.50000")


def test_the_bounds_of_rho_tilde_keep_their_sides():
    parts = [proofs("margin", [0.5] * 3), proofs("rho", [0.1, 0.2, 0.3])]
    parts += [proofs("rho_tilde_lower", [0.4, 0.5, 0.6]), proofs("rho_tilde_upper", [1, 2, 3])]
    parts += [proofs("kappa", [7, 9, 8])]
    row = only(made("cells", data(), certificates=parts))
    found = {name: row[name] for name in ("rho", "rho_tilde_lower", "rho_tilde_upper", "kappa")}
    assert found == {
        "rho": Interval.of("0.2", "0.2"),
        "rho_tilde_lower": Interval.of("0.5", "0.5"),
        "rho_tilde_upper": Interval.of(2, 2),
        "kappa": Interval.of(8, 8),
    }
    columns = {"rho_lower": 0.1, "rho_upper": 0.2, "rho_tilde_lower": 0.3, "rho_tilde_upper": 0.4}
    row = only(made("cells", data(**columns, kappa=[1.0, 2.0, 4.0])))
    names = ("rho", "rho_tilde_lower", "rho_tilde_upper", "kappa")
    found = [float(row[f"{name}_float"].lower) for name in names]
    assert found == pytest.approx([0.2, 0.3, 0.4, 2.0])


def test_constants_of_an_order_keep_their_sides():
    frame = data(3).assign(order_lower=[0.1, 0.2, 0.3], order_upper=[0.4, 0.6, 0.5])
    parts = [proofs("rho_planted", [0.5, 0.7, 1.5]), proofs("margin", [0.5] * 3)]
    parts += [proofs("rho", [0.3, 0.1, 0.2]), proofs("rho_tilde_lower", [0.4, 0.6, 0.5])]
    parts += [proofs("rho_tilde_upper", [3, 1, 2])]
    frame = frame.drop(columns=["depth", "path"])
    row = only(made("orders", frame, certificates=parts))
    assert row["rho"] == Interval.of("0.2", "0.2")
    assert row["rho_planted"] == Interval.of("0.7", "0.7")
    assert row["recovered"].text(".6f") == "0.666667"
    assert row["rho_tilde_lower"] == Interval.of("0.5", "0.5")
    assert row["rho_tilde_upper"] == Interval.of(2, 2)
    # bounds are exact as the doubles that their stage has proved
    assert [float(row[name].lower) for name in ("order_lower", "order_upper")] == [0.2, 0.5]
    one = made("orders", frame.assign(order_upper=[0.4, np.inf, np.inf]), certificates=parts)
    assert only(one)["order_upper"].text(".3g") == "inf"


def test_the_phase_diagram_counts_what_is_decided():
    """Undecided signals are counted, and no trials of the fit; what is given twice counts once."""
    columns = {"ensemble": "gaussian", "N": 10, "d": 20, "delta": 0.5, "repetition": range(4)}
    outcomes = {2: [1, 1, 1, 0], 4: [1, 1, 1, 1], 6: [0, 0, 0, 1], 8: [0, 0, 0, 0]}
    frames = [
        pd.DataFrame({**columns, "s": s, "sparsity": s / 10, "recovered": np.array(values) == 1})
        for s, values in outcomes.items()
    ]
    frame = pd.concat(frames, ignore_index=True).assign(status=PROVED)
    open_ = ((frame["s"] == 6) & frame["recovered"]) | ((frame["s"] == 2) & ~frame["recovered"])
    frame.loc[open_, "status"] = "undecided: too long"
    row = only(made("phase", frame, frame))
    assert (row["instances"], row["undecided"], row["recovered_signals"]) == (16, 2, 7)
    # success ends between 0.4 and 0.6: what the undecided seem to say is not looked at
    half, lower, upper = (row[name].lower for name in ("half", "half_lower", "half_upper"))
    assert half == pytest.approx(Decimal("0.5"), abs=Decimal("0.01"))
    assert 0.35 < lower < 0.5 < upper < 0.65
    assert row["threshold"].text(".4f") == "0.3857"
    assert row["unproved"] == ""


def test_a_half_point_that_is_not_enclosed_says_why(monkeypatch):
    def refuse(*arguments):
        raise NotProved("too far apart")

    monkeypatch.setattr(phase, "enclose_half_point", refuse)
    frame = pd.DataFrame({"s": [2, 4], "sparsity": [0.2, 0.4], "recovered": [True, False]})
    sizes = {"ensemble": "gaussian", "N": 10, "d": 20, "delta": 0.5, "repetition": 0}
    row = only(made("phase", frame.assign(**sizes, status=PROVED)))
    assert row["unproved"] == "too far apart"
    assert row[list(phase.FITTED)].isna().all()


def test_far_slopes_say_from_where_four_digits_are_right():
    frame = data(
        5,
        {4: NOT_UNIQUE},
        four_digits_log10_alpha=[-10.0, -30.0, -20.0, np.nan, np.nan],
        log10_competitor=-1.0,
        smallest_log10_alpha=-300.0,
        predicted_rate=0.5,
        last_slope=[0.5, 0.52, 0.47, 0.5, 9.0],
    )
    row = only(made("far", frame))
    wanted = {"four_digits": 3, "four_digits_log10_alpha": -20, "four_digits_last": -30}
    assert {name: row[f"{name}_float"].lower for name in wanted} == wanted
    assert row["worst_float"].text(".6f") == "0.030000"
    assert row["reason"].startswith("repetition 3: slope 0.50000 for 0.50000; an entry of higher")
    assert "repetition 4" not in row["reason"]


def test_steps_of_newton():
    """1, ..., 20 and 42: of the way from the first to the last nineteen of twenty steps are 20.

    Over the points of all scales; those that two experiments share count once.
    """
    frames = [
        data(7, {6: NOT_UNIQUE}, newton_steps=[*steps, 99], log10_alpha=scale)
        for scale, steps in {-4.0: range(1, 7), -5.0: range(7, 13), -6.0: range(13, 19)}.items()
    ]
    frames.append(data(3, newton_steps=[19, 20, 42], log10_alpha=-7.0))
    shared = data(2, newton_steps=[1, 2], log10_alpha=-4.0)
    row = only(made("newton", shared, *frames))
    names = ("points", "mean", "median", "percentile_95", "largest")
    assert [row[name] for name in names] == [21, 12, 11, 20, 42]
    assert (row["repetitions"], row["certified"]) == (7, 6)


def test_tightness_divides_each_bound_by_its_own_error():
    """Upper bounds 10 and 10^3 times too large, lower ones 10^2 and 10^4; refined ones less."""
    frame = data(3, {2: NOT_UNIQUE}, log10_alpha=-4.0, log10_error_1=-2.0, log10_error_off=-3.0)
    ends = {"error_off": (1, 2), "error_1": (3, 4), "refined_off": (0.1, 0.2)}
    for name, (above, below) in (ends | {"refined_1": (0.3, 0.4)}).items():
        error = -3.0 if name.endswith("off") else -2.0
        frame[f"log10_{name}_upper"] = [error + above, error + 3 * above, 99]
        frame[f"log10_{name}_lower"] = [error - below, -np.inf, -99]
    row = only(made("tightness", frame))
    assert row["points"] == 2 and "unproved" not in row
    for name, (above, below) in (ends | {"refined_1": (0.3, 0.4)}).items():
        expected = {
            **{"upper": 10 ** (2 * above), "upper_worst": 10 ** (3 * above), "upper_silent": 0},
            **{"lower": 10**below, "lower_worst": 10**below, "lower_silent": 1},
        }
        for end, value in expected.items():
            assert float(row[f"{name}_{end}_float"].lower) == pytest.approx(value)


def test_a_quotient_may_be_beyond_the_doubles():
    frame = of_any_table("tightness", [CERTIFIED] * 3).assign(log10_error_off=-400.25)
    row = only(made("tightness", frame))
    assert row["error_off_upper_float"].text(".3g") == "1.06e+401"  # 10^(0.777 + 400.25)


def quotients(*scales, **values):
    """Proofs of bounds at these scales: quantity -> values at each of them; 1/2 if not given."""
    known = dict.fromkeys(QUOTIENTS, [[0.5] * 3] * len(scales)) | values
    return of_limits(**{name: dict(zip(scales, known[name], strict=True)) for name in known})


def tightness(proved, status=()):
    frames = [
        of_any_table("tightness", [dict(status).get(r, CERTIFIED) for r in range(3)])
        for _ in range(2)
    ]
    scales = [frame.assign(log10_alpha=a) for frame, a in zip(frames, (-4.0, -8.0), strict=True)]
    return only(made("tightness", *scales, certificates=[proved]))


def test_tightness_is_over_the_proved_quotients_of_all_scales():
    """Of 1/2, 1/4, 1/8, 1/16 and 1/32, and one that says nothing."""
    values = [["0.5", "0.25", "0"], [("0.0624", "0.0625"), "0.125", "0.03125"]]
    row = tightness(quotients(-4.0, -8.0, error_over_refined_upper_1=values))
    assert row["points"] == 6 and row["unproved"] == ""
    assert row["refined_1_upper"].text(".6g") == "8.00000"
    assert row["refined_1_upper_worst"] == Interval.of(32, 32)
    assert row["refined_1_upper_silent"] == Interval.of(1, 1)
    for name in ("refined_1_lower", "refined_off_upper", "error_1_upper"):
        assert row[name].text(".6g") == "2.00000"
        assert row[f"{name}_silent"] == Interval.of(0, 0)
    # of an even number the middle one on a logarithmic scale
    values = [["0.5", "0.25", "0.25"], ["0.125", "0.125", "0.0625"]]
    row = tightness(quotients(-4.0, -8.0, lower_over_error_off=values))
    assert row["error_off_lower"].text(".6g") == "5.65685"


def test_tightness_says_what_is_not_proved():
    values = [[0.5] * 3, [0.5, "too wide", 0.5]]
    proved = quotients(-4.0, -8.0, error_over_upper_off=values)
    row = tightness(proved)
    assert row["error_off_upper"] is None and row["error_off_upper_silent"] is None
    assert "error_off_upper: too wide" in row["unproved"]
    assert row["error_1_upper"].text(".3g") == "2.00"
    # of a repetition that is not certified nothing is asked
    row = tightness(proved, {1: NOT_UNIQUE})
    assert row["points"] == 4 and row["error_off_upper"].text(".3g") == "2.00"
    # nor of one whose minimizer is not proved
    margin = proved["repetition"].eq(1) & proved["quantity"].eq("margin")
    row = tightness(proved.assign(status=proved["status"].mask(margin, "not proved: strict")))
    assert row["points"] == 4 and row["unproved"] == "left out: 1 strict"
    # where a scale is missing
    missing = (proved["log10_alpha"] == -8.0) & (proved["repetition"] == 2)
    row = tightness(proved[~missing])
    assert row["error_1_upper"] is None
    assert "error_1_upper: no proof" in row["unproved"]


def test_agreement_and_descent_are_of_the_certified():
    status = {1: NOT_UNIQUE}
    frame = data(4, status, alpha=0.1, form="dual", disagreement=[1e-9, 1.0, 3e-9, 2e-9])
    row = only(made("agreement", frame.assign(steps=[41.0, 999.0, 43.0, 47.0], outcome=CONVERGED)))
    assert (row["disagreement"], row["steps"]) == (3e-9, 40.0)
    columns = {
        "iterations": [10, 99, 20, 40],
        "relative_loss": [1e-3, 9, 2e-3, 4e-3],
        "relative_step_distance": [0.1, 9, 0.2, 0.4],
        "relative_distance": [0.5, 9, 0.6, 0.8],
    }
    frame = data(4, status, alpha=0.1, fraction=0.5, outcome=["a", "not run", "a", "b"], **columns)
    row = only(made("descent", frame))
    assert [row[name] for name in columns] == [20, 2e-3, 0.2, 0.6]
    assert row["outcome"] == "a, b, not run"


def test_agreement_counts_the_flows_without_an_end():
    """Its numbers are over the others; where there are none, it has no column of outcomes."""
    reason = f"{NOT_FOLLOWED}: it has come to rest"
    frame = data(4, {1: NOT_UNIQUE}, alpha=0.1, form="dual", disagreement=[1e-9, 1, 3e-9, 2e-9])
    frame = frame.assign(steps=[41.0, 999.0, 43.0, 47.0])
    lost = frame.assign(outcome=[CONVERGED, NOT_RUN, reason, CONVERGED])
    row = only(made("agreement", lost))
    assert row["outcome"] == f"2 {CONVERGED}, 1 {reason}"
    assert (row["disagreement"], row["certified"]) == (2e-9, 3)
    proved = of_trajectories([2e-9, 4e-9, "the flow has no end", 5e-9], [0.5] * 4, alpha=0.1)
    told = only(made("agreement", lost, certificates=[proved]))["proved_disagreement"]
    assert "(2 of 3)" in told and told.endswith("of 1: the flow has no end")
    known = np.where(frame["status"] == CERTIFIED, CONVERGED, NOT_RUN)
    assert "outcome" not in made("agreement", frame.assign(outcome=known))


def distances(depth, scale, values, status=()):
    """Points of one scale with these distances to x_0."""
    known = {"estimation_error": np.asarray(values, float), "held_out_error": np.nan}
    return data(len(values), status, depth, log10_alpha=scale, **known)


def test_deeper_networks_are_compared_pair_by_pair():
    """Seven repetitions, one of which has no minimizer: the sixth smallest and largest of six
    ratios are the ends of an interval of 1 - 2 (1/2)^6 > 95 %."""
    two = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 1.0]
    ratios = {3: [0.5, 0.9, 0.8, 0.7, 0.6, 0.4, 99.0], 4: [1.5, 0.9, 1.8, 1.7, 1.6, 1.4, 99.0]}
    ratios[6] = [1.5, 1.9, 1.8, 1.7, 1.6, 1.4, 99.0]
    status = {6: NOT_UNIQUE}
    frames = [distances(2, scale, two, status) for scale in (-3.0, -2.0)]
    frames += [distances(D, -3.0, np.multiply(two, r), status) for D, r in ratios.items()]
    # scales that are not round, or beyond those that are compared
    frames += [distances(D, scale, two) for D in (2, 3) for scale in (-2.5, 0.0, -5.0)]
    table = made("deeper", *frames)
    assert table["depth"].tolist() == [3, 4, 6] and set(table["alpha"]) == {1e-3}
    assert set(table["repetitions"]) == {7} and set(table["certified"]) == {6}
    assert table["distance_two_float"].tolist() == [6.0] * 3
    assert table["distance_ratio_float"].to_numpy() == pytest.approx([0.65, 1.55, 1.65])
    assert table["distance_ratio_low_float"].to_numpy() == pytest.approx([0.4, 0.9, 1.4])
    assert table["distance_ratio_high_float"].to_numpy() == pytest.approx([0.9, 1.8, 1.9])
    assert table["nearer_float"].tolist() == [6, 1, 0]
    assert table["nearest_float"].tolist() == ["deeper", "not decided", "two layers"]


def test_few_pairs_decide_nothing_and_none_have_no_number():
    few = only(made("deeper", distances(2, -1.0, [1.0] * 5), distances(3, -1.0, [0.5] * 5)))
    assert (few["distance_ratio_float"], few["nearer_float"]) == (0.5, 5)
    assert few["nearest_float"] == "not decided"
    assert np.isnan(few["distance_ratio_low_float"]) and np.isnan(few["distance_ratio_high_float"])
    unknown = [distances(D, -1.0, [np.nan] * 7) for D in (2, 3)]  # where x_0 is not known
    row = only(made("deeper", *unknown))
    assert (row["repetitions"], row["nearest_float"]) == (7, "not decided")
    assert pd.isna(row[["distance_float", "distance_ratio_float", "nearer_float"]]).all()
    assert made("deeper", distances(3, -1.0, [1.0] * 7)).empty


def test_where_no_signal_is_known_the_rows_held_out_are_compared():
    frames = [
        distances(D, -2.0, [np.nan] * 6).assign(held_out_error=np.arange(1.0, 7.0) * factor)
        for D, factor in ((2, 1.0), (3, 2.0))
    ]
    row = only(made("deeper", *frames))
    assert (row["distance_two_float"], row["distance_float"]) == (3.5, 7.0)
    assert row["distance_ratio_float"] == 2.0
    # where both are known the distance to x_0 is meant
    both = [frame.assign(estimation_error=np.arange(1.0, 7.0)) for frame in frames]
    assert only(made("deeper", *both))["distance_ratio_float"] == 1.0
    assert (row["nearer_float"], row["nearest_float"]) == (0, "two layers")


def test_reasons_stand_in_their_rows_beside_proofs_of_other_cells():
    """Certificates are of paths of cells; a table may show one of several."""
    frames = [data(depth=depth, path="near") for depth in (2, 3)]
    certificates = [
        of_limits(depth, path, local_slope={-12.0: [0.5, 0.5, f"why {depth} {path}"]})
        for depth in (2, 3)
        for path in ("before", "near")
    ]
    table = made("rates", *frames, certificates=[of_constants([0.5] * 3), *certificates])
    reasons = [next(filter(lambda why: "why" in why, row.split("; "))) for row in table["unproved"]]
    assert reasons == [f"local_slope: why {depth} near" for depth in (2, 3)]


def proved_distances(depth, scale, values, margin=None, quantity="estimation_error"):
    """What is proved of such points: of each repetition (lower, upper), or why not."""
    margin = [0.5] * len(values) if margin is None else margin
    parts = [proofs("margin", margin, depth=depth, path="near")]
    return pd.concat([*parts, proofs(quantity, values, scale, depth, "near")], ignore_index=True)


def test_ratios_of_enclosed_errors_are_enclosed():
    """The ends of every ratio are those that are farthest apart; the floats are not looked at."""
    frames = [distances(D, -3.0, [0.777] * 7, {6: NOT_UNIQUE}) for D in (2, 3)]
    two = [("1.9", "2.1")] * 7
    three = [(f"0.{k}", f"0.{k}5") for k in range(1, 7)] + [("9", "9")]
    certificates = [proved_distances(2, -3.0, two), proved_distances(3, -3.0, three)]
    row = only(made("deeper", *frames, certificates=certificates))
    assert (row["repetitions"], row["certified"], row["unproved"]) == (7, 6, "")
    assert row["distance_two"] == Interval.of("1.9", "2.1")
    assert row["distance"] == Interval.of("0.35", "0.4")
    low, high = row["distance_ratio_low"], row["distance_ratio_high"]
    for found, (lower, upper) in {
        low: (0.1 / 2.1, 0.15 / 1.9),
        high: (0.6 / 2.1, 0.65 / 1.9),
        row["distance_ratio"]: (0.35 / 2.1, 0.4 / 1.9),
    }.items():
        assert [float(found.lower), float(found.upper)] == pytest.approx([lower, upper])
    assert row["nearer"] == Interval.of(6, 6) and row["nearest"] == "deeper"
    assert not any(name.endswith("_float") for name in row.index)


def test_enclosures_are_over_the_certified_and_the_table_says_so():
    frames = [distances(D, -3.0, [1.0] * 5 + [3.0], {5: SELECTED}) for D in (2, 3)]
    why = ["there is another minimizer"]
    certificates = [proved_distances(D, -3.0, [(1, 1)] * 5 + why, [0.5] * 5 + why) for D in (2, 3)]
    proved, floats = (made("deeper", *frames, certificates=one) for one in (certificates, None))
    assert only(proved)["distance"] == Interval.of(1, 1) and only(proved)["certified"] == 5
    assert "the certified ones alone" in " ".join(notes(proved, TABLES["deeper"].over))
    assert only(floats)["nearer_float"] == 0.0 and only(floats)["nearest_float"] == "not decided"
    assert "these and the certified ones" in " ".join(notes(floats, TABLES["deeper"].over))


def test_what_enclosures_do_not_decide_is_not_decided():
    """A ratio that may be on either side of 1 is in neither count, and its end decides nothing."""
    frames = [distances(D, -3.0, [0.777] * 6) for D in (2, 3)]
    two, below = [(1, 1)] * 6, [(0.5, 0.5)] * 5
    for last, nearest, count in (
        ((0.9, 0.95), "deeper", (6, 6)),
        ((0.99, 1.01), "not decided", (5, 6)),
        ((1.0, 1.0), "not decided", (5, 5)),
    ):
        certificates = [proved_distances(2, -3.0, two), proved_distances(3, -3.0, [*below, last])]
        row = only(made("deeper", *frames, certificates=certificates))
        assert (row["nearest"], row["nearer"]) == (nearest, Interval.of(*count))
    above = [proved_distances(2, -3.0, two), proved_distances(3, -3.0, [(1.01, 2)] * 6)]
    assert only(made("deeper", *frames, certificates=above))["nearest"] == "two layers"
    few = [proved_distances(2, -3.0, two[:5]), proved_distances(3, -3.0, below)]
    frames = [distances(D, -3.0, [0.777] * 5) for D in (2, 3)]
    row = only(made("deeper", *frames, certificates=few))
    assert row["nearest"] == "not decided" and pd.isna(row["distance_ratio_low"])
    assert row["distance_ratio"] == Interval.of("0.5", "0.5")


def test_an_error_that_is_not_proved_leaves_no_ratio():
    frames = [distances(D, -3.0, [0.777] * 6) for D in (2, 3)]
    exact = [(1, 1)] * 6
    for two, three, why in (
        (exact, [*exact[:5], "the radius is too large"], "the radius is too large"),
        ([*exact[:5], "no contraction"], exact, "no contraction"),
        ([*exact[:5], (0, 1)], exact, "an error at D = 2 may be 0"),
    ):
        certificates = [proved_distances(2, -3.0, two), proved_distances(3, -3.0, three)]
        row = only(made("deeper", *frames, certificates=certificates))
        assert pd.isna(row["distance_ratio"]) and pd.isna(row["nearest"])
        assert f"ratio: {why}" in row["unproved"]
    # an instance whose minimizer is not proved is in no number
    margin = [0.5] * 5 + ["A_S is odd"]
    certificates = [
        proved_distances(2, -3.0, exact, margin),
        proved_distances(3, -3.0, [(2, 2)] * 5 + [(99, 99)], margin),
    ]
    row = only(made("deeper", *frames, certificates=certificates))
    assert row["distance_ratio"] == Interval.of(2, 2) and row["nearest"] == "not decided"
    assert row["unproved"] == "left out: 1 A_S is odd"


def test_one_table_is_proved_whole_or_not_at_all():
    """Of a network that starts from another shape nothing is proved."""
    frames = [distances(D, scale, [0.5] * 6) for D in (2, 3) for scale in (-3.0, -2.0)]
    certificates = [proved_distances(D, -3.0, [(1, 1)] * 6) for D in (2, 3)]
    table = made("deeper", *frames, certificates=certificates)
    assert table["distance_float"].tolist() == [0.5, 0.5] and "distance" not in table
    more = [proved_distances(D, -2.0, [(1, 1)] * 6) for D in (2, 3)]
    table = made("deeper", *frames, certificates=certificates + more)
    assert table["distance"].tolist() == [Interval.of(1, 1)] * 2
    # a problem without x_0 and rows held out has no number that could be proved
    frames += [distances(D, -1.0, [np.nan] * 6) for D in (2, 3)]
    table = made("deeper", *frames, certificates=certificates + more)
    assert table["distance"].isna().tolist() == [False, False, True]


def test_rows_held_out_are_compared_in_enclosures():
    frames = [distances(D, -2.0, [np.nan] * 6).assign(held_out_error=0.777) for D in (2, 3)]
    held_out = [proved_distances(D, -2.0, [(D, D)] * 6, quantity="held_out_error") for D in (2, 3)]
    row = only(made("deeper", *frames, certificates=held_out))
    assert row["distance_ratio"].overlaps(Interval.of("1.5", "1.5"))
    both = [*held_out, *(proved_distances(D, -2.0, [(1, 1)] * 6) for D in (2, 3))]
    for order in (both, both[::-1]):  # where both are known the distance to x_0 is meant
        row = only(made("deeper", *frames, certificates=order))
        assert row["distance_ratio"] == Interval.of(1, 1)


def test_what_is_compared_is_said_beside_the_table_as_it_is():
    """An error that is no distance to x_0 has no such name, and the ratio is explained."""
    held_out = [
        distances(D, -2.0, [np.nan] * 6).assign(held_out_error=np.full(6, float(D))) for D in (2, 3)
    ]
    table = made("deeper", *held_out)
    headings = " ".join(shown(table).columns)
    assert "error at D = 2" in headings and "distance" not in headings and "near" not in headings
    said = " ".join(notes(table, [CERTIFIED]))
    assert "Ratio: the median over the repetitions of (error at D) / (error at D = 2)" in said
    assert "rows that were held out" in said
    without = made("deeper", *(distances(D, -1.0, [np.nan] * 6) for D in (2, 3)))
    assert "Ratio" not in " ".join(notes(without, [CERTIFIED]))


def test_errors_have_the_slope_and_the_distance_of_the_smallest_scale():
    frames = [
        data(
            3,
            log10_alpha=scale,
            log10_error_1=[scale - 1, scale, scale + 2],
            local_slope=[-0.1 * scale, -0.2 * scale, -0.4 * scale],
            estimation_error=[-scale, -2 * scale, -4 * scale],
        )
        for scale in (-4.0, -8.0, -12.0, -20.0)
    ]
    row = only(made("errors", *frames))
    assert row["smallest_log10_alpha"] == -20.0
    assert (row["float_slope"], row["float_distance"]) == (4.0, 40.0)
    names = ("4", "8", "12", "end")
    found = [row[f"float_error_{name}"] for name in names]
    assert found == pytest.approx([1e-4, 1e-8, 1e-12, 1e-20], abs=0.0)
