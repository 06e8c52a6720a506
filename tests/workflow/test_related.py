"""Quantities and figures for the experiments of related work."""

import itertools

import jsonschema
import mpmath
import numpy as np
import pandas as pd
import pytest
import yaml

from drawing import called
from figures.frames import where
from figures.kinds.reach import largest_scale, reached
from figures.words import EMPTY
from implicit_l1.network.excess import log_excess_l1, log_excess_l2
from implicit_l1.network.limit import limit_path
from implicit_l1.network.rates import leading_rho
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import least_norm_interpolator
from implicit_l1.status import CERTIFIED, SELECTED, UNDECIDED
from pipeline.command_line import Failure
from pipeline.tidy import read_table
from planning import configuration, reading
from planning.plan import Plan
from reference import instance
from workflow_runs import ROOT, script

# --- configurations ---


@pytest.mark.parametrize("name", ["wind", "woodworth", "berthier"])
def test_configurations_of_related_work(name):
    """They are valid, their data are there, and they draw the figures that are new."""
    path = ROOT / f"config/related/{name}.yaml"
    made = Plan(configuration.validate(reading.load(path)))
    assert made.results == f"results/related-{name}"
    new = {"wind": {"norms"}, "woodworth": {"norms", "reach"}, "berthier": {"lasso_path"}}
    assert new[name] <= set(made.figure_of.values())
    for problem in made.problems.values():
        if problem.ensemble == "file":
            assert all((ROOT / file).is_file() for _, file in problem.parameters)


# --- excess norms ---


def measured(case, path):
    """g* and the errors of one instance, as arrays of one repetition."""
    return case.minimizer.point[None], path.error[None], path.log_unit[None]


def excess_l1(case, path):
    """log_excess_l1 of one instance, from ones."""
    dual, ones = case.minimizer.certificate, np.ones((1, case.minimizer.point.size))
    norm = (dual.direction[None], dual.margin[None], ones, 0 * ones)
    return log_excess_l1(*measured(case, path), *norm)


def path_of(case, depth, scales):
    dual = case.minimizer.certificate
    log_alpha = np.log(10.0) * np.array(scales)
    return limit_path(case.matrix, case.minimizer.point, dual, potential(depth), log_alpha)


def exact_excess_l1(case, path, place):
    """log(sum |g + n| - |g|) - log ||g||_1, with as many digits as it takes."""
    with mpmath.workdps(60):
        unit = mpmath.exp(mpmath.mpf(path.log_unit[place]))
        point = [mpmath.mpf(value) for value in case.minimizer.point]
        error = [unit * mpmath.mpf(value) for value in path.error[place]]
        # the exponent may be any: only the sum needs digits
        digits = int(abs(path.log_unit[place]) / np.log(10)) + 60
        with mpmath.workdps(digits):
            terms = [abs(g + n) - abs(g) for g, n in zip(point, error, strict=True)]
            excess = mpmath.fsum(terms) / mpmath.fsum(map(abs, point))
            return float(mpmath.log(excess))


@pytest.mark.parametrize("eta", [0.0, 0.1])
@pytest.mark.parametrize("depth", [2, 2.5, 3, 5])
def test_excess_l1_however_small(depth, eta):
    case = instance(10, 20, 2, eta)
    scales = [2, 1, 0, -1, -2, -4, -8, -16, -40, -120]
    path = path_of(case, depth, scales)
    found = excess_l1(case, path)
    assert found.shape == (1, len(scales))
    exact = [exact_excess_l1(case, path, place) for place in range(len(scales))]
    # a margin 1 - rho of 0.003 would cost two digits if the terms were left to cancel
    assert np.abs(found[0] - exact).max() < 1e-11
    assert np.all(np.diff(found[0]) < 0)


def test_excess_l1_where_signs_change():
    """At large alpha entries of x differ in sign from those of g*: the second sum counts."""
    case = instance(10, 20, 2, 0.1)
    path = path_of(case, 2, [3, 2])
    x = case.minimizer.point + np.exp(path.log_unit)[:, None] * path.error
    assert np.any(x * case.minimizer.point < 0)
    found = excess_l1(case, path)[0]
    direct = np.abs(x).sum(axis=1) / np.abs(case.minimizer.point).sum() - 1
    assert np.allclose(np.exp(found), direct, rtol=1e-12)


