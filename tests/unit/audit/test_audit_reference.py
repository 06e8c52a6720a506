"""Published numbers against the committed ones, whatever lies in the folder."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from audit import committed
from audit.findings import Audit
from audit.reference import check_reference, differing
from audit.workflow_queries import Job
from judging import verdicts

RESULTS = "results/smoke"


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
    judged = judge()
    assert judged.status == 0
    # the copy is no repository
    assert re.match(r"PASS: .* in the reference that lies here agree", judged.page)
    assert "no commit vouches for programs, workflow and reference" in judged.page
    assert "no committed reference" not in judged.page
    assert "not a git repository: programs, workflow and reference are as they lie" in judged.page
    assert judged.report["checked"]["numbers and words compared with the reference"] > 1000


def test_a_number_of_the_reference(reference, judge):
    path = reference / "figures/tightness.csv"
    text = path.read_text(encoding="utf-8")
    head, rows = text.splitlines()[0], list(csv.DictReader(io.StringIO(text)))
    upper = "log10_upper_over_error_off"
    row = next(row for row in rows if float(row[upper]) > 0)
    old = ",".join(row.values())
    new = ",".join((row | {upper: f"1{row[upper]}"}).values())
    assert head == ",".join(row) and text.count(f"\n{old}\n") == 1
    path.write_text(text.replace(f"\n{old}\n", f"\n{new}\n"), encoding="utf-8")
    (reference / "tables/phase.csv").unlink()
    (reference / "figures/noise.csv").unlink()
    (reference / "tables/other.csv").write_text("a\n1\n")
    judged = judge()
    page = judged.page
    assert judged.status == 1
    assert verdicts(judged.report) == {"figure tightness", "table phase"}
    assert re.search(rf"log10_alpha -\d+ \[1\], column {upper}: ([\d.e-]+), there 1\1", page)
    assert "results/reference/smoke/tables/phase.csv is missing" in page
    assert "results/reference/smoke/tables/other.csv is of no figure or table" in page
    # a figure that is not in the reference was not published
    assert f"{RESULTS}/figures/noise.csv is not in the reference" in page


def test_of_one_table_only_its_reference_is_compared(reference, judge):
    judged = judge(only=["phase"])
    assert judged.status == 0
    assert {entry["name"] for entry in judged.report["published"]} == {"phase"}
    assert judged.report["others"] == []
    assert "; only figure phase, table phase and what is behind was looked at" in judged.page


# --- a reference of another grid ---

DEEP = {"figure": "depth", "tables": "shared", "depth": [2, 3]}
WIDE = {"figure": "noise", "tables": ["rates"], "depth": 2}
GRID = {"deep": DEEP, "wide": WIDE}


def published(folder, kind, name, text, *experiments):
    """A figure or a table, and the job that makes it."""
    file = f"{RESULTS}/{kind}s/{name}.csv"
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text, encoding="utf-8")
    told = json.dumps({"experiments": {one: {} for one in experiments}})
    words = ["--table", name] if kind == "table" else ["--figure", "depth"]
    return Job("rule", (), (file,), ("program", *words, "--configuration", told))


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """An audit of a figure and a shared table of experiment `deep`, against a reference."""
    monkeypatch.chdir(tmp_path)
    kept = tmp_path / "results/reference/smoke"

    def of(now, then, rows, kept_rows, scales="sample"):
        for kind in ("figure", "table"):
            (kept / f"{kind}s").mkdir(parents=True, exist_ok=True)
            (kept / f"{kind}s/deep.csv").write_text(kept_rows, encoding="utf-8")
        if then is not None:
            text = yaml.safe_dump({"experiments": then, "certificates": {"scales": "sample"}})
            (kept / "configuration.yaml").write_text(text, encoding="utf-8")
        jobs = [published(tmp_path, kind, "deep", rows, "deep") for kind in ("figure", "table")]
        found = Audit(jobs, Path(RESULTS))
        configuration = yaml.safe_dump({"experiments": now, "certificates": {"scales": scales}})
        check_reference(found, Path("results/reference/smoke"), configuration)
        return found.report()

    return of


ROWS = "depth,instances,rate\n2,3 of 3,0.5\n3,3 of 3,1.0\n"
MORE = ROWS.replace("3 of 3", "4 of 4") + "5,4 of 4,1.0\n"
DEEPER = GRID | {"deep": DEEP | {"depth": [2, 3, 5]}}


def test_rows_of_another_grid_are_counted_and_compared_with_nothing(compared):
    for now, then, rows, kept in ((DEEPER, GRID, MORE, ROWS), (GRID, DEEPER, ROWS, MORE)):
        report = compared(now, then, rows, kept)
        assert report["verdict"] == "PASS"
        assert [entry["beyond the reference"] for entry in report["published"]] == [1, 1]
        said = "2 rows and columns that only one of both has were compared with nothing"
        said = f"; the committed reference is of another grid: {said} (figure deep, table deep); "
        assert said in report["sentence"]
        where = "not in the reference" if rows == MORE else "only in the reference"
        assert sum(f"row depth 5 [1] is {where}" in note for note in report["notes"]) == 2
        # of the rows that both have
        assert report["checked"]["numbers and words compared with the reference"] == 2 * 2 * 2


@pytest.mark.parametrize("then", [GRID, None])
def test_rows_of_the_same_grid_must_be_those_of_the_reference(compared, then):
    report = compared(GRID, then, MORE, ROWS)
    assert report["verdict"] == "FAIL"
    assert "0 of 2 figures and tables are not what the current code" in report["sentence"]
    assert "2 differ from the committed reference, and 0 other things" in report["sentence"]
    assert "is of another grid" not in report["sentence"]
    for entry in report["published"]:
        assert any(
            text.endswith("row depth 5 [1] is not in the reference") for text in entry["reasons"]
        )


@pytest.mark.parametrize("now", [GRID, {"deep": DEEP}])
def test_a_figure_of_an_experiment_that_was_taken_out_is_compared_with_nothing(
    compared, tmp_path, now
):
    """On the grid of the reference it is a file too many; either way it is said."""
    kept = "results/reference/smoke/figures/wide.csv"
    (tmp_path / kept).parent.mkdir(parents=True)
    (tmp_path / kept).write_text(ROWS, encoding="utf-8")
    report = compared(now, GRID, ROWS, ROWS)
    assert report["verdict"] == ("FAIL" if now == GRID else "PASS")
    said = f"{kept} is of no figure or table"
    assert (said in report["others"]) == (now == GRID)
    noted = f"{said} of this configuration: compared with nothing"
    assert (noted in report["notes"]) == (now != GRID)


def test_columns_of_other_proofs_are_compared_with_nothing(compared):
    """A number that is proved stands in another column than the same in floating point."""
    floats = ROWS.replace("rate", "rate_float")
    report = compared(GRID, GRID, ROWS, floats, scales="all")
    assert report["verdict"] == "PASS"
    assert [entry["beyond the reference"] for entry in report["published"]] == [2, 2]
    assert compared(GRID, GRID, ROWS, floats)["verdict"] == "FAIL"
    edited = compared(GRID, GRID, ROWS.replace("0.5", "0.7"), ROWS, scales="all")
    assert edited["verdict"] == "FAIL"


def test_a_number_that_differs_is_wrong_on_every_grid(compared):
    for now in (GRID, DEEPER):
        report = compared(now, GRID, ROWS.replace("0.5", "0.7"), ROWS)
        assert report["verdict"] == "FAIL"
        for entry in report["published"]:
            (reason,) = entry["reasons"]
            words = "row depth 2 [1], column rate: 0.7, there 0.5"
            assert reason.endswith(words + " (it is of another configuration)" * (now == DEEPER))


def test_what_is_said_of_a_panel_is_compared_on_the_same_grid(compared):
    """Of another, which repetitions are behind a panel is another number."""
    for now, verdict in ((GRID, "FAIL"), (DEEPER, "PASS")):
        report = compared(now, GRID, ROWS.replace("2,3 of 3", "2,2 of 3"), ROWS)
        assert report["verdict"] == verdict
        said = [note for note in report["notes"] if "column instances" in note]
        assert len(said) == 2 * (verdict == "PASS")


def test_an_experiment_that_was_taken_out_had_rows_in_the_shared_tables(compared):
    """In those alone: the figure has the grid that it had."""
    report = compared({"deep": DEEP}, GRID | {"out": DEEP}, ROWS, MORE)
    assert {e["kind"]: e["verdict"] for e in report["published"]} == {
        "figure": "FAIL",
        "table": "PASS",
    }
    report = compared({"deep": DEEP}, GRID, ROWS, MORE)  # it had tables of its own
    assert {entry["verdict"] for entry in report["published"]} == {"FAIL"}


# --- what is committed ---


def git(folder, *words):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    ended = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


def commit_all(folder):
    git(folder, "init", "--quiet")
    (folder / ".gitignore").write_text(
        "results/*\n!results/reference\n.snakemake\n__pycache__\n*.log\n"
    )
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "all")


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A few committed files; the test runs in their folder."""
    for name in ("scripts/a.py", "scripts/b.py", "workflow/c.smk", "results/reference/d.csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(f"{name}\n")
    (tmp_path / "scripts/e").symlink_to("a.py")
    commit_all(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


PLACES = ("scripts", "workflow", "results/reference")


def edit(folder):
    (folder / "scripts/a.py").write_text("edited\n")


def edit_and_stage(folder):
    edit(folder)
    git(folder, "add", "scripts/a.py")


def edit_assumed_unchanged(folder):
    git(folder, "update-index", "--assume-unchanged", "scripts/a.py")
    edit(folder)


def edit_of_the_same_time_and_size(folder):
    path = folder / "scripts/a.py"
    before = path.stat()
    path.write_text("scripts/b.py\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_for_git(folder):
    edit(folder)
    blob = git(folder, "hash-object", "-w", "scripts/a.py")
    git(folder, "replace", git(folder, "rev-parse", "HEAD:scripts/a.py"), blob)


def remove(folder):
    (folder / "scripts/a.py").unlink()


def another_link(folder):
    (folder / "scripts/e").unlink()
    (folder / "scripts/e").symlink_to("b.py")


def an_ignored_file(folder):
    (folder / "scripts/new.log").write_text("")


CHANGES = {
    edit: "scripts/a.py",
    edit_and_stage: "scripts/a.py",
    edit_assumed_unchanged: "scripts/a.py",
    edit_of_the_same_time_and_size: "scripts/a.py",
    replaced_for_git: "scripts/a.py",
    remove: "scripts/a.py",
    another_link: "scripts/e",
    an_ignored_file: "scripts/new.log",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_not_as_it_is_committed(repository, change):
    assert committed.changed(*PLACES) == []
    change(repository)
    assert committed.changed(*PLACES) == [CHANGES[change]]


def test_byte_code_is_no_change(repository):
    (repository / "scripts/__pycache__").mkdir()
    (repository / "scripts/__pycache__/a.pyc").write_text("")
    assert committed.changed(*PLACES) == []


def test_what_is_committed_is_read_whatever_lies_there(repository):
    (repository / "results/reference/d.csv").write_text("edited\n")
    assert list(committed.files("results/reference")) == ["results/reference/d.csv"]
    assert committed.text("results/reference/d.csv") == "results/reference/d.csv\n"


def test_no_variable_leads_git_elsewhere(repository, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    (other / "scripts").mkdir()
    (other / "scripts/a.py").write_text("edited\n")
    commit_all(other)
    edit(repository)
    here = committed.commit()
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert committed.commit() == here
    assert committed.changed("scripts") == ["scripts/a.py"]


def test_where_there_is_no_commit_that_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(committed.NoRepository, match="this folder is not a git repository"):
        committed.changed("scripts")
    git(tmp_path, "init", "--quiet")
    with pytest.raises(committed.NoRepository, match="git says: fatal: "):
        committed.changed("scripts")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")  # of another repository's
    with pytest.raises(committed.NoRepository, match="this folder is not a git repository"):
        committed.changed("scripts")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(committed.NoRepository, match="git is not installed"):
        committed.changed("scripts")


def test_an_edit_of_the_reference_that_is_not_committed(copy, reference, judge):
    """Neither makes a wrong number right nor goes unsaid."""
    path = reference / "tables/rates.csv"
    right = path.read_text(encoding="utf-8")
    place = re.search(r"\.\d*?([1-8])", right).start(1)
    path.write_text(right[:place] + str(int(right[place]) + 1) + right[place + 1 :])
    commit_all(copy.folder)
    path.write_text(right, encoding="utf-8")  # as if the numbers had been published
    (copy.folder / "scripts/audit/values.py").write_text("")
    judged = judge()
    assert judged.status == 1
    assert "no commit vouches" not in judged.page
    assert verdicts(judged.report) == {"table rates"}
    assert re.match(
        r"FAIL \(with uncommitted changes in 2 files: "
        r"results/reference/smoke/tables/rates.csv, scripts/audit/values.py\): ",
        judged.page,
    )


# --- what agrees ---


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
    assert differing(f"s,rate\n1,{one}\n", f"s,rate\n1,{other}\n")[0] == []


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
    (words,) = differing(f"s,rate\n1,{one}\n", f"s,rate\n1,{other}\n")[0]
    assert words == f"row s 1 [1], column rate: {one or 'nothing'}, there {other or 'nothing'}"


def test_whole_numbers_among_others_are_rounded_numbers():
    assert differing("s,rate\n1,12\n2,1.5\n", "s,rate\n1,13\n2,1.5\n")[0] == []


def test_rows_and_columns_that_are_missing_are_named():
    found, count = differing("s,a\n1,5\n1,6\n2,7\n", "s,b\n1,5\n3,7\n")
    assert count == 1  # of one row and one column
    assert found == [
        "column a is not in the reference",
        "column b is only in the reference",
        "row s 1 [2] is not in the reference",
        "row s 2 [1] is not in the reference",
        "row s 3 [1] is only in the reference",
    ]


def test_what_hangs_on_the_processor_is_not_compared():
    assert differing("s,steps_float\n1,70\n", "s,steps_float\n1,80\n") == ([], 1)
