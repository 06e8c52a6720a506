"""Every kind of figure, of every kind of problem: drawn, with words that are true.

The tables are made here, in the columns of workflow/schemas, of errors C alpha^rate.
"""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml

from drawing import entries_of, titles_of, words_of
from figures import draw as figures
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, SELECTED, UNDECIDED, UNIQUE_IN_FLOATS
from pipeline.tidy import with_cell
from pipeline.words import in_numbers, readable, told_apart
from planning.configuration import AGAINST_ALPHA, ConfigurationError, validate
from workflow_runs import ROOT

NONE = dict.fromkeys(("N", "d", "s", "eta", "m", "family_rho"))
LOG10_ALPHA = np.arange(-12.0, 0.1, 0.5)
UNDECIDED_WHY = f"{UNDECIDED}: the exact pivots took longer than 10 s"


def cell(ensemble="gaussian", depth=2, **axes):
    return {**NONE, "ensemble": ensemble, "depth": depth, **axes}


def random(eta=(0.0, 0.1), s=(2,), depth=(2,), ensemble=("gaussian",)):
    axes = itertools.product(ensemble, s, eta, depth)
    return [cell(law, D, N=5, d=10, s=k, eta=level) for law, k, level, D in axes]


def family(m=(3,), rho=(0.0, 0.5), depth=(2, 3)):
    axes = itertools.product(m, rho, depth)
    return [cell("one_dimensional_kernel", D, m=k, family_rho=r) for k, r, D in axes]


def files(*names, depth=(2,)):
    return [cell(name, D) for name, D in itertools.product(names, depth)]


SAME_NAME = ("first/wind_unique.csv", "second/wind_unique.csv")
PROBLEMS = {
    "random": random(),
    "random, several laws": random(s=(1, 2), ensemble=("gaussian", "toeplitz, correlation 0.5")),
    "one value of each axis": random(eta=(0.1,)),
    "several depths": random(depth=(2, 3, 4)),
    "one depth of 3": random(depth=(3,)),
    "a depth of 2.5": random(eta=(0,), depth=(2.5,)),
    "a file": files("data/wind_unique.csv"),
    "a file, several depths": files("data/wind_unique.csv", depth=(2, 3)),
    "files of one name": files(*SAME_NAME, depth=(2, 3)),
    "files": files("a/A.mtx, a/y.csv", "b/A.mtx, b/y.csv, b/x0.csv"),
    "another initialization": [
        {**one, "initialization": "lognormal sigma 0.5"} for one in random(depth=(2, 3))
    ],
}
STATUSES = {
    "certified": [CERTIFIED] * 3,
    "some": [CERTIFIED, NOT_UNIQUE, UNDECIDED_WHY],
    "selected": [SELECTED] * 3,
    "some selected": [NOT_UNIQUE, SELECTED, CERTIFIED],
    "in floating point": [UNIQUE_IN_FLOATS] * 3,
    "none": [NOT_UNIQUE, UNDECIDED_WHY, NOT_UNIQUE],
}
SHOWN = {CERTIFIED, SELECTED, UNIQUE_IN_FLOATS}


def rate_of(values):
    return 1 - rho_of(values) if values["depth"] == 2 else 1.0


def rho_of(values):
    known = values["family_rho"]
    return known if known is not None else 0.6 if values["eta"] else 0.4


def is_zero(values, zero):
    """At rho = 0 the errors of the family are 0."""
    return zero or values["family_rho"] == 0


def of_cell(values, columns):
    return with_cell(values, pd.DataFrame(columns))


