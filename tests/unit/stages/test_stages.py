"""Numbers of stage programs, worked out by hand where all that is near differs."""

from dataclasses import replace
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
import yaml
from scipy.optimize import brentq

from implicit_l1.minimizer.decision import undecided
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.null_space import Bracket, constants_of
from implicit_l1.minimizer.recovery import Recovery
from implicit_l1.minimizer.support import Certificate, support_geometry
from implicit_l1.network import bands, lasso
from implicit_l1.network.bounds import Band, error_bounds
from implicit_l1.network.flow import Trajectory, shown
from implicit_l1.network.initialization import initialize
from implicit_l1.network.limit import LimitPath, limit_path
from implicit_l1.potentials import HyperbolicPotential
from implicit_l1.problems.problem import (
    Problem,
    Rows,
    least_norm_interpolator,
    one_dimensional_kernel,
    random_problem,
)
from implicit_l1.status import (
    AT_MINIMIZER,
    CERTIFIED,
    CONVERGED,
    NO_ERROR,
    NOT_FOLLOWED,
    NOT_RUN,
    NOT_UNIQUE,
    PROVED,
    SELECTED,
)
from pipeline.command_line import Failure
from pipeline.records.asymptotics import FirstOrders
from pipeline.records.flow import Endpoints
from pipeline.records.limit import LimitPoints
from pipeline.records.minimizers import Minimizers
from pipeline.records.null_space import NullSpaceConstants
from pipeline.records.problems import Problems
from pipeline.records.record import joined
from pipeline.storage import read_arrays
from pipeline.tidy import read_table
from problem_files import write_problems
from reference import filled_record, partial_record, sparse_data
from stages import agreement, asymptotics, bound_certificates
from stages import bounds as bounds_program
from stages import flow as flow_program
from stages import lasso_path as lasso_path_program
from stages import limit as limit_program
from stages import orders as orders_program
from stages import rates as rates_program
from stages import selection as selection_program
from stages import trajectory_certificates as trajectories_program
from workflow_runs import ROOT, script

# --- Stage rates ---

STATUS = np.array([CERTIFIED, NOT_UNIQUE, CERTIFIED, CERTIFIED])
LOG_ALPHA = np.log(10.0) * np.array([0.0, -1.0, -2.0])
# of the 1-norm; the others are a half and a quarter of it; of repetition 1 nothing is to count
ERROR = np.array([[1, 0.1, 0.01], [1e9, 1e9, 1e9], [2, 0.4, 0.08], [4, 1, 0.1]])
SETTINGS = SimpleNamespace(
    cell={"depth": 2},
    depth=2,
    window=[1e-2, 1.0],
    onset_tolerance=0.05,
    bootstrap=40,
    confidence=0.9,
    seed=1,
)
REPETITION = np.arange(4)
L1 = partial_record(
    Minimizers,
    repetition=REPETITION,
    status=STATUS,
    product=np.zeros(4, dtype=bool),
    noiseless_support=np.zeros(4, dtype=int),
    support_size=np.array([1, 2, 1, 2]),
    margin=np.array([0.3, 0.4, 0.5, 0.6]),
    kappa=np.array([3.0, 4.0, 5.0, 6.0]),
    duality_gap=np.array([1e-16, 2e-16, 3e-16, 4e-16]),
    point=np.array([[0.0, 2, 0], [1, 0, 0], [0, 0, 3], [5, 4, 0]]),
    estimation_error=np.array([0.1, 9, 0.2, 0.4]),
    interpolator_estimation_error=np.array([0.5, 9, 0.6, 0.8]),
    unit=np.ones((4, 3)),
    tilt=np.zeros((4, 3)),
)
NULL_SPACE = partial_record(
    NullSpaceConstants,
    rho_lower=np.array([0.1, 0.2, 0.3, 0.4]),
    rho_upper=np.array([0.11, 0.21, 0.31, 0.41]),
    rho_tilde_lower=np.array([0.5, 0.6, 0.7, 0.8]),
    rho_tilde_upper=np.array([0.51, 0.61, 0.71, 0.81]),
    rho_tilde_method=np.array(["a", "b", "c", "d"]),
)
LIMIT = partial_record(
    LimitPoints,
    log_alpha=LOG_ALPHA,
    log_error_1=np.log(ERROR),
    log_error_2=np.log(ERROR / 2),
    log_error_inf=np.log(ERROR / 4),
    estimation_error=10 * ERROR,
    newton_steps=np.array([[5, 3, 2], [9, 9, 9], [6, 4, 1], [7, 5, 5]]),
    relative_residual=1e-16 * np.array([[1, 3, 2], [9, 9, 9], [4, 6, 5], [8, 7, 7]]),
    error_bound=1e-13 * np.array([[1, 3, 2], [9, 9, 9], [4, 6, 5], [8, 7, 7]]),
)
ASYMPTOTICS = partial_record(
    FirstOrders,
    status=np.array(["known"] * 4),
    exponent=np.array([0.5, 9, 0.6, 0.7]),
    log_constant=np.log([2.0, 9, 4, 8]),
    entry_exponent=np.array([[np.nan, 0.5, 1.5]] * 4),
    entry_log_size=np.log([[1.0, 2, 30]] * 4),
)


def curves():
    excess = {"excess_l1": np.log(ERROR / 8)}
    table = rates_program.curve_table(L1, LIMIT, ASYMPTOTICS, excess, SETTINGS)
    return table.set_index("quantity")


@pytest.mark.parametrize(
    ("quantity", "factor"),
    [
        ("error_1", 1),
        ("error_2", 1 / 2),
        ("error_inf", 1 / 4),
        ("excess_l1", 1 / 8),
        ("estimation_error", 10),
    ],
)
def test_curves_are_of_what_they_are_called(quantity, factor):
    """Of errors 0.1, 0.4 and 1 at alpha = 0.1: quartiles half way between them on a log axis."""
    rows = curves().loc[quantity]
    assert rows["count"].tolist() == [3, 3, 3]
    np.testing.assert_allclose(rows["log10_alpha"], [0, -1, -2])
    row = rows.iloc[1]
    assert row["median"] == pytest.approx(0.4 * factor)
    assert row["lower_quartile"] == pytest.approx(0.2 * factor)
    assert row["upper_quartile"] == pytest.approx(np.sqrt(0.4) * factor)
    assert 0.1 * factor <= row["low"] < row["median"] < row["high"] <= factor * 1.0000001


