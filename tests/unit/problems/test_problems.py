"""Instances are exact where they must be, and share what they should share."""

import hashlib
import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from same_bytes import GROUPS, together, variations

from implicit_l1.problems.ensembles import ProblemError
from implicit_l1.problems.problem import (
    ENSEMBLES,
    Problem,
    checked,
    least_norm_interpolator,
    magnitudes,
    one_dimensional_kernel,
    random_problem,
)
from implicit_l1.problems.seeds import generator
from pipeline.storage import read_arrays
from pipeline.tidy import read_table
from reference import UNIFORM, fractions
from workflow_runs import ROOT, script

pytestmark = pytest.mark.long

SIZE = {"N": 50, "d": 200, "s": 5, "seed": 1, "signal": UNIFORM}


def draw(ensemble="gaussian", eta=0.0, repetition=0, **changes):
    return random_problem(ensemble=ensemble, eta=eta, repetition=repetition, **{**SIZE, **changes})


@pytest.mark.parametrize("repetition", [0, 1])
@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_noiseless_data_are_exactly_sparse(ensemble, repetition):
    problem = draw(ensemble, repetition=repetition)
    exact = fractions(problem.matrix) @ fractions(problem.signal)
    assert [Fraction(v) for v in problem.data.tolist()] == exact.tolist()
    # and the other order of summation gives the same doubles
    assert np.array_equal(problem.matrix[:, ::-1] @ problem.signal[::-1], problem.data)


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_shapes_and_scale(ensemble):
    problem = draw(ensemble)
    assert problem.matrix.shape == (50, 200)
    assert np.count_nonzero(problem.signal) == 5
    size = np.abs(problem.signal[problem.signal != 0])
    assert size.min() >= 0.5 - 2**-11 and size.max() <= 1.5 + 2**-11
    # columns of Euclidean length about one
    assert np.mean(problem.matrix**2) * 50 == pytest.approx(1.0, abs=0.05)


def test_rademacher_has_two_values():
    matrix = draw("rademacher").matrix
    assert set(np.unique(matrix)) == {-np.abs(matrix[0, 0]), np.abs(matrix[0, 0])}
    assert abs(matrix[0, 0]) == pytest.approx(50**-0.5, abs=2**-36)


def test_laws_of_the_signal():
    assert set(np.abs(draw(signal={"law": "constant"}).signal)) == {0.0, 1.0}
    with pytest.raises(ProblemError, match="unknown law of magnitudes 'cauchy'"):
        magnitudes(generator(), 3, "cauchy")
    with pytest.raises(ProblemError, match="law of magnitudes constant has no parameter low"):
        draw(signal={"law": "constant", "low": 1.0})


def test_signs_of_the_signal_are_random():
    signs = [np.sign(draw(repetition=r).signal).sum() for r in range(10)]
    assert len(set(signs)) > 2


@pytest.mark.parametrize("eta", [1e-6, 0.03, 0.4, 2.0])
def test_noise_level_is_relative(eta):
    clean, noisy = draw(), draw(eta=eta)
    noise = np.linalg.norm(noisy.data - clean.data)
    assert noise / np.linalg.norm(clean.data) == pytest.approx(eta, rel=1e-8)


def test_noise_levels_share_everything_but_the_level():
    clean, low, high = draw(), draw(eta=0.03), draw(eta=0.4)
    for problem in (low, high):
        assert np.array_equal(problem.matrix, clean.matrix)
        assert np.array_equal(problem.signal, clean.signal)
    one, other = (low.data - clean.data) / 0.03, (high.data - clean.data) / 0.4
    assert np.allclose(one, other, rtol=0, atol=1e-13)


def test_sparsities_share_the_matrix():
    three, seven = draw(s=3), draw(s=7)
    assert np.array_equal(three.matrix, seven.matrix)
    assert np.count_nonzero(three.signal) == 3 and np.count_nonzero(seven.signal) == 7


def test_a_repetition_does_not_depend_on_the_others():
    series = [draw(eta=0.1, repetition=r) for r in range(4)]
    alone = draw(eta=0.1, repetition=3)
    for name in ("matrix", "signal", "data"):
        assert getattr(series[3], name).tobytes() == getattr(alone, name).tobytes()
        assert not np.array_equal(getattr(series[2], name), getattr(alone, name))


def test_every_axis_gives_other_draws():
    base = draw(eta=0.1)
    for changes in [{"seed": 2}, {"repetition": 1}, {"ensemble": "rademacher"}]:
        assert not np.array_equal(draw(eta=0.1, **changes).matrix, base.matrix)


