"""Whether a condition can ever hold, seen the JSON Schema of the events it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .filters import Condition, Json, Scalar, before

MOST_CHOICES = 100
_KINDS: Mapping[type, str] = {bool: "boolean", int: "number", float: "number", str: "string"}
_WORDS = {"boolean": "true or false", "number": "a number", "string": "text"}


def fault_of(condition: Condition, schema: Json) -> str | None:
    """What is wrong with the condition for events of this JSON Schema, in a sentence; None when nothing is."""
    if fault := _fault_of_value(condition):
        return fault
    found, known = _at(schema, condition.field.split("."))
    if not found:
        return f"{schema.get('title', 'The event')} has no field {condition.field!r}; there {known}."
    if condition.operator == "reached" and not _at(schema, before(condition.field).split("."))[0]:
        title = schema.get("title", "The event")
        return f"{title} does not say what {condition.field!r} was before, so nobody knows when it reached a value."
    return None if condition.operator == "exists" else _fault_against(condition, found, schema)


def _fault_against(condition: Condition, found: Sequence[Json], schema: Json) -> str | None:
    """What is wrong with the values, seen what the field may hold."""
    kinds = {kind for part in found for kind in _kinds(part, schema)}
    if condition.operator == "prefix" and "string" not in kinds:
        return f"prefix compares text, and {condition.field} holds none."
    for value in condition.choices:
        kind = _KINDS[type(value)]
        if kind not in kinds:
            wanted = " or ".join(_WORDS[kind] for kind in sorted(kinds)) or "nothing to compare with"
            return f"{condition.field} holds {wanted}, so it never equals {value!r}."
    allowed = {value for part in found for value in _allowed(part, schema)}
    unknown = [value for value in condition.choices if allowed and value not in allowed]
    if unknown and condition.operator not in {"prefix", "reached"}:
        return f"{condition.field} is never {unknown[0]!r}; it is one of {', '.join(sorted(map(str, allowed)))}."
    return None


def _fault_of_value(condition: Condition) -> str | None:
    value = condition.value
    right, wanted = {
        "exists": (isinstance(value, bool), "true or false"),
        "in": (isinstance(value, tuple) and 0 < len(value) <= MOST_CHOICES, f"a list of 1 to {MOST_CHOICES} values"),
        "equals": (not isinstance(value, tuple), "one value; use in for several"),
        "prefix": (isinstance(value, str) and value != "", "text that is not empty"),
        "reached": (isinstance(value, int | float) and not isinstance(value, bool), "one number"),
    }[condition.operator]
    return None if right else f"{condition.operator} takes {wanted}."


def _at(root: Json, path: Sequence[str]) -> tuple[list[Json], str]:
    """The schemas at the path, and which names there are where it ends."""
    found: list[Json] = [root]
    for name in path:
        objects = [part for schema in found for part in _resolved(schema, root)]
        found = [part["properties"][name] for part in objects if name in part.get("properties", {})]
        found += [
            part["additionalProperties"]
            for part in objects
            if not found and isinstance(part.get("additionalProperties"), dict)
        ]
        if not found:
            names = sorted({known for part in objects for known in part.get("properties", {})})
            return [], f"are {', '.join(names)}" if names else "is nothing below it"
    return found, ""


def _resolved(schema: Json, root: Json) -> Iterator[Json]:
    """The schema's alternatives, without references, and for a list those of its elements."""
    if "$ref" in schema:
        yield from _resolved(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    elif "anyOf" in schema:
        for part in schema["anyOf"]:
            yield from _resolved(part, root)
    elif schema.get("type") == "array":
        yield from _resolved(schema.get("items", {}), root)
    else:
        yield schema


def _kinds(schema: Json, root: Json) -> Iterator[str]:
    for part in _resolved(schema, root):
        kind = "number" if part.get("type") == "integer" else part.get("type")
        if kind in _WORDS:
            yield kind


def _allowed(schema: Json, root: Json) -> Iterator[Scalar]:
    for part in _resolved(schema, root):
        yield from part.get("enum", [part["const"]] if "const" in part else [])
