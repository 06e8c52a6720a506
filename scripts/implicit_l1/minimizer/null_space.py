r"""The null space constants rho and rho~ of a signed support.

.. math::
    \varrho = \sup_{0 \ne n \in \ker A} \frac{-\langle \sigma, n_S\rangle}{\|n_{S^c}\|_1}
            = \min_\nu \{ \|A_{S^c}^T \nu\|_\infty : A_S^T \nu = \sigma \}, \qquad
    \tilde\varrho = \sup_{0 \ne n \in \ker A} \frac{\|n_S\|_1}{\|n_{S^c}\|_1}.

rho decides the rate alpha^(1 - rho) of the paper at D = 2 (this expression for it is
derived for this project); rho~ is the null space constant of S (Foucart and Rauhut,
*A Mathematical Introduction to Compressive Sensing*, ch. 4), and rho <= rho~.

In the coordinates of :mod:`implicit_l1.minimizer.support`, a sign pattern eps on S has the
constant ``min_b ||M^T eps + C^T b||_inf``; rho is that of sigma, rho~ the largest
over all patterns.
"""

from dataclasses import dataclass, field

import numpy as np

from implicit_l1.linear.programs import KernelPrograms
from implicit_l1.linear.units import unit_of
from implicit_l1.minimizer.support import SupportGeometry, support_geometry

# of values of the order of 1
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Bracket:
    """A constant between two bounds.

    Attributes:
        lower, upper: the bounds.
        method: how they were found, a word for the tables.
        patterns: weights on S whose programs give the bounds, shape (m, k): all sign
            patterns, or the best one found and the unit vectors.
        duals: dual vectors that attain the constants of the patterns, or, among all sign
            patterns, prove that they are not the largest, shape (m, N).
    """

    lower: float
    upper: float
    method: str
    patterns: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    duals: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))


# where there is no dual vector
UNKNOWN = Bracket(float("nan"), float("nan"), "none")


def constants_of(
    matrix: np.ndarray, point: np.ndarray, margin: float, enumerate_up_to: int
) -> tuple[Bracket, Bracket]:
    """(rho, rho~) of a minimizer; UNKNOWN both where there is no dual vector.

    Args:
        matrix: A, shape (N, d).
        point: the minimizer, shape (d,), zero exactly off its support.
        margin: the largest that a dual vector of it has, nan where there is none.
        enumerate_up_to: as in :func:`null_space_constant`.
    """
    if np.isnan(margin):
        return UNKNOWN, UNKNOWN
    support = np.flatnonzero(point)
    geometry = support_geometry(matrix, support)
    tilde = null_space_constant(geometry, np.sign(point[support]), enumerate_up_to)
    return rho_of(margin), tilde


def rho_of(margin: float) -> Bracket:
    """rho of a minimizer, 1 less the largest margin of its dual vectors, which is decided."""
    return UNKNOWN if np.isnan(margin) else Bracket(1.0 - margin, 1.0 - margin, "decided")


def largest_margin_dual(
    matrix: np.ndarray, geometry: SupportGeometry, sigma: np.ndarray
) -> np.ndarray:
    """A dual vector attaining rho: ``min ||A_Sc^T nu||_inf`` subject to ``A_S^T nu = sigma``.

    A linear program, see :class:`implicit_l1.linear.programs.KernelPrograms`; what is found to
    the tolerance of a solver is solved again on its active set, to full accuracy.

    Args:
        matrix: A, shape (N, d).
        geometry: of the support S.
        sigma: signs on S, shape (k,).
    Returns:
        nu, shape (N,).
    Raises:
        LinearProgramError: if the linear program is not solved.
    """
    start = geometry.least_norm_dual(sigma)
    free_map = geometry.free_map
    if free_map.shape[0] == 0:
        return start
    direction = matrix[:, geometry.complement].T @ start
    if not direction.any():
        return start
    kernel, free = program_of_rho(free_map, direction)
    candidates = [free]
    z = direction + free_map.T @ free
    # where the two prove each other optimal there is nothing to refine
    if np.abs(z).max() - direction @ kernel <= _ROUNDING * unit_of(direction):
        return start + geometry.q2 @ candidates[0]
    # the kernel vector names the active set, unless it is degenerate; then it has more
    # members, which the solver's accuracy tells apart
    for active in (kernel != 0.0, np.abs(z) >= np.abs(z).max() - 1e-9):
        system = np.column_stack([free_map[:, active].T, -np.sign(z[active])])
        candidates.append(np.linalg.lstsq(system, -direction[active], rcond=None)[0][:-1])
    heights = [np.abs(direction + free_map.T @ b).max() for b in candidates]
    return start + geometry.q2 @ candidates[int(np.argmin(heights))]


def program_of_rho(free_map: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, b): the kernel vector and the b of ``min ||direction + C^T b||_inf``, in any units.

    Args:
        free_map: C, shape (r, n).
        direction: shape (n,), not 0.
    Raises:
        LinearProgramError: if the linear program is not solved.
    """
    size, unit = unit_of(free_map), unit_of(direction)
    kernel, free = KernelPrograms(free_map / size).solve(direction / unit, "of rho")
    return kernel, unit / size * free


class PatternPrograms:
    """``min_b ||M^T eps + C^T b||_inf`` for many sign patterns eps.

    In the dual form, ``max <M^T eps, n_Sc>`` subject to ``C n_Sc = 0``,
    ``||n_Sc||_1 <= 1``, patterns differ in the objective only.
    """

    def __init__(self, geometry: SupportGeometry) -> None:
        self.geometry = geometry
        self.range_map = geometry.range_map
        self.programs = KernelPrograms(geometry.free_map)

    def solve(
        self, patterns: np.ndarray, enough: float = -np.inf
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(values, n_Sc, dual vectors nu with ``A_S^T nu = eps``) for many patterns, one a row.

        Args:
            patterns: eps, shape (m, k).
            enough: constants up to this need not be found, but nu proves that they are; their
                value and n_Sc may be 0.
        Returns:
            shapes (m,), (m, d - k) and (m, N).
        """
        costs = patterns @ self.range_map
        off, free = self.programs.solve_all(costs, "of the null space constant", enough)
        duals = self.geometry.least_norm_dual(patterns.T).T + free @ self.geometry.q2.T
        return np.sum(costs * off, axis=1), off, duals


