"""Whether the published numbers are those of the reference that is committed in git."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path, PurePosixPath

import yaml

from audit import committed
from audit.findings import PUBLISHED, Audit
from audit.origins import CONFIGURATION
from audit.page import listed
from implicit_l1.proof.intervals import Interval, is_number, stands_for

# columns that name a row of a published table or of the numbers of a figure
KEYS = [
    *("ensemble", "N", "d", "s", "eta", "m", "family_rho", "depth", "path"),
    *("alpha", "form", "fraction", "initialization", "quantity", "log10_alpha"),
    *("repetition", "coordinate"),
]
WHOLE = re.compile(r"[+-]?\d+")
# How many steps an integrator takes, how near to the limit point it stops, what is proved of that,
# and how small a bound of order s has become after so many steps hangs on last bits, which are the
# processor's: made again on the same machine it is compared with everything else.
OF_A_PROCESSOR = {
    *("steps_float", "disagreement_float", "proved_disagreement"),
    "order_upper",
}
# keys of a configuration that decide which rows and columns there are
_DECIDING_ROWS = ("experiments", "certificates")
# what is said of a whole panel, which another grid has more or less of
OF_A_PANEL = {"instances", "not_drawn", "cells_left_out"}
# what decides what is judged, and how
DECIDING = (
    *("Snakefile", "workflow", "scripts", "profiles", "requirements.txt", "environment.yml"),
)


def check_committed(audit: Audit, reference: Path) -> None:
    """Which files of the programs, the workflow and the reference are not as they are committed."""
    try:
        audit.uncommitted = committed.changed(*DECIDING, folder=audit.root)
        # in the folder of the run, which need not be that of the programs, nor a repository
        if reference.is_dir() or audit.root.resolve() == Path.cwd():
            audit.uncommitted = sorted([*audit.uncommitted, *committed.changed(str(reference))])
    except committed.NoRepository as error:
        audit.repository = False
        audit.notes.append(f"{error}: programs, workflow and reference are as they lie here")


def check_reference(audit: Audit, reference: Path, configuration: str) -> None:
    """The numbers of figures and tables are the committed ones, as far as they are printed.

    A reference keeps the configuration that it is of.  Where that has other experiments behind a
    figure or table, or asks for other proofs, rows and columns that only one of both has are no
    mistake: they are compared with nothing, and counted.

    Args:
        audit: what is found is added to it.
        reference: its folder.
        configuration: the text of that which is used now.
    """
    texts = reference_texts(reference)
    audit.compared = bool(texts)
    if not texts:
        return
    grids = yaml.safe_load(configuration), configuration_of_reference(reference)
    left = set(texts)
    for file in _numbers(audit.jobs, audit.results):
        path = Path(file)
        other = str(reference / path.relative_to(audit.results))
        if not path.is_file():
            left.discard(other)  # reported where it is missing
            continue
        job = audit.job_of[file]
        shared = "--table" in job.command and job.after("--table") == [path.stem]
        another = _is_another_grid(job, shared, *grids)
        if other not in texts:
            if shared and not another:
                audit.of_reference.setdefault(file, []).append(f"{other} is missing")
            else:  # of an experiment that someone added: never published
                audit.notes.append(f"{file} is not in the reference: compared with nothing")
            continue
        left.remove(other)
        for name in sorted(OF_A_PROCESSOR & set(_table(texts[other])[0])):
            audit.notes.append(f"{file}: column {name} hangs on the processor: not compared")
        left_out = OF_A_PANEL if another else set()
        for name in sorted(left_out & set(_table(texts[other])[0])):
            audit.notes.append(f"{file}: column {name} is of another grid: not compared")
        texts_of_both = path.read_text(encoding="utf-8"), texts[other]
        beyond, differences, count = _compared(*texts_of_both, left_out)
        audit.counts["numbers and words compared with the reference"] += count
        if another:
            if beyond:
                audit.beyond[file] = len(beyond)
                audit.notes.append(
                    f"{file} is of another grid than {other}, so compared with nothing: "
                    + listed(beyond)
                )
            differences = [f"{text} (it is of another configuration)" for text in differences]
        else:
            differences = beyond + differences
        audit.of_reference.setdefault(file, []).extend(
            f"{file} differs from {other}: {text}" for text in differences
        )
    known = {
        str(reference / Path(file).relative_to(audit.results))
        for file in _numbers(audit.all_jobs, audit.results)
    }
    strange = [f"{file} is of no figure or table" for file in sorted(left - known)]
    now, then = grids
    if then is None or all(now.get(key) == then.get(key) for key in _DECIDING_ROWS):
        audit.general += strange
    else:
        audit.notes += [f"{text} of this configuration: compared with nothing" for text in strange]


def configuration_of_reference(reference: Path) -> dict | None:
    """The configuration that a reference keeps, as committed; None if it keeps none."""
    name = (reference / CONFIGURATION).as_posix()
    try:
        text = committed.text(name) if name in committed.files(name) else None
    except committed.NoRepository:
        text = Path(name).read_text(encoding="utf-8") if Path(name).is_file() else None
    return None if text is None else yaml.safe_load(text)


def _is_another_grid(job, shared, now, then):
    """Whether what is behind a figure or table is of another grid than the reference: experiments,
    or what is proved of them.

    Of a table that experiments share those that were taken out are asked too: they had rows in it.
    """
    if then is None:
        return False
    if now.get("certificates") != then.get("certificates"):
        return True
    now, then = now["experiments"], then["experiments"]
    (words,) = job.after("--configuration")
    names = set(json.loads(words)["experiments"])
    if shared:
        names |= {name for name, block in then.items() if block.get("tables") == "shared"}
    return any(now.get(name) != then.get(name) for name in names)


def _numbers(jobs, results):
    """The CSV files of figures and tables."""
    folders = [Path(results) / folder for folder in PUBLISHED]
    return [
        file
        for job in jobs
        for file in job.outputs
        if Path(file).suffix == ".csv" and Path(file).parent in folders
    ]


def reference_texts(reference: Path) -> dict[str, str] | None:
    """Path -> text of every CSV file of a reference: as committed, or where there is no git, as
    it lies there.
    """
    folders = [Path(reference) / folder for folder in PUBLISHED]
    try:
        names: Iterable[str] = committed.files(*map(str, folders))
        read = committed.text
    except committed.NoRepository:
        names = [file.as_posix() for folder in folders for file in folder.glob("*.csv")]

        def read(name):
            return Path(name).read_text(encoding="utf-8")

    return {name: read(name) for name in names if PurePosixPath(name).suffix == ".csv"}


def differing(text: str, reference: str) -> tuple[list, int]:
    """Where two tables in CSV differ by more than their printed digits allow.

    A number stands for the interval of half a unit of its last digit around it, and two
    numbers agree if their intervals meet.  In a column of whole numbers, and if it is 0, a
    number stands for itself.  Anything else is compared as text.  What hangs on the processor
    (:data:`OF_A_PROCESSOR`) is not compared.

    Args:
        text: of the table.
        reference: of the table that it should be.

    Returns:
        The differences in words, and the number of cells compared.
    """
    beyond, found, count = _compared(text, reference)
    return beyond + found, count


def _compared(text, reference, but=frozenset()):
    """What only one of two tables has, where they differ, and how many cells were compared: all but
    those of some columns."""
    (columns, rows), (other_columns, other_rows) = _table(text), _table(reference)
    beyond, found = [], []
    for name in [*columns, *(name for name in other_columns if name not in columns)]:
        if name not in other_columns:
            beyond.append(f"column {name} is not in the reference")
        elif name not in columns:
            beyond.append(f"column {name} is only in the reference")
    left_out = OF_A_PROCESSOR | but
    common = [name for name in columns if name in other_columns and name not in left_out]
    whole = {
        name
        for name in common
        if all(
            WHOLE.fullmatch(row[name])
            for table in (rows, other_rows)
            for row in table.values()
            if row[name]
        )
    }
    for key in [*rows, *(key for key in other_rows if key not in rows)]:
        if key not in other_rows:
            beyond.append(f"row {key} is not in the reference")
            continue
        if key not in rows:
            beyond.append(f"row {key} is only in the reference")
            continue
        for name in common:
            one, other = rows[key][name], other_rows[key][name]
            if one != other and not _meet(one, other, name in whole):
                words = f"{one or 'nothing'}, there {other or 'nothing'}"
                found.append(f"row {key}, column {name}: {words}")
    return beyond, found, len(common) * len(rows.keys() & other_rows.keys())


def _table(text):
    """Columns, and the rows by what names them; those of one name are counted."""
    reader = csv.DictReader(io.StringIO(text), restkey="beyond", restval="")
    columns = list(reader.fieldnames or [])
    rows, seen = {}, Counter()
    for row in reader:
        name = ", ".join(f"{key} {row[key]}" for key in KEYS if row.get(key))
        seen[name] += 1
        rows[f"{name or 'number'} [{seen[name]}]"] = row
    return columns, rows


def _meet(one, other, whole):
    """Whether the intervals that two printed numbers stand for have a point in common."""
    if whole or not (is_number(one) and is_number(other)):
        return False
    return _meaning(one).overlaps(_meaning(other))


def _meaning(number):
    # a printed 0 is nothing at all, not something that was rounded
    return stands_for(number) if Decimal(number) else Interval.of(0, 0)
