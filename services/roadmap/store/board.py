"""The SQL of the public board: lists of ideas, their counts, and where people stand."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from services.roadmap.ideas import Idea, Status

from .ideas import idea_of
from .similar import ON_BOARD

if TYPE_CHECKING:
    from .connection import Connection

Sort = Literal["votes", "new", "moving"]

CHOSEN = f"""
    {ON_BOARD}
    AND ($1::text IS NULL OR category_id = $1)
    AND ($2::text[] IS NULL OR feature_id IN (SELECT unnest($2::text[])))
"""
"""Ideas on the board in the category $1 that are among those found, $2."""

ORDERS: Mapping[Sort, str] = MappingProxyType(
    {
        "votes": "place, supporters DESC",  # a null is last
        "new": "created_at DESC",
        "moving": "momentum DESC",
    }
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a list of the board is limited to: a category, and what a search found (None: everything).

    `best` are the ideas that say most nearly what was searched, the best first.
    """

    category_id: str | None = None
    found: tuple[str, ...] | None = None
    best: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """An idea in a list, and how many comments its page shows."""

    idea: Idea
    comments: int


async def board(
    connection: Connection, chosen: Chosen, statuses: Collection[Status], sort: Sort, limit: int, offset: int
) -> list[Listed]:
    """Ideas of these types of status; in the order by votes the best of a search come first."""
    rows = await connection.fetch(
        f"""
        WITH best AS (SELECT * FROM unnest($6::text[]) WITH ORDINALITY AS best (feature_id, place))
        SELECT ideas.*, (SELECT count(*) FROM comments JOIN ideas AS member USING (feature_id)
                          WHERE coalesce(member.merged_into, member.feature_id) = ideas.feature_id
                            AND comments.visibility = 'published' AND deleted_at IS NULL) AS comments
          FROM ideas LEFT JOIN best USING (feature_id)
         WHERE feature_id IN (SELECT feature_id FROM ideas LEFT JOIN best USING (feature_id)
                               WHERE {CHOSEN} AND status = ANY($3::text[])
                               ORDER BY {ORDERS[sort]}, feature_id LIMIT $4 OFFSET $5)
         ORDER BY {ORDERS[sort]}, feature_id
        """,  # noqa: S608 - constants
        chosen.category_id,
        chosen.found,
        list(statuses),
        limit,
        offset,
        chosen.best,
    )
    return [Listed(idea_of(row), row["comments"]) for row in rows]


async def count_by_status(connection: Connection, chosen: Chosen) -> dict[Status, int]:
    """How many ideas each type of status holds; one without any is left out."""
    rows = await connection.fetch(
        f"SELECT status, count(*) AS ideas FROM ideas WHERE {CHOSEN} GROUP BY status",  # noqa: S608 - constants
        chosen.category_id,
        chosen.found,
    )
    return {row["status"]: row["ideas"] for row in rows}


async def board_columns(connection: Connection, chosen: Chosen, limit: int) -> dict[str, list[Idea]]:
    """The most wanted ideas of each of the company's statuses, at most `limit` of each, by the status's id."""
    rows = await connection.fetch(
        f"""
        SELECT ideas.*, "column"
          FROM (SELECT feature_id, coalesce(status_id, status) AS "column",
                       row_number() OVER (PARTITION BY coalesce(status_id, status)
                                          ORDER BY supporters DESC, feature_id) AS place
                  FROM ideas WHERE {CHOSEN}) AS placed JOIN ideas USING (feature_id)
         WHERE place <= $3 ORDER BY place
        """,  # noqa: S608 - constants
        chosen.category_id,
        chosen.found,
        limit,
    )
    columns: dict[str, list[Idea]] = {}
    for row in rows:
        columns.setdefault(row["column"], []).append(idea_of(row))
    return columns


async def public_ideas(connection: Connection, feature_ids: Sequence[str]) -> list[Idea]:
    """Those of these ideas that are on the board, in the given order."""
    rows = await connection.fetch(
        f"SELECT * FROM ideas WHERE feature_id = ANY($1::text[]) AND {ON_BOARD}",  # noqa: S608 - a constant
        feature_ids,
    )
    found = {row["feature_id"]: idea_of(row) for row in rows}
    return [found[feature_id] for feature_id in feature_ids if feature_id in found]


async def merged_into(connection: Connection, feature_id: str) -> list[Idea]:
    """The ideas that are merged into this one, by title."""
    rows = await connection.fetch("SELECT * FROM ideas WHERE merged_into = $1 ORDER BY title, feature_id", feature_id)
    return [idea_of(row) for row in rows]
