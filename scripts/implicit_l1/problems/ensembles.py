"""What can be drawn at random: ensembles of A, laws of the magnitudes of x_0 and of the noise.

Each is a small function with a decorator, and is thereby known to the configuration, to the
command line and to the tests::

    @register(correlation=Parameter(0.5, "a number in (-1, 1)", real(lambda c: -1 < c < 1)))
    def toeplitz(rng, rows, columns, *, correlation): ...

What all entries of a registry have in common (unit columns, a unit signal) is done once,
after the function.  All values are rounded to a grid where an instance is put together
(:mod:`implicit_l1.problems.problem`), so that the last bits of the system's logarithm, cosine or
power do not matter.

NumPy is the only import, because the workflow reads the registries too.
"""

import inspect
import math
import numbers
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import numpy as np

SMALLEST_MAGNITUDE = 2.0**-10


class ProblemError(ValueError):
    """The instance violates what the theory assumes, or asks for what there is not."""


# --- Parameters ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """A parameter of an ensemble or of a law.

    Attributes:
        default: its value if none is given; None if one must be given.
        allowed: which values are allowed, in words.
        check: the same as a predicate, of anything (a value that is no number, say).
    """

    default: Any
    allowed: str
    check: Callable[[Any], bool]

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return self.default is None


def real(condition: Callable[[float], bool]) -> Callable[[object], bool]:
    """The predicate of finite numbers (bool is none) with a condition."""

    def check(value):
        # nan and inf fail the comparison, and so do integers too large for a double
        return (
            isinstance(value, numbers.Real)
            and not isinstance(value, bool)
            and bool(abs(value) <= sys.float_info.max)
            and bool(condition(value))
        )

    return check


def flag() -> Parameter:
    """A parameter that is on or off, and off by default."""
    return Parameter(False, "true or false", lambda value: isinstance(value, bool))


@dataclass(frozen=True, eq=False)
class Law:
    """An entry of a registry.

    Attributes:
        name: its key in the registry.
        function: draws, given a generator, a size and the parameters by keyword.
        own: the function's parameters.
        kind: what it is, in messages.
        common: parameters of every entry of the registry.
    """

    name: str
    function: Callable
    own: dict[str, Parameter]

    kind: ClassVar[str]
    common: ClassVar[dict[str, Parameter]] = {}

    @property
    def parameters(self) -> dict[str, Parameter]:
        """All parameters, by name."""
        return {**self.own, **self.common}

    @property
    def doc(self) -> str:
        """What is drawn, in one line."""
        return (inspect.getdoc(self.function) or "").partition("\n\n")[0].replace("\n", " ")

    def complete(self, given: Mapping[str, float | bool]) -> dict[str, float | bool]:
        """The values of all parameters, defaults in place of what is not given.

        Args:
            given: name -> value.

        Raises:
            ProblemError: if there is no such parameter, a value is not allowed, or one that
                must be given is missing.
        """
        for name in given:
            if name not in self.parameters:
                known = ", ".join(self.parameters) or "none"
                raise ProblemError(
                    f"{self.kind} {self.name} has no parameter {name} (its parameters: {known})"
                )
        values = {}
        for name, parameter in self.parameters.items():
            if name not in given and parameter.required:
                raise ProblemError(f"{self.kind} {self.name} needs {name}: {parameter.allowed}")
            values[name] = given.get(name, parameter.default)
            if not parameter.check(values[name]):
                raise ProblemError(
                    f"{name} of {self.kind} {self.name} must be {parameter.allowed}, "
                    f"not {values[name]!r}"
                )
        return values

    def _drawn(self, shape, rng, values):
        """What the function draws, of this shape, from completed parameters."""
        own = {name: values[name] for name in self.own}
        found = np.asarray(self.function(rng, *shape, **own), dtype=float)
        if found.shape != shape:
            raise ProblemError(f"{self.kind} {self.name} drew the shape {found.shape}, not {shape}")
        return found


_Registered = TypeVar("_Registered", bound=Law)


def named(registry: Mapping[str, _Registered], name: str) -> _Registered:
    """The entry of this name.

    Raises:
        ProblemError: if there is none.
    """
    if name not in registry:
        kind = next(iter(registry.values())).kind
        raise ProblemError(f"unknown {kind} {name!r} (known: {', '.join(registry)})")
    return registry[name]


def _add(registry, entry):
    # keys of files, cells and options: two of one name would be mistaken for each other
    if entry.name in registry:
        raise ValueError(f"{entry.kind} {entry.name} is registered already")
    if clash := sorted(entry.own.keys() & entry.common.keys()):
        raise ValueError(f"{entry.kind} {entry.name}: every {entry.kind} has {', '.join(clash)}")
    registry[entry.name] = entry


def euclidean_norm(vector: np.ndarray) -> float:
    """The Euclidean norm, from a correctly rounded sum: np.linalg.norm depends on the BLAS."""
    return math.sqrt(math.fsum(vector * vector))


# --- Ensembles of A ------------------------------------------------------------------------


class Ensemble(Law):
    """An ensemble of matrices A of shape (N, d).

    Columns have Euclidean norm 1 on average; with ``normalized``, each has.
    """

    kind = "ensemble"
    common: ClassVar = {"normalized": flag()}

    def axes(self, parameters: Mapping[str, float | bool]) -> dict[str, float | bool]:
        """What names the streams of random numbers besides the ensemble: name -> value.

        The function's own parameters, defaults filled in: nothing for an ensemble without
        any.  ``normalized`` is not among them, so A is scaled and not drawn anew.
        """
        values = self.complete(parameters)
        return {f"ensemble.{name}": values[name] for name in self.own}

    def draw(
        self, rng: np.random.Generator, rows: int, columns: int, **parameters: float | bool
    ) -> np.ndarray:
        """A matrix, shape (rows, columns).

        Raises:
            ProblemError: if the parameters are not allowed, or a column of zeros is to be
                scaled to norm 1.
        """
        values = self.complete(parameters)
        matrix = self._drawn((rows, columns), rng, values)
        if not values["normalized"]:
            return matrix
        norms = np.array([euclidean_norm(column) for column in matrix.T])
        if not np.all(norms):
            column = int(np.argmin(norms))
            raise ProblemError(
                f"ensemble {self.name}: column {column} of A is zero and cannot be normalized"
            )
        return matrix / norms


ENSEMBLES: dict[str, Ensemble] = {}


def register(name: str | None = None, /, **parameters: Parameter) -> Callable[[Callable], Callable]:
    """Make an ensemble of a function ``(rng, rows, columns, *, parameter, ...)``.

    Args:
        name: of the ensemble; that of the function if None.
        parameters: name -> Parameter.

    Raises:
        ValueError: if the name is taken, or a parameter has the name of a common one.
    """

    def add(function):
        _add(ENSEMBLES, Ensemble(name or function.__name__, function, parameters))
        return function

    return add


@register()
def gaussian(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Independent entries N(0, 1/N), shape (N, d)."""
    return rng.standard_normal((rows, columns)) / np.sqrt(rows)


