"""A copy of the project in which a test can run Snakemake and change files."""

import functools
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipeline.calls import KEPT
from planning.stages import STAGES

ROOT = Path(__file__).resolve().parents[1]
PARTS = [
    *("Makefile", "Snakefile", "profiles", "config", "scripts", "workflow"),
    *("requirements.in", "requirements.txt", "requirements-benchmark.txt", "environment.yml"),
    *("CITATION.cff", "LICENSE", "README.md"),
]


def script(name, *words, folder=None, **changes):
    """Run a program of scripts/ with these words: what subprocess.run gives, with its texts.

    Args:
        name: of the program, its path below scripts/ without .py.
        folder: to run it in, the test's own if None.
        changes: of the environment.
    """
    return run_preloaded(
        [str(ROOT / "scripts" / f"{name}.py"), *map(str, words)],
        folder or Path.cwd(),
        os.environ | changes,
    )


@functools.cache
def preloaded():
    """The process that runs programs; it ends with this one, which holds its standard input."""
    return subprocess.Popen(
        [sys.executable, Path(__file__).with_name("preloaded.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # a plan changes nothing
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"},
    )


def run_preloaded(words, folder, environment):
    """Run a file or a module like subprocess.run, as a fork of a process that has the libraries."""
    process = preloaded()
    with tempfile.TemporaryDirectory() as said:
        names = [f"{said}/out", f"{said}/err"]
        request = {"words": words, "folder": str(folder), "said": names}
        process.stdin.write(json.dumps(request | {"environment": dict(environment)}) + "\n")
        process.stdin.flush()
        status = int(process.stdout.readline())
        texts = [Path(name).read_text(encoding="utf-8") for name in names]
    return subprocess.CompletedProcess(words, status, *texts)


def environment():
    """Of a run: its lines are not cut, its jobs need not compile what the one before did, and where
    programs lie, which the tests are told by PYTHONPATH, is for the workflow to say."""
    own = {"COLUMNS": "10000", "PYTHONDONTWRITEBYTECODE": ""}
    path = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    others = [part for part in path if Path(part).name not in ("scripts", "workflow")]
    told = {"PYTHONPATH": os.pathsep.join(others)} if others else {}
    # what `make check CORES=1` tells a make that it starts
    left_out = ("PYTHONPATH", "MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
    return {name: text for name, text in os.environ.items() if name not in left_out} | told | own


def stage_of(rule):
    """The stage of a rule, whose name it begins: limit of limit_gaussian_N20_d40_1."""
    stages = [name for name in (*STAGES, "figures", "tables") if rule.startswith(f"{name}_")]
    return max(stages, key=len, default=rule)


def stand_in(folder):
    """An environment as `make` sets it up, whose programs are those of this process."""
    (folder / "bin").mkdir(parents=True)
    for name, words in (("python", ""), ("snakemake", "-m snakemake")):
        program = folder / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
        program.chmod(0o755)
    (folder / "installed").touch()


def enter(commands, folder, **variables):
    """What commands say that are typed in a project's folder, as the pages have them.

    Those of make are about the smoke grid.  In the calls of this function tests/unit/test_pages.py
    reads which commands are tried.
    """
    result = subprocess.run(
        ["bash", "-ec", commands],
        cwd=folder,
        env=environment() | {"CONFIG": "config/smoke.yaml", "CORES": "2"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


class RunFailed(Exception):
    """A run of Snakemake did not do what was asked of it; the message is why."""


class Project:
    """The project's files, copied to a folder of their own."""

    def __init__(self, folder, results=None):
        """Copy this repository, or another project with its results."""
        self.folder = Path(folder)
        # the byte code of another project is compared with its source; here it may be anyone's
        ignore = None if results else shutil.ignore_patterns("__pycache__")
        for part in PARTS:
            source, target = (results.folder if results else ROOT) / part, self.folder / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=ignore)
            else:
                shutil.copy2(source, target)
        stand_in(self.folder / ".venv")
        self.said = ""
        if results is not None:  # another project's results, with what Snakemake knows of them
            for part in ("results", ".snakemake"):
                shutil.copytree(results.folder / part, self.folder / part)

    @classmethod
    def at(cls, folder):
        """The one that lies in a folder."""
        project = cls.__new__(cls)
        project.folder = Path(folder)
        return project

    def command(self, *arguments, config="config/smoke.yaml"):
        return [
            # --configfile takes all that follow it, so an option comes between it and targets
            *(sys.executable, "-m", "snakemake", "--configfile", config, "--cores", "2"),
            *arguments,
        ]

    def snakemake(self, *arguments, config="config/smoke.yaml"):
        return subprocess.run(
            self.command(*arguments, config=config),
            cwd=self.folder,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, *arguments, config="config/smoke.yaml"):
        result = self.snakemake(*arguments, config=config)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def plan(self, *arguments, config="config/smoke.yaml"):
        """What Snakemake says that it would do."""
        words = ["--dry-run", *self.command(*arguments, config=config)[3:]]
        result = run_preloaded(["snakemake", *words], self.folder, environment())
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    def scheduled(self, *targets, config="config/smoke.yaml"):
        """Stage -> outputs of the jobs that a run would start, those that it would keep included.

        Rule all is left out.
        """
        jobs = {}
        for stage, lines in self._jobs(*targets, config=config):
            files = lines["output"].replace(" (update)", "").split(", ")
            jobs.setdefault(stage, []).extend(files)
        return jobs

    def reasons(self, config="config/smoke.yaml"):
        """Stage -> all reasons for which a run would start its jobs."""
        found = {}
        for stage, lines in self._jobs(config=config):
            found.setdefault(stage, set()).update(lines["reason"].split("; "))
        return found

    def _jobs(self, *targets, config):
        report = self.plan("--", *targets, config=config)
        for block in re.split(r"^\[.*\]$", report, flags=re.MULTILINE)[1:]:
            lines = re.findall(r"^\s*(output|reason|(?:local)?rule \S+): *(.*)$", block, re.M)
            (rule,) = (key.split()[1] for key, _ in lines if "rule " in key)
            if rule != "all":
                yield stage_of(rule), dict(lines)

    def run_and_see(self, *targets, config="config/smoke.yaml"):
        """Run, for everything or some files; stage -> the files made, less those kept.

        What the run says is in `said` then.
        """
        jobs = self.scheduled(*targets, config=config)
        self.said = self.run("--", *targets, config=config)
        logs = (self.folder / "results").glob("**/logs/**/*.log")
        said = [line for log in logs for line in log.read_text(encoding="utf-8").splitlines()]
        kept = {line.removesuffix(KEPT) for line in said if line.endswith(KEPT)}
        return {stage: set(files) - kept for stage, files in jobs.items()}

    def kill_while_running(self, after):
        """Start a run and kill it, with its jobs, when that many outputs exist.

        Raises:
            RunFailed: if the run ends before, with what it said.
        """
        with tempfile.TemporaryFile() as said:
            process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=environment(),
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                while len(self.outputs()) < after:
                    if process.poll() is not None:
                        said.seek(0)
                        raise RunFailed(
                            "the run ended before it could be killed: "
                            f"status {process.returncode}, {len(self.outputs())} of {after} files\n"
                            + said.read().decode(errors="replace")
                        )
                    time.sleep(0.02)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def outputs(self):
        """Name -> path of every result; logs and timings are not results."""
        results = self.folder / "results"
        return {
            str(path.relative_to(results)): path
            for path in sorted(results.rglob("*"))
            if path.is_file() and not {"logs", "benchmarks"} & set(path.parts)
        }

    def checksums(self):
        """Name -> SHA-256 of every result."""
        return {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in self.outputs().items()
        }

    def replace(self, path, old, new):
        """Change a file's text, once."""
        text = (self.folder / path).read_text(encoding="utf-8")
        assert text.count(old) >= 1, f"{path} does not contain {old!r}"
        (self.folder / path).write_text(text.replace(old, new), encoding="utf-8")