def test_published_instance():
    """Changing any of these numbers changes every number of every published table."""
    problem = draw(eta=0.1)
    assert problem.matrix[0, 0] * 2**36 == -10986141933
    assert np.flatnonzero(problem.signal).tolist() == [104, 148, 156, 166, 180]
    assert problem.data[0] == 0.668601264031042


@pytest.mark.parametrize(
    ("ensemble", "N", "d", "s", "eta", "repetition", "checksum"),
    [
        ("gaussian", 100, 400, 8, 0.0, 0, "fcc28cec9552d07894ce9f4fb81f7b0b"),
        ("gaussian", 100, 400, 8, 0.1, 19, "abc92385d0a422936dac4c1d89603fe0"),
        ("gaussian", 20, 40, 2, 0.1, 2, "1a48e4532e16865eb840c9f2a215e9ed"),
        ("rademacher", 100, 400, 8, 0.1, 0, "e01abd07a89fed0c312e2628c9c32d3e"),
    ],
)
def test_draws_are_the_published_ones(ensemble, N, d, s, eta, repetition, checksum):
    """To the last bit, on every machine: no change of the draws goes unnoticed."""
    problem = draw(ensemble, eta, repetition, N=N, d=d, s=s)
    arrays = (problem.matrix, problem.signal, problem.data)
    content = b"".join(array.astype("<f8").tobytes() for array in arrays)
    assert hashlib.sha256(content).hexdigest()[:32] == checksum


@pytest.mark.parametrize(
    ("ensemble", "eta", "s", "law", "checksum"),
    [
        ("gaussian", 0.0, 1, "uniform", "2e11536dad0f17b8"),
        ("gaussian", 0.0, 1, "constant", "ded8c553a35033eb"),
        ("gaussian", 0.0, 3, "uniform", "9dd78917768edf74"),
        ("gaussian", 0.0, 3, "constant", "192ea84c388526b1"),
        ("gaussian", 0.0, 8, "uniform", "9dab1b678bff2d0c"),
        ("gaussian", 0.0, 8, "constant", "990560d48ad31522"),
        ("gaussian", 0.1, 1, "uniform", "c1a75127c844149b"),
        ("gaussian", 0.1, 1, "constant", "5dcd0038e84ffe5e"),
        ("gaussian", 0.1, 3, "uniform", "28ebee1cfe02a0d4"),
        ("gaussian", 0.1, 3, "constant", "de3f8ded21cab5b3"),
        ("gaussian", 0.1, 8, "uniform", "f0ec7b9f0a6df42f"),
        ("gaussian", 0.1, 8, "constant", "46e148d56bdb2ff9"),
        ("rademacher", 0.0, 1, "uniform", "90a3cd38a57785ce"),
        ("rademacher", 0.0, 1, "constant", "0ddeec3e5cac2e90"),
        ("rademacher", 0.0, 3, "uniform", "8bcfc321bb675679"),
        ("rademacher", 0.0, 3, "constant", "b9b9fd9c0354990b"),
        ("rademacher", 0.0, 8, "uniform", "671a98a1443a572a"),
        ("rademacher", 0.0, 8, "constant", "7eaa7bbbc2078555"),
        ("rademacher", 0.1, 1, "uniform", "1ae056fb446123e0"),
        ("rademacher", 0.1, 1, "constant", "dcff2e3495acde03"),
        ("rademacher", 0.1, 3, "uniform", "af3a3eecd4c0ce1b"),
        ("rademacher", 0.1, 3, "constant", "e719726e490ca330"),
        ("rademacher", 0.1, 8, "uniform", "bc3b18419672cd87"),
        ("rademacher", 0.1, 8, "constant", "56335cdf9234ad4b"),
    ],
)
def test_draws_are_those_of_before_there_were_parameters(ensemble, eta, s, law, checksum):
    """Ensembles without parameters, and default laws, name the streams that they always named."""
    signal = UNIFORM if law == "uniform" else {"law": law}
    digest = hashlib.sha256()
    for repetition in range(3):
        problem = draw(ensemble, eta, repetition, N=30, d=80, s=s, signal=signal)
        for array in (problem.matrix, problem.signal, problem.data):
            digest.update(array.astype("<f8").tobytes())
    assert digest.hexdigest()[:16] == checksum


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_noisy_data_follow_from_rational_arithmetic(ensemble):
    """Nothing about y depends on the order of a sum; the noise is a multiple of 2^-36."""

    def norm(vector):
        return math.sqrt(sum(Fraction(value * value) for value in vector))

    for repetition in range(20):
        problem = draw(ensemble, eta=0.1, repetition=repetition)
        axes = {"seed": 1, "ensemble": ensemble, "N": 50, "d": 200, "s": 5}
        axes |= ENSEMBLES[ensemble].axes({})
        rng = generator(stream="noise", repetition=repetition, **axes)
        noise = [round(Fraction(value) * 2**36) / 2**36 for value in rng.standard_normal(50)]
        product = [float(v) for v in fractions(problem.matrix) @ fractions(problem.signal)]
        factor = 0.1 * norm(product) / norm(noise)
        expected = [p + factor * value for p, value in zip(product, noise, strict=True)]
        assert problem.data.tolist() == expected


