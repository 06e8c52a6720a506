"""Each term of the proofs is needed: cases in which a proof without it says something false.

Where random data leave slack, a missing term is not seen.  Here the data are made so that all
that is left of a bound, but for one term, is too small, and the true values are known exactly.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from flint import arb, ctx, fmpq, fmpz

from implicit_l1.linear.exact import (
    RationalMatrix,
    Undecided,
    Vertex,
    exact_product,
    minimize,
    rational_rank,
)
from implicit_l1.linear.rank import well_conditioned
from implicit_l1.minimizer.decision import _doubles_of, certified_support
from implicit_l1.minimizer.face import signed_certificate
from implicit_l1.minimizer.support import _solved_with_more_bits, certificate, support_geometry
from implicit_l1.network.asymptotics import first_order
from implicit_l1.network.bounds import _Scales, error_bounds
from implicit_l1.network.defects import _spread
from implicit_l1.network.limit_distance import LimitDistance, LimitPoint
from implicit_l1.network.precise import PreciseLimit
from implicit_l1.potentials import potential
from implicit_l1.problems.product import first_beyond_rounding, nearest_doubles
from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import ball
from implicit_l1.proof.constants import _at_vertex, _between, _heights, enclose_pattern_constant
from implicit_l1.proof.equations import Partition, Unknowns, Values
from implicit_l1.proof.frame import NotProved, Products, prove_frame
from implicit_l1.proof.intervals import Interval, geometric_median
from implicit_l1.proof.limit import LimitProof, _narrow, _System
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.proof.tangent import Tangent
from implicit_l1.proof.verified import Exact, Inverse, Preconditioned, largest_column_sums
from reference import rationals

HALF_UNIT = fmpq(1, 2**53)


class OneByOne(np.ndarray):
    """An array whose products add one term after the other, each rounded: one of the orders in
    which a machine may add them."""

    @classmethod
    def of(cls, values):
        return np.array(values, dtype=float).view(cls)

    def __matmul__(self, other):
        return _one_by_one(self, other)

    def __rmatmul__(self, other):
        return _one_by_one(other, self)


def _one_by_one(left, right):
    left, right = np.asarray(left), np.asarray(right)
    total = 0.0
    for place in range(right.shape[0]):
        column = left[..., place]
        if left.ndim > 1 and right.ndim > 1:
            total = total + column[:, None] * right[place]
        else:
            total = total + column * right[place]
    return np.asarray(total).view(OneByOne)


def rational(value):
    return fmpq(*float(value).as_integer_ratio())


def contain(balls, numbers):
    """Whether balls contain rational numbers, entry by entry."""
    with ctx.workprec(4000):
        return all(b.contains(arb(number)) for b, number in zip(balls, numbers, strict=True))


# Linear algebra in doubles


def test_bounds_hold_for_sums_in_any_order():
    """1 and then n halves of its last unit, added one by one: each of them is lost."""
    count = 64
    row = np.full(count, 2.0**-53)
    row[0] = 1.0
    matrix, inverse = np.zeros((2, count, count))
    matrix[:, 0], inverse[0] = 1.0, row  # R K = 1 + (n - 1) / 2^53, but 1 as it is added here
    near = Preconditioned(OneByOne.of(inverse), OneByOne.of(matrix))
    weights = np.eye(count)[0]
    (lost, *_) = np.asarray(near.remainder(weights, np.zeros(count)))
    assert rational(lost) >= (count - 1) * HALF_UNIT


def test_a_product_that_underflows_is_not_bounded_by_0():
    near = Preconditioned(np.diag([2.0**-600, 1.0]), np.array([[1.0, 2.0**-600], [0.0, 1.0]]))
    bound, _ = near.remainder(np.array([0.0, 1.0]), np.zeros(2))
    assert rational(bound) > fmpq(1, 2**1200)  # of 2^-600 2^-600 nothing is left


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("right", [arb(1), arb(0, 1), arb(1, 1), arb(5, 0.25)])
def test_a_solution_is_as_far_as_the_contraction_lets_it_be(monkeypatch, right, transposed):
    """R = 3/4 for K = 1: ``c - R r`` is ``q / (1 - q) R r``, not q R r, for all of the ball r."""
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: np.array([[0.75]]))
    (found,) = Inverse(np.eye(1)).solve([right], transposed, enough=1.0)
    assert found.contains(right)


@pytest.mark.parametrize("transposed", [False, True])
def test_the_rounding_of_a_step_is_beside_the_contraction(transposed):
    """1 / K and m / K are both rounded up, by nearly as much as they can be."""
    divisor, value = 1.921875, 1.0390625
    product = rational(value * (1.0 / divisor))
    assert product - rational(value) / rational(divisor) > fmpq(9, 5) * HALF_UNIT * product
    inverse = Inverse(np.array([[divisor]]))
    found = inverse.solve([arb(value)], transposed, enough=1.0)
    assert contain(found, [rational(value) / rational(divisor)])


def fanned(count, size):
    """(E, K): K = I - E, with column sums of E up to `size` and row sums up to size / count.

    E takes e_0 to `count` entries, and each of them to count^2.
    """
    first, last = 1 + count, 1 + count + count**2
    spread = np.zeros((last, last))
    spread[1:first, 0] = size / count
    spread[first:, 1:first] = size / count**2
    return spread, np.eye(last) - spread


@pytest.mark.parametrize(("count", "size"), [(4, 0.375), (8, 3.0)])
def test_a_transposed_solution_has_the_contraction_of_the_transpose(monkeypatch, count, size):
    """R = I for K = I - E: ``||I - K R||`` in the norm of column sums, and not of rows."""
    spread, matrix = fanned(count, size)
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: np.eye(len(matrix)))
    found = Inverse(matrix).solve([arb(1)] * len(matrix), True, enough=1.0)
    ones = np.ones(len(matrix))
    exact = ones + ones @ spread + ones @ spread @ spread  # E^3 = 0, and no digit is rounded
    assert contain(found, map(rational, exact))


def test_norms_of_columns_take_the_contraction_of_column_sums(monkeypatch):
    spread, matrix = fanned(4, 0.375)
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: np.eye(len(matrix)))
    (bound,) = largest_column_sums(Inverse(matrix), np.eye(len(matrix))[:, :1])
    first = np.eye(len(matrix))[0]
    assert bound >= np.sum(first + spread @ first + spread @ spread @ first) == 1.515625


def test_norms_of_columns_are_those_of_a_rough_inverse_and_its_largest_column(monkeypatch):
    """K = (I - E) R^-1, E = 3/8 e_0 e_0^T: ``K^-1 e_0 = 8/5 R e_0``, to which the bound comes."""
    size = 8
    inverse, back = np.eye(size), np.eye(size)
    inverse[1:, 0], back[1:, 0] = 1.0, -1.0
    matrix = back.copy()
    matrix[0, 0] = 0.625
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: inverse)
    (bound,) = largest_column_sums(Inverse(matrix), np.eye(size)[:, :1])
    assert 8 * 1.6 <= bound < 8 * 1.6001


def test_a_residual_of_0_is_one_to_rounding(monkeypatch):
    """R misses K^-1 e_0 by 2^-25 of it, of which a residual in doubles shows nothing."""
    matrix = np.outer([1 / 3, 1 / 7], [1 / 5, 1 / 11])
    matrix[1, 1] *= 1.0 + 2.0**-34
    exact = rationals(matrix).inv().tolist()
    inverse = np.array([[float(arb(v)) for v in row] for row in exact]) * (1.0 - 2.0**-25)
    (first, second), (third, fourth) = matrix * inverse[:, 0]
    assert (first + second, third + fourth) == (1.0, 0.0)
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: inverse)
    (bound,) = largest_column_sums(Inverse(OneByOne.of(matrix)), np.eye(2)[:, :1])
    assert rational(bound) >= abs(exact[0][0]) + abs(exact[1][0])


def test_slices_of_many_entries_add_up_without_rounding():
    """All parts of all entries as large as they can be, and of one sign."""
    count = 2**17
    rng = np.random.default_rng(0)
    bits = 18  # of a slice if only one product of slices were added
    entry = (2.0**bits - 1) * 2.0**-bits + (2.0 ** (bits - 1) - 1) * 2.0 ** (-2 * bits)
    low = rng.integers(2**15, 2**16, (2, count)) * 2.0**-53
    matrix, vector = entry + low - rng.integers(0, 2, (2, count)) * 2.0 ** (-2 * bits)
    found = Exact(matrix[None]).times(vector)
    assert contain(found, exact_product(matrix[None], vector))


def test_slices_are_as_short_as_the_longer_side_asks():
    rng = np.random.default_rng(0)
    matrix, vector = 0.5 + rng.random((2, 5000)) / 2, 0.5 + rng.random(5000) / 2
    assert contain(Exact(matrix).times(vector), exact_product(matrix, vector))
    found = Exact(matrix.T).times(vector, transposed=True)
    assert contain(found, exact_product(matrix, vector))


@pytest.mark.parametrize("part", ["matrix", "vector", "both"])
def test_what_is_beyond_the_slices_is_in_the_radius(part):
    """An entry that is 2^-100 of the largest, and has no slice."""
    matrix, vector = np.ones((2, 4096)), np.ones(4096)
    if part != "vector":
        matrix[0, 7] = 2.0**-100 * (1 + 2.0**-52)
    if part != "matrix":
        vector[9] = 2.0**-100 * (1 + 2.0**-52)
    assert contain(Exact(matrix).times(vector), exact_product(matrix, vector))


# The inverse of phi


@pytest.mark.parametrize("depth", [3, 4])
@pytest.mark.parametrize("target", [10.0, 1e3])
def test_a_root_outside_the_domain_of_phi_is_no_slack(depth, target):
    """For a whole power ``s^-p - (2 - s)^-p`` has roots s > 2, or s < 0, to which starts lead."""
    potential = BallPotential(depth)
    right = potential.phi(1 - potential._slack(arb(target), potential.power, 0.0))
    assert right.overlaps(arb(target))
    refused = 0
    for start in np.linspace(0.01, 0.99, 50):
        try:
            slack = potential._slack(arb(target), potential.power, start)
        except ArithmeticError:
            refused += 1
            continue
        assert 0 < slack < 1
    assert refused


# Null space constants


def test_the_largest_product_may_be_one_whose_radius_is_large():
    """Of 1 and 0.9 +- 0.5 the second may be the larger."""
    products = Products(np.eye(2), [arb(1), arb(0.9, 0.5)])
    assert products.largest().contains(arb(1.375))
    assert not products.all_below(arb(1.25), np.arange(2))


def test_the_largest_product_may_be_one_of_which_rounding_left_nothing():
    """Halves of the last unit of 2^30 are lost one by one, and 2^30 is subtracted."""
    count, small = 64, 2.0**-23
    nu = np.array([2.0**30, *[small] * (count - 2), -(2.0**30)])
    columns = OneByOne.of(np.column_stack([32.0 * np.eye(count)[1], np.ones(count)]))
    products = Products(columns, [ball(value) for value in nu])
    assert np.array_equal(products.approximate, [32 * small, 0.0])
    assert products.largest() == arb(62 * small)
    assert not products.all_below(arb(33 * small), np.arange(2))


def test_a_constant_that_two_columns_attain_has_no_vertex():
    """|S| = N, M = (1/2, 1/2): each of them would make half of the first order."""
    frame = prove_frame(np.array([[1.0, 0.5, 0.5]]), [0])
    found = enclose_pattern_constant(frame, np.ones(1), np.ones(1))
    assert found.active is None
    assert found.value.contains(arb(0.5))


def rough_inverse(monkeypatch, factor=0.75):
    """Let R be a multiple of K^-1: as far from it as the proofs allow, and no rounding."""
    invert = np.linalg.inv
    monkeypatch.setattr("numpy.linalg.inv", lambda matrix: factor * invert(matrix))


@pytest.mark.parametrize("guess", [0.0, 0.5, 2.0])
def test_heights_allow_for_a_dual_vector_that_is_not_feasible(monkeypatch, guess):
    """A = [1, 1/2]: the constant is 1/2, R = 3/4 and nu a guess of 1."""
    rough_inverse(monkeypatch)
    frame = prove_frame(np.array([[1.0, 0.5]]), [0])
    assert frame.inverse.approximate == 0.75
    (height,) = _heights(frame, np.ones((1, 1)), np.array([[guess]]))
    assert height >= 0.5


def test_heights_allow_for_rounding_of_what_is_off_the_support():
    """``A_Sc^T nu`` is 2^-14, and so is the constant, but 0 as the products are added here."""
    small = 2.0**-14
    matrix = np.array([[1.0, small, small], [0.0, 1.0, -1.0], [0.0, 1.0, -1.0]])
    dual = np.array([[1.0, 2.0**40, -(2.0**40)]])
    assert not np.any(_one_by_one(dual, matrix[:, 1:]))
    frame = prove_frame(OneByOne.of(matrix), [0])
    (height,) = _heights(frame, np.ones((1, 1)), dual)
    assert height >= small


def test_heights_allow_for_rounding_on_the_support():
    """nu is too short by 2^-16 of it, of which A_S^T nu in doubles shows nothing."""
    near = np.array([[1 / 3, 1 / 3], [1 / 7, 1 / 7]])
    near[1, 1] *= 1.0 + 2.0**-38
    matrix = np.column_stack([near, near[:, 0] - near[:, 1]])
    pattern = np.array([1.0, -1.0])
    exact = rationals(near).transpose().solve(rationals(pattern[:, None])).entries()
    dual = np.array([float(arb(value)) for value in exact]) * (1.0 - 2.0**-16)
    assert np.array_equal(_one_by_one(dual, near), pattern)
    frame = prove_frame(OneByOne.of(matrix), [0, 1])
    (height,) = _heights(frame, pattern[None], dual[None])
    assert height >= 2.0  # <pattern, (1, -1)>, M being (1, -1)


# The minimizer


LONG = np.array([[1.0, 2.0**-100], [0.0, 1.0], [1.0, 0.0]])  # products of 153 bits


def test_data_that_are_a_combination_to_the_working_precision_only_are_refused():
    """y_0 is off by 2^-140, where A_S g has been rounded to 128 bits."""
    point = np.array([1.0 + 2.0**-52, 1.0 + 2.0**-52, 0.0, 0.0])
    matrix = np.column_stack([LONG, [[0.5], [0.25], [0.125]], [[0.25], [0.5], [0.5]]])
    data = exact_product(matrix, point)
    data[0] += fmpq(1, 2**140)
    with pytest.raises(NotProved, match="not a combination"):
        prove_minimizer(matrix, data, point, np.zeros(3))


def test_a_minimizer_that_is_one_of_doubles_to_the_working_precision_only_is_enclosed():
    point = np.array([1.0 + 2.0**-52, 1.0 + 2.0**-52, 0.0])
    matrix = np.column_stack([LONG[:2], [0.25, 0.25]])
    data = exact_product(matrix, point)
    data[0] += fmpq(1, 2**140)
    found = prove_minimizer(matrix, data, point, np.zeros(2))
    right = [rational(point[0]) + fmpq(1, 2**140), rational(point[1])]
    assert contain(found.values, right)


def test_a_minimizer_is_that_of_its_own_matrix():
    matrix = np.array([[1.0, 0.5]])
    minimizer = prove_minimizer(matrix, np.ones(1), np.array([1.0, 0.0]), np.ones(1))
    with pytest.raises(ValueError, match="of another matrix"):
        LimitProof(np.array([[1.0, 0.25]]), minimizer, 3)


@pytest.mark.parametrize("width", [1e-20, 1e-10, 0.5])
def test_an_accepted_radius_is_what_it_is(width):
    entries = [arb(-3), arb(1, 4.0 * width)]
    exact = 4.0 * width / (4.0 - 4.0 * width)  # the norm is 4 +- 4 width
    assert _narrow(entries, 1.001 * exact) is entries
    with pytest.raises(NotProved, match="too wide"):
        _narrow(entries, 0.999 * exact)


# Certificates of small problems, worked by hand


def test_a_dual_vector_is_judged_where_it_is_feasible():
    """A = [1, 2]: nu = 1/10 is far below 1 off S = {0}, but A_S^T nu is not 1."""
    with pytest.raises(NotProved, match="not strict"):
        prove_minimizer(np.array([[1.0, 2.0]]), np.ones(1), np.array([1.0, 0.0]), np.full(1, 0.1))


@pytest.mark.parametrize("entry", [1.0, -1.0])
def test_a_dual_vector_that_reaches_1_is_not_strict(entry):
    with pytest.raises(NotProved, match="not strict"):
        prove_minimizer(np.array([[1.0, entry]]), np.ones(1), np.array([1.0, 0.0]), np.ones(1))


def test_an_entry_that_may_be_0_has_no_sign():
    matrix = np.array([[1.0, 0.5, 0.25], [0.0, 1.0, 0.5]])
    with pytest.raises(NotProved, match="not proved different from 0"):
        prove_minimizer(matrix, np.array([2.0, 0.0]), np.array([2.0, 1.0, 0.0]), np.zeros(2))


# z = (1/2 + b, 1/4 - b) off S = {0}: rho is 3/8, where they meet
MEETING = np.array([[1.0, 0.5, 0.25], [0.0, 1.0, -1.0]])


@pytest.mark.parametrize("free", [0.0, -0.125, -0.5, 1.0, -5.0])
def test_a_lower_bound_of_rho_is_that_of_a_vector_in_the_kernel(free):
    """From any dual vector, whichever entries are the largest there."""
    frame = prove_frame(MEETING, [0])
    for found in (
        enclose_pattern_constant(frame, np.ones(1), np.array([1.0, free])),
        _between(frame, np.ones(1), frame.basis.T @ np.array([1.0, free])),
    ):
        assert found.value.contains(arb(0.375))


@pytest.mark.parametrize("signs", [[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
def test_a_vertex_of_wrong_signs_is_none(signs):
    found = _at_vertex(prove_frame(MEETING, [0]), np.ones(1), np.arange(2), np.array(signs))
    assert (found is not None) == (signs == [1.0, 1.0])
    assert found is None or found.value.contains(arb(0.375))


@pytest.mark.parametrize(
    ("columns", "free", "rho"),
    [
        # (|1/2 + b|, |2/5 + 2b|, |b|): the first two meet at b = 1/10, but b = -1/4 is best
        ([[0.5, 0.4, 0.0], [1.0, 2.0, 1.0]], 0.1, 0.25),
        # (|1/2 + b|, |1/2 - b|, |3/4 - b|): the first two meet at 0, where the third is larger
        ([[0.5, 0.5, 0.75], [1.0, -1.0, -1.0]], 0.0, 0.625),
    ],
)
def test_a_vertex_is_that_of_rho_where_weights_have_signs_and_no_entry_is_larger(
    columns, free, rho
):
    frame = prove_frame(np.column_stack([[1.0, 0.0], columns]), [0])
    for active in ([0, 1], [0, 2], [1, 2]):
        off = np.array(columns)[0] + free * np.array(columns)[1]
        for signs in (np.where(off < 0, -1.0, 1.0)[active], [1.0, 1.0], [1.0, -1.0]):
            found = _at_vertex(frame, np.ones(1), np.array(active), np.array(signs))
            assert found is None or found.value.contains(arb(rho))


def test_a_kernel_vector_counts_by_its_norm():
    """The kernel is spanned by (1, 1/2, ..., 1/2) off S, the projection of e_1 is longer."""
    count = 4
    matrix = np.zeros((count, count + 1))
    matrix[0] = [1.0] + [0.5] * count
    # so small that hardly anything says which vectors the kernel has
    matrix[1:, 1], matrix[1:, 2:] = -0.5e-3, 1e-3 * np.eye(count - 1)
    frame = prove_frame(matrix, [0])
    nu = np.array([1.0] + [-10.0] * (count - 1))
    assert _between(frame, np.ones(1), frame.basis.T @ nu).value.contains(arb(0.5, 1e-15))


@pytest.mark.parametrize("depth", [2, 3])
def test_the_constant_of_a_kernel_of_one_dimension(depth):
    """n = t (-3/4, 1/4, 1/4, 1/4, 1/4) with t = 4 alpha^(1/4), or 4 alpha phi(3/4)."""
    count, rho = 4, 0.75
    matrix = np.zeros((count, count + 1))
    matrix[0] = [1.0] + [rho] * count
    matrix[1:, 1], matrix[1:, 2:] = -1.0, np.eye(count - 1)
    nu = np.eye(count)[0]
    minimizer = prove_minimizer(matrix, nu, np.eye(count + 1)[0], nu)
    constant = enclose_pattern_constant(minimizer.frame, minimizer.sigma, nu)
    limit = LimitProof(matrix, minimizer, depth)
    kernel = np.array([-rho * count, *[1.0] * count])
    phi = 1.0 if depth == 2 else 64 - (4 / 7) ** 3
    exponent, found = limit.first_order(constant, kernel, np.log(phi), 1e-12)
    assert exponent.contains(arb(0.25) if depth == 2 else arb(1))
    right = arb(1) if depth == 2 else arb(64) - (arb(4) / 7) ** 3
    assert found.overlaps(right * count * (1 + rho))


# The derivative of the equations of a limit point, and what changes it


def tangent_of(depth, matrix, inside, **balls):
    """A Tangent at numbers that are given, else at ones."""
    partition = Partition(Exact(matrix), inside)
    ones = {"slope_in": [arb(1)] * len(partition.inside), "part_in": [arb(0)]}
    ones |= {"slope_out": [arb(1)] * len(partition.outside)}
    ones |= {"z_out": [arb(0)] * len(partition.outside)}
    values = Values(residual=[], outer=[], **(ones | balls))
    return Tangent(partition, potential(depth), values)


def moved_slopes(depth, t, part):
    """(1 / phi', room) where phi is t, a number, and 1 / phi' where x has moved by +- a part of
    the way, in units of it, that takes z to its end or over 1 at the first slope."""
    phi = BallPotential(depth)
    ((_, slope, room),) = phi.inverses_with_room([t])
    away = part * room * slope
    return 1 / slope, room, [1 / phi.inverse(t + side * away)[1] for side in (-1, 1)]


@pytest.mark.parametrize("depth", [2, 2.5, 3, 10])
@pytest.mark.parametrize("t", [-1e9, 1e-3, 1e9])
@pytest.mark.parametrize("part", [1e-4, 0.02, 0.1])
def test_the_slope_on_T_changes_by_no_more_than_its_bound(depth, t, part):
    """Where phi is steep, the bound is attained to first order."""
    if abs(t) < 1 and part > 1e-4:
        t = 1.0  # x does not cross 0
    slope, room, ends = moved_slopes(depth, arb(t), part)
    tangent = tangent_of(depth, np.eye(1, 2), [0], slope_in=[slope], part_in=[slope / room])
    weight = 2.0**-20
    moved = np.array([float(part * room / slope), 1.0])
    bound, _ = tangent.change(np.array([weight, 0.0]), np.zeros(1), moved, np.zeros(1))
    for end in ends:
        assert abs(end - slope) * weight <= arb(float(bound))


@pytest.mark.parametrize("depth", [2, 3])
def test_the_slope_on_T_changes_as_much_as_the_largest_part_of_the_room_says(depth):
    slope, room, ends = moved_slopes(depth, arb(1e9), 1e-4)
    part = slope / room
    tangent = tangent_of(depth, np.eye(1, 2), [0], slope_in=[slope], part_in=[part * arb(0.5, 0.5)])
    moved = np.array([float(1e-4 * room / slope), 1.0])
    bound, _ = tangent.change(np.array([1.0, 0.0]), np.zeros(1), moved, np.zeros(1))
    assert max(abs(float(end - slope)) for end in ends) <= bound


@pytest.mark.parametrize("depth", [2, 3, 10])
@pytest.mark.parametrize("z", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("part", [1e-4, 0.02, 0.1])
def test_the_slope_off_T_changes_by_no_more_than_its_bound(depth, z, part):
    phi = BallPotential(depth)
    away = part if depth == 2 else part * (1.0 - z)
    slope = phi.phi_prime(arb(z))
    tangent = tangent_of(depth, np.ones((1, 1)), [], z_out=[arb(z)], slope_out=[slope])
    weight = 2.0**-20
    (bound,) = tangent.change(np.ones(1), np.full(1, weight), np.zeros(1), np.full(1, away))
    for end in (z - away, z + away):
        assert abs(phi.phi_prime(arb(end)) - slope) * weight <= arb(float(bound))


@pytest.mark.parametrize("depth", [2, 3])
def test_slopes_are_those_of_all_members_of_a_ball(depth):
    """x is known to 1 %, or z is 1/2 +- 1/4, and both move on: from each of their members."""
    phi = BallPotential(depth)
    ((_, slope, room),) = phi.inverses_with_room([arb(1e6, 1e4)])
    tangent = tangent_of(depth, np.eye(1, 2), [0], slope_in=[1 / slope], part_in=[1 / slope / room])
    for member in (9.9e5, 1.01e6):
        first, its_room, _ = moved_slopes(depth, arb(member), 0.0)
        for part in (0.0, 1e-4):
            away = part * its_room / first
            moved = np.array([float(away), 0.0])
            bound, _ = tangent.change(np.eye(2)[0], np.zeros(1), moved, np.zeros(1))
            for side in (-1, 1):
                end = 1 / phi.inverse(arb(member) + side * away)[1]
                assert abs(end + tangent.matrix[0, 0]) <= arb(float(bound))
    z = arb(0.5, 0.25)
    tangent = tangent_of(depth, np.ones((1, 1)), [], z_out=[z], slope_out=[phi.phi_prime(z)])
    for member in (0.25, 0.75):
        for away in (0.0, 0.01):
            bound = tangent.change(np.ones(1), np.ones(1), np.zeros(1), np.full(1, away))[0]
            for end in (member - away, member + away):
                assert abs(phi.phi_prime(arb(end)) - tangent.matrix[0, 0]) <= arb(float(bound))


def test_the_room_of_a_wide_ball_is_that_of_its_farthest_member():
    """z = 1/2 +- 7/16, 1/16 from the end, with a slope of which the farthest member is known."""
    phi, last = BallPotential(3), 0.5 + 7 / 16
    slope = phi.phi_prime(arb(last))
    tangent = tangent_of(3, np.ones((1, 1)), [], z_out=[arb(0.5, 7 / 16)], slope_out=[slope])
    away = 2.0**-10
    bound = tangent.change(np.ones(1), np.ones(1), np.zeros(1), np.full(1, away))[0]
    assert phi.phi_prime(arb(last + away)) - slope <= arb(float(bound))


def test_the_derivative_itself_is_rounded():
    """``A_Tc A_Tc^T`` is 1 and 63 numbers that are lost, if they are added one by one."""
    row = np.array([[1.0, *[2.0**-27] * 63]])
    tangent = tangent_of(2, OneByOne.of(row), [])
    assert tangent.matrix == 1.0
    weights_z = np.abs(row[0])
    (bound,) = tangent.change(np.ones(1), weights_z, np.zeros(1), np.zeros(64))
    assert arb(bound) >= 63 * arb(2) ** -54


LOST = np.array([1.0, *[2.0**-53] * 63])  # 1 where it is added one by one


def test_a_step_is_as_far_from_a_residual_as_rounding_and_radii_allow():
    tangent = tangent_of(2, np.eye(64), [])
    tangent.inverse = OneByOne.of(np.vstack([LOST, np.eye(64)[1:]]))
    step = tangent.step([arb(1)] * 64)
    assert step.size[0] == 1.0
    assert rational(step.error[0]) >= 63 * HALF_UNIT
    assert rational(step.reach) >= 1 + 63 * HALF_UNIT
    for value in (arb(0, 1), arb(1, 0.5)):
        step = tangent.step([value] * 64)
        upper = float(value.abs_upper())
        assert np.all(np.asarray(step.size)[1:] + step.error[1:] >= upper)
        assert step.reach >= upper


@pytest.mark.parametrize("radius", [0.0, 0.5])
def test_the_motion_of_z_is_known_to_rounding_and_to_the_radius_of_the_step(radius):
    matrix = np.column_stack([np.ones(64), np.eye(64)])
    shift, spread = tangent_of(2, OneByOne.of(matrix), []).of_z(LOST, np.full(64, radius))
    assert shift[0] == -1.0
    assert rational(spread[0]) >= 63 * HALF_UNIT + 64 * rational(radius)


@pytest.mark.parametrize("shift", [0.01, -0.01, 0.1])
@pytest.mark.parametrize("spread", [0.0, 0.125])
@pytest.mark.parametrize("depth", [2, 3])
def test_n_off_T_moves_as_far_as_z_lets_it(depth, shift, spread):
    phi, z = BallPotential(depth), 0.25
    slope = phi.phi_prime(arb(z))
    tangent = tangent_of(depth, np.ones((1, 1)), [], z_out=[arb(z)], slope_out=[slope])
    away = np.array([abs(shift) + spread])
    (moved,), (error,) = tangent.of_outer(np.array([shift]), np.array([spread]), away)
    for end in (shift - spread, shift + spread):
        change = phi.phi(arb(z) + arb(end)) - phi.phi(arb(z))
        assert abs(change - moved) <= arb(float(error))


def test_the_product_of_a_slope_and_a_shift_is_rounded():
    """2 cosh z is nearly the double next to it, and z moves too little for anything else."""
    phi = BallPotential(2)
    z = next(z for z in np.linspace(1, 2, 999) if abs(missed(phi.phi_prime(arb(z)))) < 0.01)
    slope = phi.phi_prime(arb(z))
    shifts = 2.0**-60 * np.linspace(1, 2, 999)
    shift = next(h for h in shifts if abs(missed(arb(float(slope)) * h)) > 0.45)
    tangent = tangent_of(2, np.ones((1, 1)), [], z_out=[arb(z)], slope_out=[slope])
    tangent._radius_out = np.array([float(abs(slope - float(slope)).upper())])
    (moved,), (error,) = tangent.of_outer(np.array([shift]), np.zeros(1), np.array([shift]))
    change = phi.phi(arb(z) + arb(shift)) - phi.phi(arb(z))
    assert abs(change - moved) <= arb(float(error))


def missed(value):
    """By how much a ball is not a double, in units of its last place."""
    return float((value - float(value)) / np.spacing(abs(float(value))))


# Limit points of a problem of which they are known


class Scalar:
    """A = [1, 3/4]: with z = (lam, 3/4 lam) both parts of x are known, and g* = (y, 0).

    Attributes:
        system: the equations in (n_0, lam); start: the unknowns where they hold; exact: n.
    """

    def __init__(self, depth, lam, known=0):
        """
        Args:
            known: g* is known up to this ball, which contains 0.
        """
        phi, z = BallPotential(depth), [arb(lam), arb(0.75) * lam]
        with ctx.workprec(1000):
            x = [phi.phi(value).mid() for value in z]
            minimizer = x[0] + 0.75 * x[1]
            self.exact = [x[0] - minimizer, x[1]]
        partition = Partition(Exact(np.array([[1.0, 0.75]])), [0])
        self.system = _System(depth, partition, arb(1), arb(1), {0: minimizer + known})
        self.start = Unknowns([self.exact[0]], [z[0]])

    def near(self, error, dual):
        """Unknowns that are so far from the solution."""
        return Unknowns([self.start.error[0] + error], [self.start.dual[0] + dual])

    def agrees(self, found):
        """Whether balls contain n."""
        with ctx.workprec(1000):
            return all(n.contains(exact) for n, exact in zip(found, self.exact, strict=True))


SCALARS = [(2, 3.0), (2, 0.5), (3, 0.5), (4, 0.875)]


@pytest.mark.parametrize(("depth", "lam"), SCALARS)
@pytest.mark.parametrize("away", [1e-12, 1e-6, 1e-4, 1e-2, 0.1])
@pytest.mark.parametrize("factor", [1.0, 0.75, 0.625])
@pytest.mark.parametrize("narrow", [np.inf, 1e-3, 1e-6, 1e-9, 1e-20])
def test_limit_points_are_enclosed_after_long_steps_with_a_rough_inverse(
    monkeypatch, depth, lam, away, factor, narrow
):
    """Of one step, of several, and of those that leave the box."""
    scalar = Scalar(depth, lam)
    rough_inverse(monkeypatch, factor)
    monkeypatch.setattr("implicit_l1.proof.limit._NARROW", narrow)
    for side in (-1.0, 1.0):
        found = scalar.system.prove_in_doubles(scalar.near(0.0, side * away))
        assert found is None or scalar.agrees(found)
        found = scalar.system.prove_in_doubles(scalar.near(side * away, 0.0))
        assert found is None or scalar.agrees(found)
    if away < 1e-4 and factor == 1.0 and narrow > 1e-9:
        assert found is not None


@pytest.mark.parametrize(("depth", "lam"), SCALARS)
@pytest.mark.parametrize("side", [-1, 1])
def test_limit_points_are_those_of_all_minimizers_that_a_ball_holds(monkeypatch, depth, lam, side):
    """g* is near the end of what is known of it."""
    width = 1e-6
    scalar = Scalar(depth, lam, arb(0.999 * side * width, width))
    monkeypatch.setattr("implicit_l1.proof.limit._NARROW", 1.0)
    assert scalar.agrees(scalar.system.prove_in_doubles(scalar.start))


@pytest.mark.parametrize(("depth", "lam"), SCALARS)
@pytest.mark.parametrize("away", [0.0, 5e-12, 1e-9, 1e-6, 1e-3, 0.1])
def test_limit_points_are_enclosed_by_balls_from_any_distance(depth, lam, away):
    """Over a box around the point and not at the point; and only where the box holds the step."""
    scalar = Scalar(depth, lam)
    for error, dual in ((away, 0.0), (0.0, away), (-away, away)):
        assert scalar.agrees(scalar.system.prove_in_balls(scalar.near(error, dual)))


@pytest.mark.parametrize(
    ("reach", "contraction", "proves"),
    [(2.0, 0.5, True), (1.5, 0.5, False), (1.0, 0.0, False), (2.0, 0.51, False), (9.0, 0.9, False)],
)
def test_the_contraction_is_at_most_one_half_on_a_box_of_twice_the_step(
    monkeypatch, reach, contraction, proves
):
    """What is known holds up to a multiple of the step only."""
    scalar, step_of, steps = Scalar(2, 0.5), Tangent.step, []

    def step(self, residual):
        steps.append(step_of(self, residual))
        return steps[-1]

    def distance(self, radius):
        return contraction if radius <= reach * steps[-1].reach else np.inf

    monkeypatch.setattr(Tangent, "step", step)
    monkeypatch.setattr(Tangent, "distance", distance)
    found = scalar.system.prove_in_doubles(scalar.near(0.0, 1e-9))
    assert (found is not None) == proves


@pytest.mark.parametrize(("longer", "proves"), [(1.0, True), (1.02, False), (1e3, False)])
def test_steps_that_leave_the_box_prove_nothing(monkeypatch, longer, proves):
    """The second of them is made as long as the first, or longer: the box has room for two."""
    scalar, step_of, reaches = Scalar(2, 0.5), Tangent.step, []

    def step(self, residual):
        found = step_of(self, residual)
        reaches.append(found.reach)
        return replace(found, reach=0.99 * longer * reaches[0]) if len(reaches) == 2 else found

    monkeypatch.setattr(Tangent, "step", step)
    monkeypatch.setattr("implicit_l1.proof.limit._NARROW", 1e-9)
    found = scalar.system.prove_in_doubles(scalar.near(0.0, 1e-3))
    assert len(reaches) >= 2
    assert (found is not None) == proves


# The distance of a point from a limit point

ROW, KERNEL = np.array([1.0, 0.75]), np.array([-0.75, 1.0])


def plain(depth, lam):
    """(A, y, g*, x) of the limit point with the dual vector lam at alpha = 1, see Scalar."""
    x = potential(depth).phi(lam * ROW)
    return ROW[None], np.array([ROW @ x]), np.array([ROW @ x, 0.0]), x


@pytest.mark.parametrize(("depth", "lam"), SCALARS)
@pytest.mark.parametrize("direction", [ROW, KERNEL, ROW + KERNEL])
@pytest.mark.parametrize("part", [0.1, 0.01, 1e-4, 1e-8])
def test_the_distance_of_a_point_is_bounded_whichever_way_it_has_gone(depth, lam, direction, part):
    """What A x = y sees, what it does not, and what a step of first order leaves."""
    matrix, data, minimizer, x = plain(depth, lam)
    limit = LimitPoint(matrix, data, minimizer, potential(depth), 1.0)
    for side in (-part, part):
        move = side * x[1] * direction
        told = limit.distance(x + move).claim
        assert told >= np.abs(move).sum() / np.abs(x - minimizer).sum()
    assert told < 10 * part or part == 0.1


@pytest.mark.parametrize(("size", "known"), [(0.05, True), (0.3, False), (1.0, False)])
def test_a_step_over_which_slopes_change_too_much_says_nothing(size, known):
    """At D = 2 a slope grows by e^h: the theorem asks for no more than 3/2."""
    matrix, data, minimizer, x = plain(2, 3.0)
    limit = LimitPoint(matrix, data, minimizer, potential(2), 1.0)
    there = potential(2).phi(np.arcsinh(0.5 * x) + np.array([0.0, size]))
    there[0] = x[0] - 0.75 * (there[1] - x[1])
    assert np.isfinite(limit.distance(there).claim) == known


@pytest.mark.parametrize(("depth", "lam"), SCALARS)
@pytest.mark.parametrize("side", [-1, 1])
def test_data_that_g_does_not_fulfil_move_the_limit_point(depth, lam, side):
    matrix, data, minimizer, x = plain(depth, lam)
    off = side * 1e-7 * data
    limit = LimitPoint(matrix, data - off, minimizer, potential(depth), 1.0)
    told = limit.distance(x).claim  # x is the limit point of A g*, not of y
    lower, upper = lam - side * 1e-6, lam
    for _ in range(100):  # that of y, by bisection
        middle = 0.5 * (lower + upper)
        above = ROW @ potential(depth).phi(middle * ROW) > (data - off)[0]
        if above == (side > 0):
            upper = middle
        else:
            lower = middle
    right = potential(depth).phi(0.5 * (lower + upper) * ROW)
    assert np.abs(right - x).sum() > 1e-8 * np.abs(x).sum()
    assert told >= 0.999 * np.abs(right - x).sum() / np.abs(right - minimizer).sum()


def test_a_distance_is_relative_to_that_of_the_limit_point():
    """Of a step of 1/4 that leaves 1/4 where n, after it, is 1: it may be 1/2 of 3/4."""
    assert LimitDistance(0.25, 0.0, 0.25, 0.0).claim >= 0.5 / 0.75


# Limit points with many digits


@pytest.mark.parametrize("divisor", [3, 7, 11, 13, 1021])
def test_a_minimizer_that_is_a_sum_of_two_doubles_is_known_to_their_rounding(divisor):
    exact = fmpq(2, divisor)
    high = float(arb(exact))
    low = float(arb(exact - rational(high)))
    limit = PreciseLimit(np.array([[1.0, 0.5]]), np.array([high, 0.0]), np.array([low, 0.0]), 3)
    assert contain(limit._values(), [exact])


def test_a_minimizer_of_which_the_rest_is_not_given_follows_from_the_data():
    matrix, data = np.array([[1.0, 0.5]]), [fmpq(1, 3)]
    limit = PreciseLimit(matrix, np.array([1.0 / 3.0, 0.0]), np.zeros(2), 3, data)
    assert contain(limit._values(), data)


def test_data_that_are_no_combination_have_no_exact_minimizer():
    matrix, data = np.array([[1.0, 2.0, 0.0], [1.0, 0.0, 1.0]]), [fmpq(1, 3), fmpq(1, 4)]
    limit = PreciseLimit(matrix, np.array([1.0, 0.0, 0.0]), np.zeros(3), 2, data)
    with pytest.raises(ValueError, match="no combination"):
        limit.error(-1.0, None, 1e-6)


@pytest.mark.parametrize("log_alpha", [-20.0, -600.0])
def test_a_difference_from_one_of_several_minimizers(log_alpha):
    """n = t (-1/4, -1/4, 1), ``arsinh(t / 2 alpha) = arsinh((1/2 - t/4) / 2 alpha) / 2``."""
    several = np.array([[1.0, 1.0, 0.5]]), np.array([0.5, 0.5, 0.0]), np.zeros(3), 2
    limit = PreciseLimit(*several, [fmpq(1)], unique=False)
    error, log_unit, bound = limit.difference(log_alpha, None, 1e-10)
    with ctx.workprec(2500):
        alpha = arb(log_alpha).exp()
        t = alpha.sqrt()
        for _ in range(12):  # each has twice as many digits, at least
            t = 2 * alpha * (((arb(0.5) - t / 4) / (2 * alpha)).asinh() / 2).sinh()
            t = t.mid()
        expected = [-t / 4, -t / 4, t]
        for value, right in zip(error, expected, strict=True):
            got = arb(float(value)) * arb(log_unit).exp()
            assert abs(got / right - 1) < 1e-12
    assert 0 < bound < 1e-12
    with pytest.raises(NotProved, match="all bits"):
        limit.difference(log_alpha, None, 0.99 * bound)


# Intervals of decimals


@pytest.mark.parametrize("number", range(2, 60))
def test_a_geometric_median_lies_between_its_ends_whichever_way_a_root_is_rounded(number):
    found = geometric_median([Interval.of(1, 1), Interval.of(number, number)])
    assert Fraction(found.lower) ** 2 <= number <= Fraction(found.upper) ** 2


# Decisions in rational arithmetic


def test_columns_that_are_dependent_modulo_the_prime_are_not_called_so():
    """The determinant is 2^61 - 1, which is 0 where the rank is sought first."""
    matrix = np.array([[2.0**31, 1.0], [1.0, 2.0**30]])
    with pytest.raises(Undecided, match="rank modulo"):
        rational_rank(matrix)


def test_a_first_basis_has_the_signs_that_are_asked_for():
    matrix = RationalMatrix(np.array([[1.0, 1.0]]))
    with pytest.raises(Undecided, match="not feasible"):
        minimize(matrix, [fmpq(1)], [1, 1], [0, 1], signs=[-1, 0])


@pytest.mark.parametrize(("sign", "certified"), [(1.0, True), (-1.0, False)])
def test_dependent_columns_have_a_dual_vector_only_if_their_signs_agree(sign, certified):
    matrix = np.array([[1.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
    found = signed_certificate(matrix, np.array([0, 1]), np.array([1.0, sign]))
    assert (found is not None) == certified


THIRDS = np.array([[1 / 3, 1 / 7, 1 / 9, 0.1], [1 / 5, -1 / 3, 1 / 11, 0.1]])


def test_the_rounding_of_a_minimizer_is_kept_to_twice_the_precision(monkeypatch):
    """Where the first bits do not suffice for it, more are taken."""
    monkeypatch.setattr("implicit_l1.minimizer.decision._PRECISIONS", (80, 320))
    data = [rational(value) / 3 for value in THIRDS[:, 0]]
    found = certified_support(THIRDS, nearest_doubles(data), np.array([1 / 3, 0.0, 0, 0]), data)
    left = fmpq(1, 3) - rational(1 / 3)
    assert found.point_low[0] == float(arb(left))


def test_a_certificate_is_rounded_once(monkeypatch):
    found = []
    for bits in ((45, 320), (320,)):
        monkeypatch.setattr("implicit_l1.minimizer.decision._PRECISIONS", bits)
        data = exact_product(THIRDS, np.array([1.0, 0.0, 0.0, 0.0]))
        point = np.array([1.0, 0.0, 0.0, 0.0])
        found.append(certified_support(THIRDS, nearest_doubles(data), point, data).certificate)
    for name in ("nu", "direction", "margin"):
        assert np.array_equal(getattr(found[0], name), getattr(found[1], name)), name


def test_a_vertex_is_the_sum_of_two_doubles_an_entry():
    values = [fmpq(1, 3), fmpq(-2, 7)]
    point, low = _doubles_of(Vertex([1, 0], values, [], [], fmpz(1)), 3)
    for value, high, rest in zip(values, point[[1, 0]], low[[1, 0]], strict=True):
        assert abs(value - rational(high) - rational(rest)) < fmpq(1, 2**106)


# What rounding can do to data, to the maps of a support, and to a rank


def test_a_product_that_underflows_may_lose_half_of_the_smallest_double():
    matrix, x = np.array([[5 * 2.0**-1074]]), np.array([0.5])
    assert matrix @ x == 2 * 2.0**-1074  # of two and a half
    assert first_beyond_rounding(matrix, x, matrix @ x, 2.0**-53) is None


def test_maps_of_a_support_are_rounded_once(monkeypatch):
    monkeypatch.setattr("implicit_l1.minimizer.support._PRECISIONS", (80, 512))
    square = np.outer([1 / 3, 1 / 7], [1.0, 1.0])
    square[1, 1] *= 1.0 + 2.0**-40
    right = np.array([[0.1, 0.3], [0.7, 0.9]])
    exact = rationals(square).solve(rationals(right)).tolist()
    found = _solved_with_more_bits(square, right)
    assert np.array_equal(found, [[float(arb(value)) for value in row] for row in exact])


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_matrix_is_well_conditioned_relative_to_its_size(size):
    assert well_conditioned(size * np.array([[1.0, 0.0], [0.0, 1e-3]]))
    assert not well_conditioned(size * np.array([[1.0, 0.0], [0.0, 1e-5]]))


# Bounds on the error, from maps that are not what they should be


def bounded(lam, geometry_of=lambda geometry: geometry, off=0.0):
    """Bounds at D = 2, alpha = 1, A = [1, 1/2] and the limit point with this dual vector.

    Args:
        geometry_of: changes what M and R are taken for.
        off: what is added to n_0, of ||n||_1, and said to be its error.
    Returns:
        (bounds, log of ||n_Sc||_1, log of ||n||_1).
    """
    matrix, phi = np.array([[1.0, 0.5]]), potential(2)
    x = phi.phi(lam * matrix[0])
    minimizer, n = np.array([x[0] + 0.5 * x[1], 0.0]), np.array([-0.5 * x[1], x[1]])
    geometry = support_geometry(matrix, [0])
    dual = certificate(matrix, geometry, np.ones(1), np.ones(1))
    error = n + np.array([off * np.abs(n).sum(), 0.0])
    arguments = matrix, geometry_of(geometry), minimizer, dual, phi, np.zeros(1), error[None], 0.5
    said = abs(off) * np.abs(n).sum() / np.abs(error).sum()
    found = error_bounds(*arguments, np.full(1, said))
    return found, np.log(x[1]), np.log(np.abs(n).sum())


def hold(found, off, total):
    """Whether logarithms of bounds hold but for rounding."""
    pairs = [(found.off, off), (found.off_refined, off)]
    pairs += [(found.total, total), (found.total_refined, total)]
    return all(
        band.log_upper[0] >= norm - 1e-11
        and max(band.log_lower[0], band.log_lower_prior[0]) <= norm + 1e-11
        for band, norm in pairs
    )


@pytest.mark.parametrize("factor", [1 - 1e-3, 1 - 1e-6, 1.0, 1 + 1e-6, 1 + 1e-3])
@pytest.mark.parametrize("lam", [0.5, 10.0, 40.0])
def test_bounds_hold_whatever_the_maps_of_the_support_are_worth(factor, lam):
    """lam misses ``A_S^T lam``, or k the kernel: so much is added, and both bounds are attained."""
    assert hold(*bounded(lam, lambda geometry: replace(geometry, r=factor * geometry.r)))
    of_map = bounded(lam, lambda geometry: replace(geometry, range_map=factor * geometry.range_map))
    assert hold(*of_map)


@pytest.mark.parametrize("off", [-1e-3, 1e-3, 1e-6])
@pytest.mark.parametrize("lam", [0.5, 2.0])
def test_lower_bounds_allow_for_the_error_of_n(off, lam):
    """They are attained, and x_S enters them: n_S is taken for larger or smaller than it is."""
    assert hold(*bounded(lam, off=off))


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_the_largest_entry_of_a_map_is_no_less_than_it_is(factor):
    matrix = np.array([[1.0, 0.5]])
    geometry = support_geometry(matrix, [0])
    dual = certificate(matrix, geometry, np.ones(1), np.ones(1))
    geometry = replace(geometry, range_map=factor * geometry.range_map)
    minimizer, phi = np.array([1.0, 0.0]), potential(2)
    scales = _Scales(matrix, geometry, minimizer, dual, phi, np.array([-1.0]), 0.5)
    assert scales.largest_range_map() >= 0.5


@pytest.mark.parametrize("numerator", range(1, 24, 2))
def test_a_direction_is_known_to_a_rounding_of_1(numerator):
    """At alpha = exp(-10^6), ``log n = -(1 - rho) 10^6``, of which z = rho 10^6 loses 1e-10."""
    matrix = np.array([[3000.0, 3000.0 - numerator]])
    geometry = support_geometry(matrix, [0])
    dual = certificate(matrix, geometry, np.ones(1), np.ones(1) / 3000.0)
    minimizer, log_alpha = np.array([1.0, 0.0]), np.array([-1e6])
    arguments = matrix, geometry, minimizer, dual, potential(2), log_alpha, np.zeros((1, 2))
    rho_tilde = (3000.0 - numerator) / 3000.0 * (1 + 1e-15)
    found = error_bounds(*arguments, rho_tilde)
    right = float(fmpq(-numerator * 10**6, 3000).p) / float(fmpq(-numerator * 10**6, 3000).q)
    assert found.off_refined.log_upper[0] >= right - 2e-11


def test_of_exponents_that_are_nearly_1_the_margins_tell():
    """1 - 2^-40 leads, and not 1 - 2^-39, which is as large to 12 digits."""
    matrix = np.array([[1.0, 1.0 - 2.0**-40, 1.0 - 2.0**-39]])
    geometry = support_geometry(matrix, [0])
    dual = certificate(matrix, geometry, np.ones(1), np.ones(1))
    found = first_order(matrix, geometry, np.array([1.0, 0.0, 0.0]), dual, potential(2))
    assert found.exponent == 2.0**-40
    assert np.array_equal(found.error[1:], [1.0, 0.0])


# What is left of a limit point after its correction


def test_what_moves_z_off_T_moves_n_on_T_too():
    """Without reaction ``dn_Tc = W f`` and ``dn_T = -M W f``: for M of ones or zeros attained."""
    root, change = np.array([2.0, 2.0]), np.array([1e-3, 1e-3])
    none = np.zeros(2, dtype=bool)
    for maps, most in ((np.ones((1, 2)), 2.0), (np.zeros((1, 2)), 1.0)):
        whole, _ = _spread(maps, root, np.zeros(1), change, 0.0, none, 0.0)
        assert whole >= most * (root**2 @ change) * (1 - 1e-12)
    _, largest = _spread(maps[:, :1], root[:1], np.zeros(1), change[:1], 0.0, none[:1], 0.0)
    assert largest >= root[0] ** 2 * change[0] * (1 - 1e-12)


def test_what_moves_the_rest_of_the_support_moves_n_on_T_too():
    """``n_R`` by ``f_R / G`` with G = 1 / W_R + M_R^2 / W_T, and n_T by M_R of it."""
    root, rest = np.array([1e-9, 1e6]), np.array([False, True])
    maps, into_z = np.array([[0.5, 0.25]]), np.array([16.0])
    whole, _ = _spread(maps, root, into_z, np.zeros(2), np.array([1e-3]), rest, 0.0)
    assert whole >= 1e-3 / (1e-12 + 1.0) * 1.25
