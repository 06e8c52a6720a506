"""The arrays of stage flow: where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np

from implicit_l1.network.flow import Trajectory, escape_time, settling_time
from pipeline.records.problems import Problems
from pipeline.records.record import Record


@dataclass(frozen=True)
class Endpoints(Record):
    """Of stage flow: where the flow has ended at one scale; nan where it was not integrated."""

    error: Annotated[np.ndarray, "rd", "n = x − g* at the end"]
    claimed: Annotated[np.ndarray, "r", "its distance to the limit point, over ‖n‖₁"]
    escaped: Annotated[np.ndarray, "r", "last time at which the loss is half of its start"]
    settled: Annotated[np.ndarray, "r", "last time at which ‖x − g*‖₁ is twice, or half, its end"]
    steps: Annotated[np.ndarray, "r", "steps of the integrator"]

    @classmethod
    def of(cls, problems: Problems, flows: Sequence[Trajectory | None]) -> Self:
        """The ends of a block's flows, None where there was none."""
        absent = np.full(problems.signal.shape[1], np.nan)
        return cls(
            repetition=problems.repetition,
            error=np.array([absent if flow is None else flow.error[-1] for flow in flows]),
            claimed=np.array([np.nan if flow is None else flow.claim for flow in flows]),
            escaped=np.array([np.nan if flow is None else escape_time(flow) for flow in flows]),
            settled=np.array([np.nan if flow is None else settling_time(flow) for flow in flows]),
            steps=np.array([0 if flow is None else flow.steps for flow in flows]),
        )
