"""The one list of Kafka topics; nothing creates a topic that is not on it."""

from dataclasses import dataclass

from .events import EVENTS, EventType

PARTITIONS = 12
MAX_MESSAGE_BYTES = 16_777_216
"""Far above what an event may have: what is too large shall reach the dead letters, not be lost at the edge."""


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    partitions: int
    config: dict[str, str]


def declared(prefix: str = "", partitions: int | None = None) -> list[Topic]:
    """Every topic of the contract; `prefix` separates installations that share one Kafka."""
    return [
        Topic(name=f"{prefix}{event.topic}", partitions=partitions or PARTITIONS, config=_config(event))
        for event in EVENTS.values()
    ]


def _config(event: EventType) -> dict[str, str]:
    milliseconds = -1 if event.retention is None else int(event.retention.total_seconds() * 1000)
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(milliseconds),
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
    }
