"""Which files there are, and which a rule needs: the configuration's grid as paths.

Rules ask a :class:`Plan` for inputs and parameters; it knows names, not how anything
is computed.
"""

import json
import shlex

from planning import grid
from planning.configuration import (
    AGAINST_ALPHA,
    FILE,
    KERNEL,
    OWN_DATA,
    ConfigurationError,
    as_list,
    axes_of,
    fed,
    feeding,
    figure_names,
    figures,
)
from tables.registry import LIMITS, TABLES

# kinds of figures by the tables they read
FITTED = (*AGAINST_ALPHA, "tight")
OF_BOUNDS = ("bounds", "tightness")
OF_SCALES = ("flow", "descent", "lasso_path")
# log10 of the scales at which every path that has them is certified: those of the tables
# (scripts/tables/kinds/constants.py)
CERTIFIED_LOG10_ALPHA = (-4, -8, -12)

# what the tables of a stage depend on in the configuration, beside their experiments
OPTIONS = {
    "rates": ("l1", "null_space", "limit", "rates"),
    "bounds": ("l1", "null_space", "limit"),
    "descent": ("l1", "limit"),
    "flow": ("l1", "flow"),
    "lasso_path": ("flow.rtol",),
    "agreement": ("l1", "limit", "flow"),
    "certificates": ("certificates",),
    "phase": ("null_space.enumerate_up_to",),
}


def _named_apart(specifications):
    """Raise an error where two of them have one name, by which their files would be called."""
    named = {}
    for one in specifications:
        if named.setdefault(one.name, one) != one:
            raise ConfigurationError(
                f"experiments: {named[one.name].label} and {one.label} are both named {one.name}; "
                "rename a file"
            )


def _as_options(values):
    """Name -> value as options of a program, those that are on or off as flags."""
    for key, value in values.items():
        # "=" keeps a negative number from being taken for an option
        option = f"--{key.replace('_', '-')}"
        if value is not False:
            yield option if value is True else f"{option}={value}"


