"""What a reader sees: digits of enclosures, marked floats, the same numbers in every format."""

import re
from io import StringIO
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from implicit_l1.proof.intervals import Interval, is_number, stands_for
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, SELECTED, UNDECIDED, UNIQUE_IN_FLOATS
from implicit_l1.status import PROVED as CERTIFICATES
from pipeline.tidy import write_table
from table_frames import (
    certificates_of_any_table,
    data,
    made,
    of_any_table,
    of_constants,
    of_limits,
    only,
    proofs,
)
from tables import rendering, write
from tables.columns import COLUMNS
from tables.registry import BOUNDS, TABLES
from tables.rendering import digits_of, latex, notes, shown

SUFFIXES = {"csv": "csv", "markdown": "md", "latex": "tex", "html": "html"}
# of minimizers; that of the phase diagram is of signals
OF_FLOATS = [
    name for name, kind in TABLES.items() if kind.proofs in (None, BOUNDS) and name != "phase"
]
WHY = f"{UNDECIDED}: the exact pivots took longer than 10 s"


@pytest.fixture
def written(tmp_path, monkeypatch):
    """(kind, frame, certificates or None) -> suffix -> the text that the program writes."""
    monkeypatch.chdir(tmp_path)

    def write_it(name, frame, certificates=None):
        words = ["write", "--table", name, "--input", "data.parquet"]
        write_table("data.parquet", frame)
        if certificates is not None:
            write_table("proofs.parquet", pd.concat(certificates, ignore_index=True))
            words += ["--certificates", "proofs.parquet"]
        for option, suffix in SUFFIXES.items():
            words += [f"--{option}", f"t.{suffix}"]
        words += ["--origin", "t.json", "--configuration", "{}"]
        monkeypatch.setattr("sys.argv", words)
        write.main()
        return {s: (tmp_path / f"t.{s}").read_text(encoding="utf-8") for s in SUFFIXES.values()}

    return write_it


# --- The same in every format ---


def read_markdown(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]
    return [[cell.strip().replace("\\", "") for cell in row] for row in rows[:1] + rows[2:]]


def read_latex(text):
    """The cells as text, numbers and marks out of their formulas."""
    for formula, sign in {
        r"\$(.*?)\\cdot 10\^\{(.*?)\}\$": r"\1e\2",
        r"\$\^\\dagger\$": " †",
    }.items():
        text = re.sub(formula, sign, text)
    text = re.sub(r"\$10\^\{(-?\d+)\}\$", r"1e\1", text)
    lines = [line.removesuffix(r" \\") for line in text.splitlines() if line.endswith(r" \\")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)&", line)] for line in lines]


def read_html(text):
    page = ElementTree.fromstring(text[text.index("<table") : text.index("</table>")] + "</table>")
    return [[cell.text or "" for cell in row] for row in page.iter("tr")]


def assert_compiles(text):
    """No sign in a text that LaTeX takes for its own, and none that it does not have."""
    assert text.isascii()
    plain = re.sub(r"\\[&%$#_{}]", "", text)
    outside = "".join(plain.split("$")[::2])
    assert plain.count("$") % 2 == 0 and plain.count("{") == plain.count("}")
    assert not re.search(r"[%#^_~]", outside) and not re.search(
        "[%#&]", "".join(plain.split("$")[1::2])
    )
    commands = {r"\begin", r"\end", r"\toprule", r"\midrule", r"\bottomrule", "\\\\"}
    commands |= {rf"\text{name}" for name in ("less", "asciitilde")}
    assert set(re.findall(r"\\(?:[a-z]+|.)", outside)) <= commands


# what is made of certificates, and what is made without
PROVED = [(name, True) for name, kind in TABLES.items() if kind.proofs]
IN_FLOATS = [(name, False) for name in TABLES if name not in ("phase", "orders")]


def columns_and_headings(csv):
    """Those of the columns that a reader is shown."""
    names = [name for name in csv if csv[name].any() and name != "path"]
    known = [COLUMNS.get(name) or COLUMNS[name.removesuffix("_float")] for name in names]
    marks = [" †" * name.endswith("_float") for name in names]
    return names, [column.heading + mark for column, mark in zip(known, marks, strict=True)]


