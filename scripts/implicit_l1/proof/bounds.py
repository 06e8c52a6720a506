r"""Enclosures of upper and lower bounds on the error, from vectors that are feasible exactly.

The bounds are those of :mod:`implicit_l1.network.bounds`, which derives them; here is what
arithmetic checks.  S is the support of g*, k = \|S\|, n = x - g*, and J are N - k columns off S for
which ``K = [A_S A_J]`` is regular.

**Exactly feasible vectors.**  Any h has one lam with ``A_S^T lam = phi^{-1}(g*_S / alpha)`` and
``A_J^T lam = h``, and any k_R, R being neither S nor J, one k in ker A: ``K (k_S, k_J) =
-A_R k_R``.  Guesses h and k_R are taken exactly as they are, lam and k are enclosed.  So neither
has anything to fulfil, and rounding of a guess moves the vector, not what holds of it.

**Upper bounds.**  With ``a = A_Sc^T lam``, ``sum h(|n_i| / alpha) <= sum |a_i| |n_i| / alpha`` over
Sc, ``h(y) = y phi^{-1}(y)``.

- ``||n_Sc||_1 <= |S^c| alpha phi(max |a_i|)``.  Checked: max |a_i| < 1 for D > 2.
- h is convex, and ``h'(phi(w)) = w + phi(w) / phi'(w)``.  With its tangents at points w_i >= 0 and
  any tau > 0, ``(|a_i| + tau) y - h(y) <= phi(w_i)^2 / phi'(w_i)`` for all y >= 0 where ``w_i +
  phi(w_i) / phi'(w_i) >= |a_i| + tau``; added up, ``tau ||n_Sc||_1 <= alpha sum phi(w_i)^2 /
  phi'(w_i)``.  Checked: that inequality, for every i, and tau > 0.
- ``||n||_1 <= (1 + rho~) ||n_Sc||_1``, with an enclosed upper bound of rho~.
- For D = 2 ``rho arsinh(max |g*_i| / (2 alpha)) + rho~ log kappa``, with enclosed upper bounds of
  rho and rho~, may stand in place of max |a_i|.

**Lower bounds.**  With z of the limit point, ``v = -sum_S k_i z_i = sum_Sc k_i z_i``, z_S being
enclosed from x_S, and ``T = max_S |z_i|``.

- ``||n_Sc||_1 >= alpha phi(v / ||k_Sc||_1)``.  Checked: v > 0.
- phi is convex on [0, inf).  With its tangents at points u_i >= 0 and any mu > 0, ``phi(|z_i|) >=
  mu |k_i| |z_i| - (u_i phi'(u_i) - phi(u_i))`` where ``phi'(u_i) >= mu |k_i|``; added up,
  ``||n_Sc||_1 >= alpha (mu v - sum (u_i phi'(u_i) - phi(u_i)))``.  Checked: that inequality, for
  every i, and that the bound is positive.
- ``||n||_1`` is at least the first one times ``1 + v / (||k_Sc||_1 T)``, and any lower bound L of
  ``||n_Sc||_1`` times ``1 + phi^{-1}(L / (alpha |S^c|)) / T``.

An upper bound that is not there, for max |a_i| >= 1, says nothing, and neither does a lower bound
of 0.  Where k_S is far larger than k_Sc, as between near copies of columns, v has lost digits of
x_S: then a lower bound may be too wide to be proved.  (Derived for this project.)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb
from numpy.typing import ArrayLike

from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import (
    ball,
    largest,
    relative_radius,
    sum_of_sizes,
)
from implicit_l1.proof.frame import NotProved, checked_guess, prove_frame
from implicit_l1.proof.minimizer import ProvedMinimizer


@dataclass(frozen=True)
class BoundVectors:
    """What the bounds at one scale are made of, guesses all of them; n columns are off S.

    Attributes:
        scale, direction, shifts: ``A_Sc^T lam`` is ``scale * direction + shift`` for two vectors
            lam: of the first upper bound, and of the refined one; a number, shapes (n,), (2, n).
        tau: of the refined upper bound; nan where there is none.
        conjugates: its w, shape (n,).
        kernels: kernel vectors off S, of the last of which the refined lower bound is made, too,
            shape (c, n).
        log_mu: log mu of the refined lower bound; nan where there is none.
        sizes: its u, shape (n,).
    """

    scale: float
    direction: np.ndarray
    shifts: np.ndarray
    tau: float
    conjugates: np.ndarray
    kernels: np.ndarray
    log_mu: float
    sizes: np.ndarray


@dataclass(frozen=True)
class ProvedBounds:
    """Enclosures of bounds on ||n_Sc||_1 (off) and on ||n||_1 (total).

    Attributes:
        off, total: as they are; off_refined, total_refined: the refined ones.
    """

    off: arb
    total: arb
    off_refined: arb
    total_refined: arb


class BoundsProof:
    """Bounds on the errors of one instance at one depth.

    Args:
        minimizer: of (A, y), proved.
        depth: D.
        chosen: a guess of J, places off S, N - k of them.
        rho_tilde: an upper bound of rho~ of S, as a ball.
        radius: largest relative radius of a bound that is accepted.
    Raises:
        NotProved: if the columns of S and J are not proved independent.
    """

    def __init__(
        self,
        minimizer: ProvedMinimizer,
        depth: float,
        chosen: ArrayLike,
        rho_tilde: arb,
        radius: float,
    ) -> None:
        self._minimizer, self._rho_tilde, self._radius = minimizer, rho_tilde, radius
        off = minimizer.frame.outside
        self._chosen = np.asarray(chosen, dtype=int)
        if np.any(self._chosen < 0) or np.any(self._chosen >= off.size):
            raise NotProved("the chosen columns are not columns off the support")
        matrix = minimizer.frame.matrix.doubles
        self._frame = prove_frame(matrix, minimizer.support, off[self._chosen])
        self._phi = BallPotential(depth)

    @property
    def _count(self):
        """|S^c|."""
        return self._frame.outside.size

    def upper(self, alpha: arb, vectors: BoundVectors) -> ProvedBounds:
        """Upper bounds; infinite where they say nothing.

        Args:
            alpha: scale of the predictor, a ball.
            vectors: guesses.
        Raises:
            NotProved: if a guess is of no use, or an enclosure is too wide.
        """
        try:
            ratios = [value / alpha for value in self._minimizer.values]
            fixed = [z for z, _, _ in self._phi.inverses_with_room(ratios)]
            first, second = (self._reached(fixed, vectors, row) for row in (0, 1))
            plain = self._jensen(alpha, largest(first))
            if plain == arb("inf"):
                return ProvedBounds(plain, plain, plain, plain)
            refined = plain
            if np.isfinite(vectors.tau):
                refined = plain.min(self._conjugate_bound(alpha, second, vectors))
        except ArithmeticError as error:
            raise NotProved(f"the upper bounds: {error}") from error
        whole = 1 + self._rho_tilde
        return ProvedBounds(plain, whole * plain, refined, whole * refined)

    def _reached(self, fixed, vectors, row):
        """``|A_Sc^T lam|`` for a lam that is z_S on S."""
        shape = (self._count,)
        direction = checked_guess(vectors.direction, shape)[self._chosen]
        shift = checked_guess(vectors.shifts[row], shape)[self._chosen]
        scale = float(vectors.scale)
        if not np.all(np.isfinite([scale, *direction, *shift])):
            raise NotProved("there is no dual vector to start from")
        pairs = zip(direction, shift, strict=True)
        lam = self._frame.dual(fixed, [ball(scale) * ball(d) + ball(s) for d, s in pairs])
        z = self._frame.matrix.times(lam, transposed=True)
        return [abs(z[index]) for index in self._frame.outside.tolist()]

    def _jensen(self, alpha, reached):
        """``|S^c| alpha phi(max|a|)``."""
        if self._phi.depth > 2 and not reached < 1:
            if not reached > 1:
                raise NotProved(f"whether max|a| = {reached.str(8)} is below 1")
            return arb("inf")
        return self._narrow(self._count * alpha * self._phi.phi(reached))

    def _conjugate_bound(self, alpha, reached, vectors):
        """``(alpha / tau) sum phi(w)^2 / phi'(w)``."""
        tau, total = ball(vectors.tau), arb(0)
        if not tau > 0:
            raise NotProved("the multiplier of the refined upper bound is not positive")
        guesses = checked_guess(vectors.conjugates, (self._count,))
        for size, guess in zip(reached, guesses.tolist(), strict=True):
            w = self._raised(guess, self._below_conjugate(size + tau))
            value, slope = self._phi.with_slopes([w])[0]
            total += value * value / slope
        return self._narrow(alpha * total / tau)

    def classical(self, alpha: arb, rho: arb) -> arb:
        """The upper bound of D = 2 on ||n||_1 in which g* enters by its extremes only.

        Args:
            alpha: scale of the predictor, a ball.
            rho: an upper bound of rho, as a ball.
        """
        highest = largest([abs(value) for value in self._minimizer.values])
        z = rho * (highest / (2 * alpha)).asinh() + self._rho_tilde * self._minimizer.kappa.log()
        return self._narrow((1 + self._rho_tilde) * self._count * alpha * self._phi.phi(z))

    def lower(self, alpha: arb, error: Sequence[arb], vectors: BoundVectors) -> ProvedBounds:
        """Lower bounds, a posteriori; 0 where they say nothing.

        Args:
            alpha: scale of the predictor, a ball.
            error: n, enclosed, in the order of the columns of A.
            vectors: guesses.
        Raises:
            NotProved: if a guess is of no use, or an enclosure is too wide.
        """
        support, nothing = self._frame.inside.tolist(), (arb(0), arb(0))
        try:
            x = [g + error[i] for g, i in zip(self._minimizer.values, support, strict=True)]
            dual = [z for z, _, _ in self._phi.inverses_with_room([v / alpha for v in x])]
            highest = largest([abs(z) for z in dual])
            plain = [nothing]
            for guess in vectors.kernels:
                inside, outer = self._kernel(guess)
                pairs = zip(inside, dual, strict=True)
                value = -sum((n * z for n, z in pairs), arb(0))
                mean = value / sum_of_sizes(outer)
                if not mean > 0:
                    if not mean.rad() < self._radius * highest:
                        raise NotProved("whether a lower bound is positive")
                    found = nothing
                else:
                    size = self._narrow(alpha * self._phi.phi(mean))
                    found = size, self._narrow(size * (1 + mean / highest))
                plain.append(found)
            refined = list(plain)
            if mean > 0 and np.isfinite(vectors.log_mu):
                least = self._least_mass(alpha, value, outer, vectors)
                if least > 0:
                    even = self._phi.inverse(least / (alpha * self._count))[0]
                    both = least, least * (1 + even / highest)
                    refined.append(tuple(map(self._narrow, both)))
        except ArithmeticError as failure:
            raise NotProved(f"the lower bounds: {failure}") from failure
        # of the last kernel vector only the refined bounds are made
        sides = [zip(*some, strict=True) for some in (plain[:-1], refined)]
        return ProvedBounds(*(largest(list(found)) for side in sides for found in side))

    def _kernel(self, guess):
        """(k_S, k_Sc) of the kernel vector that is the guess on R."""
        guess = checked_guess(guess, (self._count,))
        if not np.all(np.isfinite(guess)):
            raise NotProved("there is no kernel vector to start from")
        rest = np.zeros(self._frame.matrix.doubles.shape[1])
        rest[self._frame.outside] = guess
        rest[self._frame.outside[self._chosen]] = 0.0
        right = [-value for value in self._frame.matrix.times(rest)]
        solution = self._frame.inverse.solve(right)
        outer = [ball(value) for value in guess]
        for place, value in zip(self._chosen, solution[self._frame.inside.size :], strict=True):
            outer[place] = value
        return solution[: self._frame.inside.size], outer

    def _least_mass(self, alpha, value, outer, vectors):
        """``alpha (mu v - sum (u phi'(u) - phi(u)))``."""
        log_mu = ball(vectors.log_mu)
        total = log_mu.exp() * value
        guesses = checked_guess(vectors.sizes, (self._count,))
        for weight, guess in zip(outer, guesses.tolist(), strict=True):
            size = arb(abs(weight).upper())
            if size.is_zero():
                continue
            below = self._below_slope(log_mu + size.log())
            short, _ = below(arb(0))
            if short <= 0:  # the tangent at 0
                continue
            # phi' is flat at 0, and log phi' at most its value there and a half of the square
            u = self._raised(guess or float((2 * short).sqrt()), below)
            found, slope = self._phi.with_slopes([u])[0]
            total -= u * slope - found
        return alpha * total

    def _below_conjugate(self, target):
        """z -> (what ``z + phi / phi'`` lacks of the target, the rate at which it does)."""

        def short(z):
            value, slope = self._phi.with_slopes([z])[0]
            ratio = value / slope
            return target - z - ratio, 2.0 - float(ratio) * self._bend(z)

        return short

    def _below_slope(self, target):
        """z -> (what ``log phi'`` lacks of the target, the rate at which it does)."""
        return lambda z: (target - self._phi.phi_prime(z).log(), self._bend(z))

    def _bend(self, z):
        """``phi'' / phi'`` in doubles."""
        if self._phi.depth == 2:
            return np.tanh(float(z))
        power, room = float(ball(self._phi.power)), float(1 - z)
        ratio = room / (2.0 - room)
        return (power + 1) / room * (1 - ratio ** (power + 2)) / (1 + ratio ** (power + 1))

    def _raised(self, guess: float, short: Callable[[arb], tuple[arb, float]]) -> arb:
        """The number z >= 0 at which nothing is lacking, or one a little above it, exact.

        Newton's steps; the last one goes beyond what is missing.
        """
        edge = arb("inf") if self._phi.depth == 2 else arb(1)
        if not (np.isfinite(guess) and 0 <= guess < edge):
            raise NotProved("there is no tangent to start from")
        z = ball(guess)
        for _ in range(_STEPS):
            lacking, rate = short(z)
            move = lacking / arb(float(rate))
            near = bool(abs(move) < _NEAR * z.min(edge - z))
            if near and lacking <= 0:
                return z
            moved = (z + (2 * move.upper() if near else move)).mid()
            if not moved < edge:
                moved = ((z + edge) / 2).mid()
            z = moved if moved > 0 else z / 2
        raise NotProved("no tangent of a refined bound was found")

    def _narrow(self, bound):
        if not relative_radius(bound) <= self._radius:
            raise NotProved(f"the enclosure of the bound is {bound.str(8)}, too wide")
        return bound


# of Newton's method, most often three; a step so small, relative to the distances to 0 and to the
# edge, is the last one
_STEPS, _NEAR = 30, 2.0**-66
