r"""Enclosures of limit points and of their first order as alpha -> 0.

The one solution of the equations of :mod:`implicit_l1.proof.equations` is proved to lie in a box
around a refined guess by the test of :mod:`implicit_l1.proof.verified`, which needs the equations
in balls at one point only, and enclosed, entry by entry, as it says there.

Where doubles do not suffice, the same is done in balls: with X a box around the guess x, F the
equations and J(X) a ball matrix that contains all their derivatives on X, ``N = x - J(X)^{-1}
F(x)`` inside X proves that the solution lies in N (interval Newton; Moore 1966, Neumaier,
*Interval Methods for Systems of Equations*, Thm. 5.1.7).

(The reduction is derived for this project.)
"""

from functools import cached_property

import numpy as np
from flint import arb, arb_mat, ctx

from implicit_l1.linear.exact import Undecided, rationals_of, solve_consistent
from implicit_l1.linear.units import BALANCED, exponents
from implicit_l1.proof.balls import (
    ball,
    column,
    exact_matrix,
    is_positive,
    relative_radius,
    scaled,
    sum_of_sizes,
)
from implicit_l1.proof.constants import PatternConstant
from implicit_l1.proof.equations import Equations, Partition, Unknowns
from implicit_l1.proof.frame import NotProved, checked_guess
from implicit_l1.proof.minimizer import ProvedMinimizer
from implicit_l1.proof.tangent import Tangent
from implicit_l1.proof.vanishing import (
    drive_of,
    error_vanishes,
    in_row_space,
    leading_error,
    leading_term,
)
from implicit_l1.proof.verified import LARGE, Exact, rounded_up
from implicit_l1.status import NO_ERROR


