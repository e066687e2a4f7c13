"""The SQL of votes of visitors nobody knows, which are kept apart and counted nowhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from services.roadmap.votes import Vote

if TYPE_CHECKING:
    from datetime import datetime

    from .connection import Connection


async def keep_anonymous(connection: Connection, votes: Sequence[Vote]) -> None:
    """Keep votes, one per visitor and idea, that are not older than what is stored."""
    await connection.execute(
        """
        INSERT INTO anonymous_votes (feature_id, voter_id, vote, voted_at, channel)
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
                      AS given (feature_id, voter_id)
         ORDER BY feature_id, voter_id
        ON CONFLICT (feature_id, voter_id) DO UPDATE
           SET vote = excluded.vote, voted_at = excluded.voted_at, channel = excluded.channel
         WHERE excluded.voted_at >= anonymous_votes.voted_at
        """,
        [vote.feature_id for vote in votes],
        [vote.voter_id for vote in votes],
        [vote.vote for vote in votes],
        [vote.voted_at for vote in votes],
        [vote.channel for vote in votes],
    )


async def anonymous_votes_of(connection: Connection, voter_id: str) -> list[Vote]:
    """The visitor's votes that are up, the oldest first, held until the end of the transaction."""
    rows = await connection.fetch(
        """
        SELECT feature_id, voter_id, 'anonymous' AS voter_kind, vote, voted_at, channel FROM anonymous_votes
         WHERE voter_id = $1 AND vote = 'up' ORDER BY voted_at, feature_id FOR UPDATE
        """,
        voter_id,
    )
    return [Vote(**row) for row in rows]


async def count_anonymous(connection: Connection, feature_ids: Collection[str]) -> dict[str, int]:
    """How many visitors nobody knows stand behind these ideas and what was merged into them; others are left out."""
    rows = await connection.fetch(
        """
        SELECT coalesce(merged_into, feature_id) AS feature_id, count(DISTINCT voter_id) AS visitors
          FROM ideas JOIN anonymous_votes USING (feature_id)
         WHERE coalesce(merged_into, feature_id) = ANY ($1::text[]) AND vote = 'up'
         GROUP BY coalesce(merged_into, feature_id)
        """,
        list(feature_ids),
    )
    return {row["feature_id"]: row["visitors"] for row in rows}


async def anonymous_for(connection: Connection, voter_id: str) -> set[str]:
    """The ideas this visitor's vote is up on, counting what was merged into them."""
    rows = await connection.fetch(
        """
        SELECT coalesce(merged_into, feature_id) AS feature_id FROM anonymous_votes JOIN ideas USING (feature_id)
         WHERE voter_id = $1 AND vote = 'up'
        """,
        voter_id,
    )
    return {row["feature_id"] for row in rows}


async def anonymous_voted_at(connection: Connection, feature_id: str, voter_id: str) -> datetime | None:
    voted_at: datetime | None = await connection.fetchval(
        "SELECT voted_at FROM anonymous_votes WHERE feature_id = $1 AND voter_id = $2", feature_id, voter_id
    )
    return voted_at


async def votes_of(connection: Connection, voter_id: str) -> list[Vote]:
    """The person's counted votes that are up, the oldest first."""
    rows = await connection.fetch(
        """
        SELECT feature_id, voter_id, voter_kind, vote, voted_at, channel FROM votes
         WHERE voter_id = $1 AND vote = 'up' ORDER BY voted_at, feature_id
        """,
        voter_id,
    )
    return [Vote(**row) for row in rows]
