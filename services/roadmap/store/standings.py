"""The SQL of what is kept in memory of all ideas: what changed since it was last read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from services.roadmap.ideas import Idea
from services.roadmap.priority.standings import Standing

from .ideas import idea_of

if TYPE_CHECKING:
    from .connection import Connection

AGE_KNOWN = 2**31
"""Row versions are told apart over so many transactions."""


class Mark(NamedTuple):
    """A moment of the database: every transaction before `horizon` has ended, whatever is read now holds its effects.

    `database` tells this table from another one, as after a restore; `wrote` that the asking transaction itself has
    changed something, which is visible to it and may yet be undone.
    """

    database: str
    horizon: int
    wrote: bool

    def reaches(self, now: Mark) -> bool:
        """Whether what changed between the two moments can be told."""
        return self.database == now.database and 0 <= now.horizon - self.horizon < AGE_KNOWN


async def mark(connection: Connection) -> Mark:
    row = await connection.fetchrow(
        """
        SELECT 'ideas'::regclass::oid || ' ' || pg_postmaster_start_time() AS database,
               pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
               pg_current_xact_id_if_assigned() IS NOT NULL AS wrote
        """
    )
    assert row is not None
    return Mark(**row)


async def changed_since(connection: Connection, before: Mark | None) -> list[str]:
    """The ideas whose rows were written by transactions that had not ended then; all without a moment.

    Whatever changes who supports an idea writes its row, so its counts changed with it.
    """
    rows = await connection.fetch(
        "SELECT feature_id FROM ideas WHERE $1::xid IS NULL OR age(xmin) <= age($1::xid)",
        None if before is None else before.horizon % 2**32,
    )
    return [row["feature_id"] for row in rows]


async def standings_of(connection: Connection, feature_ids: Sequence[str]) -> list[Standing]:
    # A row for each idea: reading one for each of its cells takes several times as long.
    rows = await connection.fetch(
        """
        SELECT feature_id, status, effort_weeks, kpi_ids, supporters, momentum, date_part('epoch', created_at),
               merged_into IS NOT NULL OR visibility <> 'published',
               coalesce(cells, '{}'), coalesce(people, '{}'), coalesce(importance, 0), coalesce(speakers, 0)
          FROM ideas
               LEFT JOIN (SELECT feature_id, array_agg(cell) AS cells, array_agg(people) AS people,
                                 sum(importance_sum) AS importance, sum(importance_people) AS speakers
                            FROM support_counts WHERE feature_id = ANY($1::text[]) AND people > 0
                           GROUP BY feature_id) AS counted USING (feature_id)
         WHERE feature_id = ANY($1::text[])
        """,
        feature_ids,
    )
    return [Standing._make(row) for row in rows]


async def read_ideas(connection: Connection, feature_ids: Collection[str]) -> dict[str, Idea]:
    rows = await connection.fetch("SELECT * FROM ideas WHERE feature_id = ANY($1::text[])", list(feature_ids))
    return {row["feature_id"]: idea_of(row) for row in rows}
