"""Proposals: some route comes to the minimizer, whatever the scales, and a failure is a route's.

Optimality is tested by duality: ``<nu, y> <= ||x||_1`` for every x with ``A x = y`` and every nu
with ``||A^T nu||_inf <= 1``, and where the two are equal both are optimal.
"""

import cvxpy as cp
import numpy as np
import pytest

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.minimizer import proposals as module
from implicit_l1.minimizer.decision import Proposal
from implicit_l1.minimizer.proposals import proposals, statement

pytestmark = pytest.mark.long

SOLVERS = ["HIGHS", "SCIPY", "CLARABEL", "SCS", "interior_point"]
# what a solver of the first order comes to, and what the others do
ACCURACY = dict.fromkeys(SOLVERS, 1e-8) | {"SCS": 1e-6}


def sparse(columns, support, rng):
    point = np.zeros(columns)
    point[:support] = rng.choice([-1.0, 1.0], support) * rng.uniform(0.5, 1.5, support)
    return point


def gaussian(rows, columns, support, noise=0.0):
    rng = np.random.default_rng(rows)
    matrix = rng.standard_normal((rows, columns))
    data = matrix @ sparse(columns, support, rng)
    return matrix, data + noise * rng.standard_normal(rows)


def signs():
    rng = np.random.default_rng(3)
    matrix = rng.choice([-1.0, 1.0], (10, 24))
    return matrix, matrix @ sparse(24, 2, rng)


def near_copy(gap, seed=72):
    """Column 7 is column 1 but for one entry; the minimizer is 2 e_1 - 3 e_4 for this seed."""
    matrix = np.random.default_rng(seed).integers(-4, 5, (8, 30)).astype(float)
    matrix[:, 7] = matrix[:, 1]
    matrix[0, 7] += gap
    return matrix, 2.0 * matrix[:, 1] - 3.0 * matrix[:, 4]


def smooth_kernel(width):
    rows, columns = np.linspace(0, 1, 12)[:, None], np.linspace(0, 1, 30)[None]
    matrix = np.rint(np.exp(-0.5 * ((rows - columns) / width) ** 2) * 2.0**30) / 2.0**30
    return matrix, 1.75 * matrix[:, 19]


def uneven(axis, decades):
    """Rows or columns of sizes that are decades apart; the smallest are indispensable."""
    rng = np.random.default_rng(decades)
    matrix = rng.standard_normal((8, 20))
    size = 10.0 ** rng.uniform(-decades, 0.0, 8 if axis == 0 else 20)
    matrix = size[:, None] * matrix if axis == 0 else matrix * size
    return matrix, matrix @ sparse(20, 6, rng)


def tiny_entries(tiny):
    """Columns 0 and 1 alone are the support of the minimizer (1 + 0.7 / tiny, -0.7 / tiny, 0).

    The dual vector (1 + 2 / tiny, -2 / tiny) has the image (1, -1, -1/2).
    """
    return np.array([[1.0, 1.0, 0.0], [1.0, 1.0 + tiny, tiny / 4.0]]), np.array([1.0, 0.3])


KIND = {
    "noiseless": gaussian(20, 60, 3),
    "noisy": gaussian(12, 30, 2, 0.1),
    "signs": signs(),
    "one row": (np.array([[1.0, -3.0, 2.0]]), np.array([5.0])),
    "one column more": gaussian(9, 10, 4),
    "columns of zeros": (np.insert(gaussian(6, 12, 2)[0], [0, 5], 0.0, axis=1), np.arange(6.0)),
    "negative": (-gaussian(6, 12, 2)[0], -np.arange(1.0, 7.0)),
}
UNKIND = {
    **{f"near copy, 2^-{k}": near_copy(2.0**-k) for k in (12, 20, 24, 26, 28, 32, 40, 50)},
    **{f"smooth kernel, {width}": smooth_kernel(width) for width in (0.05, 0.1, 0.15)},
    **{f"tiny entries, 2^-{k}": tiny_entries(2.0**-k) for k in (10, 20, 30)},
    **{f"uneven rows, 1e-{k}": uneven(0, k) for k in (6, 12, 60, 150)},
    **{f"uneven columns, 1e-{k}": uneven(1, k) for k in (3, 6, 9)},
}


def defect(matrix, data, proposal, tilt=0.0):
    """How far a proposal is from proved optimal, against its value and the terms of each row."""
    point, dual = proposal.point, proposal.dual
    terms = np.abs(matrix) @ np.abs(point) + np.abs(data)
    infeasible = np.abs(matrix @ point - data) / np.where(terms > 0.0, terms, 1.0)
    excess = np.abs(matrix.T @ dual + tilt).max() - 1.0
    value = np.sum(np.abs(point) - tilt * point)
    gap = abs(value - dual @ data) / value
    return max(infeasible.max(), excess, gap)


