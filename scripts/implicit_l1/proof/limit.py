r"""Proofs in ball arithmetic of what the other modules compute in floating point.

Everything starts from (A, y), exact as the doubles they are.  Results of other modules
come in as guesses: a wrong guess makes a proof fail, it cannot make a wrong statement.

**The minimizer.**  From a guess of its support S, ``A_S g_S = y`` is solved exactly (by the
guess of g_S if it fulfils the equations, else in rational arithmetic), or where |S| = N in
balls; the signs sigma of g_S, the injectivity of A_S and a vector nu with ``A_S^T nu = sigma``,
``||A_Sc^T nu||_inf < 1`` prove that g* is the unique l1 minimizer (Fuchs 2004; Foucart and
Rauhut, *A Mathematical Introduction to Compressive Sensing*, ch. 4).

**Coordinates.**  For a set T of columns and a completion B of A_T to a square regular matrix
``K = [A_T B]``, let M and C be the rows of ``K^{-1} A_Tc`` that belong to T and to B: n lies
in ker A exactly when ``n_T = -M n_Tc`` and ``C n_Tc = 0``; and ``lam = K^{-T} (z_T, b)``, b
any vector, are the dual vectors with ``A_T^T lam = z_T``, so ``z_Tc = M^T z_T + C^T b``.

**Null space constants.**  The constant of a sign pattern eps, ``min_b ||M^T eps + C^T
b||_inf``, is attained at a vertex: on an active set J of N - |S| + 1 indices with signs s,
``A_S^T nu = eps``, ``A_J^T nu = rho s``.  The same matrix transposed gives the kernel vector
``A_S n_S + A_J k = 0``, ``<s, k> = 1``; if ``s_j k_j > 0`` on J its value ``-<eps, n_S>`` is a
lower bound, and the largest entry of ``A_Sc^T nu`` an upper one.

**Limit points.**  The equations of :mod:`implicit_l1.network.limit`, in the unknowns (n_T, lam):

.. math::
    A_T^T \lambda = \varphi^{-1}((g^*_T + n_T) / \alpha), \qquad
    A_T n_T + A_{T^c} n_{T^c} = 0, \quad
    n_{T^c} = \alpha \varphi(A_{T^c}^T \lambda) - g^*_{T^c}

have exactly one solution (the dual problem is strictly concave).  It is proved to lie in a box
around a refined guess by the test of :mod:`implicit_l1.proof.verified`, which needs the equations
in balls at one point only, and enclosed, entry by entry, as it says there.  The derivatives of the
equations over the box are known from those at its centre:
``|phi''| <= phi'`` for D = 2 and ``|phi''| <= (p + 1) phi' / (1 - |z|)`` for D > 2, so within a
distance h of z, with ``t = h / (1 - |z|) < 1``, phi' grows and falls at most by the factor
``exp(h)`` or ``(1 - t)^(-p - 1)``, and both are at most ``1 / (1 - y)`` with ``y = h`` or
``y = (p + 1) t``, if that is below 1.  The derivative s = 1 / phi' of z with respect to
x / alpha does so, too, where it is x / alpha that moves, by a distance r, with ``h = r s``: as
``|ds / dr| <= s^2`` or ``(p + 1) s^2 / (1 - |z|)``, and s grows only while |z| falls, 1 / s falls
by at most r or ``(p + 1) r / (1 - |z|)``; and where s falls, which depends on |x / alpha| only,
|z| moves by less than r s.

Where doubles do not suffice, the same is done in balls: with X a box around the guess x, F the
equations and J(X) a ball matrix that contains all their derivatives on X, ``N = x - J(X)^{-1}
F(x)`` inside X proves that the solution lies in N (interval Newton; Moore 1966, Neumaier,
*Interval Methods for Systems of Equations*, Thm. 5.1.7).

(The coordinates and the reduction are derived for this project.)
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import arb, arb_mat, ctx

from implicit_l1.linear.exact import exact_product, rationals_of, solve_consistent
from implicit_l1.network.potentials import potential
from implicit_l1.proof.balls import (
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
    sum_of_sizes,
    to_doubles,
)
from implicit_l1.proof.verified import (
    LARGE,
    UNIT,
    Exact,
    Inverse,
    Preconditioned,
    doubles_of,
    gamma,
    largest_column_sums,
    rounded_up,
)


class NotProved(ArithmeticError):
    """A statement could not be proved; the message says which and why."""


def _enough():
    """Radius, relative to its largest entry, to which a dual or a kernel vector is enclosed.

    At 128 bits 1e-24: what is made of it has more digits than a table shows, and each further
    refinement of a solution takes another product in balls.
    """
    return 2.0 ** -(5 * ctx.prec // 8)


def _guess(values, shape):
    """A guess as doubles.

    Raises:
        NotProved: if it has another shape: it is of something else.
    """
    array = np.asarray(values, dtype=float)
    if array.shape != shape:
        raise NotProved(f"the guess has the shape {array.shape} in place of {shape}")
    return array


@dataclass(frozen=True)
class Coordinates:
    """M, C and B of a set T of k columns of A, shape (N, d).

    Attributes:
        matrix: A.
        inside, outside: indices of T and of the others.
        basis: B, an approximate orthonormal basis of ker A_T^T, exact as the doubles that it
            is, shape (N, N - k).
        inverse: of K = [A_T B].
    """

    matrix: Exact
    inside: np.ndarray
    outside: np.ndarray
    basis: np.ndarray
    inverse: Inverse

    @cached_property
    def on(self):
        """A_T, with its balls."""
        return Exact(self.matrix.doubles[:, self.inside])

    @cached_property
    def range_map(self):
        """M, k x (d - k), as balls."""
        return self._map(slice(None, self.inside.size))

    @cached_property
    def free_map(self):
        """C, (N - k) x (d - k), as balls."""
        return self._map(slice(self.inside.size, None))

    @cached_property
    def _solution(self):
        rest = exact_matrix(self.matrix.doubles[:, self.outside])
        try:
            return self.inverse.matrix.balls.solve(rest).tolist()
        except ZeroDivisionError as error:
            raise NotProved("the coordinates need more digits than are carried") from error

    def _map(self, rows):
        chosen = self._solution[rows]
        return arb_mat(chosen) if chosen else arb_mat(0, self.outside.size)

    def dual(self, pattern, free):
        """Balls of the nu with ``A_T^T nu = pattern`` and ``B^T nu = free``, as a list."""
        return self.inverse.solve([ball(value) for value in (*pattern, *free)], transposed=True)

    def feasible(self, pattern, guess):
        """Balls of a nu near a guess with ``A_T^T nu = pattern``, as a list: its own digits.

        ``guess + K^{-T} (pattern - A_T^T guess, 0)``, which hardly depends on B.
        """
        if not self.basis.shape[1]:
            return self.dual(pattern, [])
        reached = self.on.times(guess, transposed=True)
        missing = [ball(e) - value for e, value in zip(pattern, reached, strict=True)]
        right = [*missing, *[arb(0)] * self.basis.shape[1]]
        step = self.inverse.solve(right, True, _enough(), beside=np.max(np.abs(guess)))
        return (column(guess) + column(step)).entries()

    def off(self, nu):
        """``A_Tc^T nu`` for a vector nu of balls."""
        return _Products(self.matrix.doubles[:, self.outside], nu)


class _Products:
    """``z = Y^T nu`` for a matrix Y of doubles, shape (N, m), and a vector nu of balls.

    Bounds in doubles tell which entries may be the largest; only these are enclosed in balls.

    Attributes:
        approximate: z in doubles; bounds: upper bounds of ``|z|``, inf where none is known.
    """

    def __init__(self, columns, nu):
        self._columns, self._nu = columns, column(nu)
        middles, radii = doubles_of(nu)
        self.approximate = middles @ columns
        error = rounded_up(gamma(len(nu)) * np.abs(middles) + radii) @ np.abs(columns)
        bounds = rounded_up(np.abs(self.approximate) + error)
        self.bounds = np.where(np.isfinite(bounds), bounds, np.inf)

    def entry(self, place):
        """z_j as a ball."""
        entries = self._columns[:, place].tolist()
        return (arb_mat(1, len(entries), entries) * self._nu)[0, 0]

    def largest(self, places=None):
        """A ball that contains the largest ``|z_j|``, of all or at some places."""
        places = np.arange(self.bounds.size) if places is None else places
        value = arb(0)
        for place in places[np.argsort(-self.bounds[places])]:
            if arb(float(self.bounds[place])) < value:
                break
            value = value.max(abs(self.entry(place)))
        return value

    def all_below(self, height, places):
        """Whether ``|z_j| < height`` is proved at these places."""
        return not places.size or bool(self.largest(places) < height)


def coordinates(matrix, inside) -> Coordinates:
    """Coordinates of a set of columns, in balls.

    Args:
        matrix: A as doubles, shape (N, d).
        inside: indices of T.
    Raises:
        NotProved: if A_T is not proved injective.
    """
    inside = np.asarray(inside, dtype=int)
    if np.any(inside < 0) or np.any(inside >= matrix.shape[1]) or np.any(np.diff(inside) <= 0):
        raise NotProved("the support is not an increasing list of columns")
    outside = np.delete(np.arange(matrix.shape[1]), inside)
    chosen = matrix[:, inside]
    basis = np.linalg.qr(chosen, mode="complete")[0][:, inside.size :]
    try:
        inverse = Inverse(np.hstack([chosen, basis]))
    except ZeroDivisionError as error:
        raise NotProved("the columns of the support are not proved independent") from error
    return Coordinates(Exact(matrix), inside, outside, basis, inverse)


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
        matrix, data: A, shape (N, d), and y, doubles or rationals, N of them; both exact.
        point: a guess of g*, shape (d,); its support matters, its values save time.
        nu: a guess of a dual certificate, shape (N,).
    Raises:
        NotProved: naming the step that failed.
    """
    rows, columns = matrix.shape
    point, nu = _guess(point, (columns,)), _guess(nu, (rows,))
    support = np.flatnonzero(point)
    if not 0 < support.size <= rows:
        raise NotProved(f"a support of {support.size} columns in {rows} dimensions")
    frame = coordinates(matrix, support)
    values = _solve_on_support(frame, data, point[support])
    sigma = np.array([sign(value) for value in values])
    if not np.all(sigma):
        raise NotProved("an entry of the minimizer is not proved different from 0")
    reached = frame.off(frame.feasible(sigma, nu)).largest()
    margin = 1 - reached
    if not is_positive(margin):
        raise NotProved(f"the dual vector is not strict, it reaches {reached.str(8)} off S")
    return ProvedMinimizer(support, sigma, values, frame, margin)


