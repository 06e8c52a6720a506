"""The exported crate: what is in it, and what a validator of its profiles says."""

import hashlib
import json
import os
import re
import shutil
import socket
import zipfile
from types import SimpleNamespace

import pytest
import yaml
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester

from workflow_runs import ROOT, Project, script

# in the validator's own libraries
pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning"),
]

# The context of RO-Crate 1.1 as far as crates use it here, so that nothing has to be
# fetched: a property that is not among these terms is reported as undefined.
CONTEXT = "https://w3id.org/ro/crate/1.1/context"
TERMS = """
    ComputerLanguage CreateAction CreativeWork Dataset OrganizeAction Organization Person
    PropertyValue ScholarlyArticle SoftwareApplication SoftwareSourceCode about actionStatus
    additionalType affiliation author citation contentSize datePublished description
    encodingFormat endTime exampleOfWork hasPart identifier instrument license
    mainEntity mentions name object programmingLanguage result softwareRequirements
    softwareVersion startTime url valueRequired version workExample
"""
TERMS = {term: f"http://schema.org/{term}" for term in TERMS.split()} | {
    "File": "http://schema.org/MediaObject",
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}

PROJECT = {
    "CITATION.cff": yaml.safe_dump(
        {
            "title": "a project",
            "authors": [
                {"name": "Its authors"},
                {
                    "family-names": "Doe",
                    "given-names": "Jo",
                    "orcid": "https://orcid.org/0000-0000-0000-0000",
                    "affiliation": "A university",
                },
            ],
            "license": "BSD-3-Clause",
            "preferred-citation": {
                "title": "A paper",
                "authors": [{"family-names": "Doe", "given-names": "Jo"}],
                "year": 2025,
                "notes": "arXiv:0000.00000",
            },
        }
    ),
    "README.md": "# A project\n",
    "Snakefile": "rule all:\n",
    "requirements.txt": "numpy==2\n",
    "scripts/draw.py": "print('a figure')\n",
    "scripts/lines.py": "",
}
FIGURE = {f"results/figures/noise.{kind}": f"noise {kind}" for kind in ("pdf", "png", "svg")}
RESULTS = {
    "results/configuration.yaml": "seed: 1\n",
    "results/tables/rates.csv": "rate\n1\n",
    "results/tables/rates.html": "<table></table>\n",
} | FIGURE
BESIDE = {"results/figures/noise.csv": "alpha,error\n1,2\n"}
CURVES, LIMIT = "results/rates/a/curves.parquet", "results/limit/a/reps0-1.npz"
READ = {CURVES: "curves", LIMIT: "limit"}


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def digests(*paths):
    texts = PROJECT | RESULTS | BESIDE | READ
    return {path: sha256(texts[path]) for path in paths}


RECORD = {
    "command": ["scripts/draw.py", "--data", CURVES],
    "code": digests("scripts/draw.py", "scripts/lines.py", "requirements.txt"),
    "inputs": digests(CURVES, LIMIT, "results/configuration.yaml"),
    "files": digests(*FIGURE, *BESIDE),
}

# path -> when it was written, in seconds; what the project is made of is of today
FIRST, DAY = 946684800, 86400  # 2000-01-01
WRITTEN = dict.fromkeys({**RESULTS, **BESIDE, **READ}, FIRST + 1) | {
    "results/figures/noise.csv": FIRST + 2,
    "results/figures/noise.json": FIRST + 2,
    "results/configuration.yaml": FIRST,
    "results/tables/rates.html": FIRST + DAY,
}


def write(folder, texts):
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def export(folder, project=PROJECT, results=RESULTS):
    """Run the program on files of a folder."""
    return script(
        "export/crate",
        *("--project", *project, "--results", *results),
        *("--configuration", "results/configuration.yaml", "--lock", "requirements.txt"),
        *("--citation", "CITATION.cff", "--output", "results/crate.zip"),
        folder=folder,
    )


def unpack(archive, folder):
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    return folder


def metadata(folder):
    """Identifier -> entity."""
    text = (folder / "ro-crate-metadata.json").read_text(encoding="utf-8")
    return {entity["@id"]: entity for entity in json.loads(text)["@graph"]}


