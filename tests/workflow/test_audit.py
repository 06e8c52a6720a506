"""Whatever is changed behind the workflow's back is named by the audit."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from audit import origins as audit_origins
from audit.findings import Audit
from audit.workflow_queries import Job
from forging import forge_arrays, tell_anew
from judging import judged, verdicts
from pipeline import storage
from pipeline.origin import checksum
from pipeline.storage import read_origin

RESULTS = "results/smoke"
PROBLEM = f"{RESULTS}/problems/gaussian_N20_d40_s2_eta0/reps0-2.npz"
MINIMIZER = f"{RESULTS}/l1/gaussian_N20_d40_s2_eta0/reps0-2.npz"
CURVES = f"{RESULTS}/rates/gaussian_N20_d40_s2_eta0/D2/alpha1e-6to1by2/reps3/curves.parquet"
INSTANCES = CURVES.replace("curves", "instances")
# figures and tables that are judged where others would tell nothing more
SOME = ("noise", "depth", "bounds", "flow", "phase", "descent", "cells", "rates")


def in_project(project, code, *words):
    """Run Python in the project, with its own library."""
    code = f"import sys; sys.path.insert(0, 'scripts')\n{code}"
    subprocess.run([sys.executable, "-c", code, *words], cwd=project.folder, check=True)


def audit_of(project):
    """The program as a person calls it, without making anything again."""
    return subprocess.run(
        [
            *(
                sys.executable,
                "scripts/audit/judge.py",
                "--configfile",
                "config/smoke.yaml",
                "--again",
                "0",
            )
        ],
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )


def change_a_number(path):
    """A bit of a number: other bytes of an archive, or of a table, mean nothing."""
    before = path.read_bytes()
    if path.suffix == ".npz":
        places = [before.index(storage.read_arrays(path)["point"].tobytes())]
    else:
        places = range(len(before) // 8, len(before))
    for place in places:
        raw = bytearray(before)
        raw[place] ^= 1
        path.write_bytes(raw)
        try:
            storage.read_origin(path)
        except storage.DamagedFileError:
            return
    raise AssertionError(f"no bit of {path} means anything")


# --- what the workflow makes passes ---


def test_a_finished_run_passes(copy):
    before = copy.checksums()
    result = copy.snakemake("--quiet", "all", "--", "audit")
    assert result.returncode == 0, result.stdout + result.stderr
    page = result.stdout
    assert re.match(r"PASS: every published number .*; there is no committed reference", page)
    assert re.search(r"^- PASS figure depth \(\d+ of \d+ points proved\)$", page, re.MULTILINE)
    assert re.search(r"^- PASS table cells \((\d+) of \1 numbers proved\)$", page, re.MULTILINE)
    assert "FAIL" not in page
    made = copy.checksums()
    assert set(made) - set(before) == {"smoke/audit.md", "smoke/audit.json"}
    assert {name: made[name] for name in before} == before
    again = json.loads((copy.folder / RESULTS / "audit.json").read_text(encoding="utf-8"))["again"]
    count = len(list((copy.folder / RESULTS).glob("figures/*.csv")))
    count += len(list((copy.folder / RESULTS).glob("tables/*.csv")))
    assert (again["published"], again["jobs"], again["elsewhere"]) == (count, 16, [])
    assert 0 < again["proved"] < again["enclosures"]
    assert f"{again['proved']} of {again['enclosures']} enclosures were proved in this run" in page


def test_how_much_is_proved_is_said(copy, judge):
    """Of tables and figures, and of which experiments nothing."""
    judged = judge()
    found = {f"{entry['kind']} {entry['name']}": entry for entry in judged.report["published"]}
    assert all(0 <= entry["proved"] <= entry["shown"] for entry in found.values())
    for name in ("noise", "generalization", "far_deep", "phase", "flow"):
        name = f"figure {name}"
        assert 0 < found[name]["proved"] < found[name]["shown"]
    # fits, steps and bounds are floating point
    for name in ("figure prediction", "figure descent", "table newton"):
        assert found[name]["proved"] == 0 < found[name]["shown"]
    assert found["table cells"]["proved"] == found["table cells"]["shown"] > 0
    assert judged.report["unproved"] == ["descent"]
    first = judged.page.split("\n")[0]
    assert "no number of experiment descent is proved" in first
    for kind, what in (("table", "numbers of tables"), ("figure", "plotted points")):
        proved, shown = (
            sum(entry[key] for name, entry in found.items() if name.startswith(kind))
            for key in ("proved", "shown")
        )
        assert f"{proved} of {shown} {what}" in first
        assert judged.report["checked"][f"{what} that are proved"] == proved


def test_what_was_checked_is_counted(copy, judge):
    report = judge().report
    checked = report["checked"]
    files = [name for name in copy.checksums() if "audit." not in name]
    assert report["again"]["seed"] is None
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


# --- what is changed is named ---


def test_a_digit_of_a_table(copy, judge):
    path = copy.folder / RESULTS / "tables/rates.csv"
    text = path.read_text(encoding="utf-8")
    place = re.search(r"\.\d*?([1-8])", text).start(1)
    path.write_text(text[:place] + str(int(text[place]) + 1) + text[place + 1 :], encoding="utf-8")
    judged = judge(only=SOME)
    assert judged.status == 1
    assert verdicts(judged.report) == {"table rates"}
    assert f"- FAIL table rates: {RESULTS}/tables/rates.csv is not as it was made" in judged.page


def test_a_number_that_is_not_in_its_enclosure(copy, judge):
    path = copy.folder / RESULTS / "tables/cells.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    rho = table.loc[1, "rho"]
    table.loc[1, "rho"] = other = rho[:-2] + str((int(rho[-2]) + 5) % 10) + rho[-1]
    table.to_csv(path, index=False, lineterminator="\n")
    (reason,) = [
        reason
        for entry in judge(only=SOME).report["published"]
        for reason in entry["reasons"]
        if "enclosure" in reason
    ]
    assert reason.startswith(f"{RESULTS}/tables/cells.csv: row 2 (")
    assert f", rho: {other} is not in its enclosure [" in reason


def test_numbers_that_cannot_be_checked(copy, judge):
    (copy.folder / RESULTS / "tables/cells.csv").write_text("")
    judged = judge(only=SOME)
    assert judged.status == 1
    assert verdicts(judged.report) == {"table cells"}
    assert "its numbers cannot be checked" in judged.page


def test_a_byte_of_a_figure(copy, judge):
    files = {
        f"{RESULTS}/figures/{name}.{kind}": name
        for name, kind in (("depth", "png"), ("noise", "svg"), ("bounds", "pdf"), ("flow", "csv"))
    }
    for file in files:
        path = copy.folder / file
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    judged = judge(only=SOME)
    assert judged.status == 1
    assert verdicts(judged.report) == {f"figure {name}" for name in files.values()}
    for file, name in files.items():
        assert f"- FAIL figure {name}: {file} is not as it was made" in judged.page


@pytest.mark.parametrize(
    ("file", "shown", "hidden"),
    [
        (MINIMIZER, {"figure noise", "figure bounds", "table cells"}, {"figure phase"}),
        (CURVES, {"figure noise", "figure depth"}, {"table cells", "figure bounds"}),
    ],
)
def test_a_byte_of_what_stands_between(copy, judge, file, shown, hidden):
    change_a_number(copy.folder / file)
    judged = judge(only=SOME)
    assert judged.status == 1
    assert shown <= verdicts(judged.report) and not hidden & verdicts(judged.report)
    reasons = {
        reason
        for entry in judged.report["published"]
        for reason in entry["reasons"]
        if f"figure {entry['name']}" in shown
    }
    assert all(reason.startswith(f"{file} is damaged") for reason in reasons), reasons


def test_an_edited_file_is_not_built_upon(copy):
    change_a_number(copy.folder / MINIMIZER)
    before = copy.checksums()
    result = audit_of(copy)
    assert result.returncode == 1
    assert result.stdout.startswith("FAIL: ")
    assert f"{MINIMIZER} is damaged" in result.stdout
    after = copy.checksums()
    assert {name: after[name] for name in before} == before


def test_a_repetition_left_out_of_arrays(copy, judge):
    code = """
