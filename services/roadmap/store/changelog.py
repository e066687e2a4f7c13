"""The SQL of the changelog."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.roadmap.board.entries import Entry
from services.roadmap.ideas import Idea

from .ideas import idea_of
from .similar import ON_BOARD

if TYPE_CHECKING:
    from .connection import Connection, Row

ENTRY = """
    SELECT entries.*, array(SELECT feature_id FROM entry_ideas WHERE entry_ideas.entry_id = entries.entry_id
                             ORDER BY feature_id) AS feature_ids
      FROM entries
"""


async def entries(connection: Connection, *, drafts: bool, limit: int, offset: int = 0) -> list[Entry]:
    """The published entries, the last first; or the drafts, the last changed first."""
    rows = await connection.fetch(
        f"{ENTRY} WHERE published_at IS NULL ORDER BY updated_at DESC, entry_id LIMIT $1 OFFSET $2"
        if drafts
        else f"{ENTRY} WHERE published_at IS NOT NULL ORDER BY published_at DESC, entry_id LIMIT $1 OFFSET $2",
        limit,
        offset,
    )
    return [_entry(row) for row in rows]


async def count_entries(connection: Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM entries WHERE published_at IS NOT NULL")
    return count


async def find_entry(connection: Connection, entry_id: str) -> Entry | None:
    row = await connection.fetchrow(f"{ENTRY} WHERE entry_id = $1", entry_id)
    return _entry(row) if row else None


async def entries_about(connection: Connection, feature_id: str) -> list[Entry]:
    """The published entries that link to the idea or to what is merged into it, the last first."""
    rows = await connection.fetch(
        f"""
        {ENTRY} WHERE published_at IS NOT NULL
                  AND entry_id IN (SELECT entry_id FROM entry_ideas JOIN ideas USING (feature_id)
                                    WHERE coalesce(merged_into, ideas.feature_id) = $1)
         ORDER BY published_at DESC, entry_id
        """,  # noqa: S608 - a constant
        feature_id,
    )
    return [_entry(row) for row in rows]


async def ideas_of_entries(connection: Connection, entry_ids: Sequence[str]) -> dict[str, list[Idea]]:
    """The ideas on the board that these entries link to, by entry; for a merged one its survivor."""
    rows = await connection.fetch(
        f"""
        SELECT DISTINCT linked.entry_id, survivor.*
          FROM (SELECT entry_id, coalesce(merged_into, ideas.feature_id) AS feature_id
                  FROM entry_ideas JOIN ideas USING (feature_id) WHERE entry_id = ANY($1::text[])) AS linked
               JOIN (SELECT * FROM ideas WHERE {ON_BOARD}) AS survivor USING (feature_id)
         ORDER BY title
        """,  # noqa: S608 - a constant
        entry_ids,
    )
    found: dict[str, list[Idea]] = {}
    for row in rows:
        found.setdefault(row["entry_id"], []).append(idea_of(row))
    return found


async def save_entry(connection: Connection, entry: Entry) -> None:
    """Write an entry, new or changed, and what it links to."""
    await connection.execute(
        """
        INSERT INTO entries (entry_id, title, body, created_at, updated_at, published_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (entry_id) DO UPDATE
           SET title = excluded.title, body = excluded.body, updated_at = excluded.updated_at,
               published_at = excluded.published_at
        """,
        entry.entry_id,
        entry.title,
        entry.body,
        entry.created_at,
        entry.updated_at,
        entry.published_at,
    )
    await connection.execute(
        "DELETE FROM entry_ideas WHERE entry_id = $1 AND feature_id <> ALL($2::text[])",
        entry.entry_id,
        entry.feature_ids,
    )
    await connection.execute(
        "INSERT INTO entry_ideas (entry_id, feature_id) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING",
        entry.entry_id,
        entry.feature_ids,
    )


async def remove_entry(connection: Connection, entry_id: str) -> None:
    await connection.execute("DELETE FROM entry_ideas WHERE entry_id = $1", entry_id)
    await connection.execute("DELETE FROM entries WHERE entry_id = $1", entry_id)


def _entry(row: Row) -> Entry:
    values = dict(row)
    return Entry(**values | {"feature_ids": tuple(values["feature_ids"])})
