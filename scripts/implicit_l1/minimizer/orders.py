r"""Null space constants of order s, bracketed.

The constant of order s is ``sup ||n_T||_1 / ||n_Tc||_1`` over n in ker A and |T| <= s, below
1 exactly when all x_0 with s nonzero entries are recovered (Foucart and Rauhut, *A
Mathematical Introduction to Compressive Sensing*, ch. 4).  It is ``g / (1 - g)`` with g the
largest sum of s absolute entries over ``{n in ker A: ||n||_1 <= 1}``, and NP-hard in
general (Tillmann and Pfetsch, IEEE Trans. Inform. Theory 60, 2014): it is bracketed.

- *From above.*  For a matrix Y with rows nu_j let ``B = I - Y A``.  In the kernel
  ``n = B n``, so g is at most the largest sum of s absolute entries in a column of B
  (Juditsky and Nemirovski, *On verifiable sufficient conditions for sparse signal recovery
  via l1 minimization*, Math. Program. 2011).  First nu_j minimizes ``||e_j - A^T nu||_inf``,
  the dual of ``max n_j`` over the same set, so the largest entry of B is gamma_1, the
  largest entry of such a kernel vector, and the bound is at most s gamma_1.  From there the
  bound itself, a convex function of Y, is minimized, its maxima smoothed (Nesterov, *Smooth
  minimization of non-smooth functions*, Math. Program. 2005), as far as some steps of L-BFGS go;
  any Y is as valid as the best.  (See also d'Aspremont and El Ghaoui, *Testing the nullspace
  property using semidefinite programming*, Math. Program. 2011.)
- *From below.*  By a local search over sets and signs (T, eps): from the s largest entries
  of a kernel vector and their signs to a kernel vector that maximizes ``<eps, n_T>`` over
  ``||n||_1 <= 1``, as long as the ratio grows.  Where it ends, no kernel vector has a larger
  ``<eps, m_T> / ||m_Tc||_1``: for small t the signs of n + t m on T are still eps, so m would
  lead to a vector better than n within ``||n||_1 <= 1`` (derived for this project).

All these linear programs share their constraints and differ in the objective.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from implicit_l1.linear.exact import independent
from implicit_l1.linear.programs import KernelPrograms
from implicit_l1.minimizer.null_space import Bracket
from implicit_l1.minimizer.reduced import finer_matrix
from implicit_l1.minimizer.support import support_geometry
from implicit_l1.proof.verified import gamma

_EPSILON = np.finfo(float).eps

# Vectors of the programs for gamma_1 from which the search for the constant of order s
# starts; they are better starts than random ones where s is small.
_ENTRY_STARTS = 10

# Entries of a kernel vector below this, against its l1 norm, are rounding.
_NOTHING = 1e-13


# Of g: lengths over which its maxima are smoothed, one after the other, and steps with each.
_SMOOTHINGS = ((0.02, 60), (0.005, 100))

# From a larger bound of g than this one below 1 has not been seen to follow.
_HOPELESS = 1.2


class KernelBall:
    """Linear programs over ``{n in ker A: ||n||_1 <= 1}``."""

    def __init__(self, matrix: np.ndarray) -> None:
        self.programs = KernelPrograms(matrix)
        self.count = matrix.shape[1]
        self.basis = np.linalg.qr(matrix.T)[0]

    def maximize(self, gains: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Maximize ``<gain, n>`` for many gains.

        Args:
            gains: one a row, shape (m, d), none of them 0.
        Returns:
            (n, nu): rows n of shape (m, d), in ker A up to rounding; rows of multipliers of
            ``A n = 0``, shape (m, N), which minimize ``||gain - A^T nu||_inf``.
        Raises:
            LinearProgramError: if a linear program is not solved.
        """
        n, free = self.programs.solve_all(gains, "over the kernel")
        # those of HiGHS are in the kernel to its tolerance only
        return n - (n @ self.basis) @ self.basis.T, -free

    def largest_entries(self) -> tuple[np.ndarray, np.ndarray]:
        """(kernel, duals): for each j, n with the largest n_j, and the nu that proves it.

        Returns:
            shapes (d, d) and (d, N), one row a j.
        """
        return self.maximize(np.eye(self.count))


