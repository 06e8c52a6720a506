"""The document: what its text can cite, what stops it, how it is made and audited."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from docutils.utils import SystemMessage

from audit import again
from audit.findings import Audit
from audit.origins import check_origins
from export.document.captions import in_typst
from export.document.markup import listed, signs, text
from export.document.shown import Frame, Table
from export.paper import Document
from forging import tell_anew
from implicit_l1.proof.intervals import is_number, stands_for
from judging import judged, verdicts, what_is_said
from pipeline.command_line import Failure
from pipeline.origin import checksum
from pipeline.storage import DamagedFileError, written_origin
from tables.rendering import column_of, heading_of
from workflow_runs import ROOT, Project, enter, environment

RESULTS = Path("results/smoke")
PDF, ORIGIN = f"{RESULTS}/paper.pdf", f"{RESULTS}/paper.json"

# --- what a text can cite, and what it cannot ---

CSV = """\
ensemble,N,d,s,eta,m,family_rho,depth,alpha,certified,rho,fitted_rate_float,kappa,unproved
gaussian,20,40,2,0,,,2,1e-12,3,0.4572774483,0.551920,1.5,
gaussian,20,40,2,0.1,,,2,1e-12,3,0.9968744629,0.040560,,kappa: not known
gaussian,20,40,2,0.1,,,3,1e-12,3,0.9968744629,-1.5e-07,2.0,
gaussian,20,40,2,0.1,,,3,1e-06,3,0.9968744629,,2.0,
"""
MARKDOWN = """\
| ensemble | N | d | s | η | D | α | certified unique | ϱ | fitted rate † | κ | not proved |
|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|:--|
| gaussian | 20 | 40 | 2 | 0   | 2 | 1e-12 | 3 | 0.4573 | 0.5519   | 1.5 | |
| gaussian | 20 | 40 | 2 | 0.1 | 2 | 1e-12 | 3 | 0.9969 | 0.0406   |     | kappa: \\|not known\\| |
| gaussian | 20 | 40 | 2 | 0.1 | 3 | 1e-12 | 3 | 0.9969 | -1.5e-07 | 2   | |
| gaussian | 20 | 40 | 2 | 0.1 | 3 | 1e-06 | 3 | 0.9969 |          | 2   | |

