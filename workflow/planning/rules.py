"""Rules that tie several keys of a configuration together."""

import copy
import itertools
import math
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from figures.registry import FILE, KERNEL, KINDS, RANDOM, kinds_where
from implicit_l1.network.scales import are_at
from implicit_l1.potentials import NEXT_DEPTH
from implicit_l1.problems.ensembles import ENSEMBLES
from pipeline.sizes import MOST_ENTRIES
from planning.experiments import (
    HELD_OUT,
    LABEL,
    NOISELESS,
    OWN_DATA,
    UNPROVED,
    alpha_path,
    as_list,
    axes_of,
    ensemble_of,
    fed,
    figure_names,
    figures,
)
from planning.mistakes import Report, joined, meant
from planning.reading import dotted, shown
from planning.schema import named, own_keys, schema

# A slope fitted to fewer points than this says nothing about its own error.
FEWEST_WINDOW_POINTS = 3
# A limit that a slip of the hand exceeds before anyone means to: blocks of repetitions, of each of
# which some ten jobs compute something.
MOST_BLOCKS = 10**5
_ENDS = ("smallest", "largest")
_REAL_AXES = ("eta", "rho", "depth")
_PROBLEMS = {RANDOM: "random ensembles", FILE: FILE, KERNEL: KERNEL}


def check(config: Any, report: Report) -> None:
    """Check what ties several keys together, wherever the keys themselves are sound."""
    if not isinstance(config, dict):
        return
    if report.sound("signal"):
        _check_uniform(config["signal"], ("signal",), report)
    if report.sound("rates", "window"):
        _check_order(config["rates"]["window"], _ENDS, ("rates", "window"), report)
    if report.sound("realistic_alpha"):
        _check_order(config["realistic_alpha"], _ENDS, ("realistic_alpha",), report)
    experiments = config.get("experiments")
    for name, experiment in (experiments if isinstance(experiments, dict) else {}).items():
        if isinstance(experiment, dict):
            _check_experiment(experiment, ("experiments", name), report)
    if isinstance(experiments, dict):
        _check_names(experiments, report)
        _check_proved(experiments, report)
        if report.sound("rates", "window"):
            _check_window(config["rates"]["window"], experiments, report)
        if all(map(report.sound, ("block", "rates", "experiments"))):
            _check_size(experiments, config["block"], config["rates"]["bootstrap"], report)


def _check_size(experiments, size, resamples, report):
    """What is asked for can be planned, and held in memory."""
    total = 0
    for name, experiment in experiments.items():
        path = ("experiments", name)
        total += _blocks(experiment, size)
        if total > MOST_BLOCKS:
            report.add(
                path,
                f"with it there are {total:.3g} blocks of repetitions (key block: {size} of each); "
                f"allowed: at most {MOST_BLOCKS} in a file",
            )
            return
        for axis, words, factors in _held(experiment, size, resamples):
            count = math.prod(factors)
            if count > MOST_ENTRIES:
                product = " x ".join(map(str, factors))
                report.add(
                    (*path, axis),
                    f"{words}: {product} = {count:.3g} numbers in one job; allowed: at most "
                    f"{MOST_ENTRIES} ({8 * MOST_ENTRIES / 1e9} GB)",
                )


def _held(experiment, size, resamples):
    """(key, what, factors of its size) of all large arrays that a job of an experiment holds.

    How large a file's problem is is seen when it is read.
    """
    repetitions = experiment.get("repetitions", 1)
    at_a_time = "repetitions" if "sparsity" in experiment else "block"
    together = repetitions if "sparsity" in experiment else min(size, repetitions)
    columns = 1
    if "m" in experiment or "d" in experiment:
        axis = "m" if "m" in experiment else "d"
        # a number of rows that is a part of the columns is below it
        rows = max(as_list(experiment[axis if axis == "m" or "delta" in experiment else "N"]))
        columns = rows + 1 if axis == "m" else max(as_list(experiment["d"]))
        yield axis, f"matrices A, {at_a_time} x rows x columns", (together, rows, columns)
    alpha = experiment.get("alpha", [])
    if isinstance(alpha, dict):
        scales = _scales(alpha)
        yield "alpha", "points along a path, block x scales x columns", (together, scales, columns)
        drawn = resamples, max(repetitions, scales)
        yield "repetitions", "resamples, rates.bootstrap x repetitions or scales", drawn


