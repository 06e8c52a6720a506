"""From the configuration to cells: what there is to compute, and under which names.

A *problem* is an ensemble with its parameters; a *cell* adds a depth and a path of
scales; a *block* is a range of repetitions that one job computes.  All are named by
their own parameters, not by the experiment that asks for them, so experiments share
what they have in common and adding a value names new files only.
"""

import ast
import hashlib
import itertools
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from figures.registry import FILE, KERNEL
from implicit_l1.problems.ensembles import ENSEMBLES
from pipeline.origin import PROGRAMS, checksum, name_of
from planning.experiments import (
    HELD_OUT,
    LABEL,
    NOISELESS,
    OWN_DATA,
    alpha_path,
    as_list,
    axes_of,
    decades_path,
    ensemble_of,
    rows_of,
    sparsities,
)

# characters of a word of the user's own in a file name
LONGEST_PART = 60


def place_of(path: str) -> str:
    """Where a file of the user's own lies: a path of the configuration, with ~ for a home."""
    return str(Path.home() / path[2:] if path.startswith("~/") else Path(path))


def named_files(experiment: dict) -> dict:
    """An experiment's block of configuration with its files by their names, wherever they lie."""
    block = dict(experiment)
    if "path" in block.get("initialization", {}):
        block["initialization"] = _with_names(block["initialization"], "path")
    if ensemble_of(as_list(block["ensemble"])[0])[0] == FILE:
        entries = [_with_names(entry, *OWN_DATA) for entry in as_list(block["ensemble"])]
        block["ensemble"] = entries if isinstance(block["ensemble"], list) else entries[0]
    return block


def _with_names(entry, *keys):
    return entry | {key: Path(entry[key]).name for key in keys if key in entry}


def number(value: float) -> str:
    """A number as it stands in file names: the shortest text that reads back the same."""
    text = re.sub(r"e\+?(-?)0*(\d+)", r"e\1\2", repr(value))
    return text.removesuffix(".0")


def part(value: Any) -> str:
    """A value as it stands in file names."""
    if isinstance(value, str):
        plain = re.sub(r"[^A-Za-z0-9.]+", "-", value)
        if value.isascii() and len(plain) <= LONGEST_PART:
            return plain
        # letters that are left out, and the end of a long name, still tell it from others
        told = hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()[:8]
        return f"{plain[:LONGEST_PART].strip('-')}-{told}".strip("-")
    return number(value)


def _named(pairs):
    """Parameters with files of the user's own by their names, wherever these lie."""
    return [(key, Path(value).name if key in OWN_DATA else value) for key, value in pairs]


def _written(key, values):
    """A law and its parameters as one part of a name: signal-power-law-exponent1."""
    parts = [key]
    for name, value in _named(values):
        if value is True:
            parts.append(part(name))
        elif value is not False:
            parts.append((name if isinstance(value, int | float) else "") + part(value))
    return "-".join(parts)


@dataclass(frozen=True)
class ProblemSpec:
    """An ensemble, its parameters and axes, in the order in which they are named.

    Attributes:
        ensemble: its name; parameters: those of the ensemble itself.
        axes: N, d, s, eta or m, rho; none of a file.
        signal, noise: laws, where they are not the configuration's common ones.
    """

    ensemble: str
    axes: tuple
    parameters: tuple = ()
    signal: tuple = ()
    noise: str = ""

    @cached_property
    def name(self) -> str:
        parts = [_written(self.ensemble.replace("_", "-"), self._own_name or self.parameters)]
        parts += [f"{key}{number(value)}" for key, value in self.axes]
        if self.signal:
            parts.append(_written("signal", self.signal))
        if self.noise:
            parts.append(f"noise-{self.noise}")
        return "_".join(parts)

    @cached_property
    def family(self) -> str:
        """The name that problems share which differ in sparsity, noise and constants only."""
        size = tuple((key, value) for key, value in self.axes if key in ("N", "d"))
        return replace(self, axes=size).name

    @property
    def label(self) -> str:
        """The ensemble in words, as tables and legends show it."""
        if self.ensemble == FILE:
            # with x_0, which tells problems apart that have all else in common
            return ", ".join(_words(self._own_name or self.parameters))
        words = [self.ensemble, *_words(self.parameters)]
        if self.signal:
            words.append(f"x0 {' '.join(_words(self.signal))}")
        if self.noise:
            words.append(f"noise {self.noise}")
        return ", ".join(words)

    @property
    def columns(self) -> dict:
        """What names it in tables: column -> value."""
        axes = {"family_rho" if key == "rho" else key: value for key, value in self.axes}
        return {"ensemble": self.label, **axes}

    @property
    def _own_name(self):
        """Of a problem of one's own that has a name of its own: that, in place of the files'."""
        chosen = dict(self.parameters) if self.ensemble == FILE else {}
        if LABEL not in chosen:
            return ()
        return tuple((key, chosen[key]) for key in (LABEL, NOISELESS, HELD_OUT) if key in chosen)


def _words(pairs):
    return [
        name if value is True else f"{name} {value}" if not isinstance(value, str) else value
        for name, value in _named(pairs)
        if value is not False
    ]


@dataclass(frozen=True)
class Network:
    """Depth and shape of the initialization: u(0) = v(0) = alpha^(1/D) 1 without one.

    Attributes:
        depth: D.
        initialization: the law of the shape, as (key, value) pairs.
    """

    depth: float
    initialization: tuple = ()

    @cached_property
    def name(self) -> str:
        shape = f"_{_written('from', self._shape)}" if self.initialization else ""
        return f"D{number(self.depth)}{shape}"

    @property
    def label(self) -> str | None:
        """The initialization in words; None of the usual one."""
        return " ".join(_words(self._shape)) if self.initialization else None

    @property
    def _shape(self):
        shape = dict(self.initialization)
        unbalanced = not shape.pop("balanced", True)
        return tuple(shape.items()) + ((("unbalanced", True),) if unbalanced else ())


