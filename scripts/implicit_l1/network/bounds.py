r"""Two-sided bounds on the approximation error that can be computed.

The limit point x = g* + n of the flow satisfies, with z_i = phi_D^{-1}(x_i / alpha),

    sum_i k_i z_i = 0  for every k in ker A                                           (*)

(the optimality condition of the convex problem of Woodworth et al., COLT 2020).  All
that follows is derived for this project from (*), from phi_D being odd and increasing,
convex on [0, inf), and from ``y phi_D^{-1}(y)`` being convex.  S is the support of g*, M
and C are the maps of :mod:`implicit_l1.minimizer.support`.

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

**Rounding.**  Where the columns of S are nearly dependent, M has lost cond(A_S) times the
rounding error.  So no bound rests on M: the vectors lam and k are what they are, and what they
miss is measured and added.

- With ``tau = phi_D^{-1}(g*_S / alpha) - A_S^T lam`` not quite 0, (**) has the term
  ``-<n_S, tau>`` more, of at most ``rho~ ||tau||_inf ||n_Sc||_1``: every ``|a_i|`` grows by that,
  and by the error of the product A_Sc^T lam.
- With ``delta = A k`` not quite 0, (*) is ``sum_i k_i z_i = <delta, lam>`` for the lam of the
  limit point: v falls by ``2 <|delta|, |lam|>``, lam being taken from the problem with x_S
  frozen (hence the 2).

Where all that changes a bound by a relative 1e-11 at most, the bound is left as it is.

Beside columns of very different sizes lam and k lose the digits that count.  There A is replaced
by the matrix A' of :mod:`implicit_l1.minimizer.reduced`, which has its kernel, and what is not
known of the entries of A' is added, too.  (Vectors near these that are feasible exactly prove the
bounds in :mod:`implicit_l1.proof.bounds`.)
"""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import KroghInterpolator

from implicit_l1.linear.compensated import residual
from implicit_l1.minimizer.reduced import finer_matrix
from implicit_l1.minimizer.support import Certificate, SupportGeometry
from implicit_l1.network.asymptotics import BalanceError, balance
from implicit_l1.network.least_mass import least_mass, refined_upper
from implicit_l1.network.rho_alpha import solve_rho_alpha
from implicit_l1.potentials import HyperbolicPotential, Potential
from implicit_l1.proof.bounds import BoundVectors

# Relative accuracy that x_S = g*_S + n_S is taken to have, with a reserve, where n says nothing
# of its own error.
_ROUNDING = 1e-12

_EPSILON = np.finfo(float).eps

# A bound is left as it is where what rounding may have done to it is at most this, relative to it.
_NEGLIGIBLE = 1e-11

