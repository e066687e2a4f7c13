"""Demo requests and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import asyncpg

from services.scheduling.availability import Span

if TYPE_CHECKING:
    from datetime import datetime

    from services.scheduling.store.connection import Connection

RequestState: TypeAlias = Literal["received", "waiting", "booked", "cancelled", "completed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A demo request, with who asks as that is known now (nothing once erased); `reason` says why it waits."""

    request_id: str
    participant_id: str
    study_id: str | None
    state: RequestState
    reason: str | None
    requested_at: datetime
    timezone: str
    questions: tuple[str, ...]
    preferred: tuple[Span, ...]
    token: str
    name: str | None = None
    email: str | None = None
    company: str | None = None


async def add(connection: Connection, request: Request) -> bool:
    """Whether the request is new; one with the same id stays as it is."""
    row = await connection.fetchval(
        """
        INSERT INTO requests (request_id, participant_id, study_id, state, reason, requested_at, timezone, questions,
                              preferred, token)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (request_id) DO NOTHING
        RETURNING true
        """,
        request.request_id,
        request.participant_id,
        request.study_id,
        request.state,
        request.reason,
        request.requested_at,
        request.timezone,
        request.questions,
        [asyncpg.Range(wish.start, wish.end) for wish in request.preferred],
        request.token,
    )
    return row is not None


async def find(connection: Connection, request_id: str) -> Request | None:
    row = await connection.fetchrow("SELECT * FROM request_details WHERE request_id = $1", request_id)
    return _request(row) if row else None


async def find_by_token(connection: Connection, token: str) -> Request | None:
    row = await connection.fetchrow("SELECT * FROM request_details WHERE token = $1", token)
    return _request(row) if row else None


async def page(connection: Connection, state: RequestState | None, limit: int) -> list[Request]:
    """Oldest first, all states or one."""
    rows = await connection.fetch(
        """
        SELECT * FROM request_details WHERE $1::text IS NULL OR state = $1 ORDER BY requested_at, request_id LIMIT $2
        """,
        state,
        limit,
    )
    return [_request(row) for row in rows]


async def lock(connection: Connection, request_id: str) -> Request | None:
    """The request, for this transaction alone to change until it ends."""
    # Two statements: a joined row read while waiting for the lock would be the one from before.
    await connection.execute("SELECT FROM requests WHERE request_id = $1 FOR NO KEY UPDATE", request_id)
    return await find(connection, request_id)


async def count_waiting(connection: Connection) -> int:
    counted: int = await connection.fetchval("SELECT count(*) FROM requests WHERE state = 'waiting'")
    return counted


async def studies_waited_for(connection: Connection) -> list[str | None]:
    """The studies that waiting requests name, None for any, who waits longest first; only those that exist by now."""
    # Requests may name any number of studies that never come: they must not be tried one by one at every change.
    rows = await connection.fetch(
        """
        SELECT study_id FROM requests
         WHERE state = 'waiting' AND (study_id IS NULL OR study_id IN (SELECT study_id FROM studies))
         GROUP BY study_id ORDER BY min(requested_at)
        """
    )
    return [row["study_id"] for row in rows]


async def lock_longest_waiting(connection: Connection, study_id: str | None) -> Request | None:
    """The request for the study that waits longest; one that another transaction works on is left to it."""
    request_id = await connection.fetchval(
        """
        SELECT request_id FROM requests
         WHERE state = 'waiting' AND study_id IS NOT DISTINCT FROM $1
         ORDER BY requested_at, request_id LIMIT 1
           FOR NO KEY UPDATE SKIP LOCKED
        """,
        study_id,
    )
    return await find(connection, request_id) if request_id else None


async def explain(connection: Connection, study_id: str | None, reason: str) -> None:
    """All that wait for the study wait for the same reason."""
    await connection.execute(
        """
        UPDATE requests SET reason = $2
         WHERE request_id IN (SELECT request_id FROM requests
                               WHERE state = 'waiting' AND study_id IS NOT DISTINCT FROM $1 AND reason <> $2
                                 FOR NO KEY UPDATE SKIP LOCKED)
        """,
        study_id,
        reason,
    )


async def lock_of_participant(connection: Connection, participant_id: str) -> list[str]:
    # In the order of their ids, so that two erasures wait for each other instead of deadlocking.
    rows = await connection.fetch(
        "SELECT request_id FROM requests WHERE participant_id = $1 ORDER BY request_id FOR NO KEY UPDATE",
        participant_id,
    )
    return [row["request_id"] for row in rows]


async def settle(connection: Connection, request_id: str, state: RequestState, reason: str | None = None) -> None:
    await connection.execute(
        "UPDATE requests SET state = $2, reason = $3 WHERE request_id = $1", request_id, state, reason
    )


async def forget_words(connection: Connection, participant_id: str) -> None:
    """Remove what the person wrote and where they are, and end what still waits."""
    await connection.execute(
        """
        UPDATE requests
           SET questions = '{}', preferred = '{}', reason = NULL, timezone = 'UTC',
               state = CASE WHEN state IN ('received', 'waiting') THEN 'cancelled' ELSE state END
         WHERE participant_id = $1
        """,
        participant_id,
    )


def _request(row: asyncpg.Record) -> Request:
    return Request(
        **dict(row)
        | {
            "questions": tuple(row["questions"]),
            "preferred": tuple(Span(wish.lower, wish.upper) for wish in row["preferred"]),
        }
    )
