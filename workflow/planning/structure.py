"""The structure of a configuration: what its schema allows, said in words, and its defaults."""

import copy
import functools
import math
import re
from collections.abc import Mapping
from typing import Any

import jsonschema

from planning.mistakes import Report, joined, meant
from planning.reading import shown
from planning.schema import schema


def completed(config: Any, report: Report) -> Any:
    """A copy with the schema's defaults filled in; what the schema does not allow is reported."""
    config = _plain(config, (), report, ())
    for error in validator().iter_errors(config):
        _explain(error, report)
    _complete(config, schema())
    return config


def _plain(value, path, report, parents):
    """A copy in dicts and lists, free of what JSON does not know, which is reported."""
    if isinstance(value, (Mapping, list, tuple)):
        if any(value is parent for parent in parents):
            report.add(path, "contains itself (a YAML alias to a mapping or list around it)")
            return None
        parents = (*parents, value)
    if isinstance(value, Mapping):
        copied = {}
        for key, item in value.items():
            if isinstance(key, str):
                copied[key] = _plain(item, (*path, key), report, parents)
            else:
                report.reject((*path, shown(key)), key, "a key that YAML reads as text")
        return copied
    if isinstance(value, (list, tuple)):
        return [_plain(item, (*path, k), report, parents) for k, item in enumerate(value)]
    if isinstance(value, (int, float)) and not _finite(value):
        report.reject(path, value, "a finite number")
        return None
    return value


def _finite(value):
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the range of floats
        return False


@functools.cache
def validator() -> Any:
    """The schema's validator."""
    # JSON Schema takes 100.0 as an integer; here it would become part of a file name
    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    extended = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=types)
    return extended(schema())


def _resolve(found):
    """A schema with its references replaced by what they refer to."""
    while "$ref" in found:
        name = found["$ref"].removeprefix("#/$defs/")
        found = schema()["$defs"][name] | {k: v for k, v in found.items() if k != "$ref"}
    return found


def _schema_at(path):
    """The schema of a key; of what holds unconditionally there."""
    found = schema()
    for part in path:
        found = _resolve(found)
        if "patternProperties" in found:
            (found,) = found["patternProperties"].values()
        else:
            found = found["properties"][part]
    return found


def _explain(error, report):
    """Report one error of the schema's validator in this project's words."""
    path, value, schema = tuple(error.absolute_path), error.instance, error.schema
    if error.validator == "additionalProperties":
        known = list(schema.get("properties", {}))
        named = schema.get("patternProperties", {})
        for key in value:
            if key in known or any(re.search(pattern, key) for pattern in named):
                continue
            if named:
                report.reject((*path, key), key, joined(s["title"] for s in named.values()))
            else:
                text = f"{shown(value[key])} is not allowed: unknown key; {meant(key, known)}"
                report.add((*path, key), f"{text}allowed: {joined(known)}")
    elif error.validator == "required":
        for key in error.validator_value:
            if key not in value:
                wanted = schema.get("properties", {}).get(key) or _schema_at((*path, key))
                report.add((*path, key), f"missing; required: {_allowed(wanted)}")
    elif error.validator == "uniqueItems":
        twice = [item for k, item in enumerate(value) if item in value[:k]]
        report.reject(path, value, f"a list without duplicates ({shown(twice[0])} is there twice)")
    elif error.validator == "type" and (number := _number(value, schema)):
        text = f"YAML reads {value.strip()} as text; write {number}"
        if number == value.strip():
            text = (
                f"{shown(value)} is text; in a file write {number} without quotes (the command "
                "line's --config makes text of what is inside of {...}: give the key in a file, "
                "a further one after --configfile)"
            )
        report.add(path, f"{text} (allowed: {_allowed(schema)})")
    else:
        report.reject(path, value, _allowed(schema), _enumerated(schema))


def _enumerated(schema):
    """The names that a schema allows, of an item if of a list."""
    schema = _resolve(schema)
    items = _enumerated(schema["items"]) if "items" in schema else []
    return [*schema.get("enum", []), *([schema["const"]] if "const" in schema else []), *items]


def _number(value, schema):
    """How YAML wants the number that a text stands for; None if it is or should be none."""
    if not isinstance(value, str) or not {"integer", "number"}.intersection(_types(schema)):
        return None
    form = r"([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?)(\d+))?"
    match = re.fullmatch(form, value.strip(), re.IGNORECASE | re.ASCII)
    if not match or not (match[2] or match[3]):
        return None
    sign, whole, fraction, exponent_sign, exponent = match.groups()
    if exponent is None and fraction is None:
        return f"{sign.removeprefix('+')}{int(whole)}"
    if exponent is None:
        return value.strip()
    # YAML 1.1 wants the point and the sign of the exponent
    sign = sign.removeprefix("+")
    return f"{sign}{whole or '0'}.{fraction or '0'}e{exponent_sign or '+'}{exponent}"


def _types(schema):
    types = schema.get("type", [])
    return types if isinstance(types, list) else [types]


def _allowed(schema):
    """What a schema allows, in words."""
    schema = _resolve(schema)
    if "title" in schema:
        return schema["title"]
    if "enum" in schema:
        return "one of " + joined(schema["enum"])
    types = _types(schema)
    if types == ["object"]:
        return "a mapping with the keys " + joined(schema["properties"])
    if "array" in types:
        item = _allowed(schema["items"])
        return f"{item}; or a non-empty list of such values without duplicates"
    bounds = [
        f"{words} {shown(schema[keyword])}"
        for keyword, words in [
            ("minimum", "at least"),
            ("exclusiveMinimum", "greater than"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
        ]
        if keyword in schema
    ]
    name = {"integer": "an integer", "number": "a number"}[types[0]]
    return " ".join([name, " and ".join(bounds)]).strip()


def _complete(value, schema):
    """Fill in the schema's defaults, in place."""
    schema = _resolve(schema)
    if not isinstance(value, dict):
        return
    for key, inner in schema.get("properties", {}).items():
        if "default" in inner:
            value.setdefault(key, copy.deepcopy(inner["default"]))
        _complete(value.get(key), inner)