def _blocks(experiment, size):
    """The blocks of repetitions of an experiment, of all its cells and single scales."""
    counts = [
        len(as_list(experiment[axis]))
        for axis in ("ensemble", *axes_of(experiment), "depth", "sparsity")
        if axis in experiment
    ]
    if "sparsity" not in experiment:
        counts.append(math.ceil(experiment.get("repetitions", 1) / size))
        if isinstance(experiment["alpha"], list):
            counts.append(len(experiment["alpha"]))
    return math.prod(counts)


def _scales(alpha):
    """How many scales a path has, without making it."""
    if "decades" in alpha:
        return math.ceil(alpha["per_tenfold"] * math.log10(alpha["decades"])) + 1
    decades = math.log10(alpha["largest"]) - math.log10(alpha["smallest"])
    return max(1, round(alpha["per_decade"] * decades)) + 1


def _check_order(values, keys, path, report, strict=True):
    low, high = (values[key] for key in keys)
    if low > high or (strict and low == high):
        relation = "less than" if strict else "at most"
        allowed = f"{relation} {dotted((*path, keys[1]))}, which is {shown(high)}"
        report.reject((*path, keys[0]), low, allowed)


def _check_uniform(law, path, report):
    """The ends of a uniform law."""
    if law["law"] == "uniform":
        _check_order(law, ("low", "high"), path, report, strict=False)


def _check_names(experiments, report):
    """No two figures may have one name."""
    owners = {}
    for name, experiment in experiments.items():
        path = ("experiments", name, "figure")
        if not isinstance(experiment, dict) or "figure" not in experiment:
            continue
        if not report.sound(*path):
            continue
        for figure in figure_names(name, experiment):
            if figure in owners:
                report.add(
                    ("experiments", name),
                    f"its figure would have the name of one of experiments.{owners[figure]}: "
                    f"{figure}; allowed: another name",
                )
            owners[figure] = name


def _check_proved(experiments, report):
    """Neither a table of the l1 minimizer nor a proof is asked for where the error is measured from
    another point."""
    for name, experiment in experiments.items():
        path = ("experiments", name, "tables")
        if not isinstance(experiment, dict):
            continue
        keys = [(*path[:2], key) for key in ("proved_alpha", "initialization")]
        if all(experiment.get(key[2]) and report.sound(*key) for key in keys):
            allowed = "an empty list, with an initialization of its own"
            report.reject(keys[0], experiment["proved_alpha"], allowed)
        if not isinstance(experiment.get("tables"), list):
            continue
        empty = [table for table in experiment["tables"] if table not in UNPROVED]
        if empty and report.sound(*path) and "initialization" in experiment:
            allowed = f"of {joined(UNPROVED)}, with an initialization of its own"
            report.reject(path, experiment["tables"], allowed)


