"""Reading a configuration: a YAML file, and where in it what is wrong.

Each mistake is a line that names the file and, where it has one, the line.  What the configuration
says is checked elsewhere (:mod:`planning.configuration`); nothing here takes long to import.
"""

import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

# Limits that a slip of the hand exceeds before anyone means to (the default grid is a hundredth of
# each, or less): bytes of a file, and values in it with every alias written out;
MOST_BYTES = 10**6
MOST_VALUES = 10**5
# what stands above the mistakes
UNUSABLE = "The configuration is not usable; nothing was started."


class ConfigurationError(ValueError):
    """The configuration is not usable; the message has one line for each mistake."""


def load(path: str | Path) -> Any:
    """The contents of a YAML file, not yet validated.

    Raises:
        ConfigurationError: if it cannot be read, is not YAML, gives a key twice, holds a number
            that YAML takes for another one, or is too large.
    """
    try:
        size = Path(path).stat().st_size
        if size > MOST_BYTES:
            raise ConfigurationError(f"{path}: has {size} bytes; allowed: at most {MOST_BYTES}")
        loader = yaml.SafeLoader(Path(path).read_bytes())
        # Duplicates are looked for in the syntax tree: the mappings built from it have
        # already lost them.
        node = loader.get_single_node()
        values = _written_out(node, {})
        if values > MOST_VALUES:
            raise ConfigurationError(
                f"{path}: has {values:.1e} values, with every alias written out; allowed: at most "
                f"{MOST_VALUES}"
            )
        mistakes = [*_duplicates(node, (), set()), *_misread(path, loader, node, (), set())]
        config = None if node is None else loader.construct_document(node)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    except RecursionError as error:
        raise ConfigurationError(f"{path}: lists and mappings are nested too deeply") from error
    except ConfigurationError:
        raise
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(_not_yaml(path, error)) from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2025-13-01
        raise ConfigurationError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if mistakes:
        raise ConfigurationError("\n".join(mistakes))
    return config


_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
# and .inf and .nan, which are refused where no number may be so
_READ_AS_WRITTEN = re.compile(
    r"[-+]?(0|[1-9]\d*|\d*\.\d*(e[-+]\d+)?|\.inf|\.nan)", re.ASCII | re.IGNORECASE
)


def _not_yaml(path, error):
    """What is wrong, and where, in one line."""
    place, what = str(path), " ".join(filter(None, (error.context, error.problem)))
    if error.context_mark is not None:
        what += f" (it begins in line {error.context_mark.line + 1})"
    if error.problem_mark is not None:
        mark = error.problem_mark
        place += f", line {mark.line + 1}, column {mark.column + 1}"
        if mark.buffer is not None and mark.buffer[mark.pointer : mark.pointer + 1] == "\t":
            what += "; indent with spaces"
    return f"{place}: not YAML: {' '.join(what.split())}"


def _written_out(node, known):
    """How many values a syntax tree stands for, with every alias written out."""
    if id(node) not in known:
        known[id(node)] = 1  # for an alias to what it stands in, which is reported elsewhere
        inner = [] if node is None else node.value
        if isinstance(node, yaml.MappingNode):
            inner = [value for _, value in inner]
        if isinstance(node, yaml.CollectionNode):
            known[id(node)] += sum(_written_out(value, known) for value in inner)
    return known[id(node)]


def _duplicates(node, path, seen):
    """A line for each key that a mapping in the syntax tree gives twice."""
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _duplicates(item, (*path, index), seen)
    if isinstance(node, yaml.MappingNode):
        lines = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                here = (*path, key.value)
                line = key.start_mark.line + 1
                if (key.tag, key.value) in lines:
                    both = f"in lines {lines[key.tag, key.value]} and {line}"
                    yield f"{dotted(here)}: given twice, {both}; allowed: once"
                lines[key.tag, key.value] = line
                yield from _duplicates(value, here, seen)


def _misread(path, loader, node, keys, seen):
    """A line for each number in the syntax tree that YAML takes for another than a person does:
    1:30 for 90 (of a clock), 020 for 16 (of base eight), 1.0e-400 for 0."""
    if isinstance(node, yaml.ScalarNode):
        if node.tag in _NUMBERS and not _READ_AS_WRITTEN.fullmatch(node.value):
            why = "write a decimal number, without : _ 0x 0b or a 0 in front"
        elif node.tag in _NUMBERS and (reason := _out_of_range(node.value)):
            why = reason
        else:
            return
        place, read = f"{path}, line {node.start_mark.line + 1}", loader.construct_object(node)
        yield f"{place}: {dotted(keys)}: YAML reads {node.value} as {shown(read)}; {why}"
    elif node is not None and id(node) not in seen:
        seen.add(id(node))
        inner = enumerate(node.value)
        if isinstance(node, yaml.MappingNode):
            inner = ((key.value, value) for key, value in node.value)
        for key, value in inner:
            part = key if isinstance(key, (int, str)) else "?"
            yield from _misread(path, loader, value, (*keys, part), seen)


def _out_of_range(text):
    """Why a decimal number is no double, or not the one that it says; None if it is."""
    if text[-1].isalpha():  # .inf, .nan
        return None
    value = float(text)
    if value == 0.0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        return "the smallest number is 5.0e-324"
    return f"the largest number is {shown(sys.float_info.max)}" if math.isinf(value) else None


def dotted(path: Sequence[str | int]) -> str:
    """A key with those that it is in, as experiments.noise.eta[1]."""

    def written(part):
        if isinstance(part, int):
            return f"[{part}]"
        return "." + (part if re.fullmatch(r"[\w-]+", part) else json.dumps(part))

    return "".join(written(part) for part in path).removeprefix(".") or "configuration"


def shown(value: Any) -> str:
    """A value in one short line, numbers as YAML wants them (1.0e-12)."""
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    else:
        try:
            text = yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False)
        except (yaml.YAMLError, ValueError):  # ValueError: thousands of digits
            text = f"<{type(value).__name__}>"
        text = text.removesuffix("\n").removesuffix("\n...").replace("\n", " ")
    return text if len(text) <= 100 else text[:97] + "..."
