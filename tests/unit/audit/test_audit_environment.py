"""What is imported is what is locked, as it was installed."""

import base64
import hashlib
import importlib
import io
import os
import re
import subprocess
import sys
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import scipy.io
from threadpoolctl import threadpool_info

from audit import environment as audit_environment
from audit.findings import Audit
from pipeline import origin as origins
from pipeline.pins import pins
from pipeline.storage import read_origin
from workflow_runs import ROOT

LOCK = """
# made by hand
--only-binary :all:
one==2.4.6 \\
    --hash=sha256:1111 \\
    --hash=sha256:2222
    # via scipy
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:3333
Two-Words==3.1.6 ; python_full_version >= '3.11' \\
    --hash=sha256:4444
"""


def install(folder, name, version, files):
    """A package as an installer leaves it: its files, and their hashes in its RECORD."""
    record = []
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record.append(f"{path},sha256={digest.decode()},{len(text)}")
    told = folder / f"{name}-{version}.dist-info"
    told.mkdir(parents=True)
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (told / "RECORD").write_text("\n".join([*record, f"{told.name}/RECORD,,"]) + "\n")
    return folder


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An environment of two locked packages: its folder."""
    folder = tmp_path / "site-packages"
    install(folder, "one", "2.4.6", {"one/__init__.py": "", "one/core.py": "VALUE = 1\n"})
    install(folder, "two_words", "3.1.6", {"two_words.py": "VALUE = 2\n"})
    monkeypatch.setattr(audit_environment, "PACKAGES", [str(folder)])
    monkeypatch.setattr(origins, "PACKAGES", [*origins.PACKAGES, str(folder)])
    at = [str(folder)]
    monkeypatch.setattr(
        audit_environment,
        "distributions",
        lambda: [one for place in at for one in PathDistribution.discover(path=[place])],
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder, at, monkeypatch


def found():
    importlib.invalidate_caches()
    audit = Audit([], None)
    audit_environment.check_packages(audit, LOCK)
    return audit.general


def in_front(environment, **files):
    """A folder in front of all others, as PYTHONPATH has them."""
    folder, at, monkeypatch = environment
    front = folder.parent / "front"
    front.mkdir()
    for name, text in files.items():
        (front / f"{name}.py").write_text(text)
    at.insert(0, str(front))
    monkeypatch.setattr(sys, "path", [str(front), *sys.path])
    return front


def test_packages_as_they_are_locked(environment):
    assert found() == []


def test_a_package_of_another_version(environment):
    (environment[0] / "one-2.4.6.dist-info/METADATA").write_text("Name: one\nVersion: 2.4.5\n")
    assert found() == ["package one is 2.4.5, locked is 2.4.6"]


def test_a_package_that_is_not_installed(environment):
    for name in ("one", "one-2.4.6.dist-info"):
        (environment[0] / name).rename(environment[0].parent / name)
    assert found() == ["package one 2.4.6 is locked and not installed"]


def test_a_package_that_is_not_locked(environment):
    install(environment[0], "torch", "2.9", {"torch.py": ""})
    assert found() == ["package torch 2.9 is installed and not locked"]


def test_a_package_in_front_of_the_locked_one(environment):
    front = in_front(environment)
    install(front, "one", "2.4.6", {"one/__init__.py": "better = True"})
    folder = environment[0].resolve()
    assert found() == [
        f"package one is installed more than once: 2.4.6 in {front}, 2.4.6 in {folder}"
    ]


def test_another_version_in_front_of_the_locked_one(environment):
    front = in_front(environment)
    install(front, "one", "2.4.5", {"one/__init__.py": ""})
    folder = environment[0].resolve()
    assert found() == [
        "package one is 2.4.5, locked is 2.4.6",
        f"package one is installed more than once: 2.4.5 in {front}, 2.4.6 in {folder}",
    ]


def test_modules_in_front_of_a_package(environment):
    """Without a word of what they are: no metadata, only files."""
    front = in_front(environment, two_words="better = True")
    (front / "one").mkdir()
    (front / "one/__init__.py").write_text("")
    assert found() == [
        f"module one is imported from {front}/one/__init__.py, in front of the right one",
        f"module two_words is imported from {front}/two_words.py, in front of the right one",
    ]


def test_a_module_in_front_of_one_of_pythons(environment):
    front = in_front(environment, colorsys="better = True")
    environment[2].delitem(sys.modules, "colorsys", raising=False)
    assert found() == [
        f"module colorsys is imported from {front}/colorsys.py, in front of the right one"
    ]


def test_a_file_that_was_edited_in_place(environment):
    (environment[0] / "one/core.py").write_text("VALUE = 2\n")
    assert found() == ["package one is not as it was installed: one/core.py changed or missing"]


def test_files_that_are_missing(environment):
    (environment[0] / "one/core.py").unlink()
    (environment[0] / "one/__init__.py").write_text("better = True")
    assert found() == [
        "package one is not as it was installed: one/__init__.py and 1 more files "
        "changed or missing"
    ]


def test_files_that_are_missing_where_only_those_that_are_there_are_listed(environment):
    """As Python does from 3.12 on, and the package importlib_metadata wherever it is imported."""
    environment[0].joinpath("one/core.py").unlink()
    listed = PathDistribution.files.fget
    there = property(lambda one: [file for file in listed(one) if Path(file.locate()).exists()])
    environment[2].setattr(PathDistribution, "files", there)
    assert found() == ["package one is not as it was installed: one/core.py changed or missing"]


@pytest.mark.parametrize("name", ["sitecustomize", "usercustomize"])
def test_what_runs_whenever_python_starts(environment, name):
    front = in_front(environment, **{name: ""})
    environment[2].delitem(sys.modules, name, raising=False)
    assert found() == [f"{front}/{name}.py runs whenever Python starts, and is of no package"]


def test_what_was_added_to_the_folder_of_packages(environment):
    """An optional import of a package, a folder in front of its module, lines read at the start."""
    names = ("better.pth", "bottleneck.py", "one/_virtualenv.py", "one/core/__init__.py")
    names += ("one/fast.so", "one/old.pyc")
    for name in names:
        path = environment[0] / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    (environment[0] / "one/__pycache__").mkdir()
    (environment[0] / "one/__pycache__/core.pyc").write_text("")
    (environment[0] / "_virtualenv.pth").write_text("import _virtualenv\n")
    assert found() == [f"{environment[0]}/{name} is of no package" for name in names]
    audit = Audit([], None)
    audit_environment.check_packages(audit, LOCK)
    assert any("_virtualenv.pth is of no package: virtualenv" in note for note in audit.notes)


def test_every_pin_of_the_lock_is_understood():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    assert set(pins(text)) <= names
    assert {"numpy", "scipy", "snakemake"} <= set(pins(text))


def test_this_environment_is_told():
    """And nothing of a reader of files, which counts its threads, too."""
    read = scipy.io.mmread(io.StringIO("%%MatrixMarket matrix array real general\n1 1\n2\n"))
    assert read == 2 and "scipy_mmio" in str(threadpool_info())
    told = audit_environment.environment()
    assert set(told) >= {"processor", "linear algebra", "git", "variables"}
    assert "numpy 2" in told["packages"]
    assert "blas" in told["linear algebra"] and "mmio" not in told["linear algebra"]


def test_a_job_tells_what_it_imported_from_elsewhere(tmp_path):
    """In the files that it writes, for whoever audits them in another environment."""
    front = tmp_path / "front"
    front.mkdir()
    (front / "sitecustomize.py").write_text("import better\n")
    (front / "better.py").write_text("")
    command = [
        *("scripts/stages/problems.py", "--output", tmp_path / "p.npz", "--repetitions", "0", "0"),
        *("gaussian", "--N=2", "--d=4", "--s=1", "--eta=0", "--seed=7", "--law=constant"),
    ]
    for path, elsewhere in ((front, ["better", "sitecustomize"]), (tmp_path, [])):
        subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(path), "scripts"])},
            check=True,
        )
        assert read_origin(tmp_path / "p.npz")["elsewhere"] == elsewhere
