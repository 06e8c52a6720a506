"""The configuration: what is accepted, what is rejected, and with which message."""

import copy
import itertools
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from snakemake.utils import update_config

from implicit_l1.minimizer.proposals import SOLVERS
from implicit_l1.network.scales import place_of
from pipeline import sizes
from planning import reading, rules
from planning.configuration import validate
from planning.experiments import alpha_path, decades_path, sparsities
from planning.reading import ConfigurationError, load
from planning.schema import schema
from planning.structure import validator
from workflow_runs import ROOT

CONFIG = ROOT / "config"
SCHEMA = schema()
DEFAULT = load(CONFIG / "config.yaml")
SMOKE = load(CONFIG / "smoke.yaml")
# what stands behind another configuration, which is what it lacks
ADDED = "all_scales.yaml"
REMOVED = object()


def changed(path, value, base=SMOKE):
    """A copy of a configuration with one key set, added or removed."""
    config = copy.deepcopy(base)
    inner = config
    *parents, last = path
    for part in parents:
        inner = inner[part]
    if value is REMOVED:
        del inner[last]
    else:
        inner[last] = value
    return config


def complaints(config):
    with pytest.raises(ConfigurationError) as caught:
        validate(config)
    return str(caught.value).splitlines()


# --- What is accepted --------------------------------------------------------------------


SHIPPED = {path.relative_to(CONFIG).as_posix() for path in CONFIG.rglob("*.yaml")} - {ADDED}


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_shipped_configurations_are_valid(name):
    config = load(CONFIG / name)
    before = copy.deepcopy(config)
    complete = validate(config)
    assert config == before
    assert validate(complete) == complete


def test_configurations_one_behind_the_other():
    """As config/README.md joins them; the last one that has a key decides."""
    generalization = load(CONFIG / "generalization.yaml")
    joined = {}
    for config in (generalization, DEFAULT, load(CONFIG / ADDED)):
        update_config(joined, copy.deepcopy(config))
    both = generalization["experiments"] | DEFAULT["experiments"]
    assert len(both) == len(generalization["experiments"]) + len(DEFAULT["experiments"])
    wanted = DEFAULT | {"experiments": both}
    wanted["certificates"] = DEFAULT["certificates"] | {"scales": "all"}
    assert validate(joined) == validate(wanted)


def planning(*words, folder):
    """What `python -m planning` says, as make asks it."""
    path = os.pathsep.join(str(ROOT / part) for part in ("scripts", "workflow"))
    return subprocess.run(
        [sys.executable, "-m", "planning", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_where_the_results_of_several_configurations_are():
    names = [f"config/{name}.yaml" for name in ("generalization", "config", "all_scales")]
    without_that_key = [names[0], names[2]]
    for files, folder in (
        (names, "results"),
        (names[::-1], "results/generalization"),
        (without_that_key, "results/generalization"),
    ):
        said = planning("--results", *files, folder=ROOT)
        assert said.returncode == 0 and said.stdout == f"{folder}\n"


def test_the_published_configuration_is_the_default_one():
    """Captions say what is to be seen on it where an experiment is one of these."""
    assert load(ROOT / "results/reference/configuration.yaml") == validate(DEFAULT)
    assert load(ROOT / "results/reference/smoke/configuration.yaml") == validate(SMOKE)


def test_smoke_has_the_experiments_of_the_default_and_two_more():
    more = ["bracketed", "uneven"]
    assert list(SMOKE["experiments"]) == [*DEFAULT["experiments"], *more]
    for name, experiment in DEFAULT["experiments"].items():
        assert experiment.keys() == SMOKE["experiments"][name].keys()


def test_defaults_are_those_of_the_default_configuration():
    """But for the solver: of the grid's size, this project's own takes a twentieth of the time."""
    complete = validate({"experiments": DEFAULT["experiments"]})
    assert complete["l1"]["solver"] == "HIGHS"
    assert changed(["l1", "solver"], "auto", complete) == validate(DEFAULT)


def test_solvers_are_those_that_are_known():
    assert tuple(SCHEMA["properties"]["l1"]["properties"]["solver"]["enum"]) == SOLVERS


def test_partial_settings_are_completed():
    config = changed(["rates"], {"window": {"largest": 1.0e-4}, "bootstrap": 100}, DEFAULT)
    rates = validate(config)["rates"]
    assert rates["window"] == {"smallest": 1.0e-12, "largest": 1.0e-4}
    assert (rates["bootstrap"], rates["confidence"]) == (100, 0.95)


def test_a_sample_of_the_scales_is_certified_by_default():
    complete = validate(changed(["certificates"], REMOVED))
    assert complete["certificates"] == {"scales": "sample", "radius": 1.0e-12}


def test_plain_alpha_defaults_to_empty_for_flow_only():
    complete = validate(changed(["experiments", "flow", "plain_alpha"], REMOVED))
    assert complete["experiments"]["flow"]["plain_alpha"] == []
    assert "plain_alpha" not in complete["experiments"]["noise"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["results"], "results"),
        (["results"], "results/a/B-2_c"),
        (["signal"], {"law": "constant"}),
        (["signal"], {"law": "uniform", "low": 1, "high": 1}),
        (["limit", "tolerance"], 1.0e-4),
        (["null_space", "exact_up_to"], 20),
        (["certificates"], {}),
        (["certificates"], {"scales": "all", "radius": 1.0e-6}),
        (["experiments", "noise", "depth"], [2, 2.5, 100]),
        (["experiments", "noise", "N"], 39),
        (["experiments", "noise", "s"], 20),
        (["experiments", "tight", "ensemble"], ["one_dimensional_kernel"]),
        (["experiments", "noise", "alpha", "smallest"], 1.0e-300),
        (["experiments", "flow", "plain_alpha"], []),
        (["experiments", "a" * 40], SMOKE["experiments"]["noise"]),
    ],
)
def test_limits_are_included(path, value):
    validate(changed(path, value))