def _solve_on_support(frame, data, guess):
    """Enclosures of the solution of ``A_S g_S = y``.

    Raises:
        NotProved: if there is none.
    """
    on, right = frame.on.doubles, rationals_of(data)
    if frame.basis.shape[1]:
        image = frame.on.times(guess)
        if all(value == arb(b) for value, b in zip(image, right, strict=True)):
            # balls without radius: it is the solution
            return [ball(value) for value in guess]
        solution = solve_consistent(on, right)
        if solution is None:
            raise NotProved("y is not a combination of the columns of the support")
        return [arb(value) for value in solution]
    values = frame.inverse.solve([arb(value) for value in right])
    # where g* is a vector of doubles it is known exactly, and may cancel against x_0
    guess = np.array([float(value) for value in values])
    image = frame.inverse.matrix.times(guess)
    if (
        np.all(np.isfinite(guess))
        and all(value.contains(arb(b)) for value, b in zip(image, right, strict=True))
        and exact_product(on, guess) == right
    ):
        return [ball(value) for value in guess]
    return values


@dataclass(frozen=True)
class PatternConstant:
    """``sup <M^T eps, k>`` over k with ``C k = 0``, ``||k||_1 = 1``: rho where eps = sigma.

    Attributes:
        value: its enclosure, between a kernel vector and a dual vector.
        active: places off the support at which the dual vector attains it, or None if the
            two bounds do not come from one vertex.
        dual: that dual vector, as balls, or None.
        kernel: the kernel vector on ``active``, as balls, of l1 norm 1.
        inside: the kernel vector on S, as balls.
    """

    value: arb
    active: np.ndarray | None
    kernel: list | None
    inside: list | None
    dual: list | None = None


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
    pattern = _guess(pattern, (frame.inside.size,))
    free = frame.basis.T @ _guess(nu, frame.basis.shape[:1])
    if not np.all(np.isfinite(free)):
        raise NotProved("there is no dual vector to start from")
    if free.size == 0:
        dual = frame.dual(pattern, free)
        off = frame.off(dual)
        place = int(np.argmax(np.abs(off.approximate)))
        reached = off.entry(place)
        others = np.delete(np.arange(off.bounds.size), place)
        side = sign(reached)
        # of an entry that may be 0 there is no kernel vector
        if not (side and off.all_below(abs(reached), others)):
            return PatternConstant(_finite(off.largest()), None, None, None, dual)
        inside = frame.inverse.solve([ball(-side * a) for a in _off_columns(frame, [place])[:, 0]])
        return PatternConstant(abs(reached), np.array([place]), [arb(side)], inside, dual)
    vertex = _vertex(frame, pattern, free)
    return vertex if vertex is not None else _between(frame, pattern, free)


