"""Proofs in ball arithmetic against computations of other kinds, and what they refuse."""

from functools import cache
from itertools import product

import numpy as np
import pytest
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from implicit_l1.minimizer.null_space import largest_margin_dual, null_space_constant
from implicit_l1.minimizer.support import certificate, support_geometry
from implicit_l1.network.asymptotics import first_order
from implicit_l1.network.limit import limit_path
from implicit_l1.potentials import potential
from implicit_l1.problems.problem import Problem, Rows
from implicit_l1.proof import statements
from implicit_l1.proof.balls import (
    column,
    exact_matrix,
    largest,
    power_of_ten,
    relative_radius,
    sum_of_sizes,
)
from implicit_l1.proof.constants import (
    _between,
    _heights,
    _hold_all,
    enclose_null_space_constant,
    enclose_pattern_constant,
)
from implicit_l1.proof.equations import Partition, Unknowns
from implicit_l1.proof.frame import NotProved, prove_frame
from implicit_l1.proof.limit import LimitProof, _middle, _minus, _System, _unit
from implicit_l1.proof.minimizer import prove_minimizer
from implicit_l1.proof.statements import at_some_precision, statement
from implicit_l1.proof.tangent import Tangent
from implicit_l1.proof.verified import Exact
from reference import (
    Instance,
    dense_data,
    fractions,
    instance,
    kernel_data,
    kernel_family_log_error,
    kernel_vertices,
    limit_log_error,
    null_space_constant_by_patterns,
    sparse_data,
)
from reference import pattern_constant as constant_of_program

LOG10 = np.log(10.0)
RADIUS = 1e-12
DEPTHS = [2, 2.5, 3, 6]


def proved(case):
    found = case.minimizer
    return prove_minimizer(case.matrix, case.data, found.point, found.certificate.nu)


def guesses(case, depth, exponents):
    """(error, log_unit) of the path of double precision at alpha = 10^exponents."""
    found = case.minimizer
    log_alpha = LOG10 * np.array(exponents, dtype=float)
    path = limit_path(case.matrix, found.point, found.certificate, potential(depth), log_alpha)
    return list(zip(path.error, path.log_unit, strict=True))


def norm(limit, exponent, guess, radius=RADIUS):
    return sum_of_sizes(limit.error(power_of_ten(float(exponent)), *guess, radius))


def agrees(value, log_value, ulps=4):
    """Whether a positive ball contains exp of a double that was rounded a few times."""
    spread = ulps * np.spacing(max(1.0, abs(log_value)))
    return value.log().overlaps(arb(float(log_value), spread))


@cache
def made(name):
    """Instances of 15 x 40 and 12 x 30, with and without noise, as `instance` has them."""
    matrix, point = {"sparse": sparse_data, "dense": dense_data}[name]()
    if name == "sparse":  # on a grid on which A x_0 is exact
        matrix, point = np.rint(matrix * 2.0**36) / 2.0**36, np.rint(point * 2.0**10) / 2.0**10
    return with_certificate(matrix, point)


def with_certificate(matrix, point):
    support = np.flatnonzero(point)
    geometry = support_geometry(matrix, support)
    sigma = np.sign(point[support])
    dual = certificate(matrix, geometry, sigma, largest_margin_dual(matrix, geometry, sigma))

    class Found:
        pass

    found = Found()
    found.point, found.support, found.certificate = point, support, dual
    return Instance(matrix, point, matrix @ point, found)


# The minimizer


def test_the_minimizer_is_enclosed(small):
    minimizer = proved(small)
    support = small.minimizer.support
    assert np.array_equal(minimizer.support, support)
    assert np.array_equal(minimizer.sigma, np.sign(small.minimizer.point[support]))
    image = fractions(small.matrix[:, support])
    for row, right in zip(image, small.data, strict=True):
        total = arb(0)
        for entry, value in zip(row, minimizer.values, strict=True):
            total += arb(float(entry)) * value
        assert total.contains(arb(float(right)))
    assert all(relative_radius(value) < 1e-30 for value in minimizer.values)
    assert float(minimizer.margin) == pytest.approx(small.minimizer.margin, rel=1e-12)
    sizes = np.abs(small.minimizer.point[support])
    assert float(minimizer.kappa) == pytest.approx(sizes.max() / sizes.min(), rel=1e-12)
    if support.size < 20:  # recovered, and exactly so
        for value, entry in zip(minimizer.values, small.signal[support], strict=True):
            assert value == arb(float(entry))


def test_the_margin_is_that_of_a_feasible_dual_vector(small):
    """Any dual vector near the right one will do, and its own margin is enclosed."""
    nu = small.minimizer.certificate.nu
    nu = nu + 1e-6 * np.random.default_rng(0).standard_normal(nu.size)
    found = small.minimizer
    margin = prove_minimizer(small.matrix, small.data, found.point, nu).margin
    support = found.support
    on, off = small.matrix[:, support], small.matrix[:, small.complement]
    feasible = nu - np.linalg.pinv(on.T) @ (on.T @ nu - np.sign(found.point[support]))
    assert float(margin) == pytest.approx(1 - np.abs(off.T @ feasible).max(), rel=1e-10)


def test_a_minimizer_of_doubles_is_known_exactly():
    """|S| = N, no projection: g* - x_0 is 0, not a ball around it."""
    rng = np.random.default_rng(3)
    matrix = np.hstack(
        [np.triu(rng.integers(-8, 9, (5, 5)) / 8.0, 1) + np.eye(5), 1e-3 * np.eye(5)]
    )
    point = np.append(rng.integers(1, 9, 5) / 4.0, np.zeros(5))
    minimizer = prove_minimizer(matrix, matrix @ point, point, np.zeros(5))
    assert all(value == arb(float(x)) for value, x in zip(minimizer.values, point, strict=False))
    data = matrix @ point + np.append(np.zeros(4), 2.0**-52)
    values = prove_minimizer(matrix, data, point, np.zeros(5)).values
    assert values[4].contains(arb(float(data[4])))  # the last row is that of the identity
    assert not np.all([value == arb(float(x)) for value, x in zip(values, point, strict=False)])


