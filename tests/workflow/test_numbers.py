"""Numbers that captions and pages state of the default grid are those of its results.

Those of captions and of the README are typed, since they stand in sentences; here they are made
from the results that are kept in git (`results/reference/`), in the words of the sentence.
"""

import re
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmark import summary
from workflow_runs import ROOT

CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
REFERENCE = ROOT / "results/reference"
README = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())


def table(name, **where):
    """The rows of a file of the reference that have these values."""
    rows = pd.read_csv(REFERENCE / f"{name}.csv")
    for column, value in where.items():
        rows = rows[rows[column] == value]
    assert len(rows), f"{name}: no row has {where}"
    return rows


def plotted(name, **where):
    """The plotted data of a figure that have these values."""
    return table(f"figures/{name}", **where)


def only(values):
    (value,) = values
    return value


def power(log10):
    """A power of ten to one digit."""
    return f"{10.0**log10:.0e}".replace("e-0", "e-")


def percent(value):
    return f"{100 * value:.0f} %"


# --- what the sentences of each caption have to say: phrases, made from the results ---


def bounds():
    """Of the curves that are drawn."""
    refined = [plotted("bounds", eta=0, depth=D).set_index("log10_alpha") for D in (2, 3, 4)]
    gaps = [rows["log10_refined_off_upper"] - rows["log10_refined_off_lower"] for rows in refined]
    # a twentieth of a decade is hardly more than the line is wide
    decades = min(gap.index[gap < 0.05].max() - gap.index.min() for gap in gaps)
    assert decades > 8
    begins = []
    for D in (3, 4):
        rows = plotted("bounds", eta=0.1, depth=D)
        there = rows[np.isfinite(rows["log10_refined_off_upper"])]
        begins.append(f"1e{round(there['log10_alpha'].max()):.0f}")
    return [
        "over eight decades and more",
        f"about {begins[0]} (D = 3) or {begins[1]} (D = 4) here",
    ]


def depth():
    rows = table("tables/rates", N=100, s=8, eta=0.1, path="alpha1e-12to1by4").set_index("depth")
    onset = {d: f"1e{round(np.log10(rows['onset_alpha_float'][d])):d}" for d in (4, 6)}
    smallest = CONFIG["experiments"]["depth"]["alpha"]["smallest"]
    # slopes there, for 1 and 1 - rho
    assert rows["last_slope"][3] < 0.7 and rows["last_slope"][2] > 5 * rows["predicted_rate"][2]
    return [
        f"around α = {onset[6]} (D = 6) or {onset[4]} (D = 4)",
        f"at α = {smallest:.0e}, D = 3 is still far from 1",
    ]


def descent():
    two, three = (table("tables/descent", depth=depth) for depth in (2, 3))
    large = two[two["fraction"] == 0.5].sort_values("alpha")
    step = large["relative_step_distance_float"].tolist()
    other = three[three["fraction"] == 0.5]["relative_step_distance_float"]
    smallest, largest = large["alpha"].iloc[0], large["alpha"].iloc[-1]
    # nearly proportional to the step: a tenth of it
    ratio = large["relative_step_distance_float"].to_numpy() / (
        two[two["fraction"] == 0.05].sort_values("alpha")["relative_step_distance_float"].to_numpy()
    )
    assert ratio.min() > 9 and ratio.max() < 11 and step == sorted(step, reverse=True)
    at_end = three[three["alpha"] == smallest]
    assert at_end["relative_distance_float"].min() > 2
    assert at_end["relative_loss_float"].max() < smallest
    return [
        f"from {percent(step[-1])} of the error at α = {largest:g} to {percent(step[0])} at 1e-6",
        f"it is {percent(other.max())} at most, and {percent(other.iloc[0])} at 1e-6",
        "at D = 3 and α = 1e-6",
        "at a training loss below 1e-6",
    ]


def onset(name, eta):
    """log10(1 / alpha) of the markers at the bottom of a panel of a figure of far paths."""
    rows = plotted(name, eta=eta).drop_duplicates("depth")
    return (-rows["onset_log10_alpha"].dropna()).tolist()


