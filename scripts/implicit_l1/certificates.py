r"""Proofs in ball arithmetic of what the other modules compute in floating point.

Everything starts from (A, y), exact as the doubles they are.  Results of other modules
come in as guesses: a wrong guess makes a proof fail, it cannot make a wrong statement.

**The minimizer.**  From a guess of its support S, ``A_S g_S = y`` is solved exactly (in
rational arithmetic, or by a ball solution where |S| = N); the signs sigma of g_S, the
injectivity of A_S and a vector nu with ``A_S^T nu = sigma``, ``||A_Sc^T nu||_inf < 1``
prove that g* is the unique l1 minimizer (Fuchs 2004; Foucart and Rauhut, *A Mathematical
Introduction to Compressive Sensing*, ch. 4).

**Coordinates.**  For a set T of columns, with ``P = (A_T^T A_T)^{-1} A_T^T`` and B a basis
of ker A_T^T (the projection of an approximate one, so ``A_T^T B = 0`` exactly), ``M = P
A_Tc`` and ``C = B^T A_Tc``: n lies in ker A exactly when ``n_T = -M n_Tc`` and ``C n_Tc =
0``, and with ``z_T`` given every dual vector has ``z_Tc = M^T z_T + C^T b``.

**Null space constants.**  The constant of a sign pattern eps, ``min_b ||M^T eps + C^T
b||_inf``, is attained at a vertex: on an active set J of N - |S| + 1 indices with signs s,
``C_J^T b + M_J^T eps = rho s``.  The same matrix transposed gives the kernel vector
``C_J k = 0``, ``<s, k> = 1``; if ``s_j k_j > 0`` on J its value ``<M_J^T eps, k>`` is a
lower bound, and the largest entry of ``M^T eps + C^T b`` an upper one.

**Limit points.**  The equations of :mod:`implicit_l1.limit` in the unknowns (n_T, b) have
exactly one solution (the dual problem is strictly concave).  With X a box around a
refined guess, F the equations and J(X) a ball matrix that contains all their derivatives
on X, ``N = x - J(X)^{-1} F(x)`` inside X proves that it lies in N (interval Newton; Moore
1966, Neumaier, *Interval Methods for Systems of Equations*, Thm. 5.1.7).

(The coordinates and the reduction are derived for this project.)
"""

from dataclasses import dataclass

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from implicit_l1.balls import (
    BallPotential,
    ball,
    column,
    columns_of,
    exact_matrix,
    is_positive,
    largest,
    relative_radius,
    scaled,
    sign,
    smallest,
    stacked,
    sum_of_sizes,
    to_doubles,
)
from implicit_l1.potentials import potential


class NotProved(ArithmeticError):
    """A statement could not be proved; the message says which and why."""


@dataclass(frozen=True)
class Coordinates:
    """M, C and B of a set T of k columns of A, shape (N, d), as balls.

    Attributes:
        inside, outside: indices of T and of the others.
        range_map: M, k x (d - k); free_map: C, (N - k) x (d - k).
        basis: approximate orthonormal basis of ker A_T^T whose projection is B, as doubles,
            shape (N, N - k).
        range_doubles, free_doubles: M and C rounded to doubles.
    """

    inside: np.ndarray
    outside: np.ndarray
    range_map: arb_mat
    free_map: arb_mat
    basis: np.ndarray
    range_doubles: np.ndarray
    free_doubles: np.ndarray


