"""The common record, read in a fraction of the time: exactly what `envelope` makes of it, or nothing at all.

Most records differ from the one before in a few values only. What is the same is looked at once with `envelope` and
remembered; data are validated with the model's own schema, whose checks in Python are replaced by narrower ones in
Rust. Whatever is not accepted here, for good or bad reasons, is left to `envelope`, which also finds the words for it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from operator import itemgetter
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import SchemaValidator, core_schema

from . import envelope, types
from .events import EVENTS, EventData, EventType

Headers = Sequence[tuple[str, bytes | None]]

_REMEMBERED: Final = 1000
"""Layouts and senders kept at a time, so that nobody fills the memory by inventing them."""

_FIXED = ("ce_specversion", "ce_source", "ce_type", "content-type", "ce_datacontenttype")
"""What a sender writes alike into all its events of one type."""

_REQUIRED = frozenset({"ce_id", "ce_specversion", "ce_source", "ce_type"})

_WITHOUT_NUL: Final = r"^[^\x00]*$"


class Read(NamedTuple):
    """An event and those of its attributes that matter here; its `id` is plain text, nothing to be replaced in it."""

    event_type: EventType
    id: str
    source: str
    data: EventData
    correlation_id: str
    traceparent: str


class _Layout(NamedTuple):
    """Where in a record's headers things are; `fixed` picks those that a sender repeats."""

    fixed: Callable[[Sequence[bytes | None]], tuple[bytes | None, ...]]
    names: tuple[str, ...]
    id: int
    time: int | None
    correlation: int | None
    trace: int | None


class _Sender(NamedTuple):
    event_type: EventType
    source: str
    validate: Callable[[bytes], EventData]


def read(headers: Headers, value: bytes | None, topic: str) -> Read | None:
    """The event in a record of this topic, if it is of the common kind and valid."""
    layout = _layout(tuple([name for name, _ in headers]))
    if layout is None or value is None or len(value) > envelope.MAX_DATA_BYTES:
        return None
    contents = [content for _, content in headers]
    sender = _sender(layout.names, layout.fixed(contents), topic)
    identifier = _plain(contents[layout.id])
    correlation = identifier if layout.correlation is None else _plain(contents[layout.correlation])
    trace = "" if layout.trace is None else _plain(contents[layout.trace])
    if sender is None or identifier is None or correlation is None or trace is None:
        return None
    if layout.time is not None and not _is_time(contents[layout.time]):
        return None
    try:
        data = sender.validate(value)
    except ValidationError:
        return None
    return Read(sender.event_type, identifier, sender.source, data, correlation, trace)


@lru_cache(_REMEMBERED)
def _layout(names: tuple[str, ...]) -> _Layout | None:
    """None where a name is not in lower case or what every event needs is missing; of two headers the last holds."""
    at = {name: place for place, name in enumerate(names)}
    fixed = [at[name] for name in _FIXED if name in at]
    if any(name != name.lower() for name in names) or not at.keys() >= _REQUIRED:
        return None
    return _Layout(
        fixed=itemgetter(*fixed),
        names=tuple(names[place] for place in fixed),
        id=at["ce_id"],
        time=at.get("ce_time"),
        correlation=at.get("ce_correlationid"),
        trace=at.get("traceparent"),
    )


@lru_cache(_REMEMBERED)
def _sender(names: tuple[str, ...], contents: tuple[bytes | None, ...], topic: str) -> _Sender | None:
    """None where `envelope` would refuse what all these events have in common, or read them as structured."""
    try:
        event = envelope.from_record([("ce_id", b"any"), *zip(names, contents, strict=True)], b"{}")
    except envelope.Undecodable:
        return None
    event_type = EVENTS.get(event.type)
    if event_type is None or event_type.topic != topic:
        return None
    return _Sender(event_type, event.source, validator(event_type.model))


def _plain(content: bytes | None) -> str | None:
    """Text that needs no look: neither empty nor long, and ASCII without NUL."""
    if not content or len(content) > envelope.MAX_ATTRIBUTE_CHARACTERS or not content.isascii() or b"\x00" in content:
        return None
    return content.decode()


def _is_time(content: bytes | None) -> bool:
    return content is not None and content.isascii() and envelope.has_instant(content.decode())


@cache
def validator(model: type[EventData]) -> Callable[[bytes], EventData]:
    """What makes an event's data of JSON, or raises ValidationError; it may refuse what the model accepts."""
    # Not the prebuilt validators: the model's own would be taken instead of the schema given.
    quick = SchemaValidator(_in_rust(model.__pydantic_core_schema__), _use_prebuilt=False)
    return partial(quick.validate_json, strict=True)


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


def _utc_time(given: object) -> datetime:
    """A time in UTC of the years in use, in one step instead of three."""
    time = types.read_time(given) if isinstance(given, str) else None
    if time is None or time.tzinfo is not UTC or not 1 < time.year < 9999:  # noqa: PLR2004 - datetime's own limits
        raise ValueError
    return time


_NO_SCHEMA = frozenset({"metadata", "config", "serialization", "default", "cls", "function", "expected"})
_NARROWER: Mapping[object, Callable[[dict[str, Any]], Any]] = {
    # Half a surrogate pair cannot be in text that came through Rust.
    types._storable: lambda schema: schema["schema"] | {"pattern": _WITHOUT_NUL},  # noqa: SLF001
    types._in_utc: lambda _: core_schema.no_info_plain_validator_function(_utc_time),  # noqa: SLF001
}
