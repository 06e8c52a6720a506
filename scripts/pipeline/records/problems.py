"""The arrays of stage problems."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np

from implicit_l1.linear.units import unit_of
from implicit_l1.problems.problem import Problem, Rows
from pipeline.records.record import Record


@dataclass(frozen=True)
class Problems(Record):
    """Of stage problems: instances of A x = y."""

    matrix: Annotated[np.ndarray, "rNd", "A"]
    signal: Annotated[np.ndarray, "rd", "x₀; nan where it is not known"]
    data: Annotated[np.ndarray, "rN", "y, rounded to double precision"]
    product: Annotated[np.ndarray, "r", "whether y is exactly A times the preimage"]
    preimage: Annotated[np.ndarray, "rd", "an x with A x = y exactly; nan where there is none"]
    noiseless_support: Annotated[
        np.ndarray,
        "r",
        "entries of a sparse solution that explains y; 0: none",
    ]
    held_matrix: Annotated[np.ndarray | None, "rtd", "rows of A that are held out"] = None
    held_data: Annotated[np.ndarray | None, "rt", "y of these rows"] = None

    @classmethod
    def of(cls, repetition: np.ndarray, problems: Sequence[Problem]) -> Self:
        """A block of problems of one size."""
        names = ("matrix", "signal", "data", "product", "noiseless_support")
        arrays = {name: np.array([getattr(each, name) for each in problems]) for name in names}
        absent = np.full(problems[0].matrix.shape[1], np.nan)
        preimages = [absent if each.preimage is None else each.preimage for each in problems]
        apart = [each.held_out for each in problems if each.held_out is not None]
        if apart:
            arrays["held_matrix"] = np.array([rows.matrix for rows in apart])
            arrays["held_data"] = np.array([rows.data for rows in apart])
        return cls(repetition=repetition, preimage=np.array(preimages), **arrays)

    def at(self, place: int) -> Problem:
        """An instance."""
        held_out = None
        if self.held_matrix is not None and self.held_data is not None:
            held_out = Rows(self.held_matrix[place], self.held_data[place])
        return Problem(
            self.matrix[place],
            self.signal[place],
            self.data[place],
            self.preimage[place] if self.product[place] else None,
            int(self.noiseless_support[place]),
            held_out,
        )

    def held_out_errors(self, points: Iterable[np.ndarray]) -> np.ndarray | None:
        """||A' x - y'||_2 / ||y'||_2 over the rows held out, shape (r, ...); None without any.

        Args:
            points: x, shape (..., d), of each instance.
        """
        if self.held_matrix is None or self.held_data is None:
            return None
        return np.array(
            [
                _relative_miss(x @ matrix.T, data)
                for x, matrix, data in zip(points, self.held_matrix, self.held_data, strict=True)
            ]
        )


def _relative_miss(found, data):
    """||found - y'||_2 / ||y'||_2 along the last axis; squares of 1e-170 would be 0."""
    unit = unit_of(data)
    return np.linalg.norm((found - data) / unit, axis=-1) / np.linalg.norm(data / unit)
