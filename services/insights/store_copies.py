"""SQL for what other services told: sessions, features, impacts and erasures."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from .model import Feature, Impact, Session, Transcript

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]


async def keep_session(connection: Connection, session: Session) -> bool:
    """Store the session unless a later completion is known; false when the stored one is another participant's."""
    transcript = session.transcript
    await connection.execute(
        """
        INSERT INTO sessions (session_id, interview_id, participant_id, study_id, completed_at, transcript_url,
                              transcript_format, transcript_sha256, segment, listening, erased_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (session_id) DO UPDATE
           SET interview_id = excluded.interview_id, study_id = excluded.study_id,
               completed_at = excluded.completed_at, transcript_url = excluded.transcript_url,
               transcript_format = excluded.transcript_format, transcript_sha256 = excluded.transcript_sha256,
               segment = excluded.segment, listening = excluded.listening
         WHERE sessions.participant_id = excluded.participant_id AND sessions.completed_at <= excluded.completed_at
        """,
        session.session_id,
        session.interview_id,
        session.participant_id,
        session.study_id,
        session.completed_at,
        transcript and transcript.url,
        transcript and transcript.format,
        transcript and transcript.sha256,
        session.segment,
        session.listening,
        session.erased_at,
    )
    owner = await connection.fetchval("SELECT participant_id FROM sessions WHERE session_id = $1", session.session_id)
    return bool(owner == session.participant_id)


async def session(connection: Connection, session_id: str) -> Session | None:
    row = await connection.fetchrow("SELECT * FROM session_overview WHERE session_id = $1", session_id)
    return _session(row) if row else None


async def lock_session(connection: Connection, session_id: str) -> Session | None:
    """The session, which nobody erases or changes until the transaction ends."""
    row = await connection.fetchrow("SELECT *, 0 AS insights FROM sessions WHERE session_id = $1 FOR SHARE", session_id)
    return _session(row) if row else None


async def sessions(connection: Connection, limit: int) -> list[Session]:
    """Newest first."""
    rows = await connection.fetch(
        "SELECT * FROM session_overview ORDER BY completed_at DESC, session_id LIMIT $1", limit
    )
    return [_session(row) for row in rows]


async def untagged_sessions(connection: Connection, limit: int) -> list[Session]:
    """Those that nobody has tagged yet, longest waiting first."""
    rows = await connection.fetch(
        """
        SELECT * FROM session_overview WHERE insights = 0 AND erased_at IS NULL
         ORDER BY completed_at, session_id LIMIT $1
        """,
        limit,
    )
    return [_session(row) for row in rows]


async def keep_feature(connection: Connection, feature_id: str, title: str, status: str, version: int) -> None:
    """Store the feature unless the same or a later version is known."""
    await connection.execute(
        """
        INSERT INTO features (feature_id, title, status, version) VALUES ($1, $2, $3, $4)
        ON CONFLICT (feature_id) DO UPDATE
           SET title = excluded.title, status = excluded.status, version = excluded.version
         WHERE features.version < excluded.version
        """,
        feature_id,
        title,
        status,
        version,
    )


async def feature(connection: Connection, feature_id: str) -> Feature | None:
    """The feature that roadmap told about or that any insight, even a withdrawn one, names."""
    row = await connection.fetchrow(
        """
        SELECT $1::text AS feature_id, title, status,
               (SELECT count(DISTINCT participant_id) FROM insights
                 WHERE insights.feature_id = $1 AND NOT withdrawn) AS people
          FROM (SELECT) AS one LEFT JOIN features ON features.feature_id = $1
         WHERE features.feature_id IS NOT NULL OR EXISTS (SELECT FROM insights WHERE insights.feature_id = $1)
        """,
        feature_id,
    )
    return Feature(**row) if row else None


async def features(connection: Connection, limit: int) -> list[Feature]:
    """All known features, those that most people speak about first."""
    rows = await connection.fetch(
        """
        SELECT feature_id, title, status, coalesce(people, 0) AS people
          FROM features
          FULL JOIN (SELECT feature_id, count(DISTINCT participant_id) AS people FROM insights
                      WHERE feature_id IS NOT NULL AND NOT withdrawn GROUP BY feature_id) AS spoken USING (feature_id)
         ORDER BY people DESC, title, feature_id
         LIMIT $1
        """,
        limit,
    )
    return [Feature(**row) for row in rows]


