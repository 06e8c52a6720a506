"""How a file was made: the command, the code, the lock and everything that was read.

A process of the project does one thing at a time.  What it reads is remembered here, and every file
that it writes tells by content, not by date, what it comes from; so the same job gives the
same bytes in every folder, on every day.
"""

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pipeline.byte_code import verify_loaded
from pipeline.machine import machine

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = "scripts"
LOCK = "requirements.txt"
# where Python's own modules lie, and those of installed packages
STANDARD = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
PACKAGES = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
# modules that Python runs before any program, if they are there
AT_START = ("sitecustomize", "usercustomize")

# of this process: file -> checksum
_inputs: dict[str, str] = {}
_code: dict[str, str] = {}
# modules that were looked at, and packages and modules that are not the project's
_seen: set[str] = set()
_foreign: set[str] = set()
# of these, those that neither Python nor an installed package has brought
_elsewhere: set[str] = set()
# of this process: file that was drawn -> words of its command
_sources: dict[str, list[str]] = {}
# of this process: files that nothing of the project made and problems are read from
_data: set[str] = set()


def checksum(path: str | Path) -> str:
    """SHA-256 of a file, read piece by piece."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_of(path: str | Path) -> str:
    """A path as it is recorded: from the project's folder on, or as given if it lies elsewhere."""
    path = Path(path)
    if path.is_absolute() and path.is_relative_to(ROOT):
        path = path.relative_to(ROOT)
    return path.as_posix()


def forget() -> None:
    """Forget what was read: what this process does next is another call."""
    for memory in (_inputs, _sources, _data):
        memory.clear()


def remember(path: str | Path, sources: dict[str, list[str]] | None = None) -> None:
    """Remember that this process reads a file.

    Args:
        path: of the file.
        sources: those in the file's own origin, if it has one.
    """
    _remember_code()  # early, so that the code is what was loaded
    _inputs[name_of(path)] = checksum(path)
    _sources.update(sources or {})


def remember_data(path: str | Path) -> None:
    """Remember that this process reads a problem from a file that is not the project's.

    What it writes is a source, as if it were drawn: the command says which files, and their
    checksums are among the inputs.
    """
    remember(path)
    _data.add(name_of(path))


def _remember_code():
    new = sys.modules.keys() - _seen
    _seen.update(new)
    for name in sorted(new):  # packages before what is in them
        package = name.partition(".")[0]
        module = sys.modules[name]
        file = getattr(module, "__file__", None)
        if package in _foreign or not file:
            continue
        folder, base = os.path.split(file)
        if (place := _own_folder(folder)) is None:
            _foreign.add(package)
            # what runs whenever Python starts is not of a locked package, wherever it lies
            if not is_standard(file) and (package in AT_START or not _is_below(file, PACKAGES)):
                _elsewhere.add(package)
        else:
            verify_loaded(module)
            _code.setdefault(f"{place}/{base}", checksum(file))


def is_standard(file: str) -> bool:
    """Whether a module is one of Python's own, by where it lies."""
    return _is_below(file, STANDARD) and not _is_below(file, PACKAGES)


def _is_below(file, folders):
    return any(Path(file).is_relative_to(folder) for folder in folders)


@cache
def _own_folder(folder):
    """The name of a folder of the project's programs; None of any other."""
    # once a folder: most modules lie in a few, and to resolve a path asks for each of its parts
    path = Path(folder).resolve()
    return name_of(path) if path.is_relative_to(ROOT / PROGRAMS) else None


def command() -> list[str]:
    """The words of the command line, the program's path from the project's folder on."""
    program = Path(sys.argv[0])
    if program.is_absolute() or (Path.cwd() / program).is_file():
        program = (Path.cwd() / program).resolve()
    # a program of another folder by its name: where it lies says nothing
    name = name_of(program) if program.is_relative_to(ROOT) else program.name
    return [name, *sys.argv[1:]]


def without_output(words: Sequence[str]) -> list[str]:
    """The words of a command after the program, without --output and what follows it."""
    words = list(words[1:])
    if "--output" in words:
        place = words.index("--output")
        del words[place : place + 2]
    return words


def origin_of(path: str | Path) -> dict:
    """What is known of a file that this process writes.

    Args:
        path: of the file.

    Returns:
        path: as it is recorded.
        command: words of the command line.
        code: every module of the project that is loaded -> checksum.
        lock: checksum of the locked requirements.
        machine: what decides the last bits of its numbers, see :mod:`pipeline.machine`.
        elsewhere: imported packages and modules that are not of Python's environment.
        inputs: every file of the project that was read -> checksum.
        sources: every file of problems behind it -> words of the command that drew or read
            them.  A file that is made from nothing, or from data that are not the project's,
            is its own source.
    """
    _remember_code()
    words = command()
    first = {name_of(path): without_output(words)} if _data or not _inputs else {}
    return {
        "path": name_of(path),
        "command": words,
        "code": dict(_code),
        "lock": checksum(ROOT / LOCK),
        "machine": machine(),
        "elsewhere": sorted(_elsewhere),
        "inputs": dict(_inputs),
        "sources": _sources | first,
    }


def as_text(origin: dict, indent: int | None = None) -> str:
    """An origin as JSON, the same text for the same content."""
    return json.dumps(origin, indent=indent, sort_keys=True, ensure_ascii=False)
