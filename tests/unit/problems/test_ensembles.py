"""What every ensemble and every law must do, and what makes each what it is."""

import hashlib
import math
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from implicit_l1.problems import ensembles
from implicit_l1.problems.ensembles import (
    ENSEMBLES,
    MAGNITUDES,
    NOISES,
    Parameter,
    ProblemError,
    named,
    real,
    register,
    register_magnitudes,
    register_noise,
)
from implicit_l1.problems.problem import magnitudes, random_problem
from implicit_l1.problems.seeds import generator
from reference import UNIFORM, fractions

REPOSITORY = Path(__file__).parents[3]
REGISTRIES = {"ensembles": ENSEMBLES, "magnitudes": MAGNITUDES, "noises": NOISES}
# every entry of every registry, as it is imported
ENTRIES = [
    pytest.param(entry, id=f"{registry}-{name}")
    for registry, entries in REGISTRIES.items()
    for name, entry in entries.items()
]
# values of parameters that have no default, and others to try than the default
VALUES = {
    "low": [0.5],
    "high": [1.5],
    "exponent": [0.5, 1],
    "correlation": [0.9, -0.3],
    "density": [0.25, 1],
}
NEVER = [None, "0.5", True, math.nan, math.inf, -math.inf, 10**400, 1j, [0.5]]


def draw(ensemble, *, eta=0.0, repetition=0, **changes):
    size = {"N": 50, "d": 200, "s": 5, "seed": 1, "signal": UNIFORM} | changes
    return random_problem(ensemble=ensemble, eta=eta, repetition=repetition, **size)


def content(problem):
    return [array.tobytes() for array in (problem.matrix, problem.signal, problem.data)]


def required(entry):
    """Values of the parameters that must be given."""
    return {name: VALUES[name][0] for name, p in entry.parameters.items() if p.required}


# Contracts


def settings(entry):
    """No parameters, then one parameter after the other."""
    yield {}
    for name in entry.own:
        for value in VALUES.get(name, []):
            yield {name: value}


def keeps_the_contract_of_ensembles(name):
    for parameters in settings(ENSEMBLES[name]):
        problem = draw(name, parameters=parameters)
        matrix = problem.matrix
        assert matrix.shape == (50, 200) and matrix.dtype == float
        assert np.isfinite(matrix).all()
        assert np.linalg.matrix_rank(matrix) == 50
        assert np.array_equal(matrix * 2**36, np.rint(matrix * 2**36))
        exact = fractions(matrix) @ fractions(problem.signal)
        assert [Fraction(v) for v in problem.data.tolist()] == exact.tolist()
        # the draw is named by its parameters, not by what was drawn before
        series = [draw(name, parameters=parameters, repetition=r) for r in range(3)]
        assert content(series[0]) == content(problem)
        assert not np.array_equal(series[0].matrix, series[1].matrix)
        alone = draw(name, parameters=parameters, repetition=2)
        assert content(series[2]) == content(alone)
        squares = [(p.matrix**2).sum(axis=0) for p in series]
        assert np.mean(squares) == pytest.approx(1.0, abs=0.06)

        scaled = draw(name, parameters=parameters | {"normalized": True})
        # each entry is rounded by at most 2^-37
        norms = np.linalg.norm(scaled.matrix, axis=0)
        assert np.abs(norms - 1.0).max() <= math.sqrt(50) * 2**-37
        assert np.array_equal(scaled.signal, problem.signal)
        column_norms = np.linalg.norm(matrix, axis=0)
        assert np.allclose(scaled.matrix * column_norms, matrix, rtol=0, atol=1e-9)


def keeps_the_contract_of_parameters(entry):
    """Of any registry: defaults are allowed, and nothing else than what is allowed."""
    given = required(entry)
    for name, parameter in entry.parameters.items():
        assert parameter.allowed and (parameter.required or parameter.check(parameter.default))
        for value in NEVER:
            if value is True and isinstance(parameter.default, bool):
                continue
            assert not parameter.check(value)
            with pytest.raises(ProblemError, match=f"{name} of {entry.kind} {entry.name} must be"):
                entry.complete(given | {name: value})
    with pytest.raises(ProblemError, match=f"{entry.name} has no parameter strange"):
        entry.complete(given | {"strange": 1.0})
    for name in given:
        with pytest.raises(ProblemError, match=f"{entry.kind} {entry.name} needs {name}: a num"):
            entry.complete({other: value for other, value in given.items() if other != name})
    assert set(entry.complete(given)) == set(entry.parameters)
    assert entry.doc.endswith(".") and "\n" not in entry.doc


