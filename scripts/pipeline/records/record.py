"""What stages hand to one another as arrays: a class for each kind of file.

The letters of shapes: r repetitions, those of the file; N rows and d columns of A; m scales of a
path, decreasing; k dual vectors; t rows that are held out.  An annotation says the shape of an
array, one letter an axis, and what it is in words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, get_type_hints

import numpy as np

from pipeline.command_line import Failure, cell_of
from pipeline.storage import damaged, read_arrays, write_arrays


@dataclass(frozen=True)
class Record:
    """Arrays of one file, of shapes that fit one another.

    Raises:
        ValueError: if two shapes do not agree in an axis of one letter.
    """

    repetition: Annotated[np.ndarray, "r", "number of each instance among those of its cell"]

    def __post_init__(self):
        sizes = {}
        for name, values in self.arrays().items():
            values = np.asarray(values)
            object.__setattr__(self, name, values)
            shape = self.shapes()[name]
            if values.ndim != len(shape) or any(
                sizes.setdefault(axis, size) != size
                for axis, size in zip(shape, values.shape, strict=True)
            ):
                raise ValueError(f"{name} has shape {values.shape}, not ({', '.join(shape)})")

    @classmethod
    def shapes(cls) -> dict:
        """Name of each array -> its shape, one letter an axis."""
        return {name: shape for name, (shape, _) in cls.documented().items()}

    @classmethod
    def documented(cls) -> dict:
        """Name of each array -> (its shape, what it is in words)."""
        hints = get_type_hints(cls, include_extras=True)
        return {name: hint.__metadata__ for name, hint in hints.items()}

    def arrays(self) -> dict:
        """Name -> array, of those that are there."""
        return {name: values for name, values in vars(self).items() if values is not None}

    def save(self, path: str | Path) -> None:
        """Write the arrays as an .npz file."""
        write_arrays(path, **self.arrays())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a file that :meth:`save` has written.

        Raises:
            DamagedFileError: naming the file, if it is not whole or not of this kind.
        """
        try:
            return cls(**read_arrays(path))
        except (TypeError, ValueError) as error:
            raise damaged(path, error) from error

    def part(self, *places: int) -> Self:
        """The record of one instance, or of several."""
        of_each = [name for name in self.arrays() if self.shapes()[name].startswith("r")]
        return replace(self, **{name: self.arrays()[name][list(places)] for name in of_each})

    def only(self, repetitions: Iterable[int], output: str) -> Self:
        """The record of these of its repetitions.

        Args:
            repetitions: their numbers.
            output: file that is made of them, for the message.
        Raises:
            Failure: if it has not all of them.
        """
        places = {index: place for place, index in enumerate(self.repetition.tolist())}
        try:
            return self.part(*(places[index] for index in repetitions))
        except KeyError as error:
            raise Failure(f"{cell_of(output)}: its block has no repetition {error}") from error

    def without(self, *names: str) -> Self:
        """The record with these arrays left out, for memory."""
        nothing: dict[str, Any] = dict.fromkeys(names)
        return replace(self, **nothing)


_Record = TypeVar("_Record", bound="Record")


def stacked(records: Sequence[_Record]) -> _Record:
    """Records of one class as one, instance after instance.

    What is not of instances, as the path, is that of the first.
    """
    first = records[0]
    arrays = {
        name: np.concatenate([record.arrays()[name] for record in records])
        for name in first.arrays()
        if first.shapes()[name].startswith("r")
    }
    return replace(first, **arrays)


def joined(blocks: Sequence[_Record], output: str) -> _Record:
    """Records of the blocks of a cell as one.

    Args:
        blocks: of one class, in the order of their repetitions.
        output: file that is made of them, for the message.
    Raises:
        Failure: if the repetitions are not 0, 1, 2, ...
    """
    whole = stacked(blocks)
    if not np.array_equal(whole.repetition, np.arange(whole.repetition.size)):
        raise Failure(f"{cell_of(output)}: its blocks are not repetitions 0, 1, 2, ...")
    return whole
