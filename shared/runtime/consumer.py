"""The one consumer of a service: FastStream batches in, exactly-once effects out."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import IllegalStateError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from msgspec.structs import replace

from . import positions
from .batches import Batches
from .database import Database
from .errors import is_transient
from .fetching import WAIT_MS, Expiry, Fetching
from .handlers import Handlers
from .kafka import cluster_id, consuming_broker, why
from .lateness import Lag, Lateness
from .record_batches import Taken
from .records import last_of_each
from .recovery.holding import Holding
from .settings import Settings
from .telemetry import Metrics

log = structlog.get_logger(__name__)

PAUSE_MS = 1
"""What FastStream rests after a fetch that brought nothing, which has waited for long enough itself."""
FETCH_BYTES = 128 << 10
"""Of one partition at a time; compressed, that is more than a batch of records. A larger record comes all the same."""
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.1, 5.0
WATCH_SECONDS, FAILING_SECONDS, STALL_SECONDS = 5.0, 10.0, 60.0
HOLD_SECONDS = 60.0
"""How long one batch is tried inside the handler; far below max_poll_interval_ms, so the group keeps its member."""


class Consumer:
    """Consumes the topics of the service's handlers until it is stopped."""

    def __init__(self, database: Database, handlers: Handlers, settings: Settings, metrics: Metrics) -> None:
        self._database, self._handlers, self._settings, self._metrics = database, handlers, settings, metrics
        self.batches = Batches(database, handlers, metrics, topic_prefix=settings.topic_prefix)
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._fetching: Fetching | None = None
        self._reached: dict[positions.Place, int] = {}
        self._expiry = Expiry(metrics)
        self.holding = Holding(metrics)
        self._lateness = Lateness()
        self._handling = False
        self._moved_at = time.monotonic()

    @property
    def topics(self) -> list[str]:
        return [f"{self._settings.topic_prefix}{event.topic}" for event in self._handlers.event_types]

    async def run(self) -> None:
        """Connect, with back-off for as long as it takes, and consume until cancelled."""
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                self.batches.cluster = await cluster_id(self._settings)
                await self._start()
                backoff = FIRST_BACKOFF_SECONDS
                await self._until_stalled()
                log.error("no records come; the consumer starts again", at=positions.shown(self._reached))
            except Exception as fault:  # noqa: BLE001 - a service waits for its Kafka however long it is away
                log.warning("kafka is not reachable yet", because=why(fault, self._settings), after_seconds=backoff)
                self._moved_at = time.monotonic()
            finally:
                await self._stop()
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)

    async def _until_stalled(self) -> None:
        """Return when fetching fails, or records wait and none came for a while: aiokafka's tasks can end silently.

        A client that cannot tell what waits, while Kafka answers another one, counts as one for which records wait.
        """
        seen, began = dict(self._reached), time.monotonic()
        while self._handling or time.monotonic() - max(began, self._moved_at) < STALL_SECONDS:
            if self._fetching is not None and self._fetching.failing_seconds > FAILING_SECONDS:
                return  # a heartbeat that was refused once is not sent again by aiokafka
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await self._go_on_where_accepted()
                async with asyncio.timeout(WATCH_SECONDS):
                    waiting = await self._waiting()
                wanted = any(records for place, records in waiting.items() if place not in self.holding)
            except Exception:  # noqa: BLE001 - where Kafka is away, that is the client's to mend
                wanted = await self.broker_answers(WATCH_SECONDS)
            if not wanted or seen != self._reached:
                seen, self._moved_at = dict(self._reached), time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """For how long records have been waiting, as far as the client can tell, without one being handled."""
        return time.monotonic() - self._moved_at

    async def broker_answers(self, timeout_seconds: float) -> bool:
        return self._broker is not None and await self._broker.ping(timeout_seconds)

    @property
    def fault(self) -> str | None:
        """Why nothing is fetched; None when that is not so."""
        return self._fetching.fault if self._fetching else None

    def assignment(self) -> set[TopicPartition]:
        consumer = self._consumer
        return set(consumer.assignment()) if consumer else set()

    async def lag(self) -> Lag | None:
        """What waits on this instance's partitions; None while there is no assignment."""
        waiting = await self._waiting()
        return Lag(sum(waiting.values()), self._lateness.seconds(waiting)) if waiting else None

    async def _waiting(self) -> dict[positions.Place, int]:
        """The number of records that wait, by assigned partition."""
        assigned = self.assignment()
        return await self._fetching.waiting(assigned, amid=self._handling) if self._fetching and assigned else {}

    @property
    def _consumer(self) -> AIOKafkaConsumer | None:
        return self._subscriber.consumer if self._subscriber is not None else None

    async def _start(self) -> None:
        self._broker = consuming_broker(self._settings, parse_batch)
        self._subscriber = self._broker.subscriber(
            *self.topics,
            group_id=f"{self._settings.topic_prefix}{self._database.service}",
            batch=True,
            max_records=self._settings.batch_records,
            batch_timeout_ms=PAUSE_MS,
            fetch_max_wait_ms=WAIT_MS,
            max_partition_fetch_bytes=FETCH_BYTES,
            auto_offset_reset="earliest",
            isolation_level="read_committed",  # what another system's transaction took back is no event
            ack_policy=AckPolicy.NACK_ON_ERROR,
            decoder=undecoded,
            listener=_GoBack(self),
        )
        self._subscriber(self._handle)
        await self._broker.start()
        # In time for the first fetch: FastStream's task for it has been made, but cannot run before we wait.
        if (consumer := self._consumer) is not None:
            consumer.getmany = self._fetching = Fetching(consumer, self._reached, self._expiry)

    async def _stop(self) -> None:
        broker, self._broker, self._subscriber, self._fetching = self._broker, None, None, None
        if broker is not None:
            with contextlib.suppress(Exception):
                await broker.stop()

    async def _handle(self, message: KafkaMessage) -> None:
        records: Sequence[Taken] = message.raw_message
        began = time.perf_counter()
        self._handling = True
        try:
            await self._with_backoff(lambda: self.batches.apply(records, self._reached))
        except positions.Behind as behind:
            self._rewind(records, behind.stored)
            return
        finally:
            self._handling = False
        last = last_of_each(records)
        self._reached.update({place: record.offset + 1 for place, record in last.items()})
        self._lateness.handled(last.values())
        self._metrics.batch_records.observe(len(records))
        self._metrics.batch_seconds.observe(time.perf_counter() - began)

    def _rewind(self, records: Sequence[Taken], stored: Mapping[positions.Place, int]) -> None:
        """Deliver the batch again, and before it what the database has lost."""
        if (consumer := self._consumer) is None:
            return
        log.warning("goes back: the database is behind what was handled", stored=positions.shown(stored))
        first: dict[positions.Place, int] = {}
        for record in records:
            first.setdefault((record.topic, record.partition), record.offset)
        for place, offset in first.items():
            start = min(offset, stored.get(place, offset))
            self._reached[place] = min(start, self._reached.get(place, start))
            with contextlib.suppress(IllegalStateError):  # another member has the partition now
                consumer.seek(TopicPartition(*place), start)

    async def _with_backoff(self, work: Callable[[], Awaitable[object]]) -> None:
        """Try again while the infrastructure is at fault; the partition waits, nothing is skipped."""
        deadline = time.monotonic() + HOLD_SECONDS
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            try:
                await work()
            except positions.Behind:
                raise
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
        subscriber, consumer = self._subscriber, self._consumer
        if subscriber is None or consumer is None:
            return
        # Nothing may be fetched yet: a batch from Kafka's position would overwrite the stored one.
        consumer.pause(*assigned)
        backoff = FIRST_BACKOFF_SECONDS
        while self._subscriber is subscriber:  # else it is being stopped
            try:
                stored = await positions.load(self._database.pool, self.batches.cluster)
                committed = {place: await consumer.committed(place) for place in assigned}
                oldest = await consumer.beginning_offsets(assigned)
            except Exception as fault:  # noqa: BLE001 - going on without the positions could skip events
                log.warning("positions cannot be read yet", because=repr(fault), after_seconds=backoff)
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, LONGEST_BACKOFF_SECONDS)
            else:
                self._set_out(consumer, committed, stored)
                known = positions.handled(committed, stored, oldest)
                held = self.holding.hold(positions.of(assigned), known, positions.by_place(oldest))
                consumer.resume(*(place for place in assigned if (place.topic, place.partition) not in held))
                return

    async def _go_on_where_accepted(self) -> None:
        """Consume what was held, once an operator has moved the stored position beyond what was lost."""
        consumer = self._consumer
        if consumer is None or not [*self.holding]:
            return
        stored = await positions.load(self._database.pool, self.batches.cluster)
        for place, reached in self.holding.accepted(stored).items():
            partition = TopicPartition(*place)
            self._expiry.tell({partition: stored[place]}, {place: reached})
            self._reached[place] = stored[place]
            with contextlib.suppress(IllegalStateError):  # another member has the partition now
                consumer.seek(partition, stored[place])
                consumer.resume(partition)

    def _set_out(
        self,
        consumer: AIOKafkaConsumer,
        offsets: Mapping[TopicPartition, int | None],
        stored: Mapping[positions.Place, int],
    ) -> None:
        for place, committed in offsets.items():
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
        """A batch in flight commits or is repeated by the next owner."""
        self._owner.holding.forget(positions.of(revoked))

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        await self._owner.go_back(assigned)


async def parse_batch(
    records: tuple[Taken, ...],
    original: Callable[[tuple[Taken, ...]], Awaitable[KafkaMessage]],
) -> KafkaMessage:
    """Hand the records on as they are; FastStream's own parser would lose a batch with a binary header."""
    message = await original((replace(records[0], headers=(), value=b""),))
    message.raw_message = records
    return message


async def undecoded(message: KafkaMessage) -> object:
    """Records are decoded one by one by the contract, so that one bad record spoils nothing."""
    return message.body
