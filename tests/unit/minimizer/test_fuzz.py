"""Minimizers, null space constants, limit points and selected minimizers against right values.

Over the ensembles of unkind.py, with the exact and high-precision values of truths.py.
FUZZ_EXAMPLES=N in the environment takes N problems of each ensemble in place of the few of a
usual run, FUZZ_SEED=N others, beginning with that seed:

    FUZZ_EXAMPLES=200 FUZZ_SEED=1000 pytest tests/unit/minimizer/test_fuzz.py

"undecided" and an error that names alpha are honest answers, of which an ensemble may have one
in ten problems, and a bound of 1 or more where n = 0; any other difference fails.
"""

import math
import os
from functools import cache

import numpy as np
import pytest

from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.null_space import null_space_constant
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.network.initialization import initialize_from_ones
from implicit_l1.network.limit import ConvergenceError, limit_path
from implicit_l1.network.selection import select
from implicit_l1.potentials import potential
from implicit_l1.status import CERTIFIED, NOT_UNIQUE, SELECTED, UNDECIDED
from truths import (
    l1_minimizer,
    limit_points,
    log_norm,
    nearest_double,
    rational,
    selected_minimizer,
)
from truths import null_space_constant as exact_null_space_constant
from unkind import ENSEMBLES, draw

pytestmark = pytest.mark.long

