"""What a run says while it goes on."""

import logging

import pytest
from snakemake.logging import DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from pipeline.calls import KEPT
from planning import configuration, progress, reading
from planning.plan import Plan
from planning.progress import Progress, clock, shortened
from workflow_runs import ROOT

CELLS = {"a": {"limit_1", "rates_1"}, "b": {"limit_1"}, "c": {"limit_2"}}


def record(event, words="", **values):
    made = logging.makeLogRecord({"msg": words, "levelno": logging.INFO, "event": event})
    made.__dict__.update(values)
    return made


@pytest.fixture
def said(monkeypatch):
    """What is said of an event of a run in which ten seconds pass between two."""
    clocks = iter(range(100, 1000, 10))
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clocks))
    shown = Progress(CELLS)
    formatter = DefaultFormatter()
    assert shown.filter(record(LogEvent.RUN_INFO, "Job stats", stats={"limit_1": 1, "rates_1": 1}))

    def say(*event, **values):
        made = record(*event, **values)
        return formatter.format(made) if shown.filter(made) else None

    say.progress = shown
    return say


JOB = {
    "rule_msg": None, "rule_name": "limit_1", "jobid": 7, "reason": "Missing: " + "file" * 99,
    "local": True, "is_checkpoint": False, "input": ["code.py"] * 99, "output": ["x"], "log": [],
    "benchmark": None, "wildcards": {}, "priority": 0, "threads": 1, "resources": {},
}  # fmt: skip


def test_a_dry_run_names_every_file(said):
    assert said(LogEvent.JOB_INFO, **JOB).count("code.py") == 99


def test_a_job_is_its_rule_and_a_reason(said):
    said.progress.begin()
    _, *lines = said(LogEvent.JOB_INFO, **JOB).splitlines()
    assert lines[0] == "Job 7: limit_1"
    assert lines[1:] == [f"Reason: Missing: {'file' * 19}fil ..."]
    assert len(lines[1]) == 100


def test_cells_are_done_when_all_their_rules_are(said):
    """Of three cells two have something to do; of each the path of scales counts."""
    said.progress.begin()
    said(LogEvent.JOB_INFO, **JOB)
    assert said(LogEvent.JOB_FINISHED, "Finished", job_id=7) is None
    words = said(LogEvent.PROGRESS, done=1, total=4)
    done = "done in 0:10, 1 files made, 0 kept"
    assert words == f"1 of 4 jobs, 1 of 2 cells {done}, about 0:30 left"
    said(LogEvent.JOB_INFO, **JOB | {"jobid": 8, "rule_name": "rates_1"})
    said(LogEvent.JOB_FINISHED, "Finished", job_id=8)
    words = said(LogEvent.PROGRESS, done=4, total=4)
    assert words == "4 of 4 jobs, 2 of 2 cells done in 0:20, 2 files made, 0 kept"
    assert not said.progress.published
    said(LogEvent.JOB_INFO, **JOB | {"jobid": 9, "rule_name": "figures_depth"})
    assert said.progress.published


def test_files_that_a_job_keeps_are_counted(said, tmp_path):
    """As its log names them; of a log that is not there none."""
    log = tmp_path / "job.log"
    log.write_text(f"a.npz{KEPT}\nb.npz{KEPT}\na warning\n", encoding="utf-8")
    said.progress.begin()
    for job, logs in ((7, [log]), (8, [tmp_path / "none.log"])):
        said(LogEvent.JOB_INFO, **JOB | {"jobid": job, "output": ["a", "b", "c"], "log": logs})
        said(LogEvent.JOB_FINISHED, "Finished", job_id=job)
    assert said.progress.files == "4 files made, 2 kept"
    assert "4 files made, 2 kept" in said(LogEvent.PROGRESS, done=2, total=2)


def test_what_a_failure_says_keeps_its_ends(said):
    said.progress.begin()
    command = f"python stages/limit.py {'word ' * 999} &> limit.log"
    error = {"rule_name": "limit_1", "rule_msg": None, "jobid": 7, "input": ["code.py"] * 99}
    error |= {"output": ["out"], "log": ["limit.log"], "conda_env": None, "aux": {}}
    words = said(LogEvent.JOB_ERROR, "", **error, shellcmd=command)
    assert "Error in rule limit_1" in words and "python stages/limit.py" in words
    assert "&> limit.log" in words and "code.py" not in words and len(words) < 500
    place = "RuleException:\nCalledProcessError in file x, line 1:\n"
    lines = command.replace("word", "seed: 1\n")  # as a configuration in a command
    words = said(LogEvent.ERROR, f"{place}Command '{lines}' died with <Signals.SIGKILL: 9>.")
    assert words.startswith(f"{place}Command 'python")
    assert words.endswith("&> limit.log' died with <Signals.SIGKILL: 9>.")
    assert len(words) < 350 and words.count("\n") == 2


def test_nothing_is_said_of_scheduling_and_all_of_the_rest(said):
    said.progress.begin()
    assert said(None, "Select jobs to execute...") is None
    assert said(LogEvent.JOB_STARTED, "Execute 1 jobs...") is None
    assert said(None, "Complete log(s): x") == "Complete log(s): x"


def test_times_and_long_lines():
    assert [clock(seconds) for seconds in (0, 59.6, 3599, 3600, 36061)] == [
        *("0:00", "1:00", "59:59", "1:00:00", "10:01:01")
    ]
    assert shortened("a\n  b") == "a b"
    assert shortened("x" * 200) == "x" * 200


def test_every_cell_has_rules():
    plan = Plan(configuration.validate(reading.load(ROOT / "config/smoke.yaml")))
    rules = plan.rules_of_cells()
    assert set(rules) == {cell.name for cell in plan.cells}
    assert all(any(rule.startswith("limit_") for rule in found) for found in rules.values())
