"""Records that could not be handled: kept whole, with the reason, until somebody replays or discards them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from shared.contract import envelope
from shared.contract.events import EventRejected

from .database import Connection, Transaction
from .records import Refused, headers_from_json, headers_to_json


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A dead letter as the record it was."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


async def keep(tx: Transaction, cluster: str, refused: Sequence[Refused]) -> int:
    """Store the records and announce each that was not stored before; returns how many were new."""
    letters = {uuid4(): letter for letter in refused}
    records = [letter.record for letter in refused]
    reasons = [_reason(letter) for letter in refused]
    rows = await tx.connection.fetch(
        """
        INSERT INTO dead_letters
               (id, cluster, topic, partition, "offset",
                key, value, headers, event_id, event_type, reason, received_at)
        SELECT id, $1, topic, partition, "offset", key, value, headers::jsonb, event_id, event_type, reason, $2
          FROM unnest($3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::bytea[], $8::bytea[],
                      $9::text[], $10::text[], $11::text[], $12::text[])
               AS given (id, topic, partition, "offset", key, value, headers, event_id, event_type, reason)
        ON CONFLICT (cluster, topic, partition, "offset") DO NOTHING
        RETURNING id, reason
        """,
        cluster,
        tx.now,
        list(letters),
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [record.key for record in records],
        [record.value for record in records],
        [json.dumps(headers_to_json(record.headers)) for record in records],
        [letter.event_id for letter in refused],
        [letter.event_type for letter in refused],
        reasons,
    )
    if rows:
        await tx.publish(*(_announcement(tx, row["id"], letters[row["id"]], row["reason"]) for row in rows))
    return len(rows)


def _reason(letter: Refused) -> str:
    reason = letter.reason.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:5000]
    return envelope.storable(reason or "no reason given")


def _announcement(tx: Transaction, identifier: UUID, letter: Refused, reason: str) -> EventRejected:
    return EventRejected(
        dead_letter_id=str(identifier),
        service=tx.service,
        topic=letter.record.topic,
        partition=letter.record.partition,
        offset=letter.record.offset,
        event_id=letter.event_id or None,
        event_type=letter.event_type or None,
        reason=reason,
        rejected_at=tx.now,
    )


async def page(connection: Connection, *, state: str, limit: int) -> list[dict[str, Any]]:
    rows = await connection.fetch(
        """
        SELECT id, topic, partition, "offset", event_id, event_type, reason,
               received_at, state, closed_at, closed_by, note
          FROM dead_letters WHERE state = $1 ORDER BY received_at, id LIMIT $2
        """,
        state,
        limit,
    )
    return [dict(row) for row in rows]


async def find(connection: Connection, identifier: UUID) -> dict[str, Any] | None:
    """The whole row, locked: two operators who close the same letter do it one after the other."""
    row = await connection.fetchrow("SELECT * FROM dead_letters WHERE id = $1 FOR UPDATE", identifier)
    return dict(row) if row else None


def record_of(row: dict[str, Any]) -> KeptRecord:
    return KeptRecord(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        key=row["key"],
        value=row["value"],
        headers=headers_from_json(row["headers"]),
    )


async def close(
    connection: Connection, identifier: UUID, *, state: str, by: str, note: str | None, now: datetime
) -> None:
    await connection.execute(
        "UPDATE dead_letters SET state = $2, closed_by = $3, note = $4, closed_at = $5 WHERE id = $1",
        identifier,
        state,
        by,
        note,
        now,
    )
