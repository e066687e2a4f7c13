"""After an old backup of one service was put back while the others went on: what it lacks, and going on from there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from shared.contract import envelope
from shared.contract.events import EventData
from shared.runtime import outbox, positions
from shared.runtime.kafka import admin, cluster_id, onlooker
from shared.runtime.positions import Place
from shared.runtime.service import Service
from shared.runtime.settings import KafkaSettings

from . import versioned
from .history import History

if TYPE_CHECKING:
    from shared.runtime.database import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """One consumed partition: how far the database got, None if it was never handled, and what Kafka has."""

    place: Place
    handled: int | None
    committed: int | None
    oldest: int
    end: int

    @property
    def lost(self) -> int:
        """Records behind the database's position that Kafka no longer has."""
        return 0 if self.handled is None else max(0, self.oldest - self.handled)

    @property
    def to_come(self) -> int:
        """Records that will be handled."""
        return max(0, self.end - max(self.handled or 0, self.oldest))


@dataclass(slots=True)
class Findings:
    """How the database and Kafka stand to each other."""

    standings: Sequence[Standing]
    outbox: int
    """Events that wait to be published."""
    outbox_known: int = 0
    """Those of them that are in the log already; they go out again under the same ids."""
    highest: int = 0
    """The highest version in the log of what the service publishes."""
    floor: int = 0
    ahead: list[str] = field(default_factory=list)
    """What others have heard of in a version that this database could hand out again."""

    @property
    def lost(self) -> dict[Place, int]:
        """Where records are lost: the oldest that Kafka still has."""
        return {standing.place: standing.oldest for standing in self.standings if standing.lost}


async def look(service: Service, connection: "Connection", settings: KafkaSettings) -> Findings:
    """Compare the database with Kafka; changes nothing."""
    waiting = {str(row["id"]) for row in await connection.fetch("SELECT id FROM outbox")}
    findings = Findings(await _standings(service, connection, settings), outbox=len(waiting))
    findings.floor = await connection.fetchval("SELECT floor FROM version_floor")
    heard: list[dict[tuple[str, ...], int]] = [{} for _ in service.versioned]
    published: set[str] = set()
    topics = [f"{settings.topic_prefix}{event.topic}" for event in service.publishes]
    async with onlooker(settings, topics, "earliest") as consumer:
        log = await History.to_the_end(consumer)
        async for record in log.records():
            found = _own(service, record.topic.removeprefix(settings.topic_prefix), record.headers, record.value)
            if found is None:
                continue
            identifier, data = found
            published.add(identifier)
            for thing, versions in zip(service.versioned, heard, strict=True):
                if type(data) in thing.events:
                    version: int = data.version  # type: ignore[attr-defined] # what makes the event one of these
                    versions[thing.of(data)] = max(version, versions.get(thing.of(data), 0))
    findings.outbox_known = len(waiting & published)
    findings.highest = max((version for versions in heard for version in versions.values()), default=0)
    for thing, versions in zip(service.versioned, heard, strict=True):
        findings.ahead += _ahead(versions, await thing.handed_out(connection), findings.floor)
    return findings


async def finish(service: Service, connection: "Connection", settings: KafkaSettings) -> Findings:
    """Lift the versions above what others have heard; while no instance runs, and before one does."""
    findings = await look(service, connection, settings)
    async with connection.transaction():
        await versioned.lift(connection, service.versioned, findings.highest)
    return findings


async def accept_loss(service: Service, connection: "Connection", settings: KafkaSettings) -> dict[Place, int]:
    """Go on, where records are lost, with the oldest that Kafka still has; a running service does so by itself soon."""
    standings = await _standings(service, connection, settings)
    lost = {standing.place: standing.oldest for standing in standings if standing.lost}
    if lost:
        await positions.store(connection, await cluster_id(settings), lost)
    return lost


def _own(
    service: Service, topic: str, headers: Sequence[tuple[str, bytes | None]], value: bytes | None
) -> tuple[str, EventData] | None:
    """The id and the data of an event that this service published; None for any other record."""
    try:
        event = envelope.from_record(headers, value)
        return (event.id, envelope.decode(event, topic)[1]) if event.source == outbox.source_of(service.name) else None
    except envelope.Undecodable:
        return None


def _ahead(heard: versioned.Heard, handed_out: Mapping[tuple[str, ...], int], floor: int) -> list[str]:
    return [
        f"{' '.join(thing)}: {handed_out.get(thing, 0)} here, {version} in the log"
        for thing, version in sorted(heard.items())
        if version > max(handed_out.get(thing, 0), floor)
    ]


async def _standings(service: Service, connection: "Connection", settings: KafkaSettings) -> list[Standing]:
    topics = [f"{settings.topic_prefix}{event.topic}" for event in service.consumes]
    stored = await positions.load(connection, await cluster_id(settings))
    async with onlooker(settings, topics, "earliest") as consumer:
        places = sorted(consumer.assignment())
        oldest = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
    committed = await _committed(service, settings, places)
    handled = positions.handled(committed, stored, oldest)
    return [
        Standing(
            (place.topic, place.partition),
            handled.get((place.topic, place.partition)),
            committed[place],
            oldest[place],
            ends[place],
        )
        for place in places
    ]


async def _committed(
    service: Service, settings: KafkaSettings, places: Sequence[TopicPartition]
) -> dict[TopicPartition, int | None]:
    client = admin(settings)
    await client.start()
    try:
        found = await client.list_consumer_group_offsets(f"{settings.topic_prefix}{service.name}")
    finally:
        await client.close()
    # Kafka says -1 where nothing was committed.
    return {place: found[place].offset if place in found and found[place].offset >= 0 else None for place in places}
