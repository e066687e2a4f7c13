"""Batches that the broker accepts though no honest producer writes them."""

import gzip
from collections.abc import Iterator

import cramjam
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, PartitionRecords

from shared.runtime.record_batches import Records, drain_anew
from tests.runtime import forged
from tests.runtime.foreign import TOPIC, binary, body, until_handled
from tests.support.running import Stage, until

XERIAL = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
ZEROS = bytes(20_000_000)


def event(delta: int, event_id: str, *, attributes: int = 0) -> bytes:
    return forged.record(delta, body(1), binary(event_id), attributes=attributes)


def unreadable() -> Iterator[tuple[str, bytes]]:
    """Name and batch; nothing in it can be handled."""
    yield "an attribute byte nobody defined", forged.batch([event(0, "x", attributes=0x80)])
    yield "the same before a good record", forged.batch([event(0, "x", attributes=0x80), event(1, "y")])
    yield "a gap", forged.batch([event(0, "x"), event(3, "y")])
    yield "backwards", forged.batch([event(1, "x"), event(0, "y")])
    yield "one place twice", forged.batch([event(0, "x"), event(0, "y")])
    yield "before the first", forged.batch([event(-1, "x"), event(0, "y")])
    yield (
        "bytes behind the compressed ones",
        forged.batch([event(0, "x")], codec=forged.GZIP, body=gzip.compress(event(0, "x")) + bytes(8)),
    )


async def send(staged: Stage, batch: bytes, partition: int = 0) -> None:
    await forged.publish(staged.settings.kafka_bootstrap, staged.settings.topic_prefix + TOPIC, partition, batch)


@pytest.mark.parametrize("batch", [batch for _, batch in unreadable()], ids=[name for name, _ in unreadable()])
async def test_a_batch_out_of_order_goes_aside_whole(staged: Stage, batch: bytes) -> None:
    """It becomes one dead letter with its bytes, and the events of all partitions around it take effect."""
    for partition in (0, 1):
        await send(staged, forged.batch([event(0, f"before-{partition}")]), partition)
        await send(staged, batch, partition)
        await send(staged, forged.batch([event(0, f"behind-{partition}")]), partition)
    async with staged.run() as service:
        await until_handled(service, 4)
        rows = await service.database.fetch("SELECT reason, value FROM dead_letters")
        assert [row["reason"].split(" records ")[0] for row in rows] == [rows[0]["reason"].split(" records ")[0]] * 2
        assert all(row["reason"].startswith("a batch of ") for row in rows)
        # The broker wrote its own base offset and leader epoch; from the checksum on it is as it was sent.
        assert [row["value"][17:] for row in rows] == [batch[17:]] * 2


async def test_stray_bytes_behind_snappy_blocks_are_passed_over(staged: Stage) -> None:
    """As Java does, whose frame it is, bytes too few for another block are no reason to refuse the batch."""
    block = bytes(cramjam.snappy.compress_raw(event(0, "snappy")))
    framed = XERIAL + len(block).to_bytes(4) + block + b"?"
    await send(staged, forged.batch([event(0, "snappy")], codec=forged.SNAPPY, body=framed))
    async with staged.run() as service:
        await until_handled(service, 1)


async def test_large_batches_take_their_turns(staged: Stage) -> None:
    """Of batches that together expand beyond the room there is, each is handled, and so is what is behind them."""
    large = forged.record(0, ZEROS)
    for partition in (0, 1):
        for _ in range(3):
            await send(staged, forged.batch([large], codec=forged.GZIP, body=gzip.compress(large, mtime=0)), partition)
        await send(staged, forged.batch([event(0, f"behind-{partition}")]), partition)
    async with staged.run() as service:
        await until_handled(service, 2)
        rows = await service.database.fetch("SELECT length(value) AS size FROM dead_letters")
        assert [row["size"] for row in rows] == [20_000_000] * 6


def test_no_batch_is_expanded_beyond_the_room_there_is() -> None:
    """Of three large batches in one response one is taken at once; asked anew, the consumer gets the next."""
    large = forged.record(0, ZEROS)
    batch = forged.batch([large], codec=forged.GZIP, body=gzip.compress(large, mtime=0))
    response = Records(b"".join(offset.to_bytes(8) + batch[8:] for offset in range(3)))
    assert response.has_next()
    for _ in range(3):
        drain_anew()
        records = PartitionRecords(TopicPartition("any", 0), response, [], 0, None, None, True, READ_COMMITTED)
        assert [len(record.value) for record in records] == [20_000_000]


async def test_many_bad_records_do_not_hold_up_other_partitions(staged: Stage) -> None:
    """While one partition's thousands are set aside, the event of another takes effect."""
    await send(staged, forged.batch([forged.record(delta, None, key=None) for delta in range(8_000)]))
    await send(staged, forged.batch([event(0, "elsewhere")]), partition=1)
    async with staged.run() as service:

        async def all_aside() -> bool:
            return bool(await service.database.pool.fetchval("SELECT count(*) = 8000 FROM dead_letters"))

        await until(all_aside, what="the bad records to be set aside")
        [row] = await service.database.fetch(
            "SELECT received_at < (SELECT max(received_at) FROM dead_letters) AS went_first FROM inbox"
        )
        assert row["went_first"]