def test_integral_values_become_integers():
    config = changed(["experiments", "noise", "depth"], [2.0, 2.5])
    config["experiments"]["noise"]["eta"] = -0.0
    noise = validate(config)["experiments"]["noise"]
    assert repr(noise["depth"]) == "[2, 2.5]"
    assert repr(noise["eta"]) == "0"


def test_alpha_path_meets_both_ends():
    assert alpha_path(1.0e-3, 1.0, 1) == [1.0e-3, 1.0e-2, 1.0e-1, 1.0]
    path = alpha_path(1.0e-12, 1.0, 4)
    assert len(path) == 49
    assert path[::4] == [float(f"1e{k}") for k in range(-12, 1)]
    odd = alpha_path(2.0e-3, 0.7, 2)
    assert (odd[0], odd[-1], len(odd)) == (2.0e-3, 0.7, 6)
    ratios = [b / a for a, b in itertools.pairwise(odd)]
    assert max(ratios) == pytest.approx(min(ratios))
    assert alpha_path(1.0, 1.01, 2) == [1.0, 1.01]


def test_a_path_of_decades_meets_both_ends():
    """log10(1/alpha) from 1 to 100 with two values a factor of ten, and alpha = 1."""
    expected = [-100.0, -31.62, -10.0, -3.162, -1.0, 0.0]
    assert decades_path(100, 2) == expected
    assert decades_path(50, 2) == [-50.0, *expected[1:]]


def test_no_phase_has_a_signal_of_nothing():
    """A part of the rows is rounded, to 1 at least; what falls together counts once."""
    assert sparsities([0.39, 0.01, 0.2, 0.21], 10) == (1, 2, 4)
    assert sparsities(0.5, 5) == (2,)


# --- What is rejected --------------------------------------------------------------------

EXPERIMENT = SMOKE["experiments"]["noise"]

