"""Tables: proved columns hold digits of enclosures, floats are marked, nothing is passed over."""

import subprocess
import sys
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from implicit_l1.proof.intervals import Interval, stands_for
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, PROVED, SELECTED, UNDECIDED, UNIQUE_IN_FLOATS
from pipeline.storage import write_table
from pipeline.tidy import with_cell
from tables import write as tables
from tables.write import COLUMNS, TABLES, Unproved, digits_of, shown, tabular_of
from workflow_runs import ROOT

CELL = {"ensemble": "gaussian", "N": 20, "d": 60, "s": 2, "eta": 0.1, "m": None}
CELL |= {"family_rho": None}


def data(count=3, status=(), depth=2, path="near", repetitions=None, **columns):
    """Rows of instances; every float in them is 0.777, which no proved column may show."""
    status = dict(status)
    names = ["fitted_rate", "fitted_rate_low", "fitted_rate_high", "onset_alpha", "rho_upper"]
    names += ["rho_lower", "rho_tilde_lower", "rho_tilde_upper", "kappa", "log10_prediction"]
    names += ["log10_error_1", "four_digits_log10_alpha", "log10_competitor"]
    names += ["log10_correction", "last_slope"]
    frame = pd.DataFrame(dict.fromkeys(names, 0.777), index=range(count))
    frame["repetition"] = range(count)
    frame["repetitions"] = repetitions or count
    frame["status"] = [status.get(r, CERTIFIED) for r in range(count)]
    frame["support_size"] = 2
    frame["product"], frame["noiseless_support"] = False, 0
    frame["rho_tilde_method"] = "enumeration"
    frame["asymptotics_status"] = "known"
    for name, values in columns.items():
        frame[name] = values
    return in_cell(frame, depth, path)


def in_cell(frame, depth, path):
    cell = CELL | {"depth": depth, "path": path}
    return with_cell(cell, frame)


def proofs(quantity, values, scale=np.nan, depth=None, path=None):
    """Rows of certificates: each value a number, (lower, upper), or the reason why there is none.

    Args:
        values: repetition -> value, or a list of them.
    """
    values = values if isinstance(values, dict) else dict(enumerate(values))
    rows = []
    for repetition, value in values.items():
        is_proved = not (isinstance(value, str) and any(map(str.isalpha, value)))
        ends = value if isinstance(value, tuple) else (value, value)
        rows.append(
            {
                "repetition": repetition,
                "quantity": quantity,
                "log10_alpha": scale,
                "lower": str(ends[0]) if is_proved else "",
                "upper": str(ends[1]) if is_proved else "",
                "status": PROVED if is_proved else f"not proved: {value}",
            }
        )
    return in_cell(pd.DataFrame(rows), depth, path)


def of_constants(rho, margin=(0.5, 0.5, 0.5)):
    """What is proved of the problems."""
    parts = [proofs("margin", margin), proofs("rho", rho)]
    parts += [proofs(f"rho_tilde_{side}", [0.8, 0.9, 1.25]) for side in ("lower", "upper")]
    parts += [proofs("kappa", [2, 4, 3])]
    return pd.concat(parts, ignore_index=True)


def made(name, *frames, certificates):
    frame = pd.concat(frames, ignore_index=True)
    return TABLES[name](frame, pd.concat(certificates, ignore_index=True))


def only(table):
    assert len(table) == 1
    return table.iloc[0]


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


# What is not proved


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


def test_a_number_without_proof_empties_its_column_and_says_why():
    certificates = [of_constants([0.25, "no kernel vector was found", 0.35])]
    table = made("cells", data(), certificates=certificates)
    row = only(table)
    assert row["rho"] is None
    assert row["rho_smallest"] is None
    assert row["unproved"] == "rho: no kernel vector was found"
    assert row["certified"] == 3
    for text in (digits_of(table), shown(table, latex=False), shown(table, latex=True)):
        assert "no kernel vector was found" in text.to_csv()
        assert "0.777" not in text.to_csv()
    assert digits_of(table)["rho"].tolist() == [""]


def test_no_proof_at_all_leaves_the_numbers_empty():
    certificates = [of_constants({}, ["too hard"] * 3)]
    table = made("cells", data(), certificates=certificates)
    row = only(table)
    assert (row["repetitions"], row["certified"]) == (3, 3)
    assert row["unproved"] == "left out: 3 too hard"
    assert "0.777" not in shown(table, latex=False).to_csv()


