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

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np

from implicit_l1.linear.interior import LinearProgramError
from implicit_l1.linear.programs import KernelPrograms
from implicit_l1.linear.units import four_digits_up, unit_of
from implicit_l1.minimizer.cubes import CubeBounds, Cubes
from implicit_l1.minimizer.reduced import COARSE, FINE, reduced_matrix
from implicit_l1.minimizer.support import SupportGeometry, support_geometry
from implicit_l1.proof.verified import gamma, rounded_up

# of values of the order of 1
_ROUNDING = 1e-13

# To which relative accuracy rho~ is found.
TOLERANCE = 1e-9

# Rows of cubes whose products are in memory at once.
_AT_ONCE = 1000

# What the method says beside where ends that should be one number are not.
NOT_CLOSED = "not closed"


@dataclass(frozen=True)
class Bracket:
    """A constant between two bounds.

    Attributes:
        lower, upper: the bounds.
        method: how they were found, a word for the tables.
        patterns: weights on S, shape (m, k): cubes in which all sign patterns are
            (:mod:`implicit_l1.minimizer.cubes`), of each its signs, with 0 where both are meant,
            then a unit vector for each 0; those with no 0 among them give the lower bound.
        duals: the dual vectors nu with ``A_S^T nu`` equal to these weights, shape (m, N).  Those of
            a cube prove that the constants of its patterns are at most the upper bound.
    """

    lower: float
    upper: float
    method: str
    patterns: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    duals: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))


# where there is no dual vector
UNKNOWN = Bracket(float("nan"), float("nan"), "none")


def constants_of(
    matrix: np.ndarray, point: np.ndarray, margin: float, exact_up_to: int
) -> tuple[Bracket, Bracket]:
    """(rho, rho~) of a minimizer; UNKNOWN both where there is no dual vector.

    Args:
        matrix: A, shape (N, d).
        point: the minimizer, shape (d,), zero exactly off its support.
        margin: the largest that a dual vector of it has, nan where there is none.
        exact_up_to: as in :func:`null_space_constant`.
    """
    if np.isnan(margin):
        return UNKNOWN, UNKNOWN
    support = np.flatnonzero(point)
    geometry = support_geometry(matrix, support)
    tilde = null_space_constant(geometry, np.sign(point[support]), exact_up_to)
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


# Columns of M from whose signs the local search of a bracket starts, beside sigma.
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


# Cubes that are lowered together.
_TOGETHER = 64

# Constants below the largest by more than this part of it are not found exactly.
_SMALLER = 1e-6

# Cubes with so many free signs are halved at once if of so many before, the first of these, fewer
# than the second part came below the largest constant.
_TRIED, _WORTHWHILE = 8, 0.25


class _Search:
    """The largest constant of all patterns, by branch and bound.

    A cube whose height comes below the largest constant known is done with, others are halved, and
    patterns that are left are solved.  The largest constant known comes from a local search, to
    which every cube that is halved proposes a pattern.

    Attributes:
        best, pattern: the largest constant known, and of which pattern it is.
        weights, duals: of the cubes that are done with, see :class:`Bracket`.
    """

    def __init__(self, programs: PatternPrograms, sigma: np.ndarray) -> None:
        self.best, self.pattern = -np.inf, sigma
        self.weights: list[np.ndarray] = []
        self.duals: list[np.ndarray] = []
        self._programs, self._bounds = programs, CubeBounds(programs.geometry)
        self._seen: set[bytes] = set()
        self._forget()
        likely = np.abs(programs.range_map).sum(axis=0).argmax()
        self._climb(np.vstack([sigma, programs.range_map[:, likely]]))

    @property
    def _enough(self):
        """Heights up to this are low: no constant there is the largest, or all are rounding."""
        return max((1.0 - _SMALLER) * self.best / self._bounds.unit, _ROUNDING)

    def _forget(self):
        """Numbers of free signs -> cubes that were tried, and those that were low."""
        self._tried, self._low = Counter(), Counter()

    def _climb(self, starts):
        """Local search, and from what is better again with each of its signs flipped."""
        values, found, _ = _climb(self._programs, np.where(starts < 0, -1.0, 1.0))
        best = values.argmax()
        if values[best] > self.best * (1.0 + 1e-12):
            self.best, self.pattern = float(values[best]), found[best]
            self._forget()
            self._propose(found[best] * (1.0 - 2.0 * np.eye(found.shape[1])))

    def _propose(self, patterns):
        """Local search from those of some patterns that are new and not shown to be small."""
        patterns = patterns[_unseen(patterns, self._seen)]
        if len(patterns):
            low = self._bounds.lower(self._bounds.patterns(patterns), self._enough)
            if not low.all():
                self._climb(patterns[~low])

    def run(self) -> None:
        """Go through all patterns, the smallest cubes that wait first."""
        waiting = {len(self._bounds.rows) - 1: [self._bounds.all_patterns()]}
        while waiting:
            free = min(waiting)
            cubes = Cubes.joined(waiting.pop(free))
            if len(cubes) > _TOGETHER:
                waiting[free] = [cubes[_TOGETHER:]]
                cubes = cubes[:_TOGETHER]
            cubes = self._not_low(cubes, free)
            if free == 0:
                self._solve(cubes.signs)
            elif len(cubes):
                self._propose(cubes.proposals(self._enough))
                halves = cubes.halves(cubes.heaviest(self._enough))
                waiting.setdefault(free - 1, []).append(halves)

    def _not_low(self, cubes, free):
        """The cubes that are not low; the others are done with."""
        tried, were_low = self._tried[free], self._low[free]
        if free and tried >= _TRIED and were_low < _WORTHWHILE * tried:
            return cubes
        low = self._bounds.lower(cubes, self._enough)
        if low.any():
            weights, duals, heights = self._bounds.duals(cubes[low])
            # not where rounding is all that makes it so
            right = heights <= self._enough * self._bounds.unit * (1.0 + 1e-9)
            low[low] = right
            self.weights.append(weights[np.repeat(right, free + 1)])
            self.duals.append(duals[np.repeat(right, free + 1)])
        self._tried[free] += low.size
        self._low[free] += low.sum()
        return cubes[~low]

    def _solve(self, patterns):
        """Find the constants of patterns that are left."""
        if len(patterns):
            values, _, duals = self._programs.solve(patterns, (1.0 - _SMALLER) * self.best)
            best = values.argmax()
            if values[best] > self.best:
                self.best, self.pattern = float(values[best]), patterns[best]
            self.weights.append(patterns)
            self.duals.append(duals)


