"""Numbers that captions and the README state of the default grid are those of its results.

They are typed, since they stand in sentences; here they are made from the results that are kept
in git (`results/reference/`), in the words of the sentence.
"""

import re
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmark import page as benchmark
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
        f"it falls from {percent(other.max())} to {percent(other.iloc[0])}",
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
    rows = table("tables/phase")
    curve = plotted("phase", quantity="weak threshold")
    delta, sparsity = rows["N"] / rows["d"], rows["s"] / rows["N"]
    threshold = np.interp(delta, curve["delta"], curve["sparsity"])
    agree = (rows["rho_planted"] < 1) == (sparsity < threshold)
    # half the distance to the next cell
    assert (np.abs(sparsity - threshold)[~agree] < 0.05).all()
    words = {3: "three"}[(~agree).sum()]
    above = rows.groupby(sparsity.round(3))["order_lower_float"].min() > 1
    least = above.index[above].min()
    here = rows[sparsity.round(3) == least]
    assert here["recovered"].max() == 1 and rows["order_upper_float"].min() > 1
    return [
        f"in {agree.sum()} of the {len(rows)} cells",
        f"the other {words} touch it",
        f"at s/N = {least:g} its median is above 1 for every N/d",
        f"all {only(set(rows['repetitions']))} planted signals",
    ]


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
    for made in (bounds, depth, descent, far, noise, phase, prediction, tight, tightness)
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


# --- the README ---


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