def test_slopes_and_lines_of_curves():
    table = curves()
    slopes = table.loc["slope"]
    # of factors 10, 5 and 4, half way between the scales
    np.testing.assert_allclose(slopes["median"], [np.log10(5), 1.0 * np.log10(10)])
    np.testing.assert_allclose(slopes["log10_alpha"], [-0.5, -1.5])
    assert table.loc["l1_estimation_error"]["median"].tolist() == pytest.approx([0.2] * 3)
    lines = table.loc["interpolator_estimation_error"]["median"]
    assert lines.tolist() == pytest.approx([0.6] * 3)
    # 1 / 2, 2 / 4 and 4 / 8 at alpha = 1; 0.1, 0.4, 1 over 2, 4, 8 times 0.1^(0.5, 0.6, 0.7)
    ratio = table.loc["error_over_prediction"]["median"]
    assert ratio.iloc[0] == pytest.approx(0.5)
    ratios = [0.05 * 10**0.5, 0.1 * 10**0.6, 0.125 * 10**0.7]
    assert ratio.iloc[1] == pytest.approx(np.median(ratios))


def test_instances_are_what_they_are_called():
    table = rates_program.instance_table(L1, NULL_SPACE, LIMIT, ASYMPTOTICS, SETTINGS)
    for source in (L1.arrays(), NULL_SPACE.arrays()):
        for name in set(source) & set(table):
            assert table[name].tolist() == source[name].tolist(), name
    assert table["repetitions"].tolist() == [4] * 4
    np.testing.assert_allclose(table["predicted_rate"][[0, 2, 3]], [0.89, 0.69, 0.59])
    # by least squares over three scales: half the logarithm of first over last
    fitted = np.log10(ERROR[:, 0] / ERROR[:, 2]) / 2
    np.testing.assert_allclose(table["fitted_rate"], fitted, atol=1e-12)
    assert table["newton_steps"].tolist() == [10, 27, 11, 17]
    np.testing.assert_allclose(table["error_bound"], 1e-13 * np.array([3, 9, 6, 8]))
    np.testing.assert_allclose(table["relative_residual"], 1e-16 * np.array([3, 9, 6, 8]))
    np.testing.assert_allclose(table["last_slope"][[0, 2, 3]], [1, np.log10(5), 1])
    np.testing.assert_allclose(table["log10_constant"], np.log10([2, 9, 4, 8]))
    # the entry of the power 1.5 over that of 0.5, at alpha = 0.01
    np.testing.assert_allclose(table["log10_competitor"], np.log10(30 / 2 * 0.01))
    # at D = 2 the error over the smallest entry of g*
    correction = np.log10(ERROR[:, 2] / np.array([2, 1, 3, 4]))
    correction[1] = 2 * -2  # but (alpha / |g*_i|)^2 where the exponent is above 1
    np.testing.assert_allclose(table["log10_correction"], correction)
    np.testing.assert_allclose(table["smallest_log10_alpha"], -2)
    assert set(table["window_smallest"]) == {1e-2} and set(table["window_largest"]) == {1.0}
    assert set(table["onset_tolerance"]) == {0.05} and set(table["scales"]) == {3}
    ends = [set(map(float, table[f"fitted_rate_{end}"])) for end in ("low", "high")]
    assert [len(values) for values in ends] == [1, 1]  # of the cell
    (low,), (high,) = ends
    of_cell = fitted[[0, 2, 3]]
    assert min(of_cell) - 1e-9 <= low < high <= max(of_cell) + 1e-9


def test_an_onset_is_where_the_slopes_come_near_for_good():
    """Slopes 1 and 0.7 of a predicted 0.69: of repetition 2, from alpha = 0.1 on."""
    table = rates_program.instance_table(L1, NULL_SPACE, LIMIT, ASYMPTOTICS, SETTINGS)
    # predicted 0.69, slopes log10(5) = 0.699 both; 5 % are 0.03, and four digits are not reached
    assert table["onset_log10_alpha"][2] == pytest.approx(0.0)
    assert table["onset_log10_alpha"][[0, 1, 3]].isna().all()
    assert table["four_digits_log10_alpha"].isna().all()


@pytest.mark.parametrize(("excess", "reached"), [(4e-5, True), (6e-5, False)])
def test_four_digits_of_a_rate_are_after_the_point(excess, reached):
    """Of a rate of 0.01, too, of which 5e-5 is much more than that part of it."""
    path = np.tile((0.01 + excess) * LOG_ALPHA, (4, 1))
    limit = partial_record(LimitPoints, **(LIMIT.arrays() | {"log_error_1": path}))
    rho = {f"rho_{end}": np.full(4, 0.99) for end in ("lower", "upper")}
    null_space = partial_record(NullSpaceConstants, **(NULL_SPACE.arrays() | rho))
    table = rates_program.instance_table(L1, null_space, limit, ASYMPTOTICS, SETTINGS)
    np.testing.assert_allclose(table["predicted_rate"][[0, 2, 3]], 0.01)
    assert table["four_digits_log10_alpha"][[0, 2, 3]].notna().tolist() == [reached] * 3


def test_points_are_what_they_are_called():
    table = rates_program.point_table(L1, LIMIT, ASYMPTOTICS, SETTINGS)
    rows = table[table["repetition"] == 2]
    np.testing.assert_allclose(rows["log10_alpha"], [0, -1, -2], atol=1e-12)
    np.testing.assert_allclose(rows["log10_error_1"], np.log10(ERROR[2]))
    np.testing.assert_allclose(rows["estimation_error"], 10 * ERROR[2])
    # a slope stands at the smaller of its two scales
    np.testing.assert_allclose(rows["local_slope"], [np.nan, np.log10(5), np.log10(5)])
    prediction = np.log10(4) + 0.6 * np.array([0, -1, -2])
    np.testing.assert_allclose(rows["log10_prediction"], prediction)
    assert rows["rate"].tolist() == [0.6] * 3
    assert rows["newton_steps"].tolist() == [6, 4, 1]
    assert table["status"].tolist() == np.repeat(STATUS, 3).tolist()


