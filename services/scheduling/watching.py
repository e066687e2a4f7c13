"""What goes on beside requests and events: overdue erasures are counted, addresses that have served are forgotten."""

import asyncio
from datetime import timedelta
from functools import cache

from prometheus_client import CollectorRegistry, Gauge

from services.scheduling.expiry import ANSWERING
from services.scheduling.settings import SchedulingSettings
from services.scheduling.store import erasures
from shared.runtime.erasure.marks import purge
from shared.runtime.service import Work

EVERY_SECONDS = 30.0


async def watch(work: Work) -> None:
    """Until cancelled; sets `earshot_erasures_overdue`."""
    assert isinstance(work.settings, SchedulingSettings)
    patience = work.settings.erasure_patience
    while True:
        overdue_in(work.metrics.registry).set(await look(work, patience))
        await asyncio.sleep(EVERY_SECONDS)


@cache
def overdue_in(registry: CollectorRegistry) -> Gauge:
    """One gauge for each registry, however often the job starts."""
    return Gauge("earshot_erasures_overdue", "Erasures that a service has not answered in time", registry=registry)


async def look(work: Work, patience: timedelta) -> int:
    """How many erasures are overdue now."""
    async with work.database.transaction() as tx:
        await purge(tx.connection, tx.now)
        return await erasures.count_overdue(tx.connection, ANSWERING, tx.now - patience)