def test_excess_l1_below_the_smallest_double():
    case = instance(10, 20, 2, 0.0)
    path = path_of(case, 2, [-2, -1000, -100_000])
    found = excess_l1(case, path)[0]
    # like the error itself, in logarithms
    assert np.all(np.isfinite(found))
    assert np.ptp((found - path.log_norm(1))[1:]) < 1e-6


@pytest.mark.parametrize("depth", [2, 3])
def test_excess_l2_to_the_rounding_of_x(depth):
    case = instance(10, 20, 2, 0.1)
    scales = [2, 1, 0.5, 0, -1, -4, -12]
    path = path_of(case, depth, scales)
    interpolator = least_norm_interpolator(case.matrix, case.data)
    found = log_excess_l2(*measured(case, path), interpolator[None])[0]
    with mpmath.workdps(50):
        A, y = mpmath.matrix(case.matrix.tolist()), mpmath.matrix(case.data.tolist())
        z = A.T * mpmath.lu_solve(A * A.T, y)
        for place, scale in enumerate(scales):
            unit = mpmath.exp(mpmath.mpf(path.log_unit[place]))
            x = [
                mpmath.mpf(g) + unit * mpmath.mpf(n)
                for g, n in zip(case.minimizer.point, path.error[place], strict=True)
            ]
            # the kernel's part of x - z, so that the rounding of A x = y does not matter
            k = mpmath.matrix([a - b for a, b in zip(x, z, strict=True)])
            k -= A.T * mpmath.lu_solve(A * A.T, A * k)
            exact = mpmath.sqrt(1 + mpmath.norm(k) ** 2 / mpmath.norm(z) ** 2) - 1
            tolerance = 1e-13 / float(mpmath.sqrt(exact))
            assert np.exp(found[place]) == pytest.approx(float(exact), rel=tolerance), scale
    assert np.all(np.diff(found) > 0)  # the smaller alpha, the farther from z


def test_equal_norms_have_no_logarithm():
    """On a face of minimizers the l1 norm does not change; nothing warns."""
    point, error = np.array([[1.0, 0.0]]), np.array([[[-1.0, 1.0]]])
    direction, margins = np.ones((1, 2)), np.zeros((1, 2))
    norm = (direction, margins, np.ones((1, 2)), np.zeros((1, 2)))
    assert log_excess_l1(point, error, np.log([[0.25]]), *norm) == [[-np.inf]]


def test_excess_of_the_norm_that_an_initialization_leads_to():
    """In coordinates x~ = x / unit with a tilt; the l1 norm again where these are trivial."""
    rng = np.random.default_rng(0)
    point = np.array([[1.5, -0.5, 0.0, 0.0]])
    unit, tilt = rng.uniform(0.5, 2.0, (1, 4)), rng.uniform(-0.3, 0.3, (1, 4))
    direction = np.array([[1.0, -1.0, 0.25, -0.875]])
    # in the kernel: orthogonal to direction - tilt in the coordinates x~, tall enough to flip
    n = rng.standard_normal(4)
    dual = (direction - tilt)[0]
    n -= (n @ dual) / (dual @ dual) * dual
    n *= 3.0 / np.abs(n).max()
    norm = (direction, 1 - np.abs(direction), unit, tilt)
    value, before = (np.abs(x).sum() - (tilt * x).sum() for x in (point + n, point))
    found = log_excess_l1(point * unit, (n * unit)[:, None], np.zeros((1, 1)), *norm)
    assert np.exp(found.item()) == pytest.approx(value / before - 1, rel=1e-12)


