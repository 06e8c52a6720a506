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
``lam = log(1/alpha) nu_0 + nu_1 + o(1)``.  Here nu_0 is the dual certificate of largest
margin, ``||A_Sc^T nu_0||_inf = rho``, and with ``t = M^T (sigma log|g*_S|)``, with J the
indices at which ``|A_j^T nu_0| = rho`` and s their signs, nu_1 is given by the b that
minimizes ``sum_J exp(s_j (t_j + C_j^T b))``.  Every entry off the support follows:

.. math::
    n_j \sim s_j \, \alpha^{1 - |A_j^T \nu_0|} \, e^{s_j (t_j + C_j^T b)},

and those of J decide: ``||n|| / alpha^(1 - rho)`` has a limit.  For |S| = N there is no b
and the constant is explicit.  For |J| = N - |S| + 1, the generic case, n_J is
proportional to the one kernel vector of C_J.

(All of this is derived for this project, and is compared with the limit points
themselves in its tests.)
"""

from dataclasses import dataclass

import numpy as np

from implicit_l1.minimizer.support import Certificate, SupportGeometry, solve_positive_definite
from implicit_l1.potentials import OffSupport, Potential, Real

# Of ``|A_j^T nu_0|``, which is 0 up to rounding where rho = 0.
_ZERO = 1e-14
# Indices whose |A_j^T nu_0| and 1 - |A_j^T nu_0| are so close to those of the largest, relative to
# them, belong to J.
_EQUAL = 1e-9


class DegenerateFaceError(ValueError):
    """The dual certificates of largest margin form a face that is not a point."""


class BalanceError(RuntimeError):
    """Newton's method for ``C phi(z) = 0`` did not converge."""


@dataclass(frozen=True)
class FirstOrder:
    """The limit of ``n(alpha) / alpha^exponent``.

    Attributes:
        exponent: 1 for D > 2, ``1 - rho`` for D = 2.
        log_unit: natural logarithm of the unit of ``error``.
        error: the limit in units of exp(log_unit), shape (d,); its largest entry off the
            support is 1 in absolute value.  Entries of higher order are 0.
        sign, entry_exponent, entry_log_size: off the support, each of shape (d - k,) in
            the order of ``geometry.complement``: ``n_j ~ sign * alpha^entry_exponent *
            exp(entry_log_size)``, entries of higher order too; sign is 0 where this does
            not determine the leading term.
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
    geometry: SupportGeometry,
    minimizer: np.ndarray,
    certificate: Certificate,
    potential: Potential,
) -> FirstOrder:
    """The first-order behaviour of the error of one instance.

    Args:
        geometry: of the support S of g*.
        minimizer: g*, shape (d,), zero off its support.
        certificate: of g*; for D = 2 the one of largest margin, for D > 2 any with
            ``||A_Sc^T nu||_inf < 1`` (it only starts the iteration).
        potential: of the depth wanted.
    Raises:
        ValueError: if the certificate is not strict, so g* need not be the only minimizer.
        DegenerateFaceError: for D = 2, if the certificate is not of largest margin or not
            the only one, or if rho = 0; the leading term is then not of this form.
        BalanceError: for D > 2, if Newton's method fails.
    """
    direction = certificate.direction[geometry.complement]
    margin = certificate.margin[geometry.complement]
    if margin.min() <= 0:
        raise ValueError(
            f"the certificate must be strict, its margin is {margin.min():.3g}: "
            "the l1 minimizer need not be unique"
        )
    if potential.depth == 2:
        return _logarithmic(geometry, minimizer, direction, margin)
    return _linear(geometry, direction, margin, potential)


def _linear(geometry, direction, margin, potential):
    """D > 2: the error is linear in alpha."""
    start = np.zeros(geometry.free_map.shape[0])
    _, off = balance(geometry.free_map, potential, direction, margin, 0.0, 0.0, start)
    exponent = np.ones(direction.size)
    return _assemble(geometry, 1.0, off.sign, exponent, off.log_size, np.ones(direction.size, bool))


def _logarithmic(geometry, minimizer, direction, margin):
    """D = 2: the error behaves like alpha^(1 - rho)."""
    on_support = minimizer[geometry.support]
    shift = geometry.range_map.T @ (np.sign(on_support) * np.log(np.abs(on_support)))
    size = np.abs(direction)
    if size.max() <= _ZERO:
        raise DegenerateFaceError("rho = 0: no entry of the error is of the form alpha^(1 - rho)")
    # both have digits of their own, where rho is near 1 and where it is near 0
    active = (margin <= margin.min() * (1.0 + _EQUAL)) & (size >= size.max() * (1.0 - _EQUAL))
    side = np.sign(direction)
    free_map = geometry.free_map[:, active] * side[active]
    free = _least_exponential_sum(free_map, (side * shift)[active])
    log_size = side * (shift + geometry.free_map.T @ free)
    return _assemble(geometry, margin.min(), side, margin, log_size, active)


def _assemble(geometry, exponent, sign, entry_exponent, entry_log_size, leading):
    largest = entry_log_size[leading].max()
    error = np.zeros(geometry.support.size + geometry.complement.size)
    off = np.zeros(leading.size)
    if np.isfinite(largest):  # -inf where the error vanishes to this order
        off[leading] = sign[leading] * np.exp(entry_log_size[leading] - largest)
    error[geometry.complement] = off
    error[geometry.support] = -(geometry.range_map @ off)
    return FirstOrder(float(exponent), largest, error, sign, entry_exponent, entry_log_size)


def _least_exponential_sum(free_map, shift, steps=100, tolerance=1e-9):
    """The b, shape (r,), that minimizes ``sum(exp(shift + free_map.T @ b))``.

    Newton's method on the logarithm of the sum, started where the exponents are as equal
    as they can be.
    """
    size = free_map.shape[0]
    if size == 0:
        return np.zeros(0)
    remedy = (
        "the certificate is not the only one of largest margin, or not of largest margin at all"
    )
    if np.linalg.matrix_rank(free_map) < size:
        raise DegenerateFaceError(f"the active columns do not determine nu_0: {remedy}")
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
            if trial <= value + 1e-4 * length * (gradient @ step) + 1e-14 * abs(value):
                break
            length *= 0.5
        free, value, weights = free + length * step, trial, trial_weights
        # the step, not the gradient: where no minimum is attained, the gradient vanishes
        # as some exponents run to -infinity, but the steps do not
        if change <= tolerance:
            return free
    raise DegenerateFaceError(
        f"the sum of exponentials over the active set has no minimum: {remedy}"
    )


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
    length, change = 0.0, np.inf
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
        value = off.sign * np.exp(off.log_size - unit)
        root = np.exp(0.5 * (off.log_slope - unit))
        try:
            move = -solve_positive_definite(free_map * root, free_map @ value)
        except np.linalg.LinAlgError as error:
            raise BalanceError("the Newton matrix is numerically singular") from error
        reach = np.abs(free_map.T @ move)
        change = (root**2 @ reach) / np.abs(value).sum()
        # phi is close to linear over a fraction of the room (D > 2) or over a unit (D = 2)
        length = 1.0 / max(1.0, np.max(reach / np.minimum(0.9 * off.room, 2.0)))
        free = free + length * move
    raise BalanceError(f"no convergence in {steps} Newton steps (last change {change:.1e})")