@pytest.mark.parametrize(("name", "proved"), [*PROVED, *IN_FLOATS])
def test_every_number_is_that_of_the_csv_file(written, name, proved):
    """Rounded to what a reader is shown, under its heading."""
    frame = of_any_table(name, [CERTIFIED] * 3)
    frame = frame.mask(frame.eq(0.777), np.random.default_rng(1).uniform(0.1, 9.9, frame.shape))
    texts = written(name, frame, certificates_of_any_table() if proved else None)
    csv = pd.read_csv(StringIO(texts["csv"]), dtype=str, keep_default_na=False)
    names, wanted = columns_and_headings(csv)
    assert len(set(wanted)) == len(wanted)
    for suffix, read in {"md": read_markdown, "html": read_html, "tex": read_latex}.items():
        headings, row = read(texts[suffix])
        if suffix == "tex":
            assert [h.endswith(" †") for h in headings] == [w.endswith(" †") for w in wanted]
        else:
            assert headings == wanted
        for column, cell in zip(names, row, strict=True):
            value = csv[column].item()
            assert is_number(cell) == is_number(value)
            if is_number(value):
                assert stands_for(cell).overlaps(stands_for(value)), (suffix, column)
    assert_compiles(texts["tex"])


def test_a_reason_and_a_name_are_in_every_format(written):
    """Names of files as they are, others in words; whatever signs are in them."""
    label = "my_data/wind_unique.csv, my_data/50%_#1.csv"
    certificates = of_constants([0.25, "x < 2 & y", 0.35], [0.5, 0.5, "A_S is odd"])
    frame = data().assign(ensemble=label)
    texts = written("cells", frame, [certificates.assign(ensemble=label)])
    assert all(label in texts[suffix] for suffix in ("csv", "md", "html"))
    assert r"my\_data/wind\_unique.csv, my\_data/50\%\_\#1.csv" in texts["tex"]
    assert "left out: 1 A_S is odd; rho: x < 2 & y" in texts["csv"]
    reason = "left out: 1 A S is odd; rho: x < 2 & y"
    assert reason in texts["md"] and reason in read_html(texts["html"])[1]
    assert r"rho: x \textless{} 2 \& y" in texts["tex"]
    assert_compiles(texts["tex"])
    assert not any("0.777" in text for text in texts.values())
    certificates, frame = (one.assign(ensemble="one_kernel") for one in (certificates, frame))
    table = made("cells", frame, certificates=[certificates])
    assert shown(table)["ensemble"].tolist() == ["one kernel"]


def test_latex_of_every_sign():
    text = r"5 % of $x_0 & {y} #1 ~ ^ \ < > |"
    escaped = latex(text)
    assert escaped == (
        r"5 \% of \$x\_0 \& \{y\} \#1 \textasciitilde{} \textasciicircum{} \textbackslash{}"
        r" \textless{} \textgreater{} \textbar{}"
    )
    assert latex("-1.50e-12") == r"$-1.50\cdot 10^{-12}$" and latex("1e-09") == "$10^{-9}$"
    assert latex("10^-83.1 times") == r"$10^{-83.1}$ times"
    assert latex("alpha^0.5") == r"$\alpha^{0.5}$"
    assert latex("ϱ~ ≥ ϱ of x₀") == r"$\tilde\varrho$ $\ge$ $\varrho$ of $x_0$"
    assert latex("run1e5.csv, 2e3.npz") == "run1e5.csv, 2e3.npz"


def test_bounds_are_called_by_their_side():
    """From below the number is at least that; a quotient is at least 1."""
    for name, column in COLUMNS.items():
        if name.startswith(("rho_tilde_lower", "order_lower")):
            assert "≥" in column.heading
        if name.startswith(("rho_tilde_upper", "order_upper")):
            assert "≤" in column.heading
        if name.startswith(("error_", "refined_")):
            assert ("upper/error" if "_upper" in name else "error/lower") in column.heading
            assert ("refined" in column.heading) == name.startswith("refined")
            assert ("‖n off S‖₁" in column.heading) == ("_off_" in name)


# --- Digits ---

RHO = [("0.123456789012", "0.123456789014")] * 3
SLOPES = [("0.87654", "0.87666")] * 3


def rates():
    return made(
        "rates", data(), certificates=[of_constants(RHO), of_limits(local_slope={-4.0: SLOPES})]
    )


