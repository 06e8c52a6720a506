r"""The exact first-order behaviour of the error as alpha -> 0, computed without any alpha.

With g* the l1 minimizer, S its support, sigma its signs, ``n = x(alpha) - g*`` and the
maps M, C of :mod:`implicit_l1.minimizer.support` (``n_S = -M n_Sc`` and ``C n_Sc = 0`` for n in
ker A), the limit point of the flow (Woodworth et al., COLT 2020) satisfies
``n_Sc = alpha phi_D(z)``, ``z = M^T phi_D^{-1}(x_S / alpha) + C^T b`` for some b.

**D > 2.**  ``phi_D^{-1}(x_S / alpha) -> sigma``, so ``n / alpha -> n*`` with

.. math::
    n^*_{S^c} = \varphi_D(z), \quad z = M^T \sigma + C^T b, \quad C \varphi_D(z) = 0,
    \quad n^*_S = -M n^*_{S^c},

that is, n* minimizes ``<sigma, n_S> + sum(q_D(n_Sc))`` over ker A.  The relative
correction is of order ``(alpha / min|g*_S|)^((D - 2) / D)``.

**D = 2.**  ``phi_2^{-1}(x_S / alpha) = sigma (log(1/alpha) + log|g*_S|) + o(1)`` and
``lam = log(1/alpha) nu_0 + nu_1 + o(1)``.  Here nu_0 is the dual certificate whose sorted
``|A_Sc^T nu_0|`` are least (:func:`implicit_l1.minimizer.face.lexicographic_dual`), rho the largest
of them.  With ``t = M^T (sigma log|g*_S|)``, with J the indices at which ``|A_j^T nu_0| = rho`` and
s their signs, nu_1 is given by a b that minimizes ``sum_J exp(s_j (t_j + C_j^T b))``.  Every entry
off the support follows:

.. math::
    n_j \sim s_j \, \alpha^{1 - |A_j^T \nu_0|} \, e^{s_j (t_j + C_j^T b)},

and those of J decide: ``||n|| / alpha^(1 - rho)`` has a limit.  For |S| = N there is no b and the
constant is explicit.  For |J| = N - |S| + 1, the generic case, there is one b, and n_J is
proportional to the one kernel vector of C_J.  Else the minimizers b may be a plane.  On it the J of
the next smaller ``|A_j^T nu_0|`` decides in the same way, and so on; where that is 0, ``sum cosh``
takes the place of ``sum exp``, and ``2 sinh(t_j + C_j^T b)`` that of the exponential.  (Terms of
smaller order move the b of larger ones by their ratio, which tends to 0, however the columns lie:
projections with weights are bounded whatever the weights are, Stewart, *On scaled projections and
pseudoinverses*, Linear Algebra Appl. 1989.)

**rho = 0.**  Then n* = 0 at D > 2, and the exponent is above 1, most often ``1 + (D - 2) / D``; at
D = 2 it is 1, most often: :mod:`implicit_l1.proof.vanishing`.

(All of this is derived for this project, and is compared with the limit points
themselves in its tests.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb, ctx, fmpq

from implicit_l1.linear.exact import RationalMatrix, as_double, rationals_of, solve_consistent
from implicit_l1.minimizer.face import lexicographic_dual
from implicit_l1.minimizer.reduced import finer_matrix
from implicit_l1.minimizer.support import Certificate, SupportGeometry, solve_positive_definite
from implicit_l1.potentials import LOG2, OffSupport, Potential, Real, log_sinh, potential
from implicit_l1.proof.balls import relative_radius, sum_of_sizes
from implicit_l1.proof.frame import NotProved
from implicit_l1.proof.vanishing import in_row_space, leading_error, leading_term

# Of ``|A_j^T nu_0|``, which is 0 up to rounding where rho = 0: rational arithmetic decides.
_ZERO = 1e-14
# Indices whose |A_j^T nu_0| and 1 - |A_j^T nu_0| are so close to those of the largest, relative to
# them, may belong to J: if they are more than is generic, rational arithmetic decides.
_EQUAL = 1e-9
# Bits with which the leading term is found where rho = 0, and its relative radius.
_PRECISIONS, _ROUNDED = (256, 512, 1024, 2048), 2.0**-60
# Entries below this part of the largest are not told from 0.
_VANISHES = 1e-12
# Of a sum, relative to its parts.
_ROUNDING = 8.0 * np.finfo(float).eps


class BalanceError(RuntimeError):
    """Newton's method for ``C phi(z) = 0``, or for a sum of exponentials, did not converge."""


