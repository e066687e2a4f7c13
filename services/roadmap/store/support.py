"""The SQL of who takes part and who supports which idea, with the counters that follow."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from services.roadmap.segments import UNKNOWN_CELL, Snapshot

if TYPE_CHECKING:
    from .connection import Connection

Pair = tuple[str, str]
"""An idea's and a person's id."""


async def note_people(connection: Connection, snapshots: Sequence[Snapshot]) -> None:
    """Keep the latest of what is known of these people, each named once, and hold their rows.

    A snapshot that says nothing replaces none; whatever order snapshots come in, the same one is kept.
    """
    # The order of the rows keeps transactions from deadlocking; a row is locked even where nothing is written.
    await connection.execute(
        """
        WITH noted AS (
            INSERT INTO people (person_id, cell, segment, seen_at)
            SELECT person_id, cell, segment, CASE WHEN cell = $5 THEN '-infinity' ELSE seen_at END
              FROM unnest($1::text[], $2::text[], $3::jsonb[], $4::timestamptz[])
                   AS given (person_id, cell, segment, seen_at)
             ORDER BY person_id
            ON CONFLICT (person_id) DO UPDATE
               SET cell = excluded.cell, segment = excluded.segment, seen_at = excluded.seen_at
             WHERE people.erased_at IS NULL
               AND (excluded.seen_at, excluded.cell) > (people.seen_at, people.cell)
            RETURNING old.cell AS left_cell, new.cell AS joined_cell
        ), moves AS (
            SELECT left_cell AS cell, -1 AS people FROM noted WHERE left_cell IS NOT NULL
            UNION ALL
            SELECT joined_cell, 1 FROM noted
        ), net AS (
            SELECT cell, sum(people)::integer AS people FROM moves GROUP BY cell HAVING sum(people) <> 0
        )
        INSERT INTO active_counts AS counted (cell, people)
        SELECT cell, greatest(people, 0) FROM net ORDER BY cell
        ON CONFLICT (cell) DO UPDATE
           SET people = counted.people + (SELECT net.people FROM net WHERE net.cell = excluded.cell)
        """,
        [snapshot.person_id for snapshot in snapshots],
        [snapshot.cell for snapshot in snapshots],
        [dict(snapshot.segment) for snapshot in snapshots],
        [snapshot.seen_at for snapshot in snapshots],
        UNKNOWN_CELL,
    )


async def erased_among(connection: Connection, person_ids: Collection[str]) -> set[str]:
    rows = await connection.fetch(
        "SELECT person_id FROM people WHERE person_id = ANY($1::text[]) AND erased_at IS NOT NULL", list(person_ids)
    )
    return {row["person_id"] for row in rows}


async def erase_person(connection: Connection, person_id: str, erased_at: datetime) -> None:
    """Leave a bare row that refuses whatever comes late, and count the person as active no longer."""
    cell = await connection.fetchval(
        """
        INSERT INTO people (person_id, seen_at, erased_at) VALUES ($1, '-infinity', $2)
        ON CONFLICT (person_id) DO UPDATE
           SET cell = NULL, segment = NULL, seen_at = '-infinity', erased_at = excluded.erased_at
         WHERE people.erased_at IS NULL
        RETURNING old.cell
        """,
        person_id,
        erased_at,
    )
    # A statement of its own: the one above may have waited for whoever counted the person first in this cell.
    await connection.execute("UPDATE active_counts SET people = people - 1 WHERE cell = $1", cell)


async def delete_words_of(connection: Connection, person_id: str) -> None:
    """Remove the person's votes and insights; `settle` what they supported afterwards."""
    await connection.execute("DELETE FROM votes WHERE voter_id = $1", person_id)
    await connection.execute("DELETE FROM insights WHERE participant_id = $1", person_id)


async def supported_by(connection: Connection, person_ids: Collection[str]) -> list[Pair]:
    """Every idea that one of these people supports."""
    rows = await connection.fetch(
        "SELECT feature_id, person_id FROM supporters WHERE person_id = ANY($1::text[])", list(person_ids)
    )
    return [(row["feature_id"], row["person_id"]) for row in rows]


