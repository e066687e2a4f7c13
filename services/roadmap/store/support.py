"""The SQL of who takes part and who supports which idea, with the counters that follow.

Who writes here holds the people first and the ideas next, so that counters follow one change after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from services.roadmap.priority.segments import UNKNOWN_CELL, Move, Snapshot
from shared.runtime import columns

if TYPE_CHECKING:
    from .connection import Connection

Pair = tuple[str, str]
"""An idea's and a person's id."""

RISES = "people >= importance_people AND importance_people >= 0 AND importance_sum >= 0"
"""What may be a row of its own goes the cheaper way, which tries to insert it first."""

COUNT_MOVES = f"""
    net AS (
        SELECT feature_id, cell, sum(people)::integer AS people, sum(importance)::integer AS importance_sum,
               sum(speakers)::integer AS importance_people, sum(momentum) AS momentum
          FROM moves GROUP BY feature_id, cell
        HAVING (sum(people), sum(importance), sum(speakers), sum(momentum)) <> (0, 0, 0, 0)
    ), more AS (
        INSERT INTO support_counts AS counts (feature_id, cell, people, importance_sum, importance_people)
        SELECT feature_id, cell, people, importance_sum, importance_people FROM net
         WHERE {RISES} AND people + importance_sum + importance_people > 0
        ON CONFLICT (feature_id, cell) DO UPDATE
           SET people = counts.people + excluded.people,
               importance_sum = counts.importance_sum + excluded.importance_sum,
               importance_people = counts.importance_people + excluded.importance_people
    ), less AS (
        MERGE INTO support_counts AS counts USING (SELECT * FROM net WHERE NOT ({RISES})) AS net
           ON (counts.feature_id, counts.cell) = (net.feature_id, net.cell)
         WHEN MATCHED THEN UPDATE
          SET people = counts.people + net.people, importance_sum = counts.importance_sum + net.importance_sum,
              importance_people = counts.importance_people + net.importance_people
         WHEN NOT MATCHED THEN INSERT (feature_id, cell, people, importance_sum, importance_people)
       VALUES (net.feature_id, net.cell, net.people, net.importance_sum, net.importance_people)
    )
    UPDATE ideas
       SET supporters = ideas.supporters + total.people,
           -- What is left of much greater sums is rounding.
           momentum = CASE WHEN ideas.momentum + total.momentum > ideas.momentum * 1e-9
                           THEN ideas.momentum + total.momentum ELSE 0 END
      FROM (SELECT feature_id, sum(people)::integer AS people, sum(momentum) AS momentum
              FROM net GROUP BY feature_id) AS total
     WHERE ideas.feature_id = total.feature_id
    RETURNING ideas.feature_id
