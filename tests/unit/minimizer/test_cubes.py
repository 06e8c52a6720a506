"""Bounds of many sign patterns at once, against linear programs and brute force."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from implicit_l1.minimizer.cubes import CubeBounds, Cubes
from implicit_l1.minimizer.support import support_geometry
from reference import pattern_constant


def drawn(seed, rows=7, columns=15, size=4):
    """(matrix, geometry, bounds) in general position."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((rows, columns))
    support = np.sort(rng.choice(columns, size, replace=False))
    geometry = support_geometry(matrix, support)
    return matrix, geometry, CubeBounds(geometry)


def some_cubes(bounds, seed, signs):
    """Cubes of these signs, 0 at free places, with random b."""
    rng = np.random.default_rng(seed)
    signs = np.array(signs, dtype=float)
    free = np.array([np.flatnonzero(row == 0) for row in signs])
    cubes = Cubes(np.zeros(0), signs, free)
    rows = cubes.weights() @ bounds.rows
    moved = 0.1 * rng.standard_normal((*rows.shape[:2], bounds.basis.shape[1]))
    return Cubes(rows + moved @ bounds.basis.T, signs, free)


def patterns_in(signs):
    return np.array(list(product(*([s] if s else [1.0, -1.0] for s in signs))))


def least_height(geometry, signs):
    """The least height of a cube, by a linear program for the b, the sizes and the largest sum."""
    free = np.flatnonzero(signs == 0)
    offsets = np.vstack([signs, np.eye(signs.size)[free]]) @ geometry.range_map
    (count, columns), rows = offsets.shape, geometry.free_map.shape[0]
    moves, sizes = np.eye(count), np.eye(count * columns)
    moves = np.kron(moves, geometry.free_map.T)
    nothing = np.zeros((count * columns, 1))
    sums = np.hstack([np.tile(np.eye(columns), count), -np.ones((columns, 1))])
    result = linprog(
        [*np.zeros(count * (rows + columns)), 1.0],
        A_ub=np.vstack(
            [
                np.hstack([moves, -sizes, nothing]),
                np.hstack([-moves, -sizes, nothing]),
                np.hstack([np.zeros((columns, count * rows)), sums]),
            ]
        ),
        b_ub=np.concatenate([-offsets.ravel(), offsets.ravel(), np.zeros(columns)]),
        bounds=[(None, None)] * (count * rows) + [(0, None)] * (count * columns + 1),
        method="highs",
    )
    assert result.status == 0
    return result.fun


@pytest.mark.parametrize("signs", [[1, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1], [1, -1, -1, 1]])
def test_a_height_bounds_the_constants_of_all_patterns_of_a_cube(signs):
    matrix, geometry, bounds = drawn(0)
    cubes = some_cubes(bounds, 1, [signs])
    weights, duals, heights = bounds.duals(cubes)
    assert heights == pytest.approx(bounds.unit * cubes.heights(), rel=1e-12)
    assert duals @ matrix[:, geometry.support] == pytest.approx(weights, abs=1e-12)
    reached = []
    for pattern in patterns_in(signs):
        dual = duals[0] + pattern[cubes.free[0]] @ duals[1:]
        assert dual @ matrix[:, geometry.support] == pytest.approx(pattern, abs=1e-12)
        reached.append(np.abs(dual @ matrix[:, geometry.complement]).max())
        assert reached[-1] >= pattern_constant(matrix, geometry.support, pattern) * (1 - 1e-9)
    assert max(reached) == pytest.approx(heights[0], rel=1e-12)


