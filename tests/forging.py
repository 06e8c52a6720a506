"""Edits that someone makes who knows how files tell their origin, and makes it fit."""

import hashlib
import json
from graphlib import TopologicalSorter
from pathlib import Path

from pipeline import origin as origins
from pipeline import storage
from pipeline.tidy import write_table


def forge_arrays(path, change, tell=lambda told: told):
    """Change the arrays of a file; its origin stays, or is changed, and its checksum fits."""
    arrays, told = storage._load_arrays(path)
    _written(tell(told), storage.write_arrays, path, **change(arrays))


def forge_table(path, change):
    """Change the data frame of a Parquet file; its origin stays, and its checksum fits."""
    table, told = storage._load_arrow(path)
    _written(told, write_table, path, change(table.to_pandas()))


def _written(told, write, path, *content, **arrays):
    usual = origins.origin_of
    origins.origin_of = lambda _: told
    try:
        write(path, *content, **arrays)
    finally:
        origins.origin_of = usual


def tell_anew(folder, path, change=lambda told: told):
    """Let a JSON file tell the checksums of its files as they are, and its own.

    Args:
        folder: of the project.
        path: of the JSON file, from there on.
        change: what else it is to tell.
    """
    file = Path(folder) / path
    told = json.loads(file.read_text(encoding="utf-8"))
    del told["checksum"]
    for name in told["files"]:
        told["files"][name] = hashlib.sha256((Path(folder) / name).read_bytes()).hexdigest()
    file.write_text(storage.written_origin(change(told)), encoding="utf-8")


def follow(folder, path, jobs):
    """Let every file that was made from one say that it was made from that as it is now.

    And so on, file after file, to the JSON files beside the figures and tables.

    Args:
        folder: of the project.
        path: of the file, from there on.
        jobs: of the workflow.
    """
    job_of = {file: job for job in jobs for file in job.outputs}
    before = {job: [job_of[file] for file in job.inputs if file in job_of] for job in jobs}
    checksums = {path: origins.checksum(Path(folder) / path)}

    def fit(told):
        found = {name: checksums.get(name, value) for name, value in told["inputs"].items()}
        return told | {"inputs": found}

    for job in TopologicalSorter(before).static_order():
        if not set(job.inputs) & set(checksums):
            continue
        # JSON files tell of the others beside them
        for name in sorted(job.outputs, key=lambda name: name.endswith(".json")):
            file = Path(folder) / name
            if file.suffix == ".json":
                tell_anew(folder, name, fit)
            elif file.suffix in (".npz", ".parquet"):
                _fit(file, fit)
            checksums[name] = origins.checksum(file)


def _fit(file, fit):
    if file.suffix == ".npz":
        arrays, told = storage._load_arrays(file)
        _written(fit(told), storage.write_arrays, file, **arrays)
    else:
        table, told = storage._load_arrow(file)
        _written(fit(told), storage.write_arrow, file, table)
