"""Studies and who is in them."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from services.scheduling.store.connection import made
from services.scheduling.studies import Study

if TYPE_CHECKING:
    from services.scheduling.hosts import Role
    from services.scheduling.store.connection import Connection


async def add(connection: Connection, study: Study) -> bool:
    """Whether the study is new; one with the same id stays as it is."""
    row = await connection.fetchval(
        """
        INSERT INTO studies (study_id, title, goal, length_minutes, buffer_after_minutes, notice_minutes, horizon_days,
                             step_minutes, open, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT DO NOTHING
        RETURNING true
        """,
        *asdict(study).values(),
    )
    return row is not None


async def find(connection: Connection, study_id: str) -> Study | None:
    row = await connection.fetchrow("SELECT * FROM studies WHERE study_id = $1", study_id)
    return made(Study, row) if row else None


async def page(connection: Connection, limit: int) -> list[Study]:
    """Open ones first, then the newest."""
    rows = await connection.fetch("SELECT * FROM studies ORDER BY open DESC, created_at DESC, study_id LIMIT $1", limit)
    return [made(Study, row) for row in rows]


async def for_requests(connection: Connection, study_id: str | None) -> Study | None:
    """The named study, or the oldest one that is open for requests."""
    row = await connection.fetchrow(
        """
        SELECT * FROM studies
         WHERE CASE WHEN $1::text IS NULL THEN open ELSE study_id = $1 END
         ORDER BY created_at, study_id
         LIMIT 1
        """,
        study_id,
    )
    return made(Study, row) if row else None


async def set_open(connection: Connection, study_id: str, *, is_open: bool) -> Study | None:
    row = await connection.fetchrow("UPDATE studies SET open = $2 WHERE study_id = $1 RETURNING *", study_id, is_open)
    return made(Study, row) if row else None


async def put_host(connection: Connection, study_id: str, host_id: str, role: Role) -> None:
    """The host's one role in the study from now on."""
    await connection.execute(
        """
        INSERT INTO study_hosts (study_id, host_id, role) VALUES ($1, $2, $3)
        ON CONFLICT (study_id, host_id) DO UPDATE SET role = excluded.role
        """,
        study_id,
        host_id,
        role,
    )


async def remove_host(connection: Connection, study_id: str, host_id: str) -> None:
    """What is booked with the host stays booked."""
    await connection.execute("DELETE FROM study_hosts WHERE study_id = $1 AND host_id = $2", study_id, host_id)
