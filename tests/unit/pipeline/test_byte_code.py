"""What runs is what lies there, whatever the times and sizes of files say."""

import importlib.util
import os
import py_compile
import subprocess
import sys

import pytest

from pipeline.byte_code import StaleByteCodeError, compile_with_hashes, verify_loaded

OLD, NEW = "VALUE = 1\n", "VALUE = 2\n"
assert len(OLD) == len(NEW)

Mode = py_compile.PycInvalidationMode


def compiled(folder, mode):
    """A module and its byte code."""
    source = folder / "constant.py"
    source.write_text(OLD)
    os.utime(source, (1e9, 1e9))
    py_compile.compile(source, doraise=True, invalidation_mode=mode)
    return source


def edit(source, text=NEW, time=1e9):
    source.write_text(text)
    os.utime(source, (time, time))


def loaded(source):
    """The module, as Python loads it."""
    spec = importlib.util.spec_from_file_location("constant", source)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("mode", [Mode.TIMESTAMP, Mode.UNCHECKED_HASH])
def test_byte_code_of_another_source_of_the_same_time_and_size(tmp_path, mode):
    source = compiled(tmp_path, mode)
    verify_loaded(loaded(source))
    edit(source)
    module = loaded(source)
    assert module.VALUE == 1  # this is what runs
    with pytest.raises(StaleByteCodeError, match=r"constant.*\.pyc is not the byte code of"):
        verify_loaded(module)


@pytest.mark.parametrize(
    ("mode", "text", "time"),
    [(Mode.CHECKED_HASH, NEW, 1e9), (Mode.TIMESTAMP, NEW, 1.1e9), (Mode.TIMESTAMP, NEW * 2, 1e9)],
)
def test_byte_code_that_python_does_not_take(tmp_path, monkeypatch, mode, text, time):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # so that the old one stays
    source = compiled(tmp_path, mode)
    edit(source, text, time)
    module = loaded(source)
    assert module.VALUE == 2
    verify_loaded(module)


def test_a_module_without_byte_code(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = tmp_path / "constant.py"
    source.write_text(OLD)
    verify_loaded(loaded(source))


def test_compiled_with_hashes_an_edit_is_seen_whatever_its_time(tmp_path):
    source = compiled(tmp_path, Mode.TIMESTAMP)
    compile_with_hashes(tmp_path)
    edit(source)
    module = loaded(source)
    assert module.VALUE == 2
    verify_loaded(module)


def test_what_does_not_compile_stops_nothing(tmp_path):
    (tmp_path / "a.py").write_text("def")
    (tmp_path / "b.py").write_text(OLD)
    compile_with_hashes(tmp_path)
    assert len(list(tmp_path.rglob("*.pyc"))) == 1


def test_a_job_does_not_run_from_stale_byte_code(copy):
    """It stops, and says what to do; and that helps."""
    module = copy.folder / "scripts/implicit_l1/problems/seeds.py"
    os.utime(module, (1e9, 1e9))
    py_compile.compile(module, doraise=True, invalidation_mode=Mode.TIMESTAMP)
    text = module.read_text(encoding="utf-8")
    assert text.count('"<u4"') == 1
    module.write_text(text.replace('"<u4"', '">u4"'), encoding="utf-8")
    os.utime(module, (1e9, 1e9))
    words = ("--output", "p.npz", "--repetitions", "0", "0", "gaussian", "--N=2")
    words += ("--d=4", "--s=1", "--eta=0", "--seed=7", "--law=constant")

    def run():
        return subprocess.run(
            [sys.executable, "scripts/stages/problems.py", *words],
            cwd=copy.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    ended = run()
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ") and "is not the byte code of" in line
    assert not (copy.folder / "p.npz").exists()
    for stale in module.parent.rglob("seeds*.pyc"):
        stale.unlink()
    assert run().returncode == 0


def test_the_workflow_compiles_only_where_the_surroundings_allow_it(copy):
    for found in (copy.folder / "scripts").rglob("*.pyc"):
        found.unlink()
    for allowed in (False, True):
        surroundings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        surroundings |= {} if allowed else {"PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run(
            copy.command("--dry-run", "--quiet", "all"),
            cwd=copy.folder,
            env=surroundings,
            check=True,
            capture_output=True,
        )
        found = list((copy.folder / "scripts").rglob("*.pyc"))
        assert bool(found) == allowed
        # by a hash, which Python compares
        assert all(file.read_bytes()[4:8] == b"\3\0\0\0" for file in found)
