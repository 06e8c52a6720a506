"""Right values for small problems: exact where the answer is rational, else with many digits.

Nothing of the package is used here.  Doubles are rational numbers, and data may be rationals
that no double holds.  Linear programs are solved by the simplex method in rational
arithmetic, so that a zero, a sign and a tie are what they are; limit points and the selected
minimizer are zeros of gradients of strictly convex functions, found by Newton's method with
some 150 digits, the last step with a ball around it.  Sizes up to about 12 x 40 take seconds.
"""

from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

BITS = 500


# --- rational numbers ---------------------------------------------------------------------


def rational(value) -> fmpq:
    """The exact value of a double, an integer, a Fraction or a rational of python-flint."""
    if isinstance(value, fmpq):
        return value
    fraction = value if isinstance(value, Fraction) else Fraction(float(value))
    return fmpq(fraction.numerator, fraction.denominator)


def rational_rows(matrix) -> list[list[fmpq]]:
    """A matrix as rows of rationals."""
    return [[rational(value) for value in row] for row in matrix]


def exact_product(matrix, signal) -> list[Fraction]:
    """``A x``, not rounded, shape (N,)."""
    exact = [Fraction(float(value)) for value in signal]
    return [
        sum((Fraction(float(a)) * x for a, x in zip(row, exact, strict=True)), Fraction(0))
        for row in matrix
    ]


def nearest_double(value) -> float:
    """The double nearest to a rational."""
    return int(value.p) / int(value.q)


def _column(values) -> fmpq_mat:
    return fmpq_mat([[value] for value in values])


def _dot(left, right) -> fmpq:
    return sum((a * b for a, b in zip(left, right, strict=True)), fmpq(0))


# --- linear programs ----------------------------------------------------------------------


@dataclass(frozen=True)
class Vertex:
    """A solution of ``min <c, x>`` subject to ``A x = b``, ``x >= 0``.

    Attributes:
        point: x, a list of rationals.
        dual: pi with ``A^T pi <= c`` and ``<pi, b> = <c, x>``.
        basis: indices of the columns that x is solved from.
    """

    point: list
    dual: list
    basis: list


def simplex(cost, rows, right, basis=None) -> Vertex:
    """Solve ``min <c, x>`` subject to ``A x = b``, ``x >= 0`` in rational arithmetic.

    The column of the most negative reduced cost enters; after a step of length 0 the first
    (Bland's rule) until a step is longer, so that the method ends.

    Args:
        cost: c, of n rationals.
        rows: A, a list of m rows, independent.
        right: b, of m rationals.
        basis: of a feasible vertex, if one is known.
    Raises:
        ValueError: if nothing is feasible, the rows are dependent or the program is unbounded.
    """
    basis = _feasible_basis(rows, right) if basis is None else list(basis)
    transposed = fmpq_mat(rows).transpose()
    vector, degenerate = _column(right), False
    while True:
        square = fmpq_mat([[row[j] for j in basis] for row in rows])
        values = square.solve(vector).entries()
        dual = square.transpose().solve(_column([cost[j] for j in basis])).entries()
        prices = (transposed * _column(dual)).entries()
        reduced = [c - price for c, price in zip(cost, prices, strict=True)]
        negative = [j for j, value in enumerate(reduced) if value < 0]
        if not negative:
            point = [fmpq(0)] * len(cost)
            for j, value in zip(basis, values, strict=True):
                point[j] = value
            return Vertex(point, dual, basis)
        entering = negative[0] if degenerate else min(negative, key=lambda j: (reduced[j], j))
        move = square.solve(_column([row[entering] for row in rows])).entries()
        triples = enumerate(zip(values, move, basis, strict=True))
        steps = [(v / m, j, i) for i, (v, m, j) in triples if m > 0]
        if not steps:
            raise ValueError("the linear program is unbounded")
        length, _, place = min(steps)
        basis[place], degenerate = entering, length == 0