def test_rho_of_minimizers_that_are_selected():
    ones, zeros = np.ones((4, 3)), np.zeros((4, 3))
    certified = np.array([True, True, False, False])
    rho, margin = np.array([0.61, 0.72, 1.0, np.nan]), np.array([0.4, 0.3, 0.2, np.nan])
    sizes = np.array([2, 2, 2, 2])
    expected = [0.61, 0.72, 0.8, np.nan]
    found = leading_rho(certified, rho, margin, sizes, ones, zeros)
    assert np.allclose(found, expected, equal_nan=True)
    expected[1] = 0.7
    found = leading_rho(certified, rho, margin, sizes, ones * [[1], [2], [1], [1]], zeros)
    assert np.allclose(found, expected, equal_nan=True)
    # nothing off the support: the rate is 2
    sizes[2] = 3
    assert leading_rho(certified, rho, margin, sizes, ones, zeros)[2] == -1


CELL = {
    **{"ensemble": "gaussian", "N": 10.0, "d": 20.0, "s": 2.0, "eta": 0.1},
    **{"m": None, "family_rho": None, "depth": 3.0},
}


def program(folder, name, *arguments):
    script(f"stages/{name}", *arguments, folder=folder).check_returncode()


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """The tables of stage rates of a noisy cell of three repetitions, and of stage lasso_path."""
    folder = tmp_path_factory.mktemp("related")
    names = ("problems", "l1", "null_space", "limit", "asymptotics")
    paths = {name: f"results/{name}/mine/reps0-2.npz" for name in names}
    problems, l1 = ("--problems", paths["problems"]), ("--l1", paths["l1"])
    for name, arguments in {
        "problems": (
            *("--repetitions", 0, 2, "gaussian", "--N", 10, "--d", 20, "--s", 2, "--eta", 0.1),
            *("--seed", 1, "--law", "constant"),
        ),
        "l1": (*problems, "--solver", "HIGHS", "--nonunique", "fail"),
        "null_space": (*problems, *l1, "--exact-up-to", 3),
        "limit": (
            *(*problems, *l1, "--depth", 3, "--tolerance", 1e-9),
            *("--log10-alpha", *np.arange(-6, 1.5)),
        ),
        "asymptotics": (*problems, *l1, "--depth", 3),
    }.items():
        program(folder, name, "--output", paths[name], *arguments)
    cell = [
        f"--{name.replace('_', '-')}={value}" for name, value in CELL.items() if value is not None
    ]
    outputs = {
        name: folder / f"results/{name}.parquet" for name in ("instances", "points", "curves")
    }
    program(
        *(folder, "rates", *l1, "--null-space", paths["null_space"]),
        *("--limit", paths["limit"], "--asymptotics", paths["asymptotics"]),
        *(*cell, "--path-name", "p", "--onset-tolerance", 0.05),
        *("--bootstrap", 100, "--confidence", 0.9, "--seed", 1),
        *(part for name, path in outputs.items() for part in (f"--{name}", path)),
    )
    outputs["lasso_path"] = folder / "results/lasso.parquet"
    program(
        *(folder, "lasso_path", *problems, "--output", outputs["lasso_path"], *cell),
        *("--alpha", 1e-4, "--rtol", 1e-9, "--decades", 1, "--per-decade", 5),
    )
    return {name: read_table(path) for name, path in outputs.items()}


def test_excess_norms_are_curves(tables):
    curves = tables["curves"].set_index("quantity")
    for name in ("excess_l1", "excess_l2"):
        rows = curves.loc[name].sort_values("log10_alpha")
        assert len(rows) == 8 and rows["count"].eq(3).all()
        assert np.all(rows["lower_quartile"] <= rows["median"])
        assert np.all(rows["median"] <= rows["upper_quartile"])
        assert np.all(np.diff(rows["median"]) * (1 if name == "excess_l1" else -1) > 0)


def test_points_have_the_estimation_error(tables):
    points, curves = tables["points"], tables["curves"]
    medians = points.groupby("log10_alpha")["estimation_error"].median()
    expected = curves[curves["quantity"] == "estimation_error"].sort_values("log10_alpha")
    assert np.allclose(medians, expected["median"])


