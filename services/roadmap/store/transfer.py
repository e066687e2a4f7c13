"""The SQL of taking the board in and out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING, Any

from services.roadmap.transfer.rows import Kind

from .support import Pair

if TYPE_CHECKING:
    from .connection import Connection

_EXPORTS: dict[Kind, str] = {
    "ideas": """
        SELECT feature_id AS id, title, description, status, status_note AS answer, visibility, merged_into, supporters,
               created_at
          FROM ideas WHERE status_version > 0 ORDER BY created_at, feature_id
    """,
    "votes": """
        SELECT feature_id AS idea, voter_id AS person, voter_kind AS kind, vote, voted_at, channel, recorded_by,
               source_url
          FROM votes
        UNION ALL
        SELECT feature_id, voter_id, 'anonymous', vote, voted_at, channel, NULL, NULL FROM anonymous_votes
         ORDER BY voted_at, idea, person
    """,
    "comments": """
        SELECT comment_id AS id, feature_id AS idea, parent_id AS parent, author_id AS person, author_name AS name,
               body, official, visibility, created_at
          FROM comments WHERE deleted_at IS NULL ORDER BY created_at, comment_id
    """,
    "people": """
        SELECT person_id AS id, kind, name, email, language, segment ->> 'plan' AS plan, segment ->> 'region' AS region,
               segment ->> 'loyalty' AS loyalty, trust
          FROM speakers LEFT JOIN contacts USING (person_id) ORDER BY joined_at, person_id
    """,
}


async def export(connection: Connection, kind: Kind) -> AsyncIterator[dict[str, Any]]:
    """Every row of the kind, read a few hundred at a time; the connection is in a transaction."""
    async for row in connection.cursor(_EXPORTS[kind], prefetch=500):
        yield dict(row)


async def import_alone(connection: Connection) -> None:
    """Wait until nobody else takes rows in; until the end of the transaction nobody will."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('earshot roadmap imports', 0))")


async def own_id(connection: Connection, kind: str, external_id: str) -> str | None:
    """What was imported under this name."""
    found: str | None = await connection.fetchval(
        "SELECT own_id FROM imported WHERE (kind, external_id) = ($1, $2)", kind, external_id
    )
    return found


async def note_import(connection: Connection, kind: str, external_id: str, own_id: str) -> None:
    await connection.execute(
        "INSERT INTO imported (kind, external_id, own_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        kind,
        external_id,
        own_id,
    )


async def has_comment(connection: Connection, comment_id: str) -> bool:
    found: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM comments WHERE comment_id = $1)", comment_id)
    return found


async def voted_among(connection: Connection, pairs: Collection[Pair]) -> set[Pair]:
    """Those of the ideas and voters who have voted already, known or not."""
    rows = await connection.fetch(
        """
        SELECT feature_id, voter_id FROM unnest($1::text[], $2::text[]) AS given (feature_id, voter_id)
         WHERE EXISTS (SELECT FROM votes WHERE (votes.feature_id, votes.voter_id) = (given.feature_id, given.voter_id))
            OR EXISTS (SELECT FROM anonymous_votes AS apart
                        WHERE (apart.feature_id, apart.voter_id) = (given.feature_id, given.voter_id))
        """,
        [feature_id for feature_id, _ in pairs],
        [voter_id for _, voter_id in pairs],
    )
    return {(row["feature_id"], row["voter_id"]) for row in rows}
