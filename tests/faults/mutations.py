"""The promise broken on purpose, in a service's own process: `python -m tests.faults.mutations NAME serve SERVICE`.

The suite must notice each of them; what it does not notice it does not check.
"""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import TopicPartition
from faststream.kafka import KafkaMessage

from deploy.local.cli import main
from shared.runtime import inbox, positions
from shared.runtime.consumer import Consumer
from shared.runtime.relay import Relay

WINDOW_SECONDS = 0.3
"""How long the mutated consumer stays between the two steps that it does in the wrong order, batch by batch."""

ROW_SECONDS = 0.02
"""The same for the mutated relay, row by row."""


def inbox_off() -> None:
    """Every event is taken for a new one."""

    async def admit(_connection: Any, events: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
        return set(events)

    setattr(inbox, inbox.admit.__name__, admit)


def offset_first() -> None:
    """The positions, Kafka's and the stored ones, are committed before the batch takes effect."""
    handle = Consumer._handle

    async def handle_late(self: Consumer, message: KafkaMessage) -> None:
        reached = {(record.topic, record.partition): record.offset + 1 for record in message.raw_message}
        async with self._database.transaction() as tx:
            await positions.store(tx.connection, self.batches.cluster, reached)
        assert self._consumer is not None
        await self._consumer.commit({TopicPartition(*place): offset for place, offset in reached.items()})
        await asyncio.sleep(WINDOW_SECONDS)
        await handle(self, message)

    setattr(Consumer, handle.__name__, handle_late)


def delete_first() -> None:
    """The relay's delete is committed by itself, before anything is published."""
    move_batch, publish = Relay._move_batch, Relay._publish

    async def move_uncovered(self: Relay, connection: Any, kafka: Any) -> int:
        return await move_batch(self, _WithoutTransactions(connection), kafka)  # type: ignore[arg-type]

    async def publish_late(self: Relay, kafka: Any, rows: Sequence[Any]) -> None:
        for row in rows:
            await asyncio.sleep(ROW_SECONDS)
            await publish(self, kafka, [row])

    setattr(Relay, move_batch.__name__, move_uncovered)
    setattr(Relay, publish.__name__, publish_late)


class _WithoutTransactions:
    """A connection on which every statement is committed at once."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def transaction(self) -> contextlib.AbstractAsyncContextManager[None]:
        return contextlib.nullcontext()


MUTATIONS: dict[str, Callable[[], None]] = {
    "inbox-off": inbox_off,
    "offset-first": offset_first,
    "delete-first": delete_first,
}


if __name__ == "__main__":
    MUTATIONS[sys.argv.pop(1)]()
    main()