def test_a_float_is_never_printed_in_place_of_an_enclosure():
    table = pd.DataFrame({"rho": [0.777]})
    with pytest.raises(TypeError, match="no enclosure"):
        digits_of(table)
    with pytest.raises(TypeError, match="no enclosure"):
        shown(table, latex=False)


# Rates, far slopes, constants


def of_limits(depth=2, path="near", margin=(0.5, 0.5, 0.5), **quantities):
    """What is proved of limit points: quantity -> scale -> values."""
    parts = [proofs("margin", margin, depth=depth, path=path)]
    for quantity, scales in quantities.items():
        for scale, values in scales.items():
            parts.append(proofs(quantity, values, scale, depth, path))
    return pd.concat(parts, ignore_index=True)


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
    assert two["fitted_rate"] == 0.777
    only_wide = made("rates", data(1), certificates=certificates[:2])
    assert only(only_wide)["predicted_rate"] == Interval.of("0.74", "0.75")


def test_the_rate_of_depth_three_needs_no_rho():
    certificates = [of_constants([0.25, "too hard", 0.35])]
    certificates += [of_limits(depth, local_slope={-4.0: [1, 1, 1]}) for depth in (2, 3)]
    table = made("rates", data(), data(depth=3), certificates=certificates)
    two, three = (table[table["depth"] == depth].iloc[0] for depth in (2, 3))
    assert two["predicted_rate"] is None
    assert two["unproved"] == "predicted_rate: too hard"
    assert three["predicted_rate"] == Interval.of(1, 1)
    assert three["unproved"] == ""


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
    assert row["fitted_rate"] == 0.5


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
    assert row["four_digits"] == 3
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
    assert row["four_digits"] == 1
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


# The phase diagram


def phase_data(count, **columns):
    frame = data(count, **columns)
    return frame.assign(order_lower=0.777, order_upper=0.777).drop(columns=["depth", "path"])


def test_the_phase_diagram_counts_signals_that_are_proved_recovered():
    certificates = [
        proofs("rho_planted", [0.5, ("0.99", "1.01"), 1.5, 0.25]),
        proofs("margin", [0.5] * 4),
        proofs("rho", [0.5, 0.4, 0.3, 0.25]),
        *(proofs(f"rho_tilde_{side}", [0.8, 0.9]) for side in ("lower", "upper")),
    ]
    row = only(made("phase", phase_data(4), certificates=certificates))
    assert row["recovered"] == Interval.of("0.5", "0.75")
    assert row["rho_planted"] == Interval.of("0.745", "0.755")
    assert row["rho"] == Interval.of("0.35", "0.35")
    assert row["rho_tilde_lower"] == Interval.of("0.85", "0.85")  # of those that have one
    assert row["order_lower"] == 0.777


def test_the_planted_signal_counts_where_the_minimizer_is_not_proved():
    certificates = [
        proofs("rho_planted", [0.5, 1.5]),
        proofs("margin", [0.5, "not strict"]),
        proofs("rho", [0.5]),
    ]
    row = only(made("phase", phase_data(2), certificates=certificates))
    assert row["recovered"] == Interval.of("0.5", "0.5")
    assert row["unproved"] == "left out: 1 not strict"
    assert row["rho"] == Interval.of("0.5", "0.5")
    certificates[0] = proofs("rho_planted", [0.5, "no dual vector"])
    row = only(made("phase", phase_data(2), certificates=certificates))
    assert row["recovered"] is None
    assert "rho_planted: no dual vector" in row["unproved"]


# Text


def rates_of(rho, slopes):
    certificates = [of_constants(rho), of_limits(local_slope={-4.0: slopes})]
    return made("rates", data(), certificates=certificates)


RHO = [("0.123456789012", "0.123456789014")] * 3
SLOPES = [("0.87654", "0.87666")] * 3


