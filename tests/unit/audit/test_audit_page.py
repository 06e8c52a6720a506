"""AUDIT.md and docs/referee.md: what they tell a referee to type gives what they say."""

import contextlib
import io
import re

import pandas as pd
import pytest

from audit.page import listed
from pipeline.tidy import read_table
from workflow_runs import ROOT

CELL, SMALL_CELL = "gaussian_N100_d400_s8_eta0.1/reps0-19", "gaussian_N20_d40_s2_eta0.1/reps0-2"


def test_a_number_computed_by_hand_is_the_certified_one(finished, monkeypatch):
    text = (ROOT / "AUDIT.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert CELL in code
    assert f"results/certificates/{CELL}.parquet" in text
    code = code.replace(CELL, SMALL_CELL).replace('f"results/', 'f"results/smoke/')
    monkeypatch.chdir(finished.folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    proofs = read_table(f"results/smoke/certificates/{SMALL_CELL}.parquet")
    (lower,) = proofs.query("repetition == 0 and quantity == 'rho'")["lower"]
    # printed to 20 digits, certified to 25
    assert printed.getvalue().strip()[:19] == lower[:19]


def test_the_plotted_medians_that_a_referee_sees_proved(finished, monkeypatch):
    text = (ROOT / "docs/referee.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    for published, small in (
        ('Path("results")', 'Path("results/smoke")'),
        ("gaussian_N100_d400_s8_eta", "gaussian_N20_d40_s2_eta"),
        ("alpha1e-12to1by4", "alpha1e-6to1by2"),
    ):
        assert code.count(published) == 1
        code = code.replace(published, small)
    monkeypatch.chdir(finished.folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {})
    lines = printed.getvalue().splitlines()
    cells = pd.read_csv("results/smoke/figures/depth.csv").groupby(["eta", "depth"])
    assert len(lines) == len(cells) > 1
    for line in lines:
        plotted, lower, upper = map(float, re.findall(r"(\S+) (?:plotted|to|proved)", line))
        # plotted to six digits
        assert lower * (1 - 1e-5) <= plotted <= upper * (1 + 1e-5)


@pytest.mark.parametrize(
    ("count", "words"), [(5, "a; b; c; d; e"), (6, "a; b; c; d; e; and 1 more")]
)
def test_what_does_not_stand_in_a_line_is_counted(count, words):
    assert listed(list("abcdef")[:count]) == words
