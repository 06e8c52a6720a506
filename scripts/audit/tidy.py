"""Removes what is left of values that were taken out of a configuration.

Of the files in the folder of results that no rule makes, those go that a program of this project
has written there, which they tell themselves, or the JSON beside them by their checksums; and logs
and timings of jobs.  All others stay, and are named: so does whatever lies in the folder of another
configuration.
"""

import argparse
from pathlib import Path, PurePath

from audit.findings import Audit, named
from audit.origins import CONFIGURATION, configuration_of, strays
from audit.workflow_queries import HERE, add_workflow, asked, read_jobs
from pipeline.command_line import Failure, run
from pipeline.origin import ROOT, checksum
from pipeline.storage import BESIDE, TELLING, DamagedFileError, read_origin

# what jobs say and how long they take, in a folder of each stage; nothing there tells its origin
LOGS = "logs"
MESSAGES = {LOGS: ".log", "benchmarks": ".tsv"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_workflow(parser)
    with asked(parser.parse_args()) as (_, planned, _):
        jobs = read_jobs(planned, HERE if Path.cwd() == ROOT else ROOT)
    text, results = configuration_of(jobs)
    path = results / CONFIGURATION
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        raise Failure(
            f"{results} is not of this configuration as it is now: run the workflow first"
        )
    found = strays(Audit(jobs, results, jobs))
    gone = left_behind(found, results)
    for file in gone:
        Path(file).unlink()
        print(f"removed {file}")
        _remove_empty(Path(file).parent, results)
    print(f"{len(gone)} files were removed from {results}, which no rule makes now.")
    left = [file for file in found if file not in gone]
    if left:
        print(f"Left as they are, by no program of this project: {named(left)}.")


def left_behind(files: list[str], results: Path) -> list[str]:
    """Those of some files that a program of this project has written into a folder of results, in
    a run of its configuration."""
    mine = [
        file
        for file in files
        if not Path(file).is_symlink() and not _is_of_another_run(file, results)
    ]
    told = {name for file in mine for name in _written(file, results)}
    return [file for file in mine if file in told]


def _is_of_another_run(file: str, results: Path) -> bool:
    """Whether a file lies in a folder of results inside this one, also of a run that has only
    begun, or is named as a stage: the first that a run makes there are logs."""
    inside = PurePath(file).relative_to(results).parents
    folders = [results / folder for folder in inside if folder != PurePath()]
    return any((one / CONFIGURATION).exists() or (one / LOGS).exists() for one in folders)


def _written(file: str, results: Path) -> list[str]:
    """The files that a file proves to be written by a program of this project: itself, or those
    that it tells of."""
    path = Path(file)
    parts = path.relative_to(results).parts
    if parts[0] in MESSAGES:
        return [file] if len(parts) > 2 and path.suffix == MESSAGES[parts[0]] else []
    if path.suffix not in TELLING:
        return []
    try:
        told = read_origin(file)
    except (DamagedFileError, FileNotFoundError):
        return []
    if told.get("path") != file:
        return []
    beside = told.get("files", {}) if path.suffix == BESIDE else {}
    return [file, *(name for name, found in beside.items() if _is_as_told(name, found))]


def _is_as_told(file: str, found: str) -> bool:
    return Path(file).is_file() and checksum(file) == found


def _remove_empty(folder: Path, results: Path) -> None:
    """Remove a folder of results, and those around it, where nothing is left in them."""
    while folder != results and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


if __name__ == "__main__":
    run(main)