def instances(values, statuses, signal=True, zero=False):
    """The table of stage rates."""
    known = np.array([status in SHOWN for status in statuses])
    rate = np.where(known, rate_of(values), np.nan)
    fitted = np.full(len(statuses), np.nan) if is_zero(values, zero) else rate * 0.99
    floats = dict.fromkeys(
        [
            *("margin", "kappa", "duality_gap", "rho_lower", "rho_upper", "rho_tilde_lower"),
            *("rho_tilde_upper", "log10_constant", "fitted_rate_low", "fitted_rate_high"),
            *("last_slope", "four_digits_log10_alpha", "log10_competitor"),
            *("interpolator_estimation_error", "relative_residual", "error_bound"),
            "log10_correction",
        ],
        0.5,
    )
    columns = floats | {
        "product": False,
        "noiseless_support": 0,
        "path": "alpha1e-12to1by2",
        "repetitions": len(statuses),
        "repetition": np.arange(len(statuses)),
        "status": statuses,
        "support_size": 2,
        "rho_tilde_method": "enumeration",
        "predicted_rate": rate,
        "asymptotics_status": "known",
        "fitted_rate": fitted,
        "window_smallest": 1e-12,
        "window_largest": 1e-8,
        "onset_alpha": np.where(known, 1e-5, np.nan),
        "onset_log10_alpha": np.where(known, -5.0, np.nan),
        "smallest_log10_alpha": -12.0,
        "l1_estimation_error": 0.0 if signal else np.nan,
        "newton_steps": 20,
    }
    return of_cell(values, columns)


def curves(values, statuses, signal=True, zero=False, log10_alpha=LOG10_ALPHA):
    """The table of stage rates; its statistics are absent where there is nothing to measure."""
    alpha, error = 10.0**log10_alpha, 10.0 ** (rate_of(values) * log10_alpha)
    error = np.zeros_like(error) if is_zero(values, zero) else error
    quantities = {
        "error_1": error,
        "error_2": error,
        "error_inf": error,
        "excess_l1": error,
        "excess_l2": np.exp(-3 * alpha),
        "slope": np.full(alpha.size - 1, rate_of(values) if error.any() else np.nan),
        "estimation_error": 0.1 + error if signal else np.full(alpha.size, np.nan),
        "l1_estimation_error": np.full(alpha.size, 0.1 if signal else np.nan),
        "interpolator_estimation_error": np.full(alpha.size, 0.9 if signal else np.nan),
    }
    if error.any():
        quantities["error_over_prediction"] = 1 + alpha**0.5
    frames = []
    for quantity, value in quantities.items():
        columns = {
            "path": "alpha1e-12to1by2",
            "quantity": quantity,
            "alpha": alpha[: value.size],
            "log10_alpha": log10_alpha[: value.size],
            "count": sum(status in SHOWN for status in statuses),
        }
        if columns["count"]:
            spread = {"lower_quartile": 0.9, "median": 1, "upper_quartile": 1.1}
            spread |= {"low": 0.95, "high": 1.05}
            columns |= {name: factor * value for name, factor in spread.items()}
        frames.append(of_cell(values, columns))
    return pd.concat(frames, ignore_index=True)


def far_curves(values, statuses, signal=True, zero=False):
    return curves(values, statuses, signal, zero, -np.geomspace(300, 1, 20))


def points(values, statuses, signal=True, zero=False):
    """The table of stage rates, a row an instance and scale."""
    error = -np.inf if is_zero(values, zero) else rate_of(values) * LOG10_ALPHA
    frames = [
        of_cell(
            values,
            {
                "path": "alpha1e-12to1by2",
                "repetitions": len(statuses),
                "repetition": repetition,
                "status": status,
                "log10_alpha": LOG10_ALPHA,
                "log10_error_1": error if status in SHOWN else np.nan,
                "estimation_error": np.sqrt(10**LOG10_ALPHA) if signal else np.nan,
                "local_slope": rate_of(values),
                "log10_prediction": error if status == CERTIFIED else np.nan,
                "rate": rate_of(values),
                "newton_steps": 4,
                "relative_residual": 1e-15,
                "error_bound": 1e-13,
            },
        )
        for repetition, status in enumerate(statuses)
    ]
    return pd.concat(frames, ignore_index=True)