def test_proved_columns_show_digits_to_which_both_ends_round():
    table = rates()
    assert digits_of(table)["predicted_rate"].tolist() == ["0.8765432110"]
    assert shown(table)["predicted rate"].tolist() == ["0.8765"]
    # its enclosure decides three digits
    assert digits_of(table)["last_slope"].tolist() == ["0.877"]
    assert shown(table)["slope at the smallest α"].tolist() == ["0.877"]


def test_large_and_small_numbers():
    table = pd.DataFrame(
        {
            "kappa": [Interval.of("1.2345e7", "1.2345e7"), Interval.of("1e-54076", "1e-54076")],
            "onset_alpha_float": [1.5e-9, np.nan],
        }
    )
    assert shown(table)["κ"].tolist() == ["1.23e+07", "1.00e-54076"]
    assert shown(table)["onset α †"].tolist() == ["1.5e-09", ""]
    assert r"$1.00\cdot 10^{-54076}$" in rendering.in_latex(table, "")


def test_floats_are_published_with_the_digits_that_machines_share():
    """Six at most, and no more than their enclosures would have."""
    for name, column in COLUMNS.items():
        if name.endswith("_float") and column.csv != "s":
            assert int(column.csv[1:-1]) <= 6, name
    wanted = {"rho": ".6f", "kappa": ".6g", "error_1_upper": ".3g", "nearer": ".0f", "nearest": "s"}
    assert {name: COLUMNS[f"{name}_float"].csv for name in wanted} == wanted


def test_a_float_is_never_printed_in_place_of_an_enclosure():
    for text_of in (digits_of, shown):
        with pytest.raises(TypeError, match="no enclosure"):
            text_of(pd.DataFrame({"rho": [0.777]}))


def test_a_number_without_proof_empties_its_column_and_says_why():
    certificates = [of_constants([0.25, "no kernel vector was found", 0.35])]
    table = made("cells", data(), certificates=certificates)
    row = only(table)
    assert row["rho"] is None and row["rho_smallest"] is None
    assert row["unproved"] == "rho: no kernel vector was found"
    assert row["certified"] == 3
    for text in (digits_of(table), shown(table)):
        assert "no kernel vector was found" in text.to_csv()
        assert "0.777" not in text.to_csv()
    assert digits_of(table)["rho"].tolist() == [""]
    assert "ϱ" not in shown(table)


# --- What is said ---


def test_floats_are_marked():
    assert {"fitted_rate_float", "onset_alpha_float"} <= set(digits_of(rates()))
    assert {"fitted_rate", "onset_alpha"}.isdisjoint(digits_of(rates()))
    assert {"fitted rate †", "onset α †", "predicted rate"} <= set(shown(rates()))
    assert r"fitted rate$^\dagger$ &" in rendering.in_latex(rates(), "")


def test_a_table_without_floats_has_no_mark(written):
    texts = written("cells", data(), [of_constants(RHO)])
    assert not any("†" in text or "dagger" in text or "_float" in text for text in texts.values())


@pytest.mark.parametrize("name", ["cells", "rates", "far", "constants"])
def test_what_was_not_to_be_proved_is_marked(name):
    """The same statistics as of enclosures, under other names."""
    rho, slope = [0.25, 0.5, 0.4], [0.7, 0.55, 0.61]
    frame = data(
        **{"rho_upper": rho, "kappa": [2.0, 4.0, 3.0], "predicted_rate": [0.75, 0.5, 0.6]},
        **{key: [0.8, 0.9, 1.25] for key in ["rho_tilde_lower", "rho_tilde_upper"]},
        **{"last_slope": slope, "smallest_log10_alpha": -4.0},
        **{"log10_alpha": -4.0, "rate": 1.0, "log10_error_1": -3.0, "log10_prediction": -2.0},
    )
    known = {"local_slope": slope, "error_1": [1e-3] * 3, "error_over_prediction": [0.1] * 3}
    limits = of_limits(**{quantity: {-4.0: values} for quantity, values in known.items()})
    constant = proofs("constant", [100] * 3, depth=2, path="near")
    proved = made(name, frame, certificates=[of_constants(rho), limits, constant])
    floats = made(name, frame)
    assert only(floats)["certified"] == 3 and only(floats)["unproved"] == ""
    one, other = digits_of(proved).iloc[0], digits_of(floats).iloc[0]
    assert len(one) == len(other)
    for column, value in one.items():
        if COLUMNS.get(column, COLUMNS["path"]).source == CERTIFICATES:
            assert column not in other
            value, found = value or "nan", other[f"{column}_float"] or "nan"
            assert float(found) == pytest.approx(float(value), rel=1e-5, nan_ok=True)
        else:
            assert other[column] == value
    text = " ".join(notes(floats, [CERTIFIED]))
    assert "enclosures" not in text and rendering.EXACT_NOTE in text