def far():
    noiseless = [*onset("far_two_layers", 0), *onset("far_deep", 0)]
    deep = onset("far_deep", 0.1)
    rate = table("tables/far", eta=0.1, depth=2)
    line = plotted("far_two_layers", eta=0.1)
    line = line.assign(x=-line["log10_alpha"]).sort_values("x")
    passes = line[line["median"] > only(rate["predicted_rate"])]["x"]
    crossed = next(x for x in line["x"] if x not in set(passes))
    pair = np.log(line[["x", "median"]][line["x"] <= crossed].tail(2).to_numpy())[::-1]
    place = np.exp(np.interp(np.log(only(rate["predicted_rate"])), pair[:, 1], pair[:, 0]))
    reached, of = only(rate["four_digits_float"]), only(rate["certified"])
    last = -only(rate["four_digits_last_float"])
    return [
        f"between 1e-{min(noiseless):.0f} and 1e-{max(noiseless):.0f}",
        f"between {power(-min(deep))} (D = 10) and {power(-max(deep))} (D = 3)",
        f"1 − ϱ is about {only(rate['predicted_rate']):.1g}",
        f"near 1e-{round(place, -1):.0f}",
        rf"around 10\ :sup:`−{round(only(onset('far_two_layers', 0.1)), -3):.0f}`",
        f"{reached} of the {of} instances have four digits of it at the end of the path",
        rf"the last of them from 10\ :sup:`−{last:.0f}` on",
    ]


def noise():
    return ["η = " + ", ".join(map(str, CONFIG["experiments"]["noise"]["eta"]))]


def phase():
    """No number is said; what goes together is near to one another."""
    curve = plotted("phase", quantity="weak threshold")
    half = plotted("phase", quantity="half recovered").dropna(subset="sparsity")
    assert (np.abs(half["sparsity"] - at_curve(curve, half["delta"])) < 0.05).all()
    cells = plotted("phase", quantity="rho_planted")
    distance = cells["sparsity"] - at_curve(half, cells["delta"])
    agree = (cells["rho_planted"] < 1) == (distance < 0)
    assert (np.abs(distance)[~agree] < 0.05).all()
    return []


def at_curve(curve, delta):
    return np.interp(delta, curve["delta"], curve["sparsity"])


def orders():
    """No number either: each of the cases is there, and of recovered signals more than a few."""
    brackets = plotted("orders", quantity="order")
    assert (brackets["order_upper"] < 1).any() and (brackets["order_lower"] > 1).any()
    assert ((brackets["order_lower"] < 1) & (brackets["order_upper"] > 1)).any()
    assert np.isinf(brackets["order_upper"]).any()
    constants = plotted("orders", quantity="rho_tilde")
    large = constants[constants["sparsity"] >= 0.2]
    assert (large["rho_tilde_lower"] > 1).mean() > 0.3
    return []


def prediction():
    rows = table("tables/rates", eta=0.1, depth=2, path="alpha1e-12to1by4")
    rates = rows[rows["s"].isin(CONFIG["experiments"]["prediction"]["s"])]["predicted_rate"]
    return [f"the medians of 1 − ϱ are between {rates.min():.3f} and {rates.max():.3f}"]


def tight():
    """The ratio at the smallest alpha, D = 2."""
    rows = plotted("tight", depth=2, quantity="error_over_prediction")
    smallest = rows["log10_alpha"].min()
    end = rows[(rows["log10_alpha"] == smallest) & (rows["median"] < 0.9)]
    members = " or ".join(map(str, end["family_rho"]))
    return [f"ϱ = {members} it is still far from 1 at α = {10**smallest:.0e}"]


def tightness():
    """log10 of upper bound over error."""
    upper = "log10_upper_over_error_off"
    deep = plotted("tightness", depth=3)
    # smaller quotients the smaller alpha is
    assert 10 ** deep[deep["log10_alpha"] <= -10][upper].max() < 1.00005
    assert 10 ** deep[deep["log10_alpha"] > -7.5][upper].max() > 1.01

    def quotient(m, log10_alpha):
        member = {"m": m, "depth": 2, "family_rho": 0.99}
        return 10 ** only(plotted("tightness", **member, log10_alpha=log10_alpha)[upper])

    near = [f"{quotient(m, -10):.2g} times" for m in (1, 10)]
    end = [f"{1 + float(f'{quotient(m, -300) - 1:.0e}'):g}" for m in (1, 10)]
    return [
        "to four digits, by α = 1e-10",
        "At D = 2 and ϱ = 0.99",
        f"still {near[0]} (m = 1) or {near[1]} (m = 10) the error at 1e-10",
        f"the quotient is {end[0]} or {end[1]} at 1e-300",
    ]


