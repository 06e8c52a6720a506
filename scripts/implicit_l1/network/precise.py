r"""Limit points in more than double precision, with enclosures.

Where doubles do not reach the accuracy that is asked for (:mod:`implicit_l1.network.limit` says so
of each point), the dual problem of Woodworth et al. (COLT 2020),

.. math::
    \min_\lambda f(\lambda) = \alpha \sum_i q_D^*(A_i^T \lambda) - \langle \lambda, y \rangle,

is solved by Newton's method with so many bits that it needs no coordinates of its own: its
gradient ``A x - y`` is a difference of nearly equal numbers, and its second derivative
``A W A^T`` has the square of the condition of A and the range of W = alpha phi'.  A step is
shortened so that phi' grows by at most e^(3/2), which makes it converge from anywhere (see
:mod:`implicit_l1.network.limit`).  What it finds is a guess, and what is returned is an enclosure
by the proofs of :mod:`implicit_l1.proof.limit`, or of :mod:`implicit_l1.proof.convex` where there
are several minimizers.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from flint import arb, arb_mat, ctx, fmpq

from implicit_l1.linear.exact import RationalMatrix, exact_product, solve_consistent
from implicit_l1.minimizer.support import independent_columns
from implicit_l1.network.initialization import initialize_from_ones
from implicit_l1.network.selected_point import kernel_of, selected_on_face
from implicit_l1.proof.ball_potential import BallPotential
from implicit_l1.proof.balls import (
    ball,
    column,
    exact_matrix,
    is_positive,
    relative_radius,
    sum_of_sizes,
)
from implicit_l1.proof.convex import enclose_limit_point, enclose_selected, moved_onto
from implicit_l1.proof.frame import NotProved, prove_frame
from implicit_l1.proof.limit import LimitProof
from implicit_l1.proof.minimizer import ProvedMinimizer

# Bits of proofs start from 128 and are doubled up to these.
_PRECISION = 1024

# Newton's method gives a start as long as its bits times the operations of a step are no more
# (N = 100, d = 400: down to 1e-75, minutes); beyond, what the path in doubles has found is the only
# one.
_LARGEST_WORK = 5e9

_STEPS = 500

# Of A, what more bits allow for.
_LARGEST_CONDITION = 1e200

# Of phi' in a step of it, as a logarithm.
_GROWTH = 1.5

# Of a difference: what its doubles round.
_ROUNDING = 1e-15

# Relative to its double, half a unit in the last place of a sum of two; and the bits of proofs that
# have a use for no more.
_HALF_UNIT, _PRECISION_OF_PAIR = 2.0**-105, 128


class PreciseLimit:
    """Enclosures of the limit points of one instance at one depth, for decreasing scales.

    Args:
        matrix: A as doubles, shape (N, d).
        minimizer: g*, rounded, shape (d,), zero off its support.
        low: what the rounding left, rounded in turn, shape (d,).
        depth: D.
        exact_data: y as rational numbers, of which g* follows exactly; None: it is the sum of the
            two.
        nu: a dual vector of g*, ``||A^T nu||_inf <= 1``: lam is near it, or for D = 2 near its
            product with log(1/alpha).  Newton's method starts from 0 if None.
        unique: whether g* is the only minimizer, or the one of several that the flow selects.
    """

    def __init__(
        self,
        matrix: np.ndarray,
        minimizer: np.ndarray,
        low: np.ndarray,
        depth: float,
        exact_data: Sequence[fmpq] | None = None,
        nu: np.ndarray | None = None,
        unique: bool = True,
    ) -> None:
        self.matrix, self.minimizer, self.low, self.depth = matrix, minimizer, low, depth
        self.support = np.flatnonzero(minimizer)
        self.data, self.unique = exact_data, unique
        # of all columns of the support, where the minimizer is the only one
        self.basis = np.arange(self.support.size)
        if not unique:
            on = RationalMatrix(matrix[:, self.support])
            self.basis = np.array(on.first_basis(self.basis), dtype=int)
            if exact_data is None:
                parts = [exact_product(matrix, part) for part in (minimizer, low)]
                self.data = [high + rest for high, rest in zip(*parts, strict=True)]
            else:  # only to see that y is reached
                self._solved_exactly()
        self.nu = np.zeros(len(matrix)) if nu is None else nu
        # of Newton's method, at the scale before
        self._dual, self._dual_log_alpha = arb_mat(len(matrix), 1), 0.0

    def error(
        self, log_alpha: float, guess: tuple[np.ndarray, float] | None, radius: float
    ) -> tuple[np.ndarray, float, float]:
        """n(alpha) as (error in units of exp(log_unit), log_unit, relative radius of its norm).

        Args:
            log_alpha: natural logarithm of alpha.
            guess: (error, log_unit) from double precision, or None.
            radius: largest relative radius of ``||n||_1`` that is accepted.
        Raises:
            NotProved: if no enclosure as narrow as that is found.
        """
        try:
            if guess is not None and np.all(np.isfinite(guess[0])):
                return self._proved(log_alpha, guess, radius)
        except NotProved:
            pass
        entries = self._solution(log_alpha)
        return self._proved(
            log_alpha, _in_doubles(entries)[:2], radius, (entries, self._dual.entries())
        )

    def difference(
        self, log_alpha: float, _: tuple[np.ndarray, float] | None, radius: float
    ) -> tuple[np.ndarray, float, float]:
        """The same where g* is one of several minimizers: x(alpha) less g*.

        Both are found by Newton's method, and enclosed, with so many bits that n keeps some.
        """
        least, reason = self._bits(log_alpha), NotProved("")
        for bits in (least, 2 * least):
            with ctx.workprec(bits):
                try:
                    error, log_unit, bound = _in_doubles(self._enclosed(log_alpha))
                except NotProved as failure:
                    reason = failure if bits == least else reason
                    continue
            if _ROUNDING + bound <= radius:
                return error, log_unit, _ROUNDING + bound
            reason = NotProved("x(alpha) and g* agree to all bits that are carried")
        raise reason

    def _enclosed(self, log_alpha):
        """n where there are several minimizers, the difference of two enclosures, d balls."""
        matrix, data = exact_matrix(self.matrix), [arb(value) for value in self.data]
        dual = self._converged(log_alpha, column(data).mid())
        alpha = ball(log_alpha).exp()
        error = enclose_limit_point(matrix, self.depth, alpha, data, dual)
        on = self.matrix[:, self.support]
        kernel = kernel_of(on)
        guess = selected_on_face(
            kernel,
            moved_onto(on, self.basis, data, [value.mid() for value in self._values()]),
            np.sign(self.minimizer[self.support]),
            initialize_from_ones(self.minimizer.size),
            self.support,
            self.depth,
        )
        selected = enclose_selected(
            arb_mat(kernel), self.depth, moved_onto(on, self.basis, data, guess)
        )
        for j, value in zip(self.support, selected, strict=True):
            error[j] -= value
        return error

    def _proved(self, log_alpha, guess, radius, solution=None):
        """The enclosure from a guess of n, or from (n, lam), which has more bits."""
        reason = None
        most = _PRECISION if solution is None else max(_PRECISION, self._bits(log_alpha))
        for bits in (128 << place for place in range(most.bit_length() - 7)):
            with ctx.workprec(bits):
                try:
                    proof = LimitProof(self.matrix, self._minimizer(), self.depth)
                    entries = proof.error(ball(log_alpha).exp(), *guess, radius, solution)
                    return _in_doubles(entries)
                except NotProved as error:
                    reason = error
        raise reason

    def _minimizer(self):
        """g* as enclosures, in the form of the proofs."""
        sigma = np.sign(self.minimizer[self.support])
        values = self._values()
        frame = prove_frame(self.matrix, self.support)
        return ProvedMinimizer(self.support, sigma, values, frame, arb("nan"), [])

    @cached_property
    def _exact(self):
        """g*_S, where it is the only one; of all that is done here by far the longest."""
        return self._solved_exactly()

    def _solved_exactly(self):
        """The solution of ``A_S x_S = y`` on the basis, rationals; an error if there is none."""
        found = solve_consistent(self.matrix[:, self.support[self.basis]], self.data)
        if found is None:
            raise ValueError("y is no combination of the columns of the minimizer's support")
        return found

    def _values(self):
        """g*_S, as narrow as the present precision asks for, and as it is known."""
        pair_is_enough = ctx.prec <= _PRECISION_OF_PAIR and np.any(self.low)
        if self.unique and self.data is not None and not pair_is_enough:
            return [arb(value) for value in self._exact]
        pairs = zip(self.minimizer[self.support], self.low[self.support], strict=True)
        return [arb(g, abs(g) * _HALF_UNIT if e else 0.0) + arb(e) for g, e in pairs]

    def _bits(self, log_alpha):
        """As the decades between alpha and g* ask for, which units do not change.

        Below g* the range of W does; above, z is so small that phi is a difference.
        """
        log_size = np.log(np.abs(self.minimizer).max())
        decades = abs(log_size - log_alpha) / np.log(10.0)
        condition = min(np.linalg.cond(self.matrix), _LARGEST_CONDITION)
        return 128 + int(14.0 * decades + 2.0 * np.log2(condition))

    def _solution(self, log_alpha):
        """n from Newton's method on the dual problem, d balls."""
        with ctx.workprec(self._bits(log_alpha)):
            matrix = exact_matrix(self.matrix)
            minimizer = [arb(0)] * self.minimizer.size
            for j, value in zip(self.support, self._values(), strict=True):
                minimizer[j] = value.mid()
            dual = self._converged(log_alpha, matrix * column(minimizer))
            alpha, phi = ball(log_alpha).exp().mid(), BallPotential(self.depth)
            z = [value.mid() for value in (matrix.transpose() * dual).entries()]
            point = [(alpha * value).mid() for value, _ in phi.with_slopes(z)]
            return [x - g for x, g in zip(point, minimizer, strict=True)]

    def _converged(self, log_alpha, data):
        """lam from Newton's method with the present bits, a column, kept for the next scale."""
        if ctx.prec * len(self.matrix) * self.matrix.size > _LARGEST_WORK:
            raise NotProved(f"Newton's method on the dual problem would take {ctx.prec} bits")
        alpha = ball(log_alpha).exp().mid()
        self._dual = self._start(log_alpha, alpha)
        self._dual_log_alpha = log_alpha
        try:
            self._dual = self._newton(exact_matrix(self.matrix), data, alpha)
        except NotProved:
            raise
        except ArithmeticError as error:
            raise NotProved(f"Newton's method on the dual problem broke down: {error}") from error
        return self._dual

    def _start(self, log_alpha, alpha):
        """lam where Newton's method starts: it moves along nu, which is near it as alpha -> 0."""
        if self.depth == 2:
            return self._dual + column(self.nu) * arb(self._dual_log_alpha - log_alpha)
        smallest = arb(float(np.abs(self.minimizer[self.support]).min()))
        room = (alpha / smallest).mid() ** (1 - 2 / arb(self.depth))
        # made feasible: with fewer bits |A_S^T nu| = 1 is not told from 1 + room
        basis = independent_columns(self.matrix, self.minimizer)
        on = exact_matrix(self.matrix[:, basis])
        missing = column(np.sign(self.minimizer[basis])) - on.transpose() * column(self.nu)
        gram = on.transpose() * on
        dual = column(self.nu) + on * gram.solve(missing)
        inside = room < 1 and np.any(self.nu)
        return (dual * (1 - room if inside else arb(0))).mid()

    def _newton(self, matrix, data, alpha):
        """lam, approximately, from that of the scale before, moved along nu."""
        phi, transposed, dual = BallPotential(self.depth), matrix.transpose(), self._dual
        small, rows = arb(2) ** (-ctx.prec // 3), matrix.tolist()
        for _ in range(_STEPS):
            z = [value.mid() for value in (transposed * dual).entries()]
            values = phi.with_slopes(z)
            weights = [(alpha * slope).mid() for _, slope in values]
            residual = (data - matrix * column([alpha * value for value, _ in values])).mid()
            weighted = arb_mat([[a * w for a, w in zip(row, weights, strict=True)] for row in rows])
            hessian = (weighted * transposed).mid()
            step = hessian.solve(residual, algorithm="approx").mid()
            # of z against what it may move by: both may be below all doubles
            shift, reaches = (transposed * step).entries(), phi.reaches(z, _GROWTH)
            parts = [(abs(h) / r).mid() for h, r in zip(shift, reaches, strict=True)]
            if not all(part.is_finite() for part in parts):
                raise NotProved("Newton's method on the dual problem broke down")
            longest = max(parts)
            dual = (dual + step / longest.max(arb(1))).mid()
            if longest < small:
                return dual
        raise NotProved(f"Newton's method on the dual problem took more than {_STEPS} steps")


def _in_doubles(entries):
    """(error in units of exp(log_unit), log_unit, relative radius of the norm) of balls."""
    norm = sum_of_sizes(entries)
    largest = max((abs(value).mid() for value in entries), default=arb(0))
    if not is_positive(largest):
        raise NotProved("the error is not proved different from 0")
    log_unit = float(largest.log())
    unit = ball(log_unit).exp().mid()
    return np.array([float(value / unit) for value in entries]), log_unit, relative_radius(norm)
