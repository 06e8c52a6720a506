"""Removes what is left of values that were taken out of a configuration.

Of the files in the folder of results that no rule makes, those go that a run of this workflow has
left there: files of a stage, figures and tables in the places where its programs write them, which
they tell themselves, or the JSON beside them by their checksums; and the logs and timings of jobs,
where both are there, of those that made what goes, or of a family that has jobs now.  All others
stay, and are told: links, whatever lies in the folder of another configuration, and what was made
after a run of this one has begun, by whoever did.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path, PurePath

from audit.findings import PUBLISHED, Audit, named, printable
from audit.origins import CONFIGURATION, configuration_of, strays
from audit.workflow_queries import HERE, add_workflow, asked, read_jobs
from pipeline.command_line import Failure, run
from pipeline.origin import ROOT, checksum
from pipeline.storage import BESIDE, TELLING, DamagedFileError, read_origin

# what jobs say and how long they take, in a folder of each stage; nothing there tells its origin
MESSAGES = {"logs": ".log", "benchmarks": ".tsv"}
# how Snakemake begins a file of timings
TIMINGS = b"s\th:m:s\t"


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
    gone = left_behind(found, results, [file for job in jobs for file in job.messages])
    for file in gone:
        Path(file).unlink()
        print(printable(f"removed {file}"))
        _remove_empty(Path(file).parent, results)
    print(f"{len(gone)} files were removed from {results}, which no rule makes now.")
    left = [file for file in found if file not in gone]
    if left:
        words = "Left as they are, not known to be of a run of this configuration"
        print(printable(f"{words}: {named(left)}."))


def left_behind(files: list[str], results: Path, messages: Iterable[str] = ()) -> list[str]:
    """Those of some files in a folder of results that a run of its configuration has left there.

    Args:
        files: their paths; results: the folder.
        messages: paths of the logs and timings of the jobs that there are now.
    """
    begun = (results / CONFIGURATION).stat().st_mtime_ns
    mine = [
        file
        for file in files
        if not Path(file).is_symlink()
        and Path(file).is_file()
        and Path(file).stat().st_mtime_ns <= begun
        and not _is_of_another_run(file, results)
    ]
    told = {name for file in mine for name in _written(file, results)}
    of_jobs = _Messages(results, told.intersection(mine), messages)
    return [file for file in mine if file in told or of_jobs.has(file)]


def _is_of_another_run(file: str, results: Path) -> bool:
    """Whether a file lies in a folder of results inside this one, also of a run that has only
    begun, or is named as a stage: what a run makes lies there."""
    place = PurePath(file).relative_to(results)
    folders = [results / folder for folder in place.parents if folder != PurePath()]
    # among what jobs say there are folders of figures and tables
    marks = (CONFIGURATION, *MESSAGES, *(() if place.parts[0] in MESSAGES else PUBLISHED))
    return any((folder / mark).exists() for folder in folders for mark in marks)


def _written(file: str, results: Path) -> list[str]:
    """The files that a file proves to be written by a job of the workflow: itself, or those that
    it tells of."""
    path = Path(file)
    parts = path.relative_to(results).parts
    if parts[0] in MESSAGES or path.suffix not in TELLING:
        return []
    try:
        told = read_origin(file)
    except (DamagedFileError, FileNotFoundError):
        return []
    if told.get("path") != file or not _is_in_its_place(parts, told.get("command") or [""]):
        return []
    beside = told.get("files", {}) if path.suffix == BESIDE else {}
    return [file, *(name for name, found in beside.items() if _is_as_told(name, found))]


class _Messages:
    """The logs and timings of jobs: of those that there are now, and of those that made what goes.

    Args:
        results: the folder.
        gone: files of results that go.
        messages: of the jobs that there are now.
    """

    def __init__(self, results: Path, gone: set[str], messages: Iterable[str]) -> None:
        self.results = results
        # (stage, family), and the stages of which there are jobs
        places = [PurePath(file) for file in messages]
        self.folders = {
            place.relative_to(results).parts[1:-1]
            for place in places
            if place.is_relative_to(results)  # a parent's rules have theirs anywhere
        }
        self.stages = {folder[0] for folder in self.folders if len(folder) == 2}
        self.gone = {PurePath(file).relative_to(results).parts for file in gone}

    def has(self, file: str) -> bool:
        """Whether a file is the log or the timings of a job, of which the other is there, too."""
        first, *parts = PurePath(file).relative_to(self.results).parts
        place = PurePath(*parts)
        if place.suffix != MESSAGES.get(first):
            return False
        log, timings = (
            (self.results / folder / place).with_suffix(suffix)
            for folder, suffix in MESSAGES.items()
        )
        return (
            self._is_of_a_job(place.with_suffix("").parts)
            and log.is_file()
            and timings.is_file()
            and timings.read_bytes().startswith(TIMINGS)
        )

    def _is_of_a_job(self, place):
        """Whether a job has its messages there: figures/<name>, or <stage>/<family>/<number>."""
        if place[0] in PUBLISHED:
            return len(place) == 2 and (place[0], f"{place[1]}{BESIDE}") in self.gone
        if len(place) != 3 or not place[2].isdecimal():
            return False
        stage, family, _ = place
        return (stage, family) in self.folders or any(
            (stage in self.stages or _is_kind_of(stage, folder))
            and (cell == family or cell.startswith(f"{family}_"))
            for folder, cell, *_ in (file for file in self.gone if len(file) > 2)
        )


def _is_kind_of(one: str, other: str) -> bool:
    """Whether two stages are one, or the first a kind of the second, as limit_certificates is of
    certificates."""
    return one == other or one.endswith(f"_{other}")


def _is_in_its_place(parts: tuple[str, ...], command: list[str]) -> bool:
    """Whether the workflow has this program write there: a stage in the folder of its name, of
    which it may be one of two kinds; figures and tables in theirs."""
    program = PurePath(command[0])
    room, name = program.parent.name, program.stem
    if room in PUBLISHED:
        return parts[0] == room and len(parts) == 2
    return room == "stages" and _is_kind_of(parts[0], name) and len(parts) > 2


def _is_as_told(file: str, found: str) -> bool:
    return Path(file).is_file() and checksum(file) == found


def _remove_empty(folder: Path, results: Path) -> None:
    """Remove a folder of results, and those around it, where nothing is left in them."""
    while folder != results and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


if __name__ == "__main__":
    run(main)
