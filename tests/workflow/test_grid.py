"""Names of cells: one for each combination of parameters, and none twice."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from test_configuration import DEFAULT, SMOKE

from planning import grid
from planning.configuration import validate
from planning.experiments import rows_of
from planning.plan import Plan
from planning.reading import ConfigurationError
from planning.stages import STAGES
from workflow_runs import ROOT

BLOCK = {
    "figure": "depth",
    "ensemble": "gaussian",
    "N": 20,
    "d": 40,
    "s": 2,
    "eta": [0, 0.1],
    "depth": [2, 2.5],
    "repetitions": 2,
    "alpha": {"smallest": 1.0e-4, "largest": 1.0, "per_decade": 2},
}


def plan_of(**experiments):
    return Plan(
        validate(
            {"rates": {"window": {"smallest": 1e-4, "largest": 1.0}}} | {"experiments": experiments}
        )
    )


def calls(plan, stage):
    return [call for batch in plan.batches(stage) for call in batch.calls]


def names(**changes):
    return {cell.name for cell in plan_of(mine=BLOCK | changes).cells}


def test_names_say_what_is_in_a_cell():
    assert names() == {
        f"gaussian_N20_d40_s2_eta{eta}/D{depth}/alpha0.0001to1by2"
        for eta in ("0", "0.1")
        for depth in ("2", "2.5")
    }
    shaped = names(
        ensemble={"name": "toeplitz", "correlation": -0.25, "normalized": True},
        eta=0,
        depth=3,
        signal={"law": "power_law", "exponent": 1.5},
        noise="uniform",
        initialization={"law": "lognormal", "sigma": 0.5, "balanced": False},
    )
    assert shaped == {
        "toeplitz-correlation-0.25-normalized_N20_d40_s2_eta0_signal-power-law-exponent1.5"
        "_noise-uniform/D3_from-lognormal-sigma0.5-unbalanced/alpha0.0001to1by2"
    }


VARIANTS = {
    "ensemble": [
        "gaussian",
        "rademacher",
        {"name": "gaussian", "normalized": True},
        {"name": "toeplitz", "correlation": 0.25},
        {"name": "toeplitz", "correlation": -0.25},
        {"name": "sparse_bernoulli", "density": 0.25},
    ],
    "signal": [
        None,
        {"law": "constant"},
        {"law": "constant", "unit_norm": True},
        {"law": "uniform", "low": 0.5, "high": 1},
        {"law": "power_law", "exponent": 1},
    ],
    "noise": [None, "gaussian", "rademacher"],
    "initialization": [
        None,
        {"law": "lognormal", "sigma": 0.5},
        {"law": "lognormal", "sigma": 0.5, "balanced": False},
        {"law": "uniform", "low": 0.5, "high": 2},
        {"law": "file", "path": "config/shape.csv"},
    ],
}


def test_only_a_shape_that_is_not_balanced_is_called_so():
    """A file tells both shapes itself."""
    shapes = {
        "D3_from-file-w.csv": {"law": "file", "path": "w.csv"},
        "D3_from-lognormal-sigma1": {"law": "lognormal", "sigma": 1},
        "D3_from-lognormal-sigma1-unbalanced": {"law": "lognormal", "sigma": 1, "balanced": False},
    }
    for name, shape in shapes.items():
        (cell,) = plan_of(mine=BLOCK | {"eta": 0, "depth": 3, "initialization": shape}).cells
        assert cell.network.name == name
        assert ("unbalanced" in cell.network.label) == ("unbalanced" in name)


def test_no_two_combinations_have_one_name():
    seen = set()
    count = 0
    for values in itertools.product(*VARIANTS.values()):
        changes = {k: v for k, v in zip(VARIANTS, values, strict=True) if v is not None}
        found = names(**changes)
        count += len(found)
        seen |= found
    assert len(seen) == count


def test_a_default_parameter_names_the_same_cell():
    assert names(ensemble="toeplitz") == names(ensemble={"name": "toeplitz", "correlation": 0.5})
    plain = names(initialization={"law": "lognormal", "sigma": 0.5})
    assert plain == names(initialization={"law": "lognormal", "sigma": 0.5, "balanced": True})


def of_file(**entry):
    return {"figure": "depth", "depth": 2, "alpha": BLOCK["alpha"]} | {
        "ensemble": {"name": "file"} | entry
    }


@pytest.mark.parametrize(
    ("path", "place", "name"),
    [
        ("config/data/a_b.csv", "config/data/a_b.csv", "file-a-b.csv"),
        ("./data/a_b.csv", "data/a_b.csv", "file-a-b.csv"),
        ("/of another/a, b.csv", "/of another/a, b.csv", "file-a-b.csv"),
        ("~/a.csv", str(Path.home() / "a.csv"), "file-a.csv"),
        ("../ß/größe.csv", "../ß/größe.csv", "file-gr-e.csv-"),
        ("数.csv", "数.csv", "file-.csv-"),
        (f"{'a' * 90}.csv", f"{'a' * 90}.csv", f"file-{'a' * 60}-"),
    ],
)
def test_own_data_have_the_name_of_their_file_wherever_it_lies(path, place, name):
    plan = plan_of(mine=of_file(path=path))
    (problem,) = plan.problems
    if name.endswith("-"):  # what is left out of the name is told by a digest
        assert re.fullmatch(re.escape(name) + "[0-9a-f]{8}", problem)
        assert problem not in plan_of(mine=of_file(path=path.replace(".csv", "a.csv"))).problems
    else:
        assert problem == name
    (call,) = calls(plan, "problems")
    assert call.words[-2:] == ("file", f"--path={place}")
    assert call.data == (place,)
    assert plan.problems[problem].label == Path(path).name
    assert place not in json.dumps(plan.settings(["mine"], [])).replace(Path(path).name, "")


def test_what_is_recorded_of_own_data_is_their_names():
    block = of_file(path="a/A.mtx", data="b/y.csv", signal="/c/x0.csv")
    block["initialization"] = {"law": "file", "path": "d/w.csv"}
    plan = plan_of(mine=block)
    said = json.loads(plan.settings(["mine"], []))["experiments"]["mine"]
    assert said["ensemble"] == {
        "name": "file",
        "path": "A.mtx",
        "data": "y.csv",
        "signal": "x0.csv",
    }
    assert said["initialization"]["path"] == "w.csv"
    (network,) = plan.networks
    assert network == "D2_from-file-w.csv"
    (call,) = calls(plan, "selection")
    assert call.data == ("d/w.csv",) and "--path=d/w.csv" in call.words


def test_own_data_as_a_product_are_another_problem():
    """With the key, a flag and no file; without it, or false, the problem that it always was."""
    entry = {"path": "config/data/a_b.csv", "signal": "config/data/x.csv"}
    for more, name, flag, label in (
        ({}, "", "", ""),
        ({"noiseless": False}, "", "", ""),
        ({"noiseless": True}, "-noiseless", " --noiseless", ", noiseless"),
    ):
        plan = plan_of(mine=of_file(**entry | more))
        (problem,) = plan.problems
        assert problem == f"file-a-b.csv-x.csv{name}"
        files = "--path=config/data/a_b.csv --signal=config/data/x.csv"
        (call,) = calls(plan, "problems")
        assert " ".join(call.words).endswith(f" file {files}{flag}")
        assert call.data == ("config/data/a_b.csv", "config/data/x.csv")
        assert plan.problems[problem].label == f"a_b.csv, x.csv{label}"


def test_rows_are_held_out_by_a_seed_repetition_by_repetition():
    block = of_file(path="a.csv", held_out=3) | {"repetitions": 2}
    plan = plan_of(mine=block)
    ((name, problem),) = plan.problems.items()
    assert (name, problem.label) == ("file-a.csv-held_out3", "a.csv, held_out 3")
    (call,) = calls(plan, "problems")
    assert call.words[-4:] == ("file", "--path=a.csv", "--held-out=3", "--seed=1")
    assert call.words[call.words.index("--repetitions") + 1 :][:2] == ("0", "1")
    whole = of_file(path="a.csv")["ensemble"]
    for entries, words in (
        (whole, "only with a random ensemble, or files with held_out"),
        ([block["ensemble"], whole], "only with a random ensemble, or files with held_out"),
        (whole | {"held_out": 0}, "an integer at least 1"),
        (whole | {"held_out": True}, "an integer at least 1"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            plan_of(mine=block | {"ensemble": entries})
    assert plan_of(mine=of_file(path="a.csv", held_out=3)).cells[0].repetitions == 1


def test_own_tables_and_shared_ones():
    shared = BLOCK | {"tables": "shared"}
    plan = plan_of(
        one=shared, two=shared | {"eta": 0.2}, mine=BLOCK, few=BLOCK | {"tables": ["rates"]}
    )
    assert plan.tables["rates"] == ("rates", ["one", "two"])
    assert "errors" not in plan.tables
    mine = {name for name in plan.tables if name.startswith("mine_")}
    assert mine == {f"mine_{kind}" for kind in ("cells", "rates", "constants", "newton", "errors")}
    assert [name for name in plan.tables if name.startswith("few_")] == ["few_rates"]


def test_own_data_of_one_name_are_told_apart_by_a_label():
    """Tables and figures tell problems apart by their label."""
    same = {"name": "file", "path": "a/A.csv", "data": "a/y.csv"}
    entries = [same, same | {"signal": "a/x0.csv"}, same | {"signal": "b/x0.csv"}]
    with pytest.raises(ConfigurationError) as error:
        plan_of(mine=of_file() | {"ensemble": entries})
    assert str(error.value) == (
        "experiments: a/A.csv, a/y.csv, a/x0.csv and a/A.csv, a/y.csv, b/x0.csv are both named "
        "file-A.csv-y.csv-x0.csv; give one a label, or its file another name"
    )
    entries[2] |= {"label": "the second", "noiseless": True}
    plan = plan_of(mine=of_file() | {"ensemble": entries})
    assert {name: problem.label for name, problem in plan.problems.items()} == {
        "file-A.csv-y.csv": "A.csv, y.csv",
        "file-A.csv-y.csv-x0.csv": "A.csv, y.csv, x0.csv",
        "file-the-second-noiseless": "the second, noiseless",
    }
    (call,) = (call for call in calls(plan, "problems") if "--noiseless" in call.words)
    files = ("--path=a/A.csv", "--data=a/y.csv", "--signal=b/x0.csv")
    assert call.words[-4:] == (*files, "--noiseless")


def test_tables_of_the_l1_minimizer_are_left_out_with_another_initialization():
    plan = plan_of(mine=BLOCK | {"initialization": {"law": "lognormal", "sigma": 0.5}})
    assert set(plan.tables) == {"mine_newton", "mine_errors"}
    config = {"certificates": {"scales": "none"}, "experiments": {"depth": BLOCK}}
    config["rates"] = {"window": {"smallest": 1e-4, "largest": 1.0}}
    # there they hold floating-point numbers
    kinds = ("cells", "rates", "constants", "newton", "errors")
    assert set(Plan(validate(config)).tables) == {f"depth_{kind}" for kind in kinds}


@pytest.mark.parametrize("scales", ["all", "sample", "none"])
def test_who_errs_less_is_proved_where_every_scale_is(scales):
    """Also of cells of which bounds and trajectories are not; else the table waits for no proof."""
    block = BLOCK | {"figure": "generalization", "depth": [2, 3], "tables": "shared"}
    config = {"certificates": {"scales": scales}, "experiments": {"generalization": block}}
    config["rates"] = {"window": {"smallest": 1e-4, "largest": 1.0}}
    plan = Plan(validate(config))
    proofs = plan.table_certificates("deeper")
    assert proofs == (plan.table_certificates("rates") if scales == "all" else [])
    assert any("/D3/" in file for file in proofs) == bool(proofs)


@pytest.mark.parametrize("scales", ["all", "sample", "none"])
def test_bounds_are_proved_where_every_scale_is(scales):
    """Of the cells of which figures show them, and of no others."""
    config = {"certificates": {"scales": scales}}
    config["rates"] = {"window": {"smallest": 1e-4, "largest": 1.0}}
    family = {"figure": "tightness", "ensemble": "one_dimensional_kernel", "m": 2, "rho": 0.5}
    family |= {"depth": 3, "alpha": {"decades": 10, "per_tenfold": 2}}
    blocks = {"bounds": BLOCK | {"figure": "bounds", "depth": 2}, "depth": BLOCK, "tight": family}
    shared = {name: block | {"tables": "shared"} for name, block in blocks.items()}
    plan = Plan(validate(config | {"experiments": shared}))
    found = calls(plan, "bound_certificates")
    if scales != "all":
        assert not found and not plan.table_certificates("tightness")
        return
    files = [file for call in found for file in call.outputs]
    cells = [*plan.experiments["bounds"], *plan.experiments["tight"]]
    assert {cell.name for cell in cells} == {
        file.removeprefix("results/bound_certificates/").rsplit("/", 1)[0] for file in files
    }
    assert plan.table_certificates("tightness") == files
    assert set(files) < set(plan.proofs)
    for call in found:
        words = list(call.words)
        at = words.index("--log10-alpha") + 1
        (path,) = {cell.path for cell in cells if f"/{cell.path.name}/" in call.outputs[0]}
        assert tuple(map(float, words[at : at + len(path.log10_alpha)])) == path.log10_alpha


def test_several_figures_of_one_experiment():
    plan = plan_of(mine=BLOCK | {"figure": ["depth", "norms"]})
    assert plan.figure_of == {"mine_depth": "depth", "mine_norms": "norms"}
    assert plan.figure_data("mine_depth") == plan.figure_data("mine_norms")


@pytest.mark.parametrize("config", [DEFAULT, SMOKE], ids=["default", "smoke"])
def test_published_tables_are_shared_by_all(config):
    plan = Plan(validate(config))
    assert not any("_" in name for name in plan.tables)
    assert {name for _, shown in plan.tables.values() for name in shown} == set(
        config["experiments"]
    )


def test_what_the_error_is_measured_from():
    plan = plan_of(plain=BLOCK, shaped=BLOCK | {"initialization": {"law": "lognormal", "sigma": 1}})
    for call in calls(plan, "limit"):
        (file,) = call.outputs
        measured = call.words[call.words.index("--l1") + 1]
        stage = "selection" if "_from" in file else "l1"
        assert measured.startswith(f"results/{stage}/"), file


def test_a_shape_of_ones_own_is_among_the_data_of_a_job():
    shape = {"law": "file", "path": "w.csv"}
    plan = plan_of(mine=BLOCK | {"depth": 3, "initialization": shape})
    (batch,) = plan.batches("selection")
    assert batch.data == ["w.csv"]


@pytest.mark.parametrize("config", [DEFAULT, SMOKE], ids=["default", "smoke"])
def test_every_file_is_made_by_one_call(config):
    plan = Plan(validate(config))
    made = Counter(file for stage in STAGES for c in calls(plan, stage) for file in c.outputs)
    assert set(made.values()) == {1}
    for stage in STAGES:
        for call in calls(plan, stage):
            assert set(call.inputs) <= set(made)
            assert {*call.inputs, *call.outputs, *call.data} <= {
                word.split("=", 1)[-1] for word in call.words
            }
    shown = [*map(plan.figure_data, plan.figure_of), *map(plan.table_data, plan.tables)]
    assert {file for files in shown for file in files} <= set(made)


@pytest.mark.parametrize(
    ("delta", "columns", "rows"), [(0.001, 40, 1), (0.5, 41, 20), (0.99, 40, 39), (0.999, 500, 499)]
)
def test_a_part_of_the_columns_is_a_number_of_rows_below_theirs(delta, columns, rows):
    assert rows_of({"delta": delta}, columns) == [rows]


def test_the_default_grid_is_few_jobs():
    """A process a job, which costs what imports cost."""
    plan = Plan(validate(DEFAULT))
    stages = [plan.batches(stage) for stage in STAGES]
    jobs = [*itertools.chain(*stages), *plan.figure_batches().values()]
    jobs += plan.table_batches().values()
    assert len(jobs) < 150
    # as a run counts them: with rules all and configuration
    page = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"the default grid is {len(jobs) + 2} jobs" in page
    assert max(len(batch.calls) for batch in jobs) == DEFAULT.get("cells_per_job", 12)
    assert len({batch.rule for batch in jobs}) == len(jobs)


def test_a_call_is_the_same_whatever_else_there_is_to_compute():
    few = plan_of(mine=BLOCK)
    many = plan_of(
        other=BLOCK | {"s": 3}, mine=BLOCK | {"eta": [0.2, 0, 0.1], "depth": [3, 2, 2.5]}
    )
    for stage in STAGES:
        assert set(calls(few, stage)) <= set(calls(many, stage))


def test_figures_and_tables_are_made_by_themselves():
    plan = plan_of(one=BLOCK | {"figure": ["depth", "norms"]})
    for batches, files in ((plan.figure_batches(), 5), (plan.table_batches(), 5)):
        for name, batch in batches.items():
            assert [len(call.outputs) for call in batch.calls] == [files]
            assert all(f"/{name}." in file for file in batch.outputs)


def test_numbers_in_names_read_back():
    for value in (1e-12, 0.1, 3, 2.0, 1e22, -0.25):
        assert float(grid.number(value)) == value


def test_files_that_would_have_one_name_are_refused():
    block = {key: BLOCK[key] for key in ("figure", "depth", "alpha")}
    one, two = (block | {"ensemble": {"name": "file", "path": p}} for p in ("m_1.csv", "m-1.csv"))
    with pytest.raises(ConfigurationError, match=r"m_1.csv and m-1.csv are both named"):
        plan_of(one=one, two=two)


def test_descents_that_share_a_cell_agree():
    block = SMOKE["experiments"]["descent"]
    with pytest.raises(ConfigurationError, match=r"experiments.two.iterations: 10 is not allowed"):
        plan_of(one=block, two=block | {"iterations": 10})


CROSSED = BLOCK | {"flow_alpha": [0.01], "flow_repetitions": 1}
FLOW = SMOKE["experiments"]["flow"] | {"tables": ["agreement"]}


@pytest.mark.parametrize(
    ("mine", "others"),
    [
        (CROSSED, CROSSED | {"flow_alpha": [0.01, 0.1], "flow_repetitions": 2}),
        (CROSSED | {"flow_repetitions": 2}, CROSSED | {"flow_alpha": [0.1]}),
        (CROSSED, CROSSED | {"flow_alpha": [0.1], "repetitions": 3}),
        (CROSSED, BLOCK),
        (BLOCK, CROSSED),
        (FLOW, FLOW | {"plain_alpha": [0.01]}),
        (FLOW | {"proved_alpha": []}, FLOW | {"plain_alpha": []}),
    ],
)
def test_what_an_experiment_shows_does_not_depend_on_others(mine, others):
    """Others that share its cells and ask for other flows of them, before it or after it."""
    alone = plan_of(mine=mine)
    for plan in (plan_of(mine=mine, other=others), plan_of(other=others, mine=mine)):
        for batches in (Plan.figure_batches, Plan.table_batches):
            assert batches(alone).items() <= batches(plan).items()
        for stage in STAGES:
            one, other, both = (calls(p, stage) for p in (alone, plan_of(other=others), plan))
            assert set(both) == {*one, *other}


def test_each_flow_is_integrated_once_and_compared_for_those_that_ask_for_it():
    plan = plan_of(one=CROSSED, two=CROSSED | {"flow_alpha": [0.01, 0.1], "flow_repetitions": 2})
    asked = {(alpha, k) for alpha in ("0.01", "0.1") for k in (0, 1)}
    networks = {cell.name.rsplit("/", 1)[0] for cell in plan.cells}
    ends = [file for call in calls(plan, "flow") for file in call.outputs]
    assert Counter(ends) == Counter(
        f"results/flow/{network}/alpha{alpha}/reps0-1rep{k}.npz"
        for network in networks
        for alpha, k in asked
    )
    for name, shown in (("one", {("0.01", 0)}), ("two", asked)):
        wanted = {
            f"results/agreement/{cell.name}/dual{alpha}/reps0-1rep{k}.parquet"
            for cell in plan.cells
            for alpha, k in shown
        }
        assert set(plan.agreement(name)) == set(plan.table_data(f"{name}_agreement")) == wanted
        assert wanted <= set(plan.figure_data(name))


def test_code_is_a_program_and_all_it_imports_with_the_packages_around_it(tmp_path):
    files = {
        "main.py": "import one\nfrom a.b.c import d\n",
        "one.py": "",
        "other.py": "",
        "a/__init__.py": "",
        "a/b/__init__.py": "from a import e\n",
        "a/b/c.py": "d = 1\n",
        "a/e.py": "import sys\n",
    }
    for name, text in files.items():
        (tmp_path / "scripts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "scripts" / name).write_text(text)
    found = grid.code("scripts/main.py", tmp_path)
    assert found[0] == "scripts/main.py"
    assert sorted(found) == sorted(f"scripts/{name}" for name in files if name != "other.py")


def test_a_program_needs_the_package_of_a_module_that_names_no_other(tmp_path):
    (tmp_path / "scripts/a").mkdir(parents=True)
    for name, text in (("main", "import a.c\n"), ("a/__init__", ""), ("a/c", "")):
        (tmp_path / f"scripts/{name}.py").write_text(text)
    assert grid.code("scripts/main.py", tmp_path) == [
        *("scripts/main.py", "scripts/a/__init__.py", "scripts/a/c.py")
    ]


def test_the_window_of_the_fit_begins_with_its_smaller_end():
    plan = plan_of(mine=BLOCK)
    assert all("--window 0.0001 1.0" in " ".join(call.words) for call in calls(plan, "rates"))
    far = plan_of(far=SMOKE["experiments"]["far_deep"])
    assert not any("--window" in call.words for call in calls(far, "rates"))


def test_errors_and_constants_are_of_far_scales_too():
    """Each table of an experiment of its own kind: far scales are fitted no rate."""
    tables = ["far", "constants", "errors"]
    plan = plan_of(
        mine=BLOCK, far=SMOKE["experiments"]["far_deep"] | {"eta": 0, "depth": 3, "tables": tables}
    )
    (cell,) = plan.experiments["far"]
    folder = f"results/rates/{cell.name}/reps{cell.repetitions}"
    assert plan.table_data("far_far") == [f"{folder}/instances.parquet"]
    for name in ("errors", "constants"):
        assert plan.table_data(f"far_{name}") == [f"{folder}/points.parquet"]


def test_empty_tables_are_refused():
    with pytest.raises(ConfigurationError, match=r"experiments.mine.tables"):
        plan_of(
            mine=BLOCK | {"tables": ["cells"], "initialization": {"law": "lognormal", "sigma": 1}}
        )


def test_descent_has_integer_depths():
    with pytest.raises(ConfigurationError, match=r"depth: 2.5 is not allowed.*integers"):
        plan_of(mine=SMOKE["experiments"]["descent"] | {"depth": 2.5})


def test_blocks_are_in_the_order_of_their_repetitions():
    """Also where their names are in another order."""
    plan = Plan(validate(SMOKE))
    (cell,) = plan.experiments["bracketed"]
    names = ["reps0-4", "reps5-9", "reps10-10"]
    assert sorted(names) != names
    (rates,) = plan.stages.calls["rates"][cell.problem.family]
    problem = cell.problem.name
    for stage, folder in {
        **dict.fromkeys(("l1", "null_space"), problem),
        "limit": f"{problem}/D2/alpha1e-6to1by2",
        "asymptotics": f"{problem}/D2",
    }.items():
        option = rates.words.index(f"--{stage.replace('_', '-')}")
        files = list(rates.words[option + 1 : option + 4])
        assert files == [f"results/smoke/{stage}/{folder}/{name}.npz" for name in names]
    assert [file.split("/")[-1] for file in plan.bounds([cell])] == [
        f"{name}.parquet" for name in names
    ]
    assert [file.split("/")[-1] for file in plan.certificates([cell])[:3]] == [
        f"{name}.parquet" for name in names
    ]
    assert plan.stages.certified_scales(cell.path) == pytest.approx((-6, -5.5, -4))
