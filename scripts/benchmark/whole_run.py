"""Benchmark pipeline: how long a grid takes from clean, and what of that is not arithmetic.

The project is copied to a temporary folder and run there.  Clock and CPU times are those of runs
as a user starts them; their CPU time is Snakemake's own, that of starting interpreters and
importing packages, and the rest, called arithmetic.  What imports take is read off one more run,
under PYTHONPROFILEIMPORTTIME, which makes every program write it into its log.  That is time by
the clock, waits for a processor included, and the profiler's own cost is not subtracted: the
share of arithmetic is rather too small than too large.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, namedtuple
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import yaml

from pipeline.command_line import Failure, run
from pipeline.origin import name_of
from pipeline.storage import write_text

# what a run needs, where git does not say what belongs to the project
PARTS = ("Snakefile", "workflow", "scripts", "config", "profiles")
FILES = ("requirements.txt", "environment.yml")
# "import time: self [us] | cumulative | package", once a process, and then in numbers
HEADER = "import time: self [us]"
IMPORT = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)

# seconds by the clock, CPU seconds of Snakemake and of all processes that it started
Timing = namedtuple("Timing", "seconds snakemake children")
# interpreters started, and package -> seconds of its import, without what that imports
Imports = namedtuple("Imports", "processes packages")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", required=True, help="a YAML file of config/")
    parser.add_argument("--cores", type=int, required=True)
    parser.add_argument("--repetitions", type=int, required=True, help="runs; medians are taken")
    parser.add_argument("--project", default=".", help="folder of the workflow")
    parser.add_argument("--csv", required=True, help="CSV file, a row a stage")
    parser.add_argument("--summary", required=True, help="CSV file of one row")
    args = parser.parse_args()
    if args.repetitions < 1:
        raise Failure("there must be at least one repetition")

    configuration = Path(args.project) / args.configuration
    results = yaml.safe_load(configuration.read_text(encoding="utf-8"))["results"]
    timings, jobs = [], []
    for _ in range(args.repetitions):
        with tempfile.TemporaryDirectory() as folder:
            timings.append(timed(args.project, Path(folder), args.configuration, args.cores))
            jobs.append(job_seconds(Path(folder) / results / "benchmarks"))
    with tempfile.TemporaryDirectory() as folder:
        timed(
            args.project, Path(folder), args.configuration, args.cores, PYTHONPROFILEIMPORTTIME="1"
        )
        imports = imports_by_stage(Path(folder) / results / "logs")

    start = {
        "python": cpu_seconds([sys.executable, "-c", "pass"]),
        "bash": cpu_seconds(["bash", "-c", "true"]),
        # the interpreter's own imports are in the logs too
        "packages": sum(bare_imports().packages.values()),
    }
    table = stages(jobs, imports, start)
    write_text(args.csv, table.round(3).to_csv(index=False, lineterminator="\n"))
    row = {"configuration": name_of(args.configuration), "cores": args.cores}
    row = pd.DataFrame([row | summary(timings, table)]).round(3)
    write_text(args.summary, row.to_csv(index=False, lineterminator="\n"))
    print(table.round(2).to_string(index=False))
    print(row.T.to_string(header=False))


# --- runs ---


def timed(
    project: Path, folder: Path, configuration: str, cores: int, **environment: str
) -> Timing:
    """Run a copy of the project, in this folder, from nothing."""
    copy(Path(project), Path(folder))
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores)]
    command += ["--configfile", configuration]
    messages = Path(folder) / "messages"
    with messages.open("w") as file:
        start = time.perf_counter()
        process: Any = psutil.Popen(
            command, cwd=folder, env=os.environ | environment, stdout=file, stderr=file
        )
        own, ended = 0.0, 0
        while not ended:
            own = sum(process.cpu_times()[:2])
            time.sleep(0.02)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        lines = messages.read_text(encoding="utf-8").strip().splitlines()
        said = [line for line in lines if not line.startswith("import time:")]
        raise Failure(f"the run of {configuration} failed:\n" + "\n".join(said[-20:]))
    # usage contains the processes that the ended one has waited for
    return Timing(seconds, own, usage.ru_utime + usage.ru_stime - own)


def copy(project: Path, folder: Path) -> None:
    """The files of the project and no results, as a new clone with today's changes has them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *PARTS, *FILES],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0 and listed.stdout:
        files = [project / name for name in listed.stdout.split("\0") if name]
    else:
        files = [file for part in PARTS for file in [project / part, *(project / part).rglob("*")]]
        files += [project / name for name in FILES]
    for file in files:
        if file.is_file() and "__pycache__" not in file.parts:
            target = folder / file.relative_to(project)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)


