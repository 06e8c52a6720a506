r"""What one asks of a matrix A and data y: arrays in, results out.

Everything is about ``g* = argmin ||x||_1`` subject to ``A x = y`` and the linear network
``x = u^D - v^D`` (elementwise) of depth D, trained on ``A x = y`` by gradient flow from
``u(0) = v(0) = alpha^(1/D) 1``: alpha is the scale of the *predictor* x.  (Literature that starts
the weights at alpha means by alpha^D what is alpha here.)  What these functions say in floating
point, those of :mod:`implicit_l1.enclosures` prove.

All of them take A of shape (N, d) and y of shape (N,), lists as well, exact as the doubles that
they are.  With ``noiseless=True`` y is taken as what it was before it was rounded, the product of A
and the largest entries of an l1 minimizer, as few as explain y to its rounding: without, the
minimizer of a rounded product has N entries, most of them of the size of rounding.  An A or y that
is not what it should be is a ValueError that names the argument: see
:func:`implicit_l1.problems.given.given_problem`.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from implicit_l1.arguments import (
    Instance,
    Scales,
    check_exact_up_to,
    checked_depth,
    checked_scales,
    decided_instance,
    selected_instance,
    unique_instance,
)
from implicit_l1.linear.exact import Undecided
from implicit_l1.minimizer.decision import Minimizer
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.null_space import Bracket, null_space_constant
from implicit_l1.minimizer.proposals import AUTO
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.network.asymptotics import first_order
from implicit_l1.network.bounds import error_bounds
from implicit_l1.network.flow import FlowError, FlowOptions, Trajectory, gradient_flow
from implicit_l1.network.limit import LimitPath, limit_path
from implicit_l1.potentials import potential
from implicit_l1.problems.doubles import UNIT_ROUNDOFF
from implicit_l1.problems.given import given_problem
from implicit_l1.problems.problem import exact_data

_LOG10 = np.log(10.0)

# Largest support of which rho~ is computed exactly, unless one asks for another.
EXACT_UP_TO = 16


def find_minimizer(A: ArrayLike, y: ArrayLike, *, noiseless: bool = False) -> Minimizer:
    r"""The l1 minimizer, with its certificate.

    .. math::
        \min_x \|x\|_1 \quad \text{subject to} \quad A x = y.

    Whether it is the only one is decided in ball and rational arithmetic, whatever the solver has
    found: by a dual certificate, a vector nu with ``A_S^T nu = sign(g*_S)`` on the support S and
    ``|A_j^T nu| < 1`` off it (Fuchs 2004; Foucart and Rauhut, *A Mathematical Introduction to
    Compressive Sensing*, ch. 4).

    Args:
        A: shape (N, d), N < d, of full row rank.
        y: shape (N,), not 0.
        noiseless: y is a product A x, rounded; see the module.
    Returns:
        point, support, certificate (nu, direction = A^T nu, margins), duality_gap, ..., and
        `status`: "certified unique" or "not unique", both proved, or "undecided: ...".  Of several
        minimizers it is one; of what is undecided, `point` is approximate.
    Raises:
        ValueError: naming the argument that is wrong.
    Example:
        >>> found = find_minimizer([[1, 0, 0.5, 0.5], [0, 1, 0.25, -0.25]], [2, 1])
        >>> found.status, found.point.tolist(), found.support.tolist()
        ('certified unique', [2.0, 1.0, 0.0, 0.0], [0, 1])
        >>> found.certificate.nu.tolist(), found.certificate.direction.tolist()
        ([1.0, 1.0], [1.0, 1.0, 0.75, 0.25])
    """
    problem = given_problem(A, y, noiseless)
    return decide_minimizer(problem.matrix, problem.data, AUTO, exact_data(problem))


@dataclass(frozen=True)
class NullSpaceConstants:
    """The constants of the support S and signs sigma of an l1 minimizer.

    Attributes:
        minimizer: g*; its `margin` is 1 - rho, to full relative accuracy.
        rho: rounded from its exact value, which is 1 if and only if there are several minimizers.
        rho_tilde: `lower` and `upper`, the same number where it is known, and by which `method`;
            in floating point, to a relative 1e-9 of what vectors prove with rounding included.
    """

    minimizer: Minimizer
    rho: float
    rho_tilde: Bracket


def find_null_space_constants(
    A: ArrayLike,
    y: ArrayLike,
    *,
    noiseless: bool = False,
    exact_up_to: int = EXACT_UP_TO,
) -> NullSpaceConstants:
    r"""The constants rho and rho~ of the l1 minimizer's support S and signs sigma.

    .. math::
        \varrho = \sup_{0 \ne n \in \ker A} \frac{-\langle \sigma, n_S\rangle}{\|n_{S^c}\|_1},
        \qquad
        \tilde\varrho = \sup_{0 \ne n \in \ker A} \frac{\|n_S\|_1}{\|n_{S^c}\|_1}.

    At D = 2 the error decreases like ``alpha^(1 - rho)`` (Matt and Stöger, arXiv:2506.01143; this
    expression for rho is derived for this project); rho~ is the null space constant of S (Foucart
    and Rauhut, ch. 4), and ``rho <= rho~``.

    Args:
        A, y, noiseless: as in :func:`find_minimizer`.
        exact_up_to: rho~ is computed exactly for |S| up to this, by branch and bound, in a time
            that grows exponentially with |S|; for a larger S it lies between two bounds.
    Raises:
        ValueError: naming the argument that is wrong.
        Undecided: if the minimizer is not decided.
        LinearProgramError: if a linear program of rho~ is not solved.
    Example:
        >>> found = find_null_space_constants([[1, 0, 0.5, 0.5], [0, 1, 0.25, -0.25]], [2, 1])
        >>> found.rho, round(found.rho_tilde.lower, 6), round(found.rho_tilde.upper, 6)
        (0.75, 0.75, 0.75)
    """
    check_exact_up_to(exact_up_to)
    found = decided_instance(A, y, noiseless)
    minimizer = found.minimizer
    geometry = support_geometry(found.problem.matrix, minimizer.support)
    sigma = np.sign(minimizer.point[minimizer.support])
    rho_tilde = null_space_constant(geometry, sigma, exact_up_to)
    rho = found.certificate.largest_entry(minimizer.support)
    return NullSpaceConstants(found.given_minimizer(), rho, rho_tilde)


@dataclass(frozen=True)
class LimitPoints:
    """Limits x(alpha) of the gradient flow, and their errors ``n = x(alpha) - g*``.

    Attributes:
        minimizer: g*, from which the error is measured; "selected in floating point" where the
            l1 norm has several minimizers.
        log10_alpha: decimal logarithms of the scales of the predictor, as given, shape (m,).
        point: x(alpha), one row a scale, shape (m, d).
        log10_unit, unit_error: n is ``10**log10_unit * unit_error``, shapes (m,) and (m, d), also
            where n is far smaller than the rounding error of x, or than any double.
        log10_error_1: decimal logarithm of ``||n||_1``, shape (m,); -inf where n = 0.
        error_bound: of the relative error of ``||n||_1``, shape (m,), to first order: 1e-10 at
            most, and what rounding of `log10_unit` and `unit_error` adds.
    """

    minimizer: Minimizer
    log10_alpha: NDArray[np.float64]
    point: NDArray[np.float64]
    log10_unit: NDArray[np.float64]
    unit_error: NDArray[np.float64]
    log10_error_1: NDArray[np.float64]
    error_bound: NDArray[np.float64]


def find_limit_points(
    A: ArrayLike,
    y: ArrayLike,
    depth: float,
    *,
    alpha: ArrayLike | None = None,
    log10_alpha: ArrayLike | None = None,
    noiseless: bool = False,
) -> LimitPoints:
    r"""The limit points of gradient flow, along scales alpha of the predictor.

    .. math::
        x(\alpha) = \arg\min_x \; \alpha \sum_i q_D(x_i / \alpha) \quad \text{subject to} \quad
        A x = y, \qquad q_D' = \varphi_D^{-1}

    (Woodworth et al., COLT 2020; phi_D in :mod:`implicit_l1.potentials`).  The equations
    that are solved (:mod:`implicit_l1.network.limit`) are derived for this project.

    Args:
        A, y, noiseless: as in :func:`find_minimizer`.
        depth: D, 2, or any real number from 2.001 on (`potentials.NEXT_DEPTH`).
        alpha: scales, positive, in any order; a number or shape (m,).
        log10_alpha: their decimal logarithms instead, where alpha may be no double: from -1e6 at
            D = 2 and from -1000 at D > 2, to 300.
    Raises:
        ValueError: naming the argument that is wrong; with several minimizers also if a scale is
            below 1e-300.
        Undecided: if the minimizer is not decided.
        SelectionError: if of several minimizers the one that is approached is not found.
        ConvergenceError: naming the scale, if a point is not found to a relative 1e-10.
    Example:
        >>> A, y = [[1, 0.5]], [1]  # g* = (1, 0), rho = 1/2
        >>> two = find_limit_points(A, y, 2, log10_alpha=[-6, -400])
        >>> two.log10_error_1.round(3).tolist()
        [-2.824, -199.824]
        >>> three = find_limit_points(A, y, 3, alpha=1e-6)
        >>> three.point.round(5).tolist()
        [[1.0, 1e-05]]
    """
    depth = checked_depth(depth)
    scales = checked_scales(alpha, log10_alpha, depth)
    found = selected_instance(A, y, depth, noiseless)
    return _limit_points(found, scales, _path(found, depth, scales))


def _path(found: Instance, depth: float, scales: Scales) -> LimitPath:
    minimizer = found.minimizer
    return limit_path(
        found.problem.matrix,
        minimizer.point,
        found.certificate,
        potential(depth),
        scales.log_alpha,
        minimizer_low=minimizer.point_low,
        exact_data=exact_data(found.problem),
    )


def _limit_points(found: Instance, scales: Scales, path: LimitPath) -> LimitPoints:
    """The rows of a path in the order of the scales as they were given."""
    rows = scales.places
    # of the logarithm of the unit, and of n in it; of an n that is 0 there is none
    rounding = 2.0 * UNIT_ROUNDOFF * (1.0 + np.abs(path.log_unit))
    bound = path.error_bound + np.where(path.error.any(axis=1), rounding, 0.0)
    return LimitPoints(
        found.given_minimizer(),
        scales.log10_alpha,
        found.minimizer.point + _in_doubles(path)[rows],
        path.log_unit[rows] / _LOG10,
        path.error[rows],
        path.log_norm(1)[rows] / _LOG10,
        bound[rows],
    )


def _in_doubles(path: LimitPath) -> NDArray[np.float64]:
    """n as doubles, shape (n, d); 0 where it underflows."""
    return np.exp(path.log_unit)[:, None] * path.error


def integrate_flow(
    A: ArrayLike,
    y: ArrayLike,
    depth: float,
    *,
    alpha: ArrayLike | None = None,
    log10_alpha: ArrayLike | None = None,
    noiseless: bool = False,
    options: FlowOptions | None = None,
) -> Trajectory:
    r"""The gradient flow itself, until it has come to its limit point.

    .. math::
        u' = -\partial_u L, \quad v' = -\partial_v L, \quad
        L = \tfrac12 \|A (u^{\odot D} - v^{\odot D}) - y\|_2^2, \quad
        u(0) = v(0) = \alpha^{1/D} \mathbf 1,

    as the mirror flow ``lam' = c_D(alpha) (y - A x)``, ``x = alpha phi_D(A^T lam)`` (Woodworth et
    al., COLT 2020; c_D is derived for this project), in the time of (u, v).

    Args:
        A, y, noiseless, depth: as in :func:`find_limit_points`.
        alpha, log10_alpha: one scale.
        options: tolerances, by default ``FlowOptions()``.
    Returns:
        time, shape (m,), spaced evenly in log(time); point, x at these times, shape (m, d), the
        last one within `claim` times ``||x(alpha) - g*||_1`` of the limit point x(alpha), with an
        estimate, not a bound, of what rounding does; `claim`
        is nan, and `outcome` "at the minimizer", where x(alpha) = g* as far as doubles tell.
    Raises:
        ValueError: naming the argument that is wrong.
        Undecided, SelectionError: as in :func:`find_limit_points`.
        FlowError: if the flow has not been followed to its end, as where alpha is so small that
            double precision does not tell the end from a plateau.
    Example:
        >>> flow = integrate_flow([[1, 0.5]], [1], 2, alpha=1e-3)
        >>> flow.point[-1].round(4).tolist(), bool(flow.claim <= 1e-7)
        ([0.9843, 0.0313], True)
    """
    depth = checked_depth(depth)
    scales = checked_scales(alpha, log10_alpha, depth)
    if scales.given.size != 1:
        raise ValueError("alpha, log10_alpha: must be one scale, of which a trajectory is")
    scale = float(scales.alpha()[0])
    if not np.finfo(float).tiny <= scale < np.inf:
        raise ValueError(f"log10_alpha: the scale must be a double, got {log10_alpha!r}")
    if options is not None and not isinstance(options, FlowOptions):
        raise ValueError(f"options must be FlowOptions, got {options!r}")
    found = selected_instance(A, y, depth, noiseless)
    flow = gradient_flow(
        found.problem.matrix, found.minimizer.point, potential(depth), scale, options
    )
    # from the time of (A, y) / 2^e
    with np.errstate(over="ignore", under="ignore"):
        time = np.ldexp(flow.time, -2 * found.exponent)
    if not (np.all(np.isfinite(time)) and np.all(time >= np.finfo(float).tiny)):
        raise FlowError("times of the flow of this A are beyond the doubles; scale A and y")
    return replace(flow, time=time)


@dataclass(frozen=True)
class FirstOrderError:
    """The first order of the error n = x(alpha) - g* as alpha -> 0.

    Attributes:
        minimizer: g*.
        exponent, log10_constant: ``||n||_1 / alpha^exponent`` tends to ``10**log10_constant``; inf
            and -inf where x(alpha) = g* for every alpha.
        entry_exponent, entry_log10_size: ``|n_j|`` is of the size
            ``10**entry_log10_size[j] * alpha**entry_exponent[j]``, shape (d,); nan on the support;
            -inf where the entry is not told from one of higher order.
    """

    minimizer: Minimizer
    exponent: float
    log10_constant: float
    entry_exponent: NDArray[np.float64]
    entry_log10_size: NDArray[np.float64]


def find_first_order(
    A: ArrayLike, y: ArrayLike, depth: float, *, noiseless: bool = False
) -> FirstOrderError:
    r"""The exponent and the constant of the error as alpha -> 0, without any alpha.

    .. math::
        \|x(\alpha) - g^*\|_1 \sim C \alpha^{r}, \qquad r = 1 - \varrho \; (D = 2), \quad
        r = 1 \; (D > 2) \quad \text{where } \varrho > 0.

    The rates are those of Matt and Stöger, arXiv:2506.01143, for D = 2 and D >= 3; constants, real
    depths between, and r where rho = 0, for which they are upper bounds of the error, are derived
    for this project (:mod:`implicit_l1.network.asymptotics`).
    They are found in floating point and lose digits where columns are nearly dependent;
    :func:`implicit_l1.enclosures.enclose_first_order` proves them.

    Args:
        A, y, noiseless, depth: as in :func:`find_limit_points`.
    Raises:
        ValueError: naming the argument that is wrong; if the minimizer is not unique.
        Undecided: if the minimizer is not decided, or the exponent where rho = 0.
        BalanceError: if Newton's method fails.
    Example:
        >>> found = find_first_order([[1, 0.5]], [1], 2)  # 1.5 sqrt(alpha)
        >>> f"{found.exponent:.10g}, {10**found.log10_constant:.10g}"
        '0.5, 1.5'
    """
    depth = checked_depth(depth)
    found = unique_instance(A, y, noiseless, "the first order of the error")
    minimizer = found.minimizer
    geometry = support_geometry(found.problem.matrix, minimizer.support)
    law = first_order(
        found.problem.matrix,
        geometry,
        minimizer.point,
        found.certificate,
        potential(depth),
        exact_data(found.problem),
    )
    exponent, log10_size = np.full((2, minimizer.point.size), np.nan)
    exponent[geometry.complement] = law.entry_exponent
    log10_size[geometry.complement] = law.entry_log_size / _LOG10
    constant = float(law.log_constant(1)) / _LOG10
    return FirstOrderError(
        found.given_minimizer(), float(law.exponent), constant, exponent, log10_size
    )


@dataclass(frozen=True)
class BoundedError:
    """``||x(alpha) - g*||_1`` between its bounds, as decimal logarithms, each of shape (m,).

    Attributes:
        limit: the limit points, with the errors themselves.
        log10_upper: +inf where the bound says nothing.
        log10_lower: a posteriori, from x(alpha) on the support; -inf where it is 0.
        log10_lower_prior: a priori, without x(alpha); -inf where it is 0.
        rho_alpha: the constants behind the upper bounds; ``rho_alpha / log(1 / alpha)`` tends to
            rho at D = 2, and rho_alpha itself at D > 2.
    """

    limit: LimitPoints
    log10_upper: NDArray[np.float64]
    log10_lower: NDArray[np.float64]
    log10_lower_prior: NDArray[np.float64]
    rho_alpha: NDArray[np.float64]


def bound_error(
    A: ArrayLike,
    y: ArrayLike,
    depth: float,
    *,
    alpha: ArrayLike | None = None,
    log10_alpha: ArrayLike | None = None,
    noiseless: bool = False,
) -> BoundedError:
    r"""Upper and lower bounds on the error at scales alpha of the predictor.

    With the dual vector of least ``rho_alpha = ||A_Sc^T lam||_inf`` subject to
    ``A_S^T lam = phi_D^{-1}(g*_S / alpha)``, a linear program, and ``n = x(alpha) - g*``,

    .. math::
        \|n\|_1 \le (1 + \tilde\varrho) \, |S^c| \, \alpha \varphi_D(\varrho_\alpha)

    and a refinement of it, which is what is returned; the lower bounds come from kernel vectors
    of A.  (Derived for this project, see :mod:`implicit_l1.network.bounds`; in floating point,
    with an allowance for rounding.)

    Args:
        A, y, noiseless, depth, alpha, log10_alpha: as in :func:`find_limit_points`.
    Raises:
        ValueError: naming the argument that is wrong, and if the minimizer is not unique.
        Undecided: if the minimizer is not decided, or no bound of rho~ is known.
        ConvergenceError: as in :func:`find_limit_points`.
        LinearProgramError, BalanceError: if a problem behind the bounds is not solved.
    Example:
        >>> found = bound_error([[1, 0.5, 0.25]], [1], 3, alpha=1e-6)
        >>> logs = found.log10_lower, found.limit.log10_error_1, found.log10_upper
        >>> [round(float(log[0]), 3) for log in logs]
        [-4.88, -4.87, -4.855]
    """
    depth = checked_depth(depth)
    scales = checked_scales(alpha, log10_alpha, depth)
    found = unique_instance(A, y, noiseless, "a bound on the error")
    minimizer, matrix = found.minimizer, found.problem.matrix
    geometry = support_geometry(matrix, minimizer.support)
    sigma = np.sign(minimizer.point[minimizer.support])
    rho_tilde = null_space_constant(geometry, sigma, EXACT_UP_TO).upper
    if not np.isfinite(rho_tilde):
        raise Undecided("A: no bound of the null space constant of its support is known")
    path = _path(found, depth, scales)
    bounds = error_bounds(
        matrix,
        geometry,
        minimizer.point,
        found.certificate,
        potential(depth),
        scales.log_alpha,
        _in_doubles(path),
        rho_tilde,
        path.entry_bound,
    )
    rows, band = scales.places, bounds.total_refined
    return BoundedError(
        _limit_points(found, scales, path),
        band.log_upper[rows] / _LOG10,
        band.log_lower[rows] / _LOG10,
        band.log_lower_prior[rows] / _LOG10,
        bounds.rho_alpha[rows],
    )