@pytest.mark.parametrize(
    "ensemble", ["gaussian", "partial_fourier", "toeplitz --normalized --noise-law uniform"]
)
def test_another_processor_draws_the_same(tmp_path, ensemble):
    """Where NumPy, its BLAS and the C library choose by the processor, they choose otherwise."""
    known = variations(tmp_path)
    others = [known[name] for name in GROUPS["processor"].members if not known[name].unavailable]
    size = "--N 100 --d 400 --s 8 --seed 1 --law uniform --low 0.5 --high 1.5 --eta 0.1"
    files = []
    for name, changes in [("this", {}), ("other", together(others).environment)]:
        folder = tmp_path / name
        folder.mkdir()
        output = ["--output", "drawn.npz", "--repetitions", "0", "9"]  # the file holds its own name
        words = [*ensemble.split(), *size.split()]
        # NumPy chooses its kernels as it is loaded
        subprocess.run(
            [sys.executable, ROOT / "scripts/stages/problems.py", *output, *words],
            cwd=folder,
            env=os.environ | changes,
            check=True,
        )
        files.append(read_arrays(folder / "drawn.npz"))
    # but for the machine, of which each file tells
    assert files[0].keys() == files[1].keys()
    for name, values in files[0].items():
        assert values.dtype == files[1][name].dtype
        assert values.tobytes() == files[1][name].tobytes(), name


# The program


def program(folder, *words, repetitions=(0, 0), output="results/problems/mine/block.npz"):
    what = ("--output", output, "--repetitions", *repetitions)
    return script("stages/problems", *what, *words, folder=folder)


SHAPE = ("--N", 20, "--d", 40, "--s", 3, "--seed", 1)


def test_program_draws_what_its_options_say(tmp_path):
    output = tmp_path / "results/problems/mine/block.npz"
    result = program(
        tmp_path,
        *("toeplitz", *SHAPE, "--correlation", 0.9, "--normalized", "--eta", 0.1),
        *("--law", "power_law", "--exponent", 0.5, "--unit-norm", "--noise-law", "uniform"),
        repetitions=(0, 1),
    )
    assert result.returncode == 0, result.stderr
    found = read_arrays(output)
    for place in range(2):
        expected = draw(
            *("toeplitz", 0.1, place),
            **{"N": 20, "d": 40, "s": 3},
            parameters={"correlation": 0.9, "normalized": True},
            signal={"law": "power_law", "exponent": 0.5, "unit_norm": True},
            noise={"law": "uniform"},
        )
        for name in ("matrix", "signal", "data"):
            assert found[name][place].tobytes() == getattr(expected, name).tobytes()


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_program_knows_every_ensemble(tmp_path, ensemble):
    # of sparse matrices of this size some are singular
    density = ["--density", 0.9] if ensemble == "sparse_bernoulli" else []
    words = (ensemble, *SHAPE, "--law", "constant", "--eta", 0, *density)
    assert program(tmp_path, *words).returncode == 0
    help_text = program(tmp_path, ensemble, "--help").stdout
    for name, parameter in ENSEMBLES[ensemble].parameters.items():
        assert f"--{name}" in help_text
        assert name == "normalized" or parameter.allowed in " ".join(help_text.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["toeplitz", "--law", "constant", "--correlation", "1"],
            "correlation of ensemble toeplitz must be a number greater than -1 and less than 1, "
            "not 1.0",
        ),
        (["gaussian", "--law", "strange"], "unknown law of magnitudes 'strange' (known: constant"),
        (["gaussian", "--law", "uniform", "--low", "1"], "law of magnitudes uniform needs high"),
        (
            ["gaussian", "--law", "constant", "--exponent", "1"],
            "law of magnitudes constant has no parameter exponent (its parameters: unit_norm)",
        ),
        (
            ["gaussian", "--law", "constant", "--noise-law", "strange"],
            "unknown law of the noise 'strange' (known: gaussian, rademacher, uniform)",
        ),
    ],
)
def test_program_says_in_one_line_what_is_wrong(tmp_path, words, message):
    result = program(tmp_path, *words, *SHAPE, "--eta", 0)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"error: problems/mine/block, repetition 0: {message}")
    assert not (tmp_path / "results").exists()


