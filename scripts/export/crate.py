"""Target crate: the results as an RO-Crate, one ZIP file to deposit or to hand on.

It is a folder of the project: code, configuration and lock beside the results, under the
paths they have here, so that it runs where it is unpacked. Its ro-crate-metadata.json says
what made what, after the profiles Process Run Crate, Workflow Run Crate and Workflow
RO-Crate. The Parquet tables that figures and tables are made from are in it; the stages'
arrays are large and stay out.
"""

import argparse
import hashlib
import json
import platform
import shlex
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from rocrate.model import ContextEntity
from rocrate.rocrate import ROCrate

from pipeline.command_line import Failure, run
from pipeline.origin import name_of
from pipeline.storage import replacing

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
WORKFLOW = "Snakefile"
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
# of what draws figures and writes tables, by folder of the results
KINDS = ("figures", "tables")
# which shows them, in the folder of the results itself
DOCUMENT = ("paper.pdf", "paper.json")
FORMATS = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".py": "text/x-python",
    ".svg": "image/svg+xml",
    ".tex": "text/x-tex",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


class Export:
    """A crate in the making, and the files in it.

    Attributes:
        crate: the crate.
        places: name -> path of the files of the project.
        files: path -> its entity, for every file added.
        times: path -> when it was written.
        digests: path -> SHA-256, also of files that are only spoken of.
    """

    def __init__(self, places: Mapping[str, str]) -> None:
        self.places = places
        self.crate = ROCrate(version="1.1", gen_preview=True)
        # of schema.org, but younger than the terms of RO-Crate 1.1
        self.crate.metadata.extra_terms["sha256"] = "http://schema.org/sha256"
        self.files: dict[str, Any] = {}
        self.times: dict[str, float] = {}
        self.digests: dict[str, str] = {}

    def entity(self, key: str, /, **properties: Any) -> ContextEntity:
        """Add something that is not a file."""
        return self.crate.add(ContextEntity(self.crate, key, properties=renamed(properties)))

    def file(self, name: str, add: Callable | None = None, /, **properties: Any) -> Any:
        """Add a file of the project, or of its results, under its own name."""
        path = Path(self.places.get(name, name))
        try:
            content, time = path.read_bytes(), path.stat().st_mtime
        except OSError as error:
            raise Failure(f"{path} cannot be exported: {error.strerror}") from error
        digest = hashlib.sha256(content).hexdigest()
        described = {
            "name": name,
            "encodingFormat": FORMATS.get(path.suffix, "text/plain"),
            "contentSize": str(len(content)),
            "sha256": digest,
        }
        add = add or self.crate.add_file
        entity = add(path, name, properties=described | renamed(properties))
        self.files[name], self.times[name], self.digests[name] = entity, time, digest
        return entity

    def written(self, paths: Iterable) -> list[str]:
        """When the first and the last of these files were written, in ISO 8601."""
        times = [self.times[path] for path in paths]
        return [
            datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds")
            for time in (min(times), max(times))
        ]


def renamed(properties: dict) -> dict:
    """Properties with type for @type, which is no name of an argument in Python."""
    return {{"type": "@type"}.get(key, key): value for key, value in properties.items()}


def compact(entities: list) -> Any:
    """One entity for itself, more as a list: RO-Crate has no lists of one."""
    return entities[0] if len(entities) == 1 else entities


def content_version(export: Export, paths: Iterable) -> str:
    """A version for code without release numbers: the beginning of a digest of its files."""
    digests = "".join(f"{path} {export.digests[path]}\n" for path in sorted(paths))
    return hashlib.sha256(digests.encode()).hexdigest()[:12]


