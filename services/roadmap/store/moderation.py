"""The SQL of what waits for a moderator, what moderators decided, and where votes come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from services.roadmap.people.rings import Arrival

if TYPE_CHECKING:
    from .connection import Connection

Visibility = Literal["pending", "published", "spam", "archived"]
Subject = Literal["idea", "comment"]


@dataclass(frozen=True, slots=True)
class Item:
    """An idea or a comment as the queue shows it."""

    subject: Subject
    subject_id: str
    feature_id: str
    title: str
    text: str
    author_id: str | None
    author_name: str | None
    trust: str
    visibility: Visibility
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Decision:
    """What a moderator decided; `title` is None where its subject is gone."""

    decision_id: str
    subject: str
    subject_id: str
    title: str | None
    before: str
    after: str
    reason: str | None
    decided_by: str
    decided_at: datetime
    undone_at: datetime | None


_ITEMS = """
    SELECT 'idea' AS subject, feature_id AS subject_id, feature_id, title, description AS text, author_id, author_name,
           visibility, created_at
      FROM ideas WHERE status_version > 0 OR visibility <> 'published'
    UNION ALL
    SELECT 'comment', comment_id, feature_id, title, body, comments.author_id, comments.author_name,
           comments.visibility, comments.created_at
      FROM comments JOIN ideas USING (feature_id) WHERE deleted_at IS NULL
"""


async def items(connection: Connection, visibility: Visibility, limit: int, offset: int) -> list[Item]:
    """Ideas and comments of this visibility, those that wait the longest first."""
    rows = await connection.fetch(
        f"""
        SELECT item.*, coalesce(trust, 'new') AS trust
          FROM ({_ITEMS}) AS item LEFT JOIN speakers ON person_id = author_id
         WHERE visibility = $1 ORDER BY item.created_at, subject_id LIMIT $2 OFFSET $3
        """,  # noqa: S608 - the query above
        visibility,
        limit,
        offset,
    )
    return [Item(**row) for row in rows]


async def item(connection: Connection, subject: Subject, subject_id: str) -> Item | None:
    """The idea or comment, held until the end of the transaction."""
    table, key = _TABLES[subject]
    await connection.execute(f"SELECT FROM {table} WHERE {key} = $1 FOR NO KEY UPDATE", subject_id)
    row = await connection.fetchrow(
        f"""
        SELECT item.*, coalesce(trust, 'new') AS trust
          FROM ({_ITEMS}) AS item LEFT JOIN speakers ON person_id = author_id
         WHERE (subject, subject_id) = ($1, $2)
        """,  # noqa: S608 - the query above
        subject,
        subject_id,
    )
    return Item(**row) if row else None


async def count_items(connection: Connection) -> dict[str, int]:
    """How many ideas and comments wait, are spam or are archived."""
    rows = await connection.fetch(
        f"""
        SELECT visibility, count(*) AS items FROM ({_ITEMS}) AS item WHERE visibility <> 'published' GROUP BY visibility
        """  # noqa: S608 - the query above
    )
    return {row["visibility"]: row["items"] for row in rows}


async def show_comment(connection: Connection, comment_id: str, visibility: Visibility) -> None:
    await connection.execute("UPDATE comments SET visibility = $2 WHERE comment_id = $1", comment_id, visibility)


_TABLES = {"idea": ("ideas", "feature_id"), "comment": ("comments", "comment_id")}


async def keep_decision(connection: Connection, decision: Decision) -> None:
    await connection.execute(
        """
        INSERT INTO decisions (decision_id, subject, subject_id, before, after, reason, decided_by, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """,
        decision.decision_id,
        decision.subject,
        decision.subject_id,
        decision.before,
        decision.after,
        decision.reason,
        decision.decided_by,
        decision.decided_at,
    )


_DECISIONS = """
    SELECT decision_id, subject, subject_id,
           coalesce(ideas.title, CASE WHEN deleted_at IS NULL THEN left(body, 80) END) AS title,
           before, after, reason, decided_by, decided_at, undone_at
      FROM decisions LEFT JOIN ideas ON subject = 'idea' AND feature_id = subject_id
           LEFT JOIN comments ON subject = 'comment' AND comment_id = subject_id
"""


async def decisions(connection: Connection, limit: int) -> list[Decision]:
    """The latest decisions."""
    rows = await connection.fetch(f"{_DECISIONS} ORDER BY decided_at DESC, decision_id LIMIT $1", limit)
    return [Decision(**row) for row in rows]


async def undo_decision(connection: Connection, decision_id: str, now: datetime) -> Decision | None:
    """Mark the decision undone; None where it is already, or there is none."""
    status = await connection.execute(
        "UPDATE decisions SET undone_at = $2 WHERE decision_id = $1 AND undone_at IS NULL", decision_id, now
    )
    if status != "UPDATE 1":
        return None
    row = await connection.fetchrow(f"{_DECISIONS} WHERE decision_id = $1", decision_id)
    return Decision(**row) if row else None


async def salt_of_week(connection: Connection, day: date, salt: bytes) -> bytes:
    """The salt of the day's week; the given one where it has none yet."""
    await connection.execute(
        """
        INSERT INTO network_salts (week, salt) VALUES (date_trunc('week', $1::date)::date, $2)
        ON CONFLICT (week) DO NOTHING
        """,
        day,
        salt,
    )
    # A statement of its own: the one above does not see the salt of a transaction that it waited for.
    found: bytes = await connection.fetchval(
        "SELECT salt FROM network_salts WHERE week = date_trunc('week', $1::date)::date", day
    )
    return found


async def is_new(connection: Connection, person_id: str, since: datetime) -> bool:
    """Whether nobody saw the person before that time."""
    seen: bool = await connection.fetchval(
        """
        SELECT EXISTS (SELECT FROM speakers WHERE person_id = $1 AND joined_at < $2)
            OR EXISTS (SELECT FROM arrivals WHERE person_id = $1 AND voted_at < $2)
            OR EXISTS (SELECT FROM votes WHERE voter_id = $1 AND voted_at < $2)
        """,
        person_id,
        since,
    )
    return not seen


async def note_arrival(connection: Connection, arrival: Arrival) -> None:
    await connection.execute(
        """
        INSERT INTO arrivals (feature_id, person_id, network, is_new, voted_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        *arrival,
    )


async def arrivals(connection: Connection) -> Sequence[Arrival]:
    rows = await connection.fetch("SELECT feature_id, person_id, network, is_new, voted_at FROM arrivals")
    return [Arrival(*row) for row in rows]


async def forget_arrivals(connection: Connection, before: datetime) -> None:
    """Forget where older votes came from, with the salts they were hashed with."""
    await connection.execute("DELETE FROM arrivals WHERE voted_at < $1", before)
    await connection.execute("DELETE FROM network_salts WHERE week < $1::date - 7", before.date())
