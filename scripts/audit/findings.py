"""What an audit looks at, what it finds, and what follows from it."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.workflow_queries import Job
from pipeline.origin import checksum

PUBLISHED = ("figures", "tables")
# which lies in the folder of results itself; its numbers are theirs
DOCUMENT = "paper.pdf"
# so many names stand in a sentence
NAMED = 3


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
class Compared:
    """What comes of comparing a figure or table with what is proved of it.

    Attributes:
        right: numbers behind it that lie in their enclosure.
        problems: what is wrong, as sentences.
        skipped: numbers that should have been compared with an enclosure and were not, and why.
        proved, shown: of the numbers that are printed or the points that are plotted, those that
            are proved, and all.  Parameters and counts are neither.
    """

    right: int = 0
    problems: list = field(default_factory=list)
    skipped: list = field(default_factory=list)
    proved: int = 0
    shown: int = 0


@dataclass
class Again:
    """What was made again in this run, to be compared with what lies there.

    Attributes:
        seed: of the sample of jobs; None if nothing was to be made again.
        jobs: how many of the sample were run again, of so many (possible).
        published: figures and tables that were drawn and written again.
        document: whether the document was typeset again.
        proved, enclosures: enclosures that were proved anew, of so many.
        elsewhere: files of which the bytes were not compared, since another machine made them.
    """

    seed: int | None = None
    jobs: int = 0
    possible: int = 0
    published: int = 0
    document: bool = False
    proved: int = 0
    enclosures: int = 0
    elsewhere: list = field(default_factory=list)

    def in_words(self) -> str:
        if self.seed is None:
            return "nothing was made again"
        if self.published == 1 and not self.document:
            published = "1 figure or table was made again from its inputs"
        else:
            document = " and the document" * self.document
            published = (
                f"{self.published} figures and tables{document} were made again from their inputs"
            )
        words = (
            f"{published}, and "
            f"{self.jobs} of {self.possible} other jobs, by which {self.proved} of "
            f"{self.enclosures} enclosures were proved in this run (sample of seed {self.seed})"
        )
        if self.elsewhere:
            words += f"; {len(self.elsewhere)} files were made on another machine, and their bytes "
            words += "were not compared"
        return words


@dataclass
class Audit:
    """The jobs that are judged, what was found, and how much was looked at.

    Attributes:
        jobs: those that are judged.
        results: folder of the results.
        all_jobs: every job of the workflow.
        root: folder of the project, if another one than that of the run.
        findings: file -> what is wrong with it.
        general: what is wrong with no file of a job's.
        of_values: path of a published CSV file -> what is wrong with its numbers.
        of_reference: the same -> where its numbers differ from the reference.
        beyond: the same -> how many of its rows and columns, or of the reference's, the other has
            not, where the reference is of another grid.
        compared_values: (kind, name) of a figure or table -> what comes of comparing its numbers
            with what is proved of them.
        counts: what was checked -> how often.
        notes: what was left out.
        compared: whether there was a reference to compare with.
        repository: whether that, programs and workflow could be compared with a commit.
        again: what was made again.
        uncommitted: files of the programs, the workflow and the reference that are not as they
            are committed.
        told: file -> its origin, where it tells one.
    """

    jobs: list
    results: Path
    all_jobs: list = field(default_factory=list)
    root: Path = Path()
    findings: dict = field(default_factory=dict)
    general: list = field(default_factory=list)
    of_values: dict = field(default_factory=dict)
    of_reference: dict = field(default_factory=dict)
    beyond: dict = field(default_factory=dict)
    compared_values: dict = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    notes: list = field(default_factory=list)
    compared: bool = False
    repository: bool = True
    again: Again = field(default_factory=Again)
    uncommitted: list = field(default_factory=list)
    told: dict = field(default_factory=dict)
    _checksums: dict = field(default_factory=dict)
    _code: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.all_jobs is None:
            self.all_jobs = self.jobs
        self.job_of = {file: job for job in self.jobs for file in job.outputs}

    def add(self, file: str, what: str, derived: bool = False) -> None:
        self.findings.setdefault(file, []).append(Finding(file, what, derived))

    def of_project(self, name: str) -> str:
        """A file of the project: where it lies."""
        return str(self.root / name)

    def checksum(self, file: str) -> str:
        """SHA-256 of a file as it lies there, read once."""
        if file not in self._checksums:
            self._checksums[file] = checksum(file)
        return self._checksums[file]

    def checksum_of_code(self, name: str) -> str:
        """That of a file of the project; empty if it is not there."""
        if name not in self._code:
            place = Path(self.of_project(name))
            self._code[name] = self.checksum(str(place)) if place.is_file() else ""
        return self._code[name]

    @property
    def partial(self) -> bool:
        """Whether a part of the workflow is judged only."""
        return len(self.jobs) < len(self.all_jobs)

    def published(self) -> Iterator[tuple[str, str, Job]]:
        """(kind, name, job) of every figure and table, and of the document."""
        yield from published(self.jobs, self.results)

    def unproved(self) -> list[str]:
        """Names of the experiments of whose figures and own tables no number is proved."""
        right: dict[str, int] = {}
        for kind, name, job in self.published():
            (words,) = job.after("--configuration")
            experiments = list(json.loads(words)["experiments"])
            # a table of several does not say of which its numbers are
            if len(experiments) == 1:
                found = self.compared_values.get((kind, name), Compared()).right
                right[experiments[0]] = right.get(experiments[0], 0) + found
        return sorted(name for name, count in right.items() if count == 0)

    def proofs_in_words(self) -> str:
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

    def reasons(self, files: list[str]) -> list[str]:
        """What is wrong with these files, less what follows from other files among them."""
        found = []
        for file in files:
            bad_inputs = any(name in self.findings for name in self.job_of[file].inputs)
            found += [
                finding
                for finding in self.findings.get(file, [])
                if not (finding.derived and bad_inputs)
            ]
        grouped: dict[str, list[str]] = {}
        for finding in sorted(found, key=lambda finding: (finding.derived, finding.file)):
            grouped.setdefault(finding.what, []).append(finding.file)
        return [
            f"{files[0]} {what}" + (f" (and {len(files) - 1} more files)" if files[1:] else "")
            for what, files in grouped.items()
        ]

    def report(self) -> dict:
        """The verdict and everything behind it, as what JSON can hold."""
        published, seen = [], set()
        for kind, name, job in self.published():
            files = behind(job, self.job_of)
            seen.update(files)
            numbers, others = (
                [text for file in job.outputs for text in found.get(file, [])]
                for found in (self.of_values, self.of_reference)
            )
            reasons = self.reasons(files) + numbers + others
            verdict = "FAIL" if reasons else "PASS"
            entry: dict[str, Any] = {"kind": kind, "name": name}
            entry |= {"verdict": verdict, "reasons": reasons}
            entry |= {"differs from the reference": len(others)}
            entry |= {"beyond the reference": sum(self.beyond.get(f, 0) for f in job.outputs)}
            compared = self.compared_values.get((kind, name), Compared())
            entry |= {"proved": compared.proved, "shown": compared.shown}
            published.append(entry | {"not compared": compared.skipped})
        rest = [file for file in self.findings if file in self.job_of and file not in seen]
        strange = [
            f"{finding.file} {finding.what}"
            for file, findings in self.findings.items()
            if file not in self.job_of
            for finding in findings
        ]
        others = [*self.general, *strange, *self.reasons(rest)]
        verdict = "FAIL" if others or any(entry["reasons"] for entry in published) else "PASS"
        return {
            "verdict": verdict,
            "sentence": self.sentence(verdict, published, others),
            "uncommitted": self.uncommitted,
            "published": published,
            "others": others,
            "unproved": self.unproved(),
            "again": vars(self.again),
            "files": {
                file: [finding.what for finding in findings]
                for file, findings in sorted(self.findings.items())
            },
            "checked": dict(self.counts),
            "notes": self.notes,
        }

    def sentence(self, verdict: str, published: list[dict], others: list) -> str:
        """What the verdict means, in a line."""
        which = "committed reference" if self.repository else "reference that lies here"
        if verdict == "PASS":
            said = (
                "every published number follows from the current code, configuration and lock, "
                "every one that is printed as proved lies in its enclosure"
            )
            if self.compared:
                said += f", and all that are in the {which} agree with it"
        else:
            differing = [entry["differs from the reference"] for entry in published]
            failed = sum(
                len(entry["reasons"]) > count
                for entry, count in zip(published, differing, strict=True)
            )
            documents = any(entry["kind"] == "document" for entry in published)
            what = "figures, tables and the document" if documents else "figures and tables"
            said = (
                f"{failed} of {len(published)} {what} are not what the current "
                "code, configuration and lock make, "
            )
            if self.compared:
                said += f"{sum(map(bool, differing))} differ from the {which}, "
            said += f"and {len(others)} other things are wrong"
        said += f"; {self.proofs_in_words()}"
        skipped = [
            f"{entry['kind']} {entry['name']}" for entry in published for _ in entry["not compared"]
        ]
        if skipped:
            of = named(list(dict.fromkeys(skipped)))
            said += f"; {len(skipped)} numbers that have proofs to be compared with were not ({of})"
        beyond = [entry for entry in published if entry["beyond the reference"]]
        if beyond:
            of = named([f"{entry['kind']} {entry['name']}" for entry in beyond])
            said += (
                f"; the {which} is of another grid: {sum(self.beyond.values())} rows and columns "
                f"that only one of both has were compared with nothing ({of})"
            )
        said += f"; {self.again.in_words()}"
        if not self.compared:
            said += "; there is no committed reference for this configuration, so none was compared"
        if not self.repository:
            said += "; no commit vouches for programs, workflow and reference"
        if self.partial:
            names = named([f"{entry['kind']} {entry['name']}" for entry in published])
            said += f"; only {names} and what is behind was looked at"
        return f"{said}."


def named(names: list[str]) -> str:
    """The first few of some names, and how many more."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def printable(words: str) -> str:
    """Words that can be printed whatever files are called, which need not be text."""
    return words.encode(errors="backslashreplace").decode()


def published(jobs: list[Job], results: Path) -> Iterator[tuple[str, str, Job]]:
    """(kind, name, job) of every figure and table, and of the document, among some jobs."""
    for folder in PUBLISHED:
        for job in sorted(jobs, key=lambda job: job.outputs):
            if Path(job.outputs[0]).parent == Path(results) / folder:
                yield folder.removesuffix("s"), Path(job.outputs[0]).stem, job
    document = str(Path(results) / DOCUMENT)
    yield from (("document", "paper", job) for job in jobs if document in job.outputs)


def behind(job: Job, job_of: dict[str, Job]) -> list[str]:
    """The outputs of a job, and every file of results that it depends on.

    Args:
        job: where to begin.
        job_of: output -> job that makes it.
    """
    seen: dict[str, None] = {}
    queue = list(job.outputs)
    while queue:
        file = queue.pop()
        if file in seen or file not in job_of:
            continue
        seen[file] = None
        queue += job_of[file].inputs
    return list(seen)