@dataclass(frozen=True)
class AlphaPath:
    """Scales of the predictor, increasing, as log10(alpha), and the name of the path."""

    name: str
    log10_alpha: tuple


@dataclass(frozen=True)
class Cell:
    """What a curve of a figure summarizes."""

    problem: ProblemSpec
    network: Network
    path: AlphaPath
    repetitions: int

    @cached_property
    def name(self) -> str:
        return f"{self.problem.name}/{self.network.name}/{self.path.name}"


def blocks(repetitions: int, size: int) -> list[str]:
    """Names of the blocks that hold repetitions 0, ..., repetitions - 1."""
    return [
        f"reps{first}-{min(first + size, repetitions) - 1}" for first in range(0, repetitions, size)
    ]


def block_range(name: str) -> tuple[int, int]:
    """(first, last) repetition of a block, both included."""
    first, last = name.removeprefix("reps").split("-")
    return int(first), int(last)


def repetitions_of(block: str) -> range:
    """The repetitions of a block."""
    first, last = block_range(block)
    return range(first, last + 1)


def _path(alpha):
    if isinstance(alpha, list):
        name, values = "alpha" + "_".join(number(a) for a in alpha), alpha
    elif "decades" in alpha:
        decades, density = alpha["decades"], alpha["per_tenfold"]
        name = f"decades{decades}by{density}"
        return AlphaPath(name, tuple(decades_path(decades, density)))
    else:
        low, high, density = (alpha[key] for key in ("smallest", "largest", "per_decade"))
        name = f"alpha{number(low)}to{number(high)}by{density}"
        values = alpha_path(low, high, density)
    return AlphaPath(name, tuple(math.log10(value) for value in values))


def own_files(specification: ProblemSpec | Network) -> list[str]:
    """The places of the files of the user's own that a problem, or a network, is read from."""
    if isinstance(specification, Network):
        pairs = specification.initialization
    else:
        pairs = specification.parameters
    return [value for key, value in pairs if key in OWN_DATA]


def cells(experiment: dict) -> list[Cell]:
    """The cells of an experiment's block of configuration, in the order of its lists."""
    axes = axes_of(experiment)
    path = _path(experiment["alpha"])
    shape = _located(experiment.get("initialization", {}))
    return [
        Cell(
            _problem(entry, tuple(zip(axes, values, strict=True)), experiment),
            Network(depth, shape),
            path,
            experiment.get("repetitions", 1),
        )
        for entry in as_list(experiment["ensemble"])
        for values in itertools.product(*(as_list(experiment[axis]) for axis in axes))
        for depth in as_list(experiment["depth"])
    ]


def _problem(entry, axes, experiment):
    name, given = ensemble_of(entry)
    if name in (KERNEL, FILE):
        # in one order; noiseless: false names the same cell as without it
        keys = (*OWN_DATA, LABEL, NOISELESS, HELD_OUT)
        found = _located({key: given[key] for key in keys if given.get(key)})
        return ProblemSpec(name, axes, found)
    # a parameter that is left out names the same cell as its default
    parameters = tuple(
        (key, given.get(key, parameter.default))
        for key, parameter in ENSEMBLES[name].parameters.items()
    )
    signal = tuple(experiment.get("signal", {}).items())
    return ProblemSpec(name, axes, parameters, signal, experiment.get("noise", ""))


def _located(parameters):
    """Parameters as pairs, files of the user's own by where they lie."""
    return tuple((key, place_of(v) if key in OWN_DATA else v) for key, v in parameters.items())


def sizes(experiment: dict) -> list[tuple[ProblemSpec, tuple[int, ...]]]:
    """Problems of an experiment without scales by N and d, each with the numbers s it has."""
    return [
        (_problem(entry, (("N", N), ("d", d)), experiment), sparsities(experiment["sparsity"], N))
        for entry in as_list(experiment["ensemble"])
        for d in as_list(experiment["d"])
        for N in rows_of(experiment, d)
    ]


def planted_problems(experiment: dict) -> list[ProblemSpec]:
    """The problems of an experiment without scales, one an s, noiseless."""
    return [
        replace(problem, axes=(*problem.axes, ("s", s), ("eta", 0)))
        for problem, values in sizes(experiment)
        for s in values
    ]


def code(program: str | Path, root: Path) -> list[str]:
    """A program and every file of the project that it imports, directly or not.

    These are inputs of its rule, so that changing one reruns exactly what uses it.

    Args:
        program: path of the program below root.
        root: folder of the repository.
    """
    found, queue = set(), {program := str(program)}
    while queue:
        found |= queue
        queue = set().union(*(_imported(path, root) for path in queue)) - found
    return [program, *sorted(found - {program})]


def digest(files: Iterable[str]) -> str:
    """One checksum of the contents of files, those that are there: what is missing is an error
    of its own."""
    found = {name_of(file): _checksum(file) for file in files if Path(file).is_file()}
    return hashlib.sha256(repr(found).encode()).hexdigest()


_checksum = cache(checksum)


@cache
def _imported(path, root):
    """The files of the project that one file imports itself, where files do: at its top."""
    files = set()
    for node in ast.parse((root / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            # importing a module runs the packages around it
            places = itertools.accumulate(name.split("."), "{}/{}".format, initial=PROGRAMS)
            files.update(file for place in places for file in _files_of(place, root))
    return files


@cache
def _files_of(place, root):
    """The files of a module or a package of this path without suffix, if it is of the project."""
    return [name for name in (f"{place}.py", f"{place}/__init__.py") if (root / name).is_file()]