def coordinates(matrix, inside) -> Coordinates:
    """Coordinates of a set of columns, in balls.

    Args:
        matrix: A as doubles, shape (N, d).
        inside: indices of T.
    Raises:
        NotProved: if A_T is not proved injective.
    """
    inside = np.asarray(inside, dtype=int)
    rows, size = matrix.shape[0], inside.size
    outside = np.setdiff1d(np.arange(matrix.shape[1]), inside)
    rest = exact_matrix(matrix[:, outside])
    if size == 0:
        basis = np.eye(rows)
        range_map, free_map = arb_mat(0, outside.size), rest
    else:
        chosen = exact_matrix(matrix[:, inside])
        transposed = chosen.transpose()
        basis = np.linalg.qr(matrix[:, inside], mode="complete")[0][:, size:]
        try:
            if size == rows:
                range_map, free_map = chosen.solve(rest), arb_mat(0, outside.size)
            else:
                gram = transposed * chosen
                range_map = gram.solve(transposed * rest)
                approximate = exact_matrix(basis)
                projected = approximate - chosen * gram.solve(transposed * approximate)
                (projected.transpose() * approximate).solve(column(np.ones(rows - size)))
                free_map = projected.transpose() * rest
        except ZeroDivisionError as error:
            raise NotProved("the columns of the support are not proved independent") from error
    return Coordinates(
        inside,
        outside,
        range_map,
        free_map,
        basis,
        to_doubles(range_map) if size else np.zeros((0, outside.size)),
        to_doubles(free_map) if size < rows else np.zeros((0, outside.size)),
    )


@dataclass(frozen=True)
class ProvedMinimizer:
    """The unique l1 minimizer of (A, y), proved.

    Attributes:
        support: indices of S; sigma: the signs of g* there.
        values: enclosures of g*_S.
        coordinates: of S.
        margin: enclosure of ``1 - ||A_Sc^T nu||_inf`` for the dual certificate found.
    """

    support: np.ndarray
    sigma: np.ndarray
    values: list
    coordinates: Coordinates
    margin: arb

    @property
    def kappa(self):
        """Enclosure of ``max|g*_S| / min|g*_S|``."""
        sizes = [abs(value) for value in self.values]
        return largest(sizes) / smallest(sizes)


def prove_minimizer(matrix, data, point, nu) -> ProvedMinimizer:
    """Prove support, signs, value and uniqueness of the l1 minimizer.

    Args:
        matrix, data: A, shape (N, d), and y, shape (N,), exact.
        point: a guess of g*, shape (d,); only its support matters.
        nu: a guess of a dual certificate, shape (N,).
    Raises:
        NotProved: naming the step that failed.
    """
    support = np.flatnonzero(point)
    if not 0 < support.size <= matrix.shape[0]:
        raise NotProved(f"a support of {support.size} columns in {matrix.shape[0]} dimensions")
    values = _solve_on_support(matrix[:, support], data)
    sigma = np.array([sign(value) for value in values])
    if not np.all(sigma):
        raise NotProved("an entry of the minimizer is not proved different from 0")
    frame = coordinates(matrix, support)
    reached = largest([abs(z) for z in _dual_direction(frame, sigma, frame.basis.T @ nu)])
    margin = 1 - reached
    if not is_positive(margin):
        raise NotProved(f"the dual vector is not strict, it reaches {reached.str(8)} off S")
    return ProvedMinimizer(support, sigma, values, frame, margin)


def _solve_on_support(on, data):
    """Enclosures of the solution of ``A_S g_S = y``.

    Raises:
        NotProved: if there is none, or A_S is not proved injective.
    """
    rows, size = on.shape
    try:
        if size == rows:
            return exact_matrix(on).solve(column(data)).entries()
        exact, right = _rationals(on), _rationals(data[:, None])
        solution = (exact.transpose() * exact).solve(exact.transpose() * right)
    except ZeroDivisionError as error:
        raise NotProved("the columns of the support are not proved independent") from error
    if exact * solution != right:
        raise NotProved("y is not a combination of the columns of the support")
    return [arb(value) for value in solution.entries()]


def _rationals(array):
    return fmpq_mat([[fmpq(*float(v).as_integer_ratio()) for v in row] for row in array])


def _dual_direction(frame, pattern, free):
    """``M^T eps + C^T b`` for exact eps and b: entries of ``A_Sc^T nu`` with ``A_S^T nu = eps``."""
    direction = frame.range_map.transpose() * column(pattern)
    if len(free):
        direction += frame.free_map.transpose() * column(free)
    return direction.entries()


