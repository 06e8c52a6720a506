"""Whatever is changed behind the workflow's back is named by the audit."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import audit
import pandas as pd
import pytest
import yaml

from workflow_runs import ROOT

RESULTS = "results/smoke"
PROBLEM = f"{RESULTS}/problems/gaussian_N20_d40_s2_eta0/reps0-1.npz"
MINIMIZER = f"{RESULTS}/l1/gaussian_N20_d40_s2_eta0/reps0-1.npz"
CURVES = f"{RESULTS}/rates/gaussian_N20_d40_s2_eta0/D2/alpha1e-6to1by2/reps3/curves.parquet"
INSTANCES = CURVES.replace("curves", "instances")

Judged = namedtuple("Judged", "status page report")


@pytest.fixture(scope="module")
def said(finished, tmp_path_factory):
    """What the workflow says of the finished run: the arguments of the program."""
    folder = tmp_path_factory.mktemp("said")
    configuration = finished.folder / RESULTS / "configuration.yaml"
    for name, options in (
        ("jobs", ("--dry-run", "--forceall", "--printshellcmds", "--nocolor")),
        ("states", ("--summary",)),
    ):
        text = finished.snakemake(*options, "--", "all").stdout
        (folder / name).write_text(text, encoding="utf-8")
    return [
        *("--jobs", folder / "jobs", "--states", folder / "states"),
        *("--configuration", configuration.read_text(encoding="utf-8")),
    ]


@pytest.fixture
def judge(copy, said):
    """The program, run in the copy; it knows nothing of what was changed since."""

    def judged():
        result = subprocess.run(
            [
                *(sys.executable, "scripts/audit.py", *said),
                *("--results", RESULTS, "--reference", "results/reference/smoke"),
                *("--markdown", f"{RESULTS}/audit.md", "--json", f"{RESULTS}/audit.json"),
            ],
            cwd=copy.folder,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.stderr == ""
        assert (copy.folder / RESULTS / "audit.md").read_text(encoding="utf-8") == result.stdout
        report = json.loads((copy.folder / RESULTS / "audit.json").read_text(encoding="utf-8"))
        return Judged(result.returncode, result.stdout, report)

    return judged


def verdicts(report):
    """Figures and tables that fail."""
    return {
        f"{entry['kind']} {entry['name']}"
        for entry in report["published"]
        if entry["verdict"] == "FAIL"
    }


def in_project(project, code, *words):
    """Run Python in the project, with its own library."""
    code = f"import sys; sys.path.insert(0, 'scripts')\n{code}"
    subprocess.run([sys.executable, "-c", code, *words], cwd=project.folder, check=True)


# --- what the workflow makes passes ---


def test_a_finished_run_passes(copy):
    before = copy.checksums()
    result = copy.snakemake("--quiet", "all", "--", "audit")
    assert result.returncode == 0, result.stdout + result.stderr
    page = result.stdout
    assert re.match(r"PASS: every published number .*; no reference in git", page)
    assert re.search(r"^- PASS figure depth \(\d+ of \d+ points proved\)$", page, re.MULTILINE)
    assert re.search(r"^- PASS table cells \((\d+) of \1 numbers proved\)$", page, re.MULTILINE)
    assert "FAIL" not in page
    made = copy.checksums()
    assert set(made) - set(before) == {"smoke/audit.md", "smoke/audit.json"}
    assert {name: made[name] for name in before} == before
    # once more: its own pages are no strangers, and it always runs
    assert copy.snakemake("--quiet", "all", "--", "audit").returncode == 0


def test_how_much_is_proved_is_said(copy, judge):
    """Of tables and figures, and of which experiments nothing."""
    _, page, report = judge()
    found = {f"{entry['kind']} {entry['name']}": entry for entry in report["published"]}
    assert all(0 <= entry["proved"] <= entry["shown"] for entry in found.values())
    for name in ("figure noise", "figure generalization", "figure far_deep", "figure phase"):
        assert 0 < found[name]["proved"] < found[name]["shown"]
    # fits, trajectories, steps and bounds are floating point
    for name in ("figure prediction", "figure flow", "figure descent", "table newton"):
        assert found[name]["proved"] == 0 < found[name]["shown"]
    assert found["table cells"]["proved"] == found["table cells"]["shown"] > 0
    assert report["unproved"] == ["descent", "flow"]
    first = page.split("\n")[0]
    assert "no number of experiments descent, flow is proved" in first
    for kind, what in (("table", "numbers of tables"), ("figure", "plotted points")):
        proved, shown = (
            sum(entry[key] for name, entry in found.items() if name.startswith(kind))
            for key in ("proved", "shown")
        )
        assert f"{proved} of {shown} {what}" in first
        assert report["checked"][f"{what} that are proved"] == proved


def test_what_was_checked_is_counted(copy, judge):
    report = judge().report
    checked = report["checked"]
    files = [name for name in copy.checksums() if "audit." not in name]
    assert checked["files of results"] == len(files)
    problems = (copy.folder / RESULTS / "problems").rglob("*.npz")
    assert checked["problems drawn anew"] == sum(
        int(last) - int(first) + 1
        for first, last in (path.stem.removeprefix("reps").split("-") for path in problems)
    )
    kept = {path.stem for path in (copy.folder / RESULTS / "tables").iterdir()}
    assert {f"table {name}" for name in kept} <= {
        f"{entry['kind']} {entry['name']}" for entry in report["published"]
    }
    assert set(report["environment"]) >= {"processor", "linear algebra", "git", "variables"}


# --- what is changed is named ---


def test_a_digit_of_a_table(copy, judge):
    path = copy.folder / RESULTS / "tables/rates.csv"
    text = path.read_text(encoding="utf-8")
    place = re.search(r"\.\d*?([1-8])", text).start(1)
    path.write_text(text[:place] + str(int(text[place]) + 1) + text[place + 1 :], encoding="utf-8")
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == {"table rates"}
    assert f"- FAIL table rates: {RESULTS}/tables/rates.csv is not as it was made" in page


def test_a_number_that_is_not_in_its_enclosure(copy, judge):
    path = copy.folder / RESULTS / "tables/cells.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    rho = table.loc[1, "rho"]
    table.loc[1, "rho"] = other = rho[:-2] + str((int(rho[-2]) + 5) % 10) + rho[-1]
    table.to_csv(path, index=False, lineterminator="\n")
    (reason,) = [
        reason
        for entry in judge().report["published"]
        for reason in entry["reasons"]
        if "enclosure" in reason
    ]
    assert reason.startswith(f"{RESULTS}/tables/cells.csv: row 2 (")
    assert f", rho: {other} is not in its enclosure [" in reason


def test_numbers_that_cannot_be_checked(copy, judge):
    (copy.folder / RESULTS / "tables/cells.csv").write_text("")
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == {"table cells"}
    assert "its numbers cannot be checked" in page


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "csv"])
def test_a_byte_of_a_figure(copy, judge, kind):
    path = copy.folder / RESULTS / f"figures/depth.{kind}"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == {"figure depth"}
    assert f"- FAIL figure depth: {RESULTS}/figures/depth.{kind} is not as it was made" in page


@pytest.mark.parametrize(
    ("file", "shown", "hidden"),
    [
        (MINIMIZER, {"figure noise", "figure bounds", "table cells"}, {"figure phase"}),
        (CURVES, {"figure noise", "figure depth"}, {"table cells", "figure bounds"}),
    ],
)
def test_a_byte_of_what_stands_between(copy, judge, file, shown, hidden):
    path = copy.folder / file
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    status, _, report = judge()
    assert status == 1
    assert shown <= verdicts(report) and not hidden & verdicts(report)
    reasons = {
        reason
        for entry in report["published"]
        for reason in entry["reasons"]
        if f"figure {entry['name']}" in shown
    }
    assert all(reason.startswith(f"{file} is damaged") for reason in reasons), reasons


def test_an_edited_file_is_not_built_upon(copy):
    path = copy.folder / MINIMIZER
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    before = copy.checksums()
    result = copy.snakemake("--quiet", "all", "--", "audit")
    assert result.returncode != 0
    assert result.stdout.startswith("FAIL: ")
    assert f"{MINIMIZER} is damaged" in result.stdout
    after = copy.checksums()
    assert {name: after[name] for name in before} == before


def test_a_repetition_left_out_of_arrays(copy, judge):
    code = """
