"""AUDIT.md: what it tells a referee to type gives what it says."""

import contextlib
import io
import re

import pytest

from audit.page import listed
from pipeline.storage import read_table
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


@pytest.mark.parametrize(
    ("count", "words"), [(5, "a; b; c; d; e"), (6, "a; b; c; d; e; and 1 more")]
)
def test_what_does_not_stand_in_a_line_is_counted(count, words):
    assert listed(list("abcdef")[:count]) == words
