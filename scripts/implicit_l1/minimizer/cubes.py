r"""Upper bounds of rho~ that hold for many sign patterns at once.

A *cube* of sign patterns on S fixes the signs eps_i of some entries; of the others, F, both signs
are in it.  With M and C of :mod:`implicit_l1.minimizer.support` and any b_0, b_i let

.. math::
    z_0 = \sum_{i \notin F} \varepsilon_i M_i + C^T b_0, \qquad z_i = M_i + C^T b_i \quad (i \in F).

With ``b_0 + sum_F eps_i b_i`` for b the constant ``min_b ||M^T eps + C^T b||_inf`` of every pattern
of the cube is at most the *height* ``max_j (|z_0j| + sum_F |z_ij|)``, which some pattern attains
with that b.  Where all signs are free but one, which are all patterns up to a common sign, the
least height is the bound of Juditsky and Nemirovski (*On verifiable sufficient conditions for
sparse signal recovery via l1 minimization*, Math. Program. 2011) restricted to S; where none is
free, it is the constant of the pattern.  Any b make a bound, so the halves of a cube, with
z_0 + z_i and z_0 - z_i in place of z_0 and z_i, start from what is known of the whole: their
heights are at most its own.  (Cubes between these two are derived for this project.)
"""

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from scipy.optimize import minimize

from implicit_l1.linear.units import unit_of
from implicit_l1.minimizer.support import SupportGeometry

# Lowering stops after so many steps: in a later one hardly a height comes below what is wanted.
_STEPS = 20

# Heights are lowered towards this part of what is wanted, so that they come below it, by steps
# of this length in units of the one that ends where all excesses would vanish together.
_INSIDE, _LENGTH = 0.99, 1.8

# Smoothing of the largest height, and of absolute values, one after the other: log-sum-exp with
# these numbers over the height, square roots with these parts of the mean entry of a column.  After
# these steps a bound has been seen some 2 % above the least, and within 1e-9 the same from entries
# that differ in their last bits; sharper smoothing takes longer and loses the latter.
_SMOOTHING, _SMOOTH_STEPS = ((30.0, 0.3), (100.0, 0.1)), 50


