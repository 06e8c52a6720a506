"""Bounds of the distance against exact solutions of linear equations, term by term."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from implicit_l1.proof.comparison import (
    Columns,
    block_after,
    block_energy,
    distance_after,
    euclidean,
    push,
)

seeds = st.integers(0, 10**6)


def columns_of(matrix):
    return Columns(
        np.linalg.norm(matrix, axis=0) * (1 + 1e-12), np.linalg.norm(matrix, 2) * (1 + 1e-12)
    )


def solution(matrix, slopes, defect, start, scaled):
    """e at the end of ``e' = -c (A W A^T e + d)``, scaled = c h."""
    rows = len(start)
    system = np.zeros((rows + 1, rows + 1))
    system[:rows, :rows] = -(matrix * slopes) @ matrix.T
    system[:rows, rows] = -defect
    return (expm(scaled * system) @ np.append(start, 1.0))[:rows]


@given(seeds)
def test_both_bounds_hold(seed):
    rng = np.random.default_rng(seed)
    rows, size, count = 3, 5, int(rng.integers(0, 4))
    matrix = rng.standard_normal((rows, size))
    slopes = 10.0 ** rng.uniform(-4, 4, size)
    active, others = np.arange(count), np.arange(count, size)
    on = matrix[:, active]
    free = np.linalg.qr(on, mode="complete")[0][:, count:]
    a, b = rng.standard_normal(count), rng.standard_normal(rows - count)
    a *= 10.0 ** rng.uniform(-3, 3)
    start = rng.standard_normal(rows) * 10.0 ** rng.uniform(-3, 3)
    scaled = 10.0 ** rng.uniform(-4, 4)
    defect = on @ a + free @ b
    end = solution(matrix, slopes, defect, start, scaled)
    columns, distance = columns_of(matrix), float(np.linalg.norm(start))
    inner, outer = np.abs(a), float(np.linalg.norm(b))
    bound = distance_after(distance, inner, outer, slopes[active], columns, active, scaled)
    assert np.linalg.norm(end) <= bound * (1 + 1e-9)
    for inside in range(1, count + 1):
        part = on[:, :inside]
        project = part @ np.linalg.pinv(part)
        force = push(
            *(bound, bound * columns.norms, inner, 0.0, slopes, columns),
            *(active, others, active[inside:]),
        )
        mu = np.linalg.eigvalsh(part.T @ part)[0] * slopes[:inside].min()
        u = block_after(float(np.linalg.norm(project @ start)), force, mu, scaled, scaled)
        assert np.linalg.norm(project @ end) <= u * (1 + 1e-9)
        away = bound * slopes * columns.norms
        away[:count] += inner
        away[:inside] = 0.0
        force = inner[:inside] + np.abs(np.linalg.pinv(part) @ matrix) @ away
        begin = float(np.linalg.norm(project @ start))
        u = block_energy(begin, force, slopes[:inside], mu, scaled, scaled)
        assert np.linalg.norm(project @ end) <= u * (1 + 1e-9)


ONE, NO = np.array([[1.0]]), np.array([], dtype=int)


@pytest.mark.parametrize(
    ("slope", "inner", "outer", "start", "scaled"),
    [
        (1e-9, 0.0, 2.0, 1.0, 3.0),  # nothing holds e back
        (1e-9, 2.0, 0.0, 1.0, 3.0),
        (2.0, 1.0, 0.0, -0.25, 1e-3),  # where e^2 grows fastest against the slope
        (1e-9, 0.0, 0.0, 1.0, 3.0),
    ],
)
def test_the_distance_is_attained(slope, inner, outer, start, scaled):
    sign = -1.0 if start > 0 else 1.0
    end = solution(ONE, np.array([slope]), np.array([sign * (inner + outer)]), [start], scaled)
    bound = distance_after(
        *(abs(start), np.array([inner]), outer, np.array([slope]), columns_of(ONE)),
        *(np.array([0]), scaled),
    )
    grown = bound**2 - start**2
    assert abs(end[0]) <= bound
    assert end[0] ** 2 - start**2 >= 0.99 * grown - 1e-8  # what is rounded up


