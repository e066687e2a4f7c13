"""Runs of a staged service that end when it has nothing left to do."""

import asyncpg

from shared.runtime.jobs import Repeated
from tests.support.running import RunningService, Stage, until

PROCESS_SECONDS = 120.0
"""A process needs seconds to start, and on a busy machine many."""


async def run_through(staged: Stage) -> None:
    """Let the service handle all there is, and stop it."""
    async with staged.run() as service:
        await until_nothing_waits(service)


async def until_nothing_waits(service: RunningService) -> None:
    """Wait until everything in Kafka was handled, what follows was scored, and all of it was published."""

    async def caught_up() -> bool:
        consumer = service.app.state.consumer._consumer
        if consumer is None or not consumer.assignment():
            return False
        ends = await consumer.end_offsets(consumer.assignment())
        rows = await service.database.fetch("SELECT topic, partition, next_offset FROM consumer_positions")
        stored = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
        handled = all(stored.get((place.topic, place.partition), 0) == end for place, end in ends.items())
        if handled:
            await do_jobs(service)
        return handled and await _waiting(service) == 0

    await until(caught_up, what=f"{service.database.service} to have handled everything")


async def do_jobs(service: RunningService) -> None:
    """Do at once what the service's jobs would do in their own time."""
    for job in service.app.state.service.jobs:
        if isinstance(job, Repeated):
            async with service.database.transaction() as tx:
                await job.once(tx)


async def _waiting(service: RunningService) -> int:
    tables = ["outbox"] + (["due"] if service.database.service == "roadmap" else [])
    counts = [await service.database.pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608
    return sum(counts)


async def ask(staged: Stage, query: str) -> object:
    """One value of the service's database, as its own role sees it."""
    connection = await _connected(staged)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def until_it_waits(staged: Stage, application: str) -> None:
    """Wait until a process of this name has come up and one of its connections waits for a lock."""
    its = f"FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{application}'"

    # By connections of their own: within a transaction PostgreSQL shows the same picture again and again.
    async def is_there() -> bool:
        return bool(await ask(staged, f"SELECT EXISTS (SELECT {its})"))

    async def waits() -> bool:
        return bool(await ask(staged, f"SELECT EXISTS (SELECT {its} AND wait_event_type = 'Lock')"))

    await until(is_there, what=f"{application} to come up", patience=PROCESS_SECONDS)
    await until(waits, what=f"{application} to wait for a lock", patience=PROCESS_SECONDS)


async def change(staged: Stage, statements: str) -> None:
    """Do by hand what the service does not know of."""
    connection = await _connected(staged)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


async def _connected(staged: Stage) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(
        staged.settings.database_dsn.get_secret_value(), server_settings={"search_path": staged.service.name}
    )
