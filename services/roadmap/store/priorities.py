"""The SQL of what priorities are made of, of the customer base, and of the scores last published."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from services.roadmap.ideas import CLOSED
from services.roadmap.priority import measured
from services.roadmap.priority.kpis import widest_gap
from shared.runtime import columns

from .kpis import kpis

if TYPE_CHECKING:
    from .connection import Connection, Row


@dataclass(frozen=True, slots=True)
class Published:
    """A score as it was last published; version 1 is the first."""

    version: int
    score: float
    previous_score: float | None
    changed_at: datetime
    raw_votes: int | None = None
    previous_raw_votes: int | None = None


class Due(NamedTuple):
    """An idea whose score is due, and what changed it last: the event, its correlation, its trace."""

    feature_id: str
    event_id: str | None
    correlation_id: str | None
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything one idea's priority is made of, and what was last said about it."""

    feature_id: str
    closed: bool
    idea: measured.Idea
    published: Published | None


@dataclass(frozen=True, slots=True)
class InputTimes:
    """How old the inputs of an idea's priority are; None where there is no such input.

    The latest vote and the latest word in an interview on it, the oldest measurement of its KPIs (of which period's
    end), and when the customer base was last entered or measured.
    """

    voted_at: datetime | None
    said_at: datetime | None
    measured_at: datetime | None
    frame_at: datetime | None


async def input_times(connection: Connection, feature_id: str) -> InputTimes:
    row = await connection.fetchrow(
        """
        WITH parts AS (SELECT feature_id FROM ideas WHERE coalesce(merged_into, feature_id) = $1)
        SELECT (SELECT max(voted_at) FROM votes JOIN parts USING (feature_id) WHERE vote = 'up') AS voted_at,
               (SELECT max(tagged_at) FROM insights JOIN parts USING (feature_id) WHERE NOT withdrawn) AS said_at,
               (SELECT min(period_end) FROM kpis
                 WHERE kpi_id = ANY((SELECT kpi_ids FROM ideas WHERE feature_id = $1)::text[])) AS measured_at,
               (SELECT coalesce((SELECT max(period_end) FROM kpi_cells WHERE kpi_id = frame.kpi_id), changed_at)
                  FROM frame) AS frame_at
        """,
        feature_id,
    )
    assert row is not None
    return InputTimes(**row)


async def support_total(connection: Connection, active: int) -> tuple[int, int]:
    """How many ideas are ranked, and how many people support them in all, of each idea at most all who are active."""
    row = await connection.fetchrow(
        """
        SELECT count(*), coalesce(sum(least(supporters, $1)), 0)::bigint
          FROM ideas WHERE merged_into IS NULL AND visibility = 'published'
        """,
        active,
    )
    assert row is not None
    return row[0], row[1]


async def inputs(connection: Connection, feature_ids: Collection[str] | None = None) -> list[Inputs]:
    """The inputs of these ideas, or of all, ordered by id."""
    chosen = None if feature_ids is None else list(feature_ids)
    rows = await connection.fetch(
        """
        SELECT feature_id, status, effort_weeks, kpi_ids, version, score, previous_score, changed_at,
               raw_votes
          FROM ideas LEFT JOIN priorities USING (feature_id)
         WHERE $1::text[] IS NULL OR feature_id = ANY($1::text[])
         ORDER BY feature_id
        """,
        chosen,
    )
    counted = await connection.fetch(
        """
        SELECT feature_id, cell, people, importance_sum, importance_people
          FROM support_counts
         WHERE people > 0 AND ($1::text[] IS NULL OR feature_id = ANY($1::text[]))
        """,
        chosen,
    )
    by_idea: dict[str, list[Row]] = {}
    for row in counted:
        by_idea.setdefault(row["feature_id"], []).append(row)
    known = await kpis(connection, {kpi for row in rows for kpi in row["kpi_ids"]})
    return [
        Inputs(
            feature_id=row["feature_id"],
            closed=row["status"] in CLOSED,
            idea=measured.Idea(
                supporters={count["cell"]: count["people"] for count in by_idea.get(row["feature_id"], [])},
                importance_sum=sum(count["importance_sum"] for count in by_idea.get(row["feature_id"], [])),
                importance_people=sum(count["importance_people"] for count in by_idea.get(row["feature_id"], [])),
                kpi_gap=widest_gap(known[kpi] for kpi in row["kpi_ids"] if kpi in known),
                effort_weeks=row["effort_weeks"],
            ),
            published=_published(row),
        )
        for row in rows
    ]


async def mark_due(connection: Connection, marks: Sequence[Due]) -> None:
    """Remember that the scores of these ideas may have changed, and what changed them last."""
    await connection.execute(
        """
        INSERT INTO due (feature_id, event_id, correlation_id, traceparent)
        SELECT * FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[])
                      AS given (feature_id)
         ORDER BY feature_id
        ON CONFLICT (feature_id) DO UPDATE
           SET event_id = excluded.event_id, correlation_id = excluded.correlation_id,
               traceparent = excluded.traceparent
        """,
        *(columns.texts(column) for column in zip(*marks, strict=True)),
    )


async def due_ideas(connection: Connection, limit: int) -> list[str]:
    """Some of the ideas whose scores are due; none while another instance is at it."""
    rows = await connection.fetch(
        """
        WITH turn AS MATERIALIZED (
            SELECT pg_try_advisory_xact_lock(hashtextextended('earshot scores ' || current_schema, 0)) AS is_ours
        )
        SELECT feature_id FROM due, turn WHERE is_ours LIMIT $1
        """,
        limit,
    )
    return [row["feature_id"] for row in rows]


async def take_due(connection: Connection, feature_ids: Collection[str]) -> list[Due]:
    """Take the marks of these ideas, whose rows must be locked: what changes them later marks them anew."""
    rows = await connection.fetch(
        """
        DELETE FROM due
         WHERE feature_id IN (SELECT feature_id FROM due WHERE feature_id = ANY($1::text[])
                               ORDER BY feature_id FOR UPDATE)
        RETURNING feature_id, event_id, correlation_id, traceparent
        """,
        list(feature_ids),
    )
    return [Due(*row) for row in rows]


async def version_floor(connection: Connection) -> int:
    """The versions of new things begin above this; 0 until an old backup was put back."""
    floor: int = await connection.fetchval("SELECT floor FROM version_floor")
    return floor


async def keep_priorities(connection: Connection, scores: Sequence[tuple[str, Published]]) -> None:
    """Remember what is published now; the ideas' rows must be locked."""
    await connection.execute(
        """
        INSERT INTO priorities (feature_id, version, score, previous_score, changed_at, raw_votes)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::float8[], $4::float8[], $5::timestamptz[], $6::integer[])
        ON CONFLICT (feature_id) DO UPDATE
           SET version = excluded.version, score = excluded.score, previous_score = excluded.previous_score,
               changed_at = excluded.changed_at, raw_votes = excluded.raw_votes
        """,
        [feature_id for feature_id, _ in scores],
        [score.version for _, score in scores],
        [score.score for _, score in scores],
        [score.previous_score for _, score in scores],
        [score.changed_at for _, score in scores],
        [score.raw_votes for _, score in scores],
    )


def _published(row: Row) -> Published | None:
    if row["version"] is None:
        return None
    return Published(row["version"], row["score"], row["previous_score"], row["changed_at"], row["raw_votes"])
