"""What counts as proved of a table and of a figure."""

import numpy as np
import pandas as pd
import pytest

from audit.values import figure_problems, table_problems
from frames import cell, curves, instances
from implicit_l1.status import CERTIFIED, CONVERGED, NOT_UNIQUE, PROVED
from pipeline.tidy import write_table
from tables.making import make_table
from tables.rendering import digits_of

VALUES = cell(N=5, d=10, s=2, eta=0.1)


def certificates(quantities, repetitions, log10_alpha):
    """Rows of stage certificates: enclosures of no width."""
    rows = [
        {"repetition": r, "quantity": name, "log10_alpha": log10_alpha, "status": PROVED}
        | {"lower": value, "upper": value}
        for name, value in quantities.items()
        for r in range(repetitions)
    ]
    head = {**VALUES, "path": "alpha1e-12to1by2"}
    return pd.DataFrame([{**head, **row} for row in rows])


@pytest.mark.parametrize("proved", [True, False])
def test_floats_of_a_table_are_not_counted_as_proved(tmp_path, proved):
    data = tmp_path / "instances.parquet"
    write_table(data, instances(VALUES, [CERTIFIED, NOT_UNIQUE]))
    proofs = tmp_path / "certificates.parquet"
    names = ("margin", "rho", "rho_tilde_lower", "rho_tilde_upper", "kappa")
    table = certificates(dict.fromkeys(names, "0.5"), 1, float("nan"))
    write_table(proofs, table.assign(depth=float("nan")))
    files = [proofs] if proved else []
    frame = pd.read_parquet(data)
    text = digits_of(make_table("cells", frame, pd.read_parquet(proofs) if proved else None))
    found = table_problems("cells", text.astype(str), [data], files)
    assert found.problems == []
    assert found.shown == 6  # rho, its ends, rho~ from both sides, kappa
    assert found.proved == found.right == (6 if proved else 0)
    wrong = text.astype(str).assign(**{"rho" if proved else "rho_float": "0.7"})
    (problem,) = table_problems("cells", wrong, [data], files).problems
    assert ("is not in its enclosure" in problem) == proved


@pytest.mark.parametrize(
    ("ends", "printed", "proved"),
    [
        ([2e-9, 4e-9], "4.0e-09", 1),
        ([2e-9, "not proved: it has no end"], "2.0e-09 (1 of 2); no proof of 1: it has no end", 0),
    ],
)
def test_an_upper_bound_that_is_printed_alone_is_a_number_that_is_proved(
    tmp_path, ends, printed, proved
):
    data, proofs = tmp_path / "agreement.parquet", tmp_path / "certificates.parquet"
    values = VALUES | {"initialization": "", "depth": 3.0, "alpha": 0.1}
    flow = {"status": CERTIFIED, "form": "dual", "disagreement": 3e-9, "steps": 40.0}
    rows = [values | flow | {"repetition": r, "outcome": CONVERGED} for r in range(2)]
    write_table(data, pd.DataFrame(rows))
    statements = [
        values
        | {"repetition": r, "quantity": "disagreement", "log10_alpha": -1.0}
        | (
            {"status": end, "lower": None, "upper": None}
            if isinstance(end, str)
            else {"status": PROVED, "lower": "0", "upper": str(end)}
        )
        for r, end in enumerate(ends)
    ]
    write_table(proofs, pd.DataFrame(statements))
    made = make_table("agreement", pd.read_parquet(data), pd.read_parquet(proofs))
    text = digits_of(made).astype(str)
    assert text["proved_disagreement"].tolist() == [printed]
    found = table_problems("agreement", text, [data], [proofs])
    # of the flow's own numbers, disagreement and steps, none is proved
    assert (found.problems, found.proved, found.shown) == ([], proved, 2 + proved)
    forged = text.assign(proved_disagreement="1e-12")
    assert len(table_problems("agreement", forged, [data], [proofs]).problems) == 1


@pytest.mark.parametrize("printed", ["1", "0", "0.5", "0.49999999999", "0.500000000001", "5e-1"])
def test_a_number_of_a_table_has_the_digits_of_its_enclosure(tmp_path, printed):
    """Neither fewer, of which half a unit holds the enclosure, nor others."""
    data, proofs = tmp_path / "instances.parquet", tmp_path / "certificates.parquet"
    write_table(data, instances(VALUES, [CERTIFIED]))
    names = ("margin", "rho", "rho_tilde_lower", "rho_tilde_upper", "kappa")
    table = certificates(dict.fromkeys(names, "0.5"), 1, float("nan"))
    write_table(proofs, table.assign(depth=float("nan")))
    text = digits_of(make_table("cells", pd.read_parquet(data), pd.read_parquet(proofs))).astype(
        str
    )
    assert table_problems("cells", text, [data], [proofs]).problems == []
    (problem,) = table_problems("cells", text.assign(rho=printed), [data], [proofs]).problems
    assert f", rho: {printed} is" in problem


