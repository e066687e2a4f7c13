"""Events on their way in: one message each, and a delivery for every subscription that wants it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .connection import Connection


@dataclass(frozen=True, slots=True)
class Message:
    """An event as it is sent; `subscriptions` are those that get it."""

    id: UUID
    event_id: str
    source: str
    type: str
    key: str
    people: Sequence[str]
    personal: bool
    body: str
    subscriptions: Sequence[UUID]

    @property
    def lane(self) -> str:
        """What must keep its order: the events of one type and key."""
        return f"{self.type}/{self.key}"


async def add(connection: Connection, messages: Sequence[Message], now: datetime) -> None:
    """Queue the messages in their order."""
    wanted = [(identifier, message) for message in messages for identifier in message.subscriptions]
    await _add_messages(connection, messages, now)
    await open_lanes(connection, [(identifier, message.lane) for identifier, message in wanted], now)
    await connection.execute(
        """
        INSERT INTO deliveries (subscription_id, message_id, lane)
        SELECT subscription_id, message_id, lane
          FROM unnest($1::uuid[], $2::uuid[], $3::text[])
               WITH ORDINALITY AS given (subscription_id, message_id, lane, place)
         ORDER BY place
        """,
        [identifier for identifier, _ in wanted],
        [message.id for _, message in wanted],
        [message.lane for _, message in wanted],
    )


async def open_lanes(
    connection: Connection, lanes: Sequence[tuple[UUID, str]], now: datetime, *, at_once: bool = False
) -> None:
    """Make the lanes due; an open one keeps its time, but `at_once`. All are locked, so that none is closed now."""
    ordered = sorted(set(lanes))  # so that two who open the same ones wait for each other instead of deadlocking
    await connection.execute(
        """
        INSERT INTO lanes (subscription_id, lane, due_at)
        SELECT subscription_id, lane, $3 FROM unnest($1::uuid[], $2::text[]) AS given (subscription_id, lane)
        ON CONFLICT (subscription_id, lane)
        DO UPDATE SET due_at = CASE WHEN $4 THEN excluded.due_at ELSE lanes.due_at END
        """,
        [identifier for identifier, _ in ordered],
        [lane for _, lane in ordered],
        now,
        at_once,
    )


async def _add_messages(connection: Connection, messages: Sequence[Message], now: datetime) -> None:
    await connection.execute(
        """
        INSERT INTO messages (id, event_id, source, type, key, people, personal, body, received_at)
        SELECT id, event_id, source, type, key, string_to_array(people, ' '), personal, body, $9
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::text[])
               AS given (id, event_id, source, type, key, people, personal, body)
        """,
        [message.id for message in messages],
        [message.event_id for message in messages],
        [message.source for message in messages],
        [message.type for message in messages],
        [message.key for message in messages],
        [" ".join(message.people) for message in messages],  # ids hold no space; unnest would flatten arrays of arrays
        [message.personal for message in messages],
        [message.body for message in messages],
        now,
    )
