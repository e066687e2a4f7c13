"""The one list of Kafka topics; nothing creates a topic that is not on it."""

from dataclasses import dataclass
from datetime import timedelta

from .catalogue import EVENTS, EventType

PARTITIONS = 12
MAX_MESSAGE_BYTES = 16_777_216
"""Far above what an event may have: what is too large shall reach the dead letters, not be lost at the edge."""


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    partitions: int
    config: dict[str, str]


WEEK, DAY = timedelta(days=7), timedelta(days=1)


def declared(prefix: str = "", partitions: int | None = None) -> list[Topic]:
    """Every topic of the contract; `prefix` separates installations that share one Kafka."""
    return [
        Topic(name=f"{prefix}{event.topic}", partitions=partitions or PARTITIONS, config=_config(event))
        for event in EVENTS.values()
    ]


def gone_after(event: EventType) -> timedelta | None:
    """How long a record lasts at most: Kafka deletes whole segments, each when its newest record expires."""
    return None if event.retention is None else event.retention + _segment(event) + DAY


def _segment(event: EventType) -> timedelta:
    """How long records are written to one segment; short where they expire soon, or some would outlast it doubly."""
    return DAY if event.retention is not None and event.retention <= timedelta(days=30) else WEEK


def _config(event: EventType) -> dict[str, str]:
    milliseconds = -1 if event.retention is None else int(event.retention.total_seconds() * 1000)
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(milliseconds),
        "segment.ms": str(int(_segment(event).total_seconds() * 1000)),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }
