"""Where the audit runs: its packages are those of the lock, as they were installed."""

import base64
import csv
import hashlib
import importlib.util
import io
import os
import platform
import re
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name
from threadpoolctl import threadpool_info

from audit import committed
from audit.findings import Audit
from pipeline.machine import processor
from pipeline.origin import AT_START, PACKAGES, is_standard
from pipeline.pins import pins

# what comes with an environment, and is in no lock
INSTALLERS = {"pip", "setuptools", "wheel"}
# told on the page
SHOWN = ("numpy", "scipy", "cvxpy", "highspy", "pandas", "pyarrow", "matplotlib", "snakemake")
VARIABLES = r"OPENBLAS_|OMP_|MKL_|NPY_|GLIBC_|PYTHON|LD_|TZ$|LANG$|LC_ALL$"
# what Python loads, or reads whenever it starts
LOADED = (".py", ".pyc", ".so", ".pth")
# those of which a value of one length comes; a RECORD names one for each of its hashes
ALGORITHMS = {name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")}
# what reading files raises where they are not as an installer leaves them
UNREADABLE = (OSError, ValueError, csv.Error)
# to compile the sources of all packages anew, and compare, takes most of a minute
BYTE_CODE = (
    "byte code of packages is not looked at: Python runs it in place of a source whose time and "
    "size it tells"
)
# what virtualenv and uv write into an environment
OF_INSTALLERS = ("_virtualenv.pth", "_virtualenv.py")
HERE = Path()


def installed() -> dict[str, list[Distribution]]:
    """Package -> its distributions on the path of this interpreter, the first the imported one."""
    found: dict[str, list[Distribution]] = {}
    for one in distributions():
        known = found.setdefault(name_of(one), [])
        # a folder may be on the path twice
        if all(_place(one) != _place(other) for other in known):
            known.append(one)
    return found


def name_of(distribution: Distribution) -> str:
    """The name of a package; that of the folder of its metadata if these cannot be read."""
    name = _tell(distribution, "Name")
    return canonicalize_name(name) if name else Path(str(_metadata(distribution))).name


def version_of(distribution: Distribution) -> str:
    return _tell(distribution, "Version") or "of no version"


def _tell(distribution, word):
    try:
        for name in ("METADATA", "PKG-INFO"):
            _regular(_metadata(distribution) / name)
        return distribution.metadata[word]
    except (*UNREADABLE, KeyError):  # which newer versions raise where there is no such word
        return None


def _metadata(distribution):
    # there is no public name of it, and pip uses this one; a zipfile.Path in an archive
    return distribution._path


def _regular(file):
    """A file, or None if it is not there.

    Raises:
        OSError: if it is there and not a regular one, which might be read for ever.
    """
    if not file.exists():
        return None
    if not file.is_file():
        raise OSError(f"{file} is no regular file")
    return file


def _place(distribution):
    return os.path.realpath(str(_metadata(distribution)))


def _folder(distribution):
    return os.path.realpath(str(distribution.locate_file("")))


def check_packages(audit: Audit, lock: str) -> None:
    """What is installed, and imported, is what is locked, and nothing else.

    Args:
        audit: to add to.
        lock: text of the locked requirements.
    """
    found = installed()
    check_versions(audit, pins(lock), found)
    check_files(audit, [one for several in found.values() for one in several])
    check_strays(audit, [one for several in found.values() for one in several])
    check_imports(audit, [several[0] for several in found.values()])
    check_start(audit)


def check_versions(
    audit: Audit, locked: dict[str, str], found: dict[str, list[Distribution]]
) -> None:
    """Every package is there once, in the version that is locked."""
    for name, version in sorted(locked.items()):
        if name not in found:
            audit.general.append(f"package {name} {version} is locked and not installed")
        elif version_of(found[name][0]) != version:
            there = version_of(found[name][0])
            audit.general.append(f"package {name} is {there}, locked is {version}")
    for name, several in sorted(found.items()):
        if len(several) > 1:
            places = ", ".join(f"{version_of(one)} in {_folder(one)}" for one in several)
            audit.general.append(f"package {name} is installed more than once: {places}")
        if name not in locked and name not in INSTALLERS:
            there = version_of(several[0])
            audit.general.append(f"package {name} {there} is installed and not locked")
    audit.counts["locked packages"] = len(locked)


def check_files(audit: Audit, found: list[Distribution]) -> None:
    """Every file that came with a package is as it came, by what the package's RECORD tells."""
    files = []
    for one in found:
        name = name_of(one)
        try:
            told = _read_record(one)
        except UNREADABLE as error:
            audit.general.append(
                f"package {name} is not as it was installed: the list of its files, RECORD, "
                f"cannot be read ({error})"
            )
            continue
        if told is None:
            audit.notes.append(f"package {name} does not tell its files: not compared")
        files += [(name, one, *row) for row in told or () if _is_to_be_compared(*row)]
    with ThreadPoolExecutor() as pool:
        right = list(pool.map(lambda entry: _is_as_it_came(*entry[1:]), files))
    edited = [entry for entry, fine in zip(files, right, strict=True) if not fine]
    for name in dict.fromkeys(name for name, *_ in edited):
        paths = [path for other, _, path, *_ in edited if other == name]
        more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
        audit.general.append(
            f"package {name} is not as it was installed: {paths[0]}{more} changed or missing"
        )
    by_hash = [fine for (*_, hashed, _), fine in zip(files, right, strict=True) if hashed]
    audit.counts["files of packages as they were installed"] = sum(by_hash)
    audit.notes.append(BYTE_CODE)


def _read_record(one):
    """(path, hash, size) of each file in a package's RECORD; None without one.

    Distribution.files leaves out what is missing, in newer versions of Python and in the package
    importlib_metadata, which takes the place of Python's own wherever it is imported; it also
    takes more characters for ends of lines than those of CSV files, which names may hold.

    Raises:
        One of UNREADABLE, if a row, or all of it, is such that no file is vouched for.
    """
    file = _regular(_metadata(one) / "RECORD")
    if file is None:
        return None
    if not isinstance(file, os.PathLike):
        raise ValueError(f"it lies in an archive, {file}")
    text = file.read_bytes().decode()
    # strict: without it an open quote would take all that follows for one name
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    # columns may be left out, and a blank row has none
    return [_read_row(*[*row, "", ""][:3]) for row in rows if row]


def _read_row(path, hashed, size):
    hashed = hashed.strip()
    algorithm, equals, _ = hashed.partition("=")
    if not path.strip("./") or "\0" in path:
        raise ValueError(f"{path!r} is the name of no file")
    if hashed and not (equals and algorithm.lower() in ALGORITHMS):
        raise ValueError(f"{path} has the hash {hashed!r}")
    return path, hashed, size.strip()


def _is_to_be_compared(path, hashed, size):
    """Whether a file must be there: byte code comes and goes, and so do an installer's remarks.

    Of these a RECORD has no hash, nor can it have its own.
    """
    of_installer = path.partition("/")[0].endswith(".dist-info")
    return hashed or not (of_installer or path.endswith(".pyc"))


def _is_as_it_came(one, path, hashed, size):
    """Whether a file has its hash; where none is told, its size; where none is, whether it is."""
    place = Path(one.locate_file(path))
    try:
        if hashed:
            return place.is_file() and _has_hash(place, hashed)  # a pipe is never read to its end
        return place.stat().st_size == int(size) if size else place.exists()
    except (OSError, ValueError):
        return False


def _has_hash(file, hashed):
    algorithm, _, value = hashed.partition("=")
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, algorithm).digest()
    found = base64.urlsafe_b64encode(digest).decode()
    return found.rstrip("=") == value.rstrip("=")  # some leave the padding


