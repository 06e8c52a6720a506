"""Which files there are, and which a rule needs: the configuration's grid as paths.

Rules ask a :class:`Plan` for inputs and parameters; it knows names, not how anything
is computed.
"""

import json

import grid
from configuration import KERNEL

# kinds of figures by the tables they read
FITTED = ("noise", "depth", "generalization", "prediction", "tight", "bounds")
OF_BOUNDS = ("bounds", "tightness")
OF_SCALES = ("flow", "descent")

# log10 of the scales at which every path that has them is certified: those of the tables
# (scripts/tables.py)
CERTIFIED_LOG10_ALPHA = (-4, -8, -12)

# what the tables of a stage depend on in the configuration, beside their experiments
OPTIONS = {
    "rates": ("l1", "null_space", "limit", "rates"),
    "bounds": ("l1", "null_space", "limit"),
    "descent": ("l1", "limit"),
    "flow": ("l1", "flow"),
    "agreement": ("l1", "limit", "flow"),
    "certificates": ("certificates",),
    "phase": ("l1.support_threshold", "null_space.enumerate_up_to"),
}


class Plan:
    """The files of a validated configuration.

    Attributes:
        results: folder of the results.
        figure_of: experiment -> kind of figure.
        cells: all cells, each once.
        problems, phase_problems: name -> specification.
        paths, depths: name -> path of scales, depth.
    """

    def __init__(self, config):
        self.config = config
        self.results = config["results"]
        experiments = config["experiments"]
        self.figure_of = {name: experiment["figure"] for name, experiment in experiments.items()}
        # experiments of figure phase ask for problems only, not for cells
        self.experiments = {
            name: grid.cells(experiment)
            for name, experiment in experiments.items()
            if experiment["figure"] != "phase"
        }
        self.cells = list(dict.fromkeys(c for cells in self.experiments.values() for c in cells))
        self.problems = {cell.problem.name: cell.problem for cell in self.cells}
        self.phase_problems = {
            problem.name: problem
            for name in self.named("phase")
            for problem in grid.phase_problems(experiments[name])
        }
        self.paths = {cell.path.name: cell.path for cell in self.cells}
        self.depths = {grid.number(cell.depth): cell.depth for cell in self.cells}
        self._cell_of = {f"{cell.name}/reps{cell.repetitions}": cell for cell in self.cells}
        self._flows = self._with_options("flow")
        # of a problem, a depth and a scale: where two experiments differ, the last one counts
        self._descents = {
            (cell.problem.name, grid.number(cell.depth), grid.number(alpha)): (cell, experiment)
            for cell, experiment in self._with_options("descent").values()
            for alpha in experiment["alpha"]
        }

    def named(self, *figures):
        """Names of the experiments of these kinds of figures."""
        return [name for name, figure in self.figure_of.items() if figure in figures]

    def cells_of(self, *figures):
        """The cells of these kinds of figures, each once."""
        cells = (cell for name in self.named(*figures) for cell in self.experiments[name])
        return list(dict.fromkeys(cells))

    def _with_options(self, figure):
        return {
            f"{cell.name}/reps{cell.repetitions}": (cell, self.config["experiments"][name])
            for name in self.named(figure)
            for cell in self.experiments[name]
        }

    def _blocks(self, cell):
        return grid.blocks(cell.repetitions, self.config["block"])

    # --- parameters ---

    def columns(self, problem, depth=None, **more):
        """The parameters of a cell as columns, None where an axis is not its own, as JSON."""
        values = dict(self.problems[problem].parameters)
        names = {"N": "N", "d": "d", "s": "s", "eta": "eta", "m": "m", "rho": "family_rho"}
        columns = {"ensemble": self.problems[problem].ensemble}
        columns |= {column: values.get(axis) for axis, column in names.items()}
        return json.dumps(columns | {"depth": self.depths.get(depth)} | more)

    def problem_arguments(self, name):
        """Options of the program of stage problems."""
        problem = self.problems[name]
        values = dict(problem.parameters)
        if problem.ensemble != KERNEL:
            values |= {"seed": self.config["seed"], **self.config["signal"]}
        return " ".join([problem.ensemble, *(f"--{key} {value}" for key, value in values.items())])

    def phase_arguments(self, name):
        """Options of the program of stage phase."""
        problem = self.phase_problems[name]
        values = {"ensemble": problem.ensemble, **dict(problem.parameters)}
        values |= {"seed": self.config["seed"], **self.config["signal"]}
        del values["eta"]
        return " ".join(f"--{key} {value}" for key, value in values.items())

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
        for option in ("seed", "signal", *options, *more):
            value = self.config
            for key in option.split("."):
                value = value[key]
            settings[option] = value
        return json.dumps(settings)

    # --- files ---

    def cell(self, wildcards):
        """The cell that the wildcards of rates or agreement name."""
        name = "{problem}/D{depth}/{path}/reps{repetitions}".format_map(vars(wildcards))
        return self._cell_of[name]

    def cell_blocks(self, stage, wildcards):
        """The blocks of a stage that a cell is made of, in order."""
        cell = self.cell(wildcards)
        folder = {
            "limit": cell.name,
            "asymptotics": f"{cell.problem.name}/D{grid.number(cell.depth)}",
        }.get(stage, cell.problem.name)
        return [f"{self.results}/{stage}/{folder}/{block}.npz" for block in self._blocks(cell)]

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
        """The tables of stage certificates of some cells: of their problems, of their limits."""
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
        folder = f"{cell.problem.name}/D{grid.number(cell.depth)}/alpha{grid.number(alpha)}"
        return [f"{self.results}/{stage}/{folder}/{b}.{suffix}" for b in self._blocks(cell)]

    def at_scales(self, name):
        """The tables of an experiment of figure flow or descent."""
        return [
            file
            for cell in self.experiments[name]
            for alpha in self.config["experiments"][name]["alpha"]
            for file in self.at_scale(self.figure_of[name], cell, alpha, "parquet")
        ]

    def agreement(self):
        """The tables of stage agreement."""
        return [f"{self.results}/agreement/{name}.parquet" for name in self._flows]

    def compared_flows(self, wildcards):
        """(form, alpha, blocks of endpoints) of everything that agreement compares."""
        name = "{problem}/D{depth}/{path}/reps{repetitions}".format_map(vars(wildcards))
        cell, experiment = self._flows[name]
        return [
            (form, alpha, self.at_scale(stage, cell, alpha, "npz"))
            for form, stage, scales in (
                ("dual", "flow", experiment["alpha"]),
                ("plain", "plain_flow", experiment["plain_alpha"]),
            )
            for alpha in scales
        ]

    def descent_limit(self, wildcards):
        """The block of stage limit that a job of stage descent compares with."""
        cell, _ = self._descents[wildcards.problem, wildcards.depth, wildcards.alpha]
        return f"{self.results}/limit/{cell.name}/{wildcards.block}.npz"

    def descent_option(self, wildcards, key):
        """A value of the configuration of the experiment that asks for a job of stage descent."""
        _, experiment = self._descents[wildcards.problem, wildcards.depth, wildcards.alpha]
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
        """The tidy tables that the figure of an experiment reads."""
        figure = self.figure_of[name]
        if figure == "phase":
            return self.phase(name)
        if figure in OF_SCALES:
            return self.at_scales(name)
        cells = self.experiments[name]
        if figure in OF_BOUNDS:
            return self.bounds(cells)
        return self.rates(cells, "curves") + self.rates(cells, "instances")

    def table_data(self):
        """Table -> the tidy tables it reads; one without any is left out."""
        fitted, far = self.cells_of(*FITTED), self.cells_of("far")
        tables = {
            "cells": self.rates(fitted, "instances"),
            "rates": self.rates(fitted, "instances"),
            "agreement": self.agreement(),
            "far": self.rates(far, "instances"),
            "constants": self.rates(fitted + far, "points"),
            "newton": self.rates(fitted, "points"),
            "tightness": self.bounds(self.cells_of(*OF_BOUNDS)),
            "descent": [file for name in self.named("descent") for file in self.at_scales(name)],
            "phase": [file for name in self.named("phase") for file in self.phase(name)],
        }
        return {name: list(dict.fromkeys(files)) for name, files in tables.items() if files}

    def table_certificates(self, table):
        """The tables of stage certificates that a table reads."""
        fitted, far = self.cells_of(*FITTED), self.cells_of("far")
        if table == "phase":
            return [
                file.replace(".parquet", "_certificates.parquet")
                for name in self.named("phase")
                for file in self.phase(name)
            ]
        if table == "cells":
            return self.certificates(fitted, with_limits=False)
        return self.certificates(
            {"rates": fitted, "far": far, "constants": fitted + far}.get(table, [])
        )

    def feeding(self):
        """Table -> names of the experiments that it shows."""
        experiments = self.config["experiments"].items()
        alone = {
            name: Plan(self.config | {"experiments": {name: experiment}}).table_data()
            for name, experiment in experiments
        }
        return {
            table: [name for name, tables in alone.items() if table in tables]
            for table in self.table_data()
        }