def keeps_the_contract_of_magnitudes(law):
    entry = MAGNITUDES[law]
    for parameters in settings(entry):
        given = required(entry) | parameters
        values = magnitudes(generator(), 30, law, **given)
        assert values.shape == (30,) and values.min() >= 2**-10
        assert np.array_equal(values * 2**10, np.rint(values * 2**10))
        assert np.array_equal(values, magnitudes(generator(), 30, law, **given))
        unit = magnitudes(generator(), 30, law, unit_norm=True, **given)
        assert np.linalg.norm(unit) == pytest.approx(1.0, abs=math.sqrt(30) * 2**-11)
        # a factor apart, they are the same
        factor = unit.max() / values.max()
        assert np.allclose(unit, values * factor, atol=2**-9)
        # in an instance they stand on a support and with signs that do not depend on the law
        problem = draw("gaussian", s=20, signal={"law": law, **given})
        other = draw("gaussian", s=20, signal=UNIFORM)
        assert np.array_equal(np.sign(problem.signal), np.sign(other.signal))
        assert np.array_equal(problem.matrix, other.matrix)
        exact = fractions(problem.matrix) @ fractions(problem.signal)
        assert [Fraction(v) for v in problem.data.tolist()] == exact.tolist()


def keeps_the_contract_of_noises(law):
    clean = draw("gaussian")
    for parameters in settings(NOISES[law]):
        noise = {"law": law, **required(NOISES[law]), **parameters}
        low, high = (draw("gaussian", eta=eta, noise=noise) for eta in (0.03, 0.4))
        for problem, eta in ((low, 0.03), (high, 0.4)):
            ratio = np.linalg.norm(problem.data - clean.data) / np.linalg.norm(clean.data)
            assert ratio == pytest.approx(eta, rel=1e-12)
            assert np.array_equal(problem.matrix, clean.matrix)
            assert np.array_equal(problem.signal, clean.signal)
        one, other = (low.data - clean.data) / 0.03, (high.data - clean.data) / 0.4
        assert np.allclose(one, other, rtol=0, atol=1e-13)
        assert content(draw("gaussian", eta=0.4, noise=noise)) == content(high)
        another = draw("gaussian", eta=0.4, noise=noise, repetition=1)
        assert not np.array_equal(another.data, high.data)


@pytest.mark.parametrize("name", ENSEMBLES)
def test_ensemble(name):
    keeps_the_contract_of_ensembles(name)


@pytest.mark.parametrize("law", MAGNITUDES)
def test_law_of_magnitudes(law):
    keeps_the_contract_of_magnitudes(law)


@pytest.mark.parametrize("law", NOISES)
def test_law_of_noise(law):
    keeps_the_contract_of_noises(law)


@pytest.mark.parametrize("entry", ENTRIES)
def test_parameters(entry):
    keeps_the_contract_of_parameters(entry)


@pytest.mark.parametrize(
    ("changes", "checksum"),
    [
        ({"ensemble": "partial_fourier"}, "22539962ce08a426"),
        ({"ensemble": "partial_dct"}, "b8b976441ffd2434"),
        ({"ensemble": "toeplitz"}, "5908d0f1376ef8ed"),
        (
            {"ensemble": "toeplitz", "parameters": {"correlation": 0.9, "normalized": True}},
            "721da4a3ae49f3fe",
        ),
        ({"ensemble": "sparse_bernoulli"}, "0ade987be0403641"),
        ({"parameters": {"normalized": True}}, "0b89c9f7a8404c73"),
        ({"signal": {"law": "gaussian", "unit_norm": True}}, "bc30b0b293c55943"),
        ({"signal": {"law": "power_law", "exponent": 0.7}}, "153dfe5f05f2a23b"),
        ({"noise": {"law": "rademacher"}}, "01503af9c2c52de7"),
        ({"noise": {"law": "uniform"}}, "ed0d08ebda0c0af6"),
    ],
)
def test_draws_stay_as_they_are(changes, checksum):
    """To the last bit, on every machine: no change of the draws goes unnoticed."""
    problem = draw(**{"ensemble": "gaussian", "eta": 0.1} | changes)
    arrays = (problem.matrix, problem.signal, problem.data)
    digest = hashlib.sha256(b"".join(array.astype("<f8").tobytes() for array in arrays))
    assert digest.hexdigest()[:16] == checksum