from implicit_l1.storage import read_arrays, write_arrays
arrays = read_arrays(sys.argv[1])
write_arrays(sys.argv[1], **{name: values[1:] for name, values in arrays.items()})
"""
    in_project(copy, code, MINIMIZER)
    status, page, report = judge()
    assert status == 1
    assert f"{MINIMIZER} was made by another command ('-c' for 'scripts/l1.py')" in page
    assert {"figure noise", "table cells"} <= verdicts(report)


def test_a_repetition_left_out_of_a_table(copy, judge):
    code = """
from implicit_l1.storage import read_table, write_table
frame = read_table(sys.argv[1])
write_table(sys.argv[1], frame[frame["repetition"] != 1])
"""
    in_project(copy, code, INSTANCES)
    status, page, report = judge()
    assert status == 1
    assert f"{INSTANCES} was made by another command" in page
    assert {"figure noise", "table cells"} <= verdicts(report)
    assert "figure flow" not in verdicts(report)


def test_a_file_written_anew_with_nothing_wrong_in_its_origin(copy, judge):
    code = """
from implicit_l1 import origin, storage
sys.modules["__main__"].__file__ = "scripts/l1.py"
arrays, told = storage._load_arrays(sys.argv[1])
origin.origin_of = lambda path: told
storage.write_arrays(sys.argv[1], **{name: values[:1] for name, values in arrays.items()})
"""
    in_project(copy, code, MINIMIZER)
    status, _, report = judge()
    assert status == 1
    readers = {file for file, whats in report["files"].items() if MINIMIZER in str(whats)}
    assert f"{RESULTS}/null_space/gaussian_N20_d40_s2_eta0/reps0-1.npz" in readers
    assert f"made from another version of {MINIMIZER}" in str(report["published"])


def test_two_files_in_each_others_place(copy, judge):
    one, another = copy.folder / CURVES, copy.folder / CURVES.replace("eta0/", "eta0.1/")
    aside = copy.folder / "aside"
    one.rename(aside)
    another.rename(one)
    aside.rename(another)
    status, page, report = judge()
    assert status == 1
    assert f"{CURVES} was written as {CURVES.replace('eta0/', 'eta0.1/')}" in page
    assert f"{CURVES.replace('eta0/', 'eta0.1/')} was written as {CURVES}" in page
    assert "figure noise" in verdicts(report)


@pytest.mark.parametrize("forged", [False, True])
def test_a_seed_edited_beside_a_figure(copy, judge, forged):
    path = copy.folder / RESULTS / "figures/noise.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    words = told["sources"][PROBLEM]
    words[words.index("--seed=1")] = "--seed=2"
    path.write_text(json.dumps(told), encoding="utf-8")
    if forged:  # its checksum too
        code = """