def _feasible_basis(rows, right):
    """A basis of a feasible vertex, by the simplex method from artificial columns."""
    count, size = len(rows), len(rows[0])
    unit = [
        [fmpq(i == j) * (1 if b >= 0 else -1) for j in range(count)] for i, b in enumerate(right)
    ]
    extended = [row + more for row, more in zip(rows, unit, strict=True)]
    cost = [fmpq(0)] * size + [fmpq(1)] * count
    artificial = range(size, size + count)
    found = simplex(cost, extended, right, artificial)
    if any(found.point[j] != 0 for j in artificial):
        raise ValueError("the linear program has no feasible point")
    basis = found.basis
    for place in range(count):
        if basis[place] >= size:  # its value is 0: any column may take its place
            square = fmpq_mat([[row[j] for j in basis] for row in extended])
            row = (
                fmpq_mat([[fmpq(i == place) for i in range(count)]]) * square.inv() * fmpq_mat(rows)
            )
            other = next((j for j, value in enumerate(row.entries()) if value != 0), None)
            if other is None:
                raise ValueError("the rows of the linear program are dependent")
            basis[place] = other
    return basis


# --- the l1 minimizer ---------------------------------------------------------------------


@dataclass(frozen=True)
class ExactMinimizer:
    """A vertex of the minimizers of ``||x||_1`` subject to ``A x = y``.

    Attributes:
        point: g*, a list of d rationals.
        support: indices of its nonzero entries.
        signs: of these, +1 or -1.
        dual: nu of N rationals, ``||A^T nu||_inf <= 1`` and ``<nu, y> = ||g*||_1``.
        rho: of the signed support; ``rho < 1`` if and only if g* is the only minimizer.
    """

    point: list
    support: list
    signs: list
    dual: list
    rho: fmpq

    @property
    def unique(self):
        """Whether there is no other minimizer."""
        return self.rho < 1

    @property
    def norm(self):
        """``||g*||_1``."""
        return sum(map(abs, self.point), fmpq(0))


def l1_minimizer(matrix, data) -> ExactMinimizer:
    """The minimizer of ``||x||_1`` subject to ``A x = y``, or a vertex of several.

    Args:
        matrix: A, doubles or rationals, N rows, independent.
        data: y, doubles or rationals.
    Raises:
        ValueError: if the rows of A are dependent.
    """
    rows, right = rational_rows(matrix), [rational(value) for value in data]
    size = len(rows[0])
    both = [row + [-value for value in row] for row in rows]
    found = simplex([fmpq(1)] * (2 * size), both, right)
    point = [found.point[j] - found.point[size + j] for j in range(size)]
    support = [j for j, value in enumerate(point) if value != 0]
    signs = [1 if point[j] > 0 else -1 for j in support]
    return ExactMinimizer(point, support, signs, found.dual, rho(rows, support, signs))


# --- null space constants -----------------------------------------------------------------


@dataclass(frozen=True)
class _Kernel:
    """ker A as ``n_T = -M n_rest``, ``C n_off = 0``, T a basis of the columns of S.

    Attributes:
        basis, off: T as places in S, and the complement of S.
        range_map: M on the complement, |T| rows.
        free_map: C, N - |T| rows; 0 on the rest of S.
    """

    basis: list
    off: list
    range_map: list
    free_map: list


def _kernel(rows, support):
    size, on = len(rows[0]), len(support)
    off = [j for j in range(size) if j not in set(support)]
    reduced, rank = fmpq_mat([[row[j] for j in [*support, *off]] for row in rows]).rref()
    reduced = reduced.tolist()
    if rank < len(rows):
        raise ValueError("the rows of A are dependent")
    first = [next(j for j, value in enumerate(row) if value != 0) for row in reduced]
    basis = [j for j in first if j < on]
    tails = [row[on:] for row in reduced]
    return _Kernel(basis, off, tails[: len(basis)], tails[len(basis) :])


