"""Events on their way out, written in the transaction that made them true.

The columns are the ones Debezium's outbox event router expects: id, aggregatetype, aggregateid, type, payload, headers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from shared.contract.catalogue import BY_MODEL
from shared.contract.events import EventData
from shared.contract.upcasting import forms

from .telemetry import trace_headers

if TYPE_CHECKING:
    from .database import Connection

DELETE_FIRST = """
    DELETE FROM outbox
     USING (SELECT min(seq) AS low, max(seq) AS high
              FROM (SELECT seq FROM outbox ORDER BY seq LIMIT $1) AS first) AS ends
     WHERE seq BETWEEN low AND high
"""
"""One statement sees one moment, so between the ends lie the first rows alone; row by row costs twice as much."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the outbox."""

    id: UUID
    topic: str
    key: str
    type: str
    payload: str
    headers: dict[str, str]


def source_of(service: str) -> str:
    """What the service's events name as their source."""
    return f"/earshot/{service}"


def entries(
    service: str,
    event: EventData,
    now: datetime,
    causation_id: str | None = None,
    correlation_id: str | None = None,
    trace: str | None = None,
) -> list[Entry]:
    """The rows for an event of this service, one for each version that is read; all have the same id.

    Without a cause the event starts its own correlation.
    """
    identifier = uuid4()
    headers = {
        "source": source_of(service),
        "time": now.isoformat(),
        "correlationid": correlation_id or str(identifier),
        **({"causationid": causation_id} if causation_id else {}),
        **trace_headers(trace),
    }
    return [
        Entry(
            id=identifier,
            topic=BY_MODEL[type(form)].topic,
            key=form.key_value(),
            type=BY_MODEL[type(form)].type,
            payload=form.model_dump_json(),
            headers=headers,
        )
        for form in forms(event)
    ]


async def write(connection: "Connection", entries: Sequence[Entry]) -> None:
    # Rows are numbered in the order given; writers of one key must hold its row lock first, so numbers follow commits.
    await connection.execute(
        """
        INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload, headers)
        SELECT id, aggregatetype, aggregateid, type, payload, headers
          FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
               WITH ORDINALITY AS given (id, aggregatetype, aggregateid, type, payload, headers, place)
         ORDER BY place
        """,
        [entry.id for entry in entries],
        [entry.topic for entry in entries],
        [entry.key for entry in entries],
        [entry.type for entry in entries],
        [entry.payload for entry in entries],
        [entry.headers for entry in entries],
    )