# key, bad value, what the complaint says is allowed
BAD = [
    (["results"], "../elsewhere", "inside it"),
    (["results"], "/tmp", "inside it"),
    (["results"], "results/../x", "inside it"),
    (["results"], "results/a b;rm", "inside it"),
    (["results"], "results/", "inside it"),
    (["results"], "results/-x", "inside it"),
    (["results"], "results/x\n", "inside it"),
    (["results"], "results/reference", "not starting with results/reference"),
    (["results"], "results/reference/x", "not starting with results/reference"),
    (["results"], "results/reference2", "not starting with results/reference"),
    (["results"], 3, "inside it"),
    (["results"], "results/" + "x" * 100, "inside it"),
    (["seed"], -1, "an integer at least 0"),
    (["seed"], 1.5, "an integer"),
    (["seed"], True, "an integer"),
    (["seed"], None, "an integer"),
    (["seed"], 10**400, "finite"),
    (["block"], 0, "at least 1"),
    (["block"], "10", "write 10 without quotes"),
    (["sede"], 1, "did you mean seed?"),
    (["signal"], 5, "a mapping with the keys law, low, high"),
    (["signal"], None, "a mapping"),
    (["signal", "law"], "normal", "uniform, constant"),
    (["signal", "low"], 0, "at least 0.0009765625"),
    (["signal", "low"], 2, "at most signal.high, which is 1.5"),
    (["signal", "low"], REMOVED, "missing"),
    (["l1", "solver"], "SIMPLEX", "HIGHS, SCIPY, CLARABEL, SCS"),
    (["l1", "solver"], "highs", "interior_point, auto"),
    (["l1", "solver"], "GUROBI", "interior_point, auto"),
    (["l1", "solver"], 1, "HIGHS, SCIPY"),
    (["l1", "support_threshold"], 1.0e-9, "unknown key"),
    (["l1", "nonunique"], "ignore", "fail, carry"),
    (["null_space", "exact_up_to"], 21, "at most 20"),
    (["null_space", "exact_up_to"], 0, "at least 1"),
    (["null_space", "enumerate_up_to"], 1, "did you mean exact_up_to?"),
    (["limit", "tolerance"], 0, "greater than 0"),
    (["limit", "tolerance"], 1.0e-3, "at most 0.0001"),
    (["certificates", "scales"], "every", "sample, all"),
    (["certificates", "scales"], [1.0], "sample, all"),
    (["certificates", "radius"], 0, "greater than 0"),
    (["certificates", "radius"], 1.0e-5, "at most 1.0e-06"),
    (["certificates", "radii"], 1.0e-9, "did you mean radius?"),
    (["flow", "rtol"], 0.1, "at most 0.01"),
    (["flow", "distance"], False, "a number"),
    (["flow", "plain_distance"], -1.0, "greater than 0"),
    (["flow", "states_per_decade"], 10.0, "an integer"),
    (["flow", "coordinates"], 0, "at least 1"),
    (["rates", "window", "smallest"], 1.0, "rates.window.largest"),
    (["rates", "window", "largest"], float("inf"), "finite"),
    (["rates", "window"], {"smallest": 1.0e-9, "largest": 1.0e-7}, "alpha (0)"),
    (["rates", "onset_tolerance"], 0, "greater than 0"),
    (["rates", "bootstrap"], 99, "at least 100"),
    (["rates", "confidence"], 95, "less than 1"),
    (["realistic_alpha", "smallest"], 0.1, "realistic_alpha.largest"),
    (["realistic_alpha", "smallest"], "1e-4", "write 1.0e-4"),
    (["experiments"], REMOVED, "missing"),
    (["experiments"], {}, "at least one"),
    (["experiments"], [EXPERIMENT], "at least one"),
    (["experiments", "../x"], EXPERIMENT, "lower-case letters"),
    (["experiments", "a;rm -rf"], EXPERIMENT, "lower-case letters"),
    (["experiments", "Noise"], EXPERIMENT, "lower-case letters"),
    (["experiments", "1st"], EXPERIMENT, "the first one a letter"),
    (["experiments", "a" * 41], EXPERIMENT, "at most 40"),
    (["experiments", "x\n"], EXPERIMENT, "lower-case letters"),
    (["experiments", 1], EXPERIMENT, "reads as text"),
    (["experiments", "noise"], None, "a mapping with the keys figure"),
]
# the same within experiments.<name>
BAD_EXPERIMENTS = [
    ("noise", "figure", "nois", "one of noise, depth"),
    ("noise", "figure", REMOVED, "missing"),
    ("noise", "ensemble", "gauss", "did you mean gaussian? allowed: gaussian"),
    ("noise", "ensemble", [], "non-empty list"),
    ("noise", "ensemble", ["gaussian", "gaussian"], '"gaussian" is there twice'),
    ("noise", "ensemble", ["gaussian", "one_dimensional_kernel"], "it has other axes"),
    ("tight", "ensemble", ["one_dimensional_kernel", "rademacher"], "it has other axes"),
    ("noise", "N", 40, "N < d for every pair, so at most 39 with d: 40"),
    ("noise", "N", [20, 50], "N < d for every pair"),
    ("noise", "N", 0, "an integer at least 1"),
    ("noise", "N", 20.0, "an integer at least 1"),
    ("noise", "N", [], "non-empty list"),
    ("noise", "N", REMOVED, "missing"),
    ("noise", "d", 1, "an integer at least 2"),
    ("noise", "d", "1e3", "write 1.0e+3"),
    ("noise", "s", 21, "s <= N for every pair, so at most 20 with N: 20"),
    ("noise", "s", [1, 30], "s <= N for every pair"),
    ("noise", "s", 0, "at least 1"),
    ("noise", "eta", -0.1, "at least 0"),
    ("noise", "eta", float("nan"), "finite"),
    ("noise", "eta", [0, 0.0], "twice"),
    ("noise", "eta", {"low": 1}, "a number at least 0"),
    ("noise", "depth", 1.5, "at least 2"),
    ("noise", "depth", [2, 2.0], "twice"),
    ("noise", "depth", [], "non-empty list"),
    ("noise", "depht", 2, "did you mean depth?"),
    ("noise", "repetitions", 0, "at least 1"),
    ("noise", "repetitions", [3], "an integer"),
    ("noise", "m", 3, "only with ensemble one_dimensional_kernel"),
    ("noise", "rho", 0, "only with ensemble one_dimensional_kernel"),
    ("noise", "alpha", [0.1, 1.0], "a mapping with the keys smallest, largest, per_decade"),
    ("noise", "alpha", "1e-3", "a mapping"),
    ("noise", "plain_alpha", [], "only with figure flow"),
    ("tight", "N", 20, "only with a random ensemble"),
    ("tight", "repetitions", 1, "only with a random ensemble, or files with held_out"),
    ("tight", "m", 0, "at least 1"),
    ("tight", "rho", 1, "less than 1"),
    ("tight", "rho", REMOVED, "missing"),
    ("flow", "alpha", {"smallest": 1.0e-3, "largest": 1.0, "per_decade": 1}, "increasing list"),
    ("flow", "alpha", [], "non-empty, strictly increasing"),
    ("flow", "alpha", [0.1, 0.01], "strictly increasing"),
    ("flow", "alpha", [0.1, 0.1], "strictly increasing"),
    ("flow", "plain_alpha", [0.5], "values of experiments.flow.alpha"),
    ("flow", "plain_alpha", [0.1, 0.1], "twice"),
    ("flow", "plain_alpha", 0.1, "a list, possibly empty"),
    ("noise", "figure", [], "one of noise"),
    ("noise", "figure", ["noise", "noise"], "without duplicates"),
    ("noise", "tables", ["agreement"], "of cells, rates, constants, newton, errors"),
    ("noise", "tables", "own", "shared, or a list"),
    ("noise", "noise", "cauchy", "one of gaussian"),
    ("noise", "reach", 0.1, "only with figure reach"),
    ("descent", "initialization", {"law": "lognormal", "sigma": 0.5}, "only with figures noise"),
    ("tight", "signal", {"law": "constant"}, "only with a random ensemble"),
]
BAD += [(["experiments", name, key], *rest) for name, key, *rest in BAD_EXPERIMENTS]


@pytest.mark.parametrize(("path", "value", "words"), BAD)
def test_one_mistake_gives_one_complaint(path, value, words):
    (line,) = complaints(changed(path, value))
    key, colon, text = line.partition(": ")
    assert colon
    assert key.replace('"', "").replace("\\n", "\n") == ".".join(map(str, path))
    assert words in text
    if value is REMOVED:
        assert "missing" in text
    elif not isinstance(value, dict) and len(str(value)) < 80:
        assert shown(value) in text


