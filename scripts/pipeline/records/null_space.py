"""The arrays of stage null_space."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np

from implicit_l1.minimizer.null_space import Bracket
from pipeline.records.problems import Problems
from pipeline.records.record import Record


@dataclass(frozen=True)
class NullSpaceConstants(Record):
    """Of stage null_space: ϱ and ϱ~, and what proves the bounds of ϱ~."""

    rho_lower: Annotated[np.ndarray, "r", "lower bound of ϱ"]
    rho_upper: Annotated[np.ndarray, "r", "upper bound of ϱ; the same, where it is decided"]
    rho_tilde_lower: Annotated[np.ndarray, "r", "lower bound of ϱ~"]
    rho_tilde_upper: Annotated[np.ndarray, "r", "upper bound of ϱ~"]
    rho_tilde_method: Annotated[np.ndarray, "r", "how the bounds were found, in words"]
    tilde_place: Annotated[np.ndarray, "k", "of which instance of the file the dual vector is"]
    tilde_pattern: Annotated[np.ndarray, "kd", "its weights A_S^T ν on the support, 0 off it"]
    tilde_nu: Annotated[np.ndarray, "kN", "the dual vector ν"]

    @classmethod
    def of(
        cls,
        problems: Problems,
        supports: Sequence[np.ndarray],
        brackets: list[tuple[Bracket, Bracket]],
    ) -> Self:
        """The constants of a block.

        Args:
            problems: the block.
            supports: of the minimizers, indices.
            brackets: (ϱ, ϱ~) of each.
        """
        places, patterns, duals = [], [], []
        _, rows, columns = problems.matrix.shape
        tildes = [tilde for _, tilde in brackets]
        for place, (support, tilde) in enumerate(zip(supports, tildes, strict=True)):
            whole = np.zeros((len(tilde.patterns), columns), dtype=np.int8)
            whole[:, support] = tilde.patterns.reshape(-1, len(support))
            places += [place] * len(whole)
            patterns.append(whole)
            duals.append(tilde.duals.reshape(-1, rows))
        return cls(
            repetition=problems.repetition,
            rho_lower=np.array([rho.lower for rho, _ in brackets]),
            rho_upper=np.array([rho.upper for rho, _ in brackets]),
            rho_tilde_lower=np.array([tilde.lower for tilde in tildes]),
            rho_tilde_upper=np.array([tilde.upper for tilde in tildes]),
            rho_tilde_method=np.array([tilde.method for tilde in tildes]),
            tilde_place=np.array(places, dtype=int),
            tilde_pattern=np.concatenate(patterns),
            tilde_nu=np.concatenate(duals),
        )