class LimitProof:
    """Enclosures of the limit points of one instance at one depth, and of their first order.

    Args:
        matrix: A as doubles, shape (N, d).
        minimizer: of (A, y), proved.
        depth: D.
    Raises:
        ValueError: if the minimizer is of another matrix.
    """

    def __init__(self, matrix: np.ndarray, minimizer: ProvedMinimizer, depth: float) -> None:
        if not np.array_equal(matrix, minimizer.frame.matrix.doubles):
            raise ValueError("the minimizer is proved of another matrix")
        self.matrix = matrix
        self.minimizer = minimizer
        self.depth = depth
        self._exact = _balanced(minimizer.frame.matrix)
        self._last = None
        self._values = {
            int(index): value
            for index, value in zip(minimizer.support, minimizer.values, strict=True)
        }

    def error(
        self,
        alpha: arb,
        error: np.ndarray,
        log_unit: float,
        radius: float,
        solution: tuple[list[arb], list[arb]] | None = None,
    ) -> list[arb]:
        """Enclose n(alpha) = x(alpha) - g* from a guess of it.

        Args:
            alpha: scale of the predictor, a ball.
            error: guess of n in units of exp(log_unit), shape (d,).
            log_unit: natural logarithm of the unit.
            radius: largest relative radius of ``||n||_1`` that is accepted.
            solution: (n, lam) with more digits, d and N balls, if there is one.
        Returns:
            balls, in the order of the columns of A.
        Raises:
            NotProved: if the test for existence fails or the enclosure is too wide.
        """
        error, unit = self._error(error), _unit(log_unit)
        if not np.any(error) and self._is_at_minimizer:
            return [arb(0)] * error.size
        partition = self._partition(self._inside(error, unit))
        system = _System(self.depth, partition, alpha, unit, self._values)
        unknowns = None
        if solution is not None:
            inner = [(solution[0][i] / unit).mid() for i in partition.inside.tolist()]
            unknowns = Unknowns(inner, solution[1])
        return _narrow(system.prove(error, unknowns), radius)

    @cached_property
    def _is_at_minimizer(self):
        """Whether x(alpha) = g* for every alpha, decided exactly."""
        support, data = self.minimizer.support, self.minimizer.data
        values = solve_consistent(self.matrix[:, support], data)
        return error_vanishes(self.matrix, support, values)

    def _error(self, guess):
        error = checked_guess(guess, self.matrix.shape[1:])
        if not np.all(np.isfinite(error)):
            raise NotProved("there is no approximate solution to start from")
        return error

    def _inside(self, error, unit):
        """The part of the support at which x has come near g*: elsewhere g* + n cancels."""
        support = self.minimizer.support
        values = np.array([float(value) for value in self.minimizer.values])
        with np.errstate(all="ignore"):
            return support[1.0 + float(unit) * error[support] / values > 0.3]

    def _partition(self, inside):
        """The part T of the columns; that of the scale before where it is the same."""
        if self._last is None or not np.array_equal(self._last.inside, inside):
            self._last = Partition(self._exact, inside)
        return self._last

    def first_order(
        self, rho: PatternConstant | None, error: np.ndarray, log_unit: float, radius: float
    ) -> tuple[arb, arb]:
        """Enclose exponent and constant of ``||n||_1 ~ constant * alpha^exponent``.

        The formulas are those of :mod:`implicit_l1.network.asymptotics`; for D = 2 and |S| < N the
        sum of exponentials is minimized in closed form: with k the kernel vector of the
        vertex, ``n_J = c k`` and ``log c = <k, t> - sum |k_j| log|k_j|``.  Where rho = 0, they are
        those of :mod:`implicit_l1.proof.vanishing`.

        Args:
            rho: of the signs of g*; used for D = 2 only.
            error, log_unit: for D > 2 a guess of the limit of ``n / alpha``, shape (d,), in
                units of exp(log_unit).
            radius: largest relative radius of the constant that is accepted.
        Raises:
            NotProved: if it cannot be proved, or the leading term is not of this form.
        """
        if self._vanishes(rho):
            exponent, entries = self._vanishing()
        elif self.depth > 2:
            exponent, entries = arb(1), self._linear(error, log_unit)
        elif rho is None:
            raise NotProved("rho, which is in the first order of D = 2, is not given")
        else:
            exponent, entries = 1 - rho.value, self._logarithmic(rho)
        constant = sum_of_sizes(_narrow(entries, radius))
        if not is_positive(constant):
            raise NotProved(f"the term of order alpha^{exponent.str(4)} vanishes")
        return exponent, constant

    def _vanishes(self, rho):
        """Whether rho = 0, decided exactly where a dual vector does not prove that it is not."""
        minimizer = self.minimizer
        if (rho is not None and is_positive(rho.value)) or minimizer.margin < _REACHED:
            return False
        return in_row_space(self.matrix, minimizer.support, rationals_of(minimizer.sigma))

    def _vanishing(self):
        minimizer, depth = self.minimizer, self.depth
        values = solve_consistent(self.matrix[:, minimizer.support], minimizer.data)
        try:
            leading = leading_term(self.matrix, minimizer.support, values, depth)
        except Undecided as error:
            raise NotProved(str(error)) from error
        if leading is None:
            raise NotProved(NO_ERROR)
        place = self.matrix, minimizer.support, minimizer.values, depth, leading.place
        entries = leading_error(*place)
        if leading.place == 0 and depth == 2:
            guess = np.array([float(value) for value in entries])
            size = np.abs(guess).max()
            entries = self._linear(guess / size, np.log(size), drive_of(*place[2:]))
        return arb(leading.exponent), entries

    def _logarithmic(self, rho):
        if rho.active is None or not is_positive(rho.value):
            raise NotProved("rho is not attained at one proved vertex")
        minimizer = self.minimizer
        log_size = arb(0)  # <k, t> = <M_J k, sigma log|g*_S|>, and M_J k = -n_S
        for s, g, n in zip(minimizer.sigma, minimizer.values, rho.inside, strict=True):
            log_size -= n * s * abs(g).log()
        for k in rho.kernel:
            log_size -= abs(k) * abs(k).log()
        size = log_size.exp()
        return [size * value for value in (*rho.kernel, *rho.inside)]

    def _linear(self, error, log_unit, fixed=None):
        """n in units of alpha where z_S is sigma, or what is given."""
        error, unit = self._error(error), _unit(log_unit)
        partition = self._partition(self.minimizer.support)
        fixed = self.minimizer.sigma.tolist() if fixed is None else fixed
        system = _System(self.depth, partition, arb(1), unit, {}, fixed)
        return system.prove(error)


