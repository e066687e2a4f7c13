"""What lies behind a service: the records it has handled, as far as Kafka and archives still have them."""

import heapq
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.partitioner import murmur2

from shared.contract import envelope
from shared.contract.catalogue import EVENTS
from shared.contract.types import read_time
from shared.runtime.positions import Place
from shared.runtime.record_batches import Taken

AT_ONCE = 2000
WAIT_MS = 500

NEVER = datetime.min.replace(tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unreadable(Exception):  # noqa: N818 - named for what the history is
    """The history cannot be read; the message says where and what to do."""


@dataclass(slots=True)
class History:
    """The log from its oldest record to where the service stands, partition by partition.

    `until` holds the stored positions, `oldest` Kafka's first records.
    """

    consumer: AIOKafkaConsumer
    until: Mapping[Place, int]
    oldest: Mapping[Place, int]
    partitions: Mapping[str, int]
    _waiting: dict[Place, deque[Taken]] = field(default_factory=dict)
    _open: set[Place] = field(default_factory=set)

    @classmethod
    async def of(cls, consumer: AIOKafkaConsumer, stored: Mapping[Place, int]) -> "History":
        """Look where the topics begin and end that the consumer, of no group, has subscribed to.

        Raises:
            Unreadable: the topic is not the one whose records were handled.
        """
        places = sorted(consumer.assignment())
        partitions = dict(Counter(place.topic for place in places))
        oldest = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        until = {place: offset for place, offset in stored.items() if place[0] in partitions}
        for (topic, number), offset in until.items():
            if (end := ends.get(TopicPartition(topic, number), 0)) < offset:
                raise Unreadable(
                    f"{topic}/{number} ends at {end}, but the service has handled records up to {offset}; "
                    "this is not the Kafka it worked with, or the topic was created anew"
                )
        first = {(place.topic, place.partition): offset for place, offset in oldest.items()}
        history = cls(consumer, until, first, partitions)
        history._open = {place for place, offset in until.items() if first[place] < offset}
        history._waiting = {place: deque() for place in history._open}
        # Where nothing is to be read it stays as it is: aiokafka, stopped while it changes its partitions, never ends.
        if history._open:
            consumer.unsubscribe()  # what nobody asks for shall not be fetched
            consumer.assign([TopicPartition(*place) for place in history._open])
            for place in history._open:
                consumer.seek(TopicPartition(*place), first[place])
            await history._fill()
        return history

    @classmethod
    async def to_the_end(cls, consumer: AIOKafkaConsumer) -> "History":
        """All that Kafka has now, whoever has handled it."""
        ends = await consumer.end_offsets(consumer.assignment())
        return await cls.of(consumer, {(end.topic, end.partition): offset for end, offset in ends.items()})

    @property
    def expired(self) -> dict[str, int]:
        """By topic, how many records the service has handled that Kafka no longer has."""
        gone: dict[str, int] = {}
        for place, reached in self.until.items():
            if (count := min(self.oldest[place], reached)) > 0:
                gone[place[0]] = gone.get(place[0], 0) + count
        return gone

    def starts_at(self, topic: str, key: bytes) -> datetime | None:
        """When the oldest handled record was written that Kafka still has where this key belongs; None without any."""
        place = (topic, (murmur2(key) & 0x7FFFFFFF) % self.partitions[topic])
        waiting = self._waiting.get(place)
        return written_at(waiting[0]) if waiting else None

    async def records(self) -> AsyncIterator[Taken]:
        """All of them: each partition in its order, the partitions among each other by the time of writing."""
        heads = [self._head(place) for place, waiting in self._waiting.items() if waiting]
        heapq.heapify(heads)
        while heads:
            *_, place = heapq.heappop(heads)
            yield self._waiting[place].popleft()
            if not self._waiting[place]:
                await self._fill()
            if self._waiting[place]:
                heapq.heappush(heads, self._head(place))

    def _head(self, place: Place) -> tuple[int, Place]:
        return self._waiting[place][0].timestamp, place

    async def _fill(self) -> None:
        """Have a record of each partition that is not read to its end."""
        while lacking := [TopicPartition(*place) for place in self._open if not self._waiting[place]]:
            taken = await self.consumer.getmany(*lacking, timeout_ms=WAIT_MS, max_records=AT_ONCE)
            for partition in lacking:
                place = (partition.topic, partition.partition)
                fetched = taken.get(partition, ())
                self._waiting[place].extend(record for record in fetched if record.offset < self.until[place])
                # The position, not the last record: the markers of transactions count too.
                if await self.consumer.position(partition) >= self.until[place]:
                    self._open.discard(place)


@dataclass(frozen=True, slots=True)
class ArchivedRecord:
    """An event of an archive in the form of the record it was; `at` about its time in Kafka, where it has no place."""

    at: datetime
    topic: str
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]
    partition: int = -1
    offset: int = -1


def archived(files: Iterable[Iterable[bytes]], topics: Iterable[str], topic_prefix: str) -> Iterator[ArchivedRecord]:
    """The events of these files that belong on the (prefixed) topics, each file in its order, all by time.

    Raises:
        Unreadable: a line is no event.
    """
    wanted = set(topics)
    for at, _, event in heapq.merge(*(_timed(number, lines) for number, lines in enumerate(files)), key=_order):
        event_type = EVENTS.get(event.type)
        topic = f"{topic_prefix}{event_type.topic}" if event_type else ""
        if topic in wanted:
            headers, value = envelope.encode(event)
            key = event.extensions.get("partitionkey") or event.subject or ""
            yield ArchivedRecord(at, topic, key.encode(), value, headers)


def _timed(number: int, lines: Iterable[bytes]) -> Iterator[tuple[datetime, int, envelope.Envelope]]:
    at = NEVER
    for line_number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            event = envelope.from_structured(line)
        except envelope.Undecodable as wrong:
            raise Unreadable(f"Archive {number + 1}, line {line_number}: {wrong}.") from None
        # A later line is never earlier, whatever other systems' clocks said.
        at = max(at, time_of(event) or at)
        yield at, number, event


def _order(item: tuple[datetime, int, envelope.Envelope]) -> tuple[datetime, int]:
    return item[:2]


def time_of(event: envelope.Envelope) -> datetime | None:
    """When the event was written to the log or, where nobody noted that, when it says it happened."""
    stated = event.extensions.get("recordedtime") or event.time
    return read_time(stated) if stated else None


def written_at(record: Taken) -> datetime:
    return EPOCH + timedelta(milliseconds=record.timestamp)
