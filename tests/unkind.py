"""Seeded problems that are not kind, for the fuzz test.

Each ensemble is a function of a NumPy generator that draws one problem: sizes, gaps, scales
and signs too.  Everything is a double; where ``product`` is true the problem is the one with
y = A x_0 exactly, of which ``data`` is the rounding.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from flint import fmpq_mat

from truths import exact_product, rational_rows


@dataclass(frozen=True)
class Case:
    """A problem ``A x = y``.

    Attributes:
        matrix: A, shape (N, d), of full row rank.
        data: y in doubles, shape (N,).
        signal: x_0, shape (d,).
        product: whether y is A x_0 exactly.
    """

    matrix: np.ndarray
    data: np.ndarray
    signal: np.ndarray
    product: bool

    @property
    def unit(self) -> float:
        """A power of 2 near the largest entry of x_0; 1 where that is 0."""
        largest = np.abs(self.signal).max()
        return 2.0 ** np.round(np.log2(largest)) if largest else 1.0

    @property
    def exact_data(self) -> list[Fraction]:
        """The y of the problem, as rationals."""
        if self.product:
            return exact_product(self.matrix, self.signal)
        return [Fraction(float(value)) for value in self.data]


def draw(ensemble, seed) -> Case:
    """The problem of a seed of an ensemble, a name in ENSEMBLES."""
    rng = np.random.default_rng([seed, *ensemble.encode()])
    while True:
        case = ENSEMBLES[ensemble](rng)
        if np.any(case.data != 0) and full_row_rank(case.matrix):
            return case


def full_row_rank(matrix) -> bool:
    """Whether the rows are independent, decided exactly."""
    return fmpq_mat(rational_rows(matrix)).rank() == matrix.shape[0]


# --- parts --------------------------------------------------------------------------------


def _sizes(rng, most=8):
    """(N, d): N from 1, d from N + 1."""
    rows = int(rng.integers(1, most + 1))
    return rows, rows + int(rng.integers(1, 2 * rows + 3))


def _signal(rng, columns, sparsity, low=0.5, high=1.5, equal_signs=False):
    """x_0 with so many entries, multiples of 2^-10."""
    signal = np.zeros(columns)
    chosen = rng.choice(columns, sparsity, replace=False)
    signs = np.ones(sparsity) if equal_signs else rng.choice([-1.0, 1.0], sparsity)
    signal[chosen] = signs * np.rint(rng.uniform(low, high, sparsity) * 1024) / 1024
    return signal


def _integer_signal(rng, columns, sparsity):
    signal = np.zeros(columns)
    chosen = rng.choice(columns, sparsity, replace=False)
    signal[chosen] = rng.integers(1, 4, sparsity) * rng.choice([-1, 1], sparsity)
    return signal


def _sparsity(rng, rows):
    return int(rng.integers(1, max(2, rows // 2 + 1)))


def _gaussian(rng, rows, columns):
    """Multiples of 2^-36, so that products with a signal are exact."""
    return np.rint(rng.standard_normal((rows, columns)) * 2.0**36) / 2.0**36


def _noisy_or_product(rng, matrix, signal) -> Case:
    """Half of them with noise, half without."""
    data = matrix @ signal
    if rng.random() < 0.5:
        return Case(matrix, data, signal, product=True)
    noise = rng.standard_normal(data.size)
    noise *= 10.0 ** rng.uniform(-6, -1) * np.linalg.norm(data) / np.linalg.norm(noise)
    return Case(matrix, data + noise, signal, product=False)


def _orthogonal(rng, rows, columns):
    """Rows that are orthonormal, shape (rows, columns)."""
    return np.linalg.qr(rng.standard_normal((columns, rows)))[0].T


# --- ensembles ----------------------------------------------------------------------------


def integers(rng):
    """Small integers: ties of every kind, vertices that are degenerate."""
    rows, columns = _sizes(rng)
    matrix = rng.integers(-3, 4, (rows, columns)).astype(float)
    signal = _integer_signal(rng, columns, _sparsity(rng, rows))
    return Case(matrix, matrix @ signal, signal, product=True)


def zeros_and_ones(rng):
    """Entries 0 and 1, columns of zeros and equal columns among them."""
    rows, columns = _sizes(rng)
    matrix = rng.integers(0, 2, (rows, columns)).astype(float)
    signal = _integer_signal(rng, columns, _sparsity(rng, rows))
    return Case(matrix, matrix @ signal, signal, product=True)


def signs(rng):
    """Entries -1 and 1, as the dual faces of rho are rarely points."""
    rows = int(rng.integers(1, 9))
    columns = rows + int(rng.integers(1, rows + 3))
    matrix = rng.choice([-1.0, 1.0], (rows, columns))
    return _noisy_or_product(rng, matrix, _signal(rng, columns, _sparsity(rng, rows)))


def copies(rng):
    """Columns that repeat others, or their negatives; not unique where g* needs one."""
    rows, columns = _sizes(rng)
    matrix = rng.integers(-4, 5, (rows, columns)).astype(float)
    for _ in range(int(rng.integers(1, 3))):
        one, other = rng.choice(columns, 2, replace=False)
        matrix[:, other] = rng.choice([-1.0, 1.0]) * matrix[:, one]
    signal = _integer_signal(rng, columns, _sparsity(rng, rows))
    return Case(matrix, matrix @ signal, signal, product=True)


def near_copies(rng):
    """A column of the signal and another that differs from it by 2^-10 ... 2^-53 in one entry."""
    rows, columns = _sizes(rng)
    columns = max(columns, 3)
    matrix = rng.integers(-4, 5, (rows, columns)) / 4.0
    signal = _integer_signal(rng, columns, _sparsity(rng, rows))
    one = int(rng.choice(np.flatnonzero(signal)))
    other = int(rng.choice(np.delete(np.arange(columns), one)))
    place = int(rng.integers(rows))
    matrix[place, one] = rng.choice([-1.0, -0.5, 0.5, 1.0])
    matrix[:, other] = matrix[:, one]
    gap = 2.0 ** -int(rng.integers(10, 54))
    # towards 0: below 1 doubles are 2^-53 apart
    matrix[place, other] -= np.sign(matrix[place, one]) * gap
    return Case(matrix, matrix @ signal, signal, product=True)


def one_and_nearly_one(rng):
    """A = [1, 1 - 2^-k, ...], y = 1: one row."""
    more = rng.integers(1, 5)
    row = 1.0 - 2.0 ** -rng.integers(1, 54, more).astype(float)
    matrix = np.append(1.0, rng.choice([-1.0, 1.0], more) * row)[None, :]
    return Case(matrix, np.array([1.0]), np.eye(more + 1)[0], product=False)


def kernels(rng):
    """Gaussian bumps on a grid, multiples of 2^-30."""
    rows, columns = int(rng.integers(4, 11)), int(rng.integers(12, 25))
    width = 10.0 ** rng.uniform(-1.7, -0.3)
    points, grid = np.linspace(0, 1, rows)[:, None], np.linspace(0, 1, columns)[None, :]
    matrix = np.rint(np.exp(-0.5 * ((points - grid) / width) ** 2) * 2.0**30) / 2.0**30
    equal = rng.random() < 0.5
    signal = _signal(rng, columns, int(rng.integers(1, 4)), equal_signs=equal)
    return _noisy_or_product(rng, matrix, signal)


def scaled_columns(rng):
    """Columns of sizes 2^-30 ... 2^30 or 10^-9 ... 10^9."""
    rows, columns = _sizes(rng, 6)
    powers = rng.integers(-30, 31, columns)
    scale = 2.0**powers if rng.random() < 0.5 else 10.0 ** (0.3 * powers)
    matrix = _gaussian(rng, rows, columns) * scale
    signal = _signal(rng, columns, _sparsity(rng, rows)) / scale
    return _noisy_or_product(rng, matrix, signal)


def scaled_rows(rng):
    """Rows of sizes 10^-9 ... 10^9, and beyond: 2^-100 ... 2^100."""
    rows, columns = _sizes(rng, 6)
    wide = rng.random() < 0.5
    scale = 2.0 ** rng.integers(-100, 101, rows) if wide else 10.0 ** rng.integers(-9, 10, rows)
    matrix = _gaussian(rng, rows, columns) * scale[:, None]
    return _noisy_or_product(rng, matrix, _signal(rng, columns, _sparsity(rng, rows)))


def any_scale(rng):
    """A and y times 2^k as far as doubles go, or A and x times powers of their own."""
    rows, columns = _sizes(rng, 4)
    matrix = _gaussian(rng, rows, columns)
    case = _noisy_or_product(rng, matrix, _signal(rng, columns, _sparsity(rng, rows)))
    if rng.random() < 0.5:
        of_matrix, of_signal = 2.0 ** int(rng.integers(-980, 981)), 1.0
    else:
        of_matrix, of_signal = (2.0 ** int(rng.integers(-400, 401)) for _ in range(2))
    return Case(
        case.matrix * of_matrix,
        case.data * of_matrix * of_signal,
        case.signal * of_signal,
        case.product,
    )


def ill_conditioned(rng):
    """cond(A) of 1e4 ... 1e12."""
    rows, columns = _sizes(rng, 6)
    rows, columns = max(rows, 2), max(columns, 3)
    values = np.geomspace(1.0, 10.0 ** -rng.uniform(4, 12), rows)
    matrix = (_orthogonal(rng, rows, rows) * values) @ _orthogonal(rng, rows, columns)
    return _noisy_or_product(rng, matrix, _signal(rng, columns, _sparsity(rng, rows)))


def dependent_support(rng):
    """Columns of the support nearly dependent, cond(A_S) up to 1e12, A well-conditioned.

    The last of them is another, or the mean of two, but for 2^-k, k = 4 ... 40, in one entry.
    A is ``Q B`` with integers Q, and the first row of B, the ``A^T nu`` of some nu, has the
    signs on S and at most 7/8 off it: so S is the support, and the minimizer the only one.
    """
    rows = int(rng.integers(2, 8))
    columns = rows + int(rng.integers(1, rows + 6))
    size = int(rng.integers(2, rows + 1))
    matrix = rng.integers(-8, 9, (rows, columns)) / 8.0
    matrix[0] = rng.integers(-7, 8, columns) / 8.0
    signs = np.ones(size) if rng.random() < 0.5 else rng.choice([-1.0, 1.0], size)
    signs[-1] = signs[0]
    matrix[0, :size] = signs
    other = int(rng.integers(size - 1))
    matrix[:, size - 1] = 0.5 * (matrix[:, 0] + signs[0] * signs[other] * matrix[:, other])
    matrix[int(rng.integers(1, rows)), size - 1] += 2.0 ** -int(rng.integers(4, 41))
    mixing = np.eye(rows)
    for _ in range(2 * rows):  # of determinant 1: rows are added to others
        one, another = rng.choice(rows, 2, replace=False)
        mixing[one] += rng.choice([-1.0, 1.0]) * mixing[another]
    signal = np.zeros(columns)
    signal[:size] = signs * rng.uniform(1, 3, size)
    if rng.random() < 0.5:
        signal = np.rint(signal)
    matrix = mixing @ matrix
    # with all N columns other data have the same support, but a minimizer of their own
    return Case(matrix, matrix @ signal, signal, product=bool(size < rows or rng.random() < 0.5))


def one_row(rng):
    """N = 1: integers with ties, or any numbers."""
    columns = int(rng.integers(2, 9))
    if rng.random() < 0.5:
        matrix = rng.integers(-3, 4, (1, columns)).astype(float)
    else:
        matrix = _gaussian(rng, 1, columns)
    return Case(matrix, np.array([float(rng.integers(1, 9))]), np.zeros(columns), product=False)


def one_column_more(rng):
    """d = N + 1: a kernel of dimension 1."""
    rows = int(rng.integers(1, 11))
    matrix = _gaussian(rng, rows, rows + 1)
    if rng.random() < 0.5:
        matrix = rng.integers(-3, 4, (rows, rows + 1)).astype(float)
    return _noisy_or_product(rng, matrix, _signal(rng, rows + 1, _sparsity(rng, rows)))


def full_support(rng):
    """s = N, half of them with equal signs and a nonnegative matrix."""
    rows, columns = _sizes(rng, 7)
    equal = rng.random() < 0.5
    matrix = _gaussian(rng, rows, columns)
    matrix = np.abs(matrix) if equal else matrix
    return _noisy_or_product(rng, matrix, _signal(rng, columns, rows, equal_signs=equal))


def spread_signal(rng):
    """kappa up to 1e10."""
    rows, columns = _sizes(rng)
    size = _sparsity(rng, rows)
    signal = _signal(rng, columns, size)
    on = np.flatnonzero(signal)
    signal[on] *= 2.0 ** -np.rint(rng.uniform(0, 33, size))
    matrix = rng.integers(-64, 65, (rows, columns)) / 64.0
    return Case(matrix, matrix @ signal, signal, product=bool(rng.random() < 0.5))


def rounded_data(rng):
    """y = A x_0 as floating point has it, taken at its word: entries of g* of 1e-16."""
    rows, columns = _sizes(rng)
    matrix = np.round(rng.standard_normal((rows, columns)), 6)
    signal = np.round(_signal(rng, columns, _sparsity(rng, rows)), 1)
    return Case(matrix, matrix @ signal, signal, product=False)


def rounded_product(rng):
    """The same, of which the exact product is meant."""
    case = rounded_data(rng)
    return Case(case.matrix, case.data, case.signal, product=True)


def wide(rng):
    """Sizes up to 12 x 40: integers, a copy and a near-copy among them."""
    rows, columns = int(rng.integers(8, 13)), int(rng.integers(30, 41))
    matrix = rng.integers(-4, 5, (rows, columns)).astype(float)
    signal = _integer_signal(rng, columns, int(rng.integers(1, 4)))
    one = int(rng.choice(np.flatnonzero(signal)))
    other = int(rng.choice(np.flatnonzero(signal == 0)))
    matrix[:, other] = matrix[:, one]
    if rng.random() < 0.7:
        matrix[0, other] += 2.0 ** -int(rng.integers(10, 50))
    return Case(matrix, matrix @ signal, signal, product=True)


ENSEMBLES = {
    function.__name__: function
    for function in (
        *(integers, zeros_and_ones, signs, copies, near_copies, one_and_nearly_one, kernels),
        *(scaled_columns, scaled_rows, any_scale, ill_conditioned, dependent_support, one_row),
        *(one_column_more, full_support, spread_signal, rounded_data, rounded_product, wide),
    )
}
