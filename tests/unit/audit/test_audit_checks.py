"""What an audit finds beside origins: problems drawn anew, states of the workflow, bounds."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit import judge, tidy, workflow_queries
from audit.again import check_drawings, draw
from audit.findings import Audit
from audit.origins import DRAWING, check_states, check_strays, check_told
from audit.values import figure_problems
from audit.workflow_queries import Job
from frames import LOG10_ALPHA, bounds, cell
from implicit_l1.status import CERTIFIED, PROVED
from pipeline.command_line import Failure
from pipeline.storage import read_arrays, read_origin, write_arrays, written_origin
from pipeline.tidy import write_table

DRAWN = [
    *("--repetitions", "0", "2", "gaussian", "--N", "4", "--d", "8", "--s", "1"),
    *("--eta", "0.1", "--seed", "1", "--law", "constant"),
]


@pytest.mark.parametrize("place", [None, 0, 1, 2])
@pytest.mark.parametrize("name", ["matrix", "signal", "data"])
def test_every_repetition_is_drawn_anew(tmp_path, name, place):
    """A changed last bit of any of three repetitions is found, and named."""
    arrays = draw(DRAWN)
    changed = arrays[name].copy()
    if place is not None:
        row = changed[place]
        row[row != 0] = np.nextafter(row[row != 0], np.inf)
    file = str(tmp_path / "problems.npz")
    write_arrays(file, **arrays | {name: changed})
    job = Job("problems", (), (file,), (DRAWING, "--output", file, *DRAWN))
    found = Audit([job], tmp_path)
    check_drawings(found)
    assert found.counts["problems drawn anew"] == 3
    what = [finding.what for finding in found.findings.get(file, [])]
    expected = (
        [] if place is None else [f"differs from what is drawn: repetition {place}, ['{name}']"]
    )
    assert what == expected
    assert read_arrays(file)["repetition"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (("ok", "no update"), None),
        (("ok", "update pending"), "update pending"),
        (("params changed", "update pending"), "params changed"),
        # by their times; what their contents are, origins say
        (("updated input files", "update pending"), None),
        (("missing", "update pending"), "missing"),
        (None, "unknown to the workflow"),
    ],
)
def test_what_the_workflow_would_make_anew_is_a_finding(tmp_path, state, words):
    job = Job("l1", (), ("file.npz",), ("scripts/stages/l1.py",))
    found = Audit([job], tmp_path)
    check_states(found, {} if state is None else {"file.npz": state})
    what = [finding.what for finding in found.findings.get("file.npz", [])]
    assert what == ([f"would be made anew by the workflow ({words})"] if words else [])


@pytest.mark.parametrize("told", [["a.csv", "a.pdf"], ["a.csv"], ["a.csv", "a.pdf", "a.png"]])
def test_a_file_beside_a_figure_tells_of_all_that_its_rule_makes(tmp_path, monkeypatch, told):
    """One that it has forgotten could be changed and nobody would know."""
    monkeypatch.chdir(tmp_path)
    digest = hashlib.sha256(b"drawn").hexdigest()
    for name in told:
        Path(name).write_text("drawn", encoding="utf-8")
    origin = {"files": dict.fromkeys(told, digest), "configuration": {"seed": 1}}
    Path("a.json").write_text(written_origin(origin), encoding="utf-8")
    command = ("program", "--configuration", '{"seed": 1}')
    found = Audit([Job("figure", (), ("a.csv", "a.json", "a.pdf"), command)], tmp_path)
    check_told(found, "a.json", read_origin("a.json"))
    what = [finding.what for finding in found.findings.get("a.json", [])]
    right = told == ["a.csv", "a.pdf"]
    assert what == ([] if right else ["does not tell of all files that its rule makes"])


@pytest.mark.parametrize("wrong", [False, True])
def test_a_figure_of_bounds_is_compared_with_its_proofs(tmp_path, wrong):
    """The errors of every repetition at the certified scales, in decimal logarithms."""
    values = cell(N=5, d=10, s=2, eta=0.1)
    data = tmp_path / "bounds/problem/D2/path/reps0-1.parquet"
    proofs = tmp_path / "certificates/problem/D2/path/reps0-1.parquet"
    for path in (data, proofs):
        path.parent.mkdir(parents=True)
    frame = bounds(values, [CERTIFIED] * 2)
    frame["log10_error_1"] = frame["log10_alpha"] - 0.5 * frame["repetition"]
    rows = [
        {**values, "path": "path", "repetition": repetition, "quantity": "error_1"}
        | {"log10_alpha": scale, "status": PROVED}
        | dict.fromkeys(("lower", "upper"), repr(10.0 ** (scale - 0.5 * repetition)))
        for repetition in (0, 1)
        for scale in (-12.0, -4.0)
    ]
    if wrong:
        at = (frame["repetition"] == 1) & np.isclose(frame["log10_alpha"], -4.0)
        assert at.sum() == 1 and LOG10_ALPHA.size * 2 == len(frame)
        frame.loc[at, "log10_error_1"] += 1e-4
    write_table(data, frame)
    write_table(proofs, pd.DataFrame(rows))
    text = pd.DataFrame({"log10_alpha": ["-4"], "log10_error_off": ["-4"]})
    made = {Path(proofs).as_posix()}
    result = figure_problems(text, [data], made)
    assert result.right == 4 - wrong
    assert len(result.problems) == wrong
    for problem in result.problems:
        assert "repetition 1 at -4 = -4.4999 is not in its enclosure" in problem


@pytest.mark.parametrize("program", [judge, tidy])
def test_of_several_configuration_files_all_are_used(program, monkeypatch):
    """The last one may name an experiment more, and nothing else."""

    def said(workflow):
        raise Failure(" ".join(workflow.words))

    monkeypatch.setattr(workflow_queries, "jobs_and_states", said)
    monkeypatch.setattr("sys.argv", ["program", "--configfile", "a.yaml", "b.yaml"])
    with pytest.raises(Failure, match=r"--configfile a\.yaml b\.yaml"):
        program.main()


BOUNDED = {
    "log10_error_off_upper": (1, "error_over_upper_off", "0.1"),
    "log10_refined_off_upper": (0.5, "error_over_refined_upper_off", "0.31622776601683793"),
    "log10_error_off_lower": (-2, "lower_over_error_off", "0.01"),
    "log10_refined_off_lower": (-1, "refined_lower_over_error_off", "0.1"),
    "log10_classical_upper": (3, "error_over_classical_upper_1", "0.001"),
}


def figure_of_bounds(folder, change=None, quotients=()):
    """What is compared of a figure of bounds at 10^-4, after a change of its data."""
    values = cell(N=5, d=10, s=2, eta=0.1)
    data = folder / "bounds/problem/D2/path/reps0-0.parquet"
    proofs = folder / "bound_certificates/problem/D2/path/reps0-0.parquet"
    for path in (data, proofs):
        path.parent.mkdir(parents=True)
    frame = bounds(values, [CERTIFIED], log10_alpha=np.array([-4.0]))
    frame = frame.assign(log10_error_off=-4.25, log10_error_1=-4.0)
    known = {"error_off": "5.6234132519034908e-5", "error_1": "1e-4"}
    for column, (distance, name, quotient) in BOUNDED.items():
        frame[column] = (-4.0 if "classical" in column else -4.25) + distance
        known[name] = quotient
    known |= dict(quotients)
    rows = [
        {**values, "path": "path", "repetition": 0, "quantity": name, "log10_alpha": -4.0}
        | {"status": PROVED, "lower": value, "upper": value}
        for name, value in known.items()
    ]
    if change is not None:
        frame = change(frame)
    write_table(data, frame)
    write_table(proofs, pd.DataFrame(rows))
    drawn = ["log10_alpha", "log10_error_off", *BOUNDED]
    text = frame[drawn].map(lambda value: f"{value:#.6g}")
    return figure_problems(text, [data], {proofs.as_posix()})


def test_drawn_bounds_are_compared_with_their_proofs(tmp_path):
    result = figure_of_bounds(tmp_path)
    assert (result.right, result.proved, result.shown) == (7, 1, 1)
    assert result.problems == [] and result.skipped == []


@pytest.mark.parametrize("column", BOUNDED)
def test_a_bound_that_says_too_much_is_a_problem(tmp_path, column):
    """One that says less allows for rounding."""
    sign = 1 if column.endswith("_upper") else -1
    for step in (-1e-3, 1e-3):
        result = figure_of_bounds(
            tmp_path / str(step),
            lambda frame, step=step: frame.assign(**{column: frame[column] + sign * step}),
        )
        told = result.problems if step < 0 else result.skipped
        assert (result.right, result.proved, len(told)) == (6, 0, 1)
        assert len(result.problems) + len(result.skipped) == 1
        assert f"{column} of repetition 0 at -4" in told[0]
        assert ("is not in its enclosure" if step < 0 else "it allows for rounding") in told[0]


def test_a_bound_that_says_nothing_is_none_in_both(tmp_path):
    column, (_, name, _) = next(iter(BOUNDED.items()))

    def silent(frame):
        return frame.assign(**{column: np.inf})

    result = figure_of_bounds(tmp_path / "both", silent, {name: "0"})
    assert (result.right, result.proved, result.problems, result.skipped) == (6, 1, [], [])
    result = figure_of_bounds(tmp_path / "one", silent)
    assert result.right == 6 and "is inf, and it is finite that is proved" in result.problems[0]
    result = figure_of_bounds(tmp_path / "other", None, {name: "0"})
    assert result.right == 6 and "nothing is said by the bound" in result.problems[0]


@pytest.mark.parametrize("told", ["results/mine/other", "results/mine", "results/mine/others"])
def test_results_of_another_configuration_have_its_name(tmp_path, monkeypatch, told):
    """A folder that was copied says another name than its own: what lies there is added."""
    monkeypatch.chdir(tmp_path)
    folder = Path("results/mine/other")
    folder.mkdir(parents=True)
    for name, text in (("configuration.yaml", f"results: {told}\n"), ("a.csv", "1\n")):
        (folder / name).write_text(text)
    found = Audit([], Path("results/mine"))
    check_strays(found)
    strays = (
        [] if told == str(folder) else [str(folder / "a.csv"), str(folder / "configuration.yaml")]
    )
    assert sorted(found.findings) == strays
    assert len(found.notes) == (not strays)


@pytest.mark.parametrize("size", ["lots", "-1", "2.5", ""])
def test_the_size_of_the_sample_is_a_number_or_all(size, capsys, monkeypatch):
    words = ["judge", "--configfile", "config.yaml", f"--again={size}"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        judge.main()
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.endswith(f"argument --again: {size} is neither a number nor all")
