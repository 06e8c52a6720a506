"""From the configuration to cells: what there is to compute, and under which names.

A *problem* is an ensemble with its parameters; a *cell* adds a depth and a path of
scales; a *block* is a range of repetitions that one job computes.  All are named by
their own parameters, not by the experiment that asks for them, so experiments share
what they have in common and adding a value names new files only.
"""

import ast
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path

from configuration import KERNEL, alpha_path, as_list, decades_path, sparsities


def number(value):
    """A number as it stands in file names: the shortest text that reads back the same."""
    text = re.sub(r"e\+?(-?)0*(\d+)", r"e\1\2", repr(value))
    return text.removesuffix(".0")


@dataclass(frozen=True)
class ProblemSpec:
    """An ensemble and its parameters, in the order in which they are named."""

    ensemble: str
    parameters: tuple

    @property
    def name(self):
        pairs = (f"{key}{number(value)}" for key, value in self.parameters)
        return "_".join([self.ensemble.replace("_", "-"), *pairs])


@dataclass(frozen=True)
class AlphaPath:
    """Scales of the predictor, increasing, as log10(alpha), and the name of the path."""

    name: str
    log10_alpha: tuple


@dataclass(frozen=True)
class Cell:
    """What a curve of a figure summarizes."""

    problem: ProblemSpec
    depth: float
    path: AlphaPath
    repetitions: int

    @property
    def name(self):
        return f"{self.problem.name}/D{number(self.depth)}/{self.path.name}"


def blocks(repetitions, size):
    """Names of the blocks that hold repetitions 0, ..., repetitions - 1."""
    return [
        f"reps{first}-{min(first + size, repetitions) - 1}" for first in range(0, repetitions, size)
    ]


def block_range(name):
    """(first, last) repetition of a block, both included."""
    first, last = name.removeprefix("reps").split("-")
    return int(first), int(last)


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


def cells(experiment):
    """The cells of an experiment's block of configuration, in the order of its lists."""
    axes = ("m", "rho") if KERNEL in as_list(experiment["ensemble"]) else ("N", "d", "s", "eta")
    path = _path(experiment["alpha"])
    return [
        Cell(
            ProblemSpec(ensemble, tuple(zip(axes, values, strict=True))),
            depth,
            path,
            experiment.get("repetitions", 1),
        )
        for ensemble in as_list(experiment["ensemble"])
        for values in itertools.product(*(as_list(experiment[axis]) for axis in axes))
        for depth in as_list(experiment["depth"])
    ]


def phase_problems(experiment):
    """The problems of an experiment of figure phase: (N, d) with s = sparsity * N, noiseless."""
    return [
        ProblemSpec(ensemble, (("N", N), ("d", d), ("s", s), ("eta", 0)))
        for ensemble in as_list(experiment["ensemble"])
        for d in as_list(experiment["d"])
        for N in as_list(experiment["N"])
        for s in sparsities(experiment["sparsity"], N)
    ]


def code(program, root):
    """A program and every file of the project that it imports, directly or not.

    These are inputs of its rule, so that changing one reruns exactly what uses it.

    Args:
        program: path of the program below root.
        root: folder of the repository.
    """
    folder = Path(program).parent
    found, queue = [], [Path(program)]
    while queue:
        path = queue.pop()
        if path in found:
            continue
        found.append(path)
        for node in ast.walk(ast.parse((root / path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            for name in names:
                parts = name.split(".")
                # importing a module runs the packages around it
                for depth in range(1, len(parts) + 1):
                    base = folder.joinpath(*parts[:depth])
                    queue += [
                        candidate
                        for candidate in (base.with_suffix(".py"), base / "__init__.py")
                        if (root / candidate).is_file()
                    ]
    return [str(path) for path in [found[0], *sorted(found[1:])]]