async def keep_impact(connection: Connection, feature_id: str, version: int, impact: Impact) -> None:
    """Store the assessment unless the same or a later version is known."""
    await connection.execute(
        """
        INSERT INTO impacts (feature_id, version, kpi_id, effect, effect_low, effect_high, confidence, unit, verdict,
                             smallest_visible_effect, released_at, assessed_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        ON CONFLICT (feature_id, kpi_id) DO UPDATE
           SET version = excluded.version, effect = excluded.effect, effect_low = excluded.effect_low,
               effect_high = excluded.effect_high, confidence = excluded.confidence, unit = excluded.unit,
               verdict = excluded.verdict, smallest_visible_effect = excluded.smallest_visible_effect,
               released_at = excluded.released_at, assessed_at = excluded.assessed_at
         WHERE impacts.version < excluded.version
        """,
        feature_id,
        version,
        impact.kpi_id,
        impact.effect,
        impact.effect_low,
        impact.effect_high,
        impact.confidence,
        impact.unit,
        impact.verdict,
        impact.smallest_visible_effect,
        impact.released_at,
        impact.assessed_at,
    )


async def impacts(connection: Connection, feature_id: str) -> list[Impact]:
    rows = await connection.fetch(
        """
        SELECT kpi_id, effect, effect_low, effect_high, confidence, unit, verdict, smallest_visible_effect,
               released_at, assessed_at
          FROM impacts WHERE feature_id = $1 ORDER BY kpi_id
        """,
        feature_id,
    )
    return [Impact(**row) for row in rows]


async def erasure(connection: Connection, participant_id: str) -> tuple[str, datetime] | None:
    """The alias of an erased participant and when it was erased; None for anybody else.

    No erasure of this participant begins before the transaction ends.
    """
    # Without the lock a session could slip in with its real id while its participant is being erased.
    await connection.execute(
        """
        SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))
         WHERE current_setting('earshot.alone', true) IS DISTINCT FROM 'yes'
        """,
        participant_id,
    )
    row = await connection.fetchrow(
        "SELECT alias, erased_at FROM erasures WHERE participant_hash = sha256(convert_to($1, 'UTF8'))", participant_id
    )
    return (row["alias"], row["erased_at"]) if row else None


async def erase(connection: Connection, participant_id: str, new_alias: str, at: datetime) -> dict[str, int]:
    """Forget the participant: sessions and insights are an alias's from now on, without transcript and quotes.

    The alias of an earlier erasure stays. Gives how many sessions and insights became anonymous.
    """
    await connection.execute(
        """
        SELECT pg_advisory_xact_lock(hashtextextended($1, 0))
         WHERE current_setting('earshot.alone', true) IS DISTINCT FROM 'yes'
        """,
        participant_id,
    )
    alias = await connection.fetchval(
        """
        INSERT INTO erasures (participant_hash, alias, erased_at) VALUES (sha256(convert_to($1, 'UTF8')), $2, $3)
        ON CONFLICT (participant_hash) DO UPDATE SET alias = erasures.alias
        RETURNING alias
        """,
        participant_id,
        new_alias,
        at,
    )
    # Sessions first: it waits for whoever is tagging one of them, and the next statement then sees that insight.
    sessions = await connection.fetch(
        """
        UPDATE sessions
           SET participant_id = $2, erased_at = $3, segment = '{}',
               transcript_url = NULL, transcript_format = NULL, transcript_sha256 = NULL
         WHERE participant_id = $1
        RETURNING session_id
        """,
        participant_id,
        alias,
        at,
    )
    insights = await connection.fetch(
        """
        UPDATE insights
           SET quote = NULL, turn = NULL, start_char = NULL, end_char = NULL,
               start_seconds = NULL, end_seconds = NULL, transcript_sha256 = NULL
         WHERE session_id = ANY ($1::text[])
        RETURNING insight_id
        """,
        [row["session_id"] for row in sessions],
    )
    return {"sessions": len(sessions), "insights": len(insights)}


def _session(row: asyncpg.Record) -> Session:
    url = row["transcript_url"]
    return Session(
        session_id=row["session_id"],
        interview_id=row["interview_id"],
        participant_id=row["participant_id"],
        study_id=row["study_id"],
        completed_at=row["completed_at"],
        transcript=Transcript(url, row["transcript_format"], row["transcript_sha256"]) if url else None,
        segment=row["segment"],
        listening=row["listening"],
        erased_at=row["erased_at"],
        insights=row["insights"],
    )
