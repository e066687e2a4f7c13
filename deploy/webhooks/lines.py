"""Conditions as people write them, one a line."""

from __future__ import annotations

import re

from .filters import OPERATORS, Condition, Scalar

_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,15})?([eE][+-]?\d{1,2})?", re.ASCII)


def read_line(line: str) -> Condition:
    """A condition as people write it: `segment.plan equals team`, `channel in app, web`, `reason exists`.

    Text that looks like a number, true or false is one; in quotation marks it is text.

    Raises:
        ValueError: the line is no condition, and why.
    """
    field, _, rest = line.strip().partition(" ")
    operator, _, value = rest.strip().partition(" ")
    if operator not in OPERATORS:
        raise ValueError(f"{line[:80]!r} is no condition; write a field, one of {', '.join(OPERATORS)}, and a value")
    if operator == "in":
        return Condition(field, "in", tuple(_scalar(part) for part in value.split(",") if part.strip()))
    if operator == "exists":
        return Condition(field, "exists", _scalar(value) if value.strip() else True)
    if operator == "reached":
        return Condition(field, "reached", _scalar(value))
    return Condition(field, "equals" if operator == "equals" else "prefix", _scalar(value))


def write_line(condition: Condition) -> str:
    """The condition as `read_line` reads it."""
    return f"{condition.field} {condition.operator} {', '.join(_written(value) for value in condition.choices)}"


def _scalar(text: str) -> Scalar:
    text = text.strip()
    if text in {"true", "false"}:
        return text == "true"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if _NUMBER.fullmatch(text):
        return float(text) if set(text) & set(".eE") else int(text)
    return text


def _written(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    return f'"{value}"' if _scalar(value) != value or value != value.strip() else value