def test_dual_vectors_are_feasible(small):
    frame = proved(small).frame
    support, nu = small.minimizer.support, small.minimizer.certificate.nu
    pattern = np.random.default_rng(0).standard_normal(support.size)
    free = frame.basis.T @ nu
    for found in (frame.dual(pattern, free), frame.feasible(pattern, nu)):
        reached = frame.matrix.times(found, transposed=True)
        for index, entry in zip(support, pattern, strict=True):
            assert reached[index].contains(arb(float(entry)))
            assert reached[index].rad() < 1e-28
        off = frame.off(found)
        sizes = [abs(reached[index]) for index in frame.outside]
        for place, index in enumerate(frame.outside):
            assert off.entry(place).overlaps(reached[index])
            assert sizes[place] <= arb(float(off.bounds[place]))
        assert off.largest().overlaps(largest(sizes))
        highest = np.argmax(off.bounds)
        rest = np.delete(np.arange(off.bounds.size), highest)
        assert off.all_below(sizes[highest], rest)
        assert not off.all_below(sizes[highest], np.append(rest, highest))


NOISELESS = {"N": 20, "d": 60, "s": 2, "eta": 0.0}


def refused(case, words, **changes):
    given_ = {
        "matrix": case.matrix,
        "data": case.data,
        "point": case.minimizer.point,
        "nu": case.minimizer.certificate.nu,
    }
    with pytest.raises(NotProved, match=words):
        prove_minimizer(*(given_ | changes).values())


def test_a_wrong_guess_of_the_values_proves_the_same():
    case = instance(**NOISELESS)
    right, wrong = (
        prove_minimizer(case.matrix, case.data, point, case.minimizer.certificate.nu)
        for point in (case.minimizer.point, 3.0 * case.minimizer.point)
    )
    for value, other in zip(right.values, wrong.values, strict=True):
        assert value.is_exact()
        assert value == other


def test_a_wrong_support_is_refused():
    case = instance(**NOISELESS)
    point, support, complement = case.minimizer.point, case.minimizer.support, case.complement
    for change, words in [
        ({support[0]: 0.0}, "not a combination"),
        ({support[0]: 0.0, complement[0]: 1.0}, "not a combination"),
        ({complement[3]: 1.0}, "not proved different from 0"),
        (dict.fromkeys(range(60), 1.0), "a support of 60 columns in 20 dimensions"),
        (dict.fromkeys(range(60), 0.0), "a support of 0 columns"),
    ]:
        wrong = point.copy()
        wrong[list(change)] = list(change.values())
        refused(case, words, point=wrong)
    noisy = instance(20, 60, 2, 0.1)
    wrong = noisy.minimizer.point.copy()
    wrong[noisy.minimizer.support[0]], wrong[noisy.complement[0]] = 0.0, 1.0
    refused(noisy, "not strict", point=wrong)


def test_data_that_are_not_exactly_sparse_are_refused():
    case = instance(**NOISELESS)
    data = case.data.copy()
    data[7] = np.nextafter(data[7], np.inf)
    refused(case, "not a combination", data=data)


def test_a_dual_vector_that_is_not_strict_is_refused(small):
    nu = small.minimizer.certificate.nu
    far = nu + 10.0 * np.random.default_rng(0).standard_normal(nu.size)
    if small.minimizer.support.size < 20:
        refused(small, "not strict", nu=far)
        refused(small, "not strict", nu=-20 * nu)
        refused(small, "not strict", nu=np.full(nu.size, np.nan))
    else:  # |S| = N: the signs alone determine it
        assert proved(small).margin.overlaps(
            prove_minimizer(small.matrix, small.data, small.minimizer.point, far).margin
        )


@pytest.mark.parametrize("side", [-1.0, 1.0])
def test_equal_columns_are_refused(side):
    """A copy, up to sign, of a column of S: the minimizer is one of many."""
    case = instance(**NOISELESS)
    first, second = case.minimizer.support
    other = case.complement[0]
    matrix = case.matrix.copy()
    matrix[:, other] = side * matrix[:, first]
    refused(case, "not strict", matrix=matrix)
    point = case.minimizer.point.copy()
    point[other] = side * point[first]
    refused(case, "not proved independent", matrix=matrix, point=point)
    # of a column off S nothing is wrong
    matrix = case.matrix.copy()
    matrix[:, other] = side * matrix[:, case.complement[1]]
    sigma = np.sign(case.minimizer.point[[first, second]])
    nu = largest_margin_dual(matrix, support_geometry(matrix, [first, second]), sigma)
    prove_minimizer(matrix, case.data, case.minimizer.point, nu)


@pytest.mark.parametrize("count", [1, 4])
def test_rho_equal_to_one_is_refused(count):
    case = with_certificate(*kernel_data(1.0, count))
    refused(case, "not strict")
    proved(with_certificate(*kernel_data(1 - 2.0**-40, count)))


# rho


def drawn(seed, rows, columns, size):
    """(matrix, support, signs, dual vector that attains rho) in general position."""
    rng = np.random.default_rng(seed)
    while True:
        matrix = rng.standard_normal((rows, columns))
        support = np.sort(rng.choice(columns, size, replace=False))
        if np.linalg.cond(matrix[:, support]) < 1e3:
            break
    signs = rng.choice([-1.0, 1.0], size)
    nu = largest_margin_dual(matrix, support_geometry(matrix, support), signs)
    return matrix, support, signs, nu


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 6))
def test_rho_by_a_linear_program(seed, size):
    matrix, support, signs, nu = drawn(seed, 6, 12, size)
    rho = enclose_pattern_constant(prove_frame(matrix, support), signs, nu).value
    assert float(rho) == pytest.approx(constant_of_program(matrix, support, signs), rel=1e-7)
    assert relative_radius(rho) < 1e-25


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [2, 3, 6])
def test_rho_over_the_vertices_of_the_kernel(seed, size):
    matrix, support, signs, nu = drawn(seed, 6, 9, size)
    vertices = np.array(list(kernel_vertices(matrix, support)))
    expected = np.abs(vertices[:, support] @ signs).max()
    found = enclose_pattern_constant(prove_frame(matrix, support), signs, nu)
    assert float(found.value) == pytest.approx(expected, rel=1e-11)
    # the kernel vector on its active set has norm 1 and attains it
    active = np.setdiff1d(range(9), support)[found.active]
    n = vertices[np.argmax(np.abs(vertices[:, support] @ signs))]
    kernel = np.array([float(k) for k in found.kernel])
    assert np.abs(kernel).sum() == pytest.approx(1.0, rel=1e-14)
    assert np.allclose(np.abs(kernel), np.abs(n[active]), atol=1e-10)
    assert np.allclose(np.abs(n).sum() - np.abs(n[support]).sum(), 1.0)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 5), st.sampled_from([1e-14, 1e-8, 1e-3, 0.1, 10.0]))