def _finite(value):
    if not value.is_finite():
        raise NotProved("the null space constant is not enclosed at this precision")
    return value


def _off_columns(frame, places):
    return frame.matrix.doubles[:, frame.outside[places]]


def _vertex(frame, pattern, free):
    """The constant from a nondegenerate vertex, or None."""
    dual = frame.inverse.solve_in_doubles(np.append(pattern, free), transposed=True)
    z = (dual @ frame.matrix.doubles)[frame.outside]
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
    size = frame.inside.size
    upper = np.hstack([frame.matrix.doubles[:, frame.inside], _off_columns(frame, active)])
    lower = np.hstack([np.zeros(size), side])
    try:
        square = Inverse(np.vstack([upper, lower]))
        goal = [*np.zeros(len(upper)), 1.0]
        kernel = square.solve([ball(value) for value in goal], False, _enough())
        goal = [*pattern, *np.zeros(active.size)]
        *nu, height = square.solve([ball(value) for value in goal], True, _enough())
    except ZeroDivisionError:
        return None
    inside, kernel, height = kernel[:size], kernel[size:], -height
    if not all(is_positive(k * s) for k, s in zip(kernel, side, strict=True)):
        return None
    value = sum((-ball(e) * n for e, n in zip(pattern, inside, strict=True)), arb(0))
    off = frame.off(nu)
    inactive = np.delete(np.arange(off.bounds.size), active)
    if not height >= 0 or not off.all_below(height, inactive):
        return None
    # on the active set the entries are s_j times the height, by construction
    return PatternConstant(value.intersection(height), active, kernel, inside, nu)


