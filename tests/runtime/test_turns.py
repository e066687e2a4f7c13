"""In which order partitions are consumed that all have records waiting."""

from collections.abc import Mapping, Sequence

import pytest
from aiokafka import AIOKafkaProducer

from shared.runtime.batches import Batches, Outcome
from shared.runtime.positions import Place
from shared.runtime.records import Record
from tests.runtime.foreign import TOPIC, binary, body, until_handled
from tests.support.running import Stage

AT_ONCE = 3


async def _partitions(made: Stage, monkeypatch: pytest.MonkeyPatch, *sizes: int) -> list[int]:
    """Publish one batch of so many events to each partition; gives the partitions of the events as they are handled."""
    async with AIOKafkaProducer(bootstrap_servers=made.settings.kafka_bootstrap) as producer:
        for partition, size in enumerate(sizes):
            batch = producer.create_batch()
            for number in range(size):
                headers = binary(f"{partition}-{number}")
                assert batch.append(key=b"csat", value=body(1), timestamp=None, headers=headers)
            await (await producer.send_batch(batch, made.settings.topic_prefix + TOPIC, partition=partition))
    handled: list[int] = []
    apply = Batches.apply

    async def noted(self: Batches, records: Sequence[Record], reached: Mapping[Place, int]) -> Outcome:
        handled.extend(record.partition for record in records)
        return await apply(self, records, reached)

    monkeypatch.setattr(Batches, "apply", noted)
    async with Stage(made.settings.model_copy(update={"batch_records": AT_ONCE}), made.service).run() as service:
        await until_handled(service, sum(sizes))
    return handled


async def test_a_batch_that_is_expanded_is_used_up_first(staged: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two partitions with a batch each, one is consumed to the end of its batch before the other is begun."""
    handled = await _partitions(staged, monkeypatch, 7, 7)
    assert handled in ([0] * 7 + [1] * 7, [1] * 7 + [0] * 7)


async def test_a_large_batch_lets_others_have_their_turn(staged: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A partition whose batch has no end holds up another for five turns at most."""
    handled = await _partitions(staged, monkeypatch, 40, 2)
    assert handled.index(1) <= 5 * AT_ONCE
