"""From Kafka records to events and dead letters, without touching Kafka or the database."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from shared.contract import envelope, quick
from shared.contract.catalogue import EventType

from .handlers import Received
from .record_batches import UNREADABLE


class Record(Protocol):
    """What is used of aiokafka's ConsumerRecord."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


class Decoded(Struct):  # there is one for every record, and a dataclass costs four times as much
    """A record that is an event of the contract."""

    record: Record
    event_type: EventType
    event: Received[Any]

    @property
    def identity(self) -> tuple[str, str]:
        return self.event.id, self.event.source

    @property
    def miskeyed(self) -> bool:
        key: str = self.event.data.key_value()
        return self.record.key != key.encode()


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be handled, and why."""

    record: Record
    reason: str
    event_id: str | None = None
    event_type: str | None = None


R = TypeVar("R", bound=Record)

NO_TRACE: Mapping[str, str] = MappingProxyType({})


def last_of_each(records: Iterable[R]) -> dict[tuple[str, int], R]:
    """The last record of each topic and partition."""
    return {(record.topic, record.partition): record for record in records}


def decode(record: Record, topic_prefix: str = "") -> Decoded | Refused:
    """Never raises for anything a producer can send."""
    topic = record.topic.removeprefix(topic_prefix)
    found = quick.read(record.headers, record.value, topic)
    if found is None:
        return _decode_with_care(record, topic)
    event_type, event_id, source, data, correlation_id, traceparent = found
    trace = {"traceparent": traceparent} if traceparent else NO_TRACE
    return Decoded(record, event_type, Received(event_id, source, data, correlation_id, trace, record))


def _decode_with_care(record: Record, topic: str) -> Decoded | Refused:
    if record.headers and record.headers[0][0] == UNREADABLE:
        return Refused(record, _shown(record.headers[0][1]) or "")
    try:
        event = envelope.from_record(record.headers, record.value)
    except envelope.Undecodable as wrong:
        stated = {name.lower(): content for name, content in record.headers}
        return Refused(record, str(wrong), _shown(stated.get("ce_id")), _shown(stated.get("ce_type")))
    try:
        event_type, data = envelope.decode(event, topic)
    except envelope.Undecodable as wrong:
        return Refused(record, str(wrong), event.id, _printable(event.type))
    received = Received(
        id=event.id,
        source=event.source,
        data=data,
        correlation_id=_printable(event.extensions.get("correlationid", event.id)),
        trace={"traceparent": event.extensions["traceparent"]} if "traceparent" in event.extensions else NO_TRACE,
        record=record,
    )
    return Decoded(record, event_type, received)


def _shown(content: bytes | None) -> str | None:
    return None if content is None else _printable(content.decode("utf-8", "replace"))


def _printable(text: str) -> str:
    """PostgreSQL text takes no NUL, and nobody reads an identifier of more than 300 characters."""
    return envelope.storable(text.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:300])