async def miscounted(connection: Connection, person_ids: Collection[str]) -> list[Pair]:
    """The ideas in which these people are still counted in a cell they have left."""
    rows = await connection.fetch(
        """
        SELECT feature_id, person_id FROM supporters JOIN people USING (person_id)
         WHERE person_id = ANY($1::text[]) AND supporters.cell <> people.cell
        """,
        list(person_ids),
    )
    return [(row["feature_id"], row["person_id"]) for row in rows]


async def settle(connection: Connection, pairs: Collection[Pair]) -> list[str]:
    """Make supporters and counters follow votes, insights and people for these pairs; gives the ideas that changed.

    A person supports an idea while their vote is up or an insight of theirs on it is not withdrawn. Repeating it
    changes nothing.
    """
    rows = await connection.fetch(
        """
        WITH pairs AS (
            SELECT DISTINCT feature_id, person_id FROM unnest($1::text[], $2::text[]) AS given (feature_id, person_id)
        ), said AS (
            SELECT DISTINCT ON (feature_id, person_id) feature_id, person_id, importance
              FROM pairs
              JOIN insights USING (feature_id)
             WHERE insights.participant_id = pairs.person_id AND NOT insights.withdrawn
             ORDER BY feature_id, person_id, tagged_at DESC, insight_id DESC
        ), wanted AS (
            SELECT feature_id, person_id, people.cell, said.importance
              FROM pairs
              JOIN people USING (person_id)
              LEFT JOIN said USING (feature_id, person_id)
             WHERE people.erased_at IS NULL
               AND (said.person_id IS NOT NULL
                    OR EXISTS (SELECT FROM votes
                                WHERE votes.feature_id = pairs.feature_id AND votes.voter_id = pairs.person_id
                                  AND votes.vote = 'up'))
        ), gone AS (
            DELETE FROM supporters
             USING pairs
             WHERE (supporters.feature_id, supporters.person_id) = (pairs.feature_id, pairs.person_id)
               AND NOT EXISTS (SELECT FROM wanted
                                WHERE (wanted.feature_id, wanted.person_id) = (pairs.feature_id, pairs.person_id))
            RETURNING supporters.feature_id, supporters.cell, supporters.importance
        ), come AS (
            INSERT INTO supporters (feature_id, person_id, cell, importance)
            SELECT feature_id, person_id, cell, importance FROM wanted ORDER BY feature_id, person_id
            ON CONFLICT (feature_id, person_id) DO UPDATE SET cell = excluded.cell, importance = excluded.importance
             WHERE (supporters.cell, supporters.importance) IS DISTINCT FROM (excluded.cell, excluded.importance)
            RETURNING new.feature_id, old.cell AS left_cell, old.importance AS left_importance, new.cell, new.importance
        ), moves AS (
            SELECT feature_id, cell, importance, -1 AS direction FROM gone
            UNION ALL
            SELECT feature_id, left_cell, left_importance, -1 FROM come WHERE left_cell IS NOT NULL
            UNION ALL
            SELECT feature_id, cell, importance, 1 FROM come
        ), net AS (
            SELECT feature_id, cell, sum(direction)::integer AS people,
                   coalesce(sum(direction * importance), 0)::integer AS importance_sum,
                   coalesce(sum(direction) FILTER (WHERE importance IS NOT NULL), 0)::integer AS importance_people
              FROM moves GROUP BY feature_id, cell
        ), counted AS (
            INSERT INTO support_counts AS counts (feature_id, cell, people, importance_sum, importance_people)
            SELECT feature_id, cell, greatest(people, 0), greatest(importance_sum, 0),
                   least(greatest(importance_people, 0), greatest(people, 0))
              FROM net ORDER BY feature_id, cell
            ON CONFLICT (feature_id, cell) DO UPDATE
               SET (people, importance_sum, importance_people) = (
                   SELECT counts.people + net.people, counts.importance_sum + net.importance_sum,
                          counts.importance_people + net.importance_people
                     FROM net WHERE (net.feature_id, net.cell) = (excluded.feature_id, excluded.cell))
        )
        UPDATE ideas SET supporters = ideas.supporters + moved.people
          FROM (SELECT feature_id, sum(people)::integer AS people FROM net GROUP BY feature_id) AS moved
         WHERE ideas.feature_id = moved.feature_id
        RETURNING ideas.feature_id
        """,
        [feature_id for feature_id, _ in pairs],
        [person_id for _, person_id in pairs],
    )
    return [row["feature_id"] for row in rows]
