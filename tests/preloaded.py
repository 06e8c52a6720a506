"""Snakemake, loaded once for many dry runs: half of the time of one is that of its imports.

    {"folder": ..., "words": [...], "output": ..., "environment": {...}}

A line like this on standard input is a request to say in a file what Snakemake would do with these
words in that folder; the answer is the exit status.  Each is a process of its own, a fork of this
one, in which nothing of the project is loaded.
"""

import importlib
import json
import os
import sys

# what Snakemake, and the project's configuration on its behalf, load from elsewhere
LOADED = ("cvxpy", "jsonschema", "numpy", "pandas", "scipy.stats", "snakemake.cli", "yaml")


def plan(folder, words, output, environment):
    """What `snakemake` does, which ends the process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(file, stream.fileno())
    sys.argv = ["snakemake", *words]
    importlib.import_module("snakemake.cli").main(words)


def main():
    sys.path.pop(0)  # the tests
    for name in LOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            plan(**json.loads(line))
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
