"""The SQL of ideas."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING

from services.roadmap.ideas import Idea, Stage

if TYPE_CHECKING:
    from .connection import Connection, Row

MAX_ASKED_BY = 10_000

# All of them at once and in one order, so that transactions wait for each other instead of deadlocking; NO KEY lets
# votes refer meanwhile.
LOCKED = """
  FROM ideas JOIN (SELECT unnest($1::text[])
                    UNION
                   SELECT merged_into FROM ideas JOIN unnest($1::text[]) AS given (feature_id) USING (feature_id)
                    WHERE merged_into IS NOT NULL) AS wanted (feature_id) USING (feature_id)
 ORDER BY feature_id FOR NO KEY UPDATE OF ideas
"""
"""Locks the ideas in $1 and the survivors of those that were merged."""


async def ensure_ideas(connection: Connection, feature_ids: Collection[str], now: datetime) -> None:
    """Have a row for each id; one that nobody has named carries its id as its title."""
    await connection.execute(
        """
        INSERT INTO ideas (feature_id, title, status_changed_at, created_at)
        SELECT id, id, $2, $2 FROM unnest($1::text[]) AS id ORDER BY id
        ON CONFLICT (feature_id) DO NOTHING
        """,
        sorted(feature_ids),
        now,
    )


async def lock_ideas(connection: Connection, feature_ids: Collection[str]) -> dict[str, Idea]:
    """The ideas of these ids that exist, and what they were merged into.

    Until the end of the transaction nobody else changes or publishes them.
    """
    rows = await connection.fetch(f"SELECT ideas.* {LOCKED}", list(feature_ids))
    return {row["feature_id"]: idea_of(row) for row in rows}


async def hold_ideas(connection: Connection, feature_ids: Collection[str], now: datetime) -> dict[str, Stage]:
    """Lock ideas as `lock_ideas` does, make those that are not there yet, and say where each stands."""
    held = await _lock_stages(connection, feature_ids)
    if missing := set(feature_ids) - held.keys():
        await ensure_ideas(connection, missing, now)
        held |= await _lock_stages(connection, missing)
    return held


async def _lock_stages(connection: Connection, feature_ids: Collection[str]) -> dict[str, Stage]:
    rows = await connection.fetch(
        f"SELECT feature_id, status, status_changed_at, merged_into, regrouped {LOCKED}", list(feature_ids)
    )
    return {row[0]: Stage(*row) for row in rows}


async def find_idea(connection: Connection, feature_id: str) -> Idea | None:
    row = await connection.fetchrow("SELECT * FROM ideas WHERE feature_id = $1", feature_id)
    return idea_of(row) if row else None


async def all_ideas(connection: Connection) -> dict[str, Idea]:
    return {row["feature_id"]: idea_of(row) for row in await connection.fetch("SELECT * FROM ideas")}


async def save_idea(connection: Connection, idea: Idea) -> None:
    """Write what people may change of an idea, for searches too; supporters are counted with their votes and words."""
    await connection.execute(
        """
        UPDATE ideas
           SET title = $2, description = $3, status = $4, status_version = $5, status_note = $6, status_changed_at = $7,
               released_at = $8, effort_weeks = $9, kpi_ids = $10::text[], created_at = $11, status_id = $12,
               category_id = $13, confidence = $14, visibility = $15, author_id = $16, author_name = $17,
               answered_by = $18, answered_at = $19
         WHERE feature_id = $1
        """,
        idea.feature_id,
        idea.title,
        idea.description,
        idea.status,
        idea.status_version,
        idea.status_note,
        idea.status_changed_at,
        idea.released_at,
        idea.effort_weeks,
        list(idea.kpi_ids),
        idea.created_at,
        idea.status_id,
        idea.category_id,
        idea.confidence,
        idea.visibility,
        idea.author_id,
        idea.author_name,
        idea.answered_by,
        idea.answered_at,
    )
    await connection.execute(
        """
        INSERT INTO idea_texts AS kept (feature_id, title_key, text_key)
        VALUES ($1, folded($2), folded($2 || ' ' || $3))
        ON CONFLICT (feature_id) DO UPDATE
           SET title_key = excluded.title_key, text_key = excluded.text_key,
               compared_at = CASE WHEN kept.title_key = excluded.title_key THEN kept.compared_at END
         WHERE (kept.title_key, kept.text_key) <> (excluded.title_key, excluded.text_key)
        """,
        idea.feature_id,
        idea.title,
        idea.description,
    )


async def asked_by(connection: Connection, feature_id: str) -> list[str]:
    """The participants whose words stand behind the idea, at most as many as an event may name."""
    rows = await connection.fetch(
        """
        SELECT DISTINCT participant_id FROM insights JOIN ideas USING (feature_id)
         WHERE coalesce(merged_into, feature_id) = $1 AND NOT withdrawn
         ORDER BY participant_id LIMIT $2
        """,
        feature_id,
        MAX_ASKED_BY,
    )
    return [row["participant_id"] for row in rows]


async def pulse(connection: Connection) -> Mapping[str, int]:
    row = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE status_version > 0) AS ideas,
               (SELECT count(*) FROM votes WHERE vote = 'up') AS votes,
               count(*) FILTER (WHERE status = 'shipped') AS shipped
          FROM ideas
        """
    )
    return dict(row) if row else {}


def idea_of(row: Row) -> Idea:
    values = {field.name: row[field.name] for field in fields(Idea)}
    return Idea(**values | {"kpi_ids": tuple(row["kpi_ids"])})