def test_halves_have_the_patterns_and_not_more_than_the_height_of_the_whole():
    _, _, bounds = drawn(1)
    whole = some_cubes(bounds, 2, [[1, 0, 0, 0], [0, 0, -1, 0]])
    halves = whole.halves(np.array([1, 2]))
    for place, signs in enumerate(whole.signs):
        parts = [patterns_in(row) for row in halves.signs[place::2]]
        assert sorted(map(tuple, np.vstack(parts))) == sorted(map(tuple, patterns_in(signs)))
    assert np.all(halves.heights() <= np.tile(whole.heights(), 2) * (1 + 1e-14))
    assert halves.heights().reshape(2, 2).max(axis=0) == pytest.approx(whole.heights(), rel=1e-14)
    # the b are those of the whole, so the dual vectors are
    _, duals, _ = bounds.duals(whole)
    _, of_halves, _ = bounds.duals(halves)
    assert of_halves[0] == pytest.approx(duals[0] + duals[2], rel=1e-12)
    assert of_halves[3] == pytest.approx(duals[4] + duals[7], rel=1e-12)
    assert of_halves[6] == pytest.approx(duals[0] - duals[2], rel=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_heights_come_as_low_as_they_can(seed):
    _, geometry, bounds = drawn(seed)
    signs = [[1, 0, 0, -1], [1, 0, -1, 0], [1, 1, 0, 0]]
    least = np.array([least_height(geometry, np.array(row, float)) for row in signs])
    for part, expected in ((1.3, True), (0.999, False)):
        for row, height in zip(signs, least, strict=True):
            cubes = some_cubes(bounds, seed, [row])
            low = bounds.lower(cubes, part * height / bounds.unit)
            _, _, heights = bounds.duals(cubes)
            assert low.tolist() == [expected] == [bool(heights[0] <= part * height * (1 + 1e-12))]
    # together as each by itself
    cubes = some_cubes(bounds, seed, signs)
    wanted = 1.3 * np.sort(least)[1]
    low = bounds.lower(cubes, wanted / bounds.unit)
    assert low[least <= wanted / 1.3].all() and not low[least > wanted].any()


@pytest.mark.parametrize(("rows", "columns", "size"), [(7, 15, 4), (5, 9, 4), (9, 11, 5)])
def test_the_restricted_bound_is_nearly_the_least(rows, columns, size):
    for seed in range(3):
        _, geometry, bounds = drawn(seed, rows, columns, size)
        least = least_height(geometry, np.eye(size)[0])
        _, _, heights = bounds.duals(bounds.lowest())
        assert least * (1 - 1e-9) <= heights[0] <= 1.03 * least


def test_the_restricted_bound_does_not_depend_on_last_bits():
    """Rounded up to four digits it is the same on all machines."""
    matrix, geometry, bounds = drawn(0, 20, 45, 7)
    _, _, (height,) = bounds.duals(bounds.lowest())
    rng = np.random.default_rng(0)
    for _ in range(3):
        moved = matrix * (1.0 + 1e-15 * rng.standard_normal(matrix.shape))
        others = CubeBounds(support_geometry(moved, geometry.support))
        assert others.duals(others.lowest())[2][0] == pytest.approx(height, rel=1e-8)


@pytest.mark.parametrize("exponent", [-400, 400])
def test_units_of_columns_do_not_matter(exponent):
    """A power of two between S and its complement multiplies heights, and changes no digit."""
    matrix, geometry, bounds = drawn(0)
    scaled = matrix.copy()
    scaled[:, geometry.complement] *= 2.0**exponent
    others = CubeBounds(support_geometry(scaled, geometry.support))
    expected, found = (each.duals(each.lowest())[2][0] for each in (bounds, others))
    assert found == pytest.approx(2.0**exponent * expected, rel=1e-9)
    wanted = 1.1 * expected / bounds.unit
    cubes, of_others = (each.all_patterns() for each in (bounds, others))
    assert np.array_equal(bounds.lower(cubes, wanted), others.lower(of_others, wanted))


def test_a_kernel_that_vanishes_on_the_support_has_the_bound_0():
    matrix = np.zeros((4, 7))
    matrix[:2, :2] = [[2.0, 1.0], [0.0, 3.0]]
    matrix[2:, 2:] = np.random.default_rng(0).standard_normal((2, 5))
    bounds = CubeBounds(support_geometry(matrix, [0, 1]))
    assert bounds.duals(bounds.lowest())[2].tolist() == [0.0]


def test_what_a_cube_proposes_and_where_it_is_halved():
    """Two columns are above the height, in which z_0 is 2 and -1."""
    rows = np.array([[[2.0, -1.0, 0.1], [-1.0, 0.5, 0.0], [0.5, 2.0, 0.0]]])
    cubes = Cubes(rows, np.array([[0.0, 1.0, 0.0]]), np.array([[0, 2]]))
    assert cubes.heights().tolist() == [3.5]
    wanted = 3.0
    excess = np.array([3.5 - 0.99 * wanted, 3.5 - 0.99 * wanted, 0.0])
    assert cubes.excesses(wanted)[0] == pytest.approx(excess, rel=1e-14)
    assert cubes.heaviest(wanted).tolist() == [1]  # 2.5 against 1.5 times the excess
    # k is (1, -1, 0) times the excess: -1.5 and -1.5 of it
    assert cubes.proposals(wanted).tolist() == [[-1.0, 1.0, -1.0]]
