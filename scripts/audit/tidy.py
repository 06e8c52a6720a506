"""Removes what is left of values that were taken out of a configuration.

Of the files in the folder of results that no rule makes, those go that a program of this project
has written there, which they tell themselves, or the JSON beside them; and logs.  All others stay,
and are named.
"""

import argparse
from pathlib import Path

from audit.findings import Audit, named
from audit.origins import CONFIGURATION, configuration_of, strays
from audit.workflow_queries import HERE, Workflow, jobs_and_states, read_jobs
from pipeline.command_line import Failure, run
from pipeline.origin import ROOT
from pipeline.storage import BESIDE, TELLING, DamagedFileError, read_origin

# folders that the workflow alone writes into, and nothing in them tells its origin
MESSAGES = ("logs", "benchmarks")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--configfile", nargs="+", required=True, help="the configuration: YAML files"
    )
    parser.add_argument("--snakefile", default=str(ROOT / "Snakefile"), help="of the workflow")
    args = parser.parse_args()
    workflow = Workflow("all", ("--snakefile", args.snakefile, "--configfile", *args.configfile))
    jobs = read_jobs(jobs_and_states(workflow)[0], HERE if Path.cwd() == ROOT else ROOT)
    text, results = configuration_of(jobs)
    path = results / CONFIGURATION
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        names = " ".join(args.configfile)
        raise Failure(f"{results} is not of {names} as it is now: run the workflow first")
    found = strays(Audit(jobs, results, jobs))
    told = {name for file in found for name in _written(file, results)}
    gone = [file for file in found if file in told and not Path(file).is_symlink()]
    for file in gone:
        Path(file).unlink()
        print(f"removed {file}")
        _remove_empty(Path(file).parent, results)
    print(f"{len(gone)} files were removed from {results}, which no rule makes now.")
    left = [file for file in found if file not in gone]
    if left:
        print(f"Left as they are, by no program of this project: {named(left)}.")


def _written(file: str, results: Path) -> list[str]:
    """The files that a stray file proves to be written by a program of this project: itself, or
    those that it tells of."""
    path = Path(file)
    if path.is_symlink():
        return []
    if path.relative_to(results).parts[0] in MESSAGES:
        return [file]
    if path.suffix not in TELLING:
        return []
    try:
        told = read_origin(file)
    except (DamagedFileError, FileNotFoundError):
        return []
    if told.get("path") != file:
        return []
    return [file, *(told.get("files", {}) if path.suffix == BESIDE else ())]


def _remove_empty(folder: Path, results: Path) -> None:
    """Remove a folder of results, and those around it, where nothing is left in them."""
    while folder != results and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


if __name__ == "__main__":
    run(main)
