"""What is made again, beside the results, to be compared with what lies there.

Problems are drawn anew, all of them.  Figures and tables are made again from their inputs, all of
them; of the other jobs, of which some are proofs, a sample is run again that is drawn afresh each
time.  On the machine that made a file its content must be the same, byte for byte; on another
one enclosures must overlap and printed numbers agree as far as they are printed.
"""

import io
import os
import random
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from audit.findings import Audit
from audit.origins import DRAWING
from audit.reference import differing
from audit.workflow_queries import Job
from implicit_l1.proof.intervals import Interval
from implicit_l1.status import PROVED
from pipeline.calls import EACH
from pipeline.command_line import Failure
from pipeline.drawing import drawn, problem_parser
from pipeline.machine import JOB_ENVIRONMENT, machine
from pipeline.origin import located, without_output
from pipeline.storage import BESIDE, DamagedFileError, read_arrays, read_origin
from pipeline.tidy import read_table

# so many jobs are run again of proofs, and so many of the other stages
SAMPLE = 8
# what a table is written as, beside its numbers
TEXTS = (".csv", ".md", ".tex", ".html")
# so many times as wide an enclosure may be as that which is proved anew, beside a part of its size:
# one that holds everything would agree with everything
WIDER, NARROW = 1000, Decimal("1e-9")
# so many differences of a file are told
TOLD = 3


# --- The problems ---


def check_drawings(audit: Audit) -> None:
    """The problems, drawn anew with the workflow's own arguments, are the same bit for bit."""
    for job in audit.jobs:
        if job.command[:1] != (DRAWING,):
            continue
        (file,) = job.outputs
        if not Path(file).is_file():
            continue
        try:
            found = read_arrays(file)
            made = draw(located(without_output(job.command), job.places))
        except DamagedFileError:
            continue  # reported already
        except Failure as error:
            audit.add(file, f"cannot be drawn anew ({error})")
            continue
        audit.counts["problems drawn anew"] += len(made["repetition"])
        if found.keys() != made.keys() or not np.array_equal(
            found["repetition"], made["repetition"]
        ):
            audit.add(file, "does not hold the repetitions and arrays that are drawn for it")
            continue
        for place, index in enumerate(made["repetition"]):
            others = [
                name
                for name, values in made.items()
                if found[name].shape != values.shape
                or not same_bytes(found[name][place], values[place])
            ]
            if others:
                audit.add(file, f"differs from what is drawn: repetition {index}, {others}")


def draw(words: list[str]) -> dict[str, np.ndarray]:
    """The arrays that the program of stage problems writes for these arguments.

    Raises:
        Failure: if it refuses them.
    """
    messages = io.StringIO()
    try:
        with redirect_stderr(messages):
            args = problem_parser(DRAWING).parse_args(["--output", DRAWING, *words])
    except SystemExit as error:
        raise Failure(messages.getvalue().strip().splitlines()[-1]) from error
    return drawn(args).arrays()


