"""Which room may know of which, and that files say at their top what they know."""

import ast

import pytest

from workflow_runs import ROOT

SCRIPTS = ROOT / "scripts"
ROOMS = {path.name for path in SCRIPTS.iterdir() if path.is_dir()} - {"__pycache__"}
# what programs share -> rooms that it knows, beside itself
KNOWN = {"implicit_l1": set(), "pipeline": {"implicit_l1"}}
MODULES = {
    ".".join(path.relative_to(SCRIPTS).with_suffix("").parts): ast.parse(path.read_text("utf-8"))
    for path in sorted(SCRIPTS.rglob("*.py"))
}
PROGRAMS = {
    name
    for name, tree in MODULES.items()
    if "__name__ == '__main__'" in ast.unparse(tree.body[-1:])
}


def imported(tree):
    """Names of modules that a module may import, at its top or elsewhere."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_are_programs():
    assert {"stages.rates", "audit.judge", "benchmark.limit"} <= PROGRAMS < set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_no_program_is_imported(name):
    assert not PROGRAMS & set(imported(MODULES[name]))


@pytest.mark.parametrize("room", KNOWN)
def test_what_programs_share_knows_none_of_them(room):
    forbidden = ROOMS - KNOWN[room] - {room}
    for name, tree in MODULES.items():
        if name.split(".")[0] == room:
            assert not forbidden & {module.split(".")[0] for module in imported(tree)}, name


# what need not be installed is imported where it is used
OPTIONAL = {"diffrax", "jax", "spgl1"}


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_at_the_top(name):
    tree = MODULES[name]
    top = {id(node) for node in tree.body}
    kinds = ast.Import | ast.ImportFrom
    inside = [node for node in ast.walk(tree) if isinstance(node, kinds) and id(node) not in top]
    found = set(imported(ast.Module(inside, [])))
    assert {module.split(".")[0] for module in found} <= OPTIONAL


PACKAGE = "implicit_l1"
# its rooms: each uses those before it and none after it
ORDER = ["status", "potentials", "linear", "problems", "proof", "minimizer", "network"]
ORDER += ["trajectories", "arguments", "interface", "enclosures"]


def rooms_of(names):
    """The rooms of the package that some modules are in."""
    parts = [name.split(".") for name in names]
    return {room for package, room, *_ in (p for p in parts if len(p) > 1) if package == PACKAGE}


@pytest.mark.parametrize("room", ORDER)
def test_a_room_of_the_package_uses_those_before_it_only(room):
    used = set()
    for name, tree in MODULES.items():
        if rooms_of([name]) == {room}:
            used |= rooms_of(imported(tree))
    assert used <= set(ORDER[: ORDER.index(room) + 1])


def test_every_file_of_the_package_is_in_a_room():
    assert rooms_of(MODULES) - {"__init__"} == set(ORDER)