def _list_files(one):
    """The files that a package tells, as it does; none where its list cannot be read."""
    try:
        told = _read_record(one)
        if told is not None:
            return [path for path, *_ in told]
        return [str(file) for file in one.files or ()]  # of older forms
    except (*UNREADABLE, TypeError):  # check_files tells which
        return []


def check_imports(audit: Audit, found: list[Distribution]) -> None:
    """What is imported under a name is Python's module of that name, or the package's."""
    places: dict[str, set] = {}  # several packages may share a name, and its folder
    for one in found:
        for path in _list_files(one):
            name = importable(PurePosixPath(path).parts)
            if name is not None:
                place = os.path.realpath(str(one.locate_file(path)))
                places.setdefault(name, set()).add(place)
    for name in sorted({*sys.stdlib_module_names, *places} - set(AT_START)):
        origin = _origin(name)
        if origin is None or is_standard(origin):
            continue
        if os.path.realpath(origin) not in places.get(name, ()):
            what = f"module {name} is imported from {origin}, in front of the right one"
            audit.general.append(what)


def importable(parts: tuple[str, ...]) -> str | None:
    """The name under which a file of a package's is imported at the top; None of others."""
    if not parts[-1].endswith((".py", ".so")):
        return None
    name = parts[-1].partition(".")[0]
    if len(parts) == 2 and name == "__init__":
        return parts[0]
    return name if len(parts) == 1 else None