def null_space_constant(geometry: SupportGeometry, sigma: np.ndarray, exact_up_to: int) -> Bracket:
    """rho~, the null space constant of a support.

    Exact where S has N elements (a formula), one element, or at most exact_up_to, by branch and
    bound over sign patterns, to a relative 1e-9; otherwise a bracket between a local search over
    sign patterns and the bound of Juditsky and Nemirovski restricted to S, approximately the least
    and rounded up to four digits.

    Whatever solvers return, both ends are held against a kernel vector and against dual vectors
    that prove them, rounding included (:mod:`implicit_l1.minimizer.reduced`).  Where these are
    farther away than that, as beside columns of very different sizes, it is all done anew in
    the coordinates of that module; where they are still, the ends are what is proved.  (They differ
    then, and the method says so.)

    At N = 100, d = 400 that takes 0.3 s for |S| = 12 and 1 to 2 s for 16, and the bracket 0.1 s;
    all ``2^(|S| - 1)`` linear programs would take 1 s and 13 s.

    Args:
        geometry: of the support S.
        sigma: signs on S, where the local search starts, shape (k,).
        exact_up_to: largest |S| for which it is found exactly.
    Raises:
        LinearProgramError: if a linear program is not solved.
        ValueError: if columns of A are too near to dependent ones.
    """
    size = geometry.support.size
    if geometry.q2.shape[1] == 0:
        value = float(np.abs(geometry.range_map).sum(axis=0).max())
        return Bracket(value, value, "formula")
    search = _by_branch_and_bound if size <= max(1, exact_up_to) else _by_restricted_bound
    reduced = reduced_matrix(geometry)
    with suppress(LinearProgramError, np.linalg.LinAlgError), np.errstate(all="ignore"):
        found, kernel = search(geometry, sigma)
        on_chosen = found.duals @ geometry.matrix[:, reduced.chosen]
        proved = _proved(reduced, found.patterns, on_chosen, kernel)
        if _agrees(found, proved):
            return found if search is _by_branch_and_bound else _rounded(found, proved)
    reduced = reduced_matrix(geometry, FINE)
    found, kernel = search(reduced.geometry, sigma)
    proved = _proved(reduced, found.patterns, found.duals[:, size:], kernel)
    found = replace(found, duals=reduced.duals(found.duals))
    if not _agrees(found, proved):
        lower, upper = proved
        found = replace(found, lower=lower, upper=upper, method=f"{found.method}, {NOT_CLOSED}")
    return found if search is _by_branch_and_bound else _rounded(found, proved)


def _by_branch_and_bound(geometry, sigma):
    """(rho~ twice, the n_Sc that attains it)."""
    programs = PatternPrograms(geometry)
    search = _Search(programs, sigma)
    search.run()
    weights, duals = np.vstack(search.weights), np.vstack(search.duals)
    _, (kernel,), _ = programs.solve(search.pattern[None])
    return Bracket(search.best, search.best, "branch and bound", weights, duals), kernel


