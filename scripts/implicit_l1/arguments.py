"""What the functions at the top of the package make of their arguments."""

from dataclasses import dataclass, replace

import numpy as np
from flint import arb
from numpy.typing import ArrayLike, NDArray

from implicit_l1.linear.exact import Undecided
from implicit_l1.minimizer.decision import Minimizer
from implicit_l1.minimizer.l1 import decide_minimizer
from implicit_l1.minimizer.proposals import AUTO
from implicit_l1.minimizer.support import Certificate
from implicit_l1.network.initialization import initialize_from_ones
from implicit_l1.network.selection import select
from implicit_l1.potentials import NEXT_DEPTH
from implicit_l1.problems.doubles import as_array
from implicit_l1.problems.given import given_problem, standardized
from implicit_l1.problems.problem import Problem, exact_data
from implicit_l1.proof.balls import ball, power_of_ten
from implicit_l1.status import CERTIFIED, NOT_UNIQUE


@dataclass(frozen=True)
class Instance:
    """A problem, divided by a power of two, with a minimizer of its l1 norm.

    Attributes:
        problem: (A, y) / 2^exponent, of which x and alpha are those of (A, y).
        exponent: of that power of two.
        minimizer: of the l1 norm.
        certificate: its dual vector.
    """

    problem: Problem
    exponent: int
    minimizer: Minimizer
    certificate: Certificate

    def given_minimizer(self) -> Minimizer:
        """The minimizer with the dual vector of (A, y) as they are given.

        Raises:
            Undecided: if that is beyond the doubles.
        """
        with np.errstate(over="ignore"):
            nu = np.ldexp(self.certificate.nu, -self.exponent)
        if not np.all(np.isfinite(nu)):
            raise Undecided("the dual vector of this A and y is beyond the doubles")
        return replace(self.minimizer, certificate=replace(self.certificate, nu=nu))


def decided_instance(A: ArrayLike, y: ArrayLike, noiseless: bool) -> Instance:
    """The problem with its l1 minimizer, which may be one of several.

    Raises:
        ValueError: see :func:`implicit_l1.problems.given.given_problem`.
        Undecided: with the reason, if the minimizer is not decided.
    """
    problem, exponent = standardized(given_problem(A, y, noiseless))
    minimizer = decide_minimizer(problem.matrix, problem.data, AUTO, exact_data(problem))
    if minimizer.certificate is None:
        raise Undecided(f"the l1 minimizer of this A and y is {minimizer.status}")
    return Instance(problem, exponent, minimizer, minimizer.certificate)


def selected_instance(A: ArrayLike, y: ArrayLike, depth: float, noiseless: bool) -> Instance:
    """The problem with the l1 minimizer that the flow of this depth approaches.

    Raises:
        ValueError, Undecided: as above.
        SelectionError: if of several minimizers the one that is selected is not found.
    """
    found = decided_instance(A, y, noiseless)
    if found.minimizer.status != NOT_UNIQUE:
        return found
    problem = found.problem
    initialization = initialize_from_ones(problem.matrix.shape[1])
    minimizer = select(
        problem.matrix,
        problem.data,
        initialization,
        depth,
        found.minimizer.point,
        exact_data(problem),
    )
    if minimizer.certificate is None:
        raise Undecided(f"the minimizer that the flow selects is {minimizer.status}")
    return Instance(problem, found.exponent, minimizer, minimizer.certificate)


def unique_instance(A: ArrayLike, y: ArrayLike, noiseless: bool, what: str) -> Instance:
    """The problem with its l1 minimizer, the only one.

    Args:
        what: is asked for of it, for the message.
    Raises:
        ValueError: as above, and if there are several minimizers.
        Undecided: as above.
    """
    found = decided_instance(A, y, noiseless)
    if found.minimizer.status != CERTIFIED:
        raise ValueError(
            f"A, y: the l1 minimizer is {found.minimizer.status}, and {what} is of a unique one"
        )
    return found