import json
from pathlib import Path
from implicit_l1 import storage
told = json.loads(Path(sys.argv[1]).read_text())
del told["checksum"]
Path(sys.argv[1]).write_text(json.dumps(told | {"checksum": storage._text_checksum(told)}))
"""
        in_project(copy, code, f"{RESULTS}/figures/noise.json")
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == {"figure noise"}
    reason = "tells other problems and seeds than its inputs" if forged else "is damaged"
    assert f"- FAIL figure noise: {RESULTS}/figures/noise.json {reason}" in page


def another_seed(project):
    path = project.folder / PROBLEM
    command = ["scripts/problems.py", "--output", PROBLEM, "--repetitions", "0", "1", "gaussian"]
    options = {"N": 20, "d": 40, "s": 2, "eta": 0, "seed": 2, "law": "uniform"}
    options |= {"low": 0.5, "high": 1.5, "noise-law": "gaussian"}
    command += [f"--{key}={value}" for key, value in options.items()]
    before = path.read_bytes()
    subprocess.run([sys.executable, *command], cwd=project.folder, check=True)
    assert path.read_bytes() != before


def test_problems_of_another_seed(copy, judge):
    another_seed(copy)
    status, page, report = judge()
    assert status == 1
    assert f"{PROBLEM} was made by another command ('--seed=2' for '--seed=1')" in page
    assert "differs from what is drawn: repetition 0" in str(report["files"][PROBLEM])
    assert "figure phase" not in verdicts(report)


def test_problems_of_another_seed_that_tell_the_right_one(copy, judge):
    told = (copy.folder / PROBLEM).read_bytes()
    (copy.folder / "told.npz").write_bytes(told)
    another_seed(copy)
    code = """
