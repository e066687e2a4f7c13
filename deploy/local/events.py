"""Events by hand: publishing a file of them, and watching the topics."""

import asyncio
import json
from collections.abc import Iterable, Sequence

from aiokafka.errors import KafkaError

from deploy.local.errors import Fault, Say
from shared.contract.catalogue import EVENTS, EventType
from shared.contract.envelope import Envelope, Undecodable, decode, encode, from_record, from_structured, structured
from shared.runtime.kafka import onlooker, producer
from shared.runtime.settings import KafkaSettings

WAITING_AT_ONCE = 1_000


def publish(lines: Iterable[bytes], settings: KafkaSettings) -> int:
    """Publish CloudEvents in the JSON format, one a line; returns how many.

    Raises:
        Fault: a line is no event of the contract (then none is published), or the broker does not take them.
    """
    events = [_checked(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    try:
        asyncio.run(_send(events, settings))
    except KafkaError as wrong:
        raise Fault(f"The broker at {settings.kafka_bootstrap} did not take the events: {wrong}") from wrong
    return len(events)


def tail(topics: Sequence[str], settings: KafkaSettings, say: Say, *, from_start: bool) -> None:
    """Say every event as one line of JSON, in the form that `publish` reads, until interrupted.

    Raises:
        Fault: a topic is not in the contract, or the broker does not answer.
    """
    declared = [event.topic for event in EVENTS.values()]
    if unknown := set(topics) - set(declared):
        raise Fault(f"There is no topic {', '.join(sorted(unknown))}; there are {', '.join(declared)}.")
    names = [f"{settings.topic_prefix}{topic}" for topic in topics or declared]
    try:
        asyncio.run(_watch(names, settings, say, from_start=from_start))
    except KafkaError as wrong:
        raise Fault(f"The broker at {settings.kafka_bootstrap} does not answer: {wrong}") from wrong


def _checked(number: int, line: bytes) -> tuple[EventType, str, Envelope]:
    """The event on a line, with its type and its key."""
    try:
        envelope = from_structured(line)
        expected = EVENTS.get(envelope.type)
        event_type, data = decode(envelope, expected.topic if expected else "")
    except Undecodable as wrong:
        raise Fault(f"Line {number}: {wrong}. Nothing was published.") from None
    return event_type, event_type.key_of(data), envelope


async def _send(events: Sequence[tuple[EventType, str, Envelope]], settings: KafkaSettings) -> None:
    async with producer(settings) as client:
        for start in range(0, len(events), WAITING_AT_ONCE):
            waiting = []
            for event_type, key, envelope in events[start : start + WAITING_AT_ONCE]:
                headers, value = encode(envelope)
                topic = f"{settings.topic_prefix}{event_type.topic}"
                waiting.append(await client.send(topic, value, key=key.encode(), headers=headers))
            await asyncio.gather(*waiting)


async def _watch(topics: Sequence[str], settings: KafkaSettings, say: Say, *, from_start: bool) -> None:
    offset = "earliest" if from_start else "latest"
    async with onlooker(settings, topics, offset) as consumer:
        async for record in consumer:
            try:
                say(json.dumps(structured(from_record(record.headers, record.value)), ensure_ascii=False))
            except (Undecodable, ValueError, RecursionError) as wrong:
                say(f"# {record.topic}[{record.partition}]@{record.offset} is not an event: {wrong}")