def checked_depth(depth: float) -> float:
    """D as a float.

    Raises:
        ValueError: if it is no finite number, 2 or at least NEXT_DEPTH.
    """
    values = as_array(depth, "depth")
    if values.ndim or values.dtype.kind not in "iuf" or not 2 <= values < np.inf:
        raise ValueError(f"depth must be a finite number >= 2, got {depth!r}")
    if 2 < values < NEXT_DEPTH:
        raise ValueError(f"depth must be 2, or at least {NEXT_DEPTH}, got {depth!r}")
    return float(values)


def check_exact_up_to(exact_up_to: int) -> None:
    """See that the largest support of which rho~ is computed exactly is a number.

    Raises:
        ValueError: if it is no integer >= 0.
    """
    if not (isinstance(exact_up_to, int | np.integer) and exact_up_to >= 0):
        raise ValueError(f"exact_up_to must be an integer >= 0, got {exact_up_to!r}")


# Decimal logarithms of the smallest and the largest scale that is tried, at D = 2 and D > 2.  (At
# D > 2 the slack of an entry has an exponent of its own, and a path does not come further.)
_RANGES = {True: (-1e6, 300.0), False: (-1e3, 300.0)}


@dataclass(frozen=True)
class Scales:
    """Scales of the predictor, as they were given and as paths take them.

    Attributes:
        log10_alpha: decimal logarithms, in the order given, shape (m,).
        given: alpha, or log10(alpha) if `in_decades`, exact as these doubles, shape (m,).
        log_alpha: natural logarithms, decreasing, each scale once, shape (n,).
        places: of the given scales in `log_alpha`, shape (m,).
    """

    log10_alpha: NDArray[np.float64]
    given: NDArray[np.float64]
    in_decades: bool
    log_alpha: NDArray[np.float64]
    places: NDArray[np.intp]

    def alpha(self) -> NDArray[np.float64]:
        """The given scales as doubles, 0 or inf where they are beyond them."""
        with np.errstate(over="ignore", under="ignore"):
            return 10.0**self.given if self.in_decades else self.given

    def enclosures(self) -> list[arb]:
        """The given scales as balls of the present precision: alpha itself is exact."""
        return [(power_of_ten if self.in_decades else ball)(value) for value in self.given]


def checked_scales(alpha: ArrayLike | None, log10_alpha: ArrayLike | None, depth: float) -> Scales:
    """The scales, from alpha or from log10(alpha): a number, or as many as one likes.

    Raises:
        ValueError: naming the argument: if both or none is given, if it is no number and no
            sequence of numbers, or if a scale is not positive and finite, or beyond what is tried
            at this depth.
    """
    if (alpha is None) == (log10_alpha is None):
        raise ValueError("alpha, log10_alpha: give one of them")
    in_decades = alpha is None
    name = "log10_alpha" if in_decades else "alpha"
    values = log10_alpha if alpha is None else alpha
    array = as_array(values, name)
    if array.dtype.kind not in "iuf" or array.ndim > 1 or not array.size:
        raise ValueError(f"{name} must be a number or a sequence of numbers, got {values!r}")
    given = np.atleast_1d(array).astype(float)
    if not (np.all(np.isfinite(given)) and (in_decades or np.all(given > 0))):
        raise ValueError(
            f"{name} must be {'finite' if in_decades else 'positive and finite'}, got {values!r}"
        )
    log_alpha = np.log(10.0) * given if in_decades else np.log(given)
    decreasing, places = np.unique(-log_alpha, return_inverse=True)
    decades = given if in_decades else np.log10(given)
    low, high = _RANGES[depth == 2]
    if np.any((decades < low) | (decades > high)):
        raise ValueError(
            f"{name}: log10(alpha) must be between {low:g} and {high:g} at depth {depth:g}, "
            f"got {values!r}"
        )
    return Scales(decades, given, in_decades, -decreasing, places)
