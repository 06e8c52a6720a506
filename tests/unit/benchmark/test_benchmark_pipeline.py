"""Benchmark pipeline: what it reads off the runs of a workflow of two rules."""

import csv
import shlex
import sys
from collections import Counter

import pytest

from benchmark import whole_run as benchmark_pipeline
from benchmark.whole_run import Imports, Timing
from workflow_runs import script

pytestmark = pytest.mark.long

SNAKEFILE = """
rule all:
    input: "results/tiny/last"

rule first:
    output: "results/tiny/first"
    log: "results/tiny/logs/first/a.log"
    benchmark: "results/tiny/benchmarks/first/a.tsv"
    shell: "{python} scripts/program.py &> {{log}}; touch {{output}}"

rule last:
    input: "results/tiny/first"
    output: "results/tiny/last"
    log: "results/tiny/logs/last.log"
    shell: "{last} 2> {{log}}"
"""


# waits, and where imports are asked for tells of one that takes longer than all others together
PROGRAM = """
import os, sys, time
time.sleep(0.2)
if "PYTHONPROFILEIMPORTTIME" in os.environ:
    print("import time:  90000000 |   90000000 | heavy.part", file=sys.stderr)
"""


def project(folder, last="touch {output}"):
    (folder / "config").mkdir()
    (folder / "config/tiny.yaml").write_text("results: results/tiny\n", encoding="utf-8")
    text = SNAKEFILE.format(python=shlex.quote(sys.executable), last=last)
    (folder / "Snakefile").write_text(text, encoding="utf-8")
    (folder / "scripts").mkdir()
    (folder / "scripts/program.py").write_text(PROGRAM, encoding="utf-8")
    # what is not copied
    (folder / "results").mkdir()
    (folder / "results/old").touch()
    return folder


def program(folder):
    words = ["--configuration", "config/tiny.yaml", "--cores", "1", "--repetitions", "1"]
    words += ["--csv", folder / "pipeline.csv", "--summary", folder / "summary.csv"]
    return script("benchmark/whole_run", *words, "--project", folder)


def rows(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_run_is_divided_into_its_parts(tmp_path):
    result = program(project(tmp_path))
    assert result.returncode == 0, result.stderr
    # the other rule starts no interpreter
    (stage,) = rows(tmp_path / "pipeline.csv")
    assert (stage["stage"], stage["jobs"], stage["processes"]) == ("first", "1", "1")
    # of runs in which no imports are asked for, and of one more
    assert float(stage["seconds"]) >= 0.2
    assert float(stage["imports"]) > 80 and stage["packages"].startswith("heavy 90.00; ")
    (row,) = rows(tmp_path / "summary.csv")
    assert (row["configuration"], row["cores"], row["runs"]) == ("config/tiny.yaml", "1", "1")
    assert float(row["imports_seconds"]) > 80 and float(row["seconds"]) >= 0.2
    # nothing was run in the project itself
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["old"]
    assert not (tmp_path / ".snakemake").exists()


def test_a_run_that_fails_is_named(tmp_path):
    result = program(project(tmp_path, last="echo no such luck >&2; exit 3"))
    assert result.returncode == 1
    assert "config/tiny.yaml failed" in result.stderr
    assert "Traceback" not in result.stderr


def test_import_times_are_those_of_each_module_alone():
    text = """import time: self [us] | cumulative | imported package
import time:       100 |        100 |     numpy.linalg
something that the program says
import time:       200 |        300 |   numpy
import time: self [us] | cumulative | imported package
import time:        50 |         50 | json
"""
    found = benchmark_pipeline.read_imports(text)
    assert found.processes == 2
    assert found.packages == pytest.approx({"numpy": 3e-4, "json": 5e-5})


def test_seconds_of_a_stage_are_start_imports_and_the_rest():
    start = {"python": 0.02, "bash": 0.005, "packages": 0.01}
    runs = [{"l1": [2.0, seconds]} for seconds in (1.0, 3.0, 2.0)]
    imports = {"l1": Imports(2, Counter(scipy=0.5, numpy=0.25)), "configuration": Imports(0, {})}
    table = benchmark_pipeline.stages(runs, imports, start)
    (row,) = table.to_dict("records")
    assert row == {
        "stage": "l1",
        "jobs": 2,
        "processes": 2,
        "seconds": 4.0,
        "startup": pytest.approx(0.05),
        # less what a bare interpreter imports
        "imports": pytest.approx(0.73),
        "arithmetic": pytest.approx(3.22),
        "packages": "scipy 0.50; numpy 0.25",
    }
    timings = [Timing(5.0, 1.0, 3.0), Timing(7.0, 1.0, 3.0)]
    found = benchmark_pipeline.summary(timings, table)
    assert (found["seconds"], found["fastest"], found["slowest"]) == (6.0, 5.0, 7.0)
    assert found["imports_seconds"] == pytest.approx(0.78)
    assert found["arithmetic_share"] == pytest.approx((3.0 - 0.78) / 4.0)
