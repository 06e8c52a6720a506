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
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pipeline.byte_code import verify_loaded
from pipeline.machine import machine

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = "scripts"
LOCK = "requirements.txt"
# options whose value is a file of the user's own: what is recorded of it is its name, with the
# checksum of its contents, and not its place
OWN_FILES = ("--path=", "--data=", "--signal=")
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


def remember_own(path: str | Path) -> None:
    """Remember that this process reads a file of the user's own, wherever it lies."""
    _remember_code()
    _inputs[Path(path).name] = checksum(path)


def remember_data(path: str | Path) -> None:
    """Remember that this process reads a problem from a file of the user's own.

    What it writes is a source, as if it were drawn: the command names the files, and their
    checksums are among the inputs.
    """
    remember_own(path)
    _data.add(Path(path).name)


def remember_code(path: str | Path) -> None:
    """Remember that this process reads a file of the programs' that is not Python."""
    _code[name_of(Path(path).resolve())] = checksum(path)


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
    """The words of the command line as they are recorded."""
    return recorded(sys.argv)


def recorded(words: Sequence[str]) -> list[str]:
    """The words of a command, the program's path from the project's folder on and files of the
    user's own by their names."""
    program = Path(words[0])
    if program.is_absolute() or (Path.cwd() / program).is_file():
        program = (Path.cwd() / program).resolve()
    # a program of another folder by its name: where it lies says nothing
    name = name_of(program) if program.is_relative_to(ROOT) else program.name
    return [name, *by_names(words[1:])]


def by_names(words: Sequence[str]) -> list[str]:
    """Words of a command with files of the user's own by their names."""
    return [_with_own(word, lambda place: Path(place).name) for word in words]


def own_files(words: Sequence[str]) -> dict[str, str]:
    """Name -> place of the files of the user's own in the words of a command."""
    places = (word.partition("=")[2] for word in words if word.startswith(OWN_FILES))
    return {Path(place).name: place for place in places}


def located(words: Sequence[str], places: Mapping[str, str]) -> list[str]:
    """Recorded words of a command with these places for files of the user's own."""
    return [_with_own(word, lambda name: places.get(name, name)) for word in words]


def _with_own(word, change):
    option, _, value = word.partition("=")
    return f"{option}={change(value)}" if word.startswith(OWN_FILES) else word


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
        inputs: every file of results and of the user's own that was read -> checksum.
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
