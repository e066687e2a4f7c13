"""Faults of processes: services, relays, the database and the broker are killed, frozen, added and taken away."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from tests.faults.ground import started
from tests.faults.instance import Instance
from tests.faults.proxy import Link
from tests.faults.sides import Side
from tests.faults.taps import Acknowledged, Relays, Unsent
from tests.faults.world import World, until


@asynccontextmanager
async def service_killed(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Kill -9 in the middle of whatever it does; it is away for a while and comes back."""
    [victim, *_] = world.of(service)
    code = await victim.kill()
    assert code == -signal.SIGKILL
    await world.not_ready([victim], None)
    yield f"{victim.name} ended with {code}"
    await asyncio.sleep(seconds)
    victim.start()


@asynccontextmanager
async def service_frozen(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """SIGSTOP for longer than the group waits for a member, while another instance takes over."""
    [victim, *others] = world.of(service)
    helper = None if others else world.add(service)
    if helper:
        await world.ready(helper)
    victim.freeze()
    try:
        await world.not_ready([victim], None)
        yield f"{victim.name} is stopped"
        await asyncio.sleep(seconds)
        for other in world.of(service):
            if other is not victim:
                await world.ready(other)
    finally:
        victim.thaw()
    if helper:
        await world.remove(helper)


@asynccontextmanager
async def relay_killed_after_ack(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Kill -9 of whoever relays when the broker has acknowledged and the database has not heard of it."""
    database, broker = world.ground.postgres_proxies[service], world.ground.kafka_proxies[service]
    relays = Relays()
    acknowledged = Acknowledged(database, relays)
    with database.tapped(relays), broker.tapped(acknowledged):
        _start_relaying_again(world, service)
        victims = await _kill_owners(world, service, acknowledged.held)
        database.reset(acknowledged.held)
    yield f"{', '.join(one.name for one in victims)} died between acknowledgement and delete"
    await asyncio.sleep(seconds)
    for victim in victims:
        victim.start()


@asynccontextmanager
async def relay_killed_before_ack(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Kill -9 of whoever relays when events have been taken from the outbox and have not reached the broker."""
    broker, unsent = world.ground.kafka_proxies[service], Unsent()
    with broker.tapped(unsent):
        _start_relaying_again(world, service)
        victims = await _kill_owners(world, service, unsent.held)
        broker.reset(unsent.held)
    yield f"{', '.join(one.name for one in victims)} died before anything reached the broker"
    await asyncio.sleep(seconds)
    for victim in victims:
        victim.start()


def _start_relaying_again(world: World, service: str) -> None:
    """A relay that lost its database makes all its connections anew, before our ears: we hear them from the start."""
    assert world.ground.postgres_proxies[service].reset(), "there was no connection to reset"


async def _kill_owners(world: World, service: str, held: list[Link]) -> list[Instance]:
    """Wait until connections are held, and kill the instances they belong to."""

    async def has_struck() -> bool:
        return bool(held)

    await until(has_struck, what=f"{service} to publish an event")
    owners = [one for one in world.of(service) if any(one.has_connection_from(link.client_port) for link in held)]
    assert owners, "no instance owns the connections that are held"
    for owner in owners:
        assert await owner.kill() == -signal.SIGKILL
    await world.not_ready(owners, None)
    return owners


@asynccontextmanager
async def instance_joins_and_leaves(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """A second instance takes over half of the partitions and gives them back; neither is in the other's way."""
    second = world.add(service)
    await world.ready(second)
    checks = (await second.readiness()).body["checks"]
    yield f"{second.name} has {checks['consumer']['detail']}"
    await asyncio.sleep(seconds)
    await asyncio.gather(*(world.ready(one) for one in world.of(service)))
    code = await world.remove(second)
    assert code in {0, -signal.SIGTERM}, f"{second.name} did not end by itself: {code}"


@asynccontextmanager
async def backend_killed(world: World, service: str, seconds: float) -> AsyncIterator[str]:
    """Kill -9 of one database process: the server ends all connections and recovers, and the service comes back."""
    name = f"earshot-{service}"
    pid = (await world.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = $1 LIMIT 1", name))[0]["pid"]
    os.kill(pid, signal.SIGKILL)

    async def is_gone() -> bool:
        return not psutil.pid_exists(pid)

    await until(is_gone, what=f"backend {pid} to end")
    await asyncio.gather(*(world.ready(one) for one in world.of(service)))
    backends = await world.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = $1", name)
    assert backends, f"{service} says that it is ready and has no connection to the database"
    yield f"backend {pid} ended, {len(backends)} others came"
    await asyncio.sleep(seconds)


@asynccontextmanager
async def server_killed(side: Side, world: World, _service: str, seconds: float) -> AsyncIterator[str]:
    """Kill -9 of the broker or the postmaster; it is away until somebody starts it."""
    pid = side.pid(world.ground)
    os.kill(pid, signal.SIGKILL)
    await world.not_ready(world.instances, side.check)
    yield f"{side.name} {pid} ended"
    await asyncio.sleep(seconds)
    await started(side.server(world.ground))


@asynccontextmanager
async def server_frozen(side: Side, world: World, _service: str, seconds: float) -> AsyncIterator[str]:
    """SIGSTOP of the server with all its processes: connections stay, nobody answers."""
    processes = side.processes(world.ground)
    for process in processes:
        process.suspend()
    try:
        await world.not_ready(world.instances, side.check)
        yield f"{side.name}: {len(processes)} processes are stopped"
        await asyncio.sleep(seconds)
    finally:
        for process in processes:
            if process.is_running():
                process.resume()
