"""The arrays of stage asymptotics."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from pipeline.records.record import Record


@dataclass(frozen=True)
class FirstOrders(Record):
    """Of stage asymptotics: ‖n‖₁ ~ C αᵖ as α → 0, and every entry off the support."""

    status: Annotated[np.ndarray, "r", '"known", or why it is not']
    exponent: Annotated[np.ndarray, "r", "p"]
    log_constant: Annotated[np.ndarray, "r", "log C"]
    entry_exponent: Annotated[np.ndarray, "rd", "exponent of an entry; nan on the support"]
    entry_log_size: Annotated[
        np.ndarray, "rd", "log of its size over α to that exponent; -inf if 0, as far as told"
    ]
