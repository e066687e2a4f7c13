"""Counts what waits, and removes what is over: old events, contact details nobody waits for, replaced secrets."""

import asyncio
from datetime import timedelta

import structlog

from shared.contract.catalogue import EVENTS
from shared.runtime import Transaction
from shared.runtime.database import Database
from shared.runtime.service import Work

from .metrics import WebhookMetrics, metrics_in
from .sealing import Sealer, Unreadable
from .settings import WebhookSettings
from .store import deliveries, subscriptions, upkeep
from .subscriptions import PERSONAL

log = structlog.get_logger(__name__)

COUNT_SECONDS = 5.0
COUNTS_TO_A_CLEANING = 12
BATCH = 1000
UNWANTED_AFTER = timedelta(hours=1)
ASKERS_AFTER = timedelta(days=90)
PERSONAL_AFTER = min(retention for type_ in PERSONAL if (retention := EVENTS[type_].retention) is not None)
"""As long as the topic keeps them."""


async def keep_house(work: Work) -> None:
    """The job: until cancelled."""
    assert isinstance(work.settings, WebhookSettings)
    metrics = metrics_in(work.metrics.registry)
    await seal_with_first_key(work.database, Sealer(work.settings.webhook_key))
    while True:
        await clean(work.database, timedelta(days=work.settings.webhook_keep_days))
        for _ in range(COUNTS_TO_A_CLEANING):
            await count(work.database, metrics)
            await asyncio.sleep(COUNT_SECONDS)


async def seal_with_first_key(database: Database, sealer: Sealer) -> None:
    """Seal every secret with the first key, so that the former ones can be thrown away."""
    async with database.transaction() as tx:
        renewed = {}
        for identifier, sealed in (await subscriptions.all_secrets(tx.connection)).items():
            try:
                again = sealer.renewed(sealed)
            except Unreadable as wrong:
                log.error("secret cannot be read", secret=str(identifier), because=str(wrong))  # noqa: TRY400
                continue
            if again is not None:
                renewed[identifier] = again
        await subscriptions.seal_again(tx.connection, renewed)


async def count(database: Database, metrics: WebhookMetrics) -> None:
    async with database.transaction() as tx:
        backlog = await upkeep.backlog(tx.connection, tx.now)
    metrics.pending.set(backlog.pending)
    metrics.oldest.set(backlog.oldest_seconds)
    metrics.disabled.set(backlog.disabled)


async def clean(database: Database, keep: timedelta) -> None:
    """Remove what is over, a little at a time, so that nothing waits for it."""
    async with database.transaction() as tx:
        await _end_what_waits_in_vain(tx, keep)
        await upkeep.drop_personal(
            tx.connection, tx.now - PERSONAL_AFTER, tx.now, f"contact details are kept for {PERSONAL_AFTER.days} days"
        )
        await upkeep.drop_askers(tx.connection, tx.now - ASKERS_AFTER)
        await upkeep.drop_secrets(tx.connection, tx.now)
    removed = BATCH
    while removed >= BATCH:
        async with database.transaction() as tx:
            removed = await upkeep.drop_old(tx.connection, tx.now - keep, BATCH)
            removed += await upkeep.drop_unwanted(tx.connection, tx.now - UNWANTED_AFTER, BATCH)


async def _end_what_waits_in_vain(tx: Transaction, keep: timedelta) -> None:
    for identifier in await upkeep.disabled(tx.connection):
        if await subscriptions.find(tx.connection, identifier, lock=True):
            note = "the subscription was disabled"
            await deliveries.give_up(tx.connection, tx.now, note, subscription_id=identifier)
    for identifier in sorted(await upkeep.pending_before(tx.connection, tx.now - keep)):
        if await subscriptions.find(tx.connection, identifier, lock=True):
            note = f"it waited for more than {keep.days} days"
            await deliveries.give_up(tx.connection, tx.now, note, subscription_id=identifier, older_than=tx.now - keep)
