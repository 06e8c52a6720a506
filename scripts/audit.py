"""The audit: whether what lies in the folder of results is what the project makes.

Everything is judged as it lies there; only the problems are drawn anew, beside it, and only
the audit's own two pages are written.  The page is printed, and the exit status is 0 if
everything passes.
"""

import argparse
import csv
import functools
import importlib.metadata
import io
import itertools
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from command_line import Failure, processor, run

import numpy as np
import pandas as pd
import problems as drawing
from audit_values import Compared, figure_problems, table_problems
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from workflow_queries import jobs_and_states, states_of

from implicit_l1.intervals import Interval, is_number, stands_for
from implicit_l1.origin import LOCK, checksum, without_output
from implicit_l1.storage import DamagedFileError, read_arrays, read_origin, write_text

DRAWING = "scripts/problems.py"
# files that tell their origin; of others a file of this kind beside them tells it
BESIDE = ".json"
TELLING = (".npz", ".parquet", BESIDE)
PUBLISHED = ("figures", "tables")
# what lies in the folder of results and is none of them
APART = ("logs", "benchmark", "benchmarks", "reference")
PAGES = ("audit.*", "report.html", "timings.*", "growth.*", "crate.zip", "ro-crate-metadata.json")
CONFIGURATION = "configuration.yaml"

# what comes with an environment, and is in no lock
INSTALLERS = {"pip", "setuptools", "wheel"}
PACKAGES = ("numpy", "scipy", "cvxpy", "highspy", "pandas", "pyarrow", "matplotlib", "snakemake")
VARIABLES = r"OPENBLAS_|OMP_|MKL_|PYTHONHASHSEED$|TZ$|LANG$|LC_ALL$"

# columns that name a row of a published table or of the numbers of a figure
KEYS = [
    *("panel", "artist", "ensemble", "N", "d", "s", "eta", "m", "family_rho", "depth", "path"),
    *("alpha", "form", "fraction", "initialization"),
]
WHOLE = re.compile(r"[+-]?\d+")

