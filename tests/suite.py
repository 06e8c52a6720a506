"""Run the test suite in three processes, for two cores.

    python tests/suite.py [words for pytest]

One runs the smoke grid and takes the tests that look at it; one those that run much of it again, on
a cluster, where they wait for most of their time, or of a copy; the last those that do not need
the grid.  What the others say is printed after what the last says, and the last line counts all.
`python -m pytest` runs everything in one process.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

PARTS = ("finished", "again", "rest")
# in the environment: the folder in which the first part makes the grid, for the others to copy
FINISHED = "IMPLICIT_L1_FINISHED"
NO_TESTS = 5  # pytest's exit status where nothing was chosen


def start(part, folder, words):
    """The process of a part; what it says goes into a file."""
    report = f"--junitxml={folder / part}.xml"
    with (folder / part).open("w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "--part", part, report, *words],
            stdout=None if part == PARTS[-1] else output,
            stderr=subprocess.STDOUT,
            env=os.environ | {FINISHED: str(folder / "grid")},
        )


def counts(report):
    """What pytest's report counts, as a dict of numbers."""
    suite = ElementTree.parse(report).getroot().find("testsuite")
    return {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")}


def closing_line(reports, seconds):
    total = {name: sum(report[name] for report in reports) for name in reports[0]}
    bad = {name: total[name] for name in ("failures", "errors") if total[name]}
    good = total["tests"] - total["skipped"] - sum(bad.values())
    words = [f"{good} passed", *(f"{number} {name}" for name, number in bad.items())]
    if total["skipped"]:
        words.append(f"{total['skipped']} skipped")
    return f"{', '.join(words)} in all parts, in {seconds:.0f} s"


def main(words):
    """Exit status of the suite: 0 where all parts end with it, or without a test but for one."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        processes = {part: start(part, folder, words) for part in PARTS}
        try:
            statuses = [process.wait() for process in reversed(processes.values())]
        except KeyboardInterrupt:  # of all parts, too: they end by themselves
            statuses = [process.wait() for process in processes.values()]
        for part in PARTS[:-1]:
            print((folder / part).read_text(encoding="utf-8"), end="")
        reports = [folder / f"{part}.xml" for part in PARTS]
        if not all(report.exists() for report in reports):
            print("A part of the suite did not end")
            return 1
        print(closing_line([counts(report) for report in reports], time.monotonic() - began))
    return int(0 not in statuses or not {0, NO_TESTS}.issuperset(statuses))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
