"""Run the smoke grid under different circumstances and compare the results byte for byte.

    PYTHONPATH=scripts:workflow python tests/same_bytes.py [--only NAME ...] [--cores N] [--keep]

A run in plain circumstances is compared with runs in which several are changed at once.
When such a run differs, each of its variations is run alone, to say which is to blame.
The exit status is 1 if a file differs that must not.

On one machine every result must be the same.  On another processor the last bits of
floating-point numbers may be others, and of the results only the tables, which but for one print
as many digits as are common to all, and the problems, which are drawn to the last bit, must
be the same; what else differs is counted.
"""

import argparse
import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.storage import read_arrays, read_origin
from pipeline.tidy import read_table
from workflow_runs import Project, RunFailed

# parts of an origin that tell of them
CIRCUMSTANCES = ("machine", "elsewhere")
# a locale of ASCII: that of others has other letters
PLAIN = {"LC_ALL": "C", "LANG": "C", "TZ": "UTC0", "PYTHONHASHSEED": "0"}
PLAIN_UMASK = 0o022


# --- Comparing ---------------------------------------------------------------------------


def results(folder):
    """Name -> path of every result of a project.

    Logs, timings and the report hold times; names with a leading dot are what a killed
    job was about to write.
    """
    root = Path(folder) / "results"
    return {
        path.relative_to(root).as_posix(): path
        for path in sorted(root.rglob("*"))
        if path.is_file() and not _varies(path.relative_to(root))
    }


def _varies(path):
    return (
        not {"logs", "benchmark", "benchmarks"}.isdisjoint(path.parts)
        or path.stem in ("audit", "timings", "growth")
        or path.name == "report.html"
        or path.name.startswith(".")
    )


def compare(folder, other, told=False):
    """Name -> where it differs first, of the results of two projects that are not the same.

    Args:
        folder, other: of the projects.
        told: whether results tell of the circumstances; then files may differ in what they tell.
    """
    one, two = results(folder), results(other)
    differences = {}
    for name in sorted(one.keys() | two.keys()):
        if name not in two:
            differences[name] = "missing"
        elif name not in one:
            differences[name] = "not made by the plain run"
        elif (old := one[name].read_bytes()) != (new := two[name].read_bytes()) and not (
            told and same_but_for_what_they_tell(one[name], two[name])
        ):
            differences[name] = first_difference(old, new)
    return differences


def same_but_for_what_they_tell(one, two):
    """Whether two files hold the same, and tell the same origin but for circumstances.

    Checksums of inputs are of files that tell of circumstances, too.
    """
    if one.suffix not in (".npz", ".parquet", ".json"):
        return False
    told = []
    for path in (one, two):
        origin = read_origin(path)
        kept = {key: value for key, value in origin.items() if key not in CIRCUMSTANCES}
        told.append(kept | {"inputs": sorted(origin["inputs"])})
    if one.suffix == ".npz":
        arrays = [read_arrays(path) for path in (one, two)]
        contents = [
            {name: (values.dtype, values.shape, values.tobytes()) for name, values in each.items()}
            for each in arrays
        ]
        same = contents[0] == contents[1]
    else:
        same = one.suffix == ".json" or read_table(one).equals(read_table(two))
    return same and told[0] == told[1]


def first_difference(old, new):
    """Where the contents of two files differ first: a line of a text, else an offset."""
    try:
        texts = old.decode("utf-8"), new.decode("utf-8")
    except UnicodeDecodeError:
        texts = ("\0", "")
    if any("\0" in text for text in texts):
        at = _first(old, new)
        bytes_there = " | ".join(part[at : at + 8].hex(" ") or "end" for part in (old, new))
        return f"byte {at} of {len(old)} | {len(new)}: {bytes_there}"
    lines = [text.split("\n") for text in texts]
    number = _first(*lines)
    there = [part[number] if number < len(part) else None for part in lines]
    start = 0 if None in there else max(0, _first(*there) - 30)
    excerpts = ["end" if line is None else repr(line[start : start + 60]) for line in there]
    return f"line {number + 1}, from character {start + 1}: {excerpts[0]} | {excerpts[1]}"