@pytest.mark.parametrize("name", OF_FLOATS)
@pytest.mark.parametrize("status", [SELECTED, UNIQUE_IN_FLOATS])
def test_what_is_not_proved_is_not_counted_as_certified(name, status):
    table = made(name, of_any_table(name, [status, status, CERTIFIED]))
    row = only(table)
    assert (row["repetitions"], row["certified"]) == (3, 1)
    assert row["status"] == f"2 {status}"
    text = " ".join(notes(table, TABLES[name].over))
    assert rendering.STATUS_NOTES[status] in text
    beside = name in ("agreement", "newton", "errors", "deeper")
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
def test_the_note_covers_what_is_in_the_table(written, name, status):
    """The statuses that are there and no others, and marks where there are any."""
    certificates = [of_constants([0.5] * 3)] if name == "cells" else None
    texts = written(name, of_any_table(name, status), certificates)
    for word, sentence in rendering.STATUS_NOTES.items():
        there = word == CERTIFIED or any(found.startswith(word) for found in status)
        said = f"{word[0].upper()}{word[1:]}: {sentence}."
        assert (said in texts["html"]) == there
        assert (said.replace("*", r"\*") in texts["md"]) == there
        assert (latex(said) in texts["tex"]) == there
    # of a heading at least, and before its meaning
    for suffix, mark in {"html": "†", "md": "†", "tex": r"$^\dagger$"}.items():
        meaning = f"{mark} {rendering.FLOAT_NOTE}"
        assert (texts[suffix].count(mark) > 1) == (meaning in texts[suffix])
        assert name != "cells" or mark not in texts[suffix]
    assert (rendering.PROVED_NOTE in texts["md"]) <= (name == "cells")


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
        assert words in shown(table)["y"].item()
        assert words in digits_of(table)["data"].item()


@pytest.mark.parametrize(("longest", "count"), [(40, 0), (41, 1)])
def test_a_column_with_a_sentence_is_wide_on_the_page(longest, count):
    """One is enough, beside cells that are empty."""
    table = pd.DataFrame({"ensemble": ["a", "b"], "unproved": ["", "w" * longest]})
    page = rendering.in_html(table, "", "t")
    assert page.count("min-width: 24em") == count


# --- Tables of nothing ---


@pytest.mark.parametrize("proved", [True, False])
@pytest.mark.parametrize("known", [False, True])
def test_a_table_of_nothing_can_be_read(written, proved, known):
    """Nothing certified: a row that says so; certified with an error of 0: a sentence."""
    status = {} if known else dict.fromkeys(range(3), NOT_UNIQUE)
    none = dict.fromkeys(["log10_error_1", "log10_prediction"], -np.inf if known else np.nan)
    frame = data(3, status, log10_alpha=-4.0, rate=1.0, **none)
    certificates = [of_constants([0.5] * 3), of_limits()]
    texts = written("constants", frame, certificates if proved else None)
    table = pd.read_csv(StringIO(texts["csv"]))
    assert len(table) == (0 if known else 1)
    assert {"ensemble", "depth", "repetitions", "certified", "status"} <= set(table)
    for suffix in ("md", "html", "tex"):
        assert "certified unique" in texts[suffix]
        assert (rendering.NO_ROWS in texts[suffix]) == known
        assert (NOT_UNIQUE in texts[suffix]) != known


@pytest.mark.parametrize(("name", "proved"), [*PROVED, *IN_FLOATS])
def test_a_table_without_rows_has_its_columns(name, proved):
    frame = of_any_table(name, [CERTIFIED] * 3)
    certificates = certificates_of_any_table() if proved else None
    text = digits_of(made(name, frame.head(0), certificates=certificates))
    assert text.empty
    assert list(text) == list(digits_of(made(name, frame, certificates=certificates)))