@pytest.mark.parametrize(
    ("name", "key", "value", "inner", "words"),
    [
        ("noise", "ensemble", {"name": "toeplitz", "correlation": 1}, "correlation", "less than 1"),
        ("noise", "ensemble", {"name": "toeplitz", "density": 0.5}, "density", "unknown key"),
        ("noise", "ensemble", {"correlation": 0.5}, "name", "missing"),
        ("noise", "signal", {"law": "constant", "exponent": 1}, "exponent", "only with law power"),
        ("noise", "signal", {"law": "power_law"}, "exponent", "missing"),
        ("noise", "signal", {"law": "uniform", "low": 2, "high": 1}, "low", "at most"),
        ("flow", "initialization", {"law": "lognormal"}, "sigma", "missing"),
        ("flow", "initialization", {"law": "file", "path": "{a}.csv"}, "path", 'without "{"'),
        (
            *("flow", "initialization", {"law": "lognormal", "sigma": 0.5, "low": 1}),
            *("low", "only with law uniform"),
        ),
    ],
)
def test_a_mistake_inside_a_law_is_named(name, key, value, inner, words):
    config = changed(["experiments", name, "tables"], [])
    (line,) = complaints(changed(["experiments", name, key], value, config))
    assert line.startswith(f"experiments.{name}.{key}.{inner}: ")
    assert words in line


def test_figures_of_different_grids_do_not_share_an_experiment():
    lines = complaints(changed(["experiments", "noise", "figure"], ["noise", "flow"]))
    assert any("experiments.noise.figure" in line and "its own entry" in line for line in lines)


def test_figures_with_one_name_are_refused():
    config = changed(["experiments", "noise", "figure"], ["depth", "noise"])
    config["experiments"]["noise_depth"] = config["experiments"]["depth"]
    (line,) = complaints(config)
    assert line.startswith("experiments.noise_depth: ")
    assert "experiments.noise" in line


def test_an_initialization_has_no_proved_trajectories():
    shape = {"law": "lognormal", "sigma": 0.5}
    flow = SMOKE["experiments"]["flow"] | {"initialization": shape, "tables": []}
    (line,) = complaints(changed(["experiments", "flow"], flow))
    assert line.startswith("experiments.flow.proved_alpha: ") and "an empty list" in line
    validate(changed(["experiments", "flow"], flow | {"proved_alpha": []}))


def test_an_initialization_has_no_shared_tables():
    shape = {"law": "lognormal", "sigma": 0.5}
    (line,) = complaints(changed(["experiments", "noise", "initialization"], shape))
    assert line.startswith("experiments.noise.tables: ")


def shown(value):
    """A value as the complaint writes it."""
    if isinstance(value, str):
        return value.replace("\n", "\\n")
    return yaml.safe_dump(value, default_flow_style=True).split("\n...")[0].strip()


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (["experiments", "noise", "eta"], [0, -0.1], "experiments.noise.eta[1]: -0.1 "),
        (
            ["experiments", "noise", "depth"],
            [2, "1e1"],
            "experiments.noise.depth[1]: YAML reads 1e1",
        ),
        (["experiments", "noise", "d"], [40, 15], "experiments.noise.N: 20 "),
        (["experiments", "noise", "figure"], "tight", 'experiments.noise.ensemble: "gaussian" '),
    ],
)
def test_complaint_is_at_the_value_to_change(path, value, expected):
    assert complaints(changed(path, value))[0].startswith(expected)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"noiseless": "yes"}, '"yes" is not allowed; allowed: true, false'),
        ({"noiseless": 1}, "1 is not allowed; allowed: true, false"),
        (
            {"noisless": True},
            "unknown key; did you mean noiseless? allowed: path, data, signal, label",
        ),
        ({"data": "a/$y$.csv"}, 'without "{", "}", "$"'),
        ({"data": "a/y\n.csv"}, "the path of a file, absolute, from your home on (~/...) or from"),
        ({"data": "elsewhere/diabetes.csv"}, 'of another name than "config/data/diabetes.csv"'),
        ({"label": ""}, "allowed: a text of at most 100 characters"),
        ({"label": "a" * 101}, "allowed: a text of at most 100 characters"),
    ],
)
def test_keys_of_a_file(more, words):
    block = {"figure": "depth", "depth": 2}
    block["alpha"] = {"smallest": 1e-12, "largest": 1.0, "per_decade": 2}
    entry = {"name": "file", "path": "config/data/diabetes.csv"}
    for value in (True, False):
        block["ensemble"] = entry | {"noiseless": value}
        validate(changed(["experiments", "mine"], block))
    (key,) = more
    block["ensemble"] = entry | more
    (line,) = complaints(changed(["experiments", "mine"], block))
    assert line.startswith(f"experiments.mine.ensemble.{key}: ") and words in line


@pytest.mark.parametrize(
    ("name", "ensemble", "words"),
    [
        ("tight", "gaussian", "allowed: one_dimensional_kernel, with figure tight"),
        ("noise", "one_dimensional_kernel", "random ensembles or file, with figure"),
        ("flow", ["one_dimensional_kernel"], "random ensembles or file, with figure"),
    ],
)
def test_ensemble_must_fit_the_figure(name, ensemble, words):
    lines = complaints(changed(["experiments", name, "ensemble"], ensemble))
    (line,) = [line for line in lines if line.startswith(f"experiments.{name}.ensemble: ")]
    assert words in line
    assert shown(ensemble) in line


