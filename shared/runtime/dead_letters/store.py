"""Records that could not be handled: kept whole, with the reason, until somebody replays or discards them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from shared.contract import envelope
from shared.contract.events import DeadLetterClosed, EventRejected
from shared.runtime.database import Connection, Transaction
from shared.runtime.records import Record, Refused

from . import headers
from .headers import Headers

State = Literal["open", "replayed", "discarded", "erased"]


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A dead letter as the record it was, or as it was mended."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Edit:
    """One mending of a letter; the record as it came stays beside it."""

    number: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    edited_by: str
    edited_at: datetime


async def keep(tx: Transaction, cluster: str, refused: Sequence[Refused]) -> int:
    """Store the records and announce each that was not stored before; returns how many were new.

    The very same event published again, byte by byte, joins its letter, open or closed.
    """
    # In the order of the log: letters are numbered as they come.
    ordered = sorted(refused, key=lambda letter: (letter.record.topic, letter.record.partition, letter.record.offset))
    letters = {uuid4(): letter for letter in ordered}
    rows = await tx.connection.fetch(
        """
        INSERT INTO dead_letters
               (id, cluster, topic, partition, "offset", key, value, headers, event_id, event_type, reason,
                fingerprint, key_digest, received_at)
        SELECT id, $1, topic, partition, "offset", key, value, headers::jsonb, event_id, event_type, reason,
               fingerprint, sha256(key), $2
          FROM unnest($3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::bytea[], $8::bytea[], $9::text[],
                      $10::text[], $11::text[], $12::text[], $13::bytea[]) WITH ORDINALITY
               AS given (id, topic, partition, "offset", key, value, headers, event_id, event_type, reason, fingerprint,
                         place)
         ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING id, reason
        """,
        cluster,
        tx.now,
        list(letters),
        [letter.record.topic for letter in ordered],
        [letter.record.partition for letter in ordered],
        [letter.record.offset for letter in ordered],
        [letter.record.key for letter in ordered],
        [letter.record.value for letter in ordered],
        [json.dumps(headers.to_json(letter.record.headers)) for letter in ordered],
        [letter.event_id for letter in ordered],
        [letter.event_type for letter in ordered],
        [_storable(letter.reason) for letter in ordered],
        [_fingerprint(letter.record) for letter in ordered],
    )
    if rows:
        await tx.publish(*(_announcement(tx, row["id"], letters[row["id"]], row["reason"]) for row in rows))
    if len(rows) < len(ordered):
        new = {row["id"] for row in rows}
        await _join(tx, cluster, [letter.record for identifier, letter in letters.items() if identifier not in new])
    return len(rows)


async def _join(tx: Transaction, cluster: str, records: Sequence[Record]) -> None:
    """Note where known events came again; a record that was merely delivered again is no repeat."""
    await tx.connection.execute(
        """
        INSERT INTO dead_letter_repeats (letter, cluster, topic, partition, "offset", received_at)
        SELECT dead_letters.id, $1, given.topic, given.partition, given."offset", $2
          FROM unnest($3::text[], $4::int[], $5::bigint[], $6::bytea[])
               AS given (topic, partition, "offset", fingerprint)
          JOIN dead_letters USING (fingerprint)
         WHERE (dead_letters.cluster, dead_letters.partition, dead_letters."offset")
               <> ($1, given.partition, given."offset")
        ON CONFLICT DO NOTHING
        """,
        cluster,
        tx.now,
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [_fingerprint(record) for record in records],
    )


def record_of(row: dict[str, Any], edit: Edit | None = None) -> KeptRecord:
    """The record as it came, or as the edit says."""
    return KeptRecord(
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        key=edit.key if edit else row["key"],
        value=edit.value if edit else row["value"],
        headers=edit.headers if edit else headers.from_json(row["headers"]),
    )


async def find(connection: Connection, identifier: UUID, *, lock: bool = False) -> dict[str, Any] | None:
    """The whole row; locked, two operators who work on the same letter do it one after the other."""
    for_update = "FOR UPDATE" if lock else ""
    row = await connection.fetchrow(f"SELECT * FROM dead_letters WHERE id = $1 {for_update}", identifier)  # noqa: S608
    return dict(row) if row else None


async def edits(connection: Connection, identifier: UUID) -> list[Edit]:
    """What was done to the letter, the last at the end."""
    rows = await connection.fetch(
        """
        SELECT number, key, value, headers, edited_by, edited_at
          FROM dead_letter_edits WHERE letter = $1 ORDER BY number
        """,
        identifier,
    )
    return [Edit(**dict(row) | {"headers": headers.from_json(row["headers"])}) for row in rows]


async def add_edit(connection: Connection, identifier: UUID, edit: Edit) -> None:
    """Keep the edit; from now on the letter stands in the order of its key."""
    await connection.execute(
        """
        INSERT INTO dead_letter_edits (letter, number, key, value, headers, edited_by, edited_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        identifier,
        edit.number,
        edit.key,
        edit.value,
        headers.to_json(edit.headers),
        edit.edited_by,
        edit.edited_at,
    )
    await connection.execute("UPDATE dead_letters SET key_digest = sha256($2) WHERE id = $1", identifier, edit.key)


