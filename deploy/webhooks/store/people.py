"""Who asked with which request, and what is kept of events about people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .connection import Connection


async def heard(connection: Connection, askers: Sequence[tuple[str, str]], now: datetime) -> None:
    """Remember who asked with which request, as (request, participant)."""
    ordered = sorted(set(askers))
    await connection.execute(
        """
        INSERT INTO askers (request_id, participant_id, heard_at)
        SELECT request_id, participant_id, $3 FROM unnest($1::text[], $2::text[]) AS given (request_id, participant_id)
        ON CONFLICT (participant_id, request_id) DO UPDATE SET heard_at = excluded.heard_at
        """,
        [request for request, _ in ordered],
        [participant for _, participant in ordered],
        now,
    )


async def requests_of(connection: Connection, participant_id: str) -> list[str]:
    """The ids of the requests that are known to be the participant's."""
    rows = await connection.fetch(
        "SELECT request_id FROM askers WHERE participant_id = $1 ORDER BY request_id", participant_id
    )
    return [row["request_id"] for row in rows]


async def bodies_about(connection: Connection, people: Sequence[str]) -> list[tuple[UUID, str, str]]:
    """The kept events that are about or name one of the people: message id, type and body."""
    rows = await connection.fetch(
        "SELECT id, type, body FROM messages WHERE people && $1::text[] AND body IS NOT NULL ORDER BY id", people
    )
    return [(row["id"], row["type"], row["body"]) for row in rows]


async def replace_bodies(
    connection: Connection, bodies: dict[UUID, str | None], people: Sequence[str], now: datetime
) -> None:
    """Put what is left of the events in their places; those of which nothing is left go to nobody any more."""
    gone = [identifier for identifier, body in bodies.items() if body is None]
    await connection.execute(
        """
        UPDATE deliveries SET state = 'erased', finished_at = $2, note = 'the person the event is about was erased'
         WHERE message_id = ANY ($1::uuid[]) AND state = 'pending'
        """,
        gone,
        now,
    )
    # A receiver's answer may repeat what it was sent.
    await connection.execute(
        """
        UPDATE attempts SET answer = NULL FROM deliveries
         WHERE deliveries.id = delivery_id AND message_id = ANY ($1::uuid[]) AND answer IS NOT NULL
        """,
        list(bodies),
    )
    await connection.execute(
        """
        UPDATE messages
           SET body = given.body,
               people = ARRAY(SELECT person FROM unnest(people) AS person WHERE person <> ALL ($3::text[])),
               key = CASE WHEN given.body IS NULL THEN '' ELSE key END
          FROM unnest($1::uuid[], $2::text[]) AS given (id, body) WHERE messages.id = given.id
        """,
        list(bodies),
        list(bodies.values()),
        people,
    )