def test_proved_columns_show_digits_to_which_both_ends_round():
    table = rates_of(RHO, SLOPES)
    for text, style in [(digits_of(table), "csv"), (shown(table, latex=False), "style")]:
        for name in ("predicted_rate", "last_slope"):
            heading = name if style == "csv" else COLUMNS[name].heading
            printed, enclosure = text[heading].iloc[0], table[name].iloc[0]
            assert printed == enclosure.text(getattr(COLUMNS[name], style))
            meant = stands_for(printed)
            assert meant.lower <= enclosure.lower <= enclosure.upper <= meant.upper
    assert digits_of(table)["predicted_rate"].tolist() == ["0.8765432110"]
    assert shown(table, latex=False)["predicted rate"].tolist() == ["0.8765"]
    # its enclosure decides three digits
    assert shown(table, latex=False)["slope at the smallest α"].tolist() == ["0.877"]


def test_floats_are_marked():
    table = rates_of(RHO, SLOPES)
    csv = digits_of(table)
    marked = {name for name in COLUMNS if COLUMNS[name].kind == tables.FLOAT}
    assert {"fitted_rate", "onset_alpha"} <= marked
    for name in table:
        assert (f"{name}_float" in csv.columns) == (name in marked)
        assert (name in csv.columns) == (name not in marked)
    headings = shown(table, latex=False).columns
    assert "fitted rate †" in headings
    assert "predicted rate" in headings
    assert r"fitted rate$^\dagger$" in shown(table, latex=True).columns


SIGNS = {
    r"\tilde\varrho": "ϱ~",
    r"\varrho": "ϱ",
    r"\log_{10}": "log₁₀ ",
    r"\alpha": "α",
    r"\eta": "η",
    r"\kappa": "κ",
    r"\ge": " ≥",
    r"\le": " ≤",
    r"\|": "‖",
    r"\,\%": " %",
    "n_{S^c}": "n_Sc",
    "‖_1": "‖₁",
    "x_0": "x₀",
    "10^{-": "1e-",
    "}": "",
    "$": "",
}


@pytest.mark.parametrize("name", COLUMNS)
def test_headings_say_the_same_in_latex(name):
    text = COLUMNS[name].latex
    for latex, sign in SIGNS.items():
        text = text.replace(latex, sign)
    assert " ".join(text.split()) == " ".join(COLUMNS[name].heading.split())


def test_large_and_small_numbers_in_latex():
    table = pd.DataFrame(
        {
            "kappa": [Interval.of("1.2345e7", "1.2345e7"), Interval.of("1e-54076", "1e-54076")],
            "onset_alpha": [1.5e-9, np.nan],
        }
    )
    text = shown(table, latex=True)
    assert text[r"$\kappa$"].tolist() == [r"$1.23\cdot 10^{7}$", r"$1.00\cdot 10^{-54076}$"]
    assert text[r"onset $\alpha$$^\dagger$"].tolist() == [r"$1.5\cdot 10^{-9}$", ""]


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_latex_is_that_of_pandas(rows):
    table = rates_of(RHO, SLOPES)
    text = pd.concat([shown(table, latex=True)] * 3, ignore_index=True)[:rows]
    styled = text.style.hide(axis="index")
    assert tabular_of(text) == styled.to_latex(hrules=True, column_format="l" * text.shape[1])


def test_reasons_are_no_numbers():
    assert isinstance(Unproved("why"), str)
    text = digits_of(pd.DataFrame({"unproved": ["rho: too_hard"], "rho": [None]}))
    assert text["unproved"].tolist() == ["rho: too_hard"]
    assert text["rho"].tolist() == [""]


# The program


@pytest.mark.parametrize(
    ("product", "support", "words"),
    [(True, 2, "taken as A x exactly"), (False, 2, "explains them"), (False, -1, "not known")],
)
def test_how_data_were_taken_is_in_the_table_of_problems(product, support, words):
    """Also of a problem of which nothing is proved; a column only where there is such a word."""
    known = of_constants([0.5, 0.4, 0.6])
    assert "data" not in made("cells", data(), certificates=[known])
    frame = data(1, product=product, noiseless_support=support)
    for certificates in (known, known[known["repetition"] > 0]):
        table = made("cells", frame, certificates=[certificates])
        assert words in table["data"].item()
        assert words in shown(table, latex=False)["y"].item()
        assert words in digits_of(table)["data"].item()


