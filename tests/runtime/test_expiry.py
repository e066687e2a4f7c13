"""Records that Kafka's retention takes before they were handled: nobody goes on as if nothing were missing."""

import asyncio

import pytest

from shared.runtime.recovery.rebuild import connected
from shared.runtime.recovery.restore import accept_loss, look
from tests.runtime.foreign import TOPIC, Foreign, effects, until_handled
from tests.support.catching_up import change
from tests.support.running import RunningService, Stage, until


@pytest.fixture
async def foreign(staged: Stage) -> Foreign:
    """A producer whose first event was handled, by a service that was stopped since."""
    producer = Foreign(staged)
    async with staged.run() as service:
        producer.measure(0, "first")
        await until_handled(service, 1)
    return producer


def publish_what_expires(foreign: Foreign) -> None:
    """Five events, of which retention takes the first three."""
    for number in range(5):
        foreign.measure(number, f"e{number}")
    foreign.drop_before(4)  # the first event of all lies at 0


async def metric(service: RunningService, name: str) -> float:
    lines = (await service.client.get("/metrics")).text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


async def held_until_accepted(staged: Stage, service: RunningService) -> None:
    """Nothing of the partition takes effect, and it is said why, until somebody accepts the loss."""
    report = (await service.client.get("/readyz")).json()
    assert report["ready"] is False
    assert "records 1 to 3 expired before they were handled" in report["checks"]["consumer"]["detail"]
    assert "earshot restore SERVICE --accept-loss" in report["checks"]["consumer"]["detail"]
    assert await metric(service, "earshot_partitions_held") == 1
    assert await effects(service) == 1
    async with connected(staged.service.name, staged.settings.database_dsn.get_secret_value()) as connection:
        [lost] = (await look(staged.service, connection, staged.settings)).lost.values()
        assert lost == 4
        accepted = await accept_loss(staged.service, connection, staged.settings)
        assert [offset for (topic, _), offset in accepted.items() if topic.endswith(TOPIC)] == [4]
    await until_handled(service, 3)
    assert await metric(service, "earshot_events_expired_total") == 3
    assert await metric(service, "earshot_partitions_held") == 0
    await until(service.ready, what="the service to be ready again")


async def test_while_the_service_is_down(staged: Stage, foreign: Foreign) -> None:
    """What Kafka drops while the service is down, or before the age of a backup, holds its partition."""
    publish_what_expires(foreign)
    async with staged.run(ready=False) as service:
        await until(lambda: _is_held(service), what="the partition to be held")
        await held_until_accepted(staged, service)


async def test_while_the_service_runs(staged: Stage, foreign: Foreign) -> None:
    """What retention takes before the running service comes to it shows in the metrics; the others take effect."""
    async with staged.run() as service:
        consumer = service.app.state.consumer._consumer
        assigned = consumer.assignment()
        consumer.pause(*assigned)
        await asyncio.sleep(1)  # the fetch that is under way ends
        publish_what_expires(foreign)
        consumer.resume(*assigned)
        await until_handled(service, 3)
        assert await metric(service, "earshot_events_expired_total") == 3


async def test_when_kafka_has_forgotten_the_group(staged: Stage, foreign: Foreign) -> None:
    """The stored position still tells what was missed."""
    publish_what_expires(foreign)
    foreign.forget_group(staged.service.name)
    async with staged.run(ready=False) as service:
        await until(lambda: _is_held(service), what="the partition to be held")
        await held_until_accepted(staged, service)


async def test_other_partitions_go_on(staged: Stage, foreign: Foreign) -> None:
    """Events of other keys take effect while one partition is held."""
    publish_what_expires(foreign)
    async with staged.run(ready=False) as service:
        await until(lambda: _is_held(service), what="the partition to be held")
        foreign.vote("other")
        await until_handled(service, 2)


async def test_a_backup_from_before_the_first_event_is_noticed(staged: Stage, foreign: Foreign) -> None:
    """A database that knows no position, where Kafka knows the group's, has lost what has expired."""
    for number in range(4):
        foreign.measure(number, f"e{number}")
    async with staged.run() as service:
        await until_handled(service, 5)
    await change(staged, "DELETE FROM inbox; DELETE FROM consumer_positions")
    foreign.drop_before(2)
    async with staged.run(ready=False) as service:
        await until(lambda: _is_held(service), what="the partition to be held")
        report = (await service.client.get("/readyz")).json()
        assert "records 0 to 1 expired before they were handled" in report["checks"]["consumer"]["detail"]


async def _is_held(service: RunningService) -> bool:
    return await metric(service, "earshot_partitions_held") == 1
