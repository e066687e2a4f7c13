"""The SQL of sessions and of forgetting a participant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg

from services.sessions.interviews import Session, State
from services.sessions.listening import Listening

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]

_FIELDS = tuple(field.name for field in fields(Session))


async def lock(connection: Connection, *names: str) -> None:
    """Hold what may not exist as a row yet until the transaction ends; names such as "participant p-1"."""
    # Sorted, so that two transactions wait for each other instead of deadlocking.
    for name in sorted(names):
        await connection.execute(
            """
            SELECT pg_advisory_xact_lock(hashtextextended('earshot sessions ' || $1, 0))
             WHERE current_setting('earshot.alone', true) IS DISTINCT FROM 'yes'
            """,
            name,
        )


async def find_session(connection: Connection, session_id: str) -> Session | None:
    row = await connection.fetchrow("SELECT * FROM sessions WHERE session_id = $1", session_id)
    return _session(row) if row else None


async def lock_session(connection: Connection, session_id: str) -> Session | None:
    # Steps of one session follow each other; NO KEY lets notes refer to the row meanwhile.
    row = await connection.fetchrow("SELECT * FROM sessions WHERE session_id = $1 FOR NO KEY UPDATE", session_id)
    return _session(row) if row else None


async def lock_sessions_of(connection: Connection, participant_id: str) -> list[Session]:
    # In the order of their ids, so that two transactions wait for each other instead of deadlocking.
    rows = await connection.fetch(
        "SELECT * FROM sessions WHERE participant_id = $1 ORDER BY session_id FOR NO KEY UPDATE", participant_id
    )
    return [_session(row) for row in rows]


async def list_sessions(
    connection: Connection, states: Sequence[State], *, limit: int, soonest_first: bool = False
) -> list[Session]:
    """At most `limit` sessions in any of the states by their planned start."""
    rows = await connection.fetch(
        """
        SELECT *
          FROM sessions
         WHERE state = ANY ($1)
         ORDER BY CASE WHEN $2 THEN starts_at END ASC, starts_at DESC NULLS LAST, session_id
         LIMIT $3
        """,
        list(states),
        soonest_first,
        limit,
    )
    return [_session(row) for row in rows]


async def save_session(connection: Connection, session: Session) -> None:
    """Insert or replace the session; the caller holds its lock."""
    await connection.execute(
        """
        INSERT INTO sessions (
            session_id, participant_id, state, interview_id, interview_version, request_id, study_id, moderator_id,
            note_taker_id, starts_at, ends_at, timezone, questions, segment, started_at, completed_at, guide_version,
            guide_questions, listening, erased_at
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
        ON CONFLICT (session_id) DO UPDATE
           SET participant_id    = excluded.participant_id,
               state             = excluded.state,
               interview_version = excluded.interview_version,
               request_id        = excluded.request_id,
               study_id          = excluded.study_id,
               moderator_id      = excluded.moderator_id,
               note_taker_id     = excluded.note_taker_id,
               starts_at         = excluded.starts_at,
               ends_at           = excluded.ends_at,
               timezone          = excluded.timezone,
               questions         = excluded.questions,
               segment           = excluded.segment,
               started_at        = excluded.started_at,
               completed_at      = excluded.completed_at,
               guide_version     = excluded.guide_version,
               guide_questions   = excluded.guide_questions,
               listening         = excluded.listening,
               erased_at         = excluded.erased_at
        """,
        session.session_id,
        session.participant_id,
        session.state,
        session.interview_id,
        session.interview_version,
        session.request_id,
        session.study_id,
        session.moderator_id,
        session.note_taker_id,
        session.starts_at,
        session.ends_at,
        session.timezone,
        list(session.questions),
        dict(session.segment),
        session.started_at,
        session.completed_at,
        session.guide_version,
        None if session.guide_questions is None else list(session.guide_questions),
        None if session.listening is None else asdict(session.listening),
        session.erased_at,
    )


async def record_erasure(connection: Connection, participant_id: str, at: datetime) -> None:
    await connection.execute(
        "INSERT INTO erasures (participant_sha256, erased_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        _digest(participant_id),
        at,
    )


async def erased_at(connection: Connection, participant_id: str) -> datetime | None:
    """When the participant was forgotten, if so."""
    at: datetime | None = await connection.fetchval(
        "SELECT erased_at FROM erasures WHERE participant_sha256 = $1", _digest(participant_id)
    )
    return at


async def remove_contents(connection: Connection, session_ids: Sequence[str]) -> dict[str, int]:
    """Remove the notes and transcripts of the sessions; gives how many of each."""
    row = await connection.fetchrow(
        """
        WITH gone_notes AS (DELETE FROM notes WHERE session_id = ANY ($1) RETURNING 1),
             gone_transcripts AS (DELETE FROM transcripts WHERE session_id = ANY ($1) RETURNING 1)
        SELECT (SELECT count(*) FROM gone_notes) AS notes, (SELECT count(*) FROM gone_transcripts) AS transcripts
        """,
        session_ids,
    )
    return dict(row or {})


async def pulse(connection: Connection) -> Mapping[str, int]:
    rows = await connection.fetch("SELECT state, count(*) AS sessions FROM sessions GROUP BY state")
    counts = {row["state"]: row["sessions"] for row in rows}
    return {state: counts.get(state, 0) for state in ("planned", "running", "completed")}


def _digest(participant_id: str) -> bytes:
    return sha256(participant_id.encode()).digest()


def _session(row: asyncpg.Record) -> Session:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    questions, listening = values["guide_questions"], values["listening"]
    return Session(
        **values
        | {
            "questions": tuple(values["questions"]),
            "guide_questions": None if questions is None else tuple(questions),
            "listening": None if listening is None else Listening(**listening),
        }
    )
