"""Numbers of tables, worked out by hand where all that is near differs."""

import numpy as np
import pandas as pd
import pytest
from test_configuration import SMOKE
from test_tables import data, made, of_constants, of_limits, only, proofs

from implicit_l1.proof.intervals import Interval
from implicit_l1.status import NOT_UNIQUE
from planning.configuration import validate
from planning.plan import Plan
from tables.write import TABLES

# --- The plan ---


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


# --- Tables ---


def test_rates_have_the_quartiles_and_the_interval_of_the_fits():
    frame = data(
        5,
        fitted_rate=[0.1, 0.2, 0.4, 0.8, 1.6],
        fitted_rate_low=0.11,
        fitted_rate_high=0.99,
        onset_alpha=[1e-3, 1e-2, 1e-1, np.nan, np.nan],
    )
    margin = [0.5] * 5
    certificates = [of_constants([0.1] * 5, margin)]
    certificates += [of_limits(2, margin=margin, local_slope={-4.0: [0.9] * 5})]
    row = only(made("rates", frame, certificates=certificates))
    assert row["fitted_lower_quartile"] == 0.2
    assert row["fitted_rate"] == 0.4
    assert row["fitted_upper_quartile"] == 0.8
    assert (row["fitted_low"], row["fitted_high"]) == (0.11, 0.99)
    assert (row["onset_alpha"], row["onset_reached"]) == (1e-2, 3)
    assert row["predicted_rate"] == Interval.of("0.9", "0.9")


def test_the_bounds_of_rho_tilde_keep_their_sides():
    parts = [proofs("margin", [0.5] * 3), proofs("rho", [0.1, 0.2, 0.3])]
    parts += [proofs("rho_tilde_lower", [0.4, 0.5, 0.6]), proofs("rho_tilde_upper", [1, 2, 3])]
    parts += [proofs("kappa", [7, 9, 8])]
    row = only(made("cells", data(), certificates=parts))
    found = {name: row[name] for name in ("rho", "rho_tilde_lower", "rho_tilde_upper", "kappa")}
    assert found == {
        "rho": Interval.of("0.2", "0.2"),
        "rho_tilde_lower": Interval.of("0.5", "0.5"),
        "rho_tilde_upper": Interval.of(2, 2),
        "kappa": Interval.of(8, 8),
    }
    columns = {"rho_lower": 0.1, "rho_upper": 0.2, "rho_tilde_lower": 0.3, "rho_tilde_upper": 0.4}
    row = only(TABLES["cells"](data(**columns, kappa=[1.0, 2.0, 4.0]), None))
    names = ("rho", "rho_tilde_lower", "rho_tilde_upper", "kappa")
    found = [float(row[f"{name}_float"].lower) for name in names]
    assert found == pytest.approx([0.2, 0.3, 0.4, 2.0])


def test_the_phase_diagram_keeps_its_sides():
    frame = data(3).assign(order_lower=[0.1, 0.2, 0.3], order_upper=[0.4, 0.6, 0.5])
    parts = [proofs("rho_planted", [0.5, 0.7, 1.5]), proofs("margin", [0.5] * 3)]
    parts += [proofs("rho", [0.3, 0.1, 0.2]), proofs("rho_tilde_lower", [0.4, 0.6, 0.5])]
    parts += [proofs("rho_tilde_upper", [3, 1, 2])]
    frame = frame.drop(columns=["depth", "path"])
    row = only(made("phase", frame, certificates=parts))
    assert row["rho"] == Interval.of("0.2", "0.2")
    assert row["rho_planted"] == Interval.of("0.7", "0.7")
    assert row["recovered"].text(".6f") == "0.666667"
    assert row["rho_tilde_lower"] == Interval.of("0.5", "0.5")
    assert row["rho_tilde_upper"] == Interval.of(2, 2)
    assert (row["order_lower"], row["order_upper"]) == (0.2, 0.5)