CAPTIONS = {
    f"figure_{made.__name__}": made
    for made in (
        *(bounds, depth, descent, far, noise, orders, phase, prediction, tight, tightness),
    )
}
# what numbers are there beside results
MATHEMATICS = re.compile(
    r"D [=≥>] \d+|arXiv:[\d.]+\d|COLT 2020|log\(1/α\)|:sup:`1/3`"
    r"|(?<![\d.])[01](?!\d|\.\d|e|/\d)"  # limits, and what lies above and below them
)


def paragraphs(path):
    """What is said of the project's own results."""
    text = path.read_text(encoding="utf-8")
    found = [" ".join(part.split()) for part in text.split("\n\n")]
    return " ".join(part for part in found if "What to see" in part or "on this grid" in part)


@pytest.mark.parametrize("name", CAPTIONS)
def test_numbers_of_a_caption_are_those_of_the_results(name):
    text = paragraphs(ROOT / f"workflow/report/{name}.rst")
    for phrase in CAPTIONS[name]():
        assert phrase in text, phrase


@pytest.mark.parametrize(
    "path", sorted((ROOT / "workflow/report").glob("*.rst")), ids=lambda path: path.stem
)
def test_no_other_number_is_typed_into_a_caption(path):
    text = paragraphs(path)
    for phrase in CAPTIONS.get(path.stem, list)():
        text = text.replace(phrase, "")
    left = MATHEMATICS.sub("", text)
    assert not re.findall(r"\S*\d\S*", left), left


def agrees(text, value):
    """Whether a number is what it is printed as: half a unit of the last digit off at most."""
    printed = Decimal(text)
    last = printed if "." in text else printed.normalize()
    unit = Decimal(1).scaleb(min(last.as_tuple().exponent, printed.adjusted()))
    return abs(Decimal(float(value)) - printed) <= unit / 2


@pytest.mark.parametrize(
    ("text", "value", "good"),
    [
        *(("41", 40.47, False), ("40", 40.47, True), ("0.58", 0.5849, True)),
        *(("0.58", 0.5851, False), ("1280", 1284.9, True), ("1280", 1286.0, False)),
        *(("5.0", 4.96, True), ("5.0", 5.06, False), ("2e-9", 1.7e-9, True)),
        *(("2e-9", 1.4e-9, False), ("10", 9.8, True), ("0", 0.6, False)),
    ],
)
def test_what_agrees(text, value, good):
    assert agrees(text, value) == good


# --- the page of the benchmark ---


