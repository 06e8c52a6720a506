"""Put faults into a copy of the project, one at a time, and see that a test notices.

    python tests/try_faults.py [--lists proofs pipeline ...] [--sample N --seed S]

The lists are in tests/faults: a text that stands once in a file, what a tired expert might write
in its place, and the tests that are to notice.  Every fault runs its tests until one fails.  At the
end all that have failed are run without a fault: one that fails then, too, has noticed nothing.
The exit status is 1 if more than one in ten is not noticed.
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
from xml.etree import ElementTree

import yaml

ROOT = Path(__file__).resolve().parents[1]
LISTS = ROOT / "tests/faults"
TOLERATED = 0.1
PASSED, FAILED, CANNOT_BE_COLLECTED = 0, 1, 2


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


def run_tests(tests, folder, *words):
    """The tests that fail, as pytest names them; a file where it cannot even be read.

    Raises:
        RuntimeError: if the tests cannot be run.
    """
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", *words, *tests),
                *(f"--junitxml={report}", "--override-ini=junit_family=xunit1"),
            ],
            cwd=folder,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode not in (PASSED, FAILED, CANNOT_BE_COLLECTED):
            said = f"{ended.stdout}{ended.stderr}"
            raise RuntimeError(f"pytest ended with {ended.returncode}:\n{said}")
        cases = ElementTree.parse(report).iter("testcase")
        failed = [case for case in cases if {"failure", "error"} & {part.tag for part in case}]
    return [name_of(case) for case in failed]


def name_of(case):
    """A case of pytest's report by the name under which it can be run."""
    file = case.get("file")
    if file is None:  # it is the file that failed, and stands as a module
        return f"{case.get('name').replace('.', '/')}.py"
    return f"{file}::{case.get('name')}"


def noticed_by(fault, folder):
    """The first test that fails with a fault; None if every test passes."""
    path = folder / fault["file"]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(fault["old"], fault["new"]), encoding="utf-8")
    try:
        failed = run_tests(fault["tests"], folder, "-x")
    finally:
        path.write_text(text, encoding="utf-8")
    return failed[0] if failed else None


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
    found = []
    with tempfile.TemporaryDirectory() as folder:
        copy_project(Path(folder))
        for number, fault in enumerate(faults, start=1):
            found.append(noticed_by(fault, Path(folder)))
            words = found[-1] or f"NOT NOTICED: {fault['new']!r} for {fault['old']!r}"
            print(f"{number}/{len(faults)} {fault['file']} ({fault['kind']}): {words}", flush=True)
        tests = sorted(set(filter(None, found)))
        unsound = run_tests(tests, Path(folder)) if tests else []
    for test in unsound:
        print(f"{test} fails without a fault, too: it has noticed nothing")
    missed = Counter(
        fault["list"]
        for fault, test in zip(faults, found, strict=True)
        if test is None or test in unsound
    )
    count = missed.total()
    print(f"{len(faults) - count} of {len(faults)} faults were noticed; not: {dict(missed)}")
    sys.exit(count > TOLERATED * len(faults))


if __name__ == "__main__":
    main()