"""  # noqa: S608 - made of constants
"""The end of a statement whose `moves` say what changes in which cell of which idea; gives the ideas that changed."""


class Noted(NamedTuple):
    """What came of noting people.

    `left` names the cell that each mover was known in before, `as_before` those who were seen later already or are
    erased.
    """

    moves: list[Move]
    left: dict[str, str]
    as_before: list[str]


async def note_people(connection: Connection, snapshots: Sequence[Snapshot]) -> Noted:
    """Keep the latest of what is known of these people, each named once, and hold their rows.

    A snapshot that says nothing replaces none; whatever order snapshots come in, the same one is kept.
    Whoever moved is counted by `count_active` and `recount_movers`.
    """
    people, cells, seen = zip(*snapshots, strict=True)
    # The order of the rows keeps transactions from deadlocking; a row is locked even where nothing is written.
    rows = await connection.fetch(
        """
        WITH given AS (
            SELECT person_id, cell,
                   CASE WHEN cell = $4 THEN '-infinity'
                        ELSE 'epoch'::timestamptz + seen * interval '1 microsecond' END AS seen_at
              FROM unnest($1::text::text[], $2::text::text[], $3::text::bigint[]) AS given (person_id, cell, seen)
        ), noted AS (
            INSERT INTO people (person_id, cell, seen_at) SELECT * FROM given ORDER BY person_id
            ON CONFLICT (person_id) DO UPDATE SET cell = excluded.cell, seen_at = excluded.seen_at
             WHERE people.erased_at IS NULL
               AND (excluded.seen_at, excluded.cell) > (people.seen_at, people.cell)
            RETURNING new.person_id, old.cell AS left_cell, new.cell AS joined_cell
        )
        SELECT left_cell, joined_cell, count(*)::integer, array_agg(person_id) FILTER (WHERE left_cell IS NOT NULL)
          FROM noted WHERE left_cell IS DISTINCT FROM joined_cell
         GROUP BY left_cell, joined_cell
        UNION ALL
        SELECT NULL, NULL, 0, array_agg(person_id)
          FROM given WHERE NOT EXISTS (SELECT FROM noted WHERE noted.person_id = given.person_id)
        """,
        columns.texts(people),
        columns.texts(cells),
        columns.times(seen),
        UNKNOWN_CELL,
    )
    return Noted(
        moves=[Move(left, joined, people) for left, joined, people, _ in rows if people],
        left={person: left for left, _, _, movers in rows if left for person in movers},
        as_before=[person for _, _, people, same in rows if not people for person in same or ()],
    )


async def count_active(connection: Connection, moves: Iterable[Move]) -> None:
    """Count who takes part per cell. Last in a transaction: everybody's votes end in the same few rows."""
    net: Counter[str] = Counter()
    for move in moves:
        net.update({cell: people for cell, people in ((move.left, -move.people), (move.joined, move.people)) if cell})
    if not (changed := {cell: people for cell, people in net.items() if people}):
        return
    await connection.execute(
        """
        INSERT INTO active_counts AS counted (cell, people)
        SELECT cell, greatest(people::integer, 0) FROM jsonb_each_text($1) AS net (cell, people) ORDER BY cell
        ON CONFLICT (cell) DO UPDATE SET people = counted.people + ($1 ->> excluded.cell)::integer
        """,
        changed,
    )


async def cells_of(connection: Connection, person_ids: Collection[str]) -> dict[str, str | None]:
    """In which cell these people are; none for those who are erased."""
    if not person_ids:
        return {}
    rows = await connection.fetch(
        "SELECT person_id, cell FROM people JOIN unnest($1::text[]) AS wanted (person_id) USING (person_id)",
        list(person_ids),
    )
    return {row["person_id"]: row["cell"] for row in rows}


async def erased_among(connection: Connection, person_ids: Collection[str]) -> set[str]:
    return {person for person, cell in (await cells_of(connection, person_ids)).items() if cell is None}


async def erase_person(connection: Connection, person_id: str, erased_at: datetime) -> str | None:
    """Leave a bare row that refuses whatever comes late; gives the cell the person was counted in."""
    cell: str | None = await connection.fetchval(
        """
        INSERT INTO people (person_id, seen_at, erased_at) VALUES ($1, '-infinity', $2)
        ON CONFLICT (person_id) DO UPDATE SET cell = NULL, seen_at = '-infinity', erased_at = excluded.erased_at
         WHERE people.erased_at IS NULL
        RETURNING old.cell
        """,
        person_id,
        erased_at,
    )
    return cell


async def supported_by(connection: Connection, person_ids: Collection[str]) -> set[str]:
    """The ideas that one of these people supports."""
    if not person_ids:
        return set()
    rows = await connection.fetch(
        """
        SELECT DISTINCT feature_id FROM standing WHERE person_id = ANY($1::text[])
        """,
        list(person_ids),
    )
    return {row["feature_id"] for row in rows}


async def recount_movers(connection: Connection, left: Mapping[str, str]) -> list[str]:
    """Count people, given with the cell they have left, in the cell they are in now; gives the ideas that changed."""
    if not left:
        return []
    rows = await connection.fetch(
        f"""
        WITH standing AS (
            SELECT feature_id, cell, left_cell, coalesce(importance, 0) AS importance,
                   (importance IS NOT NULL)::integer AS speakers
              FROM supporters JOIN unnest($1::text[], $2::text[]) AS moved (person_id, left_cell) USING (person_id)
             WHERE supporters.person_id = ANY($1::text[])
        ), moves AS (
            SELECT feature_id, left_cell AS cell, -1 AS people, -importance AS importance, -speakers AS speakers,
                   0::float8 AS momentum
              FROM standing
            UNION ALL
            SELECT feature_id, cell, 1, importance, speakers, 0 FROM standing
        ), {COUNT_MOVES}
        """,  # noqa: S608 - the end of the statement, above
        list(left),
        list(left.values()),
    )
    return [row["feature_id"] for row in rows]


