"""The SQL of what must be known before votes are cast."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from services.roadmap.ideas import Stage

if TYPE_CHECKING:
    from .connection import Connection

Asked = tuple[str, str, bool]
"""The ids of an idea and a voter, and whether the vote has a date of its own and so stays with the idea it names."""


class About(NamedTuple):
    """What a vote meets: the idea, or the survivor of its merge, and the voter, who last voted on it at `voted_at`."""

    idea: Stage
    named: bool
    erased: bool
    voted_at: datetime | None


async def about(connection: Connection, asked: Collection[Asked]) -> dict[Asked, About]:
    """What these votes meet; nothing of those on an idea that does not exist."""
    # Each LIMIT keeps the planner at the keys: joined, it reads whole tables as long as it thinks them small.
    rows = await connection.fetch(
        """
        SELECT asked.feature_id, asked.voter_id, dated, idea.*, coalesce(erased, false), voted_at
          FROM unnest($1::text[], $2::text[], $3::boolean[]) AS asked (feature_id, voter_id, dated)
               CROSS JOIN LATERAL (SELECT CASE WHEN dated THEN feature_id ELSE coalesce(merged_into, feature_id) END
                                     FROM ideas WHERE feature_id = asked.feature_id LIMIT 1) AS meant (id)
               CROSS JOIN LATERAL (SELECT feature_id, status, status_changed_at, merged_into, regrouped,
                                          status_version > 0 AS named
                                     FROM ideas WHERE feature_id = meant.id LIMIT 1) AS idea
               LEFT JOIN LATERAL (SELECT cell IS NULL AS erased
                                    FROM people WHERE person_id = asked.voter_id LIMIT 1) AS person ON true
               LEFT JOIN LATERAL (SELECT voted_at FROM votes
                                   WHERE (feature_id, voter_id) = (meant.id, asked.voter_id) LIMIT 1) AS vote ON true
        """,
        *(list(column) for column in zip(*asked, strict=True)),
    )
    return {tuple(row[:3]): About(Stage(*row[3:8]), *row[8:]) for row in rows}


async def supporters_of(connection: Connection, feature_ids: Collection[str]) -> dict[str, int]:
    """How many people stand behind these ideas."""
    rows = await connection.fetch(
        "SELECT feature_id, supporters FROM ideas JOIN unnest($1::text[]) AS wanted (feature_id) USING (feature_id)",
        list(feature_ids),
    )
    return {row["feature_id"]: row["supporters"] for row in rows}