def bounds(values, statuses, signal=True, zero=False, log10_alpha=LOG10_ALPHA):
    """The table of stage bounds; nothing is known without a proof."""
    names = list(schema("bounds")["properties"])
    names = [name for name in names if name.startswith("log10_") and name != "log10_alpha"]
    if values["depth"] != 2:
        names.remove("log10_classical_upper")
    frames = []
    for repetition, status in enumerate(statuses):
        error = np.full(log10_alpha.size, -np.inf) if is_zero(values, zero) else log10_alpha
        error = error if status == CERTIFIED else np.full(log10_alpha.size, np.nan)
        columns = {
            name: error + (1 if "upper" in name else -1 if "lower" in name else 0) for name in names
        }
        known = np.where(np.isnan(error), np.nan, 0.5)
        columns |= {name: known for name in names if "_over_" in name}
        head = {"repetition": repetition, "status": status, "log10_alpha": log10_alpha}
        frames.append(of_cell(values, {**head, "rho_alpha": 0.5, **columns}))
    return pd.concat(frames, ignore_index=True)


def far_bounds(values, statuses, signal=True, zero=False):
    return bounds(values, statuses, signal, zero, -np.geomspace(300, 1, 20))


def trajectories(values, statuses, signal=True, zero=False):
    """The table of stage flow: of what an error is measured from, one a scale."""
    time = np.geomspace(1e-3, 1e6, 40)
    shown = [(place, status) for place, status in enumerate(statuses) if status in SHOWN]
    series = [("loss", -1), ("error_1", -1), ("norm_1", -1), ("x_on", 0), ("x_off", 1)]
    frames = [
        of_cell(
            {**values, "alpha": alpha},
            {
                "repetition": repetition,
                "quantity": quantity,
                "coordinate": place,
                "time": time,
                "value": np.exp(-time) + alpha,
                "status": status,
            },
        )
        for alpha in (1e-4, 1e-2)
        for repetition, status in shown
        for quantity, place in series
    ]
    if not frames:
        names = ("repetition", "quantity", "coordinate", "time", "value", "status")
        return of_cell({**values, "alpha": 1e-2}, {name: [] for name in names})
    return pd.concat(frames, ignore_index=True)


def descent(values, statuses, signal=True, zero=False):
    """The table of stage descent; only of what is proved anything is run."""
    frames = []
    for (repetition, status), alpha in itertools.product(enumerate(statuses), (1e-4, 1e-2)):
        run = status == CERTIFIED
        columns = {"repetition": repetition, "status": status, "fraction": [0.5, 0.05]}
        names = ("step", "loss", "relative_loss", "distance", "step_distance", "error_1")
        columns |= dict.fromkeys(names, 0.1 if run else np.nan)
        columns |= {"outcome": "converged" if run else "not run", "iterations": 10 * run}
        columns |= {"relative_distance": [0.3, 0.2] if run else np.nan}
        columns |= {"relative_step_distance": [0.2, 0.1] if run else np.nan}
        frames.append(of_cell({**values, "alpha": alpha}, columns))
    return pd.concat(frames, ignore_index=True)


def phase(values, statuses, signal=True, zero=False):
    """The table of stage phase."""
    proved = np.array([status == CERTIFIED for status in statuses])
    columns = {
        **{name: values[name] for name in ("ensemble", "N", "d", "s")},
        **{"delta": values["N"] / values["d"], "sparsity": values["s"] / values["N"]},
        "repetition": np.arange(len(statuses)),
        "status": statuses,
        "recovered": proved,
        "rho_planted": np.where(proved, 0.5, np.inf),
        **dict.fromkeys(("rho_lower", "rho_upper"), np.where(proved, 0.5, np.nan)),
        **dict.fromkeys(("rho_tilde_lower", "rho_tilde_upper"), np.where(proved, 0.8, np.nan)),
        "rho_tilde_method": "enumeration",
        **dict.fromkeys(("order_lower", "order_upper"), 0.9 if signal else np.nan),
    }
    return pd.DataFrame(columns)