@dataclass(frozen=True)
class PatternConstant:
    """``sup <M^T eps, k>`` over k with ``C k = 0``, ``||k||_1 = 1``: rho where eps = sigma.

    Attributes:
        value: its enclosure, between a kernel vector and a dual vector.
        active: places off the support at which the dual vector attains it, or None if the
            two bounds do not come from one vertex.
        direction: ``A_Sc^T nu`` of the dual vector, as balls.
        kernel: the kernel vector on ``active``, as balls, of l1 norm 1.
    """

    value: arb
    active: np.ndarray | None
    direction: list
    kernel: list | None


# Two entries of a double-precision dual vector this close to its largest are both active.
_ACTIVE = 1e-9


def pattern_constant(frame: Coordinates, pattern, nu) -> PatternConstant:
    """Enclose the null space constant of a sign pattern on S.

    Args:
        frame: coordinates of S.
        pattern: eps, shape (k,).
        nu: a guess of the dual vector that attains it, shape (N,).
    Raises:
        NotProved: if upper and lower bound cannot both be found.
    """
    free = frame.basis.T @ nu
    if not np.all(np.isfinite(free)):
        raise NotProved("there is no dual vector to start from")
    if free.size == 0:
        direction = _dual_direction(frame, pattern, free)
        sizes = [abs(value) for value in direction]
        place = int(np.argmax([float(size.mid()) for size in sizes]))
        others = [size for j, size in enumerate(sizes) if j != place]
        alone = all(size < sizes[place] for size in others)
        return PatternConstant(
            largest(sizes),
            np.array([place]) if alone else None,
            direction,
            [arb(sign(direction[place]))] if alone else None,
        )
    vertex = _vertex(frame, pattern, free)
    return vertex if vertex is not None else _between(frame, pattern, free)


def _vertex(frame, pattern, free):
    """The constant from a nondegenerate vertex, or None."""
    z = frame.range_doubles.T @ pattern + frame.free_doubles.T @ free
    # of a dual vector to double precision the first set is right; of one to the tolerance of a
    # linear program the second may be
    near = np.flatnonzero(np.abs(z) >= np.abs(z).max() - _ACTIVE)
    highest = np.sort(np.argsort(-np.abs(z), kind="stable")[: free.size + 1])
    for active in (near, highest):
        if active.size == free.size + 1:
            proved = _at_vertex(frame, pattern, active, np.where(z[active] < 0, -1.0, 1.0))
            if proved is not None:
                return proved
    return None


def _at_vertex(frame, pattern, active, side):
    """The constant if it is attained at the vertex of this active set, else None."""
    start = columns_of(frame.range_map, active).transpose() * column(pattern)
    square = stacked(columns_of(frame.free_map, active), -column(side).transpose())
    try:
        dual = square.transpose().solve(-1 * start).entries()
        goal = column([*np.zeros(active.size - 1), -1.0])
        kernel = square.solve(goal).entries()
    except ZeroDivisionError:
        return None
    if not all(is_positive(k * s) for k, s in zip(kernel, side, strict=True)):
        return None
    lower = (start.transpose() * column(kernel))[0, 0]
    direction = frame.range_map.transpose() * column(pattern)
    direction += frame.free_map.transpose() * column(dual[:-1])
    direction = direction.entries()
    height = dual[-1]
    inactive = np.setdiff1d(np.arange(len(direction)), active)
    if not height >= 0 or not all(abs(direction[j]) < height for j in inactive):
        return None
    # on the active set the entries are s_j times the height, by construction
    return PatternConstant(lower.intersection(height), active, direction, kernel)


