"""Resident memory of each service, idle and after events by the hundred thousand."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from services import SERVICES
from tests.support.databases import dsn_of

from . import votes
from .meters import Reading, resident_megabytes
from .place import Place, service
from .progress import Progress


async def idle(place: Place, seconds: float) -> dict[str, float]:
    """Megabytes of each service that has been running for a few seconds without events."""
    found = {}
    for name in SERVICES:
        prefix = await place.topics()
        async with place.database(name) as database:
            with service(place, name, database, prefix) as program:
                await asyncio.sleep(seconds)
                found[name] = resident_megabytes(program.process)
    return found


async def under_load(place: Place, events: int, steps: int) -> dict[str, Any]:
    """Megabytes of the roadmap after each part of the votes: they must not grow."""
    prefix = await place.topics()
    found: dict[str, float] = {}
    part = events // steps
    async with place.database() as database:
        connection = await asyncpg.connect(dsn_of(database))
        progress = Progress(connection, place.postmaster)
        with service(place, "roadmap", database, prefix) as program:
            for step in range(1, steps + 1):
                batch = votes.Crowd().votes(part, seed=step, first=(step - 1) * part)
                await asyncio.to_thread(votes.publish, place.kafka, prefix, batch)
                await progress.follow(program.process, until=_reached(step * part), patience=900)
                found[f"{step * part:,} events"] = resident_megabytes(program.process)
        await connection.close()
    return found


def _reached(events: int) -> Callable[[Reading, Reading], bool]:
    return lambda _, now: now.events >= events
