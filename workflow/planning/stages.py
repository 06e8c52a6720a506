"""What each stage computes: calls of its program, and which calls share a process.

A *call* is a command line: it makes the files of one cell, or of one block of it, and is the same
whatever else there is to compute.  Calls of one stage whose problems are of one *family* (one law
and one size: they differ in sparsity, noise, the constant of the family or the network) are put
together in *batches*, a job each, of so many calls as the configuration says.  A job makes what of
its calls is not there yet (:mod:`pipeline.calls`), so that adding a value to a grid computes that
value, however the calls are divided then.

Stages are asked for files; what makes them, and what these are made from, is noted on the way.
"""

import functools
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, TypeVar

from figures.registry import FILE, KERNEL
from planning import grid
from planning.experiments import HELD_OUT, LABEL
from planning.grid import AlphaPath, Cell, Network, ProblemSpec
from tables.kinds.constants import MARKS

# log10 of the scales at which every path that has them is certified: those of the tables
CERTIFIED_LOG10_ALPHA = tuple(MARKS.values())
# tolerance of flows that are integrated to be enclosed: finer ones have narrower enclosures, as far
# as 1e-13, where rounding is the rest
ENCLOSED_RTOL = 1e-11


@dataclass(frozen=True)
class Stage:
    """What a stage is for the workflow.

    Attributes:
        program: its file in scripts/stages.
        megabytes, minutes: what a job asks of a cluster, minutes for each of its calls.
    """

    program: str
    megabytes: int
    minutes: int


STAGES = {
    "problems": Stage("problems", 1000, 2),
    "l1": Stage("l1", 2000, 5),
    "null_space": Stage("null_space", 2000, 10),
    # what the error is measured from where that depends on the network: the minimizer that the
    # flow selects among several, and that of the norm which an initialization leads to
    "selection": Stage("selection", 2000, 5),
    "limit": Stage("limit", 2000, 5),
    "asymptotics": Stage("asymptotics", 1000, 2),
    "flow": Stage("flow", 2000, 5),
    # the 2d weights (u, v) themselves, to compare with
    "plain_flow": Stage("flow", 2000, 10),
    "agreement": Stage("agreement", 1000, 2),
    "lasso_path": Stage("lasso_path", 2000, 5),
    "rates": Stage("rates", 1000, 2),
    "bounds": Stage("bounds", 2000, 5),
    # proofs of what does not depend on depth and scale: g*, rho, rho~
    "certificates": Stage("certificates", 2000, 5),
    # proofs of first-order constants and limit points
    "limit_certificates": Stage("certificates", 2000, 5),
    # proofs of bounds on the error
    "bound_certificates": Stage("bound_certificates", 2000, 20),
    # proofs of trajectories of the flow
    "trajectory_certificates": Stage("trajectory_certificates", 2000, 20),
    "descent": Stage("descent", 2000, 5),
    "phase": Stage("phase", 2000, 5),
    "orders": Stage("orders", 2000, 5),
}


@dataclass(frozen=True)
class Call:
    """One call of a program.

    Attributes:
        words: of its command line, the program's name left out.
        inputs, outputs: files of the results.
        data: files that no rule makes.
    """

    words: tuple
    inputs: tuple
    outputs: tuple
    data: tuple = ()


@dataclass(frozen=True)
class Batch:
    """Calls that one job makes.

    Attributes:
        place: of its log and its timing, below the folders of these.
        calls: its calls, in order.
    """

    place: str
    calls: tuple

    @property
    def rule(self) -> str:
        """The name of its rule."""
        return self.place.replace("/", "_")

    @property
    def inputs(self) -> list[str]:
        return list(dict.fromkeys(file for call in self.calls for file in call.inputs))

    @property
    def data(self) -> list[str]:
        return list(dict.fromkeys(file for call in self.calls for file in call.data))

    @property
    def outputs(self) -> list[str]:
        return [file for call in self.calls for file in call.outputs]

    @property
    def command_lines(self) -> list[str]:
        """The words of each call as one text."""
        return [shlex.join(call.words) for call in self.calls]


def batches(stage: str, calls: dict, size: int) -> list[Batch]:
    """Calls in jobs.

    Args:
        stage: folder of logs and timings.
        calls: family -> its calls, in order.
        size: at most so many calls in a job.
    """
    return [
        Batch(f"{stage}/{family}/{first // size + 1}", tuple(members[first : first + size]))
        for family, members in calls.items()
        for first in range(0, len(members), size)
    ]


