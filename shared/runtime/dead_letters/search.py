"""Finding dead letters: by state, type, topic, key, time and words of the reason, in the order of their arrival."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from shared.contract.types import Line, Schema, UtcTime
from shared.runtime.database import Connection

from .store import State


class Filter(Schema):
    """Which letters; what is left out does not matter."""

    model_config = ConfigDict(extra="forbid")

    state: State | Literal["any"] = "open"
    event_type: Line | None = Field(default=None, description="e.g. earshot.KpiMeasured.v1")
    topic: Line | None = None
    key: Line | None = Field(default=None, description="the record's key, or that of its last edit, as text")
    since: UtcTime | None = Field(default=None, description="received at that time or later")
    text: Line | None = Field(default=None, description="words of the reason, in any case")


After = Annotated[int, Field(ge=0, le=2**63 - 1, description="letters with a higher number")]


_LETTERS = """
    SELECT letter.id, letter.number, topic, partition, "offset", event_id, event_type, reason, received_at, state,
           closed_at, closed_by, note, tried_at, tried_by, complaint,
           substring(CASE WHEN edit.number IS NULL THEN letter.key ELSE edit.key END FOR 2000) AS key,
           coalesce(edit.number, 0) AS edits,
           (SELECT count(*) FROM dead_letter_repeats WHERE dead_letter_repeats.letter = letter.id) AS repeats
      FROM dead_letters AS letter
      LEFT JOIN LATERAL (SELECT number, key FROM dead_letter_edits AS one
                          WHERE one.letter = letter.id ORDER BY number DESC LIMIT 1) AS edit ON true
"""


async def search(connection: Connection, wanted: Filter, *, after: int, limit: int) -> list[dict[str, Any]]:
    """At most `limit` letters with a higher number than `after`, oldest first, without their records."""
    rows = await connection.fetch(
        f"""
        {_LETTERS}
         WHERE letter.number > $1
           AND ($2 = 'any' OR state = $2)
           AND ($3::text IS NULL OR event_type = $3)
           AND ($4::text IS NULL OR topic = $4)
           AND ($5::bytea IS NULL OR key_digest = sha256($5))
           AND ($6::timestamptz IS NULL OR received_at >= $6)
           AND ($7::text IS NULL OR strpos(lower(reason), lower($7)) > 0 OR strpos(lower(complaint), lower($7)) > 0)
         ORDER BY letter.number
         LIMIT $8
        """,
        after,
        wanted.state,
        wanted.event_type,
        wanted.topic,
        None if wanted.key is None else wanted.key.encode(),
        wanted.since,
        wanted.text,
        limit,
    )
    return [dict(row) for row in rows]


async def summary(connection: Connection, identifier: UUID) -> dict[str, Any] | None:
    """One letter as the list shows it."""
    row = await connection.fetchrow(f"{_LETTERS} WHERE letter.id = $1", identifier)
    return dict(row) if row else None


async def in_order(connection: Connection, identifiers: Sequence[UUID]) -> list[UUID]:
    """Those of the letters that exist, in the order of their arrival."""
    rows = await connection.fetch(
        "SELECT id FROM dead_letters WHERE id = ANY ($1::uuid[]) ORDER BY number", list(identifiers)
    )
    return [row["id"] for row in rows]


async def counts(connection: Connection) -> dict[str, int]:
    """How many letters there are in each state."""
    rows = await connection.fetch("SELECT state, count(*) AS letters FROM dead_letters GROUP BY state")
    return {row["state"]: row["letters"] for row in rows}


async def topics(connection: Connection) -> list[str]:
    """The topics that letters came from."""
    rows = await connection.fetch("SELECT DISTINCT topic FROM dead_letters ORDER BY topic")
    return [row["topic"] for row in rows]