def cell_of_a_figure(folder, table, proofs, statuses=(CERTIFIED, CERTIFIED)):
    """Write a cell of stage rates and its certificates: the figure's data, and all that is made."""
    place = folder / "rates/problem/D2/alpha1e-12to1by2/reps2"
    file = folder / "certificates/problem/D2/alpha1e-12to1by2/reps0-1.parquet"
    for path in (place, file.parent):
        path.mkdir(parents=True)
    write_table(place / "curves.parquet", table)
    write_table(place / "instances.parquet", instances(VALUES, statuses))
    write_table(file, proofs)
    return [place / "curves.parquet"], {file.as_posix()}


def plotted(log10_alpha=("0",), median=("1",), **more):
    return pd.DataFrame({"log10_alpha": log10_alpha, "median": median, **more})


def test_points_of_a_figure_are_proved_where_they_are_drawn(tmp_path):
    """The medians at certified scales, at their place, no other."""
    table = curves(VALUES, [CERTIFIED] * 2)
    drawn = table[table["quantity"] == "error_1"]
    median = drawn.loc[drawn["log10_alpha"] == -4.0, "median"].item()
    files = cell_of_a_figure(tmp_path, table, certificates({"error_1": repr(median)}, 2, -4.0))

    def found(log10_alpha, median, **more):
        return figure_problems(plotted(log10_alpha, median, **more), *files)

    medians = [f"{value:#.6g}" for value in drawn["median"]]
    result = found([f"{scale:g}" for scale in drawn["log10_alpha"]], medians)
    assert (result.proved, result.shown, result.right) == (1, len(drawn), 1)
    assert found(["-3.75"], [f"{median:#.6g}"]).proved == 0
    assert found(["-4"], [f"{1.001 * median:#.6g}"]).proved == 0
    assert found([""], [f"{median:#.6g}"]).proved == 0  # of every alpha
    assert found(["-4"], [f"{median:#.6g}"]).proved == 1
    assert found([""], [""], nothing=["the error is 0"]).shown == 0


ERROR = "median error_1 at log10(alpha) = -4 "


@pytest.mark.parametrize(
    ("factor", "more", "words"),
    [
        (1.0, 0, None),
        (2.0, 0, "= {value:.12g} is not in its enclosure"),
        # a comparison that is skipped is no comparison
        (2.0, 1, "is over 3 repetitions, 2 are measured"),
        (1.0, -1, "is over 1 repetitions, 2 are measured"),
    ],
)
def test_a_median_and_over_how_many_it_is(tmp_path, factor, more, words):
    table = curves(VALUES, [CERTIFIED] * 2)
    at = (table["quantity"] == "error_1") & (table["log10_alpha"] == -4.0)
    (median,) = table.loc[at, "median"]
    table.loc[at, "median"] *= factor
    table["count"] += more
    proofs = certificates({"error_1": repr(median)}, 2, -4.0)
    found = figure_problems(plotted(), *cell_of_a_figure(tmp_path, table, proofs))
    assert found.skipped == []
    assert len(found.problems) == (words is not None)
    for problem in found.problems:
        assert ERROR + words.format(value=factor * median) in problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows[rows["repetition"] == 0], "no certificate is of it"),
        (lambda rows: rows.assign(status="not proved: it is hard"), "not proved: it is hard"),
    ],
)
def test_a_median_without_all_its_proofs_is_named(tmp_path, change, words):
    table = curves(VALUES, [CERTIFIED] * 2)
    proofs = change(certificates({"error_1": "0.5"}, 2, -4.0))
    found = figure_problems(plotted(), *cell_of_a_figure(tmp_path, table, proofs))
    assert (found.right, found.problems) == (0, [])
    (skipped,) = found.skipped
    assert f"{ERROR}is not compared: repetition " in skipped and skipped.endswith(words)


@pytest.mark.parametrize(
    ("quantity", "proved", "values", "middle"),
    [
        ("error_1", "error_1", ("0.01", "0.04"), 0.02),  # as on a logarithmic axis
        ("slope", "local_slope", ("0.5", "0.9"), 0.7),
    ],
)
def test_a_median_of_two_is_in_their_middle(tmp_path, quantity, proved, values, middle):
    table = curves(VALUES, [CERTIFIED] * 2)
    table.loc[table["quantity"] == quantity, "median"] = middle
    table.loc[table["quantity"] == "slope", "log10_alpha"] += 0.25  # half way to the next scale
    proofs = certificates({proved: None}, 2, -4.0).assign(lower=values, upper=values)
    found = figure_problems(plotted(), *cell_of_a_figure(tmp_path, table, proofs))
    assert (found.right, found.problems, found.skipped) == (1, [], [])