def _between(frame, pattern, free):
    """The constant between an exactly feasible dual vector and a projected kernel vector."""
    off = frame.off(frame.dual(pattern, free))
    upper, z = _finite(off.largest()), off.approximate
    if not np.all(np.isfinite(z)):
        raise NotProved("the dual vector is too large for doubles")
    active = np.flatnonzero(np.abs(z) >= np.abs(z).max() - _ACTIVE)
    side = np.where(z[active] < 0, -1.0, 1.0)
    from scipy.optimize import nnls

    equations = to_doubles(columns_of(frame.free_map, active))
    exponent = int(np.frexp(np.max(np.abs(equations)))[1])
    if abs(exponent) > _BALANCED:  # beside the ones below, of whatever size A is
        equations = np.ldexp(equations, -exponent)
    system = np.vstack([equations * side, np.ones(active.size)])
    try:
        weights, _ = nnls(system, np.append(np.zeros(free.size), 1.0))
    except (RuntimeError, ValueError) as error:  # too many iterations; no finite numbers
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
    return PatternConstant(lower.union(upper), None, None, None)


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
        return (_largest_column_norm(frame),) * 2
    patterns = _guess(patterns, (*np.shape(patterns)[:1], size))
    duals = _guess(duals, (len(patterns), rows))
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
    order = np.argsort(-heights)
    value = arb(0)
    for place in order:
        if not arb(float(heights[place])) < value:
            value = value.max(pattern_constant(frame, patterns[place], duals[place]).value)
    return value, value