@pytest.mark.parametrize("order", [(1, 0), (0,), (1,), (0, 0), (0, 1)])
def test_blocks_are_joined_in_their_order_or_not_at_all(order):
    blocks = [
        partial_record(
            LimitPoints,
            repetition=repetitions,
            error_bound=np.tile(repetitions[:, None], 3),
            log_alpha=LOG_ALPHA,
        )
        for repetitions in (np.arange(3), np.arange(3, 5))
    ]
    chosen = [blocks[place] for place in order]
    if order in ((0, 1), (0,)):
        found = joined(chosen, "results/rates/cell/reps5/instances.parquet")
        count = sum(block.repetition.size for block in chosen)
        assert found.error_bound[:, 2].tolist() == list(range(count))
        assert found.log_alpha.tolist() == LOG_ALPHA.tolist()
    else:
        with pytest.raises(Failure, match="cell/reps5/instances: its blocks are not repetitions 0"):
            joined(chosen, "results/rates/cell/reps5/instances.parquet")


# --- Other stages ---


def minimizers_of(problem, minimizer, interpolator):
    """The record of stage l1 of one instance."""
    return Minimizers.of(Problems.of([0], [problem]), [minimizer], [interpolator])


def test_stage_l1_keeps_distances_in_their_norm():
    """A = [1, 1/2], y = 1, x_0 = (0, 2): g* = (1, 0) and z = (4, 2) / 5."""
    matrix, data = np.array([[1.0, 0.5]]), np.array([1.0])
    found = minimizers_of(
        Problem(matrix, np.array([0.0, 2.0]), data),
        decide_minimizer(matrix, data),
        least_norm_interpolator(matrix, data),
    )
    found = {name: values[0] for name, values in found.arrays().items()}
    assert found["point"].tolist() == [1.0, 0.0] and found["status"] == CERTIFIED
    assert found["estimation_error"] == pytest.approx(np.sqrt(5))
    np.testing.assert_allclose(found["interpolator"], [0.8, 0.4])
    assert found["interpolator_estimation_error"] == pytest.approx(np.hypot(0.8, 1.6))
    assert (found["margin"], found["support_size"], found["kappa"]) == (0.5, 1, 1.0)
    assert found["direction"].tolist() == [1.0, 0.5] and found["margins"].tolist() == [0.0, 0.5]


def test_stage_l1_keeps_what_is_missed_on_rows_held_out():
    """Of g* = (1, 0) and z = (4, 2) / 5, at A' = (0, 3) and (1, 0), y' = (0, 2)."""
    matrix, data = np.array([[1.0, 0.5]]), np.array([1.0])
    apart = Rows(np.array([[0.0, 3.0], [1.0, 0.0]]), np.array([0.0, 2.0]))
    found = minimizers_of(
        Problem(matrix, np.full(2, np.nan), data, held_out=apart),
        decide_minimizer(matrix, data),
        least_norm_interpolator(matrix, data),
    )
    assert found.held_out_error == pytest.approx(0.5)
    assert found.interpolator_held_out_error == pytest.approx(np.hypot(1.2, 1.2) / 2)


@pytest.mark.parametrize("unit", [1.0, 2.0**-40, 2.0**40])
def test_the_residual_of_stage_l1_is_relative_to_the_data(unit):
    matrix, data = unit * np.array([[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]]), unit * np.array([3.0, 4.0])
    found = undecided(matrix, data, np.array([3.0, 0.0, 3.0]), "too hard")
    assert found.residual == pytest.approx(1 / 5)


def test_constants_keep_both_bounds():
    problem = random_problem(
        ensemble="gaussian",
        N=12,
        d=16,
        s=4,
        eta=0.0,
        repetition=0,
        seed=1,
        signal={"law": "constant"},
    )
    settings = problem.matrix, problem.signal, 0.75
    rho, bracket = constants_of(*settings, 1)
    assert rho.lower == rho.upper == 0.25
    _, exact = constants_of(*settings, 4)
    assert exact.lower == exact.upper
    assert bracket.lower <= exact.upper * (1 + 1e-9)
    assert exact.upper * 1.005 < bracket.upper
    assert bracket.method == "local search, restricted bound"


