"""Participants: the one place with contact details."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.scheduling.store.connection import made

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from services.scheduling.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Participant:
    """One person; an erased one keeps nothing but the id."""

    participant_id: str
    name: str | None
    email: str | None
    company: str | None
    phone: str | None
    segment: Mapping[str, str]
    described_at: datetime
    erased_at: datetime | None


async def meet(connection: Connection, person: Participant) -> str:
    """The id of whoever has this address; what the latest request says of a person holds, older ones fill gaps."""
    # One statement, so that two first requests from one address at the same time meet the same person.
    identifier: str = await connection.fetchval(
        """
        INSERT INTO participants AS known (participant_id, name, email, company, phone, segment, described_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (lower(email)) DO UPDATE SET (name, email, company, phone, segment, described_at) = (
            SELECT excluded.name, excluded.email, coalesce(excluded.company, known.company),
                   coalesce(excluded.phone, known.phone), known.segment || excluded.segment, excluded.described_at
             WHERE excluded.described_at >= known.described_at
             UNION ALL
            SELECT known.name, known.email, coalesce(known.company, excluded.company),
                   coalesce(known.phone, excluded.phone), excluded.segment || known.segment, known.described_at
             WHERE excluded.described_at < known.described_at
        )
        RETURNING participant_id
        """,
        person.participant_id,
        person.name,
        person.email,
        person.company,
        person.phone,
        dict(person.segment),
        person.described_at,
    )
    return identifier


async def find(connection: Connection, participant_id: str) -> Participant | None:
    row = await connection.fetchrow("SELECT * FROM participants WHERE participant_id = $1", participant_id)
    return made(Participant, row) if row else None


async def page(connection: Connection, limit: int) -> list[Participant]:
    """Who was heard of last comes first; erased ones are left out."""
    rows = await connection.fetch(
        """
        SELECT * FROM participants WHERE erased_at IS NULL ORDER BY described_at DESC, participant_id LIMIT $1
        """,
        limit,
    )
    return [made(Participant, row) for row in rows]


async def lock_address(connection: Connection, email: str) -> None:
    """Nobody else takes in or erases a person with this address until the transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('earshot address ' || lower($1), 0))", email
    )


async def lock(connection: Connection, participant_id: str) -> Participant | None:
    """The participant, for this transaction alone to change."""
    person = await find(connection, participant_id)
    if person is not None and person.email is not None:
        # The address before the row, as whoever takes in a request does.
        await lock_address(connection, person.email)
    row = await connection.fetchrow("SELECT * FROM participants WHERE participant_id = $1 FOR UPDATE", participant_id)
    return made(Participant, row) if row else None


async def anonymise(connection: Connection, participant_id: str, at: datetime) -> bool:
    """Forget who it was; False when that was done before. Somebody unknown is remembered as erased."""
    # First of an erasure's statements: its row lock keeps a new request of the same person out until the commit.
    row = await connection.fetchval(
        """
        INSERT INTO participants AS known (participant_id, described_at, erased_at) VALUES ($1, $2, $2)
        ON CONFLICT (participant_id) DO UPDATE
           SET name = NULL, email = NULL, company = NULL, phone = NULL, segment = '{}', erased_at = $2
         WHERE known.erased_at IS NULL
        RETURNING true
        """,
        participant_id,
        at,
    )
    return row is not None