_CLIMBS = 4


def _climb(programs, patterns):
    """Alternate between the best kernel vector of a pattern and the pattern of that vector.

    A climb ends where it has come to a pattern that is no better, or where one has been.

    Args:
        patterns: where to start, one a row, shape (m, k).
    Returns:
        (values, patterns, their dual vectors), the last that were better, one a row; the value
        is -inf of a climb that starts where another does.
    """
    left = np.arange(len(patterns))
    best, found = np.full(left.size, -np.inf), patterns.copy()
    duals = np.zeros((left.size, programs.geometry.q1.shape[0]))
    seen = set()
    while new := _unseen(patterns, seen):
        left, patterns = left[new], patterns[new]
        values, off, nu = programs.solve(patterns)
        better = values > best[left] * (1.0 + 1e-12)  # of -inf, too
        left = left[better]
        best[left], found[left], duals[left] = values[better], patterns[better], nu[better]
        patterns = np.where(off[better] @ programs.range_map.T < 0, -1.0, 1.0)
    return best, found, duals


def _unseen(patterns, seen):
    """Places of the patterns that are not in a set, which gets them; up to a common sign."""
    places = []
    for place, pattern in enumerate(patterns * patterns[:, :1]):
        if (key := pattern.tobytes()) not in seen:
            seen.add(key)
            places.append(place)
    return places


def _gray_code(size):
    """All sign patterns of this length up to a common sign, neighbours differing in one."""
    pattern = np.ones(size)
    yield pattern.copy()
    for step in range(1, 2 ** (size - 1)):
        flipped = (step & -step).bit_length() - 1
        pattern[flipped] = -pattern[flipped]
        yield pattern.copy()


# Patterns that are solved together: those that follow need not reach their largest constant.
_TOGETHER = 16

# Constants below the largest by more than this part of it are not found exactly.
_SMALLER = 1e-6


def _enumerated(programs, sigma):
    """The largest constant of all patterns, the patterns, and dual vectors.

    Where they are many, a local search comes first.  Most constants are so much smaller than
    what it finds that the first iterates for them prove it; the pattern found is among those
    that are solved.

    Returns:
        (value, patterns of shape (m, k), dual vectors of shape (m, N)).
    """
    patterns = np.array(list(_gray_code(sigma.size)))
    best, duals = -np.inf, []
    if len(patterns) > _TOGETHER:
        likely = np.abs(programs.range_map).sum(axis=0).argmax()
        starts = np.vstack([sigma, programs.range_map[:, likely]])
        values, _, _ = _climb(programs, np.where(starts < 0, -1.0, 1.0))
        best = values.max()
    for some in np.split(patterns, range(_TOGETHER, len(patterns), _TOGETHER)):
        values, _, nu = programs.solve(some, (1.0 - _SMALLER) * best)
        best = max(best, values.max())
        duals.append(nu)
    return float(best), patterns, np.vstack(duals)


def null_space_constant(
    geometry: SupportGeometry, sigma: np.ndarray, enumerate_up_to: int
) -> Bracket:
    """rho~, the null space constant of a support.

    Exact where S has N elements (a formula), one element, or at most enumerate_up_to
    (``2^(|S| - 1)`` linear programs, to their tolerance of 1e-9 or better); otherwise
    a bracket between a local search over sign patterns and the sum of the constants of the
    single entries of S.  (No mixed-integer program: at N = 100, d = 400, |S| = 12 one has come to
    0.713 and 1.877 in 8 s, and the enumeration to 0.713 in 1 s.)

    Args:
        geometry: of the support S.
        sigma: signs on S, where the local search starts, shape (k,).
        enumerate_up_to: largest |S| for the enumeration.
    """
    size = geometry.support.size
    if geometry.q2.shape[1] == 0:
        value = float(np.abs(geometry.range_map).sum(axis=0).max())
        return Bracket(value, value, "formula")
    programs = PatternPrograms(geometry)
    if size <= enumerate_up_to:
        value, patterns, duals = _enumerated(programs, sigma)
        return Bracket(value, value, "enumeration", patterns, duals)
    units = np.eye(size)
    entries, off, unit_duals = programs.solve(units)
    # the signs of the kernel vectors that make one entry large are good places to start
    promising = np.argsort(-entries, kind="stable")[:_CLIMBS]
    starts = np.vstack([sigma, off[promising] @ programs.range_map.T])
    values, found, duals = _climb(programs, np.where(starts < 0, -1.0, 1.0))
    best = np.argmax(values)
    lower = float(values[best])
    patterns = np.vstack([found[best], units])
    duals = np.vstack([duals[best], unit_duals])
    method = "local search, entrywise bound"
    return Bracket(lower, float(entries.sum()), method, patterns, duals)
