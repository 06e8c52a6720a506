"""The arrays of stage flow: where it ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np

from implicit_l1.network.flow import Trajectory, escape_time, settling_time
from implicit_l1.status import CONVERGED
from pipeline.records.problems import Problems
from pipeline.records.record import Record


@dataclass(frozen=True)
class Endpoints(Record):
    """Of stage flow: where it has ended at one scale; nan where it was not followed to an end."""

    outcome: Annotated[np.ndarray, "r", "how it ended, or why there is no end, in words"]
    error: Annotated[np.ndarray, "rd", "n = x − g* at the end"]
    claimed: Annotated[np.ndarray, "r", "its distance to the limit point, over ‖n‖₁"]
    escaped: Annotated[np.ndarray, "r", "last time at which the loss is half of its start"]
    settled: Annotated[np.ndarray, "r", "last time at which ‖x − g*‖₁ is twice, or half, its end"]
    steps: Annotated[np.ndarray, "r", "steps of the integrator"]

    @classmethod
    def of(cls, problems: Problems, flows: Sequence[Trajectory | str]) -> Self:
        """The ends of a block's flows, or in words why there is none."""
        ends = [_end_of(flow, problems.signal.shape[1]) for flow in flows]
        columns = zip(*ends, strict=True)
        return cls(problems.repetition, *(np.array(column) for column in columns))


def _end_of(flow, size):
    """The values of one instance, in their order."""
    if isinstance(flow, str):
        return flow, np.full(size, np.nan), np.nan, np.nan, np.nan, 0
    # of an end that is g* nothing is a factor of 2
    settled = settling_time(flow) if flow.outcome == CONVERGED else np.nan
    return flow.outcome, flow.error[-1], flow.claim, escape_time(flow), settled, flow.steps
