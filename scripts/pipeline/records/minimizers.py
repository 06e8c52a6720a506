"""The arrays of stages l1 and selection: what the error is measured from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Self

import numpy as np

from implicit_l1.minimizer.decision import Minimizer
from implicit_l1.minimizer.support import Certificate
from implicit_l1.network.initialization import Initialization, initialize_from_ones
from pipeline.records.problems import Problems
from pipeline.records.record import Record


@dataclass(frozen=True)
class Minimizers(Record):
    """Of stages l1 and selection: what the error is measured from, and what is proved of it.

    The last six arrays are of stage selection: from other initializations than ones, nu, direction
    and margins are of x~ = x / unit, in which the norm is ||x~||_1 - <tilt, x~>.
    """

    status: Annotated[np.ndarray, "r", "what is known of the minimizer, in words"]
    point: Annotated[np.ndarray, "rd", "g*, zero exactly off its support"]
    point_low: Annotated[np.ndarray, "rd", "what rounding g* has left, rounded in turn"]
    nu: Annotated[
        np.ndarray,
        "rN",
        "the dual vector ν of largest margin, of several the lexicographic one; nan without one",
    ]
    direction: Annotated[np.ndarray, "rd", "Aᵀν"]
    margins: Annotated[np.ndarray, "rd", "1 - |Aᵀν|"]
    margin: Annotated[np.ndarray, "r", "the smallest of them off the support"]
    support_size: Annotated[np.ndarray, "r", "number of nonzero entries of g*"]
    duality_gap: Annotated[np.ndarray, "r", "‖g*‖₁ - ⟨ν, y⟩"]
    kappa: Annotated[np.ndarray, "r", "largest over smallest size of an entry on the support"]
    estimation_error: Annotated[np.ndarray, "r", "‖g* - x₀‖₂"]
    interpolator: Annotated[np.ndarray, "rd", "z, the solution of least Euclidean norm"]
    interpolator_estimation_error: Annotated[np.ndarray, "r", "‖z - x₀‖₂"]
    product: Annotated[np.ndarray, "r", "as in stage problems"]
    noiseless_support: Annotated[np.ndarray, "r", "as in stage problems"]
    held_out_error: Annotated[
        np.ndarray | None, "r", "‖A′g* - y′‖₂ / ‖y′‖₂ over rows that are held out"
    ] = None
    interpolator_held_out_error: Annotated[
        np.ndarray | None, "r", "‖A′z - y′‖₂ / ‖y′‖₂ over rows that are held out"
    ] = None
    shape_u: Annotated[np.ndarray | None, "rd", "w_u, of u(0) = α^(1/D) w_u"] = None
    shape_v: Annotated[np.ndarray | None, "rd", "w_v, of v(0) = α^(1/D) w_v"] = None
    unit: Annotated[np.ndarray | None, "rd", "x in units of x~"] = None
    scale: Annotated[np.ndarray | None, "rd", "factor of α"] = None
    tilt: Annotated[np.ndarray | None, "rd", "what stays of the start as α → 0"] = None
    offset: Annotated[np.ndarray | None, "rd", "what does not"] = None

    @classmethod
    def of(
        cls, problems: Problems, minimizers: list[Minimizer], interpolators: Sequence[np.ndarray]
    ) -> Self:
        """What is found of the problems of a block.

        Args:
            problems: the block.
            minimizers: of each.
            interpolators: of least Euclidean norm, shape (r, d).
        """
        points = np.array([each.point for each in minimizers])
        absent = Certificate(
            np.full(problems.data.shape[1], np.nan), *np.full((2, points.shape[1]), np.nan)
        )
        duals = [each.certificate or absent for each in minimizers]
        return cls(
            repetition=problems.repetition,
            status=np.array([each.status for each in minimizers]),
            point=points,
            point_low=np.array([each.point_low for each in minimizers]),
            nu=np.array([dual.nu for dual in duals]),
            direction=np.array([dual.direction for dual in duals]),
            margins=np.array([dual.margin for dual in duals]),
            margin=np.array([each.margin for each in minimizers]),
            support_size=np.array([each.support.size for each in minimizers]),
            duality_gap=np.array([each.duality_gap for each in minimizers]),
            kappa=np.array([each.kappa for each in minimizers]),
            estimation_error=_distances(points, problems.signal),
            interpolator=np.array(interpolators),
            interpolator_estimation_error=_distances(interpolators, problems.signal),
            product=problems.product,
            noiseless_support=problems.noiseless_support,
            held_out_error=problems.held_out_errors(points),
            interpolator_held_out_error=problems.held_out_errors(interpolators),
        )

    def certificate(self, place: int) -> Certificate:
        """The dual vector of an instance."""
        return Certificate(self.nu[place], self.direction[place], self.margins[place])

    def initialization(self, place: int) -> Initialization:
        """Those of an instance's initialization; from ones where stage selection says nothing."""
        if self.unit is None:
            return initialize_from_ones(self.point.shape[1])
        names = ("unit", "scale", "tilt", "offset")
        return Initialization(*(getattr(self, name)[place] for name in names))

    def shapes_at(self, place: int) -> tuple:
        """(w_u, w_v) of an instance; empty where stage selection says nothing."""
        if self.shape_u is None or self.shape_v is None:
            return ()
        return self.shape_u[place], self.shape_v[place]

    def started_from(
        self, shape_u: np.ndarray, shape_v: np.ndarray, initialization: Initialization
    ) -> Self:
        """The record of one instance, from an initialization."""
        start = {"shape_u": shape_u, "shape_v": shape_v, **vars(initialization)}
        return replace(self, **{name: values[None] for name, values in start.items()})

    def norm(self) -> tuple[np.ndarray, np.ndarray]:
        """unit and tilt of all instances; ones and zeros where stage selection says nothing."""
        if self.unit is None or self.tilt is None:
            shape = (self.margin.size, self.point.shape[1])
            return np.ones(shape), np.zeros(shape)
        return self.unit, self.tilt


def _distances(points, signals):
    """The Euclidean distances of vectors, one by one."""
    pairs = zip(points, signals, strict=True)
    return np.array([np.linalg.norm(x - signal) for x, signal in pairs])