def options(values: dict) -> list[str]:
    """Name -> value as words of a command line: lists as several words, flags by their name."""
    words = []
    for key, value in values.items():
        option = f"--{key.replace('_', '-')}"
        if isinstance(value, list | tuple):
            words += [option, *map(str, value)]
        elif value is not False:
            # "=" keeps a negative number from being taken for an option
            words.append(option if value is True else f"{option}={value}")
    return words


Answer = TypeVar("Answer")


def _once(ask: Callable[..., Answer]) -> Callable[..., Answer]:
    """A method of which the answer is kept: what is behind a file is walked through once."""

    @functools.wraps(ask)
    def answer(self, *about):
        key = (ask.__name__, *about)
        if key not in self._answers:
            self._answers[key] = ask(self, *about)
        return self._answers[key]

    return answer


class Stages:
    """Files of the stages by what they hold; asking for one notes the call that makes it.

    Attributes:
        calls: stage -> family -> calls.
    """

    def __init__(self, config: dict) -> None:
        self.config = config
        self.results = config["results"]
        self.calls: dict[str, dict[str, list[Call]]] = {stage: {} for stage in STAGES}
        self._made: set[str] = set()
        self._answers: dict[tuple, Any] = {}

    def batches(self, stage: str) -> list[Batch]:
        """The jobs of a stage."""
        return batches(stage, self.calls[stage], self.config["cells_per_job"])

    def _call(self, stage, problem, inputs, outputs, more=(), *, reads=(), data=(), family=None):
        """Note a call, once.

        Args:
            inputs, outputs: option -> file, or files.
            more: words that follow.
            reads: files of the results among these.
            data: files that no rule makes among these.
            family: of calls that share jobs; the problem's if None.
        """
        files = tuple(outputs.values())
        if files not in self._made:
            self._made.add(files)
            read = [
                file
                for given in inputs.values()
                for file in ([given] if isinstance(given, str) else given)
            ]
            words = [*_files(inputs), *_files(outputs), *map(str, more)]
            call = Call(tuple(words), (*read, *reads), files, tuple(data))
            self.calls[stage].setdefault(family or problem.family, []).append(call)

    # --- problems and their minimizers ---

    @_once
    def problems(self, problem: ProblemSpec, block: str) -> str:
        """The block of a problem."""
        file = f"{self.results}/problems/{problem.name}/{block}.npz"
        data = grid.own_files(problem)
        words = ["--repetitions", *grid.block_range(block)]
        words += [problem.ensemble, *options(self._law(problem))]
        self._call("problems", problem, {}, {"output": file}, words, data=data)
        return file

    def _law(self, problem):
        values = dict(problem.axes) | dict(problem.parameters)
        if problem.ensemble == FILE:
            values.pop(LABEL, None)
        drawn = problem.ensemble not in (KERNEL, FILE)
        if drawn or HELD_OUT in values:
            values["seed"] = self.config["seed"]
        if drawn:
            values |= dict(problem.signal) or self.config["signal"]
            values["noise-law"] = problem.noise or self.config["noise"]
        return values

    @_once
    def l1(self, problem: ProblemSpec, block: str) -> str:
        """The block of stage l1."""
        file = f"{self.results}/l1/{problem.name}/{block}.npz"
        inputs = {"problems": self.problems(problem, block)}
        self._call("l1", problem, inputs, {"output": file}, options(self.config["l1"]))
        return file

    @_once
    def null_space(self, problem: ProblemSpec, block: str) -> str:
        """The block of stage null_space."""
        file = f"{self.results}/null_space/{problem.name}/{block}.npz"
        inputs = self._solved(problem, block)
        self._call(
            "null_space", problem, inputs, {"output": file}, options(self.config["null_space"])
        )
        return file

    def _solved(self, problem, block):
        return {"problems": self.problems(problem, block), "l1": self.l1(problem, block)}

    @_once
    def selection(self, problem: ProblemSpec, network: Network, block: str) -> str:
        """The block of stage selection."""
        file = f"{self.results}/selection/{problem.name}/{network.name}/{block}.npz"
        shape = dict(network.initialization)
        data = grid.own_files(network)
        values = {"depth": network.depth}
        if shape:
            values |= {"shape": shape.pop("law"), "seed": self.config["seed"], **shape}
        words = options(values | self.config["l1"])
        inputs = self._solved(problem, block)
        self._call("selection", problem, inputs, {"output": file}, words, data=data)
        return file

    def minimizers(self, problem: ProblemSpec, network: Network, block: str) -> str:
        """The block of what the error is measured from, which depends on the network too where
        it has an initialization of its own or the flow is asked which minimizer it selects."""
        if network.initialization or self.config["l1"]["nonunique"] == "select":
            return self.selection(problem, network, block)
        return self.l1(problem, block)

    def _measured(self, cell, block):
        return {
            "problems": self.problems(cell.problem, block),
            "l1": self.minimizers(cell.problem, cell.network, block),
        }

    # --- the flow's limit ---

    @_once
    def limit(self, cell: Cell, block: str) -> str:
        """The block of stage limit."""
        file = f"{self.results}/limit/{cell.name}/{block}.npz"
        values = {"depth": cell.network.depth, "log10_alpha": cell.path.log10_alpha}
        words = options(values | self.config["limit"])
        self._call("limit", cell.problem, self._measured(cell, block), {"output": file}, words)
        return file

    @_once
    def asymptotics(self, cell: Cell, block: str) -> str:
        """The block of stage asymptotics."""
        folder = f"{self.results}/asymptotics/{cell.problem.name}/{cell.network.name}"
        file = f"{folder}/{block}.npz"
        words = options({"depth": cell.network.depth})
        self._call(
            "asymptotics", cell.problem, self._measured(cell, block), {"output": file}, words
        )
        return file

    @_once
    def rates(self, cell: Cell) -> dict[str, str]:
        """Table -> file of stage rates."""
        folder = f"{self.results}/rates/{cell.name}/reps{cell.repetitions}"
        tables = {table: f"{folder}/{table}.parquet" for table in ("instances", "points", "curves")}
        blocks = self.blocks(cell)
        problem, network = cell.problem, cell.network
        inputs = {
            "l1": [self.minimizers(problem, network, block) for block in blocks],
            "null-space": [self.null_space(problem, block) for block in blocks],
            "limit": [self.limit(cell, block) for block in blocks],
            "asymptotics": [self.asymptotics(cell, block) for block in blocks],
        }
        values = dict(self.config["rates"])
        window = values.pop("window")
        # nothing is fitted where log(1/alpha) is log-spaced
        if not cell.path.name.startswith("decades"):
            values["window"] = (window["smallest"], window["largest"])
        words = [*columns(cell, path=True), *options(values | {"seed": self.config["seed"]})]
        self._call("rates", problem, inputs, tables, words)
        return tables

    def bounds(self, cell: Cell) -> list[str]:
        """The blocks of stage bounds."""
        return [self._bounds(cell, block) for block in self.blocks(cell)]

    @_once
    def _bounds(self, cell, block):
        file = f"{self.results}/bounds/{cell.name}/{block}.parquet"
        inputs = self._solved(cell.problem, block)
        inputs |= {"null-space": self.null_space(cell.problem, block)}
        inputs |= {"limit": self.limit(cell, block)}
        self._call("bounds", cell.problem, inputs, {"output": file}, columns(cell))
        return file

    # --- proofs ---

    def certificates(self, cell: Cell) -> list[str]:
        """The tables of proofs of a cell's problems."""
        return [self._certificates(cell, block) for block in self.blocks(cell)]

    @_once
    def _certificates(self, cell, block):
        problem = cell.problem
        file = f"{self.results}/certificates/{problem.name}/{block}.parquet"
        inputs = self._solved(problem, block) | {"null-space": self.null_space(problem, block)}
        words = [*columns(cell, network=False), *options(self._radius())]
        self._call("certificates", problem, inputs, {"output": file}, words)
        return file

    def _radius(self):
        return {"radius": self.config["certificates"]["radius"]}

    def limit_certificates(self, cell: Cell) -> list[str]:
        """The tables of proofs of a cell's limit points and first-order constants."""
        return [self._limit_certificates(cell, block) for block in self.blocks(cell)]

    @_once
    def _limit_certificates(self, cell, block):
        file = f"{self.results}/certificates/{cell.name}/{block}.parquet"
        inputs = self._solved(cell.problem, block) | {"limit": self.limit(cell, block)}
        inputs |= {"asymptotics": self.asymptotics(cell, block)}
        values = {"log10_alpha": self.certified_scales(cell.path), **self._radius()}
        words = [*columns(cell, path=True), *options(values)]
        self._call("limit_certificates", cell.problem, inputs, {"output": file}, words)
        return file

    def bound_certificates(self, cell: Cell) -> list[str]:
        """The tables of proofs of a cell's bounds on the error."""
        return [self._bound_certificates(cell, block) for block in self.blocks(cell)]

    @_once
    def _bound_certificates(self, cell, block):
        file = f"{self.results}/bound_certificates/{cell.name}/{block}.parquet"
        inputs = self._solved(cell.problem, block)
        inputs |= {"null-space": self.null_space(cell.problem, block)}
        inputs |= {"limit": self.limit(cell, block)}
        values = {"log10_alpha": self.certified_scales(cell.path), **self._radius()}
        words = [*columns(cell, path=True), *options(values)]
        self._call("bound_certificates", cell.problem, inputs, {"output": file}, words)
        return file

    def certified_scales(self, path: AlphaPath) -> tuple[float, ...]:
        """log10 of the scales of a path whose limit points are certified."""
        scales = path.log10_alpha
        if self.config["certificates"]["scales"] == "all":
            return scales
        # the two smallest give the slope at the end
        return tuple(v for v in scales if v in CERTIFIED_LOG10_ALPHA or v in scales[:2])

    @_once
    def trajectory_certificates(self, cell: Cell, alpha: float, block: str) -> str:
        """The table of proofs of the trajectories of a block."""
        file = f"{self._at_scale('certificates', cell, alpha, block)}.parquet"
        inputs = self._solved(cell.problem, block)
        states, ends = self.flow(cell, alpha, block)
        inputs |= {"trajectories": states, "endpoints": ends}
        values = {"rtol": min(self.config["flow"]["rtol"], ENCLOSED_RTOL), **self._radius()}
        words = [*columns(cell, alpha=alpha), *options(values)]
        self._call("trajectory_certificates", cell.problem, inputs, {"output": file}, words)
        return file

    # --- one scale a call ---

    def _at_scale(self, stage, cell, alpha, block):
        """The place of such a call's files, without their suffix."""
        folder = f"{cell.problem.name}/{cell.network.name}/alpha{grid.number(alpha)}"
        return f"{self.results}/{stage}/{folder}/{block}"

    @_once
    def flow(self, cell: Cell, alpha: float, block: str) -> tuple[str, str]:
        """The table of trajectories of a block, and the file of their ends."""
        place = self._at_scale("flow", cell, alpha, block)
        outputs = {"endpoints": f"{place}.npz", "trajectories": f"{place}.parquet"}
        words = ["--form", "dual", *self._flow_options(cell, alpha)]
        self._call("flow", cell.problem, self._measured(cell, block), outputs, words)
        return outputs["trajectories"], outputs["endpoints"]

    @_once
    def one_flow(self, cell: Cell, alpha: float, block: str, repetition: int) -> str:
        """The end of the flow of one repetition of a block."""
        file = f"{self._at_scale('flow', cell, alpha, block)}rep{repetition}.npz"
        words = ["--form", "dual", *self._flow_options(cell, alpha), "--only", repetition]
        inputs = self._measured(cell, block)
        self._call("flow", cell.problem, inputs, {"endpoints": file}, words)
        return file

    @_once
    def plain_flow(self, cell: Cell, alpha: float, block: str) -> str:
        """The ends of the flow in its plain form."""
        file = f"{self._at_scale('plain_flow', cell, alpha, block)}.npz"
        words = ["--form", "plain", *self._flow_options(cell, alpha, plain=True)]
        inputs = self._measured(cell, block)
        self._call("plain_flow", cell.problem, inputs, {"endpoints": file}, words)
        return file

    def _flow_options(self, cell, alpha, plain=False):
        settings = dict(self.config["flow"])
        plain_distance = settings.pop("plain_distance")
        if plain:
            settings["distance"] = plain_distance
        return [*columns(cell, alpha=alpha), *options(settings)]

    @_once
    def agreement(
        self,
        cell: Cell,
        alpha: float,
        block: str,
        form: str,
        repetition: int | None,
    ) -> str:
        """The table that compares ends of a form of the flow with the limit.

        Args:
            repetition: the one that is integrated, without its trajectory; all, with them, if None.
        """
        if form == "plain":
            ends = self.plain_flow(cell, alpha, block)
        elif repetition is None:
            _, ends = self.flow(cell, alpha, block)
        else:
            ends = self.one_flow(cell, alpha, block, repetition)
        folder = f"{self.results}/agreement/{cell.name}/{form}{grid.number(alpha)}"
        file = f"{folder}/{PurePath(ends).stem}.parquet"
        inputs = {
            "l1": self.minimizers(cell.problem, cell.network, block),
            "limit": self.limit(cell, block),
            "flow": ends,
        }
        words = ["--form", form, *columns(cell, path=True, alpha=alpha)]
        self._call("agreement", cell.problem, inputs, {"output": file}, words)
        return file

    @_once
    def lasso_path(self, cell: Cell, alpha: float, block: str) -> str:
        """The table of the time-averaged flow along the lasso path."""
        file = f"{self._at_scale('lasso_path', cell, alpha, block)}.parquet"
        values = {"rtol": self.config["flow"]["rtol"], **self.config["lasso_path"]}
        inputs = {"problems": self.problems(cell.problem, block)}
        words = [*columns(cell, alpha=alpha), *options(values)]
        self._call("lasso_path", cell.problem, inputs, {"output": file}, words)
        return file

    def descent(self, cell: Cell, alpha: float, block: str, experiment: dict) -> str:
        """The table of gradient descent, as an experiment asks for it."""
        file = f"{self._at_scale('descent', cell, alpha, block)}.parquet"
        inputs = self._solved(cell.problem, block) | {"limit": self.limit(cell, block)}
        values = {key: experiment[key] for key in ("fractions", "iterations")}
        words = [*columns(cell, alpha=alpha), *options(values | self.config["descent"])]
        self._call("descent", cell.problem, inputs, {"output": file}, words)
        return file

    # --- recovery ---

    @_once
    def phase(self, problem: ProblemSpec, sparsities: tuple[int, ...], block: str) -> str:
        """The table of recovery of a block, of all numbers of nonzero entries at once.

        Args:
            problem: its axes are N and d.
            sparsities: the numbers s.
        """
        name = f"s{'_'.join(map(str, sparsities))}"
        file = f"{self.results}/phase/{problem.name}/{block}/{grid.part(name)}.parquet"
        values = {**self._signals(problem, block), "s": sparsities}
        # matrices of all sizes share jobs: the time of most calls is that of starting a program
        family = replace(problem, axes=()).name
        self._call("phase", problem, {}, {"output": file}, options(values), family=family)
        return file

    def _signals(self, problem, block):
        """Options of the planted signals of a block, without noise."""
        values: dict[str, Any] = {
            "repetitions": grid.block_range(block),
            "ensemble": problem.ensemble,
        }
        if problem.label != problem.ensemble:
            values["label"] = problem.label
        law = self._law(problem)
        return values | {key: law[key] for key in law if key not in ("eta", "noise-law")}

    @_once
    def orders(self, problem: ProblemSpec, block: str, order: int) -> tuple[str, str]:
        """The table of null space constants of a block, and that of its proofs.

        Args:
            order: so many repetitions have the constants of a support and of an order, too.
        """
        place = f"{self.results}/orders/{problem.name}/{block}/order{order}"
        tables = {"output": f"{place}.parquet", "certificates": f"{place}_certificates.parquet"}
        values = self._signals(problem, block)
        values |= {"exact_up_to": self.config["null_space"]["exact_up_to"]}
        values |= {"order_repetitions": order}
        words = options(values | self.config["orders"])
        self._call("orders", problem, {}, tables, words)
        return tables["output"], tables["certificates"]

    def blocks(self, cell: Cell) -> list[str]:
        """Names of a cell's blocks, in the order of their repetitions."""
        return grid.blocks(cell.repetitions, self.config["block"])


def _files(given):
    """Option -> file or files, as words."""
    return [
        word
        for option, files in given.items()
        for word in (f"--{option}", *([files] if isinstance(files, str) else files))
    ]


def columns(
    cell: Cell, *, network: bool = True, path: bool = False, alpha: float | None = None
) -> list[str]:
    """The parameters of a cell as options: columns of its tables.

    Args:
        cell: of which.
        network: whether depth and initialization are among them.
        path: whether the name of its path is.
        alpha: the one scale that a call is of, if it is of one.
    """
    found: dict[str, Any] = cell.problem.columns
    if network:
        found["depth"] = cell.network.depth
        if cell.network.initialization:
            found["initialization"] = cell.network.label
    if path:
        found["path_name"] = cell.path.name
    if alpha is not None:
        found["alpha"] = grid.number(alpha)
    return options(found)
