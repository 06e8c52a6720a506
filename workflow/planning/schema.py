"""The schema of the configuration: its file, and what the registries of kinds of figures and
tables add."""

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import yaml

from figures.registry import DECADES, KINDS, LIST, NONE, PATH, kinds_where
from tables.registry import TABLES

FILE = Path(__file__).parents[1] / "schemas" / "config.schema.yaml"
# form of alpha -> its definition, and in words
FORMS = {
    PATH: ("alpha_path", "a mapping with the keys smallest, largest, per_decade"),
    LIST: ("alpha_list", "an increasing list"),
    DECADES: ("alpha_decades", "a mapping with the keys decades, per_tenfold"),
}
# keys that an experiment without scales does not have
OF_SCALES = ("s", "eta", "depth", "alpha")


@functools.cache
def schema() -> dict:
    """The schema, as JSON has it; not to be changed."""
    loaded = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    definitions = loaded["$defs"]
    definitions["figure"] = {"enum": list(KINDS)}
    definitions["table"] = {"enum": list(TABLES)}
    experiment = definitions["experiment"]
    experiment["properties"]["alpha"]["title"] = "; ".join(
        f"{words} with {named(kinds_where(alpha=form))}" for form, (_, words) in FORMS.items()
    )
    experiment["allOf"] += [*_of_keys(definitions), *_of_scales(), _of_initializations()]
    experiment["allOf"].append(_of_rows())
    return loaded


def own_keys(kinds: Iterable[str]) -> dict[str, dict]:
    """Key -> its schema, of the keys that experiments with these kinds have."""
    definitions = schema()["$defs"]
    return {key: definitions[key] for kind in kinds for key in KINDS[kind].all_keys}


def named(kinds: Sequence[str]) -> str:
    """Kinds of figures in words."""
    return f"figure{'s' if len(kinds) > 1 else ''} {', '.join(kinds)}"


def _with(kinds):
    """The condition that one of the figures is of one of these kinds."""
    one = {"enum": list(kinds)}
    figure = {"anyOf": [one, {"type": "array", "contains": one}]}
    return {"properties": {"figure": figure}, "required": ["figure"]}


def _excluded(keys, words):
    return {"properties": {key: {"not": {}, "title": words} for key in keys}}


def _of_keys(definitions):
    """What keys a kind requires or allows, which no other kind does."""
    for key in dict.fromkeys(key for kind in KINDS.values() for key in kind.all_keys):
        owners = [name for name, kind in KINDS.items() if key in kind.all_keys]
        required = [] if "default" in definitions[key] else [key]
        yield {
            "if": _with(owners),
            "then": {"required": required, "properties": {key: {"$ref": f"#/$defs/{key}"}}},
            # of a figure that there is not, its name alone is wrong
            "else": {
                "if": _with([name for name in KINDS if name not in owners]),
                "then": _excluded([key], f"only with {named(owners)}"),
            },
        }


def _of_scales():
    """The form of the scales; without any, there are no networks and no noise."""
    for form, (definition, _) in FORMS.items():
        alpha = {"$ref": f"#/$defs/{definition}"}
        yield {"if": _with(kinds_where(alpha=form)), "then": {"properties": {"alpha": alpha}}}
    without = kinds_where(alpha=NONE)
    yield {
        "if": _with(without),
        "then": _excluded(OF_SCALES, f"not with {named(without)}"),
        "else": {
            "required": ["depth", "alpha"],
            "if": {"$ref": "#/$defs/is_random"},
            "then": {"required": ["s", "eta"]},
        },
    }


def _of_rows():
    """N, but where it is a part of d."""
    with_part = [name for name, kind in KINDS.items() if "delta" in kind.keys]
    return {
        "if": _with(with_part),
        "then": _excluded(["N"], f"not with {named(with_part)}, which has delta"),
        "else": {"if": {"$ref": "#/$defs/is_random"}, "then": {"required": ["N"]}},
    }


def _of_initializations():
    words = f"only with {named(kinds_where(initialization=True))}"
    return {
        "if": _with(kinds_where(initialization=False)),
        "then": _excluded(["initialization"], words),
    }