FIRST = int(os.environ.get("FUZZ_SEED", "0"))
SEEDS = range(FIRST, FIRST + int(os.environ.get("FUZZ_EXAMPLES", "10")))
HONEST = max(1, len(SEEDS) // 10)

DEPTHS = [2, 2.5, 3, 4]
# log10 of alpha, in units of x_0
SCALES = [0, -1, -2, -4, -6, -8, -10]
DIGITS = 1e-10
ENUMERATED = 8


@cache
def truth(name, seed):
    """(problem, its exact minimizer)."""
    case = draw(name, seed)
    return case, l1_minimizer(case.matrix, case.exact_data)


@cache
def decided(name, seed):
    """What the package decides of a problem."""
    case, _ = truth(name, seed)
    exact = [rational(value) for value in case.exact_data] if case.product else None
    return decide_minimizer(case.matrix, case.data, exact_data=exact)


def compare(name, difference, seeds=SEEDS):
    """Every problem of an ensemble is right but for a few of which nothing is claimed.

    Args:
        difference: of an ensemble and a seed: what is wrong, a text, "" if nothing is; raises
            ConvergenceError, or gives a text that begins with "undecided", if nothing is claimed.
    """
    wrong, honest = [], []
    for seed in seeds:
        try:
            found = difference(name, seed)
        except ConvergenceError as error:
            assert "alpha" in str(error)
            found = f"{UNDECIDED}: {error}"
        except (ArithmeticError, ValueError, RuntimeError) as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            (honest if found.startswith(UNDECIDED) else wrong).append(f"{name} {seed}: {found}")
    assert not wrong, "\n".join([f"{len(wrong)} of {len(seeds)}", *wrong])
    assert len(honest) <= HONEST, "\n".join([f"{len(honest)} of {len(seeds)}", *honest])


def relative(found, expected):
    """Largest relative difference of two sequences of doubles."""
    pairs = zip(found, expected, strict=True)
    return max((abs(a - b) / abs(b) if b else abs(a) for a, b in pairs), default=0.0)


def of_minimizer(name, seed):
    case, exact = truth(name, seed)
    found = decided(name, seed)
    if found.status.startswith(UNDECIDED):
        return found.status
    expected = CERTIFIED if exact.unique else NOT_UNIQUE
    if found.status != expected:
        return f"status {found.status!r} for {expected!r}, rho = 1 - {gap(exact):.3g}"
    if list(found.support) != np.flatnonzero(found.point).tolist():
        return f"support {found.support} of {found.point}"
    if not exact.unique:
        # any minimizer will do
        image, size = case.matrix @ found.point, np.abs(case.matrix) @ np.abs(found.point)
        right = np.array([float(value) for value in case.exact_data])
        if np.any(np.abs(image - right) > 1e-13 * size):
            return f"A x - y = {image - right}"
        norm = nearest_double(exact.norm)
        apart = relative([np.abs(found.point).sum()], [norm])
        return f"norm off by {apart:.1e}" if apart > 1e-14 else ""
    if list(found.support) != exact.support:
        return f"support {list(found.support)} for {exact.support}"
    values = [nearest_double(exact.point[j]) for j in exact.support]
    if relative(found.point[exact.support], values) > 1e-15:
        return f"values {found.point[exact.support]} for {values}"
    if found.certificate.direction[exact.support].tolist() != exact.signs:
        return f"direction {found.certificate.direction} for signs {exact.signs}"
    sizes = sorted(map(abs, values))
    if relative([found.kappa], [sizes[-1] / sizes[0]]) > 1e-14:
        return f"kappa {found.kappa}"
    return ""


def gap(exact):
    """1 - rho, rounded once."""
    return nearest_double(1 - exact.rho)


def of_rho(name, seed):
    """1 - rho of a minimizer that the package knows to be unique, to full relative accuracy."""
    _, exact = truth(name, seed)
    found = known(name, seed)
    if found is None:
        return ""
    apart = relative([found.margin], [gap(exact)])
    return f"margin {found.margin!r} for {gap(exact)!r}" if apart > 1e-9 else ""


def known(name, seed):
    """The minimizer that the package finds if it is unique and the right one, else None."""
    _, exact = truth(name, seed)
    found = decided(name, seed)
    right = found.status == CERTIFIED and list(found.support) == exact.support
    return found if right and exact.unique else None


def of_null_space_constant(name, seed):
    case, exact = truth(name, seed)
    found = known(name, seed)
    if found is None or ENUMERATED < len(exact.support) < len(case.data):
        return ""
    geometry = support_geometry(case.matrix, found.support)
    sigma = np.sign(found.point[found.support])
    bracket = null_space_constant(geometry, sigma, ENUMERATED)
    value = nearest_double(exact_null_space_constant(case.matrix, exact.support))
    outside = bracket.lower > value * (1 + 1e-6) or bracket.upper < value * (1 - 1e-6)
    apart = bracket.upper - bracket.lower > 1e-6 * bracket.upper
    if outside or apart:
        return f"rho~ in [{bracket.lower!r}, {bracket.upper!r}] ({bracket.method}) for {value!r}"
    return ""


def log_scales(case):
    return np.log(case.unit) + np.log(10.0) * np.array(SCALES, dtype=float)


def of_path(path, exact):
    """What is wrong with the norms of a path, given the exact errors."""
    for place, error in enumerate(exact):
        right, found = log_norm(error), path.log_norm(1)[place]
        bound, at = path.error_bound[place], f"at alpha = 1e{SCALES[place]}"
        if right == -np.inf:
            # rounding may be left, if it is not taken for digits
            if found != -np.inf and bound < 1:
                return f"{at}: ||n||_1 = e^{found} for 0, error_bound = {bound:.1e}"
            continue
        apart = abs(math.expm1(min(found - right, 50.0)))
        if not apart <= DIGITS:
            return f"{at}: ||n||_1 = e^{found!r} for e^{right!r}, off by {apart:.1e}"
        if not apart - 1e-14 <= bound <= DIGITS:
            return f"{at}: off by {apart:.1e}, error_bound = {bound:.1e}"
    return ""


def of_limit_points(depth):
    def difference(name, seed):
        case, exact = truth(name, seed)
        found, scales = known(name, seed), log_scales(case)
        if found is None:
            return ""
        path = limit_path(case.matrix, found.point, found.certificate, potential(depth), scales)
        errors = limit_points(case.matrix, case.exact_data, depth, scales, exact.point)
        return of_path(path, errors)

    return difference


def of_selected(depth):
    """The selected minimizer, and the limit points' distance from it."""

    def difference(name, seed):
        case, exact = truth(name, seed)
        start, scales = decided(name, seed), log_scales(case)
        if exact.unique or start.status != NOT_UNIQUE:
            return ""
        trivial = initialize_from_ones(case.matrix.shape[1])
        data = [rational(value) for value in case.exact_data]
        found = select(case.matrix, case.data, trivial, depth, start.point, data)
        if found.status.startswith(UNDECIDED):
            return found.status
        if found.status != SELECTED:
            return f"status {found.status!r}"
        right = selected_minimizer(case.matrix, case.exact_data, depth, exact)
        values = np.array([float(value) for value in right])
        if not np.array_equal(found.point != 0, values != 0):
            return f"support {np.flatnonzero(found.point)} for {np.flatnonzero(values)}"
        apart = np.abs(found.point - values).max() / np.abs(values).max()
        if apart > 1e-13:
            return f"{found.point} for {values}, off by {apart:.1e}"
        path = limit_path(case.matrix, found.point, found.certificate, potential(depth), scales)
        return of_path(path, limit_points(case.matrix, case.exact_data, depth, scales, right))

    return difference


@pytest.mark.parametrize("name", ENSEMBLES)
def test_minimizers(name):
    """Status, support, values, signs and kappa."""
    compare(name, of_minimizer)


@pytest.mark.parametrize("name", ENSEMBLES)
def test_rho(name):
    compare(name, of_rho)


@pytest.mark.parametrize("name", ENSEMBLES)
def test_null_space_constants(name):
    compare(name, of_null_space_constant)


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("name", ENSEMBLES)
def test_limit_points(name, depth):
    compare(name, of_limit_points(depth))


def several(name):
    return [seed for seed in SEEDS if not truth(name, seed)[1].unique]


@pytest.mark.parametrize("depth", DEPTHS)
def test_selected_minimizers(depth):
    """Of all ensembles that have problems with several minimizers."""
    count = 0
    for name in ENSEMBLES:
        compare(name, of_selected(depth), several(name))
        count += len(several(name))
    assert count > 2 * len(SEEDS)


@pytest.mark.parametrize("name", ENSEMBLES)
def test_something_is_compared(name):
    """Limit points and constants are those of minimizers that are unique and found."""
    unique = [seed for seed in SEEDS if truth(name, seed)[1].unique]
    assert len([seed for seed in unique if known(name, seed)]) >= len(unique) - HONEST