from implicit_l1 import origin, storage
arrays, _ = storage._load_arrays(sys.argv[1])
_, told = storage._load_arrays("told.npz")
origin.origin_of = lambda path: told
storage.write_arrays(sys.argv[1], **arrays)
"""
    in_project(copy, code, PROBLEM)
    status, page, report = judge()
    assert status == 1
    whats = report["files"][PROBLEM]
    assert len(whats) == 2 and all("differs from what is drawn" in what for what in whats)
    assert f"{PROBLEM} differs from what is drawn: repetition 0, ['matrix', 'signal'" in page
    assert {"figure noise", "table cells"} <= verdicts(report)


def test_a_file_that_no_rule_makes(copy, judge):
    (copy.folder / RESULTS / "tables/better.csv").write_text("rate\n1\n")
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == set()
    assert f"- FAIL {RESULTS}/tables/better.csv is made by no rule" in page


def test_pages_and_other_configurations_are_left_out(copy, judge):
    folder = copy.folder / RESULTS
    for name in ("report.html", "timings.csv", "timings.md", "logs/a.log", "benchmarks/a.tsv"):
        (folder / name).write_text("")
    (folder / "other").mkdir()
    (folder / "other/configuration.yaml").write_text("")
    (folder / "other/a.csv").write_text("")
    status, page, _ = judge()
    assert status == 0
    assert f"{RESULTS}/other holds the results of another configuration: left out" in page


def test_a_missing_file(copy, judge):
    (copy.folder / RESULTS / "figures/bounds.svg").unlink()
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == {"figure bounds"}
    assert f"- FAIL figure bounds: {RESULTS}/figures/bounds.svg is missing" in page


def test_a_change_of_the_library(copy, judge):
    path = copy.folder / "scripts/implicit_l1/descent.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == {"figure descent", "table descent"}
    assert "was made with another version of scripts/implicit_l1/descent.py" in page


def test_a_change_of_the_lock(copy, judge):
    path = copy.folder / "requirements.txt"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    status, page, report = judge()
    assert status == 1
    assert len(verdicts(report)) == len(report["published"])
    assert "was made with another requirements.txt" in page


def test_another_configuration(copy, judge):
    path = copy.folder / RESULTS / "configuration.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == set()
    assert f"- FAIL {RESULTS}/configuration.yaml is not the configuration" in page


def test_a_configuration_that_was_not_run(copy):
    copy.replace("config/smoke.yaml", "fractions: [0.5, 0.05]", "fractions: [0.5]")
    result = copy.snakemake("--quiet", "all", "--", "audit")
    assert result.returncode != 0
    assert "- FAIL figure descent:" in result.stdout and "- FAIL table descent:" in result.stdout
    assert "was made by another command" in result.stdout
    assert "- PASS figure depth (" in result.stdout


def test_what_the_workflow_would_make_anew(finished, said, tmp_path):
    jobs = audit.read_jobs(said[1].read_text(encoding="utf-8"))
    states = dict.fromkeys((file for job in jobs for file in job.outputs), ("ok", "no update"))
    found = audit.Audit(jobs, tmp_path)
    audit.check_states(found, states)
    assert found.findings == {}
    audit.check_states(found, states | {CURVES: ("params changed", "update pending")})
    assert [finding.what for finding in found.findings[CURVES]] == [
        "would be made anew by the workflow (params changed)"
    ]
    audit.check_states(found, {file: states[file] for file in states if file != INSTANCES})
    assert "unknown to the workflow" in found.findings[INSTANCES][0].what


def changes(origin):
    """Ways in which an origin can differ, and what is to be said of each."""
    style = "scripts/house.mplstyle"
    code, inputs, sources = (dict(origin[part]) for part in ("code", "inputs", "sources"))
    path, seed = next(iter(inputs)), next(iter(sources))
    return {
        "path": ("a.npz", "was written as a.npz"),
        "command": (origin["command"][:-1], "was made by another command"),
        "lock": ("0", "was made with another requirements.txt"),
        "code": (code | {"scripts/l1.py": "0"}, "another version of scripts/l1.py"),
        "more code": (
            code | {style: audit.checksum(style)},
            f"was made with {style}, which rule l1 does not declare",
        ),
        "less code": (
            {name: found for name, found in code.items() if name != "scripts/l1.py"},
            "was made without scripts/l1.py",
        ),
        "inputs": ({path: "0"}, f"was made from another version of {path}"),
        "more inputs": (
            inputs | {style: audit.checksum(style)},
            f"was made from a stray file, {style}",
        ),
        "less inputs": ({}, f"was made without reading {path}"),
        "sources": ({seed: []}, f"tells other problems and seeds than its inputs ({seed})"),
    }


@pytest.mark.parametrize(
    "change",
    [
        *("path", "command", "lock", "code", "more code", "less code"),
        *("inputs", "more inputs", "less inputs", "sources"),
    ],
)
def test_an_origin_that_is_not_the_workflows(finished, said, monkeypatch, change):
    monkeypatch.chdir(finished.folder)
    found = audit.Audit(audit.read_jobs(said[1].read_text(encoding="utf-8")), Path(RESULTS))
    told = {file: audit.read_origin(file) for file in (PROBLEM, MINIMIZER)}
    audit.check_origin(found, MINIMIZER, told[MINIMIZER], told)
    assert found.findings == {}
    value, words = changes(told[MINIMIZER])[change]
    audit.check_origin(found, MINIMIZER, told[MINIMIZER] | {change.split()[-1]: value}, told)
    assert any(words in finding.what for finding in found.findings[MINIMIZER])


def test_a_file_beside_a_figure_that_is_not_the_workflows(finished, said, monkeypatch):
    monkeypatch.chdir(finished.folder)
    file = f"{RESULTS}/figures/noise.json"
    told = audit.read_origin(file)
    for change, words in (
        ({"files": told["files"] | {f"{RESULTS}/figures/a.png": "0"}}, "does not tell of all"),
        ({"rule": "figure_depth"}, "is of rule figure_depth, not figure_noise"),
        ({"configuration": {"seed": 2}}, "tells another configuration"),
    ):
        found = audit.Audit(audit.read_jobs(said[1].read_text(encoding="utf-8")), Path(RESULTS))
        audit.check_told(found, file, told)
        assert found.findings == {}
        audit.check_told(found, file, told | change)
        assert words in found.findings[file][0].what


def test_a_file_with_nothing_that_tells_of_it(finished, said, monkeypatch):
    monkeypatch.chdir(finished.folder)
    jobs = audit.read_jobs(said[1].read_text(encoding="utf-8"))
    silent = audit.Job("table_a", (), ("Snakefile",), ("scripts/tables.py",))
    found = audit.Audit([*jobs, silent], Path(RESULTS))
    audit.check_origins(found)
    assert [finding.what for file in found.findings for finding in found.findings[file]] == [
        "has nothing beside it that tells its origin"
    ]
    assert list(found.findings) == ["Snakefile"]


# --- the reference ---


@pytest.fixture
def reference(copy):
    """The copy's own numbers as its reference."""
    folder = copy.folder / "results/reference/smoke"
    for kind in ("figures", "tables"):
        (folder / kind).mkdir(parents=True)
        for path in (copy.folder / RESULTS / kind).glob("*.csv"):
            shutil.copy2(path, folder / kind)
    return folder


