"""Libraries, loaded once for many programs: half of the time of a short one is that of imports.

    {"words": ["program.py", ...], "folder": ..., "said": [..., ...], "environment": {...}}

A line like this on standard input is a request to run a program, a file or a module that Python
is to find, in that folder, with its output and its errors in two files; the answer is the exit
status.  Each is a process of its own, a fork of this one, in which nothing of the project is
loaded.
"""

import importlib
import json
import os
import runpy
import sys
from pathlib import Path

# what programs, and Snakemake, load from elsewhere
LOADED = (
    *("cvxpy", "flint", "jsonschema", "matplotlib.pyplot", "numpy", "pandas", "pyarrow.parquet"),
    *("scipy.optimize", "scipy.stats", "seaborn", "snakemake.cli", "yaml"),
)


def run(words, folder, said, environment):
    """What `python` does with these words, until the program ends this process."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, name in zip((sys.stdout, sys.stderr), said, strict=True):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream.fileno())
    program, sys.argv = words[0], words
    places = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[:0] = [str(Path(program).parent), *places]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def main():
    del sys.path[0]  # the tests
    for name in LOADED:
        importlib.import_module(name)
    # another name of this module, which programs would take for one of theirs
    sys.modules.pop("__mp_main__", None)
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            run(**json.loads(line))
            return
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