def _first(one, other):
    """The first index at which two sequences that are not the same differ."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def everything(name):
    """What must be the same on one machine."""
    return True


def tables_and_problems(name):
    """What must be the same on all machines: the tables that are read, not their origins too.

    Table agreement is made of what rounding leaves, bounds of order s of where a search ends.
    """
    path, uneven = Path(name), ("agreement", "orders")
    readable = path.suffix in (".csv", ".md", ".tex", ".html") and path.stem not in uneven
    return "problems" in path.parts or ("tables" in path.parts and readable)


# --- Variations --------------------------------------------------------------------------


@dataclass(frozen=True)
class Variation:
    """A circumstance that must not matter.

    Attributes:
        what: in words.
        environment: variables, None to remove one.
        folder: name of the folder that the project is copied to.
        cores: given to Snakemake, None for the usual number.
        killed: whether the run is killed in the middle and started again.
        told: whether results tell of it: they may then differ in that.
        unavailable: why this machine cannot try it, empty if it can.
    """

    what: str
    environment: dict = field(default_factory=dict)
    folder: str = ""
    umask: int = PLAIN_UMASK
    cores: int | None = None
    killed: bool = False
    told: bool = False
    unavailable: str = ""


@dataclass(frozen=True)
class Group:
    """Variations that are tried in one run, and which results must not notice."""

    members: tuple
    must_match: Callable = everything


GROUPS = {
    "everyday": Group(
        (
            *("path", "time_zone", "locale", "umask", "user", "hash_seed", "clock"),
            *("file_order", "one_core", "killed"),
        )
    ),
    "processor": Group(("blas", "numpy_kernels", "libm"), tables_and_problems),
}


def variations(workspace):
    """All variations by name; the files that they need are written into the workspace."""
    return {
        "path": Variation("a path with a space and a letter beyond ASCII", folder="än other"),
        "time_zone": Variation("13¾ hours ahead of UTC", {"TZ": "XYZ-13:45"}),
        "locale": _foreign_locale(),
        "umask": Variation("files that nobody else may read", umask=0o077),
        "user": _user(workspace / "home"),
        "hash_seed": Variation("another order of Python's sets", {"PYTHONHASHSEED": "4242"}),
        "clock": _clock(workspace / "commands"),
        "file_order": _file_order(workspace / "file_order"),
        "one_core": Variation("one job at a time", cores=1),
        "killed": Variation("killed and started again", killed=True),
        "blas": _blas(),
        "numpy_kernels": _numpy_kernels(),
        "libm": _libm(),
    }


def _foreign_locale():
    """Turkish has its own capital of i, German a decimal comma."""
    what = "a locale with other letters or numbers"
    installed = _output(["locale", "-a"]).replace("utf8", "UTF-8").split()
    for name in ("tr_TR.UTF-8", "de_DE.UTF-8"):
        if name in installed:
            return Variation(f"{what}: {name}", {"LC_ALL": name, "LANG": name})
    return Variation(what, unavailable="neither tr_TR.UTF-8 nor de_DE.UTF-8 is installed")


def _user(home):
    """Another person, who has settings of matplotlib and no cache of its fonts."""
    settings = home / ".config/matplotlib/matplotlibrc"
    settings.parent.mkdir(parents=True)
    settings.write_text("font.size: 17\nlines.linewidth: 5\nsavefig.dpi: 33\n", encoding="utf-8")
    names = {"HOME": str(home), "USER": "somebody", "LOGNAME": "somebody"}
    own = dict.fromkeys(["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "MATPLOTLIBRC"])
    return Variation("another user, with settings of matplotlib", names | own)


def _clock(folder):
    """All processes see the time a year ahead, in files' times too, so these stay consistent.

    The monotonic clock stays: waiting for threads would take a year.  Then libfaketime 0.9.10 makes
    every time.sleep fail, as where Snakemake's plugin asks SLURM, if that is there, at each start.
    """
    what = "a clock a year ahead"
    places = [*Path("/usr/lib").glob("*/faketime"), *Path("/usr").glob("*/*/faketime")]
    # the one for several threads
    libraries = [place / "libfaketimeMT.so.1" for place in places]
    library = next((path for path in libraries if path.exists()), None)
    if library is None:
        return Variation(what, unavailable="libfaketime is not installed")
    return Variation(
        what,
        {
            "LD_PRELOAD": f"{library} {os.environ.get('LD_PRELOAD', '')}".strip(),
            "FAKETIME": "+365d",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PATH": _path_without("scontrol", folder),
        },
    )


def _path_without(program, folder):
    """PATH on which a program is not found: links to all others, in a folder, where one is."""
    places = os.environ["PATH"].split(os.pathsep)
    for number, place in enumerate(places):
        if (Path(place) / program).exists():
            links = folder / str(number)
            links.mkdir(parents=True)
            for other in Path(place).iterdir():
                if other.name != program:
                    (links / other.name).symlink_to(other)
            places[number] = str(links)
    return os.pathsep.join(places)


# Python imports a module of this name at its start.
SITECUSTOMIZE = '''\
"""List directories in the opposite of the file system's order, which is not specified."""

