"""Builds again what a service derives from events: one transaction, from which nothing is published that was before."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby

import asyncpg
import structlog

from shared.runtime import inbox, positions
from shared.runtime.batches import Batches, Outcome
from shared.runtime.clock import utc_now
from shared.runtime.database import Database, Transaction, prepare
from shared.runtime.dead_letters import past as past_letters
from shared.runtime.erasure import letters as erased_letters
from shared.runtime.errors import Rejected
from shared.runtime.kafka import cluster_id, onlooker
from shared.runtime.records import Record, Refused
from shared.runtime.service import Service
from shared.runtime.settings import KafkaSettings
from shared.runtime.telemetry import Metrics

from . import presence
from .derived import Derived, Digest, digests
from .history import ArchivedRecord, History, archived

log = structlog.get_logger(__name__)

BATCH = 1000


class CannotRebuild(Exception):  # noqa: N818 - named for what is the case
    """The service cannot be rebuilt; the message says why and what to do. Nothing was changed."""


class _Undo(Exception):  # noqa: N818 - no error
    """Ends a rebuild that was only to be compared."""


@dataclass(slots=True)
class Report:
    """What a rebuild did; digests by table before and after."""

    before: Mapping[str, Digest] = field(default_factory=dict)
    after: Mapping[str, Digest] = field(default_factory=dict)
    repeated: int = 0
    archived: int = 0
    letters: int = 0
    refused: list[Refused] = field(default_factory=list)
    waiting: int = 0
    """Events that were not published yet; what they do here comes when they come back."""

    @property
    def differing(self) -> list[str]:
        return [table for table, digest in self.before.items() if digest != self.after[table]]


async def rebuild(
    service: Service,
    dsn: str,
    settings: KafkaSettings,
    *,
    archives: Sequence[Iterable[bytes]] = (),
    check: bool = False,
    allow_gaps: bool = False,
) -> Report:
    """Empty what the service derives from events and let all of them take effect again that had.

    Events come from the archives and then from Kafka, up to where the service stands; what lies beyond it handles, and
    announces, itself. With `check` everything is undone at the end.

    Raises:
        CannotRebuild: instances run, or records are missing; nothing was changed.
        history.Unreadable: an archive or the log cannot be read; nothing was changed.
    """
    derived = service.derived
    if derived is None:
        raise CannotRebuild(f"{service.name} derives nothing from events; there is nothing to rebuild")
    consumed = [event for event in service.consumes if event.model not in derived.decided_on]
    topics = [f"{settings.topic_prefix}{event.topic}" for event in consumed]
    async with alone(service.name, dsn) as connection, onlooker(settings, topics, "earliest") as consumer:
        cluster = await cluster_id(settings)
        past = await History.of(consumer, await positions.load(connection, cluster))
        old = [record for record in archived(archives, topics, settings.topic_prefix) if _before(record, past)]
        if not allow_gaps:
            _refuse_gaps(past, old)
        batches = Batches(Database(service.name, dsn), service.handlers, Metrics(), topic_prefix=settings.topic_prefix)
        batches.cluster = cluster
        try:
            async with connection.transaction():
                tx = Transaction(connection, service.name, utc_now())
                report = await _Rebuild(tx, derived, batches, set(topics)).run(past, old)
                if check:
                    raise _Undo
        except _Undo:
            pass
    return report


@asynccontextmanager
async def alone(service: str, dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the service's schema while no instance of it runs.

    Raises:
        presence.InstancesRun: one does.
    """
    async with connected(service, dsn) as connection:
        await presence.be_alone(connection, service)
        yield connection


@asynccontextmanager
async def connected(service: str, dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the service's schema that is no instance of it."""
    connection = await asyncpg.connect(
        dsn, server_settings={"application_name": f"earshot-{service}-operator", "search_path": f"{service}, public"}
    )
    try:
        await prepare(connection)
        yield connection
    finally:
        await connection.close()


class _Rebuild:
    """One rebuild in its transaction."""

    def __init__(self, tx: Transaction, derived: Derived, batches: Batches, topics: set[str]) -> None:
        self._tx, self._derived, self._batches, self._topics = tx, derived, batches, topics
        self._report = Report()

    async def run(self, past: History, old: Sequence[ArchivedRecord]) -> Report:
        connection, report = self._tx.connection, self._report
        report.before = await digests(connection, self._derived.tables)
        report.waiting = await connection.fetchval("SELECT count(*) FROM outbox")
        aside = await past_letters.aside(connection, self._batches.cluster)
        async with inbox.afresh(connection):
            await self._derived.empty(connection)
            await self._from_archives(old)
            await self._from_log(past, aside)
            await self._from_letters()
        if report.refused:
            await erased_letters.keep(self._tx, self._batches.cluster, report.refused)
        await self._derived.settle(self._tx)
        report.after = await digests(connection, self._derived.tables)
        return report

    async def _from_archives(self, old: Sequence[ArchivedRecord]) -> None:
        """Events that were refused when they were new are refused again; their letters may be gone with their time."""
        for start in range(0, len(old), BATCH):
            outcomes = await self._repeat(old[start : start + BATCH])
            self._report.archived += sum(len(outcome.applied) for outcome in outcomes)

    async def _from_log(self, past: History, aside: set[tuple[str, int, int]]) -> None:
        """In the order of the log, without what went aside at its time."""
        batch: list[Record] = []
        async for record in past.records():
            if (record.topic, record.partition, record.offset) in aside:
                continue
            batch.append(record)
            if len(batch) == BATCH:
                await self._repeat_handled(batch)
                batch = []
        await self._repeat_handled(batch)

    async def _repeat_handled(self, batch: Sequence[Record]) -> None:
        for outcome in await self._repeat(batch):
            self._report.repeated += len(outcome.applied)
            # It took effect before and is refused now: that is news, and somebody must look.
            self._report.refused += outcome.refused

    async def _from_letters(self) -> None:
        """What was replayed took effect after the records around it."""
        for letter in await past_letters.replayed(self._tx.connection):
            if letter.topic in self._topics:
                try:
                    self._report.letters += await self._batches.replay(self._repeating, letter)
                except Rejected as still:
                    log.warning("a replayed dead letter is refused now", topic=letter.topic, because=str(still))

    async def _repeat(self, records: Sequence[Record]) -> list[Outcome]:
        if not self._derived.in_order:
            return [await self._batches.repeat(self._repeating, records)]
        runs = [list(run) for _, run in groupby(records, key=lambda record: record.topic)]
        return [await self._batches.repeat(self._repeating, run) for run in runs]

    @property
    def _repeating(self) -> Transaction:
        return replace(self._tx, repeated=True)


def _before(record: ArchivedRecord, past: History) -> bool:
    """Whether Kafka may no longer have the event; the few it has of the same moment are no news the second time."""
    begins = past.starts_at(record.topic, record.key)
    return begins is None or record.at <= begins


def _refuse_gaps(past: History, old: Sequence[ArchivedRecord]) -> None:
    held: dict[str, int] = {}
    for record in old:
        held[record.topic] = held.get(record.topic, 0) + 1
    missing = [
        f"{topic}: {gone} records expired, the archives hold {held.get(topic, 0)} events from before"
        for topic, gone in sorted(past.expired.items())
        if held.get(topic, 0) < gone
    ]
    if missing:
        raise CannotRebuild(
            "Kafka no longer has all records. " + "; ".join(missing) + ". Give their archives, or allow the gaps: what "
            "follows from the missing events will be gone."
        )