# so many of a kind stand on the page; the JSON file holds all
SHOWN = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", required=True, help="what the workflow uses now: YAML")
    parser.add_argument("--results", required=True, help="folder of the results")
    parser.add_argument("--reference", required=True, help="folder of what is kept in git")
    parser.add_argument("--markdown", required=True, help="the page to write")
    parser.add_argument("--json", required=True, help="the same, for programs")
    parser.add_argument("--jobs", help="a dry run of every job, if the workflow is not to be asked")
    parser.add_argument("--states", help="the workflow's summary of its outputs, as --jobs")
    args = parser.parse_args()
    if (args.jobs is None) != (args.states is None):
        parser.error("give both of --jobs and --states, or none")

    if args.jobs is None:
        said = jobs_and_states(args.configuration)
    else:
        said = [Path(path).read_text(encoding="utf-8") for path in (args.jobs, args.states)]
    jobs = read_jobs(said[0])
    audit = Audit(jobs, Path(args.results))
    check_origins(audit)
    check_configuration(audit, args.configuration)
    check_drawings(audit)
    check_states(audit, states_of(said[1]))
    check_strays(audit)
    check_packages(audit, Path(LOCK).read_text(encoding="utf-8"), installed())
    check_reference(audit, Path(args.reference))
    check_values(audit)
    report = audit.report() | {"environment": environment()}
    page = as_page(report)
    write_text(args.json, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    write_text(args.markdown, page)
    print(page, end="")
    if report["verdict"] != "PASS":
        sys.exit(1)


# --- What the workflow says ----------------------------------------------------------------


@dataclass(frozen=True)
class Job:
    """A job that the workflow would run: its rule, its files, and the words of its command."""

    rule: str
    inputs: tuple
    outputs: tuple
    command: tuple


def read_jobs(text):
    """The jobs of a dry run with their commands, those without outputs left out.

    Args:
        text: what Snakemake printed.
    Raises:
        Failure: if there are none.
    """
    jobs = []
    for block in re.split(r"^\[.*\]$", text, flags=re.MULTILINE)[1:]:
        head, _, command = block.partition("\nShell command: ")
        rule = re.search(r"^(?:local)?rule (\S+):$", head, re.MULTILINE)
        lines = dict(re.findall(r"^    (input|output): (.*)$", head, re.MULTILINE))
        if rule and "output" in lines:
            files = (tuple(lines.get(key, "").split(", ")) for key in ("input", "output"))
            inputs, outputs = (tuple(filter(None, names)) for names in files)
            jobs.append(Job(rule[1], inputs, outputs, words_of(command)))
    if not jobs:
        raise Failure("the dry run of the workflow shows no job")
    return jobs


def words_of(command):
    """The words of a shell command, less the interpreter and where messages go."""
    words = shlex.split(command)
    if words[:1] == ["python"]:
        words = words[1:]
    if words[-2:-1] in (["&>"], ["2>"]):
        words = words[:-2]
    return tuple(words)


def after(job, option):
    """The words of a job's command that follow an option."""
    words = job.command[job.command.index(option) + 1 :]
    return list(itertools.takewhile(lambda word: not word.startswith("--"), words))


# --- What is found -------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """Something wrong with a file.

    Attributes:
        file: its path.
        what: in words that follow it.
        derived: whether another file that is wrong may be all the reason.
    """

    file: str
    what: str
    derived: bool = False


@dataclass
class Audit:
    """The jobs that are judged, what was found, and how much was looked at.

    Attributes:
        findings: file -> what is wrong with it.
        general: what is wrong with no file of a job's.
        of_values: path of a published CSV file -> what is wrong with its numbers.
        compared_values: (kind, name) of a figure or table -> what comes of comparing its numbers
            with what is proved of them.
        counts: what was checked -> how often.
        notes: what was left out.
        compared: whether there was a reference to compare with.
    """

    jobs: list
    results: Path
    findings: dict = field(default_factory=dict)
    general: list = field(default_factory=list)
    of_values: dict = field(default_factory=dict)
    compared_values: dict = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    notes: list = field(default_factory=list)
    compared: bool = False

    def __post_init__(self):
        self.job_of = {file: job for job in self.jobs for file in job.outputs}

    def add(self, file, what, derived=False):
        self.findings.setdefault(file, []).append(Finding(file, what, derived))

    def published(self):
        """(kind, name, job) of every figure and table."""
        for folder in PUBLISHED:
            for job in sorted(self.jobs, key=lambda job: job.outputs):
                if Path(job.outputs[0]).parent == self.results / folder:
                    yield folder.removesuffix("s"), Path(job.outputs[0]).stem, job

    def unproved(self):
        """Names of the experiments of whose figures and own tables no number is proved."""
        right = {}
        for kind, name, job in self.published():
            (words,) = after(job, "--configuration")
            experiments = list(json.loads(words)["experiments"])
            # a table of several does not say of which its numbers are
            if len(experiments) == 1:
                found = self.compared_values.get((kind, name), Compared()).right
                right[experiments[0]] = right.get(experiments[0], 0) + found
        return sorted(name for name, count in right.items() if count == 0)

    def proofs_in_words(self):
        """How much of what is published is proved, and of which experiments nothing."""
        parts = []
        for kind, what in (("table", "numbers of tables"), ("figure", "plotted points")):
            found = [done for (of, _), done in self.compared_values.items() if of == kind]
            proved, shown = (sum(getattr(done, n) for done in found) for n in ("proved", "shown"))
            parts.append(f"{proved} of {shown} {what}")
        words = f"{' and '.join(parts)} are proved, the others are floating point"
        nothing = self.unproved()
        if nothing:
            one = "experiment" if len(nothing) == 1 else "experiments"
            words += f"; no number of {one} {', '.join(nothing)} is proved"
        return words

    def behind(self, job):
        """The outputs of a job, and every file of results that it depends on."""
        seen, queue = {}, list(job.outputs)
        while queue:
            file = queue.pop()
            if file in seen or file not in self.job_of:
                continue
            seen[file] = None
            queue += self.job_of[file].inputs
        return list(seen)

    def reasons(self, files):
        """What is wrong with these files, less what follows from other files among them."""
        found = []
        for file in files:
            bad_inputs = any(name in self.findings for name in self.job_of[file].inputs)
            found += [
                finding
                for finding in self.findings.get(file, [])
                if not (finding.derived and bad_inputs)
            ]
        grouped = {}
        for finding in sorted(found, key=lambda finding: (finding.derived, finding.file)):
            grouped.setdefault(finding.what, []).append(finding.file)
        return [
            f"{files[0]} {what}" + (f" (and {len(files) - 1} more files)" if files[1:] else "")
            for what, files in grouped.items()
        ]

    def report(self):
        """The verdict and everything behind it, as what JSON can hold."""
        published, behind = [], set()
        for kind, name, job in self.published():
            files = self.behind(job)
            behind.update(files)
            numbers = [text for file in job.outputs for text in self.of_values.get(file, [])]
            reasons = self.reasons(files) + numbers
            verdict = "FAIL" if reasons else "PASS"
            entry = {"kind": kind, "name": name, "verdict": verdict, "reasons": reasons}
            compared = self.compared_values.get((kind, name), Compared())
            published.append(entry | {"proved": compared.proved, "shown": compared.shown})
        rest = [file for file in self.findings if file in self.job_of and file not in behind]
        strange = [
            f"{finding.file} {finding.what}"
            for file, findings in self.findings.items()
            if file not in self.job_of
            for finding in findings
        ]
        others = [*self.general, *strange, *self.reasons(rest)]
        failed = [entry for entry in published if entry["reasons"]]
        if not failed and not others:
            verdict = "PASS"
            sentence = (
                "every published number follows from the current code, configuration and lock, "
                "every one that is printed as proved lies in its enclosure"
            )
            if self.compared:
                sentence += ", and all that are in the reference in git agree with it"
        else:
            verdict = "FAIL"
            sentence = (
                f"{len(failed)} of {len(published)} figures and tables are not what the current "
                f"code, configuration and lock make, and {len(others)} other things are wrong"
            )
        sentence += f"; {self.proofs_in_words()}"
        if not self.compared:
            sentence += "; no reference in git for this configuration, so none was compared"
        return {
            "verdict": verdict,
            "sentence": f"{sentence}.",
            "published": published,
            "others": others,
            "unproved": self.unproved(),
            "files": {
                file: [finding.what for finding in findings]
                for file, findings in sorted(self.findings.items())
            },
            "checked": dict(self.counts),
            "notes": self.notes,
        }


# --- The files -----------------------------------------------------------------------------


checksum_now = functools.cache(checksum)


def check_origins(audit):
    """Every output is there, is whole, and was made the way the workflow makes it now."""
    told = {}
    for file in audit.job_of:
        if not Path(file).is_file():
            audit.add(file, "is missing")
        elif Path(file).suffix in TELLING:
            try:
                told[file] = read_origin(file)
            except DamagedFileError as error:
                audit.add(file, f"is damaged ({str(error).split(' (')[-1].split(')')[0]})")
        audit.counts["files of results"] += 1
    code = set()
    for file, origin in told.items():
        try:
            check_origin(audit, file, origin, told)
            if Path(file).suffix == BESIDE:
                check_told(audit, file, origin)
            code |= set(origin["code"])
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            audit.add(file, f"has an origin that is not complete ({error!r})")
        audit.counts["origins, each with its command, code, lock, inputs and seeds"] += 1
    audit.counts["files of code"] = len(code)
    for job in audit.jobs:
        silent = [file for file in job.outputs if Path(file).suffix not in TELLING]
        if not any(Path(file).suffix == BESIDE for file in job.outputs):
            for file in silent:
                if Path(file).name != CONFIGURATION:
                    audit.add(file, "has nothing beside it that tells its origin")


def check_origin(audit, file, origin, told):
    """An origin says what the workflow would do now."""
    job = audit.job_of[file]
    if origin["path"] != file:
        audit.add(file, f"was written as {origin['path']}")
        return
    if origin["lock"] != checksum_now(LOCK):
        audit.add(file, f"was made with another {LOCK}")
    for name, found in origin["code"].items():
        if not Path(name).is_file() or checksum_now(name) != found:
            audit.add(file, f"was made with another version of {name}")
        elif name not in job.inputs:
            audit.add(file, f"was made with {name}, which rule {job.rule} does not declare")
    if origin["command"] != list(job.command):
        audit.add(file, difference("was made by another command", origin["command"], job.command))
        return
    if job.command[0] not in origin["code"]:
        audit.add(file, f"was made without {job.command[0]}")
    declared = {name for name in job.inputs if not name.endswith(".py") and name != LOCK}
    for name in sorted(declared ^ set(origin["inputs"])):
        verb = "was made without reading" if name in declared else "was made from a stray file,"
        audit.add(file, f"{verb} {name}")
    for name, found in origin["inputs"].items():
        if Path(name).is_file() and checksum_now(name) != found:
            derived = name in audit.job_of
            audit.add(file, f"was made from another version of {name}", derived)
    if any(name in audit.job_of and name not in told for name in origin["inputs"]):
        return  # what is missing or damaged is reported where it stands
    # problems are a source even where they are read, from data that no rule makes
    first = job.command[0] == DRAWING or not origin["inputs"]
    sources = {file: without_output(job.command)} if first else {}
    for name in origin["inputs"]:
        sources |= told.get(name, {}).get("sources", {})
    for name in sorted({*sources, *origin["sources"]}):
        if sources.get(name) != origin["sources"].get(name):
            what = f"tells other problems and seeds than its inputs ({name})"
            audit.add(file, what, derived=bool(origin["inputs"]))
            break


def difference(what, found, expected):
    """Two commands, as far as they differ first."""
    for one, other in zip(found, expected, strict=False):
        if one != other:
            return f"{what} ({one!r} for {other!r})"
    return f"{what} ({len(found)} words for {len(expected)})"


def check_told(audit, teller, origin):
    """What cannot tell its origin is as the file beside it tells."""
    job = audit.job_of[teller]
    for file, found in origin["files"].items():
        if Path(file).is_file() and checksum_now(file) != found:
            audit.add(file, f"is not as it was made (see {teller})")
        audit.counts["figures and texts by their checksum"] += 1
    if set(origin["files"]) != {file for file in job.outputs if Path(file).suffix not in TELLING}:
        audit.add(teller, "does not tell of all files that its rule makes")
    if origin["rule"] != job.rule:
        audit.add(teller, f"is of rule {origin['rule']}, not {job.rule}")
    (words,) = after(job, "--configuration")
    if origin["configuration"] != json.loads(words):
        audit.add(teller, "tells another configuration")


def check_configuration(audit, configuration):
    """The results are of the configuration that is used now."""
    path = audit.results / CONFIGURATION
    if path.is_file() and path.read_text(encoding="utf-8") != configuration:
        audit.add(str(path), "is not the configuration that is used now")


def check_states(audit, states):
    """The workflow has nothing left to do.  What is known to be wrong needs no second word."""
    for file in audit.job_of:
        status, plan = states.get(file, ("unknown to the workflow", ""))
        if (status, plan) != ("ok", "no update") and file not in audit.findings:
            words = plan if status == "ok" else status
            audit.add(file, f"would be made anew by the workflow ({words})", derived=True)


def check_strays(audit):
    """Every file in the folder of results is made by a rule."""
    pages = {page for pattern in PAGES for page in audit.results.glob(pattern)}
    for entry in sorted(audit.results.iterdir()):
        if entry.name in APART or entry in pages:
            continue
        if (entry / CONFIGURATION).is_file():
            audit.notes.append(f"{entry} holds the results of another configuration: left out")
            continue
        for file in [entry] if entry.is_file() else sorted(entry.rglob("*")):
            if file.is_file() and str(file) not in audit.job_of:
                audit.add(str(file), "is made by no rule")


# --- The problems --------------------------------------------------------------------------


def check_drawings(audit):
    """The problems, drawn anew with the workflow's own arguments, are the same bit for bit."""
    for job in audit.jobs:
        if job.command[:1] != (DRAWING,):
            continue
        (file,) = job.outputs
        if not Path(file).is_file():
            continue
        try:
            found = read_arrays(file)
            drawn = draw(without_output(job.command))
        except DamagedFileError:
            continue  # reported already
        except Failure as error:
            audit.add(file, f"cannot be drawn anew ({error})")
            continue
        audit.counts["problems drawn anew"] += len(drawn["repetition"])
        if found.keys() != drawn.keys() or not np.array_equal(
            found["repetition"], drawn["repetition"]
        ):
            audit.add(file, "does not hold the repetitions and arrays that are drawn for it")
            continue
        for place, index in enumerate(drawn["repetition"]):
            others = [
                name
                for name, values in drawn.items()
                if found[name].dtype != values.dtype
                or found[name].shape != values.shape
                or found[name][place].tobytes() != values[place].tobytes()
            ]
            if others:
                audit.add(file, f"differs from what is drawn: repetition {index}, {others}")


def draw(words):
    """The arrays that the program of stage problems writes for these arguments.

    Raises:
        Failure: if it refuses them.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "drawn.npz")
        messages = io.StringIO()
        try:
            with arguments([DRAWING, "--output", file, *words]), redirect_stderr(messages):
                drawing.main()
        except SystemExit as error:
            raise Failure(messages.getvalue().strip().splitlines()[-1]) from error
        return read_arrays(file)


@contextmanager
def arguments(words):
    """These words in place of the command line."""
    before, sys.argv = sys.argv, list(words)
    try:
        yield
    finally:
        sys.argv = before


# --- The numbers ---------------------------------------------------------------------------


def check_reference(audit, reference):
    """The numbers of figures and tables are those kept in git, as far as they are printed."""
    kept = {file for folder in PUBLISHED for file in (reference / folder).glob("*.csv")}
    audit.compared = bool(kept)
    if not kept:
        return
    for job in audit.jobs:
        for file in job.outputs:
            path = Path(file)
            if path.suffix != ".csv" or path.parent.name not in PUBLISHED or not path.is_file():
                continue
            other = reference / path.relative_to(audit.results)
            if other not in kept:
                if "--table" in job.command and after(job, "--table") == [path.stem]:
                    audit.of_values.setdefault(file, []).append(f"{other} is missing")
                else:  # of an experiment that someone added: never published
                    audit.notes.append(f"{file} is not in the reference: compared with nothing")
                continue
            kept.remove(other)
            texts = (path.read_text(encoding="utf-8"), other.read_text(encoding="utf-8"))
            differences, count = differing(*texts)
            audit.counts["numbers and words compared with the reference"] += count
            audit.of_values.setdefault(file, []).extend(
                f"{file} differs from {other}: {text}" for text in differences
            )
    known = {reference / Path(file).relative_to(audit.results) for file in audit.job_of}
    audit.general += [f"{file} is of no figure or table" for file in sorted(kept - known)]


def differing(text, reference):
    """Where two tables in CSV differ by more than their printed digits allow.

    A number stands for the interval of half a unit of its last digit around it, and two
    numbers agree if their intervals meet.  In a column of whole numbers, and if it is 0, a
    number stands for itself.  Anything else is compared as text.

    Args:
        text: of the table.
        reference: of the table that it should be.

    Returns:
        The differences in words, and the number of cells compared.
    """
    (columns, rows), (other_columns, other_rows) = _table(text), _table(reference)
    found = []
    for name in [*columns, *(name for name in other_columns if name not in columns)]:
        if name not in other_columns:
            found.append(f"column {name} is not in the reference")
        elif name not in columns:
            found.append(f"column {name} is only in the reference")
    common = [name for name in columns if name in other_columns]
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
            found.append(f"row {key} is not in the reference")
            continue
        if key not in rows:
            found.append(f"row {key} is only in the reference")
            continue
        for name in common:
            one, other = rows[key][name], other_rows[key][name]
            if one != other and not _meet(one, other, name in whole):
                words = f"{one or 'nothing'}, there {other or 'nothing'}"
                found.append(f"row {key}, column {name}: {words}")
    return found, len(common) * len(rows)


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


def check_values(audit):
    """The numbers of tables and figures lie in what is proved of them."""
    for kind, name, job in audit.published():
        file = next(file for file in job.outputs if Path(file).suffix == ".csv")
        try:
            text = pd.read_csv(file, dtype=str, keep_default_na=False)
            if kind == "table":
                (table,) = after(job, "--table")
                files = (after(job, option) for option in ("--input", "--certificates"))
                compared = table_problems(table, text, *files)
            else:
                compared = figure_problems(text, after(job, "--data"), audit.job_of)
        except (DamagedFileError, FileNotFoundError):
            continue  # reported where it stands
        except Exception as error:  # whatever changed numbers may break, the page is written
            compared = Compared(problems=[f"its numbers cannot be checked ({error!r})"])
        audit.compared_values[kind, name] = compared
        audit.counts["numbers within their enclosures"] += compared.right
        what = "numbers of tables" if kind == "table" else "plotted points"
        audit.counts[f"{what} that are proved"] += compared.proved
        audit.counts[f"{what} in floating point, not proved"] += compared.shown - compared.proved
        audit.of_values.setdefault(file, []).extend(f"{file}: {text}" for text in compared.problems)


# --- The environment -----------------------------------------------------------------------


def installed():
    """Package -> version of everything installed beside this interpreter."""
    return {
        canonicalize_name(package.metadata["Name"]): package.version
        for package in importlib.metadata.distributions()
    }


def locked(text):
    """Package -> version of the pins that apply here.

    Args:
        text: locked requirements.
    """
    pins = {}
    for line in text.replace("\\\n", " ").splitlines():
        line = line.split(" --hash")[0].split("#")[0].strip()
        if not line or line.startswith("-"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            (pin,) = requirement.specifier
            pins[canonicalize_name(requirement.name)] = pin.version
    return pins


def check_packages(audit, lock, found):
    """What is installed is what is locked, in exactly these versions, and nothing else.

    Args:
        audit: to add to.
        lock: text of the locked requirements.
        found: package -> version of what is installed.
    """
    pins = locked(lock)
    for name, version in sorted(pins.items()):
        if name not in found:
            audit.general.append(f"package {name} {version} is locked and not installed")
        elif found[name] != version:
            audit.general.append(f"package {name} is {found[name]}, locked is {version}")
    for name in sorted(set(found) - set(pins) - INSTALLERS):
        audit.general.append(f"package {name} {found[name]} is installed and not locked")
    audit.counts["locked packages"] = len(pins)


def environment():
    """Where the audit ran: told, not judged."""
    versions = installed()
    variables = {name: value for name, value in os.environ.items() if re.match(VARIABLES, name)}
    return {
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
        "processor": processor(),
        "linear algebra": linear_algebra(),
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {versions[name]}" for name in PACKAGES if name in versions),
        "git": revision(),
        "variables": ", ".join(f"{name}={value}" for name, value in sorted(variables.items())),
    }


def linear_algebra():
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return "unknown: threadpoolctl is not installed"
    import scipy.linalg  # noqa: F401  loads its own

    return "; ".join(
        f"{library['internal_api']} {library['version']} ({library.get('architecture', '')}, "
        f"{library['num_threads']} threads)"
        for library in threadpool_info()
    )


def revision():
    """The commit, and what is changed since."""

    def git(*words):
        return subprocess.run(
            ["git", *words], capture_output=True, text=True, check=True
        ).stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != Path.cwd().resolve():
            return "this folder is not a git repository"
        changed = git("status", "--porcelain").splitlines()
        words = f"{len(changed)} files changed since" if changed else "nothing changed since"
        return f"commit {git('rev-parse', 'HEAD')}, {words}"
    except FileNotFoundError:
        return "git is not installed"
    except subprocess.CalledProcessError:
        return "this folder is not a git repository"


# --- The page ------------------------------------------------------------------------------


def as_page(report):
    """The report in Markdown, its verdict on the first line."""
    lines = [f"{report['verdict']}: {report['sentence']}", "", "## Figures and tables", ""]
    for entry in report["published"]:
        what = "numbers" if entry["kind"] == "table" else "points"
        line = f"- {entry['verdict']} {entry['kind']} {entry['name']}"
        proved = f" ({entry['proved']} of {entry['shown']} {what} proved)"
        lines.append(line + (f": {listed(entry['reasons'])}" if entry["reasons"] else proved))
    if report["others"]:
        lines += ["", "## What is wrong beside them", ""]
        lines += [f"- FAIL {text}" for text in report["others"]]
    lines += ["", "## What was checked", ""]
    lines += [f"- {what}: {count}" for what, count in report["checked"].items()]
    lines += [f"- {note}" for note in report["notes"]]
    lines += ["", "## Where the audit ran", ""]
    lines += [f"- {what}: {words}" for what, words in report["environment"].items()]
    return "\n".join(lines) + "\n"


def listed(reasons):
    """Reasons in a line, the first few of them."""
    more = len(reasons) - SHOWN
    return "; ".join(reasons[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


if __name__ == "__main__":
    run(main)
