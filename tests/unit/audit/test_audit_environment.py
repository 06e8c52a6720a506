"""What is imported is what is locked, as it was installed."""

import base64
import hashlib
import importlib
import io
import os
import re
import subprocess
import sys
import zipfile
from argparse import Namespace
from importlib.metadata import PathDistribution
from pathlib import Path

import pytest
import scipy.io
from threadpoolctl import threadpool_info

from audit import environment as audit_environment
from audit import judge
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


def hash_of(text, algorithm="sha256"):
    """As a RECORD has it."""
    digest = hashlib.new(algorithm, text.encode()).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def install(folder, name, version, files):
    """A package as an installer leaves it: its files, and their hashes in its RECORD."""
    record = []
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(text)
        record.append(f"{path},{hash_of(text)},{len(text)}")
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


def found_among_files():
    """The same of files only: nothing is imported, which takes most of the time."""
    audit = Audit([], None)
    packages = [one for several in audit_environment.installed().values() for one in several]
    audit_environment.check_files(audit, packages)
    audit_environment.check_strays(audit, packages)
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


def test_two_versions_in_one_folder(environment):
    """What a removal that was cut short, or a copy, leaves."""
    folder = environment[0]
    copied = folder / "one-2.4.5.dist-info"
    copied.mkdir()
    (copied / "METADATA").write_text("Name: one\nVersion: 2.4.5\n")
    (copied / "RECORD").write_text("one-2.4.5.dist-info/METADATA,,\none-2.4.5.dist-info/RECORD,,\n")
    (line,) = (line for line in found() if "more than once" in line)
    assert line.startswith("package one is installed more than once: ")
    assert all(f"{version} in {folder.resolve()}" in line for version in ("2.4.5", "2.4.6"))


def test_a_link_to_a_folder_of_no_package(environment):
    folder = environment[0]
    (folder.parent / "elsewhere/loop").mkdir(parents=True)
    (folder.parent / "elsewhere/fast.py").write_text("")
    for place in (folder, folder / "one"):
        (place / "bottleneck").symlink_to(folder.parent / "elsewhere")
    assert found() == [f"{place}/bottleneck is of no package" for place in (folder, folder / "one")]


def test_a_link_to_a_folder_of_a_package_is_followed_once(environment):
    """As where every package lies in a store of its own."""
    folder = environment[0]
    store = folder.parent / "store"
    (folder / "one").rename(store)
    (folder / "one").symlink_to(store)
    (store / "itself").symlink_to(store)
    assert found() == []
    (store / "fast.py").write_text("")
    assert [line.rpartition("/")[2] for line in found()] == ["fast.py is of no package"]


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


HASH, SIZE = hash_of("VALUE = 3\n"), len("VALUE = 3\n")
RECORD = "one-2.4.6.dist-info/RECORD"
UNREADABLE = "package one is not as it was installed: the list of its files, RECORD, cannot be read"


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("more.py", f"more.py,{HASH}"),
        ("more.py", f"more.py,{HASH},{SIZE},"),
        ("more.py", f"\n\nmore.py,{HASH},{SIZE}\n\n"),
        ("more.py", f"more.py,{HASH},{SIZE}\r\nold.pyc,,\r\n"),
        ("more.py", f"more.py,{HASH}=,{SIZE}"),
        ("more.py", f"more.py, {HASH}, {SIZE}"),
        ("more.py", f"more.py,{hash_of('VALUE = 3' + chr(10), 'sha512')},{SIZE}"),
        ("more.py", f"more.py,{HASH.replace('sha256', 'SHA256')},{SIZE}"),
        ("a,b.py", f'"a,b.py",{HASH},{SIZE}'),
        ('a"b.py', f'"a""b.py",{HASH},{SIZE}'),
        *((f"a{end}b.py", f'"a{end}b.py",{HASH},{SIZE}') for end in "\n\r"),
        # which Python takes for ends of lines, too
        *(
            (f"a{end}b.py", f"a{end}b.py,{HASH},{SIZE}")
            for end in "\x0b\x0c\x1c\x1e\x85\u2028\u2029"
        ),
        ("old.pyc", f"old.pyc,{HASH},{SIZE}"),
        ("one-2.4.6.dist-info/INSTALLER", f"one-2.4.6.dist-info/INSTALLER,{HASH},{SIZE}"),
        ("more.py", "more.py"),
        ("more.py", f"more.py,,{SIZE}"),
    ],
)
def test_a_list_of_files_may_have_any_row_that_csv_allows(environment, name, rows):
    """What it names is of the package, and is compared by what the row tells."""
    file = environment[0] / name
    file.write_text("VALUE = 3\n")
    with (environment[0] / RECORD).open("a", newline="") as record:
        record.write(rows)
    assert found_among_files() == []
    file.write_text("VALUE = 33\n")
    changed = f"package one is not as it was installed: {name} changed or missing"
    assert found_among_files() == ([] if rows == "more.py" else [changed])
    file.unlink()
    assert found_among_files() == [changed]


