"""Put faults into a copy of the project, one at a time, and see that a test notices.

    python tests/try_faults.py [--lists proofs pipeline ...] [--sample N --seed S]

The lists are in tests/faults: a text that stands once in a file, what a tired expert might write
in its place, and the tests that are to notice.  Every fault runs its tests until one fails.  The
exit status is 1 if more than one in ten is not noticed.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
LISTS = ROOT / "tests/faults"
TOLERATED = 0.1
FAILED, CANNOT_BE_COLLECTED = 1, 2


def read_faults(names):
    """The faults of some lists, each with the name of its list."""
    return [
        fault | {"list": name}
        for name in names
        for fault in yaml.safe_load((LISTS / f"{name}.yaml").read_text(encoding="utf-8"))
    ]


def copy_project(folder):
    """Copy what git knows of, as it lies here."""
    for part in subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT).split(b"\0"):
        source = ROOT / os.fsdecode(part)
        if part and source.is_file():
            target = folder / os.fsdecode(part)
            target.parent.mkdir(exist_ok=True, parents=True)
            shutil.copy2(source, target)


def is_noticed(fault, folder):
    """The first line of pytest that says so; None if every test passes.

    Raises:
        RuntimeError: if the tests cannot be run.
    """
    path = folder / fault["file"]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(fault["old"], fault["new"]), encoding="utf-8")
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", *fault["tests"]],
            cwd=folder,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(text, encoding="utf-8")
    if ended.returncode == 0:
        return None
    if ended.returncode not in (FAILED, CANNOT_BE_COLLECTED):
        raise RuntimeError(f"pytest ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    lines = ended.stdout.splitlines()
    return next((line for line in lines if line.startswith(("FAILED", "ERROR"))), lines[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    known = sorted(path.stem for path in LISTS.glob("*.yaml"))
    parser.add_argument("--lists", nargs="+", choices=known, default=known)
    parser.add_argument("--sample", type=int, help="so many of them; without it all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    args = parser.parse_args()
    faults = read_faults(args.lists)
    if args.sample is not None:
        faults = random.Random(args.seed).sample(faults, min(args.sample, len(faults)))
    missed = Counter()
    with tempfile.TemporaryDirectory() as folder:
        copy_project(Path(folder))
        for number, fault in enumerate(faults, start=1):
            noticed = is_noticed(fault, Path(folder))
            missed[fault["list"]] += noticed is None
            words = noticed or f"NOT NOTICED: {fault['new']!r} for {fault['old']!r}"
            print(f"{number}/{len(faults)} {fault['file']} ({fault['kind']}): {words}", flush=True)
    count = missed.total()
    print(f"{len(faults) - count} of {len(faults)} faults were noticed; not: {dict(+missed)}")
    sys.exit(count > TOLERATED * len(faults))


if __name__ == "__main__":
    main()