class Plan:
    """The files of a validated configuration.

    Attributes:
        results: folder of the results.
        figure_of: figure -> its kind; experiment_of: figure -> its experiment.
        tables: table -> (its kind, the experiments it shows).
        cells: all cells, each once.
        problems, phase_problems: name -> specification.
        paths, networks: name -> path of scales, network.
    """

    def __init__(self, config):
        self.config = config
        self.results = config["results"]
        experiments = config["experiments"]
        self.figure_of, self.experiment_of = {}, {}
        for name, experiment in experiments.items():
            named = figure_names(name, experiment)
            self.figure_of |= named
            self.experiment_of |= dict.fromkeys(named, name)
        # experiments of figure phase ask for problems only, not for cells
        self.experiments = {
            name: grid.cells(experiment)
            for name, experiment in experiments.items()
            if "phase" not in figures(experiment)
        }
        self.tables = self._tables()
        self.cells = list(dict.fromkeys(c for cells in self.experiments.values() for c in cells))
        self.problems = {cell.problem.name: cell.problem for cell in self.cells}
        self.phase_problems = {
            problem.name: problem
            for name in self.named("phase")
            for problem in grid.phase_problems(experiments[name])
        }
        self.paths = {cell.path.name: cell.path for cell in self.cells}
        self.networks = {cell.network.name: cell.network for cell in self.cells}
        _named_apart([*(cell.problem for cell in self.cells), *self.phase_problems.values()])
        _named_apart(cell.network for cell in self.cells)
        self._cell_of = {f"{cell.name}/reps{cell.repetitions}": cell for cell in self.cells}
        self._flows = self._all_flows()
        self._descents = self._all_descents()

    def named(self, *kinds, among=None):
        """Names of the experiments with these kinds of figures.

        Args:
            among: names of experiments; all of them if None.
        """
        return [
            name
            for name, experiment in self.config["experiments"].items()
            if set(kinds).intersection(figures(experiment)) and (among is None or name in among)
        ]

    def cells_of(self, *kinds, among=None):
        """The cells of these kinds of figures, each once."""
        names = self.named(*kinds, among=among)
        return list(dict.fromkeys(cell for name in names for cell in self.experiments[name]))

    def _tables(self):
        """Table -> (kind, experiments that it shows): shared ones, then each experiment's own."""
        shared, own = {}, {}
        for name, experiment in self.config["experiments"].items():
            unproved = "initialization" in experiment
            filled = [k for k in fed(experiment) if not (unproved and TABLES[k].proofs)]
            asked = experiment.get("tables", filled)
            if asked == "shared":
                for kind in fed(experiment):
                    if TABLES[kind].shared:
                        shared.setdefault(kind, (kind, []))[1].append(name)
            else:
                own |= {f"{name}_{kind}": (kind, [name]) for kind in asked}
        return {kind: shared[kind] for kind in TABLES if kind in shared} | own

    @property
    def proved(self):
        """Whether anything is proved in ball arithmetic."""
        return self.config["certificates"]["scales"] != "none"

    def selects(self, network):
        """Whether the error is measured from what stage selection says, not from stage l1.

        The first depends on depth and initialization too.
        """
        return bool(network.initialization) or self.config["l1"]["nonunique"] == "select"

    def _all_flows(self):
        """Cell of figure flow -> (alpha, alpha of the plain form), of all experiments."""
        flows = {}
        for name in self.named("flow"):
            experiment = self.config["experiments"][name]
            for cell in self.experiments[name]:
                _, plain = flows.get(cell, ([], []))
                both = list(dict.fromkeys([*plain, *experiment["plain_alpha"]]))
                flows[cell] = experiment["alpha"], both
        return flows

    def _all_descents(self):
        """(problem, network, alpha) of figure descent -> (cell, experiment's configuration)."""
        descents = {}
        asked = [
            (name, cell, alpha)
            for name in self.named("descent")
            for cell in self.experiments[name]
            for alpha in self.config["experiments"][name]["alpha"]
        ]
        for name, cell, alpha in asked:
            experiment = self.config["experiments"][name]
            key = cell.problem.name, cell.network.name, grid.number(alpha)
            _, first = descents.setdefault(key, (cell, experiment))
            for option in ("fractions", "iterations"):
                if first[option] != experiment[option]:
                    raise ConfigurationError(
                        f"experiments.{name}.{option}: {experiment[option]} is not allowed; "
                        f"allowed: {first[option]}, as in the experiment before it with the same "
                        "problem, depth and alpha"
                    )
        return descents

    def _blocks(self, cell):
        return grid.blocks(cell.repetitions, self.config["block"])

    # --- parameters ---

    def columns(self, problem, network=None, **more):
        """The parameters of a cell as columns, None where an axis is not its own, as JSON."""
        values = dict(self.problems[problem].axes)
        names = {"N": "N", "d": "d", "s": "s", "eta": "eta", "m": "m", "rho": "family_rho"}
        columns = {"ensemble": self.problems[problem].label}
        columns |= {column: values.get(axis) for axis, column in names.items()}
        network = self.networks.get(network)
        columns["depth"] = network.depth if network else None
        if network and network.initialization:
            columns["initialization"] = network.label
        return json.dumps(columns | more)

    def problem_arguments(self, name):
        """Options of the program of stage problems."""
        problem = self.problems[name]
        return shlex.join([problem.ensemble, *self._options(problem)])

    def phase_arguments(self, name):
        """Options of the program of stage phase."""
        problem = self.phase_problems[name]
        options = self._options(problem, but=("eta", "noise-law"))
        label = [] if problem.label == problem.ensemble else ["--label", problem.label]
        return shlex.join(["--ensemble", problem.ensemble, *label, *options])

    def _options(self, problem, but=()):
        values = dict(problem.axes) | dict(problem.parameters)
        if problem.ensemble not in (KERNEL, FILE):
            values["seed"] = self.config["seed"]
            values |= dict(problem.signal) or self.config["signal"]
            values["noise-law"] = problem.noise or self.config["noise"]
        return _as_options({key: value for key, value in values.items() if key not in but})

    def own_data(self, wildcards):
        """The files of a problem of one's own."""
        problem = self.problems[wildcards.problem]
        if problem.ensemble != FILE:
            return []
        return [value for key, value in problem.parameters if key in OWN_DATA]

    def selection_arguments(self, wildcards):
        """Options of the program of stage selection: depth and initialization."""
        network = self.networks[wildcards.network]
        shape = dict(network.initialization)
        options = {"depth": network.depth}
        if shape:
            options |= {"shape": shape.pop("law"), "seed": self.config["seed"], **shape}
        return shlex.join(_as_options(options))

    def shape_files(self, wildcards):
        """The file of an initialization of one's own."""
        network = self.networks[wildcards.network]
        return [value for key, value in network.initialization if key == "path"]

    def depth(self, wildcards):
        """The depth of a network."""
        return self.networks[wildcards.network].depth

    def flow_arguments(self):
        """Options of the program of stage flow that every cell shares."""
        options = self.config["flow"].items()
        return " ".join(f"--{key.replace('_', '-')} {value}" for key, value in options)

    def window(self, path):
        """The window of the fit, as an option; none where log(1/alpha) is log-spaced."""
        if path.startswith("decades"):
            return ""
        window = self.config["rates"]["window"]
        return f"--window {window['smallest']} {window['largest']}"

    def certified_scales(self, path):
        """log10 of the scales of a path whose limit points are certified."""
        scales = self.paths[path].log10_alpha
        if self.config["certificates"]["scales"] == "all":
            return scales
        # the two smallest give the slope at the end
        return tuple(v for v in scales if v in CERTIFIED_LOG10_ALPHA or v in scales[:2])

    def settings(self, experiments, files, *more):
        """The slice of the configuration behind a figure or a table, as JSON.

        Args:
            experiments: names of those that it shows.
            files: tidy tables that it reads.
            more: options that it depends on itself.
        """
        stages = (file.removeprefix(f"{self.results}/").split("/")[0] for file in files)
        options = (name for stage in dict.fromkeys(stages) for name in OPTIONS[stage])
        blocks = {name: self.config["experiments"][name] for name in experiments}
        settings = {"experiments": blocks}
        for option in ("seed", "signal", "noise", *options, *more):
            value = self.config
            for key in option.split("."):
                value = value[key]
            settings[option] = value
        return json.dumps(settings)

    # --- files ---

    def cell(self, wildcards):
        """The cell that the wildcards of rates or agreement name."""
        name = "{problem}/{network}/{path}/reps{repetitions}".format_map(vars(wildcards))
        return self._cell_of[name]

    def cell_blocks(self, stage, wildcards):
        """The blocks of a stage that a cell is made of, in order."""
        cell = self.cell(wildcards)
        if stage == "l1":
            folder = self._minimizers(cell.problem.name, cell.network.name)
            return [f"{folder}/{block}.npz" for block in self._blocks(cell)]
        folder = {
            "limit": cell.name,
            "asymptotics": f"{cell.problem.name}/{cell.network.name}",
        }.get(stage, cell.problem.name)
        return [f"{self.results}/{stage}/{folder}/{block}.npz" for block in self._blocks(cell)]

    def minimizers(self, wildcards):
        """The block of what the error is measured from: of stage l1, or of stage selection."""
        folder = self._minimizers(wildcards.problem, wildcards.network)
        return f"{folder}/{wildcards.block}.npz"

    def _minimizers(self, problem, network):
        if self.selects(self.networks[network]):
            return f"{self.results}/selection/{problem}/{network}"
        return f"{self.results}/l1/{problem}"

    def rates(self, cells, table):
        """The tables of stage rates of some cells."""
        return [
            f"{self.results}/rates/{cell.name}/reps{cell.repetitions}/{table}.parquet"
            for cell in cells
        ]

    def bounds(self, cells):
        """The tables of stage bounds of some cells."""
        return [
            f"{self.results}/bounds/{cell.name}/{block}.parquet"
            for cell in cells
            for block in self._blocks(cell)
        ]

    def certificates(self, cells, *, with_limits=True):
        """The tables of stage certificates of some cells: of their problems, of their limits.

        There are none of cells with an initialization of its own.
        """
        cells = [cell for cell in cells if self.proved and not cell.network.initialization]
        folders = [[cell.problem.name, cell.name][: 1 + with_limits] for cell in cells]
        return list(
            dict.fromkeys(
                f"{self.results}/certificates/{folder}/{block}.parquet"
                for cell, names in zip(cells, folders, strict=True)
                for folder in names
                for block in self._blocks(cell)
            )
        )

    def at_scale(self, stage, cell, alpha, suffix):
        """The blocks of a stage that has one scale a job."""
        folder = f"{cell.problem.name}/{cell.network.name}/alpha{grid.number(alpha)}"
        return [f"{self.results}/{stage}/{folder}/{b}.{suffix}" for b in self._blocks(cell)]

    def at_scales(self, name):
        """The tables of an experiment whose figure has one scale a job."""
        (kind,) = figures(self.config["experiments"][name])
        return [
            file
            for cell in self.experiments[name]
            for alpha in self.config["experiments"][name]["alpha"]
            for file in self.at_scale(kind, cell, alpha, "parquet")
        ]

    def agreement(self, experiments):
        """The tables of stage agreement of some experiments."""
        return [
            f"{self.results}/agreement/{cell.name}/reps{cell.repetitions}.parquet"
            for cell in self.cells_of("flow", among=experiments)
        ]

    def compared_flows(self, wildcards):
        """(form, alpha, blocks of endpoints) of everything that agreement compares."""
        cell = self.cell(wildcards)
        alpha, plain_alpha = self._flows[cell]
        return [
            (form, alpha, self.at_scale(stage, cell, alpha, "npz"))
            for form, stage, scales in (
                ("dual", "flow", alpha),
                ("plain", "plain_flow", plain_alpha),
            )
            for alpha in scales
        ]

    def descent_limit(self, wildcards):
        """The block of stage limit that a job of stage descent compares with."""
        cell, _ = self._descents[wildcards.problem, wildcards.network, wildcards.alpha]
        return f"{self.results}/limit/{cell.name}/{wildcards.block}.npz"

    def descent_option(self, wildcards, key):
        """A value of the configuration of the experiment that asks for a job of stage descent."""
        _, experiment = self._descents[wildcards.problem, wildcards.network, wildcards.alpha]
        return experiment[key]

    def phase(self, name):
        """The tables of an experiment of figure phase."""
        experiment = self.config["experiments"][name]
        count, order = experiment["repetitions"], experiment["order_repetitions"]
        return [
            f"{self.results}/phase/{problem.name}/{block}/order{order}.parquet"
            for problem in grid.phase_problems(experiment)
            for block in grid.blocks(count, count)
        ]

    def figure_data(self, name):
        """The tidy tables that a figure reads."""
        figure, experiment = self.figure_of[name], self.experiment_of[name]
        if figure == "phase":
            return self.phase(experiment)
        if figure in OF_SCALES:
            return self.at_scales(experiment)
        cells = self.experiments[experiment]
        if figure in OF_BOUNDS:
            return self.bounds(cells)
        tables = ("points",) if figure == "reach" else ("curves", "instances")
        return [file for table in tables for file in self.rates(cells, table)]

    def in_words(self, name):
        """The problems and the initialization of an experiment, for captions."""
        experiment = self.config["experiments"][name]
        law = "file" if axes_of(experiment) == () else "law of A"
        words = [f"{law}: {'; '.join(dict.fromkeys(self._labels(name)))}"]
        for axis, text in (
            ("N", "N = {}"),
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
        experiment = self.config["experiments"][name]
        if "phase" in figures(experiment):
            return [problem.label for problem in grid.phase_problems(experiment)]
        return [cell.problem.label for cell in self.experiments[name]]

    def reach(self, figure):
        """The option of figure reach."""
        experiment = self.config["experiments"][self.experiment_of[figure]]
        return f"--reach {experiment['reach']}" if self.figure_of[figure] == "reach" else ""

    def table_data(self, table):
        """The tidy tables that a table reads."""
        kind, among = self.tables[table]
        names, reads = self.named(*feeding(kind), among=among), TABLES[kind].reads
        if reads == "agreement":
            return self.agreement(names)
        if reads in ("descent", "phase"):
            files = self.phase if reads == "phase" else self.at_scales
            return list(dict.fromkeys(file for name in names for file in files(name)))
        cells = self._cells_feeding(table)
        return self.bounds(cells) if reads == "bounds" else self.rates(cells, reads)

    def _cells_feeding(self, table):
        kind, among = self.tables[table]
        return self.cells_of(*feeding(kind), among=among)

    def table_certificates(self, table):
        """The tables of stage certificates that a table reads."""
        kind, _ = self.tables[table]
        proofs = TABLES[kind].proofs
        if proofs is None:
            return []
        if kind == "phase":  # its stage proves, too
            return [
                file.replace(".parquet", "_certificates.parquet") for file in self.table_data(table)
            ]
        return self.certificates(self._cells_feeding(table), with_limits=proofs == LIMITS)