def _balanced(exact: Exact) -> Exact:
    """A with rows scaled by powers of two to one size, which changes no limit point."""
    sizes = exponents(exact.doubles, axis=1)[:, None]
    if np.ptp(sizes) <= BALANCED:
        return exact
    scaled_rows = np.ldexp(exact.doubles, -sizes)
    same = np.array_equal(np.ldexp(scaled_rows, sizes), exact.doubles)
    return Exact(scaled_rows) if same else exact


def _unit(log_unit):
    """exp(log_unit), rounded; raises NotProved if this is no guess."""
    unit = ball(log_unit).exp()
    if not (unit.is_finite() and is_positive(unit.mid())):
        raise NotProved("there is no approximate solution to start from")
    return unit.mid()


def _narrow(entries, radius):
    norm = sum_of_sizes(entries)
    if not relative_radius(norm) <= radius:
        raise NotProved(f"the enclosure of the norm is {norm.str(8)}, too wide")
    return entries


_ROUNDS = 8

# Where a dual vector of largest margin has less than this margin, rho is not 0.
_REACHED = 1.0 - 1e-9

# Of the box in which a limit point is looked for first: a guess in double precision is
# nearer than that, and over the box the derivative is still known to many digits.
_FIRST_WIDTH = 1e-11

# What it is made narrower by where it is not in the domain of the equations.
_NARROWER = 2.0**-32

# Relative radius of ||n||_1 above which an enclosure is made narrower, if it can be: the
# digits of a table are rounded from it, and should not depend on where a wide one ends.
_NARROW = 1e-20


