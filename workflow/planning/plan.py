"""Which files there are, and which a rule needs: the configuration's grid as paths.

Rules ask a :class:`Plan` for inputs and parameters; it knows names, not how anything
is computed.
"""

import functools
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

from figures.registry import DECADES, FILE, KINDS, NONE, PATH, STAGE_OF, kinds_reading, kinds_where
from pipeline.formats import shape_of
from planning import grid
from planning.experiments import (
    HELD_OUT,
    UNPROVED,
    as_list,
    axes_of,
    fed,
    feeding,
    figure_names,
    figures,
    has_scales,
)
from planning.grid import Cell
from planning.reading import ConfigurationError
from planning.stages import STAGES, Batch, Call, Stages
from tables.registry import ALL_LIMITS, BOUNDS, LIMITS, TABLES, TRAJECTORIES

# kinds of figures of whose cells limits are proved
PROVED = (*kinds_where(alpha=PATH), *kinds_where(alpha=DECADES))

# what the tables of a stage depend on in the configuration, beside their experiments
OPTIONS = {
    "rates": ("l1", "null_space", "limit", "rates"),
    "bounds": ("l1", "null_space", "limit"),
    "descent": ("l1", "limit", "descent"),
    "flow": ("l1", "flow"),
    "lasso_path": ("flow.rtol", "lasso_path"),
    "agreement": ("l1", "limit", "flow", "certificates"),
    "certificates": ("certificates",),
    "bound_certificates": ("certificates",),
    "phase": (),
    "orders": ("null_space.exact_up_to", "orders"),
}


def _named_apart(specifications):
    """Raise an error where two of them have one name, by which their files would be called."""
    named = {}
    for one in specifications:
        if named.setdefault(one.name, one) != one:
            both = " and ".join(map(_in_full, (named[one.name], one)))
            raise ConfigurationError(
                f"experiments: {both} are both named {one.name}; give one a label, or "
                "its file another name"
            )


@functools.cache  # the file is read
def _size(problem):
    """N and d of a problem in a file, in brackets; nothing of others."""
    files = dict(problem.parameters)
    shape = shape_of(files["path"], files.get("data")) if problem.ensemble == FILE else None
    return f" (N = {shape[0] - files.get(HELD_OUT, 0)}, d = {shape[1]})" if shape else ""


def _in_full(specification):
    """A problem or a network in words, with the places of its files."""
    return ", ".join(grid.own_files(specification)) or specification.label