def test_program_of_the_phase_diagram_takes_the_same_options(tmp_path):
    def phase(output, *words):
        options = ["--output", output, "--repetitions", "0", "3"]
        return script("stages/phase", *options, *SHAPE, *words, folder=tmp_path)

    words = ("--law", "power_law", "--exponent", 0.5, "--normalized")
    for name in ("toeplitz", "gaussian"):
        result = phase(f"{name}.parquet", "--ensemble", name, *words)
        assert result.returncode == 0, result.stderr
    one, other = (read_table(tmp_path / f"{name}.parquet") for name in ("toeplitz", "gaussian"))
    assert set(one["ensemble"]) == {"toeplitz"}
    assert not np.array_equal(one["rho_planted"], other["rho_planted"])
    result = phase("more.parquet", "--ensemble", "toeplitz", *words, "--correlation", -0.9)
    assert result.returncode == 0, result.stderr
    assert not np.array_equal(
        one["rho_planted"], read_table(tmp_path / "more.parquet")["rho_planted"]
    )
    result = phase("none.parquet", "--ensemble", "gaussian", *words, "--correlation", 0.5)
    assert result.returncode == 1
    assert "ensemble gaussian has no parameter correlation (its parameters: norm" in result.stderr


@pytest.mark.parametrize("low", [1e5, 1e3])
def test_inexact_product_is_refused(low):
    """Products are multiples of 2^-46: doubles hold them to 128, that of the second is above."""
    with pytest.raises(ProblemError, match="not exact in double precision with s = 5"):
        draw(signal={"law": "uniform", "low": low, "high": 10 * low})


def test_rank_deficient_draws_are_refused():
    """Of 40 sign matrices of shape (2, 3) some have parallel rows, and no others are refused."""
    refused = 0
    for repetition in range(40):
        signs = generator(
            stream="matrix", seed=1, ensemble="rademacher", N=2, d=3, repetition=repetition
        ).choice([-1.0, 1.0], (2, 3))
        axes = {"N": 2, "d": 3, "s": 1, "repetition": repetition, "ensemble": "rademacher"}
        if np.linalg.matrix_rank(signs) < 2:
            refused += 1
            with pytest.raises(ProblemError, match="does not have full row rank"):
                draw(**axes)
        else:
            draw(**axes)
    assert refused > 0


def problem(matrix, data):
    matrix = np.array(matrix, dtype=float)
    return Problem(matrix, np.zeros(matrix.shape[1]), np.array(data, dtype=float))


WIDE = [[1.0, 2.0, 3.0], [0.0, 1.0, 1.0]]


@pytest.mark.parametrize(
    ("matrix", "data", "message"),
    [
        (WIDE, [0.0, 0.0], "y = 0"),
        ([[1.0, 2.0], [3.0, 5.0]], [1.0, 1.0], r"fewer rows than columns, its shape is \(2, 2\)$"),
        ([[1.0], [3.0]], [1.0, 1.0], r"fewer rows than columns, .* \(2, 1\); is it transposed\?"),
        ([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]], [1.0, 2.0], "full row rank"),
        ([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], [1.0, 0.0], "full row rank"),
        ([[1.0, 2.0, np.nan], [0.0, 1.0, 1.0]], [1.0, 1.0], "not finite"),
        (WIDE, [np.inf, 1.0], "not finite"),
    ],
)
def test_what_the_theory_does_not_cover_is_refused(matrix, data, message):
    with pytest.raises(ProblemError, match=message):
        checked(problem(matrix, data))


def test_a_sound_problem_passes_unchanged():
    sound = problem(WIDE, [1.0, 0.0])
    assert checked(sound) is sound


@given(st.integers(1, 60), st.floats(0.0, 1.0, exclude_max=True))
def test_kernel_family(m, rho):
    """(-rho m, 1, ..., 1) lies in the kernel exactly, and nothing else does."""
    problem = one_dimensional_kernel(m=m, rho=rho)
    assert problem.matrix.shape == (m, m + 1)
    kernel = [-Fraction(rho) * m] + [Fraction(1)] * m
    assert not np.any(fractions(problem.matrix) @ kernel)
    assert np.linalg.matrix_rank(problem.matrix) == m
    assert np.array_equal(problem.signal, np.eye(m + 1)[0])
    assert np.array_equal(problem.data, problem.matrix[:, 0])


def test_kernel_family_of_one_row():
    problem = one_dimensional_kernel(m=1, rho=0.7)
    assert problem.matrix.tolist() == [[1.0, 0.7]]
    assert problem.data.tolist() == [1.0]


def test_least_norm_interpolator():
    problem = draw(eta=0.1)
    x = least_norm_interpolator(problem.matrix, problem.data)
    assert np.allclose(problem.matrix @ x, problem.data, atol=1e-12)
    kernel = np.linalg.svd(problem.matrix)[2][50:]
    assert np.abs(kernel @ x).max() < 1e-12