def _kernel_program(kernel, patterns):
    """``max <eps, M n_off>`` subject to ``C n_off = 0``, ``||n_off||_1 <= 1``, of each eps."""
    if not kernel.off:
        return [fmpq(0)] * len(patterns)
    objectives = [
        [_dot(pattern, column) for column in zip(*kernel.range_map, strict=True)]
        if kernel.range_map
        else [fmpq(0)] * len(kernel.off)
        for pattern in patterns
    ]
    if not kernel.free_map:  # any n_off will do
        return [max(map(abs, objective)) for objective in objectives]
    rows = [[*row, *(-value for value in row), fmpq(0)] for row in kernel.free_map]
    rows.append([fmpq(1)] * len(rows[0]))
    right = [fmpq(0)] * len(kernel.free_map) + [fmpq(1)]
    basis, values = None, []
    for objective in objectives:
        cost = [*(-value for value in objective), *objective, fmpq(0)]
        found = simplex(cost, rows, right, basis)
        basis = found.basis  # feasible for every objective
        values.append(-_dot(cost, found.point))
    return values


def rho(matrix, support, signs) -> fmpq:
    """``sup -<sigma, n_S> / ||n_Sc||_1`` over n in ker A, n_Sc not 0.

    The columns of S may be dependent where sigma is in the range of ``A_S^T``.

    Args:
        matrix: A.
        support, signs: S and sigma.
    Raises:
        ValueError: if sigma is not in that range (then rho is infinite).
    """
    rows = rational_rows(matrix)
    kernel = _kernel(rows, support)
    pattern = [fmpq(signs[j]) for j in kernel.basis]
    if len(pattern) < len(support):
        columns = fmpq_mat([[row[j] for j in support] for row in rows]).transpose()
        stacked = [[*row, fmpq(s)] for row, s in zip(columns.tolist(), signs, strict=True)]
        if fmpq_mat(stacked).rank() > len(pattern):
            raise ValueError("the signs are not in the range of A_S^T")
    return _kernel_program(kernel, [pattern])[0]


def null_space_constant(matrix, support) -> fmpq:
    """rho~ = ``sup ||n_S||_1 / ||n_Sc||_1`` over n in ker A, the columns of S independent.

    By ``2^(|S| - 1)`` linear programs; by the largest column sum of ``|M|`` where |S| = N.
    """
    kernel = _kernel(rational_rows(matrix), support)
    if len(kernel.basis) < len(support):
        raise ValueError("the columns of the support are dependent")
    if not kernel.free_map:
        columns = zip(*kernel.range_map, strict=True)
        return max((sum(map(abs, column), fmpq(0)) for column in columns), default=fmpq(0))
    if not support:
        return fmpq(0)
    others = product([fmpq(1), fmpq(-1)], repeat=len(support) - 1)
    return max(_kernel_program(kernel, [[fmpq(1), *signs] for signs in others]))


# --- the face of minimizers and the one that the flow selects --------------------------------


def largest_face(matrix, data, found: ExactMinimizer):
    """(x, S, sigma): a minimizer x with the largest support that one has, its support and signs.

    Every minimizer lives on the columns with ``|A_j^T nu| = 1``, with the sign of
    ``A_j^T nu``; x is the mean of those that make one entry after the other largest.
    """
    rows, right = rational_rows(matrix), [rational(value) for value in data]
    prices = (fmpq_mat(rows).transpose() * _column(found.dual)).entries()
    tied = [j for j, price in enumerate(prices) if abs(price) == 1]
    signed = [[row[j] * prices[j] for j in tied] for row in rows]
    # independent rows: the columns of the face may span less than all
    stacked, rank = fmpq_mat([[*row, b] for row, b in zip(signed, right, strict=True)]).rref()
    system = stacked.tolist()[:rank]
    signed, right = [row[:-1] for row in system], [row[-1] for row in system]
    points, basis = [], None
    for place in range(len(tied)):
        cost = [fmpq(-(place == other)) for other in range(len(tied))]
        vertex = simplex(cost, signed, right, basis)
        basis = vertex.basis
        points.append(vertex.point)
    mean = [sum(values, fmpq(0)) / len(points) for values in zip(*points, strict=True)]
    point = [fmpq(0)] * len(rows[0])
    for j, value in zip(tied, mean, strict=True):
        point[j] = value * prices[j]
    support = [j for j, value in enumerate(point) if value != 0]
    return point, support, [1 if point[j] > 0 else -1 for j in support]


