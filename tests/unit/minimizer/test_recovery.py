"""The weak threshold, and the recovery of a single planted signal."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

import truths
from implicit_l1.linear.exact import Undecided
from implicit_l1.minimizer import recovery as module
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.null_space import Bracket
from implicit_l1.minimizer.phase import planted
from implicit_l1.minimizer.recovery import recovery
from implicit_l1.minimizer.threshold import weak_threshold
from implicit_l1.proof.planted import RightInverses
from implicit_l1.status import CERTIFIED, NOT_UNIQUE
from reference import (
    pattern_constant,
    solved,
)

pytestmark = pytest.mark.long

# The weak threshold


def statistical_dimension(kappa):
    """delta(kappa) as it is defined: the expectation by quadrature, the minimum by search."""

    def value(tau):
        tail, _ = quad(lambda g: (g - tau) ** 2 * norm.pdf(g), tau, tau + 40.0, epsabs=1e-14)
        return kappa * (1.0 + tau**2) + (1.0 - kappa) * 2.0 * tail

    return minimize_scalar(value, bounds=(0.0, 10.0), method="bounded").fun


def test_threshold_by_minimization():
    kappa = np.array([1e-4, 1e-3, 0.01, 0.05, 0.2, 0.4, 0.6, 0.9, 0.99])
    delta = np.array([statistical_dimension(k) for k in kappa])
    assert np.allclose(weak_threshold(delta), kappa / delta, rtol=0.0, atol=1e-9)


@pytest.mark.parametrize("delta", [0.01, 0.1, 0.25, 0.5, 0.75, 0.9])
def test_threshold_as_a_maximum(delta):
    """rho(delta) of Donoho, Maleki and Montanari, PNAS 2009, a maximum over z."""

    def value(z):
        risk = 2.0 * ((1.0 + z * z) * norm.cdf(-z) - z * norm.pdf(z))
        return -(1.0 - risk / delta) / (1.0 + z * z - risk)

    largest = -minimize_scalar(value, bounds=(1e-3, 10.0), method="bounded").fun
    assert weak_threshold(delta) == pytest.approx(largest, abs=1e-10)


def test_threshold_where_few_rows_are_left():
    """s / N ~ 1 / (2 log(d / N)) (Donoho and Tanner, J. Amer. Math. Soc. 2009)."""
    ratios = weak_threshold([1e-50, 1e-300]) * 2.0 * np.log([1e50, 1e300])
    assert np.allclose(ratios, 1.0, atol=0.1)
    assert abs(ratios[1] - 1.0) < abs(ratios[0] - 1.0)


def test_threshold_has_the_shape_of_its_argument_and_increases():
    assert weak_threshold(0.5).shape == ()
    delta = np.linspace(0.0, 1.0, 202).reshape(2, 101)
    curve = weak_threshold(delta)
    assert curve.shape == (2, 101)
    assert np.all(np.diff(curve.ravel()) > 0)
    assert curve[0, 0] == 0.0
    assert curve[1, -1] == 1.0


@pytest.mark.parametrize("delta", [-0.1, 1.1, np.nan])
def test_threshold_outside_its_domain(delta):
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        weak_threshold([0.5, delta])


@pytest.mark.parametrize(("factor", "expected"), [(0.5, 1.0), (1.7, 0.0)])
def test_recovery_changes_at_the_threshold(factor, expected):
    rows, columns = 40, 80
    s = round(factor * weak_threshold(rows / columns) * rows)
    found = [solved(rows, columns, s, repetition)[1].recovered for repetition in range(6)]
    assert np.mean(found) == expected


# Recovery and the planted constant


@pytest.mark.parametrize("repetition", range(4))
@pytest.mark.parametrize("s", [1, 4, 6, 12])
def test_recovery_against_the_solver(s, repetition):
    """On both sides of the transition and at s = N."""
    problem, found = solved(12, 24, s, repetition)
    support = np.flatnonzero(problem.signal)
    expected = pattern_constant(problem.matrix, support, np.sign(problem.signal[support]))
    assert found.rho_planted == pytest.approx(expected, rel=1e-8)
    point = decide_minimizer(problem.matrix, problem.data).point
    assert found.minimizer.status == CERTIFIED
    assert np.allclose(found.minimizer.point, point, atol=1e-8)
    assert found.recovered == np.allclose(point, problem.signal, atol=1e-8)
    assert found.recovered == (found.rho_planted < 1.0)


def test_both_sides_of_the_transition_were_tested():
    outcomes = {solved(12, 24, s, r)[1].recovered for s in (4, 6) for r in range(4)}
    assert outcomes == {True, False}


def test_recovered_signals_need_no_solver(monkeypatch):
    problem, _ = solved(12, 24, 1, 0)
    monkeypatch.delattr("implicit_l1.minimizer.recovery.decide")
    found = recovery(problem.matrix, problem.data, problem.signal)
    assert found.recovered
    assert np.array_equal(found.minimizer.point, problem.signal)


def test_more_entries_than_rows_cannot_be_recovered():
    problem, found = solved(12, 24, 13, 0)
    assert found.rho_planted == np.inf
    assert not found.recovered
    assert found.minimizer.status == CERTIFIED
    size = np.abs(found.minimizer.point).sum()
    assert size < np.abs(problem.signal).sum()


@pytest.mark.parametrize(("second", "planted"), [(1.0, 0.5), (-1.0, np.inf)])
def test_dependent_columns(second, planted):
    """Columns 0 and 1 are equal: opposite signs on them have no dual vector at all.

    Equal signs have one, here nu = (-1, 0) with ``A_Sc^T nu = (-1/2, 0)``, and yet the
    minimizer is not unique.
    """
    matrix = np.array([[1.0, 1.0, 0.5, 0.0], [0.0, 0.0, 0.0, 1.0]])
    signal = np.array([-1.0, -2.0 * second, 0.0, 0.0])
    found = recovery(matrix, matrix @ signal, signal)
    assert found.rho_planted == pytest.approx(planted, rel=1e-9)
    assert not found.recovered
    assert found.minimizer.status == NOT_UNIQUE


@pytest.mark.parametrize(
    ("columns", "signal"),
    [
        # a large column off the support
        ([[2, 1, 1, 3], [1, 0.5, 2, -1], [1, -1, 0.5, 0.25]], [1, 0, -2, 0]),
        ([[2, 0.25, 1, 3], [1, 0.5, 2, -1], [1, -1, 0.5, 0.25]], [1, 1, 0, 0]),
    ],
)
def test_the_planted_constant_beside_a_large_column(columns, signal):
    matrix, signal = np.array(columns, dtype=float), np.array(signal, dtype=float)
    matrix[:, 3] *= 2.0**50
    support = np.flatnonzero(signal)
    exact = float(truths.rho(matrix, list(support), [int(v) for v in np.sign(signal[support])]))
    found = recovery(matrix, matrix @ signal, signal)
    assert found.rho_planted == pytest.approx(exact, rel=1e-9)
    (planted_,) = planted(RightInverses.of(matrix[None]), signal[None]).rho
    assert planted_ == pytest.approx(exact, rel=1e-9)


def test_the_planted_constant_of_nearly_dependent_columns(monkeypatch):
    """Columns 1 and 2 are nearly opposite: what is left of entries of 10^8 is 2.5."""
    matrix = np.array([[1.0, 2, -2, 1, 3], [2, 1, -1 - 2.0**-27, 3, -1], [0.5, 1, -1, 2, 1]])
    matrix[0, 2] -= 2.0**-28
    signal = np.array([0.0, 0.25, 0.25, 0.0, 1.0])
    exact = float(truths.rho(matrix, [1, 2, 4], [1, 1, 1]))
    found = recovery(matrix, matrix @ signal, signal)
    assert found.rho_planted == pytest.approx(exact, rel=1e-9)

    def undecided(*_):
        raise Undecided("too many pivots")

    wide = Bracket(0.0, np.inf, "one pattern, not closed")
    monkeypatch.setattr(module, "pattern_constant", lambda *_: wide)
    monkeypatch.setattr(module, "signed_certificate", undecided)
    found = recovery(matrix, matrix @ signal, signal)
    assert np.isnan(found.rho_planted) and found.planted_dual is None
