"""What was committed is published in its order, however much of it waits."""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.producer.sender import Sender
from confluent_kafka import Consumer, KafkaError

from shared.contract.events import KpiMeasured
from shared.runtime import relay
from shared.runtime.database import Database
from shared.runtime.relay import BATCH, Relay
from shared.runtime.telemetry import Metrics
from tests.support.running import Stage, until

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TOPIC = "earshot.kpi-measured.v1"
KPIS = ("activation", "churn", "csat")
COUNT = 2 * BATCH + BATCH // 2
"""More than two takes of the relay, and the last one a part."""


@pytest.fixture
async def database(staged: Stage) -> AsyncIterator[Database]:
    found = Database(staged.service.name, staged.settings.database_dsn.get_secret_value(), size=3)
    await found.open()
    yield found
    await found.close()


async def commit(database: Database, values: Iterable[int]) -> None:
    async with database.transaction() as tx:
        await tx.publish(*(measured(value) for value in values))


async def change_their_mind(database: Database) -> None:
    """A transaction that publishes and is rolled back: its numbers in the outbox are never seen."""
    with contextlib.suppress(ZeroDivisionError):
        async with database.transaction() as tx:
            await tx.publish(*(measured(-1) for _ in range(100)))
            raise ZeroDivisionError


def measured(value: int) -> KpiMeasured:
    end = NOON + timedelta(seconds=value + 2)
    return KpiMeasured(
        kpi_id=KPIS[value % 3], period_start=NOON, period_end=end, value=value, measured_at=NOON + timedelta(days=1)
    )


def published(staged: Stage) -> dict[str, list[int]]:
    """The values of each KPI in the order of the log."""
    consumer = Consumer(
        {
            "bootstrap.servers": staged.settings.kafka_bootstrap,
            "group.id": "a-reader",
            "auto.offset.reset": "earliest",
            "enable.partition.eof": True,
        }
    )
    consumer.subscribe([staged.settings.topic_prefix + TOPIC])
    found: defaultdict[str, list[int]] = defaultdict(list)
    ended: set[int | None] = set()
    while len(ended) < 2:
        record = consumer.poll(30)
        assert record is not None, "Kafka gives nothing"
        if (error := record.error()) is not None:
            assert error.code() == KafkaError._PARTITION_EOF
            ended.add(record.partition())
            continue
        data = json.loads(record.value() or b"")
        found[data["kpi_id"]].append(int(data["value"]))
    consumer.close()
    return found


async def relay_all(staged: Stage, database: Database, *, keep: bool = False) -> None:
    """Let a relay run until the outbox is empty."""
    running = asyncio.create_task(Relay(database, staged.settings, Metrics(), keep=keep).run())

    async def is_empty() -> bool:
        return not await database.fetch("SELECT FROM outbox LIMIT 1")

    await until(is_empty, what="the outbox to be empty")
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("keep", [False, True], ids=["deleted", "archived"])
async def test_a_full_outbox_is_published_in_order(staged: Stage, database: Database, *, keep: bool) -> None:
    """2,500 events of three keys, between them what was rolled back, come once each and in their order."""
    for first in range(0, COUNT, 500):
        await commit(database, range(first, first + 500))
        await change_their_mind(database)
    # As vacuum does in time, it lets PostgreSQL find the rows in another order than they were written in.
    await database.pool.execute("UPDATE outbox SET created_at = created_at WHERE seq % 2 = 0")
    await relay_all(staged, database, keep=keep)
    assert published(staged) == {kpi: list(range(number, 2500, 3)) for number, kpi in enumerate(KPIS)}
    kept = await database.fetch("SELECT (payload::jsonb ->> 'value')::float AS value FROM outbox_archive ORDER BY seq")
    assert [row["value"] for row in kept] == [float(value) for value in range(2500 if keep else 0)]


@pytest.mark.parametrize(
    ("of", "task"),
    [(AIOKafkaClient, "_md_synchronizer"), (Sender, "_send_produce_req")],
    ids=["asks for topics", "sends"],
)
async def test_a_task_of_the_client_that_ends_holds_nothing_up(
    staged: Stage, database: Database, monkeypatch: pytest.MonkeyPatch, of: type, task: str
) -> None:
    """What is not acknowledged, as aiokafka does not notice that its task has ended, is published by a new client."""
    real, ended = getattr(of, task), []

    async def ends_once(self: object, *arguments: object) -> None:
        ended.append(task)
        if len(ended) > 1:
            await real(self, *arguments)

    monkeypatch.setattr(relay, "PATIENCE_SECONDS", 1)
    monkeypatch.setattr(of, task, ends_once)
    await commit(database, range(30))
    await relay_all(staged, database)
    assert len(ended) > 1
    assert published(staged) == {kpi: list(range(number, 30, 3)) for number, kpi in enumerate(KPIS)}