@dataclass(frozen=True)
class FirstOrder:
    """The limit of ``n(alpha) / alpha^exponent``.

    Attributes:
        exponent: ``1 - rho`` for D = 2 and 1 for D > 2 where rho > 0; above where rho = 0 and that
            term vanishes; inf where x(alpha) = g* for all alpha.
        log_unit: natural logarithm of the unit of ``error``.
        error: the limit in units of exp(log_unit), shape (d,); its largest entry off the
            support is 1 in absolute value.  Entries of higher order are 0.
        sign, entry_exponent, entry_log_size: off the support, each of shape (d - k,) in
            the order of ``geometry.complement``: ``n_j ~ sign * alpha^entry_exponent *
            exp(entry_log_size)``, entries of higher order too; 0 and -inf where this is not told
            from a term that vanishes.
    """

    exponent: float
    log_unit: float
    error: np.ndarray
    sign: np.ndarray
    entry_exponent: np.ndarray
    entry_log_size: np.ndarray

    def log_constant(self, order: float) -> float:
        """Natural logarithm of the limit of ``||n||_order / alpha^exponent``."""
        with np.errstate(divide="ignore"):
            return self.log_unit + np.log(np.linalg.norm(self.error, order))


def first_order(
    matrix: np.ndarray,
    geometry: SupportGeometry,
    minimizer: np.ndarray,
    certificate: Certificate,
    potential: Potential,
    exact_data: Sequence[fmpq] | None = None,
) -> FirstOrder:
    """The first-order behaviour of the error of one instance.

    Args:
        matrix: A, shape (N, d).
        geometry: of the support S of g*.
        minimizer: g*, shape (d,), zero off its support.
        certificate: of g*; for D = 2 one of largest margin, for D > 2 any with
            ``||A_Sc^T nu||_inf < 1`` (it only starts the iteration).
        potential: of the depth wanted.
        exact_data: y as rational numbers, N of them, from which g* follows exactly where rho = 0;
            y = A g*, rounded as it is, if None.
    Raises:
        ValueError: if the certificate is not strict, so g* need not be the only minimizer, or if
            exact_data are not those of g*.
        Undecided: if rho = 0 and the leading term is not known, or if what equal
            ``|A_j^T nu_0|`` need takes too many pivots.
        BalanceError: if Newton's method fails.
    """
    direction = certificate.direction[geometry.complement]
    margin = certificate.margin[geometry.complement]
    if margin.min() <= 0:
        raise ValueError(
            f"the certificate must be strict, its margin is {margin.min():.3g}: "
            "the l1 minimizer need not be unique"
        )
    on_support = minimizer[geometry.support]
    sigma = np.sign(on_support)
    if np.abs(direction).max() <= _ZERO and in_row_space(
        matrix, geometry.support, rationals_of(sigma)
    ):
        values: list[fmpq] | None = rationals_of(on_support)
        if exact_data is not None:
            values = solve_consistent(matrix[:, geometry.support], exact_data)
        if values is None:
            raise ValueError("exact_data is no combination of the columns of the support")
        return _vanishing(matrix, geometry, values, potential.depth)
    if potential.depth == 2:
        return _logarithmic(matrix, geometry, on_support, direction, margin)
    return _linear(geometry, direction, margin, potential)


def _linear(geometry, direction, margin, potential):
    """D > 2: the error is linear in alpha.

    Where A's coordinates lose digits, in those of :mod:`implicit_l1.minimizer.reduced`, a matrix
    with the same kernel.
    """
    reduced, is_finer = finer_matrix(geometry)
    if is_finer:
        geometry = reduced.geometry
    start = np.zeros(geometry.free_map.shape[0])
    _, off = balance(geometry.free_map, potential, direction, margin, 0.0, 0.0, start)
    exponent = np.ones(direction.size)
    return _assemble(geometry, 1.0, off.sign, exponent, off.log_size, np.ones(direction.size, bool))


def _vanishing(matrix, geometry, values, depth):
    """rho = 0: the term of order alpha^(1 - rho) is 0 at D > 2, and of another form at D = 2."""
    count = geometry.complement.size
    leading = leading_term(matrix, geometry.support, values, depth)
    if leading is None:
        nothing = np.full(count, -np.inf)
        return _assemble(
            geometry, np.inf, np.zeros(count), -nothing, nothing, np.zeros(count, bool)
        )
    for bits in _PRECISIONS:
        with ctx.workprec(bits):
            exact = [arb(value) for value in values]
            try:
                error = leading_error(matrix, geometry.support, exact, depth, leading.place)
            except NotProved:
                continue
            off = [error[j] for j in geometry.complement]
            size = sum_of_sizes(off)
            if relative_radius(size) <= _ROUNDED:
                off = [n if abs(n) > _VANISHES * size else None for n in off]
                sign = np.array([0.0 if n is None else np.sign(float(n)) for n in off])
                log_size = np.array([-np.inf if n is None else float(abs(n).log()) for n in off])
                exponent = as_double(leading.exponent)
                return _assemble(
                    geometry, exponent, sign, np.full(count, exponent), log_size, sign != 0
                )
    raise BalanceError(f"the leading term is not found with {_PRECISIONS[-1]} bits")