def lasso_paths(values, statuses, signal=True, zero=False):
    """The table of stage lasso_path, which needs no minimizer."""
    mu = 10.0 ** np.linspace(0.2, -3, 30)
    error = np.exp(-((np.log10(mu) + 1) ** 2))
    series = [("average", 0, mu, 1 - mu + error), ("average", 1, mu, error)]
    series += [("lasso", 0, mu, 1 - mu), ("lasso", 1, mu, 0 * mu)]
    series += [("distance", -1, mu, error), ("gap", -1, mu, error**2)]
    series += [("largest_distance", -1, mu[[15]], error[[15]]), ("monotone", -1, [np.nan], [1.0])]
    return pd.concat(
        [
            of_cell(
                {**values, "alpha": alpha},
                {
                    "repetition": 0,
                    "quantity": name,
                    "coordinate": place,
                    "mu": at,
                    "value": value,
                },
            )
            for alpha in (1e-20, 1e-5)
            for name, place, at, value in series
        ],
        ignore_index=True,
    )


# kind of figure -> the tables that it reads
READ = {
    **dict.fromkeys(AGAINST_ALPHA, (curves, instances)),
    "tight": (curves, instances),
    "far": (far_curves, instances),
    "bounds": (bounds,),
    "tightness": (far_bounds,),
    "flow": (trajectories,),
    "descent": (descent,),
    "phase": (phase,),
    "lasso_path": (lasso_paths,),
    "reach": (points,),
}
SCHEMAS = {"far_curves": "curves", "far_bounds": "bounds", "lasso_paths": "lasso_path"}
PLAIN_ONLY = ("tight", "far", "bounds", "tightness", "phase", "descent", "lasso_path")


def schema(name):
    path = ROOT / f"workflow/schemas/{name}.schema.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def allowed(kind, problems):
    """Whether the configuration allows a kind of figure for a kind of problem."""
    if "file" in problems and kind in ("phase", "reach"):
        return False
    if problems == "another initialization" and kind in PLAIN_ONLY:
        return False
    if kind == "descent" and problems == "a depth of 2.5":
        return False
    return kind not in ("tight", "tightness")


# the same problems in a configuration
ASKED = {
    "random": {"ensemble": "gaussian", "N": 5, "d": 10, "s": 2, "eta": 0, "repetitions": 3},
    "family": {"ensemble": "one_dimensional_kernel", "m": 3, "rho": 0.5},
    "a file": {"ensemble": {"name": "file", "path": "data/wind_unique.csv"}},
}
ASKED["a depth of 2.5"] = ASKED["random"] | {"depth": 2.5}
ASKED["another initialization"] = ASKED["random"] | {
    "initialization": {"law": "lognormal", "sigma": 0.5}
}


def asked(kind, problems):
    """An experiment with this kind of figure."""
    options = {
        **{key: {"alpha": {"decades": 100, "per_tenfold": 2}} for key in ("far", "tightness")},
        **{key: {"alpha": [0.0001, 0.01]} for key in ("flow", "lasso_path")},
        "descent": {"alpha": [1e-4], "fractions": [0.5], "iterations": 10},
        "phase": {"sparsity": 0.4},
    }
    path = {"alpha": {"smallest": 1e-6, "largest": 1.0, "per_decade": 2}}
    options = options.get(kind, path) | ({"reach": 0.1} if kind == "reach" else {})
    experiment = {"figure": kind, "depth": 2, **options, **ASKED[problems]}
    if kind == "phase":
        return {key: experiment[key] for key in experiment if key not in ("s", "eta", "depth")}
    return experiment


@pytest.mark.parametrize("problems", ASKED)
@pytest.mark.parametrize("kind", figures.FIGURES)
def test_what_is_drawn_here_is_what_the_configuration_allows(kind, problems):
    config = {"experiments": {"one": asked(kind, problems)}}
    config["rates"] = {"window": {"smallest": 1e-4, "largest": 1.0}}
    expected = allowed(kind, problems)
    if problems == "family":
        expected = kind in ("tight", "tightness")
    if expected:
        validate(config)
    else:
        with pytest.raises(ConfigurationError, match=r"^experiments\.one\."):
            validate(config)


