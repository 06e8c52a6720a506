"""Mistakes in a configuration, each with its key, its value and what is allowed."""

import difflib
from collections.abc import Iterable
from typing import Any

from planning.reading import ConfigurationError, dotted, shown


class Report:
    """Mistakes by key; the first one found at a key is kept."""

    def __init__(self) -> None:
        self.lines: dict[str, str] = {}
        self.paths: list[tuple] = []

    def add(self, path: tuple, text: str) -> None:
        """A mistake at a key."""
        key = dotted(path)
        self.paths.append(path)
        self.lines.setdefault(key, f"{key}: {text}")

    def reject(self, path: tuple, value: Any, allowed: str, names: Iterable[str] = ()) -> None:
        """A value that is not allowed; of names that are, if any, one may be meant."""
        self.add(path, f"{shown(value)} is not allowed; {meant(value, names)}allowed: {allowed}")

    def raise_if_any(self) -> None:
        """Raise a ConfigurationError with one line for each mistake, sorted by key."""
        if self.lines:
            raise ConfigurationError("\n".join(line for _, line in sorted(self.lines.items())))

    def sound(self, *path: str | int) -> bool:
        """Whether nothing at, above or below this key is wrong."""
        return not any(path[: len(other)] == other[: len(path)] for other in self.paths)


def meant(value: Any, names: Iterable[str]) -> str:
    """The name that is meant, as a question; nothing if none is near."""
    if not isinstance(value, str):
        return ""
    lower = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(value.casefold(), lower, n=1)
    return f"did you mean {lower[close[0]]}? " if close else ""


def joined(names: Iterable) -> str:
    """Names in one line."""
    return ", ".join(str(name) for name in names)
