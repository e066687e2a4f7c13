"""Removes what nobody needs any more: old inbox rows, closed dead letters and archived events."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from shared.contract.catalogue import EventType

from .database import Connection, Database
from .settings import Settings

log = structlog.get_logger(__name__)

EVERY_SECONDS = 600.0
ROWS = 2000
"""Of one transaction, so that nobody waits for it."""

MARGIN = timedelta(days=7)
"""Kafka removes whole segments, so records stay longer than their retention."""


class TooShort(ValueError):  # noqa: N818 - named for what the setting is
    """Events would be forgotten while Kafka can still deliver them again."""


def inbox_days(settings: Settings, consumes: Sequence[EventType]) -> int:
    """For how many days repeats of the consumed events are known.

    What Kafka keeps for ever does not count: its handlers must take repeats themselves, as erasures do.

    Raises:
        TooShort: the setting is shorter than a consumed topic's retention.
    """
    longest = max((event.retention for event in consumes if event.retention is not None), default=timedelta(0))
    least = (longest + MARGIN).days
    if settings.inbox_days is not None and settings.inbox_days < least:
        raise TooShort(
            f"EARSHOT_INBOX_DAYS: {settings.inbox_days} is too short; Kafka keeps what this service consumes for "
            f"{longest.days} days, so give at least {least} or leave it out"
        )
    return settings.inbox_days or least


class Housekeeping:
    """Works in small transactions, on one instance at a time."""

    def __init__(self, database: Database, settings: Settings, consumes: Sequence[EventType]) -> None:
        self._database = database
        self._known_for = timedelta(days=inbox_days(settings, consumes))
        self._archived_for = timedelta(days=settings.outbox_archive_days)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if removed := await self.tidy():
                log.info("removed what is old", rows=removed)
            await asyncio.sleep(EVERY_SECONDS)

    async def tidy(self) -> int:
        """Remove all that is old now; gives the number of rows."""
        now = self._database.clock()
        removed = 0
        for statement, before in (
            (_INBOX, now - self._known_for),
            # A rebuild skips in the log what a closed letter names, so the letter stays as long as the record may.
            (_LETTERS, now - self._known_for),
            (_ARCHIVE, now - self._archived_for),
        ):
            while (rows := await self._remove(statement, before)) > 0:
                removed += rows
        return removed

    async def _remove(self, statement: str, before: datetime) -> int:
        async with self._database.transaction() as tx:
            if not await self._is_its_turn(tx.connection):
                return 0
            status = await tx.connection.execute(statement, before, ROWS)
        return int(status.rsplit(" ", 1)[1])

    async def _is_its_turn(self, connection: Connection) -> bool:
        free: bool = await connection.fetchval(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('earshot housekeeping ' || $1, 0))",
            self._database.service,
        )
        return free


_INBOX = """
    DELETE FROM inbox WHERE ctid = ANY (ARRAY(SELECT ctid FROM inbox WHERE received_at < $1 LIMIT $2))
"""
_LETTERS = """
    DELETE FROM dead_letters
     WHERE id IN (SELECT id FROM dead_letters WHERE state <> 'open' AND received_at < $1 AND closed_at < $1 LIMIT $2)
"""
_ARCHIVE = """
    DELETE FROM outbox_archive WHERE seq IN (SELECT seq FROM outbox_archive WHERE published_at <= $1 LIMIT $2)
"""