def rows_of(head):
    """The cells of the table of the README that begins with this head."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
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
    rows = rows_of("| | D = 2, η = 0, α = 10<sup>−6</sup> |")
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
    "null_space: s programs": "null_space",
    "certificates: g\\*, ϱ, ϱ~": "certificates",
    "certificates of the limits, D = 2": "certificates D2",
    "certificates of the limits, D = 3": "certificates D3",
}


def test_the_table_of_growth_is_measured():
    rows = rows_of("| stage | at N = 1000, d = 4000: s | MB |")
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


def readme_of_the_pipeline():
    row = table("benchmark/pipeline_summary").iloc[0]
    return [
        f"the default grid took {row['seconds']:.0f} s from clean on {row['cores']} cores",
        f"(aim: 90 s; three runs, {row['fastest']:.1f} to {row['slowest']:.1f}): "
        f"{row['cpu_seconds']:.0f} CPU seconds",
        f"Snakemake takes {percent(row['snakemake_share'])}, start-up and imports of "
        f"{row['processes']} processes {percent(row['imports_share'])}, "
        f"arithmetic {percent(row['arithmetic_share'])}",
    ]


def readme_of_paths():
    """Times of peers over ours at a point of a path, and at one point."""
    limits = table("benchmark/limit")
    textbook = limits["contestant"] == benchmark.TEXTBOOK
    every = benchmark.fastest_peers(limits)
    newton = benchmark.fastest_peers(limits[limits["ours"] | textbook])
    packages = benchmark.fastest_peers(limits[~textbook])
    path, point, alone = "a point of a path", "one point", "one point, with the l1 solve"
    exact = packages[packages["accuracy"] == 1e-10][path]
    loose, with_package = (of[of["accuracy"] == 1e-3] for of in (newton, packages))
    enough = every[path].ge(benchmark.TIMES_FASTER).sum()
    cases = every[path].notna().sum()
    # the next is the least of those
    assert packages[packages["accuracy"] == 1e-10][path].notna().sum() < cases
    return [
        f"{newton[path].min():.0f} to {newton[path].max():.0f} times faster than textbook Newton "
        f"(median {loose[path].median():.0f})",
        f"at least {exact.min():.1f} times, in the median {exact.median():.0f} times, faster than "
        "the fastest package that reaches 10 digits",
        f"a factor of {benchmark.TIMES_FASTER} over the best peer: it is reached in {enough} of "
        f"{cases} cases, and leaving textbook Newton out in "
        f"{packages[path].ge(benchmark.TIMES_FASTER).sum()}",
        f"is {loose[point].min():.1f} to {loose[point].max():.1f} times as fast as textbook "
        f"Newton (median {loose[point].median():.2f})",
        f"The fastest package takes {with_package[point].median():.0f} times as long in the "
        f"median, and at the least {with_package[point].min():.1f} times",
        f"textbook Newton is {1 / newton[alone].max():.1f} to {1 / newton[alone].min():.0f} times "
        "faster than ours for one point",
    ]


def readme_of_the_flow():
    rows = table("benchmark/flow")
    rows["error"] = rows[["error", "times_error"]].max(axis=1)
    ratios = {}
    for cell, part in benchmark.grouped(rows, ["N", "eta", "depth", "log10_alpha"]):
        best = [
            benchmark.fastest(part[part["ours"] == ours], benchmark.FLOW_REACHED)
            for ours in (False, True)
        ]
        ratios.setdefault(cell["N"], []).append(best[0].seconds / best[1].seconds)
        assert best[0].contestant == "scipy LSODA on (u, v)"
    least = {size: f"{min(values):.1f}" for size, values in ratios.items()}
    most = {size: f"{max(values):.0f}" for size, values in ratios.items()}
    return [
        f"is {least[50]} to {most[50]} times faster than the fastest peer, SciPy's LSODA",
        f"at N = 50, d = 200, and {least[100]} to {most[100]} times at N = 100, d = 400",
    ]


def readme_of_basis_pursuit():
    rows = table("benchmark/l1")
    rho = rows[rows["problem"] == "rho"].groupby("N")
    faster = [
        part[~part["ours"]]["seconds"].min() / only(part[part["contestant"] == "ours, rho"].seconds)
        for _, part in rho
    ]
    whole = rows[rows["over_programs"].notna()]
    seconds = rows[rows["eta"] == 0].pivot_table(index="N", columns="contestant", values="seconds")
    ours = seconds["ours, minimizer with polish and certificate"]
    lars = ours / seconds["lars_path"]
    spgl1 = rows[rows["contestant"] == "SPGL1"]
    largest = spgl1[(spgl1["N"] == 200) & (spgl1["eta"] == 0)].iloc[0]
    over = {eta: part["over_programs"] for eta, part in whole.groupby("eta")}
    least = np.floor(100 * spgl1[spgl1["eta"] > 0]["error"].min()) / 100
    return [
        f"for ϱ {min(faster):.0f} to {max(faster):.0f} times faster than the best of them",
        f"LARS (scikit-learn) is {lars.min():.1f} to {lars.max():.0f} times faster without noise",
        f"SPGL1 is {ours[200] / largest['seconds']:.1f} times faster without noise at N = 200, "
        f"to {-np.floor(np.log10(largest['error'])):.0f} digits, and off by {least:g} and more",
        f"{over[0].min():.2f} to {over[0].max():.2f} times its own linear programs without noise, "
        f"and {over[0.1].min():.2f} to {over[0.1].max():.1f} with",
    ]


def readme_of_newton_steps():
    ratios = table("benchmark/newton").groupby("N")["ratio"]
    least, most = ratios.min(), ratios.max()
    return [
        f"A step takes {least[400]:.1f} to {most[400]:.1f} times as long as one matrix product",
        f"{least[200]:.1f} to {most[200]:.1f} at N = 200, {least[100]:.0f} to {most[100]:.0f} at "
        f"N = 100 and {least[50]:.0f} to {most[50]:.0f} at N = 50 (aim: {benchmark.STEP_RATIO})",
    ]


def readme_of_growth():
    fits = table("benchmark/exponents").set_index("stage")["exponent"]
    four = fits[["certificates", "null_space"]]
    others = fits.drop(four.index)
    proof = {
        stage: only(table("benchmark/growth", stage=stage, N=1000)["seconds"])
        for stage in ("certificates", "certificates D2")
    }
    return [
        f"(fitted exponents {others.min():.1f} to {others.max():.1f}, and {four.min():.1f} and "
        f"{four.max():.1f})",
        f"the proof of one instance takes {proof['certificates']:.0f} s and of its limit points "
        f"{proof['certificates D2']:.1f} s each",
    ]


@pytest.mark.parametrize(
    "made",
    [
        *(readme_of_the_grid, readme_of_the_pipeline, readme_of_paths, readme_of_the_flow),
        *(readme_of_basis_pursuit, readme_of_newton_steps, readme_of_growth),
    ],
)
def test_numbers_of_the_readme_are_those_of_the_results(made):
    for phrase in made():
        assert phrase in README, phrase


def test_every_figure_and_table_of_the_default_grid_is_in_the_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    part = text[text.index("## From figure to code") :].split("\n##")[0]
    experiments = CONFIG["experiments"]
    listed = re.findall(r"`figures/(\w+)\.\*`", part)
    far = [name for name, experiment in experiments.items() if experiment["figure"] == "far"]
    assert "`figures/far_*.*`" in part and "far_" not in listed
    assert set(experiments) - set(far) <= set(listed)
    assert all(f"`{name}`" in part for name in experiments)
    tables = {path.stem for path in (REFERENCE / "tables").iterdir()}
    assert set(re.findall(r"`tables/(\w+)\.\*`", part)) == tables
    # numbered without a gap
    for kind in (r"^\| (\d+) \|", r"^\| Table (\d+) \|"):
        numbers = list(map(int, re.findall(kind, part, re.MULTILINE)))
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(re.findall(r"^\| Table", part, re.MULTILINE)) == len(tables)