def _largest_column_norm(frame):
    """The largest l1 norm of a column of M, for |S| = N."""
    bounds = largest_column_sums(frame.inverse, frame.matrix.doubles[:, frame.outside])
    value = arb(0)
    for place in np.argsort(-bounds):
        if not arb(float(bounds[place])) < value:
            column_ = _off_columns(frame, [place])[:, 0]
            solution = frame.inverse.solve([ball(entry) for entry in column_])
            value = value.max(sum_of_sizes(solution))
    return value


def _heights(frame, patterns, duals):
    """Upper bounds of the constants of many patterns, shape (m,): largest entries of dual vectors.

    ``nu + K^{-T} (e, 0)`` with ``e = eps - A_S^T nu`` is feasible, and near nu.
    """
    chosen, rest = (frame.matrix.doubles[:, part] for part in (frame.inside, frame.outside))
    size = gamma(len(chosen))
    if frame.inverse.approximate is None:
        return np.full(len(duals), np.inf)
    wrong = np.abs(patterns - duals @ chosen) + size * (np.abs(duals) @ np.abs(chosen))
    distance = frame.inverse.distances[1]
    inverse = np.abs(frame.inverse.approximate[: chosen.shape[1]])
    away = rounded_up(rounded_up(wrong) @ inverse)
    away = rounded_up(away + distance / (1.0 - distance) * np.max(away, axis=1, keepdims=True))
    reached = np.abs(duals @ rest) + (size * np.abs(duals) + away) @ np.abs(rest)
    bounds = np.max(rounded_up(reached), axis=1)
    return np.where(np.isfinite(bounds), bounds, np.inf)


@dataclass(frozen=True)
class Unknowns:
    """A point or a box of the unknowns of the limit point: n_T in units, and lam."""

    error: list
    dual: list


