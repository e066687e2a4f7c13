"""The SQL of the company's own statuses and categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.roadmap.board.statuses import Category, OwnStatus

if TYPE_CHECKING:
    from .connection import Connection


async def statuses(connection: Connection) -> list[OwnStatus]:
    rows = await connection.fetch("SELECT status_id, name, type, position FROM statuses ORDER BY position, status_id")
    return [OwnStatus(**row) for row in rows]


async def keep_status(connection: Connection, status: OwnStatus) -> None:
    """Add or change one; its type stays, since ideas are in it."""
    await connection.execute(
        """
        INSERT INTO statuses (status_id, name, type, position) VALUES ($1, $2, $3, $4)
        ON CONFLICT (status_id) DO UPDATE SET name = excluded.name, position = excluded.position
        """,
        status.status_id,
        status.name,
        status.type,
        status.position,
    )


async def remove_status(connection: Connection, status_id: str) -> None:
    await connection.execute("DELETE FROM statuses WHERE status_id = $1", status_id)


async def ideas_in(connection: Connection, status_id: str) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM ideas WHERE status_id = $1", status_id)
    return count


async def categories(connection: Connection) -> list[Category]:
    rows = await connection.fetch("SELECT category_id, name, position FROM categories ORDER BY position, name")
    return [Category(**row) for row in rows]


async def keep_category(connection: Connection, category: Category) -> None:
    await connection.execute(
        """
        INSERT INTO categories (category_id, name, position) VALUES ($1, $2, $3)
        ON CONFLICT (category_id) DO UPDATE SET name = excluded.name, position = excluded.position
        """,
        category.category_id,
        category.name,
        category.position,
    )


async def remove_category(connection: Connection, category_id: str) -> None:
    """Ideas of the category have none afterwards."""
    await connection.execute("UPDATE ideas SET category_id = NULL WHERE category_id = $1", category_id)
    await connection.execute("DELETE FROM categories WHERE category_id = $1", category_id)
