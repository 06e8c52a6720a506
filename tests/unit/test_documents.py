"""What readers are shown in Python runs, and says what it claims."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

from workflow_runs import ROOT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own, and no window."""
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("agg")
    yield tmp_path
    plt.close("all")


def test_the_python_of_the_readme(elsewhere, capsys):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\nimport matplotlib.*?\n(.*?)```", text, re.DOTALL)
    exec(compile("import matplotlib.pyplot as plt\n" + block, "README.md", "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert "certified unique [0 1 2] 0.50" in "\n".join(said)
    assert (elsewhere / "error.png").stat().st_size > 0
    for approximate, proved in zip(said[-4::2], said[-3::2], strict=True):
        lower, upper = map(float, re.findall(r"Decimal\('(.*?)'\)", proved))
        assert lower * (1 - 1e-9) <= float(approximate) <= upper * (1 + 1e-9)


def test_the_tour_runs_as_the_pages_say(monkeypatch):
    command = "PYTHONPATH=scripts python docs/tour.py"
    for page in ("README.md", "docs/tour.py"):
        assert f"`{command}`" in (ROOT / page).read_text(encoding="utf-8")
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("MPLBACKEND", "agg")
    ended = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "error at alpha = 1e-200: " in ended.stdout


def test_the_tour(elsewhere):
    """Its assertions are the claims."""
    shutil.copy(ROOT / "docs/tour.py", elsewhere)
    found = runpy.run_path(str(elsewhere / "tour.py"))
    assert found["errors"] and len(found["axes"][1].lines) == 4
