"""The SQL of the recount: counters against what they count, each look within one statement and so at one moment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .connection import Connection


class Drift(NamedTuple):
    """An idea whose counters are not what they count; `counter` is support, supporters or momentum."""

    feature_id: str
    counter: str


async def next_slice(connection: Connection, ideas: int, since: datetime) -> list[str] | None:
    """The next ideas to look at, none at the end of a round.

    None at all where the last round ended after `since`, or while another instance is at it.
    """
    reached = await connection.fetchrow(
        """
        SELECT reached FROM recount WHERE reached IS NOT NULL OR ended_at IS NULL OR ended_at < $1
           FOR UPDATE SKIP LOCKED
        """,
        since,
    )
    if reached is None:
        return None
    rows = await connection.fetch(
        "SELECT feature_id FROM ideas WHERE feature_id > $1 ORDER BY feature_id LIMIT $2",
        reached["reached"] or "",
        ideas,
    )
    return [row["feature_id"] for row in rows]


async def keep_reached(connection: Connection, reached: str) -> None:
    await connection.execute("UPDATE recount SET reached = $1", reached)


async def keep_ended(connection: Connection, now: datetime) -> None:
    await connection.execute("UPDATE recount SET reached = NULL, ended_at = $1", now)


async def drifted(connection: Connection, feature_ids: Sequence[str]) -> list[Drift]:
    """Of these ideas, the counters that are not what a recount gives; a momentum may differ by its rounding."""
    rows = await connection.fetch(
        f"""
        WITH {RECOUNTED}
        SELECT DISTINCT feature_id, 'support' AS counter
          FROM recounted
               FULL JOIN (SELECT * FROM support_counts WHERE feature_id = ANY($1::text[]) AND people > 0) AS kept
               USING (feature_id, cell)
         WHERE (recounted.people, recounted.importance_sum, recounted.importance_people)
               IS DISTINCT FROM (kept.people, kept.importance_sum, kept.importance_people)
        UNION ALL
        SELECT feature_id, 'supporters' FROM ideas LEFT JOIN totals USING (feature_id)
         WHERE feature_id = ANY($1::text[]) AND supporters <> coalesce(people, 0)
        UNION ALL
        SELECT feature_id, 'momentum' FROM ideas LEFT JOIN totals USING (feature_id)
         WHERE feature_id = ANY($1::text[])
           AND abs(ideas.momentum - coalesce(totals.momentum, 0)) > 1e-6 * greatest(ideas.momentum, totals.momentum)
         ORDER BY 1, 2
        """,  # noqa: S608 - the beginning of the statement, below
        feature_ids,
    )
    return [Drift(*row) for row in rows]


async def set_right(connection: Connection, feature_ids: Collection[str]) -> None:
    """Let the counters of these ideas, whose rows must be locked, be what they count."""
    given = list(feature_ids)
    await connection.execute("DELETE FROM support_counts WHERE feature_id = ANY($1::text[])", given)
    await connection.execute(
        f"""
        WITH {RECOUNTED}, counted AS (
            INSERT INTO support_counts (feature_id, cell, people, importance_sum, importance_people)
            SELECT feature_id, cell, people, importance_sum, importance_people FROM recounted
        )
        UPDATE ideas SET supporters = coalesce(people, 0), momentum = coalesce(totals.momentum, 0)
          FROM unnest($1::text[]) AS given (feature_id) LEFT JOIN totals USING (feature_id)
         WHERE ideas.feature_id = given.feature_id
        """,  # noqa: S608 - the beginning of the statement, below
        given,
    )


async def drifted_cells(connection: Connection) -> list[str]:
    """The cells whose number of active people is not what a recount gives."""
    rows = await connection.fetch(
        """
        SELECT cell FROM active FULL JOIN (SELECT * FROM active_counts WHERE people > 0) AS kept USING (cell)
         WHERE active.people IS DISTINCT FROM kept.people ORDER BY cell
        """
    )
    return [row["cell"] for row in rows]


async def set_cells_right(connection: Connection) -> None:
    """Let active people be those that are there; who takes part meanwhile waits."""
    await connection.execute("LOCK TABLE people, active_counts IN EXCLUSIVE MODE")
    await connection.execute("DELETE FROM active_counts")
    await connection.execute("INSERT INTO active_counts (cell, people) SELECT cell, people FROM active")


RECOUNTED = """
    recounted AS (
        SELECT feature_id, cell, count(*)::integer AS people, coalesce(sum(importance), 0)::integer AS importance_sum,
               count(importance)::integer AS importance_people,
               sum(vote_weight(voted_at)) FILTER (WHERE voted_at IS NOT NULL) AS momentum
          FROM supporters WHERE feature_id = ANY($1::text[])
         GROUP BY feature_id, cell
    ), totals AS (
        SELECT feature_id, sum(people)::integer AS people, sum(momentum) AS momentum
          FROM recounted GROUP BY feature_id
    )
"""
"""What the counters of the ideas in $1 must be."""