def _check_experiment(experiment, path, report):
    def sound(*keys):
        return all(key in experiment and report.sound(*path, key) for key in keys)

    kinds = figures(experiment) if sound("figure") else []
    for law in filter(sound, ("signal", "initialization")):
        _check_uniform(experiment[law], (*path, law), report)
    if sound("signal"):
        experiment["signal"].setdefault("unit_norm", False)
    if sound("initialization") and experiment["initialization"]["law"] != FILE:
        experiment["initialization"].setdefault("balanced", True)
    if sound("figure"):
        _check_family(experiment, path, report)
        if sound("tables") and experiment["tables"] != "shared":
            strange = [table for table in experiment["tables"] if table not in fed(experiment)]
            if strange:
                allowed = f"of {joined(fed(experiment))}, with figure {joined(figures(experiment))}"
                report.reject((*path, "tables"), experiment["tables"], allowed)
    if sound("tables", "initialization") and experiment["tables"] == "shared":
        allowed = "a list of tables, with an initialization of its own"
        report.reject((*path, "tables"), "shared", allowed)

    for axis in filter(sound, _REAL_AXES):
        value = experiment[axis]
        plain = [int(item) if item == int(item) else item for item in as_list(value)]
        experiment[axis] = plain if isinstance(value, list) else plain[0]
    if sound("depth"):
        near = [depth for depth in as_list(experiment["depth"]) if 2 < depth < NEXT_DEPTH]
        if near:
            allowed = f"2, or numbers at least {NEXT_DEPTH}"
            report.reject((*path, "depth"), experiment["depth"], allowed)
        whole = [kind for kind in kinds if KINDS[kind].whole_depth]
        if whole and any(depth != int(depth) for depth in as_list(experiment["depth"])):
            allowed = f"integers, with {named(whole)}"
            report.reject((*path, "depth"), experiment["depth"], allowed)
    if sound("figure", "ensemble"):
        _check_ensemble(experiment, path, report)
    if sound("N", "d"):
        _check_below("N", "d", experiment, path, report, strict=True)
    if sound("s", "N"):
        _check_below("s", "N", experiment, path, report, strict=False)
    for key, definition in own_keys(kinds).items():
        if "default" in definition:
            experiment.setdefault(key, copy.deepcopy(definition["default"]))
    if sound("repetitions", "order_repetitions"):
        _check_below("order_repetitions", "repetitions", experiment, path, report, strict=False)
    if sound("depth", "alpha") and "decades" in experiment["alpha"]:
        _check_decades(experiment, path, report)
    if sound("flow_repetitions"):
        most = experiment.get("repetitions", 1)
        if sound("repetitions") and experiment.get("flow_repetitions", 1) > most:
            report.reject(
                (*path, "flow_repetitions"), experiment["flow_repetitions"], f"at most {most}"
            )
    if sound("figure", "alpha"):
        alpha = experiment["alpha"]
        if isinstance(alpha, dict):
            if "smallest" in alpha:
                _check_order(alpha, _ENDS, (*path, "alpha"), report)
                if sound("alpha", "flow_alpha"):
                    _check_flows(experiment, path, report)
            return
        below = [kind for kind in kinds if KINDS[kind].below_one]
        if below and alpha and max(alpha) >= 1:
            allowed = f"values less than 1 with {named(below)}: mu is log(1/alpha)/(4 t)"
            report.reject((*path, "alpha"), alpha, allowed)
        if any(left >= right for left, right in itertools.pairwise(alpha)):
            report.reject((*path, "alpha"), alpha, "a strictly increasing list")
            return
        for key in ("plain_alpha", "proved_alpha"):
            if sound(key) and not set(experiment.get(key, ())) <= set(alpha):
                allowed = f"values of {dotted((*path, 'alpha'))}, which is {shown(alpha)}"
                report.reject((*path, key), experiment[key], allowed)


def _check_flows(experiment, path, report):
    """A flow is compared with a limit point, which there is at the scales of the path."""
    scales = np.array(alpha_path(**experiment["alpha"]))
    wrong = [a for a in experiment["flow_alpha"] if not are_at(np.log10(scales), np.log10(a)).any()]
    if wrong:
        nearest = scales[np.abs(np.log(scales / wrong[0])).argmin()]
        allowed = (
            f"scales of {dotted((*path, 'alpha'))}, which {shown(wrong[0])} is not one of; the "
            f"nearest is {shown(float(nearest))}"
        )
        report.reject((*path, "flow_alpha"), experiment["flow_alpha"], allowed)


def _check_decades(experiment, path, report):
    """For D > 2 quantities of the size of alpha^(1/p) must be doubles."""
    decades = experiment["alpha"]["decades"]
    if decades > 300 and any(depth != 2 for depth in as_list(experiment["depth"])):
        allowed = "at most 300, unless every depth is 2"
        report.reject((*path, "alpha", "decades"), decades, allowed)


def _is_text(value):
    return isinstance(value, str)


def _check_family(experiment, path, report):
    """Figures of one experiment are drawn over one grid."""
    kinds = figures(experiment)
    family = kinds_where(shares=True) if KINDS[kinds[0]].shares else kinds[:1]
    strange = [kind for kind in kinds if kind not in family]
    if strange:
        others = f"{joined(family)} together" if len(family) > 1 else f"{kinds[0]} alone"
        report.reject(
            (*path, "figure"), experiment["figure"], f"{others}; give {strange[0]} its own entry"
        )