† floating point, not proved; g\\* is the minimizer.
"""
CELL = {"ensemble": "gaussian", "N": 20, "d": 40, "s": 2, "eta": 0.1, "depth": 2}
DEEP = CELL | {"depth": 3}


def write(folder, **texts):
    """A table as the workflow leaves it."""
    files = {folder / f"rates.{kind}": content for kind, content in texts.items()}
    for path, content in files.items():
        path.write_text(content, encoding="utf-8")
    told = {"files": {str(path): checksum(path) for path in files}, "sources": {}}
    (folder / "rates.json").write_text(written_origin(told), encoding="utf-8")
    return folder


@pytest.fixture
def table(tmp_path):
    return Table.read(write(tmp_path, csv=CSV, md=MARKDOWN), "rates")


def test_rows_are_counted_with_the_mark_of_the_column(table):
    assert table.counted("rho", "0.9968744629") == "3"
    assert table.counted("rho", "0.9968744629", depth=3) == "2"
    assert table.counted("fitted_rate", "0.040560", depth=2) == "1#dagger;"
    assert table.counted("unproved", "of no row") == "0"


def test_a_number_is_that_of_the_table_with_its_mark(table):
    assert table.cited("rho", CELL) == '#"0.9969";'
    assert table.cited("rho", CELL | {"eta": 0}) == '#"0.4573";'
    assert table.cited("fitted_rate", CELL) == '#"0.0406";#dagger;'
    tiny = table.cited("fitted_rate", DEEP, alpha=1e-12)
    assert tiny == '#"−1.5\u202f·\u202f10";#super[#"−7";]#dagger;'
    assert table.total("certified") == 12


@pytest.mark.parametrize(
    ("column", "cell", "more", "words"),
    [
        ("rho", CELL | {"eta": 0.4}, {}, "0 rows have .*eta = 0.4.*; rho is asked of one"),
        ("rho", CELL | {"m": 3}, {}, "0 rows have .*m = 3"),
        ("rho", {}, {}, "0 rows"),
        ("rho", DEEP, {}, "2 rows have .*depth = 3"),
        ("kappa", CELL, {}, r"kappa is empty where .*depth = 2 \(kappa: not known\)"),
        ("fitted_rate", DEEP, {"alpha": 1e-6}, "fitted_rate is empty where .*alpha = 1e-06"),
        ("sigma", CELL, {}, "has no column sigma"),
        ("rho", CELL, {"beta": 1}, "has no column beta"),
    ],
)
def test_a_number_that_is_not_there_is_named(table, column, cell, more, words):
    with pytest.raises(Failure, match=f"rates.csv.*{words}"):
        table.cited(column, cell, **more)


def test_an_excerpt_says_once_what_all_its_rows_have(table):
    same, rest = table.excerpt([DEEP], ["fitted_rate", "kappa"])
    assert same == {"ensemble": "gaussian", "N": "20", "d": "40", "s": "2", "η": "0.1", "D": "3"}
    assert rest.to_dict("list") == {
        "α": ["1e-12", "1e-06"],
        "fitted rate †": ["-1.5e-07", ""],
        "κ": ["2", "2"],
    }
    assert len(table.excerpt(None, None)[1]) == 4
    assert table.excerpt([CELL], None)[1]["not proved"].item() == "kappa: |not known|"
    with pytest.raises(Failure, match="no row of those that the text shows"):
        table.excerpt([CELL | {"N": 21}], None)
    assert table.note == "† floating point, not proved; g* is the minimizer."


def test_every_number_of_plotted_data_has_the_mark(tmp_path):
    frame = Frame.read(
        write(tmp_path, csv="eta,depth,median,outcome\n0.1,2,0.0123456,ended\n"), "rates"
    )
    assert frame.number("median", CELL, digits=3) == '#"0.0123";#dagger;'
    with pytest.raises(Failure, match=r"outcome is no number where .*, but: ended"):
        frame.number("outcome", CELL, digits=3)


@pytest.mark.parametrize("kind", ["csv", "md"])
def test_a_table_that_was_edited_is_not_cited(tmp_path, kind):
    path = write(tmp_path, csv=CSV, md=MARKDOWN) / f"rates.{kind}"
    path.write_text(path.read_text("utf-8").replace("0.9969", "0.9968", 1), encoding="utf-8")
    path.write_text(path.read_text("utf-8").replace("0.99687", "0.99688", 1), encoding="utf-8")
    with pytest.raises(DamagedFileError, match=f"rates.{kind} is damaged"):
        Table.read(tmp_path, "rates")


def test_signs_as_typst_writes_them():
    assert text('a "quoted" \\ and #code') == '#"a \\"quoted\\" \\\\ and #code";'
    assert signs("at 1e-4, not x1e-4") == '#"at ";#"10";#super[#"−4";]#", not x1e-4";'
    assert signs("10^7.8 times ϱ~") == '10#super[#"7.8";]#" times ";$tilde(rho.alt)$'
    assert listed(["a", "b", "c"]) == "a, b and c" and listed(["a"]) == "a"


def test_cells_by_their_depth():
    """What is said of three layers and more is not said of a depth between two and three."""
    document = Document(Path(), {}, [], {"experiments": {}})
    cells = [{"depth": depth} for depth in (2, 2.5, 3, 4)]
    assert document.deep(cells) == [{"depth": 3}, {"depth": 4}]
    assert document.shallow(cells) == [{"depth": 2}]


# --- captions ---


def test_captions_as_typst():
    source = "**Bold** x\\ :sup:`∞`\\ *a* ``b``.\n\n- one *two*\n- three\n"
    assert in_typst(source) == (
        '#strong[#"Bold";];#" x";#super[#"∞";];#emph[#"a";];#" ";#raw("b");#".";\n\n'
        '#list([#"one ";#emph[#"two";];], [#"three";], )'
    )


def test_a_caption_with_a_mistake_is_not_printed():
    with pytest.raises(SystemMessage, match="strong"):
        in_typst("**Bold without an end")
    with pytest.raises(ValueError, match="title"):
        in_typst("Title\n=====\n\nText\n")


# --- the text ---

# digits that are no result: names of norms, indices, depths, and what formulas have
ALLOWED = [
    *(r"ℓ¹", r"norm\([^$]*?\)_[12](\^2)?", r"D(\$)? ?(>=|=) [23]", r"1 ?- ?rho\.alt", r"x_0"),
    *(r"alpha\^\(1[^)]*\)", r"\[0, 1\)", r"arXiv:\d{4}\.\d{5}", r"abs/\d{4}\.\d{5}"),
    *(r"COLT\s+2020", r"Fuchs, 2004", r"Experiment 1\b", r"SHA-256"),
    *(r"\b(below|slope|not|from|passes|to) 1\b", r"0 != n", r"u\(0\) = v\(0\)", r"phi_2"),
    *(
        r"A_S\^\(-1\)",
        r"phi_D\^\(-1\)",
        r"= 0\$ for all",
        r"1 - abs",
        r"1/2 ",
        r"alt > 0",
        r"\(1 [-+] z\)",
    ),
    *(
        r"2 sinh",
        r"\(D - 2\)",
        r"2 d\$",
        r"< 1\$",
        r"bold\(1\)",
        r"10#super",
        r"digits=\d",
        r"depth=3",
        r"set scale = 0\.001",
        r"log10",
    ),
]


def test_no_number_is_typed_in_the_text():
    source = (ROOT / "workflow/report/paper.typ").read_text(encoding="utf-8")
    left = re.sub("|".join(ALLOWED), "", source)
    found = [line for line in left.splitlines() if re.search(r"\d", line)]
    assert found == []


# --- the document of the smoke grid ---


@pytest.fixture(scope="module")
def written(finished, tmp_path_factory):
    """The finished project with its document, and what the workflow says of it."""
    project = Project(tmp_path_factory.mktemp("written"), results=finished)
    said = enter("make paper CONFIG=config/smoke.yaml", project.folder)
    assert f"The document is {PDF}" in said
    return project, what_is_said(project)


def test_other_circumstances_give_the_same_bytes(written, tmp_path):
    project, (jobs, _) = written
    (job,) = (job for job in jobs if PDF in job.outputs)
    words = [word.replace(f"{RESULTS}/paper", f"{tmp_path}/paper") for word in job.command]
    changed = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": str(tmp_path)}
    changed |= {"PYTHONPATH": os.pathsep.join(["scripts", *sys.path[1:]]), "SOURCE_DATE_EPOCH": "1"}
    subprocess.run(
        [sys.executable, *words], cwd=project.folder, env=environment() | changed, check=True
    )
    made = (tmp_path / "paper.pdf").read_bytes()
    assert made == (project.folder / PDF).read_bytes()
    assert b"CreationDate" not in made and b"CreateDate" not in made


def test_cells_are_those_of_the_csv_files(written, monkeypatch):
    """Row for row, to half a unit of the last digit that is shown."""
    project, _ = written
    monkeypatch.chdir(project.folder)
    for path in sorted((RESULTS / "tables").glob("*.csv")):
        table = Table.read(path.parent, path.stem)
        checked = 0
        for name in table.values:
            heading = heading_of(column_of(name))
            if heading not in table.shown:
                continue
            for value, shown in zip(table.values[name], table.shown[heading], strict=True):
                assert bool(value) == bool(shown)
                if is_number(value) and is_number(shown):
                    assert stands_for(shown).overlaps(stands_for(value)), (path, name)
                    checked += 1
        assert checked > 0


def test_what_was_edited_is_found(written):
    """Also where what stands beside it was made to fit."""
    project, said = written
    pdf = project.folder / PDF
    whole, told = pdf.read_bytes(), (project.folder / ORIGIN).read_bytes()

    def looked_at():
        found = Audit(said[0], RESULTS, said[0])
        check_origins(found)
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        assert not looked_at().findings
        try:
            pdf.write_bytes(whole.replace(b"/Creator", b"/creator", 1))
            report = judged(said, only=["paper"]).report
            assert "document paper" in verdicts(report)
            assert "is not as it was made" in report["files"][PDF][0]
            assert "figures, tables and the document are not what" in report["sentence"]
            tell_anew(project.folder, ORIGIN)
            found = looked_at()
            assert not found.findings
            job = found.job_of[PDF]
            (outcome,) = again.run_again([job], project.folder / "again", Path())
            again.compare(found, job, outcome)
            assert list(found.findings) == [PDF]
            assert "is not what its rule makes of its inputs here" in found.findings[PDF][0].what
        finally:
            pdf.write_bytes(whole)
            (project.folder / ORIGIN).write_bytes(told)


def test_a_number_that_goes_missing_stops_the_build(written, tmp_path):
    """With a message that names it; and a configuration without its experiments says which."""
    project, (jobs, _) = written
    (job,) = (job for job in jobs if PDF in job.outputs)
    path = project.folder / RESULTS / "tables/rates.csv"
    whole, beside = path.read_text("utf-8"), path.with_suffix(".json").read_bytes()
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.loc[frame["depth"] == "3", "last_slope"] = ""
    words = [word.replace(f"{RESULTS}/paper", f"{tmp_path}/paper") for word in job.command]
    try:
        frame.to_csv(path, index=False)
        tell_anew(project.folder, str(RESULTS / "tables/rates.json"))
        ended = subprocess.run(
            [sys.executable, *words],
            cwd=project.folder,
            env=environment() | {"PYTHONPATH": os.pathsep.join(["scripts", *sys.path[1:]])},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        path.write_text(whole, encoding="utf-8")
        path.with_suffix(".json").write_bytes(beside)
    assert ended.returncode == 1 and "Traceback" not in ended.stderr
    assert f"error: {RESULTS}/tables/rates.csv: last_slope is empty where " in ended.stderr
    assert not (tmp_path / "paper.pdf").exists()


def test_a_configuration_without_its_experiments_says_so(written):
    project, _ = written
    ended = project.snakemake("--dry-run", "--", "paper", config="config/wine.yaml")
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1 and "There is no document of this configuration" in said
    assert "figure far_deep" in said and "Traceback" not in said


def test_once_made_it_is_kept_as_it_should_be(finished, written):
    project, (_, states) = written
    assert states[PDF] == ("ok", "no update")
    told = json.loads((project.folder / ORIGIN).read_text(encoding="utf-8"))
    assert "workflow/report/paper.typ" in told["code"] and told["sources"]
    assert not (finished.folder / PDF).exists()
