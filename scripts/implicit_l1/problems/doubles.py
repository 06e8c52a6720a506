"""Arrays that are given, as double precision: what is no double, or not finite, is an error."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from implicit_l1.problems.ensembles import ProblemError

UNIT_ROUNDOFF = 2.0**-53


def as_array(values: ArrayLike | None, name: str) -> NDArray:
    """What is given as an array.

    Raises:
        ProblemError: with the name, if rows have different lengths.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        raise ProblemError(f"{name} is no array: {error}") from error


def as_doubles(values: NDArray, name: str) -> NDArray[np.float64]:
    """An array as doubles, if it holds real numbers, all of them doubles.

    Raises:
        ProblemError: with the name.
    """
    if values.dtype.kind not in "iuf":
        raise ProblemError(f"{name} holds {values.dtype}, not real numbers")
    with np.errstate(over="ignore", under="ignore"):
        doubles = np.ascontiguousarray(values, dtype=float)
    if values.dtype.kind == "f":
        changed = (doubles != values) & ~np.isnan(values)
    else:
        changed = np.zeros(values.shape, dtype=bool)
        for place in np.argwhere(np.abs(doubles) >= 2.0**53):
            changed[tuple(place)] = int(doubles[tuple(place)]) != int(values[tuple(place)])
    if changed.any():
        first = tuple(np.argwhere(changed)[0].tolist())
        raise ProblemError(
            f"{name}[{', '.join(map(str, first))}] = {values[first]!s} ({values.dtype}) is "
            "no double; round the array yourself"
        )
    return doubles


def check_finite(values: NDArray[np.float64], name: str) -> None:
    """Raise an error where an entry is not finite.

    Raises:
        ProblemError: with the name and the place.
    """
    places = np.argwhere(~np.isfinite(values))
    if len(places):
        place = ", ".join(map(str, places[0].tolist()))
        value = values[tuple(places[0])]
        raise ProblemError(f"{name}[{place}] is {value}, which is not finite")
