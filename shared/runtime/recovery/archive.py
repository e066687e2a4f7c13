"""Published events that stay in the database for a while, so that they outlive Kafka's retention."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.contract.catalogue import EVENTS
from shared.contract.envelope import Envelope
from shared.runtime.outbox import DELETE_FIRST

if TYPE_CHECKING:
    from shared.runtime.database import Connection

SHORT = timedelta(days=90)

TOPICS = tuple(event.topic for event in EVENTS.values() if event.retention is None or event.retention > SHORT)
"""What Kafka itself shall forget soon, contact details among it, is not kept here either."""

TAKE_AND_KEEP = f"""
    WITH taken AS (
        {DELETE_FIRST} RETURNING outbox.*
    ), kept AS (
        INSERT INTO outbox_archive (seq, id, aggregatetype, aggregateid, type, payload, headers, created_at)
        SELECT seq, id, aggregatetype, aggregateid, type, payload, headers, created_at
          FROM taken WHERE aggregatetype = ANY ($2)
    )
    SELECT seq, id, aggregatetype, aggregateid, type, payload, headers FROM taken
"""  # noqa: S608 - the statement of the outbox
"""What the relay takes from the outbox goes to the archive by the same statement; $1 rows at most, $2 the topics."""


async def events(connection: "Connection") -> AsyncIterator[Envelope]:
    """The archived events in the order they were published; needs an open transaction."""
    rows = connection.cursor(
        "SELECT id, aggregateid, type, payload, headers FROM outbox_archive ORDER BY seq", prefetch=1000
    )
    async for row in rows:
        attributes: dict[str, str] = dict(row["headers"])
        yield Envelope(
            id=str(row["id"]),
            source=attributes.pop("source"),
            type=row["type"],
            time=attributes.pop("time"),
            subject=row["aggregateid"],
            data=row["payload"].encode(),
            extensions=attributes | {"partitionkey": row["aggregateid"]},
        )
