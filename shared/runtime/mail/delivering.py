"""The job that sends what is due, again after a pause where the server is away, and counts what waits."""

import asyncio
from datetime import timedelta

import structlog

from shared.runtime.database import Database
from shared.runtime.service import Work
from shared.runtime.telemetry import Metrics

from . import table
from .smtp import Refused, Server, Unsent, message_of

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 2.0
MOST_ATTEMPTS = 12
"""With the pauses between them about two days."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=8)


async def deliver(work: Work) -> None:
    """Send mails until cancelled; without a server only count them."""
    url = work.settings.smtp_url
    server = Server.at(url.get_secret_value()) if url else None
    while True:
        await observe(work.database, work.metrics)
        while server and await send_next(work.database, server, work.settings.mail_from):
            pass
        await asyncio.sleep(PAUSE_SECONDS)


async def send_next(database: Database, server: Server, sender: str) -> bool:
    """Send the mail that is due for the longest; gives whether there was one.

    A process that dies between the server's yes and the commit sends it again, under the same Message-ID.
    """
    async with database.transaction() as tx:
        mail = await table.next_due(tx.connection, tx.now)
        if mail is None:
            return False
        if mail["expires_at"] is not None and mail["expires_at"] <= tx.now:
            await table.settle(tx.connection, mail["id"], "failed", "expired before it could be sent", tx.now)
            return True
        try:
            await server.send(message_of(mail, sender, tx.now))
        except Refused as answer:
            log.warning("mail refused", mail=str(mail["id"]))
            await table.settle(tx.connection, mail["id"], "failed", str(answer), tx.now)
        except Unsent as fault:
            if mail["attempts"] + 1 >= MOST_ATTEMPTS:
                await table.settle(tx.connection, mail["id"], "failed", str(fault), tx.now)
            else:
                await table.postpone(tx.connection, mail["id"], tx.now + pause_after(mail["attempts"]), str(fault))
        else:
            await table.settle(tx.connection, mail["id"], "sent", None, tx.now)
    return True


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many earlier attempts: twice as long each time, at most eight hours."""
    return min(FIRST_PAUSE * (1 << attempts), LONGEST_PAUSE)


async def observe(database: Database, metrics: Metrics) -> None:
    """Say how many mails wait and failed, and forget the old ones."""
    async with database.transaction() as tx:
        await table.tidy(tx.connection, tx.now)
        found = await table.count(tx.connection)
        now = tx.now
    metrics.mails_waiting.set(found.waiting)
    metrics.mails_failed.set(found.failed)
    metrics.mails_age.set((now - found.oldest).total_seconds() if found.oldest else 0)
