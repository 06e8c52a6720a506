r"""Two-sided bounds on the approximation error that can be computed.

The limit point x = g* + n of the flow satisfies, with z_i = phi_D^{-1}(x_i / alpha),

    sum_i k_i z_i = 0  for every k in ker A                                           (*)

(the optimality condition of the convex problem of Woodworth et al., COLT 2020).  All
that follows is derived for this project from (*), from phi_D being odd and increasing,
convex on [0, inf), and from ``y phi_D^{-1}(y)`` being convex.  S is the support of g*, M
and C are the maps of :mod:`implicit_l1.support`.

**Upper bound.**  Let a = A_Sc^T lam for any lam with ``A_S^T lam = phi_D^{-1}(g*_S / alpha)``.
(*) with k = n, and monotonicity on S, give

    sum_Sc n_i phi_D^{-1}(n_i / alpha) <= <a, n_Sc>.                                  (**)

With the lam of least ``||a||_inf =: rho_alpha``, a linear program, Jensen's inequality
turns (**) into ``||n_Sc||_1 <= |S^c| alpha phi_D(rho_alpha)``; for D > 2 this says
nothing when rho_alpha >= 1.  ``||n_S||_1 <= rho~ ||n_Sc||_1`` by the null space constant.

**Lower bound.**  For k in ker A with ``||k_Sc||_1 = 1`` let ``v = -sum_S k_i z_i``.  By (*)
``v = sum_Sc k_i z_i <= phi_D^{-1}(||n_Sc||_inf / alpha)``, so if v > 0

    ||n_Sc||_1 >= ||n_Sc||_inf >= alpha phi_D(v).

By (*) with k = n, ``||n_S||_1 T >= sum_Sc |n_i| |z_i|`` with ``T = max_S |z_i|``; so n_S adds
a factor 1 + v / T.  The k are those at which the linear programs of rho and of rho_alpha
attain their values.  v contains x_S, so this bound is *a posteriori*; with the
worst x_S that the upper bound allows, ``|n_i| <= min(rho~, max_j |M_ij|) ||n_Sc||_1``, it
is *a priori*.

**The same, refined.**  Neither Jensen's inequality nor the largest entry is needed.

- Maximizing ``||n_Sc||_1`` subject to (**) gives, for every tau > 0, with
  ``h(y) = y phi_D^{-1}(y)`` and its conjugate ``h^*(s) = max_z (s - z) phi_D(z)``,

      ||n_Sc||_1 <= (alpha / tau) sum_Sc h^*(|a_i| + tau).

- Minimizing ``||n_Sc||_1 = alpha sum phi_D(y_i)``, ``y_i = |z_i|``, subject to
  ``sum |k_i| y_i >= v`` gives, for every mu > 0,

      ||n_Sc||_1 >= alpha (mu v - sum_Sc phi_D^*(mu |k_i|)).

Here a and k are taken from the problem with x_S frozen at g*_S: a = z with
``C phi_D(z) = 0`` and k_Sc proportional to phi_D(z) (where rho_alpha >= 1 there is no such
z, and k is that of rho_alpha).  To ``||n_S||_1 T >= sum_Sc |n_i| |z_i|`` Jensen's inequality
applies.  As alpha -> 0 the quotient of the refined bounds on ``||n_Sc||_1`` tends to 1 for
D = 2, because phi_2 and phi_2' agree far out, and to a constant for D > 2.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from implicit_l1.asymptotics import balance
from implicit_l1.limit import LimitPath
from implicit_l1.potentials import LOG2, HyperbolicPotential, Potential
from implicit_l1.programs import (
    TOLERANCE,
    KernelPrograms,
    LinearProgramError,
    kernel_ball_constraints,
)
from implicit_l1.support import Certificate, SupportGeometry

# Relative accuracy that x_S = g*_S + n_S is taken to have, with a reserve.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Band:
    """Natural logarithms of bounds on one norm, each of shape (m,).

    Attributes:
        log_upper: +inf where the bound says nothing.
        log_lower: a posteriori; -inf where the bound is 0.
        log_lower_prior: a priori; -inf where the bound is 0.
    """

    log_upper: np.ndarray
    log_lower: np.ndarray
    log_lower_prior: np.ndarray


@dataclass(frozen=True)
class ErrorBounds:
    """Bounds along a path of scales, alpha being the scale of the predictor.

    Attributes:
        log_alpha: natural logarithms of the scales, shape (m,).
        rho_alpha: the constants of the linear programs, shape (m,); for D = 2
            ``rho_alpha / log(1/alpha)``, for D > 2 rho_alpha itself, tends to rho.
        program_gap: relative difference of the primal and the dual value of each linear
            program, shape (m,).  The bounds hold whatever it is; it tells how far
            rho_alpha is from optimal.
        off, total: bounds on ||n_Sc||_1 and on ||n||_1.
        off_refined, total_refined: the refined bounds on the same.
    """

    log_alpha: np.ndarray
    rho_alpha: np.ndarray
    program_gap: np.ndarray
    off: Band
    total: Band
    off_refined: Band
    total_refined: Band


def error_bounds(
    geometry: SupportGeometry,
    minimizer,
    certificate: Certificate,
    potential: Potential,
    path: LimitPath,
    rho_tilde,
) -> ErrorBounds:
    """The bounds of the module's docstring at every scale of a path of limit points.

    Args:
        geometry: of the support S of g*, not empty.
        minimizer: g*, shape (d,), zero off its support.
        certificate: a dual certificate of g*.  Any will do; with the one of largest margin
            the digits last to the smallest scales.
        potential: of the depth wanted.
        path: limit points of that depth; its error on S enters the a posteriori bounds.
        rho_tilde: an upper bound of rho~ of S.
    Raises:
        ValueError: if rho_tilde is not a finite number >= 0.
        LinearProgramError: naming the scale.
        BalanceError: if the problem with x_S frozen is not solved.
    """
    if not (np.isfinite(rho_tilde) and rho_tilde >= 0):
        raise ValueError(f"rho_tilde must be a finite number >= 0, got {rho_tilde!r}")
    program = _ChebyshevProgram(geometry.free_map)
    count = geometry.complement.size
    off = certificate.direction[geometry.complement], certificate.margin[geometry.complement]
    _, of_rho, _ = program.solve(1.0, *off, np.zeros(count), "of rho")
    worst = np.minimum(rho_tilde, np.abs(geometry.range_map).max(axis=1, initial=0.0))
    rows, last = [], None
    for row in reversed(range(path.log_alpha.size)):  # the program of rho is the limit
        here = _Scale(geometry, minimizer, certificate, potential, path.log_alpha[row])
        error = np.exp(path.log_unit[row]) * path.error[row]
        point = here.minimizer + error[geometry.support]
        # of an entry of x_S much smaller than that of g*_S the sum leaves rounding errors
        blur = np.abs(geometry.range_map) @ np.abs(error[geometry.complement])
        blur = _ROUNDING * (np.abs(here.minimizer) + blur)
        free, of_scale, gap = here.least_rho(program)
        linear = here.off_support(free)
        rho_alpha = here.size(free).max()
        plain, mass = (of_rho, of_scale), of_scale
        log_upper = log_refined = np.inf
        if np.all(linear.room > 0):
            log_upper = np.log(count) + linear.log_size.max()
            free, frozen = here.balance(last, free)
            last = free if here.anchored else None
            log_refined = min(log_upper, _refined_upper(potential, here.size(free), here.log_alpha))
            if np.isfinite(frozen.log_size.max()):
                mass = frozen.sign * np.exp(frozen.log_size - frozen.log_size.max())
                mass = mass / np.abs(mass).sum()
        values = [rho_alpha, gap]
        for upper, refined in ((log_upper, ()), (log_refined, (mass,))):
            lower = here.lower(plain, refined, free, point, blur)
            prior = -np.inf, -np.inf
            if upper < 700.0:
                spread = worst * np.exp(upper)
                prior = here.lower(plain, refined, free, here.minimizer, spread)
            values += [upper, lower[0], prior[0], upper + np.log1p(rho_tilde), lower[1], prior[1]]
        rows.append(values)
    columns = np.array(rows[::-1]).T
    bands = [Band(*columns[first : first + 3]) for first in (2, 5, 8, 11)]
    return ErrorBounds(path.log_alpha, columns[0], columns[1], *bands)


def classical_log_upper(minimizer, margin, rho_tilde, log_alpha):
    """Logarithm of the D = 2 upper bound on ||n||_1 in which g* enters by its extremes only.

    ``(1 + rho~) |S^c| 2 alpha sinh(rho arsinh(||g*||_inf / 2 alpha) + rho~ log kappa)`` with
    kappa the quotient of the largest and the smallest ``|g*_i|`` on the support; it follows
    from ``rho_alpha <= rho arsinh(||g*||_inf / 2 alpha) + rho~ log kappa``.

    Args:
        minimizer: g*, shape (d,), zero off its support.
        margin: 1 - rho (or 1 - an upper bound of rho).
        rho_tilde: an upper bound of rho~.
        log_alpha: natural logarithms of the scales, shape (m,).
    Returns:
        natural logarithms of the bound, shape (m,).
    """
    size = np.abs(minimizer[minimizer != 0])
    log_alpha = np.asarray(log_alpha, dtype=float)
    rho = 1.0 - margin
    bound = []
    for scale in log_alpha:
        largest = HyperbolicPotential().on_support(size.max(), 1.0, scale).zeta
        shift = rho * largest + rho_tilde * np.log(size.max() / size.min())
        bound.append(HyperbolicPotential().off_support(rho, margin, shift, scale).log_size)
    return np.log1p(rho_tilde) + np.log(minimizer.size - size.size) + np.array(bound)


class _Scale:
    """One instance at one scale: ``z = dual_scale * direction + M^T zeta + C^T b`` off S.

    Below the size of g* the coordinates are anchored at the certificate, and above at 0,
    where z is small and would otherwise be a difference.
    """

    def __init__(self, geometry, minimizer, certificate, potential, log_alpha):
        self.geometry = geometry
        self.potential = potential
        self.log_alpha = log_alpha
        self.minimizer = minimizer[geometry.support]
        self.anchored = log_alpha < np.log(np.abs(self.minimizer).max())
        self.scale = potential.dual_scale(log_alpha)
        off = geometry.complement
        if self.anchored:
            self.sigma = np.sign(self.minimizer)
            self.direction, self.margin = certificate.direction[off], certificate.margin[off]
        else:
            self.sigma = np.zeros(self.minimizer.size)
            self.direction, self.margin = np.zeros(off.size), np.ones(off.size)
        self.shift = geometry.range_map.T @ self.zeta(self.minimizer)

    def zeta(self, x):
        """``phi^{-1}(x / alpha) - dual_scale * sigma`` on S."""
        if not self.anchored:
            return self.potential.phi_inverse(x / np.exp(self.log_alpha))
        sign = np.where(x < 0, -1.0, 1.0)  # x may have left the side of sigma
        zeta = self.potential.on_support(x, sign, self.log_alpha).zeta
        return zeta + self.scale * (sign - self.sigma)

    def off_support(self, free):
        shift = self.shift + self.geometry.free_map.T @ free
        return self.potential.off_support(self.direction, self.margin, shift, self.log_alpha)

    def size(self, free):
        """|z| off the support."""
        return np.abs(self.scale * self.direction + self.shift + self.geometry.free_map.T @ free)

    def least_rho(self, program):
        """(b, k, gap) of the linear program of rho_alpha."""
        name = f"of rho_alpha at log10(alpha) = {self.log_alpha / np.log(10.0):.6g}"
        return program.solve(self.scale, self.direction, self.margin, self.shift, name)

    def balance(self, last, free):
        """(b, n_Sc) of the problem with x_S frozen at g*_S, started from the b of the next
        smaller scale unless that is much worse here than the b of the linear program."""
        if self.anchored and last is not None:
            off, least = self.off_support(last), self.off_support(free).log_size.max()
            if np.all(off.room > 0) and off.log_size.max() < least + 5.0:
                free = last
        return balance(
            self.geometry.free_map,
            self.potential,
            self.direction,
            self.margin,
            self.shift,
            self.log_alpha,
            free,
        )

    def lower(self, plain, refined, free, point, spread):
        """Logarithms of the best lower bounds on (||n_Sc||_1, ||n||_1).

        Args:
            plain: kernel vectors off the support, ||k_Sc||_1 = 1, each shape (d - k,), for
                the bound on the largest entry.
            refined: those for which ||n_Sc||_1 is minimized.
            free: a b, the closer to the limit point's the better: k_Sc is orthogonal to
                C^T b up to rounding only, and that is multiplied by the difference.
            point, spread: x_S lies within the spread of the point, shape (k,) each.
        """
        outermost = np.where(point < 0, -1.0, 1.0) * (np.abs(point) + spread)
        largest_dual = np.abs(self.scale * self.sigma + self.zeta(outermost)).max()
        best = [-np.inf, -np.inf]

        def consider(log_mass, dual):
            best[0] = max(best[0], log_mass)
            best[1] = max(best[1], log_mass + np.log1p(dual / largest_dual))

        for k in plain + refined:
            on = self.geometry.range_map @ k  # -k_S
            zeta = self.zeta(point - np.sign(on) * spread)  # the worst for this k
            shift = on @ zeta + k @ (self.geometry.free_map.T @ free)
            slope = k @ self.direction
            aligned = k * self.direction > 0  # the margin is used where slope and value are > 0
            margin = np.abs(k) @ np.where(aligned, self.margin, 1.0 + np.abs(self.direction))
            value = self.scale * slope + shift
            if not value > 0:
                continue
            off = self.potential.off_support(slope, margin, shift, self.log_alpha)
            if not off.room > 0:  # phi is infinite: the data contradict each other
                return np.inf, np.inf
            consider(float(off.log_size), value)
            if any(k is other for other in refined):
                log_mass = self.log_alpha + _least_mass(self.potential, np.abs(k), value)
                # sum |n_i| |z_i| >= ||n_Sc||_1 phi^{-1}(||n_Sc||_1 / (alpha |S^c|)), by Jensen
                consider(log_mass, self._dual_of(log_mass - np.log(k.size)))
        return tuple(best)

    def _dual_of(self, log_size):
        """``phi^{-1}(n / alpha)`` for n = exp(log_size)."""
        relative = self.log_alpha - log_size
        if relative > 600.0:
            return 0.0
        zeta = self.potential.on_support(1.0, 1.0, relative).zeta
        return self.potential.dual_scale(relative) + zeta


class _ChebyshevProgram:
    """``min_b ||c + C^T b||_inf`` for many c, with warm starts.

    Solved in its dual form, ``max <c, k>`` subject to ``C k = 0, ||k||_1 = 1``, in which
    only the objective depends on c; b is recovered from the optimal basis to full
    accuracy, which the tolerances of the solver would not give at c of size 1e5.
    """

    def __init__(self, free_map):
        self.free_map = free_map
        self.programs = KernelPrograms(free_map, TOLERANCE, smallest=1.0)
        # a basis may hold slacks
        self.columns = np.hstack([kernel_ball_constraints(free_map), np.eye(free_map.shape[0] + 1)])

    def solve(self, scale, direction, margin, shift, name):
        """(b, k, gap) for ``c = scale * direction + shift``.

        Args:
            margin: 1 - |direction|.
            name: what the program is, for the message of an error.
        """
        free_map = self.free_map
        size, count = free_map.shape
        c = scale * direction + shift
        if size == 0:
            k = np.zeros(count)
            largest = np.argmax(np.abs(c))
            k[largest] = 1.0 if c[largest] >= 0 else -1.0
            return np.zeros(0), k, 0.0
        basic = self.programs.optimal_basis(c / max(np.abs(c).max(), 1e-300), name)
        basis = self.columns[:, basic]
        proper = basic < 2 * count
        index = np.where(proper, basic % count, 0)
        side = np.where(basic < count, 1.0, -1.0)
        # c_j less the common part scale * rho, so that only the differences are rounded
        aligned = side * direction[index] > 0
        below = np.where(
            aligned,
            margin.min() - margin[index],
            -(np.abs(direction[index]) + 1.0 - margin.min()),
        )
        right = np.where(proper, scale * below + side * shift[index], 0.0)
        free = -np.linalg.solve(basis.T, right)[:size]
        weights = np.linalg.solve(basis, np.append(np.zeros(size), 1.0))
        k = np.zeros(count)
        np.add.at(k, index[proper], (side * weights)[proper])
        k /= np.abs(k).sum()
        height = np.abs(c + free_map.T @ free).max()
        gap = (height - k @ c) / max(height, 1e-300)
        if not gap < 1e-6:
            raise LinearProgramError(
                f"the linear program {name} is not solved: its relative gap is {gap:.1e}"
            )
        return free, k, gap


def _log_phi(potential, size):
    """(log phi, log phi') at |z| = size."""
    off = potential.off_support(np.zeros_like(size), np.ones_like(size), size, 0.0)
    return off.log_size, off.log_slope


def _quotients(potential, size):
    """(phi / phi', phi'' / phi') at |z| = size."""
    if potential.depth == 2:
        tanh = np.tanh(size)
        return tanh, tanh
    p = potential.power
    room = 1.0 - size
    ratio = room / (1.0 + size)
    common = 1.0 + ratio ** (p + 1.0)
    return (
        room / p * (1.0 - ratio**p) / common,
        (p + 1.0) / room * (1.0 - ratio ** (p + 2.0)) / common,
    )


def _refined_upper(potential, size, log_alpha):
    """Logarithm of the least ``(alpha / tau) sum(h^*(size + tau))`` over tau.

    ``h^*(s) = phi^2 / phi'`` at the z with ``z + phi / phi' = s``; at the least value, tau is
    the mean of phi / phi' weighted with phi.  Every tau gives a valid bound.
    """
    if not size.max() > 0:
        return -np.inf
    # phi / phi' < 1 for D = 2; for D > 2 the sum is infinite from tau = 1 - max(size) on
    edge = 1.0 if potential.depth == 2 else (1.0 - 1e-9) * (1.0 - size.max())

    def maximizer(tau):
        target = size + tau
        z = 0.5 * target  # phi/phi' <= z, and z + phi/phi' is concave: Newton goes upwards
        for _ in range(50):
            first, second = _quotients(potential, z)
            step = (target - z - first) / (2.0 - first * second)
            z = z + step
            if np.abs(step).max() <= 1e-9:
                break
        return z

    def excess(tau):
        z = maximizer(tau)
        log_phi, _ = _log_phi(potential, z)
        mass = np.exp(log_phi - log_phi.max())
        return (mass @ _quotients(potential, z)[0]) / mass.sum() - tau

    tau = _quotients(potential, size.max())[0]  # this one is as good as Jensen's inequality
    if excess(1e-6 * tau) > 0 > excess(edge):
        tau = brentq(excess, 1e-6 * tau, edge, xtol=1e-4 * tau)
    log_phi, log_slope = _log_phi(potential, maximizer(tau))
    conjugate = 2.0 * log_phi - log_slope
    largest = conjugate.max()
    return log_alpha + largest + np.log(np.exp(conjugate - largest).sum()) - np.log(tau)


def _inverse_slope(potential, log_slope):
    """The y >= 0 with ``log phi'(y) = log_slope``; 0 where there is none."""
    if potential.depth == 2:
        inside = np.maximum(log_slope, LOG2)
        return inside + np.log(0.5 * (1.0 + np.sqrt(-np.expm1(2.0 * (LOG2 - inside)))))
    p = potential.power
    inside = np.maximum(log_slope, np.log(2.0 * p))
    # log phi' is convex: Newton goes downwards from any upper bound of the root, and
    # phi' >= p (1 - y)^(-p - 1),  phi' >= 2p (1 + (p + 1)(p + 2) y^2 / 2) give two
    relative = np.expm1(np.minimum(inside - np.log(2.0 * p), 50.0))
    y = np.minimum(
        -np.expm1((np.log(p) - inside) / (p + 1.0)),
        np.sqrt(2.0 * relative / ((p + 1.0) * (p + 2.0))),
    )
    for _ in range(50):
        _, curvature = _quotients(potential, y)
        step = (_log_phi(potential, y)[1] - inside) / np.where(curvature > 0, curvature, 1.0)
        y = np.maximum(y - step, 0.0)
        if np.abs(step).max() <= 1e-9:
            break
    return y


def _least_mass(potential, weights, value):
    """Logarithm of the least ``sum(phi(y))`` subject to ``sum(weights * y) >= value``, y >= 0.

    The dual problem in one multiplier mu; every mu gives a valid bound, so the
    multiplier need not be exact.
    """
    weights = weights[weights > 0]
    log_weights = np.log(weights)

    def excess(log_mu):
        return weights @ _inverse_slope(potential, log_mu + log_weights) - value

    low = float(_log_phi(potential, np.array([value]))[1][0] - log_weights.max())
    width = 1.0
    while excess(low + width) < 0 and width < 1e3:
        width *= 2.0
    high = low + width
    log_mu = brentq(excess, low, high, xtol=1e-7) if excess(low) < 0 else low
    y = _inverse_slope(potential, log_mu + log_weights)
    log_phi, _ = _log_phi(potential, y)
    unit = max(log_phi.max(), log_mu)
    total = np.exp(log_phi - unit).sum() + np.exp(log_mu - unit) * (value - weights @ y)
    with np.errstate(divide="ignore", invalid="ignore"):
        return unit + np.log(max(total, 0.0))