async def delete_support(connection: Connection, person_id: str, cell: str | None) -> tuple[list[str], dict[str, int]]:
    """Remove what a person said who was counted in this cell; gives the ideas that changed, and rows by table."""
    rows = await connection.fetch(
        f"""
        WITH moves AS (
            SELECT feature_id, $2::text AS cell, -1 AS people, -coalesce(importance, 0) AS importance,
                   -(importance IS NOT NULL)::integer AS speakers,
                   CASE WHEN voted_at IS NULL THEN 0 ELSE -vote_weight(voted_at) END AS momentum
              FROM standing WHERE person_id = $1
        ), {COUNT_MOVES}
        """,  # noqa: S608 - the end of the statement, above
        person_id,
        cell,
    )
    statuses = {
        "votes": await connection.execute("DELETE FROM votes WHERE voter_id = $1", person_id),
        "words": await connection.execute("DELETE FROM words WHERE person_id = $1", person_id),
        "insights": await connection.execute("DELETE FROM insights WHERE participant_id = $1", person_id),
    }
    removed = {table: int(status.removeprefix("DELETE ")) for table, status in statuses.items()}
    return [row["feature_id"] for row in rows], removed


SETTLE_WORDS = """
    pairs AS (
        SELECT DISTINCT feature_id, person_id FROM unnest($1::text[], $2::text[]) AS given (feature_id, person_id)
    ), said AS (
        SELECT DISTINCT ON (feature_id, person_id) feature_id, person_id, importance, tagged_at AS said_at
          FROM pairs JOIN insights USING (feature_id)
         WHERE insights.participant_id = pairs.person_id AND NOT insights.withdrawn
         ORDER BY feature_id, person_id, tagged_at DESC, insight_id DESC
    ), unsaid AS (
        DELETE FROM words USING pairs
         WHERE (words.feature_id, words.person_id) = (pairs.feature_id, pairs.person_id)
           AND NOT EXISTS (SELECT FROM said
                            WHERE (said.feature_id, said.person_id) = (pairs.feature_id, pairs.person_id))
        RETURNING words.feature_id, words.person_id, -1 AS speakers, -words.importance AS importance
    ), spoken AS (
        INSERT INTO words (feature_id, person_id, importance, said_at)
        SELECT feature_id, person_id, importance, said_at FROM said ORDER BY feature_id, person_id
        ON CONFLICT (feature_id, person_id) DO UPDATE
           SET importance = excluded.importance, said_at = excluded.said_at
         WHERE (words.importance, words.said_at) <> (excluded.importance, excluded.said_at)
        RETURNING new.feature_id, new.person_id, (old.person_id IS NULL)::integer AS speakers,
                  new.importance - coalesce(old.importance, 0) AS importance
    )
"""
"""Makes words follow the insights of the pairs in $1 and $2: `unsaid` and `spoken` say what became of them."""


async def settle_words(connection: Connection, pairs: Collection[Pair]) -> list[str]:
    """Make words and counters follow the insights of these pairs; gives the ideas that changed.

    A person's latest insight on an idea that is not withdrawn is their word. Repeating it changes nothing.
    """
    rows = await connection.fetch(
        f"""
        WITH {SETTLE_WORDS}, moves AS (
            SELECT changed.feature_id, people.cell, changed.importance, changed.speakers,
                   CASE WHEN votes.vote = 'up' THEN 0 ELSE changed.speakers END AS people, 0::float8 AS momentum
              FROM (SELECT * FROM unsaid UNION ALL SELECT * FROM spoken) AS changed
                   JOIN people USING (person_id)
                   LEFT JOIN votes ON (votes.feature_id, votes.voter_id) = (changed.feature_id, changed.person_id)
             WHERE people.erased_at IS NULL
        ), {COUNT_MOVES}
        """,  # noqa: S608 - the end of the statement, above
        [feature_id for feature_id, _ in pairs],
        [person_id for _, person_id in pairs],
    )
    return [row["feature_id"] for row in rows]