@pytest.mark.parametrize(
    ("alpha", "key", "words"),
    [
        ({"smallest": 0}, "smallest", "at least 1.0e-300"),
        ({"smallest": -1.0}, "smallest", "at least 1.0e-300"),
        ({"smallest": 1.0e-301}, "smallest", "at least 1.0e-300"),
        ({"smallest": 1.0}, "smallest", "less than experiments.noise.alpha.largest, which is 1.0"),
        ({"smallest": "1e-3"}, "smallest", "YAML reads 1e-3 as text; write 1.0e-3 "),
        ({"largest": "1E3"}, "largest", "YAML reads 1E3 as text; write 1.0e+3 "),
        ({"largest": "0.5"}, "largest", '"0.5" is text; in a file write 0.5 without quotes '),
        ({"largest": "-.5e2"}, "largest", "YAML reads -.5e2 as text; write -0.5e+2 "),
        ({"largest": "one"}, "largest", '"one" is not allowed'),
        ({"largest": float("inf")}, "largest", ".inf is not allowed; allowed: a finite number"),
        ({"per_decade": 0}, "per_decade", "0 is not allowed; allowed: an integer at least 1"),
        ({"per_decade": 0.5}, "per_decade", "an integer"),
        ({"per_decade": 10**9}, "per_decade", "at most 1000"),
        ({"step": 3}, "step", "3 is not allowed: unknown key; allowed: smallest, largest"),
    ],
)
def test_path_of_alpha(alpha, key, words):
    path = SMOKE["experiments"]["noise"]["alpha"] | alpha
    (line,) = complaints(changed(["experiments", "noise", "alpha"], path))
    assert line.startswith(f"experiments.noise.alpha.{key}: ")
    assert words in line


def test_depths_just_above_two_are_refused():
    """1 - |z| has too few digits there; the first depth that has enough is allowed."""
    path = ["experiments", "noise", "depth"]
    assert validate(changed(path, [2, 2.001]))
    (line,) = complaints(changed(path, [2, 2.0009]))
    assert line.startswith("experiments.noise.depth: ")
    assert "2, or numbers at least 2.001" in line


@pytest.mark.parametrize("depths", [3, [2, 3], [2.5, 3]])
def test_far_scales_are_for_depth_two_alone(depths):
    """10^-301 has no digits at D > 2, whatever other depths there are."""
    far = SMOKE["experiments"]["far_deep"]

    def config(decades, depths):
        changes = {"alpha": far["alpha"] | {"decades": decades}, "depth": depths}
        return WINDOW | {"experiments": {"far": far | changes}}

    (line,) = complaints(config(301, depths))
    assert line.startswith("experiments.far.alpha.decades: 301 is not allowed; ")
    assert validate(config(300, depths)) and validate(config(301, 2))


def test_what_is_suggested_for_text_is_a_number_to_yaml():
    for text in ["1e-3", "2.5E4", "-3e+1", ".5e2", "7.e-1"]:
        (line,) = complaints(changed(["rates", "confidence"], text))
        assert yaml.safe_load(re.search(r"write (\S+)", line)[1]) == float(text)


def test_window_names_the_experiments_it_misses():
    config = changed(["experiments", "noise", "alpha", "smallest"], 1.0e-4)
    config["experiments"]["depth"]["alpha"]["smallest"] = 1.0e-5
    config["experiments"]["depth"]["flow_alpha"] = []
    (line,) = complaints(config)
    assert line.startswith("rates.window: {smallest: 1.0e-06, largest: 0.0001} is not allowed")
    assert line.endswith("too few of experiments.noise.alpha (1)")


@pytest.mark.parametrize("alpha", [3.16227766e-5, 3e-5])
def test_a_flow_is_at_a_scale_that_the_stages_find_on_the_path(alpha):
    key, scales = ["experiments", "depth"], alpha_path(**SMOKE["experiments"]["depth"]["alpha"])
    nearest = min(scales, key=lambda scale: abs(scale / alpha - 1.0))
    validate(changed([*key, "flow_alpha"], [nearest]))
    assert place_of(np.log10(nearest), np.log(scales)) == scales.index(nearest)
    with pytest.raises(ValueError, match="not on the path"):
        place_of(np.log10(alpha), np.log(scales))
    (line,) = complaints(changed([*key, "flow_alpha"], [1.0e-6, alpha]))
    assert line.startswith("experiments.depth.flow_alpha: ")
    assert line.endswith(f"is not one of; the nearest is {nearest}")


@pytest.mark.parametrize("name", SMOKE["experiments"])
def test_a_key_that_is_left_out_has_a_default_or_a_complaint(name):
    for key in SMOKE["experiments"][name]:
        config = changed(("experiments", name, key), REMOVED)
        try:
            validate(config)
        except ConfigurationError as error:
            assert f"experiments.{name}" in str(error), key