def _origin(name):
    """The file that `import name` would load; None of what is built in or not there."""
    try:
        with warnings.catch_warnings(action="ignore"):  # of modules that take another's place
            spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    return spec.origin if spec is not None and spec.has_location else None


def check_start(audit: Audit) -> None:
    """Nothing that no package brought runs whenever Python starts."""
    for name in AT_START:
        origin = _origin(name)
        if origin is not None and not is_standard(origin):
            audit.general.append(f"{origin} runs whenever Python starts, and is of no package")
        elif origin is not None:
            audit.notes.append(f"{origin} runs whenever Python starts: it came with Python")


def check_strays(audit: Audit, found: list[Distribution]) -> None:
    """Whatever Python loads, or reads when it starts, from the folders of packages is of one."""
    known: set[tuple[str, str]] = set()
    for one in found:
        inside: dict[str, list[str]] = {}
        for path in _list_files(one):
            folder, name = os.path.split(path)
            inside.setdefault(folder, []).append(name)
        for folder, names in inside.items():
            # lib64 may be a link to lib, or all of it be found through one
            place = os.path.realpath(str(one.locate_file(folder)))
            known.update((place, name) for name in names)
    places = {place for place, _ in known}
    for folder in sorted({os.path.realpath(folder) for folder in PACKAGES}):
        for file, place in sorted(_loaded_below(folder, places)):
            if place not in known:
                what = f"{file} is of no package"
                if file.parent == Path(folder) and file.name in OF_INSTALLERS:
                    audit.notes.append(f"{what}: virtualenv and uv write a file of this name")
                else:
                    audit.general.append(what)


def _loaded_below(folder, places):
    """(file, (its folder without links, its name)) of what Python loads from a folder, and of links
    to folders that are none of these places: those that are are followed, once."""
    seen = set()
    for here, inside, names in os.walk(folder, followlinks=True):
        links = [name for name in inside if Path(here, name).is_symlink()]
        others = [name for name in links if os.path.realpath(Path(here, name)) not in places]
        inside[:] = [name for name in inside if name not in (*others, "__pycache__")]
        real = os.path.realpath(here)
        if real in seen:
            inside.clear()
            continue
        seen.add(real)
        loaded = [name for name in names if Path(name).suffix in LOADED]
        yield from ((Path(here, name), (real, name)) for name in (*loaded, *others))


def environment(root: Path = HERE) -> dict[str, str]:
    """Where the audit ran: told, not judged.

    Args:
        root: folder of the project.
    """
    versions = {name: version_of(several[0]) for name, several in installed().items()}
    variables = {name: value for name, value in os.environ.items() if re.match(VARIABLES, name)}
    return {
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "processor": processor(),
        "linear algebra": linear_algebra(),
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {versions[name]}" for name in SHOWN if name in versions),
        "git": _commit(root),
        "variables": ", ".join(f"{name}={value}" for name, value in sorted(variables.items())),
    }


def linear_algebra() -> str:
    """The libraries of linear algebra that are loaded."""
    return "; ".join(
        f"{library['internal_api']} {library['version']} ({library.get('architecture', '')}, "
        f"{library['num_threads']} threads)"
        for library in threadpool_info()
        if library["user_api"] == "blas"  # others, such as readers of files, come and go
    )


def _commit(root):
    try:
        return f"commit {committed.commit(root)}"
    except committed.NoRepository as error:
        return str(error)