def test_the_table_of_lasso_paths(tables):
    table = tables["lasso_path"]
    schema = yaml.safe_load((ROOT / "workflow/schemas/lasso_path.schema.yaml").read_text())
    assert set(table.columns) == set(schema["required"]) == set(schema["properties"])
    for row in table.iloc[::17].to_dict("records"):
        jsonschema.validate(row, schema)
    described = schema["properties"]["quantity"]["description"]
    assert all(f"{name} (" in described for name in table["quantity"].unique())
    for _, rows in table.groupby("repetition"):
        by = dict(list(rows.groupby("quantity")))
        assert {name: len(part) for name, part in by.items()} == {
            **{"average": 140, "lasso": 140, "point": 140},
            **{"distance": 7, "gap": 7, "largest_distance": 1, "monotone": 1},
        }
        assert by["largest_distance"]["value"].item() == by["distance"]["value"].max()
        gaps = by["average"]["value"].to_numpy() - by["lasso"]["value"].to_numpy()
        distance = pd.Series(np.abs(gaps)).groupby(by["lasso"]["mu"].to_numpy()).sum()
        assert np.allclose(distance.sort_index(ascending=False), by["distance"]["value"])


# --- reach ---


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("place", [-5.9, -3.25, -1.0, -0.01])
def test_reach_of_a_power_law_is_exact(rate, place):
    log10_alpha = np.linspace(-6, 0, 25)
    error = 0.025 * 10.0 ** (rate * (log10_alpha - place))
    found = largest_scale(log10_alpha, error, 0.025)
    assert found == pytest.approx(place, abs=1e-12)
    shuffled = np.random.default_rng(0).permutation(25)
    assert largest_scale(log10_alpha[shuffled], error[shuffled], 0.025) == found


def test_reach_beyond_the_path():
    scales = np.linspace(-6, 0, 25)
    assert largest_scale(scales, np.full(25, 0.03), 0.025) == -np.inf
    assert largest_scale(scales, np.full(25, 0.02), 0.025) == np.inf


def test_reach_is_the_largest_scale_of_all():
    """Of an error that falls below the target twice the upper time counts."""
    scales = np.arange(-4.0, 1.0)
    assert largest_scale(scales, np.array([1.0, 9.0, 9.0, 1.0, 100.0]), 10.0) == -0.5
    assert largest_scale(scales, np.array([0.0, 0.0, 9.0, 9.0, 9.0]), 1.0) == -3.0


def points_of(places, N=50.0, depth=3.0, eta=0.1, status=CERTIFIED):
    """The table points of instances whose population error is 0.025 at given log10 alpha."""
    scales = np.linspace(-6, 0, 13)
    frames = [
        pd.DataFrame(
            {
                **CELL,
                **{"N": N, "depth": depth, "eta": eta, "status": status, "repetition": repetition},
                "log10_alpha": scales,
                "estimation_error": np.sqrt(0.025 * 10.0 ** (scales - place)),
                "local_slope": 1.0,
            }
        )
        for repetition, place in enumerate(places)
    ]
    return pd.concat(frames, ignore_index=True)


def test_statistics_of_reach():
    """Medians and quartiles stay where they are when instances beyond the path move farther."""
    for far in (7.0, 70.0):
        table = points_of([-4.0, -3.0, -2.0, -far, far])
        row = reached(table, 0.025).iloc[0]
        assert row[["lower_quartile", "median", "upper_quartile"]].tolist() == pytest.approx(
            [-4, -3, -2]
        )
        assert (row["count"], row["inside"]) == (5, 3)
    row = reached(points_of([-9.0, -9.0, -9.0, -2.0]), 0.025).iloc[0]
    assert row["median"] == row["lower_quartile"] == -np.inf and row["inside"] == 1
    row = reached(points_of([9.0, 9.0]), 0.025).iloc[0]
    assert row["median"] == np.inf and row["inside"] == 0


# --- figures ---


