"""The user's own files that a configuration names, before any job starts.

What is in them a job says that reads them; whether they are there, and whether rows are left when
some are held out, need not wait for it.
"""

from pathlib import Path

from figures.registry import FILE
from pipeline.formats import shape_of
from planning.experiments import HELD_OUT, OWN_DATA, as_list, ensemble_of
from planning.grid import place_of
from planning.mistakes import Report


def check_own_files(config: dict) -> None:
    """Raise an error if a file that an experiment names is not there, or holds too few rows.

    Args:
        config: a validated configuration.
    Raises:
        ConfigurationError: with one line for each mistake, which names the key and the file.
    """
    report = Report()
    for name, experiment in config["experiments"].items():
        path = ("experiments", name)
        if "path" in experiment.get("initialization", {}):
            _check_there(experiment["initialization"], "path", (*path, "initialization"), report)
        for place, entry in enumerate(as_list(experiment["ensemble"])):
            ensemble, parameters = ensemble_of(entry)
            if ensemble == FILE:
                several = isinstance(experiment["ensemble"], list)
                where = (*path, "ensemble", *([place] if several else []))
                _check_problem(parameters, where, report)
    report.raise_if_any()


def _check_problem(parameters, path, report):
    """The files of one problem, and how many of its rows are held out."""
    for key in OWN_DATA:
        if key in parameters:
            _check_there(parameters, key, path, report)
    if HELD_OUT not in parameters or not report.sound(*path):
        return
    files = [place_of(parameters[key]) for key in ("path", "data") if key in parameters]
    shape = shape_of(*files)
    if shape is not None and parameters[HELD_OUT] >= shape[0]:
        allowed = f"less than the rows of A, of which {parameters['path']} has {shape[0]}"
        report.reject((*path, HELD_OUT), parameters[HELD_OUT], allowed)


def _check_there(parameters, key, path, report):
    place = Path(place_of(parameters[key]))
    if not place.is_file():
        why = "it is a folder" if place.is_dir() else f"there is none at {place.absolute()}"
        report.reject((*path, key), parameters[key], f"the path of a file; {why}")