def test_a_reference_of_the_same_numbers(reference, judge):
    status, page, report = judge()
    assert status == 0
    assert page.startswith("PASS: ") and "in the reference in git agree" in page.split("\n")[0]
    assert "no reference" not in page
    assert report["checked"]["numbers and words compared with the reference"] > 1000


def test_a_number_of_the_reference(reference, judge):
    path = reference / "figures/tightness.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[1].split(",")
    cells[3] = "1" + cells[3]
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", encoding="utf-8")
    (reference / "tables/phase.csv").unlink()
    (reference / "figures/noise.csv").unlink()
    (reference / "tables/other.csv").write_text("a\n1\n")
    status, page, report = judge()
    assert status == 1
    assert verdicts(report) == {"figure tightness", "table phase"}
    assert re.search(r"row panel 1, artist line 1 \[1\], column x: ([\d.]+), there 1\1", page)
    assert "results/reference/smoke/tables/phase.csv is missing" in page
    assert "results/reference/smoke/tables/other.csv is of no figure or table" in page
    # a figure that is not in the reference was not published
    assert f"{RESULTS}/figures/noise.csv is not in the reference" in page


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.5", "0.5"),
        ("0.50", "0.51"),  # the intervals meet
        ("1.5e-7", "1.6e-7"),
        ("0.5", "0.549"),
        ("-1.00000e-12", "-1.00001e-12"),
        ("100000.", "99999.5"),
        ("", ""),
        ("inf", "inf"),
        ("certified", "certified"),
        ("3", "3.04"),
    ],
)
def test_numbers_that_agree_as_far_as_they_are_printed(one, other):
    assert audit.differing(f"s,rate\n1,{one}\n", f"s,rate\n1,{other}\n")[0] == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.50", "0.52"),
        ("1.5e-7", "1.7e-7"),
        ("1.5e-7", "1.5e-6"),
        ("0.5", "-0.5"),
        ("0.5", ""),
        ("", "0"),
        ("17", "18"),  # a count
        ("0", "1e-9"),
        ("inf", "1e300"),
        ("nan", "0.5"),
        ("certified", "not unique"),
        ("10^-300", "10^-301"),
    ],
)
def test_numbers_that_differ(one, other):
    (words,) = audit.differing(f"s,rate\n1,{one}\n", f"s,rate\n1,{other}\n")[0]
    assert words == f"row s 1 [1], column rate: {one or 'nothing'}, there {other or 'nothing'}"