def run_program(folder, name, frame, certificates):
    write_table(folder / "data.parquet", frame)
    options = ["--table", name, "--input", "data.parquet"]
    if certificates is not None:
        write_table(folder / "proofs.parquet", certificates)
        options += ["--certificates", "proofs.parquet"]
    for kind, suffix in {"csv": "csv", "markdown": "md", "latex": "tex", "html": "html"}.items():
        options += [f"--{kind}", f"t.{suffix}"]
    options += ["--origin", "t.json", "--rule", f"table_{name}", "--configuration", "{}"]
    subprocess.run(
        [sys.executable, ROOT / "scripts/tables/write.py", *options], cwd=folder, check=True
    )
    return {
        s: (folder / f"t.{s}").read_text(encoding="utf-8") for s in ("csv", "md", "tex", "html")
    }


def test_every_format_marks_floats_and_shows_enclosures(tmp_path):
    certificates = [of_constants(RHO), of_limits(local_slope={-4.0: SLOPES})]
    texts = run_program(tmp_path, "rates", data(), pd.concat(certificates, ignore_index=True))
    assert all("0.8765" in text for text in texts.values())
    assert all(text.count(tables.FLOAT_NOTE) == 1 for s, text in texts.items() if s != "csv")
    assert "fitted rate †" in texts["md"]
    assert "fitted rate †" in texts["html"]
    assert r"fitted rate$^\dagger$" in texts["tex"]
    assert "†" not in texts["tex"]
    table = pd.read_csv(StringIO(texts["csv"]))
    assert table["predicted_rate"].tolist() == [0.876543211]
    assert table["fitted_rate_float"].tolist() == [0.777]
    assert table["repetitions"].tolist() == [3]
    assert table["family_rho"].isna().all()


def test_a_table_without_floats_has_no_note(tmp_path):
    texts = run_program(tmp_path, "cells", data(), of_constants(RHO))
    assert not any("†" in text or "dagger" in text or "_float" in text for text in texts.values())


def test_reasons_are_in_every_format(tmp_path):
    certificates = of_constants([0.25, "it is too hard", 0.35], [0.5, 0.5, "A_S is odd"])
    texts = run_program(tmp_path, "cells", data(), certificates)
    for suffix, text in texts.items():
        assert "rho: it is too hard" in text
        assert "A S is odd" in text or (suffix == "csv" and "A_S is odd" in text)
        assert "0.777" not in text


def test_tables_of_floats_need_no_certificates(tmp_path):
    frame = data(alpha=1e-3, form="plain", disagreement=0.777, steps=100.0)
    texts = run_program(tmp_path, "agreement", frame, None)
    assert "disagreement_float" in texts["csv"]
    assert "disagreement below †" in texts["md"]


def test_errors_of_what_is_not_proved():
    """Medians over certified and selected minimizers; a scale that is not on the path is empty."""
    frames = [
        data(
            3,
            status={1: SELECTED, 2: NOT_UNIQUE},
            log10_alpha=log10_alpha,
            log10_error_1=[log10_alpha - 1, log10_alpha + 1, np.nan],
            local_slope=[0.9, 1.1, np.nan],
            estimation_error=[0.5, 1.5, np.nan],
        )
        for log10_alpha in (-8.0, -4.0)
    ]
    table = only(TABLES["errors"](pd.concat(frames, ignore_index=True), None))
    assert table["repetitions"] == 3
    assert table["certified"] == 1
    assert table["status"] == f"1 {SELECTED}, 1 {NOT_UNIQUE}"
    assert table["float_error_4"] == pytest.approx(1e-4)
    assert table["float_error_8"] == table["float_error_end"] == pytest.approx(1e-8)
    assert np.isnan(table["float_error_12"])
    assert table["smallest_log10_alpha"] == -8
    assert table["float_slope"] == pytest.approx(1.0)
    assert table["float_distance"] == pytest.approx(1.0)


# Where nothing was to be proved

RHO_OF_THREE, RATES, LAST = [0.25, 0.5, 0.4], [0.75, 0.5, 0.6], [0.7, 0.55, 0.61]