@register()
def rademacher(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Independent entries of absolute value 1/sqrt(N) and random sign, shape (N, d)."""
    return rng.choice([-1.0, 1.0], (rows, columns)) / np.sqrt(rows)


def _waves(function, period):
    """function(2 pi j / period) for j = 0, ..., period - 1, shape (period,).

    From a table, each angle is reduced exactly, and few values depend on the C library.
    """
    return np.array([function(2.0 * math.pi * j / period) for j in range(period)])


@register()
def partial_fourier(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Random distinct rows of the real discrete Fourier basis of size d, times sqrt(d/N).

    The orthonormal basis consists of 1/sqrt(d), of sqrt(2/d) cos(2 pi f j/d) and
    sqrt(2/d) sin(2 pi f j/d) for 0 < f < d/2, and for even d of (-1)^j/sqrt(d),
    j = 0, ..., d - 1.  Rows are ordered by frequency f, cosine before sine.  (Random rows of
    a bounded orthonormal system: Foucart and Rauhut, *A Mathematical Introduction to
    Compressive Sensing*, ch. 12.)
    """
    index = np.sort(rng.choice(columns, rows, replace=False))[:, None]
    frequency = (index + 1) // 2
    angle = frequency * np.arange(columns) % columns
    waves = np.where(
        index % 2 == 1, _waves(math.cos, columns)[angle], _waves(math.sin, columns)[angle]
    )
    alone = (index == 0) | (2 * frequency == columns)  # a cosine without a sine
    size = np.where(alone, 1.0 / math.sqrt(rows), math.sqrt(2.0 / rows))
    return size * np.where(index == 0, 1.0, waves)


@register()
def partial_dct(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Random distinct rows of the orthonormal discrete cosine transform, times sqrt(d/N).

    Type II and size d: row 0 is 1/sqrt(d), row k is sqrt(2/d) cos(pi k (2j + 1)/(2d)),
    j = 0, ..., d - 1 (Strang, *The discrete cosine transform*, SIAM Review 41, 1999).
    """
    index = np.sort(rng.choice(columns, rows, replace=False))[:, None]
    angle = index * (2 * np.arange(columns) + 1) % (4 * columns)
    size = np.where(index == 0, 1.0 / math.sqrt(rows), math.sqrt(2.0 / rows))
    return size * _waves(math.cos, 4 * columns)[angle]


@register(
    correlation=Parameter(
        0.5, "a number greater than -1 and less than 1", real(lambda c: -1.0 < c < 1.0)
    )
)
def toeplitz(
    rng: np.random.Generator, rows: int, columns: int, *, correlation: float
) -> np.ndarray:
    """Independent rows N(0, Sigma)/sqrt(N) with Sigma_ij = correlation^|i-j|.

    A row is a stationary autoregressive process, x_1 = z_1 and
    x_j = c x_(j-1) + sqrt(1 - c^2) z_j with independent standard normal z: the covariance is
    exact, and no factorization depends on the linear algebra.
    """
    matrix = rng.standard_normal((rows, columns))
    innovation = math.sqrt((1.0 - correlation) * (1.0 + correlation))
    for j in range(1, columns):
        matrix[:, j] = correlation * matrix[:, j - 1] + innovation * matrix[:, j]
    return matrix / np.sqrt(rows)


@register(
    density=Parameter(
        0.3, "a number greater than 0 and at most 1", real(lambda density: 0.0 < density <= 1.0)
    )
)
def sparse_bernoulli(
    rng: np.random.Generator, rows: int, columns: int, *, density: float
) -> np.ndarray:
    """Independent entries: 0 with probability 1 - density, otherwise +-1/sqrt(density N).

    (With density 1/3: Achlioptas, *Database-friendly random projections*, J. Comput. Syst.
    Sci. 66, 2003.)
    """
    nonzero = rng.random((rows, columns)) < density
    signs = rng.choice([-1.0, 1.0], (rows, columns))
    return np.where(nonzero, signs, 0.0) / math.sqrt(density * rows)


# --- Magnitudes of x_0 ---------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Magnitudes(Law):
    """A law of the absolute values of the nonzero entries of x_0.

    With ``unit_norm`` they are scaled so that x_0 has Euclidean norm 1.

    Attributes:
        raised: whether a magnitude that would round to 0 is raised to the smallest one; where
            it is not, it is an error.
    """

    raised: bool = field(default=False)

    kind = "law of magnitudes"
    common: ClassVar = {"unit_norm": flag()}

    def draw(self, rng: np.random.Generator, size: int, **parameters: float | bool) -> np.ndarray:
        """Magnitudes before they are rounded, shape (size,).

        Raises:
            ProblemError: if the parameters are not allowed.
        """
        values = self.complete(parameters)
        magnitudes = self._drawn((size,), rng, values)
        return magnitudes / euclidean_norm(magnitudes) if values["unit_norm"] else magnitudes


MAGNITUDES: dict[str, Magnitudes] = {}


def register_magnitudes(
    name: str | None = None, /, *, raised: bool = False, **parameters: Parameter
) -> Callable[[Callable], Callable]:
    """Make a law of magnitudes of a function ``(rng, size, *, parameter, ...)``.

    Args:
        name: of the law; that of the function if None.
        raised: see :class:`Magnitudes`.
        parameters: name -> Parameter.

    Raises:
        ValueError: if the name is taken, or a parameter has the name of a common one.
    """

    def add(function):
        _add(MAGNITUDES, Magnitudes(name or function.__name__, function, parameters, raised))
        return function

    return add


@register_magnitudes()
def constant(rng: np.random.Generator, size: int) -> np.ndarray:
    """Every magnitude is 1."""
    return np.ones(size)


def _at_least_the_smallest():
    check = real(lambda value: value >= SMALLEST_MAGNITUDE)
    return Parameter(None, "a number that is at least 2^-10", check)


@register_magnitudes(low=_at_least_the_smallest(), high=_at_least_the_smallest())
def uniform(rng: np.random.Generator, size: int, *, low: float, high: float) -> np.ndarray:
    """Independent, uniform on [low, high]."""
    if low > high:
        raise ProblemError(f"law of magnitudes uniform: low is {low}, more than high, {high}")
    return rng.uniform(low, high, size)


@register_magnitudes("gaussian", raised=True)
def gaussian_magnitudes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Independent, |N(0, 1)|; what would round to 0 is raised to 2^-10.

    Raised, not drawn again, so that each takes one variate; with or without unit_norm this
    moves a magnitude by less than 2^-10 (a choice of this project).
    """
    return np.abs(rng.standard_normal(size))


@register_magnitudes(
    exponent=Parameter(1.0, "a number greater than 0", real(lambda exponent: exponent > 0.0))
)
def power_law(rng: np.random.Generator, size: int, *, exponent: float) -> np.ndarray:
    """The k-th largest is k^-exponent; its place is random because the support is."""
    return np.array([float(k) ** -exponent for k in range(1, size + 1)])


# --- Noise ---------------------------------------------------------------------------------


class Noise(Law):
    """A law of the noise, up to the factor that sets its level."""

    kind = "law of the noise"

    def draw(self, rng: np.random.Generator, size: int, **parameters: float | bool) -> np.ndarray:
        """Noise before it is scaled, shape (size,).

        Raises:
            ProblemError: if the parameters are not allowed.
        """
        return self._drawn((size,), rng, self.complete(parameters))


NOISES: dict[str, Noise] = {}


def register_noise(
    name: str | None = None, /, **parameters: Parameter
) -> Callable[[Callable], Callable]:
    """Make a law of the noise of a function ``(rng, size, *, parameter, ...)``.

    Args:
        name: of the law; that of the function if None.
        parameters: name -> Parameter.

    Raises:
        ValueError: if the name is taken.
    """

    def add(function):
        _add(NOISES, Noise(name or function.__name__, function, parameters))
        return function

    return add


@register_noise("gaussian")
def gaussian_noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Independent, N(0, 1): the direction is uniform on the sphere."""
    return rng.standard_normal(size)


@register_noise("rademacher")
def rademacher_noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Independent signs: every entry has the same absolute value."""
    return rng.choice([-1.0, 1.0], size)


@register_noise("uniform")
def uniform_noise(rng: np.random.Generator, size: int) -> np.ndarray:
    """Independent, uniform on [-1, 1]: bounded."""
    return rng.uniform(-1.0, 1.0, size)
