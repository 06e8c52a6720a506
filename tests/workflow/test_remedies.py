"""What AUDIT.md says of a FAIL is what helps."""

import json
import os
import re
import subprocess
import sys
from functools import partial

import pytest
import yaml

from forging import forge_table, tell_anew
from judging import completed
from workflow_runs import ROOT, Project, enter

RESULTS = "results/smoke"
CELL = "gaussian_N20_d40_s2_eta0"


@pytest.fixture
def audited(copy, monkeypatch):
    """The page of an audit of the copy that makes what is missing first."""
    return partial(completed, copy, monkeypatch)


def named_first(project):
    """The files of results that reasons begin with."""
    report = json.loads((project.folder / RESULTS / "audit.json").read_text(encoding="utf-8"))
    reasons = [reason for entry in report["published"] for reason in entry["reasons"]]
    names = {reason.split()[0].rstrip(":") for reason in [*reasons, *report["others"]]}
    return {name for name in names if name.startswith(RESULTS)}


def said(page, *words):
    """What a page says stands in AUDIT.md in the same words."""
    text = (ROOT / "AUDIT.md").read_text(encoding="utf-8")
    for what in words:
        assert f"*{what}*" in text, what
        assert re.search(what.replace("…", ".*"), page), what


def test_files_that_were_changed_are_removed(copy, audited):
    """Of every stage, in every way: and the next audit makes them again."""
    folder = copy.folder
    (damaged,) = (folder / RESULTS).glob("l1/sparse-bernoulli*/reps*.npz")
    damaged.write_bytes(damaged.read_bytes()[:-100])
    table = folder / f"{RESULTS}/tables/rates.csv"
    table.write_text(table.read_text(encoding="utf-8") + "1\n", encoding="utf-8")
    moved = folder / f"{RESULTS}/orders/gaussian_N5_d20_s1_eta0/reps0-2/order1.parquet"
    (folder / str(moved).replace("s1", "s2")).write_bytes(moved.read_bytes())
    counted = next((folder / RESULTS).glob("rates/gaussian_N30*/D2/alpha*/reps*/curves.parquet"))
    forge_table(counted, lambda table: table.assign(count=table["count"] + 1))
    picture = folder / f"{RESULTS}/figures/flow.csv"
    tell_anew(folder, f"{RESULTS}/figures/flow.json", lambda told: told | {"rule": "other"})
    assert picture.is_file()
    page = audited()
    assert page.startswith("FAIL")
    said(page, "is damaged", "is not as it was made", "was written as", "is over … repetitions")
    for _ in range(3):  # what was hidden behind another is named once that is gone
        for name in named_first(copy):
            (folder / name).unlink()
        page = audited()
        if page.startswith("PASS"):
            break
    assert page.startswith("PASS"), page


def test_another_version_of_the_code_is_run(copy, audited):
    path = copy.folder / "scripts/implicit_l1/network/descent.py"
    path.write_text(path.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
    os.utime(path, (1e9, 1e9))
    copy.replace("config/smoke.yaml", "fractions: [0.5, 0.05]", "fractions: [0.5]")
    page = audited()
    said(page, "was made with another version of", "was made by another command")
    said(page, "is not the configuration")
    copy.run()
    page = audited()
    # the results of the value that was taken out are still there
    strays = named_first(copy)
    assert strays == set(re.findall(rf"({RESULTS}/\S+) is made by no rule", page))
    # a file of someone else is not removed, though it has the name of one of the project's
    other = copy.folder / RESULTS / "descent/mine.parquet"
    other.write_bytes(b"notes")
    told = enter("make tidy", copy.folder)
    assert {name for name in strays if (copy.folder / name).exists()} == set()
    assert all(f"removed {name}\n" in told for name in strays)
    assert (
        "Left as they are, not known to be of a run of this configuration: "
        f"{RESULTS}/descent/mine.parquet." in told
    )
    other.unlink()
    assert audited().startswith("PASS")


def test_a_time_to_come_and_strays_are_mended(copy, audited):
    """The command of AUDIT.md, as it stands there."""
    for name in ("tables/rates.csv", f"l1/{CELL}/reps0-2.npz"):
        os.utime(copy.folder / RESULTS / name, (4e9, 4e9))
    (copy.folder / RESULTS / "tables/better.csv").write_text("")
    (copy.folder / RESULTS / "figures/more").symlink_to(copy.folder)
    page = audited()
    said(page, "has a time to come", "is made by no rule", "is a link")
    (command,) = re.findall(
        r"`(find results .*?)`", (ROOT / "AUDIT.md").read_text(encoding="utf-8")
    )
    subprocess.run(["bash", "-c", command], cwd=copy.folder, check=True)
    for name in ("tables/better.csv", "figures/more"):
        (copy.folder / RESULTS / name).unlink()
    assert audited().startswith("PASS")


def test_what_is_imported_from_elsewhere_is_made_without_it(copy, audited, tmp_path_factory):
    front = tmp_path_factory.mktemp("front")
    (front / "sitecustomize.py").write_text("")
    name = f"{RESULTS}/tables/rates.csv"
    (copy.folder / name).unlink()
    words = ("--configfile", "config/smoke.yaml", "--complete", "--cores", "2", "--again", "0")
    words += ("--only", "rates")
    result = subprocess.run(
        [sys.executable, "scripts/audit/judge.py", *words],
        cwd=copy.folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(front), "scripts"])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    said(result.stdout, "runs whenever Python starts", "from elsewhere than the environment")
    audited("rates")
    told = f"{RESULTS}/tables/rates.json"
    assert named_first(copy) == {told}
    (copy.folder / told).unlink()
    assert audited("rates").startswith("PASS")


def test_one_figure_as_a_referee_asks_for_it(tmp_path):
    """docs/referee.md: what proves the numbers of a figure is made with its audit."""
    project = Project(tmp_path)
    path = project.folder / "config/smoke.yaml"
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = config["experiments"]
    few = {"eta": 0, "depth": 2, "repetitions": 1, "flow_repetitions": 1}
    config["experiments"] = {"depth": known["depth"] | few, "flow": known["flow"]}
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    enter("make figure NAME=depth", project.folder)
    assert (project.folder / f"{RESULTS}/figures/depth.csv").is_file()
    page = enter("make audit NAME=depth", project.folder, AGAIN="1")
    assert re.search(r"^- PASS figure depth \([1-9]\d* of ", page, re.MULTILINE)
    assert not (project.folder / f"{RESULTS}/figures/flow.csv").exists()


def test_a_name_of_no_figure_or_table(copy):
    words = ("scripts/audit/judge.py", "--configfile", "config/smoke.yaml", "--only", "dpeth")
    result = subprocess.run(
        [sys.executable, *words],
        cwd=copy.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: no figure or table is called dpeth; there are ")