def selected_minimizer(matrix, data, depth, found: ExactMinimizer, bits=3 * BITS):
    """The minimizer that the flow of depth D approaches, a list of d balls (midpoints).

    ``min sum |x| log |x|`` (D = 2), ``max sum |x|^(2/D)`` (D > 2) among the minimizers (Wind,
    Antun and Hansen, arXiv:2307.07410), by Newton's method in coordinates of the face.

    Raises:
        ArithmeticError: if it does not converge.
    """
    if found.unique:
        point, support = found.point, found.support
    else:
        point, support, _ = largest_face(matrix, data, found)
    rows = rational_rows(matrix)
    reduced, rank = fmpq_mat([[row[j] for j in support] for row in rows]).rref()
    reduced = reduced.tolist()
    pivots = [next(j for j, v in enumerate(reduced[i]) if v != 0) for i in range(rank)]
    free = [j for j in range(len(support)) if j not in pivots]
    with _Precision(bits):
        values = [arb(point[j]) for j in support]
        if free:
            kernel = [[arb(0)] * len(free) for _ in support]
            for column, j in enumerate(free):
                kernel[j][column] = arb(1)
                for i, pivot in enumerate(pivots):
                    kernel[pivot][column] = arb(-reduced[i][j])
            values = _selected(values, arb_mat(kernel), arb(depth), bits)
        selected = [arb(0)] * len(point)
        for j, value in zip(support, values, strict=True):
            selected[j] = value
        return selected


