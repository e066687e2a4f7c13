"""Who asked to be forgotten, and what each service answered."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.scheduling.erasures import Answer, Erasure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

    from services.scheduling.store.connection import Connection


async def add(
    connection: Connection, participant_id: str, erased_at: datetime, requested_by: str | None, now: datetime
) -> None:
    """Write down that the person is to be forgotten; what is written already stays."""
    await connection.execute(
        """
        INSERT INTO erasures (participant_id, erased_at, requested_at, requested_by, asked_at, times_asked)
        VALUES ($1, $2, $3, $4, $3, 1)
        ON CONFLICT DO NOTHING
        """,
        participant_id,
        erased_at,
        now,
        requested_by,
    )


async def note_asking(connection: Connection, participant_id: str, now: datetime) -> None:
    """All services are asked once more."""
    await connection.execute(
        "UPDATE erasures SET asked_at = $2, times_asked = times_asked + 1 WHERE participant_id = $1",
        participant_id,
        now,
    )


async def add_answer(connection: Connection, participant_id: str, answer: Answer) -> None:
    await connection.execute(
        """
        INSERT INTO erasure_answers (participant_id, service, completed_at, removed, kept) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING
        """,
        participant_id,
        answer.service,
        answer.completed_at,
        dict(answer.removed),
        dict(answer.kept),
    )


async def find(connection: Connection, participant_id: str) -> Erasure | None:
    row = await connection.fetchrow("SELECT * FROM erasure_details WHERE participant_id = $1", participant_id)
    return _erasure(row) if row else None


async def page(connection: Connection, limit: int) -> list[Erasure]:
    """Latest first."""
    rows = await connection.fetch(
        "SELECT * FROM erasure_details ORDER BY requested_at DESC, participant_id LIMIT $1", limit
    )
    return [_erasure(row) for row in rows]


async def count_overdue(connection: Connection, expected: Sequence[str], before: datetime) -> int:
    """How many that were asked for before then have not been answered by all of the services."""
    counted: int = await connection.fetchval(
        """
        SELECT count(*) FROM erasures
         WHERE requested_at < $2
           AND EXISTS (SELECT FROM unnest($1::text[]) AS expected (service)
                        WHERE NOT EXISTS (SELECT FROM erasure_answers AS answers
                                           WHERE answers.participant_id = erasures.participant_id
                                             AND answers.service = expected.service))
        """,
        list(expected),
        before,
    )
    return counted


def _erasure(row: asyncpg.Record) -> Erasure:
    return Erasure(**dict(row) | {"answers": tuple(_answer(found) for found in row["answers"])})


def _answer(found: dict[str, Any]) -> Answer:
    return Answer(**found | {"completed_at": datetime.fromisoformat(found["completed_at"])})
