"""Coordinates of steps, and the norms that are used of them."""

import numpy as np
import pytest
from flint import arb, arb_mat, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.taylor import Within, known
from implicit_l1.proof.trajectory_frame import (
    Coordinates,
    column_norms,
    eigenvalue_bounds,
    gram,
    norm_bound,
)

seeds = st.integers(0, 10**6)


@given(seeds)
def test_eigenvalues_lie_between_the_bounds(seed):
    """``G = V diag(w) V^T`` with V a product of reflections of rational numbers."""
    rng = np.random.default_rng(seed)
    values = 10.0 ** rng.uniform(-12, 2, 3)
    with ctx.workprec(300):
        turn = arb_mat([[2, -2, 1], [1, 2, 2], [2, 1, -2]])
        diagonal = arb_mat(
            [[arb(v) if i == j else arb(0) for j in range(3)] for i, v in enumerate(values)]
        )
        exact = (turn * diagonal * turn.transpose()).entries()
    middle = np.array([float(v / 9) for v in exact]).reshape(3, 3)
    low, high = eigenvalue_bounds(Within(middle, np.abs(middle) * 2.0**-52))
    assert low <= values.min() and values.max() <= high
    assert values.min() - low < 1e-13 * values.max()
    assert high - values.max() < 1e-8 * values.max()


def test_a_radius_moves_eigenvalues():
    """The smallest matrices that the radius allows are allowed for."""
    matrix = Within(np.eye(2), np.full((2, 2), 0.25))
    low, high = eigenvalue_bounds(matrix)
    assert low <= np.linalg.eigvalsh([[0.75, 0.25], [0.25, 0.75]])[0]
    assert high >= np.linalg.eigvalsh([[1.25, 0.25], [0.25, 1.25]])[1]


def test_norms():
    matrix = np.array([[3.0, 0.0], [4.0, 2.0]])
    assert np.all(column_norms(known(matrix)) >= [5.0, 2.0])
    assert norm_bound(known(matrix)) >= np.sqrt(29.0)
    assert np.array_equal(gram(matrix).middle, [[25.0, 8.0], [8.0, 4.0]])


@settings(max_examples=25)
@given(seeds, st.integers(0, 3), st.sampled_from([0.0, 1e-3]))
def test_coordinates_are_what_they_say(seed, count, bent):
    """With bases that are orthonormal up to rounding, or not even that."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((3, 6))
    active = np.sort(rng.choice(6, count, replace=False))
    basis = np.linalg.qr(matrix[:, active], mode="complete")[0][:, count:]
    basis = basis + bent * rng.standard_normal(basis.shape)
    found = Coordinates(matrix, active, basis)
    frame = arb_mat(np.hstack([matrix[:, active], basis]).tolist())
    off = matrix[:, found.others]
    assert all(
        value.contains(float(entry))
        for value, entry in zip((frame * found.moves).entries(), off.ravel(), strict=True)
    )
    inverse = frame.inv()
    for pair, exact in ((found.near, found.moves), (found.speeds, inverse * inverse.transpose())):
        for x, r, value in zip(
            pair.middle.ravel(), pair.radius.ravel(), exact.entries(), strict=True
        ):
            assert abs(value.mid() - arb(x)) <= arb(r)
    increments = arb_mat(1, 3, [arb(v) for v in rng.standard_normal(3).tolist()])
    lam = inverse.transpose() * increments.transpose()
    exact = (arb_mat(matrix.tolist()).transpose() * lam).entries()
    assert all(a.overlaps(b) for a, b in zip(found.moved(increments), exact, strict=True))
    if count:
        least = np.linalg.svd(matrix[:, active], compute_uv=False)[-1] ** 2
        assert least * (1 - 1e-9) - 1e-13 <= found.least <= least * (1 + 1e-9)
        places = np.arange((count + 1) // 2)
        part = matrix[:, active[places]]
        block, sizes = found.block(places)
        least = np.linalg.svd(part, compute_uv=False)[-1] ** 2
        assert least * (1 - 1e-9) - 1e-13 <= block <= least * (1 + 1e-9)
        exact = np.abs(np.linalg.pinv(part) @ matrix)
        exact[:, active[places]] = 0.0
        assert np.all(exact <= sizes * (1 + 1e-9) + 1e-13)
        assert np.all(sizes <= exact * (1 + 1e-8) + 1e-9)
    if count < 3:
        assert np.linalg.norm(basis, 2) <= found.stretch * (1 + 1e-12)
        if count:
            project = matrix[:, active] @ np.linalg.pinv(matrix[:, active])
            lean = np.linalg.norm(project @ basis, 2)
            assert lean <= found.lean + 1e-15
            assert bent == 0.0 or found.lean < 100.0 * lean


def test_dependent_columns_are_no_coordinates():
    matrix = np.array([[1.0, 2.0, 0.0], [1.0, 2.0, 1.0]])
    with pytest.raises(NotProved, match="independent"):
        Coordinates(matrix, np.array([0, 1]), np.zeros((2, 0)))


def test_a_basis_of_another_size_is_refused():
    with pytest.raises(ValueError, match="basis of shape"):
        Coordinates(np.ones((2, 3)), np.array([0]), np.zeros((2, 2)))