def _between(frame, pattern, free):
    """The constant between an exactly feasible dual vector and a projected kernel vector."""
    direction = _dual_direction(frame, pattern, free)
    upper = largest([abs(value) for value in direction])
    z = np.array([float(value.mid()) for value in direction])
    active = np.flatnonzero(np.abs(z) >= np.abs(z).max() - _ACTIVE)
    side = np.where(z[active] < 0, -1.0, 1.0)
    from scipy.optimize import nnls

    system = np.vstack([frame.free_doubles[:, active] * side, np.ones(active.size)])
    try:
        weights, _ = nnls(system, np.append(np.zeros(free.size), 1.0))
    except RuntimeError as error:  # its iterations did not suffice
        raise NotProved("no kernel vector was found for the null space constant") from error
    guess = np.zeros(z.size)
    guess[active] = side * weights
    kernel = column(guess)
    transposed = frame.free_map.transpose()
    try:
        gram = frame.free_map * transposed
        kernel = kernel - transposed * gram.solve(frame.free_map * kernel)
        size = sum_of_sizes(kernel.entries())
        value = ((frame.range_map.transpose() * column(pattern)).transpose() * kernel)[0, 0] / size
    except ZeroDivisionError as error:
        raise NotProved("no kernel vector was found for the null space constant") from error
    # the supremum over a symmetric set is not negative
    lower = value.max(arb(0))
    if not lower.is_finite():
        raise NotProved("no kernel vector was found for the null space constant")
    return PatternConstant(lower.union(upper), None, direction, None)


def null_space_bracket(frame: Coordinates, patterns, duals):
    """Enclose the null space constant rho~ of S, ``sup ||n_S||_1 / ||n_Sc||_1`` over ker A.

    It is the largest constant of a sign pattern.  For |S| = N there is a formula.  Otherwise
    all patterns (up to a common sign) give it; or one pattern gives a lower bound, and the
    unit vectors, whose constants bound ``|n_i|``, an upper one.

    Args:
        frame: coordinates of S, k columns.
        patterns: all sign patterns, or one of them followed by the unit vectors, shape
            (m, k); ignored for |S| = N.
        duals: guesses of the dual vectors that attain them, shape (m, N).
    Returns:
        (lower, upper): balls; the same one twice where rho~ is enclosed.
    Raises:
        NotProved: if the patterns are not such a set.
    """
    size, rows = frame.inside.size, frame.basis.shape[0]
    if size == rows:
        sums = [sum_of_sizes(entries) for entries in frame.range_map.transpose().tolist()]
        return (largest(sums),) * 2
    patterns = np.asarray(patterns, dtype=float)
    is_pattern = np.abs(patterns) == 1.0
    if np.array_equal(patterns[1:], np.eye(size)) and size > 1 and np.all(is_pattern[0]):
        upper = arb(0)
        for pattern, dual in zip(patterns[1:], duals[1:], strict=True):
            upper += pattern_constant(frame, pattern, dual).value
        return pattern_constant(frame, patterns[0], duals[0]).value, upper
    signs = {tuple(pattern * pattern[0]) for pattern in patterns}
    if len(signs) != 2 ** (size - 1) or not np.all(is_pattern):
        raise NotProved("the null space constant was not computed over all sign patterns")
    heights = _heights(frame, patterns, duals)
    best = int(np.argmax([float(height.mid()) for height in heights]))
    value = pattern_constant(frame, patterns[best], duals[best]).value
    for place, height in enumerate(heights):
        if place != best and not height < value:
            value = value.max(pattern_constant(frame, patterns[place], duals[place]).value)
    return value, value


def _heights(frame, patterns, duals):
    """Upper bounds of the constants of many patterns: the largest entries of dual vectors."""
    direction = frame.range_map.transpose() * exact_matrix(patterns.T)
    free = np.asarray(duals) @ frame.basis
    direction += frame.free_map.transpose() * exact_matrix(free.T)
    return [largest([abs(z) for z in row]) for row in direction.transpose().tolist()]


@dataclass(frozen=True)
class Unknowns:
    """A point or a box of the unknowns of the limit point: n_T in units, and b."""

    error: list
    free: list


