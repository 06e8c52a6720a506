"""Target benchmark: what its parts have measured, on one page, with a figure and the machine.

Reads the CSV files of the parts that lie in one folder, and writes into it.  A part that was not
measured is left out, and said to be.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import psutil
from threadpoolctl import threadpool_info

from benchmark.parts.figure import drawing
from benchmark.parts.peers import flow_part, limit_part, minimizer_part
from benchmark.parts.times import growth_part, newton_part, pipeline_part
from benchmark.parts.words import Aim, markdown
from pipeline.command_line import Failure, run
from pipeline.machine import processor
from pipeline.storage import replacing, write_text

LIMIT, FLOW, MINIMIZER = "limit", "flow", "l1"
NEWTON, PROFILE = "newton", "newton_profile"
GROWTH, EXPONENTS = "growth", "exponents"
PIPELINE, SUMMARY = "pipeline", "pipeline_summary"

PACKAGES = (
    *("numpy", "scipy", "cvxpy", "clarabel", "scs", "highspy", "osqp", "spgl1", "scikit-learn"),
    *("jax", "jaxlib", "diffrax", "python-flint", "pandas", "snakemake"),
)
# files of a part -> what it makes of them: its text and its aims; the first must be there
PARTS: dict[tuple[str, ...], Callable[..., tuple[str, list]]] = {
    (LIMIT,): limit_part,
    (FLOW,): flow_part,
    (MINIMIZER,): minimizer_part,
    (NEWTON, PROFILE): newton_part,
    (GROWTH, EXPONENTS): growth_part,
    (SUMMARY, PIPELINE): lambda summary, table: pipeline_part(table, summary),
}
NAMES = [name for names in PARTS for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, help="with <part>.csv of each part")
    parser.add_argument("--style", required=True, help="a matplotlib style sheet")
    parser.add_argument("--markdown", required=True)
    parser.add_argument("--machine", required=True, help="JSON file that describes the machine")
    parser.add_argument("--output", nargs="+", required=True, help="files in .pdf, .svg or .png")
    args = parser.parse_args()

    tables = {name: read(Path(args.folder) / f"{name}.csv") for name in NAMES}
    if all(table is None for table in tables.values()):
        raise Failure(f"{args.folder} holds no measurements")
    here = machine()
    write_text(args.machine, json.dumps(here, indent=2, ensure_ascii=False) + "\n")
    write_text(args.markdown, page(tables, here))
    if tables[LIMIT] is not None:
        mpl.use("agg")
        mpl.rcdefaults()  # no settings of the user's own
        plt.style.use(args.style)
        figure = drawing(tables[LIMIT])
        for path in args.output:
            with replacing(path) as temporary:
                figure.savefig(temporary)


def read(path: Path) -> pd.DataFrame | None:
    """The table of a part, None if there is none."""
    if not path.is_file():
        return None
    table = pd.read_csv(path)
    if "ours" in table:
        table["ours"] = table["ours"].astype(str).str.lower().isin(["true", "yes", "1"])
        table["status"] = table["status"].astype(object).fillna("")
    return table


def machine() -> dict:
    """What the measurements were made on."""
    libraries = {
        " ".join(filter(None, (pool["internal_api"], pool["version"], pool.get("architecture"))))
        for pool in threadpool_info()
        if pool["user_api"] == "blas"
    }
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "blas": sorted(libraries),
        "threads": 1,
        "packages": packages,
    }


def page(tables: dict[str, pd.DataFrame], here: dict) -> str:
    texts, aims = [], []
    for names, part in PARTS.items():
        if tables[names[0]] is None:
            texts.append(f"({names[0]} was not measured.)\n")
            continue
        text, more = part(*(tables[name] for name in names))
        texts.append(text)
        aims += more
    measured = [aim._replace(met="yes" if aim.met else "**no**") for aim in aims]
    packages = ", ".join(f"{name} {number}" for name, number in here["packages"].items())
    return f"""# Benchmark

{here["processor"]}, {here["cores"]} cores, {here["memory_gb"]} GB; {here["system"]}, Python
{here["python"]}; BLAS: {"; ".join(here["blas"])}. Each process has one thread. {packages}.
Other machines give other numbers; ratios travel better than times.

{markdown(measured, Aim._fields)}

{chr(10).join(texts)}"""


if __name__ == "__main__":
    run(main)
