"""The package that one installs: what it imports, which names it has, what it costs programs."""

import ast
import re
import sys
import tomllib

import pytest
import yaml

import implicit_l1
from planning.grid import code
from workflow_runs import ROOT

PACKAGE = ROOT / "scripts/implicit_l1"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# the module of a distribution, where it has another name
MODULES = {"python-flint": "flint", "scikit-learn": "sklearn"}


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(tree):
    """The first parts of the names of all modules that code imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, node.lineno
            yield node.module.partition(".")[0]


def test_the_package_imports_what_it_declares():
    """And nothing of the pipeline's."""
    declared = {name.partition(">")[0] for name in PROJECT["dependencies"]}
    declared = {MODULES.get(name, name) for name in declared}
    found = {module for path in PACKAGE.rglob("*.py") for module in imported(parsed(path))}
    assert found - set(sys.stdlib_module_names) - {"implicit_l1"} == declared


def test_what_the_readme_imports_is_what_it_installs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (words,) = re.findall(r"`pip\sinstall \. (.*?)`", text)
    declared = {name.partition(">")[0] for name in PROJECT["dependencies"]}
    assert set(imported(ast.parse(code))) <= {"implicit_l1", *declared, *words.split()}


def test_the_version_is_that_of_the_citation():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]


def test_names_are_those_that_type_checkers_are_told():
    stub = parsed(PACKAGE / "__init__.pyi")
    told = {
        (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert {name for _, name in told} == set(implicit_l1.__all__) <= set(dir(implicit_l1))
    for module, name in told:
        assert getattr(implicit_l1, name) is getattr(sys.modules[module], name)
    with pytest.raises(AttributeError, match="has no attribute 'find_nothing'"):
        implicit_l1.find_nothing.upper()


def test_programs_do_not_depend_on_all_of_the_package():
    """It runs with every import of a module of its own, so it imports nothing of them itself."""
    assert set(imported(parsed(PACKAGE / "__init__.py"))) == {"importlib"}
    for program in sorted((ROOT / "scripts/stages").glob("*.py")):
        needed = code(program.relative_to(ROOT), ROOT)
        assert not {f"scripts/implicit_l1/{name}.py" for name in ("interface", "enclosures")} & set(
            needed
        )