async def repeats(connection: Connection, identifier: UUID) -> list[dict[str, Any]]:
    """Where the same event came again, at most a thousand places."""
    rows = await connection.fetch(
        """
        SELECT cluster, partition, "offset", received_at
          FROM dead_letter_repeats WHERE letter = $1 ORDER BY received_at, cluster, partition, "offset" LIMIT 1000
        """,
        identifier,
    )
    return [dict(row) for row in rows]


async def earlier_open(connection: Connection, row: dict[str, Any]) -> dict[str, Any] | None:
    """The first open letter of the same topic and key that came before this one; without a key there is no order."""
    earlier = await connection.fetchrow(
        """
        SELECT id, number FROM dead_letters
         WHERE state = 'open' AND topic = $1 AND key_digest = $2 AND number < $3 ORDER BY number LIMIT 1
        """,
        row["topic"],
        row["key_digest"],
        row["number"],
    )
    return dict(earlier) if earlier else None


async def count_open(connection: Connection) -> int:
    letters: int = await connection.fetchval("SELECT count(*) FROM dead_letters WHERE state = 'open'")
    return letters


async def note_failure(connection: Connection, identifier: UUID, complaint: str, by: str, now: datetime) -> None:
    """Remember why the last replay failed."""
    await connection.execute(
        "UPDATE dead_letters SET complaint = $2, tried_by = $3, tried_at = $4 WHERE id = $1",
        identifier,
        _storable(complaint),
        by,
        now,
    )


async def close(tx: Transaction, row: dict[str, Any], *, state: State, by: str, note: str | None) -> None:
    """Close the letter and tell whoever watches what became of it."""
    await tx.connection.execute(
        "UPDATE dead_letters SET state = $2, closed_by = $3, note = $4, closed_at = $5 WHERE id = $1",
        row["id"],
        state,
        by,
        note,
        tx.now,
    )
    edited = await tx.connection.fetchval("SELECT EXISTS (SELECT FROM dead_letter_edits WHERE letter = $1)", row["id"])
    await tx.publish(
        DeadLetterClosed(
            dead_letter_id=str(row["id"]),
            service=tx.service,
            topic=row["topic"],
            partition=row["partition"],
            offset=row["offset"],
            event_id=row["event_id"] or None,
            event_type=row["event_type"] or None,
            outcome=state,
            edited=edited and state == "replayed",
            closed_at=tx.now,
        )
    )


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


def _storable(reason: str) -> str:
    text = reason.replace("\x00", "\N{REPLACEMENT CHARACTER}")[:5000]
    return envelope.storable(text or "no reason given")


def _fingerprint(record: Record) -> bytes | None:
    """SHA-256 of the whole record; None where it names no event, so that an equal one may be another."""
    if not _names_an_event(record):
        return None
    headers = [[name, _hex(content)] for name, content in record.headers]
    content = [record.topic, _hex(record.key), _hex(record.value), headers]
    return hashlib.sha256(json.dumps(content).encode()).digest()


def _names_an_event(record: Record) -> bool:
    try:
        envelope.from_record(record.headers, record.value)
    except envelope.Undecodable:
        stated = {name.lower(): content for name, content in record.headers}
        return bool(stated.get("ce_id") and stated.get("ce_source"))
    return True


def _hex(content: bytes | None) -> str | None:
    return None if content is None else content.hex()
