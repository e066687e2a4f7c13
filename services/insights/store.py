"""SQL for insights, and the counts that say how the service is doing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, TypeAlias

import asyncpg

from .model import Content, Insight, Place, Sentiment

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]


async def first_version(connection: Connection) -> int:
    """The version a new insight begins with; above 1 after an old backup was put back."""
    version: int = await connection.fetchval("SELECT floor + 1 FROM version_floor")
    return version


async def insert(connection: Connection, insight: Insight) -> bool:
    """Store a new insight; false when there is one with this id."""
    inserted = await connection.fetchval(
        """
        INSERT INTO insights (insight_id, version, withdrawn, session_id, participant_id, coder_id, tagged_at, quote,
                              feature_id, tags, sentiment, importance, turn, start_char, end_char, start_seconds,
                              end_seconds, transcript_sha256)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
        ON CONFLICT (insight_id) DO NOTHING
        RETURNING true
        """,
        insight.insight_id,
        insight.version,
        insight.withdrawn,
        insight.session_id,
        insight.participant_id,
        insight.coder_id,
        insight.tagged_at,
        *_columns(insight.content),
    )
    return inserted is not None


async def update(connection: Connection, insight: Insight) -> None:
    await connection.execute(
        """
        UPDATE insights
           SET version = $2, withdrawn = $3, coder_id = $4, tagged_at = $5, quote = $6, feature_id = $7, tags = $8,
               sentiment = $9, importance = $10, turn = $11, start_char = $12, end_char = $13, start_seconds = $14,
               end_seconds = $15, transcript_sha256 = $16
         WHERE insight_id = $1
        """,
        insight.insight_id,
        insight.version,
        insight.withdrawn,
        insight.coder_id,
        insight.tagged_at,
        *_columns(insight.content),
    )


async def insight(connection: Connection, insight_id: str) -> Insight | None:
    row = await connection.fetchrow("SELECT * FROM insights WHERE insight_id = $1", insight_id)
    return _insight(row) if row else None


async def lock_insight(connection: Connection, insight_id: str) -> Insight | None:
    """The insight, which nobody else changes until the transaction ends."""
    row = await connection.fetchrow("SELECT * FROM insights WHERE insight_id = $1 FOR UPDATE", insight_id)
    return _insight(row) if row else None


async def insights(
    connection: Connection,
    limit: int,
    *,
    feature_id: str | None = None,
    session_id: str | None = None,
    tag: str | None = None,
) -> list[Insight]:
    """Newest first, without withdrawn ones; each filter that is None lets everything through."""
    rows = await connection.fetch(
        """
        SELECT * FROM insights
         WHERE NOT withdrawn
           AND ($2::text IS NULL OR feature_id = $2)
           AND ($3::text IS NULL OR session_id = $3)
           AND ($4::text IS NULL OR tags @> ARRAY[$4::text])
         ORDER BY tagged_at DESC, insight_id
         LIMIT $1
        """,
        limit,
        feature_id,
        session_id,
        tag,
    )
    return [_insight(row) for row in rows]


async def sentiments(connection: Connection, feature_id: str) -> list[tuple[str, Sentiment | None]]:
    """Who said something about the feature in which sentiment: (participant, sentiment) pairs."""
    rows = await connection.fetch(
        "SELECT DISTINCT participant_id, sentiment FROM insights WHERE feature_id = $1 AND NOT withdrawn", feature_id
    )
    return [(row["participant_id"], row["sentiment"]) for row in rows]


async def pulse(connection: Connection) -> Mapping[str, int]:
    row = await connection.fetchrow(
        """
        SELECT (SELECT count(*) FROM session_overview
                 WHERE insights = 0 AND erased_at IS NULL) AS "sessions to tag",
               count(*) AS insights,
               count(DISTINCT feature_id) AS "tagged features"
          FROM insights WHERE NOT withdrawn
        """
    )
    return dict(row or {})


_PLACE = tuple(field.name for field in fields(Place))


def _columns(content: Content) -> tuple[object, ...]:
    place = content.place
    return (
        content.quote,
        content.feature_id,
        content.tags,
        content.sentiment,
        content.importance,
        *(getattr(place, name) if place else None for name in _PLACE),
    )


def _insight(row: asyncpg.Record) -> Insight:
    place = None if row["turn"] is None else Place(**{name: row[name] for name in _PLACE})
    content = Content(row["quote"], place, row["feature_id"], tuple(row["tags"]), row["sentiment"], row["importance"])
    return Insight(
        insight_id=row["insight_id"],
        version=row["version"],
        withdrawn=row["withdrawn"],
        session_id=row["session_id"],
        participant_id=row["participant_id"],
        content=content,
        coder_id=row["coder_id"],
        tagged_at=row["tagged_at"],
    )