def same_bytes(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are of one type and shape, and the same bit for bit."""
    return (one.dtype, one.shape) == (other.dtype, other.shape) and one.tobytes() == other.tobytes()


# --- Jobs ---


def make_again(audit: Audit, size: int | None, seed: int, workers: int) -> None:
    """Make figures, tables and a sample of other jobs again, and compare.

    Args:
        audit: of which jobs; what is found is added.  A job of which an output or an input is known
            to be wrong is left out.
        size: how many jobs of proofs, and how many others; None: all.
        seed: of the sample.
        workers: so many at a time.
    """
    again = audit.again
    again.seed = seed
    drawn = {job: kind for kind, _, job in audit.published()}
    others = [job for job in audit.jobs if job not in drawn and _is_sampled(job)]
    again.possible = len(others)
    again.enclosures = sum(
        int((read_table(file)["status"] == PROVED).sum())
        for job in others
        for file in job.outputs
        if is_proof(file) and file in audit.told
    )
    chosen = sample(others, size, seed)
    right = [job for job in (*drawn, *chosen) if not _is_known_to_be_wrong(audit, job)]
    parts = by_program(right, workers)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(workers) as pool:
        places = [Path(folder) / str(number) for number in range(len(parts))]
        outcomes_of = pool.map(partial(run_again, root=audit.root), parts, places)
        for part, outcomes in zip(parts, outcomes_of, strict=True):
            for job, outcome in zip(part, outcomes, strict=True):
                if isinstance(outcome, Failure):
                    audit.add(job.outputs[0], f"cannot be made again ({outcome})")
                    continue
                if drawn.get(job) == "document":
                    again.document = True
                elif job in drawn:
                    again.published += 1
                else:
                    again.jobs += 1
                compare(audit, job, outcome)


def _is_sampled(job):
    """Problems are drawn anew, all of them, and the configuration is compared as it is."""
    return job.command[0].endswith(".py") and job.command[0] != DRAWING


def by_program(jobs: list[Job], workers: int) -> list[list[Job]]:
    """Jobs in parts, each of one program: at most so many parts of each."""
    found: dict[str, list[Job]] = {}
    for job in jobs:
        found.setdefault(job.command[0], []).append(job)
    parts = [members[first::workers] for members in found.values() for first in range(workers)]
    return [part for part in parts if part]


def _is_known_to_be_wrong(audit, job):
    """What is wrong, or comes from it, needs no second word."""
    files = [*job.outputs, *(file for file in job.inputs if file in audit.job_of)]
    return any(file in audit.findings for file in files)


def sample(jobs: list[Job], size: int | None, seed: int) -> list[Job]:
    """So many jobs of proofs and so many others, drawn with a seed; all if size is None."""
    if size is None:
        return jobs
    generator = random.Random(seed)
    chosen = []
    for wanted in (True, False):
        kind = [job for job in jobs if any(map(is_proof, job.outputs)) == wanted]
        chosen += generator.sample(kind, min(size, len(kind)))
    return chosen


def is_proof(file: str) -> bool:
    """Whether a file is a table of enclosures."""
    path = Path(file)
    return path.suffix == ".parquet" and (
        path.stem.endswith("_certificates")
        or any(part.endswith("certificates") for part in path.parent.parts)
    )


def run_again(jobs: list[Job], folder: Path, root: Path) -> list[dict[str, str] | Failure]:
    """Run jobs of one program in one process, with their outputs in a folder.

    Args:
        root: folder of the project.

    Returns:
        For each job: output -> where it is made now; or the Failure that it ended with.
    """
    made, calls = [], []
    for number, job in enumerate(jobs):
        place = folder / str(number)
        place.mkdir(parents=True)
        # by their own names, as programs tell kinds of files by them
        files = {file: str(place / Path(file).name) for file in job.outputs}
        made.append(files)
        words = located(job.command[1:], job.places)
        calls.append(shlex.join(files.get(word, word) for word in words))
    ended = subprocess.run(
        [sys.executable, root / jobs[0].command[0], EACH, *calls],
        env=os.environ | JOB_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = ended.stderr.strip().splitlines() or [f"it ended with {ended.returncode}"]
    reasons = iter([line for line in said if line.startswith("error: ")])
    return [
        files
        if all(Path(file).is_file() for file in files.values())
        else Failure(next(reasons, said[-1]).removeprefix("error: "))
        for files in made
    ]


def compare(audit: Audit, job: Job, outcome: dict[str, str]) -> None:
    """Compare the outputs of a job with what was made again, and say where they differ."""
    teller = next(name for name in reversed(job.outputs) if name in audit.told)
    here = audit.told[teller]["machine"] == machine()
    # whatever the machine, texts of the same numbers are the same
    numbers = [file for file in outcome if Path(file).suffix == ".csv"]
    same = all(Path(file).read_bytes() == Path(outcome[file]).read_bytes() for file in numbers)
    for file, made in outcome.items():
        kind = Path(file).suffix
        if kind == BESIDE:
            found = differing_origins(read_origin(file), read_origin(made))
        elif is_proof(file):
            one, other = read_table(file), read_table(made)
            audit.again.proved += int((other["status"] == PROVED).sum())
            found = differing_tables(one, other) if here else differing_enclosures(one, other)
        elif here and kind == ".npz":
            found = differing_arrays(read_arrays(file), read_arrays(made))
        elif here and kind == ".parquet":
            found = differing_tables(read_table(file), read_table(made))
        elif here or (same and kind in TEXTS):
            found = [] if Path(file).read_bytes() == Path(made).read_bytes() else ["its bytes"]
        else:
            audit.again.elsewhere.append(file)
            if file not in numbers:
                continue
            texts = (Path(name).read_text(encoding="utf-8") for name in (file, made))
            found = differing(*texts)[0]
        if found:
            more = f"; and {len(found) - TOLD} more" if len(found) > TOLD else ""
            what = "; ".join(found[:TOLD]) + more
            audit.add(file, f"is not what its rule makes of its inputs here: {what}")


def differing_origins(found: dict, made: dict) -> list[str]:
    """What a JSON file tells beside what its place, its machine and its files decide."""
    keys = {*found, *made} - {"path", "command", "files", "machine", "sources"}
    return [f"key {key}" for key in sorted(keys) if found.get(key) != made.get(key)]


def differing_arrays(found: dict[str, np.ndarray], made: dict[str, np.ndarray]) -> list[str]:
    """Names of arrays that are not the same bit for bit."""
    return [
        f"array {name}"
        for name in sorted({*found, *made})
        if name not in found or name not in made or not same_bytes(found[name], made[name])
    ]


def differing_tables(found: pd.DataFrame, made: pd.DataFrame) -> list[str]:
    """Columns of a table that are not the same, and where first."""
    if list(found.columns) != list(made.columns) or len(found) != len(made):
        return [
            f"it has {len(found)} rows of {len(found.columns)} columns, not those that are made"
        ]
    result = []
    for name in found:
        one, other = found[name], made[name]
        if not one.equals(other):
            rows = np.flatnonzero(~((one == other) | (one.isna() & other.isna())).to_numpy())
            row = rows[0] if rows.size else 0
            result.append(f"column {name}, row {row}: {one[row]}, now {other[row]}")
    return result


def differing_enclosures(found: pd.DataFrame, made: pd.DataFrame) -> list[str]:
    """Rows of a table of enclosures that contradict those that were proved anew."""
    ends = ["lower", "upper"]
    if not found.drop(columns=ends).equals(made.drop(columns=ends)):
        return ["its quantities and what is proved are others"]
    rows = zip(*(frame.to_dict("records") for frame in (found, made)), strict=True)
    return [
        f"{one['quantity']} of repetition {one['repetition']}: from {one['lower']} to "
        f"{one['upper']}, now from {other['lower']} to {other['upper']}"
        for one, other in rows
        if one["status"] == PROVED
        and not _agree(*(Interval.of(row["lower"], row["upper"]) for row in (one, other)))
    ]


def _agree(found, made):
    """Whether two enclosures overlap, and the first one is not far wider."""
    wide, width = (enclosure.upper - enclosure.lower for enclosure in (found, made))
    return found.overlaps(made) and wide <= WIDER * width + NARROW * abs(made.upper)
