"""Two transactions at once, in a known order."""

from tests.support.running import until
from tests.support.service import ServiceUnderTest

WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


async def waits_for_a_lock(service: ServiceUnderTest) -> None:
    """Until one of the service's transactions waits for another."""

    async def waits() -> bool:
        return bool(await service.database.fetch(WAITING))

    await until(waits, what="a transaction to wait for another")