def test_stage_bounds_asks_for_the_bound_of_rho_tilde_that_is_valid(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["bounds", "--output", "out.parquet", "--ensemble", "mine", "--depth", "3"]
    ones = np.ones(2)
    index = {"repetition": np.arange(2)}
    l1 = {"status": [NOT_UNIQUE, CERTIFIED], "point": np.ones((2, 2)), "nu": np.ones((2, 1))}
    tilde = {"rho_tilde_lower": 0.3 * ones, "rho_tilde_upper": [0.5, 0.7]}
    limit = {
        "log_alpha": LOG_ALPHA,
        "entry_bound": [[1.0] * 3, [2.0] * 3],
        "error": np.zeros((2, 3, 2)),
    }
    for name, record in {
        "problems": filled_record(Problems, matrix=np.ones((2, 1, 2)), **index),
        "l1": filled_record(Minimizers, **l1, **index),
        "null-space": filled_record(NullSpaceConstants, **tilde, **index),
        "limit": filled_record(LimitPoints, **limit, **index),
    }.items():
        record.save(f"{name}.npz")
        words += [f"--{name}", f"{name}.npz"]
    asked = []

    def noted(*arguments):
        *_, rho_tilde, entry_bound = arguments
        asked.append((rho_tilde, entry_bound.tolist(), arguments[3]))
        columns = dict.fromkeys(bands.COLUMNS, np.zeros(3))
        return columns | {"log10_alpha": LOG_ALPHA / np.log(10.0)}

    monkeypatch.setattr(bounds_program, "bands", noted)
    monkeypatch.setattr("sys.argv", words)
    bounds_program.main()
    assert asked == [(0.7, [2.0] * 3, 3.0)]
    table = read_table("out.parquet")
    assert table["repetition"].tolist() == [0] * 3 + [1] * 3
    assert table["status"].tolist() == [NOT_UNIQUE] * 3 + [CERTIFIED] * 3
    assert table["log10_error_1"].isna().tolist() == [True] * 3 + [False] * 3


def test_every_bound_is_in_its_column(monkeypatch):
    """n = (-0.05, 0.1) off g* = (1, 0) at alpha = 0.01, and bounds 10^1, ..., 10^12 of it."""
    found = {
        name: Band(*(np.log([10.0 ** (3 * place + k)]) for k in (1, 2, 3)))
        for place, name in enumerate(("total", "off", "total_refined", "off_refined"))
    }
    found = SimpleNamespace(rho_alpha=np.array([0.125]), **found)
    monkeypatch.setattr(bands, "error_bounds", lambda *_: found)
    dual = Certificate(np.array([1.0]), np.array([1.0, 0.5]), np.array([0.0, 0.5]))
    columns = bands.bands(
        *(np.array([[1.0, 0.5]]), np.array([1.0, 0.0]), dual, 3.0),
        *(np.log([0.01]), np.log([0.1]), np.array([[-0.5, 1.0]]), 0.75, np.zeros(1)),
    )
    one, off = np.log10(0.15), -1.0
    expected = {"log10_alpha": -2, "rho_alpha": 0.125}
    expected |= {"log10_error_1": one, "log10_error_off": off}
    for place, name in enumerate(("error_1", "error_off", "refined_1", "refined_off")):
        for end, k in (("upper", 1), ("lower", 2), ("lower_prior", 3)):
            expected[f"log10_{name}_{end}"] = 3 * place + k
    for norm, error, plain, refined in (("1", one, 0, 6), ("off", off, 3, 9)):
        expected[f"log10_upper_over_error_{norm}"] = plain + 1 - error
        expected[f"log10_error_over_lower_{norm}"] = error - plain - 2
        expected[f"log10_refined_upper_over_error_{norm}"] = refined + 1 - error
        expected[f"log10_error_over_refined_lower_{norm}"] = error - refined - 2
    assert {name: values.item() for name, values in columns.items()} == pytest.approx(expected)


@pytest.mark.parametrize(("depth", "exponent", "size"), [(2.0, 0.5, 1.0), (3.0, 1.0, 8 - 1.5**-3)])
def test_stage_asymptotics_tells_the_entries_off_the_support(
    tmp_path, monkeypatch, depth, exponent, size
):
    """rho = 1/2 and g* = e_1: n = t (-3/2, 1, 1, 1) with t = alpha^(1/2), or phi_3(1/2) alpha."""
    monkeypatch.chdir(tmp_path)
    problem = one_dimensional_kernel(m=3, rho=0.5)
    found = decide_minimizer(problem.matrix, problem.data)
    Problems.of([0], [problem]).save("problems.npz")
    minimizers_of(problem, found, problem.signal).save("l1.npz")
    words = f"asymptotics --problems problems.npz --l1 l1.npz --output a.npz --depth {depth}"
    monkeypatch.setattr("sys.argv", words.split())
    asymptotics.main()
    result = FirstOrders.load("a.npz")
    assert (result.status[0], result.exponent[0]) == ("known", pytest.approx(exponent))
    assert result.log_constant[0] == pytest.approx(np.log(4.5 * size))
    np.testing.assert_allclose(result.entry_exponent[0], [np.nan, *[exponent] * 3])
    np.testing.assert_allclose(result.entry_log_size[0], [np.nan, *[np.log(size)] * 3], atol=1e-12)


@pytest.mark.parametrize(
    ("rho", "weight", "status"),
    [(0.0, 1.0, NO_ERROR), (0.5, 1.0, "known"), (0.5, 2.0, "not known but from ones")],
)
def test_stage_asymptotics_says_why_a_leading_term_is_not_known(
    tmp_path, monkeypatch, rho, weight, status
):
    """Weights of 2 at D = 2 have another constant than ones, with the same minimizer."""
    monkeypatch.chdir(tmp_path)
    problem = one_dimensional_kernel(m=3, rho=rho)
    found = decide_minimizer(problem.matrix, problem.data)
    Problems.of([0], [problem]).save("problems.npz")
    shape = np.full(4, weight)
    l1 = minimizers_of(problem, found, problem.signal)
    l1.started_from(shape, shape, initialize(2, shape, shape)).save("l1.npz")
    words = "asymptotics --problems problems.npz --l1 l1.npz --output a.npz --depth 2"
    monkeypatch.setattr("sys.argv", words.split())
    asymptotics.main()
    result = FirstOrders.load("a.npz")
    assert result.status[0] == status
    assert np.isfinite(result.exponent[0]) == (status == "known")


def test_stage_selection_keeps_what_belongs_to_x(tmp_path):
    """x_1 + x_2 = 1 from shapes 1 and 4 at D = 2: the entries are as 1 to 4^2."""
    shapes = tmp_path / "shapes.csv"
    shapes.write_text("u\n1\n4\n", encoding="utf-8")
    problem = Problem(np.array([[1.0, 1.0]]), np.array([1.0, 0.0]), np.array([1.0]))
    block = Problems.of([0], [problem])
    interpolators = np.array([[0.5, 0.5]])
    l1 = partial_record(Minimizers, point=np.array([[1.0, 0.0]]), interpolator=interpolators)
    args = SimpleNamespace(shape="file", path=str(shapes), depth=2.0, solver="HIGHS")
    record = selection_program.selected(block, l1, 0, args)
    row = {name: values[0] for name, values in record.arrays().items()}
    assert row["status"] == SELECTED
    np.testing.assert_allclose(row["point"], [1 / 17, 16 / 17])
    assert row["kappa"] == pytest.approx(16)
    assert row["estimation_error"] == pytest.approx(16 / 17 * np.sqrt(2))
    assert row["interpolator_estimation_error"] == pytest.approx(np.sqrt(0.5))
    assert row["shape_u"].tolist() == row["shape_v"].tolist() == [1.0, 4.0]
    assert row["scale"].tolist() == [1.0, 16.0] and row["unit"].tolist() == [1.0, 1.0]


@pytest.mark.long
@pytest.mark.parametrize("nonunique", ["carry", "select", "fail"])
def test_stage_selection_does_with_several_minimizers_as_it_is_told(
    nonunique, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes.csv").write_text("u\n1\n2\n1\n", encoding="utf-8")
    matrix, one = np.array([[1.0, 1.0, 0.5]]), np.array([1.0])
    problems = write_problems(tmp_path, matrix, np.array([1.0, 0.0, 0.0]), one, "results/p.npz")
    words = ("--problems", problems, "--solver", "HIGHS")
    ended = script("stages/l1", *words, "--output", "results/l1.npz", "--nonunique", "carry")
    assert ended.returncode == 0, ended.stderr
    words += ("--l1", "results/l1.npz", "--output", "results/selected.npz", "--depth", 2)
    words += ("--shape", "file", "--path=shapes.csv", "--nonunique", nonunique)
    ended = script("stages/selection", *words)
    if nonunique == "fail":
        assert ended.returncode == 1 and "set l1.nonunique to select" in ended.stderr
        return
    assert ended.returncode == 0, ended.stderr
    (status,) = Minimizers.load("results/selected.npz").status
    assert status == (NOT_UNIQUE if nonunique == "carry" else SELECTED)


def test_stage_selection_takes_kappa_of_x(tmp_path):
    """At D = 3 entry i costs 1/w_i: the solution (3, 1, 0) is (3, 1/4, 0) in the units w."""
    shapes = tmp_path / "shapes.csv"
    shapes.write_text("u\n1\n4\n1\n", encoding="utf-8")
    matrix, data = np.array([[1.0, 0.0, 0.125], [0.0, 1.0, 0.125]]), np.array([3.0, 1.0])
    block = Problems.of([0], [Problem(matrix, np.array([3.0, 1.0, 0.0]), data)])
    point = np.array([[3.0, 1.0, 0.0]])
    l1 = partial_record(Minimizers, point=point, interpolator=np.zeros((1, 3)))
    args = SimpleNamespace(shape="file", path=str(shapes), depth=3.0, solver="HIGHS")
    record = selection_program.selected(block, l1, 0, args)
    row = {name: values[0] for name, values in record.arrays().items()}
    assert row["unit"].tolist() == [1.0, 4.0, 1.0]
    np.testing.assert_allclose(row["point"], [3.0, 1.0, 0.0], rtol=1e-12)
    assert row["kappa"] == pytest.approx(3.0)


def test_stage_selection_draws_shapes_of_their_own_for_every_repetition():
    """For all depths the same ones; what is drawn decides every number of such an experiment."""
    law = {"shape": "uniform", "low": 0.5, "high": 2.0, "sigma": None, "seed": 7, "balanced": True}
    expected = {0: [1.708463, 1.813255, 1.796207], 1: [1.646083, 0.871238, 1.225581]}
    for depth in (2.0, 3.0):
        for index, weights in expected.items():
            args = SimpleNamespace(depth=depth, **law)
            shape_u, shape_v = selection_program.shapes(np.int64(index), 3, args)
            np.testing.assert_allclose(shape_u, weights, rtol=0, atol=1e-6)
            assert shape_u.tolist() == shape_v.tolist()


def test_stage_lasso_path_compares_the_average(monkeypatch):
    """A = [1, 1/2], y = 1 at mu = 1/2: x(mu) = (1/2, 0), 3/8 in its objective; the average 1/2."""
    averaged = SimpleNamespace(average=np.array([[1.0, 0.0]]), point=np.array([[2.0, 0.0]]))
    monkeypatch.setattr(lasso, "averaged_flow", lambda *_: averaged)
    args = SimpleNamespace(depth=2.0, alpha=1e-3, rtol=1e-6)
    matrix, target = np.array([[1.0, 0.5]]), np.array([1.0])
    table = lasso_path_program.comparison(4, matrix, target, np.array([0.5]), args)
    rows = table.set_index(["quantity", "coordinate"])
    assert set(rows["repetition"]) == {4}
    assert set(rows["mu"].dropna()) == {0.5}
    assert rows["value"].to_dict() == pytest.approx(
        {
            **{("average", 0): 1.0, ("average", 1): 0.0, ("point", 0): 2.0, ("point", 1): 0.0},
            **{("lasso", 0): 0.5, ("lasso", 1): 0.0, ("distance", -1): 0.5},
            **{("gap", -1): 1 / 3, ("largest_distance", -1): 0.5, ("monotone", -1): 1.0},
        }
    )


def test_stage_limit_keeps_the_distance_to_the_signal():
    """n = 10^-2 (3, 4) from g* - x_0 = (1, -1)."""
    path = LimitPath(
        log_alpha=np.zeros(1),
        log_unit=np.log([1e-2]),
        error=np.array([[3.0, 4.0]]),
        newton_steps=np.array([3]),
        **dict.fromkeys(
            ("relative_residual", "fixed_point_residual", "error_bound", "entry_bound"), np.ones(1)
        ),
        proved=np.array([True]),
    )
    problem = Problem(np.zeros((1, 2)), np.array([0.0, 1.0]), np.zeros(1))
    l1 = partial_record(Minimizers, point=np.array([[1.0, 0.0]]))
    record = LimitPoints.of(Problems.of([0], [problem]), l1, np.zeros(1), [path])
    found = {name: values[0] for name, values in record.arrays().items()}
    assert np.exp(found["log_error_1"]) == pytest.approx(0.07)
    assert np.exp(found["log_error_2"]) == pytest.approx(0.05)
    assert np.exp(found["log_error_inf"]) == pytest.approx(0.04)
    assert found["estimation_error"] == pytest.approx(np.hypot(1.03, -0.96))
    assert record.held_out_error is None
    # x = (1.03, 0.04) at A' = (2, 1), y' = 1
    apart = Rows(np.array([[2.0, 1.0], [0.0, 5.0]]), np.array([1.0, 0.0]))
    record = LimitPoints.of(
        Problems.of([0], [replace(problem, held_out=apart)]), l1, np.zeros(1), [path]
    )
    assert record.held_out_error == pytest.approx(np.hypot(1.1, 0.2))


@pytest.mark.parametrize("depth", [2, 3])
def test_stage_limit_measures_from_the_signal(tmp_path, monkeypatch, depth):
    """x_1 + x_2 / 2 = 1 at alpha = 1: g* is (1, 0), x_0 is (1/2, 1), and x is neither."""
    monkeypatch.chdir(tmp_path)
    matrix, signal = np.array([[1.0, 0.5]]), np.array([0.5, 1.0])
    problem = Problem(matrix, signal, np.array([1.0]))
    minimizer = decide_minimizer(matrix, problem.data)
    interpolator = np.zeros(2)  # no matter here
    Problems.of([0], [problem]).save("problems.npz")
    minimizers_of(problem, minimizer, interpolator).save("l1.npz")
    words = "limit --problems problems.npz --l1 l1.npz --output limit.npz --tolerance 1e-9"
    words += f" --log10-alpha 0 --depth {depth}"
    monkeypatch.setattr("sys.argv", words.split())
    limit_program.main()

    def point(dual):
        z = dual * matrix[0]
        return 2 * np.sinh(z) if depth == 2 else (1 - z) ** -3 - (1 + z) ** -3

    dual = brentq(lambda dual: (matrix @ point(dual))[0] - 1, 0.0, 0.9, xtol=1e-15)
    expected = np.linalg.norm(point(dual) - signal)
    assert read_arrays("limit.npz")["estimation_error"] == pytest.approx(expected, rel=1e-12)


def test_what_is_shown_of_a_flow():
    minimizer = np.array([2.0, 0.0, -5.0, 0.0])
    point = np.array([[0.0, 0, 0, 0], [1, 0.25, -4, 0.5]])
    loss = np.array([2.0, 0.125])
    flow = Trajectory(np.array([1.0, 10.0]), point, point - minimizer, loss, 7, 1e-9)
    found = shown(flow, minimizer, 3)
    assert {name: values[-1] for name, values in found.items()} == {
        ("loss", -1): 0.125,
        ("error_1", -1): 1 + 0.25 + 1 + 0.5,
        ("norm_1", -1): 5.75,
        # the two largest of g*, and of what is off its support the largest at the end
        ("x_on", 2): -4.0,
        ("x_on", 0): 1.0,
        ("x_off", 3): 0.5,
    }


def test_stage_orders_keeps_what_it_names():
    args = SimpleNamespace(label="law", N=5, d=20, s=2)
    minimizer = SimpleNamespace(status=CERTIFIED)
    found = Recovery(0.6, False, minimizer, None)
    row = orders_program.record(
        args, 4, found, Bracket(0.1, 0.2, "a"), Bracket(0.3, 0.4, "b"), Bracket(0.7, 0.9, "c")
    )
    expected = {
        **{"delta": 0.25, "sparsity": 0.4, "repetition": 4, "rho_planted": 0.6, "recovered": False},
        **{"rho_lower": 0.1, "rho_upper": 0.2, "rho_tilde_lower": 0.3, "rho_tilde_upper": 0.4},
        "rho_tilde_method": "b",
    }
    assert {name: row[name] for name in expected} == expected
    assert (row["order_lower"], row["order_upper"]) == (0.7, 0.9)


def test_the_scale_that_was_asked_for_is_taken():
    block = partial_record(
        LimitPoints,
        log_alpha=LOG_ALPHA,
        log_unit=np.log([[1.0, 2, 3]]),
        error=np.array([[[1.0, 0], [0, 1], [1, 1]]]),
    )
    place = block.place_of(-1.0, "results/x/y.npz")
    np.testing.assert_allclose(block.errors_at(place), [[0, 2]])
    with pytest.raises(Failure, match=r"^x/y: log10\(alpha\) = -0\.7 is not on the path"):
        block.place_of(-0.7, "results/x/y.npz")


def bounds_proved(monkeypatch, records, *log10_alpha):
    """What stage bound_certificates writes of some records, in this folder."""
    words = ["bound_certificates", "--ensemble", "mine", "--depth", "2", "--path-name", "near"]
    words += ["--log10-alpha", *log10_alpha, "--radius", "1e-12", "--output", "out.parquet"]
    for name, record in records.items():
        record.save(f"{name}.npz")
        words += [f"--{name}", f"{name}.npz"]
    monkeypatch.setattr("sys.argv", words)
    bound_certificates.main()
    return read_table("out.parquet")


def test_stage_bound_certificates_proves_the_bounds_of_the_certified(tmp_path, monkeypatch):
    """A = (1, 1/2), y = 1: ``n_2 = alpha phi(z_2)``, ``z_2 = z_1 / 2``, and one column is off S.

    So lower bounds are attained.  Of the other repetition nothing is asked.
    """
    monkeypatch.chdir(tmp_path)
    index, log_alpha = {"repetition": np.array([3, 4])}, np.log(10.0) * np.array([-1.0, -2.0])
    error = []
    for alpha in np.exp(log_alpha):
        n = brentq(
            lambda n, alpha=alpha: (
                2 * np.arcsinh(n / alpha / 2) - np.arcsinh((1 - n / 2) / alpha / 2)
            ),
            *(0.0, 1.0),
            xtol=1e-16,
        )
        error.append([-n / 2, n])
    direction = [[1.0, 0.5]] * 2
    records = {
        "problems": filled_record(
            Problems, matrix=[[[1.0, 0.5]]] * 2, data=[[1.0]] * 2, signal=[[1.0, 0.0]] * 2, **index
        ),
        "l1": filled_record(
            Minimizers,
            status=[CERTIFIED, NOT_UNIQUE],
            point=[[1.0, 0.0]] * 2,
            nu=[[1.0]] * 2,
            direction=direction,
            margins=1.0 - np.array(direction),
            **index,
        ),
        "null-space": filled_record(
            NullSpaceConstants, rho_tilde_lower=[0.5] * 2, rho_tilde_upper=[0.5] * 2, **index
        ),
        "limit": filled_record(
            LimitPoints,
            log_alpha=log_alpha,
            log_unit=np.zeros((2, 2)),
            error=[error] * 2,
            **index,
        ),
    }
    table = bounds_proved(monkeypatch, records, "-2", "-1")
    schema = (ROOT / "workflow/schemas/certificates.schema.yaml").read_text(encoding="utf-8")
    for row in table.to_dict("records"):
        jsonschema.validate(row, yaml.safe_load(schema))
    other = table[table["repetition"] == 4]
    assert other["status"].tolist() == [f"not proved: {NOT_UNIQUE}"]
    assert other["quantity"].tolist() == ["margin"]
    table = table[table["repetition"] == 3]
    assert (table["status"] == "proved").all() and (table["path"] == "near").all()
    assert table["log10_alpha"].dropna().unique().tolist() == [-1.0, -2.0]
    for log10_alpha, (_, n) in zip((-1.0, -2.0), error, strict=True):
        found = table[table["log10_alpha"] == log10_alpha].set_index("quantity")["upper"]
        found = found.astype(float)
        assert found["error_off"] == pytest.approx(n)
        assert found["error_1"] == pytest.approx(1.5 * n)
        z = np.arcsinh(1 / 2 / 10**log10_alpha) / 2
        upper = 2 * 10**log10_alpha * np.sinh(z)
        assert found["error_over_upper_off"] == pytest.approx(n / upper)
        assert found["error_over_classical_upper_1"] == pytest.approx(n / upper)
        for name in ("lower_over_error_off", "refined_lower_over_error_1"):
            assert found[name] == pytest.approx(1.0)


def test_stage_bound_certificates_takes_of_each_instance_what_is_its_own(tmp_path, monkeypatch):
    """Supports of two and three of seven rows: patterns, dual vectors, errors in their units.

    Quotients are those of the bounds in doubles.
    """
    monkeypatch.chdir(tmp_path)
    log_alpha, instances = np.log(10.0) * np.array([0.0, -2.0, -4.0]), []
    for seed, sparsity in ((7, 3), (8, 2)):
        matrix, point = sparse_data(seed, (7, 12), sparsity)
        matrix = np.rint(matrix * 2.0**20) / 2.0**20
        point = np.rint(point * 2.0**10) / 2.0**10  # so A g* is exact
        instances.append(Problem(matrix, point, matrix @ point))
    block = Problems.of([0, 1], instances)
    decided = [decide_minimizer(one.matrix, one.data) for one in instances]
    l1 = Minimizers.of(block, decided, [one.signal for one in instances])
    assert [one.support.size for one in decided] == [3, 2]
    brackets = [
        constants_of(one.matrix, found.point, found.margin, 10)
        for one, found in zip(instances, decided, strict=True)
    ]
    null_space = NullSpaceConstants.of(block, [one.support for one in decided], brackets)
    potential = HyperbolicPotential()
    paths = [
        limit_path(one.matrix, found.point, found.certificate, potential, log_alpha)
        for one, found in zip(instances, decided, strict=True)
    ]
    limit = LimitPoints.of(block, l1, log_alpha, paths)
    assert np.ptp(limit.log_unit) > 1.0
    records = {"problems": block, "l1": l1, "null-space": null_space, "limit": limit}
    table = bounds_proved(monkeypatch, records, "-4", "-2", "0")
    assert (table["status"] == PROVED).all()
    for place, (one, g) in enumerate(zip(instances, decided, strict=True)):
        geometry = support_geometry(one.matrix, g.support)
        found = error_bounds(
            *(one.matrix, geometry, g.point, g.certificate, potential, log_alpha),
            *(paths[place].vectors, null_space.rho_tilde_upper[place]),
        )
        mine = table[table["repetition"] == place]
        for quantity, norm, side in (
            ("error_over_refined_upper_off", "off", "upper"),
            ("error_over_refined_upper_1", "total", "upper"),
            ("refined_lower_over_error_off", "off", "lower"),
            ("refined_lower_over_error_1", "total", "lower"),
        ):
            quotients = mine[mine["quantity"] == quantity].set_index("log10_alpha")["lower"]
            errors = mine[mine["quantity"] == ("error_off" if norm == "off" else "error_1")]
            errors = errors.set_index("log10_alpha")["lower"].astype(float)
            sign = 1.0 if side == "lower" else -1.0
            bound = getattr(getattr(found, f"{norm}_refined"), f"log_{side}")
            logs = sign * (bound - np.log(errors[[0.0, -2.0, -4.0]].to_numpy()))
            wanted = np.where(np.isfinite(logs), np.exp(logs), 0.0)
            np.testing.assert_allclose(
                quotients[[0.0, -2.0, -4.0]].to_numpy(float), wanted, rtol=1e-8, err_msg=quantity
            )


def test_stage_flow_integrates_one_repetition_of_a_block(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matrix, repetition = np.arange(1.0, 7.0).reshape(3, 1, 2), [5, 6, 7]
    filled_record(Problems, repetition=repetition, matrix=matrix, signal=np.zeros((3, 2))).save(
        "problems.npz"
    )
    status = [CERTIFIED, CERTIFIED, NOT_UNIQUE]
    filled_record(
        Minimizers, repetition=repetition, status=status, point=np.arange(6.0).reshape(3, 2)
    ).save("l1.npz")
    asked = []

    def flow(matrix, minimizer, *_):
        asked.append((matrix.tolist(), minimizer.tolist()))
        ends = np.ones((2, 2))
        return Trajectory(np.array([1.0, 10.0]), ends + minimizer, ends, np.ones(2), 7, 1e-9)

    monkeypatch.setattr(flow_program, "gradient_flow", flow)
    words = ["flow", "--problems", "problems.npz", "--l1", "l1.npz", "--form", "dual"]
    words += ["--ensemble", "mine", "--depth", "2", "--alpha", "0.1", "--rtol", "1e-8"]
    words += ["--distance", "1e-9", "--states-per-decade", "4", "--coordinates", "2"]
    for options, wanted in ((["--only", "6"], [6]), (["--only", "7"], [7]), ([], repetition)):
        asked.clear()
        monkeypatch.setattr("sys.argv", [*words, *options, "--endpoints", "ends.npz"])
        flow_program.main()
        ends = Endpoints.load("ends.npz")
        assert ends.repetition.tolist() == wanted
        assert ends.steps.tolist() == [0 if k == 7 else 7 for k in wanted]
        assert asked == [
            ([[2.0 * k - 9, 2.0 * k - 8]], [2.0 * k - 10, 2.0 * k - 9]) for k in wanted if k != 7
        ]


def test_stage_agreement_measures_in_the_one_norm(tmp_path, monkeypatch):
    """Ends that miss by (1, 2) 1e-9 and (3, 4) 1e-9 where ||n||_1 is 2 and 4.

    They are of the last two repetitions of three.
    """
    monkeypatch.chdir(tmp_path)
    miss = 1e-9 * np.array([[1.0, 2.0], [3.0, -4.0]])
    error = np.array([[9.0, 9.0], [1.0, -1.0], [1.0, 3.0]])
    words = ["agreement", "--ensemble", "mine", "--depth", "4", "--form", "dual", "--alpha", "0.1"]
    records = {
        "l1": filled_record(
            Minimizers,
            repetition=[0, 1, 2],
            point=[[5.0, 0.0]] * 3,
            status=[NOT_UNIQUE, CERTIFIED, CERTIFIED],
        ),
        "limit": filled_record(
            LimitPoints,
            repetition=[0, 1, 2],
            log_alpha=LOG_ALPHA,
            log_unit=np.zeros((3, 3)),
            error=np.stack([9 * error, error, error / 9], axis=1),
            # of the norm; those of entries say less
            error_bound=np.full((3, 3), 1e-8),
            entry_bound=np.zeros((3, 3)),
        ),
        "flow": filled_record(
            Endpoints,
            repetition=[1, 2],
            outcome=[CONVERGED] * 2,
            error=error[1:] + miss,
            claimed=[1e-12, 1e-12],
            steps=[40, 41],
            escaped=[3.0, 4.0],
            settled=[5.0, 6.0],
        ),
    }
    for name, record in records.items():
        record.save(f"{name}.npz")
        words += [f"--{name}", f"{name}.npz"]
    monkeypatch.setattr("sys.argv", [*words, "--output", "out.parquet"])
    agreement.main()
    table = read_table("out.parquet")
    np.testing.assert_allclose(table["disagreement"], [3e-9 / 2, 7e-9 / 4], rtol=1e-5)
    assert table["limit_error_1"].tolist() == [2.0, 4.0]
    np.testing.assert_allclose(table["error_1"], [2.0 - 1e-9, 4.0 - 1e-9], rtol=1e-15)
    assert table["steps"].tolist() == [40, 41] and table["repetition"].tolist() == [1, 2]
    assert table["status"].tolist() == [CERTIFIED] * 2
    assert table["escaped"].tolist() == [3.0, 4.0] and table["settled"].tolist() == [5.0, 6.0]
    # c_4(0.1) = 8 sqrt(0.1)
    rate = 8.0 * 0.1**0.5
    np.testing.assert_allclose(table["escape_scale"], 1.0 / rate)
    np.testing.assert_allclose(table["slow_scale"], [0.5 / rate, 0.25 / rate])


# --- Flows without an end, stages flow, agreement and trajectory_certificates ---

# x(alpha) = g* = (1/2, 1/2); an end apart from g*; no minimizer; times beyond double precision
FLOWS = {
    "matrix": np.array([[[1.0, 1.0]], [[1.0, 0.5]], [[1.0, 0.5]], [[1.0, 0.5]]]),
    "point": np.array([[0.5, 0.5], [1.0, 0.0], [1.0, 0.0], [1e60, 0.0]]),
    "status": [SELECTED, CERTIFIED, NOT_UNIQUE, CERTIFIED],
}
NOT_REACHED = f"{NOT_FOLLOWED}: gradient flow at alpha = 0.01 cannot be followed"
OF_FLOWS = {"problems": "p.npz", "l1": "l1.npz", "alpha": 0.01, "rtol": 1e-8}
FLOW_OPTIONS = OF_FLOWS | {"form": "dual", "distance": 1e-9, "states-per-decade": 2}
FLOW_OPTIONS |= {"coordinates": 2, "trajectories": "t.parquet"}
COMPARED = {"l1": "l1.npz", "limit": "limit.npz", "flow": "e.npz", "form": "dual", "alpha": 0.01}


def run_program(program, monkeypatch, options):
    words = [program.__name__, "--ensemble", "mine", "--depth", "3"]
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *map(str, values)]
    monkeypatch.setattr("sys.argv", words)
    program.main()


@pytest.fixture
def flows(tmp_path, monkeypatch):
    """The files of stages problems, l1, limit and flow of those instances; the ends."""
    monkeypatch.chdir(tmp_path)
    point, repetition = FLOWS["point"], np.arange(4)
    data = np.einsum("rnd,rd->rn", FLOWS["matrix"], point)
    problems = {"matrix": FLOWS["matrix"], "data": data, "signal": point, "preimage": point}
    problems |= {"product": [True] * 4, "noiseless_support": [1] * 4}
    filled_record(Problems, repetition=repetition, **problems).save("p.npz")
    minimizers = {"point": point, "status": FLOWS["status"], "nu": np.ones((4, 1))}
    filled_record(Minimizers, repetition=repetition, **minimizers).save("l1.npz")
    run_program(flow_program, monkeypatch, FLOW_OPTIONS | {"endpoints": "e.npz"})
    ends = Endpoints.load("e.npz")
    error = np.where(np.isnan(ends.error), 1.0, ends.error)
    error[0] = 0.0
    limits = {"log_alpha": np.log([0.01]), "log_unit": np.zeros((4, 1)), "error": error[:, None]}
    filled_record(LimitPoints, repetition=repetition, **limits).save("limit.npz")
    return ends


def test_stage_flow_says_of_each_flow_how_it_ended(flows):
    assert flows.outcome[:3].tolist() == [AT_MINIMIZER, CONVERGED, NOT_RUN]
    assert flows.outcome[3].startswith(NOT_REACHED)
    for numbers in (flows.claimed, flows.settled):
        assert np.isfinite(numbers).tolist() == [False, True, False, False]
    assert (flows.steps > 0).tolist() == [True, True, False, False]
    assert np.isnan(flows.error[2:]).all() and np.abs(flows.error[0]).sum() <= 1e-17
    assert set(read_table("t.parquet")["repetition"]) == {0, 1}


def test_stage_flow_stops_at_a_mistake(flows, monkeypatch):
    def fail(*_):
        raise RuntimeError("a mistake of the program")

    monkeypatch.setattr(flow_program, "gradient_flow", fail)
    with pytest.raises(Failure, match="repetition 0: a mistake of the program"):
        run_program(flow_program, monkeypatch, FLOW_OPTIONS | {"endpoints": "e2.npz"})


def test_stage_agreement_names_flows_without_an_end(flows, monkeypatch):
    run_program(agreement, monkeypatch, COMPARED | {"output": "a.parquet"})
    table = read_table("a.parquet")
    assert table["outcome"].tolist() == flows.outcome.tolist()
    assert table["status"].tolist() == FLOWS["status"]
    assert table["disagreement"].isna().tolist() == [True, False, True, True]


def test_stage_agreement_fails_where_an_end_at_the_minimizer_is_not_the_limit(flows, monkeypatch):
    limits = LimitPoints.load("limit.npz")
    error = limits.error + 1e-9 * (np.arange(4) == 0)[:, None, None]
    replace(limits, error=error).save("limit.npz")
    with pytest.raises(Failure, match=r"0\.01, repetition 0 \(at the minimizer\): its end"):
        run_program(agreement, monkeypatch, COMPARED | {"output": "a.parquet"})


def test_stage_trajectory_certificates_says_which_flows_have_no_end(flows, monkeypatch):
    files = {"endpoints": "e.npz", "trajectories": "t.parquet", "output": "c.parquet"}
    run_program(trajectories_program, monkeypatch, OF_FLOWS | files | {"radius": 1e-12})
    table = read_table("c.parquet").set_index("repetition")
    assert set(table.index) == {0, 1, 3}
    assert set(table.loc[1, "status"]) == {"proved"}
    assert table.loc[3, "status"].startswith(f"not proved: the flow has no end, {NOT_REACHED}")
    assert table.loc[3, "quantity"] == "disagreement"
