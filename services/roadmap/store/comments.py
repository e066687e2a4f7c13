"""The SQL of comments, reactions and mentions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import TYPE_CHECKING

from services.roadmap.board.comments import Comment, Reaction

if TYPE_CHECKING:
    from .connection import Connection, Row


@dataclass(frozen=True, slots=True)
class Mention:
    """A comment that names a colleague, and the idea it is about."""

    comment: Comment
    title: str


async def comments_on(connection: Connection, feature_id: str) -> list[Comment]:
    """Every comment on the idea and on what is merged into it, whatever its state."""
    rows = await connection.fetch(
        """
        SELECT comments.* FROM comments JOIN ideas USING (feature_id)
         WHERE coalesce(merged_into, ideas.feature_id) = $1 ORDER BY comments.created_at, comment_id
        """,
        feature_id,
    )
    return [comment_of(row) for row in rows]


async def hold_comment(connection: Connection, comment_id: str) -> Comment | None:
    """The comment, which nobody else changes until the end of the transaction."""
    row = await connection.fetchrow("SELECT * FROM comments WHERE comment_id = $1 FOR UPDATE", comment_id)
    return comment_of(row) if row else None


async def save_comment(connection: Connection, comment: Comment) -> None:
    """Write a comment, new or changed."""
    await connection.execute(
        """
        INSERT INTO comments (comment_id, feature_id, parent_id, author_id, author_kind, author_name, body, official,
                              pinned, visibility, created_at, edited_at, deleted_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (comment_id) DO UPDATE
           SET author_id = excluded.author_id, author_name = excluded.author_name, body = excluded.body,
               official = excluded.official, pinned = excluded.pinned, visibility = excluded.visibility,
               edited_at = excluded.edited_at, deleted_at = excluded.deleted_at
        """,
        *astuple(comment),
    )


async def react(connection: Connection, comment_id: str, person_id: str, kind: Reaction, *, wanted: bool) -> None:
    """Leave a reaction, once, or take it back."""
    await connection.execute(
        "INSERT INTO reactions (comment_id, person_id, kind) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
        if wanted
        else "DELETE FROM reactions WHERE (comment_id, person_id, kind) = ($1, $2, $3)",
        comment_id,
        person_id,
        kind,
    )


async def reactions(connection: Connection, comment_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """How often each reaction was left at each comment."""
    rows = await connection.fetch(
        """
        SELECT comment_id, kind, count(*) AS people FROM reactions
         WHERE comment_id = ANY($1::text[]) GROUP BY comment_id, kind
        """,
        comment_ids,
    )
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row["comment_id"], {})[row["kind"]] = row["people"]
    return counts


async def reacted(connection: Connection, comment_ids: Sequence[str], person_id: str) -> set[tuple[str, str]]:
    """The comments and kinds of the reactions that are this person's."""
    rows = await connection.fetch(
        "SELECT comment_id, kind FROM reactions WHERE comment_id = ANY($1::text[]) AND person_id = $2",
        comment_ids,
        person_id,
    )
    return {(row["comment_id"], row["kind"]) for row in rows}


async def know_colleague(connection: Connection, subject: str, handle: str, name: str) -> str:
    """The handle of a colleague, who gets this one at the first meeting, with a number where another has it."""
    own: str | None = await connection.fetchval("SELECT handle FROM colleagues WHERE subject = $1", subject)
    if own is not None:
        return own
    # Two at a time would take the same number.
    await connection.execute("LOCK TABLE colleagues IN SHARE ROW EXCLUSIVE MODE")
    given: str = await connection.fetchval(
        """
        INSERT INTO colleagues (handle, subject, name)
        SELECT candidate, $2, $3
          FROM (SELECT $1 AS candidate, 1 AS number
                UNION ALL SELECT $1 || number, number FROM generate_series(2, 10000) AS number) AS candidates
         WHERE NOT EXISTS (SELECT FROM colleagues WHERE handle = candidate)
         ORDER BY number LIMIT 1
        ON CONFLICT (subject) DO UPDATE SET name = excluded.name
        RETURNING handle
        """,
        handle,
        subject,
        name,
    )
    return given


async def colleagues(connection: Connection) -> dict[str, str]:
    """Everybody of the team who was seen at the board, by handle: the name."""
    rows = await connection.fetch("SELECT handle, name FROM colleagues ORDER BY handle")
    return {row["handle"]: row["name"] for row in rows}


async def keep_mentions(connection: Connection, comment_id: str, handles: Sequence[str]) -> None:
    await connection.execute("DELETE FROM mentions WHERE comment_id = $1", comment_id)
    await connection.execute(
        "INSERT INTO mentions (comment_id, handle) SELECT $1, unnest($2::text[])", comment_id, handles
    )


async def mentions_of(connection: Connection, subject: str, limit: int) -> list[Mention]:
    """The comments that name this colleague, the last first."""
    rows = await connection.fetch(
        """
        SELECT comments.*, ideas.title
          FROM mentions JOIN colleagues USING (handle) JOIN comments USING (comment_id) JOIN ideas USING (feature_id)
         WHERE subject = $1 AND deleted_at IS NULL AND comments.visibility IN ('published', 'pending')
         ORDER BY comments.created_at DESC, comment_id LIMIT $2
        """,
        subject,
        limit,
    )
    return [Mention(comment_of(row), row["title"]) for row in rows]


async def forget_author(connection: Connection, person_id: str, erased_at: datetime) -> dict[str, int]:
    """Remove what an erased person wrote at the board and who they were; gives how many records of which table.

    Their comments keep their place without words. An idea others vote for stays, without its author.
    """
    statuses = {
        "reactions": await connection.execute("DELETE FROM reactions WHERE person_id = $1", person_id),
        "mentions": await connection.execute(
            "DELETE FROM mentions USING comments WHERE mentions.comment_id = comments.comment_id AND author_id = $1",
            person_id,
        ),
        "comments": await connection.execute(
            """
            UPDATE comments SET author_id = NULL, author_name = NULL, body = '', deleted_at = coalesce(deleted_at, $2)
             WHERE author_id = $1
            """,
            person_id,
            erased_at,
        ),
        "ideas": await connection.execute(
            "UPDATE ideas SET author_id = NULL, author_name = NULL WHERE author_id = $1", person_id
        ),
    }
    return {table: int(status.split()[-1]) for table, status in statuses.items()}


def comment_of(row: Row) -> Comment:
    return Comment(**{each.name: row[each.name] for each in fields(Comment)})