def _logarithmic(matrix, geometry, on_support, direction, margin):
    """D = 2, rho > 0: the error behaves like alpha^(1 - rho)."""
    shift = geometry.range_map.T @ (np.sign(on_support) * np.log(np.abs(on_support)))
    size = np.abs(direction)
    # both have digits of their own, where rho is near 1 and where it is near 0
    active = (margin <= margin.min() * (1.0 + _EQUAL)) & (size >= size.max() * (1.0 - _EQUAL))
    free = None
    if active.sum() == geometry.free_map.shape[0] + 1:  # generic: nu_0 is the only one
        side = np.sign(direction[active])
        free = _least_exponential_sum(geometry.free_map[:, active] * side, side * shift[active])
    if free is None:
        direction, margin, levels = _exact_levels(matrix, geometry, np.sign(on_support))
        active = levels[0][0]
        free = _free_part(geometry.free_map, np.sign(direction), shift, levels)
    side, z = np.sign(direction), shift + geometry.free_map.T @ free
    parts = np.abs(shift) + np.abs(geometry.free_map).T @ np.abs(free)
    side = np.where(direction == 0, np.where(np.abs(z) > _VANISHES * parts, np.sign(z), 0.0), side)
    of_zero = LOG2 + log_sinh(np.abs(z))
    log_size = np.where(direction == 0, np.where(side == 0, -np.inf, of_zero), side * z)
    return _assemble(geometry, margin[active].min(), side, margin, log_size, active)


def _exact_levels(matrix, geometry, sigma):
    """``A_j^T nu_0`` and ``1 - |it|`` off S, in rational arithmetic, and where they are equal.

    Returns:
        (direction, margin, levels), the last a list of pairs: places of the same
        ``|A_j^T nu_0|``, from the largest to the smallest, as a mask, and how much they add to the
        rank of the columns before them.
    """
    _, nu = lexicographic_dual(matrix, geometry.support, sigma)
    exact = RationalMatrix(matrix)
    image, denominator = exact.image(nu)
    image = [image[j] for j in geometry.complement]
    direction = np.array([as_double(fmpq(v, denominator)) for v in image])
    margin = np.array([as_double(1 - fmpq(abs(v), denominator)) for v in image])
    levels, known = [], list(geometry.support)
    rank = len(known)
    for height in sorted({abs(v) for v in image}, reverse=True):
        level = np.array([abs(v) == height for v in image])
        known += list(geometry.complement[level])
        if rank < len(matrix) or not levels:
            before, rank = rank, len(exact.first_basis(known))
            levels.append((level, rank - before))
    return direction, margin, levels


def _free_part(free_map, side, shift, levels):
    """b of ``lam = log(1/alpha) nu_0 + nu_1``, level by level, shape (r,)."""
    free, left = np.zeros(len(free_map)), np.eye(len(free_map))
    for level, rank in levels:
        part, here = left.T @ free_map[:, level], shift[level] + free_map[:, level].T @ free
        if rank == 0:
            continue
        basis, _, _ = np.linalg.svd(part)
        moved, left = left @ basis[:, :rank], left @ basis[:, rank:]
        part, sides = moved.T @ free_map[:, level], side[level]
        if np.any(sides):
            found = _least_exponential_sum(part * sides, sides * here)
            if found is None:
                raise BalanceError("the least sum of exponentials of a level is not found")
            free = free + moved @ found
        else:
            none = np.zeros(here.size)
            found = -np.linalg.lstsq(part.T, here, rcond=None)[0]
            parts = np.abs(here) + np.abs(part).T @ np.abs(found)
            if np.any(np.abs(here + part.T @ found) > _VANISHES * parts):
                arguments = potential(2), none, none + 1.0, here, 0.0, found
                found, _ = balance(part, *arguments)
            free = free + moved @ found
    return free


def _assemble(geometry, exponent, sign, entry_exponent, entry_log_size, leading):
    largest = entry_log_size[leading].max(initial=-np.inf)
    error = np.zeros(geometry.support.size + geometry.complement.size)
    off = np.zeros(leading.size)
    if np.isfinite(largest):  # -inf where the error vanishes to this order
        off[leading] = sign[leading] * np.exp(entry_log_size[leading] - largest)
    error[geometry.complement] = off
    error[geometry.support] = -(geometry.range_map @ off)
    return FirstOrder(float(exponent), largest, error, sign, entry_exponent, entry_log_size)