def rows_of(head):
    """The cells of the table of BENCHMARK.md that begins with this head."""
    text = (ROOT / "BENCHMARK.md").read_text(encoding="utf-8")
    lines = text[text.index(head) :].splitlines()
    lines = lines[: next((i for i, line in enumerate(lines) if not line), None)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


LIMIT_POINT = {
    "ours, a point of a path (g\\* given)": "ours, a point of a path",
    "ours, one point alone (g\\* given)": "ours, one point",
    "ours, one point alone, ℓ¹ solve included": "ours, one point, with the l1 solve",
    "Newton's method on the dual, as in a textbook": "Newton on the dual",
    "SciPy trust-exact on the dual": "scipy trust-exact on the dual",
    "SciPy LSODA on λ, rtol 10<sup>−8</sup>": "scipy LSODA on lam, rtol 1e-08",
    "SciPy LSODA on (u, v), rtol 10<sup>−8</sup>": "scipy LSODA on (u, v), rtol 1e-08",
    "cvxpy, CLARABEL, dual form": "cvxpy CLARABEL, dual",
    "diffrax Kvaerno5 on λ, rtol 10<sup>−8</sup>": "diffrax Kvaerno5 on lam, rtol 1e-08",
    "gradient descent on (u, v)": "gradient descent",
}


def test_the_table_of_limit_points_is_measured():
    rows = rows_of("|  | D = 2, η = 0, α = 10<sup>−6</sup> |")
    assert [row[0] for row in rows] == list(LIMIT_POINT)
    cells = [(0.0, 2, -6), (0.1, 2, -12), (0.0, 3, -6), (0.0, 3, -12)]
    for name, *printed in rows:
        for text, (eta, depth, log10_alpha) in zip(printed, cells, strict=True):
            found = table(
                "benchmark/limit",
                **{"N": 100, "eta": eta, "depth": depth, "log10_alpha": log10_alpha},
                contestant=LIMIT_POINT[name],
            ).iloc[0]
            if pd.isna(found["error"]):
                said = found["status"].split(":")[0]
                assert text == (said if said in ("past 5 s", "not tried") else "fails"), name
                continue
            time, error = text.replace("*", "").split(" · ")
            assert agrees(time, 1e3 * found["seconds"]), (name, text, found["seconds"])
            right = found["error"] >= 1 if error == "wrong" else agrees(error, found["error"])
            assert right, (name, text, found["error"])


STAGES = {
    "l1 (interior point)": "l1",
    "null_space: local search and bound": "null_space",
    "certificates: g\\*, ϱ, ϱ~": "certificates",
    "certificates of the limits, D = 2": "certificates D2",
    "certificates of the limits, D = 3": "certificates D3",
}


def test_the_table_of_growth_is_measured():
    rows = rows_of("| stage | N = 1000, d = 4000: s | MB |")
    stages = [STAGES.get(row[0], row[0].replace(", D = ", " D")) for row in rows]
    assert sorted(stages) == sorted(set(table("benchmark/growth")["stage"]))
    for stage, (_, seconds, memory, exponent, expected) in zip(stages, rows, strict=True):
        found = table("benchmark/growth", stage=stage, N=1000, d=4000).iloc[0]
        assert agrees(seconds, found["seconds"]), (stage, seconds)
        # whole megabytes
        assert abs(float(memory) - found["memory_mb"]) <= 0.5, (stage, memory)
        fit = table("benchmark/exponents", stage=stage, fixed="d / N = 4").iloc[0]
        assert agrees(exponent.removesuffix("\\*"), fit["exponent"]), (stage, exponent)
        # a fit of two sizes has no error
        assert exponent.endswith("*") == np.isnan(fit["error"])
        assert int(expected) == fit["expected"]


def raised(digits):
    """A power of ten below 1."""
    return "10⁻" + f"{digits:.0f}".translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))


def readme_of_the_grid():
    """Below the first figure."""
    grid = CONFIG["experiments"]["depth"]
    return [
        f"medians and quartiles over {grid['repetitions']} problems, N = {grid['N']}, "
        f"d = {grid['d']}, {grid['s']} nonzero entries",
        f"hardly begun to converge at α = {raised(-np.log10(grid['alpha']['smallest']))}, and "
        f"D = 3 reaches its rate near α = {raised(max(onset('far_deep', 0.1)))} only",
    ]


def test_numbers_of_the_readme_are_those_of_the_results():
    for phrase in readme_of_the_grid():
        assert phrase in README, phrase


def test_every_figure_and_table_of_the_default_grid_is_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## From figure to claim") :].split("\n##")[0]
    assert set(re.findall(r"`figures/(\w+)\.\*`", part)) == set(CONFIG["experiments"])
    tables = {path.stem for path in (REFERENCE / "tables").iterdir()}
    assert set(re.findall(r"`tables/(\w+)\.\*`", part)) == tables
    # a row begins with the names of its files
    rows = re.findall(r"^\| ([\w, ]+) \| .* \| (`.*`) \|$", part, re.MULTILINE)
    assert sum(len(names.split(", ")) for names, _ in rows) == len(tables) + len(
        CONFIG["experiments"]
    )
    for names, files in rows:
        assert re.findall(r"/(\w+)\.\*`", files) == names.split(", ")


def test_the_page_of_the_benchmark_is_made_from_the_measurements(monkeypatch):
    monkeypatch.chdir(ROOT)
    page = (ROOT / "BENCHMARK.md").read_text(encoding="utf-8")
    assert page == summary.summary(Path("results/reference/benchmark"))
    assert len(page.splitlines()) <= 150