@pytest.mark.parametrize("name", ["cells", "rates", "far"])
def test_tables_hold_marked_floats_where_nothing_was_to_be_proved(name):
    """The same statistics as of enclosures, under other names."""
    tilde = {key: [0.8, 0.9, 1.25] for key in ["rho_tilde_lower", "rho_tilde_upper"]}
    frame = data(
        **{"rho_upper": RHO_OF_THREE, "kappa": [2.0, 4.0, 3.0], "predicted_rate": RATES},
        **{"last_slope": LAST, "smallest_log10_alpha": -4.0},
        **tilde,
    )
    certificates = [of_constants(RHO_OF_THREE), of_limits(local_slope={-4.0: LAST})]
    proved, floats = made(name, frame, certificates=certificates), TABLES[name](frame, None)
    assert len(floats) == 1 and floats["certified"].item() == 3
    one, other = digits_of(proved).iloc[0], digits_of(floats).iloc[0]
    for column in proved:
        if COLUMNS[column].kind == tables.PROVED:
            assert f"{column}_float" in other and column not in other
            assert float(other[f"{column}_float"]) == pytest.approx(float(one[column]), rel=1e-5)
        else:
            assert column in floats
    assert floats["unproved"].item() == ""
    headings = shown(floats, latex=False)
    heading = COLUMNS["rho" if name == "cells" else "predicted_rate"].heading
    assert f"{heading} †" in headings and heading not in headings
    text = " ".join(tables.notes(floats, name))
    assert "enclosures" not in text and tables.EXACT_NOTE in text


def test_constants_in_floating_point_however_small():
    logs = {-4.0: [-2.5, -2.0, -3.0], -400.0: [-401.5, -401.0, -402.0]}
    frames = [
        data(log10_alpha=scale, log10_error_1=log, log10_prediction=log, rate=1.0)
        for scale, log in logs.items()
    ]
    row = only(TABLES["constants"](pd.concat(frames, ignore_index=True), None))
    assert row["certified"] == 3
    assert row["measured_4_float"].text(".3g") == "0.00316"
    assert row["constant_float"].text(".3g") == "0.0316"
    assert row["end_log10_alpha"] == -400
    assert row["ratio_end_float"].text(".3g") == "1.00"
    assert row["measured_8_float"] is None


def test_a_float_that_is_not_known_empties_its_column_and_says_so():
    row = only(TABLES["cells"](data(rho_upper=[0.5, np.nan, 0.5]), None))
    assert row["rho_float"] is None and row["unproved"] == "rho: not known"


# Statuses, and what is said under a table

WHY = f"{UNDECIDED}: the exact pivots took longer than 10 s"
SIDES = [
    f"log10_{name}_{side}"
    for name in ("error_off", "error_1", "refined_off", "refined_1")
    for side in ("upper", "lower")
]
OF_FLOATS = ["agreement", "newton", "errors", "tightness", "descent"]


def of_any_table(status):
    """Rows with the columns of every table, of three instances with these statuses."""
    known = [word in (CERTIFIED, SELECTED, UNIQUE_IN_FLOATS) for word in status]
    numbers = ["disagreement", "steps", "newton_steps", "local_slope", "estimation_error"]
    numbers += ["iterations", "relative_loss", "relative_step_distance", "relative_distance"]
    columns = dict.fromkeys(numbers, np.where(known, 0.777, np.nan))
    columns |= dict.fromkeys(["log10_error_off", *SIDES, "predicted_rate"], 0.777)
    columns |= {"alpha": 1e-4, "form": "dual", "fraction": 0.5, "outcome": "converged"}
    columns |= {"log10_alpha": -4.0, "smallest_log10_alpha": -4.0, "rate": 1.0}
    return data(3, dict(enumerate(status)), **columns)


@pytest.mark.parametrize("name", OF_FLOATS)
@pytest.mark.parametrize("status", [SELECTED, UNIQUE_IN_FLOATS])
def test_what_is_not_proved_is_not_counted_as_certified(name, status):
    table = TABLES[name](of_any_table([status, status, CERTIFIED]), None)
    row = only(table)
    assert (row["repetitions"], row["certified"]) == (3, 1)
    assert row["status"] == f"2 {status}"
    text = " ".join(tables.notes(table, name))
    assert tables.STATUS_NOTES[status] in text
    beside = name in tables.OF_ALL_MEASURED
    assert ("these and the certified ones" in text) == beside
    if name in ("newton", "tightness"):
        assert row["points"] == (3 if beside else 1)