@pytest.mark.parametrize(
    ("error", "slope", "skipped"),
    [("0", np.nan, 0), ("1e-9", np.nan, 1), ("0", 0.5, 1)],
)
def test_a_slope_that_does_not_exist_is_none_that_should_have_been_compared(
    tmp_path, error, slope, skipped
):
    """Where the error of a repetition is proved to be 0; else it is named, and so is a number."""
    table = curves(VALUES, [CERTIFIED] * 2)
    table.loc[table["quantity"] == "error_1", "median"] = float(error)
    table.loc[table["quantity"] == "slope", "log10_alpha"] += 0.25
    table.loc[table["quantity"] == "slope", "median"] = slope
    why = "not proved: the error is 0"
    slopes = certificates({"local_slope": None}, 2, -4.0).assign(status=why)
    proofs = pd.concat([certificates({"error_1": error}, 2, -4.0), slopes], ignore_index=True)
    found = figure_problems(plotted(), *cell_of_a_figure(tmp_path, table, proofs))
    assert (len(found.skipped), found.problems) == (skipped, [])


def test_of_a_signal_that_is_not_known_no_distance_should_have_been_compared(tmp_path):
    """Its median is none, and no proof is of it."""
    table = curves(VALUES, [CERTIFIED] * 2, signal=False)
    error = table[(table["quantity"] == "error_1") & (table["log10_alpha"] == -4.0)]
    proofs = certificates({"error_1": repr(error["median"].item())}, 2, -4.0)
    found = figure_problems(plotted(), *cell_of_a_figure(tmp_path, table, proofs))
    assert (found.right, found.skipped, found.problems) == (1, [], [])


def test_a_median_at_a_scale_that_is_not_there_is_named(tmp_path):
    table = curves(VALUES, [CERTIFIED] * 2)
    table = table[(table["quantity"] != "error_1") | (table["log10_alpha"] != -4.0)]
    proofs = certificates({"error_1": "0.5"}, 2, -4.0)
    (problem,) = figure_problems(plotted(), *cell_of_a_figure(tmp_path, table, proofs)).problems
    assert problem.endswith(f"{ERROR}stands in 0 rows, not in one")


@pytest.mark.parametrize(("size", "right"), [("1e-400", True), ("1e-300", False)])
def test_a_median_that_is_0_as_a_double(tmp_path, size, right):
    table = curves(VALUES, [CERTIFIED] * 2)
    table.loc[table["quantity"] == "error_1", "median"] = 0.0
    proofs = certificates({"error_1": size}, 2, -4.0)
    found = figure_problems(plotted(), *cell_of_a_figure(tmp_path, table, proofs))
    assert (found.right, len(found.problems)) == (int(right), int(not right))


def test_a_trajectory_is_proved_where_it_is_drawn_and_no_other(tmp_path):
    """At early times those of several scales, which are near 0, are the same to six digits."""
    table = pd.DataFrame({"repetition": 0, "time": [0.5, 1.0], "quantity": "error_1"})
    table = table.assign(**VALUES, value=[2.0, 1.5], coordinate=-1)
    files, made = [], set()
    for alpha in (1e-8, 1e-12):
        place = f"problem/D2/alpha{alpha}/reps0-0.parquet"
        files.append(tmp_path / "flow" / place)
        write_table(files[-1], table.assign(alpha=alpha))
    proofs = tmp_path / "certificates" / place
    rows = {"log10_alpha": -12.0, "status": PROVED, "lower": ["2", "1.5"], "upper": ["2", "1.5"]}
    write_table(proofs, table.assign(alpha=alpha, **rows))
    made = {proofs.as_posix()}

    def found(**more):
        """What is compared where a row is drawn at one place."""
        row = {"depth": "2", "repetition": "0", "alpha": "1e-12", "quantity": "error_1"}
        row |= {"time": "0.5", "value": "2.00000"}
        return figure_problems(pd.DataFrame([row | more]), files, made)

    assert (found().proved, found().right, found().problems) == (1, 2, [])
    others = {"alpha": "1e-08", "depth": "3", "repetition": "1", "quantity": "x_on", "time": "1"}
    for name, other in others.items():
        assert found(**{name: other}).proved == 0
    write_table(proofs, table.assign(alpha=alpha, **rows | {"lower": ["1", "1"]}))
    assert found().proved == 0
    assert all("wider than any that is proved" in problem for problem in found().problems)


def test_certificates_of_a_cell_that_are_missing_are_named(tmp_path):
    table = curves(VALUES, [CERTIFIED] * 2)
    data, made = cell_of_a_figure(tmp_path, table, certificates({"error_1": "0.5"}, 2, -4.0))
    more = {(tmp_path / "certificates/problem/D2/alpha1e-12to1by2/reps2-2.parquet").as_posix()}
    found = figure_problems(plotted(), data, made | more)
    assert any("certificates of its cell are missing, as " in problem for problem in found.problems)
