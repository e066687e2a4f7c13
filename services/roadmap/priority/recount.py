"""Counts everything anew once a day, in slices, and sets right what differs.

Counters follow from votes and words, so a recount is always the truth: a wrong order would mislead everybody who looks,
while a silent repair would hide the defect behind it. Hence both: it is mended, logged as an error and counted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from services.roadmap import store
from services.roadmap.priority.prioritise import mark_due
from services.roadmap.store import recount
from shared.runtime import Transaction
from shared.runtime.service import Work

log = structlog.get_logger(__name__)

AT_ONCE = 50
"""Ideas of one slice."""

EVERY = timedelta(hours=24)
PAUSE_SECONDS = 2.0
REST_SECONDS = 600.0


async def recount_daily(work: Work, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
    """Until cancelled; between two rounds it looks now and then whether the next one is due. `sleep` takes seconds."""
    while True:
        async with work.database.transaction() as tx:
            found = await count_slice(tx)
        for counter in found or ():
            work.metrics.mended.labels(counter).inc()
        await sleep(REST_SECONDS if found is None else PAUSE_SECONDS)


async def count_slice(tx: Transaction) -> list[str] | None:
    """Recount the next ideas, at the end of a round the people; gives the counters that were set right.

    None where nothing is to be done now. What cannot be counted is logged and left to the next round.
    """
    ideas = await recount.next_slice(tx.connection, AT_ONCE, tx.now - EVERY)
    if ideas is None:
        return None
    if ideas:
        await recount.keep_reached(tx.connection, ideas[-1])
    else:
        await recount.keep_ended(tx.connection, tx.now)
    try:
        async with tx.connection.transaction():
            return await (_count_ideas(tx, ideas) if ideas else _count_people(tx))
    except Exception as fault:  # noqa: BLE001 - one idea that cannot be counted must not keep the others from it
        because = repr(fault)  # without its trace, which may show rows
        log.error("counters could not be recounted", first=ideas[:1], last=ideas[-1:], because=because)  # noqa: TRY400
        return []


async def _count_ideas(tx: Transaction, ideas: Sequence[str]) -> list[str]:
    """Set right what differs, which alone is locked and counted once more.

    Nobody is held up by looking: votes and counters change in one transaction, so that one statement sees both before
    or after it.
    """
    suspects = {drift.feature_id for drift in await recount.drifted(tx.connection, ideas)}
    if not suspects:
        return []
    await store.lock_ideas(tx.connection, suspects)
    found = await recount.drifted(tx.connection, sorted(suspects))
    await recount.set_right(tx.connection, {drift.feature_id for drift in found})
    await mark_due(tx, {drift.feature_id for drift in found})
    for drift in found:
        log.error("a counter was wrong and was set right", idea=drift.feature_id, counter=drift.counter)
    return [drift.counter for drift in found]


async def _count_people(tx: Transaction) -> list[str]:
    wrong = await recount.drifted_cells(tx.connection)
    if wrong:
        await recount.set_cells_right(tx.connection)
        log.error("numbers of active people were wrong and were set right", cells=wrong)
    return ["active"] * len(wrong)