def shown(draw, kind, cells, statuses, signal=True, zero=False, laid_out=True):
    frames = [
        make(values, statuses, signal=signal, zero=zero) for make in READ[kind] for values in cells
    ]
    return draw(kind, *frames, reach=0.025 if kind == "reach" else None, laid_out=laid_out)


@pytest.mark.parametrize("kind", figures.FIGURES)
def test_tables_made_here_have_the_columns_of_the_pipeline(kind):
    cells = family() if kind in ("tight", "tightness") else random()
    for make in READ[kind]:
        columns = set(make(cells[0], [CERTIFIED] * 2))
        name = SCHEMAS.get(make.__name__, make.__name__)
        assert columns <= set(schema(name)["properties"])
        assert set(schema(name)["required"]) <= columns


# every problem with its minimizers certified, and these with every status
WITH_EVERY_STATUS = ("random", "files of one name")
CASES = [
    (kind, problems, known)
    for kind in figures.FIGURES
    for problems in PROBLEMS
    for known in STATUSES
    if allowed(kind, problems)
    and (known == "certified" or (problems in WITH_EVERY_STATUS and kind != "lasso_path"))
]


@pytest.mark.parametrize(("kind", "problems", "known"), CASES)
def test_every_figure_of_every_problem(draw, kind, problems, known):
    cells, statuses = PROBLEMS[problems], STATUSES[known]
    laid_out = known in ("certified", "some selected")
    figure, rows = shown(draw, kind, cells, statuses, laid_out=laid_out)
    words = " ".join(words_of(figure))
    floats = {SELECTED, UNIQUE_IN_FLOATS} & set(statuses)
    if kind == "lasso_path":  # of a path that needs no minimizer
        return
    if kind == "phase":  # of signals
        assert ("no signal is recovered" in words) == (CERTIFIED not in statuses)
        return
    certified_only = kind in ("bounds", "descent")
    if not SHOWN & set(statuses) or (certified_only and CERTIFIED not in statuses):
        assert figures.EMPTY in words
        assert not [row for row in rows if row["artist"].startswith(("points", "band"))]
        return
    assert rows
    if not certified_only and kind != "flow":
        for status in floats:
            assert f"{statuses.count(status)} " in words and status in words
    if kind == "flow" and CERTIFIED not in statuses:
        assert SELECTED in words or UNIQUE_IN_FLOATS in words
    if CERTIFIED not in statuses:  # the word has one meaning
        assert "certified" not in words


@pytest.mark.parametrize("known", ["certified", "none"])
@pytest.mark.parametrize("kind", ["tight", "tightness"])
@pytest.mark.parametrize(
    "cells",
    [
        family(),
        family(m=(1, 3)),
        family(rho=(0.5,), depth=(3,)),
        family(rho=(0.0,)),
        family(depth=(2,)),
    ],
)
def test_every_figure_of_the_family(draw, kind, cells, known):
    figure, rows = shown(draw, kind, cells, STATUSES[known])
    words = " ".join(words_of(figure))
    if known == "none":
        assert figures.EMPTY in words
    elif {values["family_rho"] for values in cells} == {0.0} and kind == "tight":
        assert figures.NO_ERROR in words and figures.EMPTY not in words
    else:
        assert rows and figures.EMPTY not in words


@pytest.mark.parametrize("kind", [*AGAINST_ALPHA, "far"])
@pytest.mark.parametrize("problems", ["random", "several depths", "a file", "files of one name"])
def test_an_error_of_exactly_zero_is_said(draw, kind, problems):
    if kind in ("generalization", "norms", "reach"):
        return  # of other quantities
    cells, statuses = PROBLEMS[problems], STATUSES["certified"]
    figure, _ = shown(draw, kind, cells, statuses, zero=True, laid_out=False)
    words = " ".join(words_of(figure))
    assert figures.NO_ERROR in words or (kind == "prediction" and "without a rate" in words)
    assert figures.EMPTY not in words


