"""What a service that has nothing to do costs Kafka."""

import asyncio

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest

from tests.runtime.foreign import Foreign, until_handled
from tests.support.running import Stage


async def test_a_service_without_events_asks_for_some_twice_a_second(
    staged: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an event nothing comes for two seconds: Kafka is asked four times, where ten a second would be twenty."""
    asked: list[object] = []
    send = AIOKafkaClient.send

    async def counted(self: AIOKafkaClient, node: int, request: object, **options: object) -> object:
        if isinstance(request, FetchRequest):
            asked.append(request)
        return await send(self, node, request, **options)

    monkeypatch.setattr(AIOKafkaClient, "send", counted)
    async with staged.run() as service:
        Foreign(staged).measure(1, "e1")
        await until_handled(service, 1)
        await asyncio.sleep(1)
        before = len(asked)
        await asyncio.sleep(2)
        assert 1 <= len(asked) - before <= 6
