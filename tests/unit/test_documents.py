"""What readers are shown in Python runs, and says what it claims."""

import re
import runpy
import shutil

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


def test_the_tour(elsewhere):
    """Its assertions are the claims."""
    shutil.copy(ROOT / "docs/tour.py", elsewhere)
    found = runpy.run_path(str(elsewhere / "tour.py"))
    assert found["errors"] and len(found["axes"][1].lines) == 4