import os

listdir, scandir = os.listdir, os.scandir


class Reversed:
    """What os.scandir returns, the other way round."""

    def __init__(self, *path):
        with scandir(*path) as entries:
            self.entries = reversed(list(entries))

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.entries)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def close(self):
        self.entries = iter(())


os.listdir = lambda *path: listdir(*path)[::-1]
os.scandir = Reversed
'''


def _file_order(folder):
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    return Variation("directories listed in the opposite order", {"PYTHONPATH": path}, told=True)


def _blas():
    """Kernels of OpenBLAS for a processor that every one of its kind can stand in for."""
    own = _blas_core()
    what = f"kernels of OpenBLAS other than {own or 'its own'}"
    if not own:
        return Variation(what, unavailable="NumPy's BLAS is not an OpenBLAS with several kernels")
    for name in ("Nehalem", "Prescott", "ARMV8", "NEOVERSEN1"):
        environment = {"OPENBLAS_CORETYPE": name}
        if _blas_core(**environment) not in ("", own):
            return Variation(f"{what}: {name}", environment, told=True)
    return Variation(what, unavailable="OpenBLAS has no others for this processor")


def _blas_core(**environment):
    """The name of OpenBLAS's kernels, empty if it does not have those that are asked for."""
    said = _output(
        [sys.executable, "-c", "import numpy"], **environment, OPENBLAS_VERBOSE="2"
    ).splitlines()
    if any("not found" in line for line in said):
        return ""
    return next((line.removeprefix("Core: ") for line in said if line.startswith("Core: ")), "")


def _numpy_kernels():
    """NumPy's functions without the instructions it would choose by the processor."""
    command = (
        "from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__\n"
        "print(*(name for name in __cpu_dispatch__ if __cpu_features__[name]))"
    )
    features = _output([sys.executable, "-c", command]).strip()
    what = f"NumPy without {features}"
    if not features:
        return Variation(what, unavailable="NumPy uses no instructions that can be switched off")
    return Variation(what, {"NPY_DISABLE_CPU_FEATURES": features}, told=True)


def _libm():
    """The C library's functions without fused multiplication and addition."""
    what = "elementary functions without FMA"
    if platform.machine() not in ("x86_64", "AMD64") or platform.libc_ver()[0] != "glibc":
        return Variation(what, unavailable="this is not the GNU C library on x86-64")
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    settings = filter(None, [tunables, "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"])
    return Variation(what, {"GLIBC_TUNABLES": ":".join(settings)}, told=True)


def _output(command, **environment):
    """What a command prints, also as errors; nothing if there is no such command."""
    if shutil.which(command[0]) is None:
        return ""
    result = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


def together(members):
    """One variation that is all of these; what one member changes, the others leave alone."""
    environment = {}
    for member in members:
        assert environment.keys().isdisjoint(member.environment), "two set one variable"
        environment |= member.environment
    changed = {
        name: getattr(member, name)
        for member in members
        for name in ("folder", "umask", "cores", "killed", "told")
        if getattr(member, name) != getattr(Variation(""), name)
    }
    return Variation("; ".join(member.what for member in members), environment, **changed)


# --- Running -----------------------------------------------------------------------------


class Copy(Project):
    """A copy of a project, without results, that runs on a number of cores."""

    def __init__(self, source, folder, cores):
        self.folder, self.cores = folder, cores
        shutil.copytree(source, folder)

    def command(self, *arguments, **options):
        return [*super().command(*arguments, **options), "--cores", str(self.cores)]


@contextlib.contextmanager
def circumstances(environment, umask):
    """The environment and the mask of new files, here and in processes started inside."""
    before = dict(os.environ)
    mask = os.umask(umask)
    try:
        for name, value in (PLAIN | environment).items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        yield
    finally:
        os.umask(mask)
        os.environ.clear()
        os.environ.update(before)


def run(variation, source, folder, cores, kill_after, targets=("all", "paper")):
    """Run the smoke grid in a fresh copy of the project and return the copy's folder.

    Args:
        source: the project.
        folder: does not exist yet.
        kill_after: so many results exist when a run that is to be killed is killed.
        targets: what is made.
    Raises:
        RunFailed: with Snakemake's output.
    """
    with circumstances(variation.environment, variation.umask):
        place = folder / (variation.folder or "project")
        project = Copy(source, place, variation.cores or cores)
        if variation.killed:
            project.kill_while_running(after=kill_after)
        result = project.snakemake(*targets)
    if result.returncode != 0:
        raise RunFailed(result.stdout + result.stderr)
    return place


class Runs:
    """Runs in a workspace, and their comparison with a plain one, printed as they end."""

    def __init__(self, workspace, cores, start, plain=None):
        """Do the plain run, if none is given; start is the function run, or stands in for it."""
        self.workspace, self.cores, self.start = workspace, cores, start
        self.source = workspace / "source"
        self.source.mkdir()
        Project(self.source)  # once: somebody may be editing the files
        self.plain = plain or self._start("plain", Variation("as usual"))

    def _start(self, name, variation, kill_after=0):
        began = time.monotonic()
        folder = self.workspace / name
        place = self.start(variation, self.source, folder, self.cores, kill_after)
        print(f"{name}: {variation.what} ({time.monotonic() - began:.0f} s)", flush=True)
        return place

    def agrees(self, name, variation, must_match):
        """Whether the results that must be the same are the same."""
        expected = results(self.plain)
        try:
            place = self._start(name, variation, kill_after=len(expected) // 3)
        except RunFailed as error:
            print(f"{name}: {variation.what}: THE RUN FAILED\n{error}", flush=True)
            return False
        differences = compare(self.plain, place, variation.told)
        wrong = {file: where for file, where in differences.items() if must_match(file)}
        for file, where in wrong.items():
            print(f"    {file}\n        {where}")
        same = sum(must_match(file) for file in expected.keys() - differences.keys())
        summary = [f"{len(wrong)} files DIFFER"] if wrong else []
        summary.append(f"{same} files are the same")
        if others := len(differences) - len(wrong):
            summary.append(f"{others} others differ, as they may")
        print(f"  {'; '.join(summary)}", flush=True)
        return not wrong


def judge(runs, name, group, available):
    """Whether a group's run agrees with the plain one; if not, say which members are to blame.

    Args:
        available: name -> variation, of its members; those that this machine cannot try are told.
    """
    for member, variation in available.items():
        if variation.unavailable:
            print(f"{member}: SKIPPED, {variation.unavailable}", flush=True)
    available = {name: one for name, one in available.items() if not one.unavailable}
    if not available:
        return True
    if runs.agrees(name, together(available.values()), group.must_match):
        return True
    if len(available) > 1:
        print(f"{name} differs, so each of its variations alone:")
        blamed = [
            member
            for member, variation in available.items()
            if not runs.agrees(member, variation, group.must_match)
        ]
    else:
        blamed = list(available)
    print(f"{name}: TO BLAME: {', '.join(blamed) or 'no variation alone, some together'}")
    return False


def chosen(only):
    """Group -> those of its members that are named, or whose group is."""
    return {
        name: [m for m in group.members if not only or name in only or m in only]
        for name, group in GROUPS.items()
    }


def main():
    names = [*GROUPS, *(member for group in GROUPS.values() for member in group.members)]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--only",
        nargs="+",
        choices=names,
        metavar="NAME",
        default=[],
        help=f"try these alone: {', '.join(names)}",
    )
    parser.add_argument("--cores", type=int, default=2, help="given to Snakemake")
    parser.add_argument("--keep", action="store_true", help="do not delete the runs")
    args = parser.parse_args()

    workspace = Path(tempfile.mkdtemp(prefix="same-bytes-"))
    try:
        available = variations(workspace)
        runs = Runs(workspace, args.cores, run)
        good = True
        for name, members in chosen(args.only).items():
            good &= judge(runs, name, GROUPS[name], {m: available[m] for m in members})
    except RunFailed as error:
        sys.exit(f"The plain run failed:\n{error}")
    finally:
        if args.keep:
            print(f"kept in {workspace}")
        else:
            shutil.rmtree(workspace)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
