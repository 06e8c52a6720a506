"""The audit: whether what lies in the folder of results is what the project makes.

Everything is judged as it lies there; what is made again is made beside it, and only the audit's
own two pages are written.  The page is printed, and the exit status is 0 if everything passes.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from audit.again import SAMPLE, check_drawings, make_again
from audit.environment import check_packages, environment
from audit.findings import Audit, behind, printable, published
from audit.origins import (
    check_configuration,
    check_origins,
    check_states,
    check_strays,
    check_times,
    configuration_of,
)
from audit.page import as_page
from audit.reference import check_committed, check_reference
from audit.values import certificates_of, check_values
from audit.workflow_queries import (
    HERE,
    Job,
    Workflow,
    add_workflow,
    asked,
    read_jobs,
    snakemake,
    states_of,
)
from pipeline.calls import ONLY_MISSING
from pipeline.command_line import Failure, run
from pipeline.origin import LOCK, ROOT
from pipeline.storage import write_text

ALL = "all"
REFERENCE = Path("results/reference")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_workflow(parser)
    parser.add_argument(
        "--only", nargs="+", default=[], help="names of figures and tables; without it all"
    )
    parser.add_argument(
        "--again",
        type=sample_size,
        default=SAMPLE,
        help="so many jobs of proofs, and so many of other stages, are run again; all, or 0 for "
        f"none, nor any figure or table (default {SAMPLE})",
    )
    parser.add_argument("--seed", type=int, help="of that sample; without it a new one")
    parser.add_argument(
        "--complete", action="store_true", help="make what is missing, before it is judged"
    )
    parser.add_argument("--cores", default=ALL, help="as of snakemake: a number, or all")
    args = parser.parse_args()
    with asked(args) as (workflow, planned, summary):
        audit(args, workflow, planned, summary)


def audit(args: argparse.Namespace, workflow: Workflow, planned: str, summary: str) -> None:
    """Judge, print the page, and end the process if something is wrong."""
    root = HERE if Path.cwd() == ROOT else ROOT
    jobs, states = read_jobs(planned, root), states_of(summary)
    text, results = configuration_of(jobs)
    judged = chosen(jobs, results, args.only)
    if args.complete:
        targets = [file for job in judged for file in job.outputs]
        if not args.only:
            targets = [workflow.target]
        states = complete(judged, states, targets, workflow, args.cores)
    seed = secrets.randbelow(10**6) if args.seed is None else args.seed
    found = Audit(judged, results, jobs, root=root)
    judge(found, text, states, args.again, seed, workers(args.cores))
    attempt(found, partial(check_environment, found, root))
    told = attempt(found, partial(environment, root)) or {}
    report = found.report() | {"environment": told}
    page = printable(as_page(report))
    write_text(results / "audit.json", json.dumps(report, indent=1) + "\n")
    write_text(results / "audit.md", page)
    print(page, end="")
    if report["verdict"] != "PASS":
        sys.exit(1)


def sample_size(text: str) -> int | None:
    """How many jobs are run again: a number, None for all."""
    if text == ALL:
        return None
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is neither a number nor {ALL}")
    return int(text)


def workers(cores: str) -> int:
    return (os.cpu_count() or 1) if cores == ALL else int(cores)


def chosen(jobs: list[Job], results: Path, names: Sequence[str]) -> list[Job]:
    """The jobs behind some figures and tables, with their proofs; all if none is named.

    Raises:
        Failure: if there is no figure or table of a name.
    """
    if not names:
        return jobs
    known = list(published(jobs, results))
    unknown = set(names) - {name for _, name, _ in known}
    if unknown:
        names = ", ".join(sorted({name for _, name, _ in known}))
        raise Failure(f"no figure or table is called {min(unknown)}; there are {names}")
    job_of = {file: job for job in jobs for file in job.outputs}
    wanted = [job for _, name, job in known if name in names]
    shown = {file for job in wanted for file in behind(job, job_of)}  # in the document
    wanted += [job for _, _, job in known if job not in wanted and shown & set(job.outputs)]
    for job in [job for job in wanted if "--data" in job.command]:
        proofs = [
            str(file) for path in job.after("--data") for file in certificates_of(path, job_of)
        ]
        wanted += [job_of[file] for file in proofs]
    files = {file for job in wanted for file in behind(job, job_of)}
    return [job for job in jobs if files & set(job.outputs)]


def complete(
    jobs: list[Job],
    states: dict[str, tuple[str, str]],
    targets: list[str],
    workflow: Workflow,
    cores: str,
) -> dict[str, tuple[str, str]]:
    """Make the outputs of some jobs that are missing; the states of all outputs after that.

    Of what is there only that is made anew which is made from a missing file; nothing else is,
    whatever has changed since: the audit judges it as it lies there.  Every missing file is named
    to Snakemake, which would do without one of which nothing that it asked for is missing.
    """
    missing = [
        file
        for job in jobs
        for file in job.outputs
        if states.get(file, ("missing", ""))[0] == "missing"
    ]
    if not missing:
        return states
    print(f"Making {len(missing)} files that are missing ...", file=sys.stderr, flush=True)
    words = ["--cores", cores, *dict.fromkeys([*targets, *missing])]
    words += ["--rerun-triggers", "software-env", "--quiet", "all"]
    # where that fails, the audit says so
    subprocess.run(
        [sys.executable, "-m", "snakemake", *words, *workflow.words],
        env=os.environ | {ONLY_MISSING: "yes"},
        check=False,
    )
    return states_of(snakemake("--summary", workflow.target, *workflow.words))


def judge(
    audit: Audit,
    configuration: str,
    states: dict[str, tuple[str, str]],
    size: int | None,
    seed: int,
    workers: int,
) -> None:
    """Look at everything but the environment.

    Args:
        audit: what is found is added to it.
        configuration: the text of that which is used now.
        states: output -> what the workflow says of it.
        size: how many jobs of proofs and how many others are run again; None: all.
        seed: of that sample.
        workers: so many jobs at a time.
    """
    reference = REFERENCE / audit.results.relative_to("results")
    checks = [
        partial(check_committed, audit, reference),
        partial(check_origins, audit),
        partial(check_configuration, audit, configuration),
        partial(check_drawings, audit),
        partial(check_times, audit),
        partial(check_states, audit, states),
    ]
    if not audit.partial:
        checks.append(partial(check_strays, audit))
    if size != 0:
        checks.append(partial(make_again, audit, size, seed, workers))
    checks += [
        partial(check_reference, audit, reference, configuration),
        partial(check_values, audit),
    ]
    for check in checks:
        attempt(audit, check)


def check_environment(audit: Audit, root: Path) -> None:
    """The packages are those of the lock of a project, which lies in this folder."""
    check_packages(audit, (root / LOCK).read_text(encoding="utf-8"))


def attempt(audit: Audit, check: partial) -> Any:
    """What a check returns; None where it fails, which is then among what is found."""
    try:
        return check()
    except Exception as error:  # whatever someone has done to a file: the page is written
        what = check.func.__name__.replace("_", " ")
        audit.general.append(f"{what}: could not be done to its end ({error!r})")
        return None


if __name__ == "__main__":
    run(main)
