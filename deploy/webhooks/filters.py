"""Which events a subscription wants, beyond their type: conditions on the data, all of which must hold.

A field is a path of names: `segment.plan`. Where a list is on the way, one of its elements has to satisfy the
condition. Fields that the sender left out have the contract's default.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Scalar = str | int | float | bool
Operator = Literal["equals", "in", "exists", "prefix"]
OPERATORS: tuple[str, ...] = get_args(Operator)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `value` is a scalar for equals and prefix, a tuple for in, true or false for exists."""

    field: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]

    @property
    def choices(self) -> tuple[Scalar, ...]:
        return self.value if isinstance(self.value, tuple) else (self.value,)


def matches(conditions: Sequence[Condition], data: Json) -> bool:
    """Whether the event's data, as JSON with its defaults, satisfy every condition."""
    return all(_holds(condition, list(_values(data, condition.field.split(".")))) for condition in conditions)


def _holds(condition: Condition, values: Sequence[object]) -> bool:
    if condition.operator == "exists":
        return bool(values) == condition.value
    if condition.operator == "prefix":
        return any(isinstance(value, str) and value.startswith(str(condition.value)) for value in values)
    return any(_same(value, choice) for value in values for choice in condition.choices)


def _same(value: object, choice: Scalar) -> bool:
    # In Python True equals 1, in JSON it does not.
    return isinstance(value, bool) == isinstance(choice, bool) and value == choice


def _values(data: object, path: Sequence[str]) -> Iterator[object]:
    """Everything at the path that is not null."""
    if isinstance(data, list | tuple):
        for element in data:
            yield from _values(element, path)
    elif not path:
        if data is not None:
            yield data
    elif isinstance(data, Mapping) and path[0] in data:
        yield from _values(data[path[0]], path[1:])