# New entries


@pytest.fixture
def registries():
    """The registries, put back afterwards as they were: others hold the same mappings."""
    before = {name: dict(registry) for name, registry in REGISTRIES.items()}
    yield
    for name, registry in REGISTRIES.items():
        registry.clear()
        registry.update(before[name])


def test_a_new_ensemble_is_one_function(registries):
    @register(spread=Parameter(0.5, "a number in [0, 1]", real(lambda spread: 0 <= spread <= 1)))
    def two_scales(rng, rows, columns, *, spread):
        """Independent entries of two sizes, each of random sign."""
        sizes = np.sqrt(rng.choice([1.0 - spread, 1.0 + spread], (rows, columns)))
        return sizes * rng.choice([-1.0, 1.0], (rows, columns)) / np.sqrt(rows)

    keeps_the_contract_of_ensembles("two_scales")
    keeps_the_contract_of_parameters(ENSEMBLES["two_scales"])


def test_the_ensemble_of_the_recipe_does_what_every_one_must(registries):
    page = (REPOSITORY / "config/README.md").read_text(encoding="utf-8")
    (diff,) = re.findall(r"^```diff \S+/ensembles\.py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    code = "\n".join(line[1:] for line in diff.splitlines() if line.startswith("+"))
    (name,) = re.findall(r"^def (\w+)\(", code, re.MULTILINE)
    ENSEMBLES.pop(name, None)  # of a reader who has followed the recipe
    exec(code, dict(vars(ensembles)))
    keeps_the_contract_of_ensembles(name)
    keeps_the_contract_of_parameters(ENSEMBLES[name])


def test_a_new_law_of_magnitudes_is_one_function(registries):
    @register_magnitudes(ratio=Parameter(0.5, "a number in (0, 1]", real(lambda r: 0 < r <= 1)))
    def two_values(rng, size, *, ratio):
        """1 or the ratio, at random."""
        return rng.choice([1.0, ratio], size)

    keeps_the_contract_of_magnitudes("two_values")
    keeps_the_contract_of_parameters(MAGNITUDES["two_values"])


def test_a_new_law_of_noise_is_one_function(registries):
    @register_noise("student", freedom=Parameter(3.0, "a number > 0", real(lambda f: f > 0)))
    def student_noise(rng, size, *, freedom):
        """Independent, Student's distribution."""
        return rng.standard_t(freedom, size)

    keeps_the_contract_of_noises("student")
    keeps_the_contract_of_parameters(NOISES["student"])


def test_names_are_taken_once(registries):
    with pytest.raises(ValueError, match="ensemble gaussian is registered already"):
        register()(ensembles.gaussian)
    with pytest.raises(ValueError, match="ensemble another: every ensemble has normalized"):
        register("another", normalized=ensembles.flag())(ensembles.gaussian)
    assert "another" not in ENSEMBLES


def test_a_wrong_shape_is_reported(registries):
    @register()
    def transposed(rng, rows, columns):
        """A mistake."""
        return rng.standard_normal((columns, rows))

    with pytest.raises(ProblemError, match=r"transposed drew the shape \(200, 50\), not \(50, 20"):
        draw("transposed")


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES)
def test_what_is_not_registered_is_named(registry):
    with pytest.raises(ProblemError, match=r"unknown .* 'strange' \(known: .*gaussian"):
        named(registry, "strange")


def test_conditions_of_real_numbers():
    check = real(lambda value: value < 2)
    assert check(1) and check(1.5) and check(np.float64(-3)) and check(np.int64(1))
    assert not check(2) and not check(False) and not check(np.False_)


# Parameters of ensembles and streams


def test_the_default_is_the_value_itself():
    default = ENSEMBLES["toeplitz"].own["correlation"].default
    given = draw("toeplitz", eta=0.1, parameters={"correlation": default})
    assert content(given) == content(draw("toeplitz", eta=0.1))


def test_another_parameter_gives_other_draws():
    one, other = (draw("sparse_bernoulli", parameters={"density": p}) for p in (0.25, 0.5))
    assert not np.array_equal(one.signal, other.signal)
    # the signs of A are of another stream as well
    both = (one.matrix != 0) & (other.matrix != 0)
    agree = np.mean(np.sign(one.matrix[both]) == np.sign(other.matrix[both]))
    assert agree == pytest.approx(0.5, abs=0.1)


