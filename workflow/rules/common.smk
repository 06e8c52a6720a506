"""Cells, their names, and what every rule needs. No rule of a stage is here."""

import json
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

import configuration
import grid

try:
    for file in workflow.configfiles:
        configuration.load(file)  # finds keys given twice, which a mapping has lost
    CONFIG = configuration.validate(config)
except configuration.ConfigurationError as error:
    sys.exit(f"The configuration is not usable; nothing was started.\n{error}")

ROOT = Path(workflow.basedir)
RESULTS = CONFIG["results"]
LOCK = "requirements.txt"

FIGURE_OF = {name: experiment["figure"] for name, experiment in CONFIG["experiments"].items()}
# experiments of figure phase ask for problems only, not for cells
EXPERIMENTS = {
    name: grid.cells(experiment)
    for name, experiment in CONFIG["experiments"].items()
    if experiment["figure"] != "phase"
}


def experiments(*figures):
    """Names of the experiments of these kinds of figures."""
    return [name for name, figure in FIGURE_OF.items() if figure in figures]


CELLS = list(dict.fromkeys(cell for cells in EXPERIMENTS.values() for cell in cells))
PROBLEMS = {cell.problem.name: cell.problem for cell in CELLS}
PHASE_PROBLEMS = {
    problem.name: problem
    for name in experiments("phase")
    for problem in grid.phase_problems(CONFIG["experiments"][name])
}
PATHS = {cell.path.name: cell.path for cell in CELLS}
DEPTHS = {grid.number(cell.depth): cell.depth for cell in CELLS}


# One thread a job: parallelism is between jobs, and two threads differ from one in
# the last bits. The programs run under the interpreter that runs Snakemake.
shell.prefix(
    f"set -euo pipefail; export PATH={Path(sys.executable).parent}:$PATH "
    "OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 MPLBACKEND=Agg; "
)


wildcard_constraints:
    problem="|".join(map(re.escape, PROBLEMS | PHASE_PROBLEMS)),
    depth="|".join(map(re.escape, DEPTHS)),
    path="|".join(map(re.escape, PATHS)),
    block=r"reps\d+-\d+",
    repetitions=r"\d+",


def program(name):
    """The inputs that stand for the code of a rule: the program, what it imports, the lock."""
    return [*grid.code(f"scripts/{name}.py", ROOT), LOCK]


def blocks(cell):
    return grid.blocks(cell.repetitions, CONFIG["block"])


def rates_of(cells, table):
    """The tables of stage rates of some cells."""
    return [f"{RESULTS}/rates/{cell.name}/reps{cell.repetitions}/{table}.parquet" for cell in cells]


def columns_of(problem, depth):
    """The parameters of a cell as columns of a table, None where an axis is not its own."""
    values = dict(problem.parameters)
    names = {"N": "N", "d": "d", "s": "s", "eta": "eta", "m": "m", "rho": "family_rho"}
    return (
        {"ensemble": problem.ensemble}
        | {column: values.get(axis) for axis, column in names.items()}
        | {"depth": depth}
    )


def cell_columns(cell):
    return json.dumps(columns_of(cell.problem, cell.depth) | {"path": cell.path.name})


rule configuration:
    # what the run used, with every default filled in
    output:
        report(
            f"{RESULTS}/configuration.yaml",
            category="Configuration",
            caption="../report/configuration.rst",
        ),
    log:
        f"{RESULTS}/logs/configuration.log",
    conda:
        "../../environment.yml"
    params:
        text=yaml.safe_dump(CONFIG, sort_keys=False),
    shell:
        "printf '%s' {params.text:q} > {output} 2> {log}"