@pytest.mark.parametrize("text", ["", "# nothing", "- a list", "a word"])
def test_what_make_says_of_a_file_without_keys(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    ended = planning("mine.yaml", folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[1:] == [
        "mine.yaml: must be a mapping, with the key experiments at least"
    ]


def test_all_mistakes_are_reported_sorted_by_key():
    config = changed(["sede"], 1)
    config["block"] = 0
    config["signal"] = {"law": "constant", "low": 1, "high": 2}
    config["experiments"]["noise"]["N"] = 50
    config["experiments"]["tight"]["rho"] = [0, 1.5]
    config["experiments"]["flow"]["alpha"] = [1.0, 0.5]
    keys = [line.split(":")[0] for line in complaints(config)]
    assert keys == [
        "block",
        "experiments.flow.alpha",
        "experiments.noise.N",
        "experiments.tight.rho[1]",
        "sede",
        "signal.high",
        "signal.low",
    ]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (
            ["experiments", "depth", "figure"],
            "dpeth",
            '"dpeth" is not allowed; did you mean depth? ',
        ),
        (
            ["experiments", "depth", "figure"],
            ["Depth"],
            '"Depth" is not allowed; did you mean depth? ',
        ),
        (["experiments", "depth", "tables"], "shraed", "did you mean shared? "),
        (["experiments", "depth", "tables"], ["cell"], "did you mean cells? "),
        (["experiments", "depth", "n"], 1, "unknown key; did you mean N? "),
        (
            ["experiments", "depth", "ensemble"],
            {"name": "toeplitz", "corelation": 1},
            "correlation? ",
        ),
        (["l1", "solver"], "highs", "did you mean HIGHS? "),
        (["l1", "nonunique"], "cary", "did you mean carry? "),
        (["signal", "law"], "unifrom", "did you mean uniform? "),
        (["noise"], "zzz", '"zzz" is not allowed; allowed: '),
    ],
)
def test_a_misspelt_name_is_recognised(path, value, words):
    (line,) = complaints(changed(path, value))
    assert words in line


@pytest.mark.parametrize(("value", "written"), [("1.0e-10", "1.0e-10"), ("08", "8"), ("12", "12")])
def test_a_number_in_quotes_or_inside_of_braces_on_the_command_line(value, written):
    """Snakemake passes on {limit: {tolerance: 1.0e-10}} with texts for numbers."""
    (line,) = complaints(changed(["limit", "tolerance"], value))
    assert f"write {written}" in line
    if value == written:
        assert "give the key in a file, a further one after --configfile" in line


@pytest.mark.parametrize("config", [None, [], "text", 3, True])
def test_configuration_must_be_a_mapping(config):
    (line,) = complaints(config)
    assert line.startswith("configuration: ")


def test_a_configuration_that_contains_itself():
    config = changed(["seed"], 1)
    config["signal"]["law"] = config["signal"]
    (line,) = complaints(config)
    assert line.startswith("signal.law: contains itself")


def test_a_number_too_long_to_print():
    assert complaints(changed(["seed"], 1 << 20000)) == [
        "seed: <int> is not allowed; allowed: a finite number"
    ]


JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "1e-3", "nan", "gaussian", "one_dimensional_kernel", "tight", "flow"])
    | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["alpha", "smallest", "", 1, None]), inner, max_size=3)
    ),
    max_leaves=4,
)


def _paths(config, path=()):
    yield path
    if isinstance(config, dict):
        for key, inner in config.items():
            yield from _paths(inner, (*path, key))


@given(st.lists(st.tuples(st.sampled_from(list(_paths(SMOKE))[1:]), JUNK), min_size=1, max_size=3))
def test_junk_anywhere_is_accepted_or_explained(changes):
    config = copy.deepcopy(SMOKE)
    for path, value in sorted(changes, key=lambda change: -len(change[0])):
        config = changed(path, value, config)
    try:
        complete = validate(config)
    except ConfigurationError as error:
        assert all(": " in line for line in str(error).splitlines())
    else:
        assert validate(complete) == complete


# --- Files -------------------------------------------------------------------------------


def _file(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: 1\nblock: 2\nseed: 3\n", "seed: given twice, in lines 1 and 3"),
        ("flow: {rtol: 1, 'rtol': 2}", "flow.rtol: given twice"),
        ("experiments:\n  a: {N: 1}\n  a: {N: 2}\n", "experiments.a: given twice"),
        ("experiments: {a: [{x: 1, x: 1}]}", "experiments.a[0].x: given twice"),
        ("seed: [1\nblock: 2", ", line 2, column 6: not YAML: while parsing a flow sequence"),
        ("seed: [1\nblock: 2", "(it begins in line 1)"),
        ("a:\n\tseed: 1", ", line 2, column 1: not YAML: "),
        ("a:\n\tseed: 1", "; indent with spaces"),
        ("seed: 1:30", "config.yaml, line 1: seed: YAML reads 1:30 as 90; write a decimal number"),
        ("a: {b: [1, 020]}", "config.yaml, line 1: a.b[1]: YAML reads 020 as 16; write"),
        ("seed: 1_000", "YAML reads 1_000 as 1000; write"),
        ("seed: 0x14", "YAML reads 0x14 as 20; write"),
        (
            "a: 1\nb: 1.0e-400",
            "line 2: b: YAML reads 1.0e-400 as 0.0; the smallest number is 5.0e-324",
        ),
        (
            "a: -1.0e+400",
            "YAML reads -1.0e+400 as -.inf; the largest number is 1.7976931348623157e+308",
        ),
        ("seed: 2025-13-01", "not YAML"),
        ("seed: !!python/object:object {}", "not YAML"),
        ("a: 1\n---\nb: 2\n", "not YAML"),
        (b"seed: \xff", "not YAML"),
    ],
)
def test_bad_files(tmp_path, text, words):
    with pytest.raises(ConfigurationError) as caught:
        load(_file(tmp_path, text))
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


NUMBERS = "[0, -0, +7, 20, 0.5, .5, -5., 0.0e-400, 1.0e-300, 1.0E+300, .inf, -.INF, .nan, 10]"