class _System(Equations):
    """The equations, with proofs that they have a solution near a guess."""

    def prove(self, error, unknowns=None):
        """Enclosures of n, in the order of the columns of A.

        Args:
            error: guess of n in units, doubles, shape (d,).
            unknowns: a guess with the digits of the present precision, if there is one.
        Raises:
            NotProved: if no box around the guess is proved to hold a solution.
        """
        try:
            if unknowns is not None:
                return self.prove_in_balls(unknowns, arb(2) ** (-ctx.prec // 2))
            unknowns = self.start(error)
            try:
                entries = self.prove_in_doubles(unknowns)
            except (ArithmeticError, np.linalg.LinAlgError):
                entries = None
            return self.prove_in_balls(unknowns) if entries is None else entries
        except NotProved:
            raise
        except (ArithmeticError, np.linalg.LinAlgError) as failure:
            raise NotProved(f"no limit point was found near the guess: {failure}") from failure

    def prove_in_doubles(self, unknowns):
        """Enclosures of n by the test of :mod:`implicit_l1.proof.verified`, or None.

        Raises:
            ArithmeticError, LinAlgError: if an approximate solution is of no use.
        """
        for _ in range(_ROUNDS):
            values = self.evaluate(unknowns)
            tangent = Tangent(self.partition, self.doubles, values)
            step = tangent.step(values.residual)
            if not step.reach <= LARGE:
                return None
            distance = tangent.distance(2.0 * step.reach)
            if distance <= 0.5:
                return self._narrowed(unknowns, values, tangent, step, distance)
            unknowns = _middle(_minus(unknowns, step.size.tolist()))
        return None

    def _narrowed(self, unknowns, values, tangent, step, distance):
        """Enclosures of n, once the test holds on the box of radius 2 step.reach, or None.

        Steps with the same R, while they stay in the box.
        """
        box, reached, moved, moved_z = 2.0 * step.reach, 0.0, 0.0, 0.0
        for steps in range(_ROUNDS):
            reached = rounded_up(reached + step.reach)
            if not reached <= box:
                break
            # of the solution from the point after the step, in the norm; and from this point
            radius = rounded_up(step.error + distance / (1.0 - distance) * step.reach)
            weights = rounded_up(np.abs(step.size) + radius)
            shift, spread = tangent.of_z(step.size, radius)
            weights_z = rounded_up(np.abs(shift) + spread)
            moved, moved_z = rounded_up(moved + weights), rounded_up(moved_z + weights_z)
            change = tangent.change(weights, weights_z, moved, moved_z)
            radius = rounded_up(step.error + tangent.near.remainder(weights, change))
            change, spread = tangent.of_outer(*tangent.of_z(step.size, radius), moved_z)
            if not (np.all(radius <= LARGE) and np.all(spread <= LARGE)):
                break
            inner = _moved(unknowns.error, -step.size[: len(unknowns.error)], radius)
            entries = self._ordered(inner, _moved(values.outer, change, spread))
            entries = [self.unit * value for value in entries]
            if relative_radius(sum_of_sizes(entries)) <= _NARROW:
                return entries
            unknowns = _minus(unknowns, step.size.tolist())
            # what two residuals in doubles did not achieve no third one will
            values = self.evaluate(unknowns, in_balls=steps > 0)
            step = tangent.step(values.residual)
        return None

    def prove_in_balls(self, unknowns, width=None):
        """Enclosures of n by interval Newton steps.

        Args:
            unknowns: a guess; width: of the box around it that is tried first.
        Raises:
            NotProved: if no box around the guess is proved to hold a solution.
            ArithmeticError: if the guess is not in the domain of phi.
        """
        reach, width = np.inf, arb(_FIRST_WIDTH) if width is None else width
        for _ in range(_ROUNDS):
            residual = column(self.evaluate(unknowns, in_balls=True).residual)
            box = Unknowns(
                [u + arb(0, width) for u in unknowns.error],
                [v + arb(0, width) for v in unknowns.dual],
            )
            try:
                derivative = self._derivative_in_balls(self.evaluate(box, in_balls=True))
            except ArithmeticError:  # the box leaves the domain
                width *= _NARROWER
                continue
            proved = self._interval_step(unknowns, box, derivative, residual)
            if proved is not None:
                entries = self.entries(proved)
                if relative_radius(sum_of_sizes(entries)) <= _NARROW:
                    return entries
                # once more from its middle: the residual is smaller there, the box the same
                unknowns = _middle(proved)
                residual = column(self.evaluate(unknowns, in_balls=True).residual)
                closer = self._interval_step(unknowns, box, derivative, residual)
                return entries if closer is None else self.entries(closer)
            # the guess is not as good as that: Newton's method, then a box of the size that
            # its next step may have
            step = derivative.mid().solve(residual)
            unknowns = _middle(_minus(unknowns, step.mid().entries()))
            reach = float(np.max([float(abs(h)) for h in step.entries()]))
            if not np.isfinite(reach):
                raise NotProved("Newton's method left the domain of phi")
            # what is not known of g* itself leaves a step of this size
            rest = float(np.max([float(h.rad()) for h in step.entries()]))
            width = max(arb(reach) ** 2 * 1e6, arb(2) ** (-ctx.prec // 2), arb(4.0 * rest))
            width = min(width, arb(_FIRST_WIDTH))
        raise NotProved(f"no box around the guess is proved to hold a limit point: {reach:.0e}")

    def _derivative_in_balls(self, values):
        on, off = exact_matrix(self.partition.on), exact_matrix(self.partition.off)
        square = (scaled(off, None, values.slope_out) * off.transpose()).tolist()
        size = self.partition.inside.size
        upper = on.transpose().tolist()
        for place, slope in enumerate(values.slope_in):
            upper[place] = (
                [arb(0)] * place + [-slope] + [arb(0)] * (size - place - 1) + upper[place]
            )
        lower = [[*left, *right] for left, right in zip(on.tolist(), square, strict=True)]
        return arb_mat([*upper, *lower])

    def _interval_step(self, unknowns, box, derivative, residual):
        """The interval Newton step where it proves a solution, else None."""
        try:
            step = derivative.solve(residual)
        except ZeroDivisionError:
            return None
        proved = _minus(unknowns, step.entries())
        pairs = zip([*proved.error, *proved.dual], [*box.error, *box.dual], strict=True)
        return proved if all(outer.contains_interior(inner) for inner, outer in pairs) else None


def _minus(unknowns, step):
    entries = [x - h for x, h in zip([*unknowns.error, *unknowns.dual], step, strict=True)]
    return Unknowns(entries[: len(unknowns.error)], entries[len(unknowns.error) :])


def _middle(unknowns):
    return Unknowns([u.mid() for u in unknowns.error], [v.mid() for v in unknowns.dual])


def _moved(values, shift, radius):
    """value + shift, up to radius, of balls and two arrays of doubles; the last may be longer."""
    pairs = zip(shift.tolist(), radius.tolist(), strict=False)
    return [value + arb(*pair) for value, pair in zip(values, pairs, strict=False)]
