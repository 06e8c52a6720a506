r"""The minimizer that the flow selects, where the minimizer of the l1 norm is not unique.

Among the minimizers of the l1 norm the flow of depth D = 2 approaches the one that
minimizes ``sum |x_i| log|x_i|``, and that of D > 2 the one that maximizes
``sum |x_i|^(2/D)`` (Wind, Antun and Hansen, arXiv:2307.07410).  From an initialization of
another shape (:mod:`implicit_l1.network.initialization`), in its units x~,

    D = 2:   minimizes   sum |x~_i| (log(|x~_i| / scale_i) - 1) - offset_i x~_i,
    D > 2:   maximizes   sum scale_i^(1/p) |x~_i|^(2/D),    p = D / (D - 2)

among the minimizers of ``||x~||_1 - <tilt, x~>``, A~ x~ = y (derived for this project: the
terms of second order of the potential that the limit point minimizes).

Both functionals have infinite slope at x_i = 0, so the selected point has the largest
support S that a minimizer has.  It is found by linear programs, without any flow: where doubles
hold A~ and nothing is tilted, exactly (:func:`implicit_l1.minimizer.decision.minimizer_face`), and
else from one minimizer, a dual vector nu of largest margin off its support; while the margin is 0,
the kernel vector that proves so leads to minimizers with a larger support.  At the end
``A~_S^T nu + tilt_S = sigma`` and ``|A~_j^T nu + tilt_j| < 1`` off S: a dual certificate
that every minimizer is supported in S with signs sigma.  On S the columns may be dependent;
there the functional is minimized by Newton's method.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from flint import arb, ctx, fmpq
from scipy.linalg import null_space, qr
from scipy.optimize import linprog

from implicit_l1.linear.compensated import refine, residual
from implicit_l1.linear.exact import Undecided, rationals_of, solve_consistent
from implicit_l1.linear.programs import TIGHT
from implicit_l1.linear.units import unit_of
from implicit_l1.minimizer.decision import Minimizer, undecided
from implicit_l1.minimizer.face import MinimizerFace, minimizer_face
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.proposals import DEFAULT, proposals
from implicit_l1.minimizer.support import (
    STRICT,
    Certificate,
    certificate,
    independent_columns,
    support_geometry,
)
from implicit_l1.network.initialization import Initialization
from implicit_l1.network.selected_point import SelectionError, kernel_of, selected_on_face
from implicit_l1.status import CERTIFIED, SELECTED, UNIQUE_IN_FLOATS

# A margin further below 0 belongs to no minimizer.
_ROUNDING = 1e-9
# A point further from A x = y than this part of y solves no problem of interest.
_FEASIBLE = 1e-6
# Entries of a solver's point below this fraction of the largest are taken as zero.
_ZERO = 1e-9
# On the support the equations of a dual vector hold up to this, or not at all.
_TIED = 1e-13
# Bits of Newton's method on the face of minimizers.
_PRECISION = 512
# Singular values of a rounded A~_S below this part of the largest are none.
_RANK = 1e-12
# Entries of a kernel vector below this fraction of the largest are the solver's rounding.
_SUPPORT = 1e-8


def tilted_basis_pursuit(
    matrix: np.ndarray, data: np.ndarray, tilt: np.ndarray, solver: str = DEFAULT
) -> np.ndarray:
    """A minimizer of ``||x||_1 - <tilt, x>`` subject to ``A x = y``, approximately, shape (d,).

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        tilt: shape (d,), in (-1, 1).
        solver: one of :data:`implicit_l1.minimizer.proposals.SOLVERS`, which comes first.
    Raises:
        SelectionError: if no solver comes to a point with ``A x = y``.
    """
    size = np.linalg.norm(data)
    for proposal in proposals(matrix, data, solver, tilt):
        if np.linalg.norm(residual(matrix, proposal.point, data)) <= _FEASIBLE * size:
            return proposal.point
    raise SelectionError("no solver of the tilted l1 problem has found an x with A x = y")


def minimizer_of(
    matrix: np.ndarray,
    data: np.ndarray,
    initialization: Initialization,
    depth: float,
    point: np.ndarray,
    solver: str,
    exact_data: Sequence[fmpq] | None = None,
) -> Minimizer:
    """What the flow of depth D from an initialization approaches as alpha -> 0.

    Its point, and kappa, are of x; its certificate is of x~.  The support that floating point finds
    is that of no minimizer where y is no combination of its columns, which A itself, not rounded,
    decides exactly; it is undecided then.

    Args:
        matrix: A, shape (N, d).
        data: y, shape (N,).
        initialization: of the initialization.
        depth: D >= 2.
        point: a minimizer of ||x||_1, shape (d,).
        solver: of the l1 problem in x~, the first that is asked.
        exact_data: y as rational numbers, where `data` are their roundings.
    Raises:
        SelectionError, BasisPursuitError: if a program is not solved.
    """
    scaled, tilted = matrix * initialization.unit, np.any(initialization.tilt)
    if tilted:
        point = tilted_basis_pursuit(scaled, data, initialization.tilt, solver)
    elif np.any(initialization.unit != 1.0):
        point = decide_minimizer(scaled, data, solver, exact_data).point
    found = select(scaled, data, initialization, depth, point, exact_data)
    if found.status in (UNIQUE_IN_FLOATS, SELECTED):
        basis = independent_columns(matrix, found.point)
        right = rationals_of(data if exact_data is None else exact_data)
        if basis.size < data.size and solve_consistent(matrix[:, basis], right) is None:
            reason = "y is no combination of the columns of the support found in floating point"
            found = undecided(scaled, data, found.point, reason)
    minimizer = initialization.unit * found.point
    size = np.abs(minimizer[found.support])
    return replace(
        found,
        point=minimizer,
        point_low=initialization.unit * found.point_low,
        kappa=size.max() / size.min(),
    )


def select(
    matrix: np.ndarray,
    data: np.ndarray,
    initialization: Initialization,
    depth: float,
    point: np.ndarray,
    exact_data: Sequence[fmpq] | None = None,
) -> Minimizer:
    """The minimizer that the flow of depth D approaches as alpha -> 0, as x~.

    Its status is CERTIFIED (unique) where A~ = A and nothing is tilted, UNIQUE_IN_FLOATS,
    SELECTED (one of several) or UNDECIDED; ``direction`` of its certificate is ``A~^T nu + tilt``.

    Args:
        matrix: A~, shape (N, d).
        data: y, shape (N,).
        initialization: of the initialization.
        depth: D >= 2.
        point: any minimizer, approximately, as x~.
        exact_data: y as rational numbers, where `data` are their roundings.
    Raises:
        SelectionError: if a linear program fails or Newton's method does.
    """
    # A~ has no rounding, and nothing is tilted
    exactly = not initialization.is_rounded
    try:
        if exactly:
            found = minimizer_face(matrix, data, point, exact_data)
        else:
            found = _face_in_floats(matrix, data, initialization.tilt, point)
    except Undecided as error:
        return undecided(matrix, data, point, str(error))
    support, sigma, dual = found.support, found.signs, found.certificate
    kernel = (kernel_of if exactly else _kernel_in_floats)(matrix[:, support])
    unique = not kernel[0]
    with ctx.workprec(_PRECISION):
        exact = [arb(value) for value in found.inside]
        if not unique:
            exact = selected_on_face(kernel, exact, sigma, initialization, support, depth)
        values = np.array([float(value) for value in exact])
        selected, low = np.zeros(point.size), np.zeros(point.size)
        selected[support] = values
        low[support] = [float(x - arb(y)) for x, y in zip(exact, values, strict=True)]
    if np.any(sigma * values <= 0):
        return undecided(matrix, data, point, "the selected minimizer is beyond the doubles")
    mismatch = residual(matrix[:, support], values, data)
    size, plain = np.abs(values), np.all(initialization.unit == 1.0)
    return Minimizer(
        (CERTIFIED if exactly and plain else UNIQUE_IN_FLOATS) if unique else SELECTED,
        selected,
        low,
        support,
        dual,
        float(size.sum() - initialization.tilt @ selected - dual.nu @ data),
        float(np.linalg.norm(mismatch) / np.linalg.norm(data)),
        float(size.max() / size.min()),
    )


def _face_in_floats(matrix, data, tilt, point):
    """The face of minimizers of ``||x||_1 - <tilt, x>``, where A~ is rounded or something tilts.

    Raises:
        Undecided: if floating point does not find it.
    """
    size = np.abs(point)
    support, signs = np.flatnonzero(size > _ZERO * size.max()), np.sign(point)
    while True:
        dual, kernel = _largest_margin(matrix, support, signs, tilt)
        if dual is None:
            raise Undecided("no dual vector belongs to the support that was found")
        margin = dual.smallest_margin(support)
        if margin > STRICT:
            break
        off = np.setdiff1d(np.arange(point.size), support)
        grown = off[np.abs(kernel[off]) > _SUPPORT * np.abs(kernel).max(initial=0.0)]
        if margin < -_ROUNDING or grown.size == 0:
            raise Undecided("in floating point there is no dual vector that is strict")
        signs[grown] = np.sign(kernel[grown])
        support = np.sort(np.append(support, grown))
    inside = _inside(matrix[:, support], data, signs[support])
    return MinimizerFace(support, signs[support], rationals_of(inside), dual)


def _largest_margin(matrix, support, signs, tilt):
    """The certificate of S with the largest margin off S, and the kernel vector that proves it.

    ``min t`` subject to ``|A_j^T nu + tilt_j| <= t`` off S and ``A_S^T nu + tilt_S = sigma``.
    The multipliers are a kernel vector; it has the signs of ``A_j^T nu + tilt_j`` off S.
    (None, None) if no nu is feasible, so that these are not the signs of a minimizer.
    """
    count = matrix.shape[1]
    unit = unit_of(matrix)
    matrix = matrix / unit
    off = np.setdiff1d(np.arange(count), support)
    target = signs[support] - tilt[support]
    edge = -np.ones((off.size, 1))
    result = linprog(
        np.append(np.zeros(matrix.shape[0]), 1.0),
        A_ub=np.block([[matrix[:, off].T, edge], [-matrix[:, off].T, edge]]),
        b_ub=np.concatenate([-tilt[off], tilt[off]]),
        A_eq=np.column_stack([matrix[:, support].T, np.zeros(support.size)]),
        b_eq=target,
        bounds=[(None, None)] * matrix.shape[0] + [(0.0, None)],
        method="highs-ds",
        options=TIGHT,
    )
    if result.status == 2:  # infeasible
        return None, None
    if result.status != 0:
        raise SelectionError(
            f"the linear program of the dual certificate was not solved: {result.message}"
        )
    upper, lower = result.ineqlin.marginals.reshape(2, -1)
    kernel = np.zeros(count)
    kernel[off] = lower - upper
    kernel[support] = -result.eqlin.marginals
    # equality on a basis of S is equality on S
    diagonal, order = qr(matrix[:, support], mode="r", pivoting=True)
    size = np.abs(np.diag(diagonal))
    basis = np.sort(order[: np.sum(size > _RANK * size[0])])
    geometry = support_geometry(matrix, support[basis])
    dual = certificate(matrix, geometry, signs[geometry.support], result.x[:-1], tilt)
    # up to the solver's tolerance only: then the columns of S are not tied
    if np.abs(dual.direction[support] - signs[support]).max() > _TIED:
        return None, None
    direction, margin = dual.direction.copy(), dual.margin.copy()
    direction[support], margin[support] = signs[support], 0.0
    return Certificate(dual.nu / unit, direction, margin), kernel


def _kernel_in_floats(on):
    """The same of A~_S, which is rounded."""
    return null_space(on, rcond=_RANK).tolist()


def _inside(on, data, sigma):
    """A solution of ``A~_S x~_S = y`` with these signs, away from 0 as far as can be, shape (k,).

    Raises:
        Undecided: if there is none.
    """
    pseudo = np.linalg.pinv(on, rcond=_RANK)
    values, _ = refine(lambda y: pseudo @ y, on, data)
    kernel = null_space(on, rcond=_RANK)
    size = kernel.shape[1]
    if np.linalg.norm(residual(on, values, data)) > 1e-12 * np.linalg.norm(data):
        raise Undecided("y is not reached on the support that was found")
    if size:
        result = linprog(
            np.append(np.zeros(size), -1.0),
            A_ub=np.column_stack([-sigma[:, None] * kernel, np.ones(sigma.size)]),
            b_ub=sigma * values,
            bounds=[(None, None)] * size + [(None, np.abs(values).max())],
            method="highs-ds",
            options=TIGHT,
        )
        if result.status != 0 or result.x[-1] <= 1e-10 * np.abs(values).max():
            raise Undecided("no minimizer without zeros is found on the support")
        values = values + kernel @ result.x[:-1]
    if np.any(sigma * values <= 0):
        raise Undecided("no minimizer with the signs that were found is found")
    return values
