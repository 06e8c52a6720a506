"""Target benchmark: its page, on measurements made up for the purpose."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from benchmark.parts.figure import drawing, short_outcome
from benchmark.parts.peers import better_peers, flow_part, reach_aims, reach_tables
from benchmark.parts.times import growth_part
from benchmark.parts.words import Notes, duration
from benchmark.ratios import fastest_peers
from workflow_runs import ROOT, script

pytestmark = pytest.mark.long

POINT, PATH = "ours, one point", "ours, a point of a path"
CELL = {"N": 100, "d": 400, "s": 8, "eta": 0.0}
RUNS = {"runs": 3, "settings": "to 1e-8 ||y||", "versions": "numpy 2"}
SCALES = [0, -2, -4, -6, -8, -10, -12]


def run_of(contestant, seconds, error, status="", **more):
    times = {"seconds": seconds, "fastest": 0.9 * seconds, "slowest": 1.2 * seconds}
    row = {"contestant": contestant, "ours": contestant.startswith("ours"), "status": status}
    return RUNS | row | times | {"error": error} | more


def limits(peers=9, cells=((0.0, 2), (0.0, 3), (0.1, 2), (0.1, 3)), N=100):
    """Ours with 14 digits everywhere, and peers that lose accuracy as alpha falls."""
    rows = []
    for eta, depth in cells:
        for scale in SCALES:
            where = CELL | {"N": N, "eta": eta, "depth": depth, "log10_alpha": scale}
            rows.append(where | run_of(POINT, 1e-2, 1e-14, vector_error=1e-13))
            rows.append(where | run_of(PATH, 1e-3, 1e-14, vector_error=1e-13))
            for peer in range(peers):
                name = f"solver {peer} with some words"
                if scale < -9 + peer:
                    row = run_of(name, np.nan, np.nan, "Solver reports no progress; stopped early")
                else:
                    row = run_of(name, 0.2 * (peer + 1), 10.0 ** (-9 + peer - scale / 2))
                rows.append(where | row | {"vector_error": row["error"]})
    return pd.DataFrame(rows)


def flows():
    where = CELL | {"depth": 2, "log10_alpha": -3}
    rows = [
        run_of("ours, flow", 0.5, 1e-9, rtol=1e-9, times_error=1e-8),
        run_of("LSODA", 1.0, 1e-5, rtol=1e-6, times_error=1e-4),
        run_of("LSODA", 2.0, 1e-9, rtol=1e-10, times_error=1e-8),
        run_of("LSODA", 9.0, 1e-11, rtol=1e-12, times_error=1e-8),
        run_of("Radau", 3.0, 1e-7, rtol=1e-6, times_error=1e-4),
        run_of("Euler", np.nan, np.nan, "past 60 s", rtol=1e-6, times_error=np.nan),
    ]
    table = pd.DataFrame([where | {"reference_error": 1e-10} | row for row in rows])
    # the same at another scale, where the trajectory is not enclosed
    unknown = {"log10_alpha": -8, "times_error": np.nan, "reference_error": np.nan}
    return pd.concat([table, table.assign(**unknown)], ignore_index=True)


def minimizers():
    where = CELL | {"problem": "minimizer"}
    rows = [
        run_of("ours, stage", 0.10, 1e-16, infeasibility=1e-16, over_programs=1.25),
        run_of("SPGL1", 0.50, 1e-7, infeasibility=1e-9),
    ]
    return pd.DataFrame([where | row for row in rows])


def newtons(ratio=1.4):
    row = {"depth": 2, "scales": 49, "steps": 130, "factorizations": 130}
    row |= {"seconds": 0.04, "fastest": 0.039}
    row |= {"slowest": 0.041, "runs": 9, "blas_share": 0.8, "product_seconds": 0.011}
    row |= {"cholesky_seconds": 3e-3, "other_blas_seconds": 4e-3, "ratio": ratio}
    return pd.DataFrame([CELL | row])


def others():
    where = CELL | {"depth": 2}
    function = {"function": "limit.factor", "share": 0.5, "calls": 130}
    growth = {"stage": "l1", "seconds": 1.0, "memory_mb": 200.0, "method": "simplex"}
    fit = {"stage": "l1", "method": "simplex", "fixed": "d / N = 4", "grows": "N"}
    fit |= {"sizes": "50, 100", "expected": 3}
    stage = {"stage": "l1", "jobs": 21, "processes": 21, "seconds": 30.0, "startup": 1.0}
    stage |= {"imports": 9.0, "arithmetic": 20.0, "packages": "scipy 3.00"}
    whole = {"configuration": "config/config.yaml", "cores": 2, "jobs": 200, "processes": 200}
    whole |= {"seconds": 80.0, "fastest": 79.0, "slowest": 82.0, "runs": 3, "cpu_seconds": 150.0}
    for part, share in (("snakemake", 0.2), ("imports", 0.4), ("arithmetic", 0.4)):
        whole |= {f"{part}_seconds": 150.0 * share, f"{part}_share": share}
    return {
        "newton_profile": pd.DataFrame([where | function]),
        "growth": pd.DataFrame([growth | {"N": N, "d": 4 * N} for N in (50, 100)]),
        "exponents": pd.DataFrame([fit | {"exponent": 2.9}, fit | {"exponent": 3.5}]),
        "pipeline": pd.DataFrame([stage]),
        "pipeline_summary": pd.DataFrame([whole]),
    }


def program(folder, **tables):
    """The program, in a folder of these tables."""
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    words = ["--folder", folder, "--style", ROOT / "scripts/figures/house.mplstyle"]
    words += ["--markdown", folder / "benchmark.md", "--machine", folder / "machine.json"]
    words += ["--output", *(folder / f"benchmark.{kind}" for kind in ("png", "pdf", "svg"))]
    return script("benchmark/page", *words)


def test_all_parts_are_on_the_page(tmp_path):
    tables = {"limit": limits(), "flow": flows(), "l1": minimizers(), "newton": newtons()}
    result = program(tmp_path, **tables, **others())
    assert (result.returncode, result.stderr) == (0, "")
    text = (tmp_path / "benchmark.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d)\. ", text, re.MULTILINE) == list("123456")
    assert "was not measured" not in text and "nan" not in text.lower()
    # every row of a table has as many cells as its head
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1
    for aim, met in (("Newton step", "yes"), ("exponents", "no"), ("90 s", "yes"), ("50%", "no")):
        (line,) = [line for line in text.partition("## 1")[0].splitlines() if aim in line]
        assert line.rstrip(" |").endswith((met, f"**{met}**"))
    machine = json.loads((tmp_path / "machine.json").read_text(encoding="utf-8"))
    assert machine["cores"] >= 1 and "numpy" in machine["packages"] and machine["blas"]
    for kind in ("png", "pdf", "svg"):
        assert (tmp_path / f"benchmark.{kind}").stat().st_size > 1000


def test_nothing_is_said_of_exponents_where_nothing_was_fitted():
    tables = others()
    for none in (None, tables["exponents"][:0]):
        text, aims = growth_part(tables["growth"], none)
        assert aims == [] and "long enough" in text


def test_parts_that_were_not_measured_are_said(tmp_path):
    result = program(tmp_path, newton=newtons(ratio=1.6))
    assert result.returncode == 0, result.stderr
    text = (tmp_path / "benchmark.md").read_text(encoding="utf-8")
    assert "(limit was not measured.)" in text and "**no**" in text
    assert not (tmp_path / "benchmark.png").exists()
    (tmp_path / "newton.csv").unlink()
    result = program(tmp_path)
    assert result.returncode == 1 and "holds no measurements" in result.stderr


def test_the_peer_of_an_accuracy_is_the_fastest_that_reaches_it():
    cell = CELL | {"depth": 2, "log10_alpha": -2}
    table = pd.DataFrame(
        cell | row
        for row in (
            run_of(POINT, 0.1, 1e-9),
            run_of("quick", 0.05, 1e-4),
            run_of("good", 8.0, 1e-7),
            run_of("slow", 9.0, 1e-12),
            run_of("failed", np.nan, np.nan, "fails"),
        )
    )
    found = fastest_peers(table).set_index("accuracy")
    assert found["peer"].to_dict() == {1e-3: "quick", 1e-6: "good", 1e-8: "slow", 1e-10: "slow"}
    values = found["one point"]
    assert values[:1e-8].tolist() == pytest.approx([0.5, 80.0, 90.0])
    # ours does not get there
    assert np.isnan(values[1e-10])
    said = better_peers(table, found.reset_index())
    assert "quick is faster than one point at α = 10<sup>−2</sup> (error ≤ 1e-03, ×0.5)" in said
    assert "slow reaches what one point does not at α = 10<sup>−2</sup> (1e-10)" in said
    assert "In 1 of 1 cells the error of some peer is smaller than that of ours" in said
    assert "good" not in said and len(re.findall("^- ", said, re.MULTILINE)) == 2


def test_an_accuracy_that_no_peer_reaches_is_a_dash():
    cell = CELL | {"depth": 2, "log10_alpha": -2}
    rows = [run_of(POINT, 0.1, 1e-14), run_of("peer", 6.0, 1e-5)]
    table = pd.DataFrame(cell | row for row in rows)
    ratios = fastest_peers(table)
    (line,) = [line for line in reach_tables(ratios).splitlines() if "<sup>" in line]
    cells = [words.strip() for words in line.strip("|").split("|")]
    assert cells == ["2", "10<sup>−2</sup>", "peer<br>×60", "—", "—", "—"]
    assert better_peers(table, ratios).startswith("Nowhere")
    (aim,) = reach_aims(ratios, "peers")
    assert aim.met and "1 of 1" in aim.measured


def test_the_cheapest_setting_of_the_flow_is_taken():
    text, _ = flow_part(flows())
    rows = [
        [words.strip() for words in line.strip("|").split("|")]
        for line in text.splitlines()
        if "10<sup>" in line
    ]
    known, unknown = (
        {row[4]: row[5:] for row in rows if row[3] == scale}
        for scale in ("10<sup>−3</sup>", "10<sup>−8</sup>")
    )
    assert known["LSODA"] == ["1e-10", "2 s (1.8–2.4)", "1e-09", "1e-08", "×4"]
    assert known["Radau"][-1] == "not reached" and known["Radau"][2] == "1e-07"
    assert known["Euler"] == ["", "past 60 s", "", "", ""]
    # there the end alone counts
    assert unknown["LSODA"][2:] == ["1e-09", "not enclosed", "×4"]


def test_long_words_of_a_solver_stand_below_the_table():
    notes = Notes()
    long = "a message that is too long for a table"
    assert [notes.status(text) for text in ("past 60 s", long, "", long)] == [
        "past 60 s",
        "fails [1]",
        "–",
        "fails [1]",
    ]
    assert str(notes) == f"[1] {long}  "


@pytest.mark.parametrize(
    ("seconds", "others", "words"),
    [
        (2.345, (), "2.35 s"),
        (0.0393, (0.0387, 0.0396), "39.3 ms (38.7–39.6)"),
        (1e-5, (), "10 µs"),
        (1e-8, (), "0.01 µs"),
    ],
)
def test_times_have_a_fitting_unit(seconds, others, words):
    assert duration(0.0996, digits=2) == "100 ms"
    assert duration(seconds, *others) == words


def test_the_figure_is_of_the_largest_problem_and_shows_every_run():
    table = pd.concat([limits(N=50, peers=1), limits(peers=3)])
    figure = drawing(table)
    *panels, bar = figure.axes
    assert "N = 100, d = 400, s = 8" in bar.get_xlabel()
    assert [ax.get_title() for ax in panels] == [
        f"D = {depth}, η = {eta}" for depth in (2, 3) for eta in (0, 0.1)
    ]
    for ax in panels:
        digits = ax.images[0].get_array()
        assert digits.shape == (5, len(SCALES)) and digits[0, 0] == pytest.approx(14.0)
        words = [text.get_text() for text in ax.texts]
        assert len(words) == digits.size
        # what fails has words, and no digits
        assert words.count("fails") == np.ma.count_masked(digits) > 0
        assert words[0] == "10 ms"


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("past 60 s", "slow"),
        ("not tried: past", "slow"),
        ("not installed", "absent"),
        ("x", "fails"),
    ],
)
def test_a_run_without_numbers_is_a_word(status, words):
    assert short_outcome(pd.Series(run_of("peer", np.nan, np.nan, status))) == words
