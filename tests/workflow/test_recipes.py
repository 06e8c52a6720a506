"""The recipes of config/README.md: each diff is applied and run, as the page says."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml

from implicit_l1.status import SELECTED
from pipeline.storage import read_arrays
from workflow_runs import ROOT, Project, enter

PAGE = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
SMOKE = "config/smoke.yaml"
# experiments that recipes add to the smoke grid without touching anything else
ADDED = {
    "An experiment": ["wide"],
    "Another ensemble or law": ["correlated"],
    "Your own A and y": ["mine"],
    "Another initialization": ["shaped"],
}


def section(title):
    found = re.search(rf"^### {re.escape(title)}\n(.*?)(?=^##|\Z)", PAGE, re.M | re.S)
    assert found, title
    return found[1]


def diffs(title):
    """(file, old text, new text) of each diff of a recipe."""
    for file, body in re.findall(r"^```diff (\S+)\n(.*?)^```$", section(title), re.M | re.S):
        lines = body.splitlines()
        assert all(line[:1] in ("+", "-", " ", "") for line in lines), body
        old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
        new = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
        yield file, old, new


def follow(project, title):
    found = list(diffs(title))
    assert found
    for file, old, new in found:
        text = (project.folder / file).read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{title}: the diff does not apply to {file}"
        project.replace(file, old, new)


def test_every_recipe_is_tested():
    titles = re.findall(r"^### (.*)$", PAGE[PAGE.index("## Recipes") :], re.M)
    others = ["A value more", "An ensemble of your own", "Problems with several minimizers"]
    assert set(titles) == {*ADDED, *others, "A cluster"}
    links = re.findall(r"\[[^\]]+\]\(#([^)]+)\)", PAGE)
    anchors = {
        re.sub(r"[^\w -]", "", t).lower().replace(" ", "-")
        for t in re.findall(r"^#+ (.*)$", PAGE, re.M)
    }
    assert set(links) <= anchors


def test_added_experiments_change_no_published_byte(finished, tmp_path):
    """All of them at once; of their tables one or two."""
    project = Project(tmp_path, results=finished)
    before = project.checksums()
    for title in ADDED:
        follow(project, title)
    figures = ("wide_depth", "wide_generalization", "correlated", "mine", "shaped")
    tables = ("wide_cells", "wide_rates", "correlated_constants", "mine_rates", "shaped_errors")
    targets = [f"results/smoke/figures/{name}.png" for name in figures]
    targets += [f"results/smoke/tables/{name}.csv" for name in tables]
    targets.append("results/smoke/configuration.yaml")
    planned = project.scheduled()
    assert not any("shaped_cells" in file for file in planned["tables"])  # nothing of it is proved
    for name in (name for names in ADDED.values() for name in names):
        assert any(f"/figures/{name}" in file for file in planned["figures"])
    jobs = project.run_and_see(*targets)
    made = {file.removeprefix("results/") for files in jobs.values() for file in files}
    assert not (made - {"smoke/configuration.yaml"}) & set(before)
    after = project.checksums()
    before.pop("smoke/configuration.yaml")
    assert {name: after[name] for name in before} == before
    assert {target.removeprefix("results/") for target in targets} <= set(after) - set(before)
    # how an audit makes things again is tried where nothing was added
    names = " ".join((*figures, *tables))
    page = enter(f"make audit NAME='{names}'", project.folder, AGAIN="0")
    assert "PASS" in page and "FAIL" not in page
    # a file of one's own that changes is read again
    data = project.folder / "config/related/data/wind_unique.csv"
    data.write_text(data.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert list(project.scheduled(*targets)["problems"]) == [
        "results/smoke/problems/file-wind-unique.csv/reps0-0.npz"
    ]


def counted(said, verb):
    """How many files a run says in its end that it has made, or kept."""
    (line,) = (line for line in said.splitlines() if line.startswith("Figures are in "))
    return int(re.search(rf"(\d+)(?: files)? {verb}\b", line)[1])


def everything(project):
    """Every file of results of the smoke grid, logs among them, less those of audit and tidying."""
    folder = project.folder / "results/smoke"
    apart = {*folder.rglob("audit.*"), *folder.rglob("tidy.log")}
    return {path for path in folder.rglob("*") if path.is_file()} - apart


def test_a_value_more_is_computed_audited_and_taken_out_again(finished, tmp_path):
    """The reference is that of the grid without it."""
    project = Project(tmp_path, results=finished)
    before, files = project.checksums(), everything(project)
    reference = project.folder / "results/reference/smoke"
    for kind in ("figures", "tables"):
        shutil.copytree(
            project.folder / "results/smoke" / kind,
            reference / kind,
            ignore=lambda _, names: [name for name in names if not name.endswith(".csv")],
        )
    shutil.copy2(project.folder / "results/smoke/configuration.yaml", reference)
    follow(project, "A value more")
    jobs = project.run_and_see()
    assert sum(map(len, jobs.values())) == counted(project.said, "made")
    assert counted(project.said, "kept") > 0
    assert jobs["limit"] and all("/D5/" in file for file in jobs["limit"])
    assert "problems" not in jobs
    page = enter("make audit", project.folder, AGAIN="0")
    assert re.search(
        r"^PASS: .*; the reference that lies here is of another grid: \d+ rows", page, re.M
    )
    assert "figure depth" in page.split("is of another grid")[1].split("compared with nothing (")[1]
    for file, old, new_text in diffs("A value more"):
        project.replace(file, new_text, old)
    refused = project.snakemake("--quiet", "all", "--", "tidy")
    assert refused.returncode == 1
    assert "results/smoke is not of this configuration as it is now" in refused.stderr
    project.run()
    assert len(everything(project)) > len(files)
    said = enter("make tidy", project.folder)
    assert (
        f"{len(re.findall('^removed ', said, re.M))} files were removed from results/smoke" in said
    )
    assert everything(project) == files
    after = project.checksums()
    assert {name: after[name] for name in before} == before
    page = enter("make audit", project.folder, AGAIN="0")
    assert re.search(r"^PASS: ", page, re.M) and "is of another grid" not in page


def test_an_ensemble_of_ones_own(finished, tmp_path):
    project = Project(tmp_path, results=finished)
    follow(project, "An ensemble of your own")
    project.run("results/smoke/figures/binary.png")
    (block,) = (project.folder / "results/smoke/problems").glob("binary*/reps0-*.npz")
    matrix = read_arrays(block)["matrix"]
    assert 0.2 < (matrix != 0).mean() < 0.4


def test_problems_with_several_minimizers(tmp_path):
    project = Project(tmp_path)
    follow(project, "Problems with several minimizers")
    target = "results/diabetes/tables/several_errors.csv"
    project.run("results/diabetes/figures/several.png", target, config="config/diabetes.yaml")
    (block,) = (project.folder / "results/diabetes/selection").glob("*nonunique*/D3/*.npz")
    arrays = read_arrays(block)
    assert arrays["status"] == [SELECTED]
    assert (arrays["shape_u"] == 1).all()
    lines = (project.folder / target).read_text(encoding="utf-8").splitlines()
    slopes = [
        float(line.split(",")[lines[0].split(",").index("float_slope_float")]) for line in lines[1:]
    ]
    assert slopes[1] == pytest.approx(1, abs=0.05)


def test_a_cluster_of_ones_own(tmp_path):
    """Account and partition reach every job; that jobs run there is in test_slurm.py."""
    project = Project(tmp_path)
    follow(project, "A cluster")
    profile = yaml.safe_load((tmp_path / "workflow/profiles/slurm/config.yaml").read_text("utf-8"))
    assert profile["default-resources"]["slurm_account"] == "mygroup"
    report = project.plan("--workflow-profile", "workflow/profiles/slurm")
    jobs = report.count("slurm_account=mygroup")
    assert jobs == report.count("slurm_partition=long") > 50
    # one's own matrix on it
    mine = ("--workflow-profile", "workflow/profiles/slurm")
    report = project.plan(*mine, config="config/diabetes.yaml")
    assert report.count("slurm_account=mygroup") > 10


def test_the_worked_example_is_made_by_its_program(tmp_path):
    project = Project(tmp_path)
    data = project.folder / "config" / "data"
    (data / "diabetes.csv").rename(tmp_path / "kept.csv")
    subprocess.run([sys.executable, str(data / "diabetes.py")], check=True)
    assert (data / "diabetes.csv").read_bytes() == (tmp_path / "kept.csv").read_bytes()


@pytest.mark.parametrize(
    "path",
    sorted({*(ROOT / "config").rglob("*.yaml")} - {ROOT / "config/all_scales.yaml"}),
    ids=lambda path: path.stem,
)
def test_every_configuration_has_a_plan(tmp_path, path):
    name = path.relative_to(ROOT).as_posix()
    experiments = yaml.safe_load(path.read_text(encoding="utf-8"))["experiments"]
    jobs = Project(tmp_path).scheduled(config=name)
    assert all(any(f"/figures/{name}" in file for file in jobs["figures"]) for name in experiments)
