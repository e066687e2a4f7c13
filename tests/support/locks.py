"""Two transactions at once, in a known order."""

import asyncio

from tests.support.service import ServiceUnderTest


async def waits_for_a_lock(service: ServiceUnderTest) -> None:
    """Until one of the service's transactions waits for another."""
    waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not await service.database.fetch(waiting):  # noqa: ASYNC110 - what PostgreSQL does sets no event of ours
        await asyncio.sleep(0.01)