def read(path: str, parse: Callable, keys: Iterable[str]) -> dict:
    """A parsed mapping that has these keys.

    Raises:
        Failure: naming the file.
    """
    try:
        content = parse(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Failure(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise Failure(f"{path} does not hold a mapping")
    missing = [key for key in keys if key not in content]
    if missing:
        raise Failure(f"{path} does not tell {', '.join(missing)}")
    return content


def full_name(person: dict) -> str:
    """The name of a person in a citation."""
    return f"{person.get('given-names', '')} {person['family-names']}".strip()


def add_authors(export: Export, citation: dict) -> Any:
    """The authors that the citation names, people or organizations."""
    authors = []
    for number, author in enumerate(citation["authors"], start=1):
        properties = {"type": "Organization", "name": author.get("name")}
        if "family-names" in author:
            properties = {"type": "Person", "name": full_name(author)}
            if "affiliation" in author:
                organization = export.entity(
                    f"#affiliation-{number}", type="Organization", name=author["affiliation"]
                )
                properties["affiliation"] = organization
        if "website" in author:
            properties["url"] = author["website"]
        authors.append(export.entity(author.get("orcid", f"#author-{number}"), **properties))
    return compact(authors)


def add_paper(export: Export, reference: dict) -> ContextEntity:
    """The paper whose statements the results are about."""
    names = map(full_name, reference["authors"])
    return export.entity(
        reference.get("url", "#paper"),
        type="ScholarlyArticle",
        name=f"{', '.join(names)}: {reference['title']} ({reference['year']})",
        identifier=reference.get("doi", reference.get("notes")),
    )


def describe_root(export: Export, citation: dict, authors: Any, end: str) -> None:
    """What the crate is, by whom and under which license."""
    crate, root = export.crate, export.crate.root_dataset
    crate.name = f"Results of {citation['title']}"
    crate.description = (
        "Figures and tables, the data in them, and the workflow, the configuration and the"
        " locked environment that made them. Unpacked it is a folder of the project."
    )
    crate.license = export.entity(
        f"https://spdx.org/licenses/{citation['license']}",
        type="CreativeWork",
        name=citation["license"],
        description="The license of the code and of the results; its text is in LICENSE.",
    )
    crate.datePublished = str(citation.get("date-released", end[:10]))
    root["author"] = authors
    root["conformsTo"] = [
        export.entity(name, type="CreativeWork", name=title, version=name.rsplit("/", 1)[1])
        for name, title in PROFILES.items()
    ]
    if "preferred-citation" in citation:
        root["citation"] = add_paper(export, citation["preferred-citation"])


def add_software(export: Export) -> tuple:
    """Python and Snakemake as they run here, each an entity."""
    python = export.entity(
        "https://www.python.org/",
        type=["SoftwareApplication", "ComputerLanguage"],
        name="Python",
        url="https://www.python.org/",
        softwareVersion=platform.python_version(),
    )
    snakemake = export.entity(
        "https://snakemake.github.io/",
        type="SoftwareApplication",
        name="Snakemake",
        url="https://snakemake.github.io/",
        softwareVersion=version("snakemake"),
        softwareRequirements=python,
    )
    return python, snakemake


def add_workflow(export: Export, citation: dict, authors: Any, code: list[str]) -> Any:
    """The workflow, which is the crate's main entity."""

    def add(path, target, properties):
        return export.crate.add_workflow(
            path,
            target,
            main=True,
            lang="snakemake",
            lang_version=version("snakemake"),
            properties=properties,
        )

    workflow = export.file(
        WORKFLOW,
        add,
        name=citation["title"],
        author=authors,
        license=export.crate.license,
        conformsTo={"@id": WORKFLOW_PROFILE},
        hasPart=[export.files[path] for path in code],
    )
    workflow["version"] = str(citation.get("version", content_version(export, [WORKFLOW, *code])))
    url = citation.get("repository-code", citation.get("url"))
    if url:
        workflow["url"] = url
    return workflow


def add_slot(export: Export, direction: str, name: str, description: str, files: list) -> None:
    """An input or an output of the workflow, and the files that fill it."""
    slot = export.crate.add_formal_parameter(
        name, "File", f"#{name}", description, valueRequired=direction == "input"
    )
    slot["workExample"] = compact(files)
    for entity in files:
        entity["exampleOfWork"] = slot
    export.crate.mainEntity.append_to(direction, slot, compact=True)


def add_action(
    export: Export, key: str, /, instrument: Any, used: Any, made: Any, **properties: Any
) -> ContextEntity:
    """A run of a program or of the workflow: entities used, paths of files made."""
    action = export.crate.add_action(
        instrument,
        f"#{key}",
        object=compact(used),
        result=compact([export.files[path] for path in made]),
        properties={
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "endTime": export.written(made)[1],
            **properties,
        },
    )
    export.crate.root_dataset.append_to("mentions", action, compact=True)
    return action


def read_record(path: str, project: Any) -> dict:
    """What the record beside a figure or a table tells of its job, with its program."""
    told = read(path, json.loads, ("command", "code", "inputs", "files"))
    program = next((word for word in told["command"] if word in project), None)
    if program is None:
        raise Failure(f"{path} names no program of the project in its command")
    return told | {"program": program}


def add_job(export: Export, path: str, told: dict) -> None:
    """The job that made a figure or a table, as the record in a file tells of it.

    Raises:
        Failure: if the record is not about the files that are there.
    """
    for name, digest in (told["code"] | told["inputs"] | told["files"]).items():
        if export.digests.setdefault(name, digest) != digest:
            raise Failure(f"{name} is not the file that {path} tells of; run the workflow again")
    unknown = [name for name in told["files"] if name not in export.files]
    if unknown:
        raise Failure(f"{path} tells of {', '.join(unknown)}, not among the results")

    absent = {
        name: export.entity(
            f"#{name}",
            type="CreativeWork",
            name=name,
            description="An intermediate file, not in this crate; the workflow makes it.",
            sha256=digest,
        )
        for name, digest in told["inputs"].items()
        if name not in export.files
    }
    kind = kind_of(path).removesuffix("s")
    program = export.files[told["program"]]
    program["version"] = content_version(export, told["code"])
    add_action(
        export,
        f"{kind}_{Path(path).stem}",
        program,
        [export.files.get(name) or absent[name] for name in told["inputs"]],
        list(told["files"]),
        name=f"{kind.capitalize()} {Path(path).stem}",
        description=shlex.join(["python", *told["command"]]),
    )


def kind_of(path: str) -> str:
    """What a file of the results belongs to: figures, tables, the document, or other things."""
    place = Path(path)
    return "document" if place.name in DOCUMENT else place.parent.name


def build(
    project: dict[str, str], results: set[str], configuration: str, lock: str, citation_file: str
) -> ROCrate:
    """The crate of a finished run.

    Args:
        project: name -> path of the files to run the project with: code, configuration, lock,
            documents.
        results: the files that the run made.
        configuration, lock: those that the run used; one of results, one of project's names.
        citation_file: the project's CITATION.cff.
    """
    citation = read(citation_file, yaml.safe_load, ("title", "authors", "license"))
    shown = {
        kind: [path for path in sorted(results) if kind_of(path) == kind]
        for kind in (*KINDS, "document")
    }
    records = {
        path: read_record(path, project)
        for paths in shown.values()
        for path in paths
        if Path(path).suffix == ".json"
    }
    read_by = {name for record in records.values() for name in record["inputs"]}
    data = {name for name in read_by if Path(name).suffix == ".parquet" and Path(name).is_file()}

    export = Export(project)
    python, snakemake = add_software(export)
    programs = {record["program"] for record in records.values()}
    for path in sorted({*project, *results, *data} - {WORKFLOW}):
        if path in programs:
            program = {"type": ["File", "SoftwareSourceCode"], "programmingLanguage": python}
            export.file(path, **program)
        else:
            export.file(path)
    if "README.md" in export.files:
        export.files["README.md"]["about"] = export.crate.root_dataset

    start, end = export.written({*results, *data})
    authors = add_authors(export, citation)
    describe_root(export, citation, authors, end)
    code = [path for path in sorted(project) if is_code(path)]
    workflow = add_workflow(export, citation, authors, code)
    configfile = [export.files[configuration]]
    add_slot(export, "input", "configfile", "What to compute, with all defaults.", configfile)
    for kind, paths in shown.items():
        if paths:
            made = [export.files[path] for path in paths]
            what = "how it was made" if kind == "document" else "the data in them"
            add_slot(export, "output", kind, f"The {kind}, and {what}.", made)

    run_of_it = add_action(
        export,
        "run",
        workflow,
        [*configfile, export.files[lock]],
        [path for paths in shown.values() for path in paths],
        name="Run of the workflow",
        description="What made the figures and tables; its times are those of the files.",
        startTime=start,
    )
    export.entity(
        "#engine",
        type="OrganizeAction",
        name=f"Snakemake {version('snakemake')} on Python {platform.python_version()}",
        instrument=snakemake,
        result=run_of_it,
    )
    for path, told in records.items():
        add_job(export, path, told)
    return export.crate


def is_code(path: str) -> bool:
    """Whether a file of the project is of the workflow, and not of a page that speaks of it."""
    return Path(path).suffix in (".py", ".smk") and Path(path).parts[0] != "docs"


def beside(results: list[str]) -> set[str]:
    """The records and the plotted data that stand beside figures and tables."""
    return {
        sibling.as_posix()
        for path in map(Path, results)
        if path.parent.name in KINDS
        for sibling in (path.with_suffix(".json"), path.with_suffix(".csv"))
        if sibling.is_file()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", nargs="+", required=True, help="code and what it needs to run")
    parser.add_argument("--results", nargs="+", required=True, help="what the workflow made")
    parser.add_argument("--configuration", required=True, help="the configuration of the run")
    parser.add_argument("--lock", required=True, help="the locked environment")
    parser.add_argument("--citation", required=True, help="CITATION.cff")
    parser.add_argument("--output", required=True, help="ZIP file")
    args = parser.parse_args()

    project = {name_of(path): path for path in args.project}
    results = {*args.results, *beside(args.results)}
    crate = build(project, results, args.configuration, name_of(args.lock), args.citation)
    with replacing(args.output) as temporary:
        crate.write_zip(temporary)


if __name__ == "__main__":
    run(main)
