"""A second version of an event: one handler, both topics, every occurrence once and in order."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import Field

from services import PUBLIC_EVERYWHERE
from shared.contract import catalogue, envelope, upcasting
from shared.contract.catalogue import EventType
from shared.contract.events import EventData
from shared.contract.types import Id, Share, UtcTime
from shared.contract.upcasting import Succession, complaints, forms, raised_from
from shared.runtime import Handlers, Received, Service, Transaction
from shared.runtime.database import Cause
from tests.support.databases import dsn_of
from tests.support.infra import KAFKA
from tests.support.running import RunningService, Stage, stage, until

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ONE, TWO = "earshot.mood-heard.v1", "earshot.mood-heard.v2"


class MoodHeard(EventData):
    """The first version counted to ten."""

    key = ("person_id",)
    person_id: Id
    version: int = Field(ge=1)
    points: int
    heard_at: UtcTime


class MoodHeardV2(EventData):
    """The second one holds a share."""

    key = ("person_id",)
    person_id: Id
    version: int = Field(ge=1)
    mood: Share
    heard_at: UtcTime


class MoodHeardV3(EventData):
    """A third one, of which only the rules know."""

    key = ("person_id",)
    person_id: Id
    is_good: bool


def up(old: MoodHeard) -> MoodHeardV2:
    return MoodHeardV2(person_id=old.person_id, version=old.version, mood=old.points / 10, heard_at=old.heard_at)


def down(new: MoodHeardV2) -> MoodHeard:
    return MoodHeard(person_id=new.person_id, version=new.version, points=round(new.mood * 10), heard_at=new.heard_at)


def judged(data: MoodHeardV2) -> MoodHeardV3:
    return MoodHeardV3(person_id=data.person_id, is_good=data.mood > 0.5)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> dict[type[EventData], EventType]:
    """The contract with three versions of an event more; the second follows the first."""
    models: dict[type[EventData], int] = {MoodHeard: 1, MoodHeardV2: 2, MoodHeardV3: 3}
    types = {model: catalogue._event(model, "kpi", "kpi", version=number) for model, number in models.items()}
    for model, event_type in types.items():
        monkeypatch.setitem(catalogue._BY_MODEL, model, event_type)
        monkeypatch.setitem(catalogue._BY_TYPE, event_type.type, event_type)
    monkeypatch.setattr(upcasting, "SUCCESSIONS", (Succession(MoodHeard, MoodHeardV2, up, down),))
    return types


def mood_service() -> Service:
    """Keeps each person's latest mood, and how often it changed."""
    handlers = Handlers()

    @handlers.on(MoodHeardV2)
    async def keep(tx: Transaction, event: Received[MoodHeardV2]) -> None:
        await tx.connection.execute(
            """
            INSERT INTO moods AS known (person_id, version, mood, changes) VALUES ($1, $2, $3, 1)
            ON CONFLICT (person_id) DO UPDATE SET version = $2, mood = $3, changes = known.changes + 1
             WHERE known.version < $2
            """,
            event.data.person_id,
            event.data.version,
            event.data.mood,
        )

    return Service(name="kpi", summary="For tests.", handlers=handlers, routers=(), public=PUBLIC_EVERYWHERE)


@pytest.fixture
async def staged(known: dict[type[EventData], EventType], tmp_path: Path) -> AsyncIterator[Stage]:
    """The service's database with its table, and topics of both versions."""
    assert [known[model].topic for model in (MoodHeard, MoodHeardV2)] == [ONE, TWO]
    async with stage(mood_service(), tmp_path) as made:
        database = urlsplit(made.settings.database_dsn.get_secret_value()).path.removeprefix("/")
        connection = await asyncpg.connect(dsn_of(database))
        await connection.execute(
            "CREATE TABLE kpi.moods (person_id text PRIMARY KEY, version int, mood float, changes int);"
            "GRANT ALL ON kpi.moods TO earshot_kpi"
        )
        await connection.close()
        yield made


async def send(made: Stage, topic: str, event_id: str, data: EventData) -> None:
    """One event from another system."""
    headers, value = envelope.encode(
        envelope.Envelope(
            id=event_id,
            source="/elsewhere",
            type=catalogue.BY_MODEL[type(data)].type,
            data=data.model_dump_json().encode(),
        )
    )
    async with AIOKafkaProducer(bootstrap_servers=os.environ[KAFKA], acks="all") as producer:
        await producer.send_and_wait(
            made.settings.topic_prefix + topic, value, key=data.key_value().encode(), headers=headers
        )


def heard(version: int, points: int = 7, person: str = "mara") -> MoodHeard:
    return MoodHeard(person_id=person, version=version, points=points, heard_at=NOON)


async def handled(service: RunningService, topics: int) -> None:
    """Wait until everything that was sent to so many topics is behind the service."""

    async def done() -> bool:
        seen = await service.database.pool.fetchval(
            "SELECT count(DISTINCT topic) FROM consumer_positions WHERE next_offset > 0"
        )
        return bool(seen == topics) and bool((await service.client.get("/readyz")).json()["lag"] == 0)

    await until(done, what="the events to be handled")