def test_numbers_as_they_are_written(tmp_path):
    config = load(_file(tmp_path, f"a: {NUMBERS}\nb: ['020', \"1:30\", yes, 2020-01-31, x]\n"))
    assert config["a"][:10] == [0, 0, 7, 20, 0.5, 0.5, -5.0, 0.0, 1.0e-300, 1.0e300]
    assert config["b"][:3] == ["020", "1:30", True]


def test_missing_file(tmp_path):
    with pytest.raises(ConfigurationError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("seed: 1\n", 0, ""),
        ("seed: [1\nblock: 2\n", 1, f"{reading.UNUSABLE}\n{{}}, line 2, column 6: not YAML: "),
    ],
)
def test_a_file_is_checked_before_snakemake_reads_it(tmp_path, text, status, said):
    """Snakemake says of a file after --configfile neither what is wrong nor where."""
    file = _file(tmp_path, text)
    result = subprocess.run(
        [sys.executable, "-m", "planning", ROOT / "config/smoke.yaml", file],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([f"{ROOT}/scripts", f"{ROOT}/workflow"])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status
    assert result.stderr.startswith(said.format(file)) and bool(result.stderr) == bool(said)


def test_merged_mappings_are_not_duplicates(tmp_path):
    text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {<<: *b, y: 4}\n"
    assert load(_file(tmp_path, text))["c"] == {"x": 3, "y": 4}


def test_an_empty_file_and_a_recursive_one_are_explained(tmp_path):
    assert complaints(load(_file(tmp_path, "")))[0].startswith("configuration: null")
    recursive = load(_file(tmp_path, "experiments: &e {a: *e}"))
    assert complaints(recursive)[0].startswith("experiments.a: contains itself")


# --- Schema and documentation ------------------------------------------------------------


def _resolved(schema):
    """A schema with what its reference says."""
    reference = schema.get("$ref", "").removeprefix("#/$defs/")
    return (SCHEMA["$defs"][reference] if reference else {}) | schema


def _keys(schema, path=""):
    """Every key of a schema with its own schemas, conditional ones included."""
    if "$ref" in schema:
        yield from _keys(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], path)
    for key, inner in schema.get("properties", {}).items():
        name = f"{path}.{key}".removeprefix(".")
        yield name, _resolved(inner)
        yield from _keys(inner, name)
    for inner in schema.get("patternProperties", {}).values():
        yield f"{path}.<name>", inner
        yield from _keys(inner, f"{path}.<name>")
    conditional = [schema[part] for part in ["then", "else"] if part in schema]
    for inner in [*conditional, *schema.get("allOf", [])]:
        yield from _keys(inner, path)


def _table():
    """Key and cells of each row of the README's tables of keys."""
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| Key \|.*\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = re.findall(r"^\| `([^`]+)` \|(.*)\|$", "".join(tables), re.MULTILINE)
    return {key: [cell.strip() for cell in re.split(r"(?<!\\)\|", rest)] for key, rest in rows}


def test_every_key_is_documented_and_nothing_else():
    assert len(_table()) > 40
    assert {key for key, _ in _keys(SCHEMA)} == set(_table())
    assert all(len(cells) == 3 and cells[0] for cells in _table().values())


def test_every_key_has_a_description():
    described = {key for key, schema in _keys(SCHEMA) if "description" in schema}
    assert {key for key, _ in _keys(SCHEMA) if not key.endswith("<name>")} == described


def test_documented_defaults_are_the_schemas():
    defaults = {key: schema["default"] for key, schema in _keys(SCHEMA) if "default" in schema}
    for key, (_, _, documented) in _table().items():
        if documented.startswith("`"):
            assert yaml.safe_load(documented.strip("`")) == defaults[key]
        else:
            assert documented in ("", "required")
            assert defaults.get(key, {}) == {}


def _objects(schema):
    """Every schema of a mapping; the conditions of others, and the ensembles, whose keys are
    those of the registry, are none of them."""
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for key, inner in schema.items():
            if key not in ("if", "a_kernel", "a_file", "ensemble"):
                yield from _objects(inner)
    if isinstance(schema, list):
        for inner in schema:
            yield from _objects(inner)


def test_schema_is_valid_closed_and_local():
    validator().check_schema(SCHEMA)
    objects = list(_objects(SCHEMA))
    assert len(objects) > 10
    assert all(found["additionalProperties"] is False for found in objects)
    references = re.findall(r"\$ref: *'?([^\s}']+)", yaml.safe_dump(SCHEMA))
    assert references
    assert all(reference.startswith("#/$defs/") for reference in references)


# --- What is too large -------------------------------------------------------------------

WINDOW = {"rates": SMOKE["rates"]}
NUMBERS_IN_A_JOB = "numbers in one job; allowed: at most 100000000 (0.8 GB)"
TOO_MANY_NUMBERS = {
    "N x d": ("noise.d", {"N": 10**5, "d": 10**6}, {}, "2 x 100000 x 1000000 = 2e+11"),
    "one block": (
        "noise.d",
        {"repetitions": 10**8},
        {"block": 10**8},
        "100000000 x 20 x 40 = 8e+10",
    ),
    "no block": ("phase.d", {"repetitions": 10**8}, {}, "100000000 x 15 x 20 = 3e+10"),
    "kernel": ("tight.m", {"m": [3, 10**5]}, {}, "1 x 100000 x 100001 = 1e+10"),
    "beyond 64 bits": ("noise.d", {"N": 10**30, "d": 10**40}, {}, "= 2e+70"),
    "scales": (
        "noise.alpha",
        {"alpha": {"smallest": 1e-300, "largest": 1.0, "per_decade": 1000}, "d": 400},
        {},
        "2 x 300001 x 400 = 2.4e+08",
    ),
    "resamples": (
        "noise.repetitions",
        {},
        {"rates": SMOKE["rates"] | {"bootstrap": 10**8}},
        "100000000 x 13 = 1.3e+09",
    ),
}


