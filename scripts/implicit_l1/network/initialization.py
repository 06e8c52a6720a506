r"""Initializations other than ``u(0) = v(0) = alpha^(1/D) 1``, and what they change.

From ``u(0) = alpha^(1/D) w_u`` and ``v(0) = alpha^(1/D) w_v`` with positive shapes, the
predictor moves along

    x = unit * x~,    x~ = alpha scale phi_D(z),    z = A~^T lam + tilt + offset,

with ``A~ = A diag(unit)`` and, all elementwise,

    D = 2:   unit = 1,       scale = w_u w_v,      tilt = 0,      offset = log(w_u / w_v);
    D > 2:   unit = 1 / c,   scale = c^(1 - p),    tilt = e / c,  offset = 0,
             c = (w_u^(2-D) + w_v^(2-D)) / 2,  e = (w_v^(2-D) - w_u^(2-D)) / 2,  p = D / (D-2),

and ``lam' = c_D(alpha) (y - A x)`` as from ones.  (Derived for this project by integrating
``u' = D u^(D-1) s'``, ``v' = -D v^(D-1) s'``; checked against the flow of the weights.)

So, as alpha -> 0, the flow of D = 2 approaches the l1 minimizer whatever the shapes are,
while that of D > 2 approaches the minimizer of ``sum_i c_i |x_i| - e_i x_i``: a positive
entry costs ``w_u^(2-D)`` a unit, a negative one ``w_v^(2-D)``.  In terms of x~ this is
``||x~||_1 - <tilt, x~>`` subject to ``A~ x~ = y``.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from implicit_l1.problems.ensembles import ProblemError

# Drawn shapes are rounded to this grid: what is left does not depend on a system's exp.
_GRID = 2.0**20

# Smallest cost against the mean of both signs, and smallest cost against the largest, at which
# linear programs with them are still solved to all digits that matter.
_LEAST_COST, _COST_RANGE = 1e-5, 1e-7


@dataclass(frozen=True)
class Initialization:
    """What stands between the flow from shapes w_u, w_v and the flow from ones.

    Attributes (shape (d,) each; see the module):
        unit: x in units of x~.
        scale: factor of alpha.
        tilt: the part of z at lam = 0 that stays in the limit alpha -> 0, in (-1, 1).
        offset: the part of z at lam = 0 that does not.
    """

    unit: np.ndarray
    scale: np.ndarray
    tilt: np.ndarray
    offset: np.ndarray

    @property
    def is_rounded(self) -> bool:
        """Whether doubles may not hold ``A diag(unit)`` and the tilt.

        They do for units that are powers of two, and no tilt.
        """
        return bool(np.any(np.frexp(self.unit)[0] != 0.5) or np.any(self.tilt))

    @property
    def is_from_ones(self) -> bool:
        """Whether the flow is that from ones."""
        plain = vars(initialize_from_ones(self.unit.size))
        return all(np.array_equal(mine, plain[part]) for part, mine in vars(self).items())


def initialize(depth: float, shape_u: np.ndarray, shape_v: np.ndarray) -> Initialization:
    """The initialization from these shapes, of a network of depth D >= 2.

    Args:
        depth: D, any real number from 2.
        shape_u, shape_v: w_u and w_v, positive, shape (d,).
    Raises:
        ValueError: if a shape is not positive and finite, or so uneven that double precision
            does not hold the costs of the norm that it leads to.
    """
    for shape in (shape_u, shape_v):
        if not (np.all(np.isfinite(shape)) and np.all(shape > 0)):
            raise ValueError("the shape of an initialization must be positive and finite")
    zero, ratio = np.zeros(np.shape(shape_u)), _log_ratio(shape_u, shape_v)
    if depth == 2:
        return Initialization(zero + 1.0, shape_u * shape_v, zero, ratio)
    cost_u, cost_v = shape_u ** (2.0 - depth), shape_v ** (2.0 - depth)
    cost = 0.5 * (cost_u + cost_v)
    if not (
        np.all(np.isfinite(cost))
        and np.all(np.minimum(cost_u, cost_v) > _LEAST_COST * cost)
        and cost.max() * _COST_RANGE < cost.min()
    ):
        raise ValueError(
            "w_u^(2-D) and w_v^(2-D) are too far apart for double precision; take a shape nearer "
            "to ones, or a smaller D"
        )
    # e / c; of costs that are nearly equal without their difference
    apart = 0.5 * (depth - 2.0) * ratio
    tilt = np.where(np.abs(apart) < 0.25, np.tanh(apart), 0.5 * (cost_v - cost_u) / cost)
    return Initialization(1.0 / cost, cost ** (-2.0 / (depth - 2.0)), tilt, zero)


def _log_ratio(one, other):
    """``log(one / other)`` with all its digits, where they are nearly equal, too."""
    with np.errstate(over="ignore"):
        near = np.log1p((one - other) / other)
        return np.where(np.abs(one - other) < 0.5 * other, near, np.log(one / other))


def initialize_from_ones(size: int) -> Initialization:
    """The initialization from ones, for d columns."""
    zero = np.zeros(size)
    return Initialization(zero + 1.0, zero + 1.0, zero, zero)


def draw_shapes(
    rng: np.random.Generator,
    size: int,
    law: str,
    *,
    balanced: bool = True,
    **parameters: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(w_u, w_v), shape (d,) each; the same vector twice where balanced.

    Args:
        law: "uniform", on [low, high]; or "lognormal", exp(sigma xi) with xi ~ N(0, 1).
        parameters: low and high, or sigma.
    Raises:
        ProblemError: if the law is unknown.
    """
    laws: dict[str, Callable[..., np.ndarray]] = {
        "uniform": lambda low, high: rng.uniform(low, high, size),
        "lognormal": lambda sigma: np.exp(sigma * rng.standard_normal(size)),
    }
    if law not in laws:
        raise ProblemError(f"unknown law of an initialization: {law!r}")
    drawn = [laws[law](**parameters) for _ in range(2 - balanced)]
    shapes = [np.maximum(np.rint(shape * _GRID), 1.0) / _GRID for shape in drawn]
    return shapes[0], shapes[-1]
