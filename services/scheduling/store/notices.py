"""Whom to tell what became of a feature they asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from services.scheduling.store.connection import made

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from services.scheduling.store.connection import Connection

NoticeState: TypeAlias = Literal["open", "told", "superseded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell one person; name and address are None for somebody this service never met."""

    notice_id: UUID
    feature_id: str
    version: int
    participant_id: str
    title: str
    status: str
    released_at: datetime | None
    state: NoticeState
    created_at: datetime
    told_at: datetime | None
    told_by: str | None
    name: str | None
    email: str | None
    company: str | None


async def reach(connection: Connection, feature_id: str, version: int) -> bool:
    """Whether this version of the feature's status is newer than all before."""
    # The upsert locks the feature's row, so versions that come at the same time are taken one after the other.
    newer = await connection.fetchval(
        """
        INSERT INTO features AS known (feature_id, version) VALUES ($1, $2)
        ON CONFLICT (feature_id) DO UPDATE SET version = excluded.version WHERE known.version < excluded.version
        RETURNING true
        """,
        feature_id,
        version,
    )
    return newer is not None


async def add(
    connection: Connection,
    *,
    feature_id: str,
    version: int,
    title: str,
    status: str,
    released_at: datetime | None,
    participant_ids: Sequence[str],
    created_at: datetime,
) -> None:
    """A notice for each of the people but the erased and those whose latest one says the same.

    Derived once more from the same event, it is the same notice under the same id.
    """
    await connection.execute(
        """
        WITH latest AS (
            SELECT DISTINCT ON (participant_id) participant_id, status FROM notices
             WHERE feature_id = $1 AND version < $2 ORDER BY participant_id, version DESC
        )
        INSERT INTO notices (notice_id, feature_id, version, participant_id, title, status, released_at, state,
                             created_at)
        SELECT md5(jsonb_build_array($1::text, $2::integer, participant_id)::text)::uuid,
               $1, $2, participant_id, $3, $4, $5, 'open', $6
          FROM (SELECT DISTINCT unnest($7::text[])) AS asked (participant_id)
         WHERE NOT EXISTS (SELECT FROM latest WHERE latest.participant_id = asked.participant_id AND status = $4)
           AND NOT EXISTS (SELECT FROM participants
                            WHERE participants.participant_id = asked.participant_id AND erased_at IS NOT NULL)
        ON CONFLICT DO NOTHING
        """,
        feature_id,
        version,
        title,
        status,
        released_at,
        created_at,
        participant_ids,
    )


async def lapse(connection: Connection, feature_id: str, status: str) -> None:
    """What was to be told of another status than the present one is out of date."""
    await connection.execute(
        "UPDATE notices SET state = 'superseded' WHERE feature_id = $1 AND state = 'open' AND status <> $2",
        feature_id,
        status,
    )


async def page(connection: Connection, state: NoticeState, limit: int) -> list[Notice]:
    rows = await connection.fetch(
        "SELECT * FROM notice_details WHERE state = $1 ORDER BY created_at, notice_id LIMIT $2", state, limit
    )
    return [made(Notice, row) for row in rows]


async def find(connection: Connection, notice_id: UUID) -> Notice | None:
    row = await connection.fetchrow("SELECT * FROM notice_details WHERE notice_id = $1", notice_id)
    return made(Notice, row) if row else None


async def told(connection: Connection, notice_id: UUID, by: str, now: datetime) -> None:
    """Whoever told first is kept."""
    await connection.execute(
        """
        UPDATE notices SET state = 'told', told_at = $3, told_by = $2 WHERE notice_id = $1 AND state <> 'told'
        """,
        notice_id,
        by,
        now,
    )


async def forget(connection: Connection, participant_id: str) -> int:
    """Nobody can be told any more; gives how many notices there were."""
    gone = await connection.fetch("DELETE FROM notices WHERE participant_id = $1 RETURNING notice_id", participant_id)
    return len(gone)