class Plan:
    """The files of a validated configuration.

    Attributes:
        results: folder of the results.
        figure_of: figure -> its kind; experiment_of: figure -> its experiment.
        tables: table -> (its kind, the experiments it shows).
        proofs: the tables of everything that is proved of cells.
        cells: all cells, each once.
        problems, planted_problems: name -> specification.
        paths, networks: name -> path of scales, network.
    """

    def __init__(self, config: dict) -> None:
        self.config = config
        self.results = config["results"]
        experiments = config["experiments"]
        self.figure_of: dict[str, str] = {}
        self.experiment_of: dict[str, str] = {}
        for name, experiment in experiments.items():
            named = figure_names(name, experiment)
            self.figure_of |= named
            self.experiment_of |= dict.fromkeys(named, name)
        self.experiments = {
            name: grid.cells(experiment)
            for name, experiment in experiments.items()
            if has_scales(experiment)
        }
        self.tables = self._named_tables()
        self.cells = list(dict.fromkeys(c for cells in self.experiments.values() for c in cells))
        self.problems = {cell.problem.name: cell.problem for cell in self.cells}
        self.planted_problems = {
            problem.name: problem
            for name in self.named(*kinds_where(alpha=NONE))
            for problem in grid.planted_problems(experiments[name])
        }
        self.paths = {cell.path.name: cell.path for cell in self.cells}
        self.networks = {cell.network.name: cell.network for cell in self.cells}
        _named_apart([*(cell.problem for cell in self.cells), *self.planted_problems.values()])
        _named_apart(cell.network for cell in self.cells)
        self._check_descents()
        self.stages = Stages(config)
        # asking for what is published notes every call behind it
        self._figures = {name: self.figure_data(name) for name in self.figure_of}
        self._tables = {
            name: (self.table_data(name), self.table_certificates(name)) for name in self.tables
        }
        self.proofs = self.certificates(self.cells_of(*PROVED))
        self.proofs += self.bound_certificates(self.cells_of(*kinds_reading("bounds")))
        self.proofs += self.trajectory_certificates(self.named(*kinds_reading("trajectories")))

    def named(self, *kinds: str, among: Iterable[str] | None = None) -> list[str]:
        """Names of the experiments with these kinds of figures.

        Args:
            among: names of experiments; all of them if None.
        """
        return [
            name
            for name, experiment in self.config["experiments"].items()
            if set(kinds).intersection(figures(experiment)) and (among is None or name in among)
        ]

    def cells_of(self, *kinds: str, among: Iterable[str] | None = None) -> list[Cell]:
        """The cells of these kinds of figures, each once."""
        names = self.named(*kinds, among=among)
        return list(dict.fromkeys(cell for name in names for cell in self.experiments[name]))

    def _named_tables(self):
        """Table -> (kind, experiments that it shows): shared ones, then each experiment's own."""
        shared, own = {}, {}
        for name, experiment in self.config["experiments"].items():
            filled = fed(experiment)
            if "initialization" in experiment:
                filled = [kind for kind in filled if kind in UNPROVED]
            asked = experiment.get("tables", filled)
            if asked == "shared":
                for kind in fed(experiment):
                    if TABLES[kind].shared:
                        shared.setdefault(kind, (kind, []))[1].append(name)
            else:
                own |= {f"{name}_{kind}": (kind, [name]) for kind in asked}
        return {kind: shared[kind] for kind in TABLES if kind in shared} | own

    @property
    def proved(self) -> bool:
        """Whether anything is proved in ball arithmetic."""
        return self.config["certificates"]["scales"] != "none"

    @property
    def all_scales_proved(self) -> bool:
        """Whether that is of every scale."""
        return self.config["certificates"]["scales"] == "all"

    def _check_descents(self):
        """Experiments of figure descent that share a cell and a scale ask for the same.

        Raises:
            ConfigurationError: if two do not.
        """
        asked = {}
        for name in self.named(*kinds_reading("descent")):
            experiment = self.config["experiments"][name]
            for cell, alpha in itertools.product(self.experiments[name], experiment["alpha"]):
                key = cell.problem.name, cell.network.name, grid.number(alpha)
                first = asked.setdefault(key, experiment)
                for option in ("fractions", "iterations"):
                    if first[option] != experiment[option]:
                        raise ConfigurationError(
                            f"experiments.{name}.{option}: {experiment[option]} is not allowed; "
                            f"allowed: {first[option]}, as in the experiment before it with the "
                            "same problem, depth and alpha"
                        )

    # --- parameters ---

    def settings(self, experiments: Iterable[str], files: Any, *more: str) -> str:
        """The slice of the configuration behind a figure or a table, as JSON.

        Args:
            experiments: names of those that it shows.
            files: tidy tables that it reads.
            more: options that it depends on itself.
        """
        stages = (file.removeprefix(f"{self.results}/").split("/")[0] for file in files)
        options = (name for stage in dict.fromkeys(stages) for name in OPTIONS[stage])
        blocks = {name: grid.named_files(self.config["experiments"][name]) for name in experiments}
        settings = {"experiments": blocks}
        for option in ("seed", "signal", "noise", *options, *more):
            value = self.config
            for key in option.split("."):
                value = value[key]
            settings[option] = value
        return json.dumps(settings)

    def whole(self) -> str:
        """The configuration as JSON, with files of the user's own by their names."""
        blocks = self.config["experiments"].items()
        experiments = {name: grid.named_files(block) for name, block in blocks}
        return json.dumps(self.config | {"experiments": experiments})

    def rows_of(self, experiment: str) -> list[dict]:
        """The cells of an experiment by the columns that name their rows in tables."""
        return [
            {
                **cell.problem.columns,
                "initialization": cell.network.label,
                "depth": cell.network.depth,
                "path": cell.path.name,
            }
            for cell in self.experiments.get(experiment, [])
        ]

    # --- files ---

    def rates(self, cells: Iterable[Cell], table: str) -> list[str]:
        """A table of stage rates of some cells."""
        return [self.stages.rates(cell)[table] for cell in cells]

    def bounds(self, cells: Iterable[Cell]) -> list[str]:
        """The tables of stage bounds of some cells."""
        return [file for cell in cells for file in self.stages.bounds(cell)]

    def certificates(self, cells: Iterable[Cell], *, with_limits: bool = True) -> list[str]:
        """The tables of proofs of some cells: of their problems, of their limits.

        There are none of cells with an initialization of its own.
        """
        proved = [cell for cell in cells if self.proved and not cell.network.initialization]
        stages = (self.stages.certificates, self.stages.limit_certificates)[: 1 + with_limits]
        return list(
            dict.fromkeys(file for cell in proved for stage in stages for file in stage(cell))
        )

    def bound_certificates(self, cells: Iterable[Cell]) -> list[str]:
        """The tables of proofs of bounds on the errors of some cells.

        There are some where every scale is proved: a table's numbers are over all of them.
        """
        if not self.all_scales_proved:
            return []
        return [file for cell in cells for file in self.stages.bound_certificates(cell)]

    def trajectory_certificates(self, experiments: Iterable[str]) -> list[str]:
        """The tables of proofs of trajectories that some experiments ask for."""
        return [
            self.stages.trajectory_certificates(cell, alpha, block)
            for name in experiments
            for cell in self.experiments[name]
            for alpha in self.config["experiments"][name].get("proved_alpha", ())
            if self.proved and not cell.network.initialization
            for block in self.stages.blocks(cell)
        ]

    def at_scales(self, stage: str, name: str) -> list[str]:
        """The tables of an experiment of a stage that has one scale a call."""
        experiment = self.config["experiments"][name]
        tables: dict[str, Callable[[Cell, float, str], str]] = {
            "flow": lambda cell, alpha, block: self.stages.flow(cell, alpha, block)[0],
            "lasso_path": self.stages.lasso_path,
            "descent": functools.partial(self.stages.descent, experiment=experiment),
        }
        table = tables[stage]
        return [
            table(cell, alpha, block)
            for cell in self.experiments[name]
            for alpha in experiment["alpha"]
            for block in self.stages.blocks(cell)
        ]

    def agreement(self, name: str) -> list[str]:
        """The tables of stage agreement of the flows that an experiment asks for.

        What others ask for of the same cells is not among them.
        """
        experiment, compare = self.config["experiments"][name], self.stages.agreement
        if "plain_alpha" in experiment:  # a figure of trajectories
            forms = {"dual": experiment["alpha"], "plain": experiment["plain_alpha"]}
            return [
                compare(cell, alpha, block, form, None)
                for cell in self.experiments[name]
                for form, scales in forms.items()
                for alpha in scales
                for block in self.stages.blocks(cell)
            ]
        return [
            compare(cell, alpha, block, "dual", repetition)
            for cell in self.experiments[name]
            for alpha in experiment.get("flow_alpha", ())
            for block in self.stages.blocks(cell)
            for repetition in grid.repetitions_of(block)
            if repetition < experiment["flow_repetitions"]
        ]

    def phase(self, name: str) -> list[str]:
        """The tables of recovery of an experiment."""
        experiment = self.config["experiments"][name]
        count = experiment["repetitions"]
        return [
            self.stages.phase(problem, sparsities, block)
            for problem, sparsities in grid.sizes(experiment)
            for block in grid.blocks(count, count)
        ]

    def orders(self, name: str, table: int = 0) -> list[str]:
        """The tables of constants of an order of an experiment, or (1) of their proofs."""
        experiment = self.config["experiments"][name]
        count, order = experiment["repetitions"], experiment["order_repetitions"]
        return [
            self.stages.orders(problem, block, order)[table]
            for problem in grid.planted_problems(experiment)
            for block in grid.blocks(count, count)
        ]

    def figure_data(self, name: str) -> list[str]:
        """The tidy tables that a figure reads."""
        kind = KINDS[self.figure_of[name]]
        return [
            file for table in kind.reads for file in self._read(table, self.experiment_of[name])
        ]

    def _read(self, table, experiment):
        """The files of one kind of tidy table of an experiment."""
        stage = STAGE_OF[table]
        if stage == "phase":
            return self.phase(experiment)
        if stage == "orders":
            return self.orders(experiment)
        if stage == "agreement":
            return self.agreement(experiment)
        if isinstance(self.config["experiments"][experiment]["alpha"], list):
            return self.at_scales(stage, experiment)
        cells = self.experiments[experiment]
        return self.bounds(cells) if stage == "bounds" else self.rates(cells, table)

    def in_words(self, name: str) -> str:
        """The problems and the initialization of an experiment, for captions."""
        experiment = self.config["experiments"][name]
        law = "file" if axes_of(experiment) == () else "law of A"
        words = [f"{law}: {'; '.join(self._labels(name))}"]
        for axis, text in (
            ("N", "N = {}"),
            ("delta", "N/d = {}"),
            ("d", "d = {}"),
            ("s", "s = {} nonzero entries of x₀"),
            ("eta", "η = {}"),
            ("m", "m = {}"),
            ("rho", "ϱ = {}"),
            ("repetitions", "repetitions: {}"),
        ):
            if axis in experiment:
                words.append(text.format(", ".join(map(str, as_list(experiment[axis])))))
        if "initialization" in experiment:
            shape = self.experiments[name][0].network.label
            words.append(f"u(0) and v(0) of another shape than ones ({shape})")
        return "; ".join(words)

    def _labels(self, name):
        """The laws of an experiment's problems; or their files, with N and d."""
        experiment = self.config["experiments"][name]
        if not has_scales(experiment):
            problems = grid.planted_problems(experiment)
        else:
            problems = [cell.problem for cell in self.experiments[name]]
        return list(dict.fromkeys(problem.label + _size(problem) for problem in problems))

    def table_data(self, table: str) -> list[str]:
        """The tidy tables that a table reads."""
        kind, among = self.tables[table]
        reads = TABLES[kind].reads
        names = [name for name in among if kind in fed(self.config["experiments"][name])]
        return list(dict.fromkeys(file for name in names for file in self._read(reads, name)))

    def table_certificates(self, table: str) -> list[str]:
        """The tables of stage certificates that a table reads."""
        kind, among = self.tables[table]
        proofs = TABLES[kind].proofs
        if proofs is None:
            return []
        if kind == "orders":  # its stage proves, too
            names = self.named(*feeding(kind), among=among)
            return [file for name in names for file in self.orders(name, 1)]
        if proofs == TRAJECTORIES:
            return self.trajectory_certificates(among)
        cells = self.cells_of(*feeding(kind), among=among)
        if proofs == BOUNDS:
            return self.bound_certificates(cells)
        if proofs == ALL_LIMITS and not self.all_scales_proved:
            return []
        return self.certificates(cells, with_limits=proofs in (LIMITS, ALL_LIMITS))

    # --- jobs ---

    def batches(self, stage: str) -> list[Batch]:
        """The jobs of a stage."""
        return self.stages.batches(stage)

    def rules_of_cells(self) -> dict[str, set[str]]:
        """Name of a cell -> the rules that compute something for its path of scales."""
        found: dict[str, set[str]] = {cell.name: set() for cell in self.cells}
        for stage in STAGES:
            for batch in self.batches(stage):
                for file in batch.outputs:
                    name = "/".join(file.removeprefix(f"{self.results}/").split("/")[1:4])
                    if name in found:
                        found[name].add(batch.rule)
        return found

    def figure_batches(self) -> dict[str, Batch]:
        """Figure -> the job that draws it, so that one can be made by itself."""
        return {
            name: Batch(f"figures/{name}", (self._figure_call(name, kind),))
            for name, kind in self.figure_of.items()
        }

    def _figure_call(self, name, kind):
        place, data = f"{self.results}/figures/{name}", self._figures[name]
        experiment = self.experiment_of[name]
        pictures = [f"{place}.{suffix}" for suffix in ("pdf", "svg", "png")]
        csv, origin = f"{place}.csv", f"{place}.json"
        words = ["--figure", kind, "--data", *data, "--realistic-alpha"]
        words += [str(self.config["realistic_alpha"][end]) for end in ("smallest", "largest")]
        if kind == "reach":
            words += ["--reach", str(self.config["experiments"][experiment]["reach"])]
        words += ["--output", *pictures, "--csv", csv, "--origin", origin]
        words += ["--configuration", self.settings([experiment], data, "realistic_alpha")]
        return Call(tuple(words), tuple(data), (*pictures, csv, origin))

    def table_batches(self) -> dict[str, Batch]:
        """Table -> the job that writes it."""
        return {
            name: Batch(f"tables/{name}", (self._table_call(name, *about),))
            for name, about in self.tables.items()
        }

    def _table_call(self, name, kind, shown):
        place, (data, proofs) = f"{self.results}/tables/{name}", self._tables[name]
        kinds = {"csv": "csv", "markdown": "md", "latex": "tex", "html": "html", "origin": "json"}
        files = {option: f"{place}.{suffix}" for option, suffix in kinds.items()}
        words = ["--table", kind, "--input", *data, "--certificates", *proofs]
        words += [word for option, file in files.items() for word in (f"--{option}", file)]
        words += ["--configuration", self.settings(shown, data + proofs)]
        return Call(tuple(words), (*data, *proofs), tuple(files.values()))
