"""Audits of a copy of a finished run, in the process of the test."""

import contextlib
import io
import sys
from dataclasses import dataclass

from audit import judge as audit
from audit.findings import Audit
from audit.page import as_page
from audit.workflow_queries import read_jobs, states_of


@dataclass(frozen=True)
class Judged:
    """The exit status of an audit, its page and its report."""

    status: int
    page: str
    report: dict


def what_is_said(project):
    """What the workflow says of a finished run: its jobs, and the states of their outputs."""
    jobs = project.plan("--forceall", "--printshellcmds", "--nocolor", "--", "all")
    return read_jobs(jobs), states_of(project.snakemake("--summary", "--", "all").stdout)


def judged(said, size=0, only=()):
    """An audit of the run in this folder, that knows nothing of what was changed since.

    Its environment is left out, which is the same in all tests; and so is what is made again, if no
    size of a sample is given.
    """
    jobs, states = said
    configuration, results = audit.configuration_of(jobs)
    found = Audit(audit.chosen(jobs, results, only), results, jobs)
    audit.judge(found, configuration, states, size, seed=1, workers=2)
    report = found.report() | {"environment": {}}
    return Judged(int(report["verdict"] != "PASS"), as_page(report), report)


def completed(project, monkeypatch, *only):
    """The page of an audit of a project that makes what is missing first, as `make audit` does.

    Its environment is left out, and nothing but what is missing is made again.

    Args:
        only: names of the figures and tables that are judged; all of them if there are none.
    """
    words = ["--snakefile", "Snakefile", "--configfile", "config/smoke.yaml"]
    words += ["--complete", "--again", "0", *(["--only", *only] if only else [])]
    page = io.StringIO()
    with monkeypatch.context() as patch, contextlib.redirect_stdout(page):
        patch.chdir(project.folder)
        patch.setattr(audit, "ROOT", project.folder)
        patch.setattr(audit, "check_packages", lambda found, lock: None)
        patch.setattr(sys, "argv", ["judge.py", *words])
        try:
            audit.main()
        except SystemExit as end:
            assert end.code == 1, end.code
            assert not page.getvalue().startswith("PASS")
        else:
            assert page.getvalue().startswith("PASS")
    return page.getvalue()


def verdicts(report):
    """Figures and tables that fail."""
    return {
        f"{entry['kind']} {entry['name']}"
        for entry in report["published"]
        if entry["verdict"] == "FAIL"
    }