class LimitProof:
    """Enclosures of the limit points of one instance at one depth, and of their first order.

    Args:
        matrix: A as doubles, shape (N, d).
        minimizer: of (A, y), proved.
        depth: D.
    """

    def __init__(self, matrix, minimizer: ProvedMinimizer, depth):
        self.matrix = matrix
        self.minimizer = minimizer
        self.depth = depth
        self._frames = {tuple(minimizer.support): minimizer.coordinates}
        self._values = {
            int(index): value
            for index, value in zip(minimizer.support, minimizer.values, strict=True)
        }

    def error(self, alpha, error, log_unit, radius):
        """Enclose n(alpha) = x(alpha) - g* from a guess of it.

        Args:
            alpha: scale of the predictor, a ball.
            error: guess of n in units of exp(log_unit), shape (d,).
            log_unit: natural logarithm of the unit.
            radius: largest relative radius of ``||n||_1`` that is accepted.
        Returns:
            balls, in the order of the columns of A.
        Raises:
            NotProved: if the test for existence fails or the enclosure is too wide.
        """
        guess, unit = _guess(error, log_unit)
        inside = self._inside(guess)
        if inside not in self._frames:
            self._frames[inside] = coordinates(self.matrix, inside)
        system = _System(self.depth, self._frames[inside], alpha, unit, self._values)
        return _narrow(system.prove(system.start(guess)), radius)

    def _inside(self, guess):
        """The part of the support at which x has come near g*: elsewhere g* + n cancels."""
        return tuple(
            index
            for index, value in self._values.items()
            if float(((value + guess[index]) / value).mid()) > 0.3
        )

    def first_order(self, rho: PatternConstant | None, error, log_unit, radius):
        """Enclose exponent and constant of ``||n||_1 ~ constant * alpha^exponent``.

        The formulas are those of :mod:`implicit_l1.asymptotics`; for D = 2 and |S| < N the
        sum of exponentials is minimized in closed form: with k the kernel vector of the
        vertex, ``n_J = c k`` and ``log c = <k, t> - sum |k_j| log|k_j|``.

        Args:
            rho: of the signs of g*; used for D = 2 only.
            error, log_unit: for D > 2 a guess of the limit of ``n / alpha``, shape (d,), in
                units of exp(log_unit).
            radius: largest relative radius of the constant that is accepted.
        Raises:
            NotProved: if it cannot be proved, or the leading term is not of this form.
        """
        if self.depth == 2:
            exponent, entries = 1 - rho.value, self._logarithmic(rho)
        else:
            exponent, entries = arb(1), self._linear(error, log_unit)
        return exponent, sum_of_sizes(_narrow(entries, radius))

    def _logarithmic(self, rho):
        if rho.active is None or not is_positive(rho.value):
            raise NotProved("rho is not attained at one proved vertex, or it is 0")
        minimizer, frame = self.minimizer, self.minimizer.coordinates
        logs = [s * abs(g).log() for s, g in zip(minimizer.sigma, minimizer.values, strict=True)]
        maps = columns_of(frame.range_map, rho.active)
        shift = (maps.transpose() * column(logs)).entries()
        log_size = arb(0)
        for k, t in zip(rho.kernel, shift, strict=True):
            log_size += k * t - abs(k) * abs(k).log()
        off = [log_size.exp() * k for k in rho.kernel]
        return [*off, *(maps * column(off)).entries()]

    def _linear(self, error, log_unit):
        frame = self.minimizer.coordinates
        guess, unit = _guess(error, log_unit)
        system = _System(self.depth, frame, arb(1), unit, {}, fixed=self.minimizer.sigma)
        return system.prove(system.start(guess))


def _guess(error, log_unit):
    if not (np.all(np.isfinite(error)) and np.isfinite(log_unit)):
        raise NotProved("there is no approximate solution to start from")
    unit = ball(log_unit).exp().mid()
    return [(unit * ball(e)).mid() for e in error], unit


def _narrow(entries, radius):
    norm = sum_of_sizes(entries)
    if not relative_radius(norm) <= radius:
        raise NotProved(f"the enclosure of the norm is {norm.str(8)}, too wide")
    return entries


_ROUNDS = 8

# Of the box in which a limit point is looked for first: a guess in double precision is
# nearer than that, and over the box the derivative is still known to many digits.
_FIRST_WIDTH = 1e-11

_UNDERFLOW = 1e-280

# Relative radius of ||n||_1 above which an enclosure is made narrower, if it can be: the
# digits of a table are rounded from it, and should not depend on where a wide one ends.
_NARROW = 1e-18