def _by_restricted_bound(geometry, sigma):
    """(a bracket of rho~, not rounded; the n_Sc that attains its lower end)."""
    programs, bounds = PatternPrograms(geometry), CubeBounds(geometry)
    whole = bounds.lowest()
    weights, duals, heights = bounds.duals(whole)
    columns = np.argsort(-np.abs(geometry.range_map).sum(axis=0), kind="stable")[:_CLIMBS]
    proposal = whole.proposals(float(whole.heights()[0]))
    starts = np.vstack([sigma, proposal, geometry.range_map[:, columns].T])
    values, found, best_duals = _climb(programs, np.where(starts < 0, -1.0, 1.0))
    best = values.argmax()
    bracket = Bracket(
        float(values[best]),
        max(float(values[best]), float(heights[0])),
        "local search, restricted bound",
        np.vstack([found[best], weights]),
        np.vstack([best_duals[best], duals]),
    )
    _, (kernel,), _ = programs.solve(found[best : best + 1])
    return bracket, kernel


def _agrees(found, proved):
    """Whether what is proved is what was found, up to the tolerance."""
    lower, upper = proved
    return lower >= found.lower * (1.0 - TOLERANCE) and upper <= found.upper * (1.0 + TOLERANCE)


def _rounded(found, proved):
    """The bracket with an upper end of four digits."""
    upper = max(found.lower, float(four_digits_up(max(found.upper, proved[1]))))
    return replace(found, upper=upper)


def pattern_constant(geometry: SupportGeometry, signs: np.ndarray) -> Bracket:
    """The constant of a sign pattern on S, rho if these are the signs of a minimizer.

    As in :func:`null_space_constant` it is held against vectors that prove it: both ends are the
    same number, good to a relative 1e-9, or are what is proved.

    Args:
        geometry: of the support S.
        signs: eps, shape (k,).
    Raises:
        LinearProgramError: if the linear program is not solved.
        ValueError: if columns of A are too near to dependent ones.
    """
    for accuracy in (COARSE, FINE):
        reduced = reduced_matrix(geometry, accuracy)
        (value,), (kernel,), dual = PatternPrograms(reduced.geometry).solve(signs[None])
        proved = _proved(reduced, signs[None], dual[:, signs.size :], kernel, signs)
        found = Bracket(value, value, "one pattern", signs[None], reduced.duals(dual))
        if _agrees(found, proved):
            return found
    lower, upper = proved
    return replace(found, lower=lower, upper=upper, method=f"{found.method}, {NOT_CLOSED}")


def _proved(reduced, patterns, on_chosen, kernel, signs=None):
    """(lower, upper): what vectors prove of rho~, rounding included.

    Args:
        reduced: A'.
        patterns: cubes that hold all sign patterns, as in :class:`Bracket`, shape (m, k).
        on_chosen: the values on J of a dual vector for each, shape (m, N - k).
        kernel: n_Sc of a kernel vector, approximately, shape (d - k,).
        signs: the only pattern that is meant, shape (k,); all if None.
    """
    geometry = reduced.geometry
    if not (geometry.range_map.any() or reduced.error[: len(geometry.range_map)].any()):
        return 0.0, 0.0  # no kernel vector has entries on S
    vector = np.zeros((1, geometry.matrix.shape[1]))
    vector[:, geometry.complement] = kernel
    vector, error = reduced.kernel(vector)
    on, missed = vector[0, geometry.support], error[0, geometry.support]
    if signs is None:
        least = np.maximum(np.abs(on) - missed, 0.0).sum()
    else:
        missed = missed + gamma(signs.size) * np.abs(on)
        least = max(abs(signs @ on) - rounded_up(missed.sum()), 0.0)
    mass = (np.abs(vector) + error)[0, geometry.complement].sum()
    # two sums of nonnegative numbers, and a quotient
    rounding = 1.0 + gamma(4 * error.size)
    lower = least / mass / rounding if mass > 0.0 else 0.0
    duals = np.hstack([patterns, on_chosen])
    starts, row = [], 0
    while row < len(patterns):
        starts.append(row)
        row += 1 + np.count_nonzero(patterns[row] == 0.0)
    upper = 0.0
    for some in np.split(starts, np.flatnonzero(np.diff(np.array(starts) // _AT_ONCE)) + 1):
        end = next((start for start in starts if start > some[-1]), len(patterns))
        reached = reduced.reached(duals[some[0] : end])
        heights = np.add.reduceat(reached, some - some[0]).max(axis=1)
        upper = max(upper, float(heights.max()) * rounding)
    return lower, upper if np.isfinite(upper) else np.inf
