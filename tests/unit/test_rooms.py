"""The rooms of the package have one direction: each uses those before it and none after it."""

import ast

import pytest

from workflow_runs import ROOT

PACKAGE = ROOT / "scripts/implicit_l1"
ROOMS = ["status", "potentials", "linear", "problems", "proof", "minimizer", "network"]


def room_of(module):
    """The room that a module of the package is in; None of the package itself and of others."""
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] or None if package == PACKAGE.name else None


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_those_before_it_only(room):
    files = sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    used = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            used |= {room_of(name) for name in names} - {None}
    assert used <= set(ROOMS[: ROOMS.index(room) + 1])


def test_every_file_of_the_package_is_in_a_room():
    found = {path.relative_to(PACKAGE).parts[0] for path in PACKAGE.rglob("*.py")}
    assert found - {"__init__.py"} == {
        room if (PACKAGE / room).is_dir() else f"{room}.py" for room in ROOMS
    }
