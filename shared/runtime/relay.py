"""Publishes the outbox in order: one active relay per service, woken by NOTIFY, with a slow poll behind it."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

import asyncpg
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from shared.contract import envelope
from shared.contract.partitioning import partition_of

from .database import Database
from .kafka import drop, producer, why
from .outbox import DELETE_FIRST
from .recovery import archive
from .settings import KafkaSettings
from .telemetry import Metrics

if TYPE_CHECKING:
    Row = asyncpg.Record
    Sent = list[asyncio.Future[RecordMetadata]]

log = structlog.get_logger(__name__)

BATCH = 1000
POLL_SECONDS = 1.0
LONGEST_REST_SECONDS = 0.02
"""It rests for as long as it worked, so that what is committed meanwhile is published together: under many small
transactions a request to Kafka costs more than the events in it."""
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.2, 5.0
PATIENCE_SECONDS = 60.0
"""How long Kafka may acknowledge nothing of what it was given; then a new client begins anew. aiokafka's tasks can end
silently, and a transaction that is open for as long as Kafka is away keeps vacuum from every table."""

TAKE = f"{DELETE_FIRST} RETURNING seq, id::text, aggregatetype, aggregateid, type, payload, headers"


class Relay:
    """Moves rows from the outbox to Kafka; a row is deleted in the transaction that waits for the broker's ack.

    `keep` moves them to the archive instead of deleting them.
    """

    def __init__(self, database: Database, settings: KafkaSettings, metrics: Metrics, *, keep: bool = False) -> None:
        self._database, self._settings, self._metrics = database, settings, metrics
        self._keep = keep
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; any fault is logged and tried again with back-off."""
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                async with contextlib.AsyncExitStack() as stack:
                    connection = await self._database.connect()
                    stack.push_async_callback(_close, connection)
                    await self._become_active(connection)
                    kafka = producer(self._settings)
                    stack.push_async_callback(drop, kafka)
                    await kafka.start()
                    await connection.add_listener(f"{self._database.service}_outbox", lambda *_: self._wake.set())
                    while True:
                        began = time.monotonic()
                        moved = await self._move_batch(connection, kafka)
                        backoff = FIRST_BACKOFF_SECONDS
                        if moved < BATCH:
                            await asyncio.sleep(min(time.monotonic() - began, LONGEST_REST_SECONDS))
                            await self._wait()
            except asyncio.CancelledError:
                raise
            except Exception as fault:  # noqa: BLE001 - the relay outlives every fault of Kafka or the database
                log.warning("relay starts again", because=why(fault, self._settings), after_seconds=backoff)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)

    async def _become_active(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        # The session's advisory lock goes with its connection, so a dead relay's successor takes over at once.
        while not await connection.fetchval(  # noqa: ASYNC110 - another process holds the lock
            "SELECT pg_try_advisory_lock(hashtextextended('earshot relay ' || $1, 0))", self._database.service
        ):
            await asyncio.sleep(POLL_SECONDS)

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._wake.wait()
        self._wake.clear()

    async def _move_batch(self, connection: "asyncpg.Connection[asyncpg.Record]", kafka: AIOKafkaProducer) -> int:
        async with connection.transaction():
            # Claimed by presence, not by "greater than the last": numbers are given out before commits.
            if self._keep:
                rows = await connection.fetch(archive.TAKE_AND_KEEP, BATCH, archive.TOPICS)
            else:
                rows = await connection.fetch(TAKE, BATCH)
            await self._publish(kafka, sorted(rows, key=itemgetter("seq")))
        self._metrics.relayed.inc(len(rows))
        return len(rows)

    async def _publish(self, kafka: AIOKafkaProducer, rows: "Sequence[Row]") -> None:
        """Send the events and wait until the broker has all of them."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            sent = await self._send(kafka, rows)
        await _acknowledged(sent)

    async def _send(self, kafka: AIOKafkaProducer, rows: "Sequence[Row]") -> "Sent":
        """Send the events in their order; what is given comes true when the broker has them.

        Each partition's events are made a batch here: by aiokafka's way for single ones an event costs twice as much.
        """
        filling: dict[tuple[str, int], BatchBuilder] = {}
        partitions: dict[str, int] = {}
        sent: Sent = []
        for row in rows:
            topic = f"{self._settings.topic_prefix}{row['aggregatetype']}"
            if topic not in partitions:
                partitions[topic] = len(await kafka.partitions_for(topic))
            headers, value = envelope.encode(_event(row))
            key = row["aggregateid"].encode()
            place = topic, partition_of(key, partitions[topic])
            record = {"timestamp": None, "key": key, "value": value, "headers": headers}
            if place not in filling:
                filling[place] = kafka.create_batch()
            if filling[place].append(**record) is None:
                sent.append(await kafka.send_batch(filling.pop(place), topic, partition=place[1]))
                filling[place] = kafka.create_batch()
                filling[place].append(**record)
        for (topic, partition), batch in filling.items():
            sent.append(await kafka.send_batch(batch, topic, partition=partition))
        return sent


async def _acknowledged(sent: "Sent") -> None:
    """Wait for all, for as long as there is progress.

    Raises:
        TimeoutError: none more came for `PATIENCE_SECONDS`.
    """
    everything = asyncio.gather(*sent)
    before = -1
    try:
        while not everything.done():
            if (now := sum(each.done() for each in sent)) == before:
                raise TimeoutError(f"Kafka has acknowledged nothing for {PATIENCE_SECONDS:.0f} seconds")
            before = now
            await asyncio.wait({everything}, timeout=PATIENCE_SECONDS)
        everything.result()
    finally:
        everything.cancel()


def _event(row: "Row") -> envelope.Envelope:
    attributes: dict[str, str] = row["headers"]
    return envelope.Envelope(
        id=str(row["id"]),
        source=attributes.pop("source"),
        type=row["type"],
        time=attributes.pop("time"),
        subject=row["aggregateid"],
        data=row["payload"].encode(),
        extensions=attributes,
    )


async def _close(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    with contextlib.suppress(Exception):
        await connection.close(timeout=2)
