"""Events out of a service's archive or out of Kafka, into a file."""

import json

import click
from msgspec.structs import replace

from shared.contract.envelope import Envelope, Undecodable, from_record, structured
from shared.runtime.database import Database
from shared.runtime.kafka import onlooker
from shared.runtime.recovery import archive
from shared.runtime.recovery.history import History, written_at
from shared.runtime.serve import load
from shared.runtime.settings import KafkaSettings


async def from_archive(service: str, dsn: str) -> int:
    """Print what the service published and keeps in its archive; returns how many events."""
    database, count = Database(service, dsn, size=1), 0
    await database.open()
    try:
        async with database.transaction() as tx:
            async for event in archive.events(tx.connection):
                _print(event)
                count += 1
    finally:
        await database.close()
    return count


async def from_kafka(service: str, settings: KafkaSettings) -> int:
    """Print what Kafka has on the topics the service consumes; what is no event is left out and counted."""
    topics = [f"{settings.topic_prefix}{event.topic}" for event in load(service).consumes]
    count = strange = 0
    async with onlooker(settings, topics, "earliest") as consumer:
        history = await History.to_the_end(consumer)
        async for record in history.records():
            try:
                event = from_record(record.headers, record.value)
            except Undecodable:
                strange += 1
                continue
            key = (record.key or b"").decode("utf-8", "replace")
            noted = {"partitionkey": key, "recordedtime": written_at(record).isoformat()}
            _print(replace(event, extensions={**event.extensions, **noted}))
            count += 1
    if strange:
        click.echo(f"left out, since they are no events: {strange} records", err=True)
    return count


def _print(event: Envelope) -> None:
    click.echo(json.dumps(structured(event), ensure_ascii=False))
