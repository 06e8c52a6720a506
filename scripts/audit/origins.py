"""Whether every file says that it was made the way that the workflow makes it now."""

import json
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import yaml

from audit.findings import PUBLISHED, Audit
from audit.workflow_queries import Job
from pipeline.origin import LOCK, PROGRAMS, without_output
from pipeline.storage import (
    BESIDE,
    TELLING,
    DamagedFileError,
    read_origin,
    unfinished,
    written_origin,
)

# texts that programs read as they read their own code: captions, and the document
TEXTS = "workflow/report"
DRAWING = "scripts/stages/problems.py"
CONFIGURATION = "configuration.yaml"

# of the folder of results itself: what lies there and is not made by target `all`
FOLDERS_APART = ("benchmark", "reference")
PAGES = (
    *("audit.md", "audit.json", "report.html", "timings.csv", "timings.md"),
    *("growth.csv", "growth.md", "crate.zip", "ro-crate-metadata.json"),
)
LOGS_APART = ("audit", "crate", "growth", "paper", "reference", "tidy", "timings")
# Snakemake's word where times are later; what the contents are, the origins say
BY_TIME = "updated input files"
# clocks of two machines that share a folder differ by seconds
FUTURE = 60.0


def check_origins(audit: Audit) -> None:
    """Every output is there, is whole, and was made the way the workflow makes it now."""
    for file in audit.job_of:
        if not Path(file).is_file():
            audit.add(file, "is missing")
        elif Path(file).suffix in TELLING:
            try:
                audit.told[file] = read_origin(file)
            except DamagedFileError as error:
                why = str(error).removeprefix(f"{file} is damaged (").rpartition(");")[0]
                audit.add(file, f"is damaged ({why})")
        audit.counts["files of results"] += 1
    code = set()
    for file, origin in audit.told.items():
        try:
            check_origin(audit, file, origin)
            if Path(file).suffix == BESIDE:
                check_told(audit, file, origin)
            code |= set(origin["code"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            audit.add(file, f"has an origin that is not complete ({error!r})")
        audit.counts["origins, each with its command, code, lock, inputs and seeds"] += 1
    audit.counts["files of code"] = len(code)
    for job in audit.jobs:
        silent = [file for file in job.outputs if Path(file).suffix not in TELLING]
        if not any(Path(file).suffix == BESIDE for file in job.outputs):
            for file in silent:
                if Path(file).name != CONFIGURATION:
                    audit.add(file, "has nothing beside it that tells its origin")


def check_origin(audit: Audit, file: str, origin: dict) -> None:
    """An origin says what the workflow would do now."""
    job = audit.job_of[file]
    if origin["path"] != file:
        audit.add(file, f"was written as {origin['path']}")
        return
    if not isinstance(origin["machine"], str) or not isinstance(origin["sources"], dict):
        raise TypeError("machine or sources")
    if origin["lock"] != audit.checksum(audit.of_project(LOCK)):
        audit.add(file, f"was made with another {LOCK}")
    for name in origin["elsewhere"]:
        audit.add(file, f"was made with {name} from elsewhere than the environment of Python")
    for name, found in origin["code"].items():
        if audit.checksum_of_code(name) != found:
            audit.add(file, f"was made with another version of {name}")
        elif name not in job.inputs:
            audit.add(file, f"was made with {name}, which rule {job.rule} does not declare")
    if origin["command"] != list(job.command):
        audit.add(file, difference("was made by another command", origin["command"], job.command))
        return
    if job.command[0] not in origin["code"]:
        audit.add(file, f"was made without {job.command[0]}")
    declared = {name for name in job.inputs if name != LOCK and not is_code(name)}
    for name in sorted(declared ^ set(origin["inputs"])):
        verb = "was made without reading" if name in declared else "was made from a stray file,"
        audit.add(file, f"{verb} {name}")
    for name, found in origin["inputs"].items():
        place = job.places.get(name, name)
        if Path(place).is_file() and audit.checksum(place) != found:
            derived = name in audit.job_of
            audit.add(file, f"was made from another version of {name}", derived)
    if any(name in audit.job_of and name not in audit.told for name in origin["inputs"]):
        return  # what is missing or damaged is reported where it stands
    # problems are a source even where they are read, from data that no rule makes
    first = job.command[0] == DRAWING or not origin["inputs"]
    sources = {file: without_output(job.command)} if first else {}
    for name in origin["inputs"]:
        sources |= audit.told.get(name, {}).get("sources", {})
    for name in sorted({*sources, *origin["sources"]}):
        if sources.get(name) != origin["sources"].get(name):
            what = f"tells other problems and seeds than its inputs ({name})"
            audit.add(file, what, derived=bool(origin["inputs"]))
            break


def is_code(name: str) -> bool:
    """Whether an input is one of the programs, or what belongs to them."""
    return name.startswith((f"{PROGRAMS}/", f"{TEXTS}/"))


def difference(what: str, found: Sequence, expected: Sequence) -> str:
    """Two commands, as far as they differ first."""
    for one, other in zip(found, expected, strict=False):
        if one != other:
            return f"{what} ({one!r} for {other!r})"
    return f"{what} ({len(found)} words for {len(expected)})"


def check_told(audit: Audit, teller: str, origin: dict) -> None:
    """What cannot tell its origin is as the file beside it tells."""
    job = audit.job_of[teller]
    # as it is written: of a key that stands twice, a reader shows one and a program takes the other
    if Path(teller).read_text(encoding="utf-8") != written_origin(origin):
        audit.add(teller, "is not written as the workflow writes it")
    for file, found in origin["files"].items():
        if Path(file).is_file() and audit.checksum(file) != found:
            audit.add(file, f"is not as it was made (see {teller})")
        audit.counts["figures and texts by their checksum"] += 1
    if set(origin["files"]) != {file for file in job.outputs if Path(file).suffix not in TELLING}:
        audit.add(teller, "does not tell of all files that its rule makes")
    (words,) = job.after("--configuration")
    if origin["configuration"] != json.loads(words):
        audit.add(teller, "tells another configuration")


def configuration_of(jobs: list[Job]) -> tuple[str, Path]:
    """The text of the whole configuration, and its folder of results, as the workflow has them."""
    (job,) = (job for job in jobs if Path(job.outputs[0]).name == CONFIGURATION)
    text = job.command[2]
    return text, Path(yaml.safe_load(text)["results"])


def check_configuration(audit: Audit, configuration: str) -> None:
    """The results are of the configuration that is used now."""
    path = audit.results / CONFIGURATION
    if path.is_file() and path.read_bytes() != configuration.encode():
        audit.add(str(path), "is not the configuration that is used now")


def check_states(audit: Audit, states: dict[str, tuple[str, str]]) -> None:
    """The workflow has nothing left to do.  What is known to be wrong needs no second word."""
    by_time = 0
    for file in audit.job_of:
        status, plan = states.get(file, ("unknown to the workflow", ""))
        if (status, plan) == ("ok", "no update") or file in audit.findings:
            continue
        if status == BY_TIME:
            by_time += 1
            continue
        words = plan if status == "ok" else status
        audit.add(file, f"would be made anew by the workflow ({words})", derived=True)
    if by_time:
        audit.notes.append(
            f"{by_time} files are older than what they were made from, which is as it was by its "
            "content: the workflow would make them anew"
        )


def check_times(audit: Audit) -> None:
    """No result is of a time to come: the workflow would take it for newer than its inputs."""
    now = time.time()
    for file in audit.job_of:
        if Path(file).is_file() and (changed := Path(file).stat().st_mtime) > now + FUTURE:
            when = datetime.fromtimestamp(changed, UTC)
            audit.add(file, f"has a time to come ({when:%Y-%m-%d %H:%M} UTC)")


def check_strays(audit: Audit) -> None:
    """Everything in the folder of results is made by a rule; nothing there is a link."""
    for file in strays(audit):
        link = Path(file).is_symlink()
        audit.add(file, "is a link: no rule makes one" if link else "is made by no rule")


def strays(audit: Audit) -> list[str]:
    """Files in the folder of results that no rule makes, and links.

    What is not looked at, as results of another configuration, is noted.
    """
    made = {file for job in audit.all_jobs for file in (*job.outputs, *job.messages)}
    # what a job that was killed leaves: the next one of its kind overwrites it
    left = {str(unfinished(file)): file for job in audit.all_jobs for file in job.outputs}
    known = {str(audit.results / page) for page in PAGES}
    known |= {str(audit.results / "logs" / f"{name}.log") for name in LOGS_APART}
    found = []
    for file in _files(audit):
        if Path(file).is_symlink():
            found.append(file)
        elif file in left:
            audit.notes.append(f"{file} was left by a job that was killed: it is no result")
        elif file in known:
            audit.notes.append(f"{file} is not looked at")
        elif file not in made:
            found.append(file)
    return found


def _files(audit):
    """Every file, link and other thing that is no folder, below the folder of results."""
    stages = {Path(file).relative_to(audit.results).parts[0] for file in audit.job_of}
    stages |= {*PUBLISHED, "logs", "benchmarks"}
    for folder, folders, files in os.walk(audit.results):
        place = Path(folder)
        links = [name for name in folders if (place / name).is_symlink()]
        for name in sorted([*files, *links]):
            yield str(place / name)
        if place in (audit.results, audit.results / "logs"):
            apart = [name for name in folders if name in _folders_apart(place)]
            folders[:] = [name for name in folders if name not in apart]
            audit.notes += [f"{place / name} is not looked at" for name in sorted(apart)]
        for name in sorted(set(folders) - set(links)):
            path = place / name
            first = path.relative_to(audit.results).parts[0]
            if first not in stages and _is_another_configuration(path):
                audit.notes.append(f"{path} holds the results of another configuration: left out")
                folders.remove(name)


def _folders_apart(place):
    """The reference is compared with, where it is; of no other folder is there one."""
    return FOLDERS_APART if place == Path("results") else FOLDERS_APART[:1]


def _is_another_configuration(folder):
    """Whether a folder says that it holds the results of a configuration, of its own name."""
    file = folder / CONFIGURATION
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return told["results"] == str(folder)
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError, RecursionError):
        return False
