"""The SQL of merges, and of counting people over ideas that are merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.roadmap.ideas import CLOSED
from services.roadmap.merges.trees import Merge
from services.roadmap.votes import Vote

from .support import COUNT_MOVES, SETTLE_WORDS, Pair
from .votes import GIVEN_VOTES, KEEP_VOTES, vote_columns

if TYPE_CHECKING:
    from .connection import Connection, Row


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Two ideas whose titles look alike: 0 nothing in common to 1 the same."""

    first_id: str
    first_title: str
    first_supporters: int
    second_id: str
    second_title: str
    second_supporters: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Told:
    """A merge with the titles of its ideas."""

    merge: Merge
    title: str
    into_title: str


async def merge_alone(connection: Connection) -> None:
    """Wait until nobody else merges or parts ideas; until the end of the transaction nobody will."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('earshot roadmap merges', 0))")


async def merges_around(connection: Connection, feature_ids: Collection[str] | Mapping[str, object]) -> list[Merge]:
    """Every merge, undone or not, of the trees these ideas ever were part of, the first one first."""
    rows = await connection.fetch(
        """
        WITH RECURSIVE concerned (feature_id) AS (
            SELECT unnest($1::text[])
            UNION
            SELECT CASE WHEN merges.feature_id = concerned.feature_id THEN into_id ELSE merges.feature_id END
              FROM concerned JOIN merges ON concerned.feature_id IN (merges.feature_id, merges.into_id)
        )
        SELECT DISTINCT merges.* FROM merges JOIN concerned USING (feature_id) ORDER BY merged_at, merge_id
        """,
        list(feature_ids),
    )
    return [Merge(**row) for row in rows]


async def find_merge(connection: Connection, merge_id: str) -> Merge | None:
    row = await connection.fetchrow("SELECT * FROM merges WHERE merge_id = $1", merge_id)
    return Merge(**row) if row else None


async def keep_merge(connection: Connection, merge: Merge) -> None:
    """Write a merge, or that it was undone."""
    await connection.execute(
        """
        INSERT INTO merges (merge_id, feature_id, into_id, merged_at, merged_by, unmerged_at, unmerged_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (merge_id) DO UPDATE SET unmerged_at = excluded.unmerged_at, unmerged_by = excluded.unmerged_by
        """,
        *merge,
    )


async def regroup(connection: Connection, merged_into: Mapping[str, str | None]) -> None:
    """Say what each of these held ideas is merged into, and count their people anew.

    What is merged counts nobody of its own: its people are its survivor's.
    """
    ids = list(merged_into)
    await connection.execute(
        """
        UPDATE ideas SET merged_into = given.survivor, regrouped = true
          FROM unnest($1::text[], $2::text[]) AS given (feature_id, survivor)
         WHERE ideas.feature_id = given.feature_id
        """,
        ids,
        list(merged_into.values()),
    )
    await connection.execute("DELETE FROM support_counts WHERE feature_id = ANY($1::text[])", ids)
    await connection.execute(
        """
        INSERT INTO support_counts (feature_id, cell, people, importance_sum, importance_people)
        SELECT feature_id, cell, count(*), coalesce(sum(importance), 0), count(importance)
          FROM supporters WHERE feature_id = ANY($1::text[]) GROUP BY feature_id, cell
        """,
        ids,
    )
    await connection.execute(
        """
        UPDATE ideas SET supporters = coalesce(counted.people, 0), momentum = coalesce(counted.momentum, 0)
          FROM unnest($1::text[]) AS given (feature_id)
               LEFT JOIN (SELECT feature_id, count(*)::integer AS people, sum(vote_weight(voted_at)) AS momentum
                            FROM supporters WHERE feature_id = ANY($1::text[]) GROUP BY feature_id) AS counted
               USING (feature_id)
         WHERE ideas.feature_id = given.feature_id
        """,
        ids,
    )


async def keep_grouped_votes(connection: Connection, votes: Sequence[Vote], cells: Mapping[str, str]) -> list[str]:
    """Keep votes on ideas of a group, and count who came and who went over the group; gives the survivors that changed.

    Slower than `keep_votes`, since where a person stands is looked at before and after. The ideas are held.
    """
    pairs = [(vote.feature_id, vote.voter_id) for vote in votes]
    before = await _standing(connection, pairs)
    await connection.execute(f"WITH {GIVEN_VOTES} {KEEP_VOTES}", *vote_columns(votes, cells))
    return await _count_difference(connection, before, await _standing(connection, pairs))


async def settle_grouped_words(connection: Connection, pairs: Collection[Pair]) -> list[str]:
    """The same for words: make them follow the insights of these pairs of ideas of a group and people."""
    before = await _standing(connection, pairs)
    await connection.execute(
        f"WITH {SETTLE_WORDS} SELECT FROM spoken",
        [feature_id for feature_id, _ in pairs],
        [person_id for _, person_id in pairs],
    )
    return await _count_difference(connection, before, await _standing(connection, pairs))


async def last_vote_in_group(connection: Connection, survivor_id: str, voter_id: str) -> datetime | None:
    voted_at: datetime | None = await connection.fetchval(
        "SELECT voted_at FROM standing_votes WHERE feature_id = $1 AND person_id = $2", survivor_id, voter_id
    )
    return voted_at


async def lookalikes(connection: Connection, limit: int) -> list[Lookalikes]:
    """Ideas on the board that look alike and that nobody has decided about, the most alike first."""
    rows = await connection.fetch(
        """
        SELECT first_id, a.title AS first_title, a.supporters AS first_supporters,
               second_id, b.title AS second_title, b.supporters AS second_supporters, similarity
          FROM lookalikes JOIN ideas AS a ON a.feature_id = first_id JOIN ideas AS b ON b.feature_id = second_id
         WHERE dismissed_at IS NULL AND a.merged_into IS NULL AND b.merged_into IS NULL
           AND a.visibility = 'published' AND b.visibility = 'published'
           AND a.status <> ALL($1::text[]) AND b.status <> ALL($1::text[])
         ORDER BY similarity DESC, first_id, second_id LIMIT $2
        """,
        sorted(CLOSED),
        limit,
    )
    return [Lookalikes(**row) for row in rows]


async def dismiss(connection: Connection, first_id: str, second_id: str, by: str, now: datetime) -> None:
    """Never suggest these two again."""
    await connection.execute(
        """
        INSERT INTO lookalikes (first_id, second_id, similarity, dismissed_at, dismissed_by)
        VALUES (least($1, $2), greatest($1, $2), 0, $4, $3)
        ON CONFLICT (first_id, second_id) DO UPDATE SET dismissed_at = $4, dismissed_by = $3
        """,
        first_id,
        second_id,
        by,
        now,
    )


async def told_merges(connection: Connection, limit: int, feature_id: str | None = None) -> list[Told]:
    """What was merged and parted, all or around one idea, the last first."""
    rows = await connection.fetch(
        """
        SELECT merges.*, a.title, b.title AS into_title
          FROM merges JOIN ideas AS a USING (feature_id) JOIN ideas AS b ON b.feature_id = into_id
         WHERE $2::text IS NULL OR $2 IN (merges.feature_id, into_id)
         ORDER BY greatest(merged_at, unmerged_at) DESC, merge_id LIMIT $1
        """,
        limit,
        feature_id,
    )
    return [Told(Merge(*[row[name] for name in Merge._fields]), row["title"], row["into_title"]) for row in rows]


async def _standing(connection: Connection, pairs: Collection[Pair]) -> list[Row]:
    """Where these people stand on the survivors of these ideas; whoever stands behind none is left out."""
    return await connection.fetch(
        """
        SELECT supporters.feature_id, person_id, cell, importance, voted_at
          FROM supporters
         WHERE person_id = ANY($2::text[])
           AND feature_id IN (SELECT coalesce(merged_into, feature_id) FROM ideas WHERE feature_id = ANY($1::text[]))
        """,
        list({feature_id for feature_id, _ in pairs}),
        list({person_id for _, person_id in pairs}),
    )


async def _count_difference(connection: Connection, before: Sequence[Row], after: Sequence[Row]) -> list[str]:
    """Count what has come and gone between two looks; gives the survivors that changed."""
    signed = [(-1, row) for row in before] + [(1, row) for row in after]
    rows = await connection.fetch(
        f"""
        WITH moves AS (
            SELECT feature_id, cell, sign AS people, sign * coalesce(importance, 0) AS importance,
                   sign * (importance IS NOT NULL)::integer AS speakers,
                   CASE WHEN voted_at IS NULL THEN 0 ELSE sign * vote_weight(voted_at) END AS momentum
              FROM unnest($1::integer[], $2::text[], $3::text[], $4::integer[], $5::timestamptz[])
                   AS signed (sign, feature_id, cell, importance, voted_at)
        ), {COUNT_MOVES}
        """,  # noqa: S608 - the end of the statement, a constant
        [sign for sign, _ in signed],
        *([row[name] for _, row in signed] for name in ("feature_id", "cell", "importance", "voted_at")),
    )
    return [row["feature_id"] for row in rows]