def test_normalizing_is_scaling():
    """The published draws, scaled: nothing is drawn anew."""
    plain, scaled = draw("gaussian"), draw("gaussian", parameters={"normalized": True})
    norms = np.array([math.sqrt(math.fsum(column**2)) for column in plain.matrix.T])
    assert np.allclose(scaled.matrix, plain.matrix / norms, rtol=0, atol=2**-35)


def test_a_column_of_zeros_cannot_be_normalized():
    parameters = {"density": 0.01, "normalized": True}
    with pytest.raises(ProblemError, match=r"sparse_bernoulli: column \d+ of A is zero and cann"):
        draw("sparse_bernoulli", parameters=parameters)


def test_more_rows_than_columns_are_refused_before_anything_is_drawn():
    for name in ENSEMBLES:
        with pytest.raises(ProblemError, match="fewer rows than columns"):
            draw(name, N=30, d=20)


# What makes an ensemble what it is


def matrix(name, rows, columns, **parameters):
    return ENSEMBLES[name].draw(generator(of="test"), rows, columns, **parameters)


@pytest.mark.parametrize("correlation", [0.9, 0.5, 0.0, -0.7])
def test_covariance_of_toeplitz(correlation):
    rows = 40000
    sample = matrix("toeplitz", rows, 6, correlation=correlation)
    lag = np.abs(np.subtract.outer(np.arange(6), np.arange(6)))
    # entries of a sample covariance deviate by at most sqrt(2/rows) in standard deviation
    assert np.abs(sample.T @ sample - float(correlation) ** lag).max() < 5 * math.sqrt(2 / rows)


@pytest.mark.parametrize("density", [0.05, 0.3, 1.0])
def test_density_of_sparse_bernoulli(density):
    sample = matrix("sparse_bernoulli", 400, 500, density=density)
    deviation = math.sqrt(density * (1 - density) / sample.size)
    assert abs(np.mean(sample != 0) - density) <= 5 * deviation
    values = sample[sample != 0]
    assert np.allclose(np.abs(values), 1 / math.sqrt(density * 400), rtol=1e-15)
    assert abs(np.mean(np.sign(values))) < 5 / math.sqrt(values.size)


@pytest.mark.parametrize("columns", [7, 8, 30, 31])
@pytest.mark.parametrize("name", ["partial_fourier", "partial_dct"])
def test_rows_of_an_orthonormal_basis(name, columns):
    """All of them are a basis; fewer are some of them, each once, and longer."""
    basis = matrix(name, columns, columns)
    assert np.allclose(basis @ basis.T, np.eye(columns), rtol=0, atol=1e-13)
    some = matrix(name, 5, columns) * math.sqrt(5 / columns)
    inner = np.abs(some @ basis.T)
    places = inner.argmax(axis=1)
    assert len(set(places)) == 5
    assert np.allclose(some, basis[places], rtol=0, atol=1e-13)
    # which ones is random
    others = ENSEMBLES[name].draw(generator(of="another"), 5, columns) * math.sqrt(5 / columns)
    assert not np.allclose(some, others)