def test_a_column_does_not_pay_twice():
    """Of the sum over columns and the norm of all of them the smaller one counts."""
    columns = columns_of(np.eye(4))
    sizes = np.ones(4)
    assert columns.image(sizes, np.arange(4)) == pytest.approx(2.0)
    assert columns.coupling(sizes, np.arange(4)) == pytest.approx(1.0)
    assert columns.image(np.array([3.0]), np.array([2])) == pytest.approx(3.0)
    long = columns_of(np.array([[0.0, 3.0]]))
    assert long.coupling(np.array([2.0]), np.array([1])) == pytest.approx(18.0)


@pytest.mark.parametrize("term", ["others", "beyond", "inner", "outer"])
def test_every_force_is_in_the_push(term):
    """F is column 0; what another column, the defect along it or beside it does to P_F e' / c."""
    turned = np.array([0.6, 0.8])
    matrix = np.array([[1.0, 0.6], [0.0, 0.8]])
    e, high = np.array([0.0, 1.0]), np.array([5.0, 7.0])
    inner, outer, active, others = np.zeros(2), 0.0, np.array([0, 1]), NO
    defect = np.zeros(2)
    weighted = np.zeros((2, 2))
    if term == "others":
        active, others, inner = np.array([0]), np.array([1]), np.zeros(1)
        weighted = 7.0 * np.outer(turned, turned)
    elif term == "beyond":
        weighted = 7.0 * np.outer(turned, turned)
    elif term == "inner":
        inner, defect = np.array([0.0, 2.0]), 2.0 * turned
    else:
        outer, defect = 0.3, np.array([0.3, 0.0])
    if term in ("inner", "outer"):
        high = np.zeros(2)
    radius = np.abs(e @ matrix)
    found = push(
        *(euclidean(np.abs(e)), radius, inner, outer, high, columns_of(matrix)),
        *(active, others, active[1:]),
    )
    true = abs((defect + weighted @ e)[0])
    assert true <= found <= 3.0 * true


def test_a_block_decays_to_its_force():
    assert block_after(1.0, 0.0, 2.0, 3.0, 3.0) == pytest.approx(np.exp(-6.0))
    assert block_after(0.0, 5.0, 2.0, 1e3, 1e3) == pytest.approx(2.5)
    assert block_after(1.0, 5.0, 2.0, 1e-3, 1e-3) == pytest.approx(1.005)
    assert block_after(1.0, 5.0, 0.0, 2.0, 2.0) == pytest.approx(11.0)
    # the time that is left may be shorter than what the force has had
    assert block_after(1.0, 1.0, 2.0, 3.0, 0.0) == pytest.approx(1.5)


def test_the_energy_of_a_block_is_attained():
    """One unknown: the steady state, the decay, and the fastest growth, which is half as fast."""
    one = np.array([1.0])
    assert block_energy(1.0, 0.0 * one, 4.0 * one, 4.0, 3.0, 3.0) == pytest.approx(np.exp(-6.0))
    assert block_energy(0.0, 8.0 * one, 4.0 * one, 4.0, 1e3, 1e3) == pytest.approx(2.0)
    # what is left has decayed as long as it has at least, what was added was as long as at most
    assert block_energy(1.0, 0.0 * one, 4.0 * one, 4.0, 3.0, 1.0) == pytest.approx(np.exp(-2.0))
    assert block_energy(0.0, one, one, 1e-9, 3.0, 1.0) == pytest.approx(3.0**0.5)
    start, scaled = 0.25, 1e-4  # e = -h / 2w
    end = solution(ONE, np.array([2.0]), np.array([1.0]), [-start], scaled)
    bound = block_energy(start, one, 2.0 * one, 2.0, scaled, scaled)
    assert start < abs(end[0]) <= bound
    assert bound**2 - start**2 < 1.51 * (end[0] ** 2 - start**2) + 1e-8
    assert block_energy(1.0, one, 0.0 * one, 0.0, 1.0, 1.0) == np.inf
