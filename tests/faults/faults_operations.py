"""What operators do, under load: scale out and in, restart one after the other, take a service away, migrate ahead."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services import SERVICES
from tests.faults.world import World

MOST = 12
"""As many as a topic has partitions."""


@asynccontextmanager
async def scaled_out_and_in(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """From two instances to twelve and back to two, while events come in."""
    before = len(world.of(service))
    added = [world.add(service) for _ in range(MOST - before)]
    for instance in added:
        await world.ready(instance)
    yield f"{len(world.of(service))} instances of {service}, each with partitions"
    await asyncio.sleep(seconds)
    for instance in added[max(0, 2 - before) :]:
        _ended_by_itself(await world.remove(instance))
    assert len(world.of(service)) == 2


@asynccontextmanager
async def rolling_restart(world: World, _service: str, seconds: float) -> AsyncIterator[str]:
    """Every instance of every service is stopped and started again, one after the other, as a release does it."""
    restarted = list(world.instances)
    for instance in restarted:
        _ended_by_itself(await instance.stop())
        instance.start()
        await world.ready(instance)
    yield f"{', '.join(one.name for one in restarted)} restarted one by one"
    await asyncio.sleep(seconds)


@asynccontextmanager
async def service_away(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """A service is stopped and everything goes on without it; what it missed waits for it."""
    gone = world.of(service)
    for instance in gone:
        _ended_by_itself(await instance.stop())
    await world.not_ready(gone, None)
    yield f"{service} is away"
    await asyncio.sleep(seconds)
    for other in SERVICES:
        for instance in world.of(other):
            await world.ready(instance)
    for instance in gone:
        instance.start()


@asynccontextmanager
async def schema_ahead(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """The next release's migration is there, its code is not: every table has a column that nobody running knows."""
    tables = await world.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = ANY($1)",
        list(SERVICES),
    )
    for table in tables:
        await world.fetch(f"ALTER TABLE {table['name']} ADD COLUMN IF NOT EXISTS of_a_later_release text DEFAULT 'x'")
    second = world.add(service)
    await world.ready(second)
    yield f"{len(tables)} tables have a column of a later release, {second.name} started on them"
    await asyncio.sleep(seconds)
    await asyncio.gather(*(world.ready(one) for one in world.instances))
    _ended_by_itself(await world.remove(second))


def _ended_by_itself(code: int) -> None:
    assert code in {0, -signal.SIGTERM}, f"the process did not end by itself: {code}"
