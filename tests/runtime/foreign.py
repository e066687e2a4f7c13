"""A producer that is not ours, and what it sends to the service under test."""

import json
from datetime import UTC, datetime

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from shared.contract.events import FeatureVoted, KpiMeasured
from tests.support.running import RunningService, Stage, until

TOPIC = "earshot.kpi-measured.v1"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Headers = list[tuple[str, str | bytes | None]]


class Foreign:
    """A producer that is not ours: librdkafka with its defaults but the partitioner."""

    def __init__(self, made: Stage) -> None:
        self._prefix = made.settings.topic_prefix
        self._bootstrap = made.settings.kafka_bootstrap
        self._producer = Producer(
            {
                "bootstrap.servers": made.settings.kafka_bootstrap,
                "partitioner": "murmur2_random",
                "message.max.bytes": 20_000_000,
            }
        )

    def send(self, value: bytes | None, headers: Headers, *, key: bytes | None = b"csat", topic: str = TOPIC) -> None:
        """One record, acknowledged by the broker when this returns."""
        failures: list[object] = []
        self._producer.produce(
            self._prefix + topic,
            value=value,
            key=key,
            headers=headers,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
        self._producer.flush(10)
        assert not failures

    def measure(self, value: float, event_id: str) -> None:
        self.send(body(value), binary(event_id))

    def vote(self, event_id: str) -> None:
        """An event on another topic than measurements are on."""
        vote = FeatureVoted(feature_id="csat", voter_id="v", voted_at=NOON)
        headers = binary(event_id, ce_type=b"earshot.FeatureVoted.v1")
        self.send(vote.model_dump_json().encode(), headers, topic="earshot.feature-voted.v1")

    def drop_before(self, offset: int) -> None:
        """What retention does: forget the older records of the partition that `measure` writes to."""
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        partitions = [TopicPartition(self._prefix + TOPIC, number, offset) for number in range(2)]
        done = admin.delete_records(partitions)
        assert [future.exception() for future in done.values()].count(None) == 1

    def forget_group(self, service: str) -> None:
        """What Kafka does to the offsets of a group that was away for long."""
        admin = AdminClient({"bootstrap.servers": self._bootstrap})
        [done] = admin.delete_consumer_groups([self._prefix + service]).values()
        done.result(10)


def body(value: float) -> bytes:
    event = KpiMeasured(
        kpi_id="csat", period_start=NOON, period_end=NOON.replace(hour=13), value=value, measured_at=NOON
    )
    return event.model_dump_json().encode()


def binary(event_id: str, **changed: bytes | None) -> Headers:
    attributes: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": event_id.encode(),
        "ce_source": b"/analytics",
        "ce_type": b"earshot.KpiMeasured.v1",
        "content-type": b"application/json",
    }
    return list((attributes | changed).items())


def structured(value: float, event_id: str) -> bytes:
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/analytics",
        "type": "earshot.KpiMeasured.v1",
        "data": json.loads(body(value)),
    }
    return json.dumps(event).encode()


async def effects(service: RunningService) -> int:
    return int(await service.database.pool.fetchval("SELECT count(*) FROM inbox"))


async def until_handled(service: RunningService, count: int) -> None:
    """Wait until so many events took effect; more of them fail the test as fewer do."""

    async def handled() -> bool:
        return await effects(service) == count

    await until(handled, what=f"{count} events to take effect")
