"""The common record, read in a fraction of the time: exactly what `envelope` makes of it, or nothing at all.

Most records differ from the one before in a few values only. What is the same is looked at once with `envelope` and
remembered; data are validated with the model's own schema, whose checks in Python are replaced by narrower ones in
Rust. Whatever is not accepted here, for good or bad reasons, is left to `envelope`, which also finds the words for it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from . import envelope, types
from .catalogue import EVENTS, EventType
from .events import EventData

Headers = Sequence[tuple[str, bytes | None]]

_REMEMBERED: Final = 1000
"""Layouts and senders kept at a time, so that nobody fills the memory by inventing them."""

_FIXED = ("ce_specversion", "ce_source", "ce_type", "content-type", "ce_datacontenttype")
"""What a sender writes alike into all its events of one type."""

_REQUIRED = frozenset({"ce_id", "ce_specversion", "ce_source", "ce_type"})

_BACKSLASH: Final = ord("\\")
_NUL: Final = b"\\u0000"
"""The one way in which JSON can say NUL, which PostgreSQL cannot hold."""

_PLAIN: Final = re.compile(rb"[\x01-\x7f]{1,%d}" % envelope.MAX_ATTRIBUTE_CHARACTERS).fullmatch
_TIME: Final = re.compile(
    rb"[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?"
    rb"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
).fullmatch
"""Times with their offset in the usual spelling, on one of the 28 days that every month has; others are looked at."""

_UTC_TIME: Final = r"^[12][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|\+00:00)$"
"""The same in UTC, for Rust; of both zones `datetime.fromisoformat` makes the same object."""


Read = tuple[EventType, str, str, EventData, str, str]
"""An event's type, id, source, data, correlation id and traceparent; the `id` is plain text, nothing to be replaced."""


class _Layout(NamedTuple):
    """Where in a record's headers things are; `fixed` picks those that a sender repeats."""

    fixed: Callable[[Sequence[bytes | None]], tuple[bytes | None, ...]]
    id: int
    time: int | None
    correlation: int | None
    trace: int | None


class _Sender(NamedTuple):
    event_type: EventType
    source: str
    validate: Callable[..., EventData]


def read(headers: Headers, value: bytes | None, topic: str) -> Read | None:
    """The event in a record of this topic, if it is of the common kind and valid."""
    if not headers or value is None or len(value) > envelope.MAX_DATA_BYTES:
        return None
    if _BACKSLASH in value and _NUL in value:
        return None
    names, contents = zip(*headers)  # noqa: B905 - pairs are as long as each other, and to look costs as much again
    if (layout := _layout(names)) is None:
        return None
    fixed, place, time, correlation, trace = layout
    sender = _sender(names, fixed(contents), topic)
    identifier = _plain(contents[place])
    related = identifier if correlation is None else _plain(contents[correlation])
    traceparent = "" if trace is None else _plain(contents[trace])
    if sender is None or identifier is None or related is None or traceparent is None or not _is_time(contents, time):
        return None
    event_type, source, validate = sender
    try:
        return event_type, identifier, source, validate(value, strict=True), related, traceparent
    except ValidationError:
        return None


@lru_cache(_REMEMBERED)
def _layout(names: tuple[str, ...]) -> _Layout | None:
    """None where a name is not in lower case or what every event needs is missing; of two headers the last holds."""
    at = {name: place for place, name in enumerate(names)}
    fixed = [at[name] for name in _FIXED if name in at]
    if any(name != name.lower() for name in names) or not at.keys() >= _REQUIRED:
        return None
    return _Layout(
        fixed=itemgetter(*fixed),
        id=at["ce_id"],
        time=at.get("ce_time"),
        correlation=at.get("ce_correlationid"),
        trace=at.get("traceparent"),
    )


@lru_cache(_REMEMBERED)
def _sender(names: tuple[str, ...], contents: tuple[bytes | None, ...], topic: str) -> _Sender | None:
    """None where `envelope` would refuse what all these events have in common, or read them as structured."""
    fixed = [name for name in _FIXED if name in names]
    try:
        event = envelope.from_record([("ce_id", b"any"), *zip(fixed, contents, strict=True)], b"{}")
    except envelope.Undecodable:
        return None
    event_type = EVENTS.get(event.type)
    if event_type is None or event_type.topic != topic:
        return None
    return _Sender(event_type, event.source, _validator(event_type.model))


def _plain(content: bytes | None) -> str | None:
    """Text that needs no look: neither empty nor long, and ASCII without NUL."""
    return content.decode() if content is not None and _PLAIN(content) else None


def _is_time(contents: Sequence[bytes | None], place: int | None) -> bool:
    """Whether there is a time here, or need be none."""
    if place is None:
        return True
    content = contents[place]
    if content is None:
        return False
    return bool(_TIME(content)) or (content.isascii() and envelope.has_instant(content.decode()))


@cache
def _validator(model: type[EventData]) -> Callable[..., EventData]:
    """What makes an event's data of JSON without NUL, or raises ValidationError where the model may still accept it."""
    # Not the prebuilt validators: the model's own would be taken instead of the schema given.
    return SchemaValidator(_in_rust(model.__pydantic_core_schema__), _use_prebuilt=False).validate_json


def _in_rust(schema: Any) -> Any:  # noqa: ANN401 - a tree of dicts and lists
    if isinstance(schema, list):
        return [_in_rust(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    function = schema.get("function")
    narrower = _NARROWER.get(function.get("function")) if isinstance(function, dict) else None
    if narrower is not None:
        return narrower(schema)
    return {name: part if name in _NO_SCHEMA else _in_rust(part) for name, part in schema.items()}


_NO_SCHEMA = frozenset({"metadata", "config", "serialization", "default", "cls", "function", "expected"})
_NARROWER: Mapping[object, Callable[[dict[str, Any]], Any]] = {
    # Half a surrogate pair cannot be in text that came through Rust, and NUL is looked for in all the JSON at once.
    types._storable: lambda schema: schema["schema"],  # noqa: SLF001
    types._in_utc: lambda _: core_schema.chain_schema(  # noqa: SLF001
        [
            core_schema.str_schema(pattern=_UTC_TIME),
            core_schema.no_info_plain_validator_function(datetime.fromisoformat),
        ]
    ),
}
