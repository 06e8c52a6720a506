"""Where the audit runs: its packages are those of the lock, as they were installed."""

import base64
import csv
import hashlib
import importlib.util
import os
import platform
import re
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import Distribution, distributions
from pathlib import Path

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
# what virtualenv and uv write into an environment
OF_INSTALLERS = ("_virtualenv.pth", "_virtualenv.py")
HERE = Path()


def installed() -> dict[str, list[Distribution]]:
    """Package -> its distributions on the path of this interpreter, the first the imported one."""
    found: dict[str, list[Distribution]] = {}
    for one in distributions():
        known = found.setdefault(canonicalize_name(one.metadata["Name"]), [])
        # a folder may be on the path twice
        if all(_folder(one) != _folder(other) for other in known):
            known.append(one)
    return found


def _folder(distribution):
    return Path(distribution.locate_file("")).resolve()


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
        elif found[name][0].version != version:
            audit.general.append(f"package {name} is {found[name][0].version}, locked is {version}")
    for name, several in sorted(found.items()):
        if len(several) > 1:
            places = ", ".join(f"{one.version} in {_folder(one)}" for one in several)
            audit.general.append(f"package {name} is installed more than once: {places}")
        if name not in locked and name not in INSTALLERS:
            audit.general.append(f"package {name} {several[0].version} is installed and not locked")
    audit.counts["locked packages"] = len(locked)


def check_files(audit: Audit, found: list[Distribution]) -> None:
    """Every file that came with a package is as it came, by the hash in the package's RECORD."""
    files = []
    for one in found:
        name, told = one.name, _record(one)  # both are read anew each time
        if told is None:
            audit.notes.append(f"package {name} does not tell its files: not compared")
        files += [(name, *entry) for entry in told or ()]
    with ThreadPoolExecutor() as pool:
        right = pool.map(lambda entry: _is_as_it_came(*entry[2:]), files)
        edited = [entry for entry, fine in zip(files, right, strict=True) if not fine]
    for name in dict.fromkeys(name for name, *_ in edited):
        paths = [path for other, path, *_ in edited if other == name]
        more = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
        audit.general.append(
            f"package {name} is not as it was installed: {paths[0]}{more} changed or missing"
        )
    audit.counts["files of packages as they were installed"] = len(files) - len(edited)


def _record(one):
    """(name, place, hash) of each file that a package's RECORD has a hash of; None without one.

    Distribution.files leaves out what is missing, in newer versions of Python and in the package
    importlib_metadata, which takes the place of Python's own wherever it is imported.
    """
    text = one.read_text("RECORD")
    if text is None:
        return None
    rows = csv.reader(text.splitlines())
    return [(path, Path(one.locate_file(path)), hashed) for path, hashed, _ in rows if hashed]


def _is_as_it_came(file, hashed):
    algorithm, _, value = hashed.partition("=")
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, algorithm).digest()
    except OSError:
        return False
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == value


def check_imports(audit: Audit, found: list[Distribution]) -> None:
    """What is imported under a name is Python's module of that name, or the package's."""
    places: dict[str, set] = {}  # several packages may share a name, and its folder
    for one in found:
        for file in one.files or ():
            name = importable(file.parts)
            if name is not None:
                places.setdefault(name, set()).add(Path(file.locate()).resolve())
    for name in sorted({*sys.stdlib_module_names, *places} - set(AT_START)):
        origin = _origin(name)
        if origin is None or is_standard(origin):
            continue
        if Path(origin).resolve() not in places.get(name, ()):
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
    known = {os.path.normpath(file.locate()) for one in found for file in one.files or ()}
    for folder in sorted(set(PACKAGES)):
        for file in sorted(Path(folder).rglob("*")):
            if file.suffix not in LOADED or file.parent.name == "__pycache__":
                continue
            if str(file) not in known:
                what = f"{file} is of no package"
                if file.parent == Path(folder) and file.name in OF_INSTALLERS:
                    audit.notes.append(f"{what}: virtualenv and uv write a file of this name")
                else:
                    audit.general.append(what)


def environment(root: Path = HERE) -> dict[str, str]:
    """Where the audit ran: told, not judged.

    Args:
        root: folder of the project.
    """
    versions = {name: several[0].version for name, several in installed().items()}
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