# Solutions at so many smaller scales predict the next one.
_NODES = 6


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
        off, total: bounds on ||n_Sc||_1 and on ||n||_1.
        off_refined, total_refined: the refined bounds on the same.
        vectors: what they are made of, but for those a priori, at each scale.
        chosen: places off S of N - k columns with which those of S are independent, and well so.
    """

    log_alpha: np.ndarray
    rho_alpha: np.ndarray
    off: Band
    total: Band
    off_refined: Band
    total_refined: Band
    vectors: list[BoundVectors]
    chosen: np.ndarray


def error_bounds(
    matrix: np.ndarray,
    geometry: SupportGeometry,
    minimizer: np.ndarray,
    certificate: Certificate,
    potential: Potential,
    log_alpha: np.ndarray,
    error: np.ndarray,
    rho_tilde: float,
    entry_bound: np.ndarray | float = 0.0,
) -> ErrorBounds:
    """The bounds of the module's docstring at every scale of a path of limit points.

    Args:
        matrix: A, shape (N, d).
        geometry: of the support S of g*, not empty.
        minimizer: g*, shape (d,), zero off its support.
        certificate: a dual certificate of g*.  Any will do; with the one of largest margin
            the digits last to the smallest scales.
        potential: of the depth wanted.
        log_alpha: natural logarithms of the scales, decreasing, shape (m,).
        error: n at these scales, for that depth, shape (m, d); it enters the a posteriori
            bounds by x_S only, so it may underflow.
        rho_tilde: an upper bound of rho~ of S.
        entry_bound: of the error of an entry of n, relative to ||n||_1, beyond rounding, shape
            (m,).
    Raises:
        ValueError: if rho_tilde is not a finite number >= 0, or n is not finite.
        LinearProgramError, BalanceError: naming the scale at which a linear program, or the
            problem with x_S frozen, is not solved.
    """
    if not (np.isfinite(rho_tilde) and rho_tilde >= 0):
        raise ValueError(f"rho_tilde must be a finite number >= 0, got {rho_tilde!r}")
    if not np.all(np.isfinite(error)):
        row = np.flatnonzero(~np.all(np.isfinite(error), axis=1))[0]
        raise ValueError(
            f"log10(alpha) = {log_alpha[row] / np.log(10.0):.6g}: the error vector is not finite"
        )
    unsure, (reduced, is_finer) = None, finer_matrix(geometry)
    if is_finer:
        geometry, matrix, unsure = reduced.geometry, reduced.matrix, reduced.error
        nu = np.concatenate([certificate.direction[part] for part in reduced.basis])
        certificate = replace(certificate, nu=nu)
    scales = _Scales(
        matrix, geometry, minimizer, certificate, potential, log_alpha, rho_tilde, unsure
    )
    linear, of_rho, of_scale = scales.linear_programs(certificate)
    log_upper = scales.upper(linear)
    inside = log_upper < np.inf
    free, frozen = scales.balances(linear, of_scale, inside)
    refined, tau, conjugates = scales.refined_upper(free, inside)
    log_refined = np.minimum(log_upper, refined)

    kernels = np.array([np.broadcast_to(of_rho, of_scale.shape), of_scale, frozen])
    plain = kernels[:2]
    point = scales.minimizer + error[:, geometry.support]
    # of an entry of x_S much smaller than that of g*_S the sum leaves rounding errors
    blur = np.abs(error[:, geometry.complement]) @ np.abs(geometry.range_map).T
    blur = _ROUNDING * (np.abs(scales.minimizer) + blur)
    blur = blur + (entry_bound * np.abs(error).sum(axis=1))[:, None]
    lower, log_mu, sizes = scales.lower(kernels, free, point, blur, refined=True)
    worst = np.minimum(rho_tilde, scales.largest_range_map())
    prior = scales.lower_prior(plain, free, worst, log_upper, refined=False)
    prior_refined = scales.lower_prior(kernels, free, worst, log_refined, refined=True)
    shifts = np.array([scales.shift + b @ geometry.free_map for b in (linear, free)])
    off, total = _bands(log_upper, lower[:, : len(plain)].max(axis=1), prior, rho_tilde)
    off_refined, total_refined = _bands(log_refined, lower.max(axis=1), prior_refined, rho_tilde)
    return ErrorBounds(
        log_alpha=log_alpha,
        rho_alpha=scales.size(linear).max(axis=1),
        off=off,
        total=total,
        off_refined=off_refined,
        total_refined=total_refined,
        vectors=[
            BoundVectors(
                scale=scales.scale[row, 0],
                direction=scales.direction[row],
                shifts=shifts[:, row],
                tau=tau[row],
                conjugates=conjugates[row],
                kernels=kernels[:, row],
                log_mu=log_mu[row],
                sizes=sizes[row],
            )
            for row in range(log_alpha.size)
        ],
        chosen=np.searchsorted(geometry.complement, reduced.chosen),
    )


def _bands(log_upper, lower, prior, rho_tilde):
    """Those of ||n_Sc||_1 and of ||n||_1, from the upper bound of the first, the lower of both."""
    uppers = log_upper, log_upper + np.log1p(rho_tilde)
    return [Band(*ends) for ends in zip(uppers, lower, prior, strict=True)]


def classical_log_upper(
    minimizer: np.ndarray, margin: float, rho_tilde: float, log_alpha: np.ndarray
) -> np.ndarray:
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
    largest = HyperbolicPotential().on_support(size.max(), 1.0, log_alpha).zeta
    shift = rho * largest + rho_tilde * np.log(size.max() / size.min())
    # 1 - margin is good to one rounding of 1
    missed = _EPSILON * (np.abs(largest) + np.abs(log_alpha) + 4.0 * np.abs(shift))
    z = np.abs(shift - log_alpha * rho)
    shift = shift + np.where(missed <= _NEGLIGIBLE * np.minimum(z, 1.0), 0.0, missed)
    off = HyperbolicPotential().off_support(rho, margin, shift, log_alpha)
    return np.log1p(rho_tilde) + np.log(minimizer.size - size.size) + off.log_size


class _Scales:
    """One instance at m scales, one a row: ``z = dual_scale * direction + M^T zeta + C^T b`` off S.

    Below the size of g* the coordinates are anchored at the certificate, and above at 0,
    where z is small and would otherwise be a difference.
    """

    def __init__(
        self,
        matrix,
        geometry,
        minimizer,
        certificate,
        potential,
        log_alpha,
        rho_tilde,
        unsure=None,
    ):
        self.geometry = geometry
        self.on, self.off = matrix[:, geometry.support], matrix[:, geometry.complement]
        # errors of the entries of A_Sc
        self.unsure = np.zeros(self.off.shape) if unsure is None else unsure[:, geometry.complement]
        self.rho_tilde = rho_tilde
        # the certificate's direction, unlike its margin, is good to one rounding of 1
        self.direction_error = np.where(np.abs(certificate.nu) @ np.abs(self.off), _EPSILON, 0.0)
        self.potential = potential
        self.minimizer = minimizer[geometry.support]
        self.log_alpha = log_alpha
        self.anchored = log_alpha < np.log(np.abs(self.minimizer).max())
        # columns, to go with arrays of which a row is a scale
        anchored = self.anchored[:, None]
        self.scale = np.where(anchored, potential.dual_scale(log_alpha[:, None]), 0.0)
        self.sigma = np.where(anchored, np.sign(self.minimizer), 0.0)
        self.direction = np.where(anchored, certificate.direction[geometry.complement], 0.0)
        self.margin = np.where(anchored, certificate.margin[geometry.complement], 1.0)
        self.dual_on = self.zeta(np.broadcast_to(self.minimizer, self.sigma.shape))
        # the part of lam in the range of A_S, and M^T zeta from it rather than from M
        self.dual = np.linalg.solve(geometry.r.T, self.dual_on.T).T @ geometry.q1.T
        self.shift = self.dual @ self.off

    def at(self, rows):
        """The same at some of the scales."""
        part = copy(self)
        names = ("log_alpha", "anchored", "scale", "sigma", "direction", "margin", "shift")
        for name in (*names, "dual", "dual_on"):
            setattr(part, name, getattr(self, name)[rows])
        return part

    def zeta(self, x):
        """``phi^{-1}(x / alpha) - dual_scale * sigma`` on S, for x of shape (..., m, k)."""
        zeta = np.empty(x.shape)
        below, above = self.anchored, ~self.anchored
        log_alpha = self.log_alpha[:, None]
        sign = np.where(x < 0, -1.0, 1.0)[..., below, :]  # x may have left the side of sigma
        found = self.potential.on_support(x[..., below, :], sign, log_alpha[below]).zeta
        zeta[..., below, :] = found + self.scale[below] * (sign - self.sigma[below])
        x = x[..., above, :] / np.exp(log_alpha[above])
        zeta[..., above, :] = self.potential.phi_inverse(x)
        return zeta

    def whole_dual(self, free):
        """lam less the certificate's part, shape (m, N)."""
        return self.dual + free @ self.geometry.q2.T

    def blur(self, free):
        """What |z| off S may have to grow by for (**) to hold, see the module, shape (m, d - k)."""
        dual = self.whole_dual(free)
        missed = [
            np.abs(residual(self.on.T, lam, zeta)).max(initial=0.0)
            for lam, zeta in zip(dual, self.dual_on, strict=True)
        ]
        # zeta is rounded itself, and so is what certificate and scale add up to
        missed = missed + 4.0 * _EPSILON * np.abs(self.dual_on).max(axis=1, initial=0.0)
        shift = self.shift + free @ self.geometry.free_map
        evaluated = np.abs(shift - dual @ self.off)
        evaluated += 2.0 * _accuracy(len(self.off)) * (np.abs(dual) @ np.abs(self.off))
        evaluated += np.abs(dual) @ self.unsure
        result = evaluated + self.rho_tilde * missed[:, None] + self.direction_error * self.scale
        matters = self.matters(result, self.size(free)).any(axis=1)
        return np.where(matters[:, None], result, 0.0)

    def matters(self, change, z):
        """Whether phi(z) changes by more than the negligible if z does by so much, elementwise."""
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = self.potential.reach(np.maximum(self.potential.edge - np.abs(z), 0.0))
            # log phi is log phi' and log |phi / phi'|, and phi' grows by e^(3/2) within reach
            relative = change * (1.5 / reach + 1.0 / np.abs(z))
        return (change > 0.0) & ~(relative <= _NEGLIGIBLE)

    def largest_range_map(self):
        """An upper bound of ``max_j |M_ij|``, shape (k,)."""
        geometry, range_map = self.geometry, np.abs(self.geometry.range_map)
        inverse = np.linalg.solve(geometry.r, geometry.q1.T)
        # M = A_S^+ A_Sc
        missed = np.abs(inverse @ (self.off - self.on @ geometry.range_map))
        missed += (
            _accuracy(len(self.on) + len(range_map))
            * np.abs(inverse)
            @ (np.abs(self.off) + np.abs(self.on) @ range_map)
        )
        missed += np.abs(inverse) @ self.unsure
        return (range_map + 2.0 * missed).max(axis=1, initial=0.0)

    def off_support(self, free, rows=slice(None), blur=0.0):
        shift = self.shift[rows] + free @ self.geometry.free_map
        if np.any(blur):
            z = self.scale[rows] * self.direction[rows] + shift
            shift = shift + np.where(z < 0, -1.0, 1.0) * blur
        log_alpha = self.log_alpha[rows, None]
        return self.potential.off_support(self.direction[rows], self.margin[rows], shift, log_alpha)

    def size(self, free):
        """|z| off the support."""
        return np.abs(self.scale * self.direction + self.shift + free @ self.geometry.free_map)

    def linear_programs(self, certificate):
        """The linear programs of rho and of rho_alpha: (b, k of rho, k)."""
        free_map = self.geometry.free_map
        off = self.geometry.complement
        direction, margin = certificate.direction[off], certificate.margin[off]
        nothing, one = np.zeros((1, off.size)), np.ones((1, 1))
        _, of_rho, _ = solve_rho_alpha(
            free_map, one, direction[None], margin[None], nothing, ["of rho"]
        )
        names = [
            f"of rho_alpha at log10(alpha) = {decades:.6g}"
            for decades in self.log_alpha / np.log(10.0)
        ]
        free, kernel, _ = solve_rho_alpha(
            free_map, self.scale, self.direction, self.margin, self.shift, names
        )
        return free, of_rho[0], kernel

    def upper(self, free):
        """Logarithm of ``|S^c| alpha phi(max|z|)``, +inf where phi is not defined."""
        off = self.off_support(free, blur=self.blur(free))
        inside = np.all(off.room > 0, axis=1)
        return np.log(off.room.shape[1]) + np.where(inside, off.log_size.max(axis=1), np.inf)

    def refined_upper(self, free, rows):
        """(logarithm of the refined bound on ||n_Sc||_1, tau, z) at some scales; else +inf, nan."""
        bound, tau = np.full(self.log_alpha.size, np.inf), np.full(self.log_alpha.size, np.nan)
        points, some = np.full(self.shift.shape, np.nan), self.at(rows)
        size = some.size(free[rows]) + some.blur(free[rows])
        inside = size.max(axis=1, initial=0.0) < self.potential.edge
        at = np.flatnonzero(rows)[inside]
        bound[at], tau[at], points[at] = refined_upper(self.potential, size[inside])
        return self.log_alpha + bound, tau, points

    def balances(self, linear, kernel, rows):
        """(b, k) of the problem with x_S frozen at g*_S, k normalized; elsewhere as given."""
        free, kernel = linear.copy(), kernel.copy()
        solved = []  # the next smaller scales
        least = self.off_support(linear).log_size.max(axis=1)
        for row in reversed(np.flatnonzero(rows)):
            start = linear[row]
            if self.anchored[row] and solved:
                # from smaller scales, unless that is much worse here than the linear program's
                nodes = KroghInterpolator(self.log_alpha[solved], free[solved])
                predicted = nodes(self.log_alpha[row])
                off = self.off_support(predicted, row)
                if np.all(off.room > 0) and off.log_size.max() < least[row] + 5.0:
                    start = predicted
            try:
                free[row], off = balance(
                    self.geometry.free_map,
                    self.potential,
                    self.direction[row],
                    self.margin[row],
                    self.shift[row],
                    self.log_alpha[row],
                    start,
                )
            except BalanceError as error:
                raise BalanceError(
                    f"log10(alpha) = {self.log_alpha[row] / np.log(10.0):.6g}: {error}"
                ) from error
            solved = [*solved[1 - _NODES :], row] if self.anchored[row] else []
            largest = off.log_size.max()
            if np.isfinite(largest):
                mass = off.sign * np.exp(off.log_size - largest)
                kernel[row] = mass / np.abs(mass).sum()
        return free, kernel

    def lower(self, kernels, free, point, spread, refined):
        """Logarithms of lower bounds on ||n_Sc||_1 and on ||n||_1.

        Args:
            kernels: kernel vectors off the support, ||k_Sc||_1 = 1, shape (c, m, d - k).
            free: a b, shape (m, N - k), the closer to the limit point's the better: k_Sc is
                orthogonal to C^T b up to rounding only, and that is multiplied by the difference.
            point, spread: x_S lies within the spread of the point, shape (m, k) each.
            refined: whether ||n_Sc||_1 is minimized, too, for the last of the kernel vectors.
        Returns:
            the bounds, shape (2, c, m), from the largest entry for each kernel vector, with the
            refined bound as one more, (2, c + 1, m); and log mu and y of that one, shapes (m,),
            nan where there is none, and (m, d - k).
        """
        outermost = np.where(point < 0, -1.0, 1.0) * (np.abs(point) + spread)
        largest_dual = np.abs(self.scale * self.sigma + self.zeta(outermost)).max(axis=1)
        on = kernels @ self.geometry.range_map.T  # -k_S
        zeta = self.zeta(point - np.sign(on) * spread)  # the worst for each k
        shift = (on * zeta).sum(axis=2) + (kernels * (free @ self.geometry.free_map)).sum(axis=2)
        slope = (kernels * self.direction).sum(axis=2)
        missed = self._missed(kernels, on, zeta, free)
        matters = self.matters(missed, self.scale[:, 0] * slope + shift)
        shift = shift - np.where(matters, missed, 0.0)
        aligned = kernels * self.direction > 0  # the margin is used where slope and value are > 0
        margin = np.where(aligned, self.margin, 1.0 + np.abs(self.direction))
        margin = (np.abs(kernels) * margin).sum(axis=2)
        dual = self.scale[:, 0] * slope + shift
        off = self.potential.off_support(slope, margin, shift, self.log_alpha)
        # where phi is infinite, the data contradict each other
        log_mass = np.where(off.room > 0, off.log_size, np.inf)
        log_mass = np.where(dual > 0, log_mass, -np.inf)
        log_mu, sizes = np.full(log_mass.shape[1], np.nan), np.zeros(kernels.shape[1:])
        if refined:
            rows = np.isfinite(log_mass[-1])
            least = np.full(rows.size, -np.inf)
            least[rows], log_mu[rows], sizes[rows] = least_mass(
                self.potential, np.abs(kernels[-1, rows]), dual[-1, rows]
            )
            least += self.log_alpha
            log_mass = np.vstack([log_mass, least])
            # sum |n_i| |z_i| >= ||n_Sc||_1 phi^{-1}(||n_Sc||_1 / (alpha |S^c|)), by Jensen
            dual = np.vstack([dual, self._dual_of(least - np.log(kernels.shape[2]))])
        whole = log_mass + np.log1p(np.maximum(dual, 0.0) / largest_dual)
        return np.array([log_mass, whole]), log_mu, sizes

    def _missed(self, kernels, on, zeta, free):
        """What v may have to fall by because A k is not quite 0, see the module, shape (c, m)."""
        missed = np.abs(kernels @ self.off.T - on @ self.on.T)
        for weights, part in ((kernels, self.off), (on, self.on)):
            missed += _accuracy(part.shape[1]) * (np.abs(weights) @ np.abs(part).T)
        missed += np.abs(kernels) @ self.unsure.T
        result = 2.0 * (missed * np.abs(self.whole_dual(free))).sum(axis=2)
        result += _accuracy(on.shape[2]) * (np.abs(on) * np.abs(zeta)).sum(axis=2)
        moved = np.abs(kernels) * np.abs(free @ self.geometry.free_map)
        result += _accuracy(kernels.shape[2]) * moved.sum(axis=2)
        slope = _accuracy(kernels.shape[2]) * (np.abs(kernels) * np.abs(self.direction)).sum(axis=2)
        slope += np.abs(kernels) @ self.direction_error
        return result + slope * self.scale[:, 0]

    def lower_prior(self, kernels, free, worst, log_upper, refined):
        """The best of them if ``|x_S - g*_S| <= worst * exp(log_upper)``, shape (2, m).

        Args:
            worst: shape (k,).
            log_upper: shape (m,); where it is too large, or infinite, the bounds are 0.
        """
        best = np.full((2, log_upper.size), -np.inf)
        rows = log_upper < 700.0
        spread = worst * np.exp(log_upper[rows])[:, None]
        point = np.broadcast_to(self.minimizer, spread.shape)
        found, *_ = self.at(rows).lower(kernels[:, rows], free[rows], point, spread, refined)
        best[:, rows] = found.max(axis=1)
        return best

    def _dual_of(self, log_size):
        """``phi^{-1}(n / alpha)`` for n = exp(log_size); 0 where that is all but 0."""
        relative = self.log_alpha - log_size
        dual = np.zeros(relative.size)
        # z is small there and must not be a difference
        small = (relative > 0.0) & (relative < 600.0)
        dual[small] = self.potential.phi_inverse(np.exp(-relative[small]))
        some = relative <= 0.0
        zeta = self.potential.on_support(np.ones(some.sum()), 1.0, relative[some]).zeta
        dual[some] = self.potential.dual_scale(relative[some]) + zeta
        return dual


def _accuracy(count):
    """Of a sum of so many products, relative to the sum of their sizes, with a reserve."""
    return 0.5 * _EPSILON * (count + 8.0)
