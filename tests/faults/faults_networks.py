"""Faults of the network and the disk: between one service and its broker or its database, and under the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.faults.ground import started
from tests.faults.instance import Instance
from tests.faults.proxy import Direction
from tests.faults.sides import DATABASE, Side
from tests.faults.taps import LostCommits
from tests.faults.world import World, until

SLOW_BYTES_PER_SECOND = 200_000.0


@asynccontextmanager
async def cut_off(side: Side, world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """The service has no connection to one side and gets none; its neighbours do."""
    async with side.proxies(world.ground)[service].cut() as broken:
        assert broken, "there was no connection to cut"
        await world.not_ready(world.of(service), side.check)
        yield f"{broken} connections of {service} to {side.name} cut"
        await asyncio.sleep(seconds)
        await _others_stay_ready(world, service)


@asynccontextmanager
async def silent(side: Side, world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """What is asked arrives and takes effect, answers do not, and in the end the connections are lost with them."""
    with side.proxies(world.ground)[service].silent(Direction.ANSWERS, lost=True):
        await world.not_ready(world.of(service), side.check)
        yield f"{side.name}'s answers to {service} are lost"
        await asyncio.sleep(seconds)
        await _others_stay_ready(world, service)


@asynccontextmanager
async def deaf(side: Side, world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Requests are held up and arrive late, after clients may have given up and asked again."""
    with side.proxies(world.ground)[service].silent(Direction.REQUESTS, lost=False):
        await world.not_ready(world.of(service), side.check)
        yield f"requests of {service} to {side.name} come late"
        await asyncio.sleep(seconds)
        await _others_stay_ready(world, service)


@asynccontextmanager
async def slow(side: Side, world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Everything takes its time; the service works on and stays ready."""
    with side.proxies(world.ground)[service].slow(side.slow_seconds, SLOW_BYTES_PER_SECOND):
        yield f"{side.name} is slow for {service}"
        await asyncio.sleep(seconds)
        await _all_ready(world, service)


@asynccontextmanager
async def reset(side: Side, world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """All connections to one side are reset at once; whoever says afterwards that it is ready has made new ones."""
    proxy = side.proxies(world.ground)[service]
    former = set(proxy.links)
    assert proxy.reset(former), "there was no connection to reset"
    await _all_ready(world, service)
    made = proxy.links - former
    assert made, f"{service} says that it is ready and has no connection to {side.name}"
    yield f"{len(former)} connections of {service} to {side.name} reset, {len(made)} made anew"
    await asyncio.sleep(seconds)


@asynccontextmanager
async def commit_unanswered(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """The transaction holds, but its answer is lost: what was done looks as if it had failed, and comes again."""
    lost = LostCommits(wanted=3)

    async def all_lost() -> bool:
        return lost.lost == lost.wanted

    with DATABASE.proxies(world.ground)[service].tapped(lost):
        await until(all_lost, what=f"three commits of {service}")
        await _all_ready(world, service)
    yield f"{lost.lost} commits of {service} were not answered"
    await asyncio.sleep(seconds)


@asynccontextmanager
async def disk_full(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Nothing that needs space can be written; who gets nowhere says so within half a minute, who is ready gets on."""
    with world.ground.disk.full() as taken:
        await _is_full(world)
        yield f"{taken:,} bytes taken, the disk is full"
        await asyncio.sleep(seconds)
        for instance in world.of(service):
            await _gets_on_or_says_so(instance)
    # A server that could not even recover gives up; whoever made room starts it again.
    await started(world.ground.postgres)


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


async def _gets_on_or_says_so(instance: Instance) -> None:
    """What fits into pages that are there is still written, so that a few records may find room."""

    async def tells_the_truth() -> bool:
        found = await instance.readiness()
        return bool(found.failing) or found.body.get("lag") == 0

    await until(tells_the_truth, what=f"/readyz of {instance.name} to say that it gets nowhere")


async def _all_ready(world: World, service: str) -> None:
    await asyncio.gather(*(world.ready(one) for one in world.of(service)))


async def _others_stay_ready(world: World, service: str) -> None:
    await asyncio.gather(*(world.ready(one) for one in world.instances if one.service != service and one.running))