async def moods(service: RunningService) -> list[tuple[str, int, float, int]]:
    rows = await service.database.fetch("SELECT person_id, version, mood, changes FROM moods ORDER BY person_id")
    return [tuple(row) for row in rows]


async def test_one_handler_takes_both_versions(staged: Stage) -> None:
    """A consumer that knows only the second version gets first ones from their topic, raised."""
    await send(staged, ONE, "a", heard(1, points=3, person="mara"))
    await send(staged, TWO, "b", up(heard(1, points=9, person="ben")))
    async with staged.run() as service:
        await handled(service, topics=2)
        assert await moods(service) == [("ben", 1, 0.9, 1), ("mara", 1, 0.3, 1)]


async def test_what_is_published_in_both_versions_takes_effect_once_and_in_order(staged: Stage) -> None:
    """Each occurrence that came in both versions takes effect once; a stale one on the other topic changes nothing."""
    for version, points in ((1, 2), (2, 4), (3, 6)):
        await send(staged, TWO, f"event-{version}", up(heard(version, points)))
    for version, points in ((1, 2), (2, 4), (3, 6)):
        await send(staged, ONE, f"event-{version}", heard(version, points))
    await send(staged, ONE, "from a publisher that is behind", heard(2, points=0))
    async with staged.run() as service:
        await handled(service, topics=2)
        assert [(name, version, mood) for name, version, mood, _ in await moods(service)] == [("mara", 3, 0.6)]
        # Whichever topic comes first, the three occurrences are known by their ids; the late one has its own.
        assert await service.database.pool.fetchval("SELECT count(*) FROM inbox") == 4


async def test_a_publisher_serves_readers_of_both_versions(staged: Stage) -> None:
    """One publish puts the same occurrence on both topics: same id, key and partition, each in its own form."""
    prefix = staged.settings.topic_prefix
    reader = AIOKafkaConsumer(
        prefix + ONE, prefix + TWO, bootstrap_servers=os.environ[KAFKA], auto_offset_reset="earliest"
    )
    async with reader, staged.run() as service:
        async with service.database.transaction(Cause(event_id="cause")) as tx:
            await tx.publish(up(heard(1, points=8)))
        first, second = sorted([await reader.getone(), await reader.getone()], key=lambda record: record.topic)
        await handled(service, topics=2)
        assert await moods(service) == [("mara", 1, 0.8, 1)]
    assert (first.key, first.partition) == (second.key, second.partition)
    one, two = (envelope.from_record(record.headers, record.value) for record in (first, second))
    assert (one.id, one.source, one.subject) == (two.id, two.source, "mara")
    assert [one.type, two.type] == ["earshot.MoodHeard.v1", "earshot.MoodHeard.v2"]
    assert MoodHeard.model_validate_json(one.data).points == 8
    assert MoodHeardV2.model_validate_json(two.data).mood == 0.8


async def test_an_older_event_without_counterpart_goes_aside(staged: Stage) -> None:
    """A first version that the second cannot say is kept as a dead letter with the reason, and the next is handled."""
    await send(staged, ONE, "a", heard(1, points=11))
    await send(staged, ONE, "b", heard(2, points=10))
    async with staged.run() as service:
        await handled(service, topics=1)
        [row] = await service.database.fetch("SELECT reason FROM dead_letters")
        assert row["reason"] == "cannot be read as MoodHeardV2: mood: Input should be less than or equal to 1"
        assert await moods(service) == [("mara", 2, 1.0, 1)]


@pytest.mark.usefixtures("known")
def test_steps_make_a_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer of the third version gets first ones through both steps; a publisher serves those with a way down."""
    monkeypatch.setattr(
        upcasting,
        "SUCCESSIONS",
        (Succession(MoodHeard, MoodHeardV2, up, down), Succession(MoodHeardV2, MoodHeardV3, judged)),
    )
    second, first = raised_from(MoodHeardV3)
    assert (second[0].topic, first[0].topic) == (TWO, ONE)
    assert first[1](heard(1, points=8)) == MoodHeardV3(person_id="mara", is_good=True)
    assert list(forms(MoodHeardV3(person_id="mara", is_good=True))) == [MoodHeardV3(person_id="mara", is_good=True)]
    assert list(forms(up(heard(1)))) == [up(heard(1)), heard(1)]


def test_a_step_that_moves_the_key_is_named(
    known: dict[type[EventData], EventType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Going up or down with another key, or to what the newer model refuses, is found among the golden payloads."""
    moved = Succession(MoodHeard, MoodHeardV2, lambda old: up(heard(old.version, person="somebody")), down)
    monkeypatch.setattr(upcasting, "SUCCESSIONS", (moved,))
    assert next(complaints(known[MoodHeard], heard(1))) == (
        "has the key 'mara' and as MoodHeardV2 'somebody': its order would be lost"
    )
    monkeypatch.setattr(upcasting, "SUCCESSIONS", (Succession(MoodHeard, MoodHeardV2, up, down),))
    assert list(complaints(known[MoodHeard], heard(1))) == []
    assert list(complaints(known[MoodHeard], heard(1, points=11))) == [
        "cannot be read as MoodHeardV2: mood: Input should be less than or equal to 1"
    ]
