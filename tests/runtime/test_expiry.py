"""Records that Kafka's retention takes before they were handled: counted, since nobody else would notice."""

import asyncio

import pytest

from tests.runtime.foreign import Foreign, until_handled
from tests.support.running import RunningService, Stage


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


async def three_are_counted(service: RunningService) -> None:
    await until_handled(service, 3)
    assert "earshot_events_expired_total 3.0" in (await service.client.get("/metrics")).text


async def test_while_the_service_is_down(staged: Stage, foreign: Foreign) -> None:
    """Records that Kafka drops while the service is down show in its metrics; those still there take effect."""
    publish_what_expires(foreign)
    async with staged.run() as service:
        await three_are_counted(service)


async def test_while_the_service_runs(staged: Stage, foreign: Foreign) -> None:
    """What retention takes before the running service comes to it shows in the metrics."""
    async with staged.run() as service:
        consumer = service.app.state.consumer._consumer
        assigned = consumer.assignment()
        consumer.pause(*assigned)
        await asyncio.sleep(1)  # the fetch that is under way ends
        publish_what_expires(foreign)
        consumer.resume(*assigned)
        await three_are_counted(service)


async def test_when_kafka_has_forgotten_the_group(staged: Stage, foreign: Foreign) -> None:
    """The stored position still tells what was missed."""
    publish_what_expires(foreign)
    foreign.forget_group(staged.service.name)
    async with staged.run() as service:
        await three_are_counted(service)