from pipeline.storage import read_arrays, write_arrays
arrays = read_arrays(sys.argv[1])
write_arrays(sys.argv[1], **{name: values[1:] for name, values in arrays.items()})
"""
    in_project(copy, code, MINIMIZER)
    judged = judge(only=SOME)
    assert judged.status == 1
    assert (
        f"{MINIMIZER} was made by another command ('-c' for 'scripts/stages/l1.py')" in judged.page
    )
    assert {"figure noise", "table cells"} <= verdicts(judged.report)


def test_a_repetition_left_out_of_a_table(copy, judge):
    code = """
from pipeline.tidy import read_table, write_table
frame = read_table(sys.argv[1])
write_table(sys.argv[1], frame[frame["repetition"] != 1])
"""
    in_project(copy, code, INSTANCES)
    judged = judge(only=SOME)
    assert judged.status == 1
    assert f"{INSTANCES} was made by another command" in judged.page
    assert {"figure noise", "table cells"} <= verdicts(judged.report)
    assert "figure flow" not in verdicts(judged.report)


def test_a_file_written_anew_with_nothing_wrong_in_its_origin(copy, judge):
    forge_arrays(copy.folder / MINIMIZER, lambda arrays: {k: v[:1] for k, v in arrays.items()})
    judged = judge(only=SOME)
    assert judged.status == 1
    readers = {file for file, whats in judged.report["files"].items() if MINIMIZER in str(whats)}
    assert f"{RESULTS}/null_space/gaussian_N20_d40_s2_eta0/reps0-2.npz" in readers
    assert f"made from another version of {MINIMIZER}" in str(judged.report["published"])


def test_two_files_in_each_others_place(copy, judge):
    one, another = copy.folder / CURVES, copy.folder / CURVES.replace("eta0/", "eta0.1/")
    aside = copy.folder / "aside"
    one.rename(aside)
    another.rename(one)
    aside.rename(another)
    judged = judge(only=SOME)
    assert judged.status == 1
    assert f"{CURVES} was written as {CURVES.replace('eta0/', 'eta0.1/')}" in judged.page
    assert f"{CURVES.replace('eta0/', 'eta0.1/')} was written as {CURVES}" in judged.page
    assert "figure noise" in verdicts(judged.report)


@pytest.mark.parametrize("forged", [False, True])
def test_a_seed_edited_beside_a_figure(copy, judge, forged):
    path = copy.folder / RESULTS / "figures/noise.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    words = told["sources"][PROBLEM]
    words[words.index("--seed=1")] = "--seed=2"
    path.write_text(json.dumps(told), encoding="utf-8")
    if forged:  # its checksum too
        tell_anew(copy.folder, f"{RESULTS}/figures/noise.json")
    judged = judge(only=SOME)
    assert judged.status == 1
    assert verdicts(judged.report) == {"figure noise"}
    reason = "tells other problems and seeds than its inputs" if forged else "is damaged"
    assert f"- FAIL figure noise: {RESULTS}/figures/noise.json {reason}" in judged.page


def another_seed(project):
    path = project.folder / PROBLEM
    command = [
        "scripts/stages/problems.py",
        "--output",
        PROBLEM,
        "--repetitions",
        "0",
        "2",
        "gaussian",
    ]
    options = {"N": 20, "d": 40, "s": 2, "eta": 0, "seed": 2, "law": "uniform"}
    options |= {"low": 0.5, "high": 1.5, "noise-law": "gaussian"}
    command += [f"--{key}={value}" for key, value in options.items()]
    before = path.read_bytes()
    subprocess.run([sys.executable, *command], cwd=project.folder, check=True)
    assert path.read_bytes() != before


def test_problems_of_another_seed(copy, judge):
    another_seed(copy)
    judged = judge(only=SOME)
    assert judged.status == 1
    assert f"{PROBLEM} was made by another command ('--seed=2' for '--seed=1')" in judged.page
    assert "differs from what is drawn: repetition 0" in str(judged.report["files"][PROBLEM])
    assert "figure phase" not in verdicts(judged.report)


def test_problems_of_another_seed_that_tell_the_right_one(copy, judge):
    wanted = copy.folder / PROBLEM
    aside = copy.folder / "aside.npz"
    shutil.copy2(wanted, aside)
    another_seed(copy)
    drawn = storage.read_arrays(wanted)
    shutil.copy2(aside, wanted)
    forge_arrays(wanted, lambda arrays: drawn)
    judged = judge(only=SOME)
    assert judged.status == 1
    whats = judged.report["files"][PROBLEM]
    assert len(whats) == 3 and all("differs from what is drawn" in what for what in whats)
    assert f"{PROBLEM} differs from what is drawn: repetition 0, ['matrix', 'signal'" in judged.page
    assert {"figure noise", "table cells"} <= verdicts(judged.report)


STRAYS = [
    *("tables/better.csv", "figures/depth.gif", "audit.csv", "timings.old", "better.csv"),
    *("l1/.hidden.npz", "logs/better.csv", "logs/figures/better.log", "benchmarks/better.tsv"),
    # a folder that only looks like another configuration's
    *("tables/other/configuration.yaml", "tables/configuration.yaml"),
    *("logs/configuration.yaml", "other/configuration.yaml", "other/tables/rates.csv"),
    # of a job that was killed; but there is no such job
    "tables/.better-unfinished.csv",
]


def test_files_that_no_rule_makes(copy, judge):
    for name in STRAYS:
        path = copy.folder / RESULTS / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text("rate: 1\n", encoding="utf-8")
    judged = judge()
    assert judged.status == 1
    assert verdicts(judged.report) == set()
    assert set(judged.report["others"]) == {
        f"{RESULTS}/{name} is made by no rule" for name in STRAYS
    }
    assert f"- FAIL {RESULTS}/tables/better.csv is made by no rule" in judged.page


def test_links(copy, judge):
    """To a folder, a file or nothing: what lies behind them is not of this run."""
    (copy.folder / "elsewhere").mkdir()
    (copy.folder / "elsewhere/better.csv").write_text("rate\n1\n")
    names = []
    for place in ("", "figures/", "tables/", "logs/", "l1/"):
        for number, target in enumerate(("elsewhere", "elsewhere/better.csv", "nowhere")):
            names.append(f"{place}more-{number}")
            (copy.folder / RESULTS / names[-1]).symlink_to(copy.folder / target)
    judged = judge()
    assert set(judged.report["others"]) == {
        f"{RESULTS}/{name} is a link: no rule makes one" for name in names
    }


def test_damage_of_any_kind_ends_in_a_page(copy, judge):
    """Bytes that are no text, fields and numbers beyond all bounds, a pipe in place of a file."""
    folder = copy.folder / RESULTS
    for name in ("tables/constants.csv", "configuration.yaml"):
        raw = bytearray((folder / name).read_bytes())
        raw[len(raw) // 2] = 0xE9
        (folder / name).write_bytes(raw)
    long = (folder / "tables/rates.csv").read_text(encoding="utf-8") + "1" * 200_000 + "\n"
    (folder / "tables/rates.csv").write_text(long, encoding="utf-8")
    (folder / "other").mkdir()
    os.mkfifo(folder / "other/configuration.yaml")
    (folder / os.fsdecode(b"tables/\xff.csv")).write_text("")
    with zipfile.ZipFile(copy.folder / MINIMIZER, "a") as archive:
        archive.writestr("note.txt", "no array")
    judged = judge()
    assert judged.status == 1
    assert {"table constants", "table rates", "table cells"} <= verdicts(judged.report)
    assert f"{RESULTS}/configuration.yaml is not the configuration" in judged.page
    assert f"{RESULTS}/other/configuration.yaml is made by no rule" in judged.page
    assert any(file.endswith("\udcff.csv") for file in judged.report["files"])
    (what,) = judged.report["files"][MINIMIZER]
    assert what.startswith("is damaged (")


def test_a_key_that_stands_twice_beside_a_figure(copy, judge):
    """A reader sees the first, a program takes the last."""
    path = copy.folder / RESULTS / "figures/depth.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("{\n", '{\n "lock": "better",\n', 1), encoding="utf-8")
    judged = judge(only=SOME)
    assert verdicts(judged.report) == {"figure depth"}
    assert "depth.json is not written as the workflow writes it" in judged.page


def test_a_reference_where_there_is_none(copy, judge):
    for name in ("reference/tables/better.csv", "logs/reference/better.log"):
        (copy.folder / RESULTS / name).parent.mkdir(parents=True)
        (copy.folder / RESULTS / name).write_text("")
    assert set(judge().report["others"]) == {
        f"{RESULTS}/reference/tables/better.csv is made by no rule",
        f"{RESULTS}/logs/reference/better.log is made by no rule",
    }


def test_results_that_are_older_than_the_code(copy, said, judge):
    """As from an archive beside a clone: contents decide, times are only told."""
    jobs, states = said
    old = states | {CURVES: ("updated input files", "update pending")}
    found = judged((jobs, old))
    assert found.status == 0
    assert any("older than what they were made from" in note for note in found.report["notes"])


def test_a_result_that_is_a_link(copy, judge):
    path = copy.folder / RESULTS / "tables/rates.csv"
    path.rename(copy.folder / "rates.csv")
    path.symlink_to(copy.folder / "rates.csv")
    judged = judge()
    assert verdicts(judged.report) == {"table rates"}


def test_what_a_killed_job_leaves_is_told_from_what_was_added(copy, judge):
    names = [storage.unfinished(f"{RESULTS}/{name}") for name in ("tables/rates.csv", "audit.md")]
    left, other = names
    left.write_text("rate\n")
    judged = judge()
    assert judged.status == 0
    assert f"{left} was left by a job that was killed: it is no result" in judged.report["notes"]
    other.write_text("")
    assert judge().report["others"] == [f"{other} is made by no rule"]


OWN_PAGES = ("audit.md", "audit.json")


def test_pages_and_other_configurations_are_left_out(copy, judge):
    folder = copy.folder / RESULTS
    for name in (*OWN_PAGES, "report.html", "timings.csv", "timings.md", "logs/audit.log"):
        (folder / name).write_text("")
    for other in ("other", "others/mine"):
        (folder / other).mkdir(parents=True)
        (folder / other / "configuration.yaml").write_text(f"results: {RESULTS}/{other}\n")
        (folder / other / "a.csv").write_text("")
    judged = judge()
    assert judged.status == 0
    for other in ("other", "others/mine"):
        what = f"{RESULTS}/{other} holds the results of another configuration: left out"
        assert what in judged.report["notes"]


def test_a_time_to_come(copy, judge):
    path = copy.folder / RESULTS / "tables/rates.csv"
    os.utime(path, (4e9, 4e9))
    judged = judge(only=SOME)
    assert judged.report["files"][f"{RESULTS}/tables/rates.csv"] == [
        "has a time to come (2096-10-02 07:06 UTC)"
    ]
    assert verdicts(judged.report) == {"table rates"}


def test_a_missing_file(copy, judge):
    (copy.folder / RESULTS / "figures/bounds.svg").unlink()
    judged = judge(only=SOME)
    assert judged.status == 1
    assert verdicts(judged.report) == {"figure bounds"}
    assert f"- FAIL figure bounds: {RESULTS}/figures/bounds.svg is missing" in judged.page


def test_a_change_of_the_library(copy, judge):
    path = copy.folder / "scripts/implicit_l1/network/descent.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    judged = judge(only=SOME)
    assert judged.status == 1
    assert verdicts(judged.report) == {"figure descent", "table descent"}
    assert "was made with another version of scripts/implicit_l1/network/descent.py" in judged.page


def test_a_change_of_the_lock(copy, judge):
    path = copy.folder / "requirements.txt"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    judged = judge(only=SOME)
    assert judged.status == 1
    assert len(verdicts(judged.report)) == len(judged.report["published"])
    assert "was made with another requirements.txt" in judged.page


def test_another_configuration(copy, judge):
    path = copy.folder / RESULTS / "configuration.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    judged = judge()
    assert judged.status == 1
    assert verdicts(judged.report) == set()
    assert f"- FAIL {RESULTS}/configuration.yaml is not the configuration" in judged.page


def test_a_configuration_that_was_not_run(copy):
    copy.replace("config/smoke.yaml", "fractions: [0.5, 0.05]", "fractions: [0.5]")
    result = audit_of(copy)
    assert result.returncode == 1
    assert "- FAIL figure descent:" in result.stdout and "- FAIL table descent:" in result.stdout
    assert "was made by another command" in result.stdout
    assert "- PASS figure depth (" in result.stdout


def test_what_the_workflow_would_make_anew(finished, said, tmp_path):
    jobs, _ = said
    states = dict.fromkeys((file for job in jobs for file in job.outputs), ("ok", "no update"))
    found = Audit(jobs, tmp_path)
    audit_origins.check_states(found, states)
    assert found.findings == {}
    audit_origins.check_states(found, states | {CURVES: ("params changed", "update pending")})
    assert [finding.what for finding in found.findings[CURVES]] == [
        "would be made anew by the workflow (params changed)"
    ]
    audit_origins.check_states(found, {file: states[file] for file in states if file != INSTANCES})
    assert "unknown to the workflow" in found.findings[INSTANCES][0].what


def changes(origin):
    """Ways in which an origin can differ, and what is to be said of each."""
    style = "scripts/figures/house.mplstyle"
    code, inputs, sources = (dict(origin[part]) for part in ("code", "inputs", "sources"))
    path, seed = next(iter(inputs)), next(iter(sources))
    return {
        "path": ("a.npz", "was written as a.npz"),
        "command": (origin["command"][:-1], "was made by another command"),
        "lock": ("0", "was made with another requirements.txt"),
        "code": (code | {"scripts/stages/l1.py": "0"}, "another version of scripts/stages/l1.py"),
        "more code": (
            code | {style: checksum(style)},
            f"was made with {style}, which rule l1_gaussian_N20_d40_1 does not declare",
        ),
        "less code": (
            {name: found for name, found in code.items() if name != "scripts/stages/l1.py"},
            "was made without scripts/stages/l1.py",
        ),
        "inputs": ({path: "0"}, f"was made from another version of {path}"),
        "more inputs": (
            inputs | {style: checksum(style)},
            f"was made from a stray file, {style}",
        ),
        "less inputs": ({}, f"was made without reading {path}"),
        "elsewhere": (["numpy"], "was made with numpy from elsewhere than the environment"),
        "sources": ({seed: []}, f"tells other problems and seeds than its inputs ({seed})"),
    }


@pytest.mark.parametrize(
    "change",
    [
        *("path", "command", "lock", "code", "more code", "less code"),
        *("inputs", "more inputs", "less inputs", "sources", "elsewhere"),
    ],
)
def test_an_origin_that_is_not_the_workflows(finished, said, monkeypatch, change):
    monkeypatch.chdir(finished.folder)
    found = Audit(said[0], Path(RESULTS))
    found.told = told = {file: read_origin(file) for file in (PROBLEM, MINIMIZER)}
    audit_origins.check_origin(found, MINIMIZER, told[MINIMIZER])
    assert found.findings == {}
    value, words = changes(told[MINIMIZER])[change]
    changed = told[MINIMIZER] | {change.split()[-1]: value}
    audit_origins.check_origin(found, MINIMIZER, changed)
    assert any(words in finding.what for finding in found.findings[MINIMIZER])


def test_a_file_beside_a_figure_that_is_not_the_workflows(finished, said, monkeypatch):
    monkeypatch.chdir(finished.folder)
    file = f"{RESULTS}/figures/noise.json"
    told = read_origin(file)
    for change, words in (
        ({"files": told["files"] | {f"{RESULTS}/figures/a.png": "0"}}, "does not tell of all"),
        ({"configuration": {"seed": 2}}, "tells another configuration"),
    ):
        found = Audit(said[0], Path(RESULTS))
        audit_origins.check_told(found, file, told)
        assert found.findings == {}
        audit_origins.check_told(found, file, told | change)
        whats = [finding.what for finding in found.findings[file]]
        assert any(words in what for what in whats)


def test_a_file_with_nothing_that_tells_of_it(finished, said, monkeypatch):
    monkeypatch.chdir(finished.folder)
    silent = Job("table_a", (), ("Snakefile",), ("scripts/tables/write.py",))
    found = Audit([*said[0], silent], Path(RESULTS))
    audit_origins.check_origins(found)
    assert [finding.what for file in found.findings for finding in found.findings[file]] == [
        "has nothing beside it that tells its origin"
    ]
    assert list(found.findings) == ["Snakefile"]
