"""The outbox relay: how many events a core publishes, and how long after the commit the broker has one."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg

from shared.contract.events import FeaturePriorityChanged
from shared.runtime import outbox
from shared.runtime.database import Database
from shared.runtime.relay import Relay
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Metrics
from tests.support.databases import dsn_of
from tests.support.running import until

from . import votes
from .figures import median, percentile
from .meters import between
from .place import Place, rival
from .progress import Progress

PER_TRANSACTION = 500
POLL_SECONDS = 0.2
WARM_UP = 200


async def throughput(place: Place, events: int, rounds: int) -> dict[str, Any]:
    """Events a second of one core, PostgreSQL included, when the outbox is full at the start."""
    costs = []
    for _ in range(rounds):
        prefix = await place.topics()
        async with place.database() as name:
            connection = await asyncpg.connect(dsn_of(name), server_settings={"search_path": "roadmap"})
            await fill(connection, events)
            # What the filling left to be done is not the relay's.
            await connection.execute("VACUUM ANALYZE outbox")
            progress = Progress(connection, place.postmaster, f"SELECT {events} - count(*) FROM outbox")  # noqa: S608 - a number
            with rival(place, "relay", name, prefix, EARSHOT_JWKS=str(place.folder / "jwks.json")) as program:
                first, last = await progress.follow(program.process, until=lambda _, now: now.events == events)
            costs.append(between(first, last))
            await connection.close()
    return {
        "events per core-second": median(cost.per_core_second for cost in costs),
        "events per second": median(cost.per_second for cost in costs),
        "python us": median(cost.python_us for cost in costs),
        "postgres us": median(cost.postgres_us for cost in costs),
    }


async def fill(connection: "asyncpg.Connection[asyncpg.Record]", events: int) -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
    for first in range(0, events, PER_TRANSACTION):
        numbers = range(first, min(first + PER_TRANSACTION, events))
        entries = [entry for n in numbers for entry in outbox.entries("roadmap", _change(n), votes.BEGIN)]
        await outbox.write(connection, entries)


async def latency(place: Place, events: int) -> dict[str, Any]:
    """Milliseconds from a commit to the broker's acknowledgement, woken by the commit and by a poll."""
    found: dict[str, Any] = {}
    for name, kind in (("notify", TimedRelay), ("poll of 200 ms", PollingRelay)):
        delays = await _delays(place, kind, events)
        found[name] = {"p50 ms": percentile(delays, 50), "p95 ms": percentile(delays, 95)}
    return found


async def _delays(place: Place, kind: "type[TimedRelay]", events: int) -> list[float]:
    prefix = await place.topics()
    async with place.database() as name:
        settings = Settings(
            kafka_bootstrap=place.kafka,
            topic_prefix=prefix,
            jwks=str(place.folder / "jwks.json"),
            database_dsn=dsn_of(name, "roadmap"),
        )
        database = Database("roadmap", dsn_of(name, "roadmap"))
        await database.open()
        relay = kind(database, settings, Metrics())
        work = asyncio.create_task(relay.run())
        committed: dict[UUID, float] = {}
        for number in range(WARM_UP):  # until it has started and every partition of the new topic has a leader
            await _commit_one(database, number, {})
        await until(relay.has_acknowledged(WARM_UP), what="the first events to be published")
        relay.acknowledged.clear()
        for number in range(events):
            await _commit_one(database, number, committed)
            await asyncio.sleep(0.02 + number % 7 * 0.01)  # so that polls meet commits at every phase
        await until(relay.has_acknowledged(events), what="all events to be published")
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await database.close()
    return [(relay.acknowledged[str(event)] - at) * 1000 for event, at in committed.items()]


async def _commit_one(database: Database, number: int, committed: dict[UUID, float]) -> None:
    [entry] = outbox.entries("roadmap", _change(number), votes.BEGIN)
    async with database.transaction() as tx:
        await outbox.write(tx.connection, [entry])
    committed[entry.id] = time.perf_counter()


class TimedRelay(Relay):
    """Notes when the broker acknowledged each event."""

    acknowledged: dict[str, float]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.acknowledged = {}

    def has_acknowledged(self, events: int) -> Callable[[], Awaitable[bool]]:
        async def enough() -> bool:
            return len(self.acknowledged) >= events

        return enough

    async def _publish(self, kafka: Any, rows: Sequence[asyncpg.Record]) -> None:
        await super()._publish(kafka, rows)
        now = time.perf_counter()
        self.acknowledged.update({str(row["id"]): now for row in rows})


class PollingRelay(TimedRelay):
    """Looks every 200 ms instead of being woken."""

    async def _wait(self) -> None:
        await asyncio.sleep(POLL_SECONDS)


def _change(number: int) -> FeaturePriorityChanged:
    return FeaturePriorityChanged(
        feature_id=f"idea-{number % 2000}",
        version=number + 1,
        score=1.5,
        previous_score=1.25,
        raw_votes=12,
        share=0.25,
        share_low=0.125,
        effective_sample_size=48.0,
        weighted=True,
        impact=1.0,
        kpi_factor=1.0,
        effort_weeks=2.0,
        formula="measured-rice-1",
        changed_at=votes.BEGIN,
    )
