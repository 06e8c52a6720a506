"""What fits in itself, and is not what the workflow makes, is found where it is made again."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from audit import again as audit_again
from audit.findings import Audit
from forging import follow, forge_arrays, forge_table, tell_anew
from implicit_l1.status import PROVED
from judging import verdicts
from pipeline.storage import read_origin
from pipeline.tidy import read_table

RESULTS = "results/smoke"
CELL = "gaussian_N20_d40_s2_eta0"
MINIMIZER = f"{RESULTS}/l1/{CELL}/reps0-2.npz"
PROOF = f"{RESULTS}/certificates/{CELL}/D2/alpha1e-6to1by2/reps0-2.parquet"


# --- figures and tables, whatever is said beside them ---

# where a finished run passes, all are made again

FORGED = [
    *("figures/depth.csv", "figures/depth.png", "figures/bounds.svg", "figures/bounds.pdf"),
    *("tables/cells.md", "tables/cells.tex", "tables/constants.html", "tables/constants.csv"),
]


def edit(path):
    """Another picture, or a number in a text."""
    raw = path.read_bytes()
    if path.suffix in (".png", ".pdf"):
        path.write_bytes(raw + b"\n")
        return
    text = raw.decode()
    digits = [match.start(1) for match in re.finditer(r"\d\.0*([1-8])\d", text)]
    place = digits[len(digits) // 2]
    path.write_text(text[:place] + str(int(text[place]) + 1) + text[place + 1 :], encoding="utf-8")


def test_figures_and_tables_that_fit_what_is_told_beside_them(copy, judge):
    for name in FORGED:
        edit(copy.folder / RESULTS / name)
        tell_anew(copy.folder, f"{RESULTS}/{name.partition('.')[0]}.json")
    judged = judge(size=1, only=sorted({Path(name).stem for name in FORGED}))
    assert judged.status == 1
    found = {file for file, whats in judged.report["files"].items() if "here:" in str(whats)}
    assert found == {f"{RESULTS}/{name}" for name in FORGED}
    assert verdicts(judged.report) == {
        name.partition(".")[0].replace("s/", " ", 1) for name in FORGED
    }
    assert judged.report["again"]["published"] == len(judged.report["published"]) >= 4


def test_a_figure_that_another_machine_made(copy, judge, monkeypatch):
    """Its bytes say nothing; its numbers must agree as far as they are printed."""

    def moved(told):
        return told | {"machine": "another one"}

    for name in ("depth", "noise", "phase"):
        tell_anew(copy.folder, f"{RESULTS}/figures/{name}.json", moved)
    edit(copy.folder / RESULTS / "figures/depth.png")
    tell_anew(copy.folder, f"{RESULTS}/figures/depth.json")
    edit(copy.folder / RESULTS / "figures/noise.csv")
    tell_anew(copy.folder, f"{RESULTS}/figures/noise.json")
    judged = judge(size=1, only=["depth", "noise", "phase"])
    assert {"figure noise"} == verdicts(judged.report) - {"table phase"}
    (what,) = judged.report["files"][f"{RESULTS}/figures/noise.csv"]
    assert what.startswith("is not what its rule makes of its inputs here: row ")
    pictures = {
        f"{RESULTS}/figures/{name}.{kind}"
        for name in ("depth", "noise", "phase")
        for kind in ("pdf", "svg", "png")
    }
    # and the numbers that are not the same byte for byte
    edited = {f"{RESULTS}/figures/noise.csv"}
    assert set(judged.report["again"]["elsewhere"]) == pictures | edited
    assert "10 files were made on another machine" in judged.page.split("\n")[0]


def test_what_a_program_does_not_tell_beside_a_figure(copy, judge):
    def more(told):
        return told | {"caption": "better"}

    tell_anew(copy.folder, f"{RESULTS}/figures/phase.json", more)
    found = judge(size=1, only=["phase"])
    (what,) = found.report["files"][f"{RESULTS}/figures/phase.json"]
    assert what == "is not what its rule makes of its inputs here: key caption"


# --- other jobs, a sample of them ---


def audited(said, folder, monkeypatch, *files):
    """What is found where the jobs of some files, and no others, are run again."""
    monkeypatch.chdir(folder)
    job_of = {file: job for job in said[0] for file in job.outputs}
    found = Audit([job_of[file] for file in files], said[0][0].outputs[0].partition("/")[0])
    found.told = {file: read_origin(file) for job in found.jobs for file in job.outputs}
    audit_again.make_again(found, None, 1, 1)
    return found


def shifted(table):
    """Enclosures by a part in 10^5 beside the true ones, as narrow as these."""
    of_the_first = table["repetition"] == 0
    for end in ("lower", "upper"):
        values = table.loc[of_the_first & (table["status"] == PROVED), end]
        table.loc[values.index, end] = [
            re.sub(r"^(-?\d\.?\d{4})(\d)", lambda m: f"{m[1]}{(int(m[2]) + 1) % 10}", value)
            for value in values
        ]
    return table


def test_a_forged_proof(copy, said, monkeypatch):
    forge_table(copy.folder / PROOF, shifted)
    found = audited(said, copy.folder, monkeypatch, PROOF)
    (finding,) = found.findings[PROOF]
    assert "is not what its rule makes of its inputs here: column lower, row 0" in finding.what
    assert found.again.proved == (read_table(PROOF)["status"] == PROVED).sum() > 0


@pytest.mark.parametrize("forged", [False, True])
def test_a_proof_of_another_machine(copy, said, monkeypatch, forged):
    """Its ends may be others, by a few units of the last digit: but it overlaps."""

    def changed(table):
        table = shifted(table) if forged else table
        # 25 digits are printed, the enclosures are narrower
        table["upper"] = table["upper"].str.replace(r"(\d)(\d)(e|$)", r"\g<1>9\3", regex=True)
        return table

    forge_table(copy.folder / PROOF, changed)
    monkeypatch.setattr(audit_again, "machine", lambda: "another one")
    found = audited(said, copy.folder, monkeypatch, PROOF)
    assert (PROOF in found.findings) == forged
    assert not found.again.elsewhere


def test_an_array_that_fits_what_is_told(copy, said, monkeypatch):
    forge_arrays(copy.folder / MINIMIZER, lambda arrays: arrays | {"kappa": 2 * arrays["kappa"]})
    found = audited(said, copy.folder, monkeypatch, MINIMIZER)
    (finding,) = found.findings[MINIMIZER]
    assert finding.what == "is not what its rule makes of its inputs here: array kappa"


def test_what_is_forged_with_all_that_follows_from_it(copy, said, judge):
    """Whoever can write results can write checksums: only what is made again is not fooled."""
    forge_arrays(copy.folder / MINIMIZER, lambda arrays: arrays | {"kappa": 2 * arrays["kappa"]})
    follow(copy.folder, MINIMIZER, said[0])
    read = judge()
    assert not any("another version" in str(whats) for whats in read.report["files"].values())
    again = judge(size=None, only=["cells"])
    assert "array kappa" in str(again.report["files"][MINIMIZER])


def test_the_sample_is_drawn_afresh_and_as_large_as_asked(said):
    jobs, _ = said
    proofs = {job for job in jobs if any(map(audit_again.is_proof, job.outputs))}
    others = set(jobs) - proofs
    assert {Path(job.command[0]).stem for job in proofs} == {
        *("certificates", "orders", "trajectory_certificates"),
    }
    drawn = [audit_again.sample(jobs, 5, seed) for seed in range(10)]
    for chosen in drawn:
        assert len(set(chosen) & proofs) == len(set(chosen) & others) == 5
    assert len({frozenset(chosen) for chosen in drawn}) == 10
    assert drawn[0] == audit_again.sample(jobs, 5, 0)
    assert audit_again.sample(jobs, None, 0) == jobs
    assert set(audit_again.sample(jobs, 10**6, 0)) == set(jobs)


@pytest.mark.parametrize(
    ("file", "proof"),
    [
        ("results/certificates/a/D2/path/reps0-2.parquet", True),
        ("results/bound_certificates/a/D2/path/reps0-2.parquet", True),
        ("results/orders/a/reps0-2/order1_certificates.parquet", True),
        ("results/bounds/a/D2/path/reps0-2.parquet", False),
        ("results/l1/certificates.npz", False),
    ],
)
def test_tables_of_enclosures_are_known_by_their_places(file, proof):
    assert audit_again.is_proof(file) == proof


def test_what_cannot_be_made_again_is_said(copy, said, monkeypatch):
    begin = "def main() -> None:\n"
    copy.replace("scripts/stages/l1.py", begin, f"{begin}    raise SystemExit('no')\n")
    found = audited(said, copy.folder, monkeypatch, MINIMIZER)
    assert [finding.what for finding in found.findings[MINIMIZER]] == ["cannot be made again (no)"]


def test_tables_that_are_not_the_same_are_told_where(copy):
    table = read_table(copy.folder / PROOF)
    assert audit_again.differing_tables(table, table.copy()) == []
    assert audit_again.differing_tables(table, table.iloc[1:]) != []
    assert audit_again.differing_tables(table, table.rename(columns={"lower": "low"})) != []
    other = table.assign(N=table["N"].where(table.index != 3, 7))
    assert audit_again.differing_tables(table, other) == ["column N, row 3: 20.0, now 7.0"]
    assert audit_again.differing_tables(table, table.astype({"N": int})) != []
    one, two = (pd.DataFrame({"x": values}) for values in ([1, 2, np.nan], [1, np.nan, np.nan]))
    assert audit_again.differing_tables(one, two) == ["column x, row 1: 2.0, now nan"]
    assert audit_again.differing_tables(two, one) == ["column x, row 1: nan, now 2.0"]


def enclosures(lower="1.0", upper="1.001", **more):
    row = {"repetition": 0, "time": 2.0, "quantity": "error_1", "log10_alpha": -4.0}
    return pd.DataFrame([row | {"lower": lower, "upper": upper, "status": PROVED} | more])


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (enclosures("1.0001", "1.002"), None),
        (enclosures("1.002", "1.003"), "from 1.0 to 1.001, now from 1.002 to 1.003"),
        # one that agrees with everything
        (enclosures("1.0001", "1.00010001"), "from 1.0 to 1.001, now from 1.0001 to 1.00010001"),
        (enclosures(time=3.0), "are others"),
        (enclosures(log10_alpha=-5.0), "are others"),
        (enclosures(status="not proved: it is hard"), "are others"),
    ],
)
def test_enclosures_of_another_machine_agree(made, words):
    found = audit_again.differing_enclosures(enclosures(), made)
    assert [words in what for what in found] == ([] if words is None else [True])


def test_arrays_that_are_not_the_same_are_named():
    """One that is there alone, on either side, or that has other bits."""
    ones = {"a": np.ones(2), "b": np.ones(2)}
    assert audit_again.differing_arrays(ones, ones) == []
    assert audit_again.differing_arrays(ones, {"a": np.ones(2)}) == ["array b"]
    assert audit_again.differing_arrays({"b": np.ones(2)}, ones) == ["array a"]
    assert audit_again.differing_arrays(ones, ones | {"b": -np.ones(2)}) == ["array b"]
