"""The SQL of votes and of what interviewees said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from services.roadmap.priority.insights import Insight
from services.roadmap.votes import Vote
from shared.runtime import columns

from .support import COUNT_MOVES, Pair

if TYPE_CHECKING:
    from .connection import Connection


@dataclass(frozen=True, slots=True)
class Summary:
    """Who stands behind an idea: people by vote and kind, and how many were interviewed."""

    up: int
    withdrawn: int
    on_behalf: int
    interviewed: int
    by_kind: dict[str, int]
    by_channel: dict[str, int]


GIVEN_VOTES = """
    given AS MATERIALIZED (
        SELECT feature_id, voter_id, kind, vote, channel, recorder, source, cell,
               'epoch'::timestamptz + moment * interval '1 microsecond' AS voted_at
          FROM unnest($1::text::text[], $2::text::text[], $3::text::text[], $4::text::text[], $5::text::bigint[],
                      $6::text::text[], $7::text::text[], $8::text::text[], $9::text::text[])
               AS given (feature_id, voter_id, kind, vote, moment, channel, recorder, source, cell)
    )
"""
KEEP_VOTES = """
    INSERT INTO votes (feature_id, voter_id, voter_kind, vote, voted_at, channel, recorded_by, source_url)
    SELECT feature_id, voter_id, kind, vote, voted_at, channel, recorder, source
      FROM given ORDER BY feature_id, voter_id
    ON CONFLICT (feature_id, voter_id) DO UPDATE
       SET vote = excluded.vote, voted_at = excluded.voted_at, voter_kind = excluded.voter_kind,
           channel = excluded.channel, recorded_by = excluded.recorded_by, source_url = excluded.source_url
     WHERE excluded.voted_at >= votes.voted_at
"""
"""Keeps one vote per person and idea, none that is older than what is stored; `vote_columns` are what is given."""


def vote_columns(votes: Sequence[Vote], cells: Mapping[str, str]) -> list[str]:
    """What `GIVEN_VOTES` takes: the votes, and in which cell each voter is."""
    ideas, voters, kinds, ups, moments, channels, recorders, sources, _event_ids = zip(*votes, strict=True)
    return [
        *map(columns.texts, (ideas, voters, kinds, ups)),
        columns.times(moments),
        *map(columns.texts, (channels, recorders, sources, [cells[voter] for voter in voters])),
    ]


async def keep_votes(connection: Connection, votes: Sequence[Vote], cells: Mapping[str, str]) -> list[str]:
    """Keep votes, one per person and idea, that are not older than what is stored, and count who came and who went.

    The voters are noted already, in `cells`. Gives the ideas that changed.
    """
    if not votes:
        return []
    rows = await connection.fetch(
        f"""
        WITH {GIVEN_VOTES}, kept AS (
            {KEEP_VOTES}
            RETURNING new.feature_id, new.voter_id AS person_id,
                      (new.vote = 'up')::integer - coalesce(old.vote = 'up', false)::integer AS people,
                      CASE WHEN new.vote = 'up' THEN vote_weight(new.voted_at) ELSE 0 END
                      - CASE WHEN old.vote = 'up' THEN vote_weight(old.voted_at) ELSE 0 END AS momentum
        ), moves AS (
            SELECT kept.feature_id, given.cell, CASE WHEN words.person_id IS NULL THEN kept.people ELSE 0 END AS people,
                   0 AS importance, 0 AS speakers, kept.momentum
              FROM kept
                   JOIN given ON (given.feature_id, given.voter_id) = (kept.feature_id, kept.person_id)
                   LEFT JOIN words
                          ON (words.feature_id, words.person_id) = (kept.feature_id, kept.person_id)
             WHERE (kept.people, kept.momentum) <> (0, 0)
        ), {COUNT_MOVES}
        """,  # noqa: S608 - the end of the statement, a constant
        *vote_columns(votes, cells),
    )
    return [row["feature_id"] for row in rows]


async def standing_as_cast(connection: Connection, votes: Sequence[Vote]) -> set[tuple[str, str, datetime]]:
    """Idea, voter and time of those of the votes that are stored as they are given."""
    rows = await connection.fetch(
        """
        SELECT given.feature_id, given.voter_id, given.voted_at
          FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[])
               AS given (feature_id, voter_id, voter_kind, vote, voted_at, channel)
               CROSS JOIN LATERAL (SELECT voter_kind, vote, voted_at, channel FROM votes
                                    WHERE (feature_id, voter_id) = (given.feature_id, given.voter_id) LIMIT 1) AS held
         WHERE (held.voter_kind, held.vote, held.voted_at, held.channel)
               = (given.voter_kind, given.vote, given.voted_at, given.channel)
        """,
        [vote.feature_id for vote in votes],
        [vote.voter_id for vote in votes],
        [vote.voter_kind for vote in votes],
        [vote.vote for vote in votes],
        [vote.voted_at for vote in votes],
        [vote.channel for vote in votes],
    )
    return {tuple(row) for row in rows}


async def voted_for(connection: Connection, voter_id: str) -> set[str]:
    """The ideas this voter's vote is up on, counting what they said of ideas that are merged into them."""
    rows = await connection.fetch(
        """
        SELECT feature_id FROM standing_votes WHERE person_id = $1 AND vote = 'up'
        UNION SELECT coalesce(merged_into, feature_id) FROM anonymous_votes JOIN ideas USING (feature_id)
         WHERE voter_id = $1 AND vote = 'up'
        """,
        voter_id,
    )
    return {row["feature_id"] for row in rows}


