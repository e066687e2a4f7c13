"""Deliveries that are attempted now: each by one process, and again when that process dies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .connection import Connection


@dataclass(frozen=True, slots=True)
class Claim:
    """One delivery to attempt; `until` is how long it is nobody else's, and tells this claim from a later one."""

    delivery_id: int
    subscription_id: UUID
    message_id: UUID
    lane: str
    until: datetime
    url: str
    body: str
    failures: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an attempt went: a status, or an error where there was no answer."""

    started_at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    answer: str | None


async def take(
    connection: Connection, now: datetime, until: datetime, *, most: int, most_each: int, running: Mapping[UUID, int]
) -> list[Claim]:
    """Claim what is due: `most` in all, and of each subscription `most_each` with those that are running."""
    lanes = await connection.fetch(
        """
        WITH due AS (
            SELECT picked.subscription_id, picked.lane
              FROM subscriptions AS s
                   LEFT JOIN unnest($5::uuid[], $6::int[]) AS busy (subscription_id, running)
                          ON busy.subscription_id = s.id
                   CROSS JOIN LATERAL (
                       SELECT subscription_id, lane, due_at FROM lanes
                        WHERE lanes.subscription_id = s.id AND due_at <= $1
                        ORDER BY due_at LIMIT greatest($4 - coalesce(busy.running, 0), 0)
                          FOR NO KEY UPDATE SKIP LOCKED
                   ) AS picked
             WHERE s.state = 'active'
             ORDER BY picked.due_at LIMIT $3
        )
        UPDATE lanes SET due_at = $2 FROM due
         WHERE lanes.subscription_id = due.subscription_id AND lanes.lane = due.lane
        RETURNING lanes.subscription_id, lanes.lane
        """,
        now,
        until,
        most,
        most_each,
        list(running),
        list(running.values()),
    )
    if not lanes:
        return []
    rows = await connection.fetch(
        """
        SELECT claimed.subscription_id, claimed.lane, first.id, first.message_id, first.failures, url, body
          FROM unnest($1::uuid[], $2::text[]) AS claimed (subscription_id, lane)
               JOIN subscriptions ON subscriptions.id = claimed.subscription_id
               LEFT JOIN LATERAL (
                   SELECT deliveries.id, message_id, failures, body
                     FROM deliveries JOIN messages ON messages.id = message_id
                    WHERE deliveries.subscription_id = claimed.subscription_id AND deliveries.lane = claimed.lane
                      AND state = 'pending'
                    ORDER BY deliveries.id LIMIT 1
               ) AS first ON true
        """,
        [row["subscription_id"] for row in lanes],
        [row["lane"] for row in lanes],
    )
    for row in rows:
        if row["id"] is None:  # what was in the lane was erased or given up
            await _close(connection, row["subscription_id"], row["lane"])
    return [
        Claim(
            row["id"],
            row["subscription_id"],
            row["message_id"],
            row["lane"],
            until,
            row["url"],
            row["body"],
            row["failures"],
        )
        for row in rows
        if row["id"] is not None
    ]


async def holds(connection: Connection, claim: Claim) -> bool:
    """Whether the claim did not run out; if so its lane is locked."""
    return bool(
        await connection.fetchval(
            """
            SELECT true FROM lanes WHERE subscription_id = $1 AND lane = $2 AND due_at = $3 FOR NO KEY UPDATE
            """,
            claim.subscription_id,
            claim.lane,
            claim.until,
        )
    )


async def record(connection: Connection, claim: Claim, attempt: Attempt) -> None:
    """Keep the attempt; what was answered to an erased event is not kept."""
    await connection.execute(
        """
        INSERT INTO attempts (delivery_id, number, started_at, milliseconds, status, error, answer)
        SELECT $1, 1 + (SELECT coalesce(max(number), 0) FROM attempts WHERE delivery_id = $1), $2, $3, $4, $5,
               CASE WHEN body IS NOT NULL THEN $6 END
          FROM deliveries JOIN messages ON messages.id = message_id WHERE deliveries.id = $1
        """,
        claim.delivery_id,
        attempt.started_at,
        attempt.milliseconds,
        attempt.status,
        attempt.error,
        attempt.answer,
    )


async def fail_once(connection: Connection, claim: Claim, due_at: datetime) -> None:
    """Leave it pending until then, and with it what follows in its lane."""
    await connection.execute("UPDATE deliveries SET failures = failures + 1 WHERE id = $1", claim.delivery_id)
    await connection.execute(
        "UPDATE lanes SET due_at = $3 WHERE subscription_id = $1 AND lane = $2",
        claim.subscription_id,
        claim.lane,
        due_at,
    )


async def finish(connection: Connection, claim: Claim, state: str, note: str | None, now: datetime) -> None:
    """End the delivery; an event with contact details stays no longer than somebody waits for it."""
    await connection.execute(
        "UPDATE deliveries SET state = $2, note = $3, finished_at = $4 WHERE id = $1 AND state = 'pending'",
        claim.delivery_id,
        state,
        note,
        now,
    )
    await connection.execute(
        """
        UPDATE messages SET body = NULL
         WHERE id = $1 AND personal
           AND NOT EXISTS (SELECT FROM deliveries WHERE message_id = $1 AND state = 'pending')
        """,
        claim.message_id,
    )


async def release(connection: Connection, claim: Claim, now: datetime) -> None:
    """Let the next of the claim's lane go."""
    await connection.execute(
        "UPDATE lanes SET due_at = $3 WHERE subscription_id = $1 AND lane = $2",
        claim.subscription_id,
        claim.lane,
        now,
    )
    await _close(connection, claim.subscription_id, claim.lane)


async def _close(connection: Connection, subscription_id: UUID, lane: str) -> None:
    """Remove the lane, which the caller has locked, if nothing is pending in it."""
    await connection.execute(
        """
        DELETE FROM lanes WHERE subscription_id = $1 AND lane = $2
           AND NOT EXISTS (SELECT FROM deliveries WHERE subscription_id = $1 AND lane = $2 AND state = 'pending')
        """,
        subscription_id,
        lane,
    )