def entry_bounds(
    matrix: np.ndarray, duals: np.ndarray, unsure: np.ndarray | None = None
) -> np.ndarray:
    """``|I - Y A|`` from above: row j bounds n_j by ``sum_i B_ji |n_i|`` for n in ker A.

    Valid for any Y, the more useful the smaller; rounding is added, so no entry is too small.

    Args:
        matrix: A, shape (N, d).
        duals: Y, shape (d, N), one row a nu_j.
        unsure: bounds of the errors of the entries of A, shape (N, d); 0 if None.
    Returns:
        B, shape (d, d).
    """
    identity = np.eye(matrix.shape[1])
    # Higham, Accuracy and Stability of Numerical Algorithms, sec. 3.1, with eps for eps / 2
    # to cover the subtraction and the rounding of the bound itself
    rounding = (matrix.shape[0] + 2) * _EPSILON * (identity + np.abs(duals) @ np.abs(matrix))
    if unsure is not None:
        rounding += np.abs(duals) @ unsure * (1.0 + (matrix.shape[0] + 2) * _EPSILON)
    return np.abs(identity - duals @ matrix) + rounding


def smaller_sums(matrix: np.ndarray, duals: np.ndarray, s: int) -> np.ndarray:
    """Multipliers Y for which the largest sum of s sizes in a column of ``I - Y A`` is smaller.

    Args:
        matrix: A, shape (N, d).
        duals: Y to start from, shape (d, N).
        s: order, 1 <= s < d.
    Returns:
        shape (d, N); not the best Y, as a rule.
    """
    identity, shape = np.eye(matrix.shape[1]), duals.shape

    def bound(flat, smoothing):
        """The smoothed maximum, and its gradient."""
        entries = identity - flat.reshape(shape) @ matrix
        size = np.abs(entries)
        shares = _shares(size, s, smoothing)
        sums = np.sum(shares * (size - smoothing / 2.0 * shares), axis=0)
        weights = softmax(sums / smoothing)
        gradient = -(shares * np.sign(entries) * weights) @ matrix.T
        return smoothing * logsumexp(sums / smoothing), gradient.ravel()

    flat = duals.ravel()
    for smoothing, steps in _SMOOTHINGS:
        most = {"maxiter": steps}
        flat = minimize(bound, flat, smoothing, "L-BFGS-B", jac=True, options=most).x
    return flat.reshape(shape)


def _shares(size, s, smoothing):
    """``clip((size - t) / smoothing, 0, 1)`` with the t for which a column of it adds up to s."""
    low, high = size.min(axis=0) - smoothing, size.max(axis=0)
    for _ in range(30):
        middle = (low + high) / 2.0
        many = np.clip((size - middle) / smoothing, 0.0, 1.0).sum(axis=0) > s
        low, high = np.where(many, middle, low), np.where(many, high, middle)
    return np.clip((size - (low + high) / 2.0) / smoothing, 0.0, 1.0)


def _bound_of_mass(matrix, duals, s, unsure):
    """Upper bound of g by some multipliers, rounding included."""
    columns = np.sort(entry_bounds(matrix, duals, unsure), axis=0)[::-1]
    # the factor covers the rounding of the sum
    return columns[:s].sum(axis=0).max() * (1.0 + s * _EPSILON)


def _largest_sums(rows, s):
    """The sum of the s largest absolute values in each row, over the l1 norm of the row."""
    size = np.sort(np.abs(rows), axis=1)[:, ::-1]
    norm = size.sum(axis=1)
    return size[:, :s].sum(axis=1) / np.where(norm > 0.0, norm, 1.0)


def _ratios(rows, s):
    """``||n_T||_1 / ||n_Tc||_1`` with T the s largest entries of each row n; 0 for n = 0."""
    size = np.sort(np.abs(rows), axis=1)[:, ::-1]
    on, off = size[:, :s].sum(axis=1), size[:, s:].sum(axis=1)
    nothing = off <= _NOTHING * on
    return np.where(nothing, np.where(on > 0.0, np.inf, 0.0), on / np.where(nothing, 1.0, off))


def _largest_signs(rows, s):
    """The signs of the s largest entries of each row, zeros elsewhere."""
    largest = np.argsort(-np.abs(rows), axis=1, kind="stable")[:, :s]
    patterns = np.zeros(rows.shape)
    np.put_along_axis(patterns, largest, np.sign(np.take_along_axis(rows, largest, 1)), 1)
    return patterns


