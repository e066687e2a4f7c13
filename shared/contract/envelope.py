"""CloudEvents 1.0 over Kafka: reading records in binary and structured mode, writing binary ones.

Source: https://github.com/cloudevents/spec, kafka-protocol-binding.md and json-format.md, version 1.0.2.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from .catalogue import EVENTS, EventType
from .events import EventData
from .types import read_time

SPEC_VERSION = "1.0"
MAX_DATA_BYTES = 1_048_576
MAX_ATTRIBUTE_CHARACTERS = 300
MAX_NAME_SHOWN = 80
STRUCTURED = "application/cloudevents"
CONTEXT_ATTRIBUTES = frozenset(
    {"id", "source", "type", "specversion", "time", "subject", "datacontenttype", "dataschema"}
)


class Undecodable(Exception):  # noqa: N818 - named for what the record is
    """The record is no event of the contract; the message says what is wrong and where."""


class Envelope(Struct, frozen=True):  # one for every event out: a dataclass costs eight times as much
    """A CloudEvent with its data still as bytes; extensions keep the names they came with."""

    id: str
    source: str
    type: str
    data: bytes
    time: str | None = None
    subject: str | None = None
    content_type: str = "application/json"
    extensions: Mapping[str, str] = {}


def from_record(headers: Iterable[tuple[str, bytes | None]], value: bytes | None) -> Envelope:
    """Read a Kafka record's headers and value.

    Raises:
        Undecodable: the record is not a CloudEvent 1.0 with JSON data.
    """
    texts = {name.lower(): _text(content) for name, content in headers}
    content_type = texts.get("content-type", "").strip().lower()
    if value is not None and len(value) > MAX_DATA_BYTES:
        raise Undecodable(f"the value has {len(value):,} bytes; an event may have {MAX_DATA_BYTES:,}")
    if content_type.startswith(STRUCTURED):
        if value is None:
            raise Undecodable("the record has no value (a tombstone); a structured event is its value")
        return from_structured(value)
    attributes = {name[3:]: text for name, text in texts.items() if name.startswith("ce_")}
    if not attributes:
        raise Undecodable(
            "the record has no ce_ headers and its content-type is not application/cloudevents+json; "
            "send a CloudEvent in binary or structured mode"
        )
    if value is None:
        raise Undecodable("the record has no value (a tombstone); an event needs data")
    stated = content_type or attributes.get("datacontenttype", "application/json")
    return _envelope(attributes, value, stated, traceparent=texts.get("traceparent"))


def from_structured(body: bytes) -> Envelope:
    """Read one event in the JSON format.

    Raises:
        Undecodable: the body is not a CloudEvent 1.0 in JSON.
    """
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as wrong:
        raise Undecodable(f"the structured event is not JSON: {wrong}") from None
    if not isinstance(event, dict):
        raise Undecodable(f"a structured event is one JSON object, not {type(event).__name__}")
    data = _structured_data(event)
    attributes = {}
    for name, content in event.items():
        if name in {"data", "data_base64"} or content is None:
            continue
        if isinstance(content, (dict, list)) or (name in CONTEXT_ATTRIBUTES and not isinstance(content, str)):
            raise Undecodable(f"attribute {_shown(name)} must be text, not {json.dumps(content)[:80]}")
        attributes[name.lower()] = content if isinstance(content, str) else json.dumps(content)
    return _envelope(attributes, data, attributes.get("datacontenttype", "application/json"))


def decode(envelope: Envelope, topic: str) -> tuple[EventType, EventData]:
    """The event's type and its validated data.

    Raises:
        Undecodable: unknown type or version, another topic's type, or data that break the schema.
    """
    event_type = EVENTS.get(envelope.type)
    if event_type is None:
        raise Undecodable(f"unknown type {envelope.type!r}; this release knows {_versions_like(envelope.type)}")
    if topic != event_type.topic:
        raise Undecodable(f"type {envelope.type} does not belong on topic {topic}; publish it to {event_type.topic}")
    try:
        return event_type, event_type.model.model_validate_json(envelope.data, strict=True)
    except ValidationError as wrong:
        raise Undecodable(explain(wrong)) from None


def encode(envelope: Envelope) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value of the event in binary mode."""
    headers = [
        ("ce_specversion", SPEC_VERSION.encode()),
        ("ce_id", envelope.id.encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", envelope.type.encode()),
    ]
    if envelope.time:
        headers.append(("ce_time", envelope.time.encode()))
    if envelope.subject:
        headers.append(("ce_subject", envelope.subject.encode()))
    headers += [(f"ce_{name}", text.encode()) for name, text in envelope.extensions.items() if name != "traceparent"]
    headers.append(("content-type", envelope.content_type.encode()))
    if "traceparent" in envelope.extensions:
        headers.append(("traceparent", envelope.extensions["traceparent"].encode()))
    return headers, envelope.data


def structured(envelope: Envelope) -> dict[str, Any]:
    """The event in the JSON format."""
    attributes = {
        "specversion": SPEC_VERSION,
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "time": envelope.time,
        "subject": envelope.subject,
        "datacontenttype": envelope.content_type,
        **envelope.extensions,
        "data": json.loads(envelope.data),
    }
    return {name: value for name, value in attributes.items() if value is not None}


def explain(error: ValidationError) -> str:
    """A validation error in one line: where and what, at most five places."""
    return in_words(error.errors(include_url=False, include_input=False))


def in_words(found: Sequence[Mapping[str, Any]]) -> str:
    """The same for the list of errors."""
    places = [f"{'.'.join(_shown(part) for part in item['loc']) or 'data'}: {item['msg']}" for item in found[:5]]
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""  # noqa: PLR2004 - the five named above
    return "; ".join(places) + more


def storable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def _shown(part: str | int) -> str:
    """A place's name; quoted, escaped and cut where it could mislead, since senders choose the names of fields."""
    name = str(part)
    return name if name.isprintable() and len(name) <= MAX_NAME_SHOWN else repr(name[:MAX_NAME_SHOWN])


def _text(content: bytes | None) -> str:
    return "" if content is None else content.decode("utf-8", "replace")


def _structured_data(event: dict[str, Any]) -> bytes:
    if "data" in event:
        return json.dumps(event["data"]).encode()
    if isinstance(encoded := event.get("data_base64"), str):
        try:
            return base64.b64decode(encoded, validate=True)
        except ValueError as wrong:
            raise Undecodable(f"data_base64 is not base64: {wrong}") from None
    raise Undecodable("the structured event has no data")


def _envelope(
    attributes: dict[str, str], data: bytes, content_type: str, *, traceparent: str | None = None
) -> Envelope:
    _check_required(attributes)
    media_type = content_type.split(";", maxsplit=1)[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Undecodable(f"the data's content type is {media_type!r}; send application/json")
    if (time := attributes.get("time")) and not has_instant(time):
        raise Undecodable(
            f"attribute time {time[:60]!r} is no RFC 3339 time; send date, time and offset: 2026-03-02T10:00:00Z"
        )
    extensions = {name: text for name, text in attributes.items() if name not in CONTEXT_ATTRIBUTES}
    if traceparent:
        extensions["traceparent"] = traceparent
    return Envelope(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        data=data,
        time=time,
        subject=attributes.get("subject"),
        extensions=extensions,
    )


def has_instant(time: str) -> bool:
    try:
        return read_time(time).tzinfo is not None
    except ValueError:
        return False


def _check_required(attributes: dict[str, str]) -> None:
    for name in ("specversion", "id", "source", "type"):
        if not attributes.get(name):
            raise Undecodable(f"the required attribute {name} is missing or empty")
        if len(attributes[name]) > MAX_ATTRIBUTE_CHARACTERS:
            raise Undecodable(f"attribute {name} has more than {MAX_ATTRIBUTE_CHARACTERS} characters")
        if "\x00" in attributes[name]:
            raise Undecodable(f"attribute {name} contains a NUL character")
        if attributes[name] != storable(attributes[name]):
            raise Undecodable(f"attribute {name} contains half of a surrogate pair")
    if attributes["specversion"] != SPEC_VERSION:
        raise Undecodable(f"specversion {attributes['specversion']!r} is not supported; send {SPEC_VERSION}")


def _versions_like(type_name: str) -> str:
    stem = type_name.rsplit(".v", 1)[0]
    same = [known for known in EVENTS if known.rsplit(".v", 1)[0] == stem]
    return ", ".join(same or EVENTS)