def test_from_any_dual_vector_the_enclosure_of_rho_holds(seed, size, away):
    """Wrong guesses make it wide; only the vertex itself makes it narrow."""
    matrix, support, signs, nu = drawn(seed, 6, 12, size)
    frame = prove_frame(matrix, support)
    right = enclose_pattern_constant(frame, signs, nu).value
    moved = nu + away * np.random.default_rng(seed).standard_normal(nu.size)
    value = enclose_pattern_constant(frame, signs, moved).value
    assert value.overlaps(right)
    assert relative_radius(right) < 1e-25
    if away <= 1e-14:
        assert relative_radius(value) < 1e-25


@pytest.mark.parametrize(
    ("rows", "nu", "rho"),
    [
        # (|1/2 + b|, |2/5 + 2b|, |b|): the first two meet at b = 1/10, but b = -1/4 is best
        ([[1, 0.5, 0.4, 0], [0, 1, 2, 1]], [1, 0.1], 0.25),
        # at b = 1e-11 the first two are largest, at b = 0, where they meet, the third is
        ([[1, 0.5, 0.5, 0.5 + 5e-10], [0, 1, -1, -1000]], [1, 1e-11], 0.5 + 5e-10 / 1001),
    ],
)
def test_a_vertex_that_is_not_the_lowest_is_not_rho(rows, nu, rho):
    """z_j = A_1j + b A_2j with S = {0}, A_0 = e_1: rho is the least largest |z_j|."""
    value = enclose_pattern_constant(
        prove_frame(np.array(rows), [0]), np.ones(1), np.array(nu)
    ).value
    assert value.overlaps(arb(rho, 1e-15))


def test_a_dual_vector_to_the_tolerance_of_a_linear_program_suffices(small):
    minimizer = proved(small)
    nu = small.minimizer.certificate.nu
    near = nu + 1e-8 * np.random.default_rng(0).standard_normal(nu.size)
    rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, near)
    assert rho.active is not None
    assert relative_radius(rho.value) < 1e-20


def test_a_kernel_vector_is_weighed_by_its_norm():
    """The kernel is spanned by (1, 1/2, ..., 1/2) off S: its projection of e_1 is longer."""
    count, small = 10, 1e-3
    matrix = np.zeros((count, count + 1))
    matrix[0] = [1.0] + [0.5] * count
    matrix[1:, 1] = -0.5 * small
    matrix[1:, 2:] = small * np.eye(count - 1)
    nu = np.array([1.0] + [-10.0] * (count - 1))  # only the first entry is as large as any
    frame = prove_frame(matrix, [0])
    value = _between(frame, np.ones(1), frame.basis.T @ nu).value
    assert value.contains(arb(0.5, 1e-15))


def test_a_dual_vector_of_nothing_is_refused():
    matrix, support, signs, nu = drawn(0, 6, 12, 3)
    with pytest.raises(NotProved):
        enclose_pattern_constant(prove_frame(matrix, support), signs, np.full(nu.size, np.nan))


@pytest.mark.parametrize("size", [3, 6])
def test_a_degenerate_vertex_leaves_an_enclosure_of_rho(size):
    """An active column stands twice: more active indices than unknowns, the same rho."""
    matrix, support, signs, nu = drawn(1, 6, 12, size)
    single = enclose_pattern_constant(prove_frame(matrix, support), signs, nu)
    active = np.setdiff1d(range(12), support)[single.active[0]]
    doubled = np.column_stack([matrix, -matrix[:, active]])
    found = enclose_pattern_constant(prove_frame(doubled, support), signs, nu)
    assert found.active is None
    assert found.value.overlaps(single.value)
    assert relative_radius(found.value) < 1e-12


@pytest.mark.parametrize("count", [1, 2, 7])
@pytest.mark.parametrize("rho", [0.0, 0.3, 0.99])
def test_rho_of_the_kernel_family(rho, count):
    matrix, point = kernel_data(rho, count)
    nu = with_certificate(matrix, point).minimizer.certificate.nu
    value = enclose_pattern_constant(prove_frame(matrix, [0]), np.ones(1), nu).value
    assert value.contains(arb(rho))
    assert value.rad() < 2.0**-80  # to which dual vectors are enclosed at 128 bits


# rho~


def patterns_of(size):
    return np.array([[1.0, *rest] for rest in product([-1.0, 1.0], repeat=size - 1)])


def duals_of(matrix, support, patterns):
    geometry = support_geometry(matrix, support)
    return np.array([largest_margin_dual(matrix, geometry, pattern) for pattern in patterns])


def bracket_of(matrix, support, patterns):
    frame = prove_frame(matrix, support)
    return enclose_null_space_constant(frame, patterns, duals_of(matrix, support, patterns))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [1, 2, 4, 7])
def test_the_null_space_constant_over_all_patterns(seed, size):
    matrix, support, _, _ = drawn(seed, 7, 15, size)
    expected = null_space_constant_by_patterns(matrix, support)
    lower, upper = bracket_of(matrix, support, patterns_of(size))
    assert float(lower) == float(upper) == pytest.approx(expected, rel=1e-7)
    assert relative_radius(upper) < 1e-25


@pytest.mark.parametrize("seed", range(3))
def test_the_null_space_constant_over_the_vertices_of_the_kernel(seed):
    matrix, support, _, _ = drawn(seed, 6, 9, 3)
    vertices = np.array(list(kernel_vertices(matrix, support)))
    expected = np.abs(vertices[:, support]).sum(axis=1).max()
    _, upper = bracket_of(matrix, support, patterns_of(3))
    assert float(upper) == pytest.approx(expected, rel=1e-11)


def test_poor_dual_vectors_do_not_spoil_the_null_space_constant():
    """Those of the smaller patterns need not be the best: none is mistaken for the largest."""
    matrix, support, _, _ = drawn(0, 7, 15, 4)
    patterns, frame = patterns_of(4), prove_frame(matrix, support)
    duals = duals_of(matrix, support, patterns)
    exact, _ = enclose_null_space_constant(frame, patterns, duals)
    rng = np.random.default_rng(0)
    for away in (1e-9, 1e-3, 0.3):
        moved = duals + away * rng.standard_normal(duals.shape)
        lower, upper = enclose_null_space_constant(frame, patterns, moved)
        assert lower.overlaps(exact)
        assert upper.overlaps(exact)