@pytest.mark.parametrize("case", TOO_MANY_NUMBERS)
def test_what_no_job_can_hold_is_refused(case):
    key, values, settings, product = TOO_MANY_NUMBERS[case]
    name = key.split(".")[0]
    config = changed(["experiments", name], SMOKE["experiments"][name] | values)
    config |= {"block": 2} | settings
    (line,) = [line for line in complaints(config) if line.startswith(f"experiments.{key}: ")]
    assert product in line
    assert line.endswith(NUMBERS_IN_A_JOB)


TOO_MANY_BLOCKS = {
    "repetitions": ("noise", {"repetitions": 10**8}),
    "values": (
        "noise",
        {"depth": [3 + k / 1000 for k in range(500)], "eta": [k / 1000 for k in range(500)]},
    ),
    "scales": (
        "flow",
        {
            "alpha": [k / 10**4 for k in range(1, 3001)],
            "plain_alpha": [],
            "eta": [k / 100 for k in range(20)],
        },
    ),
    "problems": (
        "phase",
        {"N": list(range(2, 402)), "d": list(range(402, 802)), "sparsity": [0.2, 0.4]},
    ),
}


@pytest.mark.parametrize("case", TOO_MANY_BLOCKS)
def test_more_blocks_than_can_be_planned_are_refused(case):
    name, values = TOO_MANY_BLOCKS[case]
    values = SMOKE["experiments"][name] | values
    values |= {"proved_alpha": []} if "proved_alpha" in values else {}
    config = changed(["experiments", name], values) | {"block": 2}
    (line,) = complaints(config)
    assert line.startswith(f"experiments.{name}: with it there are ")
    assert "blocks of repetitions (key block: 2 of each)" in line
    assert line.endswith("allowed: at most 100000 in a file")


def test_blocks_of_several_experiments_add_up():
    """60000 of each of two experiments."""
    many = SMOKE["experiments"]["noise"] | {"eta": 0, "repetitions": 120000}
    assert validate(WINDOW | {"block": 2, "experiments": {"a": many}})
    (line,) = complaints(WINDOW | {"block": 2, "experiments": {"a": many, "b": many}})
    assert line.startswith("experiments.b: with it there are 1.2e+05 blocks")


def test_the_limits_themselves_are_allowed():
    noise = SMOKE["experiments"]["noise"] | {"eta": 0}
    assert validate(WINDOW | {"block": 1, "experiments": {"a": noise | {"repetitions": 10**5}}})
    # alpha has 13 scales: the matrices decide
    large = noise | {"N": 10**4, "d": 10**4 + 1, "repetitions": 1}
    (line,) = complaints(WINDOW | {"experiments": {"a": large}})
    assert "1 x 10000 x 10001 = 1e+08" in line
    assert validate(WINDOW | {"experiments": {"a": large | {"N": 9999, "d": 10**4}}})


def aliases(first, item):
    """A file of thirty lines whose last value has 2^30 times the first one's size, written out."""
    lines = [f"a0: &a0 {first}"]
    lines += [f"a{k}: &a{k} " + item.format(f"*a{k - 1}") for k in range(1, 31)]
    return "\n".join(lines) + "\n"


EXPLODING = {
    "lists": aliases("[1, 2]", "[{0}, {0}]"),
    "mappings": aliases("{x: 1}", "{{x: {0}, y: {0}}}"),
    "both": aliases("[1]", "[{{x: {0}}}, {{y: {0}}}]"),
    "merged": aliases("{x: [1]}", "{{u: {0}, v: {0}}}") + "last: {<<: *a30}\n",
}


@pytest.mark.parametrize("case", EXPLODING)
def test_aliases_that_explode_are_counted_not_written_out(tmp_path, case):
    path = tmp_path / "config.yaml"
    path.write_text(EXPLODING[case], encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"has \d\.\de\+\d\d values, with every alias"):
        load(path)


def test_aliases_are_allowed(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("a: &a [1, 2]\nb: &b {c: *a}\nd: [*b, *b]\n", encoding="utf-8")
    assert load(path) == {"a": [1, 2], "b": {"c": [1, 2]}, "d": [{"c": [1, 2]}, {"c": [1, 2]}]}


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_nesting_without_end_is_refused(tmp_path, brackets):
    path = tmp_path / "config.yaml"
    start = brackets[0] if brackets == "[]" else "{a: "
    path.write_text(start * 5000 + brackets[1] * 5000, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="lists and mappings are nested too deeply"):
        load(path)


def test_a_file_of_too_many_bytes_is_not_read(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("# " + "-" * 10**6, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="has 1000002 bytes; allowed: at most 1000000"):
        load(path)


def test_the_limits_are_documented():
    text = (CONFIG / "README.md").read_text(encoding="utf-8")
    table = text[text.index("| Limit |") : text.index("Who has the memory")]
    limits = {
        rules: ("MOST_BLOCKS",),
        reading: ("MOST_BYTES", "MOST_VALUES"),
        sizes: ("MOST_ENTRIES", "MOST_BYTES"),
    }
    for module, names in limits.items():
        for name in names:
            assert re.search(rf"\b{getattr(module, name)}\b", table), name
            assert f"`{name}`" in table
