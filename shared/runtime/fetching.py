"""How the consumer takes records out of aiokafka: in turn from all partitions, and without losing any on the way."""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError, IllegalStateError, KafkaError

from .positions import Place, shown
from .record_batches import Taken, drain_anew, is_amid_batch
from .telemetry import Metrics

log = structlog.get_logger(__name__)

Fetched = Mapping[TopicPartition, Sequence[Taken]]
Fetch = Callable[..., Awaitable[Fetched]]

PAUSE_SECONDS = 5.0
POSITIONS_SECONDS = 1.0
WAIT_MS, IDLE_WAIT_MS = 100, 500
"""How long Kafka keeps a request open while nothing comes. A partition whose records are used up meanwhile is not asked
for before it returns, so it is short while records come; where none do, ten requests a second would be for nothing."""

FEW, LONGEST_REST_SECONDS = 100, 0.025
"""After few records it rests for as long as they took: a transaction costs as much as many, so more come together."""

MOST_TURNS = 5
"""How often running a partition comes first whose expanded batch is not used up: each that is left so takes memory."""


class Expiry:
    """Kafka goes on with the oldest record it still has; whoever operates it must hear what is missing."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: dict[Place, int] = {}

    def tell(self, oldest: Mapping[TopicPartition, int], reached: Mapping[Place, int]) -> None:
        """Count what lies between what was reached and the oldest record, once."""
        for partition, first in oldest.items():
            place = (partition.topic, partition.partition)
            if place not in reached:
                continue
            if (expired := first - max(reached[place], self._told.get(place, 0))) > 0:
                log.error("records expired in kafka before they were handled", place=str(partition), records=expired)
                self._metrics.expired.inc(expired)
                self._told[place] = first


class Fetching:
    """Stands in for a consumer's `getmany`."""

    def __init__(self, consumer: AIOKafkaConsumer, reached: Mapping[Place, int], expiry: Expiry) -> None:
        self._consumer, self._getmany = consumer, consumer.getmany
        self._reached, self._expiry = reached, expiry
        self._fault: str | None = None
        self._failed_at = 0.0
        self._gave_few_at: float | None = None
        self._amid: set[TopicPartition] = set()
        self._turns = 0

    @property
    def has_ended(self) -> bool:
        """Whether aiokafka fetches no more, which it tells nobody."""
        return bool(self._consumer._fetcher.error_future.done())  # noqa: SLF001 - its consumer never asks for it

    @property
    def fault(self) -> str | None:
        """Why nothing can be fetched; None while it can."""
        return "the client has ceased to fetch" if self.has_ended else self._fault

    @property
    def failing_seconds(self) -> float:
        """For how long every fetch has failed, for ever where none will come; 0 when the last did not."""
        if self.has_ended:
            return math.inf
        return time.monotonic() - self._failed_at if self._fault else 0.0

    async def waiting(self, assigned: Iterable[TopicPartition], *, amid: bool) -> dict[Place, int]:
        """How many records wait on each of the partitions, with those of the batch that one is `amid`."""
        ends = await self._consumer.end_offsets(assigned)
        reached = {
            place: self._reached[name] for place in ends if (name := (place.topic, place.partition)) in self._reached
        }
        reached |= {} if amid else await self._positions(ends)
        if never_read := ends.keys() - reached.keys():
            reached |= await self._consumer.beginning_offsets(never_read)
        return {(place.topic, place.partition): max(0, end - reached[place]) for place, end in ends.items()}

    async def _positions(self, assigned: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The client's positions, past transaction markers and expired records; none where it waits for one itself."""
        try:
            async with asyncio.timeout(POSITIONS_SECONDS):
                return {place: await self._consumer.position(place) for place in assigned}
        except TimeoutError:
            return {}

    async def __call__(self, *partitions: TopicPartition, **options: Any) -> Fetched:  # noqa: ANN401 - aiokafka's
        if self._gave_few_at is not None:
            await asyncio.sleep(min(time.monotonic() - self._gave_few_at, LONGEST_REST_SECONDS))
        drain_anew()
        try:
            taken: Fetched = await self._getmany(*partitions, **options | {"timeout_ms": IDLE_WAIT_MS})
        except ConsumerStoppedError:
            raise
        except Exception as fault:  # whatever aiokafka raises: it forgets what it had drained before
            if self._fault is None:
                self._failed_at = time.monotonic()
            self._fault = f"{type(fault).__name__}: {fault}"
            log.exception("records cannot be fetched; going back", reached=shown(self._reached))
            await self._go_back()
            await asyncio.sleep(PAUSE_SECONDS)
            return {}
        self._fault = None
        self._consumer._fetcher._fetch_max_wait_ms = WAIT_MS if taken else IDLE_WAIT_MS  # noqa: SLF001 - for the next request
        self._gave_few_at = time.monotonic() if 0 < sum(map(len, taken.values())) < FEW else None
        self._let_others_go_first(taken)
        await self._look_for_gaps(taken)
        return taken

    async def _go_back(self) -> None:
        for partition in self._consumer.assignment():
            reached = self._reached.get((partition.topic, partition.partition))
            with contextlib.suppress(IllegalStateError, KafkaError):  # another member has the partition now
                if reached is not None:
                    self._consumer.seek(partition, reached)
                else:
                    await self._consumer.seek_to_beginning(partition)

    def _let_others_go_first(self, taken: Iterable[TopicPartition]) -> None:
        """Other partitions come next, however much is left of these; but what is expanded is used up, within limits."""
        waiting = self._consumer._fetcher._records  # noqa: SLF001 - aiokafka would empty one before the next
        left = [partition for partition in taken if partition in waiting]
        amid = {partition for partition in left if is_amid_batch(waiting[partition])}
        self._turns = self._turns + 1 if amid == self._amid else 1
        self._amid = amid if self._turns < MOST_TURNS else set()
        for partition in left:
            if partition not in self._amid:
                waiting.move_to_end(partition)

    async def _look_for_gaps(self, taken: Fetched) -> None:
        """Records may expire while the service runs, too; but most gaps are the markers of transactions."""
        after_a_gap = [
            partition
            for partition, records in taken.items()
            if records[0].offset > self._reached.get((partition.topic, partition.partition), records[0].offset)
        ]
        if after_a_gap:
            with contextlib.suppress(KafkaError, asyncio.TimeoutError):  # what was taken must not be lost over it
                self._expiry.tell(await self._consumer.beginning_offsets(after_a_gap), self._reached)