def _check_ensemble(experiment, path, report):
    kinds = figures(experiment)
    entries = as_list(experiment["ensemble"])
    names = {ensemble_of(entry)[0] for entry in entries}
    known = [*ENSEMBLES, KERNEL, FILE]
    for place, entry in enumerate(entries):
        name, parameters = ensemble_of(entry)
        where = (*path, "ensemble", *([place] if isinstance(experiment["ensemble"], list) else []))
        if name not in known:
            report.reject(where, name, joined(known), known)
        else:
            _check_parameters(name, parameters, where, report)
    for alone in (KERNEL, FILE):
        if alone in names and len(names) > 1:
            allowed = f"{alone} alone (it has other axes: give it its own experiment)"
            report.reject((*path, "ensemble"), experiment["ensemble"], allowed)
    given = {name if name in (KERNEL, FILE) else RANDOM for name in names}
    for kind in kinds:
        if not given <= set(KINDS[kind].problems):
            words = [_PROBLEMS[problem] for problem in KINDS[kind].problems]
            allowed = f"{' or '.join(words)}, with figure {kind}"
            report.reject((*path, "ensemble"), experiment["ensemble"], allowed)
            return


def _check_parameters(name, parameters, path, report):
    """The parameters of one ensemble."""
    if name == FILE:
        allowed = {key: schema()["$defs"]["path"]["title"] for key in OWN_DATA}
        allowed[LABEL] = schema()["$defs"]["label"]["title"]
        sound = dict.fromkeys(OWN_DATA, partial(_is_of_form, "path"))
        sound[LABEL] = partial(_is_of_form, "label")
        allowed[NOISELESS], sound[NOISELESS] = "true, false", lambda v: isinstance(v, bool)
        allowed[HELD_OUT], sound[HELD_OUT] = "an integer at least 1", _is_count
        if "path" not in parameters:
            report.add((*path, "path"), f"missing; required: {allowed['path']}")
    elif name == KERNEL:
        allowed, sound = {}, {}
    else:
        known = ENSEMBLES[name].parameters
        allowed = {key: parameter.allowed for key, parameter in known.items()}
        sound = {key: parameter.check for key, parameter in known.items()}
    if name == FILE and report.sound(*path):
        _check_own_files(parameters, path, report)
    for key, value in parameters.items():
        if key not in allowed:
            listed = joined(allowed) or f"none, {name} has no parameters"
            text = f"{shown(value)} is not allowed: unknown key; {meant(key, allowed)}"
            report.add((*path, key), f"{text}allowed: {listed}")
        elif not sound[key](value):
            report.reject((*path, key), value, allowed[key])


def _is_count(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_of_form(name, value):
    """Whether a value is a text that a definition of the schema allows."""
    definition = schema()["$defs"][name]
    return (
        _is_text(value)
        and len(value) <= definition["maxLength"]
        and re.search(definition["pattern"], value) is not None
    )


def _check_own_files(parameters, path, report):
    """What is recorded of them are their names, so that no two have one."""
    named = {}
    for key in OWN_DATA:
        value = parameters.get(key)
        if _is_text(value) and named.setdefault(Path(value).name, value) != value:
            allowed = f"a file of another name than {shown(named[Path(value).name])}; rename one"
            report.reject((*path, key), value, allowed)


def _check_below(small, large, experiment, path, report, strict):
    """Every value of one axis must lie below every value of another."""
    bound = min(as_list(experiment[large])) - strict
    wrong = [value for value in as_list(experiment[small]) if value > bound]
    if wrong:
        rule = f"{small} < {large}" if strict else f"{small} <= {large}"
        allowed = f"{rule} for every pair, so at most {bound} with {large}: "
        report.reject((*path, small), experiment[small], allowed + shown(experiment[large]))


def _check_window(window, experiments, report):
    # the ends of a path may be off by rounding
    low, high = window["smallest"] * (1 - 1e-9), window["largest"] * (1 + 1e-9)
    short = []
    for name, experiment in experiments.items():
        path = ("experiments", name)
        keys = [(*path, "figure"), (*path, "alpha")]
        if not isinstance(experiment, dict) or not all(report.sound(*key) for key in keys):
            continue
        if "smallest" not in experiment.get("alpha", ""):
            continue
        points = sum(low <= alpha <= high for alpha in alpha_path(**experiment["alpha"]))
        if points < FEWEST_WINDOW_POINTS:
            short.append(f"{dotted((*path, 'alpha'))} ({points})")
    if short:
        allowed = f"a window with at least {FEWEST_WINDOW_POINTS} points of every path; too few of "
        report.reject(("rates", "window"), window, allowed + joined(short))