def curves_of(eta, depth):
    alpha = 10.0 ** np.arange(-6, 2.1, 0.5)
    shape = alpha / (alpha + 10.0 ** (-4 + depth / 2))
    quantities = {
        "estimation_error": 0.1 + 0.8 * shape,
        "excess_l1": 2 * shape,
        "excess_l2": 2 * (1 - shape) ** 3 * np.exp(-2 * alpha),
        "l1_estimation_error": np.full(alpha.size, eta),
        "interpolator_estimation_error": np.full(alpha.size, 0.95),
    }
    frames = [
        pd.DataFrame(
            {
                **CELL,
                **{"eta": eta, "depth": depth, "quantity": quantity, "alpha": alpha},
                "log10_alpha": np.log10(alpha),
                **{"lower_quartile": 0.9 * value, "median": value, "upper_quartile": 1.1 * value},
            }
        )
        for quantity, value in quantities.items()
    ]
    return pd.concat(frames, ignore_index=True)


def instances_of(eta, depth):
    rows = {"eta": eta, "depth": depth, "repetition": range(3), "fitted_rate": 1.0}
    return pd.DataFrame(
        {**CELL, **rows, "predicted_rate": 0.5, "status": [CERTIFIED, CERTIFIED, UNDECIDED]}
    )


@pytest.mark.parametrize("levels", [[0.1], [0.0, 0.1]])
def test_figure_of_norms(draw, levels):
    cells = list(itertools.product(levels, [2.0, 3.0, 8.0]))
    frames = [make(*cell) for cell in cells for make in (curves_of, instances_of)]
    figure, frame = draw("norms", *frames)
    assert len(figure.axes) == 2 * len(levels)
    top = where(frame, eta=levels[0], depth=2, quantity="squared_estimation_error")["median"]
    expected = curves_of(levels[0], 2.0).query("quantity == 'estimation_error'")["median"]
    assert np.allclose(top, expected**2)
    for D in (2, 3, 8):
        (line,) = called(figure, figure.axes[0], f"$D={D}$")
        assert np.allclose(
            line[1],
            where(frame, eta=levels[0], depth=D, quantity="squared_estimation_error")["median"],
        )
        (dotted,) = called(figure, figure.axes[len(levels)], f"$D={D}$", r"excess $\ell^2$ norm")
        assert np.allclose(
            dotted[1], where(frame, eta=levels[0], depth=D, quantity="excess_l2")["median"]
        )
    assert figure.axes[0].get_title(loc="left").endswith("(2 of 3 certified)")


def test_figure_of_norms_without_a_signal(draw):
    curves = curves_of(0.1, 2.0)
    unknown = curves["quantity"].str.endswith("estimation_error")
    curves.loc[unknown, ["lower_quartile", "median", "upper_quartile"]] = np.nan
    figure, frame = draw("norms", curves, instances_of(0.1, 2.0))
    assert figure.axes[0].texts[0].get_text() == "$x_0$ is not known"
    assert set(frame["quantity"]) == {"excess_l1", "excess_l2"}


def test_selected_minimizers_count(draw):
    instances = instances_of(0.1, 2.0).assign(status=[SELECTED, SELECTED, CERTIFIED])
    figure, _ = draw("norms", curves_of(0.1, 2.0), instances)
    title = figure.axes[0].get_title(loc="left").replace("\n", " ")
    assert title == r"$\eta=0.1$ (1 of 3 certified, 2 selected in floating point)"
    _, frame = draw("reach", points_of([-3.0], status=SELECTED), reach=0.025)
    assert frame["median"].tolist() == pytest.approx([-3.0])


def test_figure_of_norms_without_certified_instances(draw):
    empty = curves_of(0.1, 2.0).drop(columns=["lower_quartile", "median", "upper_quartile"])
    _, frame = draw("norms", empty, instances_of(0.1, 2.0).assign(status=UNDECIDED))
    assert frame["nothing"].tolist() == [EMPTY]


