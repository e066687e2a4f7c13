"""What is counted, and what is removed when its time is over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .connection import Connection


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be delivered, and how many seconds the oldest has waited."""

    pending: int
    oldest_seconds: float
    disabled: int


async def backlog(connection: Connection, now: datetime) -> Backlog:
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM deliveries WHERE state = 'pending') AS pending,
               (SELECT coalesce(extract(epoch FROM $1 - min(received_at)), 0)
                  FROM messages WHERE id IN (SELECT message_id FROM deliveries WHERE state = 'pending')) AS oldest,
               (SELECT count(*) FROM subscriptions WHERE state = 'disabled') AS disabled
        """,
        now,
    )
    assert row is not None
    return Backlog(row["pending"], float(row["oldest"]), row["disabled"])


async def disabled(connection: Connection) -> list[UUID]:
    """Disabled subscriptions for which something is pending all the same."""
    rows = await connection.fetch(
        """
        SELECT id FROM subscriptions
         WHERE state = 'disabled' AND EXISTS (SELECT FROM lanes WHERE subscription_id = subscriptions.id)
        """
    )
    return [row["id"] for row in rows]


async def drop_personal(connection: Connection, older_than: datetime, now: datetime, note: str) -> int:
    """End what carries contact details and is older, pending or not, and forget its content; how many events."""
    await connection.execute(
        """
        UPDATE deliveries SET state = 'failed', finished_at = $2, note = $3 FROM messages
         WHERE messages.id = message_id AND personal AND received_at < $1 AND state = 'pending'
        """,
        older_than,
        now,
        note,
    )
    tag = await connection.execute(
        "UPDATE messages SET body = NULL WHERE personal AND received_at < $1 AND body IS NOT NULL", older_than
    )
    return _count(tag)


async def drop_old(connection: Connection, older_than: datetime, limit: int) -> int:
    """Remove some older events with their deliveries, all of which ended before that too; how many."""
    tag = await connection.execute(
        """
        DELETE FROM messages WHERE id IN (
            SELECT id FROM messages
             WHERE received_at < $1
               AND NOT EXISTS (
                   SELECT FROM deliveries
                    WHERE message_id = messages.id AND (state = 'pending' OR finished_at >= $1))
             LIMIT $2 FOR UPDATE SKIP LOCKED)
        """,
        older_than,
        limit,
    )
    return _count(tag)


async def drop_unwanted(connection: Connection, older_than: datetime, limit: int) -> int:
    """Remove some events whose subscriptions were all removed; how many."""
    tag = await connection.execute(
        """
        DELETE FROM messages WHERE id IN (
            SELECT id FROM messages
             WHERE received_at < $1 AND NOT EXISTS (SELECT FROM deliveries WHERE message_id = messages.id)
             LIMIT $2 FOR UPDATE SKIP LOCKED)
        """,
        older_than,
        limit,
    )
    return _count(tag)


async def drop_askers(connection: Connection, older_than: datetime) -> None:
    await connection.execute("DELETE FROM askers WHERE heard_at < $1", older_than)


async def drop_secrets(connection: Connection, now: datetime) -> None:
    await connection.execute("DELETE FROM secrets WHERE ends_at <= $1", now)


async def pending_before(connection: Connection, older_than: datetime) -> Collection[UUID]:
    """Subscriptions for which something waits that is older: paused ones, or with a lane that never moves."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT subscription_id FROM deliveries JOIN messages ON messages.id = message_id
         WHERE state = 'pending' AND received_at < $1
        """,
        older_than,
    )
    return [row["subscription_id"] for row in rows]


def _count(tag: str) -> int:
    return int(tag.rsplit(" ", 1)[-1])