async def vote_summary(connection: Connection, feature_id: str) -> Summary:
    rows = await connection.fetch(
        """
        SELECT vote, voter_kind, channel, recorded_by IS NOT NULL AS on_behalf, count(*) AS people
          FROM votes WHERE feature_id = $1
         GROUP BY vote, voter_kind, channel, on_behalf
         ORDER BY voter_kind, channel
        """,
        feature_id,
    )
    interviewed = await connection.fetchval(
        "SELECT count(DISTINCT participant_id) FROM insights WHERE feature_id = $1 AND NOT withdrawn", feature_id
    )
    up = [row for row in rows if row["vote"] == "up"]
    by_kind: dict[str, int] = {}
    by_channel: dict[str, int] = {}
    for row in up:
        by_kind[row["voter_kind"]] = by_kind.get(row["voter_kind"], 0) + row["people"]
        by_channel[row["channel"]] = by_channel.get(row["channel"], 0) + row["people"]
    return Summary(
        up=sum(row["people"] for row in up),
        withdrawn=sum(row["people"] for row in rows if row["vote"] == "withdrawn"),
        on_behalf=sum(row["people"] for row in up if row["on_behalf"]),
        interviewed=interviewed,
        by_kind=by_kind,
        by_channel=by_channel,
    )


async def keep_insights(connection: Connection, insights: Sequence[Insight]) -> list[Pair]:
    """Keep insights, each named once, that are newer than what is stored; gives the pairs they touch, old and new."""
    rows = await connection.fetch(
        """
        INSERT INTO insights (insight_id, version, withdrawn, feature_id, participant_id, session_id, quote, sentiment,
                              importance, tagged_at)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::boolean[], $4::text[], $5::text[], $6::text[], $7::text[],
                             $8::text[], $9::smallint[], $10::timestamptz[]) AS given (insight_id)
         ORDER BY insight_id
        ON CONFLICT (insight_id) DO UPDATE
           SET version = excluded.version, withdrawn = excluded.withdrawn, feature_id = excluded.feature_id,
               participant_id = excluded.participant_id, session_id = excluded.session_id, quote = excluded.quote,
               sentiment = excluded.sentiment, importance = excluded.importance, tagged_at = excluded.tagged_at
         WHERE excluded.version > insights.version
        RETURNING old.feature_id AS old_feature, old.participant_id AS old_person,
                  new.feature_id AS new_feature, new.participant_id AS new_person
        """,
        [insight.insight_id for insight in insights],
        [insight.version for insight in insights],
        [insight.withdrawn for insight in insights],
        [insight.feature_id for insight in insights],
        [insight.participant_id for insight in insights],
        [insight.session_id for insight in insights],
        [insight.quote for insight in insights],
        [insight.sentiment for insight in insights],
        [insight.importance for insight in insights],
        [insight.tagged_at for insight in insights],
    )
    touched = {(row["old_feature"], row["old_person"]) for row in rows}
    touched |= {(row["new_feature"], row["new_person"]) for row in rows}
    return [(feature, person) for feature, person in touched if feature is not None]


async def evidence(connection: Connection, feature_id: str, limit: int) -> list[Insight]:
    """What was said about the idea, the latest first."""
    rows = await connection.fetch(
        """
        SELECT insight_id, version, withdrawn, feature_id, participant_id, session_id, quote, sentiment, importance,
               tagged_at
          FROM insights WHERE feature_id = $1 AND NOT withdrawn
         ORDER BY tagged_at DESC, insight_id LIMIT $2
        """,
        feature_id,
        limit,
    )
    return [Insight(**row) for row in rows]