def test_whole_numbers_among_others_are_rounded_numbers():
    assert audit.differing("s,rate\n1,12\n2,1.5\n", "s,rate\n1,13\n2,1.5\n")[0] == []


def test_rows_and_columns_that_are_missing_are_named():
    found, count = audit.differing("s,a\n1,5\n1,6\n2,7\n", "s,b\n1,5\n3,7\n")
    assert count == 3
    assert found == [
        "column a is not in the reference",
        "column b is only in the reference",
        "row s 1 [2] is not in the reference",
        "row s 2 [1] is not in the reference",
        "row s 3 [1] is only in the reference",
    ]


# --- the environment ---

LOCK = """
# made by hand
--only-binary :all:
numpy==2.4.6 \\
    --hash=sha256:1111 \\
    --hash=sha256:2222
    # via scipy
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:3333
Jinja2==3.1.6 ; python_full_version >= '3.11' \\
    --hash=sha256:4444
"""


def packages(found):
    result = audit.Audit([], None)
    audit.check_packages(result, LOCK, found)
    return result.general


def test_packages_as_they_are_locked():
    assert packages({"numpy": "2.4.6", "jinja2": "3.1.6", "pip": "25.0", "setuptools": "80"}) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"numpy": "2.4.5", "jinja2": "3.1.6"}, "package numpy is 2.4.5, locked is 2.4.6"),
        ({"numpy": "2.4.6"}, "package jinja2 3.1.6 is locked and not installed"),
        (
            {"numpy": "2.4.6", "jinja2": "3.1.6", "torch": "2.9"},
            "package torch 2.9 is installed and not locked",
        ),
    ],
)
def test_packages_that_are_not_as_they_are_locked(found, words):
    assert packages(found) == [words]


def test_every_pin_of_the_lock_is_understood():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    assert set(audit.locked(text)) <= names
    assert {"numpy", "scipy", "snakemake"} <= set(audit.locked(text))


# --- what the workflow says ---


def test_the_words_of_a_command():
    command = "python scripts/l1.py --cell '{\"s\": 1}' --output a.npz &> a.log\n\n"
    assert audit.words_of(command) == (
        *("scripts/l1.py", "--cell", '{"s": 1}', "--output", "a.npz"),
    )
    assert audit.words_of("python a.py 2> a.log") == ("a.py",)


def test_every_job_is_read(finished, said):
    jobs = audit.read_jobs(said[1].read_text(encoding="utf-8"))
    outputs = [file for job in jobs for file in job.outputs]
    assert len(outputs) == len(set(outputs))
    assert {file.removeprefix("results/") for file in outputs} == set(finished.checksums())
    # the configuration has a command of many lines
    (job,) = [job for job in jobs if job.rule == "configuration"]
    assert yaml.safe_load(job.command[2])["results"] == RESULTS


def test_a_dry_run_of_nothing_is_no_audit():
    with pytest.raises(audit.Failure, match="shows no job"):
        audit.read_jobs("Nothing to be done.\n")
