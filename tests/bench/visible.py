"""How long after an event is published its effect can be read over HTTP."""

import asyncio
import json
import time
from datetime import UTC, datetime

import httpx
from aiokafka import AIOKafkaProducer

from tests.support.running import until

from . import votes
from .figures import percentile
from .place import Place, service, signed

LOOK_SECONDS = 0.005
RUN_UP_SECONDS = 2.0
PATIENCE_SECONDS = 30.0


async def visible(place: Place, probes: int, rate: int) -> dict[str, float]:
    """Milliseconds until a vote is counted in the idea's answer, while `rate` other votes come each second."""
    prefix = await place.topics()
    jwks, headers = signed(place)
    producer = AIOKafkaProducer(bootstrap_servers=place.kafka, acks="all", linger_ms=0)
    await producer.start()
    async with place.database() as database:
        with service(place, "roadmap", database, prefix, EARSHOT_JWKS=jwks) as program:
            async with httpx.AsyncClient(base_url=program.url, headers=headers, timeout=30) as client:
                await until(lambda: is_ready(client), what="the service to be ready")
                load = asyncio.create_task(_load(producer, prefix, rate)) if rate else None
                await asyncio.sleep(RUN_UP_SECONDS)
                delays = [await _probe(client, producer, prefix, number) for number in range(probes)]
                if load:
                    load.cancel()
    await producer.stop()
    return {"p50 ms": percentile(delays, 50), "p99 ms": percentile(delays, 99)}


async def is_ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/readyz")).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


async def _probe(client: httpx.AsyncClient, producer: AIOKafkaProducer, prefix: str, number: int) -> float:
    """Publish a vote for an idea of its own and ask until it counts; asking is part of what is measured."""
    idea = f"probe-{number}"
    vote = {"feature_id": idea, "voter_id": f"customer-{number}", "voted_at": datetime.now(UTC).isoformat()}
    began = time.perf_counter()
    await _send(producer, prefix, f"probe-{number}", idea, json.dumps(vote).encode())
    while (answer := await client.get(f"/api/v1/ideas/{idea}")).status_code != httpx.codes.OK:
        if time.perf_counter() - began > PATIENCE_SECONDS:
            raise TimeoutError(f"{idea} was never seen: {answer.text}")
        await asyncio.sleep(LOOK_SECONDS)
    assert answer.json()["votes"] == 1
    return (time.perf_counter() - began) * 1000


async def _load(producer: AIOKafkaProducer, prefix: str, rate: int) -> None:
    began = time.perf_counter()
    for number, (event_id, key, value) in enumerate(votes.Crowd().votes(10**9)):
        await _send(producer, prefix, event_id, key, value)
        if (ahead := number / rate - (time.perf_counter() - began)) > 0:
            await asyncio.sleep(ahead)


async def _send(producer: AIOKafkaProducer, prefix: str, event_id: str, key: str, value: bytes) -> None:
    headers = [
        (name, text if isinstance(text, bytes) else str(text).encode()) for name, text in votes.headers(event_id)
    ]
    await producer.send(f"{prefix}{votes.TOPIC}", key=key.encode(), value=value, headers=headers)
