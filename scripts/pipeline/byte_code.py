"""Compiled code that is what its source says now.

Python takes byte code for that of a source with the same time and size: where files have
constant times, in containers and archives, an edited module can run from the byte code of the
one before.  Byte code that holds the hash of its source is compared by Python itself
(PEP 552); any other is compared here, with what the source compiles to.
"""

import marshal
import py_compile
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import ModuleType

# PEP 552: the magic number, a word of flags, and the time and size of the source or its hash
HEADER = 16
FLAGS, TIME, SIZE = slice(4, 8), slice(8, 12), slice(12, 16)
NO_HASH, CHECKED_HASH = (0b00).to_bytes(4, "little"), (0b11).to_bytes(4, "little")


class StaleByteCodeError(RuntimeError):
    """What was loaded is not the source that lies there."""


def verify_loaded(module: ModuleType) -> None:
    """See that the byte code that a module may have been loaded from is of its source.

    Args:
        module: loaded from a file of Python.
    Raises:
        StaleByteCodeError: naming the byte code, if it is another one's.
    """
    cached = getattr(module.__spec__, "cached", None)
    try:
        found = Path(cached).read_bytes() if cached else b""
    except OSError:
        return  # there is none: the source was loaded
    source = Path(str(module.__file__))
    if found[FLAGS] == CHECKED_HASH or not _is_taken(found, source):
        return
    if marshal.loads(found[HEADER:]) != compile(source.read_bytes(), source, "exec"):
        raise StaleByteCodeError(
            f"{cached} is not the byte code of {source}, which was changed while its time and size "
            "were not: delete it, and run the same command again"
        )


def _is_taken(found, source):
    """Whether Python takes byte code for that of a source, of which it compares no hash."""
    if found[: len(MAGIC_NUMBER)] != MAGIC_NUMBER:
        return False
    state = source.stat()
    known = (int(state.st_mtime), state.st_size)
    words = [(number & 0xFFFFFFFF).to_bytes(4, "little") for number in known]
    return found[FLAGS] != NO_HASH or [found[TIME], found[SIZE]] == words


def compile_with_hashes(folder: str | Path) -> None:
    """Compile the modules of a folder to byte code that Python compares with its source.

    Where that cannot be written nothing is: modules are then compiled where they are loaded.
    """
    for source in sorted(Path(folder).rglob("*.py")):
        cached = Path(cache_from_source(source))
        if not cached.is_file() or cached.read_bytes()[FLAGS] != CHECKED_HASH:
            try:
                mode = py_compile.PycInvalidationMode.CHECKED_HASH
                py_compile.compile(str(source), str(cached), doraise=True, invalidation_mode=mode)
            except py_compile.PyCompileError:
                continue  # whoever imports it says why
            except OSError:
                return
