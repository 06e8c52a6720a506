"""Several calls of a program in one process, and what of them is there already.

A job of the workflow makes the files of several cells: ``program --each "words of one call" "words
of another"``.  Each call is what ``program words`` is, its files' origins included, so that any of
them can be made again by itself.  The workflow leaves a call out (:mod:`pipeline.each`) where its
files are as it would make them: by the same command from the same code, lock and inputs, all by
their content.
"""

import os
import shlex
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pipeline import origin as origins
from pipeline.storage import TELLING, DamagedFileError, read_origin

EACH = "--each"
# of pipeline.each: what the calls write
MADE = "--made"
# in the environment: an audit completes what it is to judge, and repairs nothing
ONLY_MISSING = "IMPLICIT_L1_ONLY_MISSING"
# what the log says of a file that is not made
KEPT = " is there already"


def calls_of(words: list[str]) -> list[list[str]]:
    """The words of each call of a command line, the program's name left out."""
    if words[:1] != [EACH]:
        return [list(words)]
    return [shlex.split(call) for call in words[1:]]


def are_kept(files: list[str], words: list[str]) -> bool:
    """Whether the files that a call writes are left as they are: those that are current, and
    where only what is missing is wanted all that are there."""
    if ONLY_MISSING in os.environ:
        return all(Path(file).is_file() for file in files)
    return are_current(files, origins.recorded(words), origins.own_files(words))


def are_current(
    files: list[str], command: list[str], places: Mapping[str, str] | None = None
) -> bool:
    """Whether all files that a call writes are there, as it would write them now.

    Args:
        files: what the call writes.
        command: the words of the call, the program's path first, as origins have them.
        places: of files of the user's own, by their names.
    """
    if not all(Path(file).is_file() for file in files):
        return False
    # what the files of a call tell of is mostly the same
    checksum = cache(origins.checksum)
    told = {file: _origin(file) for file in files if Path(file).suffix in TELLING}
    if not told or not all(
        origin is not None and _is_of(origin, file, command, places or {}, checksum)
        for file, origin in told.items()
    ):
        return False
    beside = {name: found for origin in told.values() for name, found in _files(origin)}
    silent = [file for file in files if file not in told]
    return all(beside.get(origins.name_of(file)) == checksum(file) for file in silent)


def _origin(file):
    try:
        return read_origin(file)
    except (FileNotFoundError, DamagedFileError):
        return None


def _files(origin):
    """(name, checksum) of the files beside a JSON file that tells of them."""
    return origin.get("files", {}).items()


def _is_of(origin, file, command, places, checksum):
    """Whether an origin is that of this file, of this command, and of what lies there now."""
    recorded = {origins.ROOT / name: found for name, found in origin["code"].items()}
    recorded |= {Path(places.get(name, name)): found for name, found in origin["inputs"].items()}
    recorded[origins.ROOT / origins.LOCK] = origin["lock"]
    return (
        (origin["path"], origin["command"]) == (origins.name_of(file), command)
        and not origin["elsewhere"]
        and all(path.is_file() and checksum(path) == found for path, found in recorded.items())
    )