def test_of_two_patterns_that_hardly_differ_the_larger_counts():
    """Constants 1/2 + 1e-12 and 1/2 - 1e-12, the second with a dual vector that is too high."""
    matrix = np.array([[1, 0, 0.5, 0.5], [0, 1, 1e-12, 1e-12], [0, 0, 1, -1]])
    patterns = np.array([[1.0, 1.0], [1.0, -1.0]])
    duals = np.column_stack([patterns, [0.0, 1e-10]])
    for order in ([0, 1], [1, 0]):
        lower, upper = enclose_null_space_constant(
            prove_frame(matrix, [0, 1]), patterns[order], duals[order]
        )
        assert lower.overlaps(arb(0.5 + 1e-12, 1e-16))
        assert upper.overlaps(arb(0.5 + 1e-12, 1e-16))


@pytest.mark.parametrize("away", [0.0, 1e-9, 1e-3])
def test_heights_are_upper_bounds(away):
    """Those of the constants themselves, and of no more than the dual vectors reach."""
    matrix, support, _, _ = drawn(0, 7, 15, 4)
    patterns, frame = patterns_of(4), prove_frame(matrix, support)
    duals = duals_of(matrix, support, patterns)
    duals += away * np.random.default_rng(0).standard_normal(duals.shape)
    heights = _heights(frame, patterns, duals)
    for height, pattern, dual in zip(heights, patterns, duals, strict=True):
        assert enclose_pattern_constant(frame, pattern, dual).value <= arb(float(height))
        reached = np.abs(np.delete(matrix, support, axis=1).T @ dual).max()
        assert height <= reached + 1e-8 + 100 * away
    nothing = np.full(duals.shape, np.nan)
    assert np.all(_heights(frame, patterns, nothing) == np.inf)


@pytest.mark.parametrize("seed", range(5))
def test_the_null_space_constant_of_a_square_support_is_the_largest_column_norm(seed):
    matrix, support, _, _ = drawn(seed, 6, 14, 6)
    frame = prove_frame(matrix, support)
    lower, upper = enclose_null_space_constant(frame, None, None)
    norms = [sum_of_sizes(entries) for entries in frame.range_map.transpose().tolist()]
    assert lower.overlaps(largest(norms))
    assert relative_radius(upper) < 1e-28


def test_a_pattern_that_is_missing_is_refused():
    matrix, support, _, _ = drawn(0, 7, 15, 4)
    patterns = patterns_of(4)
    for wrong in (
        np.delete(patterns, 5, axis=0),
        np.vstack([patterns[:-1], -patterns[0]]),  # the opposite of one that is there
        np.vstack([patterns[:-1], 0.5 * patterns[-1]]),
        np.vstack([patterns[:-1], np.append(patterns[-1][:-1], np.nan)]),
        np.vstack([patterns[:-1], np.append(patterns[-1][:-1], 0.0)]),
        patterns[:0],
    ):
        with pytest.raises(NotProved, match=r"over all sign patterns|not one of sign patterns"):
            enclose_null_space_constant(
                prove_frame(matrix, support), wrong, np.zeros((len(wrong), 7))
            )


def ceiling(value):
    """The next number of four digits."""
    exponent = int(np.floor(np.log10(value))) - 3
    return float(f"{np.ceil(value / 10.0**exponent)}e{exponent}")


@pytest.mark.parametrize("seed", range(4))
def test_one_pattern_and_the_unit_vectors_bracket_the_null_space_constant(seed):
    matrix, support, signs, _ = drawn(seed, 7, 15, 3)
    exact, _ = bracket_of(matrix, support, patterns_of(3))
    lower, upper = bracket_of(matrix, support, np.vstack([signs, np.eye(3)]))
    assert lower.lower() <= exact.upper()
    assert upper.lower() > exact.upper()
    rho = constant_of_program(matrix, support, signs)
    assert float(lower) == pytest.approx(rho, rel=1e-7)
    reached = np.abs(duals_of(matrix, support, np.eye(3)) @ np.delete(matrix, support, axis=1))
    assert float(upper) == pytest.approx(ceiling(reached.sum(axis=0).max()), rel=1e-12)


def cubes_of(signs):
    """The rows of cubes: their signs, then a unit vector for each 0."""
    return np.vstack([row for each in signs for row in [each, *np.eye(len(each))[each == 0]]])


def test_cubes_that_hold_all_patterns_bound_the_null_space_constant():
    matrix, support, _, _ = drawn(1, 7, 15, 4)
    frame = prove_frame(matrix, support)
    exact = null_space_constant_by_patterns(matrix, support)
    off = np.delete(matrix, support, axis=1)
    cubes = np.array([[1.0, 1, 0, 0], [-1, 1, 0, -1], [1, -1, 1, -1], [1, -1, -1, -1]])
    weights = cubes_of(cubes)
    duals = duals_of(matrix, support, weights)
    sums, start = [], 0
    for signs in cubes:
        stop = start + 1 + np.count_nonzero(signs == 0)
        sums.append(np.abs(duals[start:stop] @ off).sum(axis=0).max())
        start = stop
    assert _heights(frame, weights, duals) == pytest.approx(sums, rel=1e-8)
    lower, upper = enclose_null_space_constant(frame, weights, duals)
    assert float(lower) == pytest.approx(max(sums[2:]), rel=1e-9)  # of the patterns among them
    assert float(upper) == pytest.approx(ceiling(max(sums)), rel=1e-12)
    assert float(lower) <= exact <= float(upper)
    for place in range(4):
        with pytest.raises(NotProved, match="not computed over all sign patterns"):
            bracket_of(matrix, support, cubes_of(np.delete(cubes, place, axis=0)))


@pytest.mark.parametrize("seed", range(3))
def test_which_cubes_hold_all_patterns(seed):
    """Against going through all patterns."""
    rng = np.random.default_rng(seed)
    answers = []
    for _ in range(60):
        signs = rng.choice([-1.0, 0.0, 0.0, 1.0], (int(rng.integers(1, 9)), 4))
        held = {
            pattern
            for pattern in product([1.0, -1.0], repeat=4)
            for row in signs
            if np.all(row * pattern >= 0) or np.all(row * pattern <= 0)
        }
        answers.append(len(held) == 16)
        assert _hold_all(signs) == answers[-1]
    assert 5 < sum(answers) < 55


def test_a_lower_bound_needs_a_pattern_of_signs():
    matrix, support, signs, _ = drawn(0, 7, 15, 3)
    with pytest.raises(NotProved):
        bracket_of(matrix, support, np.vstack([5.0 * signs, np.eye(3)]))


