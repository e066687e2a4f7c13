"""Delivers what is due: claims it, attempts it, and notes how that went."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from shared.runtime.database import Database
from shared.runtime.service import Work

from . import signing
from .metrics import WebhookMetrics, metrics_in
from .sealing import Sealer, Unreadable
from .sending import ATTEMPT_SECONDS, Sender
from .settings import WebhookSettings
from .settling import settle
from .store import claims, subscriptions
from .store.claims import Claim

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
LEASE = timedelta(seconds=60)
"""Four times what an attempt may take: longer than a slow database, shorter than anybody's patience."""


async def deliver(work: Work) -> None:
    """The job: until cancelled; then what is under way is finished."""
    assert isinstance(work.settings, WebhookSettings)
    deliverer = Deliverer(work.database, work.settings, metrics_in(work.metrics.registry))
    try:
        while True:
            if not await deliverer.start_due():
                await deliverer.rest()
    finally:
        await deliverer.stop()


class Deliverer:
    """One instance's share of the work; other instances take others' claims."""

    def __init__(self, database: Database, settings: WebhookSettings, metrics: WebhookMetrics) -> None:
        self._database, self._settings, self._metrics = database, settings, metrics
        self._sender, self._sealer = Sender(settings), Sealer(settings.webhook_key)
        self._disable_after = timedelta(days=settings.webhook_disable_days)
        self._running: dict[asyncio.Task[None], UUID] = {}
        self._free = asyncio.Event()

    async def start_due(self) -> int:
        """Begin as many attempts as there is room for; how many."""
        most = self._settings.webhook_concurrency - len(self._running)
        if most <= 0:
            return 0
        async with self._database.transaction() as tx:
            taken = await claims.take(
                tx.connection,
                tx.now,
                tx.now + LEASE,
                most=most,
                most_each=self._settings.webhook_endpoint_concurrency,
                running=Counter(self._running.values()),
            )
            identifiers = list({claim.subscription_id for claim in taken})
            sealed = await subscriptions.sealed_secrets(tx.connection, identifiers, tx.now)
        for claim in taken:
            task = asyncio.create_task(self._attempt(claim, sealed.get(claim.subscription_id, [])))
            self._running[task] = claim.subscription_id
            task.add_done_callback(self._ended)
        return len(taken)

    @property
    def busy(self) -> int:
        """How many attempts are under way."""
        return len(self._running)

    async def rest(self) -> None:
        """Until an attempt ends, or for a moment."""
        self._free.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._free.wait()

    async def stop(self) -> None:
        """Let what is under way end; what does not within the time of one attempt is claimed again later."""
        if self._running:
            await asyncio.wait(self._running, timeout=ATTEMPT_SECONDS)
        for task in self._running:
            task.cancel()
        await self._sender.close()

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._running[task]
        self._free.set()
        if not task.cancelled() and (fault := task.exception()):
            # Nothing is noted, so the delivery is attempted again when the claim has run out.
            log.warning("attempt was not noted", because=repr(fault))

    async def _attempt(self, claim: Claim, sealed: Sequence[str]) -> None:
        try:
            secrets = [self._sealer.open(each) for each in sealed]
        except Unreadable as wrong:
            log.error("webhook cannot be signed", subscription=str(claim.subscription_id), because=str(wrong))  # noqa: TRY400
            return
        assert secrets, "a subscription has a secret that does not end; nothing goes out unsigned"
        began, body = self._database.clock(), claim.body.encode()
        headers = signing.headers(secrets, str(claim.message_id), int(began.timestamp()), body)
        headers |= {"content-type": "application/cloudevents+json; charset=utf-8", "user-agent": "earshot-webhooks"}
        answer = await self._sender.post(claim.url, headers, body)
        async with self._database.transaction() as tx:
            chance = random.random()  # noqa: S311 - jitter, not a secret
            outcome = await settle(tx, claim, began, answer, disable_after=self._disable_after, chance=chance)
        self._metrics.attempts.labels(outcome).inc()