def cpu_seconds(command: list[str], runs: int = 15) -> float:
    """CPU seconds of a command, the median of some runs."""
    found = []
    for _ in range(runs):
        process = subprocess.Popen(command)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        found.append(usage.ru_utime + usage.ru_stime)
    return statistics.median(found)


# --- what the runs left ---


def stage_of(file: Path, folder: Path) -> str:
    """The stage of a log or a timing, whose folders are those of the results."""
    return file.relative_to(folder).with_suffix("").parts[0]


def job_seconds(folder: Path) -> dict[str, list[float]]:
    """Stage -> seconds of its jobs by the clock, from Snakemake's own benchmarking."""
    seconds: dict[str, list[float]] = {}
    for file in sorted(folder.rglob("*.tsv")):
        jobs = seconds.setdefault(stage_of(file, folder), [])
        jobs += pd.read_csv(file, sep="\t")["s"].tolist()
    return seconds


def read_imports(text: str) -> Imports:
    """What programs under PYTHONPROFILEIMPORTTIME have written."""
    packages: Any = Counter()  # of seconds
    for microseconds, module in IMPORT.findall(text):
        packages[module.partition(".")[0]] += 1e-6 * int(microseconds)
    return Imports(text.count(HEADER), packages)


def imports_by_stage(folder: Path) -> dict[str, Imports]:
    """Stage -> its imports, from the logs of its jobs."""
    found: dict[str, Imports] = {}
    for file in sorted(folder.rglob("*.log")):
        new = read_imports(file.read_text(encoding="utf-8", errors="replace"))
        old = found.get(stage_of(file, folder), Imports(0, Counter()))
        found[stage_of(file, folder)] = Imports(
            old.processes + new.processes, old.packages + new.packages
        )
    return found


def bare_imports() -> Imports:
    """The imports of an interpreter that does nothing."""
    bare = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "pass"],
        capture_output=True,
        text=True,
        check=True,
    )
    return read_imports(bare.stderr)


def stages(runs: list, imports: dict, start: dict[str, float]) -> pd.DataFrame:
    """A row a stage; seconds are sums over its jobs, the median of the runs.

    Args:
        runs: a list of what :func:`job_seconds` gives.
        imports: stage -> Imports.
        start: CPU seconds of a bare interpreter and of a shell, and what of the former are
            imports.
    """
    rows = []
    for stage, (processes, packages) in imports.items():
        if not processes:  # the shell alone
            continue
        seconds = statistics.median(sum(run.get(stage, [])) for run in runs)
        jobs = len(runs[0].get(stage, []))
        loading = sum(packages.values()) - processes * start["packages"]
        starting = processes * start["python"] + jobs * start["bash"]
        heaviest = packages.most_common(3)
        rows.append(
            {
                "stage": stage,
                "jobs": jobs,
                "processes": processes,
                "seconds": seconds,
                "startup": starting,
                "imports": loading,
                "arithmetic": max(seconds - starting - loading, 0.0),
                "packages": "; ".join(f"{name} {own:.2f}" for name, own in heaviest),
            }
        )
    return pd.DataFrame(rows).sort_values("seconds", ascending=False, ignore_index=True)


def summary(timings: list[Timing], table: pd.DataFrame) -> dict:
    """Clock and CPU seconds of a run, and the shares of what they are spent on."""
    seconds = [timing.seconds for timing in timings]
    snakemake = statistics.median(timing.snakemake for timing in timings)
    children = statistics.median(timing.children for timing in timings)
    loading = table["startup"].sum() + table["imports"].sum()
    parts = {"snakemake": snakemake, "imports": loading, "arithmetic": children - loading}
    return {
        "jobs": table["jobs"].sum(),
        "processes": table["processes"].sum(),
        "seconds": statistics.median(seconds),
        "fastest": min(seconds),
        "slowest": max(seconds),
        "runs": len(timings),
        "cpu_seconds": snakemake + children,
        **{f"{part}_seconds": spent for part, spent in parts.items()},
        **{f"{part}_share": spent / (snakemake + children) for part, spent in parts.items()},
    }


if __name__ == "__main__":
    run(main)
