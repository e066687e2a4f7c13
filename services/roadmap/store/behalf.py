"""The SQL of votes that colleagues recorded for customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .connection import Connection

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Recorded:
    """A vote that somebody recorded for somebody else."""

    voter_id: str
    vote: str
    voted_at: datetime
    recorded_by: str
    source_url: str | None


async def on_behalf(connection: Connection, feature_id: str) -> list[Recorded]:
    """The latest ones of an idea and of what was merged into it."""
    rows = await connection.fetch(
        """
        SELECT voter_id, vote, voted_at, recorded_by, source_url FROM votes JOIN ideas USING (feature_id)
         WHERE coalesce(merged_into, feature_id) = $1 AND recorded_by IS NOT NULL
         ORDER BY voted_at DESC, voter_id LIMIT $2
        """,
        feature_id,
        SHOWN,
    )
    return [Recorded(**row) for row in rows]
