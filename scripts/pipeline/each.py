"""Run a program for each of several calls, less those whose files are as it would make them.

A job of the workflow makes the files of many cells, most of which are there when a value is added.
What is there need not wait for the program's libraries, which take about a second to load, and are
loaded only if there is something to make: 0.2 s for a job of which everything is kept.
"""

import argparse
import runpy
import shlex
import sys

from pipeline.calls import EACH, KEPT, MADE, are_kept
from pipeline.command_line import run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="its file")
    parser.add_argument(MADE, nargs="+", required=True, help="the files that the calls write")
    parser.add_argument(EACH, nargs="+", required=True, help="the words of each call, as one")
    args = parser.parse_args()

    made, left = set(args.made), []
    for call in args.each:
        command = [args.program, *shlex.split(call)]
        files = [word for word in command if word in made]
        if are_kept(files, command):
            print(*(f"{file}{KEPT}" for file in files), sep="\n")
        else:
            left.append(call)
    if left:
        sys.stdout.flush()
        sys.argv = [args.program, EACH, *left]
        runpy.run_path(args.program, run_name="__main__")


if __name__ == "__main__":
    run(main)
