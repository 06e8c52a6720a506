"""The words that a reader sees in place of names: of ensembles, of files, of statuses.

What is proved and what floating point says are counted apart and have different words.
"""

from collections.abc import Sequence

from implicit_l1.status import CERTIFIED, MEASURED

# endings of the files of a problem of one's own
FILES = (".csv", ".npz", ".mtx")


def readable(text: str) -> str:
    """A name in words; names of files as they are."""
    return " ".join(
        word if word.rstrip(",;").endswith(FILES) else word.replace("_", " ")
        for word in text.split(" ")
    )


def name_in_words(label: str) -> str:
    """The words of an ensemble's label; names of files as they are."""
    return label if label.endswith(FILES) else readable(label)


def in_numbers(statuses: Sequence[str], kinds: Sequence[str] = MEASURED, noun: str = "") -> str:
    """How many of some instances are of each kind: "17 of 20 certified, 3 selected in ...".

    Args:
        statuses: of the instances.
        kinds: the statuses of those that are shown, which are counted.
        noun: what the instances are called.
    """
    statuses = list(statuses)
    counts = {kind: statuses.count(kind) for kind in kinds}
    found = [kind for kind in kinds if counts[kind]] or [CERTIFIED]
    first, *rest = ((counts[kind], "certified" if kind == CERTIFIED else kind) for kind in found)
    words = [" ".join(filter(None, [f"{first[0]} of {len(statuses)}", noun, first[1]]))]
    return ", ".join([*words, *(f"{count} {kind}" for count, kind in rest)])


def weakest(statuses: Sequence[str]) -> str:
    """The status of an instance that holds at every depth: what is said of it least surely."""
    order = [*MEASURED, *sorted(set(statuses) - set(MEASURED))]
    return max(statuses, key=order.index)
