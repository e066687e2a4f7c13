"""Batches that aiokafka's own parser cannot read, or not in the memory there is."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import CorruptRecordException
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from tests.runtime.foreign import TOPIC, Foreign, binary, body, until_handled
from tests.support.running import Stage


class Latin1(str):
    """A header name that is encoded as Kafka forbids."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return super().encode("latin-1")


async def test_a_header_whose_name_is_not_utf8_is_taken_like_any_other(
    staged: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record whose header name breaks Kafka's protocol, amid a batch, holds up nothing and spoils no event."""
    for module in (producer, message_accumulator):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        async with AIOKafkaProducer(
            bootstrap_servers=staged.settings.kafka_bootstrap, compression_type=codec, linger_ms=500
        ) as forger:
            events = [binary(f"{codec}-{number}") for number in range(3)]
            events[1].append((Latin1("größe"), b"1"))
            for headers in events:
                await forger.send(staged.settings.topic_prefix + TOPIC, value=body(1), key=b"csat", headers=headers)
    async with staged.run() as service:
        await until_handled(service, 15)
        assert await service.database.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_batch_that_expands_without_end_goes_aside(staged: Stage, codec: str) -> None:
    """A compressed batch of more than 32 MiB becomes one dead letter, and the events around it take effect."""
    foreign = Foreign(staged)
    foreign.measure(1, "before")
    async with AIOKafkaProducer(
        bootstrap_servers=staged.settings.kafka_bootstrap, compression_type=codec, max_request_size=40_000_000
    ) as bomber:
        await bomber.send_and_wait(staged.settings.topic_prefix + TOPIC, value=bytes(35_000_000), key=b"csat")
    foreign.measure(2, "behind")
    async with staged.run() as service:
        await until_handled(service, 2)
        [row] = await service.database.fetch("SELECT reason, length(value) AS kept FROM dead_letters")
        assert "cannot be expanded within 33,554,432" in row["reason"]
        assert 0 < row["kept"] < 5_000_000


async def test_a_record_the_client_cannot_read_loses_no_other(staged: Stage) -> None:
    """When the client fails while it reads, all that it had taken out already comes again."""
    foreign = Foreign(staged)
    async with staged.run() as service:
        fetching = service.app.state.consumer._consumer.getmany
        getmany = fetching._getmany
        failed: list[object] = []

        async def fail_once(**options: object) -> object:
            taken = await getmany(**options)
            if taken and not failed:
                failed.append(taken)
                raise CorruptRecordException("Invalid CRC")
            return taken

        fetching._getmany = fail_once
        foreign.measure(0, "e0")
        await until_handled(service, 1)  # by the call that had begun before
        for number in range(1, 6):
            foreign.measure(number, f"e{number}")
        await until_handled(service, 6)
        assert failed