def test_far_slopes_say_from_where_four_digits_are_right():
    frame = data(
        4,
        four_digits_log10_alpha=[-10.0, -30.0, -20.0, np.nan],
        log10_competitor=-1.0,
        smallest_log10_alpha=-300.0,
        predicted_rate=0.5,
        last_slope=[0.5, 0.52, 0.47, 0.5],
    )
    row = only(TABLES["far"](frame, None))
    assert row["four_digits"] == 3
    assert (row["four_digits_log10_alpha"], row["four_digits_last"]) == (-20.0, -30.0)
    assert row["worst_float"].text(".6f") == "0.030000"
    assert row["reason"].startswith("repetition 3: slope 0.50000 for 0.50000; an entry of higher")


def test_steps_of_newton():
    """1, ..., 21: nineteen of twenty steps of the way from 1 to 21 are 20."""
    frame = data(21, newton_steps=np.arange(1, 22), log10_alpha=-4.0)
    row = only(TABLES["newton"](frame.sample(frac=1.0, random_state=0), None))
    names = ("points", "mean", "median", "percentile_95", "largest")
    assert [row[name] for name in names] == [21, 11, 11, 20, 21]


def test_tightness_divides_each_bound_by_its_own_error():
    """Upper bounds 10 and 10^3 times too large, lower ones 10^2 and 10^4; refined ones less."""
    frame = data(2, log10_alpha=-4.0, log10_error_1=-2.0, log10_error_off=-3.0)
    ends = {"error_off": (1, 2), "error_1": (3, 4), "refined_off": (0.1, 0.2)}
    for name, (above, below) in (ends | {"refined_1": (0.3, 0.4)}).items():
        error = -3.0 if name.endswith("off") else -2.0
        frame[f"log10_{name}_upper"] = [error + above, error + 3 * above]
        frame[f"log10_{name}_lower"] = [error - below, -np.inf]
    row = only(TABLES["tightness"](frame, None))
    assert row["points"] == 2
    for name, (above, below) in (ends | {"refined_1": (0.3, 0.4)}).items():
        assert row[f"{name}_upper"] == pytest.approx(10 ** (2 * above))
        assert row[f"{name}_upper_worst"] == pytest.approx(10 ** (3 * above))
        assert row[f"{name}_upper_silent"] == 0
        assert row[f"{name}_lower"] == row[f"{name}_lower_worst"] == pytest.approx(10**below)
        assert row[f"{name}_lower_silent"] == 1


def test_agreement_and_descent_are_of_the_certified():
    status = {1: NOT_UNIQUE}
    frame = data(4, status, alpha=0.1, form="dual", disagreement=[1e-9, 1.0, 3e-9, 2e-9])
    row = only(TABLES["agreement"](frame.assign(steps=[41.0, 999.0, 43.0, 47.0]), None))
    assert (row["disagreement"], row["steps"]) == (3e-9, 40.0)
    columns = {
        "iterations": [10, 99, 20, 40],
        "relative_loss": [1e-3, 9, 2e-3, 4e-3],
        "relative_step_distance": [0.1, 9, 0.2, 0.4],
        "relative_distance": [0.5, 9, 0.6, 0.8],
    }
    frame = data(4, status, alpha=0.1, fraction=0.5, outcome=["a", "not run", "a", "b"], **columns)
    row = only(TABLES["descent"](frame, None))
    assert [row[name] for name in columns] == [20, 2e-3, 0.2, 0.6]
    assert row["outcome"] == "a, b, not run"


def test_errors_have_the_slope_and_the_distance_of_the_smallest_scale():
    frames = [
        data(
            3,
            log10_alpha=scale,
            log10_error_1=[scale - 1, scale, scale + 2],
            local_slope=[-0.1 * scale, -0.2 * scale, -0.4 * scale],
            estimation_error=[-scale, -2 * scale, -4 * scale],
        )
        for scale in (-4.0, -8.0, -12.0, -20.0)
    ]
    row = only(TABLES["errors"](pd.concat(frames, ignore_index=True), None))
    assert row["smallest_log10_alpha"] == -20.0
    assert (row["float_slope"], row["float_distance"]) == (4.0, 40.0)
    names = ("4", "8", "12", "end")
    found = [row[f"float_error_{name}"] for name in names]
    assert found == pytest.approx([1e-4, 1e-8, 1e-12, 1e-20], abs=0.0)