def _selected(values, kernel, depth, bits):
    """Minimize over ``x + K c``; no |x_i| falls by more than a quarter in one step.

    So the second derivative along a step at most grows by 1.78, and the functional falls.
    """
    signs = [1 if value > 0 else -1 for value in values]
    q = 2 / depth
    for _ in range(1000):
        sizes = [abs(value).mid() for value in values]
        if depth == 2:
            gradient = [s * (1 + x.log()) for s, x in zip(signs, sizes, strict=True)]
            curvature = [1 / x for x in sizes]
        else:
            gradient = [-s * x ** (q - 1) for s, x in zip(signs, sizes, strict=True)]
            curvature = [(1 - q) * x ** (q - 2) for x in sizes]
        transposed = kernel.transpose()
        weighted = arb_mat(
            [[v * w for v in row] for row, w in zip(kernel.tolist(), curvature, strict=True)]
        )
        slope = transposed * arb_mat([[-g] for g in gradient])
        step = (kernel * (transposed * weighted).solve(slope)).entries()
        moved = [s * v / x for s, v, x in zip(signs, step, sizes, strict=True)]
        lowest = min(float(v.mid()) for v in moved)
        length = min(1.0, 0.25 / -lowest) if lowest < 0 else 1.0
        values = [(x + length * v).mid() for x, v in zip(values, step, strict=True)]
        if max(abs(v).upper() for v in moved) < arb(2) ** (-bits // 3):
            return values
    raise ArithmeticError("Newton's method on the face of minimizers did not converge")


# --- limit points -------------------------------------------------------------------------


class _Precision:
    """A working precision of python-flint, for a while."""

    def __init__(self, bits):
        self.bits = bits

    def __enter__(self):
        self.before, ctx.prec = ctx.prec, self.bits

    def __exit__(self, *_):
        ctx.prec = self.before


def limit_points(matrix, data, depth, log_alpha, minimizer, bits=BITS):
    """n(alpha) = x(alpha) - g*, one list of d arb midpoints a scale.

    Newton's method on ``min alpha sum q_D*(A^T lam) - <lam, y>`` from ``lam = 0``, each scale
    from the one before.  A step is shortened where phi_D' would grow by more than e^(3/2)
    anywhere; then the objective falls.  The last step, solved in ball arithmetic, is so short
    that what is left after it, of the order of its square, is below 1e-30 of n.  An n below
    2^-500 of g* is 0.

    Args:
        matrix, data: A and y, doubles or rationals.
        depth: D >= 2, real.
        log_alpha: natural logarithms of the scales, decreasing, doubles taken as exact.
        minimizer: g*, of d rationals or balls.
        bits: working precision; doubled while it does not suffice.
    Raises:
        ArithmeticError: if 16 times as many bits do not suffice.
    """
    for attempt in range(5):
        with _Precision(bits << attempt):
            try:
                return _limit_points(matrix, data, depth, log_alpha, minimizer)
            except ZeroDivisionError:  # a ball with 0 in it: rounding
                continue
    raise ArithmeticError(f"{ctx.prec << attempt} bits do not suffice")


def log_norm(error) -> float:
    """Natural logarithm of ``||n||_1``; -inf where n = 0."""
    with _Precision(BITS):
        total = sum(map(abs, error), arb(0))
        return float(total.log()) if total > 0 else -float("inf")


_STRIDE = 2.5  # between scales in log(alpha)


class _Scalars:
    """phi_D, phi_D' and how far z may move before phi_D' has grown by e^(3/2)."""

    def __init__(self, depth):
        self.depth = depth
        if depth > 2:
            self.power = arb(depth) / (arb(depth) - 2)
            self.part = 1 - (arb("-1.5") / (self.power + 1)).exp()

    def values(self, z):
        """(phi, phi', room of z), midpoints."""
        if self.depth == 2:
            e = z.exp()
            return (e - 1 / e).mid(), (e + 1 / e).mid(), arb("1.5")
        p, low, high = self.power, 1 - z, 1 + z
        left, right = low**-p, high**-p
        slope = p * (left / low + right / high)
        return (left - right).mid(), slope.mid(), self.part * (1 - abs(z))


def _limit_points(matrix, data, depth, log_alpha, minimizer):
    exact = arb_mat(fmpq_mat(rational_rows(matrix)))
    y = arb_mat(_column([rational(value) for value in data]))
    goal = [value if isinstance(value, arb) else arb(value) for value in minimizer]
    scalars, transposed = _Scalars(depth), exact.transpose()
    lam, points, at = arb_mat(exact.nrows(), 1), [], None
    for target in map(float, log_alpha):
        while at != target:
            at = target if at is None else max(target, at - _STRIDE)
            lam, x, left = _newton(exact, transposed, y, scalars, arb(at).exp(), lam, at == target)
        error = [(value - g).mid() for value, g in zip(x, goal, strict=True)]
        size = sum(map(abs, error), arb(0))
        if not left < size * arb("1e-30"):
            nothing = sum(map(abs, goal), arb(0)) * arb(2) ** -BITS
            if not (size < nothing and left < nothing):
                raise ZeroDivisionError
            error = [arb(0)] * len(error)
        points.append(error)
    return points


def _newton(exact, transposed, y, scalars, alpha, lam, to_the_end):
    """(lam, x, bound of what the last step moved x by, squared relative to its room)."""
    enough = arb(2) ** (-ctx.prec // 4) if to_the_end else arb("0.1")
    for _ in range(2000):
        z = [value.mid() for value in (transposed * lam).entries()]
        phi, slope, room = zip(*map(scalars.values, z), strict=True)
        x = [alpha * value for value in phi]
        weighted = arb_mat(
            [
                [w * value for value in row]
                for row, w in zip(transposed.tolist(), slope, strict=True)
            ]
        )
        residual = y - exact * arb_mat([[value] for value in x])
        step = (alpha * (exact * weighted)).solve(residual)
        shift = (transposed * step).entries()
        longest = max((abs(s) / r).upper() for s, r in zip(shift, room, strict=True))
        if not longest.is_finite():
            raise ZeroDivisionError
        length = 1 if longest < 1 else 1 / longest
        lam = (lam + length * step).mid()
        if longest < enough:
            z = (transposed * lam).entries()
            x = [alpha * scalars.values(value.mid())[0] for value in z]
            moved = sum((alpha * w * abs(s) for w, s in zip(slope, shift, strict=True)), arb(0))
            rounding = sum(map(abs, x), arb(0)) * arb(2) ** (-ctx.prec * 3 // 4)
            return lam, [value.mid() for value in x], 4 * longest * moved + rounding
    raise ArithmeticError("Newton's method on the dual problem did not converge")