def ids(values):
    return {value["@id"] for value in (values if isinstance(values, list) else [values])}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A crate of a made-up project whose figure has a record and its data beside it."""
    folder = tmp_path_factory.mktemp("project")
    record = {"results/figures/noise.json": json.dumps(RECORD)}
    write(folder, PROJECT | RESULTS | BESIDE | READ | record)
    for path, time in WRITTEN.items():
        os.utime(folder / path, (time, time))
    result = export(folder)
    assert result.returncode == 0, result.stderr
    return unpack(folder / "results/crate.zip", tmp_path_factory.mktemp("crate"))


@pytest.fixture
def crate(exported, tmp_path):
    """A copy that a test may change."""
    for path in exported.rglob("*"):
        if path.is_file():
            copy = tmp_path / path.relative_to(exported)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture
def issues(monkeypatch, tmp_path_factory):
    """A function: what the validator finds wrong with a crate, without any network."""

    def context(_, url, **__):
        assert url == CONTEXT
        return SimpleNamespace(
            status_code=200,
            headers={"Content-Type": "application/ld+json"},
            json=lambda: {"@context": TERMS},
        )

    def no_network(*_):
        raise AssertionError("the validator wants the network")

    # the validator turns get() into one of its session's only if it has none of its own
    monkeypatch.setattr(HttpRequester, "get", context, raising=False)
    monkeypatch.setattr(socket.socket, "connect", no_network)

    def validate(folder, severity=Severity.REQUIRED):
        result = services.validate(
            ValidationSettings(
                rocrate_uri=folder,
                profile_identifier="workflow-run-crate",
                requirement_severity=severity,
                offline=True,
                cache_path=tmp_path_factory.mktemp("cache") / "cache",
            )
        )
        assert result.executed_checks
        assert not result.skipped_checks
        assert result.passed() == (not result.get_issues())
        return [issue.message for issue in result.get_issues()]

    return validate


def test_it_is_valid(exported, issues):
    assert issues(exported) == []


def test_it_follows_the_recommendations_that_it_can(exported, issues):
    # the project has no address and no publisher, who ran it is not recorded, and the
    # last one asks a file of the crate for an absolute URI
    known = {
        "The Application SHOULD have a url",
        "The organization SHOULD have a URL.",
        "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
        "The Action SHOULD have an agent that is a Person or Organization",
        "The SoftwareApplication id SHOULD be an absolute URI",
    }
    assert set(issues(exported, Severity.RECOMMENDED)) <= known


def drop(key):
    def change(_, graph):
        del graph["./"][key]

    return change


def without_the_workflow(crate, _):
    (crate / "Snakefile").unlink()


def without_a_figure(crate, _):
    (crate / "results/figures/noise.pdf").unlink()


def without_instrument(_, graph):
    del graph["#run"]["instrument"]


def with_another_instrument(_, graph):
    graph["#run"]["instrument"] = {"@id": "scripts/draw.py"}


def with_an_undefined_property(_, graph):
    graph["./"]["colour"] = "blue"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (without_the_workflow, "Snakefile"),
        (without_a_figure, "results/figures/noise.pdf"),
        (without_instrument, "instrument"),
        (with_another_instrument, "mainEntity"),
        (with_an_undefined_property, "colour"),
        (drop("mainEntity"), "mainEntity"),
        (drop("license"), "license"),
        (drop("conformsTo"), "profile"),
        (drop("datePublished"), "datePublished"),
    ],
)
def test_a_mutilated_crate_is_not_valid(crate, issues, change, word):
    graph = metadata(crate)
    change(crate, graph)
    path = crate / "ro-crate-metadata.json"
    text = json.loads(path.read_text(encoding="utf-8")) | {"@graph": list(graph.values())}
    path.write_text(json.dumps(text), encoding="utf-8")
    found = issues(crate)
    assert any(word in message for message in found), found


def test_every_file_is_listed_with_its_digest_and_size(exported):
    graph = metadata(exported)
    files = {path.relative_to(exported).as_posix() for path in exported.rglob("*.*")}
    files = {name for name in files | {"Snakefile"} if not name.startswith("ro-crate-")}
    assert files == {*PROJECT, *RESULTS, *BESIDE, CURVES, "results/figures/noise.json"}
    assert ids(graph["./"]["hasPart"]) == files
    for name in files:
        content = (exported / name).read_bytes()
        assert graph[name]["sha256"] == hashlib.sha256(content).hexdigest()
        assert graph[name]["contentSize"] == str(len(content))


def test_the_run_leads_from_configuration_and_lock_to_figures_and_tables(exported):
    graph = metadata(exported)
    run = graph["#run"]
    assert ids(run["instrument"]) == ids(graph["./"]["mainEntity"]) == {"Snakefile"}
    assert ids(run["object"]) == {"results/configuration.yaml", "requirements.txt"}
    shown = {name for name in graph if name.startswith(("results/figures/", "results/tables/"))}
    assert ids(run["result"]) == shown
    assert len(shown) == 7
    # from the first file that there is to the last figure or table
    assert (run["startTime"], run["endTime"]) == (
        *("2000-01-01T00:00:00+00:00", "2000-01-02T00:00:00+00:00"),
    )
    assert graph["./"]["datePublished"] == "2000-01-02"
    assert graph["#figure_noise"]["endTime"] == "2000-01-01T00:00:02+00:00"


def test_what_fills_an_input_or_output_of_the_workflow_says_so(exported):
    graph = metadata(exported)
    workflow = graph["Snakefile"]
    filled = {"#configfile": "results/configuration.yaml", "#figures": "results/figures/noise.png"}
    assert ids(workflow["input"]) == {"#configfile"}
    assert ids(workflow["output"]) == {"#figures", "#tables"}
    for slot, name in filled.items():
        assert name in ids(graph[slot]["workExample"])
        assert ids(graph[name]["exampleOfWork"]) == {slot}


def test_a_figure_is_the_result_of_its_own_job(exported):
    graph = metadata(exported)
    job = graph["#figure_noise"]
    assert ids(job["instrument"]) == {"scripts/draw.py"}
    assert ids(job["object"]) == {CURVES, f"#{LIMIT}", "results/configuration.yaml"}
    assert ids(job["result"]) == {*FIGURE, *BESIDE}
    assert job["description"] == f"python scripts/draw.py --data {CURVES}"
    assert graph[f"#{LIMIT}"]["sha256"] == sha256("limit")
    assert ids(graph["./"]["mentions"]) == {"#run", "#figure_noise"}


def test_data_that_are_gone_are_named(tmp_path, issues):
    record = {"results/figures/noise.json": json.dumps(RECORD)}
    write(tmp_path, PROJECT | RESULTS | BESIDE | record)
    assert export(tmp_path).returncode == 0
    crate = unpack(tmp_path / "results/crate.zip", tmp_path / "crate")
    assert issues(crate) == []
    assert metadata(crate)[f"#{CURVES}"]["sha256"] == sha256("curves")


def test_authors_and_paper_are_those_of_the_citation(exported):
    graph = metadata(exported)
    assert ids(graph["./"]["author"]) == {"#author-1", "https://orcid.org/0000-0000-0000-0000"}
    assert graph["#author-1"] == {
        "@id": "#author-1",
        "@type": "Organization",
        "name": "Its authors",
    }
    person = graph["https://orcid.org/0000-0000-0000-0000"]
    assert (person["@type"], person["name"]) == ("Person", "Jo Doe")
    assert graph[person["affiliation"]["@id"]]["name"] == "A university"
    paper = graph[graph["./"]["citation"]["@id"]]
    assert paper["name"] == "Jo Doe: A paper (2025)"
    assert paper["identifier"] == "arXiv:0000.00000"


def test_results_without_records_are_exported_too(tmp_path, issues):
    write(tmp_path, PROJECT | RESULTS)
    assert export(tmp_path).returncode == 0
    crate = unpack(tmp_path / "results/crate.zip", tmp_path / "crate")
    assert issues(crate) == []
    assert ids(metadata(crate)["./"]["mentions"]) == {"#run"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ("{", ["results/figures/noise.json"]),
        ("[]", ["results/figures/noise.json"]),
        (json.dumps({"files": {}}), ["results/figures/noise.json", "command, code"]),
        (json.dumps(RECORD | {"command": ["ls"]}), ["results/figures/noise.json", "program"]),
        (
            json.dumps(RECORD | {"files": {"results/figures/noise.pdf": sha256("another")}}),
            ["results/figures/noise.pdf is not the file", "results/figures/noise.json"],
        ),
        (
            json.dumps(RECORD | {"code": digests("requirements.txt") | {"scripts/draw.py": "0"}}),
            ["scripts/draw.py is not the file", "results/figures/noise.json"],
        ),
        (
            json.dumps(RECORD | {"inputs": {CURVES: sha256("other curves")}}),
            [f"{CURVES} is not the file", "results/figures/noise.json"],
        ),
        (
            json.dumps(RECORD | {"files": {"results/figures/other.pdf": "0"}}),
            ["results/figures/other.pdf", "results/figures/noise.json"],
        ),
    ],
)
def test_a_record_that_is_not_of_the_files_stops_the_export(tmp_path, record, words):
    write(tmp_path, PROJECT | RESULTS | BESIDE | READ | {"results/figures/noise.json": record})
    result = export(tmp_path)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr, result.stderr
    assert not (tmp_path / "results/crate.zip").exists()


@pytest.mark.parametrize("missing", ["CITATION.cff", "README.md", "results/tables/rates.csv"])
def test_a_missing_file_is_named(tmp_path, missing):
    write(tmp_path, PROJECT | RESULTS)
    (tmp_path / missing).unlink()
    result = export(tmp_path)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert missing in result.stderr


def test_a_citation_without_license_is_named(tmp_path):
    citation = {"CITATION.cff": "title: a project\nauthors: []\n"}
    write(tmp_path, PROJECT | RESULTS | citation)
    result = export(tmp_path)
    assert result.returncode == 1
    assert "CITATION.cff does not tell license" in result.stderr


@pytest.fixture(scope="module")
def project(finished, tmp_path_factory):
    """The finished smoke grid, with its pages and a file that does not belong into a crate."""
    project = Project(tmp_path_factory.mktemp("smoke"), results=finished)
    for page in ROOT.glob("*.md"):
        shutil.copy2(page, project.folder)
    shutil.copytree(ROOT / "docs", project.folder / "docs")
    write(project.folder, {"scripts/__pycache__/figures.pyc": ""})
    return project


def test_the_workflow_exports_itself(project, issues, tmp_path):
    project.run("--allowed-rules", "crate", "paper", "--", "crate")
    crate = unpack(project.folder / "results/smoke/crate.zip", tmp_path)
    assert issues(crate) == []
    made = metadata(crate)["#document_paper"]["result"]
    assert made == {"@id": "results/smoke/paper.pdf"}
    for part in ("figures", "tables", "certificates", "configuration.yaml", "paper.pdf"):
        there = [project.folder / "results/smoke" / part]
        there = [path for path in (*there, *there[0].rglob("*")) if path.is_file()]
        assert there
        for path in there:
            assert (crate / path.relative_to(project.folder)).read_bytes() == path.read_bytes()
    assert list(crate.glob("results/smoke/rates/**/curves.parquet"))
    assert not list(crate.rglob("*.npz"))
    for part in (
        "Snakefile",
        "CITATION.cff",
        "scripts/figures/draw.py",
        "workflow/rules/targets/crate.smk",
    ):
        assert (crate / part).read_bytes() == (project.folder / part).read_bytes()
    assert not list(crate.rglob("__pycache__"))
    # what its pages lead to is there, less what is kept of other runs
    pages = [crate / "README.md", *(crate / "docs").glob("*.md"), crate / "config/README.md"]
    links = {
        (page.parent / link).resolve().relative_to(crate)
        for page in pages
        for link in re.findall(r"\]\(([^()#:]+)[)#]", page.read_text(encoding="utf-8"))
    }
    kept = {link for link in links if link.parts[:2] == ("results", "reference")}
    assert len(links - kept) > 5
    assert [link for link in links - kept if not (crate / link).exists()] == []


def test_it_is_no_part_of_the_default_target(tmp_path):
    jobs = Project(tmp_path).scheduled()
    assert "results/smoke/figures/noise.csv" in jobs["figures"]
    assert "crate" not in jobs