# The minimum is found


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", KIND)
def test_the_chosen_solver_finds_the_minimum(name, solver):
    found = next(proposals(*KIND[name], solver))
    assert found.route.startswith(solver)
    assert defect(*KIND[name], found) < ACCURACY[solver]


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", UNKIND)
def test_some_route_finds_the_minimum(name, solver):
    matrix, data = UNKIND[name]
    found = [defect(matrix, data, one) for one in proposals(matrix, data, solver)]
    assert min(found) < 1e-8


@pytest.mark.parametrize("k", [12, 16, 20, 22, 24, 26, 28])
def test_near_copies_by_their_minimizer(k):
    """Smaller gaps than these are below what solvers tolerate."""
    expected = np.zeros(30)
    expected[[1, 4]] = 2.0, -3.0
    errors = [np.abs(one.point - expected).max() for one in proposals(*near_copy(2.0**-k))]
    assert min(errors) < 1e-9


@pytest.mark.parametrize("k", [10, 20, 30])
def test_tiny_entries_by_their_minimizer(k):
    expected = np.array([1.0 + 0.7 * 2.0**k, -0.7 * 2.0**k, 0.0])
    found = [one.point for one in proposals(*tiny_entries(2.0**-k))]
    assert min(np.abs(point - expected).max() for point in found) < 1e-9 * expected[0]


def test_the_dual_vector_has_the_signs_of_the_point():
    matrix, data = KIND["noiseless"]
    for solver in SOLVERS:
        found = next(proposals(matrix, data, solver))
        on = np.abs(found.point) > 1e-3
        assert on.sum() == 3
        assert np.allclose((matrix.T @ found.dual)[on], np.sign(found.point[on]), atol=1e-6)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_tilted_norm(solver):
    """The chosen solver, or where it knows no tilt another one."""
    matrix, data = KIND["noisy"]
    tilt = np.random.default_rng(1).uniform(-0.8, 0.8, matrix.shape[1])
    found = next(proposals(matrix, data, solver, tilt))
    assert defect(matrix, data, found, tilt) < ACCURACY[solver]
    assert found.route.startswith("HIGHS" if solver == "interior_point" else solver)


def test_data_of_zeros_have_the_minimizer_zero():
    (found,) = proposals(KIND["signs"][0], np.zeros(10))
    assert not found.point.any() and not found.dual.any()


# Scales


@pytest.mark.parametrize("solver", ["HIGHS", "SCIPY", "CLARABEL", "interior_point"])
@pytest.mark.parametrize(
    ("of_matrix", "of_data"), [(0, 900), (0, -1000), (990, 0), (-900, 0), (-400, 500), (990, 990)]
)
def test_units_change_a_proposal_by_their_factor_alone(of_matrix, of_data, solver):
    matrix, data = (np.rint(1024.0 * part) for part in KIND["noisy"])
    expected = next(proposals(matrix, data, solver))
    found = next(proposals(np.ldexp(matrix, of_matrix), np.ldexp(data, of_data), solver))
    assert found.route == expected.route
    assert np.array_equal(found.point, np.ldexp(expected.point, of_data - of_matrix))
    assert np.array_equal(found.dual, np.ldexp(expected.dual, -of_matrix))


@pytest.mark.parametrize("solver", ["HIGHS", "SCIPY", "CLARABEL", "interior_point"])
@pytest.mark.parametrize("spread", [1, 20, 400])
def test_units_of_equations_do_not_matter(spread, solver):
    matrix, data = KIND["noisy"]
    powers = np.random.default_rng(spread).integers(-spread, spread, len(data))
    expected = next(proposals(matrix, data, solver))
    scaled = np.ldexp(matrix, powers[:, None]), np.ldexp(data, powers)
    found = next(proposals(*scaled, solver))
    assert np.array_equal(found.point, expected.point)
    assert np.array_equal(found.dual, np.ldexp(expected.dual, -powers))


@pytest.mark.parametrize("spread", [4, 12, 24])
def test_units_of_columns_are_weights(spread):
    """x_j in the unit 2^-c_j: a weighted norm, of which the columns' scales make one without."""
    matrix, data = KIND["noiseless"]
    powers = np.random.default_rng(spread).integers(0, spread, matrix.shape[1])
    scaled = np.ldexp(matrix, -powers)
    x, _, problem = statement(matrix, data, 2.0**powers, np.zeros(matrix.shape[1]))
    problem.solve(solver="CLARABEL")
    found = [one.point for one in proposals(scaled, data)]
    norms = [np.abs(point).sum() for point in found if np.allclose(scaled @ point, data)]
    assert min(norms) == pytest.approx(problem.value, rel=1e-6)
    on = np.abs(x.value) > 1e-4
    assert any(np.array_equal(np.abs(np.ldexp(p, -powers)) > 1e-4, on) for p in found)


