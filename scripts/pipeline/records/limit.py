"""The arrays of stage limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np

from implicit_l1.network.limit import LimitPath
from implicit_l1.network.scales import place_of
from pipeline.command_line import Failure, cell_of
from pipeline.records.minimizers import Minimizers
from pipeline.records.problems import Problems
from pipeline.records.record import Record


@dataclass(frozen=True)
class LimitPoints(Record):
    """Of stage limit: n = x(α) - g* along a path; nan where there is no g* to measure from."""

    log_alpha: Annotated[np.ndarray, "m", "natural logarithms of the scales"]
    log_unit: Annotated[np.ndarray, "rm", "natural logarithm of the unit of the error"]
    error: Annotated[np.ndarray, "rmd", "n in this unit"]
    log_error_1: Annotated[np.ndarray, "rm", "log ‖n‖₁"]
    log_error_2: Annotated[np.ndarray, "rm", "log ‖n‖₂"]
    log_error_inf: Annotated[np.ndarray, "rm", "log ‖n‖∞"]
    estimation_error: Annotated[np.ndarray, "rm", "‖x(α) - x₀‖₂"]
    newton_steps: Annotated[np.ndarray, "rm", "Newton steps on the way to the scale"]
    relative_residual: Annotated[np.ndarray, "rm", "‖A n‖₂ over the sum of ‖Aᵢ‖₂ |nᵢ|"]
    error_bound: Annotated[np.ndarray, "rm", "bound on the relative error of ‖n‖₁"]
    entry_bound: Annotated[np.ndarray, "rm", "bound on the error of any entry of n, over ‖n‖₁"]
    held_out_error: Annotated[
        np.ndarray | None, "rm", "‖A′x(α) - y′‖₂ / ‖y′‖₂ over rows that are held out"
    ] = None

    @classmethod
    def of(
        cls,
        problems: Problems,
        minimizers: Minimizers,
        log_alpha: np.ndarray,
        paths: Sequence[LimitPath | None],
    ) -> Self:
        """The limit points of a block.

        Args:
            problems, minimizers: the block.
            log_alpha: natural logarithms of the scales.
            paths: a LimitPath an instance; None where there is nothing to measure from.
        """
        signals = problems.signal
        unknown = _unknown_path(log_alpha, signals.shape[1])
        known = [path or unknown for path in paths]
        names = ("log_unit", "error", "newton_steps", "relative_residual")
        return cls(
            repetition=problems.repetition,
            log_alpha=log_alpha,
            **{
                name: np.array([getattr(path, name) for path in known])
                for name in (*names, "error_bound", "entry_bound")
            },
            **{
                f"log_error_{order}": np.array([path.log_norm(order) for path in known])
                for order in (1, 2, np.inf)
            },
            estimation_error=np.array(
                [
                    path.distance(point - signal)
                    for path, point, signal in zip(known, minimizers.point, signals, strict=True)
                ]
            ),
            held_out_error=problems.held_out_errors(
                point + path.vectors for path, point in zip(known, minimizers.point, strict=True)
            ),
        )

    def place_of(self, log10_alpha: float, output: str) -> int:
        """The place of a scale on the path.

        Raises:
            Failure: naming the cell of a file, if it is not on the path.
        """
        try:
            return place_of(log10_alpha, self.log_alpha)
        except ValueError as error:
            raise Failure(f"{cell_of(output)}: {error}") from error

    def errors_at(self, place: int) -> np.ndarray:
        """The error vectors n at one of the scales, shape (r, d)."""
        return np.exp(self.log_unit[:, place, None]) * self.error[:, place]


def _unknown_path(log_alpha, size):
    """The path of an instance of which nothing is known."""
    nothing = np.full(log_alpha.shape, np.nan)
    return LimitPath(
        log_alpha=log_alpha,
        log_unit=nothing,
        error=np.full((log_alpha.size, size), np.nan),
        newton_steps=np.zeros(log_alpha.shape, dtype=int),
        relative_residual=nothing,
        fixed_point_residual=nothing,
        error_bound=nothing,
        entry_bound=nothing,
        proved=np.zeros(log_alpha.shape, dtype=bool),
    )