def _least_exponential_sum(free_map, shift, steps=100, tolerance=1e-9):
    """The b, shape (r,), of least ``sum(exp(shift + free_map.T @ b))``; None if there is none.

    Newton's method on the logarithm of the sum, started where the exponents are as equal
    as they can be.
    """
    size = free_map.shape[0]
    if size == 0:
        return np.zeros(0)
    system = np.column_stack([free_map.T, -np.ones(shift.size)])
    free = np.linalg.lstsq(system, -shift, rcond=None)[0][:-1]

    def log_sum(exponents):
        largest = exponents.max()
        weights = np.exp(exponents - largest)
        return largest + np.log(weights.sum()), weights / weights.sum()

    value, weights = log_sum(shift + free_map.T @ free)
    for _ in range(steps):
        gradient = free_map @ weights
        centred = free_map - gradient[:, None]
        try:
            step = -solve_positive_definite(centred * np.sqrt(weights), gradient)
        except np.linalg.LinAlgError:
            break
        change = np.abs(centred.T @ step).max()
        length = 1.0
        while length > 1e-6:
            trial, trial_weights = log_sum(shift + free_map.T @ (free + length * step))
            # the logarithm of a sum is rounded beside 1 and its largest exponent
            rounding = 1e-14 * max(1.0, abs(value))
            if trial <= value + 1e-4 * length * (gradient @ step) + rounding:
                break
            length *= 0.5
        free, value, weights = free + length * step, trial, trial_weights
        # the step, not the gradient: where no minimum is attained, the gradient vanishes
        # as some exponents run to -infinity, but the steps do not
        if change <= tolerance:
            return free
    return None


def balance(
    free_map: np.ndarray,
    potential: Potential,
    direction: np.ndarray,
    margin: np.ndarray,
    shift: Real,
    log_alpha: float,
    free: np.ndarray,
    steps: int = 200,
) -> tuple[np.ndarray, OffSupport]:
    """Solve ``C phi(z) = 0``, ``z = dual_scale * direction + shift + C^T b``, for b.

    Damped Newton's method for the minimum over b of ``sum(q_D^*(z))``, a convex function
    with, for D > 2, a barrier at |z| = 1.  Where phi' ranges over more than 16 decades its
    matrix is singular in double precision, unless the largest entries alone determine b:
    the b of least ``||z||_inf`` is a start from which this has not been met.

    Args:
        free_map: C, shape (r, n); r may be 0.
        potential: of the depth wanted.
        direction, margin: entries of a dual certificate off the support and 1 - |them|,
            shape (n,) each.
        shift: the rest of z, shape (n,) or a number.
        log_alpha: natural logarithm of alpha; it scales phi and enters dual_scale.
        free: where to start, shape (r,), with z inside the domain of phi.
        steps: most Newton steps.
    Returns:
        (b, alpha * phi(z) as an OffSupport).
    Raises:
        ValueError: if the start is outside the domain.
        BalanceError: if the steps do not suffice, or the Newton matrix is singular.
    """
    length, change, longest = 0.0, np.inf, np.inf
    known = np.minimum(np.abs(direction), margin) * np.abs(potential.dual_scale(log_alpha))
    for step in range(steps + 1):
        shifted = shift + free_map.T @ free
        off = potential.off_support(direction, margin, shifted, log_alpha)
        if step == 0 and not np.all(off.room > 0):
            raise ValueError(
                f"the start must have |z| < 1, its largest is {1 - off.room.min():.6g}"
            )
        unit = off.log_size.max()
        # no b, or z = 0 is the solution, from which no number is relatively far
        if free.size == 0 or unit < off.log_slope.max() - 600.0:
            return free, off
        if length == 1.0 and change <= 1e-9:
            return free, off
        # where z is 0 up to rounding it moves by that, however far relative to itself
        parts = known + np.abs(shift) + np.abs(free_map).T @ np.abs(free)
        if length == 1.0 and longest <= _ROUNDING * parts.max():
            return free, off
        value = off.sign * np.exp(off.log_size - unit)
        root = np.exp(0.5 * (off.log_slope - unit))
        try:
            move = -solve_positive_definite(free_map * root, free_map @ value)
        except np.linalg.LinAlgError as error:
            raise BalanceError("the Newton matrix is numerically singular") from error
        reach = np.abs(free_map.T @ move)
        change, longest = (root**2 @ reach) / np.abs(value).sum(), reach.max()
        # phi is close to linear over a fraction of the room (D > 2) or over a unit (D = 2)
        length = 1.0 / max(1.0, np.max(reach / np.minimum(0.9 * off.room, 2.0)))
        free = free + length * move
    raise BalanceError(f"no convergence in {steps} Newton steps (last change {change:.1e})")