class LimitProof:
    """Enclosures of the limit points of one instance at one depth, and of their first order.

    Args:
        matrix: A as doubles, shape (N, d).
        minimizer: of (A, y), proved.
        depth: D.
    Raises:
        ValueError: if the minimizer is of another matrix.
    """

    def __init__(self, matrix, minimizer: ProvedMinimizer, depth):
        if not np.array_equal(matrix, minimizer.coordinates.matrix.doubles):
            raise ValueError("the minimizer is proved of another matrix")
        self.matrix = matrix
        self.minimizer = minimizer
        self.depth = depth
        self._exact = _balanced(minimizer.coordinates.matrix)
        self._last = None
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
        error, unit = self._error(error), _unit(log_unit)
        partition = self._partition(self._inside(error, unit))
        system = _System(self.depth, partition, alpha, unit, self._values)
        return _narrow(system.prove(error), radius)

    def _error(self, guess):
        error = _guess(guess, self.matrix.shape[1:])
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
            self._last = _Partition(self._exact, inside)
        return self._last

    def first_order(self, rho: PatternConstant | None, error, log_unit, radius):
        """Enclose exponent and constant of ``||n||_1 ~ constant * alpha^exponent``.

        The formulas are those of :mod:`implicit_l1.network.asymptotics`; for D = 2 and |S| < N the
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
        constant = sum_of_sizes(_narrow(entries, radius))
        if not is_positive(constant):
            raise NotProved(f"the term of order alpha^{exponent.str(4)} vanishes")
        return exponent, constant

    def _logarithmic(self, rho):
        if rho.active is None or not is_positive(rho.value):
            raise NotProved("rho is not attained at one proved vertex, or it is 0")
        minimizer = self.minimizer
        log_size = arb(0)  # <k, t> = <M_J k, sigma log|g*_S|>, and M_J k = -n_S
        for s, g, n in zip(minimizer.sigma, minimizer.values, rho.inside, strict=True):
            log_size -= n * s * abs(g).log()
        for k in rho.kernel:
            log_size -= abs(k) * abs(k).log()
        size = log_size.exp()
        return [size * value for value in (*rho.kernel, *rho.inside)]

    def _linear(self, error, log_unit):
        error, unit = self._error(error), _unit(log_unit)
        partition = self._partition(self.minimizer.support)
        system = _System(self.depth, partition, arb(1), unit, {}, self.minimizer.sigma)
        return system.prove(error)


# Rows whose largest entries differ by less than this power of two are left as they are.
_BALANCED = 10


def _balanced(exact: Exact) -> Exact:
    """A with rows scaled by powers of two to one size, which changes no limit point."""
    exponents = np.frexp(np.max(np.abs(exact.doubles), axis=1, keepdims=True))[1]
    if np.ptp(exponents) <= _BALANCED:
        return exact
    scaled_rows = np.ldexp(exact.doubles, -exponents)
    same = np.array_equal(np.ldexp(scaled_rows, exponents), exact.doubles)
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

# Of the box in which a limit point is looked for first: a guess in double precision is
# nearer than that, and over the box the derivative is still known to many digits.
_FIRST_WIDTH = 1e-11

# What it is made narrower by where it is not in the domain of the equations.
_NARROWER = 2.0**-32

_UNDERFLOW = 1e-280

# Relative radius of ||n||_1 above which an enclosure is made narrower, if it can be: the
# digits of a table are rounded from it, and should not depend on where a wide one ends.
_NARROW = 1e-20


@dataclass(frozen=True)
class _Values:
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


class _Partition:
    """A part T of the columns of A, shape (N, d), and what depends on nothing else.

    Attributes:
        inside, outside: indices of T and of the others.
        on, off: A_T and A_Tc, doubles; sizes: |A_Tc|.
    """

    def __init__(self, exact: Exact, inside):
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

    def dual(self, z_in, z_out, known):
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

    def kernel(self, outer):
        """n_T with ``A_T n_T + A_Tc n_Tc = 0``."""
        basis, factor = self._factors
        size = self.inside.size
        return np.linalg.solve(factor[:size], -basis[:, :size].T @ (self.off @ outer))


@dataclass(frozen=True)
class _Step:
    """R F(x) at a point x: ``|R F(x) - size| <= error``, entry by entry, and ``reach``.

    Attributes:
        size, error: doubles, shape (k + N,).
        reach: upper bound of ``||R F(x)||``.
    """

    size: np.ndarray
    error: np.ndarray
    reach: float


class _Tangent:
    """The derivative J of the equations near a point x_0 of the unknowns, in doubles.

    Attributes:
        matrix: K, that at x_0 but for rounding; inverse: R, approximately its inverse.
        near: what is known of ``I - R J``.
    """

    def __init__(self, partition: _Partition, doubles, values: _Values):
        """
        Args:
            partition: T.
            doubles: the potential.
            values: at x_0.
        Raises:
            ArithmeticError, LinAlgError: if the derivative is too large or singular.
        """
        self._partition = partition
        self._power = doubles.power if doubles.depth > 2 else None
        (self._slope_in, self._radius_in), (self._slope_out, self._radius_out) = (
            doubles_of(balls) for balls in (values.slope_in, values.slope_out)
        )
        middle, radius = doubles_of(values.part_in)
        self._part_in = rounded_up(np.abs(middle) + radius)
        if not np.all(np.append(self._slope_in, self._slope_out) <= LARGE):
            raise ArithmeticError("the derivative is too large for doubles")
        self._room_out = np.ones(len(partition.outside))
        if self._power is not None:
            room, radius = doubles_of([1 - abs(z) for z in values.z_out])
            self._room_out = np.maximum(room - radius, 0.0)
        rows, size = partition.on.shape
        self.matrix = np.zeros((size + rows, size + rows))
        np.fill_diagonal(self.matrix[:size, :size], -self._slope_in)
        self.matrix[:size, size:], self.matrix[size:, :size] = partition.on.T, partition.on
        self.matrix[size:, size:] = (partition.off * self._slope_out) @ partition.off.T
        self.inverse = np.linalg.inv(self.matrix)
        self.near = Preconditioned(self.inverse, self.matrix)

    def step(self, residual) -> _Step:
        """Newton's step from a residual, balls."""
        middles, radii = doubles_of(residual)
        size = self.inverse @ middles
        rounding = rounded_up(gamma(len(size)) * np.abs(middles) + radii)
        error = rounded_up(np.abs(self.inverse) @ rounding)
        return _Step(size, error, float(np.max(rounded_up(np.abs(size) + error))))

    def distance(self, radius):
        """Upper bound of ``||I - R J||`` on the box of this radius around x_0, inf or nan."""
        return self.near.contraction(self.bounds(radius))

    def bounds(self, radius):
        """Upper bounds of ``|J - K| 1`` there, shape (k + N,); inf or nan where none is known."""
        ones, sums = np.ones(len(self.matrix)), self._partition.sizes.sum(axis=0)
        return self.change(ones, sums, radius * ones, rounded_up(radius * sums))

    def change(self, weights, weights_z, moved, moved_z):
        """Upper bounds of ``|(J - K) v|``, shape (k + N,); inf or nan where none is known.

        ``A_T`` and ``A_T^T`` in J do not change, and of the rest of ``J v`` the first part is
        ``-(dz_T / du_T) v_T``, the second ``A_Tc (du_Tc / dz_Tc) A_Tc^T v_lam``.

        Args:
            weights: of ``|v|``, shape (k + N,); weights_z: of ``|A_Tc^T v_lam|``.
            moved, moved_z: of the distances from x_0, and from z_Tc there, at which J is taken.
        """
        partition, size = self._partition, self._partition.inside.size
        inner = self._growth(rounded_up(moved[:size] * self._part_in))
        inner = rounded_up(inner * (self._slope_in + self._radius_in) + self._radius_in)
        rounding = gamma(len(weights_z) + 2) * np.abs(self._slope_out)  # of K
        outer = rounded_up(rounded_up(rounding) * (weights[size:] @ partition.sizes))
        with np.errstate(invalid="ignore"):
            outer = rounded_up(outer + self._change_out(moved_z) * weights_z)
            return rounded_up(np.append(inner * weights[:size], partition.sizes @ outer))

    def _change_out(self, away):
        """Upper bounds of the change of dn_Tc / dz_Tc where z_Tc is moved by up to `away`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            growth = self._growth(rounded_up(away / self._room_out))
            largest_slope = np.abs(self._slope_out) + self._radius_out
            return rounded_up(growth * largest_slope + self._radius_out)

    def _growth(self, parts):
        """Upper bounds of the relative change of phi' or 1 / phi'; inf where they would exceed 1.

        Args:
            parts: of the room of z, how far it may move at the slope that it has where the
                motion begins, upper bounds, shape (n,).
        """
        change = parts if self._power is None else rounded_up((self._power + 1.0) * parts)
        small = np.minimum(change, 0.5)
        return np.where(change <= 0.5, rounded_up(small / (1.0 - small)), np.inf)

    def of_z(self, step, radius):
        """(m, e): ``|A_Tc^T (lam - lam') - m| <= e`` where ``|x - x' + step| <= radius``."""
        size = self._partition.inside.size
        shift = -step[size:] @ self._partition.off
        rounding = gamma(len(step)) * np.abs(step[size:]) + radius[size:]
        return shift, rounded_up(rounded_up(rounding) @ self._partition.sizes)

    def of_outer(self, shift, spread, away):
        """(m, e): n_Tc in units changes by m, up to e, where z_Tc does by `shift`, up to `spread`.

        By the mean value theorem the change is ``s' h`` with the slope s' at a point between,
        ``|h - shift| <= spread``; and ``|s' h - s shift| <= |s' - s| |h| + |s| spread``.

        Args:
            away: how far both ends are from z_Tc at x_0, upper bounds.
        """
        slope, size = self._slope_out, np.abs(shift) + spread
        with np.errstate(invalid="ignore"):
            error = self._change_out(away) * size
        error += np.abs(slope) * (spread + 2.0 * UNIT * np.abs(shift))
        return slope * shift, rounded_up(error)


class _System:
    """The equations of the limit point in the unknowns (u_T, lam), with ``u = n / unit``.

    ``F1 = A_T^T lam - z_T(u_T)`` and ``F2 = A u``; their derivative is
    ``[[-diag(dz_T / du_T), A_T^T], [A_T, A_Tc diag(du_Tc / dz_Tc) A_Tc^T]]``.
    """

    def __init__(self, depth, partition: _Partition, alpha, unit, values, fixed=None):
        """
        Args:
            depth: D.
            partition: T.
            alpha, unit: balls.
            values: index -> enclosure of g* there, on its support.
            fixed: z_T where it is given, whatever n_T (the first order as alpha -> 0).
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

    def start(self, error):
        """Unknowns from a guess of n in units, doubles, shape (d,)."""
        partition = self.partition
        inner, outer = error[partition.inside], error[partition.outside]
        z_out = self._inverse(self.values_out, outer)
        if self.fixed is None:
            z_in = self._inverse(self.values_in, inner)
        else:
            z_in, inner = self.fixed, partition.kernel(outer)
        # entries that underflow beside the largest one say nothing of their z
        dual = partition.dual(z_in, z_out, np.abs(outer) > _UNDERFLOW)
        return Unknowns(*([ball(value) for value in part.tolist()] for part in (inner, dual)))

    def _inverse(self, values, errors):
        """phi^{-1}((g + n) / alpha) to double precision, shape (n,); g may be None for 0."""

        def ratios(scale):
            pairs = zip(values, errors.tolist(), strict=True)
            return [scale * e if g is None else (g + self.unit * e) / self.alpha for g, e in pairs]

        doubles = np.array([float(t) for t in ratios(float(self.ratio))])
        if self.potential.depth > 2 or np.all(np.isfinite(doubles)):
            return self.doubles.phi_inverse(doubles)
        return np.array([float((t / 2).asinh()) for t in ratios(self.ratio)])

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

    def evaluate(self, unknowns, in_balls=False):
        """_Values over the box of unknowns; for `in_balls` see Exact.times."""
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
        return _Values(
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

    def entries(self, unknowns):
        """Balls of n over a box of the unknowns, in the order of the columns."""
        outer, _ = self._outer(self._products(unknowns.dual, in_balls=True)[1])
        return [self.unit * value for value in self._ordered(unknowns.error, outer)]

    def prove(self, error):
        """Enclosures of n, in the order of the columns of A.

        Args:
            error: guess of n in units, doubles, shape (d,).
        Raises:
            NotProved: if no box around the guess is proved to hold a solution.
        """
        try:
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
            tangent = _Tangent(self.partition, self.doubles, values)
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

    def prove_in_balls(self, unknowns):
        """Enclosures of n by interval Newton steps.

        Raises:
            ArithmeticError: if the guess is not in the domain of phi.
        """
        width, reach = arb(_FIRST_WIDTH), np.inf
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