@pytest.mark.parametrize("problems", [name for name in PROBLEMS if "file" in name])
@pytest.mark.parametrize("kind", ["generalization", "norms"])
def test_a_signal_that_is_not_known_is_said(draw, kind, problems):
    figure, _ = shown(
        draw, kind, PROBLEMS[problems], STATUSES["certified"], signal=False, laid_out=False
    )
    words = words_of(figure)
    assert figures.NO_SIGNAL in words and figures.EMPTY not in words
    figure, _ = shown(
        draw, kind, PROBLEMS[problems], STATUSES["none"], signal=False, laid_out=False
    )
    assert figures.EMPTY in words_of(figure)


def taken(product, support, kappa):
    """Instances of two files, of which one says how its data were taken."""
    columns = {"ensemble": ["a/one.npz", "b/two.csv"], "kappa": [kappa, 2.0], "status": CERTIFIED}
    return pd.DataFrame(columns | {"product": [product, False], "noiseless_support": [support, 0]})


@pytest.mark.parametrize("width", [figures.COLUMN, figures.PAGE])
@pytest.mark.parametrize(
    ("product", "support", "words"),
    [
        (True, 3, "one.npz: y taken as A x exactly, x with 3 nonzero entries"),
        (False, 2, "one.npz: y as stored; a solution with 2 nonzero entries explains them"),
        (False, -1, "one.npz: y as stored; whether few entries explain them"),
        (False, 0, ""),
    ],
)
def test_how_data_were_taken_is_said_below_the_axes(product, support, words, width):
    frames = {kind: pd.DataFrame() for kind in figures.KINDS}
    tables = figures.Tables(**frames | {"instances": taken(product, support, 3e16)})
    with plt.style.context(ROOT / "scripts/figures/house.mplstyle"):
        figure, axes = plt.subplots(1, 2, figsize=(width, 2.5))
        figure.supxlabel(figures.ALPHA)
        figures.settle(figure)
        before = [ax.get_position().width * figure.get_figwidth() for ax in axes]
        size = figure.get_figheight() * axes[0].get_position().height
        figures.say_data(figure, tables)
        notes = figure.texts[1:]
        said = " ".join(" ".join(note.get_text().split()) for note in notes)
        assert (words in said and "10^{16}" in said) if words else not notes
        assert "two.csv" not in said
        # the panels keep their size, and nothing lies on anything
        assert [ax.get_position().width * figure.get_figwidth() for ax in axes] == before
        assert figure.get_figheight() * axes[0].get_position().height == pytest.approx(size)
        boxes = [text.get_window_extent() for text in (*reversed(notes), figure.texts[0])]
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
        assert boxes[0].y0 >= 0
        assert all(low.y1 <= high.y0 for low, high in itertools.pairwise(boxes))
    plt.close(figure)


@pytest.mark.parametrize("kind", ["noise", "depth", "generalization", "flow", "far", "bounds"])
def test_files_are_named_as_they_are_and_told_apart(draw, kind):
    figure, _ = shown(draw, kind, PROBLEMS["a file"], STATUSES["certified"], laid_out=False)
    assert "wind_unique.csv" in " ".join(words_of(figure))
    figure, _ = shown(
        draw, kind, PROBLEMS["files of one name"], STATUSES["certified"], laid_out=False
    )
    words = " ".join(words_of(figure))
    assert all(name in words for name in SAME_NAME)


@pytest.mark.parametrize("kind", ["prediction", "norms", "lasso_path"])
def test_files_are_told_apart_in_legends_and_titles(draw, kind):
    figure, _ = shown(
        draw, kind, PROBLEMS["files of one name"], STATUSES["certified"], laid_out=False
    )
    words = [*titles_of(figure), *(words for _, words in entries_of(figure))]
    assert all(any(name in text for text in words) for name in SAME_NAME)


