"""Interviews, and the bookings that keep their hosts' time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import asyncpg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from services.scheduling.store.connection import Connection

InterviewState: TypeAlias = Literal["booked", "cancelled", "completed"]
CancelledBy: TypeAlias = Literal["participant", "team"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """An interview with what its request, study and people say of it now."""

    interview_id: str
    version: int
    request_id: str
    study_id: str
    participant_id: str
    moderator_id: str
    note_taker_id: str | None
    starts_at: datetime
    ends_at: datetime
    state: InterviewState
    scheduled_at: datetime
    cancelled_at: datetime | None
    cancelled_by: CancelledBy | None
    cancel_reason: str | None
    timezone: str
    questions: tuple[str, ...]
    segment: Mapping[str, str]
    study_title: str
    moderator_name: str
    moderator_email: str
    note_taker_name: str | None
    participant_name: str | None
    participant_email: str | None
    participant_company: str | None
    participant_phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """The hosts and the time of an interview that is to be written down; `gap` keeps the hosts free after it."""

    interview_id: str
    moderator_id: str
    note_taker_id: str | None
    starts_at: datetime
    ends_at: datetime
    gap: timedelta


async def book(
    connection: Connection, booking: Booking, *, request_id: str, study_id: str, participant_id: str, now: datetime
) -> bool:
    """Write a new interview down; False when one of its hosts was taken meanwhile, and nothing is changed then."""
    try:
        async with connection.transaction():
            await connection.execute(
                """
                INSERT INTO interviews (interview_id, version, request_id, study_id, participant_id, moderator_id,
                                        note_taker_id, starts_at, ends_at, state, scheduled_at)
                VALUES ($1, (SELECT floor + 1 FROM version_floor), $2, $3, $4, $5, $6, $7, $8, 'booked', $9)
                """,
                booking.interview_id,
                request_id,
                study_id,
                participant_id,
                booking.moderator_id,
                booking.note_taker_id,
                booking.starts_at,
                booking.ends_at,
                now,
            )
            await _take_time(connection, booking)
    except asyncpg.ExclusionViolationError:
        return False
    return True


async def move(connection: Connection, booking: Booking) -> bool:
    """Give an interview another time, one version up; False when a host was taken meanwhile."""
    try:
        async with connection.transaction():
            await connection.execute(
                """
                UPDATE interviews
                   SET version = version + 1, moderator_id = $2, note_taker_id = $3, starts_at = $4, ends_at = $5
                 WHERE interview_id = $1
                """,
                booking.interview_id,
                booking.moderator_id,
                booking.note_taker_id,
                booking.starts_at,
                booking.ends_at,
            )
            await _free_time(connection, booking.interview_id)
            await _take_time(connection, booking)
    except asyncpg.ExclusionViolationError:
        return False
    return True


async def cancel(
    connection: Connection, interview_id: str, *, by: CancelledBy, reason: str | None, now: datetime
) -> None:
    await connection.execute(
        """
        UPDATE interviews
           SET state = 'cancelled', version = version + 1, cancelled_at = $2, cancelled_by = $3, cancel_reason = $4
         WHERE interview_id = $1
        """,
        interview_id,
        now,
        by,
        reason,
    )
    await _free_time(connection, interview_id)


async def complete(connection: Connection, interview_id: str, at: datetime) -> None:
    """It took place; one that was held before its time gives that time back."""
    await connection.execute("UPDATE interviews SET state = 'completed' WHERE interview_id = $1", interview_id)
    await connection.execute("DELETE FROM bookings WHERE interview_id = $1 AND lower(during) > $2", interview_id, at)


async def find(connection: Connection, interview_id: str) -> Interview | None:
    row = await connection.fetchrow("SELECT * FROM interview_details WHERE interview_id = $1", interview_id)
    return _interview(row) if row else None


async def of_request(connection: Connection, request_id: str) -> list[Interview]:
    """The request's interviews, the one that counts first."""
    rows = await connection.fetch(
        """
        SELECT * FROM interview_details WHERE request_id = $1 ORDER BY state = 'cancelled', scheduled_at DESC
        """,
        request_id,
    )
    return [_interview(row) for row in rows]


async def page(
    connection: Connection, limit: int, *, state: InterviewState | None = None, since: datetime | None = None
) -> list[Interview]:
    """By start, of all states or one, that end after a time or at any."""
    rows = await connection.fetch(
        """
        SELECT * FROM interview_details
         WHERE ($1::text IS NULL OR state = $1) AND ($2::timestamptz IS NULL OR ends_at > $2)
         ORDER BY starts_at, interview_id
         LIMIT $3
        """,
        state,
        since,
        limit,
    )
    return [_interview(row) for row in rows]


async def count_ahead(connection: Connection, now: datetime) -> int:
    counted: int = await connection.fetchval(
        "SELECT count(*) FROM interviews WHERE state = 'booked' AND ends_at > $1", now
    )
    return counted


async def forget_words(connection: Connection, participant_id: str) -> int:
    """Remove why interviews were cancelled; gives how many interviews the person had."""
    forgotten = await connection.fetch(
        "UPDATE interviews SET cancel_reason = NULL WHERE participant_id = $1 RETURNING interview_id", participant_id
    )
    return len(forgotten)


async def remember_session(
    connection: Connection, session_id: str, interview_id: str | None, request_id: str | None, at: datetime
) -> None:
    await connection.execute(
        """
        INSERT INTO held_sessions (session_id, interview_id, request_id, completed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT DO NOTHING
        """,
        session_id,
        interview_id,
        request_id,
        at,
    )


async def was_held(connection: Connection, request_id: str) -> bool:
    """Whether a session of the request took place already."""
    held: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM held_sessions WHERE request_id = $1)", request_id
    )
    return held


async def _take_time(connection: Connection, booking: Booking) -> None:
    # Ordered by host, so that two bookings of the same two hosts wait for each other instead of deadlocking.
    await connection.execute(
        """
        INSERT INTO bookings (interview_id, host_id, during)
        SELECT $1, host_id, tstzrange($3, $4) FROM unnest($2::text[]) AS host_id ORDER BY host_id
        """,
        booking.interview_id,
        _hosts(booking),
        booking.starts_at,
        booking.ends_at + booking.gap,
    )


async def _free_time(connection: Connection, interview_id: str) -> None:
    await connection.execute("DELETE FROM bookings WHERE interview_id = $1", interview_id)


def _hosts(booking: Booking) -> Sequence[str]:
    return [host for host in (booking.moderator_id, booking.note_taker_id) if host is not None]


def _interview(row: asyncpg.Record) -> Interview:
    return Interview(**dict(row) | {"questions": tuple(row["questions"])})