@pytest.mark.parametrize("exact_up_to", [0, 10])
def test_brackets_from_the_stage_before(exact_up_to):
    case = instance(20, 60, 4, 0.0)
    minimizer = proved(case)
    geometry = support_geometry(case.matrix, minimizer.support)
    found = null_space_constant(geometry, minimizer.sigma, exact_up_to)
    lower, upper = enclose_null_space_constant(minimizer.frame, found.patterns, found.duals)
    assert float(lower) == pytest.approx(found.lower, rel=1e-6)
    assert float(upper) == pytest.approx(found.upper, rel=1e-6)
    assert max(relative_radius(lower), relative_radius(upper)) < 1e-25


# Limit points


EXPONENTS = [1, 0, -2, -6, -12, -30]


@pytest.mark.parametrize("depth", DEPTHS)
def test_limit_points_with_many_digits(small, depth):
    limit = LimitProof(small.matrix, proved(small), depth)
    support = small.minimizer.support
    for exponent, guess in zip(EXPONENTS, guesses(small, depth, EXPONENTS), strict=True):
        alpha = LOG10 * exponent
        entries = limit.error(arb(alpha).exp(), *guess, RADIUS)
        expected = limit_log_error(small.matrix, small.data, support, depth, alpha, guess)
        assert agrees(sum_of_sizes(entries), expected)
        # n lies in the kernel, entry by entry
        image = [
            sum((arb(a) * n for a, n in zip(row, entries, strict=True)), arb(0))
            for row in small.matrix.tolist()
        ]
        assert all(value.contains(0) for value in image)
        signs = [np.sign(float(n)) for n in entries]
        assert np.array_equal(signs, np.sign(guess[0]))


def test_coordinates_change_where_the_limit_is_far_from_the_minimizer():
    """So the points above include some at which part of S is treated as off the support."""
    case = instance(20, 60, 2, 0.1)
    support = case.minimizer.support
    on = case.minimizer.point[support]
    (error, log_unit), *_ = guesses(case, 3, [0])
    ratio = 1 + np.exp(log_unit) * error[support] / on
    assert 0 < np.sum(ratio < 0.2) < support.size


@pytest.mark.parametrize(
    ("depth", "exponents"),
    [(2, [0, -3, -50, -100000]), (2.5, [0, -3, -40]), (3, [0, -3, -300]), (6, [0, -3, -40])],
)
@pytest.mark.parametrize(("rho", "count"), [(0.25, 1), (0.75, 4), (0.99, 10)])
def test_limit_points_of_the_kernel_family(depth, exponents, rho, count):
    case = with_certificate(*kernel_data(rho, count))
    limit = LimitProof(case.matrix, proved(case), depth)
    for exponent, guess in zip(exponents, guesses(case, depth, exponents), strict=True):
        alpha = LOG10 * exponent
        value = sum_of_sizes(limit.error(arb(alpha).exp(), *guess, RADIUS))
        assert agrees(value, kernel_family_log_error(depth, rho, count, alpha))


@pytest.mark.parametrize(("depth", "exponents"), [(2, [0, -8, -100000]), (3, [0, -8, -300])])
def test_enclosures_are_narrow_at_full_size(large, depth, exponents):
    limit = LimitProof(large.matrix, proved(large), depth)
    for exponent, (error, log_unit) in zip(
        exponents, guesses(large, depth, exponents), strict=True
    ):
        value = norm(limit, exponent, (error, log_unit))
        assert relative_radius(value) <= 1e-18
        expected = log_unit + np.log(np.abs(error).sum())
        assert float(value.log()) == pytest.approx(expected, rel=1e-13, abs=1e-10)


@pytest.mark.parametrize("depth", DEPTHS)
def test_more_digits_lie_in_the_same_enclosures(small, depth):
    found = guesses(small, depth, [0, -6, -40])
    values = {}
    for bits in (128, 256):
        with ctx.workprec(bits):
            limit = LimitProof(small.matrix, proved(small), depth)
            values[bits] = [norm(limit, e, g) for e, g in zip([0, -6, -40], found, strict=True)]
    for coarse, fine in zip(*values.values(), strict=True):
        assert coarse.overlaps(fine)
        assert relative_radius(coarse) < 1e-18
        # a second step from the middle of the first proof squares its radius once only
        assert relative_radius(fine) < 1e-18


def systems(case, depth, exponents):
    """(equations, the unknowns that are nearest to the path of double precision)."""
    limit = LimitProof(case.matrix, proved(case), depth)
    for exponent, guess in zip(exponents, guesses(case, depth, exponents), strict=True):
        unit, alpha = _unit(guess[1]), power_of_ten(float(exponent)).mid()
        partition = limit._partition(limit._inside(guess[0], unit))
        system = _System(depth, partition, alpha, unit, limit._values)
        yield system, system.start(guess[0])


ROUTES = {2: [1, 0, -6, -30, -100000], 2.5: [0, -6, -200], 3: [1, 0, -6, -300], 10: [0, -6, -300]}


@pytest.mark.parametrize("depth", ROUTES)
def test_both_routes_enclose_the_same(small, depth):
    for system, start in systems(small, depth, ROUTES[depth]):
        fast, slow = system.prove_in_doubles(start), system.prove_in_balls(start)
        assert all(n.overlaps(m) for n, m in zip(fast, slow, strict=True))
        widths = [relative_radius(sum_of_sizes(entries)) for entries in (fast, slow)]
        assert widths[0] <= max(1e-18, widths[1])


def solution(system, start):
    """The solution near a guess to 300 digits, by Newton's method."""
    unknowns, rounded = start, system.ratio
    with ctx.workprec(1200):
        system.ratio = system.unit / system.alpha
        for _ in range(10):
            values = system.evaluate(unknowns)
            derivative = system._derivative_in_balls(values).mid()
            step = derivative.solve(column(values.residual).mid(), algorithm="approx")
            unknowns = _middle(_minus(unknowns, step.mid().entries()))
        assert max(abs(float(value)) for value in step.entries()) < 1e-300
        entries = [value.mid() for value in system.entries(unknowns)]
    system.ratio = rounded
    return entries