def test_figure_of_reach(draw):
    frames = []
    for N, depth in itertools.product([20.0, 40.0, 60.0, 80.0], [2.0, 3.0, 5.0, 8.0]):
        place = -9.5 + 1.5 * N / 20 + depth / 2
        frames.append(points_of([place, place - 0.5, place + 0.5, place - 3], N, depth))
    frames.append(points_of([-3.0], 100.0, 2.0, status=UNDECIDED))
    frames.append(points_of([-3.0], np.nan, 2.0))
    figure, frame = draw("reach", *frames, reach=0.025)
    assert figure.axes[0].get_title(loc="left").endswith("(16 of 17 certified)")
    counts = [text.get_text() for text in figure.axes[0].texts if "/" in text.get_text()]
    assert "0/4" in counts and "3/4" in counts and "4/4" not in counts
    arrows = {text.xy[1] for text in figure.axes[0].texts if text.arrow_patch is not None}
    # the ends of the path, where medians are beyond it
    assert {10.0 ** round(np.log10(end), 9) for end in arrows} == {1e-6, 1.0}
    place = -9.5 + 1.5 * 40 / 20 + 1.5 - 0.25  # between those of four instances
    assert where(frame, N=40, depth=3)["median"].item() == pytest.approx(place, abs=1e-4)


def test_figure_of_reach_at_two_noise_levels_and_one_size(draw):
    frames = [
        points_of([-3.0, -2.0], depth=depth, eta=eta) for depth in (2.0, 3.0) for eta in (0.0, 0.1)
    ]
    figure, _ = draw("reach", *frames, reach=0.025)
    assert len(figure.axes) == 2


def test_figure_of_reach_says_what_it_lacks(draw):
    with pytest.raises(Failure, match="needs --reach"):
        draw("reach", points_of([-3.0]))
    figure, frame = draw("reach", points_of([-3.0], status=UNDECIDED), reach=0.025)
    assert frame["nothing"].tolist() == [EMPTY]
    assert figure.axes[0].texts[0].get_text() == EMPTY


def lasso_table(ensemble, alpha, monotone):
    mu = 10.0 ** np.linspace(0.2, -3, 60)
    ends = np.array([1.0, 0.99, -0.5, 0.0])  # two names that would stand on one another
    lasso = ends * np.maximum(0.0, 1 - mu)[:, None]
    error = (1 / np.log(1 / alpha)) * np.exp(-((np.log10(mu) + 1) ** 2))[:, None] * [1, 0, 1, 0]
    parts = [
        *(("average", i, mu, column) for i, column in enumerate((lasso + error).T)),
        *(("lasso", i, mu, column) for i, column in enumerate(lasso.T)),
        ("distance", -1, mu, error.sum(axis=1)),
        ("gap", -1, mu, (error**2).sum(axis=1) - 1e-17),
        ("largest_distance", -1, mu[[30]], error.sum(axis=1)[[30]]),
        ("monotone", -1, [np.nan], [monotone]),
    ]
    frames = [
        pd.DataFrame({"quantity": name, "coordinate": place, "mu": at, "value": value})
        for name, place, at, value in parts
    ]
    table = pd.concat(frames, ignore_index=True)
    none = dict.fromkeys(("N", "d", "s", "eta"))
    return pd.DataFrame(
        {**CELL, **none, "ensemble": ensemble, "alpha": alpha, "repetition": 0}, table.index
    ).join(table)


@pytest.mark.parametrize("problems", [1, 2])
def test_figure_of_lasso_paths(draw, problems):
    frames = [
        lasso_table(f"problem_{place}.csv", alpha, float(place == 0))
        for place in range(problems)
        for alpha in (1e-40, 1e-20, 1e-10, 1e-5)
    ]
    figure, frame = draw("lasso_path", *frames)
    assert len(figure.axes) == 3 * problems
    titles = [ax.get_title(loc="left") for ax in figure.axes[:problems]]
    assert titles[-1].endswith("not monotone") == (problems == 2)
    assert titles[0].startswith("problem_0.csv") == (problems == 2)
    assert figure.axes[-1].xaxis_inverted()
    expected = [f.query("quantity == 'largest_distance'")["value"].item() for f in frames[:2]]
    first = {} if problems == 1 else {"ensemble": "problem_0.csv"}
    for alpha, value in zip((1e-40, 1e-20), expected, strict=True):
        (row,) = where(frame, **first, alpha=alpha, quantity="largest_distance").to_dict("records")
        assert row["value"] == value
