"""Several calls of a program in one process, and what of them is there already.

A job of the workflow makes the files of several cells: ``program --each "words of one call" "words
of another"``.  Each call is what ``program words`` is, its files' origins included, so that any of
them can be made again by itself.  A call is left out where its files are as it would make them: by
the same command from the same code, lock and inputs, all by their content.
"""

import os
import shlex
from pathlib import Path

from pipeline import origin as origins
from pipeline.storage import DamagedFileError, read_origin

EACH = "--each"
# in the environment: an audit completes what it is to judge, and repairs nothing
ONLY_MISSING = "IMPLICIT_L1_ONLY_MISSING"
# what the log says of a file that is not made
KEPT = " is there already"
TELLING = (".npz", ".parquet", ".json")


def calls_of(words: list[str]) -> list[list[str]]:
    """The words of each call of a command line, the program's name left out."""
    if words[:1] != [EACH]:
        return [list(words)]
    return [shlex.split(call) for call in words[1:]]


def files_after(words: list[str], options: tuple[str, ...]) -> list[str]:
    """The words that follow some options, up to the next option of each."""
    found, taken = [], False
    for word in words:
        if word.startswith("--"):
            taken = word in options
        elif taken:
            found.append(word)
    return found


def are_kept(files: list[str], command: list[str]) -> bool:
    """Whether the files that a call writes are left as they are: those that are current, and
    where only what is missing is wanted all that are there."""
    if ONLY_MISSING in os.environ:
        return all(Path(file).is_file() for file in files)
    return are_current(files, command)


def are_current(files: list[str], command: list[str]) -> bool:
    """Whether all files that a call writes are there, as it would write them now.

    Args:
        files: what the call writes.
        command: the words of the call, the program's path first, as origins have them.
    """
    if not all(Path(file).is_file() for file in files):
        return False
    told = {file: _origin(file) for file in files if Path(file).suffix in TELLING}
    if not told or not all(map(_is_of(command), told.items())):
        return False
    silent = [file for file in files if file not in told]
    known = {name: found for one in told.values() for name, found in one.get("files", {}).items()}
    return all(known.get(origins.name_of(file)) == origins.checksum(file) for file in silent)


def _origin(file):
    try:
        return read_origin(file)
    except (FileNotFoundError, DamagedFileError):
        return None


def _is_of(command):
    """Whether a file and its origin are of a command, and of what lies there now."""

    def is_so(told):
        file, origin = told
        return (
            origin is not None
            and origin["path"] == origins.name_of(file)
            and origin["command"] == command
            and origin["lock"] == origins.checksum(origins.ROOT / origins.LOCK)
            and not origin["elsewhere"]
            and _are_unchanged(origins.ROOT, origin["code"])
            and _are_unchanged(Path(), origin["inputs"])
        )

    return is_so


def _are_unchanged(folder, recorded):
    """Whether files of a folder have these checksums."""
    return all(
        (folder / name).is_file() and origins.checksum(folder / name) == found
        for name, found in recorded.items()
    )