@pytest.mark.parametrize("row", ["old.pyc,,", "old.pyc,,7", "one-2.4.6.dist-info/RECORD.jws,,"])
def test_what_comes_and_goes_may_be_missing(environment, row):
    with (environment[0] / RECORD).open("a") as record:
        record.write(row)
    assert found_among_files() == []


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (b"core.py,foo=abc,", "core.py has the hash 'foo=abc'"),
        (b"core.py,shake_128=abc,", "core.py has the hash 'shake_128=abc'"),
        (b"core.py,sha256,", "core.py has the hash 'sha256'"),
        (b"a\0b.py,,", r"'a\x00b.py' is the name of no file"),
        (b",,", "'' is the name of no file"),
        (b"./,,", "'./' is the name of no file"),
        (b"\xe4.py,,", "'utf-8' codec can't decode"),
        (b'"one.py,,\ntwo.py,,', "unexpected end of data"),
        pytest.param(b"a" * 200_000, "field larger than field limit", id="long"),
    ],
)
def test_a_list_of_files_that_cannot_be_read_is_named(environment, rows, why):
    """And vouches for nothing; the other packages are looked at."""
    with (environment[0] / RECORD).open("ab") as record:
        record.write(rows)
    (environment[0] / "two_words.py").write_text("")
    others = [
        "package two-words is not as it was installed: two_words.py changed or missing",
        *(f"{environment[0]}/one/{name}.py is of no package" for name in ("__init__", "core")),
    ]
    said = found_among_files()
    assert said[0].startswith(f"{UNREADABLE} ({why}") and said[1:] == others


def put_a_pipe(file):
    os.mkfifo(file)


def put_a_link_to_a_device(file):
    file.symlink_to("/dev/zero")


def put_a_folder(file):
    file.mkdir()


@pytest.mark.parametrize("put", [put_a_pipe, put_a_link_to_a_device, put_a_folder])
@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("one/core.py", "package one is not as it was installed: one/core.py changed or missing"),
        (RECORD, UNREADABLE),
        (
            "one-2.4.6.dist-info/METADATA",
            "package one-2.4.6.dist-info of no version is installed and not locked",
        ),
    ],
)
def test_what_has_no_end_is_not_read(environment, put, name, named):
    (environment[0] / name).unlink()
    put(environment[0] / name)
    assert any(line.startswith(named) for line in found())


@pytest.mark.parametrize("text", [None, b"", b"Version: 2.4.6\n", b"Name: \xe4\n"])
def test_a_package_that_does_not_tell_its_name(environment, text):
    file = environment[0] / "one-2.4.6.dist-info/METADATA"
    file.unlink() if text is None else file.write_bytes(text)
    version = "2.4.6" if text and b"Version" in text else "of no version"
    assert found() == [
        "package one 2.4.6 is locked and not installed",
        f"package one-2.4.6.dist-info {version} is installed and not locked",
    ]
    assert audit_environment.environment()["packages"] is not None


def test_a_package_in_an_archive(environment):
    """Python imports from it; no installer of locked packages leaves one."""
    source = install(environment[0].parent / "source", "one", "2.4.6", {"one/__init__.py": ""})
    archive = environment[0].parent / "front.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for file in source.rglob("*"):
            opened.write(file, file.relative_to(source))
    environment[1].insert(0, str(archive))
    assert found() == [
        f"package one is installed more than once: 2.4.6 in {archive}, 2.4.6 in {environment[0]}",
        f"{UNREADABLE} (it lies in an archive, {archive}/{RECORD})",
    ]


@pytest.mark.parametrize("first", [0, 1])
def test_a_folder_of_packages_that_is_reached_through_a_link(environment, first):
    """As lib64 in some systems, where both stand on the path."""
    folder, at, monkeypatch = environment
    link = folder.parent / "lib64"
    link.symlink_to(folder)
    at.insert(first, str(link))
    monkeypatch.setattr(audit_environment, "PACKAGES", [str(folder), str(link)])
    monkeypatch.setattr(sys, "path", [str(link), *sys.path])
    assert found() == []
    (link / "one/fast.py").write_text("")
    assert found() == [f"{folder}/one/fast.py is of no package"]


def test_byte_code_is_said_not_to_be_looked_at(environment):
    audit = Audit([], None)
    audit_environment.check_packages(audit, LOCK)
    assert audit.notes == [audit_environment.BYTE_CODE]


def test_only_files_that_were_compared_are_counted(environment):
    """Neither one that is changed, nor one that tells no hash."""
    (environment[0] / "one/core.py").write_text("VALUE = 2\n")
    (environment[0] / "one/data").write_text("")
    with (environment[0] / RECORD).open("a") as record:
        record.write("one/data,,0\n")
    audit = Audit([], None)
    audit_environment.check_packages(audit, LOCK)
    assert audit.counts["files of packages as they were installed"] == 2


@pytest.mark.parametrize("name", ["check_packages", "environment"])
def test_the_page_is_written_whatever_the_environment_is(tmp_path, monkeypatch, capsys, name):
    def fail(*args):
        raise RuntimeError("odd")

    fail.__name__ = name
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(judge, "ROOT", tmp_path)
    (tmp_path / "requirements.txt").write_text(LOCK)
    monkeypatch.setattr(judge, "check_packages", lambda audit, lock: None)
    monkeypatch.setattr(judge, name, fail)
    monkeypatch.setattr(judge, "read_jobs", lambda *args: [])
    monkeypatch.setattr(judge, "configuration_of", lambda jobs: ("", Path("results")))
    monkeypatch.setattr(judge, "judge", lambda *args: None)
    args = Namespace(only=[], complete=False, seed=1, again=0, cores="1")
    with pytest.raises(SystemExit):
        judge.audit(args, None, "", "")
    what = {"check_packages": "check environment"}.get(name, name)
    line = f"- FAIL {what}: could not be done to its end (RuntimeError('odd'))"
    assert line in capsys.readouterr().out.splitlines()
    assert line in (tmp_path / "results/audit.md").read_text().splitlines()


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
