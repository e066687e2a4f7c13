"""Publishes the traffic past the proxies, at a pace, and writes each record into the ledger before it leaves."""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

from aiokafka.errors import KafkaError as AnswerError
from confluent_kafka import KafkaError, Message, Producer

from tests.faults import poison
from tests.faults.events import Draft, Headers, traffic
from tests.faults.ledger import Entry, Place, Writer
from tests.runtime import forged

LEDGER_HEADER = "ledger"
"""Every record carries its number in the ledger; services pay no attention to it."""

BREATH_SECONDS = 0.02
PATIENCE_SECONDS = 300.0
STAND_IN = "@@"


class Load:
    """The whole run's traffic, published slice by slice as it is released."""

    def __init__(
        self, bootstrap: str, prefix: str, ledger: Writer, *, count: int, seed: int, per_second: float
    ) -> None:
        self._drafts: Iterator[Draft] = traffic(Random(seed), count, poison.spoil, poison.twist)
        self._bootstrap, self._prefix, self._ledger = bootstrap, prefix, ledger
        self._per_second = per_second
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "message.max.bytes": 16_000_000,
                "message.timeout.ms": int(PATIENCE_SECONDS * 1000),
                "linger.ms": 5,
                "reconnect.backoff.max.ms": 1000,
                "log_level": 0,  # a broker that is away is what the run is about
            }
        )
        self.published = 0

    async def release(self, count: int) -> None:
        """Publish the next `count` records; returns when they have left, acknowledged or not."""
        due = 0.0
        for _ in range(count):
            if (draft := next(self._drafts, None)) is None:
                return
            await self._publish(draft)
            due += 1 / (self._per_second * BREATH_SECONDS)
            if due >= 1:
                due -= 1
                self._producer.poll(0)
                await asyncio.sleep(BREATH_SECONDS)

    async def finish(self) -> None:
        """Publish the rest and wait for every acknowledgement."""
        await self.release(10**9)
        waiting = await asyncio.to_thread(self._producer.flush, PATIENCE_SECONDS)
        assert not waiting, f"{waiting} records were never acknowledged"

    async def _publish(self, draft: Draft) -> None:
        self.published += 1
        n = self.published
        self._ledger.sent(Entry(n, draft.topic, draft.kind, draft.sha256, draft.event_id, draft.rejected_by))
        topic = f"{self._prefix}{draft.topic}"
        if any(name == poison.RAW_NAME for name, _ in draft.headers):
            await self._forge(topic, draft)
            return
        headers: Headers = (*draft.headers, (LEDGER_HEADER, str(n).encode()))
        while True:
            try:
                self._producer.produce(
                    topic,
                    value=draft.value,
                    key=draft.key,
                    headers=list(headers),
                    on_delivery=lambda error, message: self._delivered(n, error, message),
                )
            except BufferError:
                self._producer.poll(0)
                await asyncio.sleep(BREATH_SECONDS)
            else:
                return

    def _delivered(self, n: int, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        if error is None and partition is not None and offset is not None:
            self._ledger.acked(n, Place(partition, offset))
        else:
            self._ledger.failed(n, str(error))

    async def _forge(self, topic: str, draft: Draft) -> None:
        """A batch as no library writes it, with header names that are not UTF-8."""
        headers: Any = [(STAND_IN if name == poison.RAW_NAME else name, content) for name, content in draft.headers]
        record = forged.record(0, draft.value, headers, key=draft.key)
        raw = poison.RAW_NAME.encode("utf-8", "surrogateescape")
        batch = forged.batch([record.replace(STAND_IN.encode(), raw)])
        while True:
            try:
                await forged.publish(self._bootstrap, topic, 0, batch)
            except (AnswerError, OSError):  # the broker is away; whether it took the batch nobody knows
                await asyncio.sleep(BREATH_SECONDS)
            else:
                return