@dataclass(frozen=True)
class Cubes:
    """m cubes with f free places each.

    Attributes:
        rows: z_0 and the z_i, shape (m, f + 1, d - k).
        signs: eps, 0 at free places, shape (m, k).
        free: the free places, shape (m, f).
    """

    rows: np.ndarray
    signs: np.ndarray
    free: np.ndarray

    def __len__(self) -> int:
        return len(self.signs)

    def __getitem__(self, chosen: slice | np.ndarray) -> Self:
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """One after the other, all with as many free places."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def heights(self) -> np.ndarray:
        """In units of the bounds, shape (m,)."""
        return np.abs(self.rows).sum(axis=1).max(axis=1)

    def excesses(self, wanted: float) -> np.ndarray:
        """By how much each column is above (a little less than) a height, shape (m, d - k)."""
        return np.maximum(np.abs(self.rows).sum(axis=1) - _INSIDE * wanted, 0.0)

    def heaviest(self, wanted: float) -> np.ndarray:
        """The free place whose z_i has most in the columns above a height, shape (m,)."""
        weights = self.excesses(wanted)[..., None]
        return (np.abs(self.rows[:, 1:]) @ weights)[..., 0].argmax(axis=1)

    def proposals(self, wanted: float) -> np.ndarray:
        """A pattern of each cube, shape (m, k): the signs of ``<k, z_i>`` at free places.

        The vector k has the signs of z_0 and the size of what is above a height.
        """
        kernel = self.excesses(wanted) * np.sign(self.rows[:, 0])
        values = (self.rows[:, 1:] @ kernel[..., None])[..., 0]
        patterns = self.signs.copy()
        np.put_along_axis(patterns, self.free, np.where(values < 0, -1.0, 1.0), axis=1)
        return patterns

    def halves(self, places: np.ndarray) -> Self:
        """The two halves of each, by the sign at one of its free places, given as its number."""
        count, free = self.free.shape
        each = np.arange(count)
        others = np.arange(free) != places[:, None]
        rest = self.rows[:, 1:][others].reshape(count, free - 1, self.rows.shape[2])
        parts = []
        for sign in (1.0, -1.0):
            first = self.rows[:, 0] + sign * self.rows[each, 1 + places]
            signs = self.signs.copy()
            signs[each, self.free[each, places]] = sign
            rows = np.concatenate([first[:, None], rest], axis=1)
            parts.append(type(self)(rows, signs, self.free[others].reshape(count, free - 1)))
        return self.joined(parts)

    def weights(self) -> np.ndarray:
        """Weights on S of the rows: the signs, then unit vectors, shape (m, f + 1, k)."""
        units = np.eye(self.signs.shape[1])
        return np.concatenate([self.signs[:, None], units[self.free]], axis=1)


class CubeBounds:
    """Lowers the heights of cubes of one support.

    Args:
        geometry: of S, with at least one row of C.

    Attributes:
        basis: orthonormal, of the range of C^T, shape (d - k, r).
        unit: a power of two of the order of the entries of M, by which all rows are divided.
        rows: the z_i of least Euclidean norm, shape (k, d - k).
    """

    def __init__(self, geometry: SupportGeometry) -> None:
        self.geometry = geometry
        self.basis, self._triangle = np.linalg.qr(geometry.free_map.T)
        self.unit = unit_of(geometry.range_map) if geometry.range_map.any() else 1.0
        rows = geometry.range_map / self.unit
        self.rows = rows - (rows @ self.basis) @ self.basis.T

    def patterns(self, signs: np.ndarray) -> Cubes:
        """Cubes of one pattern each, from eps of shape (m, k)."""
        free = np.zeros((len(signs), 0), dtype=int)
        return Cubes((signs @ self.rows)[:, None], signs, free)

    def all_patterns(self) -> Cubes:
        """The cube of all patterns, up to a common sign."""
        count = len(self.rows)
        return Cubes(self.rows[None].copy(), np.eye(count)[:1], np.arange(1, count)[None])

    def lower(self, cubes: Cubes, wanted: float) -> np.ndarray:
        """Lower heights until they are as wanted, which many can not be; in place.

        The conditions ``sum_i |z_ij| <= wanted``, one for each column j, are convex; weighted by
        their excesses the linearized ones have a sum that every solution fulfils, and a step ends
        beyond the b nearest to the present one that fulfils it (Kiwiel, *Block-iterative
        surrogate projection methods for convex feasibility problems*, Linear Algebra Appl. 215,
        1995).

        Args:
            cubes: changed.
            wanted: in units of the bounds.
        Returns:
            which are as wanted, shape (m,).
        """
        done = np.zeros(len(cubes), dtype=bool)
        left, rows = np.arange(len(cubes)), cubes.rows.copy()
        for step in range(_STEPS + 1):
            sums = np.abs(rows).sum(axis=1)
            low = sums.max(axis=1) <= wanted
            ending = low | (step == _STEPS)
            if ending.any():
                cubes.rows[left], done[left] = rows, low
                left, rows, sums = left[~ending], rows[~ending], sums[~ending]
            if not left.size:
                break
            above = np.maximum(sums - _INSIDE * wanted, 0.0)
            slope = np.copysign(above[:, None], rows).reshape(-1, above.shape[1]) @ self.basis
            steepness = np.sum(slope.reshape(left.size, -1) ** 2, axis=1)
            # where it is 0 no b lowers the sum
            length = _LENGTH * np.sum(above**2, axis=1) / np.where(steepness > 0, steepness, np.inf)
            slope *= np.repeat(length, rows.shape[1])[:, None]
            rows = rows - (slope @ self.basis.T).reshape(rows.shape)
        return done

    def lowest(self) -> Cubes:
        """The cube of all patterns with a height near its least: a smoothed maximum by L-BFGS."""
        cubes = self.all_patterns()
        shape = len(self.rows), self.basis.shape[1]
        moves = np.zeros(shape)
        for sharpness, part in _SMOOTHING:
            height = np.abs(self.rows + moves @ self.basis.T).sum(axis=0).max()
            if height == 0.0:
                break
            beta, delta = sharpness / height, part * height / len(self.rows)

            def smoothed(values, beta=beta, delta=delta):
                rows = self.rows + values.reshape(shape) @ self.basis.T
                sizes = np.sqrt(rows * rows + delta * delta)
                sums = sizes.sum(axis=0)
                top = sums.max()
                weights = np.exp(beta * (sums - top))
                total = weights.sum()
                slope = (rows / sizes * (weights / total)) @ self.basis
                return top + np.log(total) / beta, slope.ravel()

            options = {"maxiter": _SMOOTH_STEPS}
            found = minimize(smoothed, moves.ravel(), jac=True, method="L-BFGS-B", options=options)
            moves = found.x.reshape(shape)
        cubes.rows[0] += moves @ self.basis.T
        return cubes

    def duals(self, cubes: Cubes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The dual vectors of the rows of cubes, and their heights, from M and C anew.

        Returns:
            (weights on S, nu with ``A_S^T nu`` equal to them, ``max_j sum |A_j^T nu|``), shapes
            (m (f + 1), k), (m (f + 1), N) and (m,).
        """
        geometry, shape = self.geometry, cubes.rows.shape
        weights = cubes.weights().reshape(-1, len(self.rows))
        change = self.unit * cubes.rows.reshape(-1, shape[2]) - weights @ geometry.range_map
        moves = np.linalg.solve(self._triangle, (change @ self.basis).T).T
        duals = geometry.least_norm_dual(weights.T).T + moves @ geometry.q2.T
        reached = weights @ geometry.range_map + moves @ geometry.free_map
        return weights, duals, np.abs(reached).reshape(shape).sum(axis=1).max(axis=1)