class _System:
    """The equations of the limit point in the coordinates of T, scaled to size 1.

    With ``u = n / unit`` and D_T the derivative of x_T with respect to z_T:
    ``F1 = r (u_T + M u_Tc)``, ``F2 = C u_Tc``, in the unknowns ``(r u_T, b)``, where ``r =
    sqrt(unit / D_T)`` makes the derivative symmetric at the point where it is computed.
    """

    def __init__(self, depth, frame, alpha, unit, values, fixed=None):
        """
        Args:
            depth: D.
            frame: coordinates of T.
            alpha, unit: balls.
            values: index -> enclosure of g* there, on its support.
            fixed: z_T where it is given: then there is no n_T among the unknowns, and F1 is
                not an equation (the first order as alpha -> 0).
        """
        self.potential = BallPotential(depth)
        self.doubles = potential(depth)
        self.frame = frame
        self.alpha = alpha
        self.unit = unit
        self.fixed = fixed
        self.values_in = [] if fixed is not None else [values[index] for index in frame.inside]
        self.values_out = [values.get(index) for index in frame.outside]
        self.size = len(self.values_in)
        self.shift = [arb(0)] * len(frame.outside)
        if fixed is None:
            self.maps = stacked(frame.range_map, frame.free_map)
        else:
            self.maps = frame.free_map
            self.shift = (frame.range_map.transpose() * column(fixed)).entries()
        self.transposed = self.maps.transpose()

    def start(self, guess):
        """Unknowns from a guess of n."""
        frame = self.frame
        z_in = self.fixed
        if z_in is None:
            z_in = self._inverse(
                [g + guess[i] for g, i in zip(self.values_in, frame.inside, strict=True)]
            )
        z_out = self._inverse(
            [
                guess[i] if g is None else g + guess[i]
                for g, i in zip(self.values_out, frame.outside, strict=True)
            ]
        )
        free = np.zeros(frame.basis.shape[1])
        if free.size:
            # entries that underflow beside the largest one say nothing of their z
            known = np.array([float(abs(guess[i] / self.unit)) > _UNDERFLOW for i in frame.outside])
            rest = (z_out - frame.range_doubles.T @ z_in)[known]
            free = np.linalg.lstsq(frame.free_doubles.T[known], rest, rcond=None)[0]
        inside = [(guess[i] / self.unit).mid() for i in frame.inside[: self.size]]
        return Unknowns(inside, [ball(value) for value in free])

    def _inverse(self, points):
        """phi^{-1}(x / alpha) to double precision, shape (len(points),)."""
        ratios = [(x / self.alpha).mid() for x in points]
        if self.potential.depth == 2:
            return np.array([float((t / 2).asinh()) for t in ratios])
        return self.doubles.phi_inverse(np.array([float(t) for t in ratios]))

    def evaluate(self, unknowns):
        """(u_Tc, derivative of x_T, derivative of u_Tc), balls over the box of unknowns."""
        inverses = [
            self.potential.inverse((g + self.unit * u) / self.alpha)
            for g, u in zip(self.values_in, unknowns.error, strict=True)
        ]
        lam = column([*(z for z, _ in inverses), *unknowns.free])
        z = [
            moved + fixed
            for moved, fixed in zip((self.transposed * lam).entries(), self.shift, strict=True)
        ]
        ratio = self.alpha / self.unit
        outer = [ratio * self.potential.phi(v) for v in z]
        outer = [
            u if g is None else u - g / self.unit
            for u, g in zip(outer, self.values_out, strict=True)
        ]
        slope_in = [self.alpha * slope for _, slope in inverses]
        slope_out = [ratio * self.potential.phi_prime(v) for v in z]
        return outer, slope_in, slope_out

    def residual(self, unknowns, outer, scale):
        image = (self.maps * column(outer)).entries()
        first = [
            r * (u + v) for r, u, v in zip(scale, unknowns.error, image[: self.size], strict=True)
        ]
        return column([*first, *image[self.size :]])

    def derivative(self, slope_in, slope_out, scale):
        ones = [arb(1)] * (self.maps.nrows() - self.size)
        left = scaled(self.maps, [*scale, *ones], slope_out)
        right = [self.unit / (d * r) for d, r in zip(slope_in, scale, strict=True)]
        matrix = left * scaled(self.transposed, None, [*right, *ones])
        for place in range(self.size):
            matrix[place, place] += 1
        return matrix

    def move(self, unknowns, step, scale):
        """unknowns - step, the step in scaled coordinates."""
        entries = step.entries()
        error = [u - h / r for u, h, r in zip(unknowns.error, entries, scale, strict=False)]
        return Unknowns(
            error, [b - h for b, h in zip(unknowns.free, entries[self.size :], strict=True)]
        )

    def prove(self, unknowns):
        """Enclosures of n, in the order of the columns of A.

        Raises:
            NotProved: if no box around the guess is proved to hold a solution.
        """
        try:
            return self._prove(unknowns)
        except NotProved:
            raise
        except (ArithmeticError, np.linalg.LinAlgError) as error:
            raise NotProved(f"no limit point was found near the guess: {error}") from error

    def _prove(self, unknowns):
        if not unknowns.error and not unknowns.free:
            return self.entries(unknowns)
        width = arb(_FIRST_WIDTH)
        for _ in range(_ROUNDS):
            outer, slope_in, _ = self.evaluate(unknowns)
            scale = [(self.unit / d).sqrt().mid() for d in slope_in]
            residual = self.residual(unknowns, outer, scale)
            box = Unknowns(
                [
                    u + arb(0, (width / r).upper())
                    for u, r in zip(unknowns.error, scale, strict=True)
                ],
                [b + arb(0, width) for b in unknowns.free],
            )
            _, slope_in, slope_out = self.evaluate(box)
            derivative = self.derivative(slope_in, slope_out, scale)
            proved = self._interval_step(unknowns, box, derivative, residual, scale)
            if proved is not None:
                entries = self.entries(proved)
                if relative_radius(sum_of_sizes(entries)) <= _NARROW:
                    return entries
                # once more from its middle: the residual is smaller there, the box the same
                unknowns = _middle(proved)
                residual = self.residual(unknowns, self.evaluate(unknowns)[0], scale)
                closer = self._interval_step(unknowns, box, derivative, residual, scale)
                return entries if closer is None else self.entries(closer)
            # the guess is not as good as that: Newton's method, then a box of the size that
            # its next step may have
            step = derivative.mid().solve(residual.mid(), algorithm="approx").mid()
            unknowns = _middle(self.move(unknowns, step, scale))
            reach = float(np.max([float(abs(h)) for h in step.entries()]))
            if not np.isfinite(reach):
                raise NotProved("Newton's method left the domain of phi")
            width = min(max(arb(reach) ** 2 * 1e6, arb(2) ** (-ctx.prec // 2)), arb(_FIRST_WIDTH))
        raise NotProved(f"no box around the guess is proved to hold a limit point: {reach:.0e}")

    def _interval_step(self, unknowns, box, derivative, residual, scale):
        """The interval Newton step where it proves a solution, else None."""
        try:
            step = derivative.solve(residual)
        except ZeroDivisionError:
            return None
        proved = self.move(unknowns, step, scale)
        pairs = zip([*proved.error, *proved.free], [*box.error, *box.free], strict=True)
        return proved if all(outer.contains_interior(inner) for inner, outer in pairs) else None

    def entries(self, unknowns):
        """Balls of n over a box of the unknowns, in the order of the columns; n_T = -M n_Tc."""
        outer, _, _ = self.evaluate(unknowns)
        inside = self.frame.inside
        inner = (self.frame.range_map * column(outer)).entries() if inside.size else []
        entries = [None] * (len(outer) + inside.size)
        for index, value in zip(self.frame.outside, outer, strict=True):
            entries[index] = self.unit * value
        for index, value in zip(inside, inner, strict=True):
            entries[index] = -self.unit * value
        return entries


def _middle(unknowns):
    return Unknowns([u.mid() for u in unknowns.error], [b.mid() for b in unknowns.free])