@pytest.mark.parametrize("depth", ROUTES)
def test_limit_points_are_contained_entry_by_entry(small, depth, monkeypatch):
    """After one step, also a long one, and after more of them with the same matrix."""
    rng = np.random.default_rng(0)
    for system, start in systems(small, depth, ROUTES[depth]):
        # where g* is known by a ball only, the limit point is that of one number in it
        for values in (system.values_in, system.values_out):
            values[:] = [None if g is None else g.mid() for g in values]
        exact = solution(system, start)
        widths = []
        for away, narrow in ((0.0, np.inf), (1e-7, np.inf), (0.0, 1e-20), (0.0, 1e-29)):
            monkeypatch.setattr("implicit_l1.proof.limit._NARROW", narrow)
            moved = corner_of(start, away * rng.standard_normal(len(start.error + start.dual)))
            found = system.prove_in_doubles(moved)
            if found is None:
                assert away > 0.0
                continue
            assert all(n.contains(m) for n, m in zip(found, exact, strict=True))
            widths.append(relative_radius(sum_of_sizes(found)))
            assert widths[-1] <= narrow
        assert widths[0] > 1e-29  # so there was more than one step


@pytest.mark.parametrize("depth", ROUTES)
def test_wrong_unknowns_prove_nothing_wrong_in_doubles(small, depth):
    """Where Newton's method does not come back to the solution, nothing is returned."""
    rng = np.random.default_rng(0)
    returned = 0
    for system, start in systems(small, depth, ROUTES[depth][:3]):
        right = sum_of_sizes(system.prove_in_balls(start))
        for away in (1e-9, 1e-4, 1e-2, 0.3, 3.0, 1e3):
            moved = [
                [x * (1 + away * rng.standard_normal()) for x in part] for part in parts(start)
            ]
            try:
                found = system.prove_in_doubles(Unknowns(*moved))
            except (ArithmeticError, np.linalg.LinAlgError):
                continue
            if found is not None:
                returned += 1
                assert sum_of_sizes(found).overlaps(right)
    assert 0 < returned < 3 * 6


def parts(unknowns):
    return unknowns.error, unknowns.dual


def norm_of_rows(matrix):
    return largest([sum_of_sizes(row) for row in matrix.tolist()])


@pytest.mark.parametrize("depth", ROUTES)
@pytest.mark.parametrize("size", [1e-14, 1e-9, 1e-5, 1e-3])
def test_the_derivative_in_doubles_bounds_that_in_balls(small, depth, size):
    """``||I - R J(x)||`` at the corners of boxes, where phi' differs most."""
    rng, checked = np.random.default_rng(0), 0
    for system, start in systems(small, depth, ROUTES[depth]):
        tangent = Tangent(system.partition, system.doubles, system.evaluate(start))
        bound = tangent.distance(size)
        if not bound < np.inf:
            continue
        checked += 1
        one = exact_matrix(np.eye(len(tangent.matrix)))
        for _ in range(3):
            corner = corner_of(start, size * rng.choice([-1.0, 1.0], len(tangent.matrix)))
            exact = system._derivative_in_balls(system.evaluate(corner))
            # the rows of J - K, and what is left of them after R
            rows = (exact - exact_matrix(tangent.matrix)).tolist()
            for row, most in zip(rows, tangent.bounds(size), strict=True):
                assert sum_of_sizes(row) <= arb(float(most))
            assert norm_of_rows(one - exact_matrix(tangent.inverse) * exact) <= arb(bound)
    assert checked or size == 1e-3


def corner_of(unknowns, step):
    return _minus(unknowns, (-step).tolist())


@pytest.mark.parametrize("depth", ROUTES)
@pytest.mark.parametrize("size", [1e-14, 1e-9, 1e-5])
def test_what_a_step_changes_is_bounded_entry_by_entry(small, depth, size):
    """``(J - K) v``, ``(I - R J) v`` and n_Tc where the unknowns move by v, of uneven size."""
    rng, checked = np.random.default_rng(0), 0
    for system, start in systems(small, depth, ROUTES[depth]):
        values = system.evaluate(start)
        tangent = Tangent(system.partition, system.doubles, values)
        step = size * 10.0 ** rng.uniform(-6, 0, len(tangent.matrix))
        step *= rng.choice([-1.0, 1.0], step.size)
        weights = np.abs(step)
        shift, spread = tangent.of_z(step, np.zeros(step.size))
        weights_z = np.abs(shift) + spread
        change = tangent.change(weights, weights_z, weights, weights_z)
        remainder = tangent.near.remainder(weights, change)
        outer, away = tangent.of_outer(shift, spread, weights_z)
        if not np.all(np.isfinite([*remainder, *away])):
            continue
        checked += 1
        there = corner_of(start, -step)
        moved = system.evaluate(there)
        exact, right = system._derivative_in_balls(moved), column(step)
        for matrix, bounds in (
            (exact - exact_matrix(tangent.matrix), change),
            (one_minus(exact_matrix(tangent.inverse) * exact), remainder),
        ):
            for value, most in zip((matrix * right).entries(), bounds, strict=True):
                assert abs(value) <= arb(float(most))
        for before, after, m, e in zip(
            (*values.z_out, *values.outer),
            (*moved.z_out, *moved.outer),
            (*shift, *outer),
            (*spread, *away),
            strict=True,
        ):
            assert (after - before - float(m)).overlaps(arb(0, float(e)))
        # and not much more than that: of what moves, the bounds are parts that shrink with it
        assert np.max(away) <= max(1e-3, 1e8 * size) * np.max(np.abs(outer))
    assert checked


def one_minus(matrix):
    return exact_matrix(np.eye(matrix.nrows())) - matrix


@pytest.mark.parametrize("size", [1, 5, 12])
def test_a_guess_of_the_unknowns_solves_what_it_can(size):
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((12, 30))
    partition = Partition(Exact(matrix), np.arange(3, 3 + size))
    lam = rng.standard_normal(12)
    inside, outside = partition.inside, partition.outside
    z = lam @ matrix
    for known in (np.ones(30 - size, dtype=bool), np.arange(30 - size) < 14):
        wrong = np.where(known, z[outside], 100.0)
        assert np.allclose(partition.dual(z[inside], wrong, known), lam, rtol=1e-11, atol=1e-12)
    # z_Tc that no lam has: the nearest by least squares
    z_out = rng.standard_normal(30 - size)
    found = partition.dual(z[inside], z_out, np.ones(z_out.size, dtype=bool))
    assert np.allclose(found @ partition.on, z[inside])
    basis = np.linalg.svd(partition.on)[0][:, size:]
    assert np.allclose(basis.T @ partition.off @ (z_out - found @ partition.off), 0.0, atol=1e-11)
    n = np.linalg.svd(matrix)[2][-1]  # in the kernel
    if size < 12:
        assert np.allclose(partition.kernel(n[outside]), n[inside])


