"""The linear programs over the kernel's unit ball: many at once, against other methods."""

import numpy as np
import pytest
from scipy.optimize import linprog

from implicit_l1.linear import interior, programs
from implicit_l1.linear.interior import (
    LinearProgramError,
    kernel_form,
    smallest_maxima,
    smallest_maximum,
)
from implicit_l1.linear.programs import KernelPrograms
from implicit_l1.linear.units import unit_of
from implicit_l1.minimizer.null_space import program_of_rho
from implicit_l1.minimizer.support import support_geometry

# r equations below and above half the number of columns: both forms of the kernel
SHAPES = [(1, 2), (1, 9), (8, 9), (5, 40), (20, 40), (21, 40), (35, 40), (39, 40)]


def height(free_map, offset):
    """``min_b ||c + C^T b||_inf`` by another solver."""
    rows, count = free_map.shape
    edge = np.ones((count, 1))
    found = linprog(
        np.append(np.zeros(rows), 1.0),
        A_ub=np.block([[free_map.T, -edge], [-free_map.T, -edge]]),
        b_ub=np.concatenate([-offset, offset]),
        bounds=[(None, None)] * rows + [(0.0, None)],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert found.status == 0
    return found.fun


def check(free_map, offsets, free, kernel):
    """b and k prove each other optimal."""
    heights = np.abs(offsets + free @ free_map).max(axis=1)
    assert np.allclose(np.sum(offsets * kernel, axis=1), heights, rtol=1e-11, atol=0.0)
    assert np.allclose(np.abs(kernel).sum(axis=1), 1.0, rtol=1e-12)
    assert np.abs(kernel @ free_map.T).max() < 1e-11 * np.abs(free_map).max()
    return heights


@pytest.mark.parametrize("shape", SHAPES)
def test_many_programs_against_another_solver(shape):
    rng = np.random.default_rng(sum(shape))
    free_map = rng.standard_normal(shape)
    offsets = rng.standard_normal((6, shape[1])) * 10.0 ** rng.integers(-6, 6, (6, 1))
    free, kernel = smallest_maxima(kernel_form(free_map), offsets)
    heights = check(free_map, offsets, free, kernel)
    expected = [unit_of(offset) * height(free_map, offset / unit_of(offset)) for offset in offsets]
    assert heights == pytest.approx(np.array(expected), rel=1e-7)


@pytest.mark.parametrize("shape", [(5, 40), (35, 40)])
def test_the_units_of_a_program_do_not_matter(shape):
    rng = np.random.default_rng(3)
    free_map, offsets = rng.standard_normal(shape), rng.standard_normal((4, shape[1]))
    free, kernel = smallest_maxima(kernel_form(free_map), offsets)
    for size, unit in ((2.0**-70, 2.0**30), (2.0**60, 2.0**-20)):
        scaled = smallest_maxima(kernel_form(size * free_map), unit * offsets)
        assert np.array_equal(scaled[0], unit / size * free)
        assert np.array_equal(scaled[1], kernel)


@pytest.mark.parametrize("shape", [(10, 60), (30, 40)])
def test_programs_do_not_depend_on_those_beside_them(shape, monkeypatch):
    rng = np.random.default_rng(4)
    free_map, offsets = rng.standard_normal(shape), rng.standard_normal((7, shape[1]))
    together = smallest_maxima(kernel_form(free_map), offsets)
    for place, offset in enumerate(offsets):
        alone = smallest_maximum(kernel_form(free_map), offset)
        assert np.allclose(together[0][place], alone[0], rtol=1e-9)
        assert np.allclose(together[1][place], alone[1], rtol=1e-9, atol=1e-12)
    monkeypatch.setattr(interior, "_AT_ONCE", 1)
    one_by_one = smallest_maxima(kernel_form(free_map), offsets)
    assert np.allclose(one_by_one[1], together[1], rtol=1e-9, atol=1e-12)


def degenerate(rows, count, support, seed):
    """C, c and the value of a program in which few columns attain the maximum: basis pursuit.

    The sparse x is the only minimizer of ``||x||_1`` under its ``A x``, and C is A where that
    is orthogonal to A x; so k = x / ||x||_1, and the value is ``<c, x> / ||x||_1``.
    """
    rng = np.random.default_rng(seed)
    matrix, point = rng.standard_normal((rows, count)), np.zeros(count)
    point[:support] = rng.choice([-1.0, 1.0], support) * rng.uniform(0.5, 1.5, support)
    data = matrix @ point
    complement = np.linalg.svd(data[None])[2][1:]
    return complement @ matrix, matrix.T @ data / (data @ data), point / np.abs(point).sum()


@pytest.mark.parametrize(("rows", "count", "support"), [(30, 90, 3), (40, 60, 4), (20, 60, 1)])
def test_faces_and_vertices_beside_each_other(rows, count, support):
    free_map, offset, point = degenerate(rows, count, support, 5)
    others = np.random.default_rng(6).standard_normal((2, count))
    offsets = np.array([others[0], offset, others[1]])
    free, kernel = smallest_maxima(kernel_form(free_map), offsets)
    check(free_map, offsets, free, kernel)
    assert np.abs(kernel[1] - point).max() < 1e-12
    assert np.count_nonzero(kernel, axis=1).tolist() == [rows, support, rows]


@pytest.mark.parametrize("shape", [(10, 60), (30, 40)])
def test_values_that_are_small_enough_are_bounded(shape):
    rng = np.random.default_rng(11)
    free_map = rng.standard_normal(shape)
    offsets = rng.standard_normal((12, shape[1])) * 10.0 ** rng.integers(-2, 3, (12, 1))
    form = kernel_form(free_map)
    _, kernel = smallest_maxima(form, offsets)
    values = np.sum(offsets * kernel, axis=1)
    enough = np.median(values)
    free, kernel = smallest_maxima(form, offsets, enough)
    bounded = values < enough
    heights = np.abs(offsets + free @ free_map).max(axis=1)
    assert np.all(heights[bounded] >= values[bounded] * (1.0 - 1e-12))
    assert np.all(heights[bounded] <= enough * (1.0 + 1e-12))
    assert not kernel[bounded].any(axis=1).all()
    assert check(free_map, offsets[~bounded], free[~bounded], kernel[~bounded]) == pytest.approx(
        values[~bounded], rel=1e-11
    )


def test_what_is_not_solved_is_told():
    dependent = np.array([[1.0, 2.0, 3.0, 4.0], [2.0, 4.0, 6.0, 8.0]])
    offsets = np.random.default_rng(7).standard_normal((3, 4))
    free, kernel = smallest_maxima(kernel_form(dependent), offsets)
    assert np.isnan(free).all() and np.isnan(kernel).all()
    with pytest.raises(LinearProgramError, match="interior-point"):
        smallest_maximum(kernel_form(dependent), offsets[0])


def test_what_is_not_solved_together_is_solved_alone(monkeypatch):
    rng = np.random.default_rng(8)
    free_map, offsets = rng.standard_normal((12, 30)), rng.standard_normal((5, 30))
    expected = KernelPrograms(free_map).solve_all(offsets, "of a test")

    def spoiled(form, offsets, enough=-np.inf, steps=60):
        free, kernel = smallest_maxima(form, offsets, enough)
        free[1:3], kernel[1:3] = np.nan, np.nan
        return free, kernel

    monkeypatch.setattr(programs, "smallest_maxima", spoiled)
    found = KernelPrograms(free_map).solve_all(offsets, "of a test")
    for ours, theirs in zip(found, expected, strict=True):
        assert np.allclose(ours, theirs, atol=1e-8)


def test_the_offset_zero_has_the_value_zero():
    free_map = np.random.default_rng(9).standard_normal((12, 30))
    offsets = np.vstack([np.zeros(30), np.ones(30)])
    kernel, free = KernelPrograms(free_map).solve_all(offsets, "of a test")
    assert np.abs(free_map @ kernel[0]).max() < 1e-9
    assert np.abs(free[0] @ free_map).max() < 1e-9
    check(free_map, offsets[1:], free[1:], kernel[1:])


def test_without_equations_the_largest_entry_counts():
    offsets = np.array([[1.0, -3.0, 2.0], [0.5, 0.0, 0.0]])
    kernel, free = KernelPrograms(np.zeros((0, 3))).solve_all(offsets, "of a test")
    assert kernel.tolist() == [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]
    assert free.shape == (2, 0)


def test_where_the_kernel_is_trivial_the_value_is_zero():
    rng = np.random.default_rng(10)
    free_map, offsets = rng.standard_normal((3, 3)), rng.standard_normal((2, 3))
    kernel, free = KernelPrograms(free_map).solve_all(offsets, "of a test")
    assert not kernel.any()
    assert np.abs(offsets + free @ free_map).max() < 1e-12


def test_a_program_that_is_not_solved_is_named(monkeypatch):
    def unsolved(*_, **__):
        raise LinearProgramError("unknown")

    monkeypatch.setattr(programs, "smallest_maximum", unsolved)
    monkeypatch.setattr(programs, "linprog", unsolved)
    with pytest.raises(LinearProgramError, match="program of a test is not solved: unknown"):
        KernelPrograms(np.ones((2, 3))).solve(np.arange(3.0), "of a test")


@pytest.mark.parametrize("shape", [(5, 40), (35, 40)])
def test_a_combination_of_the_rows_is_refused(shape):
    """The value is 0, and no kernel vector is told from another."""
    rng = np.random.default_rng(10)
    free_map = rng.standard_normal(shape)
    with pytest.raises(LinearProgramError, match="interior-point"):
        smallest_maximum(kernel_form(free_map), rng.standard_normal(shape[0]) @ free_map)


# Programs on which a simplex method alone fails


def near_copy(rng, gap):
    """The program of rho where a column off the support nearly is one on it."""
    matrix = rng.integers(-4, 5, (8, 30)).astype(float)
    matrix[:, 7] = matrix[:, 1]
    matrix[0, 7] += gap
    geometry = support_geometry(matrix, [1, 4])
    start = geometry.least_norm_dual(np.array([1.0, -1.0]))
    return geometry.free_map, matrix[:, geometry.complement].T @ start


def uneven(shape):
    """C of Gaussian entries times powers of two, of rows, of columns or of each entry."""

    def draw(rng, smallest):
        powers = rng.integers(int(np.log2(smallest)), 1, shape)
        return rng.standard_normal((6, 20)) * 2.0**powers, rng.standard_normal(20)

    return draw


PROGRAMS = {
    "near copy": near_copy,
    "rows": uneven((6, 1)),
    "columns": uneven((1, 20)),
    "entries": uneven((6, 20)),
}


@pytest.mark.parametrize("k", [10, 24, 30, 36, 45, 60])
@pytest.mark.parametrize("kind", PROGRAMS)
def test_small_entries_are_not_lost(kind, k):
    """HiGHS drops them: b and k prove each other optimal nevertheless."""
    for seed in range(6):
        free_map, offset = PROGRAMS[kind](np.random.default_rng(seed), 2.0**-k)
        kernel, free = program_of_rho(free_map, offset)
        height = np.abs(offset + free @ free_map).max()
        unit = np.abs(offset).max()
        assert abs(height - offset @ kernel) < 1e-9 * max(height, unit)
        size = np.abs(free_map).max(axis=1)
        assert np.all(np.abs(free_map @ kernel) < 1e-9 * size)
        assert np.abs(kernel).sum() < 1.0 + 1e-9


@pytest.mark.parametrize("unit", [2.0**-300, 2.0**-40, 1.0, 2.0**40, 2.0**300])
def test_the_units_of_an_offset_do_not_matter(unit):
    rng = np.random.default_rng(12)
    search = KernelPrograms(rng.standard_normal((4, 12)))
    offset = rng.standard_normal(12)
    expected, found = search.solve(offset, "of a test"), search.solve(unit * offset, "of a test")
    assert np.allclose(found[0], expected[0], rtol=1e-12, atol=1e-14)
    assert np.allclose(found[1] / unit, expected[1], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("failures", [1, 2])
def test_an_end_of_a_solver_is_not_that_of_the_program(failures, monkeypatch):
    """It ends as it likes, and the next method is tried."""
    rng = np.random.default_rng(13)
    free_map, offset = rng.standard_normal((4, 12)), rng.standard_normal(12)
    expected = KernelPrograms(free_map).solve(offset, "of a test")
    methods = [(programs, "smallest_maximum"), (programs, "linprog")]
    left = [failures]

    def failing(function):
        def solve(*arguments, **options):
            if left[0]:
                left[0] -= 1
                raise LinearProgramError("unknown")
            return function(*arguments, **options)

        return solve

    for module, name in methods:
        monkeypatch.setattr(module, name, failing(getattr(module, name)))
    found = KernelPrograms(free_map).solve(offset, "of a test")
    assert not left[0]
    for ours, theirs in zip(found, expected, strict=True):
        assert np.allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("wrong", [0, 1])
def test_a_wrong_result_of_a_solver_is_not_taken(wrong, monkeypatch):
    rng = np.random.default_rng(14)
    free_map, offset = rng.standard_normal((4, 12)), rng.standard_normal(12)
    expected = KernelPrograms(free_map).solve(offset, "of a test")

    def spoiled(form, offset):
        free, kernel = smallest_maximum(form, offset)
        return (free + 1e-3, kernel) if wrong else (free, kernel + 1e-3)

    monkeypatch.setattr(programs, "smallest_maximum", spoiled)
    for ours, theirs in zip(
        KernelPrograms(free_map).solve(offset, "of a test"), expected, strict=True
    ):
        assert np.allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("left", [0.0, 9e-16])
def test_where_the_value_is_zero_no_kernel_vector_is_told(left, monkeypatch):
    """The offset is in the range of C^T; a solver may end with what rounding left."""
    free_map = np.random.default_rng(11).standard_normal((3, 6))
    free = np.array([1.0, -2.0, 0.5])
    end = free, np.full(6, left)
    monkeypatch.setattr(programs, "smallest_maximum", lambda form, offset: end)
    kernel, found = KernelPrograms(free_map).solve(-free @ free_map, "of a test")
    assert kernel.tolist() == [0.0] * 6
    assert found.tolist() == free.tolist()


def test_a_vector_off_the_kernel_is_not_taken(monkeypatch):
    """b = -1/6, and along c the value 5/6 is attained, too; the kernel has (2, 0, 0, -1) / 3."""
    free_map, offset = np.array([[1.0, 1.0, 0.0, 2.0]]), np.array([1.0, 0.2, 0.3, -0.5])
    along = 5 / 6 * offset / (offset @ offset)
    end = np.array([-1 / 6]), along
    monkeypatch.setattr(programs, "smallest_maximum", lambda form, offset: end)
    kernel, free = KernelPrograms(free_map).solve(offset, "of a test")
    assert np.allclose(kernel, [2 / 3, 0, 0, -1 / 3], atol=1e-9)
    assert np.allclose(free, [-1 / 6], atol=1e-9)