def test_partial_dct_is_the_transform():
    from scipy.fft import dct

    expected = dct(np.eye(31), norm="ortho", axis=0)
    assert np.allclose(matrix("partial_dct", 31, 31), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("columns", [30, 31])
def test_partial_fourier_are_the_waves(columns):
    """The span of the rows of one frequency is that of its exponentials."""
    basis = matrix("partial_fourier", columns, columns)
    power = np.abs(np.fft.rfft(basis, axis=1)) ** 2
    assert power.argmax(axis=1).tolist() == [(i + 1) // 2 for i in range(columns)]
    assert np.allclose(np.sort(power, axis=1)[:, :-1], 0.0, atol=1e-12)
    # cosines before sines: cosines are even, sines odd
    mirrored = np.roll(basis[:, ::-1], 1, axis=1)
    signs = [1.0 if i == 0 or i % 2 else -1.0 for i in range(columns)]
    assert np.allclose(mirrored, np.array(signs)[:, None] * basis, rtol=0, atol=1e-12)


# What makes a law what it is


def test_constant_magnitudes_of_a_unit_signal():
    values = magnitudes(generator(), 16, "constant", unit_norm=True)
    assert values.tolist() == [0.25] * 16
    values = magnitudes(generator(), 5, "constant", unit_norm=True)
    assert values.tolist() == [round(5**-0.5 * 2**10) / 2**10] * 5


def test_uniform_magnitudes():
    values = magnitudes(generator(), 4000, "uniform", low=0.5, high=1.5)
    assert values.min() >= 0.5 and values.max() <= 1.5
    assert np.mean(values) == pytest.approx(1.0, abs=5 * 12**-0.5 / math.sqrt(4000))
    assert magnitudes(generator(), 3, "uniform", low=2.0, high=2.0).tolist() == [2.0] * 3
    with pytest.raises(ProblemError, match=r"low is 2.0, more than high, 1.0"):
        magnitudes(generator(), 3, "uniform", low=2.0, high=1.0)
    with pytest.raises(ProblemError, match=r"low of .* uniform must be .* at least 2\^-10, not 0"):
        magnitudes(generator(), 3, "uniform", low=0.0, high=1.0)


def test_gaussian_magnitudes():
    values = magnitudes(generator(), 20000, "gaussian")
    assert np.mean(values) == pytest.approx(math.sqrt(2 / math.pi), abs=5 / math.sqrt(20000))
    assert np.mean(values**2) == pytest.approx(1.0, abs=5 * math.sqrt(2 / 20000))
    # some would have rounded to zero, and no other is changed
    raw = np.rint(np.abs(generator().standard_normal(20000)) * 2**10) / 2**10
    assert np.count_nonzero(raw == 0) > 0
    assert np.array_equal(values, np.where(raw == 0, 2**-10, raw))
    assert magnitudes(generator(), 20000, "gaussian", unit_norm=True).min() == 2**-10


@pytest.mark.parametrize("exponent", [0.5, 1, 2.0])
def test_power_law(exponent):
    values = magnitudes(generator(), 20, "power_law", exponent=exponent)
    assert values.tolist() == [round(k**-exponent * 2**10) / 2**10 for k in range(1, 21)]
    # the largest entry of x_0 is not always the first of the support
    signal = {"law": "power_law", "exponent": exponent}
    first = [
        np.argmax(np.abs(p.signal[p.signal != 0]))
        for p in (draw("gaussian", signal=signal, repetition=r) for r in range(20))
    ]
    assert len(set(first)) > 2


def test_a_magnitude_that_rounds_to_zero_is_an_error():
    message = "law of magnitudes power_law with s = 20: a magnitude rounds to 0"
    with pytest.raises(ProblemError, match=message):
        draw("gaussian", s=20, signal={"law": "power_law", "exponent": 3.0})
    message = "law of magnitudes uniform with s = 2000: a magnitude rounds to 0"
    with pytest.raises(ProblemError, match=message):
        magnitudes(generator(), 2000, "uniform", low=2**-10, high=1.0, unit_norm=True)


def noise_of(law, **changes):
    clean, noisy = (draw("gaussian", eta=eta, noise={"law": law}, **changes) for eta in (0.0, 1.0))
    noise = noisy.data - clean.data
    return noise / np.linalg.norm(noise) * math.sqrt(noise.size)


def test_gaussian_noise_is_the_default():
    assert content(draw("gaussian", eta=0.1)) == content(
        draw("gaussian", eta=0.1, noise={"law": "gaussian"})
    )


def test_rademacher_noise_has_one_size():
    noise = noise_of("rademacher")
    assert np.allclose(np.abs(noise), 1.0, rtol=0, atol=1e-12)
    assert {-1.0, 1.0} == set(np.sign(noise))


def test_moments_of_noise():
    """Against the mean square: 3 for the normal law, 9/5 for the uniform one."""
    for law, kurtosis in {"gaussian": 3.0, "uniform": 1.8, "rademacher": 1.0}.items():
        values = NOISES[law].draw(generator(of="noise"), 40000)
        assert np.mean(values**4) / np.mean(values**2) ** 2 == pytest.approx(kurtosis, abs=0.15)
        assert abs(np.mean(values)) < 5 / math.sqrt(40000)
    assert np.abs(NOISES["uniform"].draw(generator(), 1000)).max() <= 1.0


@pytest.mark.parametrize("eta", [0.0, 0.1])
def test_an_unknown_law_of_noise_is_refused_without_noise_too(eta):
    with pytest.raises(ProblemError, match="unknown law of the noise 'cauchy'"):
        draw("gaussian", eta=eta, noise={"law": "cauchy"})
    with pytest.raises(ProblemError, match="law of the noise uniform has no parameter low"):
        draw("gaussian", eta=eta, noise={"law": "uniform", "low": 1.0})