def test_entries_at_the_ends_of_the_range_of_doubles():
    """None ends the process, and none of what is proposed is infinite."""
    for matrix, data in (
        ([[1e300, -1e300, 2e300]], [1e-300]),
        ([[1e-300, 1e-305, 2e-308]], [1e300]),
        ([[5e-324, 0.0, 0.0], [0.0, 1.0, 1e300]], [1e-320, 1.0]),
        ([[1e300, 1.0, 1e-300], [1.0, 1e-300, 1e300]], [1.0, 1e-300]),
        ([[1.0, 0.0, 0.0], [1.0, 1e-300, 0.0]], [1.0, 2.0]),
    ):
        for found in proposals(np.array(matrix), np.array(data)):
            assert np.isfinite(found.point).all() and np.isfinite(found.dual).all()


# Failures


def refuse(error):
    """cvxpy's solve with these errors of solvers."""

    def solve(self, *arguments, solver, **options):
        if solver in error:
            raise error[solver]
        return original(self, *arguments, solver=solver, **options)

    original = cp.Problem.solve
    return solve


@pytest.mark.parametrize(
    "error", [cp.error.SolverError("unknown"), ValueError("no"), RuntimeError("no"), KeyError(1)]
)
def test_an_error_of_a_solver_ends_its_routes_only(monkeypatch, error):
    monkeypatch.setattr(cp.Problem, "solve", refuse({"HIGHS": error, "CLARABEL": error}))
    routes = [one.route.split(",")[0] for one in proposals(*KIND["noisy"], "HIGHS")]
    assert routes == ["interior_point", "SCIPY", "SCS"]


def test_without_any_solution_there_is_no_proposal(monkeypatch):
    def unsolved(*arguments):
        raise LinearProgramError("not solved")

    monkeypatch.setattr(cp.Problem, "solve", refuse(dict.fromkeys(SOLVERS, RuntimeError("no"))))
    monkeypatch.setattr(module, "least_norm_vertex", unsolved)
    assert list(proposals(*KIND["noisy"])) == []


def test_an_end_without_solution_is_none(monkeypatch):
    """As "infeasible", "unknown": x has no value then."""
    monkeypatch.setattr(cp.Problem, "solve", lambda *_, **__: None)
    routes = [one.route for one in proposals(*KIND["noisy"])]
    assert routes == ["interior_point"]


def test_what_is_not_finite_is_not_proposed(monkeypatch):
    monkeypatch.setattr(
        module, "_by_interior_point", lambda *_: iter([Proposal(np.array([np.nan]), None, "bad")])
    )
    assert next(proposals(*KIND["noisy"], "interior_point")).route.startswith("HIGHS")


def test_equations_without_solution_are_nobodys_error():
    for matrix in ([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]):
        for solver in SOLVERS:
            for found in proposals(np.array(matrix), np.array([1.0, 2.0]), solver):
                assert np.isfinite(found.point).all()


# Order


def test_routes_are_taken_one_by_one(monkeypatch):
    calls = []
    original = cp.Problem.solve

    def solve(self, *arguments, **options):
        calls.append(options["solver"])
        return original(self, *arguments, **options)

    monkeypatch.setattr(cp.Problem, "solve", solve)
    found = proposals(*KIND["noisy"], "SCS")
    assert calls == []
    assert [next(found).route.split(",")[0], *calls] == ["SCS", "SCS"]
    assert [next(found).route.split(",")[0], *calls] == ["HIGHS", "SCS", "HIGHS"]


def test_every_route_is_taken_once():
    routes = [one.route for one in proposals(*KIND["noisy"], "SCIPY")]
    assert len(set(routes)) == len(routes)
    assert {route.split(",")[0] for route in routes} == set(SOLVERS)
    assert sum(route.startswith("HIGHS") for route in routes) == 4


def test_the_size_decides_where_nothing_else_does():
    for shape, name in (((10, 20), "HIGHS"), ((20, 60), "interior_point")):
        matrix, data = gaussian(*shape, 2)
        assert next(proposals(matrix, data, "auto")).route.startswith(name)


# Names


@pytest.mark.parametrize("name", ["highs", "simplex", "", "GUROBI_", "IPOPT_"])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"l1\.solver: .*allowed: .*HIGHS.*interior_point, auto"):
        next(proposals(*KIND["noisy"], name))


def test_the_statement_is_the_problem():
    """With weights of one it is min ||x||_1 subject to A x = y, and nothing else."""
    matrix, data = KIND["signs"]
    _, equations, problem = statement(matrix, data, np.ones(24), np.zeros(24))
    assert problem.constraints == [equations]
    assert cp.norm1 in problem.atoms()
