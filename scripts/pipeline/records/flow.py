"""The arrays of stage flow: where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np

from implicit_l1.network.flow import Trajectory
from pipeline.records.problems import Problems
from pipeline.records.record import Record


@dataclass(frozen=True)
class Endpoints(Record):
    """Of stage flow: where the flow has ended at one scale; nan where it was not integrated."""

    point: Annotated[np.ndarray, "rd", "x at the end"]
    claimed: Annotated[np.ndarray, "r", "bound on its distance to the limit point, over ‖n‖₁"]
    steps: Annotated[np.ndarray, "r", "steps of the integrator"]

    @classmethod
    def of(cls, problems: Problems, flows: Sequence[Trajectory | None]) -> Self:
        """The ends of a block's flows, None where there was none."""
        absent = np.full(problems.signal.shape[1], np.nan)
        return cls(
            repetition=problems.repetition,
            point=np.array([absent if flow is None else flow.point[-1] for flow in flows]),
            claimed=np.array([np.nan if flow is None else flow.claim for flow in flows]),
            steps=np.array([0 if flow is None else flow.steps for flow in flows]),
        )