@pytest.mark.parametrize("name", ["cells", *OF_FLOATS])
@pytest.mark.parametrize(
    "status",
    [
        [CERTIFIED] * 3,
        [CERTIFIED, NOT_UNIQUE, WHY],
        [NOT_UNIQUE] * 3,
        [SELECTED, UNIQUE_IN_FLOATS, WHY],
    ],
)
def test_the_note_covers_what_is_in_the_table(name, status):
    """The statuses that are there and no others, and marks where there are any."""
    table = TABLES[name](of_any_table(status), of_constants([0.5] * 3) if name == "cells" else None)
    text = " ".join(tables.notes(table, name))
    for word, sentence in tables.STATUS_NOTES.items():
        there = word == CERTIFIED or any(found.startswith(word) for found in status)
        assert (f"{word[0].upper()}{word[1:]}: {sentence}." in text) == there
    marked = any("†" in heading for heading in shown(table, latex=False))
    assert ("†" in text) == marked
    assert (tables.PROVED_NOTE in text) <= (name == "cells")


def test_the_certified_are_as_many_in_every_table():
    """Whether or not there are enclosures of them."""
    frame = of_any_table([CERTIFIED, NOT_UNIQUE, CERTIFIED])
    found = [
        TABLES["cells"](frame, of_constants([0.5] * 3, ["too hard"] * 3)),
        TABLES["cells"](frame, of_constants([0.5] * 3)),
        *(TABLES[name](frame, None) for name in TABLES if name != "phase"),
    ]
    assert {table["certified"].item() for table in found} == {2}
    assert {table["status"].item() for table in found} == {f"1 {NOT_UNIQUE}"}


# Tables of nothing


@pytest.mark.parametrize("proved", [True, False])
@pytest.mark.parametrize("known", [False, True])
def test_a_table_of_nothing_can_be_read(tmp_path, proved, known):
    """Nothing certified: a row that says so; certified with an error of 0: a sentence."""
    status = {} if known else dict.fromkeys(range(3), NOT_UNIQUE)
    none = dict.fromkeys(["log10_error_1", "log10_prediction"], -np.inf if known else np.nan)
    frame = data(3, status, log10_alpha=-4.0, rate=1.0, **none)
    certificates = pd.concat([of_constants([0.5] * 3), of_limits()], ignore_index=True)
    texts = run_program(tmp_path, "constants", frame, certificates if proved else None)
    table = pd.read_csv(StringIO(texts["csv"]))
    assert len(table) == (0 if known else 1)
    assert {"ensemble", "depth", "repetitions", "certified", "status"} <= set(table)
    for suffix in ("md", "html", "tex"):
        assert "certified unique" in texts[suffix]
        assert (tables.NO_ROWS in texts[suffix]) == known
        assert (NOT_UNIQUE in texts[suffix]) != known


@pytest.mark.parametrize("name", [name for name in TABLES if name != "phase"])
def test_a_table_without_rows_has_its_columns(name):
    frame = of_any_table([CERTIFIED] * 3)
    text = digits_of(TABLES[name](frame.head(0), None))
    assert text.empty and list(text) == list(digits_of(TABLES[name](frame, None)))


# Words


def test_names_of_files_are_printed_as_they_are(tmp_path):
    label = "my_data/wind_unique.csv, my_data/y_1.csv"
    certificates = of_constants([0.5]).assign(ensemble=label)
    texts = run_program(tmp_path, "cells", data(1).assign(ensemble=label), certificates)
    assert all(label in texts[suffix] for suffix in ("csv", "md", "html"))
    assert label.replace("_", r"\_") in texts["tex"]
    other = of_constants([0.5] * 3).assign(ensemble="one_kernel")
    table = made("cells", data().assign(ensemble="one_kernel"), certificates=[other])
    assert shown(table, latex=False)["ensemble"].tolist() == ["one kernel"]


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
    certificates = [of_constants([0.5]), of_limits(depth, margin=[0.5], local_slope={-4.0: [0.9]})]
    for proved in (pd.concat(certificates, ignore_index=True), None):
        text = only(TABLES["far"](frame, proved))["reason"]
        assert "inf" not in text and "nan" not in text
        assert text.startswith("repetition 0: slope 0.90000 for ") and words in text
