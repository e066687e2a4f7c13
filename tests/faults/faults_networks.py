"""Faults of the network and the disk: between one service and its broker or its database, and under the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.faults.proxy import Direction
from tests.faults.taps import LostCommits
from tests.faults.world import World, until

SLOW_SECONDS, SLOW_BYTES_PER_SECOND = 0.15, 200_000.0
UNSEEN_SECONDS = 30.0
"""For so long /readyz gives a consumer that gets nowhere the benefit of the doubt."""


@asynccontextmanager
async def broker_cut_off(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """The service has no connection to Kafka and gets none; its neighbours do."""
    async with world.ground.kafka_proxies[service].cut() as broken:
        assert broken, "there was no connection to cut"
        await world.not_ready(world.of(service), "broker")
        yield f"{broken} connections of {service} to Kafka cut"
        await asyncio.sleep(seconds)
        await _others_stay_ready(world, service)


@asynccontextmanager
async def broker_silent(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Requests arrive, answers do not, and in the end the connections are lost with them."""
    with world.ground.kafka_proxies[service].silent(Direction.ANSWERS, lost=True):
        await world.not_ready(world.of(service), "broker")
        yield f"Kafka's answers to {service} are lost"
        await asyncio.sleep(seconds)


@asynccontextmanager
async def broker_deaf(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Requests are held up and arrive late, after clients may have given up and asked again."""
    with world.ground.kafka_proxies[service].silent(Direction.REQUESTS, lost=False):
        await world.not_ready(world.of(service), "broker")
        yield f"requests of {service} to Kafka come late"
        await asyncio.sleep(seconds)


@asynccontextmanager
async def broker_slow(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Everything takes its time; the service works on and stays ready."""
    with world.ground.kafka_proxies[service].slow(SLOW_SECONDS, SLOW_BYTES_PER_SECOND):
        yield f"Kafka is slow for {service}"
        await asyncio.sleep(seconds)
        await _stay_ready(world, service)


@asynccontextmanager
async def broker_reset(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """All connections to Kafka are reset at once; over before one could ask."""
    hit = world.ground.kafka_proxies[service].reset()
    assert hit, "there was no connection to reset"
    yield f"{hit} connections of {service} to Kafka reset"
    await asyncio.sleep(seconds)


@asynccontextmanager
async def database_cut_off(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """The service has no connection to its database and gets none; its neighbours do."""
    async with world.ground.postgres_proxies[service].cut() as broken:
        assert broken, "there was no connection to cut"
        await world.not_ready(world.of(service), "database")
        yield f"{broken} connections of {service} to PostgreSQL cut"
        await asyncio.sleep(seconds)
        await _others_stay_ready(world, service)


@asynccontextmanager
async def database_silent(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Statements arrive and take effect, answers do not, and in the end the connections are lost with them."""
    with world.ground.postgres_proxies[service].silent(Direction.ANSWERS, lost=True):
        await world.not_ready(world.of(service), "database")
        yield f"PostgreSQL's answers to {service} are lost"
        await asyncio.sleep(seconds)


@asynccontextmanager
async def database_slow(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Everything takes its time; the service works on and stays ready."""
    with world.ground.postgres_proxies[service].slow(SLOW_SECONDS / 3, SLOW_BYTES_PER_SECOND):
        yield f"PostgreSQL is slow for {service}"
        await asyncio.sleep(seconds)
        await _stay_ready(world, service)


@asynccontextmanager
async def database_reset(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """All connections to the database are reset at once; over before one could ask."""
    hit = world.ground.postgres_proxies[service].reset()
    assert hit, "there was no connection to reset"
    yield f"{hit} connections of {service} to PostgreSQL reset"
    await asyncio.sleep(seconds)


@asynccontextmanager
async def commit_unanswered(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """The transaction holds, but its answer is lost: what was done looks as if it had failed, and comes again."""
    lost = LostCommits(wanted=3)

    async def all_lost() -> bool:
        return lost.lost == lost.wanted

    with world.ground.postgres_proxies[service].tapped(lost):
        await until(all_lost, what=f"three commits of {service}")
    yield f"{lost.lost} commits of {service} were not answered"
    await asyncio.sleep(seconds)


@asynccontextmanager
async def disk_full(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Nothing can be written; /readyz says so as soon as the consumer has been getting nowhere for half a minute."""
    with world.ground.disk.full() as taken:
        await _is_full(world)
        yield f"{taken:,} bytes taken, the disk is full"
        await asyncio.sleep(seconds)
        if seconds > UNSEEN_SECONDS:
            await world.not_ready(world.of(service), "consumer")
    # A server that could not even recover gives up; whoever made room starts it again.
    await asyncio.to_thread(world.ground.postgres.start)


async def _is_full(world: World) -> None:
    """Sometimes the server falls over a full disk and recovers, which takes the place of its refusal."""

    async def refuses() -> bool:
        try:
            await world.fetch("CREATE TABLE faults.filler AS SELECT repeat('x', 1000) FROM generate_series(1, 20000)")
        except (asyncpg.PostgresError, OSError):
            return True
        await world.fetch("DROP TABLE faults.filler")
        return False

    await until(refuses, what="the database to refuse what does not fit")


async def _stay_ready(world: World, service: str) -> None:
    await asyncio.gather(*(world.ready(one) for one in world.of(service)))


async def _others_stay_ready(world: World, service: str) -> None:
    await asyncio.gather(*(world.ready(one) for one in world.instances if one.service != service and one.running))
