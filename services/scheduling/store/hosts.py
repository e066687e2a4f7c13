"""Hosts, and the time they are taken."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

from services.scheduling.availability import Span
from services.scheduling.hosts import Host, Member, WeeklyHours
from services.scheduling.slots import Busy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import asyncpg

    from services.scheduling.store.connection import Connection


async def add(connection: Connection, host: Host, now: datetime) -> bool:
    """Whether the host is new; one with the same id stays as it is."""
    row = await connection.fetchval(
        """
        INSERT INTO hosts (host_id, name, email, timezone, weekly, active, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT DO NOTHING
        RETURNING true
        """,
        host.host_id,
        host.name,
        host.email,
        host.timezone,
        [asdict(hours) for hours in host.weekly],
        host.active,
        now,
    )
    return row is not None


async def find(connection: Connection, host_id: str) -> Host | None:
    row = await connection.fetchrow("SELECT * FROM hosts WHERE host_id = $1", host_id)
    return _host(row) if row else None


async def page(connection: Connection, limit: int) -> list[Host]:
    rows = await connection.fetch("SELECT * FROM hosts ORDER BY active DESC, name, host_id LIMIT $1", limit)
    return [_host(row) for row in rows]


async def set_active(connection: Connection, host_id: str, *, active: bool) -> Host | None:
    row = await connection.fetchrow("UPDATE hosts SET active = $2 WHERE host_id = $1 RETURNING *", host_id, active)
    return _host(row) if row else None


async def of_study(connection: Connection, study_id: str, now: datetime) -> list[Member]:
    """The study's hosts, active or not; who has the fewest interviews ahead comes first."""
    rows = await connection.fetch(
        """
        SELECT hosts.*, study_hosts.role
          FROM study_hosts JOIN hosts USING (host_id)
         WHERE study_id = $1
         ORDER BY (SELECT count(*) FROM bookings WHERE bookings.host_id = hosts.host_id AND lower(during) > $2), host_id
        """,
        study_id,
        now,
    )
    return [Member(_host(row), row["role"]) for row in rows]


async def of_studies(connection: Connection, study_ids: Sequence[str]) -> dict[str, list[Member]]:
    """The hosts of each study by name."""
    rows = await connection.fetch(
        """
        SELECT study_id, hosts.*, study_hosts.role
          FROM study_hosts JOIN hosts USING (host_id)
         WHERE study_id = ANY ($1::text[])
         ORDER BY role, name, host_id
        """,
        study_ids,
    )
    members: dict[str, list[Member]] = defaultdict(list)
    for row in rows:
        members[row["study_id"]].append(Member(_host(row), row["role"]))
    return members


async def busy(
    connection: Connection, host_ids: Sequence[str], span: Span, *, leave_out: str | None = None
) -> dict[str, list[Busy]]:
    """What the hosts are taken by within the span; an interview that moves does not stand in its own way."""
    rows = await connection.fetch(
        """
        SELECT host_id, starts_at, ends_at, upper(during) - ends_at AS buffer_after
          FROM bookings JOIN interviews USING (interview_id)
         WHERE host_id = ANY ($1::text[]) AND during && tstzrange($2, $3) AND interview_id IS DISTINCT FROM $4
        """,
        host_ids,
        # Wider by a day, since a booking just outside still keeps its gap.
        span.start - timedelta(days=1),
        span.end + timedelta(days=1),
        leave_out,
    )
    taken: dict[str, list[Busy]] = defaultdict(list)
    for row in rows:
        taken[row["host_id"]].append(Busy(Span(row["starts_at"], row["ends_at"]), buffer_after=row["buffer_after"]))
    return taken


def _host(row: asyncpg.Record) -> Host:
    return Host(
        row["host_id"],
        row["name"],
        row["email"],
        row["timezone"],
        tuple(WeeklyHours(tuple(hours["days"]), hours["start"], hours["end"]) for hours in row["weekly"]),
        row["active"],
    )