def test_where_doubles_do_not_suffice_balls_prove_it(small, monkeypatch):
    (guess,) = guesses(small, 3, [-6])
    limit = LimitProof(small.matrix, proved(small), 3)
    right = norm(limit, -6, guess)
    for outcome in (lambda *_: None, lambda *_: np.linalg.inv(np.zeros((2, 2)))):
        monkeypatch.setattr(_System, "prove_in_doubles", outcome)
        value = norm(limit, -6, guess)
        assert value.overlaps(right)
        assert relative_radius(value) <= 1e-18


@pytest.mark.parametrize("name", ["sparse", "dense"])
@pytest.mark.parametrize("decades", [1, 20])
def test_the_scale_of_rows_does_not_matter(name, decades):
    case = made(name)
    rows = 2.0 ** np.linspace(-3 * decades, 3 * decades, len(case.matrix)).round()[:, None]
    found = case.minimizer
    minimizer = prove_minimizer(
        rows * case.matrix, rows[:, 0] * case.data, found.point, found.certificate.nu / rows[:, 0]
    )
    assert float(minimizer.margin) == pytest.approx(float(proved(case).margin), rel=1e-12)
    (guess,) = guesses(case, 3, [-4])
    value = norm(LimitProof(rows * case.matrix, minimizer, 3), -4, guess)
    assert value.overlaps(norm(LimitProof(case.matrix, proved(case), 3), -4, guess))
    assert relative_radius(value) <= 1e-18


def test_an_enclosure_that_is_too_wide_is_refused(small):
    (guess,) = guesses(small, 2, [-4])
    limit = LimitProof(small.matrix, proved(small), 2)
    norm(limit, -4, guess, 1e-15)
    with pytest.raises(NotProved, match="too wide"):
        norm(limit, -4, guess, 1e-40)


def wrong_guesses(error, case):
    rng = np.random.default_rng(0)
    yield error * (1 + 1e-3 * rng.standard_normal(error.size))
    yield error * (1 + 0.1 * rng.standard_normal(error.size))
    yield rng.standard_normal(error.size)
    yield np.zeros(error.size)
    yield -error
    yield 10 * error
    yield 100 * error
    yield 1e8 * error
    yield 1e-5 * error
    yield np.roll(error, 1)
    yield -case.minimizer.point


@pytest.mark.parametrize("depth", [2, 2.5, 3, 4, 6])
def test_a_wrong_guess_proves_nothing_wrong(small, depth):
    limit = LimitProof(small.matrix, proved(small), depth)
    exponents = [0, -3, -10]
    other = instance(20, 60, 2, 0.1, repetition=1)
    others = guesses(other, depth, exponents)
    refusals = 0
    for exponent, guess, another in zip(
        exponents, guesses(small, depth, exponents), others, strict=True
    ):
        right = norm(limit, exponent, guess)
        wrong = [(error, guess[1]) for error in wrong_guesses(guess[0], small)]
        for error, log_unit in [*wrong, another]:
            try:
                value = norm(limit, exponent, (error, log_unit), 1e-6)
            except NotProved:
                refusals += 1
                continue
            assert value.overlaps(right)
    assert 0 < refusals < 3 * 12  # both ends were seen


@pytest.mark.parametrize("depth", [2.5, 3, 4])
def test_a_zero_of_the_equations_outside_the_domain_of_phi_is_no_limit_point(depth):
    """For a whole power p the formula of phi goes on beyond |z| = 1, and so do solutions."""
    count = 5
    matrix = np.array([[1.0] + [0.9] * count])
    minimizer = prove_minimizer(matrix, np.ones(1), np.eye(count + 1)[0], np.ones(1))
    limit = LimitProof(matrix, minimizer, depth)
    right = norm(limit, -3, (np.array([-4.5e-3] + [1e-3] * count), 0.0))
    for size in np.geomspace(0.1, 1e9, 40):
        try:
            value = norm(limit, -3, (np.array([-0.71] + [size] * count), 0.0), 1e-6)
        except NotProved:
            continue
        assert value.overlaps(right)


@pytest.mark.parametrize("log_unit", [-np.inf, np.nan, 0.0])
def test_without_a_guess_nothing_is_proved(log_unit):
    case = instance(**NOISELESS)
    limit = LimitProof(case.matrix, proved(case), 2)
    error = np.full(60, np.nan) if log_unit == 0.0 else np.ones(60)
    with pytest.raises(NotProved, match="no approximate solution"):
        limit.error(power_of_ten(-3.0), error, log_unit, RADIUS)


# First order


def constants(case, depth):
    """(exponent, constant) proved, and the first order of floating point."""
    minimizer = proved(case)
    found = case.minimizer
    rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, found.certificate.nu)
    geometry = support_geometry(case.matrix, found.support)
    instance = case.matrix, geometry, found.point, found.certificate
    floats = first_order(*instance, potential(depth))
    limit = LimitProof(case.matrix, minimizer, depth)
    return limit, limit.first_order(rho, floats.error, floats.log_unit, RADIUS), floats


@pytest.mark.parametrize("depth", [2, 3, 6])
@pytest.mark.parametrize("name", ["sparse", "dense"])
def test_first_order_constants(name, depth):
    """Those of floating point, and the error itself far down the path."""
    case = made(name)
    limit, (exponent, constant), floats = constants(case, depth)
    assert float(exponent) == pytest.approx(floats.exponent, rel=1e-11)
    assert float(constant.log()) == pytest.approx(floats.log_constant(1), abs=1e-9)
    assert relative_radius(constant) < 1e-12
    # the correction is of order alpha^((D - 2) / D), or a power of alpha for D = 2
    far = {2: -5000, 3: -120, 6: -80}[depth]
    *_, guess = guesses(case, depth, [0, far])
    ratio = norm(limit, far, guess) / (constant * power_of_ten(float(far)) ** exponent)
    assert abs(float(ratio - 1)) < 1e-12
    *_, guess = guesses(case, depth, [0, -6])
    ratio = norm(limit, -6, guess) / (constant * power_of_ten(-6.0) ** exponent)
    assert abs(float(ratio - 1)) > 1e-9  # which is not so at every scale


@pytest.mark.parametrize("depth", [2, 3])
def test_first_order_of_the_kernel_family(depth):
    """t k with t = alpha^(1 - rho), or alpha phi(rho)."""
    _, (exponent, constant), _ = constants(with_certificate(*kernel_data(0.75, 4)), depth)
    assert exponent.contains(arb(0.25) if depth == 2 else arb(1))
    t = 1 if depth == 2 else arb(64) - (arb(4) / 7) ** 3
    assert constant.contains(4 * 1.75 * t)
    assert relative_radius(constant) < 1e-25


