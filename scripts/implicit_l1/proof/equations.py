r"""The equations of the limit point in balls, and the numbers they are made of.

.. math::
    A_T^T \lambda = \varphi^{-1}((g^*_T + n_T) / \alpha), \qquad
    A_T n_T + A_{T^c} n_{T^c} = 0, \quad
    n_{T^c} = \alpha \varphi(A_{T^c}^T \lambda) - g^*_{T^c}

in the unknowns (n_T, lam), T a part of the columns (Woodworth et al., COLT 2020; as in
:mod:`implicit_l1.network.limit`).  They have exactly one solution: the dual problem is strictly
concave.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import arb
from numpy.typing import ArrayLike

from implicit_l1.potentials import potential
from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import ball
from implicit_l1.proof.verified import Exact


@dataclass(frozen=True)
class Unknowns:
    """A point or a box of the unknowns of the limit point: n_T in units, and lam."""

    error: list
    dual: list


# Of an entry beside the largest one; of a z, that is the difference of others.
_UNDERFLOW, _NOTHING = 1e-280, 2.0**-60


@dataclass(frozen=True)
class Values:
    """The equations and their derivatives, balls over a point or a box of the unknowns.

    Attributes:
        residual: F, shape (k + N,).
        slope_in: the derivative of z_T with respect to n_T in units; part_in: the same over
            the room of z_T.
        z_out: z_Tc; outer: n_Tc in units; slope_out: its derivative with respect to z_Tc.
    """

    residual: list
    slope_in: list
    part_in: list
    z_out: list
    outer: list
    slope_out: list


class Partition:
    """A part T of the columns of A, shape (N, d), and what depends on nothing else.

    Attributes:
        inside, outside: indices of T and of the others.
        on, off: A_T and A_Tc, doubles; sizes: |A_Tc|.
    """

    def __init__(self, exact: Exact, inside: ArrayLike) -> None:
        self.exact = exact
        self.inside = np.asarray(inside, dtype=int)
        self.outside = np.delete(np.arange(exact.doubles.shape[1]), self.inside)
        self.on, self.off = (exact.doubles[:, part] for part in (self.inside, self.outside))
        self.sizes = np.abs(self.off)

    @cached_property
    def _factors(self):
        return np.linalg.qr(self.on, mode="complete")

    @cached_property
    def _free(self):
        """``B^T A_Tc`` for an orthonormal basis B of ker A_T^T, and its Gram matrix."""
        free = self._factors[0][:, self.inside.size :].T @ self.off
        return free, free @ free.T

    def dual(self, z_in: np.ndarray, z_out: np.ndarray, known: np.ndarray) -> np.ndarray:
        """lam with ``A_T^T lam = z_in``, and ``A_Tc^T lam`` near z_out where that is known."""
        size = self.inside.size
        basis, factor = self._factors
        dual = basis[:, :size] @ np.linalg.solve(factor[:size].T, z_in)
        if size < len(basis):
            free, gram = self._free
            rest = z_out - dual @ self.off
            if np.all(known):
                # normal equations, refined once: as good as an orthogonal factorization
                move = np.linalg.solve(gram, free @ rest)
                move += np.linalg.solve(gram, free @ (rest - move @ free))
            else:
                move = np.linalg.lstsq(free[:, known].T, rest[known], rcond=None)[0]
            dual += basis[:, size:] @ move
        return dual

    def kernel(self, outer: np.ndarray) -> np.ndarray:
        """n_T with ``A_T n_T + A_Tc n_Tc = 0``."""
        basis, factor = self._factors
        size = self.inside.size
        return np.linalg.solve(factor[:size], -basis[:, :size].T @ (self.off @ outer))


class Equations:
    """The equations of the limit point in the unknowns (u_T, lam), with ``u = n / unit``.

    ``F1 = A_T^T lam - z_T(u_T)`` and ``F2 = A u``; their derivative is
    ``[[-diag(dz_T / du_T), A_T^T], [A_T, A_Tc diag(du_Tc / dz_Tc) A_Tc^T]]``.
    """

    def __init__(
        self,
        depth: float,
        partition: Partition,
        alpha: arb,
        unit: arb,
        values: Mapping[int, arb],
        fixed: list | None = None,
    ) -> None:
        """
        Args:
            depth: D.
            partition: T.
            alpha, unit: balls.
            values: index -> enclosure of g* there, on its support.
            fixed: z_T where it is given, numbers or balls, whatever n_T (the first order as
                alpha -> 0).
        """
        self.potential = BallPotential(depth)
        self.doubles = potential(depth)
        self.partition = partition
        self.alpha = alpha
        self.unit = unit
        self.ratio = unit / alpha
        self.fixed = fixed
        self.values_in = [values.get(index) for index in partition.inside.tolist()]
        self.values_out = [values.get(index) for index in partition.outside.tolist()]

    def start(self, error: np.ndarray) -> Unknowns:
        """Unknowns from a guess of n in units, doubles, shape (d,)."""
        partition = self.partition
        inner, outer = error[partition.inside], error[partition.outside]
        z_out = self._inverse(self.values_out, outer)
        if self.fixed is None:
            z_in = self._inverse(self.values_in, inner)
        else:
            z_in = np.array([float(z) for z in self.fixed])
            inner = partition.kernel(outer)
        # entries that underflow beside the largest one say nothing of their z, unless it is 0
        small = bool(abs(self.ratio) * _UNDERFLOW < _NOTHING)
        dual = partition.dual(z_in, z_out, (np.abs(outer) > _UNDERFLOW) | small)
        return Unknowns(*([ball(value) for value in part.tolist()] for part in (inner, dual)))

    def _inverse(self, values, errors):
        """phi^{-1}((g + n) / alpha) to double precision, shape (n,); g may be None for 0."""

        def ratios(scale):
            pairs = zip(values, errors.tolist(), strict=True)
            return [scale * e if g is None else (g + self.unit * e) / self.alpha for g, e in pairs]

        doubles = np.array([float(t) for t in ratios(float(self.ratio))])
        if np.all(np.isfinite(doubles)):
            return self.doubles.phi_inverse(doubles)
        exact = [ball(t).mid() for t in ratios(self.ratio)]
        if self.potential.depth == 2:
            return np.array([float((t / 2).asinh()) for t in exact])
        doubles = np.array([float(t) for t in exact])
        beyond = np.isinf(doubles)
        z = self.doubles.phi_inverse(np.where(beyond, 0.0, doubles))
        z[beyond] = [float(self.potential.inverse(exact[j])[0]) for j in np.flatnonzero(beyond)]
        return z

    def _outer(self, z):
        """(u_Tc, its derivative with respect to z_Tc)."""
        ratio = 1 / self.ratio
        values, slopes = zip(*self.potential.with_slopes(z), strict=True) if z else ((), ())
        outer = [
            ratio * value if g is None else ratio * value - g / self.unit
            for value, g in zip(values, self.values_out, strict=True)
        ]
        return outer, [ratio * slope for slope in slopes]

    def _products(self, dual, in_balls):
        """A^T lam on T and off T."""
        z = self.partition.exact.times(dual, transposed=True, in_balls=in_balls)
        return [
            [z[i] for i in part.tolist()]
            for part in (self.partition.inside, self.partition.outside)
        ]

    def evaluate(self, unknowns: Unknowns, in_balls: bool = False) -> Values:
        """Values over the box of unknowns; for `in_balls` see Exact.times."""
        if self.fixed is not None:
            fixed = [(ball(z), arb(0), arb(0)) for z in self.fixed]
        else:
            pairs = zip(self.values_in, unknowns.error, strict=True)
            ratios = [(g + self.unit * u) / self.alpha for g, u in pairs]
            fixed = []
            for z, slope, room in self.potential.inverses_with_room(ratios):
                slope = self.ratio / slope
                fixed.append((z, slope, slope / room))
        reached, z_out = self._products(unknowns.dual, in_balls)
        outer, slope_out = self._outer(z_out)
        n = self._ordered(unknowns.error, outer)
        image = self.partition.exact.times(n, in_balls=in_balls)
        residual = [z - wanted for z, (wanted, _, _) in zip(reached, fixed, strict=True)]
        return Values(
            residual + image,
            [slope for _, slope, _ in fixed],
            [part for _, _, part in fixed],
            z_out,
            outer,
            slope_out,
        )

    def _ordered(self, inner, outer):
        """Values on T and off T in the order of the columns of A."""
        entries = [None] * (len(inner) + len(outer))
        places = np.append(self.partition.inside, self.partition.outside).tolist()
        for index, value in zip(places, (*inner, *outer), strict=True):
            entries[index] = value
        return entries

    def entries(self, unknowns: Unknowns) -> list[arb]:
        """Balls of n over a box of the unknowns, in the order of the columns."""
        outer, _ = self._outer(self._products(unknowns.dual, in_balls=True)[1])
        return [self.unit * value for value in self._ordered(unknowns.error, outer)]
