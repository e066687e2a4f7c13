"""The one consumer of a service: FastStream batches in, exactly-once effects out."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from . import positions
from .batches import Batches
from .database import Database
from .errors import is_transient
from .handlers import Handlers
from .kafka import admin, consuming_broker
from .settings import Settings
from .telemetry import Metrics

log = structlog.get_logger(__name__)

BATCH_TIMEOUT_MS = 20
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.1, 5.0
HOLD_SECONDS = 60.0
"""How long one batch is tried inside the handler; far below max_poll_interval_ms, so the group keeps its member."""


class Consumer:
    """Consumes the topics of the service's handlers until it is stopped."""

    def __init__(self, database: Database, handlers: Handlers, settings: Settings, metrics: Metrics) -> None:
        self._database, self._handlers, self._settings, self._metrics = database, handlers, settings, metrics
        self.batches = Batches(database, handlers, metrics, topic_prefix=settings.topic_prefix)
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._reached: dict[positions.Place, int] = {}

    @property
    def topics(self) -> list[str]:
        return [f"{self._settings.topic_prefix}{event.topic}" for event in self._handlers.event_types]

    async def run(self) -> None:
        """Connect, with back-off for as long as it takes, and consume until cancelled."""
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                self.batches.cluster = await self._cluster_id()
                await self._start()
                break
            except Exception as fault:  # noqa: BLE001 - a service waits for its Kafka however long it is away
                log.warning("kafka is not reachable yet", because=repr(fault), after_seconds=backoff)
                await self._stop()
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
        try:
            await asyncio.Event().wait()
        finally:
            await self._stop()

    async def broker_answers(self, timeout_seconds: float) -> bool:
        return self._broker is not None and await self._broker.ping(timeout_seconds)

    def assignment(self) -> set[TopicPartition]:
        consumer = self._consumer
        return set(consumer.assignment()) if consumer else set()

    async def lag(self) -> int | None:
        """Records published but not handled on this instance's partitions; None while there is no assignment."""
        consumer, assigned = self._consumer, self.assignment()
        if consumer is None or not assigned:
            return None
        ends = await consumer.end_offsets(assigned)
        starts = await consumer.beginning_offsets(
            [place for place in assigned if (place.topic, place.partition) not in self._reached]
        )
        waiting: int = sum(
            max(0, end - self._reached.get((place.topic, place.partition), starts.get(place, end)))
            for place, end in ends.items()
        )
        return waiting

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer if self._subscriber is not None else None

    async def _cluster_id(self) -> str:
        client = admin(self._settings)
        try:
            await client.start()
            return str((await client.describe_cluster())["cluster_id"])
        finally:
            await client.close()

    async def _start(self) -> None:
        self._broker = consuming_broker(self._settings, parse_batch)
        self._subscriber = self._broker.subscriber(
            *self.topics,
            group_id=f"{self._settings.topic_prefix}{self._database.service}",
            batch=True,
            max_records=self._settings.batch_records,
            batch_timeout_ms=BATCH_TIMEOUT_MS,
            fetch_max_wait_ms=100,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            decoder=undecoded,
            listener=_GoBack(self),
        )
        self._subscriber(self._handle)
        await self._broker.start()

    async def _stop(self) -> None:
        if self._broker is not None:
            with contextlib.suppress(Exception):
                await self._broker.stop()
        self._broker = self._subscriber = None

    async def _handle(self, message: KafkaMessage) -> None:
        records: Sequence[ConsumerRecord[bytes, bytes]] = message.raw_message
        began = time.perf_counter()
        await self._with_backoff(lambda: self.batches.apply(records))
        for record in records:
            self._reached[record.topic, record.partition] = record.offset + 1
        self._metrics.batch_records.observe(len(records))
        self._metrics.batch_seconds.observe(time.perf_counter() - began)

    async def _with_backoff(self, work: Callable[[], Awaitable[object]]) -> None:
        """Try again while the infrastructure is at fault; the partition waits, nothing is skipped."""
        deadline = time.monotonic() + HOLD_SECONDS
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                await work()
            except Exception as fault:
                log.warning("batch is tried again", because=repr(fault), after_seconds=round(backoff, 2))
                self._metrics.retries.inc()
                await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
                if not is_transient(fault) or time.monotonic() > deadline:
                    raise  # FastStream seeks back and delivers the batch again
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
            else:
                return

    async def go_back(self, assigned: Sequence[TopicPartition]) -> None:
        """Seek to the stored positions where Kafka's are ahead of them."""
        consumer = self._consumer
        if consumer is None:
            return
        stored: dict[positions.Place, int] = {}

        async def load() -> None:
            stored.update(await positions.load(self._database.pool, self.batches.cluster))

        while True:
            try:
                await self._with_backoff(load)
                break
            except Exception:  # going on without the positions could skip events
                log.exception("stored positions cannot be read")
        for place in assigned:
            committed = await consumer.committed(place)
            name = (place.topic, place.partition)
            start = positions.where_to_start(committed, stored.get(name))
            if start is not None:
                log.warning(
                    "goes back to the stored position",
                    topic=name[0],
                    partition=name[1],
                    committed=committed,
                    stored=start,
                )
                consumer.seek(place, start)
            if (first := start if start is not None else committed) is not None:
                self._reached[name] = first
            else:
                self._reached.pop(name, None)


class _GoBack(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka is not typed
    def __init__(self, consumer: Consumer) -> None:
        self._owner = consumer

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """Nothing is held back: a batch in flight commits or is repeated by the next owner."""

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        await self._owner.go_back(assigned)


async def parse_batch(
    records: tuple[ConsumerRecord[bytes, bytes], ...],
    original: Callable[[tuple[ConsumerRecord[bytes, bytes], ...]], Awaitable[KafkaMessage]],
) -> KafkaMessage:
    """Hand the records on as they are; FastStream's own parser would lose a batch with a binary header."""
    message = await original((replace(records[0], headers=(), value=b""),))
    message.raw_message = records
    return message


async def undecoded(message: KafkaMessage) -> object:
    """Records are decoded one by one by the contract, so that one bad record spoils nothing."""
    return message.body