def test_first_order_where_rho_is_not_attained_at_one_vertex():
    case = made("sparse")
    minimizer = proved(case)
    dual = case.minimizer.certificate
    rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, dual.nu)
    active = np.setdiff1d(range(40), case.minimizer.support)[rho.active[0]]
    matrix = np.column_stack([case.matrix, -case.matrix[:, active]])
    doubled = with_certificate(matrix, np.append(case.minimizer.point, 0.0))
    minimizer = proved(doubled)
    rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, dual.nu)
    limit = LimitProof(matrix, minimizer, 2)
    with pytest.raises(NotProved, match="not attained at one proved vertex"):
        limit.first_order(rho, np.zeros(41), 0.0, RADIUS)
    family = with_certificate(*kernel_data(0.0, 1))
    minimizer = proved(family)
    rho = enclose_pattern_constant(
        minimizer.frame, minimizer.sigma, family.minimizer.certificate.nu
    )
    with pytest.raises(NotProved, match=r"x\(alpha\) = g\* for every alpha"):
        LimitProof(family.matrix, minimizer, 2).first_order(rho, np.zeros(2), 0.0, RADIUS)


@pytest.mark.parametrize("depth", [3, 4, 6])
@pytest.mark.parametrize("factor", [1.1, -1.0, 0.0, 100.0, 1e8])
def test_a_wrong_guess_of_the_first_order_proves_nothing_wrong(depth, factor):
    case = made("sparse")
    limit, (_, right), floats = constants(case, depth)
    minimizer = proved(case)
    rho = enclose_pattern_constant(minimizer.frame, minimizer.sigma, case.minimizer.certificate.nu)
    try:
        _, value = limit.first_order(rho, factor * floats.error, floats.log_unit, 1e-6)
    except NotProved:
        return
    assert value.overlaps(right)


@pytest.mark.parametrize("known", [True, False])
def test_of_the_distance_to_a_signal_that_is_not_known_nothing_is_stated(known):
    """So that all else is proved with as few bits as where x_0 is known."""
    case = made("sparse")
    signal = case.signal if known else np.full(case.signal.size, np.nan)
    problem = Problem(case.matrix, signal, case.data)
    point, nu = case.minimizer.point, case.minimizer.certificate.nu
    floats = constants(case, 3)[2]
    errors = guesses(case, 3, [-4])
    of_first_order = (floats.error, floats.log_unit)
    of_limits = (problem, point, nu, 3, [(0, -4.0)], errors, of_first_order, RADIUS)
    patterns = patterns_of(case.minimizer.support.size)
    on = np.zeros((len(patterns), point.size))
    on[:, case.minimizer.support] = patterns
    duals = duals_of(case.matrix, case.minimizer.support, patterns)
    for prove, arguments, distance in (
        (statements.limits, of_limits, "estimation_error"),
        (statements.constants, (problem, point, nu, on, duals), "l1_estimation_error"),
    ):
        found = {each.quantity: each for each in prove(*arguments)}
        assert (distance in found) == known
        assert all(each.proved for each in found.values())


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_what_is_missed_on_rows_held_out_is_enclosed(rows):
    """Rows of a single 1 tell entries of x(alpha) = g* + n, so the truth is that of proved n."""
    case = made("sparse")
    chosen = np.array([case.minimizer.support[0], case.minimizer.support[-1], 0])[:rows]
    units, data = np.eye(case.signal.size)[chosen], np.array([3.0, -4.0, 0.5])[:rows]
    held_out = Rows(-2.0 * units, data) if rows else None
    problem = Problem(case.matrix, case.signal, case.data, held_out=held_out)
    floats, errors = constants(case, 3)[2], guesses(case, 3, [-4])
    found = statements.limits(
        *(problem, case.minimizer.point, case.minimizer.certificate.nu, 3, [(0, -4.0)], errors),
        *((floats.error, floats.log_unit), RADIUS),
    )
    stated = [each for each in found if each.quantity == "held_out_error"]
    assert len(stated) == (rows > 0) and all(each.proved for each in found)
    if rows:
        n, log_unit = errors[0]
        x = case.minimizer.point + n * np.exp(log_unit)
        missed = np.linalg.norm(-2.0 * x[chosen] - data) / np.linalg.norm(data)
        assert float(stated[0].lower) == pytest.approx(missed, rel=1e-9)
        assert float(stated[0].lower) <= float(stated[0].upper) <= float(stated[0].lower) + 1e-9


@pytest.mark.parametrize(
    ("enough", "bits"),
    [((128, 256), 256), ((128, 128), 128), ((256, 512), 512), ((np.inf, 128), 512)],
)
def test_bits_are_added_until_all_is_proved(enough, bits):
    """The rows of the first precision that is enough for all of them; else those of the last."""

    def rows(name):
        return [
            statement(f"{name} at {ctx.prec}", arb(1) if need <= ctx.prec else NotProved("no"))
            for need in enough
        ]

    before = ctx.prec
    found = at_some_precision(rows, "rho")
    assert [each.quantity for each in found] == [f"rho at {bits}"] * 2
    assert ctx.prec == before


def test_a_local_slope_is_between_neighbours_on_the_path():
    """Of places 0, 2 and 3 the last two."""
    case, depth = with_certificate(np.array([[1.0, 0.5]]), np.array([1.0, 0.0])), 3
    matrix, point, dual = case.matrix, case.minimizer.point, case.minimizer.certificate
    scales = [(0, -1.0), (2, -3.0), (3, -4.0)]
    log_alpha = np.log(10.0) * np.array([scale for _, scale in scales])
    path = limit_path(matrix, point, dual, potential(depth), log_alpha)
    guesses = list(zip(path.error, path.log_unit, strict=True))
    problem = Problem(matrix, np.full(2, np.nan), case.data)
    with ctx.workprec(128):
        found = statements.limits(
            problem, point, dual.nu, depth, scales, guesses, (np.array([-0.5, 1.0]), 1.0), 1e-6
        )
    slopes = [one for one in found if one.quantity == "local_slope"]
    assert [one.log10_alpha for one in slopes] == [-4.0] and slopes[0].proved
    norms = {one.log10_alpha: float(one.lower) for one in found if one.quantity == "error_1"}
    assert float(slopes[0].lower) == pytest.approx(np.log10(norms[-3.0] / norms[-4.0]))
