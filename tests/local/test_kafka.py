import asyncio
import os
from collections.abc import Callable, Iterator

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError

from deploy.local.kafka import Kafka
from deploy.local.paths import Home, cache_from

TOPIC = "earshot.demo-requested.v1"


@pytest.fixture
def kafka(home: Home, free_port: Callable[[], int]) -> Iterator[Kafka]:
    broker = Kafka(home, free_port(), free_port(), cache_from(os.environ))
    yield broker
    broker.stop()


async def create_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, 12, 1)])
    finally:
        await admin.close()


async def publish(bootstrap: str, value: bytes) -> None:
    options = {"acks": "all", "enable_idempotence": True, "compression_type": "lz4"}
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, **options) as producer:
        await producer.send_and_wait(TOPIC, value)


async def read(bootstrap: str) -> tuple[int, bytes]:
    async with AIOKafkaConsumer(TOPIC, bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        async with asyncio.timeout(20):
            record = await consumer.getone()
        return len(consumer.partitions_for_topic(TOPIC) or ()), record.value


def test_events_survive_a_killed_broker(kafka: Kafka, home: Home) -> None:
    """Half a data folder is made anew; after kill -9 and a second start an acknowledged event is still there.

    What the killed broker had unpacked lay in a folder of its own, and is gone.
    """
    (home.kafka / "data.new").mkdir()
    kafka.start()
    asyncio.run(create_topic(kafka.address))
    asyncio.run(publish(kafka.address, b"an event"))
    unpacked = {file.name for file in (home.kafka / "tmp").iterdir()}
    assert any(name.startswith("liblz4") for name in unpacked)
    assert kafka.pid is not None
    broker = psutil.Process(kafka.pid)
    broker.kill()
    psutil.wait_procs([broker], timeout=5)
    kafka.start()
    assert asyncio.run(read(kafka.address)) == (12, b"an event")
    assert not (home.kafka / "data.new").exists()
    assert unpacked.isdisjoint(file.name for file in (home.kafka / "tmp").iterdir())


def test_no_topic_comes_into_being_by_itself(kafka: Kafka) -> None:
    """Publishing to a topic that was not declared fails instead of creating it."""
    kafka.start()

    async def ask() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
        await admin.start()
        try:
            answer = await admin.describe_topics([TOPIC])
            assert answer[0]["error_code"] == UnknownTopicOrPartitionError.errno
        finally:
            await admin.close()

    asyncio.run(ask())
