"""Deliveries as people look at them, replay them and give them up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from . import outgoing

if TYPE_CHECKING:
    from .connection import Connection

State = Literal["pending", "delivered", "failed", "erased"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one subscription; `due_at` is when it, or what it waits for, is tried next."""

    id: int
    subscription_id: UUID
    message_id: UUID
    event_id: str
    source: str
    type: str
    key: str
    state: State
    failures: int
    note: str | None
    received_at: datetime
    finished_at: datetime | None
    due_at: datetime | None
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries; what is None does not matter."""

    subscription_id: UUID | None = None
    state: State | None = None
    event_type: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


_MATCHING = """
    ($1::uuid IS NULL OR d.subscription_id = $1) AND ($2::text IS NULL OR d.state = $2)
    AND ($3::text IS NULL OR m.type = $3) AND ($4::text IS NULL OR m.key = $4)
    AND ($5::timestamptz IS NULL OR m.received_at >= $5) AND ($6::timestamptz IS NULL OR m.received_at < $6)
    AND ($7::bigint IS NULL OR d.id < $7)
"""
_COLUMNS = """
    d.id, d.subscription_id, d.message_id, m.event_id, m.source, m.type, m.key, d.state, d.failures, d.note,
    m.received_at, d.finished_at, CASE WHEN d.state = 'pending' THEN l.due_at END AS due_at, a.status, a.error
"""
_TABLES = """
    deliveries AS d JOIN messages AS m ON m.id = d.message_id
    LEFT JOIN lanes AS l ON l.subscription_id = d.subscription_id AND l.lane = d.lane
    LEFT JOIN LATERAL (
        SELECT status, error FROM attempts WHERE delivery_id = d.id ORDER BY number DESC LIMIT 1
    ) AS a ON true
"""


def _arguments(wanted: Wanted) -> tuple[object, ...]:
    return (
        wanted.subscription_id,
        wanted.state,
        wanted.event_type,
        wanted.key,
        wanted.since,
        wanted.until,
        wanted.before,
    )


async def page(connection: Connection, wanted: Wanted, limit: int) -> list[Delivery]:
    """The newest first; `before` the last one's id comes the next page."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM {_TABLES} WHERE {_MATCHING} ORDER BY d.id DESC LIMIT $8",  # noqa: S608 - constants
        *_arguments(wanted),
        limit,
    )
    return [Delivery(**row) for row in rows]


async def find(connection: Connection, identifier: int) -> Delivery | None:
    row = await connection.fetchrow(f"SELECT {_COLUMNS} FROM {_TABLES} WHERE d.id = $1", identifier)  # noqa: S608
    return Delivery(**row) if row else None


async def body(connection: Connection, message_id: UUID) -> str | None:
    found: str | None = await connection.fetchval("SELECT body FROM messages WHERE id = $1", message_id)
    return found


async def attempts(connection: Connection, identifier: int) -> list[dict[str, object]]:
    rows = await connection.fetch(
        """
        SELECT number, started_at, milliseconds, status, error, answer
          FROM attempts WHERE delivery_id = $1 ORDER BY number
        """,
        identifier,
    )
    return [dict(row) for row in rows]


async def counts(connection: Connection, identifiers: Sequence[UUID]) -> dict[UUID, dict[State, int]]:
    """How many deliveries of each subscription are in which state."""
    rows = await connection.fetch(
        """
        SELECT subscription_id, state, count(*) AS number FROM deliveries
         WHERE subscription_id = ANY ($1::uuid[]) GROUP BY subscription_id, state
        """,
        identifiers,
    )
    found: dict[UUID, dict[State, int]] = {identifier: {} for identifier in identifiers}
    for row in rows:
        found[row["subscription_id"]][row["state"]] = row["number"]
    return found


async def replay(connection: Connection, wanted: Wanted, now: datetime, *, only: int | None, limit: int) -> int:
    """Queue again what still has its event, the oldest first, and try at once what is queued; how many.

    The caller holds the subscription. `only` is one delivery, by its id.
    """
    rows = await connection.fetch(
        f"""
        WITH chosen AS (
            SELECT d.id FROM deliveries AS d JOIN messages AS m ON m.id = d.message_id
             WHERE {_MATCHING} AND ($8::bigint IS NULL OR d.id = $8)
               AND d.state <> 'erased' AND m.body IS NOT NULL
             ORDER BY d.id LIMIT $9 FOR NO KEY UPDATE OF d
        )
        UPDATE deliveries SET state = 'pending', failures = 0, note = NULL, finished_at = NULL
          FROM chosen WHERE deliveries.id = chosen.id
        RETURNING subscription_id, lane
        """,  # noqa: S608 - constants
        *_arguments(wanted),
        only,
        limit,
    )
    await outgoing.open_lanes(connection, [(row["subscription_id"], row["lane"]) for row in rows], now, at_once=True)
    return len(rows)


async def give_up(
    connection: Connection,
    now: datetime,
    note: str,
    *,
    only: int | None = None,
    subscription_id: UUID | None = None,
    older_than: datetime | None = None,
) -> int:
    """End what is pending, one delivery or a subscription's; how many. The caller holds the subscription."""
    rows = await connection.fetch(
        """
        UPDATE deliveries SET state = 'failed', note = $3, finished_at = $4 FROM messages
         WHERE messages.id = message_id AND state = 'pending'
           AND ($1::bigint IS NULL OR deliveries.id = $1) AND ($2::uuid IS NULL OR subscription_id = $2)
           AND ($5::timestamptz IS NULL OR received_at < $5)
        RETURNING subscription_id, lane
        """,
        only,
        subscription_id,
        note,
        now,
        older_than,
    )
    # What follows does not wait for the time that the ended one waited for.
    await connection.execute(
        """
        UPDATE lanes SET due_at = $3
          FROM unnest($1::uuid[], $2::text[]) AS given (subscription_id, lane)
         WHERE lanes.subscription_id = given.subscription_id AND lanes.lane = given.lane AND due_at > $3
        """,
        [row["subscription_id"] for row in rows],
        [row["lane"] for row in rows],
        now,
    )
    return len(rows)
