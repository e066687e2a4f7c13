"""Which events a subscription wants, beyond their type: conditions on the data, all of which must hold.

A field is a path of names: `segment.plan`. Where a list is on the way, one of its elements has to satisfy the
condition. Fields that the sender left out have the contract's default.

`raw_votes reached 50` holds for the one event in which a number came up to 50: it is there now, and the number beside
it in `previous_raw_votes` was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Scalar = str | int | float | bool
Operator = Literal["equals", "in", "exists", "prefix", "reached"]
OPERATORS: tuple[str, ...] = get_args(Operator)
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; `value` is a scalar for equals and prefix, a tuple for in, a boolean for exists, else a number."""

    field: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]

    @property
    def choices(self) -> tuple[Scalar, ...]:
        return self.value if isinstance(self.value, tuple) else (self.value,)


def matches(conditions: Sequence[Condition], data: Json) -> bool:
    """Whether the event's data, as JSON with its defaults, satisfy every condition."""
    return all(_holds(condition, data) for condition in conditions)


def before(field: str) -> str:
    """Where an event says what the field was before: `previous_raw_votes` beside `raw_votes`."""
    folder, dot, name = field.rpartition(".")
    return f"{folder}{dot}previous_{name}"


def _holds(condition: Condition, data: Json) -> bool:
    values = list(_values(data, condition.field.split(".")))
    if condition.operator == "reached":
        earlier = list(_values(data, before(condition.field).split(".")))
        return any(_is_at(value, condition) for value in values) and not any(
            _is_at(value, condition) for value in earlier
        )
    if condition.operator == "exists":
        return bool(values) == condition.value
    if condition.operator == "prefix":
        return any(isinstance(value, str) and value.startswith(str(condition.value)) for value in values)
    return any(_same(value, choice) for value in values for choice in condition.choices)


def _is_at(value: object, condition: Condition) -> bool:
    """Whether the value is the number of the condition or more."""
    least = condition.value
    return isinstance(value, int | float) and isinstance(least, int | float) and value >= least


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
