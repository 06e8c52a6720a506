"""Run a program for each of several calls, less those whose files are as it would make them.

    python each.py PROGRAM --made FILE ... --each "words of a call" "words of another" ...

A job of the workflow makes the files of many cells, most of which are there when a value is added.
What is there need not wait for the program's libraries, which take about a second to load, and are
loaded only if there is something to make: 0.2 s for a job of which everything is kept.
"""

import runpy
import shlex
import sys

from pipeline.calls import EACH, KEPT, MADE, are_kept
from pipeline.command_line import run


def main() -> None:
    program, _, *words = sys.argv[1:]
    place = words.index(EACH)
    made, calls = set(words[:place]), words[place + 1 :]
    left = []
    for call in calls:
        command = [program, *shlex.split(call)]
        files = [word for word in command if word in made]
        if are_kept(files, command):
            print(*(f"{file}{KEPT}" for file in files), sep="\n")
        else:
            left.append(call)
    if left:
        sys.stdout.flush()
        sys.argv = [program, EACH, *left]
        runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    if sys.argv[2:3] != [MADE] or EACH not in sys.argv:
        sys.exit(__doc__)
    run(main)