@pytest.mark.parametrize(
    ("depth", "slope", "rates"),
    [
        ((2,), r"slope $1-\varrho$", [r"$1-\varrho=0.600$"]),
        ((3,), "slope $1$", ["rate $1$"]),
        ((2.5, 4), "slope $1$", ["rate $1$"]),
        ((2, 3), r"slope $1-\varrho$ for $D=2$, $1$ for $D>2$", [r"$1-\varrho=0.600$", "rate $1$"]),
    ],
)
def test_rates_are_called_what_they_are(draw, depth, slope, rates):
    """1 - rho is the rate of D = 2 alone."""
    figure, _ = shown(
        draw, "noise", random(eta=(0,), depth=depth), STATUSES["certified"], laid_out=False
    )
    words = [words for _, words in entries_of(figure)]
    assert slope in words
    assert all(any(text.endswith(rate) for text in words) for rate in rates)
    told = [text for text in words if text != slope]
    assert len(told) == len(depth)
    for text in told:
        assert (r"1-\varrho" in text) == ("D=2$" in text or depth == (2,))
    figure, _ = shown(
        draw, "prediction", random(eta=(0,), depth=depth), STATUSES["certified"], laid_out=False
    )
    for D, ax in zip(depth, figure.axes, strict=True):
        assert ax.get_xlabel() == ("predicted rate " + (r"$1-\varrho$" if D == 2 else "$1$"))


def test_a_rate_above_one_is_no_one_minus_rho():
    """With nothing off the support the rate of D = 2 is 2."""
    assert figures.rate_words(2.0, 2) == "rate $2$"
    assert figures.rate_words(np.nan, 2) == figures.NOT_KNOWN


def test_statuses_that_depend_on_the_depth_count_as_the_weakest():
    frames = [
        instances(cell(depth=D, eta=0.1), statuses)
        for D, statuses in ((2, [CERTIFIED, CERTIFIED]), (3, [CERTIFIED, UNIQUE_IN_FLOATS]))
    ]
    words = figures.counted(pd.concat(frames, ignore_index=True))
    assert words == f" (1 of 2 certified, 1 {UNIQUE_IN_FLOATS})"


# Words


def test_counts():
    assert in_numbers([CERTIFIED, NOT_UNIQUE]) == "1 of 2 certified"
    assert in_numbers([NOT_UNIQUE, UNDECIDED_WHY]) == "0 of 2 certified"
    assert in_numbers([SELECTED] * 2) == "2 of 2 selected in floating point"
    assert in_numbers([SELECTED, CERTIFIED], noun="instances") == (
        "1 of 2 instances certified, 1 selected in floating point"
    )
    assert in_numbers([SELECTED, CERTIFIED], kinds=[CERTIFIED]) == "1 of 2 certified"


def test_names_in_words():
    assert readable("one_dimensional_kernel") == "one dimensional kernel"
    assert readable("a_b/wind_unique.csv, y_1.mtx") == "a_b/wind_unique.csv, y_1.mtx"
    assert readable("file my_shape.csv from_here") == "file my_shape.csv from here"


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["gaussian", "power_law"], ["gaussian", "power law"]),
        (["a/b/c_d.csv"], ["c_d.csv"]),
        (["a/b.csv", "a/c.csv"], ["b.csv", "c.csv"]),
        (["a/x/b.csv", "a/y/b.csv"], ["x/b.csv", "y/b.csv"]),
        (["x/a/b.csv", "y/a/b.csv", "b.csv"], ["x/a/b.csv", "y/a/b.csv", "b.csv"]),
        (["p/A.mtx, p/y.csv", "q/A.mtx, q/y.csv"], ["p/A.mtx, p/y.csv", "q/A.mtx, q/y.csv"]),
        (["p/A.mtx, p/y.csv", "p/A.mtx, p/z.csv"], ["A.mtx, y.csv", "A.mtx, z.csv"]),
    ],
)
def test_files_have_as_many_folders_as_tell_them_apart(labels, words):
    assert told_apart([*labels, labels[0]]) == dict(zip(labels, words, strict=True))
    assert told_apart(labels, whole=True) == {label: readable(label) for label in labels}
