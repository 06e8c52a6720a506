"""The plan of the run, and what every rule needs. No rule is here."""

import json
import shlex
import sys
from functools import cache
from pathlib import Path

import yaml
from snakemake.logging import logger

# The project's folder.  A run works in another one, if it is told to (--directory) or if another
# workflow has this one as a module; configuration, own data and results are there.
ROOT = Path(workflow.snakefile).resolve().parents[2]
if not ROOT.is_dir():
    sys.exit("The programs lie beside the Snakefile: clone the repository, give the clone's path.")
if set("{}") & set(str(ROOT)):
    sys.exit(f"{ROOT}: what is in braces Snakemake would fill in; give the folder another name.")
sys.path[:0] = [str(ROOT / part) for part in ("workflow", "scripts")]

from planning import runs

# The process that was started by a person, not one that computes a job elsewhere.
MAIN = workflow.is_main_process
RUN = runs.Run()
if MAIN:
    RUN.listen()  # before imports that take a while

from planning import configuration, grid, own_files, plan, progress, reading, stages
from pipeline.byte_code import StaleByteCodeError, compile_with_hashes, verify_loaded
from pipeline.machine import JOB_ENVIRONMENT

# What is given on the command line replaces the default, it is not merged into it.
DEFAULT = "config/config.yaml"
GIVEN = workflow.config_settings.configfiles

try:
    if MAIN:
        runs.check_interpreter()
        runs.check_writable(runs.FOLDER, 0)
    for module in (configuration, grid, own_files, plan, progress, reading, runs, stages):
        verify_loaded(module)
    for file in GIVEN or [DEFAULT]:
        reading.load(file)  # says where in a file what is wrong, as Snakemake does not
except reading.ConfigurationError as error:
    sys.exit(f"{reading.UNUSABLE}\n{error}")
except StaleByteCodeError as error:
    sys.exit(str(error))
except runs.RunError as error:
    sys.exit(f"{error}. Nothing was started. {runs.NOTHING_LOST}")

if not GIVEN:

    configfile: DEFAULT


try:
    CONFIG = configuration.validate(config)
    own_files.check_own_files(CONFIG)
    PLAN = plan.Plan(CONFIG)
except reading.ConfigurationError as error:
    sys.exit(f"{reading.UNUSABLE}\n{error}")

RESULTS = PLAN.results
PROGRESS = progress.Progress(PLAN.rules_of_cells())
if MAIN:
    logger.addFilter(PROGRESS)
STAGES = stages.STAGES
# whether another workflow has this one as a module
IS_MODULE = Path(workflow.basedir).resolve() not in (ROOT, ROOT / "workflow")


def of_project(*names):
    """Files of the project as inputs: from its folder on, where that is the run's own."""
    return list(names) if Path.cwd() == ROOT else [str(ROOT / name) for name in names]


LOCK = "requirements.txt"


# The programs run under the interpreter that runs Snakemake, wherever its folder is, unless
# Snakemake is told to make environments for them, which have one of their own.
#
# Ctrl-C, which a terminal sends to every process, is seen to by the process that started them.
# Each holds a file locked while it works, wherever it does.
INTERPRETER = f'PATH={shlex.quote(str(Path(sys.executable).parent))}:"$PATH"'
shell.prefix(
    "trap '' INT; set -euo pipefail; "
    f"export {'' if workflow.deployment_settings.deployment_method else INTERPRETER} "
    f'PYTHONPATH={shlex.quote(str(ROOT / "scripts"))}'
    '"${{PYTHONPATH:+:$PYTHONPATH}}" '
    f"IMPLICIT_L1_JOBS={runs.jobs_file(RESULTS)} "
    f"{' '.join(f'{name}={value}' for name, value in JOB_ENVIRONMENT.items())}; "
)

# Byte code that tells its source by a hash: then what runs is what lies there, whatever its time.
if not sys.dont_write_bytecode:
    for part in ("workflow", "scripts"):
        compile_with_hashes(ROOT / part)


onstart:
    if MAIN:
        try:
            RUN.start(RESULTS)
            PROGRESS.begin()
        except runs.RunError as error:
            runs.say(f"{error}. Nothing was started, and nothing is lost.")
            sys.exit(1)


onsuccess:
    folder = RESULTS if Path.cwd() == ROOT else Path(RESULTS).resolve()
    where = f"Figures are in {folder}/figures, tables in {folder}/tables ({PROGRESS.files})."
    RUN.succeed(where if PROGRESS.published else "")


onerror:
    RUN.fail(log)


# leaves out of a job what is there already
(EACH,) = of_project("scripts/pipeline/each.py")


@cache
def program(name):
    """The inputs that stand for the code of a rule: the program, what it imports, the lock."""
    return of_project(*grid.code(f"scripts/{name}.py", ROOT), LOCK)


def content(name, *files):
    """A digest of that code, and of more files that no rule makes, for a rule's params.

    Snakemake compares the contents of inputs only where their times are later: with a digest
    among the params a file that is replaced by an older one is seen, too.
    """
    return grid.digest([*program(name), *files])


def doubled(amount):
    """A resource of which each further attempt of a job asks for twice as much."""
    return lambda wildcards, attempt: amount * 2 ** (attempt - 1)


def asked_workflow(wildcards):
    """The words by which a program is told which workflow to ask for its jobs."""
    # of a workflow that has this one as a module only what its command line says: the rest is for
    # its own Snakefile to say
    own = dict(workflow.config_settings.overwrite_config) if IS_MODULE else CONFIG
    words = {
        "--snakefile": str(Path(workflow.main_snakefile).resolve()),
        "--target": rules.all.rule.name,
        "--configuration": yaml.safe_dump(own, sort_keys=False),
    }
    return shlex.join(word for pair in words.items() for word in pair)