def local_search(ball: KernelBall, starts: np.ndarray, s: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel vectors whose ratio is the best for their own s largest entries and their signs.

    Args:
        ball: the linear programs over the kernel.
        starts: one a row, shape (m, d), whose s largest entries, with their signs, come first.
        s: order, 1 <= s < d.
    Returns:
        (n, ratios): n of shape (m, d), in ker A up to rounding, and ``||n_T||_1 / ||n_Tc||_1``
        of shape (m,).
    Raises:
        LinearProgramError: if a linear program is not solved.
    """
    found, best = np.zeros(starts.shape), np.zeros(len(starts))
    patterns, left = _largest_signs(starts, s), np.arange(len(starts))
    while left.size:
        n, _ = ball.maximize(patterns)
        ratios = _ratios(n, s)
        better = ratios > best[left] * (1.0 + 1e-9)
        left, n = left[better], n[better]
        found[left], best[left], patterns = n, ratios[better], _largest_signs(n, s)
    return found, best


def order_constant(matrix: np.ndarray, s: int, starts: np.ndarray) -> Bracket:
    """The null space constant of order s, ``sup_{|T| <= s} ||n_T||_1 / ||n_Tc||_1``, bracketed.

    Both bounds are proved in doubles, rounding included.  The lower one is what a kernel vector
    found by a local search proves (:mod:`implicit_l1.minimizer.reduced`); it is inf where s columns
    of A are proved dependent.  The upper one holds by weak duality; it is inf where the linear
    programs prove nothing, which is the rule for large s: for N well below d it is finite up to s
    of the order of sqrt(N) only.

    Args:
        matrix: A, shape (N, d), of full row rank.
        s: order, 1 <= s < d.
        starts: vectors of shape (d,) whose s largest entries, with their signs, the search
            starts from; it also starts from the best vectors of the programs for gamma_1.
    Raises:
        ValueError: if s is out of range.
        LinearProgramError: if a linear program is not solved.
    """
    rows, count = matrix.shape
    if not 1 <= s < count:
        raise ValueError(f"the order must be at least 1 and less than d = {count}, not {s}")
    if s > rows:
        return Bracket(float("inf"), float("inf"), "more than N columns")
    geometry, working, unsure = support_geometry(matrix, []), matrix, None
    reduced, is_finer = finer_matrix(geometry)
    if is_finer:
        working, unsure = reduced.matrix, reduced.error
    ball = KernelBall(working)
    kernel, duals = ball.largest_entries()
    best = np.argsort(-_largest_sums(kernel, s), kind="stable")[:_ENTRY_STARTS]
    vectors, found = local_search(ball, np.array([*kernel[best], *starts]), s)
    vectors = np.vstack([kernel[best[:1]], vectors])
    largest = max(_ratios(kernel[best[:1]], s)[0], found.max())
    if largest == np.inf and any(_dependent(matrix, s, vector) for vector in vectors):
        return Bracket(np.inf, np.inf, "s dependent columns")
    lower = _proved_ratios(reduced, vectors, s).max()
    mass = _bound_of_mass(working, duals, s, unsure)
    if s > 1 and mass <= _HOPELESS:
        mass = min(mass, _bound_of_mass(working, smaller_sums(working, duals, s), s, unsure))
    # the factor covers the rounding of the quotient
    upper = mass / (1.0 - mass) * (1.0 + 4.0 * _EPSILON) if mass < 1.0 else np.inf
    return Bracket(float(lower), float(max(lower, upper)), "local search, dual bound")


def _dependent(matrix, s, vector):
    """Whether the columns at the s largest entries of a vector are linearly dependent, exactly."""
    return not independent(matrix[:, np.flatnonzero(_largest_signs(vector[None], s)[0])])


def _proved_ratios(reduced, vectors, s):
    """What kernel vectors near some vectors prove of the constant, rounding included."""
    kernel, error = reduced.kernel(vectors)
    inside = _largest_signs(kernel, s) != 0.0
    on = np.maximum(np.abs(kernel) - error, 0.0).sum(axis=1, where=inside)
    off = (np.abs(kernel) + error).sum(axis=1, where=~inside)
    # two sums of nonnegative numbers, and a quotient
    rounding = 1.0 + gamma(4 * kernel.shape[1])
    return np.where(off > 0.0, on / np.where(off > 0.0, off, 1.0) / rounding, 0.0)
